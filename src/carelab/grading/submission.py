"""What was handed in, read as if anybody had written it: the sources of answers, and nothing else of it.

Nothing here raises for what a submission is, follows a link, waits for a pipe or reads without a limit.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dateutil.parser  # type: ignore[import-untyped]
import dateutil.tz  # type: ignore[import-untyped]

from carelab.errors import UserError

NOTEBOOK_BYTES = 20_000_000
NOTEBOOK_VALUES = 3_000_000  # a small file of nothing but brackets would need gigabytes once it is read
ANSWER_BYTES = 200_000
TIMESTAMP_BYTES = 200
NAME_BYTES = 200

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_AGAIN = "open it in JupyterLab, save it and hand it in again"
_ZONE = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+)*|[+-]?\d{1,6}")


@dataclass(frozen=True)
class Handed:
    """One notebook as it was handed in: the sources of its answers by grade_id, and nothing else of it."""

    answers: dict[str, str]
    flag: str = ""  # a sentence when it could not be read, or something abnormal was left out


@dataclass(frozen=True)
class Submitted:
    """One entry of the folder of submissions. With a flag it is not to be graded, and `student` is for reading only."""

    student: str  # fit for a folder, a page and a spreadsheet; in an unfit name each such character is a question mark
    folder: Path
    flag: str = ""  # a sentence when the entry is not what it should be


class _RefusedError(Exception):
    """A file that is not read; the message goes on after the file's name."""


def read_handed(path: Path, names: Collection[str]) -> Handed:
    """The answers called `names` in the notebook at `path`; the first cell of a name counts. Never raises."""
    try:
        notebook = _parsed(_read(path.parent, path.name, NOTEBOOK_BYTES))
        if not isinstance(notebook, dict) or "nbformat" not in notebook:
            raise _RefusedError(f"is not a notebook; {_AGAIN}")
        if notebook["nbformat"] != 4:
            raise _RefusedError(f"is a notebook of another version than 4; {_AGAIN}")
        if not isinstance(notebook.get("cells"), list):
            raise _RefusedError(f"has no cells; {_AGAIN}")
    except _RefusedError as error:
        return Handed({}, f"The notebook {path.name} {error}.")
    return _taken(notebook["cells"], names, path.name)


def _taken(cells: list[Any], names: Collection[str], notebook: str) -> Handed:
    """The answers in `cells`, with a sentence about the first thing that is wrong with them."""
    sources: dict[str, str | None] = {}
    answers: dict[str, str] = {}
    problems: dict[str, str] = {}
    wanted = frozenset(names)
    for cell in cells:
        name = _answer_of(cell)
        if name not in wanted:
            continue
        source = _text(cell.get("source"))
        if name in sources:
            if source != sources[name]:
                problems.setdefault(name, "stands there twice, with different texts; the first one counts")
            continue
        sources[name] = source
        if source is None:
            problems[name] = "is not text and was left out"
        elif len(source) > ANSWER_BYTES or len(source.encode("utf-8", "surrogatepass")) > ANSWER_BYTES:
            problems[name] = f"is longer than {ANSWER_BYTES // 1000} kB and was left out"
        else:
            answers[name] = usable(source)
            if answers[name].count("\ufffd") != source.count("\ufffd"):
                problems[name] = "holds characters that are no text; a question mark stands in their place"
    missing = [name for name in names if name not in sources]
    if missing and len(missing) == len(names):
        return Handed({}, f"The notebook {notebook} holds none of the answer cells; start again from a fresh copy.")
    problems |= {name: "has no cell; copy it back from a fresh copy" for name in missing}
    if not problems:
        return Handed(answers)
    first = next(iter(problems))
    more = f" (and {len(problems) - 1} more of its answers are not as they should be)" if len(problems) > 1 else ""
    return Handed(answers, f"In {notebook} the answer {first[:80]} {problems[first]}{more}.")


def _answer_of(cell: Any) -> str:
    """The grade_id of a solution cell; empty for any other, whatever it is."""
    entry: Any = cell
    for key in ("metadata", "nbgrader"):
        entry = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or entry.get("solution") is not True:
        return ""
    name = entry.get("grade_id")
    return name if isinstance(name, str) else ""


def _text(source: Any) -> str | None:
    """A cell's source as one text; None when it is none."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def usable(text: str) -> str:
    """`text` as anybody can encode and compile it: halves of characters and null bytes become question marks (U+FFFD)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def _parsed(data: bytes) -> Any:
    if sum(map(data.count, (b",", b"[", b"{"))) > NOTEBOOK_VALUES:
        raise _RefusedError("holds too many values to be read; clear its outputs and hand it in again")
    try:
        return json.loads(data, parse_int=float)  # a whole number of a million digits is an error, or an hour
    except (ValueError, RecursionError, MemoryError) as error:
        raise _RefusedError(f"is not a readable notebook; {_AGAIN}") from error


# ---------------------------------------------------------------- files


