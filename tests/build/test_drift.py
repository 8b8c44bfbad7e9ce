"""CI goes red when what is committed is not what the texts give, and says how to mend it."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from carelab.build import pipeline, release
from carelab.cli import build_app
from carelab.paths import COURSE, RELEASE, SOLUTIONS

WEEK = "week_01_ml_fundamentals"


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A copy of week 1's text, solutions and release that a test may spoil."""
    for folder, name in ((COURSE, "COURSE"), (SOLUTIONS, "SOLUTIONS"), (RELEASE, "RELEASE")):
        copy = tmp_path / folder.name
        shutil.copytree(
            folder, copy, ignore=shutil.ignore_patterns("submitted", "autograded", "feedback", "gradebook.db*")
        )
        monkeypatch.setattr(pipeline, name, copy)
    return tmp_path


def test_an_untouched_tree_is_in_step(tree):
    assert pipeline.check().problems == []


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (f"course/{WEEK}/exercises.py", "return float((missed == 0).mean())", "return 1.0", "older than its text"),
        (f"course/{WEEK}/lesson.py", "# Week 1", "# Week one", "older than its text"),
        (f"solutions/{WEEK}/exercises.ipynb", "the shrug to beat", "the shrug", "edited by hand"),
        (f"weeks_01-12/{WEEK}/exercises.ipynb", "the shrug to beat", "the shrug", "not what the build gives"),
        (f"weeks_01-12/{WEEK}/exercises.json", "w01-label", "w01-lable", "not what the build gives"),
        (f"solutions/{WEEK}/exercises.json", '"P1"', '"P2"', "not what the build gives"),
        ("weeks_01-12/START_HERE.ipynb", "# ", "# My ", "START_HERE.ipynb is older"),
    ],
)
def test_each_edit_is_named(tree, file, old, new, sentence):
    edit(tree / file, old, new)
    assert any(sentence in problem for problem in pipeline.check().problems)


def test_a_notebook_without_a_text_is_named(tree):
    shutil.copy(tree / "solutions" / WEEK / "lesson.ipynb", tree / "solutions" / WEEK / "extra.ipynb")
    assert any("extra.ipynb has no text" in problem for problem in pipeline.check().problems)


def test_the_command_fails_and_names_the_command_that_mends_it(tree, monkeypatch):
    edit(tree / "course" / WEEK / "exercises.py", "return float((missed == 0).mean())", "return 1.0")
    result = CliRunner().invoke(build_app(), ["build", "--check"])
    assert result.exit_code != 0
    assert pipeline.MEND in str(result.exception)


def test_building_twice_gives_the_same_bytes(tmp_path):
    """Two runs in two fresh kernels, and the committed notebook: same text, metadata, printed output."""
    text = COURSE / WEEK / "lesson.py"
    first, second = (pipeline.make(text)[1] for _ in range(2))
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    for name in ("one", "two"):
        release.generate(SOLUTIONS, WEEK, tmp_path / name)
    for path in (tmp_path / "one" / WEEK).iterdir():
        assert path.read_bytes() == (tmp_path / "two" / WEEK / path.name).read_bytes()


def test_a_folder_is_swapped_whole(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir(), new.mkdir()
    (old / "a").write_text("old"), (new / "b").write_text("new")
    release.swap(new, old)
    assert [path.name for path in old.iterdir()] == ["b"] and not new.exists()
