"""How a handed-in folder is graded: by us."""

from __future__ import annotations

from pathlib import Path

import nbformat

from attacks import tiny
from carelab.grading.course import prefix
from carelab.grading.rebuild import answers
from carelab.grading.sandbox import Limits, Sandbox
from carelab.grading.trusted import Judged, Trusted

MIB = 1024 * 1024
LIMITS = Limits(memory=256 * MIB, processes=32, open_files=128, file_size=8 * MIB, scratch=16 * MIB, frame=16 * MIB)
LARGEST = 5 * MIB  # of a notebook


class Ours:
    """The grader of the tiny assignment, with limits that hostile answers meet quickly."""

    def __init__(self, call_seconds: float = 1.0, cell_seconds: float = 2.0, *, unsafe: bool = False) -> None:
        course = tiny.complete()
        self._stubs = answers(tiny.released())
        self._trusted = Trusted(course, call_seconds, cell_seconds)
        self._sandbox = Sandbox([step.source for step in prefix(course)], limits=LIMITS, unsafe=unsafe)

    def __enter__(self) -> Ours:
        self._trusted.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._trusted.__exit__()
        self._sandbox.close()

    def grade(self, folder: Path) -> dict[str, Judged]:
        """Results by exercise."""
        results = self._trusted.grade(_read(folder / f"{tiny.STEM}.ipynb"), self._stubs, self._sandbox.open)
        return {result.name: result for result in results}


def _read(path: Path) -> dict[str, str]:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
        return {}
    try:
        return answers(nbformat.reads(path.read_text(encoding="utf-8"), as_version=4))
    except Exception:
        return {}
