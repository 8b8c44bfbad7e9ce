"""A learner who does anything at any moment, a course that changes, and a machine that fails; and what must hold all along.

`Sequence` is one random life of a workspace. An operation of the course runs in a fork: an audit hook counts what it does
to files, kills it before or in the midst of the n-th, and lets the learner's editor save a notebook at the m-th, in one of
the ways editors save. What the learner has saved, a token each, must be in some notebook of the workspace for ever.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from carelab.errors import UserError
from carelab.learner import workspace as real

KILLED, TORN, REFUSED, DEFECT = 9, 10, 3, 1
NAMES = ("START_HERE.ipynb", "week_01_x/lesson.ipynb", "week_01_x/exercises.ipynb")
_TOUCHES = {
    "open",
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.scandir",
    "os.listdir",
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


# Notebooks, as the build and as JupyterLab write them.


def plain(kind: str, source: str) -> dict[str, Any]:
    """A cell of the course without a role; its id is a hash of what it says."""
    return _cell(kind, source, hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:12], {})


def answer(name: str, source: str) -> dict[str, Any]:
    """A cell for the answer to an exercise."""
    return _cell("code", source, name, {"nbgrader": {"grade_id": name, "solution": True, "grade": False}})


def check(name: str, source: str) -> dict[str, Any]:
    """An exercise's check."""
    grade_id = f"{name}-check"
    return _cell("code", source, grade_id, {"nbgrader": {"grade_id": grade_id, "solution": False, "grade": True}})


def own(source: str, cell_id: str = "4b2f7c1e-0d5a-4f6e-9a51-3f0c8a7de001", kind: str = "code") -> dict[str, Any]:
    """A cell that the learner made in JupyterLab."""
    return _cell(kind, source, cell_id, {})


def _cell(kind: str, source: str, cell_id: str, metadata: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": cell_id, "metadata": metadata, "source": source}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook(*cells: dict[str, Any]) -> bytes:
    """A notebook as a file's content."""
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def saved(content: bytes, change: Callable[[list[dict[str, Any]]], None]) -> bytes:
    """What JupyterLab writes after a change: sources as lists of lines, and here and there an output."""
    raw = json.loads(content)
    change(raw["cells"])
    for cell in raw["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": ["42\n"]}]
    return json.dumps(raw, separators=(",", ":")).encode()


# The course.


@dataclass
class Course:
    """Versions of a course that differ in prose, stubs, checks, in which exercises there are, and in their order."""

    random: Random
    folder: Path
    names: tuple[str, ...] = NAMES
    pace: float = 0.3  # how likely each thing changes from one version to the next
    version: int = 0
    exercises: dict[str, list[tuple[str, int, int, int]]] = field(default_factory=dict)  # name, versions of three cells

    def release(self) -> None:
        """Put the next version where the course keeps its notebooks."""
        self.version += 1
        for name in self.names:
            if name not in self.exercises:
                self.exercises[name] = [(letter, 1, 1, 1) for letter in "ab"]
            elif self.random.random() < self.pace + 0.4:
                self._change(self.exercises[name])
            cells = [plain("markdown", f"# {name}\n\nWelcome."), plain("code", "import math")]
            for letter, text, stub, test in self.exercises[name]:
                cells += [
                    plain("markdown", f"## Exercise {letter} (2 points)\n\nDo it, as of {text}."),
                    answer(letter, f"def {letter}():\n    'stub {stub}'\n    raise NotImplementedError"),
                    check(letter, f"assert {letter}() == {test}"),
                ]
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(notebook(*cells, plain("markdown", "The end.")))

    def _change(self, exercises: list[tuple[str, int, int, int]]) -> None:
        chance, now = self.random.random, self.version
        exercises[:] = [
            (letter, *(now if chance() < self.pace else old for old in versions)) for letter, *versions in exercises
        ]
        if chance() < self.pace and len(exercises) > 1:
            del exercises[self.random.randrange(len(exercises))]
        if chance() < self.pace:
            exercises.insert(self.random.randrange(len(exercises) + 1), (f"x{now}", now, now, now))


# Disturbances.


@dataclass
class Save:
    """A save by another program, at the n-th touch of a file: in place, in place over several touches, or by a rename."""

    path: Path
    content: bytes
    at: int
    how: str
    lasts: int = 0


