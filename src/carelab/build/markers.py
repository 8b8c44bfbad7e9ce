"""The short markers of the authors' text, and the nbgrader metadata they stand for.

# %% exercise="w01-name"              a code cell the learner fills in
# %% check="w01-name" points=2        the test of that exercise; points=0 is a gate: it must pass but earns nothing
# %% [markdown] written="w01-name" points=5     an answer in prose, graded by a person
# %% [markdown] hint="w01-name"       a numbered list of hints, taken out of the notebook and shipped beside it
"""

import re
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 3
KINDS = ("exercise", "check", "written", "hint")
KEYS = frozenset({*KINDS, "points", "tags"})
JUPYTEXT_KEYS = frozenset({"cell_marker", "lines_to_next_cell"})  # its notes on layout, which the text itself keeps
NAME = re.compile(r"w\d\d-[a-z0-9]+(-[a-z0-9]+)*")
CELL_START = re.compile(r"^# %%(\s|$)")
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
# In prose the marks are comments, so that they do not show as headings: <!-- BEGIN SOLUTION -->
BEGIN_PROSE, END_PROSE = "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@dataclass(frozen=True)
class Marker:
    """What one cell's header line says: its kind, the exercise it belongs to and the points it carries."""

    kind: str
    name: str
    points: float | None = None

    @property
    def grade_id(self) -> str:
        """nbgrader's name of the cell, unique in the course."""
        return f"{self.name}-check" if self.kind == "check" else self.name


def marker(metadata: dict[str, Any]) -> Marker | None:
    """The marker in a cell's metadata as jupytext read it, or None for an ordinary cell."""
    for kind in KINDS:
        if kind in metadata:
            return Marker(kind, str(metadata[kind]), metadata.get("points"))
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


def marker_of(entry: dict[str, Any]) -> Marker:
    """The way back: the marker that an `nbgrader` entry came from."""
    if entry["grade"] and entry["solution"]:
        return Marker("written", entry["grade_id"], entry.get("points"))
    if entry["grade"]:
        return Marker("check", entry["grade_id"].removesuffix("-check"), entry.get("points"))
    return Marker("exercise", entry["grade_id"])
