"""Progress comes from verified results, of answers that are still the ones that were checked; no file can make it raise."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import threading
from pathlib import Path

import pytest

from carelab import curriculum
from carelab.errors import UserError
from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.submission import usable
from carelab.learner import progress
from carelab.paths import RELEASE

READY = [week for week in curriculum.load().weeks if week.ready]
WEEK = READY[0]
TASKS = progress.tasks(WEEK.number)
CHECKS = [task for task in TASKS if task.kind != "written"]
ALL_CHECKS = [task for week in READY for task in progress.tasks(week.number) if task.kind != "written"]
EXERCISES, PROJECT = f"{WEEK.folder}/exercises.ipynb", f"{WEEK.folder}/project.ipynb"
STUBS = {
    name: usable(source)
    for path in (RELEASE / WEEK.folder).glob("*.ipynb")
    for name, source in answers(read_notebook(path)).items()
}


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A learner's folder as it is given."""
    folder = tmp_path / WEEK.folder
    folder.mkdir()
    for path in (RELEASE / WEEK.folder).glob("*.ipynb"):
        (folder / path.name).write_bytes(path.read_bytes())
    return tmp_path


def results(workspace: Path, passed=(), **changes) -> None:
    """As `carelab check` leaves them, with the answers that stand there now."""
    checks = {}
    for task in TASKS:
        good = task.name in passed
        status = "for a person" if task.kind == "written" and good else "passed" if good else "not attempted"
        earned = task.points if good and task.kind == "exercise" else 0.0
        checks[task.name] = {
            "status": status,
            "points": task.points,
            "earned": earned,
            "message": "",
            "answer": progress.digest(STUBS[task.name]),
        } | changes.get(task.name.replace("-", "_"), {})
    put(workspace, "results.json", {WEEK.folder: {"checked_at": "2026-07-01T10:00:00+00:00", "checks": checks}})


def put(workspace: Path, name: str, content) -> None:
    (workspace / ".carelab").mkdir(exist_ok=True)
    (workspace / ".carelab" / name).write_text(content if isinstance(content, str) else json.dumps(content))


def of_week(workspace: Path) -> progress.WeekProgress:
    return next(week for week in progress.read(workspace).weeks if week.week == WEEK)


def edit(workspace: Path, name: str, source: str) -> None:
    task = next(task for task in TASKS if task.name == name)
    path = workspace / WEEK.folder / f"{task.notebook}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell.get("id") == name:
            cell["source"] = source
    path.write_text(json.dumps(notebook))


# ---------------------------------------------------------------- tasks and results


def test_tasks_are_those_of_the_release_in_order():
    assert [task.notebook for task in TASKS] == sorted(task.notebook for task in TASKS)  # exercises before project
    assert {task.name for task in TASKS} == STUBS.keys()
    assert sum(task.points for task in TASKS if task.kind == "exercise") == 20
    assert all(task.title and task.anchor.startswith("#") and task.skills for task in TASKS)
    assert all(task.hints for task in CHECKS)
    assert all(progress.tasks(week.number) == () for week in curriculum.load().weeks if not week.ready)


def test_every_skill_of_a_week_is_exercised_by_a_check():
    for week in curriculum.load().weeks:
        if week.ready:
            exercised = {
                skill for task in progress.tasks(week.number) if task.kind != "written" for skill in task.skills
            }
            assert exercised == {skill.id for skill in curriculum.load().skills_of(week)}


def test_nothing_is_verified_in_a_fresh_folder(workspace):
    found = progress.read(workspace)
    assert found.track is None and [week.week.number for week in found.weeks] == list(range(1, 13))
    week = found.weeks[0]
    assert (week.earned, week.possible, week.passed, week.done) == (0, 20, 0, False)
    assert [verified for _, verified in week.tasks] == [None] * len(TASKS)
    assert len(found.skills) == len(curriculum.load().skills) and not any(skill.share for skill in found.skills)


def test_verified_results_count_by_week_and_skill(workspace):
    names = {task.name for task in CHECKS if "P1" in task.skills}
    results(workspace, passed=names)
    week, found = of_week(workspace), progress.read(workspace)
    assert (
        week.passed == len(names) and week.earned == sum(t.points for t in CHECKS if t.name in names) and not week.done
    )
    for skill in found.skills:
        asked = [task for task in ALL_CHECKS if skill.skill.id in task.skills]
        assert (skill.passed, skill.checks) == (sum(task.name in names for task in asked), len(asked))
    results(workspace, passed=[task.name for task in TASKS])
    assert of_week(workspace).done and of_week(workspace).earned == 20


