"""Grade submissions to one assignment, in any number of threads: a trusted process and a sandbox for each notebook."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.course import prefix
from carelab.grading.sandbox import Sandbox
from carelab.grading.sandbox.limits import Limits
from carelab.grading.submission import Handed
from carelab.grading.trusted import CALL_SECONDS, Judged, Trusted
from carelab.grading.words import CELL_TIMEOUT_SECONDS


class Judge:
    """The grader of one assignment. Use it as a context manager; threads may share it.

    Its processes, two for each notebook with exercises, start together when the first submission comes, and serve all.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        unsafe: bool = False,
        limits: Limits | None = None,
        call_seconds: float = CALL_SECONDS,
        cell_seconds: float = CELL_TIMEOUT_SECONDS,
    ) -> None:
        """`unsafe`: answers run without isolation, as the caller. `limits`: of one submission's process."""
        self.assignment = assignment
        self._unsafe, self._limits, self._seconds = unsafe, limits, (call_seconds, cell_seconds)
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._rooms: dict[str, tuple[Future[Trusted], Future[Sandbox]]] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._stack.close()
            self._rooms = {}

    def judge(self, stem: str, handed: Handed, only: Iterable[str] | None = None) -> list[Judged]:
        """Results of one notebook's checks in its order; with `only`, of these exercises.

        Never raises for anything that a submission holds or does: the result is 0 points and a flag then.
        Raises UserError when the machine cannot grade, or the course's own cells fail.
        """
        starting_trusted, starting_sandbox = self._room(stem)
        trusted, sandbox = starting_trusted.result(), starting_sandbox.result()
        try:
            results = trusted.grade(handed.answers, self.assignment.stubs[stem], sandbox.open, only)
        except UserError:
            raise
        except Exception as error:  # a defect of ours; the others are graded all the same
            words = f"The grader itself failed here ({type(error).__name__}): grade this one by hand, and report it."
            results = [one for one in nothing_earned(self.assignment, stem, words) if only is None or one.name in only]
        return [_flagged(result, handed.flag) for result in results]

    def _room(self, stem: str) -> tuple[Future[Trusted], Future[Sandbox]]:
        """A notebook's trusted process and its sandbox, once they have started."""
        with self._lock:
            if not self._rooms:
                stems = self.assignment.graded
                # These threads live as long as what they start: a sandbox ends with the thread it was started by.
                threads = ThreadPoolExecutor(2 * len(stems), thread_name_prefix="grader")
                self._stack.callback(threads.shutdown)
                for one in stems:
                    self._rooms[one] = threads.submit(self._trusted, one), threads.submit(self._sandbox, one)
                self._stack.callback(_end, list(self._rooms.values()))
            return self._rooms[stem]

    def _trusted(self, stem: str) -> Trusted:
        return Trusted(self.assignment.course(stem), *self._seconds).__enter__()

    def _sandbox(self, stem: str) -> Sandbox:
        sources = [step.source for step in prefix(self.assignment.course(stem))]
        with warnings.catch_warnings():  # whoever asks for no isolation has been told
            warnings.simplefilter("ignore")
            sandbox = Sandbox(sources, limits=self._limits, unsafe=self._unsafe)
        if not self._unsafe:
            sandbox.open().close()  # the first one starts its process
        return sandbox


def _end(rooms: list[tuple[Future[Trusted], Future[Sandbox]]]) -> None:
    for trusted, sandbox in rooms:
        if trusted.exception() is None:
            trusted.result().__exit__()
        if sandbox.exception() is None:
            sandbox.result().close()


def nothing_earned(assignment: Assignment, stem: str, flag: str) -> list[Judged]:
    """Results of a notebook that earns nothing, for a reason that a person has to look at."""
    return [Judged(name, "failed", points, 0.0, flag, flag) for name, points in assignment.points[stem].items()]


class OneJudge:
    """The judge of the assignment that is being graded, kept for the next submission; a new assignment ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: object = None
        self._judge: Judge | None = None

    def get(self, key: object, make: Callable[[], Judge]) -> Judge:
        """The judge kept under `key`, else the one that `make` makes."""
        with self._lock:
            if self._judge is None or key != self._key:
                self._end()
                self._judge, self._key = make(), key
            return self._judge

    def close(self) -> None:
        """End its processes."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._judge is not None:
            self._judge.close()
        self._judge = None


def _flagged(result: Judged, flag: str) -> Judged:
    """The result, saying why there is no answer where the notebook could not be read."""
    if flag and result.status == "not attempted":
        return replace(result, message=result.message or flag)
    return result
