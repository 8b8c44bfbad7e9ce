"""A panel's requests from visits to resources and truth, and what all panels share."""

from collections.abc import Mapping

import pandas as pd

from carelab.synth.areas import Core, Network, Part
from carelab.synth.authorization import questions
from carelab.synth.authorization.decisions import make_decisions
from carelab.synth.authorization.documents import files
from carelab.synth.authorization.notes import Note, make_notes
from carelab.synth.authorization.policies import by_policy, facts, failing, policies
from carelab.synth.authorization.requests import make_requests, sampled_patients
from carelab.synth.authorization.resources import network_resources, of_patients, request_resources
from carelab.synth.config import World


def network(world: World) -> Network:
    """Suppliers, the documents, and the questions about them."""
    asked = questions.file(world.clock.extract_at.date())
    return Network(network_resources(world), files() | {"truth/policy_questions.parquet": asked})


def make(core: Core, parts: Mapping[str, Part]) -> Part:
    """Requests, answers, appeals and notes of one panel, with their truth.

    frames: `requests`, one row a request: request_id, what is true, what the form says, the decision.
    """
    asked = make_requests(core, parts)
    cases = pd.concat([asked, make_decisions(core, asked)], axis=1)
    cases.insert(0, "request_id", [f"cli-{core.panel.number:03d}{i:04d}" for i in range(len(cases))])
    notes = make_notes(core, cases)
    resources = request_resources(core, cases, notes)
    truth = {"authorization_requests": _truth(cases), "authorization_evidence": _evidence(cases, notes)}
    return Part(resources, of_patients(resources, sampled_patients(core)), truth=truth, frames={"requests": cases})


def _truth(cases: pd.DataFrame) -> pd.DataFrame:
    """What is true of each request, by which policy it is to be judged, and what would have been right."""
    unmet: list[str] = [""] * len(cases)
    for policy, version, rows, values in by_policy(cases, cases["version"].to_numpy()):
        fails = failing(policy, version, values)
        for at, row in enumerate(rows):
            unmet[row] = " ".join(c.section for c in policy.criteria(version) if fails[c.topic][at])
    ids = cases["request_id"]
    documents = [
        policies()[payer, service].document(version)
        for payer, service, version in zip(cases["payer"], cases["service"], cases["version"], strict=True)
    ]
    return pd.DataFrame(
        {
            "request_id": ids,
            "document_id": documents,
            "policy_version": cases["version"].astype("int32"),
            "criteria_met": cases["met"],
            "unmet_sections": unmet,
            "in_network": cases["in_network"],
            "duplicate_of": ["" if at < 0 else ids.iloc[at] for at in cases["duplicate_of"]],
            "correct_decision": cases["correct"],
            "correct_reason": cases["correct_reason"],
            "right_step": _right_step(cases),
            "wrong_denial": cases["denied"] & cases["correct"].eq("approved"),
            "p_denied": cases["p_denied"].round(6),
            "note_kind": cases["note_kind"].where(cases["noted"], "no-note"),
            "subject_fact": cases["subject_fact"],
            "true_value": [
                facts()[name].shown(case) if name else ""
                for name, case in zip(cases["subject_fact"], _subjects(cases), strict=True)
            ],
            "injected": cases["injected"],
            "items_sum": cases["sum"],
        }
    )


def _subjects(cases: pd.DataFrame) -> list[float]:
    """True value of each request's subject fact; 0 where there is none."""
    columns = {name: cases[name].to_numpy(dtype=float) for name in facts()}
    return [float(columns[name][at]) if name else 0.0 for at, name in enumerate(cases["subject_fact"])]


def _right_step(cases: pd.DataFrame) -> pd.Series:
    """What a careful reader of form and note does next: decide, ask for information, or send the note back."""
    kind = cases["note_kind"]
    asks = kind.isin(["missing", "contradicts"])
    steps = pd.Series("decide", index=cases.index).mask(asks, "ask")
    return steps.mask(cases["noted"] & kind.eq("wrong-patient"), "return-note")


def _evidence(cases: pd.DataFrame, notes: dict[int, Note]) -> pd.DataFrame:
    """Where each note says what, in characters of its text; value as a form would show it."""
    rows = [
        (cases["request_id"].iloc[i], span.label, note.said[span.label], span.start, span.end)
        for i, note in sorted(notes.items())
        for span in note.evidence
    ]
    found = pd.DataFrame(rows, columns=["request_id", "field", "value", "start", "end"])
    return found.astype({"start": "int32", "end": "int32"})
