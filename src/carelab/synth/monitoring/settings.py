"""The section `[monitoring]` of world.toml."""

from datetime import date

from carelab.synth.settings import Band, Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    readmission_rate: Band
    no_show_rate: Band
    readmission_auc: Band
    no_show_auc: Band
    readmission_calibration: Band
    no_show_calibration: Band
    quiet_psi: Band
    infrastructure_auc_loss: Band
    albumin_missing: Band


class Monitoring(Section):
    """The log of two models in use, with what changes around them."""

    quiet_from: date
    quiet_until: date
    discharges_per_month: float
    bookings_per_month: float
    readmission_intercept: float
    readmission_weights: Shares
    readmission_hidden_sd: float
    readmission_threshold: float
    no_show_intercept: float
    no_show_weights: Shares
    no_show_hidden_sd: float
    no_show_threshold: float
    albumin_missing: float
    lead_median_days: float
    label_lag_days: int
    late_admission_share: float
    override_share: Shares
    latency_median_ms: float
    error_share: float
    requests_per_day: Shares
    hit_rate: float
    unit_change_from: date
    unit_change_until: date
    unit_change_site: str
    code_change_from: date
    new_clinic_per_month: float
    new_clinic_intercept: float
    new_clinic_lead: float
    lead_growth: float
    prevalence_growth: float
    lab_change_from: date
    lab_change_site: str
    missing_jump_from: date
    missing_jump_site: str
    missing_jump_share: float
    retrain_from: date
    retrain_weights: Shares
    threshold_change_from: date
    threshold_after: float
    incident_from: date
    incident_until: date
    incident_slowdown: float
    incident_error_share: float
    index_loss_from: date
    hit_rate_after: float
    targets: Targets
