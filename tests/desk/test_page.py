"""The desk's page, from a learner made by hand: everything that is known is on it, and nothing of it is live."""

from __future__ import annotations

import dataclasses
import itertools
import re
from html.parser import HTMLParser

import jinja2
import pytest

from carelab import curriculum
from carelab.desk import page
from carelab.learner.progress import Place
from carelab.learner.workspace import Update
from desk import samples

HOSTILE = '<img src=x onerror="alert(1)">\'"><script>alert(2)</script> {{ 7*7 }}'


class Reader(HTMLParser):
    """A page's words as a person reads them, its elements, and which are left open."""

    VOID = ("br", "img", "input")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_every_outcome_of_a_check_is_told_in_words() -> None:
    read = Reader(page.html(samples.progress()))
    for words in (
        "passed",
        "not yet",
        "not attempted",
        "changed since, check again",
        "for a person to read",
        "not checked yet",
    ):
        assert words in read.text
    assert "Your table still has 'arrived', which is filled in after the visit." in read.text
    assert "an answer that is gone" not in read.text, "a sentence about an answer that has been changed since"
    assert "1 of 5 checks passed, 2 of 8 points" in read.text
    assert not read.open, "an element is left open"


def test_a_missing_outcome_would_be_seen() -> None:
    """The test above means something: without the failed answer its words are gone."""
    passed = tuple((task, found) for task, found in samples.TASKS if not found or found.status != "failed")
    assert "not yet" not in Reader(page.html(samples.progress(passed))).text


def test_what_comes_next_stands_first_and_leads_to_its_heading() -> None:
    read = Reader(page.html(samples.progress(), base_url="/base/"))
    assert read.text.index("Continue: 2. A column from the future") < read.text.index("The weeks of your track")
    go = next(link for link in read.all("a") if link.get("id") == "cl-go")
    assert go["data-path"] == f"{samples.FOLDER}/exercises.ipynb"
    assert go["data-anchor"] == "2.-A-column-from-the-future"
    assert go["href"] == f"/base/lab/tree/{samples.FOLDER}/exercises.ipynb#2.-A-column-from-the-future"


def test_a_first_start_says_start_and_asks_for_a_track() -> None:
    fresh = samples.progress(
        tuple((task, None) for task, _ in samples.TASKS),
        None,
        {},
        Place(f"{samples.FOLDER}/lesson.ipynb", "", "Week 1, lesson"),
    )
    read = Reader(page.html(fresh))
    assert "Start here: Week 1, lesson" in read.text and "Continue" not in read.text
    assert "Choose a track" in read.text
    assert not any("checked" in radio for radio in read.all("input"))
    assert "Choose a track" not in Reader(page.html(samples.progress(track="pm"))).text.replace("Choose a track", "", 1)


@pytest.mark.parametrize(("track", "first", "weeks"), [("cto", 1, 12), ("llm", 4, 6), ("pm", 1, 6), (None, 1, 12)])
def test_weeks_come_in_the_order_of_the_track(track: str | None, first: int, weeks: int) -> None:
    read = Reader(page.html(samples.progress(track=track)))
    items = [attributes for attributes in read.all("li") if (attributes.get("class") or "").startswith("cl-week")]
    assert len(items) == weeks
    shown = re.findall(r"Week (\d+) ", read.text[read.text.index("The weeks") :])
    assert int(shown[0]) == first
    assert [radio["value"] for radio in read.all("input") if "checked" in radio] == ([track] if track else [])


def test_a_track_without_a_written_week_says_so() -> None:
    read = Reader(page.html(samples.progress(track="llm", place=None)))
    assert "The weeks of this track are in preparation." in read.text
    assert "None of these 6 weeks is written yet." in read.text


def test_minutes_spent_stand_beside_minutes_stated() -> None:
    text = Reader(page.html(samples.progress())).text
    assert "52 min of 45 min" in text and "under 1 min of 90 min" in text and "0 min of 90 min" in text
    stated = sum(week.minutes.total for week in curriculum.load().weeks if week.ready)
    assert f"52 min of {page.duration(60 * stated)} spent" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (59, "under 1 min"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7800, "2 h 10 min")],
)
def test_durations(seconds: int, words: str) -> None:
    assert page.duration(seconds) == words


def test_all_fifteen_skills_are_there_with_their_figures() -> None:
    progress = samples.progress()
    text = Reader(page.html(progress)).text
    assert len(progress.skills) == 15
    for skill in progress.skills:
        assert skill.skill.title in text
    assert "Data literacy 1 of 5" in text and "to come in weeks 7, 9, 12" in text


def test_what_the_course_refuses_and_where_data_stay() -> None:
    text = Reader(page.html(samples.progress())).text
    assert "Prompt tricks" in text and "They age in months." in text
    assert "Everything stays on this machine." in text


def test_a_new_version_is_offered_with_what_changed() -> None:
    read = Reader(page.html(samples.progress(), [samples.UPDATE]))
    assert "A clearer figure of the split." in read.text
    assert [b["data-name"] for b in read.all("button") if b.get("data-do") == "take"] == [samples.UPDATE.name]
    assert "New versions" not in Reader(page.html(samples.progress())).text


def test_the_portfolio_is_linked_once_it_is_there() -> None:
    assert "Open the PDF" not in Reader(page.html(samples.progress())).text
    read = Reader(page.html(samples.progress(), portfolio={"portfolio.pdf": "portfolio/portfolio.pdf"}))
    assert "Open the PDF" in read.text and "Open the page" not in read.text


def hostile() -> str:
    tasks = tuple(
        (
            dataclasses.replace(task, title=HOSTILE, anchor=HOSTILE),
            dataclasses.replace(found, message=HOSTILE) if found else None,
        )
        for task, found in samples.TASKS
    )
    update = Update(HOSTILE, HOSTILE, (HOSTILE,))
    place = Place(f"{samples.FOLDER}/{HOSTILE}.ipynb", HOSTILE, HOSTILE)
    return page.html(samples.progress(tasks, place=place), [update], folder=HOSTILE, busy=HOSTILE)


def live(read: Reader) -> list[str]:
    """Elements and attributes on a page that a browser would run or fetch."""
    found = [tag for tag, _ in read.elements if tag in ("script", "img", "iframe", "object", "style", "link")]
    return found + [name for _, attributes in read.elements for name in attributes if name.startswith("on")]


def test_nothing_a_notebook_says_becomes_live() -> None:
    read = Reader(hostile())
    assert live(read) == []
    assert HOSTILE.split()[0] in read.text, "it is shown as it was written"
    assert "{{ 7*7 }}" in read.text and "49" not in read.text


def test_a_page_without_escaping_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    unsafe = jinja2.Environment(loader=page._template().environment.loader, autoescape=False)
    unsafe.filters["duration"] = page.duration
    monkeypatch.setattr(page, "_template", lambda: unsafe.get_template("page.html"))
    monkeypatch.setattr(Reader, "handle_endtag", lambda self, tag: None)  # such a page does not nest either
    found = live(Reader(hostile()))
    assert "script" in found and "onerror" in found


def test_headings_go_down_one_step_at_a_time_and_ids_are_unique() -> None:
    read = Reader(page.html(samples.progress(), [samples.UPDATE, samples.UPDATE]))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_whatever_can_be_clicked_is_reached_by_keyboard_and_keeps_its_focus() -> None:
    read = Reader(page.html(samples.progress(), [samples.UPDATE]))
    for tag, attributes in read.elements:
        if "data-do" in attributes:
            assert tag == "button" and attributes.get("id"), attributes
        if "data-path" in attributes:
            assert tag == "a" and attributes["href"]
