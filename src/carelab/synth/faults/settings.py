"""The section `[faults]` of world.toml."""

from carelab.synth.settings import Section, Shares


class Faults(Section):
    """How many resources are taken, and how often each corruption is planted."""

    clean: Shares
    copies: int
    untouched: int
