"""One walk through the course as a learner takes it: start it, open week 1 in a browser, run a cell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from carelab import lab
from carelab.quiet import QUIET_ENVIRONMENT

IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def test_a_learner_opens_the_course_and_runs_a_cell(course: Any, page: Any, seen: Any) -> None:
    page.goto(course.address)
    page.locator(".carelab-desk h2", has_text="Start here: Lesson").wait_for(state="visible")
    assert page.locator(".jp-Dialog").count() == 0, "a dialog stands in the learner's way"

    page.locator(".jp-DirListing-item", has_text="START_HERE.ipynb").dblclick()
    title = page.locator(f"{IN_FRONT} .jp-RenderedMarkdown h1").first
    title.wait_for(state="visible")
    assert "AI decisions in healthcare" in title.inner_text()
    wait_for_kernel(page)
    run_first_code_cell(page)
    assert "Everything is in place" in first_output(page)

    page.locator(".lm-TabBar-tabLabel", has_text="Course").click()
    page.locator("#cl-go").click()
    page.locator(f"{IN_FRONT} .jp-RenderedMarkdown h1", has_text="Who will miss").wait_for(state="visible")
    wait_for_kernel(page)
    assert page.locator(".jp-Dialog").count() == 0, "a dialog stands in the learner's way"
    run_first_code_cell(page)
    assert len(first_output(page).splitlines()) > 2, "the first cell shows a table"
    failed = page.locator("[data-mime-type='application/vnd.jupyter.error'], [data-mime-type*='stderr']")
    assert failed.count() == 0, failed.first.inner_text()

    seen.nothing()
    assert (course.workspace / "week_01_ml_fundamentals" / "lesson.ipynb").is_file()


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


def wait_for_kernel(page: Any) -> None:
    """Wait until the notebook in front has an idle kernel."""
    page.locator(f"{IN_FRONT} .jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(state="visible")


def run_first_code_cell(page: Any) -> None:
    """Click into the first code cell of the notebook in front, run it, and wait until it has run."""
    panel = page.locator(IN_FRONT)
    prompt = panel.locator(".jp-CodeCell .jp-InputPrompt").first
    for _ in range(5):  # a notebook that is still being drawn may not take the key: press again, as a person would
        panel.locator(".jp-CodeCell").first.locator(".cm-content").first.click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(3000)
        if prompt.inner_text() != "[ ]:":
            break
    panel.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).first.wait_for(state="visible")


def first_output(page: Any) -> str:
    """The text that the notebook in front shows below its first code cell."""
    output = page.locator(f"{IN_FRONT} .jp-OutputArea-output").first
    output.wait_for(state="visible")
    return str(output.inner_text())
