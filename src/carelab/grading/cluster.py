"""The same grading on a Dask cluster that is there already: its workers grade, this process reads and saves."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from carelab.errors import UserError
from carelab.grading.assignment import Assignment
from carelab.grading.cohort import grade_one
from carelab.grading.judge import Judge, OneJudge
from carelab.grading.sandbox.isolation import available
from carelab.grading.submission import Handed
from carelab.grading.trusted import Judged

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10
_judge = OneJudge()  # of this worker


class Cluster:
    """Grading by the workers of a Dask cluster, which need this course installed, and bubblewrap. Use as a context manager."""

    def __init__(self, assignment: Assignment, address: str) -> None:
        """`address` is the scheduler's, such as tcp://10.0.0.5:8786."""
        self._assignment, self._address = assignment, address

    def __enter__(self) -> Cluster:
        """Connect. Raises UserError when nobody answers, or a worker cannot isolate submissions."""
        try:
            from distributed import Client
        except ImportError:
            raise UserError("Grading on a cluster needs Dask here, too: `pip install distributed`.") from None
        self._stack = ExitStack()
        try:
            self._client: Client = self._stack.enter_context(
                Client(self._address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
            )
        except (OSError, ValueError) as error:
            raise UserError(f"No Dask scheduler answers at {self._address} ({type(error).__name__}).") from None
        try:
            self._check_workers()
        except BaseException:
            self._stack.close()
            raise
        self._sent: Any = self._client.scatter(self._assignment, broadcast=True)
        self._stack.callback(self._client.run, _close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _check_workers(self) -> None:
        answers = self._client.run(_ready, on_error="return")
        if not answers:
            raise UserError(f"The Dask cluster at {self._address} has no workers; start some, then grade again.")
        for worker, answer in answers.items():
            if isinstance(answer, BaseException):
                raise UserError(f"The Dask worker {worker} has no such course installed ({type(answer).__name__}).")
            if answer:
                raise UserError(f"The Dask worker {worker} cannot grade: {answer}")

    def submit(self, handed: dict[str, Handed]) -> Future[tuple[dict[str, list[Judged]], float]]:
        """As of a pool."""
        result: Future[tuple[dict[str, list[Judged]], float]] = Future()

        def done(future: Any) -> None:
            if (error := future.exception()) is not None:
                result.set_exception(error)
            else:
                result.set_result(future.result())

        # Not pure: two equal submissions are graded twice, as on one machine.
        sent: Any = self._client.submit(_grade, self._sent, handed, pure=False)
        sent.add_done_callback(done)
        return result


def _ready() -> str | None:
    """On a worker: why it cannot isolate."""
    return available()


def _grade(assignment: Assignment, handed: dict[str, Handed]) -> tuple[dict[str, list[Judged]], float]:
    """On a worker: grade with the processes that earlier submissions have used."""
    return grade_one(_judge.get(assignment.digest, lambda: Judge(assignment)), handed)


def _close() -> None:
    """On a worker: end the processes of an earlier run."""
    _judge.close()
