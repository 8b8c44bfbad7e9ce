"""Collect what a portfolio says, once: the page and the PDF show the same, in the same order.

An artefact, a picture or a notebook that cannot be read is left out with a sentence; nothing here raises for what lies
in a learner's folder, follows a link out of it or reads without a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from carelab import curriculum
from carelab.curriculum import Curriculum, Project, Week
from carelab.errors import UserError
from carelab.grading.submission import read_handed
from carelab.learner.artefacts import FIGURES, FOLDER
from carelab.learner.portfolio import skills
from carelab.learner.portfolio.facts import SHORT, Block, clip, lay_out
from carelab.learner.portfolio.reading import Picture, UnreadableError, read_json, read_picture
from carelab.learner.portfolio.writing import key_line, tidy
from carelab.learner.progress import Progress, Task, Verified, WeekProgress

NAME = 80  # characters
SYNTHETIC = "Synthetic data (Lakeshore Health)."
FOOTER = "All data are synthetic (Lakeshore Health)"
NOT_WRITTEN = "*Write your answer here.*"  # what nbgrader puts in the place of a model answer

_NUMBERED = re.compile(r"^(written answer|step|exercise) \w+:\s*", re.IGNORECASE)
_ABOUT = re.compile(r"\s*\([\d.]+ points?\)$", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """A picture with its caption, and what it shows in words."""

    picture: Picture
    caption: str
    in_words: str


@dataclass(frozen=True)
class Answer:
    """A written answer: the heading it stands under, and the learner's Markdown, tidied."""

    heading: str
    text: str


@dataclass(frozen=True)
class Entry:
    """One project in the portfolio. `verified`: rows of what was checked, and `in_short` the same in a few words."""

    project: Project
    weeks: str
    title: str
    key_line: str
    decision: Answer | None
    further: tuple[Answer, ...]
    blocks: tuple[Block, ...]
    figures: tuple[Figure, ...]
    verified: tuple[tuple[str, str], ...]
    in_short: str
    warning: str  # stands above figures whose answers the grader has not accepted; empty when it has


@dataclass(frozen=True)
class Portfolio:
    """All that is shown. `left_out`: a sentence for each thing that could not be read, for the learner alone."""

    title: str
    name: str
    track: str
    made: datetime
    statement: str
    entries: tuple[Entry, ...]
    not_done: str
    skills: Figure
    left_out: tuple[str, ...]

    @property
    def day(self) -> str:
        """The date it stands for, as a reader writes it."""
        return _day(self.made)

    @property
    def heading(self) -> str:
        """The document's title."""
        return f"Portfolio of {self.name}" if self.name else "Portfolio"


def collect(workspace: Path, progress: Progress, name: str = "") -> Portfolio:
    """Everything a portfolio shows, from a learner's folder and their progress.

    Projects come in the order of the track; one without an artefact is named as not done yet and not shown.
    Raises UserError when nothing has been kept so far.
    """
    course, left_out = curriculum.load(), list[str]()
    number = 2  # the first figure is that of the skills
    entries: list[Entry] = []
    missing: list[Project] = []
    for project in _in_order(course, progress.weeks):
        weeks = [week for week in progress.weeks if week.week.number in project.weeks]
        found = _artefact(workspace, project, [week.week for week in weeks], left_out)
        if found is None:
            missing.append(project)
            continue
        folder, content = found
        entry = _entry(workspace, project, weeks, folder, content, number, left_out)
        number += len(entry.figures)
        entries.append(entry)
    if not entries:
        why = f" {' '.join(left_out)}" if left_out else ""
        raise UserError(
            "There is nothing to show yet: finish a week's project notebook, whose last step keeps its result, "
            f"then make your portfolio again.{why}"
        )
    made = _made(workspace, progress, entries)
    shown = [skill for skill in progress.skills if skill.checks] or list(progress.skills)
    everyone = [skill.skill.title for skill in progress.skills if skill.passed]
    picture = Figure(
        _own_picture(skills.picture(shown)),
        f"Figure 1. Exercises and checks that were verified, by skill: {len(everyone)} of the course's "
        f"{len(progress.skills)} skills have verified work. {SYNTHETIC}",
        skills.in_words(shown),
    )
    return Portfolio(
        title=course.course.title,
        name=" ".join(clip(name, NAME).split()),
        track=f"Track: {progress.track.title}, {progress.track.length}" if progress.track else "All twelve weeks",
        made=made,
        statement=_statement(course, progress),
        entries=tuple(entries),
        not_done=_not_done(course, missing),
        skills=picture,
        left_out=tuple(left_out),
    )


def _in_order(course: Curriculum, weeks: Iterable[WeekProgress]) -> list[Project]:
    """Each project once, at the last of its weeks that the track has: that is where it is finished."""
    by_week = [project for week in weeks for project in course.projects_of(week.week)]
    return list(dict.fromkeys(reversed(by_week)))[::-1]


