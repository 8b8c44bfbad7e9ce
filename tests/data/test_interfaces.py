"""HL7 v2 and claims: what a trusting reader loses, and that the same visit is found everywhere."""

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from carelab.fhir import read_ndjson
from carelab.fhir.hl7v2 import read_hl7
from carelab.paths import DATA
from carelab.synth.areas import Figures
from carelab.synth.config import World
from carelab.synth.interfaces.er7 import escape, field, segment, split_messages, unescape, value
from carelab.synth.interfaces.hl7v2 import CREATININE, UMOL_PER_MG
from carelab.synth.interfaces.measure import Data, load
from carelab.synth.interfaces.traps import TRAPS

TRAP = {trap.id: trap for trap in TRAPS}


@pytest.fixture(scope="session")
def feeds(world: World) -> Data:
    return load(DATA, world)


HARM: dict[str, Callable[[Figures], bool]] = {
    "line-ends-and-bom": lambda f: (
        f["messages_by_standard"] < 0.7 * f["messages_sent"] == 0.7 * f["messages_by_tolerant_reader"]
        and f["files_with_byte_order_mark"] >= 2
    ),
    "late-a08": lambda f: f["wrong_phone_file_order"] > 0.15 and f["wrong_phone_event_order"] == 0,
    "a40-merge": lambda f: f["patients_without_merges"] == f["patients_with_merges"] + f["merges"] and f["merges"] >= 3,
    "obx-unit": lambda f: f["mean_creatinine_unit_ignored"] > 5 * f["mean_creatinine_mg_dl"] and f["mean_creatinine_mg_dl"] < 3,
    "local-codes": lambda f: f["labs_kept_loinc_only"] < 0.9 and f["labs_kept_with_map"] == 1,
    "unescaped-text": lambda f: f["texts_with_codes_raw"] > 0.2 and f["texts_with_codes_unescaped"] == 0,
    "time-zones": lambda f: f["wrong_time_offset_ignored"] > 0.2 and f["wrong_time_offset_read"] == 0,
    "claim-disagrees": lambda f: (
        f["matched_by_visit_and_day"] < 0.99 < f["matched_by_visit"]
        and 0.01 < f["day_differs"] < 0.1
        and 0.01 < f["amount_differs"] < 0.1
        and 0.02 < f["first_diagnosis_differs"] < 0.15
    ),
}  # fmt: skip


def changed(data: Data, change: Callable[[list[str]], list[str]]) -> Data:
    """Every message as another engine would have written it."""
    return replace(data, messages={name: [change(m) for m in found] for name, found in data.messages.items()})


def standard_files(data: Data) -> Data:
    raw = {name: "".join("\r".join([*m, ""]) for m in found).encode() for name, found in data.messages.items()}
    return replace(data, raw=raw)


def no_queue(data: Data) -> Data:
    """Messages in the order in which things happened."""
    ordered = {name: sorted(found, key=lambda m: value(m, "EVN", 2)[:14]) for name, found in data.messages.items()}
    return replace(data, messages=ordered)


def no_doubles(data: Data) -> Data:
    kept = {name: [m for m in found if value(m, "MSH", 9, 2) != "A40"] for name, found in data.messages.items()}
    return replace(data, messages=kept)


def one_unit(message: list[str]) -> list[str]:
    def mend(line: str) -> str:
        parts = line.split("|")
        if parts[0] == "OBX" and parts[6] == "umol/L":
            parts[5], parts[6] = f"{float(parts[5]) / UMOL_PER_MG:.2f}", "mg/dL"
        return "|".join(parts)

    return [mend(line) for line in message]


def with_loinc(data: Data) -> Data:
    codes = data.local_codes.set_index("local_code")["loinc"]

    def mend(line: str) -> str:
        parts = line.split("|")
        if parts[0] == "OBX" and parts[3].endswith("^L"):
            local, name, _ = parts[3].split("^")
            parts[3] = field(codes[local], name, "LN")
        return "|".join(parts)

    return changed(data, lambda message: [mend(line) for line in message])


def plain_text(message: list[str]) -> list[str]:
    return [re.sub(r"\\(?:[EFSTR]|\.br)\\", " ", line) for line in message]


def local_times(data: Data) -> Data:
    """OBR-7 in local time everywhere."""
    zone = data.world.clock.time_zone

    def mend(line: str) -> str:
        parts = line.split("|")
        if parts[0] == "OBR" and len(parts) > 7 and len(parts[7]) > 14:
            parts[7] = f"{pd.Timestamp(parts[7]).tz_convert(zone):%Y%m%d%H%M%S}"
        return "|".join(parts)

    return changed(data, lambda message: [mend(line) for line in message])


def billed_as_charged(data: Data) -> Data:
    shared = data.claims[["claim_id", "visit_id"]].merge(data.charges.drop_duplicates("visit_id"), on="visit_id")
    return replace(data, claims=shared)


