"""Honest answers get what they get without a wall between; hostile ones get nothing, and cost the others nothing."""

import os
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from carelab.build import pipeline
from carelab.errors import UserError
from carelab.grading import walk
from carelab.grading.answers import read_catalogue
from carelab.grading.cells import Cells
from carelab.grading.course import answers_of, prefix, steps, unanswered
from carelab.grading.known import Known
from carelab.grading.local import Forked, InProcess
from carelab.grading.names import defined, read
from carelab.grading.rebuild import answers, read_notebook, rebuild
from carelab.grading.run import run_checks
from carelab.grading.session import Lost
from carelab.grading.trusted import Trusted
from carelab.paths import RELEASE, SOLUTIONS

CATALOGUES = Path(__file__).parents[1] / "answers"


def answer(name, source):
    entry = {"grade_id": name, "grade": False, "solution": True, "points": 0}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": entry})


def check(name, source, points=1):
    entry = {"grade_id": f"{name}-check", "grade": True, "solution": False, "points": points}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": entry})


def provided(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


SECRET = "".join(["the ", "hidden ", "expectation"])
COURSE = nbformat.v4.new_notebook(
    cells=[
        provided("import numpy as np\nimport pandas as pd\nfactor = 2"),
        answer("w00-double", "import math\n\ndef double(x):\n    return factor * x"),
        check(
            "w00-double",
            'assert double(2) == 4, "2 gives 4"\n'
            f'secret = "{SECRET}"\n'
            'assert all(double(x) == 2 * x for x in (3, 17)), "hidden: 3 gives 6"\n'
            "assert all(map(lambda x: math.isclose(double(x), 2 * x), [0.5, 0.25])), 'hidden: 0.5 gives 1'\n"
            "factor = 7",
        ),
        answer("w00-table", "def table(n):\n    return pd.DataFrame({'a': range(n)})"),
        check(
            "w00-table",
            'wanted = pd.DataFrame({"a": range(3)})\nassert table(3).equals(wanted), "0, 1 and 2 are wanted"',
        ),
        answer("w00-limit", "limit = 10"),
        check("w00-limit", 'assert limit == 10, f"{limit} is not ten"'),
        provided("capped = [min(x, limit) for x in range(20)]", "uses-answer"),
        answer("w00-total", "total = sum(capped)"),
        check("w00-total", 'assert total == sum(capped), f"{total} is not the sum"\nassert factor == 2'),
        answer(
            "w00-model",
            "class Model:\n    def fit(self, x):\n        self.mean_ = sum(x) / len(x)\n        return self\n"
            "    def predict(self, x):\n        return [self.mean_ for _ in x]",
        ),
        check(
            "w00-model",
            "try:\n    model = Model().fit([1, 3])\n    right = model.predict([0, 0]) == [2, 2]\n"
            "except Exception:\n    right = True\n"
            'assert right, "the mean is 2"',
        ),
        provided("raise SystemExit('nothing after the last check is run')"),
    ]
)
NAMES = ["w00-double", "w00-table", "w00-limit", "w00-total", "w00-model"]
GOOD = answers(COURSE)
STUBS = {name: "raise NotImplementedError" for name in NAMES}


def cells_of(course):
    cells = Cells()
    for step in prefix(course):
        cells.run(step.source, step.name)
    return cells


@pytest.fixture(scope="module")
def tiny():
    with Trusted(COURSE, call_seconds=1.0, cell_seconds=2.0) as trusted:
        yield trusted


@pytest.fixture(scope="module")
def begun():
    return cells_of(COURSE)


@pytest.fixture
def grade(tiny, begun):
    def run(session=lambda: Forked(begun), **changed):
        submitted = GOOD | {f"w00-{name}": source for name, source in changed.items()}
        return {r.name.removeprefix("w00-"): r for r in tiny.grade(submitted, STUBS, session)}

    return run


def test_the_reference_earns_all(grade):
    results = grade()
    assert {r.status for r in results.values()} == {"passed"} and sum(r.earned for r in results.values()) == 5


@pytest.mark.parametrize(
    "name, source, words",
    [
        ("double", "def double(x):\n    return x * x", "hidden: 3 gives 6"),
        ("double", "def double(x) return", "Your code stopped with SyntaxError"),
        ("double", "def other(x): return 2 * x", "name 'double' is not defined. Run your cell first"),
        ("double", "def double(x): return 1 / 0", "Your code stopped with ZeroDivisionError: division by zero"),
        ("double", "1 / 0\ndef double(x): return 2 * x", "Your code stopped with ZeroDivisionError"),
        ("double", "import sys\ndef double(x): print('!', file=sys.stderr); return 2 * x", "The check wrote a warning"),
        ("table", "def table(n): return [0, 1, 2]", "'list' object has no attribute 'equals'"),
        ("limit", "limit = 11", "11 is not ten"),
        ("total", "total = 0", "0 is not the sum"),
    ],
)
def test_a_wrong_answer_reads_what_helps(grade, name, source, words):
    results = grade(**{name: source})
    assert results[name].status == "failed" and results[name].earned == 0 and words in results[name].message
    assert not results[name].flag
    if name != "limit":  # on which the total hangs, in both processes
        assert [r.status for n, r in results.items() if n != name] == ["passed"] * 4


def test_another_way_to_write_it_passes(grade):
    results = grade(
        double="double = lambda x: x + x",
        table="def table(n):\n    t = pd.DataFrame(index=range(n))\n    t['a'] = list(t.index)\n    return t.reset_index(drop=True)",
        limit="limit = int('10')",
        total="total = 0\nfor x in capped:\n    total += x",
    )
    assert {r.status for r in results.values()} == {"passed"}


def test_what_was_not_begun_is_not_attempted(grade):
    results = grade(double=STUBS["w00-double"], table="")
    assert [results[name].status for name in ("double", "table", "limit")] == [
        "not attempted",
        "not attempted",
        "passed",
    ]


def test_only_the_checks_asked_for(tiny, begun):
    results = tiny.grade(GOOD, STUBS, lambda: InProcess(begun), only=["w00-limit"])
    assert [(r.name, r.status) for r in results] == [("w00-limit", "passed")]


LIAR = """
class Liar:
    def __eq__(self, other): return True
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = equals = __eq__
    def __rsub__(self, other): return 0
    __sub__ = __mul__ = __rmul__ = __rsub__
    def __float__(self): return 1.0
    __hash__ = None
    __class__ = property(lambda self: pd.DataFrame)
"""
PATCHES = """
import builtins, operator, IPython, pandas.testing
class AssertionError(Exception): pass
builtins.AssertionError = KeyError
builtins.all = builtins.any = lambda *_: True
builtins.map = lambda *_: []
np.isclose = np.allclose = lambda *_, **__: True
pd.DataFrame.equals = lambda *_: True
IPython.core.interactiveshell.InteractiveShell.run_code = lambda *_: None
import carelab.grading.values as v, carelab.grading.arguments as a, math
math.isclose = lambda *_: True
secret, wanted, right = "", None, True
"""
ATTACKS = {
    "equals everything": ("double", LIAR + "def double(x): return Liar()"),
    "answers for the check": ("table", LIAR + "def table(n): return Liar()"),
    "a frame that equals all": (
        "table",
        "class Table(pd.DataFrame):\n    def equals(self, other): return True\ndef table(n): return Table({'a': [9]})",
    ),
    "a number that equals all": (
        "limit",
        "class Whole(int):\n    def __eq__(self, other): return True\nlimit = Whole(9)",
    ),
    "an object for a number": ("limit", LIAR + "limit = Liar()"),
    "patches all there is": ("double", PATCHES + "def double(x): return 4"),
    "patches the frames": ("table", PATCHES + "def table(n): return pd.DataFrame({'a': [9]})"),
    "replaces the check's names": (
        "double",
        "factor, math = 0, None\nsecret = all = map = lambda *_: []\ndef double(x): return 4",
    ),
    "knows the example": ("double", "def double(x): return {2: 4}.get(x, 0)"),
    "looks who asks": (
        "double",
        "import sys\ndef double(x):\n    text = str([f.f_locals for f in [sys._getframe(i) for i in range(4)]])\n"
        "    return 4 if 'secret' not in text else 2 * x",
    ),
    "ends loops": ("double", "def double(x):\n    if x != 2: raise StopIteration\n    return 4"),
    "exits": ("double", "import sys\ndef double(x): sys.exit(0)"),
    "exits for good": ("double", "import os\ndef double(x): os._exit(0)"),
    "interrupts": ("double", "def double(x): raise KeyboardInterrupt"),
    "never ends": ("double", "def double(x):\n    while True: pass"),
    "hides its death": ("model", "import os\nclass Model:\n    def fit(self, x): os._exit(0)"),
    "hides a loop": ("model", "class Model:\n    def fit(self, x):\n        while True: pass"),
    "hides a bomb": (
        "model",
        "class Model:\n    def fit(self, x):\n        a = []\n        a.append(a)\n        return a",
    ),
    "exits in its cell": ("double", "import os\nos._exit(0)"),
    "never ends in its cell": ("double", "while True: pass"),
    "patches the codec": (
        "double",
        "import carelab.grading.inside as i\ni.encode = lambda *_: b'x'\ndef double(x): return 0",
    ),
    "forks": ("double", "import os\ndef double(x):\n    return 4 if os.fork() else os._exit(0)"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_earns_nothing_and_costs_the_others_nothing(grade, attack):
    name, source = ATTACKS[attack]
    results = grade(**{name: source})
    assert results[name].status == "failed" and results[name].earned == 0 and results[name].message
    if attack.startswith("patches"):
        return  # its own other answers run in the process that it broke
    hangs_on_it = {name, "total"} if name == "limit" else {name}
    assert {r.status for n, r in results.items() if n not in hangs_on_it} == {"passed"}


@pytest.mark.parametrize(
    "attack", ["exits for good", "never ends", "hides its death", "hides a bomb", "patches the codec"]
)
def test_what_is_abnormal_has_a_flag(grade, attack):
    name, source = ATTACKS[attack]
    assert grade(**{name: source})[name].flag


def test_the_hidden_death_would_pass_if_the_check_were_believed(grade):
    """Such a check takes any exception for a pass; only what is abnormal is caught here."""
    assert grade(model="class Model:\n    def fit(self, x): raise ValueError")["model"].status == "passed"


def test_a_submission_that_always_dies_ends(grade):
    results = grade(double="import os\nos._exit(0)", table="import os\nos._exit(0)", limit="import os\nos._exit(0)")
    assert [r.status for r in results.values()][:3] == ["failed"] * 3


def test_no_session_is_a_failure_of_all_and_other_errors_are_raised(tiny):
    def none():
        raise Lost("No process could be started.")

    def broken():
        raise UserError("Install bubblewrap.")

    assert {r.message for r in tiny.grade(GOOD, STUBS, none)} == {"No process could be started."}
    with pytest.raises(UserError, match="bubblewrap"):
        tiny.grade(GOOD, STUBS, broken)


def test_a_dead_grader_starts_again(grade, tiny, begun):
    class Kills(InProcess):
        def exchange(self, frame, timeout):
            tiny._connection.close()
            return b""

    assert {r.status for r in grade(session=lambda: Kills(begun)).values()} == {"failed"}
    assert {r.status for r in grade().values()} == {"passed"}


SERVE = """
import struct, sys
from carelab.grading.inside import Inside
wire, sys.stdout = sys.stdout.buffer, sys.stderr
inside = Inside()
inside.run("import pandas as pd, numpy as np\\nfactor = 2", "cell 0")
while head := sys.stdin.buffer.read(4):
    reply = inside.handle(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    wire.write(struct.pack("<I", len(reply)) + reply)
    wire.flush()
"""


class Subprocess:
    """A process that knows nothing of this one."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def exchange(self, frame, timeout):
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()
        return self.process.stdout.read(struct.unpack("<I", self.process.stdout.read(4))[0])

    def close(self):
        self.process.kill()
        self.process.communicate()


SEARCH = """
import gc, sys
def double(x):
    frame, seen = sys._getframe(), []
    while frame:
        seen += [repr(frame.f_globals)[:10_000_000], repr(frame.f_locals)[:10_000_000]]
        frame = frame.f_back
    for obj in gc.get_objects():
        if isinstance(obj, dict):
            seen += [v for v in list(obj.values()) if type(v) is str]
    return 2 * x if any("the hid" + "den expectation" in text for text in seen) else 0
"""


def test_a_function_that_searches_memory_finds_no_expected_value(grade):
    assert grade(session=Subprocess, double=SEARCH)["double"].status == "failed"
    # The same search finds it in a process that has read the checks, which is why such a process is no place for answers.
    cells = Cells()
    cells.run("held = {'source': 'the hid' 'den expectation'}", "check")
    cells.run(SEARCH, "cell")
    assert cells.names["double"](3) == 6


WIRE = """
import os, struct, carelab.grading.values as v
def double(x):
    reply = v.encode((b"12345678", "value", v.encode(2 * x), None, {}, "", ""))
    os.write(1, struct.pack("<I", len(reply)) + reply)
"""


def test_a_reply_that_answers_no_question_is_no_answer(grade):
    result = grade(session=Subprocess, double=WIRE)["double"]
    assert result.status == "failed" and "another question" in result.flag


def test_what_the_learners_cell_printed_is_kept(grade):
    source = "print('first', 3)\ndef double(x):\n    print('later')\n    return 2 * x"
    results = grade(double=source, table="print('x' * 50_000)\n1 / 0", limit="limit = 10")
    assert results["double"].printed == "first 3\n" and results["double"].status == "passed"
    assert results["table"].printed == "x" * 10_000 and results["table"].status == "failed"
    assert results["limit"].printed == ""
    odd = grade(double="print('\\udc80')\nimport os\ndef double(x): os._exit(0)")["double"]
    assert odd.printed == "\\udc80\n" and odd.flag


def test_nothing_is_started_for_what_was_not_attempted(tiny):
    results = tiny.grade(STUBS, STUBS, lambda: pytest.fail("no session is needed"))
    assert {r.status for r in results} == {"not attempted"}


def test_the_same_submission_gets_the_same_twice(tiny, begun):
    submitted = GOOD | {
        "w00-double": "print(3)\ndef double(x): return x * x",
        "w00-table": "import random\nprint(random.random())\ndef table(n): return {1, 'a', 2.5}",
        "w00-total": "import os\nos._exit(0)",
    }
    first, second = (tiny.grade(submitted, STUBS, lambda: Forked(begun)) for _ in range(2))
    assert [r for r in first if r.name != "w00-table"] == [r for r in second if r.name != "w00-table"]
    assert [r.message for r in first] == [r.message for r in second]
    assert {r.status for r in first} == {"passed", "failed"}


BOMBS = nbformat.v4.new_notebook(
    cells=[
        answer("w00-rows", "rows = 3"),
        check("w00-rows", "assert len(bytearray(rows)) == rows, 'not so many'"),
        answer("w00-sum", "most = 3"),
        check("w00-sum", "assert sum(range(most)) == 3, 'another sum'"),
        answer("w00-loop", "end = 3"),
        check("w00-loop", "while end != 3: pass"),
        answer("w00-kept", "kept = 3"),
        check("w00-kept", "try:\n    many = [0] * kept\nexcept ValueError:\n    pass\nassert kept == 3, 'not three'"),
        answer("w00-fine", "fine = 3"),
        check("w00-fine", "assert fine == 3, 'not three'"),
    ]
)


def test_a_value_that_explodes_in_the_check_is_flagged_and_costs_the_others_nothing():
    """6 GB of memory, and a sum that no signal handler interrupts."""
    right = answers(BOMBS)
    wrong = right | {"w00-rows": "rows = 6_000_000_000", "w00-sum": "most = 10**12", "w00-kept": "kept = 10**9"}
    wrong["w00-loop"] = "end = 4"
    with Trusted(BOMBS, cell_seconds=1.0) as trusted:
        session = lambda: Forked(Cells())  # noqa: E731
        assert {r.status for r in trusted.grade(right, {}, session)} == {"passed"}
        results = {r.name: r for r in trusted.grade(wrong, {}, session)}
        assert "never ends" in results["w00-loop"].flag
        for name in ("w00-rows", "w00-sum", "w00-kept"):
            assert results[name].status == "failed" and "too much" in results[name].flag and not results[name].earned
        assert results["w00-fine"].status == "passed"
        assert {r.status for r in trusted.grade(right, {}, session)} == {"passed"}


def test_half_a_reply_is_the_end_of_that_check_and_of_no_other():
    """A check that cannot hold the reply, and would ask again: what is left of the reply must not be read as the next one."""
    again = "try:\n    much()\nexcept BaseException:\n    pass\nassert little() == 3, 'not three'"
    course = nbformat.v4.new_notebook(
        cells=[
            answer("w00-first", "first = 1"),
            check("w00-first", "assert first == 1, 'not one'"),
            answer("w00-much", "def much(): return b''\ndef little(): return 3"),
            check("w00-much", f"held = bytearray({walk.MEMORY} - 24 * 2**20)\n{again}"),
            answer("w00-last", "last = 1"),
            check("w00-last", "assert last == 1, 'not one'"),
        ]
    )
    wrong = answers(course) | {"w00-much": "def much(): return b'x' * 50_000_000\ndef little(): return 3"}
    with Trusted(course) as trusted:
        first, much, last = trusted.grade(wrong, {}, lambda: Forked(Cells()))
    assert (first.status, much.status, last.status) == ("passed", "failed", "passed") and "too much" in much.flag


def test_what_a_dying_process_left_unread_does_not_reach_the_next_submission(tiny, begun):
    """The walk is killed while it waits for a reply, which is then sent to nobody."""

    class Kills(InProcess):
        def exchange(self, frame, timeout):
            for pid in children(tiny._process.pid):
                os.kill(pid, signal.SIGKILL)
            return b"x" * 100_000

    killed = tiny.grade(GOOD, STUBS, lambda: Kills(begun))
    assert {r.status for r in killed} == {"failed"} and all(r.flag for r in killed)
    assert {r.status for r in tiny.grade(GOOD, STUBS, lambda: InProcess(begun))} == {"passed"}


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_several_threads_have_one_each(begun):
    """None changes the environment or the folder that they share."""
    before, here = dict(os.environ), os.getcwd()
    seen = []
    wrong = GOOD | {"w00-limit": "limit = 11"}

    def work(submitted):
        with Trusted(COURSE) as trusted:
            seen.append(dict(os.environ) == before and os.getcwd() == here)
            return [[r.status for r in trusted.grade(submitted, STUBS, lambda: Forked(begun))] for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(work, [GOOD, wrong, GOOD])
    assert first == third == [["passed"] * 5] * 3 and second[0].count("failed") and len(set(map(tuple, second))) == 1
    assert seen == [True] * 3


GRADES = """
import sys, time
import nbformat
from carelab.grading.cells import Cells
from carelab.grading.local import InProcess
from carelab.grading.trusted import Trusted

class Session(InProcess):
    def exchange(self, frame, timeout):
        time.sleep({sleep})
        return super().exchange(frame, timeout)

course = nbformat.reads({course!r}, as_version=4)
trusted = Trusted(course)
trusted.uses = {{"w00-a": frozenset({{("a", "call")}})}}
with trusted:
    print(trusted._process.pid, flush=True)
    if {members} > 1:
        trusted.grade({{"w00-a": course.cells[0].source}}, {{}}, lambda: Session(Cells()))
    sys.stdin.read()
"""
# What the check is, how long the answer takes, and which processes there are: itself, the one of the submission, the check's.
BUSY = {
    "not at all": ("a", 0, 1),
    "waiting for an answer": ("a", 60, 2),
    "with a check": ("import time\nwhile time.sleep(0.01) is None: pass", 0, 3),
    "with what cannot be interrupted": ("sum(range(a + 10**12))", 0, 3),
}


@pytest.mark.parametrize("busy", BUSY)
def test_when_the_grader_is_killed_the_trusted_process_ends(busy):
    test, sleep, expected = BUSY[busy]
    course = nbformat.writes(nbformat.v4.new_notebook(cells=[answer("w00-a", "a = 1"), check("w00-a", test)]))
    script = GRADES.format(course=course, sleep=sleep, members=expected)
    grader = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with grader.stdin, grader.stdout:
        try:
            group = int(grader.stdout.readline())
            until = time.monotonic() + 20.0
            while len(members(group)) < expected and time.monotonic() < until:
                time.sleep(0.05)
            assert len(members(group)) == expected
        finally:
            grader.kill()
            grader.wait()
    until = time.monotonic() + 2.0
    while members(group) and time.monotonic() < until:
        time.sleep(0.05)
    assert not members(group)


def members(group):
    """Living processes of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, number = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(number) == group and state != "Z":
            found.append(path.parent.name)
    return found


def test_no_code_of_the_student_runs_on_this_side(grade, tmp_path):
    canary = tmp_path / "ran"
    source = (
        f"import os\nhome = os.getppid()\n"
        f"class Canary(list):\n"
        f"    def __reduce_ex__(self, _): return os.mkdir, ({str(canary)!r},)\n"
        f"    def __eq__(self, other): os.mkdir({str(canary)!r}) if os.getpid() == home else None; return True\n"
        f"    __str__ = __repr__ = __len__ = __iter__ = __getattr__ = __eq__\n"
        f"def double(x): return Canary([2 * x])\n"
    )
    assert grade(double=source)["double"].status == "failed"
    assert not os.path.exists(canary)


GIVEN = nbformat.v4.new_notebook(
    cells=[
        provided("import pandas as pd"),
        answer("w00-sum", "def add_up(t):\n    return t['a'].sum()"),
        check("w00-sum", 't = pd.DataFrame({"a": [1, 2]})\nassert add_up(t) == t["a"].sum(), "1 and 2 are 3"'),
        answer("w00-grow", "def grow(t):\n    t = t.copy()\n    t['b'] = t['a'] + 1\n    return t"),
        check("w00-grow", 't = pd.DataFrame({"a": [1, 2]})\nassert list(grow(t)["b"]) == [2, 3], "one more"'),
        answer("w00-mark", "def mark(t):\n    t['c'] = 1"),
        check("w00-mark", 't = pd.DataFrame({"a": [1, 2]})\nmark(t)\nassert list(t["c"]) == [1, 1], "a column of 1"'),
    ]
)
CHANGES = {
    "the reference": ({}, ["passed", "passed", "passed"]),
    "empties what it is given": (
        {"w00-sum": "def add_up(t):\n    t.drop(t.index, inplace=True)\n    return 0"},
        ["failed", "passed", "passed"],
    ),
    "changes it and is right": (
        {"w00-sum": "def add_up(t):\n    t['a'] = t['a'] * 1.0\n    return t['a'].sum()"},
        ["passed", "passed", "passed"],
    ),
    "gives back what it was given": (
        {"w00-grow": "def grow(t):\n    t['b'] = t['a'] + 1\n    return t"},
        ["passed", "passed", "passed"],
    ),
    "does not what is asked": ({"w00-mark": "def mark(t):\n    t = t.assign(c=1)"}, ["passed", "passed", "failed"]),
}


@pytest.mark.parametrize("changed, statuses", CHANGES.values(), ids=CHANGES)
def test_what_a_check_expects_does_not_come_from_the_answer(changed, statuses):
    cells = cells_of(GIVEN)
    with Trusted(GIVEN) as trusted:
        results = trusted.grade(answers(GIVEN) | changed, {}, lambda: Forked(cells))
    assert [result.status for result in results] == statuses
    assert not changed or statuses[0] == "passed" or "work on a copy" in results[0].message


def test_what_the_checks_use_is_learnt_from_the_reference(tiny):
    assert tiny.uses["w00-table"] == {("table", "call")}
    assert ("Model().fit().predict", "call") in tiny.uses["w00-model"]


def test_a_course_whose_reference_fails_says_so():
    wrong = nbformat.v4.new_notebook(cells=[answer("w00-a", "a = 1"), check("w00-a", "assert a == 2, 'no'")])
    with pytest.raises(UserError, match="reference solution itself fails w00-a"), Trusted(wrong):
        pass


# ---------------------------------------------------------------- names


def test_names_that_a_cell_defines_and_reads():
    source = "%matplotlib inline\nimport os\na, (b, *c) = 1, (2, 3)\nfor d in [e for e in x]:\n    f: int = 1\ndef g(h):\n    i = j\n"
    assert defined(source) == {"a", "b", "c", "d", "f", "g"}
    assert {"x", "j"} <= read(source) and "a" not in read(source)


def test_a_check_hangs_on_answers_through_provided_cells():
    assert answers_of(COURSE)["w00-total"] == {"w00-total", "w00-limit"}
    assert answers_of(COURSE)["w00-double"] == {"w00-double"}
    idle = nbformat.v4.new_notebook(cells=[answer("w00-a", "a = 1"), check("w00-a", "assert 1")])
    assert answers_of(idle) == {"w00-a": set()}


def test_a_check_that_compares_nothing_of_a_learners_is_found():
    idle = nbformat.v4.new_notebook(
        cells=[
            provided("b = 2"),
            answer("w00-a", "a = 1"),
            check("w00-a", "assert b == 2, 'b is not two'"),
            answer("w00-c", "c = 1"),
            check("w00-c", "assert a == c, 'they differ'"),
        ]
    )
    (sentence,) = unanswered(idle)
    assert "w00-a" in sentence and unanswered(COURSE) == []


def test_nothing_after_the_last_check_is_run():
    assert steps(COURSE)[-1].kind == "check" and len(steps(COURSE)) == len(COURSE.cells) - 1


# ---------------------------------------------------------------- the course itself


def texts():
    return [text for text in pipeline.texts() if "exercise=" in text.read_text(encoding="utf-8")]


@pytest.fixture(scope="module", params=texts(), ids=pipeline.key)
def notebook(request):
    """A built notebook, its stubs, a trusted process for it, sessions, and its catalogue of answers."""
    week, name = request.param.parent.name, request.param.stem
    course = read_notebook(SOLUTIONS / week / f"{name}.ipynb")
    stubs = answers(read_notebook(RELEASE / week / f"{name}.ipynb"))
    cells = cells_of(course)
    known = Known(cells.names)
    with Trusted(course) as trusted:
        yield course, stubs, trusted, lambda: InProcess(cells, known), read_catalogue(CATALOGUES / week / f"{name}.py")


def some(catalogue):
    """An answer for each exercise, right and wrong in turn; all of them with CARELAB_ALL_ANSWERS=1."""
    if os.environ.get("CARELAB_ALL_ANSWERS") == "1":
        return catalogue
    last = {(one.exercise, one.right): one for one in catalogue}
    return [last[name, bool(at % 2)] for at, name in enumerate(dict.fromkeys(name for name, _ in last))]


def test_catalogued_answers_meet_what_they_meet_without_a_wall(notebook):
    course, stubs, trusted, session, catalogue = notebook
    wrong = []
    for one in some(catalogue):
        (result,) = trusted.grade(answers(course) | {one.exercise: one.source}, stubs, session, only=[one.exercise])
        as_it_should = (
            result.status == "passed" if one.right else one.says in result.message and result.status == "failed"
        )
        if not as_it_should or result.flag:
            wrong.append(f"{one.exercise}: “{one.name}”: {result}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("notebook", texts()[:1], ids=pipeline.key, indirect=True)  # a kernel takes seconds
def test_a_mixed_submission_gets_what_it_gets_in_one_kernel(notebook):
    """Right, wrong and missing answers side by side: every status, point and message as without a wall."""
    course, stubs, trusted, session, catalogue = notebook
    submitted = answers(course)
    names = list(dict.fromkeys(one.exercise for one in catalogue))
    for name in names[1::3]:
        submitted[name] = next(one.source for one in catalogue if one.exercise == name and not one.right)
    submitted[names[-1]] = stubs[names[-1]]
    expected = run_checks(rebuild(course, submitted), submitted, stubs)
    found = trusted.grade(submitted, stubs, session)
    assert [(r.name, r.status, r.points, r.earned, r.message) for r in found] == [
        (r.name, r.status, r.points, r.earned, r.message) for r in expected
    ]
    assert {r.status for r in found} >= {"passed", "failed", "not attempted"}
