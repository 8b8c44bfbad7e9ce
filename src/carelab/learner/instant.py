"""`check("w01-label")` in any cell: the visible check of an exercise, at once and in words.

What is run is the check as it was released, on a copy of the notebook's names: an edited check cell changes nothing, and
nothing of the check stays behind. Hidden cases and points belong to `carelab check`; nothing is kept here.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, Literal

from carelab.errors import UserError
from carelab.grading.words import explain, printable
from carelab.learner.hints import all_tasks, find
from carelab.learner.released import Exercise, released

SLOW_SECONDS = 5.0  # then a learner is told how to stop a loop that never ends
MOST_PRINTED = 2_000  # characters of what the learner's code prints
MOST_WORDS = 1_000

Status = Literal["passed", "not yet", "not attempted", "not run", "cells missing", "for a person", "stopped"]
Names = dict[str, Any]

_PLACEHOLDER = "raise NotImplementedError"
_NOT_ATTEMPTED = (
    f"Not attempted yet: replace the line {_PLACEHOLDER}(...) by your own lines, run the cell, and ask again."
)
_BROKEN_CELL = "Not yet: the cell with your answer stopped with an error when it was run last. Mend what it says, and run it again."
_STOPPED = "Stopped. If it would have gone on for ever, look for a loop that never ends."
_SLOW = "Still running. The black square in the toolbar stops it; then look for a loop that never ends."
_FURTHER = (
    "“Check my work” in the toolbar (or `python -m carelab check {week}`) tries hidden cases too, and keeps the result."
)
_FOR_A_PERSON = "A person reads this one: compare your text with the table of points above it."
_AGAIN = "A check is running already; take the call of check() out of your answer."


@dataclass(frozen=True)
class Outcome:
    """What a check came to: all that a learner reads of it in `words`, and what the learner's own code printed."""

    status: Status
    words: str
    printed: str = ""


def check(exercise: str = "") -> None:
    """Run the visible check of `exercise`, for example `check("w01-call-threshold")`, and print what came of it.

    In the cell of an exercise the name can be left out. Never a traceback: passed, not yet and why, not attempted, or what has
    to be run first.
    """
    name = find(exercise, "check")
    if not name:
        return
    try:
        found = outcome(name, _names_of(sys._getframe(1)))
    except UserError as error:
        print(error)
        return
    except Exception as error:  # a defect of ours
        print(f"check() itself failed here ({type(error).__name__}): run the check's own cell, below the exercise.")
        return
    print(found.words)
    if found.printed:
        print(f"\nYour code printed:\n{found.printed}")


_running = threading.Lock()


def outcome(name: str, names: Names) -> Outcome:
    """What the visible check of the task `name` says of the answer in `names`, which stay as they are.

    Raises UserError when the course's own notebook cannot be read.
    """
    if all_tasks()[name].get("kind") == "written":
        return Outcome("for a person", _FOR_A_PERSON)
    if not _running.acquire(blocking=False):
        return Outcome("stopped", _AGAIN)
    try:
        exercise = released(name)
        return _missing(exercise, names) or _run(exercise, names)
    except KeyboardInterrupt:
        return Outcome("stopped", _STOPPED)
    finally:
        _running.release()


def _shell() -> Any:
    """The notebook's shell; None in plain Python."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


def _names_of(caller: FrameType) -> Names:
    """The names that the caller sees; the notebook's own when a library calls on its behalf."""
    shell = _shell()
    if shell is not None and caller.f_globals.get("__name__") != "__main__":
        found: Names = shell.user_ns
        return found
    return caller.f_globals


# ---------------------------------------------------------------- before it is run


def _missing(exercise: Exercise, names: Names) -> Outcome | None:
    """What has to be run first; None when everything that the check reads is there."""
    provided = sorted((exercise.needed & exercise.provided) - names.keys())
    if provided:
        return _cells_missing(exercise, provided[0])
    for name in sorted(exercise.needed & exercise.others.keys() - exercise.own - names.keys()):
        return Outcome("not run", f"Run the cell of {exercise.others[name]} first: this check uses its {name}.")
    last = _ran_last(exercise, names)
    if last and not _is_python(last):  # what the names hold is from an earlier run of the cell
        return Outcome("not yet", _BROKEN_CELL)
    if not exercise.own - names.keys():
        return None
    if not last:
        wanted = sorted(exercise.own - names.keys())[0]
        return Outcome("not run", f"Run this exercise's cell first: there is no {wanted} yet.")
    return Outcome("not attempted", _NOT_ATTEMPTED) if _PLACEHOLDER in last else Outcome("not yet", _BROKEN_CELL)


def _cells_missing(exercise: Exercise, name: str) -> Outcome:
    return Outcome(
        "cells missing",
        f"Run the cells above first: {name} is not there. (After a restart the {exercise.notebook} notebook begins with "
        "nothing; Run, Run All Above Selected Cell brings it back.)",
    )


def _ran_last(exercise: Exercise, names: Names) -> str:
    """The exercise's cell as it was run last, as far as the notebook remembers; empty when it was not."""
    history = names.get("In")
    pattern = "|".join(rf"def {name}\b|^{name}\s*[:=]" for name in map(re.escape, sorted(exercise.own)))
    for source in reversed(history if isinstance(history, list) else []):
        if isinstance(source, str) and (source.split() == exercise.stub.split() or re.search(pattern, source, re.M)):
            return source
    return ""


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


