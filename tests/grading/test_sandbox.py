"""What a hostile answer tries in the sandbox, and that each attempt would work without it."""

import ast
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from carelab.errors import UserError
from carelab.grading.sandbox import Died, Flooded, Garbled, Limits, Sandbox, TimedOut, available, isolation
from carelab.grading.session import Lost
from carelab.paths import COURSE, DATA, RELEASE, ROOT, SOLUTIONS

MIB = 1024 * 1024
PLAIN = "carelab.grading.sandbox.plain:prepared"

# Runs the source it is sent and gives back what that put into `result`, or the error's name.
STAND_IN = """
import os
class Runner:
    def __init__(self, names):
        self.names = dict(names)
    def handle(self, frame):
        self.names["result"] = None
        try:
            exec(frame.decode(), self.names)
        except Exception as error:
            return f"{type(error).__name__}: {error}".encode()
        result = self.names["result"]
        return result if isinstance(result, bytes) else str(result).encode()
"""
PREFIX = ["import random, tempfile\nfrom pathlib import Path\nrandom.seed(7)\nprovided = [1, 2, 3]", STAND_IN]
SMALL = Limits(memory=256 * MIB, processes=24, open_files=64, file_size=8 * MIB, scratch=16 * MIB, frame=MIB)


@pytest.fixture(scope="module")
def sandbox():
    reason = available()
    if reason:
        pytest.skip(f"no isolation on this machine: {reason}")
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as made:
        yield made


@pytest.fixture
def attempt(sandbox):
    """Run a source as a submission of its own."""

    def run(source: str, timeout: float = 20) -> str:
        with sandbox.open() as session:
            return session.exchange(source.encode(), timeout).decode()

    return run


@pytest.fixture
def plain(monkeypatch):
    """Run a source in a plain process: the control."""

    def run(source: str, timeout: float = 20) -> str:
        with pytest.warns(UserWarning, match="without isolation"):
            box = Sandbox(PREFIX, handler=PLAIN, limits=SMALL, unsafe=True)
        with box.open() as session:
            return session.exchange(source.encode(), timeout).decode()

    return run


def reads(path: object) -> str:
    return f"result = repr(open({str(path)!r}, 'rb').read(20))"


# --- honest work


def test_an_answer_sees_the_provided_cells_and_keeps_its_own_names(sandbox):
    with sandbox.open() as session:
        assert session.exchange(b"mine = sum(provided); result = mine", 20) == b"6"
        assert session.exchange(b"result = mine + 1", 20) == b"7"
        assert session.exchange(b"result = b'x' * 1000000", 20) == b"x" * 1_000_000


def test_an_answer_reads_the_released_data(attempt):
    assert attempt("from carelab.paths import data\nresult = data('MANIFEST.json').name") == "MANIFEST.json"


def test_answers_start_from_the_same_random_state(attempt, plain):
    source = "result = random.random()"
    assert attempt(source) == attempt(source) == plain(source)
    assert attempt(source) != attempt("import random as other\nother.seed(8); result = other.random()")


def test_files_of_the_provided_cells_are_there_and_open_ones_have_their_own_position():
    if reason := available():
        pytest.skip(reason)
    cell = "notes = open('notes.txt', 'w+'); notes.write('0123456789'); notes.flush(); notes.seek(3)"
    with (
        Sandbox([cell, STAND_IN], handler=PLAIN, limits=SMALL) as box,
        box.open() as one,
        box.open() as two,
    ):
        assert one.exchange(b"result = notes.read(4)", 20) == b"3456"
        assert one.exchange(b"notes.seek(0); notes.write('x'); notes.flush(); result = notes.tell()", 20) == b"1"
        assert two.exchange(b"result = notes.read(4)", 20) == b"3456"
        assert two.exchange(b"result = open('notes.txt').read()", 20) == b"0123456789"


def test_broken_provided_cells_are_told_in_a_sentence():
    if reason := available():
        pytest.skip(reason)
    with pytest.raises(UserError, match="ZeroDivisionError"):
        Sandbox(["1 / 0", STAND_IN], handler=PLAIN).open()


# --- reading


