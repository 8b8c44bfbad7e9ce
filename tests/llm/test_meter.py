"""Tokens, seconds and money of language-model calls."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

from carelab import llm
from carelab.errors import UserError


class Scripted(BaseChatModel):
    """Says how long it took, and how many tokens it used; or nothing of that; or fails."""

    model: str = "scripted"
    seconds: float | None = 2.0
    recorded: bool = True
    counted: bool = True
    broken: bool = False
    cached: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if self.broken:
            raise UserError("It is broken.")
        details = {"cache_read": self.cached}
        usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "input_token_details": details}
        told = {} if self.seconds is None else {"seconds": self.seconds, "recorded": self.recorded}
        message = AIMessage("fine", response_metadata=told, usage_metadata=usage if self.counted else None)
        return ChatResult(generations=[ChatGeneration(message=message)])


def test_each_call_is_a_row() -> None:
    with llm.metered() as usage:
        Scripted().invoke("Hello")
        Scripted(model="other", seconds=3.5, recorded=False).invoke("Hello")
    assert usage.calls.to_dict("records") == [
        {
            "model": model,
            "input_tokens": 100,
            "output_tokens": 10,
            "cached_tokens": 0,
            "reasoning_tokens": 0,
            "seconds": seconds,
            "recorded": recorded,
            "failed": False,
        }
        for model, seconds, recorded in [("scripted", 2.0, True), ("other", 3.5, False)]
    ]
    assert repr(usage) == "Usage: 2 calls, 200 input and 20 output tokens"


def test_only_what_is_inside_is_counted() -> None:
    Scripted().invoke("before")
    with llm.metered() as usage:
        pass
    Scripted().invoke("after")
    assert usage.calls.empty
    assert usage.totals.empty
    assert usage.latency.empty
    assert usage.cost({})["cost"].sum() == 0


def test_a_block_that_raises_stops_counting() -> None:
    with pytest.raises(ZeroDivisionError), llm.metered() as usage:
        1 / 0
    Scripted().invoke("after")
    assert usage.calls.empty


def test_a_failed_call_is_a_row_without_tokens() -> None:
    with llm.metered() as usage:
        Scripted().invoke("Hello")
        with pytest.raises(UserError):
            Scripted(broken=True).invoke("Hello")
    assert usage.calls["failed"].tolist() == [False, True]
    assert usage.calls["input_tokens"].isna().tolist() == [False, True]
    assert usage.totals.loc["scripted", ["calls", "failed", "input_tokens"]].tolist() == [2, 1, 100]
    assert usage.latency.loc["scripted", "n"] == 1
    assert usage.cost({"scripted": (1.0, 1.0)})["cost"].sum() == pytest.approx(110 / 1e6)


def test_time_is_measured_where_the_model_does_not_say() -> None:
    with llm.metered() as usage:
        Scripted(seconds=None).invoke("Hello")
    assert usage.calls["seconds"].between(0, 60, inclusive="neither").all()
    assert not usage.calls["recorded"].any()


def test_a_nested_meter_counts_for_both_and_once() -> None:
    @tool
    def ask_another(city: str) -> str:
        """Ask another model."""
        with llm.metered() as inner:
            Scripted(model="inner").invoke(city)
        assert len(inner.calls) == 1
        return "done"

    with llm.metered() as outer:
        Scripted(model="outer").invoke("Hello")
        ask_another.invoke({"city": "Chicago"})
        with llm.metered() as second:
            Scripted(model="second").invoke("Hello")
        Scripted(model="outer").invoke("Hello")
    assert outer.calls["model"].tolist() == ["outer", "inner", "second", "outer"]
    assert second.calls["model"].tolist() == ["second"]


def test_batches_threads_and_tasks_are_counted() -> None:
    model = Scripted()

    async def several() -> None:
        await model.abatch(["Hello"] * 20)
        await asyncio.gather(*(model.ainvoke("Hello") for _ in range(20)))

    with llm.metered() as usage:
        model.batch(["Hello"] * 20, config={"max_concurrency": 8})
        asyncio.run(several())
        with ThreadPoolExecutor(4) as pool:
            for _ in range(20):
                pool.submit(contextvars.copy_context().run, model.invoke, "Hello")
    assert usage.totals.loc["scripted", ["calls", "input_tokens"]].tolist() == [80, 8000]


def test_two_meters_in_two_threads_do_not_mix() -> None:
    seen: dict[str, list[str]] = {}
    together = threading.Barrier(2, timeout=20)

    def work(name: str) -> None:
        with llm.metered() as usage:
            together.wait()
            Scripted(model=name).batch(["Hello"] * 5)
            together.wait()
        seen[name] = usage.calls["model"].unique().tolist()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert seen == {"one": ["one"], "two": ["two"]}


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-test"),
        ("azure_openai", "our-deployment"),
        ("anthropic", "claude-test"),
        ("bedrock", "anthropic.claude-3-test-v1:0"),
        ("ollama", "llama-test"),
    ],
)
def test_a_providers_calls_are_counted_by_the_name_that_was_asked_for(stub: Any, provider: str, name: str) -> None:
    model = stub.chat(provider)
    with llm.metered() as usage:
        model.invoke("Hello")
        list(model.stream("Hello"))
        stub.mode = "429"
        with pytest.raises(UserError):
            model.invoke("Hello")
    row = usage.totals.loc[name]
    assert [row[column] for column in ("calls", "failed", "uncounted")] == [3, 1, 0]
    assert [row[column] for column in ("input_tokens", "output_tokens")] == [24, 12]


def test_cached_and_reasoning_tokens_are_parts_of_the_others(stub: Any) -> None:
    with llm.metered() as usage:
        stub.chat("openai").invoke("Hello")
    tokens = usage.calls[["input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"]]
    assert tokens.values.tolist() == [[12, 4, 6, 2]]
    whole = usage.cost({"gpt-test": llm.Price(input=3, output=15)})["cost"].sum()
    assert whole == pytest.approx((12 * 3 + 6 * 15) / 1e6)
    less = usage.cost({"gpt-test": llm.Price(input=3, output=15, cached_input=0.3)})["cost"].sum()
    assert less == pytest.approx((8 * 3 + 4 * 0.3 + 6 * 15) / 1e6)


def test_an_agents_calls_are_counted(stub: Any) -> None:
    @tool
    def count_beds(city: str) -> str:
        """How many beds a city has."""
        return "900"

    with llm.metered() as usage:
        create_agent(stub.chat("openai"), [count_beds]).invoke({"messages": [("user", "How many?")]})
    assert usage.totals.loc["gpt-test", "calls"] == 2


def test_latency_names_times_that_were_measured() -> None:
    with llm.metered() as usage:
        for seconds in range(1, 41):
            Scripted(seconds=float(seconds)).invoke("Hello")
        for seconds in (1.0, 9.0, 2.0):
            Scripted(model="few", seconds=seconds).invoke("Hello")
    assert usage.latency.loc["scripted"].tolist() == [40, 20.5, 38.0]
    assert usage.latency.loc["few"].tolist() == [3, 2.0, 9.0]


def test_a_missing_price_is_one_sentence() -> None:
    with llm.metered() as usage:
        Scripted().invoke("Hello")
        Scripted(model="other").invoke("Hello")
    with pytest.raises(UserError, match=r"no price for `scripted`: add .*\.$"):
        usage.cost({"other": (1, 1)})


def test_tokens_that_nobody_counted_have_no_cost() -> None:
    with llm.metered() as usage:
        Scripted(counted=False).invoke("Hello")
    with pytest.raises(UserError, match="without token counts"):
        usage.cost({"scripted": (1, 1)})
    machine = llm.Machine(watts=0, per_kwh=0, price=0)
    assert usage.cost({"scripted": machine})["cost"].sum() == 0  # a machine is paid by the second


def test_a_machines_second_costs_energy_and_its_share_of_the_price() -> None:
    energy_only = llm.Machine(watts=100, per_kwh=0.3, price=0)
    assert energy_only.cost(36_000) == pytest.approx(0.3)  # 100 W for ten hours is 1 kWh
    bought = llm.Machine(watts=0, per_kwh=0.3, price=1461, life_years=4, busy=0.5)
    assert bought.cost(24 * 3600) == pytest.approx(2.0)  # a dollar a day, and it works half of the day
    with llm.metered() as usage:
        Scripted(seconds=36_000.0).invoke("Hello")
    assert usage.cost({"scripted": energy_only})["cost"].tolist() == [pytest.approx(0.3)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: llm.Price(input=-1, output=1),
        lambda: llm.Price(input=1, output=float("nan")),
        lambda: llm.Machine(watts=-1, per_kwh=1, price=1),
        lambda: llm.Machine(watts=1, per_kwh=1, price=1, life_years=0),
        lambda: llm.Machine(watts=1, per_kwh=1, price=1, busy=0),
        lambda: llm.Machine(watts=1, per_kwh=1, price=1, busy=1.1),
    ],
)
def test_amounts_that_cannot_be_are_refused(wrong: Any) -> None:
    with pytest.raises(UserError):
        wrong()


def test_a_price_of_the_wrong_kind_is_one_sentence() -> None:
    with llm.metered() as usage:
        Scripted().invoke("Hello")
    for wrong in (3.0, (1, 2, 3, 4), (1,)):
        with pytest.raises(UserError, match="has to be a Price"):
            usage.cost({"scripted": wrong})  # type: ignore[dict-item]
