"""How long the command takes to start. Run it by hand: `python benchmarks/startup.py`. Timings are no test."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = getattr(sys, "_base_executable", sys.executable)  # the Python that the environment was made from
CASES = {
    "Python alone": [BASE, "-c", "pass"],
    "the command, in the environment": [sys.executable, "-c", "from carelab.cli import main; main(['--help'])"],
    "python -m carelab, in the environment": [sys.executable, "-m", "carelab", "--help"],
    "python -m carelab, through the shim": [BASE, "-m", "carelab", "--help"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    for name, command in CASES.items():
        seconds(command)  # once, so that files are in the cache
        print(f"{name:40} {statistics.median(seconds(command) for _ in range(7)):.2f} s")


if __name__ == "__main__":
    main()
