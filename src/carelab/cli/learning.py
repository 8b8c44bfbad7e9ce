"""Commands for learners: check the own work."""

from pathlib import Path
from typing import Annotated

import typer

from carelab.paths import WORKSPACE


def register(app: typer.Typer) -> None:
    """Add `check` to the command."""
    app.command()(check)


def check(
    week: Annotated[str, typer.Argument(help="The week, for example 1.")],
    workspace: Annotated[Path, typer.Option(help="The folder with your notebooks.")] = WORKSPACE,
) -> None:
    """Run all checks of a week, hidden ones included, on your own copy."""
    from carelab.quiet import without_grammars

    without_grammars()
    from carelab.learner.week import check_week

    check_week(week, workspace)
