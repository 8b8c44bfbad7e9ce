"""What a provider's failure means and what to do about it, in one sentence, without the provider's own words.

Those words may repeat the key, a patient's text or a page of HTML. So the sentence is made from the kind of failure
alone (status, class, where it arose), and the original exception is let go: a traceback, IPython's included, has
nothing left to show. What is not a provider's failure, such as a defect in a callback, stays what it is.

No provider's package is imported here, as most of them are absent; their exceptions are known by module and class name.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from carelab.errors import UserError
from carelab.llm.keys import redact


@dataclass(frozen=True)
class Remote:
    """What a sentence about a provider names.

    credentials: the environment variables that hold its key. addresses: those that hold its address, the one that is
    used first. unknown: what to do when it does not know the model.
    """

    name: str
    credentials: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    unknown: str = "check the model's name"

    @property
    def keys(self) -> str:
        """The credentials' names, for a sentence."""
        return " or ".join(self.credentials) or "its settings"

    @property
    def host(self) -> str:
        """` at host:port` as set in the environment; a name and password that may stand in the address are left out."""
        for name in self.addresses:
            try:
                parts = urlsplit(os.environ.get(name, ""))
                if parts.hostname:
                    return f" at {parts.hostname}:{parts.port}" if parts.port else f" at {parts.hostname}"
            except ValueError:
                continue
        return ""

    @property
    def and_address(self) -> str:
        """` and the address in X`, for the variable that is set; nothing where the provider's own address is used."""
        name = next((name for name in self.addresses if os.environ.get(name)), None)
        return f" and the address in {name}" if name else ""


_UNNAMED = Remote("The model's provider")

# Packages in which a failure is the provider's or the network's. LangChain's own core is not among them.
_CLIENTS = frozenset(
    [
        "anthropic",
        "azure",
        "boto3",
        "botocore",
        "httpcore",
        "httpcore2",
        "httpx",
        "httpx2",
        "msal",
        "ollama",
        "openai",
        "requests",
        "urllib3",
    ]
)
# AWS says what is wrong by name; some names come with a status that says less, and inside a stream there is none.
_AWS_STATUS = {
    "accessdeniedexception": 403,
    "expiredtokenexception": 401,
    "invalidsignatureexception": 401,
    "unrecognizedclientexception": 401,
    "incompletesignature": 401,
    "internalserverexception": 500,
    "modelerrorexception": 500,
    "modelnotreadyexception": 503,
    "modelstreamerrorexception": 500,
    "modeltimeoutexception": 504,
    "resourcenotfoundexception": 404,
    "servicequotaexceededexception": 429,
    "serviceunavailableexception": 503,
    "throttlingexception": 429,
    "validationexception": 400,
}
_NO_CREDENTIALS = frozenset(
    [
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "ClientAuthenticationError",
        "CredentialUnavailableError",
        "CredentialsError",
        "NoAuthTokenError",
    ]
)
_UNREACHABLE = frozenset(
    [
        "APIConnectionError",
        "NetworkError",
        "ProxyError",
        "ProtocolError",
        "TransportError",
        "HTTPClientError",
        "ConnectionError",
        "ConnectTimeoutError",
        "SSLError",
        "gaierror",
    ]
)
_TIMEOUT = frozenset(["APITimeoutError", "TimeoutException", "ReadTimeoutError", "Timeout", "TimeoutError"])
_UNUSABLE = frozenset(
    ["LocalProtocolError", "UnsupportedProtocol", "InvalidURL", "InvalidEndpointConfigurationError", "InvalidHeader"]
)
_UNREADABLE = frozenset(["APIResponseValidationError", "ResponseParserError", "ParserError", "DecodingError"])
# A local variable of this name in a client's frame holds the reply, or a part of it.
_REPLY = frozenset(
    [
        "chunk",
        "data",
        "event",
        "http_response",
        "line",
        "obj",
        "part",
        "r",
        "raw_response",
        "res",
        "response",
        "response_body",
        "stream_resp",
    ]
)
# Functions of Ollama's client that read the reply without giving it a name.
_READERS = frozenset(["_request", "_chat_stream_with_aggregation", "_achat_stream_with_aggregation"])
# Our own option names: the only words of a refusal that may be repeated.
_OPTIONS = frozenset(["max_completion_tokens", "max_tokens", "stop", "stream_options", "temperature", "tools", "top_p"])


