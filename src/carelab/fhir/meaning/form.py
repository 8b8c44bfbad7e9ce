"""Rules about what JSON allows and FHIR does not, and the schema's models let pass."""

import re
from collections.abc import Iterator
from typing import Any

from carelab.fhir.meaning.rules import View, rule

# Elements of these names are numbers wherever R4 has them; and so is `value` beside a unit or a currency.
_NUMBERS = frozenset(
    "valueDecimal valueInteger valuePositiveInt valueUnsignedInt minutesDuration multipleBirthInteger sequence "
    "numberOfSeries numberOfInstances doseNumberPositiveInt seriesDosesPositiveInt probabilityDecimal relativeRisk "
    "numberOfRepeatsAllowed frequency repeat_count factor lowerLimit upperLimit dimensions".split()
)
_AMOUNT_SIGNS = ("unit", "currency", "comparator")
_AMOUNTS = frozenset(
    "valueQuantity doseQuantity quantity net total unitPrice amount low high numerator denominator".split()
)
_BOOLEANS = frozenset(
    "active deceasedBoolean multipleBirthBoolean valueBoolean preferred primarySource userSelected focal requestor "
    "inactive doNotPerform reportedBoolean allowedBoolean asNeededBoolean isSubpotent experimental".split()
)
_TIMES = frozenset(
    "start end issued created sent received authoredOn recorded recordedDate date birthDate lastUpdated started "
    "authored occurred assertedDate dateAsserted whenPrepared whenHandedOver receivedTime indexed".split()
)
_TIME_ENDS = ("DateTime", "Instant", "Date")


@rule("no-type")
def no_type(view: View) -> Iterator[tuple[str, str]]:
    """A resource says what it is."""
    if not isinstance(view.resource.get("resourceType"), str):
        yield "resource", "there is no resourceType, so nothing says what it is"


def _is_time(key: str) -> bool:
    return key in _TIMES or key.endswith(_TIME_ENDS)


@rule("number-as-string")
def number_as_string(view: View) -> Iterator[tuple[str, str]]:
    """A number is written without quotation marks."""
    for path, node in view.nodes:
        for key in _NUMBERS.intersection(node):
            if isinstance(node[key], str):
                yield f"{path}.{key}", f"the number {node[key]!r} is written as a string; take the quotation marks off"
        value = node.get("value")
        amount = any(sign in node for sign in _AMOUNT_SIGNS) or path.rpartition(".")[2] in _AMOUNTS
        if isinstance(value, str) and amount:
            yield f"{path}.value", f"the number {value!r} is written as a string; take the quotation marks off"


@rule("boolean-as-string")
def boolean_as_string(view: View) -> Iterator[tuple[str, str]]:
    """True and false are written without quotation marks."""
    for path, node in view.nodes:
        for key in _BOOLEANS.intersection(node):
            if not isinstance(node[key], bool | type(None)):
                yield f"{path}.{key}", f"{node[key]!r} is not true or false; write it without quotation marks"


@rule("time-as-number")
def time_as_number(view: View) -> Iterator[tuple[str, str]]:
    """A time is written as a date, not as seconds since 1970."""
    for path, node in view.nodes:
        for key, value in node.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and _is_time(key):
                yield f"{path}.{key}", f"{value} is a number; write the time as 2026-07-01T13:30:00Z"


@rule("empty")
def empty(view: View) -> Iterator[tuple[str, str]]:
    """An element that is there has a value: no null, no empty list, object or string."""
    for path, node in view.nodes:
        for key, value in node.items():
            if value is None:
                if not key.startswith("_"):
                    yield f"{path}.{key}", "is null; leave the element out when there is nothing to say"
            elif value in ("", [], {}) or (isinstance(value, str) and value.isspace()):
                yield f"{path}.{key}", "is empty; leave the element out when there is nothing to say"
            elif isinstance(value, list) and {} in value:
                yield f"{path}.{key}", "holds an empty object; leave it out"


_ACTIVE = re.compile(
    r"<\s*(script|iframe|frame|object|embed|applet|form|input|button|link|base|meta|svg|video|audio)\b"
    r"|<[^>]*\son\w+\s*=|javascript\s*:|data\s*:\s*text/html|<!DOCTYPE|<!ENTITY",
    re.IGNORECASE,
)
_DIV = re.compile(r"\s*<div[\s>].*</div>\s*", re.DOTALL)


def _narratives(view: View) -> Iterator[tuple[str, Any]]:
    for path, node in view.nodes:
        if isinstance(node.get("div"), str):
            yield f"{path}.div", node["div"]


@rule("active-narrative")
def active_narrative(view: View) -> Iterator[tuple[str, str]]:
    """A narrative is text: no script, form, frame, or attribute that runs something."""
    for path, div in _narratives(view):
        if found := _ACTIVE.search(div):
            yield (
                path,
                f"holds {found.group()[:40]!r}, which could run in a browser; take it out before anyone shows it",
            )


@rule("narrative-form")
def narrative_form(view: View) -> Iterator[tuple[str, str]]:
    """A narrative is one div element."""
    for path, div in _narratives(view):
        if not _DIV.fullmatch(div):
            yield path, "is not one <div> element of XHTML; wrap it in one"
