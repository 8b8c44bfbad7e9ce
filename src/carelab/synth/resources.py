"""The FHIR R4 resources of the world: what an interface engine would export, and nothing of the truth."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables import EXTENSION, US_CORE
from carelab.synth import names
from carelab.synth.agenda import AT_HOSPITAL, SLOT_MINUTES, TEAM
from carelab.synth.config import Panel, World
from carelab.synth.streams import stream

SYSTEM = "https://example.org/fhir/CodeSystem"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
META = {
    "security": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}],
    "tag": [{"system": f"{SYSTEM}/data-origin", "code": "synthetic"}],
}
NETWORK = "Organization/lakeshore-health"
PAYERS = {
    "commercial": "Lakeshore Health Plan",
    "medicaid": "Great Lakes Community Plan",
    "medicare": "Inland Seas Advantage",
}
SPECIALTIES = {
    "family_medicine": "Family medicine", "pediatrics": "Pediatrics", "behavioral_health": "Behavioral health",
    "womens_health": "Women's health", "cardiology": "Cardiology", "dermatology": "Dermatology",
    "endocrinology": "Endocrinology",
}  # fmt: skip
RACES = {
    "white": ("2106-3", "White"),
    "black": ("2054-5", "Black or African American"),
    "asian": ("2028-9", "Asian"),
    "native": ("1002-5", "American Indian or Alaska Native"),
    "other": (None, "Other"),
}
ETHNICITIES = {True: ("2135-2", "Hispanic or Latino"), False: ("2186-5", "Not Hispanic or Latino")}
LANGUAGES = {"en": "English", "es": "Spanish", "pl": "Polish", "so": "Somali", "hmn": "Hmong"}
CANCEL_REASONS = {
    "patient-request": ("Patient asked to cancel", 0.62),
    "provider-unavailable": ("Provider unavailable", 0.14),
    "illness": ("Patient ill", 0.14),
    "weather": ("Weather", 0.03),
    "other": ("Other", 0.07),
}
REMINDER_TEXT = {
    "en": "Lakeshore Health: you have a visit on {when}. Reply C to confirm or call 555-0100 to change it.",
    "es": "Lakeshore Health: tiene una cita el {when}. Responda C para confirmar o llame al 555-0100 para cambiarla.",
}


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    """CodeableConcept with one coding of a course code system."""
    return {"coding": [{"system": f"{SYSTEM}/{system}", "code": code, "display": display}]}


def specialty_concept(specialty: str) -> dict[str, Any]:
    """CodeableConcept of a specialty, which doubles as the type of service."""
    return concept("specialty", specialty, SPECIALTIES[specialty])


def resource(kind: str, identity: str, **elements: Any) -> Resource:
    """A resource with the marks of test data; elements that are None are left out."""
    present = {name: value for name, value in elements.items() if value is not None}
    return {"resourceType": kind, "id": identity, "meta": META, **present}


def ref(kind: str, identity: str) -> dict[str, str]:
    """Reference to a resource."""
    return {"reference": f"{kind}/{identity}"}


def instants(world: World, local: pd.Series) -> list[str | None]:
    """Local clinic times as FHIR instants in UTC; None for a missing time."""
    # Clinics sleep when the clock changes, but a check-in computed around it must not stop the build.
    aware = local.dt.tz_localize(world.clock.time_zone, ambiguous=True, nonexistent="shift_forward")
    text = aware.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [value if isinstance(value, str) else None for value in text]


def network_resources(world: World) -> dict[str, list[Resource]]:
    """Organizations and locations, which all panels share."""
    organizations = [
        resource(
            "Organization", "lakeshore-health", active=True, name="Lakeshore Health",
            type=[{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": "prov"}]}],
        )
    ]  # fmt: skip
    for payer, name in PAYERS.items():
        kind = [{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": "pay"}]}]
        organizations.append(resource("Organization", f"payer-{payer}", active=True, name=name, type=kind))

    locations = []
    for site in world.sites:
        hospital = getattr(site, "hospital", None)
        opens = getattr(site, "opens", None)
        locations.append(
            resource(
                "Location", site.id, status="active", name=site.name, mode="instance",
                type=[concept("site-kind", "clinic", "Clinic") if hospital else concept("site-kind", "hospital", "Hospital")],
                address={"city": site.city, "postalCode": site.zip3, "country": "US"},
                managingOrganization={"reference": NETWORK},
                partOf=ref("Location", hospital) if hospital else None,
                extension=[{"url": f"{EXTENSION}/opened-on", "valueDate": opens.isoformat()}] if opens else None,
            )
        )  # fmt: skip
    by_id = itemgetter("id")
    return {"Organization": sorted(organizations, key=by_id), "Location": sorted(locations, key=by_id)}


def staff_resources(world: World, panel: Panel) -> dict[str, list[Resource]]:
    """Practitioners of a panel with their roles and schedules, in the order of TEAM."""
    clinic = world.clinic[panel.clinic]
    rng = stream(world.seed, "staff-name", panel.number)
    found: dict[str, list[Resource]] = {"Practitioner": [], "PractitionerRole": [], "Schedule": []}
    for k, specialty in enumerate(TEAM):
        number = f"{panel.number:03d}{k}"
        site = clinic.hospital if specialty in AT_HOSPITAL else clinic.id
        sex = ("female", "male")[int(rng.integers(2))]
        family = str(rng.choice(names.FIRST_PARTS)) + str(rng.choice(names.LAST_PARTS))
        name = {"family": family, "given": [str(rng.choice(names.GIVEN[sex]))], "prefix": ["Dr."]}
        practitioner, service = ref("Practitioner", f"prc-{number}"), [specialty_concept(specialty)]
        found["Practitioner"].append(
            resource(
                "Practitioner", f"prc-{number}", active=True, name=[name], gender=sex,
                # Real numbers begin with 1 or 2: this one can belong to nobody.
                identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": f"9{panel.number:06d}{k:03d}"}],
            )
        )  # fmt: skip
        found["PractitionerRole"].append(
            resource(
                "PractitionerRole", f"rol-{number}", active=True, practitioner=practitioner, specialty=service,
                organization={"reference": NETWORK}, location=[ref("Location", site)],
            )
        )  # fmt: skip
        found["Schedule"].append(
            resource(
                "Schedule", f"sch-{number}", active=True, serviceType=service, specialty=service,
                actor=[practitioner, ref("Location", site)],
            )
        )  # fmt: skip
    return found


def _omb(name: str, code: str | None, text: str) -> Resource:
    """US Core race or ethnicity extension; a category outside the list of the OMB is text only."""
    coding = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": text}
    category = [{"url": "ombCategory", "valueCoding": coding}] if code else []
    return {"url": f"{US_CORE}/{name}", "extension": [*category, {"url": "text", "valueString": text}]}


def patient_resources(
    world: World, panel: Panel, people: pd.DataFrame, records: pd.DataFrame, no_show_rate: pd.Series
) -> dict[str, list[Resource]]:
    """Patients with coverage and recorded transport need, one Patient a record, in the order of the ids.

    no_show_rate: the vendor's rate (0 to 1) by patient_id; no extension where it is missing.
    """
    clinic = world.clinic[panel.clinic]
    phones = stream(world.seed, "phone", panel.number).integers(100, 200, panel.size)  # a person's, on both records
    others = stream(world.seed, "other-language", panel.number).choice(["pl", "so", "hmn"], panel.size)
    found: dict[str, list[Resource]] = {"Patient": [], "Coverage": [], "Condition": []}
    traits = people.drop(columns=["given", "family", "birth_date"])  # a record has its own, perhaps mistaken
    record: Any
    for record in records.join(traits, on="person").itertuples():
        number = record.patient_id.removeprefix("pat-")
        extensions = []
        if not record.race_missing:
            extensions.append(_omb("us-core-race", *RACES[record.race]))
            extensions.append(_omb("us-core-ethnicity", *ETHNICITIES[bool(record.hispanic)]))
        extensions.append({"url": f"{EXTENSION}/home-clinic", "valueReference": ref("Location", clinic.id)})
        rate = no_show_rate.get(record.patient_id)
        if rate is not None and not np.isnan(rate):
            extensions.append({"url": f"{EXTENSION}/no-show-rate", "valueDecimal": round(float(rate), 2)})
        spoken = others[record.person] if record.language == "other" else record.language
        language = {"coding": [{"system": "urn:ietf:bcp:47", "code": str(spoken), "display": LANGUAGES[str(spoken)]}]}
        mail = f"{record.given}.{record.family}.{number}@example.org".lower()
        found["Patient"].append(
            resource(
                "Patient", record.patient_id, extension=extensions, active=True,
                identifier=[{"system": "https://example.org/fhir/sid/mrn", "value": f"LH{number}"}],
                name=[{"use": "official", "family": record.family, "given": [record.given]}],
                telecom=[
                    {"system": "phone", "value": f"555-0{phones[record.person]}", "use": "mobile"},
                    {"system": "email", "value": mail},
                ],
                gender=record.sex, birthDate=record.birth_date.strftime("%Y-%m-%d"),
                address=[{"use": "home", "city": clinic.city, "postalCode": clinic.zip3, "country": "US"}],
                communication=[{"language": language, "preferred": True}],
                managingOrganization={"reference": NETWORK},
            )
        )  # fmt: skip
        subject = ref("Patient", record.patient_id)
        if record.payer in PAYERS:
            found["Coverage"].append(
                resource(
                    "Coverage", f"cov-{number}", status="active", beneficiary=subject,
                    type=concept("payer-class", record.payer, record.payer.title()),
                    payor=[ref("Organization", f"payer-{record.payer}")],
                )
            )  # fmt: skip
        # The nurse who noted the need opened the first record, not the double.
        if pd.notna(record.transport_recorded_on) and not record.duplicate:
            found["Condition"].append(
                resource(
                    "Condition", f"cnd-{number}", subject=subject,
                    clinicalStatus={"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": "active"}]},
                    verificationStatus={"coding": [{"system": f"{TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
                    category=[{"coding": [{
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/condition-category", "code": "health-concern",
                    }]}],
                    code={"coding": [{
                        "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z59.82",
                        "display": "Transportation insecurity",
                    }]},
                    recordedDate=record.transport_recorded_on.strftime("%Y-%m-%d"),
                )
            )  # fmt: skip
    return found


def visit_resources(
    world: World, panel: Panel, people: pd.DataFrame, visits: pd.DataFrame
) -> dict[str, list[Resource]]:
    """Slots, appointments and reminders of a panel, in the order of the appointments.

    visits: agenda and outcomes side by side, with appointment_id and patient_id.
    """
    clinic, n = world.clinic[panel.clinic], len(visits)
    at_hospital = visits["specialty"].isin(AT_HOSPITAL)
    who = people.loc[visits["person"]].reset_index(drop=True)
    km = np.where(at_hospital, who["hospital_km"], who["clinic_km"])

    arrival = stream(world.seed, "arrival", panel.number)
    early = arrival.normal(world.arrival.early_mean_minutes, 8.0, n).round()
    waited = (3 + arrival.gamma(2.0, (world.arrival.wait_mean_minutes - 3) / 2.0, n)).round()
    came = visits["status"].eq("fulfilled")
    checked_in = (visits["start"] - pd.to_timedelta(early, unit="min")).where(came)
    roomed = checked_in + pd.to_timedelta(waited, unit="min")
    reasons = stream(world.seed, "cancel-reason", panel.number).choice(
        list(CANCEL_REASONS), n, p=[share for _, share in CANCEL_REASONS.values()]
    )
    start, created = instants(world, visits["start"]), instants(world, visits["created"])
    end = instants(world, visits["start"] + pd.Timedelta(minutes=SLOT_MINUTES))
    checked_in_text, roomed_text = instants(world, checked_in), instants(world, roomed)
    # The message goes out in the afternoon before; what lies ahead of the extract is only planned.
    send_at = visits["start"].dt.normalize() - pd.Timedelta(hours=24 - world.reminder.sent_hour)
    sent = instants(world, send_at)
    planned = send_at > pd.Timestamp(world.clock.extract_at)

    found: dict[str, list[Resource]] = {"Slot": [], "Appointment": [], "Communication": []}
    visit: Any
    for i, visit in enumerate(visits.itertuples()):
        number = visit.appointment_id.removeprefix("apt-")
        practitioner = f"{panel.number:03d}{visit.practitioner}"
        patient = ref("Patient", visit.patient_id)
        cancelled = visit.status == "cancelled"
        found["Slot"].append(
            resource(
                "Slot", f"slt-{number}", schedule=ref("Schedule", f"sch-{practitioner}"),
                status="free" if cancelled else "busy", start=start[i], end=end[i],
            )
        )  # fmt: skip
        quantity = {"value": float(km[i]), "unit": "km", "system": "http://unitsofmeasure.org", "code": "km"}
        extensions: list[Resource] = [{"url": f"{EXTENSION}/travel-distance", "valueQuantity": quantity}]
        if checked_in_text[i]:
            extensions.append({"url": f"{EXTENSION}/checked-in-at", "valueDateTime": checked_in_text[i]})
            extensions.append({"url": f"{EXTENSION}/roomed-at", "valueDateTime": roomed_text[i]})
        reason = str(reasons[i])
        service = [specialty_concept(visit.specialty)]
        actors = [
            patient,
            ref("Practitioner", f"prc-{practitioner}"),
            ref("Location", clinic.hospital if at_hospital[i] else clinic.id),
        ]
        found["Appointment"].append(
            resource(
                "Appointment", visit.appointment_id, extension=extensions, status=visit.status,
                cancelationReason=concept("cancelation-reason", reason, CANCEL_REASONS[reason][0]) if cancelled else None,
                serviceType=service, specialty=service,
                appointmentType=concept("visit-type", *(("new", "New patient") if visit.new_patient else ("return", "Return visit"))),
                start=start[i], end=end[i], minutesDuration=SLOT_MINUTES, slot=[ref("Slot", f"slt-{number}")],
                created=created[i], participant=[{"actor": actor, "status": "accepted"} for actor in actors],
            )
        )  # fmt: skip
        if visit.reminder:
            status = "preparation" if planned[i] else "not-done" if visit.failed else "completed"
            when = f"{visit.start:%m/%d} {visit.start:%I:%M %p}"
            text = REMINDER_TEXT["es" if who["language"][i] == "es" else "en"].format(when=when)
            medium = {"system": f"{TERMINOLOGY}/v3-ParticipationMode", "code": "SMSWRIT"}
            found["Communication"].append(
                resource(
                    "Communication", f"sms-{number}", status=status,
                    statusReason={"text": "Number not in service"} if status == "not-done" else None,
                    category=[concept("message-kind", "appointment-reminder", "Appointment reminder")],
                    medium=[{"coding": [medium]}], subject=patient, about=[ref("Appointment", visit.appointment_id)],
                    sent=None if planned[i] else sent[i], recipient=[patient], sender={"reference": NETWORK},
                    payload=[{"contentString": text}],
                )
            )  # fmt: skip
    return found


def of_patients(resources: dict[str, list[Resource]], patients: Iterable[str]) -> dict[str, list[Resource]]:
    """The part of a panel's resources that belongs to some patients; what names no patient is kept.

    Slots follow the appointments, so that every reference of the part resolves inside it.
    """
    wanted = {f"Patient/{patient}" for patient in patients}

    def owner(r: Resource) -> str | None:
        match r["resourceType"]:
            case "Patient":
                return f"Patient/{r['id']}"
            case "Coverage":
                return str(r["beneficiary"]["reference"])
            case "Condition" | "Communication":
                return str(r["subject"]["reference"])
            case "Appointment":
                return str(r["participant"][0]["actor"]["reference"])
        return None

    part = {
        kind: [r for r in found if (whose := owner(r)) is None or whose in wanted] for kind, found in resources.items()
    }
    slots = {a["slot"][0]["reference"].removeprefix("Slot/") for a in part["Appointment"]}
    return part | {"Slot": [slot for slot in resources["Slot"] if slot["id"] in slots]}
