"""The checks see every mistake planted into a reference solution, but those for which `survivors.toml` gives a reason."""

import ast
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from carelab.build import pipeline
from carelab.errors import UserError
from carelab.grading import answers, scores
from carelab.grading.answers import Answer, try_answers, try_mutants
from carelab.grading.mutants import mutants
from carelab.grading.rebuild import read_notebook
from carelab.grading.scores import read_survivors, report, rows, show
from carelab.grading.trials import Outcome
from carelab.paths import SOLUTIONS

HERE = Path(__file__).parent
WEEKS = sorted({text.parent.name for text in pipeline.texts() if "exercise=" in text.read_text(encoding="utf-8")})


@pytest.mark.parametrize("week", WEEKS)
def test_every_mutant_is_caught_or_excused(week):
    excused = read_survivors(HERE / week / "survivors.toml")
    built = [SOLUTIONS / week / f"{path.stem}.ipynb" for path in (HERE / week).glob("*.py")]
    tried = [outcome for path in built for outcome in try_mutants(read_notebook(path))]
    found = rows([], [], tried, excused)
    unseen = [f"{row.exercise}: {name}" for row in found for name in row.survived]
    assert not unseen, "no check sees these; mend one, or give a reason in survivors.toml:\n" + "\n".join(unseen)
    idle = [f"{exercise}: {name}" for exercise, name in unneeded(tried, excused)]
    assert not idle, "these are excused in survivors.toml and do not survive:\n" + "\n".join(idle)
    assert all(row.judged > 0 for row in found), "an exercise none of whose mutants a check has judged proves nothing"


