"""How fast the synthetic world is built, and in how much memory: `python benchmarks/world.py`.

Each row is a build in a fresh process. Memory is the largest process's peak: if it grows with the number of patients,
a panel is no longer the unit of work. Without more, it builds M, 1,000 and 10,000 patients; `--large` adds 100,000,
tables only, which takes a quarter of an hour on 2 cores; `--large-feed` 100,000 with all FHIR, which needs tens of gigabytes of disk.
`--workers N` sets the number of processes of the larger ones (one per core when not given).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def build_once(patients: int, workers: int, tables_only: bool) -> None:
    """Build a world, print seconds, megabytes of memory and of files as JSON."""
    from carelab import synth

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "world"
        start = time.perf_counter()
        synth.build(target, n_patients=patients, workers=workers, progress=False, tables_only=tables_only)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    bytes_each = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    main_mb, worker_mb = (peak * bytes_each / 1e6 for peak in peaks)
    print(json.dumps({"seconds": seconds, "main_mb": main_mb, "worker_mb": worker_mb, "files_mb": size / 1e6}))


def main() -> None:
    """Build every row of the table and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also 100,000 patients, tables only")
    parser.add_argument("--large-feed", action="store_true", help="also 100,000 patients with all FHIR")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--once", nargs=3, type=int, metavar=("PATIENTS", "WORKERS", "TABLES_ONLY"), help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if asked.once:
        build_once(asked.once[0], asked.once[1], bool(asked.once[2]))
        return
    many = asked.workers
    builds = [
        ("M, with calibration and traps", 4_000, many, False),
        ("1 k, whole feed", 1_000, 1, False),
        ("1 k, whole feed", 1_000, many, False),
        ("10 k, whole feed", 10_000, many, False),
        ("10 k, tables only", 10_000, many, True),
    ]
    builds += [("100 k, tables only", 100_000, many, True)] * asked.large
    builds += [("100 k, whole feed", 100_000, many, False)] * asked.large_feed
    print(
        f"{'build':32}{'patients':>9}{'workers':>9}{'seconds':>9}{'patients/s':>12}{'main MB':>9}{'worker MB':>11}{'files MB':>10}"
    )
    for what, patients, workers, tables_only in builds:
        command = [sys.executable, __file__, "--once", str(patients), str(workers), str(int(tables_only))]
        row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        worker = f"{row['worker_mb']:.0f}" if workers > 1 else "-"
        print(
            f"{what:32}{patients:>9,}{workers:>9}{row['seconds']:>9.1f}{patients / row['seconds']:>12.0f}"
            f"{row['main_mb']:>9.0f}{worker:>11}{row['files_mb']:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
