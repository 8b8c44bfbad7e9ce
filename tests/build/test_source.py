"""The authors' text: every bad marker is named with its file and line, and the way back loses nothing."""

from pathlib import Path

import nbformat
import pytest

from carelab.build import back, pipeline, source, tasks
from carelab.errors import UserError

GOOD = '''# %% [markdown]
"""
# Title
"""

# %% exercise="w07-double" skills="C4"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="w07-double" points=2
assert double(2) == 4, "2 gives 4"
### BEGIN HIDDEN TESTS
assert double(3) == 6, "3 gives 6"
### END HIDDEN TESTS

# %% [markdown] hint="w07-double"
"""
1. Add it to itself.
2. Or multiply.
"""

# %% [markdown] written="w07-memo" points=5 skills="C4"
r"""
<!-- BEGIN SOLUTION -->
Because $\\alpha$ is large.
<!-- END SOLUTION -->
"""

# %% tags=["nbval-ignore-output"]
print("x")
'''


def write(folder: Path, text: str, name: str = "exercises.py") -> Path:
    path = folder / "week_07_test" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_markers_become_nbgrader_cells(tmp_path):
    read = source.read(write(tmp_path, GOOD))
    entries = {c.id: c.metadata["nbgrader"] for c in read.notebook.cells if "nbgrader" in c.metadata}
    assert set(entries) == {"w07-double", "w07-double-check", "w07-memo"}
    assert entries["w07-double-check"]["points"] == 2 and entries["w07-double-check"]["locked"]
    assert [c.metadata.get("carelab") for c in read.notebook.cells if "nbgrader" in c.metadata] == [
        {"skills": ["C4"]},
        None,
        {"skills": ["C4"]},
    ]
    assert entries["w07-memo"]["grade"] and entries["w07-memo"]["solution"]
    assert read.hints == {"w07-double": ["Add it to itself.", "Or multiply."]}
    assert not any("Add it to itself" in cell.source for cell in read.notebook.cells)


def test_what_a_week_asks_for_stands_in_the_order_a_learner_meets_it(tmp_path):
    """The file that ships beside the notebooks: progress, the desk and check() read it."""
    lesson = '# %% [markdown]\n"""\n# Start\n"""\n' + GOOD.split("# %%", 2)[2].join(["\n# %%", ""])
    path = write(
        tmp_path, GOOD.replace("# Title", "# Title\n\n```\n# no heading\n```\n\n### Of `two` **things** (2 points)")
    )
    other = write(tmp_path, lesson.replace("w07-double", "w07-first").replace("points=2", "points=0"), "lesson.py")
    found = tasks.tasks([source.read(path), source.read(other)])
    assert list(found) == ["w07-first", "w07-memo", "w07-double"]
    assert found["w07-double"] == {
        "notebook": "exercises",
        "title": "Of two things",
        "anchor": "#Of-two-things-(2-points)",
        "kind": "exercise",
        "points": 2,
        "skills": ["C4"],
        "hints": ["Add it to itself.", "Or multiply."],
    }
    assert (found["w07-first"]["kind"], found["w07-first"]["anchor"]) == ("gate", "#Start")
    assert (found["w07-memo"]["kind"], found["w07-memo"]["points"], found["w07-memo"]["hints"]) == ("written", 5, [])


def test_reading_twice_gives_the_same_cell_ids(tmp_path):
    path = write(tmp_path, GOOD + '\n# %%\nprint("x")\n\n# %%\nprint("x")\n')
    first, second = source.read(path).notebook, source.read(path).notebook
    assert first == second
    assert len({cell.id for cell in first.cells}) == len(first.cells)


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ("points=2", "", 13, "needs points"),
        ("points=2", "points=-1", 13, "needs points"),
        ("    ### BEGIN SOLUTION\n", "", 6, "needs its answer between"),
        ("### BEGIN HIDDEN TESTS\n", "", 13, "needs hidden tests"),
        ('assert double(2) == 4, "2 gives 4"\n', "double(2)\n", 13, "no visible assert"),
        (
            ' skills="C4"\ndef',
            "\ndef",
            6,
            'exercise "w07-double" needs the skills it exercises, for example skills="C4',
        ),
        ('points=5 skills="C4"', "points=5", 25, 'written "w07-memo" needs the skills'),
        ('skills="C4"', 'skills="C9"', 6, "names the skill C9, which course/curriculum.toml does not have"),
        ('skills="C4"', 'skills="P1"', 6, "names the skill P1, which this week does not teach; take C4"),
        ('skills="C4"', 'skills="C4 C4"', 6, "names a skill twice"),
        ("points=2", 'points=2 skills="C4"', 13, "they belong on its exercise"),
        ('check="w07-double"', 'check="w07-dubble"', 6, 'exercise "w07-double" has no check'),
        ('exercise="w07-double"', 'exercise="w07-dubble"', 13, 'check "w07-double" has no exercise'),
        ('exercise="w07-double"', 'exercise="w08-double"', 6, "must be w07-"),
        ('exercise="w07-double"', 'exercise="Double"', 6, "must be w07-"),
        ('exercise="w07-double"', 'exercize="w07-double"', 6, "unknown marker exercize"),
        ('exercise="w07-double"', 'exercise="w07-double" points=2', 6, "carries points"),
        ('hint="w07-double"', 'hint="w07-other"', None, "belongs to no exercise"),
        ("2. Or multiply.\n", "", 6, "at least two hints"),
        ('print("x")', "### BEGIN SOLUTION", None, "in a cell that is no exercise"),
        ("<!-- BEGIN SOLUTION -->\n", "", 25, "needs its answer between"),
        ('written="w07-memo" points=5', 'exercise="w07-memo"', None, "must be a code cell"),
    ],
)
def test_bad_markers_are_named_with_file_and_line(tmp_path, old, new, line, sentence):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        source.read(path)
    assert sentence in str(caught.value)
    assert line is None or f"{path}:{line}:" in str(caught.value)


