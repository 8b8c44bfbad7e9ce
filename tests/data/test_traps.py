"""Each planted mistake misleads a naive reader, not the reference; and where it is mended, it misleads nobody."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import orjson
import pandas as pd
import pytest

from carelab.paths import DATA
from carelab.synth.areas import Figures
from carelab.synth.scheduling.measure import Data
from carelab.synth.scheduling.traps import TRAPS, match_records, true_pairs

TRAP = {trap.id: trap for trap in TRAPS}

# What has to hold for the trap to be one.
HARM: dict[str, Callable[[Figures], bool]] = {
    "look-ahead-rate": lambda f: f["auc_with_rate"] >= 0.9 > f["auc_ceiling"] + 0.08 and f["auc_honest"] < f["auc_ceiling"],
    "after-the-visit": lambda f: f["auc_with_wait"] > 0.999 and f["auc_honest"] < f["auc_ceiling"],
    "reminder-by-indication": lambda f: (
        1.8 <= f["odds_ratio_crude"] <= 2.0
        and 1.1 <= f["odds_ratio_adjusted"] <= 1.3
        and 0.6 <= f["odds_ratio_full_risk"] <= 0.7
        and f["missed_with"] > f["missed_without"]
        and f["missed_if_all_reminded"] < f["missed_if_none_reminded"] - 0.03
    ),
    "miscoded-site": lambda f: (
        f["rate_recorded_here"] < 0.6 * f["rate_true_here"] and f["cancelled_here"] > 2 * f["cancelled_elsewhere"]
    ),
    "same-patient": lambda f: (
        f["auc_random_split"] > f["auc_patient_split"] + 0.03
        and f["auc_traits_random_split"] > f["auc_traits_patient_split"] + 0.02
    ),
    "wrong-day": lambda f: f["visits_on_closed_days_utc"] > 100 and f["visits_on_closed_days_local"] == 0,
    "left-open": lambda f: f["rows_with_status_booked"] > f["rows_really_ahead"] + 100,
    "policy-change": lambda f: f["error_old_model"] > 0.02 and f["error_new_model"] < 0.015,
    "duplicate-patients": lambda f: (
        f["recall_exact_match"] == 0
        and f["recall_rule"] > 0.9
        and f["precision_rule"] > 0.9
        and f["prior_visits_on_record"] < 0.7 * f["prior_visits_of_person"]
    ),
    "weather-wrong-day": lambda f: (
        f["evenings_with_snow_forecast"] > 100 and f["share_wrong_by_utc_day"] > 0.5 and f["share_wrong_by_local_day"] == 0
    ),
    "mixed-identifiers": lambda f: (
        f["recall_by_number"] < 0.2 < 0.9 < f["recall_rule"]
        and f["strangers_with_equal_digits"] > 100
        and f["strangers_with_equal_system_and_number"] == 0
    ),
    "race-missing": lambda f: (
        f["missing_at_worst_site"] > 4 * f["missing_at_best_site"]
        and f["worst_site_share_complete_cases"] < 0.9 * f["worst_site_share"]
    ),
    "new-clinic": lambda f: (
        f["growth_all_clinics"] > f["growth_same_clinics"] + 0.05 and f["visits_there_before_opening"] == 0
    ),
}  # fmt: skip


def honest_rate(data: Data) -> Data:
    return replace(data, history=data.history.assign(no_show_rate=data.history["prior_rate"]))


def everybody_waits(data: Data) -> Data:
    return replace(data, history=data.history.assign(wait_minutes=15.0))


def coin_for_reminders(data: Data) -> Data:
    """What a randomised trial would have recorded."""
    reminded = np.random.default_rng(0).random(len(data.history)) < 0.5
    would = [data.history[f"misses_{name}_reminder"].astype(int) for name in ("with", "without")]
    return replace(data, history=data.history.assign(sms_reminder=reminded, missed=would[0].where(reminded, would[1])))


def true_status(data: Data) -> Data:
    truth = data.true_appointments.set_index("appointment_id")["true_status"]
    return replace(data, visits=data.visits.assign(status=data.visits["appointment_id"].map(truth)))


def strangers(data: Data) -> Data:
    """Every visit somebody else's: nobody can be recognised, by record or by traits."""
    traits = data.history[["age", "distance_km"]].sample(frac=1, random_state=0).to_numpy()
    shuffled = data.history.assign(
        patient_id=data.history["appointment_id"], age=traits[:, 0], distance_km=traits[:, 1]
    )
    return replace(data, history=shuffled)


