"""Do visits, patients and no-shows look as the literature says?"""

from carelab.synth.areas import Figures, Measure
from carelab.synth.scheduling.measure import (
    HONEST,
    NUMBERS,
    WORDS,
    Data,
    boosting,
    later_auc,
    logistic,
    odds_ratio,
)
from carelab.synth.statistics import auc


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


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "no_show_rate": Measure(
        "no-shows among past visits recorded as kept or missed", lambda d: d.history["missed"].mean()
    ),
    "ceiling_auc": Measure("AUC of the true probability, test period", ceiling),
    "honest_auc": Measure("AUC of a logistic regression on what is known the evening before, test period", _honest),
    "boosting_gain": Measure("what gradient boosting adds to that AUC", _boosting_gain),
    "lead_auc": Measure(
        "AUC of the lead time alone, whole history",
        lambda d: auc(d.history["missed"], d.history["lead_days"]),
    ),
    "prior_rate_auc": Measure("AUC of the earlier no-show rate alone, whole history", _prior_rate),
    "lead_odds_ratio": Measure("odds ratio of a lead over 28 days against the same day", _lead_odds_ratio),
    "prior_odds_ratio": Measure(
        "odds ratio of any earlier no-show, for patients with an earlier visit", _prior_odds_ratio
    ),
    "past_appointments": Measure("appointments before the extract, all statuses", lambda d: len(d.past)),
    "spanish_share": Measure("patients whose language is Spanish", lambda d: d.patients["language"].eq("es").mean()),
    "race_missing_share": Measure("patients without race or ethnicity", _race_missing),
    "duplicate_share": Measure("second records, as a share of all people", _duplicates),
    "deceased_share": Measure(
        "patient records with a date of death", lambda d: d.patients["deceased_on"].notna().mean()
    ),
    "former_number_share": Measure(
        "patient records with a number of the group taken over", lambda d: d.patients["former_mrn"].notna().mean()
    ),
}


def ceilings(data: Data) -> Figures:
    """AUC of the true probability: no honest model can expect to do better."""
    return {
        "auc_test_period": ceiling(data),
        "auc_whole_history": auc(data.history["missed"], data.history["p_no_show"]),
    }
