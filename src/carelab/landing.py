"""What is written from the curriculum: the learners' first page, and the tables in README.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from carelab import files, paths
from carelab.curriculum import NOTEBOOKS, Curriculum, Track, Week, load
from carelab.errors import UserError

README = paths.ROOT / "README.md"
MEND = "python -m carelab build"


def landing_source(curriculum: Curriculum | None = None) -> str:
    """The first page as a percent-format text, for the builder to turn into a notebook."""
    curriculum = curriculum or load()
    cells = [_markdown(_welcome(curriculum)), _CHECK_CELL]
    cells += [
        _markdown(section(curriculum))
        for section in (_rhythm, _weeks, _tracks, _stuck, _refuses, _read_on, _data_and_help)
    ]
    return "\n\n".join(cells) + "\n"


_CHECK_CELL = """\
# %%
from carelab.doctor import quick

quick()"""


def _markdown(text: str) -> str:
    if '"""' in text:
        raise UserError('curriculum.toml: a text contains """, which would end its cell on the landing page.')
    return f'# %% [markdown]\nr"""\n{text.strip()}\n"""'


def _welcome(curriculum: Curriculum) -> str:
    course = curriculum.course
    readers = "\n".join(f"- **{reader.role}.** {reader.text}" for reader in course.audience)
    return f"""\
# {course.title}

{course.subtitle}. Set aside {course.hours_per_week} hours a week.

{course.setting}

{readers}

In JupyterLab the menu **Course**, **Course overview** opens the page that knows you: your track, what is done, what comes next.

Click into the next cell and press **Shift+Enter**. It runs, and tells you whether everything is in place."""


def _rhythm(curriculum: Curriculum) -> str:
    minutes = curriculum.course.minutes
    return f"""\
## How a week works

| notebook | usual minutes | what you do |
|---|---|---|
| lesson | {minutes.lesson} | Read and run, top to bottom. You are asked for a guess before the results that matter. |
| exercises | {minutes.exercises} | Write short pieces that somebody at {curriculum.course.organisation} needs. A check answers at once. |
| project | {minutes.project} | One piece of work from beginning to end, for your portfolio. |

These notebooks are your own copies. Change what you like: the course never writes over a notebook you have changed. A newer
version is put beside it, with your answers in it."""


def _weeks(curriculum: Curriculum) -> str:
    return f"""\
## The twelve weeks

{weeks_table(curriculum)}"""


def weeks_table(curriculum: Curriculum, base: str = "") -> str:
    """The weeks as a Markdown table; `base` is where their folders lie, seen from the page with the table."""
    rows = ["| week | question | project | notebooks |", "|---|---|---|---|"]
    for week in curriculum.weeks:
        projects = ", ".join(project.title for project in curriculum.projects_of(week))
        rows.append(f"| {week.number} | **{week.question}**<br>{week.title} | {projects} | {_links(week, base)} |")
    return "\n".join(rows)


def _links(week: Week, base: str) -> str:
    if not week.ready:
        return "in preparation"
    return " · ".join(f"[{name}]({base}{week.folder}/{name}.ipynb)" for name in NOTEBOOKS)


def _tracks(curriculum: Curriculum) -> str:
    return f"""\
## Pick a track

The weeks stand on each other less than their numbers suggest. Three orders work.

{tracks_table(curriculum)}

Week 11 comes in variants: {_variants(curriculum)}."""


def _variants(curriculum: Curriculum) -> str:
    return "; ".join(f"**{item.id}**, {item.title[0].lower()}{item.title[1:]}" for item in curriculum.capstones)


def tracks_table(curriculum: Curriculum) -> str:
    """The tracks as a Markdown table."""
    rows = ["| track | length | weeks, in this order | what it is |", "|---|---|---|---|"]
    rows += [f"| {track.title} | {track.length} | {_path(track)} | {track.text} |" for track in curriculum.tracks]
    return "\n".join(rows)


