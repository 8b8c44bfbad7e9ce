"""Attacks that want to spoil the grading: of everybody, of the next in the row, or of the machine.

One that did harm says so with a tag HARM[…] on a socket; most are seen by what is missing afterwards. Amounts are such that a
grader without any limits survives them on an ordinary machine.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attacks.attack import TELL, Attack, checks, editing


def _pasted(notebook: dict[str, Any]) -> None:
    cell = checks(notebook)[0]
    notebook["cells"].append(cell | {"id": "pasted"})


def _deep(folder: Path) -> None:
    for path in folder.glob("*.ipynb"):
        path.write_text("[" * 200_000, encoding="utf-8")


def _large(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["ballast"] = "x" * 60_000_000


def _names(folder: Path) -> None:
    text = next(folder.glob("*.ipynb")).read_text(encoding="utf-8")
    for name in ("..ipynb", "work\n.ipynb", "-rf.ipynb", "<script>alert(1)<\u2215script>.ipynb", "x" * 200 + ".ipynb"):
        (folder / name).write_text(text, encoding="utf-8")


def _pipe(folder: Path) -> None:
    for path in folder.glob("*.ipynb"):
        path.unlink()
        os.mkfifo(path)


def _loop(folder: Path) -> None:
    (folder / "again").symlink_to(".")
    (folder / "up").symlink_to("../../..")


def _half(folder: Path) -> None:
    for path in folder.glob("*.ipynb"):
        path.write_bytes(path.read_bytes()[:-200] + b"\xff\xfe\x00")


def _html(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "<script>alert(1)</script>"
        cell["metadata"]["name"] = json.dumps("<img src=x onerror=alert(1)>")


ATTACKS = [
    Attack(
        "delete-others",
        "Deletes what another student handed in.",
        "harm",
        """
import glob, shutil
for folder in [*glob.glob("$COURSE/submitted/zoe*"), *glob.glob("../../../submitted/zoe*"), *glob.glob("../../zoe*")]:
    shutil.rmtree(folder, ignore_errors=True)
