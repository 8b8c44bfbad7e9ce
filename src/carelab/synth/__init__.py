"""The synthetic world: Lakeshore Health, built from a seed."""

from carelab.synth.build import build

__all__ = ["build"]
