"""Which answers of a notebook build on others: when one changes, what was verified about those no longer holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from carelab.grading.names import defined, read, touched


def affected(cells: Iterable[Mapping[str, Any]], answers: Mapping[str, str], changed: Collection[str]) -> set[str]:
    """Names of the tasks whose answer or check uses, by whatever way, a name that a changed answer binds.

    cells: of the released notebook, as JSON, in order. answers: the learner's sources by task. changed: tasks; they are part of
    the result. A name counts as used wherever it is read, so it is rather one too many than one too few.
    """
    tainted: set[str] = set()
    found = set(changed)
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        entry, released = cell.get("metadata", {}).get("nbgrader") or {}, "".join(cell.get("source", ""))
        name = str(entry.get("grade_id", "")).removesuffix("-check")
        if entry.get("solution"):
            own = answers.get(name, released)
            if name in found or _names(read, own) & tainted:
                found.add(name)
                tainted |= _names(defined, own) | _names(defined, released)
        elif entry.get("grade"):
            if _names(read, released) & tainted:
                found.add(name)
        elif _names(read, released) & tainted:
            tainted |= _names(defined, released) | _names(touched, released)
    return found


@lru_cache(4096)  # a page is drawn again and again, of cells that hardly change
def _names(look: Callable[[str], set[str]], source: str) -> frozenset[str]:
    try:
        return frozenset(look(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a learner's cell may hold anything
        return frozenset()
