"""A notebook that asks for a missing or damaged file is told so in one sentence, and what mends it."""

import shutil

import pytest

from carelab import paths
from carelab.errors import UserError

TABLE = "tables/sites.parquet"


@pytest.fixture
def world(tmp_path, monkeypatch):
    (tmp_path / "tables").mkdir()
    shutil.copy(paths.DATA / TABLE, tmp_path / TABLE)
    shutil.copy(paths.DATA / "MANIFEST.json", tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path)
    return tmp_path


def test_a_whole_file_is_found(world):
    assert paths.data(TABLE) == world / TABLE


def test_a_missing_file_is_named(world):
    (world / TABLE).unlink()
    with pytest.raises(UserError, match=r"sites\.parquet is missing\. Run `python -m carelab data build`"):
        paths.data(TABLE)


def test_a_damaged_file_is_named(world):
    content = bytearray((world / TABLE).read_bytes())
    content[100] ^= 1
    (world / TABLE).write_bytes(content)
    with pytest.raises(UserError, match=r"sites\.parquet is damaged"):
        paths.data(TABLE)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_damaged_manifest_is_named(world, content):
    if content is None:
        (world / "MANIFEST.json").unlink()
    else:
        (world / "MANIFEST.json").write_text(content)
    with pytest.raises(UserError, match=r"MANIFEST.json is missing or damaged"):
        paths.data(TABLE)
