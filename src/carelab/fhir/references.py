"""Do the references of an export lead somewhere?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from carelab.fhir.read import Resource, ndjson_files, read_ndjson


def references(node: Any) -> Iterator[str]:
    """Every `reference` string inside a resource, in document order, contained resources included."""
    if isinstance(node, dict):
        for key, child in node.items():
            if key == "reference" and isinstance(child, str):
                yield child
            else:
                yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def _names(resource: Resource) -> Iterator[str]:
    """What other resources may call this one."""
    yield f"{resource.get('resourceType')}/{resource.get('id')}"
    yield f"urn:uuid:{resource.get('id')}"  # Synthea writes bundle-style names into its bulk files


def check_references(folder: Path | str) -> list[str]:
    """References of all NDJSON files of a folder that lead nowhere, one sentence each, in file order.

    A reference is resolved by `Type/id`, `urn:uuid:id`, or `#id` inside the same resource. An id that occurs twice in
    one type is reported too, since a reference to it has two targets. Absolute URLs to other servers count as dangling.
    """
    files = ndjson_files(folder)
    known: set[str] = set()
    problems: list[str] = []
    for path in files:
        for resource in read_ndjson(path):
            own, *others = _names(resource)
            if own in known:
                problems.append(f"{path.name}: {own} is there twice.")
            known.update((own, *others))
    for path in files:
        for resource in read_ndjson(path):
            contained = {f"#{inner.get('id')}" for inner in resource.get("contained", [])} | {"#"}
            for target in references(resource):
                if target not in contained and target not in known:
                    name = f"{resource.get('resourceType')}/{resource.get('id')}"
                    problems.append(f"{path.name}: {name} refers to {target}, which is not in the export.")
    return problems
