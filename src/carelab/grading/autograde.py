"""The grader inside nbgrader's own `autograde`: takes the place of the step that would run a submission's cells."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.gradebook import fill_in
from carelab.grading.judge import Judge, OneJudge
from carelab.grading.sandbox.isolation import available
from carelab.grading.sandbox.provisioner import UNSAFE
from carelab.grading.submission import read_handed

_judge = OneJudge()
atexit.register(_judge.close)


class JudgeAnswers(NbGraderPreprocessor):  # type: ignore[misc]
    """Judges the answers apart from the notebook, and fills in what each check came to."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The course's notebook with the answers and results. Raises UserError where nothing can be isolated."""
        unsafe = os.environ.get(UNSAFE) == "1"
        if not unsafe and (reason := available()):
            raise UserError(reason)
        about = resources["nbgrader"]
        places = CourseDirectory(config=self.config)
        root = Path(places.root)
        week = about["assignment"]
        sources = (root / places.source_directory).resolve(), (root / places.release_directory).resolve()
        judge = _judge.get((week, *sources), lambda: Judge(Assignment.load(week, *sources), unsafe=unsafe))
        assignment, stem = judge.assignment, about["notebook"]
        if stem not in assignment.graded:
            return nb, resources
        submitted = Path(places.format_path(places.submitted_directory, about["student"], about["assignment"]))
        handed = read_handed(submitted / f"{stem}.ipynb", assignment.stubs[stem])
        return fill_in(assignment.course(stem), handed.answers, judge.judge(stem, handed)), resources
