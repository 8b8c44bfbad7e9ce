"""A thousand broken submissions: each is read in no time, gives answers that can be used, and at most one sentence."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path

from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.submission import Handed, fingerprint, read_handed
from carelab.paths import RELEASE

_SPEC = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
fuzzing = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzzing)

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


def _usable(found: Handed) -> bool:
    texts = [isinstance(text, str) and len(text.encode("utf-8")) <= 600_000 for text in found.answers.values()]
    fine = all(texts) and not any("\0" in text for text in found.answers.values())
    return fine and set(found.answers) <= set(NAMES) and (not found.flag or bool(SENTENCE.fullmatch(found.flag)))


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
