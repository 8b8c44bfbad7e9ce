"""The learner's folder: copies of the notebooks that belong to the learner, and new versions that never write over them.

`.carelab/base/` holds what the learner was given, to tell what they wrote. For a notebook they changed, a new version lies
beside it with their answers carried over; `.carelab/updates.json` says which, `.carelab/new/` holds it as the course has it.
What is replaced goes to `backups/`. Losing anything in `.carelab/` costs comfort, never text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carelab import files, paths
from carelab.errors import UserError
from carelab.learner.carrying import carry
from carelab.learner.cells import Marks, Notebook, edited, is_own, read
from carelab.learner.changes import differences
from carelab.learner.keeping import PRIVATE, Keeping, at_work
from carelab.paths import RELEASE

_TRIES = 3  # a notebook that is saved while a command looks at it is looked at again


@dataclass
class Synced:
    """What `bring` did; names are paths in the workspace, like `week_01_ml_fundamentals/exercises.ipynb`."""

    new: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)  # not changed by the learner, so the new version took its place
    updates: list[str] = field(default_factory=list)  # kept, and a new version lies beside it


@dataclass(frozen=True)
class Update:
    """A new version that waits beside the learner's notebook, and what changed in it, a sentence each."""

    name: str
    beside: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class _Pending:
    """An update as it is remembered: `release` and `made` are hashes of the course's file and of the one beside."""

    beside: str
    changes: list[str]
    release: str
    made: str
    marks: Marks


def bring(release: Path, workspace: Path) -> Synced:
    """Bring every notebook of the release to the workspace, and change none that the learner has changed.

    One that is missing is copied. One that the learner has not changed is replaced by its new version, and kept in the
    backups. For one that the learner has changed, the new version with their answers is put beside it.
    Raises UserError when the workspace cannot be used.
    """
    refuse_course_folders(workspace)
    result = Synced()
    with at_work(workspace) as keeping:
        desk = _Desk(keeping)
        for name, source in _released(release).items():
            getattr(result, desk.bring(name, source.read_bytes())).append(name)
            if name in desk.pending:
                result.updates.append(name)
    return result


def updates(workspace: Path) -> list[Update]:
    """The new versions that wait beside the learner's notebooks. Reads only, and never raises for what it finds."""
    pending = _read_pending(workspace / PRIVATE / "updates.json")
    there = [(name, one) for name, one in sorted(pending.items()) if (workspace / one.beside).is_file()]
    return [Update(name, one.beside, tuple(one.changes)) for name, one in there]


def take(workspace: Path, name: str) -> Path:
    """Put the new version of a notebook in its place, with all answers of the learner, and return where the old one is.

    What the learner wrote into the new version stays; what they wrote into the old one since is carried over.
    Raises UserError when there is no new version, or the folder cannot be used.
    """
    with at_work(workspace) as keeping:
        return _Desk(keeping).take(name)


def reset(workspace: Path, name: str, release: Path = RELEASE) -> Path:
    """Put a fresh copy in the place of a notebook, and return where the old one is.

    Raises UserError when the release has no such notebook, the learner has none, or the folder cannot be used.
    """
    refuse_course_folders(workspace)
    released = _released(release)
    if name not in released:
        raise UserError(f"The course has no notebook {name}: name one of {', '.join(released)}.")
    with at_work(workspace) as keeping:
        return _Desk(keeping).reset(name, released[name].read_bytes())


def refuse_course_folders(workspace: Path) -> None:
    """Raise UserError when the workspace would lie among the files that the course itself keeps."""
    wanted = workspace.resolve()
    own = (paths.RELEASE, paths.SOLUTIONS, paths.COURSE, paths.ROOT / "src", paths.ROOT / "data", paths.ROOT / "tests")
    if wanted == paths.ROOT or any(wanted.is_relative_to(folder) for folder in own):
        raise UserError(
            f"The folder {workspace} belongs to the course itself: name a folder of your own with --workspace."
        )


