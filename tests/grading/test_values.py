"""What a student's process sends comes back equal when it is honest, and is refused in one way when it is not."""

import datetime as dt
import random
import struct
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from carelab.grading import values
from carelab.grading.values import Malformed, Reference, Unsendable, decode, encode

SCALARS = [
    None,
    True,
    0,
    -(2**100),
    1.5,
    float("-inf"),
    "é\udc80 text",
    b"\x00bytes",
    3 + 4j,
    Decimal("1.20"),
    dt.date(2026, 2, 28),
    dt.time(8, 30, fold=1),
    dt.datetime(2026, 2, 28, 8, 30, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.timedelta(days=-1, microseconds=3),
    range(2, 20, 3),
    slice(1, None, 2),
    np.float32(0.1),
    np.int64(7),
    np.bool_(True),
    np.str_("ab"),
    np.datetime64("2026-01-01T10:00"),
    pd.Timestamp("2026-01-01 10:00", tz="Europe/Berlin"),
    pd.Timestamp("2026-01-01").as_unit("s"),
    pd.Timedelta("3h"),
    pd.Period("2026-01", freq="M"),
    pd.Interval(1, 2, closed="left"),
]


def back(value):
    return decode(encode(value))


@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_a_scalar_comes_back_with_its_type(value):
    assert back(value) == value and type(back(value)) is type(value)


def test_what_equals_nothing_comes_back():
    assert np.isnan(back(float("nan"))) and back(pd.NaT) is pd.NaT and back(pd.NA) is pd.NA and back(...) is ...


def frame_of_all_kinds(days=3):
    index = pd.date_range("2026-01-01", periods=days, freq="D", name="day")
    some = list(range(days))
    return pd.DataFrame(
        {
            "whole": some,
            "float": [None, *some[1:]],
            "nullable": pd.array([None, *some[1:]], "Int64"),
            "maybe": pd.array([None, *[True] * (days - 1)], "boolean"),
            "measured": pd.array([None, *some[1:]], "Float32"),
            "kind": pd.Categorical([None, *["b"] * (days - 1)], categories=["b", "a"], ordered=True),
            "text": ["a", None, *["ü"] * (days - 2)],
            "gap": ["a", np.nan, *["ü"] * (days - 2)],
            "string": pd.array(["a", None, *["ü"] * (days - 2)], "string"),
            "local": index.tz_localize("Europe/Berlin"),
            "fixed": index.tz_localize(dt.timezone(dt.timedelta(hours=2))),
            "seconds": index.as_unit("s"),
            "delta": pd.to_timedelta(some, "h"),
            "month": pd.period_range("2026-01", periods=days, freq="M"),
            "between": pd.interval_range(0, days),
            "mixed": [dt.date(2026, 1, 1), [1, {"k": None}], *[("t", 1.5)] * (days - 2)],
            ("a", 1): 0j,
        },
        index=index,
    )


FRAMES = {
    "all kinds": frame_of_all_kinds(),
    "long": frame_of_all_kinds(50),
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int8"), "b": pd.Series([], dtype="object")}),
    "no columns": pd.DataFrame(index=[3, 1]),
    "same name twice": pd.DataFrame([[1, "x"], [2, "y"]], columns=["a", "a"]),
    "two levels": pd.DataFrame(
        [[1, 2.0]] * 4,
        index=pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["one", None]),
        columns=pd.MultiIndex.from_tuples([("a", 1), ("b", None)]),
    ),
    "categories as index": pd.DataFrame({"a": [1, 2]}, index=pd.CategoricalIndex(["q", "p"], name="c")),
    "step": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(10, 14, 2, name="step")),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_equal(name):
    assert_frame_equal(back(FRAMES[name]), FRAMES[name], check_column_type="exact", check_index_type="exact")


def test_series_and_indexes_come_back_equal():
    series = pd.Series(["a", None], index=list("xy"), name=("n", 1))
    assert_series_equal(back(series), series)
    for index in (pd.Index(["a", 1, None]), pd.Index([1.5]), pd.timedelta_range("1h", periods=3, freq="h")):
        assert_index_equal(back(index), index, exact=True)
    assert back(pd.Categorical(["a"])).equals(pd.Categorical(["a"]))


