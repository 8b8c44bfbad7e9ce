"""Messages and discharge summaries: exact spans, sound Spanish, and traps that mislead only the naive."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import orjson
import pandas as pd
import pytest

from carelab.fhir import validate
from carelab.paths import DATA
from carelab.synth.areas import Core, Figures, Part
from carelab.synth.config import World, panels
from carelab.synth.messages.calibration import spans_exact
from carelab.synth.messages.intake import spread
from carelab.synth.messages.making import make
from carelab.synth.messages.measure import Data, load
from carelab.synth.messages.reading import red_flag, red_subject, stated_dose
from carelab.synth.messages.traps import TRAPS
from carelab.synth.messages.wording import wording
from carelab.synth.panel import make_core
from carelab.synth.prose import nearest, repetition
from carelab.synth.readmission.area import AREA as READMISSION
from carelab.synth.readmission.catalogue import REASONS
from carelab.synth.scheduling.area import AREA as SCHEDULING

TRAP = {trap.id: trap for trap in TRAPS}


@pytest.fixture(scope="module")
def texts(world: World) -> Data:
    return load(DATA, world)


# What has to hold for the trap to be one.
HARM: dict[str, Callable[[Figures], bool]] = {
    "subject-misleads": lambda f: (
        f["sensitivity_subject"] < 0.2
        and f["ppv_subject"] < 0.4
        and f["sensitivity_text"] > 0.85
        and f["ppv_text"] > 0.7
    ),
    "negated-symptom": lambda f: (
        f["false_alarms_words"] > 0.9
        and f["false_alarms_reading"] < 0.1
        and f["ppv_words"] < 0.35
        and f["ppv_reading"] > 0.7
        and f["sensitivity_reading"] > f["sensitivity_words"] - 0.03
    ),
    "family-symptom": lambda f: (
        f["false_alarms_anybody"] > 0.8
        and f["false_alarms_own"] < 0.15
        and f["found_if_relatives_never_count"] < 0.2
        and f["found"] > 0.8
    ),
    "near-duplicates": lambda f: f["accuracy_copies_random_split"] > f["accuracy_copies_grouped_split"] + 0.2,
    "spanish-messages": lambda f: (
        f["sensitivity_english"] > 0.85
        and f["sensitivity_spanish_english_list"] < 0.3
        and f["sensitivity_spanish_both_lists"] > 0.85
    ),
    "phi-awkward-forms": lambda f: (
        f["recall_plain"] < 0.6 and f["recall_tolerant"] > 0.9 and f["messages_with_a_leak_plain"] > 0.5
    ),
    "unsupported-statement": lambda f: (
        f["wrong_statements_as_written"] > 20
        and f["wrong_statements_if_in_record"] == 0
        and f["sound_facts_kept"] > 0.95
    ),
    "dose-in-addendum": lambda f: (
        f["amended_summaries"] > 20 and f["doses_right_first_mention"] < 0.2 and f["doses_right_last_mention"] > 0.9
    ),
    "copied-forward": lambda f: f["acute_illnesses_by_text"] > 1.1 * f["acute_illnesses_coded"],
    "allergy-conflict": lambda f: (
        f["conflicts"] >= 8 and f["recall_by_name"] < 0.2 and f["recall_by_record_and_class"] > 0.95
    ),
    "missing-section": lambda f: f["on_no_drugs_by_text"] > f["on_no_drugs_by_record"] + 4,
}


def honest_subjects(texts: Data) -> Data:
    subject = np.where(texts.messages["high_risk"], "chest pain", "Question")
    return replace(texts, messages=texts.messages.assign(subject=subject))


def without_mention(mention: str) -> Callable[[Data], Data]:
    return lambda texts: replace(texts, messages=texts.messages[texts.messages["mention"] != mention])


def one_of_each_wording(texts: Data) -> Data:
    again = texts.messages["family"].notna() & texts.messages.duplicated(["language", "family"])
    return replace(texts, messages=texts.messages[~again])


def all_in_english(texts: Data) -> Data:
    high, spanish = texts.messages["high_risk"], texts.messages["language"] == "es"
    told = texts.messages.loc[high & ~spanish, "text"].head((high & spanish).sum()).to_numpy()
    changed = texts.messages["text"].copy()
    changed[high & spanish] = told
    return replace(texts, messages=texts.messages.assign(text=changed))


def standard_forms(texts: Data) -> Data:
    """Every identifier in the form that the plain patterns look for."""
    forms = {
        "phone": "555-0142", "mrn": "LH000123", "date": "3/14/2026", "email": "vera.oak@example.org", "ssn": "000-12-3456",
        "address": "12 Alderbank Lane", "name": "Vera Maplewick", "clinician": "Oakby",
    }  # fmt: skip
    spans = texts.message_spans[texts.message_spans["kind"].isin(forms)].drop_duplicates("message_id")
    piece = spans["kind"].map(forms)
    text = dict(zip(spans["message_id"], "Dr. " + piece + " is written here.", strict=True))
    messages = texts.messages[texts.messages["message_id"].isin(text)]
    return replace(
        texts,
        messages=messages.assign(text=messages["message_id"].map(text)),
        message_spans=spans.assign(start=4, end=4 + piece.str.len()),
    )


def without_flaw(flaw: str) -> Callable[[Data], Data]:
    """The world without the summaries that carry the flaw."""

    def mended(texts: Data) -> Data:
        flawed = set(texts.flaws.loc[texts.flaws["flaw"] == flaw, "document_id"])
        return replace(
            texts,
            documents=texts.documents[~texts.documents["document_id"].isin(flawed)],
            facts=texts.facts[~texts.facts["document_id"].isin(flawed)].reset_index(drop=True),
            flaws=texts.flaws[~texts.flaws["document_id"].isin(flawed)],
        )

    return mended


def corrected_in_place(texts: Data) -> Data:
    """The right dose in the body, too."""
    wrong = texts.flaws[texts.flaws["flaw"] == "dose-in-addendum"].set_index("document_id")
    told = []
    for identity, text in zip(texts.documents["document_id"], texts.documents["text"], strict=True):
        if identity in wrong.index:
            flaw = wrong.loc[identity]
            before, _, after = flaw["value"].partition(" -> ")
            start, end = int(flaw["start"]), int(flaw["end"])
            text = text[:start] + text[start:end].replace(before, after) + text[end:]
        told.append(text)
    return replace(texts, documents=texts.documents.assign(text=told))


MENDED: dict[str, Callable[[Data], Data]] = {
    "subject-misleads": honest_subjects,
    "negated-symptom": without_mention("negated"),
    "family-symptom": without_mention("family"),
    "near-duplicates": one_of_each_wording,
    "spanish-messages": all_in_english,
    "phi-awkward-forms": standard_forms,
    "unsupported-statement": without_flaw("unsupported"),
    "dose-in-addendum": corrected_in_place,
    "copied-forward": without_flaw("copied-forward"),
    "allergy-conflict": without_flaw("allergy-conflict"),
    "missing-section": without_flaw("missing-section"),
}


def test_every_trap_has_its_tests() -> None:
    assert set(HARM) == set(MENDED) == set(TRAP)


@pytest.mark.parametrize("name", HARM)
def test_the_trap_misleads_the_naive_and_not_the_reference(name: str, texts: Data) -> None:
    figures = TRAP[name].measure(texts)
    assert HARM[name](figures), figures
    assert {TRAP[name].naive, TRAP[name].reference} <= set(figures)
    listed = {entry["id"]: entry for entry in orjson.loads((DATA / "truth" / "traps.json").read_bytes())}
    assert listed[name]["figures"] == pytest.approx(
        {key: round(value, 3) for key, value in figures.items()}, abs=0.0011
    )


@pytest.mark.parametrize("name", MENDED)
def test_without_the_mistake_there_is_no_harm(name: str, texts: Data) -> None:
    figures = TRAP[name].measure(MENDED[name](texts))
    assert not HARM[name](figures), figures


def test_spans_are_exact(texts: Data) -> None:
    assert spans_exact(texts) == 1.0
    shifted = replace(texts, message_spans=texts.message_spans.assign(start=texts.message_spans["start"] + 1))
    assert spans_exact(shifted) < 0.9
    spans = texts.spans.drop_duplicates()
    assert len(spans) == len(texts.spans)
    ordered = spans.sort_values(["text_id", "start"])
    same = ordered["text_id"].eq(ordered["text_id"].shift())
    assert (ordered["start"] >= ordered["end"].shift())[same].all()


def test_identifiers_belong_to_nobody(texts: Data) -> None:
    pieces = texts.spans.assign(
        piece=[texts.texts[i][a:b] for i, a, b in texts.spans[["text_id", "start", "end"]].itertuples(index=False)]
    ).groupby("kind")["piece"].agg(list)  # fmt: skip
    assert set(pieces.index) == {"name", "clinician", "phone", "date", "mrn", "email", "address", "ssn", "age_over_89"}
    for number in pieces["ssn"]:
        assert re.sub(r"\D", "", number)[:3] in ("000", "666")
    for number in pieces["phone"]:
        assert re.sub(r"[\D]", "", number).startswith("555"), number
        if re.sub(r"\D", "", number) != "555":  # the rest is not spoken
            assert re.fullmatch(r"55501\d\d", re.sub(r"\D", "", number)), number
    assert all("example.org" in address for address in pieces["email"])


def test_nothing_identifying_is_left_outside_the_spans(texts: Data) -> None:
    """The writer's own name, number and address never stand in a message without a span."""
    patients = texts.patients.set_index("patient_id")
    spans = {
        key: list(group[["start", "end"]].itertuples(index=False))
        for key, group in texts.message_spans.groupby("message_id")
    }
    for identity, patient, text in texts.messages[["message_id", "patient_id", "text"]].itertuples(index=False):
        outside = list(text)
        for start, end in spans.get(identity, []):
            outside[start:end] = " " * (end - start)
        rest = "".join(outside).lower()
        who = patients.loc[patient]
        for value in (who["mrn"], who["phone"], who["family_name"]):
            assert str(value).lower() not in rest, (identity, value)
        assert not re.search(r"555.?01|\bhosp\d-|example\.org|\d{1,2}/\d{1,2}/\d", rest), text


