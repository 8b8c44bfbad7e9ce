"""Broken submissions of every kind, made from a notebook and a seed: the same seed gives the same submission.

Not a test: `test_fuzz.py` uses it, and so may whoever runs a grader over a thousand of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

Make = Callable[[random.Random, dict[str, Any], Path], None]
KINDS: dict[str, Make] = {}


def fuzz(seed: int, released: Path, target: Path) -> str:
    """Write the broken notebook of `seed` at `target`, made from `released` (a learner's solved copy will do); its kind.

    Seeds 0 to len(KINDS) - 1 give one of each kind. What stood at `target`, or in the place of its folder, is removed.
    """
    kind = list(KINDS)[seed % len(KINDS)]
    folder = target.parent
    _clear(folder if folder.is_symlink() or not folder.is_dir() else target)
    folder.mkdir(parents=True, exist_ok=True)
    KINDS[kind](random.Random(seed), json.loads(released.read_text(encoding="utf-8")), target)
    return kind


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _add(kind: str, make: Make) -> None:
    assert kind not in KINDS
    KINDS[kind] = make


# ---------------------------------------------------------------- bytes that are no notebook


def _bytes(change: Callable[[random.Random, bytes], bytes]) -> Make:
    def make(rng: random.Random, notebook: dict[str, Any], target: Path) -> None:
        target.write_bytes(change(rng, json.dumps(notebook, indent=1).encode()))

    return make


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 40)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _shuffle(rng: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


def _inside(value: bytes) -> Callable[[random.Random, bytes], bytes]:
    """`value` as one more entry of the notebook, which does not matter to its answers."""
    return lambda _, data: data.replace(b"{", b'{"more": ' + value + b",", 1)


for name, change in {
    "truncated": lambda rng, data: data[: rng.randrange(len(data))],
    "bytes changed": _flip,
    "lines shuffled": _shuffle,
    "random bytes": lambda rng, data: rng.randbytes(rng.randint(1, 5000)),
    "empty": lambda *_: b"",
    "spaces": lambda rng, _: b" \n" * rng.randint(1, 1000),
    "null bytes only": lambda rng, _: b"\0" * rng.randint(1, 1000),
    "a page": lambda *_: b"<!DOCTYPE html><title>404</title>",
    "a word": lambda *_: b"nothing",
    "a merge conflict": lambda _, data: b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>> mine\n",
    "more after the end": lambda _, data: data + b"}",
    "utf-16": lambda _, data: data.decode().encode("utf-16"),
    "latin-1": lambda _, data: data.replace(b"import", "impört".encode("latin-1")),
    "byte order mark": lambda _, data: b"\xef\xbb\xbf" + data,
    "NaN": _inside(b"NaN"),
    "Infinity": _inside(b"[-Infinity, 1e999, -0]"),
    "huge whole number": _inside(b"9" * 1_000_000),
    "duplicate keys": lambda _, data: data.replace(b'"cells":', b'"cells": [], "nbformat": 4, "cells":', 1),
    "cells twice, the last empty": lambda _, data: data.rstrip()[:-1] + b', "cells": []}',
    "deep lists": _inside(b"[" * 100_000 + b"]" * 100_000),
    "deep objects": lambda *_: b'{"nbformat": 4, "cells": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "open lists": lambda *_: b"[" * 1_000_000,
    "many values": _inside(b"[" + b"[]," * 1_500_001 + b"0]"),
    "huge beside the cells": _inside(b'"' + b"x" * 5_000_000 + b'"'),
}.items():
    _add(name, _bytes(change))


def _large(rng: random.Random, notebook: dict[str, Any], target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(rng.randint(21, 40_000) * 1_000_000)


_add("gigantic", _large)

# ---------------------------------------------------------------- a notebook of the wrong shape


def _whole(value: Any) -> Make:
    return _bytes(lambda *_: json.dumps(value).encode())


def _shape(change: Callable[[random.Random, dict[str, Any]], Any]) -> Make:
    def make(rng: random.Random, notebook: dict[str, Any], target: Path) -> None:
        change(rng, notebook)
        target.write_text(json.dumps(notebook), encoding="utf-8")

    return make


def _answers(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]


def _set(*keys: str, to: Any) -> Callable[[random.Random, dict[str, Any]], None]:
    """Put `to` in the place of a value of one answer's cell."""

    def change(rng: random.Random, notebook: dict[str, Any]) -> None:
        place: Any = rng.choice(_answers(notebook))
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return change


def _twice(different: bool) -> Callable[[random.Random, dict[str, Any]], None]:
    def change(rng: random.Random, notebook: dict[str, Any]) -> None:
        cell = json.loads(json.dumps(rng.choice(_answers(notebook))))
        if different:
            cell["source"] = "pass"
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), cell)

    return change


