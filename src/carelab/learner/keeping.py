"""The files of a learner's folder: put in place without replacing anything, set aside without losing anything.

Any program may save a notebook at any moment, and this one may be killed at any moment. So a file with text of the
learner's is only ever renamed: whatever is in it at that instant, or is being written into it, goes along. A new file is
finished under `.carelab/next/` first; if it is not in place when the next command starts, that command puts it there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from carelab import files
from carelab.errors import UserError

BACKUPS = "backups"
PRIVATE = ".carelab"
_PATIENCE = 20  # seconds; a command on a whole course takes less than one


class Keeping:
    """A learner's folder while one command is at work in it. A `name` is a notebook's path in it, with slashes."""

    def __init__(self, workspace: Path) -> None:
        self.root = workspace
        self.private = workspace / PRIVATE

    def content(self, name: str) -> bytes | None:
        """What is in the file now; None when there is none."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, content: bytes) -> bool:
        """Make a file, whole; whether it was made. One that is there stays."""
        staged = self._stage(name, content)
        placed = files.place(staged, self.root / name)
        staged.unlink()
        return placed

    def swap(self, name: str, content: bytes, expected: bytes | None = None) -> Path | None:
        """Put a new file where one is, and return where the old one is now.

        None when somebody else saved the file meanwhile (expected: what was in it when the decision was made): then theirs
        is in place.
        """
        path = self.root / name
        staged = self._stage(name, content)
        aside = self.set_aside(name)
        placed = False
        if aside:
            try:
                if expected is None or aside.read_bytes() == expected:
                    placed = files.place(staged, path)
                else:
                    self._put_back(aside, path)
            except OSError:
                self._put_back(aside, path)
                raise
        staged.unlink(missing_ok=True)
        return aside if placed else None

    def set_aside(self, name: str) -> Path | None:
        """Move a file to the backups, under a name of its own; None when there is no such file."""
        path = self.root / name
        folder = self.root / BACKUPS / Path(name).parent
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return _rename(path, folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return _rename(path, path.parent)  # the week's folder is a link to another disk

    def drop(self, name: str, content_hash: str) -> None:
        """Take away a file that this program made; it is kept in the backups if it is another one by now."""
        aside = self.set_aside(name)
        if aside and files.sha256(aside.read_bytes()) == content_hash:
            aside.unlink()
            with suppress(OSError):
                aside.parent.rmdir()  # only if nothing else is kept there

    def finish(self) -> None:
        """Put in place what a command that was killed had ready, unless something is there."""
        folder = self.private / "next"
        for staged in sorted(path for path in folder.rglob("*") if not path.is_dir()):
            path = self.root / staged.relative_to(folder)
            if not staged.name.startswith(".") and staged.stat().st_nlink == 1:  # else it is the file at `path` already
                if _is_begun(path, staged.read_bytes()):
                    self.set_aside(staged.relative_to(folder).as_posix())
                files.place(staged, path)
            staged.unlink()

    def _stage(self, name: str, content: bytes) -> Path:
        staged = self.private / "next" / name
        files.write(staged, content)
        return staged

    def _put_back(self, aside: Path, path: Path) -> None:
        """Undo a `set_aside`, unless somebody has made a new file there: then both stay."""
        with suppress(OSError):
            if files.place(aside, path) and aside.stat().st_nlink > 1:
                aside.unlink()


@contextmanager
def at_work(workspace: Path) -> Iterator[Keeping]:
    """The folder for one command at a time, with everything in place that an earlier command left undone.

    Raises UserError when the folder cannot be used, or when another command does not come to an end.
    """
    keeping = Keeping(workspace)
    try:
        keeping.private.mkdir(parents=True, exist_ok=True)
        with FileLock(keeping.private / "workspace.lock", timeout=_PATIENCE):
            keeping.finish()
            yield keeping
    except Timeout:
        raise UserError(f"Another command is at work in {workspace}: wait until it has ended and try again.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"The folder {workspace} cannot be used for your notebooks ({reason}): mend that, or name another one "
            "with --workspace. Nothing you wrote was changed."
        ) from None


def _rename(path: Path, folder: Path) -> Path:
    stamp = f"{path.stem} {datetime.now():%Y-%m-%d %H.%M.%S}"
    names = (f"{stamp}{f' ({n})' if n > 1 else ''}{path.suffix}" for n in range(1, 10_000))
    target = next(folder / name for name in names if not os.path.lexists(folder / name))
    os.rename(path, target)
    return target


def _is_begun(path: Path, content: bytes) -> bool:
    """Whether the file is the beginning of `content`: where there are no links, a kill can leave that."""
    try:
        there = path.read_bytes()
    except OSError:
        return False
    return len(there) < len(content) and content.startswith(there)
