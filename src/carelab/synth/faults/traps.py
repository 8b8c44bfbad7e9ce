"""What a schema alone finds of the planted faults."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from carelab.fhir.read import Resource, read_ndjson
from carelab.fhir.validate import validate
from carelab.synth.areas import Figures, Trap
from carelab.synth.config import World
from carelab.synth.faults.scoring import score


@dataclass(frozen=True)
class Data:
    """Lines of corrupted.ndjson, and the truth about each."""

    lines: list[Resource]
    truth: pd.DataFrame


def load(folder: Path, _: World) -> Data:
    """Read `faults/` and its truth."""
    lines = list(read_ndjson(folder / "faults" / "corrupted.ndjson"))
    return Data(lines, pd.read_parquet(folder / "truth" / "faults.parquet"))


def _schema_only(data: Data) -> Figures:
    found = {line: ["schema"] for line, resource in enumerate(data.lines, start=1) if validate(resource)}
    graded = score(found, data.truth)
    return {
        "kinds_found_by_schema": float(graded.kinds_found),
        "kinds_planted": float(len(graded.detection)),
        "faults_found_by_schema": sum(graded.detection.values()) / len(graded.detection),
        "false_alarms_of_schema": float(len(graded.false_alarms)),
    }


TRAPS = (
    Trap(
        "schema-only", "A schema calls nonsense valid", "faults/corrupted.ndjson",
        "Models of the schema see shapes; codes, references, sums, dates of birth and units need rules of their own.",
        "kinds_found_by_schema", "kinds_planted", _schema_only,
    ),
)  # fmt: skip