def _root(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _is_client(module: str | None) -> bool:
    root = _root(module)
    return root in _CLIENTS or (root.startswith("langchain_") and root != "langchain_core")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, also what it hides by `from None`."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]


def _frames(error: BaseException) -> list[FrameType]:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)]


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _from_client(error: BaseException) -> bool:
    """Was the exception's class written for a provider's client, or raised inside of one?"""
    if any(_is_client(kind.__module__) for kind in type(error).__mro__):
        return True
    return any(_is_client(_module(frame)) for frame in _frames(error))


def _named(error: BaseException, names: frozenset[str]) -> bool:
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _status(error: BaseException) -> int | None:
    """The HTTP status that the exception carries; AWS's names for it take precedence over its numbers."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        code = str(response.get("Error", {}).get("Code", "")).lower()
        number = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return _AWS_STATUS.get(code, number if isinstance(number, int) and number >= 400 else None)
    for holder in (error, response):
        number = getattr(holder, "status_code", None)
        if isinstance(number, int) and 400 <= number < 600:
            return number
    return None


def _about_reply(error: BaseException) -> bool:
    """Did reading the reply fail, as opposed to writing the request?

    Told by where it failed: the innermost frame that is not Python's own or a validator's is a client's, nothing was
    being written, and a client's frame already holds something of the reply.
    """
    frames = _frames(error)
    if isinstance(error, json.JSONDecodeError):
        return any(_is_client(_module(frame)) for frame in frames)
    if not isinstance(error, TypeError | ValueError | LookupError | AttributeError):
        return False
    if any(_module(frame) == "json.encoder" or "build_request" in frame.f_code.co_name for frame in frames):
        return False
    passing = sys.stdlib_module_names | {"pydantic", "pydantic_core"}
    blamed = [frame for frame in frames if _root(_module(frame)) not in passing]
    if not blamed or not _is_client(_module(blamed[-1])):
        return False
    if blamed[-1].f_code.co_name in _READERS:
        return True
    for frame in frames:
        if not _is_client(_module(frame)):
            continue
        if any(frame.f_locals.get(name) is not None for name in _REPLY & frame.f_locals.keys()):
            return True
    return False


def _misses_schema(error: BaseException) -> bool:
    """Did OpenAI's client find the answer, a model's text, not to be what the caller's own class describes?"""
    readers = {"openai.lib._parsing._completions", "openai.lib._parsing._responses"}
    return type(error).__name__ == "ValidationError" and any(_module(frame) in readers for frame in _frames(error))


def _for_status(status: int, error: BaseException, remote: Remote, model: str) -> str:
    code, option = getattr(error, "code", None), getattr(error, "param", None)
    who = remote.name
    if status == 401:
        return f"{who} did not accept the key (401): check {remote.keys}, and start JupyterLab again after a change."
    if status == 403:
        return (
            f"{who} does not let you use {model} (403): ask whoever runs the account whether the key in {remote.keys}, "
            "and the network you are in, may."
        )
    if status == 404:
        return f"{who} does not find {model} (404): {remote.unknown}{remote.and_address}."
    if status == 429 and code == "insufficient_quota":
        return f"{who} has no budget left for this key (429): ask whoever pays for the account to raise it."
    if status == 429:
        return (
            f"{who} has had too many requests (429): wait a minute and run the cell again, or ask for a higher limit."
        )
    if status == 413 or _named(error, frozenset({"ContextOverflowError"})):
        return f"{who} was sent more text than {model} reads at once ({status}): send less of it."
    if status == 400 and code == "content_filter":
        return (
            f"{who} stopped the request in its content filter (400): reword it, or ask whoever runs the deployment "
            "to set the filter for clinical text."
        )
    if status == 400 and option in _OPTIONS:
        return f"{who} does not take `{option}` as it was sent to {model} (400): change it, or leave it out with {option}=None."
    if status == 408 or status == 504:
        return f"{who} gave up before {model} had answered ({status}): try again, or ask for a shorter answer."
    if status >= 500:
        return f"{who} has trouble of its own ({status}): wait a few minutes and run the cell again."
    return (
        f"{who} rejected the request for {model} ({status}): check the model's name, its options{remote.and_address}."
    )


def _unreadable(remote: Remote) -> str:
    return (
        f"{remote.name} sent a reply that is not in its format: check that no proxy or sign-in page answers in its place"
        f"{remote.and_address}, then run the cell again."
    )