""",
        listed=True,
    ),
    Attack(
        "kill-grader",
        "Kills the grading process.",
        "harm",
        "import os, signal\nfor pid in {os.getppid()} - {0, 1}:\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass",
        listed=True,
    ),
    Attack(
        "script",
        "Puts a script into an output, to run in the browser of the person who grades.",
        "harm",
        "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(document.cookie)</script>'))",
        listed=True,
    ),
    Attack(
        "memory-flood",
        "Takes memory without end.",
        "harm",
        TELL
        + "held = []\nfor step in range(24):\n    held.append(bytearray(b'x' * (1 << 26)))\n    if step == 19:\n"
        + "        tell('HARM[memory-flood] 1.3 GB')",
        listed=True,
    ),
    Attack(
        "many-processes",
        "Starts 300 processes.",
        "harm",
        TELL
        + "import os, time\nstarted = 0\nfor _ in range(300):\n    try:\n        if os.fork() == 0:\n"
        + "            time.sleep(8)\n            os._exit(0)\n        started += 1\n    except OSError:\n        break\n"
        + "if started > 200:\n    tell(f'HARM[many-processes] {started}')",
        listed=True,
    ),
    Attack("endless-loop", "Never ends.", "harm", "while True: pass", listed=True),
    Attack("pasted-check", "Has one check cell twice.", "harm", plant=editing(_pasted), listed=True),
    Attack(
        "dead-kernel",
        "Crashes its own process.",
        "harm",
        "import ctypes\nctypes.string_at(0)",
        listed=True,
    ),
    Attack(
        "stubborn-loop",
        "Never ends, and takes every interruption for nothing.",
        "harm",
        "import signal\nfor number in range(1, 65):\n    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    Attack(
        "stop-grader",
        "Stops the grading process without ending it.",
        "harm",
        "import os, signal\nos.kill(os.getppid() or os.getpid(), signal.SIGSTOP)",
    ),
    Attack(
        "kill-everybody",
        "Kills every process that it may kill, its own group first.",
        "harm",
        "import os, signal\nsignal.signal(15, signal.SIG_IGN)\n"
        "for target in (0, -1):\n    try: os.kill(target, 15)\n    except OSError: pass\n"
        "for pid in range(2, 400):\n    if pid != os.getpid():\n        try: os.kill(pid, 9)\n        except OSError: pass",
    ),
    Attack(
        "fork-bomb",
        "Each process starts two more, five generations deep and again.",
        "harm",
        TELL
        + "import os, time\nbefore = os.getpid()\n"
        + "for _ in range(7):\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
        + "if os.getpid() != before:\n    time.sleep(6)\n    os._exit(0)\n"
        + "time.sleep(1)\nalive = sum(name.isdigit() for name in os.listdir('/proc'))\n"
        + "if alive > 100:\n    tell(f'HARM[fork-bomb] {alive} processes')",
    ),
    Attack(
        "threads",
        "Starts a thousand threads.",
        "harm",
        TELL
        + "import threading, time\nstarted = 0\ntry:\n    for _ in range(1000):\n"
        + "        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\n        started += 1\n"
        + "except RuntimeError:\n    pass\nif started > 500:\n    tell(f'HARM[threads] {started}')",
    ),
    Attack(
        "open-files",
        "Opens files until there are no handles left.",
        "harm",
        TELL
        + "import os\nheld = []\ntry:\n    for _ in range(3000):\n        held.append(os.open('/dev/null', os.O_RDONLY))\n"
        + "except OSError:\n    pass\ncount = len(held)\nfor one in held: os.close(one)\n"
        + "if count > 600:\n    tell(f'HARM[open-files] {count}')",
    ),
    Attack(
        "fill-disk",
        "Fills the disk.",
        "harm",
        TELL
        + "import os\nwritten = 0\nfor folder in ('.', '/tmp', '/var/tmp', '/dev/shm'):\n    try:\n"
        + "        with open(f'{folder}/ballast', 'wb') as file:\n            for _ in range(100):\n"
        + "                written += file.write(bytes(1 << 20))\n    except OSError:\n        pass\n"
        + "    try: os.unlink(f'{folder}/ballast')\n    except OSError: pass\n"
        + "if written > 150_000_000:\n    tell(f'HARM[fill-disk] {written >> 20} MB')",
    ),
    Attack(
        "many-files",
        "Makes so many small files that the file system has no more of them.",
        "harm",
        TELL
        + "import os\nmade = 0\nos.makedirs('many', exist_ok=True)\ntry:\n    for number in range(20_000):\n"
        + "        open(f'many/{number}', 'w').close()\n        made += 1\nexcept OSError:\n    pass\n"
        + "if made > 15_000:\n    tell(f'HARM[many-files] {made}')",
    ),
    Attack(
        "busy",
        "Leaves processes behind that keep the processors busy after the grading.",
        "harm",
        TELL
        + "import os, time\nfor _ in range(2):\n    if os.fork() == 0:\n        os.setsid()\n        began = time.time()\n"
        + "        while time.time() < began + 6: pass\n        tell('HARM[busy] still here')\n        os._exit(0)",
    ),
    Attack(
        "print-flood",
        "Prints 100 MB.",
        "harm",
        "for _ in range(100): print('x' * 1_000_000)",
    ),
    Attack(
        "raw-flood",
        "Writes to the handles of its output directly.",
        "harm",
        "import os\nfor _ in range(500):\n    os.write(1, b'x' * 65536)\n    os.write(2, b'y' * 65536)",
    ),
    Attack(
        "reply-flood",
        "Gives back 200 MB for each call.",
        "harm",
        "def $NAME(*args): return 'x' * 200_000_000",
    ),
    Attack(
        "endless-generator",
        "Gives back a generator that never ends.",
        "harm",
        "import itertools\ndef $NAME(*args): return itertools.count()",
    ),
    Attack(
        "endless-iterator",
        "Gives back an object whose iterator yields itself without end.",
        "harm",
        "class Again:\n    def __iter__(self): return self\n    def __next__(self): return Again()\n"
        "    def __len__(self): return 1 << 40\n    def __getitem__(self, at): return self\n"
        "def $NAME(*args): return Again()",
    ),
    Attack(
        "small-and-huge",
        "Gives back few bytes that mean a great deal: ranges, indexes without values, empty arrays of a huge shape.",
        "harm",
        "import numpy, pandas\n"
        "def $NAME(*args):\n"
        "    return [pandas.RangeIndex(1 << 31), pandas.DataFrame(index=pandas.RangeIndex(1 << 31)), range(1 << 60),\n"
        "            numpy.empty((1 << 30, 0)), numpy.broadcast_to(numpy.int8(0), (1 << 40,)), 1 << 8000]",
    ),
    Attack(
        "nested",
        "Gives back lists in lists in lists, and one that holds itself.",
        "harm",
        "def $NAME(*args):\n    top = []\n    for _ in range(100_000): top = [top]\n"
        "    own = []\n    own.append(own)\n    return [own, top]",
    ),
    Attack(
        "slow-text",
        "Gives back objects whose text takes for ever.",
        "harm",
        "import time\nclass Slow:\n    def __repr__(self): time.sleep(600)\n"
        "    __str__ = __eq__ = __len__ = __bool__ = __repr__\n    __hash__ = None\n"
        "def $NAME(*args): return Slow()",
    ),
    Attack(
        "hostile-messages",
        "Raises errors with huge texts, control codes, scripts and half characters in them.",
        "harm",
        "class Error(Exception):\n"
        "    def __str__(self): return '<script>alert(1)</script>\\x1b]0;owned\\x07\\x1b[2J\\ud800' * 1_000_000\n"
        "    __repr__ = __str__\n"
        "Error.__name__ = Error.__qualname__ = '<script>alert(1)</script>' * 1000\n"
        "def $NAME(*args): raise Error()",
    ),
    Attack(
        "broken-messages",
        "Raises errors whose text raises errors, or never comes.",
        "harm",
        "class Error(Exception):\n    def __str__(self):\n        while True: pass\n    __repr__ = __str__\n"
        "class Worse(Exception):\n    args = property(lambda self: 1 / 0)\n    def __str__(self): raise self\n"
        "def $NAME(*args): raise (Error() if args else Worse())",
    ),
    Attack(
        "recursion",
        "Calls itself without end, in Python and in C.",
        "harm",
        "import sys, json\nsys.setrecursionlimit(10**9)\n"
        "def $NAME(*args):\n    def deeper(one): return deeper(one) + sorted([one], key=deeper)[0]\n    return deeper(1)",
    ),
    Attack(
        "never-quits",
        "Holds on when its process should end.",
        "harm",
        "import atexit, threading, time\natexit.register(time.sleep, 600)\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
        "class Held:\n    def __del__(self): time.sleep(600)\nheld = Held()",
    ),
    Attack(
        "sleep",
        "Sleeps in every call.",
        "harm",
        "import time\ndef $NAME(*args): time.sleep(600)",
    ),
    Attack(
        "channel-closed",
        "Closes every handle it has.",
        "harm",
        "import os\nos.closerange(3, 256)",
    ),
    Attack(
        "channel-stuffed",
        "Stuffs the channel with half a reply and waits.",
        "harm",
        "import os, struct, time\nfor handle in range(3, 20):\n"
        "    try: os.write(handle, struct.pack('>4sIQ', b'clab', 2, 1 << 62) + b'x')\n"
        "    except OSError: pass\ntime.sleep(600)",
    ),
    Attack(
        "html-cells",
        "Puts scripts into its Markdown and metadata.",
        "harm",
        plant=editing(_html),
    ),
    Attack("deep-json", "Hands in 200,000 brackets.", "harm", plant=_deep),
    Attack("large-notebook", "Hands in 60 MB of metadata.", "harm", plant=editing(_large)),
    Attack("strange-names", "Hands in files of strange names.", "harm", plant=_names),
    Attack(
        "named-pipe",
        "Hands in a pipe in the place of its notebook: whoever reads it waits for ever.",
        "harm",
        plant=_pipe,
    ),
    Attack("link-loop", "Hands in links that lead back to themselves and up.", "harm", plant=_loop),
    Attack("cut-off", "Hands in a notebook that breaks off.", "harm", plant=_half),
]
