"""Features as of a prediction time, from nothing but what was known then.

An event has two times: when it happened, and when somebody could know of it. A laboratory value is taken at eight and
issued at ten; a diagnosis is coded a week after discharge. A model that runs at nine may use neither.
"""

from collections.abc import Sequence
from typing import Literal

import duckdb
import pandas as pd

from carelab.errors import UserError

Keep = Literal["last", "all"]


def as_of(
    labels: pd.DataFrame,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str],
    prediction_time: str,
    time: str,
    known_at: str,
    within: pd.Timedelta | str | None = None,
    keep: Keep = "last",
) -> pd.DataFrame:
    """Each label with the events that were known at its prediction time.

    labels: one row a prediction, with `by` (for example the patient) and `prediction_time`. events: with `by`, `time`
    (when it happened) and `known_at` (when it became available: recorded, issued). An event counts when `known_at` is
    not after the prediction time and `time` is not either; an appointment booked ahead has happened later, and is left
    out. within: how far `time` may lie back, for example "365D". keep: "last" gives one row a label, in the order of
    `labels`, with the event that happened last (of two at one time, the one known last; empty columns where there is
    none); "all" gives one row for each label and event, labels without one left out. Event columns that `labels` has
    too get the suffix `_event`.

    Raises UserError when a column is missing, a time is no time or is missing, the zones do not agree, or `known_at`
    lies before `time` in an event: a value cannot be known before it was taken.
    """
    keys = [by] if isinstance(by, str) else list(by)
    _check_columns(labels, "labels", [*keys, prediction_time])
    _check_columns(events, "events", [*keys, time, known_at])
    _check_times(labels, "labels", [prediction_time])
    _check_times(events, "events", [time, known_at])
    aware = {frame[column].dt.tz is not None for frame, column in
             ((labels, prediction_time), (events, time), (events, known_at))}  # fmt: skip
    if len(aware) > 1:
        raise UserError("Some times have a zone and others have none; convert them all to UTC, or all to one local time.")
    if (early := events[known_at] < events[time]).any():
        row = events.index[early][0]
        raise UserError(
            f"{int(early.sum())} events are known ({known_at}) before they happen ({time}), the first in row {row}; "
            "a booking or a plan is an event at the time it is made."
        )
    chosen = _choose(labels[keys], labels[prediction_time], events[keys], events[time], events[known_at], within, keep)
    taken = events.drop(columns=keys).iloc[chosen["event"]].reset_index(drop=True)
    taken = taken.rename(columns={name: f"{name}_event" for name in taken.columns if name in labels.columns})
    row_id = "__label__"
    taken[row_id] = chosen["label"].to_numpy()
    numbered = labels.assign(**{row_id: range(len(labels))})
    joined = numbered.merge(taken, on=row_id, how="left" if keep == "last" else "inner").drop(columns=row_id)
    if keep == "last":
        joined.index = labels.index
    return joined


def _choose(
    label_keys: pd.DataFrame,
    asked: pd.Series,
    event_keys: pd.DataFrame,
    happened: pd.Series,
    known: pd.Series,
    within: pd.Timedelta | str | None,
    keep: Keep,
) -> pd.DataFrame:
    """Row numbers of labels with the row numbers of the events they may use, sorted by label, then by time.

    DuckDB joins in pieces: all pairs of a big table would not fit into memory.
    """
    names = [f"key_{number}" for number in range(label_keys.shape[1])]
    left = label_keys.set_axis(names, axis=1).assign(label=range(len(label_keys)), asked=_nanoseconds(asked))
    right = event_keys.set_axis(names, axis=1).assign(
        event=range(len(event_keys)), happened=_nanoseconds(happened), known=_nanoseconds(known)
    )
    window = "" if within is None else f"and happened >= asked - {pd.Timedelta(within).value}"
    last = "qualify row_number() over (partition by label order by happened desc, known desc, event desc) = 1"
    with duckdb.connect() as connection:
        connection.register("labels_", left)
        connection.register("events_", right)
        found: pd.DataFrame = connection.sql(
            f"""select label, event from labels_ join events_ using ({", ".join(names)})
                where known <= asked and happened <= asked {window}
                {last if keep == "last" else ""} order by label, happened, known, event"""
        ).df()
    return found


def _nanoseconds(times: pd.Series) -> pd.Series:
    """Times as whole numbers, whatever their zone and unit."""
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return times.astype("datetime64[ns]").astype("int64")


def _check_columns(frame: pd.DataFrame, name: str, columns: list[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{name} has no column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}.")


def _check_times(frame: pd.DataFrame, name: str, columns: list[str]) -> None:
    for column in columns:
        if not pd.api.types.is_datetime64_any_dtype(frame[column]):
            raise UserError(f"{name}[{column!r}] holds no times but {frame[column].dtype}; convert it with pd.to_datetime.")
        if (gone := int(frame[column].isna().sum())):
            raise UserError(
                f"{gone} of {len(frame)} rows of {name} have no {column!r}; nobody can say what was known when. "
                "Fill it with the latest time it may have been, or leave those rows out."
            )
