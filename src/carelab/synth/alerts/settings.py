"""The section `[alerts]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Alerts(Section):
    """Deterioration alerts on the wards, and what clinicians do with them."""

    targets: Targets
