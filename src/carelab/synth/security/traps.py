"""What an auditor gets wrong who follows the first rule that comes to mind."""

import numpy as np
import pandas as pd

from carelab.fhir.audit import broken_links
from carelab.synth.areas import Figures, Trap
from carelab.synth.security.measure import Data, precision_recall, related
from carelab.synth.security.users import ANALYST, REGISTRY

BURST = 100  # patients in one hour
TOGETHER = pd.Timedelta(minutes=20)  # nobody gets from a clinic to a hospital in less
BUSIEST = 0.9  # quantile of users by number of entries


def _snooping(data: Data) -> Figures:
    planted = data.events["kind"].eq("snoop-surname")
    volume = data.events["user_id"].map(data.events["user_id"].value_counts())
    per_user = data.events["user_id"].value_counts()
    busy = volume > per_user.quantile(BUSIEST)
    family = data.events["patient_id"].map(data.patients.set_index("patient_id")["family_name"])
    same = family.notna() & (family == data.events["family_name"])
    unrelated = same.copy()
    unrelated[same] = ~related(data, data.events[same])
    precision_name, _ = precision_recall(same, planted)
    precision, recall = precision_recall(unrelated, planted)
    return {
        "recall_busiest_users": precision_recall(busy, planted)[1],
        "recall_same_name_unrelated": recall,
        "precision_same_name": precision_name,
        "precision_same_name_unrelated": precision,
    }


def _break_glass(data: Data) -> Figures:
    planted = data.events["kind"].eq("snoop-vip")
    restricted = data.consents.loc[data.consents["subject"].eq("restricted-record"), "patient_id"]
    on_restricted = data.events["patient_id"].isin(restricted) & data.events["role"].isin(["clinician", "nurse"])
    without_glass = on_restricted & data.events["purpose"].ne("BTG")
    unrelated = on_restricted.copy()
    unrelated[on_restricted] = ~related(data, data.events[on_restricted])
    glass = data.events["purpose"].eq("BTG")
    precision, recall = precision_recall(unrelated, planted)
    return {
        "recall_without_break_glass": precision_recall(without_glass, planted)[1],
        "recall_unrelated": recall,
        "precision_without_break_glass": precision_recall(without_glass, planted)[0],
        "precision_unrelated": precision,
        "break_glass": float(glass.sum()),
        "break_glass_without_a_visit": float((~related(data, data.events[glass])).sum()),
    }


def _bulk(data: Data) -> Figures:
    events = data.events
    planted, people = events["kind"].eq("bulk"), events["role"].ne("service")
    utc, local = events["recorded_utc"].dt.hour, events["local"].dt.hour
    night_utc, night = ((hour < 6) | (hour >= 22) for hour in (utc, local))
    hours = events.assign(hour=events["local"].dt.floor("h"))
    reach = hours.groupby(["user_id", "hour"])["patient_id"].transform("nunique")
    daily = events.groupby(["user_id", events["local"].dt.normalize()])["event_id"].transform("size")
    rule = night & people & (reach >= BURST)
    return {
        "precision_night_utc": precision_recall(night_utc & people, planted)[0],
        "precision_burst_at_night": precision_recall(rule, planted)[0],
        "recall_burst_at_night": precision_recall(rule, planted)[1],
        "precision_night_local": precision_recall(night & people, planted)[0],
        "precision_daily_volume": precision_recall(daily >= BURST, planted)[0],
    }


def _revoked(data: Data) -> Figures:
    consents = data.consents[data.consents["subject"].eq("care-registry")]
    reads = data.events[data.events["user_id"].eq(REGISTRY)].merge(
        consents[["patient_id", "status", "until_utc"]], on="patient_id", how="left"
    )
    planted = reads["kind"].eq("revoked-consent")
    by_status, by_date = reads["status"].ne("active"), reads["until_utc"] < reads["recorded_utc"]
    return {
        "precision_status_today": precision_recall(by_status, planted)[0],
        "precision_by_date": precision_recall(by_date, planted)[0],
        "recall_by_date": precision_recall(by_date, planted)[1],
        "reads_after_withdrawal": float(planted.sum()),
    }


def _deactivated(data: Data) -> Figures:
    current = data.users[data.users["active_until"].isna()]
    everybody = data.events.merge(data.users[["user_id", "active_until"]], on="user_id", how="left")
    report = everybody[everybody["user_id"].isin(current["user_id"])]
    after = everybody["local"] > everybody["active_until"]
    planted = everybody["kind"].eq("deactivated-user")
    return {
        "found_with_current_staff": float((report["local"] > report["active_until"]).sum()),
        "found_with_end_dates": float((after & planted).sum()),
        "precision_with_end_dates": precision_recall(after, planted)[0],
        "planted": float(planted.sum()),
    }


