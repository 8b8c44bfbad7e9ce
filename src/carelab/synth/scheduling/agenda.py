"""Who is booked where, when and with whom: appointments of a panel on its practitioners' slots."""

import numpy as np
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from carelab.errors import UserError
from carelab.synth.config import Panel, World
from carelab.synth.staff import AT_HOSPITAL, TEAM
from carelab.synth.streams import stream

SLOT_MINUTES = 30
DAY_STARTS = [*range(8 * 60, 12 * 60, SLOT_MINUTES), *range(13 * 60, 17 * 60, SLOT_MINUTES)]
EVENING_STARTS = list(range(17 * 60 + 15, 19 * 60 + 46, SLOT_MINUTES))
STARTS = np.array(DAY_STARTS + EVENING_STARTS)  # minutes after local midnight


def working_days(world: World) -> pd.DatetimeIndex:
    """Local days on which the clinics are open, from the start of the history to the end of the horizon."""
    days = pd.bdate_range(world.clock.history_start, world.last_day)
    return days.difference(USFederalHolidayCalendar().holidays(days[0], days[-1]))


def make_agenda(world: World, panel: Panel, people: pd.DataFrame) -> pd.DataFrame:
    """One row per appointment booked by the time of the extract, sorted by start, index 0..n-1.

    Columns: person, specialty, practitioner (index in TEAM), start and created (naive local times), lead_days,
    new_patient, past, cancelled and late_cancel (true cancellations), unresolved. No practitioner has two
    appointments at one time and no person two on one day.
    """
    clinic, rates = world.clinic[panel.clinic], world.agenda

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, name, panel.number)

    days = working_days(world)
    n_visits = draw("visits").poisson(people["visit_rate"] * (days[-1] - days[0]).days / 365.25)
    person = np.repeat(people.index.to_numpy(), n_visits)
    day = draw("day").integers(0, len(days), len(person))
    agenda = pd.DataFrame({"person": person, "day": days[day]})
    who = people.loc[agenda["person"]].set_index(agenda.index)
    agenda = agenda[agenda["day"].between(who["registered"], who["left"])]
    agenda = agenda.drop_duplicates(["person", "day"]).sort_values(["person", "day"], ignore_index=True)

    agenda["specialty"] = _specialties(world, draw("specialty"), people, agenda["person"], agenda["day"])
    team = np.array(TEAM)
    first = {s: int(np.flatnonzero(team == s)[0]) for s in dict.fromkeys(TEAM)}
    agenda["practitioner"] = agenda["specialty"].map(first)
    # Each person has one of the two family doctors.
    family = agenda["specialty"].eq("family_medicine")
    agenda.loc[family, "practitioner"] += agenda.loc[family, "person"] % 2

    minutes = _allocate(
        world, draw("slot"), agenda, len(days), days.get_indexer(pd.DatetimeIndex(agenda["day"])), clinic.evening
    )
    agenda["start"] = agenda["day"] + pd.to_timedelta(minutes, unit="min")
    agenda["lead_days"], agenda["created"] = _booking(world, draw("lead"), agenda, minutes)
    agenda = agenda[agenda["created"] <= pd.Timestamp(world.clock.extract_at)].reset_index(drop=True)

    opened_file = people["new"].to_numpy()[agenda["person"]]
    agenda["new_patient"] = opened_file & ~agenda.duplicated("person").to_numpy()
    n = len(agenda)
    agenda["past"] = agenda["start"] <= pd.Timestamp(world.clock.extract_at)
    agenda["cancelled"] = agenda["past"] & (draw("cancel").random(n) < rates.cancel_share)
    agenda["late_cancel"] = agenda["cancelled"] & (draw("late-cancel").random(n) < rates.late_cancel_share)
    unresolved = draw("unresolved").random(n) < rates.unresolved_share
    agenda["unresolved"] = agenda["past"] & ~agenda["cancelled"] & unresolved
    return agenda.sort_values(["start", "practitioner"], ignore_index=True)


def open_slots(world: World, panel: Panel, agenda: pd.DataFrame) -> pd.DataFrame:
    """Times of the planning horizon that are offered for booking and still free, sorted by start, index 0..n-1.

    Columns: practitioner (index in TEAM), start (naive local time). Only some of the unbooked times are offered.
    """
    days = working_days(world)
    days = days[days > pd.Timestamp(world.clock.extract_at)]
    evening = world.clinic[panel.clinic].evening
    u = stream(world.seed, "open-slot", panel.number).random((len(TEAM), len(days), len(STARTS)))
    offered = u < world.agenda.open_slot_share
    closed = np.isin(STARTS, EVENING_STARTS)[None, :] & ~np.isin(days.weekday.to_numpy(), evening)[:, None]
    at_hospital = np.isin(TEAM, AT_HOSPITAL)[:, None, None] & np.isin(STARTS, EVENING_STARTS)
    practitioner, day, time = np.nonzero(offered & ~closed & ~at_hospital)
    start = days[day] + pd.to_timedelta(STARTS[time], unit="min")
    found = pd.DataFrame({"practitioner": practitioner, "start": start})
    taken = pd.MultiIndex.from_frame(agenda[["practitioner", "start"]])
    found = found[~pd.MultiIndex.from_frame(found).isin(taken)]
    return found.sort_values(["start", "practitioner"], ignore_index=True)


