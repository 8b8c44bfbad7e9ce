"""The same attacks on plain nbgrader, each in a throwaway jail of its own, so that none of them can harm this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attacks import tiny
from attacks.attack import Attack, submit

PLACE = "/mnt/site"  # where the jail has its site
PORT = 4711
SECONDS = 75.0  # for grading two submissions
SRC = Path(__file__).resolve().parents[2] / "src"
_SCORES = """
    SELECT student.id, SUM(COALESCE(grade.manual_score, grade.auto_score, 0) + COALESCE(grade.extra_credit, 0))
    FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
    JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN student ON submitted_assignment.student_id = student.id GROUP BY student.id
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one attacker. `score` is None where the gradebook holds none."""

    score: float | None
    raised: bool
    leaked: bool
    harmed: bool
    notes: tuple[str, ...]

    @property
    def worked(self) -> bool:
        """Whether any of it worked."""
        return self.raised or self.leaked or self.harmed


def prepare(base: Path, configuration: str = "") -> None:
    """Make a course that nbgrader has generated and released, with an honest student's work."""
    place = tiny.furnish(base, PORT)
    course = Path(place.course)
    shutil.rmtree(course / "release")
    (course / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "tiny"\n{configuration}', encoding="utf-8"
    )
    subprocess.run(
        [_nbgrader(), "generate_assignment", tiny.WEEK],
        cwd=course,
        env=_environment(base),
        check=True,
        capture_output=True,
    )


def run(attacks: dict[str, Attack], base: Path, site: Path) -> dict[str, Outcome]:
    """Grade these attackers' folders and the honest student's, named so that the honest one comes last.

    base: a prepared site; site: a folder to make, the jail's own copy.
    """
    shutil.copytree(base, site)
    place = tiny.Place(f"{PLACE}/home", f"{PLACE}/course", PORT)
    for student, attack in attacks.items():
        submit(
            attack, site / "course" / "release" / tiny.WEEK, site / "course" / "submitted" / student / tiny.WEEK, place
        )
    before = _tree(site)
    command = [*_jail(site), sys.executable, str(Path(__file__).with_name("jail.py")), PLACE, str(PORT), str(SECONDS)]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([*command, _nbgrader(), "autograde", tiny.WEEK], timeout=SECONDS + 40, capture_output=True)
    return _outcomes(list(attacks), site, before)


def _jail(site: Path) -> list[str]:
    """All of the machine to read, nothing but the site's copy to write, no network but an own loopback."""
    bwrap = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--as-pid-1"]
    bwrap += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder in ("/tmp", "/var/tmp", "/mnt"):
        bwrap += ["--size", str(1 << 30), "--tmpfs", folder]
    for shown in (SRC.parent, Path(sys.prefix), Path(sys.base_prefix)):
        bwrap += ["--ro-bind", str(shown), str(shown)]  # in case it lies below one of those
    bwrap += ["--bind", str(site), PLACE, "--clearenv"]
    for name, value in _environment(Path(PLACE)).items():
        bwrap += ["--setenv", name, value]
    return [*bwrap, "--"]


def _nbgrader() -> str:
    return str(Path(sys.executable).parent / "nbgrader")


def _environment(site: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(site / "home"),
        "PYTHONPATH": str(SRC),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SECRET_TOKEN": tiny.CANARY,
        "LANG": "C.UTF-8",
    }


def _tree(site: Path) -> dict[str, str]:
    """What files that an answer has no business with hold."""
    home, course = site / "home", site / "course"
    paths = [course / "nbgrader_config.py", course / "left", *(course / "submitted" / "zoe").rglob("*")]
    paths += [path for name in ("source", "release") for path in (course / name).rglob("*")]
    paths += (course / "autograded").rglob("carelab-left")
    paths += [
        home / "secret.txt",
        home / "left",
        home / ".profile",
        home / ".ipython/profile_default/startup/00-hello.py",
    ]
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path.is_dir())
    return found


def _outcomes(students: list[str], site: Path, before: dict[str, str]) -> dict[str, Outcome]:
    notes: list[str] = []
    heard = ""
    try:
        result = json.loads((site / "result.json").read_text(encoding="utf-8"))
        heard = "\n".join(result["heard"])
        if result["code"] is None:
            notes.append("the batch never ended")
        elif result["code"] < 0:
            notes.append("the grading process was killed")
    except (OSError, ValueError):
        notes.append("the jail ended without a result")
    if _tree(site) != before:
        notes.append("changed files that are not its own")
    scores = _scores(site / "course" / "gradebook.db")
    if scores.get("zoe") != 10:
        notes.append(f"the honest student after it has {scores.get('zoe', 'no')} points")
    notes += [tag for tag in ("REACH[", "HARM[") if tag in heard]
    found = {}
    for student in students:
        own, outputs = (
            list(notes),
            _outputs(site / "course" / "autograded" / student / tiny.WEEK / f"{tiny.STEM}.ipynb"),
        )
        if "<script>" in outputs:
            own.append("a script in an output")
        if len(outputs) > 50_000_000:
            own.append(f"{len(outputs) >> 20} MB of output kept")
        if student not in scores:
            own.append("no score")
        score = scores.get(student)
        leaked = "LEAK[" in heard or "LEAK[" in outputs
        harmed = [note for note in own if note != "no score"]
        found[student] = Outcome(score, bool(score), leaked, bool(harmed), tuple(own + ["LEAK["] * leaked))
    return found


def _outputs(path: Path) -> str:
    """What an autograded notebook keeps of an answer's outputs."""
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return "".join(_text(output) for cell in notebook["cells"] for output in cell.get("outputs", []))
    except (OSError, ValueError, KeyError):
        return ""


def _text(output: dict[str, Any]) -> str:
    return "".join(output.get("text", "")) + "".join("".join(part) for part in output.get("data", {}).values())


def _scores(gradebook: Path) -> dict[str, float]:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{gradebook}?mode=ro", uri=True)) as book:
            return {student: float(score) for student, score in book.execute(_SCORES)}
    except sqlite3.Error:
        return {}


def missing() -> str:
    """Why the jail cannot be made here; empty where it can."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    if os.path.exists("/mnt") and subprocess.run([*_jail(Path("/")), "true"], capture_output=True).returncode == 0:
        return ""
    return "bubblewrap cannot make a jail here"
