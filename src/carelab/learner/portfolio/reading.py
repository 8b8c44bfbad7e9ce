"""Read what lies in a learner's folder as if anybody had put it there: plain files of that folder, up to a size.

A portfolio is shown to other people, so nothing from elsewhere may get into it by way of a link.
"""

from __future__ import annotations

import io
import json
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from carelab.learner.artefacts import JSON_BYTES

PNG_BYTES = 8_000_000
PIXELS = 16_000_000
SIDE = 2400  # pixels; more than print needs

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class UnreadableError(Exception):
    """A file that is left out; the message goes on after the file's name."""


@dataclass(frozen=True)
class Picture:
    """A picture that was taken apart and put together again: pixels, and nothing else of the file."""

    png: bytes
    width: int
    height: int


def read_plain(workspace: Path, relative: Path, limit: int) -> bytes:
    """The bytes of an ordinary file inside `workspace`. Raises UnreadableError with what it is instead."""
    path = workspace / relative
    try:
        if path.resolve(strict=True) != workspace.resolve() / relative:
            raise UnreadableError("is a link or lies behind one, which is not followed")
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError("is no ordinary file")
            if found.st_size > limit:
                raise UnreadableError(f"is larger than {limit // 1_000_000} MB")
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise UnreadableError("is not there") from error
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise UnreadableError("cannot be read") from error
    if len(data) > limit:
        raise UnreadableError(f"is larger than {limit // 1_000_000} MB")
    return data


def read_json(workspace: Path, relative: Path) -> dict[str, Any]:
    """The JSON object in a file inside `workspace`. Raises UnreadableError."""
    data = read_plain(workspace, relative, JSON_BYTES)
    try:
        content = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError("is damaged: run the last cell of its notebook again") from error
    if not isinstance(content, dict):
        raise UnreadableError("is damaged: run the last cell of its notebook again")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def read_picture(workspace: Path, relative: Path) -> Picture:
    """The picture in a PNG file inside `workspace`, on white. Raises UnreadableError."""
    data = read_plain(workspace, relative, PNG_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data), formats=["PNG"])
            if opened.width * opened.height > PIXELS:
                raise UnreadableError(f"has more than {PIXELS // 1_000_000} million pixels")
            image = opened.convert("RGBA")
    except UnreadableError:
        raise
    except Exception as error:  # a decoder raises anything on a damaged file
        raise UnreadableError("is no picture that can be shown: run the last cell of its notebook again") from error
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    flat = paper.convert("RGB")
    flat.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    flat.save(out, format="PNG", optimize=True)
    return Picture(out.getvalue(), flat.width, flat.height)
