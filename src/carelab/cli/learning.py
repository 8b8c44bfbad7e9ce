"""Commands for learners: check the own work, take new versions of notebooks, start one afresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carelab.paths import WORKSPACE

if TYPE_CHECKING:
    from carelab.learner.workspace import Synced

Workspace = Annotated[Path, typer.Option(help="The folder with your own notebooks.", show_default="my_course")]


def register(app: typer.Typer) -> None:
    """Add `check`, `update` and `reset` to the command."""
    app.command()(check)
    app.command()(update)
    app.command()(reset)


def check(
    week: Annotated[str, typer.Argument(help="The week, for example 1.")],
    workspace: Workspace = WORKSPACE,
) -> None:
    """Run all checks of a week, hidden ones included, on your own copy."""
    from carelab.quiet import without_grammars

    without_grammars()
    from carelab.learner.week import check_week

    check_week(week, workspace)


def update(
    week: Annotated[str, typer.Argument(help="The week, for example 1; every week when not given.")] = "",
    notebook: Annotated[str, typer.Argument(help="The notebook to take, for example exercises.")] = "",
    workspace: Workspace = WORKSPACE,
) -> None:
    """List new versions of notebooks you have changed; with a notebook's name, take its new version with your answers."""
    from carelab.lab import LANDING
    from carelab.learner.workspace import bring, take, updates
    from carelab.paths import RELEASE

    wanted = _names(week, notebook) if week else []
    for sentence in sentences(bring(RELEASE, workspace), workspace, waiting=False):
        typer.echo(sentence)
    if notebook or wanted == [LANDING]:
        old = take(workspace, wanted[0])
        typer.echo(f"{wanted[0]} is the new version now, with your answers. Your old one: {_shown(old, workspace)}")
        return
    waiting = [one for one in updates(workspace) if not week or one.name in wanted]
    for one in waiting:
        typer.echo(f"{one.name}: its new version, with your answers, is {Path(one.beside).name} beside it.")
        for change in one.changes:
            typer.echo(f"  - {change}")
        typer.echo(f"  Take it with `python -m carelab update {_as_arguments(one.name)}`; yours goes to backups/ then.")
    if not waiting:
        typer.echo("No new version of a notebook of yours waits.")


def reset(
    week: Annotated[str, typer.Argument(help="The week, for example 1.")],
    notebook: Annotated[
        str, typer.Argument(help="The notebook, for example exercises; all of the week when not given.")
    ] = "",
    workspace: Workspace = WORKSPACE,
) -> None:
    """Start a notebook afresh, or all of a week; what you had is kept in backups/."""
    import os

    from carelab.learner.workspace import bring, refuse_course_folders
    from carelab.learner.workspace import reset as start_afresh
    from carelab.paths import RELEASE

    refuse_course_folders(workspace)
    missing = []
    for name in _names(week, notebook):
        if os.path.lexists(workspace / name):
            old = start_afresh(workspace, name)
            typer.echo(f"{name} is a fresh copy now. Your old one: {_shown(old, workspace)}")
        else:
            missing.append(name)
    if missing:
        bring(RELEASE, workspace)
        typer.echo(f"You had no {', '.join(missing)}: now you have a fresh copy.")


def sentences(synced: Synced, workspace: Path, waiting: bool = True) -> Iterator[str]:
    """What bringing the notebooks did, for the terminal; nothing when it did nothing."""
    if synced.new:
        yield (
            f"{len(synced.new)} new notebooks in {workspace.name}/; {len(synced.kept)} that you have stay as they are."
        )
    if synced.replaced:
        yield (
            f"Now in a new version: {', '.join(synced.replaced)}. You had changed nothing in the old one; it is in backups/."
        )
    if synced.updates and waiting:
        yield (
            f"The course has a new version of: {', '.join(synced.updates)}. Yours is kept; the new one lies beside it, "
            "with your answers. `python -m carelab update` shows what changed."
        )


def _names(week: str, notebook: str) -> list[str]:
    """The released notebooks that the command line means, as paths in the workspace."""
    from carelab import curriculum
    from carelab.errors import UserError
    from carelab.lab import LANDING
    from carelab.paths import RELEASE

    if Path(week).stem.lower() == Path(LANDING).stem.lower():
        return [LANDING]
    folder = curriculum.week(week).folder
    found = [path.stem for path in sorted((RELEASE / folder).glob("*.ipynb"))]
    if not found:
        raise UserError(f"Week {week} is in preparation; it has no notebooks yet.")
    wanted = [stem for stem in found if not notebook or stem == Path(notebook).stem.lower()]
    if not wanted:
        raise UserError(f'Week {week} has no notebook "{notebook}": name one of {", ".join(found)}.')
    return [f"{folder}/{stem}.ipynb" for stem in wanted]


def _as_arguments(name: str) -> str:
    """How the command line names a notebook."""
    from carelab import curriculum

    path = Path(name)
    return f"{curriculum.week(path.parent.name).number} {path.stem}" if path.parent.name else path.stem


def _shown(path: Path, workspace: Path) -> str:
    return f"{workspace.name}/{path.relative_to(workspace).as_posix()}"
