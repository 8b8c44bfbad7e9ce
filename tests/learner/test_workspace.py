"""The learner's copies: what comes new, what stays, what lies beside, and that no text is ever lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from learner.disturb import answer, check, notebook, own, plain, saved

from carelab import cli, files, paths
from carelab.cli.learning import sentences
from carelab.errors import UserError
from carelab.learner import keeping, workspace
from carelab.learner.cells import read
from carelab.learner.workspace import Synced, bring, reset, take, updates

NAME = "week_01_x/exercises.ipynb"
BESIDE = "week_01_x/exercises (new version).ipynb"
STUB = "def a():\n    raise NotImplementedError"
INTRO, TEXT = plain("markdown", "# Week 1"), plain("markdown", "## Exercise 1: add (2 points)\n\nAdd them.")
CODE = plain("code", "import math")
FIRST = notebook(INTRO, CODE, TEXT, answer("w01-a", STUB), check("w01-a", "assert a() == 1"))
NEW_TEXT = plain("markdown", "## Exercise 1: add (2 points)\n\nAdd them all.")
SECOND = notebook(INTRO, CODE, NEW_TEXT, answer("w01-a", STUB), check("w01-a", "assert a() == 2"))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    for name in ("START_HERE.ipynb", "week_01_x/lesson.ipynb"):
        files.write(folder / name, notebook(plain("markdown", f"# {name}")))
    files.write(folder / NAME, FIRST)
    files.write(folder / "week_01_x" / "exercises.json", "{}")
    files.write(folder / "week_01_x" / ".ipynb_checkpoints" / "lesson-checkpoint.ipynb", "old")
    return folder


@pytest.fixture
def mine(tmp_path: Path, release: Path) -> Path:
    """A workspace with the first version of everything."""
    bring(release, tmp_path / "mine")
    return tmp_path / "mine"


def seen(folder: Path) -> set[str]:
    """The files that a learner sees."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".carelab/")}


