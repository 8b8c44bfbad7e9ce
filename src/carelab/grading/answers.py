"""Try answers on a notebook: those that a catalogue holds, and mutants of the reference solutions.

A catalogue is a percent-format file beside the tests:

    # %% exercise="w01-label" right="another way to write it"
    # %% exercise="w01-label" wrong="counts cancellations as missed" says="cancelled"

`says` is a part of the message that a wrong answer must meet: the one that helps with that mistake.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from carelab.errors import UserError
from carelab.grading import trials
from carelab.grading.mutants import mutants
from carelab.grading.rebuild import graded
from carelab.grading.trials import Cell, Outcome, Trial

ANSWER_SECONDS = 60
MUTANT_SECONDS = 20  # most take a fraction of a second; one that loops for ever is stopped then


@dataclass(frozen=True)
class Answer:
    """One catalogued answer: the exercise, a name for it, its code, whether it is right, and what a wrong one must meet."""

    exercise: str
    name: str
    source: str
    right: bool
    says: str = ""


def read_catalogue(path: Path) -> list[Answer]:
    """Answers in `path`. Raises UserError for a cell that names no exercise, or is neither right nor wrong."""
    answers = []
    for cell in jupytext.read(path, fmt="py:percent").cells:
        if cell.cell_type != "code":
            continue
        data = cell.metadata
        if "exercise" not in data or ("right" in data) == ("wrong" in data):
            raise UserError(
                f'{path}: each answer needs exercise="…" and one of right="…", wrong="…": {cell.source[:60]!r}'
            )
        right = "right" in data
        if not right and not data.get("says"):
            raise UserError(f'{path}: the wrong answer "{data["wrong"]}" needs says="…", the words that should help.')
        name = data["right"] if right else data["wrong"]
        answers.append(Answer(data["exercise"], name, cell.source, right, data.get("says", "")))
    return answers


def try_answers(notebook: NotebookNode, answers: Iterable[Answer], *, drop_asserts: bool = False) -> list[Outcome]:
    """Judge every answer by its exercise's check, each in a process forked after the cells before it.

    With `drop_asserts`, a wrong answer is judged once more by the check without the assert it failed.
    Needs os.fork (Linux, macOS). Raises UserError when a cell of the notebook itself fails.
    """
    wanted = [
        Trial(one.exercise, one.name, one.source, ANSWER_SECONDS, again=drop_asserts and not one.right)
        for one in answers
    ]
    return list(trials.run(_cells(notebook), wanted))


def try_mutants(
    notebook: NotebookNode, *, seconds: int = MUTANT_SECONDS, tell: Callable[[Outcome], object] = lambda _: None
) -> list[Outcome]:
    """Judge every mutant of the notebook's reference solutions; those that pass have survived. `tell` hears of each.

    A mutant has `seconds`, after which it is stopped, and so caught. Raises as `try_answers`.
    """
    cells = _cells(notebook)
    wanted = [
        Trial(cell.exercise, mutant.name, mutant.source, seconds)
        for cell in cells
        if cell.exercise
        for mutant in mutants(cell.source)
    ]
    found = []
    for outcome in trials.run(cells, wanted):
        tell(outcome)
        found.append(outcome)
    return found


def _cells(notebook: NotebookNode) -> list[Cell]:
    code = [(cell.source, graded(cell)) for cell in notebook.cells if cell.cell_type == "code"]
    checks = {entry["grade_id"]: source for source, entry in code if entry and entry["grade"]}
    return [
        Cell(source, entry["grade_id"], checks[f"{entry['grade_id']}-check"])
        if entry and entry["solution"]
        else Cell(source)
        for source, entry in code
    ]


def disagreement(answer: Answer, outcome: Outcome) -> str:
    """What is off between an answer and its outcome; empty when all is as it should be."""
    if answer.right and not outcome.passed:
        return f"{answer.exercise}: right answer “{answer.name}” is rejected: {outcome.message}"
    if not answer.right and outcome.passed:
        return f"{answer.exercise}: wrong answer “{answer.name}” passes"
    if not answer.right and answer.says not in outcome.message:
        return f"{answer.exercise}: “{answer.name}” should read “{answer.says}”, but reads: {outcome.message}"
    return ""
