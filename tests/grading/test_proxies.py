"""Stand-ins do what honest checks need, and give hostile answers nothing to work with."""

import inspect
import os
import pickle
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from carelab.grading import proxies
from carelab.grading.cells import Cells
from carelab.grading.local import Forked, InProcess
from carelab.grading.proxies import Proxy, Student, StudentError, source_of
from carelab.grading.session import Lost
from carelab.grading.values import decode, encode


def student_of(source, **kwargs):
    student = Student(InProcess(Cells()), **kwargs)
    student.run(source, "cell")
    return student


def function_of(body, arguments="x", before=""):
    lines = "\n    ".join(body.splitlines())
    return student_of(f"{before}\ndef f({arguments}):\n    {lines}").get("f")


# ---------------------------------------------------------------- what honest checks need


def test_a_function_is_called_and_its_result_is_data():
    f = function_of("return x['a'] * y", "x, y=2")
    result = f(pd.DataFrame({"a": [1, 2]}), y=3)
    assert type(result) is pd.Series and list(result) == [3, 6]


def test_a_function_looks_like_one():
    f = function_of('"""Twice."""\nreturn 2 * x', "x, *, often=3")
    assert callable(f) and inspect.isfunction(f) and f.__name__ == "f" and f.__doc__ == "Twice."
    assert str(inspect.signature(f)) == "(x, *, often=3)"
    assert "return 2 * x" in source_of(f) and "def source_of" in source_of(source_of)
    assert type(f).__name__ == "function"


def test_a_class_and_its_objects():
    student = student_of(
        """
class Bag:
    def __init__(self, items): self.items = items
    def __len__(self): return len(self.items)
    def __getitem__(self, key): return self.items[key]
    def __iter__(self): return iter(self.items)
    def __enter__(self): return self
    def __exit__(self, *_): self.items = []; return True
    def __str__(self): return "a bag"
    def twice(self): return Bag(self.items * 2)
"""
    )
    Bag = student.get("Bag")
    bag = Bag([1, 2])
    assert isinstance(bag, Bag) and not isinstance(3, Bag) and type(bag).__name__ == "Bag"
    assert len(bag) == 2 and bag[1] == 2 and list(bag.twice()) == [1, 2, 1, 2] and f"{bag}" == "a bag"
    bag.items = [7]
    assert bag.items == [7] and bag == bag and bag != bag.twice() and not hasattr(bag, "missing")
    with pytest.raises(AssertionError), bag:  # its __exit__ would swallow the check's failure
        raise AssertionError
    with pytest.raises(TypeError):
        bag < 3  # noqa: B015


def test_a_stand_in_becomes_the_students_own_object_again():
    student = student_of("thing = object()\ndef same(x, many): return x is thing and many[0] is thing")
    thing = student.get("thing")
    assert student.get("same")(thing, [thing]) is True


def test_generators_and_iterators():
    f = function_of("yield from range(x)")
    assert list(f(3)) == [0, 1, 2] and next(f(1)) == 0 and next(f(0), "end") == "end"


def test_isinstance_knows_the_libraries_classes():
    student = student_of("from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression(C=2)")
    model = student.get("model")
    assert isinstance(model, LogisticRegression) and not isinstance(model, StandardScaler) and model.C == 2
    model.fit(np.array([[0.0], [1.0]]), [0, 1])
    assert list(model.predict(np.array([[-9.0], [9.0]]))) == [0, 1]


@pytest.mark.parametrize(
    "body, kind, words",
    [
        ("raise ValueError('no')", ValueError, "no"),
        ("return {}['a']", KeyError, "'a'"),
        ("return 1 / 0", ZeroDivisionError, "division by zero"),
        ("return missing", NameError, "name 'missing' is not defined"),
        ("raise np.linalg.LinAlgError('singular')", np.linalg.LinAlgError, "singular"),
        ("raise type('Mine', (ValueError,), {})('own')", ValueError, "own"),
        ("import json; json.loads('[')", ValueError, "Expecting value: line 1 column 2 (char 1)"),
    ],
)
def test_an_exception_is_raised_again_as_what_it_was(body, kind, words):
    with pytest.raises(kind) as caught:
        function_of(body, before="import numpy as np")(1)
    assert str(caught.value) == words