def places() -> list[Path]:
    return [
        next(SOLUTIONS.rglob("*.ipynb")),
        next(COURSE.rglob("exercises.py")),
        next(path for path in (DATA / "truth").rglob("*") if path.is_file()),
        COURSE / "nbgrader_config.py",
        ROOT / "pyproject.toml",
        next((ROOT / "tests" / "answers").rglob("*.py")),
    ]


@pytest.mark.parametrize("path", places(), ids=lambda path: path.name)
def test_nothing_of_the_course_beyond_the_release_can_be_read(attempt, plain, path):
    assert attempt(reads(path)).startswith(("FileNotFoundError", "NotADirectoryError"))
    assert "Error" not in plain(reads(path))


def test_the_gradebook_and_home_and_the_system_cannot_be_read(attempt, plain, tmp_path):
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_bytes(b"SQLite format 3")
    for path in (gradebook, Path.home() / ".profile", "/etc/shadow", "/etc/passwd", "/var", "/sys/kernel", "/run"):
        assert attempt(reads(path)).startswith(("FileNotFoundError", "PermissionError", "NotADirectoryError")), path
    assert plain(reads(gradebook)) == "b'SQLite format 3'"
    walk = f"import os; result = [os.path.join({str(ROOT)!r}, name) for name in os.listdir({str(ROOT)!r})]"
    assert set(ast.literal_eval(attempt(walk))) <= {str(RELEASE), str(DATA.parent), str(isolation.SOURCES), sys.prefix}
    assert str(SOLUTIONS) in plain(walk)


def test_the_released_notebooks_are_the_only_notebooks(attempt):
    source = (
        "import os\n"
        "result = sorted(os.path.join(a, f) for a, _, fs in os.walk('/') for f in fs if f.endswith('.ipynb')"
        " and '/site-packages/' not in a and not a.startswith(('/usr', '/proc')))"
    )
    found = attempt(source, 120)
    assert str(SOLUTIONS) not in found
    assert all(str(path) in found for path in RELEASE.glob("week_*/*.ipynb"))


def test_a_course_inside_the_interpreters_folder_is_covered(monkeypatch, tmp_path, sandbox):
    monkeypatch.setattr(isolation, "hidden", lambda: [f"{isolation.SOURCES}/carelab/llm"])
    inside = "import os; result = os.listdir(os.path.join(os.environ['PYTHONPATH'], 'carelab', 'llm'))"
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as box, box.open() as session:
        assert session.exchange(inside.encode(), 20) == b"[]"
    with sandbox.open() as session:  # the control: it is there when it is not covered
        assert b"chat.py" in session.exchange(inside.encode(), 20)


@pytest.mark.parametrize("name", ["synth.building", "synth.config", "build.pipeline"])
def test_the_programs_that_make_the_truth_and_the_solutions_are_not_there(attempt, plain, name):
    source = f"import carelab.{name}; result = 'imported'"
    assert "ModuleNotFoundError" in attempt(source) and plain(source) == "imported"


def test_the_callers_environment_does_not_come_along(monkeypatch, plain):
    if reason := available():
        pytest.skip(reason)
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    source = "import os; result = os.environ.get('SECRET_TOKEN')"
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as box, box.open() as session:
        assert session.exchange(source.encode(), 20) == b"None"
        assert b"hunter2" not in session.exchange(b"result = open('/proc/self/environ').read()", 20)
    assert plain(source) == "hunter2"


# --- other processes

PIDS = "import os; result = sorted(int(n) for n in os.listdir('/proc') if n.isdigit())"


def test_an_answer_sees_no_process_but_its_own(sandbox, plain):
    with sandbox.open() as other, sandbox.open() as session:
        assert other.exchange(b"result = 1", 20) == b"1"
        assert session.exchange(PIDS.encode(), 20) == b"[1]"
    assert str(os.getpid()) in plain(PIDS)


