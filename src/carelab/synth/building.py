"""Build the world into a folder: panels one by one, in a work folder that replaces the old one at the end."""

import atexit
import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from carelab.errors import UserError
from carelab.fhir.read import Resource
from carelab.fhir.tables import TABLES, in_order, open_tables
from carelab.synth import calibration, croissant, documents
from carelab.synth.areas import join_feeds
from carelab.synth.config import Panel, World, config_hash, load_world, panels
from carelab.synth.panel import make_core, make_panel
from carelab.synth.registry import AREAS
from carelab.synth.resources import network_resources
from carelab.synth.weather import make_weather
from carelab.synth.work import (
    Entry,
    InterruptedBuild,
    Settings,
    code_hash,
    content_of,
    entry_of,
    files_below,
    new_part,
    part,
    sha256_of,
    tidy,
    work_folder,
)

VERSION = "2.0"
MANIFEST = "MANIFEST.json"
TRUTH = "truth"
FEED = "feed"  # a panel's resources: all, or those of the sample
NETWORK = "network"  # the part that all panels share
SHARED_TABLES = ("sites", "weather")  # not per panel


def build(
    target: Path, n_patients: int | None = None, workers: int = 1, progress: bool = True, tables_only: bool = False
) -> None:
    """Build the world into `target`, which is replaced as a whole: nobody ever sees a half-written folder.

    n_patients: None for the released size (M tables, and S as FHIR); any other number gives that many patients as
    tables and as FHIR, in flat memory: up to the released size one NDJSON file a type, beyond it one folder a panel.
    tables_only: Parquet without FHIR; each panel's NDJSON is gone as soon as its tables are made. workers: processes;
    the bytes are the same for any number.

    A build that was killed goes on where it stopped when it is asked for again with the same generator, configuration
    and size. Raises UserError when the size is out of range, another process builds the same, or a calibration target
    of the released world is missed.
    """
    if workers < 1:
        raise UserError(f"{workers} workers cannot build anything; ask for 1 or more.")
    target = Path(target)
    world = load_world()
    todo = panels(world, n_patients)
    size = sum(panel.size for panel in todo)
    settings = Settings(VERSION, world.seed, config_hash(), code_hash(), size, tables_only)
    with work_folder(target, settings) as work:
        _build_into(work, world, todo, settings, workers, progress)
        _swap(work / "new", target, work / "old")


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


class _Rate(ProgressColumn):
    """Patients made in a second, of those that this run makes."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} patients/s" if task.speed else "")


def _build_into(work: Path, world: World, todo: list[Panel], settings: Settings, workers: int, progress: bool) -> None:
    """All files of the world in the work folder's `new`, with the manifest last."""
    released = settings.n_patients == world.n_patients and not settings.tables_only
    keep = None if settings.tables_only else "sample" if released else "whole"
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("patients"), _Rate(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, disable=not progress) as bar:
        task = bar.add_task("Lakeshore Health", total=settings.n_patients)
        _make_parts(work, world, todo, keep, workers, bar, task)
        bar.update(task, description="Joining the panels")
        known = _join(work, world, todo, keep)
        measured = None
        if released:
            bar.update(task, description="Measuring it")
            measured = _measure(work / "new", world)
            calibration.stop_outside(measured.results)
        _describe_into(work / "new", world, settings, measured, known)


@dataclass(frozen=True)
class Measured:
    """What the areas measure on a built world: calibration, entries of traps.json, ceilings by area."""

    results: list[calibration.Result]
    traps: list[dict[str, Any]]
    ceilings: dict[str, dict[str, float]]


def measure_world(folder: Path, world: World, workers: int = 1) -> Measured:
    """Build the released size of any world, such as one of another seed, below `folder`, and measure it.

    Nothing is judged: figures outside their tolerance are returned like the others.
    """
    todo = panels(world)
    with Progress(disable=True) as bar:
        _make_parts(folder, world, todo, "sample", workers, bar, bar.add_task(""))
    _join(folder, world, todo, "sample")
    return _measure(folder / "new", world)


def _make_parts(
    work: Path, world: World, todo: list[Panel], keep: str | None, workers: int, bar: Progress, task: TaskID
) -> None:
    """The parts that are not there yet: what all panels share, then each panel."""
    kept = tidy(work)
    missing = [panel for panel in todo if _name(panel) not in kept]
    if (done := len(todo) - len(missing)) and not bar.disable:
        bar.console.print(f"Going on with an interrupted build: {done} of {len(todo)} panels are there.")
    bar.update(task, completed=sum(panel.size for panel in todo) - sum(panel.size for panel in missing))
    if NETWORK not in kept:
        with new_part(work, NETWORK) as folder:
            _write_network(folder, world)
    if missing:
        make = partial(_make_part, work, world, _solve(world), keep)
        for panel in _each(make, missing, workers):
            bar.advance(task, panel.size)


