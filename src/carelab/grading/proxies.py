"""The trusted end: stand-ins for what a student's cells defined.

A stand-in asks the student's process for calls, attributes and items, and gets data or other stand-ins back. It is equal to
nothing but itself, has no order and no arithmetic, and answers no protocol that hands out memory: whatever a check compares was
data before it was compared.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import re
import secrets
import sys
import time
import types
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import cloudpickle  # type: ignore[import-untyped]
import numpy as np
import pandas as pd

from carelab.grading.arguments import apply
from carelab.grading.inside import MAX_TEXT, recall, take
from carelab.grading.known import Known
from carelab.grading.session import Lost, Session
from carelab.grading.values import Malformed, Reference, decode, given

CALL_SECONDS = 30.0
MAX_ITEMS = 100_000  # of an iterator that stays in the student's process
LIBRARIES = frozenset(
    (
        "builtins",
        "collections",
        "decimal",
        "duckdb",
        "json",
        "matplotlib",
        "numpy",
        "pandas",
        "pyarrow",
        "scipy",
        "sklearn",
    )
)
# What comes as data when it is real: an object that only says it is one of these is none.
_DATA = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset, np.ndarray, np.generic)
_DATA_FRAMES = (pd.DataFrame, pd.Series, pd.Index, pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval)
_CODE_CLASSES: dict[str, type] = {
    "builtins:function": types.FunctionType,
    "builtins:generator": types.GeneratorType,
    "builtins:type": type,
}
_getsource = inspect.getsource  # the trusted process puts `source_of` in its place
_ENDS_LOOPS = (StopIteration, StopAsyncIteration)  # `all(map(student, cases))` would end early, and be true


Use = tuple[str, str]
CHANGES = "changes its arguments"  # as a use; no attribute is called that


class StudentError(RuntimeError):
    """An exception of a student's code whose class is not known here; the class's name is the student's."""


