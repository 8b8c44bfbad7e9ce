"""The work folder of a build, beside its target: what a killed build had finished is found again and kept."""

import csv
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow.parquet as pq

from carelab.errors import UserError

LIST = "part.json"  # names, sizes and hashes of a part's files; written last, before the part gets its name
LOCK = "lock"
# A new version of these may write other bytes from the same numbers.
LIBRARIES = ("duckdb", "numpy", "orjson", "pandas", "pyarrow", "scipy")

Entry = dict[str, Any]  # sha256, bytes and perhaps rows of a file


class InterruptedBuild(UserError):
    """The build could not go on, through no fault of its settings: what it finished is kept."""


@dataclass(frozen=True)
class Settings:
    """What decides the bytes of a build's parts. Parts are used again only where all of it agrees."""

    generator: str
    seed: int
    config_sha256: str
    code_sha256: str
    n_patients: int
    tables_only: bool

    @property
    def key(self) -> str:
        """Short name of these settings."""
        return hashlib.sha256(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for child in folder.iterdir():
        name = f"{prefix}/{child.name}"
        if child.is_dir() and child.name != "__pycache__":
            yield from _sources(child, name)
        elif child.name.endswith((".py", ".toml")):
            yield name, child.read_bytes().replace(b"\r\n", b"\n")


@lru_cache
def code_hash() -> str:
    """SHA-256 of the program that makes the parts, and of the versions of its libraries."""
    digest = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in LIBRARIES).encode())
    for package in ("carelab.synth", "carelab.fhir"):
        for name, text in sorted(_sources(files(package), package)):
            digest.update(f"\n{name} {len(text)}\n".encode() + text)
    return digest.hexdigest()


@contextmanager
def work_folder(target: Path, settings: Settings) -> Iterator[Path]:
    """The folder in which a build of these settings is prepared, held against other processes.

    It is removed when the build is done, or was refused for its settings (UserError); after anything else, such as a
    full disk, it stays, and the same build goes on from there. Folders of other settings for this target are removed.
    Raises UserError when another process is at the same build.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.parent / f".{target.name}-{settings.key}.partial"
    for other in sorted(target.parent.glob(f".{target.name}-*.partial")):
        if other != folder:
            _drop(other, target)
    folder.mkdir(exist_ok=True)
    finished = False
    try:
        with (folder / LOCK).open("a") as file:
            if not _lock(file):
                raise UserError(f"Another process is building {target}; let it end, or stop it.")
            give_back(folder, target)
            try:
                yield folder
            except InterruptedBuild:
                raise
            except UserError:
                finished = True
                raise
            finished = True
    finally:
        if finished:
            shutil.rmtree(folder)


def _drop(folder: Path, target: Path) -> None:
    """Remove a work folder that nobody holds any more."""
    with (folder / LOCK).open("a") as file:
        free = _lock(file)
        if free:
            give_back(folder, target)
    if free:
        shutil.rmtree(folder)


def give_back(folder: Path, target: Path) -> None:
    """Undo half a swap: a build killed between its two renames has taken the old folder away."""
    if (folder / "old").is_dir() and not target.exists():
        (folder / "old").rename(target)


def _lock(file: IO[str]) -> bool:
    """Hold a file until it is closed or the process ends; False when another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network drives know no locks; a build there is as safe as it was without.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


@contextmanager
def new_part(work: Path, name: str) -> Iterator[Path]:
    """An empty folder that becomes the part `name` when the block ends well, whole or not at all."""
    making = work / "making" / f"{name}-{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    yield making
    content = {path.relative_to(making).as_posix(): entry_of(path) for path in files_below(making)}
    (making / LIST).write_bytes(orjson.dumps(content))
    done = part(work, name)
    done.parent.mkdir(exist_ok=True)
    making.rename(done)


def part(work: Path, name: str) -> Path:
    """Where a finished part lies."""
    return work / "parts" / name


def content_of(folder: Path) -> dict[str, Entry]:
    """Files of a finished part by their path in it."""
    content: dict[str, Entry] = orjson.loads((folder / LIST).read_bytes())
    return content


def is_whole(folder: Path) -> bool:
    """Whether a part has all its files in their sizes: after a power cut, a folder can have its name and lack content."""
    try:
        content = content_of(folder)
        return all((folder / name).stat().st_size == entry["bytes"] for name, entry in content.items())
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return False


def tidy(work: Path) -> set[str]:
    """Names of the parts that can be used; whatever else an earlier run left is removed."""
    for name in ("making", "new"):
        shutil.rmtree(work / name, ignore_errors=True)
    kept = set()
    for folder in sorted((work / "parts").glob("*")):
        if is_whole(folder):
            kept.add(folder.name)
        else:
            shutil.rmtree(folder)
    return kept


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entry_of(path: Path) -> Entry:
    """SHA-256 and size of a file, and the rows of a table or feed; documents have none."""
    entry: Entry = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    if path.suffix == ".parquet":
        entry["rows"] = int(pq.read_metadata(path).num_rows)
    elif path.suffix == ".ndjson":
        with path.open("rb") as lines:
            entry["rows"] = sum(1 for _ in lines)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as text:  # a quoted field may hold a line end
            entry["rows"] = max(sum(1 for row in csv.reader(text) if row) - 1, 0)
    return entry
