"""Prior authorization: requests follow the policies, notes hold what the truth says, and each trap is one."""

import base64
import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import orjson
import pandas as pd
import pytest

from carelab.fhir import validate
from carelab.paths import DATA
from carelab.synth.areas import Core, Figures, Part
from carelab.synth.authorization.documents import documents, files
from carelab.synth.authorization.making import make
from carelab.synth.authorization.measure import Data, in_force, load, newest, without_denials_gone_wrong
from carelab.synth.authorization.policies import Fact, facts, judge, meets, policies, services
from carelab.synth.authorization.questions import missing_sources, policy_questions
from carelab.synth.authorization.traps import TRAPS
from carelab.synth.config import World, load_world, panels
from carelab.synth.panel import make_core
from carelab.synth.prose import repetition
from carelab.synth.scheduling.area import AREA as SCHEDULING

TRAP = {trap.id: trap for trap in TRAPS}


@pytest.fixture(scope="module")
def built() -> Data:
    """The committed world, as this area reads it."""
    return load(DATA, load_world())


@pytest.fixture(scope="module")
def panel(world: World) -> tuple[Core, Part]:
    """One panel, made afresh."""
    core = replace(make_core(world, panels(world)[0]), solved={"scheduling": -1.5})
    assert SCHEDULING.make
    return core, make(core, {"scheduling": SCHEDULING.make(core, {})})


# ---------------------------------------------------------------- traps

# What has to hold for the trap to be one.
HARM: dict[str, Callable[[Figures], bool]] = {
    "policy-version": lambda f: f["judged_wrongly_by_newest"] > f["judged_wrongly_by_version_in_force"] + 0.08,
    "fact-only-in-note": lambda f: (
        f["judged_wrongly_by_form"] > 0.5 and f["judged_wrongly_by_form_and_note"] < 0.02
    ),
    "contradicted-fact": lambda f: (
        f["judged_wrongly_by_form"] > 0.15 and f["judged_wrongly_by_note"] < 0.02 and f["found_by_comparing"] > 0.95
    ),
    "wrong-patient-note": lambda f: (
        f["used_unchecked"] >= 10 and f["used_after_identity_check"] == 0 and f["sent_back_in_vain"] == 0
    ),
    "wrong-denials": lambda f: (
        0.11 <= f["wrong_among_denials_if_copied"] <= 0.15 and f["wrong_among_denials_by_policy"] < 0.02
    ),
    "authorization-total": lambda f: f["share_apart"] > 0.02 and f["dollars_apart"] > 100_000,
    "injection-in-note": lambda f: (
        f["found_by_known_phrase"] < 0.6 and f["found_by_whom_it_addresses"] > 0.95 and f["false_alarms"] == 0 and f["notes"] >= 8
    ),
    "clock-breach": lambda f: 0.9 < f["median_ratio"] < 1.1 and f["late_ratio"] > 4,
    "two-payers-contradict": lambda f: (
        f["judged_wrongly_by_another_payers_policy"] > f["judged_wrongly_by_own_policy"] + 0.08
    ),
    "expired-authorization": lambda f: f["covered_by_period"] < 0.985 and f["dollars_after_expiry"] > 50_000,
    "duplicate-request": lambda f: (
        f["denied_all_requests"] > f["denied_without_duplicates"] + 0.004 and f["recall_by_patient_and_service"] > 0.95
    ),
    "superseded-document": lambda f: f["recall_at_3_in_force"] > f["recall_at_3_whole_library"] + 0.2,
}  # fmt: skip


def of_requests(**changes: Callable[[pd.DataFrame], object]) -> Callable[[Data], Data]:
    """The same data with columns of the requests changed."""
    return lambda data: replace(data, requests=data.requests.assign(**changes))


def newest_policies_only(data: Data) -> Data:
    """Every request sent after the last change."""
    keep = in_force(data) == newest(data)
    late = data.requests["requested"].where(keep, pd.Timestamp("2026-06-01"))
    met = data.requests["criteria_met"].where(keep, True)
    full = _truth_on_form(data)
    return replace(full, requests=data.requests.assign(requested=late, criteria_met=met))


def _truth_on_form(data: Data) -> Data:
    """Forms that say what is true, where the truth knows it: the fact that was missing or contradicted."""
    form = data.form.copy()
    known = data.requests[data.requests["subject_fact"].ne("")]
    for row, name, shown in zip(known.index, known["subject_fact"], known["true_value"], strict=True):
        form.loc[row, name] = _coded(facts()[name], shown)
    return replace(data, form=form)


def _coded(fact: Fact, shown: str) -> float:
    if fact.kind == "truth":
        return float(shown == "yes")
    return fact.coded(shown) if fact.kind == "choice" else float(shown)


def own_notes(data: Data) -> Data:
    """Every note about the patient it is filed under."""
    about = data.requests.set_index("request_id")["note_kind"][data.notes.index].eq("wrong-patient")
    notes = data.notes[~about]
    return replace(data, notes=notes)


