"""What a process and everything under it use, read from /proc."""

import os
from pathlib import Path


def families(roots: set[int]) -> dict[int, list[int]]:
    """The processes under each root; orphans of a pid namespace are children of its process 1, so none escapes."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(name)] = int(text.rpartition(")")[2].split()[1])
    found: dict[int, list[int]] = {root: [] for root in roots}
    for pid in parents:
        above, steps = pid, 0
        while above not in roots and above in parents and steps < 10_000:
            above, steps = parents[above], steps + 1
        if above in roots:
            found[above].append(pid)
    return found


def private(pid: int) -> int:
    """Bytes of memory of one process that are not a file's on disk; those shared with its parent since a fork count."""
    return _sum(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:")) or 0


def proportional(pid: int) -> int:
    """As `private`, a page shared by n processes counted as one n-th. Falls back to it where that is not readable."""
    found = _sum(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))
    return private(pid) if found is None else found


def _sum(path: str, names: tuple[str, ...]) -> int | None:
    """Sum of the named lines, which are in kB, in bytes; None when the process is gone or may not be looked at."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))
