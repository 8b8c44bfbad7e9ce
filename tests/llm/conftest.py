"""A server on 127.0.0.1 that speaks the protocols of the hosted providers, well or badly, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import binascii
import json
import os
import re
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from carelab.llm.providers import hosted_chat, hosted_embeddings

PLANTED = "sk-planted-7f3a9c51e8d24b60"
ANSWER = "Chicago has three hospitals."
FIELDS = {"city": "Chicago"}  # the arguments of every tool call, and every structured answer

# Everything that could reach a real account, or change where a request goes.
PROVIDER_VARIABLES = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_API_VERSION",
    "OPENAI_ORG_ID",
    "OPENAI_ORGANIZATION",
    "OPENAI_PROXY",
    "OPENAI_LOG",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_ENDPOINT",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_URL",
    "ANTHROPIC_LOG",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "OLLAMA_HOST",
    "OLLAMA_API_KEY",
    "LANGSMITH_GATEWAY",
    "LANGSMITH_API_KEY",
    "LANGSMITH_GATEWAY_API_KEY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)

CHAT = {
    "openai": "openai:gpt-test",
    "azure_openai": "azure_openai:our-deployment",
    "anthropic": "anthropic:claude-test",
    "bedrock": "bedrock:anthropic.claude-3-test-v1:0",
    "ollama": "ollama:llama-test",
}
EMBEDDINGS = {
    "openai": "openai:embed-test",
    "azure_openai": "azure_openai:our-embedding",
    "bedrock": "bedrock:amazon.titan-embed-text-v2:0",
    "ollama": "ollama:embed-test",
}


def environment(address: str) -> dict[str, str]:
    """Variables that point every provider's client at the stub, with the planted key for each."""
    return {
        "OPENAI_API_KEY": PLANTED,
        "OPENAI_BASE_URL": f"{address}/v1",
        "AZURE_OPENAI_API_KEY": PLANTED,
        "AZURE_OPENAI_ENDPOINT": address,
        "OPENAI_API_VERSION": "2024-10-21",
        "ANTHROPIC_API_KEY": PLANTED,
        "ANTHROPIC_BASE_URL": address,
        # The bearer token goes over HTTPS only, which the stub does not speak; these three sign the request.
        "AWS_ACCESS_KEY_ID": PLANTED,
        "AWS_SECRET_ACCESS_KEY": f"{PLANTED}-secret",
        "AWS_SESSION_TOKEN": PLANTED,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": address,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials",
        "OLLAMA_HOST": address,
        "OLLAMA_API_KEY": PLANTED,
    }


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def credential(self) -> str:
        sent = [
            self.headers.get(name, "") for name in ("authorization", "api-key", "x-api-key", "x-amz-security-token")
        ]
        return " ".join(value for value in sent if value)


@dataclass
class Stub:
    """The server's address, how it behaves, and the requests it has had.

    mode: "answer", an HTTP status such as "429", or one of "slow", "page" (a login page instead of JSON), "broken"
    (JSON that ends too early), "shape" (JSON of another kind), "list", "empty" (no choices), "unfit" (an answer in
    another form than was asked for), "cut" (the connection ends too early), "midway" (an error within a stream).
    """

    planted = PLANTED
    answer = ANSWER
    fields = FIELDS

    address: str = ""
    mode: str = "answer"
    code: str = ""  # the error's code, where a test needs one
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    _models: dict[tuple[str | None, ...], Any] = field(default_factory=dict)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def chat(self, provider: str, *, fresh: bool = False, **options: Any) -> Any:
        """The provider's chat model as a notebook gets it; the same one again unless options or environment differ."""
        name, patience = CHAT[provider], {"timeout": 30.0, "max_retries": 0, **options}
        return self._made(name, hosted_chat, patience, fresh or bool(options))

    def embeddings(self, provider: str, *, fresh: bool = False, **options: Any) -> Any:
        """The provider's embedding model, likewise."""
        name, patience = EMBEDDINGS[provider], {"timeout": 30.0, "max_retries": 0, **options}
        return self._made(name, hosted_embeddings, patience, fresh or bool(options))

    def _made(self, name: str, make: Any, options: dict[str, Any], fresh: bool) -> Any:
        """Made once: reading certificates and AWS's descriptions takes longer than most tests."""
        if fresh:
            return make(name, **options)
        key = (name, *(os.environ.get(variable) for variable in PROVIDER_VARIABLES))
        if key not in self._models:
            self._models[key] = make(name, **options)
        return self._models[key]


def _failure(status: int, credential: str, code: str) -> dict[str, Any]:
    text = f"Incorrect key provided: {credential}. PROVIDER-TEXT"
    return {
        "type": "error",
        "message": text,
        "Message": text,
        "error": {"message": text, "type": "provider_error", "code": code or str(status), "param": None},
    }


