"""The mistakes planted among requests, notes and policies, and what each costs: `naive` falls for it, `reference` does not."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from carelab.synth.areas import Figures, Trap
from carelab.synth.authorization.calibration import breach_ratio
from carelab.synth.authorization.measure import (
    ADDRESSES_A_READER,
    Data,
    agreement,
    identity_agrees,
    in_force,
    newest,
    sections,
    with_notes,
)
from carelab.synth.authorization.policies import judge


def _policy_version(data: Data) -> Figures:
    """Requests sent before their policy changed, judged by the form alone."""
    before = in_force(data) < newest(data)
    return {
        "requests_before_a_change": float(before.sum()),
        "judged_wrongly_by_newest": 1 - agreement(data, data.form, newest(data), before),
        "judged_wrongly_by_version_in_force": 1 - agreement(data, data.form, in_force(data), before),
    }


def _kind(data: Data, kind: str) -> pd.Series:
    return data.requests["has_note"] & data.requests["note_kind"].eq(kind)


def _only_in_note(data: Data) -> Figures:
    rows = _kind(data, "note-only")
    read = with_notes(data, rows)
    denied = data.requests["status"].eq("denied")
    return {
        "requests": float(rows.sum()),
        "judged_wrongly_by_form": 1 - agreement(data, data.form, in_force(data), rows),
        "judged_wrongly_by_form_and_note": 1 - agreement(data, read, in_force(data), rows),
        "denied_of_these": float(denied[rows].mean()),
        "denied_of_those_where_both_agree": float(denied[_kind(data, "agrees")].mean()),
    }


def _contradicted(data: Data) -> Figures:
    rows = _kind(data, "contradicts")
    read = with_notes(data, rows)
    apart = _differs(data, with_notes(data, data.requests["has_note"]))
    return {
        "requests": float(rows.sum()),
        "judged_wrongly_by_form": 1 - agreement(data, data.form, in_force(data), rows),
        "judged_wrongly_by_note": 1 - agreement(data, read, in_force(data), rows),
        "found_by_comparing": float(apart[rows].mean()),
    }


def _differs(data: Data, read: pd.DataFrame) -> pd.Series:
    """Whether form and note give different values of a fact, request by request."""
    numbers = [name for name in data.form if name not in ("payer", "service")]
    form, note = data.form[numbers].to_numpy(), read[numbers].to_numpy()
    return pd.Series(((form != note) & ~np.isnan(form)).any(axis=1), index=data.form.index)


def _wrong_patient(data: Data) -> Figures:
    agrees = identity_agrees(data)
    kind = data.requests.set_index("request_id")["note_kind"][data.notes.index]
    wrong = kind.eq("wrong-patient")
    return {
        "notes_about_somebody_else": float(wrong.sum()),
        "used_unchecked": float(wrong.sum()),
        "used_after_identity_check": float((wrong & agrees).sum()),
        "sent_back_in_vain": float((~wrong & ~agrees).sum()),
    }


def _wrong_denials(data: Data) -> Figures:
    """A model that repeats payers, against one that applies the policy to form and note."""
    decided = data.decided
    copied = decided["denied"]
    # Notes are read only where they name the patient.
    agrees = identity_agrees(data).reindex(data.requests["request_id"], fill_value=False).reset_index(drop=True)
    read = with_notes(data, data.requests["has_note"] & agrees)
    unmet = ~judge(read, in_force(data))
    own = (unmet | ~data.requests["in_network"] | _repeats(data.requests))[decided.index]
    ought = decided["correct_decision"].eq("denied")
    return {
        "wrong_among_denials_if_copied": float((copied & ~ought).sum() / copied.sum()),
        "wrong_among_denials_by_policy": float((own & ~ought).sum() / own.sum()),
        "met_criteria_and_denied": float((copied & ~ought).sum()),
        "overturned_of_those_appealed": float(
            decided.loc[copied & ~ought, "appeal_outcome"].dropna().eq("overturned").mean()
        ),
    }  # fmt: skip


def _repeats(requests: pd.DataFrame) -> pd.Series:
    """Whether the same was asked for the same patient within the three weeks before."""
    ordered = requests.sort_values("requested", kind="stable")
    since: pd.Series = ordered.groupby(["patient_id", "service"])["requested"].diff()
    return (since < pd.Timedelta(days=22)).reindex(requests.index)


def _total(data: Data) -> Figures:
    asked = data.requests
    apart = asked["total"] != asked["items_total"]
    return {
        "share_apart": float(apart.mean()),
        "dollars_by_total": float(asked["total"].sum()),
        "dollars_by_lines": float(asked["items_total"].sum()),
        "dollars_apart": float((asked["total"] - asked["items_total"]).abs().sum()),
    }


def _injection(data: Data) -> Figures:
    asked = data.requests.set_index("request_id").loc[data.notes.index]
    planted = asked["injected"]
    phrase = data.notes.str.contains("ignore your previous instructions", case=False)
    addressed = data.notes.str.contains(ADDRESSES_A_READER)
    right = asked["correct_decision"].eq("approved") & asked["right_step"].eq("decide")
    return {
        "notes": float(planted.sum()),
        "found_by_known_phrase": float((phrase & planted).sum() / max(planted.sum(), 1)),
        "found_by_whom_it_addresses": float((addressed & planted).sum() / max(planted.sum(), 1)),
        "false_alarms": float((addressed & ~planted).sum()),
        "wrong_if_obeyed": float((planted & ~right).sum()),
    }


def _clock(data: Data) -> Figures:
    decided = data.decided
    by_payer = decided.groupby("payer")
    slow = by_payer["late"].mean().idxmax()
    medians = decided[~decided["urgent"]].groupby("payer")["hours"].median()
    return {
        "median_hours_slow_payer": float(medians[slow]),
        "median_hours_others": float(medians.drop(slow).mean()),
        "median_ratio": float(medians[slow] / medians.drop(slow).mean()),
        "late_slow_payer": float(decided.loc[decided["payer"] == slow, "late"].mean()),
        "late_others": float(decided.loc[decided["payer"] != slow, "late"].mean()),
        "late_ratio": breach_ratio(data),
    }


def _two_payers(data: Data) -> Figures:
    """Requests to the two smaller payers, judged by the largest one's criteria."""
    elsewhere = data.form["payer"].ne("commercial")
    borrowed = data.form.assign(payer="commercial")
    return {
        "judged_wrongly_by_another_payers_policy": 1 - agreement(data, borrowed, in_force(data), elsewhere),
        "judged_wrongly_by_own_policy": 1 - agreement(data, data.form, in_force(data), elsewhere),
    }


