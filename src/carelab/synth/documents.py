"""The Markdown that goes with the data, written from the data: dictionary, datasheet, calibration and traps."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from carelab.errors import UserError
from carelab.synth.calibration import Result
from carelab.synth.registry import AREAS

# What the build writes about the data.
DOCUMENTS = ("CALIBRATION.md", "DATA_DICTIONARY.md", "DATASHEET.md", "MANIFEST.json", "croissant.json")

_KINDS = {
    "string": "text",
    "large_string": "text",
    "timestamp[us]": "date-time",
    "timestamp[ns]": "date-time",
    "bool": "true/false",
    "int32": "integer",
    "int64": "integer",
    "double": "decimal",
    "float": "decimal",
    "list<element: string>": "list of texts",
}


def descriptions() -> dict[str, Any]:
    """What descriptions.toml holds: tables with their columns, the FHIR feed, the datasheet."""
    return tomllib.loads(files("carelab.synth").joinpath("descriptions.toml").read_text(encoding="utf-8"))


def _kind(field: pa.Field) -> str:
    return _KINDS.get(str(field.type), str(field.type))


def dictionary(folder: Path) -> str:
    """DATA_DICTIONARY.md of a built world. Raises UserError for a column, resource type or file nobody described."""
    told, feed = descriptions(), folder / "fhir"
    made = sorted(path.stem for path in (folder / "tables").glob("*.parquet"))
    lines = ["# Data dictionary", "", f"Tables are in `tables/` (Parquet){_feed_layout(feed)}.",
             "The descriptions are those of the department that runs each system."]  # fmt: skip
    for name in [*(table for table in told["tables"] if table in made), *(t for t in made if t not in told["tables"])]:
        table = told["tables"].get(name, {"text": "", "columns": {}})
        path = folder / "tables" / f"{name}.parquet"
        schema, rows = pq.read_schema(path), pq.read_metadata(path).num_rows
        missing = set(schema.names) ^ set(table["columns"])
        if missing:
            raise UserError(
                f"descriptions.toml and table {name} differ in {', '.join(sorted(missing))}; describe each column."
            )
        lines += [
            "",
            f"## {name} ({rows:,} rows)",
            "",
            table["text"],
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| {field.name} | {_kind(field)} | {table['columns'][field.name]} |" for field in schema]
    lines += _feed_section(feed, told["feed"])
    lines += _files_section(folder, told["files"])
    return "\n".join([*lines, *_truth_section(folder, told["truth"]), ""])


def _feed_layout(feed: Path) -> str:
    if not feed.is_dir():
        return "; this build holds no FHIR feed"
    if (feed / "network").is_dir():
        return ", the FHIR feed in `fhir/`: a folder `network` and one for each care team, with an NDJSON file a resource type"
    return ", the FHIR feed in `fhir/` (one NDJSON file a resource type, sorted by id)"


def _feed_section(feed: Path, told: dict[str, str]) -> list[str]:
    kinds = {path.stem for path in feed.rglob("*.ndjson")}
    if undescribed := sorted(kinds - told.keys()):
        raise UserError(f"descriptions.toml, [feed], says nothing about {', '.join(undescribed)}; describe each type.")
    if not kinds:
        return []
    return [
        "", "## The FHIR feed", "",
        "FHIR R4 (4.0.1). Extensions and code systems of the course's own are on example.org.", "",
        "| resource | meaning |", "|---|---|",
        *(f"| {kind} | {text} |" for kind, text in told.items() if kind in kinds),
    ]  # fmt: skip


def _files_section(folder: Path, told: dict[str, str]) -> list[str]:
    """Files that are neither tables nor the feed; a description holds for a file, or for all below a folder."""
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    others = [
        name
        for name in names
        if name not in DOCUMENTS
        and not name.startswith(("tables/", "truth/"))
        and not (name.startswith("fhir/") and name.endswith((".ndjson", "/weather.csv")))
    ]
    described: dict[str, int] = {}
    for name in others:
        entry = next((e for e in told if name == e or name.startswith(f"{e.rstrip('/')}/")), None)
        if entry is None:
            raise UserError(f"descriptions.toml, [files], says nothing about {name}; describe it or its folder.")
        described[entry] = described.get(entry, 0) + 1
    if not described:
        return []
    rows = [f"| `{entry}` | {described[entry]} | {text} |" for entry, text in told.items() if entry in described]
    return ["", "## Other files", "", "| file or folder | files | meaning |", "|---|---|---|", *rows]


def _truth_section(folder: Path, told: dict[str, str]) -> list[str]:
    names = sorted(path.stem for path in (folder / "truth").glob("*.parquet"))
    if not names:
        return []
    return [
        "", "## The truth", "",
        "What no hospital would know, in `truth/`. Open it when you have finished a project, not before.", "",
        "| table | meaning |", "|---|---|", *(f"| {name} | {told.get(name, '')} |" for name in names),
    ]  # fmt: skip


def datasheet(folder: Path, seed: int, version: str) -> str:
    """DATASHEET.md of a built world, its figures counted in the folder."""
    told = descriptions()
    n = {
        name: f"{pq.read_metadata(folder / 'tables' / f'{name}.parquet').num_rows:,}" for name in ("patients", "visits")
    }
    filled = {**n, "feed": _feed_sentence(folder / "fhir"), "seed": seed, "version": version}
    lines, part = (
        ["# Datasheet", "", "After Gebru et al., *Datasheets for Datasets* (Communications of the ACM, 2021)."],
        "",
    )
    for entry in told["datasheet"]:
        if entry["part"] != part:
            part = entry["part"]
            lines += ["", f"## {part}"]
        lines += ["", f"**{entry['question']}** {entry['answer'].format(**filled)}"]
        if entry["question"] == "What is in it?":
            active = [area.name for area in AREAS if area.make or area.network or area.derive]
            lines += ["", *(f"- {name}: {told['areas'][name]}" for name in active)]
    return "\n".join([*lines, ""])


def _feed_sentence(feed: Path) -> str:
    """What part of the patients is there as FHIR."""
    if not feed.is_dir():
        return "this build has no FHIR feed"
    if not (feed / "Patient.ndjson").is_file():
        return "and all of it as FHIR R4 resources, a folder for each care team"
    with (feed / "Patient.ndjson").open("rb") as lines:
        shown = sum(1 for _ in lines)
    return f"and {shown:,} patients as FHIR R4 resources, with everything that belongs to them"


def calibration(results: list[Result]) -> str:
    """CALIBRATION.md."""
    return "\n".join(
        [
            "# Calibration",
            "",
            "Measured on the built tables; the build stops when a figure leaves its tolerance. Test period: visits from",
            "1 January 2026 on, for models trained on what came before.",
            "",
            "| area | quantity | target and its source | achieved | tolerance |",
            "|---|---|---|---|---|",
            *[
                f"| {r.area} | {r.meaning} | {r.source} | {r.achieved:.12g} | {r.lower:g} to {r.upper:.12g} |"
                for r in results
            ],
            "",
        ]
    )


def traps(listed: list[dict[str, Any]]) -> str:
    """truth/TRAPS.md: what was planted where, and what it costs. Takes the entries of traps.json."""
    lines = [
        "# Planted mistakes",
        "",
        "For instructors, and for learners afterwards. `naive` is what a reader gets who falls for it, `reference` what the",
        "data really hold. All figures are measured on this world.",
    ]
    for trap in listed:
        figures, shown = trap["figures"], (trap["naive"], trap["reference"])
        lines += ["", f"## {trap['title']} (`{trap['id']}`, {trap['area']})", ""]
        lines += [f"Where: {trap['where']}. {trap['lesson']}", "", "| | figure | value |", "|---|---|---|"]
        rest = [name for name in figures if name not in shown]
        for role, name in zip(["naive", "reference", *[""] * len(rest)], [*shown, *rest], strict=True):
            lines.append(f"| {role} | {name} | {figures[name]:.12g} |")
    return "\n".join([*lines, ""])
