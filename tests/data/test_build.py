"""The build: same bytes for any number of workers, never a half-written folder, and a check that names what is wrong."""

import shutil
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from carelab import synth
from carelab.errors import UserError
from carelab.paths import DATA
from carelab.synth import building
from carelab.synth.building import differences


@pytest.mark.parametrize("workers", [1, 2])
def test_rebuild_gives_the_committed_bytes(workers: int) -> None:
    assert synth.rebuild_matches(DATA, workers=workers) == []


def test_differences_are_named(tmp_path: Path) -> None:
    for side in ("left", "right"):
        (tmp_path / side / "tables").mkdir(parents=True)
        (tmp_path / side / "tables" / "same.txt").write_text("same")
        (tmp_path / side / "tables" / "other.txt").write_text(side)
    (tmp_path / "right" / "new.txt").write_text("new")
    found = differences(tmp_path / "left", tmp_path / "right")
    assert found == ["new.txt differs from a fresh build.", "tables/other.txt differs from a fresh build."]


@pytest.fixture(scope="module")
def seven_hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of another size: two whole panels and a part of a third."""
    target = tmp_path_factory.mktemp("world") / "seven hundred"
    synth.build(target, n_patients=700, progress=False)
    return target


def test_another_size_has_the_whole_feed_and_shares_its_first_panels(seven_hundred: Path, visits: pd.DataFrame) -> None:
    assert synth.check(seven_hundred) == []
    rows = {
        name: entry["rows"]
        for name, entry in orjson.loads((seven_hundred / "MANIFEST.json").read_bytes())["files"].items()
        if "rows" in entry
    }
    assert rows["tables/visits.parquet"] == rows["fhir/Appointment.ndjson"] == rows["tables/appointments.parquet"]
    assert rows["tables/patients.parquet"] == rows["fhir/Patient.ndjson"] >= 700
    fresh = pd.read_parquet(seven_hundred / "tables" / "visits.parquet")

    def whole(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["patient_id"] < "pat-002"].reset_index(drop=True)

    pd.testing.assert_frame_equal(whole(fresh), whole(visits))


def test_no_id_is_there_twice(seven_hundred: Path) -> None:
    for folder in (seven_hundred / "fhir", DATA / "fhir"):
        for path in folder.glob("*.ndjson"):
            ids = [orjson.loads(line)["id"] for line in path.open("rb")]
            assert len(ids) == len(set(ids)), path.name


def test_a_failed_build_leaves_the_old_folder_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "synthetic"
    target.mkdir()
    (target / "old.txt").write_text("old")

    def fail(folder: Path, *_: Any) -> None:
        (folder / "half.txt").write_text("half")
        raise UserError("The world misses its calibration.")

    monkeypatch.setattr(building, "_build_into", fail)
    with pytest.raises(UserError, match="misses"):
        synth.build(target, progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["synthetic", "old.txt"]

    monkeypatch.setattr(building, "_build_into", lambda folder, *_: (folder / "new.txt").write_text("new"))
    synth.build(target, progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["synthetic", "new.txt"]


def test_no_workers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ask for 1 or more"):
        synth.build(tmp_path / "world", n_patients=10, workers=0, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_the_committed_files_are_as_the_manifest_says() -> None:
    assert synth.check(DATA) == []


def test_check_names_missing_and_corrupt_files(tmp_path: Path) -> None:
    copy = tmp_path / "synthetic"
    shutil.copytree(DATA, copy)
    (copy / "tables" / "sites.parquet").unlink()
    path = copy / "fhir" / "Patient.ndjson"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # one bit
    path.write_bytes(content)
    assert synth.check(copy) == [
        "fhir/Patient.ndjson is not what was built: its content has changed.",
        "tables/sites.parquet is missing.",
    ]


def test_check_names_another_configuration_and_a_broken_manifest(tmp_path: Path) -> None:
    manifest = orjson.loads((DATA / "MANIFEST.json").read_bytes()) | {"files": {}, "config_sha256": "0"}
    (tmp_path / "MANIFEST.json").write_bytes(orjson.dumps(manifest))
    assert "another world.toml" in synth.check(tmp_path)[0]
    (tmp_path / "MANIFEST.json").write_text("{")
    assert "cannot be read" in synth.check(tmp_path)[0]
    (tmp_path / "MANIFEST.json").unlink()
    assert "MANIFEST.json is missing" in synth.check(tmp_path)[0]


def test_the_committed_data_are_small() -> None:
    def megabytes(folder: str) -> float:
        return sum(path.stat().st_size for path in (DATA / folder).iterdir()) / 1e6

    assert megabytes("tables") < 3
    assert megabytes("fhir") < 10
