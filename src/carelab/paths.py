"""Where things live. Every other module asks here, so that a folder can move in one place."""

import os
from pathlib import Path

from carelab.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "course"
RELEASE = ROOT / "weeks_01-12"
SOLUTIONS = ROOT / "solutions"
DATA = ROOT / "data" / "synthetic"
CACHE = ROOT / ".cache"
WORKSPACE = Path(os.environ.get("CARELAB_WORKSPACE") or ROOT / "my_course")  # `lab --workspace` sets it


def data(name: str) -> Path:
    """Path of a file of the synthetic world, for example `data("tables/visits.parquet")`.

    Raises UserError when the file is not there, with the command that makes it.
    """
    path = DATA / name
    if not path.is_file():
        raise UserError(f"The data file {name} is missing. Run `python -m carelab data build` to make it again.")
    return path
