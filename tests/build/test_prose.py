"""What the prose says of the world is what the world was built to be."""

import json
import re

import pytest

from carelab.paths import COURSE, DATA

LESSON = (COURSE / "week_01_ml_fundamentals" / "lesson.py").read_text(encoding="utf-8")


def quoted_ceilings(text: str) -> set[str]:
    """Every figure that the lesson gives for the best possible AUC."""
    patterns = (r"CEILING = (0\.\d+)", r"only an AUC of (0\.\d+)", r"best possible score on this world is (0\.\d+)")
    return {figure for pattern in patterns for figure in re.findall(pattern, text)}


def test_the_ceiling_in_the_lesson_is_the_worlds():
    ceiling = json.loads((DATA / "truth" / "ceilings.json").read_text(encoding="utf-8"))["scheduling"][
        "auc_test_period"
    ]
    assert quoted_ceilings(LESSON) == {f"{ceiling:.2f}"}


def test_a_figure_that_went_stale_is_seen():
    assert len(quoted_ceilings(LESSON.replace("CEILING = 0.", "CEILING = 0.1"))) == 2


@pytest.mark.parametrize("name", ["lesson", "exercises", "project"])
def test_every_clock_runs_forward(name):
    text = (COURSE / "week_01_ml_fundamentals" / f"{name}.py").read_text(encoding="utf-8")
    clock = [int(minutes) for minutes in re.findall(r"About (\d+) min from the start", text)]
    assert clock and clock == sorted(set(clock))
