"""A thousand broken submissions: each is read in no time, gives answers that can be used, and at most one sentence."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection

import nbformat
import pytest
from grading import fuzz as fuzzing

from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.sandbox import Sandbox, available
from carelab.grading.submission import Handed, fingerprint, read_handed
from carelab.grading.trusted import Trusted
from carelab.paths import RELEASE

RELEASED = RELEASE / "week_01_ml_fundamentals" / "exercises.ipynb"
NAMES = list(answers(read_notebook(RELEASED)))
UNTOUCHED = {
    "NaN",
    "Infinity",
    "huge whole number",
    "byte order mark",
    "outputs: number",
    "cell twice",
    "checks pasted",
}
SENTENCE = re.compile(r"[A-Z][^\n/]{10,297}\.")


def test_a_thousand_broken_submissions_are_read(tmp_path):
    target = tmp_path / "student" / "week" / "exercises.ipynb"
    seconds, kinds, wrong = 0.0, {}, []
    for seed in range(1000):
        kind = fuzzing.fuzz(seed, RELEASED, target)
        begun = time.perf_counter()
        found = read_handed(target, NAMES)
        seconds += time.perf_counter() - begun
        kinds.setdefault(kind, []).append(found)
        if not _usable(found) or len(fingerprint(target.parent, ["exercises"])) != 64:
            wrong.append((seed, kind, found.flag[:300]))
    assert not wrong, wrong
    assert len(kinds) == len(fuzzing.KINDS) >= 40
    assert seconds < 30
    for kind in UNTOUCHED:
        assert {(len(found.answers), found.flag) for found in kinds[kind]} == {(len(NAMES), "")}, kind
    flagged = sum(bool(found.flag) for handed in kinds.values() for found in handed)
    assert 300 < flagged < 700  # a fuzzer that breaks nothing, or all of it the same way, proves nothing
    assert len({re.sub("w01-[a-z-]+", "", found.flag) for handed in kinds.values() for found in handed}) > 12


def _usable(found: Handed, names: Collection[str] = NAMES) -> bool:
    texts = [isinstance(text, str) and len(text.encode("utf-8")) <= 600_000 for text in found.answers.values()]
    fine = all(texts) and not any("\0" in text for text in found.answers.values())
    return fine and set(found.answers) <= set(names) and (not found.flag or bool(SENTENCE.fullmatch(found.flag)))


def test_the_sentence_that_is_asked_for_is_none_of_these():
    for text in (
        "Traceback (most recent call last):\n  File",
        "it broke.",
        "The file /tmp/x is bad.",
        "No",
        "A" * 300 + ".",
    ):
        assert not _usable(Handed({}, text))
    assert not _usable(Handed({NAMES[0]: "a\0"})) and not _usable(Handed({"other": ""}))


def test_the_same_seed_gives_the_same_submission(tmp_path):
    made = []
    for folder in ("one", "two"):
        target = tmp_path / folder / "week" / "exercises.ipynb"
        found = []
        for seed in range(0, len(fuzzing.KINDS) * 3, 5):
            fuzzing.fuzz(seed, RELEASED, target)
            found.append(fingerprint(target.parent, ["exercises"]))
        made.append(found)
    assert made[0] == made[1] and len(set(made[0])) > 50


# ---------------------------------------------------------------- through the whole grader


def _course() -> nbformat.NotebookNode:
    """A course of one exercise."""
    flags = {"schema_version": 3, "locked": False, "task": False}
    answer = {"grade_id": "w00-double", "grade": False, "solution": True} | flags
    check = {"grade_id": "w00-double-check", "grade": True, "solution": False, "points": 1} | flags
    source = (
        'assert double(2) == 4, "2 gives 4"\nassert [double(x) for x in (5, 7)] == [10, 14], "5 and 7 give 10 and 14"'
    )
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import math"),
            nbformat.v4.new_code_cell("def double(x):\n    return 2 * x", metadata={"nbgrader": answer}),
            nbformat.v4.new_code_cell(source, metadata={"nbgrader": check}),
        ]
    )


_HEAVY = (
    "warns",
    "parentheses",
    "minus signs",
    "calls",
    "long message",
    "half a message",
    "prints",
    "builtins gone",
    "exit",
)


def _some() -> list[int]:
    """Seeds of a quarter of the kinds and the heaviest; of all with CARELAB_ALL_ANSWERS=1, which takes a minute."""
    step = 1 if os.environ.get("CARELAB_ALL_ANSWERS") == "1" else 4
    heavy = [f"code: {name}" for name in _HEAVY]
    return [seed for seed, kind in enumerate(fuzzing.KINDS) if seed % step == 0 or kind in heavy]


def _written(text: str) -> str:
    """`text` as it comes back from a file."""
    return text.encode("utf-8", "replace").decode()


@pytest.mark.skipif(available() is not None, reason=str(available()))
def test_a_submission_of_any_kind_is_graded_and_stops_nobody_after_it(tmp_path):
    course, stubs = _course(), {"w00-double": "raise NotImplementedError"}
    solved, target = tmp_path / "solved.ipynb", tmp_path / "student" / "week" / "exercises.ipynb"
    nbformat.write(course, solved)
    wrong = []
    with Trusted(course, call_seconds=5, cell_seconds=5) as trusted, Sandbox(["import math"]) as sandbox:
        for seed in _some():
            kind = fuzzing.fuzz(seed, solved, target)
            handed = read_handed(target, stubs)
            (result,) = trusted.grade(handed.answers, stubs, sandbox.open)
            told = f"{result.message}{result.flag}"
            fine = result.earned == (result.status == "passed") and _usable(handed, stubs)
            fine = fine and bool(handed.answers) == (result.status != "not attempted")
            fine = fine and bool(result.message) == (result.status == "failed")
            if not fine or "Traceback" in told or len(told) > 5000 or told != _written(told):
                wrong.append((kind, result))
        (honest,) = trusted.grade(read_handed(solved, stubs).answers, stubs, sandbox.open)
    assert not wrong, wrong
    assert honest.status == "passed"
