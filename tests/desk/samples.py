"""A learner in the middle of week 1, made by hand: every outcome a check can have, time on two of three notebooks."""

from __future__ import annotations

from pathlib import Path

from carelab import curriculum
from carelab.errors import UserError
from carelab.learner import progress as standing
from carelab.learner import workspace as copies
from carelab.learner.progress import Place, Progress, SkillProgress, Task, Verified, WeekProgress
from carelab.learner.workspace import Update

FOLDER = "week_01_ml_fundamentals"


def task(name: str, title: str, kind: str = "exercise", notebook: str = "exercises", points: float = 2) -> Task:
    anchor = title.replace(" ", "-")
    return Task(name, 1, notebook, title, anchor, kind, points, ("P1", "P2"), ("Look at the lesson.",))  # type: ignore[arg-type]


def verified(status: str, message: str = "", earned: float = 0, current: bool = True) -> Verified:
    return Verified(status, earned, message, "2026-11-15T19:40:00+00:00", current)  # type: ignore[arg-type]


_LEAK = "Your table still has 'arrived', which is filled in after the visit."
_GONE = "Words about an answer that is gone."
TASKS: tuple[tuple[Task, Verified | None], ...] = (
    (task("w01-baseline", "1. What everybody comes would cost"), verified("passed", "", 2)),
    (task("w01-leak", "2. A column from the future"), verified("failed", _LEAK)),
    (task("w01-split", "3. One patient, one side"), verified("not attempted")),
    (task("w01-threshold", "4. Forty calls a day"), verified("passed", _GONE, 2, current=False)),
    (task("w01-memo", "5. What you tell the nurse manager", "written"), verified("for a person")),
    (task("w01-bands", "Risk bands", "gate", "project", 0), None),
)
NEXT = Place(f"{FOLDER}/exercises.ipynb", "2.-A-column-from-the-future", "2. A column from the future")


def progress(
    tasks: tuple[tuple[Task, Verified | None], ...] = TASKS,
    track: str | None = "cto",
    seconds: dict[str, int] | None = None,
    place: Place | None = NEXT,
) -> Progress:
    course = curriculum.load()
    chosen = next((t for t in course.tracks if t.id == track), None)
    numbers = [step.week for step in chosen.path] if chosen else [week.number for week in course.weeks]
    spent = {"lesson": 52 * 60, "exercises": 20} if seconds is None else seconds
    weeks = tuple(
        WeekProgress(course.week(number), tasks if number == 1 else (), spent if number == 1 else {})
        for number in numbers
    )
    skills = tuple(SkillProgress(s, *((1, 5) if s.id in ("P1", "P2") else (0, 0))) for s in course.skills)
    return Progress(chosen, weeks, skills, place)


UPDATE = Update(
    f"{FOLDER}/lesson.ipynb",
    f"{FOLDER}/lesson (new version).ipynb",
    ("A clearer figure of the split.", "Two new questions."),
)


def install(workspace: Path) -> None:
    """Put fakes in the place of what reads and writes a workspace, in this process; they remember in files."""
    chosen = workspace / ".carelab" / "fake-track"
    chosen.parent.mkdir(parents=True, exist_ok=True)

    def choose_track(where: Path, track: str) -> None:
        if track not in {t.id for t in curriculum.load().tracks}:
            raise UserError(f'There is no track "{track}".')
        chosen.write_text(track)

    really_note_time = standing.note_time

    def note_time(where: Path, path: str, seconds: int) -> None:
        really_note_time(where, path, seconds)
        with (workspace / ".carelab" / "fake-time").open("a") as notes:
            notes.write(f"{path} {seconds}\n")

    def keep(where: Path, name: str, *release: Path) -> Path:
        if "broken" in name:
            raise RuntimeError("secret inside")
        return workspace / "backups" / name

    standing.read = lambda where=workspace: progress(track=chosen.read_text() if chosen.exists() else None)
    standing.choose_track, standing.note_time = choose_track, note_time
    copies.updates = lambda where: [UPDATE]
    copies.take = copies.reset = keep
