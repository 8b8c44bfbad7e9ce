"""HL7 version 2 as hospitals really send it: segments, fields, repetitions, escapes, batches, partial times.

>>> message = parse(text)
>>> message["PID-5.1"], message["PID-5.2"]
('Lake', 'Ada')
>>> [segment["3.1"] for segment in message.all("OBX")]
['718-7', '2160-0']
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from carelab.errors import UserError

_BREAK = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_PLACE = re.compile(r"(?:([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-)?(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?")
_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6})\d*)?([+-]\d{4})?")
_PRECISION = ("year", "month", "day", "hour", "minute", "second")
_WRAPPED = "\x0b\x1c"  # how the MLLP protocol frames a message on the wire
_BATCH = ("FHS", "BHS", "BTS", "FTS")


class Delimiters(NamedTuple):
    """The characters a message says it uses, in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"


class Timestamp(NamedTuple):
    """A time with what is known of it. precision: year, month, day, hour, minute or second; zoned: False when the
    zone was not written and the caller's was taken."""

    at: datetime
    precision: str
    zoned: bool


def parse_time(text: str, zone: tzinfo = UTC) -> Timestamp:
    """An HL7 time such as `2017`, `20170203`, `201702031530-0500`, as an aware datetime with its precision.

    zone: where the sender is, for times that do not say. Raises UserError when it is no time.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UserError(f"{text!r} is no time of HL7 v2; it is written as YYYYMMDDHHMMSS+ZZZZ, cut where unknown.")
    *parts, fraction, offset = match.groups()
    known = [int(part) for part in parts if part is not None]
    year, month, day, hour, minute, second = known + [0, 1, 1, 0, 0, 0][len(known) :]
    try:
        where = zone
        if offset:
            ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            where = timezone(ahead if offset[0] == "+" else -ahead)
        at = datetime(year, month, day, hour, minute, min(second, 59), int((fraction or "").ljust(6, "0")), where)
    except ValueError as error:
        raise UserError(f"{text!r} is no time of HL7 v2: {error}.") from error
    return Timestamp(at, _PRECISION[len(known) - 1], bool(offset))


def unescape(text: str, delimiters: Delimiters) -> str:
    """Text with its escape sequences resolved: \\F\\ \\S\\ \\T\\ \\R\\ \\E\\ \\Xdd..\\ and the line breaks of \\.br\\.

    Highlighting (\\H\\, \\N\\) is dropped; a sequence that is not known stays as it is.
    """
    mark = delimiters.escape
    if not mark or mark not in text:
        return text
    plain = {
        "F": delimiters.field, "S": delimiters.component, "T": delimiters.sub, "R": delimiters.repetition,
        "E": mark, "H": "", "N": "", ".br": "\n", ".sp": "\n",
    }  # fmt: skip

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code in plain:
            return plain[code]
        if code[:1] == "X" and len(code) % 2 and len(code) > 1:
            try:
                data = bytes.fromhex(code[1:])
            except ValueError:
                return match[0]
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return data.decode("latin-1")
        return match[0]

    quoted = re.escape(mark)
    return re.sub(f"{quoted}([^{quoted}]*){quoted}", one, text)


class Segment:
    """One line of a message. Fields count from 1, as in the standard; in MSH, field 1 is the separator itself."""

    def __init__(self, text: str, delimiters: Delimiters) -> None:
        parts = text.split(delimiters.field)
        self.name, self.text, self._delimiters = parts[0], text, delimiters
        self._fields = parts[1:]
        if self.name in ("MSH", "FHS", "BHS"):
            self._fields.insert(0, delimiters.field)

    def __repr__(self) -> str:
        return f"Segment({self.text!r})"

    def __len__(self) -> int:
        """How many fields were sent, empty ones included."""
        return len(self._fields)

    def raw(self, field: int) -> str:
        """A field as it was sent; empty when it was not."""
        return self._fields[field - 1] if 0 < field <= len(self._fields) else ""

    def repetitions(self, field: int) -> list[str]:
        """The repetitions of a field as they were sent; none of an empty one."""
        text = self.raw(field)
        if not text:
            return []
        if self._is_encoding(field) or not self._delimiters.repetition:
            return [text]
        return text.split(self._delimiters.repetition)

    def get(self, field: int, component: int = 1, sub: int = 1, repetition: int = 1) -> str:
        """A value without escapes, all counted from 1; empty when it was not sent.

        The first component of a field without components is the whole field, and so on downwards.
        """
        found = self.repetitions(field)
        if not 0 < repetition <= len(found):
            return ""
        text = found[repetition - 1]
        if self._is_encoding(field):
            return text if component == sub == 1 else ""
        for separator, number in ((self._delimiters.component, component), (self._delimiters.sub, sub)):
            parts = text.split(separator) if separator else [text]
            if not 0 < number <= len(parts):
                return ""
            text = parts[number - 1]
        return unescape(text, self._delimiters)

    def __getitem__(self, place: str) -> str:
        """`segment["3"]` a whole field (first repetition, without escapes), `segment["3.1"]`, `segment["3[2].1.2"]`."""
        match = _PLACE.fullmatch(place)
        if match is None or match[1]:
            raise UserError(f"{place!r} is no place in a segment; write a field as '5', a component as '5.1'.")
        return self._at(match)

    def _at(self, match: re.Match[str]) -> str:
        field, repetition = int(match[3]), int(match[4] or 1)
        if match[5] is None:
            found = self.repetitions(field)
            return unescape(found[repetition - 1], self._delimiters) if 0 < repetition <= len(found) else ""
        component = int(match[5])
        if match[6] is None:  # a whole component, subcomponents included
            found = self.repetitions(field)
            text = found[repetition - 1] if 0 < repetition <= len(found) else ""
            parts = [text] if self._is_encoding(field) else text.split(self._delimiters.component)
            return unescape(parts[component - 1], self._delimiters) if 0 < component <= len(parts) else ""
        return self.get(field, component, int(match[6]), repetition)

    def _is_encoding(self, field: int) -> bool:
        """MSH-1 and MSH-2 hold the delimiters, which are not to be taken for delimiters."""
        return field <= 2 and self.name in ("MSH", "FHS", "BHS")


@dataclass(frozen=True)
class Message:
    """A message: its segments in order. An empty value and one that was not sent are both ''; `\"\"` means delete."""

    segments: tuple[Segment, ...]
    delimiters: Delimiters

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    def all(self, name: str) -> list[Segment]:
        """The segments of a name, in order."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name, or None."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def __getitem__(self, place: str) -> str:
        """`message["PID-5.1"]`, `message["OBX[2]-5"]`, `message["PID-3[2].4.2"]`; empty when it was not sent."""
        match = _PLACE.fullmatch(place)
        if match is None or not match[1]:
            raise UserError(f"{place!r} is no place in a message; write it as 'PID-5.1' or 'OBX[2]-5'.")
        found = self.all(match[1])
        number = int(match[2] or 1)
        return found[number - 1]._at(match) if 0 < number <= len(found) else ""

    def time(self, place: str, zone: tzinfo = UTC) -> Timestamp | None:
        """The time in a place, None when it is empty; see `parse_time`."""
        text = self[place]
        return parse_time(text, zone) if text and text != '""' else None

    @property
    def kind(self) -> str:
        """Type and event, for example ADT^A01; the type alone when no event was sent."""
        event = self["MSH-9.2"] or self["EVN-1"]
        return f"{self['MSH-9.1']}^{event}" if event else self["MSH-9.1"]

    @property
    def version(self) -> str:
        """The version that the message says it is, for example 2.5.1."""
        return self["MSH-12.1"]


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8 or UTF-16 with a byte-order mark, UTF-8, else the Latin-1 of older systems."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse(text: str | bytes) -> Message:
    """One message, with any line ends, with or without byte-order mark and frame.

    A line that does not begin like a segment goes on with the one before: free text with a line break inside. Raises
    UserError when there is no message, or more than one.
    """
    found = list(parse_all(text))
    if len(found) != 1:
        raise UserError(f"There are {len(found)} messages where one was expected; use parse_all for several.")
    return found[0]


