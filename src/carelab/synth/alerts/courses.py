"""The course of each stay on a four-hour grid: who deteriorates when, who is suspected when, what the vendor's score says."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.people import expit
from carelab.synth.streams import stream

NEVER = np.inf  # hours of an event that does not happen
AFTER_ONSET = 12.0  # hours until the patient has left for intensive care, where the score is off
ORDER_COUNTS = 48.0  # hours for which a lactate order marks a patient as suspected


@dataclass(frozen=True)
class Courses:
    """The stays with a score, and their scores.

    stays: one row a stay, sorted by admission, with onset and suspected (hours since admission, `NEVER`). The arrays
    have shape (stays, steps): scored (bool: in the ward at that step), score (0 to 1), ordered (a lactate was ordered
    in the two days before), useful (the criteria are met within a day, and nobody has suspected it), p_useful (its
    probability, from the hidden state), respiratory_rate (breaths a minute). hours: of the steps, since admission.
    """

    stays: pd.DataFrame
    hours: np.ndarray
    scored: np.ndarray
    score: np.ndarray
    ordered: np.ndarray
    useful: np.ndarray
    p_useful: np.ndarray
    respiratory_rate: np.ndarray


def scored_stays(core: Core, stays: pd.DataFrame) -> pd.DataFrame:
    """The inpatient stays that the score follows: from the day it went live, each stay once.

    A stay that begins while an earlier one of the same person is open is a second entry of the desk, or a bed that was
    not closed: the score follows the first.
    """
    end = pd.Timestamp(core.world.clock.extract_at)
    left = stays["discharged"].fillna(end)
    ended = left.groupby(stays["person"]).cummax().groupby(stays["person"]).shift()
    fresh = ~(stays["admitted"] < ended)
    live = stays["admitted"] >= pd.Timestamp(core.world.alerts.live_from)
    inside = stays["ward"].isin(list(core.world.alerts.unit_alerts_per_day))
    kept = stays[fresh & live & inside].reset_index(drop=True)
    kept["hours"] = (kept["discharged"].fillna(end) - kept["admitted"]).dt.total_seconds() / 3600
    return kept


def follow(core: Core, stays: pd.DataFrame) -> Courses:
    """Deterioration, suspicion and scores of the stays. stays: of readmission's frame, sorted by admission."""
    rates = core.world.alerts

    def draw(name: str) -> np.random.Generator:
        return stream(core.world.seed, f"alerts/{name}", core.panel.number)

    kept = scored_stays(core, stays)
    n, step = len(kept), rates.hours_between_scores
    hours = np.arange(step, rates.most_hours + 1, step, dtype=float)
    shape = (n, len(hours))
    weights = rates.onset_weights
    static = (
        weights["severity"] * kept["severity"].to_numpy(float)
        + weights["frailty"] * kept["frailty"].to_numpy(float)
        + weights["emergency"] * kept["admission"].isin(["emergency", "transfer"]).to_numpy()
    )
    state = _persistent(draw("state").normal(0, 1, shape), rates.state_persistence)
    fixed = rates.onset_intercept + static[:, None] + weights["late"] * np.log1p(hours / 24)[None, :]
    hazard = expit(fixed + weights["state"] * state)
    present = hours[None, :] < kept["hours"].to_numpy()[:, None]
    falls = (draw("onset").random(shape) < hazard) & present
    # Within the four hours before the step that finds it.
    moment = hours[falls.argmax(axis=1)] - step * draw("onset-moment").random(n)
    onset = np.where(falls.any(axis=1), moment, NEVER)

    lead = draw("suspicion").normal(-rates.suspicion_lead_hours, rates.suspicion_sd_hours, n).clip(-36, 12)
    chance = expit(rates.false_suspicion_logit + 0.5 * static)
    falsely = np.where(
        draw("false-suspicion").random(n) < chance,
        draw("false-suspicion-when").random(n) * np.minimum(kept["hours"], rates.most_hours),
        NEVER,
    )
    suspected = np.where(np.isfinite(onset), np.maximum(onset + lead, 1.0), falsely)

    ordered = (suspected[:, None] <= hours) & (hours < suspected[:, None] + ORDER_COUNTS)
    looks = rates.score_weights
    level = (
        rates.score_intercept
        + looks["static"] * static[:, None]
        + looks["state"] * state
        + looks["stay_noise"] * draw("stay-noise").normal(0, 1, (n, 1))
        + looks["noise"] * draw("noise").normal(0, 1, shape)
        + looks["ordered"] * ordered
    )
    ahead = onset[:, None] - hours
    breath = rates.respiratory_rate
    breaths = breath["mean"] + breath["state"] * state + draw("breath").normal(0, breath["sd"], shape)
    known = hours >= suspected[:, None]
    return Courses(
        stays=kept.assign(onset=onset, suspected=suspected),
        hours=hours,
        scored=present & (hours < onset[:, None] + AFTER_ONSET),
        score=expit(level).round(3),
        ordered=ordered,
        useful=(ahead > 0) & (ahead <= rates.useful_within_hours) & ~known,
        p_useful=np.where(known, 0.0, _chance_ahead(core, fixed, state, weights["state"])),
        respiratory_rate=breaths.round().clip(9, 40).astype(int),
    )


def _persistent(noise: np.ndarray, persistence: float) -> np.ndarray:
    """Standard normal noise, shape (n, steps), as a process in which each step resembles the last."""
    state = noise.copy()
    for k in range(1, noise.shape[1]):
        state[:, k] = persistence * state[:, k - 1] + np.sqrt(1 - persistence**2) * noise[:, k]
    return state


def _chance_ahead(core: Core, fixed: np.ndarray, state: np.ndarray, weight: float) -> np.ndarray:
    """Probability that the criteria are met within the useful hours, given the hidden state now. Shape as `state`.

    The hazards ahead are averaged over where the state may go; discharge is not foreseen.
    """
    rates = core.world.alerts
    none = np.ones_like(state)
    for ahead in range(1, rates.useful_within_hours // rates.hours_between_scores + 1):
        kept = rates.state_persistence**ahead
        spread = 0.5 * weight**2 * (1 - kept**2)
        none *= 1 - expit(fixed + weight * kept * state + spread)
    return np.asarray(1 - none)
