"""How fast FHIR becomes flat tables, side by side: `python benchmarks/reading.py [FOLDER ...]`.

Each way reads a folder of NDJSON files and makes rows of a few columns, in a process of its own, so that memory is its own
too. Without folders: the committed feed, and Synthea's export where `../shared/realdata` is there. Ratios say more
than rates: all ways run on the same machine one after another.
"""

import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [ROOT / "data" / "synthetic" / "fhir", ROOT.parent / "shared" / "realdata" / "synthea-ndjson"]


def files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.ndjson"), *folder.glob("*.ndjson.gz")])


def lines(folder: Path) -> Iterator[bytes]:
    for path in files(folder):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from stream


def row(found: dict[str, Any]) -> tuple[Any, ...]:
    """The columns that every way makes: type, id, patient, code, time."""
    subject = found.get("subject") or found.get("patient") or {}
    code = found.get("code") or {}
    coding = (code.get("coding") or [{}]) if isinstance(code, dict) else [{}]
    when = found.get("effectiveDateTime") or found.get("created") or (found.get("period") or {}).get("start")
    return found["resourceType"], found.get("id"), subject.get("reference"), coding[0].get("code"), when


def standard(folder: Path) -> int:
    """carelab.fhir.standard_tables: DuckDB with the columns written out, 20 types."""
    from carelab.fhir import STANDARD, standard_tables

    with standard_tables(folder) as db:
        return sum(db.sql(f'select count(*) from "{kind}"').fetchall()[0][0] for kind in STANDARD)


def auto(folder: Path) -> int:
    """DuckDB that guesses the columns, each file into a table."""
    import duckdb

    rows = 0
    with duckdb.connect() as db:
        for number, path in enumerate(files(folder)):
            source = f"read_json_auto('{path}', format = 'newline_delimited', maximum_depth = -1)"
            db.execute(f"create table t{number} as select * from {source}")
            rows += db.sql(f"select count(*) from t{number}").fetchall()[0][0]
    return rows


def orjson_alone(folder: Path) -> int:
    """orjson and a Python loop."""
    import orjson

    return len([row(orjson.loads(line)) for line in lines(folder)])


def models(folder: Path) -> int:
    """fhir.resources R4B: every resource validated, then flattened."""
    import orjson

    from carelab.fhir import validate

    rows = []
    for line in lines(folder):
        found = orjson.loads(line)
        if not validate(found):
            rows.append(row(found))
    return len(rows)


def reading(folder: Path) -> int:
    """carelab.fhir.read: every form of file, release and quarantine, to the same rows."""
    from carelab.fhir import read

    return len([row(found) for found in read(folder)])


def meaning(folder: Path) -> int:
    """carelab.fhir.check_feed: all rules about meaning, two passes, no rows."""
    from carelab.fhir import check_feed

    for _ in check_feed(folder):
        pass
    return sum(1 for _ in lines(folder))


WAYS: dict[str, Callable[[Path], int]] = {
    "carelab standard tables (DuckDB)": standard,
    "DuckDB, columns guessed": auto,
    "orjson and a loop": orjson_alone,
    "carelab read and a loop": reading,
    "carelab rules about meaning": meaning,
    "fhir.resources validate all": models,
}


def once(way: str, folder: Path) -> None:
    """Run one way and print what it took as JSON. Imports are not timed: a program does them once."""
    for module in ("duckdb",) if WAYS[way] is auto else ("orjson",) if WAYS[way] is orjson_alone else ("carelab.fhir",):
        import_module(module)
    start, cpu = time.perf_counter(), time.process_time()
    try:
        rows = WAYS[way](folder)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"}))
        return
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def main(folders: list[Path]) -> None:
    """Run every way on every folder and print a table."""
    for folder in folders:
        total = sum(1 for _ in lines(folder))
        print(
            f"\n{folder.name}: {total:,} resources, {sum(path.stat().st_size for path in files(folder)) / 1e6:.1f} MB"
        )
        print(f"{'way':36}{'rows':>9}{'seconds':>9}{'CPU s':>8}{'res/s':>10}{'res/CPU s':>11}{'peak MB':>9}")
        for way in WAYS:
            # -P: without it this file would be found in place of the package fhir.
            command = [sys.executable, "-P", __file__, way, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            if "error" in found:
                print(f"{way:36} fails: {found['error']}", flush=True)
                continue
            print(
                f"{way:36}{found['rows']:>9,}{found['seconds']:>9.1f}{found['cpu']:>8.1f}"
                f"{total / found['seconds']:>10,.0f}{total / found['cpu']:>11,.0f}{found['peak_mb']:>9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in WAYS:
        once(sys.argv[1], Path(sys.argv[2]))
    else:
        main([Path(name) for name in sys.argv[1:]] or [folder for folder in FOLDERS if folder.is_dir()])
