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
    target: Annotated[
        Path | None,
        typer.Option(
            help="The folder to build into; it is replaced as a whole.",
            show_default="data/synthetic; data/synthetic-N for a number of patients that is not the course's",
        ),
    ] = None,
    patients: Annotated[
        int | None, typer.Option(help="How many patients; the course's own number when not given.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes to use; one per core when not given.")] = None,
    tables_only: Annotated[
        bool, typer.Option("--tables-only", help="Parquet tables without FHIR: far less disk for a large world.")
    ] = False,
) -> None:
    """Make the synthetic world: the same bytes on every machine.

    A build that was interrupted goes on where it stopped when the same command is given again.
    """
    import os

    from carelab import synth

    if target is None:
        other = tables_only or patients not in (None, synth.load_world().n_patients)
        kind = "-tables" if tables_only else ""
        target = DATA.with_name(f"{DATA.name}-{patients or synth.load_world().n_patients}{kind}") if other else DATA
    synth.build(
        target, n_patients=patients, workers=workers or os.cpu_count() or 1, progress=True, tables_only=tables_only
    )
    typer.echo(f"The world is in {target}.")


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
