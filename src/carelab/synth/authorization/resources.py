"""Requests, answers, appeals, work items, eligibility checks and referral notes as FHIR R4."""

import base64
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.areas import Core, Feed
from carelab.synth.authorization.notes import Note
from carelab.synth.authorization.policies import PREFIX, REASONS, Item, Service, diagnoses, facts, services
from carelab.synth.config import World
from carelab.synth.resources import NETWORK, PAYERS, SYSTEM, TERMINOLOGY, concept, instants, ref, resource

APPEALS_FROM = 5000  # numbers of appeals within a panel begin here; requests stay below
CODE_SYSTEMS = {
    "hcpcs": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "pcs": "http://www.cms.gov/Medicare/Coding/ICD10",
    "course": f"{SYSTEM}/course-service",
}
_UCUM = {
    "": "1", "/h": "/h", "points": "{score}", "days": "d", "ft": "[ft_i]", "/d": "/d", "events": "{events}", "%": "%",
    "IU/mL": "[IU]/mL", "months": "mo", "weeks": "wk", "visits": "{visits}", "kg/m2": "kg/m2",
    "relatives": "{relatives}", "years": "a",
}  # fmt: skip
_USED = (
    "patient_id", "practitioner", "payer", "service", "diagnosis", "urgent", "in_network", "denied", "reason",
    "overturned", "approved_from", "approved_until", "quantities", "total",
)  # fmt: skip
_DELIVERED = ("cpap", "wheelchair", "cgm", "oxygen")  # by a supplier of equipment
SUPPLIERS = {
    "sup-1": "Harborlight Medical Supply", "sup-2": "Ore Haven Home Care", "sup-8": "Quickship Medical Direct",
    "sup-9": "Bluewater Outpatient Center",
}  # fmt: skip


_FACT = concept("information-kind", "case-fact", "Fact of the case")


