"""The mistakes planted in the world, and what each costs: `naive` falls for it, `reference` does not.

Every trap has a function that measures both on the built data. What they return goes to truth/, never to a learner.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from carelab.fhir.matching import match_patients
from carelab.synth.areas import Figures, Trap
from carelab.synth.scheduling.agenda import working_days
from carelab.synth.scheduling.calibration import ceiling
from carelab.synth.scheduling.measure import (
    HONEST,
    NUMBERS,
    RESOLVED,
    WORDS,
    Data,
    adjusted_odds_ratio,
    later_auc,
    logistic,
    odds_ratio,
)
from carelab.synth.statistics import auc


def _lookahead(data: Data) -> Figures:
    seen = data.history.fillna({"no_show_rate": 0.2})
    later = seen[seen["later"]]
    return {
        "auc_rate_alone": auc(later["missed"], later["no_show_rate"]),
        "auc_with_rate": later_auc(seen, logistic([*NUMBERS, "no_show_rate"], WORDS), [*HONEST, "no_show_rate"]),
        "auc_honest": later_auc(seen, logistic(NUMBERS, WORDS), HONEST),
        "auc_ceiling": ceiling(data),
    }


def _after_the_visit(data: Data) -> Figures:
    seen = data.history.assign(waited=data.history["wait_minutes"].notna())
    return {
        "auc_with_wait": later_auc(seen, logistic([*NUMBERS, "waited"], WORDS), [*HONEST, "waited"]),
        "auc_honest": later_auc(seen, logistic(NUMBERS, WORDS), HONEST),
        "auc_ceiling": ceiling(data),
    }


def _reminders(data: Data) -> Figures:
    odds = data.history["p_without_reminder"] / (1 - data.history["p_without_reminder"])
    seen = data.history.assign(true_log_odds=np.log(odds))
    others = [name for name in NUMBERS if name != "sms_reminder"]
    due = data.true_appointments.dropna(subset="misses_with_reminder")
    return {
        "missed_with": float(seen.loc[seen["sms_reminder"], "missed"].mean()),
        "missed_without": float(seen.loc[~seen["sms_reminder"], "missed"].mean()),
        "odds_ratio_crude": odds_ratio(seen["missed"], seen["sms_reminder"]),
        "odds_ratio_adjusted": adjusted_odds_ratio(seen, "sms_reminder", others, WORDS),
        "odds_ratio_full_risk": adjusted_odds_ratio(seen, "sms_reminder", ["true_log_odds"], []),
        "odds_ratio_true": data.world.risk.reminder,
        "missed_if_all_reminded": float(due["misses_with_reminder"].mean()),
        "missed_if_none_reminded": float(due["misses_without_reminder"].mean()),
    }


def _miscoding(data: Data) -> Figures:
    site = next(clinic.id for clinic in data.world.clinic if clinic.miscodes_no_shows)
    past = data.past.merge(data.true_appointments, on="appointment_id")
    here, others = past[past["site_id"] == site], past[past["site_id"] != site]

    def rate(visits: pd.DataFrame, column: str) -> float:
        return float(visits.loc[visits[column].isin(RESOLVED), column].eq("noshow").mean())

    return {
        "rate_recorded_here": rate(here, "status"),
        "rate_true_here": rate(here, "true_status"),
        "rate_recorded_elsewhere": rate(others, "status"),
        "cancelled_here": float(here["status"].eq("cancelled").mean()),
        "cancelled_elsewhere": float(others["status"].eq("cancelled").mean()),
        "reminded_among_cancelled_here": float(here.loc[here["status"] == "cancelled", "sms_reminder"].mean()),
        "reminded_among_cancelled_elsewhere": float(others.loc[others["status"] == "cancelled", "sms_reminder"].mean()),
    }


def _same_patient(data: Data) -> Figures:
    """Two models that can tell people apart: one is given each patient's missed share over the training rows, one
    only age, distance and the like. A random split tests both on people they have met."""
    seen = data.history
    encoder = TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))
    rate = make_pipeline(
        make_column_transformer(("passthrough", NUMBERS), (OrdinalEncoder(), WORDS), (encoder, ["patient_id"])),
        HistGradientBoostingClassifier(max_depth=3, learning_rate=0.05, max_iter=150, random_state=0),
    )
    traits = ["age", "distance_km", "log_lead"]
    forest = RandomForestClassifier(40, min_samples_leaf=2, random_state=0)

    def score(model: Any, columns: list[str], by_patient: bool) -> float:
        splitter = (GroupShuffleSplit if by_patient else ShuffleSplit)(1, test_size=0.3, random_state=0)
        train, test = next(splitter.split(seen, groups=seen["patient_id"] if by_patient else None))
        model.fit(seen.iloc[train][columns], seen.iloc[train]["missed"])
        return auc(seen.iloc[test]["missed"], model.predict_proba(seen.iloc[test][columns])[:, 1])

    return {
        "auc_random_split": score(rate, [*HONEST, "patient_id"], by_patient=False),
        "auc_patient_split": score(rate, [*HONEST, "patient_id"], by_patient=True),
        "auc_traits_random_split": score(forest, traits, by_patient=False),
        "auc_traits_patient_split": score(forest, traits, by_patient=True),
    }


def _wrong_day(data: Data) -> Figures:
    appointments = data.appointments.merge(data.visits[["appointment_id", "start", "hour"]], on="appointment_id")
    open_days = working_days(data.world)
    utc_day, local_day = appointments["start_utc"].dt.normalize(), appointments["start"].dt.normalize()
    evening = appointments["hour"] >= 17
    return {
        "share_on_wrong_day": float((utc_day != local_day).mean()),
        "share_of_evening_on_wrong_day": float((utc_day != local_day)[evening].mean()),
        "visits_on_closed_days_utc": float((~utc_day.isin(open_days)).sum()),
        "visits_on_closed_days_local": float((~local_day.isin(open_days)).sum()),
    }


def _weather_day(data: Data) -> Figures:
    """Snow forecast of evening visits in the season with snow, joined by the day in UTC and by the local day."""
    columns = ["appointment_id", "start", "hour", "snow_cm_forecast"]
    seen = data.appointments.merge(data.visits[columns], on="appointment_id").merge(data.sites, on="site_id")
    forecast = data.weather.set_index(["zip3", "date"])["snow_cm_forecast"]

    def joined(day: pd.Series) -> pd.Series:
        return pd.Series(forecast.reindex(pd.MultiIndex.from_arrays([seen["zip3"], day])).to_numpy(), seen.index)

    by_utc, by_local = joined(seen["start_utc"].dt.normalize()), joined(seen["start"].dt.normalize())
    asked = (seen["hour"] >= 17) & (seen["snow_cm_forecast"] > 0)
    return {
        "evenings_with_snow_forecast": float(asked.sum()),
        "share_wrong_by_utc_day": float((by_utc != seen["snow_cm_forecast"])[asked].mean()),
        "share_wrong_by_local_day": float((by_local != seen["snow_cm_forecast"])[asked].mean()),
        "share_snow_missed_by_utc_day": float((by_utc[asked] == 0).mean()),
    }


def _left_open(data: Data) -> Figures:
    booked = data.visits["status"].eq("booked")
    past = data.visits["start"] <= pd.Timestamp(data.world.clock.extract_at)
    truth = data.true_appointments.set_index("appointment_id")["true_status"]
    missed = data.visits.loc[booked & past, "appointment_id"].map(truth).eq("noshow")
    return {
        "rows_with_status_booked": float(booked.sum()),
        "rows_really_ahead": float((booked & ~past).sum()),
        "true_no_show_rate_of_those_left_open": float(missed.mean()),
    }


def _policy(data: Data) -> Figures:
    """A model from before the change, used after it; and one that saw the first half of the time after."""
    start = data.world.policy_start
    middle = start + (pd.Timestamp(data.world.clock.extract_at) - start) / 2
    seen = data.history
    test = seen[seen["start"] >= middle]

    def predicted(since: pd.Timestamp, until: pd.Timestamp) -> float:
        train = seen[(seen["start"] >= since) & (seen["start"] < until)]
        model = logistic(NUMBERS, WORDS).fit(train[HONEST], train["missed"])
        return float(model.predict_proba(test[HONEST])[:, 1].mean())

    observed = float(test["missed"].mean())
    before, after = predicted(seen["start"].min(), start), predicted(start, middle)
    return {
        "predicted_by_old_model": before,
        "predicted_by_new_model": after,
        "observed": observed,
        "error_old_model": abs(before - observed),
        "error_new_model": abs(after - observed),
    }


def match_records(patients: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs of patient_id that look like one person to `carelab.fhir.matching`, lower id first."""
    found = match_patients(patients)
    return set(zip(found["first_id"], found["second_id"], strict=True))


