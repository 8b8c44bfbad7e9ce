"""Both halves of the grader together: answers in a sandbox, checks outside of it."""

from __future__ import annotations

import pytest

from carelab.grading.course import prefix
from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.sandbox import Sandbox
from carelab.grading.sandbox.isolation import available
from carelab.grading.trusted import Trusted
from carelab.paths import RELEASE, SOLUTIONS

EXERCISES = "week_01_ml_fundamentals/exercises.ipynb"

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))


def test_answers_in_the_sandbox_earn_what_they_are_worth():
    course, stubs = read_notebook(SOLUTIONS / EXERCISES), answers(read_notebook(RELEASE / EXERCISES))
    good = answers(course)
    thief = f"from pathlib import Path\nprint(Path({str(SOLUTIONS)!r}).rglob('*').__next__())\n"
    first, second, third = list(good)[:3]
    bad = good | {first: thief + good[first], second: "import os; os._exit(0)", third: stubs[third]}
    with Trusted(course) as trusted, Sandbox([step.source for step in prefix(course)]) as sandbox:
        honest = trusted.grade(good, stubs, sandbox.open)
        assert [result.status for result in honest] == ["passed"] * len(honest)
        assert sum(result.earned for result in honest) == 20
        results = {result.name: result for result in trusted.grade(bad, stubs, sandbox.open)}
    assert [results[name].status for name in (first, second, third)] == ["failed", "failed", "not attempted"]
    assert sum(result.earned for result in results.values()) == 20 - sum(
        results[name].points for name in (first, second, third)
    )
