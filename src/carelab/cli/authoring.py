"""Commands for authors: build the notebooks, bring an edit back, try answers on the checks."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add `build`, `sync` and `answers` to the command."""
    app.command()(build)
    app.command()(sync)
    app.command()(answers)


def build(
    weeks: Annotated[
        list[str] | None, typer.Argument(help="Weeks to build, for example 1; all when none is named.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Build nothing; fail when what is committed is out of date.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run every notebook again, changed or not.")] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Notebooks to run at the same time; all cores when not given.")
    ] = None,
) -> None:
    """Turn the text in course/ into solutions/ and weeks_01-12/; only what changed is run."""
    from rich.console import Console

    from carelab import curriculum
    from carelab.build import pipeline
    from carelab.errors import UserError

    console = Console(stderr=True)
    if check:
        report = pipeline.check()
        if report.problems:
            lines = "\n".join(f"  {problem}" for problem in report.problems)
            raise UserError(f"The notebooks are out of step with their text:\n{lines}\nMend it with: {pipeline.MEND}")
        console.print("Notebooks, landing page and README agree with their sources.")
        return
    report = pipeline.build(
        [curriculum.week(week).folder for week in weeks or []], force=force, jobs=jobs, console=console
    )
    for warning in report.warnings:
        console.print(f"[yellow]warning[/] {warning}")
    console.print(f"{len(report.built)} built, the rest was up to date.")


def sync(
    notebook: Annotated[Path, typer.Argument(help="An edited notebook under solutions/.")],
) -> None:
    """Bring an edit made in JupyterLab back to the authors' text in course/."""
    from rich.console import Console

    from carelab.build import back, pipeline

    target = back.sync(notebook)
    Console(stderr=True).print(f"{target} now holds your edit. Next: {pipeline.MEND}")


def answers(
    week: Annotated[str, typer.Argument(help="The week, for example 1.")],
) -> None:
    """Try a week's catalogue of answers and mutants of its solutions on its checks. Exit code 1 when one is misjudged."""
    from rich.console import Console

    from carelab import curriculum
    from carelab.grading import scores

    console, tried = Console(), 0
    with console.status("Trying the answers …") as status:

        def tell(_: object) -> None:
            nonlocal tried
            tried += 1
            status.update(f"{tried} mutants tried …")

        rows = scores.report(curriculum.week(week).folder, tell)
    scores.show(rows, console)
    misjudged = [row for row in rows if row.survived or (row.right_kept, row.wrong_caught) != (row.right, row.wrong)]
    raise typer.Exit(1 if misjudged else 0)
