"""The feature query on a large export, engine by engine: `python benchmarks/features.py [folder] [--copies K]`.

folder: a FHIR bulk export with Encounter and Observation (../shared/realdata/synthea-ndjson when not given); copies: how
many times its patients are written, each time under other ids, to make it large. Every engine runs in a process of its
own, twice: seconds of the first and the second run, and the peak memory of all its processes. All results must be equal.
Spark runs where pyspark and Java are; `--spark-python` names another interpreter that has them.
"""

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REALDATA = ROOT.parent / "shared" / "realdata" / "synthea-ndjson"
ENGINES = ("duckdb-ndjson", "duckdb-parquet", "spark-ndjson", "spark-parquet", "pandas-ndjson")


def multiply(source: Path, target: Path, copies: int) -> tuple[int, float]:
    """Write an export several times over, with ids and subjects of their own; resources and gigabytes written."""
    import orjson

    target.mkdir()
    count = 0
    for kind in ("Encounter", "Observation"):
        packed = source / f"{kind}.ndjson.gz"
        content = gzip.decompress(packed.read_bytes()) if packed.is_file() else (source / f"{kind}.ndjson").read_bytes()
        resources = [orjson.loads(line) for line in content.splitlines()]
        with (target / f"{kind}.ndjson").open("wb") as file:
            for copy in range(copies):
                for resource in resources:
                    subject = {"reference": f"{resource['subject']['reference']}-{copy}"}
                    again = resource | {"id": f"{resource['id']}-{copy}", "subject": subject}
                    file.write(orjson.dumps(again, option=orjson.OPT_APPEND_NEWLINE))
                    count += 1
    return count, sum(path.stat().st_size for path in target.iterdir()) / 1e9


def peak_mb() -> float:
    """Peak memory of this process and, on Linux, of each process it started (Spark's Java), in megabytes."""
    if not Path("/proc/self/status").is_file():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    total, family = 0.0, {os.getpid()}
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except OSError:
            continue
        if int(folder.name) in family or int(status["PPid"]) in family:
            family.add(int(folder.name))
            total += int(status.get("VmHWM", "0 kB").split()[0]) * 1024 / 1e6
    return total


def run(engine: str, ndjson: Path, parquet: Path) -> None:
    """One engine twice; print seconds, memory and the hash of the result as JSON."""
    from carelab.fhir import features

    where = parquet if engine.endswith("parquet") else ndjson
    started, begin = 0.0, time.perf_counter()
    work: Callable[[], Any]
    if engine.startswith("spark"):
        session = features.spark_session()
        started = time.perf_counter() - begin

        def work() -> Any:
            return features.spark_features(session, where)
    elif engine.startswith("pandas"):

        def work() -> Any:
            return features.pandas_features(where)
    else:

        def work() -> Any:
            return features.features(where)

    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        table = work()
        seconds.append(time.perf_counter() - begin)
    text = table.to_csv(index=False, float_format="%.17g")
    result = {"start": started, "first": seconds[0], "second": seconds[1], "mb": peak_mb(), "patients": len(table)}
    print(json.dumps(result | {"sha": hashlib.sha256(text.encode()).hexdigest()[:12]}))


def main() -> None:
    """Print the table; exit 1 when two engines differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=REALDATA)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--spark-python", default=sys.executable)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--parquet", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.engine:
        run(asked.engine, asked.folder, asked.parquet)
        return

    from carelab.fhir.features import to_parquet

    with tempfile.TemporaryDirectory() as folder:
        ndjson, parquet = Path(folder) / "ndjson", Path(folder) / "parquet"
        count, size = multiply(asked.folder, ndjson, asked.copies)
        begin = time.perf_counter()
        to_parquet(ndjson, parquet)
        seconds = time.perf_counter() - begin
        packed = sum(path.stat().st_size for path in parquet.iterdir()) / 1e6
        print(f"{count:,} resources, {size:.2f} GB of NDJSON; to typed Parquet in {seconds:.1f} s, {packed:.1f} MB\n")
        print(f"{'engine':18}{'start s':>9}{'first s':>9}{'second s':>10}{'peak MB':>9}{'patients':>10}  result")
        shas = set()
        for engine in ENGINES:
            python = asked.spark_python if engine.startswith("spark") else sys.executable
            command = [python, __file__, str(ndjson), "--engine", engine, "--parquet", str(parquet)]
            done = subprocess.run(
                command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}
            )
            if done.returncode:
                print(f"{engine:18}not run: {done.stderr.strip().splitlines()[-1][:90]}", flush=True)
                continue
            row = json.loads(done.stdout.splitlines()[-1])
            shas.add(row["sha"])
            print(
                f"{engine:18}{row['start']:>9.1f}{row['first']:>9.2f}{row['second']:>10.2f}{row['mb']:>9.0f}"
                f"{row['patients']:>10,}  {row['sha']}",
                flush=True,
            )
    if len(shas) > 1:
        sys.exit("The engines do not agree.")


if __name__ == "__main__":
    main()
