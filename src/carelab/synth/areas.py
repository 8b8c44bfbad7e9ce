"""What an area of the world is: a subject with its own streams, resources, tables, targets and traps.

An area gets a panel's people and visits and what the areas before it made; it touches nothing of theirs. So an area
can be added, and no file of the others changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.config import Panel, World

Feed = dict[str, list[Resource]]  # resources by type
Figures = dict[str, float]


@dataclass(frozen=True)
class Core:
    """A panel before any area: its people (one row a person) and their records at the registration desk."""

    world: World
    panel: Panel
    weather: pd.DataFrame
    people: pd.DataFrame
    records: pd.DataFrame
    solved: Mapping[str, Any] = field(default_factory=dict)  # what each area's `solve` returned, by name

    @property
    def sampled(self) -> set[str]:
        """Ids of the patient records that the sample S keeps."""
        return set(self.records["patient_id"].head(self.world.sample_per_panel))


@dataclass(frozen=True)
class Part:
    """What an area made of one panel.

    resources: the feed, each type in the order of its ids; sample: the part of it that S keeps, in which every
    reference resolves. tables: tables that no feed carries, such as a log. truth: what really happened; never read by
    a learner's notebook. frames: whatever later areas need; not written. All panels make the same names, even if empty.
    """

    resources: Feed = field(default_factory=dict)
    sample: Feed = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    truth: dict[str, pd.DataFrame] = field(default_factory=dict)
    frames: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """What an area shares between all panels: resources, and files by their path below the world's folder."""

    resources: Feed = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """A calibrated figure. meaning: what it is, for CALIBRATION.md; of: measures it on what the area's `load` returns."""

    meaning: str
    of: Callable[[Any], float]


@dataclass(frozen=True)
class Trap:
    """A planted mistake.

    where: table and column, or file. naive, reference: names of the two figures, among those `measure` returns, that
    show the harm. lesson: one sentence that says what to do instead. measure: takes what the area's `load` returns.
    """

    id: str
    title: str
    where: str
    lesson: str
    naive: str
    reference: str
    measure: Callable[[Any], Figures]


@dataclass(frozen=True)
class Area:
    """A subject of the world. Everything but the name is optional.

    solve: constants that hold for the whole world, such as an intercept, from the panels of the released world, so that
        a larger world begins with the same patients; a panel finds them in `Core.solved` under the area's name.
    make: from a panel and the earlier areas' parts (by name) to this area's part; pure, so that panels can be built
        anywhere in any order.
    network: what all panels share.
    derive: writes more files into the finished folder, from the sample's feed in its `fhir/` and from `tables/`; runs
        once, on the released world only.
    load: reads a built folder for measures and traps.
    targets: dotted path of the section in world.toml that holds a tolerance for each measure.
    ceilings: figures that no honest model can beat, for truth/ceilings.json.
    """

    name: str
    solve: Callable[[list[Core]], Any] | None = None
    make: Callable[[Core, Mapping[str, Part]], Part] | None = None
    network: Callable[[World], Network] | None = None
    derive: Callable[[Path, World], None] | None = None
    load: Callable[[Path, World], Any] | None = None
    targets: str = ""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    traps: tuple[Trap, ...] = ()
    ceilings: Callable[[Any], Figures] | None = None


def join_feeds(feeds: list[Feed]) -> Feed:
    """Feeds joined by type, in the order given."""
    joined: Feed = {}
    for feed in feeds:
        for kind, found in feed.items():
            joined.setdefault(kind, []).extend(found)
    return joined