def _not_done(course: Curriculum, missing: Sequence[Project]) -> str:
    """One line for the projects that the learner could have done; what the course does not have yet says nothing of them."""
    ready = {week.number for week in course.weeks if week.ready}
    open_ones = [project.title for project in missing if ready.issuperset(project.weeks)]
    return f"Not done yet: {', '.join(open_ones)}." if open_ones else ""


def _artefact(
    workspace: Path, project: Project, weeks: Sequence[Week], left_out: list[str]
) -> tuple[Path, dict[str, Any]] | None:
    """The folder and content of a project's artefact, from the last week that has one; None when there is none."""
    for week in reversed(weeks):
        relative = Path(week.folder, FOLDER, f"{project.id}.json")
        if not (workspace / relative).exists() and not (workspace / relative).is_symlink():
            continue
        try:
            content = read_json(workspace, relative)
            if not isinstance(content.get("facts"), dict):
                raise UnreadableError("is damaged: run the last cell of its notebook again")
            return relative.parent, content
        except UnreadableError as error:
            left_out.append(f"{relative.as_posix()} {error}; it was left out.")
    return None


def _entry(
    workspace: Path,
    project: Project,
    weeks: Sequence[WeekProgress],
    folder: Path,
    content: dict[str, Any],
    number: int,
    left_out: list[str],
) -> Entry:
    tasks = _tasks_of(project, weeks)
    answers = _answers(workspace, weeks, [task for task, _ in tasks if task.kind == "written"], left_out)
    # The answer that carries the most points is the decision; the others are its reasons.
    decision = max(answers, key=lambda pair: pair[0].points)[1] if answers else None
    title = content.get("title")
    title = (
        clip(" ".join(title.split()), 2 * SHORT).rstrip(".")
        if isinstance(title, str) and title.strip()
        else project.title
    )
    gates = [verified for task, verified in tasks if task.kind == "gate"]
    passed = sum(map(_holds, gates))
    in_short = f"{passed} of {len(gates)} gates passed" if any(gates) else "not checked"
    return Entry(
        project=project,
        weeks="week " + " and ".join(str(week.week.number) for week in weeks),
        title=title,
        key_line=(key_line(decision.text) if decision else "") or title,
        decision=decision,
        further=tuple(answer for _, answer in answers if answer is not decision),
        blocks=tuple(lay_out(content["facts"])),
        figures=tuple(_figures(workspace, project.id, folder, content, number, left_out)),
        verified=tuple(_verification(tasks, weeks)),
        in_short=in_short,
        warning=_warning(len(gates) - passed),
    )


def _warning(missing: int) -> str:
    if not missing:
        return ""
    gates = "One check of this project is" if missing == 1 else f"{missing} checks of this project are"
    return f"{gates} not passed, or not run on these answers: what follows may be wrong."


def _tasks_of(project: Project, weeks: Sequence[WeekProgress]) -> list[tuple[Task, Verified | None]]:
    """What belongs to a project: a task names it (w01-j11-gain); where a week has one project, all of its notebook."""
    found = []
    for week in weeks:
        alone = len(curriculum.load().projects_of(week.week)) == 1
        for task, verified in week.tasks:
            named = re.search(rf"-{project.id}(-|$)", task.name, re.IGNORECASE)
            if task.notebook == "project" and (alone or named):
                found.append((task, verified))
    return found


def _answers(
    workspace: Path, weeks: Sequence[WeekProgress], tasks: Sequence[Task], left_out: list[str]
) -> list[tuple[Task, Answer]]:
    found: list[tuple[Task, Answer]] = []
    for week in weeks:
        for notebook in dict.fromkeys(task.notebook for task in tasks if task.week == week.week.number):
            wanted = {task.name: task for task in tasks if (task.week, task.notebook) == (week.week.number, notebook)}
            path = workspace / week.week.folder / f"{notebook}.ipynb"
            if path.parent.resolve() != workspace.resolve() / week.week.folder:
                left_out.append(
                    f"{week.week.folder} is a link, which is not followed; its written answers were left out."
                )
                continue
            handed = read_handed(path, list(wanted))
            if handed.flag:
                left_out.append(f"Written answers in {week.week.folder}: {handed.flag}")
            for name, task in wanted.items():
                text = tidy(handed.answers.get(name, ""))
                if text and text != NOT_WRITTEN:
                    found.append((task, Answer(_heading(task), text)))
    return found


def _heading(task: Task) -> str:
    """A task's heading without its number and points: "Written answer 2: the policy (7 points)" is "The policy"."""
    words = _ABOUT.sub("", _NUMBERED.sub("", clip(task.title, 2 * SHORT))).strip() or task.name
    return words[:1].upper() + words[1:]


