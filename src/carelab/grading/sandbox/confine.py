"""Give up everything: what a process does, once, before it runs a line that a student wrote.

It starts inside the bubblewrap sandbox as uid 0 of that sandbox's user namespace, with capabilities there and nowhere
else, and ends as an ordinary user of a user namespace of its own, without capabilities, that owns none of the namespaces
it lives in. Standard library only, and no thread may exist: it runs between fork and the first frame.
"""

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from carelab.grading.sandbox import seccomp
from carelab.grading.sandbox.limits import MIB, Limits

HOME, WORK = "/student/home", "/student/work"
WRITABLE = ("/tmp", "/student", "/dev/shm")
UID = 1000  # what the student's process calls itself

_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
_SET_DUMPABLE, _CAPBSET_DROP, _SET_SECCOMP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 4, 24, 22, 38, 47
_CAP_LAST = 63

# bubblewrap covers these too; a kernel file that real root could write must not be writable here when root grades.
_PROC_READ_ONLY = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs")

if sys.platform != "win32":  # where this module is imported for its constants
    import resource

    _libc = ctypes.CDLL(None, use_errno=True)
    _libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def _call(name: str, *arguments: object) -> None:
    """A call of the C library. Raises OSError with its name."""
    if getattr(_libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _prctl(option: int, *values: int) -> None:
    _call("prctl", option, *(ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]))


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode())


def fork_into_new_pids(child: Callable[[], None]) -> int:
    """Fork; `child` runs as process 1 of a new pid namespace, whose end ends everything in it. Returns the child's pid.

    The caller's later children belong to its own namespace again.
    """
    mine = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", _NEWPID)
        try:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    os.close(mine)
                    child()
                    status = 0
                finally:
                    os._exit(status)
        finally:
            _call("setns", mine, _NEWPID)
    finally:
        os.close(mine)
    return pid


def fresh_namespaces(limits: Limits, visible: Sequence[str]) -> None:
    """Own mounts, network, IPC and names: a new /proc, and writable places that are copies of the caller's.

    visible: read-only mounts of the sandbox; those under a writable place are put back in the new one.
    What the provided cells wrote is there, so that an answer may read it; what an answer writes ends with it.
    """
    _call("unshare", _NEWNS | _NEWNET | _NEWIPC | _NEWUTS | _NEWCGROUP)
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    for place in _PROC_READ_ONLY:
        if os.path.exists(place):
            _mount(place, place, "", _MS_BIND | _MS_REC)
            _mount("none", place, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    user = spare_id()
    for place in WRITABLE:
        _fresh_copy(place, user, limits.scratch, [path for path in visible if Path(path).is_relative_to(place)])
    if os.path.isdir("/dev/pts"):  # terminals are shared between mount namespaces
        _mount("none", "/dev/pts", "tmpfs", _MS_RDONLY | _MS_NOSUID | _MS_NOEXEC, "size=4k,mode=555")


def _fresh_copy(place: str, user: int, size: int, kept: Sequence[str]) -> None:
    """A new tmpfs over `place` with the files of the old one, and the mounts `kept` under it."""
    before = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    mounts = {path: os.open(path, os.O_PATH) for path in kept}
    # One inode for every 8 kB: file names alone must not fill the memory either.
    options = f"size={size},nr_inodes={max(size // 8192, 64)},mode=700,uid={user},gid={user}"
    _mount("none", place, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    skipped = {os.stat(handle).st_dev for handle in mounts.values()}
    device = os.fstat(before).st_dev
    for source, folders, files in os.walk(f"/proc/self/fd/{before}"):
        part = os.path.relpath(source, f"/proc/self/fd/{before}")
        target = os.path.normpath(os.path.join(place, part))
        folders[:] = [name for name in folders if os.lstat(os.path.join(source, name)).st_dev == device]
        for name in [*folders, *files]:
            old, new = os.path.join(source, name), os.path.join(target, name)
            found = os.lstat(old)
            if stat.S_ISDIR(found.st_mode):
                os.makedirs(new, exist_ok=True)
            elif stat.S_ISREG(found.st_mode) and (found.st_dev == device or found.st_dev not in skipped):
                shutil.copy2(old, new)
            elif stat.S_ISLNK(found.st_mode):
                os.symlink(os.readlink(old), new)
            else:
                continue
            os.chown(new, user, user, follow_symlinks=False)
    for path, handle in mounts.items():
        here = Path(path)
        here.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            here.mkdir(exist_ok=True)
        else:
            here.touch()
        _mount(f"/proc/self/fd/{handle}", path, "", _MS_BIND | _MS_REC)  # read-only as its source is
        os.close(handle)
    os.close(before)


def only_keep(handles: Sequence[int]) -> None:
    """Close every file but `handles`, 0, 1 and 2; files of the provided cells that are still there are opened anew.

    A file that stayed open through the fork would share its position with every other answer.
    """
    for name in os.listdir("/proc/self/fd"):
        handle = int(name)
        if handle in (0, 1, 2, *handles):
            continue
        try:
            path = os.readlink(f"/proc/self/fd/{handle}")
            regular = stat.S_ISREG(os.fstat(handle).st_mode)
            position = os.lseek(handle, 0, os.SEEK_CUR) if regular else 0
            mode = _flags(handle) & (os.O_ACCMODE | os.O_APPEND)
        except OSError:
            continue  # the folder being listed
        try:
            again = os.open(path, mode | os.O_CLOEXEC) if regular and path.startswith("/") else -1
        except OSError:
            again = -1
        if again < 0:
            os.close(handle)
        else:
            os.lseek(again, position, os.SEEK_SET)
            os.dup2(again, handle, inheritable=False)
            os.close(again)


def _flags(handle: int) -> int:
    """How a file was opened."""
    with open(f"/proc/self/fdinfo/{handle}", encoding="ascii") as lines:
        return next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))


def drop_everything(limits: Limits) -> None:
    """Limits, another user, a user namespace of one's own, no capabilities, and the filter of system calls."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # memory is short: this one goes first
    user = spare_id()
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _prctl(_SET_DUMPABLE, 1)  # else /proc/self belongs to somebody else now
    # Processes are counted for each user in each user namespace; in its own, no other answer can use them up.
    _call("unshare", _NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{UID} {user} 1"), ("gid_map", f"{UID} {user} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    for which, most in (
        (resource.RLIMIT_AS, _address_space() + limits.memory),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 256),
    ):
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_CAP_AMBIENT, 4)  # clear all
    for capability in range(_CAP_LAST + 1):
        try:
            _prctl(_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one this kernel knows
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _prctl(_SET_DUMPABLE, 1)
    code = seccomp.program()
    instructions = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    described = Program(len(code) // 8, ctypes.addressof(instructions))
    _prctl(_SET_SECCOMP, 2, ctypes.addressof(described))


def spare_id() -> int:
    """A second user of the sandbox's user namespace: there when root started it, so that no answer runs as root."""
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    return 1 if any(int(line.split()[0]) == 1 for line in lines) else 0


def _address_space() -> int:
    """Bytes of address space in use."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def main() -> None:
    """Try all of it, for `isolation.available()`; ends with a traceback where something is not allowed."""

    def child() -> None:
        limits = Limits(scratch=MIB)
        fresh_namespaces(limits, ())
        only_keep(())
        drop_everything(limits)

    _, status = os.waitpid(fork_into_new_pids(child), 0)
    raise SystemExit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
