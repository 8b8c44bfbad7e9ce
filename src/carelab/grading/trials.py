"""Run a notebook's cells once, and try answers in forks of the process that stands before their exercise.

Imports next to nothing: the process is started afresh, and waits for all that this module imports.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import json
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal

from carelab.errors import UserError
from carelab.grading.cells import Cells
from carelab.grading.words import explain

AT_ONCE = 2  # trials beside each other
MEMORY = 2 << 30  # bytes that one trial may take on top of what the cells before it hold

Ending = Literal["passed", "judged", "crashed", "stopped"]


@dataclass(frozen=True)
class Cell:
    """A code cell of the course's own notebook; `exercise` and `check` are set where an answer stands."""

    source: str
    exercise: str = ""
    check: str = ""


@dataclass(frozen=True)
class Trial:
    """One answer to try. With `again`, an answer that an assert stopped meets the check without that assert as well."""

    exercise: str
    name: str
    source: str
    seconds: int
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """What one answer met: passed, judged by an assert of the check, crashed without one, or stopped by the clock.

    `variant` is 0 for the check as written, n for it without its n-th assert.
    """

    exercise: str
    name: str
    variant: int
    ended: Ending
    message: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether it keeps its points."""
        return self.ended == "passed"


def asserts(check: str) -> list[tuple[int, int]]:
    """First and last line of each assert of a check, in the order of the text."""
    nodes = [node for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Assert)]
    return sorted((node.lineno, node.end_lineno or node.lineno) for node in nodes)


def without_assert(check: str, number: int) -> str:
    """The check with its `number`-th assert (from 1) replaced by `pass`."""

    class Drop(ast.NodeTransformer):
        def visit_Assert(self, node: ast.Assert) -> ast.stmt:
            return ast.copy_location(ast.Pass(), node) if node.lineno == line else node

    line = asserts(check)[number - 1][0]
    return ast.unparse(Drop().visit(ast.parse(check)))


def run(cells: list[Cell], trials: list[Trial]) -> Iterator[Outcome]:
    """Outcomes of the trials, exercise by exercise, as they come.

    Needs os.fork (Linux, macOS). Raises UserError when a cell of the notebook itself fails.
    """
    if not hasattr(os, "fork"):
        raise UserError("Trying answers needs Linux or macOS; use WSL on Windows.")
    context = get_context("spawn")
    # A process and a folder of its own: thread settings and what a cell writes must not leak into the caller.
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = context.Pipe(duplex=False)
        walker = context.Process(target=_walk, args=(theirs, Path(folder), cells, trials))
        walker.start()
        theirs.close()
        try:
            while (said := _received(ours)) is not None:
                if isinstance(said, str):
                    raise UserError(said)
                yield said
        finally:
            walker.terminate()
            walker.join()


def _received(pipe: Connection) -> Outcome | str | None:
    """The next outcome, a sentence that says why there are no more, or None at the end."""
    try:
        said: Outcome | str | None = pipe.recv()
    except EOFError:
        return "A cell of the notebook ended its process: look for exit() and the like."
    return said


def _walk(pipe: Connection, folder: Path, cells: list[Cell], trials: list[Trial]) -> None:
    os.chdir(folder)
    # A forked child may hang in a thread pool that its parent started: one thread each.
    os.environ.update({"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    notebook = Cells(main=True)
    for cell in cells:
        if cell.exercise:
            gc.freeze()  # a fork that collects garbage copies all that this process holds
            for outcome in _tried(notebook, cell, [one for one in trials if one.exercise == cell.exercise]):
                pipe.send(outcome)
        error, _ = _ran(notebook, cell.source, "<notebook>")
        if error is not None:
            pipe.send(f"The reference solution itself fails: {_explained(error)}")
            return
    pipe.send(None)


def _tried(notebook: Cells, cell: Cell, trials: Iterable[Trial]) -> Iterator[Outcome]:
    again = []
    for trial, outcome, line in _forked(notebook, [(trial, cell.check, 0) for trial in trials]):
        yield outcome
        # Only the assert that stopped an answer can change what that answer meets.
        stopped = [n for n, (first, last) in enumerate(asserts(cell.check), 1) if first <= line <= last]
        if trial.again and stopped:
            again.append((trial, without_assert(cell.check, stopped[0]), stopped[0]))
    for _, outcome, _ in _forked(notebook, again):
        yield outcome


def _forked(notebook: Cells, jobs: list[tuple[Trial, str, int]]) -> Iterator[tuple[Trial, Outcome, int]]:
    """Each trial's outcome and the line of the check that stopped it, each in a fork of this process, in the given order."""
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, tuple[int, Trial, int, int, float]] = {}
    done: dict[int, tuple[Trial, Outcome, int]] = {}
    for place in range(len(jobs)):
        while place not in done:
            while waiting and len(running) < AT_ONCE:
                at, (trial, check, variant) = waiting.pop()
                reader, child = _fork(notebook, trial, check)
                running[reader] = (at, trial, variant, child, time.monotonic())
            for ready in wait(list(running)):
                assert isinstance(ready, int)
                at, trial, variant, child, began = running.pop(ready)
                ended, message, line = _collected(ready, child, trial.seconds)
                seconds = time.monotonic() - began
                done[at] = trial, Outcome(trial.exercise, trial.name, variant, ended, message, seconds), line
        yield done.pop(place)


def _fork(notebook: Cells, trial: Trial, check: str) -> tuple[int, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    try:
        _limit(trial.seconds)
        result = _judged(notebook, trial.source, check)
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            json.dump(result, pipe)
    finally:
        os._exit(0)


def _limit(seconds: int) -> None:
    """Let this process end itself when its time is up, and refuse it more memory than a trial may take."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    import resource  # not there on Windows, where nothing forks

    with contextlib.suppress(OSError, ValueError):  # macOS knows neither the file nor the limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _collected(reader: int, child: int, seconds: int) -> tuple[Ending, str, int]:
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == -signal.SIGALRM:
        return "stopped", f"The answer took longer than {seconds} s: look for a loop that never ends.", 0
    try:
        ended, message, line = json.loads(text)
    except ValueError:
        return "crashed", "The answer ended its process.", 0
    return ended, message, line


def _judged(notebook: Cells, answer: str, check: str) -> tuple[Ending, str, int]:
    """How an answer fares with a check, in words, and the line of the check that stopped it.

    The check decides, as in a notebook that goes on after an error; what stopped the answer's own cell comes first in words.
    """
    stop, _ = _ran(notebook, answer, "<answer>")
    failure, warning = _ran(notebook, check, "<check>")
    if failure is None:
        return ("crashed", f"The check wrote a warning: {warning}", 0) if warning else ("passed", "", 0)
    lines = [frame.lineno for frame in traceback.extract_tb(failure.__traceback__) if frame.filename == "<check>"]
    line = (lines[-1] if lines else 0) or 0
    told = stop or failure
    return "judged" if isinstance(told, AssertionError) else "crashed", _explained(told), line


def _ran(notebook: Cells, source: str, file: str) -> tuple[BaseException | None, str]:
    """What stopped a cell, and what it wrote to stderr."""
    err = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            notebook.run(source, file.strip("<>"))
    except BaseException as error:  # exit() in an answer ends the answer
        return error, err.getvalue()
    return None, err.getvalue()


def _explained(error: BaseException) -> str:
    return explain(type(error).__name__, str(error))
