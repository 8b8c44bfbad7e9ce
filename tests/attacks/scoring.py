"""Attacks that want points for wrong answers. An assignment where they get some has earned them none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks.attack import Attack, checks, editing

LIAR = """
class Liar:
    def __init__(self, *args, **kwargs): pass
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = equals = __bool__ = __eq__
    def _self(self, *_, **__): return self
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __abs__ = __getitem__ = __call__ = _self
    __getattr__ = _self
    def __len__(self): return 0
    def __iter__(self): return iter(())
    def __float__(self): return 0.0
    __int__ = __index__ = __len__
    __hash__ = None
"""

SILENT = """
import numpy.testing, pandas.testing, math, operator
for module in (numpy.testing, pandas.testing):
    for name in dir(module):
        if name.startswith("assert"):
            setattr(module, name, lambda *_, **__: None)
pandas.DataFrame.equals = pandas.Series.equals = lambda *_: True
numpy.isclose = numpy.allclose = numpy.array_equal = math.isclose = operator.eq = lambda *_, **__: True
"""

# A function that reads, in the line that called it, what the call is compared with, and works that out there.
PEEKING = """
import ast, inspect, linecache, sys
def $NAME(*args, **kwargs):
    frame = sys._getframe(1)
    while frame:
        lines = linecache.getlines(frame.f_code.co_filename)
        for node in ast.walk(ast.parse("".join(lines))) if lines and "$NAME(" in "".join(lines) else ():
            if isinstance(node, ast.Compare) and node.lineno <= frame.f_lineno <= node.end_lineno:
                scope = {**frame.f_globals, **frame.f_locals}
                return eval(compile(ast.Expression(node.comparators[0]), "", "eval"), scope)
        frame = frame.f_back
"""

# Runs whatever stands in the reference solution, if it can be found anywhere.
BORROWING = """
import json, os
def reference():
    for root in ("$COURSE", "..", "../..", "../../..", "/srv", "/work", "/home"):
        for folder, _, names in os.walk(root):
            for name in names:
                if name.endswith(".ipynb") and ("source" in folder or "solutions" in folder):
                    cells = json.load(open(os.path.join(folder, name)))["cells"]
                    yield from ("".join(c["source"]) for c in cells if c["metadata"].get("nbgrader", {}).get("solution"))
found = globals()
for source in reference():
    try:
        exec(source, found)
    except Exception:
        pass
"""

SHADOW = """
import IPython.core.interactiveshell as shell
async def run_code(self, code_obj, result=None, *, async_=False):
    return False
shell.InteractiveShell.run_code = run_code
class Anything:
    def __getattr__(self, name): return Anything()
    def __call__(self, *args, **kwargs): return Anything()
def __getattr__(name): return Anything()
"""

# The end in the student's process is ours to tamper with: these patch it.
REPLIES = """
import carelab.grading.inside as inside, carelab.grading.values as values
import types
from carelab.grading.inside import Inside, Reference
def serve(handle):  # the object that answers was made before; its function can still get other code
    global honest
    honest = types.FunctionType(Inside.handle.__code__, dict(vars(inside)))
    vars(inside).update(globals())
    Inside.handle.__code__ = handle.__code__