def without_orders(data: Data) -> Data:
    planted = data.requests.set_index("request_id")["injected"][data.notes.index]
    return replace(data, notes=data.notes[~planted], requests=data.requests.assign(injected=np.False_))


def on_time(data: Data) -> Data:
    """Every payer with the same spread of hours: they are dealt out anew among all requests of one urgency."""
    requests, rng = data.requests, np.random.default_rng(0)
    took = (requests["decided"] - requests["requested"]).fillna(pd.Timedelta(hours=24))
    for urgent in (True, False):
        rows = np.flatnonzero(requests["urgent"] == urgent)
        took.iloc[rows] = took.to_numpy()[rng.permutation(rows)]
    return replace(data, requests=requests.assign(decided=requests["requested"] + took))


def one_rule_for_all(data: Data) -> Data:
    """As if the two other payers had the largest one's policies."""
    met = judge(data.form.assign(payer="commercial"), in_force(data))
    return replace(data, requests=data.requests.assign(criteria_met=met))


def sent_once(data: Data) -> Data:
    """Every copy a request of its own."""
    requests = data.requests
    own = requests["service"].where(requests["duplicate_of"].eq(""), requests["request_id"])
    return replace(data, requests=requests.assign(service=own))


MENDED: dict[str, Callable[[Data], Data]] = {
    "policy-version": newest_policies_only,
    "fact-only-in-note": _truth_on_form,
    "contradicted-fact": _truth_on_form,
    "wrong-patient-note": own_notes,
    "wrong-denials": without_denials_gone_wrong,
    "authorization-total": of_requests(total=lambda f: f["items_total"]),
    "injection-in-note": without_orders,
    "clock-breach": on_time,
    "two-payers-contradict": one_rule_for_all,
    "expired-authorization": of_requests(performed_on=lambda f: f["performed_on"].clip(upper=f["approved_until"])),
    "duplicate-request": sent_once,
    "superseded-document": lambda data: replace(data, questions=data.questions.assign(as_of="1999-01-01")),
}  # fmt: skip


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, built: Data) -> None:
    figures = TRAP[name].measure(built)
    assert HARM[name](figures), figures
    assert {TRAP[name].naive, TRAP[name].reference} <= set(figures)
    listed = {entry["id"]: entry for entry in orjson.loads((DATA / "truth" / "traps.json").read_bytes())}
    assert listed[name]["figures"] == pytest.approx(
        {key: round(value, 3) for key, value in figures.items()}, abs=0.0011
    )


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, built: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](built))
    assert not HARM[name](figures), figures


# ---------------------------------------------------------------- policies and documents


def test_policies_and_decisions_come_from_the_same_criteria() -> None:
    for policy in policies().values():
        for version in range(1, len(policy.versions) + 1):
            document = documents()[policy.document(version)]
            for criterion in policy.criteria(version):
                part = document.part(criterion.section)
                assert part.text == criterion.text
                for way in criterion.rule:
                    for _, how, value in way:
                        assert how == "=" or str(value) in part.text, (document.id, value, part.text)


def test_a_rule_looks_at_its_service_s_facts_only() -> None:
    for (_, service), policy in policies().items():
        for criteria in policy.versions:
            assert {name for c in criteria for name in c.facts} <= set(services()[service].facts)
            assert len({c.section for c in criteria}) == len(criteria)
    used = {name for service in services().values() for name in service.facts}
    assert used == set(facts())


def test_every_payer_has_a_policy_on_every_service_and_enough_of_them_changed() -> None:
    assert len(policies()) == 3 * len(services())
    revised = [policy.revised for policy in policies().values() if policy.revised]
    assert len(revised) >= 6
    assert all(date(2024, 10, 1) < day < date(2026, 4, 1) for day in revised)


def test_the_version_in_force_changes_on_its_day() -> None:
    policy = policies()["commercial", "cgm"]
    assert policy.revised
    assert policy.version_on(policy.revised) == 2
    assert policy.version_on(date(2025, 2, 28)) == 1
    patient = {"insulin_doses": np.array([1.0]), "fingersticks": np.array([0.0]), "hypo_events": np.array([0.0]),
               "a1c_age_days": np.array([20.0])}  # fmt: skip
    assert not meets(policy, 1, patient)[0]
    assert meets(policy, 2, patient)[0]


def test_a_missing_fact_satisfies_no_criterion() -> None:
    nothing = {name: np.array([np.nan]) for name in facts()}
    for policy in policies().values():
        for criteria in policy.versions:
            assert not any(criterion.holds(nothing)[0] for criterion in criteria)


def test_documents_fit_their_budget_and_are_listed() -> None:
    found = files()
    assert sum(map(len, found.values())) < 300_000
    index = list(csv.DictReader(found["documents/index.csv"].decode().splitlines()))
    assert {f"documents/{row['file']}" for row in index} == set(found) - {"documents/index.csv"}
    assert 40 <= len(index) <= 60
    kinds = pd.Series([row["kind"] for row in index]).value_counts()
    assert kinds["guideline"] >= 6 and kinds["sop"] >= 8
    assert [row["document_id"] for row in index if row["status"] != "approved"] == [
        "vendor-bulletin-17",
        "lhp-cgm-v3-draft",
    ]
    assert len({row["roles"] for row in index}) > 5


