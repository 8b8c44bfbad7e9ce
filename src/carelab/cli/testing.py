"""`carelab test`: every check of the project, in named parts."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add `test` to the command."""
    app.command()(test)


def test(
    only: Annotated[
        list[str] | None, typer.Option(help="Run this part and no other; may be given more than once.")
    ] = None,
) -> None:
    """Run every check of the project: lint, build, data, pytest, notebooks. Exit 1 when any part fails."""
    from carelab.cli.parts import run_parts

    raise typer.Exit(run_parts(only or []))
