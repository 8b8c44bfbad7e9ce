"""Referral notes: what the clinician wrote, with the place of every fact in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.authorization.policies import Service, facts, read_toml, services
from carelab.synth.prose import Piece, Prose, Span, Writer, abbreviated, capitalised, join, mistyped
from carelab.synth.resources import PAYERS, SPECIALTIES
from carelab.synth.staff import TEAM, staff_resources
from carelab.synth.streams import stream

_SHORT = {
    "patient": "pt", "history": "hx", "physical therapy": "PT", "requesting": "req", "weeks": "wks", "months": "mos",
    "year": "yr", "years": "yrs", "with": "w/", "without": "w/o", "medications": "meds", "examination": "exam",
    "follow-up": "f/u", "and": "&", "treatment": "tx", "diagnosis": "dx", "bilateral": "b/l",
}  # fmt: skip
_SMOKE = ("oxygen", "wheelchair", "bariatric")  # their notes speak of smoking elsewhere, or a case turns on it


@dataclass(frozen=True)
class Note:
    """A referral note. evidence: spans whose label is the fact, `name`, `birth_date` or `injection`; said: label -> value."""

    text: str
    evidence: tuple[Span, ...]
    said: Mapping[str, str]


@lru_cache
def _phrases() -> dict[str, Any]:
    return read_toml("notes.toml")


def make_notes(core: Core, cases: pd.DataFrame) -> dict[int, Note]:
    """Note of each request that has one, by row. A request that is sent again brings the same note."""
    number, seed = core.panel.number, core.world.seed
    staff = [entry["name"][0] for entry in staff_resources(core.world, core.panel)["Practitioner"]]
    clinic = core.world.clinic[core.panel.clinic].name
    records = core.records.set_index("patient_id")
    strangers = stream(seed, "authorization/stranger", number).random(len(cases))
    notes: dict[int, Note] = {}
    noted = np.flatnonzero(cases["noted"])
    # Facts of a stranger's note are those of another request that has a note, so that few rows need to be read.
    read: list[Any] = cases.iloc[noted].to_dict("records")
    rows: dict[int, dict[str, Any]] = dict(zip(noted.tolist(), read, strict=True))
    for i, case in rows.items():
        if (original := case["duplicate_of"]) >= 0 and original in notes:
            notes[i] = notes[original]
            continue
        writer = Writer(stream(seed, f"authorization/note/{i}", number))
        whose, told = case["patient_id"], case
        if case["note_kind"] == "wrong-patient":
            whose = _stranger(core, whose, strangers[i])
            alike = [r for r in rows.values() if r["service"] == case["service"] and r["person"] != case["person"]]
            told = writer.pick(alike) if alike else case
        who = records.loc[whose]
        doctor = staff[case["practitioner"]]
        signed = f"{doctor['given'][0]} {doctor['family']}"
        sender = (signed, SPECIALTIES[TEAM[case["practitioner"]]], clinic)
        notes[i] = _note(writer, core, case, told, who, whose, sender)
    return notes


def _stranger(core: Core, patient: str, u: float) -> str:
    """Record of somebody else of the same sex and about the same age, as mistaken identity mostly has it.

    In a panel without anybody alike anyone else will do, and the patient where there is nobody else.
    """
    records, people = core.records, core.people
    mine = int(records.loc[records["patient_id"].eq(patient), "person"].iloc[0])
    born = people["birth_date"]
    near = (born - born.loc[mine]).abs() < pd.Timedelta(days=10 * 365)
    alike = people.index[near & people["sex"].eq(people.at[mine, "sex"]) & (people.index != mine)]
    others = alike if len(alike) else people.index[people.index != mine]
    found = records.loc[records["person"].isin(others), "patient_id"].tolist() or [patient]
    return str(found[int(u * len(found))])


def _dated(style: int, day: pd.Timestamp) -> str:
    """A date as this clinician writes it."""
    return [f"{day:%m/%d/%Y}", f"{day:%B} {day.day}, {day.year}", f"{day.month}/{day.day}/{day:%y}", f"{day:%d %b %Y}"][
        style
    ]


def _note(
    writer: Writer, core: Core, case: dict[str, Any], told: dict[str, Any], who: pd.Series, whose: str,
    sender: tuple[str, str, str],
) -> Note:  # fmt: skip
    """One note. told: the case whose facts it states; who, whose: the person it names, and their record."""
    phrases, service, common = _phrases(), services()[case["service"]], _phrases()["common"]
    style, today = int(writer.rng.random() * 4), case["requested"]
    person = core.people.loc[int(who["person"])]
    age = int((today - who["birth_date"]).days / 365.25)
    female = person["sex"] == "female"
    name = f"{who['given']} {who['family']}"
    titled = f"{'Ms.' if female else 'Mr.'} {who['family']}" if age >= 18 else str(who["given"])
    slots: dict[str, str | Piece | Prose] = {
        "they": "she" if female else "he", "their": "her" if female else "his", "them": "her" if female else "him",
        "Pt": writer.pick([titled, titled, "the patient", "patient"]), "age": str(age),
        "person": ("woman" if female else "man") if age >= 18 else ("girl" if female else "boy"),
        "side": "left" if case["diagnosis"] == "M25.562" else "right",
        "region": {"M54.50": "low back", "M25.511": "right shoulder", "M25.561": "right knee"}.get(case["diagnosis"], ""),
        "dx": writer.pick(phrases["dx"].get(case["diagnosis"], ["the condition"])),
    }  # fmt: skip
    said = {"name": name, "birth_date": f"{who['birth_date']:%Y-%m-%d}"}

    def write(options: list[str], **more: str | Piece | Prose) -> Prose:
        return writer.write(writer.pick(options), **(slots | more))

    lines = []
    hidden = case["subject_fact"] if case["note_kind"] == "missing" else ""
    for fact in _known(service, told):
        if fact != hidden:
            lines.append(_state(writer, fact, told[fact], style, today, slots))
            said[fact] = facts()[fact].shown(told[fact])
    lines = writer.shuffled(lines)
    topic = phrases["service"][service.id]
    reason, story = write(topic["reason"]), write(topic["story"])
    exam = [writer.write(line, **slots) for line in writer.shuffled(topic["exam"])[: 1 + int(writer.rng.random() * 3)]]
    backdrop = [line for line in common["background"] if "smoke" not in line or service.id not in _SMOKE]
    background = [writer.write(line, **slots) for line in writer.shuffled(backdrop)[: int(writer.rng.random() * 4)]]
    plan = write(topic["plan"])
    phone = f"{int(writer.rng.random() * 100):02d}"
    closing = write(common["closing"], ext=phone)
    if case["injected"]:
        planted = Piece(write(common["injection"], mailbox="records@example.org").text, "injection")
        lines.insert(int(writer.rng.random() * (len(lines) + 1)), Prose((planted,)))
        said["injection"] = "an instruction to the reader"
    cut = int(writer.rng.random() * (len(lines) + 1))
    identity = (Piece(name, "name"), Piece(_dated(style, who["birth_date"]), "birth_date"), f"LH{whose[4:]}")
    body = _layout(writer, identity, _dated(style, today), sender, str(PAYERS[case["payer"]]), {
        "reason": [reason], "story": [story], "history": [*background, *lines[:cut]], "findings": [*exam, *lines[cut:]],
        "plan": [plan], "closing": [closing] if closing else [],
    })  # fmt: skip
    body = capitalised(body.tidy())
    if writer.chance(0.35):
        body = abbreviated(body, writer.rng, _SHORT, 0.7)
    if writer.chance(0.3):
        body = mistyped(body, writer.rng, 0.012)
    return Note(body.text, tuple(body.spans), said)


def _known(service: Service, told: dict[str, Any]) -> list[str]:
    """Facts of a service that the case has; one that does not apply (the age of no relative) is not a number."""
    return [name for name in service.facts if told[name] == told[name]]


def _state(
    writer: Writer, name: str, value: float, style: int, today: pd.Timestamp, slots: dict[str, str | Piece | Prose]
) -> Prose:
    """A sentence that states a fact: the value is the labelled piece, or the whole sentence where it is yes or no."""
    fact, phrases = facts()[name], _phrases()
    if fact.kind == "number":
        shown = fact.shown(value)
        if name.endswith("_age_days"):
            shown = _dated(style, today.normalize() - pd.Timedelta(days=int(value)))
        return writer.write(writer.pick(phrases["fact"][name]), **(slots | {"v": Piece(shown, name)}))
    options = phrases[fact.kind][name][fact.shown(value)]
    return Prose((Piece(capitalised(writer.write(writer.pick(options), **slots)).text, name),))


def _layout(
    writer: Writer, identity: tuple[Piece, Piece, str], day: str, sender: tuple[str, str, str], payer: str,
    parts: dict[str, list[Prose]],
) -> Prose:  # fmt: skip
    """The parts in one of the shapes that clinics use."""
    name, born, mrn = identity
    doctor, specialty, clinic = sender
    given: dict[str, str | Piece | Prose] = {
        "name": name, "born": born, "mrn": mrn, "day": day, "doctor": doctor, "specialty": specialty, "clinic": clinic,
        "payer": payer,
    }  # fmt: skip
    common = _phrases()["common"]
    first = writer.write(writer.pick(common["header"]), **given)
    sign = writer.write(writer.pick(common["signature"]), **given)
    shape = writer.rng.random()
    if shape < 0.3:  # headings
        heads = writer.pick([
            ("Reason for request:", "HPI:", "History:", "Objective:", "Plan:"),
            ("REQUEST", "PRESENT ILLNESS", "BACKGROUND", "FINDINGS", "ASSESSMENT AND PLAN"),
            ("Asking for:", "Story:", "Also relevant:", "Exam and data:", "What next:"),
        ])  # fmt: skip
        gap = writer.pick([" ", "\n"])
        blocks = [
            Prose((Piece(head + gap),)) + join(" ", content)
            for head, content in zip(
                heads, [parts[k] for k in ("reason", "story", "history", "findings", "plan")], strict=True
            )
            if content
        ]
        return join("\n", [first, *blocks, join(" ", parts["closing"]), sign])
    if shape < 0.5:  # S, O, A, P
        blocks = [
            Prose((Piece("S: "),)) + join(" ", [*parts["story"], *parts["history"]]),
            Prose((Piece("O: "),)) + join(" ", parts["findings"]),
            Prose((Piece("A/P: "),)) + join(" ", [*parts["reason"], *parts["plan"], *parts["closing"]]),
        ]
        return join("\n", [first, *blocks, sign])
    if shape < 0.7:  # a list
        mark = writer.pick(["- ", "* ", "", "  "])
        listed = [*parts["history"], *parts["findings"]]
        blocks = [Prose((Piece(mark),)) + line for line in listed]
        return join(
            "\n",
            [first, join(" ", [*parts["reason"], *parts["story"]]), *blocks, *parts["plan"], *parts["closing"], sign],
        )
    if shape < 0.85:  # a letter
        hello = writer.pick(["Dear reviewer,", "To whom it may concern,", "Dear colleague,", "Dear medical director,"])
        blocks = [
            join(" ", [*parts["reason"], *parts["story"], *parts["history"]]),
            join(" ", parts["findings"]),
            join(" ", [*parts["plan"], *parts["closing"]]),
        ]
        return join("\n\n", [first, hello, *blocks, sign])
    order = ("story", "findings", "history", "reason", "plan", "closing")  # one paragraph
    return join("\n", [first, join(" ", [line for k in order for line in parts[k]]), sign])
