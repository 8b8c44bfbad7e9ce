"""Reading what was handed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Handed:
    answers: dict[str, str]
    flag: str = ""


@dataclass(frozen=True)
class Submitted:
    student: str
    folder: Path
    flag: str = ""


def read_handed(path: Path, names: Collection[str]) -> Handed:
    try:
        nb = json.loads(path.read_text())
    except Exception:
        return Handed({}, f"{path.name} could not be read.")
    found: dict[str, str] = {}
    for c in nb["cells"]:
        e = c["metadata"].get("nbgrader")
        if e and e["solution"] and e["grade_id"] in names:
            s = c["source"]
            found.setdefault(e["grade_id"], s if isinstance(s, str) else "".join(s))
    return Handed(found)


def submissions(folder: Path, week: str) -> list[Submitted]:
    return [Submitted(p.name, p / week) for p in sorted(folder.iterdir()) if (p / week).is_dir()]


def timestamp(folder: Path) -> datetime | None:
    return None


def fingerprint(folder: Path, stems: Collection[str]) -> str:
    return hashlib.sha256(
        b"".join((folder / f"{s}.ipynb").read_bytes() for s in sorted(stems) if (folder / f"{s}.ipynb").is_file())
    ).hexdigest()
