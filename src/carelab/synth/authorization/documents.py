"""The documents that a reviewer reads: payers' policies, guidelines and procedures, as Markdown with front matter."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from carelab.synth.authorization.policies import Policy, facts, policies, read_toml, services
from carelab.synth.resources import PAYERS

FOLDER = "documents"
ROLES = ("front-desk", "nurse", "pa-specialist", "physician", "compliance", "finance")
_FOLDERS = {"policy": "policies", "guideline": "guidelines", "sop": "procedures", "bulletin": "bulletins"}


@dataclass(frozen=True)
class Part:
    """A section: id that a citation names, heading, text."""

    id: str
    heading: str
    text: str


@dataclass(frozen=True)
class Document:
    """A document with its front matter. until: last day in force, None while it lasts; payer: class, or empty."""

    id: str
    kind: str
    title: str
    version: str
    effective: date
    until: date | None
    approved_by: str
    parts: tuple[Part, ...]
    payer: str = ""
    service: str = ""
    number: str = ""
    supersedes: str = ""
    status: str = "approved"
    roles: tuple[str, ...] = ROLES

    @property
    def file(self) -> str:
        """Path below the documents' folder."""
        return f"{_FOLDERS[self.kind]}/{self.id}.md"

    def part(self, section: str) -> Part:
        """A section by its id. Raises KeyError when there is none."""
        found = {part.id: part for part in self.parts}
        return found[section]

    def markdown(self) -> str:
        """The whole document."""
        head: dict[str, Any] = {
            "id": self.id, "kind": self.kind, "title": self.title, "payer": PAYERS.get(self.payer, ""),
            "policy_id": self.number, "version": self.version, "effective_from": self.effective,
            "effective_to": self.until or "", "supersedes": self.supersedes, "status": self.status,
            "approved_by": self.approved_by, "roles": f"[{', '.join(self.roles)}]",
        }  # fmt: skip
        lines = [
            "---",
            *(f"{key}: {_plain(value)}" for key, value in head.items() if value != ""),
            "---",
            "",
            f"# {self.title}",
        ]
        for part in self.parts:
            level = "###" if part.id[-1].isdigit() and len(part.id) > 1 and self.kind == "policy" else "##"
            lines += ["", f"{level} {part.id} {part.heading}", "", part.text]
        return "\n".join([*lines, "", "*Synthetic document of a fictional network; not for the care of patients.*", ""])


def _plain(value: Any) -> str:
    """A value of the front matter as YAML; a text with a colon in quotation marks."""
    text = str(value)
    return f'"{text}"' if ": " in text else text


@lru_cache
def documents() -> dict[str, Document]:
    """All documents by id: policies first, each version its own document."""
    texts = read_toml("library.toml")
    found = [
        _policy(policy, version, texts)
        for policy in policies().values()
        for version in range(1, len(policy.versions) + 1)
    ]
    for entry in texts["document"]:
        parts = tuple(Part(*section) for section in entry["sections"])
        found.append(
            Document(
                entry["id"], entry["kind"], entry["title"], entry.get("version", "1"), entry["effective"], None,
                entry["approved_by"], parts, payer=entry.get("payer", ""), status=entry.get("status", "approved"),
                roles=tuple(entry.get("roles", ROLES)),
            )
        )  # fmt: skip
    return {document.id: document for document in found}


def _policy(policy: Policy, version: int, texts: dict[str, Any]) -> Document:
    """One version of a policy, in the words of its payer."""
    words, service = texts["payer"][policy.payer], services()[policy.service]
    criteria = policy.criteria(version)
    known = list(dict.fromkeys(name for c in criteria for name in c.facts))
    limit = " and ".join(f"{item.most} unit{'s' * (item.most > 1)} of {item.code}" for item in service.items)
    listed = [_inside(facts()[name].label) for name in known]
    slots = {
        "name": service.name, "blurb": service.blurb, "number": policy.number, "months": policy.months, "limit": limit,
        "facts": "; ".join(listed),
    }  # fmt: skip

    def clause(name: str) -> Part:
        section, heading, text = words[name]
        return Part(section, heading, text.format(**slots))

    background = texts["background"][policy.service]["plain" if policy.payer == "medicaid" else "formal"]
    start, until = policy.in_force(version)
    history = f"Version 1 in force from {policy.effective}."
    if version == 2:
        history += f" Version 2 in force from {policy.revised}: {policy.why}"
    parts = (
        clause("purpose"),
        Part(words["background"][0], words["background"][1], background),
        clause("heading"),
        *(Part(c.section, c.title, c.text) for c in criteria),
        *(clause(name) for name in ("documents", "network", "duration", "quantity", "clock", "appeal")),
        Part(words["history"][0], words["history"][1], history),
    )
    return Document(
        policy.document(version), "policy", words["title"].format(**slots), str(version), start, until,
        words["approved_by"], parts, payer=policy.payer, service=policy.service, number=policy.number,
        supersedes=policy.document(1) if version == 2 else "",
    )  # fmt: skip


def _inside(label: str) -> str:
    """A label within a sentence: the first letter small, unless the word is a name or an abbreviation."""
    first = label.split()[0]
    names = ("Epworth", "Oswestry", "STOP-Bang")
    return label if first in names else label[0].lower() + label[1:]


def files() -> dict[str, bytes]:
    """Files by path: each document, and an index of them."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        [
            "document_id",
            "kind",
            "title",
            "payer",
            "service",
            "version",
            "effective_from",
            "effective_to",
            "status",
            "roles",
            "file",
        ]
    )
    found: dict[str, bytes] = {}
    for document in sorted(documents().values(), key=lambda d: d.file):
        writer.writerow(
            [
                document.id, document.kind, document.title, document.payer, document.service, document.version,
                document.effective, document.until or "", document.status, " ".join(document.roles), document.file,
            ]
        )  # fmt: skip
        found[f"{FOLDER}/{document.file}"] = document.markdown().encode()
    return found | {f"{FOLDER}/index.csv": table.getvalue().encode()}
