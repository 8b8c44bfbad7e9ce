"""Twenty prompts on the world's own material: what the course asks of a language model, and what a given one answers.

Four questions that a passage answers and three that none does, four referral notes to fields, four inbox messages to
classes, two discharge summaries to shorten, three choices of a tool. The labels are the world's truth, so right and wrong
are known; a summary is for a person to judge. Made to be looked at, not to be a score: a dozen prompts are no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pandas as pd
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel, Field

from carelab.errors import UserError
from carelab.llm.chat import chat_model
from carelab.llm.passages import read_documents, split_passages
from carelab.paths import data

Prompt = list[tuple[str, str]]


class Grounded(BaseModel):
    """An answer with the passage it comes from."""

    source: str = Field(description="id of the one passage that answers the question, or none")
    quote: str = Field(description="the words of that passage that answer it, or an empty string")
    answer: str = Field(description="the answer in one sentence, or: The passages do not say.")


class TherapyNote(BaseModel):
    """What a payer asks about continued therapy, as far as the note says it."""

    patient: str
    birth_date: str = Field(description="YYYY-MM-DD", pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    goals_written: Literal["yes", "no", "not stated"] = Field(description="does the plan of care have measurable goals")
    maintenance: Literal["yes", "no", "not stated"] = Field(description="is the therapy only to maintain function")
    visits_used: int | None = Field(description="visits so far, null if not stated")
    improvement_pct: int | None = Field(description="gain in function since the start in percent, null if not stated")


Category = Literal["authorization", "billing", "form", "other", "refill", "result", "scheduling", "symptom"]


class Sorted(BaseModel):
    """Where an inbox message goes."""

    category: Category


@tool
def find_policy(payer: Literal["commercial", "medicaid", "medicare"], service: str) -> str:
    """Find the payer's policy for a service, for example cpap or mri-lumbar."""
    return ""


@tool
def request_status(request_id: str) -> str:
    """Look up how an authorization request stands, by its id such as cli-0000042."""
    return ""


@tool
def hand_to_person(reason: str) -> str:
    """Give the conversation to a member of staff: anything about symptoms, danger, complaints or money owed."""
    return ""


TOOLS: tuple[BaseTool, ...] = (find_policy, request_status, hand_to_person)


@dataclass(frozen=True)
class Reply:
    """What came back: the text as it was, whether it was right (None: for a person to say), tokens and seconds.

    `failed`: there was no reply, or none of the demanded form; the text then says why.
    """

    text: str
    right: bool | None
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    failed: bool = False


@dataclass(frozen=True)
class Case:
    """One prompt, what is demanded of the reply's form, and what is known to be right."""

    name: str
    prompt: Prompt
    truth: str
    judge: Callable[[Any], bool | None]
    schema: type[BaseModel] | None = None
    tools: tuple[BaseTool, ...] = ()
    max_tokens: int = 256

    def ask(self, model: str | None = None) -> Reply:
        """Send it to a model, by name as in `chat_model`. Raises UserError when there is no such model."""
        chat = chat_model(model, max_tokens=self.max_tokens)
        try:
            return self._judged(chat)
        except UserError as error:
            return Reply(str(error), right=False, failed=True)

    def _judged(self, chat: BaseChatModel) -> Reply:
        if self.schema:
            result = chat.with_structured_output(self.schema, include_raw=True).invoke(self.prompt)
            assert isinstance(result, dict)
            parsed = result["parsed"]
            return _reply(result["raw"], parsed is not None and self.judge(parsed), failed=parsed is None)
        bound = chat.bind_tools(list(self.tools), tool_choice="any") if self.tools else chat
        message = bound.invoke(self.prompt)
        assert isinstance(message, AIMessage)
        return _reply(message, self.judge(message))


def _reply(message: AIMessage, right: bool | None, failed: bool = False) -> Reply:
    usage = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    calls = [f"{call['name']}({json.dumps(call['args'])})" for call in message.tool_calls]
    text = "; ".join(calls) or str(message.content)
    seconds = float(message.response_metadata.get("seconds", 0.0))
    return Reply(text, right, usage["input_tokens"], usage["output_tokens"], seconds, failed)


@cache
def cases() -> tuple[Case, ...]:
    """The twenty prompts, made from the world's tables."""
    return (*_questions(), *_notes(), *_messages(), *_summaries(), *_tool_choices())


def _truth(name: str) -> pd.DataFrame:
    return pd.read_parquet(data(f"truth/{name}.parquet"))


def _table(name: str) -> pd.DataFrame:
    return pd.read_parquet(data(f"tables/{name}.parquet"))


ANSWER = (
    "You answer questions of clinic staff from the passages below and from nothing else. Name the passage. "
    "If no passage answers the question, the source is none."
)

# A question, and the service from whose policies the passages beside the right one are taken.
_ASKED = (
    ("q-001", "cpap"), ("q-020", "mri-lumbar"), ("q-054", "mri-lumbar"), ("q-136", ""),
    ("q-155", "mri-lumbar"), ("q-159", "cpap"), ("q-167", "genetic"),
)  # fmt: skip


