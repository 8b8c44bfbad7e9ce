"""Who is admitted when, with what, for how long, and who comes back: the hidden state first, step by step."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.people import expit
from carelab.synth.readmission.catalogue import CONDITIONS, REASONS
from carelab.synth.streams import stream

STEPS = 12  # most stays of a person
BASES = 4  # most of them that have nothing to do with an earlier one
HALF_YEAR = 183.0  # days
WINDOW = 30.0  # days in which a return counts
NAMES = list(REASONS)
ELECTIVE = np.array([reason.elective for reason in REASONS.values()])
LABS = ("creatinine", "sodium", "hemoglobin", "albumin")  # which the risk depends on, as at discharge
FIRST, UNPLANNED_RETURN, PLANNED_RETURN, TRANSFERRED = range(4)  # why a stay begins


@dataclass(frozen=True)
class Hospital:
    """What happened to a panel's people.

    stays: one row a stay, sorted by admission (`simulate`). emergency: visits to the emergency department without an
    admission, sorted by time: person, start (local), observed (ended in an observation bed). died: time of death, by
    person.
    """

    stays: pd.DataFrame
    emergency: pd.DataFrame
    died: pd.Series


def days_points(nights: np.ndarray) -> np.ndarray:
    """LACE points (0 to 7) of a length of stay in days."""
    return np.asarray(np.select([nights < 1, nights < 4, nights < 7, nights < 14], [0, nights, 4, 5], 7))


def comorbidity_points(score: np.ndarray) -> np.ndarray:
    """LACE points (0 to 5) of a comorbidity score: 4 and more count 5."""
    return np.where(score >= 4, 5, score)


def simulate(core: Core, people: pd.DataFrame) -> Hospital:
    """The stays of a panel's people from the start of the history to the extract.

    stays: person, step, begins (one of the four kinds), reason (key of `REASONS`), site_id, admitted, closed (when it
    really ended; perhaps after the extract), nights, disposition, severity, p (of an unplanned return within 30 days;
    missing for transfers and deaths), returns (bool), the `LABS` at discharge, and emergency_visits (in the half year
    before).
    """
    return _Simulation(core, people).run()


class _Simulation:
    """State of everybody between two steps; a step is everybody's next stay."""

    def __init__(self, core: Core, people: pd.DataFrame) -> None:
        self.world, self.panel, self.people, self.n = core.world, core.panel, people, len(people)
        self.settings = core.world.readmission
        self.start = pd.Timestamp(core.world.clock.history_start)
        self.end = (pd.Timestamp(core.world.clock.extract_at) - self.start) / pd.Timedelta(days=1)
        self.has = {name: people[name].to_numpy() for name in CONDITIONS}
        self.age, self.frailty = people["age"].to_numpy(), people["frailty"].to_numpy()
        self.sites = [hospital.id for hospital in core.world.hospital]
        self.home = self.sites.index(core.world.clinic[core.panel.clinic].hospital)
        score = sum(self.has[name] * condition.points for name, condition in CONDITIONS.items())
        self.comorbidity = comorbidity_points(np.asarray(score))
        self.weights = self._reason_weights()
        # Clinic patients die when their record says so, in hospital if they are there on that day; see `people`.
        day = (people["deceased_on"] - self.start) / pd.Timedelta(days=1)
        self.dies_on = day.fillna(np.inf).to_numpy()
        self.known = people["known_to_clinic"].to_numpy()

    def _draw(self, name: str) -> np.random.Generator:
        return stream(self.world.seed, f"readmission/{name}", self.panel.number)

    def _uniform(self, name: str) -> np.ndarray:
        return self._draw(name).random((self.n, STEPS))

    def _normal(self, name: str) -> np.ndarray:
        return self._draw(name).normal(0, 1, (self.n, STEPS))

    def _reason_weights(self) -> np.ndarray:
        """Relative weight of each reason for each person, people by reasons."""
        weights = np.tile([self.settings.reason_share[name] for name in NAMES], (self.n, 1))
        for i, reason in enumerate(REASONS.values()):
            if reason.after:
                weights[:, i] *= self.has[reason.after]
        weights[:, NAMES.index("hip_fracture")] *= np.clip((self.age - 45) / 20, 0, 2.5)
        return weights

    def _bases(self) -> np.ndarray:
        """Days of the stays that have nothing to do with an earlier one, people by BASES, sorted, NaN at the end."""
        rates = self.settings
        known, age = self.people["known_to_clinic"].to_numpy(), self.age
        first = np.where(age >= 65, 3.0, 1.0) * rates.clinic_stays * np.exp(0.5 * self.frailty) * (age >= 19)
        further = rates.extra_stays * np.exp(0.4 * self.frailty - 0.1)
        count = self._draw("bases").poisson(np.where(known, first, further)) + ~known
        days = self._draw("base-days").random((self.n, BASES)) * self.end
        days[np.arange(BASES) >= count[:, None]] = np.nan
        return np.sort(days, axis=1)

    def _emergency(self) -> tuple[np.ndarray, np.ndarray]:
        """Person and day of visits to the emergency department, from half a year before the history, sorted by both."""
        years = (self.end + HALF_YEAR) / 365.25
        rate = self.settings.emergency_visits_per_year * np.exp(0.65 * self.frailty - 0.2) * (self.age >= 19)
        count = self._draw("emergency").poisson(rate * years)
        who = np.repeat(np.arange(self.n), count)
        days = self._draw("emergency-days").random(len(who)) * (self.end + HALF_YEAR) - HALF_YEAR
        order = np.lexsort((days, who))
        return who[order], days[order]

    def run(self) -> Hospital:
        s, n = self.settings, self.n
        u = {
            name: self._uniform(name)
            for name in (
                "hour", "reason", "same-reason", "site", "leave-hour", "minutes", "died", "ama", "transfer", "goes", "returns",
                "delay", "planned",
            )
        }  # fmt: skip
        z = {name: self._normal(name) for name in ("severity", "nights", *LABS)}
        bases, (er_who, er_day) = self._bases(), self._emergency()
        bases[bases >= self.dies_on[:, None]] = np.nan
        er_key = er_who * 1e5 + er_day
        at = bases[:, 0].copy()
        latest = np.full(n, np.inf)
        begins, place, previous = np.full(n, FIRST), np.full(n, -1), np.full(n, -1)
        died = np.where(np.isfinite(self.dies_on), self.dies_on, np.nan)
        rows = []
        for t in range(STEPS):
            active = np.flatnonzero(at < self.end)
            if not len(active):
                break
            a = active
            kind = begins[a]
            reason = self._reason(a, kind, previous[a], u["reason"][a, t], u["same-reason"][a, t])
            elective = ELECTIVE[reason]
            hour = np.where(elective, 6 + 3 * u["hour"][a, t], 24 * (0.15 + 0.85 * u["hour"][a, t]) % 24)
            came = np.where(kind == TRANSFERRED, at[a], np.floor(at[a]) + hour / 24)
            # A return keeps its day, but neither before the earlier stay has ended nor after the window has closed.
            came = np.where(np.isin(kind, (UNPLANNED_RETURN, PLANNED_RETURN)), np.clip(came, at[a], latest[a]), came)
            came = np.round(came * 1440 / 5) * 5 / 1440
            away = u["site"][a, t]
            near = np.where(
                away < s.home_hospital_share, self.home, (self.home + 1 + (away > 0.5 + s.home_hospital_share / 2)) % 3
            )
            site = np.where(place[a] >= 0, place[a], near)

            sick = z["severity"][a, t] + 0.25 * self.frailty[a]
            longer = np.log([r.los for r in REASONS.values()])[reason]
            spread = s.log_days_sd * z["nights"][a, t] + 0.28 * sick + 0.05 * self.frailty[a]
            nights = np.round(np.clip(np.exp(s.log_days + longer + spread), 0, 45))
            left = np.floor(came) + nights + (10 + 8 * u["leave-hour"][a, t]) / 24
            last = np.where(np.floor(left) >= self.dies_on[a], self.dies_on[a] + 10 / 24, np.inf)
            left = np.round(np.maximum(np.minimum(left, last), came + 6 / 24) * 1440 / 5) * 5 / 1440
            nights = np.floor(left) - np.floor(came)
            labs = self._labs(a, reason, sick, {name: z[name][a, t] for name in LABS})

            dies = u["died"][a, t] < expit(
                s.died_logit + 0.9 * sick + 0.3 * self.frailty[a] + (reason == NAMES.index("sepsis")) - 2 * elective
            )
            dies = np.where(self.known[a], np.isfinite(last), dies)
            unplanned = ~elective & (kind != PLANNED_RETURN)
            moves = unplanned & (kind != TRANSFERRED) & (u["transfer"][a, t] < s.transfer_share)
            refuses = ~elective & (u["ama"][a, t] < s.left_against_advice_share)
            goes = self._goes(a, reason, sick, nights, u["goes"][a, t])
            goes = np.select([dies, refuses, moves], ["expired", "ama", "transfer"], goes)

            visits = np.searchsorted(er_key, a * 1e5 + came - 0.5) - np.searchsorted(er_key, a * 1e5 + came - HALF_YEAR)
            p = self._risk(a, nights, unplanned, visits, goes, sick, labs)
            ends_here = np.isin(goes, ("expired", "transfer"))
            back = ~ends_here & (u["returns"][a, t] < p)
            planned = ~ends_here & ~back & (u["planned"][a, t] < self._planned(a, reason))

            u_delay = u["delay"][a, t]
            short = -s.return_days_mean * np.log(1 - u_delay * (1 - np.exp(-WINDOW / s.return_days_mean)))
            delay = np.clip(short, 0.4, WINDOW - 0.05)
            later = np.minimum(left + np.where(planned, 12 + 17 * u_delay, delay), left + WINDOW - 0.05)
            others = np.where(bases[a] > (left + WINDOW + 1)[:, None], bases[a], np.inf).min(axis=1)
            next_ = np.select(
                [goes == "expired", goes == "transfer", back | planned],
                [np.inf, left + (1 + 3 * u_delay) / 24, later],
                others,
            )
            rows.append(
                pd.DataFrame(
                    {
                        "person": a, "step": t, "begins": kind, "reason": np.array(NAMES)[reason], "site": site, "came": came,
                        "left": left, "nights": nights.astype(int), "disposition": goes, "severity": sick,
                        "p": np.where(ends_here, np.nan, p), "returns": back & (later < self.dies_on[a]), "planned_return": planned,
                        "emergency_visits": visits, "unplanned": unplanned, **labs,
                    }
                )
            )  # fmt: skip
            died[a] = np.where(goes == "expired", left, died[a])
            at[:] = np.inf
            at[a] = np.where(next_ < self.dies_on[a], next_, np.inf)
            latest[a] = left + WINDOW - 0.02
            begins[a] = np.select(
                [goes == "transfer", back, planned], [TRANSFERRED, UNPLANNED_RETURN, PLANNED_RETURN], FIRST
            )
            place[a] = np.where(goes == "transfer", np.where(site == 0, 1, 0), -1)
            previous[a] = reason
        return self._finish(pd.concat(rows, ignore_index=True), er_who, er_day, died)

    def _reason(
        self, a: np.ndarray, kind: np.ndarray, before: np.ndarray, u: np.ndarray, u_same: np.ndarray
    ) -> np.ndarray:
        """Index of the reason for each stay: returns are often for the same, transfers always."""
        weights = self.weights[a].copy()
        weights[(kind == UNPLANNED_RETURN)[:, None] & ELECTIVE] = 0
        edges = np.cumsum(weights, axis=1)
        drawn = (edges < (u * edges[:, -1])[:, None]).sum(axis=1)
        stays_same = (kind == TRANSFERRED) | ((kind == UNPLANNED_RETURN) & ~ELECTIVE[before] & (u_same < 0.35))
        cancer = np.isin(before, [NAMES.index("chemotherapy"), NAMES.index("resection")])
        staged = np.where(
            cancer, NAMES.index("chemotherapy"),
            np.where(before == NAMES.index("infarction"), NAMES.index("bypass"), NAMES.index("hernia")),
        )  # fmt: skip
        return np.select([stays_same, kind == PLANNED_RETURN], [before, staged], drawn)

    def _planned(self, a: np.ndarray, reason: np.ndarray) -> np.ndarray:
        """Probability of a planned return within 30 days."""
        cancer = np.isin(reason, [NAMES.index("chemotherapy"), NAMES.index("resection")])
        staged = np.isin(reason, [NAMES.index("infarction"), NAMES.index("obstruction")])
        return np.select(
            [cancer, staged], [self.settings.planned_return_cancer, self.settings.planned_return_staged], 0.0
        )

    def _labs(
        self, a: np.ndarray, reason: np.ndarray, sick: np.ndarray, noise: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Values at discharge: creatinine (mg/dL), sodium (mmol/L), hemoglobin and albumin (g/dL)."""
        male = self.people["sex"].eq("male").to_numpy()[a]
        has, frail = {name: found[a] for name, found in self.has.items()}, self.frailty[a]
        kidney, bleeds = reason == NAMES.index("kidney_injury"), reason == NAMES.index("bleeding")
        level = np.where(male, -0.05, -0.25) + 0.55 * has["ckd"] + 0.006 * (self.age[a] - 65) + 0.45 * kidney
        hemoglobin = np.where(male, 13.6, 12.5) - 1.0 * has["ckd"] - 1.0 * has["cancer"] - 2.0 * bleeds
        return {
            "creatinine": np.exp(level + 0.08 * sick + 0.18 * noise["creatinine"]).clip(0.4, 9.0),
            "sodium": (138.6 - 0.8 * has["heart_failure"] - 0.9 * has["cirrhosis"] - 0.5 * sick + 2.7 * noise["sodium"]).clip(118, 152),
            "hemoglobin": (hemoglobin - 0.35 * sick - 0.3 * frail + 1.3 * noise["hemoglobin"]).clip(6.2, 17.8),
            "albumin": (
                3.65 - 0.2 * sick - 0.15 * frail - 0.4 * has["cirrhosis"] - 0.2 * has["cancer"] + 0.36 * noise["albumin"]
            ).clip(1.6, 5.0),
        }  # fmt: skip

    def _goes(
        self, a: np.ndarray, reason: np.ndarray, sick: np.ndarray, nights: np.ndarray, u: np.ndarray
    ) -> np.ndarray:
        """Where those who live and stay to the end go."""
        need = 0.6 * self.frailty[a] + 0.35 * (self.age[a] - 65) / 10 + 0.25 * sick + 0.5 * np.log1p(nights) - 0.8
        gains = {"home": 0.0, "home-health": 0.45, "snf": 0.9, "rehab": 0.4, "hospice": 0.7}
        odds = np.column_stack(
            [share * np.exp(gains[name] * need) for name, share in self.settings.dispositions.items()]
        )
        names = list(self.settings.dispositions)
        rehab = np.isin(reason, [NAMES.index("stroke"), NAMES.index("hip_fracture")])
        odds[:, names.index("rehab")] *= np.where(rehab, 8, 0.3)
        odds[:, names.index("hospice")] *= np.where(self.has["cancer"][a], 4, 0.6)
        edges = np.cumsum(odds, axis=1)
        return np.asarray(np.array(names)[(edges < (u * edges[:, -1])[:, None]).sum(axis=1)])

    def _risk(
        self, a: np.ndarray, nights: np.ndarray, unplanned: np.ndarray, visits: np.ndarray, goes: np.ndarray, sick: np.ndarray,
        labs: dict[str, np.ndarray],
    ) -> np.ndarray:  # fmt: skip
        """True probability of an unplanned return within 30 days."""
        w = self.settings.risk
        odds = (
            w["intercept"]
            + w["days_point"] * days_points(nights)
            + w["unplanned"] * unplanned
            + w["comorbidity_point"] * self.comorbidity[a]
            + w["emergency_visit"] * np.minimum(visits, 4)
            + w["deprivation"] * (self.people["deprivation"].to_numpy()[a] - 0.5)
            + w["albumin"] * (3.6 - labs["albumin"])
            + w["hemoglobin"] * (12.5 - labs["hemoglobin"])
            + w["sodium"] * (138 - labs["sodium"])
            + w["creatinine"] * (np.minimum(labs["creatinine"], 5) - 1)
            + w["severity"] * sick
            + w["frailty"] * self.frailty[a]
        )
        for place in ("home-health", "snf", "rehab", "hospice", "ama"):
            odds = odds + w[place] * (goes == place)
        return expit(odds)

    def _finish(self, rows: pd.DataFrame, er_who: np.ndarray, er_day: np.ndarray, died: np.ndarray) -> Hospital:
        """Days as local times, sites by id, and no visit to the emergency department during a stay or after death."""
        stays = rows.sort_values(["came", "person"], ignore_index=True)
        stays["admitted"], stays["closed"] = self._times(stays.pop("came")), self._times(stays.pop("left"))
        stays["site_id"] = np.array(self.sites)[stays.pop("site")]
        emergency = pd.DataFrame({"person": er_who, "start": self._times(pd.Series(er_day).mul(288).round() / 288)})
        emergency = emergency.sort_values(["start", "person"], ignore_index=True)
        near = pd.merge_asof(
            emergency, stays[["person", "admitted", "closed"]].assign(until=stays["admitted"] - pd.Timedelta(days=2)).sort_values("until"),
            left_on="start", right_on="until", by="person",
        )  # fmt: skip
        end = pd.Series(self._times(pd.Series(died)), index=self.people.index)
        gone = emergency["person"].map(end)
        free = ~(near["closed"] + pd.Timedelta(hours=12) > emergency["start"]) & ~(gone < emergency["start"])
        emergency = emergency[free].reset_index(drop=True)
        emergency["observed"] = self._draw("observed-bed").random(len(emergency)) < self.settings.observation_share
        emergency["observed"] &= emergency["start"] >= self.start
        return Hospital(stays, emergency, end.where(end <= self._times(pd.Series([self.end]))[0]))

    def _times(self, days: pd.Series) -> pd.Series:
        minutes = np.full(len(days), np.timedelta64("NaT"), dtype="timedelta64[ns]")
        known = days.notna().to_numpy()
        minutes[known] = (days.to_numpy()[known] * 1440).round().astype("timedelta64[m]")
        return pd.Series(self.start + pd.to_timedelta(minutes), index=days.index)
