"""Is the audit log of the size and mix that was designed?"""

from carelab.synth.areas import Measure
from carelab.synth.security.measure import Data


def _off_hours(data: Data) -> float:
    hour = data.events["local"].dt.hour
    return float(((hour < 6) | (hour >= 21))[data.events["role"].ne("service")].mean())


def _per_visit(data: Data) -> float:
    kept = data.visits[data.visits["status"].eq("fulfilled") & (data.visits["start"] >= data.events["local"].min())]
    same_day = data.events.assign(day=data.events["local"].dt.normalize())
    days = kept.assign(day=kept["start"].dt.normalize())[["patient_id", "day"]].drop_duplicates()
    by_staff = same_day[same_day["role"].isin(["clinician", "nurse", "front-desk"])]
    return len(by_staff.merge(days, on=["patient_id", "day"])) / len(days)


def _revoked(data: Data) -> float:
    return float(data.consents[data.consents["subject"].eq("care-registry")]["status"].eq("inactive").mean())


# Name of the target in world.toml -> what it means, how it is measured.
MEASURES = {
    "audit_events": Measure("entries of the audit log, 50 days", lambda d: len(d.events)),
    "events_per_visit": Measure("entries of desk, nurses and clinicians on the day of a kept visit", _per_visit),
    "break_glass_share": Measure("entries by break-glass", lambda d: d.events["purpose"].eq("BTG").mean()),
    "off_hours_share": Measure("entries of people, not programs, between 21:00 and 6:00", _off_hours),
    "planted_share": Measure("entries that should not be, or have a wrong time", lambda d: d.events["kind"].notna().mean()),
    "revoked_share": Measure("withdrawals among consents to the registry", _revoked),
}  # fmt: skip
