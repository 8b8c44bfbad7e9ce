"""The built feeds as a careful reader sees them: messages and claims in frames."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from carelab.synth.config import World
from carelab.synth.interfaces.er7 import component_of, split_messages, value

ASSIGNER = "LAKESHORE"


@dataclass(frozen=True)
class Data:
    """Files by name, their messages and claims in frames, and the truth.

    raw: content of each .hl7 file. messages: every message as a list of segments, by file. claims: claim_id, visit_id,
    day (first), amount, diagnoses. charges: visit_id, day, amount, diagnoses, from DFT. truth: tables by name.
    """

    world: World
    raw: dict[str, bytes]
    messages: dict[str, list[list[str]]]
    claims: pd.DataFrame
    charges: pd.DataFrame
    local_codes: pd.DataFrame
    truth: dict[str, pd.DataFrame]


def load(folder: Path, world: World) -> Data:
    """Read the feeds of a built world, with their truth."""
    raw = {path.name: path.read_bytes() for path in sorted((folder / "hl7v2").glob("*.hl7"))}
    messages = {name: split_messages(content) for name, content in raw.items()}
    # Sodium's local code is NA, which pandas would take for a missing value.
    codes = pd.read_csv(folder / "hl7v2" / "local-codes.csv", keep_default_na=False)
    texts = [path.read_text(encoding="utf-8") for path in sorted((folder / "claims").glob("*.txt"))]
    truth = {path.stem: pd.read_parquet(path) for path in sorted((folder / "truth").glob("interface_*.parquet"))}
    return Data(
        world, raw, messages, pd.concat([read_claims(text) for text in texts], ignore_index=True), read_charges(messages),
        codes, truth,
    )  # fmt: skip


def read_claims(text: str) -> pd.DataFrame:
    """Claims of a file, one row each: claim_id, visit_id, day, amount, diagnoses (without points)."""
    rows: list[dict[str, object]] = []
    for line in text.replace("\n", "").split("~"):
        parts = line.split("*")
        match parts[0]:
            case "CLM":
                rows.append({"claim_id": parts[1], "amount": float(parts[2])})
            case "REF":
                rows[-1]["visit_id"] = parts[2]
            case "DTP":
                rows[-1]["day"] = parts[2][:8]
            case "HI":
                rows[-1]["diagnoses"] = [code.partition(":")[2] for code in parts[1:]]
    return pd.DataFrame(rows, columns=["claim_id", "visit_id", "day", "amount", "diagnoses"])


def read_charges(messages: dict[str, list[list[str]]]) -> pd.DataFrame:
    """DFT messages, one row each: visit_id, day (local, of the visit's start), amount, diagnoses (without points)."""
    rows = [
        {
            "visit_id": value(message, "PV1", 19), "day": value(message, "PV1", 44)[:8],
            "amount": sum(float(component_of(line, 11)) for line in message if line.startswith("FT1")),
            "diagnoses": [component_of(line, 3).replace(".", "") for line in message if line.startswith("DG1")],
        }
        for name, found in messages.items() if name.startswith("dft") for message in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["visit_id", "day", "amount", "diagnoses"])


def record_number(message: list[str]) -> str:
    """The network's record number among the repetitions of PID-3, else the first number; empty if there is none."""
    line = next((line for line in message if line.startswith("PID")), "")
    fields = line.split("|")
    for repetition in fields[3].split("~") if len(fields) > 3 else []:
        parts = repetition.split("^")
        if len(parts) > 3 and parts[3] == ASSIGNER:
            return parts[0]
    return value(message, "PID", 3)
