"""carelab: the library behind the notebooks of the course and the `carelab` command."""

from carelab.learner.hints import hint
from carelab.learner.instant import check

__all__ = ["check", "hint"]
