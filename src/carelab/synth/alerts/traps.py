"""How alerts are judged wrongly: on the wrong unit, at the wrong time, by the wrong figure.

Every trap has a function that measures both on the built tables. What they return goes to truth/, never to a learner.
"""

import pandas as pd
from sklearn.metrics import roc_auc_score

from carelab.synth.alerts.calibration import ceilings, override_share
from carelab.synth.alerts.measure import (
    NUMBERS,
    WORDS,
    Data,
    by_stay,
    deterioration,
    once_a_day,
    peak_auc,
    precision_in_capacity,
    ranker,
    reading_odds_ratio,
    split,
)
from carelab.synth.areas import Figures, Trap


def _accuracy(data: Data) -> Figures:
    stays = by_stay(data)
    return {
        "accuracy_of_never_alerting": float((~stays["falls"]).mean()),
        "accuracy_of_vendor": float((stays["falls"] == stays["alerted"]).mean()),
        "sensitivity_of_never_alerting": 0.0,
        "sensitivity_of_vendor": float(stays.loc[stays["falls"], "in_time"].mean()),
    }


def _after_suspicion(data: Data) -> Figures:
    stays = by_stay(data)
    falls = stays[stays["falls"]]
    alerts = deterioration(data)
    return {
        "auc_all_scores": peak_auc(data, False),
        "auc_before_suspicion": peak_auc(data, True),
        "sensitivity_any_alert": float(falls["alerted"].mean()),
        "sensitivity_in_time": float(falls["in_time"].mean()),
        "alerts_with_lactate_ordered": float(alerts["lactate_ordered"].mean()),
    }


def _bursts(data: Data) -> Figures:
    alerts = deterioration(data)
    per_stay = alerts.groupby("stay_id")
    counts = per_stay.size().sort_values(ascending=False)
    return {
        "useful_per_alert": float(alerts["useful"].mean()),
        "useful_per_stay": float(per_stay["useful"].any().mean()),
        "alerts_per_alerted_stay": float(counts.mean()),
        "share_of_alerts_from_a_tenth_of_the_stays": float(counts.head(len(counts) // 10).sum() / counts.sum()),
    }


def _capacity(data: Data) -> Figures:
    """Three ways to rank a day's alerts: the vendor's score; a model of who meets the criteria soon, whose AUC is the
    best because it knows who is being treated already; and a model of whom a visit would help, each stay once."""
    train, later = split(data)
    columns, capacity = NUMBERS + WORDS, data.world.alerts.capacity
    soon, helped = (
        ranker().fit(train[columns], train[label]).predict_proba(later[columns])[:, 1] for label in ("meets", "helps")
    )
    return {
        "precision_vendor_order": precision_in_capacity(later, later["score"].to_numpy(), capacity),
        "precision_best_auc": precision_in_capacity(later, soon, capacity),
        "precision_ranked_by_help": precision_in_capacity(later, once_a_day(later, helped), capacity),
        "precision_ceiling": ceilings(data)["precision_in_capacity_test_period"],
        "auc_vendor": float(roc_auc_score(later["meets"], later["score"])),
        "auc_best": float(roc_auc_score(later["meets"], soon)),
        "auc_ranked_by_help": float(roc_auc_score(later["meets"], helped)),
    }


def _overrides(data: Data) -> Figures:
    closed = data.alerts[data.alerts["override_appropriate"].notna()]
    fine = closed.groupby("kind")["override_appropriate"].agg(lambda found: float(found.astype(bool).mean()))
    return {
        "override_rate": override_share(data, "deterioration"),
        "overrides_appropriate": float(fine["deterioration"]),
        "override_rate_drug_interaction": override_share(data, "drug-interaction"),
        "overrides_appropriate_drug_interaction": float(fine["drug-interaction"]),
        "override_rate_allergy": override_share(data, "allergy"),
        "overrides_appropriate_allergy": float(fine["allergy"]),
        "useful_alerts_overridden": float((~closed["override_appropriate"].astype(bool)).sum()),
    }


def _silenced(data: Data) -> Figures:
    rates, stays = data.world.alerts, data.stays
    stays = stays[stays["admitted_on"] >= pd.Timestamp(rates.silenced_from)]
    here = (stays["site_id"] == rates.silenced_site) & (stays["ward"] == rates.silenced_ward)
    same = ~here & (stays["ward"] == rates.silenced_ward)
    alerted, falls = stays["stay_id"].isin(deterioration(data)["stay_id"]), stays["onset_hours"].notna()
    high = data.scores.loc[data.scores["score"] >= rates.threshold, "stay_id"]
    return {
        "alerted_here": float(alerted[here].mean()),
        "alerted_same_wards_elsewhere": float(alerted[same].mean()),
        "deteriorate_here": float(falls[here].mean()),
        "deteriorate_same_wards_elsewhere": float(falls[same].mean()),
        "score_above_threshold_here": float(stays.loc[here, "stay_id"].isin(high).mean()),
    }


def _fatigue(data: Data) -> Figures:
    alerts = deterioration(data)
    return {
        "odds_ratio_crude": reading_odds_ratio(alerts, adjusted=False),
        "odds_ratio_within_wards": reading_odds_ratio(alerts, adjusted=True),
        "odds_ratio_true": data.world.alerts.read_per_ten_alerts,
        "read": float(alerts["action"].notna().mean()),
        "read_if_units_had_half_the_alerts": float(alerts["p_read_if_halved"].mean()),
    }


TRAPS = (
    Trap(
        "accuracy-metric", "Never alerting is the most accurate", "alerts, deteriorations",
        "Where few deteriorate, ask what is found at which workload; accuracy rewards silence.",
        "accuracy_of_never_alerting", "sensitivity_of_vendor", _accuracy,
    ),
    Trap(
        "after-suspicion", "The score knows what clinicians already suspect", "scores.score, alerts.lactate_ordered",
        "Judge a warning only on the time before anybody ordered a lactate.",
        "auc_all_scores", "auc_before_suspicion", _after_suspicion,
    ),
    Trap(
        "alert-bursts", "One patient alerts again and again", "alerts.alerts_24h",
        "Count patients, not alerts, and say which of the two a precision is about.",
        "useful_per_alert", "useful_per_stay", _bursts,
    ),
    Trap(
        "alert-capacity", "The best AUC is not the best list for a nurse with two visits", "alerts.score",
        "Rank by whom a visit would still help, each patient once, and measure precision within the day's capacity.",
        "precision_vendor_order", "precision_ranked_by_help", _capacity,
    ),
    Trap(
        "override-rate", "Nine of ten alerts are overridden, and mostly rightly", "alerts.action",
        "Review whether overrides were appropriate before blaming those who click, or training on their clicks.",
        "override_rate", "overrides_appropriate", _overrides,
    ),
    Trap(
        "silenced-ward", "The ward without alerts is not the ward without deterioration", "alerts.ward at one hospital",
        "Compare alerts with scores and outcomes by ward: no alerts may mean that somebody switched them off.",
        "alerted_here", "deteriorate_here", _silenced,
    ),
    Trap(
        "alert-fatigue", "Busy wards read as many alerts as quiet ones, and still tire", "alerts.unit_alerts_today",
        "Compare days within a ward: wards with more alerts watch more closely, which hides the effect of their number.",
        "odds_ratio_crude", "odds_ratio_within_wards", _fatigue,
    ),
)  # fmt: skip
