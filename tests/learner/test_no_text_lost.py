"""No edit is ever lost, whatever is killed when: a thousand random lives of a workspace, and every moment of each command."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from learner.disturb import KILLED, REFUSED, TORN, Save, Sequence, disturbed

from carelab import files
from carelab.learner import keeping, workspace

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a command is killed in a fork")
GROUPS, SEQUENCES = 10, 100
NOTEBOOK = "week_01_x/exercises.ipynb"
BESIDE = "week_01_x/exercises (new version).ipynb"


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory where there is one: what is killed here is a process, not a machine."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def no_links(source: Path, target: Path) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_sequences_of_edit_update_reset_and_kill(
    group: int, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = group % 5 != 4
    if not links:
        monkeypatch.setattr(os, "link", no_links)  # a memory stick, some network drives
    counts: Counter[str] = Counter()
    for seed in range(group * SEQUENCES, (group + 1) * SEQUENCES):
        life = Sequence(seed, root / str(seed), links=links)
        life.live()
        counts += life.counts
        shutil.rmtree(root / str(seed))
    print(dict(counts))
    assert counts["killed"] > 60 and counts["saved"] > 50 and counts["killed and saved"] > 10, "or it proves nothing"
    assert counts["refused"] < counts["operations"] / 10


# Every moment of each command, and every kind of disturbance, one at a time.


def prepare(root: Path, written_beside: bool) -> Sequence:
    """A notebook with a text of the learner's, a new version beside it, and a newer release still."""
    life = Sequence(7, root, names=(NOTEBOOK,))
    life.course.pace = 1
    life.write(life.workspace / NOTEBOOK)
    life.course.release()
    workspace.bring(life.course.folder, life.workspace)
    if written_beside:
        life.write(life.workspace / BESIDE)
    life.write(life.workspace / NOTEBOOK)
    assert workspace.updates(life.workspace)[0].beside == BESIDE and len(life.tokens) == 2 + written_beside
    return life


COMMANDS: dict[str, Callable[[Sequence], object]] = {
    "take": lambda life: workspace.take(life.workspace, NOTEBOOK),
    "reset": lambda life: workspace.reset(life.workspace, NOTEBOOK, life.course.folder),
    "bring a newer version": lambda life: workspace.bring(life.course.folder, life.workspace),
    "bring it in the place of an unchanged one": lambda life: workspace.bring(life.course.folder, life.workspace),
}
MOMENTS = [("take", True), ("take", False), ("reset", True), ("bring a newer version", True)]
MOMENTS += [("bring a newer version", False), ("bring it in the place of an unchanged one", False)]
SAVES = [(NOTEBOOK, "in place", 0), (NOTEBOOK, "in place", 4), (NOTEBOOK, "renamed", 0), (BESIDE, "in place", 0)]


def every_moment(root: Path, command: str, written_beside: bool) -> Counter[str]:
    """Disturb a command at each touch of a file in each way, and look at what is left. Raises AssertionError."""
    life = prepare(root / "life", written_beside)
    if command.startswith("bring"):
        life.course.release()
    if command.endswith("unchanged one"):
        workspace.reset(life.workspace, NOTEBOOK, life.course.folder)
        life.course.release()
    tokens, counts = set(life.tokens), Counter[str]()
    shutil.copytree(root / "life", root / "as it was")
    for how in [("killed", False), ("killed", True), *SAVES]:
        for at in range(1, 200):
            shutil.rmtree(root / "life")
            shutil.copytree(root / "as it was", root / "life")
            life.tokens = set(tokens)
            life.story = [f"{command}, {how} at touch {at}"]
            if len(how) == 2:
                status, _ = disturbed(lambda: COMMANDS[command](life), life.workspace, at, how[1])
                happened = status in (KILLED, TORN)
            else:
                path = life.workspace / how[0]
                if not path.is_file():
                    break
                content, token = life.written(path)
                save = Save(path, content, at, *how[1:])
                status, happened = disturbed(lambda: COMMANDS[command](life), life.workspace, 0, save=save)
                life.tokens |= token if happened else set()
            assert status in (0, KILLED, TORN, REFUSED), life.story
            if not happened:
                break
            if how != ("killed", True) or status == TORN:  # else it was killed there before
                counts["torn" if status == TORN else str(how[0])] += 1
                after(life)
        else:
            raise AssertionError("the command never ended")
    return counts


def after(life: Sequence) -> None:
    """What may follow: the learner moves the notebook, opens the course, and goes on in both, each in a tab of its own."""
    life.hold()
    notebook, moved = life.workspace / NOTEBOOK, life.workspace / "week_01_x" / "moved.ipynb"
    if notebook.is_file():
        notebook.rename(moved)
    life.rest()
    tabs = {path: life.written(path) for path in (moved, notebook) if path.is_file()}
    for path, (content, token) in tabs.items():
        path.write_bytes(content)
        life.tokens |= token
    life.hold()


