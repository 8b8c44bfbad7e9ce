"""Which release of FHIR was this resource written for? Nothing in a resource says so; some elements give it away."""

from collections.abc import Callable, Iterator
from typing import Any

Resource = dict[str, Any]
Sign = tuple[str, str, Callable[[Resource], bool]]  # release, what gives it away, test


def _family_is_list(patient: Resource) -> bool:
    names = patient.get("name")
    return isinstance(names, list) and any(isinstance(n, dict) and isinstance(n.get("family"), list) for n in names)


def _has(release: str, *elements: str) -> list[Sign]:
    """Signs by an element that only this release has; the test needs its name bound."""

    def sign(element: str) -> Sign:
        return release, f"`{element}`", lambda resource: element in resource

    return [sign(element) for element in elements]


def _is(release: str, element: str, kind: type, why: str) -> Sign:
    return release, why, lambda resource: isinstance(resource.get(element), kind)


def _concepts(release: str, element: str) -> Sign:
    """R5 turned a CodeableConcept into a CodeableReference: `concept` or `reference` inside."""

    def test(resource: Resource) -> bool:
        value = resource.get(element)
        items = value if isinstance(value, list) else [value]
        return any(isinstance(item, dict) and isinstance(item.get("concept"), dict) for item in items)

    return release, f"`concept` in `{element}`", test


_STU3_STATUS = "clinicalStatus", str, "a plain code in `clinicalStatus`"

# Resource type -> its signs, the strongest first.
_SIGNS: dict[str, list[Sign]] = {
    "AllergyIntolerance": [
        *_has("STU3", "assertedDate"), *_has("DSTU2", "substance"), _is("STU3", *_STU3_STATUS),
        _is("R5", "type", dict, "a concept in `type`"),
    ],
    "Appointment": [*_has("R5", "cancellationReason", "class"), _concepts("R5", "serviceType"), _concepts("R5", "reason")],
    "AuditEvent": _has("R5", "occurredDateTime", "occurredPeriod"),
    "CarePlan": [*_has("STU3", "context", "definition")],
    "Claim": _has("STU3", "employmentImpacted", "information", "hospitalization"),
    "Condition": [
        *_has("DSTU2", "patient", "dateRecorded"), *_has("STU3", "context", "assertedDate"), _is("STU3", *_STU3_STATUS),
    ],
    "Consent": [*_has("R5", "decision", "controller"), *_has("STU3", "purpose", "consentingParty", "securityLabel")],
    "Coverage": [*_has("R5", "kind", "insurer"), *_has("STU3", "grouping")],
    "DiagnosticReport": [*_has("STU3", "context", "codedDiagnosis"), _is("STU3", "category", dict, "a single `category`")],
    "DocumentReference": [*_has("STU3", "indexed", "class", "created"), _is("R5", "context", list, "a list in `context`")],
    "Encounter": [
        *_has("DSTU2", "patient"), _is("DSTU2", "class", str, "a plain code in `class`"),
        *_has("R5", "actualPeriod", "admission"), _is("R5", "class", list, "a list in `class`"),
    ],
    "Immunization": [*_has("STU3", "notGiven"), *_has("DSTU2", "wasNotGiven"), *_has("R5", "informationSource")],
    "MedicationRequest": [*_has("STU3", "context", "definition"), *_has("R5", "medication")],
    "Observation": [
        _is("DSTU2", "category", dict, "a single `category`"), *_has("DSTU2", "comments"),
        *_has("STU3", "context", "comment", "related"), *_has("R5", "triggeredBy"),
    ],
    "Patient": [("DSTU2", "a list of family names", _family_is_list), *_has("STU3", "animal")],
    "Procedure": [
        *_has("STU3", "context", "notDone", "definition"), *_has("DSTU2", "notPerformed"),
        *_has("R5", "occurrenceDateTime", "occurrencePeriod"),
    ],
    "ServiceRequest": [_concepts("R5", "code")],
}  # fmt: skip

# Types that only another release has.
_TYPES = {
    "DSTU2": (
        "MedicationOrder", "DiagnosticOrder", "Conformance", "DeviceUseRequest", "Order",
        "OrderResponse", "ImagingObjectSelection", "Contraindication",
    ),
    "STU3": (
        "ProcedureRequest", "ReferralRequest", "EligibilityRequest", "EligibilityResponse", "ImagingManifest",
        "DataElement", "ExpansionProfile", "ServiceDefinition", "DeviceComponent", "BodySite", "Sequence",
    ),
    "R5": (
        "ActorDefinition", "ArtifactAssessment", "DeviceAssociation", "DeviceDispense", "EncounterHistory", "FormularyItem",
        "GenomicStudy", "ImagingSelection", "InventoryItem", "InventoryReport", "NutritionIntake", "Permission",
        "RequestOrchestration", "Requirements", "TestPlan", "Transport",
    ),
}  # fmt: skip
_TYPE_OF = {kind: release for release, kinds in _TYPES.items() for kind in kinds}


def release_signs(resource: Any) -> list[tuple[str, str]]:
    """Release (DSTU2, STU3 or R5) and what gives it away, all that are found in this resource, the strongest first."""
    if not isinstance(resource, dict):
        return []
    kind = str(resource.get("resourceType"))
    if release := _TYPE_OF.get(kind):
        return [(release, f"the resource type {kind}")]
    return [(release, why) for release, why, test in _SIGNS.get(kind, ()) if test(resource)]


def other_release(resource: Any) -> tuple[str, str] | None:
    """Release and what gives it away, or None when nothing points to another release than R4.

    A Bundle is judged by its entries; the release with most signs counts, since older ones share some.
    """
    found = list(_inside(resource))
    if not found:
        return None
    releases = [release for release, _ in found]
    most = max(releases, key=releases.count)
    return next(sign for sign in found if sign[0] == most)


def _inside(resource: Any) -> Iterator[tuple[str, str]]:
    if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
        entries = resource.get("entry")
        for entry in entries if isinstance(entries, list) else []:
            yield from _inside(entry.get("resource") if isinstance(entry, dict) else None)
    else:
        yield from release_signs(resource)[:1]
