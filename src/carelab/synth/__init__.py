"""The synthetic world: Lakeshore Health, built from a seed, with its truth known."""

from carelab.synth.building import build, check, rebuild_matches

__all__ = ["build", "check", "rebuild_matches"]
