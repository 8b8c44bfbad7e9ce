"""The section `[alerts]` of world.toml."""

from datetime import date

from carelab.synth.settings import Band, Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    prevalence: Band
    auc_before_suspicion: Band
    alerted_stays: Band
    sensitivity: Band
    ppv: Band
    override_deterioration: Band
    override_drug_interaction: Band
    override_allergy: Band


class Alerts(Section):
    """Deterioration alerts on the wards, and what clinicians do with them."""

    live_from: date
    hours_between_scores: int
    most_hours: int
    onset_intercept: float
    onset_weights: Shares
    state_persistence: float
    suspicion_lead_hours: float
    suspicion_sd_hours: float
    false_suspicion_logit: float
    score_intercept: float
    score_weights: Shares
    threshold: float
    lockout_hours: int
    respiratory_rate: Shares
    useful_within_hours: int
    capacity: int
    drug_interaction_per_stay: float
    allergy_per_stay: float
    unit_alerts_per_day: Shares
    unit_alerts_spread: float
    read_logit: Shares
    read_per_ten_alerts: float
    read_per_repeat: float
    act_share: Shares
    useful_share: Shares
    no_reason_share: float
    silenced_site: str
    silenced_ward: str
    silenced_from: date
    targets: Targets
