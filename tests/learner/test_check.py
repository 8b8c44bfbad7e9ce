"""`check("w01-label")` on every exercise: the outcome in words, never a traceback, and nothing left behind."""

from __future__ import annotations

import builtins
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import carelab
from carelab.build import pipeline
from carelab.grading.answers import Answer, read_catalogue
from carelab.grading.cells import Cells
from carelab.grading.rebuild import graded, read_notebook
from carelab.grading.words import explain
from carelab.learner import hints, instant, released
from carelab.learner.instant import Outcome, check, outcome
from carelab.paths import RELEASE, SOLUTIONS

ANSWERS = Path(__file__).parents[1] / "answers"
NOTEBOOKS = [text for text in pipeline.texts() if "exercise=" in text.read_text(encoding="utf-8")]


class Notebook:
    """A notebook whose cells ran up to an exercise, the answers before it by the reference; trials leave no traces."""

    def __init__(self, path: Path) -> None:
        self.cells = Cells()
        self.rest = [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]

    def up_to(self, name: str) -> None:
        while (graded(self.rest[0]) or {}).get("grade_id") != name:
            cell = self.rest.pop(0)
            self.cells.run(cell.source, cell.id)

    def ask(self, name: str, answer: str, history: bool = True) -> Outcome:
        """What check() says when `answer` was run in the exercise's cell."""
        names = self.cells.names
        kept = dict(names)
        names["In"] = [answer] if history else []
        with contextlib.suppress(BaseException):  # as in a notebook, where the next cell can be run all the same
            self.cells.run(answer, "answer")
        try:
            before = dict(names)
            found = outcome(name, names)
            assert before.keys() == names.keys() and all(names[key] is before[key] for key in before), (
                "names were changed"
            )
            return found
        finally:
            names.clear()
            names.update(kept)

    def stopped_by(self, name: str, answer: str) -> str:
        """What stops the released check's cell when it is run by hand, in the words of the grader; empty when it passes."""
        names = self.cells.names
        kept = dict(names)
        try:
            self.cells.run(answer, "answer")
            self.cells.run(released.released(name).check, "check")
        except Exception as error:
            return explain(type(error).__name__, str(error))
        finally:
            names.clear()
            names.update(kept)
        return ""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=pipeline.key)
def tried(request, tmp_path_factory) -> Iterator[list[tuple[str, Notebook, list[Answer]]]]:
    """Exercises of one notebook in their order, with a notebook that goes along, and the catalogue's answers."""
    text: Path = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("notebook"))
        patch.setenv("MPLBACKEND", "agg")
        notebook = Notebook(SOLUTIONS / text.parent.name / f"{text.stem}.ipynb")
        answers = read_catalogue(ANSWERS / text.parent.name / text.name)
        names = dict.fromkeys(answer.exercise for answer in answers)
        in_order = [name for name in hints.all_tasks() if name in names]

        def along() -> Iterator[tuple[str, Notebook, list[Answer]]]:
            for name in in_order:
                notebook.up_to(name)
                yield name, notebook, [answer for answer in answers if answer.exercise == name]

        yield along()


def test_every_answer_of_the_catalogue_gets_its_outcome(tried):
    wrong, met = [], {"passed": 0, "not yet": 0}
    for name, notebook, answers in tried:
        stub = notebook.ask(name, released.released(name).stub)
        if stub.status != "not attempted" or not stub.words.startswith("Not attempted yet: replace the line raise"):
            wrong.append(f"{name}, the stub: {stub}")
        for answer in answers:
            found = notebook.ask(name, answer.source)
            sentence = "" if answer.right else notebook.stopped_by(name, answer.source)
            met[found.status] = met.get(found.status, 0) + 1
            if not sentence and (found.status != "passed" or not found.words.startswith("Passed.")):
                wrong.append(f"{name}, “{answer.name}”, which the visible check passes: {found}")
            if sentence and (found.status != "not yet" or not found.words.startswith(f"Not yet: {sentence}")):
                wrong.append(f"{name}, “{answer.name}”, which the check's cell answers with “{sentence}”: {found}")
    assert not wrong, "\n".join(wrong)
    assert met.keys() == {"passed", "not yet"} and min(met.values()) >= 8


# ---------------------------------------------------------------- one exercise, small

CHECK = """
assert double is not None
given = 2
result = double(given)
assert result == 2 * given, f"{result} is not twice {given}"
helper = [sum(n for n in numbers) for _ in range(2)]
print("Passed. Twice is", result)
"""


