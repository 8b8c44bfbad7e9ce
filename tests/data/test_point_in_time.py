"""The join that cannot look ahead."""

import numpy as np
import pandas as pd
import pytest

from carelab.errors import UserError
from carelab.fhir.point_in_time import as_of


def at(*times: str) -> pd.Series:
    return pd.to_datetime(pd.Series(times))


LABELS = pd.DataFrame({"patient": ["a", "a", "b"], "at": at("2026-01-10", "2026-01-20", "2026-01-10"), "y": [0, 1, 0]})
EVENTS = pd.DataFrame(
    {
        "patient": ["a", "a", "a", "c"],
        "taken": at("2026-01-05", "2026-01-09", "2026-01-25", "2026-01-01"),
        "issued": at("2026-01-05", "2026-01-12", "2026-01-25", "2026-01-01"),
        "value": [1.0, 2.0, 3.0, 4.0],
    }
)


def join(labels: pd.DataFrame = LABELS, events: pd.DataFrame = EVENTS, **options: object) -> pd.DataFrame:
    return as_of(labels, events, by="patient", prediction_time="at", time="taken", known_at="issued", **options)  # type: ignore[arg-type]


def test_the_last_value_that_was_known() -> None:
    joined = join()
    assert joined["value"].tolist()[:2] == [1.0, 2.0]  # the second was taken on the 9th, issued on the 12th
    assert np.isnan(joined["value"][2])
    assert joined[["patient", "at", "y"]].equals(LABELS)


def test_all_values_that_were_known_and_a_window() -> None:
    assert join(keep="all")[["y", "value"]].to_numpy().tolist() == [[0, 1.0], [1, 1.0], [1, 2.0]]
    assert join(keep="all", within="12D")[["y", "value"]].to_numpy().tolist() == [[0, 1.0], [1, 2.0]]


def made(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.default_rng(seed)
    start = pd.Timestamp("2026-01-01", tz="UTC")
    labels = pd.DataFrame({"patient": draw.integers(0, 9, 40), "at": start + pd.to_timedelta(draw.integers(0, 500, 40), "h")})
    taken = start + pd.to_timedelta(draw.integers(0, 500, 200), "h")
    events = pd.DataFrame({"patient": draw.integers(0, 9, 200), "taken": taken, "value": draw.normal(size=200)})
    return labels, events.assign(issued=taken + pd.to_timedelta(draw.integers(0, 90, 200), "h"))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_a_slow_loop_finds(seed: int) -> None:
    labels, events = made(seed)
    expected = []
    for row in labels.itertuples():
        known = events[(events["patient"] == row.patient) & (events["issued"] <= row.at)]
        known = known.sort_values(["taken", "issued"], kind="stable")
        expected.append(known["value"].iloc[-1] if len(known) else np.nan)
    np.testing.assert_array_equal(join(labels, events)["value"], expected)


@pytest.mark.parametrize("seed", range(5))
def test_what_comes_later_changes_nothing(seed: int) -> None:
    labels, events = made(seed)
    before = join(labels, events, keep="all")
    assert (before["issued"] <= before["at"]).all()
    end = max(labels["at"].max(), events["taken"].max()) + pd.Timedelta("1s")
    late = events.assign(value=999.0, issued=end)
    with_late = join(labels, pd.concat([events, late], ignore_index=True), keep="all")
    pd.testing.assert_frame_equal(with_late, before)


@pytest.mark.parametrize("seed", range(5))
def test_an_event_shifted_into_the_future_is_gone(seed: int) -> None:
    labels, events = made(seed)
    used = join(labels, events)["value"].dropna().iloc[0]
    end = max(labels["at"].max(), events["taken"].max()) + pd.Timedelta("1h")
    shifted = events.assign(issued=events["issued"].mask(events["value"] == used, end))
    assert used not in join(labels, shifted, keep="all")["value"].tolist()
    assert used in join(labels, events, keep="all")["value"].tolist()


def test_a_join_by_the_time_of_the_event_leaks() -> None:
    """The result of a test ordered because of the outcome is issued after it; joined by when it was taken, it tells."""
    draw = np.random.default_rng(0)
    ill = draw.random(2000) < 0.2
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 300, 2000), "D")
    labels = pd.DataFrame({"patient": range(2000), "at": when, "ill": ill})
    events = pd.DataFrame({"patient": range(2000), "taken": when - pd.Timedelta("2h"), "value": draw.normal(ill * 3.0)})
    events["issued"] = events["taken"] + pd.Timedelta("6h")
    naive = labels.merge(events, on="patient").query("taken <= at")
    assert naive["value"].corr(naive["ill"].astype(float)) > 0.6
    assert join(labels, events)["value"].isna().all()


@pytest.mark.parametrize(
    ("labels", "events", "message"),
    [
        (LABELS.drop(columns="at"), EVENTS, "labels has no column 'at'"),
        (LABELS, EVENTS.drop(columns="issued"), "events has no column 'issued'"),
        (LABELS, EVENTS.assign(issued=EVENTS["issued"].where(EVENTS["value"] > 1)), "1 of 4 rows of events have no 'issued'"),
        (LABELS, EVENTS.assign(taken="2026-01-05"), "holds no times"),
        (LABELS, EVENTS.assign(issued=EVENTS["taken"] - pd.Timedelta("1D")), "known .* before they happen"),
        (LABELS.assign(at=LABELS["at"].dt.tz_localize("UTC")), EVENTS, "Some times have a zone"),
    ],
)
def test_what_cannot_be_joined_safely_is_refused(labels: pd.DataFrame, events: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        join(labels, events)


def test_labels_keep_their_index_and_shared_columns_get_a_suffix() -> None:
    joined = join(LABELS.set_axis([7, 8, 9]), EVENTS.assign(y="event"))
    assert joined.index.tolist() == [7, 8, 9]
    assert joined["y"].tolist() == [0, 1, 0]
    assert joined["y_event"].tolist()[:2] == ["event", "event"]
    assert join(LABELS, EVENTS.iloc[:0])["value"].isna().all()
