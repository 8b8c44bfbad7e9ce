"""Runs inside the outer sandbox: executes imports and provided cells once, then forks a process for each answer.

It reads commands from one socket (a frame of JSON, followed by the answer's own socket where one is handed over) and
never sees a student's frame. It holds nothing secret: what a fork inherits is what the provided cells made, the socket
to the answer's own session, and the wish to end.

Each fork starts from the same random state, the one that the provided cells left, as a notebook run from the top would:
grading twice gives the same. Hash seeds are fixed too. `os.urandom`, `secrets` and `uuid` differ.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from carelab.grading.sandbox import confine, frames, watch
from carelab.grading.sandbox.limits import Limits
from carelab.grading.session import Lost

WATCH_SECONDS = 0.05
SETUP_FRAME = 64 * 1024 * 1024
Handler = Callable[[bytes], bytes]


class Zygote:
    """The loop, and what is known of each answer's process."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, str] = {}  # pid: why it was ended, empty while it was not
        self.base = 0

    def run(self) -> None:
        """Obey until the other end closes."""
        setup = self._command()
        self.limits = Limits.load(setup["limits"])
        self.visible: list[str] = setup["visible"]
        try:
            self.handle = prepare(setup["prefix"], setup["handler"])
        except BaseException as error:
            self._say({"error": "".join(traceback.format_exception_only(error)).strip()[-500:]})
            return
        gc.collect()
        gc.freeze()  # the collector of a fork leaves these objects, and so their shared pages, alone
        self.base = watch.private(os.getpid())
        self._say({"threads": _threads(), "shared": _shared_writable(), "bytes": self.base})
        if not setup["isolated"]:
            _silence()
            serve(self.control, self.handle, self.limits.frame)
        while True:
            if select.select([self.control], [], [], WATCH_SECONDS if self.children else None)[0]:
                self._obey(self._command())
            self._watch()

    def _command(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(frames.read(self.control, SETUP_FRAME)[1])
            return found
        except Lost:
            os._exit(0)  # whoever started us is gone

    def _say(self, answer: dict[str, Any]) -> None:
        self.control.settimeout(None)
        frames.write(self.control, 0, json.dumps(answer).encode())

    def _obey(self, command: dict[str, Any]) -> None:
        if command["do"] == "fork":
            _, handles, _, _ = socket.recv_fds(self.control, 1, 1)
            self._fork(handles[0])
        elif command["do"] == "end":
            self._end(command["pid"], command.get("why", ""))

    def _fork(self, handle: int) -> None:
        state = random.getstate()  # the module seeds itself anew in a fork
        session = socket.socket(fileno=handle)

        def child() -> None:
            random.setstate(state)
            self._become_answer(session)

        try:
            pid = confine.fork_into_new_pids(child)
        finally:
            session.close()
        self.children[pid] = ""
        self._say({"pid": pid})

    def _become_answer(self, session: socket.socket) -> NoReturn:
        """In the fork: give everything up, say so, and serve."""
        handle = session.fileno()
        try:
            self.control.close()
            _silence()
            confine.fresh_namespaces(self.limits, self.visible)
            confine.only_keep((handle,))
            confine.drop_everything(self.limits)
            os.chdir(confine.WORK)
        except BaseException as error:
            frames.write(session, 0, json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}).encode())
            os._exit(1)
        frames.write(session, 0, b"{}")
        serve(session, self.handle, self.limits.frame)

    def _end(self, pid: int, why: str) -> None:
        """End a child, all it started included, and say how it ended."""
        reason, status = self.children.get(pid, ""), None
        if pid in self.children:
            del self.children[pid]
            # One that is ending by itself may say how: its socket closes a moment before it can be waited for.
            patience = time.monotonic() + (0.0 if why else 0.5)
            while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < patience:
                time.sleep(0.005)
            if ended[0] == 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            else:
                status = os.waitstatus_to_exitcode(ended[1])
        self._say({"reason": reason, "status": status})

    def _watch(self) -> None:
        """End answers that use too much; what nobody asked about yet is kept with its reason."""
        if not any(not reason for reason in self.children.values()):
            return
        families = watch.families(set(self.children))
        for pid, members in families.items():
            if self.children[pid]:
                continue
            if len(members) > self.limits.processes:
                self.children[pid] = "processes"
            # Pages shared with a parent count twice in the quick sum; the slower one divides them.
            elif all(
                sum(map(size, members)) > self.base + self.limits.memory for size in (watch.private, watch.proportional)
            ):
                self.children[pid] = "memory"
            if self.children[pid]:
                os.kill(pid, signal.SIGKILL)  # process 1 of its namespace: the kernel ends the others


def prepare(prefix: list[str], handler: str) -> Handler:
    """Run the provided cells; returns what answers requests, in every fork.

    `handler` is "module:function"; the function is called once with the cells' sources, runs them, and returns an object
    with a method `handle`, from one request (bytes) to its reply (bytes).
    """
    module, _, name = handler.partition(":")
    sys.argv = [""]
    # One processor while they run: libraries that start a thread for each would take them into no fork.
    processors = os.sched_getaffinity(0) if sys.platform == "linux" else set()
    if processors:
        os.sched_setaffinity(0, {random.SystemRandom().choice(sorted(processors))})
    handle: Handler = getattr(importlib.import_module(module), name)(prefix).handle
    if processors:
        os.sched_setaffinity(0, processors)
    return handle


def serve(session: socket.socket, handle: Handler, largest: int) -> NoReturn:
    """Answer requests until the other end closes. What the student's code forks off must not answer as well."""
    me = os.getpid()
    status = 0
    try:
        while True:
            try:
                number, request = frames.read(session, largest)
            except Lost:
                break
            reply = handle(request)
            if os.getpid() != me:
                break
            session.settimeout(None)
            frames.write(session, number, reply)
    except BaseException:
        status = 1
    os._exit(status)


def _silence() -> None:
    """What is printed goes nowhere: replies have a channel of their own."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _threads() -> int:
    """Threads of this process: more than one, and a fork may wait for a lock nobody holds."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _shared_writable() -> list[str]:
    """Mappings that a fork would share with its siblings in both directions."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.split()[1][1] == "w" and line.split()[1][3] == "s"]


def main() -> None:
    """Start on the socket whose number is the first argument; Windows hands it over on standard input."""
    if sys.platform == "win32":
        control = socket.fromshare(sys.stdin.buffer.read())
    else:
        control = socket.socket(fileno=int(sys.argv[1]))
        os.set_inheritable(control.fileno(), False)
    Zygote(control).run()


if __name__ == "__main__":
    main()
