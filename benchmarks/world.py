"""How fast the synthetic world is built, and in how much memory: `python benchmarks/world.py`.

Each row is a build in a fresh process. Memory is the largest process's peak: if it grows with the number of patients,
a panel is no longer the unit of work. Takes some minutes and about 1 GB of disk for a while.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# (what, patients, workers); one patient less than the released size builds the same without measuring it.
BUILDS = [
    ("M, with calibration and traps", 4_000, 1),
    ("M, with calibration and traps", 4_000, 2),
    ("1x, whole feed", 3_999, 1),
    ("10x, whole feed", 40_000, 1),
    ("10x, whole feed", 40_000, 2),
]


def build_once(patients: int, workers: int) -> None:
    """Build a world, print seconds, megabytes of memory and of files as JSON."""
    from carelab import synth

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "world"
        start = time.perf_counter()
        synth.build(target, n_patients=patients, workers=workers, progress=False)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    bytes_each = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    print(json.dumps({"seconds": seconds, "memory_mb": peak * bytes_each / 1e6, "files_mb": size / 1e6}))


def main() -> None:
    """Build every row of the table and print it."""
    print(f"{'build':32}{'patients':>9}{'workers':>9}{'seconds':>9}{'patients/s':>12}{'peak MB':>9}{'files MB':>10}")
    for what, patients, workers in BUILDS:
        command = [sys.executable, __file__, str(patients), str(workers)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout)
        print(
            f"{what:32}{patients:>9,}{workers:>9}{row['seconds']:>9.1f}{patients / row['seconds']:>12.0f}"
            f"{row['memory_mb']:>9.0f}{row['files_mb']:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        build_once(int(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
