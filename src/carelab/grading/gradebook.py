"""The one writer: puts results into nbgrader's gradebook and autograded notebooks where its own commands look for them."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock
import nbformat
import sqlalchemy
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum

from carelab import files
from carelab.build.release import course_config, swap
from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.rebuild import graded
from carelab.grading.submission import Handed, usable
from carelab.grading.trusted import Judged

_CHANGED = (
    "The exercises of {week} are others than those in the gradebook, which has submissions to them already. Move "
    "gradebook.db and autograded/ away, then grade again."
)
_BUSY = "Somebody else is writing into this course's gradebook; wait until they have finished, then grade again."
READ_ONLY = 0o444  # as nbgrader leaves them


@dataclass(frozen=True)
class Marked:
    """A graded submission: what was handed in and what came of it, by notebook stem."""

    student: str
    handed: dict[str, Handed]
    judged: dict[str, list[Judged]]
    timestamp: datetime | None = None
    seconds: float = 0.0


class Book:
    """nbgrader's gradebook of a course folder, held by one process at a time. Use it as a context manager."""

    def __init__(self, course: Path) -> None:
        """`course` is the folder with nbgrader_config.py. Raises UserError when it has none."""
        if not (course / "nbgrader_config.py").is_file():
            raise UserError(f"{course} is no course folder: it has no nbgrader_config.py.")
        self.course = course
        self.config = course_config(course)
        self._directory = CourseDirectory(config=self.config)
        self._lock = filelock.FileLock(course / ".carelab" / "writer.lock")

    def __enter__(self) -> Book:
        """Raises UserError when another process holds the book."""
        # nbgrader makes a new gradebook by calling alembic by name; nobody needs to have activated the environment.
        scripts, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
        if scripts not in path.split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, path])
        (self.course / ".carelab").mkdir(exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise UserError(_BUSY) from None
        self._open = contextlib.ExitStack()
        self._open.callback(self._lock.release)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raises UserError when another program kept the gradebook locked."""
        self._open.close()
        if isinstance(error, sqlalchemy.exc.OperationalError):
            raise UserError(f"The gradebook could not be used ({error.orig}). {_BUSY}") from error

    @property
    def submitted(self) -> Path:
        """The folder with a folder for each student."""
        return self._place(self._directory.submitted_directory)

    @property
    def sources(self) -> tuple[Path, Path]:
        """Where the complete and the released notebooks are."""
        return self._place(self._directory.source_directory), self._place(self._directory.release_directory)

    def _place(self, name: str) -> Path:
        return Path(os.path.normpath(self.course / name))

    def autograded(self, student: str, week: str) -> Path:
        """The folder of a graded submission."""
        return Path(self._directory.format_path(self._directory.autograded_directory, student, week))

    def prepare(self, assignment: Assignment) -> None:
        """Make sure the gradebook knows the assignment as it is now.

        Raises UserError with nbgrader's words when that cannot be.
        """
        self._bare = {stem: assignment.course(stem) for stem in assignment.notebooks}
        self._book = self._open.enter_context(Gradebook(self._directory.db_url, self._directory.course_id))
        mark = self.course / ".carelab" / f"{assignment.week}.prepared"
        known = any(one.name == assignment.week for one in self._book.assignments)
        if known and mark.is_file() and mark.read_text(encoding="utf-8") == assignment.digest:
            return
        self._generate(assignment.week)
        self._book.db.expire_all()  # what nbgrader has written meanwhile
        files.write(mark, assignment.digest)

    def _generate(self, week: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            config = copy.deepcopy(self.config)
            config.CourseDirectory.source_directory = str(self.sources[0])
            config.CourseDirectory.release_directory = folder  # the learners' copies stay as they are
            with _quiet():
                result = NbGraderAPI(config=config).generate_assignment(week, force=True, create=True)
        if not result["success"]:
            words = str(result.get("log") or result.get("error"))
            if "Cannot add or remove cells" in words:
                raise UserError(_CHANGED.format(week=week))
            raise UserError(f"nbgrader could not take {week} into its gradebook: {words}")

    def holds(self, student: str, week: str) -> bool:
        """Whether there are results of this submission already."""
        try:
            submission = self._book.find_submission(week, student)
        except MissingEntry:
            return False
        missing = any(grade.auto_score is None and not grade.needs_manual_grade for grade in _grades(submission))
        return not missing and self.autograded(student, week).is_dir()

    def save(self, assignment: Assignment, marked: Marked) -> None:
        """Write the autograded notebooks, then all grades in one transaction; each is there whole or not at all."""
        self._write_notebooks(assignment, marked)
        with _one_transaction(self._book):
            self._grade(assignment, marked)
        self._late(assignment, marked)

    def _write_notebooks(self, assignment: Assignment, marked: Marked) -> None:
        target = self.autograded(marked.student, assignment.week)
        beside = target.with_name(f".{target.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for stem, course in self._bare.items():
            empty = Handed({})
            filled = fill_in(course, marked.handed.get(stem, empty).answers, marked.judged.get(stem, []))
            path = beside / f"{stem}.ipynb"
            path.write_text(nbformat.v4.writes(filled), encoding="utf-8", errors="replace")
            path.chmod(READ_ONLY)
        if marked.timestamp:
            (beside / "timestamp.txt").write_text(f"{marked.timestamp:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")
        swap(beside, target)

    def _grade(self, assignment: Assignment, marked: Marked) -> None:
        self._book.update_or_create_student(marked.student)
        stamp = {"timestamp": marked.timestamp} if marked.timestamp else {}
        submission = self._book.update_or_create_submission(assignment.week, marked.student, **stamp)
        by_name = {result.name: result for results in marked.judged.values() for result in results}
        for grade in _grades(submission):
            result = by_name.get(grade.cell.name.removesuffix("-check"))
            person = result is not None and result.status == "for a person"
            grade.auto_score = None if person else result.earned if result else 0.0
            grade.needs_manual_grade = person or grade.manual_score is not None
        for notebook in submission.notebooks:
            for comment in notebook.comments:
                result = by_name.get(comment.cell.name)
                comment.auto_comment = None if result and result.status != "not attempted" else "No response."

    def _late(self, assignment: Assignment, marked: Marked) -> None:
        """Whatever the course's own plug-in takes off for being late."""
        if not self._book.find_submission(assignment.week, marked.student).total_seconds_late:
            return
        for stem, notebook in self._bare.items():
            about = {"notebook": stem, "assignment": assignment.week, "student": marked.student}
            resources = {"nbgrader": about | {"db_url": self._directory.db_url}}
            with _quiet():
                AssignLatePenalties(config=self.config).preprocess(notebook, resources)


def _grades(submission: Any) -> list[Any]:
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


@contextlib.contextmanager
def _one_transaction(book: Gradebook) -> Iterator[None]:
    """All of nbgrader's own commits inside become one: nobody ever meets a submission without scores."""
    session = book.db
    commit = session.commit
    session.commit = session.flush
    try:
        with session.no_autoflush:
            yield
        commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.commit = commit


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without nbgrader's lines of log for every step."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def fill_in(course: NotebookNode, answers: Mapping[str, str], judged: list[Judged]) -> NotebookNode:
    """The complete notebook holding a learner's answers, what they printed, and each failed check's sentence."""
    notebook: NotebookNode = copy.deepcopy(course)
    results = {result.name: result for result in judged}
    for cell in notebook.cells:
        entry = graded(cell)
        if entry and entry["solution"]:
            cell.source = answers.get(entry["grade_id"], "")
            result = results.get(entry["grade_id"])
            if result and result.status == "not attempted":  # so that nbgrader sees it, too
                entry["checksum"] = compute_checksum(cell)
            if cell.cell_type == "code" and result and result.printed:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=usable(result.printed))]
        elif entry and entry["grade"]:
            show(cell, results.get(entry["grade_id"].removesuffix("-check")))
    return notebook


def show(cell: NotebookNode, result: Judged | None) -> None:
    """Put a check's result into its cell as nbgrader reads it: an error is 0 points, no error is full marks."""
    passed = result is not None and result.status == "passed"
    words = usable(result.message) if result and result.message else "Not attempted yet."
    error = nbformat.v4.new_output("error", ename="Check", evalue=words, traceback=[words])
    cell.outputs, cell.execution_count = [] if passed else [error], None