class Disturbance:
    """An audit hook for the process of an operation: kills it, and saves a notebook, at given touches of files."""

    def __init__(self, root: Path, kill_at: int, torn: bool, save: Save | None, log: int) -> None:
        self.root, self.kill_at, self.torn, self.save, self.log = str(root), kill_at, torn, save, log
        self.touches = 0
        self.open_file: int | None = None
        self.busy = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.busy or event not in _TOUCHES or not any(str(arg).startswith(self.root) for arg in args[:2]):
            return
        self.busy = True
        self.touches += 1
        if self.save and self.touches == self.save.at:
            self._begin(self.save)
        if self.save and self.touches >= self.save.at + self.save.lasts:
            self.end()
        if self.touches == self.kill_at:
            torn = self.torn and event == "open" and args[2] & _WRITES
            if torn:
                with suppress(OSError):  # it would have failed for the operation, too
                    os.write(os.open(args[0], args[2], 0o666), b"{")  # how every notebook begins
            self.end()  # the editor is another process: it goes on
            os._exit(TORN if torn else KILLED)
        self.busy = False

    def _begin(self, save: Save) -> None:
        save.path.parent.mkdir(parents=True, exist_ok=True)
        if save.how == "renamed":
            beside = save.path.with_name(f".{save.path.name}.tmp")
            beside.write_bytes(save.content)
            beside.replace(save.path)
            os.write(self.log, b"saved")
        else:
            self.open_file = os.open(save.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)

    def end(self) -> None:
        """Finish a save that has begun."""
        if self.open_file is not None and self.save:
            self.busy = True
            os.write(self.open_file, self.save.content)
            os.close(self.open_file)
            self.open_file = None
            os.write(self.log, b"saved")
            self.busy = False


