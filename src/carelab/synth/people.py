"""The people of a panel, with what makes them miss visits, and the records the registration desk made of them."""

import numpy as np
import pandas as pd

from carelab.synth import names
from carelab.synth.config import Panel, World
from carelab.synth.streams import stream

# Age in the middle of the history; nobody is born during it.
AGE_BOUNDS = {"child": (1, 18), "adult": (18, 65), "elder": (65, 95)}


def expit(x: np.ndarray) -> np.ndarray:
    """Probability of a log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def logit(p: float) -> float:
    """Log odds of a probability in (0, 1)."""
    return float(np.log(p / (1.0 - p)))


def make_people(world: World, panel: Panel) -> pd.DataFrame:
    """One row per person of the panel, index 0..size-1.

    Observable columns end up in FHIR resources; `latent` (log odds), `visit_rate` (visits a year) and
    `transport_need` (the true need, recorded or not) only in the truth tables.
    """
    rates, clinic, n = world.people, world.clinic[panel.clinic], panel.size

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, name, panel.number)

    people = pd.DataFrame(index=pd.RangeIndex(n))
    group = draw("age-group").choice(list(rates.age_share), n, p=list(rates.age_share.values()))
    low, high = (np.array([AGE_BOUNDS[g][side] for g in group]) for side in (0, 1))
    age_days = (draw("age").uniform(low, high) * 365.25).astype(int)
    middle = pd.Timestamp(world.clock.history_start) + pd.DateOffset(years=1)
    people["age_group"] = group
    people["birth_date"] = middle - pd.to_timedelta(age_days, unit="D")
    people["sex"] = np.where(draw("sex").random(n) < rates.female_share, "female", "male")

    # Deprivation moves the odds of Medicaid by up to e and shifts the racial mix; neither changes the other's draw.
    tilt = 2.0 * (clinic.deprivation - 0.5)
    share = {g: rates.medicaid_share[g] for g in rates.age_share}
    medicaid = expit(np.array([logit(share[g]) for g in group]) + tilt)
    medicare = np.array([rates.medicare_share[g] for g in group])
    self_pay = np.array([rates.self_pay_share[g] for g in group])
    u = draw("payer").random(n)
    people["payer"] = np.select(
        [u < medicare, u < medicare + (1 - medicare) * medicaid, u > 1 - (1 - medicare) * self_pay],
        ["medicare", "medicaid", "self-pay"],
        "commercial",
    )
    u = draw("language").random(n)
    edges = [rates.spanish_share, rates.spanish_share + rates.other_language_share]
    people["language"] = np.select([u < edges[0], u < edges[1]], ["es", "other"], "en")
    spanish = people["language"].eq("es").to_numpy()
    hispanic = np.where(spanish, rates.hispanic_given_spanish, rates.hispanic_given_english)
    people["hispanic"] = draw("ethnicity").random(n) < hispanic
    mix = np.array([0.80, 0.08, 0.05, 0.02, 0.05]) * (1 - clinic.deprivation)
    mix += np.array([0.50, 0.35, 0.05, 0.03, 0.07]) * clinic.deprivation
    people["race"] = draw("race").choice(["white", "black", "asian", "native", "other"], n, p=mix)
    people["race_missing"] = draw("race-missing").random(n) < clinic.race_missing

    km = clinic.distance_km * np.exp(draw("distance").normal(0, rates.distance_sd, n))
    hospital = next(h for h in world.hospital if h.id == clinic.hospital)
    detour = (22.0 if hospital.zip3 != clinic.zip3 else 2.0) + draw("detour").exponential(3.0, n)
    people["clinic_km"] = km.clip(0.3, 90).round(1)
    people["hospital_km"] = (0.8 * km + detour).clip(0.3, 120).round(1)

    need = logit(rates.transport_need_share) + np.log(rates.transport_need_medicaid_or) * people["payer"].eq("medicaid")
    u = draw("transport").random(n)
    people["transport_need"] = u < expit(need.to_numpy())
    # The nurse writes the code down for some of those in need, half of them before the history starts.
    recorded = people["transport_need"] & (draw("transport-recorded").random(n) < rates.transport_need_recorded)
    offset = draw("transport-day").uniform(-700, 700, n).round()
    start = pd.Timestamp(world.clock.history_start)
    noted = (start + pd.to_timedelta(offset, unit="D")).to_series(index=people.index)
    people["transport_recorded_on"] = noted.clip(lower=people["birth_date"] + pd.Timedelta(days=1)).where(recorded)

    rng = draw("registered")
    known = rng.random(n) < rates.registered_before_share
    days = (pd.Timestamp(world.clock.extract_at).normalize() - start).days
    registered = start + pd.to_timedelta((rng.random(n) * days).astype(int), unit="D")
    people["registered"] = pd.Series(registered).where(~known, start - pd.Timedelta(days=1))
    leaves = known & (draw("left").random(n) < rates.left_share)
    leaving = start + pd.to_timedelta((draw("left-day").random(n) * days).astype(int), unit="D")
    people["left"] = pd.Series(leaving).where(leaves, world.last_day)
    if clinic.opens is not None:  # nobody is known before the doors open
        opens = pd.Timestamp(clinic.opens)
        days = (pd.Timestamp(world.clock.extract_at) - opens).days
        late = opens + pd.to_timedelta((rng.random(n) ** 2 * days).astype(int), unit="D")
        people["registered"], people["left"] = late, world.last_day
    people["new"] = people["registered"] >= start
    # Some of those who left have died, after their last visit; a death after the extract is not known yet.
    dying = np.array([rates.died_share[g] for g in group])
    died = (people["left"] < world.last_day) & (draw("died").random(n) < dying)
    delay = pd.to_timedelta(np.ceil(draw("death-delay").exponential(rates.death_delay_days, n)).clip(1), unit="D")
    deceased = (people["left"] + delay).where(died)
    people["deceased_on"] = deceased.where(deceased <= pd.Timestamp(world.clock.extract_at))
    people["latent"] = draw("latent").normal(0, rates.latent_sd, n)
    shape = world.agenda.visit_rate_shape
    people["visit_rate"] = draw("visit-rate").gamma(shape, world.agenda.visits_per_year / shape, n)
    people["given"], people["family"] = _names(draw("name"), people["sex"], spanish)
    return people


def _names(rng: np.random.Generator, sex: pd.Series, spanish: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Given and family name of each person."""
    n = len(sex)
    given = np.where(sex == "female", rng.choice(names.GIVEN["female"], n), rng.choice(names.GIVEN["male"], n))
    built = np.char.add(rng.choice(names.FIRST_PARTS, n), rng.choice(names.LAST_PARTS, n))
    return given, np.where(spanish, rng.choice(names.SPANISH_FAMILY, n), built)


