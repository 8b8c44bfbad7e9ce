"""Measurements on the built log, for its calibration and its traps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ttest_ind
from sklearn.metrics import roc_auc_score

from carelab.synth.config import World

INPUTS = {
    "readmission": [
        "age", "prior_admissions", "length_of_stay", "creatinine", "hemoglobin", "albumin", "diagnosis_group", "score",
    ],
    "no-show": ["age", "lead_days", "prior_no_shows", "payer", "score"],
}  # fmt: skip


@dataclass(frozen=True)
class Data:
    """The log with its truth (p, outcome, score_mended), the daily log of the services, and the planted changes."""

    world: World
    log: pd.DataFrame
    services: pd.DataFrame
    changes: pd.DataFrame

    def of(self, model: str, since: object = None, until: object = None) -> pd.DataFrame:
        """A model's rows from `since` until before `until` (local days)."""
        rows = self.log[self.log["model"] == model]
        if since is not None:
            rows = rows[rows["predicted_on"] >= pd.Timestamp(since)]  # type: ignore[arg-type]
        if until is not None:
            rows = rows[rows["predicted_on"] < pd.Timestamp(until)]  # type: ignore[arg-type]
        return rows

    def baseline(self, model: str) -> pd.DataFrame:
        """A model's rows of the first half year, in which it was accepted."""
        return self.of(model, until=self.world.monitoring.quiet_from)

    def quiet(self, model: str) -> pd.DataFrame:
        """A model's rows of the half year in which nothing changes."""
        return self.of(model, self.world.monitoring.quiet_from, self.world.monitoring.quiet_until)


def load(folder: Path, world: World) -> Data:
    """Read a built world's log and its truth."""
    log, services = (
        pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in ("prediction_log", "service_log")
    )
    true, changes = (
        pd.read_parquet(folder / "truth" / f"monitoring_{name}.parquet") for name in ("predictions", "changes")
    )
    return Data(world, log.merge(true, on="prediction_id", validate="1:1"), services, changes)


def psi(before: pd.Series, after: pd.Series, bins: int = 5) -> float:
    """Population stability index between two samples of one input; below 0.1 counts as no change.

    Numbers are cut at the quantiles of `before`; missing values are a class of their own. Half a row is added to each
    class, so that an empty one does not make the index infinite.
    """
    if pd.api.types.is_numeric_dtype(before):
        edges = np.unique(np.nanquantile(before.to_numpy(float), np.linspace(0, 1, bins + 1)[1:-1]))
        left, right = (
            pd.Series(np.where(x.isna(), -1, np.searchsorted(edges, x.to_numpy(float)))) for x in (before, after)
        )
    else:
        left, right = before.fillna("missing"), after.fillna("missing")
    counts = pd.DataFrame({"before": left.value_counts(), "after": right.value_counts()}).fillna(0) + 0.5
    share = counts / counts.sum()
    return float(((share["after"] - share["before"]) * np.log(share["after"] / share["before"])).sum())


def change_p_value(before: pd.Series, after: pd.Series) -> float:
    """P value of a test for any change of an input: Welch's t test for numbers, chi-squared for words."""
    if pd.api.types.is_numeric_dtype(before):
        return float(ttest_ind(before.dropna(), after.dropna(), equal_var=False).pvalue)
    table = pd.DataFrame({"before": before.value_counts(), "after": after.value_counts()}).fillna(0)
    return float(chi2_contingency(table.to_numpy()).pvalue)


def auc(rows: pd.DataFrame, score: str = "score") -> float:
    """Area under the ROC curve of a score for the true outcome, over rows that have the score."""
    rows = rows.dropna(subset=[score])
    return float(roc_auc_score(rows["outcome"], rows[score]))


def observed_over_expected(rows: pd.DataFrame, score: str = "score") -> float:
    """Outcomes over the sum of the scores: above 1 the model promises too little risk."""
    rows = rows.dropna(subset=[score])
    return float(rows["outcome"].sum() / rows[score].sum())