def test_front_matter_names_what_it_must() -> None:
    text = documents()["glc-oxygen-v2"].markdown()
    for line in (
        "payer: Great Lakes Community Plan",
        "version: 2",
        "effective_from: 2025-07-01",
        "supersedes: glc-oxygen-v1",
    ):
        assert line in text.splitlines()
    assert "### C2 When the test was done" in text
    old = documents()["glc-oxygen-v1"].markdown()
    assert "effective_to: 2025-06-30" in old.splitlines()


def test_questions_can_be_answered_from_the_documents_they_name() -> None:
    asked = policy_questions(date(2026, 6, 30))
    assert len(asked) >= 120
    assert set(asked["kind"]) == {"current", "superseded", "contradicting", "role-restricted", "unanswerable"}
    assert missing_sources(asked) == []
    assert not asked["question"].duplicated().any()
    for row in asked.itertuples():
        sources = [source.split("#")[0] for source in str(row.sources).split()]
        assert bool(sources) == (row.kind != "unanswerable")
        may = all(row.role in documents()[name].roles for name in sources)
        assert may == (row.kind != "role-restricted"), row
        for name in sources:
            document, day = documents()[name], date.fromisoformat(str(row.as_of))
            assert document.effective <= day <= (document.until or day), row


# ---------------------------------------------------------------- one panel


def test_resources_are_valid_and_totals_are_keyed_as_the_truth_says(panel: tuple[Core, Part]) -> None:
    _, part = panel
    for kind, found in part.resources.items():
        for resource in found[::25]:
            assert validate(resource) == [], kind
        assert [r["id"] for r in found] == sorted(r["id"] for r in found)


def test_every_request_of_the_sample_has_a_note_and_every_reference_stays_inside(panel: tuple[Core, Part]) -> None:
    core, part = panel
    sample = part.sample
    assert len(sample["DocumentReference"]) == len(sample["ServiceRequest"]) > 0
    inside = {f"{kind}/{r['id']}" for kind, found in sample.items() for r in found}
    outside = {"Patient", "Practitioner", "Organization", "Coverage"}
    text = orjson.dumps(sample).decode()
    for target in set(re.findall(r'"reference":"([^"]+)"', text)):
        assert target in inside or target.split("/")[0] in outside, target
    patients = set(re.findall(r"Patient/(pat-\d+)", text))
    assert patients <= core.sampled


def test_evidence_lies_where_the_truth_says(panel: tuple[Core, Part]) -> None:
    _, part = panel
    texts = {
        r["id"].replace("rno-", "cli-"): base64.b64decode(r["content"][0]["attachment"]["data"]).decode()
        for r in part.resources["DocumentReference"]
    }
    evidence = part.truth["authorization_evidence"]
    assert set(evidence["request_id"]) == set(texts)
    numbers = 0
    for row in evidence.itertuples():
        found = texts[str(row.request_id)][row.start : row.end]  # type: ignore[misc]
        assert found.strip()
        name = str(row.field)
        if name in facts() and facts()[name].kind == "number" and not name.endswith("_age_days"):
            assert found == row.value
            numbers += 1
        if name == "name":
            assert found == row.value
    assert numbers > 50


def test_what_is_missing_is_in_neither_form_nor_note(panel: tuple[Core, Part]) -> None:
    _, part = panel
    frame = part.frames["requests"]
    evidence = part.truth["authorization_evidence"]
    said = set(zip(evidence["request_id"], evidence["field"], strict=True))
    for case in frame[frame["subject_fact"].ne("")].itertuples():
        case_form = frame.at[case.Index, f"form:{case.subject_fact}"]
        true = frame.at[case.Index, case.subject_fact]
        in_note = (case.request_id, case.subject_fact) in said
        if case.note_kind == "contradicts":
            assert case_form != true
        else:
            assert np.isnan(case_form)
        if case.noted and case.duplicate_of < 0 and not np.isnan(true):
            assert in_note == (case.note_kind != "missing")


def test_the_same_panel_twice_is_the_same(panel: tuple[Core, Part]) -> None:
    core, part = panel
    assert SCHEDULING.make
    again = make(core, {"scheduling": SCHEDULING.make(core, {})})
    assert orjson.dumps(part.resources) == orjson.dumps(again.resources)


def test_only_insured_patients_are_asked_for(panel: tuple[Core, Part]) -> None:
    core, part = panel
    frame = part.frames["requests"]
    assert not core.people.loc[frame["person"], "payer"].eq("self-pay").any()
    assert (frame["requested"] <= pd.Timestamp(core.world.clock.extract_at)).all()
    assert (frame["performed"].dropna() > frame["decided"][frame["performed"].notna()]).all()


def test_notes_are_not_four_templates(built: Data) -> None:
    figures = repetition(list(built.notes))
    assert figures["distinct_lines"] > 0.5  # Synthea's notes: 0.04
    assert figures["repeated_8_grams"] < 0.25
    assert figures["near_duplicates"] < 0.03
