"""Write a file whole or not at all."""

import hashlib
import os
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Write beside, then rename: nobody meets half a file, and the old one stays when writing fails.

    Text is written as UTF-8 with plain line ends on every system. Missing folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    beside.replace(path)


def place(finished: Path, path: Path) -> bool:
    """Put the finished file at `path` as well, whole, unless something is there; return whether it was put.

    Never replaces anything, not even what another program makes at this very moment. Missing folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(finished, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links, or another one: then not whole at once, but still never over another
        try:
            with path.open("xb") as file:
                file.write(finished.read_bytes())
        except FileExistsError:
            return False
    return True


def sha256(content: bytes) -> str:
    """The content's fingerprint."""
    return hashlib.sha256(content).hexdigest()
