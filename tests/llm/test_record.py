"""`make record`: asks for what is missing, keeps what is asked for, drops the rest, and goes on after an interruption."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carelab.build import pipeline, record
from carelab.errors import UserError
from carelab.llm import chat, recordings, trial, weights
from carelab.llm.catalogue import open_weights
from carelab.llm.trial import Case

MODEL = open_weights()


class Live:
    """In the live model's place: answers with a number that grows, and can give up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails_at = 0

    def complete(self, body):
        self.asked.append(body["messages"][-1]["content"])
        if len(self.asked) == self.fails_at:
            raise KeyboardInterrupt
        words = {"role": "assistant", "content": f"answer {len(self.asked)}"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "finish_reason": "stop", "message": words}
        return {"object": "chat.completion", "choices": [choice], "usage": usage}


def case(text: str) -> Case:
    return Case(text, [("user", text)], "", lambda _: None)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    """A recording run on two prompts, an empty folder and no notebooks."""
    model = Live()
    read = recordings.recordings
    monkeypatch.setattr(chat, "local", lambda name: model)
    monkeypatch.setattr(chat, "recordings", lambda wanted: read(wanted, tmp_path / "recordings"))
    monkeypatch.setattr(weights, "installed", lambda wanted: True)
    monkeypatch.setattr(record, "_NOTES", tmp_path / "notes")
    monkeypatch.setattr(pipeline, "texts", lambda weeks=(): [])
    monkeypatch.setattr(record, "catalogue", lambda: One())
    ask_for(monkeypatch, "first", "second")
    return model


class One:
    """A catalogue of one model."""

    def __init__(self) -> None:
        from carelab.llm.catalogue import catalogue

        self.models, self.settings = {MODEL.name: MODEL}, catalogue().settings


def ask_for(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    monkeypatch.setattr(trial, "cases", lambda: tuple(map(case, texts)))


def renewed(tmp_path: Path, again: bool = False) -> dict[str, str]:
    """Prompt and answer of everything recorded, after a run."""
    list(record.renew(again, tmp_path / "recordings"))
    found = recordings.recordings(MODEL, tmp_path / "recordings").answers.values()
    assert nothing_left_set()
    return {
        entry.request["messages"][0]["content"]: entry.response["choices"][0]["message"]["content"] for entry in found
    }


def nothing_left_set() -> bool:
    return not any(name.startswith("CARELAB_RECORD") for name in os.environ)


def test_only_what_is_new_is_asked_and_only_what_is_asked_stays(live, tmp_path, monkeypatch):
    assert renewed(tmp_path) == {"first": "answer 1", "second": "answer 2"}
    assert renewed(tmp_path) == {"first": "answer 1", "second": "answer 2"}
    ask_for(monkeypatch, "second", "third")
    assert renewed(tmp_path) == {"second": "answer 2", "third": "answer 3"}
    assert live.asked == ["first", "second", "third"]


def test_all_can_be_asked_again(live, tmp_path):
    renewed(tmp_path)
    assert renewed(tmp_path, again=True) == {"first": "answer 3", "second": "answer 4"}


def test_an_interrupted_run_keeps_what_it_has_and_leaves_the_file_alone(live, tmp_path):
    renewed(tmp_path)
    before = (tmp_path / "recordings" / f"{MODEL.name}.jsonl").read_bytes()
    live.fails_at = 4
    with pytest.raises(KeyboardInterrupt):
        renewed(tmp_path, again=True)
    assert (tmp_path / "recordings" / f"{MODEL.name}.jsonl").read_bytes() == before
    assert nothing_left_set()
    live.fails_at = 0
    assert renewed(tmp_path, again=True) == {"first": "answer 3", "second": "answer 5"}


@pytest.mark.parametrize("part", ["settings", "tool_calls"])
def test_answers_made_in_another_way_are_asked_again(live, tmp_path, part):
    renewed(tmp_path)
    found = recordings.recordings(MODEL, tmp_path / "recordings")
    recordings.write(MODEL, found.header | {part: "another"}, found.answers.values(), tmp_path / "recordings")
    assert renewed(tmp_path) == {"first": "answer 3", "second": "answer 4"}


def test_without_the_model_nothing_is_touched(live, tmp_path, monkeypatch):
    renewed(tmp_path)
    monkeypatch.setattr(weights, "installed", lambda wanted: False)
    with pytest.raises(UserError, match="python -m carelab model install"):
        renewed(tmp_path)
    assert len(recordings.recordings(MODEL, tmp_path / "recordings")) == 2


def test_what_two_notebooks_ask_stands_once_with_both_names(live, tmp_path):
    renewed(tmp_path)
    entry = next(iter(recordings.recordings(MODEL, tmp_path / "recordings").answers.values()))
    other = recordings.Recording(**{**entry.__dict__, "asked_by": ("week_04/lesson",)})
    assert record.merged([entry, other, entry])[entry.key].asked_by == ("trial", "week_04/lesson")


def test_a_key_in_the_environment_gets_into_no_recording(live, tmp_path, monkeypatch):
    planted = "sk-planted-0123456789abcdef"
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, planted)
    renewed(tmp_path)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not any(planted.encode() in content for content in written)
