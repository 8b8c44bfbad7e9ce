"""The section `[messages]` of world.toml."""

from carelab.synth.settings import Band, Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    messages: Band
    summaries: Band
    high_risk_share: Band
    spanish_share: Band
    subject_sensitivity: Band
    subject_ppv: Band
    spans_exact: Band
    message_distinct_lines: Band
    message_repeated_8_grams: Band
    message_near_duplicates: Band
    summary_distinct_lines: Band
    summary_repeated_8_grams: Band
    flawed_share: Band


class Messages(Section):
    """Patients' messages and discharge summaries: text whose truth is known."""

    per_year_2020: float
    per_year_2025: float
    kept_share: float
    habit_shape: float
    high_risk_share: float
    misleading_share: float
    alarming_share: float
    family_now_share: float
    category_share: Shares
    mention_share: Shares
    two_topics_share: float
    copied_share: float
    copied_two_topics_share: float
    templates: int
    template_skew: float
    awkward_share: float
    typo_share: float
    summaries_per_panel: int
    flaw_share: Shares
    allergy_conflict_share: float
    targets: Targets
