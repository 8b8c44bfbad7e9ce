"""Commands for instructors: grade a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from carelab.paths import COURSE

NEEDS_PERSON = 3


def register(app: typer.Typer) -> None:
    """Add `grade` to the command."""
    app.command()(grade)


def grade(
    week: Annotated[
        str, typer.Argument(help="The week, for example 1; without it every week that was handed in.")
    ] = "",
    students: Annotated[
        list[str] | None, typer.Option(help="Only these; may be given more than once, or with commas.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Submissions graded at once; 0: as many as there are cores.")] = 0,
    cluster: Annotated[str, typer.Option(help="Address of a Dask scheduler whose workers grade.")] = "",
    course: Annotated[Path, typer.Option(help="The folder with nbgrader_config.py and submitted/.")] = COURSE,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has not changed since.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run answers without isolation, if you trust everybody who wrote them.")
    ] = False,
) -> None:
    """Grade what learners handed in under course/submitted/<student>/<week>/, each answer in a sandbox.

    Scores go into nbgrader's gradebook. Exit code 0: all done; 3: done, and some need a person to look at them.
    """
    from carelab.quiet import without_grammars

    without_grammars()
    from carelab.grading.command import grade_weeks

    names = [name.strip() for part in students or [] for name in part.split(",") if name.strip()]
    needs_person = grade_weeks(week, course.resolve(), names, workers, cluster, force=force, unsafe=unsafe)
    raise typer.Exit(NEEDS_PERSON if needs_person else 0)
