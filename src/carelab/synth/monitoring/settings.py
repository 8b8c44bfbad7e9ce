"""The section `[monitoring]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Monitoring(Section):
    """The monthly log of a model in use, with what changes around it."""

    targets: Targets
