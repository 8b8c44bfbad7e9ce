"""The command that makes a learner's portfolio."""

from pathlib import Path
from typing import Annotated

import typer

from carelab.cli.learning import Workspace
from carelab.paths import WORKSPACE


def register(app: typer.Typer) -> None:
    """Add `portfolio` to the command."""
    app.command()(portfolio)


def portfolio(
    workspace: Workspace = WORKSPACE,
    name: Annotated[str, typer.Option(help="Your name, to stand on the first page; none when not given.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to.", show_default="portfolio in your folder")
    ] = None,
) -> None:
    """Make one page and one PDF of your projects, to show to others."""
    from carelab.learner import progress
    from carelab.learner.portfolio import make

    made = make(workspace, progress.read(workspace), name, out)
    for sentence in made.left_out:
        typer.echo(sentence, err=True)
    projects = "1 project" if made.projects == 1 else f"{made.projects} projects"
    typer.echo(f"{projects}, for a browser: {made.page}")
    typer.echo(f"and to send or print: {made.pdf}")
