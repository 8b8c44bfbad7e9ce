"""Which stays count as a start, and which as a return within 30 days: the rule, and the naive one beside it.

The rule follows the idea of the measures of CMS (all-cause, unplanned): stays that touch are one episode; the start is
an episode that ended alive, with the patient's consent, at least 30 days before the data end; a return counts when it
was not planned. Both rules take one row a stay and any source of stays; `read_stays` makes such rows from FHIR.
"""

import re
from pathlib import Path

import pandas as pd

from carelab.errors import UserError
from carelab.fhir.read import Resource, read_ndjson

WINDOW = pd.Timedelta(days=30)
_NEVER = pd.Timestamp("2200-01-01")
COLUMNS = ("stay_id", "patient_id", "class", "admitted", "discharged")
# Reasons for a planned stay, where a source has no priority: a cycle of treatment for cancer, or a non-urgent type.
_PLANNED_TEXT = re.compile(r"neoplasm|malignant|chemotherapy|non-urgent", re.IGNORECASE)
_PLANNED_CODE = re.compile(r"Z51\.?[01]")  # ICD-10-CM: radiotherapy, chemotherapy and immunotherapy
_ELECTIVE = {"EL", "R"}  # v3-ActPriority: elective, routine
_DISPOSITION_SYSTEM = "https://example.org/fhir/CodeSystem/disposition"


def read_stays(*files: Path | str) -> pd.DataFrame:
    """Stays from files of Encounter resources (NDJSON, plain or gzipped), in the order of patient, start and id.

    One row an encounter of any class that has begun. Columns: stay_id, patient_id, class, admitted and discharged (UTC, without zone; NaT while it
    lasts), planned (bool: by priority, reason or type, see `is_planned`), disposition (code, or None). Raises
    UserError as `read_ndjson` does.
    """
    rows = [_row(r) for file in files for r in read_ndjson(file) if r.get("resourceType") == "Encounter"]
    rows = [row for row in rows if row["admitted"]]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "planned", "disposition"])
    for column in ("admitted", "discharged"):
        times = pd.to_datetime(frame[column], utc=True, format="ISO8601")
        frame[column] = times.dt.tz_localize(None).astype("datetime64[us]")
    return frame.sort_values(["patient_id", "admitted", "stay_id"], ignore_index=True)


def _row(encounter: Resource) -> dict[str, object]:
    period = encounter.get("period", {})
    left = encounter.get("hospitalization", {}).get("dischargeDisposition", {}).get("coding", [])
    ours = [coding for coding in left if coding.get("system") == _DISPOSITION_SYSTEM]
    return {
        "stay_id": encounter.get("id"),
        "patient_id": encounter.get("subject", {}).get("reference", "").removeprefix("Patient/"),
        "class": encounter.get("class", {}).get("code"),
        "admitted": period.get("start"),
        "discharged": period.get("end"),
        "planned": is_planned(encounter),
        "disposition": next((coding.get("code") for coding in ours or left), None),
    }


def is_planned(encounter: Resource) -> bool:
    """Whether an encounter (R4) was arranged beforehand.

    Its priority decides where there is one: elective or routine is planned, any other is not. Without a priority, a
    reason of cancer care (text, or ICD-10-CM Z51.0 and Z51.1) or a type that says non-urgent means planned.
    """
    priority = {coding.get("code") for coding in encounter.get("priority", {}).get("coding", [])}
    if priority:
        return bool(priority & _ELECTIVE)
    for concept in [*encounter.get("reasonCode", []), *encounter.get("type", [])]:
        codings = concept.get("coding", [])
        words = [concept.get("text"), *(coding.get("display") for coding in codings)]
        if any(_PLANNED_TEXT.search(word) for word in words if word):
            return True
        if any(_PLANNED_CODE.match(str(coding.get("code"))) for coding in codings):
            return True
    return False


def naive_readmissions(stays: pd.DataFrame) -> pd.DataFrame:
    """What a first query gives: every inpatient stay is a start, and the next one within 30 days a return.

    stays: one row a stay with stay_id, patient_id, class, admitted, discharged. Returns stay_id and readmitted (bool),
    one row an inpatient stay (class IMP), by patient, start and id. Whoever is still in counts as not readmitted.
    Raises UserError when a column is missing.
    """
    inpatient = _inpatient(stays)
    gap = inpatient.groupby("patient_id")["admitted"].shift(-1) - inpatient["discharged"]
    found = (gap >= pd.Timedelta(0)) & (gap < WINDOW)
    return pd.DataFrame({"stay_id": inpatient["stay_id"], "readmitted": found})


def _inpatient(stays: pd.DataFrame) -> pd.DataFrame:
    """Inpatient stays in the order of patient, start and id."""
    if missing := [column for column in COLUMNS if column not in stays]:
        raise UserError(f"The stays lack {', '.join(missing)}; see carelab.fhir.readmissions.read_stays.")
    return stays[stays["class"] == "IMP"].sort_values(["patient_id", "admitted", "stay_id"], ignore_index=True)


def with_planned(stays: pd.DataFrame) -> pd.DataFrame:
    """Stays with `planned` (bool) from `admission`, where they do not have it yet. Raises UserError without both."""
    if "planned" in stays:
        return stays
    if "admission" not in stays:
        raise UserError("The stays have neither `planned` nor `admission`, so nothing says which were arranged.")
    return stays.assign(planned=stays["admission"].eq("elective"))


