"""How long `check("…")` takes in a real kernel, for every exercise of the course, and how long the desk reads progress.

Run it by hand: `python benchmarks/check.py`. Timings are no test.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

from carelab import curriculum
from carelab.grading.rebuild import graded, read_notebook
from carelab.learner import hints, progress
from carelab.paths import RELEASE, SOLUTIONS

ROUNDS = 9
TIMED = """
import contextlib as _c, io as _i, time as _t
_seconds = []
with _c.redirect_stdout(_i.StringIO()) as _said:
    for _ in range({rounds}):
        _began = _t.perf_counter()
        check("{name}")
        _seconds.append(_t.perf_counter() - _began)
"""


def latencies(week: str, stem: str) -> dict[str, list[float]]:
    """Seconds of each call, by exercise: in a kernel that ran the complete notebook up to the exercise's own cell."""
    found: dict[str, list[float]] = {}
    place = tempfile.TemporaryDirectory()  # for what a project keeps
    manager, client = start_new_kernel(extra_arguments=["--log-level=ERROR"], cwd=place.name)
    try:

        def run(code: str) -> None:
            reply = client.execute_interactive(code, timeout=120, output_hook=lambda _: None)
            assert reply["content"]["status"] == "ok", reply["content"]

        for cell in read_notebook(SOLUTIONS / week / f"{stem}.ipynb").cells:
            if cell.cell_type != "code":
                continue
            run(cell.source)
            entry = graded(cell)
            if entry and entry["solution"]:
                name = entry["grade_id"]
                run("from carelab import check")  # as in the notebook's first cell
                run(TIMED.format(rounds=ROUNDS, name=name))
                told = client.execute_interactive(
                    "", user_expressions={"s": "_seconds", "w": "_said.getvalue()"}, output_hook=lambda _: None
                )
                values = told["content"]["user_expressions"]
                assert "Passed." in values["w"]["data"]["text/plain"], (name, values["w"])
                found[name] = json.loads(values["s"]["data"]["text/plain"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        place.cleanup()
    return found


def imports() -> list[float]:
    """Seconds that `from carelab import check, hint` adds to a Python that starts."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code])
        return time.perf_counter() - began

    seconds("from carelab import check, hint")
    return [seconds("from carelab import check, hint") - seconds("pass") for _ in range(ROUNDS)]


def readings() -> tuple[list[float], list[float]]:
    """Seconds of progress.read() for twelve weeks, all there and all checked: with a cold and with a warm cache."""
    course = curriculum.load()
    ready = next(week for week in course.weeks if week.ready)
    tasks = json.loads((RELEASE / ready.folder / "exercises.json").read_text(encoding="utf-8"))
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        release, workspace = Path(folder) / "release", Path(folder) / "work"
        results = {}
        for week in course.weeks:
            shutil.copytree(SOLUTIONS / ready.folder, workspace / week.folder)  # with outputs, as a learner's are
            shutil.copytree(RELEASE / ready.folder, release / week.folder)
            (release / week.folder / "exercises.json").write_text(json.dumps(tasks))
            checks = {name: {"status": "passed", "earned": 1.0, "message": "", "answer": "?"} for name in tasks}
            results[week.folder] = {"checked_at": "2026-07-01T00:00:00+00:00", "checks": checks}
        (workspace / ".carelab").mkdir()
        (workspace / ".carelab" / "results.json").write_text(json.dumps(results))
        full = dataclasses.replace(course, weeks=tuple(dataclasses.replace(w, status="ready") for w in course.weeks))
        progress.RELEASE, progress.load = release, lambda: full
        for _ in range(ROUNDS):
            progress._handed.cache_clear()
            for kept in (cold, warm):
                began = time.perf_counter()
                found = progress.read(workspace)
                kept.append(time.perf_counter() - began)
        assert sum(week.checks for week in found.weeks) == 12 * sum(
            task["kind"] != "written" for task in tasks.values()
        )
    return cold, warm


def main() -> None:
    print(f"from carelab import check, hint: {1000 * statistics.median(imports()):.0f} ms")
    print(
        f"\n{'exercise':26} {'first':>8} {'median':>8} {'worst':>8}   ms of check(), {ROUNDS} calls each, in a kernel"
    )
    every: list[float] = []
    notebooks = dict.fromkeys((task["week"], task["notebook"]) for task in hints.all_tasks().values())
    for week, stem in notebooks:
        for name, seconds in latencies(week, stem).items():
            every += seconds
            figures = (seconds[0], statistics.median(seconds), max(seconds))
            print(f"{name:26} " + " ".join(f"{1000 * figure:8.0f}" for figure in figures))
    print(f"{'all':26} {'':8} {1000 * statistics.median(every):8.0f} {1000 * max(every):8.0f}")
    cold, warm = readings()
    print(
        f"\nprogress.read(), twelve weeks: {1000 * statistics.median(cold):.0f} ms (worst {1000 * max(cold):.0f}) when every "
        f"notebook has changed, {1000 * statistics.median(warm):.0f} ms (worst {1000 * max(warm):.0f}) when none has"
    )


if __name__ == "__main__":
    main()
