"""`carelab check`: the learner's own copy, the grader's own checks, in words."""

import io
import json

import pytest
from attacks.corpus import ATTACKS, Place, submit
from rich.console import Console

from carelab import curriculum
from carelab.errors import UserError
from carelab.grading.rebuild import answers, graded, read_notebook, rebuild
from carelab.grading.run import explain, run_checks
from carelab.grading.sandbox.isolation import available
from carelab.learner import progress
from carelab.learner.week import check_week
from carelab.paths import RELEASE, SOLUTIONS

READY = [week.folder for week in curriculum.load().weeks if week.status == "ready"]


def check(week, workspace):
    words = io.StringIO()
    results = check_week(week, workspace, Console(file=words, width=160))
    return {result.name: result for result in results}, words.getvalue()


def test_a_perfect_copy_earns_all_points(week, tmp_path, hand_in, exercises_of):
    hand_in(week, tmp_path, None)
    name = exercises_of(week)[0]  # calls that a learner left in a cell change nothing
    for path in (tmp_path / week).glob("*.ipynb"):
        notebook = read_notebook(path)
        for cell in notebook.cells:
            cell.source += f"\nfrom carelab import check\ncheck('{name}')\ncheck()" if cell.id == name else ""
        path.write_text(json.dumps(notebook))
    results, words = check(week, tmp_path)
    by_machine = [r for r in results.values() if r.status != "for a person"]
    assert {r.status for r in by_machine} == {"passed"}
    assert sum(r.earned for r in by_machine) == 20
    assert "20 of 20 points" in words
    kept = json.loads((tmp_path / ".carelab" / "results.json").read_text())
    assert kept[week]["checks"].keys() == results.keys()
    standing = next(one for one in progress.read(tmp_path).weeks if one.week.folder == week)
    assert standing.done and standing.earned == 20
    assert all(verified and verified.current for _, verified in standing.tasks)  # written answers are for a person
    assert {v.status for task, v in standing.tasks if task.kind == "written"} == {"for a person"}


