"""The words of messages and notes, read from the files beside this one."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def wording(name: str) -> dict[str, Any]:
    """The content of `wording_<name>.toml`: en, es (messages) or notes (discharge summaries)."""
    return tomllib.loads(files("carelab.synth.messages").joinpath(f"wording_{name}.toml").read_text(encoding="utf-8"))
