"""What a rule is, what it sees, and what it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from carelab.fhir.release import Resource
from carelab.fhir.scan import Origin

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. path: the element; message: what it is and what to do, for a person."""

    rule: str
    severity: Severity
    resource: str
    path: str
    message: str
    origin: Origin | None = None

    def __str__(self) -> str:
        where = f"{self.origin}: " if self.origin else ""
        return f"{where}{self.resource}: {self.path}: {self.message} [{self.rule}]"


@dataclass
class Index:
    """What the first pass over a feed remembers: ids and a line for each patient and encounter, never resources.

    names: what references may call a resource (`Type/id`, a bundle's full URL). twice: `Type/id` of more than one.
    kinds: resource types with the number of resources. lives: patient id -> birth and death as written. subjects:
    encounter id -> patient id.
    answers: `Type/id` of search results -> their content's hash.
    complete: False when there is no feed, so that nothing can be said about references.
    """

    names: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=dict)
    lives: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    complete: bool = False


@dataclass
class View:
    """A resource as rules see it. nodes: every object in it with its path, contained resources included."""

    resource: Resource
    index: Index

    @cached_property
    def kind(self) -> str:
        """The resource type."""
        return str(self.resource.get("resourceType"))

    @cached_property
    def nodes(self) -> list[tuple[str, dict[str, Any]]]:
        """Path (without positions, for example `Claim.item.net`) and object."""
        found: list[tuple[str, dict[str, Any]]] = []
        _collect(self.resource, self.kind, found)
        return found

    @cached_property
    def references(self) -> list[tuple[str, str]]:
        """Path and target of every reference."""
        found = ((path, node.get("reference")) for path, node in self.nodes)
        return [(path, target) for path, target in found if isinstance(target, str)]

    @cached_property
    def patient(self) -> str | None:
        """Id of the patient it is about, when it is about one."""
        for element in ("subject", "patient", "beneficiary", "for"):
            if (found := patient_id(self.resource.get(element))) is not None:
                return found
        return None


def _collect(node: Any, path: str, found: list[tuple[str, dict[str, Any]]]) -> None:
    if isinstance(node, dict):
        kind = node.get("resourceType")
        if isinstance(kind, str) and path.endswith(".contained"):
            path = kind  # the rules for its type hold for a contained resource too
        found.append((path, node))
        for key, child in node.items():
            if isinstance(child, dict | list):
                _collect(child, f"{path}.{key}", found)
    elif isinstance(node, list):
        for child in node:
            _collect(child, path, found)


def patient_id(reference: Any) -> str | None:
    """The id in a reference to a patient, or in a `urn:uuid:`, which does not tell its type."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str):
        return None
    text = text.split("/_history/")[0]
    if text.startswith("urn:uuid:"):
        return text[9:]
    *_, kind, name = ["", *text.split("/")]
    return name if kind == "Patient" else None


Test = Callable[[View], Iterator[tuple[str, str]]]


@dataclass(frozen=True)
class Rule:
    """A test with its name. says: what it looks for, in one sentence. The test yields path and message."""

    id: str
    severity: Severity
    says: str
    test: Test


RULES: dict[str, Rule] = {}


def rule(name: str, severity: Severity = "error") -> Callable[[Test], Test]:
    """Make a function a rule; the first line of its docstring is what it says."""

    def register(test: Test) -> Test:
        RULES[name] = Rule(name, severity, (test.__doc__ or "").strip().split("\n")[0], test)
        return test

    return register
