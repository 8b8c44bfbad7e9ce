"""The end in the student's process: runs cells, calls what they defined, and answers in data.

Everything here may be tampered with by the student's code, which runs in the same process. Nothing on the trusted side relies
on it: a reply is data that is compared, or garbage that is refused.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import pickle
import threading
import traceback
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pandas as pd

from carelab.grading.arguments import Arguments, Patch, changes, snapshots
from carelab.grading.cells import Cells
from carelab.grading.known import Known, Rows
from carelab.grading.values import Reference, Unsendable, encode, taken
from carelab.grading.warm import warm

MAX_TEXT = 1_000_000  # characters of output of one request
MAX_MESSAGE = 2_000
ABILITIES = {
    "c": "__call__",
    "i": "__iter__",
    "n": "__next__",
    "l": "__len__",
    "g": "__getitem__",
    "w": "__enter__",
    "b": "__bool__",
}
Request = tuple[bytes, str, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]


_LOCK = threading.Lock()
_held: list[Inside] = []  # the one whose request is being read


def recall(number: int) -> object:
    """The student's own object for a reference in a request."""
    return _held[0].objects[number]


def take(data: bytes) -> object:
    """The table that a request sends as rows of one that this process has, too."""
    table, found = taken(data, _held[0].known)
    _held[0].taken.append((table, found))
    return table