def network_resources(_: World) -> Feed:
    """Suppliers outside Lakeshore Health, which all panels share."""
    kind = [{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": "prov"}]}]
    return {
        "Organization": [
            resource("Organization", identity, active=True, name=name, type=kind)
            for identity, name in SUPPLIERS.items()
        ]
    }


def _supplier(case: Any, i: int) -> dict[str, str]:
    """Who would deliver or do it."""
    if not case.in_network:
        return ref("Organization", "sup-8" if case.service in _DELIVERED else "sup-9")
    if case.service in _DELIVERED:
        return ref("Organization", f"sup-{1 + i % 2}")
    return {"reference": NETWORK}


@lru_cache
def _coded(item: Item) -> dict[str, Any]:
    """An item as a concept."""
    return {"coding": [{"system": CODE_SYSTEMS[item.system], "code": item.code, "display": item.name}]}


@lru_cache
def _service(identity: str) -> dict[str, Any]:
    """A service as a concept: the course's code, with the published one where there is one."""
    service = services()[identity]
    own = concept("course-service", service.id, service.name)
    first = service.items[0]
    return {"coding": own["coding"] + ([] if first.system == "course" else _coded(first)["coding"])}


def _money(amount: float) -> dict[str, Any]:
    return {"value": amount, "currency": "USD"}


def _form(said_of: dict[str, np.ndarray], i: int, service: Service) -> list[dict[str, Any]]:
    """What the form says of a case; facts on which it is silent are left out."""
    said = []
    for name in service.facts:
        value = said_of[name][i]
        if value != value:  # not a number: not there
            continue
        fact = facts()[name]
        plain = fact.plain(value)
        if fact.kind == "number":
            unit = _UCUM[fact.unit]
            quantity = {"value": plain, "unit": fact.unit or "1", "system": "http://unitsofmeasure.org", "code": unit}
            entry: dict[str, Any] = {"valueQuantity": quantity}
        else:
            entry = {"valueBoolean": plain} if fact.kind == "truth" else {"valueString": plain}
        said.append({"category": _FACT, "code": concept("case-fact", name, fact.label), **entry})
    return said


def request_resources(core: Core, cases: pd.DataFrame, notes: dict[int, Note]) -> Feed:
    """Everything about a panel's requests, each type in the order of its ids.

    cases: what `make_requests` and `make_decisions` returned, side by side; notes: by row of `cases`.
    """
    world, panel = core.world, core.panel.number
    found: Feed = {
        kind: [] for kind in (
            "ServiceRequest", "Claim", "ClaimResponse", "Task", "DocumentReference", "CoverageEligibilityRequest",
            "CoverageEligibilityResponse",
        )
    }  # fmt: skip
    later: Feed = {"Claim": [], "ClaimResponse": []}  # appeals, whose ids come after those of the requests
    at = {
        name: instants(world, cases[name])
        for name in ("requested", "due", "decided", "performed", "appealed_at", "appeal_decided")
    }
    written = instants(world, cases["requested"] - pd.Timedelta(minutes=20))
    forms = {name: cases[f"form:{name}"].to_numpy() for name in facts()}
    used = cases[list(_USED)]
    appeals = 0
    case: Any
    for i, case in enumerate(used.itertuples()):
        service, number = services()[case.service], f"{panel:03d}{i:04d}"
        patient, coverage = ref("Patient", case.patient_id), ref("Coverage", f"cov-{case.patient_id[4:]}")
        insurer = ref("Organization", f"payer-{case.payer}")
        doctor = ref("Practitioner", f"prc-{panel:03d}{case.practitioner}")
        claim, order, note = ref("Claim", f"cli-{number}"), ref("ServiceRequest", f"srq-{number}"), notes.get(i)
        code = case.diagnosis
        diagnosis = {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code, "display": diagnoses()[code]}]
        }
        document = ref("DocumentReference", f"rno-{number}")
        requested, decided = at["requested"][i], at["decided"][i]
        granted = case.approved_from == case.approved_from  # not NaT
        found["ServiceRequest"].append(
            resource(
                "ServiceRequest", f"srq-{number}", status="completed" if at["performed"][i] else "active", intent="order",
                priority="urgent" if case.urgent else "routine", code=_service(service.id), subject=patient,
                occurrenceDateTime=at["performed"][i], authoredOn=requested, requester=doctor,
                performer=[_supplier(case, i)], reasonCode=[diagnosis], insurance=[coverage],
                supportingInfo=[document] if note else None,
            )
        )  # fmt: skip
        information = _form(forms, i, service)
        if note:
            kind = concept("information-kind", "attachment", "Attached document")
            information.append({"category": kind, "valueReference": document})
        body: dict[str, Any] = {
            "status": "active",
            "type": {"coding": [{"system": f"{TERMINOLOGY}/claim-type", "code": "professional"}]},
            "use": "preauthorization", "patient": patient, "insurer": insurer, "provider": {"reference": NETWORK},
            "priority": {
                "coding": [{"system": f"{TERMINOLOGY}/processpriority", "code": "stat" if case.urgent else "normal"}]
            },
            "referral": order,
            "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": diagnosis}],
            "insurance": [{"sequence": 1, "focal": True, "coverage": coverage}],
            "item": [
                {
                    "sequence": k, "productOrService": _coded(item), "quantity": {"value": units},
                    "unitPrice": _money(item.price), "net": _money(round(item.price * units, 2)),
                }
                for k, (item, units) in enumerate(zip(service.items, case.quantities, strict=True), start=1)
            ],
            "total": _money(case.total),
        }  # fmt: skip
        numbered = [{"sequence": k, **entry} for k, entry in enumerate(information, start=1)]
        found["Claim"].append(
            resource("Claim", f"cli-{number}", created=requested, supportingInfo=numbered or None, **body)
        )
        if decided:
            period = (case.approved_from, case.approved_until) if granted and not case.denied else None
            found["ClaimResponse"].append(
                _answer(
                    f"crs-{number}", body, decided, claim, case.denied, case.reason, _reference(case, number), period
                )
            )
        if at["appealed_at"][i]:
            second = f"{panel:03d}{APPEALS_FROM + appeals:04d}"
            appeals += 1
            kind = {
                "relationship": concept("claim-relationship", "appeal", "Appeal of a denied request"),
                "claim": claim,
            }
            later["Claim"].append(
                resource("Claim", f"cli-{second}", created=at["appealed_at"][i], related=[kind], **body)
            )
            if at["appeal_decided"][i]:
                upheld = not case.overturned
                later["ClaimResponse"].append(
                    _answer(
                        f"crs-{second}", body, at["appeal_decided"][i], ref("Claim", f"cli-{second}"), upheld, case.reason,
                        _reference(case, number), None if upheld else (case.approved_from, case.approved_until),
                    )
                )  # fmt: skip
        found["Task"].append(
            resource(
                "Task", f"tsk-{number}", status="completed" if decided else "in-progress", intent="order",
                priority="urgent" if case.urgent else "routine", focus=claim, **{"for": patient},
                code=concept("task-kind", "prior-authorization", "Decide a prior authorization"), authoredOn=requested,
                lastModified=decided or requested, requester={"reference": NETWORK}, owner=insurer,
                restriction={"period": {"end": at["due"][i]}},
            )
        )  # fmt: skip
        question: dict[str, Any] = {
            "status": "active", "purpose": ["auth-requirements"], "patient": patient, "created": requested,
            "insurer": insurer,
        }  # fmt: skip
        network = {"system": f"{TERMINOLOGY}/benefit-network", "code": "in" if case.in_network else "out"}
        found["CoverageEligibilityRequest"].append(
            resource(
                "CoverageEligibilityRequest", f"elq-{number}", **question, provider={"reference": NETWORK},
                insurance=[{"focal": True, "coverage": coverage}],
                item=[{"productOrService": _service(service.id), "quantity": {"value": case.quantities[0]}}],
            )
        )  # fmt: skip
        found["CoverageEligibilityResponse"].append(
            resource(
                "CoverageEligibilityResponse", f"els-{number}", **question, outcome="complete",
                request=ref("CoverageEligibilityRequest", f"elq-{number}"),
                insurance=[{"coverage": coverage, "inforce": True, "item": [{
                    "productOrService": _service(service.id), "network": {"coding": [network]}, "authorizationRequired": True,
                }]}],
            )
        )  # fmt: skip
        if note:
            data = base64.b64encode(note.text.encode()).decode()
            kind = {"coding": [{"system": "http://loinc.org", "code": "57133-1", "display": "Referral note"}]}
            found["DocumentReference"].append(
                resource(
                    "DocumentReference", f"rno-{number}", status="current", docStatus="final", type=kind, subject=patient,
                    date=written[i], author=[doctor], custodian={"reference": NETWORK},
                    content=[{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
                    context={"related": [order]},
                )
            )  # fmt: skip
    return found | {kind: found[kind] + more for kind, more in later.items()}


def _reference(case: Any, number: str) -> str:
    """Number of an approval, in the payer's style."""
    return f"{PREFIX[case.payer].upper()}-A{number}"


def _answer(
    identity: str, body: dict[str, Any], created: str | None, claim: dict[str, str], denied: bool, reason: str,
    reference: str, period: tuple[pd.Timestamp, pd.Timestamp] | None,
) -> Resource:  # fmt: skip
    """A payer's answer to a request or an appeal."""
    adjudication = {"category": concept("adjudication", "decision", "Decision")}
    if denied:
        adjudication["reason"] = concept("denial-reason", reason, REASONS[reason])
    return resource(
        "ClaimResponse", identity, status="active", type=body["type"], use="preauthorization", patient=body["patient"],
        created=created, insurer=body["insurer"], request=claim, outcome="complete",
        disposition=f"Denied: {REASONS[reason].lower()}." if denied else f"Approved by {PAYERS[_payer(body)]}.",
        preAuthRef=None if denied else reference,
        preAuthPeriod={"start": f"{period[0]:%Y-%m-%d}", "end": f"{period[1]:%Y-%m-%d}"} if period else None,
        adjudication=[adjudication],
    )  # fmt: skip


def _payer(body: dict[str, Any]) -> str:
    return str(body["insurer"]["reference"]).removeprefix("Organization/payer-")


def of_patients(feed: Feed, patients: list[str]) -> Feed:
    """The part of a panel's resources that belongs to some patients."""
    wanted = {f"Patient/{patient}" for patient in patients}

    def owner(r: Resource) -> str:
        whose = r.get("patient") or r.get("subject") or r["for"]
        return str(whose["reference"])

    return {kind: [r for r in found if owner(r) in wanted] for kind, found in feed.items()}
