"""Where a learner stands: verified results by week, skill and track, minutes spent, and what comes next.

Everything lies in the learner's own folder, under `.carelab/`, and goes nowhere else: `results.json` is what `carelab check`
verified, `desk.json` the chosen track, the notebook that was open last, and seconds by notebook.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from carelab import files
from carelab.curriculum import NOTEBOOKS, Skill, Track, Week, load
from carelab.errors import UserError
from carelab.paths import RELEASE, TASKS, WORKSPACE

Kind = Literal["exercise", "gate", "written"]
Status = Literal["passed", "failed", "not attempted", "for a person"]

STATE = ".carelab"
RESULTS, DESK = "results.json", "desk.json"
MOST_SECONDS = 120  # that one call may add to a notebook
_MOST_BYTES = 5_000_000  # of a file of ours
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Task:
    """Something a learner does that is checked (an exercise, or a gate without points) or read by a person (written).

    notebook: its file stem. anchor: the heading it stands under, as JupyterLab writes it in a link, `#` and all.
    """

    name: str
    week: int
    notebook: str
    title: str
    anchor: str
    kind: Kind
    points: float
    skills: tuple[str, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Verified:
    """What the last check of a week found about one task. `current`: the learner's answer is still the one that was checked."""

    status: Status
    earned: float
    message: str
    checked_at: str
    current: bool


@dataclass(frozen=True)
class WeekProgress:
    """One week: its tasks in order, each with what was verified, and seconds spent by notebook stem."""

    week: Week
    tasks: tuple[tuple[Task, Verified | None], ...]
    seconds: dict[str, int]
    pending: frozenset[str] = frozenset()  # tasks with an answer that has not been checked as it is now

    @property
    def earned(self) -> float:
        """Verified points of exercises whose answer has not changed since."""
        return sum(verified.earned for _, verified in self.tasks if verified and verified.current)

    @property
    def possible(self) -> float:
        """Points that a machine can verify."""
        return sum(task.points for task, _ in self.tasks if task.kind == "exercise")

    @property
    def passed(self) -> int:
        """Exercises and gates that are verified as passed."""
        return sum(bool(v and v.current and v.status == "passed") for t, v in self.tasks if t.kind != "written")

    @property
    def checks(self) -> int:
        """How many exercises and gates there are."""
        return sum(task.kind != "written" for task, _ in self.tasks)

    @property
    def done(self) -> bool:
        """Whether every exercise and gate is verified, and everything that a person reads is written."""
        written = all(bool(v and v.status == "for a person") for task, v in self.tasks if task.kind == "written")
        return bool(self.checks) and self.passed == self.checks and written


@dataclass(frozen=True)
class SkillProgress:
    """Exercises and gates of one skill in weeks that are there: how many are verified, how many there are."""

    skill: Skill
    passed: int
    checks: int

    @property
    def share(self) -> float:
        """Verified share, 0 to 1; 0 while there is nothing to verify."""
        return self.passed / self.checks if self.checks else 0.0


@dataclass(frozen=True)
class Place:
    """Where to go: a notebook's path in the workspace, a heading in it (may be empty), and words for the link."""

    path: str
    anchor: str
    words: str


@dataclass(frozen=True)
class Progress:
    """All of it. `weeks` in the order of the chosen track (all twelve when none is chosen); `skills` all fifteen."""

    track: Track | None
    weeks: tuple[WeekProgress, ...]
    skills: tuple[SkillProgress, ...]
    next: Place | None


def tasks(week: int) -> tuple[Task, ...]:
    """The tasks of a week, in the order of its notebooks, from `exercises.json` beside them; none while it is in preparation."""
    found = (_task(name, week, entry) for name, entry in _object(RELEASE / load().week(week).folder / TASKS).items())
    return tuple(task for task in found if task)


def read(workspace: Path = WORKSPACE) -> Progress:
    """Where the learner of this workspace stands. Never raises for a file that is missing or damaged: it counts as empty."""
    course = load()
    results, desk = _object(workspace / STATE / RESULTS), _object(workspace / STATE / DESK)
    every = {
        week.number: _week(week, workspace, results.get(week.folder), desk.get("seconds")) for week in course.weeks
    }
    track = next((track for track in course.tracks if track.id == desk.get("track")), None)
    weeks = tuple(every[step.week] for step in track.path) if track else tuple(every.values())
    return Progress(
        track, weeks, tuple(_skill(skill, every.values()) for skill in course.skills), _next(weeks, desk.get("last"))
    )