def test_an_answer_that_was_changed_since_does_not_count(workspace):
    names = [task.name for task in CHECKS]
    results(workspace, passed=[task.name for task in TASKS])
    edit(workspace, names[0], "def missed_label(visits):\n    return 1")
    week = of_week(workspace)
    verified = dict((task.name, v) for task, v in week.tasks)
    assert verified[names[0]].status == "passed" and not verified[names[0]].current and verified[names[1]].current
    assert week.passed == len(names) - 1 and not week.done and week.earned == 20 - CHECKS[0].points
    edit(workspace, names[0], STUBS[names[0]])
    assert of_week(workspace).done


def test_a_result_without_its_notebook_or_its_answer_does_not_count(workspace):
    results(workspace, passed=[task.name for task in CHECKS], w01_label={"answer": None}, w01_confusion={"answer": ""})
    assert of_week(workspace).passed == len(CHECKS) - 2
    (workspace / EXERCISES).unlink()
    assert of_week(workspace).earned == 0


@pytest.mark.parametrize("earned", [1e9, -1, "2", None, float("nan"), float("inf"), [2]])
def test_nobody_earns_more_than_there_is(workspace, earned):
    results(workspace, passed=["w01-label"], w01_label={"status": "passed", "earned": earned})
    assert of_week(workspace).earned == 0


def test_a_status_that_is_none_does_not_count(workspace):
    results(workspace, w01_label={"status": "brilliant"}, w01_confusion={"status": ["passed"]})
    verified = {task.name: v for task, v in of_week(workspace).tasks}
    assert verified["w01-label"] is None and verified["w01-confusion"] is None and verified["w01-best-calls"]


# ---------------------------------------------------------------- what comes next


