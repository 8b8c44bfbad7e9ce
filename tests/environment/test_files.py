"""A file is the old one or the whole new one."""

import os
from pathlib import Path

import pytest

from carelab import files


def test_text_and_bytes_are_written_with_plain_line_ends(tmp_path):
    files.write(tmp_path / "new" / "a.txt", "é\nb\n")
    files.write(tmp_path / "b.bin", b"\x00\x01")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "é\nb\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\x01"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "b.bin", "new"]


def test_the_old_file_stays_when_the_new_one_cannot_be_put_there(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        files.write(path, "new")
    assert path.read_text() == "old"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_placed_whole_and_never_over_another(links, tmp_path, monkeypatch):
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    finished, path = tmp_path / "finished", tmp_path / "new" / "a.txt"
    finished.write_bytes(b"new\n")
    assert files.place(finished, path)
    assert path.read_bytes() == finished.read_bytes() == b"new\n"
    path.write_bytes(b"theirs")
    assert not files.place(finished, path)
    assert path.read_bytes() == b"theirs"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    assert not files.place(finished, dangling) and not (tmp_path / "nowhere").exists()


def test_a_file_that_cannot_be_placed_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.place(tmp_path / "nothing", tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists(), "not even half of it"
