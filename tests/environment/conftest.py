"""A copy of the clone's skeleton, in which set-up can be tried without touching the real one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from carelab import bootstrap, paths

COPIED = (
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
    "carelab/__main__.py",
    "src/carelab/bootstrap.py",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what set-up reads, and nothing else of the course."""
    root = tmp_path / "clone"
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.ROOT / name, root / name)
    return root


@pytest.fixture
def at(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with this process's bootstrap module looking at it, in an environment that has nothing."""
    monkeypatch.setattr(bootstrap, "ROOT", clone)
    monkeypatch.setattr(bootstrap, "here_is_ready", lambda: False)
    monkeypatch.delenv("CARELAB_NO_VENV", raising=False)
    monkeypatch.delenv("CARELAB_SET_UP", raising=False)
    monkeypatch.setattr(sys, "prefix", str(clone / "elsewhere"))
    return clone
