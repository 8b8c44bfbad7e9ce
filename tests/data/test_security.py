"""The audit log: every planted access misleads a naive rule, and an honest log accuses nobody."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pandas as pd
import pytest

from carelab.fhir import read_ndjson
from carelab.fhir.audit import broken_links, event_hash, previous_hash
from carelab.fhir.read import Resource
from carelab.paths import DATA
from carelab.synth.areas import Figures
from carelab.synth.config import World
from carelab.synth.security.measure import Data, load
from carelab.synth.security.traps import TRAPS

TRAP = {trap.id: trap for trap in TRAPS}


@pytest.fixture(scope="session")
def audit(world: World) -> Data:
    return load(DATA, world)


HARM: dict[str, Callable[[Figures], bool]] = {
    "shared-surname": lambda f: (
        f["recall_busiest_users"] < 0.1
        and f["recall_same_name_unrelated"] > 0.9
        and f["precision_same_name"] < 0.7 < 0.85 < f["precision_same_name_unrelated"]
    ),
    "break-glass": lambda f: (
        f["recall_without_break_glass"] < 0.6
        and f["recall_unrelated"] > 0.95
        and f["precision_without_break_glass"] < 0.5 < 0.9 < f["precision_unrelated"]
    ),
    "off-hours-bulk": lambda f: (
        f["precision_night_utc"] < 0.1
        and f["precision_night_local"] < 0.6
        and f["precision_daily_volume"] < 0.5
        and f["precision_burst_at_night"] > 0.95
        and f["recall_burst_at_night"] > 0.95
    ),
    "revoked-consent-read": lambda f: (
        f["precision_status_today"] < 0.6 and f["precision_by_date"] > 0.99 and f["recall_by_date"] > 0.99
    ),
    "deactivated-user": lambda f: f["found_with_current_staff"] == 0 < f["planted"] == f["found_with_end_dates"],
    "shared-account": lambda f: (
        f["precision_two_sites"] < 0.6 and f["precision_two_sites_at_once"] > 0.9 and f["recall_two_sites_at_once"] > 0.9
    ),
    "missing-event": lambda f: (
        f["found_by_counting"] == 0 < f["deleted_in_sample"] == f["found_by_chain"] and f["false_alarms_of_chain"] == 0
    ),
    "clock-skew": lambda f: (
        f["readings_before_check_in"] > 20
        and f["readings_before_check_in_corrected"] == 0
        and f["systems_off"] == 1
        and f["minutes_off"] > 40
    ),
}  # fmt: skip


def without(kind: str) -> Callable[[Data], Data]:
    """The log as it would be had nobody done this."""

    def mend(data: Data) -> Data:
        return replace(data, events=data.events[data.events["kind"].ne(kind)])

    return mend


def whole_chain(data: Data) -> Data:
    """The log of a system that nobody touched: every link states the event before it."""
    last: dict[str, str] = {}
    log: list[Resource] = []
    for event in data.log:
        patient = event["entity"][0]["what"]["reference"]
        others = [entry for entry in event.get("extension", []) if "previous-hash" not in entry["url"]]
        if patient in last:
            others = [*others, {"url": event["extension"][0]["url"], "valueString": last[patient]}]
        made = {key: value for key, value in event.items() if key != "extension"} | (
            {"extension": others} if others else {}
        )
        last[patient] = event_hash(made)
        log.append(made)
    return replace(data, log=log, truth=data.truth[data.truth["kind"].ne("deleted")])


def right_clock(data: Data) -> Data:
    slow = pd.Timedelta(minutes=data.world.security.skew_minutes)
    skewed = data.events["kind"].eq("clock-skew")
    recorded = data.events["recorded_utc"].where(~skewed, data.events["recorded_utc"] + slow)
    return replace(data, events=data.events.assign(recorded_utc=recorded))


def nobody_withdraws(data: Data) -> Data:
    consents = data.consents.assign(status="active", until_utc=pd.Timestamp("2030-01-01"))
    return replace(without("revoked-consent")(data), consents=consents)


MENDED: dict[str, Callable[[Data], Data]] = {
    "shared-surname": without("snoop-surname"),
    "break-glass": without("snoop-vip"),
    "off-hours-bulk": without("bulk"),
    "revoked-consent-read": nobody_withdraws,
    "deactivated-user": without("deactivated-user"),
    "shared-account": without("shared-account"),
    "missing-event": whole_chain,
    "clock-skew": right_clock,
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, audit: Data) -> None:
    figures = TRAP[name].measure(audit)
    assert HARM[name](figures), figures
    assert TRAP[name].naive in figures
    assert TRAP[name].reference in figures


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, audit: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](audit))
    assert not HARM[name](figures), figures


def test_any_change_of_the_log_breaks_its_chain(audit: Data) -> None:
    known = set(broken_links(audit.log))
    followed = next(
        i for i, event in enumerate(audit.log)
        if any(later["entity"] == event["entity"] for later in audit.log[i + 1 :]) and event["id"] not in known
    )  # fmt: skip
    removed = audit.log[:followed] + audit.log[followed + 1 :]
    assert len(set(broken_links(removed)) - known) == 1
    changed = orjson.loads(orjson.dumps(audit.log))
    changed[followed]["recorded"] = "2026-06-01T00:00:00Z"
    assert len(set(broken_links(changed)) - known) == 1


def test_the_end_of_a_chain_is_not_protected(audit: Data) -> None:
    last = {event["entity"][0]["what"]["reference"]: i for i, event in enumerate(audit.log)}
    end = max(last.values())
    assert set(broken_links(audit.log[:end] + audit.log[end + 1 :])) == set(broken_links(audit.log))
    assert previous_hash(audit.log[end]) is not None


def test_the_truth_is_not_in_the_log(audit: Data) -> None:
    text = (DATA / "fhir" / "AuditEvent.ndjson").read_text(encoding="utf-8")
    assert not [kind for kind in set(audit.truth["kind"]) if kind in text]
    assert (
        set(pd.read_parquet(DATA / "tables" / "audit_events.parquet").columns) & {"kind", "skewed", "true_local"}
        == set()
    )


def test_accounts_and_users_agree(audit: Data) -> None:
    assert audit.users["user_id"].is_unique
    assert set(audit.events["user_id"]) <= set(audit.users["user_id"])
    clinicians = {r["id"] for r in read_ndjson(DATA / "fhir" / "Practitioner.ndjson")}
    assert set(audit.users["practitioner_id"].dropna()) == clinicians
    roles = (DATA / "security" / "roles.yaml").read_text(encoding="utf-8")
    assert all(f"  {role}:" in roles for role in set(audit.users["role"]))


def test_a_deletion_leaves_no_gap_in_the_numbers(audit: Data) -> None:
    numbers = audit.events["event_id"].str.removeprefix("aud-").astype(int)
    for _, panel in numbers.groupby(numbers // 100_000):
        assert panel.tolist() == list(range(panel.iloc[0], panel.iloc[0] + len(panel)))
    assert audit.truth["kind"].eq("deleted").sum() == 12
