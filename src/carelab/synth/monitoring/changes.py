"""What changes around the models, and when: the truth that an alarm is judged by."""

import pandas as pd

from carelab.synth.config import World

COLUMNS = ["change_id", "model", "site_id", "column", "kind", "starts", "ends", "effect"]


def make_changes(world: World) -> pd.DataFrame:
    """One row a planted change, sorted by start.

    Columns: change_id, model, site_id (`all`, or the place), column of the log that shows it, kind (data: other
    patients; infrastructure: other delivery of the same patients; concept: other outcome of equal inputs; model;
    service; control), starts and ends (local dates; ends is exclusive, missing while it lasts), effect (in words).
    """
    rates = world.monitoring
    new = next(clinic for clinic in world.clinic if clinic.opens)
    opens, both = new.opens, "all"
    weights = {name: rates.retrain_weights[name] for name in rates.no_show_weights}
    changes = [
        ("quiet", both, both, "", "control", rates.quiet_from, rates.quiet_until, "nothing changes"),
        ("new-site", "no-show", new.id, "site_id", "data", opens, None,
         f"about {rates.new_clinic_per_month:g} visits a month, log odds {rates.new_clinic_intercept:+g} at equal inputs"),
        ("lead-drift", "no-show", both, "lead_days", "data", opens, None,
         f"median lead grows evenly by {rates.lead_growth:.0%} until the extract; risk follows, as the model says"),
        ("prevalence-drift", "readmission", both, "label", "concept", opens, None,
         f"log odds at equal inputs grow evenly by {rates.prevalence_growth:g} until the extract"),
        ("unit-change", "readmission", rates.unit_change_site, "creatinine", "infrastructure", rates.unit_change_from,
         rates.unit_change_until, "umol/L instead of mg/dL: times 88.4"),
        ("code-set-change", "readmission", both, "diagnosis_group", "infrastructure", rates.code_change_from, None,
         "heart-failure becomes hf, lung-disease becomes copd; the model knows neither"),
        ("missingness-jump", "readmission", rates.missing_jump_site, "albumin", "infrastructure", rates.missing_jump_from,
         None, f"missing share from {rates.albumin_missing:g} to {rates.missing_jump_share:g}"),
        ("lab-code-change", "readmission", rates.lab_change_site, "hemoglobin", "infrastructure", rates.lab_change_from,
         None, "LOINC 20509-6 instead of 718-7, which the model does not read: every value missing"),
        ("silent-retrain", "no-show", both, "score", "model", rates.retrain_from, None,
         f"weights from {dict(rates.no_show_weights)} to {weights} under one version number"),
        ("slow-days", both, both, "latency_ms", "service", rates.incident_from, rates.incident_until,
         f"latency times {rates.incident_slowdown:g}, errors {rates.incident_error_share:.0%}"),
        ("threshold-change", "readmission", both, "threshold", "model", rates.threshold_change_from, None,
         f"threshold from {rates.readmission_threshold:g} to {rates.threshold_after:g}"),
        ("index-loss", "policy-assistant", both, "retrieval_hit_rate", "service", rates.index_loss_from, None,
         f"hit rate from {rates.hit_rate:g} to {rates.hit_rate_after:g}"),
    ]  # fmt: skip
    found = pd.DataFrame(changes, columns=COLUMNS)
    for edge in ("starts", "ends"):
        found[edge] = pd.to_datetime(found[edge])
    return found.sort_values(["starts", "change_id"], ignore_index=True)
