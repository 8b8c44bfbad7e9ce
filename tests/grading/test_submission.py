"""Reading what anybody may have written: only answers come out, and no file, link or pipe does more than that."""

import json
import os
import pickle
import time
import warnings
from datetime import datetime
from pathlib import Path

import pytest

from carelab.errors import UserError
from carelab.grading import submission
from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.submission import Handed, Submitted, fingerprint, read_handed, submissions, timestamp, usable
from carelab.paths import RELEASE, SOLUTIONS

WEEK = "week_01_ml_fundamentals"


def answer(name="a", source="a = 1", **entry):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"nbgrader": {"grade_id": name, "solution": True} | entry},
    }


def write(path: Path, *cells) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    return path


@pytest.fixture
def notebook(tmp_path):
    return tmp_path / "student" / WEEK / "exercises.ipynb"


@pytest.mark.parametrize("stem", ["exercises", "project"])
def test_a_whole_notebook_gives_what_an_ordinary_reader_takes_from_it(stem):
    path = SOLUTIONS / WEEK / f"{stem}.ipynb"
    expected = answers(read_notebook(path))
    assert read_handed(path, expected) == Handed(expected) and expected
    assert read_handed(RELEASE / WEEK / f"{stem}.ipynb", list(expected)).answers.keys() == expected.keys()


def test_only_solution_cells_of_the_names_asked_for(notebook):
    write(notebook, answer("a"), answer("b"), answer("a-check", solution=False), answer("c", solution="yes"))
    assert read_handed(notebook, ["a", "a-check", "c"]).answers == {"a": "a = 1"}
    assert pickle.loads(pickle.dumps(read_handed(notebook, {"b"}))) == Handed({"b": "a = 1"})


def test_the_first_cell_of_a_name_counts_and_another_text_is_told(notebook):
    write(notebook, answer(source=["a = ", "1"]), answer(source="a = 1"))
    assert read_handed(notebook, ["a"]) == Handed({"a": "a = 1"})
    write(notebook, answer(source="a = 1"), answer(source="a = 2"))
    found = read_handed(notebook, ["a"])
    assert found.answers == {"a": "a = 1"} and "stands there twice" in found.flag


def test_what_is_left_out_or_missing_is_told_once(notebook):
    write(notebook, answer("a", "x" * 200_001), answer("b", "é" * 100_000), answer("c", ["a", 1]), answer("d"))
    found = read_handed(notebook, ["a", "b", "c", "d", "e"])
    assert found.answers == {"b": "é" * 100_000, "d": "a = 1"}
    assert found.flag == (
        "In exercises.ipynb the answer a is longer than 200 kB and was left out "
        "(and 2 more of its answers are not as they should be)."
    )


def test_a_lesson_has_no_answers_and_needs_no_flag(notebook):
    write(notebook)
    assert read_handed(notebook, []) == Handed({})
    assert "none of the answer cells" in read_handed(notebook, ["a"]).flag


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a\ud83d\ude00é\ufeff", "a😀é\ufeff"),
        ("\ufeffa = 1", "\ufeffa = 1"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("a\0b\udcff", "a\ufffdb\ufffd"),
    ],
)
def test_every_answer_can_be_encoded(notebook, text, expected):
    assert usable(text) == expected and expected.encode()
    write(notebook, answer(source=list(text)))
    found = read_handed(notebook, ["a"])
    assert found.answers == {"a": expected} and bool(found.flag) == ("\ufffd" in expected)


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "large", "device", "linked folder", "missing"])
def test_what_is_no_plain_file_is_not_opened(notebook, kind):
    elsewhere = write(notebook.parents[1] / "elsewhere" / "exercises.ipynb", answer())
    assert read_handed(elsewhere, ["a"]).answers
    if kind == "linked folder":
        notebook.parent.symlink_to(elsewhere.parent, target_is_directory=True)
    else:
        notebook.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(notebook)
    elif kind == "link":
        notebook.symlink_to(elsewhere)
    elif kind == "folder":
        notebook.mkdir()
    elif kind == "large":
        with notebook.open("wb") as file:
            file.truncate(submission.NOTEBOOK_BYTES + 1)
    elif kind == "device":
        notebook.symlink_to("/dev/zero")
    begun = time.monotonic()
    found = read_handed(notebook, ["a"])
    assert found.answers == {} and found.flag.startswith("The notebook exercises.ipynb ")
    assert time.monotonic() - begun < 1
    assert str(notebook.parent) not in found.flag
    assert ("was not handed in" in found.flag) == (kind == "missing")


def test_a_file_that_becomes_a_pipe_does_not_block(notebook, monkeypatch):
    """Between the look and the opening: the flags of the opening hold by themselves."""
    write(notebook, answer())
    before = os.stat(notebook)
    notebook.unlink()
    os.mkfifo(notebook)
    monkeypatch.setattr(submission.os, "stat", lambda *_, **__: before)
    assert "no ordinary file" in read_handed(notebook, ["a"]).flag
    notebook.unlink()
    notebook.symlink_to("/etc/passwd")
    assert "cannot be read" in read_handed(notebook, ["a"]).flag


def test_names_that_cannot_be_a_path():
    for path in (Path("a\0b/exercises.ipynb"), Path("\ud800/exercises.ipynb"), Path("x" * 5000) / "exercises.ipynb"):
        assert read_handed(path, ["a"]).flag


# ---------------------------------------------------------------- the folder of submissions


