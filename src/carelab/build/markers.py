"""The short markers of the authors' text, and the nbgrader metadata they stand for.

# %% exercise="w01-name" skills="P1"  a code cell the learner fills in, and the skills it exercises, by the curriculum's ids
# %% check="w01-name" points=2        the test of that exercise; points=0 is a gate: it must pass but earns nothing
# %% [markdown] written="w01-name" points=5 skills="P1 P2"     an answer in prose, graded by a person
# %% [markdown] hint="w01-name"       a numbered list of hints, taken out of the notebook and shipped beside it
"""

import re
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 3
OURS = "carelab"  # the course's own entry in a cell's metadata
KINDS = ("exercise", "check", "written", "hint")
KEYS = frozenset({*KINDS, "points", "skills", "tags"})
JUPYTEXT_KEYS = frozenset({"cell_marker", "lines_to_next_cell"})  # its notes on layout, which the text itself keeps
NAME = re.compile(r"w\d\d-[a-z0-9]+(-[a-z0-9]+)*")
CELL_START = re.compile(r"^# %%(\s|$)")
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
# In prose the marks are comments, so that they do not show as headings: <!-- BEGIN SOLUTION -->
BEGIN_PROSE, END_PROSE = "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@dataclass(frozen=True)
class Marker:
    """What one cell's header line says: its kind, the exercise it belongs to, the points it carries and its skills."""

    kind: str
    name: str
    points: float | None = None
    skills: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        """nbgrader's name of the cell, unique in the course."""
        return f"{self.name}-check" if self.kind == "check" else self.name


def marker(metadata: dict[str, Any]) -> Marker | None:
    """The marker in a cell's metadata as jupytext read it, or None for an ordinary cell."""
    for kind in KINDS:
        if kind in metadata:
            skills = tuple(str(metadata.get("skills", "")).split())
            return Marker(kind, str(metadata[kind]), metadata.get("points"), skills)
    return None


def nbgrader_metadata(mark: Marker) -> dict[str, Any]:
    """The `nbgrader` entry that makes a cell an exercise, a check or a written answer."""
    by_hand = mark.kind == "written"
    entry: dict[str, Any] = {
        "grade": mark.kind != "exercise",
        "grade_id": mark.grade_id,
        "locked": mark.kind == "check",
        "schema_version": SCHEMA_VERSION,
        "solution": mark.kind == "exercise" or by_hand,
        "task": False,
    }
    if mark.kind != "exercise":
        points = mark.points or 0
        entry["points"] = int(points) if points == int(points) else points
    return entry


def marker_of(metadata: dict[str, Any]) -> Marker | None:
    """The way back: the marker that a built cell's metadata came from, or None for an ordinary cell."""
    entry = metadata.get("nbgrader")
    if not entry:
        return None
    skills = tuple(metadata.get(OURS, {}).get("skills", ()))
    if entry["grade"] and entry["solution"]:
        return Marker("written", entry["grade_id"], entry.get("points"), skills)
    if entry["grade"]:
        return Marker("check", entry["grade_id"].removesuffix("-check"), entry.get("points"), skills)
    return Marker("exercise", entry["grade_id"], skills=skills)
