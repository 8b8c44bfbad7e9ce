"""Rebuild a submission before it is run: the course's own cells, with only the learner's answers taken over."""

import copy
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from carelab.errors import UserError


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook somebody may have broken. Raises UserError with one sentence; the file is left as it is."""
    if not path.is_file():
        raise UserError(f"{path} is not there. Run `python -m carelab lab` to get a fresh copy.")
    try:
        notebook: NotebookNode = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # a broken file can trip nbformat in any way
        raise UserError(
            f"{path} is not a readable notebook. It was left as it is; move it away and run `python -m carelab lab` "
            "to get a fresh copy."
        ) from error
    return notebook


def graded(cell: NotebookNode) -> dict[str, Any] | None:
    """The cell's nbgrader entry when it is an exercise, a check or a written answer."""
    entry = cell.metadata.get("nbgrader")
    return entry if isinstance(entry, dict) and "grade_id" in entry else None


def answers(notebook: NotebookNode) -> dict[str, str]:
    """Sources of the solution cells by grade_id; the first cell of a name counts, a pasted copy does not."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        entry = graded(cell)
        if entry and entry.get("solution"):
            found.setdefault(str(entry["grade_id"]), cell.source)
    return found


def rebuild(course: NotebookNode, submitted: dict[str, str]) -> NotebookNode:
    """The course's notebook (with its hidden tests) holding the submitted sources; an answer that is missing is empty."""
    notebook = copy.deepcopy(course)
    for cell in notebook.cells:
        entry = graded(cell)
        if entry and entry["solution"]:
            cell.source = submitted.get(entry["grade_id"], "")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook
