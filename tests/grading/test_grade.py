"""`carelab grade`: a cohort's scores in nbgrader's gradebook, whatever is handed in and whenever the run is stopped."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading import tiny
from rich.console import Console

from carelab.cli import main
from carelab.errors import UserError
from carelab.grading import command, gradebook
from carelab.grading.assignment import Assignment
from carelab.grading.cohort import Cohort, Threads
from carelab.grading.command import grade_weeks
from carelab.grading.gradebook import Book
from carelab.grading.sandbox import isolation
from carelab.paths import ROOT

pytestmark = pytest.mark.skipif(isolation.available() is not None, reason=str(isolation.available()))

SCORES = """select s.student_id, b.name, g.auto_score, g.needs_manual_grade from grade g
    join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id
    join base_cell b on g.cell_id = b.id"""


def scores(course: Path) -> dict[tuple[str, str], tuple[float | None, bool]]:
    """What the gradebook holds, by student and check."""
    with sqlite3.connect(course / "gradebook.db") as db:
        return {(student, name): (score, bool(manual)) for student, name, score, manual in db.execute(SCORES)}


def total(course: Path, student: str) -> float:
    return sum(score or 0 for (who, _), (score, _) in scores(course).items() if who == student)


def run(course: Path, *students: str, **options) -> tuple[bool, str]:
    words = io.StringIO()
    needs = grade_weeks("1", course, students, 2, console=Console(file=words, width=160), **options)
    return needs, words.getvalue()


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> tuple[Path, str]:
    """Five learners, graded: all right, all wrong, nothing done, an exercise that never ends, no notebook but one."""
    course = tiny.make(tmp_path_factory.mktemp("cohort"))
    tiny.hand_in(course, "ada", tiny.RIGHT)
    tiny.hand_in(course, "bob", tiny.WRONG)
    tiny.hand_in(course, "cleo", {})
    tiny.hand_in(course, "dan", tiny.RIGHT | {"w01-double": "import os\nos._exit(0)"})
    (tiny.hand_in(course, "eve", tiny.RIGHT) / "project.ipynb").write_text('{"cells": [')
    needs, words = run(course)
    assert needs
    return course, words


def test_everybody_gets_what_the_answers_earn(cohort):
    course, _ = cohort
    assert {name: total(course, name) for name in ("ada", "bob", "cleo", "eve")} == {
        "ada": 8, "bob": 0, "cleo": 0, "eve": 7
    }  # fmt: skip
    assert scores(course)["ada", "w01-memo"] == (None, True), "a person reads it"
    assert scores(course)["cleo", "w01-memo"] == (0, False), "nothing was written"
    assert total(course, "dan") == 1, "what hangs on the answer that ended Python is lost, the rest is not"


def test_what_is_abnormal_is_flagged_with_a_sentence_and_nothing_is_left_open(cohort):
    course, words = cohort
    lines = {line.split("│")[1].strip(): line for line in words.splitlines() if line.startswith("│")}
    assert "ended Python" in lines["dan"] and "project" in lines["eve"]
    assert "written answer" in lines["ada"] and "flag" not in lines["bob"]
    assert "5 submissions, 5 graded now; 2 flagged, 2 with written answers to read" in words
    open_ones = [key for key, (score, manual) in scores(course).items() if score is None and not manual]
    assert not open_ones


def test_a_person_sees_answers_what_they_printed_and_each_sentence(cohort):
    course, _ = cohort
    cells = {
        student: {
            cell["id"]: cell
            for cell in json.loads((course / "autograded" / student / tiny.WEEK / "exercises.ipynb").read_text())[
                "cells"
            ]
        }
        for student in ("ada", "bob")
    }
    assert cells["ada"]["w01-total"]["outputs"][0]["text"] == "adding\n"
    assert cells["ada"]["w01-double-check"]["outputs"] == []
    assert cells["bob"]["w01-double"]["source"] == tiny.WRONG["w01-double"]
    assert cells["bob"]["w01-double-check"]["outputs"][0]["evalue"] == "10 gives 20"


def test_nbgraders_export_and_its_own_autograde_agree(cohort):
    course, _ = cohort
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def nbgrader(*arguments: str) -> None:
        environment = os.environ | {"PATH": path}
        result = subprocess.run(
            ["nbgrader", *arguments], cwd=course, env=environment, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, result.stderr[-2000:]

    nbgrader("export")
    with (course / "grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    before = scores(course)
    assert exported == {student: total(course, student) for student, _ in before}
    nbgrader("autograde", tiny.WEEK, "--force", "--CourseDirectory.student_id_exclude=eve")
    assert scores(course) == before


@pytest.fixture
def course(tmp_path) -> Path:
    return tiny.make(tmp_path)


def test_what_is_graded_is_graded_again_only_when_something_changed(course, monkeypatch):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    tiny.hand_in(course, "bob", tiny.WRONG)
    run(course)
    assert "2 submissions, 0 graded now" in run(course)[1]
    tiny.hand_in(course, "bob", tiny.RIGHT)
    assert "2 submissions, 1 graded now" in run(course)[1]
    assert total(course, "bob") == 8
    shutil.rmtree(course / "autograded" / "ada")
    assert "1 graded now" in run(course)[1], "half of a result is none"
    assert "2 graded now" in run(course, force=True)[1]
    notebook = course.parent / "solutions" / tiny.WEEK / "exercises.ipynb"
    notebook.write_text(notebook.read_text().replace("double(2) == 4", "double(4) == 8"))
    assert "2 graded now" in run(course)[1], "the assignment is another"


def test_a_score_given_by_hand_survives(course):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    run(course)
    with sqlite3.connect(course / "gradebook.db") as db:
        db.execute("update grade set manual_score = 1.5 where auto_score is null")
    run(course, force=True)
    with sqlite3.connect(course / "gradebook.db") as db:
        assert db.execute("select manual_score from grade where manual_score is not null").fetchall() == [(1.5,)]


def test_killed_at_any_moment_it_goes_on_where_it_stopped(course, tmp_path_factory):
    students = [f"s{number:02d}" for number in range(12)]
    whole = tiny.make(tmp_path_factory.mktemp("whole"))
    for place in (course, whole):
        for number, student in enumerate(students):
            tiny.hand_in(place, student, (tiny.WRONG, tiny.RIGHT, {})[number % 3])
    run(whole)
    command = [sys.executable, "-m", "carelab", "grade", "1", "--course", str(course), "--workers", "2"]
    for _ in range(2):
        done = saved(course)
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"CARELAB_NO_VENV": "1"}, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while saved(course) < done + 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < saved(course) < 12, "it was killed in between"
    _, words = run(course)
    assert scores(course) == scores(whole)
    assert f"12 submissions, {12 - saved_before(words)} graded now" in words and saved_before(words) >= 2


def saved(course: Path) -> int:
    """Submissions whose results are complete."""
    return len(list((course / ".carelab").glob("grades/*/*.json")))


def saved_before(words: str) -> int:
    return sum("before" in line for line in words.splitlines() if line.startswith("│"))


def test_two_writers_at_once_are_one_too_many(course):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    with Book(course), pytest.raises(UserError, match="wait until they have finished"), Book(course):
        pass


def test_a_grader_that_breaks_flags_one_and_grades_the_others(course, monkeypatch):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    tiny.hand_in(course, "bob", tiny.RIGHT | {"w01-name": "name = 'break here'"})
    real = command.Threads.submit

    def submit(self, handed):
        rooms = self._judge._rooms
        if "break here" in handed["project"].answers["w01-name"]:
            rooms["project"].trusted = None
        return real(self, handed)

    monkeypatch.setattr(command.Threads, "submit", submit)
    with Book(course) as book:
        cohort = Cohort(book, Assignment.load(tiny.WEEK, *book.sources))
        book.prepare(cohort.assignment)
        with Threads(cohort.assignment, 1) as pool:
            rows = {row.student: row for row in cohort.grade(cohort.find(), pool)}
    assert rows["ada"].score == 8 and not rows["ada"].flags
    assert rows["bob"].score == 7 and "grader itself failed" in rows["bob"].flags[0]


def test_without_isolation_it_refuses_and_unsafe_grades(course, monkeypatch, capsys):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    for module in (isolation, command):
        monkeypatch.setattr(module, "available", lambda: "Answers cannot be isolated here.")
    with pytest.raises(UserError, match="--unsafe"):
        run(course)
    assert not (course / "gradebook.db").exists()
    _, words = run(course, unsafe=True)
    assert "Without isolation" in words and total(course, "ada") == 8


def test_bad_input_is_a_sentence_and_exit_code_2(course, tmp_path, capsys):
    cases = {
        "no course folder": ["1", "--course", str(tmp_path / "nowhere")],
        "Nobody has handed in": ["1", "--course", str(course)],
        "week": ["77", "--course", str(course)],
    }
    for words, arguments in cases.items():
        with pytest.raises(SystemExit) as stopped:
            main(["grade", *arguments])
        assert stopped.value.code == 2 and words in capsys.readouterr().err
    tiny.hand_in(course, "ada", tiny.RIGHT)
    with pytest.raises(UserError, match="zoe has not handed in"):
        run(course, "zoe")


def test_the_exit_code_says_whether_a_person_is_needed(course, capsys):
    tiny.hand_in(course, "ada", tiny.RIGHT | {"w01-memo": "*Write your answer here.*"})
    for student, code in (("ada", 0), ("bob", 3)):
        tiny.hand_in(
            course, student, tiny.RIGHT if student == "bob" else tiny.RIGHT | {"w01-memo": "*Write your answer here.*"}
        )
        with pytest.raises(SystemExit) as stopped:
            main(["grade", "1", "--course", str(course), "--students", student])
        assert stopped.value.code == code, capsys.readouterr().out


def test_a_dask_cluster_gives_the_same(cohort, course):
    from distributed import LocalCluster

    for student in ("ada", "bob", "dan"):
        shutil.copytree(cohort[0] / "submitted" / student, course / "submitted" / student)
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as workers:
        run(course, cluster=workers.scheduler_address)
    expected = {key: value for key, value in scores(cohort[0]).items() if key[0] in ("ada", "bob", "dan")}
    assert scores(course) == expected
    with pytest.raises(UserError, match="No Dask scheduler answers"):
        run(course, cluster="tcp://127.0.0.1:9", force=True)


def test_a_locked_gradebook_is_a_sentence(course, monkeypatch):
    tiny.hand_in(course, "ada", tiny.RIGHT)
    run(course)
    with sqlite3.connect(course / "gradebook.db") as other:
        other.execute("begin exclusive")
        with pytest.raises(UserError, match="gradebook"):
            run(course, force=True)
    assert gradebook.READ_ONLY == 0o444
