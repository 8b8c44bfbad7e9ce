"""The open models on this machine: load, speed, memory, forms that hold, and whether greedy answers repeat.

Run it by hand, with the models installed and nothing else running: `python benchmarks/models.py [trial] [forms]`, with
`--runs N` and `--notes N`. Each run is a process of its own; the recordings are one run more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from carelab.llm.catalogue import catalogue, open_weights
from carelab.llm.local import local
from carelab.llm.recordings import canonical, recordings
from carelab.llm.trial import TherapyNote, note_case, therapy_notes

ROOT = Path(__file__).resolve().parents[1]


def trial(name: str) -> dict[str, Any]:
    """The trial's prompts, asked live in this process: replies, tokens, seconds, memory."""
    model = local(name)
    entries = [entry for entry in recordings(open_weights(name)).answers.values() if "trial" in entry.asked_by]
    replies, timings = {}, []
    for entry in entries:
        response = model.complete(canonical(entry.request))
        replies[entry.key] = _text(response)
        timings.append(response["timings"])
    same = sum(replies[entry.key] == _text(entry.response) for entry in entries)
    return {
        "load": model.load_seconds,
        "prompt": _rate(timings, "prompt"),
        "written": _rate(timings, "predicted"),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "prompts": len(entries),
        "as recorded": same,
        "replies": replies,
    }


def _text(response: dict[str, Any]) -> Any:
    message = response["choices"][0]["message"]
    return message.get("content") or message["tool_calls"][0]["function"]


def _rate(timings: list[dict[str, float]], kind: str) -> float:
    return 1000 * sum(t[f"{kind}_n"] for t in timings) / sum(t[f"{kind}_ms"] for t in timings)


def extraction(notes: int) -> dict[str, Any]:
    """Referral notes to forms: how many keep to the schema, and which fields are right."""
    rows = therapy_notes().iloc[:notes]
    valid, right, seconds = 0, Counter[str](), 0.0
    for _, row in rows.iterrows():
        case = note_case(row)
        reply = case.ask("local")
        seconds += reply.seconds
        valid += not reply.failed
        if not reply.failed:
            form, wanted = json.loads(reply.text), json.loads(case.truth)
            right.update(name for name in TherapyNote.model_fields if form[name] == wanted[name])
    return {"notes": len(rows), "valid": valid, "right": dict(right), "seconds": seconds}


def _in_a_new_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return json.loads(done.stdout)


def compare(runs: int, console: Console) -> None:
    """Both models on the trial's prompts, `runs` times."""
    table = Table(
        "model", "load s", "prompt tokens/s", "written tokens/s", "peak GB", "as recorded", "same in all runs"
    )
    for name in catalogue().models:
        with console.status(f"{name}, {runs} runs"):
            found = [_in_a_new_process("trial", name) for _ in range(runs)]
        keys = found[0]["replies"]
        same = sum(all(run["replies"][key] == keys[key] for run in found) for key in keys)
        table.add_row(
            name,
            " ".join(f"{run['load']:.1f}" for run in found),
            " ".join(f"{run['prompt']:.0f}" for run in found),
            " ".join(f"{run['written']:.0f}" for run in found),
            f"{max(run['memory'] for run in found):.2f}",
            " ".join(f"{run['as recorded']}/{run['prompts']}" for run in found),
            f"{same}/{len(keys)}",
        )
    console.print(table)


def fill_in(notes: int, console: Console) -> None:
    """Referral notes to forms with the course's own model."""
    with console.status(f"{notes} notes to forms"):
        forms = _in_a_new_process("forms", str(notes))
    console.print(f"{forms['notes']} notes to forms: {forms['valid']} keep to the schema, {forms['seconds']:.0f} s")
    for field, count in forms["right"].items():
        console.print(f"  {field:16} {count}/{forms['notes']} right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", help="trial, forms; both when none is named")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--notes", type=int, default=60)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        kind, argument = asked.one
        print(json.dumps(trial(argument) if kind == "trial" else extraction(int(argument))))
        return
    console = Console(width=140)
    if not asked.part or "trial" in asked.part:
        compare(asked.runs, console)
    if not asked.part or "forms" in asked.part:
        fill_in(asked.notes, console)


if __name__ == "__main__":
    main()
