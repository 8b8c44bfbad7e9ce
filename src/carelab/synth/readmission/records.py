"""What a hospital writes down about each stay: the stay itself, its diagnoses, and the mistakes of the desk."""

import numpy as np
import pandas as pd

from carelab.synth.areas import Core
from carelab.synth.readmission.catalogue import ACUTE, CHEST_PAIN, CONDITIONS, HYPERTENSION, REASONS, SYNCOPE
from carelab.synth.readmission.stays import FIRST, TRANSFERRED, Hospital
from carelab.synth.streams import stream

STAYS_PER_PANEL = 10_000  # room in the ids
STRANGERS_IN_SAMPLE = 3  # people of a panel only the hospitals know, in the sample S
ADMISSION = ("emergency", "emergency", "elective", "transfer")  # by how the stay begins


def record(core: Core, people: pd.DataFrame, hospital: Hospital) -> pd.DataFrame:
    """The stays as recorded, one row a stay, sorted by `admitted`; some are there twice, some were closed too late.

    Columns of `Hospital.stays`, and: stay_id, patient_id, ward, discharged (NaT if still in), admission, disposition
    (None if still in), principal (code), twin (row is a second entry of the stay before), frailty, in_sample.
    """
    world, panel, settings = core.world, core.panel, core.world.readmission
    stays = hospital.stays.assign(**{"class": "IMP"})
    rng = _by_stay(core, "entry", stays)
    stays["twin"] = False
    double = stays[rng["u1"] < settings.twice_entered_share].copy()
    double["twin"] = True
    hours = 1 + (6 * rng["u2"].to_numpy()[double.index]).round(1)
    double["admitted"] = (double["admitted"] + pd.to_timedelta(hours, unit="h")).clip(
        upper=double["closed"] - pd.Timedelta(hours=1)
    )
    late = (stays["disposition"] == "transfer") & (rng["u3"] < settings.late_close_share)
    stays["discharged"] = stays["closed"] + pd.to_timedelta(np.where(late, 20 + 30 * rng["u4"], 0).round(), unit="h")
    double["discharged"] = double["closed"]
    stays["direct"] = rng["u5"] < settings.direct_share
    double["direct"] = False
    stays = pd.concat([stays, double, _observed(core, hospital)], ignore_index=True)
    stays = stays[stays["admitted"] <= pd.Timestamp(world.clock.extract_at)]
    stays = stays.sort_values(["admitted", "person", "twin"], ignore_index=True)
    open_ = stays["discharged"] > pd.Timestamp(world.clock.extract_at)
    stays["discharged"] = stays["discharged"].mask(open_)
    stays["true_disposition"] = stays["disposition"]
    stays["disposition"] = stays["disposition"].astype(object).where(~open_, None)

    kinds = np.array(ADMISSION)[stays["begins"]]
    kinds = np.where(stays["unplanned"] | (stays["begins"] == TRANSFERRED), kinds, "elective")
    stays["admission"] = np.where((kinds == "emergency") & stays["direct"], "urgent", kinds)
    wards = stays["reason"].map({name: reason.ward for name, reason in REASONS.items()})
    stays["ward"] = wards.fillna("observation")
    codes = stays["reason"].map({name: reason.code for name, reason in REASONS.items()})
    stays["principal"] = codes.fillna(stays.pop("complaint"))
    first = panel.number * STAYS_PER_PANEL
    stays.insert(0, "stay_id", [f"enc-{first + i:07d}" for i in range(len(stays))])
    stays.insert(1, "patient_id", file_under(core, people, stays["person"], "filed-under"))
    stays["frailty"] = people["frailty"].to_numpy()[stays["person"]]
    stays["in_sample"] = stays["patient_id"].isin(sampled(core, people, stays))
    return stays


def _observed(core: Core, hospital: Hospital) -> pd.DataFrame:
    """Visits to the emergency department that ended in an observation bed for a day: not admissions, but recorded
    beside them."""
    seen = hospital.emergency[hospital.emergency["observed"]]
    rng = stream(core.world.seed, "readmission/observed", core.panel.number)
    hours = 20 + 14 * rng.random(len(seen)).round(1)
    closed = seen["start"] + pd.to_timedelta(hours, unit="h")
    complaint = np.where(rng.random(len(seen)) < 0.6, CHEST_PAIN[0], SYNCOPE[0])
    return pd.DataFrame(
        {
            "person": seen["person"], "begins": FIRST, "site_id": core.world.clinic[core.panel.clinic].hospital,
            "admitted": seen["start"], "closed": closed, "discharged": closed,
            "nights": (closed.dt.normalize() - seen["start"].dt.normalize()).dt.days, "disposition": "home",
            "severity": 0.0, "returns": False, "planned_return": False, "unplanned": True, "twin": False, "direct": False,
            "class": "OBSENC", "complaint": complaint,
        }
    )  # fmt: skip


