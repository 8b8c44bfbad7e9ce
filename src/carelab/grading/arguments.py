"""What a call changed in its arguments: found in the student's process, made good in the trusted one.

A student's function works on copies. A check that asks whether it changed the table it was given, or looks at a model it
should have fitted, has to see those changes in its own objects. So the student's process compares each argument with a second
copy and sends back what is different, as data only: a changed list, dict, set, array, Series or frame as a whole, an object of
another class attribute by attribute, down to objects inside its lists and dicts.

Limits: an object that is new (a fitted clone inside a pipeline) does not come back; an object keeps the attributes that were
deleted; what the arguments of one call share is not shared any more; a function passed as an argument runs as a copy.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carelab.grading.known import Known, Rows, identical
from carelab.grading.values import Malformed, Unsendable, decode, encode

MAX_DEPTH = 8
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)
_CONSTANT = frozenset((type(None), bool, int, float, complex, str, bytes, pd.Timestamp, pd.Timedelta))
Patch = tuple[str, Any]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class _NoCopy(Exception):
    """Only reading the request again copies this argument."""


def snapshots(
    args: tuple[Any, ...], kwargs: dict[str, Any], known: Known, taken: list[tuple[pd.DataFrame, Rows]]
) -> Arguments | None:
    """The arguments of a call as they are before it, all but the function; None when the request has to be read again for it.

    `taken` are the tables among them that were taken out of `known`, which still knows what they were.
    """

    def copied(value: Any) -> Any:
        kind = type(value)
        if kind in _CONSTANT:
            return value
        if kind in (list, tuple):
            return kind(map(copied, value))
        if kind is pd.DataFrame:
            found = next((found for table, found in taken if table is value), None)
            if found is not None and all(_is_plain(values) for _, _, values in found.new):
                return _Taken(known, found)
        if kind is np.ndarray and _is_plain(value):
            return value.copy()
        if kind is pd.Series and _is_plain(value):
            return value.copy()
        raise _NoCopy

    try:
        return (None, *map(copied, args[1:])), {name: copied(value) for name, value in kwargs.items()}
    except (_NoCopy, RecursionError):
        return None


def _is_plain(values: Any) -> bool:
    return isinstance(values.dtype, np.dtype) and values.dtype != object


@dataclass(frozen=True)
class _Taken:
    """Stands for a table as it was before the call."""

    known: Known
    found: Rows


def same(one: Any, other: Any, depth: int = 0) -> bool:
    """Whether nothing was changed between two copies. In doubt, no."""
    if one is other:
        return True
    if type(one) is _Taken:
        return one.known.holds(one.found, other)
    if type(one) is not type(other) or depth > MAX_DEPTH:
        return False
    if isinstance(one, (pd.DataFrame, pd.Series, pd.Index)):
        axes = one.axes if not isinstance(one, pd.Index) else []
        others = other.axes if not isinstance(one, pd.Index) else []
        equal = (type(one) is pd.DataFrame and _identical(one, other)) or bool(one.equals(other))
        return equal and _names(one) == _names(other) and all(map(same, axes, others))
    if isinstance(one, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return (
            same(one.tolist(), other.tolist(), depth + 1) if one.dtype == object else one.tobytes() == other.tobytes()
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b, depth + 1) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key], depth + 1) for key in one)
    if isinstance(one, _CODE):
        return True
    if hasattr(one, "__dict__"):
        return same(vars(one), vars(other), depth + 1)
    return bool(one == other) or (one != one and other != other)


def _identical(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether all columns hold the same bytes, or the very same objects: much quicker than `equals` where texts are."""
    if one.shape != other.shape or not one.index.equals(other.index) or not one.columns.equals(other.columns):
        return False
    columns = ((one._get_column_array(at), other._get_column_array(at)) for at in range(one.shape[1]))
    return all(identical(a, b) for a, b in columns)


def _names(values: Any) -> Any:
    return getattr(values, "names", getattr(values, "name", None))


