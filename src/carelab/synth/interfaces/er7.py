"""HL7 v2 in its bar notation: a small writer, and the smallest reader that tells what was written."""

from collections.abc import Sequence

_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
BREAK = "\\.br\\"


def escape(text: str) -> str:
    """Free text as a field holds it: separators escaped, line ends as `\\.br\\`."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text).replace("\n", BREAK)


def unescape(text: str) -> str:
    """What `escape` was given."""
    for letter, code in (("\n", BREAK), *((a, b) for a, b in _ESCAPES.items() if a != "\\")):
        text = text.replace(code, letter)
    return text.replace("\\E\\", "\\")


def field(*components: str | None) -> str:
    """Components joined by `^`, without empty ones at the end. They are escaped here."""
    return "^".join(escape(component or "") for component in components).rstrip("^")


def segment(name: str, *fields: str | None) -> str:
    """A segment; fields count from 1, are not escaped again, and empty ones at the end are left out."""
    return "|".join([name, *(value or "" for value in fields)]).rstrip("|")


def header(sender: str, site: str, sent: str, kind: str, control: str, version: str) -> str:
    """MSH, whose first field is the separator itself. kind: for example `ADT^A01`."""
    return f"MSH|^~\\&|{sender}|{site}|ENGINE|LAKESHORE|{sent}||{kind}|{control}|T|{version}"


def split_messages(content: bytes) -> list[list[str]]:
    """Messages of a file as lists of segments, whatever the line ends, with or without a byte-order mark."""
    text = content.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r")
    messages: list[list[str]] = []
    for line in text.split("\r"):
        if line.startswith("MSH"):
            messages.append([])
        if line and messages:
            messages[-1].append(line)
    return messages


def value(message: Sequence[str], name: str, number: int, component: int = 1) -> str:
    """A component of a field of the first segment with this name; empty if it is not there. MSH counts as in HL7."""
    for line in message:
        if line.startswith(name):
            return component_of(line, number, component)
    return ""


def component_of(line: str, number: int, component: int = 1) -> str:
    """A component of a field of a segment, first repetition, as written."""
    fields = line.split("|")
    at = number - 1 if line.startswith("MSH") else number
    if at >= len(fields):
        return ""
    parts = fields[at].split("~")[0].split("^")
    return parts[component - 1] if component <= len(parts) else ""