def _of_one(error: BaseException, remote: Remote, model: str) -> str | None:
    """The sentence for one exception of a chain; None when it is no provider's failure."""
    who = remote.name
    if _misses_schema(error):
        return (
            f"{who} answered, but not in the form that was asked for: raise `max_tokens` if the answer was cut, make the "
            "form simpler, or use a model that keeps to it."
        )
    if _about_reply(error):
        return _unreadable(remote)
    if not _from_client(error):
        return None
    status = _status(error)
    if status is not None:
        return _for_status(status, error, remote, model)
    if _named(error, _NO_CREDENTIALS):
        return f"{who} needs credentials, and those that were found do not work: set {remote.keys}, and start JupyterLab again."
    if _named(error, frozenset({"LengthFinishReasonError"})):
        return (
            f"{who} stopped at the limit of tokens before the answer was complete: raise `max_tokens`, or ask for less."
        )
    if _named(error, frozenset({"ContentFilterFinishReasonError", "OpenAIRefusalError"})):
        return f"{who} withheld the answer in its content filter: reword the request, or have the filter set for clinical text."
    if _named(error, _TIMEOUT):
        return (
            f"{who}{remote.host} did not answer in time: run the cell again, or allow more with `timeout=` (seconds)."
        )
    if _named(error, frozenset({"ContextOverflowError"})):
        return f"{who} was sent more text than {model} reads at once: send less of it."
    if _named(error, _UNREADABLE) or type(error).__module__ == "botocore.eventstream":
        return _unreadable(remote)
    if _named(error, _UNREACHABLE) or isinstance(error, ConnectionError):
        return f"{who}{remote.host} cannot be reached: check the network{remote.and_address}, then run the cell again."
    if _root(type(error).__module__) in ("openai", "anthropic", "ollama") and not isinstance(
        error, ValueError | TypeError
    ):
        return f"{who} did not complete the answer: run the cell again, and ask whoever runs the account if it goes on."
    return None


def _beneath(links: list[BaseException], remote: Remote) -> str | None:
    """The sentence for what a client reports as a lost connection and is something else, further down the chain."""
    for link in links:
        if not _from_client(link):
            continue
        if _named(link, frozenset({"SSLCertVerificationError"})) or "CERTIFICATE_VERIFY_FAILED" in str(link):
            return (
                f"{remote.name}{remote.host} showed a certificate that this machine does not trust: set SSL_CERT_FILE "
                "(for Bedrock AWS_CA_BUNDLE) to the file with your organisation's certificates, and start JupyterLab again."
            )
        if _named(link, _UNUSABLE):
            return (
                f"{remote.name} cannot be asked with these settings: check {remote.keys}{remote.and_address} "
                "for stray characters and a missing https://."
            )
    return None


def explain(error: BaseException, remote: Remote = _UNNAMED, model: str = "the model") -> UserError | None:
    """The one sentence about a failure of a model's provider, or None when the failure is not the provider's.

    A UserError in the chain of causes is returned unchanged. An exception whose text or causes show a key of the
    environment is never let through, whatever its kind.
    """
    links = list(_chain(error))
    for link in links:
        if isinstance(link, UserError):
            return link
    # A callback of the reader's may use the same network libraries; its failures are its own.
    if not any(_module(frame).startswith("langchain_core.callbacks") for frame in _frames(error)):
        sentences = (_of_one(link, remote, model) for link in links)
        text = _beneath(links, remote) or next((sentence for sentence in sentences if sentence), None)
        if text:
            return UserError(text)
    for link in links:
        shown = f"{link} {link!r}"
        if redact(shown) != shown:
            kind = type(error).__name__
            return UserError(f"The call to {remote.name} failed with {kind}, whose text is withheld as it shows a key.")
    return None


