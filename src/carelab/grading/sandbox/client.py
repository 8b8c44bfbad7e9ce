"""The trusted side: start a sandbox for a notebook's provided cells, and open a session for each answer."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from carelab.errors import UserError
from carelab.grading.sandbox import frames, isolation
from carelab.grading.sandbox.limits import MIB, Limits
from carelab.grading.session import Lost

HANDLER = "carelab.grading.inside:prepared"
START_SECONDS = 120.0  # for the provided cells
FORK_SECONDS = 20.0  # for one fork; a fraction of a second unless the machine is overwhelmed
_USED_UP = (-9, -24)  # SIGKILL from the kernel, which is short of memory; SIGXCPU
_MODULE = "carelab.grading.sandbox.zygote"
_UNSAFE_WARNING = (
    "Answers run without isolation: a submission can read and change whatever you can. "
    "Do this only if you trust everybody who wrote them."
)


class AnswerSession:
    """One submission's process. Not for several threads at once; any thread may close it."""

    def __init__(self, process: "_Process", pid: int, sock: socket.socket) -> None:
        self._process, self._pid, self._sock = process, pid, sock
        self._number = 0
        self._closed = False

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """Send a request and wait up to `timeout` seconds for its reply.

        Raises Lost (Died, TimedOut, Flooded, Garbled), after which the process has ended and nothing more comes.
        """
        if self._closed:
            raise frames.Died("The answer's process has ended.")
        deadline = time.monotonic() + timeout
        try:
            if frames.unasked(self._sock):
                raise frames.Garbled("The answer sent a reply that nobody asked for.")
            self._number += 1
            self._send(frame, deadline)
            number, reply = frames.read(self._sock, self._process.limits.frame, deadline)
            if number != self._number:
                raise frames.Garbled("The answer sent a reply to a question that was not asked.")
            return reply
        except frames.TimedOut as error:
            self._end("timeout")
            raise frames.TimedOut(
                f"The answer took longer than {timeout:g} s: look for a loop that never ends."
            ) from error
        except frames.Died as error:
            raise frames.Died(self._why(self._end(""))) from error
        except Lost:
            self._end("lost")
            raise

    def _send(self, frame: bytes, deadline: float) -> None:
        self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            frames.write(self._sock, self._number, frame)
        except TimeoutError as error:
            raise frames.TimedOut("The answer took too long.") from error
        except OSError as error:
            raise frames.Died("The answer's process has ended.") from error

    def close(self) -> None:
        """End the process and everything it started."""
        self._end("closed")

    def _end(self, why: str) -> dict[str, Any]:
        if self._closed:
            return {}
        self._closed = True
        frames.close(self._sock)
        return self._process.end(self._pid, why)

    def _why(self, ended: dict[str, Any]) -> str:
        """A sentence on how the process ended."""
        limits = self._process.limits
        status = ended.get("status")
        if ended.get("reason") == "memory":
            return f"The answer needed more than {limits.memory // MIB} MB of memory and was stopped."
        if ended.get("reason") == "processes":
            return f"The answer started more than {limits.processes} processes and was stopped."
        if status in _USED_UP:
            return "The answer used too much processor time or memory and was stopped."
        if status is not None and status < 0:
            return f"The answer's process crashed ({signal.Signals(-status).name}) before it replied."
        if status is not None:
            return "The answer ended Python before it replied: take out exit() and the like."
        return "The answer's process has ended."

    def __enter__(self) -> "AnswerSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Process:
    """A zygote, or in the unsafe way the one process of one session; and the socket to command it."""

    def __init__(self, prefix: Sequence[str], handler: str, limits: Limits, isolated: bool, patience: float) -> None:
        self.limits = limits
        self._isolated = isolated
        self._lock = threading.Lock()
        self.control, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by kill)
        self._contained: isolation.Contained | None = None
        self._plain: subprocess.Popen[bytes] | None = None
        python = [sys.executable, "-m", _MODULE, str(theirs.fileno())]
        try:
            if isolated:
                self._contained = isolation.start(
                    python, limits, pass_fds=(theirs.fileno(),), stderr=self._said.fileno()
                )
            else:
                self._plain = _unconfined(python, theirs, self._said.fileno())
            theirs.close()
            setup = {
                "prefix": list(prefix),
                "handler": handler,
                "limits": limits.dump(),
                "isolated": isolated,
                "visible": [target for _, target in isolation.visible()] if isolated else [],
            }
            frames.write(self.control, 0, json.dumps(setup).encode())
            self.ready = self._answer(patience)
            if isolated and self.ready.get("shared"):
                raise UserError(
                    "The notebook's provided cells leave memory that all answers would share: "
                    f"{self.ready['shared'][0]}. Make them do that inside a function the answer calls."
                )
        except BaseException:
            theirs.close()
            self.kill()
            raise

    def _answer(self, patience: float) -> dict[str, Any]:
        """The zygote's next answer. Raises UserError with what the provided cells said when they failed."""
        try:
            found: dict[str, Any] = json.loads(frames.read(self.control, MIB, time.monotonic() + patience)[1])
        except frames.TimedOut as error:
            raise UserError(
                f"The notebook's provided cells took longer than {patience:g} s; make them quicker."
            ) from error
        except Lost as error:
            self._said.seek(0, os.SEEK_SET)
            last = self._said.read()[-2000:].decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise UserError(
                f"The sandbox ended before it was ready ({last[0]}). Run `python -m carelab doctor` to see why."
            ) from error
        if "error" in found:
            raise UserError(f"The notebook's provided cells failed before any answer ran: {found['error']}")
        return found

    @property
    def alive(self) -> bool:
        """Whether it can still fork."""
        running = self._contained.process if self._contained else self._plain
        return running is not None and running.poll() is None

    def fork(self) -> tuple[int, socket.socket]:
        """A new answer's process: its pid in the sandbox, and our end of its socket. Raises Lost."""
        ours, theirs = socket.socketpair()
        try:
            with self._lock:
                try:
                    frames.write(self.control, 0, b'{"do": "fork"}')
                    socket.send_fds(self.control, [b"h"], [theirs.fileno()])
                    pid = int(json.loads(frames.read(self.control, MIB, time.monotonic() + FORK_SECONDS)[1])["pid"])
                except (Lost, OSError) as error:
                    self.kill()  # a zygote that does not answer is of no use to the other sessions either
                    raise frames.Died("The sandbox has ended.") from error
                finally:
                    theirs.close()
            try:
                hello = json.loads(frames.read(ours, MIB, time.monotonic() + FORK_SECONDS)[1])
                if "error" in hello:
                    raise UserError(
                        f"An answer could not be isolated, so it was not run ({hello['error']}). "
                        "Run `python -m carelab doctor` to see why."
                    )
            except BaseException:
                self.end(pid, "lost")
                raise
        except BaseException:
            ours.close()
            raise
        return pid, ours

    def end(self, pid: int, why: str) -> dict[str, Any]:
        """End an answer's process and all it started; says how it ended by itself, if it did."""
        if not self._isolated:
            status = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self._plain and not why:
                    status = self._plain.wait(timeout=0.5)
            self.kill()
            return {"status": status}
        with self._lock:
            try:
                frames.write(self.control, 0, json.dumps({"do": "end", "pid": pid, "why": why}).encode())
                found: dict[str, Any] = json.loads(frames.read(self.control, MIB, time.monotonic() + FORK_SECONDS)[1])
                return found
            except (Lost, OSError):
                self.kill()  # then everything in it ends as well
                return {}

    def kill(self) -> None:
        """End it and everything it started."""
        frames.close(self.control)
        if self._contained:
            self._contained.kill()
        if self._plain:
            _kill_group(self._plain)
        self._said.close()


