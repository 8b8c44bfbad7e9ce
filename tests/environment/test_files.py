"""A file is the old one or the whole new one."""

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
