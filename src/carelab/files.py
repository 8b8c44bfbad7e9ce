"""Write a file whole or not at all."""

from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Write beside, then rename: nobody meets half a file, and the old one stays when writing fails.

    Text is written as UTF-8 with plain line ends on every system. Missing folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    beside.replace(path)
