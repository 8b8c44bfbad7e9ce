"""The synthetic world: Lakeshore Health, built from a seed, with its truth known."""

from carelab.synth.building import build, check, rebuild_matches
from carelab.synth.config import load_world

__all__ = ["build", "check", "load_world", "rebuild_matches"]
