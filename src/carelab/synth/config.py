"""The world's configuration: `world.toml` as frozen, typed objects.

Every figure in the file is written `{ value = ..., source = "..." }`. The loader unwraps the values and keeps the
sources beside them, so that a rate without a source cannot enter the world.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd

from carelab.errors import UserError
from carelab.synth.alerts.settings import Alerts
from carelab.synth.authorization.settings import Authorization
from carelab.synth.faults.settings import Faults
from carelab.synth.interfaces.settings import Interfaces
from carelab.synth.messages.settings import Messages
from carelab.synth.monitoring.settings import Monitoring
from carelab.synth.readmission.settings import Readmission
from carelab.synth.security.settings import Security
from carelab.synth.settings import Band, Section, Shares


class Clock(Section):
    """Time: zone, window, moment of the extract, and where training ends."""

    time_zone: str
    history_start: date
    extract_at: datetime
    future_days: int
    train_until: date


class People(Section):
    """Who the patients are."""

    latent_sd: float
    age_share: Shares
    female_share: float
    spanish_share: float
    other_language_share: float
    hispanic_given_spanish: float
    hispanic_given_english: float
    medicaid_share: Shares
    medicare_share: Shares
    self_pay_share: Shares
    transport_need_share: float
    transport_need_medicaid_or: float
    transport_need_recorded: float
    registered_before_share: float
    left_share: float
    died_share: Shares
    death_delay_days: float
    former_number_share: float
    former_number_first: float
    former_number_on_double: float
    distance_sd: float
    duplicate_share: float
    duplicate_visit_share: float
    typo_share: float


class Agenda(Section):
    """How visits are booked."""

    visits_per_year: float
    visit_rate_shape: float
    lead_median_days: Shares
    lead_sd: float
    same_day_share: Shares
    lead_max_days: int
    cancel_share: float
    late_cancel_share: float
    unresolved_share: float
    popular_hours: dict[int, float]
    specialty_share_child: Shares
    specialty_share_adult: Shares
    specialty_share_elder: Shares
    open_slot_share: float
    sample_open_days: int


class Risk(Section):
    """Odds ratios of a missed visit, and the rate they are centred on."""

    no_show_rate: float
    lead_per_log_day: float
    missed_last: float
    medicaid: float
    self_pay: float
    medicare: float
    spanish: float
    other_language: float
    male: float
    age_18_34: float
    age_65_up: float
    distance_per_doubling: float
    transport_need: float
    behavioral_health: float
    dermatology: float
    pediatrics: float
    cardiology: float
    snow_per_cm: float
    snow_max_cm: float
    early_or_late_hour: float
    monday_or_friday: float
    new_patient: float
    reminder: float


class Reminder(Section):
    """Whom staff remind, and when."""

    base_logit: float
    per_logit_of_risk: float
    per_logit_of_person: float
    failed_share: float
    sent_hour: int


class Policy(Section):
    """The change of the booking rules."""

    month: int
    lead_max_days: int
    odds: float


class Miscoding(Section):
    """How much one clinic enters wrongly."""

    share: float


class Arrival(Section):
    """What the desk notes when a patient comes."""

    early_mean_minutes: float
    wait_mean_minutes: float


class Weather(Section):
    """Climate and forecast."""

    mean_temp_c: float
    swing_temp_c: float
    noise_temp_c: float
    persistence: float
    wet_day_share: float
    mean_mm: float
    forecast_error_temp_c: float
    forecast_error_log: float
    forecast_miss_share: float
    forecast_false_share: float


class Targets(Section):
    """Tolerance (lower, upper) of every calibrated figure."""

    no_show_rate: Band
    ceiling_auc: Band
    honest_auc: Band
    boosting_gain: Band
    lead_auc: Band
    prior_rate_auc: Band
    lead_odds_ratio: Band
    prior_odds_ratio: Band
    past_appointments: Band
    spanish_share: Band
    race_missing_share: Band
    duplicate_share: Band
    deceased_share: Band
    former_number_share: Band


class Site(Section):
    """A place where patients are seen; without more, a hospital, where the specialists of its clinics work.

    former_group: short name of the hospital group that it belonged to before the network took it over.
    """

    id: str
    name: str
    zip3: str
    city: str
    former_group: str | None = None


class Clinic(Site):
    """A clinic, with the hospital it belongs to and what is particular about its patients and its desk."""

    hospital: str
    deprivation: float
    distance_km: float
    race_missing: float
    evening: tuple[int, ...]
    miscodes_no_shows: bool = False
    opens: date | None = None


class World(Section):
    """The whole configuration."""

    seed: int
    n_patients: int
    patients_per_clinic_panel: tuple[int, int]
    sample_per_panel: int
    clock: Clock
    people: People
    agenda: Agenda
    risk: Risk
    reminder: Reminder
    policy: Policy
    miscoding: Miscoding
    arrival: Arrival
    weather: Weather
    targets: Targets
    readmission: Readmission
    authorization: Authorization
    messages: Messages
    alerts: Alerts
    monitoring: Monitoring
    security: Security
    interfaces: Interfaces
    faults: Faults
    hospital: tuple[Site, ...]
    clinic: tuple[Clinic, ...]

    @property
    def sites(self) -> tuple[Site, ...]:
        """Hospitals, then clinics."""
        return (*self.hospital, *self.clinic)

    @property
    def policy_start(self) -> pd.Timestamp:
        """Local midnight on which the policy's month begins (month 1 is the first month of the history)."""
        return pd.Timestamp(self.clock.history_start) + pd.DateOffset(months=self.policy.month - 1)

    @property
    def last_day(self) -> pd.Timestamp:
        """Last local day with booked appointments."""
        return pd.Timestamp(self.clock.extract_at).normalize() + pd.Timedelta(days=self.clock.future_days)