def test_the_students_who_handed_in_a_week(tmp_path):
    for student in ("ben", "anna.meier@clinic", "O'Brien, Zoë (2)", "李雷", "e\u0301mile"):
        (tmp_path / student / WEEK).mkdir(parents=True)
    (tmp_path / "lazy" / "week_02").mkdir(parents=True)
    (tmp_path / ".DS_Store").touch()
    found = submissions(tmp_path, WEEK)
    assert [one.student for one in found] == sorted(
        ["ben", "anna.meier@clinic", "O'Brien, Zoë (2)", "李雷", "e\u0301mile"]
    )
    assert not any(one.flag for one in found)
    assert found[0] == Submitted(found[0].student, tmp_path / found[0].student / WEEK)


UNFIT = [
    "=cmd()",
    "+1",
    "-1",
    "@x",
    "..x",
    "a..b",
    ".x",
    "a\nb",
    "a\x1bb",
    "<b>",
    'a"b',
    "a&b",
    "a\\b",
    "*",
    "[a]",
    "{x}",
    "a ",
]
UNFIT += ["a.", " a", "a\u202eb", "x" * 201, "a;b", "~", "$HOME", "%s"]


@pytest.mark.parametrize("name", [*UNFIT, os.fsdecode(b"a\xff")])
def test_a_name_that_is_unfit_is_listed_with_a_reason(tmp_path, name):
    (tmp_path / name / WEEK).mkdir(parents=True)
    (one,) = submissions(tmp_path, WEEK)
    assert "unfit" in one.flag and one.flag.endswith(".") and len(one.flag) < 300
    assert one.folder == tmp_path / name / WEEK
    assert "?" in one.student and one.flag.encode() and one.student.isprintable()
    assert not set('<>&"=+-@*{}[]\\\n') & set(one.student[0] + one.student.replace("-", "").replace("@", ""))


@pytest.mark.parametrize("kind", ["student", "week", "file for student", "file for week", "loop"])
def test_links_and_files_are_listed_with_a_reason(tmp_path, kind):
    elsewhere, cohort = tmp_path / "elsewhere", tmp_path / "submitted"
    (elsewhere / WEEK).mkdir(parents=True)
    cohort.mkdir()
    if kind == "student":
        (cohort / "anna").symlink_to(elsewhere)
    elif kind == "loop":
        (cohort / "anna").symlink_to("anna")
    elif kind == "file for student":
        (cohort / "anna").write_text("mine")
    else:
        (cohort / "anna").mkdir()
        if kind == "week":
            (cohort / "anna" / WEEK).symlink_to(elsewhere / WEEK)
        else:
            (cohort / "anna" / WEEK).write_text("mine")
    (one,) = submissions(cohort, WEEK)
    assert one.student == "anna" and "a link or a file" in one.flag


def test_no_folder_of_submissions_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="put each hand-in there as STUDENT/week_01"):
        submissions(tmp_path / "submitted", WEEK)


# ---------------------------------------------------------------- time and fingerprint

TIMES = [
    "2026-11-02 15:58:23.948203 UTC",
    "2026-11-02 15:58:23 America/New_York",
    "2026-11-02 15:58:23 -0700",
    "2026-11-02 15:58:23 Nowhere",
    "2026-11-02T15:58:23+02:00",
    "2026-11-02T15:58:23Z",
    "2026-11-02 15:58",
    "Mon Nov 2 15:58:23 2026",
]


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_as_nbgrader_reads_it(tmp_path, text):
    from nbgrader.utils import parse_utc

    (tmp_path / "timestamp.txt").write_text(f"{text}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert timestamp(tmp_path) == parse_utc(text) != None  # noqa: E711
    assert timestamp(tmp_path).tzinfo is None


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "5", "10:00", "2026-13-45", "0001-01-01T00:00:00+23:59", "9" * 150, "2026 " * 30, "\0", "x" * 201]
    + [f"2026-11-02 15:58:23 {zone}" for zone in ("/etc/localtime", "../x", "9999999")],
)
def test_garbage_is_no_time(tmp_path, text):
    (tmp_path / "timestamp.txt").write_text(text)
    assert timestamp(tmp_path) is None


def test_a_time_is_not_read_from_elsewhere(tmp_path):
    (tmp_path / "mine").write_text(TIMES[0])
    (tmp_path / "timestamp.txt").symlink_to("mine")
    assert timestamp(tmp_path) is None and timestamp(tmp_path / "gone") is None
    (tmp_path / "timestamp.txt").unlink()
    os.mkfifo(tmp_path / "timestamp.txt")
    assert timestamp(tmp_path) is None
    (tmp_path / "timestamp.txt").unlink()
    (tmp_path / "timestamp.txt").write_bytes(b"\xff\xfe2026")
    assert timestamp(tmp_path) is None
    (tmp_path / "timestamp.txt").write_text(TIMES[0])
    assert timestamp(tmp_path) == datetime(2026, 11, 2, 15, 58, 23, 948203)


def test_a_fingerprint_changes_with_what_counts_and_nothing_else(notebook):
    folder, seen = notebook.parent, set()

    def taken():
        found = fingerprint(folder, ["project", "exercises"])
        assert found == fingerprint(folder, {"exercises": 0, "project": 1})
        seen.add(found)
        return len(seen)

    assert taken() == 1
    write(notebook, answer())
    assert taken() == 2
    (folder / "other.ipynb").write_text("{}")
    (folder / "pandas.py").write_text("")
    os.utime(notebook, (1, 1))
    assert taken() == 2
    notebook.rename(folder / "project.ipynb")
    assert taken() == 3
    (folder / "timestamp.txt").write_text(TIMES[0])
    assert taken() == 4
    (folder / "project.ipynb").rename(folder / "mine")
    (folder / "project.ipynb").symlink_to("mine")
    assert taken() == 5