def true_pairs(data: Data) -> set[tuple[str, str]]:
    """Pairs of patient_id that are one person, lower id first."""
    both = data.true_patients.merge(data.true_patients, on="person_id", suffixes=("", "_2"))
    both = both[both["patient_id"] < both["patient_id_2"]]
    return set(zip(both["patient_id"], both["patient_id_2"], strict=True))


def _duplicates(data: Data) -> Figures:
    true, found = true_pairs(data), match_records(data.patients)
    exact = data.patients.duplicated(["given_name", "family_name", "birth_date"], keep=False)
    twice = {record for pair in true for record in pair}
    visits = data.visits.merge(data.true_appointments[["appointment_id", "person_id"]], on="appointment_id")
    visits = visits[visits["patient_id"].isin(twice)].sort_values("start")
    resolved = visits[visits["status"].isin(RESOLVED)]
    both = visits.merge(resolved[["person_id", "start"]], on="person_id", suffixes=("", "_earlier"))
    whole = (both["start_earlier"] < both["booked_on"]).groupby(both["appointment_id"]).sum()
    return {
        "pairs": float(len(true)),
        "recall_exact_match": len({r for r in data.patients.loc[exact, "patient_id"] if r in twice}) / (2 * len(true)),
        "recall_rule": len(true & found) / len(true),
        "precision_rule": len(true & found) / len(found),
        "prior_visits_on_record": float(visits["prior_visits"].mean()),
        "prior_visits_of_person": float(whole.reindex(visits["appointment_id"]).fillna(0).mean()),
    }


