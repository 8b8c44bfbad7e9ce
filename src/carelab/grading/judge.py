"""Grade one notebook after the other, in any number of threads: a sandbox a notebook, a trusted process a thread at work."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace

from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.course import prefix
from carelab.grading.proxies import Use
from carelab.grading.sandbox import Sandbox
from carelab.grading.sandbox.limits import Limits
from carelab.grading.submission import Handed
from carelab.grading.trusted import CALL_SECONDS, Judged, Trusted
from carelab.grading.words import CELL_TIMEOUT_SECONDS


class Judge:
    """The grader of one assignment. Use it as a context manager; threads may share it.

    Processes are started when they are first needed, and serve every submission after that.
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
        self._rooms = {
            stem: _Room(assignment, stem, unsafe, limits, (call_seconds, cell_seconds)) for stem in assignment.graded
        }

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        for room in self._rooms.values():
            room.close()

    def judge(self, stem: str, handed: Handed, only: Iterable[str] | None = None) -> list[Judged]:
        """Results of one notebook's checks in its order; with `only`, of these exercises.

        Never raises for anything that a submission holds or does: the result is 0 points and a flag then.
        Raises UserError when the machine cannot grade, or the course's own cells fail.
        """
        room = self._rooms[stem]
        try:
            with room.trusted() as trusted:
                results = trusted.grade(handed.answers, self.assignment.stubs[stem], room.sandbox().open, only)
        except UserError:
            raise
        except Exception as error:  # a defect of ours; the others are graded all the same
            words = f"The grader itself failed here ({type(error).__name__}): grade this one by hand, and report it."
            chosen = self.assignment.points[stem]
            results = [
                Judged(name, "failed", points, 0.0, words, words)
                for name, points in chosen.items()
                if only is None or name in only
            ]
        return [_flagged(result, handed.flag) for result in results]


def _flagged(result: Judged, flag: str) -> Judged:
    """The result, saying why there is no answer where the notebook could not be read."""
    if flag and result.status == "not attempted":
        return replace(result, message=result.message or flag)
    return result


class _Room:
    """One notebook's sandbox and the trusted processes that are free."""

    def __init__(
        self, assignment: Assignment, stem: str, unsafe: bool, limits: Limits | None, seconds: tuple[float, float]
    ) -> None:
        self._course = assignment.course(stem)
        self._unsafe, self._limits, self._seconds = unsafe, limits, seconds
        self._lock = threading.Lock()
        self._learning = threading.Lock()
        self._free: list[Trusted] = []
        self._all: list[Trusted] = []
        self._sandbox: Sandbox | None = None
        self._uses: dict[str, frozenset[Use]] | None = None

    def sandbox(self) -> Sandbox:
        """Shared by all threads. Raises UserError when this machine cannot isolate."""
        with self._lock:
            if self._sandbox is None:
                with warnings.catch_warnings():  # the command has said so in its own words
                    warnings.simplefilter("ignore")
                    sources = [step.source for step in prefix(self._course)]
                    self._sandbox = Sandbox(sources, limits=self._limits, unsafe=self._unsafe)
            return self._sandbox

    @contextlib.contextmanager
    def trusted(self) -> Iterator[Trusted]:
        """A trusted process that nobody else uses meanwhile. Raises UserError when it cannot be started."""
        with self._lock:
            found = self._free.pop() if self._free else None
        if found is None:
            found = self._start()
        yield found  # after an exception it is not used again
        with self._lock:
            self._free.append(found)

    def _start(self) -> Trusted:
        with self._learning:  # the first finds out what the checks use; the others are told
            if self._uses is None:
                started = Trusted(self._course, *self._seconds).__enter__()
                self._uses = started.uses
                self._all.append(started)
                return started
        started = Trusted(self._course, *self._seconds, uses=self._uses).__enter__()
        self._all.append(started)
        return started

    def close(self) -> None:
        with self._lock:
            for trusted in self._all:
                trusted.__exit__()
            self._all, self._free = [], []
            if self._sandbox is not None:
                self._sandbox.close()
                self._sandbox = None
