"""Slots, appointments and reminders as FHIR R4."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION
from carelab.synth.config import Panel, World
from carelab.synth.resources import NETWORK, TERMINOLOGY, concept, instants, ref, resource, specialty_concept
from carelab.synth.scheduling.agenda import SLOT_MINUTES
from carelab.synth.staff import AT_HOSPITAL
from carelab.synth.streams import stream

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


def open_slot_resources(world: World, panel: Panel, slots: pd.DataFrame) -> list[Resource]:
    """Free slots of the planning horizon, in the order given; slots: what `agenda.open_slots` returns."""
    start, end = instants(world, slots["start"]), instants(world, slots["start"] + pd.Timedelta(minutes=SLOT_MINUTES))
    return [
        resource(
            "Slot", f"sltf-{panel.number:03d}{i:04d}", schedule=ref("Schedule", f"sch-{panel.number:03d}{practitioner}"),
            status="free", start=start[i], end=end[i],
        )
        for i, practitioner in enumerate(slots["practitioner"])
    ]  # fmt: skip


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
