"""The audit log of a built world, and the few rules that its calibration and its traps share."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from carelab.fhir.read import Resource, read_ndjson
from carelab.synth.config import World
from carelab.synth.security.events import AROUND_A_VISIT


@dataclass(frozen=True)
class Data:
    """Tables, the sample's AuditEvents as written, and what was planted.

    events: audit_events with `local` (clinic time, without zone), users' role and family name, and the planted `kind`.
    """

    world: World
    events: pd.DataFrame
    users: pd.DataFrame
    consents: pd.DataFrame
    patients: pd.DataFrame
    visits: pd.DataFrame
    appointments: pd.DataFrame
    stays: pd.DataFrame
    truth: pd.DataFrame
    log: list[Resource]


def load(folder: Path, world: World) -> Data:
    """Read a built world's tables and truth."""
    tables = {
        name: pd.read_parquet(folder / "tables" / f"{name}.parquet")
        for name in ("audit_events", "users", "consents", "patients", "visits", "appointments", "stays")
    }
    truth = pd.read_parquet(folder / "truth" / "security_events.parquet")
    log = list(read_ndjson(folder / "fhir" / "AuditEvent.ndjson"))
    return assemble(world, tables, truth, log)


def assemble(world: World, tables: dict[str, pd.DataFrame], truth: pd.DataFrame, log: list[Resource]) -> Data:
    """`Data` from frames."""
    events = tables["audit_events"].copy()
    zone = world.clock.time_zone
    events["local"] = events["recorded_utc"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    users = tables["users"].set_index("user_id")
    events["role"] = events["user_id"].map(users["role"])
    events["family_name"] = events["user_id"].map(users["family_name"])
    events["kind"] = events["event_id"].map(truth[truth["kind"] != "deleted"].set_index("event_id")["kind"])
    return Data(
        world, events, tables["users"], tables["consents"], tables["patients"], tables["visits"], tables["appointments"],
        tables["stays"], truth, log,
    )  # fmt: skip


def related(data: Data, events: pd.DataFrame) -> np.ndarray:
    """Whether a visit of the patient lies within three days of each event, or a stay around it. Same length as `events`."""
    keyed = events[["patient_id", "local"]].reset_index(drop=True).reset_index(names="row")
    spans = pd.concat(
        [
            data.visits[["patient_id"]].assign(first=data.visits["start"], last=data.visits["start"]),
            data.stays[["patient_id"]].assign(
                first=data.stays["admitted"], last=data.stays["discharged"].fillna(events["local"].max())
            ),
        ]
    )
    pairs = keyed.merge(spans, on="patient_id")
    near = pairs["local"].between(pairs["first"] - AROUND_A_VISIT, pairs["last"] + AROUND_A_VISIT)
    return np.isin(keyed["row"], pairs.loc[near, "row"].unique())


def precision_recall(flagged: pd.Series, planted: pd.Series) -> tuple[float, float]:
    """Precision (1.0 if nothing is flagged) and recall of flagged events; both arguments are boolean and aligned."""
    hits = float((flagged & planted).sum())
    return (hits / float(flagged.sum()) if flagged.any() else 1.0), hits / max(float(planted.sum()), 1.0)
