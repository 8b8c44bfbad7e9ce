"""The open model itself, running in this process: llama.cpp, called without a network."""

from __future__ import annotations

import secrets
import threading
from functools import cache
from importlib.metadata import version
from time import perf_counter

from carelab.errors import UserError
from carelab.llm import tools, weights
from carelab.llm.catalogue import OpenWeights, Settings, catalogue, open_weights
from carelab.llm.recordings import Body

_one_at_a_time = threading.Lock()


class LocalModel:
    """A loaded model. `load_seconds` includes checking the file's sha256."""

    def __init__(self, model: OpenWeights, settings: Settings):
        """Load the weights. Raises UserError when they are missing, wrong, or do not load."""
        import xllamacpp

        if not weights.installed(model):
            raise UserError(f"{model.title} is not installed: run `python -m carelab model install {model.name}` once.")
        started = perf_counter()
        weights.verify(model)
        params = xllamacpp.CommonParams()
        params.model.path = str(model.path)
        params.n_ctx = settings.context
        params.n_parallel = 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
        # With a cache of earlier prompts, the same prompt can give another answer.
        params.cache_prompt, params.cache_ram_mib, params.cache_idle_slots = False, 0, False
        params.warmup, params.verbosity, params.offline, params.ui = False, 0, True, False
        # The runtime opens a port on this machine that we do not use; nobody else gets in without this.
        params.api_keys = [secrets.token_urlsafe(24)]
        try:
            self._server = xllamacpp.Server(params)
        except Exception as error:
            raise UserError(
                f"{model.title} could not be loaded; it needs {model.memory_gb:.1f} GB of free memory."
            ) from error
        self.settings = settings
        self.load_seconds = perf_counter() - started

    def complete(self, body: Body) -> Body:
        """Answer a canonical request; the response carries llama.cpp's own `timings` (milliseconds, tokens per second).

        Raises UserError when prompt and answer do not fit into the context.
        """
        asked = {"temperature": 0.0, **tools.without_tools(body), "seed": body.get("seed", self.settings.seed)}
        # One at a time: the model has one slot, and a second request would wait in it anyway.
        with _one_at_a_time:
            response: Body = self._server.handle_chat_completions(asked)
        if "error" in response or "choices" not in response:
            message = str(response.get("error", response))
            if "context" in message or "exceed" in message:
                raise UserError(
                    f"This prompt is too long for the model, which reads {self.settings.context} tokens (about three "
                    "quarters as many words); give it fewer or shorter passages."
                )
            raise UserError(f"The local model could not take this request: {message[:200]}")
        return tools.with_calls(response, body)


def local(name: str | None = None) -> LocalModel:
    """The model of that name, loaded once in a process."""
    with _one_at_a_time:
        return _load(open_weights(name).name)


@cache
def _load(name: str) -> LocalModel:
    return LocalModel(open_weights(name), catalogue().settings)


def runtime() -> str:
    """Name and version of what runs the models."""
    return f"xllamacpp {version('xllamacpp')}"
