"""croissant.json and the documents: they name what is there, truly, and nothing of the truth."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from carelab.errors import UserError
from carelab.paths import DATA
from carelab.synth import croissant, documents
from carelab.synth.work import entry_of


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((DATA / "croissant.json").read_bytes())
    return found


def test_every_file_but_the_truth_is_there_with_its_hash(described: dict[str, Any]) -> None:
    listed = {entry["@id"]: entry for entry in described["distribution"]}
    files = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert set(listed) == {
        name for name in files if not name.startswith("truth/") and name not in ("MANIFEST.json", "croissant.json")
    }
    for name, entry in listed.items():
        assert entry["@type"] == "cr:FileObject"
        assert entry["contentUrl"] == name
        assert entry["sha256"] == hashlib.sha256((DATA / name).read_bytes()).hexdigest(), name
        assert entry["contentSize"] == f"{(DATA / name).stat().st_size} B"
        assert entry["encodingFormat"] != "application/octet-stream", name


def test_every_table_is_a_record_set_with_its_columns(described: dict[str, Any]) -> None:
    sets = {entry["@id"]: entry for entry in described["recordSet"]}
    assert set(sets) == {path.stem for path in (DATA / "tables").glob("*.parquet")}
    for name, entry in sets.items():
        schema = pq.read_schema(DATA / "tables" / f"{name}.parquet")
        assert [field["name"] for field in entry["field"]] == schema.names
        assert all(field["description"] for field in entry["field"])
        assert all(field["source"]["fileObject"]["@id"] == f"tables/{name}.parquet" for field in entry["field"])
        assert all(field["source"]["extract"]["column"] == field["name"] for field in entry["field"])
        if "key" in entry:
            column = entry["key"]["@id"].split("/")[1]
            assert pd.read_parquet(DATA / "tables" / f"{name}.parquet", columns=[column])[column].is_unique
    types = {field["name"]: field["dataType"] for field in sets["visits"]["field"]}
    assert (types["start"], types["age"], types["transport_need"]) == ("sc:DateTime", "sc:Integer", "sc:Boolean")
    assert (types["site_id"], types["distance_km"]) == ("sc:Text", "sc:Float")
    assert sets["visits"]["key"] == {"@id": "visits/appointment_id"}


def test_it_is_a_data_set_of_croissant(described: dict[str, Any]) -> None:
    assert described["@type"] == "sc:Dataset"
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    for name in ("name", "description", "license", "url", "version", "creator", "citeAs"):
        assert described[name]
    identifiers = [e["@id"] for e in described["distribution"]] + [
        i for r in described["recordSet"] for i in (r["@id"], *(f["@id"] for f in r["field"]))
    ]
    assert len(identifiers) == len(set(identifiers))
    assert "date" not in {key.lower()[:4] for key in described if key != "dataBiases"}


def test_nothing_of_the_truth_is_in_it(described: dict[str, Any]) -> None:
    text = orjson.dumps([described["distribution"], described["recordSet"]]).decode()
    assert "truth/" not in text
    assert "p_no_show" not in text


def make(folder: Path, table: pa.Table) -> dict[str, Any]:
    """The description of a world with one table and a feed in folders of its own."""
    (folder / "tables").mkdir()
    pq.write_table(table, folder / "tables" / "odd.parquet")
    for name in ("network", "panel-000"):
        (folder / "fhir" / name).mkdir(parents=True)
        (folder / "fhir" / name / "Location.ndjson").write_text("{}\n")
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return croissant.metadata(folder, {path.relative_to(folder).as_posix(): entry_of(path) for path in paths}, "2.0")


def test_a_feed_in_many_folders_becomes_one_set_a_type(tmp_path: Path) -> None:
    found = make(tmp_path, pa.table({"tags": pa.array([["a"]]), "day": pa.array([None], pa.date32())}))
    sets = [entry for entry in found["distribution"] if entry["@type"] == "cr:FileSet"]
    assert [entry["includes"] for entry in sets] == ["fhir/*/Location.ndjson"]
    tags, day = found["recordSet"][0]["field"]
    assert (tags["dataType"], tags["repeated"], day["dataType"]) == ("sc:Text", True, "sc:Date")


def test_a_column_without_a_word_for_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"odd\.shape is of type struct"):
        make(tmp_path, pa.table({"shape": pa.array([{"a": 1}])}))


def test_the_dictionary_describes_everything_once() -> None:
    text = (DATA / "DATA_DICTIONARY.md").read_text(encoding="utf-8")
    assert documents.dictionary(DATA) == text
    for path in (DATA / "tables").glob("*.parquet"):
        assert text.count(f"\n## {path.stem} (") == 1
    for path in (DATA / "truth").glob("*.parquet"):
        assert text.count(f"\n| {path.stem} | ") == 1
    for path in (DATA / "fhir").glob("*.ndjson"):
        assert text.count(f"\n| {path.stem} | ") >= 1
    kinds = {line.split("|")[2].strip() for line in text.splitlines() if line.count("|") == 4}
    assert not kinds & {"int64", "large_string", "timestamp[us]"}  # words, not the library's


def test_the_datasheet_answers_what_gebru_asks() -> None:
    text = (DATA / "DATASHEET.md").read_text(encoding="utf-8")
    parts = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert parts == ["Motivation", "Composition", "Making", "Uses", "Distribution", "Maintenance"]
    assert text.count("?**") + text.count("licences**") >= 18
    assert "{" not in text  # every placeholder is filled
    assert "- scheduling: " in text


def test_manifest_and_croissant_agree(described: dict[str, Any]) -> None:
    manifest = orjson.loads((DATA / "MANIFEST.json").read_bytes())["files"]
    assert list(manifest) == sorted(manifest)
    assert manifest["croissant.json"]["sha256"] == hashlib.sha256((DATA / "croissant.json").read_bytes()).hexdigest()
    for entry in described["distribution"]:
        assert manifest[entry["@id"]]["sha256"] == entry["sha256"]