@pytest.mark.parametrize(("command", "written_beside"), MOMENTS)
def test_every_moment_of_a_command(command: str, written_beside: bool, root: Path) -> None:
    counts = every_moment(root, command, written_beside)
    print(dict(counts))
    assert counts["killed"] > 20 and counts["torn"] > 3 and counts[NOTEBOOK] > 20


def killed_takes(root: Path) -> Counter[str]:
    """What a learner finds in the notebook after a take was killed and the course opened again, for each moment."""
    life = prepare(root / "life", written_beside=True)
    old = (life.workspace / NOTEBOOK).read_bytes()
    life.course.exercises[NOTEBOOK].clear()  # what the next release would bring is of no interest here
    shutil.copytree(root / "life", root / "as it was")
    found: Counter[str] = Counter()
    for at in range(1, 200):
        status, _ = disturbed(lambda: COMMANDS["take"](life), life.workspace, at)
        workspace.bring(life.course.folder, life.workspace)
        there = (life.workspace / NOTEBOOK).read_bytes()
        both = [token for token in life.tokens if token.encode() in there]
        found["old" if there == old else "new" if len(both) >= 2 else "neither"] += 1
        if status != KILLED:
            return found
        shutil.rmtree(root / "life")
        shutil.copytree(root / "as it was", root / "life")
    raise AssertionError("the command never ended")


# The same machinery must see careless updaters fail.


def overwrite(release: Path, mine: Path) -> None:
    """Copies every notebook, as a careless installer does."""
    for name, source in workspace._released(release).items():
        files.write(mine / name, source.read_bytes())


def unchanged(release: Path, mine: Path) -> Iterator[tuple[Path, bytes]]:
    """The notebooks that an updater may replace that looks first, and its note of what it gave."""
    for name, source in workspace._released(release).items():
        path, base = mine / name, mine / ".carelab" / "base" / name
        if not path.is_file() or workspace._says_the_same(path.read_bytes(), base.read_bytes()):
            yield path, source.read_bytes()
            files.write(base, source.read_bytes())


def write_in_place(release: Path, mine: Path) -> None:
    """Looks before it writes, but a kill leaves half a notebook."""
    for path, content in unchanged(release, mine):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_whole(release: Path, mine: Path) -> None:
    """Looks, and writes whole: only a save in between is lost."""
    for path, content in unchanged(release, mine):
        files.write(path, content)


def alone(bring: Callable[[Path, Path], None]) -> Any:
    """An updater without the other commands."""
    return SimpleNamespace(bring=bring, take=lambda *_: None, reset=lambda *_: None)


def copy_then_remove(path: Path, folder: Path) -> Path:
    target = folder / f"{path.stem} {len(list(folder.iterdir()))}{path.suffix}"
    files.write(target, path.read_bytes())
    path.unlink()
    return target


def same_name_always(path: Path, folder: Path) -> Path:
    return path.replace(folder / path.name)


def put_over(finished: Path, path: Path) -> bool:
    files.write(path, finished.read_bytes())
    return True


def look_then_remove(self: keeping.Keeping, name: str, content_hash: str) -> None:
    if files.sha256(self.content(name) or b"") == content_hash:
        (self.root / name).unlink()


def put_again(self: keeping.Keeping) -> None:
    """Forgets that a file may be in its place already, under both names."""
    folder = self.private / "next"
    for staged in [path for path in folder.rglob("*") if path.is_file()]:
        if not staged.name.startswith("."):
            files.place(staged, self.root / staged.relative_to(folder))
        staged.unlink()


@pytest.mark.parametrize(
    ("updater", "what"),
    [(overwrite, "lost: token"), (write_in_place, "is no notebook"), (write_whole, "lost: token")],
)
def test_a_careless_updater_is_caught_by_the_sequences(
    updater: Callable[[Path, Path], None], what: str, root: Path
) -> None:
    with pytest.raises(AssertionError, match=what):
        for seed in range(2 * SEQUENCES):
            Sequence(seed, root / str(seed), alone(updater)).live()


@pytest.mark.parametrize(
    ("place", "name", "careless", "command", "written_beside"),
    [
        (keeping, "_rename", copy_then_remove, "reset", True),
        (keeping, "_rename", same_name_always, "bring it in the place of an unchanged one", False),
        (files, "place", put_over, "reset", True),
        (keeping.Keeping, "drop", look_then_remove, "bring a newer version", False),
        (keeping.Keeping, "finish", put_again, "reset", True),
    ],
)
def test_each_precaution_is_needed(
    place: Any,
    name: str,
    careless: Any,
    command: str,
    written_beside: bool,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(place, name, careless)
    with pytest.raises(AssertionError, match="lost: token"):
        every_moment(root, command, written_beside)


def test_a_killed_take_is_finished_or_not_begun(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = killed_takes(root / "as it is")
    assert found["old"] > 10 and found["new"] > 10 and not found["neither"]
    monkeypatch.setattr(keeping.Keeping, "finish", lambda self: None)
    assert killed_takes(root / "unfinished")["neither"], "or it proves nothing"
