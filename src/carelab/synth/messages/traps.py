"""The mistakes that texts invite, and what each costs: `naive` falls for it, `reference` does not."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold, KFold

from carelab.synth.areas import Figures, Trap
from carelab.synth.messages.measure import Data
from carelab.synth.messages.reading import red_flag, red_subject, red_words, redacted, redactor, stated_dose
from carelab.synth.messages.wording import wording
from carelab.synth.readmission.catalogue import REASONS, TESTS


def _share(of: pd.Series) -> float:
    """Share of True; 0 where there is nothing."""
    return float(of.astype(bool).mean()) if len(of) else 0.0


def _rates(flagged: pd.Series, high: pd.Series) -> tuple[float, float]:
    """Sensitivity, and positive predictive value."""
    return _share(flagged[high]), _share(high[flagged])


def _subject(data: Data) -> Figures:
    high = data.messages["high_risk"]
    sensitivity, ppv = _rates(data.messages["subject"].map(red_subject), high)
    text_sensitivity, text_ppv = _rates(data.messages["text"].map(red_flag), high)
    return {
        "sensitivity_subject": sensitivity, "ppv_subject": ppv,
        "sensitivity_text": text_sensitivity, "ppv_text": text_ppv,
    }  # fmt: skip


def _english(data: Data) -> pd.DataFrame:
    return data.messages[data.messages["language"] == "en"]


def _negation(data: Data) -> Figures:
    """Dangerous words anywhere, against a reading that leaves out what is denied, past or somebody else's."""
    messages = _english(data)
    words, read = messages["text"].map(red_words), messages["text"].map(red_flag)
    denied = messages["mention"] == "negated"
    sensitivity, ppv = _rates(words, messages["high_risk"])
    read_sensitivity, read_ppv = _rates(read, messages["high_risk"])
    return {
        "false_alarms_words": _share(words[denied]), "false_alarms_reading": _share(read[denied]),
        "ppv_words": ppv, "ppv_reading": read_ppv,
        "sensitivity_words": sensitivity, "sensitivity_reading": read_sensitivity,
    }  # fmt: skip


def _family(data: Data) -> Figures:
    messages = _english(data)
    family, now = messages["mention"] == "family", messages["mention"] == "family_now"
    whose = messages["text"].map(red_flag)
    anybody = messages["text"].map(lambda text: red_flag(text, families=False))
    relative = messages["text"].str.contains(
        r"\bmy (?:husband|wife|mother|father|sister|brother|son|daughter|uncle|neighbor)\b", case=False
    )
    return {
        "false_alarms_anybody": _share(anybody[family]),
        "false_alarms_own": _share(whose[family]),
        "emergencies_of_relatives": float(now.sum()),
        "found_if_relatives_never_count": _share((whose & ~relative)[now]),
        "found": _share(whose[now]),
    }


