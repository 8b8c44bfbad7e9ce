"""Sessions without walls, in this process or a plain fork of it: for the course's own solutions, and for tests."""

from __future__ import annotations

import contextlib
import os
import signal
from multiprocessing import Pipe

from carelab.grading.cells import Cells
from carelab.grading.inside import Inside
from carelab.grading.known import Known
from carelab.grading.session import Lost


class InProcess:
    """A session in this very process, in a namespace that begins with what `cells` have run."""

    def __init__(self, cells: Cells, known: Known | None = None) -> None:
        mine = Cells()
        names = {name: value for name, value in cells.names.items() if not name.startswith("__")}
        mine.names.update({**names, "get_ipython": mine.names["get_ipython"]})
        self.inside = Inside(mine, known)

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """As of a session; `timeout` is not kept."""
        return self.inside.handle(frame)

    def close(self) -> None:
        """As of a session."""


class Forked:
    """A fork that goes on from what `cells` have run. Never for a stranger's code: it sees all that this process sees."""

    def __init__(self, cells: Cells, known: Known | None = None) -> None:
        self._connection, theirs = Pipe()
        self._child = os.fork()
        if self._child == 0:
            try:
                self._connection.close()
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                inside = Inside(cells, known)
                while True:
                    theirs.send_bytes(inside.handle(theirs.recv_bytes()))
            finally:
                os._exit(0)
        theirs.close()

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """As of a session."""
        try:
            self._connection.send_bytes(frame)
            if self._connection.poll(timeout):
                return self._connection.recv_bytes()
        except (EOFError, OSError):
            raise Lost("The answer ended its process.") from None
        self.close()
        raise Lost("The answer took too long: look for a loop that never ends.")

    def close(self) -> None:
        """End the fork. What that started itself goes on."""
        self._connection.close()
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = 0
