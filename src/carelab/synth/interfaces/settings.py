"""The section `[interfaces]` of world.toml."""

from datetime import date

from carelab.synth.settings import Section


class Interfaces(Section):
    """How the other systems' feeds are made, and what is wrong with them."""

    window_days: int
    stay_days: int
    moved_share: float
    lost_charge_share: float
    updated_share: float
    late_update_share: float
    local_code_share: float
    unit_hospital: str
    unit_from: date
    local_code_hospital: str
    wrong_date_share: float
    wrong_amount_share: float
    wrong_order_share: float
    claim_delay_days: float
    charge_delay_hours: float
