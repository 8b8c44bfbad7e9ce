"""Does a resource have the shape of FHIR R4? The schema only, not the meaning.

The models are those of `fhir.resources.R4B`. The package's root is R5: it rejects most real R4, and passes just
enough Patients and Observations to hide the mistake.
"""

from functools import lru_cache
from importlib import import_module
from typing import Any

from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from pydantic import ValidationError

# fhir.resources accepts these although FHIR does not: an id is 1 to 64 letters, digits, hyphens or dots.
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

    Checks elements, cardinality, formats of primitives and choice types. Does not check codes, reference targets,
    profiles or anything that links two elements: 13 of 13 such mistakes pass.
    """
    if not isinstance(resource, dict):
        return [f"A resource is a JSON object, and this is a {type(resource).__name__}."]
    kind = resource.get("resourceType")
    if kind is None:
        return ["The resource has no resourceType, so nothing says what it is."]
    model = _model(kind) if isinstance(kind, str) else None
    if model is None:
        return [f"{kind!r} is not a resource type of FHIR R4."]
    name = f"{kind}/{resource.get('id', '(no id)')}"
    found = []
    if len(str(resource.get("id", ""))) > _ID_LENGTH:
        found.append(f"{name}: the id is longer than {_ID_LENGTH} characters.")
    try:
        model.model_validate(resource)
    except ValidationError as error:
        found += [f"{name}: {_where(problem['loc'])}: {problem['msg']}." for problem in error.errors()]
    return found


def _where(location: tuple[int | str, ...]) -> str:
    """Path of an element, for example `participant[0].status`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.lstrip(".") or "the resource"
