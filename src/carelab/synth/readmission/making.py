"""A panel's stays, from hidden state to resources, tables and truth."""

from collections.abc import Mapping

import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.readmission.population import make_population
from carelab.synth.readmission.records import diagnose, record
from carelab.synth.readmission.stays import simulate

STAYS = [
    "stay_id", "patient_id", "person", "site_id", "ward", "admitted", "discharged", "admission", "disposition", "principal",
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
    recorded = record(core, people, hospital)
    diagnoses = diagnose(core, people, recorded)
    stays = recorded.assign(diagnoses=_listed(diagnoses, recorded), p_readmit=recorded["p"])[STAYS]
    return Part(frames={"people": people, "stays": stays})


def _listed(diagnoses: pd.DataFrame, stays: pd.DataFrame) -> list[list[str]]:
    """Codes of each stay, principal first."""
    lists = diagnoses.groupby("stay_id", sort=False)["code"].agg(list)
    return list(lists.reindex(stays["stay_id"]))
