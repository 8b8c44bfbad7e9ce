"""The desk in a browser: it opens by itself, leads to the right place, checks a week, and everybody can use it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from carelab import paths
from carelab.learner.workspace import bring

SCREENSHOTS = paths.ROOT / "test-artefacts"
FOLDER = "week_01_ml_fundamentals"
DESK = ".carelab-desk"
IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
RIGHT = "def everybody_comes_accuracy(missed):\n    return float((missed == 0).mean())\n"
WRONG = "def missed_label(visits):\n    return (visits['status'] == 'noshow').astype(int)\n"
# So that a test need not sit still for half a minute: the page's clock for noting time ticks every second.
FASTER = "const real = window.setInterval; window.setInterval = (f, t, ...a) => real(f, t === 30000 ? 1000 : t, ...a);"
THEME = "@jupyterlab/apputils-extension:themes"


def opened(page: Any, course: Any) -> Any:
    """The desk, once it shows where the learner stands."""
    page.goto(course.address)
    desk = page.locator(DESK)
    desk.locator("#cl-next").wait_for(state="visible")
    return desk


def remembered(workspace: Path) -> dict[str, Any]:
    path = workspace / ".carelab" / "desk.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def wait_for(true: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def answer(workspace: Path, name: str, source: str) -> None:
    """Write an answer into the learner's exercises, as if it had been typed."""
    path = workspace / FOLDER / "exercises.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)
    cell["source"] = source.splitlines(keepends=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_track_is_chosen_with_the_keyboard_alone(course: Any, page: Any, seen: Any) -> None:
    opened(page, course)
    for _ in range(40):  # by Tab from wherever the page puts the reader
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "cl-track":
            break
    page.keyboard.press("Space")
    wait_for(lambda: remembered(course.workspace).get("track") == "cto")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.locator("[role=status]", has_text="Your track: Product manager.").wait_for(state="visible")
    assert page.evaluate("document.activeElement.id") == "cl-track-pm", "the page was drawn again, the focus stays"
    page.locator("#cl-track > summary", has_text="Product manager").wait_for(state="visible")
    assert remembered(course.workspace)["track"] == "pm"
    assert page.locator(f"{DESK} .cl-week").count() == 6
    assert page.locator(".jp-Dialog").count() == 0
    seen.nothing()


def test_what_comes_next_and_links_lead_to_the_right_place_and_time_is_noted(course: Any, page: Any, seen: Any) -> None:
    page.add_init_script(FASTER)
    desk = opened(page, course)
    desk.locator("#cl-go").press("Enter")
    page.locator(f"{IN_FRONT} h1", has_text="Who will miss").wait_for(state="visible")
    lesson = f"{FOLDER}/lesson.ipynb"
    wait_for(lambda: remembered(course.workspace).get("last") == lesson)
    page.mouse.wheel(0, 200)
    wait_for(lambda: remembered(course.workspace)["seconds"].get(lesson, 0) >= 60)

    page.locator(".lm-TabBar-tabLabel", has_text="Course").click()
    desk.locator("#cl-tasks-1 > summary").click()
    for title in ("Exercise 10", "Exercise 4"):  # into a notebook that opens, then into one that is open
        page.locator(".lm-TabBar-tabLabel", has_text="Course").click()
        noted = remembered(course.workspace)["seconds"]
        time.sleep(1.5)
        assert remembered(course.workspace)["seconds"] == noted, "time with the desk in front is no notebook's"
        desk.locator(".cl-results a", has_text=title).first.click()
        heading = page.locator(f"{IN_FRONT} h3", has_text=title).first
        heading.wait_for(state="visible")
        wait_for(lambda heading=heading: -20 < in_view(page, heading) < 150)
    seen.nothing()


def in_view(page: Any, heading: Any) -> float:
    """How far below the top of the notebook a heading is, in pixels."""
    top = page.locator(f"{IN_FRONT} .jp-WindowedPanel-outer").bounding_box()["y"]
    box = heading.bounding_box()
    return float(box["y"] - top) if box else 1e6


def test_check_my_work_from_the_notebooks_toolbar(course: Any, page: Any, seen: Any) -> None:
    answer(course.workspace, "w01-everybody-comes", RIGHT)
    answer(course.workspace, "w01-label", WRONG)
    desk = opened(page, course)
    desk.locator("#cl-week-1 .cl-notebooks a", has_text="Exercises").click()
    page.locator(f"{IN_FRONT} h1").first.wait_for(state="visible")
    page.locator(f"{IN_FRONT} .jp-Toolbar >> text=Check my work").click()
    desk.locator("[role=status]", has_text="Checking week 1").wait_for(state="visible")
    desk.locator("#cl-check-next").click()  # and once more, while it runs
    desk.locator("[role=status]", has_text="Wait for it to finish").wait_for(state="visible")
    assert seen.errors and all("409" in error for error in seen.errors), "the browser notes the refused second click"
    seen.errors.clear()
    row = desk.locator("#cl-week-1 .cl-results tr", has_text="Exercise 2")
    row.locator("text=passed").wait_for(state="visible", timeout=90_000)
    wrong = desk.locator("#cl-week-1 .cl-results tr", has_text="Exercise 1:")
    assert "not yet" in wrong.inner_text() and len(wrong.locator("td").last.inner_text()) > 20
    assert "not attempted" in desk.locator("#cl-week-1 .cl-results tr", has_text="Exercise 4").inner_text()
    assert "Continue: Exercise 1" in desk.locator("#cl-next").inner_text()
    page.screenshot(path=SCREENSHOTS / "desk-checked.png")
    for item in ("Course overview", "Check my work", "Make my portfolio"):
        page.locator(".lm-MenuBar-itemLabel", has_text="Course").click()
        assert page.locator(".lm-Menu-itemLabel", has_text=item).is_visible()
        page.keyboard.press("Escape")
    seen.nothing()


def test_a_new_version_is_taken_with_what_the_learner_wrote(course: Any, page: Any, seen: Any) -> None:
    name, note = f"{FOLDER}/lesson.ipynb", "my own remark"
    own, base = course.workspace / name, course.workspace / ".carelab" / "base" / name
    for path in (
        base,
        own,
    ):  # as if the lesson had been another one when it was given, and the learner had written into it
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = next(c for c in notebook["cells"] if c["cell_type"] == "markdown" and c["source"][0].startswith("## "))
        cell["source"] = [*cell["source"], "\n", "A sentence of the older version."]
        cell["id"] = hashlib.sha256(f"markdown\n{''.join(cell['source'])}".encode()).hexdigest()[:12]
        if path == own:
            extra = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": [note]}
            notebook["cells"].insert(2, extra)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    bring(paths.RELEASE, course.workspace)
    desk = opened(page, course)
    update = desk.locator(".cl-update", has_text="Lesson")
    assert "text" in update.locator("ul").inner_text(), "it says what changed"
    page.screenshot(path=SCREENSHOTS / "desk-update.png")
    update.locator("button").click()
    desk.locator("[role=status]", has_text="You have the new version").wait_for(state="visible")
    update.wait_for(state="detached")  # the page is drawn again after the sentence is said
    taken = own.read_text(encoding="utf-8")
    assert note in taken and "older version" not in taken
    old = list((course.workspace / "backups" / FOLDER).glob("lesson *.ipynb"))
    assert [note in path.read_text() and "older version" in path.read_text() for path in old] == [True]
    seen.nothing()


def test_starting_over_asks_first_keeps_a_copy_and_restarts(course: Any, page: Any, seen: Any) -> None:
    desk = opened(page, course)
    desk.locator("#cl-week-1 .cl-notebooks a", has_text="Project").click()
    page.locator(f"{IN_FRONT} h1").first.wait_for(state="visible")
    idle = page.locator(f"{IN_FRONT} .jp-Notebook-ExecutionIndicator[data-status='idle']")
    idle.wait_for(state="visible")
    first = page.locator(f"{IN_FRONT} .jp-CodeCell").first
    first.locator(".cm-content").first.click()
    page.keyboard.insert_text("kept = 'not saved yet'\n")

    page.locator(".lm-TabBar-tabLabel", has_text="Course").click()
    over = desk.locator("#cl-reset-1-project")
    over.click()
    page.locator(".jp-Dialog").wait_for(state="visible")
    page.keyboard.press("Enter")  # whoever presses Enter without reading has lost nothing
    page.locator(".jp-Dialog").wait_for(state="detached")
    assert not (course.workspace / "backups" / FOLDER).is_dir() or not list(
        (course.workspace / "backups" / FOLDER).glob("project *")
    )
    over.click()
    page.locator(".jp-Dialog button", has_text="Start over").click()
    desk.locator("[role=status]", has_text="it is as it was").wait_for(state="visible")
    (copy,) = (course.workspace / "backups" / FOLDER).glob("project *.ipynb")
    assert "not saved yet" in copy.read_text(encoding="utf-8"), "what was not saved is in the copy, too"
    assert "not saved yet" not in (course.workspace / FOLDER / "project.ipynb").read_text(encoding="utf-8")
    page.locator(".lm-TabBar-tabLabel", has_text="project").click()
    wait_for(lambda: "not saved yet" not in first.inner_text(), 60)
    # JupyterLab's own remark, now and then: it was asking the kernel something when that was restarted.
    seen.errors = [error for error in seen.errors if "debugger state" not in error]
    seen.nothing()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nobody_is_shut_out(theme: str, course: Any, page: Any, seen: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="requirements-dev.lock has it").Axe()
    settings = course.workspace.parent / "home" / "jupyter" / "lab" / "user-settings" / THEME.replace(":", "/")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.with_suffix(".jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    desk = opened(page, course)
    page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    for part in desk.locator("details").all():
        part.evaluate("part => { part.open = true }")
    name = theme.split()[-1].lower()
    for width, height in ((1400, 1000), (1024, 700)):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"desk-{name}-{width}.png")
        assert page.evaluate(f"(d => d.scrollWidth <= d.clientWidth)(document.querySelector('{DESK}'))"), "too wide"
    # axe judges the colours it can see, and takes what stands in JupyterLab's body, 0 pixels high, for hidden.
    whole = desk.evaluate("desk => desk.scrollHeight")
    page.set_viewport_size({"width": 1400, "height": whole + 1000})
    page.add_style_tag(content="body { height: 100vh }")
    found = axe.run(page, context=DESK)
    assert found.violations_count == 0, found.generate_report()

    desk.evaluate("""desk => { desk.insertAdjacentHTML('beforeend',
        '<img src="data:,"><button></button><p style="color: #999; background: #888">pale</p>') }""")
    broken = axe.run(page, context=DESK)
    assert {v["id"] for v in broken.response["violations"]} >= {"image-alt", "button-name", "color-contrast"}
    seen.nothing()


def test_a_page_that_does_not_come_leaves_a_sentence_and_a_button(course: Any, page: Any, seen: Any) -> None:
    page.route("**/carelab/desk*", lambda route: route.fulfill(status=404, body="{}"))
    page.goto(course.address)
    again = page.locator(f"{DESK} button", has_text="Try again")
    again.wait_for(state="visible")
    assert "Your notebooks are in the list on the left." in page.locator(DESK).inner_text()
    page.locator(".jp-DirListing-item").first.wait_for(state="visible")  # JupyterLab works as it always does
    page.unroute("**/carelab/desk*")
    again.click()
    page.locator(f"{DESK} #cl-next").wait_for(state="visible")
    assert not seen.outside


def test_a_reload_stays_where_the_learner_was(course: Any, page: Any, seen: Any) -> None:
    desk = opened(page, course)
    desk.locator("#cl-week-1 .cl-notebooks a", has_text="Lesson").click()
    page.locator(f"{IN_FRONT} h1", has_text="Who will miss").wait_for(state="visible")
    wait_for(lambda: "lesson" in "".join(p.read_text() for p in (course.workspace / ".carelab" / "tabs").iterdir()))
    page.reload()
    page.locator(f"{IN_FRONT} h1", has_text="Who will miss").wait_for(state="visible")
    assert page.locator(".lm-TabBar-tabLabel", has_text="Course").count() == 1, "and the desk is there, once"
    seen.nothing()
