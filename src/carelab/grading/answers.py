"""Try many answers on one notebook: run what stands before an exercise once, then fork for each answer.

A catalogue is a percent-format file beside the tests:

    # %% exercise="w01-label" right="another way to write it"
    # %% exercise="w01-label" wrong="counts cancellations as missed" says="cancelled"

`says` is a part of the message that a wrong answer must meet: the one that helps with that mistake.
"""

import ast
import json
import os
import signal
import tempfile
import traceback
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from carelab.errors import UserError
from carelab.grading.rebuild import graded
from carelab.grading.run import explain

ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """One catalogued answer: the exercise, a name for it, its code, whether it is right, and what a wrong one must meet."""

    exercise: str
    name: str
    source: str
    right: bool
    says: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one answer met. `variant` is 0 for the check as written, n for it without its n-th assert."""

    exercise: str
    name: str
    variant: int
    passed: bool
    message: str


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


def _assert_lines(check: str) -> list[tuple[int, int]]:
    """First and last line of each assert, in the order of the text."""
    nodes = [node for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Assert)]
    return sorted((node.lineno, node.end_lineno or node.lineno) for node in nodes)


def asserts(check: str) -> int:
    """How many assert statements a check holds."""
    return len(_assert_lines(check))


def without_assert(check: str, number: int) -> str:
    """The check with its `number`-th assert (from 1) replaced by `pass`."""

    class Drop(ast.NodeTransformer):
        def visit_Assert(self, node: ast.Assert) -> ast.stmt:
            return ast.copy_location(ast.Pass(), node) if node.lineno == line else node

    line = _assert_lines(check)[number - 1][0]

    return ast.unparse(Drop().visit(ast.parse(check)))


def try_answers(notebook: NotebookNode, answers: Iterable[Answer], *, drop_asserts: bool = False) -> list[Outcome]:
    """Judge every answer by its exercise's check, each in a process forked after the cells before it.

    With `drop_asserts`, a wrong answer is judged once more by the check without the assert it failed.
    Needs os.fork (Linux, macOS). Raises UserError when a cell of the notebook itself fails.
    """
    if not hasattr(os, "fork"):
        raise UserError("Trying the catalogue of answers needs Linux or macOS; use WSL on Windows.")
    cells = [(cell.source, graded(cell)) for cell in notebook.cells if cell.cell_type == "code"]
    # A process and a folder of its own: IPython, thread settings and what a cell writes must not leak into the caller.
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_settle, initargs=(folder,)) as pool,
    ):
        return pool.submit(_walk, cells, list(answers), drop_asserts).result()


def _settle(folder: str) -> None:
    os.chdir(folder)
    # A forked child may hang in a thread pool that its parent started: one thread each.
    os.environ.update({"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})


def _walk(
    cells: list[tuple[str, dict[str, object] | None]], answers: list[Answer], drop_asserts: bool
) -> list[Outcome]:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.showtraceback = lambda *_, **__: None  # type: ignore[method-assign]  # nobody reads it, and it takes longer than most answers
    checks = {str(e["grade_id"]): source for source, e in cells if e and e["grade"]}
    outcomes = []
    for source, entry in cells:
        if entry and entry["solution"]:
            check = checks[f"{entry['grade_id']}-check"]
            for answer in (a for a in answers if a.exercise == entry["grade_id"]):
                outcome, line = _fork(shell, answer, check)
                outcomes.append(outcome)
                # Only the assert that stopped an answer can change what that answer meets.
                stopped = [n for n, (first, last) in enumerate(_assert_lines(check), 1) if first <= line <= last]
                if drop_asserts and not answer.right and stopped:
                    again, _ = _fork(shell, answer, without_assert(check, stopped[0]), stopped[0])
                    outcomes.append(again)
        passed, message, _ = _run(shell, source)
        if not passed:
            raise UserError(f"The reference solution itself fails: {message}")
    return outcomes


def _run(shell: object, *sources: str) -> tuple[bool, str, int]:
    """Run the sources; whether the last one passed, its message, and the line of the last source that stopped it."""
    from IPython.utils.capture import capture_output

    message, line = "", 0
    for source in sources:
        with capture_output() as captured:
            result = shell.run_cell(source, store_history=False)  # type: ignore[attr-defined]
        error = result.error_before_exec or result.error_in_exec
        message, line = "", 0
        if error is not None:
            message = explain(type(error).__name__, str(error))
            frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.name == "<module>"]
            line = (frames[-1] if frames else None) or 0
        elif captured.stderr:
            message = f"The check wrote a warning: {captured.stderr}"
    return not message, message, line


def _fork(shell: object, answer: Answer, check: str, variant: int = 0) -> tuple[Outcome, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(ANSWER_SECONDS)  # ends the child by itself
        try:
            result = json.dumps(_run(shell, answer.source, check)).encode()
        except BaseException as error:
            result = json.dumps((False, f"{type(error).__name__}: {error}", 0)).encode()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(result)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    passed, message, line = json.loads(data) if data else (False, "The answer ended its process.", 0)
    return Outcome(answer.exercise, answer.name, variant, passed, message), line
