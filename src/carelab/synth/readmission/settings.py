"""The section `[readmission]` of world.toml."""

from datetime import date

from carelab.synth.settings import Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


class Readmission(Section):
    """Stays in the three hospitals: who is admitted, with what, and who comes back within 30 days."""

    hospital_only_per_patient: float
    extra_stays: float
    clinic_stays: float
    elder_share: float
    home_hospital_share: float
    condition_share: Shares
    condition_per_decade: Shares
    catchment_frailty: Shares
    reason_share: Shares
    direct_share: float
    log_days: float
    log_days_sd: float
    dispositions: Shares
    died_logit: float
    left_against_advice_share: float
    transfer_share: float
    planned_return_staged: float
    planned_return_cancer: float
    emergency_visits_per_year: float
    observation_share: float
    return_days_mean: float
    twice_entered_share: float
    late_close_share: float
    recorded_share: Shares
    albumin_logit: Shares
    unit_change_site: str
    unit_change_on: date
    allergy_share: float
    drug_listed_share: float
    follow_up_share: Shares
    follow_up_logit: float
    follow_up_returner: float
    cost_per_night: float
    cost_year_log: float
    cost_per_need: float
    deprived_from: float
    deprived_need: float
    deprived_cost: float
    billed_outside: float
    billed_return: float
    risk: Shares
    targets: Targets
