"""Look for what could keep the course from running, and say what to do about each thing found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from carelab import bootstrap, paths
from carelab.errors import UserError
from carelab.grading.sandbox import isolation

State = Literal["ok", "note", "fails"]
MANIFEST = "MANIFEST.json"
_DISK_GB, _MEMORY_GB = 1.0, 1.5


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, how it stands, what was found, and what to do unless it is fine."""

    name: str
    state: State
    found: str
    cure: str = ""


def examine(workspace: Path = paths.WORKSPACE) -> Iterator[Finding]:
    """Run every check, one after the other. A check that breaks is itself a finding."""
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("Python", python),
        ("packages", packages),
        ("course package", package),
        ("data", data),
        ("disk", lambda: disk(paths.ROOT)),
        ("memory", memory),
        ("your notebooks", lambda: writable(workspace)),
        ("port 8888", port),
        ("kernel", kernel),
        ("language model", language_model),
        ("safe grading", safe_grading),
        ("Chromium", chromium),
    )
    for name, check in checks:
        try:
            yield check()
        except Exception as error:
            cure = "report this row where you got the course."
            yield Finding(name, "fails", f"the check itself broke: {type(error).__name__}: {error}", cure)


def quick() -> None:
    """Print one line that says whether the course can start: for the first cell of the landing page."""
    bad = [finding for finding in (python(), packages(), package(), files()) if finding.state == "fails"]
    if bad:
        print(f"Not quite: {bad[0].name}: {bad[0].found}. To mend it: {bad[0].cure}")
    else:
        print("Everything is in place: Python, packages and data. Open the lesson of your first week.")


def python() -> Finding:
    """The running Python, against the course's bounds."""
    running = ".".join(map(str, sys.version_info[:3]))
    try:
        bootstrap.check_python()
    except bootstrap.SetupError as error:
        return Finding("Python", "fails", running, str(error))
    return Finding("Python", "ok", running)


def packages(lock: Path = paths.ROOT / bootstrap.LOCKS["course"]) -> Finding:
    """Every package of the lock file that belongs on this platform, at its version."""
    missing, other = [], []
    wanted = locked_here(lock)
    for name, wanted_version in wanted.items():
        try:
            if version(name) != wanted_version:
                other.append(f"{name} {version(name)} instead of {wanted_version}")
        except PackageNotFoundError:
            missing.append(name)
    if not missing and not other:
        return Finding("packages", "ok", f"all {len(wanted)} at the locked versions")
    parts = [f"missing: {', '.join(missing[:3])}" if missing else "", *other[:2]]
    count = len(missing) + len(other)
    found = f"{count} of {len(wanted)} differ ({'; '.join(part for part in parts if part)}{' …' if count > 5 else ''})"
    return Finding("packages", "fails", found, _REINSTALL)


_REINSTALL = (
    "delete the folder .venv and run `python -m carelab lab`, or renew your own environment from the lock file."
)


def locked_here(lock: Path) -> dict[str, str]:
    """Name and version of the packages that the lock file asks for on this platform and Python."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        raise UserError(f"{lock.name} is missing; get a complete copy of the course.") from None
    here: dict[str, str] = {}
    for line in re.findall(r"(?m)^[A-Za-z0-9][^\\\n]*", text):
        try:
            requirement = Requirement(line.strip())
        except InvalidRequirement:
            raise UserError(f"{lock.name} has a line that names no package: {line.strip()!r}.") from None
        if requirement.marker is None or requirement.marker.evaluate():
            here[requirement.name] = str(requirement.specifier).removeprefix("==")
    return here


def package() -> Finding:
    """Whether the course's own package is installed, and from this folder."""
    import carelab

    where = Path(str(carelab.__file__)).resolve().parents[2]
    install = "run `python -m pip install --no-deps --no-build-isolation -e .` in the folder of the course."
    try:
        installed = version("carelab")
    except PackageNotFoundError:
        return Finding("course package", "fails", "not installed, only found by its path", install)
    if where != paths.ROOT:
        return Finding("course package", "fails", f"comes from {where}", install)
    return Finding("course package", "ok", installed)


def files() -> Finding:
    """Whether the data were made at all; `data` looks into them."""
    if (paths.DATA / MANIFEST).is_file():
        return Finding("data", "ok", "there")
    return Finding("data", "fails", f"there is no {MANIFEST}", "run `python -m carelab data build`.")


