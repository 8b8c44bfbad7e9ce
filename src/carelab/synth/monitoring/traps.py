"""What goes wrong around a model in use, and what watching it the wrong way misses or invents.

Every trap has a function that measures both on the built log. What they return goes to truth/, never to a learner.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from carelab.synth.areas import Figures, Trap
from carelab.synth.monitoring.log import RENAMED
from carelab.synth.monitoring.measure import INPUTS, Data, auc, change_p_value, observed_over_expected, psi


def _new_site(data: Data) -> str:
    return next(clinic.id for clinic in data.world.clinic if clinic.opens)


def _months(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows by calendar month, in order."""
    return [month for _, month in rows.groupby(rows["predicted_on"].dt.to_period("M"))]


def _unit_change(data: Data) -> Figures:
    rates = data.world.monitoring
    before = data.of("readmission", until=rates.unit_change_from)
    during = data.of("readmission", rates.unit_change_from, rates.unit_change_until)
    pooled = {
        "auc_before": auc(before),
        "auc_as_delivered": auc(during),
        "auc_in_mg_per_dl": auc(during, "score_mended"),
    }
    before, during = (rows[rows["site_id"] == rates.unit_change_site] for rows in (before, during))
    return {
        **pooled,
        "auc_this_hospital_as_delivered": auc(during),
        "auc_this_hospital_in_mg_per_dl": auc(during, "score_mended"),
        "mean_score_before": float(before["score"].mean()),
        "mean_score_during": float(during["score"].mean()),
        "overridden_before": float(before["override"].mean()),
        "overridden_during": float(during["override"].mean()),
        "largest_creatinine": float(during["creatinine"].max()),
    }


def _code_set(data: Data) -> Figures:
    """Hospitals whose creatinine stayed in its unit only, so that the two changes are kept apart."""
    rates = data.world.monitoring
    rows = data.of("readmission", rates.code_change_from)
    rows = rows[rows["site_id"] != rates.unit_change_site]
    renamed = rows["diagnosis_group"].isin([*RENAMED, *RENAMED.values()])
    return {
        "expected_in_renamed_groups": float(rows.loc[renamed, "score"].mean()),
        "observed_in_renamed_groups": float(rows.loc[renamed, "outcome"].mean()),
        "observed_over_expected_renamed": observed_over_expected(rows[renamed]),
        "observed_over_expected_others": observed_over_expected(rows[~renamed]),
        "psi_groups": psi(data.baseline("readmission")["diagnosis_group"], rows["diagnosis_group"]),
    }


def _new_site_mix(data: Data) -> Figures:
    opens = pd.Timestamp(data.world.monitoring.quiet_until)
    before, after = data.baseline("no-show"), data.of("no-show", opens, opens + pd.DateOffset(months=3))
    same = after[after["site_id"] != _new_site(data)]
    names = INPUTS["no-show"]
    return {
        "psi_all_sites": max(psi(before[name], after[name]) for name in names),
        "psi_same_sites": max(psi(before[name], same[name]) for name in names),
        "mean_score_all_sites": float(after["score"].mean()),
        "mean_score_same_sites": float(same["score"].mean()),
        "new_site_share": float(1 - len(same) / len(after)),
    }


def _average_hides(data: Data) -> Figures:
    rates = data.world.monitoring
    before = data.of("no-show", until=rates.quiet_until)
    after = data.of("no-show", rates.quiet_until, rates.retrain_from)
    here = after["site_id"] == _new_site(data)
    return {
        "auc_before": auc(before),
        "auc_all_sites": auc(after),
        "auc_new_site": auc(after[here]),
        "observed_over_expected_all_sites": observed_over_expected(after),
        "observed_over_expected_new_site": observed_over_expected(after[here]),
    }