def test_an_exercise_written_twice_is_named(tmp_path):
    twice = GOOD + GOOD.split("# %% [markdown] hint")[0].split("# %%", 2)[2].join(["\n# %%", ""])
    with pytest.raises(UserError, match=r'exercise "w07-double" is there already, on line 6'):
        source.read(write(tmp_path, twice))


def test_text_without_a_first_cell_line_is_refused(tmp_path):
    with pytest.raises(UserError, match="must begin with a cell line"):
        source.read(write(tmp_path, "import os\n" + GOOD))


@pytest.mark.parametrize(
    "text", [GOOD, *(p.read_text(encoding="utf-8") for p in pipeline.texts())], ids=lambda t: t[:40]
)
def test_the_way_back_gives_the_text_again(tmp_path, text):
    folder = tmp_path / "any"
    folder.mkdir()
    path = folder / "exercises.py"
    path.write_text(text, encoding="utf-8")
    read = source.read(path)
    again = folder / "again.py"
    again.write_text(back.text_of(read.notebook, read.hints), encoding="utf-8")
    twice = source.read(again)
    assert twice.notebook == read.notebook
    assert twice.hints == read.hints


def test_sync_brings_an_edit_back_and_nothing_else(tmp_path, monkeypatch):
    path = write(tmp_path, GOOD)
    monkeypatch.setattr(back, "COURSE", tmp_path)
    notebook = source.read(path).notebook
    notebook.cells[0].source = "# Another title"
    edited = tmp_path / "solutions" / "week_07_test" / "exercises.ipynb"
    edited.parent.mkdir(parents=True)
    nbformat.write(notebook, edited)
    assert back.sync(edited) == path
    assert path.read_text() == GOOD.replace("# Title", "# Another title")


@pytest.mark.parametrize("content", ["{not json", "[]", '{"cells": 3}'])
def test_sync_refuses_a_broken_notebook_and_keeps_the_text(tmp_path, monkeypatch, content):
    path = write(tmp_path, GOOD)
    monkeypatch.setattr(back, "COURSE", tmp_path)
    broken = tmp_path / "week_07_test" / "exercises.ipynb"
    broken.write_text(content)
    with pytest.raises(UserError):
        back.sync(broken)
    assert path.read_text() == GOOD


def test_sync_refuses_a_learners_copy(tmp_path, monkeypatch):
    path = write(tmp_path, GOOD)
    monkeypatch.setattr(back, "COURSE", tmp_path)
    notebook = source.read(path).notebook
    for cell in notebook.cells:
        cell.source = cell.source.replace("BEGIN SOLUTION", "")
    copy = path.with_suffix(".ipynb")
    nbformat.write(notebook, copy)
    with pytest.raises(UserError, match="learner's copy"):
        back.sync(copy)


def test_sync_refuses_an_exercise_that_lost_its_skills(tmp_path, monkeypatch):
    path = write(tmp_path, GOOD)
    monkeypatch.setattr(back, "COURSE", tmp_path)
    notebook = source.read(path).notebook
    del next(cell for cell in notebook.cells if cell.id == "w07-double").metadata["carelab"]
    edited = path.with_suffix(".ipynb")
    nbformat.write(notebook, edited)
    with pytest.raises(UserError, match=r"exercises\.ipynb:6: .*needs the skills"):
        back.sync(edited)
    assert path.read_text() == GOOD
