"""Recorded answers: found by the whole request, whole on disk, and nothing invented where there is none."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import orjson
import pytest
from nbclient import NotebookClient
from pydantic import BaseModel

from carelab import llm
from carelab.build import pipeline
from carelab.build.execute import execute, kernel_environment
from carelab.errors import UserError
from carelab.llm import chat, recordings, trial, weights
from carelab.llm.catalogue import OpenWeights, catalogue, open_weights
from carelab.llm.recordings import Recording, canonical, key
from carelab.paths import RECORDINGS

BODY = {"messages": [{"role": "user", "content": "What is a payer?"}], "temperature": 0.0, "max_tokens": 64, "seed": 1}
RESPONSE = {
    "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Who pays."}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}
ENTRY = Recording(key(BODY), "2026-11-21", 1.5, ("week_04/lesson",), canonical(BODY), RESPONSE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with one recording of the default model, in the place of the real one; no live model."""
    model = open_weights()
    recordings.write(model, {"sha256": model.sha256}, [ENTRY], tmp_path)
    read = recordings.recordings
    monkeypatch.setattr(chat, "recordings", lambda wanted: read(wanted, tmp_path))
    monkeypatch.setattr(weights, "installed", lambda wanted: False)
    yield tmp_path
    recordings._read.cache_clear()


def ask(text: str = "What is a payer?", **options: object) -> object:
    return llm.chat_model("recorded", max_tokens=64, **options).invoke(text)  # type: ignore[arg-type]


def test_a_recorded_prompt_is_answered_with_what_was_recorded(folder):
    answer = ask()
    assert answer.content == "Who pays."
    assert answer.usage_metadata["output_tokens"] == 3
    assert (answer.response_metadata["seconds"], answer.response_metadata["recorded"]) == (1.5, True)
    assert asyncio.run(llm.chat_model("recorded", max_tokens=64).ainvoke("What is a payer?")).content == "Who pays."
    assert [part.content for part in llm.chat_model("recorded", max_tokens=64).stream("What is a payer?")] == [
        "Who pays."
    ]


class Form(BaseModel):
    term: str


@pytest.mark.parametrize(
    "change",
    [
        lambda: ask("What is a payer"),
        lambda: ask(temperature=0.5),
        lambda: ask(stop=["."]),
        lambda: llm.chat_model("recorded", max_tokens=65).invoke("What is a payer?"),
        lambda: llm.chat_model("recorded:smollm2-135m", max_tokens=64).invoke("What is a payer?"),
        lambda: llm.chat_model("recorded", max_tokens=64).invoke(
            [("system", "Be brief."), ("user", "What is a payer?")]
        ),
        lambda: llm.chat_model("recorded", max_tokens=64).with_structured_output(Form).invoke("What is a payer?"),
        lambda: llm.chat_model("recorded", max_tokens=64).bind_tools([trial.find_policy]).invoke("What is a payer?"),
    ],
)
def test_any_other_request_gets_a_sentence_and_no_answer(folder, change):
    with pytest.raises(UserError, match=r"No answer to this prompt was recorded.*nothing here makes one up") as caught:
        change()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["recordd", "openai", "local model"])
def test_a_name_that_is_none_is_told_what_there_is(name):
    with pytest.raises(UserError, match="`recorded`, `local` or a provider's model") as caught:
        llm.chat_model(name)
    assert name in str(caught.value)


def test_outside_builds_the_sentence_names_the_command_that_lets_the_model_answer(folder, monkeypatch):
    monkeypatch.delenv("CARELAB_LLM", raising=False)
    with pytest.raises(UserError, match=r"python -m carelab model install` once \(1\.1 GB\)"):
        llm.chat_model().invoke("Something new")


def test_an_installed_model_answers_what_was_not_recorded_but_only_where_it_may(folder, monkeypatch):
    class Live:
        def complete(self, body):
            words = {"role": "assistant", "content": f"live: {body['messages'][0]['content']}"}
            return RESPONSE | {"choices": [{"index": 0, "finish_reason": "stop", "message": words}]}

    monkeypatch.setattr(weights, "installed", lambda wanted: True)
    monkeypatch.setattr(chat, "local", lambda name: Live())
    monkeypatch.delenv("CARELAB_LLM", raising=False)
    answer = llm.chat_model(max_tokens=64).invoke("Something new")
    assert answer.content == "live: Something new" and answer.response_metadata["recorded"] is False
    assert llm.chat_model(max_tokens=64).invoke("What is a payer?").content == "Who pays."
    assert llm.chat_model("local", max_tokens=64).invoke("What is a payer?").content == "live: What is a payer?"
    with pytest.raises(UserError, match="No answer"):
        llm.chat_model("recorded", max_tokens=64).invoke("Something new")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda text: text[:-20], "damaged"),
        (lambda text: text.replace(b"What is a payer", b"What is a player"), "changed after it was recorded"),
        (lambda text: text.replace(open_weights().sha256.encode(), b"0" * 64), "of another model"),
        (lambda text: b"", "damaged"),
    ],
)
def test_a_damaged_or_edited_file_is_refused(folder, spoil, sentence):
    path = folder / f"{open_weights().name}.jsonl"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=sentence):
        ask()


