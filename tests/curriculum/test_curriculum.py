"""The curriculum holds together, and one that does not is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from carelab import curriculum, paths
from carelab.curriculum import CURRICULUM, Curriculum, contradictions, load
from carelab.errors import UserError

TEXT = CURRICULUM.read_text(encoding="utf-8")


def broken(tmp_path: Path, change: Callable[[str], str]) -> str:
    """The sentence that a changed curriculum is refused with."""
    text = change(TEXT)
    assert text != TEXT, "the change changes nothing"
    path = tmp_path / "curriculum.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as refused:
        load(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def test_the_course_holds_together() -> None:
    course = load()
    assert contradictions(course) == []
    assert [week.number for week in course.weeks] == list(range(1, 13))


def test_everything_the_syllabus_names_is_there() -> None:
    course = load()
    wanted = {f"C{n}" for n in range(1, 6)} | {f"L{n}" for n in range(1, 6)} | {f"P{n}" for n in range(1, 6)}
    assert {skill.id for skill in course.skills} == wanted
    assert {project.id for project in course.projects} == {f"J{n}" for n in range(13)}
    assert {track.id: [step.week for step in track.path] for track in course.tracks} == {
        "cto": list(range(1, 13)),
        "llm": [4, 5, 8, 6, 11, 12],
        "pm": [1, 3, 2, 6, 10, 11],
    }


def test_every_project_leaves_an_artefact_of_its_own() -> None:
    artefacts = [project.artefact for project in load().projects]
    assert len(set(artefacts)) == 13


def test_a_project_is_found_by_its_id() -> None:
    assert load().project("J11").artefact == "call list policy"
    with pytest.raises(UserError, match='There is no project "J99"'):
        load().project("J99")


def test_every_skill_is_taught_and_shown() -> None:
    course = load()
    for skill in course.skills:
        assert any(skill in course.skills_of(week) for week in course.weeks), skill.id
        assert any(skill.id in project.skills for project in course.projects), skill.id


def test_ready_weeks_have_their_text_and_planned_ones_have_none() -> None:
    for week in load().weeks:
        texts = {path.stem for path in (paths.COURSE / week.folder).glob("*.py")}
        assert texts == (set(curriculum.NOTEBOOKS) if week.ready else set()), week.folder


@pytest.mark.parametrize("name", [1, "1", "01", "w01", "W1", "week_01", "week 1", "week_01_ml_fundamentals/"])
def test_a_week_is_found_by_any_of_its_names(name: str | int) -> None:
    assert curriculum.week(name).folder == "week_01_ml_fundamentals"


@pytest.mark.parametrize("name", ["0", "13", "w1x", "", "week", "lesson"])
def test_what_is_no_week_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="There is no week"):
        curriculum.week(name)


def test_a_week_may_have_minutes_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "curriculum.toml"
    path.write_text(TEXT.replace("number = 1\n", "number = 1\nminutes = { project = 120 }\n", 1), encoding="utf-8")
    weeks = load(path).weeks
    assert (weeks[0].minutes.lesson, weeks[0].minutes.project) == (45, 120)
    assert weeks[-1].minutes == load(path).course.minutes


MUST_FAIL: dict[str, tuple[Callable[[str], str], str]] = {
    "not TOML": (swap("[course]", "[course"), "cannot be read as TOML"),
    "a key nobody reads": (swap('hours_per_week = "', 'hours_a_week = "'), "hours_a_week is not a key"),
    "a missing key": (swap('question = "Who will miss their appointment?"\n', ""), "question is missing"),
    "a number as text": (swap("number = 1\n", 'number = "1"\n'), "weeks[1].number has to be a whole number"),
    "true for a number": (swap("lesson = 45", "lesson = true"), "has to be a whole number"),
    "no minutes": (swap("lesson = 45", "lesson = 0"), "has to be above zero"),
    "an empty text": (swap('title = "Data readiness"', 'title = " "'), "is empty"),
    "a list that is none": (swap("weeks = [2, 11]", "weeks = 2"), "has to be a list"),
    "a status nobody knows": (swap('status = "ready"', 'status = "done"'), "one of ready, planned"),
    "a week left out": (swap("number = 12\n", "number = 13\n"), "weeks are numbered"),
    "a slug with a space": (swap('slug = "monitoring"', 'slug = "Is it working"'), "no folder name"),
    "a week without project": (swap('weeks = [10]\nskills = ["L5"', 'weeks = [9]\nskills = ["L5"'), "has no project"),
    "a skill in no lesson": (swap("weeks = [2, 11]", "weeks = []"), "skill C1 is in no week's lesson"),
    "a skill no project shows": (swap('"L2"]', '"C3"]'), "skill L2 is shown by no project"),
    "a skill shown before it is taught": (swap("weeks = [8, 9]", "weeks = [9]"), "shows skill P5 before"),
    "a project in no week": (
        swap('weeks = [3]\nskills = ["C2", "P2"]\n', 'weeks = []\nskills = ["C2", "P2"]\n'),
        "project J9 is in no week",
    ),
    "a project that leaves nothing": (swap('artefact = "call list policy"\n', ""), "artefact is missing"),
    "an artefact in one word": (swap('"call list policy"', '"policy"'), "artefact of project J11 is named in 1 words"),
    "an artefact in a sentence": (
        swap('"call list policy"', '"a policy that says who is called"'),
        "not in two to six",
    ),
    "an unknown skill": (swap('"P1"]', '"P9"]'), "names P9, which is not among the skills"),
    "an unknown week": (swap("weeks = [6, 10]", "weeks = [6, 14]"), "names week 14"),
    "an id twice": (swap('id = "J12"', 'id = "J11"'), "has the id J11 twice"),
    "a track to nowhere": (swap("{ week = 11 }, { week = 12 }", "{ week = 11 }, { week = 15 }"), "names week 15"),
    "a track in circles": (swap("{ week = 8 }, { week = 6 }", "{ week = 8 }, { week = 4 }"), "has week 4 twice"),
    "a track that skips what it needs": (swap("{ week = 4 }, { week = 5 }, { week = 8 }", "{ week = 8 }"), "needs"),
    "an unknown variant": (swap('capstone = "B"', 'capstone = "D"'), "names D, which is not among the capstones"),
}


@pytest.mark.parametrize("case", MUST_FAIL)
def test_a_curriculum_that_contradicts_itself_is_refused(case: str, tmp_path: Path) -> None:
    change, sentence = MUST_FAIL[case]
    assert sentence in broken(tmp_path, change)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"curriculum\.toml is missing"):
        load(tmp_path / "curriculum.toml")


def test_the_dataclasses_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load().weeks[0].number = 2  # type: ignore[misc]


def test_helpers_list_what_belongs_to_a_week() -> None:
    course: Curriculum = load()
    third = course.week(3)
    assert [project.id for project in course.projects_of(third)] == ["J9", "J10"]
    assert [skill.id for skill in course.skills_of(third)] == ["C2", "P2", "P3"]
    assert "AI for Medicine Specialization" in [resource.title for resource in course.resources_of(third)]
