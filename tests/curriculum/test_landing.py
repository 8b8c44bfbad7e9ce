"""The first page and README.md say what the curriculum says."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from carelab import curriculum, landing
from carelab.errors import UserError


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)#]+)\)", text)


def test_ready_weeks_are_linked_and_planned_ones_are_not() -> None:
    course = curriculum.load()
    page = landing.landing_source()
    for week in course.weeks:
        wanted = [f"{week.folder}/{name}.ipynb" for name in curriculum.NOTEBOOKS]
        assert [name in links(page) for name in wanted] == [week.ready] * 3, week.folder
    assert page.count("in preparation") == sum(not week.ready for week in course.weeks)


def test_the_page_has_one_title_and_no_skipped_heading() -> None:
    levels = [len(marks) for marks in re.findall(r"(?m)^(#{1,6}) (?!%%)\S", landing.landing_source())]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_page_names_every_week_track_and_refusal() -> None:
    course, page = curriculum.load(), landing.landing_source()
    for text in [
        *(week.question for week in course.weeks),
        *(track.title for track in course.tracks),
        *(refusal.because for refusal in course.course.refuses),
        *(resource.title for resource in course.resources),
        "synthetic",
        "check_week(1)",
        "from carelab import check, hint",
        "Check my work",
    ]:
        assert text in page


def test_a_week_that_becomes_ready_gets_links() -> None:
    course = curriculum.load()
    weeks = tuple(dataclasses.replace(week, status="ready") for week in course.weeks)
    page = landing.landing_source(dataclasses.replace(course, weeks=weeks))
    assert "in preparation" not in page
    assert "week_12_capstone_prove/project.ipynb" in links(page)


def test_a_text_cannot_break_out_of_its_cell() -> None:
    course = curriculum.load()
    bad = dataclasses.replace(course, course=dataclasses.replace(course.course, setting='a """ b'))
    with pytest.raises(UserError, match="would end its cell"):
        landing.landing_source(bad)


def test_readme_is_in_step() -> None:
    assert landing.readme_is_current(), f"README.md is older than the curriculum; mend it with: {landing.MEND}"


def test_an_old_readme_is_noticed_and_renewed(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    text = landing.README.read_text(encoding="utf-8")
    readme.write_text(text.replace("Who will miss their appointment?", "Who comes?"), encoding="utf-8")
    assert not landing.readme_is_current(readme)
    assert landing.update_readme(readme)
    assert readme.read_text(encoding="utf-8") == text
    assert not landing.update_readme(readme), "a second time has nothing to do"


@pytest.mark.parametrize("text", ["", "<!-- weeks -->\n", "<!-- weeks -->\n<!-- /weeks -->\n" * 2])
def test_a_readme_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="<!-- weeks -->"):
        landing.updated_readme(text, {"weeks": "table"})