def test_writing_twice_gives_the_same_bytes_whatever_the_order(tmp_path):
    other = {**BODY, "messages": [{"role": "user", "content": "And a claim?"}]}
    entries = [ENTRY, Recording(key(other), "2026-11-21", 2.0, (), canonical(other), RESPONSE)]
    model = open_weights()
    first = recordings.write(model, {"sha256": model.sha256}, entries, tmp_path).read_bytes()
    assert recordings.write(model, {"sha256": model.sha256}, entries[::-1], tmp_path).read_bytes() == first


def test_a_request_is_the_same_request_however_it_is_spelt():
    spelt = {"stream": False, "user": "me", **BODY, "max_completion_tokens": 64, "tools": None, "n": 1}
    del spelt["max_tokens"]
    spelt["messages"] = [{"content": "What is a payer?", "role": "user", "name": None}]
    assert key(spelt) == key(BODY)
    assert key({**BODY, "temperature": 0.1}) != key(BODY)


# --- what is committed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", catalogue().models.values(), ids=lambda model: model.name)
def test_the_committed_recordings_say_where_they_come_from(model: OpenWeights):
    found = recordings.recordings(model)
    assert found.header["sha256"] == model.sha256
    for name in ("model", "file", "licence", "author", "runtime", "settings", "tool_calls"):
        assert found.header[name], name
    for entry in found.answers.values():
        assert entry.recorded >= "2026-11-21" and entry.asked_by and entry.seconds > 0
        assert entry.response["choices"][0]["message"] and entry.response["usage"]["completion_tokens"] > 0
        assert {"messages", "temperature", "max_tokens", "seed"} <= entry.request.keys()


@pytest.mark.parametrize("model", catalogue().models)
def test_every_prompt_of_the_trial_has_its_recorded_answer(model):
    replies = {case.name: case.ask(f"recorded:{model}") for case in trial.cases()}
    assert len(replies) == 20
    assert [name for name, reply in replies.items() if "was recorded" in reply.text] == []
    # Whoever answers, a reply in a form is whole or is said to have been cut off.
    cut = [reply.text for reply in replies.values() if reply.failed]
    assert all("stopped at the limit of tokens" in text for text in cut)


def test_the_larger_model_is_worth_its_size_on_the_trial():
    right = {
        name: sum(case.ask(f"recorded:{name}").right is True for case in trial.cases()) for name in catalogue().models
    }
    assert right["qwen2.5-coder-1.5b"] > right["smollm2-135m"], right


def test_no_recorded_answer_is_asked_for_by_nobody():
    askers = {"trial", *(pipeline.key(text) for text in pipeline.texts() if pipeline.uses_models(text))}
    for model in catalogue().models.values():
        for entry in recordings.recordings(model).answers.values():
            assert set(entry.asked_by) <= askers, f"{entry.key}: run `make record`"


# --- notebooks -----------------------------------------------------------------------------------------------------


def notebook(code: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])


def test_a_notebook_with_an_unrecorded_prompt_does_not_build():
    code = "from carelab import llm\nllm.chat_model().invoke('Nobody has ever asked this.')"
    with pytest.raises(UserError, match=r"week_04/lesson: a cell failed with UserError: No answer to this prompt"):
        execute(notebook(code), "week_04/lesson")


def test_a_reader_who_edits_a_prompt_sees_a_sentence_and_no_traceback(tmp_path):
    code = "from carelab import llm\nllm.chat_model().invoke('Nobody has ever asked this.')"
    ran = notebook(code)
    with kernel_environment():
        NotebookClient(
            ran, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": tmp_path}}
        ).execute()
    (shown,) = ran.cells[0].outputs
    assert shown.output_type == "error"
    (line,) = shown.traceback
    assert line == shown.evalue and line.startswith("No answer to this prompt was recorded")


def test_a_notebook_with_recorded_prompts_builds_the_same_twice():
    code = "from carelab.llm import trial\nprint([case.ask().text for case in trial.cases()[:3]])"
    outputs = [execute(notebook(code), "x").cells[0].outputs[0]["text"] for _ in range(2)]
    assert outputs[0] == outputs[1]


def test_only_notebooks_that_use_models_depend_on_the_recordings(tmp_path, monkeypatch):
    with_model, without = tmp_path / "a.py", tmp_path / "b.py"
    with_model.write_text("from carelab import llm")
    without.write_text("from carelab import fhir")
    copy = tmp_path / "recordings"
    shutil.copytree(RECORDINGS, copy)
    monkeypatch.setattr(pipeline, "RECORDINGS", copy)

    def prints() -> tuple[str, str]:
        pipeline._models_digest.cache_clear()
        return pipeline.fingerprint(with_model, "library"), pipeline.fingerprint(without, "library")

    before = prints()
    next(copy.glob("*.jsonl")).write_bytes(orjson.dumps({}))
    after = prints()
    pipeline._models_digest.cache_clear()
    assert before[0] != after[0] and before[1] == after[1]
