"""The section `[security]` of world.toml."""

from datetime import date, datetime

from carelab.synth.settings import Band, Section


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    audit_events: Band
    events_per_visit: Band
    break_glass_share: Band
    off_hours_share: Band
    planted_share: Band
    revoked_share: Band


class Security(Section):
    """Who looked at what: audit events, provenance, consent, roles."""

    window_days: int
    home_reading_share: float
    shared_login_share: float
    former_staff_reads: int
    shared_double_uses: int
    surname_reads: tuple[int, int]
    vip_readers: int
    registry_share: float
    revoked_share: float
    ignored_share: float
    restricted_share: float
    break_glass_share: float
    analyst_reads: int
    bulk_at: datetime
    bulk_patients: int
    skew_clinic: str
    skew_minutes: int
    skew_from: date
    skew_until: date
    targets: Targets
