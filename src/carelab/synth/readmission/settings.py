"""The section `[readmission]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Readmission(Section):
    """Stays in the three hospitals: who is admitted, with what, and who comes back within 30 days."""

    targets: Targets
