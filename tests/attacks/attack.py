"""What an attack is, and how the folder is made that its author hands in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Aim = Literal["score", "leak", "reach", "harm"]
STUB = re.compile(r"^( *)raise NotImplementedError.*$", re.MULTILINE)
FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Attack:
    """One attempt to get more out of the grader than the answers are worth.

    answer: stands in the place of the first answer, or of all of them if it speaks of $NAME, the function that an exercise
    asks for. $PORT, $HOME and $COURSE are where a place (see there) says. What it finds out or does, it says with `tell`.
    plant: changes the submitted folder afterwards. listed: whether it is in the list that the work began with.
    """

    name: str
    about: str
    aim: Aim
    answer: str = ""
    plant: Callable[[Path], None] | None = None
    listed: bool = False


@dataclass(frozen=True)
class Place:
    """Where an attack may find something: a home with secret.txt, a course with a gradebook, a listening port on 127.0.0.1."""

    home: str = "/root"
    course: str = "/srv/course"
    port: int = 9


# Tries every way out that an answer has: what it prints, and a socket. A tag in front says what was reached.
TELL = """
def tell(text):
    print(text)
    import socket
    try:
        with socket.create_connection(("127.0.0.1", $PORT), 2) as line:
            line.sendall((text + "\\n").encode("utf-8", "replace"))
    except OSError:
        pass
"""


def submit(attack: Attack | None, released: Path, target: Path, place: Place | None = None) -> None:
    """Make what is handed in from what was released; without an attack it is the same wrong answers.

    Every exercise is attempted and wrong: a function gives None. Notebooks whose answers no machine checks stay as they are.
    """
    shutil.copytree(released, target)
    first = True
    for path in sorted(target.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            entry = cell["metadata"].get("nbgrader", {})
            if not entry.get("solution") or entry.get("grade") or cell["cell_type"] != "code":
                continue
            stub = "".join(cell["source"])
            wrong = STUB.sub(r"\1pass", stub)
            if attack and attack.answer and (first or "$NAME" in attack.answer):
                wrong = filled(attack.answer, stub, place or Place())
            first = False
            cell["source"] = wrong
        path.write_text(json.dumps(notebook), encoding="utf-8")
    if attack and attack.plant:
        attack.plant(target)


def filled(answer: str, stub: str, place: Place) -> str:
    """An attack's code with names and places in it."""
    name = found[1] if (found := FUNCTION.search(stub)) else "nothing"
    for word, value in {"$NAME": name, "$PORT": str(place.port), "$HOME": place.home, "$COURSE": place.course}.items():
        answer = answer.replace(word, value)
    return answer


def editing(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """A plant that changes every submitted notebook's JSON."""

    def plant(folder: Path) -> None:
        for path in folder.glob("*.ipynb"):
            notebook = json.loads(path.read_text(encoding="utf-8"))
            change(notebook)
            path.write_text(json.dumps(notebook), encoding="utf-8")

    return plant


def checks(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that give points."""
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