def _shared(data: Data) -> Figures:
    events = data.events[data.events["site_id"].notna() & data.events["role"].ne("service")]
    events = events.sort_values(["user_id", "local"])
    guilty = set(events.loc[events["kind"].eq("shared-account"), "user_id"])
    several = set(events.groupby("user_id")["site_id"].nunique().loc[lambda n: n > 1].index)
    same = events["user_id"].eq(events["user_id"].shift())
    moved = events["site_id"].ne(events["site_id"].shift())
    fast = events["local"].diff() < TOGETHER
    at_once = set(events.loc[same & moved & fast, "user_id"])

    def precision(accounts: set[str]) -> float:
        return len(accounts & guilty) / max(len(accounts), 1)

    return {
        "precision_two_sites": precision(several),
        "precision_two_sites_at_once": precision(at_once),
        "recall_two_sites_at_once": len(at_once & guilty) / max(len(guilty), 1),
        "accounts_at_two_sites": float(len(several)),
    }


def _missing(data: Data) -> Figures:
    number = data.events["event_id"].str.removeprefix("aud-").astype(int)
    team = number // 100_000
    gaps = (number.groupby(team).max() - number.groupby(team).min() + 1 - number.groupby(team).size()).sum()
    broken = set(broken_links(data.log))
    seen = {event["id"] for event in data.log}
    deleted = data.truth[data.truth["kind"].eq("deleted") & data.truth["event_id"].isin(seen)]
    return {
        "found_by_counting": float(gaps),
        "found_by_chain": float(len(broken & set(deleted["event_id"]))),
        "deleted_in_sample": float(len(deleted)),
        "false_alarms_of_chain": float(len(broken - set(deleted["event_id"]))),
    }


def _skew(data: Data) -> Figures:
    came = data.appointments[data.appointments["checked_in_utc"].notna()]
    days = came.assign(day=came["start_utc"].dt.normalize())[["patient_id", "day", "site_id", "checked_in_utc"]]
    desk = data.events[
        data.events["purpose"].eq("PATADMIN") & data.events["action"].eq("R") & data.events["kind"].ne("shared-account")
    ]
    desk = desk.assign(day=desk["recorded_utc"].dt.normalize())
    pairs = desk.merge(days, on=["patient_id", "day", "site_id"])
    pairs["offset"] = (pairs["recorded_utc"] - pairs["checked_in_utc"]).dt.total_seconds() / 60
    centre = pairs.groupby(["system", pairs["day"]])["offset"].transform("median")
    early, mended = pairs["offset"] < -10, (pairs["offset"] - centre) < -10
    systems = pairs.assign(centre=centre).groupby("system")["centre"].min()
    return {
        "readings_before_check_in": float(early.sum()),
        "readings_before_check_in_corrected": float(mended.sum()),
        "minutes_off": float(abs(systems.min())),
        "systems_off": float((np.abs(systems) > 10).sum()),
    }


TRAPS = (
    Trap(
        "shared-surname", "A nurse reads a relative's record", "tables/audit_events, users, patients",
        "Snooping is a few readings, so counting finds the busiest, not the curious; ask whose record it was, and whether there was a visit or stay.",
        "recall_busiest_users", "recall_same_name_unrelated", _snooping,
    ),
    Trap(
        "break-glass", "Break-glass is taken at its word", "tables/audit_events.purpose, consents",
        "A stated emergency is a claim; compare it with visits and stays, and review each use.",
        "recall_without_break_glass", "recall_unrelated", _break_glass,
    ),
    Trap(
        "off-hours-bulk", "A bulk query at night", f"tables/audit_events, {ANALYST}",
        "Night is local, evening clinics are not night, and programs read at night every week; look for people who reach many patients in an hour.",
        "precision_night_utc", "precision_burst_at_night", _bulk,
    ),
    Trap(
        "revoked-consent-read", "The registry reads on after a withdrawal", "tables/audit_events, consents",
        "Judge a reading by the consent in force at that moment; today's status accuses readings that were allowed.",
        "precision_status_today", "precision_by_date", _revoked,
    ),
    Trap(
        "deactivated-user", "A former nurse's account still works", "tables/audit_events, users.active_until",
        "A report that starts from current staff drops the very accounts it should show; join on all accounts with their dates.",
        "found_with_current_staff", "found_with_end_dates", _deactivated,
    ),
    Trap(
        "shared-account", "One login at two places at once", "tables/audit_events.site_id",
        "Float nurses work at two sites, on different days; only a move that nobody can make shows a shared login.",
        "precision_two_sites", "precision_two_sites_at_once", _shared,
    ),
    Trap(
        "missing-event", "An entry was deleted from the log", "fhir/AuditEvent.ndjson, previous-hash",
        "Numbers can be given again, so nothing is missing by count; the chain of hashes breaks where an entry was.",
        "found_by_counting", "found_by_chain", _missing,
    ),
    Trap(
        "clock-skew", "A system's clock is behind", "tables/audit_events.recorded_utc, system",
        "Readings before the patient came may be a clock, not a crime; compare each system with the check-ins and shift it.",
        "readings_before_check_in", "readings_before_check_in_corrected", _skew,
    ),
)  # fmt: skip
