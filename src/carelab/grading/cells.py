"""Run a notebook's code cells without a kernel: the same in a student's process and in the trusted one."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import sys
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from IPython.display import display

RUN_THE_REST = ("time", "timeit", "capture", "prun")  # magics that measure or hush a statement


class Cells:
    """A notebook's namespace, in which cells run one after the other as IPython would run them.

    Nothing is displayed: nobody looks. Magics and shell lines do nothing, except those that only measure what they run.
    """

    def __init__(self, main: bool = False) -> None:
        """With `main`, the namespace becomes this process's `__main__`, as in a kernel."""
        self.module = ModuleType("__main__")
        self.names: dict[str, Any] = self.module.__dict__
        self.names.update(get_ipython=lambda: _Shell(self), display=display)
        if main:
            sys.modules["__main__"] = self.module

    def run(self, source: str, name: str) -> None:
        """Run one cell; `name` stands for its file in tracebacks. Whatever the cell raises is raised here."""
        code = compile_cell(source, f"<{name}>")
        result = eval(code, self.names)
        if inspect.iscoroutine(result):
            asyncio.run(result)


@lru_cache(256)
def plain_python(source: str) -> str:
    """A cell's source with magics, `!` and `?` turned into calls. Raises SyntaxError."""
    return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]


def compile_cell(source: str, file: str) -> CodeType:
    """The cell's code; its lines are kept for tracebacks and `inspect.getsource`. Raises SyntaxError."""
    text = plain_python(source)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    return _compiled(text, file)


@lru_cache(256)
def _compiled(text: str, file: str) -> CodeType:
    code: CodeType = compile(text, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


class _Shell:
    """What `get_ipython()` gives: enough that no magic stops a cell."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.user_ns = cells.names

    def run_line_magic(self, name: str, line: str, *_: object, **__: object) -> None:
        if name in RUN_THE_REST:
            self.cells.run(line, "magic")

    def run_cell_magic(self, name: str, _line: str, body: str) -> None:
        if name in RUN_THE_REST:
            self.cells.run(body, "magic")

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
