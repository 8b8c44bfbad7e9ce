"""Commands for FHIR files: say what is in them and what is wrong with it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """How a report is printed."""

    text = "text"
    markdown = "markdown"


def register(app: typer.Typer) -> None:
    """Add `fhir check` to the command."""
    group = typer.Typer(no_args_is_help=True, help="Check FHIR R4 files, yours or the course's.", rich_markup_mode=None)
    group.callback()(lambda: None)  # so that `check` stays a word of its own as long as it is the only one
    group.command()(check)
    app.add_typer(group, name="fhir")


def check(
    path: Annotated[Path, typer.Argument(help="A file or a folder: NDJSON, bundles, single resources, plain or .gz.")],
    quarantine: Annotated[
        Path | None, typer.Option(help="A folder for what is no valid R4 resource, with reason and origin.")
    ] = None,
    shape: Annotated[bool, typer.Option(help="Judge each resource by the schema of R4: thorough, and slow.")] = True,
    form: Annotated[Form, typer.Option("--format", help="How to print the report.")] = Form.text,
) -> None:
    """Read FHIR files and report what is in them and what is wrong; exit 1 when something is."""
    from rich.console import Console

    from carelab.fhir.report import report

    with Console(stderr=True).status(f"Reading {path} …"):
        found = report(path, quarantine, shape=shape)
    typer.echo(found.text() if form is Form.text else found.markdown(), nl=False)
    if not found.ok:
        raise typer.Exit(1)
