"""Who asks for what, and what is true about it: a panel's requests before any payer has seen them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.authorization.policies import Fact, facts, judge, meets, policies, services, versions_on
from carelab.synth.resources import PAYERS
from carelab.synth.streams import stream

CANDIDATES = 12  # cases that a clinician could have had in mind; the desk sends the first that suits
RENEWED_AFTER = {"therapy": 90, "cgm": 180, "oxygen": 180, "omalizumab": 180}  # days; the others are asked for once
NOTE_KINDS = ("agrees", "note-only", "missing", "contradicts", "wrong-patient")


def make_requests(core: Core, parts: Mapping[str, Part]) -> pd.DataFrame:
    """One row a request, sorted by time, index 0..n-1; duplicates stand among the others.

    Columns: person, patient_id, practitioner (index in TEAM), payer, service, requested (local), urgent, noted,
    in_network, duplicate_of (row, or -1), version (in force on the day), met (criteria of that version, by what is
    true), note_kind, subject_fact (the fact that is missing, contradicted or only in the note, else empty), injected;
    `<fact>`: what is true; `form:<fact>`: what the form says, NaN where it is silent.
    """
    rates, number, seed = core.world.authorization, core.panel.number, core.world.seed

    def draw(name: str) -> np.random.Generator:
        return stream(seed, f"authorization/{name}", number)

    asked = _asked(core, parts["scheduling"].frames["visits"], draw("visit").random, draw("service").random)
    n = len(asked)
    asked["requested"] = _sent(asked["start"], draw("delay").random(n), draw("minute").random(n))
    asked["urgent"] = draw("urgent").random(n) < asked["service"].map(rates.urgent_share).to_numpy()
    asked["in_network"] = draw("network").random(n) >= rates.out_of_network_share
    asked["version"] = versions_on(asked, asked["requested"])
    asked = pd.concat([asked, _facts(core, asked)], axis=1)
    asked["diagnosis"] = _diagnosis(asked, draw("diagnosis").random(n))
    asked["met"] = judge(asked, asked["version"])
    asked["noted"] = draw("noted").random(n) < rates.note_share
    asked["noted"] |= asked["patient_id"].isin(sampled_patients(core))
    asked = _papers(core, asked)
    asked = _send_again(core, asked.assign(duplicate_of=-1))
    asked = asked[asked["requested"] <= pd.Timestamp(core.world.clock.extract_at)]
    # A copy refers to the place of its original, which sorting moves.
    asked = asked.reset_index(names="row").sort_values(["requested", "row"], ignore_index=True)
    place = pd.Series(asked.index, index=asked["row"].where(asked["duplicate_of"] < 0, -2))
    asked["duplicate_of"] = asked["duplicate_of"].map(place.drop(-2, errors="ignore")).fillna(-1).astype(int)
    return asked.drop(columns=["row", "start"])


def sampled_patients(core: Core) -> list[str]:
    """Patient records whose requests are in the sample S."""
    return list(core.records["patient_id"].head(core.world.authorization.sample_patients_per_panel))


def _asked(
    core: Core, visits: pd.DataFrame, u_visit: Callable[[int], np.ndarray], u_service: Callable[[int], np.ndarray]
) -> pd.DataFrame:
    """Visits that lead to a request, with the service. Each visit leads to one at most."""
    kept = visits[visits["past"] & visits["true_status"].eq("fulfilled")]
    people = core.people.loc[kept["person"]].set_index(kept.index)
    age = (kept["start"] - people["birth_date"]).dt.days / 365.25
    weight = np.zeros((len(kept), len(services())))
    for k, service in enumerate(services().values()):
        able = age.between(*service.ages) & (people["sex"].eq(service.sex) if service.sex else True)
        weight[:, k] = kept["specialty"].map(service.specialties).fillna(0.0) * able
    weight *= people["payer"].isin(list(PAYERS)).to_numpy()[:, None]
    total = weight.sum(axis=1)
    asks = u_visit(len(kept)) < core.world.authorization.requests_per_visit * total / 4.0
    edges = np.cumsum(weight, axis=1) / np.maximum(total, 1e-9)[:, None]
    chosen = (u_service(len(kept))[:, None] > edges).sum(axis=1).clip(max=len(services()) - 1)
    found = kept.loc[asks, ["person", "patient_id", "practitioner", "start"]].assign(
        payer=people.loc[asks, "payer"], age=age[asks], service=np.array(list(services()), dtype=object)[chosen[asks]]
    )
    found = found.sort_values(["start", "person"], ignore_index=True)
    return found[_due_again(found)].reset_index(drop=True)


def _due_again(found: pd.DataFrame) -> pd.Series:
    """Whether a request comes long enough after the last one of the same person for the same service."""
    last: dict[tuple[int, str], pd.Timestamp] = {}
    keep = []
    for person, service, start in zip(found["person"], found["service"], found["start"], strict=True):
        before, wait = last.get((person, service)), RENEWED_AFTER.get(service)
        good = before is None or (wait is not None and (start - before).days >= wait)
        if good:
            last[person, service] = start
        keep.append(good)
    return pd.Series(keep, index=found.index, dtype=bool)


def _sent(start: pd.Series, u_delay: np.ndarray, u_minute: np.ndarray) -> pd.Series:
    """When the desk sends the request: after the visit, or in office hours of one of the next working days."""
    days = np.searchsorted([0.5, 0.75, 0.9], u_delay, side="right")
    day = start.dt.normalize() + pd.to_timedelta(days, unit="D")
    day += pd.to_timedelta((day.dt.weekday - 4).where(day.dt.weekday > 4, 0).map({0: 0, 1: 2, 2: 1}), unit="D")
    same = start + pd.to_timedelta(np.round(40 + 150 * u_minute), unit="min")
    later = day + pd.to_timedelta(np.round(495 + 540 * u_minute), unit="min")
    return same.where(days == 0, later)


def _facts(core: Core, asked: pd.DataFrame) -> pd.DataFrame:
    """What is true of each case: of the cases a clinician might have, the first that the desk would send.

    Most are sent because they meet the policy as the desk knows it, and a few although they do not. For some weeks
    after a policy has changed, half of the desks still know the old one.
    """
    rates, number, seed, n = core.world.authorization, core.panel.number, core.world.seed, len(asked)
    revised = [policies()[key].revised for key in zip(asked["payer"], asked["service"], strict=True)]
    since = (asked["requested"] - pd.to_datetime(pd.Series(revised, index=asked.index))).dt.days
    habit = stream(seed, "authorization/habit", number).random(n) < rates.old_habit_share
    habit &= since.between(0, rates.old_habit_days).to_numpy()
    believed = np.where(habit, 1, asked["version"])
    anyway = stream(seed, "authorization/unmet", number).random(n) < rates.unmet_share
    drawn = {name: stream(seed, f"authorization/fact/{name}", number).random((n, CANDIDATES)) for name in facts()}
    found = {name: np.full(n, np.nan) for name in facts()}
    groups: Any = asked.groupby(["payer", "service", believed], sort=True).indices
    for (payer, service, version), rows in groups.items():
        values = {name: facts()[name].values(drawn[name][rows]) for name in services()[service].facts}
        _make_plausible(values, asked["age"].to_numpy()[rows, None])
        suits = meets(policies()[payer, service], int(version), values) != anyway[rows, None]
        chosen = np.argmax(suits, axis=1)
        for name, candidates in values.items():
            found[name][rows] = candidates[np.arange(len(rows)), chosen]
    return pd.DataFrame(found, index=asked.index)


def _make_plausible(values: dict[str, np.ndarray], age: np.ndarray) -> None:
    """Facts that cannot go together are changed in place. age: years, one row a request."""
    if "diabetes_type" in values:
        values["diabetes_type"] = np.where(age < 20, 0.0, values["diabetes_type"])
        doses = values["insulin_doses"]
        values["insulin_doses"] = np.where(values["diabetes_type"] == 0, np.maximum(doses, 3), doses)
    if "relatives" in values:
        values["youngest_diagnosis"] = np.where(values["relatives"] == 0, np.nan, values["youngest_diagnosis"])


def _diagnosis(asked: pd.DataFrame, u: np.ndarray) -> np.ndarray:
    """ICD-10-CM code of each request: by weight, or by what is true where that decides it."""
    found = []
    for service, draw in zip(asked["service"], u, strict=True):
        weights = services()[service].diagnoses
        edges = np.cumsum(list(weights.values()))
        found.append(list(weights)[min(int(np.searchsorted(edges, draw * edges[-1], side="right")), len(edges) - 1)])
    return np.select(
        [
            asked["service"].eq("cgm") & asked["diabetes_type"].eq(0),
            asked["service"].eq("genetic") & asked["personal_history"].eq(1),
            asked["service"].eq("genetic") & asked["relatives"].eq(0),
        ],
        ["E10.9", "Z85.3", "Z13.79"],
        np.array(found, dtype=object),
    )


def _papers(core: Core, asked: pd.DataFrame) -> pd.DataFrame:
    """What the form and the note say of each case, where they differ from the truth or from each other."""
    rates, number, seed, n = core.world.authorization, core.panel.number, core.world.seed, len(asked)

    def draw(name: str) -> np.random.Generator:
        return stream(seed, f"authorization/{name}", number)

    edges = np.cumsum(
        [rates.wrong_patient_share, rates.contradicted_share, rates.missing_share_noted, rates.note_only_share]
    )
    at = np.searchsorted(edges, draw("note-kind").random(n), side="right")
    kind = np.array(["wrong-patient", "contradicts", "missing", "note-only", "agrees"], dtype=object)[at]
    silent = draw("missing").random(n) < rates.missing_share
    noted = asked["noted"].to_numpy()
    asked["note_kind"] = np.where(noted, kind, np.where(silent, "missing", "agrees"))
    asked["injected"] = noted & (draw("injection").random(n) < rates.injection_share)

    subject = [_subject(payer, service, version, u) for payer, service, version, u in zip(
        asked["payer"], asked["service"], asked["version"], draw("subject").random(n), strict=True
    )]  # fmt: skip
    touched = asked["note_kind"].isin(["note-only", "missing", "contradicts"])
    asked["subject_fact"] = pd.Series(subject, index=asked.index, dtype=object).where(touched, "")
    other = {name: fact.values(draw(f"other/{name}").random(n)) for name, fact in facts().items()}
    for name, fact in facts().items():
        true = asked[name].to_numpy()
        mine = asked["subject_fact"].eq(name).to_numpy()
        wrong = _apart(fact, other[name], true)
        gone = mine & asked["note_kind"].isin(["note-only", "missing"]).to_numpy()
        form = np.where(gone, np.nan, np.where(mine & asked["note_kind"].eq("contradicts").to_numpy(), wrong, true))
        asked[f"form:{name}"] = form
    return asked.copy()


def _apart(fact: Fact, other: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Another value of a fact, at least a step away from the true one."""
    if fact.kind == "truth":
        return np.asarray(1 - true)
    if fact.kind == "choice":
        return np.asarray((true + 1) % len(fact.choices))
    step = np.maximum(np.round(0.35 * np.abs(true), fact.decimals), 2)
    return np.where(np.abs(other - true) >= step, other, true + step)


def _subject(payer: str, service: str, version: int, u: float) -> str:
    """A fact that the policy in force looks at: the one about which form and note may differ."""
    asked_for = [name for c in policies()[payer, service].criteria(version) for name in c.facts[:1]]
    return asked_for[int(u * len(asked_for))]


def _send_again(core: Core, asked: pd.DataFrame) -> pd.DataFrame:
    """A few requests a second time, one to twelve days later and the same in all but the date."""
    rates, number, seed, n = core.world.authorization, core.panel.number, core.world.seed, len(asked)
    again = stream(seed, "authorization/duplicate", number).random(n) < rates.duplicate_share
    days = 1 + 11 * stream(seed, "authorization/duplicate-day", number).random(n)
    copies = asked[again].assign(duplicate_of=asked.index[again].to_numpy())
    copies["requested"] = _sent(
        copies["requested"] + pd.to_timedelta(days[again].astype(int), unit="D"),
        np.full(again.sum(), 0.6),
        days[again] % 1,
    )
    return pd.concat([asked, copies], ignore_index=True)