def episodes(stays: pd.DataFrame) -> pd.DataFrame:
    """Inpatient stays with `episode`: the number of the uninterrupted time in hospital that each belongs to.

    A stay joins the one before if it begins before that has ended (an overlap, which is an error of the record), or on
    the day on which that was discharged to another hospital (a transfer, by disposition, or by admission where the
    source says so). Rows in the order of patient, start and id. Raises UserError when a column is missing.
    """
    inpatient = _inpatient(stays)
    who = inpatient["patient_id"]
    same = who.eq(who.shift())
    # The latest end so far; a stay without an end lasts. A disposition belongs to the stay just before.
    end = inpatient["discharged"].fillna(_NEVER)
    latest = end.groupby(who).cummax().shift()
    overlaps = inpatient["admitted"] < latest
    sent = _column(inpatient, "disposition").shift().eq("transfer") | _column(inpatient, "admission").eq("transfer")
    same_day = inpatient["admitted"].dt.normalize() <= latest.dt.normalize() + pd.Timedelta(days=1)
    joined = same & (overlaps | (sent & same_day))
    return inpatient.assign(episode=(~joined).cumsum())


def _column(stays: pd.DataFrame, name: str) -> pd.Series:
    return stays[name] if name in stays else pd.Series(None, index=stays.index, dtype=object)


def readmissions(stays: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """The rule: which inpatient stays are a start, why the others are not, and who came back unplanned.

    stays: one row a stay with stay_id, patient_id, class, admitted, discharged, and `planned` or `admission`;
    `disposition` where the source has it. until: end of the data, in the clock of the stays. Returns one row an
    inpatient stay, by patient, start and id:

    - eligible (bool): the stay ends an episode that counts as a start;
    - reason: why not: `episode` (another stay of the same episode ends later), `still-in`, `died`, `against-advice`,
      `transferred` (out of sight), `censored` (discharged less than 30 days before `until`); None if eligible;
    - readmitted: the next episode began unplanned, at least 0 and less than 30 days after the discharge; missing
      unless eligible.

    A planned return does not count, and what comes after it belongs to it. Raises UserError when a column is missing.
    """
    found = episodes(with_planned(stays))
    last = found.groupby("episode").agg(
        patient_id=("patient_id", "first"), admitted=("admitted", "first"), planned=("planned", "first"),
        discharged=("discharged", "last"),
    )  # fmt: skip
    following = last.groupby("patient_id")[["admitted", "planned"]].shift(-1)
    gap = following["admitted"] - last["discharged"]
    back = (gap >= pd.Timedelta(0)) & (gap < WINDOW) & ~following["planned"].eq(True)
    is_last = ~found["episode"].duplicated(keep="last")
    went = _column(found, "disposition")
    reason = pd.Series(None, index=found.index, dtype=object)
    # The first that applies, so the last written.
    reason[found["discharged"] + WINDOW > until] = "censored"
    reason[went == "transfer"] = "transferred"
    reason[went == "ama"] = "against-advice"
    reason[went == "expired"] = "died"
    reason[found["discharged"].isna()] = "still-in"
    reason[~is_last] = "episode"
    eligible = reason.isna()
    readmitted = found["episode"].map(back).astype("boolean").where(eligible)
    return pd.DataFrame({"stay_id": found["stay_id"], "eligible": eligible, "reason": reason, "readmitted": readmitted})


def lace(stays: pd.DataFrame, diagnoses: pd.DataFrame) -> pd.Series:
    """LACE score (0 to 19) of each stay, from what is recorded: length of stay, acuity, comorbidity, emergency visits.

    stays: stay_id, length_of_stay (days), admission (elective or not), emergency_visits_6m; diagnoses: stay_id, code
    (ICD-10-CM). Indexed as `stays`. Weights: van Walraven 2010 CMAJ; the code lists are short and cover what this
    network codes.
    """
    days = stays["length_of_stay"].clip(lower=0)
    length = days.where(days < 4, 4).where(days < 7, 5).where(days < 14, 7)
    acute = stays["admission"].ne("elective") * 3
    weight = pd.concat(
        [diagnoses.loc[diagnoses["code"].str.startswith(prefixes), ["stay_id"]].drop_duplicates().assign(points=points)
         for prefixes, points in LACE_CODES]
    )  # fmt: skip
    score = weight.groupby("stay_id")["points"].sum().reindex(stays["stay_id"]).fillna(0)
    comorbidity = score.where(score < 4, 5).set_axis(stays.index)
    return (length + acute + comorbidity + stays["emergency_visits_6m"].clip(upper=4)).astype(int)


# Prefixes of ICD-10-CM -> points.
LACE_CODES = (
    (("I25.2",), 1),
    (("Z86.73", "I69"), 1),
    (("I73",), 1),
    (("E10", "E11"), 1),
    (("I50", "I11.0", "I13.0"), 2),
    (("J44",), 2),
    (("N18", "I12"), 2),
    (("C18", "C34", "C50", "C61"), 2),
    (("F03",), 3),
    (("K74",), 4),
)
