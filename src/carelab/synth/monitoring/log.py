"""The log of two models in use: true patients first, then what the pipeline delivered, what the model said, who acted.

The areas of visits and stays do not enter: a log is a sample, taken where a model answers, of the people of the
released world, whatever the size that is built.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from carelab.synth.areas import Core, Part
from carelab.synth.config import Panel, World, panels
from carelab.synth.monitoring.changes import make_changes
from carelab.synth.people import expit, make_people
from carelab.synth.resources import RACES
from carelab.synth.streams import stream

WORKING_DAYS = 21.74  # in a month
UMOL = 88.4  # umol/L of creatinine in one mg/dL
LOINC = ("718-7", "20509-6")  # hemoglobin, measured and by calculation
GROUPS = {"heart-failure": 0.16, "lung-disease": 0.14, "infection": 0.22, "surgery": 0.26, "other": 0.22}
RENAMED = {"heart-failure": "hf", "lung-disease": "copd"}
MOST_CREATININE = 10.0  # mg/dL; the model counts no more
USUAL = {"hemoglobin": 12.3, "albumin": 3.55}  # what the model assumes for a missing value
ABSURD = 0.8  # a score that no nurse believes any more
VERSIONS = {"readmission": "2.1", "no-show": "3.0"}
# Order of the table's columns.
COLUMNS = [
    "prediction_id", "model", "model_version", "predicted_on", "site_id", "age", "sex", "race", "payer",
    "prior_admissions", "length_of_stay", "creatinine", "hemoglobin", "hemoglobin_loinc", "albumin", "diagnosis_group",
    "lead_days", "prior_no_shows", "score", "threshold", "action", "override", "error", "latency_ms", "label",
    "label_after_days",
]  # fmt: skip
TRUE_COLUMNS = ["prediction_id", "p", "outcome", "score_mended"]
WHOLE_NUMBERS = ["prior_admissions", "length_of_stay", "lead_days", "prior_no_shows", "label", "label_after_days"]


def make(core: Core, _: Mapping[str, Part]) -> Part:
    """The whole log with its truth in the first panel, and empty tables in the others."""
    world = core.world
    if core.panel.number:  # the same tables, without a row
        log = pd.DataFrame({name: pd.Series(dtype=object) for name in {*COLUMNS, *TRUE_COLUMNS}})
        services, changes = make_services(world).head(0), make_changes(world).head(0)
    else:
        log, services, changes = make_log(world), make_services(world), make_changes(world)
    return Part(
        tables={"prediction_log": log[COLUMNS], "service_log": services},
        truth={"monitoring_predictions": log[TRUE_COLUMNS], "monitoring_changes": changes},
    )


def make_log(world: World) -> pd.DataFrame:
    """One row a prediction, sorted by day, with the columns of the table and those of the truth."""
    found = []
    for panel in panels(world):
        people = make_people(world, panel)
        found += [_discharges(world, panel, people), _bookings(world, panel, people)]
    rows = pd.concat(found, ignore_index=True).sort_values("predicted_on", kind="stable", ignore_index=True)
    rows["prediction_id"] = [f"prd-{i:06d}" for i in range(len(rows))]
    return _served(world, rows)


def _days(world: World, panel: Panel, what: str, per_month: float, since: date) -> pd.Series:
    """Local days of predictions, sorted: a Poisson number of them on the working days from `since` to the extract."""
    rng = stream(world.seed, f"monitoring/{what}-when", panel.number)
    days = pd.bdate_range(since, pd.Timestamp(world.clock.extract_at).normalize() - pd.Timedelta(days=1))
    n = rng.poisson(per_month * len(days) / WORKING_DAYS)
    return pd.Series(days[np.sort(rng.integers(0, len(days), n))])


def _people(
    world: World, panel: Panel, people: pd.DataFrame, what: str, when: pd.Series, weights: dict[str, float]
) -> pd.DataFrame:
    """Who each prediction is about, drawn by age group: age (years), sex, race as recorded, payer."""
    weight = people["age_group"].map(weights).to_numpy()
    chosen = stream(world.seed, f"monitoring/{what}-who", panel.number).choice(
        len(people), len(when), p=weight / weight.sum()
    )
    who = people.iloc[chosen].reset_index(drop=True)
    race = who["race"].map({key: text for key, (_, text) in RACES.items()}).astype(object)
    return pd.DataFrame(
        {
            "predicted_on": when,
            "age": ((when - who["birth_date"]).dt.days // 365.25).astype("int32"),
            "sex": who["sex"],
            "race": race.mask(who["race_missing"].astype(bool)),
            "payer": who["payer"],
        }
    )


def _hidden(rng: np.random.Generator, spread: float, n: int) -> np.ndarray:
    """Log odds that no column says, lowered so that a model without them stays calibrated at rates near 0.17."""
    return np.asarray(rng.normal(-0.33 * spread**2, spread, n))


def _grown(world: World, when: pd.Series) -> np.ndarray:
    """How far the slow drifts have come, 0 until the new clinic opens, 1 at the extract. Shape (n,)."""
    opens = pd.Timestamp(next(clinic.opens for clinic in world.clinic if clinic.opens))
    end = pd.Timestamp(world.clock.extract_at)
    return np.clip(((when - opens) / (end - opens)).to_numpy(), 0.0, 1.0)


def _discharges(world: World, panel: Panel, people: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the readmission model at discharge, with true risk and outcome."""
    rates = world.monitoring

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"monitoring/discharge-{name}", panel.number)

    when = _days(world, panel, "discharge", rates.discharges_per_month, world.clock.history_start)
    rows = _people(world, panel, people, "discharge", when, {"child": 0.0, "adult": 0.8, "elder": 2.0})
    n, site = len(rows), world.clinic[panel.clinic].hospital
    rows["model"], rows["site_id"] = "readmission", site
    ill = draw("ill").normal(0, 1, n)
    rows["prior_admissions"] = draw("prior").poisson(np.exp(-0.45 + 0.45 * ill))
    rows["length_of_stay"] = np.ceil(np.exp(draw("stay").normal(1.15 + 0.12 * ill, 0.65))).clip(1, 40).astype(int)
    creatinine = np.exp(draw("creatinine").normal(0.02 + 0.13 * ill, 0.33)).clip(0.3, 9.0).round(1)
    hemoglobin = draw("hemoglobin").normal(12.4 - 0.55 * ill, 1.6).clip(5.5, 17.5).round(1)
    albumin = draw("albumin").normal(3.6 - 0.2 * ill, 0.4).clip(1.6, 5.0).round(1)
    group = draw("group").choice(list(GROUPS), n, p=list(GROUPS.values()))
    hidden = _hidden(draw("hidden"), rates.readmission_hidden_sd, n)
    true = _readmission_logit(world, rows, creatinine, hemoglobin, albumin, group)
    true += hidden + rates.prevalence_growth * _grown(world, when)
    rows["p"] = expit(true)
    rows["outcome"] = draw("outcome").random(n) < rows["p"]

    share = np.full(n, rates.albumin_missing)
    if site == rates.missing_jump_site:
        share[when >= pd.Timestamp(rates.missing_jump_from)] = rates.missing_jump_share
    measured = draw("albumin-missing").random(n) >= share
    other_lab = ((when >= pd.Timestamp(rates.lab_change_from)) & (site == rates.lab_change_site)).to_numpy()
    wrong_unit = when.between(
        pd.Timestamp(rates.unit_change_from), pd.Timestamp(rates.unit_change_until), inclusive="left"
    )
    wrong_unit &= site == rates.unit_change_site
    rows["albumin"] = np.where(measured, albumin, np.nan)
    rows["hemoglobin"] = np.where(other_lab, np.nan, hemoglobin)
    rows["hemoglobin_loinc"] = np.where(other_lab, LOINC[1], LOINC[0])
    rows["creatinine"] = np.where(wrong_unit, (creatinine * UMOL).round(), creatinine)
    renamed = (when >= pd.Timestamp(rates.code_change_from)).to_numpy()
    rows["diagnosis_group"] = np.where(renamed, [RENAMED.get(g, g) for g in group], group)
    delivered = rows[["creatinine", "hemoglobin", "albumin"]].fillna(USUAL).to_numpy().T
    groups = rows["diagnosis_group"].to_numpy()
    rows["score"] = expit(_readmission_logit(world, rows, delivered[0], delivered[1], delivered[2], groups))
    usual_albumin = np.where(measured | (share > rates.albumin_missing), albumin, USUAL["albumin"])
    mended = _readmission_logit(world, rows, creatinine, hemoglobin, usual_albumin, group)
    rows["score_mended"] = expit(mended)
    later = when >= pd.Timestamp(rates.threshold_change_from)
    rows["threshold"] = np.where(later, rates.threshold_after, rates.readmission_threshold)

    lag = pd.Timedelta(days=rates.label_lag_days)
    back = when + pd.to_timedelta(draw("back").integers(1, 31, n), unit="D")
    seen_here = rows["outcome"] & (draw("elsewhere").random(n) >= rates.late_admission_share)
    rows["label_known_on"] = back.where(seen_here, when + lag)
    return rows


