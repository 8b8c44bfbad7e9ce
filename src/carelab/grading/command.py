"""What `carelab grade` does, and what it shows: progress while it runs, a table at the end."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from carelab import curriculum
from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.cluster import Cluster
from carelab.grading.cohort import Cohort, Row, Threads
from carelab.grading.gradebook import Book
from carelab.grading.sandbox.isolation import available
from carelab.grading.sandbox.provisioner import UNSAFE
from carelab.grading.words import printable

_WITHOUT_WALLS = (
    "[yellow]Without isolation: a submission can read and change whatever you can, your gradebook included.[/]"
)


def grade_weeks(
    week: str,
    course: Path,
    students: Collection[str] = (),
    workers: int = 0,
    cluster: str = "",
    *,
    force: bool = False,
    unsafe: bool = False,
    console: Console | None = None,
) -> bool:
    """Grade one week, or with an empty `week` every week that somebody handed in; whether anything needs a person.

    Raises UserError when the course folder, the week or a student is not there, or the machine cannot grade safely.
    """
    console = console or Console()
    unsafe = unsafe or os.environ.get(UNSAFE) == "1"
    if unsafe:
        console.print(_WITHOUT_WALLS, soft_wrap=True)
    elif not cluster and (reason := available()):
        raise UserError(f"{reason} `carelab grade --unsafe` grades without.")
    with Book(course) as book:
        folders = [curriculum.week(week).folder] if week else _handed_in(book)
        rows = []
        for folder in folders:
            rows += _grade(
                Cohort(book, Assignment.load(folder, *book.sources)), students, workers, cluster, force, unsafe, console
            )
    return any(row.needs_person for row in rows)


def _handed_in(book: Book) -> list[str]:
    """Weeks of which there is at least one submission. Raises UserError when there is none."""
    found = [one.folder for one in curriculum.load().weeks if any(book.submitted.glob(f"*/{one.folder}"))]
    if not found:
        raise UserError(f"Nobody has handed in anything under {book.submitted}: it has no <student>/<week>/ folders.")
    return found


def _grade(
    cohort: Cohort, students: Collection[str], workers: int, cluster: str, force: bool, unsafe: bool, console: Console
) -> list[Row]:
    found = cohort.find(students)
    cohort.book.prepare(cohort.assignment)
    rows = {} if force else {one.student: row for one in found if (row := cohort.before(one))}
    due = [one for one in found if one.student not in rows]
    if due:
        assignment = cohort.assignment
        pool = Cluster(assignment, cluster) if cluster else Threads(assignment, workers or os.cpu_count() or 1, unsafe)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with pool, Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task(f"Grading {assignment.week}", total=len(due))
            for row in cohort.grade(due, pool):
                rows[row.student] = row
                progress.advance(task)
    ordered = [rows[one.student] for one in found]
    _show(cohort.assignment.week, ordered, console)
    return ordered


def _show(week: str, rows: list[Row], console: Console) -> None:
    table = Table(title=week, title_justify="left")
    for name, justify in (("student", "left"), ("score", "right"), ("seconds", "right"), ("what to look at", "left")):
        table.add_column(name, justify=justify, no_wrap=name != "what to look at", ratio=None)  # type: ignore[arg-type]
    for row in rows:
        written = [f"{row.waiting} written answer{'s' * (row.waiting > 1)} to read"] if row.waiting else []
        seconds = "before" if row.before else f"{row.seconds:.1f}"
        words = "; ".join([*(f"[yellow]{escape(printable(flag))}[/]" for flag in row.flags), *written])
        table.add_row(escape(row.student), f"{row.score:g}/{row.possible:g}", seconds, words)
    console.print(table)
    flagged, waiting = sum(bool(row.flags) for row in rows), sum(row.waiting > 0 for row in rows)
    new = sum(not row.before for row in rows)
    console.print(
        f"{len(rows)} submissions, {new} graded now; {flagged} flagged, {waiting} with written answers to read "
        "(in JupyterLab: Nbgrader, Formgrader). `nbgrader export` writes the scores as CSV, `nbgrader generate_feedback` pages for learners.",
        soft_wrap=True,
    )
