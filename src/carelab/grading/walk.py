"""The trusted process: the course's own cells, with a student's answers in the place of the reference's.

It runs what stands before the first answer once and forks for each submission, so that nothing of one reaches the next; each
check runs in a fork of that fork, so that no check spoils another. No student's code ever runs here, and neither does the
reference solution: names that its cells define are fetched from the student's process, or are missing.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import io
import json
import os
import select
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from types import FrameType

from carelab.grading.cells import Cells, compile_cell
from carelab.grading.known import Known
from carelab.grading.local import Forked
from carelab.grading.names import Step, defined, imports
from carelab.grading.proxies import Student, StudentError, Use, source_of
from carelab.grading.session import Lost
from carelab.grading.warm import warm
from carelab.grading.words import CELL_TIMEOUT_SECONDS, explain

OPEN, EXCHANGE, VERDICT, END = b"o", b"x", b"v", b"e"  # what a message of a submission's process begins with
REQUEST = struct.Struct("<c8sd")
FINE, NOT_FINE = b"+", b"-"
SESSIONS = 4  # of one submission: an endless loop in one exercise does not cost the others
MAX_MESSAGE = 2_000
MAX_PRINTED = 10_000
CPU_SECONDS = 5  # beyond a cell's time, for what cannot be interrupted otherwise
MEMORY = 2**30  # bytes that a submission's values may need here, on top of what the provided cells hold

# An answer's own words in a case that is not shown could say what it was called with.
NOT_SHOWN = "Your code stopped with {} in a case that is not shown."
WARNED_SOMEWHERE = "run the check in your notebook to see it."
TOO_MUCH = "The check ended without a result: look for an answer that gives back too much to be looked at."


@dataclass(frozen=True)
class Verdict:
    """What a check, or a student's own cell, came to: empty when all is well. `flag` says what was abnormal."""

    message: str = ""
    flag: str = ""
    lost: str = ""
    used: frozenset[Use] = frozenset()
    spoiled: bool = False  # the answer changed what it was given, where the reference does not
    printed: str = ""

    def dump(self, name: str) -> bytes:
        """As bytes, with what it is the verdict on."""
        mine = [self.message, self.flag, self.lost, sorted(self.used), self.spoiled, self.printed]
        return json.dumps([name, *mine]).encode()

    @classmethod
    def load(cls, data: bytes) -> tuple[str, Verdict]:
        """What `dump` wrote. Raises ValueError for half of it."""
        name, message, flag, lost, used, spoiled, printed = json.loads(data)
        return name, cls(message, flag, lost, frozenset((path, what) for path, what in used), spoiled, printed)


@dataclass(frozen=True)
class Job:
    """One submission: its answers by exercise, and the checks that are asked for (None: all)."""

    submitted: dict[str, str]
    only: frozenset[str] | None
    uses: dict[str, frozenset[Use]] | None
    call_seconds: float
    cell_seconds: float = CELL_TIMEOUT_SECONDS
    reference: bool = False  # the course's own answers, which need no session from elsewhere


class _Stop(BaseException):
    """A cell has had its time."""


