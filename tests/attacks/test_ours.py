"""Every attack of the corpus on our grader: it earns nothing, learns nothing, reaches nothing and harms nobody."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import tiny
from attacks.corpus import ATTACKS, Attack, Place, submit
from attacks.ways import Ours
from carelab.grading.sandbox.isolation import available

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))


class Ears:
    """A TCP port, a datagram port of the same number, and two Unix sockets; what was said to them."""

    def __init__(self, home: Path) -> None:
        self.heard: list[bytes] = []
        self._stack = contextlib.ExitStack()
        tcp = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = tcp.getsockname()[1]
        udp = self._stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", self.port))
        listening = [tcp]
        for name in (f"{home}/agent.sock", f"\0carelab-attacks-{self.port}"):
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
def ours() -> Iterator[Ours]:
    with Ours() as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def ears(site: Path) -> Iterator[Ears]:
    (site / "home").mkdir()
    made = Ears(site / "home")
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(site: Path, ears: Ears) -> Place:
    (site / "home").rename(site / "before")  # `furnish` makes it
    found = tiny.furnish(site, ears.port)
    os.link(site / "before" / "agent.sock", site / "home" / "agent.sock")
    (site / "course" / "gradebook.db").write_bytes(b"SQLite format 3\0### BEGIN HIDDEN TESTS")
    (site / "course" / "nbgrader_config.py").write_text("c = get_config()\n")
    return found


def tree(folder: Path) -> dict[str, str]:
    """What every file of a folder holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if "mallory" not in path.parts
    }


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_nowhere(attack: Attack, ours: Ours, site: Path, place: Place, ears: Ears, monkeypatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", tiny.CANARY)
    submitted = site / "course" / "submitted"
    folder = submitted / f"mallory-{attack.name}" / tiny.WEEK
    folder.parent.mkdir()
    submit(attack, site / "course" / "release" / tiny.WEEK, folder, place)
    before = tree(site)

    results = ours.grade(folder)

    assert sum(result.earned for result in results.values()) == 0, results
    assert not any(result.earned or result.status == "passed" for result in results.values())
    told = "\n".join(f"{r.message}\n{r.flag}\n{getattr(r, 'printed', '')}" for r in results.values())
    for word in (tiny.SECRET, tiny.CANARY, "LEAK["):
        assert word not in told
    assert len(told) < 100_000
    assert ears.heard == []
    assert tree(site) == before
    # Whoever comes next is not the worse for it.
    honest = ours.grade(submitted / "zoe" / tiny.WEEK)
    assert {result.status for result in honest.values()} == {"passed"}
    assert sum(result.earned for result in honest.values()) == 10