def _join(work: Path, world: World, todo: list[Panel], keep: str | None) -> dict[str, Entry]:
    """The parts as one world in the work folder's `new`; entries of the manifest that are known already, by path."""
    fresh, parts = work / "new", [part(work, _name(panel)) for panel in todo]
    fresh.mkdir()
    _join_tables(fresh, parts)
    _take_files(fresh, part(work, NETWORK))
    if keep is None:
        return {}
    larger = sum(panel.size for panel in todo) > world.n_patients
    return (_link_feed if larger else _join_feed)(fresh / "fhir", part(work, NETWORK), parts)


def _name(panel: Panel) -> str:
    return f"{panel.number:03d}"


def _solve(world: World) -> Mapping[str, Any]:
    """Constants of each area; always of the released world, so that a larger world begins with the same patients."""
    return _solved(world.model_dump_json())


@lru_cache(maxsize=2)
def _solved(described: str) -> Mapping[str, Any]:
    """The constants of a world, worked out once a process: a world itself cannot be a key."""
    world = World.model_validate_json(described)
    with threadpool_limits(1):
        cores = [make_core(world, panel) for panel in panels(world)]
        return {area.name: area.solve(cores) for area in AREAS if area.solve}


def _each(make: Callable[[Panel], None], todo: list[Panel], workers: int) -> Iterator[Panel]:
    """Make each panel, in this process or over several, and yield it when it is finished, in no order."""
    if workers == 1:
        for panel in todo:
            make(panel)
            yield panel
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        made = {pool.submit(make, panel): panel for panel in todo}
        try:
            for future in as_completed(made):
                future.result()
                yield made[future]
        except BrokenProcessPool as error:
            raise InterruptedBuild(
                "A worker was stopped from outside, perhaps for want of memory. What is finished is kept: run the same"
                " command again, with fewer --workers."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """In a worker: end when the build is killed, instead of waiting for work for ever."""
    parent, stop = multiprocessing.parent_process(), threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            if parent is not None and not parent.is_alive():
                os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    @atexit.register
    def _() -> None:  # a thread that outlives the interpreter keeps DuckDB from tidying up
        stop.set()
        thread.join()


def _measure(folder: Path, world: World) -> Measured:
    """Write the derived files of a joined world, and measure it."""
    results, listed, ceilings = [], [], {}
    with threadpool_limits(1):  # single-threaded sums come out the same everywhere, and workers do not crowd
        for area in AREAS:
            if area.derive:
                area.derive(folder, world)
        for area in AREAS:
            data = area.load(folder, world) if area.load else None
            results += calibration.calibrate(world, area, data)
            for trap in area.traps:
                figures = {name: round(value, 3) for name, value in trap.measure(data).items()}
                listed.append(
                    {
                        "id": trap.id, "area": area.name, "title": trap.title, "where": trap.where, "lesson": trap.lesson,
                        "naive": trap.naive, "reference": trap.reference, "figures": figures,
                    }
                )  # fmt: skip
            if area.ceilings:
                ceilings[area.name] = {name: round(value, 3) for name, value in area.ceilings(data).items()}
    return Measured(results, listed, ceilings)


def _describe_into(
    folder: Path, world: World, settings: Settings, measured: Measured | None, known: dict[str, Entry]
) -> None:
    """Dictionary, datasheet, Croissant and manifest; calibration and traps where they were measured.

    known: entries of the manifest for files whose hash is known already, by path. Raises UserError for what nobody
    described.
    """
    texts = {"DATA_DICTIONARY.md": documents.dictionary(folder)}
    if measured:
        texts["CALIBRATION.md"] = documents.calibration(measured.results)
        texts[f"{TRUTH}/TRAPS.md"] = documents.traps(measured.traps)
        _write_json(folder / TRUTH / "traps.json", measured.traps)
        _write_json(folder / TRUTH / "ceilings.json", measured.ceilings)
    texts["DATASHEET.md"] = documents.datasheet(folder, world.seed, VERSION)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    entries = known | {
        name: entry_of(path)
        for path in files_below(folder)
        if (name := path.relative_to(folder).as_posix()) not in known
    }
    _write_json(folder / croissant.FILE, croissant.metadata(folder, entries, VERSION))
    entries[croissant.FILE] = entry_of(folder / croissant.FILE)
    manifest = {
        "generator": VERSION,
        "seed": world.seed,
        "n_patients": settings.n_patients,
        "config_sha256": settings.config_sha256,
        "files": dict(sorted(entries.items())),
    }
    _write_json(folder / MANIFEST, manifest)


def _write_json(path: Path, content: Any) -> None:
    """Indented JSON with a final newline."""
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _write_network(folder: Path, world: World) -> None:
    """What all panels share: resources and weather, and below `files` whatever else an area brings."""
    (folder / FEED).mkdir()
    networks = [area.network(world) for area in AREAS if area.network]
    for kind, resources in join_feeds([network_resources(world), *(n.resources for n in networks)]).items():
        write_ndjson(folder / FEED / f"{kind}.ndjson", resources)
    weather = make_weather(world)
    weather.to_csv(folder / FEED / "weather.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n")
    for network in networks:
        for name, content in network.files.items():
            path = folder / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _make_part(work: Path, world: World, solved: Mapping[str, Any], keep: str | None, panel: Panel) -> None:
    """A panel's tables and truth, and as much of its feed as is kept: `whole`, the `sample` or None."""
    with threadpool_limits(1), new_part(work, _name(panel)) as folder:
        made = make_panel(make_core(world, panel, solved)).values()
        whole = folder / FEED
        whole.mkdir()
        for kind, found in join_feeds([area.resources for area in made]).items():
            write_ndjson(whole / f"{kind}.ndjson", found)
        # The tables come from the files just written, as a reader's own would.
        with open_tables(part(work, NETWORK) / FEED, whole, threads=1) as connection:
            for table in TABLES:
                pq.write_table(connection.sql(in_order(table)).to_arrow_table(), folder / f"{table}.parquet")
        if keep != "whole":
            shutil.rmtree(whole)
        if keep == "sample":
            whole.mkdir()
            for kind, found in join_feeds([area.sample for area in made]).items():
                write_ndjson(whole / f"{kind}.ndjson", found)
        (folder / TRUTH).mkdir()
        for area in made:
            for where, frames in ((folder, area.tables), (folder / TRUTH, area.truth)):
                for name, frame in frames.items():
                    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), where / f"{name}.parquet")


