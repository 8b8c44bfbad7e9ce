"""The section `[security]` of world.toml."""

from carelab.synth.settings import Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Security(Section):
    """Who looked at what: audit events, provenance, consent, roles."""

    targets: Targets