def test_summaries_leave_no_identifier_outside_the_spans(texts: Data) -> None:
    spans = {
        key: list(group[["start", "end"]].itertuples(index=False))
        for key, group in texts.document_spans.groupby("document_id")
    }
    for identity, text in texts.documents[["document_id", "text"]].itertuples(index=False):
        outside = list(text)
        for start, end in spans[identity]:
            outside[start:end] = " " * (end - start)
        rest = "".join(outside)
        assert not re.search(r"555-01|\bHOSP\d-|\bLH\d{6}|\d{1,2}/\d{1,2}/\d{2}|\b9\d ?(?:yo|y\.o|-year)", rest), rest


def test_labels_agree_with_the_words(texts: Data) -> None:
    messages = texts.messages
    assert (messages["high_risk"] == messages["urgency"].isin(["emergency", "urgent"])).all()
    assert (messages["high_risk"] == messages["mention"].isin(["own", "family_now"])).all()
    assert set(messages.loc[~messages["high_risk"], "urgency"]) == {"routine"}
    assert messages["red_flag"].notna().eq(~messages["mention"].isin(["none", "family_now"])).all()
    assert set(messages["red_flag"].dropna()) <= {flag["sign"] for flag in wording("en")["flags"]}
    assert (messages["family"].isna() | ~messages["high_risk"]).all()


