"""An exercise as the course released it: its stub, its visible check, and the names on which they hang."""

from __future__ import annotations

import builtins
import json
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from carelab.errors import UserError
from carelab.learner.hints import NO_COURSE, all_tasks
from carelab.paths import RELEASE


@dataclass(frozen=True)
class Exercise:
    """An exercise as it was released.

    needed: names that the check reads. own: those of them that the answer defines. provided: what the course's cells before
    the check bind. others: names of other answers before it, with the exercise they belong to.
    """

    name: str
    week: str
    notebook: str
    stub: str
    check: str
    needed: frozenset[str]
    own: frozenset[str]
    provided: frozenset[str]
    others: dict[str, str]


def released(name: str) -> Exercise:
    """An exercise of this course with its visible check. Raises UserError when its notebook cannot be read."""
    from carelab.grading.names import defined  # reads cells as IPython does: a part that is slow to import

    task = all_tasks()[name]
    stub = source = ""
    provided: set[str] = set()
    others: dict[str, str] = {}
    try:
        path = RELEASE / task["week"] / f"{task['notebook']}.ipynb"
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            text, entry = "".join(cell["source"]), cell["metadata"].get("nbgrader", {})
            if entry.get("grade_id") == f"{name}-check":
                source = text
                break
            if entry.get("grade_id") == name:
                stub = text
            elif entry.get("solution"):
                others |= dict.fromkeys(defined(text), entry["grade_id"])
            elif not entry:
                provided |= defined(text) | _imported(text)
        if not source:
            raise ValueError(name)
        needed = _needed(source)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise UserError(NO_COURSE) from error
    own = (needed - provided - others.keys()) | (needed & defined(stub))
    return Exercise(name, task["week"], task["notebook"], stub, source, needed, own, frozenset(provided), others)


def _imported(source: str) -> set[str]:
    """Names that a cell's import statements bind."""
    import ast

    from carelab.grading.names import imports

    nodes = ast.walk(ast.parse(imports(source)))
    aliases = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    return {(alias.asname or alias.name).partition(".")[0] for alias in aliases}


def _needed(source: str) -> frozenset[str]:
    """Names that a check reads and does not make itself."""
    top = symtable.symtable(source, "<check>", "exec")
    made = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}

    def looked_up(table: symtable.SymbolTable) -> Iterator[str]:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                yield symbol.get_name()
        for child in table.get_children():
            yield from looked_up(child)

    return frozenset(name for name in looked_up(top) if name not in made and not hasattr(builtins, name))
