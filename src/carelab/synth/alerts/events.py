"""The alerts that fire, and what clinicians do with them."""

import numpy as np
import pandas as pd

from carelab.synth.alerts.courses import Courses
from carelab.synth.areas import Core
from carelab.synth.config import World
from carelab.synth.people import expit
from carelab.synth.streams import stream

USUAL_LOAD = 15.0  # alerts a unit has had by the hour to which `read_logit` belongs
OTHER_KINDS = ("drug-interaction", "allergy")
# Reasons of those who name one, with their weights.
REASONS = {
    "ordered": {"already-treating": 0.75, "no-clinical-change": 0.15, "not-my-patient": 0.10},
    "deterioration": {
        "no-clinical-change": 0.45, "known-condition": 0.28, "not-my-patient": 0.17, "already-treating": 0.06, "comfort-care": 0.04,
    },
    "drug-interaction": {"will-monitor": 0.45, "benefit-outweighs-risk": 0.35, "tolerated-before": 0.20},
    "allergy": {"tolerated-before": 0.60, "not-a-true-allergy": 0.40},
}  # fmt: skip
COLUMNS = [
    "stay", "kind", "hours", "score", "respiratory_rate", "lactate_ordered", "useful", "p_useful",
]  # fmt: skip


def make_alerts(core: Core, courses: Courses) -> pd.DataFrame:
    """One row an alert, sorted by time, with who read it and what was done.

    Columns: those of `COLUMNS` (stay is the row of `courses.stays`), stay_id, patient_id, site_id, ward, in_sample,
    fired_at (local), alerts_24h (on this stay in the day before), unit_alerts_today, p_read, p_read_if_halved (had the
    unit had half as many alerts), read, action (None if not read), reason, response_minutes.
    """
    found = pd.concat([_deterioration(core, courses), _others(core, courses)], ignore_index=True)
    stays = courses.stays.iloc[found["stay"]].reset_index(drop=True)
    found = found.join(stays[["stay_id", "patient_id", "site_id", "ward", "in_sample"]])
    fired = stays["admitted"] + pd.to_timedelta((found["hours"] * 60).round(), unit="min")
    found["fired_at"] = fired.dt.floor("min")
    found = found[~_silenced(core.world, found)]
    found = found.sort_values(["fired_at", "stay", "kind"], ignore_index=True)
    found["alerts_24h"] = _in_the_day_before(found)
    found["unit_alerts_today"] = _unit_load(core.world, found)
    return _answered(core, found)


def _silenced(world: World, alerts: pd.DataFrame) -> pd.Series:
    """Whether the ward had switched deterioration alerts off."""
    rates = world.alerts
    here = (alerts["site_id"] == rates.silenced_site) & (alerts["ward"] == rates.silenced_ward)
    return here & (alerts["fired_at"] >= pd.Timestamp(rates.silenced_from)) & (alerts["kind"] == "deterioration")


def _deterioration(core: Core, courses: Courses) -> pd.DataFrame:
    """Every time a score is above the threshold, unless the alert for this stay fired within the lockout."""
    rates = core.world.alerts
    above = courses.scored & (courses.score >= rates.threshold)
    fired, last = np.zeros_like(above), np.full(len(above), -np.inf)
    for k, hour in enumerate(courses.hours):
        fired[:, k] = above[:, k] & (hour - last >= rates.lockout_hours)
        last = np.where(fired[:, k], hour, last)
    stay, step = np.nonzero(fired)
    return pd.DataFrame(
        {
            "stay": stay,
            "kind": "deterioration",
            "hours": courses.hours[step],
            "score": courses.score[stay, step],
            "respiratory_rate": courses.respiratory_rate[stay, step].astype(float),
            "lactate_ordered": courses.ordered[stay, step],
            "useful": courses.useful[stay, step],
            "p_useful": courses.p_useful[stay, step],
        }
    )


def _others(core: Core, courses: Courses) -> pd.DataFrame:
    """Alerts on prescriptions: no score, and rarely of use."""
    rates, stays = core.world.alerts, courses.stays
    pieces = []
    for kind, per_stay in zip(OTHER_KINDS, (rates.drug_interaction_per_stay, rates.allergy_per_stay), strict=True):
        rng = stream(core.world.seed, f"alerts/{kind}", core.panel.number)
        stay = np.repeat(np.arange(len(stays)), rng.poisson(per_stay, len(stays)))
        hours = rng.random(len(stay)) ** 2 * stays["hours"].clip(upper=rates.most_hours).to_numpy()[stay]
        since = hours - stays["suspected"].to_numpy()[stay]
        share = rates.useful_share[kind.replace("-", "_")]
        pieces.append(
            pd.DataFrame(
                {
                    "stay": stay, "kind": kind, "hours": hours, "score": np.nan, "respiratory_rate": np.nan,
                    "lactate_ordered": (since >= 0) & (since < 48), "useful": rng.random(len(stay)) < share, "p_useful": share,
                }
            )
        )  # fmt: skip
    return pd.concat(pieces, ignore_index=True)


