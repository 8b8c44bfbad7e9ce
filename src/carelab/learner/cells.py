"""A notebook's cells, read from whatever a program has saved: a cell may lack its id, a file may be no notebook at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Marks = list[list[str]]  # id, kind and hash of each cell: what has to be equal for two notebooks to say the same

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")
_POINTS = re.compile(r"\s*\(\d[\d.]* points?\)$")
_BUILT = re.compile(r"[0-9a-f]{12}(-\d+)?")  # the id that the build makes of a cell's content; no other program's


@dataclass(frozen=True)
class Cell:
    """One cell; `role` says whether nbgrader takes it for a learner's answer, for a check, or for neither."""

    id: str
    kind: str
    source: str
    role: Literal["answer", "check", ""]
    name: str  # nbgrader's grade_id; empty for a cell without a role
    raw: dict[str, Any]

    @property
    def exercise(self) -> str:
        """The name of the exercise that an answer or a check belongs to."""
        return self.name.removesuffix("-check")


@dataclass(frozen=True)
class Notebook:
    """A notebook as JSON, and its cells."""

    raw: dict[str, Any]
    cells: tuple[Cell, ...]

    @property
    def marks(self) -> Marks:
        """What two notebooks have in common that say the same, whatever their outputs."""
        return [[cell.id, cell.kind, _hash(cell.source)] for cell in self.cells]

    def to_bytes(self) -> bytes:
        """The notebook as a file's content, laid out as Jupyter does."""
        try:
            return (json.dumps(self.raw, indent=1, ensure_ascii=False) + "\n").encode()
        except UnicodeEncodeError:  # half of a character pair, which only an escape can hold
            return (json.dumps(self.raw, indent=1) + "\n").encode()


def read(content: bytes | None) -> Notebook | None:
    """The notebook in a file's content; None when that is none. Never raises for what the content is."""
    try:
        raw = json.loads(content or b"")
        return Notebook(raw, tuple(map(cell_of, raw["cells"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def cell_of(raw: dict[str, Any]) -> Cell:
    """The cell in its JSON. Raises KeyError, TypeError or AttributeError when that is none."""
    source = raw["source"]
    source = source if isinstance(source, str) else "".join(source)
    kind = str(raw["cell_type"])
    grading = raw.get("metadata", {}).get("nbgrader") or {}
    role: Literal["answer", "check", ""] = (
        "answer" if grading.get("solution") else "check" if grading.get("grade") else ""
    )
    name = str(grading.get("grade_id", "")) if role else ""
    return Cell(str(raw.get("id") or built_id(kind, source)), kind, source, role, name, raw)


def built_id(kind: str, source: str) -> str:
    """The id that the build gives to a cell without a role."""
    return _hash(f"{kind}\n{source}")[:12]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_own(cell: Cell, given: Container[str]) -> bool:
    """Whether the learner made this cell: no version of the course has it. `given`: ids of cells of the course."""
    built = "id" in cell.raw and _BUILT.fullmatch(cell.id)
    return not cell.role and not built and cell.id not in given


def word(cell: Cell) -> str:
    """What a reader calls the cell."""
    return "code" if cell.kind == "code" else "text"


def headings(cells: Sequence[Cell]) -> list[str]:
    """The heading that each cell stands under, without its points; its own one for a text that has some."""
    found, last = [], "The beginning"
    for cell in cells:
        if cell.kind == "markdown":
            fenced = False
            for line in cell.source.splitlines():
                fenced ^= line.lstrip().startswith("```")
                heading = None if fenced else _HEADING.match(line)
                if heading:
                    last = _POINTS.sub("", heading[1])
        found.append(last)
    return found


def edited(now: Marks, made: Marks) -> Iterator[str]:
    """Ids of cells that are no longer as they were made: changed, added or removed."""
    before, after = ({mark[0]: mark for mark in marks} for marks in (made, now))
    yield from (name for name in {**before, **after} if before.get(name) != after.get(name))
