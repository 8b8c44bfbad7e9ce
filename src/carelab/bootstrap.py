"""Make the course's own environment, keep it up to date, and run the command inside it.

Nothing but the standard library, because this runs before anything is installed; and nothing that Python 3.7 cannot
parse, because an old Python has to get a sentence and not a syntax error. Everything modern starts behind it.

What happens on `python -m carelab lab`:
1. `CARELAB_NO_VENV=1`, or an environment that already holds the locked packages (conda, Binder, JupyterHub): run here.
2. `.venv` is there and its stamp matches the lock files: start again inside it. This is the usual case and quick.
3. Otherwise make or update `.venv` from the lock files, write the stamp last, and start again inside it. A set-up
   that was interrupted has no stamp, so the next start takes it up where it stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import IO, Iterator  # noqa: UP035  as Python 3.7 knows it

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11, 5)  # as in pyproject.toml; a test compares
TOO_NEW = (3, 14)
LOCKS = {"course": "requirements.lock", "developer": "requirements-dev.lock"}
DEVELOPER_COMMANDS = {"build", "sync", "test"}
PROBES = ("jupyterlab", "nbgrader", "fhir-resources")  # an environment with these at the locked versions will do
NEEDED_BYTES = 3_000_000_000  # the packages take 1.4 GB, an author's 1.8; pip downloads before it installs

USAGE = """\
The course is not set up on this computer yet. These commands set it up first, once:

  python -m carelab lab       open the course in JupyterLab
  python -m carelab doctor    look for what could keep the course from running
  python -m carelab test      run every check of the project

All commands are listed by `python -m carelab --help` after that."""


class SetupError(Exception):
    """One sentence for the person at the keyboard: what is wrong and what to do."""


def main(args: list[str] | None = None) -> None:
    """Run the command in the right environment, after setting that up where it is missing or out of date."""
    args = sys.argv[1:] if args is None else args
    try:
        python = environment_for(args)
    except SetupError as error:
        print(f"carelab: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\ncarelab: stopped; the same command takes the set-up on from here.", file=sys.stderr)
        sys.exit(130)
    if python is None:
        _run_here()
    else:
        _start_again(python, args)


def environment_for(args: list[str]) -> Path | None:
    """The interpreter that has to run the command, set up if need be; None when it is the one running now."""
    if os.environ.get("CARELAB_NO_VENV") == "1":
        check_python()
        return None
    command = next((arg for arg in args if not arg.startswith("-")), "")
    developer = command in DEVELOPER_COMMANDS
    venv = Venv(ROOT / ".venv")
    inside = Path(sys.prefix) == venv.folder
    if venv.is_fresh(developer):
        return None if inside else venv.python
    if not inside and here_is_ready():
        return None
    if not command:  # help needs no download
        if venv.works():
            return None if inside else venv.python
        print(USAGE)
        sys.exit(0)
    if os.environ.get("CARELAB_SET_UP") == "1":  # just set up, and still not fresh: never go round in circles
        raise SetupError("the environment in .venv does not stay up to date; delete the folder .venv and try again.")
    set_up(venv, developer)
    os.environ["CARELAB_SET_UP"] = "1"
    return venv.python


def check_python(version: tuple[int, ...] | None = None) -> None:
    """Raise SetupError unless this Python can run the course; name a better one if the machine has it."""
    running = tuple(sys.version_info[:3]) if version is None else version
    if OLDEST <= running < TOO_NEW:
        return
    this = ".".join(map(str, running))
    oldest = ".".join(map(str, OLDEST))
    newest = f"{TOO_NEW[0]}.{TOO_NEW[1]}"
    needs = f"Python {oldest} or newer" if running < OLDEST else f"a Python older than {newest}"
    other = better_python()
    cure = f"; `{other} -m carelab …` works here, or `make lab PYTHON={other}`" if other else ""
    raise SetupError(f"this course needs {needs}, this is {this}{cure}.")


def better_python() -> str:
    """The name of an installed Python that can run the course, or nothing."""
    import shutil
    import subprocess

    for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1):
        name = f"python3.{minor}"
        if not shutil.which(name):
            continue
        ask = [name, "-c", f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:3] < {TOO_NEW})"]
        try:
            if subprocess.run(ask, capture_output=True, timeout=20).returncode == 0:
                return name
        except (OSError, subprocess.SubprocessError):
            continue
    return ""


def here_is_ready() -> bool:
    """Whether the running interpreter already has the course's packages at the locked versions."""
    if not OLDEST <= tuple(sys.version_info[:3]) < TOO_NEW:
        return False
    from importlib.metadata import PackageNotFoundError, version

    locked = locked_versions(ROOT / LOCKS["course"])
    try:
        return all(version(name) == locked[name] for name in PROBES)
    except (PackageNotFoundError, KeyError):
        return False