def file_under(core: Core, people: pd.DataFrame, person: pd.Series, what: str) -> pd.Series:
    """patient_id under which something is filed: people with two records have some under either."""
    first, second = (people[name].to_numpy()[person] for name in ("patient_id", "second_id"))
    u = stream(core.world.seed, f"readmission/{what}", core.panel.number).random(len(person))
    twice = pd.notna(second) & (u < core.world.people.duplicate_visit_share)
    return pd.Series(np.where(twice, second, first), index=person.index)


def sampled(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> set[str]:
    """Ids of the patients whose stays S keeps: the clinic's sample, and the first few whom only a hospital knows."""
    stayed = people.loc[np.unique(stays["person"])]
    strangers = stayed.loc[~stayed["known_to_clinic"], "patient_id"].head(STRANGERS_IN_SAMPLE)
    return core.sampled | set(strangers)


def _by_stay(core: Core, what: str, stays: pd.DataFrame) -> pd.DataFrame:
    """Six uniform draws for each stay."""
    rng = stream(core.world.seed, f"readmission/{what}", core.panel.number)
    return pd.DataFrame(rng.random((len(stays), 6)), columns=[f"u{i}" for i in range(6)], index=stays.index)


def diagnose(core: Core, people: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Diagnoses as coded, one row a diagnosis: stay_id, rank (1 = principal), code, display; sorted by both.

    A chronic condition is coded in a share of the stays that depends on the hospital; of the second entry of a stay,
    and of an observation, only the principal diagnosis.
    """
    share = stays["site_id"].map(core.world.readmission.recorded_share).to_numpy()
    person, n = stays["person"].to_numpy(), len(stays)

    def uniform(name: str) -> np.ndarray:
        return stream(core.world.seed, f"readmission/coded-{name}", core.panel.number).random(n)

    coded: dict[str, np.ndarray] = {}
    after = stays["reason"].map({name: reason.after for name, reason in REASONS.items()}).to_numpy()
    for name in CONDITIONS:
        coded[name] = people[name].to_numpy()[person] & (uniform(name) < share)
    heart, kidney = coded["heart_failure"] | (after == "heart_failure"), coded["ckd"]
    found = [(1, stays["principal"].to_numpy(), np.ones(n, dtype=bool))]
    for rank, (name, condition) in enumerate(CONDITIONS.items(), start=20):
        code = np.full(n, condition.code, dtype=object)
        if name == "hypertension":
            code = np.select([heart & kidney, heart, kidney], ["I13.0", "I11.0", "I12.9"], "I10").astype(object)
        same = (after == name) & (name not in ("coronary", "cancer")) | (code == stays["principal"].to_numpy())
        found.append((rank, code, coded[name] & ~same))
    for rank, (name, (code_, _)) in enumerate(ACUTE.items(), start=2):
        seen = _acute(name, stays, people, uniform(name)) & (stays["principal"] != code_).to_numpy()
        found.append((rank, np.full(n, code_, dtype=object), seen))
    plain = (stays["twin"] | (stays["class"] != "IMP")).to_numpy()
    found = [(rank, code, where & (~plain if rank > 1 else True)) for rank, code, where in found]
    rows = pd.concat(
        [
            pd.DataFrame({"stay": np.flatnonzero(where), "rank": rank, "code": code[where]})
            for rank, code, where in found
        ]
    ).sort_values(["stay", "rank"], ignore_index=True)
    rows["rank"] = rows.groupby("stay").cumcount() + 1
    rows.insert(0, "stay_id", stays["stay_id"].to_numpy()[rows.pop("stay")])
    rows["display"] = rows["code"].map(DISPLAY)
    return rows


def _acute(name: str, stays: pd.DataFrame, people: pd.DataFrame, u: np.ndarray) -> np.ndarray:
    """Whether a complication or finding of the stay was coded; coders write down what is plain in the labs."""
    sick = stays["severity"].to_numpy()
    likely = {
        "hyponatremia": 0.75 * (stays["first_sodium"] < 131),
        "anemia": 0.5 * (stays["hemoglobin"] < 9.5),
        "kidney_injury": 0.7 * stays["kidney_hit"],
        "respiratory_failure": stays["reason"].isin(["copd", "pneumonia", "sepsis", "heart_failure"]) * (0.10 + 0.25 * (sick > 0.8)),
        "hypokalemia": 0.6 * (stays["first_potassium"] < 3.5),
        "encephalopathy": (people["age"].to_numpy()[stays["person"]] > 70) * (0.02 + 0.08 * (sick > 0.8)),
    }  # fmt: skip
    return np.asarray(u < np.asarray(likely[name], dtype=float))


DISPLAY = {
    **{condition.code: condition.display for condition in CONDITIONS.values()},
    **{reason.code: reason.display for reason in REASONS.values()},
    **dict(HYPERTENSION.values()),
    **dict(ACUTE.values()),
    **dict([CHEST_PAIN, SYNCOPE]),
}
