"""Week 1 as a learner takes it, in a browser, from the first page to the portfolio. Screenshots: test-artefacts/."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from carelab import paths
from carelab.grading.rebuild import answers, read_notebook

SCREENSHOTS = paths.ROOT / "test-artefacts"
WEEK = "week_01_ml_fundamentals"
DESK = ".carelab-desk"
IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
WRONG = """def missed_label(visits):
    known = visits[visits["status"].isin(["fulfilled", "noshow"])]
    return (known["status"] == "fulfilled").astype(int)
"""
POLICY = (
    "**The nurse line calls the first 15 of the list.** The nurse manager owns the number and may change it on any day."
)


class Walk:
    """A learner at work: what they click, type and see, with a numbered picture after each step."""

    def __init__(self, page: Any) -> None:
        self.page, self.number = page, 0

    def picture(self, name: str) -> None:
        self.number += 1
        self.page.screenshot(path=SCREENSHOTS / f"week1-{self.number:02d}-{name}.png")

    def desk(self) -> Any:
        """The overview, brought to the front."""
        self.page.locator(".lm-TabBar-tabLabel", has_text="Course").click()
        return self.page.locator(DESK)

    def cell(self, words: str) -> Any:
        """The code cell in front that holds these words; JupyterLab draws only what is near."""
        found = self.page.locator(f"{IN_FRONT} .jp-CodeCell", has_text=words).first
        found.wait_for(state="attached")  # a click brings it into view
        return found

    def run(self, cell: Any) -> str:
        """Run a cell and return what stands below it."""
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(5):  # a notebook that is still being drawn may not take the key: press again, as a person would
            cell.locator(".cm-content").first.click()
            self.page.keyboard.press("Control+Enter")
            with contextlib.suppress(AssertionError):
                self.wait(lambda: prompt.inner_text() != before, 10)
                break
        self.wait(lambda: prompt.inner_text() not in (before, "[*]:"))
        output = cell.locator(".jp-OutputArea-output")
        return "\n".join(output.all_inner_texts())

    def write(self, cell: Any, source: str) -> None:
        """Put other text into a cell."""
        cell.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def ask(self, below: Any, source: str) -> str:
        """Run `source` in a new cell below another, and take the cell away again."""
        below.locator(".cm-content").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        new = self.page.locator(f"{IN_FRONT} .jp-CodeCell.jp-mod-active")
        new.wait_for(state="visible")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(source)
        said = self.run(new)
        return said

    def wait(self, true: Any, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.1)


def ready(page: Any) -> None:
    """Wait until the notebook in front has an idle kernel."""
    page.locator(f"{IN_FRONT} .jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(state="visible")


def right(stem: str) -> dict[str, str]:
    """What the solutions answer, without the marks for nbgrader."""
    given = answers(read_notebook(paths.SOLUTIONS / WEEK / f"{stem}.ipynb"))
    return {name: re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", source) for name, source in given.items()}


def fill_in(workspace: Path, stem: str, skip: str = "") -> None:
    """Write the right answers into the learner's notebook, as if they had been typed; prose is the learner's own."""
    path = workspace / WEEK / f"{stem}.ipynb"
    notebook, own = json.loads(path.read_text(encoding="utf-8")), right(stem)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in own and name != skip:
            cell["source"] = POLICY if cell["cell_type"] == "markdown" else own[name]
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.usefixtures("browser")
def test_a_learner_takes_week_1(course: Any, page: Any, seen: Any) -> None:
    walk = Walk(page)
    page.goto(course.address)
    desk = page.locator(DESK)
    desk.locator("#cl-next").wait_for(state="visible")
    walk.picture("landing")
    desk.locator("#cl-track-pm").check()
    desk.locator("#cl-track > summary", has_text="Product manager").wait_for(state="visible")
    walk.picture("track")

    desk.locator("#cl-go").click()  # what comes next: the lesson
    page.locator(f"{IN_FRONT} h1", has_text="Who will miss").wait_for(state="visible")
    ready(page)
    first = walk.run(page.locator(f"{IN_FRONT} .jp-CodeCell").first)
    assert len(first.splitlines()) > 2, "the first cell shows a table"
    walk.picture("lesson")

    desk = walk.desk()
    desk.locator("#cl-week-1 .cl-notebooks a", has_text="Exercises").click()
    page.locator(f"{IN_FRONT} h1", has_text="exercises").wait_for(state="visible")
    ready(page)
    walk.run(walk.cell("import numpy as np"))
    exercise = walk.cell("def missed_label")
    walk.run(exercise)
    check_cell = walk.cell("label = missed_label(table)")
    assert "Not attempted yet" in walk.ask(check_cell, 'check("w01-label")')
    walk.picture("not-attempted")

    walk.write(exercise, WRONG)
    walk.run(exercise)
    assert "must be labelled 1" in walk.run(check_cell), "the check's sentence names the mistake"
    said = walk.ask(check_cell, 'check("w01-label")')
    assert said.startswith("Not yet: ") and "must be labelled 1" in said and "Traceback" not in said
    assert "Hint 1 of 3" in walk.ask(check_cell, 'hint("w01-label")')
    walk.picture("wrong-answer-and-hint")

    walk.write(exercise, right("exercises")["w01-label"])
    walk.run(exercise)
    assert "Passed." in walk.run(check_cell)
    assert walk.ask(check_cell, 'check("w01-label")').startswith("Passed.")
    walk.picture("right-answer")

    page.locator(f"{IN_FRONT} .jp-Toolbar >> text=Validate").click()  # nbgrader's own, which saves first
    dialog = page.locator(".jp-Dialog", has_text="failed")
    dialog.wait_for(state="visible", timeout=120_000)
    assert "w01-label" not in dialog.inner_text() and "missed_label" not in dialog.inner_text()
    walk.picture("validate")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")

    # The other answers, as if typed; the notebook is closed meanwhile, as JupyterLab would ask about the changed file.
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").first.click()
    page.locator(IN_FRONT).wait_for(state="hidden")
    for stem in ("exercises", "project"):
        fill_in(course.workspace, stem)
    desk = walk.desk()
    desk.locator("#cl-week-1 .cl-notebooks a", has_text="Project").click()
    page.locator(f"{IN_FRONT} h1").first.wait_for(state="visible")
    ready(page)
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    kept = course.workspace / WEEK / "portfolio" / "J11.json"
    walk.wait(kept.is_file, 120)
    walk.picture("project")
    page.keyboard.press("Control+s")  # and at once: two saves of one file must not meet

    page.locator(f"{IN_FRONT} .jp-Toolbar >> text=Check my work").click()
    desk = page.locator(DESK)
    desk.locator(".cl-figures", has_text=re.compile(r"15 of \d+ checks")).wait_for(state="visible", timeout=180_000)
    assert "20 of 20 points" in desk.locator("#cl-week-1").inner_text()
    walk.picture("checked")
    desk.locator("[role=status]", has_text="Week 1 is checked").wait_for(state="visible")
    page.evaluate("document.querySelector('#cl-skills').scrollIntoView()")  # at once: the page may be drawn again
    walk.picture("skills")

    desk.locator("#cl-make-portfolio").click()
    desk.locator("text=Open the PDF").wait_for(state="visible", timeout=120_000)
    walk.picture("portfolio-made")
    document = pypdfium2.PdfDocument(course.workspace / "portfolio" / "portfolio.pdf")
    text = "".join(document[index].get_textpage().get_text_range() for index in range(len(document)))
    assert "nurse line calls the first 15" in text and "synthetic" in text.lower()
    for index in range(len(document)):
        document[index].render(scale=1.5).to_pil().save(SCREENSHOTS / f"week1-portfolio-page-{index + 1}.png")
    desk.locator("text=Open the page").click()
    page.frame_locator("iframe").first.locator("h1").first.wait_for(state="visible")
    walk.picture("portfolio-page")
    seen.nothing()