def _path(track: Track) -> str:
    numbers = [step.week for step in track.path]
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{numbers[0]} to {numbers[-1]}"
    steps = []
    for step in track.path:
        extra = f"variant {step.capstone}" if step.capstone else step.note
        steps.append(f"{step.week} ({extra})" if extra else str(step.week))
    return ", ".join(steps)


def _stuck(curriculum: Curriculum) -> str:
    first = next((week for week in curriculum.weeks if week.ready), curriculum.weeks[0])
    return f"""\
## When you are stuck, and when you are done

Each exercise has a name and hints, in order. Under its heading stands the line that asks for a hint; run it in a code cell, and again
for the next one. `check` tries your answer at once, as the cell below the exercise does, and says in a sentence what it saw.

```python
from carelab import check, hint

hint("w{first.number:02d}-...")
check("w{first.number:02d}-...")
```

When you have finished a week, press **Check my work** above the notebook. It runs all checks of the week, the hidden ones included,
and keeps what is verified. Without the button: `from carelab.learner import check_week; check_week({first.number})`.

A hidden check asks nothing new. It repeats a rule that the text states, on other patients."""


def _refuses(curriculum: Curriculum) -> str:
    rows = "\n".join(
        f"- **{item.what[0].upper()}{item.what[1:]}.** {item.because}" for item in curriculum.course.refuses
    )
    return f"""\
## What this course leaves out

{rows}"""


def _read_on(curriculum: Curriculum) -> str:
    rows = "\n".join(
        f"| {resource.title} ({resource.by}) | {_numbers(resource.weeks)} | {resource.take} | {resource.time} |"
        for resource in curriculum.resources
    )
    return f"""\
## Where to read on

You need none of these to finish a week. Each week's last cell says which one fits.

| title | weeks | what to take from it | set aside |
|---|---|---|---|
{rows}"""


def _numbers(weeks: Iterable[int]) -> str:
    numbers = sorted(weeks)
    if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


def _data_and_help(_: Curriculum) -> str:
    return """\
## Data, and help

All patients, visits, claims and policies here are synthetic: a program made them up, with known flaws for you to find. \
No figure from this course describes a real person or a real hospital.

- A cell fails on your machine: open a terminal (File, New, Terminal) and run `python -m carelab doctor`. It says what to mend.
- You want a notebook as it was: **Start over**, on the course overview. Your copy is kept in the folder `backups`.
- You take the course in a group: ask your instructor. Alone: open an issue where you got the course, with the doctor's output."""


def readme_tables(curriculum: Curriculum | None = None) -> dict[str, str]:
    """What README.md takes from the curriculum, by the name of the marker it stands between."""
    curriculum = curriculum or load()
    minutes = curriculum.course.minutes
    return {
        "rhythm": (
            f"A week has three notebooks: a lesson (usually {minutes.lesson} minutes), exercises that check themselves "
            f"({minutes.exercises}) and a project for your portfolio ({minutes.project})."
        ),
        "weeks": weeks_table(curriculum, "weeks_01-12/"),
        "tracks": tracks_table(curriculum),
    }


def updated_readme(text: str, tables: dict[str, str]) -> str:
    """README.md's text with each table put between its markers `<!-- name -->` and `<!-- /name -->`."""
    for name, table in tables.items():
        pattern = re.compile(rf"<!-- {name} -->\n.*?<!-- /{name} -->", re.DOTALL)
        parts = pattern.split(text)
        if len(parts) != 2:
            raise UserError(f"README.md has to hold the lines <!-- {name} --> and <!-- /{name} --> once each.")
        before, after = parts
        text = f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}"
    return text


def update_readme(path: Path = README) -> bool:
    """Renew the tables in README.md; True when that changed something."""
    old = path.read_text(encoding="utf-8")
    new = updated_readme(old, readme_tables())
    if new == old:
        return False
    files.write(path, new)
    return True


def readme_is_current(path: Path = README) -> bool:
    """Whether the tables in README.md say what the curriculum says."""
    text = path.read_text(encoding="utf-8")
    return updated_readme(text, readme_tables()) == text
