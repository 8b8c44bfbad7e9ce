"""Tool calls and forms, through the ordinary protocol, for models whose own template has none."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from pydantic import BaseModel

from carelab import llm
from carelab.errors import UserError
from carelab.llm import chat, local, tools
from carelab.llm.catalogue import catalogue, open_weights


class Place(BaseModel):
    site: str


class Visit(BaseModel):
    """A visit with nested definitions."""

    place: Place
    kind: Literal["new", "return"]


@tool
def book(visit: Visit, day: str) -> str:
    """Book a visit."""
    return f"booked at {visit.place.site}"


@tool
def cancel(visit_id: str) -> str:
    """Cancel a visit."""
    return "cancelled"


class Server:
    """In llama.cpp's place: gives scripted replies and keeps what it was asked."""

    def __init__(self, *replies: Any):
        self.replies, self.asked = list(replies), []

    def handle_chat_completions(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        reply = self.replies.pop(0)
        if isinstance(reply, dict) and "error" in reply:
            return reply
        content = reply if isinstance(reply, str) else json.dumps(reply)
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
        return {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage, "object": ""}


@pytest.fixture
def served(monkeypatch):
    """`served(reply, …)` gives a chat model on scripted replies, and the server that saw the requests."""

    def make(*replies: Any):
        model = object.__new__(local.LocalModel)
        model._server, model.settings = Server(*replies), catalogue().settings
        monkeypatch.setattr(chat, "local", lambda name: model)
        return llm.chat_model("local"), model._server

    return make


CALL = {"tool": "cancel", "arguments": {"visit_id": "v-1"}}


def test_a_tool_call_comes_back_as_one(served):
    model, server = served(CALL)
    answer = model.bind_tools([book, cancel]).invoke("Cancel v-1")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("cancel", {"visit_id": "v-1"})]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    sent = server.asked[0]
    assert "tools" not in sent and "tool_choice" not in sent
    forms = sent["response_format"]["json_schema"]["schema"]["anyOf"]
    assert [form["properties"].get("tool", {}).get("const") for form in forms] == ["book", "cancel", None]
    assert "cancel: Cancel a visit." in sent["messages"][0]["content"]


def test_an_answer_in_words_stays_one(served):
    model, _ = served({"answer": "It is on Monday."})
    answer = model.bind_tools([cancel]).invoke("When is it?")
    assert answer.content == "It is on Monday." and answer.tool_calls == []


@pytest.mark.parametrize(("choice", "names"), [("any", ["book", "cancel"]), ("cancel", ["cancel"])])
def test_a_call_can_be_required_and_then_words_are_no_form(served, choice, names):
    model, server = served(CALL)
    model.bind_tools([book, cancel], tool_choice=choice).invoke("Go on")
    schema = server.asked[0]["response_format"]["json_schema"]["schema"]
    assert [form["properties"]["tool"]["const"] for form in schema.get("anyOf", [schema])] == names


def test_no_tools_no_change(served):
    model, server = served("hello")
    assert model.invoke("hi").content == "hello"
    assert "response_format" not in server.asked[0]
    assert server.asked[0]["messages"] == [{"content": "hi", "role": "user"}]


def test_nested_definitions_stand_where_their_references_look():
    body = {
        "messages": [{"role": "user", "content": "x"}],
        "tools": [
            {
                "type": "function",
                "function": {"name": "book", "parameters": {**book.get_input_schema().model_json_schema()}},
            }
        ],
    }
    schema = tools.without_tools(body)["response_format"]["json_schema"]["schema"]
    references = {part.split('"')[0].rsplit("/", 1)[-1] for part in json.dumps(schema).split('"#/$defs/')[1:]}
    assert references and references <= schema["$defs"].keys()
    assert '"$defs":' not in json.dumps(schema["anyOf"])


@pytest.mark.parametrize("reply", ['{"tool": "cancel", "argum', "no form at all"])
def test_a_reply_that_was_cut_off_is_no_call(served, reply):
    model, _ = served(reply)
    answer = model.bind_tools([cancel]).invoke("Cancel v-1")
    assert answer.tool_calls == [] and answer.content == reply


def test_an_agent_calls_a_tool_reads_its_result_and_answers(served):
    model, server = served({"tool": "book", "arguments": {"visit": {"place": {"site": "Harbor"}, "kind": "new"}, "day": "Monday"}},
                           {"answer": "Booked."})  # fmt: skip
    messages = create_agent(model, [book, cancel]).invoke({"messages": [("user", "Book me in.")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[-1].content == "Booked."
    last = server.asked[1]["messages"]
    assert json.loads(last[-2]["content"])["tool"] == "book"
    assert last[-1] == {"role": "user", "content": "Result of the tool: booked at Harbor"}


def test_a_form_comes_back_as_an_object_and_a_wrong_one_as_a_sentence(served):
    model, server = served({"place": {"site": "Harbor"}, "kind": "new"}, {"kind": "new"})
    form = model.with_structured_output(Visit, include_raw=True)
    assert form.invoke("x")["parsed"] == Visit(place=Place(site="Harbor"), kind="new")
    assert server.asked[0]["response_format"]["json_schema"]["strict"] is True
    with pytest.raises(UserError, match="The open model answered, but not in the form"):
        model.with_structured_output(Visit).invoke("x")


def test_a_prompt_that_is_too_long_gets_a_sentence(served):
    model, _ = served({"error": {"message": "the request exceeds the available context size"}})
    with pytest.raises(UserError, match="too long for the model, which reads 4096 tokens"):
        model.invoke("x")


def test_counting_tokens_does_not_fetch_anothers_tokenizer(served):
    model, _ = served()
    with pytest.raises(UserError, match="usage_metadata"):
        model.get_num_tokens("x")


@pytest.mark.skipif(
    not open_weights("smollm2-135m").path.is_file(), reason="needs `carelab model install smollm2-135m`"
)
def test_the_live_model_keeps_to_a_form_and_to_itself():
    model = llm.chat_model("local:smollm2-135m", max_tokens=60)
    bound = model.bind_tools([cancel], tool_choice="any")
    answers = [bound.invoke("Cancel visit v-7.").tool_calls for _ in range(2)]
    assert answers[0] == answers[1] and answers[0][0]["name"] == "cancel"
