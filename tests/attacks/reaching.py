"""Attacks that want out: to the network, to files that are not theirs, to other namespaces.

What they reach hears or holds a tag REACH[…]; printing one is reaching nobody.
"""

from __future__ import annotations

from attacks.attack import TELL, Attack

# Writes into a file of somebody else, wherever it may be found from here.
WRITING = """
import glob, os
def spoil(*patterns, text="# REACH[{name}] written by an answer\\n"):
    for pattern in patterns:
        for path in glob.glob(pattern):
            try:
                with open(path, "a") as file:
                    file.write(text)
            except OSError:
                pass
"""

ATTACKS = [
    Attack(
        "socket",
        "Sends what it likes to a TCP socket.",
        "reach",
        TELL + "tell('REACH[socket]')",
        listed=True,
    ),
    Attack(
        "config",
        "Writes into nbgrader_config.py, which the next command will run.",
        "reach",
        WRITING + 'spoil("$COURSE/nbgrader_config.py", "../../../nbgrader_config.py")',
        listed=True,
    ),
    Attack(
        "start-up-files",
        "Leaves start-up files for the next Python, shell and Jupyter of the person who grades.",
        "reach",
        """
import os, site, sys
for path in ("$HOME/.profile", "$HOME/.ipython/profile_default/startup/00-hello.py", "$HOME/.jupyter/jupyter_config.py",
             "$HOME/.config/git/config", os.path.expanduser("~/.profile"),
             *[f"{place}/sitecustomize.py" for place in [*site.getsitepackages(), site.getusersitepackages(), sys.prefix]]):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a") as file:
            file.write("# REACH[start-up-files]\\n")
    except OSError:
        pass
""",
    ),
    Attack(
        "udp-and-names",
        "Sends datagrams and asks for names, which is a way out where TCP is not.",
        "reach",
        """
import socket
for host in ("127.0.0.1", "::1", "192.0.2.1"):
    try:
        line = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        line.settimeout(1)
        line.sendto(b"REACH[udp]\\n", (host, $PORT))
        socket.getaddrinfo("reach.example.org", 80)
    except OSError:
        pass
""",
    ),
    Attack(
        "unix-socket",
        "Talks to a service of the machine over its socket in the file system.",
        "reach",
        """
import glob, socket
for path in ["$HOME/agent.sock", *glob.glob("/run/*.sock"), *glob.glob("/tmp/*/*.sock")]:
    try:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(1)
        line.connect(path)
        line.sendall(b"REACH[unix]\\n")
    except OSError:
        pass
""",
    ),
    Attack(
        "abstract-socket",
        "Talks to a service over a socket without a file, which no file permission guards.",
        "reach",
        """
import socket
try:
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(1)
    line.connect("\\0carelab-attacks-$PORT")
    line.sendall(b"REACH[abstract]\\n")
except OSError:
    pass
""",
    ),
    Attack(
        "namespaces",
        "Makes namespaces of its own, mounts, and looks out through the root of process 1.",
        "reach",
        """
import ctypes, os, subprocess
libc = ctypes.CDLL(None)
for flags in (0x10000000, 0x10020000, 0x20000, 0x40000000):
    if os.fork() == 0:
        if libc.unshare(flags) == 0 and libc.mount(b"none", b"/usr", b"tmpfs", 0, b"") == 0:
            try:
                open("/proc/1/root$HOME/left", "w").write("REACH[namespaces]")
            except OSError:
                pass
        os._exit(0)
for top in ("/proc/1/root", "/proc/self/root/..", "/proc/1/cwd/../../..", *[f"/proc/{p}/root" for p in os.listdir("/proc") if p.isdigit()]):
    try:
        open(f"{top}$HOME/left", "w").write("REACH[namespaces]")
    except OSError:
        pass
for target in ("$HOME/left", "$COURSE/left"):
    for way in ("nsenter -t 1 -a", "bwrap --bind / /", "sudo -n"):
        try:
            subprocess.run([*way.split(), "touch", target], timeout=5, capture_output=True)
        except Exception:
            pass
""",
    ),
    Attack(
        "kernel-knobs",
        "Writes into the kernel's own settings, devices and the core pattern.",
        "reach",
        """
import os
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/sys/kernel/uevent_helper", "/dev/mem", "/dev/sda"):
    try:
        file = os.open(path, os.O_WRONLY)
        open("$HOME/left", "w").write("REACH[knobs] " + path)
    except OSError:
        pass
""",
    ),
    Attack(
        "later-writer",
        "Leaves a process behind that goes on writing after the grading.",
        "reach",
        TELL
        + WRITING
        + """
import time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    import sys
    parent = os.getppid()
    for _ in range(100):
        time.sleep(0.1)
        spoil("$COURSE/submitted/*/*/*.ipynb", "$COURSE/autograded/*/*/*.ipynb", "$COURSE/feedback/*", "$HOME/secret.txt")
        tell("REACH[later-writer]")
    os._exit(0)
""",
    ),
    Attack(
        "own-grade",
        "Writes into the autograded copies and feedback that will be read.",
        "reach",
        WRITING
        + 'spoil("$COURSE/release/*/*", "$COURSE/source/*/*", "$COURSE/gradebook.db-journal", "$HOME/secret.txt")',
    ),
    Attack(
        "debugger",
        "Takes hold of the grading process and has it run code.",
        "reach",
        """
import ctypes, os
libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
parent = os.getppid()
if parent and libc.ptrace(16, parent, None, None) == 0:
    try:
        open("$HOME/left", "w").write("REACH[debugger]")
    except OSError:
        pass
    libc.ptrace(17, parent, None, None)
""",
    ),
    Attack(
        "shared-memory",
        "Leaves something in shared memory, in /tmp and in the work folder for the answers that come after it.",
        "reach",
        """
import os
for folder in ("/dev/shm", "/tmp", "/var/tmp", ".."):
    try:
        open(f"{folder}/carelab-left", "w").write("REACH[shared-memory]")
    except OSError:
        pass
""",
    ),
]
