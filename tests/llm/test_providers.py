"""The reader's own provider: what is checked before the first request, and what is sent with it."""

import asyncio
import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from pydantic import BaseModel

from carelab.errors import UserError
from carelab.llm.providers import PROVIDERS, hosted_chat, hosted_embeddings

CHAT = ["openai", "azure_openai", "anthropic", "bedrock", "ollama"]
EMBEDDINGS = ["openai", "azure_openai", "bedrock", "ollama"]


@tool
def count_beds(city: str) -> str:
    """How many beds a city has."""
    return f"{city} has 900 beds."


class Place(BaseModel):
    """Where it is."""

    city: str


def one_sentence(text: str) -> None:
    assert "\n" not in text
    assert text.endswith(".")
    assert ". " not in text


@pytest.mark.parametrize("provider", CHAT)
def test_a_chat_model_answers(stub: Any, provider: str) -> None:
    model = stub.chat(provider)
    message = model.invoke("Which hospitals?")
    assert message.text.strip() == stub.answer
    assert (message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]) == (12, 6)
    sent = stub.last
    if provider != "bedrock":  # signs the request, and sends the key's name only
        assert stub.planted in sent.credential
    settings = sent.body.get("options") or sent.body.get("inferenceConfig") or sent.body
    assert settings["temperature"] == 0.0
    limits = {"max_tokens", "max_completion_tokens", "maxTokens", "num_predict"} & settings.keys()
    assert [settings[limit] for limit in limits] == [512]


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("openai", "/v1/chat/completions"),
        ("azure_openai", "/openai/deployments/our-deployment/chat/completions?api-version=2024-10-21"),
        ("anthropic", "/v1/messages"),
        ("bedrock", "/model/anthropic.claude-3-test-v1:0/converse"),
        ("ollama", "/api/chat"),
    ],
)
def test_requests_go_where_the_environment_says(stub: Any, provider: str, path: str) -> None:
    stub.chat(provider).invoke("Hello")
    assert stub.last.path == path


