"""`chat_model`: one function for recorded answers, the local open model, and a provider's model.

The open models are reached through LangChain's own OpenAI client, whose requests end in this process instead of on a
network: recorded answers and the live model so pass through the same code as a provider's, with tools and schemas.
"""

from __future__ import annotations

import asyncio
import os
from time import perf_counter
from typing import Any, ClassVar, Literal

import httpx
import orjson
from langchain_core.language_models import BaseChatModel
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from carelab.errors import UserError
from carelab.llm import weights
from carelab.llm.catalogue import OpenWeights, catalogue, open_weights
from carelab.llm.failures import PlainErrors, Remote
from carelab.llm.local import local
from carelab.llm.notes import Notes
from carelab.llm.providers import hosted_chat
from carelab.llm.recordings import Body, canonical, key, recordings

Mode = Literal["recorded", "recorded or local", "local"]
_NOWHERE = "http://in-this-process.invalid/v1"


def chat_model(
    name: str | None = None, *, temperature: float | None = 0.0, max_tokens: int | None = 512, **options: Any
) -> BaseChatModel:
    """A LangChain chat model, by name; without one, by the environment variable CARELAB_LLM.

    - unset: recorded answers of the course's open model; a prompt that was not recorded goes to the live model if it is
      installed
    - `recorded` or `recorded:smollm2-135m`: recorded answers and nothing else
    - `local` or `local:smollm2-135m`: the live open model, always
    - `openai:…`, `azure_openai:…`, `anthropic:…`, `bedrock:…`, `ollama:…`: what your organisation bought; the key comes
      from the environment

    `max_tokens` limits the answer; `temperature` 0 asks for the most likely words; None leaves either to the model, as some
    of the newer ones of providers demand. Raises UserError, a sentence, when the
    name, the key or the model is missing; so do the calls of the model.
    """
    wanted = name or os.environ.get("CARELAB_LLM") or "recorded or local"
    kind, _, rest = wanted.partition(":")
    if kind in ("recorded", "recorded or local", "local"):
        return _open_model(kind, open_weights(rest or None), temperature, max_tokens, options)  # type: ignore[arg-type]
    if not rest:
        raise UserError(
            f"What answers is `recorded`, `local` or a provider's model as in `openai:NAME`, not `{wanted}`."
        )
    return hosted_chat(wanted, temperature=temperature, max_tokens=max_tokens, **options)


class OpenChatModel(PlainErrors, ChatOpenAI):
    """An open model, recorded or live, as a LangChain chat model.

    Each answer's `response_metadata` has `seconds`, the time the model took (when it was recorded, if it was), and
    `recorded`.
    """

    plain_remote: ClassVar[Remote | None] = Remote("The open model")

    @property
    def _llm_type(self) -> str:
        return "carelab-open-model"

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        facts = response.get("carelab") if isinstance(response, dict) else (response.model_extra or {}).get("carelab")
        for generation in result.generations:
            generation.message.response_metadata.update(facts or {})
        return result

    def get_token_ids(self, text: str) -> list[int]:
        """Not offered: LangChain would fetch another model's tokenizer. Raises UserError."""
        raise UserError("Tokens are counted by the model itself: see `usage_metadata` of an answer.")

    def get_num_tokens_from_messages(self, messages: Any, tools: Any = None, **options: Any) -> int:
        """As `get_token_ids`."""
        raise UserError("Tokens are counted by the model itself: see `usage_metadata` of an answer.")


def _open_model(
    mode: Mode, weights_: OpenWeights, temperature: float | None, max_tokens: int | None, options: dict[str, Any]
) -> OpenChatModel:
    transport = Answers(weights_, mode)
    return OpenChatModel(
        model=weights_.name,
        base_url=_NOWHERE,
        api_key=SecretStr("none"),
        temperature=temperature,
        max_completion_tokens=max_tokens,
        seed=catalogue().settings.seed,
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
        use_responses_api=False,
        disable_streaming=True,
        http_socket_options=(),  # else a proxy in the environment gives a warning about a network we do not use
        max_retries=0,
        **options,
    )


class Answers(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes the place of the network: looks a request up, or hands it to the model in this process."""

    def __init__(self, model: OpenWeights, mode: Mode):
        self.model, self.mode = model, mode
        self.notes = Notes.of_this_run()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of the OpenAI client."""
        return httpx.Response(200, json=self.answer(orjson.loads(request.read())))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As `handle_request`, without keeping others waiting."""
        return await asyncio.to_thread(self.handle_request, request)

    def answer(self, body: Body) -> Body:
        """The response to a request, recorded or live. Raises UserError when there is neither."""
        asked = canonical(body)
        if self.mode == "local":
            return self._live(asked)
        known = recordings(self.model).find(asked)
        if self.notes:
            known = self.notes.known(self.model, asked, known)
        if known:
            facts = {"seconds": known.seconds, "recorded": True}
            return {**known.response, "id": known.key, "model": self.model.name, "created": 0, "carelab": facts}
        if self.notes:
            response = self._live(asked)
            self.notes.keep(self.model, asked, response, response["carelab"]["seconds"])
            return response
        if self.mode == "recorded or local" and weights.installed(self.model):
            return self._live(asked)
        raise UserError(self._unrecorded())

    def _live(self, asked: Body) -> Body:
        model = local(self.model.name)
        started = perf_counter()  # the answer's own time; loading happens once and is not an answer's
        response = model.complete(asked)
        facts = {"seconds": round(perf_counter() - started, 3), "recorded": False}
        return {**response, "id": key(asked), "model": self.model.name, "carelab": facts}

    def _unrecorded(self) -> str:
        start = "No answer to this prompt was recorded, and nothing here makes one up: put the prompt back as it was"
        if self.mode == "recorded":
            return f"{start}, choose a model that can answer (CARELAB_LLM), or, as an author, run `make record`."
        return (
            f"{start}, or run `python -m carelab model install` once ({self.model.size}) to let the open model answer it "
            "on this computer."
        )
