"""What is in a path of FHIR, and what is wrong with it, as something to read."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from carelab.fhir.feed import QUARANTINE, NdjsonFile, Tally, refuse_inside, judged, quarantine_line
from carelab.fhir.meaning.check import check, gather, once
from carelab.fhir.meaning.rules import RULES, Problem, Severity
from carelab.fhir.scan import Found, Refused, fhir_files, scan

_EXAMPLES = 3
_OTHER = {
    "not-json": "A line or file is JSON.",
    "not-an-object": "A resource is a JSON object.",
    "no-type": "A resource says what it is.",
    "damaged-gzip": "A gzip file is whole.",
    "other-release": "A resource is FHIR R4.",
    "shape": "A resource has the shape that FHIR R4 gives its type.",
}


@dataclass
class Group:
    """All problems of one rule. resources: how many are concerned; examples: the first few, as sentences."""

    rule: str
    severity: Severity
    says: str
    quarantined: bool
    resources: int = 0
    problems: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, sentences: list[str]) -> None:
        """Take over what is wrong with one resource."""
        self.resources += 1
        self.problems += len(sentences)
        self.examples += sentences[: max(0, _EXAMPLES - len(self.examples))]


@dataclass
class Report:
    """What `report` found. releases: how many pieces belong to R4 and to others; groups: problems by rule."""

    path: Path
    tally: Tally
    releases: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)
    quarantine: Path | None = None

    @property
    def ok(self) -> bool:
        """True when nothing but warnings was found."""
        return not any(group.severity == "error" for group in self.groups.values())

    @property
    def release(self) -> str:
        """The release of the feed in words."""
        if not self.releases:
            return "none: nothing readable was found"
        parts = [f"{release} ({number:,})" for release, number in self.releases.most_common()]
        return parts[0].partition(" ")[0] if len(parts) == 1 else ", ".join(parts)

    def frame(self) -> pd.DataFrame:
        """One row a rule: rule, severity, resources, problems, quarantined, meaning, first example."""
        rows = [
            (g.rule, g.severity, g.resources, g.problems, g.quarantined, g.says, g.examples[0] if g.examples else "")
            for g in self._sorted()
        ]
        names = ["rule", "severity", "resources", "problems", "quarantined", "meaning", "example"]
        return pd.DataFrame(rows, columns=names)

    def counts(self) -> pd.DataFrame:
        """One row a resource type: type, resources that were read and not refused."""
        return pd.DataFrame(sorted(self.tally.by_type.items()), columns=["type", "resources"])

    def text(self) -> str:
        """The report in plain lines."""
        t = self.tally
        lines = [
            f"{self.path}: {t.files:,} files, {t.read:,} pieces read, {t.good:,} good, {t.quarantined:,} refused.",
            f"Release: {self.release}.",
            "Types: " + (", ".join(f"{kind} {number:,}" for kind, number in sorted(t.by_type.items())) or "none") + ".",
        ]
        if self.quarantine:
            lines.append(f"What was refused lies in {self.quarantine / QUARANTINE}, with reason and origin.")
        for group in self._sorted():
            lines += ["", f"{group.severity} {group.rule}, {group.resources:,} times. {group.says}"]
            lines += [f"  - {example}" for example in group.examples]
            if group.problems > len(group.examples):
                lines.append(f"  - and {group.problems - len(group.examples):,} more")
        lines += ["", "Nothing is wrong." if self.ok else "Something is wrong: see the errors above."]
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """The report as Markdown; a notebook shows a report this way."""
        t = self.tally
        lines = [
            f"**{self.path.name}**: {t.files:,} files, {t.read:,} pieces read, {t.good:,} good, "
            f"{t.quarantined:,} refused. Release: {self.release}.",
            "",
            "| type | resources |",
            "|---|---:|",
            *(f"| {kind} | {number:,} |" for kind, number in sorted(t.by_type.items())),
            "",
        ]
        if self.groups:
            lines += ["| severity | rule | resources | meaning | example |", "|---|---|---:|---|---|"]
            lines += [
                f"| {g.severity} | {g.rule} | {g.resources:,} | {_cell(g.says)} | {_cell(g.examples[0])} |"
                for g in self._sorted()
            ]
        else:
            lines.append("Nothing is wrong.")
        return "\n".join(lines) + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _sorted(self) -> list[Group]:
        return sorted(self.groups.values(), key=lambda g: (g.severity, not g.quarantined, -g.resources, g.rule))

    def _add_refused(self, piece: Refused) -> None:
        self.tally.reasons[piece.rule] += 1
        group = self.groups.setdefault(
            piece.rule, Group(piece.rule, "error", _OTHER.get(piece.rule, piece.rule), quarantined=True)
        )
        group.add([f"{piece.origin}: {piece.reason}"])

    def _add_problems(self, problems: list[Problem]) -> None:
        for rule in dict.fromkeys(problem.rule for problem in problems):
            group = self.groups.setdefault(rule, Group(rule, RULES[rule].severity, RULES[rule].says, quarantined=False))
            group.add([str(problem) for problem in problems if problem.rule == rule])


def _cell(text: str) -> str:
    """Text for a cell of a table: one line, and nothing that ends the cell or runs in a browser."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def report(path: Path | str, quarantine: Path | str | None = None, shape: bool = True, meaning: bool = True) -> Report:
    """Read all of a path, judge shape and meaning, and say what was found.

    quarantine: a folder for `quarantine.ndjson`, which takes what is no valid R4 resource; nothing is written without
    it. shape: by the schema, about a thousand resources a second. meaning: by the rules of `carelab.fhir.meaning`;
    what they find is told and stays in the feed. Memory grows with the number of ids only. Raises UserError when the
    path is not there, holds no FHIR, or holds the quarantine folder.
    """
    path = Path(path)
    aside = None if quarantine is None else Path(quarantine)
    if aside is not None:
        refuse_inside(aside, path)
    made = Report(path, Tally(files=len(fhir_files(path))), quarantine=aside)
    index = gather(path) if meaning else None
    told: set[tuple[str, str]] = set()
    with NdjsonFile(aside / QUARANTINE) if aside else nullcontext() as file:
        for piece in _pieces(path, shape, made):
            if isinstance(piece, Refused):
                made._add_refused(piece)
                if file is not None:
                    file.add(quarantine_line(piece))
                continue
            made.tally.by_type[piece.resource["resourceType"]] += 1
            if index is not None:
                made._add_problems(list(once(check(piece.resource, index, piece.origin), told)))
    return made


def _pieces(path: Path, shape: bool, made: Report) -> Iterator[Found | Refused]:
    """All pieces, counted, with their release noted."""
    for raw in scan(path):
        made.tally.read += 1
        if isinstance(raw, Found):
            made.releases["R4"] += 1
        elif raw.rule == "other-release":
            made.releases[raw.release or "unknown"] += 1
        yield judged(raw, shape)