def parse_all(text: str | bytes, source: str = "the text") -> Iterator[Message]:
    """All messages of a text: one after another, or in a batch (FHS, BHS ... BTS, FTS), whose frame is left out.

    source: what to call the text in an error. Raises UserError when it does not begin with MSH, FHS or BHS, when MSH is
    cut short, or when a batch counts other messages than it holds.
    """
    if isinstance(text, bytes):
        text = decode(text)
    lines: list[tuple[int, str]] = []
    for number, raw in enumerate(_BREAK.split(text.lstrip("\ufeff")), start=1):
        line = raw.strip(_WRAPPED)
        if not line.strip():
            continue
        if lines and not _begins_segment(line):
            lines[-1] = (lines[-1][0], f"{lines[-1][1]}\n{line}")
        else:
            lines.append((number, line.lstrip() if not lines else line))
    if not lines or lines[0][1][:3] not in ("MSH", "FHS", "BHS"):
        raise UserError(
            f"{source} is no HL7 v2 message: it does not begin with MSH, nor with FHS or BHS as a batch does."
        )
    segments: list[Segment] = []
    delimiters = Delimiters()
    read = 0
    for number, line in lines:
        name = line[:3]
        if name in (*_BATCH, "MSH") and segments:
            yield Message(tuple(segments), delimiters)
            read, segments = read + 1, []
        if name in ("MSH", "FHS", "BHS"):
            delimiters = _delimiters(line, f"{source}, line {number}")
        if name == "BTS":
            counted = Segment(line, delimiters).get(1)
            if counted.isdigit() and int(counted) != read:
                raise UserError(
                    f"{source}, line {number}: the batch says {counted} messages and holds {read}; fetch it again."
                )
        if name == "BHS":
            read = 0
        if name not in _BATCH:
            segments.append(Segment(line, delimiters))
    if segments:
        yield Message(tuple(segments), delimiters)