def test_signals_reach_nobody_else(sandbox, plain):
    victim = subprocess.Popen(["sleep", "60"])
    source = f"import os, signal\nos.kill({victim.pid}, 9)\nresult = 'killed'"
    everybody = (
        "import os\n"
        "for pid in [-1, *range(2, 400)]:\n"
        "    try: os.kill(pid, 9)\n"
        "    except OSError: pass\n"
        "result = 'still here'"
    )
    try:
        with sandbox.open() as other, sandbox.open() as session:
            assert session.exchange(source.encode(), 20).startswith(b"ProcessLookupError")
            assert session.exchange(everybody.encode(), 20) == b"still here"
            assert session.exchange(b"import os; os.kill(1, 9); result = 'cannot end even itself so'", 20).startswith(
                b"can"
            )
            assert other.exchange(b"result = 'alive'", 20) == b"alive"
            zygote = sandbox._process
            assert zygote.alive
        assert victim.poll() is None
        with sandbox.open() as session:
            assert session.exchange(b"result = 'next'", 20) == b"next"
        assert sandbox._process is zygote
        assert plain(source) == "killed"
        assert victim.wait(10) == -signal.SIGKILL
    finally:
        victim.kill()
        victim.wait()


TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
worked = []
for pid in [*range(2, 60), os.getppid()]:
    if pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0: worked.append(pid)
result = worked
"""


def test_ptrace_and_the_memory_of_others_are_out_of_reach(attempt, plain):
    assert attempt(TRACE) == "[]"
    assert attempt("import os; result = os.getppid()") == "0"
    assert attempt("result = open(f'/proc/0/mem', 'rb')").startswith("FileNotFoundError")
    child = (
        "import subprocess, ctypes, os, time\n"
        "other = subprocess.Popen(['sleep', '20']); time.sleep(0.2)\n"
        "libc = ctypes.CDLL(None)\n"
        "result = libc.ptrace(16, other.pid, 0, 0); other.kill()"
    )
    assert attempt(child) == "-1"  # not even its own
    assert plain(child) == "0"


def test_nothing_is_left_for_the_next_answer(sandbox):
    leave = (
        "import os, subprocess, sys\n"
        "for place in ('/tmp', '/dev/shm', os.environ['HOME'], os.getcwd()):\n"
        "    Path(place, 'left').write_text('for you')\n"
        "Path('/tmp/link').symlink_to('/tmp/left')\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        import time; time.sleep(600)\n"
        "    os._exit(0)\n"
        "result = Path('/tmp/left').read_text()"
    )
    look = (
        "import os\n"
        "result = [str(p) for d in ('/tmp', '/dev/shm', os.environ['HOME'], os.getcwd())"
        " for name in ('left', 'link') for p in Path(d).glob(name)]"
    )
    before = processes_inside(sandbox)
    with sandbox.open() as session:
        assert session.exchange(leave.encode(), 20) == b"for you"
        assert session.exchange(look.encode(), 20) != b"[]"  # the control: it is there for the one who left it
        assert len(processes_inside(sandbox)) >= len(before) + 2
        with sandbox.open() as sibling:
            assert sibling.exchange(look.encode(), 20) == b"[]"
            assert sibling.exchange(PIDS.encode(), 20) == b"[1]"
    assert processes_inside(sandbox) == before


def processes_inside(sandbox: Sandbox) -> set[int]:
    """Every process under the sandbox's bubblewrap, seen from outside."""
    if sandbox._process is None:
        sandbox.open().close()
    return family(sandbox._process._contained.process.pid)


def family(root: int) -> set[int]:
    """A process and all under it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def test_what_lies_under_tmp_on_the_machine_is_still_read_only_there(monkeypatch, tmp_path, sandbox):
    """A course in /tmp: each answer has a /tmp of its own, and sees the course in it."""
    (tmp_path / "course.txt").write_text("here")
    tmp_path.chmod(0o755)
    shown = isolation.visible()
    monkeypatch.setattr(isolation, "visible", lambda: [*shown, (str(tmp_path), str(tmp_path))])
    source = f"result = Path({str(tmp_path / 'course.txt')!r}).read_text(); Path({str(tmp_path)!r}, 'left').touch()"
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as box, box.open() as session:
        assert b"Read-only file system" in session.exchange(source.encode(), 20)
        assert session.exchange(b"result = Path('/tmp/mine').write_text('x')", 20) == b"1"
    with sandbox.open() as session:  # the control: it is not there when it is not shown
        assert b"FileNotFoundError" in session.exchange(source.encode(), 20)


# --- the network


@pytest.fixture
def service():
    """A TCP service and an abstract Unix socket on this machine; what reached them."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        name = f"carelab-test-{os.getpid()}"
        unix.bind(f"\0{name}")
        unix.listen()
        yield tcp.getsockname()[1], name


