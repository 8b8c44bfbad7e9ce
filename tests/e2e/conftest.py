"""A course that runs, and a browser that does nothing of its own, so that whatever is asked for comes from JupyterLab."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from carelab import lab, paths
from carelab.doctor import find_chromium

CHROMIUM = find_chromium()
SCREENSHOTS = paths.ROOT / "test-artefacts"
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-domain-reliability", "--disable-extensions",
    "--disable-sync", "--metrics-recording-only", "--no-first-run", "--no-pings",
]  # fmt: skip


@dataclass
class Course:
    """A running `carelab lab`: its address with the token, and the learner's folder."""

    address: str
    workspace: Path


@dataclass
class Seen:
    """What went wrong in a page, and what it asked of others."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def watch(self, page: Any) -> None:
        """Listen to a page."""
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.outside.append(request.url) if not _is_local(request.url) else None)

    def nothing(self) -> None:
        """Fail when there was anything."""
        assert not self.errors, self.errors
        assert not self.outside, f"the page asked somebody else: {self.outside[:3]}"


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "chrome-extension:"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """The course, started as a learner starts it; one for all tests of a module."""
    with running(tmp_path_factory.mktemp("course")) as started:
        yield started


@contextmanager
def running(folder: Path) -> Iterator[Course]:
    """`carelab lab` with a home and a workspace below `folder`."""
    workspace = folder / "learner"
    port = next(port for port in range(18900, 18990) if lab.is_free(port))  # apart from a course somebody has open
    command = [sys.executable, "-m", "carelab", "lab", "--no-browser"]
    command += ["--port", str(port), "--workspace", str(workspace)]
    log, home = folder / "server.log", folder / "home"  # nobody's own settings, and none left behind
    home.mkdir()
    environment = {**os.environ, "CARELAB_NO_VENV": "1", "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "jupyter")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Course(_address(process, log), workspace)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that JupyterLab prints, with its token."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", log.read_text(errors="replace"))
        if found:
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; skips where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements-dev.lock)"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    SCREENSHOTS.mkdir(exist_ok=True)
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def seen() -> Seen:
    """Collects what goes wrong."""
    return Seen()


@pytest.fixture
def page(browser: Any, seen: Seen, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A new window, watched."""
    window = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened = window.new_page()
    opened.set_default_timeout(120_000)  # a machine may be busy; what never comes is told late, that is all
    seen.watch(opened)
    yield opened
    opened.screenshot(
        path=SCREENSHOTS / f"last-{request.node.name}.png"
    )  # what it looked like at the end, or when it failed
    window.close()