def choose_track(workspace: Path, track: str) -> None:
    """Remember a track. Raises UserError when the curriculum has none of that name."""
    known = [one.id for one in load().tracks]
    if track not in known:
        raise UserError(f'There is no track "{track}": choose one of {", ".join(known)}.')
    with _desk(workspace) as desk:
        desk["track"] = track


def note_time(workspace: Path, path: str, seconds: int) -> None:
    """Add seconds to a notebook (its path in the workspace) and remember it as the one that was open last.

    Only the weeks' notebooks are counted; others, such as a learner's own, are let go. Raises UserError for a path that is no
    notebook in the workspace, and for seconds that are none or more than MOST_SECONDS at once.
    """
    if type(seconds) is not int or not 0 <= seconds <= MOST_SECONDS:
        raise UserError(f"Time is noted in whole seconds, at most {MOST_SECONDS} at once.")
    place = PurePosixPath(path)
    if "\\" in path or "\0" in path or place.is_absolute() or ".." in place.parts or place.suffix != ".ipynb":
        raise UserError("Time is noted for a notebook in your own folder.")
    if str(place) not in _notebooks() or not (workspace / place).is_file():
        return
    with _desk(workspace) as desk:
        spent = desk.get("seconds")
        spent = {name: n for name, n in spent.items() if name in _notebooks()} if isinstance(spent, dict) else {}
        desk["seconds"] = spent | {str(place): _count(spent.get(str(place))) + seconds}
        desk["last"] = str(place)


@contextmanager
def locked(workspace: Path) -> Iterator[None]:
    """While this holds, nobody else writes the progress of this workspace.

    Raises UserError when somebody else does for long, and when nothing can be written there.
    """
    from filelock import FileLock, Timeout  # a part that is slow to import

    try:
        (workspace / STATE).mkdir(parents=True, exist_ok=True)
        with FileLock(workspace / STATE / "progress.lock", timeout=_WAIT_SECONDS):
            yield
    except Timeout as error:
        raise UserError("Another program is writing your progress; try again when it has ended.") from error
    except OSError as error:
        raise UserError(f"Your progress cannot be written into {workspace / STATE}: {error.strerror}.") from error


def digest(answer: str) -> str:
    """What an answer is recognised by."""
    return hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()


# ---------------------------------------------------------------- files


def _object(path: Path) -> dict[str, Any]:
    """The JSON object in a file of ours; an empty one when there is none that can be read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:  # reading a pipe would wait for ever
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, MemoryError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def _desk(workspace: Path) -> Iterator[dict[str, Any]]:
    """What the desk remembers, to be changed: read and written while nobody else does."""
    with locked(workspace):
        desk = _object(workspace / STATE / DESK)
        yield desk
        files.write(workspace / STATE / DESK, json.dumps(desk, indent=1) + "\n")


@lru_cache
def _notebooks() -> frozenset[str]:
    return frozenset(f"{week.folder}/{stem}.ipynb" for week in load().weeks for stem in NOTEBOOKS)


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def _answers(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """The answers in a notebook as it is now; none of one that cannot be read. The caller leaves them as they are."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return {}
    return _handed(path, names, found.st_mtime_ns, found.st_size)


@lru_cache(128)
def _handed(path: Path, names: tuple[str, ...], _time: int, _size: int) -> dict[str, str]:
    from carelab.grading.submission import read_handed  # as the check reads it

    return read_handed(path, names).answers


# ---------------------------------------------------------------- weeks, skills, and what comes next