class _Text(io.StringIO):
    """Keeps the first MAX_TEXT characters and one more, so that the other side sees a flood."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MAX_TEXT + 1 - self.tell())])
        return len(text)


class Inside:
    """One submission's namespace and the objects the trusted side holds references to.

    A request is a pickle of (token, verb, args, kwargs, slices): `slices` names the arguments that are slices of a larger frame,
    for pandas to warn about as it would without us. A reply is `values.encode` of (token, outcome, value, same, changed, out,
    err): `same` names the argument that the value is, `changed` holds a patch for each argument that was changed.
    """

    def __init__(self, cells: Cells | None = None, known: Known | None = None) -> None:
        """Cells run in the namespace of `cells`, which may have run some already; `known` are tables that they made."""
        self.cells = cells or Cells()
        self.known = known or Known()
        self.objects: list[object] = []
        self.taken: list[tuple[pd.DataFrame, Rows]] = []  # tables in the request that was read last
        self._numbers: dict[int, int] = {}
        self._wholes = [pd.DataFrame({"whole": [0]}), pd.DataFrame({"whole": [0, 0]})]

    def run(self, source: str, name: str) -> None:
        """Run a cell. What it raises is raised here."""
        self.cells.run(source, name)

    def agree(self, digests: dict[str, bytes]) -> dict[str, bytes]:
        """From here on name only tables that the other side has, too, with these digests; says which those are."""
        self.known = self.known.only(digests)
        return self.known.digests

    def handle(self, frame: bytes) -> bytes:
        """Answer one request. Raises nothing but what ends a process."""
        token, verb, args, kwargs, slices = self._request(frame)
        out, err = _Text(), _Text()
        outcome, same, changed = "value", None, {}
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                before = None
                if verb == "call":
                    before = snapshots(args, kwargs, self.known, self.taken)
                    self._slices(args, kwargs, slices)
                result = _VERBS[verb](self, *args, **kwargs)
                if verb == "call":
                    same = _which(result, args, kwargs)
                    changed = self._changed(before or self._request(frame)[2:4], args, kwargs)
                encoded = encode(None if same is not None else result, self.refer, known=self.known)
                return encode((token, outcome, encoded, same, changed, out.getvalue(), err.getvalue()))
        except Unsendable as error:
            outcome, encoded = "refused", encode(str(error))
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a student end a call, not the session
            outcome, encoded = "raised", encode(self._failure(error))
        return encode((token, outcome, encoded, None, {}, out.getvalue(), err.getvalue()))

    def _request(self, frame: bytes) -> Request:
        with _LOCK:
            _held[:] = [self]
            self.taken = []
            request: Request = pickle.loads(frame)
        return request

    def refer(self, obj: object) -> Reference:
        """A reference to an object that stays here."""
        number = self._numbers.setdefault(id(obj), len(self.objects))
        if number == len(self.objects):
            self.objects.append(obj)  # kept, so that its id stays its own
        kind = type(obj)
        abilities = "".join(letter for letter, method in ABILITIES.items() if hasattr(kind, method))
        return Reference(number, _lineage(kind), str(getattr(obj, "__name__", ""))[:200], abilities)

    def _slices(self, args: tuple[Any, ...], kwargs: dict[str, Any], slices: tuple[Any, ...]) -> None:
        for at in slices:
            frame = args[at] if isinstance(at, int) else kwargs[at]
            whole = next(one for one in self._wholes if one.shape != frame.shape)
            frame._is_copy = weakref.ref(whole)

    def _changed(self, before: Arguments, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[int | str, Patch]:
        old_args, old_kwargs = before
        found: dict[int | str, Patch] = {}
        for at in range(1, len(args)):
            if patch := changes(old_args[at], args[at]):
                found[at] = patch
        for name, value in kwargs.items():
            if patch := changes(old_kwargs[name], value):
                found[name] = patch
        return found

    def _failure(self, error: BaseException) -> tuple[Any, ...]:
        """Class names, message, plain arguments and line of an exception: text, never objects."""
        try:
            text = str.__str__(str(error))[:MAX_MESSAGE]
        except BaseException:  # a hostile __str__
            text = ""
        arguments: tuple[Any, ...] = vars(BaseException)["args"].__get__(
            error
        )  # a class of the student's may hide its own
        short = len(arguments) <= 3 and len(text) < MAX_MESSAGE
        plain = all(type(one) in (str, int, float, bool, type(None)) for one in arguments)
        return _lineage(type(error)), text, arguments if short and plain else (text,), _line(error.__traceback__)


def _lineage(kind: type) -> tuple[str, ...]:
    return tuple(f"{one.__module__}:{one.__qualname__}"[:400] for one in type.mro(kind)[:40] if one is not object)


def _line(trace: TracebackType | None) -> int:
    """Line of the innermost frame that lies in a cell; 0 when none does."""
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename.startswith("<")]
    return (lines[-1] if lines else 0) or 0


def _which(result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str | None:
    """The argument that the result is; only for kinds whose identity a check can see."""
    if isinstance(result, (str, bytes, int, float, tuple, frozenset, type(None))):
        return None
    named: list[tuple[int | str, Any]] = [*enumerate(args[1:], 1), *kwargs.items()]
    for at, value in named:
        if value is result:
            return at
    return None


def _get(inside: Inside, name: str) -> object:
    if name not in inside.cells.names:
        raise NameError(f"name '{name}' is not defined")
    return inside.cells.names[name]


def _next(_: Inside, iterator: Any) -> tuple[bool, object]:
    try:
        return True, next(iterator)
    except StopIteration:
        return False, None


def _about(_: Inside, obj: Any) -> dict[str, object]:
    """Documentation, source and signature, where there are any."""
    found: dict[str, object] = {
        "doc": str(obj.__doc__)[:20_000] if obj.__doc__ else None,
        "source": None,
        "parameters": None,
    }
    with contextlib.suppress(Exception):
        found["source"] = inspect.getsource(obj)[:200_000]
    with contextlib.suppress(Exception):
        found["parameters"] = [
            (
                p.name,
                int(p.kind),
                p.default is not p.empty,
                p.default if _is_plain(p.default) else repr(p.default)[:200],
            )
            for p in inspect.signature(obj).parameters.values()
        ]
    return found


def _is_plain(value: object) -> bool:
    try:
        return len(encode(value)) < 1_000
    except Unsendable:
        return False


_VERBS: dict[str, Callable[..., object]] = {
    "run": lambda inside, source, name: inside.run(source, name),
    "get": _get,
    "call": lambda _, function, /, *args, **kwargs: function(*args, **kwargs),
    "attribute": lambda _, obj, name: getattr(obj, name),
    "set": lambda _, obj, name, value: setattr(obj, name, value),
    "item": lambda _, obj, key: obj[key],
    "length": lambda _, obj: len(obj),
    "truth": lambda _, obj: bool(obj),
    "text": lambda _, obj: str(obj),
    "representation": lambda _, obj: repr(obj),
    "iterate": lambda _, obj: iter(obj),
    "next": _next,
    "enter": lambda _, obj: obj.__enter__(),
    "exit": lambda _, obj: bool(obj.__exit__(None, None, None)),
    "instance": lambda _, obj, kind: isinstance(obj, kind),
    "about": _about,
    "agree": lambda inside, digests: inside.agree(digests),
}


def prepared(sources: list[str]) -> Inside:
    """A process that has run the provided cells, ready to be copied for each submission."""
    cells = Cells(main=True)
    for number, source in enumerate(sources, start=1):
        cells.run(source, f"provided cell {number}")
    warm()
    return Inside(cells, Known(cells.names))
