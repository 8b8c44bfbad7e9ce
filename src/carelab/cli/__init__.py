"""The `carelab` command.

Each module named in GROUPS adds its commands in `register(app)`. Commands import what they need when they run, so
that `carelab --help` answers at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from carelab.errors import UserError

GROUPS = ("environment", "data", "fhir", "model", "testing", "learning", "portfolio", "grading", "authoring")


def build_app() -> typer.Typer:
    """The command with all its groups."""
    app = typer.Typer(
        name="carelab",
        help="The course's command: open it, check your work, look after the environment, build the notebooks.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback when something fails.")] = False,
    ) -> None:
        """Read by `main`, before the command line is taken apart."""

    for name in GROUPS:
        import_module(f"carelab.cli.{name}").register(app)
    return app


def main(args: list[str] | None = None) -> None:
    """Run a command; a UserError becomes one sentence on stderr and exit code 2."""
    args = sys.argv[1:] if args is None else args
    debug = "--debug" in args
    arguments = [arg for arg in args if arg != "--debug"]  # so that it may stand anywhere
    try:
        build_app()(arguments, prog_name="carelab")
    except UserError as error:
        if debug:
            raise
        print(f"carelab: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        print(f"carelab: this should not have happened ({kind}: {error}); --debug shows where.", file=sys.stderr)
        sys.exit(1)
