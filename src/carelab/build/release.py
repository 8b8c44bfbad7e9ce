"""The learners' notebooks, made by nbgrader itself from the solutions."""

import shutil
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from traitlets.config.loader import Config, PyFileConfigLoader

from carelab.errors import UserError
from carelab.paths import COURSE


def course_config(course: Path = COURSE) -> Config:
    """nbgrader's configuration of this course, as its own command would read it."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    return config


def generate(source: Path, week: str, target: Path) -> None:
    """Make the release of one week: `source`/`week` to `target`/`week`, which must not exist yet.

    Without a gradebook: building must not touch an instructor's.
    Raises UserError with nbgrader's own words when it refuses.
    """
    config = course_config()
    config.CourseDirectory.source_directory = str(source)
    config.CourseDirectory.release_directory = str(target)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    result = NbGraderAPI(config=config).generate_assignment(week, create=False)
    if not result["success"]:
        raise UserError(f"nbgrader could not make the release of {week}: {result.get('log') or result.get('error')}")


def swap(new: Path, old: Path) -> None:
    """Put the finished folder `new` where `old` is, by renaming, so that nobody meets half a folder."""
    old.parent.mkdir(parents=True, exist_ok=True)
    aside = old.with_name(old.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists():
        old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside, ignore_errors=True)
