"""How a handed-in folder is graded: by us, from reading it to the result."""

from __future__ import annotations

import tempfile
from pathlib import Path

from attacks import tiny
from carelab.grading.assignment import Assignment
from carelab.grading.judge import Judge
from carelab.grading.sandbox import Limits
from carelab.grading.submission import read_handed
from carelab.grading.trusted import Judged

MIB = 1024 * 1024
LIMITS = Limits(memory=256 * MIB, processes=32, open_files=128, file_size=8 * MIB, scratch=16 * MIB, frame=16 * MIB)


class Ours:
    """The grader of the tiny assignment, with limits that hostile answers meet quickly."""

    def __init__(self, call_seconds: float = 1.0, cell_seconds: float = 2.0, *, unsafe: bool = False) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tiny.write(tiny.complete(), Path(folder, "source", tiny.WEEK))
            tiny.write(tiny.released(), Path(folder, "release", tiny.WEEK))
            self._assignment = Assignment.load(tiny.WEEK, Path(folder, "source"), Path(folder, "release"))
        self._judge = Judge(
            self._assignment, unsafe=unsafe, limits=LIMITS, call_seconds=call_seconds, cell_seconds=cell_seconds
        )

    def __enter__(self) -> Ours:
        return self

    def __exit__(self, *_: object) -> None:
        self._judge.close()

    def grade(self, folder: Path) -> dict[str, Judged]:
        """Results by exercise."""
        handed = read_handed(folder / f"{tiny.STEM}.ipynb", self._assignment.stubs[tiny.STEM])
        return {result.name: result for result in self._judge.judge(tiny.STEM, handed)}
