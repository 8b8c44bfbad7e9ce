"""Process 1 of the jail: `python jail.py SITE PORT SECONDS COMMAND …` listens, runs the command, and says what was heard.

Standard library only. Everything else in the jail ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

AFTER_SECONDS = 8.0  # what is left behind shows itself in that time
MEMORY = 5 << 30


def main(site: str, port: str, seconds: str, *command: str) -> None:
    heard: list[str] = []
    listening = [socket.create_server(("127.0.0.1", int(port)))]
    for name in (f"{site}/home/agent.sock", f"\0carelab-attacks-{port}"):
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(name)
        unix.listen()
        listening.append(unix)
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", int(port)))

    def accept(one: socket.socket) -> None:
        while True:
            line = one.accept()[0]
            line.settimeout(3)
            with line, contextlib.suppress(OSError):
                heard.append(line.recv(10_000).decode("utf-8", "replace"))

    def receive() -> None:
        while True:
            heard.append(datagrams.recv(10_000).decode("utf-8", "replace"))

    for one in listening:
        threading.Thread(target=accept, args=(one,), daemon=True).start()
    threading.Thread(target=receive, daemon=True).start()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))

    began = time.monotonic()
    with open(f"{site}/log.txt", "wb") as log:
        process = subprocess.Popen(
            command, cwd=f"{site}/course", stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=limited
        )
        try:
            code: int | None = process.wait(timeout=float(seconds))
        except subprocess.TimeoutExpired:
            code = None
        took = time.monotonic() - began
        end = time.monotonic() + AFTER_SECONDS
        while time.monotonic() < end and _others():
            time.sleep(0.2)
    result = {"code": code, "seconds": took, "heard": heard}
    Path(f"{site}/result.json").write_text(json.dumps(result), encoding="utf-8")
    os._exit(0)


def _others() -> bool:
    """Whether somebody else is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return any(name.isdigit() and int(name) != os.getpid() for name in os.listdir("/proc"))


if __name__ == "__main__":
    main(*sys.argv[1:])
