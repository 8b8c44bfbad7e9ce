"""Long work that the desk starts: `carelab` commands as processes of their own, so that the server goes on answering."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from carelab.errors import UserError

COMMAND = (sys.executable, "-m", "carelab")
LIMIT = 600.0  # seconds; a check has its own, much smaller limits
_LOOK = 0.1


class BusyError(UserError):
    """Something is running already."""


class Jobs:
    """Runs one command at a time in a workspace. It finishes even when the browser that asked for it goes away."""

    def __init__(self, workspace: Path, command: Sequence[str] | None = None, limit: float = LIMIT) -> None:
        self.workspace = workspace
        self.running = ""  # what is running, in words for the learner
        self._command = tuple(command or COMMAND)
        self._limit = limit

    async def run(self, words: str, *arguments: str) -> None:
        """Run `carelab ARGUMENTS --workspace …` to its end; `words` say to others what is running.

        Raises BusyError while another command runs, and UserError with the command's own sentence when it fails.
        """
        if self.running:
            raise BusyError(f"{self.running} Wait for it to finish, then try again.")
        self.running = words
        try:
            await self._finish([*self._command, *arguments, "--workspace", str(self.workspace)])
        finally:
            self.running = ""

    async def _finish(self, command: list[str]) -> None:
        environment = {**os.environ, "CARELAB_NO_VENV": "1"}  # this interpreter is the right one already
        # Words go to a file, not through a pipe: nothing that outlives the command can keep us waiting. And it is looked at,
        # not awaited: the event loop that Jupyter uses on Windows cannot wait for processes.
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=environment
            )
            deadline = time.monotonic() + self._limit
            while process.poll() is None:
                if time.monotonic() > deadline:
                    process.kill()
                    raise UserError(
                        f"It did not finish within {self._limit / 60:.0f} minutes and was stopped; try again."
                    )
                await asyncio.sleep(_LOOK)
            if process.returncode:
                said.seek(0)
                raise UserError(_sentence(said.read().decode("utf-8", "replace"), process.returncode))


def _sentence(said: str, code: int) -> str:
    """The sentence a failed command ended with."""
    for line in reversed(said.splitlines()):
        if line.startswith("carelab: "):
            text = line.removeprefix("carelab: ").strip()
            return text[:1].upper() + text[1:]
    return f"It stopped with exit code {code}; in a terminal, the same command with --debug says more."
