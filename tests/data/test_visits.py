"""The learners' table: its columns, its times, what it may know, and what it must not."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from carelab.paths import DATA
from carelab.synth.config import World
from carelab.synth.scheduling.agenda import working_days
from carelab.synth.scheduling.measure import Data

COLUMNS = [
    "appointment_id", "patient_id", "site_id", "site_name", "specialty", "start", "booked_on", "lead_days", "weekday",
    "hour", "age", "sex", "payer", "language", "distance_km", "transport_need", "new_patient", "prior_visits",
    "prior_no_shows", "sms_reminder", "snow_cm_forecast", "no_show_rate", "wait_minutes", "status",
]  # fmt: skip


def test_columns_and_types(visits: pd.DataFrame) -> None:
    assert list(visits.columns) == COLUMNS
    kinds = visits.dtypes.map(lambda dtype: dtype.kind)
    assert kinds[["start", "booked_on"]].eq("M").all()
    assert kinds[["lead_days", "weekday", "hour", "age", "prior_visits", "prior_no_shows"]].eq("i").all()
    assert kinds[["transport_need", "new_patient", "sms_reminder"]].eq("b").all()
    assert visits["appointment_id"].is_unique
    assert set(visits.columns[visits.isna().any()].tolist()) == {"no_show_rate", "wait_minutes"}


def test_times_are_local_and_in_opening_hours(visits: pd.DataFrame, world: World) -> None:
    assert visits["start"].dt.tz is None
    assert visits["start"].dt.normalize().isin(working_days(world)).all()
    minutes = visits["start"].dt.hour * 60 + visits["start"].dt.minute
    assert minutes.between(8 * 60, 19 * 60 + 45).all()
    assert (visits["hour"] >= 17).mean() > 0.03
    assert (visits["weekday"] == visits["start"].dt.weekday).all()
    assert (visits["lead_days"] == (visits["start"].dt.normalize() - visits["booked_on"].dt.normalize()).dt.days).all()
    assert (visits["booked_on"] < visits["start"]).all()
    assert visits["booked_on"].max() <= pd.Timestamp(world.clock.extract_at)


def test_local_and_utc_agree_across_the_change_of_the_clock(data: Data, world: World) -> None:
    both = data.appointments.merge(data.visits, on="appointment_id")
    utc = both["start"].dt.tz_localize(world.clock.time_zone).dt.tz_convert("UTC").dt.tz_localize(None)
    assert (utc == both["start_utc"]).all()
    assert set((both["start_utc"] - both["start"]).dt.total_seconds() / 3600) == {5.0, 6.0}


def test_prior_counts_know_only_what_lay_before_the_booking(visits: pd.DataFrame) -> None:
    """Counted again, the slow way, for sixty patients."""
    some = visits[visits["patient_id"].isin(visits["patient_id"].drop_duplicates().sample(60, random_state=0))]
    for _, group in some.groupby("patient_id"):
        for row in group.itertuples():
            earlier = group[(group["start"] < row.booked_on) & group["status"].isin(["fulfilled", "noshow"])]
            assert (row.prior_visits, row.prior_no_shows) == (len(earlier), (earlier["status"] == "noshow").sum())
    assert some["prior_no_shows"].max() > 2


def test_transport_need_was_recorded_before_the_day(data: Data) -> None:
    both = data.visits.merge(data.patients[["patient_id", "transport_need_recorded_on"]], on="patient_id")
    before = both["transport_need_recorded_on"] < both["start"].dt.normalize()
    assert (both["transport_need"] == before).all()
    assert (both["transport_need_recorded_on"].notna() & ~before).any()  # some became known too late


def test_reminders_lie_before_the_visit(data: Data) -> None:
    reminders = pd.read_parquet(DATA / "tables" / "reminders.parquet").merge(data.visits, on="appointment_id")
    assert (reminders["sent_utc"].dropna() < data.appointments.set_index("appointment_id")["start_utc"][
        reminders.loc[reminders["sent_utc"].notna(), "appointment_id"]
    ].to_numpy()).all()  # fmt: skip
    assert reminders["lead_days"].min() >= 1
    assert set(reminders.loc[reminders["sent_utc"].isna(), "status_x"]) == {"preparation"}


def test_no_practitioner_is_in_two_places(data: Data) -> None:
    appointments = data.appointments
    assert not appointments.duplicated(["practitioner_id", "start_utc"]).any()
    assert appointments.duplicated("start_utc").any()  # several practitioners work at one time
    people = data.visits.merge(data.true_appointments, on="appointment_id")
    assert not people.assign(day=people["start"].dt.date).duplicated(["person_id", "day"]).any()


def test_the_world_is_plausible(visits: pd.DataFrame, data: Data, world: World) -> None:
    past = data.past
    assert 55 <= len(past) / past["start"].dt.date.nunique() <= 65
    tomorrow = visits[visits["start"].dt.date == date(2026, 7, 1)]
    assert 40 <= len(tomorrow) <= 90
    assert set(tomorrow["status"]) == {"booked"}
    assert visits["age"].between(0, 97).all()
    assert (visits["age"] < 18).mean() == pytest.approx(0.2, abs=0.03)
    assert visits.loc[visits["specialty"] == "womens_health", "sex"].eq("female").all()
    assert visits.loc[visits["specialty"] == "pediatrics", "age"].max() <= 19
    summer = visits["start"].dt.month.between(5, 9)
    assert visits.loc[summer, "snow_cm_forecast"].max() == 0
    assert visits.loc[visits["start"].dt.month.isin([12, 1, 2]), "snow_cm_forecast"].mean() > 0.5
    opened = next(clinic for clinic in world.clinic if clinic.opens)
    assert visits.loc[visits["site_id"] == opened.id, "start"].min() >= pd.Timestamp(str(opened.opens))
    after = visits["start"] >= world.policy_start
    assert visits.loc[after, "lead_days"].max() <= world.policy.lead_max_days < visits.loc[~after, "lead_days"].max()


# The planted columns; everything else that a learner sees must stay below the ceiling.
TOO_GOOD = {"no_show_rate", "wait_minutes", "status"}


def leaking(history: pd.DataFrame, ceiling: float) -> set[str]:
    """Columns that, alone, separate missed from kept visits better than the true probability does."""
    found = set()
    for name in COLUMNS:
        column = history[name]
        if column.dtype == object:
            column = (
                column.astype("category").cat.codes
                if column.nunique() < 50
                else column.str[-3:].astype("category").cat.codes
            )
        for score in (column.astype("float64" if column.dtype.kind != "M" else "int64"), column.isna()):
            area = roc_auc_score(history["missed"], score.fillna(score.mean()))
            if max(area, 1 - area) > ceiling:
                found.add(name)
    return found


def test_only_the_planted_columns_are_too_good(data: Data) -> None:
    ceiling = roc_auc_score(data.history["missed"], data.history["p_no_show"])
    assert leaking(data.history, ceiling) == TOO_GOOD
    with_truth = data.history.assign(distance_km=data.history["misses_without_reminder"].astype(float))
    assert leaking(with_truth, ceiling) == TOO_GOOD | {"distance_km"}


def test_the_feed_carries_no_extension_but_the_described_ones(data: Data) -> None:
    text = (DATA / "DATA_DICTIONARY.md").read_text(encoding="utf-8")
    seen: set[str] = set()
    for path in (DATA / "fhir").glob("*.ndjson"):
        seen |= set(pd.Series([path.read_text(encoding="utf-8")]).str.findall(r"StructureDefinition/([a-z-]+)")[0])
    own = seen - {"us-core-race", "us-core-ethnicity"}
    assert own > {"checked-in-at", "home-clinic", "no-show-rate", "opened-on", "roomed-at", "travel-distance"}
    assert all(f"`{name}`" in text for name in own)


def test_the_dictionary_does_not_give_the_traps_away() -> None:
    text = (DATA / "DATA_DICTIONARY.md").read_text(encoding="utf-8").lower()
    assert not [word for word in ("trap", "leak", "look-ahead", "miscod", "planted", "never closed") if word in text]


def test_wait_minutes_are_minutes(visits: pd.DataFrame) -> None:
    waits = visits["wait_minutes"].dropna()
    assert waits.between(1, 240).all()
    assert waits.median() == pytest.approx(15, abs=5)
    assert np.array_equal(visits["wait_minutes"].notna(), visits["status"].eq("fulfilled"))
