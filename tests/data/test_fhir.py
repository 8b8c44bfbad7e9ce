"""Reading, validating and flattening FHIR that may be broken."""

import gzip
import time
from pathlib import Path
from typing import Any

import pytest

from carelab.errors import UserError
from carelab.fhir import TABLES, check_references, flatten, read_ndjson, validate
from carelab.paths import DATA

APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2026-07-01T13:30:00Z",
    "end": "2026-07-01T14:00:00Z",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
}


def write(path: Path, content: bytes) -> Path:
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["Patient.ndjson", "Patient.ndjson.gz"])
def test_lines_blank_lines_and_a_byte_order_mark(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b'\xef\xbb\xbf{"id": "1"}\r\n\n   \n{"id": "2"}')
    assert [resource["id"] for resource in read_ndjson(path)] == ["1", "2"]


@pytest.mark.parametrize("name", ["Patient.ndjson", "Patient.ndjson.gz"])
def test_a_broken_line_is_named(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b'{"id": "1"}\n{"id": \n{"id": "3"}\n')
    resources = read_ndjson(path)
    assert next(resources)["id"] == "1"
    with pytest.raises(UserError, match=rf"{name}, line 2: not valid JSON"):
        next(resources)


def test_what_is_not_a_resource_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        list(read_ndjson(tmp_path / "absent.ndjson"))
    with pytest.raises(UserError, match="line 1: not a JSON object"):
        list(read_ndjson(write(tmp_path / "list.ndjson", b"[1]\n")))
    (tmp_path / "false.ndjson.gz").write_bytes(b'{"id": "1"}\n')
    with pytest.raises(UserError, match="not a whole gzip file"):
        list(read_ndjson(tmp_path / "false.ndjson.gz"))
    cut = gzip.compress(b'{"id": "1"}\n' * 1000)[:-20]
    (tmp_path / "cut.ndjson.gz").write_bytes(cut)
    with pytest.raises(UserError, match="not a whole gzip file"):
        list(read_ndjson(tmp_path / "cut.ndjson.gz"))
    with pytest.raises(UserError, match=r"no \.ndjson"):
        check_references(tmp_path / "nowhere")


def test_a_good_resource_has_no_problems() -> None:
    assert validate(APPOINTMENT) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": None}, "status"),
        ({"start": "07/01/2026"}, "start"),
        ({"start": "2026-02-30T13:30:00Z"}, "start"),
        ({"colour": "red"}, "colour"),
        ({"participant": {"status": "accepted"}}, "participant"),
        ({"serviceType": [{"concept": {"text": "cardiology"}}]}, "serviceType"),  # R5's shape
        ({"extension": [{"valueString": "no url"}]}, "url"),
        ({"id": "x" * 65}, "longer than 64"),
        ({"contained": [{"resourceType": "Medicine"}]}, "not FHIR R4"),
    ],
)
def test_a_wrong_shape_is_named(change: dict[str, Any], message: str) -> None:
    broken = {key: value for key, value in (APPOINTMENT | change).items() if value is not None}
    problems = validate(broken)
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith("Appointment/") for problem in problems)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ({"id": "1"}, "no resourceType"),
        ({"resourceType": "Visit"}, "'Visit' is not a resource type"),
        ({"resourceType": "appointment"}, "not a resource type"),
        ({"resourceType": "fhirtypes"}, "not a resource type"),
        ({"resourceType": "../Patient"}, "not a resource type"),
        ({"resourceType": 7}, "not a resource type"),
        ([APPOINTMENT], "is a list"),
        (None, "is a NoneType"),
    ],
)
def test_what_is_no_resource_is_said_in_a_sentence(thing: Any, message: str) -> None:
    assert any(message in problem for problem in validate(thing))


def test_every_bad_entry_of_a_bundle_is_found() -> None:
    bad = APPOINTMENT | {"id": "a2", "start": "soon"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in (APPOINTMENT, bad, {"id": "x"})],
    }
    problems = validate(bundle)
    assert len(problems) == 2
    assert problems[0].startswith("Appointment/a2: start")
    assert "no resourceType" in problems[1]


@pytest.mark.parametrize(
    ("resource", "release"),
    [
        ({"resourceType": "MedicationOrder"}, "DSTU2"),
        ({"resourceType": "Patient", "name": [{"family": ["Lake"]}]}, "DSTU2"),
        (
            {"resourceType": "Observation", "status": "final", "code": {}, "context": {"reference": "Encounter/1"}},
            "STU3",
        ),
        ({"resourceType": "Encounter", "status": "planned", "class": [{"text": "AMB"}]}, "R5"),
    ],
)
def test_another_release_is_named(resource: dict[str, Any], release: str) -> None:
    assert f"belongs to FHIR {release}, not R4" in validate(resource)[0]


def test_references_inside_a_resource_and_by_uuid(tmp_path: Path) -> None:
    write(tmp_path / "Patient.ndjson", b'{"resourceType": "Patient", "id": "p1"}\n')
    lines = [
        b'{"resourceType": "Basic", "id": "b1", "contained": [{"id": "c"}], "subject": {"reference": "#c"}}',
        b'{"resourceType": "Basic", "id": "b2", "subject": {"reference": "urn:uuid:p1"}}',
        b'{"resourceType": "Basic", "id": "b3", "subject": {"reference": "#d"}}',
        b'{"resourceType": "Basic", "id": "b4", "subject": {"reference": "https://elsewhere.example.org/Patient/p1"}}',
    ]
    write(tmp_path / "Basic.ndjson", b"\n".join(lines))
    assert [problem.split(" refers")[0] for problem in check_references(tmp_path)] == [
        "Basic.ndjson: Basic/b3",
        "Basic.ndjson: Basic/b4",
    ]


def test_flatten_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no table 'visit'; choose one of"):
        flatten("visit", DATA / "fhir")
    with pytest.raises(UserError, match=r"Location\.ndjson is not in"):
        flatten("visits", tmp_path)
    for path in (DATA / "fhir").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "Appointment.ndjson").write_bytes(b'{"id": "a1", "start": \n')
    with pytest.raises(UserError, match="cannot be flattened"):
        flatten("visits", tmp_path)


def test_a_feed_without_optional_types_still_flattens(tmp_path: Path) -> None:
    for path in (DATA / "fhir").iterdir():
        if path.stem not in ("Coverage", "Condition", "Communication"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    visits = flatten("visits", tmp_path)
    assert len(visits) == len(flatten("visits", DATA / "fhir"))
    assert set(visits["payer"]) == {"self-pay"}
    assert not visits["sms_reminder"].any()
    assert not visits["transport_need"].any()
    assert flatten("reminders", tmp_path).empty


def test_gzipped_files_flatten_alike(tmp_path: Path) -> None:
    for path in (DATA / "fhir").iterdir():
        name = f"{path.name}.gz" if path.suffix == ".ndjson" else path.name
        write(tmp_path / name, path.read_bytes())
    for table in TABLES:
        assert flatten(table, tmp_path).equals(flatten(table, DATA / "fhir")), table


def test_the_machine_s_time_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    here = flatten("visits", DATA / "fhir")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        assert flatten("visits", DATA / "fhir").equals(here)
    finally:
        monkeypatch.undo()
        if hasattr(time, "tzset"):
            time.tzset()
