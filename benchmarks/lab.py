"""How long `carelab lab` takes until the desk is on the screen. Run it by hand: `python benchmarks/lab.py`. Timings are no test.

Each round is a start in a folder that has been opened before, in a browser without a cache: from the command to the address,
from the address to JupyterLab's own shell, and from there to the desk with the learner's standing on it.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from carelab import lab
from carelab.doctor import find_chromium

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
STEPS = ("the command, until the server answers", "JupyterLab's shell in the browser", "the desk in it")


def one(browser: Browser, folder: Path) -> list[float]:
    """Seconds of each step of one start."""
    port = next(port for port in range(18700, 18790) if lab.is_free(port))
    command = [sys.executable, "-m", "carelab", "lab", "--no-browser", "--port", str(port)]
    command += ["--workspace", str(folder / "learner")]
    environment = {
        **os.environ,
        "CARELAB_NO_VENV": "1",
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    with tempfile.TemporaryFile("w+") as log:
        times = [time.perf_counter()]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", _text(log.fileno()))):
                if process.poll() is not None:
                    sys.exit(_text(log.fileno()))
                time.sleep(0.02)
            times.append(time.perf_counter())
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(found[0])
            page.locator("#jp-main-dock-panel").wait_for(state="visible")
            times.append(time.perf_counter())
            page.locator(".carelab-desk #cl-next").wait_for(state="visible")
            times.append(time.perf_counter())
            page.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    return [after - before for before, after in pairwise(times)]


def _text(log: int) -> str:
    return os.pread(log, 1 << 20, 0).decode("utf-8", "replace")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--headless=new", "--no-sandbox"])
        rounds = [one(browser, Path(folder)) for _ in range(ROUNDS + 1)][1:]  # the first one copies notebooks
        for name, seconds in zip(STEPS, zip(*rounds, strict=True), strict=True):
            print(f"{name:40} {statistics.median(seconds):.2f} s")
        totals = sorted(sum(seconds) for seconds in rounds)
        print(f"{'all of it':40} {statistics.median(totals):.2f} s  ({totals[0]:.2f} to {totals[-1]:.2f})")


if __name__ == "__main__":
    main()