def _questions() -> list[Case]:
    passages = {passage.metadata["source"]: passage for passage in split_passages(read_documents())}
    labelled = _truth("policy_questions").set_index("question_id")
    found = []
    for name, service in _ASKED:
        row = labelled.loc[name]
        sources = row["sources"].split()
        near = [source for source, passage in passages.items() if passage.metadata["service"] == service]
        others = [source for source in near if source not in sources]
        shown = sorted([*(sources if row["answerable"] else []), *others[:: len(others) // 4]][:4])
        text = "\n\n".join(f"[{source}]\n{passages[source].page_content}" for source in shown)
        wanted = sources if row["answerable"] else ["none"]
        prompt = [("system", ANSWER), ("user", f"{text}\n\nQuestion: {row['question']}")]
        found.append(Case(f"question {name}", prompt, " ".join(wanted), _names(wanted), Grounded))
    return found


def _names(wanted: list[str]) -> Callable[[Any], bool]:
    return lambda reply: reply.source.strip("[] ") in wanted


def therapy_notes() -> pd.DataFrame:
    """Referral notes for therapy with what they say: request_id, text, and the fields of `TherapyNote` as labelled.

    A field the note does not mention is "not stated", or None for a number.
    """
    labels = _truth("authorization_evidence").pivot(index="request_id", columns="field", values="value")
    requests = _table("authorizations").set_index("request_id")
    notes = _table("referral_notes").set_index("request_id")["text"]
    kept = labels[requests["service"].reindex(labels.index) == "therapy"]
    return pd.DataFrame(
        {
            "text": notes.loc[kept.index],
            "patient": kept["name"],
            "birth_date": kept["birth_date"],
            "goals_written": kept["goals_written"].fillna("not stated"),
            "maintenance": kept["maintenance"].fillna("not stated"),
            "visits_used": kept["visits_used"].astype("Int64"),
            "improvement_pct": kept["improvement_pct"].astype("Int64"),
        }
    ).reset_index()


EXTRACT = "Fill in the form from the referral note. A date in figures is month/day/year. Do not guess."


def note_case(row: pd.Series[Any]) -> Case:
    """The prompt that turns one row of `therapy_notes` into a form."""
    wanted = {name: (None if pd.isna(row[name]) else row[name]) for name in TherapyNote.model_fields}
    prompt = [("system", EXTRACT), ("user", str(row["text"]))]
    truth = json.dumps(wanted, default=int)
    return Case(f"note {row['request_id']}", prompt, truth, lambda form: form.model_dump() == wanted, TherapyNote)


def _notes() -> list[Case]:
    return [note_case(row) for _, row in therapy_notes().iloc[[0, 40, 90, 140]].iterrows()]


SORT = (
    "Sort a patient's message to a clinic into one category. authorization: a payer's approval. billing: bills, costs. "
    "form: letters and papers. refill: medicines to renew. result: test results. scheduling: appointments. symptom: how "
    "somebody feels. other: the rest."
)


def _messages() -> list[Case]:
    labels = _truth("message_labels").set_index("message_id")
    table = _table("messages").set_index("message_id")
    chosen = [
        labels.index[(labels["category"] == name) & (labels["second"] == "")][3] for name in ("refill", "billing")
    ]
    chosen.append(labels.index[labels["urgency"] == "emergency"][0])
    chosen.append(labels.index[labels["language"] == "es"][2])
    found = []
    for name in chosen:
        text = f"Subject: {table.loc[name, 'subject']}\n{table.loc[name, 'text']}"
        wanted = str(labels.loc[name, "category"])
        found.append(Case(f"message {name}", [("system", SORT), ("user", text)], wanted, _is(wanted), Sorted))
    return found


def _is(wanted: str) -> Callable[[Any], bool]:
    return lambda reply: bool(reply.category == wanted)


SHORTEN = (
    "Summarize this discharge summary for the patient's family doctor in at most 80 words: reason for the stay, new and "
    "changed medicines with doses, what has to be done next. Add nothing."
)


def _summaries() -> list[Case]:
    documents = _table("documents").iloc[[0, 5]]
    return [
        Case(f"summary {row['document_id']}", [("system", SHORTEN), ("user", row["text"])], "", lambda _: None)
        for _, row in documents.iterrows()
    ]


CHOOSE = "You help staff of a clinic. Use one tool."


def _tool_choices() -> list[Case]:
    wishes = (
        ("What does Great Lakes, our Medicaid plan, want to see before it pays for a lumbar MRI?", "find_policy"),
        ("Has anything happened with request cli-0000107?", "request_status"),
        ("My father's chest hurts since this morning and nobody calls back!", "hand_to_person"),
    )
    return [
        Case(f"tool {number}", [("system", CHOOSE), ("user", text)], name, _calls(name), tools=TOOLS)
        for number, (text, name) in enumerate(wishes, start=1)
    ]


def _calls(wanted: str) -> Callable[[Any], bool]:
    return lambda message: [call["name"] for call in message.tool_calls] == [wanted]
