"""Everybody of a panel whom a hospital may admit: the clinic's adults, and people only the hospitals know."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from carelab.synth import names
from carelab.synth.areas import Core
from carelab.synth.people import expit, logit
from carelab.synth.readmission.catalogue import CONDITIONS
from carelab.synth.streams import stream

PEOPLE_PER_PANEL = 10_000  # room in the ids


def make_population(core: Core) -> pd.DataFrame:
    """One row a person, index `person`: the panel's own people first (0..size-1), then the hospitals' own.

    Observable: patient_id, known_to_clinic, given, family, birth_date, sex, language (BCP 47), payer, race, phone,
    mrn. Hidden: age (years, in the middle of the history), deprivation (0 to 1), frailty (standard normal, higher with
    age), one bool column for each of `CONDITIONS`, second_id (the double record's patient_id, if any).
    """
    world, panel, settings = core.world, core.panel, core.world.readmission

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"readmission/{name}", panel.number)

    clinic = world.clinic[panel.clinic]
    known = _clinic_people(core)
    strangers = _strangers(core, round(panel.size * settings.hospital_only_per_patient), draw)
    people = pd.concat([known, strangers], ignore_index=True)
    people.index.name = "person"
    n = len(people)

    # Somebody's street may be poorer or richer than the neighbourhood of the clinic; those poorly insured live poorer.
    poorly_insured = people["payer"].isin(["medicaid", "self-pay"]).to_numpy()
    tilt = logit(clinic.deprivation) + 0.8 * poorly_insured
    people["deprivation"] = expit(tilt + draw("deprivation").normal(0, 0.7, n))
    old = (people["age"].to_numpy() - 65) / 10
    sicker = settings.catchment_frailty[clinic.hospital]
    people["frailty"] = sicker + 0.30 * old + 0.9 * (people["deprivation"] - 0.5) + draw("frailty").normal(0, 0.85, n)
    for name in CONDITIONS:
        odds = logit(settings.condition_share[name]) + settings.condition_per_decade[name] * old
        people[name] = draw(f"condition-{name}").random(n) < expit(odds + 0.45 * people["frailty"].to_numpy())
    return people


def _clinic_people(core: Core) -> pd.DataFrame:
    """The panel's own people, with the traits that a hospital would copy from the network's registration."""
    world, panel, records = core.world, core.panel, core.records
    first = records[~records["duplicate"]].set_index("person")["patient_id"]
    second = records[records["duplicate"]].set_index("person")["patient_id"]
    people = core.people[["given", "family", "birth_date", "sex", "payer", "race", "language", "deceased_on"]].copy()
    people.insert(0, "patient_id", first.reindex(people.index))
    people.insert(1, "known_to_clinic", True)
    people["second_id"] = second.reindex(people.index).astype(object)
    people["mrn"] = "LH" + people["patient_id"].str.removeprefix("pat-")
    # The same draws as on the Patient resources.
    phones = stream(world.seed, "phone", panel.number).integers(100, 200, panel.size)
    others = stream(world.seed, "other-language", panel.number).choice(["pl", "so", "hmn"], panel.size)
    people["phone"] = [f"555-0{phone}" for phone in phones]
    people["language"] = np.where(people["language"] == "other", others, people["language"])
    people["age"] = (_middle(core) - people["birth_date"]).dt.days / 365.25
    return people


def _middle(core: Core) -> pd.Timestamp:
    return pd.Timestamp(core.world.clock.history_start) + pd.DateOffset(years=1)


def _strangers(core: Core, n: int, draw: Callable[[str], np.random.Generator]) -> pd.DataFrame:
    """People whom only the hospitals know: adults, mostly old."""
    world, panel, rates = core.world, core.panel, core.world.people
    number = panel.number * PEOPLE_PER_PANEL + np.arange(n)
    people = pd.DataFrame({"patient_id": [f"hpt-{i:07d}" for i in number], "known_to_clinic": False})
    elder = draw("elder").random(n) < world.readmission.elder_share
    u = draw("age").random(n)
    age = np.where(elder, 65 + 30 * u**1.4, 65 - 46 * u**1.6)
    people["sex"] = np.where(draw("sex").random(n) < rates.female_share, "female", "male")
    people["birth_date"] = _middle(core) - pd.to_timedelta((age * 365.25).astype(int), unit="D")
    clinic = world.clinic[panel.clinic]
    tilt = 2.0 * (clinic.deprivation - 0.5)
    u = draw("payer").random(n)
    medicaid = expit(logit(rates.medicaid_share["adult"]) + tilt + np.zeros(n))
    medicare = np.where(elder, rates.medicare_share["elder"], rates.medicare_share["adult"])
    medicaid = np.where(elder, 0.5 * (1 - medicare), medicaid * (1 - medicare))
    self_pay = np.where(elder, 0.0, rates.self_pay_share["adult"])
    people["payer"] = np.select(
        [u < medicare, u < medicare + medicaid, u > 1 - self_pay], ["medicare", "medicaid", "self-pay"], "commercial"
    )
    mix = np.array([0.80, 0.08, 0.05, 0.02, 0.05]) * (1 - clinic.deprivation)
    mix += np.array([0.50, 0.35, 0.05, 0.03, 0.07]) * clinic.deprivation
    people["race"] = draw("race").choice(["white", "black", "asian", "native", "other"], n, p=mix)
    u = draw("language").random(n)
    edges = [rates.spanish_share, rates.spanish_share + rates.other_language_share]
    others = draw("other-language").choice(["pl", "so", "hmn"], n)
    people["language"] = np.select([u < edges[0], u < edges[1]], ["es", others], "en")
    rng = draw("name")
    female = people["sex"].eq("female")
    given = np.where(female, rng.choice(names.GIVEN["female"], n), rng.choice(names.GIVEN["male"], n))
    built = np.char.add(rng.choice(names.FIRST_PARTS, n), rng.choice(names.LAST_PARTS, n))
    people["given"] = given
    people["family"] = np.where(people["language"].eq("es"), rng.choice(names.SPANISH_FAMILY, n), built)
    people["mrn"] = [f"{clinic.hospital.upper().replace('-', '')}-{i:07d}" for i in number]
    people["phone"] = [f"555-0{phone}" for phone in draw("phone").integers(100, 200, n)]
    people["second_id"] = pd.Series([None] * n, dtype=object)
    people["age"] = age
    return people
