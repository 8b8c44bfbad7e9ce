"""Who comes: true risk, reminders and outcomes of a panel's appointments, one visit after the other.

A missed visit makes the next miss likelier, so outcomes are drawn in the order of the visits: a loop over the rank of
a visit within its person, with all people of the panel at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from carelab.synth.config import Clinic, Panel, World
from carelab.synth.people import expit, logit
from carelab.synth.staff import AT_HOSPITAL
from carelab.synth.streams import stream
from carelab.synth.weather import snowfall

INTERCEPT_RANGE = (-8.0, 2.0)


@dataclass(frozen=True)
class Draws:
    """What outcomes are made of, one entry per appointment, all of shape (n,).

    fixed: log odds without intercept, habit and reminder; latent: the person's part of it. The uniforms are drawn
    once, so that the solver of the intercept compares like with like.
    """

    fixed: np.ndarray
    latent: np.ndarray
    remindable: np.ndarray
    u_reminder: np.ndarray
    failed: np.ndarray
    u_outcome: np.ndarray
    miscoded: np.ndarray  # would be entered as cancelled if the patient stays away


def visit_zip(world: World, clinic: Clinic, agenda: pd.DataFrame) -> pd.Series:
    """Three-digit ZIP of the place of each visit."""
    hospital = next(h for h in world.hospital if h.id == clinic.hospital)
    return agenda["specialty"].isin(AT_HOSPITAL).map({True: hospital.zip3, False: clinic.zip3})


def fixed_risk(
    world: World, panel: Panel, people: pd.DataFrame, agenda: pd.DataFrame, weather: pd.DataFrame
) -> np.ndarray:
    """Log odds of staying away, apart from intercept, habit and reminder. Shape (n appointments,)."""
    odds, who = world.risk, people.loc[agenda["person"]].reset_index(drop=True)
    age = (agenda["start"] - who["birth_date"]).dt.days / 365.25
    hospital = agenda["specialty"].isin(AT_HOSPITAL)
    km = np.where(hospital, who["hospital_km"], who["clinic_km"])
    snow = snowfall(weather, visit_zip(world, world.clinic[panel.clinic], agenda), agenda["day"])
    hour = agenda["start"].dt.hour
    times = [  # (odds ratio, how often it applies)
        (odds.lead_per_log_day, np.log1p(agenda["lead_days"])),
        (odds.medicaid, who["payer"].eq("medicaid")),
        (odds.self_pay, who["payer"].eq("self-pay")),
        (odds.medicare, who["payer"].eq("medicare")),
        (odds.spanish, who["language"].eq("es")),
        (odds.other_language, who["language"].eq("other")),
        (odds.male, who["sex"].eq("male")),
        (odds.age_18_34, age.between(18, 35)),
        (odds.age_65_up, age >= 65),
        (odds.distance_per_doubling, np.log2(km / 5.0)),
        (odds.transport_need, who["transport_need"]),
        (odds.behavioral_health, agenda["specialty"].eq("behavioral_health")),
        (odds.dermatology, agenda["specialty"].eq("dermatology")),
        (odds.pediatrics, agenda["specialty"].eq("pediatrics")),
        (odds.cardiology, agenda["specialty"].eq("cardiology")),
        (odds.snow_per_cm, np.minimum(snow, odds.snow_max_cm)),
        (odds.early_or_late_hour, hour.eq(8) | hour.ge(17)),
        (odds.monday_or_friday, agenda["start"].dt.weekday.isin([0, 4])),
        (odds.new_patient, agenda["new_patient"]),
        (world.policy.odds, agenda["start"] >= world.policy_start),
    ]
    effects = sum(np.log(ratio) * np.asarray(count, dtype=float) for ratio, count in times)
    return np.asarray(who["latent"] + effects)


def draw_all(world: World, panel: Panel, people: pd.DataFrame, agenda: pd.DataFrame, weather: pd.DataFrame) -> Draws:
    """Everything random about the outcomes of a panel, before the intercept is known."""
    n = len(agenda)

    def uniform(name: str) -> np.ndarray:
        return stream(world.seed, name, panel.number).random(n)

    miscodes = world.clinic[panel.clinic].miscodes_no_shows & ~agenda["specialty"].isin(AT_HOSPITAL).to_numpy()
    early_cancel = agenda["cancelled"] & ~agenda["late_cancel"]
    return Draws(
        fixed=fixed_risk(world, panel, people, agenda, weather),
        latent=people["latent"].to_numpy()[agenda["person"]],
        remindable=(agenda["lead_days"].gt(0) & ~early_cancel).to_numpy(),
        u_reminder=uniform("reminder"),
        failed=uniform("reminder-failed") < world.reminder.failed_share,
        u_outcome=uniform("outcome"),
        miscoded=miscodes & (uniform("miscoding") < world.miscoding.share),
    )


def simulate(world: World, agenda: pd.DataFrame, draws: Draws, intercept: float) -> pd.DataFrame:
    """Outcomes of all appointments of a panel for one intercept, in the agenda's order.

    Columns: p_without, p_with (true probability of staying away without and with a reminder), reminder (sent or
    planned), failed (not delivered), p (the probability that applies), away_without, away_with (potential
    outcomes on the same draw), true_status, status (as recorded).
    """
    order = np.lexsort((agenda["start"], agenda["person"]))
    person = agenda["person"].to_numpy()[order]
    _, row = np.unique(person, return_inverse=True)
    rank = pd.Series(person).groupby(person).cumcount().to_numpy()
    shape = (row.max(initial=-1) + 1, rank.max(initial=-1) + 1)

    def grid(values: np.ndarray, empty: float | bool) -> np.ndarray:
        """People by rank of the visit."""
        padded = np.full(shape, empty, dtype=np.asarray(values).dtype)
        padded[row, rank] = np.asarray(values)[order]
        return padded

    start = grid(agenda["start"].to_numpy().astype("int64"), 0)
    created = grid(agenda["created"].to_numpy().astype("int64"), 0)
    comes_due = grid(~agenda["cancelled"].to_numpy(), False)
    fixed, latent, u = grid(draws.fixed, 0.0), grid(draws.latent, 0.0), grid(draws.u_outcome, 1.0)
    remindable, failed = grid(draws.remindable, False), grid(draws.failed, False)
    u_reminder = grid(draws.u_reminder, 1.0)

    habit, effect = np.log(world.risk.missed_last), np.log(world.risk.reminder)
    rule, centre = world.reminder, logit(world.risk.no_show_rate)
    people = np.arange(shape[0])
    without, sent, away = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    for k in range(shape[1]):
        # The last visit that was due before this one was booked: only what has happened has its effect.
        known = comes_due[:, :k] & (start[:, :k] < created[:, k : k + 1])
        last = np.where(known, np.arange(1, k + 1), 0).max(axis=1, initial=0)
        missed_last = (last > 0) & away[people, last - 1]
        without[:, k] = intercept + fixed[:, k] + habit * missed_last
        seen = rule.per_logit_of_risk * (without[:, k] - centre) + rule.per_logit_of_person * latent[:, k]
        chosen = expit(rule.base_logit + seen)
        sent[:, k] = remindable[:, k] & (u_reminder[:, k] < chosen)
        received = sent[:, k] & ~failed[:, k]
        away[:, k] = comes_due[:, k] & (u[:, k] < expit(without[:, k] + effect * received))

    result = pd.DataFrame(index=agenda.index)

    def back(values: np.ndarray) -> np.ndarray:
        flat = np.empty(len(agenda), dtype=values.dtype)
        flat[order] = values[row, rank]
        return flat

    log_odds = back(without)
    result["reminder"] = back(sent)
    result["failed"] = result["reminder"] & draws.failed
    result["p_without"], result["p_with"] = expit(log_odds), expit(log_odds + effect)
    received = result["reminder"] & ~result["failed"]
    result["p"] = result["p_with"].where(received, result["p_without"])
    result["away_without"] = draws.u_outcome < result["p_without"]
    result["away_with"] = draws.u_outcome < result["p_with"]
    stays_away = back(away)
    result["true_status"] = np.select([agenda["cancelled"], stays_away], ["cancelled", "noshow"], "fulfilled")
    result["status"] = np.select(
        [~agenda["past"] | agenda["unresolved"], stays_away & draws.miscoded],
        ["booked", "cancelled"],
        result["true_status"],
    )
    return result


def recorded_rate(statuses: list[pd.Series]) -> float:
    """No-shows among visits recorded as kept or missed."""
    counts = pd.concat(statuses).value_counts()
    return float(counts["noshow"] / (counts["noshow"] + counts["fulfilled"]))


def solve_intercept(world: World, prepared: list[tuple[pd.DataFrame, Draws]]) -> float:
    """Intercept at which the recorded no-show rate of the given panels is the target's, by bisection.

    Rounded to four decimals, so that the last bit of a platform's arithmetic cannot change the world.
    """
    low, high = INTERCEPT_RANGE
    while high - low > 1e-4:
        middle = (low + high) / 2
        rate = recorded_rate([simulate(world, agenda, draws, middle)["status"] for agenda, draws in prepared])
        low, high = (middle, high) if rate < world.risk.no_show_rate else (low, middle)
    return round((low + high) / 2, 4)
