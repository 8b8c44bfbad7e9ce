"""A place to attack on this very machine: what must not be read, written or talked to lies there.

Tests and benchmarks share the modules of this folder as the package `attacks`.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attacks import tiny
from attacks.attack import Place


class Ears:
    """A TCP port, a datagram port of the same number, and two Unix sockets; what was said to them."""

    def __init__(self, path: Path) -> None:
        self.heard: list[bytes] = []
        self._stack = contextlib.ExitStack()
        tcp = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = tcp.getsockname()[1]
        udp = self._stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", self.port))
        listening = [tcp]
        for name in (str(path), f"\0carelab-attacks-{self.port}"):
            unix = self._stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(name)
            unix.listen()
            listening.append(unix)
        for one in listening:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()
        threading.Thread(target=self._receive, args=(udp,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line = listening.accept()[0]
                line.settimeout(2)
                with line, contextlib.suppress(OSError):
                    self.heard.append(line.recv(10_000))

    def _receive(self, udp: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.heard.append(udp.recv(10_000))

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def ears(site: Path) -> Iterator[Ears]:
    made = Ears(site / "agent.sock")
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(site: Path, ears: Ears) -> Place:
    found = tiny.furnish(site, ears.port)
    (site / "home" / "agent.sock").hardlink_to(site / "agent.sock")
    (site / "course" / "gradebook.db").write_bytes(b"SQLite format 3\0### BEGIN HIDDEN TESTS")
    (site / "course" / "nbgrader_config.py").write_text("c = get_config()\n")
    return found


@pytest.fixture(scope="module")
def tree(site: Path) -> Callable[[], dict[str, str]]:
    """What every file holds that is not the attacker's own."""

    def read() -> dict[str, str]:
        return {
            str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            for path in sorted(site.rglob("*"))
            if "mallory" not in str(path)
        }

    return read