def _tool_name(body: dict[str, Any]) -> str | None:
    """The tool to call: the first one offered, unless its result is already in the conversation."""
    tools = body.get("tools") or (body.get("toolConfig") or {}).get("tools") or []
    said = json.dumps(body.get("messages", []))
    if not tools or '"role": "tool"' in said or '"tool_result"' in said or '"toolResult"' in said:
        return None
    tool = tools[0]
    return str((tool.get("function") or tool.get("toolSpec") or tool)["name"])


def _openai(body: dict[str, Any], empty: bool) -> dict[str, Any]:
    tool = _tool_name(body)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": json.dumps(FIELDS) if "response_format" in body else ANSWER,
    }
    if tool:
        call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": json.dumps(FIELDS)}}
        message |= {"content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 6,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    kind = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-test-2026"}
    return {**kind, "choices": [] if empty else [choice], "usage": usage}


def _openai_stream(body: dict[str, Any], empty: bool) -> bytes:
    kind = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test-2026"}
    usage = {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}
    chunks: list[dict[str, Any]] = []
    if not empty:
        for word in ANSWER.split(" "):
            chunks.append({"choices": [{"index": 0, "delta": {"role": "assistant", "content": f"{word} "}}]})
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append({"choices": [], "usage": usage if (body.get("stream_options") or {}).get("include_usage") else None})
    lines = [f"data: {json.dumps(kind | chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def _anthropic(body: dict[str, Any], empty: bool) -> dict[str, Any]:
    tool = _tool_name(body)
    content: list[dict[str, Any]] = [
        {"type": "text", "text": json.dumps(FIELDS) if "output_config" in body else ANSWER}
    ]
    if tool:
        content = [{"type": "tool_use", "id": "toolu_1", "name": tool, "input": FIELDS}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": None if empty else content,
        "stop_reason": "tool_use" if tool else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 6},
    }


def _anthropic_stream(empty: bool) -> bytes:
    message = {**_anthropic({}, False), "content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [] if empty else [{"type": "message_start", "message": message}]
    if not empty:
        events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        for word in ANSWER.split(" "):
            delta = {"type": "text_delta", "text": f"{word} "}
            events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        events.append({"type": "content_block_stop", "index": 0})
        done = {
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 12, "output_tokens": 6},
        }
        events.append({"type": "message_delta", **done})
        events.append({"type": "message_stop"})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _bedrock(body: dict[str, Any], empty: bool) -> dict[str, Any]:
    tool = _tool_name(body)
    content: list[dict[str, Any]] = [{"text": ANSWER}]
    if tool:
        content = [{"toolUse": {"toolUseId": "tooluse_1", "name": tool, "input": FIELDS}}]
    return {
        "output": {} if empty else {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if tool else "end_turn",
        "usage": {"inputTokens": 12, "outputTokens": 6, "totalTokens": 18},
        "metrics": {"latencyMs": 5},
    }


def _event(kind: str, payload: dict[str, Any], message_type: str = "event") -> bytes:
    """One message of AWS's event stream: lengths, checksum, headers, payload, checksum."""
    names = {f":{message_type}-type": kind, ":content-type": "application/json", ":message-type": message_type}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in names.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + data
    return message + struct.pack("!I", binascii.crc32(message))


def _bedrock_stream(empty: bool) -> bytes:
    if empty:
        return b""
    events = [_event("messageStart", {"role": "assistant"})]
    for word in ANSWER.split(" "):
        events.append(_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": f"{word} "}}))
    events.append(_event("contentBlockStop", {"contentBlockIndex": 0}))
    events.append(_event("messageStop", {"stopReason": "end_turn"}))
    usage = {"inputTokens": 12, "outputTokens": 6, "totalTokens": 18}
    events.append(_event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}))
    return b"".join(events)


def _ollama(body: dict[str, Any], empty: bool) -> bytes:
    kind = {"model": body.get("model"), "created_at": "2026-11-21T00:00:00Z"}
    if empty:
        return b""
    tool = _tool_name(body)
    if tool:
        calls = [{"function": {"name": tool, "arguments": FIELDS}}]
        messages: list[dict[str, Any]] = [{"role": "assistant", "content": "", "tool_calls": calls}]
    elif body.get("format"):
        messages = [{"role": "assistant", "content": json.dumps(FIELDS)}]
    else:
        messages = [{"role": "assistant", "content": f"{word} "} for word in ANSWER.split(" ")]
    lines: list[dict[str, Any]] = [{**kind, "message": message, "done": False} for message in messages]
    counts = {"prompt_eval_count": 12, "eval_count": 6, "total_duration": 5}
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    lines.append({**kind, **last, **counts})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _midway(path: str, data: bytes, credential: str) -> bytes:
    """The first half of a streamed answer, and then an error where its next piece should be."""
    text = f"PROVIDER-TEXT {credential}"
    if path.endswith("/converse-stream"):
        return _event("messageStart", {"role": "assistant"}) + _event(
            "throttlingException", {"message": text}, message_type="exception"
        )
    error = {"type": "error", "error": {"type": "overloaded_error", "message": text}}
    if path.endswith("/api/chat"):
        return data.split(b"\n")[0] + b"\n" + json.dumps({"error": text}).encode() + b"\n"
    name = b"event: error\n" if path.endswith("/messages") else b""
    half = b"\n\n".join(data.split(b"\n\n")[:3])
    return half + b"\n\n" + name + b"data: " + json.dumps(error).encode() + b"\n\n"


