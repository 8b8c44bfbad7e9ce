"""Data on its way from a student's process to the trusted one.

Decoding trusts nothing. The container is our own and small, because every parser behind it would be a parser that a hostile
submission feeds: pickle runs code by design, and Arrow's IPC reader promises memory safety only for input that was validated.
Here nine primitives are read from bytes, each length compared with what is left before anything is allocated; everything else
(arrays, frames, dates) is a letter and primitives, put together by a builder that checks types, sizes and dtypes. No name is
imported, nothing is evaluated, no method of a student's class exists on this side.

What has no form here becomes a reference: a number, and what the student's process says about the object.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from carelab.grading.known import MAX_NEW, Known, Rows

MAX_BYTES = 64 * 2**20  # of one message
MAX_NODES = 1_000_000  # primitives in one message; a column of plain dtype is one
MAX_DEPTH = 40
MAX_INT_BYTES = 1024
MAX_RANGE = 1_000_000  # items: a check may well turn a range into a list
MAX_DIMENSION = 2**31
MAX_GIVEN = 2**23  # values of tables that both processes have, in one message
_DTYPE = re.compile(r"[<>|](?:b1|[iu][1248]|f[248]|c(?:8|16)|[US]\d{1,7}|[mM]8\[(?:ns|us|ms|s|m|h|D|W|M|Y)\])")
_FREQUENCY = re.compile(r"-?\d{0,4}[A-Za-z]{1,6}(-[A-Za-z]{3})?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]{0,31}(/[A-Za-z0-9_+\-]{1,31}){0,2}")
_UNITS = ("s", "ms", "us", "ns")
_TEXTS = frozenset((str, float, type(None)))  # of which a float may only be a gap


class Malformed(Exception):
    """What came from a student's process is not in the agreed form. The message is a sentence."""


class Unsendable(Exception):
    """A value is too large or too deep to be sent. The message is a sentence."""


class _NoForm(Exception):
    """There is no form for this object as data; a reference stands for it."""


@dataclass(frozen=True)
class Reference:
    """An object that stays in the student's process, with what that process says about it.

    `classes` are the names "module:qualname" of its class and of the classes above it; `abilities` are letters, one for each
    thing that can be done with it (see `carelab.grading.inside.ABILITIES`).
    """

    number: int
    classes: tuple[str, ...]
    name: str = ""
    abilities: str = ""


Refer = Callable[[object], Reference]
Adopt = Callable[[Reference], object]


def encode(value: object, refer: Refer | None = None, max_bytes: int = MAX_BYTES, known: Known | None = None) -> bytes:
    """Bytes for `value`; what has no form as data is handed to `refer`, and what the reader has too is found in `known`.

    Raises Unsendable when it is too large or too deep, or needs a reference and `refer` is None.
    """
    writer = _Writer(refer, max_bytes, known)
    writer.value(value, 0)
    return bytes(writer.out)


def decode(data: bytes, adopt: Adopt | None = None, max_bytes: int = MAX_BYTES, known: Known | None = None) -> Any:
    """The value that `data` stands for; references become what `adopt` makes of them, rows of `known` tables are taken there.

    Raises Malformed, and nothing else, for any bytes that `encode` would not have written.
    """
    if len(data) > max_bytes:
        raise Malformed(f"The reply is larger than {max_bytes:,} bytes.")
    return _Reader(data, adopt, known).whole()


# ---------------------------------------------------------------- writing, in the student's process


_PRIMITIVES = (int, str, float, list, tuple, dict, bytes, bytearray)


def _base(kind: type) -> type | None:
    """The primitive that a class is or comes from; None for everything else, numpy's scalars among it."""
    if kind in _PRIMITIVES:
        return kind
    if issubclass(kind, np.generic):  # np.float64 is a float, too
        return None
    return next((base for base in _PRIMITIVES if issubclass(kind, base)), None)


