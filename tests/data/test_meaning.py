# ruff: noqa: SIM905 - lists of codes read best as words
"""The rules about meaning: each catches what it is for, and leaves sound resources alone."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from carelab.errors import UserError
from carelab.fhir import check_feed, validate
from carelab.fhir.meaning import RULES, Problem, check, gather
from carelab.fhir.meaning.codes import loinc_check_digit
from carelab.fhir.meaning.moments import span, surely_before
from carelab.fhir.meaning.units import is_ucum
from carelab.paths import DATA

Resource = dict[str, Any]

_TERMS = "http://terminology.hl7.org/CodeSystem"
PATIENT: Resource = {
    "resourceType": "Patient", "id": "p1", "active": True, "gender": "female", "birthDate": "1950-05-01",
    "deceasedDateTime": "2024-02-01T04:00:00Z", "name": [{"use": "official", "family": "Lake", "given": ["Ada"]}],
    "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}],
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Ada <b>Lake</b></p></div>'},
}  # fmt: skip
OTHER: Resource = {"resourceType": "Patient", "id": "p2", "gender": "male", "birthDate": "2001"}
CLINIC: Resource = {"resourceType": "Organization", "id": "o1", "name": "Lakeshore"}
ENCOUNTER: Resource = {
    "resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/p1"},
    "class": {"system": f"{_TERMS}/v3-ActCode", "code": "AMB"}, "serviceProvider": {"reference": "Organization/o1"},
    "period": {"start": "2023-03-01T15:00:00Z", "end": "2023-03-01T15:30:00Z"},
}  # fmt: skip
OBSERVATION: Resource = {
    "resourceType": "Observation", "id": "b1", "status": "final", "subject": {"reference": "Patient/p1"},
    "encounter": {"reference": "urn:uuid:e1"}, "effectiveDateTime": "2023-03-01T15:10:00Z",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0", "display": "Creatinine"}]},
    "valueQuantity": {"value": 1.1, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    "referenceRange": [{"low": {"value": 0.6, "unit": "mg/dL"}, "high": {"value": 1.2, "unit": "mg/dL"}}],
}  # fmt: skip
CONDITION: Resource = {
    "resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, "recordedDate": "2023-03-01",
    "clinicalStatus": {"coding": [{"system": f"{_TERMS}/condition-clinical", "code": "resolved"}]},
    "onsetDateTime": "2022", "abatementDateTime": "2022-12-31",
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
}  # fmt: skip
CLAIM: Resource = {
    "resourceType": "Claim", "id": "k1", "status": "active", "use": "claim", "created": "2023-03-02",
    "type": {"coding": [{"system": f"{_TERMS}/claim-type", "code": "professional"}]}, "patient": {"reference": "Patient/p1"},
    "provider": {"reference": "Organization/o1"}, "priority": {"coding": [{"code": "normal"}]},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}],
    "item": [
        {"sequence": 1, "productOrService": {"text": "visit"}, "quantity": {"value": 2},
         "unitPrice": {"value": 50.05, "currency": "USD"}, "net": {"value": 100.10, "currency": "USD"}},
        {"sequence": 2, "productOrService": {"text": "test"}, "net": {"value": 0.2, "currency": "USD"}},
    ],
    "total": {"value": 100.3, "currency": "USD"},
}  # fmt: skip
ORDER: Resource = {
    "resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order", "authoredOn": "2023-03-01",
    "medicationCodeableConcept": {"text": "metformin"}, "subject": {"reference": "Patient/p1"},
}  # fmt: skip
FEED = [PATIENT, OTHER, CLINIC, ENCOUNTER, OBSERVATION, CONDITION, CLAIM, ORDER]


def save(folder: Path, resources: list[Resource]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "feed.ndjson").write_bytes(b"\n".join(orjson.dumps(resource) for resource in resources))
    return folder


def changed(original: Resource, change: Callable[[Resource], Any]) -> list[Resource]:
    """The feed with one resource changed in place."""
    feed = copy.deepcopy(FEED)
    change(feed[FEED.index(original)])
    return feed


def put(**values: Any) -> Callable[[Resource], Any]:
    return lambda resource: resource.update(values)


def at(*path: str | int, to: Any) -> Callable[[Resource], Any]:
    def change(resource: Any) -> None:
        for step in path[:-1]:
            resource = resource[step]
        resource[path[-1]] = to

    return change


def caught(folder: Path, feed: list[Resource]) -> tuple[list[str], list[Problem]]:
    """What the two checkers say: the schema's sentences, our rules' problems."""
    return [problem for resource in feed for problem in validate(resource)], list(check_feed(save(folder, feed)))


def test_a_sound_feed_raises_no_alarm(tmp_path: Path) -> None:
    assert caught(tmp_path, FEED) == ([], [])


SHAPE: dict[str, tuple[Resource, Callable[[Resource], Any]]] = {
    "missing-required": (OBSERVATION, lambda r: r.pop("code")),
    "missing-status": (ENCOUNTER, lambda r: r.pop("status")),
    "unknown-element": (PATIENT, put(nickname="Addie")),
    "object-for-array": (PATIENT, put(name={"family": "Lake"})),
    "instant-without-zone": (OBSERVATION, put(issued="2023-03-01T15:10:00")),
    "us-date": (PATIENT, put(birthDate="05/01/1950")),
    "r5-shape": (ENCOUNTER, put(**{"class": [{"coding": [{"code": "AMB"}]}]})),
    "impossible-date": (PATIENT, put(birthDate="2021-02-30")),
    "two-value-types": (OBSERVATION, put(valueString="1.1")),
}
MEANING: dict[str, tuple[Resource, Callable[[Resource], Any]]] = {
    "number-as-string": (OBSERVATION, at("valueQuantity", "value", to="1.1")),
    "unknown-status": (OBSERVATION, put(status="done")),
    "unknown-gender": (PATIENT, put(gender="F")),
    "wrong-reference-type": (OBSERVATION, put(subject={"reference": "Organization/o1"})),
    "dangling-reference": (OBSERVATION, put(subject={"reference": "Patient/p9"})),
    "period-reversed": (ENCOUNTER, put(period={"start": "2023-03-01T15:30:00Z", "end": "2023-03-01T15:00:00Z"})),
    "unknown-unit": (OBSERVATION, lambda r: r["valueQuantity"].update(unit="mgs/dl", code="mgs/dl")),
    "implausible-value": (OBSERVATION, at("valueQuantity", "value", to=88.4)),
    "total-not-sum": (CLAIM, at("total", "value", to=110.3)),
    "loinc-check-digit": (OBSERVATION, at("code", "coding", 0, "code", to="2160-1")),
    "death-before-birth": (PATIENT, put(deceasedDateTime="1949-02-01T00:00:00Z")),
    "event-before-birth": (CONDITION, put(recordedDate="1949-03-01")),
    "active-narrative": (PATIENT, at("text", "div", to='<div xmlns="x"><script>alert(1)</script></div>')),
}


@pytest.mark.parametrize("name", SHAPE)
def test_the_schema_catches(name: str, tmp_path: Path) -> None:
    original, change = SHAPE[name]
    shape, _ = caught(tmp_path, changed(original, change))
    assert shape
    assert all(original["id"] in sentence for sentence in shape)


@pytest.mark.parametrize("name", MEANING)
def test_the_schema_passes_and_our_rule_catches(name: str, tmp_path: Path) -> None:
    original, change = MEANING[name]
    shape, problems = caught(tmp_path, changed(original, change))
    assert shape == []
    assert name in {problem.rule for problem in problems}
    assert {problem.resource for problem in problems if problem.rule == name} == {
        f"{original['resourceType']}/{original['id']}"
    }


def test_a_double_is_caught(tmp_path: Path) -> None:
    """The 23rd: 9 by the schema, 13 by the rules above, and this one."""
    shape, problems = caught(tmp_path, [*FEED, OTHER | {"gender": "female"}])
    assert shape == []
    assert [(p.rule, p.resource) for p in problems] == [("duplicate-id", "Patient/p2")] * 2
    assert len(SHAPE) + len(MEANING) + 1 == 23


OTHERS: dict[str, tuple[Resource, Callable[[Resource], Any]]] = {
    "unknown-code": (PATIENT, at("telecom", 0, "system", to="mobile")),
    "icd-shape": (CONDITION, at("code", "coding", 0, "code", to="E119 ")),
    "net-not-product": (CLAIM, at("item", 0, "quantity", "value", to=3)),
    "boolean-as-string": (PATIENT, put(active="true")),
    "time-as-number": (CONDITION, put(recordedDate=1677628800)),
    "empty": (PATIENT, put(address=[])),
    "narrative-form": (PATIENT, at("text", "div", to="Ada Lake")),
    "id-format": (ORDER, put(id="m_1")),
    "incomplete-export": (ENCOUNTER, put(location=[{"location": {"reference": "Location/l1"}}])),
    "other-patient": (OBSERVATION, put(subject={"reference": "Patient/p2"})),
    "range-reversed": (OBSERVATION, at("referenceRange", 0, "low", "value", to=1.3)),
    "implausible-age": (PATIENT, put(birthDate="1800-01-01")),
    "treated-after-death": (ORDER, put(authoredOn="2024-03-01")),
    "implausible-year": (CONDITION, put(recordedDate="2923-03-01")),
    "no-type": (OTHER, lambda r: r.pop("resourceType")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_rules_catch(name: str, tmp_path: Path) -> None:
    original, change = OTHERS[name]
    problems = list(check_feed(save(tmp_path, changed(original, change))))
    assert name in {problem.rule for problem in problems}, problems


def test_every_rule_is_tried_and_says_what_it_is_for() -> None:
    assert set(RULES) == {*MEANING, *OTHERS, "duplicate-id"}
    for rule in RULES.values():
        assert rule.says.endswith(".") and len(rule.says) > 20, rule.id


@pytest.mark.parametrize(
    ("original", "change"),
    [
        (CONDITION, put(clinicalStatus={"coding": [{"system": "https://example.org/own", "code": "dormant"}]})),
        (CONDITION, put(recordedDate="1950-04-30")),  # a day before the birth: zones differ
        (CONDITION, put(recordedDate="1950")),  # the year of birth
        (CONDITION, put(onsetDateTime="2022-12", abatementDateTime="2022")),
        (OBSERVATION, put(effectiveDateTime="2024-02-03T00:00:00Z")),  # an autopsy's finding
        (CLAIM, put(created="2024-06-01")),  # a bill after the death
        (ORDER, put(authoredOn="2024-02-01")),  # the day of the death
        (OBSERVATION, put(encounter={"reference": "Encounter/e1/_history/2"})),
        (CONDITION, put(subject={"reference": "https://elsewhere.example.org/fhir/Patient/7"})),
        (CONDITION, put(contained=[OTHER | {"id": "in"}], subject={"reference": "#in"})),
        (CLAIM, at("item", 1, "net", to={"value": 0.2, "currency": "EUR"})),
        (CLAIM, lambda r: (r["item"][1].pop("net"), r["total"].update(value=500))),  # Synthea's way
        (OBSERVATION, at("valueQuantity", to={"value": 88.4, "unit": "umol/L", "code": "umol/L",
                                              "system": "http://unitsofmeasure.org"})),
        (OBSERVATION, at("valueQuantity", to={"value": 3, "unit": "my own unit"})),
        (PATIENT, at("text", "div", to='<div>on load = 3, description of form <a href="https://x.org">x</a></div>')),
        (PATIENT, put(_birthDate={"extension": [{"url": "u", "valueDateTime": "1950-05-01T03:00:00Z"}]})),
    ],
)  # fmt: skip
def test_what_is_unusual_but_right_is_left_alone(
    original: Resource, change: Callable[[Resource], Any], tmp_path: Path
) -> None:
    assert list(check_feed(save(tmp_path, changed(original, change)))) == []


def test_some_items_without_an_amount_still_bound_the_total(tmp_path: Path) -> None:
    feed = changed(CLAIM, lambda r: (r["item"][1].pop("net"), r["total"].update(value=90)))
    assert [problem.rule for problem in check_feed(save(tmp_path, feed))] == ["total-not-sum"]


def test_one_resource_alone_is_judged_without_its_neighbours() -> None:
    assert check(OBSERVATION | {"subject": {"reference": "Patient/p9"}}) == []
    [problem] = check(PATIENT | {"gender": "F"})
    assert str(problem) == (
        "Patient/p1: Patient.gender: 'F' is no code of FHIR; use one of female, male, other, unknown [unknown-gender]"
    )


def test_a_context_is_referred_to_and_not_checked(tmp_path: Path) -> None:
    patients = save(tmp_path / "context", [PATIENT | {"gender": "F"}, CLINIC, ENCOUNTER])
    feed = save(tmp_path / "feed", [OBSERVATION | {"effectiveDateTime": "1940-01-01"}])
    assert [problem.rule for problem in check_feed(feed, context=[patients])] == ["event-before-birth"]
    assert {problem.rule for problem in check_feed(feed)} == {"incomplete-export"}
    with pytest.raises(UserError, match="is not there"):
        list(check_feed(tmp_path / "nowhere"))


def test_partial_exports_are_told_once(tmp_path: Path) -> None:
    problems = list(check_feed(save(tmp_path, [OBSERVATION | {"id": f"b{number}"} for number in range(50)])))
    assert [(p.rule, p.path) for p in problems] == [
        ("incomplete-export", "Observation.subject"),
        ("incomplete-export", "Observation.encounter"),
    ]


def test_search_results_may_overlap_and_exports_may_not(tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OTHER}]}
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_bytes(orjson.dumps(bundle))
    assert list(check_feed(tmp_path)) == []
    (tmp_path / "two.json").write_bytes(orjson.dumps(bundle | {"entry": [{"resource": OTHER | {"gender": "female"}}]}))
    assert {problem.rule for problem in check_feed(tmp_path)} == {"duplicate-id"}


def test_nothing_but_ids_is_remembered() -> None:
    index = gather(DATA / "fhir")
    assert sum(index.kinds.values()) * 2 == len(index.names)
    assert len(index.lives) == index.kinds["Patient"]


def test_our_own_clean_data_raise_no_alarm() -> None:
    """Two mistakes are planted in the feed on purpose, and are found: totals of claims, and one laboratory's creatinine."""
    planted = {"total-not-sum": "Claim/", "implausible-value": "creatinine (2160-0)"}
    found = check_feed(DATA / "fhir")
    assert {problem.rule for problem in found} == set(planted)
    assert all(planted[problem.rule] in str(problem) for problem in found)


