"""Every wrong answer loses its points with the message meant for it; every right one keeps them; no assert is idle."""

from collections import Counter, defaultdict
from pathlib import Path

import nbformat
import pytest

from carelab.build import pipeline
from carelab.errors import UserError
from carelab.grading.answers import Answer, disagreement, read_catalogue, try_answers
from carelab.grading.rebuild import graded
from carelab.grading.trials import Outcome, asserts, without_assert

HERE = Path(__file__).parent
NOTEBOOKS = [text for text in pipeline.texts() if "exercise=" in text.read_text(encoding="utf-8")]


def notebook_of(text: Path) -> nbformat.NotebookNode:
    """The built notebook of one text."""
    return nbformat.read(pipeline.SOLUTIONS / text.parent.name / f"{text.stem}.ipynb", as_version=4)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=pipeline.key)
def tried(request: pytest.FixtureRequest) -> tuple[nbformat.NotebookNode, list[Answer], list[Outcome]]:
    text: Path = request.param
    answers = read_catalogue(HERE / text.parent.name / text.name)
    notebook = notebook_of(text)
    return notebook, answers, try_answers(notebook, answers, drop_asserts=True)


def test_each_exercise_has_three_wrong_and_two_right_answers(tried):
    notebook, answers, _ = tried
    exercises = {e["grade_id"] for c in notebook.cells if (e := graded(c)) and e["solution"] and not e["grade"]}
    count = Counter((answer.exercise, answer.right) for answer in answers)
    short = [name for name in exercises if count[name, False] < 3 or count[name, True] < 2]
    assert not short, f"too few answers in the catalogue for {short}"
    assert {answer.exercise for answer in answers} == exercises


def test_every_answer_meets_what_it_should(tried):
    _, answers, outcomes = tried
    met = {(o.exercise, o.name): o for o in outcomes if o.variant == 0}
    wrong = [line for answer in answers if (line := disagreement(answer, met[answer.exercise, answer.name]))]
    assert not wrong, "\n".join(wrong)


def test_no_assert_is_idle(tried):
    """Removing any one assert changes what some wrong answer meets."""
    notebook, answers, outcomes = tried
    expected = {(a.exercise, a.name): a for a in answers}
    noticed = defaultdict(set)
    for outcome in outcomes:
        if outcome.variant and disagreement(expected[outcome.exercise, outcome.name], outcome):
            noticed[outcome.exercise].add(outcome.variant)
    idle = []
    for cell in notebook.cells:
        entry = graded(cell)
        if entry and entry["grade"] and not entry["solution"]:
            name = entry["grade_id"].removesuffix("-check")
            idle += [f"{name}: assert {n}" for n in range(1, len(asserts(cell.source)) + 1) if n not in noticed[name]]
    assert not idle, f"no wrong answer needs these asserts: {idle}"


def test_messages_do_not_print_the_reference_solution(tried):
    notebook, _, outcomes = tried
    solutions = {
        e["grade_id"]: c.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        for c in notebook.cells
        if (e := graded(c)) and e["solution"] and not e["grade"]
    }
    for outcome in (outcome for outcome in outcomes if outcome.variant == 0):
        for line in solutions[outcome.exercise].splitlines():
            code = line.strip().removeprefix("return ")
            assert len(code) < 12 or code not in outcome.message, (
                f"{outcome.name} is told the answer: {outcome.message}"
            )


TINY = nbformat.v4.new_notebook(
    cells=[
        nbformat.v4.new_code_cell(
            "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
            metadata={"nbgrader": {"grade_id": "w00-double", "grade": False, "solution": True}},
        ),
        nbformat.v4.new_code_cell(
            'assert double(2) == 4, "2 gives 4"\nassert double(3) == 6, "3 gives 6"',
            metadata={"nbgrader": {"grade_id": "w00-double-check", "grade": True, "solution": False}},
        ),
    ]
)


def outcome_of(source: str, **kwargs) -> Outcome:
    return try_answers(TINY, [Answer("w00-double", "it", source, False, "x")], **kwargs)[0]


def test_the_runner_tells_right_from_wrong():
    assert outcome_of("def double(x):\n    return x + x").passed
    assert outcome_of("def double(x):\n    return x * x").message == "3 gives 6"
    assert not outcome_of("raise NotImplementedError").passed
    assert not outcome_of("def double(x) return").passed
    assert not outcome_of("import os\ndef double(x):\n    os._exit(0)").passed


def test_answers_do_not_see_each_other():
    answers = [
        Answer("w00-double", "sets", "leak = 1\ndouble = lambda x: 2 * x", True),
        Answer("w00-double", "reads", "double = lambda x: leak", False, "x"),
    ]
    first, second = try_answers(TINY, answers)
    assert first.passed and "leak" in second.message


def test_what_an_answer_writes_does_not_land_here():
    assert outcome_of("open('stray.txt', 'w').write('x')\ndouble = lambda x: 2 * x").passed
    assert not Path("stray.txt").exists()


def test_dropping_the_only_assert_that_catches_an_answer_lets_it_pass():
    outcomes = try_answers(
        TINY, [Answer("w00-double", "square", "double = lambda x: x * x", False, "3 gives 6")], drop_asserts=True
    )
    assert [(o.variant, o.passed) for o in outcomes] == [(0, False), (2, True)]


def test_without_assert_counts_from_one():
    assert "x == 1" in without_assert("assert x == 1\nassert y", 2)
    assert "y" not in without_assert("assert x == 1\nassert y", 2)


def test_a_failing_reference_is_an_error():
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(UserError, match="reference solution itself fails"):
        try_answers(broken, [])


def test_a_wrong_answer_without_words_is_refused(tmp_path):
    path = tmp_path / "exercises.py"
    path.write_text('# %% exercise="w00-double" wrong="square"\nx = 1\n')
    with pytest.raises(UserError, match="needs says"):
        read_catalogue(path)