class _Relay:
    """A session that lives in the process that asked for the grading.

    A process that was stopped within a message ends at once, and so does the one it was forked from: whoever read on would
    take a student's bytes for the next message. For the same reason nothing here is a pickle.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.busy = False

    def ask(self, what: bytes, frame: bytes = b"", seconds: float = 0.0) -> bytes:
        number = os.urandom(8)
        self.busy = True
        try:
            self._connection.send_bytes(REQUEST.pack(what, number, seconds) + frame)
            reply = self._connection.recv_bytes()
        except BaseException:
            os._exit(1)
        if reply[:8] != number:
            os._exit(1)
        self.busy = False
        if reply[8:9] != FINE:
            raise Lost(reply[9:].decode())
        return reply[9:]

    def open(self) -> None:
        """A new session instead of the one there was. Raises Lost when there is none to be had."""
        self.ask(OPEN)

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """As of a session."""
        return self.ask(EXCHANGE, frame, timeout)

    def close(self) -> None:
        """The asking process closes the real one."""


class _Own:
    """Sessions of the reference solution: forks of this process."""

    def __init__(self, cells: Cells, known: Known) -> None:
        self._cells, self._known = cells, known
        self._session: Forked | None = None
        self.busy = False

    def open(self) -> None:
        """As of a relay."""
        self.close()
        self._session = Forked(self._cells, self._known)

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """As of a session."""
        if self._session is None:
            raise Lost("There is no session.")
        return self._session.exchange(frame, timeout)

    def close(self) -> None:
        """As of a session."""
        if self._session is not None:
            self._session.close()


def main() -> None:
    """Serve the connection whose number is the first argument; the plan is the first thing that comes."""
    connection = Connection(int(sys.argv[1]))
    os.set_inheritable(connection.fileno(), False)
    try:
        plan = connection.recv()
    except EOFError:
        return
    host(connection, plan)


def host(connection: Connection, plan: list[Step]) -> None:
    """Run the cells before the first answer, then a fork for each job that comes; ends when the connection does.

    Sends ("ready", sentence), the sentence being empty when all cells ran. With each job comes a connection of its own, on which
    its process sends the requests of its session, each verdict as soon as there is one, and that it has come to the end. Jobs
    run side by side.
    """
    warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
    inspect.getsource = source_of  # type: ignore[assignment]
    first = next((at for at, step in enumerate(plan) if step.kind == "answer"), len(plan))
    cells = Cells(main=True)
    for step in plan[:first]:
        if step.kind == "provided" and (message := _quietly(lambda step=step: cells.run(step.source, step.name))):  # type: ignore[misc]
            connection.send(("ready", f"The course's own {step.name} fails: {message}"))
            return
    warm()
    known = Known(cells.names)
    for step in plan[first:]:
        _read_ahead(step)
    gc.collect()
    gc.freeze()  # the collector of a fork leaves these objects, and so their shared pages, alone
    connection.send(("ready", ""))
    running: dict[int, int] = {}  # the process of each job by the pipe that is open as long as it lives
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number in running:
                poll.unregister(number)
                os.close(number)
                os.waitpid(running.pop(number), 0)
                continue
            try:
                job, channel = connection.recv(), Connection(recv_handle(connection))
            except (EOFError, OSError):
                os.killpg(0, signal.SIGKILL)  # nobody is left to ask: all jobs end, and so does this process
                return
            alive, ends = os.pipe()
            child = os.fork()
            if child == 0:
                relay: _Relay | _Own = _Own(cells, known) if job.reference else _Relay(channel)
                try:
                    for handle in (alive, connection.fileno(), *running):
                        os.close(handle)
                    _Walk(cells, known, plan[first:], job, relay, partial(_tell, channel)).run()
                    channel.send_bytes(END)
                finally:
                    if job.reference:
                        relay.close()
                    os._exit(0)
            os.close(ends)
            channel.close()
            running[alive] = child
            poll.register(alive, 0)  # 0: only whether it is closed


def _tell(channel: Connection, name: str, verdict: Verdict) -> None:
    channel.send_bytes(VERDICT + verdict.dump(name))


def _file(step: Step) -> str:
    """What a step's source is called: an answer and its check share a name."""
    return f"{step.name}-check" if step.kind == "check" else step.name


def _read_ahead(step: Step) -> None:
    """Read a cell of the course's own once, for all forks."""
    if step.kind == "answer":
        defined(step.source), compile_cell(imports(step.source), "<imports>")
    else:
        compile_cell(step.source, f"<{_file(step)}>")


def _quietly(run: Callable[[], None]) -> str:
    """Run without showing what it prints; the error's sentence, or an empty string."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            run()
        except (Exception, _Stop) as error:
            return _sentence(error)
    return ""


def _sentence(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # a stand-in among the arguments that has no text any more
        text = ""
    kind = "KeyboardInterrupt" if isinstance(error, _Stop) else type(error).__name__
    words = text if isinstance(error, Lost) else explain(kind, text)
    return _text(words)


def _hidden(source: str) -> list[range]:
    """Lines of a check that learners do not see, counted from 1."""
    found, begin = [], 0
    for number, line in enumerate(source.splitlines(), 1):
        if "BEGIN HIDDEN TESTS" in line:
            begin = number
        elif "END HIDDEN TESTS" in line:
            found.append(range(begin, number))
    return found


def _in_hidden(step: Step, error: BaseException) -> bool:
    """Whether the check's line that met the error is one that learners do not see."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == f"<{_file(step)}>"
    ]
    return any(line in lines_there for line in lines for lines_there in _hidden(step.source))