def test_spanish_messages_are_spanish(texts: Data) -> None:
    english = re.compile(r"\b(?:the|and|my|please|with|refill|appointment)\b", re.IGNORECASE)
    spanish = texts.messages[texts.messages["language"] == "es"]
    assert len(spanish) > 150
    assert not spanish["text"].str.contains(english).any()
    # Questions open and close; no doubled article or preposition.
    for text in spanish["text"]:
        assert text.count("¿") == text.count("?"), text
        assert not re.search(r"\b(el el|de el|a el|la la|de de|en en|los los)\b", text, re.IGNORECASE), text


def test_copies_of_one_wording_can_be_recognised(texts: Data) -> None:
    """What a learner has to find: copies look like one another, other messages do not."""
    likeness = nearest(list(texts.messages["text"]))
    twice = texts.messages["family"].notna() & texts.messages.duplicated(["language", "family"], keep=False)
    assert np.median(likeness[twice]) > 0.5
    assert np.quantile(likeness[~texts.messages["family"].notna()], 0.95) < 0.5


def test_texts_repeat_far_less_than_notes_of_the_common_generator(texts: Data) -> None:
    """4 % of the lines in Synthea's notes are different ones."""
    for found in (texts.messages["text"], texts.documents["text"]):
        assert repetition(list(found))["distinct_lines"] > 0.65


