"""Copies of a week as learners hand them in: perfect, empty, half-done."""

import json
from pathlib import Path

import pytest

from carelab import curriculum
from carelab.grading.rebuild import graded, read_notebook
from carelab.paths import RELEASE, SOLUTIONS

READY = [week.folder for week in curriculum.load().weeks if week.status == "ready"]


def _exercises_of(week: str) -> list[str]:
    """Names of a week's exercises, in order."""
    return [
        entry["grade_id"]
        for path in sorted((RELEASE / week).glob("*.ipynb"))
        for cell in read_notebook(path).cells
        if (entry := graded(cell)) and entry["solution"] and not entry["grade"]
    ]


def _points_of(week: str, names: set[str]) -> float:
    """Points that the checks of these exercises carry."""
    return sum(
        entry["points"]
        for path in (RELEASE / week).glob("*.ipynb")
        for cell in read_notebook(path).cells
        if (entry := graded(cell)) and entry["grade"] and entry["grade_id"].removesuffix("-check") in names
    )


def _hand_in(week: str, folder: Path, answered: set[str] | None) -> None:
    """Write a learner's copy of `week` with the given exercises answered (None: all, written answers too)."""
    target = folder / week
    target.mkdir(parents=True)
    for path in sorted((RELEASE / week).glob("*.ipynb")):
        notebook = read_notebook(path)
        solved = {
            entry["grade_id"]: cell.source
            for cell in read_notebook(SOLUTIONS / week / path.name).cells
            if (entry := graded(cell))
        }
        for cell in notebook.cells:
            entry = graded(cell)
            if entry and entry["solution"] and (answered is None or entry["grade_id"] in answered):
                cell.source = solved[entry["grade_id"]]
        (target / path.name).write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture(scope="module", params=READY)
def week(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def exercises_of():
    return _exercises_of


@pytest.fixture(scope="session")
def points_of():
    return _points_of


@pytest.fixture(scope="session")
def hand_in():
    return _hand_in
