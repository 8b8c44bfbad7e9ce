"""The course's own notebook as steps, and which of its checks hang on which answers."""

from __future__ import annotations

from nbformat import NotebookNode

from carelab.grading.names import Step, defined, read, touched
from carelab.grading.rebuild import graded


def steps(course: NotebookNode) -> list[Step]:
    """The notebook's code cells in order, up to the last check: what comes after it changes no result."""
    found: list[Step] = []
    for number, cell in enumerate(course.cells):
        if cell.cell_type != "code":
            continue
        entry = graded(cell)
        if entry and entry["solution"]:
            found.append(Step("answer", entry["grade_id"], cell.source))
        elif entry and entry["grade"]:
            found.append(Step("check", entry["grade_id"].removesuffix("-check"), cell.source))
        else:
            found.append(Step("provided", f"cell {number}", cell.source))
    last = max((at for at, step in enumerate(found) if step.kind == "check"), default=-1)
    return found[: last + 1]


def prefix(course: NotebookNode) -> list[Step]:
    """The provided cells before the first answer: every submission's process has run them when its session opens."""
    found = steps(course)
    first = next((at for at, step in enumerate(found) if step.kind == "answer"), len(found))
    return [step for step in found[:first] if step.kind == "provided"]


def answers_of(course: NotebookNode) -> dict[str, set[str]]:
    """For each check, the exercises whose names it reads, directly or through provided cells in between."""
    behind: dict[str, set[str]] = {}
    found = {}
    for step in steps(course):
        if step.kind == "answer":
            for name in defined(step.source):
                behind[name] = {step.name}
            continue
        hangs_on = set().union(*(behind.get(name, set()) for name in read(step.source)))
        if step.kind == "check":
            found[step.name] = hangs_on
        elif hangs_on:
            for name in defined(step.source) | touched(step.source):
                behind[name] = behind.get(name, set()) | hangs_on
    return found


def unanswered(course: NotebookNode) -> list[str]:
    """A sentence for each check that reads nothing a learner's cell makes: it would give its points to anybody."""
    return [
        f"the check of {name} reads no name that an answer defines, so it compares nothing that a learner made."
        for name, behind in answers_of(course).items()
        if not behind
    ]