def data() -> Finding:
    """The data files against their manifest."""
    there = files()
    if there.state != "ok":
        return there
    from carelab import synth

    problems = synth.check(paths.DATA)
    if problems:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        return Finding("data", "fails", f"{problems[0]}{more}", "run `python -m carelab data build`.")
    return Finding("data", "ok", "every file as its manifest says")


def disk(folder: Path) -> Finding:
    """Free space where the course lies."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < _DISK_GB:
        return Finding(
            "disk", "fails", f"{free:.1f} GB free", f"make room: notebooks and models need {_DISK_GB:.0f} GB."
        )
    return Finding("disk", "ok", f"{free:.0f} GB free")


def memory() -> Finding:
    """Memory that a notebook could take."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < _MEMORY_GB:
        return Finding(
            "memory", "note", f"{free:.1f} GB free", f"close programs: a notebook takes up to {_MEMORY_GB} GB."
        )
    return Finding("memory", "ok", f"{free:.1f} GB free")


def writable(folder: Path) -> Finding:
    """Whether the learner's folder can be written to."""
    nearest = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        cure = (
            "copy the course to a folder of your own, or name another one: `python -m carelab lab --workspace FOLDER`."
        )
        return Finding("your notebooks", "fails", f"{folder.name}: {error.strerror}", cure)
    return Finding("your notebooks", "ok", f"{folder.name} can be written to")


def port() -> Finding:
    """JupyterLab's usual port; another one does as well."""
    from carelab.lab import USUAL_PORT, is_free

    name = f"port {USUAL_PORT}"
    if is_free(USUAL_PORT):
        return Finding(name, "ok", "free")
    return Finding(name, "note", "in use", "nothing to do: `lab` takes the next free one and says which.")


def kernel() -> Finding:
    """A real kernel, started as JupyterLab would, that adds two numbers."""
    from jupyter_client.manager import start_new_kernel

    started = time.monotonic()
    answers: list[str] = []

    def listen(message: dict[str, dict[str, dict[str, str]]]) -> None:
        answers.append(message["content"].get("data", {}).get("text/plain", ""))

    cure = f"see that no program blocks connections inside this computer. {_REINSTALL}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            quiet = {"cwd": folder, "stderr": subprocess.DEVNULL}
            manager, client = start_new_kernel(startup_timeout=60, kernel_name="python3", **quiet)
        except Exception as error:  # whatever it is, the kernel does not start
            return Finding("kernel", "fails", f"does not start ({type(error).__name__})", cure)
        try:
            client.execute_interactive("1 + 1", timeout=30, output_hook=listen)
        except TimeoutError:
            return Finding("kernel", "fails", "starts and does not answer", cure)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if "2" not in answers:
        return Finding("kernel", "fails", f"answered {answers} to 1 + 1", cure)
    return Finding("kernel", "ok", f"1 + 1 = 2 after {time.monotonic() - started:.1f} s")


def language_model() -> Finding:
    """What answers prompts from week 4 on, and whether it can."""
    from carelab.llm import weights
    from carelab.llm.catalogue import open_weights

    name = "language model"
    wanted = os.environ.get("CARELAB_LLM", "")
    model = open_weights()
    live = weights.installed(model)
    if not wanted:
        found = "recorded answers" + (", and the live model for other prompts" if live else "")
        return Finding(name, "ok", found)
    from carelab.llm.chat import chat_model

    try:
        chat_model(wanted)
    except UserError as error:
        return Finding(name, "fails", f"CARELAB_LLM={wanted}", str(error))
    if wanted == "local" and not live:
        return Finding(name, "fails", wanted, f"Run `python -m carelab model install` once ({model.size}).")
    return Finding(name, "ok", f"CARELAB_LLM={wanted}")


def safe_grading() -> Finding:
    """Whether a submission can be kept apart from the machine that grades it: all of the sandbox is tried."""
    if reason := isolation.available():
        only = "Only instructors need it: grading other people's notebooks is refused without it."
        return Finding("safe grading", "note", "not on this machine", f"{only} {reason}")
    return Finding("safe grading", "ok", "submissions are isolated by bubblewrap")


CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Path of a Chromium for the browser test; CARELAB_CHROMIUM names one in an unusual place."""
    return next(filter(None, map(shutil.which, (os.environ.get("CARELAB_CHROMIUM", ""), *CHROMIUM_NAMES))), None)


def chromium() -> Finding:
    """The browser that the project's own test drives."""
    if found := find_chromium():
        return Finding("Chromium", "ok", Path(found).name)
    return Finding(
        "Chromium", "note", "not there", "Only the project's browser test needs it, and is skipped without it."
    )