@pytest.mark.parametrize(
    "unit",
    "mg/dL ng/dl mmol/L mm[Hg] {score} % 10*3/uL 10^9/L U/L mL/min/{1.73_m2} kg/m2 Cel m[IU]/L /min d/wk [pH] [in_i]"
    " [lb_av] [degF] ug/(kg.min) mL/(24.h) {pack-years} 1 meq/L mosm/kg /[HPF] ng/mL{FEU} m2 10*-3".split(),
)
def test_units_of_ucum(unit: str) -> None:
    assert is_ucum(unit)


@pytest.mark.parametrize(
    "unit",
    ["mgs/dl", "(score)", "pH", "K/uL", "M/uL", "IU/L", "mmHg", "MG/DL", "mcg", "days", "mg//dL", "mg/", "{a", ")", "mg)",
     "", " ", "mg dL", "µmol/L", "(mg", "mg.", "{ü}"],
)  # fmt: skip
def test_what_is_no_unit_of_ucum(unit: str) -> None:
    assert not is_ucum(unit)


def test_check_digits_of_loinc() -> None:
    for code in ("2160-0", "718-7", "8302-2", "29463-7", "33914-3", "4548-4"):
        number, digit = code.split("-")
        assert loinc_check_digit(number) == int(digit)
        assert sum(loinc_check_digit(number) == wrong for wrong in range(10)) == 1


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", True),
        ("2020-01-01T00:00:00+02:00", "2019-12-31T23:00:00Z", True),
        ("2020-01-01", "2020-01-01T00:00:00Z", False),
        ("2020-01-01", "2020-01-02", True),
        ("2020-01-01", "2020-01-02T10:00:00Z", False),
        ("2020-01-01", "2020-01-02T12:30:00Z", True),
        ("2020", "2020-06", False),
        ("2020-12", "2021-02", True),
        ("soon", "2020", False),
        (None, "2020", False),
    ],
)
def test_times_are_compared_without_guessing(one: Any, other: Any, before: bool) -> None:
    assert surely_before(one, other) is before
    assert not surely_before(other, one)
    assert span("2021-02-30") is None
