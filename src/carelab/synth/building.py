"""Build the world into a folder: panels one by one, written into a temporary folder that replaces the old one at the end."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from carelab.errors import UserError
from carelab.fhir.read import Resource
from carelab.fhir.tables import TABLES, in_order, open_tables
from carelab.synth import calibration, documents
from carelab.synth.areas import join_feeds
from carelab.synth.config import Panel, World, config_hash, load_world, panels
from carelab.synth.panel import make_core, make_panel
from carelab.synth.registry import AREAS
from carelab.synth.resources import network_resources
from carelab.synth.weather import make_weather

VERSION = "1.0"
MANIFEST = "MANIFEST.json"
TRUTH = "truth"
WHOLE, SAMPLE = "whole", "sample"  # a panel's feed, and the part of it that S keeps
SHARED_TABLES = ("sites", "weather")  # not per panel


def build(target: Path, n_patients: int | None = None, workers: int = 1, progress: bool = True) -> None:
    """Build the world into `target`, which is replaced as a whole: nobody ever sees a half-written folder.

    n_patients: None for the released size (M tables, and S as FHIR); any other number gives that many patients as
    tables and as FHIR, panel by panel in flat memory. workers: processes; the bytes are the same for any number.
    Raises UserError when the size is out of range, or a calibration target of the released world is missed.
    """
    if workers < 1:
        raise UserError(f"{workers} workers cannot build anything; ask for 1 or more.")
    target = Path(target)
    world = load_world()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the final rename stays within one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        fresh = Path(folder) / "new"
        fresh.mkdir()
        _build_into(fresh, world, n_patients, workers, progress)
        _swap(fresh, target, Path(folder) / "old")


def _swap(fresh: Path, target: Path, aside: Path) -> None:
    """Put the new folder in the place of the old one; put the old one back if that fails."""
    had_old = target.exists()
    if had_old:
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if had_old:
            aside.rename(target)
        raise


def _build_into(folder: Path, world: World, n_patients: int | None, workers: int, progress: bool) -> None:
    """All files of the world, with the manifest last."""
    released = n_patients is None or n_patients == world.n_patients
    todo = panels(world, n_patients)
    # Always solved on the released world, so that a larger world begins with the same patients.
    cores = [make_core(world, panel) for panel in panels(world)]
    solved = {area.name: area.solve(cores) for area in AREAS if area.solve}
    parts = folder / "parts"
    _write_network(parts / "network", world)
    work = partial(_make_part, parts, world, solved)
    with _mapper(workers) as apply, Progress(disable=not progress) as bar:
        for _ in bar.track(apply(work, todo), total=len(todo), description="Building Lakeshore Health"):
            pass
    _join_parts(folder, parts, len(todo), whole_feed=not released)
    shutil.rmtree(parts)
    (folder / "DATA_DICTIONARY.md").write_bytes(documents.dictionary(folder).encode())
    if released:
        with threadpool_limits(1):  # single-threaded sums come out the same everywhere, and workers do not crowd
            _measure_into(folder, world)
    _write_manifest(folder, world, n_patients or world.n_patients)


def _measure_into(folder: Path, world: World) -> None:
    """Calibration and traps of the released world. Raises UserError when a target is missed."""
    results, traps, ceilings = [], [], {}
    for area in AREAS:
        if area.derive:
            area.derive(folder, world)
    for area in AREAS:
        data = area.load(folder, world) if area.load else None
        results += calibration.calibrate(world, area, data)
        traps += [(area.name, trap, trap.measure(data)) for trap in area.traps]
        if area.ceilings:
            ceilings[area.name] = {name: round(value, 3) for name, value in area.ceilings(data).items()}
    calibration.stop_outside(results)
    listed = [
        {
            "id": trap.id, "area": area, "title": trap.title, "where": trap.where, "lesson": trap.lesson,
            "naive": trap.naive, "reference": trap.reference,
            "figures": {name: round(value, 3) for name, value in figures.items()},
        }
        for area, trap, figures in traps
    ]  # fmt: skip
    tables = folder / "tables"
    figures = {
        "patients": f"{_rows(tables / 'patients.parquet'):,}", "visits": f"{_rows(tables / 'visits.parquet'):,}",
        "seed": world.seed, "sample": _rows(folder / "fhir" / "Patient.ndjson"), "version": VERSION,
    }  # fmt: skip
    texts = {
        "CALIBRATION.md": documents.calibration(results),
        "DATASHEET.md": documents.datasheet(figures),
        f"{TRUTH}/TRAPS.md": documents.traps(listed),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    _write_json(folder / TRUTH / "traps.json", listed)
    _write_json(folder / TRUTH / "ceilings.json", ceilings)


def _write_json(path: Path, content: Any) -> None:
    """Indented JSON with a final newline."""
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Any]]:
    """`map`, in this process or over several; results come in the order of the input."""
    if workers == 1:
        yield map
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool.map


def _write_network(folder: Path, world: World) -> None:
    """What all panels share: resources and weather, and below `files` whatever else an area brings."""
    folder.mkdir(parents=True)
    networks = [area.network(world) for area in AREAS if area.network]
    for kind, resources in join_feeds([network_resources(world), *(n.resources for n in networks)]).items():
        write_ndjson(folder / f"{kind}.ndjson", resources)
    weather = make_weather(world)
    weather.to_csv(folder / "weather.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n")
    for network in networks:
        for name, content in network.files.items():
            path = folder / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _make_part(parts: Path, world: World, solved: Mapping[str, Any], panel: Panel) -> None:
    """A panel's FHIR, sample, tables and truth, written to its own folder."""
    made = make_panel(make_core(world, panel, solved)).values()
    folder = parts / f"{panel.number:03d}"
    for name, feeds in ((WHOLE, [part.resources for part in made]), (SAMPLE, [part.sample for part in made])):
        (folder / name).mkdir(parents=True)
        for kind, found in join_feeds(feeds).items():
            write_ndjson(folder / name / f"{kind}.ndjson", found)
    # The tables come from the files just written, as a reader's own would.
    with open_tables(parts / "network", folder / WHOLE, threads=1) as connection:
        for table in TABLES:
            pq.write_table(connection.sql(in_order(table)).to_arrow_table(), folder / f"{table}.parquet")
    (folder / TRUTH).mkdir()
    for part in made:
        for where, frames in ((folder, part.tables), (folder / TRUTH, part.truth)):
            for name, frame in frames.items():
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), where / f"{name}.parquet")