def _vectors(body: dict[str, Any]) -> list[list[float]]:
    texts = body.get("input") or [body.get("inputText")]
    texts = [texts] if isinstance(texts, str) else texts
    return [[float(len(str(text))), 1.0, 0.0] for text in texts]


def _answer(path: str, body: dict[str, Any], empty: bool) -> tuple[str, bytes]:
    """Content type and bytes of a good reply, or of one without any choice."""
    text: Any
    if path.endswith("/chat/completions"):
        if body.get("stream"):
            return "text/event-stream", _openai_stream(body, empty)
        text = _openai(body, empty)
    elif path.endswith("/embeddings"):
        rows = (
            [] if empty else [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(_vectors(body))]
        )
        text = {"object": "list", "data": rows, "model": "embed-test", "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    elif path.endswith("/messages"):
        if body.get("stream"):
            return "text/event-stream", _anthropic_stream(empty)
        text = _anthropic(body, empty)
    elif path.endswith("/converse"):
        text = _bedrock(body, empty)
    elif path.endswith("/converse-stream"):
        return "application/vnd.amazon.eventstream", _bedrock_stream(empty)
    elif path.endswith("/invoke"):
        text = {} if empty else {"embedding": _vectors(body)[0], "inputTextTokenCount": 2}
    elif path.endswith("/api/chat"):
        return "application/x-ndjson", _ollama(body, empty)
    elif path.endswith("/api/embed"):
        text = {"model": "embed-test", "embeddings": [] if empty else _vectors(body)}
    else:
        raise AssertionError(f"the stub knows no {path}")
    return "application/json", json.dumps(text).encode()


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet; two would wait 40 ms for each other

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(unquote(self.path), headers, json.loads(raw or b"{}"))
            stub.requests.append(request)
            path = request.path.partition("?")[0]
            credential = re.sub(r"(?i)bearer ", "", request.credential)
            shapes = {
                "page": ("text/html", f"<html>Sign in to PROVIDER-TEXT as {credential}</html>".encode()),
                "broken": ("application/json", f'{{"choices": [{{"PROVIDER-TEXT": "{credential}'.encode()),
                "shape": ("application/json", json.dumps({"PROVIDER-TEXT": [credential]}).encode()),
                "list": ("application/json", json.dumps([credential, "PROVIDER-TEXT"]).encode()),
            }
            status = 200
            if stub.mode == "slow":
                stub.released.wait(20)
                self.close_connection = True
                return
            if stub.mode.isdigit():
                status = int(stub.mode)
                kind, data = "application/json", json.dumps(_failure(status, credential, stub.code)).encode()
            elif stub.mode in shapes:
                kind, data = shapes[stub.mode]
            else:
                kind, data = _answer(path, request.body, stub.mode == "empty")
                if stub.mode == "midway":
                    data = _midway(path, data, credential)
                if stub.mode == "unfit":
                    data = data.replace(b"city", b"town")
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.close_connection = self.close_connection or stub.mode == "cut"
            if stub.code and status >= 400:
                self.send_header("x-amzn-errortype", stub.code)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if stub.mode == "cut" else data)

        def do_PUT(self) -> None:
            """Change the stub's behaviour from another process: PUT /429."""
            stub.mode = self.path.strip("/")
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has lost patience closes the connection; that is what some tests are about."""


@pytest.fixture(scope="session")
def _running() -> Iterator[Stub]:
    stub = Stub()
    server = _Server(("127.0.0.1", 0), _handler(stub))
    stub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield stub
    stub.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all, as a notebook has one: the clients keep connections that belong to theirs."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No provider is set up, and nothing of this machine's own set-up is read."""
    for name in PROVIDER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")
    return monkeypatch


@pytest.fixture
def stub(_running: Stub, bare_environment: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The server, with every provider pointed at it and the planted key in each key variable."""
    for name, value in environment(_running.address).items():
        bare_environment.setenv(name, value)
    _running.mode, _running.code = "answer", ""
    _running.requests.clear()
    _running.released.clear()
    yield _running
    _running.released.set()