@pytest.mark.parametrize(
    ("provider", "variable", "other"),
    [("openai", "OPENAI_API_BASE", "OPENAI_BASE_URL"), ("anthropic", "ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL")],
)
def test_the_other_address_variable_works_too(
    stub: Any, provider: str, variable: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv(variable, os.environ[other])
    monkeypatch.delenv(other)
    assert stub.chat(provider).invoke("Hello").text.strip() == stub.answer


def test_openais_own_address_does_not_disturb_azure(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9/not-this-one")
    assert stub.chat("azure_openai").invoke("Hello").text == stub.answer
    assert stub.embeddings("azure_openai").embed_query("Hello")


@pytest.mark.parametrize("provider", CHAT)
def test_a_chat_model_streams(stub: Any, provider: str) -> None:
    pieces = list(stub.chat(provider).stream("Which hospitals?"))
    assert len([piece for piece in pieces if piece.text]) == 4
    assert "".join(piece.text for piece in pieces).strip() == stub.answer
    assert sum((piece.usage_metadata or {}).get("output_tokens", 0) for piece in pieces) == 6


async def _both(stub: Any, provider: str) -> tuple[str, str]:
    model = stub.chat(provider)
    message = await model.ainvoke("Which hospitals?")
    return message.text, "".join([piece.text async for piece in model.astream("Which hospitals?")])


@pytest.mark.parametrize("provider", CHAT)
def test_a_chat_model_answers_and_streams_asynchronously(stub: Any, loop: asyncio.Runner, provider: str) -> None:
    assert [text.strip() for text in loop.run(_both(stub, provider))] == [stub.answer] * 2


@pytest.mark.parametrize("provider", CHAT)
def test_a_chat_model_calls_a_tool(stub: Any, provider: str) -> None:
    message = stub.chat(provider).bind_tools([count_beds]).invoke("How many beds has Chicago?")
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("count_beds", stub.fields)]
    assert "city" in str(stub.last.body["toolConfig" if provider == "bedrock" else "tools"])


@pytest.mark.parametrize("provider", CHAT)
def test_a_chat_model_gives_a_structured_answer(stub: Any, provider: str) -> None:
    answer = stub.chat(provider).with_structured_output(Place).invoke("Where?")
    assert answer == Place(city="Chicago")
    assert "city" in str(stub.last.body)


@pytest.mark.parametrize("provider", CHAT)
def test_an_agent_uses_a_tool_and_answers(stub: Any, provider: str) -> None:
    agent = create_agent(stub.chat(provider), [count_beds])
    messages = agent.invoke({"messages": [("user", "How many beds has Chicago?")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[2].content == "Chicago has 900 beds."
    assert messages[3].text.strip() == stub.answer


@pytest.mark.parametrize("provider", EMBEDDINGS)
def test_an_embedding_model_answers(stub: Any, provider: str) -> None:
    model = stub.embeddings(provider)
    assert model.embed_documents(["a", "bb"]) == [[1.0, 1.0, 0.0], [2.0, 1.0, 0.0]]
    assert model.embed_query("ccc") == [3.0, 1.0, 0.0]
    assert "ccc" in str(stub.last.body)  # the text itself, not numbers made by a tokenizer from the network


def test_a_model_stays_an_instance_of_its_own_class(stub: Any) -> None:
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    model = stub.chat("openai")
    assert isinstance(model, ChatOpenAI)
    assert (type(model).__name__, type(model).__module__) == ("ChatOpenAI", ChatOpenAI.__module__)
    assert isinstance(stub.embeddings("openai"), OpenAIEmbeddings)


def test_temperature_and_limit_can_be_left_to_the_provider(stub: Any) -> None:
    stub.chat("openai", temperature=None, max_tokens=None).invoke("Hello")
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & stub.last.body.keys()


def test_patience_is_limited_and_can_be_changed(stub: Any) -> None:
    model = hosted_chat("openai:gpt-test")
    assert (model.request_timeout, model.max_retries) == (60.0, 1)
    model = hosted_chat("bedrock:anthropic.claude-3-test-v1:0", timeout=7, max_retries=3)
    config = model.client.meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, 7)
    assert config.retries["total_max_attempts"] == 4
    model = hosted_chat("ollama:llama-test", timeout=7)
    assert model._client._client.timeout.read == 7


@pytest.mark.parametrize("provider", ["openai", "azure_openai", "anthropic", "bedrock"])
def test_a_request_is_tried_as_often_as_said(stub: Any, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for sleep in ("openai._base_client.time.sleep", "botocore.endpoint.time.sleep"):
        monkeypatch.setattr(sleep, lambda _: None)
    stub.mode = "500"
    with pytest.raises(UserError):
        stub.chat(provider, max_retries=2).invoke("Hello")
    assert len(stub.requests) == 3


NEEDED = {
    "openai": ["OPENAI_API_KEY"],
    "azure_openai": ["AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN"],
    "anthropic": ["ANTHROPIC_API_KEY"],
    "bedrock": ["AWS_REGION", "AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY"],
}


@pytest.mark.parametrize("provider", NEEDED)
@pytest.mark.parametrize("make", [hosted_chat, hosted_embeddings])
def test_what_is_missing_in_the_environment_is_named(bare_environment: Any, provider: str, make: Any) -> None:
    if make is hosted_embeddings and PROVIDERS[provider].embed is None:
        return
    with pytest.raises(UserError) as caught:
        make(f"{provider}:some-model")
    one_sentence(str(caught.value))
    assert all(name in str(caught.value) for name in NEEDED[provider])


@pytest.mark.parametrize("name", ["AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY"])
def test_only_what_is_missing_is_named(stub: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "  ")
    with pytest.raises(UserError, match=name) as caught:
        stub.chat("azure_openai")
    assert str(caught.value).count("_") == name.count("_") + (
        "AZURE_OPENAI_AD_TOKEN".count("_") if name.endswith("KEY") else 0
    )
    assert not stub.requests


def test_another_providers_key_is_not_sent_to_azure(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "for-another-provider")
    with pytest.raises(UserError, match="AZURE_OPENAI_API_KEY"):
        stub.chat("azure_openai")


def test_a_sign_in_of_the_readers_own_needs_no_key(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    model = stub.chat("azure_openai", azure_ad_token_provider=lambda: "token-from-sign-in")
    assert model.invoke("Hello").text == stub.answer
    assert "token-from-sign-in" in stub.last.credential


def test_an_aws_profile_that_does_not_exist_is_one_sentence(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UserError, match="AWS_PROFILE") as caught:
        stub.chat("bedrock")
    one_sentence(str(caught.value))


@pytest.mark.parametrize("value", ["sk-abcdef 0123", "sk-abcdef0123\n", "sk-abcdef–0123"])
@pytest.mark.parametrize(("provider", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")])
def test_a_key_pasted_with_something_else_is_named_not_shown(
    stub: Any, provider: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=variable) as caught:
        stub.chat(provider)
    one_sentence(str(caught.value))
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "module", "line"),
    [
        ("anthropic", "langchain_anthropic", '%pip install "langchain-anthropic'),
        ("bedrock", "langchain_aws", '%pip install "langchain-aws'),
        ("ollama", "langchain_ollama", '%pip install "langchain-ollama'),
    ],
)
def test_a_missing_package_is_named_with_its_bounds(
    stub: Any, provider: str, module: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError) as caught:
        stub.chat(provider, fresh=True)
    one_sentence(str(caught.value).replace(">=1.", ">=1_"))
    import tomllib

    from carelab.paths import ROOT

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][provider]
    assert line in str(caught.value)
    bounds = str(caught.value).partition(line)[2].partition('"')[0]
    assert sorted(bounds.split(",")) == sorted(extras[0].removeprefix(module.replace("_", "-")).split(","))


def test_a_package_that_does_not_load_is_one_sentence(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ImportError("cannot import name 'X'")

    monkeypatch.setattr("langchain.chat_models.init_chat_model", broken)
    with pytest.raises(UserError, match="force-reinstall") as caught:
        stub.chat("openai", fresh=True)
    one_sentence(str(caught.value).replace(">=1.", ">=1_"))


@pytest.mark.parametrize("name", ["gpt-5", "openai:", ":gpt-5", "", "google:gemini", "openia:gpt-5"])
@pytest.mark.parametrize("make", [hosted_chat, hosted_embeddings])
def test_a_malformed_name_lists_what_there_is(bare_environment: Any, name: str, make: Any) -> None:
    with pytest.raises(UserError) as caught:
        make(name)
    one_sentence(str(caught.value))
    offered = ["openai:", "azure_openai:", "bedrock:", "ollama:"] + (["anthropic:"] if make is hosted_chat else [])
    assert all(f"`{provider}" in str(caught.value) for provider in offered)


def test_a_key_in_the_place_of_the_name_is_not_repeated(stub: Any) -> None:
    key = "sk-" + "0123456789abcdef" * 3
    with pytest.raises(UserError) as caught:
        hosted_chat(key)
    assert "0123456789abcdef" not in str(caught.value)


def test_anthropic_has_no_embeddings(stub: Any) -> None:
    with pytest.raises(UserError, match="Anthropic has no embedding models"):
        hosted_embeddings("anthropic:claude")


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("openai", {"api_key": "sk-in-a-cell"}),
        ("openai", {"openai_api_key": "sk-in-a-cell"}),
        ("openai", {"default_headers": {"Authorization": "Bearer sk-in-a-cell"}}),
        ("azure_openai", {"azure_ad_token": "sk-in-a-cell"}),
        ("azure_openai", {"default_headers": {"api-key": "sk-in-a-cell"}}),
        ("anthropic", {"anthropic_api_key": "sk-in-a-cell"}),
        ("bedrock", {"aws_secret_access_key": "sk-in-a-cell"}),
        ("bedrock", {"bedrock_api_key": "sk-in-a-cell"}),
        ("ollama", {"client_kwargs": {"headers": {"authorization": "Bearer sk-in-a-cell"}}}),
    ],
)
def test_a_key_in_a_cell_is_refused(stub: Any, provider: str, options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="no place in a cell") as caught:
        stub.chat(provider, **options)
    one_sentence(str(caught.value))
    assert "sk-in-a-cell" not in str(caught.value)


@pytest.mark.parametrize("options", [{"default_headers": {"x-department": "radiology"}}, {"max_tokens": 9}])
def test_other_options_are_not_refused(stub: Any, options: dict[str, Any]) -> None:
    stub.chat("openai", **options).invoke("Hello")
    assert stub.requests


def test_an_option_that_the_client_does_not_take_is_one_sentence(stub: Any) -> None:
    with pytest.raises(UserError) as caught:
        stub.chat("openai", top_p="a lot")
    one_sentence(str(caught.value))
