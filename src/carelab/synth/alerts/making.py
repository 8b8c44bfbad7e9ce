"""A panel's scores and alerts, from hidden state to resources and truth."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.alerts.courses import Courses, follow
from carelab.synth.alerts.events import make_alerts
from carelab.synth.alerts.resources import alert_resources, flag_resources, score_resources
from carelab.synth.areas import Core, Part

ALERTS_PER_PANEL = 10_000  # room in the ids


def make(core: Core, parts: Mapping[str, Part]) -> Part:
    """Scores, alerts and deteriorations of a panel's stays, with their truth.

    frames: `alerts`, one row an alert, as `events.make_alerts` describes it, with alert_id.
    """
    courses = follow(core, parts["readmission"].frames["stays"])
    first = core.panel.number * ALERTS_PER_PANEL
    alerts, scores, falls = make_alerts(core, courses), reported_scores(courses), _falls(core, courses)
    for frame, name, prefix in ((alerts, "alert_id", "alt"), (scores, "score_id", "rsk"), (falls, "flag_id", "flg")):
        frame.insert(0, name, [f"{prefix}-{first + i:07d}" for i in range(len(frame))])
    kinds: dict[str, tuple[Callable[..., list[Resource]], pd.DataFrame]] = {
        "RiskAssessment": (score_resources, scores),
        "DetectedIssue": (alert_resources, alerts),
        "Flag": (flag_resources, falls),
    }
    resources = {kind: build(core.world, frame) for kind, (build, frame) in kinds.items()}
    sample = {
        kind: [made for made, inside in zip(resources[kind], frame["in_sample"], strict=True) if inside]
        for kind, (_, frame) in kinds.items()
    }
    return Part(resources, sample, truth=_truth(courses, alerts), frames={"alerts": alerts})


def reported_scores(courses: Courses) -> pd.DataFrame:
    """What the vendor's report keeps of a stay: its highest score, and the highest before anybody noticed.

    Noticed means: a lactate was first ordered, or the criteria were met. Columns: stay_id, patient_id, in_sample, hours,
    at (local), score, lactate_ordered; sorted by stay and time, a score once where it is both.
    """
    stays = courses.stays
    noticed = stays[["suspected", "onset"]].min(axis=1).to_numpy()
    before = courses.scored & (courses.hours < noticed[:, None])
    pieces = []
    for allowed in (courses.scored, before):
        stay = np.flatnonzero(allowed.any(axis=1))
        step = np.where(allowed, courses.score, -1.0)[stay].argmax(axis=1)
        pieces.append(pd.DataFrame({"stay": stay, "step": step}))
    kept = pd.concat(pieces).drop_duplicates().sort_values(["stay", "step"], ignore_index=True)
    stay, step = kept["stay"].to_numpy(), kept["step"].to_numpy()
    found = stays.iloc[stay][["stay_id", "patient_id", "in_sample", "admitted"]].reset_index(drop=True)
    hours = courses.hours[step]
    return found.drop(columns="admitted").assign(
        hours=hours.astype(int),
        at=found["admitted"] + pd.to_timedelta(hours, unit="h"),
        score=courses.score[stay, step],
        lactate_ordered=courses.ordered[stay, step],
    )


def _falls(core: Core, courses: Courses) -> pd.DataFrame:
    """Stays in which the criteria were met, with the time (local, to the minute)."""
    stays = courses.stays[np.isfinite(courses.stays["onset"])].reset_index(drop=True)
    met = stays["admitted"] + pd.to_timedelta((stays["onset"] * 60).round(), unit="min")
    falls: pd.DataFrame = stays[["stay_id", "patient_id", "in_sample"]].assign(met_at=met.dt.floor("min"))
    return falls


def _truth(courses: Courses, alerts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What really happened, by alert and by stay. Hours since admission; missing for what never happens."""
    stays = courses.stays
    closed = alerts["action"].isin(["acknowledged", "overridden"])
    events = pd.DataFrame(
        {
            "alert_id": alerts["alert_id"],
            "useful": alerts["useful"],
            "p_useful": alerts["p_useful"].round(4),
            "after_suspicion": stays["suspected"].to_numpy()[alerts["stay"]] <= alerts["hours"],
            "p_read": alerts["p_read"].round(3),
            "p_read_if_halved": alerts["p_read_if_halved"].round(3),
            "override_appropriate": (~alerts["useful"]).where(closed).astype("boolean"),
        }
    )
    hours = {f"{name}_hours": stays[name].replace(np.inf, np.nan).round(1) for name in ("onset", "suspected")}
    return {
        "alert_events": events,
        "alert_stays": stays[["stay_id", "site_id", "ward"]].assign(
            admitted_on=stays["admitted"].dt.normalize(), **hours
        ),
    }