def test_nothing_can_be_reached_over_the_network(attempt, plain, service):
    port, name = service
    tcp = f"import socket; socket.create_connection(('127.0.0.1', {port}), 3); result = 'connected'"
    unix = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0{name}'); result = 'connected'"
    for source in (tcp, unix):
        assert "Error" in attempt(source)
        assert plain(source) == "connected"
    udp = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); result = s.sendto(b'x', ('192.0.2.1', 53))"
    assert "Network is unreachable" in attempt(udp)
    assert "gaierror" in attempt("import socket; result = socket.getaddrinfo('example.org', 80)")
    assert attempt("result = open('/proc/net/dev').read().count(':')") == "1"  # its own loopback, and that is down
    for kind in (
        "AF_VSOCK, socket.SOCK_STREAM",
        "AF_NETLINK, socket.SOCK_RAW, 12",  # NETLINK_NETFILTER
        "AF_PACKET, socket.SOCK_RAW",
        "AF_ALG, socket.SOCK_SEQPACKET",
    ):
        assert "PermissionError" in attempt(f"import socket; socket.socket(socket.{kind})"), kind
    assert attempt("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()") == "None"


# --- writing


def test_nothing_outside_can_be_written(attempt, plain, tmp_path):
    tmp_path.chmod(0o777)
    target = tmp_path / "left"
    write = f"Path({str(target)!r}).write_text('x'); result = 'written'"
    assert "Error" in attempt(write)
    assert not target.exists()
    assert plain(write) == "written"
    for place in ("/", "/usr", "/etc", "/dev", "/proc/sys/kernel", str(isolation.SOURCES), sys.prefix, str(DATA)):
        # A folder that only leads to the course's own is a private one: written to, and never seen outside.
        told = attempt(f"Path({place!r}, 'left').write_text('x')")
        assert not Path(place, "left").exists()
        assert "Error" in told or place == str(DATA), place
    for knob in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/pid_max",
        "/proc/sysrq-trigger",
    ):
        assert "Error" in attempt(f"Path({knob!r}).write_text('1')"), knob
    links = (
        "import os\n"
        f"os.symlink({str(SOLUTIONS)!r}, '/tmp/a'); os.symlink('/proc/1/root', '/tmp/b'); os.symlink('/proc/self/cwd/../..', 'c')\n"
        f"result = [os.path.exists(p + {str(SOLUTIONS)!r}) or os.path.exists(p + '/solutions') for p in ('/tmp/b', 'c')]"
        " + [os.path.exists('/tmp/a')]"
    )
    assert attempt(links) == "[False, False, False]"


# --- what it inherits and what it may become


def test_one_socket_and_nothing_else_is_inherited(attempt, plain):
    source = (
        "import os\n"
        "result = sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')"
        " if os.path.lexists(f'/proc/self/fd/{n}'))"
    )
    found = attempt(source)
    assert found.count("socket:") == 1 and found.count("/dev/null") == 3 and found.count("'") == 8


def test_it_has_no_capabilities_and_cannot_get_any(attempt, plain):
    state = "result = open('/proc/self/status').read()"
    found = dict(line.split(":\t", 1) for line in attempt(state).splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[name], 16) == 0, name
    assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"
    assert set(found["Uid"].split()) == {"1000"}
    assert "NoNewPrivs:\t0" in plain(state)
    assert "Error" in attempt("import os; os.setuid(0)")
    assert "Error" in attempt("import os; os.write(os.open('/proc/self/uid_map', os.O_WRONLY), b'0 0 1')")