def _mixed_identifiers(data: Data) -> Figures:
    """Doubles found by an equal number; and strangers whose numbers are equal once the prefix is dropped."""
    patients, true = data.patients, true_pairs(data)
    numbers = patients.melt("patient_id", ["mrn", "former_mrn"], "system", "number").dropna(subset="number")
    numbers["digits"] = numbers["number"].str.replace(r"\D", "", regex=True)

    def pairs(key: list[str]) -> set[tuple[str, str]]:
        both = numbers.merge(numbers, on=key, suffixes=("", "_2"))
        both = both[both["patient_id"] < both["patient_id_2"]]
        return set(zip(both["patient_id"], both["patient_id_2"], strict=True))

    return {
        "pairs": float(len(true)),
        "recall_by_number": len(true & pairs(["system", "number"])) / len(true),
        "recall_rule": len(true & match_records(patients)) / len(true),
        "strangers_with_equal_digits": float(len(pairs(["digits"]) - true)),
        "strangers_with_equal_system_and_number": float(len(pairs(["system", "number"]) - true)),
    }


def _race_missing(data: Data) -> Figures:
    missing = data.patients["race"].isna()
    by_site = missing.groupby(data.patients["home_site_id"]).mean()
    true = data.true_patients.set_index("patient_id")["true_race"].reindex(data.patients["patient_id"])
    black = true.eq("Black or African American").to_numpy()
    worst = data.patients["home_site_id"].eq(by_site.idxmax())
    return {
        "missing": float(missing.mean()),
        "missing_at_best_site": float(by_site.min()),
        "missing_at_worst_site": float(by_site.max()),
        "worst_site_share_complete_cases": float(worst[~missing].mean()),
        "worst_site_share": float(worst.mean()),
        "black_share_complete_cases": float(black[~missing].mean()),
        "black_share_true": float(black.mean()),
    }