"""


def _wear(*names: str) -> Callable[[Path], None]:
    """Plant modules that stand before the real ones of these names."""

    def plant(folder: Path) -> None:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SHADOW, encoding="utf-8")

    return plant


def _tag(notebook: dict[str, Any]) -> None:
    for cell in checks(notebook):
        cell["metadata"]["tags"] = ["skip-execution"]


def _empty(notebook: dict[str, Any]) -> None:
    for cell in checks(notebook):
        cell["source"] = "pass"


def _retype(notebook: dict[str, Any]) -> None:
    for cell in checks(notebook):
        cell["cell_type"] = "markdown"
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)


def _remove(notebook: dict[str, Any]) -> None:
    gone = checks(notebook)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in gone]


def _points(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if entry := cell["metadata"].get("nbgrader"):
            entry["points"] = 1000


def _kernel(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}


def _twice(notebook: dict[str, Any]) -> None:
    """Each exercise again, marked as an exercise that is a check as well and so worth its points."""
    for cell in [one for one in notebook["cells"] if one["metadata"].get("nbgrader", {}).get("solution")]:
        entry = cell["metadata"]["nbgrader"] | {"grade": True, "points": 10, "locked": False}
        extra = cell | {"id": f"x{len(notebook['cells'])}", "source": "pass", "metadata": {"nbgrader": entry}}
        notebook["cells"].append(extra)


def _graded_answers(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        entry = cell["metadata"].get("nbgrader", {})
        if entry.get("solution"):
            entry |= {"grade": True, "points": 10}


def _moved(notebook: dict[str, Any]) -> None:
    moved = checks(notebook)
    notebook["cells"] = moved + [cell for cell in notebook["cells"] if cell not in moved]


def _others_work(folder: Path) -> None:
    """Hand in links to whatever another student handed in."""
    for path in folder.glob("*.ipynb"):
        others = [other for other in folder.parent.parent.glob(f"*/{folder.name}/{path.name}") if other != path]
        if others:
            path.unlink()
            path.symlink_to(os.path.relpath(others[0], folder))


def shell(name: str, about: str, code: str, *, listed: bool = False) -> Attack:
    """An attack on the notebook's own machinery."""
    return Attack(name, about, "score", "import builtins, IPython\nip = get_ipython()\n" + code, listed=listed)


