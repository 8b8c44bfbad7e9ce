"""The standard tables: the same as a plain Python flattening, on Synthea's export and on our own feed."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from carelab.errors import UserError
from carelab.fhir import STANDARD, read, standard_table, standard_tables
from carelab.paths import DATA, ROOT

REAL = ROOT.parent / "shared" / "realdata"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real files (../shared/realdata) are not on this machine")


def dig(node: Any, *path: str | int) -> Any:
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and len(node) > step else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def key(reference: Any) -> str | None:
    text = dig(reference, "reference")
    if text is None or text.startswith("#"):
        return None
    return str(text.rsplit(":", 1)[-1] if text.startswith("urn:") else text.rsplit("/", 1)[-1])


def moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    if len(text) > 10:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return datetime.fromisoformat((text + "-01-01")[:10])


def concept(node: Any) -> list[Any]:
    text = dig(node, "text") or dig(node, "coding", 0, "display")
    return [dig(node, "coding", 0, "code"), dig(node, "coding", 0, "system"), text]


def care(r: Any) -> list[Any]:
    return [key(r.get("subject")), key(r.get("encounter"))]


def named(r: Any) -> list[Any]:
    names = r.get("name") or []
    name: Any = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    return [" ".join(name["given"]) if "given" in name else None, name.get("family")]


def omb(r: Any, name: str) -> Any:
    url = f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{name}"
    inner = next((e.get("extension", []) for e in r.get("extension", []) if e["url"] == url), [])
    return next((e["valueString"] for e in inner if e["url"] == "text"), None)


def mrn(r: Any) -> Any:
    found = [i for i in r.get("identifier", []) if dig(i, "type", "coding", 0, "code") == "MR"] or r.get(
        "identifier", []
    )
    return found[0]["value"] if found else None


def telecom(r: Any, system: str) -> Any:
    return next((t["value"] for t in r.get("telecom", []) if t.get("system") == system), None)


def total(r: Any, code: str) -> Any:
    return next((t["amount"]["value"] for t in r["total"] if dig(t, "category", "coding", 0, "code") == code), None)


def actor(r: Any, kind: str) -> Any:
    references = (dig(p, "actor", "reference") or "" for p in r["participant"])
    return next((text.rsplit("/", 1)[-1] for text in references if f"{kind}/" in text), None)


def nets(r: Any) -> Any:
    found = [i["net"]["value"] for i in r["item"] if "net" in i]
    return sum(found) if found else None


def minutes(period: Any) -> Any:
    start, end = moment(dig(period, "start")), moment(dig(period, "end"))
    if start is None or end is None:
        return None
    # As SQL counts: boundaries of minutes that were crossed.
    return round((end.replace(second=0, microsecond=0) - start.replace(second=0, microsecond=0)).total_seconds() / 60)


# Resource type -> the same row, written without the library.
PLAIN: dict[str, Any] = {
    "Patient": lambda r: [
        mrn(r), r.get("active"), *named(r), r.get("gender"), r.get("birthDate"),
        bool(r.get("deceasedBoolean")) or "deceasedDateTime" in r, moment(r.get("deceasedDateTime")),
        dig(r, "maritalStatus", "coding", 0, "code"), omb(r, "race"), omb(r, "ethnicity"),
        dig(r, "communication", 0, "language", "coding", 0, "code"), telecom(r, "phone"),
        ", ".join(dig(r, "address", 0, "line")) if dig(r, "address", 0, "line") else None,
        *(dig(r, "address", 0, part) for part in ("city", "state", "postalCode", "country")),
    ],
    "Encounter": lambda r: [
        key(r["subject"]), r["status"], dig(r, "class", "code"), *concept(dig(r, "type", 0)),
        moment(dig(r, "period", "start")), moment(dig(r, "period", "end")), minutes(r.get("period")),
        *concept(dig(r, "reasonCode", 0)), None, dig(r, "hospitalization", "dischargeDisposition", "coding", 0, "code"),
        key(dig(r, "participant", 0, "individual")), key(r.get("serviceProvider")),
    ],
    "Condition": lambda r: [
        *care(r), dig(r, "clinicalStatus", "coding", 0, "code"), dig(r, "verificationStatus", "coding", 0, "code"),
        dig(r, "category", 0, "coding", 0, "code"), *concept(r["code"]), r.get("onsetDateTime"),
        moment(r.get("onsetDateTime")), r.get("abatementDateTime"), moment(r.get("abatementDateTime")),
        moment(r.get("recordedDate")),
    ],
    "Observation": lambda r: [
        *care(r), r["status"], dig(r, "category", 0, "coding", 0, "code"), *concept(r["code"]),
        moment(r.get("effectiveDateTime")), moment(r.get("issued")), dig(r, "valueQuantity", "value"), None,
        dig(r, "valueQuantity", "code"), *concept(r.get("valueCodeableConcept"))[:1],
        concept(r.get("valueCodeableConcept"))[2] or r.get("valueString"), None, None, len(r.get("component", [])),
    ],
    "MedicationRequest": lambda r: [
        *care(r), r["status"], r["intent"], *concept(r.get("medicationCodeableConcept")),
        key(r.get("medicationReference")), moment(r.get("authoredOn")), key(r.get("requester")),
        dig(r, "dosageInstruction", 0, "text"),
    ],
    "Procedure": lambda r: [
        *care(r), r["status"], *concept(r["code"]), moment(dig(r, "performedPeriod", "start")),
        moment(dig(r, "performedPeriod", "end")),
    ],
    "Immunization": lambda r: [
        key(r["patient"]), key(r["encounter"]), r["status"], *concept(r["vaccineCode"]), moment(r["occurrenceDateTime"]),
        r["primarySource"],
    ],
    "Claim": lambda r: [
        key(r["patient"]), key(r["provider"]), key(r.get("insurer")), key(r["insurance"][0]["coverage"]), r["status"],
        r["use"], dig(r, "type", "coding", 0, "code"), dig(r, "priority", "coding", 0, "code"), moment(r["created"]),
        moment(r["billablePeriod"]["start"]), moment(r["billablePeriod"]["end"]), len(r["item"]), nets(r),
        r["total"]["value"], r["total"]["currency"],
    ],
    "ExplanationOfBenefit": lambda r: [
        key(r["patient"]), key(r["provider"]), key(r["insurer"]), key(r["claim"]), r["status"], r["use"],
        dig(r, "type", "coding", 0, "code"), r["outcome"], moment(r["created"]), moment(r["billablePeriod"]["start"]),
        moment(r["billablePeriod"]["end"]), len(r["item"]), total(r, "submitted"), dig(r, "payment", "amount", "value"),
        dig(r, "payment", "amount", "currency"),
    ],
    "AllergyIntolerance": lambda r: [
        key(r["patient"]), dig(r, "clinicalStatus", "coding", 0, "code"), dig(r, "verificationStatus", "coding", 0, "code"),
        r["type"], r["category"][0], r["criticality"], *concept(r["code"]), None, moment(r["recordedDate"]),
    ],
    "DiagnosticReport": lambda r: [
        *care(r), r["status"], dig(r, "category", 0, "coding", 0, "code"), *concept(r["code"]),
        moment(r["effectiveDateTime"]), moment(r["issued"]), len(r.get("result", [])), None,
    ],
    "Practitioner": lambda r: [
        r["identifier"][0]["value"], r.get("active"), *named(r), r.get("gender"), dig(r, "address", 0, "city"),
        dig(r, "address", 0, "state"),
    ],
    "Organization": lambda r: [
        None, r.get("active"), r.get("name"), *concept(dig(r, "type", 0)), telecom(r, "phone"),
        *(dig(r, "address", 0, part) for part in ("city", "state", "postalCode")), key(r.get("partOf")),
    ],
    "CarePlan": lambda r: [
        *care(r), r["status"], r["intent"], *concept(dig(r, "category", 0)), moment(dig(r, "period", "start")),
        moment(dig(r, "period", "end")),
    ],
    "Appointment": lambda r: [
        actor(r, "Patient"), actor(r, "Practitioner"), actor(r, "Location"), r["status"],
        dig(r, "specialty", 0, "coding", 0, "code"), dig(r, "appointmentType", "coding", 0, "code"),
        dig(r, "cancelationReason", "coding", 0, "code"), moment(r["start"]), moment(r["end"]), moment(r["created"]),
        r["minutesDuration"],
    ],
}  # fmt: skip


def same(kind: str, path: Path, raw: bytes) -> int:
    """Compare a table with the plain rows, value by value; how many rows there were."""
    resources = sorted((orjson.loads(line) for line in raw.splitlines()), key=lambda r: r["id"].encode())
    table = standard_table(kind, path)
    assert table["id"].tolist() == [r["id"] for r in resources]
    plain = pd.DataFrame([PLAIN[kind](r) for r in resources], columns=table.columns[1:], dtype=object)
    for column in plain.columns:
        mine, theirs = plain[column], table[column].astype(object)
        assert (mine.isna() == theirs.isna()).all(), (kind, column)
        filled = mine.notna()
        if pd.api.types.is_float_dtype(table[column]):
            pd.testing.assert_series_equal(mine[filled].astype(float), theirs[filled].astype(float), check_names=False)
        else:
            assert (mine[filled] == theirs[filled]).all(), (kind, column)
    return len(table)


SYNTHEA = [kind for kind in PLAIN if kind != "Appointment"]


@real
@pytest.mark.parametrize("kind", SYNTHEA)
def test_synthea_s_tables_are_those_of_plain_python(kind: str) -> None:
    counts = orjson.loads((REAL / "expected.json").read_bytes())["synthea-ndjson"]["counts"]
    folder = REAL / "synthea-ndjson"
    assert same(kind, folder, gzip.decompress((folder / f"{kind}.ndjson.gz").read_bytes())) == counts[kind]


@pytest.mark.parametrize("kind", ["Patient", "Condition", "Appointment", "Practitioner", "Organization"])
def test_our_own_tables_are_those_of_plain_python(kind: str) -> None:
    assert same(kind, DATA / "fhir", (DATA / "fhir" / f"{kind}.ndjson").read_bytes()) > 0


@real
def test_figures_that_two_other_programs_agreed_on() -> None:
    expected = orjson.loads((REAL / "expected.json").read_bytes())["synthea-ndjson"]
    with standard_tables(REAL / "synthea-ndjson") as db:

        def one(sql: str) -> Any:
            return db.sql(sql).fetchall()[0]

        assert (
            dict(db.sql("select class, count(*) from Encounter group by 1").fetchall()) == expected["encounter_class"]
        )
        assert dict(db.sql("select gender, count(*) from Patient group by 1").fetchall()) == expected["gender"]
        assert one("select count(*) from Patient where deceased")[0] == expected["patients_deceased"]
        assert one("select sum(total) from Claim")[0] == pytest.approx(expected["claim_total_sum_usd"], abs=0.01)
        n, mean = one("select count(*), avg(value) from Observation where code = '39156-5'")
        assert (n, round(mean, 6)) == (expected["bmi_39156-5"]["n"], expected["bmi_39156-5"]["mean"])
        loincs = one("select count(distinct code) from Observation where code_system = 'http://loinc.org'")[0]
        assert loincs == expected["distinct_loinc_in_Observation_code"]


@real
@pytest.mark.parametrize("folder, returns", [("synthea-ndjson", 0), ("synthea-readmissions", 126)])
def test_thirty_day_returns(folder: str, returns: int) -> None:
    """Class IMP, next start less this end in [0, 30) days, in the order of start and id."""
    with standard_tables(REAL / folder, ["Encounter"]) as db:
        found = db.sql("""
            with stays as (
                select *, lead(start_utc) over (partition by patient_id order by start_utc, id) as next_start
                from Encounter where class = 'IMP')
            select count(*) from stays where next_start >= end_utc and next_start < end_utc + interval 30 day
        """).fetchall()
    assert found == [(returns,)]


@real
def test_single_files_and_bundles_become_the_same_tables(tmp_path: Path) -> None:
    counts = orjson.loads((REAL / "expected.json").read_bytes())["us-core-examples"]["counts"]
    with standard_tables(REAL / "us-core-examples") as db:
        for kind in ("Patient", "Encounter", "Observation", "Condition", "MedicationRequest", "ServiceRequest"):
            assert db.sql(f'select count(*) from "{kind}"').fetchall() == [(counts[kind],)]
        races = db.sql("select race from Patient where race is not null").fetchall()
        assert races
        values = db.sql("select count(value), count(value_code), count(distinct unit) from Observation").fetchall()[0]
        assert min(values) > 20
    read(REAL / "us-core-examples").save(tmp_path / "export")
    assert standard_table("Observation", tmp_path / "export").equals(
        standard_table("Observation", REAL / "us-core-examples")
    )


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("Patient/p1", "p1"),
        ("urn:uuid:p1", "p1"),
        ("https://server.example.org/fhir/Patient/p1", "p1"),
        ("Patient/p1/_history/3", "p1"),
        ("#inside", None),
    ],
)
def test_references_of_all_forms(reference: str, found: str | None, tmp_path: Path) -> None:
    resource = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": reference},
        "onsetDateTime": "2020-05",
    }
    (tmp_path / "Condition.0001.ndjson").write_bytes(orjson.dumps(resource))
    table = standard_table("Condition", tmp_path)
    assert table["patient_id"].tolist() == [found]
    assert table["onset"].tolist() == ["2020-05"]
    assert table["onset_utc"].tolist() == [pd.Timestamp("2020-05-01")]


def test_many_files_marks_and_other_names(tmp_path: Path) -> None:
    one, two = ({"resourceType": "Patient", "id": name, "birthDate": "1980"} for name in ("p1", "p2"))
    (tmp_path / "Patient.000.ndjson").write_bytes(orjson.dumps(one))
    (tmp_path / "Patient.001.ndjson.gz").write_bytes(gzip.compress(orjson.dumps(two)))
    assert standard_table("Patient", tmp_path)["id"].tolist() == ["p1", "p2"]
    (tmp_path / "Patient.000.ndjson").write_bytes(b"\xef\xbb\xbf" + orjson.dumps(one))
    (tmp_path / "export.json").write_bytes(
        orjson.dumps({"resourceType": "Bundle", "entry": [{"resource": one | {"id": "p3"}}]})
    )
    assert standard_table("Patient", tmp_path)["id"].tolist() == ["p1", "p2", "p3"]
    assert standard_table("Encounter", tmp_path).empty
    assert set(STANDARD) >= {"Patient", "Encounter", "Claim", "DocumentReference"}


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no standard table for 'Visit'"):
        standard_table("Visit", DATA / "fhir")
    with pytest.raises(UserError, match="is not there"):
        standard_table("Patient", tmp_path / "nowhere")
    (tmp_path / "Patient.ndjson").write_bytes(b'{"resourceType": "Patient", "id": \n')
    with pytest.raises(UserError, match=r"Patient cannot be flattened .*quarantine"):
        standard_table("Patient", tmp_path)
