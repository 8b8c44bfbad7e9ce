"""Read one authors' text (jupytext percent format) into a notebook with nbgrader metadata and stable cell ids."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from carelab import curriculum
from carelab.build import markers
from carelab.build.markers import Marker
from carelab.errors import UserError

# Fixed by hand: what a kernel would write here differs between machines and Python versions.
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
_HINT = re.compile(r"^\d+\.\s+", re.MULTILINE)


@dataclass
class Source:
    """One text as read: the notebook, its hints by exercise, and the line each cell starts on."""

    path: Path
    notebook: NotebookNode
    hints: dict[str, list[str]]
    lines: list[int]
    problems: list[str] = field(default_factory=list)


class SourceError(UserError):
    """A text that cannot become a notebook; the message lists every problem with file and line."""


def read(path: Path) -> Source:
    """Read and check one percent-format text. Raises SourceError naming every bad marker with its file and line."""
    text = path.read_text(encoding="utf-8")
    starts = [number for number, line in enumerate(text.splitlines(), 1) if markers.CELL_START.match(line)]
    if not starts or starts[0] != 1:
        raise SourceError(f"{path}:1: the text must begin with a cell line, `# %%` or `# %% [markdown]`.")
    raw = jupytext.reads(text, fmt="py:percent")
    if len(raw.cells) != len(starts):
        raise SourceError(
            f"{path}: {len(starts)} cell lines but {len(raw.cells)} cells; "
            "look for text after a closing triple quote or a `# %%` inside a string."
        )
    source = Source(path, raw, {}, starts)
    cells: list[NotebookNode] = []
    kept_lines: list[int] = []
    seen: Counter[str] = Counter()
    for cell, line in zip(raw.cells, starts, strict=True):
        mark = markers.marker(cell.metadata)
        unknown = set(cell.metadata) - markers.KEYS - markers.JUPYTEXT_KEYS
        if unknown:
            source.problems.append(f"{path}:{line}: unknown marker {', '.join(sorted(unknown))}.")
        if mark and mark.kind == "hint":
            source.hints.setdefault(mark.name, []).extend(_split_hints(cell.source))
            _check_name(mark, line, source)
            continue
        if mark:
            _check_marker(mark, cell, line, source)
        else:
            _check_plain(cell, line, source)
        cells.append(_finish(cell, mark, seen))
        kept_lines.append(line)
    source.notebook.cells = cells
    source.notebook.metadata = NotebookNode(NOTEBOOK_METADATA)
    source.notebook.nbformat, source.notebook.nbformat_minor = 4, 5
    source.lines = kept_lines
    _check_pairs(source)
    if source.problems:
        raise SourceError("\n".join(source.problems))
    return source


def _split_hints(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _HINT.split(text) if part.strip()]


def _finish(cell: NotebookNode, mark: Marker | None, seen: Counter[str]) -> NotebookNode:
    tags = cell.metadata.get("tags")
    cell.metadata = NotebookNode()
    if tags:
        cell.metadata["tags"] = tags
    if mark:
        cell.metadata["nbgrader"] = markers.nbgrader_metadata(mark)
        if mark.skills:
            cell.metadata[markers.OURS] = NotebookNode(skills=list(mark.skills))
        cell.id = mark.grade_id
    else:
        # jupytext invents a random id on each read; one made of the content is the same on every build.
        stem = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[stem] += 1
        cell.id = stem if seen[stem] == 1 else f"{stem}-{seen[stem]}"
    return cell


def _check_name(mark: Marker, line: int, source: Source) -> None:
    week = re.search(r"week_(\d\d)", source.path.parent.name)
    if not markers.NAME.fullmatch(mark.name) or (week and not mark.name.startswith(f"w{week[1]}-")):
        prefix = f"w{week[1]}-" if week else "wNN-"
        source.problems.append(
            f'{source.path}:{line}: the name "{mark.name}" must be {prefix} and lower-case words joined by hyphens.'
        )


def _check_marker(mark: Marker, cell: NotebookNode, line: int, source: Source) -> None:
    def problem(sentence: str) -> None:
        source.problems.append(f"{source.path}:{line}: {sentence}")

    _check_name(mark, line, source)
    for sentence in _wrong_skills(mark, source.path):
        problem(sentence)
    wanted = "markdown" if mark.kind == "written" else "code"
    if cell.cell_type != wanted:
        problem(f'{mark.kind} "{mark.name}" must be a {wanted} cell.')
    if mark.kind == "exercise":
        if mark.points is not None:
            problem(f'exercise "{mark.name}" carries points; they belong on its check.')
    elif not isinstance(mark.points, int | float) or isinstance(mark.points, bool) or mark.points < 0:
        problem(f'{mark.kind} "{mark.name}" needs points, for example points=2.')
    begin, end = markers.BEGIN_SOLUTION, markers.END_SOLUTION
    if mark.kind == "written":
        begin, end = markers.BEGIN_PROSE, markers.END_PROSE
    begins, ends = _regions(cell.source, begin, end)
    if mark.kind in ("exercise", "written") and not (begins and begins == ends):
        problem(f'{mark.kind} "{mark.name}" needs its answer between {begin} and {end}.')
    if mark.kind == "check":
        if begins or ends:
            problem(f'check "{mark.name}" contains a solution.')
        hidden, hidden_ends = _regions(cell.source, markers.BEGIN_HIDDEN, markers.END_HIDDEN)
        if hidden != hidden_ends or (mark.points and not hidden):
            problem(f'check "{mark.name}" needs hidden tests between {markers.BEGIN_HIDDEN} and END HIDDEN TESTS.')
        if "assert" not in cell.source.split(markers.BEGIN_HIDDEN)[0]:
            problem(f'check "{mark.name}" has no visible assert, so that a learner would learn nothing from it.')


def _wrong_skills(mark: Marker, path: Path) -> Iterator[str]:
    """What is wrong with a cell's skills: progress counts by them."""
    if mark.kind == "check":
        if mark.skills:
            yield f'check "{mark.name}" names skills; they belong on its exercise.'
        return
    known = {skill.id: skill for skill in curriculum.load().skills}
    week = re.search(r"week_(\d\d)", path.parent.name)
    taught = [name for name, skill in known.items() if not week or int(week[1]) in skill.weeks]
    if not mark.skills:
        yield f'{mark.kind} "{mark.name}" needs the skills it exercises, for example skills="{" ".join(taught)}".'
    for name in mark.skills:
        if name not in known:
            yield f'{mark.kind} "{mark.name}" names the skill {name}, which course/curriculum.toml does not have.'
        elif name not in taught:
            yield f'{mark.kind} "{mark.name}" names the skill {name}, which this week does not teach; take {" or ".join(taught)}.'
    if len(set(mark.skills)) < len(mark.skills):
        yield f'{mark.kind} "{mark.name}" names a skill twice.'


