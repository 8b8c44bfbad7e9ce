"""Tables that both processes have go over as row numbers, and nobody can tell, except by the time it takes."""

import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from carelab.grading import known as known_module
from carelab.grading import values
from carelab.grading.cells import Cells
from carelab.grading.known import Known, Rows
from carelab.grading.local import InProcess
from carelab.grading.proxies import Student
from carelab.grading.values import Malformed, Unsendable, decode, encode, given, taken

PREFIX = """
import numpy as np
import pandas as pd
rng = np.random.default_rng(1)
table = pd.DataFrame(
    {
        "who": [f"patient {n % 700}" for n in range(2_000)],
        "when": pd.date_range("2026-01-01", periods=2_000, freq="h"),
        "risk": rng.random(2_000),
        "gap": [None if n % 3 else "x" for n in range(2_000)],
        "came": rng.random(2_000) < 0.5,
        "wave": rng.random(2_000) * 1j,
    },
    index=np.arange(2_000) * 7 % 2_003,
)
"""


@pytest.fixture
def cells():
    cells = Cells()
    cells.run(PREFIX, "prefix")
    return cells


@pytest.fixture
def table(cells):
    return cells.names["table"]


@pytest.fixture
def known(cells):
    return Known(cells.names)


@pytest.fixture
def student(cells, known):
    """A process that has run the same cells, and has agreed on what they made."""
    other = Cells()
    other.run(PREFIX, "prefix")
    student = Student(InProcess(other, Known(other.names)))
    student.agree(known)
    return student


def function_of(student, body, before=""):
    lines = "\n    ".join(body.splitlines())
    student.run(f"{before}\ndef f(x):\n    {lines}", "cell")
    return student.get("f")


WAYS = {
    "whole": lambda t: t,
    "some rows": lambda t: t[t["risk"] > 0.3],
    "shuffled": lambda t: t.sample(frac=1.0, random_state=1),
    "cut": lambda t: t.sample(frac=1.0, random_state=1).iloc[300:1_500],
    "with a column more": lambda t: t.assign(more=t["risk"] * 2),
    "with one in front": lambda t: t.assign(more="new")[["more", *t.columns]].iloc[::2],
    "columns turned round": lambda t: t[t.columns[::-1]],
    "some columns": lambda t: t[["risk", "who"]].iloc[:900],
    "rows twice": lambda t: t.sample(n=3_000, replace=True, random_state=2),
    "changed values": lambda t: t.assign(risk=t["risk"].round(2)),
    "changed texts": lambda t: t.assign(who=t["who"].str.upper()),
    "another dtype": lambda t: t.assign(came=t["came"].astype(int)),
}
OTHERWISE = {
    "new labels": lambda t: t.reset_index(drop=True),
    "labels of another kind": lambda t: t.set_axis([str(label) for label in t.index]),
    "a name for the labels": lambda t: t.rename_axis("number"),
    "a name for the columns": lambda t: t.rename_axis(columns="what"),
    "few rows": lambda t: t.iloc[:20],
    "a column of categories": lambda t: t.assign(gap=t["gap"].astype("category")),
    "all else": lambda t: pd.DataFrame({"other": range(2_000)}, index=t.index),
    "a column twice": lambda t: t[["risk", "risk"]],
}


@pytest.mark.parametrize("way", WAYS | OTHERWISE)
def test_a_table_comes_over_as_it_is(student, table, way):
    sent = (WAYS | OTHERWISE)[way](table)
    student.run("seen = []", "cell")
    f = function_of(student, "seen.append(x)\nreturn x.copy()")
    back = f(sent)
    assert_frame_equal(back, sent, check_column_type="exact", check_index_type="exact")
    assert back.index.name == sent.index.name and list(back.dtypes) == list(sent.dtypes)


@pytest.mark.parametrize("way", WAYS)
def test_it_comes_over_as_rows(known, table, way):
    sent = WAYS[way](table)
    data = given(sent, known)
    assert data is not None and len(data) < len(encode(sent))
    back, found = taken(data, known)
    assert_frame_equal(back, sent)
    assert known.holds(found, back)
    assert len(encode(sent, known=known)) < len(encode(sent))
    assert_frame_equal(decode(encode(sent, known=known), known=known), sent)