SYSTEM_CALLS = {
    "a user namespace": "libc.unshare(0x10000000)",
    "a user namespace by clone": "libc.syscall(56 if platform.machine() == 'x86_64' else 220, 0x10000011, 0, 0, 0, 0)",
    "mount": "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
    "umount": "libc.umount2(b'/tmp', 2)",
    "setns": "libc.setns(os.open('/proc/self/ns/net', 0), 0)",
    "chroot": "libc.chroot(b'/')",
    "bpf": "libc.syscall(321 if platform.machine() == 'x86_64' else 280, 0, 0, 0)",
    "io_uring": "libc.syscall(425, 8, ctypes.byref(ctypes.create_string_buffer(256)))",
    "userfaultfd": "libc.syscall(323 if platform.machine() == 'x86_64' else 282, 1)",
    "keyctl": "libc.syscall(250 if platform.machine() == 'x86_64' else 219, 0, -3, 1)",
    "memfd_create": "libc.memfd_create(b'x', 0)",
    "shmget": "libc.shmget(0, 4096, 0o1600)",
}
WORKS_WITHOUT = ("setns", "memfd_create", "shmget", "io_uring", "keyctl")


@pytest.mark.parametrize("what", SYSTEM_CALLS)
def test_forbidden_system_calls_are_refused(attempt, plain, what):
    source = (
        "import ctypes, os, platform\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"me = os.getpid(); got = {SYSTEM_CALLS[what]}\n"
        "if os.getpid() != me: os._exit(0)\n"
        "result = 'refused' if got == -1 and ctypes.get_errno() in (1, 38) else got"
    )
    assert attempt(source) == "refused"
    if what in ("memfd_create", "shmget"):
        assert plain(source) != "refused"


def test_limits_cannot_be_raised_again(attempt):
    source = (
        "import resource as r\nresult = []\n"
        "for n in (r.RLIMIT_AS, r.RLIMIT_NPROC, r.RLIMIT_NOFILE, r.RLIMIT_FSIZE, r.RLIMIT_CPU):\n"
        "    soft, hard = r.getrlimit(n)\n"
        "    try: r.setrlimit(n, (hard * 2, hard * 2)); result.append(n)\n"
        "    except (ValueError, OSError): pass\n"
        "    if hard == r.RLIM_INFINITY: result.append(('none', n))"
    )
    assert attempt(source) == "[]"


# --- bombs


def test_a_fork_bomb_stops_at_its_limit_and_hurts_nobody(sandbox):
    bomb = (
        "import os, time\ncount = 0\n"
        "try:\n"
        "    while count < 200:\n"
        "        if os.fork() == 0: time.sleep(600); os._exit(0)\n"
        "        count += 1\n"
        "except OSError: pass\n"
        "result = count"
    )
    with sandbox.open() as other, sandbox.open() as session:
        assert 5 <= int(session.exchange(bomb.encode(), 60)) < SMALL.processes
        assert other.exchange(b"import subprocess; result = subprocess.call(['true'])", 20) == b"0"


def test_a_memory_bomb_ends_with_a_sentence(sandbox):
    with sandbox.open() as other:
        with sandbox.open() as session:
            assert b"MemoryError" in session.exchange(b"x = bytearray(2 * 1024 ** 3)", 60)
        spread = (
            "import mmap, os, time\n"
            "for _ in range(6):\n"
            "    if os.fork() == 0:\n"
            "        block = mmap.mmap(-1, 120 * 1024 ** 2)\n"
            "        for n in range(0, len(block), 4096): block[n] = 1\n"
            "        time.sleep(600)\n"
            "time.sleep(600)"
        )
        with sandbox.open() as session, pytest.raises(Died, match="256 MB of memory"):
            session.exchange(spread.encode(), 60)
        assert other.exchange(b"result = 'alive'", 20) == b"alive"


def test_disks_fill_only_for_oneself(sandbox):
    fill = (
        "written = 0\n"
        "try:\n"
        "    for n in range(50):\n"
        "        with open(f'/tmp/{n}', 'wb') as f: written += f.write(bytes(4 * 1024 ** 2))\n"
        "except OSError as error: result = (written, error.strerror)"
    )
    with sandbox.open() as session, sandbox.open() as other:
        assert b"No space left" in session.exchange(fill.encode(), 60)
        assert other.exchange(b"result = Path('/tmp/x').write_bytes(bytes(4 * 1024 ** 2))", 20) == b"4194304"
    with sandbox.open() as session:
        names = b"n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close(); n += 1"
        assert b"No space left" in session.exchange(names, 60)
    with sandbox.open() as session:
        assert b"File too large" in session.exchange(b"open('big', 'wb').truncate(9 * 1024 ** 2)", 60)