def locked_versions(lock: Path) -> dict[str, str]:
    """Name and version of every package in a lock file."""
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        raise SetupError(f"{lock.name} is missing; get a complete copy of the course and try again.") from None
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", text))


class Venv:
    """The course's own environment, and the stamp that says what it was made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamp = folder / "carelab-stamp.json"
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def settings(self) -> dict[str, str]:
        """The lines of pyvenv.cfg, where Python keeps what the environment was made from."""
        try:
            lines = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            return {}
        return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}

    def wanted(self, developer: bool) -> dict[str, str]:
        """What the stamp has to say for the environment to be up to date."""
        wanted = {"root": str(ROOT), "python": self.settings().get("version", "")}
        files = {"project": "pyproject.toml", "course": LOCKS["course"]}
        if developer:
            files["developer"] = LOCKS["developer"]
        for key, name in files.items():
            try:
                wanted[key] = hashlib.sha256((ROOT / name).read_bytes()).hexdigest()
            except OSError:
                raise SetupError(f"{name} is missing; get a complete copy of the course and try again.") from None
        return wanted

    def made_from(self) -> dict[str, str]:
        """What the stamp says; nothing when there is none or it cannot be read."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def has_python(self) -> bool:
        """Whether the interpreter is there, and the one it was made from still is."""
        return self.python.exists() and Path(self.settings().get("home", "")).is_dir()

    def is_fresh(self, developer: bool) -> bool:
        """Whether everything the command needs is installed as locked."""
        made_from = self.made_from()
        return self.has_python() and all(made_from.get(k) == v for k, v in self.wanted(developer).items())

    def works(self) -> bool:
        """Whether the environment was ever set up completely, be it from older lock files."""
        return self.has_python() and bool(self.made_from())

    def installed(self) -> list[Path]:
        """The folders that pip leaves behind, one for each package."""
        packages = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return list(self.folder.glob(f"{packages}/*.dist-info"))

    def forget_unfinished(self) -> None:
        """Make pip install again what it was busy with when it was killed.

        It writes INSTALLER after a package's last file, and takes a package for installed before that.
        """
        import shutil

        for folder in self.installed():
            if not (folder / "INSTALLER").is_file():
                shutil.rmtree(str(folder), ignore_errors=True)

    def can_be_kept(self) -> bool:
        """Whether a set-up can go on from what is there: a fitting Python that can run pip."""
        import subprocess

        version = tuple(int(part) for part in re.findall(r"\d+", self.settings().get("version", ""))[:3])
        if not self.has_python() or not OLDEST <= version < TOO_NEW:
            return False
        if self.made_from().get("root", str(ROOT)) != str(ROOT):  # the folder was moved: scripts hold the old path
            return False
        return subprocess.run([str(self.python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def set_up(venv: Venv, developer: bool) -> None:
    """Make or update the environment; SetupError with a sentence when that cannot be done."""
    import time

    started = time.monotonic()
    with _alone():
        if venv.is_fresh(developer):  # somebody else's set-up finished while this one waited
            return
        lock = ROOT / LOCKS["developer" if developer else "course"]
        kept = venv.can_be_kept()
        if not kept:
            check_python()
            _check_space()
        first = not venv.works()
        _say(
            f"Setting up the course in {venv.folder.name}: {len(locked_versions(lock))} packages, 1.4 GB, "
            "a few minutes. This happens once."
            if first
            else "The list of packages has changed: updating the environment."
        )
        if not kept:
            _make_venv(venv)
        stamp = venv.wanted(developer)
        _discard(venv.stamp)
        venv.forget_unfinished()
        log = venv.folder / "setup.log"
        _pip(venv, ["--require-hashes", "-r", str(lock)], "packages", log, len(locked_versions(lock)))
        _pip(venv, ["--no-deps", "--no-build-isolation", "-e", str(ROOT)], "the course itself", log, 1)
        _write(venv.stamp, json.dumps(stamp, indent=1))
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        _say(f"Set up in {minutes} min {seconds:02d} s.")


def _make_venv(venv: Venv) -> None:
    import importlib.util
    import subprocess

    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"this Python lacks its venv module, which Debian and Ubuntu keep in the package {package}: "
            "install that and run the command again."
        )
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv.folder)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )  # fmt: skip
    if made.returncode != 0:
        lines = [line.strip() for line in made.stdout.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {made.returncode}"
        raise SetupError(f"Python could not make an environment in {venv.folder.name} ({reason}).")


def _pip(venv: Venv, arguments: list[str], what: str, log: Path, expected: int) -> None:
    """Run `pip install`, show how far it is, keep its words in a file, and turn a failure into one sentence."""
    import queue
    import subprocess
    import threading

    env = {key: value for key, value in os.environ.items() if key not in _LEADS_ASTRAY}
    command = [
        str(venv.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
        "--progress-bar", "off", *arguments,
    ]  # fmt: skip
    lines: queue.Queue[str | None] = queue.Queue()
    with log.open("a", encoding="utf-8") as record:
        pip = subprocess.Popen(
            command, cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )  # fmt: skip

        def read() -> None:
            assert pip.stdout is not None
            for line in pip.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        progress = Progress(what, expected, venv)
        said = []
        try:
            while True:
                try:
                    line = lines.get(timeout=0.3)
                except queue.Empty:
                    progress.show()
                    continue
                if line is None:
                    break
                record.write(line)
                said.append(line)
                progress.hear(line)
        except BaseException:
            pip.terminate()
            pip.wait()
            raise
        finally:
            progress.end()
    if pip.wait() != 0:
        raise SetupError(explain_pip("".join(said), log))


# Settings of the person's own pip and Python that would send the packages somewhere else.
_LEADS_ASTRAY = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_DEPS", "PYTHONPATH", "PYTHONHOME"}

_PIP_FAILURES = (
    (r"No space left on device|Errno 28", "the disk is full: free about 3 GB and run the command again"),
    (
        r"DO NOT MATCH THE HASHES",
        "a downloaded package is not the one the lock file names, so it was not installed: run the command again, "
        "and ask your instructor if it happens twice",
    ),
    (
        r"NewConnectionError|Max retries|name resolution|getaddrinfo|Network is unreachable|ConnectTimeout"
        r"|ReadTimeout|Connection refused|ProxyError|ConnectionReset",
        "the packages could not be downloaded: check the network connection, and the proxy if you are behind one, "
        "then run the same command, which goes on from here",
    ),
    (
        r"No matching distribution|Could not find a version",
        "the place this computer gets its Python packages from does not have all of them",
    ),
    (r"Permission denied|Errno 13", "the environment's folder cannot be written to"),
)


def explain_pip(output: str, log: Path) -> str:
    """One sentence for what pip said."""
    where = f"; pip's own words are in {log.parent.name}/{log.name}."
    for pattern, sentence in _PIP_FAILURES:
        if re.search(pattern, output):
            return sentence + where
    errors = re.findall(r"(?m)^ERROR: (.+)$", output)
    reason = errors[-1].strip().rstrip(".") if errors else "it gave no reason"
    return f"pip could not install the packages ({reason})" + where


class Progress:
    """How far pip is: one live line on a terminal, a plain line every ten seconds elsewhere."""

    def __init__(self, what: str, expected: int, venv: Venv) -> None:
        import time

        self.clock = time.monotonic
        self.started = self.spoke = self.clock()
        self.what, self.venv = what, venv
        self.phase, self.done, self.total, self.before = "downloading", 0, expected, 0
        self.live = sys.stderr.isatty()

    def hear(self, line: str) -> None:
        """Take one line of pip's output into account."""
        if line.startswith(("Collecting ", "Requirement already satisfied", "Obtaining ")):
            self.done += 1
        elif line.startswith("Installing collected packages:"):
            # From here on pip is silent until the end; the folders it leaves behind tell how far it is.
            self.phase, self.done, self.total = "installing", 0, line.count(",") + 1
            self.before = len(self.venv.installed())
        self.show()

    def show(self, now: bool = False) -> None:
        """Print the state, unless it was printed a moment ago."""
        if not now and self.clock() - self.spoke < (0.2 if self.live else 10):
            return
        self.spoke = self.clock()
        if self.phase == "installing":
            self.done = len(self.venv.installed()) - self.before
        done = max(0, min(self.done, self.total))
        text = f"{self.phase} {self.what}: {done} of {self.total}, {self.clock() - self.started:.0f} s"
        if self.live:
            filled = 30 * done // max(self.total, 1)
            sys.stderr.write(f"\r  [{'#' * filled}{'.' * (30 - filled)}] {text:<52}")
        else:
            sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the live line."""
        if self.live:
            sys.stderr.write("\r" + " " * 90 + "\r")
            sys.stderr.flush()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the one lock that keeps two set-ups of the same folder apart; the system lets go of it if we die."""
    try:
        (ROOT / ".cache").mkdir(exist_ok=True)
        handle = (ROOT / ".cache" / "setup.lock").open("a+")
    except OSError as error:
        raise SetupError(
            f"the folder {ROOT} cannot be written to ({error.strerror}): copy the course to a folder of your own."
        ) from None
    with handle:
        if not _try_lock(handle):
            _say("Another set-up of this folder is running: waiting for it to finish.")
            _wait_for_lock(handle)
        yield


def _try_lock(handle: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except PermissionError:  # how Windows says that it is taken
        return False
    except OSError:  # a file system without locks: go on without
        return True
    return True


def _wait_for_lock(handle: IO[str]) -> None:
    import time

    while not _try_lock(handle):
        time.sleep(0.5)


def _check_space() -> None:
    import shutil

    free = shutil.disk_usage(str(ROOT)).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the disk has {free / 1e9:.1f} GB free and the set-up needs {NEEDED_BYTES / 1e9:.1f} GB: "
            "make room and run the command again."
        )


def _discard(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _write(path: Path, text: str) -> None:
    """Write beside, then rename: the file is either the old one or the whole new one."""
    beside = path.with_suffix(".new")
    beside.write_text(text + "\n", encoding="utf-8")
    os.replace(str(beside), str(path))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run_here() -> None:
    """Run the command in this very process, with the real package in place of the root folder's shim."""
    if "carelab" not in sys.modules or getattr(sys.modules["carelab"], "__file__", None) is None:
        sys.modules.pop("carelab", None)
        source = str(ROOT / "src")
        sys.path.insert(0, source)
        # Kernels and other children have to find the package, too, where it is not installed.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    from carelab.cli import main as command

    command()


def _start_again(python: Path, args: list[str]) -> None:
    command = [str(python), "-m", "carelab", *args]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess

    with subprocess.Popen(command) as child:  # Windows cannot replace a process and keep the console
        while True:
            try:
                sys.exit(child.wait())
            except KeyboardInterrupt:
                continue  # the child got the same key press and decides
