"""Matching of patient records: all planted doubles, no strangers, and reasons that a person can check."""

import pandas as pd
import pytest

from carelab.errors import UserError
from carelab.fhir.matching import Weights, match_patients
from carelab.paths import DATA
from carelab.synth.scheduling.traps import match_records

ADA = {
    "patient_id": "a", "given_name": "Ada", "family_name": "Lovelace", "birth_date": pd.Timestamp("1980-03-07"),
    "sex": "female", "phone": "555-0100", "zip3": "606",
}  # fmt: skip


def two(**changes: object) -> pd.DataFrame:
    return pd.DataFrame([ADA, ADA | {"patient_id": "b"} | changes])


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return pd.read_parquet(DATA / "tables" / "patients.parquet")


@pytest.fixture(scope="module")
def true() -> set[tuple[str, str]]:
    pairs = pd.read_parquet(DATA / "truth" / "duplicates.parquet")
    return {(min(pair), max(pair)) for pair in pairs.itertuples(index=False, name=None)}


def test_every_planted_double_and_nobody_else(patients: pd.DataFrame, true: set[tuple[str, str]]) -> None:
    found = match_patients(patients)
    pairs = set(zip(found["first_id"], found["second_id"], strict=True))
    recall, precision = len(pairs & true) / len(true), len(pairs & true) / len(pairs)
    assert (len(true), recall, precision) == (65, 1.0, 1.0)
    assert pairs == match_records(patients)


def test_doubles_and_strangers_lie_far_apart(patients: pd.DataFrame, true: set[tuple[str, str]]) -> None:
    found = match_patients(patients, Weights(threshold=-99))
    real = pd.Series([pair in true for pair in zip(found["first_id"], found["second_id"], strict=True)])
    assert found.loc[real, "score"].min() > Weights().threshold + 4
    assert found.loc[~real, "score"].max() < Weights().threshold - 4
    assert (~real).sum() > 100  # strangers were compared too


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "same birth date"),
        ({"family_name": "Lovelase"}, "similar family name"),
        ({"birth_date": pd.Timestamp("1980-07-03")}, "day and month of birth swapped"),
        ({"family_name": "Byron"}, "other family name"),  # married, same birth date and phone
        ({"phone": "555-0142"}, "other phone"),
        ({"phone": None}, "same family name"),
        ({"given_name": "ADÁ ", "phone": "(555) 0100"}, "same first name"),
        ({"birth_date": pd.Timestamp("1980-03-08")}, "birth date differs in one part"),
    ],
)
def test_one_person(changes: dict[str, object], why: str) -> None:
    found = match_patients(two(**changes))
    assert found[["first_id", "second_id"]].to_numpy().tolist() == [["a", "b"]]
    assert why in found["why"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"given_name": "Bela", "sex": "male"},  # twins
        {"given_name": "Clara"},  # twin sisters
        {"birth_date": pd.Timestamp("1952-11-30")},  # mother and daughter of one name, one phone
        {"given_name": "Charles", "family_name": "Babbage", "phone": None},  # the same birthday
        {"given_name": "Anne", "family_name": "Byron", "phone": "555-0199"},
    ],
)
def test_two_people(changes: dict[str, object]) -> None:
    assert match_patients(two(**changes)).empty


def test_little_is_needed_and_what_is_wrong_is_said() -> None:
    assert match_patients(pd.DataFrame({"patient_id": ["a", "b"]})).empty
    with pytest.raises(UserError, match="no column 'patient_id'"):
        match_patients(pd.DataFrame({"id": ["a"]}))
    with pytest.raises(UserError, match="there twice"):
        match_patients(pd.DataFrame([ADA, ADA]))