# --- the channel

FIND = "import os, socket\nfd = next(int(n) for n in os.listdir('/proc/self/fd') if 'socket' in os.readlink(f'/proc/self/fd/{n}'))\n"
HEADER = "import struct\nhead = lambda n, size, mark=b'clab': struct.pack('>4sIQ', mark, n, size)\n"


def test_printing_cannot_reach_the_channel(sandbox):
    with sandbox.open() as session:
        loud = (
            b"import os\nfor _ in range(200): os.write(1, b'x' * 65536); os.write(2, b'x' * 65536); print('x' * 65536)\n"
            b"result = 'done'"
        )
        assert session.exchange(loud, 60) == b"done"
        assert session.exchange(b"result = os.system('yes | head -c 10000000') ", 60) == b"0"


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("os.write(fd, b'hello, this is no frame')", Garbled),
        ("os.write(fd, head(1, 2) + b'ok')", Garbled),  # then the real reply: two for one
        ("os.write(fd, head(99, 2) + b'ok')", Garbled),
        ("os.write(fd, head(1, 1 << 40))", Flooded),
        ("os.write(fd, head(1, 1 << 62) + b'x' * 1000); os._exit(0)", Flooded),
        ("os.write(fd, head(1, 1000) + b'x'); os._exit(0)", Died),
        ("os.write(fd, head(1, 1000) + b'x'); import time; time.sleep(600)", TimedOut),
        ("result = b'x' * 3_000_000", Flooded),
        ("import time; time.sleep(600)", TimedOut),
        ("while True: pass", TimedOut),
        ("os._exit(0)", Died),
        ("os.close(fd)", Died),
        ("raise SystemExit", Died),
        ("import ctypes; ctypes.string_at(0)", Died),
        ("os.fork(); result = 1", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_channel_that_is_abused_is_lost_with_a_sentence(sandbox, what, expected):
    """Whatever it does, the session ends in the kind of loss that fits, and the next answer is served as ever."""
    source = (FIND + HEADER + what).encode()

    def talk() -> bytes:
        with sandbox.open() as session:
            first = session.exchange(source, 3)
            time.sleep(0.1)
            assert session.exchange(b"result = 'second'", 3) == b"second"
            return first

    if expected is None:
        assert talk() == b"1"
    else:
        with pytest.raises(Lost) as caught:
            talk()
        assert type(caught.value) is expected
        assert str(caught.value).endswith(".") and len(str(caught.value)) > 20
    with sandbox.open() as session:
        assert session.exchange(b"result = 'next'", 20) == b"next"


def test_a_lost_session_gives_nothing_more_and_its_processes_are_gone(sandbox):
    before = processes_inside(sandbox)
    session = sandbox.open()
    with pytest.raises(TimedOut):
        session.exchange(
            b"import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\nwhile True: pass", 2
        )
    with pytest.raises(Died):
        session.exchange(b"result = 1", 2)
    assert processes_inside(sandbox) == before


def test_an_answer_that_does_not_read_cannot_block_the_grader(sandbox):
    with sandbox.open() as session, pytest.raises(Lost):
        session.exchange(b"import time\nresult = 1\n" + b"#" * 1000, 5)
        session.exchange((FIND + "import time\ntime.sleep(600)").encode(), 1)


# --- the zygote


def test_a_dead_zygote_is_started_again():
    if reason := available():
        pytest.skip(reason)
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as box:
        session = box.open()
        box._process._contained.kill()
        with pytest.raises(Died):
            session.exchange(b"result = 1", 20)
        with box.open() as again:
            assert again.exchange(b"result = 'again'", 20) == b"again"


def test_a_forked_grader_has_a_zygote_of_its_own():
    if reason := available():
        pytest.skip(reason)
    with Sandbox(PREFIX, handler=PLAIN, limits=SMALL) as box, box.open() as session:
        mine = box._process._contained.process.pid
        pid = os.fork()
        if pid == 0:
            status = 1
            with contextlib.suppress(BaseException), box.open() as other:
                right = other.exchange(b"result = 2", 30) == b"2" and box._process._contained.process.pid != mine
                status = 0 if right else 2
            with contextlib.suppress(BaseException):
                box.close()
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert session.exchange(b"result = 1", 20) == b"1"


def test_several_threads_share_a_sandbox(sandbox):
    got: list[bytes] = []

    def work(n: int) -> None:
        with sandbox.open() as session:
            got.append(session.exchange(f"result = {n} * 2".encode(), 30))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=int) == [str(2 * n).encode() for n in range(6)]


