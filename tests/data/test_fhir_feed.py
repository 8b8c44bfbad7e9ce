"""Reading whatever folders hold: nothing is lost, what is bad is put aside with its reason, and the counts add up."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from carelab.cli import main
from carelab.errors import UserError
from carelab.fhir import read, report, validate
from carelab.fhir.feed import QUARANTINE
from carelab.fhir.release import release_signs
from carelab.fhir.scan import Found, Origin, Refused, scan
from carelab.paths import DATA

BOM = b"\xef\xbb\xbf"


def patient(own: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": own, **more}


def line(name: str) -> bytes:
    return orjson.dumps(patient(name))


def bundle(*resources: Any, kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Good and bad in every form that we read: 13 good resources, 9 things that are none."""
    folder = tmp_path / "feed"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.ndjson").write_bytes(
        b"\n".join([BOM + line("1"), b"", b'{"id": ', b"[1]", b'"text"', line("2")]) + b"\r\n"
    )
    (folder / "b.ndjson.gz").write_bytes(gzip.compress(line("3") + b"\n" + line("4")))
    (folder / "c.json").write_bytes(BOM + orjson.dumps(patient("5"), option=orjson.OPT_INDENT_2))
    (folder / "d.JSON").write_bytes(orjson.dumps(bundle(patient("6"), patient("7"), kind="transaction")))
    (folder / "deep" / "e.json.gz").write_bytes(gzip.compress(orjson.dumps([patient("8"), 7, patient("9")])))
    (folder / "deep" / "f.json").write_bytes(line("10") + b"\n" + line("11") + b"\n")  # NDJSON by another name
    (folder / "deep" / "er" / "g.jsonl").write_bytes((line("12") + b"\n").decode().encode("utf-16"))
    entries = bundle(bundle(patient("13"), kind="searchset"), {"id": "x"})
    entries["entry"] += [{"request": {"method": "DELETE", "url": "Patient/1"}}, "nothing"]
    (folder / "deep" / "er" / "h.json").write_bytes(orjson.dumps(entries))
    (folder / "i.json").write_bytes(b" \n")
    (folder / "j.json").write_bytes(b'{"resourceType": "Patient", \n')
    (folder / "k.ndjson").write_bytes(b'{"resourceType": "MedicationOrder", "id": "dstu2"}\n')
    (folder / "notes.txt").write_text("no FHIR")
    (folder / ".hidden.ndjson").write_bytes(b"broken")
    return folder


def test_all_forms_are_read_and_nothing_is_lost(mixed: Path, tmp_path: Path) -> None:
    feed = read(mixed, quarantine=tmp_path / "bad")
    assert sorted(int(resource["id"]) for resource in feed) == list(range(1, 14))
    tally = feed.tally
    assert tally is not None
    assert (tally.files, tally.good, tally.read) == (11, 13, 13 + tally.quarantined)
    assert tally.reasons == {"not-json": 3, "not-an-object": 4, "no-type": 1, "other-release": 1}
    lines = [orjson.loads(text) for text in (tmp_path / "bad" / QUARANTINE).read_bytes().splitlines()]
    assert len(lines) == tally.quarantined == 9
    origins = {(entry["file"], entry["line"], entry["entry"]): entry for entry in lines}
    assert origins["a.ndjson", 3, None]["content"] == '{"id": '
    assert "not valid JSON" in origins["a.ndjson", 3, None]["reason"]
    assert origins["a.ndjson", 4, None]["content"] == [1]
    assert origins["deep/e.json.gz", None, 1]["content"] == 7
    assert origins["deep/er/h.json", None, 1]["content"] == {"id": "x"}
    assert origins["k.ndjson", 1, None]["reason"].startswith("this is FHIR DSTU2, not R4")


def test_a_feed_may_be_read_again(mixed: Path, tmp_path: Path) -> None:
    feed = read(mixed, quarantine=tmp_path / "bad")
    assert feed.tally is None
    first = list(feed)
    content = (tmp_path / "bad" / QUARANTINE).read_bytes()
    assert list(feed) == first
    assert (tmp_path / "bad" / QUARANTINE).read_bytes() == content


def test_a_loop_that_stops_leaves_no_half_quarantine(mixed: Path, tmp_path: Path) -> None:
    feed = read(mixed, quarantine=tmp_path / "bad")
    pieces = iter(feed)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert list((tmp_path / "bad").iterdir()) == []
    assert feed.tally is None


def test_without_a_quarantine_the_first_bad_thing_ends_it(mixed: Path) -> None:
    with pytest.raises(UserError, match=r"a\.ndjson, line 3: not valid JSON .*give `quarantine`"):
        list(read(mixed))
    with pytest.raises(UserError, match=r"k\.ndjson, line 1: this is FHIR DSTU2, not R4 .*convert it to R4 first"):
        list(read(mixed / "k.ndjson"))


