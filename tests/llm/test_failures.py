"""Whatever a provider does wrong is one sentence; what somebody else does wrong stays what it is."""

import asyncio
import logging
import socket
import traceback
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import BaseModel

from carelab.errors import UserError
from carelab.llm.failures import PlainErrors, Remote, explain, plain_errors

NAMES = {
    "openai": "OpenAI",
    "azure_openai": "Azure OpenAI",
    "anthropic": "Anthropic",
    "bedrock": "Bedrock",
    "ollama": "Ollama",
}
EMBEDDINGS = [name for name in NAMES if name != "anthropic"]
STATUSES = ["400", "401", "403", "404", "413", "422", "429", "500", "503", "529"]
MAIN = ["401", "404", "429", "500"]  # the others go the same way, whatever the method
MALFORMED = ["page", "broken", "shape", "list", "empty"]
WORDS = {
    "401": "key",
    "403": "does not let you",
    "404": "does not find",
    "429": "too many",
    "500": "trouble",
    "slow": "in time",
}


def check(caught: BaseException, provider: str, stub: Any, mode: str = "") -> None:
    """One sentence that names the provider, and nothing of its words or the key in anything Python can show."""
    text = str(caught)
    assert type(caught) is UserError
    assert "\n" not in text
    assert text.endswith(".")
    assert ". " not in text
    assert text.startswith(f"{NAMES[provider]} ")
    assert WORDS.get(mode, "") in text
    shown = "".join(traceback.format_exception(caught)) + repr(caught) + str(vars(caught))
    assert "PROVIDER-TEXT" not in shown
    assert stub.planted not in shown
    assert caught.__context__ is None
    assert caught.__cause__ is None


def ask(loop: asyncio.Runner, model: Any, how: str, given: Any = "Hello") -> Any:
    async def astream() -> list[Any]:
        return [piece async for piece in model.astream(given)]

    if how == "astream":
        return loop.run(astream())
    if how == "stream":
        return list(model.stream(given))
    result = getattr(model, how)(given)
    return loop.run(result) if how.startswith("a") else result


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
@pytest.mark.parametrize("provider", NAMES)
def test_each_failure_of_a_chat_model_is_one_sentence(stub: Any, loop: asyncio.Runner, provider: str, how: str) -> None:
    model = stub.chat(provider)
    for mode in [*(STATUSES if how == "invoke" else MAIN), *MALFORMED]:
        stub.mode = mode
        with pytest.raises(UserError) as caught:
            ask(loop, model, how)
        check(caught.value, provider, stub, mode)
    stub.mode = "answer"
    assert ask(loop, model, how)


@pytest.mark.parametrize("how", ["embed_documents", "embed_query", "aembed_documents", "aembed_query"])
@pytest.mark.parametrize("provider", EMBEDDINGS)
def test_each_failure_of_an_embedding_model_is_one_sentence(
    stub: Any, loop: asyncio.Runner, provider: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = stub.embeddings(provider)
    given: Any = ["one", "two"] if how.endswith("documents") else "one"

    for mode in [*(STATUSES if how == "embed_documents" else MAIN), *MALFORMED]:
        stub.mode = mode
        with pytest.raises(UserError) as caught:
            ask(loop, model, how, given)
        check(caught.value, provider, stub, mode)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]  # a notebook would show it
    stub.mode = "answer"
    assert ask(loop, model, how, given)


@pytest.mark.parametrize("provider", NAMES)
def test_a_provider_that_does_not_answer_in_time_is_one_sentence(
    stub: Any, loop: asyncio.Runner, provider: str
) -> None:
    stub.mode = "slow"
    model = stub.chat(provider, timeout=0.05)
    for how in ("invoke", "stream", "ainvoke", "astream"):
        with pytest.raises(UserError) as caught:
            ask(loop, model, how)
        check(caught.value, provider, stub, "slow")
    if provider in EMBEDDINGS:
        for how in ("embed_query", "aembed_documents"):
            with pytest.raises(UserError) as caught:
                ask(loop, stub.embeddings(provider, timeout=0.05), how, ["Hello"] if how.endswith("s") else "Hello")
            check(caught.value, provider, stub, "slow")


@pytest.mark.parametrize("provider", NAMES)
def test_a_host_that_is_not_there_is_one_sentence(
    stub: Any, loop: asyncio.Runner, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in (
        "OPENAI_BASE_URL",
        "AZURE_OPENAI_ENDPOINT",
        "ANTHROPIC_BASE_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "OLLAMA_HOST",
    ):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for how in ("invoke", "astream"):
        with pytest.raises(UserError, match=f"127.0.0.1:{port} cannot be reached") as caught:
            ask(loop, stub.chat(provider), how)
        check(caught.value, provider, stub)


def test_an_address_with_a_password_is_named_without_it(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"http://someone:{stub.planted}@127.0.0.1:9")
    with pytest.raises(UserError, match=r"at 127\.0\.0\.1:9 ") as caught:
        stub.chat("ollama").invoke("Hello")
    check(caught.value, "ollama", stub)


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("429", "insufficient_quota", "budget"),
        ("400", "content_filter", "content filter"),
        ("403", "AccessDeniedException", "does not let you"),
        ("403", "UnrecognizedClientException", "did not accept the key"),
        ("403", "ExpiredTokenException", "did not accept the key"),
        ("400", "ThrottlingException", "too many requests"),
        ("400", "ValidationException", "rejected the request"),
    ],
)
def test_a_providers_code_sharpens_the_sentence(stub: Any, mode: str, code: str, words: str) -> None:
    stub.mode, stub.code = mode, code
    provider = "bedrock" if code.endswith("Exception") else "azure_openai"
    with pytest.raises(UserError, match=words) as caught:
        stub.chat(provider).invoke("Hello")
    check(caught.value, provider, stub)


