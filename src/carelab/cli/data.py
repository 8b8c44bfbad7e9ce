"""Commands for the synthetic data: make them, and hold them against their manifest."""

from pathlib import Path
from typing import Annotated

import typer

from carelab.paths import DATA

Target = Annotated[Path, typer.Option(help="The folder the data lie in.", show_default="data/synthetic")]


def register(app: typer.Typer) -> None:
    """Add `data build` and `data check` to the command."""
    group = typer.Typer(no_args_is_help=True, help="Make the synthetic data, or check them.", rich_markup_mode=None)
    group.command()(build)
    group.command()(check)
    app.add_typer(group, name="data")


def build(
    target: Target = DATA,
    patients: Annotated[
        int | None, typer.Option(help="How many patients; the course's own number when not given.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes to use; one per core when not given.")] = None,
) -> None:
    """Make the synthetic world: the same bytes on every machine."""
    import os

    from carelab import synth

    synth.build(target, n_patients=patients, workers=workers or os.cpu_count() or 1, progress=True)


def check(target: Target = DATA) -> None:
    """Hold every data file against the manifest; exit 1 and name each file that differs."""
    from carelab import synth

    problems = synth.check(target)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        typer.echo("Mend it with: python -m carelab data build", err=True)
        raise typer.Exit(1)
    typer.echo("Every data file is as its manifest says.")
