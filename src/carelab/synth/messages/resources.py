"""Messages and discharge summaries as FHIR R4."""

from base64 import b64encode
from typing import Any

import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.areas import Core, Feed
from carelab.synth.resources import NETWORK, concept, instants, ref, resource


def message_resources(core: Core, messages: pd.DataFrame) -> list[Resource]:
    """One Communication a message, in the order given: message_id, patient_id, sent (local), subject, prose."""
    sent = instants(core.world, messages["sent"])
    row: Any
    return [
        resource(
            "Communication", row.message_id, status="completed",
            category=[concept("communication-category", "patient-message", "Patient message")],
            subject=ref("Patient", row.patient_id), topic={"text": row.subject}, sent=sent[i],
            recipient=[{"reference": NETWORK}], sender=ref("Patient", row.patient_id),
            payload=[{"contentString": row.prose.text}],
        )
        for i, row in enumerate(messages.itertuples())
    ]  # fmt: skip


def of_sample(core: Core, resources: Feed) -> Feed:
    """The resources whose subject is in the sample S."""
    kept = {f"Patient/{identity}" for identity in core.sampled}
    return {kind: [r for r in found if r["subject"]["reference"] in kept] for kind, found in resources.items()}


def encoded(text: str) -> str:
    """UTF-8 text in base64."""
    return b64encode(text.encode()).decode()
