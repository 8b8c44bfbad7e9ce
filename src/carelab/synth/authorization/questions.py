"""Labelled questions about the documents, to grade retrieval, citation and refusal with."""

import io
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from carelab.synth.authorization.documents import ROLES, documents
from carelab.synth.authorization.policies import Criterion, Policy, policies, read_toml
from carelab.synth.resources import PAYERS

_READERS = ("pa-specialist", "nurse", "physician")


def policy_questions(today: date) -> pd.DataFrame:
    """One row a question; today: the day on which most are asked.

    Columns: question_id; question; as_of (day on which it is asked); payer (class, or empty); service; role of the
    reader; kind (current, superseded, contradicting, role-restricted, unanswerable); answerable by that reader;
    sources (`document#section`, separated by blanks; for a restricted one those the reader may not see; any one of
    those of a payer's common clause is enough); answer (empty where there is none to give).
    """
    texts = read_toml("questions.toml")
    rows: list[dict[str, Any]] = []

    def add(
        question: str, kind: str, answer: str = "", sources: list[str] | None = None, role: str = "pa-specialist",
        payer: str = "", service: str = "", as_of: date = today,
    ) -> None:  # fmt: skip
        rows.append(
            {
                "question_id": f"q-{len(rows) + 1:03d}", "question": question, "as_of": as_of.isoformat(), "payer": payer,
                "service": service, "role": role, "kind": kind,
                "answerable": kind not in ("unanswerable", "role-restricted"), "sources": " ".join(sources or []),
                "answer": answer,
            }
        )  # fmt: skip

    for number, policy in enumerate(policies().values()):
        forms = texts["ask"][policy.service]
        for criterion in policy.criteria(len(policy.versions)):
            role = _READERS[(number + len(rows)) % len(_READERS)]
            question = forms[criterion.topic][0].format(payer=PAYERS[policy.payer])
            add(
                question, "current", criterion.text, [_source(policy, len(policy.versions), criterion)], role,
                policy.payer, policy.service,
            )  # fmt: skip
        for criterion in _changed(policy):
            assert policy.revised
            question = forms[criterion.topic][0].format(payer=PAYERS[policy.payer])
            before = policy.revised - timedelta(days=45)
            add(
                f"The request went out on {before:%d %B %Y}. {question}", "superseded", criterion.text,
                [_source(policy, 1, criterion)], "pa-specialist", policy.payer, policy.service, before,
            )  # fmt: skip
    for service, forms in texts["ask"].items():
        for topic, (_, anyone) in forms.items():
            held = [
                (policy, c) for policy in policies().values() if policy.service == service
                for c in policy.criteria(len(policy.versions)) if c.topic == topic
            ]  # fmt: skip
            if len(held) > 1 and len({c.rule for _, c in held}) > 1:
                answer = " ".join(f"{PAYERS[policy.payer]}: {c.text}" for policy, c in held)
                sources = [_source(policy, len(policy.versions), c) for policy, c in held]
                add(anyone, "contradicting", answer, sources, service=service)
    entry: dict[str, Any]
    for entry in texts["plain"]:
        add(entry["question"], "current", entry["answer"], entry["where"], entry["role"], entry.get("payer", ""))
    for entry in texts["restricted"]:
        add(entry["question"], "role-restricted", "", entry["where"], entry["role"])
    for number, question in enumerate(texts["unanswerable"]["questions"]):
        payer = next((key for key, name in PAYERS.items() if name in question), "")
        add(question, "unanswerable", payer=payer, role=ROLES[number % 4])
    return pd.DataFrame(rows)


def _source(policy: Policy, version: int, criterion: Criterion) -> str:
    """Where a criterion stands."""
    return f"{policy.document(version)}#{criterion.section}"


def _changed(policy: Policy) -> list[Criterion]:
    """Criteria of version 1 that version 2 has differently, or not at all."""
    if not policy.revised:
        return []
    later = {c.topic: c.rule for c in policy.criteria(2)}
    return [c for c in policy.criteria(1) if later.get(c.topic) != c.rule]


def missing_sources(questions: pd.DataFrame) -> list[str]:
    """Sources of the questions that no document has."""
    found = []
    for source in sorted({s for listed in questions["sources"] for s in listed.split()}):
        name, section = source.split("#")
        if name not in documents() or section not in {part.id for part in documents()[name].parts}:
            found.append(source)
    return found


def file(today: date) -> bytes:
    """The questions of a day as a Parquet file."""
    table = pa.Table.from_pandas(policy_questions(today), preserve_index=False).replace_schema_metadata()
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", compression_level=12)
    return buffer.getvalue()
