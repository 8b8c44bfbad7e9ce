"""The section `[authorization]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Authorization(Section):
    """Prior authorization: requests, payer policies, decisions and appeals."""

    targets: Targets