def change(path: Path, **sources: str) -> bytes:
    """Write sources into cells by their ids (with _ for -), as JupyterLab does, and return the file's content."""
    wanted = {name.replace("_", "-"): source for name, source in sources.items()}

    def write(cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            cell["source"] = wanted.pop(cell["id"], cell["source"])

    path.write_bytes(saved(path.read_bytes(), write))
    assert not wanted, f"no such cell: {wanted}"
    return path.read_bytes()


def sources(content: bytes) -> list[str]:
    found = read(content)
    assert found
    return [cell.source for cell in found.cells]


def add(path: Path, after: int, *cells: dict[str, Any]) -> None:
    path.write_bytes(saved(path.read_bytes(), lambda there: there.__setitem__(slice(after, after), cells)))


# What comes, what stays, what is replaced.


def test_every_notebook_and_nothing_else_is_copied(release: Path, tmp_path: Path) -> None:
    synced = bring(release, tmp_path / "mine")
    wanted = {"START_HERE.ipynb", NAME, "week_01_x/lesson.ipynb"}
    assert set(synced.new) == wanted == seen(tmp_path / "mine")
    assert synced.kept == synced.replaced == synced.updates == []
    assert (tmp_path / "mine" / NAME).read_bytes() == FIRST


def test_without_news_nothing_is_touched(release: Path, mine: Path) -> None:
    written = change(mine / NAME, w01_a="a = 1")
    synced = bring(release, mine)
    assert len(synced.kept) == 3 and synced.new == synced.replaced == synced.updates == []
    assert (mine / NAME).read_bytes() == written and len(seen(mine)) == 3


def test_an_unchanged_notebook_becomes_the_new_version_and_the_old_one_is_kept(release: Path, mine: Path) -> None:
    ran = change(mine / NAME)  # outputs only
    files.write(release / NAME, SECOND)
    synced = bring(release, mine)
    assert synced.replaced == [NAME] and synced.updates == [] and not updates(mine)
    assert (mine / NAME).read_bytes() == SECOND
    (old,) = (mine / "backups" / "week_01_x").iterdir()
    assert old.read_bytes() == ran and old.name.startswith("exercises 20") and old.suffix == ".ipynb"


def test_a_changed_notebook_stays_and_the_new_version_lies_beside_it_with_the_answer(release: Path, mine: Path) -> None:
    written = change(mine / NAME, w01_a="def a():\n    return 1")
    files.write(release / NAME, SECOND)
    synced = bring(release, mine)
    assert synced.updates == [NAME] and NAME in synced.kept and synced.replaced == []
    assert (mine / NAME).read_bytes() == written
    beside = sources((mine / BESIDE).read_bytes())
    assert beside[2:] == [NEW_TEXT["source"], "def a():\n    return 1", "assert a() == 2"]
    (update,) = updates(mine)
    assert (update.name, update.beside) == (NAME, BESIDE)
    assert update.changes == ("Exercise 1: add: the text changed", "The check of w01-a changed")
    assert bring(release, mine).updates == [NAME] and len(seen(mine)) == 4, "once is enough"


@pytest.mark.parametrize("path", sorted(paths.RELEASE.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_saving_without_a_change_is_no_change(path: Path, tmp_path: Path) -> None:
    nbformat.write(nbformat.read(path, as_version=4), tmp_path / "saved.ipynb")  # what Jupyter's server does
    opened, released = read((tmp_path / "saved.ipynb").read_bytes()), read(path.read_bytes())
    assert opened and released and opened.marks == released.marks


def test_a_stub_is_not_carried_over_a_new_stub(release: Path, mine: Path) -> None:
    change(mine / NAME, **{CODE["id"]: "import math, sys"})
    files.write(release / NAME, SECOND.replace(b"raise NotImplementedError", b"return ..."))
    bring(release, mine)
    beside = sources((mine / BESIDE).read_bytes())
    assert beside[3] == "def a():\n    return ..." and beside[1] == "import math, sys", (
        "theirs: the course left it alone"
    )
    assert "Exercise 1: add: what you start from changed" in updates(mine)[0].changes


def test_own_cells_stand_after_the_cell_they_stood_after(release: Path, mine: Path) -> None:
    add(mine / NAME, 3, own("my note"), own("second", "5" * 32))  # after a text that the new version has in other words
    add(mine / NAME, 0, own("first of all", "6" * 32))
    files.write(release / NAME, SECOND)
    bring(release, mine)
    beside = sources((mine / BESIDE).read_bytes())
    assert beside == ["first of all", *sources(SECOND)[:3], "my note", "second", *sources(SECOND)[3:]]


def test_what_has_no_place_in_the_new_version_is_said(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1", **{TEXT["id"]: TEXT["source"] + " Done."})
    files.write(release / NAME, notebook(INTRO, CODE, NEW_TEXT))
    bring(release, mine)
    changes = updates(mine)[0].changes
    assert "Your answer to w01-a has no place in the new version: it stays in your old notebook" in changes
    assert "Exercise 1: add: what you wrote into the text there stays in your old notebook" in changes
    assert "Exercise 1: add: the exercise was taken out" in changes


def test_a_copied_answer_cell_is_an_own_cell_and_no_second_answer(release: Path, mine: Path) -> None:
    add(mine / NAME, 4, answer("w01-a", "a = 2") | {"id": "7" * 32})
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    found = read((mine / BESIDE).read_bytes())
    assert found and [(cell.source, cell.role) for cell in found.cells[3:5]] == [("a = 1", "answer"), ("a = 2", "")]


def test_a_pasted_picture_goes_along(release: Path, mine: Path) -> None:
    def paste(cells: list[dict[str, Any]]) -> None:
        cells[0] |= {"source": "# Week 1\n\n![x](attachment:x.png)", "attachments": {"x.png": {"image/png": "iVBO"}}}

    (mine / NAME).write_bytes(saved(FIRST, paste))
    files.write(release / NAME, SECOND)
    bring(release, mine)
    assert json.loads((mine / BESIDE).read_bytes())["cells"][0]["attachments"] == {"x.png": {"image/png": "iVBO"}}


def test_one_who_has_the_new_version_already_gets_no_other(release: Path, mine: Path) -> None:
    (mine / NAME).write_bytes(SECOND)  # from a colleague, say
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    assert bring(release, mine).updates == [] and len(seen(mine)) == 3
    files.write(release / NAME, FIRST)
    assert bring(release, mine).updates == [NAME], "and it was noted where theirs comes from"


def test_the_version_beside_follows_the_answers_and_the_course(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    change(mine / NAME, w01_a="a = 'better'")
    bring(release, mine)
    assert "a = 'better'" in sources((mine / BESIDE).read_bytes())
    files.write(release / NAME, SECOND.replace(b"== 2", b"== 3"))
    bring(release, mine)
    assert sources((mine / BESIDE).read_bytes())[3:] == ["a = 'better'", "assert a() == 3"]
    assert len(seen(mine)) == 4


def test_a_new_version_that_the_learner_wrote_into_is_never_overwritten(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    written = change(mine / BESIDE, w01_a="a = 'in the new one'")
    bring(release, mine)
    assert len(seen(mine)) == 4, "the same version is not put there twice"
    files.write(release / NAME, SECOND.replace(b"== 2", b"== 3"))
    bring(release, mine)
    assert (mine / BESIDE).read_bytes() == written
    assert updates(mine)[0].beside == "week_01_x/exercises (new version 2).ipynb"
    assert (mine / updates(mine)[0].beside).is_file()


def test_a_file_of_that_name_that_is_the_learners_is_not_touched(release: Path, mine: Path) -> None:
    (mine / BESIDE).write_text("my own")
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    assert (mine / BESIDE).read_text() == "my own" and "(new version 2)" in updates(mine)[0].beside


def test_a_deleted_or_renamed_notebook_comes_back_fresh(release: Path, mine: Path) -> None:
    (mine / NAME).rename(mine / "old.ipynb")
    assert bring(release, mine).new == [NAME]
    assert (mine / "old.ipynb").read_bytes() == (mine / NAME).read_bytes() == FIRST
    change(mine / "old.ipynb", w01_a="a = 1")
    assert (mine / NAME).read_bytes() == FIRST, "they are two files"


# Workspaces of all sorts.


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": 3}', b'{"cells": [{}]}', b"\xff\xfe\x00", b"[" * 10**5]
)
def test_a_damaged_notebook_counts_as_changed(content: bytes, release: Path, mine: Path) -> None:
    (mine / NAME).write_bytes(content)
    files.write(release / NAME, SECOND)
    bring(release, mine)
    assert (mine / NAME).read_bytes() == content
    assert (mine / BESIDE).read_bytes() == SECOND
    assert updates(mine)[0].changes
    old = take(mine, NAME)
    assert old.read_bytes() == content and (mine / NAME).read_bytes() == SECOND


def test_while_a_notebook_is_damaged_the_answers_beside_it_stay(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    (mine / NAME).write_bytes(b"{")  # a crash while it was saved
    for version in (SECOND, SECOND.replace(b"== 2", b"== 3")):
        files.write(release / NAME, version)
        bring(release, mine)
        assert "a = 1" in sources((mine / BESIDE).read_bytes())


def former(mine: Path) -> None:
    """Make it a workspace of the time when only hashes were kept."""
    given = {
        path.relative_to(mine / ".carelab" / "base").as_posix(): files.sha256(path.read_bytes())
        for path in (mine / ".carelab" / "base").rglob("*.ipynb")
    }
    for path in sorted((mine / ".carelab").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    files.write(mine / ".carelab" / "copied.json", json.dumps(given))


def test_a_workspace_of_the_former_course_goes_on(release: Path, mine: Path) -> None:
    former(mine)
    written = change(mine / NAME, w01_a="a = 1")
    assert len(bring(release, mine).kept) == 3
    files.write(release / NAME, SECOND)
    files.write(release / "START_HERE.ipynb", SECOND)
    synced = bring(release, mine)
    assert (synced.replaced, synced.updates) == (["START_HERE.ipynb"], [NAME])
    assert (mine / NAME).read_bytes() == written
    assert updates(mine)[0].changes == ("Exercise 1: add: the text changed", "The check of w01-a changed")


def test_when_the_course_has_moved_on_before_that_answers_are_carried_all_the_same(release: Path, mine: Path) -> None:
    former(mine)
    change(mine / NAME, w01_a="a = 1")
    add(mine / NAME, 3, own("my note"))
    files.write(release / NAME, SECOND)
    files.write(release / "START_HERE.ipynb", SECOND)
    synced = bring(release, mine)
    assert (synced.replaced, synced.updates) == (["START_HERE.ipynb"], [NAME])
    beside = sources((mine / BESIDE).read_bytes())
    assert beside == [*sources(SECOND)[:3], "my note", "a = 1", "assert a() == 2"], (
        "and the old text is not taken for theirs"
    )
    assert updates(mine)[0].changes == ("Exercise 1: add: the text changed", "The check of w01-a changed")


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"week_01_x/exercises.ipynb": 3}', '{"week_01_x/exercises.ipynb": {"beside": 1}}']
)
def test_damaged_records_cost_no_text(damage: str, release: Path, mine: Path) -> None:
    written = change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    (mine / ".carelab" / "updates.json").write_text(damage)
    (mine / ".carelab" / "base" / NAME).unlink()
    (mine / ".carelab" / "copied.json").write_text(damage)
    assert updates(mine) == []
    assert bring(release, mine).updates == [NAME]
    assert (mine / NAME).read_bytes() == written and "a = 1" in sources((mine / BESIDE).read_bytes())


def test_a_link_or_a_folder_in_a_notebooks_place_is_the_learners(release: Path, mine: Path, tmp_path: Path) -> None:
    (mine / NAME).unlink()
    (mine / NAME).symlink_to(tmp_path / "nowhere.ipynb")
    (mine / "START_HERE.ipynb").unlink()
    (mine / "START_HERE.ipynb").mkdir()
    files.write(release / NAME, SECOND)
    assert len(bring(release, mine).kept) == 3
    assert not (tmp_path / "nowhere.ipynb").exists() and (mine / NAME).is_symlink()
    for name in (NAME, "START_HERE.ipynb"):
        with pytest.raises(UserError, match="is a link or a folder, not a notebook: rename it"):
            reset(mine, name, release)
    assert (mine / NAME).is_symlink() and (mine / "START_HERE.ipynb").is_dir()


def test_a_workspace_that_is_a_file_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(UserError, match="cannot be used for your notebooks"):
        bring(release, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "a file"


@pytest.mark.parametrize("name", ["", "weeks_01-12", "solutions/mine", "course", "src", "tests"])
def test_a_workspace_among_the_courses_own_files_is_refused(name: str, release: Path) -> None:
    with pytest.raises(UserError, match="belongs to the course itself"):
        bring(release, paths.ROOT / name)


@pytest.mark.parametrize("when", ["the old one is moved", "the new one is put there"])
def test_a_folder_that_cannot_be_written_is_a_sentence_and_nothing_is_lost(
    when: str, release: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = change(mine / NAME, w01_a="a = 1")
    real = {"rename": os.rename, "place": files.place}

    def rename(source: Path, target: Path) -> None:
        if when == "the old one is moved":
            raise PermissionError(13, "Permission denied")
        real["rename"](source, target)

    def place(finished: Path, path: Path) -> bool:
        if "backups" not in finished.parts:
            raise PermissionError(13, "Permission denied")
        return bool(real["place"](finished, path))  # what was set aside can come back

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(files, "place", place)
    with pytest.raises(UserError, match=r"cannot be used for your notebooks \(Permission denied\)"):
        reset(mine, NAME, release)
    assert (mine / NAME).read_bytes() == written and len(seen(mine)) == 3
    monkeypatch.undo()
    assert len(bring(release, mine).kept) == 3 and (mine / NAME).read_bytes() == written


def test_two_commands_do_not_work_at_once(release: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_PATIENCE", 0.1)
    with keeping.at_work(mine), pytest.raises(UserError, match="Another command is at work"):
        bring(release, mine)


# Taking a new version, and starting afresh.


def test_take_puts_the_new_version_in_place_with_the_newest_answers(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    written = change(mine / NAME, w01_a="a = 'since'")
    old = take(mine, NAME)
    assert old.read_bytes() == written and old.parent == mine / "backups" / "week_01_x"
    assert sources((mine / NAME).read_bytes())[2:] == [NEW_TEXT["source"], "a = 'since'", "assert a() == 2"]
    assert not (mine / BESIDE).exists() and updates(mine) == [] and bring(release, mine).updates == []
    assert len(list(old.parent.iterdir())) == 1, "what the course made and nobody changed is no backup"


def test_take_keeps_what_was_written_into_the_new_version(release: Path, mine: Path) -> None:
    add(mine / NAME, 3, own("note"))
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    written = change(mine / BESIDE, w01_a="a = 'in the new one'")
    change(mine / NAME, w01_a="a = 'in the old one'", **{"4b2f7c1e_0d5a_4f6e_9a51_3f0c8a7de001": "note, longer"})
    old = take(mine, NAME)
    assert sources((mine / NAME).read_bytes())[3:5] == ["note, longer", "a = 'in the new one'"]
    assert "a = 'in the old one'" in sources(old.read_bytes())
    assert written in [path.read_bytes() for path in old.parent.iterdir()] and not (mine / BESIDE).exists()


def test_a_cell_deleted_in_the_new_version_does_not_come_back(release: Path, mine: Path) -> None:
    add(mine / NAME, 3, own("note"))
    files.write(release / NAME, SECOND)
    bring(release, mine)
    (mine / BESIDE).write_bytes(saved((mine / BESIDE).read_bytes(), lambda cells: cells.pop(3)))
    take(mine, NAME)
    assert "note" not in sources((mine / NAME).read_bytes())


def test_without_a_new_version_there_is_nothing_to_take(mine: Path) -> None:
    for name in (NAME, "../x.ipynb", ""):
        with pytest.raises(UserError, match=r"No new version of .* waits"):
            take(mine, name)


def test_reset_puts_a_fresh_copy_and_keeps_a_backup_each_time(release: Path, mine: Path) -> None:
    written = [change(mine / NAME, w01_a="a = 1")]
    old = [reset(mine, NAME, release)]
    assert (mine / NAME).read_bytes() == FIRST
    written.append(change(mine / NAME, w01_a="a = 2"))
    old.append(reset(mine, NAME, release))  # within the same second
    assert [path.read_bytes() for path in old] == written and (mine / NAME).read_bytes() == FIRST
    files.write(release / NAME, SECOND)
    assert bring(release, mine).replaced == [NAME], "it counts as unchanged again"


def test_reset_takes_the_newest_version_and_nothing_waits_then(release: Path, mine: Path) -> None:
    change(mine / NAME, w01_a="a = 1")
    files.write(release / NAME, SECOND)
    bring(release, mine)
    reset(mine, NAME, release)
    assert (mine / NAME).read_bytes() == SECOND and updates(mine) == [] and not (mine / BESIDE).exists()


def test_reset_of_what_is_not_there_is_a_sentence(release: Path, mine: Path) -> None:
    with pytest.raises(UserError, match=r"The course has no notebook \.\./x\.ipynb: name one of START_HERE"):
        reset(mine, "../x.ipynb", release)
    (mine / NAME).unlink()
    with pytest.raises(UserError, match="is not there: `python -m carelab lab` brings a fresh copy"):
        reset(mine, NAME, release)


# The command.


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A release with a week that the curriculum knows, and a workspace of it."""
    folder, mine = tmp_path / "weeks", tmp_path / "my_course"
    for name in ("START_HERE.ipynb", "week_01_ml_fundamentals/exercises.ipynb", "week_01_ml_fundamentals/lesson.ipynb"):
        files.write(folder / name, FIRST)
    monkeypatch.setattr(paths, "RELEASE", folder)
    monkeypatch.setattr(workspace, "reset", lambda w, n: reset(w, n, folder))
    bring(folder, mine)
    return folder, mine


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(args))
    return int(ended.value.code or 0)


def test_update_lists_what_is_new_and_takes_it(course: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    release, mine = course
    name = "week_01_ml_fundamentals/exercises.ipynb"
    assert run("update", "--workspace", str(mine)) == 0
    assert capsys.readouterr().out == "No new version of a notebook of yours waits.\n"
    change(mine / name, w01_a="a = 1")
    files.write(release / name, SECOND)
    assert run("update", "w01", "--workspace", str(mine)) == 0
    said = capsys.readouterr().out
    assert "  - Exercise 1: add: the text changed\n" in said and "`python -m carelab update 1 exercises`" in said
    assert run("update", "week_01", "exercises.ipynb", "--workspace", str(mine)) == 0
    said = capsys.readouterr().out
    assert "Your old one: my_course/backups/week_01_ml_fundamentals/exercises 20" in said
    assert "assert a() == 2" in sources((mine / name).read_bytes())


def test_the_terminal_hears_what_came_and_nothing_when_nothing_did() -> None:
    assert list(sentences(Synced(kept=["a", "b"]), Path("my_course"))) == []
    said = list(sentences(Synced(["c"], ["a", "b"], ["d"], ["a"]), Path("my_course")))
    assert said[0] == "1 new notebooks in my_course/; 2 that you have stay as they are."
    assert "Now in a new version: d." in said[1] and "backups/" in said[1]
    assert "new version of: a." in said[2] and "`python -m carelab update`" in said[2]


def test_reset_says_where_the_backup_is(course: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, mine = course
    change(mine / "week_01_ml_fundamentals" / "exercises.ipynb", w01_a="a = 1")
    (mine / "week_01_ml_fundamentals" / "lesson.ipynb").unlink()
    assert run("reset", "1", "--workspace", str(mine)) == 0
    said = capsys.readouterr().out
    assert "exercises.ipynb is a fresh copy now. Your old one: my_course/backups/week_01_ml_fundamentals/exerc" in said
    assert "You had no week_01_ml_fundamentals/lesson.ipynb: now you have a fresh copy." in said
    assert (mine / "week_01_ml_fundamentals" / "lesson.ipynb").read_bytes() == FIRST


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("1", "essay"), 'Week 1 has no notebook "essay": name one of exercises, lesson.'),
        (("7",), "Week 7 is in preparation; it has no notebooks yet."),
        (("99",), 'There is no week "99"'),
    ],
)
def test_a_wrong_name_is_a_sentence(
    arguments: tuple[str, ...], sentence: str, course: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("reset", *arguments, "--workspace", str(course[1])) == 2
    assert sentence in capsys.readouterr().err
