"""Does a resource have the shape of FHIR R4? The schema only, not the meaning.

The models are those of `fhir.resources.R4B`. The package's root is R5: it rejects most real R4, and passes just
enough Patients and Observations to hide the mistake.
"""

from functools import lru_cache
from importlib import import_module
from typing import Any

from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from pydantic import ValidationError

from carelab.fhir.release import other_release

# FHIR allows 64 characters in an id; the models let longer ones pass.
_ID_LENGTH = 64


@lru_cache
def _model(kind: str) -> type[FHIRResourceModel] | None:
    """The R4B model of a resource type, or None when R4B has no such type."""
    if not kind.isalpha():
        return None
    try:
        found = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind, None)
    except ModuleNotFoundError:
        return None
    return found if isinstance(found, type) and issubclass(found, FHIRResourceModel) else None


def validate(resource: Any) -> list[str]:
    """What is wrong with the shape of a resource, one sentence each; an empty list when it is valid R4.

    Checks elements, cardinality, formats of primitives and choice types; a Bundle entry by entry. A resource that
    was written for another release of FHIR is told so first. Does not check codes, reference targets, profiles or
    anything that links two elements.
    """
    if not isinstance(resource, dict):
        return [f"A resource is a JSON object, and this is a {type(resource).__name__}."]
    problems = _shape(resource)
    if problems and (found := other_release(resource)):
        release, why = found
        problems.insert(0, f"{_name(resource)}: {why} belongs to FHIR {release}, not R4; convert it to R4 first.")
    return problems


def _shape(resource: dict[str, Any]) -> list[str]:
    """What the models of R4B object to."""
    kind = resource.get("resourceType")
    if kind is None:
        return ["The resource has no resourceType, so nothing says what it is."]
    model = _model(kind) if isinstance(kind, str) else None
    if model is None:
        return [f"{kind!r} is not a resource type of FHIR R4."]
    name = _name(resource)
    problems = []
    if len(str(resource.get("id", ""))) > _ID_LENGTH:
        problems.append(f"{name}: the id is longer than {_ID_LENGTH} characters.")
    inside: list[str] = []
    entries = resource.get("entry")
    if kind == "Bundle" and isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        # Entry by entry is faster than the bundle as a whole, and one bad entry does not hide the others.
        inside = [p for entry in entries if isinstance(entry.get("resource"), dict) for p in _shape(entry["resource"])]
        shells = [{k: v for k, v in e.items() if k != "resource" or not isinstance(v, dict)} for e in entries]
        resource = resource | {"entry": shells}
    try:
        model.model_validate(resource)
    except ValidationError as error:
        problems += [f"{name}: {_where(p['loc'])}: {_what(p['type'], p['msg'])}." for p in error.errors()]
    except KeyError as error:  # the models stumble over a contained resource of a type they do not know
        problems.append(f"{name}: it contains a resource of a type that is not FHIR R4 ({error.args[0]}).")
    return problems + inside


def _name(resource: dict[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id', '(no id)')}"


def _where(location: tuple[int | str, ...]) -> str:
    """Path of an element, for example `participant[0].status`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.lstrip(".") or "the resource"


def _what(kind: str, message: str) -> str:
    """A message for people; the models try to read a string as JSON where an object should be."""
    return "an object is expected here" if kind.startswith("json") else message.rstrip(".")
