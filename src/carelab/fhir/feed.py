"""A feed: the good resources of a path, and a quarantine for the others, so that nothing is lost on the way."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from carelab.errors import UserError
from carelab.fhir.release import Resource
from carelab.fhir.scan import Found, Piece, Refused, fhir_files, scan

QUARANTINE = "quarantine.ndjson"


@dataclass
class Tally:
    """What one reading met. read = good + quarantined, always.

    by_type: good resources by resourceType; reasons: how many are quarantined, by rule.
    """

    files: int = 0
    read: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> int:
        """Resources that were handed on."""
        return self.by_type.total()

    @property
    def quarantined(self) -> int:
        """Resources, lines and ends of files that were not."""
        return self.reasons.total()


class NdjsonFile:
    """An NDJSON file in the making: written beside, renamed when all went well, gone when it did not."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._beside = path.with_name(f".{path.name}.new")
        self._file: IO[bytes] = self._beside.open("wb")

    def add(self, line: Any) -> None:
        """Write one JSON value as a line."""
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def __enter__(self) -> "NdjsonFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            self._beside.replace(self.path)
        else:
            self._beside.unlink(missing_ok=True)


def judged(piece: Piece, shape: bool) -> Piece:
    """The piece, or its refusal: a resource has to say its type, and with `shape` to be valid R4."""
    if isinstance(piece, Refused):
        return piece
    if not isinstance(piece.resource.get("resourceType"), str):
        why = "the resource has no resourceType, so nothing says what it is"
        return Refused(piece.origin, "no-type", why, piece.resource)
    if shape:
        from carelab.fhir.validate import validate  # half a second of imports that plain reading does without

        if problems := validate(piece.resource):
            return Refused(piece.origin, "shape", " ".join(problems), piece.resource)
    return piece


class Feed:
    """The resources of a path. Each loop over it reads the files again; memory does not grow with them.

    tally: what the last whole loop met, None before the first one.
    """

    def __init__(self, path: Path, quarantine: Path | None = None, shape: bool = False) -> None:
        self.path, self.quarantine, self.shape = path, quarantine, shape
        self.tally: Tally | None = None
        fhir_files(path)  # a wrong path is told at once, not at the first resource
        if quarantine is not None:
            refuse_inside(quarantine, path)

    def __iter__(self) -> Iterator[Resource]:
        for piece in self.found():
            yield piece.resource

    def found(self) -> Iterator[Found]:
        """The good resources with their origins. The quarantine file is in place when the loop has come to its end.

        Raises UserError at the first bad piece when the feed has no quarantine.
        """
        tally = Tally(files=len(fhir_files(self.path)))
        if self.quarantine is None:
            yield from self._sorted(tally, None)
        else:
            with NdjsonFile(self.quarantine / QUARANTINE) as aside:
                yield from self._sorted(tally, aside)
        self.tally = tally

    def _sorted(self, tally: Tally, aside: NdjsonFile | None) -> Iterator[Found]:
        for raw in scan(self.path):
            piece = judged(raw, self.shape)
            tally.read += 1
            if isinstance(piece, Found):
                tally.by_type[piece.resource["resourceType"]] += 1
                yield piece
            elif aside is None:
                raise UserError(f"{piece.origin}: {piece.reason}; or give `quarantine`, a folder for what is bad.")
            else:
                tally.reasons[piece.rule] += 1
                aside.add(quarantine_line(piece))

    def save(self, folder: Path | str) -> Tally:
        """Write the good resources as `<resourceType>.ndjson`, one file a type; an export that `tables` can read.

        Each file is written beside and renamed. Numbers pass through Python: 5.10 is written as 5.1. Raises UserError
        when the folder lies in the feed's own or holds FHIR already, or for a resourceType that cannot name a file.
        """
        folder = Path(folder)
        refuse_inside(folder, self.path)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("*.ndjson*")):
            raise UserError(f"{folder} holds NDJSON files already; give an empty folder, so that no old file stays.")
        files: dict[str, NdjsonFile] = {}
        error: BaseException | None = None
        try:
            for resource in self:
                kind = resource["resourceType"]
                if kind not in files:
                    if not kind.isalpha() or not kind.isascii():
                        raise UserError(f"{kind!r} is no resource type of FHIR; read with shape=True and a quarantine.")
                    files[kind] = NdjsonFile(folder / f"{kind}.ndjson")
                files[kind].add(resource)
        except BaseException as stopped:
            error = stopped
            raise
        finally:
            for file in files.values():
                file.__exit__(type(error) if error else None, error, None)
        assert self.tally is not None
        return self.tally


def refuse_inside(folder: Path, path: Path) -> None:
    """Raises UserError when a folder to write to lies in what is read: the next reading would take it for FHIR."""
    if path.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise UserError(f"{folder} lies in {path}, which is read; give a folder elsewhere.")


def quarantine_line(piece: Refused) -> dict[str, Any]:
    """One line of the quarantine file: rule and reason, where it came from, and all of what was there."""
    origin = piece.origin
    return {
        "rule": piece.rule,
        "reason": piece.reason,
        "file": origin.file,
        "line": origin.line,
        "entry": origin.entry,
        "content": piece.content,
    }
