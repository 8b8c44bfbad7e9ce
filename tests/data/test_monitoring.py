"""The log of the models in use: what was planted in it misleads a careless watch, not a careful one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carelab.paths import DATA
from carelab.synth.areas import Figures
from carelab.synth.config import World
from carelab.synth.monitoring.changes import make_changes
from carelab.synth.monitoring.log import COLUMNS, make_log
from carelab.synth.monitoring.measure import Data, load, psi
from carelab.synth.monitoring.traps import TRAPS

TRAP = {trap.id: trap for trap in TRAPS}

# What has to hold for the trap to be one.
HARM: dict[str, Callable[[Figures], bool]] = {
    "unit-change": lambda f: (
        f["auc_as_delivered"] < f["auc_in_mg_per_dl"] - 0.05
        and f["mean_score_during"] > 0.8
        and f["overridden_during"] > 5 * f["overridden_before"]
    ),
    "code-set-change": lambda f: (
        f["observed_over_expected_renamed"] > 1.35 * f["observed_over_expected_others"] and f["psi_groups"] > 0.2
    ),
    "new-site-mix": lambda f: f["psi_all_sites"] > 0.1 > 0.05 > f["psi_same_sites"],
    "average-hides-site": lambda f: (
        f["auc_all_sites"] > f["auc_before"] - 0.01 and f["auc_new_site"] < f["auc_all_sites"] - 0.05
    ),
    "delayed-labels": lambda f: (
        f["rate_missing_taken_as_no"] < 0.5 * f["rate_true"] and f["rate_of_known_labels"] > 2 * f["rate_true"]
    ),
    "missingness-jump": lambda f: f["psi_of_values_present"] < 0.1 and f["psi_with_missing"] > 0.2,
    "lab-code-change": lambda f: f["missing_here"] == 1 and f["missing_all_hospitals"] < 0.4 and f["missing_elsewhere"] == 0,
    "gradual-drift": lambda f: f["largest_psi_month_on_month"] < 0.15 < 0.2 < f["psi_against_baseline"],
    "concept-drift": lambda f: (
        f["largest_psi_of_inputs"] < 0.05 and f["observed_over_expected_after"] > f["observed_over_expected_before"] + 0.2
    ),
    "silent-retrain": lambda f: (
        f["version_numbers_seen"] == 1
        and f["replay_difference_before"] < 0.001
        and f["replay_difference_after"] > 0.03
        and f["auc_logged_after"] < f["auc_old_weights_after"] - 0.02
    ),
    "quiet-months-false-alarms": lambda f: f["alarms_at_5_percent"] >= 3 and f["alarms_corrected"] == 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log(world: World) -> Data:
    """The committed log with its truth."""
    return load(DATA, world)


def mended_scores(data: Data) -> Data:
    return replace(data, log=data.log.assign(score=data.log["score_mended"]))


def old_clinics_only(data: Data) -> Data:
    new = [clinic.id for clinic in data.world.clinic if clinic.opens]
    return replace(data, log=data.log[~data.log["site_id"].isin(new)])


def clinics_alike(data: Data) -> Data:
    """Sites dealt at random among the no-show predictions."""
    shuffled = data.log.copy()
    rows = shuffled["model"].eq("no-show") & (
        shuffled["predicted_on"] >= pd.Timestamp(data.world.monitoring.quiet_until)
    )
    shuffled.loc[rows, "site_id"] = shuffled.loc[rows, "site_id"].sample(frac=1, random_state=0).to_numpy()
    return replace(data, log=shuffled)


def prompt_labels(data: Data) -> Data:
    return replace(data, log=data.log.assign(label=data.log["outcome"].astype(float)))


def always_measured(data: Data) -> Data:
    lost = data.log["predicted_on"] >= pd.Timestamp(data.world.monitoring.missing_jump_from)
    values = data.log["albumin"].dropna().sample(len(data.log), replace=True, random_state=0).to_numpy()
    unknown = np.random.default_rng(0).random(len(data.log)) < data.world.monitoring.albumin_missing
    return replace(
        data, log=data.log.assign(albumin=data.log["albumin"].where(~lost, np.where(unknown, np.nan, values)))
    )


def same_laboratory(data: Data) -> Data:
    return replace(data, log=data.log.assign(hemoglobin=data.log["hemoglobin"].fillna(12.0), hemoglobin_loinc="718-7"))


def no_trend(data: Data) -> Data:
    """Lead times of the no-show model in any order."""
    shuffled = data.log.copy()
    rows = shuffled["model"].eq("no-show")
    shuffled.loc[rows, "lead_days"] = shuffled.loc[rows, "lead_days"].sample(frac=1, random_state=0).to_numpy()
    return replace(data, log=shuffled)


def risk_as_promised(data: Data) -> Data:
    outcome = np.random.default_rng(0).random(len(data.log)) < data.log["score_mended"]
    return replace(data, log=data.log.assign(outcome=outcome))


def first_half_again(data: Data) -> Data:
    """The quiet half year replaced by the half year before it, a constant number of days later."""
    shift = pd.Timestamp(data.world.monitoring.quiet_from) - pd.Timestamp(data.world.clock.history_start)
    before = data.log[data.log["predicted_on"] < pd.Timestamp(data.world.monitoring.quiet_from)]
    months = []
    for month in range(6):  # each quiet month holds the whole half year
        day = pd.Timestamp(data.world.monitoring.quiet_from) + pd.DateOffset(months=month)
        months.append(before.assign(predicted_on=day))
    assert shift.days == 184
    return replace(data, log=pd.concat([before, *months]))


MENDED: dict[str, Callable[[Data], Data]] = {
    "unit-change": mended_scores,
    "code-set-change": mended_scores,
    "new-site-mix": old_clinics_only,
    "average-hides-site": clinics_alike,
    "delayed-labels": prompt_labels,
    "missingness-jump": always_measured,
    "lab-code-change": same_laboratory,
    "gradual-drift": no_trend,
    "concept-drift": risk_as_promised,
    "silent-retrain": mended_scores,
    "quiet-months-false-alarms": first_half_again,
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, log: Data) -> None:
    figures = TRAP[name].measure(log)
    assert HARM[name](figures), figures
    assert {TRAP[name].naive, TRAP[name].reference} <= figures.keys()


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, log: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](log))
    assert not HARM[name](figures), figures


def test_the_log_does_not_tell_what_was_planted(log: Data) -> None:
    table = pd.read_parquet(DATA / "tables" / "prediction_log.parquet")
    assert list(table) == COLUMNS
    assert not set(table) & {"p", "outcome", "score_mended"}
    unknown = table["label"].isna()
    assert (table["label_after_days"].isna() == unknown).all()
    extract = pd.Timestamp(log.world.clock.extract_at)
    known_on = table["predicted_on"] + pd.to_timedelta(table["label_after_days"], unit="D")
    assert (known_on.dropna() <= extract).all()
    both = table.merge(log.log[["prediction_id", "outcome"]], on="prediction_id")
    assert (both["label"] == both["outcome"].astype(float))[~unknown].all()


def test_every_change_has_a_date_and_a_place(log: Data) -> None:
    changes = log.changes
    assert changes["change_id"].is_unique
    assert set(changes["site_id"]) <= {site.id for site in log.world.sites} | {"all"}
    assert changes.loc[changes["kind"] == "control", "change_id"].tolist() == ["quiet"]
    quiet = changes.set_index("change_id").loc["quiet"]
    others = changes[changes["change_id"] != "quiet"]
    assert ((others["starts"] >= quiet["ends"]) | (others["starts"] < quiet["starts"])).all()
    pd.testing.assert_frame_equal(make_changes(log.world), changes, check_dtype=False)


def test_services_show_the_slow_days_and_the_lost_index(log: Data) -> None:
    rates, services = log.world.monitoring, log.services
    slow = services["day"].between(
        pd.Timestamp(rates.incident_from), pd.Timestamp(rates.incident_until), inclusive="left"
    )
    assert services.loc[slow, "latency_p95_ms"].min() > 3 * services.loc[~slow, "latency_p95_ms"].median() / 6
    assert services.loc[slow, "errors"].sum() / services.loc[slow, "requests"].sum() > 0.05
    assert services.loc[~slow, "errors"].sum() / services.loc[~slow, "requests"].sum() < 0.01
    lost = services["day"] >= pd.Timestamp(rates.index_loss_from)
    hits = services.groupby(lost)["retrieval_hit_rate"].mean()
    assert hits[False] == pytest.approx(rates.hit_rate, abs=0.01)
    assert hits[True] == pytest.approx(rates.hit_rate_after, abs=0.02)


def test_the_same_log_every_time(log: Data) -> None:
    again = make_log(log.world)[["prediction_id", "score", "p"]]
    pd.testing.assert_frame_equal(again, log.log[["prediction_id", "score", "p"]], check_dtype=False)


def test_stability_index() -> None:
    rng = np.random.default_rng(0)
    base = pd.Series(rng.normal(0, 1, 4000))
    assert psi(base, pd.Series(rng.normal(0, 1, 4000))) < 0.01
    assert psi(base, pd.Series(rng.normal(1, 1, 4000))) > 0.5
    assert psi(base, base.where(base.index % 2 == 0)) > 0.2
    assert psi(pd.Series(["a", "b"] * 100), pd.Series(["a", "c"] * 100)) > 1
