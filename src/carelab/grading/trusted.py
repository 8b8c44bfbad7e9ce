"""Grade a submission without trusting its process: the course's checks on this side, the student's code on the other."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from unittest import mock

from nbformat import NotebookNode

from carelab.build.execute import kernel_environment
from carelab.errors import UserError
from carelab.grading.course import steps
from carelab.grading.proxies import Use
from carelab.grading.rebuild import answers, graded
from carelab.grading.run import CheckResult, _same
from carelab.grading.session import Lost, Session
from carelab.grading.walk import Job, Verdict, host
from carelab.grading.words import CELL_TIMEOUT_SECONDS

CALL_SECONDS = 30.0
START_SECONDS = 120.0
# A forked child may hang in a thread pool that its parent started: one thread each.
_ENVIRONMENT = {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Judged(CheckResult):
    """A check's result; `flag` is a sentence when something abnormal happened, which is always 0 points."""

    flag: str = ""
    printed: str = ""


class Trusted:
    """A trusted process for one notebook of the course; grades one submission after the other.

    Use it as a context manager. `open_session` gives a session whose process has run `course.prefix(course)`; it is called again
    when a session was lost, so that one endless loop does not cost the exercises after it. Sessions are closed here.

    `uses` is what the checks do with the objects of the reference solution. Without it the reference is graded first, which costs
    the time of one submission; pass on the `uses` of another process for the same notebook to save that.
    Needs os.fork (Linux, macOS).
    """

    def __init__(
        self,
        course: NotebookNode,
        call_seconds: float = CALL_SECONDS,
        cell_seconds: float = CELL_TIMEOUT_SECONDS,
        uses: dict[str, frozenset[Use]] | None = None,
    ) -> None:
        """`course` is the complete notebook, hidden tests and all; times are for one call and for one whole check."""
        self._course = course
        self._seconds = call_seconds, cell_seconds
        self._stack = ExitStack()
        self._connection: Connection | None = None
        self.uses = uses

    def __enter__(self) -> Trusted:
        """Start the process. Raises UserError when the course's own cells or checks fail, or on Windows."""
        if not hasattr(os, "fork"):
            raise UserError("Grading apart from the answers' process needs Linux or macOS; use WSL on Windows.")
        self._start()
        if self.uses is None:
            try:
                self.uses = self._learn()
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._stack.close()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        mine, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=host, args=(theirs, steps(self._course), folder), daemon=True)
        with kernel_environment(), mock.patch.dict(os.environ, _ENVIRONMENT):
            process.start()
        theirs.close()
        self._stack.callback(process.join, 10)
        self._stack.callback(mine.close)  # the process ends when nobody is left to ask
        self._connection = mine
        try:
            sentence = mine.recv()[1] if mine.poll(START_SECONDS) else "The course's own cells took too long."
        except EOFError:
            sentence = "The process for the course's own cells ended at once."
        if sentence:
            process.terminate()
            self._stack.close()
            raise UserError(sentence)

    def _learn(self) -> dict[str, frozenset[Use]]:
        """What each check does with the objects of the reference solution. Raises UserError when a check fails with it."""

        def none() -> Session:
            raise Lost("The reference needs no session from elsewhere.")

        job = Job(answers(self._course), None, None, *self._seconds, reference=True)
        verdicts = self._ask(job, none)
        uses = {}
        for step in steps(self._course):
            if step.kind == "check":
                verdict = verdicts.get(f"{step.name}-check", Verdict("The check did not run."))
                if verdict.message:
                    raise UserError(
                        f"The reference solution itself fails {step.name}, run apart from it: {verdict.message}"
                    )
                uses[step.name] = verdict.used
            elif step.kind == "provided":
                uses[step.name] = verdicts.get(step.name, Verdict()).used
        return uses

    def grade(
        self,
        submitted: dict[str, str],
        stubs: dict[str, str],
        open_session: Callable[[], Session],
        only: Iterable[str] | None = None,
    ) -> list[Judged]:
        """Results of the notebook's checks, in its order; with `only`, of these exercises.

        `submitted` and `stubs` are sources by exercise (see `rebuild.answers`). Raises whatever `open_session` raises, Lost
        excepted.
        """
        chosen = None if only is None else frozenset(only)
        verdicts = self._ask(Job(submitted, chosen, self.uses, *self._seconds), open_session)
        results = []
        for cell in self._course.cells:
            entry = graded(cell)
            if not entry or not entry["grade"]:
                continue
            name = entry["grade_id"].removesuffix("-check")
            if chosen is None or name in chosen:
                source = submitted.get(name, "")
                if _same(source, stubs.get(name, "")) or not source.strip():
                    results.append(Judged(name, "not attempted", float(entry["points"]), 0.0))
                elif entry["solution"]:
                    words = "Graded by a person with the rubric."
                    results.append(Judged(name, "for a person", float(entry["points"]), 0.0, words))
                else:
                    results.append(_judged(name, float(entry["points"]), verdicts))
        return results

    def _ask(self, job: Job, open_session: Callable[[], Session]) -> dict[str, Verdict]:
        """Put a job to the process and serve its requests. An empty answer when it died: no check has passed then."""
        connection = self._connection
        assert connection is not None, "use it as a context manager"
        verdicts: dict[str, Verdict] = {}
        session: Session | None = None
        failure: Exception | None = None
        try:
            connection.send(job)
            while (message := connection.recv())[0] != "end":
                if message[0] == "done":
                    verdicts = message[1]
                    continue
                what, number, frame, seconds = message
                fine = False
                reply: bytes | str = "The answer's process could not be started."
                try:
                    if what == "open" and failure is None:
                        if session is not None:
                            session.close()
                        session = None
                        session = open_session()
                        fine, reply = True, b""
                    elif what == "exchange" and session is not None:
                        fine, reply = True, session.exchange(frame, seconds)
                except Lost as error:
                    reply = str(error)
                except Exception as error:
                    failure = error
                connection.send((number, fine, reply))
        except (EOFError, OSError):
            self._start()
        finally:
            if session is not None:
                session.close()
        if failure is not None:
            raise failure
        return verdicts


def _judged(name: str, points: float, verdicts: dict[str, Verdict]) -> Judged:
    dead = "The check did not run: the process it should have run in ended."
    verdict = verdicts.get(f"{name}-check", Verdict(dead, dead))
    own = verdicts.get(name, Verdict())
    if not verdict.message:
        return Judged(name, "passed", points, points)
    # What stopped the learner's own cell comes first.
    return Judged(name, "failed", points, 0.0, own.message or verdict.message, own.flag or verdict.flag)