def test_an_unknown_exception_keeps_its_name():
    with pytest.raises(StudentError) as caught:
        function_of("class Mine(Exception): pass\nraise Mine('own')")(1)
    assert type(caught.value).__name__ == "Mine"


def test_output_and_warnings_come_along(capsys):
    function_of("import sys\nprint('out')\nprint('careful', file=sys.stderr)")(1)
    captured = capsys.readouterr()
    assert captured.out == "out\n" and "careful" in captured.err


def test_changed_arguments_are_changed_here():
    f = function_of(
        "a.append(1); b['k'] = 2; c.add(3); d[0] = 4; e['new'] = 5; g.iloc[0] = 6; h[0].append(7); return e",
        "a, b, c, d, e, g, h",
    )
    a, b, c, d, h = [], {}, set(), np.zeros(2), ([],)
    e, g = pd.DataFrame({"old": [1]}), pd.Series([0])
    view = e
    assert f(a, b, c, d, e, g=g, h=h) is e
    assert (a, b, c, list(d), list(view.columns), list(g), h) == (
        [1],
        {"k": 2},
        {3},
        [4, 0],
        ["old", "new"],
        [6],
        ([7],),
    )


def test_unchanged_arguments_are_not_sent_back(monkeypatch):
    monkeypatch.setattr(proxies, "apply", lambda *_: pytest.fail("nothing was changed"))
    frame = pd.DataFrame({"a": [1, None], "b": ["x", None]})
    function_of("return len(x)")(frame)


class Watched(LogisticRegression):
    """A model that remembers what it was fitted on."""

    def fit(self, X, y):
        self.fitted_on = list(X.columns)
        return super().fit(X, y)


def test_a_model_that_was_fitted_there_is_fitted_here():
    table, label = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]}), [0, 0, 1, 1]
    f = function_of("x.fit(table, label); return x", "x, table, label")
    model = Watched()
    assert f(model, table, label) is model and model.fitted_on == ["a"]
    assert list(model.predict(table)) == label
    line = make_pipeline(StandardScaler(), LogisticRegression())
    f(line, table, label)
    assert list(line.predict(table)) == label and type(line[0]) is StandardScaler


@pytest.mark.filterwarnings("error")
def test_a_warning_about_slices_is_given_as_without_us():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    f = function_of("x['b'] = 1")
    f(frame.copy())
    with pytest.raises(Warning, match="copy of a slice"):
        f(frame[frame["a"] > 1])


def test_magics_and_await_do_not_stop_a_cell():
    student = student_of("%matplotlib inline\n!ls\nimport asyncio\nawait asyncio.sleep(0)\n%time a = 1\na?")
    assert student.get("a") == 1


# ---------------------------------------------------------------- what hostile answers try

ALWAYS = """
class Always:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __contains__ = __lt__
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __float__(self): return 0.75
    def __hash__(self): return hash(0.75)
    def __array__(self, *_, **__): return __import__("numpy").array(0.75)
    __array_interface__ = {"shape": (1,), "typestr": "<f8", "data": (140000000000000, False), "version": 3}
    def equals(self, other): return True
    __class__ = float
"""


def test_an_object_that_equals_everything_equals_nothing():
    liar = function_of("return Always()", before=ALWAYS)(1)
    assert liar.__eq__(0.75) is False and liar != 0.75 and liar not in [0.75] and [liar] != [0.75]
    assert not isinstance(liar, float)
    for compare in (lambda: liar < 1, lambda: abs(liar - 0.75) < 1, lambda: float(liar), lambda: 0.75 - liar):
        with pytest.raises(TypeError):
            compare()
    assert not np.all(np.asarray(liar, dtype=object) == 0.75)
    with pytest.raises((TypeError, ValueError)):
        np.isclose(liar, 0.75)
    assert not hasattr(liar, "__array_interface__")


