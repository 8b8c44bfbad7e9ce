"""A learner's answers, carried from their notebook into another version of it."""

from __future__ import annotations

from collections.abc import Container
from copy import deepcopy
from typing import Any

from carelab.learner.cells import Cell, Notebook, built_id, cell_of, headings, is_own, word
from carelab.learner.changes import pairs


def carry(
    target: Notebook, own: Notebook, base: Notebook | None, settled: Container[str] = ()
) -> tuple[Notebook, list[str]]:
    """`target` with what the learner wrote in `own`, and a sentence for each thing that finds no place there.

    Answers go by their names, unless they are still what the course gave. A cell that the course did not change keeps the
    learner's version. Cells of the learner's own stand after the cell they stood after. Checks are the course's.

    base: what the learner was given; None when nobody knows, and then whatever may be the learner's is taken for it.
    settled: ids of cells that stay in `target` as they are, or stay away.
    """
    cells = [deepcopy(cell.raw) for cell in target.cells]
    given = {cell.id: cell for cell in base.cells} if base else {}
    stubs = {cell.name: cell.source for cell in base.cells if cell.role == "answer"} if base else {}
    by_id = {cell.id: j for j, cell in reversed(list(enumerate(target.cells)))}
    by_name = {cell.name: j for j, cell in reversed(list(enumerate(target.cells))) if cell.role == "answer"}
    mine = _added(own, {*given, *by_id})
    course = [i for i in range(len(own.cells)) if i not in mine]
    partner = {course[i]: j for i, j in pairs([own.cells[i] for i in course], target.cells).items()}
    left: dict[str, None] = {}
    after: dict[int, list[dict[str, Any]]] = {}
    anchor = -1
    for i, (cell, heading) in enumerate(zip(own.cells, headings(own.cells), strict=True)):
        anchor = partner.get(i, anchor)
        if i in mine:
            if cell.id not in settled and cell.id not in by_id:
                after.setdefault(anchor, []).append(_as_own(cell))
        elif cell.role != "check" and _is_written(cell, given, stubs):
            place = by_name.get(cell.name) if cell.role else by_id.get(cell.id)
            if place is not None and target.cells[place].id in settled:
                continue
            if place is None or not _fits(cell, given.get(cell.id), target.cells[place]):
                left[_left(cell, heading)] = None
            elif target.cells[place].source != cell.source:
                _rewrite(cells[place], cell)
    together = after.get(-1, [])
    for j, raw in enumerate(cells):
        together += [raw, *after.get(j, [])]
    return Notebook({**target.raw, "cells": together}, tuple(map(cell_of, together))), list(left)


def _added(own: Notebook, given: Container[str]) -> set[int]:
    """Positions of the cells that the learner made. A second cell for one answer is a copy that they made."""
    seen: set[str] = set()
    mine = set()
    for i, cell in enumerate(own.cells):
        if is_own(cell, given) or (cell.role == "answer" and cell.name in seen):
            mine.add(i)
        elif cell.role == "answer":
            seen.add(cell.name)
    return mine


def _is_written(cell: Cell, given: dict[str, Cell], stubs: dict[str, str]) -> bool:
    """Whether the learner wrote something into a cell of the course."""
    if cell.role:
        return stubs.get(cell.name) != cell.source
    was = given.get(cell.id)
    return was.source != cell.source if was else not cell.id.startswith(built_id(cell.kind, cell.source))


def _fits(cell: Cell, was: Cell | None, now: Cell) -> bool:
    """Whether the learner's version may stand in the new cell: an answer always, another cell if the course left it alone."""
    return bool(cell.role) or (cell.kind == now.kind and not now.role and (was is None or was.source == now.source))


def _left(cell: Cell, heading: str) -> str:
    if cell.role:
        return f"Your answer to {cell.name} has no place in the new version: it stays in your old notebook"
    return f"{heading}: what you wrote into the {word(cell)} there stays in your old notebook"


def _rewrite(raw: dict[str, Any], cell: Cell) -> None:
    """Put the learner's source into a cell of the new version, with the pictures pasted into it."""
    raw["source"] = cell.raw["source"]
    raw.pop("attachments", None)
    if "attachments" in cell.raw:
        raw["attachments"] = cell.raw["attachments"]


def _as_own(cell: Cell) -> dict[str, Any]:
    """A learner's cell for another notebook; nbgrader must not take a copied answer for the answer."""
    metadata = cell.raw.get("metadata", {})
    return {
        **deepcopy(cell.raw),
        "id": cell.raw.get("id") or f"own-{cell.id}",
        "metadata": {key: metadata[key] for key in metadata if key != "nbgrader"},
    }
