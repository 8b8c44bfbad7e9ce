"""Tables that both processes have, because both have run the same provided cells: only their rows' numbers travel.

Each process puts its own tables aside, as copies that nothing later reaches, before any answer or check runs. A table that goes
over is compared with them, value by value; columns that hold exactly the values of a table put aside, in some order of its
rows, are named, and everything else is sent. So what a check or an answer has changed is sent, and what a student's process
says about rows picks nothing but the trusted side's own values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MIN_ROWS = 500  # below, sending is quicker than looking
MAX_TABLES = 12
MAX_TABLE_BYTES = 64 * 2**20
MAX_NEW = 20  # columns that a table has besides
PLAIN = frozenset((str, int, float, bool, type(None)))  # types of items that cannot be changed in place
_PROBES = 16
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rows:
    """A table as rows of one that was put aside."""

    name: str
    rows: Array | None  # None: all, in their order
    numbers: list[int]  # columns of the table put aside, in the order of this one
    index: Any  # None: the labels of these rows
    new: list[tuple[int, Any, Any]]  # other columns: place, label and values


class Known:
    """The tables among `names` (a namespace) that are large enough to be worth it, as they are now."""

    def __init__(self, names: Mapping[str, Any] | None = None) -> None:
        self._tables: dict[str, _Table] = {}
        for name, value in (names or {}).items():
            if len(self._tables) < MAX_TABLES and _can_be_put_aside(value):
                self._tables[name] = _Table(_apart(value.copy()))

    @property
    def digests(self) -> dict[str, bytes]:
        """Two processes have the same table of a name when these are equal."""
        return {name: table.digest for name, table in self._tables.items()}

    def only(self, digests: Any) -> Known:
        """The tables on which another process agrees; `digests` is what it says of its own, and may be anything."""
        agreed = Known()
        if type(digests) is dict:
            agreed._tables = {name: one for name, one in self._tables.items() if digests.get(name) == one.digest}
        return agreed

    def find(self, table: pd.DataFrame) -> Rows | None:
        """`table` as rows of the table that holds most of its columns; None when it is better sent as it is."""
        if len(table) < MIN_ROWS or not self._tables or table.attrs or not table.columns.is_unique:
            return None
        columns = list(map(table._get_column_array, range(table.shape[1])))
        best: Rows | None = None
        for name, own in self._tables.items():
            if best is None or best.new:
                found = own.find(name, table, columns)
                if found is not None and (best is None or len(found.new) < len(best.new)):
                    best = found
        return best

    def length(self, name: str) -> int:
        """Rows of a table. Raises KeyError when there is none of that name."""
        return len(self._tables[name].labels)

    def give(self, found: Rows) -> pd.DataFrame:
        """A new table. Raises KeyError, IndexError, TypeError or ValueError for what cannot be."""
        own = self._tables[found.name]
        numbers = found.numbers
        whole = own.whole if numbers == own.all else own.whole.iloc[:, numbers]
        table = whole.copy() if found.rows is None else whole.take(found.rows)
        for at, label, values in found.new:
            table.insert(at, label, values)
        table.index = own.index(found.rows) if found.index is None else found.index
        return _apart(table)

    def holds(self, found: Rows, table: Any) -> bool:
        """Whether `table` still is what `give` made of `found`. In doubt, no."""
        own = self._tables[found.name]
        if type(table) is not pd.DataFrame or table.shape[1] != len(found.numbers) + len(found.new):
            return False
        index = own.index(found.rows) if found.index is None else found.index
        names = own.whole.columns[found.numbers]
        for at, label, _ in found.new:
            names = names.insert(at, label)
        if len(table) != len(index) or not _same_labels(table.index, index) or not _same_labels(table.columns, names):
            return False
        new = {at: values for at, _, values in found.new}
        numbers = iter(found.numbers)
        return all(
            identical(values, new[at]) if at in new else own.stands(next(numbers), values, found.rows)
            for at, values in enumerate(map(table._get_column_array, range(table.shape[1])))
        )


class _Table:
    """One table that was put aside."""

    def __init__(self, whole: pd.DataFrame) -> None:
        self.whole = whole
        self.labels = whole.index
        self.columns = [np.asarray(whole._get_column_array(at)) for at in range(whole.shape[1])]
        self.all = list(range(whole.shape[1]))
        self.numbers = {label: at for at, label in enumerate(whole.columns)}
        self.labels.get_indexer(self.labels[:1])  # builds what finds labels, once for all forks
        self.digest = self._digest()

    def _digest(self) -> bytes:
        digest = hashlib.sha256(repr((self.whole.shape, list(self.whole.columns), self.labels.name)).encode())
        for values in (np.asarray(self.labels), *self.columns):
            digest.update(values.dtype.str.encode())
            digest.update(repr(values.tolist()).encode() if values.dtype == object else values.tobytes())
        return digest.digest()

    def index(self, rows: Array | None) -> pd.Index:
        """The labels of these rows."""
        return self.labels if rows is None else self.labels.take(rows)

    def find(self, name: str, table: pd.DataFrame, columns: list[Any]) -> Rows | None:
        """The table as rows of this one; None when its rows or most of its columns are not here."""
        labels = table.index
        if labels.dtype != self.labels.dtype or len(labels) > 4 * len(self.labels):
            return None
        if not _like(table.columns, self.whole.columns):
            return None
        rows = None
        if not labels.equals(self.labels):
            rows = self.labels.get_indexer(labels)
            if rows.min() < 0:
                return None
        numbers, new = [], []
        for at, (label, values) in enumerate(zip(table.columns, columns, strict=True)):
            number = self.numbers.get(label)
            if number is not None and self.stands(number, values, rows):
                numbers.append(number)
            else:
                new.append((at, label, values))
        if not numbers or len(new) > MAX_NEW:
            return None
        index = None if _like(labels, self.labels) else labels
        return Rows(name, None if rows is None else rows.astype("<i4"), numbers, index, new)

    def stands(self, number: int, values: Any, rows: Array | None) -> bool:
        """Whether these rows of a column are exactly these values."""
        own = self.columns[number]
        if own.dtype != values.dtype:
            return False
        if rows is None:
            return identical(own, values)
        own, values = _bits(own), _bits(values)
        if len(own) != len(self.labels) or len(values) != len(rows):
            return False
        some = np.linspace(0, len(rows) - 1, _PROBES).astype(int)
        return bool((own[rows[some]] == values[some]).all() and (own.take(rows) == values).all())


def identical(one: Any, other: Any) -> bool:
    """Whether two arrays hold the same bytes; of objects, the very same objects. False for what is not numpy's own kind."""
    if one.dtype != other.dtype or one.shape != other.shape or not isinstance(one.dtype, np.dtype):
        return False
    return bool((_bits(one) == _bits(other)).all())


