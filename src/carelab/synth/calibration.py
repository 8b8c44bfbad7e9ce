"""Does the built world look as the literature says? Each target with its tolerance; outside it, the build stops."""

from collections.abc import Callable
from dataclasses import dataclass

from carelab.errors import UserError
from carelab.synth.config import load_sources
from carelab.synth.measure import HONEST, NUMBERS, WORDS, Data, auc, boosting, later_auc, logistic, odds_ratio


@dataclass(frozen=True)
class Result:
    """One target: its name in world.toml, what it means, what was achieved, and the tolerance."""

    name: str
    meaning: str
    achieved: float
    lower: float
    upper: float
    source: str

    @property
    def within(self) -> bool:
        """Whether the achieved figure, as printed, lies in the tolerance."""
        return self.lower <= self.achieved <= self.upper


def ceiling(data: Data) -> float:
    """AUC of the true probability on the test period: no honest model can expect to do better."""
    later = data.history[data.history["later"]]
    return auc(later["missed"], later["p_no_show"])


def _honest(data: Data) -> float:
    return later_auc(data.history, logistic(NUMBERS, WORDS), HONEST)


def _boosting_gain(data: Data) -> float:
    return later_auc(data.history, boosting(NUMBERS, WORDS), HONEST) - _honest(data)


def _lead_odds_ratio(data: Data) -> float:
    ends = data.history[(data.history["lead_days"] > 28) | (data.history["lead_days"] < 1)]
    return odds_ratio(ends["missed"], ends["lead_days"] > 28)


def _prior_odds_ratio(data: Data) -> float:
    seen = data.history[data.history["prior_visits"] > 0]
    return odds_ratio(seen["missed"], seen["prior_no_shows"] > 0)


def _prior_rate(data: Data) -> float:
    rate = data.history["prior_no_shows"] / data.history["prior_visits"].clip(lower=1)
    return auc(data.history["missed"], rate)


def _race_missing(data: Data) -> float:
    return float((data.patients["race"].isna() | data.patients["ethnicity"].isna()).mean())


def _duplicates(data: Data) -> float:
    return float(data.true_patients["duplicate"].sum() / data.true_patients["person_id"].nunique())


# Name of the target in world.toml -> (what it means, how it is measured).
MEASURES: dict[str, tuple[str, Callable[[Data], float]]] = {
    "no_show_rate": ("no-shows among past visits recorded as kept or missed", lambda d: d.history["missed"].mean()),
    "ceiling_auc": ("AUC of the true probability, test period", ceiling),
    "honest_auc": ("AUC of a logistic regression on what is known the evening before, test period", _honest),
    "boosting_gain": ("what gradient boosting adds to that AUC", _boosting_gain),
    "lead_auc": (
        "AUC of the lead time alone, whole history",
        lambda d: auc(d.history["missed"], d.history["lead_days"]),
    ),
    "prior_rate_auc": ("AUC of the earlier no-show rate alone, whole history", _prior_rate),
    "lead_odds_ratio": ("odds ratio of a lead over 28 days against the same day", _lead_odds_ratio),
    "prior_odds_ratio": ("odds ratio of any earlier no-show, for patients with an earlier visit", _prior_odds_ratio),
    "past_appointments": ("appointments before the extract, all statuses", lambda d: len(d.past)),
    "spanish_share": ("patients whose language is Spanish", lambda d: d.patients["language"].eq("es").mean()),
    "race_missing_share": ("patients without race or ethnicity", _race_missing),
    "duplicate_share": ("second records, as a share of all people", _duplicates),
}


def calibrate(data: Data) -> list[Result]:
    """Measure every target of world.toml."""
    sources, results = load_sources(), []
    for name, (meaning, measure) in MEASURES.items():
        lower, upper = getattr(data.world.targets, name)
        achieved = round(float(measure(data)), 3)
        results.append(Result(name, meaning, achieved, lower, upper, sources[f"targets.{name}"]))
    return results


def stop_outside(results: list[Result]) -> None:
    """Raise UserError naming every target that was missed."""
    missed = [f"{r.name} is {r.achieved}, not in {r.lower} to {r.upper}" for r in results if not r.within]
    if missed:
        raise UserError(f"The world misses its calibration: {'; '.join(missed)}. Change the rates in world.toml.")
