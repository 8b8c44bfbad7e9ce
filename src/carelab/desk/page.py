"""The desk's page: where the learner stands, what comes next, and what the course consists of, as one piece of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import jinja2

from carelab import curriculum as courses
from carelab.curriculum import NOTEBOOKS, Curriculum, Track
from carelab.learner import progress as standing
from carelab.learner import workspace as copies
from carelab.learner.progress import Place, Progress, SkillProgress, Task, Verified, WeekProgress
from carelab.learner.workspace import Update

_OUTCOMES = {  # class, sign, words; the sign and the colour only repeat the words
    "passed": ("passed", "✓", "passed"),
    "failed": ("failed", "✗", "not yet"),
    "not attempted": ("open", "–", "not attempted"),
    "for a person": ("person", "✎", "for a person to read"),
}
_UNCHECKED = ("open", "–", "not checked yet")
_CHANGED = ("changed", "↻", "changed since, check again")


@dataclass(frozen=True)
class NotebookRow:
    """One notebook of a week: time stated and time spent."""

    stem: str
    path: str
    stated: int
    seconds: int

    @property
    def percent(self) -> int:
        """Time spent of the time stated, at most 100."""
        return min(100, round(self.seconds / 60 / self.stated * 100))


@dataclass(frozen=True)
class ResultRow:
    """One task, and what its last check said."""

    task: Task
    path: str
    kind: str
    sign: str
    words: str
    points: str
    message: str


@dataclass(frozen=True)
class SkillGroup:
    """The skills of one track."""

    title: str
    chosen: bool
    skills: tuple[SkillProgress, ...]


def render(workspace: Path, base_url: str = "/", busy: str = "") -> str:
    """The page for this workspace; `busy` says what is running at the moment, in words."""
    portfolio = {
        name: f"portfolio/{name}"
        for name in ("portfolio.html", "portfolio.pdf")
        if (workspace / "portfolio" / name).is_file()
    }
    return html(standing.read(workspace), copies.updates(workspace), portfolio, workspace.name, base_url, busy)


def html(
    progress: Progress,
    updates: Iterable[Update] = (),
    portfolio: dict[str, str] | None = None,
    folder: str = "my_course",
    base_url: str = "/",
    busy: str = "",
    curriculum: Curriculum | None = None,
) -> str:
    """The page as HTML, from a learner's progress. Everything that is put into it is escaped."""
    curriculum = curriculum or courses.load()
    return _template().render(
        course=curriculum.course,
        tracks=curriculum.tracks,
        progress=progress,
        begun=_begun(progress),
        where=_where(progress),
        weeks=progress.weeks,
        total=_total(progress.weeks),
        groups=_groups(progress, curriculum),
        updates=list(updates),
        portfolio=portfolio or {},
        folder=folder,
        busy=busy,
        notebooks=notebook_rows,
        results=result_rows,
        state=state,
        order=order,
        effort=lambda track: effort(track, curriculum),
        numbers=[week.week.number for week in progress.weeks],
        title=title,
        checked=checked,
        projects_of=curriculum.projects_of,
        link=lambda path, anchor="": (
            f"{base_url}lab/tree/{quote(path)}" + (f"#{quote(anchor.lstrip('#'))}" if anchor else "")
        ),
    )


def notebook_rows(week: WeekProgress) -> list[NotebookRow]:
    """The notebooks of a week in their order."""
    return [
        NotebookRow(
            stem, f"{week.week.folder}/{stem}.ipynb", getattr(week.week.minutes, stem), week.seconds.get(stem, 0)
        )
        for stem in NOTEBOOKS
    ]


def result_rows(week: WeekProgress) -> list[ResultRow]:
    """The tasks of a week in their order, each with what was verified."""
    return [_row(week, task, verified) for task, verified in week.tasks]


def _row(week: WeekProgress, task: Task, verified: Verified | None) -> ResultRow:
    kind, sign, words = _OUTCOMES[verified.status] if verified else _UNCHECKED
    message = verified.message if verified else ""
    if not verified and task.name in week.pending:
        words = "written, not checked yet"
    if verified and not verified.current:
        kind, sign, words = _CHANGED
        message = ""  # it speaks of an answer that is gone
    points = ""
    if task.kind == "exercise":
        earned = f"{verified.earned:g}" if verified and verified.current else "0"
        points = f"{earned} of {task.points:g}"
    elif task.kind == "written":
        points = f"up to {task.points:g}"
    return ResultRow(task, f"{week.week.folder}/{task.notebook}.ipynb", kind, sign, words, points, message)


def state(week: WeekProgress) -> str:
    """How far a week is, in words."""
    if not week.week.ready:
        return "in preparation"
    if week.done:
        return f"done: all {week.checks} checks passed"
    if checked(week):
        return f"{week.passed} of {week.checks} checks passed"
    return "begun" if any(week.seconds.values()) else "not begun"


def checked(week: WeekProgress) -> bool:
    """Whether the week has been checked at all."""
    return any(verified for _, verified in week.tasks)


def title(path: str) -> str:
    """A notebook's path in words: `Week 1, lesson`."""
    folder, _, name = path.rpartition("/")
    number = re.match(r"week_(\d+)_", folder)
    stem = name.removesuffix(".ipynb")
    return f"Week {int(number[1])}, {stem}" if number else stem


def order(track: Track) -> str:
    """The weeks of a track in their order: `1 to 12`, or `1, 3, 2`."""
    numbers = [step.week for step in track.path]
    if numbers == list(range(numbers[0], numbers[-1] + 1)) and numbers[1:]:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


def effort(track: Track, curriculum: Curriculum) -> str:
    """How much of a track there is, in words: `about 22 hours, 1 of 6 weeks is written`."""
    weeks = [curriculum.week(step.week) for step in track.path]
    hours = round(sum(week.minutes.total for week in weeks) / 60)
    ready = sum(week.ready for week in weeks)
    if ready == len(weeks):
        return f"about {hours} hours"
    return f"about {hours} hours; {ready or 'none'} of {len(weeks)} weeks {'is' if ready < 2 else 'are'} written so far"


def duration(seconds: int) -> str:
    """Seconds as a person says them: `2 h 10 min`."""
    minutes = seconds // 60
    if 0 < seconds < 60:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def _begun(progress: Progress) -> bool:
    return any(any(week.seconds.values()) or checked(week) for week in progress.weeks)


@dataclass(frozen=True)
class _Whereabouts:
    """What is known about the place that comes next."""

    place: Place
    week: WeekProgress | None
    notebook: NotebookRow | None


def _where(progress: Progress) -> _Whereabouts | None:
    if progress.next is None:
        return None
    for week in progress.weeks:
        for row in notebook_rows(week):
            if row.path == progress.next.path:
                return _Whereabouts(progress.next, week, row)
    return _Whereabouts(progress.next, None, None)


def _total(weeks: Sequence[WeekProgress]) -> dict[str, int]:
    ready = [week for week in weeks if week.week.ready]
    return {
        "weeks": len(weeks),
        "ready": len(ready),
        "done": sum(week.done for week in ready),
        "passed": sum(week.passed for week in ready),
        "checks": sum(week.checks for week in ready),
        "seconds": sum(sum(week.seconds.values()) for week in weeks),
        "stated": sum(week.week.minutes.total for week in ready) * 60,
    }


def _groups(progress: Progress, curriculum: Curriculum) -> list[SkillGroup]:
    return [
        SkillGroup(
            track.title,
            progress.track is not None and progress.track.id == track.id,
            tuple(skill for skill in progress.skills if skill.skill.track == track.id),
        )
        for track in curriculum.tracks
    ]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment.get_template("page.html")
