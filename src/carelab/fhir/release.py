"""Which release of FHIR was this resource written for? Nothing in a resource says so; some elements give it away."""

from collections.abc import Callable
from typing import Any

from carelab.fhir.read import Resource


def _family_is_list(patient: Resource) -> bool:
    names = patient.get("name")
    return isinstance(names, list) and any(isinstance(n, dict) and isinstance(n.get("family"), list) for n in names)


def _has(*elements: str) -> Callable[[Resource], bool]:
    return lambda resource: any(element in resource for element in elements)


def _is(element: str, kind: type) -> Callable[[Resource], bool]:
    return lambda resource: isinstance(resource.get(element), kind)


# Resource type -> signs: release, what gives it away, test.
_SIGNS: dict[str, list[tuple[str, str, Callable[[Resource], bool]]]] = {
    "Patient": [("DSTU2", "a list of family names", _family_is_list)],
    "Encounter": [("DSTU2", "`patient`", _has("patient")), ("R5", "a list in `class`", _is("class", list))],
    "Condition": [
        ("DSTU2", "`patient`", _has("patient")),
        ("STU3", "`context` or `assertedDate`", _has("context", "assertedDate")),
    ],
    "Observation": [("DSTU2", "a single `category`", _is("category", dict)), ("STU3", "`context`", _has("context"))],
    "DiagnosticReport": [("STU3", "`context`", _has("context"))],
    "Procedure": [("STU3", "`context`", _has("context"))],
    "MedicationRequest": [("STU3", "`context`", _has("context")), ("R5", "`medication`", _has("medication"))],
    "MedicationOrder": [("DSTU2", "the resource type MedicationOrder", lambda _: True)],
    "DiagnosticOrder": [("DSTU2", "the resource type DiagnosticOrder", lambda _: True)],
}


def other_release(resource: Any) -> tuple[str, str] | None:
    """Release (DSTU2, STU3 or R5) and what gives it away, or None when nothing points to another release than R4.

    A Bundle is judged by its entries; the first sign counts.
    """
    if not isinstance(resource, dict):
        return None
    if resource.get("resourceType") == "Bundle":
        entries = resource.get("entry")
        inner = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        return next((found for part in inner if (found := other_release(part))), None)
    signs = _SIGNS.get(str(resource.get("resourceType")), [])
    return next(((release, why) for release, why, test in signs if test(resource)), None)
