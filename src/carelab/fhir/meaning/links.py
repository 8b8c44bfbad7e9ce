"""Rules about ids and references: is the target there, is it of an allowed type, is it the same patient's?"""

import re
from collections.abc import Iterator
from typing import Any

from carelab.fhir.meaning.bindings import TARGETS
from carelab.fhir.meaning.rules import View, patient_id, rule

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?(#.*)?")


def named(target: str) -> str:
    """A reference without version and fragment, as the index writes it."""
    return target.split("/_history/")[0].split("#")[0] or target


@rule("duplicate-id")
def duplicate_id(view: View) -> Iterator[tuple[str, str]]:
    """No two resources of one type have the same id."""
    name = f"{view.kind}/{view.resource.get('id')}"
    if name in view.index.twice:
        yield f"{view.kind}.id", f"{name} is there more than once, so a reference to it has two targets; keep one"


@rule("id-format")
def id_format(view: View) -> Iterator[tuple[str, str]]:
    """An id has 1 to 64 letters, digits, hyphens and points."""
    found = view.resource.get("id")
    if found is not None and not (isinstance(found, str) and _ID.fullmatch(found)):
        yield f"{view.kind}.id", f"{found!r} is no id: 1 to 64 letters, digits, hyphens and points"


@rule("wrong-reference-type")
def wrong_reference_type(view: View) -> Iterator[tuple[str, str]]:
    """A reference leads to a type of resource that the element allows."""
    for path, target in view.references:
        allowed = TARGETS.get(path)
        kind = _kind(view, target) if allowed else None
        if allowed and kind and kind not in allowed:
            yield path, f"{target} is a {kind}; here it has to be {' or '.join(sorted(allowed))}"


def _kind(view: View, target: str) -> str | None:
    """The type a reference leads to, where it can be told."""
    if target.startswith("urn:uuid:"):
        name = target[9:]
        return next((kind for kind in view.index.kinds if f"{kind}/{name}" in view.index.names), None)
    if target.startswith("#"):
        return next(
            (str(inner.get("resourceType")) for inner in _contained(view) if inner.get("id") == target[1:]), None
        )
    match = _RELATIVE.fullmatch("/".join(target.split("/_history/")[0].split("/")[-2:]))
    return match[1] if match else None


def _contained(view: View) -> list[dict[str, Any]]:
    found = view.resource.get("contained")
    return [inner for inner in found if isinstance(inner, dict)] if isinstance(found, list) else []


@rule("dangling-reference")
def dangling_reference(view: View) -> Iterator[tuple[str, str]]:
    """A reference leads to a resource of the feed, or inside its own.

    References by full address to another server are left alone, and so are those to a type of which the feed has none:
    an export of some types only is not broken (see `incomplete-export`).
    """
    inner = None
    for path, target in view.references:
        if target.startswith("#"):
            inner = {str(part.get("id")) for part in _contained(view)} if inner is None else inner
            if target != "#" and target[1:] not in inner:
                yield path, f"nothing inside this resource has the id {target[1:]!r}"
        elif not _resolves(view, path, target):
            yield path, f"{target} is not in the feed; add it, or take the reference out"


def _resolves(view: View, path: str, target: str) -> bool:
    index = view.index
    if not index.complete or named(target) in index.names:
        return True
    if target.startswith("urn:"):
        allowed = TARGETS.get(path, frozenset())
        return bool(allowed) and not any(kind in index.kinds for kind in allowed)
    if "://" in target:
        return True
    match = _RELATIVE.fullmatch(target)
    return match is not None and match[1] not in index.kinds


@rule("incomplete-export", "warning")
def incomplete_export(view: View) -> Iterator[tuple[str, str]]:
    """The types that references lead to are in the feed. Told once a type and element, not for each resource."""
    index = view.index
    for path, target in view.references:
        if (
            target.startswith("#")
            or named(target) in index.names
            or not index.complete
            or not _resolves(view, path, target)
        ):
            continue
        match = _RELATIVE.fullmatch(target)
        kind = match[1] if match else None if "://" in target else " or ".join(sorted(TARGETS.get(path, ())))
        if kind:
            yield path, f"leads to {kind}, and the feed has none; export that type too, or accept that it is not there"


@rule("other-patient")
def other_patient(view: View) -> Iterator[tuple[str, str]]:
    """A resource and the encounter it belongs to are about the same patient."""
    encounter = view.resource.get("encounter")
    target = encounter.get("reference") if isinstance(encounter, dict) else None
    if isinstance(target, str) and view.patient is not None:
        name = named(target).removeprefix("urn:uuid:").rpartition("/")[2]
        theirs = view.index.subjects.get(name)
        if theirs is not None and theirs != view.patient:
            yield (
                f"{view.kind}.encounter",
                f"{target} is of patient {theirs}, this of {view.patient}; one of them is wrong",
            )


def encounter_subject(resource: dict[str, Any]) -> str | None:
    """Whose encounter it is."""
    return patient_id(resource.get("subject"))
