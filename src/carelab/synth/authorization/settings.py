"""The section `[authorization]` of world.toml."""

from carelab.synth.settings import Band, Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    requests: Band
    denied_share: Band
    wrong_denial_share: Band
    appealed_share: Band
    overturned_share: Band
    breach_share: Band
    slow_payer_breach_ratio: Band
    urgent_share: Band
    total_not_sum_share: Band
    duplicate_share: Band
    notes: Band
    wrong_patient_share: Band
    injection_share: Band
    ceiling_auc: Band


class Authorization(Section):
    """Prior authorization: requests, payer policies, decisions and appeals."""

    requests_per_visit: float
    unmet_share: float
    unmet_denied: float
    old_habit_share: float
    old_habit_days: int
    duplicate_share: float
    duplicate_denied: float
    out_of_network_share: float
    out_of_network_denied: float
    missing_share: float
    missing_share_noted: float
    missing_denied: float
    wrong_denial: float
    wrong_denial_payer_odds: Shares
    wrong_denial_note_only_odds: float
    wrong_denial_contradicted_odds: float
    appeal_if_wrong: float
    appeal_if_right: float
    overturned_if_wrong: float
    overturned_if_right: float
    urgent_share: Shares
    hours_median_standard: float
    hours_median_urgent: float
    hours_sd: Shares
    total_not_sum_share: float
    performed_share: float
    performed_late_share: float
    note_share: float
    note_only_share: float
    contradicted_share: float
    wrong_patient_share: float
    injection_share: float
    sample_patients_per_panel: int
    targets: Targets
