"""What a submission is graded by: the complete notebooks of a week, and one digest of all that its results depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from carelab.errors import UserError
from carelab.grading.rebuild import answers, graded, read_notebook
from carelab.paths import DATA, RELEASE, SOLUTIONS


@dataclass(frozen=True)
class Assignment:
    """A week as the grader sees it. Holds text only, so that it can be sent to another machine.

    notebooks: the complete notebooks, hidden checks and all, as JSON by file stem. stubs: what learners are given in the
    place of each answer, by stem and exercise. digest: changes whenever a submission would have to be graded again.
    """

    week: str
    notebooks: dict[str, str] = field(repr=False)
    stubs: dict[str, dict[str, str]] = field(repr=False)
    digest: str

    @classmethod
    def load(cls, week: str, source: Path = SOLUTIONS, release: Path = RELEASE) -> Assignment:
        """Read a week's folder from both places. Raises UserError when it is not there, or has nothing to grade."""
        paths = sorted((source / week).glob("*.ipynb"))
        if not paths:
            raise UserError(
                f"There are no complete notebooks of {week} in {source.name}/: nothing can be graded by them."
            )
        notebooks = {path.stem: nbformat.writes(_bare(read_notebook(path))) for path in paths}
        stubs = {path.stem: answers(read_notebook(release / week / path.name)) for path in paths}
        if not any(stubs.values()):
            raise UserError(f"{week} has no exercises; there is nothing to grade.")
        content = json.dumps([week, notebooks, stubs]) + _manifest()
        digest = hashlib.sha256(content.encode() + _grader()).hexdigest()
        return cls(week, notebooks, stubs, digest)

    def course(self, stem: str) -> NotebookNode:
        """One complete notebook, without outputs. The caller's own copy."""
        notebook: NotebookNode = nbformat.reads(self.notebooks[stem], as_version=4)
        return notebook

    @property
    def graded(self) -> list[str]:
        """Stems of the notebooks that hold exercises."""
        return [stem for stem, stubs in self.stubs.items() if stubs]

    @cached_property
    def points(self) -> dict[str, dict[str, float]]:
        """What each check or written answer can earn, by stem and exercise."""
        found: dict[str, dict[str, float]] = {}
        for stem in self.notebooks:
            entries = [entry for cell in self.course(stem).cells if (entry := graded(cell)) and entry["grade"]]
            found[stem] = {e["grade_id"].removesuffix("-check"): float(e["points"]) for e in entries}
        return found


def _bare(notebook: NotebookNode) -> NotebookNode:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _manifest() -> str:
    """What the data are that the notebooks read."""
    path = DATA / "MANIFEST.json"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _grader() -> bytes:
    """The grader's own code: an update of the course may judge otherwise."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()