def _expired(data: Data) -> Figures:
    done = data.requests[data.requests["approved_until"].notna() & data.requests["performed_on"].notna()]
    valid = done["performed_on"] <= done["approved_until"]
    return {
        "covered_if_approved": 1.0,
        "covered_by_period": float(valid.mean()),
        "services_after_expiry": float((~valid).sum()),
        "dollars_after_expiry": float(done.loc[~valid, "items_total"].sum()),
    }


def _duplicates(data: Data) -> Figures:
    decided = data.decided
    copy = _repeats(data.requests)
    true = data.requests["duplicate_of"].ne("")
    reason = decided["reason"].eq("duplicate")
    return {
        "denied_all_requests": float(decided["denied"].mean()),
        "denied_without_duplicates": float(decided.loc[~copy[decided.index], "denied"].mean()),
        "recall_by_patient_and_service": float((copy & true).sum() / max(true.sum(), 1)),
        "precision_by_patient_and_service": float((copy & true).sum() / max(copy.sum(), 1)),
        "recall_by_denial_reason": float((reason & true[decided.index]).sum() / max(true[decided.index].sum(), 1)),
    }


def _superseded(data: Data) -> Figures:
    """Search over all sections, and over those of the payer's policy on the service that was in force on the day."""
    asked = data.questions[data.questions["kind"].isin(["current", "superseded"]) & data.questions["service"].ne("")]
    held = sections()
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), stop_words="english").fit(held["text"])
    scores = (words.transform(asked["question"]) @ words.transform(held["text"]).T).toarray()
    day = pd.to_datetime(asked["as_of"]).to_numpy()[:, None]
    until = held["until"].fillna(pd.Timestamp("2200-01-01")).to_numpy()
    fits = (
        (asked["payer"].to_numpy()[:, None] == held["payer"].to_numpy())
        & (asked["service"].to_numpy()[:, None] == held["service"].to_numpy())
        & (held["effective"].to_numpy() <= day) & (day <= until) & held["status"].eq("approved").to_numpy()
    )  # fmt: skip

    def hits(found: np.ndarray, k: int, rows: np.ndarray) -> float:
        top = np.argsort(-found, axis=1, kind="stable")[:, :k]
        sources = held["source"].to_numpy()[top]
        wanted = [set(listed.split()) for listed in asked["sources"]]
        return float(np.mean([bool(wanted[i] & set(sources[i])) for i in np.flatnonzero(rows)]))

    all_rows, old = np.ones(len(asked), dtype=bool), asked["kind"].eq("superseded").to_numpy()
    filtered = np.where(fits, scores, -1.0)
    return {
        "recall_at_3_whole_library": hits(scores, 3, all_rows),
        "recall_at_3_in_force": hits(filtered, 3, all_rows),
        "recall_at_1_superseded_whole_library": hits(scores, 1, old),
        "recall_at_1_superseded_in_force": hits(filtered, 1, old),
    }


TRAPS = (
    Trap(
        "policy-version", "Judged by today's policy instead of the one in force", "authorizations.requested, documents/policies",
        "Use the version whose days in force contain the day of the request.",
        "judged_wrongly_by_newest", "judged_wrongly_by_version_in_force", _policy_version,
    ),
    Trap(
        "fact-only-in-note", "The form is silent where the note is not", "authorizations.form, referral_notes.text",
        "Read form and note before calling a fact missing.",
        "judged_wrongly_by_form", "judged_wrongly_by_form_and_note", _only_in_note,
    ),
    Trap(
        "contradicted-fact", "Form and note disagree", "authorizations.form, referral_notes.text",
        "Compare the two and ask the clinician; here the note is right.",
        "judged_wrongly_by_form", "judged_wrongly_by_note", _contradicted,
    ),
    Trap(
        "wrong-patient-note", "Some notes are about another patient", "referral_notes.text",
        "Compare name and birth date with the chart before using anything.",
        "used_unchecked", "used_after_identity_check", _wrong_patient,
    ),
    Trap(
        "wrong-denials", "Past decisions are wrong in one denial out of eight", "authorizations.status",
        "Judge by the policy, not by what was decided; test a model against audited decisions.",
        "wrong_among_denials_if_copied", "wrong_among_denials_by_policy", _wrong_denials,
    ),
    Trap(
        "authorization-total", "Some totals are not the sum of their lines", "authorizations.total",
        "Add up the lines, and send back what does not agree.",
        "dollars_by_total", "dollars_by_lines", _total,
    ),
    Trap(
        "injection-in-note", "Some notes give orders to the machine that reads them", "referral_notes.text",
        "Treat text as data; look for whom it addresses, not for one phrase.",
        "found_by_known_phrase", "found_by_whom_it_addresses", _injection,
    ),
    Trap(
        "clock-breach", "A median hides the late answers of one payer", "authorizations.decided",
        "Report the share after the deadline, by payer and urgency.",
        "median_ratio", "late_ratio", _clock,
    ),
    Trap(
        "two-payers-contradict", "Payers ask for different things for the same service", "documents/policies",
        "Search and judge within the patient's own payer.",
        "judged_wrongly_by_another_payers_policy", "judged_wrongly_by_own_policy", _two_payers,
    ),
    Trap(
        "expired-authorization", "Approved, but done after the approval had run out", "authorizations.approved_until, performed_on",
        "Compare the day of service with the period of the approval.",
        "covered_if_approved", "covered_by_period", _expired,
    ),
    Trap(
        "duplicate-request", "The same request twice", "authorizations",
        "Match patient, service and days; count what was wanted, not what was sent.",
        "denied_all_requests", "denied_without_duplicates", _duplicates,
    ),
    Trap(
        "superseded-document", "Search finds the words, not the document in force", "documents",
        "Filter by payer, service, approval and days in force before ranking.",
        "recall_at_3_whole_library", "recall_at_3_in_force", _superseded,
    ),
)  # fmt: skip