def changes(before: Any, after: Any, depth: int = 0) -> Patch | None:
    """How `after`, once a copy like `before`, was changed; None when it was not, or cannot be told in data."""
    if same(before, after, depth) or depth > MAX_DEPTH:
        return None
    if type(before) is type(after) and not isinstance(after, _CODE):
        if isinstance(after, (list, tuple)) and len(before) == len(after) and any(map(_has_parts, after)):
            pairs = enumerate(zip(before, after, strict=True))
            return ("items", {at: patch for at, (a, b) in pairs if (patch := changes(a, b, depth + 1))})
        if isinstance(after, dict) and list(before) == list(after) and any(map(_has_parts, after.values())):
            return ("items", {key: patch for key in after if (patch := changes(before[key], after[key], depth + 1))})
        if _has_attributes(after):
            old, new = vars(before), vars(after)
            found = {name: changes(old.get(name, _CODE), new[name], depth + 1) for name in new}
            return ("attributes", {name: patch for name, patch in found.items() if patch})
    try:
        return ("value", encode(after))
    except Unsendable:
        return None


def _has_attributes(value: Any) -> bool:
    known = (pd.DataFrame, pd.Series, pd.Index, np.ndarray, list, tuple, dict, set)
    return hasattr(value, "__dict__") and not isinstance(value, (*known, *_CODE))


def _has_parts(value: Any) -> bool:
    """Whether it can be changed itself, while what holds it stays the same."""
    mutable = (list, dict, set, np.ndarray, pd.DataFrame, pd.Series)
    return (
        isinstance(value, mutable) or _has_attributes(value) or (type(value) is tuple and any(map(_has_parts, value)))
    )


def apply(original: Any, patch: Any, depth: int = 0) -> Any:
    """The original with what was changed, in place where it can be. Raises Malformed for a patch that does not fit."""
    if not (type(patch) is tuple and len(patch) == 2 and depth <= MAX_DEPTH + 1):
        raise Malformed("The reply changes an argument in a way that is not known.")
    kind, what = patch
    if kind == "value" and type(what) is bytes:
        return _replace(original, decode(what))
    if kind == "items" and type(what) is dict and type(original) in (list, tuple, dict):
        return _apply_items(original, what, depth)
    if kind == "attributes" and type(what) is dict and _has_attributes(original):
        for name, inner in what.items():
            # Data never stands before a method of the check's own class.
            if type(name) is not str or name.startswith("__") or callable(getattr(type(original), name, None)):
                raise Malformed("The reply sets an attribute of an argument that is none.")
            vars(original)[name] = apply(vars(original).get(name), inner, depth + 1)
        return original
    raise Malformed("The reply changes an argument in a way that is not known.")


def _apply_items(original: Any, what: dict[Any, Any], depth: int) -> Any:
    known = range(len(original)) if not isinstance(original, dict) else original
    if any(at not in known for at in what):
        raise Malformed("The reply changes an item that an argument does not have.")
    parts = dict(original) if isinstance(original, dict) else list(original)
    for at, inner in what.items():
        parts[at] = apply(parts[at], inner, depth + 1)
    return tuple(parts) if type(original) is tuple else _replace(original, parts)


def _replace_frame(original: Any, new: Any) -> None:
    original._update_inplace(new, verify_is_copy=False)  # what pandas itself does for inplace=True


def _replace_array(original: Any, new: Any) -> None:
    if original.shape != new.shape or original.dtype != new.dtype:
        original.resize(new.shape, refcheck=False)
    original[...] = new


def _replace_list(original: Any, new: Any) -> None:
    original[:] = new


def _replace_items(original: Any, new: Any) -> None:
    original.clear()
    original.update(new)


_IN_PLACE: dict[type, Callable[[Any, Any], None]] = {
    list: _replace_list,
    dict: _replace_items,
    set: _replace_items,
    np.ndarray: _replace_array,
    pd.DataFrame: _replace_frame,
    pd.Series: _replace_frame,
}


def _replace(original: Any, new: Any) -> Any:
    """`original` holding what `new` holds when both are of one mutable kind, else `new`."""
    put = _IN_PLACE.get(type(original))
    if put is None or type(new) is not type(original):
        return new
    put(original, new)
    return original