def test_summaries_agree_with_the_record(texts: Data) -> None:
    sound = texts.facts[texts.facts["supported"]]
    stay = texts.documents.set_index("document_id")["stay_id"]
    orders = texts.medications.set_index("stay_id").groupby(level=0)["name"].agg(set)
    told = sound[sound["kind"] == "stopped"]
    assert all(
        name in orders[stay[identity]] for identity, name in zip(told["document_id"], told["value"], strict=True)
    )
    coded = texts.diagnoses.groupby("stay_id")["code"].agg(set)
    listed = sound[sound["kind"] == "diagnosis"]
    assert all(
        code in coded[stay[identity]] for identity, code in zip(listed["document_id"], listed["value"], strict=True)
    )
    text = texts.documents.set_index("document_id")["text"]
    shown = texts.facts.dropna(subset="start")
    for identity, kind, value, start, end in shown[["document_id", "kind", "value", "start", "end"]].itertuples(
        index=False
    ):
        piece = text[identity][start:end]
        if kind == "lab" and value.split()[0] in ("creatinine", "sodium", "hemoglobin") and "results" in value:
            assert value.split()[1] in piece
        if kind == "medication" and piece[:4].lower() == value[:4].lower():
            dose = value.split()[1] if value.split()[1][0].isdigit() else value.split()[2]
            assert dose in piece, (value, piece)


def test_every_reason_for_a_stay_has_its_words() -> None:
    notes = wording("notes")
    assert set(notes["reasons"]) == set(REASONS)
    for told in notes["reasons"].values():
        assert set(told) == {"names", "cc", "story", "detail", "course", "back"}


def test_spread_is_exact() -> None:
    for n, share in ((1000, 0.035), (250, 0.85), (7, 0.0), (7, 1.0)):
        drawn = spread(np.random.default_rng(1), n, share)
        assert abs(drawn.sum() - n * share) < 1
        assert len(drawn) == n


def test_the_readers_read_as_they_say() -> None:
    assert red_subject("Urgent refill") and not red_subject("Refill")
    assert red_flag("Refill please. Also I have chest pain.")
    assert not red_flag("Refill please. No chest pain or trouble breathing.")
    assert not red_flag("My husband was in the hospital with chest pain on 3/4, so I have been busy.")
    assert red_flag("my wife Ruth is on the couch and says there is crushing chest pain right now")
    assert red_flag("tengo un dolor en el pecho") and not red_flag("tengo un dolor en el pecho", spanish=False)
    assert stated_dose("aspirin 81 mg daily\nLate entry: aspirin dose is 162 mg", "aspirin") == "81 mg"
    assert stated_dose("aspirin 81 mg daily\nLate entry: aspirin dose is 162 mg", "aspirin", last=True) == "162 mg"


@pytest.fixture(scope="module")
def made(world: World) -> tuple[Core, Part]:
    core = make_core(world, panels(world)[4], {"scheduling": -1.0})
    assert SCHEDULING.make and READMISSION.make
    parts = {"scheduling": SCHEDULING.make(core, {})}
    parts["readmission"] = READMISSION.make(core, parts)
    part = make(core, parts)
    again = make(core, parts)
    assert orjson.dumps(part.resources) == orjson.dumps(again.resources)
    for name, frame in part.truth.items():
        pd.testing.assert_frame_equal(frame, again.truth[name])
    return core, part


def test_resources_are_valid_and_the_sample_is_part_of_them(made: tuple[Core, Part]) -> None:
    _, part = made
    for kind, found in part.resources.items():
        assert [problem for resource in found for problem in validate(resource)] == []
        ids = [resource["id"] for resource in found]
        assert ids == sorted(set(ids))
        assert all(resource in found for resource in part.sample[kind])
    assert 0 < sum(map(len, part.sample.values())) < 60
