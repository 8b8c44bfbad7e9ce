"""Measurements on the built world, for its calibration and its traps: the same few models every time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from carelab.synth.config import World
from carelab.synth.statistics import auc

RESOLVED = ("fulfilled", "noshow")
# Known when the visit is booked, or the evening before; `log_lead` and `prior_rate` are made from the columns below.
NUMBERS = [
    "log_lead", "prior_rate", "prior_no_shows", "prior_visits", "age", "distance_km", "transport_need", "new_patient",
    "sms_reminder", "snow_cm_forecast",
]  # fmt: skip
WORDS = ["payer", "language", "sex", "specialty", "weekday", "hour"]
HONEST = NUMBERS + WORDS


@dataclass(frozen=True)
class Data:
    """The built tables, with what only the truth knows.

    visits: the learners' table. history: its resolved past rows, sorted by start, with `missed` (0 or 1), the honest
    features, `later` (in the test period) and the truth of each appointment.
    """

    world: World
    visits: pd.DataFrame
    appointments: pd.DataFrame
    patients: pd.DataFrame
    sites: pd.DataFrame
    weather: pd.DataFrame
    true_appointments: pd.DataFrame
    true_patients: pd.DataFrame
    history: pd.DataFrame

    @property
    def past(self) -> pd.DataFrame:
        """Visits whose time lies before the extract, whatever their status. One row a visit."""
        return self.visits[self.visits["start"] <= pd.Timestamp(self.world.clock.extract_at)]


def load(folder: Path, world: World) -> Data:
    """Read a built world's tables and truth."""
    table = {
        name: pd.read_parquet(folder / "tables" / f"{name}.parquet")
        for name in ("visits", "appointments", "patients", "sites", "weather")
    }
    truth = {name: pd.read_parquet(folder / "truth" / f"{name}.parquet") for name in ("appointments", "patients")}
    visits = table["visits"]
    resolved = visits["status"].isin(RESOLVED) & (visits["start"] <= pd.Timestamp(world.clock.extract_at))
    history = visits[resolved].merge(truth["appointments"], on="appointment_id", validate="1:1")
    history = with_features(history.sort_values(["start", "appointment_id"], ignore_index=True))
    history["missed"] = history["status"].eq("noshow").astype(int)
    history["later"] = history["start"] >= pd.Timestamp(world.clock.train_until)
    return Data(
        world, visits, table["appointments"], table["patients"], table["sites"], table["weather"],
        truth["appointments"], truth["patients"], history,
    )  # fmt: skip


def with_features(visits: pd.DataFrame) -> pd.DataFrame:
    """Visits with `log_lead`, and `prior_rate`: share of earlier visits missed, drawn to the average by five visits."""
    return visits.assign(
        log_lead=np.log1p(visits["lead_days"]),
        prior_rate=(visits["prior_no_shows"] + 1) / (visits["prior_visits"] + 5),
    )


def logistic(numbers: list[str], words: list[str]) -> Pipeline:
    """Logistic regression on standardised numbers and one-hot words."""
    columns = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words), sparse_threshold=0
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def boosting(numbers: list[str], words: list[str]) -> Pipeline:
    """Gradient boosting with small trees, the strongest honest rival of the logistic regression."""
    columns = make_column_transformer(("passthrough", numbers), (OrdinalEncoder(), words))
    return make_pipeline(
        columns, HistGradientBoostingClassifier(max_depth=3, learning_rate=0.05, max_iter=150, random_state=0)
    )


def later_auc(history: pd.DataFrame, model: Pipeline, columns: list[str]) -> float:
    """AUC on the test period of a model trained on the time before it."""
    train, test = history[~history["later"]], history[history["later"]]
    model.fit(train[columns], train["missed"])
    return auc(test["missed"], model.predict_proba(test[columns])[:, 1])


def odds_ratio(outcome: pd.Series, exposed: pd.Series) -> float:
    """Odds of the outcome (0 or 1) among the exposed over those among the others."""
    share, other = outcome[exposed].mean(), outcome[~exposed].mean()
    return float(share / (1 - share) / (other / (1 - other)))


def adjusted_odds_ratio(history: pd.DataFrame, exposure: str, numbers: list[str], words: list[str]) -> float:
    """Odds ratio of a 0/1 exposure in a logistic regression with the given other columns, hardly penalised."""
    model = logistic(numbers, words)
    model[-1].set_params(C=1e4)
    # The exposure stays unscaled, so that its coefficient is a log odds ratio.
    model[0].transformers.insert(0, ("exposure", "passthrough", [exposure]))
    model.fit(history[[exposure, *numbers, *words]].astype({exposure: float}), history["missed"])
    return float(np.exp(model[-1].coef_[0][0]))
