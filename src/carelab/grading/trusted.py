"""Grade a submission without trusting its process: the course's checks on this side, the student's code on the other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path

from nbformat import NotebookNode

import carelab
from carelab.build.execute import KERNEL_ENVIRONMENT
from carelab.errors import UserError
from carelab.grading.course import steps
from carelab.grading.proxies import Use
from carelab.grading.rebuild import answers
from carelab.grading.results import Asked, CheckResult, asked
from carelab.grading.session import Lost, Session
from carelab.grading.walk import END, EXCHANGE, FINE, NOT_FINE, OPEN, REQUEST, TOO_MUCH, VERDICT, Job, Verdict
from carelab.grading.words import CELL_TIMEOUT_SECONDS

CALL_SECONDS = 30.0
START_SECONDS = 120.0
END_SECONDS = 10.0
LIVES = 4  # of a submission whose values end the process that looks at them
_HOST = "from carelab.grading.walk import main; main()"
# A forked child may hang in a thread pool that its parent started: one thread each.
# Large pages of memory (Linux) make its many forks twice as quick, which needs an allocator that asks for them.
_ENVIRONMENT = {
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


@dataclass(frozen=True)
class Judged(CheckResult):
    """A check's result; `flag` is a sentence when something abnormal happened, which is always 0 points."""

    flag: str = ""
    printed: str = ""  # what the learner's own cell printed, at most walk.MAX_PRINTED characters