def _new_clinic(data: Data) -> Figures:
    opens = min(clinic.opens for clinic in data.world.clinic if clinic.opens)
    new = [clinic.id for clinic in data.world.clinic if clinic.opens]
    past = data.past[~data.past["site_id"].isin(data.sites.loc[data.sites["kind"] == "hospital", "site_id"])]
    second_year = past["start"] >= pd.Timestamp(opens)
    same = ~past["site_id"].isin(new)
    return {
        "growth_all_clinics": float(second_year.sum() / (~second_year).sum() - 1),
        "growth_same_clinics": float((second_year & same).sum() / (~second_year & same).sum() - 1),
        "visits_there_before_opening": float((~same & ~second_year).sum()),
    }


TRAPS = (
    Trap(
        "look-ahead-rate", "The patient's no-show rate knows the future", "visits.no_show_rate, patients.no_show_rate",
        "Compute the rate from visits that lie before the booking; the vendor's is as of the extract.",
        "auc_with_rate", "auc_honest", _lookahead,
    ),
    Trap(
        "after-the-visit", "A waiting time exists only for those who came", "visits.wait_minutes, appointments.checked_in_utc",
        "Drop every column that is written at or after the visit.",
        "auc_with_wait", "auc_honest", _after_the_visit,
    ),
    Trap(
        "reminder-by-indication", "Reminders seem to cause no-shows", "visits.sms_reminder",
        "Staff remind those at risk: judge reminders by a trial, never by a coefficient.",
        "odds_ratio_adjusted", "odds_ratio_full_risk", _reminders,
    ),
    Trap(
        "miscoded-site", "One clinic enters missed visits as cancelled", "visits.status at one site",
        "Compare no-shows and cancellations together, by site, and ask the desk before ranking sites.",
        "rate_recorded_here", "rate_true_here", _miscoding,
    ),
    Trap(
        "same-patient", "A random split tests on people the model has met", "visits.patient_id",
        "Split by time, and by patient where the question is about new patients.",
        "auc_random_split", "auc_patient_split", _same_patient,
    ),
    Trap(
        "wrong-day", "Evening visits fall on the next day in UTC", "appointments.start_utc",
        "Convert to the clinic's time zone before taking a day, a weekday or the weather.",
        "visits_on_closed_days_utc", "visits_on_closed_days_local", _wrong_day,
    ),
    Trap(
        "weather-wrong-day", "Evening visits get the next day's weather", "appointments.start_utc, weather.date",
        "Join the weather by the local day of the visit and the site's ZIP area.",
        "share_wrong_by_utc_day", "share_wrong_by_local_day", _weather_day,
    ),
    Trap(
        "left-open", "Some past appointments were never closed", "visits.status = booked before the extract",
        "Select by time as well as by status, and leave unresolved visits out of the labels.",
        "rows_with_status_booked", "rows_really_ahead", _left_open,
    ),
    Trap(
        "policy-change", "The booking rules changed in month 18", "visits.start from December 2025 on",
        "Compare predicted and observed rates by month; refit or recalibrate on the time after the change.",
        "error_old_model", "error_new_model", _policy,
    ),
    Trap(
        "duplicate-patients", "Some people have two records", "patients",
        "Match on birth date, name and phone with tolerance before counting a history.",
        "recall_exact_match", "recall_rule", _duplicates,
    ),
    Trap(
        "mixed-identifiers", "Two series of record numbers, neither of which finds the doubles",
        "Patient.identifier, patients.mrn, patients.former_mrn",
        "Compare numbers with their system, never by digits or by place in the list, and match people on what describes them.",
        "recall_by_number", "recall_rule", _mixed_identifiers,
    ),
    Trap(
        "race-missing", "Race and ethnicity are missing unequally by site", "patients.race, patients.ethnicity",
        "Report missingness by site, and keep the unknown as a group of its own.",
        "worst_site_share_complete_cases", "worst_site_share", _race_missing,
    ),
    Trap(
        "new-clinic", "A clinic opens in month 13", "visits.site_id",
        "Compare the same sites over time, and check a model at a site it has not seen.",
        "growth_all_clinics", "growth_same_clinics", _new_clinic,
    ),
)  # fmt: skip
