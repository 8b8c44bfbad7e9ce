"""The outer sandbox: one bubblewrap command with a list of what may be seen, and whether this machine can run it."""

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import carelab
from carelab.errors import UserError
from carelab.grading.sandbox import seccomp
from carelab.grading.sandbox.confine import HOME, WORK, WRITABLE
from carelab.grading.sandbox.limits import Limits
from carelab.paths import COURSE, DATA, RECORDINGS, RELEASE, ROOT, SOLUTIONS, WORKSPACE
from carelab.quiet import QUIET_ENVIRONMENT, RECORDED_ONLY

SOURCES = Path(carelab.__file__).resolve().parents[1]
TRUTH = DATA / "truth"
KILL_SECONDS = 10.0
NOBODY = 65534  # the real user of a student's process when root grades
_SYSTEM = ("/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/fonts")
_UNSAFE = "or set CARELAB_UNSAFE=1 to run answers without isolation, if you trust everybody who wrote them"

# More threads than one would be neither quicker in a grader that runs several answers at once, nor survive a fork.
ENVIRONMENT = {
    **QUIET_ENVIRONMENT,
    **RECORDED_ONLY,
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")},
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "MPLBACKEND": "Agg",
    "LANG": "C.UTF-8",
}


def visible() -> list[tuple[str, str]]:
    """What a student's process may read: (path on the machine, path in the sandbox), parents first."""
    found: dict[str, str] = {}
    for folder in (sys.base_prefix, sys.base_exec_prefix, sys.prefix, str(SOURCES)):
        # A link in the path to an interpreter is a folder inside.
        found |= {folder: os.path.realpath(folder), os.path.realpath(folder): os.path.realpath(folder)}
    shown = [*RELEASE.glob("week_*"), *(entry for entry in DATA.glob("*") if entry.name != TRUTH.name), RECORDINGS]
    for path in shown:
        if path.exists() and not path.is_symlink():
            found[str(path)] = str(path)
    for place in _ETC:
        if os.path.exists(place):
            found[place] = os.path.realpath(place)
    found["/usr"] = "/usr"
    return [(source, target) for target, source in sorted(found.items())]


def hidden() -> list[str]:
    """What must stay unseen though a folder around it is shown: the interpreter's, or our own package's.

    The course itself may lie inside a conda environment; and the programs that make the synthetic world and the notebooks
    could make the hidden truth and the solutions again.
    """
    course = (SOLUTIONS, COURSE, TRUTH, WORKSPACE, ROOT / ".git", ROOT / "tests")
    return [str(path) for path in (*course, SOURCES / "carelab" / "synth", SOURCES / "carelab" / "build")]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every variable a student's process has."""
    return {
        **ENVIRONMENT,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(SOURCES),
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": "/tmp",
        **(extra or {}),
    }


def command(
    arguments: Sequence[str],
    limits: Limits,
    *,
    extra_environment: Mapping[str, str] | None = None,
    extra_binds: Sequence[tuple[str, str, str]] = (),
    handles: Sequence[str] = (),
) -> list[str]:
    """The bubblewrap command that runs `arguments` as uid 0 of a new user namespace, which is nobody outside of it.

    extra_binds: (option of bubblewrap, source, target). handles: further options, of file descriptors.
    The process in it must call `confine.drop_everything` before it runs anything a student wrote.
    """
    bwrap = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--new-session", "--cap-add", "ALL"]
    # As process 1 of the sandbox: when it ends, by itself or because the grader is gone, the kernel ends everybody else.
    bwrap += ["--as-pid-1", "--hostname", "sandbox", "--clearenv", *handles]
    if os.geteuid() != 0:
        bwrap += ["--uid", "0", "--gid", "0"]
    for name, value in environment(extra_environment).items():
        bwrap += ["--setenv", name, value]
    bwrap += ["--proc", "/proc", "--dev", "/dev"]
    for place in WRITABLE:
        bwrap += ["--size", str(limits.scratch), "--tmpfs", place]
    bwrap += ["--dir", HOME, "--dir", WORK]
    for place in _SYSTEM:
        if os.path.islink(place):
            bwrap += ["--symlink", os.readlink(place), place]
        elif os.path.isdir(place):
            bwrap += ["--ro-bind", place, place]
    shown = visible()
    # Made by bubblewrap on its way, folders would be for the sandbox's root only.
    for folder in sorted({str(above) for _, target in shown for above in Path(target).parents[:-1]}):
        bwrap += ["--dir", folder]
    for source, target in shown:
        bwrap += ["--ro-bind", source, target]
    for place in hidden():
        if os.path.isdir(place) and any(_within(place, target) for _, target in shown):
            bwrap += ["--tmpfs", place, "--remount-ro", place]
    for option, source, target in extra_binds:
        bwrap += [option, source, target]
    return [*bwrap, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK, "--", *arguments]


