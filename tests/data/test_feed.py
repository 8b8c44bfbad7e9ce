"""The FHIR feed S: valid, closed, marked as test data, free of codes we may not ship, and the same as the tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


SYSTEMS = {
    "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
    "http://terminology.hl7.org/CodeSystem/organization-type",
    "http://terminology.hl7.org/CodeSystem/condition-clinical",
    "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "http://hl7.org/fhir/us/core/CodeSystem/condition-category",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "urn:ietf:bcp:47",
    "urn:oid:2.16.840.1.113883.6.238",
    "http://unitsofmeasure.org",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://loinc.org",
    "http://terminology.hl7.org/CodeSystem/claim-type",
    "http://terminology.hl7.org/CodeSystem/processpriority",
    "http://terminology.hl7.org/CodeSystem/benefit-network",
}
FORBIDDEN = ("snomed.info", "ama-assn", "ada.org", "x12.org", "nubc", "nucc")
PROCEDURE_CODE = re.compile(r"\d{5}|\d{4}[FTU]|D\d{4}")  # the form of CPT and CDT codes


def unlicensed(node: Any) -> Iterator[str]:
    """Codings of systems we do not ship, codes in the form of a procedure code, and names of those systems."""
    if isinstance(node, dict):
        system, code = node.get("system"), node.get("code")
        if isinstance(code, str):
            if system not in SYSTEMS and not str(system).startswith("https://example.org/fhir/CodeSystem/"):
                yield f"{system}|{code}"
            if PROCEDURE_CODE.fullmatch(code):
                yield f"{system}|{code}"
        for child in node.values():
            yield from unlicensed(child)
    elif isinstance(node, list):
        for child in node:
            yield from unlicensed(child)
    elif isinstance(node, str) and any(word in node.lower() for word in FORBIDDEN):
        yield node


def test_only_codes_that_may_be_shipped() -> None:
    assert [found for resource in feed() for found in unlicensed(resource)] == []


@pytest.mark.parametrize(
    "coding",
    [
        {"system": "http://snomed.info/sct", "code": "44054006"},
        {"system": "http://www.ama-assn.org/go/cpt", "code": "99213"},
        {"system": "https://example.org/fhir/CodeSystem/specialty", "code": "99213"},
        {"system": "http://www.ada.org/cdt", "code": "D0120"},
        {"code": "office-visit"},
    ],
)
def test_the_licence_check_can_fail(coding: dict[str, str]) -> None:
    assert list(unlicensed({"code": {"coding": [coding]}}))


def test_no_file_of_the_data_names_a_licensed_system() -> None:
    for path in DATA.rglob("*"):
        if path.suffix in {".json", ".csv", ".ndjson"}:
            text = path.read_text(encoding="utf-8").lower()
            assert not [word for word in FORBIDDEN if word in text], path.name


def test_nobody_can_be_reached() -> None:
    for patient in read_ndjson(FEED / "Patient.ndjson"):
        contact = {entry["system"]: entry["value"] for entry in patient["telecom"]}
        assert re.fullmatch(r"555-01\d\d", contact["phone"])
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d{6}@example\.org", contact["email"])
        assert len(patient["address"][0]["postalCode"]) == 3
    for practitioner in read_ndjson(FEED / "Practitioner.ndjson"):
        assert re.fullmatch(r"9\d{9}", practitioner["identifier"][0]["value"])


def test_the_sample_is_the_tables_restricted_to_its_patients(world: World) -> None:
    patients = set(flatten("patients", FEED)["patient_id"])
    assert len(patients) == 12 * world.sample_per_panel
    for table in TABLES:
        whole = pd.read_parquet(DATA / "tables" / f"{table}.parquet")
        if "patient_id" in whole:
            whole = whole[whole["patient_id"].isin(patients)].reset_index(drop=True)
        pd.testing.assert_frame_equal(flatten(table, FEED), whole, obj=table)


def test_the_sample_has_whole_duplicate_pairs() -> None:
    patients = set(flatten("patients", FEED)["patient_id"])
    pairs = pd.read_parquet(DATA / "truth" / "duplicates.parquet")
    inside = pairs.isin(patients)
    assert inside.all(axis=1).sum() >= 3
    assert (inside.any(axis=1) == inside.all(axis=1)).all()
