"""Files this project did not write: Synthea's bulk export, US Core's examples, older releases of FHIR."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from carelab.errors import UserError
from carelab.fhir import check_feed, check_references, read, read_ndjson, validate
from carelab.fhir.read import Resource, ndjson_files
from carelab.fhir.references import references
from carelab.fhir.release import other_release
from carelab.fhir.scan import Refused, scan
from carelab.paths import ROOT

REAL = ROOT.parent / "shared" / "realdata"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real files (../shared/realdata) are not on this machine")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """Counts that two other programs agreed on."""
    return dict(orjson.loads((REAL / "expected.json").read_bytes()))


@pytest.fixture(scope="module")
def synthea() -> list[Resource]:
    return [resource for path in ndjson_files(REAL / "synthea-ndjson") for resource in read_ndjson(path)]


def test_synthea_is_read_whole(synthea: list[Resource], expected: dict[str, Any]) -> None:
    assert len(synthea) == 35_700
    assert Counter(resource["resourceType"] for resource in synthea) == expected["synthea-ndjson"]["counts"]
    patients = [resource for resource in synthea if resource["resourceType"] == "Patient"]
    assert Counter(patient["gender"] for patient in patients) == expected["synthea-ndjson"]["gender"]


def test_synthea_s_references_resolve(synthea: list[Resource], expected: dict[str, Any]) -> None:
    assert check_references(REAL / "synthea-ndjson") == []
    targets = [target for resource in synthea for target in references(resource)]
    counts = expected["synthea-ndjson"]["references"]
    assert len(targets) == counts["total"]
    assert sum(target.startswith("#") for target in targets) == counts["contained"]


def test_a_sample_of_synthea_is_valid(synthea: list[Resource]) -> None:
    """Every 30th resource: all of them take half a minute."""
    sample = synthea[::30]
    assert {resource["resourceType"] for resource in sample} >= {"Claim", "Encounter", "Observation", "Patient"}
    assert [problem for resource in sample for problem in validate(resource)] == []


def test_no_synthea_resource_is_taken_for_another_release(synthea: list[Resource]) -> None:
    assert [resource["id"] for resource in synthea if other_release(resource)] == []


def test_us_core_examples(expected: dict[str, Any]) -> None:
    files = sorted((REAL / "us-core-examples").glob("*.json"))
    assert len(files) == expected["us-core-examples"]["files"]
    resources = {path.name: orjson.loads(path.read_bytes()) for path in files}
    assert Counter(r["resourceType"] for r in resources.values()) == expected["us-core-examples"]["counts"]
    rejected = [name for name, resource in resources.items() if validate(resource)]
    assert rejected == [name for name, *_ in expected["us-core-examples"]["fhir.resources_8.3.0_R4B_rejects"]]


@pytest.mark.parametrize(("folder", "release"), [("dstu2", "DSTU2"), ("stu3", "STU3")])
def test_another_release_is_named_and_refused(folder: str, release: str) -> None:
    files = sorted((REAL / "wrong-version" / folder).glob("*.json"))
    assert len(files) == 3
    for path in files:
        problems = validate(orjson.loads(path.read_bytes()))
        assert f"FHIR {release}, not R4" in problems[0], path.name


@pytest.mark.parametrize("folder", ["dstu2", "stu3"])
def test_no_resource_of_another_release_gets_through(folder: str, tmp_path: Path) -> None:
    """Entry by entry, those included that look the same in all releases."""
    root = REAL / "wrong-version" / folder
    for path in sorted(root.glob("*.json")):
        pieces = list(scan(path))
        assert len(pieces) == len(orjson.loads(path.read_bytes())["entry"])
        assert {piece.release if isinstance(piece, Refused) else None for piece in pieces} == {folder.upper()}, (
            path.name
        )
    feed = read(root, quarantine=tmp_path)
    assert list(feed) == []
    assert feed.tally is not None and feed.tally.read == feed.tally.quarantined > 20
    with pytest.raises(UserError, match=rf"this is FHIR {folder.upper()}, not R4 .* convert it to R4 first"):
        list(read(root))


@pytest.mark.parametrize("folder", ["synthea-ndjson", "synthea-readmissions", "us-core-examples"])
def test_a_feed_of_them_is_whole(folder: str, expected: dict[str, Any], tmp_path: Path) -> None:
    feed = read(REAL / folder, quarantine=tmp_path / "bad")
    tally = feed.save(tmp_path / "clean")
    assert tally.quarantined == 0
    if folder == "us-core-examples":
        assert tally.files == expected[folder]["files"] == 229
        assert tally.good == 224 + 11  # five of the files are bundles, of eleven resources
    elif folder == "synthea-ndjson":
        assert tally.by_type == expected[folder]["counts"]
    else:
        assert tally.by_type == {"Encounter": expected[folder]["encounters"]}


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    whole = (REAL / "synthea-ndjson" / "Patient.ndjson.gz").read_bytes()
    (tmp_path / "Patient.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"Patient\.ndjson\.gz"):
        list(read_ndjson(tmp_path / "Patient.ndjson.gz"))


_SECTION = re.compile(r"^## (\S+): (\S+) at (\S+): (\d+)\n\n(.+?)\n\n```\n(.*?)```", re.MULTILINE | re.DOTALL)
ALARMS = Path(__file__).with_name("realdata_alarms.md")


@pytest.mark.parametrize("folder", ["synthea-ndjson", "synthea-readmissions", "us-core-examples"])
def test_every_alarm_is_listed_and_argued(folder: str) -> None:
    """What the rules about meaning say of real files is in realdata_alarms.md, id by id, with what it is worth."""
    listed = {
        (rule, path): set(ids.split())
        for name, rule, path, number, argument, ids in _SECTION.findall(ALARMS.read_text(encoding="utf-8"))
        if name == folder and len(ids.split()) == int(number) and argument
    }
    raised: dict[tuple[str, str], set[str]] = {}
    for problem in check_feed(REAL / folder):
        raised.setdefault((problem.rule, problem.path), set()).add(problem.resource.split("/")[1])
    assert raised == listed