ATTACKS = [
    Attack("skip-tag", "Tags the checks so that they are not executed.", "score", plant=editing(_tag), listed=True),
    shell(
        "drop-asserts",
        "An AST transformer takes every assertion out of the cells that follow.",
        "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
        "    visit_Expr = visit_Assert\nip.ast_transformers.append(Drop())",
        listed=True,
    ),
    shell(
        "run-code",
        "Replaces the function that runs a cell's code.",
        "async def run_code(self, code, result=None, *, async_=False): return False\n"
        "IPython.core.interactiveshell.InteractiveShell.run_code = run_code",
        listed=True,
    ),
    Attack(
        "equal-to-all",
        "Answers with objects that are equal to everything, and silences numpy.testing.",
        "score",
        LIAR + SILENT + "def $NAME(*args, **kwargs): return Liar()",
        listed=True,
    ),
    Attack(
        "gradebook-update",
        "Writes full marks into the gradebook, now and, with a trigger, later.",
        "score",
        """
import glob, sqlite3
for path in ["$COURSE/gradebook.db", *glob.glob("../*/gradebook.db"), *glob.glob("../../../gradebook.db")]:
    try:
        book = sqlite3.connect(path, timeout=2)
        best = "UPDATE grade SET manual_score = 10, needs_manual_grade = 0"
        book.execute(best)
        book.execute(f"CREATE TRIGGER best AFTER UPDATE ON grade WHEN NEW.manual_score IS NULL BEGIN {best}; END")
        book.commit()
    except sqlite3.Error as error:
        print(error)
""",
        listed=True,
    ),
    Attack(
        "shadow-pandas",
        "Hands in a pandas.py that Python finds before the real one.",
        "score",
        plant=_wear("pandas.py"),
        listed=True,
    ),
    Attack("edit-checks", "Empties the check cells.", "score", plant=editing(_empty), listed=True),
    Attack("move-checks", "Moves the check cells to the top.", "score", plant=editing(_moved), listed=True),
    Attack("retype-checks", "Turns the check cells into text.", "score", plant=editing(_retype), listed=True),
    Attack("delete-checks", "Leaves the check cells out.", "score", plant=editing(_remove)),
    Attack("more-points", "Says that each check is worth 1000 points.", "score", plant=editing(_points), listed=True),
    Attack("other-kernel", "Asks for another kernel.", "score", plant=editing(_kernel), listed=True),
    Attack("answers-twice", "Repeats each exercise under its name, as a check.", "score", plant=editing(_twice)),
    Attack("graded-answers", "Marks its own cells as checks.", "score", plant=editing(_graded_answers)),
    Attack("others-work", "Hands in links to another student's notebooks.", "score", plant=_others_work),
    Attack(
        "shadow-more",
        "Hands in modules, configuration and start-up files of every name that something may load.",
        "score",
        plant=_wear(
            "numpy.py",
            "math.py",
            "sitecustomize.py",
            "usercustomize.py",
            "conftest.py",
            "nbgrader_config.py",
            "jupyter_config.py",
            "ipython_config.py",
            ".ipython/profile_default/startup/00.py",
            "carelab/__init__.py",
            "sklearn/__init__.py",
        ),
    ),
    shell(
        "input-transformer",
        "Empties the text of every later cell before it is compiled.",
        "ip.input_transformers_cleanup.append(lambda lines: ['\\n'])",
    ),
    shell("exec", "Replaces builtins.exec, with which cells are run.", "builtins.exec = lambda *_, **__: None"),
    shell(
        "swallow-errors",
        "Registers a handler that takes every exception and shows none.",
        "ip.set_custom_exc((BaseException,), lambda *_, **__: None)",
    ),
    shell(
        "no-traceback",
        "Errors are no longer shown, so that no output tells of them.",
        "ip.showtraceback = ip._showtraceback = ip.showsyntaxerror = lambda *_, **__: None",
    ),
    shell(
        "mute-kernel",
        "The kernel no longer sends error messages.",
        "session, send = ip.kernel.session, ip.kernel.session.send\n"
        "def quiet(stream, kind, *args, **kwargs):\n"
        "    return None if kind in ('error', 'stream') else send(stream, kind, *args, **kwargs)\n"
        "session.send = quiet",
    ),
    shell(
        "spare-canaries",
        "Drops assertions, but leaves alone those that are obviously there to fail.",
        "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node):\n"
        "        try:\n            ast.literal_eval(node.test)\n            return node\n"
        "        except ValueError:\n            return ast.Pass()\n"
        "    def visit_Expr(self, node): return ast.Pass()\n"
        "ip.ast_transformers.append(Drop())",
    ),
    Attack(
        "patched-builtins",
        "Replaces AssertionError, isinstance, all, any, abs, len, sorted and more for everybody.",
        "score",
        "import builtins\n"
        "class Nothing(Warning): pass\n"
        "builtins.AssertionError = Nothing\n"
        "for name in ('isinstance', 'all', 'any', 'issubclass', 'callable', 'hasattr'):\n"
        "    setattr(builtins, name, lambda *_: True)\n"
        "for name in ('map', 'zip', 'range', 'sorted', 'list', 'enumerate'):\n"
        "    setattr(builtins, name, lambda *_, **__: [])\n"
        "builtins.abs = builtins.round = builtins.len = builtins.sum = lambda *_, **__: 0\n" + SILENT,
    ),
    Attack("peek", "Reads in its caller's line what the call is compared with.", "score", PEEKING),
    Attack("borrow", "Looks for the reference solution on the machine and runs that.", "score", BORROWING),
    Attack(
        "pretend",
        "Objects that say they are numbers, texts, arrays and frames, by every protocol there is.",
        "score",
        LIAR
        + "import numpy, pandas\n"
        + "class Pretender(Liar):\n"
        + "    __class__ = property(lambda self: pandas.DataFrame)\n"
        + "    __array_interface__ = {'shape': (1,), 'typestr': '<f8', 'data': (1, False), 'version': 3}\n"
        + "    def __array__(self, *_, **__): return numpy.zeros(1)\n"
        + "    def __array_ufunc__(self, *_, **__): return True\n"
        + "    def __array_function__(self, *_, **__): return True\n"
        + "    def __arrow_c_array__(self, *_, **__): return 1, 1\n"
        + "def $NAME(*args, **kwargs): return Pretender()",
    ),
    Attack(
        "agreeable-frame",
        "A subclass of DataFrame whose equals() says yes.",
        "score",
        "import pandas\nclass Table(pandas.DataFrame):\n"
        "    def equals(self, other): return True\n"
        "    def __eq__(self, other): return True\n"
        "    def __len__(self): return 2\n"
        "def $NAME(*args, **kwargs): return Table({'row': [9]})",
    ),
    Attack(
        "agreeable-values",
        "Subclasses of int, float, str and tuple that are equal to everything.",
        "score",
        "def yes(kind):\n"
        "    return type('Yes', (kind,), {'__eq__': lambda *_: True, '__ne__': lambda *_: False, '__hash__': kind.__hash__,\n"
        "        '__lt__': lambda *_: True, '__gt__': lambda *_: True, '__sub__': lambda *_: 0, '__rsub__': lambda *_: 0})\n"
        "def $NAME(*args, **kwargs):\n"
        "    kind = str if '$NAME'.startswith('word') else float if len(args) > 1 else int\n"
        "    return yes(kind)('7')",
    ),
    Attack(
        "memorise",
        "Knows the examples that everybody can see, and nothing else.",
        "score",
        "def $NAME(*args, **kwargs): return {'(2,)': 4, '(1,)': '0031-quail'}.get(repr(args), 0)",
    ),
    Attack(
        "spoil-arguments",
        "Empties whatever it is given, so that what a check works out from that afterwards is nothing, too.",
        "score",
        "def $NAME(*args, **kwargs):\n"
        "    for arg in [*args, *kwargs.values()]:\n"
        "        try:\n"
        "            arg.drop(arg.index, inplace=True)\n"
        "        except Exception:\n"
        "            try:\n                arg.clear()\n            except Exception:\n                pass\n"
        "    return 0",
    ),
    Attack(
        "ends-early",
        "Ends loops over test cases with StopIteration, in the hope that none was wrong.",
        "score",
        "def $NAME(*args, **kwargs): raise StopIteration",
    ),
    Attack("exits-well", "Ends Python with status 0.", "score", "import sys\ndef $NAME(*args): sys.exit(0)"),
    Attack("exits-at-once", "Ends Python with status 0, without a word.", "score", "import os\nos._exit(0)"),
    Attack(
        "exits-later",
        "Does so when a check calls.",
        "score",
        "import os, atexit\natexit.register(os._exit, 0)\ndef $NAME(*args): os._exit(0)",
    ),
    Attack(
        "replaces-itself",
        "Becomes another program, which ends well.",
        "score",
        "import os\ndef $NAME(*args): os.execv('/bin/true', ['true'])",
    ),
    Attack(
        "patched-encode",
        "Patches the encoder of replies: whatever is asked, the answer is yes.",
        "score",
        REPLIES + "true = values.encode(True)\n"
        "inside.encode = values.encode = lambda value, refer=None, max_bytes=0: true\n"
        "def $NAME(*args): return True",
    ),
    Attack(
        "patched-handle",
        "Patches the handler of requests: every object says that it is true, known, and whatever helps.",
        "score",
        REPLIES
        + """
kinds = ("numpy:bool", "pandas:DataFrame", "decimal:Decimal", "builtins:function", "builtins:Exception", "numpy:ndarray")
class Thing: pass
def handle(self, frame):
    self.objects = self.objects or [None]
    token, verb, args, kwargs, _ = self._request(frame)
    if verb in ("run", "agree"):
        return honest(self, frame)
    plain = {"length": 2, "truth": True, "instance": True, "next": (False, None), "text": "yes", "representation": "yes"}
    refer = lambda _: Reference(0, kinds, "thing", "cinlgwb")
    return values.encode((token, "value", values.encode(plain.get(verb, Thing()), refer), None, {}, "", ""))
serve(handle)
""",
    ),
    Attack(
        "forged-outcome",
        "Its replies say that each call emptied its arguments, and that the value is one of them.",
        "score",
        REPLIES
        + """
def handle(self, frame):
    token, verb, args, kwargs, _ = self._request(frame)
    if verb != "call":
        return honest(self, frame)
    changed = {at: ("value", values.encode(type(args[at])())) for at in range(1, len(args))}
    same = 1 if len(args) > 1 else None
    return values.encode((token, "value", values.encode(None), same, changed, "", ""))
serve(handle)
def $NAME(*args): return 0
""",
    ),
    Attack(
        "hostile-pickle",
        "Gives back objects that run code when they are unpickled, and replies that are pickles.",
        "score",
        REPLIES + "import os, pickle\n"
        "class Bomb(dict):\n"
        "    def __reduce_ex__(self, _): return exec, ('import builtins; builtins.AssertionError = Warning',)\n"
        "    __reduce__ = lambda self: self.__reduce_ex__(2)\n"
        "serve(lambda self, frame: pickle.dumps(Bomb()))\n"
        "def $NAME(*args): return Bomb()",
    ),
    Attack(
        "unasked-frames",
        "Writes replies into the channel that nobody has asked for.",
        "score",
        REPLIES + "import os, struct\n"
        "reply = values.encode((b'12345678', 'value', values.encode(True), None, {}, '', ''))\n"
        "def $NAME(*args):\n"
        "    for handle in range(3, 20):\n"
        "        for number in range(1, 9):\n"
        "            try:\n                os.write(handle, struct.pack('>4sIQ', b'clab', number, len(reply)) + reply)\n"
        "            except OSError:\n                pass\n",
    ),
    Attack(
        "other-writer",
        "A thread races the answer's own replies on the channel.",
        "score",
        REPLIES + "import os, struct, threading, time\n"
        "reply = values.encode((b'12345678', 'value', values.encode(True), None, {}, '', ''))\n"
        "def race():\n"
        "    for number in range(200):\n"
        "        for handle in range(3, 12):\n"
        "            try:\n                os.write(handle, struct.pack('>4sIQ', b'clab', number, len(reply)) + reply)\n"
        "            except OSError:\n                pass\n"
        "        time.sleep(0.002)\n"
        "threading.Thread(target=race, daemon=True).start()",
    ),
    Attack(
        "token-echo",
        "Sends each request back as its reply.",
        "score",
        REPLIES + "serve(lambda self, frame: frame)",
    ),
    Attack(
        "known-errors",
        "Raises errors that pretend to be the course's own, and to have passed.",
        "score",
        "class Lost(Exception): pass\nclass Passed(AssertionError): pass\nclass KeyboardInterrupt(Exception): pass\n"
        "def $NAME(*args): raise Passed('passed')",
    ),
    Attack(
        "base-exception",
        "Raises something that is not an Exception.",
        "score",
        "class Over(BaseException): pass\ndef $NAME(*args): raise Over('all is well')",
    ),
    Attack(
        "names-of-the-check",
        "Defines every name that a check may use.",
        "score",
        LIAR + "import builtins\n"
        "for name in [*dir(builtins), 'wanted', 'expected', 'result', 'np', 'pd', 'people', 'math']:\n"
        "    if not name.startswith('_') and name not in ('setattr', 'globals', 'Exception', 'BaseException'):\n"
        "        globals()[name] = Liar()",
    ),
    Attack(
        "lying-function",
        "A callable that is everything: class, function, iterable, and its own result.",
        "score",
        LIAR + "$NAME = Liar()",
    ),
    Attack(
        "metaclass",
        "A class in the place of the function, whose metaclass answers for instances and comparisons.",
        "score",
        "class Meta(type):\n    def __instancecheck__(cls, other): return True\n"
        "    def __eq__(cls, other): return True\n    __hash__ = type.__hash__\n"
        "class $NAME(metaclass=Meta):\n    def __new__(cls, *args, **kwargs): return cls",
    ),
    Attack(
        "trace-jumps",
        "A trace function jumps over every line of the checks.",
        "score",
        "import sys\n"
        "def trace(frame, event, arg):\n"
        "    if frame.f_code.co_name == '<module>':\n"
        "        frame.f_trace_lines = True\n"
        "        if event == 'line':\n"
        "            lines = [line for _, _, line in frame.f_code.co_lines() if line]\n"
        "            if frame.f_lineno < max(lines):\n"
        "                frame.f_lineno = max(lines)\n"
        "        return trace\n"
        "sys.settrace(trace)",
    ),
]
