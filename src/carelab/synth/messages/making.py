"""A panel's messages and discharge summaries, from what they are about to resources and truth."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.messages.intake import compose, plan
from carelab.synth.messages.resources import message_resources, summary_resources
from carelab.synth.messages.summaries import compose_summaries

LABELS = [
    "message_id", "language", "category", "second", "urgency", "high_risk", "mention", "red_flag", "subject_kind", "family",
]  # fmt: skip


def make(core: Core, parts: Mapping[str, Part]) -> Part:
    """Patients' messages and the summaries of some stays.

    truth: `message_labels` and `message_spans`, `document_spans` (spans: id, start, end in Python characters, kind),
    `summary_facts` and `summary_flaws`. frames: `summaries`, the documents with stay_id and written (local).
    """
    scheduling, readmission = parts["scheduling"], parts["readmission"]
    contacts = {patient["id"]: _contact(patient) for patient in scheduling.resources["Patient"]}
    clinicians = [str(doctor["name"][0]["family"]) for doctor in scheduling.resources["Practitioner"]]
    messages = compose(core, plan(core), clinicians, contacts)
    summaries, facts, flaws = compose_summaries(core, readmission.frames)
    resources = {
        "Communication": message_resources(core, messages),
        "DocumentReference": summary_resources(core, summaries),
    }
    sampled = [messages["patient_id"].isin(core.sampled), summaries["in_sample"]]
    sample = {
        kind: [found[i] for i in mask.to_numpy().nonzero()[0]]
        for (kind, found), mask in zip(resources.items(), sampled, strict=True)
    }
    labels = messages[LABELS].astype({"red_flag": "string", "family": "Int32"})
    labels["family"] = labels["family"].mask(labels["family"] < 0)
    return Part(
        resources,
        sample,
        truth={
            "message_labels": labels,
            "message_spans": _spans(messages, "message_id"),
            "document_spans": _spans(summaries, "document_id"),
            "summary_facts": facts.astype({"value": "string"}),
            "summary_flaws": flaws.astype(
                {"document_id": "string", "flaw": "string", "section": "string", "value": "string"}
            ),
        },
        frames={"summaries": summaries[["document_id", "stay_id", "patient_id", "person", "written"]]},
    )


def _contact(patient: dict[str, Any]) -> dict[str, str]:
    """Phone, email, mrn and city of a Patient resource."""
    return {
        **{entry["system"]: entry["value"] for entry in patient["telecom"]},
        "mrn": patient["identifier"][0]["value"],
        "city": patient["address"][0]["city"],
    }


def _spans(texts: pd.DataFrame, key: str) -> pd.DataFrame:
    """Where identifying text lies: key, start, end, kind; a label may hold more than the kind, behind a bar."""
    rows = [
        (identity, start, end, kind)
        for identity, prose in zip(texts[key], texts["prose"], strict=True)
        for start, end, label in prose.spans
        if (kind := label.partition("|")[0])
    ]
    columns = {key: "string", "start": "int32", "end": "int32", "kind": "string"}
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
