"""One walk through the course as a learner takes it: start it, open week 1 in a browser, run a cell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from carelab import lab, paths
from carelab.doctor import find_chromium
from carelab.quiet import QUIET_ENVIRONMENT

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.lock)")

CHROMIUM = find_chromium()
SCREENSHOTS = paths.ROOT / "test-artefacts"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium")

# A browser that does nothing of its own, so that every request it makes is JupyterLab's.
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-domain-reliability", "--disable-extensions",
    "--disable-sync", "--metrics-recording-only", "--no-first-run", "--no-pings",
]  # fmt: skip


def free_port() -> int:
    """A port from a range of its own, so that it does not meet a course somebody has open."""
    return next(port for port in range(18900, 18990) if lab.is_free(port))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A running `carelab lab`; yields its address with the token, and the learner's folder."""
    workspace = tmp_path / "learner"
    command = [sys.executable, "-m", "carelab", "lab", "--no-browser"]
    command += ["--port", str(free_port()), "--workspace", str(workspace)]
    log = tmp_path / "server.log"
    home = tmp_path / "home"  # nobody's own settings, and none left behind
    home.mkdir()
    environment = {**os.environ, "CARELAB_NO_VENV": "1", "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "jupyter")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield wait_for_address(process, log), workspace
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that JupyterLab prints, with its token."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", log.read_text(errors="replace"))
        if found:
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


def test_a_learner_opens_the_course_and_runs_a_cell(server: tuple[str, Path]) -> None:
    address, workspace = server
    SCREENSHOTS.mkdir(exist_ok=True)
    errors: list[str] = []
    outside: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: outside.append(r.url) if not _is_local(r.url) else None)
        page.set_default_timeout(60_000)

        page.goto(address)
        title = page.locator(".jp-RenderedMarkdown h1").first
        title.wait_for(state="visible")
        assert "AI decisions in healthcare" in title.inner_text()
        wait_for_kernel(page)
        page.screenshot(path=SCREENSHOTS / "1-landing.png")
        assert page.locator(".jp-Dialog").count() == 0, "a dialog stands in the learner's way"

        run_first_code_cell(page)
        assert "Everything is in place" in first_output(page)
        page.screenshot(path=SCREENSHOTS / "2-landing-checked.png")

        page.locator("a[href*='week_01'][href*='lesson']").first.click()
        lesson = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown h1", has_text="Who will miss")
        lesson.wait_for(state="visible")
        wait_for_kernel(page)
        assert page.locator(".jp-Dialog").count() == 0, "a dialog stands in the learner's way"
        page.screenshot(path=SCREENSHOTS / "3-lesson.png")
        run_first_code_cell(page)
        assert len(first_output(page).splitlines()) > 2, "the first cell shows a table"
        failed = page.locator("[data-mime-type='application/vnd.jupyter.error'], [data-mime-type*='stderr']")
        assert failed.count() == 0, failed.first.inner_text()
        page.screenshot(path=SCREENSHOTS / "4-lesson-run.png")
        browser.close()

    assert not errors, errors
    assert not outside, f"the page asked somebody else: {outside[:3]}"
    assert (workspace / "week_01_ml_fundamentals" / "lesson.ipynb").is_file()


def test_nothing_phones_home() -> None:
    """The settings that keep JupyterLab from asking for news are the ones it knows."""
    from jupyterlab.labapp import LabApp

    arguments = lab.server_arguments(Path("somewhere"), 8888, browser=False)
    named = {a.split("=")[0].removeprefix("--LabApp.") for a in arguments if a.startswith("--LabApp.")}
    assert {"news_url", "check_for_updates_class", "extension_manager"} <= named
    assert named <= set(LabApp.class_trait_names()), "a setting JupyterLab does not have"
    settings = json.loads((lab.SETTINGS / "overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"] == {"checkForUpdates": False, "fetchNews": "false"}
    assert QUIET_ENVIRONMENT["MLFLOW_DISABLE_TELEMETRY"] == "true"


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "chrome-extension:"))


def wait_for_kernel(page: playwright.Page) -> None:
    """Wait until the notebook in front has an idle kernel."""
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(state="visible")


def run_first_code_cell(page: playwright.Page) -> None:
    """Click into the first code cell of the notebook in front, run it, and wait until it has run."""
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    cell = panel.locator(".jp-CodeCell").first
    cell.locator(".cm-content").first.click()
    page.keyboard.press("Control+Enter")
    panel.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).first.wait_for(state="visible")


def first_output(page: playwright.Page) -> str:
    """The text that the notebook in front shows below its first code cell."""
    output = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output").first
    output.wait_for(state="visible")
    return str(output.inner_text())