def _read(folder: Path, name: str, limit: int) -> bytes:
    """The bytes of a plain file directly in a plain folder. Raises _RefusedError with what it is instead."""
    try:
        if os.open not in os.supports_dir_fd:  # Windows
            return _plain(folder / name, None, limit)
        try:
            place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
        except (NotADirectoryError, FileExistsError) as error:
            raise _RefusedError("lies in a folder that is a link or a file; put a folder there") from error
        try:
            return _plain(name, place, limit)
        finally:
            os.close(place)
    except FileNotFoundError as error:
        raise _RefusedError("was not handed in") from error
    except PermissionError as error:
        raise _RefusedError("may not be read; change its permissions") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in a path
        raise _RefusedError("cannot be read; hand it in again") from error


def _plain(path: Path | str, place: int | None, limit: int) -> bytes:
    # Looked at before it is opened, as opening a device can do something; and after, as it may be another by then.
    _refuse_unless_plain(os.stat(path, dir_fd=place, follow_symlinks=False), limit)
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK | getattr(os, "O_BINARY", 0), dir_fd=place), "rb") as file:
        _refuse_unless_plain(os.fstat(file.fileno()), limit)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _RefusedError("grew while it was read; hand it in again")
    return data


def _refuse_unless_plain(found: os.stat_result, limit: int) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _RefusedError("is a link, which is not followed; hand in the file itself")
    if stat.S_ISDIR(found.st_mode):
        raise _RefusedError("is a folder; hand in the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise _RefusedError("is no ordinary file; hand in the file itself")
    if found.st_size > limit:
        raise _RefusedError(f"is larger than {limit // 1_000_000} MB; clear its outputs and hand it in again")


def submissions(folder: Path, week: str) -> list[Submitted]:
    """The entries of `folder` that hold `week`, in order of name; one that cannot be graded has a flag.

    Files whose name begins with a dot are the system's own, and a folder without the week has handed in nothing; both are left
    out. Raises UserError when `folder` itself cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read; put each hand-in there as STUDENT/{week}.") from error
    listed = [_listed(Path(entry.path), week) for entry in found]
    return [submitted for submitted in listed if submitted is not None]


def _listed(student: Path, week: str) -> Submitted | None:
    shown, place = _shown(student.name), student / week

    def flagged(words: str) -> Submitted:
        return Submitted(shown, place, f"The entry {shown} {words}.")

    try:
        mode = student.lstat().st_mode
        if not stat.S_ISDIR(mode):
            if stat.S_ISREG(mode) and student.name.startswith("."):
                return None
            return flagged("is a link or a file and was left alone; each student needs a folder")
        week_mode = place.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError:
        return flagged("cannot be read; change its permissions")
    if shown != student.name:
        return flagged("has a name that is unfit for a gradebook; rename the folder to letters, figures and - _ . @")
    if not stat.S_ISDIR(week_mode):
        return flagged("holds a link or a file in the place of the week's folder")
    return Submitted(shown, place)


def _shown(name: str) -> str:
    """`name` with a question mark for each character that is unfit; so an unfit name never equals a fit one."""
    shown = "".join(sign if sign in " _.,@+-'()" or unicodedata.category(sign)[0] in "LMN" else "?" for sign in name)
    if unicodedata.category(shown[0])[0] not in "LN":  # = + - @ begin a formula in a spreadsheet, a dot hides
        shown = f"?{shown[1:]}"
    if shown[-1] in " ." or ".." in shown or len(shown.encode()) > NAME_BYTES:
        shown = f"{shown[:80].replace('..', '.?')}?"
    return shown


def timestamp(folder: Path) -> datetime | None:
    """When it was handed in, from nbgrader's `timestamp.txt`, in UTC; None when there is none or it is none.

    Read as nbgrader reads it, except that a year is needed, and that a time zone is a name and never a file.
    """
    try:
        text = _read(folder, "timestamp.txt", TIMESTAMP_BYTES).decode("utf-8").strip()
    except (_RefusedError, ValueError):
        return None
    parts = text.split(" ")
    if not re.search(r"\d{4}", text):
        return None
    try:
        if len(parts) == 3:
            if not _ZONE.fullmatch(parts[2]):
                return None
            zone = int(parts[2]) if parts[2].lstrip("+-").isdigit() else dateutil.tz.gettz(parts[2])
            found: datetime = dateutil.parser.parse(" ".join([*parts[:2], "TZ"]), tzinfos={"TZ": zone})
        else:
            found = dateutil.parser.parse(text)
        offset = found.utcoffset()
        return found if offset is None else (found - offset).replace(tzinfo=None)
    except Exception:  # a parser of anything raises anything
        return None


def fingerprint(folder: Path, stems: Iterable[str]) -> str:
    """A hash of all that a grade hangs on: the notebooks `stems` and the time, as they are read."""
    total = hashlib.sha256()
    limits = [(f"{stem}.ipynb", NOTEBOOK_BYTES) for stem in sorted(stems)] + [("timestamp.txt", TIMESTAMP_BYTES)]
    for name, limit in limits:
        try:
            state = hashlib.sha256(_read(folder, name, limit)).hexdigest()
        except _RefusedError as error:
            state = str(error)
        total.update(f"{name}\0{state}\0".encode("utf-8", "surrogatepass"))
    return total.hexdigest()