class _Desk:
    """What the learner was given and what waits for them, for the time of one command."""

    def __init__(self, keeping: Keeping) -> None:
        self.keeping = keeping
        self.record = keeping.private / "updates.json"
        self.pending = _read_pending(self.record)

    def bring(self, name: str, content: bytes) -> str:
        """Bring one notebook of the release; which list of `Synced` it belongs to."""
        for _ in range(_TRIES):
            path = self.keeping.root / name
            if not os.path.lexists(path):
                if self.keeping.put(name, content):
                    self._give(name, content)
                    return "new"
                continue
            if path.is_symlink() or not path.is_file():
                return "kept"  # whatever it is, it is the learner's
            own = self.keeping.content(name)
            if own is None:
                continue
            base = self._base(name, own, content)
            if base == content:
                self._withdraw(name)
                return "kept"
            if base is None or not _says_the_same(own, base):
                self._offer(name, own, base, content)
                return "kept"
            if self.keeping.swap(name, content, own):
                self._give(name, content)
                return "replaced"
        return "kept"

    def take(self, name: str) -> Path:
        """See `carelab.learner.workspace.take`."""
        one = self.pending.get(name)
        content = self._read("new", name)
        if one is None or content is None or files.sha256(content) != one.release:
            raise UserError(
                f"No new version of {name} waits in {self.keeping.root}: `python -m carelab lab` looks for one."
            )
        for own in self._own(name):
            taken = _taken(own, self._read("base", name), content, self.keeping.content(one.beside), one.marks)
            aside = self.keeping.swap(name, taken, own)
            if aside:
                self.keeping.drop(one.beside, one.made)  # what the learner wrote into it is in its place, and kept
                self._give(name, content)
                return aside
        raise _busy(name)

    def reset(self, name: str, content: bytes) -> Path:
        """See `carelab.learner.workspace.reset`."""
        for _ in self._own(name):
            aside = self.keeping.swap(name, content)
            if aside:
                self._give(name, content)
                return aside
        raise _busy(name)

    def _own(self, name: str) -> Iterator[bytes]:
        """What is in the learner's notebook, again as often as it is worth trying."""
        for _ in range(_TRIES):
            path = self.keeping.root / name
            if path.is_symlink() or path.is_dir():
                raise UserError(f"{path} is a link or a folder, not a notebook: rename it and try again.")
            own = self.keeping.content(name)
            if own is None:
                raise UserError(f"{path} is not there: `python -m carelab lab` brings a fresh copy.")
            yield own

    def _offer(self, name: str, own: bytes, base: bytes | None, content: bytes) -> None:
        """Put the new version beside the learner's, with their answers, unless it is there already."""
        mine, new, was = read(own), read(content), read(base)
        if new is None:
            return
        merged, left = carry(new, mine, was) if mine else (new, [])
        if mine and merged.marks == mine.marks:
            self._give(name, content)  # theirs says all that the new one says
            return
        made = merged.to_bytes() if mine else content
        release = files.sha256(content)
        one = self.pending.get(name)
        there = self.keeping.content(one.beside) if one else None
        if there is not None and mine is None:
            return  # theirs is damaged, or being saved: the one beside may be all that is left of their answers
        if one and there is not None and one.release == release and self._read("new", name) == content:
            as_made = _marks(there) == one.marks
            if not as_made or one.marks == merged.marks:
                return  # the learner works in it, or it is what would be made now
        self._withdraw(name)
        self._write("new", name, content)
        changes = _changes(mine, was, new) + left
        for beside in self._names_beside(name):
            self._remember(name, _Pending(beside, changes, release, files.sha256(made), merged.marks))
            if self.keeping.put(beside, made):
                return

    def _names_beside(self, name: str) -> Iterator[str]:
        stem = name.removesuffix(".ipynb")
        for number in range(1, 1000):
            beside = f"{stem} (new version{f' {number}' if number > 1 else ''}).ipynb"
            if not os.path.lexists(self.keeping.root / beside):
                yield beside

    def _give(self, name: str, content: bytes) -> None:
        """The learner's notebook comes from this version from now on."""
        self._write("base", name, content)
        self._withdraw(name)

    def _withdraw(self, name: str) -> None:
        """Nothing waits for the learner any more. A new version that they wrote into stays, one they ran is kept."""
        one = self.pending.get(name)
        if one is None:
            return
        there = self.keeping.content(one.beside)
        if there is not None and _marks(there) == one.marks:
            self.keeping.drop(one.beside, one.made)
        self._remember(name, None)

    def _base(self, name: str, own: bytes, content: bytes) -> bytes | None:
        """What the learner was given. Earlier versions of the course kept only its hash."""
        base = self._read("base", name)
        if base is not None:
            return base
        given = _read_json(self.keeping.private / "copied.json").get(name)
        for candidate in (own, content):
            if files.sha256(candidate) == given:
                self._write("base", name, candidate)
                return candidate
        return None

    def _read(self, kind: str, name: str) -> bytes | None:
        return self.keeping.content(f"{PRIVATE}/{kind}/{name}")

    def _write(self, kind: str, name: str, content: bytes) -> None:
        files.write(self.keeping.private / kind / name, content)

    def _remember(self, name: str, one: _Pending | None) -> None:
        self.pending.pop(name, None)
        if one:
            self.pending[name] = one
        entries = {name: asdict(self.pending[name]) for name in sorted(self.pending)}
        files.write(self.record, json.dumps(entries, indent=1) + "\n")


