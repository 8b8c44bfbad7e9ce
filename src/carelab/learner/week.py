"""Check a learner's copy of a week with the grader's own checks, and keep what was verified."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from nbformat import NotebookNode
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from carelab import curriculum, files
from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.judge import Judge
from carelab.grading.rebuild import answers, graded, read_notebook, rebuild
from carelab.grading.results import CheckResult
from carelab.grading.run import run_checks
from carelab.grading.sandbox.isolation import available
from carelab.grading.submission import Handed, read_handed
from carelab.grading.words import printable
from carelab.learner import progress
from carelab.paths import RELEASE, WORKSPACE

_SIGN = {"passed": "[green]✓ passed[/]", "failed": "[red]✗ not yet[/]", "not attempted": "[dim]not attempted[/]"}


def check_week(week: str | int, workspace: Path = WORKSPACE, console: Console | None = None) -> list[CheckResult]:
    """Run every check of a week, hidden ones included, on the copies in `workspace`; print and return the results.

    `week` is 1, "1", "w01", "week_01" or the folder's name. Verified results are kept in the workspace.
    Raises UserError, and leaves what was kept before as it was, when the week does not exist or a notebook cannot be read.
    """
    console = console or Console()
    found = curriculum.week(str(week))
    folder, number = found.folder, found.number
    if not (RELEASE / folder).is_dir():
        raise UserError(f"Week {week} is in preparation; there is nothing to check yet.")
    own: dict[str, Path] = {}
    course: dict[str, NotebookNode] = {}
    for released in sorted((RELEASE / folder).glob("*.ipynb")):
        notebook = read_notebook(released)
        if answers(notebook):
            course[released.stem] = notebook
            own[released.stem] = workspace / folder / released.name
            if not _same_checks(read_notebook(own[released.stem]), notebook):
                console.print(
                    f"[yellow]Your {released.stem} notebook is of another version than the checks.[/] "
                    f"`python -m carelab update {number}` takes the new one, with your answers carried over.",
                    soft_wrap=True,
                )
    with console.status(f"Running your {' and '.join(own)} …"):
        handed = {stem: read_handed(path, answers(course[stem])) for stem, path in own.items()}
        results = _grade(folder, handed)
    for name, outcome in results.items():
        _show(name, outcome, console)
    _keep(folder, results, handed, workspace)
    return [result for outcome in results.values() for result in outcome]


def _grade(folder: str, handed: dict[str, Handed]) -> dict[str, list[CheckResult]]:
    """Results by notebook: as an instructor's grader gives them, in a sandbox where this machine has one.

    Without one a learner's own code runs as the learner, as it does in JupyterLab.
    """
    assignment = Assignment.load(folder)
    if not hasattr(os, "fork"):  # Windows: no process can be copied, so the checks run in the notebook's own kernel
        return {
            stem: run_checks(rebuild(assignment.course(stem), one.answers), one.answers, assignment.stubs[stem])
            for stem, one in handed.items()
        }
    with Judge(assignment, unsafe=available() is not None) as judge, ThreadPoolExecutor(len(handed)) as threads:
        judged = {stem: threads.submit(judge.judge, stem, one) for stem, one in handed.items()}
        return {stem: list(results.result()) for stem, results in judged.items()}


def _same_checks(own: NotebookNode, released: NotebookNode) -> bool:
    """Whether a learner's copy has the exercises of this release; an edited check cell is no other version."""

    def names(notebook: NotebookNode) -> set[str]:
        return {entry["grade_id"] for cell in notebook.cells if (entry := graded(cell))}

    return names(own) >= names(released)


def _show(name: str, results: list[CheckResult], console: Console) -> None:
    table = Table(title=name.capitalize(), title_justify="left", show_lines=False, expand=True)
    table.add_column("exercise", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what the check says", ratio=1)
    for result in results:
        points = f"{result.earned:g}/{result.points:g}" if result.points and result.status != "for a person" else "–"
        table.add_row(result.name, _SIGN.get(result.status, result.status), points, escape(printable(result.message)))
    console.print(table)
    by_machine = [result for result in results if result.status != "for a person"]
    possible = sum(result.points for result in by_machine)
    passed = sum(result.status == "passed" for result in by_machine)
    if possible:
        console.print(f"{sum(r.earned for r in by_machine):g} of {possible:g} points.")
    else:
        console.print(f"{passed} of {len(by_machine)} checks passed.")


def _keep(folder: str, results: dict[str, list[CheckResult]], handed: dict[str, Handed], workspace: Path) -> None:
    """Write the verified results beside the learner's notebooks, each with the answer it is about; whole or not at all."""
    path = workspace / progress.STATE / progress.RESULTS
    with progress.locked(workspace):
        try:
            kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            if not isinstance(kept, dict):
                raise ValueError("not a JSON object")
        except (ValueError, RecursionError):
            path.replace(path.with_suffix(".unreadable"))
            kept = {}
        kept[folder] = {
            "checked_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "checks": {
                result.name: {
                    **vars(result),
                    "notebook": stem,
                    "answer": progress.digest(handed[stem].answers.get(result.name, "")),
                }
                for stem, outcome in results.items()
                for result in outcome
            },
        }
        files.write(path, json.dumps(kept, indent=1))