class _Writer:
    def __init__(self, refer: Refer | None, max_bytes: int, known: Known | None) -> None:
        self.out = bytearray()
        self.known = known
        self.given = 0
        self.nodes = 0
        self.refer = refer
        self.max_bytes = max_bytes

    def value(self, obj: object, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(self.out) > self.max_bytes:
            raise Unsendable("The value is too large to be looked at.")
        if depth > MAX_DEPTH:
            raise Unsendable(f"The value is nested more than {MAX_DEPTH} deep, or holds itself.")
        base = _base(type(obj))
        if obj is None:
            self.out += b"N"
        elif obj is True or obj is False:
            self.out += b"T" if obj else b"F"
        elif base is int:
            number = int.__int__(cast(int, obj))
            size = number.bit_length() // 8 + 1
            if size > MAX_INT_BYTES:
                raise Unsendable("A whole number has more than two thousand digits.")
            self.sized(b"i", number.to_bytes(size, "little", signed=True))
        elif base is float:
            self.out += b"f" + struct.pack("<d", float.__float__(cast(float, obj)))
        elif base is str:
            self.sized(b"s", str.encode(cast(str, obj), "utf-8", "surrogatepass"))
        elif base is bytes or base is bytearray:
            self.sized(b"b", bytes(memoryview(cast(bytes, obj))))
        elif base is list:
            self.items(b"l", list.__len__(cast("list[Any]", obj)), list.__iter__(cast("list[Any]", obj)), depth)
        elif base is tuple:
            self.items(b"t", tuple.__len__(cast("tuple[Any]", obj)), tuple.__iter__(cast("tuple[Any]", obj)), depth)
        elif base is dict:
            pairs = [part for pair in dict.items(cast("dict[Any, Any]", obj)) for part in pair]
            self.items(b"d", len(pairs), pairs, depth)
        else:
            self.extension(obj, depth)

    def sized(self, tag: bytes, data: bytes) -> None:
        if len(data) + len(self.out) > self.max_bytes:
            raise Unsendable(f"The value needs more than {self.max_bytes:,} bytes.")
        self.out += tag + struct.pack("<I", len(data)) + data

    def items(self, tag: bytes, count: int, items: Iterable[object], depth: int) -> None:
        if count > MAX_NODES:
            raise Unsendable("The value has too many items to be looked at.")
        self.out += tag + struct.pack("<I", count)
        for item in items:
            self.value(item, depth + 1)

    def extension(self, obj: object, depth: int) -> None:
        mark = len(self.out)
        try:
            letter, parts = self.given_rows(obj) or _parts(obj)
            self.out += b"x" + letter
            self.value(parts, depth + 1)
        except _NoForm:
            del self.out[mark:]
            if self.refer is None:
                raise Unsendable(f"A {type(obj).__name__} cannot be sent as data.") from None
            reference = self.refer(obj)
            self.out += b"xr"
            self.value((reference.number, reference.classes, reference.name, reference.abilities), depth + 1)

    def given_rows(self, obj: object) -> tuple[bytes, object] | None:
        """A table as rows of one that the reader has, too."""
        if self.known is None or type(obj) is not pd.DataFrame:
            return None
        found = self.known.find(obj)
        if found is None:
            return None
        self.given += len(obj) * obj.shape[1]
        return (b"B", _rows(found)) if self.given <= MAX_GIVEN else None


def taken(data: bytes, known: Known) -> tuple[pd.DataFrame, Rows]:
    """The table that `given` wrote, and how it was found. Raises Malformed."""
    reader = _Reader(data, None, known)
    return reader.whole(), reader.found


def given(table: pd.DataFrame, known: Known) -> bytes | None:
    """`encode` of a table of which `known` holds a part; None when it holds none."""
    found = known.find(table)
    try:
        return None if found is None else encode(_Form(b"B", _rows(found)))
    except (_NoForm, Unsendable):
        return None


def _rows(found: Rows) -> object:
    rows = None if found.rows is None else _array(found.rows)
    index = None if found.index is None else _index(found.index)
    return found.name, rows, found.numbers, index, [(at, label, _column(values)) for at, label, values in found.new]


@dataclass(frozen=True)
class _Form:
    """Parts that are already in a form, for a builder's inner values."""

    letter: bytes
    parts: object


def _parts(obj: object) -> tuple[bytes, object]:
    """Letter and primitive parts of anything that is not a primitive. Raises _NoForm."""
    if isinstance(obj, _Form):
        return obj.letter, obj.parts
    kind = type(obj)
    if obj is pd.NaT or obj is pd.NA or obj is Ellipsis:
        return b"c", "NaT" if obj is pd.NaT else "NA" if obj is pd.NA else "..."
    for base, letter, split in _SPLITTERS:
        if issubclass(kind, base):
            return letter, split(obj)
    raise _NoForm


def _array(obj: Any) -> _Form:
    return _Form(*_split_array(obj))


def _split_array(obj: Any) -> tuple[bytes, object]:
    array = np.asarray(obj)
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    if array.dtype == object:
        return b"o", (tuple(array.shape), _list(array.ravel().tolist()))
    if not _DTYPE.fullmatch(array.dtype.str) or array.dtype.itemsize == 0:
        raise _NoForm
    if array.nbytes > MAX_BYTES:
        raise Unsendable("An array is too large to be looked at.")
    return b"a", (array.dtype.str, tuple(array.shape), array.tobytes())


def _list(items: list[Any]) -> object:
    """A list of texts and gaps as one text: each different one once, and which of them stands where."""
    if len(items) < 8 or not _TEXTS.issuperset(map(type, items)):
        return items
    texts = dict.fromkeys(items)
    gaps = [item for item in texts if type(item) is not str]
    if not all(item is None or item is np.nan for item in gaps):
        return items
    which = {item: -1 if item is None else -2 for item in gaps}
    data = [str.encode(item, "utf-8", "surrogatepass") for item in texts if type(item) is str]
    which |= {item: at for at, item in enumerate(item for item in texts if type(item) is str)}
    places = np.fromiter(map(which.__getitem__, items), "<i4", len(items))
    sizes = np.fromiter(map(len, data), "<i4", len(data))
    return _Form(b"p", (places.tobytes(), sizes.tobytes(), b"".join(data)))


def _zone(zone: dt.tzinfo | None) -> object:
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and zone.key:
        return ("zoneinfo", zone.key)
    if type(zone).__module__.partition(".")[0] == "pytz" and getattr(zone, "zone", None):
        return ("pytz", str(zone))
    offset = zone.utcoffset(None)
    if offset is None:
        raise _NoForm
    return ("offset", offset / dt.timedelta(seconds=1))


def _column(values: Any) -> object:
    """One column's array: numpy's, or one of pandas' own kinds."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _array(values.to_numpy() if hasattr(values, "to_numpy") else values)
    values = values if isinstance(values, pd.api.extensions.ExtensionArray) else values.array
    if isinstance(dtype, pd.CategoricalDtype):
        return _Form(b"K", (_array(values.codes), _index(dtype.categories), bool(dtype.ordered)))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _Form(b"W", (_array(values.asi8), dtype.unit, _zone(dtype.tz)))
    if isinstance(dtype, pd.StringDtype):
        texts: Any = np.where(values.isna(), None, values.astype(object))
        return _Form(b"G", (dtype.storage, dtype.na_value is pd.NA, _list(list(texts))))
    if isinstance(dtype, pd.PeriodDtype) and _FREQUENCY.fullmatch(every := dtype.name[len("period[") : -1]):
        return _Form(b"J", (_array(values.asi8), every))
    if isinstance(dtype, pd.IntervalDtype):
        return _Form(b"L", (_index(pd.Index(values.left)), _index(pd.Index(values.right)), values.closed))
    if hasattr(values, "_mask") and hasattr(values, "_data"):
        return _Form(b"M", (_array(values._data), _array(values._mask)))
    raise _NoForm


def _index(index: Any) -> _Form:
    if isinstance(index, pd.MultiIndex):
        levels, codes = [_index(level) for level in index.levels], [_array(code) for code in index.codes]
        return _Form(b"X", (levels, codes, list(index.names)))
    if isinstance(index, pd.RangeIndex):
        return _Form(b"R", (index.start, index.stop, index.step, index.name))
    every = getattr(index, "freqstr", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    every = every if every and _FREQUENCY.fullmatch(every) else None
    return _Form(b"I", (_column(index), index.name, every))


def _series(series: Any) -> object:
    return _column(series), _index(series.index), series.name


def _frame(frame: Any) -> object:
    columns = [_column(frame.iloc[:, at]) for at in range(frame.shape[1])]
    return _index(frame.columns), columns, _index(frame.index)


def _plain_date(obj: Any) -> object:
    return obj.year, obj.month, obj.day


def _plain_time(obj: Any) -> object:
    return obj.hour, obj.minute, obj.second, obj.microsecond, obj.fold, _zone(obj.tzinfo)


def _plain_datetime(obj: Any) -> object:
    return obj.year, obj.month, obj.day, obj.hour, obj.minute, obj.second, obj.microsecond, obj.fold, _zone(obj.tzinfo)


def _timestamp(obj: Any) -> object:
    return int(obj.asm8.view("i8")), obj.unit, _zone(obj.tz)


def _scalar(obj: Any) -> object:
    letter, parts = _split_array(obj)
    if letter != b"a":
        raise _NoForm
    return parts


def _decimal(obj: Any) -> object:
    text = Decimal.__str__(obj)
    if len(text) > 200:
        raise _NoForm
    return text


def _period(obj: Any) -> object:
    if not _FREQUENCY.fullmatch(obj.freqstr):
        raise _NoForm
    return obj.ordinal, obj.freqstr


# The more special class first: a Timestamp is a datetime, a datetime is a date.
_SPLITTERS: list[tuple[Any, bytes, Callable[[Any], object]]] = [
    (pd.DataFrame, b"Q", _frame),
    (pd.Series, b"Y", _series),
    (pd.Index, b"U", _index),
    (pd.api.extensions.ExtensionArray, b"U", _column),
    (np.ndarray, b"U", _array),
    (np.generic, b"g", _scalar),
    (pd.Timestamp, b"H", _timestamp),
    (pd.Timedelta, b"h", lambda obj: (int(obj.asm8.view("i8")), obj.unit)),
    (pd.Period, b"j", _period),
    (pd.Interval, b"k", lambda obj: (obj.left, obj.right, obj.closed)),
    (dt.datetime, b"e", _plain_datetime),
    (dt.date, b"E", _plain_date),
    (dt.time, b"m", _plain_time),
    (dt.timedelta, b"D", lambda obj: (obj.days, obj.seconds, obj.microseconds)),
    (dt.timezone, b"z", _zone),
    (ZoneInfo, b"z", _zone),
    (complex, b"C", lambda obj: (complex.__complex__(obj).real, complex.__complex__(obj).imag)),
    (Decimal, b"n", _decimal),
    (frozenset, b"Z", lambda obj: list(frozenset.__iter__(obj))),
    (set, b"S", lambda obj: list(set.__iter__(obj))),
    (range, b"v", lambda obj: (obj.start, obj.stop, obj.step)),
    (slice, b"w", lambda obj: (obj.start, obj.stop, obj.step)),
]


# ---------------------------------------------------------------- reading, in the trusted process


class _Reader:
    def __init__(self, data: bytes, adopt: Adopt | None, known: Known | None) -> None:
        self.data = data
        self.at = 0
        self.known = known
        self.given = 0
        self.found: Rows
        self.nodes = 0
        self.adopt = adopt

    def whole(self) -> Any:
        """The one value that all the bytes stand for. Raises Malformed."""
        try:
            value = self.value(0)
        except Malformed:
            raise
        except (Exception, RecursionError) as error:
            raise Malformed(f"The reply holds something that cannot be ({type(error).__name__}).") from None
        if self.at != len(self.data):
            raise Malformed("The reply goes on after its end.")
        return value

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise Malformed("The reply ends in the middle of a value.")
        self.at += count
        return self.data[self.at - count : self.at]

    def size(self) -> int:
        return int(struct.unpack("<I", self.take(4))[0])

    def count(self, more: int) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise Malformed("The reply holds too many values.")

    def value(self, depth: int) -> Any:
        self.count(1)
        if depth > MAX_DEPTH:
            raise Malformed("The reply is nested too deep.")
        tag = self.take(1)
        if tag == b"N":
            return None
        if tag == b"T" or tag == b"F":
            return tag == b"T"
        if tag == b"f":
            return struct.unpack("<d", self.take(8))[0]
        if tag == b"x":
            letter = self.take(1)
            build = _BUILDERS.get(letter)
            parts = self.value(depth + 1)
            if letter == b"r":
                return self.reference(parts)
            if letter == b"p":
                return self.strings(parts)
            if letter == b"B":
                return self.rows(parts)
            if build is None:
                raise Malformed("The reply holds a kind of value that is not known.")
            return build(parts)
        if tag not in (b"i", b"s", b"b", b"l", b"t", b"d"):
            raise Malformed("The reply holds a kind of value that is not known.")
        size = self.size()
        if size > len(self.data) - self.at:  # every item takes at least a byte
            raise Malformed("The reply ends in the middle of a value.")
        if tag == b"i":
            if not 0 < size <= MAX_INT_BYTES:
                raise Malformed("A whole number in the reply is too large.")
            return int.from_bytes(self.take(size), "little", signed=True)
        if tag == b"s":
            return self.take(size).decode("utf-8", "surrogatepass")
        if tag == b"b":
            return self.take(size)
        items = [self.value(depth + 1) for _ in range(size)]
        if tag == b"l":
            return items
        if tag == b"t":
            return tuple(items)
        if size % 2:
            raise Malformed("A dict in the reply has a key without a value.")
        return dict(zip(items[::2], items[1::2], strict=True))

    def strings(self, parts: Any) -> list[Any]:
        which_bytes, sizes_bytes, text = _expect(parts, bytes, bytes, bytes)
        _check(len(which_bytes) % 4 == 0 == len(sizes_bytes) % 4)
        which, sizes = np.frombuffer(which_bytes, "<i4"), np.frombuffer(sizes_bytes, "<i4")
        self.count(len(which) + len(sizes))
        if (sizes < 0).any() or int(sizes.sum(dtype="i8")) != len(text):
            raise Malformed("A list of texts in the reply has wrong lengths.")
        _check(not len(which) or -2 <= which.min() <= which.max() < len(sizes))
        ends = np.cumsum(sizes, dtype="i8").tolist()
        texts = [
            text[end - size : end].decode("utf-8", "surrogatepass")
            for size, end in zip(sizes.tolist(), ends, strict=True)
        ]
        texts += [np.nan, None]  # -2 and -1 count from the end
        return [texts[at] for at in which.tolist()]

    def rows(self, parts: Any) -> Any:
        name, rows, numbers, index, new = _expect(parts, str, (np.ndarray, type(None)), list, object, list)
        _check(self.known is not None and len(new) <= MAX_NEW)
        _check(all(type(one) is int and one >= 0 for one in numbers))
        known = cast(Known, self.known)
        length = known.length(name)
        if rows is not None:
            rows = _one(rows, "i")
            _check(not len(rows) or 0 <= rows.min() <= rows.max() < length)
            length = len(rows)
        self.given += length * len(numbers)
        if self.given > MAX_GIVEN:
            raise Malformed("The reply holds too many values.")
        for one in new:
            _expect(one, int, object, object)
            _is_column(one[2])
        self.found = Rows(name, rows, numbers, None if index is None else _is_index(index), new)
        return known.give(self.found)

    def reference(self, parts: Any) -> object:
        number, classes, name, abilities = _expect(parts, int, tuple, str, str)
        _check(0 <= number < 2**31 and len(classes) <= 50 and len(name) <= 500 and len(abilities) <= 50)
        _check(all(type(one) is str and len(one) <= 500 for one in classes))
        if self.adopt is None:
            raise Malformed("The reply holds an object where only data may stand.")
        return self.adopt(Reference(number, classes, name, abilities))


def _check(condition: object) -> None:
    if not condition:
        raise Malformed("The reply holds a value whose parts do not fit.")


def _expect(parts: Any, *kinds: type | tuple[type, ...]) -> Any:
    """The parts, when they are a tuple of exactly these types."""
    _check(type(parts) is tuple and len(parts) == len(kinds))
    for part, kind in zip(parts, kinds, strict=True):
        _check(kind is object or type(part) in (kind if isinstance(kind, tuple) else (kind,)))
    return parts


def _shape(shape: tuple[Any, ...]) -> int:
    """Items of an array of this shape."""
    _check(len(shape) <= 16 and all(type(one) is int and 0 <= one < MAX_DIMENSION for one in shape))
    _check(math.prod(one for one in shape if one) < 2**40)
    return math.prod(shape)


def _build_array(parts: Any) -> Any:
    name, shape, data = _expect(parts, str, tuple, bytes)
    _check(_DTYPE.fullmatch(name))
    dtype = np.dtype(name)
    _check(dtype.itemsize > 0 and _shape(shape) * dtype.itemsize == len(data))
    array = np.frombuffer(data, dtype).reshape(shape).copy()
    if dtype.kind == "b":  # any other byte is neither true nor false to numpy
        _check(not array.size or array.view("u1").max() <= 1)
    if dtype.kind == "U" and array.size:
        _check(np.frombuffer(data, dtype.byteorder.replace("|", "=") + "u4").max() <= 0x10FFFF)
    return array


def _build_objects(parts: Any) -> Any:
    shape, items = _expect(parts, tuple, list)
    _check(_shape(shape) == len(items))
    return np.fromiter(items, dtype=object, count=len(items)).reshape(shape)  # np.array would unpack lists


def _one(array: Any, kind: str) -> Any:
    _check(type(array) is np.ndarray and array.ndim == 1 and array.dtype.kind in kind)
    return array


def _is_index(index: Any) -> Any:
    _check(isinstance(index, pd.Index))
    return index


def _build_zone(parts: Any) -> Any:
    if parts is None:
        return None
    kind, what = _expect(parts, str, (str, float))
    if kind == "offset":
        _check(type(what) is float and abs(what) < 86_400)
        return dt.timezone(dt.timedelta(seconds=what)) if what else dt.UTC
    _check(kind in ("zoneinfo", "pytz") and type(what) is str and _ZONE.fullmatch(what))
    return ZoneInfo(what) if kind == "zoneinfo" else pd.DatetimeTZDtype("ns", what).tz


def _build_categorical(parts: Any) -> Any:
    codes, categories, ordered = _expect(parts, np.ndarray, object, bool)
    dtype = pd.CategoricalDtype(_is_index(categories), ordered)
    return pd.Categorical.from_codes(_one(codes, "i"), dtype=dtype)


def _build_zoned(parts: Any) -> Any:
    numbers, unit, zone = _expect(parts, np.ndarray, str, tuple)
    _check(unit in _UNITS and numbers.dtype == np.dtype("i8"))
    moments = pd.DatetimeIndex(_one(numbers, "i").view(f"M8[{unit}]")).tz_localize("UTC")
    return moments.tz_convert(_build_zone(zone)).array


def _build_strings(parts: Any) -> Any:
    storage, is_na, items = _expect(parts, str, bool, list)
    gap = pd.NA if is_na else np.nan
    _check(storage in ("python", "pyarrow"))
    _check(all(type(item) is str or item is pd.NA or item is None or item != item for item in items))
    return pd.array(
        [item if type(item) is str else gap for item in items],
        dtype=pd.StringDtype(storage, na_value=gap),
    )


def _every(text: str) -> str:
    _check(type(text) is str and _FREQUENCY.fullmatch(text))
    return text


def _build_periods(parts: Any) -> Any:
    numbers, every = _expect(parts, np.ndarray, str)
    _check(numbers.dtype == np.dtype("i8"))
    return pd.arrays.PeriodArray(_one(numbers, "i"), dtype=pd.PeriodDtype(_every(every)))


def _build_intervals(parts: Any) -> Any:
    left, right, closed = _expect(parts, object, object, str)
    return pd.arrays.IntervalArray.from_arrays(_is_index(left), _is_index(right), closed=cast(Any, closed))


def _build_masked(parts: Any) -> Any:
    values, mask = _expect(parts, np.ndarray, np.ndarray)
    _check(len(_one(values, "iufb")) == len(_one(mask, "b")))
    kinds: dict[str, Any] = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
    return kinds.get(values.dtype.kind, pd.arrays.IntegerArray)(values, mask)


_COLUMNS = (np.ndarray, pd.api.extensions.ExtensionArray)


def _is_column(values: Any) -> Any:
    _check(isinstance(values, _COLUMNS) and values.ndim == 1)
    return values


def _build_index(parts: Any) -> Any:
    values, name, every = _expect(parts, object, object, object)
    values = _is_column(values)
    index = pd.Index(values, dtype=values.dtype, name=name, tupleize_cols=False, copy=False)
    if every is not None:
        _check(isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)))
        index.freq = _every(every)  # pandas compares it with the values
    return index


def _build_multi(parts: Any) -> Any:
    levels, codes, names = _expect(parts, list, list, list)
    _check(0 < len(levels) == len(codes) == len(names) <= 32)
    return pd.MultiIndex(
        levels=[_is_index(level) for level in levels], codes=[_one(code, "i") for code in codes], names=names
    )


def _build_range_index(parts: Any) -> Any:
    start, stop, step, name = _expect(parts, int, int, int, object)
    _check(max(abs(start), abs(stop), abs(step)) < 2**62 and len(range(start, stop, step)) <= MAX_DIMENSION)
    return pd.RangeIndex(start, stop, step, name=name)


def _build_series(parts: Any) -> Any:
    values, index, name = _expect(parts, object, object, object)
    _check(len(_is_column(values)) == len(_is_index(index)))
    return pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)


def _build_frame(parts: Any) -> Any:
    names, columns, index = _expect(parts, object, list, object)
    _check(len(_is_index(names)) == len(columns))
    _check(all(len(_is_column(column)) == len(_is_index(index)) for column in columns))
    series = {at: pd.Series(column, index=index, dtype=column.dtype) for at, column in enumerate(columns)}
    frame = pd.DataFrame(series, index=index, columns=None if columns else names)
    frame.columns = names
    return frame


def _build_scalar(parts: Any) -> Any:
    array = _build_array(parts)
    _check(array.ndim == 0)
    return array[()]


def _build_timestamp(parts: Any) -> Any:
    number, unit, zone = _expect(parts, int, str, (tuple, type(None)))
    _check(unit in _UNITS and abs(number) < 2**63)
    moment = pd.Timestamp(np.datetime64(number, cast(Any, unit)))
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(_build_zone(zone))


def _build_timedelta(parts: Any) -> Any:
    number, unit = _expect(parts, int, str)
    _check(unit in _UNITS and abs(number) < 2**63)
    return pd.Timedelta(np.timedelta64(number, cast(Any, unit)))


def _build_datetime(parts: Any) -> Any:
    *numbers, fold, zone = _expect(parts, *[int] * 8, (tuple, type(None)))
    return dt.datetime(*numbers).replace(tzinfo=_build_zone(zone), fold=fold)


def _build_time(parts: Any) -> Any:
    *numbers, fold, zone = _expect(parts, *[int] * 5, (tuple, type(None)))
    return dt.time(*numbers).replace(tzinfo=_build_zone(zone), fold=fold)


def _build_decimal(parts: Any) -> Any:
    _check(type(parts) is str and len(parts) <= 200)
    number = Decimal(parts)
    _check(not number.is_finite() or abs(number.adjusted()) < 10_000)
    return number


def _build_range(parts: Any) -> Any:
    items = range(*_expect(parts, int, int, int))
    _check(max(abs(one) for one in parts) < 2**62 and len(items) <= MAX_RANGE)
    return items


def _build_items(kind: Any) -> Callable[[Any], Any]:
    def build(parts: Any) -> Any:
        _check(type(parts) is list)
        return kind(parts)

    return build


def _one_of(parts: Any) -> Any:
    """A value that was wrapped once more when it was written."""
    _check(isinstance(parts, (*_COLUMNS, pd.Index)))
    return parts


def _build_interval(parts: Any) -> Any:
    left, right, closed = _expect(parts, object, object, str)
    return pd.Interval(left, right, closed=cast(Any, closed))


_CONSTANTS: dict[str, Any] = {"NaT": pd.NaT, "NA": pd.NA, "...": Ellipsis}
_BUILDERS: dict[bytes, Callable[[Any], Any]] = {
    b"a": _build_array,
    b"c": lambda parts: _CONSTANTS[parts],
    b"C": lambda parts: complex(*_expect(parts, float, float)),
    b"D": lambda parts: dt.timedelta(*_expect(parts, int, int, int)),
    b"e": _build_datetime,
    b"E": lambda parts: dt.date(*_expect(parts, int, int, int)),
    b"g": _build_scalar,
    b"G": _build_strings,
    b"h": _build_timedelta,
    b"H": _build_timestamp,
    b"I": _build_index,
    b"j": lambda parts: pd.Period(ordinal=_expect(parts, int, str)[0], freq=_every(parts[1])),
    b"J": _build_periods,
    b"k": _build_interval,
    b"K": _build_categorical,
    b"L": _build_intervals,
    b"m": _build_time,
    b"M": _build_masked,
    b"n": _build_decimal,
    b"o": _build_objects,
    b"Q": _build_frame,
    b"R": _build_range_index,
    b"S": _build_items(set),
    b"U": _one_of,
    b"v": _build_range,
    b"w": lambda parts: slice(*_expect(parts, object, object, object)),
    b"W": _build_zoned,
    b"X": _build_multi,
    b"Y": _build_series,
    b"z": _build_zone,
    b"Z": _build_items(frozenset),
}
