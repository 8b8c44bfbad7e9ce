"""What the course consists of, read from `course/curriculum.toml`.

The file is the one place for weeks, skills, projects, tracks and resources. This module turns it into frozen
dataclasses, refuses a file that does not hold together, and finds a week by any of the names people use for it.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from carelab import paths
from carelab.errors import UserError

CURRICULUM = paths.COURSE / "curriculum.toml"
NOTEBOOKS = ("lesson", "exercises", "project")

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Minutes:
    """How long a learner should set aside for each notebook of a week."""

    lesson: int
    exercises: int
    project: int

    @property
    def total(self) -> int:
        """Minutes for the whole week."""
        return self.lesson + self.exercises + self.project


@dataclasses.dataclass(frozen=True)
class Audience:
    """A kind of reader, and what the course expects of them."""

    role: str
    text: str


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Something the course leaves out on purpose."""

    what: str
    because: str


@dataclasses.dataclass(frozen=True)
class Course:
    """What holds for all weeks."""

    title: str
    subtitle: str
    organisation: str
    setting: str
    hours_per_week: str
    minutes: Minutes
    audience: tuple[Audience, ...]
    refuses: tuple[Refusal, ...]


@dataclasses.dataclass(frozen=True)
class Week:
    """One week: a folder with a lesson, exercises and a project."""

    number: int
    slug: str
    status: Literal["ready", "planned"]
    title: str
    question: str
    summary: str
    topics: tuple[str, ...]
    traps: tuple[str, ...]
    needs: tuple[int, ...]
    helps: tuple[int, ...]
    minutes: Minutes

    @property
    def folder(self) -> str:
        """Name of the week's folder, for example `week_01_ml_fundamentals`."""
        return f"week_{self.number:02d}_{self.slug}"

    @property
    def ready(self) -> bool:
        """Whether the week's notebooks are written."""
        return self.status == "ready"


@dataclasses.dataclass(frozen=True)
class Skill:
    """Something a learner can do afterwards; taught and graded in `weeks`."""

    id: str
    track: str
    title: str
    text: str
    weeks: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Project:
    """A piece of work for the portfolio: what it leaves there (`artefact`), and the skills it shows."""

    id: str
    title: str
    text: str
    artefact: str
    weeks: tuple[int, ...]
    skills: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Capstone:
    """A variant of the capstone that joins earlier projects."""

    id: str
    title: str
    projects: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Step:
    """One week on a track."""

    week: int
    capstone: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Track:
    """An order in which one kind of learner takes the weeks."""

    id: str
    title: str
    length: str
    text: str
    path: tuple[Step, ...]


@dataclasses.dataclass(frozen=True)
class Resource:
    """Something to read or watch elsewhere, with what to take from it."""

    title: str
    by: str
    weeks: tuple[int, ...]
    take: str
    time: str


@dataclasses.dataclass(frozen=True)
class Curriculum:
    """The whole course."""

    course: Course
    weeks: tuple[Week, ...]
    skills: tuple[Skill, ...]
    projects: tuple[Project, ...]
    capstones: tuple[Capstone, ...]
    tracks: tuple[Track, ...]
    resources: tuple[Resource, ...]

    def week(self, name: str | int) -> Week:
        """The week called `name`: `1`, `"1"`, `"w01"`, `"week_01"`, `"week 1"`, the folder's name or the topic."""
        wanted = str(name).strip().rstrip("/").lower()
        numbered = re.fullmatch(r"(?:week|w)?[ _-]?(\d{1,2})", wanted)
        for week in self.weeks:
            if (numbered and week.number == int(numbered[1])) or wanted in (week.folder, week.slug):
                return week
        last = len(self.weeks)
        raise UserError(f'There is no week "{name}": name it by its number, 1 to {last}, or by its folder.')

    def skills_of(self, week: Week) -> tuple[Skill, ...]:
        """The skills that a week teaches."""
        return tuple(skill for skill in self.skills if week.number in skill.weeks)

    def projects_of(self, week: Week) -> tuple[Project, ...]:
        """The projects that belong to a week."""
        return tuple(project for project in self.projects if week.number in project.weeks)

    def project(self, project_id: str) -> Project:
        """The project called `project_id`, for example "J11"."""
        for project in self.projects:
            if project.id == project_id:
                return project
        known = ", ".join(project.id for project in self.projects)
        raise UserError(f'There is no project "{project_id}": the course has {known}.')

    def resources_of(self, week: Week) -> tuple[Resource, ...]:
        """Where a week sends its readers to learn more."""
        return tuple(resource for resource in self.resources if week.number in resource.weeks)