def _delayed_labels(data: Data) -> Figures:
    """The last 30 days: whoever came back is known already, whoever did not is not known yet."""
    end = pd.Timestamp(data.world.clock.extract_at).normalize()
    recent = data.of("readmission", end - pd.Timedelta(days=30))
    earlier = data.of("readmission", end - pd.Timedelta(days=92), end - pd.Timedelta(days=32))
    return {
        "rate_missing_taken_as_no": float(recent["label"].fillna(0).mean()),
        "rate_of_known_labels": float(recent["label"].mean()),
        "rate_true": float(recent["outcome"].mean()),
        "rate_of_the_two_months_before": float(earlier["label"].mean()),
        "labels_known": float(recent["label"].notna().mean()),
    }


def _missingness(data: Data) -> Figures:
    rates = data.world.monitoring
    rows = data.of("readmission")
    rows = rows[rows["site_id"] == rates.missing_jump_site]
    late = rows["predicted_on"] >= pd.Timestamp(rates.missing_jump_from)
    before, after = rows.loc[~late, "albumin"], rows.loc[late, "albumin"]
    return {
        "psi_of_values_present": psi(before.dropna(), after.dropna()),
        "psi_with_missing": psi(before, after),
        "missing_before": float(before.isna().mean()),
        "missing_after": float(after.isna().mean()),
    }


def _lab_code(data: Data) -> Figures:
    """All values of one hospital are gone; the average missing share of the network looks like a busy season."""
    rates = data.world.monitoring
    rows = data.of("readmission", rates.lab_change_from)
    here = rows["site_id"] == rates.lab_change_site
    codes = rows.loc[here, "hemoglobin_loinc"]
    known = data.baseline("readmission")["hemoglobin_loinc"].unique()
    return {
        "missing_all_hospitals": float(rows["hemoglobin"].isna().mean()),
        "missing_here": float(rows.loc[here, "hemoglobin"].isna().mean()),
        "missing_elsewhere": float(rows.loc[~here, "hemoglobin"].isna().mean()),
        "rows_with_unknown_code_here": float((~codes.isin(known)).mean()),
    }


def _gradual(data: Data) -> Figures:
    old = data.log["site_id"] != _new_site(data)
    rows = data.log[old & data.log["model"].eq("no-show")]
    start = pd.Timestamp(data.world.monitoring.quiet_until)
    months = _months(rows[rows["predicted_on"] >= start - pd.DateOffset(months=1)])
    steps = [psi(a["lead_days"], b["lead_days"]) for a, b in pairwise(months)]
    last = pd.concat(months[-2:])["lead_days"]
    return {
        "largest_psi_month_on_month": max(steps),
        "psi_against_baseline": psi(data.baseline("no-show")["lead_days"], last),
        "median_lead_baseline": float(data.baseline("no-show")["lead_days"].median()),
        "median_lead_last_two_months": float(last.median()),
    }


def _concept(data: Data) -> Figures:
    """The last three months whose inputs nobody touched: the patients look the same and fare worse."""
    end = pd.Timestamp(data.world.clock.extract_at).normalize()
    before, after = data.baseline("readmission"), data.of("readmission", end - pd.DateOffset(months=4))
    untouched = ["age", "prior_admissions", "length_of_stay"]
    return {
        "largest_psi_of_inputs": max(psi(before[name], after[name]) for name in untouched),
        "observed_over_expected_before": observed_over_expected(before, "score_mended"),
        "observed_over_expected_after": observed_over_expected(after, "score_mended"),
        "auc_before": auc(before, "score_mended"),
        "auc_after": auc(after, "score_mended"),
    }


def _silent_retrain(data: Data) -> Figures:
    """Replay: the old weights on the logged inputs must give the logged scores."""
    when = data.world.monitoring.retrain_from
    before, after = data.of("no-show", until=when), data.of("no-show", when)

    def replayed(rows: pd.DataFrame) -> float:
        return float((rows["score"] - rows["score_mended"]).abs().mean())

    return {
        "version_numbers_seen": float(data.of("no-show")["model_version"].nunique()),
        "replay_difference_before": replayed(before),
        "replay_difference_after": replayed(after),
        "auc_logged_after": auc(after),
        "auc_old_weights_after": auc(after, "score_mended"),
        "called_before": float(before["action"].eq("call").mean()),
        "called_after": float(after["action"].eq("call").mean()),
    }