def _within(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


@dataclass
class Contained:
    """A running bubblewrap: the process we started, and a handle on process 1 inside, whose end is everybody's end."""

    process: "subprocess.Popen[bytes]"
    inside: int = field(default=-1)  # a pidfd
    _lock: threading.Lock = field(default_factory=threading.Lock)  # its number must not be another's when it is used

    def end(self) -> None:
        """Tell the kernel to end everything in the sandbox."""
        with self._lock, contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.inside, signal.SIGKILL)

    def kill(self) -> None:
        """End everything in the sandbox, and wait for it; a second call does nothing."""
        if self.inside >= 0:
            self.end()
            gone = select.poll()
            gone.register(self.inside, select.POLLIN)
            gone.poll(KILL_SECONDS * 1000)  # until process 1, and so everybody, has ended
            with self._lock:
                os.close(self.inside)
                self.inside = -1
        self.process.kill()
        self.process.wait()


def start(
    arguments: Sequence[str],
    limits: Limits,
    *,
    pass_fds: Sequence[int] = (),
    stderr: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.DEVNULL,
    extra_environment: Mapping[str, str] | None = None,
    extra_binds: Sequence[tuple[str, str, str]] = (),
) -> Contained:
    """Run `arguments` in the outer sandbox.

    Started by root, it has two users: 0, who is root outside and only sets up, and 1, who is nobody outside.
    Raises UserError when bubblewrap ends before the sandbox stands.
    """
    told, tell = os.pipe()  # bubblewrap tells us the pid of its process 1
    wait, go = os.pipe()  # and waits until its users are mapped, when we do that
    root = os.geteuid() == 0
    handles = ["--info-fd", str(tell), *(("--userns-block-fd", str(wait)) if root else ())]
    try:
        process = subprocess.Popen(
            command(arguments, limits, extra_environment=extra_environment, extra_binds=extra_binds, handles=handles),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            pass_fds=(*pass_fds, tell, *((wait,) if root else ())),
        )
        os.close(tell)
        tell = -1
        with open(told, "rb", closefd=False) as lines:
            text = lines.read()
        try:
            pid = json.loads(text)["child-pid"]
            inside = os.pidfd_open(pid)
            if root:
                for name in ("uid_map", "gid_map"):
                    Path(f"/proc/{pid}/{name}").write_text(f"0 0 1\n1 {NOBODY} 1\n", encoding="ascii")
        except (ValueError, KeyError, OSError) as error:
            process.kill()
            process.wait()
            raise UserError("The sandbox could not be started. Run `python -m carelab doctor` to see why.") from error
        os.write(go, b"1")
        return Contained(process, inside)
    finally:
        for handle in (told, wait, go, *((tell,) if tell >= 0 else ())):
            os.close(handle)


def available() -> str | None:
    """None where answers can be isolated, else one sentence that says what to install or to set."""
    if sys.platform != "linux":
        system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
        return (
            f"Answers cannot be isolated on {system}: grade on Linux (a virtual machine or WSL 2 will do), {_UNSAFE}."
        )
    if not seccomp.known_machine():
        return f"Answers can be isolated on x86_64 and aarch64 only: grade on such a machine, {_UNSAFE}."
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return f"This Python cannot hold on to a process (pidfd_open): use one built on Linux 5.3 or later, {_UNSAFE}."
    if not shutil.which("bwrap"):
        return f"Install bubblewrap (`apt install bubblewrap` or `dnf install bubblewrap`), {_UNSAFE}."
    return _trial()


@functools.cache
def _trial() -> str | None:
    """Whether the whole of it works here: both layers are tried once, which takes a fraction of a second."""
    python = [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(SOURCES)!r}]"]
    python[-1] += "; from carelab.grading.sandbox.confine import main; main()"
    read, write = os.pipe()
    try:
        contained = start(python, Limits(), stderr=write)
    except UserError:
        os.close(write)
        with open(read, "rb") as lines:
            return _why(lines.read(4000).decode(errors="replace"))
    os.close(write)
    try:
        code = contained.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        code = 1
    contained.kill()
    with open(read, "rb") as lines:
        return _why(lines.read(4000).decode(errors="replace")) if code else None


def _why(said: str) -> str:
    """What to do about a sandbox that did not start."""
    if _number("/proc/sys/user/max_user_namespaces") == 0:
        return f"User namespaces are switched off: run `sudo sysctl user.max_user_namespaces=10000`, {_UNSAFE}."
    if _number("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        return f"User namespaces are for root only: run `sudo sysctl kernel.unprivileged_userns_clone=1`, {_UNSAFE}."
    if os.geteuid() != 0 and _number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        return (
            "AppArmor keeps bubblewrap from making user namespaces: run "
            f"`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, {_UNSAFE}."
        )
    if any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv")):
        return (
            "This container may not make user namespaces: start it with `--security-opt seccomp=unconfined "
            f"--security-opt systempaths=unconfined`, grade outside of it, {_UNSAFE}."
        )
    last = said.strip().splitlines()[-1:] or ["no message"]
    return f"bubblewrap could not make a sandbox here (it says: {last[0][:200]}): grade on another machine, {_UNSAFE}."


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