def unneeded(tried: list[Outcome], excused: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Excuses for mutants that are caught, or are no more."""
    return sorted(excused.keys() - {(one.exercise, one.name) for one in tried if one.passed})


def solution(*lines: str) -> str:
    """A cell whose function `f(a, b)` is a solution of these lines."""
    return "\n    ".join(["def f(a, b):", '"""Gives 1."""', "### BEGIN SOLUTION", *lines, "### END SOLUTION"])


def names(*lines: str) -> list[str]:
    return [one.name for one in mutants(solution(*lines)) if one.kind != "argument"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return a < b", "a < b becomes a <= b"),
        ("return a < b", "a < b becomes a > b"),
        ("return a == b", "a == b becomes a != b"),
        ("return a in b", "a in b becomes a not in b"),
        ("return a + b", "a + b becomes a - b"),
        ("return a - b", "a - b becomes a"),
        ("return (a > 1) & (b > 1)", "(a > 1) & (b > 1) becomes (a > 1) | (b > 1)"),
        ("return a and b", "a and b becomes a or b"),
        ("return a and b", "a and b becomes b"),
        ("return not a", "not a becomes a"),
        ("return a[~b]", "~b becomes b"),
        ("return a[-b]", "-b becomes b"),
        ("return a[-b]", "a[-b] becomes a[-b - 1]"),
        ("return a[:b]", "a[:b] becomes a[:b + 1]"),
        ("return 1 if a() else b", "a() becomes not a()"),
        ("return [x for x in a if b(x)]", "if b(x) becomes nothing"),
        ("return a.shift(7)", "a.shift(7) becomes a.shift(6)"),
        ("return range(b)", "range(b) becomes range(b - 1)"),
        ("return a * 0.5", "a * 0.5 becomes a * 0.55"),
        ("return True", "True becomes False"),
        ('return a["x"] + a["y"]', "a['x'] becomes a['y']"),
        ("return g(a, b)", "g(a, b) becomes g(b, a)"),
        ("return g(x=a, y=b)", "g(x=a, y=b) becomes g(x=b, y=a)"),
        ("return g(x=a)", "g(x=a) becomes g()"),
        ("return a, b", "(a, b) becomes (b, a)"),
        ("return a.mean()", "a.mean becomes a.median"),
        ("return a.isna().all()", "a.isna().all becomes a.isna().any"),
        ('return a.agg("max")', "a.agg('max') becomes a.agg('min')"),
        ("return a.sort_values(b)", "a.sort_values(b) becomes a.sort_values(b, ascending=False)"),
        (
            "return a.sort_values(b, ascending=False)",
            "a.sort_values(b, ascending=False) becomes a.sort_values(b, ascending=True)",
        ),
        ("return a.fillna(b)", "a.fillna(b) becomes a"),
        ("return a", "return a becomes return None"),
        ("a.sort()", "a.sort() becomes pass"),
        ("a += b", "a += b becomes a -= b"),
    ],
)
def test_each_kind_of_mistake_is_planted(line, expected):
    assert f"line 1: {expected}" in names(line)


def test_a_decorator_is_dropped():
    found = mutants(solution("@cache", "def g():", "    return a", "return g"))
    assert any("@cache" not in one.source and one.kind == "decorator" for one in found)


def test_only_the_solution_changes_and_no_two_mutants_are_alike():
    source = solution("if a > 1 and a > 1:", "    return a[1] + 1", "return 0") + "\n    return 1 + 1"
    found = mutants(source)
    trees = [ast.dump(ast.parse(one.source)) for one in found]
    assert len(set(trees)) == len(trees) and ast.dump(ast.parse(source)) not in trees
    assert len({one.name for one in found}) == len(found)
    assert all('"""Gives 1."""' in one.source and one.source.count("1 + 1") == 1 for one in found)
    assert found == mutants(source)


def test_an_argument_is_taken_for_its_neighbours():
    found = {one.name for one in mutants(solution("return b").replace("a, b", "a, b, c, d"))}
    assert {"line 1: b becomes c", "line 1: b becomes a"} <= found and "line 1: b becomes d" not in found


@pytest.mark.parametrize(
    ("name", "results"), [("b stays what it was in the first call", [3, 7]), ("a and b change places", [-3, -5])]
)
def test_a_function_is_mistaken_about_its_arguments(name, results):
    (mutant,) = [one for one in mutants(solution("return a - b")) if one.name == name]
    space: dict = {}
    exec(mutant.source, space)
    assert [space["f"](5, 2), space["f"](9, b=4)] == results


def test_a_cell_without_a_solution_has_no_mutants():
    assert mutants("x = 1") == []


def test_a_solution_that_is_no_python_is_refused():
    with pytest.raises(UserError, match="no Python"):
        mutants(solution("return ("))


def notebook(check: str, *lines: str) -> nbformat.NotebookNode:
    """A notebook with the one exercise `f`."""
    cells = [
        nbformat.v4.new_code_cell(
            source, metadata={"nbgrader": {"grade_id": name, "grade": grade, "solution": not grade}}
        )
        for source, name, grade in [(solution(*lines), "w00-f", False), (check, "w00-f-check", True)]
    ]
    return nbformat.v4.new_notebook(cells=cells)


STRONG = 'assert f(4, 1) == 3, "4 - 1"\nassert f(2, 1) == 1, "2 - 1"\nassert f(2, 2) == 0, "2 - 2"'


def test_a_weak_check_lets_mutants_survive_and_the_report_says_so():
    found = try_mutants(notebook('assert f(4, 0) == 4, "4 - 0"', "return a - b"))
    (row,) = rows([], [], found, {})
    assert "line 1: a - b becomes a + b" in row.survived and "b stays what it was in the first call" in row.survived
    assert 0 < row.score < 1
    console = Console(record=True, width=200)
    show([row], console)
    assert "no check sees “line 1: a - b becomes a + b”" in console.export_text()
    excused = {("w00-f", name): "because" for name in row.survived}
    (row,) = rows([], [], found, excused)
    assert row.survived == () and row.score == 1 and row.excused == len(excused)
    assert unneeded(found, excused) == []
    stale = ("w00-f", "line 1: a - b becomes b")  # caught: 4 - 0 is not 0
    assert unneeded(found, excused | {stale: "because"}) == [stale]


def test_a_strong_check_catches_all():
    (row,) = rows([], [], try_mutants(notebook(STRONG, "return a - b")), {})
    assert row.survived == () and row.score == 1 and row.judged == row.mutants > 5


def test_a_mutant_that_crashes_is_no_merit_of_the_check():
    found = {one.name: one for one in try_mutants(notebook(STRONG, "c = a", "return c - b"))}
    assert found["line 1: c = a becomes pass"].ended == "crashed"
    assert found["line 2: c - b becomes c + b"].ended == "judged"


def test_an_endless_mutant_is_stopped_and_counted():
    lines = ["while a > 0:", "    a -= 1", "return 0"]
    found = try_mutants(notebook('assert f(3, 0) == 0, "no"', *lines), seconds=1)
    (stopped,) = [one for one in found if one.name == "line 2: a -= 1 becomes a += 1"]
    assert stopped.ended == "stopped" and "longer than 1 s" in stopped.message and stopped.seconds >= 1
    (row,) = rows([], [], found, {})
    assert row.stopped >= 1 and stopped.name not in row.survived


def test_a_mutant_may_not_eat_the_memory():
    found = try_mutants(notebook('assert f(1 << 33, 0) == 0, "no"', "return len(bytearray(a % 8))"))
    (greedy,) = [one for one in found if one.name == "line 1: a % 8 becomes a * 8"]
    assert greedy.ended == "crashed" and "MemoryError" in greedy.message


def test_an_answer_that_waits_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr(answers, "ANSWER_SECONDS", 1)
    waits = Answer("w00-f", "waits", "import time\ntime.sleep(600)", False, "x")
    (outcome,) = try_answers(notebook(STRONG, "return a - b"), [waits])
    assert outcome.ended == "stopped" and "longer than 1 s" in outcome.message


def test_a_survivor_needs_a_reason(tmp_path):
    path = tmp_path / "survivors.toml"
    assert read_survivors(path) == {}
    path.write_text('[[survivors]]\nexercise = "w00-f"\nmutants = ["m"]\nreason = "it is the same"\n', encoding="utf-8")
    assert read_survivors(path) == {("w00-f", "m"): "it is the same"}
    path.write_text('[[survivors]]\nexercise = "w00-f"\nmutants = ["m"]\n', encoding="utf-8")
    with pytest.raises(UserError, match="reason"):
        read_survivors(path)


CATALOGUE = """\
# %% exercise="w00-f" right="the other way round"
def f(a, b):
    return -(b - a)

# %% exercise="w00-f" wrong="adds" says="4 - 1"
def f(a, b):
    return a + b

# %% exercise="w00-f" wrong="the first" says="words that nobody reads"
def f(a, b):
    return a
"""


def test_a_report_counts_answers_and_mutants(monkeypatch, tmp_path):
    monkeypatch.setattr(scores, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(scores, "CATALOGUES", tmp_path / "answers")
    for folder in ("solutions", "answers"):
        (tmp_path / folder / "week_00").mkdir(parents=True)
    with pytest.raises(UserError, match="no catalogue of answers"):
        report("week_00")
    nbformat.write(notebook(STRONG, "return a - b"), tmp_path / "solutions" / "week_00" / "exercises.ipynb")
    (tmp_path / "answers" / "week_00" / "exercises.py").write_text(CATALOGUE, encoding="utf-8")
    told: list[Outcome] = []
    (row,) = report("week_00", told.append)
    assert (row.exercise, row.right_kept, row.right, row.wrong_caught, row.wrong) == ("w00-f", 1, 1, 1, 2)
    assert row.mutants == len(told) == row.judged and row.seconds > 0


def test_solutions_in_two_parts_are_both_changed():
    cell = solution("c = a + 1") + "\n    d = c + 5\n    ### BEGIN SOLUTION\n    return d + 2\n    ### END SOLUTION"
    changed = {one.name for one in mutants(cell)}
    assert {"line 1: a + 1 becomes a + 2", "line 5: d + 2 becomes d + 3"} <= changed
    assert not any("c + 5" in name for name in changed)