def _specialties(
    world: World, rng: np.random.Generator, people: pd.DataFrame, person: pd.Series, day: pd.Series
) -> np.ndarray:
    """Specialty of each visit, by age group. Men do not visit women's health, nor toddlers behavioral health."""
    shares = {
        "child": world.agenda.specialty_share_child,
        "adult": world.agenda.specialty_share_adult,
        "elder": world.agenda.specialty_share_elder,
    }
    group, u = people["age_group"].to_numpy()[person], rng.random(len(person))
    chosen = np.empty(len(person), dtype=object)
    for name, share in shares.items():
        rows = group == name
        edges = np.cumsum(list(share.values()))
        pick = np.searchsorted(edges / edges[-1], u[rows], side="right").clip(max=len(share) - 1)
        chosen[rows] = np.array(list(share), dtype=object)[pick]
    who = people.loc[person]
    male = who["sex"].eq("male").to_numpy()
    toddler = (day - who["birth_date"].to_numpy()).dt.days.to_numpy() < 5 * 365.25
    return np.select(
        [male & (chosen == "womens_health"), toddler & (chosen == "behavioral_health")],
        ["family_medicine", "pediatrics"],
        chosen,
    )


def _allocate(
    world: World,
    rng: np.random.Generator,
    agenda: pd.DataFrame,
    n_days: int,
    day: np.ndarray,
    evening: tuple[int, ...],
) -> np.ndarray:
    """Start of each appointment in minutes after midnight: one free slot each, popular hours first.

    Every practitioner and day has its own random order of slots; the r-th appointment of that day takes the r-th.
    """
    weight = np.array([world.agenda.popular_hours[m // 60] for m in STARTS])
    keys = weight + rng.gumbel(size=(len(TEAM), n_days, len(STARTS)))
    weekday = working_days(world).weekday.to_numpy()
    no_evening = ~np.isin(weekday, evening)
    hospital = np.isin(TEAM, AT_HOSPITAL)
    is_evening = np.isin(STARTS, EVENING_STARTS)
    closed = is_evening & (no_evening[None, :, None] | hospital[:, None, None])
    order = np.argsort(np.where(closed, -np.inf, keys), axis=2)[:, :, ::-1]
    rank = agenda.groupby(["practitioner", "day"], sort=False).cumcount().to_numpy()
    open_slots = len(STARTS) - closed.sum(axis=2)
    practitioner = agenda["practitioner"].to_numpy()
    if (rank >= open_slots[practitioner, day]).any():
        raise UserError("A practitioner has more visits than slots on some day; lower visits_per_year in world.toml.")
    return np.asarray(STARTS[order[practitioner, day, rank]])


def _booking(
    world: World, rng: np.random.Generator, agenda: pd.DataFrame, minutes: np.ndarray
) -> tuple[np.ndarray, pd.Series]:
    """Lead time in days and moment of booking (local) of each appointment."""
    rates, n = world.agenda, len(agenda)
    median = agenda["specialty"].map(rates.lead_median_days).to_numpy()
    same_day = rng.random(n) < agenda["specialty"].map(rates.same_day_share).to_numpy()
    log_spread = rng.normal(0, rates.lead_sd, n)
    fresh = rng.random(n)
    lead = np.where(same_day, 0, np.ceil(median * np.exp(log_spread))).astype(int)
    # Beyond the horizon the desk offers an earlier day instead: anywhere in the last half of the horizon.
    horizon = np.where(agenda["day"] >= world.policy_start, world.policy.lead_max_days, rates.lead_max_days)
    lead = np.where(lead > horizon, np.ceil(horizon * (0.5 + 0.5 * fresh)), lead).astype(int)
    office = rng.uniform(8 * 60, 17 * 60, n)
    shortly_before = np.maximum(minutes - rng.uniform(30, 180, n), 6.5 * 60)  # the telephone opens at half past six
    booked_minute = np.floor(np.where(lead == 0, shortly_before, office))
    day = agenda["day"] - pd.to_timedelta(lead, unit="D")
    return lead, day + pd.to_timedelta(booked_minute, unit="min")
