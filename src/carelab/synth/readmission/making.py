"""A panel's stays, from hidden state to resources, tables and truth."""

from collections.abc import Mapping

import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.readmission.labs import results, with_values
from carelab.synth.readmission.orders import make_allergies, make_followups, make_medications
from carelab.synth.readmission.population import make_population
from carelab.synth.readmission.records import diagnose, record
from carelab.synth.readmission.stays import simulate

STAYS = [
    "stay_id", "patient_id", "person", "site_id", "class", "ward", "admitted", "discharged", "admission", "disposition", "principal",
    "diagnoses", "severity", "frailty", "p_readmit", "in_sample",
]  # fmt: skip


def make(core: Core, _: Mapping[str, Part]) -> Part:
    """The stays of one panel's people in the three hospitals, with their truth.

    frames: `people`, everybody who may be admitted, index `person`; `stays`, one row a stay sorted by `admitted`
    (columns `STAYS`, times local, `discharged` NaT while still in).
    """
    people = make_population(core)
    hospital = simulate(core, people)
    people["died_at"] = hospital.died
    recorded = with_values(core, people, record(core, people, hospital))
    diagnoses = diagnose(core, people, recorded)
    stays = recorded.assign(diagnoses=_listed(diagnoses, recorded), p_readmit=recorded["p"])[STAYS]
    labs = results(core, people, recorded)
    allergies = make_allergies(core, people)
    medications = make_medications(core, people, recorded, allergies)
    followups = make_followups(core, people, recorded)
    return Part(
        frames={
            "people": people, "stays": stays, "labs": labs, "medications": medications, "allergies": allergies,
            "followups": followups,
        }
    )  # fmt: skip


def _listed(diagnoses: pd.DataFrame, stays: pd.DataFrame) -> list[list[str]]:
    """Codes of each stay, principal first."""
    lists = diagnoses.groupby("stay_id", sort=False)["code"].agg(list)
    return list(lists.reindex(stays["stay_id"]))
