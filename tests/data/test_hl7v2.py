"""HL7 v2: the shapes it comes in, and 139 real messages against an independent count."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from carelab.errors import UserError
from carelab.fhir.hl7v2 import Delimiters, decode, parse, parse_all, parse_time, read_hl7, rows, unescape
from carelab.paths import ROOT

REAL = ROOT.parent / "shared" / "realdata" / "hl7v2"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real messages (../shared/realdata) are not on this machine")

LINES = [
    "MSH|^~\\&|LAB|LAKESHORE|EHR|CLINIC|20260301103000-0600||ORU^R01^ORU_R01|M1|P|2.5.1",
    "PID|1||LH1^^^LAKESHORE^MR~9^^^STATE&1.2.3&ISO^SS||Lake^Ada^B||198003|F|||12 Dune \\T\\ Shore Rd^^Chicago^IL",
    "OBR|1|||58410-2^CBC^LN",
    "OBX|1|NM|718-7^Hemoglobin^LN||13.1|g/dL|12-16||||F|||20260301",
    "OBX|2|TX|8251-1^Comment^LN||first\\.br\\second~again||||||F",
]
TEXT = "\r".join(LINES)


def test_places() -> None:
    message = parse(TEXT)
    assert (message.kind, message.version, len(message)) == ("ORU^R01", "2.5.1", 5)
    assert [segment.name for segment in message] == ["MSH", "PID", "OBR", "OBX", "OBX"]
    assert (message["MSH-1"], message["MSH-2"], message["MSH-3"]) == ("|", "^~\\&", "LAB")
    assert (message["PID-5.1"], message["PID-5"]) == ("Lake", "Lake^Ada^B")
    assert message["PID-11.1"] == "12 Dune & Shore Rd"
    assert (message["PID-3[2].1"], message["PID-3[2].4.2"], message["PID-3[2].4"]) == ("9", "1.2.3", "STATE&1.2.3&ISO")
    assert (message["OBX[2]-5"], message["OBX[2]-5[2]"]) == ("first\nsecond", "again")
    assert [segment["3.1"] for segment in message.all("OBX")] == ["718-7", "8251-1"]
    # What was not sent is empty, however deep.
    assert [message[p] for p in ("PID-30", "PID-5.9", "PID-5.1.2", "PID-3[3]", "ZZZ-1", "OBX[9]-1", "PID-2")] == [""] * 7
    assert message.first("ZZZ") is None
    assert len(message.all("OBX")[0]) == 14


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\x0b", b"\r\n"])
def test_line_ends_marks_and_frames(end: str, start: bytes) -> None:
    message = parse(start + (end.join(LINES) + end).encode() + b"\x1c\r")
    assert len(message) == 5
    assert message["PID-5.2"] == "Ada"
    assert message["MSH-12"] == "2.5.1"


def test_encodings() -> None:
    for data in (TEXT.replace("Ada", "Zoë").encode(), TEXT.replace("Ada", "Zoë").encode("latin-1"),
                 TEXT.replace("Ada", "Zoë").encode("utf-16")):  # fmt: skip
        assert parse(data)["PID-5.2"] == "Zoë"
    assert decode(b"\xef\xbb\xbfMSH") == "MSH"


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        ("\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\"),
        ("a\\X0D0A\\b", "a\r\nb"),
        ("\\XC3A9\\", "é"),
        ("\\XE9\\", "é"),
        ("\\H\\loud\\N\\", "loud"),
        ("\\Zown\\", "\\Zown\\"),
        ("\\X0\\ \\XZZ\\", "\\X0\\ \\XZZ\\"),
        ("C:\\temp", "C:\\temp"),
        ("", ""),
    ],
)
def test_escapes(escaped: str, plain: str) -> None:
    assert unescape(escaped, Delimiters()) == plain


def test_an_escaped_delimiter_does_not_split() -> None:
    message = parse("MSH|^~\\&|A\rPID|||1||O\\S\\Hara^Ada\\R\\Bea")
    assert (message["PID-5.1"], message["PID-5.2"]) == ("O^Hara", "Ada~Bea")
    assert message["PID-5[2].1"] == ""


def test_own_delimiters() -> None:
    message = parse("MSH#*%@!#LAB\rPID###1*2%3##Lake!West*Ada@T@Bea")
    assert (message["MSH-3"], message["PID-3.2"], message["PID-3[2]"]) == ("LAB", "2", "3")
    assert (message["PID-5.1.2"], message["PID-5.2"]) == ("West", "Ada!Bea")
    assert parse("MSH|^~\rPID|||a\\b")["PID-3"] == "a\\b"  # no escape named: the usual one, and this is none


@pytest.mark.parametrize(
    ("text", "at", "precision", "zoned"),
    [
        ("2017", datetime(2017, 1, 1, tzinfo=UTC), "year", False),
        ("201702", datetime(2017, 2, 1, tzinfo=UTC), "month", False),
        ("20170203", datetime(2017, 2, 3, tzinfo=UTC), "day", False),
        ("2017020315", datetime(2017, 2, 3, 15, tzinfo=UTC), "hour", False),
        ("201702031530-0500", datetime(2017, 2, 3, 20, 30, tzinfo=UTC), "minute", True),
        ("20170203153001.25+0530", datetime(2017, 2, 3, 10, 0, 1, 250000, tzinfo=UTC), "second", True),
        ("20170203+0100", datetime(2017, 2, 2, 23, tzinfo=UTC), "day", True),
    ],
)
def test_times(text: str, at: datetime, precision: str, zoned: bool) -> None:
    found = parse_time(text)
    assert (found.at, found.precision, found.zoned) == (at, precision, zoned)
    assert found.at.tzinfo is not None


def test_times_take_the_senders_zone_when_they_name_none() -> None:
    chicago = timezone(timedelta(hours=-6))
    assert parse_time("20260301103000", chicago).at == datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert parse_time("20260301103000+0000", chicago).at == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    message = parse(TEXT)
    birth = message.time("PID-7")
    assert birth is not None and birth.precision == "month"
    assert message.time("PID-29") is None


@pytest.mark.parametrize("text", ["17", "2017-02-03", "20170230", "20171301", "soon", "20170203 15"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UserError, match="no time of HL7 v2"):
        parse_time(text)


def test_batches() -> None:
    one, two = TEXT, TEXT.replace("|M1|", "|M2|")
    batch = "\r".join(["FHS|^~\\&|LAB", "BHS|^~\\&|LAB", one, two, "BTS|2", "FTS|1"])
    assert [message["MSH-10"] for message in parse_all(batch)] == ["M1", "M2"]
    assert [len(message) for message in parse_all(batch)] == [5, 5]
    assert [message["MSH-10"] for message in parse_all(f"{one}\r\r{two}\r")] == ["M1", "M2"]
    with pytest.raises(UserError, match="says 3 messages and holds 2"):
        list(parse_all(batch.replace("BTS|2", "BTS|3")))
    with pytest.raises(UserError, match="2 messages where one"):
        parse(batch)


def test_free_text_with_a_line_break_stays_in_its_segment() -> None:
    message = parse(TEXT.replace("\\.br\\", "\n").replace("again", "again\nTHE END"))
    assert len(message) == 5
    assert message["OBX[2]-5[2]"] == "again\nTHE END"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin with MSH"),
        ("PID|1", "does not begin with MSH"),
        ('{"resourceType": "Patient"}', "does not begin with MSH"),
        ("MSH", "cut short"),
        ("MSH|^^\\&|A", "no usable delimiters"),
        ("MSHA^~\\&|A", "no usable delimiters"),
    ],
)
def test_what_is_no_message_is_said(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse(text)


def test_a_header_that_names_few_delimiters_gets_the_usual_ones() -> None:
    assert parse("MSH|||A\rPID|||1^2").delimiters == Delimiters()


@pytest.mark.parametrize("place", ["PID", "5.1", "PID-", "PID-5.1.1.1", "pid-5", "PID-5-1"])
def test_what_is_no_place_is_said(place: str) -> None:
    with pytest.raises(UserError, match="is no place in a message"):
        parse(TEXT)[place]


def test_rows(tmp_path: Path) -> None:
    (tmp_path / "lab.hl7").write_bytes(TEXT.encode())
    (tmp_path / "deep").mkdir()
    dft = [
        "MSH|^~\\&|B||||20260301||DFT^P03|D1", "PID|1||LH1", "FT1|1|T1||20260301||CG|E0601^CPAP|||1|800.00",
        "FT1|2|T2||20260301||CG|G0463^Visit|||2|120.50",
    ]  # fmt: skip
    (tmp_path / "deep" / "bill.hl7").write_bytes("\n".join(dft).encode())
    messages = list(read_hl7(tmp_path))
    results = rows(messages, "ORU")
    assert results[["code", "value", "unit", "order_code", "patient_id"]].to_numpy().tolist() == [
        ["718-7", "13.1", "g/dL", "58410-2", "LH1"], ["8251-1", "first\nsecond", "", "58410-2", "LH1"],
    ]  # fmt: skip
    assert rows(messages, "DFT")["amount"].tolist() == ["800.00", "120.50"]
    assert rows(messages, "ADT").empty
    assert "ward" in rows(messages, "ADT").columns
    with pytest.raises(UserError, match="choose one of ADT"):
        rows(messages, "XYZ")
    with pytest.raises(UserError, match="is not there"):
        list(read_hl7(tmp_path / "nowhere"))


@real
def test_every_real_message_is_read_with_all_its_segments() -> None:
    """Compared with the lines of the file, split without this module."""
    messages = list(read_hl7(REAL))
    assert len(messages) == len({name for name, _ in messages}) == 139
    marked = 0
    for name, message in messages:
        raw = (REAL / name).read_bytes()
        marked += raw.startswith(b"\xef\xbb\xbf")
        lines = [line for line in raw.decode("utf-8-sig").splitlines() if line.strip()]
        assert [segment.name for segment in message] == [line[:3] for line in lines], name
        for segment, line in zip(message, lines, strict=True):
            shift = segment.name == "MSH"
            assert [segment.raw(n) for n in range(1 + shift, len(segment) + 1)] == line.split("|")[1:], name
        assert message["MSH-9.1"] == lines[0].split("|")[8].split("^")[0]
        assert message["MSH-12"].split("^")[0].strip() == message.version.strip() != ""
    assert marked == 27
    assert {message.version[:3] for _, message in messages} <= {"2.3", "2.4", "2.5", "2.6", "2.7", "2.8"}


@real
def test_every_time_of_the_real_headers_is_read() -> None:
    found = [time for _, message in read_hl7(REAL) if (time := message.time("MSH-7.1"))]
    assert len(found) > 100
    assert Counter(time.at.tzinfo is None for time in found) == {False: len(found)}
    assert {time.zoned for time in found} == {True, False}


@real
def test_rows_of_the_real_messages() -> None:
    messages = list(read_hl7(REAL))
    kinds = Counter(message["MSH-9.1"] for _, message in messages)
    for kind in ("ADT", "SIU"):
        assert len(rows(messages, kind)) == kinds[kind] > 10
    for kind, segment in (("ORU", "OBX"), ("DFT", "FT1")):
        lines = [
            line
            for path in REAL.glob("*.hl7")
            if f"|{kind}^" in (text := path.read_text(encoding="utf-8-sig")).splitlines()[0]
            for line in text.splitlines()
            if line.startswith(f"{segment}|")
        ]
        table = rows(messages, kind)
        assert len(table) == len(lines) > 3
        assert sorted(table["set_id"]) == sorted(line.split("|")[1] for line in lines)
