"""Alerts on the wards: what was planted misleads a careless reader, and the tables tell what really happened."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carelab.paths import DATA
from carelab.synth.alerts.calibration import ceilings
from carelab.synth.alerts.measure import Data, deterioration, load, precision_in_capacity, split
from carelab.synth.alerts.traps import TRAPS
from carelab.synth.areas import Figures
from carelab.synth.config import World

TRAP = {trap.id: trap for trap in TRAPS}

# What has to hold for the trap to be one.
HARM: dict[str, Callable[[Figures], bool]] = {
    "accuracy-metric": lambda f: (
        f["accuracy_of_never_alerting"] > f["accuracy_of_vendor"] + 0.05
        and f["sensitivity_of_vendor"] > 0.25 > f["sensitivity_of_never_alerting"]
    ),
    "after-suspicion": lambda f: (
        f["auc_all_scores"] > f["auc_before_suspicion"] + 0.1 and f["sensitivity_any_alert"] > f["sensitivity_in_time"] + 0.1
    ),
    "alert-bursts": lambda f: f["alerts_per_alerted_stay"] > 2 and f["useful_per_stay"] > 1.5 * f["useful_per_alert"],
    "alert-capacity": lambda f: (
        f["precision_ranked_by_help"] > 1.25 * f["precision_vendor_order"]
        and f["auc_best"] > f["auc_ranked_by_help"] + 0.05
        and f["precision_best_auc"] < f["precision_ranked_by_help"] - 0.03
        and f["precision_ranked_by_help"] <= f["precision_ceiling"] + 0.02
    ),
    "override-rate": lambda f: f["override_rate"] > 0.85 and f["overrides_appropriate"] > 0.8,
    "silenced-ward": lambda f: (
        f["alerted_here"] < 0.1 * f["alerted_same_wards_elsewhere"]
        and f["deteriorate_here"] > 0.7 * f["deteriorate_same_wards_elsewhere"]
    ),
    "alert-fatigue": lambda f: (
        f["odds_ratio_crude"] > f["odds_ratio_within_wards"] + 0.1
        and abs(f["odds_ratio_within_wards"] - f["odds_ratio_true"]) < 0.06
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def wards(world: World) -> Data:
    """The committed alerts with their truth."""
    return load(DATA, world)


def half_deteriorate(data: Data) -> Data:
    """As many stays without a deterioration as with one."""
    falls = data.stays["onset_hours"].notna()
    others = data.stays[~falls].sample(int(falls.sum()), random_state=0)
    return replace(data, stays=pd.concat([data.stays[falls], others]))


def before_suspicion_only(data: Data) -> Data:
    """Nothing is computed or shown once somebody has noticed."""

    def early(rows: pd.DataFrame) -> pd.DataFrame:
        times = rows[["stay_id"]].merge(data.stays, on="stay_id", how="left")
        noticed = times[["onset_hours", "suspected_hours"]].min(axis=1).to_numpy()
        return rows[~(rows["hours_since_admission"].to_numpy() >= noticed)]

    stays = data.stays.assign(suspected_hours=np.nan)
    scores = early(data.scores)
    # A stay that never had a score is not there to be warned of.
    return replace(
        data, alerts=early(data.alerts), scores=scores, stays=stays[stays["stay_id"].isin(scores["stay_id"])]
    )


def one_alert_a_stay(data: Data) -> Data:
    return replace(data, alerts=data.alerts.drop_duplicates(["stay_id", "kind"]))


def no_need_to_choose(data: Data) -> Data:
    """A nurse with time for every alert."""
    rates = data.world.alerts.model_copy(update={"capacity": 10_000})
    return replace(data, world=data.world.model_copy(update={"alerts": rates}))


def wrong_overrides(data: Data) -> Data:
    wrong = data.alerts["override_appropriate"].where(data.alerts["override_appropriate"].isna(), False)
    return replace(data, alerts=data.alerts.assign(override_appropriate=wrong))


def wards_alike(data: Data) -> Data:
    """Wards dealt at random among the stays."""
    dealt = data.stays[["site_id", "ward"]].sample(frac=1, random_state=0).to_numpy()
    return replace(data, stays=data.stays.assign(site_id=dealt[:, 0], ward=dealt[:, 1]))


def equal_attention(data: Data) -> Data:
    """Wards that differ in the number of their alerts and in nothing else."""
    alerts = data.alerts
    odds = 1.0 + np.log(data.world.alerts.read_per_ten_alerts) / 10 * (alerts["unit_alerts_today"] - 15)
    read = np.random.default_rng(0).random(len(alerts)) < 1 / (1 + np.exp(-odds))
    return replace(data, alerts=alerts.assign(action=pd.Series("acknowledged", index=alerts.index).where(read)))


MENDED: dict[str, Callable[[Data], Data]] = {
    "accuracy-metric": half_deteriorate,
    "after-suspicion": before_suspicion_only,
    "alert-bursts": one_alert_a_stay,
    "alert-capacity": no_need_to_choose,
    "override-rate": wrong_overrides,
    "silenced-ward": wards_alike,
    "alert-fatigue": equal_attention,
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, wards: Data) -> None:
    figures = TRAP[name].measure(wards)
    assert HARM[name](figures), figures
    assert {TRAP[name].naive, TRAP[name].reference} <= figures.keys()


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, wards: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](wards))
    assert not HARM[name](figures), figures


def test_the_tables_do_not_tell_the_truth() -> None:
    tables = {
        name: pd.read_parquet(DATA / "tables" / f"{name}.parquet") for name in ("alerts", "scores", "deteriorations")
    }
    hidden = {
        "useful",
        "p_useful",
        "p_read",
        "after_suspicion",
        "override_appropriate",
        "onset_hours",
        "suspected_hours",
    }
    assert not [name for table in tables.values() for name in table if name in hidden]


def test_alerts_fire_above_the_threshold_and_not_again_within_the_lockout(wards: Data) -> None:
    rates, alerts = wards.world.alerts, deterioration(wards)
    assert (alerts["score"] >= rates.threshold).all()
    gaps = alerts.groupby("stay_id")["hours_since_admission"].diff().dropna()
    assert (gaps >= rates.lockout_hours).all()
    highest = wards.scores.groupby("stay_id")["score"].max()
    assert (alerts["score"] <= alerts["stay_id"].map(highest)).all()
    others = wards.alerts[wards.alerts["kind"] != "deterioration"]
    assert others["score"].isna().all() and others["action"].notna().all()


def test_the_label_of_the_tables_agrees_with_the_truth(wards: Data) -> None:
    alerts = deterioration(wards)
    # A lactate ordered more than two days ago no longer shows, and some stays are suspected within the hour.
    assert (alerts["helps"] == alerts["useful"]).mean() > 0.98
    assert not alerts.loc[alerts["lactate_ordered"], "useful"].any()


def test_repeats_are_counted_over_the_day_before(wards: Data) -> None:
    stay = wards.alerts["stay_id"].value_counts().index[0]
    rows = wards.alerts[wards.alerts["stay_id"] == stay].sort_values("fired_at")
    day = pd.Timedelta(hours=24)
    expected = [((rows["fired_at"] < at) & (rows["fired_at"] >= at - day)).sum() for at in rows["fired_at"]]
    assert rows["alerts_24h"].tolist() == expected
    assert max(expected) >= 2


def test_a_reason_goes_with_an_override_and_with_nothing_else(wards: Data) -> None:
    assert (wards.alerts["reason"].notna() == wards.alerts["action"].eq("overridden")).all()
    assert set(wards.alerts["action"].dropna()) == {"acted", "acknowledged", "overridden"}


def test_the_true_probability_ranks_best(wards: Data) -> None:
    _, later = split(wards)
    by_chance = [
        precision_in_capacity(later, np.random.default_rng(seed).random(len(later)), wards.world.alerts.capacity)
        for seed in range(5)
    ]
    assert ceilings(wards)["precision_in_capacity_test_period"] > 1.5 * max(by_chance)


def test_a_second_visit_on_a_day_helps_nobody() -> None:
    alerts = pd.DataFrame(
        {
            "alert_id": ["a", "b", "c"],
            "stay_id": ["x", "x", "y"],
            "fired_at": pd.to_datetime(["2026-01-01 01:00", "2026-01-01 09:00", "2026-01-01 10:00"]),
            "useful": [True, True, True],
        }
    )
    assert precision_in_capacity(alerts, np.array([3.0, 2.0, 1.0]), 2) == 0.5
    assert precision_in_capacity(alerts, np.array([3.0, -np.inf, 1.0]), 2) == 1.0
