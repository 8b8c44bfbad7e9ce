"""Week 3's threshold explorer: a slider that draws again, for a reader who has read the same figure without it."""

from __future__ import annotations

import re
from typing import Any

from carelab import paths

LESSON = "week_03_evaluation/lesson.ipynb"
IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
SCREENSHOTS = paths.ROOT / "test-artefacts"


def test_a_moved_slider_draws_the_list_again(course: Any, page: Any, seen: Any) -> None:
    page.goto(re.sub(r"/lab[^?]*", f"/lab/tree/{LESSON}", course.address))
    panel = page.locator(IN_FRONT)
    panel.locator(".jp-RenderedMarkdown h1", has_text="Is it useful").wait_for(state="visible")
    panel.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(state="visible")
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    slider = panel.locator(".widget-slider .noUi-handle").first
    slider.wait_for(state="attached")
    slider.scroll_into_view_if_needed()
    picture = panel.locator(".jp-Cell", has=page.locator(".widget-slider")).locator("img").first
    picture.wait_for(state="visible")
    before = picture.get_attribute("src")
    page.screenshot(path=SCREENSHOTS / "week3-explorer-1.png")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([picture, before]) => { const now = document.querySelector(picture); return now && now.src !== before }",
        arg=[f"{IN_FRONT} .widget-output img, {IN_FRONT} .jupyter-widgets-output-area img", before],
    )
    page.screenshot(path=SCREENSHOTS / "week3-explorer-2.png")
    failed = panel.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert failed.count() == 0, failed.first.inner_text()
    seen.nothing()
