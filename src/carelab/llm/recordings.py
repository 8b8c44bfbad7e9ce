"""Answers of an open model, kept with the exact request they belong to.

One file for each model, `data/recordings/<model>.jsonl`. The first line says which model, which file (by its sha256), which
runtime and which settings; each further line is one request and what came back, with its date, tokens and seconds.
A request is found again only when every part of it is the same: messages, tools, schema, temperature, limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from carelab import files
from carelab.errors import UserError
from carelab.llm.catalogue import OpenWeights
from carelab.paths import RECORDINGS

Body = dict[str, Any]
"""A request or a response of the chat completions protocol."""

# What of a request decides about its answer. Streaming, user names and the like do not.
_DECIDES = (
    "messages", "temperature", "top_p", "seed", "max_tokens", "stop", "tools", "tool_choice", "response_format",
    "presence_penalty", "frequency_penalty", "logit_bias",
)  # fmt: skip
_SORTED = orjson.OPT_SORT_KEYS


def canonical(body: Body) -> Body:
    """The part of a request that decides about its answer, spelt in one way."""
    body = dict(body)
    if "max_completion_tokens" in body:
        body["max_tokens"] = body.pop("max_completion_tokens")
    kept = {name: body[name] for name in _DECIDES if body.get(name) is not None}
    # A message's null fields mean what missing ones mean.
    kept["messages"] = [{k: v for k, v in message.items() if v is not None} for message in body["messages"]]
    return kept


def key(body: Body) -> str:
    """Name of a request: the first 24 digits of the sha256 of its canonical form."""
    return hashlib.sha256(orjson.dumps(canonical(body), option=_SORTED)).hexdigest()[:24]


@dataclass(frozen=True)
class Recording:
    """One request with its answer, the seconds the model took, the day, and who sends it."""

    key: str
    recorded: str
    seconds: float
    asked_by: tuple[str, ...]
    request: Body
    response: Body

    def line(self) -> bytes:
        """As it stands in the file."""
        return orjson.dumps(self.__dict__, option=_SORTED) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Recording:
        """The reverse of `line`. Raises ValueError or TypeError when it is none."""
        entry = orjson.loads(line)
        return cls(**{**entry, "asked_by": tuple(entry.get("asked_by", ()))})


@dataclass
class Recordings:
    """All that was recorded of one model, by key."""

    header: Body = field(default_factory=dict)
    answers: dict[str, Recording] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.answers)

    def find(self, body: Body) -> Recording | None:
        """The recording of exactly this request, or None."""
        return self.answers.get(key(body))


def recordings(model: OpenWeights, folder: Path = RECORDINGS) -> Recordings:
    """What was recorded of `model`; nothing when there is no file. Read once for each state of the file.

    Raises UserError when the file is damaged, or was made with other weights than the course names.
    """
    path = folder / f"{model.name}.jsonl"
    if not path.is_file():
        return Recordings()
    return _read(path, path.stat().st_mtime_ns, model.sha256)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, sha256: str) -> Recordings:
    mend = f"Get data/recordings/{path.name} from the course again."
    try:
        first, *rest = path.read_bytes().splitlines()
        header = orjson.loads(first)
        found = [Recording.from_line(line) for line in rest]
    except (ValueError, TypeError) as error:
        raise UserError(f"The recorded answers are damaged. {mend}") from error
    if header.get("sha256") != sha256:
        raise UserError(f"The recorded answers are of another model than the course names. {mend}")
    wrong = [entry.key for entry in found if key(entry.request) != entry.key]
    if wrong:
        raise UserError(f"A recorded request was changed after it was recorded ({wrong[0]}). {mend}")
    return Recordings(header, {entry.key: entry for entry in found})


def write(model: OpenWeights, header: Body, answers: Iterable[Recording], folder: Path = RECORDINGS) -> Path:
    """Write the whole file, sorted by key, so that a renewed answer is one changed line."""
    path = folder / f"{model.name}.jsonl"
    lines = [orjson.dumps(header, option=_SORTED) + b"\n"]
    lines += [entry.line() for entry in sorted(answers, key=lambda entry: entry.key)]
    files.write(path, b"".join(lines))
    return path
