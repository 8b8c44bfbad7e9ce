"""Which names a cell defines, reads and touches. Imports no nbformat, which takes seconds."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from carelab.grading.cells import plain_python

Kind = Literal["provided", "answer", "check"]


@dataclass(frozen=True)
class Step:
    """A code cell of the course's own notebook. `name` is its exercise for answers and checks, else a number."""

    kind: Kind
    name: str
    source: str


class _Top(ast.NodeVisitor):
    """Names bound outside functions and classes, those that an import binds apart."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.imports: list[ast.stmt] = []

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.names.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.names.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def _comprehension(self, node: ast.expr) -> None:
        # Its variable is its own; only `:=` reaches out.
        self.names |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.imports.append(node)

    visit_ImportFrom = visit_Import


@lru_cache(256)
def _top(source: str) -> _Top:
    top = _Top()
    top.visit(ast.parse(plain_python(source)))
    return top


def defined(source: str) -> set[str]:
    """Names a cell binds, imports left out. Raises SyntaxError."""
    return set(_top(source).names)


def imports(source: str) -> str:
    """The cell's own import statements, as a cell. Raises SyntaxError."""
    return "\n".join(ast.unparse(node) for node in _top(source).imports)


def read(source: str) -> set[str]:
    """Names a cell looks up anywhere in it. Raises SyntaxError."""
    tree = ast.parse(plain_python(source))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def touched(source: str) -> set[str]:
    """Names whose values a cell may change in place: `table["x"] = …`, `model.fit(…)`."""
    found = set()
    for node in ast.walk(ast.parse(plain_python(source))):
        parent = node.func if isinstance(node, ast.Call) else node
        if isinstance(parent, (ast.Subscript, ast.Attribute)) and (
            isinstance(node, ast.Call) or isinstance(parent.ctx, ast.Store)
        ):
            while isinstance(parent, (ast.Subscript, ast.Attribute, ast.Call)):
                parent = parent.func if isinstance(parent, ast.Call) else parent.value
            if isinstance(parent, ast.Name):
                found.add(parent.id)
    return found