def random_value(rng, depth=0):
    """Any value that can be a dict's value; nested at most 4 deep."""
    kind = rng.randrange(9 if depth < 4 else 4)
    if kind < 4:
        return rng.choice(SCALARS[:15])
    some = [random_value(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind == 4:
        return some
    if kind == 5:
        return tuple(some)
    if kind == 6:
        return {rng.choice(["a", 1, (2, "b"), None]): item for item in some}
    if kind == 7:
        return rng.choice([set, frozenset])(rng.sample(range(100), 5))
    shape = tuple(rng.randrange(4) for _ in range(rng.randrange(3)))
    return np.full(shape, rng.randrange(100)).astype(
        rng.choice(["i4", ">f8", "c16", "U3", "M8[D]", "bool", "S2", "f2"])
    )


def equal(one, other):
    """Equal with the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return equal(list(one.items()), list(other.items()))
    return one == other


def test_random_values_come_back_equal():
    rng = random.Random(5)
    for _ in range(2_000):
        value = random_value(rng)
        assert equal(back(value), value), value


def test_an_array_comes_back_in_its_shape_and_can_be_written_to():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    found = back(array)
    found[0, 0] = 9
    assert found.shape == (2, 3) and found[1, 2] == 5
    assert back(np.array([None, [1], "a"], dtype=object)).tolist() == [None, [1], "a"]


class Sly(str):
    """Says it is equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def encode(self, *_):
        return b"lies"


class Whole(int):
    """Equal to everything, and a liar about its value."""

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__

    def __int__(self):
        return 42


class Many(list):
    """Shows other items than it has."""

    def __iter__(self):
        return iter([1, 2, 3])


class Table(pd.DataFrame):
    """Equal to every table."""

    def equals(self, other):
        return True


@pytest.mark.parametrize("value, plain", [(Sly("a"), "a"), (Whole(3), 3), (Many([0]), [0])])
def test_a_subclass_comes_back_as_the_plain_type(value, plain):
    assert type(back(value)) is type(plain) and back(value) == plain


def test_a_subclassed_frame_loses_its_lies():
    assert type(back(Table({"a": [1]}))) is pd.DataFrame
    assert not back(Table({"a": [1]})).equals(pd.DataFrame({"a": [2]}))


def test_what_has_no_form_becomes_a_reference_or_is_refused():
    found = decode(encode([object(), 1], lambda obj: Reference(4, ("a:b",), "n", "c")), lambda reference: reference)
    assert found == [Reference(4, ("a:b",), "n", "c"), 1]
    with pytest.raises(Unsendable, match="object cannot be sent"):
        encode(object())
    with pytest.raises(Malformed, match="only data may stand"):
        decode(encode(object(), lambda obj: Reference(4, ())))


def test_a_frame_with_a_foreign_column_is_a_reference_as_a_whole():
    frame = pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])})
    assert decode(encode(frame, lambda obj: Reference(7, ())), lambda reference: reference.number) == 7


def holds_itself():
    value = []
    value.append(value)
    return value


def doubled(times=40):
    value = [1]
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "bomb",
    [holds_itself(), doubled(), doubled(30), 1 << 100_000, "x" * 70_000_000, range(10**12)],
    ids=lambda b: type(b).__name__,
)
def test_a_bomb_is_refused(bomb, monkeypatch):
    monkeypatch.setattr(values, "MAX_NODES", 100_000)  # the tests' own patience
    with pytest.raises((Unsendable, Malformed)):
        back(bomb)


def wrapped(letter, parts):
    return b"x" + letter + encode(parts)


def whole(*numbers):
    return np.array(numbers, "<i4").tobytes()


