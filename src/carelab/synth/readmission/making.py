"""A panel's stays, from hidden state to resources, tables and truth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from carelab.synth.areas import Core, Part, join_feeds
from carelab.synth.readmission.catalogue import CONDITIONS
from carelab.synth.readmission.costs import with_costs
from carelab.synth.readmission.labs import results, with_values
from carelab.synth.readmission.orders import make_allergies, make_followups, make_medications
from carelab.synth.readmission.population import make_population
from carelab.synth.readmission.records import diagnose, file_under, record, sampled
from carelab.synth.readmission.resources import (
    lab_resources,
    of_patients,
    order_resources,
    stay_resources,
    stranger_resources,
    visit_resources,
)
from carelab.synth.readmission.stays import HALF_YEAR, WINDOW, Hospital, simulate

STAYS = [
    "stay_id", "patient_id", "person", "site_id", "class", "ward", "admitted", "discharged", "admission", "disposition",
    "principal", "diagnoses", "severity", "frailty", "p_readmit", "in_sample",
]  # fmt: skip


def make(core: Core, _: Mapping[str, Part]) -> Part:
    """The stays of one panel's people in the three hospitals, with their truth.

    frames, times local: `people`, everybody who may be admitted, index `person`; `stays`, one row a stay sorted by
    `admitted` (columns `STAYS`; class IMP or OBSENC; `discharged` NaT while still in); `labs`, `medications`,
    `allergies` and `followups`, as the functions that make them say.
    """
    people = make_population(core)
    hospital = simulate(core, people)
    people["died_at"] = hospital.died
    recorded = with_values(core, people, record(core, people, hospital))
    diagnoses = diagnose(core, people, recorded)
    recorded = with_costs(core, people, recorded, diagnoses)
    labs = results(core, people, recorded)
    stayed = people.loc[np.unique(recorded["person"])]
    allergies = make_allergies(core, stayed)
    medications = make_medications(core, people, recorded, allergies)
    followups = make_followups(core, people, recorded)
    strangers = stayed[~stayed["known_to_clinic"]]
    resources = join_feeds(
        [
            stranger_resources(core, strangers),
            stay_resources(core, recorded, diagnoses),
            visit_resources(core, _emergency(core, people, hospital, recorded), followups),
            lab_resources(core, labs),
            order_resources(core, medications, recorded, allergies),
        ]
    )
    stays = recorded.assign(diagnoses=_listed(diagnoses, recorded), p_readmit=recorded["p"])[STAYS]
    return Part(
        resources,
        of_patients(resources, sampled(core, people, recorded)),
        truth=_truth(core, people, recorded),
        frames={
            "people": people, "stays": stays, "labs": labs, "medications": medications, "allergies": allergies,
            "followups": followups,
        },
    )  # fmt: skip


def _listed(diagnoses: pd.DataFrame, stays: pd.DataFrame) -> list[list[str]]:
    """Codes of each stay, principal first."""
    lists: dict[str, list[str]] = {stay_id: [] for stay_id in stays["stay_id"]}
    for stay_id, code in zip(diagnoses["stay_id"], diagnoses["code"], strict=True):
        lists[stay_id].append(code)
    return list(lists.values())


def _emergency(core: Core, people: pd.DataFrame, hospital: Hospital, stays: pd.DataFrame) -> pd.DataFrame:
    """The visits to the emergency department that the extract carries: those in the half year before a stay."""
    seen = hospital.emergency[~hospital.emergency["observed"]].sort_values("start", ignore_index=True)
    following = pd.merge_asof(
        seen, stays[["person", "admitted"]].sort_values("admitted"), left_on="start", right_on="admitted", by="person",
        direction="forward",
    )["admitted"]  # fmt: skip
    near = following - seen["start"] <= pd.Timedelta(days=HALF_YEAR + 1)
    seen = seen[near].reset_index(drop=True)
    return seen.assign(
        patient_id=file_under(core, people, seen["person"], "emergency-filed-under"),
        site_id=core.world.clinic[core.panel.clinic].hospital,
    )


def _truth(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What really happened, one row a stay: whether it is a start and who came back, the true probability (five
    decimals), the true conditions and the need of the year after."""
    extract = pd.Timestamp(core.world.clock.extract_at)
    conditions = people[list(CONDITIONS)].to_numpy()
    names = np.array(list(CONDITIONS))
    listed = [" ".join(names[row]) for row in conditions]
    # Entered twice: the second entry stands for the stay.
    twins = stays.loc[stays["twin"], ["person", "step"]].drop_duplicates()
    keys = pd.MultiIndex.from_frame(stays[["person", "step"]])
    doubled = keys.isin(pd.MultiIndex.from_frame(twins)) & ~stays["twin"].to_numpy()
    reason = np.select(
        [
            stays["class"] != "IMP", doubled | (stays["true_disposition"] == "transfer").to_numpy(), stays["closed"] > extract,
            stays["true_disposition"] == "expired", stays["true_disposition"] == "ama",
            stays["closed"] + pd.Timedelta(days=WINDOW) > extract,
        ],
        ["observation", "episode", "still-in", "died", "against-advice", "censored"], "",
    )  # fmt: skip
    reason = pd.Series(reason, index=stays.index, dtype=object)
    eligible = reason == ""
    truth = pd.DataFrame(
        {
            "stay_id": stays["stay_id"],
            "person_id": [f"person-{core.panel.number:03d}{person:04d}" for person in stays["person"]],
            "eligible": eligible,
            "reason": reason.where(~eligible, None),
            "readmitted": stays["returns"].astype("boolean").where(eligible),
            "p_readmit": stays["p"].round(5),
            "planned_return": stays["planned_return"].astype("boolean").where(eligible),
            "conditions": [listed[person] for person in stays["person"]],
            "severity": stays["severity"].round(2),
            "frailty": stays["frailty"].round(2),
            "need": stays["need"].round(2),
        }
    )
    return {"readmission_stays": truth}
