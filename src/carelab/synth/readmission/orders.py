"""What goes home with the patient: drugs, allergies, and an appointment."""

from typing import Any

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.people import expit
from carelab.synth.readmission.catalogue import (
    ALLERGIES,
    BLOOD_THINNERS,
    CHRONIC_DRUGS,
    FOLLOW_UP,
    INSTEAD,
    INSULIN,
    NEW_DRUGS,
    NOT_TOGETHER,
    Drug,
)
from carelab.synth.streams import stream

MOST_DRUGS = 14  # draws kept for each stay


def make_allergies(core: Core, people: pd.DataFrame) -> pd.DataFrame:
    """Known allergies, one row each: person, patient_id, substance, reaction; at most one a person."""
    u = stream(core.world.seed, "readmission/allergic", core.panel.number).random(len(people))
    has = u < core.world.readmission.allergy_share
    shares = np.array([share for _, share in ALLERGIES.values()])
    what = stream(core.world.seed, "readmission/substance", core.panel.number).choice(
        list(ALLERGIES), len(people), p=shares / shares.sum()
    )
    rows = people.loc[has, ["patient_id"]].reset_index()
    rows["substance"] = what[has]
    rows["reaction"] = rows["substance"].map({name: reaction for name, (reaction, _) in ALLERGIES.items()})
    return rows


def make_medications(core: Core, people: pd.DataFrame, stays: pd.DataFrame, allergies: pd.DataFrame) -> pd.DataFrame:
    """Drugs on the discharge papers, one row each: stay_id, patient_id, name, dose, dose_before, route, frequency,
    action, reason.

    action: new, changed (from dose_before), continued or stopped. None for those who die, are transferred or are
    still in. Nobody is given what they are allergic to.
    """
    settings = core.world.readmission
    leaves = stays["disposition"].notna() & ~stays["disposition"].isin(["expired", "transfer"])
    leaves &= (stays["class"] == "IMP") & ~stays["twin"]
    u = stream(core.world.seed, "readmission/drugs", core.panel.number).random((len(stays), MOST_DRUGS))
    allergic = dict(zip(allergies["person"], allergies["substance"], strict=True))
    has = {name: people[name].to_numpy() for name in (*CHRONIC_DRUGS, "ckd")}
    rows: list[tuple[Any, ...]] = []
    stay: Any
    for i, stay in enumerate(stays[["stay_id", "patient_id", "person", "reason"]].itertuples(index=False)):
        if not leaves.iat[i]:
            continue
        listed: dict[str, tuple[Any, ...]] = {}
        for drug in NEW_DRUGS.get(stay.reason, ()):
            order = _order(drug, "new", allergic.get(stay.person))
            listed[order[0]] = order
        draw = iter(u[i])
        for condition, drugs in CHRONIC_DRUGS.items():
            if not has[condition][stay.person]:
                continue
            for drug in drugs:
                if drug.name == "metformin" and has["ckd"][stay.person]:
                    drug = INSULIN
                roll = next(draw, 1.0)
                if roll >= settings.drug_listed_share or drug.name in listed:
                    continue
                part = roll / settings.drug_listed_share
                action = "continued" if part > 0.2 else "changed" if part > 0.07 else "stopped"
                bleeds = stay.reason == "bleeding" and drug.name in BLOOD_THINNERS
                if bleeds or NOT_TOGETHER.get(drug.name) in listed:
                    action = "stopped"
                elif action == "stopped" and drug.name in BLOOD_THINNERS:
                    action = "continued"  # nobody stops these without a reason
                elif action == "changed" and drug.doses[0] == drug.doses[1]:
                    action = "continued"
                listed[drug.name] = _order(drug, action, None)
        rows += [(stay.stay_id, stay.patient_id, *order) for order in listed.values()]
    columns = ["stay_id", "patient_id", "name", "dose", "dose_before", "route", "frequency", "action", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _order(drug: Drug, action: str, allergy: str | None) -> tuple[Any, ...]:
    """name, dose, dose before, route, frequency, action, reason."""
    instead = INSTEAD.get(drug.name)
    if instead and instead[0] == allergy:
        return (instead[1], instead[2], None, "oral", instead[3], action, drug.reason)
    changed = action == "changed"
    return (
        drug.name, drug.doses[changed], drug.doses[0] if changed else None, drug.route, drug.frequency, action, drug.reason,
    )  # fmt: skip


def make_followups(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Appointments made at discharge, one row each, in the order of the stays: stay_id, patient_id, person, specialty,
    due (local), kept.

    kept: False for those who are back in hospital, or dead, before it, and for some others, among them more of the
    frail; None when it is due after the extract.
    """
    settings = core.world.readmission

    def uniform(name: str) -> np.ndarray:
        return stream(core.world.seed, f"readmission/follow-up-{name}", core.panel.number).random(len(stays))

    likely = stays["disposition"].map(settings.follow_up_share).fillna(0).to_numpy()
    made = (uniform("made") < likely) & ((stays["class"] == "IMP") & ~stays["twin"]).to_numpy()
    days = np.floor(4 + 9 * uniform("day"))
    due = stays["discharged"].dt.normalize() + pd.to_timedelta(days, unit="D")
    due += pd.to_timedelta((7 - due.dt.weekday) * (due.dt.weekday >= 5), unit="D")  # from the weekend to Monday
    due += pd.to_timedelta(480 + 15 * np.floor(32 * uniform("time")), unit="min")
    again = stays.groupby("person")["admitted"].shift(-1)
    odds = settings.follow_up_logit - 0.35 * stays["frailty"].to_numpy()
    # Those on their way back into hospital are too ill to come, even before they are admitted.
    odds = odds - settings.follow_up_returner * stays["returns"].eq(True).to_numpy()
    kept = (uniform("kept") < expit(odds)) & ~(again < due + pd.Timedelta(days=1)).to_numpy()
    kept &= ~(people["died_at"].to_numpy()[stays["person"]] < due.to_numpy())
    extract = pd.Timestamp(core.world.clock.extract_at)
    rows = pd.DataFrame(
        {
            "stay_id": stays["stay_id"], "patient_id": stays["patient_id"], "person": stays["person"],
            "specialty": stays["ward"].map(FOLLOW_UP), "due": due,
            "kept": [bool(came) if past else None for came, past in zip(kept, due <= extract, strict=True)],
        }
    )  # fmt: skip
    return rows[made].reset_index(drop=True)
