"""Rules about codes: required bindings, LOINC, ICD-10-CM, UCUM."""

import re
from collections.abc import Iterator
from typing import Any

from carelab.fhir.meaning.bindings import CODES, COMPARATORS, CONCEPTS, DATA_TYPES
from carelab.fhir.meaning.ranges import RANGES, likely_unit
from carelab.fhir.meaning.rules import View, rule
from carelab.fhir.meaning.units import MEANT, is_ucum

LOINC = "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"

_LOINC = re.compile(r"(\d{1,7})-(\d)")
_LOINC_PART = re.compile(r"L[ALGP]\d{1,7}-\d")  # answers, lists, groups, parts: their last digit follows another rule
_ICD = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")


# The path of an object -> the elements of it with a required binding.
_BOUND: dict[str, dict[str, frozenset[str]]] = {}
for _path, _allowed in CODES.items():
    _BOUND.setdefault(_path.rpartition(".")[0], {})[_path.rpartition(".")[2]] = _allowed


def _bound(view: View) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Path, code and allowed codes of every code that is not in the list its element is bound to."""
    for path, node in view.nodes:
        elements = _BOUND.get(path) or DATA_TYPES.get(path.rpartition(".")[2], {})
        for element, allowed in elements.items():
            value = node.get(element)
            for code in value if isinstance(value, list) else [value]:
                if isinstance(code, str) and code not in allowed:
                    yield f"{path}.{element}", code, allowed


def _choices(allowed: frozenset[str]) -> str:
    return ", ".join(sorted(allowed))


@rule("unknown-status")
def unknown_status(view: View) -> Iterator[tuple[str, str]]:
    """A status is one of the codes that FHIR lists for it."""
    for path, code, allowed in _bound(view):
        if path.lower().endswith("status"):
            yield path, f"{code!r} is no status here; use one of {_choices(allowed)}"


@rule("unknown-gender")
def unknown_gender(view: View) -> Iterator[tuple[str, str]]:
    """A gender is male, female, other or unknown, written out."""
    for path, code, allowed in _bound(view):
        if path.endswith(".gender"):
            yield path, f"{code!r} is no code of FHIR; use one of {_choices(allowed)}"


@rule("unknown-code")
def unknown_code(view: View) -> Iterator[tuple[str, str]]:
    """Other codes whose list FHIR fixes (use, intent, outcome, clinical status ...) come from that list."""
    for path, code, allowed in _bound(view):
        if not path.lower().endswith("status") and not path.endswith(".gender"):
            yield path, f"{code!r} is not in FHIR's list; use one of {_choices(allowed)}"
    for path, (system, allowed) in CONCEPTS.items():
        kind, _, element = path.partition(".")
        concept = view.resource.get(element) if view.kind == kind else None
        for coding in _codings(concept):
            code = coding.get("code")
            if coding.get("system") == system and isinstance(code, str) and code not in allowed:
                yield path, f"{code!r} is not in {system}; use one of {_choices(allowed)}"
    for path, node in view.nodes:
        sign = node.get("comparator")
        if isinstance(sign, str) and sign not in COMPARATORS:
            yield f"{path}.comparator", f"{sign!r} compares nothing; use one of {_choices(COMPARATORS)}"


def _codings(concept: Any) -> list[dict[str, Any]]:
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [coding for coding in found if isinstance(coding, dict)] if isinstance(found, list) else []


def loinc_check_digit(digits: str) -> int:
    """The check digit (mod 10) of a LOINC number: every second digit from the right is doubled."""
    doubled = (int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits)))
    return -sum(number // 10 + number % 10 for number in doubled) % 10


@rule("loinc-check-digit")
def loinc(view: View) -> Iterator[tuple[str, str]]:
    """A LOINC code ends with the check digit of its number."""
    for path, node in view.nodes:
        code = node.get("code")
        if node.get("system") != LOINC or not isinstance(code, str):
            continue
        match = _LOINC.fullmatch(code)
        if match is None:
            if not _LOINC_PART.fullmatch(code):
                yield path, f"{code!r} does not look like a LOINC code (digits, a hyphen, a check digit)"
        elif int(match[2]) != (digit := loinc_check_digit(match[1])):
            yield path, f"{code} is no LOINC code: its check digit would be {digit}; look for a typing error"


@rule("icd-shape")
def icd(view: View) -> Iterator[tuple[str, str]]:
    """An ICD-10-CM code is a letter, a digit, a third character and, after a point, up to four more."""
    for path, node in view.nodes:
        code = node.get("code")
        if node.get("system") == ICD_10_CM and isinstance(code, str) and not _ICD.fullmatch(code):
            yield path, f"{code!r} has not the form of an ICD-10-CM code, for example E11.9 (with the point)"


def _unit(node: dict[str, Any]) -> str | None:
    """The UCUM unit of a quantity; the printed unit when the code is left out."""
    if node.get("system") != UCUM:
        return None
    code = node.get("code", node.get("unit"))
    return code if isinstance(code, str) else None


@rule("unknown-unit")
def unknown_unit(view: View) -> Iterator[tuple[str, str]]:
    """A unit said to be of UCUM is one."""
    for path, node in view.nodes:
        unit = _unit(node)
        if unit is not None and not is_ucum(unit):
            hint = f"; UCUM writes {MEANT[unit]}" if unit in MEANT else "; look it up at unitsofmeasure.org"
            yield path, f"{unit!r} is no UCUM unit (case counts){hint}"


@rule("implausible-value")
def implausible_value(view: View) -> Iterator[tuple[str, str]]:
    """A measurement is possible in the unit it is given in, for the laboratory values and vital signs known here."""
    if view.kind != "Observation":
        return
    parts = [view.resource, *(part for part in _list(view.resource.get("component")) if isinstance(part, dict))]
    for part in parts:
        quantity = part.get("valueQuantity")
        if not isinstance(quantity, dict):
            continue
        value, unit = quantity.get("value"), _unit(quantity) or quantity.get("unit")
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        for coding in _codings(part.get("code")):
            code = coding.get("code")
            if coding.get("system") != LOINC or code not in RANGES or unit not in RANGES[code][1]:
                continue
            name, limits = RANGES[code]
            low, high = limits[unit]
            if not low <= value <= high:
                other = likely_unit(code, value, unit)
                hint = f"in {other} it would be possible, so check the unit" if other else "check value and unit"
                yield (
                    "Observation.valueQuantity",
                    (f"{name} ({code}) of {value:g} {unit} is not possible (at most {low:g} to {high:g}); {hint}"),
                )
            break


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
