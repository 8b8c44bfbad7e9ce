"""Commands for the open language model: install, status, remove, try, record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str | None, typer.Argument(help="The model; the course's own when none is named.")]


def register(app: typer.Typer) -> None:
    """Add the group `model` to the command."""
    group = typer.Typer(help="The open language model that answers without a network.", no_args_is_help=True)
    for command in (install, status, remove, record):
        group.command()(command)
    group.command("try")(try_)
    app.add_typer(group, name="model")


def install(
    name: Name = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Take the file from here instead of fetching it.")
    ] = None,
) -> None:
    """Fetch an open model, compare its sha256, and put it in place. Interrupted, it goes on the next time."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from carelab.llm import weights
    from carelab.llm.catalogue import open_weights

    model = open_weights(name)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(model.file, total=model.bytes)

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        origin = weights.install(model, show, source)
        bar.update(task, completed=model.bytes, description="installed")
    console.print(
        f"{model.title} is ready, sha256 verified; source: {origin}. Notebooks use it for prompts that have no recorded "
        "answer; CARELAB_LLM=local makes it answer them all."
    )


def status() -> None:
    """Which open models are here, whether their bytes are right, and what they need."""
    from rich.console import Console
    from rich.table import Table

    from carelab.errors import UserError
    from carelab.llm import weights
    from carelab.llm.catalogue import catalogue
    from carelab.llm.recordings import recordings

    table = Table("model", "here", "download", "memory", "recorded")
    for model in catalogue().models.values():
        here = "no"
        if weights.installed(model):
            try:
                weights.verify(model)
                here = "[green]yes, sha256 verified[/]"
            except UserError:
                here = "[red]not the published file[/]"
        about = f"{model.name}\n[dim]{model.good_for}; {model.licence}[/]"
        recorded = str(len(recordings(model)))
        table.add_row(about, here, model.size, f"{model.memory_gb:.1f} GB", recorded, end_section=True)
    Console().print(table)


def remove(name: Name = None) -> None:
    """Delete an open model's file; recorded answers stay."""
    from carelab.llm import weights
    from carelab.llm.catalogue import open_weights

    model = open_weights(name)
    freed = weights.remove(model)
    typer.echo(f"{model.name}: {freed / 1e6:,.0f} MB freed." if freed else f"{model.name} was not installed.")


def try_(
    name: Annotated[
        str | None,
        typer.Argument(help="A model as in CARELAB_LLM, for example local; recorded answers when none is named."),
    ] = None,
) -> None:
    """Put 20 of the course's prompts to a model and show what comes back, right or wrong, with tokens and seconds."""
    from rich.console import Console
    from rich.markup import escape

    from carelab.llm import trial

    console = Console()
    replies = []
    for case in trial.cases():
        with console.status(case.name):
            reply = case.ask(name)
        replies.append(reply)
        verdict = {True: "[green]right[/]", False: "[red]wrong[/]", None: "[dim]for you to judge[/]"}[reply.right]
        console.print(f"[bold]{case.name}[/] {verdict} [dim]{reply.output_tokens} tokens, {reply.seconds:.1f} s[/]")
        console.print(f"  {escape(reply.text)}", highlight=False)
        if reply.right is False:
            console.print(f"  [dim]labelled: {escape(case.truth)}[/]", highlight=False)
    judged = [reply.right for reply in replies if reply.right is not None]
    seconds = sum(reply.seconds for reply in replies)
    console.print(
        f"{sum(judged)} of {len(judged)} right, {len(replies) - len(judged)} for a person to judge; "
        f"{sum(reply.output_tokens for reply in replies)} tokens written in {seconds:.0f} s. Twenty prompts are a look, not a measurement."
    )


def record(
    again: Annotated[
        bool, typer.Option("--all", help="Ask again for every answer, not just the missing ones.")
    ] = False,
) -> None:
    """Run what sends prompts, and keep the open model's answers for those who have no model."""
    from carelab.build.record import renew

    for line in renew(again):
        typer.echo(line)
