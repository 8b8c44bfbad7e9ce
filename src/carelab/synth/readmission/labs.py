"""Laboratory results of each stay: the first and the last of each test, coherent with the state of the patient."""

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.people import expit
from carelab.synth.readmission.catalogue import TESTS
from carelab.synth.streams import stream

UMOL_PER_MG_DL = 88.42  # creatinine: umol/L in one mg/dL
INFECTIONS = ("sepsis", "pneumonia", "cellulitis", "urinary", "cholecystitis")


def with_values(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Stays with the values on admission as `first_<test>`, those not followed up (`potassium`, ...), and
    `kidney_hit`: whether the kidneys suffered in this stay."""

    def normal(name: str) -> np.ndarray:
        return stream(core.world.seed, f"readmission/value-{name}", core.panel.number).normal(0, 1, len(stays))

    has = people.loc[stays["person"]].reset_index(drop=True)
    sick = stays["severity"].to_numpy()
    u = stream(core.world.seed, "readmission/kidney-hit", core.panel.number).random(len(stays))
    kidney = stays["reason"].eq("kidney_injury").to_numpy()
    hit = kidney | (u < 0.08 * (sick > 0) + 0.14 * (sick > 1.2))
    infected = stays["reason"].isin(INFECTIONS).to_numpy()
    heart = stays["reason"].eq("heart_failure").to_numpy()
    bleeds = stays["reason"].eq("bleeding").to_numpy()
    sugar = np.where(has["diabetes"], 5.15, 4.72) + 0.9 * stays["reason"].eq("hyperglycemia").to_numpy()
    return stays.assign(
        kidney_hit=hit,
        first_creatinine=stays["creatinine"] * np.exp(np.where(hit, 0.62, 0.03) + 0.07 * normal("creatinine")),
        first_sodium=(stays["sodium"] + 0.5 * (stays["sodium"] - 138) + 1.2 * normal("sodium")).clip(112, 155),
        first_hemoglobin=(stays["hemoglobin"] + np.where(bleeds, -0.8, 0.5) + 0.5 * normal("hemoglobin")).clip(
            5.0, 18.5
        ),
        first_potassium=(4.1 + 0.25 * has["ckd"] + 0.25 * hit + 0.45 * normal("potassium")).clip(2.5, 6.8).to_numpy(),
        first_leukocytes=np.exp(2.05 + 0.45 * infected + 0.10 * sick + 0.25 * normal("leukocytes")).clip(1.2, 45),
        first_glucose=np.exp(sugar + 0.05 * sick + 0.20 * normal("glucose")).clip(55, 780),
        first_natriuretic=np.exp(5.3 + 1.2 * heart + 0.2 * sick + 0.7 * normal("natriuretic")).clip(10, 5000),
        first_albumin=stays["albumin"],
    )


def results(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Results as the laboratories report them, one row a result, sorted by stay, time and test.

    Columns: stay_id, patient_id, taken (local), test (key of `TESTS`), loinc, name, value, unit, true_value (in that
    unit). Albumin is measured where somebody worried; one laboratory changes creatinine to umol/L one day and goes on
    printing mg/dL.
    """
    world, settings, number = core.world, core.world.readmission, core.panel.number

    def uniform(name: str) -> np.ndarray:
        return stream(world.seed, f"readmission/measured-{name}", number).random(len(stays))

    stays = stays.reset_index(drop=True)
    full = (stays["class"] == "IMP") & ~stays["twin"]
    site = stays["site_id"].map(settings.albumin_logit).to_numpy()
    worried = expit(site + 0.8 * stays["severity"].fillna(0).to_numpy() + 0.35 * stays["frailty"].to_numpy())
    heart = people["heart_failure"].to_numpy()[stays["person"]]
    chance = {
        "creatinine": 0.97, "sodium": 0.97, "potassium": 0.60, "hemoglobin": 0.97, "leukocytes": 0.65, "albumin": worried,
        "natriuretic": 0.9 * heart, "glucose": 0.50,
    }  # fmt: skip
    first = stays["admitted"] + pd.to_timedelta(20 + 5 * np.floor(16 * uniform("first")), unit="min")
    morning = stays["closed"].dt.normalize() + pd.Timedelta(hours=6)  # the morning round of the day of discharge
    last = full & (stays["nights"] >= 2)
    pieces = []
    for order, (test, (loinc, display, unit, digits, *_)) in enumerate(TESTS.items()):
        measured = full & (uniform(test) < chance[test])
        again = last & measured & (test in ("creatinine", "sodium", "hemoglobin"))
        # Those who leave within a day or so have one result, which is also the last.
        values = stays[f"first_{test}"].where(last | (test not in stays), stays.get(test))
        for which, taken, value in ((measured, first, values), (again, morning, stays.get(test))):
            if which.any() and value is not None:
                rows = stays.loc[which, ["stay_id", "patient_id", "site_id"]]
                pieces.append(
                    rows.assign(
                        order=order, taken=taken[which], test=test, loinc=loinc, name=display,
                        value=(value[which] * 10**digits).round() / 10**digits, unit=unit,
                    )
                )  # fmt: skip
    found = pd.concat(pieces).sort_values(["stay_id", "taken", "order"], ignore_index=True).drop(columns="order")
    found = found[found["taken"] <= pd.Timestamp(world.clock.extract_at)].reset_index(drop=True)
    found["true_value"] = found["value"]
    wrong = (found["test"] == "creatinine") & (found["site_id"] == settings.unit_change_site)
    wrong &= found["taken"] >= pd.Timestamp(settings.unit_change_on)
    found["value"] = found["value"].where(~wrong, (found["value"] * UMOL_PER_MG_DL).round())
    return found.drop(columns="site_id")
