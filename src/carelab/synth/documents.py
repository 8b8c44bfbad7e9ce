"""The Markdown that goes with the data, written from the data: dictionary, datasheet, calibration and traps."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from carelab.errors import UserError
from carelab.synth.calibration import Result

_KINDS = {"string": "text", "timestamp[us]": "date-time", "bool": "true/false", "int32": "integer", "double": "decimal"}


def descriptions() -> dict[str, Any]:
    """What descriptions.toml holds: tables with their columns, the FHIR feed, the datasheet."""
    return tomllib.loads(files("carelab.synth").joinpath("descriptions.toml").read_text(encoding="utf-8"))


def _kind(field: pa.Field) -> str:
    return _KINDS.get(str(field.type), str(field.type))


def dictionary(folder: Path) -> str:
    """DATA_DICTIONARY.md of a built world. Raises UserError for a column that nobody described."""
    told = descriptions()
    made = sorted(path.stem for path in (folder / "tables").glob("*.parquet"))
    lines = [
        "# Data dictionary",
        "",
        "Tables are in `tables/` (Parquet), the FHIR feed in `fhir/` (one NDJSON file a resource type, sorted by id).",
        "The descriptions are those of the department that runs each system.",
    ]
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
    lines += [
        "",
        "## The FHIR feed",
        "",
        "FHIR R4 (4.0.1). Extensions and code systems of the course's own are on example.org.",
        "",
    ]
    lines += ["| resource | meaning |", "|---|---|"]
    lines += [f"| {kind} | {text} |" for kind, text in told["feed"].items()]
    return "\n".join([*lines, ""])


def datasheet(figures: dict[str, Any]) -> str:
    """DATASHEET.md; figures fill the placeholders of descriptions.toml."""
    lines = ["# Datasheet", "", "After Gebru et al., *Datasheets for Datasets*."]
    for entry in descriptions()["datasheet"]:
        lines += ["", f"## {entry['question']}", "", entry["answer"].format(**figures)]
    return "\n".join([*lines, ""])


def calibration(results: list[Result]) -> str:
    """CALIBRATION.md."""
    return "\n".join(
        [
            "# Calibration",
            "",
            "Measured on the built tables; the build stops when a figure leaves its tolerance. Test period: visits from",
            "1 January 2026 on, for models trained on what came before.",
            "",
            "| area | quantity | source of the target | achieved | tolerance |",
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