def test_a_half_done_copy_says_what_is_open(week, tmp_path, exercises_of, hand_in, points_of):
    names = exercises_of(week)
    done = set(names[: len(names) // 2])
    hand_in(week, tmp_path, done)
    results, _ = check(week, tmp_path)
    assert {name for name, r in results.items() if r.status == "passed"} == done
    assert {r.status for name, r in results.items() if name not in done} == {"not attempted"}
    assert sum(r.earned for r in results.values()) == points_of(week, done)
    standing = next(one for one in progress.read(tmp_path).weeks if one.week.folder == week)
    assert standing.passed == len(done) and standing.earned == points_of(week, done) and not standing.done
    assert {v.status for task, v in standing.tasks if task.name not in done} == {"not attempted"}


@pytest.mark.skipif(available() is not None, reason=str(available()))
@pytest.mark.parametrize("name", ["equal-to-all", "home"])
def test_a_hostile_notebook_gets_nowhere(name, tmp_path):
    """All others go through the same judge in tests/attacks; here on a real week, as `carelab check` runs it."""
    (attack,) = (one for one in ATTACKS if one.name == name)
    week = READY[0]
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret.txt").write_text("canary-4f1d")
    submit(attack, RELEASE / week, tmp_path / week, Place(home=str(tmp_path / "home")))
    results, words = check(week, tmp_path)
    assert sum(result.earned for result in results.values()) == 0
    assert not any(result.status == "passed" for result in results.values())
    assert "canary" not in words + "".join(result.printed for result in results.values())


def test_the_released_copy_fails_only_where_the_learner_works(week):
    for path in sorted((RELEASE / week).glob("*.ipynb")):
        notebook = read_notebook(path)
        run_checks(notebook, {}, {})
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            entry = graded(cell)
            failed = [output.ename for output in cell.outputs if output.output_type == "error"]
            where = f"{path.name}, cell {cell.id}"
            if entry and entry["grade"]:
                assert failed, f"{where}: the check passes on an empty copy"
            elif entry and "def " in cell.source:
                assert not failed and "NotImplementedError" in cell.source, where
            elif entry:
                assert failed == ["NotImplementedError"], where
            elif "uses-answer" not in cell.metadata.get("tags", []):
                assert not failed, f"{where} fails although there is nothing to do: {failed}"


def with_answer(week, notebook_name, name, source):
    course = read_notebook(SOLUTIONS / week / notebook_name)
    submitted = answers(course) | {name: source}
    stubs = answers(read_notebook(RELEASE / week / notebook_name))
    return {r.name: r for r in run_checks(rebuild(course, submitted), submitted, stubs)}


def test_what_a_learner_breaks_costs_that_exercise_only():
    results = with_answer(
        "week_01_ml_fundamentals",
        "exercises.ipynb",
        "w01-everybody-comes",
        "def everybody_comes_accuracy(missed) return 1",
    )
    broken = results.pop("w01-everybody-comes")
    assert broken.status == "failed" and broken.earned == 0
    assert "SyntaxError" in broken.message
    assert {r.status for r in results.values()} == {"passed"}


def test_a_dying_kernel_is_a_zero_with_a_sentence():
    results = with_answer("week_01_ml_fundamentals", "exercises.ipynb", "w01-label", "import os\nos._exit(1)")
    assert sum(r.earned for r in results.values()) == 0
    assert all(r.status == "failed" and "kernel died" in r.message for r in results.values())


def test_a_warning_in_a_check_is_named():
    source = "import sys\ndef everybody_comes_accuracy(missed):\n    print('hm', file=sys.stderr)\n    return 1 - missed.mean()"
    result = with_answer("week_01_ml_fundamentals", "exercises.ipynb", "w01-everybody-comes", source)[
        "w01-everybody-comes"
    ]
    assert result.earned == 0 and "warning" in result.message


@pytest.mark.parametrize("content", ["", "{not json", "[]", '{"cells": [], "nbformat": 4}', "[" * 100_000])
def test_a_broken_notebook_gets_one_sentence_and_is_left_alone(tmp_path, content, hand_in):
    week = "week_01_ml_fundamentals"
    hand_in(week, tmp_path, set())
    path = tmp_path / week / "exercises.ipynb"
    path.write_text(content)
    before = tmp_path / ".carelab" / "results.json"
    before.parent.mkdir()
    before.write_text('{"kept": {}}')
    with pytest.raises(UserError, match="not a readable notebook"):
        check(week, tmp_path)
    assert path.read_text() == content and before.read_text() == '{"kept": {}}'


def test_a_copy_of_another_version_is_named(week, tmp_path, hand_in):
    hand_in(week, tmp_path, set())
    assert "another version" not in check(week, tmp_path)[1]
    path = tmp_path / week / "exercises.ipynb"
    name = next(iter(answers(read_notebook(path))))
    path.write_text(path.read_text().replace(name, f"{name}-of-old"))
    (tmp_path / ".carelab" / "results.json").write_text("{")
    words = check(week, tmp_path)[1]
    assert "another version" in words and f"`python -m carelab update {int(week[5:7])}` takes the new one" in words
    assert json.loads((tmp_path / ".carelab" / "results.json").read_text()).keys() == {week}
    assert (tmp_path / ".carelab" / "results.unreadable").read_text() == "{"


def test_a_missing_copy_and_an_unknown_week_are_named(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        check("1", tmp_path)
    with pytest.raises(UserError):
        check("13", tmp_path)


def test_only_answers_are_taken_from_a_submission():
    course = read_notebook(SOLUTIONS / "week_01_ml_fundamentals" / "exercises.ipynb")
    stolen = read_notebook(RELEASE / "week_01_ml_fundamentals" / "exercises.ipynb")
    for cell in stolen.cells:
        cell.metadata["tags"] = ["skip-execution"]
        if (entry := graded(cell)) and entry["grade"]:
            cell.source, entry["points"] = "pass", 100
    rebuilt = rebuild(course, answers(stolen))
    for cell, original in zip(rebuilt.cells, course.cells, strict=True):
        assert cell.metadata == original.metadata
        entry = graded(cell)
        assert cell.source == original.source or (entry and entry["solution"])


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("AssertionError", "\x1b[31mcount again\x1b[0m", "count again"),
        ("AssertionError", "", "without a message"),
        ("NotImplementedError", "", "placeholder"),
        ("NameError", "name 'x' is not defined", "Run your cell first"),
        ("KeyboardInterrupt", "", "never ends"),
        ("KeyError", "'age'", "stopped with KeyError: 'age'"),
        ("TypeError", "unsupported operand type(s) for &: 'str' and 'DatetimeArray'", "brackets around each"),
        ("TypeError", "Cannot perform 'rand_' with a dtyped [object] array and scalar of type [bool]", "brackets"),
    ],
)
def test_errors_are_explained(kind, words, expected):
    assert expected in explain(kind, words)