class Student:
    """One session, seen from the trusted side.

    `faults` are sentences about anything abnormal; a check during which one was added has failed, whatever it says itself.

    An object that answers `result.equals(expected)` by itself would be told the expected value and say yes. So `allowed` is what
    the check does with the objects of the reference solution: paths of calls and attributes, like ("Model().predict", "call").
    Nothing else is called or looked into; items, length and text, which are only data, always are. None allows all, and
    `used` then holds what was done.
    """

    def __init__(self, session: Session, call_seconds: float = CALL_SECONDS) -> None:
        self._session = session
        self._call_seconds = call_seconds
        self.deadline = float("inf")  # of time.monotonic()
        self.faults: list[str] = []
        self.lost = ""
        self.used: set[Use] = set()
        self.allowed: frozenset[Use] | None = None
        self.known = Known()  # tables that both processes have
        self.spoiled = False  # a call changed an argument that the reference leaves alone
        self.spare = False  # such changes are made to copies only
        self.raised: Exception | None = None  # the last error that is the student's
        self.wrote = False  # something to stderr

    def run(self, source: str, name: str) -> None:
        """Run a cell. Raises what the cell raised, or Lost."""
        self.ask("run", source, name)

    def agree(self, known: Known) -> None:
        """From here on send rows of these tables by their numbers, as far as the student's process has the same tables."""
        self.known = known.only(self.ask("agree", known.digests))

    def get(self, name: str) -> Any:
        """The value of a name: data, or a stand-in. Raises NameError when the cells defined no such name."""
        return self.ask("get", name, path=name)

    def ask(self, verb: str, *args: Any, path: str = "", named: dict[str, Any] | None = None) -> Any:
        """Put one request, with the keyword arguments `named`; objects that come back get `path`.

        Raises what the student's code raised, and Lost when there is no usable reply."""
        if self.lost:
            raise Lost(self.lost)
        kwargs = named or {}
        token = secrets.token_bytes(8)
        request = _dump(self, (token, verb, args, kwargs, _slices(args, kwargs) if verb == "call" else ()))
        seconds = min(self._call_seconds, self.deadline - time.monotonic())
        if seconds <= 0:
            self._lose("The answer took too long: look for a loop that never ends.")
        try:
            reply = self._session.exchange(request, seconds)
        except Lost as error:
            self._lose(str(error))
        try:
            return self._answer(token, reply, args, kwargs, path)
        except Malformed as error:
            self._lose(f"The answer's process sent something that is no answer. {error}")

    def _lose(self, sentence: str) -> NoReturn:
        self.lost = sentence
        self.faults.append(sentence)
        raise Lost(sentence)

    def _answer(self, token: bytes, reply: bytes, args: tuple[Any, ...], kwargs: dict[str, Any], path: str) -> Any:
        parts = decode(reply)
        if not (type(parts) is tuple and len(parts) == 7):
            raise Malformed("It is not in the form of a reply.")
        echo, outcome, encoded, same, changed, out, err = parts
        if echo != token:
            raise Malformed("It answers another question.")
        if [type(part) for part in (outcome, encoded, changed, out, err)] != [str, bytes, dict, str, str]:
            raise Malformed("It is not in the form of a reply.")
        self._print(out, err)
        value = decode(encoded, lambda reference: self._adopt(reference, path), known=self.known)
        if outcome == "refused" and type(value) is str:
            self.faults.append(value[:300])
            raise StudentError(value[:300])
        if outcome == "raised":
            self.raised = _exception(value)
            raise self.raised
        if outcome != "value":
            raise Malformed("It is not in the form of a reply.")
        if changed:
            self.used.add((path, CHANGES))
            if self.allowed is not None and (path, CHANGES) not in self.allowed:
                self.spoiled = True
                if self.spare:
                    args, kwargs = _copies(args, kwargs)
        for at, patch in changed.items():
            try:
                apply(_argument(at, args, kwargs), patch)
            except Exception as error:
                raise Malformed(f"It changes an argument as it cannot be changed ({type(error).__name__}).") from None
        return value if same is None else _argument(same, args, kwargs)

    def _print(self, out: str, err: str) -> None:
        if len(out) > MAX_TEXT or len(err) > MAX_TEXT:
            self.faults.append(f"The answer printed more than {MAX_TEXT:,} characters.")
        sys.stdout.write(out[:MAX_TEXT])
        sys.stderr.write(err[:MAX_TEXT])
        self.wrote = self.wrote or bool(err)

    def use(self, path: str, what: str) -> None:
        """Note a call or a look at an attribute. Raises TypeError or AttributeError when the check has no use for it."""
        if self.allowed is not None and (path, what) not in self.allowed:
            words = f"{path} is not what the check asks for: it cannot look into this kind of object."
            raise TypeError(words) if what == "call" else AttributeError(words)
        self.used.add((path, what))

    def _adopt(self, reference: Reference, path: str) -> object:
        mixins = tuple(_ABLE[letter] for letter in dict.fromkeys(reference.abilities) if letter in _ABLE)
        name = (reference.classes[0] if reference.classes else "object").rpartition(".")[2].rpartition(":")[2]
        members = {"__slots__": (), "__doc__": property(_documentation)}
        kind = type(re.sub(r"\W", "", name)[:60] or "object", (*mixins, Proxy), members)
        return kind(self, reference, path)


