"""Rules about time: what cannot come before what."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from carelab.fhir.meaning.moments import span, surely_before
from carelab.fhir.meaning.rules import View, rule

# Elements that say when something was done to, or found out about, the patient.
_CLINICAL = {
    "AllergyIntolerance": "onsetDateTime recordedDate lastOccurrence",
    "CarePlan": "period created",
    "Claim": "billablePeriod created",
    "Communication": "sent received",
    "Condition": "onsetDateTime onsetPeriod abatementDateTime recordedDate",
    "DiagnosticReport": "effectiveDateTime effectivePeriod issued",
    "DocumentReference": "date",
    "Encounter": "period",
    "ExplanationOfBenefit": "billablePeriod created",
    "Flag": "period",
    "ImagingStudy": "started",
    "Immunization": "occurrenceDateTime recorded",
    "MedicationAdministration": "effectiveDateTime effectivePeriod",
    "MedicationDispense": "whenPrepared whenHandedOver",
    "MedicationRequest": "authoredOn",
    "MedicationStatement": "effectiveDateTime effectivePeriod dateAsserted",
    "Observation": "effectiveDateTime effectivePeriod effectiveInstant issued",
    "Procedure": "performedDateTime performedPeriod",
    "QuestionnaireResponse": "authored",
    "RiskAssessment": "occurrenceDateTime",
    "ServiceRequest": "authoredOn",
    "Specimen": "receivedTime",
}
_ITEMS = ("servicedDate", "servicedPeriod")  # of claims
# What is only done to the living. Findings, bills, certificates, autopsies and records follow a death every day.
_FOR_THE_LIVING = {
    "Immunization": "occurrenceDateTime",
    "MedicationAdministration": "effectiveDateTime effectivePeriod",
    "MedicationRequest": "authoredOn",
    "Appointment": "created",
}
# Births and deaths are often written a day off, at midnight or in another zone.
_DAY = timedelta(days=1)
_OLDEST = timedelta(days=366 * 125)


def _moments(resource: dict[str, Any], elements: str) -> Iterator[tuple[str, Any]]:
    """Element and time; the start of a period."""
    for element in elements.split():
        value = resource.get(element)
        if isinstance(value, dict):
            value = value.get("start", value.get("end"))
            element += ".start"
        if isinstance(value, str):
            yield element, value


@rule("period-reversed")
def period_reversed(view: View) -> Iterator[tuple[str, str]]:
    """Nothing ends before it begins."""
    for path, node in view.nodes:
        for start, end in (("start", "end"), ("onsetDateTime", "abatementDateTime")):
            if start in node and end in node and surely_before(node[end], node[start]):
                yield path, f"ends ({node[end]}) before it begins ({node[start]}); see whether the two were swapped"


@rule("range-reversed")
def range_reversed(view: View) -> Iterator[tuple[str, str]]:
    """The lower end of a range is not above the upper one, in the same unit."""
    for path, node in view.nodes:
        low, high = node.get("low"), node.get("high")
        if isinstance(low, dict) and isinstance(high, dict) and low.get("code") == high.get("code"):
            a, b = low.get("value"), high.get("value")
            if isinstance(a, int | float) and isinstance(b, int | float) and a > b:
                yield path, f"the lower end ({a:g}) lies above the upper ({b:g}); see whether the two were swapped"


@rule("death-before-birth")
def death_before_birth(view: View) -> Iterator[tuple[str, str]]:
    """Nobody dies before being born."""
    patient = view.resource
    if view.kind == "Patient" and surely_before(patient.get("deceasedDateTime"), patient.get("birthDate")):
        yield (
            "Patient.deceasedDateTime",
            (f"died on {patient['deceasedDateTime']}, born on {patient['birthDate']}; one of the dates is wrong"),
        )


@rule("implausible-age", "warning")
def implausible_age(view: View) -> Iterator[tuple[str, str]]:
    """Nobody dies older than 125 years; a birth date such as 1800-01-01 often stands for an unknown one."""
    patient = view.resource
    if view.kind != "Patient":
        return
    born, died = span(patient.get("birthDate")), span(patient.get("deceasedDateTime"))
    if born and died and died.first - born.last > _OLDEST:
        yield "Patient.birthDate", "more than 125 years before the death; see whether it stands for an unknown date"
    elif born and born.last.year < 1880:
        yield "Patient.birthDate", f"{patient['birthDate']} is too long ago; see whether it stands for an unknown date"


@rule("event-before-birth")
def event_before_birth(view: View) -> Iterator[tuple[str, str]]:
    """Nothing is done to a patient more than a day before the birth.

    Only times that say when care was given or recorded are compared: a mother's history, an address or a policy may
    well be older than the child.
    """
    born, _ = view.index.lives.get(view.patient or "", (None, None))
    if born is None:
        return
    times = list(_moments(view.resource, _CLINICAL.get(view.kind, "")))
    items = view.resource.get("item")
    for item in items if isinstance(items, list) and view.kind in ("Claim", "ExplanationOfBenefit") else []:
        if isinstance(item, dict):
            times += [(f"item.{name}", when) for name, when in _moments(item, " ".join(_ITEMS))]
    told = set()
    for element, when in times:
        if element not in told and surely_before(when, born, _DAY):
            told.add(element)
            yield (
                f"{view.kind}.{element}",
                f"{when} lies before the patient's birth ({born}); one of the dates is wrong",
            )


@rule("treated-after-death")
def treated_after_death(view: View) -> Iterator[tuple[str, str]]:
    """What is only done to the living is not done more than a day after the death."""
    _, died = view.index.lives.get(view.patient or "", (None, None))
    for element, when in _moments(view.resource, _FOR_THE_LIVING.get(view.kind, "")) if died else ():
        if surely_before(died, when, _DAY):
            yield f"{view.kind}.{element}", f"{when} lies after the patient's death ({died}); one of the dates is wrong"


@rule("implausible-year")
def implausible_year(view: View) -> Iterator[tuple[str, str]]:
    """A time lies between the years 1800 and 2200."""
    for path, node in view.nodes:
        for key, value in node.items():
            if (
                isinstance(value, str)
                and len(value) >= 10
                and value[4:5] == "-"
                and (found := span(value))
                and not 1800 <= found.first.year <= 2200
            ):
                yield f"{path}.{key}", f"{value}: no patient record reaches there; see whether a digit is wrong"
