"""The section `[messages]` of world.toml."""

from carelab.synth.settings import Section, Shares


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""


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