def test_a_whole_table_is_a_name(known, table):
    assert len(given(table, known)) < 500 < len(encode(table))


@pytest.mark.parametrize("way", ["new labels", "labels of another kind", "few rows", "all else"])
def test_what_is_not_in_the_table_is_sent(known, table, way):
    assert given(OTHERWISE[way](table), known) is None


# ---------------------------------------------------------------- what a check has changed

CHANGES = {
    "a number": ("x.iat[5, 2] = 9.0", lambda t: t.iat[5, 2]),
    "a text": ("x.iat[5, 0] = 'somebody'", lambda t: t.iat[5, 0]),
    "a gap": ("x.iat[5, 3] = 'y'", lambda t: t.iat[5, 3]),
    "a column more": ("x['more'] = 1", lambda t: "more" in t.columns),
    "a column less": ("del x['came']", lambda t: "came" in t.columns),
    "an array behind it": ("x['risk'].to_numpy()[5] = 9.0", lambda t: t.iat[5, 2]),
    "a column's name": ("x.columns.values[0] = 'whom'", lambda t: next(iter(t.columns))),
    "a label": ("x.index.values[5] = 5_000", lambda t: t.index[5]),
    "the labels' name": ("x.index.name = 'number'", lambda t: t.index.name),
    "the columns' name": ("x.columns.name = 'what'", lambda t: t.columns.name),
    "the order": ("x.sort_values('risk', inplace=True)", lambda t: t.iat[5, 2]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_check_changed_in_place_is_what_the_function_sees(student, table, change):
    statement, look = CHANGES[change]
    before, f = look(table), function_of(student, "return pickle.dumps(x)", before="import pickle")
    exec(statement, {"x": table})
    assert look(table) != before
    seen = pickle.loads(f(table))  # this test's own bytes: what the function saw, past all of our forms
    assert look(seen) == look(table)
    assert_frame_equal(seen, table)


def copy_of(table):
    """With labels of its own, which pandas' own copies share."""
    copy = table.copy()
    copy.index, copy.columns = copy.index.copy(deep=True), copy.columns.copy(deep=True)
    return copy


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", ["whole", "shuffled", "with a column more"])
def test_what_the_function_changed_is_seen_and_only_then(student, table, change, way):
    statement, _ = CHANGES[change]
    untouched = copy_of(WAYS[way](table))
    mine, expected = copy_of(untouched), copy_of(untouched)
    f = function_of(student, statement)
    f(mine)
    exec(statement, {"x": expected})
    assert_frame_equal(mine, expected)
    with pytest.raises(AssertionError):
        assert_frame_equal(mine, untouched)
    assert_frame_equal(function_of(student, "return x.copy()")(untouched), untouched)  # what was put aside is as it was
    assert student.known.find(untouched) is not None


def test_an_unchanged_table_is_not_sent_back(student, table, monkeypatch):
    monkeypatch.setattr("carelab.grading.proxies.apply", lambda *_: pytest.fail("nothing was changed"))
    f = function_of(student, "return len(x[x['risk'] > 0.5])")
    assert f(table) == (table["risk"] > 0.5).sum()


def test_a_table_that_the_answers_changed_is_not_the_one_that_was_put_aside(student, table):
    student.run("table['risk'] = 0.0\ntable.drop(columns=['who'], inplace=True)", "cell")
    assert_frame_equal(function_of(student, "return x.copy()")(table), table)


# ---------------------------------------------------------------- what hostile answers try


def test_poison_in_the_students_process_changes_no_value_here(cells, known, table):
    """It says its table is the one put aside: then it is that one, with the values of this side."""
    before = table.copy()
    other = Cells()
    other.run(PREFIX, "prefix")
    student = Student(InProcess(other, Known(other.names)))
    student.agree(known)
    inside = student._session.inside
    inside.known._tables["table"].whole["risk"] = 0.75
    inside.known.find = lambda table: Rows("table", None, list(range(6)), None, [])
    liar = function_of(student, "y = x.copy()\ny['risk'] = 0.0\nreturn y")
    assert_frame_equal(liar(table.iloc[:1_000]), before)
    assert student.known.find(before) is not None


def test_another_table_of_the_same_name_is_sent(cells, known, table):
    other = Cells()
    other.run(PREFIX.replace("default_rng(1)", "default_rng(2)"), "prefix")
    student = Student(InProcess(other, Known(other.names)))
    student.agree(known)
    assert student.known.find(table) is None
    assert_frame_equal(function_of(student, "return x.copy()")(table), table)


@pytest.mark.parametrize("said", [None, 1, "table", {"table": 1}, {"table": b"x"}, {1: {}}, [("table", b"")]])
def test_what_it_says_of_its_tables_may_be_anything(known, table, said):
    assert known.only(said).find(table) is None


def form(*parts):
    return b"xB" + encode(parts)


def rows(*numbers, dtype="<i4"):
    return np.array(numbers, dtype)


FORGED = {
    "no table": form("none", None, [0], None, []),
    "no name": form(1, None, [0], None, []),
    "a row too far": form("table", rows(0, 2_000), [0], None, []),
    "a row before": form("table", rows(-1), [0], None, []),
    "rows of no number": form("table", rows(0.0, dtype="f8"), [0], None, []),
    "rows of rows": form("table", rows([0, 1]), [0], None, []),
    "objects for rows": form("table", np.array([0, "a"], dtype=object), [0], None, []),
    "a column too far": form("table", None, [6], None, []),
    "a column before": form("table", None, [-1], None, []),
    "a column of truth": form("table", None, [True], None, []),
    "labels of another number": form("table", rows(0, 1), [0], pd.Index([1]), []),
    "labels that are none": form("table", rows(0, 1), [0], [1, 2], []),
    "a new column of another length": form("table", rows(0, 1), [0], None, [(1, "n", np.arange(3))]),
    "a new column at no place": form("table", rows(0, 1), [0], None, [(7, "n", np.arange(2))]),
    "a new column of no array": form("table", rows(0, 1), [0], None, [(1, "n", "ab")]),
    "a new column of no name": form("table", rows(0, 1), [0], None, [(1, [], np.arange(2))]),
    "many columns": form("table", None, [0] * 10_000, None, []),
    "more than there is room for": b"l" + b"\x10\x27\x00\x00" + form("table", None, [0, 1], None, []) * 10_000,
    "many new columns": form("table", rows(0), [0], None, [(1, str(n), np.arange(1)) for n in range(50)]),
}


@pytest.mark.parametrize("name", FORGED)
def test_rows_that_there_are_not_are_refused(known, table, name):
    before = table.copy()
    with pytest.raises(Malformed):
        decode(FORGED[name], known=known)
    assert known.find(before).numbers == list(range(6))


def test_rows_mean_nothing_without_a_table(table):
    with pytest.raises(Malformed):
        decode(form("table", None, [0], None, []))


def test_too_much_is_not_written_either(known, table, monkeypatch):
    monkeypatch.setattr(values, "MAX_GIVEN", 20_000)
    assert decode(encode([table], known=known), known=known)
    assert len(decode(encode([table] * 3, known=known), known=known)) == 3  # the rest as it is


# ---------------------------------------------------------------- what is put aside


@pytest.mark.parametrize(
    "column",
    [
        [[1] for _ in range(2_000)],
        pd.Categorical(["a"] * 2_000),
        pd.array(["a"] * 2_000, dtype="string"),
        [np.float64(1), *["a"] * 1_999],
    ],
    ids=["lists", "categories", "strings", "numpy's numbers"],
)
def test_what_could_be_changed_under_a_copy_is_not_put_aside(table, column):
    assert Known({"table": table}).digests and not Known({"table": table.assign(odd=column)}).digests


def test_what_is_small_or_no_table_is_not_put_aside(table, monkeypatch):
    assert not Known({"few": table.iloc[:100], "text": "a", "twice": pd.concat([table, table])}).digests
    monkeypatch.setattr(known_module, "MAX_TABLE_BYTES", 10_000)
    assert not Known({"large": table}).digests


def test_tables_have_the_same_digest_when_they_are_the_same(table):
    digest = Known({"t": table}).digests
    assert digest == Known({"t": table.copy()}).digests
    for change in ("a number", "a text", "a gap", "a column more", "a column's name", "a label", "the labels' name"):
        other = copy_of(table)
        exec(CHANGES[change][0], {"x": other})
        assert Known({"t": other}).digests != digest, change


def test_an_encoder_without_room_refuses(table):
    with pytest.raises(Unsendable):
        encode(table, max_bytes=100)