def _readmission_logit(
    world: World,
    rows: pd.DataFrame,
    creatinine: np.ndarray,
    hemoglobin: np.ndarray,
    albumin: np.ndarray,
    group: np.ndarray,
) -> np.ndarray:
    """Log odds that the model in use gives to these inputs. Shape (n,)."""
    weights = world.monitoring.readmission_weights
    terms = {
        "age_decade": (rows["age"].to_numpy() - 60) / 10,
        "prior_admissions": rows["prior_admissions"].to_numpy().clip(max=4),
        "length_of_stay": rows["length_of_stay"].to_numpy().clip(max=20),
        "creatinine": creatinine.clip(max=MOST_CREATININE) - 1.0,
        "hemoglobin": hemoglobin - 12.5,
        "albumin": albumin - 3.6,
        "heart_failure": group == "heart-failure",
        "lung_disease": group == "lung-disease",
        "surgery": group == "surgery",
    }
    return np.asarray(world.monitoring.readmission_intercept + sum(weights[name] * terms[name] for name in weights))


def _bookings(world: World, panel: Panel, people: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the no-show model the evening before a visit, with true risk and outcome."""
    rates, clinic = world.monitoring, world.clinic[panel.clinic]

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"monitoring/booking-{name}", panel.number)

    per_month = rates.new_clinic_per_month if clinic.opens else rates.bookings_per_month
    when = _days(world, panel, "booking", per_month, clinic.opens or world.clock.history_start)
    rows = _people(world, panel, people, "booking", when, {"child": 1.0, "adult": 1.0, "elder": 1.0})
    n = len(rows)
    rows["model"], rows["site_id"] = "no-show", clinic.id
    median = rates.lead_median_days * (1 + rates.lead_growth * _grown(world, when))
    if clinic.opens:
        median *= rates.new_clinic_lead
    rows["lead_days"] = np.ceil(median * np.exp(draw("lead").normal(0, 0.95, n))).clip(1, 120).astype(int)
    habit = draw("habit").normal(0, 1, n)
    # Nobody has a history at a new clinic; it fills over the first year.
    known = 0.6 * _grown(world, when) if clinic.opens else 1.0
    rows["prior_no_shows"] = draw("prior").poisson(known * np.exp(-0.75 + 0.75 * habit)).clip(max=9)
    hidden = _hidden(draw("hidden"), rates.no_show_hidden_sd, n)
    extra = rates.new_clinic_intercept if clinic.opens else 0.0
    weights = {"intercept": rates.no_show_intercept, **rates.no_show_weights}
    rows["p"] = expit(_no_show_logit(weights, rows) + hidden + extra)
    rows["outcome"] = draw("outcome").random(n) < rows["p"]
    rows["score_mended"] = expit(_no_show_logit(weights, rows))
    retrained = when >= pd.Timestamp(rates.retrain_from)
    rows["score"] = np.where(retrained, expit(_no_show_logit(rates.retrain_weights, rows)), rows["score_mended"])
    rows["threshold"] = rates.no_show_threshold
    rows["label_known_on"] = when + pd.Timedelta(days=1)
    return rows


def _no_show_logit(weights: Mapping[str, float], rows: pd.DataFrame) -> np.ndarray:
    """Log odds that a no-show model with these weights gives. Shape (n,)."""
    terms = {
        "intercept": 1.0,
        "log_lead": np.log1p(rows["lead_days"].to_numpy()),
        "prior_no_shows": rows["prior_no_shows"].to_numpy().clip(max=3),
        "medicaid": rows["payer"].eq("medicaid").to_numpy(),
        "young": rows["age"].between(18, 34).to_numpy(),
    }
    return np.asarray(sum(weight * terms[name] for name, weight in weights.items()))


def _served(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with latency, errors, what was done, and the labels known at the extract."""
    rates, n = world.monitoring, len(rows)

    def draw(name: str) -> np.random.Generator:
        return stream(world.seed, f"monitoring/{name}")

    slow = _during_incident(world, rows["predicted_on"]).to_numpy()
    latency = rates.latency_median_ms * np.exp(draw("latency").normal(0, 0.35, n))
    latency *= np.where(slow, rates.incident_slowdown, 1.0)
    rows["latency_ms"] = (np.round(latency / 20) * 20).astype("int32")
    error = draw("error").random(n) < np.where(slow, rates.incident_error_share, rates.error_share)
    flagged, absurd = rows["score"] >= rows["threshold"], rows["score"] >= ABSURD
    shares = rates.override_share
    share = np.select([absurd, flagged], [shares["absurd"], shares["flagged"]], shares["not_flagged"])
    rows["override"] = (draw("override").random(n) < share) & ~error
    acted = flagged ^ rows["override"]
    rows["action"] = np.where(acted & ~error, "call", "none")
    rows["error"] = error
    rows["score"] = rows["score"].where(~error).round(3)
    known = rows["label_known_on"] <= pd.Timestamp(world.clock.extract_at)
    rows["label"] = rows["outcome"].astype("Int32").where(known)
    rows["label_after_days"] = (rows["label_known_on"] - rows["predicted_on"]).dt.days.where(known)
    rows["model_version"] = rows["model"].map(VERSIONS)
    rows["p"], rows["score_mended"] = rows["p"].round(3), rows["score_mended"].round(3)
    return rows.astype({name: "Int32" for name in WHOLE_NUMBERS})


def _during_incident(world: World, when: pd.Series) -> pd.Series:
    """Whether a time lies in the slow days."""
    rates = world.monitoring
    return when.between(pd.Timestamp(rates.incident_from), pd.Timestamp(rates.incident_until), inclusive="left")


def make_services(world: World) -> pd.DataFrame:
    """The platform's daily figures: one row a day and service, sorted by day, then service.

    Columns: day, service, requests, errors, latency_p50_ms, latency_p95_ms, retrieval_hit_rate (the
    policy assistant's only).
    """
    rates = world.monitoring
    days = pd.date_range(world.clock.history_start, pd.Timestamp(world.clock.extract_at).normalize())
    found = []
    for service, mean in rates.requests_per_day.items():
        rng = stream(world.seed, f"monitoring/service-{service}")
        log = pd.DataFrame({"day": days, "service": service})
        weekend = (log["day"].dt.weekday >= 5).to_numpy()
        slow = _during_incident(world, log["day"]).to_numpy()
        log["requests"] = rng.poisson(mean * np.where(weekend, 0.08, 1.0)).astype("int32")
        share = np.where(slow, rates.incident_error_share, rates.error_share)
        log["errors"] = rng.binomial(log["requests"], share).astype("int32")
        base = rates.latency_median_ms * (6.0 if service == "policy-assistant" else 1.0)
        p50 = base * np.exp(rng.normal(0, 0.05, len(log))) * np.where(slow, rates.incident_slowdown, 1.0)
        log["latency_p50_ms"] = p50.round().astype("int32")
        log["latency_p95_ms"] = (p50 * np.exp(rng.normal(0.75, 0.08, len(log)))).round().astype("int32")
        late = log["day"] >= pd.Timestamp(rates.index_loss_from)
        hits = rng.binomial(log["requests"], np.where(late, rates.hit_rate_after, rates.hit_rate))
        log["retrieval_hit_rate"] = (hits / log["requests"].where(log["requests"] > 0)).round(3)
        if service != "policy-assistant":
            log["retrieval_hit_rate"] = np.nan
        found.append(log)
    return pd.concat(found).sort_values(["day", "service"], kind="stable", ignore_index=True)