def write_ndjson(path: Path, resources: list[Resource]) -> None:
    """Resources, one a line, as compact JSON in the order given."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE) for resource in resources)


def _join_parts(folder: Path, parts: Path, n_panels: int, whole_feed: bool) -> None:
    """Panels' files one after the other: by panel, then area, then id."""
    ordered = [parts / f"{number:03d}" for number in range(n_panels)]
    for where in ("", TRUTH):
        for table in sorted(path.name for path in (ordered[0] / where).glob("*.parquet")):
            used = ordered[:1] if not where and Path(table).stem in SHARED_TABLES else ordered
            _join_parquet(folder / (where or "tables") / table, [part / where / table for part in used])
    network = parts / "network"
    if (network / "files").is_dir():
        shutil.copytree(network / "files", folder, dirs_exist_ok=True)
    feed, level = folder / "fhir", WHOLE if whole_feed else SAMPLE
    feed.mkdir()
    sources = [network, *(part / level for part in ordered)]
    for name in sorted({path.name for source in sources for path in source.iterdir() if path.is_file()}):
        with (feed / name).open("wb") as joined:
            for piece in (source / name for source in sources if (source / name).is_file()):
                with piece.open("rb") as content:
                    shutil.copyfileobj(content, joined)


def _join_parquet(path: Path, pieces: list[Path]) -> None:
    """One Parquet file with a row group for each piece, without any of them whole in memory with another."""
    path.parent.mkdir(exist_ok=True)
    schema = pq.read_schema(pieces[0]).remove_metadata()
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=12) as writer:
        for piece in pieces:
            writer.write_table(pq.read_table(piece).cast(schema))


def _rows(path: Path) -> int | None:
    """Rows of a table, lines of a feed; None for documents."""
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    if path.suffix == ".ndjson":
        with path.open("rb") as file:
            return sum(1 for _ in file)
    if path.suffix == ".csv":
        return len(pd.read_csv(path))
    return None


def _files(folder: Path) -> list[Path]:
    """All files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(folder: Path, world: World, n_patients: int) -> None:
    """Name, size, rows and hash of every file, with what it takes to make them again."""
    files: dict[str, dict[str, Any]] = {}
    for path in _files(folder):
        entry: dict[str, Any] = {"sha256": _sha256(path), "bytes": path.stat().st_size}
        if (rows := _rows(path)) is not None:
            entry["rows"] = rows
        files[path.relative_to(folder).as_posix()] = entry
    manifest = {
        "generator": VERSION,
        "seed": world.seed,
        "n_patients": n_patients,
        "config_sha256": config_hash(),
        "files": files,
    }
    _write_json(folder / MANIFEST, manifest)


def check(target: Path) -> list[str]:
    """What is wrong with the files of a built world, one sentence each; empty when all are as the manifest says.

    Names files that are missing or differ from their hash, and a world built from another configuration than the
    installed one.
    """
    target = Path(target)
    try:
        manifest = orjson.loads((target / MANIFEST).read_bytes())
        files = manifest["files"]
    except FileNotFoundError:
        return [f"{MANIFEST} is missing, so nothing can be checked; build the data again."]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return [f"{MANIFEST} cannot be read; build the data again."]
    problems = []
    if manifest.get("config_sha256") != config_hash():
        problems.append("The data were built from another world.toml than the installed one; build them again.")
    for name, entry in files.items():
        path = target / name
        if not path.is_file():
            problems.append(f"{name} is missing.")
        elif _sha256(path) != entry["sha256"]:
            problems.append(f"{name} is not what was built: its content has changed.")
    return problems


def rebuild_matches(target: Path, workers: int = 1) -> list[str]:
    """Build the released world again, elsewhere, and name every file of `target` that is not the same."""
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again"
        build(again, workers=workers, progress=False)
        return differences(Path(target), again)


def differences(target: Path, fresh: Path) -> list[str]:
    """Files that two folders do not share byte for byte, one sentence each, sorted by name."""
    left, right = (
        {path.relative_to(root).as_posix(): _sha256(path) for path in _files(root)} for root in (target, fresh)
    )
    changed = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    return [f"{name} differs from a fresh build." for name in changed]
