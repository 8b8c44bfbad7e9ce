"""What the calls to language models used: tokens, seconds, money.

`with metered() as usage:` counts every LangChain chat or text model called inside, chains and agents included, without a
change to them. Prices are the reader's own: they stand in a contract, differ between customers and change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.context import register_configure_hook

from carelab.errors import UserError

_TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
_COLUMNS = {
    "model": "string",
    "input_tokens": "Int64",  # missing where the provider reported none, as for a failed call
    "output_tokens": "Int64",
    "cached_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "seconds": "float64",
    "recorded": "bool",
    "failed": "bool",
}


@dataclass(frozen=True)
class Price:
    """What a contract says, in its currency per million tokens.

    input: tokens sent. output: tokens of the answer; reasoning that is not shown counts as output. cached_input: tokens
    sent that the provider still had from an earlier call; None charges them as any other input. What some providers add
    for keeping them is not included.
    """

    input: float
    output: float
    cached_input: float | None = None

    def __post_init__(self) -> None:
        _not_negative({"input": self.input, "output": self.output, "cached_input": self.cached_input or 0.0})


@dataclass(frozen=True)
class Machine:
    """What a second of one's own machine costs.

    watts: drawn from the wall while it answers. per_kwh: price of a kilowatt-hour. price: of the machine, spread evenly
    over life_years. busy: the share of its life, above 0 up to 1, in which it really works; an idle machine makes each
    second of work dearer. All amounts in one currency; nobody's time is included.
    """

    watts: float
    per_kwh: float
    price: float
    life_years: float = 4.0
    busy: float = 1.0

    def __post_init__(self) -> None:
        _not_negative({"watts": self.watts, "per_kwh": self.per_kwh, "price": self.price})
        if not self.life_years > 0 or not 0 < self.busy <= 1:
            raise UserError("A machine's life_years has to be above 0, and busy above 0 and at most 1.")

    def cost(self, seconds: float) -> float:
        """Cost of that many seconds of work: energy, and its share of the price."""
        energy = self.watts / 1000 * seconds / 3600 * self.per_kwh
        return energy + self.price * seconds / (self.life_years * 365.25 * 24 * 3600 * self.busy)


def _not_negative(amounts: Mapping[str, float]) -> None:
    for name, amount in amounts.items():
        if not amount >= 0:
            raise UserError(f"`{name}` has to be 0 or more, not {amount}.")


@dataclass(frozen=True)
class _Call:
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    seconds: float
    recorded: bool
    failed: bool


class Usage(BaseCallbackHandler):
    """The calls made inside one `with metered()`; readable while it runs and afterwards."""

    run_inline = True  # in the caller's thread also when asynchronous, so that waiting for a thread is not measured

    def __init__(self, outer: Usage | None = None) -> None:
        super().__init__()
        self._outer = outer
        self._lock = threading.Lock()
        self._open: dict[UUID, tuple[str, float]] = {}
        self._calls: list[_Call] = []

    def __repr__(self) -> str:
        frame = self.calls
        tokens = int(frame["input_tokens"].sum()), int(frame["output_tokens"].sum())
        return f"Usage: {len(frame)} calls, {tokens[0]} input and {tokens[1]} output tokens"

    # What LangChain calls. A nested meter passes everything on to the one around it, which knows a run by its id.

    def on_chat_model_start(self, serialized: dict[str, Any], messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note when a call began, and of which model."""
        self._start(serialized, run_id, kwargs)

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """As for chat models."""
        self._start(serialized, run_id, kwargs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Note what the call used."""
        self._end(run_id, response, failed=False)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note that the call failed."""
        self._end(run_id, None, failed=True)

    def _start(self, serialized: dict[str, Any] | None, run_id: UUID, kwargs: dict[str, Any]) -> None:
        told = {**(kwargs.get("metadata") or {}), **(kwargs.get("invocation_params") or {})}
        names = (told.get(key) for key in ("ls_model_name", "model_name", "model", "model_id"))
        name = next((name for name in names if isinstance(name, str) and name), "")
        with self._lock:
            self._open[run_id] = (name or (serialized or {}).get("name") or "", time.perf_counter())
        if self._outer:
            self._outer._start(serialized, run_id, kwargs)

    def _end(self, run_id: UUID, response: LLMResult | None, *, failed: bool) -> None:
        now = time.perf_counter()
        with self._lock:
            begun = self._open.pop(run_id, None)
            if begun is not None:
                self._calls.append(_call(begun[0], now - begun[1], response, failed))
        if self._outer:
            self._outer._end(run_id, response, failed=failed)

    # What a reader asks.

    @property
    def calls(self) -> pd.DataFrame:
        """One row a call: model, input_tokens, output_tokens, cached_tokens, reasoning_tokens, seconds, recorded, failed.

        cached_tokens are a part of input_tokens, reasoning_tokens of output_tokens. seconds are those the model took; for
        a recorded answer, those of the recording.
        """
        with self._lock:
            rows = [vars(call) for call in self._calls]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)

    @property
    def totals(self) -> pd.DataFrame:
        """One row a model: calls, failed, recorded, uncounted (answers without token counts), the tokens, seconds."""
        frame = self.calls
        frame["uncounted"] = frame["input_tokens"].isna() & ~frame["failed"]
        frame["calls"] = 1
        counts = ["calls", "failed", "recorded", "uncounted"]
        sums = frame.groupby("model", sort=True)[[*counts, *_TOKENS, "seconds"]].sum()
        return sums.astype(dict.fromkeys([*counts, *_TOKENS], "int64"))

    @property
    def latency(self) -> pd.DataFrame:
        """One row a model: n calls that did not fail, and their median and p95 in seconds.

        p95 is a time that was measured: the smallest that at least 95 % of the calls did not exceed. Below 20 calls
        that is the slowest one.
        """
        frame = self.calls
        times = frame[~frame["failed"]].groupby("model", sort=True)["seconds"]
        return pd.DataFrame(
            {
                "n": times.size(),
                "median": times.median(),
                "p95": times.agg(lambda values: float(np.quantile(values, 0.95, method="inverted_cdf"))),
            }
        )

    def cost(self, prices: Mapping[str, Price | Machine | tuple[float, float]]) -> pd.DataFrame:
        """One row a model: calls, input_tokens, output_tokens, seconds, cost; `["cost"].sum()` is the whole.

        prices: for each model by its name in `calls` a Price, a Machine, or (input, output) per million tokens, in one
        currency. A failed call has no token counts and costs nothing here. Raises UserError when a model has no price,
        or is priced by tokens and its provider did not report them: a total that is silently too low decides wrongly.
        """
        totals = self.totals
        missing = [f"`{model}`" for model in totals.index if model not in prices]
        if missing:
            raise UserError(f"There is no price for {', '.join(missing)}: add what your contract says to `prices`.")
        costs = [_cost(str(model), row, prices[str(model)]) for model, row in totals.iterrows()]
        return totals[["calls", "input_tokens", "output_tokens", "seconds"]].assign(cost=np.array(costs, dtype=float))


