"""Messages and discharge summaries as FHIR R4."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.areas import Core
from carelab.synth.resources import NETWORK, concept, instants, ref, resource


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    return iter(frame.itertuples())


def message_resources(core: Core, messages: pd.DataFrame) -> list[Resource]:
    """One Communication a message, in the order given: message_id, patient_id, sent (local), subject, prose."""
    sent = instants(core.world, messages["sent"])
    return [
        resource(
            "Communication", row.message_id, status="completed",
            category=[concept("communication-category", "patient-message", "Patient message")],
            subject=ref("Patient", row.patient_id), topic={"text": row.subject}, sent=sent[i],
            recipient=[{"reference": NETWORK}], sender=ref("Patient", row.patient_id),
            payload=[{"contentString": row.prose.text}],
        )
        for i, row in enumerate(_rows(messages))
    ]  # fmt: skip


def summary_resources(core: Core, summaries: pd.DataFrame) -> list[Resource]:
    """One DocumentReference a summary, in the order given: document_id, stay_id, patient_id, written (local), admitted,
    discharged, prose, amended."""
    times = {name: instants(core.world, summaries[name]) for name in ("written", "admitted", "discharged")}
    return [
        resource(
            "DocumentReference", row.document_id, status="current", docStatus="amended" if row.amended else "final",
            type={"coding": [{"system": "http://loinc.org", "code": "18842-5", "display": "Discharge summary"}]},
            category=[{"coding": [{
                "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                "code": "clinical-note", "display": "Clinical Note",
            }]}],
            subject=ref("Patient", row.patient_id), date=times["written"][i], custodian={"reference": NETWORK},
            content=[{"attachment": {
                "contentType": "text/plain; charset=utf-8", "data": b64encode(row.prose.text.encode()).decode(),
            }}],
            context={
                "encounter": [ref("Encounter", row.stay_id)],
                "period": {"start": times["admitted"][i], "end": times["discharged"][i]},
            },
        )
        for i, row in enumerate(_rows(summaries))
    ]  # fmt: skip