@pytest.mark.parametrize("how", ["invoke", "stream", "astream"])
@pytest.mark.parametrize("provider", NAMES)
def test_an_answer_that_ends_too_early_is_one_sentence(
    stub: Any, loop: asyncio.Runner, provider: str, how: str
) -> None:
    for mode in ["cut"] if how == "invoke" else ["cut", "midway"]:
        stub.mode = mode
        with pytest.raises(UserError) as caught:
            ask(loop, stub.chat(provider), how)
        check(caught.value, provider, stub)


@pytest.mark.parametrize("provider", ["openai", "azure_openai"])
def test_an_answer_that_misses_the_schema_is_not_called_a_wrong_address(stub: Any, provider: str) -> None:
    class Place(BaseModel):
        city: str

    stub.mode = "unfit"
    with pytest.raises(UserError, match="not in the form that was asked for") as caught:
        stub.chat(provider).with_structured_output(Place).invoke("Where?")
    check(caught.value, provider, stub)


def test_only_an_address_that_is_set_is_named(bare_environment: pytest.MonkeyPatch) -> None:
    remote = Remote("OpenAI", addresses=("OPENAI_API_BASE", "OPENAI_BASE_URL"))
    assert (remote.host, remote.and_address) == ("", "")
    bare_environment.setenv("OPENAI_BASE_URL", "https://gateway.hospital.example/v1")
    assert remote.host == " at gateway.hospital.example"
    assert remote.and_address == " and the address in OPENAI_BASE_URL"


def test_a_certificate_that_is_not_trusted_says_what_to_set() -> None:
    import httpx

    try:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in certificate chain")
    except httpx.ConnectError as error:
        told = explain(error, Remote("OpenAI"))
    assert told is not None
    assert "SSL_CERT_FILE" in str(told)


class Careless(BaseCallbackHandler):
    """A learner's callback with a defect, or one that posts to a server of its own that is down."""

    raise_error = True

    def __init__(self, error: Exception) -> None:
        self.error = error

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        raise self.error


@pytest.mark.parametrize("error", [TypeError("mine"), KeyError("mine"), ConnectionError("mine"), TimeoutError("mine")])
@pytest.mark.parametrize("provider", ["openai", "ollama", "anthropic"])
def test_a_callbacks_own_failure_is_not_the_providers(stub: Any, provider: str, error: Exception) -> None:
    with pytest.raises(type(error), match="mine"):
        list(stub.chat(provider).stream("Hello", config={"callbacks": [Careless(error)]}))


@pytest.mark.parametrize("provider", NAMES)
def test_a_request_that_cannot_be_written_is_not_the_providers(stub: Any, provider: str) -> None:
    with pytest.raises(Exception) as caught:
        stub.chat(provider).invoke([object()])
    assert not isinstance(caught.value, UserError)
    assert not stub.requests


def test_an_option_the_client_does_not_know_is_not_the_providers(stub: Any) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        stub.chat("openai").invoke("Hello", nonsense=1)


class Own(PlainErrors, BaseChatModel):
    """A model of ours, with whatever failure a test gives it."""

    plain_remote: ClassVar[Remote | None] = Remote("The local model")
    failure: Any = None

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if self.failure:
            raise self.failure
        return ChatResult(generations=[ChatGeneration(message=AIMessage("fine"))])


class OwnStream(Own):
    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        raise self.failure
        yield


def test_the_mixin_covers_what_the_class_itself_defines(loop: asyncio.Runner) -> None:
    import httpx

    assert Own().invoke("Hello").text == "fine"
    assert [piece.text for piece in Own().stream("Hello")] == ["fine"]  # still known not to stream
    for kind, how in ((Own, "invoke"), (Own, "ainvoke"), (OwnStream, "stream"), (OwnStream, "astream")):
        with pytest.raises(UserError, match="The local model cannot be reached"):
            ask(loop, kind(failure=httpx.ConnectError("refused")), how)


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke"])
def test_our_own_defects_stay_defects(loop: asyncio.Runner, how: str) -> None:
    for error in (TypeError("defect"), ValueError("defect"), KeyError("defect"), OSError("defect")):
        with pytest.raises(type(error), match="defect"):
            ask(loop, Own(failure=error), how)


def test_a_sentence_within_the_causes_is_kept() -> None:
    import httpx

    said = UserError("Start the local model first.")
    wrapped = httpx.ConnectError("refused")
    wrapped.__cause__ = said
    with pytest.raises(UserError) as caught:
        Own(failure=wrapped).invoke("Hello")
    assert caught.value is said


def test_an_unknown_failure_that_shows_a_key_is_withheld(stub: Any) -> None:
    with pytest.raises(UserError, match="RuntimeError, whose text is withheld") as caught:
        Own(failure=RuntimeError(f"header: {stub.planted}")).invoke("Hello")
    assert stub.planted not in "".join(traceback.format_exception(caught.value))


def test_plain_errors_twice_is_plain_errors_once(stub: Any) -> None:
    model = stub.chat("openai")
    kind = type(model)
    assert plain_errors(model) is model
    assert type(model) is kind