# ---------------------------------------------------------------- running it


class _Paper(io.TextIOBase):
    """Keeps the beginning of what is written to it, and counts the rest."""

    def __init__(self) -> None:
        self.kept, self.left_out = "", 0

    def write(self, text: str) -> int:
        room = MOST_PRINTED - len(self.kept)
        self.kept += text[:room]
        self.left_out += max(len(text) - room, 0)
        return len(text)

    def text(self) -> str:
        """What to show of it."""
        more = f"\n[… and {self.left_out:,} more characters]" if self.left_out else ""
        return printable(self.kept.rstrip()) + more


def _run(exercise: Exercise, names: Names) -> Outcome:
    """Run the check on a copy of the names, and say what came of it. Raises KeyboardInterrupt only."""
    said, out, err = _Paper(), _Paper(), _Paper()
    space = _space(exercise, names, said)
    failure: BaseException | None = None
    with _told_when_slow(), _without_new_figures(), _exit_is_an_error():
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                warnings.catch_warnings(record=True) as caught,
            ):
                exec(compile(exercise.check, f"<{exercise.name}-check>", "exec"), space)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: an answer ends itself, not the notebook
            failure = error
    if failure is not None:
        status, words = _explained(exercise, names, failure)
        return Outcome(status, words, out.text())
    warned = [f"{warning.category.__name__}: {warning.message}" for warning in caught] or err.text().splitlines()
    if warned:
        words = f"The check wrote a warning, which nbgrader counts as a failure: {_short(warned[0])}"
        return Outcome("not yet", f"Not yet: {words}", out.text())
    words = said.text().removeprefix("Passed.").strip()
    further = _FURTHER.format(week=int(exercise.week[5:7]))
    return Outcome("passed", f"Passed. {words}".rstrip() + f"\n{further}", out.text())


def _space(exercise: Exercise, names: Names, said: _Paper) -> Names:
    """A copy of the notebook's names for the check to run in: what it prints goes to `said`."""
    space = dict(names)
    for name in vars(builtins):  # a learner's variable called `list` is no part of the check
        if not name.startswith("_") and name not in exercise.provided | exercise.own:
            space.pop(name, None)
    space["print"] = partial(print, file=said)
    return space


def _explained(exercise: Exercise, names: Names, error: BaseException) -> tuple[Status, str]:
    """What stopped a check, as a learner should read it."""
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [(frame, line) for frame, line in frames if frame.f_globals is names]  # not the check's, not a library's
    if isinstance(error, NotImplementedError) and own and frames[-1][0] is own[-1][0]:
        return _placeholder(exercise, names, own[-1][0].f_code.co_name)
    if isinstance(error, NameError) and error.name in exercise.provided and error.name not in names:
        return "cells missing", _cells_missing(exercise, str(error.name)).words
    try:
        text = str(error)
    except Exception:  # an answer's own kind of error can fail at anything
        text = ""
    if isinstance(error, SystemExit):
        words = "Your code calls exit(), which would end the notebook's Python. A function ends with `return`."
    elif isinstance(error, NotImplementedError):  # a library's
        words = f"Your code stopped with NotImplementedError: {text}"
    else:
        words = explain(type(error).__name__, text)
        if not own and frames[-1][0].f_globals is not names:
            words = words.replace("Your code stopped with", "The check cannot work with what your code gave it,", 1)
    if own and not isinstance(error, AssertionError):
        frame, number = own[-1]
        line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        if line:
            words = f"{words.rstrip('.')}. It happened in the line `{line}`."
    return "not yet", f"Not yet: {_short(words)}"


def _placeholder(exercise: Exercise, names: Names, function: str) -> tuple[Status, str]:
    """An answer that is not written yet: this one, or another that it uses."""
    other = exercise.others.get(function)
    if other and function not in exercise.own:
        return "not yet", f"Not yet: your code uses {function}, and {other} still holds its placeholder line."
    last = _ran_last(exercise, names)
    if last and _PLACEHOLDER not in last:  # what is checked is the stub, run before; the new cell did not get through
        return "not yet", _BROKEN_CELL
    return "not attempted", _NOT_ATTEMPTED


def _short(text: str) -> str:
    words = printable(text).strip()
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]} …"


@contextlib.contextmanager
def _told_when_slow() -> Iterator[None]:
    """Say how to stop it when it takes long."""
    timer = threading.Timer(SLOW_SECONDS, partial(print, _SLOW, file=sys.stdout, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _without_new_figures() -> Iterator[None]:
    """Close what was drawn and not shown: the notebook would show it under this cell, and again under the check's."""
    before = _figures()
    try:
        yield
    finally:
        for number in _figures() - before:
            sys.modules["matplotlib.pyplot"].close(number)


def _figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()


@contextlib.contextmanager
def _exit_is_an_error() -> Iterator[None]:
    """In a notebook `exit()` would take the kernel with it."""
    shell = _shell()
    if shell is None:
        yield
        return

    def refuse() -> None:
        raise SystemExit

    shell.ask_exit = refuse
    try:
        yield
    finally:
        del shell.ask_exit