def _begins_segment(line: str) -> bool:
    """A name of three characters and then no letter or digit, or nothing."""
    return _NAME.match(line) is not None and (len(line) == 3 or not (line[3].isalnum() or line[3] in " _."))


def _delimiters(line: str, where: str) -> Delimiters:
    """The delimiters that a header names; the usual ones for those it leaves out."""
    if len(line) < 5:
        raise UserError(f"{where}: the header {line!r} is cut short; it names the delimiters, as in MSH|^~\\&|.")
    field = line[3]
    named = line[4:].split(field)[0]
    usual = Delimiters()
    signs = [field, *named[:4]]
    if len(set(signs)) < len(signs) or any(sign.isalnum() for sign in signs):
        raise UserError(f"{where}: {line[3:9]!r} names no usable delimiters; it should look like |^~\\&|.")
    return Delimiters(*signs, *usual[len(signs) :])


def read_hl7(path: Path | str) -> Iterator[tuple[str, Message]]:
    """File name and message, for all messages of a file, or of the `.hl7` files of a folder and those in it.

    Raises UserError when the path is not there, holds no such file, or holds something that is no message.
    """
    path = Path(path)
    files = sorted(path.rglob("*.hl7")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise UserError(f"{path} is not there, or has no .hl7 file in it; check the spelling of its name.")
    for file in files:
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        for message in parse_all(file.read_bytes(), source=name):
            yield name, message


# Row by row: a column and its place. Times stay as they were sent; `parse_time` reads them.
_COMMON = {
    "message_type": "MSH-9.1", "event": "MSH-9.2", "control_id": "MSH-10", "version": "MSH-12.1", "sent": "MSH-7.1",
    "sender": "MSH-3.1", "patient_id": "PID-3.1", "family_name": "PID-5.1.1", "given_name": "PID-5.2",
    "birth_date": "PID-7.1", "sex": "PID-8",
}  # fmt: skip
# Message type -> the segment that makes a row (None: one row a message) and its columns; `.` marks its own fields.
_ROWS: dict[str, tuple[str | None, dict[str, str]]] = {
    "ADT": (None, {
        "class": "PV1-2", "ward": "PV1-3.1", "room": "PV1-3.2", "bed": "PV1-3.3", "visit_id": "PV1-19.1",
        "attending": "PV1-7.1", "admitted": "PV1-44.1", "discharged": "PV1-45.1", "occurred": "EVN-2.1",
        "merged_id": "MRG-1.1",
    }),
    "ORU": ("OBX", {
        "set_id": ".1", "value_type": ".2", "code": ".3.1", "name": ".3.2", "system": ".3.3", "value": ".5",
        "unit": ".6.1", "reference_range": ".7", "flag": ".8.1", "status": ".11", "observed": ".14.1",
    }),
    "SIU": (None, {
        "placer_id": "SCH-1.1", "filler_id": "SCH-2.1", "reason": "SCH-7.2", "minutes": "SCH-9", "start": "SCH-11.4",
        "end": "SCH-11.5", "status": "SCH-25.1", "service": "AIS-3.2", "service_start": "AIS-4.1", "person": "AIP-3.1",
        "place": "AIL-3.1",
    }),
    "DFT": ("FT1", {
        "set_id": ".1", "transaction_id": ".2", "transacted": ".4.1", "type": ".6", "code": ".7.1", "description": ".7.2",
        "quantity": ".10", "amount": ".11.1", "unit_amount": ".12.1", "diagnosis": ".19.1",
    }),
}  # fmt: skip


def rows(messages: Iterator[tuple[str, Message]] | list[tuple[str, Message]], kind: str) -> pd.DataFrame:
    """Messages of a type as a flat table, all columns text, '' where nothing was sent.

    kind: ADT or SIU (one row a message), ORU (one row an OBX, with the order it belongs to) or DFT (one row an FT1).
    messages: file name and message, as `read_hl7` gives them; those of other types are passed over.
    """
    if kind not in _ROWS:
        raise UserError(f"There are no rows for {kind!r}; choose one of {', '.join(_ROWS)}.")
    segment_name, own = _ROWS[kind]
    found = []
    for file, message in messages:
        if message["MSH-9.1"] != kind:
            continue
        common = {"file": file, **{column: message[place] for column, place in _COMMON.items()}}
        if segment_name is None:
            found.append(common | {column: message[place] for column, place in own.items()})
            continue
        order: dict[str, str] = {"order_code": "", "order_name": ""}
        for segment in message:
            if segment.name == "OBR":
                order = {"order_code": segment["4.1"], "order_name": segment["4.2"]}
            if segment.name == segment_name:
                row = common | (order if kind == "ORU" else {})
                found.append(row | {column: segment[place[1:]] for column, place in own.items()})
    names = ["file", *_COMMON, *(["order_code", "order_name"] if kind == "ORU" else []), *own]
    return pd.DataFrame(found, columns=names, dtype=object)