def _check_plain(cell: NotebookNode, line: int, source: Source) -> None:
    for word in ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"):
        if word in cell.source:
            source.problems.append(f"{source.path}:{line}: {word} in a cell that is no exercise, check or answer.")


def _regions(text: str, begin: str, end: str) -> tuple[int, int]:
    return text.count(begin), text.count(end)


def _check_pairs(source: Source) -> None:
    """Each exercise has one check after it and at least two hints; nothing is defined twice."""
    path = source.path
    where: dict[tuple[str, str], int] = {}
    for cell, line in zip(source.notebook.cells, source.lines, strict=True):
        mark = markers.marker_of(cell.metadata)
        if mark is None:
            continue
        key = (mark.kind, mark.name)
        if key in where:
            source.problems.append(f'{path}:{line}: {mark.kind} "{mark.name}" is there already, on line {where[key]}.')
            continue
        where[key] = line
        if mark.kind == "check" and ("exercise", mark.name) not in where:
            source.problems.append(f'{path}:{line}: check "{mark.name}" has no exercise of that name before it.')
    for (kind, name), line in where.items():
        if kind == "exercise" and ("check", name) not in where:
            source.problems.append(f'{path}:{line}: exercise "{name}" has no check.')
        if kind == "exercise" and len(source.hints.get(name, [])) < 2:
            source.problems.append(
                f'{path}:{line}: exercise "{name}" needs at least two hints in a hint="{name}" cell.'
            )
    for name in source.hints:
        if ("exercise", name) not in where and ("written", name) not in where:
            source.problems.append(f'{path}: hint="{name}" belongs to no exercise.')
