"""Renew the lock files from the bounds in pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from carelab import bootstrap
from carelab.errors import UserError
from carelab.paths import ROOT

# One lock for all platforms and Pythons, one version of each package, with hashes, and no comment that names a machine.
_COMPILE = [
    "uv",
    "pip",
    "compile",
    "--universal",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--fork-strategy=fewest",
    "--quiet",
]


def renew(upgrade: bool = False) -> Iterator[str]:
    """Resolve both lock files beside the old ones and swap them in together; yields what to tell the person.

    A version that still fits its bounds stays, so that a new package moves no other; `upgrade` takes the newest of all.
    """
    if not shutil.which("uv"):
        raise UserError("Renewing the lock files needs uv: install it with `python -m pip install uv` and try again.")
    oldest = ".".join(map(str, bootstrap.OLDEST))
    with tempfile.TemporaryDirectory() as folder:
        new = {kind: Path(folder) / name for kind, name in bootstrap.LOCKS.items()}
        if not upgrade:
            for kind, name in bootstrap.LOCKS.items():
                shutil.copyfile(ROOT / name, new[kind])
        base = [*_COMPILE, "--python-version", oldest, "pyproject.toml"]
        _compile([*base, "-o", str(new["course"])])
        # Authors get exactly the learners' packages, and some on top.
        _compile([*base, "--group", "dev", "--constraint", str(new["course"]), "-o", str(new["developer"])])
        for kind, name in bootstrap.LOCKS.items():
            before, after = (bootstrap.locked_versions(path) for path in (ROOT / name, new[kind]))
            changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
            shutil.copyfile(new[kind], ROOT / name)
            yield f"{name}: {len(after)} packages, {len(changed)} changed {', '.join(changed[:12])}".rstrip()


def _compile(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise UserError(f"uv could not resolve the packages, and no lock file was changed: {' '.join(lines[-3:])}")