@dataclass(frozen=True)
class Panel:
    """The patients of one care team: the unit of work, generated on its own.

    number: 0-based; size: people in it; clinic: index of the home clinic in `World.clinic`.
    """

    number: int
    size: int
    clinic: int


# Ids carry the panel in their leading digits; beyond this many panels they would no longer sort.
MAX_PANELS = 1000


def panels(world: World, n_patients: int | None = None) -> list[Panel]:
    """Split the population into panels of about 333 people, home clinics in turn.

    A larger population starts with exactly the panels of a smaller one. Raises UserError for a size that is not
    between 1 and what 1000 panels hold.
    """
    n = world.n_patients if n_patients is None else n_patients
    patients, teams = world.patients_per_clinic_panel
    most = MAX_PANELS * patients // teams
    if not 1 <= n <= most:
        raise UserError(f"A world of {n} patients cannot be built; ask for a number between 1 and {most}.")
    found = []
    for number in range(MAX_PANELS):
        first, last = number * patients // teams, min((number + 1) * patients // teams, n)
        if first >= n:
            break
        found.append(Panel(number, last - first, number % len(world.clinic)))
    return found


def _unwrap(node: Any, path: str, sources: dict[str, str]) -> Any:
    """Values of a parsed file without their sources, which are collected under their dotted path."""
    if isinstance(node, dict) and set(node) == {"value", "source"}:
        sources[path] = node["source"]
        return node["value"]
    if isinstance(node, dict):
        return {key: _unwrap(child, f"{path}.{key}".lstrip("."), sources) for key, child in node.items()}
    if isinstance(node, list):  # the sites: facts of the fiction, which need no source
        return node
    raise UserError(f'world.toml: `{path}` has no source; write it as {{ value = ..., source = "..." }}.')


def parse_world(text: str) -> tuple[World, dict[str, str]]:
    """The world a TOML text describes, and the source of each figure by its dotted path.

    Raises UserError when a figure has no source; pydantic's ValidationError when a key is unknown or missing.
    """
    sources: dict[str, str] = {}
    return World.model_validate(_unwrap(tomllib.loads(text), "", sources)), sources


def _text() -> str:
    return files("carelab.synth").joinpath("world.toml").read_text(encoding="utf-8")


@lru_cache
def load_world() -> World:
    """The released world."""
    return parse_world(_text())[0]


@lru_cache
def load_sources() -> dict[str, str]:
    """Source of each figure of the released world, by dotted path such as `risk.reminder`."""
    return parse_world(_text())[1]


def config_hash() -> str:
    """SHA-256 of world.toml, with line ends as on Linux."""
    return hashlib.sha256(_text().replace("\r\n", "\n").encode()).hexdigest()
