"""Audit events, consents and provenance as FHIR R4."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from carelab.fhir.audit import PREVIOUS, event_hash
from carelab.fhir.read import Resource
from carelab.synth.areas import Core, Part
from carelab.synth.resources import META, NETWORK, TERMINOLOGY, concept, instants, ref, resource
from carelab.synth.security.events import Scene
from carelab.synth.security.users import ENGINE, SERVICES
from carelab.synth.streams import stream

PURPOSES = {
    "TREAT": "treatment", "BTG": "break the glass", "PATADMIN": "patient administration", "HPAYMT": "healthcare payment",
    "HOPERAT": "healthcare operations", "HRESCH": "healthcare research",
}  # fmt: skip
_OPERATION = {"R": "read", "U": "update"}
_KIND = {"system": f"{TERMINOLOGY}/audit-event-type", "code": "rest", "display": "RESTful Operation"}
_SUBJECTS = {"care-registry": "Reading by the care registry", "restricted-record": "Restricted record"}


def audit_resources(scene: Scene, events: pd.DataFrame, gone: int) -> list[Resource]:
    """The log: one AuditEvent an event, in the order in which they happened, each with the hash of the one before it on
    the same patient. The event in row `gone` is missing, and the numbering shows no gap: the chain alone does.
    """
    world, number = scene.core.world, scene.core.panel.number
    users = scene.users.set_index("user_id")
    named = {
        user: f"{given} {family}" if given else str(family)
        for user, given, family in zip(users.index, users["given_name"], users["family_name"], strict=True)
    }
    roles, practitioners = users["role"].to_dict(), users["practitioner_id"].to_dict()
    last: dict[str, str] = {}
    found = []
    event: Any
    for i, (event, recorded) in enumerate(zip(events.itertuples(), instants(world, events["recorded"]), strict=True)):
        role = roles.get(event.user_id, "service" if event.user_id in SERVICES else "data-analyst")
        agent: Resource = {"altId": event.user_id, "requestor": True, "role": [{"text": role}]}
        if event.user_id in named:
            agent["name"] = named[event.user_id]
        if practitioner := practitioners.get(event.user_id):
            agent["who"] = ref("Practitioner", practitioner)
        if event.site_id:
            agent["location"] = ref("Location", event.site_id)
        operation = {"system": "http://hl7.org/fhir/restful-interaction", "code": _OPERATION[event.action]}
        before = last.get(event.patient_id)
        made = {
            "resourceType": "AuditEvent",
            "id": f"aud-{number:03d}{i - (i > gone):05d}",
            "meta": META,
            **({"extension": [{"url": PREVIOUS, "valueString": before}]} if before else {}),
            "type": _KIND,
            "subtype": [operation],
            "action": event.action,
            "recorded": recorded,
            "outcome": "0",
            "purposeOfEvent": [
                {"coding": [{
                    "system": f"{TERMINOLOGY}/v3-ActReason", "code": event.purpose, "display": PURPOSES[event.purpose],
                }]}
            ],
            "agent": [agent],
            "source": {"observer": {"display": event.system}},
            "entity": [{"what": ref("Patient", event.patient_id)}],
        }  # fmt: skip
        last[event.patient_id] = event_hash(made)
        if i != gone:
            found.append(made)
    return found


def consent_resources(core: Core, consents: pd.DataFrame) -> list[Resource]:
    """One Consent a row; a withdrawn one is inactive and has an end."""
    start, end = instants(core.world, consents["from"]), instants(core.world, consents["until"])
    found = []
    row: Any
    for i, row in enumerate(consents.itertuples()):
        permit = row.subject == "care-registry"
        period = {"start": start[i]} | ({"end": end[i]} if end[i] else {})
        found.append(
            resource(
                "Consent", f"con-{core.panel.number:03d}{i:03d}", status="inactive" if end[i] else "active",
                scope={"coding": [{"system": f"{TERMINOLOGY}/consentscope", "code": "patient-privacy", "display": "Privacy Consent"}]},
                category=[concept("consent-subject", row.subject, _SUBJECTS[row.subject])],
                patient=ref("Patient", row.patient_id), dateTime=start[i], organization=[{"reference": NETWORK}],
                policyRule={"coding": [{"system": f"{TERMINOLOGY}/v3-ActCode", "code": "OPTIN" if permit else "OPTOUT"}]},
                provision={"type": "permit" if permit else "deny", "period": period},
            )
        )  # fmt: skip
    return found


def provenance_resources(scene: Scene, parts: Mapping[str, Part]) -> list[Resource]:
    """Where resources came from: a nurse who wrote a problem down, the eligibility feed, the interface engine."""
    core, scheduling = scene.core, parts["scheduling"].resources
    rng = stream(core.world.seed, "security/provenance", core.panel.number)
    rows: list[tuple[str, str, str, str, str]] = []  # target, recorded, agent's kind, agent, activity
    for condition in scheduling["Condition"]:
        nurse = str(rng.choice(scene.at("nurse")))
        rows.append(
            (f"Condition/{condition['id']}", f"{condition['recordedDate']}T18:00:00Z", "author", nurse, "CREATE")
        )
    extract = instants(core.world, pd.Series([pd.Timestamp(core.world.clock.extract_at)]))[0]
    fresh = rng.random(len(scheduling["Coverage"])) < 0.1
    for coverage, updated in zip(scheduling["Coverage"], fresh, strict=True):
        if updated:
            rows.append((f"Coverage/{coverage['id']}", str(extract), "assembler", ENGINE, "UPDATE"))
    admitted = instants(core.world, scene.stays["admitted"])
    for stay_id, at in zip(scene.stays["stay_id"], admitted, strict=True):
        rows.append((f"Encounter/{stay_id}", str(at), "assembler", ENGINE, "CREATE"))
    found = []
    for i, (target, recorded, kind, user, activity) in enumerate(rows):
        who = {"identifier": {"system": "https://example.org/fhir/sid/user", "value": user}}
        found.append(
            resource(
                "Provenance", f"prv-{core.panel.number:03d}{i:04d}", target=[{"reference": target}], recorded=recorded,
                activity={"coding": [{"system": f"{TERMINOLOGY}/v3-DataOperation", "code": activity}]},
                agent=[{
                    "type": {"coding": [{"system": f"{TERMINOLOGY}/provenance-participant-type", "code": kind}]}, "who": who,
                }],
            )
        )  # fmt: skip
    return found
