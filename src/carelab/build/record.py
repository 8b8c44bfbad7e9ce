"""Renew the recorded answers: run everything that sends prompts, ask the live model for what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from carelab.build import pipeline, source
from carelab.build.execute import execute
from carelab.errors import UserError
from carelab.llm import notes, recordings, tools, trial, weights
from carelab.llm.catalogue import OpenWeights, catalogue
from carelab.llm.local import runtime
from carelab.llm.notes import Notes
from carelab.llm.recordings import Body, Recording
from carelab.paths import CACHE, RECORDINGS

_NOTES = CACHE / "recording"


def renew(again: bool = False, folder: Path = RECORDINGS) -> Iterator[str]:
    """Bring data/recordings/ up to date; yields what to tell the person.

    A recorded answer is used again unless `again` is true or the model, its settings or the form of its tool calls have
    changed. An answer whose prompt nobody sends any more is dropped. Interrupted, the next run goes on. Raises UserError
    when the live model is needed and not installed.
    """
    missing = [model.name for model in catalogue().models.values() if not weights.installed(model)]
    if missing:
        raise UserError(f"Recording needs the live model: run `python -m carelab model install {missing[0]}` first.")
    stale = [model.name for model in catalogue().models.values() if _is_stale(model, folder)]
    os.environ |= {notes.FOLDER: str(_NOTES), notes.ALL: "1" if again or stale else "0"}
    try:
        yield f"The trial: {len(trial.cases())} prompts to each model."
        os.environ[notes.ASKER] = "trial"
        for name in catalogue().models:
            for case in trial.cases():
                case.ask(f"recorded:{name}")
        for text in pipeline.texts():
            if pipeline.uses_models(text):
                yield f"Running {pipeline.key(text)}."
                os.environ[notes.ASKER] = pipeline.key(text)
                execute(source.read(text).notebook, pipeline.key(text))
    finally:
        for name in (notes.FOLDER, notes.ALL, notes.ASKER):
            os.environ.pop(name, None)
    for model in catalogue().models.values():
        before = recordings.recordings(model, folder).answers
        after = merged(Notes(_NOTES).entries(model))
        recordings.write(model, header(model), after.values(), folder)
        new = sum(1 for name, entry in after.items() if before.get(name) != entry)
        yield f"{model.name}: {len(after)} answers, {new} new or renewed, {len(before.keys() - after.keys())} dropped."
    shutil.rmtree(_NOTES)


def merged(noted: list[Recording]) -> dict[str, Recording]:
    """One recording for each request, with all who asked it."""
    found: dict[str, Recording] = {}
    for entry in noted:
        earlier = found.get(entry.key, entry)
        found[entry.key] = replace(earlier, asked_by=tuple(sorted({*earlier.asked_by, *entry.asked_by})))
    return found


def header(model: OpenWeights) -> Body:
    """What a recordings file says about itself in its first line."""
    return {
        "model": model.title,
        "file": model.file,
        "sha256": model.sha256,
        "licence": model.licence,
        "author": model.author,
        "runtime": runtime(),
        "settings": catalogue().settings.model_dump(),
        "tool_calls": tools.FORMAT,
        "machine": _machine(),  # what the seconds of each answer are worth
    }


def _machine() -> str:
    """The processor and its cores, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def _is_stale(model: OpenWeights, folder: Path) -> bool:
    now, before = header(model), recordings.recordings(model, folder).header
    return bool(before) and any(now[name] != before.get(name) for name in ("sha256", "settings", "tool_calls"))
