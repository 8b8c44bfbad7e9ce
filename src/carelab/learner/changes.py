"""Two versions of a notebook: which cell became which, and what changed, in sentences for people."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from carelab.learner.cells import Cell, Notebook, headings, word

_NEW = {"answer": "a new exercise", "check": "a new check"}
_GONE = {"answer": "the exercise", "check": "a check", "code": "some code", "text": "some text"}


def pairs(old: Sequence[Cell], new: Sequence[Cell]) -> dict[int, int]:
    """Which cell of `new` each cell of `old` has become, by position; cells that are gone are left out.

    Cells with a role go by their names. The id of any other is a hash of its content, so such cells are paired when they
    say the same, then by the heading they stand under, then by the cell before them.
    """
    partner: dict[int, int] = {}
    named = {(cell.role, cell.name): j for j, cell in reversed(list(enumerate(new))) if cell.role}
    for i, cell in enumerate(old):
        j = named.pop((cell.role, cell.name), None) if cell.role else None
        if j is not None:
            partner[i] = j
    was, now = ([i for i, cell in enumerate(cells) if not cell.role] for cells in (old, new))
    before, after = ([(cell.kind, cell.source) for cell in cells] for cells in (old, new))
    matcher = SequenceMatcher(None, [before[i] for i in was], [after[j] for j in now], autojunk=False)
    for block in matcher.get_matching_blocks():
        partner.update((was[block.a + n], now[block.b + n]) for n in range(block.size))

    def pair_rest(before: Sequence[object], after: Sequence[object]) -> None:
        """Pair what is left in order, where the keys are equal."""
        rest = [j for j in now if j not in partner.values()]
        for i in was:
            found = next((j for j in rest if after[j] == before[i]), None) if i not in partner else None
            if found is not None:
                partner[i] = found
                rest.remove(found)

    pair_rest(before, after)  # moved
    kinds = [[cell.kind for cell in cells] for cells in (old, new)]
    pair_rest(list(zip(kinds[0], headings(old), strict=True)), list(zip(kinds[1], headings(new), strict=True)))
    back = {j: i for i, j in partner.items()}
    above = [partner.get(max((k for k in partner if k < i), default=-1)) for i in range(len(old))]
    pair_rest(
        list(zip(kinds[0], above, strict=True)),
        [(kind, max((k for k in back if k < j), default=None)) for j, kind in enumerate(kinds[1])],
    )
    return partner


def differences(old: Notebook, new: Notebook, answers: bool = True) -> list[str]:
    """What changed from one version to the next, a sentence for each heading and kind of change, in the new one's order.

    answers: whether the cells for answers are compared, too; not when the learner's own copy stands in for the old version.
    """
    partner = pairs(old.cells, new.cells)
    came_from = {j: i for i, j in partner.items()}
    found: dict[str, None] = {}  # a set that keeps its order: a heading has many cells and one sentence
    added = {cell.name for j, cell in enumerate(new.cells) if cell.role == "answer" and j not in came_from}
    for j, (cell, heading) in enumerate(zip(new.cells, headings(new.cells), strict=True)):
        before = old.cells[came_from[j]] if j in came_from else None
        if before is None:
            if not (cell.role == "check" and cell.exercise in added):
                found[f"{heading}: {_NEW.get(cell.role) or f'new {word(cell)}'}"] = None
        elif before.source != cell.source and (answers or cell.role != "answer"):
            found[_changed(cell, heading)] = None
    gone = {cell.name for i, cell in enumerate(old.cells) if cell.role == "answer" and i not in partner}
    for i, (cell, heading) in enumerate(zip(old.cells, headings(old.cells), strict=True)):
        if i not in partner and not (cell.role == "check" and cell.exercise in gone):
            found[f"{heading}: {_GONE[cell.role or word(cell)]} was taken out"] = None
    order = [partner[i] for i in sorted(partner)]
    if order != sorted(order):
        found["Some parts stand in another order"] = None
    return list(found)


def _changed(cell: Cell, heading: str) -> str:
    if cell.role == "check":
        return f"The check of {cell.exercise} changed"
    if cell.role == "answer":
        return f"{heading}: what you start from changed"
    return f"{heading}: the {word(cell)} changed"
