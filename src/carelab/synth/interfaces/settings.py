"""The section `[interfaces]` of world.toml."""

from carelab.synth.settings import Section


class Interfaces(Section):
    """How the other systems' feeds are made, and what is wrong with them."""

    window_days: int