@cache
def load(path: Path = CURRICULUM) -> Curriculum:
    """Read the curriculum; UserError with one sentence when the file is missing, malformed or contradicts itself."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path.name} is missing; it belongs into the folder {path.parent.name}/.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name} cannot be read as TOML: {error}.") from None
    try:
        _inherit_minutes(table)
        curriculum = _build(Curriculum, table, "")
    except _BadTable as bad:
        raise UserError(f"{path.name}: {bad}.") from None
    found = contradictions(curriculum)
    if found:
        more = f" ({len(found) - 1} more)" if found[1:] else ""
        raise UserError(f"{path.name}: {found[0]}{more}.")
    return curriculum


def week(name: str | int) -> Week:
    """Find a week of this course by any of its names; see `Curriculum.week`."""
    return load().week(name)


def contradictions(curriculum: Curriculum) -> list[str]:
    """Every way in which the parts of a curriculum do not fit each other; an empty list when they do."""
    return [
        *_wrong_weeks(curriculum),
        *_wrong_references(curriculum),
        *_wrong_artefacts(curriculum),
        *_wrong_skills(curriculum),
        *_wrong_tracks(curriculum),
    ]


def _wrong_weeks(curriculum: Curriculum) -> Iterator[str]:
    numbers = [week.number for week in curriculum.weeks]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"weeks are numbered {numbers}, not 1, 2, 3 and so on"
    for week in curriculum.weeks:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", week.slug):
            yield f'week {week.number} has the slug "{week.slug}", which is no folder name in lower case'
        if not curriculum.projects_of(week):
            yield f"week {week.number} has no project"


def _wrong_references(curriculum: Curriculum) -> Iterator[str]:
    weeks = {week.number for week in curriculum.weeks}
    known: dict[str, set[str]] = {}
    for kind in ("skills", "projects", "capstones", "tracks"):
        all_ids = [item.id for item in getattr(curriculum, kind)]
        known[kind] = set(all_ids)
        for name in sorted(known[kind]):
            if all_ids.count(name) > 1:
                yield f"{kind} has the id {name} twice"
    named_weeks: list[tuple[str, tuple[int, ...]]] = [
        *((f"week {week.number}", week.needs + week.helps) for week in curriculum.weeks),
        *((f"skill {skill.id}", skill.weeks) for skill in curriculum.skills),
        *((f"project {project.id}", project.weeks) for project in curriculum.projects),
        *((f"track {track.id}", tuple(step.week for step in track.path)) for track in curriculum.tracks),
        *((f"resource {resource.title}", resource.weeks) for resource in curriculum.resources),
    ]
    for owner, numbers in named_weeks:
        for number in numbers:
            if number not in weeks:
                yield f"{owner} names week {number}, which does not exist"
    named_ids: list[tuple[str, str, tuple[str, ...]]] = [
        *((f"skill {skill.id}", "tracks", (skill.track,)) for skill in curriculum.skills),
        *((f"project {project.id}", "skills", project.skills) for project in curriculum.projects),
        *((f"capstone {capstone.id}", "projects", capstone.projects) for capstone in curriculum.capstones),
        *(
            (f"track {track.id}", "capstones", tuple(step.capstone for step in track.path if step.capstone))
            for track in curriculum.tracks
        ),
    ]
    for owner, kind, ids in named_ids:
        for name in ids:
            if name not in known[kind]:
                yield f"{owner} names {name}, which is not among the {kind}"


def _wrong_artefacts(curriculum: Curriculum) -> Iterator[str]:
    for project in curriculum.projects:
        words = len(project.artefact.split())
        if not 2 <= words <= 6:
            yield f"the artefact of project {project.id} is named in {words} words, not in two to six"


def _wrong_skills(curriculum: Curriculum) -> Iterator[str]:
    for skill in curriculum.skills:
        if not skill.weeks:
            yield f"skill {skill.id} is in no week's lesson"
        if not any(skill.id in project.skills for project in curriculum.projects):
            yield f"skill {skill.id} is shown by no project"
    first_lesson = {skill.id: min(skill.weeks, default=0) for skill in curriculum.skills}
    for project in curriculum.projects:
        if not project.weeks:
            yield f"project {project.id} is in no week"
            continue
        for name in project.skills:
            if first_lesson.get(name, 0) > max(project.weeks):
                yield f"project {project.id} shows skill {name} before any lesson teaches it"


def _wrong_tracks(curriculum: Curriculum) -> Iterator[str]:
    needs = {week.number: week.needs for week in curriculum.weeks}
    for track in curriculum.tracks:
        if not track.path:
            yield f"track {track.id} has no path"
        done: set[int] = set()
        for step in track.path:
            if step.week in done:
                yield f"track {track.id} has week {step.week} twice"
            for needed in needs.get(step.week, ()):
                if needed not in done:
                    yield f"track {track.id} has week {step.week} before week {needed}, which it needs"
            done.add(step.week)


def _inherit_minutes(table: dict[str, Any]) -> None:
    """Give every week the course's minutes, where it does not state its own."""
    course, weeks = table.get("course"), table.get("weeks")
    usual = course.get("minutes") if isinstance(course, dict) else None
    if not isinstance(usual, dict) or not isinstance(weeks, list):
        return  # _build says what is missing
    for week in weeks:
        if isinstance(week, dict) and isinstance(week.get("minutes", {}), dict):
            week["minutes"] = {**usual, **week.get("minutes", {})}


