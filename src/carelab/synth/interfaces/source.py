"""The sample's visits, stays and results, read from its FHIR feed: what the other systems tell in their own way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource, read_ndjson
from carelab.synth.config import World
from carelab.synth.streams import stream

LOINC = "http://loinc.org"
IN_HOSPITAL = ("IMP", "OBSENC")  # classes of encounters that are stays

# ICD-10-CM: what brings people to a specialty. The clinics' FHIR export has no diagnoses; billing has.
DIAGNOSES = {
    "family_medicine": ("I10", "E11.9", "E78.5", "J06.9", "M54.50", "Z00.00"),
    "pediatrics": ("Z00.129", "J06.9", "H66.90", "J45.909"),
    "behavioral_health": ("F41.1", "F32.9", "F43.23"),
    "womens_health": ("Z01.419", "N92.6", "N95.1"),
    "cardiology": ("I10", "I25.10", "I48.91", "E78.5"),
    "dermatology": ("L20.9", "L70.0", "L40.0"),
    "endocrinology": ("E11.65", "E03.9", "E04.1"),
}
# Dollars; a new patient costs half as much again.
PRICES = {
    "family_medicine": 140.0, "pediatrics": 130.0, "behavioral_health": 165.0, "womens_health": 155.0,
    "cardiology": 240.0, "dermatology": 175.0, "endocrinology": 220.0,
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """The sample's feed as frames.

    visits: visit_id, patient_id, site_id, hospital (the hospital group), practitioner, specialty, new, status, start,
    end, created (UTC); diagnoses (ICD-10-CM, first is principal) and charges (code, units, amount) where somebody came.
    stays: the same for hospital stays, with disposition. labs: visit_id (of the stay), patient_id, hospital, loinc,
    name, value, unit, taken (UTC). patients: by id, the Patient resources. payers: by patient id.
    """

    patients: dict[str, Resource]
    payers: dict[str, str]
    visits: pd.DataFrame
    stays: pd.DataFrame
    labs: pd.DataFrame
    extract: pd.Timestamp


def _read(feed: Path, kind: str) -> list[Resource]:
    path = feed / f"{kind}.ndjson"
    return list(read_ndjson(path)) if path.is_file() else []


def _id(reference: dict[str, str]) -> str:
    return reference["reference"].partition("/")[2]


def _utc(text: str | None) -> pd.Timestamp:
    """An instant of the feed as UTC without zone; NaT for none."""
    return pd.Timestamp(text).tz_convert("UTC").tz_localize(None) if text else pd.NaT


def read_source(folder: Path, world: World) -> Source:
    """The sample of a built world. Visits of the window up to two weeks ahead, and stays of a longer one."""
    feed = folder / "fhir"
    hospitals = {site.id: site.id for site in world.hospital} | {clinic.id: clinic.hospital for clinic in world.clinic}
    extract = (
        pd.Timestamp(world.clock.extract_at).tz_localize(world.clock.time_zone).tz_convert("UTC").tz_localize(None)
    )
    first = extract - pd.Timedelta(days=world.interfaces.window_days)
    visits = pd.DataFrame([_visit(r) for r in _read(feed, "Appointment")])
    visits = visits[visits["start"] >= first].sort_values(["start", "visit_id"], ignore_index=True)
    visits["hospital"] = visits["site_id"].map(hospitals)
    rng = stream(world.seed, "interfaces/diagnoses")
    visits["diagnoses"] = [_some(rng, DIAGNOSES[s]) for s in visits["specialty"]]
    visits["charges"] = [
        [(_service(row), 1, PRICES[row.specialty] * (1.5 if row.new else 1.0))] for row in visits.itertuples()
    ]
    conditions = {r["id"]: r["code"]["coding"][0]["code"] for r in _read(feed, "Condition")}
    stays = pd.DataFrame(
        [_stay(r, conditions) for r in _read(feed, "Encounter") if r["class"]["code"] in IN_HOSPITAL], columns=_STAY
    )
    stays["hospital"] = stays["site_id"].map(hospitals)
    stays = stays[stays["start"] >= extract - pd.Timedelta(days=world.interfaces.stay_days)]
    stays = stays.sort_values(["start", "visit_id"], ignore_index=True)
    labs = pd.DataFrame([lab for r in _read(feed, "Observation") if (lab := _lab(r))], columns=_LAB)
    labs["hospital"] = labs["visit_id"].map(stays.set_index("visit_id")["hospital"])
    labs = labs[labs["hospital"].notna()].sort_values(["visit_id", "taken", "loinc"], ignore_index=True)
    patients = {r["id"]: r for r in _read(feed, "Patient")}
    payers = {_id(r["beneficiary"]): _id(r["payor"][0]).removeprefix("payer-") for r in _read(feed, "Coverage")}
    return Source(patients, payers, visits, stays, labs, extract)


_STAY = ["visit_id", "patient_id", "site_id", "start", "end", "disposition", "diagnoses", "charges"]
_LAB = ["visit_id", "patient_id", "loinc", "name", "value", "unit", "taken"]


def _visit(r: Resource) -> dict[str, Any]:
    actors = dict(p["actor"]["reference"].split("/") for p in r["participant"])
    return {
        "visit_id": r["id"], "patient_id": actors["Patient"], "site_id": actors["Location"],
        "practitioner": actors["Practitioner"], "specialty": r["specialty"][0]["coding"][0]["code"],
        "new": r["appointmentType"]["coding"][0]["code"] == "new", "status": r["status"], "start": _utc(r["start"]),
        "end": _utc(r["end"]), "created": _utc(r["created"]),
    }  # fmt: skip


def _stay(r: Resource, conditions: dict[str, str]) -> dict[str, Any]:
    start, end = _utc(r["period"]["start"]), _utc(r["period"].get("end"))
    days = max((end - start).days, 1) if end is not pd.NaT else 0
    codes = [
        conditions.get(_id(d["condition"])) for d in sorted(r.get("diagnosis", []), key=lambda d: d.get("rank", 99))
    ]
    disposition = r.get("hospitalization", {}).get("dischargeDisposition", {}).get("coding", [{}])[0].get("code")
    return {
        "visit_id": r["id"], "patient_id": _id(r["subject"]), "site_id": _id(r["location"][0]["location"]),
        "start": start, "end": end, "disposition": disposition, "diagnoses": [code for code in codes if code],
        "charges": [("SVC-ROOM-DAY", days, 1450.0 * days), ("SVC-PHARMACY", 1, 310.0 + 85.0 * days)],
    }  # fmt: skip


def _lab(r: Resource) -> dict[str, Any] | None:
    """A result with a number in a stay; None for other observations."""
    codes = [c for c in r["code"].get("coding", []) if c.get("system") == LOINC]
    if "encounter" not in r or not codes or "value" not in r.get("valueQuantity", {}):
        return None
    quantity = r["valueQuantity"]
    return {
        "visit_id": _id(r["encounter"]), "patient_id": _id(r["subject"]), "loinc": codes[0]["code"],
        "name": codes[0].get("display", r["code"].get("text", "")), "value": float(quantity["value"]),
        "unit": quantity.get("unit", ""), "taken": _utc(r.get("effectiveDateTime")),
    }  # fmt: skip


def _some(rng: np.random.Generator, codes: tuple[str, ...]) -> list[str]:
    """One to three diagnoses."""
    return [str(code) for code in rng.permutation(codes)[: int(rng.integers(1, 4))]]


def _service(visit: Any) -> str:
    """Billing code of a visit: the hospital's clinics by HCPCS Level II, everybody else by the course's own codes."""
    if visit.site_id.startswith("hosp-"):
        return "G0463"
    return "SVC-VISIT-NEW" if visit.new else "SVC-VISIT-RETURN"