def test_everything_ends_with_the_grader(tmp_path):
    """A grader that is killed leaves nothing behind, not even an answer that never ends and asked for no signals."""
    if reason := available():
        pytest.skip(reason)
    answer = "import ctypes, os\nctypes.CDLL(None).prctl(1, 0)\nos.fork()\nos.setsid() if os.getpid() != 1 else 0\nwhile True: pass"
    code = (
        "import os, signal\nfrom carelab.grading.sandbox import Sandbox\n"
        f"box = Sandbox({PREFIX!r}, handler={PLAIN!r})\nsession = box.open()\n"
        "print(box._process._contained.process.pid, flush=True)\n"
        f"session.exchange({answer.encode()!r}, 600)"
    )
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    bwrap = int(grader.stdout.readline())
    patience = time.monotonic() + 30
    while len(family(bwrap)) < 4 and time.monotonic() < patience:
        time.sleep(0.05)
    inside = family(bwrap)
    assert len(inside) >= 4  # bubblewrap, the zygote, the answer and what it started
    handles = [os.pidfd_open(pid) for pid in inside]
    grader.kill()
    grader.wait()
    try:
        for handle in handles:
            assert select.select([handle], [], [], 30)[0], "a process is still there"
    finally:
        for handle in handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)


def test_shared_memory_of_the_provided_cells_is_refused():
    if reason := available():
        pytest.skip(reason)
    with pytest.raises(UserError, match="all answers would share"):
        Sandbox(["import mmap; block = mmap.mmap(-1, 4096)", STAND_IN], handler=PLAIN).open()


# --- machines without isolation


def test_a_machine_without_isolation_is_refused_with_a_sentence(monkeypatch):
    monkeypatch.setattr(isolation.shutil, "which", lambda name: None)
    if sys.platform == "linux":
        with pytest.raises(UserError, match="apt install bubblewrap"):
            Sandbox(PREFIX)
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    with pytest.raises(UserError, match="macOS"):
        Sandbox(PREFIX)


def test_where_namespaces_are_forbidden_it_says_so(attempt):
    """Inside the sandbox, bubblewrap is there and may not make another one."""
    said = attempt("from carelab.grading.sandbox import available; result = available()", 60)
    assert "CARELAB_UNSAFE=1" in said and said.endswith(".") and "Error" not in said
    assert available() is None  # the control: outside it may


@pytest.mark.parametrize(
    ("knob", "value", "advice"),
    [
        ("user/max_user_namespaces", 0, "user.max_user_namespaces=10000"),
        ("kernel/unprivileged_userns_clone", 0, "unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", 1, "apparmor_restrict_unprivileged_userns=0"),
        (None, 0, "it says: bwrap: no luck"),
    ],
)
def test_the_advice_fits_what_is_in_the_way(monkeypatch, knob, value, advice):
    monkeypatch.setattr(isolation, "_number", lambda path: value if path == f"/proc/sys/{knob}" else None)
    monkeypatch.setattr(isolation.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(isolation.os.path, "exists", lambda path: False)
    assert advice in isolation._why("first line\nbwrap: no luck")


def test_unsafe_sessions_speak_the_same_frames(plain):
    assert plain("result = sum(provided)") == "6"
    with pytest.raises(Died, match="ended Python"):
        plain("os._exit(3)")
    with pytest.raises(TimedOut):
        plain("while True: pass", 2)
    with pytest.raises(Flooded):
        plain("result = b'x' * 3_000_000")


def test_limits_survive_their_journey():
    assert Limits.load(SMALL.dump()) == SMALL
    with pytest.raises(TypeError):
        Limits.load(json.dumps({"unheard_of": 1}))