LIES = {
    "nothing": b"",
    "unknown letter": b"q",
    "unknown form": wrapped(b"!", 1),
    "more than there is": b"s" + struct.pack("<I", 2**32 - 1) + b"a",
    "a list of four billion": b"l" + struct.pack("<I", 2**32 - 1),
    "odd dict": b"d" + struct.pack("<I", 1) + b"N",
    "unhashable key": b"d" + struct.pack("<I", 2) + b"l" + struct.pack("<I", 0) + b"N",
    "goes on": encode(1) + b"N",
    "deep": (b"l" + struct.pack("<I", 1)) * 100_000 + b"N",
    "huge shape": wrapped(b"a", ("<f8", (2**40,), b"")),
    "shape and bytes": wrapped(b"a", ("<f8", (2,), b"12345678")),
    "negative shape": wrapped(b"a", ("<f8", (-1, -1), b"12345678")),
    "shape of truth": wrapped(b"a", ("<f8", (True,), b"12345678")),
    "empty of size": wrapped(b"a", ("<f8", (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), b"")),
    "objects from bytes": wrapped(b"a", ("|O8", (1,), b"\x41" * 8)),
    "fields": wrapped(b"a", ("<i4,<i4", (1,), b"12345678")),
    "neither true nor false": wrapped(b"a", ("|b1", (1,), b"\x02")),
    "no letter": wrapped(b"a", ("<U1", (1,), b"\xff\xff\xff\xff")),
    "codes out of categories": wrapped(b"K", (np.array([5], "i1"), pd.Index(["a"]), False)),
    "column of another length": wrapped(b"Q", (pd.Index(["a"]), [np.arange(3)], pd.Index([1]))),
    "column of no array": wrapped(b"Y", ("abc", pd.Index([1, 2, 3]), None)),
    "unhashable name": wrapped(b"Y", (np.arange(1), pd.Index([1]), [1])),
    "codes out of levels": wrapped(b"X", ([pd.Index(["a"])], [np.array([3], "i1")], [None])),
    "endless range": wrapped(b"v", (0, 10**15, 1)),
    "zone by path": wrapped(b"z", ("zoneinfo", "../../etc/passwd")),
    "no zone": wrapped(b"z", ("pytz", "Nowhere/Land")),
    "number of a thousand pages": wrapped(b"n", "1e999999999"),
    "wrong lengths": wrapped(b"p", (whole(0), whole(5), b"abc")),
    "negative lengths": wrapped(b"p", (whole(0), whole(-9, 12), b"abc")),
    "a text there is not": wrapped(b"p", (whole(0, 1), whole(3), b"abc")),
    "a gap there is not": wrapped(b"p", (whole(-3), whole(3), b"abc")),
    "half a length": wrapped(b"p", (whole(0), whole(3)[:3], b"abc")),
    "half a place": wrapped(b"p", (whole(0)[:3], whole(3), b"abc")),
    "a text cut in a letter": wrapped(b"p", (whole(0), whole(1, 1), "é".encode())),
    "freq that is none": wrapped(b"I", (np.arange(3), None, "D")),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused(name):
    with pytest.raises(Malformed) as caught:
        decode(LIES[name])
    assert str(caught.value).startswith("The reply") or "reply" in str(caught.value)


def test_texts_come_back_with_their_gaps():
    texts = ["a", None, "é", float("nan"), np.nan, "a", "", "\udc80", None]
    for some in (texts, [*texts[:3], *texts[4:]], ["a"] * 9, [None] * 9, [np.nan] * 9, [1.5] * 9):
        found = back(np.array([*some, [0]], dtype=object)[:-1]).tolist()
        assert list(map(repr, found)) == list(map(repr, some)) and list(map(type, found)) == list(map(type, some))


def test_a_text_that_stands_often_is_written_once():
    often, once = pd.Series(["a long text " * 9] * 5_000), pd.Series([f"{n:107}" for n in range(5_000)])
    assert len(encode(often)) < 30_000 < 500_000 < len(encode(once))
    assert_series_equal(back(once), once)


def test_too_many_values_are_refused(monkeypatch):
    monkeypatch.setattr(values, "MAX_NODES", 100)
    with pytest.raises(Malformed, match="too many"):
        decode(b"l" + struct.pack("<I", 200) + b"N" * 200)
    with pytest.raises(Unsendable):
        encode([None] * 200)


def test_mutated_bytes_are_refused_in_one_way_or_are_other_data():
    rng = random.Random(7)
    seeds = [encode(value) for value in [*SCALARS, frame_of_all_kinds(), *(random_value(rng) for _ in range(60))]]
    refused = 0
    for _ in range(6_000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randrange(1, 9)]
                case 2:
                    data[at:at] = rng.choice(seeds)[:20]
                case 3:
                    data[at : at + 4] = struct.pack("<I", rng.choice([0, 1, 2**16, 2**31, 2**32 - 1]))
            if not data:
                break
        try:
            decode(bytes(data), lambda reference: reference)
        except Malformed:
            refused += 1
    assert refused > 3_000
    for _ in range(3_000):
        with pytest.raises(Malformed):
            decode(b"q" + rng.randbytes(rng.randrange(40)))
