"""What the desk asks the server for: the page itself, and the few things its buttons do.

Addresses lie under `/carelab/`. Each needs the server's token or cookie, and each POST its XSRF header, as all of Jupyter's do.
A request that cannot be met is answered with a sentence, which the page shows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from carelab import curriculum
from carelab.desk import page
from carelab.desk.jobs import BusyError, Jobs
from carelab.errors import UserError
from carelab.learner import progress
from carelab.learner import workspace as copies
from carelab.paths import RELEASE

MOST_NAME = 80  # characters


class Desk:
    """One learner's workspace, and what its page can do with it. Every action returns a sentence; empty when none is needed."""

    def __init__(self, workspace: Path, jobs: Jobs | None = None) -> None:
        self.workspace = workspace
        self.jobs = jobs or Jobs(workspace)
        self.actions: dict[str, Callable[[dict[str, Any]], Awaitable[str]]] = {
            "track": self.track,
            "time": self.time,
            "check": self.check,
            "portfolio": self.portfolio,
            "take": self.take,
            "reset": self.reset,
        }

    def page(self, base_url: str) -> str:
        """The page as HTML."""
        return page.render(self.workspace, base_url, self.jobs.running)

    async def track(self, body: dict[str, Any]) -> str:
        """Choose a track."""
        chosen = _text(body, "track")
        await asyncio.to_thread(progress.choose_track, self.workspace, chosen)
        return f"Your track: {next(track.title for track in curriculum.load().tracks if track.id == chosen)}."

    async def time(self, body: dict[str, Any]) -> str:
        """Add time to a notebook; none at all only remembers that it was open."""
        seconds: Any = body.get("seconds")  # note_time judges it
        await asyncio.to_thread(progress.note_time, self.workspace, self._notebook(body, "path"), seconds)
        return ""

    async def check(self, body: dict[str, Any]) -> str:
        """Run all checks of a week."""
        number = body.get("week")
        if type(number) is not int or number < 1:
            raise UserError("week has to be a number from 1 on.")
        week = curriculum.week(number)
        if not week.ready:
            raise UserError(f"Week {number} is in preparation; there is nothing to check yet.")
        await self.jobs.run(f"Week {number} is being checked.", "check", str(number))
        for standing in (await asyncio.to_thread(progress.read, self.workspace)).weeks:
            if standing.week.number == number:
                return f"Week {number} is checked: {standing.passed} of {standing.checks} checks passed."
        return f"Week {number} is checked."

    async def portfolio(self, body: dict[str, Any]) -> str:
        """Make the portfolio from what the projects left."""
        name = body.get("name", "")
        if not isinstance(name, str) or len(name) > MOST_NAME:
            raise UserError(f"name has to be a text of at most {MOST_NAME} characters.")
        await self.jobs.run("Your portfolio is being made.", "portfolio", *([f"--name={name}"] if name.strip() else []))
        return "Your portfolio is ready."

    async def take(self, body: dict[str, Any]) -> str:
        """Take the course's new version of a notebook, with the learner's answers carried over."""
        name = self._notebook(body, "name")
        kept = await asyncio.to_thread(copies.take, self.workspace, name)
        return f"You have the new version of {page.title(name)}. Your old copy is kept: {self._shown(kept)}."

    async def reset(self, body: dict[str, Any]) -> str:
        """Start a notebook afresh."""
        name = self._notebook(body, "name")
        kept = await asyncio.to_thread(copies.reset, self.workspace, name, RELEASE)
        return f"{page.title(name)}: it is as it was when you got it. Your old copy is kept: {self._shown(kept)}."

    def _notebook(self, body: dict[str, Any], key: str) -> str:
        """A notebook's path in the workspace. Raises UserError for anything that is not one of the learner's notebooks."""
        name = _text(body, key)
        path = PurePosixPath(name)
        if (
            "\\" in name
            or "\0" in name
            or path.is_absolute()
            or path.suffix != ".ipynb"
            or any(part.startswith(".") for part in path.parts)
        ):
            raise UserError(f'"{name}" is no notebook of yours.')
        file = (self.workspace / path).resolve()
        if not file.is_relative_to(self.workspace.resolve()) or not file.is_file():
            raise UserError(f'There is no notebook "{name}" in your folder.')
        return path.as_posix()

    def _shown(self, path: Path) -> str:
        path = Path(path)
        return path.relative_to(self.workspace).as_posix() if path.is_relative_to(self.workspace) else path.name


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value or len(value) > 500:
        raise UserError(f"{key} has to be a short text.")
    return value


class _Handler(APIHandler):
    desk: Desk

    def initialize(self, desk: Desk) -> None:
        self.desk = desk

    def sentence(self, status: int, text: str) -> None:
        self.set_status(status)
        self.finish(json.dumps({"message": text}))

    async def answered(self, work: Awaitable[str]) -> str | None:
        """What the work returns; None when it failed and the reason was sent."""
        try:
            return await work
        except BusyError as error:
            self.sentence(409, str(error))
        except UserError as error:
            self.sentence(400, str(error))
        except Exception as error:
            self.log.exception("The desk met something unexpected")
            self.sentence(
                500,
                f"This should not have happened ({type(error).__name__}); the terminal that runs JupyterLab says more.",
            )
        return None


class PageHandler(_Handler):
    """The page."""

    @web.authenticated
    async def get(self) -> None:
        """The page, as HTML to put into JupyterLab."""
        html = await self.answered(asyncio.to_thread(self.desk.page, self.base_url))
        if html is not None:
            self.set_header("Cache-Control", "no-store")
            await self.finish(html, set_content_type="text/html; charset=UTF-8")


class ActionHandler(_Handler):
    """One of the things the page can do."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Do it; the answer is a sentence."""
        text = await self.answered(self._act(name))
        if text is not None:
            self.sentence(200, text)

    async def _act(self, name: str) -> str:
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise UserError("The request has to be a JSON object.")
        return await self.desk.actions[name](body)


def load(application: web.Application, workspace: Path, desk: Desk | None = None) -> None:
    """Add the desk's addresses to a Jupyter server."""
    desk = desk or Desk(workspace)
    base = application.settings["base_url"]
    names = "|".join(desk.actions)
    application.add_handlers(
        ".*$",
        [
            (url_path_join(base, "carelab", "desk"), PageHandler, {"desk": desk}),
            (url_path_join(base, "carelab", f"({names})"), ActionHandler, {"desk": desk}),
        ],
    )