def local_clock(data: Data) -> Data:
    start = data.visits.set_index("appointment_id")["start"]
    return replace(
        data, appointments=data.appointments.assign(start_utc=data.appointments["appointment_id"].map(start))
    )


def closed_books(data: Data) -> Data:
    past = data.visits["start"] <= pd.Timestamp(data.world.clock.extract_at)
    return replace(data, visits=data.visits[~(past & data.visits["status"].eq("booked"))])


def known_race(data: Data) -> Data:
    return replace(data, patients=data.patients.assign(race=data.patients["race"].fillna("Other")))


def no_new_clinic(data: Data) -> Data:
    new = [clinic.id for clinic in data.world.clinic if clinic.opens]
    return replace(data, visits=data.visits[~data.visits["site_id"].isin(new)])


def steady_policy(data: Data) -> Data:
    """Every month drawn from the whole history: the same patients and rules all the time."""
    order = np.random.default_rng(0).permutation(len(data.history))
    shuffled = data.history.iloc[order].reset_index(drop=True).assign(start=data.history["start"])
    return replace(data, history=shuffled)


def one_number_each(data: Data) -> Data:
    """Every record of a person under one number, as a master patient index would give it."""
    person = data.true_patients.set_index("patient_id")["person_id"]
    patients = data.patients.assign(mrn=data.patients["patient_id"].map(person), former_mrn=None)
    return replace(data, patients=patients)


MENDED: dict[str, Callable[[Data], Data]] = {
    "look-ahead-rate": honest_rate,
    "after-the-visit": everybody_waits,
    "reminder-by-indication": coin_for_reminders,
    "miscoded-site": true_status,
    "same-patient": strangers,
    "wrong-day": local_clock,
    "left-open": closed_books,
    "policy-change": steady_policy,
    "weather-wrong-day": local_clock,
    "mixed-identifiers": one_number_each,
    "race-missing": known_race,
    "new-clinic": no_new_clinic,
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(TRAP)
    assert set(MENDED) == set(TRAP) - {"duplicate-patients"}  # mended by the reference: see below


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, data: Data) -> None:
    figures = TRAP[name].measure(data)
    assert HARM[name](figures), figures
    listed = {entry["id"]: entry for entry in orjson.loads((DATA / "truth" / "traps.json").read_bytes())}
    assert listed[name]["figures"] == pytest.approx(
        {key: round(value, 3) for key, value in figures.items()}, abs=0.0011
    )


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, data: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](data))
    assert not HARM[name](figures), figures


def test_a_trial_recovers_the_true_effect_of_a_reminder(data: Data) -> None:
    figures = TRAP["reminder-by-indication"].measure(coin_for_reminders(data))
    assert figures["odds_ratio_adjusted"] == pytest.approx(0.65, abs=0.1)


def test_the_matching_rule_needs_duplicates_to_find_any(data: Data) -> None:
    single = data.patients[~data.patients["patient_id"].isin({second for _, second in true_pairs(data)})]
    assert match_records(single) == set()
    assert len(match_records(data.patients)) == len(true_pairs(data)) == 65


def test_ceilings_are_published(data: Data) -> None:
    ceilings = orjson.loads((DATA / "truth" / "ceilings.json").read_bytes())["scheduling"]
    assert 0.77 <= ceilings["auc_test_period"] <= 0.79
    assert 0.77 <= ceilings["auc_whole_history"] <= 0.79


def test_potential_outcomes_agree_with_what_happened(data: Data) -> None:
    truth = data.true_appointments.dropna(subset="misses_with_reminder")
    happened = truth["misses_with_reminder"].where(truth["reminder_received"], truth["misses_without_reminder"])
    assert (happened.astype(bool) == truth["true_status"].eq("noshow")).all()
    assert (truth["p_with_reminder"] < truth["p_without_reminder"]).all()
    assert truth["p_no_show"].mean() == pytest.approx(truth["true_status"].eq("noshow").mean(), abs=0.005)
    assert set(data.true_appointments["true_status"]) == {"fulfilled", "noshow", "cancelled"}  # future ones too
