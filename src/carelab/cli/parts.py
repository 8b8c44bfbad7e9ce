"""The parts of `carelab test`. One that fails does not keep the others from running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from carelab.errors import UserError
from carelab.paths import ROOT, SOLUTIONS
from carelab.quiet import QUIET_ENVIRONMENT, RECORDED_ONLY

Command = list[str]
# Not sorted by the number of tests in a file: the longest files have few.
_TWO_AT_A_TIME = ["-n", "2", "--no-loadscope-reorder", "--dist"]


@dataclass(frozen=True)
class Outcome:
    """How one part went."""

    name: str
    passed: bool
    seconds: float


def lint() -> list[Command]:
    """Style and types."""
    return [
        _module("ruff", "check", "."),
        _module("ruff", "format", "--check", "."),
        _module("mypy", "src"),
    ]


def build() -> list[Command]:
    """Whether what is derived agrees with what it is derived from."""
    return [_module("carelab", "build", "--check")]


def data() -> list[Command]:
    """Whether the data are what their manifest says."""
    return [_module("carelab", "data", "check")]


def pytest() -> list[Command]:
    """The tests of the library, the texts and the answers."""
    return [_module("pytest", *_TWO_AT_A_TIME, "loadgroup", "tests")]


def notebooks() -> list[Command]:
    """Every complete notebook, run again and compared with the outputs that are kept."""
    if not any(SOLUTIONS.rglob("*.ipynb")):
        raise UserError(f"There are no notebooks under {SOLUTIONS.name}/ to run: `python -m carelab build` makes them.")
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", "-p", "no:cacheprovider"]
    return [_module("pytest", *options, *_TWO_AT_A_TIME, "loadfile", SOLUTIONS.name)]  # its cells share a kernel


PARTS: dict[str, Callable[[], list[Command]]] = {
    "lint": lint,
    "build": build,
    "data": data,
    "pytest": pytest,
    "notebooks": notebooks,
}


def run_parts(only: list[str]) -> int:
    """Run the named parts, all when none is named, print a closing table, and return the exit code."""
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise UserError(f'There is no part "{unknown[0]}": the parts are {", ".join(PARTS)}.')
    console = Console()
    outcomes = [run_part(name, PARTS[name], console) for name in PARTS if not only or name in only]
    table = Table("part", "result", "seconds", title_justify="left")
    for outcome in outcomes:
        result = "[green]passed[/]" if outcome.passed else "[red]FAILED[/]"
        table.add_row(outcome.name, result, f"{outcome.seconds:.1f}")
    console.print(table)
    return int(not all(outcome.passed for outcome in outcomes))


def run_part(name: str, commands: Callable[[], list[Command]], console: Console) -> Outcome:
    """Run one part's commands, all of them, with their output on the screen."""
    console.rule(f"[bold]{name}[/]", align="left")
    started = time.monotonic()
    try:
        codes = [_run(command, console) for command in commands()]
    except UserError as error:
        console.print(f"[red]{error}[/]")
        codes = [2]
    return Outcome(name, passed=not any(codes), seconds=time.monotonic() - started)


def _run(command: Command, console: Console) -> int:
    console.print(f"[dim]python -m {' '.join(command[2:])}[/]", highlight=False)
    console.file.flush()
    # CARELAB_NO_VENV: this environment is the right one already, so a child does not look for another.
    environment = {**os.environ, **QUIET_ENVIRONMENT, **RECORDED_ONLY, "CARELAB_NO_VENV": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode


def _module(name: str, *arguments: str) -> Command:
    return [sys.executable, "-m", name, *arguments]
