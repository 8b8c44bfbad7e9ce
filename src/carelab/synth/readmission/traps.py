"""The mistakes planted in the stays, and what each costs: `naive` falls for it, `reference` does not."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from carelab.fhir.readmissions import episodes, naive_readmissions, readmissions, with_planned
from carelab.synth.areas import Figures, Trap
from carelab.synth.readmission.calibration import ceiling
from carelab.synth.readmission.measure import HONEST, Data, later_auc, logistic
from carelab.synth.statistics import auc


def _rate(data: Data, stays: pd.DataFrame) -> float:
    """Rate of returns by the rule, on stays as changed."""
    return float(readmissions(stays, data.until)["readmitted"].dropna().astype(float).mean())


def _inpatient(data: Data) -> pd.DataFrame:
    return data.stays[data.stays["class"] == "IMP"]


def _transfers(data: Data) -> Figures:
    """Without a look at dispositions and sources, the second hospital's stay is a return on the day of discharge."""
    blind = data.stays.assign(
        disposition=data.stays["disposition"].replace("transfer", "home"),
        admission=data.stays["admission"].replace("transfer", "urgent"),
    )
    counted = readmissions(blind, data.until)
    ruled = readmissions(data.stays, data.until)
    return {
        "rate_transfers_counted": _rate(data, blind),
        "rate_rule": float(data.index["readmitted"].mean()),
        "returns_counted": float(counted["readmitted"].sum()),
        "returns_rule": float(ruled["readmitted"].sum()),
        "transfers": float(_inpatient(data)["disposition"].eq("transfer").sum()),
    }


def _planned(data: Data) -> Figures:
    counted = readmissions(with_planned(data.stays).assign(planned=False), data.until)
    merged = counted.merge(data.stays[["stay_id", "ward"]], on="stay_id").dropna(subset="readmitted")
    oncology = merged.loc[merged["ward"] == "oncology", "readmitted"].astype(float).mean()
    rule = data.index.loc[data.index["ward"] == "oncology", "readmitted"].mean()
    return {
        "rate_planned_counted": float(merged["readmitted"].astype(float).mean()),
        "rate_rule": float(data.index["readmitted"].mean()),
        "oncology_planned_counted": float(oncology),
        "oncology_rule": float(rule),
    }


def _deaths(data: Data) -> Figures:
    """Those who died cannot come back: counted as starts they are successes, most of them among the sickest."""
    ruled = readmissions(data.stays, data.until)
    counted = ruled[ruled["eligible"] | ruled["reason"].isin(["died", "against-advice"])]
    counted = counted.merge(data.stays[["stay_id", "principal"]], on="stay_id")
    back = counted["readmitted"].fillna(value=False).astype(float)
    sepsis, of_rule = counted["principal"] == "A41.9", data.index["principal"] == "A41.9"
    return {
        "rate_with_deaths": float(back.mean()),
        "rate_rule": float(data.index["readmitted"].mean()),
        "sepsis_with_deaths": float(back[sepsis].mean()),
        "sepsis_rule": float(data.index.loc[of_rule, "readmitted"].mean()),
        "died_or_left": float(ruled["reason"].isin(["died", "against-advice"]).sum()),
    }


def _censoring(data: Data) -> Figures:
    """Discharges of the last 30 days have not had their 30 days."""
    counted = readmissions(data.stays, pd.Timestamp.max)
    counted = counted[counted["eligible"]].merge(data.stays[["stay_id", "discharged"]], on="stay_id")
    last = counted["discharged"] > data.until - pd.Timedelta(days=30)
    half_year = ~last & (counted["discharged"] > data.until - pd.Timedelta(days=210))
    return {
        "rate_last_month": float(counted.loc[last, "readmitted"].astype(float).mean()),
        "rate_half_year_before": float(counted.loc[half_year, "readmitted"].astype(float).mean()),
        "starts_without_their_30_days": float(last.sum()),
    }


def _with_column(column: str) -> Callable[[Data], Figures]:
    def measure(data: Data) -> Figures:
        return {
            f"auc_with_{column}": later_auc(data.index, [*HONEST, column]),
            "auc_honest": later_auc(data.index, HONEST),
            "auc_ceiling": ceiling(data),
            f"auc_of_{column}_alone": _either_way(data.index, column),
        }

    return measure


def _either_way(index: pd.DataFrame, column: str) -> float:
    """AUC of a column alone on the test period, whichever way it points."""
    later = index[index["later"]]
    found = auc(later["readmitted"], later[column].astype(float))
    return max(found, 1 - found)


def worst_coded(data: Data) -> str:
    """The hospital that codes least of what its patients have."""
    share = data.world.readmission.recorded_share
    return min(share, key=share.__getitem__)