def _misspell(name: str, rng: np.random.Generator) -> str:
    """A name with two neighbouring letters swapped, or one of them lost where they are equal."""
    at = int(rng.integers(1, len(name) - 2))
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return swapped if swapped != name else name[:at] + name[at + 1 :]


def make_records(world: World, panel: Panel, people: pd.DataFrame) -> pd.DataFrame:
    """One row per patient record, sorted by id: every person once, and 1.5 % of them a second time.

    Columns: patient_id, person (row of `people`), duplicate (bool), given, family, birth_date. The order is random,
    but a double of somebody in the sample (the first records) is in the sample too, so that S holds whole pairs.
    """
    rates, n = world.people, panel.size
    rng = stream(world.seed, "duplicate", panel.number)
    twice = np.flatnonzero(rng.random(n) < rates.duplicate_share)
    typo = rng.random(len(twice)) < rates.typo_share
    order = stream(world.seed, "record-order", panel.number).permutation(n)
    sample = min(world.sample_per_panel, n)

    rows = people.loc[order, ["given", "family", "birth_date"]].reset_index(names="person").assign(duplicate=False)
    doubles = people.loc[twice, ["given", "family", "birth_date"]].reset_index(names="person").assign(duplicate=True)
    born = doubles["birth_date"].dt
    typo |= ((born.day > 12) | (born.day == born.month)).to_numpy()  # such a date cannot be swapped
    misspelt = pd.Series([_misspell(name, rng) for name in doubles["family"]], dtype=object)
    swapped = pd.to_datetime({"year": born.year, "month": born.day.where(~typo, 1), "day": born.month})
    doubles["family"] = doubles["family"].where(~typo, misspelt)
    doubles["birth_date"] = doubles["birth_date"].where(typo, swapped)
    position = pd.Series(np.arange(n, dtype=float), index=rows["person"])
    inside = position[doubles["person"]].to_numpy() < sample
    place = np.where(
        inside, rng.uniform(0, max(sample - 2, 0), len(doubles)), rng.uniform(sample, max(n, sample + 1), len(doubles))
    )
    rows["place"], doubles["place"] = position.to_numpy(), place
    records = pd.concat([rows, doubles]).sort_values("place", kind="stable", ignore_index=True)
    records["patient_id"] = [f"pat-{panel.number:03d}{i:03d}" for i in range(len(records))]
    return records.drop(columns="place")