def test_next_begins_with_the_lesson_and_goes_on_with_the_first_open_task(workspace):
    assert progress.read(workspace).next == progress.Place(
        f"{WEEK.folder}/lesson.ipynb", "", f"Lesson: {WEEK.question}"
    )
    for _ in range(WEEK.minutes.lesson // 4 + 1):
        progress.note_time(workspace, f"{WEEK.folder}/lesson.ipynb", 119)
    assert progress.read(workspace).next == progress.Place(EXERCISES, TASKS[0].anchor, TASKS[0].title)
    names = [task.name for task in CHECKS]
    results(workspace, passed=names[:2])
    assert progress.read(workspace).next == progress.Place(EXERCISES, CHECKS[2].anchor, "Exercise 3: split by date")
    results(workspace, passed=names)
    assert progress.read(workspace).next.words == "Written answer 1: the board member"
    results(workspace, passed=[task.name for task in TASKS])
    assert progress.read(workspace).next.path == f"{READY[1].folder}/lesson.ipynb"


def test_next_prefers_the_notebook_that_was_open_last_while_it_is_unfinished(workspace):
    progress.note_time(workspace, PROJECT, 1)
    in_project = [task.name for task in TASKS if task.notebook == "project"]
    assert progress.read(workspace).next.path == PROJECT
    results(workspace, passed=in_project)
    assert progress.read(workspace).next.path == EXERCISES
    progress.note_time(workspace, f"{WEEK.folder}/lesson.ipynb", 1)
    assert progress.read(workspace).next.path == EXERCISES


def test_a_notebook_that_was_only_opened_shows_that_a_week_was_begun(workspace):
    progress.note_time(workspace, PROJECT, 0)
    assert progress.read(workspace).next.path == PROJECT


def test_results_alone_show_that_a_week_was_begun(workspace):
    results(workspace, w01_label={"status": "failed"})
    assert progress.read(workspace).next == progress.Place(EXERCISES, TASKS[0].anchor, TASKS[0].title)


# ---------------------------------------------------------------- track and time


def test_a_track_is_remembered_and_orders_the_weeks(workspace):
    progress.note_time(workspace, EXERCISES, 60)
    progress.choose_track(workspace, "pm")
    found = progress.read(workspace)
    assert found.track.id == "pm" and [week.week.number for week in found.weeks] == [1, 3, 2, 6, 10, 11]
    assert of_week(workspace).seconds == {"exercises": 60}
    progress.choose_track(workspace, "llm")  # a track without a week that is there
    assert progress.read(workspace).next is None
    exercised = {skill for task in ALL_CHECKS for skill in task.skills}
    assert {skill.skill.id for skill in progress.read(workspace).skills if skill.checks} == exercised
    with pytest.raises(UserError, match="There is no track"):
        progress.choose_track(workspace, "ceo")
    assert progress.read(workspace).track.id == "llm"


def test_time_adds_up_by_notebook(workspace):
    for seconds in (120, 30, 0):
        progress.note_time(workspace, EXERCISES, seconds)
    progress.note_time(workspace, PROJECT, 0)
    assert of_week(workspace).seconds == {"exercises": 150}
    assert json.loads((workspace / ".carelab" / "desk.json").read_text())["last"] == PROJECT


@pytest.mark.parametrize("seconds", [-1, 121, 1.5, True, "60", None, 10**30])
def test_time_that_is_none_is_refused(workspace, seconds):
    with pytest.raises(UserError, match="whole seconds"):
        progress.note_time(workspace, EXERCISES, seconds)
    assert not (workspace / ".carelab").exists()


@pytest.mark.parametrize(
    "path", ["../x.ipynb", f"/{EXERCISES}", "a/../b.ipynb", f"{WEEK.folder}/lesson.txt", "", "a\\b.ipynb", "a\0.ipynb"]
)
def test_a_path_that_is_none_is_refused(workspace, path):
    with pytest.raises(UserError, match="in your own folder"):
        progress.note_time(workspace, path, 1)


def test_only_notebooks_of_the_course_are_counted(workspace):
    (workspace / "mine.ipynb").write_text("{}")
    for path in ("mine.ipynb", f"{WEEK.folder}/other.ipynb", "week_02_healthcare_data_flows/lesson.ipynb"):
        progress.note_time(workspace, path, 60)
    assert not (workspace / ".carelab" / "desk.json").exists()


def test_two_writers_lose_nothing(workspace):
    def add() -> None:
        for _ in range(20):
            progress.note_time(workspace, EXERCISES, 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert of_week(workspace).seconds == {"exercises": 80}


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / ".carelab").write_text("a file")
    assert progress.read(tmp_path).next
    with pytest.raises(UserError, match="cannot be written"):
        progress.choose_track(tmp_path, "pm")


# ---------------------------------------------------------------- damaged files

JUNK = [
    *("", "{", "[]", "null", "3", '"x"', "\x00\ufffd", "[" * 100_000, '{"a":' * 50_000),
    '{"track": ["pm"], "last": {}, "seconds": [1]}',
    '{"track": {}, "last": 3, "seconds": {"x": "y", "week_01_ml_fundamentals/lesson.ipynb": 1e400}}',
    json.dumps({WEEK.folder: 3}),
    json.dumps({WEEK.folder: {"checks": [1]}}),
    json.dumps({WEEK.folder: {"checks": {"w01-label": 3}}}),
    json.dumps(
        {WEEK.folder: {"checked_at": {}, "checks": {"w01-label": {"status": "passed", "earned": {}, "answer": 1}}}}
    ),
    '{"cells": [3], "nbformat": 4}',
    '{"cells": {}, "nbformat": 4}',
    '{"nbformat": 4, "cells": [{"source": 3, "metadata": {"nbgrader": 3}}]}',
]


@pytest.mark.parametrize("name", [".carelab/results.json", ".carelab/desk.json", EXERCISES])
@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_counts_as_empty(workspace, name, junk):
    results(workspace, passed=["w01-label"])
    progress.choose_track(workspace, "pm")
    (workspace / name).write_text(junk, encoding="utf-8")
    assert of_week(workspace).earned == (2 if name.endswith("desk.json") else 0)
    progress.note_time(workspace, PROJECT, 5)
    assert of_week(workspace).seconds == {"project": 5}


def test_files_with_holes_never_raise(workspace):
    """Any bytes anywhere: a few hundred files that were cut, spoiled or mixed."""
    results(workspace, passed=[task.name for task in TASKS])
    progress.choose_track(workspace, "cto")
    progress.note_time(workspace, EXERCISES, 60)
    chance = random.Random(7)
    for name in (".carelab/results.json", ".carelab/desk.json", PROJECT):
        whole = (workspace / name).read_bytes()
        for _ in range(120):
            spoiled = bytearray(whole)
            for _ in range(chance.randint(1, 20)):
                spoiled[chance.randrange(len(spoiled))] = chance.choice(b'{}[]",:0e-\x00\xff\\')
            (workspace / name).write_bytes(
                spoiled[: chance.randint(0, len(spoiled))] if chance.random() < 0.5 else spoiled
            )
            found = progress.read(workspace)
            assert 0 <= found.weeks[0].earned <= 20 and len(found.skills) == 15
        (workspace / name).write_bytes(whole)
    assert of_week(workspace).done


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", [".carelab/results.json", ".carelab/desk.json", EXERCISES])
def test_nothing_waits_for_a_pipe_or_follows_a_loop(workspace, name):
    results(workspace, passed=["w01-label"])
    put(workspace, "desk.json", {})
    (workspace / name).unlink()
    os.mkfifo(workspace / name)
    progress.read(workspace)
    (workspace / name).unlink()
    (workspace / name).symlink_to(workspace / name)
    progress.read(workspace)
    (workspace / name).unlink()
    (workspace / name).mkdir()
    assert progress.read(workspace).weeks


def test_a_file_that_is_too_large_is_not_read(workspace, monkeypatch):
    results(workspace, passed=["w01-label"])
    monkeypatch.setattr(progress, "_MOST_BYTES", 100)
    assert of_week(workspace).earned == 0


def test_a_course_of_damaged_lists_of_tasks_has_none(tmp_path, monkeypatch):
    (tmp_path / WEEK.folder).mkdir()
    monkeypatch.setattr(progress, "RELEASE", tmp_path)
    entry = {
        "notebook": "exercises",
        "title": "t",
        "anchor": "#t",
        "kind": "gate",
        "points": 0,
        "skills": [],
        "hints": [],
    }
    spoiled = [{**entry, key: None} for key in ("kind", "points", "skills", "hints")]
    good = {"w01-good": entry}
    for content in ("{", "[]", json.dumps({"a": 3, **{f"b{n}": one for n, one in enumerate(spoiled)}, **good})):
        (tmp_path / WEEK.folder / "exercises.json").write_text(content)
        found = progress.tasks(WEEK.number)
    assert [task.name for task in found] == ["w01-good"]
    assert progress.read(tmp_path).next


def test_notebooks_that_did_not_change_are_not_read_again(workspace, monkeypatch):
    results(workspace, passed=["w01-label"])
    assert of_week(workspace).earned == 2
    monkeypatch.setattr("carelab.grading.submission.read_handed", None)
    assert of_week(workspace).earned == 2
    os.utime(workspace / EXERCISES, ns=(1, 1))
    with pytest.raises(TypeError):
        of_week(workspace)


def test_a_course_whose_weeks_are_all_done_has_no_next_and_points_at_a_week_that_is_not(workspace, monkeypatch):
    """With a second week that is there, the first one being done leads to its lesson."""
    course = curriculum.load()
    two = dataclasses.replace(course.weeks[1], status="ready")
    monkeypatch.setattr(
        progress, "load", lambda: dataclasses.replace(course, weeks=(course.weeks[0], two, *course.weeks[2:]))
    )
    results(workspace, passed=[task.name for task in TASKS])
    assert progress.read(workspace).next.path == f"{two.folder}/lesson.ipynb"


# ---------------------------------------------------------------- answers that build on others


def current(workspace: Path) -> dict[str, bool]:
    return {task.name: bool(verified and verified.current) for task, verified in of_week(workspace).tasks}


def test_what_builds_on_a_changed_answer_no_longer_counts(workspace):
    edit(workspace, "w01-precision-recall", "def precision_and_recall(a, b):\n    return call_outcomes(a, b)")
    own = {"answer": progress.digest("def precision_and_recall(a, b):\n    return call_outcomes(a, b)")}
    results(workspace, passed={task.name for task in CHECKS}, w01_precision_recall=own)
    assert all(current(workspace)[task.name] for task in CHECKS)
    edit(workspace, "w01-confusion", "def call_outcomes(missed, called):\n    return 1")
    after = current(workspace)
    assert not after["w01-confusion"] and not after["w01-precision-recall"], "it calls what has changed"
    assert after["w01-label"] and after["w01-call-threshold"], "these do not"
    assert "w01-confusion" in of_week(workspace).pending and "w01-label" not in of_week(workspace).pending


def test_in_the_project_a_change_goes_through_the_courses_own_cells(workspace):
    results(workspace, passed={task.name for task in CHECKS})
    edit(workspace, "w01-j11-features", 'features = ["age"]')
    after = current(workspace)
    assert not after["w01-j11-features"] and not after["w01-j11-gain"], "the model is fitted on the features"
    assert after["w01-j11-action"], "the action of a band hangs on nothing else"


@pytest.mark.parametrize("source", ["def (", "", "\0", "x = " + "(" * 10_000])
def test_no_answer_makes_it_raise(workspace, source):
    results(workspace, passed={task.name for task in CHECKS})
    edit(workspace, "w01-confusion", source)
    assert not current(workspace)["w01-confusion"] and current(workspace)["w01-label"]


def test_a_week_is_done_when_what_a_person_reads_is_written_too(workspace):
    results(workspace, passed={task.name for task in CHECKS})
    assert not of_week(workspace).done
    assert progress.read(workspace).next.words.startswith("Written answer")
    results(workspace, passed={task.name for task in TASKS})
    assert of_week(workspace).done


def test_what_is_written_and_not_checked_is_passed_over(workspace):
    results(workspace)
    progress.note_time(workspace, EXERCISES, 60)
    edit(workspace, CHECKS[0].name, "def missed_label(visits):\n    return 1")
    assert progress.read(workspace).next.words == CHECKS[1].title
