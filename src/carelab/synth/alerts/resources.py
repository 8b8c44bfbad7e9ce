"""Scores, alerts and deteriorations as FHIR R4."""

from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION
from carelab.synth.config import World
from carelab.synth.resources import concept, instants, ref, resource

VENDOR = "Wardwatch deterioration score, version 1"
KINDS = {
    "deterioration": "Patient may be deteriorating",
    "drug-interaction": "Drug interaction",
    "allergy": "Allergy to a prescribed drug",
}
ACTIONS = {"acted": "Acted upon", "acknowledged": "Closed without a reason", "overridden": "Overridden with a reason"}


def score_resources(world: World, scores: pd.DataFrame) -> list[Resource]:
    """One RiskAssessment a row, in the order given. scores: score_id, stay_id, patient_id, at (local), hours, score,
    lactate_ordered."""
    at = instants(world, scores["at"])
    found = []
    row: Any
    for i, row in enumerate(scores.itertuples()):
        found.append(
            resource(
                "RiskAssessment", row.score_id,
                extension=[
                    {"url": f"{EXTENSION}/hours-since-admission", "valueInteger": int(row.hours)},
                    {"url": f"{EXTENSION}/lactate-ordered", "valueBoolean": bool(row.lactate_ordered)},
                ],
                status="final", method={"text": VENDOR}, subject=ref("Patient", row.patient_id),
                encounter=ref("Encounter", row.stay_id), occurrenceDateTime=at[i],
                prediction=[{"outcome": {"text": "Deterioration"}, "probabilityDecimal": float(row.score)}],
            )
        )  # fmt: skip
    return found


def alert_resources(world: World, alerts: pd.DataFrame) -> list[Resource]:
    """One DetectedIssue a row, in the order given; the response, if there was one, is its mitigation."""
    fired = instants(world, alerts["fired_at"])
    answered = instants(world, alerts["fired_at"] + pd.to_timedelta(alerts["response_minutes"], unit="min"))
    found = []
    row: Any
    for i, row in enumerate(alerts.itertuples()):
        extensions: list[Resource] = [
            {"url": f"{EXTENSION}/ward", "valueString": row.ward},
            {"url": f"{EXTENSION}/hours-since-admission", "valueInteger": int(row.hours)},
            {"url": f"{EXTENSION}/lactate-ordered", "valueBoolean": bool(row.lactate_ordered)},
            {"url": f"{EXTENSION}/unit-alerts-today", "valueInteger": int(row.unit_alerts_today)},
        ]
        if not np.isnan(row.score):
            rate = {
                "value": int(row.respiratory_rate),
                "unit": "/min",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            }
            extensions.append({"url": f"{EXTENSION}/score", "valueDecimal": float(row.score)})
            extensions.append({"url": f"{EXTENSION}/respiratory-rate", "valueQuantity": rate})
        mitigation = None
        if row.action:
            step: Resource = {"action": concept("alert-response", row.action, ACTIONS[row.action]), "date": answered[i]}
            if row.reason:
                step["extension"] = [{"url": f"{EXTENSION}/override-reason", "valueCode": row.reason}]
            mitigation = [step]
        found.append(
            resource(
                "DetectedIssue", row.alert_id, extension=extensions, status="final",
                code=concept("alert-kind", row.kind, KINDS[row.kind]), patient=ref("Patient", row.patient_id),
                identifiedDateTime=fired[i],
                implicated=[ref("Encounter", row.stay_id), ref("Location", row.site_id)], mitigation=mitigation,
            )
        )  # fmt: skip
    return found


def flag_resources(world: World, falls: pd.DataFrame) -> list[Resource]:
    """One Flag for each stay in which the criteria were met. falls: flag_id, stay_id, patient_id, met_at (local)."""
    met = instants(world, falls["met_at"])
    code = concept("flag-kind", "deterioration-criteria-met", "Criteria of deterioration met")
    return [
        resource(
            "Flag", flag, status="inactive", code=code, subject=ref("Patient", patient), period={"start": start},
            encounter=ref("Encounter", stay),
        )
        for flag, stay, patient, start in zip(falls["flag_id"], falls["stay_id"], falls["patient_id"], met, strict=True)
    ]  # fmt: skip