def _in_the_day_before(alerts: pd.DataFrame) -> np.ndarray:
    """How many alerts the same stay had in the 24 hours before each. Takes alerts sorted by time."""
    # One number line for all stays, far enough apart that a day never reaches from one to the next.
    key = alerts["stay"].to_numpy() * 1e6 + alerts["hours"].to_numpy()
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    count = np.arange(len(key)) - np.searchsorted(ordered, ordered - 24.0, side="left")
    back = np.empty(len(key), dtype=int)
    back[order] = count
    return back


def _unit_load(world: World, alerts: pd.DataFrame) -> np.ndarray:
    """Alerts of all systems on other patients that the unit had that day until then; the same units for every panel."""
    rates = world.alerts
    days = pd.date_range(rates.live_from, pd.Timestamp(world.clock.extract_at).normalize())
    day = days.get_indexer(pd.DatetimeIndex(alerts["fired_at"].dt.normalize()))
    passed = (alerts["fired_at"] - alerts["fired_at"].dt.normalize()) / pd.Timedelta(days=1)
    load = np.zeros(len(alerts))
    for site in (hospital.id for hospital in world.hospital):
        for ward, mean in rates.unit_alerts_per_day.items():
            rng = stream(world.seed, f"alerts/unit-{site}-{ward}")
            spread = rates.unit_alerts_spread
            whole = rng.poisson(mean * np.exp(rng.normal(-0.5 * spread**2, spread, len(days))))
            rows = ((alerts["site_id"] == site) & (alerts["ward"] == ward)).to_numpy()
            load[rows] = whole[day[rows]] * passed.to_numpy()[rows]
    return np.floor(load).astype(int)


def _answered(core: Core, alerts: pd.DataFrame) -> pd.DataFrame:
    """The alerts with who read them, and the action and reason of those who did."""
    rates, n = core.world.alerts, len(alerts)

    def uniform(name: str) -> np.ndarray:
        return stream(core.world.seed, f"alerts/{name}", core.panel.number).random(n)

    load, kind = alerts["unit_alerts_today"].to_numpy(), alerts["kind"].to_numpy()
    fixed = (
        alerts["ward"].map(rates.read_logit).to_numpy()
        + np.log(rates.read_per_repeat) * alerts["alerts_24h"].to_numpy()
    )
    per_alert = np.log(rates.read_per_ten_alerts) / 10
    # A prescription cannot be signed before its alert is closed.
    interrupts = kind != "deterioration"
    p_read, halved = (
        np.where(interrupts, 1.0, expit(fixed + per_alert * (count - USUAL_LOAD))) for count in (load, load / 2)
    )
    read = uniform("read") < p_read
    shares = rates.act_share
    act = np.select(
        [kind == "drug-interaction", kind == "allergy", alerts["useful"]],
        [shares["drug_interaction"], shares["allergy"], shares["useful"]],
        shares["not_useful"],
    )
    acted = uniform("act") < act
    silent = uniform("no-reason") < rates.no_reason_share
    action = np.select([~read, acted, silent], ["", "acted", "acknowledged"], "overridden")
    why = np.where((kind == "deterioration") & alerts["lactate_ordered"], "ordered", kind)
    u, reason = uniform("reason"), np.full(n, "", dtype=object)
    for group, share in REASONS.items():
        rows = (why == group) & (action == "overridden")
        edges = np.cumsum(list(share.values()))
        pick = np.searchsorted(edges, u[rows], side="right").clip(max=len(share) - 1)
        reason[rows] = np.array(list(share), dtype=object)[pick]
    minutes = np.where(interrupts, 1, np.ceil(5 + 55 * uniform("minutes") ** 2)).astype(int)
    return alerts.assign(
        p_read=p_read,
        p_read_if_halved=halved,
        read=read,
        action=pd.Series(action, dtype=object).mask(~read, None),
        reason=pd.Series(reason, dtype=object).mask(reason == "", None),
        response_minutes=minutes,
    )