def cell(name: str, source: str, **entry: bool) -> dict:
    kinds = {"grade_id": name, "grade": False, "solution": False, **entry}
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": kinds} if entry else {}}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A course of one notebook with a provided cell, two exercises, and a third that is read by a person."""
    week = tmp_path / "week_01_tiny"
    week.mkdir()
    stub = "raise NotImplementedError('Write your answer here, then delete this line.')"
    cells = [
        cell("", "import math as m\nfrom os import path\nnumbers = [1, 2]"),
        cell("w01-double", f"def double(x):\n    {stub}", solution=True),
        cell("w01-double-check", CHECK, grade=True),
        cell("w01-total", f"# total: a number\n{stub}", solution=True),
        cell("w01-total-check", "assert total == double(m.floor(1.5)), f'{total} is off'\nprint('Good.')", grade=True),
    ]
    (week / "exercises.ipynb").write_text(json.dumps({"cells": cells}))
    task = {"notebook": "exercises", "kind": "exercise", "points": 1, "skills": ["P1"], "hints": ["a"]}
    tasks = {"w01-double": task, "w01-total": task, "w01-memo": {**task, "kind": "written"}}
    (week / "exercises.json").write_text(json.dumps(tasks))
    monkeypatch.setattr(hints, "RELEASE", tmp_path)
    monkeypatch.setattr(released, "RELEASE", tmp_path)
    hints.all_tasks.cache_clear()
    yield week
    hints.all_tasks.cache_clear()


def asked(answer: str, name: str = "w01-double", before: str = "numbers = [1, 2]\nimport math as m", **more) -> Outcome:
    """What check() says after these cells in plain Python."""
    cells = Cells()
    cells.names |= more
    for source in (before, answer):
        with contextlib.suppress(Exception):
            cells.run(source, "answer")
    return outcome(name, cells.names)


RIGHT = "def double(x):\n    return 2 * x"


def test_names_are_sorted_into_own_and_provided(tiny):
    double, total = released.released("w01-double"), released.released("w01-total")
    assert double.own == {"double"} and double.needed == {"double", "numbers"}
    assert double.provided == {"m", "path", "numbers"}
    assert (
        total.own == {"total"} and total.needed == {"total", "double", "m"} and total.others == {"double": "w01-double"}
    )


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (RIGHT, "passed", "Passed. Twice is 4\n“Check my work”"),
        ("def double(x):\n    return x + 3", "not yet", "Not yet: 5 is not twice 2"),
        ("double = None", "not yet", "Not yet: A check failed without a message."),
        ("def double(x):\n    raise NotImplementedError('…')", "not attempted", "Not attempted yet: replace the line raise"),
        ("def double(x):\n    import sys\n    sys.exit()", "not yet", "Not yet: Your code calls exit()"),
        ("def double(x):\n    return {}['age']", "not yet", "KeyError: 'age'. It happened in the line `return {}['age']`."),
        ("def double(x):\n    return 2 * y", "not yet", "name 'y' is not defined"),
        ("def double(x):\n    return double(x)", "not yet", "RecursionError"),
        ("def double(x):\n    return path.join(x)", "cells missing", "Run the cells above first: path is not there"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\ndef double(x):\n    raise E", "not yet", "stopped with E"),
        ("class E(BaseException): pass\ndef double(x):\n    raise E", "not yet", "stopped with E"),
        ("def double(x):\n    import warnings\n    warnings.warn('hm')\n    return 2 * x", "not yet", "warning, which"),
        ("import sys\ndef double(x):\n    print('hm', file=sys.stderr)\n    return 2 * x", "not yet", "warning, which"),
        ("def double(x):\n    raise KeyboardInterrupt", "stopped", "look for a loop that never ends"),
        ("def double(x):\n    raise ValueError('a\\x1b[2Jb' * 900)", "not yet", "ValueError: a[2Jba"),
        ("x = 1", "not run", "Run this exercise's cell first: there is no double yet."),
        (f"list = sum = range = None\n{RIGHT}", "passed", "Passed."),
        ("import carelab\ndef double(x):\n    carelab.check('w01-double')\n    return 2 * x", "passed", "Passed."),
    ],
)  # fmt: skip
def test_each_kind_of_answer_has_its_words(tiny, answer, status, words):
    found = asked(answer)
    assert found.status == status and words in found.words, found
    assert "Traceback" not in found.words and len(found.words) < 1_300 and "\x1b" not in found.words


def test_before_the_cells_above_have_run(tiny):
    assert asked(RIGHT, before="").words.startswith("Run the cells above first: numbers is not there.")


def test_an_exercise_that_uses_another_names_it(tiny):
    stub = "def double(x):\n    raise NotImplementedError"
    assert asked("total = 2", "w01-total").words == "Run the cell of w01-double first: this check uses its double."
    assert asked(f"{stub}\ntotal = 2", "w01-total").words.endswith("w01-double still holds its placeholder line.")
    assert asked(f"{RIGHT}\ntotal = 2", "w01-total").words.startswith("Passed. Good.")
    assert asked(f"{RIGHT}\ntotal = 3", "w01-total").words == "Not yet: 3 is off"


def test_what_was_run_last_tells_a_stub_from_a_cell_that_stopped(tiny):
    stub = released.released("w01-total").stub
    ran = {"In": ["", stub, "print(1)"]}
    assert asked(RIGHT, "w01-total", **ran).status == "not attempted"
    assert asked(RIGHT, "w01-total", In=["", stub, "total = 1 / 0"]).words.startswith(
        "Not yet: the cell with your answer"
    )
    assert asked(RIGHT, "w01-total", In=[3]).status == asked(RIGHT, "w01-total", In=3).status == "not run"
    # A cell that could not even be read leaves the stub's function in place.
    stub = released.released("w01-double").stub
    assert asked(stub, In=[stub]).status == "not attempted"
    assert asked(stub, In=[stub, "def double(x) return 1"]).words.startswith("Not yet: the cell with your answer")