class _BadTable(Exception):
    """A value that does not fit; the message says where it stands."""


def _build(kind: type[T], table: object, where: str) -> T:
    """Make a dataclass from a TOML table: every field present, no other key, each value of the field's type."""
    if not isinstance(table, dict):
        raise _BadTable(f"{where} has to be a table")
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    prefix = f"{where}." if where else ""
    unknown = sorted(set(table) - set(fields))
    if unknown:
        raise _BadTable(f"{prefix}{unknown[0]} is not a key this file knows")
    values = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _value(hints[name], table[name], prefix + name)
        elif field.default is dataclasses.MISSING:
            raise _BadTable(f"{prefix}{name} is missing")
    return kind(**values)


def _value(hint: Any, value: object, where: str) -> object:
    origin = get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise _BadTable(f"{where} has to be a list")
        return tuple(_value(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(value, start=1))
    if origin is Literal:
        if value not in get_args(hint):
            raise _BadTable(f"{where} has to be one of {', '.join(get_args(hint))}, not {value!r}")
        return value
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)  # type: ignore[arg-type]
    words = types.MappingProxyType({str: "text", int: "a whole number"})
    if type(value) is not hint:  # not isinstance: `true` must not pass for a number
        raise _BadTable(f"{where} has to be {words[hint]}, not {value!r}")
    if hint is str and not value.strip():  # type: ignore[attr-defined]
        raise _BadTable(f"{where} is empty")
    if hint is int and value <= 0:  # type: ignore[operator]
        raise _BadTable(f"{where} has to be above zero, not {value}")
    return value.strip() if hint is str else value  # type: ignore[attr-defined]
