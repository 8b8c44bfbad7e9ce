"""Grade everybody who handed in a week: what is due, in parallel, saved one by one, and taken up again after a stop."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from carelab import files
from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.gradebook import Book, Marked
from carelab.grading.judge import Judge, nothing_earned
from carelab.grading.submission import Handed, Submitted, fingerprint, read_handed, submissions, timestamp
from carelab.grading.trusted import Judged

READ_AHEAD = 32  # submissions in memory at once


@dataclass(frozen=True)
class Row:
    """A submission's line in the summary. `flags` are sentences, `waiting` counts written answers nobody has read yet."""

    student: str
    score: float
    possible: float
    flags: tuple[str, ...]
    waiting: int
    seconds: float
    before: bool = False  # graded by an earlier run

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to look at it."""
        return bool(self.flags) or self.waiting > 0


class Pool(Protocol):
    """Where submissions are graded."""

    def submit(self, handed: dict[str, Handed]) -> Future[tuple[dict[str, list[Judged]], float]]:
        """Grade one, some time: results by notebook, and seconds."""


class Threads:
    """Graders on this machine; each thread has a trusted process, and all share the sandboxes. Use as a context manager."""

    def __init__(self, assignment: Assignment, workers: int, unsafe: bool = False) -> None:
        self._assignment = assignment
        self._workers, self._unsafe = workers, unsafe

    def __enter__(self) -> Threads:
        self._stack = ExitStack()
        self._judge = self._stack.enter_context(Judge(self._assignment, unsafe=self._unsafe))
        self._threads = ThreadPoolExecutor(self._workers)
        self._stack.callback(self._threads.shutdown, cancel_futures=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def submit(self, handed: dict[str, Handed]) -> Future[tuple[dict[str, list[Judged]], float]]:
        """As of a pool."""
        return self._threads.submit(grade_one, self._judge, handed)


def grade_one(judge: Judge, handed: dict[str, Handed]) -> tuple[dict[str, list[Judged]], float]:
    """Results of one submission by notebook, and how many seconds that took."""
    started = time.monotonic()
    results = {stem: judge.judge(stem, handed.get(stem, Handed({}))) for stem in judge.assignment.graded}
    return results, time.monotonic() - started


class Cohort:
    """All submissions of one week in a course folder."""

    def __init__(self, book: Book, assignment: Assignment) -> None:
        self.book, self.assignment = book, assignment
        self._records = book.course / ".carelab" / "grades" / assignment.week

    def find(self, students: Collection[str] = ()) -> list[Submitted]:
        """Who handed in; with `students`, these. Raises UserError for a student who did not, or when nobody did."""
        if not self.book.submitted.is_dir():
            raise UserError(f"There is no folder {self.book.submitted}: put submissions there, as <student>/<week>/.")
        found = submissions(self.book.submitted, self.assignment.week)
        missing = sorted(set(students) - {one.student for one in found})
        if missing:
            raise UserError(f"{missing[0]} has not handed in {self.assignment.week}: there is no such folder.")
        if not found:
            raise UserError(f"Nobody has handed in {self.assignment.week} under {self.book.submitted}.")
        return [one for one in found if not students or one.student in students]

    def before(self, one: Submitted) -> Row | None:
        """The result of an earlier run, if that graded these very files by this very assignment, and all was saved."""
        try:
            record = json.loads(self._record(one).read_text(encoding="utf-8"))
            row = Row(**{**record["row"], "flags": tuple(record["row"]["flags"]), "before": True})
            graded = record["digest"], record["fingerprint"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        same = graded == (self.assignment.digest, self._fingerprint(one))
        return row if same and self.book.holds(one.student, self.assignment.week) else None

    def grade(self, due: list[Submitted], pool: Pool) -> Iterator[Row]:
        """Grade these and save each as soon as it is done, in any order. Raises UserError when the machine cannot."""
        waiting: dict[Future[Any], tuple[Submitted, str, dict[str, Handed]]] = {}
        for one in due:
            if one.flag:
                refused = self._refused(one)
                yield self._keep(one, "", refused) if _has_name(one) else _row(refused)
                continue
            # The mark is taken first: what is changed meanwhile is graded again next time.
            mark, handed = self._fingerprint(one), self._read(one)
            waiting[pool.submit(handed)] = one, mark, handed
            if len(waiting) >= READ_AHEAD:
                yield from self._done(waiting)
        while waiting:
            yield from self._done(waiting)

    def _done(self, waiting: dict[Future[Any], tuple[Submitted, str, dict[str, Handed]]]) -> Iterator[Row]:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            one, mark, handed = waiting.pop(future)
            judged, seconds = future.result()
            marked = Marked(one.student, handed, judged, timestamp(one.folder), seconds)
            yield self._keep(one, mark, marked)

    def _read(self, one: Submitted) -> dict[str, Handed]:
        stubs = self.assignment.stubs
        return {stem: read_handed(one.folder / f"{stem}.ipynb", stubs[stem]) for stem in self.assignment.graded}

    def _refused(self, one: Submitted) -> Marked:
        nothing = Handed({}, one.flag)
        judged = {stem: nothing_earned(self.assignment, stem, one.flag) for stem in self.assignment.points}
        return Marked(one.student, {stem: nothing for stem in self.assignment.graded}, judged)

    def _keep(self, one: Submitted, mark: str, marked: Marked) -> Row:
        row = _row(marked)
        self.book.save(self.assignment, marked)
        # Last: a run that is stopped before this line does the same again.
        record = {"digest": self.assignment.digest, "fingerprint": mark, "row": asdict(row)}
        files.write(self._record(one), json.dumps(record, indent=1))
        return row

    def _record(self, one: Submitted) -> Path:
        return self._records / f"{one.student}.json"

    def _fingerprint(self, one: Submitted) -> str:
        return fingerprint(one.folder, self.assignment.graded) if not one.flag else ""


def _has_name(one: Submitted) -> bool:
    """Whether there is somebody to give 0 points to: a stray file or a link among the students' folders is nobody."""
    folder = one.folder.parent
    return "?" not in one.student and folder.is_dir() and not folder.is_symlink()


def _row(marked: Marked) -> Row:
    results = [result for results in marked.judged.values() for result in results]
    flags = [handed.flag for handed in marked.handed.values()] + [result.flag for result in results]
    return Row(
        marked.student,
        sum(result.earned for result in results),
        sum(result.points for result in results),
        tuple(dict.fromkeys(flag for flag in flags if flag)),
        sum(result.status == "for a person" for result in results),
        round(marked.seconds, 3),
    )
