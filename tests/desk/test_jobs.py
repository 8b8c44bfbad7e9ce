"""Long work is stopped when it never ends, and what a command said last is the sentence."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from carelab.desk.jobs import Jobs
from carelab.errors import UserError


def job(workspace: Path, code: str, limit: float = 60) -> Jobs:
    return Jobs(workspace, [sys.executable, "-c", code], limit)


def test_a_command_that_never_ends_is_stopped(tmp_path: Path) -> None:
    jobs = job(tmp_path, "import time; time.sleep(60)", limit=0.3)
    with pytest.raises(UserError, match="was stopped"):
        asyncio.run(jobs.run("It runs."))
    assert jobs.running == ""


def test_a_crash_without_a_sentence_still_says_something(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exit code 3"):
        asyncio.run(job(tmp_path, "import sys; sys.exit(3)").run("It runs."))


def test_output_of_any_size_does_not_stop_it(tmp_path: Path) -> None:
    asyncio.run(job(tmp_path, "import sys; sys.stderr.write('x' * 10**6); print('y' * 10**6)", 20).run("It runs."))