def _figures(
    workspace: Path, project: str, folder: Path, content: dict[str, Any], number: int, left_out: list[str]
) -> Iterable[Figure]:
    """The pictures an artefact names, numbered; one whose name leads elsewhere is left out like one that is damaged."""
    listed = content.get("figures")
    for described in (listed if isinstance(listed, list) else [])[:FIGURES]:
        described = described if isinstance(described, dict) else {}
        file, title, words = (described.get(key) for key in ("file", "title", "in_words"))
        if not isinstance(file, str) or not re.fullmatch(rf"{re.escape(project)}(-\d{{1,2}})?\.png", file):
            left_out.append(f"{folder.as_posix()}: a figure with an unusual file name was left out.")
            continue
        try:
            picture = read_picture(workspace, folder / file)
        except UnreadableError as error:
            left_out.append(f"{(folder / file).as_posix()} {error}; it was left out.")
            continue
        shown = clip(" ".join(title.split()), 2 * SHORT).rstrip(".") if isinstance(title, str) else ""
        in_words = clip(words, 1000) if isinstance(words, str) else ""
        caption = f"Figure {number}. {shown}. {SYNTHETIC}" if shown else f"Figure {number}. {SYNTHETIC}"
        yield Figure(picture, caption, in_words or shown or "A figure of this project, kept without a description.")
        number += 1


def _own_picture(png: bytes) -> Picture:
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    return Picture(png, width, height)


# ---------------------------------------------------------------- what was verified


def _holds(verified: Verified | None) -> bool:
    return bool(verified and verified.current and verified.status == "passed")


def _verification(
    tasks: Sequence[tuple[Task, Verified | None]], weeks: Sequence[WeekProgress]
) -> Iterable[tuple[str, str]]:
    """Rows that say what was checked, when, what has changed since, and what only a person can judge."""
    gates = [(task, verified) for task, verified in tasks if task.kind == "gate"]
    if any(verified for _, verified in gates):
        yield "Gates of this project", f"{sum(_holds(v) for _, v in gates)} of {len(gates)} passed"
    for week in weeks:
        exercises = [(task, verified) for task, verified in week.tasks if task.kind == "exercise"]
        if any(verified for _, verified in exercises):
            earned = sum(verified.earned for _, verified in exercises if verified and verified.current)
            passed = sum(_holds(verified) for _, verified in exercises)
            yield (
                f"Exercises of week {week.week.number}",
                f"{earned:g} of {week.possible:g} points, {passed} of {len(exercises)} exercises passed",
            )
    checked = [
        (task, verified)
        for task, verified in [*gates, *(pair for week in weeks for pair in week.tasks if pair[0].kind == "exercise")]
        if verified
    ]
    days = sorted({moment for _, verified in checked if (moment := _moment(verified.checked_at))})
    if not checked:
        yield "Not verified", "The course's grader has not checked the work of this week."
    else:
        when = f" on {_day(days[-1])}" if days else ""
        yield "How", f"The course's grader ran the answers again{when}, with cases that the learner does not see."
        changed = [f"“{_heading(task)}”" for task, v in checked if v.status == "passed" and not v.current]
        yield (
            "Changed since then",
            f"{', '.join(changed)}: what is changed does not count as verified."
            if changed
            else "Nothing: these are the answers that were checked.",
        )
    behind = (
        "The grader checks the answers behind them, not this document."
        if checked
        else "Nobody has checked the answers behind them."
    )
    yield "Figures and results", f"Kept by the learner's notebook when it ran. {behind}"
    written = [task for task, _ in tasks if task.kind == "written"]
    if written:
        named = ", ".join(f"“{_heading(task)}” ({task.points:g} points)" for task in written)
        yield "For a person to judge", f"{named}. No machine grades these, and no grade is recorded here."


def _statement(course: Curriculum, progress: Progress) -> str:
    checks = [v for week in progress.weeks for _, v in week.tasks if v and v.status != "for a person"]
    days = sorted(moment for verified in checks if (moment := _moment(verified.checked_at)))
    when = f", last on {_day(days[-1])}" if days else " (which has not happened yet)"
    return (
        f"This is work from “{course.course.title}”, a course of {len(course.weeks)} weeks in notebooks for people who sign "
        f"off on technology that touches patients. All data are synthetic: {course.course.organisation}, its patients and "
        "its staff are invented. “Verified” means that the course's grader has run the answers in code again, with cases the "
        f"learner does not see{when}. Decisions are the learner's own words; a person has to judge them. The record lies with "
        "the learner: whoever relies on it can repeat the check on the notebooks. Nothing here is a claim about real "
        "patients or a real clinic, and this is not an accreditation."
    )


def _made(workspace: Path, progress: Progress, entries: Sequence[Entry]) -> datetime:
    """The moment the portfolio stands for: the last check, else the newest artefact. Not the clock: same work, same bytes."""
    moments = [m for week in progress.weeks for _, v in week.tasks if v and (m := _moment(v.checked_at))]
    if moments:
        return max(moments)
    folders = {week.week.folder for week in progress.weeks}
    kept = [
        path.lstat().st_mtime
        for folder in folders
        for entry in entries
        if (path := workspace / folder / FOLDER / f"{entry.project.id}.json").is_file()
    ]
    return datetime.fromtimestamp(int(max(kept, default=0)), UTC)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