def _false_alarms(data: Data) -> Figures:
    """Every input, by hospital and sex as a dashboard would, is tested in each quiet month against the first half year."""
    names, found = INPUTS["readmission"], []
    before = dict(list(data.baseline("readmission").groupby(["site_id", "sex"])))
    for month in _months(data.quiet("readmission")):
        for part, rows in month.groupby(["site_id", "sex"]):
            found += [change_p_value(before[part][name], rows[name]) for name in names]
    p_values = np.array(found)
    return {
        "tests": float(len(p_values)),
        "alarms_at_5_percent": float((p_values < 0.05).sum()),
        "alarms_corrected": float((p_values < 0.05 / len(p_values)).sum()),
    }


TRAPS = (
    Trap(
        "unit-change", "One hospital's creatinine comes in another unit", "prediction_log.creatinine at one hospital",
        "Check units and plausible ranges by site before the model sees a value.",
        "auc_as_delivered", "auc_in_mg_per_dl", _unit_change,
    ),
    Trap(
        "code-set-change", "Two diagnosis groups change their names on 1 October", "prediction_log.diagnosis_group",
        "Count the values that the model has never seen, and put the yearly code update on the calendar.",
        "expected_in_renamed_groups", "observed_in_renamed_groups", _code_set,
    ),
    Trap(
        "new-site-mix", "A new clinic looks like drift everywhere", "prediction_log.site_id",
        "Compare the same sites over time before calling a change of mix a drift.",
        "psi_all_sites", "psi_same_sites", _new_site_mix,
    ),
    Trap(
        "average-hides-site", "The average hides where the model fails", "prediction_log by site_id",
        "Judge a model by site, and ask for a minimum number of outcomes before trusting it at a new one.",
        "auc_all_sites", "auc_new_site", _average_hides,
    ),
    Trap(
        "delayed-labels", "The latest month looks better, or worse, than it is", "prediction_log.label",
        "Judge only predictions whose label has had time to come: those older than the longest delay.",
        "rate_missing_taken_as_no", "rate_true", _delayed_labels,
    ),
    Trap(
        "missingness-jump", "An input goes missing, and the values that are left look as ever", "prediction_log.albumin",
        "Watch the share of missing values by site as an input of its own.",
        "psi_of_values_present", "psi_with_missing", _missingness,
    ),
    Trap(
        "lab-code-change", "A laboratory changes a LOINC code, and a hospital loses an input", "prediction_log.hemoglobin",
        "Watch codes that nobody mapped, by sender; a share of missing values over all hospitals hides a total loss at one.",
        "missing_all_hospitals", "missing_here", _lab_code,
    ),
    Trap(
        "gradual-drift", "A slow drift never differs from the month before", "prediction_log.lead_days",
        "Compare with a fixed baseline, the time in which the model was accepted, not with last month.",
        "largest_psi_month_on_month", "psi_against_baseline", _gradual,
    ),
    Trap(
        "concept-drift", "The inputs are quiet while the outcome changes", "prediction_log.label",
        "Watch calibration with mature labels as well as inputs: neither shows what the other does.",
        "largest_psi_of_inputs", "observed_over_expected_after", _concept,
    ),
    Trap(
        "silent-retrain", "New weights under an old version number", "prediction_log.score, model_version",
        "Replay a fixed set of inputs every day; a version number is a claim.",
        "version_numbers_seen", "replay_difference_after", _silent_retrain,
    ),
    Trap(
        "quiet-months-false-alarms", "Enough tests find a drift where there is none", "prediction_log, January to June 2025",
        "Count the tests before believing an alarm: correct for their number, or ask for an effect as well.",
        "alarms_at_5_percent", "alarms_corrected", _false_alarms,
    ),
)  # fmt: skip