def _taken(own: bytes, base: bytes | None, content: bytes, beside: bytes | None, made: Marks) -> bytes:
    """The new version as the learner gets it: as they left it beside theirs, or else made again from what theirs is now."""
    mine, new, written = read(own), read(content), read(beside)
    settled = set(edited(written.marks, made)) if written else set()
    target = written if written and written.marks != made else new
    if target is None or mine is None:
        return (beside if target is written else None) or content
    merged, _ = carry(target, mine, read(base), settled)
    return merged.to_bytes()


def _changes(mine: Notebook | None, was: Notebook | None, new: Notebook) -> list[str]:
    """What changed since the version that the learner was given; when nobody knows that one, since what they have."""
    if was:
        return differences(was, new)
    if mine is None:
        return ["Your notebook cannot be read as one: the new version is as the course gives it"]
    known = {cell.id for cell in new.cells}
    theirs = Notebook(mine.raw, tuple(cell for cell in mine.cells if not is_own(cell, known)))
    return differences(theirs, new, answers=False)


def _released(release: Path) -> dict[str, Path]:
    """The released notebooks by name; no checkpoint, and no half of a file that somebody is writing."""
    found = {path.relative_to(release): path for path in sorted(release.rglob("*.ipynb"))}
    return {
        name.as_posix(): path for name, path in found.items() if not any(part.startswith(".") for part in name.parts)
    }


def _says_the_same(own: bytes, base: bytes) -> bool:
    """Whether the learner changed nothing: outputs are no change."""
    mine, was = read(own), read(base)
    return own == base or (mine is not None and was is not None and mine.marks == was.marks)


def _marks(content: bytes) -> Marks | None:
    notebook = read(content)
    return notebook.marks if notebook else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_pending(path: Path) -> dict[str, _Pending]:
    pending = {}
    for name, entry in _read_json(path).items():
        try:
            one = _Pending(**entry)
        except TypeError:
            continue
        if isinstance(one.beside, str) and isinstance(one.changes, list) and isinstance(one.marks, list):
            pending[name] = one
    return pending


def _busy(name: str) -> UserError:
    return UserError(f"{name} is being saved at this moment: close it in JupyterLab and try again.")
