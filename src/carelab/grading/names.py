"""Which names a cell defines and reads, and which checks hang on which answers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from nbformat import NotebookNode

from carelab.grading.cells import plain_python
from carelab.grading.rebuild import graded

Kind = Literal["provided", "answer", "check"]


@dataclass(frozen=True)
class Step:
    """A code cell of the course's own notebook. `name` is its exercise for answers and checks, else a number."""

    kind: Kind
    name: str
    source: str


def steps(course: NotebookNode) -> list[Step]:
    """The notebook's code cells in order, up to the last check: what comes after it changes no result."""
    found: list[Step] = []
    for number, cell in enumerate(course.cells):
        if cell.cell_type != "code":
            continue
        entry = graded(cell)
        if entry and entry["solution"]:
            found.append(Step("answer", entry["grade_id"], cell.source))
        elif entry and entry["grade"]:
            found.append(Step("check", entry["grade_id"].removesuffix("-check"), cell.source))
        else:
            found.append(Step("provided", f"cell {number}", cell.source))
    last = max((at for at, step in enumerate(found) if step.kind == "check"), default=-1)
    return found[: last + 1]


def prefix(course: NotebookNode) -> list[Step]:
    """The provided cells before the first answer: every submission's process has run them when its session opens."""
    found = steps(course)
    first = next((at for at, step in enumerate(found) if step.kind == "answer"), len(found))
    return [step for step in found[:first] if step.kind == "provided"]


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


def _top(source: str) -> _Top:
    top = _Top()
    top.visit(ast.parse(plain_python(source)))
    return top


def defined(source: str) -> set[str]:
    """Names a cell binds, imports left out. Raises SyntaxError."""
    return _top(source).names


def imports(source: str) -> str:
    """The cell's own import statements, as a cell. Raises SyntaxError."""
    return "\n".join(ast.unparse(node) for node in _top(source).imports)


def read(source: str) -> set[str]:
    """Names a cell looks up anywhere in it. Raises SyntaxError."""
    tree = ast.parse(plain_python(source))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _touched(source: str) -> set[str]:
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


def answers_of(course: NotebookNode) -> dict[str, set[str]]:
    """For each check, the exercises whose names it reads, directly or through provided cells in between.

    A check with none compares nothing that a learner made: the build should refuse it.
    """
    behind: dict[str, set[str]] = {}
    found = {}
    for step in steps(course):
        if step.kind == "answer":
            for name in defined(step.source):
                behind[name] = {step.name}
            continue
        hangs_on = set().union(*(behind.get(name, set()) for name in read(step.source)))
        if step.kind == "check":
            found[step.name] = hangs_on
        elif hangs_on:
            for name in defined(step.source) | _touched(step.source):
                behind[name] = behind.get(name, set()) | hangs_on
    return found
