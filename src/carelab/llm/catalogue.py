"""The open models of the course, read from `models.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from carelab.errors import UserError
from carelab.paths import MODELS

_FILE = Path(__file__).with_name("models.toml")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Package(_Frozen):
    """A package in which a model's file, or a piece of it, travels."""

    name: str
    version: str
    sha256: str
    member: str


class Settings(_Frozen):
    """How the models are run: context in tokens, threads, seed."""

    context: int
    threads: int
    seed: int


class OpenWeights(_Frozen):
    """An open model: its file, the hash that decides whether it is the right one, and where to get it."""

    name: str
    title: str
    file: str
    bytes: int
    sha256: str
    licence: str
    author: str
    memory_gb: float
    good_for: str
    repository: str
    revision: str
    packages: tuple[Package, ...]

    @property
    def path(self) -> Path:
        """Where the file lies once installed."""
        return MODELS / self.file

    @property
    def size(self) -> str:
        """Size of the download in words."""
        return f"{self.bytes / 1e9:.1f} GB" if self.bytes >= 1e9 else f"{self.bytes / 1e6:.0f} MB"


class Catalogue(_Frozen):
    """All models, by name, and the one that is used when none is named."""

    default: str
    settings: Settings
    models: dict[str, OpenWeights]


@cache
def catalogue() -> Catalogue:
    """What `models.toml` says."""
    raw = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    raw["models"] = {name: {"name": name, **entry} for name, entry in raw["models"].items()}
    return Catalogue.model_validate(raw)


def open_weights(name: str | None = None) -> OpenWeights:
    """The model of that name, or the default. Raises UserError with the names there are."""
    known = catalogue()
    wanted = name or known.default
    if wanted not in known.models:
        raise UserError(f'There is no open model "{wanted}" in this course; there are {" and ".join(known.models)}.')
    return known.models[wanted]
