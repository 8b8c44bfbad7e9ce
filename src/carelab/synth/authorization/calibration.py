"""Do requests, denials, appeals and clocks look as the sources say?"""

from sklearn.metrics import roc_auc_score

from carelab.synth.areas import Figures, Measure
from carelab.synth.authorization.measure import Data


def ceiling(data: Data) -> float:
    """AUC of the true probability of a denial: nobody can expect to predict payers better."""
    decided = data.decided
    return float(roc_auc_score(decided["denied"], decided["p_denied"]))


def _appealed(data: Data) -> float:
    denied = data.decided[data.decided["denied"]]
    return float(denied["appealed_on"].notna().mean())


def _overturned(data: Data) -> float:
    outcome = data.requests["appeal_outcome"]
    return float(outcome.eq("overturned").sum() / outcome.isin(["overturned", "upheld"]).sum())


def breach_ratio(data: Data) -> float:
    """Share of late answers of the slowest payer over that of the others."""
    decided = data.decided
    slow = decided["payer"].eq(decided.groupby("payer")["late"].mean().idxmax())
    return float(decided.loc[slow, "late"].mean() / decided.loc[~slow, "late"].mean())


def _noted(data: Data, kind: str) -> float:
    return float(data.requests.loc[data.requests["has_note"], "note_kind"].eq(kind).mean())


MEASURES = {
    "requests": Measure("requests for prior authorization", lambda d: len(d.requests)),
    "denied_share": Measure("requests denied, among those decided", lambda d: d.decided["denied"].mean()),
    "wrong_denial_share": Measure(
        "denials of requests that met all criteria", lambda d: d.decided.loc[d.decided["denied"], "wrong_denial"].mean()
    ),
    "appealed_share": Measure("denials appealed", _appealed),
    "overturned_share": Measure("decided appeals overturned", _overturned),
    "breach_share": Measure("answers after 72 hours (urgent) or 7 days", lambda d: d.decided["late"].mean()),
    "slow_payer_breach_ratio": Measure("late answers of the slowest payer, relative to the others'", breach_ratio),
    "urgent_share": Measure("requests sent as urgent", lambda d: d.requests["urgent"].mean()),
    "total_not_sum_share": Measure(
        "totals that are not the sum of their lines", lambda d: (d.requests["total"] != d.requests["items_total"]).mean()
    ),
    "duplicate_share": Measure(
        "requests that repeat another", lambda d: d.requests["duplicate_of"].ne("").mean()
    ),
    "notes": Measure("referral notes", lambda d: len(d.notes)),
    "wrong_patient_share": Measure("notes about another patient", lambda d: _noted(d, "wrong-patient")),
    "injection_share": Measure(
        "notes with an instruction to their reader", lambda d: d.requests.loc[d.requests["has_note"], "injected"].mean()
    ),
    "ceiling_auc": Measure("AUC of the true probability of a denial", ceiling),
}  # fmt: skip


def ceilings(data: Data) -> Figures:
    """AUC of the true probability of a denial, and the share of decisions a perfect reader of the policies agrees with."""
    decided = data.decided
    right = decided["correct_decision"].eq("denied") == decided["denied"]
    return {"auc_denied": ceiling(data), "agreement_of_correct_decisions": float(right.mean())}