def _less(rng: random.Random, notebook: dict[str, Any]) -> None:
    gone = rng.sample(range(len(notebook["cells"])), rng.randint(1, len(notebook["cells"]) // 2))
    notebook["cells"] = [cell for at, cell in enumerate(notebook["cells"]) if at not in gone]


def _no_metadata(_: random.Random, notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def _old(_: random.Random, notebook: dict[str, Any]) -> None:
    cells = [cell | {"input": cell["source"], "language": "python"} for cell in notebook.pop("cells")]
    notebook |= {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells, "metadata": {}}]}


def _pasted_checks(rng: random.Random, notebook: dict[str, Any]) -> None:
    checks = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    for _ in range(rng.randint(1, 20)):
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), rng.choice(checks))


_IDS = ("metadata", "nbgrader", "grade_id")
for name, value in {"list": [], "text": "cells", "null": None, "number": 4, "empty object": {}}.items():
    _add(f"all of it: {name}", _whole(value))
for name, value in {"object": {}, "null": None, "text": "none", "numbers": [1, None, [], "cell", {}]}.items():
    _add(f"cells: {name}", _shape(lambda _, notebook, value=value: notebook.update(cells=value)))
for name, value in {
    "number": 7,
    "null": None,
    "object": {"a": ["b"]},
    "nested lists": [["a = 1"], [["b = 2"]]],
    "mixed list": ["a = 1\n", 2, None],
    "no lines": [],
    "true": True,
    "huge": "a = 1\n" * 100_000,
    "one huge line": "a = '" + "é" * 150_000 + "'",
    "million lines": ["#\n"] * 1_000_000,
}.items():
    _add(f"source: {name}", _shape(_set("source", to=value)))
for name, value in {"list": [], "null": None, "text": "{}"}.items():
    _add(f"metadata: {name}", _shape(_set("metadata", to=value)))
    _add(f"nbgrader: {name}", _shape(_set("metadata", "nbgrader", to=value)))
for name, value in {"list": ["a"], "object": {"a": 1}, "null": None, "number": 1e400, "half": "\ud800"}.items():
    _add(f"grade_id: {name}", _shape(_set(*_IDS, to=value)))
_add("grade_id: very long", _shape(_set(*_IDS, to="w01-" * 1_000_000)))
_add("grade_id: a path", _shape(_set(*_IDS, to="../../../etc/passwd")))
_add("solution: text", _shape(_set("metadata", "nbgrader", "solution", to="true")))
_add("cell type: unknown", _shape(_set("cell_type", to="spell")))
_add("cell type: list", _shape(_set("cell_type", to=["code"])))
_add("outputs: number", _shape(_set("outputs", to=3)))
_add("points: many", _shape(_set("metadata", "nbgrader", "points", to=10**6)))
_add("cells missing", _shape(_less))
_add("metadata gone", _shape(_no_metadata))
_add("cells in another order", _shape(lambda rng, notebook: rng.shuffle(notebook["cells"])))
_add("cell twice", _shape(_twice(False)))
_add("cell twice, different", _shape(_twice(True)))
_add("cells a hundred times", _shape(lambda _, notebook: notebook.update(cells=notebook["cells"] * 100)))
_add("checks pasted", _shape(_pasted_checks))
_add("version 3", _shape(_old))
_add("version 5", _shape(lambda _, notebook: notebook.update(nbformat=5)))
_add("version as text", _shape(lambda _, notebook: notebook.update(nbformat="4")))
_add("version missing", _shape(lambda _, notebook: notebook.pop("nbformat")))

# ---------------------------------------------------------------- not a plain file


