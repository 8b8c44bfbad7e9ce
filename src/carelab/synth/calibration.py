"""Does the built world look as the literature says? Each target with its tolerance; outside it, the build stops."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from carelab.errors import UserError
from carelab.synth.areas import Area
from carelab.synth.config import World, load_sources


@dataclass(frozen=True)
class Result:
    """One target: its area, its name in world.toml, what it means, what was achieved, and the tolerance."""

    area: str
    name: str
    meaning: str
    achieved: float
    lower: float
    upper: float
    source: str

    @property
    def within(self) -> bool:
        """Whether the achieved figure, as printed, lies in the tolerance."""
        return self.lower <= self.achieved <= self.upper


def calibrate(world: World, area: Area, data: Any) -> list[Result]:
    """Measure every target of an area; `data` is what its `load` returned.

    Raises UserError when targets and measures do not go by the same names.
    """
    if not area.measures:
        return []
    targets = dict(attrgetter(area.targets)(world))
    if apart := sorted(targets.keys() ^ area.measures.keys()):
        raise UserError(f"world.toml, [{area.targets}], and the measures of {area.name} differ in {', '.join(apart)}.")
    sources, results = load_sources(), []
    for name, measure in area.measures.items():
        lower, upper = targets[name]
        achieved = round(float(measure.of(data)), 3)
        source = sources[f"{area.targets}.{name}"]
        results.append(Result(area.name, name, measure.meaning, achieved, lower, upper, source))
    return results


def stop_outside(results: list[Result]) -> None:
    """Raise UserError naming every target that was missed."""
    missed = [f"{r.name} is {r.achieved}, not in {r.lower} to {r.upper}" for r in results if not r.within]
    if missed:
        raise UserError(f"The world misses its calibration: {'; '.join(missed)}. Change the rates in world.toml.")