def write_ndjson(path: Path, resources: list[Resource]) -> None:
    """Resources, one a line, as compact JSON in the order given."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE) for resource in resources)


def _join_tables(fresh: Path, parts: list[Path]) -> None:
    """Panels' tables and truth one after the other."""
    for where in ("", TRUTH):
        for table in sorted(path.name for path in (parts[0] / where).glob("*.parquet")):
            used = parts[:1] if not where and Path(table).stem in SHARED_TABLES else parts
            _join_parquet(fresh / (where or "tables") / table, [folder / where / table for folder in used])


def _join_parquet(path: Path, pieces: list[Path]) -> None:
    """One Parquet file with a row group for each piece, without any of them whole in memory with another."""
    path.parent.mkdir(exist_ok=True)
    # A column that is empty all through a panel has no type there; the others' type holds.
    schemas = {schema.to_string(): schema for schema in (pq.read_schema(piece).remove_metadata() for piece in pieces)}
    schema = pa.unify_schemas(list(schemas.values()), promote_options="permissive")
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=12) as writer:
        for piece in pieces:
            writer.write_table(pq.read_table(piece).cast(schema))


def _take_files(fresh: Path, network: Path) -> None:
    """Files that an area brings for all panels."""
    if (network / "files").is_dir():
        shutil.copytree(network / "files", fresh, dirs_exist_ok=True)


def _join_feed(feed: Path, network: Path, parts: list[Path]) -> dict[str, Entry]:
    """One file a type: by panel, then area, then id. Hashes are not known before the files are there."""
    feed.mkdir()
    sources = [folder / FEED for folder in (network, *parts)]
    for name in sorted({path.name for source in sources for path in source.iterdir()}):
        with (feed / name).open("wb") as joined:
            for piece in (source / name for source in sources if (source / name).is_file()):
                with piece.open("rb") as content:
                    shutil.copyfileobj(content, joined)
    return {}


def _link_feed(feed: Path, network: Path, parts: list[Path]) -> dict[str, Entry]:
    """One folder for the network and one a panel, without a second copy on the disk where it knows links.

    Returns the manifest's entries, whose hashes the workers have computed.
    """
    known = {}
    for source in (network, *parts):
        folder = feed / (source.name if source is network else f"panel-{source.name}")
        folder.mkdir(parents=True)
        for name, entry in content_of(source).items():
            where, _, file = name.partition("/")
            if where == FEED:
                try:
                    os.link(source / name, folder / file)
                except OSError:
                    shutil.copyfile(source / name, folder / file)
                known[f"fhir/{folder.name}/{file}"] = entry
    return known


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
        elif sha256_of(path) != entry["sha256"]:
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
        {path.relative_to(root).as_posix(): sha256_of(path) for path in files_below(root)} for root in (target, fresh)
    )
    changed = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    return [f"{name} differs from a fresh build." for name in changed]