def _file(make: Callable[[Path], Any]) -> Make:
    def write(_: random.Random, notebook: dict[str, Any], target: Path) -> None:
        (target.parent / "notebook.json").write_text(json.dumps(notebook), encoding="utf-8")
        make(target)
        if target.parent.is_dir():
            (target.parent / "notebook.json").unlink(missing_ok=True)

    return write


def _linked_folder(target: Path) -> None:
    elsewhere = target.parent.with_name(f"{target.parent.name}-elsewhere")
    shutil.rmtree(elsewhere, ignore_errors=True)
    (target.parent / "notebook.json").rename(target)
    target.parent.rename(elsewhere)
    target.parent.symlink_to(elsewhere, target_is_directory=True)


def _unreadable(target: Path) -> None:
    (target.parent / "notebook.json").rename(target)
    target.chmod(0)


def _file_for_folder(target: Path) -> None:
    shutil.rmtree(target.parent)
    target.parent.write_text("no folder")


def _linked_file(target: Path) -> None:
    (target.parent / "original.json").write_text((target.parent / "notebook.json").read_text())
    target.symlink_to("original.json")


for name, create in {
    "link to a file": _linked_file,
    "link to a secret": lambda target: target.symlink_to("/etc/passwd"),
    "link to a folder": lambda target: target.symlink_to(".", target_is_directory=True),
    "link to itself": lambda target: target.symlink_to(target.name),
    "link to nothing": lambda target: target.symlink_to("gone"),
    "link to a device": lambda target: target.symlink_to("/dev/zero"),
    "folder is a link": _linked_folder,
    "folder is a file": _file_for_folder,
    "pipe": lambda target: os.mkfifo(target),
    "socket": lambda target: os.mknod(target, stat.S_IFSOCK | 0o600),
    "a folder": lambda target: target.mkdir(),
    "unreadable": _unreadable,
    "missing": lambda target: None,
}.items():
    _add(name, _file(create))

# ---------------------------------------------------------------- code that is none, or hardly


def _code(source: str | Callable[[random.Random], str]) -> Make:
    def change(rng: random.Random, notebook: dict[str, Any]) -> None:
        text = source if isinstance(source, str) else source(rng)
        for cell in rng.sample(_answers(notebook), rng.randint(1, len(_answers(notebook)))):
            # Before, in the place of, or after what is there.
            own = "".join(cell["source"])
            cell["source"] = rng.choice([f"{text}\n{own}", text, f"{own}\n{text}\n"])

    return _shape(change)


def _tokens(rng: random.Random) -> str:
    words = [
        "def",
        "(",
        ")",
        "[",
        "]",
        ":",
        "=",
        "lambda",
        "return",
        "\n",
        "    ",
        "\t",
        "'",
        '"',
        "f'{",
        "\\",
        "x",
        "1",
        "@",
        "*",
    ]
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 300)))


def _any_text(rng: random.Random) -> str:
    return "".join(chr(rng.randrange(0x11_0000)) for _ in range(rng.randint(1, 500)))


