"""The build: same bytes for any number of workers, never a half-written folder, and a check that names what is wrong."""

import shutil
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from carelab import synth
from carelab.errors import UserError
from carelab.paths import DATA
from carelab.synth import building, documents
from carelab.synth.building import differences
from carelab.synth.config import Panel
from carelab.synth.panel import make_core, make_panel


def test_rebuild_gives_the_committed_bytes() -> None:
    """In one process or several: that the number makes no difference is shown on a small world, in test_big.py."""
    assert synth.rebuild_matches(DATA, workers=2) == []


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
    assert rows["tables/patients.parquet"] >= 700
    fresh = pd.read_parquet(seven_hundred / "tables" / "visits.parquet")

    def whole(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["patient_id"] < "pat-002"].reset_index(drop=True)

    pd.testing.assert_frame_equal(whole(fresh), whole(visits))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_smallest_worlds_can_be_made(size: int) -> None:
    world = synth.load_world()
    for number in range(4):
        parts = make_panel(make_core(world, Panel(number, size, number), {"scheduling": -2.0}))
        patients = [r["id"] for r in parts["scheduling"].resources["Patient"]]
        assert len(patients) >= size


def test_no_id_is_there_twice(seven_hundred: Path) -> None:
    for folder in (seven_hundred / "fhir", DATA / "fhir"):
        for path in folder.glob("*.ndjson"):
            ids = [orjson.loads(line)["id"] for line in path.open("rb")]
            assert len(ids) == len(set(ids)), path.name


def test_a_failed_build_leaves_the_old_folder_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "synthetic"
    target.mkdir()
    (target / "old.txt").write_text("old")

    def fail(work: Path, *_: Any) -> None:
        (work / "half.txt").write_text("half")
        raise UserError("The world misses its calibration.")

    monkeypatch.setattr(building, "_build_into", fail)
    with pytest.raises(UserError, match="misses"):
        synth.build(target, progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["synthetic", "old.txt"]

    def succeed(work: Path, *_: Any) -> None:
        (work / "new").mkdir()
        (work / "new" / "new.txt").write_text("new")

    monkeypatch.setattr(building, "_build_into", succeed)
    synth.build(target, progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["synthetic", "new.txt"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    target = tmp_path / "synthetic"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(OSError, match="nowhere"):
        building._swap(tmp_path / "nowhere", target, tmp_path / "aside")
    assert (target / "old.txt").read_text() == "old"


def test_no_workers_build_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 workers"):
        synth.build(tmp_path / "world", workers=0)
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_one_panel_leaves_empty_keeps_its_type(tmp_path: Path) -> None:
    """A panel in which nobody appealed must not stop a build of a thousand."""
    for name, values in (("000", pa.nulls(2)), ("001", pa.array(["appealed"]))):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"outcome": values}), tmp_path / name / "t.parquet")
    building._join_parquet(
        tmp_path / "tables" / "t.parquet", [tmp_path / "000" / "t.parquet", tmp_path / "001" / "t.parquet"]
    )
    assert pq.read_table(tmp_path / "tables" / "t.parquet").to_pydict() == {"outcome": [None, None, "appealed"]}


def test_check_passes_on_the_committed_data() -> None:
    assert synth.check(DATA) == []


def test_check_names_what_is_missing_or_changed(tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(DATA, copy)
    (copy / "tables" / "sites.parquet").unlink()
    (copy / "tables" / "weather.parquet").write_bytes(b"no table any more")
    path = copy / "fhir" / "Patient.ndjson"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # one bit
    path.write_bytes(content)
    assert synth.check(copy) == [
        "fhir/Patient.ndjson is not what was built: its content has changed.",
        "tables/sites.parquet is missing.",
        "tables/weather.parquet is not what was built: its content has changed.",
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
    import gzip

    packed = sum(
        len(gzip.compress(path.read_bytes(), mtime=0)) for path in (DATA / "fhir").rglob("*") if path.is_file()
    )
    assert packed < 3e6  # what a clone fetches of the sample
    tables = sum(path.stat().st_size for path in (DATA / "tables").iterdir())
    assert tables < 6e6


def test_the_dictionary_refuses_what_nobody_described(seven_hundred: Path, tmp_path: Path) -> None:
    copy = tmp_path / "world"
    shutil.copytree(seven_hundred, copy)
    assert documents.dictionary(copy) == (seven_hundred / "DATA_DICTIONARY.md").read_text(encoding="utf-8")
    (copy / "strange").mkdir()
    (copy / "strange" / "file.txt").write_text("?")
    with pytest.raises(UserError, match=r"strange/file\.txt"):
        documents.dictionary(copy)
    shutil.rmtree(copy / "strange")
    (copy / "fhir" / "Basic.ndjson").write_text("{}\n")
    with pytest.raises(UserError, match="Basic"):
        documents.dictionary(copy)
    (copy / "fhir" / "Basic.ndjson").unlink()
    frame = pd.read_parquet(copy / "tables" / "sites.parquet")
    frame.assign(secret=1).to_parquet(copy / "tables" / "sites.parquet")
    with pytest.raises(UserError, match="sites differ in secret"):
        documents.dictionary(copy)


def test_an_undescribed_truth_table_is_listed_all_the_same(seven_hundred: Path, tmp_path: Path) -> None:
    copy = tmp_path / "world"
    shutil.copytree(seven_hundred, copy)
    pd.DataFrame({"id": [1]}).to_parquet(copy / "truth" / "newly_invented.parquet")
    assert "| newly_invented |  |" in documents.dictionary(copy)