def _week(week: Week, workspace: Path, verified: Any, seconds: Any) -> WeekProgress:
    spent = seconds if isinstance(seconds, dict) else {}
    by_stem = {stem: _count(spent.get(f"{week.folder}/{stem}.ipynb")) for stem in NOTEBOOKS}
    all_tasks = tasks(week.number) if week.ready else ()
    checks, when = {}, ""
    if isinstance(verified, dict) and isinstance(verified.get("checks"), dict):
        checks, when = verified["checks"], str(verified.get("checked_at", ""))
    found: dict[str, Verified | None] = {}
    pending: set[str] = set()
    for stem in dict.fromkeys(task.notebook for task in all_tasks):
        own = [task for task in all_tasks if task.notebook == stem]
        names = tuple(task.name for task in own)
        now = _answers(workspace / week.folder / f"{stem}.ipynb", names)
        given = _answers(RELEASE / week.folder / f"{stem}.ipynb", names)
        ours = {task.name: _verified(task, checks.get(task.name), when, now.get(task.name)) for task in own}
        found |= _still_true(ours, now, RELEASE / week.folder / f"{stem}.ipynb")
        pending |= {
            name
            for name, answer in now.items()
            if answer.split() != given.get(name, "").split() and not ((v := found[name]) and v.current)
        }
    in_order = tuple((task, found[task.name]) for task in all_tasks)
    return WeekProgress(week, in_order, {stem: n for stem, n in by_stem.items() if n}, frozenset(pending))


def _still_true(verified: dict[str, Verified | None], now: dict[str, str], release: Path) -> dict[str, Verified | None]:
    """What was verified, where no answer that it builds on has changed since."""
    changed = {name for name, one in verified.items() if one and not one.current}
    if not changed:
        return verified
    from carelab.learner.depends import affected  # takes code apart: only when something has changed

    cells = _object(release).get("cells")
    gone = affected(cells if isinstance(cells, list) else [], now, changed)
    return {
        name: dataclasses.replace(one, current=False) if one and name in gone else one for name, one in verified.items()
    }


def _task(name: str, week: int, entry: Any) -> Task | None:
    """A task as its file says; None when an entry is not as the build writes it."""
    try:
        kind, points = entry["kind"], float(entry["points"])
        if kind not in get_args(Kind):
            return None
        skills, hints = tuple(map(str, entry["skills"])), tuple(map(str, entry["hints"]))
        return Task(
            name, week, str(entry["notebook"]), str(entry["title"]), str(entry["anchor"]), kind, points, skills, hints
        )
    except (KeyError, TypeError, ValueError):
        return None


def _verified(task: Task, entry: Any, when: str, now: str | None) -> Verified | None:
    if not isinstance(entry, dict) or entry.get("status") not in get_args(Status):
        return None
    earned = entry.get("earned")
    earned = float(earned) if isinstance(earned, int | float) and 0 <= earned <= task.points else 0.0
    current = now is not None and entry.get("answer") == digest(now)
    return Verified(entry["status"], earned, str(entry.get("message", "")), when, current)


def _skill(skill: Skill, weeks: Any) -> SkillProgress:
    found = [
        bool(verified and verified.current and verified.status == "passed")
        for week in weeks
        for task, verified in week.tasks
        if task.kind != "written" and skill.id in task.skills
    ]
    return SkillProgress(skill, sum(found), len(found))


def _next(weeks: tuple[WeekProgress, ...], last: Any) -> Place | None:
    """The first week that is there and not done: its lesson, or the notebook that was open last, or the first open task."""
    week = next((week for week in weeks if week.week.ready and not week.done), None)
    if week is None:
        return None
    folder = week.week.folder
    lesson = Place(f"{folder}/lesson.ipynb", "", f"Lesson: {week.week.question}")
    opened = week.seconds.keys() | {stem for stem in NOTEBOOKS if last == f"{folder}/{stem}.ipynb"}
    begun = opened - {"lesson"} or any(v and v.status != "not attempted" for _, v in week.tasks)
    # When a lesson has been read nobody can tell; half of its minutes will do.
    if not begun and week.seconds.get("lesson", 0) < 30 * week.week.minutes.lesson:
        return lesson
    unmet = [
        task
        for task, verified in week.tasks
        if not (verified and verified.status == "for a person")
        and not (verified and verified.current and verified.status == "passed")
    ]
    unmet.sort(key=lambda task: f"{folder}/{task.notebook}.ipynb" != last)  # of that notebook first, else as they come
    if not unmet:
        return Place(f"{folder}/project.ipynb", "", f"Project of week {week.week.number}")
    # What has been written since the last check may well be right: go on behind it.
    first = next((task for task in unmet if task.name not in week.pending), unmet[0])
    return Place(f"{folder}/{first.notebook}.ipynb", first.anchor, first.title)
