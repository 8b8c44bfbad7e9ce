"""Which patient records are of one person? Blocking, then a score with its reasons.

Weights follow Fellegi and Sunter: what agrees adds, what differs takes away, by how telling it is. A missing value says
nothing. A pair above the threshold is for a person to confirm, not for a program to merge.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd

from carelab.errors import UserError

# What a patient's row may hold; only the id is needed, though little is found without a birth date or a phone.
COLUMNS = ("patient_id", "given_name", "family_name", "birth_date", "sex", "phone", "address", "city", "zip3")


@dataclass(frozen=True)
class Weights:
    """Points for what agrees (first) and what differs (second), and the score from which on a pair is proposed.

    similar: names from this Jaro-Winkler similarity (0 to 1) on count as nearly the same.
    """

    family: tuple[float, float] = (4.0, -3.0)
    family_similar: float = 3.0
    given: tuple[float, float] = (3.0, -5.0)
    given_similar: float = 2.0
    birth: tuple[float, float] = (6.0, -6.0)
    birth_swapped: float = 4.0
    birth_one_part: float = 1.0
    phone: tuple[float, float] = (4.0, -1.0)
    address: tuple[float, float] = (2.0, -0.5)
    place: tuple[float, float] = (0.5, -0.5)
    sex: tuple[float, float] = (0.5, -4.0)
    similar: float = 0.88
    threshold: float = 11.0


# Two records are compared only when one of these agrees: all pairs of 4,000 patients would be 8 million.
_BLOCKS: Mapping[str, str] = {
    "the same birth date and first letter": "a.born = b.born and a.given[1] = b.given[1]",
    "the same phone and first name": "a.phone = b.phone and a.given = b.given",
    "the same phone and family name": "a.phone = b.phone and a.family = b.family",
    "the same name and birth year": "a.family = b.family and a.given = b.given and year(a.born) = year(b.born)",
}

_SCORED = """
with person as (
    select patient_id, lower(strip_accents(trim(given_name))) as given, lower(strip_accents(trim(family_name))) as family,
           birth_date::date as born, lower(sex) as sex, nullif(regexp_replace(phone, '[^0-9]', '', 'g'), '') as phone,
           lower(trim(address)) as address, coalesce(nullif(zip3, ''), lower(trim(city))) as place
    from patients),
pair as ({pairs}),
compared as (
    select a.patient_id as first_id, b.patient_id as second_id,
        case when a.family is null or b.family is null then null
             when a.family = b.family then 'same family name'
             when jaro_winkler_similarity(a.family, b.family) >= {w.similar} then 'similar family name'
             else 'other family name' end as family,
        case when a.given is null or b.given is null then null
             when a.given = b.given then 'same first name'
             when jaro_winkler_similarity(a.given, b.given) >= {w.similar} then 'similar first name'
             else 'other first name' end as given,
        case when a.born is null or b.born is null then null
             when a.born = b.born then 'same birth date'
             when year(a.born) = year(b.born) and month(a.born) = day(b.born) and day(a.born) = month(b.born)
             then 'day and month of birth swapped'
             when (year(a.born) = year(b.born))::int + (month(a.born) = month(b.born))::int
                  + (day(a.born) = day(b.born))::int = 2 then 'birth date differs in one part'
             else 'other birth date' end as birth,
        case when a.phone is null or b.phone is null then null
             when a.phone = b.phone then 'same phone' else 'other phone' end as phone,
        case when a.address is null or b.address is null then null
             when a.address = b.address then 'same address' else 'other address' end as address,
        case when a.place is null or b.place is null then null
             when a.place = b.place then 'same place' else 'other place' end as place,
        case when a.sex is null or b.sex is null then null
             when a.sex = b.sex then 'same sex' else 'other sex' end as sex
    from pair join person a on a.patient_id = pair.one join person b on b.patient_id = pair.other),
scored as (
    select first_id, second_id, {score} as score,
           concat_ws(', ', family, given, birth, phone, address, place, sex) as why
    from compared)
select first_id, second_id, round(score, 2) as score, why from scored
where score >= {w.threshold} order by score desc, first_id, second_id
"""


def match_patients(patients: pd.DataFrame, weights: Weights | None = None) -> pd.DataFrame:
    """Pairs of records that may be one person, the surest first.

    patients: one row a record, with `patient_id` and any of the other `COLUMNS`; further columns are passed over, and
    empty values count for nothing. Returns first_id (the lower), second_id, score and why, a list in words of what
    agrees and what differs. Raises UserError when the ids are missing or not unique.
    """
    weights = weights or Weights()
    if "patient_id" not in patients.columns:
        raise UserError(f"The patients have no column 'patient_id'; they have {', '.join(map(str, patients.columns))}.")
    if not patients["patient_id"].is_unique:
        raise UserError("Some patient_id is there twice; give one row a record.")
    frame = pd.DataFrame({name: patients[name] if name in patients else None for name in COLUMNS})
    for name in COLUMNS:
        if name != "birth_date":
            frame[name] = frame[name].astype("string")
    frame["birth_date"] = pd.to_datetime(frame["birth_date"], errors="coerce")
    pairs = " union ".join(
        f"select a.patient_id as one, b.patient_id as other from person a join person b on {rule}"
        " where a.patient_id < b.patient_id"
        for rule in _BLOCKS.values()
    )
    with duckdb.connect() as connection:
        connection.register("patients", frame)
        found: pd.DataFrame = connection.sql(_SCORED.format(pairs=pairs, w=weights, score=_score(weights))).df()
    return found


def _score(w: Weights) -> str:
    """SQL that adds the points up; what is not known adds nothing."""
    points = {
        "family": {"same family name": w.family[0], "similar family name": w.family_similar, "other family name": w.family[1]},
        "given": {"same first name": w.given[0], "similar first name": w.given_similar, "other first name": w.given[1]},
        "birth": {
            "same birth date": w.birth[0], "day and month of birth swapped": w.birth_swapped,
            "birth date differs in one part": w.birth_one_part, "other birth date": w.birth[1],
        },
        "phone": {"same phone": w.phone[0], "other phone": w.phone[1]},
        "address": {"same address": w.address[0], "other address": w.address[1]},
        "place": {"same place": w.place[0], "other place": w.place[1]},
        "sex": {"same sex": w.sex[0], "other sex": w.sex[1]},
    }  # fmt: skip
    parts = []
    for column, values in points.items():
        cases = " ".join(f"when '{text}' then {value}" for text, value in values.items())
        parts.append(f"case {column} {cases} else 0 end")
    return " + ".join(parts)
