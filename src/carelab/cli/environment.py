"""Commands around the environment: open the course, examine it, renew the lock files, tidy up."""

from typing import Annotated

import typer

from carelab.cli.learning import Workspace
from carelab.paths import WORKSPACE


def register(app: typer.Typer) -> None:
    """Add `lab`, `doctor`, `lock` and `clean` to the command."""
    app.command()(lab)
    app.command()(doctor)
    app.command()(lock)
    app.command()(clean)


def lab(
    workspace: Workspace = WORKSPACE,
    port: Annotated[
        int | None, typer.Option(help="The port to use; the first free one from 8888 when not given.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open the course in JupyterLab, on your own copies of the notebooks."""
    from carelab import lab as course
    from carelab.cli.learning import sentences
    from carelab.learner.workspace import bring, refuse_course_folders
    from carelab.paths import RELEASE

    chosen = course.choose_port(port)
    refuse_course_folders(workspace)
    _make_what_is_missing()
    for sentence in sentences(bring(RELEASE, workspace), workspace):
        typer.echo(sentence)
    if port is None and chosen != course.USUAL_PORT:
        typer.echo(f"Port {course.USUAL_PORT} is in use, so JupyterLab takes {chosen}.")
    typer.echo("Starting JupyterLab. Stop it with Ctrl+C in this window.")
    course.start(workspace, chosen, browser)


def _make_what_is_missing() -> None:
    """The notebooks and data are part of the course; a copy that lacks them gets them made once."""
    import os
    import subprocess
    import sys

    from carelab.doctor import MANIFEST
    from carelab.errors import UserError
    from carelab.lab import LANDING
    from carelab.paths import DATA, RELEASE

    missing = [
        (DATA / MANIFEST, ["data", "build"], "data"),
        (RELEASE / LANDING, ["build"], "notebooks"),
    ]
    for path, arguments, what in missing:
        if path.is_file():
            continue
        typer.echo(f"The {what} are not there yet: making them, once.")
        # In this environment: building needs nothing that a learner does not have.
        environment = {**os.environ, "CARELAB_NO_VENV": "1"}
        if subprocess.run([sys.executable, "-m", "carelab", *arguments], env=environment).returncode:
            raise UserError(
                f"The {what} could not be made; `python -m carelab {' '.join(arguments)} --debug` says more."
            )


def doctor(workspace: Workspace = WORKSPACE) -> None:
    """Look for what could keep the course from running; each row that fails says what to do."""
    from rich.console import Console
    from rich.table import Table

    from carelab.doctor import examine

    console = Console()
    signs = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "fails": "[red]fails[/]"}
    table = Table("what", "", "found", "what to do", title_justify="left")
    failed = False
    with console.status("Looking …"):
        for finding in examine(workspace):
            table.add_row(finding.name, signs[finding.state], finding.found, finding.cure)
            failed = failed or finding.state == "fails"
    console.print(table)
    console.print("Something has to be mended first." if failed else "The course can run here.")
    raise typer.Exit(int(failed))


def lock(
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest version of every package.")] = False,
) -> None:
    """Resolve the packages again and renew both lock files; needs uv and the network."""
    from carelab.cli.locking import renew

    for line in renew(upgrade):
        typer.echo(line)


def clean() -> None:
    """Remove caches and test output; never your notebooks, the environment or anything that git keeps."""
    import shutil

    from carelab.paths import ROOT

    removed = 0
    caches = [".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", "test-artefacts"]
    folders = [ROOT / name for name in caches]
    for top in ("src", "tests", "course", "carelab", "benchmarks", "solutions", "weeks_01-12"):
        folders += [*(ROOT / top).rglob("__pycache__"), *(ROOT / top).rglob(".ipynb_checkpoints")]
    for folder in folders:
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    typer.echo(f"{removed} folders with caches removed.")
