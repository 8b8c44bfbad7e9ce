"""Is an audit log whole? Each event carries the hash of the one before it on the same patient."""

import hashlib
from collections.abc import Iterable

import orjson

from carelab.fhir.read import Resource
from carelab.fhir.tables.engine import EXTENSION

PREVIOUS = f"{EXTENSION}/previous-hash"


def event_hash(event: Resource) -> str:
    """SHA-256 (hex) of an AuditEvent: its JSON with sorted keys and without white space."""
    return hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()


def previous_hash(event: Resource) -> str | None:
    """The hash an event states for its predecessor; None for the first of a chain."""
    stated = [entry["valueString"] for entry in event.get("extension", []) if entry.get("url") == PREVIOUS]
    return stated[0] if stated else None


def broken_links(events: Iterable[Resource]) -> list[str]:
    """Ids of the events whose predecessor is not the one they state: something was deleted or changed before them.

    events: AuditEvents in the order they were written; a chain runs along the events on one patient. Nothing can be
    said of the end of a chain: an event deleted there leaves no trace unless the last hash is kept elsewhere.
    """
    last: dict[str, str] = {}
    broken = []
    for event in events:
        patient = event["entity"][0]["what"]["reference"]
        if previous_hash(event) != last.get(patient):
            broken.append(event["id"])
        last[patient] = event_hash(event)
    return broken
