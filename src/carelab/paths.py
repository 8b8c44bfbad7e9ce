"""Where things live. Every other module asks here, so that a folder can move in one place."""

import hashlib
import json
import os
from pathlib import Path

from carelab.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "course"
RELEASE = ROOT / "weeks_01-12"
TASKS = "exercises.json"  # beside a week's notebooks: what they ask for, with hints
SOLUTIONS = ROOT / "solutions"
DATA = ROOT / "data" / "synthetic"
CACHE = ROOT / ".cache"
RECORDINGS = ROOT / "data" / "recordings"
MODELS = Path(os.environ.get("CARELAB_MODELS") or ROOT / ".models")  # several copies of the course can share them
WORKSPACE = Path(os.environ.get("CARELAB_WORKSPACE") or ROOT / "my_course")  # `lab --workspace` sets it

_REBUILD = "Run `python -m carelab data build` to make the data again."


def data(name: str) -> Path:
    """Path of a file of the synthetic world, for example `data("tables/visits.parquet")`.

    Raises UserError when the file is missing, or is not the one that the manifest names, with the command that mends it.
    """
    path = DATA / name
    if not path.is_file():
        raise UserError(f"The data file {name} is missing. {_REBUILD}")
    try:
        entry = json.loads((DATA / "MANIFEST.json").read_text(encoding="utf-8"))["files"].get(name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"The data's MANIFEST.json is missing or damaged. {_REBUILD}") from error
    if entry and hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
        raise UserError(f"The data file {name} is damaged: it is not what its manifest says. {_REBUILD}")
    return path