def test_printing_without_end_is_cut(tiny, capsys):
    found = asked("def double(x):\n    for n in range(50_000): print('line', n)\n    return 2 * x")
    assert found.status == "passed" and found.words.startswith("Passed. Twice is 4")
    assert len(found.printed) < 2_100 and found.printed.endswith("more characters]")
    assert capsys.readouterr().out == ""


def test_a_figure_that_an_answer_draws_is_closed(tiny, monkeypatch):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    mine = plt.figure()
    found = asked("import matplotlib.pyplot as plt\ndef double(x):\n    plt.figure()\n    return 2 * x")
    assert found.status == "passed" and plt.get_fignums() == [mine.number]
    plt.close("all")


def test_a_slow_answer_is_told_how_to_stop(tiny, monkeypatch, capsys):
    monkeypatch.setattr(instant, "SLOW_SECONDS", 0.01)
    asked("import time\ndef double(x):\n    time.sleep(0.2)\n    return 2 * x")
    assert "black square" in capsys.readouterr().out
    monkeypatch.setattr(instant, "SLOW_SECONDS", 60)
    asked(RIGHT)
    assert capsys.readouterr().out == ""


def test_what_it_prints(tiny, capsys):
    check("w01-doble")
    assert 'There is no exercise "w01-doble"' in capsys.readouterr().out
    check()
    assert 'check("w01-double")\ncheck("w01-total")\ncheck("w01-memo")\n' in capsys.readouterr().out
    check(check)
    assert capsys.readouterr().out.startswith("Ask with a name.")
    check("w01-memo")
    assert capsys.readouterr().out.startswith("A person reads this one")
    check(" w01-double-check ")
    assert capsys.readouterr().out.startswith("Run the cells above first")
    numbers = [1, 2]
    space = {"check": check, "numbers": numbers, "__name__": "__main__"}
    exec("def double(x):\n    print('hello')\n    return 2 * x\ncheck('w01-double')", space)
    printed = capsys.readouterr().out
    assert printed.startswith("Passed. Twice is 4") and printed.endswith("Your code printed:\nhello\n")
    assert space.keys() == {"check", "numbers", "__name__", "double", "__builtins__"}


def test_hints_come_in_their_order_and_the_last_one_stays(tiny, capsys):
    (tiny / "exercises.json").write_text(json.dumps({"w01-double": {"hints": ["one", "two"]}}))
    hints.all_tasks.cache_clear(), hints._asked.clear()
    for _ in range(3):
        hints.hint("w01-double")
    said = capsys.readouterr().out.splitlines()
    assert said == ["Hint 1 of 2: one", *["Hint 2 of 2: two", "That was the last hint."] * 2]
    hints.hint("w01-duble")
    assert capsys.readouterr().out.endswith('hint("w01-double")\n')


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_damaged_course_is_a_sentence(tiny, capsys, content):
    path = tiny / "exercises.ipynb"
    path.unlink()
    if content is not None:
        path.write_text(content)
    check("w01-double")
    assert "cannot be read: get the course again" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '{"a": 3}', '{"w01-double": {}}', '{"w01-double": {"hints": 3}}']
)
def test_a_damaged_list_of_tasks_is_no_traceback(tiny, capsys, content):
    (tiny / "exercises.json").write_text(content)
    hints.all_tasks.cache_clear()
    check("w01-double"), check()
    assert "cannot be read: get the course again" in capsys.readouterr().out
    hints.hint("w01-double")
    assert capsys.readouterr().out in (f"{hints.NO_COURSE}\n", "There is no hint for this one.\n")


def test_a_defect_of_ours_is_no_traceback_either(tiny, capsys, monkeypatch):
    monkeypatch.setattr(instant, "_missing", None)
    check("w01-double")
    assert capsys.readouterr().out.startswith("check() itself failed here (TypeError)")


# ---------------------------------------------------------------- names and imports


def test_the_function_is_not_hidden_by_a_module():
    assert carelab.check is check and callable(carelab.check) and carelab.learner.check is check
    subprocess.run(
        [sys.executable, "-c", "import carelab.learner.instant, carelab, carelab.learner.week; carelab.check('x')"],
        check=True,
        capture_output=True,
    )


def test_importing_it_brings_no_grader():
    code = "import sys; from carelab import check, hint; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"nbformat", "pandas", "numpy", "IPython", "nbclient", "carelab.grading.judge", "carelab.grading.names"}
    assert heavy.isdisjoint(modules)
    assert not any(module.startswith("rich") for module in modules)


def test_every_check_of_the_course_is_found_and_reads_an_answer():
    for name, task in hints.all_tasks().items():
        assert (RELEASE / task["week"] / f"{task['notebook']}.ipynb").is_file()
        if task["kind"] != "written":
            exercise = released.released(name)
            assert exercise.own and not any(hasattr(builtins, own) for own in exercise.own), name
