"""A course folder small enough to be graded in a second or two: two notebooks, three exercises, ten points."""

import json
import shutil
from pathlib import Path

import nbformat

from carelab.build import release
from carelab.paths import COURSE

WEEK = "week_01_ml_fundamentals"
HIDDEN = "a secret expectation"
POINTS = {"w01-double": 4, "w01-total": 3, "w01-name": 1, "w01-memo": 2}
RIGHT = {
    "w01-double": "def double(x):\n    return 2 * x",
    "w01-total": "print('adding')\ntotal = sum(double(n) for n in numbers)",
    "w01-name": "name = 'Ada'",
    "w01-memo": "The doubled total is 12, so the budget holds.",
}
WRONG = {
    "w01-double": "def double(x):\n    return x + 2",
    "w01-total": "total = 0",
    "w01-name": "name = 7",
}


def _entry(name: str, points: float = 0.0, **kind: bool) -> dict:
    kinds = {"grade": False, "solution": False, "locked": False, "task": False} | kind
    return {"nbgrader": {"grade_id": name, "schema_version": 3, "points": points, **kinds}}


def _code(name: str, source: str, **rest) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata=_entry(name, **rest), id=name)


def _answer(name: str, source: str) -> nbformat.NotebookNode:
    return _code(name, f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", solution=True)


def _check(name: str, source: str) -> nbformat.NotebookNode:
    return _code(f"{name}-check", source, grade=True, locked=True, points=POINTS[name])


def _notebook(*cells: nbformat.NotebookNode) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.writes(nbformat.v4.new_notebook(cells=list(cells), metadata={"kernelspec": kernel}))


EXERCISES = _notebook(
    nbformat.v4.new_code_cell("numbers = [1, 2, 3]", id="numbers"),
    _answer("w01-double", RIGHT["w01-double"]),
    _check(
        "w01-double",
        'assert double(2) == 4, "2 gives 4"\n### BEGIN HIDDEN TESTS\n'
        f'secret = "{HIDDEN}"\nassert double(10) == 20, "10 gives 20"\n### END HIDDEN TESTS',
    ),
    _answer("w01-total", RIGHT["w01-total"]),
    _check("w01-total", 'assert total == 12, f"{total} is not the sum of the doubled numbers"'),
)
PROJECT = _notebook(
    _answer("w01-name", RIGHT["w01-name"]),
    _check("w01-name", 'assert isinstance(name, str), "a name is a text"'),
    nbformat.v4.new_markdown_cell(
        f"### BEGIN SOLUTION\n{RIGHT['w01-memo']}\n### END SOLUTION",
        metadata=_entry("w01-memo", points=POINTS["w01-memo"], grade=True, solution=True),
        id="w01-memo",
    ),
)


def make(root: Path, config: str | None = None) -> Path:
    """A course folder under `root` with our configuration (or `config`), its notebooks beside it; nobody has handed in."""
    course = root / "course"
    (course / "submitted").mkdir(parents=True)
    if config is None:
        shutil.copy(COURSE / "nbgrader_config.py", course)
    else:
        (course / "nbgrader_config.py").write_text(config)
    solutions = root / "solutions" / WEEK
    solutions.mkdir(parents=True)
    (solutions / "exercises.ipynb").write_text(EXERCISES)
    (solutions / "project.ipynb").write_text(PROJECT)
    release.generate(root / "solutions", WEEK, root / "weeks_01-12")
    return course


def hand_in(course: Path, student: str, answers: dict[str, str]) -> Path:
    """Write a submission with these answers, stubs for the others; its folder."""
    folder = course / "submitted" / student / WEEK
    folder.mkdir(parents=True, exist_ok=True)
    for path in (course.parent / "weeks_01-12" / WEEK).glob("*.ipynb"):
        notebook = json.loads(path.read_text())
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in answers:
                cell["source"] = answers[name]
        (folder / path.name).write_text(json.dumps(notebook))
    return folder