def disturbed(
    operation: Callable[[], object], root: Path, kill_at: int, torn: bool = False, save: Save | None = None
) -> tuple[int, bool]:
    """Run an operation in a fork; its exit status, and whether the save took place."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        gc.disable()  # collecting would copy the parent's memory
        status = DEFECT
        try:
            hook = Disturbance(root, kill_at, torn, save, writing)
            sys.addaudithook(hook)
            try:
                operation()
                status = 0
            except UserError:
                status = REFUSED
            hook.end()
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    os.close(writing)
    log = os.read(reading, 100)
    os.close(reading)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), bool(log)


# The learner.


class Sequence:
    """One life of a workspace: random edits, renames, releases, updates and resets, some killed, some saved into."""

    def __init__(
        self, seed: int, root: Path, tools: Any = real, links: bool = True, names: tuple[str, ...] = NAMES
    ) -> None:
        self.random = Random(seed)
        self.tools, self.links = tools, links
        self.workspace = root / "mine"
        self.course = Course(self.random, root / "release", names)
        self.course.release()
        self.tokens: set[str] = set()
        self.broken: set[bytes] = set()
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []
        real.bring(self.course.folder, self.workspace)

    def live(self, steps: int = 8) -> None:
        """Live for some steps, and end with an update that nobody disturbs. Raises AssertionError when a promise is broken."""
        moves = [self.edit] * 4 + [self.update] * 3 + [self.take] * 3 + [self.reset, self.move, self.damage]
        for _ in range(steps):
            move = self.random.choice(moves)
            self.story.append(move.__name__)
            move()
            self.hold()
        self.story.append("last update")
        self.rest()

    def rest(self) -> None:
        """An update that nobody disturbs brings everything in order, and another one changes nothing."""
        self.tools.bring(self.course.folder, self.workspace)
        self.hold(calm=True)
        before = self._files()
        self.tools.bring(self.course.folder, self.workspace)
        assert self._files() == before, self._tell("an update without news changed something")

    def hold(self, calm: bool = False) -> None:
        """What must be true at any moment; `calm`: after an operation that nobody disturbed."""
        text = b""
        for path, content in self._files().items():
            text += content
            # Without links a kill can leave the beginning of a file. The next command mends that.
            if content not in self.broken and (self.links or (calm and not path.startswith("backups/"))):
                assert _readable(content), self._tell(f"{path} is no notebook: {content[:40]!r}")
        lost = sorted(token for token in self.tokens if token.encode() not in text)
        assert not lost, self._tell(f"lost: {', '.join(lost)}")
        if calm:
            missing = [name for name in self.course.names if not (self.workspace / name).is_file()]
            assert not missing, self._tell(f"missing: {', '.join(missing)}")
            left = [path for path in (self.workspace / ".carelab" / "next").rglob("*") if path.is_file()]
            assert not left, self._tell(f"left over: {left}")

    def edit(self) -> None:
        """Write into a cell, or make one, or only run the notebook; and save."""
        path = self._some()
        if path:
            self.write(path, 0.15)

    def write(self, path: Path, ran: float = 0) -> None:
        """Write into one notebook."""
        content, token = self.written(path, ran)
        path.write_bytes(content)
        self.tokens |= token

    def move(self) -> None:
        """Give a notebook another name."""
        path = self._some()
        if path:
            path.rename(path.with_name(f"moved {len(self.story)}.ipynb"))

    def damage(self) -> None:
        """Make a notebook unreadable, as a merge can; everything is still in it."""
        path = self._some()
        if path and self.random.random() < 0.3:
            content = path.read_bytes() + b"\n<<<<<<< HEAD\n"
            path.write_bytes(content)
            self.broken.add(content)

    def update(self) -> None:
        """The course has a new version, or the course is opened again."""
        if self.random.random() < 0.8:
            self.course.release()
        self._run(lambda: self.tools.bring(self.course.folder, self.workspace), 55)

    def take(self) -> None:
        """Take a new version; often after writing into it, or into the old one."""
        waiting = real.updates(self.workspace)
        if waiting:
            one = self.random.choice(waiting)
            for name in (one.beside, one.name):
                path = self.workspace / name
                if path.is_file() and _readable(path.read_bytes()) and self.random.random() < 0.4:
                    self.write(path)
            near = self.workspace / self.random.choice([one.beside, one.name])
            self._run(lambda: self.tools.take(self.workspace, one.name), 36, near)

    def reset(self) -> None:
        """Start a notebook afresh."""
        name = self.random.choice(self.course.names)
        self._run(lambda: self.tools.reset(self.workspace, name, self.course.folder), 24, self.workspace / name)

    def _run(self, operation: Callable[[], object], touches: int, near: Path | None = None) -> None:
        """Run an operation of about so many touches: undisturbed, killed, saved into (`near`, if there), or both."""
        chance = self.random.random
        kill_at = self.random.randrange(1, touches) if chance() < 0.5 else 0
        save, token = None, set()
        path = near if near and near.is_file() and _readable(near.read_bytes()) else self._some()
        if path and chance() < 0.5:
            content, token = self.written(path)
            how = self.random.choice(["in place", "in place", "renamed"])
            lasts = self.random.choice([0, 0, 1, 3, 8]) if how == "in place" else 0
            save = Save(path, content, self.random.randrange(1, touches), how, lasts)
        if not kill_at and not save:
            self.counts.update(operations=1, refused=self._undisturbed(operation))
            return
        status, is_saved = disturbed(operation, self.workspace, kill_at, chance() < 0.5, save)
        self.story.append(f"(status {status}{f', saved {save.path.name} {save.how}' if save and is_saved else ''})")
        killed = status in (KILLED, TORN)
        assert killed or status in (0, REFUSED), self._tell("the operation failed")
        self.counts.update(operations=1, killed=killed, torn=status == TORN, saved=is_saved, refused=status == REFUSED)
        self.counts["killed and saved"] += killed and is_saved
        if is_saved:
            self.tokens |= token

    def _undisturbed(self, operation: Callable[[], object]) -> bool:
        """Run an operation here, without the cost of a fork; whether it was refused."""
        try:
            operation()
        except UserError:
            return True
        return False

    def _some(self) -> Path | None:
        """A notebook of the workspace that the learner has not damaged; rarely a backup."""
        own = [self.workspace / path for path, content in self._files().items() if _readable(content)]
        few = [path for path in own if "backups" not in path.parts or self.random.random() < 0.1]
        return self.random.choice(few) if few else None

    def written(self, path: Path, ran: float = 0) -> tuple[bytes, set[str]]:
        """What the learner's editor saves after some work on a notebook, and the token in it. `ran`: how often none."""
        token = f"token-{len(self.tokens)}-{self.random.randrange(10**9)}"
        what = self.random.random()

        def change(cells: list[dict[str, Any]]) -> None:
            place = self.random.randrange(len(cells))
            if what > 0.75:
                cells.insert(place, own(f"# {token}", f"{self.random.getrandbits(128):032x}"))
            else:
                cells[place]["source"] = "".join(cells[place]["source"]) + f"\n# {token}"

        return saved(path.read_bytes(), change if what >= ran else lambda _: None), {token} if what >= ran else set()

    def _files(self) -> dict[str, bytes]:
        """The notebooks that a learner sees, by path."""
        found = [path for path in self.workspace.rglob("*.ipynb") if ".carelab" not in path.parts]
        return {path.relative_to(self.workspace).as_posix(): path.read_bytes() for path in sorted(found)}

    def _tell(self, what: str) -> str:
        return f"{what}\nafter: {'; '.join(self.story)}"


@lru_cache(1000)
def _readable(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content)["cells"], list)
    except (ValueError, KeyError, TypeError):
        return False
