"""An assignment of four exercises and 10 points, small enough to be graded in no time, with one of each kind of check."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from attacks.attack import Place

WEEK, STEM = "tiny", "work"
SECRET = "0789-quail"  # stands in a hidden check; whoever knows it has read that
CANARY = "canary-4f1d"  # in the home folder, the environment and the other student's notebook
STUB = 'raise NotImplementedError("Write your answer here, then delete this line.")'
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS\n?", re.DOTALL)
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION.*?### END SOLUTION", re.DOTALL | re.MULTILINE)

_EXERCISES = {
    "double": (
        2,
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        'assert double(2) == 4, "2 gives 4"\n'
        "### BEGIN HIDDEN TESTS\n"
        'assert all(double(x) == 2 * x for x in (3, 17)), "3 gives 6"\n'
        "np.testing.assert_allclose(double(0.25), 0.5)\n"
        'assert isinstance(double(1), int), "whole numbers stay whole"\n'
        "### END HIDDEN TESTS",
    ),
    "table": (
        3,
        'def table(n):\n    ### BEGIN SOLUTION\n    return pd.DataFrame({"row": range(n)})\n    ### END SOLUTION',
        'assert len(table(2)) == 2, "two rows are wanted"\n'
        "### BEGIN HIDDEN TESTS\n"
        'wanted = pd.DataFrame({"row": range(5)})\n'
        'assert table(5).equals(wanted), "the rows are counted from 0"\n'
        "pd.testing.assert_frame_equal(table(5), wanted)\n"
        "### END HIDDEN TESTS",
    ),
    "total": (
        2,
        'def total(people):\n    ### BEGIN SOLUTION\n    return int(people["age"].sum())\n    ### END SOLUTION',
        "### BEGIN HIDDEN TESTS\n"
        'people = pd.DataFrame({"age": [40, 41, 59]})\n'
        'assert total(people) == people["age"].sum(), "the ages are added up"\n'
        "### END HIDDEN TESTS",
    ),
    "word": (
        3,
        'def word(number):\n    ### BEGIN SOLUTION\n    return f"{number * 31 % 1009:04d}-quail"\n    ### END SOLUTION',
        'assert word(1) == "0031-quail", "1 is 0031-quail"\n'
        "### BEGIN HIDDEN TESTS\n"
        f'assert word(58) == "{SECRET}", "58 has another word"\n'
        "### END HIDDEN TESTS",
    ),
}


def complete() -> NotebookNode:
    """The notebook as its authors write it."""
    cells = [nbformat.v4.new_code_cell("import math\n\nimport numpy as np\nimport pandas as pd", id="provided")]
    for name, (points, answer, check) in _EXERCISES.items():
        entry = {
            "grade_id": name,
            "grade": False,
            "solution": True,
            "locked": False,
            "schema_version": 3,
            "task": False,
        }
        cells.append(nbformat.v4.new_code_cell(answer, id=name, metadata={"nbgrader": entry}))
        entry = entry | {
            "grade_id": f"{name}-check",
            "grade": True,
            "solution": False,
            "locked": True,
            "points": points,
        }
        cells.append(nbformat.v4.new_code_cell(check, id=f"{name}-check", metadata={"nbgrader": entry}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def released() -> NotebookNode:
    """The notebook as learners get it."""
    notebook = complete()
    for cell in notebook.cells:
        cell.source = _SOLUTION.sub(rf"\1{STUB}", _HIDDEN.sub("", cell.source))
    return notebook


def solved() -> NotebookNode:
    """The notebook as somebody hands it in who has done it all."""
    notebook, full = released(), complete()
    for cell, other in zip(notebook.cells, full.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = f"# written by zoe, {CANARY}\n{other.source}"
    return notebook


def write(notebook: NotebookNode, folder: Path) -> None:
    """Write it as the one notebook of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{STEM}.ipynb")


def furnish(site: Path, port: int) -> Place:
    """A machine to attack: a home, and a course with another student's work; the place as attacks are told of it."""
    home, course = site / "home", site / "course"
    home.mkdir(parents=True)
    (home / "secret.txt").write_text(f"the pass phrase is {CANARY}\n", encoding="utf-8")
    write(complete(), course / "source" / WEEK)
    write(released(), course / "release" / WEEK)
    write(solved(), course / "submitted" / "zoe" / WEEK)
    return Place(str(home), str(course), port)
