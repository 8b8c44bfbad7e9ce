"""A panel's accounts, audit log, consents and provenance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource
from carelab.synth.areas import Core, Feed, Part
from carelab.synth.security.consents import make_consents
from carelab.synth.security.events import Scene, make_events, visits_in_window
from carelab.synth.security.resources import audit_resources, consent_resources, provenance_resources
from carelab.synth.security.users import COLUMNS, make_users, window
from carelab.synth.streams import stream


def make(core: Core, parts: Mapping[str, Part]) -> Part:
    """The area's part of a panel. Tables: `users`. Truth: `security_events`, what was planted; see `_truth`."""
    visits = visits_in_window(core, parts["scheduling"])
    stays = _stays_in_window(core, parts)
    consents = make_consents(core)
    relative, known = _namesakes(core, visits)
    family = core.records.set_index("patient_id")["family"]
    users = make_users(core, parts["scheduling"], (family[relative], family[known]))
    scene = Scene(core, users, visits, stays, consents)
    vip = core.records["patient_id"].iloc[0]
    events = make_events(scene, relative, vip, family[known])
    gone = _to_delete(core, events)
    log = audit_resources(scene, events, gone)
    resources: Feed = {
        "AuditEvent": log,
        "Consent": consent_resources(core, consents),
        "Provenance": provenance_resources(scene, parts),
    }
    table = users.loc[:, COLUMNS].astype({"active_from": "datetime64[us]", "active_until": "datetime64[us]"})
    return Part(
        resources,
        _sample(core, parts, resources),
        tables={"users": table},
        truth={"security_events": _truth(events, log, gone)},
    )


def _stays_in_window(core: Core, parts: Mapping[str, Part]) -> pd.DataFrame:
    """Stays that began in the window."""
    stays = parts["readmission"].frames["stays"]
    low, high = window(core.world)
    return stays[stays["admitted"].between(low, high)].reset_index(drop=True)


def _namesakes(core: Core, visits: pd.DataFrame) -> tuple[str, str]:
    """Two patients: one in the sample whose namesake among the nurses is curious, one whose namesake checks them in."""
    rng = stream(core.world.seed, "security/namesakes", core.panel.number)
    records, n_visits = core.records, visits["patient_id"].value_counts()
    inside = records["patient_id"].isin(core.sampled) & (records.index > 0)
    # A patient with few visits leaves room for readings without any; one at least keeps the chain going.
    few = records["patient_id"].map(n_visits).fillna(0).between(1, 3)
    pool = records.loc[inside & few, "patient_id"]
    pool = pool if len(pool) else records["patient_id"]
    relative = str(rng.choice(pool))
    family = records.set_index("patient_id")["family"]
    others = n_visits.index[(family[n_visits.index] != family[relative]).to_numpy() & (n_visits >= 2).to_numpy()]
    known = str(rng.choice(np.sort(others.to_numpy(dtype=str)))) if len(others) else relative
    return relative, known


def _to_delete(core: Core, events: pd.DataFrame) -> int:
    """Row of the event that somebody took out of the log: a curious reading, if one has a successor on its patient."""
    rng = stream(core.world.seed, "security/deleted", core.panel.number)
    followed = events["patient_id"].duplicated(keep="last")
    inside = events["patient_id"].isin(core.sampled)
    for wanted in (events["kind"].eq("snoop-surname") & followed, inside & followed, followed):
        if wanted.any():
            return int(rng.choice(np.flatnonzero(wanted)))
    return len(events) - 1


def _sample(core: Core, parts: Mapping[str, Part], resources: Feed) -> Feed:
    """Everything about the patients whom S keeps, and provenance of what it keeps."""
    kept = {
        f"{kind}/{r['id']}" for name in ("scheduling", "readmission") for kind, found in parts[name].sample.items() for r in found
    }  # fmt: skip
    target: dict[str, Any] = {
        "AuditEvent": lambda r: r["entity"][0]["what"],
        "Consent": lambda r: r["patient"],
        "Provenance": lambda r: r["target"][0],
    }
    return {kind: [r for r in found if target[kind](r)["reference"] in kept] for kind, found in resources.items()}


def _truth(events: pd.DataFrame, log: list[Resource], gone: int) -> pd.DataFrame:
    """One row a planted event: event_id, kind, user_id, patient_id and true_local, when it really happened.

    A kind `clock-skew` is an honest event with a wrong time. The deleted event has kind `deleted` and, having no id any
    more, that of the next event on the same patient, where the chain breaks.
    """
    left = events.drop(index=gone).assign(event_id=[event["id"] for event in log])
    kind = left["kind"].where(left["kind"].notna() | ~left["skewed"], "clock-skew")
    rows = left.assign(kind=kind)[kind.notna()]
    taken = events.loc[[gone]].assign(kind="deleted")
    after = left[(left.index > gone) & left["patient_id"].eq(events.loc[gone, "patient_id"])]
    taken["event_id"] = after["event_id"].iloc[0] if len(after) else None
    truth = pd.concat([rows, taken]).rename(columns={"at": "true_local"})
    truth = truth[["event_id", "kind", "user_id", "patient_id", "true_local"]]
    return truth.astype({"true_local": "datetime64[us]"}).sort_values(["event_id", "kind"], ignore_index=True)