def test_good_ones_are_saved_by_type(mixed: Path, tmp_path: Path) -> None:
    (mixed / "z.ndjson").write_bytes(b'{"resourceType": "Organization", "id": "o"}\n')
    tally = read(mixed, quarantine=tmp_path / "bad").save(tmp_path / "clean")
    assert {path.name for path in (tmp_path / "clean").iterdir()} == {"Organization.ndjson", "Patient.ndjson"}
    again = read(tmp_path / "clean")
    assert len(list(again)) == tally.good == 14
    assert again.tally is not None and again.tally.quarantined == 0
    with pytest.raises(UserError, match="holds NDJSON files already"):
        read(tmp_path / "clean" / "Patient.ndjson").save(tmp_path / "clean")


def test_a_save_that_fails_leaves_nothing(mixed: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 3"):
        read(mixed).save(tmp_path / "clean")
    assert list((tmp_path / "clean").iterdir()) == []
    (tmp_path / "odd.ndjson").write_bytes(b'{"resourceType": "../Patient"}\n')
    with pytest.raises(UserError, match=r"'\.\./Patient' is no resource type"):
        read(tmp_path / "odd.ndjson").save(tmp_path / "other")


def test_nothing_is_written_into_what_is_read(mixed: Path) -> None:
    for folder in (mixed, mixed / "bad"):
        with pytest.raises(UserError, match=r"lies in .*, which is read"):
            read(mixed, quarantine=folder)
        with pytest.raises(UserError, match=r"lies in .*, which is read"):
            report(mixed, quarantine=folder)
    with pytest.raises(UserError, match="lies in"):
        read(mixed).save(mixed / "clean")


def test_the_schema_is_asked_when_told(tmp_path: Path) -> None:
    good, bad = patient("1"), patient("2", nickname="Addie")
    (tmp_path / "p.ndjson").write_bytes(orjson.dumps(good) + b"\n" + orjson.dumps(bad))
    assert len(list(read(tmp_path / "p.ndjson"))) == 2
    feed = read(tmp_path / "p.ndjson", quarantine=tmp_path / "bad", shape=True)
    assert list(feed) == [good]
    entry = orjson.loads((tmp_path / "bad" / QUARANTINE).read_bytes())
    assert (entry["rule"], entry["line"], entry["content"]) == ("shape", 2, bad)
    assert "nickname" in entry["reason"]


def test_a_damaged_gzip_file_gives_what_it_holds(tmp_path: Path) -> None:
    import random

    letters = random.Random(0)
    whole = b"\n".join(line("".join(letters.choices("0123456789abcdef", k=60))) for _ in range(5000))
    packed = gzip.compress(whole)
    (tmp_path / "p.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    pieces = list(scan(tmp_path))
    assert len(pieces) > 1000
    assert all(isinstance(piece, Found) for piece in pieces[:-1])
    last = pieces[-1]
    assert isinstance(last, Refused) and last.rule == "damaged-gzip"
    assert last.origin == Origin("p.ndjson.gz", len(pieces))
    (tmp_path / "p.ndjson.gz").write_bytes(b"not gzip")
    assert [piece.rule for piece in scan(tmp_path) if isinstance(piece, Refused)] == ["damaged-gzip"]


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    (tmp_path / "p.ndjson").write_bytes(b'{"id": "\xff"}\n')
    list(read(tmp_path / "p.ndjson", quarantine=tmp_path / "bad"))
    entry = orjson.loads((tmp_path / "bad" / QUARANTINE).read_bytes())
    assert bytes.fromhex(entry["content"]["hex"]) == b'{"id": "\xff"}\n'


def test_wrong_paths_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        read(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"has no \.ndjson or \.json file"):
        read(tmp_path)


def test_our_own_feed_is_read_whole() -> None:
    feed = read(DATA / "fhir")
    number = sum(1 for _ in feed)
    lines = sum(len(path.read_bytes().splitlines()) for path in (DATA / "fhir").glob("*.ndjson"))
    assert feed.tally is not None
    assert number == feed.tally.read == feed.tally.good == lines


STREAMED = """
import resource, sys
from carelab.fhir import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert sum(1 for _ in read(sys.argv[1])) == int(sys.argv[2])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in kilobytes on Linux only")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    long = orjson.dumps(patient("1", name=[{"text": "x" * 2000}])) + b"\n"
    path = tmp_path / "p.ndjson"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(long * 500)
    assert path.stat().st_size > 100e6
    done = subprocess.run(
        [sys.executable, "-c", STREAMED, str(path), "50000"], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < 20  # megabytes, for a file of 100


STU3, DSTU2, R5 = "STU3", "DSTU2", "R5"


@pytest.mark.parametrize(
    ("resource", "release"),
    [
        ({"resourceType": "ProcedureRequest"}, STU3),
        ({"resourceType": "Condition", "clinicalStatus": "active", "assertedDate": "2017"}, STU3),
        ({"resourceType": "Encounter", "class": "inpatient", "patient": {}}, DSTU2),
        ({"resourceType": "Observation", "category": {"text": "lab"}, "comments": "x"}, DSTU2),
        ({"resourceType": "Appointment", "serviceType": [{"concept": {"text": "cardiology"}}]}, R5),
        ({"resourceType": "MedicationRequest", "medication": {"concept": {"text": "x"}}}, R5),
        ({"resourceType": "ServiceRequest", "code": {"concept": {"text": "x"}}}, R5),
        ({"resourceType": "Encounter", "actualPeriod": {}}, R5),
        ({"resourceType": "ImagingSelection"}, R5),
    ],
)
def test_releases_are_named(resource: dict[str, Any], release: str) -> None:
    assert release_signs(resource)[0][0] == release
    assert any(f"FHIR {release}, not R4" in problem for problem in validate(resource))


def test_one_entry_speaks_for_a_bundle(tmp_path: Path) -> None:
    """An Organization looks the same in all releases; beside an STU3 Observation it is one of STU3."""
    old = {"resourceType": "Observation", "id": "o", "context": {"reference": "Encounter/1"}}
    (tmp_path / "b.json").write_bytes(orjson.dumps(bundle({"resourceType": "Organization", "id": "g"}, old)))
    found = [piece for piece in scan(tmp_path) if isinstance(piece, Refused)]
    assert [piece.release for piece in found] == ["STU3", "STU3"]


def test_a_report_says_what_was_found(mixed: Path, tmp_path: Path) -> None:
    (mixed / "z.ndjson").write_bytes(
        orjson.dumps(patient("z", gender="F")) + b"\n" + orjson.dumps(patient("y", gender="M", birthDate="02/30/1980"))
    )
    found = report(mixed, quarantine=tmp_path / "bad")
    assert not found.ok
    assert found.tally.read == found.tally.good + found.tally.quarantined == 24
    assert found.release == "R4 (16), DSTU2 (1)"
    frame = found.frame().set_index("rule")
    assert frame.loc["unknown-gender", "resources"] == 1  # the other one is in the quarantine
    assert frame.loc["shape", "quarantined"]
    assert frame.loc["not-an-object", "problems"] == 4
    assert found.counts().to_numpy().tolist() == [["Patient", 14]]
    text, markdown = found.text(), found.markdown()
    for word in (
        "12 files",
        "24 pieces",
        "14 good",
        "10 refused",
        "Patient 14",
        "z.ndjson, line 1",
        "Something is wrong",
    ):
        assert word in text
    assert "| error | unknown-gender | 1 |" in markdown
    assert found._repr_markdown_() == markdown
    written = (tmp_path / "bad" / QUARANTINE).read_bytes().splitlines()
    assert len(written) == found.tally.quarantined


def test_a_report_on_sound_files_is_short() -> None:
    found = report(DATA / "fhir" / "Organization.ndjson", shape=False)
    assert found.release == "R4"
    assert {group.rule for group in found.groups.values()} <= {"incomplete-export"}
    assert found.ok


def test_a_cell_of_markdown_stays_one() -> None:
    from carelab.fhir.report import _cell

    assert _cell("a|b\n<script>") == "a\\|b &lt;script>"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["fhir", "check", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_command(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, str(mixed), "--quarantine", str(tmp_path / "bad"))
    assert code == 1
    assert "13 good, 9 refused" in out
    assert (tmp_path / "bad" / QUARANTINE).is_file()
    code, out, _ = run(capsys, str(mixed / "c.json"), "--format", "markdown")
    assert (code, out.startswith("**c.json**")) == (0, True)
    code, out, error = run(capsys, str(tmp_path / "nowhere"))
    assert (code, out) == (2, "")
    assert error.count("\n") == 1 and "is not there" in error


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "change", [lambda b: b.replace(b"\n", b"\r\n"), lambda b: BOM + b, lambda b: b.decode().encode("utf-16")]
)
def test_windows_files_are_the_same(change: Change, tmp_path: Path) -> None:
    original = (DATA / "fhir" / "Practitioner.ndjson").read_bytes()
    (tmp_path / "Practitioner.ndjson").write_bytes(change(original))
    assert list(read(tmp_path)) == [orjson.loads(text) for text in original.splitlines()]
