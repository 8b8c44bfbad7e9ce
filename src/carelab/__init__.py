"""carelab: the library behind the notebooks of the course and the `carelab` command."""

from carelab.learner.hints import hint

__all__ = ["hint"]