def _cost(model: str, total: pd.Series[Any], price: Price | Machine | tuple[float, float]) -> float:
    if isinstance(price, Machine):
        return price.cost(float(total["seconds"]))
    if not isinstance(price, Price):
        try:
            price = Price(*price)
        except TypeError:
            raise UserError(
                f"The price of `{model}` has to be a Price, a Machine, or two numbers: input and output per million tokens."
            ) from None
    if total["uncounted"]:
        raise UserError(
            f"{int(total['uncounted'])} answers of `{model}` came without token counts, so their cost is not known: "
            "count them by hand, or leave this model out."
        )
    cached = 0.0 if price.cached_input is None else float(total["cached_tokens"])
    plain = float(total["input_tokens"]) - cached
    million = plain * price.input + cached * (price.cached_input or 0.0) + float(total["output_tokens"]) * price.output
    return million / 1e6


def _call(name: str, measured: float, response: LLMResult | None, failed: bool) -> _Call:
    """One row from what LangChain reports; a recorded answer brings the seconds that the model once took."""
    generation = response.generations[0][0] if response and response.generations and response.generations[0] else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    told = getattr(message, "response_metadata", None) or {}
    used = getattr(message, "usage_metadata", None) or {}
    seconds = told.get("seconds")
    return _Call(
        model=str(name or told.get("model_name") or "unknown"),
        input_tokens=used.get("input_tokens"),
        output_tokens=used.get("output_tokens"),
        cached_tokens=(used.get("input_token_details") or {}).get("cache_read", 0) if used else None,
        reasoning_tokens=(used.get("output_token_details") or {}).get("reasoning", 0) if used else None,
        seconds=float(seconds) if isinstance(seconds, int | float) else measured,
        recorded=told.get("recorded") is True,
        failed=failed,
    )


# One variable and one hook for the process: LangChain keeps every hook it was ever given.
_metering: ContextVar[Usage | None] = ContextVar("carelab_metering", default=None)
register_configure_hook(_metering, inheritable=True)


@contextmanager
def metered() -> Iterator[Usage]:
    """Count the language-model calls made inside the `with` block, in its threads and tasks as well.

    Batches, chains and agents are counted, streams once they are read to the end. A thread that the block starts itself,
    outside of LangChain, has to be given the context (`contextvars.copy_context().run`).
    """
    usage = Usage(outer=_metering.get())
    token = _metering.set(usage)
    try:
        yield usage
    finally:
        _metering.reset(token)
