"""Where a learner stands: verified results by week, skill and track, minutes spent, and what comes next.

Everything lies in the learner's own folder, under `.carelab/`, and goes nowhere else: `results.json` is what `carelab check`
verified, `desk.json` the chosen track, the notebook that was open last, and seconds by notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from carelab.curriculum import Skill, Track, Week
from carelab.paths import WORKSPACE

Kind = Literal["exercise", "gate", "written"]


@dataclass(frozen=True)
class Task:
    """Something a learner does that is checked (an exercise, or a gate without points) or read by a person (written).

    notebook: its file stem. anchor: the heading it stands under, as JupyterLab writes it in a link.
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

    status: Literal["passed", "failed", "not attempted", "for a person"]
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
        """Whether every exercise and gate is verified."""
        return bool(self.checks) and self.passed == self.checks


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
    raise NotImplementedError


def read(workspace: Path = WORKSPACE) -> Progress:
    """Where the learner of this workspace stands. Never raises for a file that is missing or damaged: it counts as empty."""
    raise NotImplementedError


def choose_track(workspace: Path, track: str) -> None:
    """Remember a track. Raises UserError when the curriculum has none of that name."""
    raise NotImplementedError


def note_time(workspace: Path, path: str, seconds: int) -> None:
    """Add seconds to a notebook (its path in the workspace) and remember it as the one that was open last."""
    raise NotImplementedError