def _copies(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments again; what cannot be copied, stand-ins above all, as it is."""

    def copied(value: Any) -> Any:
        try:
            return copy.deepcopy(value)
        except Exception:
            return value

    return tuple(map(copied, args)), {name: copied(value) for name, value in kwargs.items()}


def _argument(at: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if type(at) is int and 0 < at < len(args):
        return args[at]
    if type(at) is str and at in kwargs:
        return kwargs[at]
    raise Malformed("It speaks of an argument that there was not.")


def _slices(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int | str, ...]:
    """Arguments of which pandas knows that they are slices of larger frames."""
    named: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    return tuple(at for at, value in named if type(value) is pd.DataFrame and value._is_copy is not None)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc, unused-ignore]
    def __init__(self, file: io.BytesIO, student: Student) -> None:
        super().__init__(file, protocol=5)
        self._student = student

    def reducer_override(self, obj: Any) -> Any:
        """Only a number for an object that the student's process has itself. (A persistent_id would be asked for every text.)"""
        if type(obj) is pd.DataFrame and (data := given(obj, self._student.known)) is not None:
            return take, (data,)
        if not issubclass(type(obj), Proxy):
            return super().reducer_override(obj)
        student, reference, _ = _inner(obj)
        if student is not self._student:
            raise pickle.PicklingError("An object of an earlier session cannot be passed on.")
        return recall, (reference.number,)


def _dump(student: Student, request: object) -> bytes:
    file = io.BytesIO()
    _Pickler(file, student).dump(request)
    return file.getvalue()


def _known(name: str) -> type | None:
    """A class of the course's libraries, if this process has imported it already; a student's name imports nothing."""
    if name in _CODE_CLASSES:
        return _CODE_CLASSES[name]
    module_name, _, path = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None or module_name.partition(".")[0] not in LIBRARIES or not path.isidentifier():
        return None
    found = vars(module).get(path)
    return found if isinstance(found, type) else None


def _exception(value: Any) -> Exception:
    """The exception to raise here for one that was raised there."""
    fits = type(value) is tuple and [type(part) for part in value] == [tuple, str, tuple, int]
    if not fits or not all(type(name) is str for name in value[0]):
        raise Malformed("It is not in the form of an error.")
    names, text, arguments, _ = value
    own = (names[0] if names else "Exception").rpartition(":")[2].rpartition(".")[2]
    for name in names:
        base = _known(name)
        if base is None or not issubclass(base, Exception) or issubclass(base, _ENDS_LOOPS):
            continue
        for candidate in (arguments, (text,)):
            try:
                error = base(*candidate)
                if str(error) == text:
                    return error if base.__name__ == own and base is not Exception else _named(own, base, candidate)
            except Exception:
                continue
    return _named(own, StudentError, (text,))


def _named(name: str, base: type[Exception], arguments: tuple[Any, ...]) -> Exception:
    base = StudentError if base is Exception else base
    kind: type[Exception] = type(re.sub(r"\W", "", name)[:60] or "StudentError", (base,), {})
    return kind(*arguments)


def _inner(proxy: Proxy) -> tuple[Student, Reference, str]:
    inner: tuple[Student, Reference, str] = object.__getattribute__(proxy, "_inner")
    return inner


def _ask(proxy: Proxy, verb: str, *args: Any, step: str = "") -> Any:
    student, _, path = _inner(proxy)
    return student.ask(verb, proxy, *args, path=(path + step)[:1_000])


class Proxy:
    """Stands for an object of the student's process. What it can do besides is mixed in from `_ABLE`."""

    __slots__ = ("_inner",)

    def __init__(self, student: Student, reference: Reference, path: str) -> None:
        object.__setattr__(self, "_inner", (student, reference, path))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The first of its classes that is known here and has no form as data, so that isinstance works."""
        for name in _inner(self)[1].classes:
            if (found := _known(name)) and not issubclass(found, (*_DATA, *_DATA_FRAMES, BaseException)):
                return found
        return type(self)

    def __getattr__(self, name: str) -> Any:
        student, reference, path = _inner(self)
        if name in ("__name__", "__qualname__") and reference.name:
            return reference.name
        if name == "__signature__":
            return _signature(self)
        if name.startswith("__") or name.startswith("_repr_") or name.startswith("_ipython_"):
            raise AttributeError(name)  # above all __array_interface__ and its like, which hand out memory
        student.use(path, name)
        return _ask(self, "attribute", name, step=f".{name}")

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("__"):
            raise AttributeError(name)
        student, _, path = _inner(self)
        student.use(path, name)
        _ask(self, "set", name, value)

    def __eq__(self, other: object) -> bool:
        if not issubclass(type(other), Proxy):
            return False
        mine, its = _inner(self), _inner(cast(Proxy, other))
        return mine[0] is its[0] and mine[1].number == its[1].number

    def __hash__(self) -> int:
        return hash(_inner(self)[1].number)

    def __str__(self) -> str:
        return _text(self, "text")

    def __repr__(self) -> str:
        return _text(self, "representation")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("An object of a student's process cannot be copied.")


def _text(proxy: Proxy, verb: str) -> str:
    text = _ask(proxy, verb)
    return text[:10_000] if type(text) is str else "?"


class _Callable:
    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        student, _, path = _inner(cast(Proxy, self))
        student.use(path, "call")
        return student.ask("call", self, *args, path=f"{path}()"[:1_000], named=kwargs)

    def __instancecheck__(self, instance: object) -> bool:
        if not issubclass(type(instance), Proxy):
            return False
        return _ask(cast(Proxy, instance), "instance", self) is True


class _Iterable:
    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        iterator = _ask(cast(Proxy, self), "iterate", step="[]")
        for _ in range(MAX_ITEMS):
            if not issubclass(type(iterator), Proxy):
                raise StudentError("The answer gave something that cannot be gone through.")
            more, value = _next(iterator)
            if not more:
                return
            yield value
        student = _inner(cast(Proxy, self))[0]
        student.faults.append(f"The answer gave more than {MAX_ITEMS:,} items.")
        raise StudentError(student.faults[-1])


class _Iterator:
    __slots__ = ()

    def __next__(self) -> Any:
        more, value = _next(cast(Proxy, self))
        if not more:
            raise StopIteration
        return value


def _next(iterator: Proxy) -> tuple[bool, Any]:
    answer = _ask(iterator, "next")
    if type(answer) is not tuple or len(answer) != 2:
        raise StudentError("The answer gave something that cannot be gone through.")
    return answer[0] is True, answer[1]


class _Sized:
    __slots__ = ()

    def __len__(self) -> int:
        size = _ask(cast(Proxy, self), "length")
        return size if type(size) is int and size >= 0 else 0


class _Subscriptable:
    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return _ask(cast(Proxy, self), "item", key, step="[]")


class _Context:
    __slots__ = ()

    def __enter__(self) -> Any:
        return _ask(cast(Proxy, self), "enter")

    def __exit__(self, *_: object) -> None:
        _ask(cast(Proxy, self), "exit")  # and never swallows the failure of a check


class _Truth:
    __slots__ = ()

    def __bool__(self) -> bool:
        return _ask(cast(Proxy, self), "truth") is True


_ABLE: dict[str, type] = {
    "c": _Callable,
    "i": _Iterable,
    "n": _Iterator,
    "l": _Sized,
    "g": _Subscriptable,
    "w": _Context,
    "b": _Truth,
}


def _about(proxy: Proxy) -> dict[str, Any]:
    found = _ask(proxy, "about")
    return found if type(found) is dict else {}


def source_of(obj: object) -> str:
    """`inspect.getsource`, for stand-ins too. Raises OSError when there is none."""
    if not issubclass(type(obj), Proxy):
        return _getsource(cast(Any, obj))
    source = _about(cast(Proxy, obj)).get("source")
    if type(source) is not str:
        raise OSError("could not get source code")
    return source


def _documentation(proxy: Proxy) -> str | None:
    doc = _about(proxy).get("doc")
    return doc if type(doc) is str else None


def _signature(proxy: Proxy) -> inspect.Signature:
    """Raises AttributeError when the student's process names none."""
    parameters = _about(proxy).get("parameters")
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    name, inspect._ParameterKind(kind), default=default if has else inspect.Parameter.empty
                )
                for name, kind, has, default in cast("list[Any]", parameters)
            ]
        )
    except (TypeError, ValueError):
        raise AttributeError("__signature__") from None
