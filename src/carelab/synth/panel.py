"""One panel from configuration to resources and truth: the unit of work of a build."""

from collections.abc import Mapping
from typing import Any

from carelab.synth.areas import Core, Part
from carelab.synth.config import Panel, World
from carelab.synth.people import make_people, make_records
from carelab.synth.registry import AREAS
from carelab.synth.weather import make_weather


def make_core(world: World, panel: Panel, solved: Mapping[str, Any] | None = None) -> Core:
    """A panel's people and records, before any area."""
    people = make_people(world, panel)
    return Core(world, panel, make_weather(world), people, make_records(world, panel, people), solved or {})


def make_panel(core: Core) -> dict[str, Part]:
    """What each area makes of a panel, by its name, in the order of the registry."""
    parts: dict[str, Part] = {}
    for area in AREAS:
        if area.make:
            parts[area.name] = area.make(core, parts)
    return parts
