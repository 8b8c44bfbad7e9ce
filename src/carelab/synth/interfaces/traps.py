"""What is lost or wrong when a feed is read as if it were clean."""

import re

import numpy as np
import pandas as pd

from carelab.synth.areas import Figures, Trap
from carelab.synth.interfaces.er7 import component_of, unescape, value
from carelab.synth.interfaces.hl7v2 import CREATININE, UMOL_PER_MG
from carelab.synth.interfaces.measure import Data, record_number


def _kind(data: Data, kind: str) -> list[list[str]]:
    """Messages of a kind, file by file."""
    return [m for found in data.messages.values() for m in found if value(m, "MSH", 9, 2) == kind]


def _line_ends(data: Data) -> Figures:
    naive = 0
    for content in data.raw.values():
        # A file is one text with segments that end in CR, as the standard says, and begins with MSH.
        text = content.decode("utf-8")
        naive += sum(line.startswith("MSH|") for line in text.split("\r"))
    return {
        "messages_by_standard": float(naive),
        "messages_by_tolerant_reader": float(sum(len(found) for found in data.messages.values())),
        "messages_sent": float(len(data.truth["interface_messages"])),
        "files_with_byte_order_mark": float(sum(content.startswith(b"\xef\xbb\xbf") for content in data.raw.values())),
    }


def _late_update(data: Data) -> Figures:
    rows = [
        (record_number(m), value(m, "EVN", 2)[:14], value(m, "PID", 13)) for m in _kind(data, "A08")
    ]  # in the order of sending, file by file; a patient's are all in one file
    seen = pd.DataFrame(rows, columns=["mrn", "event", "phone"])
    truth = data.truth["interface_phones"]
    true = dict(zip("LH" + truth["patient_id"].str.removeprefix("pat-"), truth["phone"], strict=True))
    wrong = {}
    for name, ordered in (("file_order", seen), ("event_order", seen.sort_values("event", kind="stable"))):
        last = ordered.groupby("mrn")["phone"].last()
        wrong[name] = float(np.mean([phone != true[mrn] for mrn, phone in last.items() if mrn in true]))
    return {"wrong_phone_file_order": wrong["file_order"], "wrong_phone_event_order": wrong["event_order"]}


def _merges(data: Data) -> Figures:
    numbers = {n for found in data.messages.values() for m in found if (n := record_number(m))}
    merged = {value(m, "MRG", 1): record_number(m) for m in _kind(data, "A40")}
    numbers |= set(merged)
    firsts = {value(m, "PID", 3) for found in data.messages.values() for m in found if value(m, "PID", 3)}
    people = {merged.get(n, n) for n in numbers}
    return {
        "patients_without_merges": float(len(numbers)), "patients_with_merges": float(len(people)),
        "patients_by_first_identifier": float(len(firsts)), "merges": float(len(merged)),
    }  # fmt: skip


def _results(data: Data) -> pd.DataFrame:
    """OBX lines: code, system, value, unit."""
    rows = [
        (component_of(line, 3), component_of(line, 3, 3), float(component_of(line, 5)), unescape(component_of(line, 6)))
        for m in _kind(data, "R01") for line in m if line.startswith("OBX")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["code", "system", "value", "unit"])


def _units(data: Data) -> Figures:
    labs = _results(data)
    codes = [CREATININE, *data.local_codes.loc[data.local_codes["loinc"].eq(CREATININE), "local_code"]]
    creatinine = labs[labs["code"].isin(codes)]
    in_mg = creatinine["value"].where(creatinine["unit"].ne("umol/L"), creatinine["value"] / UMOL_PER_MG)
    return {
        "mean_creatinine_unit_ignored": float(creatinine["value"].mean()), "mean_creatinine_mg_dl": float(in_mg.mean()),
        "results_in_umol": float(creatinine["unit"].eq("umol/L").sum()),
    }  # fmt: skip


def _local_codes(data: Data) -> Figures:
    labs = _results(data)
    mapped = labs["system"].eq("LN") | labs["code"].isin(data.local_codes["local_code"])
    return {"labs_kept_loinc_only": float(labs["system"].eq("LN").mean()), "labs_kept_with_map": float(mapped.mean())}


def _free_text(data: Data) -> Figures:
    texts = [value(m, "SCH", 7) for kind in ("S12", "S14", "S15", "S26") for m in _kind(data, kind)]
    texts += [component_of(line, 3) for m in _kind(data, "R01") for line in m if line.startswith("NTE")]
    codes = re.compile(r"\\(?:[EFSTR]|\.br)\\")
    raw = [bool(codes.search(text)) for text in texts]
    mended = [bool(codes.search(unescape(text))) for text in texts]
    return {"texts_with_codes_raw": float(np.mean(raw)), "texts_with_codes_unescaped": float(np.mean(mended))}


