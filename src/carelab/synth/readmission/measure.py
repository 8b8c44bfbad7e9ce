"""Measurements on the built stays, for calibration and traps: the rule's labels, the same few models every time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from carelab.fhir.readmissions import LACE_CODES, lace, readmissions
from carelab.synth.config import World
from carelab.synth.readmission.labs import UMOL_PER_MG_DL
from carelab.synth.statistics import auc

LABS = {"2160-0": "creatinine", "2951-2": "sodium", "718-7": "hemoglobin", "1751-7": "albumin"}
IMPOSSIBLE_MG_DL = 15.0  # a creatinine above this is in umol/L: nobody here has one
# Known at discharge.
HONEST = [
    "days", "acute", "comorbidity", "emergency_visits_6m", "n_diagnoses", "age", "male", "medicaid", "self_pay", "creatinine",
    "sodium", "hemoglobin", "albumin", "albumin_unknown", "home_health", "snf", "rehab", "hospice",
]  # fmt: skip


@dataclass(frozen=True)
class Data:
    """The built tables, with what only the truth knows.

    stays, diagnoses, labs: as learners have them. true: truth by stay. index: one row a stay that counts as a start by
    the rule, sorted by discharge: features, `readmitted` (0 or 1, by the rule), `later` (test period), and truth.
    """

    world: World
    stays: pd.DataFrame
    diagnoses: pd.DataFrame
    labs: pd.DataFrame
    true: pd.DataFrame
    index: pd.DataFrame

    @property
    def until(self) -> pd.Timestamp:
        """End of the data, local."""
        return pd.Timestamp(self.world.clock.extract_at)


def load(folder: Path, world: World) -> Data:
    """Read a built world's tables and truth."""
    stays, diagnoses, labs = (
        pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in ("stays", "diagnoses", "labs")
    )
    true = pd.read_parquet(folder / "truth" / "readmission_stays.parquet")
    return assemble(world, stays, diagnoses, labs, true)


def assemble(
    world: World, stays: pd.DataFrame, diagnoses: pd.DataFrame, labs: pd.DataFrame, true: pd.DataFrame
) -> Data:
    """Data with its index stays, from tables."""
    ruled = readmissions(stays, pd.Timestamp(world.clock.extract_at))
    index = with_features(stays, diagnoses, labs).merge(ruled[ruled["eligible"]], on="stay_id")
    columns = ["stay_id", "person_id", "p_readmit", "need", "conditions"]
    index = index.merge(true[columns], on="stay_id", validate="1:1")
    index = index.sort_values(["discharged", "stay_id"], ignore_index=True)
    index["readmitted"] = index["readmitted"].astype(int)
    index["later"] = index["discharged"] >= pd.Timestamp(world.clock.train_until)
    return Data(world, stays, diagnoses, labs, true, index)


def with_features(stays: pd.DataFrame, diagnoses: pd.DataFrame, labs: pd.DataFrame) -> pd.DataFrame:
    """Stays with the features `HONEST`, LACE, and `creatinine_raw` as the feed has it.

    Creatinine in umol/L is turned into mg/dL; an unknown laboratory value takes the median, and albumin a mark.
    """
    found = stays.copy()
    found["days"] = found["length_of_stay"].clip(upper=14)
    found["lace"] = lace(stays.fillna({"length_of_stay": 0}), diagnoses)
    found["acute"] = found["admission"].ne("elective")
    score = np.zeros(len(found), dtype=int)
    for prefixes, points in LACE_CODES:
        with_code = diagnoses.loc[diagnoses["code"].str.startswith(prefixes), "stay_id"]
        score += points * found["stay_id"].isin(with_code).to_numpy()
    found["comorbidity"] = score.clip(max=5)
    found["male"] = found["sex"].eq("male")
    for payer in ("medicaid", "self-pay"):
        found[payer.replace("-", "_")] = found["payer"].eq(payer)
    for place in ("home-health", "snf", "rehab", "hospice"):
        found[place.replace("-", "_")] = found["disposition"].eq(place)
    latest = labs[labs["loinc"].isin(LABS)].sort_values("taken", kind="stable")
    latest = latest.drop_duplicates(["stay_id", "loinc"], keep="last").pivot(
        index="stay_id", columns="loinc", values="value"
    )
    for code, name in LABS.items():
        values = latest[code].reindex(found["stay_id"]).set_axis(found.index)
        if name == "creatinine":
            found["creatinine_raw"] = values.fillna(values.median())
            values = values.where(~(values > IMPOSSIBLE_MG_DL), values / UMOL_PER_MG_DL)
        if name == "albumin":
            found["albumin_unknown"] = values.isna()
        found[name] = values.fillna(values.median())
    return found


def logistic() -> Pipeline:
    """Logistic regression on standardised columns."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def boosting() -> HistGradientBoostingClassifier:
    """Gradient boosting with small trees."""
    return HistGradientBoostingClassifier(max_depth=3, learning_rate=0.06, max_iter=90, random_state=0)


def later_scores(
    index: pd.DataFrame, columns: Sequence[str], model: Pipeline | HistGradientBoostingClassifier | None = None
) -> tuple[pd.Series, np.ndarray]:
    """Outcome and predicted probability on the test period, of a model trained on the time before it."""
    train, test = index[~index["later"]], index[index["later"]]
    fitted = (model or logistic()).fit(train[list(columns)].astype(float), train["readmitted"])
    return test["readmitted"], fitted.predict_proba(test[list(columns)].astype(float))[:, 1]


def later_auc(index: pd.DataFrame, columns: Sequence[str]) -> float:
    """AUC on the test period of the logistic regression."""
    return auc(*later_scores(index, columns))


def precision(outcome: pd.Series, score: pd.Series | np.ndarray) -> float:
    """Average precision."""
    return float(average_precision_score(outcome, score))