def _model_name(model: object) -> str:
    for attribute in ("deployment_name", "model_name", "model_id", "model"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return f"`{redact(name)}`"
    return "the model"


def _about(model: Any) -> tuple[Remote, str]:
    return getattr(type(model), "plain_remote", None) or _UNNAMED, _model_name(model)


def _empty(remote: Remote) -> UserError:
    return UserError(
        f"{remote.name} sent a reply without an answer in it: run the cell again, then check the model's name"
        f"{remote.and_address}."
    )


def _holds_answer(piece: Any) -> bool:
    """Is there anything in a streamed piece that only an answer has?"""
    message = piece.message
    told = {**message.response_metadata, **message.additional_kwargs, **(piece.generation_info or {})}
    finished = any(told.get(name) for name in ("finish_reason", "stop_reason", "stopReason", "done_reason", "done"))
    return bool(message.content or getattr(message, "tool_call_chunks", None) or finished)


# Each wrapper raises outside of `except`: raised inside, the sentence would carry the original along as its context.


def _call(method: Callable[..., Any], check: Callable[[Any, tuple[Any, ...]], bool]) -> Callable[..., Any]:
    @functools.wraps(method)
    def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        failure: UserError | None
        try:
            result = method(self, *args, **kwargs)
            failure = None if check(result, args) else _empty(_about(self)[0])
        except Exception as error:
            failure = explain(error, *_about(self))
            if failure is None:
                raise
        if failure is not None:
            raise failure from None
        return result

    return plain


def _acall(method: Callable[..., Any], check: Callable[[Any, tuple[Any, ...]], bool]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        failure: UserError | None
        try:
            result = await method(self, *args, **kwargs)
            failure = None if check(result, args) else _empty(_about(self)[0])
        except Exception as error:
            failure = explain(error, *_about(self))
            if failure is None:
                raise
        if failure is not None:
            raise failure from None
        return result

    return plain


def _pieces(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def plain(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        failure: UserError | None = None
        answered = False
        try:
            for piece in method(self, *args, **kwargs):
                answered = answered or _holds_answer(piece)
                yield piece
        except Exception as error:
            failure = explain(error, *_about(self))
            if failure is None:
                raise
        if failure is None and not answered:
            failure = _empty(_about(self)[0])
        if failure is not None:
            raise failure from None

    return plain


def _apieces(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def plain(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        failure: UserError | None = None
        answered = False
        try:
            async with aclosing(method(self, *args, **kwargs)) as pieces:
                async for piece in pieces:
                    answered = answered or _holds_answer(piece)
                    yield piece
        except Exception as error:
            failure = explain(error, *_about(self))
            if failure is None:
                raise
        if failure is None and not answered:
            failure = _empty(_about(self)[0])
        if failure is not None:
            raise failure from None

    return plain


def _has_generations(result: Any, _: tuple[Any, ...]) -> bool:
    return bool(result.generations)


def _one_each(result: Any, args: tuple[Any, ...]) -> bool:
    return not args or (len(result) == len(args[0]) and all(len(vector) > 0 for vector in result))


def _has_numbers(result: Any, _: tuple[Any, ...]) -> bool:
    return bool(result)


_WRAPPERS: dict[str, tuple[type, Callable[[Callable[..., Any]], Callable[..., Any]]]] = {
    "_generate": (BaseChatModel, lambda method: _call(method, _has_generations)),
    "_agenerate": (BaseChatModel, lambda method: _acall(method, _has_generations)),
    "_stream": (BaseChatModel, _pieces),
    "_astream": (BaseChatModel, _apieces),
    "embed_documents": (Embeddings, lambda method: _call(method, _one_each)),
    "embed_query": (Embeddings, lambda method: _call(method, _has_numbers)),
    "aembed_documents": (Embeddings, lambda method: _acall(method, _one_each)),
    "aembed_query": (Embeddings, lambda method: _acall(method, _has_numbers)),
}


class PlainErrors:
    """Put before a LangChain chat model or embeddings class: its provider's failures become one sentence each.

    A method that the class does not have stays absent, as LangChain looks whether a model can stream. A subclass may
    set `plain_remote`, so that the sentence names the provider and the variables that its settings come from.
    """

    __slots__ = ()
    plain_remote: ClassVar[Remote | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, (base, wrap) in _WRAPPERS.items():
            method = getattr(cls, name, None)
            if method is None or not issubclass(cls, base) or method is getattr(base, name):
                continue
            if name in vars(cls) or not getattr(method, "__carelab_plain__", False):
                wrapped = wrap(method)
                wrapped.__carelab_plain__ = True  # type: ignore[attr-defined]
                setattr(cls, name, wrapped)


@functools.cache
def _plain_class(cls: type, remote: Remote | None) -> type:
    """A subclass that goes by the same name, as LangChain and its readers look at names."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    plain: type = type(cls)(cls.__name__, (PlainErrors, cls), names)
    plain.plain_remote = remote  # type: ignore[attr-defined]
    return plain


_Model = TypeVar("_Model", bound=BaseChatModel | Embeddings)


def plain_errors(model: _Model, remote: Remote | None = None) -> _Model:
    """Give an already made chat model or embeddings object plain errors; returns the same object.

    It remains an instance of its own class, so agents, tools and structured output go on working.
    """
    if not isinstance(model, PlainErrors):
        kind: Any = type(model)
        model.__class__ = _plain_class(kind, remote)
    return model
