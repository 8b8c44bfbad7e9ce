"""Running the rules, on one resource or on a whole feed in two passes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from carelab.fhir.meaning import amounts, codes, form, links, times  # noqa: F401 - they register their rules
from carelab.fhir.meaning.rules import RULES, Index, Problem, View, patient_id
from carelab.fhir.release import Resource
from carelab.fhir.scan import Found, Origin, scan


def check(resource: Resource, index: Index | None = None, origin: Origin | None = None) -> list[Problem]:
    """What is wrong with the meaning of a resource, in the order of the rules; an empty list when nothing is found.

    index: what else is in the feed, from `gather`. Without it, references, doubles and times that need another resource
    are not judged; a Patient's own dates are.
    """
    view = View(resource, index or Index())
    name = f"{view.kind}/{resource.get('id', '(no id)')}"
    found = []
    for rule in RULES.values():
        said = dict.fromkeys(rule.test(view))  # the same sentence for two items of a list is told once
        found += [Problem(rule.id, rule.severity, name, path, message, origin) for path, message in said]
    return found


def gather(*paths: Path | str) -> Index:
    """First pass: the ids of all resources, and a few words about patients and encounters."""
    index = Index(complete=True)
    for path in paths:
        for piece in scan(path):
            if isinstance(piece, Found):
                remember(index, piece)
    return index


def remember(index: Index, piece: Found) -> None:
    """Take a resource into the index."""
    resource = piece.resource
    kind, own = str(resource.get("resourceType")), resource.get("id")
    name = f"{kind}/{own}"
    if own is not None:
        # Two searches may find the same resource; that is no double unless the answers differ.
        content = hash(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)) if piece.answer else None
        if name in index.names and (content is None or index.answers.get(name) != content):
            index.twice.add(name)
        if content is not None:
            index.answers[name] = content
        index.names.update((name, f"urn:uuid:{own}"))  # Synthea writes bundle-style names into its bulk files
    if piece.full_url:
        index.names.add(piece.full_url)
    index.kinds[kind] = index.kinds.get(kind, 0) + 1
    if kind == "Patient":
        born, died = resource.get("birthDate"), resource.get("deceasedDateTime")
        index.lives[str(own)] = (born if isinstance(born, str) else None, died if isinstance(died, str) else None)
    elif kind == "Encounter" and (subject := patient_id(resource.get("subject"))) is not None:
        index.subjects[str(own)] = subject


def check_feed(*paths: Path | str, context: Iterable[Path | str] = ()) -> Iterator[Problem]:
    """What is wrong with the meaning of all resources of files and folders, in their order.

    context: paths whose resources may be referred to, and are not checked themselves. Reads everything twice and keeps
    ids only: about 300 bytes a resource. What is not a resource is passed over; `report` tells about it. Raises
    UserError when a path is not there.
    """
    index = gather(*paths, *context)
    told: set[tuple[str, str]] = set()
    for path in paths:
        for piece in scan(path):
            if isinstance(piece, Found):
                yield from once(check(piece.resource, index, piece.origin), told)


def once(problems: Iterable[Problem], told: set[tuple[str, str]]) -> Iterator[Problem]:
    """Problems of the feed rather than of a resource are told the first time only; `told` remembers them."""
    for problem in problems:
        if problem.rule == "incomplete-export":
            if (problem.path, problem.message) in told:
                continue
            told.add((problem.path, problem.message))
        yield problem
