"""Measurements on the built alerts, for their calibration and their traps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from carelab.synth.config import World

# Known when an alert fires; `log_hours` and `first` are made from the columns.
NUMBERS = ["score", "respiratory_rate", "log_hours", "alerts_24h", "lactate_ordered", "first"]
WORDS = ["ward"]


@dataclass(frozen=True)
class Data:
    """The built tables, with what only the truth knows.

    alerts: the learners' table with the truth of each alert, sorted by time. scores: the vendor's report with
    onset_hours and suspected_hours of the stay. stays: one row a stay with a score: site_id, ward, admitted_on,
    onset_hours, suspected_hours.
    """

    world: World
    alerts: pd.DataFrame
    scores: pd.DataFrame
    stays: pd.DataFrame


def load(folder: Path, world: World) -> Data:
    """Read a built world's alerts and their truth."""
    alerts, scores, falls = (
        pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in ("alerts", "scores", "deteriorations")
    )
    events, stays = (pd.read_parquet(folder / "truth" / f"alert_{name}.parquet") for name in ("events", "stays"))
    alerts = alerts.merge(events, on="alert_id", validate="1:1").merge(
        falls[["stay_id", "met_at"]], how="left", on="stay_id"
    )
    times = stays[["stay_id", "onset_hours", "suspected_hours"]]
    return Data(world, with_features(alerts), scores.merge(times, on="stay_id", validate="m:1"), stays)


def with_features(alerts: pd.DataFrame) -> pd.DataFrame:
    """Alerts by time, with `log_hours`, `first` (no alert on the stay in the day before) and two labels made from the
    tables: `meets` (criteria met within the next 24 hours) and `helps` (so, and no lactate ordered yet)."""
    alerts = alerts.sort_values(["fired_at", "alert_id"], ignore_index=True)
    ahead = (alerts["met_at"] - alerts["fired_at"]).dt.total_seconds() / 3600
    meets = (ahead > -1 / 60) & (ahead <= 24)
    return alerts.assign(
        log_hours=np.log1p(alerts["hours_since_admission"]),
        first=alerts["alerts_24h"] == 0,
        meets=meets,
        helps=meets & ~alerts["lactate_ordered"],
    )


def deterioration(data: Data) -> pd.DataFrame:
    """The deterioration alerts, by time."""
    return data.alerts[data.alerts["kind"] == "deterioration"].reset_index(drop=True)


def peaks(data: Data, before_suspicion: bool) -> pd.DataFrame:
    """Highest score of each stay, with `falls` (whether the criteria were met); perhaps only of scores that came before
    anybody noticed, where a stay that never had one counts as 0: the score gave no warning."""
    scores = data.scores
    if before_suspicion:
        noticed = scores[["suspected_hours", "onset_hours"]].min(axis=1)
        scores = scores[~(scores["hours_since_admission"] >= noticed)]
    highest = scores.groupby("stay_id")["score"].max()
    stays = data.stays[data.stays["stay_id"].isin(data.scores["stay_id"])]
    return pd.DataFrame({"score": stays["stay_id"].map(highest).fillna(0.0), "falls": stays["onset_hours"].notna()})


def peak_auc(data: Data, before_suspicion: bool) -> float:
    """AUC of a stay's highest score for deterioration in that stay."""
    found = peaks(data, before_suspicion)
    return float(roc_auc_score(found["falls"], found["score"]))


def by_stay(data: Data) -> pd.DataFrame:
    """One row a stay: falls (bool), alerted (any deterioration alert), in_time (one before suspicion and onset)."""
    stays = data.stays[["stay_id", "onset_hours", "suspected_hours"]]
    fired = deterioration(data)[["stay_id", "hours_since_admission"]].merge(stays, on="stay_id")
    limit = fired[["onset_hours", "suspected_hours"]].min(axis=1)
    early = fired.loc[fired["hours_since_admission"] < limit.fillna(np.inf), "stay_id"]
    return pd.DataFrame(
        {
            "stay_id": stays["stay_id"],
            "falls": stays["onset_hours"].notna(),
            "alerted": stays["stay_id"].isin(fired["stay_id"]),
            "in_time": stays["stay_id"].isin(early),
        }
    )


def ranker() -> Pipeline:
    """Logistic regression on what is known when an alert fires."""
    columns = make_column_transformer(
        (StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS), sparse_threshold=0
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def split(data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deterioration alerts to learn from, and those of the test period."""
    alerts = deterioration(data)
    later = alerts["fired_at"] >= pd.Timestamp(data.world.clock.train_until)
    return alerts[~later], alerts[later].reset_index(drop=True)


def precision_in_capacity(alerts: pd.DataFrame, rank: np.ndarray, capacity: int) -> float:
    """Share of visits that were useful when a nurse makes `capacity` visits a day, highest `rank` first.

    The day's alerts are ranked together, a simplification. A second visit to the same stay on a day helps nobody, and
    is one. rank: shape (n,), one for each row of `alerts`; -inf for alerts that are not visited.
    """
    day = alerts["fired_at"].dt.normalize()
    rows = alerts.assign(day=day, rank=rank)[np.isfinite(rank)]
    order = rows.sort_values(["day", "rank", "alert_id"], ascending=[True, False, True])
    seen = order[order.groupby("day").cumcount() < capacity]
    useful = seen[seen["useful"]].drop_duplicates(["day", "stay_id"])
    return len(useful) / len(seen)


def once_a_day(alerts: pd.DataFrame, rank: np.ndarray) -> np.ndarray:
    """The rank, with only the highest-ranked alert of each stay and day left. Shape (n,)."""
    rows = pd.DataFrame({"stay": alerts["stay_id"], "day": alerts["fired_at"].dt.normalize(), "rank": rank})
    best = rows.sort_values("rank", ascending=False, kind="stable").drop_duplicates(["stay", "day"]).index
    return np.where(rows.index.isin(best), rank, -np.inf)


def reading_odds_ratio(alerts: pd.DataFrame, adjusted: bool) -> float:
    """Odds ratio of reading an alert for every ten alerts that the unit had that day, hardly penalised; perhaps within
    wards and with equal alerts on the same patient."""
    columns = pd.DataFrame({"load": alerts["unit_alerts_today"] / 10})
    if adjusted:
        columns = columns.join(pd.get_dummies(alerts["ward"], dtype=float)).assign(repeats=alerts["alerts_24h"])
    model = LogisticRegression(C=1e4, max_iter=2000).fit(columns, alerts["action"].notna())
    return float(np.exp(model.coef_[0][0]))