class Trusted:
    """A trusted process for one notebook of the course; grades one submission after the other.

    Use it as a context manager. `open_session` gives a session whose process has run `course.prefix(course)`; it is called again
    when a session was lost, so that one endless loop does not cost the exercises after it. Sessions are closed here.

    `uses` is what the checks do with the objects of the reference solution: the reference is graded first to learn it, which costs
    the time of one submission. Whoever knows it already (a course whose check never ends, in a test) sets it before.
    Needs os.fork (Linux, macOS). Several threads may share one: each submission is a fork of it. When this process is killed, the
    trusted one and all it started end by themselves.
    """

    def __init__(
        self,
        course: NotebookNode,
        call_seconds: float = CALL_SECONDS,
        cell_seconds: float = CELL_TIMEOUT_SECONDS,
    ) -> None:
        """`course` is the complete notebook, hidden tests and all; times are for one call and for one whole check."""
        self._course = course
        self._seconds = call_seconds, cell_seconds
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()  # of the connection
        self.uses: dict[str, frozenset[Use]] | None = None

    def __enter__(self) -> Trusted:
        """Start the process. Raises UserError when the course's own cells or checks fail, or on Windows."""
        if not hasattr(os, "fork"):
            raise UserError("Grading apart from the answers' process needs Linux or macOS; use WSL on Windows.")
        self._start()
        if self.uses is None:
            try:
                self.uses = self._learn()
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._stack.close()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        said = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        mine, theirs = Pipe()
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _HOST, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment(),
            cwd=folder,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # so that it can be ended with all it started
        )
        theirs.close()
        self._stack.callback(_end, process)
        self._stack.callback(mine.close)
        self._process, self._connection = process, mine
        try:
            mine.send(steps(self._course))
            sentence = mine.recv()[1] if mine.poll(START_SECONDS) else "The course's own cells took too long."
        except (EOFError, OSError):
            said.seek(0)
            last = said.read()[-2_000:].decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            sentence = f"The process for the course's own cells ended at once ({last[0]})."
        if sentence:
            self._stack.close()
            raise UserError(sentence)

    def _learn(self) -> dict[str, frozenset[Use]]:
        """What each check does with the objects of the reference solution. Raises UserError when a check fails with it."""

        def none() -> Session:
            raise Lost("The reference needs no session from elsewhere.")

        job = Job(answers(self._course), None, None, *self._seconds, reference=True)
        verdicts = self._ask(job, none)
        uses = {}
        for step in steps(self._course):
            if step.kind == "check":
                verdict = verdicts.get(f"{step.name}-check", Verdict("The check did not run."))
                if verdict.message:
                    raise UserError(
                        f"The reference solution itself fails {step.name}, run apart from it: {verdict.message}"
                    )
                uses[step.name] = verdict.used
            elif step.kind == "provided":
                uses[step.name] = verdicts.get(step.name, Verdict()).used
        return uses

    def grade(
        self,
        submitted: dict[str, str],
        stubs: dict[str, str],
        open_session: Callable[[], Session],
        only: Iterable[str] | None = None,
    ) -> list[Judged]:
        """Results of the notebook's checks, in its order; with `only`, of these exercises.

        `submitted` and `stubs` are sources by exercise (see `rebuild.answers`). Raises whatever `open_session` raises, Lost
        excepted.
        """
        chosen = None if only is None else frozenset(only)
        cells = [one for one in asked(self._course, submitted, stubs) if chosen is None or one.name in chosen]
        open_ones = frozenset(one.name for one in cells if not one.settled)
        verdicts = self._ask(Job(submitted, open_ones, self.uses, *self._seconds), open_session) if open_ones else {}
        return [_judged(one, verdicts) for one in cells]

    def _ask(self, job: Job, open_session: Callable[[], Session]) -> dict[str, Verdict]:
        """Put a job to the process. A check in which that ends has failed; the ones after it are put once more."""
        verdicts: dict[str, Verdict] = {}
        checks = [step.name for step in steps(self._course) if step.kind == "check"]
        left = [name for name in checks if job.only is None or name in job.only]
        for _ in range(LIVES):
            if self._serve(replace(job, only=frozenset(left)), open_session, verdicts) or job.reference:
                break
            left = [name for name in left if f"{name}-check" not in verdicts]
            if left:
                verdicts[f"{left.pop(0)}-check"] = Verdict(TOO_MUCH, TOO_MUCH)
            if not left:
                break
        return verdicts

    def _serve(self, job: Job, open_session: Callable[[], Session], verdicts: dict[str, Verdict]) -> bool:
        """Answer the requests of a job's process and keep its verdicts; whether it came to its end."""
        channel = self._channel(job)
        session: Session | None = None
        failure: Exception | None = None
        ended = False
        try:
            while (message := channel.recv_bytes())[:1] != END:
                if message[:1] == VERDICT:
                    name, verdict = Verdict.load(message[1:])
                    verdicts[name] = verdict
                    continue
                what, number, seconds = REQUEST.unpack_from(message)
                fine, reply = NOT_FINE, b"The answer's process could not be started."
                try:
                    if what == OPEN and failure is None:
                        if session is not None:
                            session.close()
                        session = None
                        session = open_session()
                        fine, reply = FINE, b""
                    elif what == EXCHANGE and session is not None:
                        fine, reply = FINE, session.exchange(message[REQUEST.size :], seconds)
                except Lost as error:
                    reply = str(error).encode()
                except Exception as error:
                    failure = error
                channel.send_bytes(number + fine + reply)
            ended = True
        except (EOFError, OSError):  # it died; the next job finds its process alive, or starts it again
            pass
        finally:
            channel.close()
            if session is not None:
                session.close()
        if failure is not None:
            raise failure
        return ended

    def _channel(self, job: Job) -> Connection:
        """Hand the job over; a connection for this job alone, so that nothing of one reaches the next."""
        for again in (True, False):
            assert self._connection is not None, "use it as a context manager"
            mine, theirs = Pipe()
            with self._lock:
                try:
                    self._connection.send(job)
                    send_handle(self._connection, theirs.fileno(), None)
                    return mine
                except OSError:
                    mine.close()
                    if not again:
                        raise
                    self._start()
                finally:
                    theirs.close()
        raise AssertionError("unreachable")


def _judged(one: Asked, verdicts: dict[str, Verdict]) -> Judged:
    if one.settled:
        return Judged(one.name, one.settled, one.points, 0.0, one.message)
    dead = "The check did not run: the process it should have run in ended."
    verdict = verdicts.get(f"{one.name}-check", Verdict(dead, dead))
    own = verdicts.get(one.name, Verdict())
    if not verdict.message:
        return Judged(one.name, "passed", one.points, one.points, printed=own.printed)
    # What stopped the learner's own cell comes first.
    message, flag = own.message or verdict.message, own.flag or verdict.flag
    return Judged(one.name, "failed", one.points, 0.0, message, flag, own.printed)


def _environment() -> dict[str, str]:
    """The environment of the trusted process; that of this one, which threads share, stays as it is."""
    sources = str(Path(carelab.__file__).resolve().parents[1])
    path = os.pathsep.join([sources, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, **KERNEL_ENVIRONMENT, **_ENVIRONMENT, "PYTHONPATH": path}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the trusted process and all it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(END_SECONDS)
