"""The FHIR feed S: valid, closed, marked as test data, and the same as the tables. Licences: test_licences.py."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pandas as pd
import pytest

from carelab.fhir import TABLES, check_references, flatten, read_ndjson, validate
from carelab.fhir.read import Resource, ndjson_files
from carelab.paths import DATA
from carelab.synth.config import World

FEED = DATA / "fhir"
KINDS = [path.stem for path in ndjson_files(FEED)]


def feed() -> Iterator[Resource]:
    for path in ndjson_files(FEED):
        yield from read_ndjson(path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_resource_is_valid_r4(kind: str) -> None:
    seen = 0
    for resource in read_ndjson(FEED / f"{kind}.ndjson"):
        assert validate(resource) == []
        assert resource["resourceType"] == kind
        seen += 1
    assert seen > 0


def test_every_resource_is_marked_as_test_data() -> None:
    for resource in feed():
        assert resource["meta"]["security"][0]["code"] == "HTEST", resource["id"]
        assert resource["meta"]["tag"][0]["code"] == "synthetic", resource["id"]


def test_every_reference_leads_somewhere(tmp_path: Path) -> None:
    assert check_references(FEED) == []
    for path in ndjson_files(FEED):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (FEED / "Patient.ndjson").read_bytes().splitlines(keepends=True)
    (tmp_path / "Patient.ndjson").write_bytes(b"".join(lines[1:]) + lines[-1])
    problems = check_references(tmp_path)
    gone, twice = orjson.loads(lines[0])["id"], orjson.loads(lines[-1])["id"]
    assert f"Patient.ndjson: Patient/{twice} is there twice." in problems
    assert any(f"refers to Patient/{gone}, which is not in the export" in problem for problem in problems)
    assert all(gone in problem or twice in problem for problem in problems)


# What FHIR requires of these elements; the models of the schema do not look at codes.
REQUIRED = {
    ("Appointment", "status"): {"booked", "fulfilled", "cancelled", "noshow"},
    ("Slot", "status"): {"busy", "free"},
    ("Communication", "status"): {"preparation", "completed", "not-done"},
    ("Patient", "gender"): {"female", "male"},
    ("Practitioner", "gender"): {"female", "male"},
    ("Coverage", "status"): {"active"},
    ("Location", "status"): {"active"},
}


def test_required_codes_are_those_of_fhir() -> None:
    seen: dict[tuple[str, str], set[str]] = {key: set() for key in REQUIRED}
    for resource in feed():
        for kind, element in seen:
            if resource["resourceType"] == kind:
                seen[kind, element].add(resource[element])
    assert seen == REQUIRED


def test_nobody_can_be_reached() -> None:
    for patient in read_ndjson(FEED / "Patient.ndjson"):
        contact = {entry["system"]: entry["value"] for entry in patient["telecom"]}
        assert re.fullmatch(r"555-01\d\d", contact["phone"])
        if patient["id"].startswith("pat-"):  # the hospitals ask for no address
            assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d{6}@example\.org", contact["email"])
        assert len(patient["address"][0]["postalCode"]) == 3
    for practitioner in read_ndjson(FEED / "Practitioner.ndjson"):
        assert re.fullmatch(r"9\d{9}", practitioner["identifier"][0]["value"])


def test_the_sample_is_the_tables_restricted_to_its_patients(world: World) -> None:
    assert len(flatten("patients", FEED)) == 12 * world.sample_per_panel
    kept = {
        "patient_id": {patient["id"] for patient in read_ndjson(FEED / "Patient.ndjson")},
        "stay_id": set(flatten("stays", FEED)["stay_id"]),
        # Only some of the patients have their requests for authorization in the sample.
        "request_id": set(flatten("authorizations", FEED)["request_id"]),
    }
    for table in TABLES:
        whole = pd.read_parquet(DATA / "tables" / f"{table}.parquet")
        for key, ids in kept.items():
            if key in whole:
                whole = whole[whole[key].isin(ids)].reset_index(drop=True)
        pd.testing.assert_frame_equal(flatten(table, FEED), whole, obj=table)


def test_the_sample_has_whole_duplicate_pairs() -> None:
    patients = set(flatten("patients", FEED)["patient_id"])
    pairs = pd.read_parquet(DATA / "truth" / "duplicates.parquet")
    inside = pairs.isin(patients)
    assert inside.all(axis=1).sum() >= 3
    assert (inside.any(axis=1) == inside.all(axis=1)).all()
