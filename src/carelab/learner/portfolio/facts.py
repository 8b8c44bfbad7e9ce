"""Facts that a project kept, laid out for a reader: key figures first, then tables, lists and texts.

Whatever JSON holds comes out as one of four plain blocks, which the page and the PDF show alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from carelab.grading.submission import usable

ROWS, COLUMNS, ENTRIES = 15, 9, 30
CELL, TEXT = 300, 4000  # characters
NESTING = 3
SHORT = 80  # a text up to this length stands in a table

_ACRONYMS = {"ai", "auc", "auroc", "api", "id", "ks", "llm", "mrr", "phi", "psi", "ppv", "npv", "roc", "sms", "sql"}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """A table with a caption; without a header it is a list of names and values. `right`: columns of numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    left_out: str = ""

    @property
    def small(self) -> bool:
        """Whether it is a few names with a figure each, so that two of its kind find room beside each other."""
        short = len(self.rows) <= 10 and all(len("".join(row)) <= 40 for row in self.rows)
        return short and not self.header and self.right[-1] and not self.left_out


@dataclass(frozen=True)
class Text:
    """A labelled paragraph."""

    label: str
    text: str


@dataclass(frozen=True)
class Entries:
    """A labelled list."""

    label: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """A heading over the blocks that follow it."""

    label: str


Block = Table | Text | Entries | Group


def lay_out(facts: dict[str, Any], depth: int = 0) -> list[Block]:
    """The blocks for `facts`: names with one value first, as a table, then the rest in its order."""
    single = {name: value for name, value in facts.items() if _is_cell(value)}
    blocks: list[Block] = [_pairs("" if depth else "Key figures", single)] if single else []
    for name, value in facts.items():
        if name not in single:
            blocks += _block(name, value, depth)
    return blocks


def _block(name: str, value: Any, depth: int) -> list[Block]:
    label = label_of(name)
    if isinstance(value, str):
        return [Text(label, clip(value, TEXT))]
    if not value:
        return [Text(label, "none")]
    if isinstance(value, dict):
        if all(map(_is_cell, value.values())):
            return [_pairs(label, value)]
        if all(isinstance(inner, dict) and inner and all(map(_is_cell, inner.values())) for inner in value.values()):
            return [_grid(label, [{"": label_of(row), **inner} for row, inner in value.items()])]
        if depth < NESTING:
            return [Group(label), *lay_out(value, depth + 1)]
    elif all(isinstance(row, dict) and row for row in value):
        return [_grid(label, value)]
    elif all(isinstance(entry, Scalar) for entry in value):
        entries = [show(entry) for entry in value]
        if max(map(len, entries)) <= 30:
            return [Text(label, clip(", ".join(entries), TEXT))]
        return [_entries(label, entries)]
    elif depth < NESTING:
        return [_entries(label, [show(entry) for entry in value])]
    return [Text(label, clip(json.dumps(value, ensure_ascii=False), TEXT))]


def _entries(label: str, entries: Sequence[str]) -> Entries:
    shown = [clip(entry, TEXT) for entry in entries[:ENTRIES]]
    if len(entries) > ENTRIES:
        shown.append(f"and {len(entries) - ENTRIES} more, in the project's own file")
    return Entries(label, tuple(shown))


def _pairs(caption: str, values: dict[str, Any]) -> Table:
    """Names and values; figures in one table keep to one number of decimals where they are of one kind."""
    names = list(values)[: ROWS * 2]
    numbers = [value for value in values.values() if _is_number(value)]
    places, grouped = _places(numbers), _grouped(numbers)
    rows = tuple((label_of(name), show(values[name], places, grouped)) for name in names)
    more = len(values) - len(names)
    return Table(
        caption,
        (),
        rows,
        (False, len(numbers) == len(values)),
        f"{more} more are in the project's own file." if more else "",
    )


def _grid(caption: str, rows: Sequence[dict[str, Any]]) -> Table:
    names: list[str] = list(dict.fromkeys(name for row in rows for name in row))
    columns = names[:COLUMNS]
    cells, right = [], []
    for name in columns:
        values = [row.get(name) for row in rows]
        numbers = [value for value in values if _is_number(value)]
        right.append(bool(numbers) and all(_is_number(value) or value is None for value in values))
        cells.append([show(value, _places(numbers), _grouped(numbers)) for value in values[:ROWS]])
    more = [f"{len(rows) - ROWS} more rows"] if len(rows) > ROWS else []
    more += [f"{len(names) - COLUMNS} more columns"] if len(names) > COLUMNS else []
    left_out = f"{' and '.join(more)} are in the project's own file." if more else ""
    header = tuple(label_of(name) for name in columns)
    return Table(caption, header, tuple(zip(*cells, strict=True)), tuple(right), left_out)


def label_of(name: str) -> str:
    """A key as a label: `calls_a_day` becomes "Calls a day"."""
    words = clip(" ".join(_known(word) for word in str(name).replace("_", " ").split()), SHORT)
    return words[:1].upper() + words[1:]


def _known(word: str) -> str:
    return word.upper() if word in _ACRONYMS else word


def show(value: Any, places: int = 3, grouped: bool = False) -> str:
    """A value as a reader wants it: yes or no, 12,500, 0.713; a nest as JSON. `grouped`: 1,250 and not 1250."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _decimal(value, places, grouped)
    if isinstance(value, int):
        if abs(value) >= 10**15:
            return f"{float(value):.3g}" if abs(value) < 10**300 else "a number too large to show"
        return (f"{value:,}" if grouped else str(value)).replace("-", "−")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clip(text, CELL)


def _decimal(value: float, places: int, grouped: bool) -> str:
    if value and not 1e-3 <= abs(value) < 1e12:
        return f"{value:.3g}".replace("-", "−")
    return (f"{value:,.{places}f}" if grouped else f"{value:.{places}f}").replace("-", "−")


def _grouped(numbers: Iterable[float]) -> bool:
    """Whether thousands are set apart: where a number has five digits, as four may be a year."""
    return any(abs(number) >= 10_000 for number in numbers)


def _places(numbers: Iterable[float]) -> int:
    """Decimals that four significant digits of these numbers need, three at most; 0 for whole numbers."""
    floats = [number for number in numbers if isinstance(number, float)]
    needed = [len(f"{number:.4g}".partition(".")[2]) for number in floats if 1e-3 <= abs(number) < 1e4]
    return min(3, max(needed, default=0))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_cell(value: Any) -> bool:
    return isinstance(value, Scalar) and not (isinstance(value, str) and len(value) > SHORT)


def clip(text: str, most: int) -> str:
    """`text` as a page can hold it: no control characters or halves of characters, and not longer than `most`."""
    kept = _CONTROL.sub("", usable(text[: most + 1]))
    return kept if len(text) <= most else f"{kept[:most].rstrip()} …"