def _bits(values: Any) -> Array:
    """The bytes of an array as whole numbers, one for each item if that can be; of objects, where they are.

    Objects that are only looked at in this way are not counted, and so their memory stays shared after a fork.
    """
    array = np.ascontiguousarray(values)
    if not array.size:
        return np.empty(0, "u1")
    return np.frombuffer(array, f"u{array.itemsize}" if array.itemsize in (1, 2, 4, 8) else "u1")


def _like(one: pd.Index, other: pd.Index) -> bool:
    """Whether two plain indexes are of one kind, so that labels of the one can stand for labels of the other."""
    return type(one) is type(other) is pd.Index and one.dtype == other.dtype and one.name == other.name


def _same_labels(one: pd.Index, other: pd.Index) -> bool:
    return type(one) is type(other) and one.names == other.names and bool(one.equals(other))


def _apart(table: pd.DataFrame) -> pd.DataFrame:
    """The table with labels of its own: `table.index.values[0] = …` reaches all copies that pandas makes."""
    table.index, table.columns = table.index.copy(deep=True), table.columns.copy(deep=True)
    return table


def _can_be_put_aside(table: Any) -> bool:
    """Whether it is a table of some size, and a copy of it out of reach: numpy's own kinds, and objects that cannot change."""
    if type(table) is not pd.DataFrame or len(table) < MIN_ROWS:
        return False
    if type(table.index) not in (pd.Index, pd.RangeIndex) or type(table.columns) is not pd.Index:
        return False
    if not (table.index.is_unique and table.columns.is_unique and isinstance(table.index.dtype, np.dtype)):
        return False
    columns = [table.iloc[:, at] for at in range(table.shape[1])]
    if table.memory_usage().sum() > MAX_TABLE_BYTES or not all(isinstance(one.dtype, np.dtype) for one in columns):
        return False
    return all(PLAIN.issuperset(map(type, one.tolist())) for one in columns if one.dtype == object)