def _undercoding(data: Data) -> Figures:
    """A model of the other hospitals, used at the one that codes little; and one that saw all three, and which."""
    site = worst_coded(data)
    index = data.index.assign(there=data.index["site_id"].eq(site).astype(float))
    here = index[(index["there"] == 1) & index["later"]]
    before = index[~index["later"]]

    def predicted(train: pd.DataFrame, columns: list[str]) -> float:
        model = logistic().fit(train[columns].astype(float), train["readmitted"])
        return float(model.predict_proba(here[columns].astype(float))[:, 1].mean())

    observed = float(here["readmitted"].mean())
    elsewhere, with_site = predicted(before[before["there"] == 0], HONEST), predicted(before, [*HONEST, "there"])
    codes = data.diagnoses.groupby("stay_id").size()
    coded = data.index["stay_id"].map(codes).groupby(data.index["site_id"]).mean()
    true = data.index["conditions"].str.split().str.len().groupby(data.index["site_id"]).mean()
    return {
        "predicted_by_others_model": elsewhere,
        "predicted_with_site": with_site,
        "observed": observed,
        "error_others_model": abs(elsewhere - observed),
        "error_with_site": abs(with_site - observed),
        "codes_here": float(coded[site]),
        "codes_elsewhere": float(coded.drop(site).mean()),
        "true_conditions_here": float(true[site]),
        "true_conditions_elsewhere": float(true.drop(site).mean()),
    }


def _cost(data: Data) -> Figures:
    """The tenth of the people to whom a care programme is offered, by the cost of the year after and by need."""
    people = data.index.dropna(subset="cost_year_after").drop_duplicates("person_id")
    deprived = people["area_deprivation"] >= data.world.readmission.deprived_from - 1e-6

    def share(column: str) -> float:
        return float(deprived[people[column] >= people[column].quantile(0.9)].mean())

    return {
        "group_b_in_list_by_cost": share("cost_year_after"),
        "group_b_in_list_by_need": share("need"),
        "group_b_of_all": float(deprived.mean()),
        "cost_at_equal_need": _at_equal_need(people, deprived),
    }


def _at_equal_need(people: pd.DataFrame, group: pd.Series) -> float:
    """Cost of the group over that of the others, at the same need (log-linear fit)."""
    x = np.column_stack([np.ones(len(people)), people["need"], group])
    fit = np.linalg.lstsq(x, np.log(people["cost_year_after"].to_numpy()), rcond=None)[0]
    return float(np.exp(fit[2]))


def _units(data: Data) -> Figures:
    """The model of the time before, on what the laboratory sends since it changed its unit and not the unit's name."""
    settings, raw = data.world.readmission, [*(c for c in HONEST if c != "creatinine"), "creatinine_raw"]
    since = pd.Timestamp(settings.unit_change_on)
    before = data.index[~data.index["later"]]
    here = data.index[(data.index["site_id"] == settings.unit_change_site) & (data.index["discharged"] >= since)]

    def scores(columns: list[str], rows: pd.DataFrame) -> np.ndarray:
        model = logistic().fit(before[columns].astype(float), before["readmitted"])
        return np.asarray(model.predict_proba(rows[columns].astype(float))[:, 1])

    return {
        "auc_raw": later_auc(data.index, raw),
        "auc_converted": later_auc(data.index, HONEST),
        "auc_raw_here": auc(here["readmitted"], scores(raw, here)),
        "auc_converted_here": auc(here["readmitted"], scores(HONEST, here)),
        "mean_risk_raw_here": float(scores(raw, here).mean()),
        "mean_risk_converted_here": float(scores(HONEST, here).mean()),
        "observed_here": float(here["readmitted"].mean()),
    }


def _overlaps(data: Data) -> Figures:
    """A stay that begins before the earlier one has ended: the same nights twice, and a gap below zero."""
    found = episodes(data.stays)
    found["discharged"] = found["discharged"].fillna(data.until)
    summed = (found["discharged"] - found["admitted"]).sum()
    whole = found.groupby("episode").agg(admitted=("admitted", "min"), discharged=("discharged", "max"))
    between = found.sort_values(["episode", "admitted"])
    gaps = between["admitted"] - between.groupby("episode")["discharged"].cummax().groupby(between["episode"]).shift()
    spent = (whole["discharged"] - whole["admitted"]).sum() - gaps[gaps > pd.Timedelta(0)].sum()
    naive = naive_readmissions(data.stays).set_index("stay_id")["readmitted"]
    open_ = found.groupby("patient_id")["admitted"].shift(-1) < found["discharged"]
    return {
        "bed_days_summed": float(summed / pd.Timedelta(days=1)),
        "bed_days_spent": float(spent / pd.Timedelta(days=1)),
        "overlapping_stays": float(open_.sum()),
        "naive_return_rate_of_overlapping": float(naive.reindex(found.loc[open_, "stay_id"]).mean()),
    }


