"""nbgrader's own commands, run from a course folder as an instructor runs them."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from carelab.grading.sandbox.isolation import available
from carelab.paths import COURSE, RELEASE, SOLUTIONS


def nbgrader(course: Path, *arguments: str) -> str:
    # As in an activated environment: nbgrader calls alembic by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    waived = {"CARELAB_UNSAFE": "1"} if available() else {}  # honest answers only
    result = subprocess.run(
        ["nbgrader", *arguments],
        cwd=course,
        env=os.environ | {"PATH": path} | waived,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def graded_course(week, tmp_path_factory, exercises_of, hand_in) -> tuple[Path, list[str]]:
    """A course that went through generate_assignment, autograde, generate_feedback and export."""
    root = tmp_path_factory.mktemp("cohort")
    course = root / "course"
    course.mkdir()
    shutil.copy(COURSE / "nbgrader_config.py", course)
    shutil.copytree(SOLUTIONS / week, root / "solutions" / week)
    names = exercises_of(week)
    half = names[: len(names) // 2]
    nbgrader(course, "generate_assignment", week)
    hand_in(week, course / "submitted" / "perfect", None)
    hand_in(week, course / "submitted" / "empty", set())
    hand_in(week, course / "submitted" / "half", set(half))
    nbgrader(course, "autograde", week)
    nbgrader(course, "generate_feedback", week)
    nbgrader(course, "export")
    return course, half


def test_scores_are_20_0_and_the_halfs_points(graded_course, week, points_of):
    course, half = graded_course
    with (course / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"perfect": 20, "empty": 0, "half": points_of(week, set(half))}
    assert 0 < scores["half"] < 20


def test_nbgraders_release_is_the_committed_one(graded_course, week):
    course, _ = graded_course
    made = course.parent / "weeks_01-12" / week
    assert {path.name for path in made.iterdir()} == {path.name for path in (RELEASE / week).iterdir()}
    for path in made.glob("*.ipynb"):
        assert path.read_bytes() == (RELEASE / week / path.name).read_bytes()


def test_feedback_is_there_for_each_learner(graded_course, week):
    course, _ = graded_course
    for student in ("perfect", "empty", "half"):
        pages = {path.stem for path in (course / "feedback" / student / week).glob("*.html")}
        assert pages == {path.stem for path in (RELEASE / week).glob("*.ipynb")}