def _copies(data: Data) -> Figures:
    """Which desk handles a message, from the message most like it: copies of one wording on both sides of a random
    split, or all on one."""
    messages = _english(data).reset_index(drop=True)
    groups = messages["family"].astype("float").fillna(-1 - messages.index.to_series()).to_numpy()
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit_transform(messages["text"])
    desk, copied = messages["category"].to_numpy(), messages["family"].notna().to_numpy()

    def right(folds: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        hit = np.zeros(len(messages), dtype=bool)
        for train, test in folds:
            closest = np.asarray((vectors[test] @ vectors[train].T).argmax(axis=1)).ravel()
            hit[test] = desk[train][closest] == desk[test]
        return hit

    random = right(KFold(5, shuffle=True, random_state=0).split(messages))
    grouped = right(GroupKFold(5).split(messages, groups=groups))
    return {
        "accuracy_random_split": float(random.mean()), "accuracy_grouped_split": float(grouped.mean()),
        "accuracy_copies_random_split": _share(pd.Series(random[copied])),
        "accuracy_copies_grouped_split": _share(pd.Series(grouped[copied])),
        "copied_share": float(copied.mean()),
    }  # fmt: skip


def _spanish(data: Data) -> Figures:
    high = data.messages[data.messages["high_risk"]]
    spanish = high["language"] == "es"
    english_list = high["text"].map(lambda text: red_flag(text, spanish=False))
    both_lists = high["text"].map(red_flag)
    return {
        "high_risk_in_spanish": float(spanish.sum()),
        "sensitivity_english": _share(english_list[~spanish]),
        "sensitivity_spanish_english_list": _share(english_list[spanish]),
        "sensitivity_spanish_both_lists": _share(both_lists[spanish]),
    }


def _phi(data: Data) -> Figures:
    names = set(data.patients["given_name"]) | set(data.patients["family_name"])
    spans = data.spans[data.spans["text_id"].str.startswith("msg-")]
    plain = redacted(data.texts, spans, redactor("plain"))
    tolerant = redacted(data.texts, spans, redactor("tolerant", names))
    by_kind = {
        f"recall_{kind}_{which}": _share(hit[spans["kind"] == kind])
        for kind in ("name", "phone", "date", "mrn", "email", "address", "ssn", "age_over_89")
        for which, hit in (("plain", plain), ("tolerant", tolerant))
    }
    left = spans.loc[~plain, "text_id"].nunique() / spans["text_id"].nunique()
    return {
        "recall_plain": float(plain.mean()), "recall_tolerant": float(tolerant.mean()), "messages_with_a_leak_plain": left, **by_kind,
    }  # fmt: skip


def _in_record(data: Data) -> pd.Series:
    """For each stated drug, diagnosis and result whether the record of the stay holds it."""
    stay = data.documents.set_index("document_id")["stay_id"]
    facts = data.facts.assign(stay_id=data.facts["document_id"].map(stay))
    codes = data.diagnoses["stay_id"] + " " + data.diagnoses["code"]
    loinc = {name: test[0] for name, test in TESTS.items()}
    rounded = data.labs["value"].astype(float).round(2)
    results = set(zip(data.labs["stay_id"], data.labs["loinc"], rounded, strict=True))
    word = facts["value"].str.partition(" ")
    lab = [
        (s, loinc.get(name, ""), float(number)) in results if kind == "lab" else False
        for s, name, number, kind in zip(
            facts["stay_id"], word[0], word[2].str.partition(" ")[0].where(facts["kind"] == "lab", "0"), facts["kind"], strict=True
        )
    ]  # fmt: skip
    # An order is written "name dose how often": the record holds it if the name is that of one of the stay's orders.
    known: dict[Any, list[str]] = data.medications.groupby("stay_id")["name"].agg(list).to_dict()
    drug = [
        kind == "medication" and any(value.startswith(name) for name in known.get(s, []))
        for kind, s, value in zip(facts["kind"], facts["stay_id"], facts["value"], strict=True)
    ]
    coded = (facts["kind"] == "diagnosis") & (facts["stay_id"] + " " + facts["value"]).isin(set(codes))
    return coded | np.array(lab, dtype=bool) | np.array(drug, dtype=bool)


def _flawed_facts(data: Data, flaw: str) -> pd.Series:
    """The facts that are wrong by this flaw: in one place with it."""
    places = set(
        data.flaws.loc[data.flaws["flaw"] == flaw, ["document_id", "section", "start"]].itertuples(
            index=False, name=None
        )
    )
    stated = zip(data.facts["document_id"], data.facts["section"], data.facts["start"], strict=True)
    return pd.Series([place in places for place in stated], index=data.facts.index) & ~data.facts["supported"]


def _unsupported(data: Data) -> Figures:
    checked = data.facts["kind"].isin(["medication", "diagnosis", "lab"])
    course = checked & _flawed_facts(data, "unsupported")
    sound = checked & data.facts["supported"]
    held = _in_record(data)
    flawed = data.flaws.loc[data.flaws["flaw"] == "unsupported", "document_id"].nunique()
    return {
        "summaries_with_one": flawed / len(data.documents),
        "wrong_statements_as_written": float(course.sum()),
        "wrong_statements_if_in_record": float(held[course].sum()),
        "sound_facts_kept": float(held[sound].mean()),
    }


def _addendum(data: Data) -> Figures:
    """Doses read from amended summaries, where the drug stands first and where it stands last, against the orders."""
    amended = data.documents[
        data.documents["text"].str.contains(r"^(?:ADDENDUM|Addendum|Late entry)", regex=True, flags=re.MULTILINE)
    ]
    orders = amended.merge(data.medications[data.medications["action"] != "stopped"], on="stay_id")
    corrected = [
        re.search(rf"^(?:addendum|late entry)[^\n]*{re.escape(name)}", text, re.IGNORECASE | re.MULTILINE) is not None
        for text, name in zip(orders["text"], orders["name"], strict=True)
    ]
    orders = orders[np.array(corrected, dtype=bool)] if len(orders) else orders

    def right(last: bool) -> float:
        told = [stated_dose(text, name, last) for text, name in zip(orders["text"], orders["name"], strict=True)]
        return (
            float(np.mean([bool(t) and d.startswith(t) for t, d in zip(told, orders["dosage"], strict=True)]))
            if told
            else 1.0
        )

    return {
        "amended_summaries": float(len(amended)),
        "doses_right_first_mention": right(last=False),
        "doses_right_last_mention": right(last=True),
    }


def _copied_forward(data: Data) -> Figures:
    """How many stays seem to have an acute illness, by what summaries list and by what was coded."""
    stale = {REASONS[name].code for name in wording("notes")["stale"]}
    stay = data.documents.set_index("document_id")["stay_id"]
    listed = data.facts[(data.facts["kind"] == "diagnosis") & data.facts["value"].isin(stale)]
    by_text = set(zip(listed["document_id"].map(stay), listed["value"], strict=True))
    coded = set(zip(data.diagnoses["stay_id"], data.diagnoses["code"], strict=True))
    return {
        "acute_illnesses_by_text": float(len(by_text)),
        "acute_illnesses_coded": float(len(by_text & coded)),
        "share_not_of_this_stay": 1 - len(by_text & coded) / max(len(by_text), 1),
    }


# Brand and combination names as they stand in summaries -> the allergy that forbids them.
FORBIDS = {
    "augmentin": "penicillin",
    "amoxicillin": "penicillin",
    "bactrim": "sulfonamide antibiotics",
    "tylenol #3": "codeine",
}


def _allergy(data: Data) -> Figures:
    """Contradictions found in the text alone, by the name of the substance, and with the record and drug classes."""
    known = data.allergies.drop_duplicates("patient_id").set_index("patient_id")["substance"]
    documents = data.documents.set_index("document_id")
    flawed = set(data.flaws.loc[data.flaws["flaw"] == "allergy-conflict", "document_id"])
    none = re.compile(r"\bNKDA\b|\bNKA\b|no known (?:drug )?allergies|none known", re.IGNORECASE)
    by_name, by_class = set(), set()
    for identity, text, patient in zip(documents.index, documents["text"], documents["patient_id"], strict=True):
        substance, lowered = known.get(patient, ""), text.lower()
        if not substance:
            continue
        if lowered.count(substance) > 1:
            by_name.add(identity)
        if none.search(text) or any(drug in lowered for drug, forbidden in FORBIDS.items() if forbidden == substance):
            by_class.add(identity)
    total = max(len(flawed), 1)
    return {
        "conflicts": float(len(flawed)),
        "recall_by_name": len(by_name & flawed) / total,
        "recall_by_record_and_class": len(by_class & flawed) / total,
        "precision_by_record_and_class": len(by_class & flawed) / max(len(by_class), 1),
    }


def _missing(data: Data) -> Figures:
    """Patients without drugs, if a summary that lists none is taken at its word."""
    headings = "|".join(map(re.escape, wording("notes")["headings"]["medications"]))
    heading = re.compile(rf"^(?:{headings}):", re.IGNORECASE | re.MULTILINE)
    silent = data.documents[~data.documents["text"].str.contains(heading)]
    treated = silent["stay_id"].isin(data.medications["stay_id"])
    missing = data.flaws[data.flaws["flaw"] == "missing-section"]
    return {
        "summaries_with_a_section_missing": missing["document_id"].nunique() / len(data.documents),
        "on_no_drugs_by_text": float(len(silent)),
        "on_no_drugs_by_record": float((~treated).sum()),
    }


TRAPS = (
    Trap(
        "subject-misleads", "The subject line hides what is urgent", "messages.subject",
        "Triage on the whole text; a refill request may end with chest pain.",
        "sensitivity_subject", "sensitivity_text", _subject,
    ),
    Trap(
        "negated-symptom", "Dangerous words are often denied", "messages.text",
        "Read whether a symptom is present, denied or long past before raising an alarm, and count false alarms.",
        "false_alarms_words", "false_alarms_reading", _negation,
    ),
    Trap(
        "family-symptom", "The symptom is somebody else's", "messages.text",
        "Ask whose symptom it is; but a relative's emergency that is happening now is an emergency.",
        "false_alarms_anybody", "false_alarms_own", _family,
    ),
    Trap(
        "near-duplicates", "Copies of one wording lie on both sides of a random split", "messages.text",
        "Group near-duplicates before splitting, and test on wordings the model has not met.",
        "accuracy_copies_random_split", "accuracy_copies_grouped_split", _copies,
    ),
    Trap(
        "spanish-messages", "An English list of symptoms is deaf to Spanish", "messages.text",
        "Report sensitivity by language, and send what the model cannot read to somebody who can.",
        "sensitivity_spanish_english_list", "sensitivity_spanish_both_lists", _spanish,
    ),
    Trap(
        "phi-awkward-forms", "Identifiers do not keep to their forms", "messages.text",
        "Measure a redactor's recall by kind against marked text; add the register's names and tolerant patterns.",
        "recall_plain", "recall_tolerant", _phi,
    ),
    Trap(
        "unsupported-statement", "A summary states what the record does not bear out", "documents.text, hospital course",
        "Check every extracted drug, diagnosis and result against the record before using it.",
        "wrong_statements_as_written", "wrong_statements_if_in_record", _unsupported,
    ),
    Trap(
        "dose-in-addendum", "The dose in the list is corrected further down", "documents.text, addendum",
        "Read to the end: an addendum overrules the body, and the order overrules both.",
        "doses_right_first_mention", "doses_right_last_mention", _addendum,
    ),
    Trap(
        "copied-forward", "An illness of another stay is copied into this one", "documents.text, diagnoses and course",
        "Take acute diagnoses from this stay's codes and results, not from text that may be a copy.",
        "acute_illnesses_by_text", "acute_illnesses_coded", _copied_forward,
    ),
    Trap(
        "allergy-conflict", "A summary contradicts a known allergy", "documents.text, allergies and medications",
        "Compare with the allergy list by drug class, brands included, not by the substance's name.",
        "recall_by_name", "recall_by_record_and_class", _allergy,
    ),
    Trap(
        "missing-section", "A section is absent, which does not mean none", "documents.text",
        "Tell absent from none: look for the heading first, and ask the record.",
        "on_no_drugs_by_text", "on_no_drugs_by_record", _missing,
    ),
)  # fmt: skip