MENDED: dict[str, Callable[[Data], Data]] = {
    "line-ends-and-bom": standard_files,
    "late-a08": no_queue,
    "a40-merge": no_doubles,
    "obx-unit": lambda data: changed(data, one_unit),
    "local-codes": with_loinc,
    "unescaped-text": lambda data: changed(data, plain_text),
    "time-zones": local_times,
    "claim-disagrees": billed_as_charged,
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, feeds: Data) -> None:
    figures = TRAP[name].measure(feeds)
    assert HARM[name](figures), figures
    assert TRAP[name].naive in figures
    assert TRAP[name].reference in figures


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, feeds: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](feeds))
    assert not HARM[name](figures), figures


@pytest.mark.parametrize("text", ["a | b ^ c & d ~ e \\ f", "one\ntwo", "plain", "\\T\\ written by hand", ""])
def test_escaping_loses_nothing(text: str) -> None:
    escaped = escape(text)
    assert not set("|^&~\n") & set(escaped)
    assert unescape(escaped) == text


def test_fields_and_segments_end_where_their_content_does() -> None:
    assert field("a", None, "b", "") == "a^^b"
    assert segment("PV1", "1", None, "x", "") == "PV1|1||x"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_messages_are_split_whatever_the_file_looks_like(end: str, mark: bytes) -> None:
    content = mark + end.join(["MSH|^~\\&|A", "PID|1", "MSH|^~\\&|B", ""]).encode()
    assert split_messages(content) == [["MSH|^~\\&|A", "PID|1"], ["MSH|^~\\&|B"]]


def test_the_same_visit_is_found_in_fhir_messages_and_claims(feeds: Data) -> None:
    links = feeds.truth["interface_links"]
    known = {
        f"{kind}/{r['id']}"
        for kind in ("Appointment", "Encounter")
        for r in read_ndjson(DATA / "fhir" / f"{kind}.ndjson")
    }
    assert set(links["fhir"]) <= known
    visit = {value(m, "MSH", 10): value(m, "PV1", 19) for found in feeds.messages.values() for m in found}
    cut = set(feeds.truth["interface_faults"].query("fault == 'truncated'")["where"])
    for column in ("booked", "admitted", "discharged", "charged", "last_siu"):
        linked = links[links[column].notna() & ~links[column].isin(cut)]
        assert len(linked) > 0
        assert (linked[column].map(visit) == linked["visit_id"]).all(), column
    billed = links[links["claim_id"].notna()]
    claims = feeds.claims.set_index("claim_id")["visit_id"]
    assert (billed["claim_id"].map(claims) == billed["visit_id"]).all()
    assert len(billed) == len(feeds.claims)


def test_a_reader_of_real_files_reads_these_too(feeds: Data) -> None:
    for name, found in feeds.messages.items():
        assert len(list(read_hl7(DATA / "hl7v2" / name))) == len(found), name


def test_the_unit_of_creatinine_really_changes(feeds: Data, world: World) -> None:
    planted = feeds.truth["interface_faults"]["fault"].eq("unit-change").sum()
    lines = [
        line for m in feeds.messages[f"oru-{world.interfaces.unit_hospital}.hl7"] for line in m
        if line.startswith("OBX") and f"|{CREATININE}^" in line and "umol/L" in line
    ]  # fmt: skip
    assert len(lines) == planted > 0


def test_versions_line_ends_and_marks_are_mixed(feeds: Data) -> None:
    versions = {value(m, "MSH", 12) for found in feeds.messages.values() for m in found}
    assert {"2.3", "2.3.1", "2.4", "2.5", "2.5.1"} == versions
    kinds = {f"{value(m, 'MSH', 9)}^{value(m, 'MSH', 9, 2)}" for found in feeds.messages.values() for m in found}
    assert kinds == {
        "ADT^A01", "ADT^A03", "ADT^A08", "ADT^A40", "ORU^R01", "SIU^S12", "SIU^S14", "SIU^S15", "SIU^S26", "DFT^P03",
    }  # fmt: skip


def test_the_truth_says_which_feed_to_trust(feeds: Data) -> None:
    told = feeds.truth["interface_feeds"].set_index("feed")
    whole, late = told["completeness"].to_dict(), told["median_delay_hours"].to_dict()
    assert whole["SIU"] == 1
    assert 0.9 < whole["DFT"] < 1
    assert late["SIU"] < 1 < late["DFT"] < late["claim"]


def test_no_code_we_may_not_ship(feeds: Data) -> None:
    text = b"".join([*feeds.raw.values(), *(p.read_bytes() for p in (DATA / "claims").glob("*.txt"))]).decode(
        "utf-8-sig", "ignore"
    )
    codes = set(re.findall(r"\b(?:COURSE|HCPCS):([\w-]+)", text)) | set(
        re.findall(r"FT1\|(?:[^|]*\|){6}([^|^]+)", text)
    )
    assert codes
    assert all(code == "G0463" or code.startswith("SVC-") for code in codes), codes
    assert set(re.findall(r"555-\d{4}", text)) <= {f"555-0{n}" for n in range(100, 200)}


def test_the_files_stay_small() -> None:
    files = [*(DATA / "hl7v2").iterdir(), *(DATA / "claims").iterdir()]
    assert sum(path.stat().st_size for path in files) < 500_000
