"""The section `[messages]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Messages(Section):
    """Patients' messages and discharge summaries: text whose truth is known."""

    targets: Targets