class Sandbox:
    """Provided cells, executed once, and a fresh copy of that process for each answer.

    prefix: sources of the provided cells, in order. handler: see `zygote.prepare`. limits: of each answer.
    unsafe: no isolation, a plain process for each session, and a warning; for machines that have none.
    Several threads may share one; after a fork of the trusted process each copy starts a zygote of its own.
    Raises UserError when the machine cannot isolate (and `unsafe` is false), or when the provided cells fail.
    """

    def __init__(
        self,
        prefix: Sequence[str] = (),
        *,
        handler: str = HANDLER,
        limits: Limits | None = None,
        unsafe: bool = False,
        start_timeout: float = START_SECONDS,
    ) -> None:
        self._prefix, self._handler, self._limits = tuple(prefix), handler, limits or Limits()
        self._unsafe, self._patience = unsafe, start_timeout
        self._process: _Process | None = None
        self._owner = 0
        self._lock = threading.Lock()
        if unsafe:
            warnings.warn(_UNSAFE_WARNING, stacklevel=2)
        elif reason := isolation.available():
            raise UserError(reason)

    def open(self) -> AnswerSession:
        """A session for one answer. A zygote that has died is started again, once."""
        if self._unsafe:
            process = _Process(self._prefix, self._handler, self._limits, False, self._patience)
            return AnswerSession(process, 0, process.control)
        for last in (False, True):
            process = self._zygote()
            try:
                pid, sock = process.fork()
                return AnswerSession(process, pid, sock)
            except Lost:  # one fork may be lost; the zygote and its other sessions go on if it still answers
                if last:
                    raise
        raise AssertionError("unreachable")

    def _zygote(self) -> _Process:
        with self._lock:
            if self._owner != os.getpid():
                self._process = None  # the other process's: not ours to end
            if self._process is None or not self._process.alive:
                if self._process:
                    self._process.kill()
                self._process = _Process(self._prefix, self._handler, self._limits, True, self._patience)
                self._owner = os.getpid()
            return self._process

    def close(self) -> None:
        """End every session."""
        with self._lock:
            if self._process and self._owner == os.getpid():
                self._process.kill()
            self._process = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _unconfined(python: Sequence[str], theirs: socket.socket, stderr: int) -> "subprocess.Popen[bytes]":
    """The same program without a sandbox, in a process group of its own."""
    environment = {**os.environ, **isolation.ENVIRONMENT, "PYTHONPATH": str(isolation.SOURCES)}
    folder = tempfile.gettempdir()
    if sys.platform == "win32":
        process = subprocess.Popen(python, stdin=subprocess.PIPE, stderr=stderr, env=environment, cwd=folder)
        assert process.stdin
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
        return process
    return subprocess.Popen(
        python,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=environment,
        cwd=folder,
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
    )


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it started, as far as that stayed in its group."""
    if process.poll() is None and sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
