"""Cohorts that hand in week 1: honest learners with right, wrong and missing answers, for `grade.py`."""

import json
import random
from pathlib import Path

from carelab.grading.answers import read_catalogue
from carelab.grading.rebuild import answers, graded, read_notebook
from carelab.paths import RELEASE, ROOT, SOLUTIONS

WEEK = "week_01_ml_fundamentals"
CATALOGUES = ROOT / "tests" / "answers" / WEEK
RIGHT, WRONG = 0.6, 0.3  # the rest leaves the stub as it is


def honest(submitted: Path, number: int, seed: int = 1) -> None:
    """Write learner `number` of a cohort into `submitted`; the same seed and number give the same answers."""
    chance = random.Random(f"{seed}/{number}")
    folder = submitted / f"learner-{number:03d}" / WEEK
    folder.mkdir(parents=True)
    for released in sorted((RELEASE / WEEK).glob("*.ipynb")):
        notebook, given = read_notebook(released), {}
        if (catalogue := CATALOGUES / f"{released.stem}.py").is_file():
            given = _choose(answers(read_notebook(SOLUTIONS / WEEK / released.name)), catalogue, chance)
        for cell in notebook.cells:
            if (entry := graded(cell)) and entry["solution"] and entry["grade_id"] in given:
                cell.source = given[entry["grade_id"]]
        (folder / released.name).write_text(json.dumps(notebook), encoding="utf-8")


def _choose(reference: dict[str, str], catalogue: Path, chance: random.Random) -> dict[str, str]:
    tried = read_catalogue(catalogue)
    chosen = {}
    for name, source in reference.items():
        right = [source, *(one.source for one in tried if one.exercise == name and one.right)]
        wrong = [one.source for one in tried if one.exercise == name and not one.right]
        at = chance.random()
        if at < RIGHT or (not wrong and at < RIGHT + WRONG):
            chosen[name] = chance.choice(right)
        elif at < RIGHT + WRONG:
            chosen[name] = chance.choice(wrong)
    return chosen