def _zones(data: Data) -> Figures:
    """Start of each appointment by its last SIU message, against the truth, in hours."""
    messages = data.truth["interface_messages"]
    siu = {m_id: kind for m_id, kind in zip(messages["control_id"], messages["kind"], strict=True)}
    zone = data.world.clock.time_zone
    bare, aware = [], []
    for message in _kind(data, "R01"):
        control, taken = value(message, "MSH", 10), value(message, "OBR", 7)
        if control not in siu or not taken:
            continue
        true = messages.loc[messages["control_id"].eq(control), "event_utc"].iloc[0]
        local = pd.Timestamp(taken[:14])
        read = pd.Timestamp(f"{taken[:14]}{taken[14:]}")
        read = (read if read.tzinfo else read.tz_localize(zone)).tz_convert("UTC").tz_localize(None)
        meant = local.tz_localize(zone).tz_convert("UTC").tz_localize(None)
        bare.append(abs(meant - true) > pd.Timedelta(minutes=1))
        aware.append(abs(read - true) > pd.Timedelta(minutes=1))
    return {"wrong_time_offset_ignored": float(np.mean(bare)), "wrong_time_offset_read": float(np.mean(aware))}


def _claims(data: Data) -> Figures:
    pairs = data.charges.merge(data.claims, on="visit_id", suffixes=("_charge", "_claim"))
    day, amount = (pairs[f"{name}_charge"].ne(pairs[f"{name}_claim"]) for name in ("day", "amount"))
    first = pairs["diagnoses_charge"].str[0].ne(pairs["diagnoses_claim"].str[0])
    by_day = data.charges.merge(data.claims, on=["visit_id", "day"])
    return {
        "matched_by_visit_and_day": len(by_day) / len(pairs),
        "matched_by_visit": len(pairs) / len(pairs),
        "day_differs": float(day.mean()), "amount_differs": float(amount.mean()), "first_diagnosis_differs": float(first.mean()),
    }  # fmt: skip


TRAPS = (
    Trap(
        "line-ends-and-bom", "A reader that believes in CR loses messages", "hl7v2/*.hl7",
        "Real files end lines as they like and begin with a byte-order mark; normalise both before looking for MSH.",
        "messages_by_standard", "messages_by_tolerant_reader", _line_ends,
    ),
    Trap(
        "late-a08", "An old update arrives last", "hl7v2/adt-*.hl7, EVN-2 and MSH-7",
        "A queue that was stuck sends old news late; apply changes in the order in which they happened, not were sent.",
        "wrong_phone_file_order", "wrong_phone_event_order", _late_update,
    ),
    Trap(
        "a40-merge", "Merged records are counted twice", "hl7v2/adt-*.hl7, MRG-1; PID-3 repeats",
        "An A40 says that two numbers are one person; and of several identifiers, choose by assigner, not by position.",
        "patients_without_merges", "patients_with_merges", _merges,
    ),
    Trap(
        "obx-unit", "One laboratory changes its unit", "hl7v2/oru-hosp-2.hl7, OBX-6",
        "A number has no meaning without its unit; read OBX-6 and convert.",
        "mean_creatinine_unit_ignored", "mean_creatinine_mg_dl", _units,
    ),
    Trap(
        "local-codes", "Results without LOINC vanish", "hl7v2/oru-hosp-3.hl7, OBX-3",
        "A laboratory's own codes need its directory; who reads LOINC only loses results of one hospital, and not at random.",
        "labs_kept_loinc_only", "labs_kept_with_map", _local_codes,
    ),
    Trap(
        "unescaped-text", "Escape codes in free text", "hl7v2, SCH-7 and NTE-3",
        "Separators inside text travel as codes such as \\\\T\\\\; undo them after splitting, or they reach people and models.",
        "texts_with_codes_raw", "texts_with_codes_unescaped", _free_text,
    ),
    Trap(
        "time-zones", "Offsets that a reader ignores", "hl7v2/oru-*.hl7, OBR-7",
        "Some systems write an offset, some UTC, some nothing; read the offset, and ask whose clock it is where there is none.",
        "wrong_time_offset_ignored", "wrong_time_offset_read", _zones,
    ),
    Trap(
        "claim-disagrees", "Claim and record do not agree", "claims/*.txt, hl7v2/dft-*.hl7",
        "Join by the number of the visit, not by day; and decide for each fact which system you trust.",
        "matched_by_visit_and_day", "matched_by_visit", _claims,
    ),
)  # fmt: skip
