"""What a check came to, and which checks are settled without being run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nbformat import NotebookNode

from carelab.grading.rebuild import graded

Status = Literal["passed", "failed", "not attempted", "for a person"]


@dataclass(frozen=True)
class CheckResult:
    """One exercise's outcome. `points` is what it can earn (0 for a gate), `earned` what it did."""

    name: str
    status: Status
    points: float
    earned: float
    message: str = ""


@dataclass(frozen=True)
class Asked:
    """A graded cell. `settled` and its `message` say what comes of it when running it changes nothing."""

    name: str
    points: float
    cell: NotebookNode
    settled: Status | None
    message: str = ""


def asked(notebook: NotebookNode, submitted: dict[str, str], stubs: dict[str, str]) -> Iterator[Asked]:
    """The graded cells of a notebook in its order; an answer that is missing or equal to its stub is not attempted."""
    for cell in notebook.cells:
        entry = graded(cell)
        if not entry or not entry["grade"]:
            continue
        name = entry["grade_id"].removesuffix("-check")
        points = float(entry["points"])
        source = submitted.get(name, "")
        if not source.strip() or source.split() == stubs.get(name, "").split():
            yield Asked(name, points, cell, "not attempted")
        elif entry["solution"]:
            yield Asked(name, points, cell, "for a person", "Graded by a person with the rubric.")
        else:
            yield Asked(name, points, cell, None)