def _albumin(data: Data) -> Figures:
    """Albumin is measured where somebody worries: those who have one are sicker, and elsewhere than the others."""
    known, site = ~data.index["albumin_unknown"], worst_coded(data)
    here = data.index["site_id"] == site
    return {
        "rate_complete_cases": float(data.index.loc[known, "readmitted"].mean()),
        "rate_unknown": float(data.index.loc[~known, "readmitted"].mean()),
        "rate_all": float(data.index["readmitted"].mean()),
        "rate_complete_cases_worst_site": float(data.index.loc[known & here, "readmitted"].mean()),
        "rate_all_worst_site": float(data.index.loc[here, "readmitted"].mean()),
        "worst_site_share_complete_cases": float(here[known].mean()),
        "worst_site_share": float(here.mean()),
    }


def _observation(data: Data) -> Figures:
    """A day in an observation bed is no admission, though it stands in the same table."""
    counted = data.stays.assign(**{"class": "IMP"})
    found = readmissions(counted, data.until)
    kept = found[found["eligible"]]
    return {
        "starts_with_observation": float(len(kept)),
        "starts_rule": float(len(data.index)),
        "returns_with_observation": float(kept["readmitted"].sum()),
        "returns_rule": float(data.index["readmitted"].sum()),
        "mean_stay_with_observation": float(data.stays["length_of_stay"].mean()),
        "mean_stay_inpatient": float(_inpatient(data)["length_of_stay"].mean()),
    }


TRAPS = (
    Trap(
        "transfers-counted", "A transfer looks like a return on the same day", "stays.disposition, stays.admission",
        "Join stays that a transfer connects into one episode before counting returns.",
        "rate_transfers_counted", "rate_rule", _transfers,
    ),
    Trap(
        "planned-counted", "The next cycle of chemotherapy is no failure", "stays.admission = elective",
        "Count a return only if it was not planned; look at the oncology ward first.",
        "rate_planned_counted", "rate_rule", _planned,
    ),
    Trap(
        "deaths-and-ama", "Who died in hospital cannot come back", "stays.disposition = expired, ama",
        "Leave stays that end in death, or against advice, out of the starts.",
        "sepsis_with_deaths", "sepsis_rule", _deaths,
    ),
    Trap(
        "censoring-at-end", "The last month has not had its 30 days", "stays.discharged in June 2026",
        "A start needs 30 days of data after it: stop 30 days before the extract.",
        "rate_last_month", "rate_half_year_before", _censoring,
    ),
    Trap(
        "follow-up-leak", "A follow-up visit is kept only by those who are not back in hospital", "stays.follow_up_within_14d",
        "Drop whatever happens after the discharge: the prediction is made at the door.",
        "auc_with_follow_up_within_14d", "auc_honest", _with_column("follow_up_within_14d"),
    ),
    Trap(
        "episode-count-leak", "A count of diagnoses runs on for 90 days", "stays.episode_diagnosis_count",
        "Ask when a column's window closes; count only the codes of the stay itself.",
        "auc_with_episode_diagnosis_count", "auc_honest", _with_column("episode_diagnosis_count"),
    ),
    Trap(
        "site-undercoding", "One hospital codes less than half of what its patients have", "diagnoses, stays.site_id",
        "Check calibration by site before a model moves; refit with the site, or mend the coding.",
        "error_others_model", "error_with_site", _undercoding,
    ),
    Trap(
        "cost-as-label", "Cost stands in for need, and care out of reach costs nothing", "stays.cost_year_after",
        "Choose the label for the decision: who needs care, not who has been able to get it.",
        "group_b_in_list_by_cost", "group_b_in_list_by_need", _cost,
    ),
    Trap(
        "creatinine-units", "A laboratory changes its unit and goes on printing the old one", "labs.value of 2160-0 at one hospital",
        "Watch each input's distribution by site and month; convert what cannot be in the stated unit.",
        "auc_raw", "auc_converted", _units,
    ),
    Trap(
        "overlapping-stays", "Some stays begin before the earlier one has ended", "stays.admitted, stays.discharged",
        "Merge what overlaps into one episode before adding up nights or taking gaps.",
        "bed_days_summed", "bed_days_spent", _overlaps,
    ),
    Trap(
        "missing-albumin", "Albumin is measured where somebody worries", "labs.loinc = 1751-7",
        "Keep the unknown as a value of its own; complete cases are other patients.",
        "rate_complete_cases", "rate_all", _albumin,
    ),
    Trap(
        "observation-counted", "A day under observation stands in the table of stays", "stays.class = OBSENC",
        "Select inpatient stays by class before counting starts, returns or days.",
        "starts_with_observation", "starts_rule", _observation,
    ),
)  # fmt: skip
