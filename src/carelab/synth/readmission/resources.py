"""Stays as FHIR R4: what the hospitals' systems would export, and nothing of the truth."""

from typing import Any

import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION
from carelab.synth.areas import Core, Feed
from carelab.synth.readmission.catalogue import TESTS
from carelab.synth.resources import (
    LANGUAGES,
    META,
    NETWORK,
    PAYERS,
    SYSTEM,
    TERMINOLOGY,
    concept,
    instants,
    ref,
    resource,
)

EMERGENCY_FROM = 5000  # ids of visits to the emergency department, above those of the stays
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CLASSES = {"IMP": "inpatient encounter", "EMER": "emergency", "OBSENC": "observation encounter", "AMB": "ambulatory"}
PRIORITIES = {
    "emergency": ("EM", "emergency"),
    "urgent": ("UR", "urgent"),
    "elective": ("EL", "elective"),
    "transfer": ("UR", "urgent"),
}
SOURCES = {
    "emergency": ("emd", "From accident/emergency department"),
    "urgent": ("gp", "General Practitioner referral"),
    "elective": ("outp", "From outpatient department"),
    "transfer": ("hosp-trans", "Transferred from other hospital"),
}
# Our own code, because FHIR's list has no home health and no transfer; FHIR's beside it.
DISPOSITIONS = {
    "home": ("Home", "home", "Home"),
    "home-health": ("Home with home health care", "home", "Home"),
    "snf": ("Skilled nursing facility", "snf", "Skilled nursing facility"),
    "rehab": ("Rehabilitation facility", "rehab", "Rehabilitation"),
    "hospice": ("Hospice", "hosp", "Hospice"),
    "ama": ("Left against advice", "aadvice", "Left against advice"),
    "expired": ("Died", "exp", "Expired"),
    "transfer": ("Transferred to another hospital", "other-hcf", "Other healthcare facility"),
}
WARDS = {
    "medicine": "Medicine", "cardiology": "Cardiology", "neurology": "Neurology", "surgery": "Surgery", "oncology": "Oncology",
    "observation": "Observation unit",
}  # fmt: skip
UCUM = "http://unitsofmeasure.org"


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    """CodeableConcept with one coding of a code system of FHIR or THO."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code, "display": display}]}


def _class(code: str) -> dict[str, str]:
    return {"system": f"{TERMINOLOGY}/v3-ActCode", "code": code, "display": CLASSES[code]}


ACTIVE = _coded("condition-clinical", "active", "Active")
CONFIRMED = _coded("condition-ver-status", "confirmed", "Confirmed")
LABORATORY = [_coded("observation-category", "laboratory", "Laboratory")]
AT_DISCHARGE = [_coded("medicationrequest-category", "discharge", "Discharge")]
IN_STAY = [_coded("condition-category", "encounter-diagnosis", "Encounter Diagnosis")]
USE = _coded("diagnosis-role", "DD", "Discharge diagnosis")
USE_ADMISSION = _coded("diagnosis-role", "AD", "Admission diagnosis")


def stranger_resources(core: Core, people: pd.DataFrame) -> Feed:
    """Patient and Coverage of people whom only the hospitals know, one row of `people` each."""
    clinic = core.world.clinic[core.panel.clinic]
    died = instants(core.world, people["died_at"])
    found: Feed = {"Patient": [], "Coverage": []}
    person: Any
    for i, person in enumerate(people.itertuples()):
        language = {
            "coding": [{"system": "urn:ietf:bcp:47", "code": person.language, "display": LANGUAGES[person.language]}]
        }
        found["Patient"].append(
            resource(
                "Patient", person.patient_id, active=died[i] is None,
                identifier=[{"system": f"https://example.org/fhir/sid/mrn-{clinic.hospital}", "value": person.mrn}],
                name=[{"use": "official", "family": person.family, "given": [person.given]}],
                telecom=[{"system": "phone", "value": person.phone, "use": "mobile"}],
                gender=person.sex, birthDate=f"{person.birth_date:%Y-%m-%d}", deceasedDateTime=died[i],
                address=[{"use": "home", "city": clinic.city, "postalCode": clinic.zip3, "country": "US"}],
                communication=[{"language": language, "preferred": True}], managingOrganization={"reference": NETWORK},
            )
        )  # fmt: skip
        if person.payer in PAYERS:
            found["Coverage"].append(
                resource(
                    "Coverage", person.patient_id.replace("hpt-", "hcv-"), status="active", beneficiary=ref("Patient", person.patient_id),
                    type=concept("payer-class", person.payer, person.payer.title()),
                    payor=[ref("Organization", f"payer-{person.payer}")],
                )
            )  # fmt: skip
    return found


def stay_resources(core: Core, stays: pd.DataFrame, diagnoses: pd.DataFrame) -> Feed:
    """Encounter and Condition of each stay, in the order of the ids."""
    world, panel = core.world, core.panel.number
    admitted, discharged = instants(world, stays["admitted"]), instants(world, stays["discharged"])
    encounters: list[Resource] = []
    conditions: list[Resource] = []
    by_stay: dict[str, list[tuple[str, str]]] = {}
    for stay_id, code, display in zip(diagnoses["stay_id"], diagnoses["code"], diagnoses["display"], strict=True):
        by_stay.setdefault(stay_id, []).append((code, display))
    stay: Any
    columns = ["stay_id", "patient_id", "class", "site_id", "ward", "admission", "disposition", "cost", "cost_year_after",
               "area_deprivation", "episode_diagnosis_count"]  # fmt: skip
    for i, stay in enumerate(stays[columns].rename(columns={"class": "kind"}).itertuples(index=False)):
        subject, encounter = ref("Patient", stay.patient_id), ref("Encounter", stay.stay_id)
        since = discharged[i] or admitted[i]
        listed = []
        for rank, (code, display) in enumerate(by_stay[stay.stay_id], start=1):
            identity = f"dxc-{panel:03d}{len(conditions):05d}"
            conditions.append(
                {
                    "resourceType": "Condition", "id": identity, "meta": META, "clinicalStatus": ACTIVE,
                    "verificationStatus": CONFIRMED, "category": IN_STAY,
                    "code": {"coding": [{"system": ICD, "code": code, "display": display}]}, "subject": subject,
                    "encounter": encounter, "recordedDate": since,
                }
            )  # fmt: skip
            listed.append(
                {"condition": ref("Condition", identity), "use": USE if discharged[i] else USE_ADMISSION, "rank": rank}
            )
        extensions: list[Resource] = [
            {"url": f"{EXTENSION}/area-deprivation", "valueDecimal": stay.area_deprivation},
            {"url": f"{EXTENSION}/episode-diagnosis-count", "valueUnsignedInt": stay.episode_diagnosis_count},
        ]
        for name, cost in (("total-cost", stay.cost), ("cost-year-after", stay.cost_year_after)):
            if cost == cost:  # not missing
                extensions.append({"url": f"{EXTENSION}/{name}", "valueMoney": {"value": int(cost), "currency": "USD"}})
        period = {"start": admitted[i]}
        way = {"admitSource": _SOURCES[stay.admission]}
        if discharged[i]:
            period["end"] = str(discharged[i])
            way["dischargeDisposition"] = _DISPOSITIONS[stay.disposition]
        encounters.append(
            {
                "resourceType": "Encounter", "id": stay.stay_id, "meta": META, "extension": extensions,
                "status": "finished" if discharged[i] else "in-progress", "class": _CLASSES[stay.kind],
                "serviceType": _WARDS[stay.ward], "priority": _PRIORITIES[stay.admission], "subject": subject,
                "period": period, "diagnosis": listed, "hospitalization": way,
                "location": [{"location": ref("Location", stay.site_id)}], "serviceProvider": _PROVIDER,
            }
        )  # fmt: skip
    return {"Encounter": encounters, "Condition": conditions}


_PROVIDER = {"reference": NETWORK}
_CLASSES = {code: _class(code) for code in CLASSES}
_WARDS = {code: concept("ward", code, text) for code, text in WARDS.items()}
_PRIORITIES = {name: _coded("v3-ActPriority", *pair) for name, pair in PRIORITIES.items()}
_SOURCES = {name: _coded("admit-source", *pair) for name, pair in SOURCES.items()}
_DISPOSITIONS = {
    name: {"coding": [
        {"system": f"{SYSTEM}/disposition", "code": name, "display": text},
        {"system": f"{TERMINOLOGY}/discharge-disposition", "code": code, "display": display},
    ]}
    for name, (text, code, display) in DISPOSITIONS.items()
}  # fmt: skip


def visit_resources(core: Core, emergency: pd.DataFrame, followups: pd.DataFrame) -> Feed:
    """Encounters of the emergency department (EMER) and of appointments made at discharge (AMB)."""
    world, first = core.world, core.panel.number * 10_000
    encounters: list[Resource] = []
    start = instants(world, emergency["start"])
    end = instants(world, emergency["start"] + pd.Timedelta(hours=4))
    for i, (patient, site) in enumerate(zip(emergency["patient_id"], emergency["site_id"], strict=True)):
        encounters.append(
            resource(
                "Encounter", f"enc-{first + EMERGENCY_FROM + i:07d}", status="finished", subject=ref("Patient", patient),
                period={"start": start[i], "end": end[i]}, location=[{"location": ref("Location", site)}],
                serviceProvider=_PROVIDER, **{"class": _CLASSES["EMER"]},
            )
        )  # fmt: skip
    due = instants(world, followups["due"])
    status = followups["kept"].map({True: "finished", False: "cancelled"}).fillna("planned")
    clinic = [{"location": ref("Location", world.clinic[core.panel.clinic].id)}]
    for i, (patient, kept) in enumerate(zip(followups["patient_id"], status, strict=True)):
        encounters.append(
            resource(
                "Encounter", f"fup-{first + i:07d}", status=kept, type=_FOLLOW_UP, subject=ref("Patient", patient),
                period={"start": due[i]}, location=clinic, serviceProvider=_PROVIDER, **{"class": _CLASSES["AMB"]},
            )
        )  # fmt: skip
    return {"Encounter": encounters}


_FOLLOW_UP = [concept("visit-type", "follow-up", "Follow-up after a hospital stay")]


def lab_resources(core: Core, labs: pd.DataFrame) -> Feed:
    """One Observation a result, in the order given."""
    world, panel = core.world, core.panel.number
    taken, issued = instants(world, labs["taken"]), instants(world, labs["taken"] + pd.Timedelta(minutes=50))
    codes = {
        t: {"coding": [{"system": "http://loinc.org", "code": c, "display": d}]} for t, (c, d, *_) in TESTS.items()
    }
    ranges = {
        test: [{side: {"value": bound, "unit": unit, "system": UCUM, "code": unit} for side, bound in (("low", low), ("high", high))}]
        for test, (_, _, unit, _, low, high) in TESTS.items()
    }  # fmt: skip
    whole = {test: digits == 0 for test, (_, _, _, digits, _, _) in TESTS.items()}
    subjects = {patient: ref("Patient", patient) for patient in labs["patient_id"].unique()}
    encounters = {stay: ref("Encounter", stay) for stay in labs["stay_id"].unique()}
    rows = zip(labs["stay_id"], labs["patient_id"], labs["test"], labs["value"].tolist(), labs["unit"], strict=True)
    return {
        "Observation": [
            {
                "resourceType": "Observation", "id": f"lab-{panel:03d}{i:05d}", "meta": META, "status": "final",
                "category": LABORATORY, "code": codes[test], "subject": subjects[patient],
                "encounter": encounters[stay], "effectiveDateTime": taken[i], "issued": issued[i],
                "valueQuantity": {"value": int(value) if whole[test] else value, "unit": unit, "system": UCUM, "code": unit},
                "referenceRange": ranges[test],
            }
            for i, (stay, patient, test, value, unit) in enumerate(rows)
        ]
    }  # fmt: skip


def order_resources(core: Core, medications: pd.DataFrame, stays: pd.DataFrame, allergies: pd.DataFrame) -> Feed:
    """One MedicationRequest a drug on the discharge papers, one AllergyIntolerance a known allergy."""
    panel = core.panel.number
    signed = dict(zip(stays["stay_id"], instants(core.world, stays["discharged"]), strict=True))
    requests: list[Resource] = []
    order: Any
    for i, order in enumerate(medications.itertuples(index=False)):
        extensions: list[Resource] = [{"url": f"{EXTENSION}/discharge-action", "valueCode": order.action}]
        if order.dose_before:
            extensions.append({"url": f"{EXTENSION}/dose-before", "valueString": order.dose_before})
        requests.append(
            {
                "resourceType": "MedicationRequest", "id": f"med-{panel:03d}{i:05d}", "meta": META, "extension": extensions,
                "status": "stopped" if order.action == "stopped" else "active", "intent": "order", "category": AT_DISCHARGE,
                "medicationCodeableConcept": {"text": order.name}, "subject": ref("Patient", order.patient_id),
                "encounter": ref("Encounter", order.stay_id), "authoredOn": signed[order.stay_id],
                "reasonCode": [{"text": order.reason}],
                "dosageInstruction": [{"text": f"{order.dose} {order.route} {order.frequency}"}],
            }
        )  # fmt: skip
    allergy: Any
    known = []
    for i, allergy in enumerate(allergies.itertuples(index=False)):
        known.append(
            resource(
                "AllergyIntolerance", f"alg-{panel:03d}{i:05d}", type="allergy",
                clinicalStatus=_coded("allergyintolerance-clinical", "active", "Active"),
                verificationStatus=_coded("allergyintolerance-verification", "confirmed", "Confirmed"),
                code={"text": allergy.substance}, patient=ref("Patient", allergy.patient_id),
                reaction=[{"manifestation": [{"text": allergy.reaction}]}],
            )
        )  # fmt: skip
    return {"MedicationRequest": requests, "AllergyIntolerance": known}


def of_patients(feed: Feed, patients: set[str]) -> Feed:
    """The part of the area's feed that belongs to some patients."""
    wanted = {f"Patient/{patient}" for patient in patients}

    def mine(r: Resource) -> bool:
        owner = r.get("subject") or r.get("beneficiary") or r.get("patient")
        return owner["reference"] in wanted if owner else r["id"] in patients

    return {kind: [r for r in found if mine(r)] for kind, found in feed.items()}