def test_an_object_cannot_say_yes_for_the_check():
    student = student_of(ALWAYS + "\ndef f(x): return Always()")
    student.allowed = frozenset({("f", "call")})
    liar = student.get("f")(1)
    with pytest.raises(AttributeError, match="not what the check asks for"):
        liar.equals(pd.DataFrame())
    student.allowed |= {("f()", "equals"), ("f().equals", "call")}
    assert liar.equals(1)  # only because this check would be made so


@pytest.mark.parametrize("claimed", ["int", "float", "list", "dict", "bool", "str"])
def test_a_class_is_not_what_it_says(claimed):
    liar = function_of(f"class Liar:\n    __class__ = {claimed}\nreturn Liar()")(1)
    assert not isinstance(liar, eval(claimed))


@pytest.mark.parametrize(
    "name", ["pandas.core.frame:DataFrame", "numpy:ndarray", "builtins:int", "os:system", "antigravity:x"]
)
def test_a_forged_class_name_imports_nothing_and_is_no_data(name):
    before = "import carelab.grading.inside as i\nold = i._lineage\n"
    student = student_of(before)
    frame = proxies.Reference(0, (name,), "", "")
    assert student._adopt(frame, "x").__class__.__mro__[-2] is Proxy
    assert "antigravity" not in __import__("sys").modules


@pytest.mark.parametrize("body", ["raise StopIteration", "raise StopAsyncIteration"])
def test_no_exception_ends_a_loop_of_the_check(body):
    f = function_of(body)
    with pytest.raises(StudentError):
        all(map(f, [1, 2]))


@pytest.mark.parametrize(
    "body", ["import sys; sys.exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit", "raise BaseException"]
)
def test_no_exception_ends_the_process(body):
    with pytest.raises(StudentError):
        function_of(body)(1)


def test_hostile_exceptions():
    f = function_of(
        "class Bad(Exception):\n"
        "    def __str__(self): raise SystemExit\n"
        "    args = property(lambda self: 1 / 0)\n"
        "raise Bad"
    )
    with pytest.raises(StudentError) as caught:
        f(1)
    assert str(caught.value) == ""
    with pytest.raises(ValueError) as caught:
        function_of("raise ValueError('x' * 10_000_000)")(1)
    assert len(str(caught.value)) <= 2_000


@pytest.mark.parametrize(
    "body",
    ["a = []\na.append(a)\nreturn a", "a = [1]\nfor _ in range(60): a = [a, a]\nreturn a", "return 'x' * 80_000_000"],
    ids=["holds itself", "doubles", "huge"],
)
def test_a_bomb_is_a_fault(body):
    f = function_of(body)
    with pytest.raises(StudentError):
        f(1)
    assert proxies._inner(f)[0].faults


def test_an_endless_generator_is_a_fault(monkeypatch):
    monkeypatch.setattr(proxies, "MAX_ITEMS", 50)
    f = function_of("while True: yield 1")
    with pytest.raises(StudentError, match="more than 50 items"):
        list(f(1))
    assert proxies._inner(f)[0].faults


def test_a_flood_is_a_fault(capsys):
    f = function_of("for _ in range(20): print('x' * 100_000)")
    f(1)
    assert proxies._inner(f)[0].faults and len(capsys.readouterr().out) <= 1_000_000


CANARY = "class Canary:\n    def __reduce__(self): return (__import__('os').mkdir, ({path!r},))\n"


def test_no_pickle_comes_back(tmp_path):
    path = str(tmp_path / "ran")
    canary = function_of("return [Canary()]", before=CANARY.format(path=path))(1)
    assert isinstance(canary, list) and issubclass(type(canary[0]), Proxy)
    with pytest.raises(TypeError):
        pickle.dumps(canary[0])
    assert not os.path.exists(path)