def _known_kind(error: BaseException) -> str:
    """The nearest class of an error that is no student's own, whose name would be the student's words, too."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ != StudentError.__module__)


def _text(text: str, most: int = MAX_MESSAGE) -> str:
    """The beginning of a text that a student may have written, as one that can be stored anywhere."""
    return text[:most].encode("utf-8", "backslashreplace").decode("utf-8")


def _address_space() -> int:
    """Bytes of this process's address space; 0 where /proc does not say."""
    with contextlib.suppress(OSError), open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    return 0


def _limit(memory: int = 0, seconds: int = 0) -> None:
    """Keep this process and its forks to so much more memory, and to a processor time that nothing can put off."""
    import resource  # Windows has none, and imports this module

    wanted = {}
    if memory and _address_space():  # macOS keeps no such limit
        wanted[resource.RLIMIT_AS] = _address_space() + memory
    if seconds:
        wanted[resource.RLIMIT_CPU] = seconds
    for what, most in wanted.items():
        ceiling = resource.getrlimit(what)[1]
        most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(what, (most, most))


class _Walk:
    """One submission, from its first answer to the last check."""

    def __init__(
        self,
        cells: Cells,
        known: Known,
        plan: list[Step],
        job: Job,
        relay: _Relay | _Own,
        tell: Callable[[str, Verdict], None],
    ) -> None:
        """`tell` gets each verdict with the name of its answer or, with "-check" behind it, of its check."""
        self.cells, self.known, self.plan, self.job, self.relay, self.tell = cells, known, plan, job, relay, tell
        self.sessions = SESSIONS
        self.history: list[Step] = []  # what the student's process has run
        self.wanted: set[str] = set()  # names that come from there
        self.student = Student(relay, job.call_seconds)

    def run(self) -> None:
        """Go through all of it. Ends this process when a check's process ended without a verdict."""
        if self.job.only is not None:
            last = max((at for at, step in enumerate(self.plan) if step.name in self.job.only), default=-1)
            self.plan = self.plan[: last + 1]
        signal.signal(signal.SIGALRM, self._alarm)
        _limit(MEMORY, (1 + len(self.plan)) * (int(self.job.cell_seconds) + CPU_SECONDS))
        self._open()
        last_answer = max((at for at, step in enumerate(self.plan) if step.kind == "answer"), default=-1)
        for at, step in enumerate(self.plan):
            if step.kind == "answer":
                self._answer(step)
            elif step.kind == "provided":
                self._provided(step, at < last_answer)
            elif self.job.only is None or step.name in self.job.only:
                verdict = self._judge(step)
                self.tell(_file(step), verdict)
                if verdict.lost:
                    self._open(verdict.lost)

    def _open(self, lost: str = "") -> None:
        """A new session that has run the same cells, if there are sessions left."""
        while self.sessions:
            self.sessions -= 1
            self.student = Student(self.relay, self.job.call_seconds)
            try:
                self.relay.open()
                self.student.agree(self.known)
                for step in self.history:
                    with contextlib.suppress(Exception):
                        self._run_there(step)
                    if self.student.lost:
                        raise Lost(self.student.lost)
                self._fetch(self.wanted)
                return
            except Lost as error:
                lost = str(error)
        self.student.lost = self.student.lost or lost or "The answer's process could not be started."
        self._fetch(self.wanted)

    def _run_there(self, step: Step, out: io.StringIO | None = None) -> None:
        self.student.deadline = time.monotonic() + self.job.cell_seconds
        with contextlib.redirect_stdout(out or io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.student.run(step.source, step.name)

    def _answer(self, step: Step) -> None:
        mine = Step("answer", step.name, self.job.submitted.get(step.name, ""))
        message = flag = ""
        out = io.StringIO()
        try:
            self._run_there(mine, out)
        except Lost as error:
            message = flag = str(error)
            self._open(str(error))
        except Exception as error:
            message = _sentence(error)
        if not flag:
            self.history.append(mine)
        names = defined(step.source)
        self.wanted |= names
        _quietly(lambda: self.cells.run(imports(step.source), "imports"))
        self.student.faults.clear()
        self._fetch(names)
        if self.student.faults and not message:
            message = flag = _text(self.student.faults[0])
        self.tell(step.name, Verdict(message, flag, printed=_text(out.getvalue(), MAX_PRINTED)))
        if self.student.lost and self.sessions:
            self._open(self.student.lost)

    def _fetch(self, names: set[str]) -> None:
        """Put the student's values in the place of these names; a name that is not there is missing here, too."""
        self.student.deadline = time.monotonic() + self.job.cell_seconds
        for name in sorted(names):
            self.cells.names.pop(name, None)
            with contextlib.suppress(Exception):
                self.cells.names[name] = self.student.get(name)

    def _provided(self, step: Step, there_too: bool) -> None:
        if there_too and not self.student.lost:
            with contextlib.suppress(Exception):
                self._run_there(step)
            if self.student.lost:
                self._open(self.student.lost)
            else:
                self.history.append(step)
        self._watch(step)
        with self._timed():
            _quietly(lambda: self.cells.run(step.source, step.name))
        self.tell(step.name, Verdict(used=frozenset(self.student.used)))
        if self.student.lost and self.sessions:
            self._open(self.student.lost)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_REAL, self.job.cell_seconds, 5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _alarm(self, _: int, __: FrameType | None) -> None:
        if not self.relay.busy:  # half a message would end everything; the exchange has its own limit
            raise _Stop

    def _judge(self, step: Step) -> Verdict:
        """Run a check; again when it passed with arguments that the answer had changed.

        A check may work out what it expects from a table that it has just given to the answer, and an answer that empties
        the table would be right. So the second time the check's own objects stay as they were.
        """
        verdict = self._fork(step)
        if verdict.message or not verdict.spoiled:
            return verdict
        self.student.spare = True
        verdict = self._fork(step)
        self.student.spare = False
        if verdict.message and not verdict.flag:
            return replace(verdict, message=f"Your code changes what it is given; work on a copy. {verdict.message}")
        return verdict

    def _fork(self, step: Step) -> Verdict:
        """Run a check in a process of its own."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                _limit(seconds=int(self.job.cell_seconds) + CPU_SECONDS)
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(self._check(step).dump(step.name))
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
        os.waitpid(child, 0)
        try:
            return Verdict.load(data)[1]
        except ValueError:  # it may have ended within a message
            os._exit(1)

    def _watch(self, step: Step) -> None:
        """Begin a cell of the course's own that may use what the student made."""
        self.student.faults.clear()
        self.student.used.clear()
        self.student.spoiled = self.student.wrote = False
        if self.job.uses is not None:
            self.student.allowed = self.job.uses.get(step.name, frozenset())
        self.student.deadline = time.monotonic() + self.job.cell_seconds

    def _check(self, step: Step) -> Verdict:
        self._watch(step)
        err, message, flag = io.StringIO(), "", ""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            try:
                with self._timed():
                    self.cells.run(step.source, _file(step))
            except MemoryError:
                message = flag = TOO_MUCH
            except _Stop as error:
                message = flag = _sentence(error)
            except BaseException as error:
                own = error is self.student.raised and _in_hidden(step, error)
                message = NOT_SHOWN.format(_known_kind(error)) if own else _sentence(error)
        if flag:
            return Verdict(message, flag, self.student.lost)
        if self.student.faults:  # whatever the check made of it
            flag = _text(self.student.faults[0])
            return Verdict(flag, flag, self.student.lost)
        if self.student.lost:  # before this check began
            return Verdict(self.student.lost, self.student.lost, self.student.lost)
        if not message and err.getvalue():
            words = WARNED_SOMEWHERE if self.student.wrote and _hidden(step.source) else err.getvalue().strip()
            message = f"The check wrote a warning, which nbgrader counts as a failure: {_text(words)}"
        return Verdict(message, used=frozenset(self.student.used), spoiled=self.student.spoiled)
