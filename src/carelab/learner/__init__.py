"""What a learner calls from a notebook: a hint, a check of one exercise, and a check of a whole week."""

from carelab.learner.hints import hint
from carelab.learner.instant import check

__all__ = ["check", "check_week", "hint"]


def check_week(week: str | int) -> None:
    """Run every check of a week, hidden ones included, on the learner's own copies, and print the results."""
    from carelab.learner.week import check_week as run  # a grader's imports: only when it is asked for

    run(week)