class Forger:
    """Answers with what it is told to make of an honest reply."""

    def __init__(self, forge):
        self.honest, self.forge = InProcess(Cells()), forge
        self.honest.inside.run("def f(x): return 1", "cell")

    def exchange(self, frame, timeout):
        return self.forge(self.honest.exchange(frame, timeout))

    def close(self):
        pass


def changed(**new):
    names = ("token", "outcome", "value", "same", "changed", "out", "err")

    def forge(reply):
        return encode(tuple((dict(zip(names, decode(reply), strict=True)) | new).values()))

    return forge


FORGERIES = {
    "nothing": lambda reply: b"",
    "noise": lambda reply: b"\x00" * 100,
    "half": lambda reply: reply[: len(reply) // 2],
    "a pickle": lambda reply: pickle.dumps(os.getcwd),
    "plain data": lambda reply: encode(1),
    "another's answer": changed(token=b"12345678"),
    "no outcome": changed(outcome="fine"),
    "outcome of another kind": changed(outcome=["value"]),
    "value that is none": changed(value=b"junk"),
    "text that is none": changed(out=b"bytes"),
    "an argument there was not": changed(same=7),
    "the function itself": changed(same=-1),
    "a change of nothing": changed(changed={9: ("value", encode(1))}),
    "a change of no kind": changed(changed={1: ("code", b"")}),
    "a change with an object": changed(changed={1: ("value", encode(object(), lambda _: proxies.Reference(0, ())))}),
    "a change of an attribute": changed(changed={1: ("attributes", {"__class__": ("value", encode(1))})}),
    "an error of no form": changed(outcome="raised", value=encode(("builtins:ValueError",))),
    "an error of no names": changed(outcome="raised", value=encode(((1,), "", (), 0))),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_reply_ends_the_session(name):
    student = Student(Forger(lambda reply: reply))
    f = student.get("f")
    assert f([]) == 1
    student._session.forge = FORGERIES[name]
    with pytest.raises(Lost, match="no answer"):
        f([])
    assert student.faults
    student._session.forge = lambda reply: reply
    with pytest.raises(Lost):
        f([])


def test_a_change_never_stands_before_a_method():
    student = Student(Forger(lambda reply: reply))
    f, model = student.get("f"), Watched()
    student._session.forge = changed(changed={1: ("attributes", {"predict": ("value", encode(1))})})
    with pytest.raises(Lost):
        f(model)
    assert callable(model.predict)


@pytest.mark.parametrize("body", ["import os; os._exit(0)", "import time; time.sleep(60)", "while True: pass"])
def test_death_and_endless_loops_lose_the_session(body):
    student = Student(Forked(Cells()), call_seconds=1.0)
    student.run(f"def f():\n    {body}", "cell")
    f = student.get("f")
    with pytest.raises(Lost, match=r"ended its process|never ends"):
        f()
    assert student.lost and student.faults
    student._session.close()


def test_the_whole_check_has_a_limit_too():
    student = student_of("def f(): return 1")
    f = student.get("f")
    student.deadline = time.monotonic() - 1
    with pytest.raises(Lost, match="took too long"):
        f()


def test_a_thread_that_answers_later_answers_nobody():
    f = function_of(
        "import threading\nresult = []\nthreading.Thread(target=result.append, args=(1,)).start()\nreturn result"
    )
    assert f(1) in ([], [1])
    assert threading.active_count() < 50


def test_what_is_patched_there_stays_there():
    student = Student(Forked(Cells()))
    student.run(
        "import builtins, numpy\nbuiltins.AssertionError = Warning\nnumpy.isclose = lambda *a: True\nx = 1", "cell"
    )
    assert student.get("x") == 1 and not np.isclose(1, 2) and issubclass(AssertionError, Exception)
    with pytest.raises(AssertionError):
        raise AssertionError
    student._session.close()