for name, source in {
    "syntax error": "def f(x) return x",
    "random tokens": _tokens,
    "random characters": _any_text,
    "tabs and spaces": "def f():\n\tif 1:\n        return 2\n    \treturn 3",
    "form feeds": "\x0c\ndef f():\n    \x0creturn 1\n\x0c",
    "vertical tabs": "a\x0b=\x0b1",
    "carriage returns": "a = 1\rb = 2\r\n\rdef f():\r\n    return 1",
    "other line ends": "a = 1\u2028b = 2\u0085c = 3",
    "look-alikes": "dеf f(х):\n    rеturn х",  # some letters are Cyrillic
    "compatible letters": "𝐝𝐞𝐟 = 1\nﬁ = 2\ndel fi",
    "right to left": "access = 'user\u202e \u2066# only\u2069 \u2066'",
    "no-break spaces": "a\u00a0=\u00a01",
    "invisible": "a\u200b = 1\nb\u200d = 2",
    "byte order mark in a cell": "\ufeffa = 1",
    "curly quotes": "a = “text”",
    "half a character": "a = '\ud83d'\nb\udc00 = 1",
    "two halves": "a = '\ud83d\ude00'",
    "null bytes": "a = 1\0\nb = '\0'",
    "escape codes": "raise ValueError('\x1b[2J\x1b]0;title\x07\x08\x7f')",
    "very long line": "a = " + "1 + " * 40_000 + "1",
    "very long name": "a" * 150_000 + " = 1",
    "many lines": "a = 1\n" * 30_000,
    "many names": "\n".join(f"n{number} = {number}" for number in range(12_000)),
    "parentheses": "(" * 100_000,
    "closed parentheses": "a = " + "(" * 90_000 + "1" + ")" * 90_000,
    "nested lists": "a = " + "[" * 150 + "]" * 150,
    "minus signs": "a = " + "-" * 150_000 + "1",
    "not not": "a = " + "not " * 40_000 + "1",
    "attributes": "a" + ".a" * 90_000,
    "calls": "a" + "()" * 90_000,
    "subscripts": "a" + "[0]" * 60_000,
    "lambdas": "a = " + "lambda: " * 20_000 + "1",
    "powers": "a = " + "2**" * 60_000 + "2",
    "conditions": "a = " + "1 if 1 else " * 15_000 + "1",
    "assignments": "a = " * 45_000 + "1",
    "elifs": "if 0: pass\n" + "elif 0: pass\n" * 12_000,
    "indentation": "\n".join(" " * depth + "if 1:" for depth in range(99)) + "\n" + " " * 99 + "a = 1",
    "too much indentation": "\n".join(" " * depth + "if 1:" for depth in range(500)) + "\n" + " " * 500 + "a = 1",
    "format strings": "a = " + "f'{" * 100 + "1" + "}'" * 100,
    "huge whole number in a cell": "a = " + "9" * 150_000,
    "huge power": "a = 10 ** 10 ** 2",
    "line magics": "%matplotlib inline\n%time a = 1\n%%\n%run /etc/passwd\n%store -r\n%cd /\na = %env",
    "cell magic": "%%bash\nls /",
    "odd cell magic": "%%../../etc/passwd é\nx",
    "nameless cell magic": "%%\n%% %%\n",
    "cell magic of a page": "%%html\n<script>alert(1)</script>",
    "shell": "!ls /\nfiles = !ls\n!!ls",
    "help": "?len\nlen??\n;f a b\n,f a b\n/f a b",
    "coding line": "# -*- coding: utf-7 -*-\na = 1 +AAo-b = 2",
    "unknown coding": "# coding: nothing\na = 1",
    "return": "return 1",
    "await": "await a\nasync with b: pass\nyield 1",
    "future": "a = 1\nfrom __future__ import annotations, braces",
    "global": "def f():\n    a = 1\n    global a\nnonlocal b",
    "type hints": "a: 'undefined[' = 1\ndef f(x: unknown) -> (yield): ...",
    "match": "match 1:\n    case {'a': [*_, x]} | x: pass",
    "newer Python": "type A[T] = list[T]\ndef f[T](x: T): pass\ntry: pass\nexcept* E: pass",
    "only a comment": "# nothing yet",
    "only text": "I did not understand this one.",
    "a whole notebook": lambda rng: json.dumps({"nbformat": 4, "cells": [{"source": "x" * rng.randint(1, 1000)}]}),
    "asks": "a = input('?')",
    "names deleted": "for name in list(globals()): del globals()[name]",
    "builtins gone": "__builtins__ = None\nlen = print = __import__ = None",
    "raises itself": "class E(BaseException): __str__ = lambda self: 1 / 0\nraise E",
    "recursion": "def f(): return f()\nf()",
    "recursive value": "a = []\na.append(a)\nb = {'b': a}\na.append(b)",
    "exit": "raise SystemExit('bye')",
    "group": "raise ExceptionGroup('many', [ValueError(n) for n in range(100)])",
    "long message": "raise ValueError('x' * 10_000_000)",
    "half a message": "raise ValueError('\\ud800\\0')",
    "prints": "print('\\ud800\\0\\x1b[31m', 'x' * 1_000_000)",
    "warns": "import sys\ndef double(x):\n    print('\\ud800\\0', file=sys.stderr)\n    return 2 * x",
}.items():
    _add(f"code: {name}", _code(source))
