"""Builds that are killed go on where they stopped; large worlds keep a panel's files apart, or only the tables."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from carelab import synth
from carelab.cli import build_app
from carelab.errors import UserError
from carelab.fhir import flatten
from carelab.synth import building, work
from carelab.synth.building import differences
from carelab.synth.work import InterruptedBuild, Settings, is_whole, new_part, part, tidy, work_folder

N = 700  # two whole panels and a part of a third
SETTINGS = Settings("2.0", 1, "config", "code", N, False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world that nobody interrupted, by one process."""
    target = tmp_path_factory.mktemp("whole") / "world"
    synth.build(target, n_patients=N, workers=1, progress=False)
    return target


def start(target: Path, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "carelab", "data", "build", "--patients", str(N), "--target", str(target)]
    return subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"CARELAB_TEST_BUILD": str(target)},  # workers inherit it
    )


def wait_for_a_panel(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Until one panel is there, in the middle of the next."""
    deadline = time.monotonic() + 300
    while not list(folder.glob(".world-*.partial/parts/0*")):
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # SIGKILL
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_goes_on_where_it_stopped(workers: int, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "world"
    process = start(target, workers)
    wait_for_a_panel(process, tmp_path)
    kill(process)
    assert not target.exists()
    (partial,) = tmp_path.iterdir()
    kept = sorted((partial / "parts").iterdir())
    assert 1 <= len([folder for folder in kept if folder.name != "network"]) < 3
    made = {path: path.stat().st_mtime_ns for folder in kept for path in folder.rglob("*.parquet")}

    seen: dict[Path, int] = {}
    join = building._join_tables

    def watched(fresh: Path, parts: list[Path]) -> None:
        seen.update({path: path.stat().st_mtime_ns for path in made})
        join(fresh, parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_join_tables", watched)
        synth.build(target, n_patients=N, workers=1, progress=False)
    assert seen == made  # kept, not made again
    assert [path.name for path in tmp_path.iterdir()] == ["world"]
    assert differences(whole, target) == []


def test_the_command_says_what_it_resumes(whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "world"

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_join_tables", stop)
        with pytest.raises(KeyboardInterrupt):
            synth.build(target, n_patients=N, workers=2, progress=False)
    process = start(target)
    output = process.communicate()[0].decode()
    assert process.returncode == 0, output
    assert "Going on with an interrupted build: 3 of 3 panels are there." in output
    assert f"The world is in {target}" in output.replace("\n", "")
    assert differences(whole, target) == []


@pytest.mark.parametrize(
    "change",
    [
        {"generator": "2.1"},
        {"seed": 2},
        {"config_sha256": "other"},
        {"code_sha256": "other"},
        {"n_patients": 701},
        {"tables_only": True},
    ],
)
def test_parts_of_other_settings_are_not_used(change: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "world"
    with pytest.raises(KeyboardInterrupt), work_folder(target, SETTINGS) as folder:
        with new_part(folder, "000") as made:
            (made / "t.txt").write_text("stale")
        raise KeyboardInterrupt
    with work_folder(target, SETTINGS) as folder:
        assert tidy(folder) == {"000"}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), work_folder(target, SETTINGS) as folder, new_part(folder, "000"):
        raise KeyboardInterrupt
    with work_folder(target, replace(SETTINGS, **change)) as folder:
        assert tidy(folder) == set()
        assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert list(tmp_path.iterdir()) == []


def test_half_a_part_does_not_count(tmp_path: Path) -> None:
    with new_part(tmp_path, "000") as made:
        (made / "feed").mkdir()
        (made / "feed" / "t.ndjson").write_text("{}\n")
    with pytest.raises(RuntimeError), new_part(tmp_path, "001") as made:
        (made / "t.txt").write_text("half")
        raise RuntimeError
    assert is_whole(part(tmp_path, "000"))
    assert tidy(tmp_path) == {"000"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts"]
    (part(tmp_path, "000") / "feed" / "t.ndjson").write_text("")  # as after a power cut
    assert not is_whole(part(tmp_path, "000"))
    assert tidy(tmp_path) == set()
    assert not part(tmp_path, "000").exists()


def test_two_builds_of_one_world_do_not_meet(tmp_path: Path) -> None:
    with work_folder(tmp_path / "world", SETTINGS):
        with pytest.raises(UserError, match="Another process is building"), work_folder(tmp_path / "world", SETTINGS):
            raise AssertionError
        # Nor does a build of other settings take the folder away.
        with work_folder(tmp_path / "world", replace(SETTINGS, seed=2)):
            assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_swap_that_was_killed_halfway_is_undone(tmp_path: Path) -> None:
    target = tmp_path / "world"
    with pytest.raises(KeyboardInterrupt), work_folder(target, SETTINGS) as folder:
        (folder / "old").mkdir()
        (folder / "old" / "mine.txt").write_text("mine")
        raise KeyboardInterrupt
    with work_folder(target, replace(SETTINGS, seed=2)):
        assert (target / "mine.txt").read_text() == "mine"


def test_a_killed_worker_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "world"

    def broken(*_: Any) -> Any:
        raise InterruptedBuild("A worker was stopped from outside.")
        yield

    monkeypatch.setattr(building, "_each", broken)
    with pytest.raises(UserError, match="from outside"):
        synth.build(target, n_patients=N, workers=2, progress=False)
    (folder,) = tmp_path.iterdir()
    assert [path.name for path in (folder / "parts").iterdir()] == ["network"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_that_is_killed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterruptedBuild, match="fewer --workers"):
        list(building._each(_suicide, building.panels(synth.load_world(), N), 2))


def _suicide(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_killed_build(tmp_path: Path) -> None:
    process = start(tmp_path / "world", workers=2)
    wait_for_a_panel(process, tmp_path)
    mark = f"CARELAB_TEST_BUILD={tmp_path / 'world'}".encode()

    def left() -> list[str]:
        """Processes that the killed one has started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(folder.name)
            except OSError:
                continue
        return found

    assert len(left()) >= 3  # the build and its two workers
    kill(process)
    deadline = time.monotonic() + 20
    while left():
        assert time.monotonic() < deadline, left()
        time.sleep(0.1)


def test_tables_only_holds_the_same_tables(whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "world"
    synth.build(target, n_patients=N, workers=1, progress=False, tables_only=True)
    assert synth.check(target) == []
    assert not (target / "fhir").exists()
    lost = [line for line in differences(whole, target) if not line.startswith("fhir/")]
    documents = ("DATASHEET.md", "DATA_DICTIONARY.md", "MANIFEST.json", "croissant.json")
    assert lost == [f"{name} differs from a fresh build." for name in sorted(documents)]
    assert "this build holds no FHIR feed" in (target / "DATA_DICTIONARY.md").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def test_beyond_the_released_size_each_panel_has_a_folder(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a world of 100,000 would lie, with the released size made small for the test's sake."""
    small = synth.load_world().model_copy(update={"n_patients": 400})
    monkeypatch.setattr(building, "load_world", lambda: small)
    monkeypatch.setattr(building, "_solve", lambda _: _SOLVED)
    _SOLVED.update(solved())
    target = tmp_path / "world"
    synth.build(target, n_patients=N, workers=1, progress=False)
    folders = ["network", "panel-000", "panel-001", "panel-002"]
    assert sorted(path.name for path in (target / "fhir").iterdir()) == folders
    for path in (whole / "fhir").glob("*.ndjson"):
        pieces = [target / "fhir" / name / path.name for name in folders]
        assert b"".join(piece.read_bytes() for piece in pieces if piece.is_file()) == path.read_bytes()
    # The log of the models in use is about the released world's people, whom this test has made fewer.
    log = ("prediction_log", "monitoring_")
    lost = [line for line in differences(whole, target) if line.startswith(("tables/", "truth/"))]
    assert [line for line in lost if not line.split("/")[1].startswith(log)] == []
    assert synth.check(target) == []
    rows = orjson.loads((target / "MANIFEST.json").read_bytes())["files"]["fhir/panel-000/Appointment.ndjson"]["rows"]
    assert rows == sum(1 for _ in (target / "fhir" / "panel-000" / "Appointment.ndjson").open("rb"))
    # The tables' reader takes all the folders.
    visits = flatten("visits", *(target / "fhir" / name for name in folders))
    pd.testing.assert_frame_equal(visits, pd.read_parquet(target / "tables" / "visits.parquet"))


_SOLVED: dict[str, Any] = {}


def solved() -> dict[str, Any]:
    from carelab.synth.config import panels
    from carelab.synth.panel import make_core
    from carelab.synth.registry import AREAS

    world = synth.load_world()
    cores = [make_core(world, panel) for panel in panels(world)]
    return {area.name: area.solve(cores) for area in AREAS if area.solve}


def test_another_size_does_not_replace_the_data_of_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []
    monkeypatch.setattr(synth, "build", lambda target, **options: asked.append((target.name, options["n_patients"])))
    for arguments in (["--patients", "100000"], ["--patients", "4000"], [], ["--tables-only"]):
        assert CliRunner().invoke(build_app(), ["data", "build", *arguments]).exit_code == 0
    assert asked == [
        ("synthetic-100000", 100_000), ("synthetic", 4000), ("synthetic", None), ("synthetic-4000-tables", None),
    ]  # fmt: skip


def test_the_code_is_part_of_what_has_to_agree() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", work.code_hash())
    assert len({SETTINGS.key, replace(SETTINGS, seed=2).key, replace(SETTINGS, code_sha256="x").key}) == 3
