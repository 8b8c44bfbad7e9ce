"""Do stays and returns look as the literature says?"""

import pandas as pd

from carelab.fhir.readmissions import readmissions
from carelab.synth.areas import Figures, Measure
from carelab.synth.readmission.measure import HONEST, Data, boosting, later_auc, later_scores, precision
from carelab.synth.statistics import auc


def ceiling(data: Data) -> float:
    """AUC of the true probability on the test period: no honest model can expect to do better."""
    later = data.index[data.index["later"]]
    return auc(later["readmitted"], later["p_readmit"])


def _inpatient(data: Data) -> pd.DataFrame:
    return data.stays[data.stays["class"] == "IMP"]


def _disposition(name: str) -> Measure:
    return Measure(
        f"inpatient stays that end with: {name}", lambda d: _inpatient(d)["disposition"].dropna().eq(name).mean()
    )


def _albumin_unknown(data: Data) -> float:
    measured = data.labs.loc[data.labs["loinc"] == "1751-7", "stay_id"]
    return float(1 - _inpatient(data)["stay_id"].isin(measured).mean())


def _yes(answers: pd.Series) -> pd.Series:
    """True where the answer is yes, False where it is no or missing."""
    return answers.astype("boolean").fillna(value=False).astype(bool)


def _rule_agrees(data: Data) -> float:
    """Share of inpatient stays on which the rule, from recorded columns, says what the truth says."""
    ruled = readmissions(data.stays, data.until).merge(data.true, on="stay_id", suffixes=("", "_true"))
    same = ruled["eligible"].eq(ruled["eligible_true"])
    both = _yes(ruled["readmitted"]) == _yes(ruled["readmitted_true"])
    return float((same & both).mean())


def _boosting_gain(data: Data) -> float:
    return auc(*later_scores(data.index, HONEST, boosting())) - later_auc(data.index, HONEST)


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "inpatient_stays": Measure("inpatient stays", lambda d: len(_inpatient(d))),
    "readmission_rate": Measure("unplanned returns within 30 days, among starts", lambda d: d.index["readmitted"].mean()),
    "length_of_stay": Measure("mean days of a start", lambda d: d.index["length_of_stay"].mean()),
    "length_of_stay_readmitted": Measure(
        "mean days of a start that is followed by a return",
        lambda d: d.index.loc[d.index["readmitted"] == 1, "length_of_stay"].mean(),
    ),
    "urgent_share": Measure("inpatient stays that were not elective", lambda d: _inpatient(d)["admission"].ne("elective").mean()),
    "home_share": _disposition("home"),
    "home_health_share": _disposition("home-health"),
    "snf_share": _disposition("snf"),
    "albumin_unknown": Measure("inpatient stays without an albumin", _albumin_unknown),
    "lace_auc": Measure("AUC of LACE from the recorded columns, whole history", lambda d: auc(d.index["readmitted"], d.index["lace"])),
    "lace_high_rate": Measure(
        "returns after a LACE of 10 or more", lambda d: d.index.loc[d.index["lace"] >= 10, "readmitted"].mean()
    ),
    "lace_low_rate": Measure(
        "returns after a LACE below 10", lambda d: d.index.loc[d.index["lace"] < 10, "readmitted"].mean()
    ),
    "honest_auc": Measure(
        "AUC of a logistic regression on what is known at discharge, test period", lambda d: later_auc(d.index, HONEST)
    ),
    "honest_precision": Measure("average precision of that model", lambda d: precision(*later_scores(d.index, HONEST))),
    "boosting_gain": Measure("what gradient boosting adds to that AUC", _boosting_gain),
    "ceiling_auc": Measure("AUC of the true probability, test period", ceiling),
    "rule_agrees": Measure("inpatient stays on which the rule and the truth agree", _rule_agrees),
}  # fmt: skip


def ceilings(data: Data) -> Figures:
    """AUC and average precision of the true probability: no honest model can expect to do better."""
    later = data.index[data.index["later"]]
    return {
        "auc_test_period": ceiling(data),
        "auc_whole_history": auc(data.index["readmitted"], data.index["p_readmit"]),
        "precision_test_period": precision(later["readmitted"], later["p_readmit"]),
    }
