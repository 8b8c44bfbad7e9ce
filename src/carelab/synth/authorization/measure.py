"""Measurements on the built world, for its calibration and its traps."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from carelab.synth.authorization.documents import documents
from carelab.synth.authorization.policies import facts, judge, policies, versions_on
from carelab.synth.config import World


@dataclass(frozen=True)
class Data:
    """The built tables, with what only the truth knows; one row a request in the same order wherever not said otherwise.

    requests: table `authorizations` with the columns of the truth. form: what the form says, one float column a fact
    (see `Fact`), with payer and service. evidence: place and value of each fact in a note. notes: text by request_id.
    patients: given_name, family_name and birth_date by patient_id. questions: labelled questions.
    """

    world: World
    requests: pd.DataFrame
    form: pd.DataFrame
    evidence: pd.DataFrame
    notes: pd.Series
    patients: pd.DataFrame
    questions: pd.DataFrame

    @property
    def decided(self) -> pd.DataFrame:
        """Requests that the payer has answered, with `denied` and `hours` from request to answer."""
        found = self.requests[self.requests["decided"].notna()]
        took = (found["decided"] - found["requested"]).dt.total_seconds() / 3600
        return found.assign(
            denied=found["status"].eq("denied"), hours=took, late=took > found["urgent"].map({True: 72, False: 168})
        )


def load(folder: Path, world: World) -> Data:
    """Read a built world's tables and truth."""
    tables, truth = folder / "tables", folder / "truth"
    asked = pd.read_parquet(tables / "authorizations.parquet")
    known = pd.read_parquet(truth / "authorization_requests.parquet")
    requests = asked.merge(known.drop(columns="in_network"), on="request_id", validate="1:1")
    form = pd.DataFrame([_coded(text) for text in requests["form"]], columns=list(facts()), dtype=float)
    evidence = pd.read_parquet(truth / "authorization_evidence.parquet")
    notes = pd.read_parquet(tables / "referral_notes.parquet").set_index("request_id")["text"]
    patients = pd.read_parquet(tables / "patients.parquet").set_index("patient_id")
    return Data(
        world, requests, form.assign(payer=requests["payer"], service=requests["service"]), evidence, notes,
        patients[["given_name", "family_name", "birth_date"]], pd.read_parquet(truth / "policy_questions.parquet"),
    )  # fmt: skip


def _coded(text: str) -> dict[str, float]:
    """What a form says, as floats by fact."""
    return {name: facts()[name].coded(value) for name, value in json.loads(text).items()}


def in_force(data: Data) -> pd.Series:
    """Version of each request's policy on the day it was sent."""
    return versions_on(data.form, data.requests["requested"])


def newest(data: Data) -> pd.Series:
    """Last version of each request's policy."""
    last = [len(policies()[key].versions) for key in zip(data.form["payer"], data.form["service"], strict=True)]
    return pd.Series(last, index=data.form.index)


def with_notes(data: Data, trusted: pd.Series) -> pd.DataFrame:
    """The form, with what the notes say in its place; trusted: whose notes to read, by row."""
    form, known = data.form.copy(), facts()
    place = pd.Series(data.requests.index, index=data.requests["request_id"])
    said = data.evidence[data.evidence["field"].isin(known)]
    rows = place[said["request_id"]].to_numpy()
    keep = trusted.to_numpy()[rows]
    for row, name, value in zip(rows[keep], said["field"][keep], said["value"][keep], strict=True):
        form.at[row, name] = _read(name, value)
    return form


def _read(name: str, shown: str) -> float:
    """A value as a form shows it, as a float."""
    fact = facts()[name]
    if fact.kind == "truth":
        return float(shown == "yes")
    return fact.coded(shown) if fact.kind == "choice" else float(shown)


def agreement(data: Data, form: pd.DataFrame, version: pd.Series, rows: pd.Series) -> float:
    """Share of the given requests in which criteria judged on `form` come out as they really are."""
    met = judge(form, version)
    return float((met == data.requests["criteria_met"])[rows].mean())


def identity_agrees(data: Data) -> pd.Series:
    """Whether a note names the patient it is filed under, by family name and date of birth. By request_id."""
    filed = data.requests.set_index("request_id")["patient_id"][data.notes.index]
    agrees = []
    for text, patient in zip(data.notes, filed, strict=True):
        family, born = data.patients.loc[patient, "family_name"], data.patients.loc[patient, "birth_date"]
        days = (
            f"{born:%m/%d/%Y}", f"{born:%B} {born.day}, {born.year}", f"{born.month}/{born.day}/{born:%y}", f"{born:%d %b %Y}",
        )  # fmt: skip
        agrees.append(family in text and any(day in text for day in days))
    return pd.Series(agrees, index=data.notes.index)


ADDRESSES_A_READER = re.compile(
    r"automated reviewers|language model|previous instructions|assistant|review software|reviewer bot", re.IGNORECASE
)


def sections() -> pd.DataFrame:
    """All sections of all documents: source (`document#section`), document, payer, service, days in force, text."""
    rows = [
        (
            f"{d.id}#{part.id}",
            d.id,
            d.payer,
            d.service,
            d.status,
            d.effective,
            d.until,
            f"{d.title}. {part.heading}. {part.text}",
        )
        for d in documents().values()
        for part in d.parts
    ]
    return pd.DataFrame(
        rows, columns=["source", "document", "payer", "service", "status", "effective", "until", "text"]
    ).assign(effective=lambda f: pd.to_datetime(f["effective"]), until=lambda f: pd.to_datetime(f["until"]))


def without_denials_gone_wrong(data: Data) -> Data:
    """The same requests, decided as they ought to have been."""
    right = data.requests["correct_decision"].where(data.requests["status"].ne("pending"), "pending")
    return replace(data, requests=data.requests.assign(status=right, wrong_denial=False))
