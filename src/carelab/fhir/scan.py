"""What lies in a file or a folder of FHIR, piece by piece: a resource with its origin, or something that is none.

NDJSON is read line by line, so that memory does not grow with a file. A JSON file (a bundle, a list, one resource) is
read whole, one file at a time.
"""

import codecs
import gzip
import io
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from carelab.errors import UserError
from carelab.fhir.release import Resource, release_signs

ENDINGS = (".ndjson", ".jsonl", ".json")
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True)
class Origin:
    """Where a piece comes from. line: from 1, in NDJSON; entry: from 0, in a bundle or a list."""

    file: str
    line: int | None = None
    entry: int | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        entry = f", entry {self.entry}" if self.entry is not None else ""
        return f"{self.file}{line}{entry}"


@dataclass(frozen=True)
class Found:
    """A JSON object that may be a resource. full_url: its name in a bundle; answer: found by a search."""

    origin: Origin
    resource: Resource
    full_url: str | None = None
    answer: bool = False


@dataclass(frozen=True)
class Refused:
    """What cannot be taken over. rule: a short name of the reason; content: the resource, or the text as it was.

    release: DSTU2, STU3 or R5 when that is the reason.
    """

    origin: Origin
    rule: str
    reason: str
    content: Any
    release: str | None = None


Piece = Found | Refused


def fhir_files(path: Path | str) -> list[Path]:
    """The files with FHIR in a folder and the folders in it, sorted by path; or the one file itself.

    A file counts by its name: .ndjson, .jsonl or .json, each also with .gz. Hidden files and folders are left out.
    Raises UserError when the path is not there or holds none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} is not there; check the folder and the spelling of its name.")
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [Path(folder) / n for n in names if not n.startswith(".") and _plain(n).endswith(ENDINGS)]
    if not found:
        raise UserError(f"{path} has no .ndjson or .json file (plain or .gz); give the folder of a FHIR export.")
    return sorted(found)


def scan(path: Path | str) -> Iterator[Piece]:
    """All pieces of a file, or of all files of a folder, in the order of paths and lines.

    Nothing is lost: what is not JSON, is not an object, or belongs to another release of FHIR comes as `Refused`, and
    a damaged gzip file gives what can be unpacked and one `Refused` for the rest. Bundles are opened. Raises UserError
    as `fhir_files`.
    """
    root = Path(path)
    for file in fhir_files(root):
        name = file.relative_to(root).as_posix() if root.is_dir() else file.name
        yield from _scan_json(file, name) if _plain(file.name).endswith(".json") else _scan_lines(file, name)


def _plain(name: str) -> str:
    return name.lower().removesuffix(".gz")


def open_plain(path: Path) -> BinaryIO:
    """A file's bytes as UTF-8 without byte-order mark, unpacked when its name ends with .gz."""
    raw: Any = gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # noqa: SIM115 - the caller closes it
    stream = io.BufferedReader(raw)
    start = stream.peek(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _Recoded(stream)  # some Windows programs export so
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    return stream


class _Recoded(io.BytesIO):
    """UTF-16 as UTF-8. Read whole: such files come from an editor, not from a bulk export."""

    def __init__(self, stream: BinaryIO) -> None:
        with stream:
            super().__init__(stream.read().decode("utf-16", errors="replace").encode())


def _scan_lines(file: Path, name: str) -> Iterator[Piece]:
    """One piece a line; blank lines are none."""
    number = 0
    try:
        with open_plain(file) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield from _piece(_parse(line), Origin(name, number), line)
    except _DAMAGED as error:
        yield _damaged(Origin(name, number + 1), error)


def _scan_json(file: Path, name: str) -> Iterator[Piece]:
    """A resource, a bundle's entries, the items of a list; or the lines of what is NDJSON by another name."""
    try:
        with open_plain(file) as stream:
            content = stream.read()
    except _DAMAGED as error:
        yield _damaged(Origin(name), error)
        return
    if not content.strip():
        yield Refused(Origin(name), "not-json", "the file is empty; fetch it again", "")
        return
    document = _parse(content)
    if isinstance(document, orjson.JSONDecodeError):
        first = content.lstrip().split(b"\n", 1)
        if len(first) == 2 and isinstance(_parse(first[0]), dict):
            yield from _scan_lines(file, name)
            return
    if isinstance(document, list):
        for number, item in enumerate(document):
            yield from _piece(item, Origin(name, entry=number), item)
    else:
        yield from _piece(document, Origin(name), content)


def _parse(text: bytes) -> Any:
    """The JSON value, or the error that says why there is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return error


def _piece(value: Any, origin: Origin, raw: Any) -> Iterator[Piece]:
    """A JSON value as pieces: one, or those of a bundle."""
    if isinstance(value, orjson.JSONDecodeError):
        yield Refused(origin, "not-json", f"not valid JSON ({value}); mend it at its source", _text(raw))
    elif not isinstance(value, dict):
        yield Refused(origin, "not-an-object", "not a JSON object; a resource is written as { ... }", value)
    elif value.get("resourceType") == "Bundle" and isinstance(value.get("entry", []), list):
        yield from _entries(value, origin)
    elif signs := release_signs(value):
        yield _other_release(value, origin, *signs[0])
    else:
        yield Found(origin, value)


def _entries(bundle: Resource, origin: Origin) -> Iterator[Piece]:
    """A bundle's resources. All of a bundle has one release, so one entry's signs speak for those that carry none."""
    entries = bundle.get("entry", [])
    votes: Counter[str] = Counter()
    whys: dict[str, str] = {}
    for entry in entries:
        for named, why in release_signs(entry.get("resource"))[:1] if isinstance(entry, dict) else ():
            votes[named] += 1
            whys.setdefault(named, why)
    release = max(votes, key=lambda name: votes[name]) if votes else None
    for number, entry in enumerate(entries):
        here = Origin(origin.file, origin.line, number)
        if not isinstance(entry, dict) or not isinstance(entry.get("resource", {}), dict):
            yield Refused(here, "not-an-object", "an entry of a bundle that is not a JSON object", entry)
        elif (resource := entry.get("resource")) is None:
            continue  # a deletion, or an answer without content
        elif release:
            yield _other_release(resource, here, release, whys[release])
        elif resource.get("resourceType") == "Bundle":
            yield from _entries(resource, here)
        else:
            url = entry.get("fullUrl")
            answer = bundle.get("type") == "searchset"
            yield Found(here, resource, url if isinstance(url, str) else None, answer)


def _other_release(resource: Resource, origin: Origin, release: str, why: str) -> Refused:
    reason = f"this is FHIR {release}, not R4 ({why}); convert it to R4 first"
    return Refused(origin, "other-release", reason, resource, release)


def _damaged(origin: Origin, error: Exception) -> Refused:
    return Refused(origin, "damaged-gzip", f"not a whole gzip file ({error}); fetch it again", "")


def _text(raw: Any) -> Any:
    """Bytes as text where they are text, so that a person can mend them; else as hexadecimal digits."""
    if not isinstance(raw, bytes):
        return raw
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return {"hex": raw.hex()}
