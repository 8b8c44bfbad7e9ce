"""`lab`: the learner's copies are never overwritten, and a busy port is a sentence."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from carelab import lab, paths
from carelab.cli import main
from carelab.errors import UserError


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    for name in ("START_HERE.ipynb", "week_01_x/lesson.ipynb", "week_01_x/exercises.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"first {name}")
    (folder / "week_01_x" / "hints.json").write_text("{}")
    (folder / "week_01_x" / ".ipynb_checkpoints").mkdir()
    (folder / "week_01_x" / ".ipynb_checkpoints" / "lesson-checkpoint.ipynb").write_text("old")
    return folder


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def notebooks(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {
        ".carelab/copied.json"
    }


def test_every_notebook_and_nothing_else_is_copied(release: Path, tmp_path: Path) -> None:
    copied = lab.copy_missing(release, tmp_path / "mine")
    wanted = {"START_HERE.ipynb", "week_01_x/exercises.ipynb", "week_01_x/lesson.ipynb"}
    assert set(copied.new) == wanted == notebooks(tmp_path / "mine")
    assert copied.kept == copied.newer == []


def test_what_the_learner_wrote_survives(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    lab.copy_missing(release, mine)
    (mine / "week_01_x" / "lesson.ipynb").write_text("my work")
    (mine / "START_HERE.ipynb").write_text("")  # even emptied, it is theirs
    (release / "week_01_x" / "lesson.ipynb").write_text("second lesson")
    (release / "week_01_x" / "project.ipynb").write_text("first project")
    copied = lab.copy_missing(release, mine)
    assert copied.new == ["week_01_x/project.ipynb"]
    assert copied.newer == ["week_01_x/lesson.ipynb"]
    assert (mine / "week_01_x" / "lesson.ipynb").read_text() == "my work"
    assert (mine / "START_HERE.ipynb").read_text() == ""


def test_a_deleted_or_renamed_notebook_comes_back_fresh(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    lab.copy_missing(release, mine)
    (mine / "START_HERE.ipynb").rename(mine / "old.ipynb")
    assert lab.copy_missing(release, mine).new == ["START_HERE.ipynb"]
    assert {"old.ipynb", "START_HERE.ipynb"} <= notebooks(mine)


def test_a_dangling_link_is_not_written_through(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "START_HERE.ipynb").symlink_to(tmp_path / "nowhere.ipynb")
    assert "START_HERE.ipynb" in lab.copy_missing(release, mine).kept
    assert not (tmp_path / "nowhere.ipynb").exists()


def test_a_damaged_record_costs_nothing_but_the_announcement(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    lab.copy_missing(release, mine)
    (mine / ".carelab" / "copied.json").write_text("{")
    assert len(lab.copy_missing(release, mine).kept) == 3


def test_a_workspace_that_is_a_file_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(UserError, match="cannot be used for your notebooks"):
        lab.copy_missing(release, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "a file"


@pytest.mark.parametrize("name", ["", "weeks_01-12", "solutions/mine", "course", "src", "tests"])
def test_a_workspace_among_the_courses_own_files_is_refused(name: str, release: Path) -> None:
    with pytest.raises(UserError, match="belongs to the course itself"):
        lab.copy_missing(release, paths.ROOT / name)


def test_a_port_in_use_is_a_sentence_and_exit_code_2(
    busy_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", "--no-browser", "--port", str(busy_port), "--workspace", str(tmp_path / "mine")])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error == f"carelab: Port {busy_port} is in use: name another one, or leave out --port to get a free one.\n"
    assert not (tmp_path / "mine").exists(), "nothing was touched"


def test_without_a_wish_the_next_free_port_is_taken(busy_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "USUAL_PORT", busy_port)
    assert lab.choose_port(None) > busy_port
    monkeypatch.setattr(lab, "is_free", lambda _: False)
    with pytest.raises(UserError, match="all in use"):
        lab.choose_port(None)


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(UserError, match="is no port"):
        lab.choose_port(port)


def test_the_server_opens_the_learners_folder_and_the_desk(tmp_path: Path) -> None:
    arguments = lab.server_arguments(tmp_path, 9999, browser=False)
    assert f"--ServerApp.root_dir={tmp_path}" in arguments
    assert "--LabApp.default_url=/lab" in arguments, "where the desk opens by itself"
    assert "--ServerApp.jpserver_extensions=carelab.desk=True" in arguments
    assert "--ServerApp.ip=127.0.0.1" in arguments, "nobody else on the network reaches it"
    assert not any("token" in argument or "password" in argument for argument in arguments)
