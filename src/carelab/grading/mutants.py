"""Small mistakes planted into a reference solution: an answer that differs from it by one of them should lose its points.

A mutant that passes the check is either no mistake at all, or one that the check does not see.
"""

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from carelab.errors import UserError
from carelab.grading.cells import plain_python

T = TypeVar("T")
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

LONGEST = 60  # characters of code shown in a name
NO_WORD = "no such word"
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
COMPARISON: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
# Taken for one another, as methods, functions of a module, or words for `.agg`.
PAIRS = [
    ("mean", "median"),
    ("sum", "count"),
    ("min", "max"),
    ("idxmin", "idxmax"),
    ("argmin", "argmax"),
    ("head", "tail"),
    ("any", "all"),
    ("first", "last"),
    ("isna", "notna"),
    ("floor", "ceil"),
    ("nlargest", "nsmallest"),
    ("left", "inner"),
]
INSTEAD = {one: other for a, b in PAIRS for one, other in ((a, b), (b, a))}
SORTED_UPWARDS = ("sort_values", "sort_index", "rank")
COUNTED = ("range", "shift", "head", "tail", "nlargest", "nsmallest")  # an argument that can be one off
# A definition or an import that is gone, or a result that is, says nothing about the check: other mistakes do.
KEPT = (ast.Pass, ast.Return, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SILENT = {"annotation", "returns", "type_params", "type_comment"}
# A mistake about the arguments of a whole function, planted around it.
AROUND = """

def _around(function, first={{}}):
    import functools, inspect

    @functools.wraps(function)
    def call(*args, **kwargs):
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        {change}
        return function(*bound.args, **bound.kwargs)

    return call

{function} = _around({function})
"""
STAYS = "given[{0!r}] = first.setdefault({0!r}, given[{0!r}])"
SWAPS = "given[{0!r}], given[{1!r}] = given[{1!r}], given[{0!r}]"


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one mistake. Lines in the name count from the first of the solution; no two names are equal."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True)
class _Version:
    """A node with one change somewhere inside, and how to tell it."""

    node: ast.AST
    kind: str
    line: int
    before: str
    after: str


Planted = Iterator[tuple[str, ast.AST]]  # a kind of mistake, and a node that makes it


def mutants(source: str) -> list[Mutant]:
    """The mutants of a solution cell, in the order of its text; none when it marks no solution. The rest of the cell stays.

    Raises UserError for a cell that is no Python.
    """
    try:
        text = plain_python(source)
        tree = ast.parse(text)
    except SyntaxError as error:
        raise UserError(f"This solution is no Python, line {error.lineno}: {source[:60]!r}") from error
    lines = [line.strip() for line in text.splitlines()]
    begins, ends = ([n for n, line in enumerate(lines, 1) if line == mark] for mark in (BEGIN, END))
    if not begins:
        return []
    planter = _Planter(tree, list(zip(begins, ends, strict=True)))
    seen, times, found = {ast.dump(tree)}, Counter[str](), planter.around(text)
    for version in planter.versions(tree):
        if (dump := ast.dump(version.node)) in seen:
            continue
        seen.add(dump)
        if (changed := _runnable(version.node)) is None:
            continue
        name = f"line {version.line - begins[0]}: {_told_apart(version.before, version.after)}"
        times[name] += 1
        found.append(Mutant(f"{name} ({times[name]})" if times[name] > 1 else name, version.kind, changed))
    return found


def _runnable(tree: ast.AST) -> str | None:
    try:
        source = ast.unparse(tree)
        compile(source, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return None
    return source


class _Planter:
    """Plants mistakes into the marked parts of a tree."""

    def __init__(self, tree: ast.Module, parts: list[tuple[int, int]]) -> None:
        self.parts = parts
        inside = [node for node in ast.walk(tree) if self._inside(node)]
        self.words = list(
            dict.fromkeys(n.value for n in inside if isinstance(n, ast.Constant) and type(n.value) is str)
        )
        begin = parts[0][0]
        around = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.lineno < begin < (n.end_lineno or 0)]
        self.function = around[0].name if around else ""
        self.arguments = [one.arg for one in around[0].args.args] if around else []
        self.kinds: list[tuple[type[ast.AST], Callable[[ast.AST], Planted]]] = [
            (ast.stmt, _statement),
            (ast.BinOp, _binary),
            (ast.BoolOp, _boolean),
            (ast.UnaryOp, _unary),
            (ast.Compare, _comparison),
            (ast.Constant, self._constant),
            (ast.Name, self._name),
            (ast.Attribute, _attribute),
            (ast.Subscript, _subscript),
            (ast.Slice, _slice),
            (ast.List, _list),
            (ast.Tuple, _tuple),
            (ast.Call, _call),
        ]

    def around(self, text: str) -> list[Mutant]:
        """Mutants whose function ignores an argument after the first call, or takes two neighbours for one another."""
        changes = [(f"{one} stays what it was in the first call", STAYS.format(one)) for one in self.arguments]
        for one, other in itertools.pairwise(self.arguments):
            changes.append((f"{one} and {other} change places", SWAPS.format(one, other)))
        return [
            Mutant(name, "argument", text + AROUND.format(function=self.function, change=change))
            for name, change in changes
        ]

    def _inside(self, node: ast.AST) -> bool:
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        return any(begin < first and last < end for begin, end in self.parts)

    def versions(self, node: ast.AST) -> Iterator[_Version]:
        """The node with one mistake, in itself or further down, for each mistake there is."""
        if self._inside(node):
            for kind, plant in self.kinds:
                for what, new in plant(node) if isinstance(node, kind) else ():
                    yield _Version(new, what, node.lineno, _shown(node), _shown(new))  # type: ignore[attr-defined]
            if isinstance(node, (ast.If, ast.While, ast.IfExp)):
                for opposite in _opposite(node.test):
                    new_test = _with(node, test=opposite)
                    yield _Version(new_test, "condition", node.lineno, _shown(node.test), _shown(opposite))
        if isinstance(node, ast.comprehension) and all(self._inside(test) for test in node.ifs):
            for at, test in enumerate(node.ifs):
                without = _with(node, ifs=_without(node.ifs, at))
                yield _Version(without, "condition", test.lineno, f"if {_shown(test)}", "nothing")
        for field, value in ast.iter_fields(node):
            if field in SILENT:
                continue
            if isinstance(value, ast.AST):
                for version in self.versions(value):
                    yield _told(node, value, version, _with(node, **{field: version.node}))
            elif isinstance(value, list):
                for at, item in enumerate(value):
                    # The words of an f-string are for people.
                    if isinstance(item, ast.AST) and not (isinstance(node, ast.JoinedStr) and _is_word(item)):
                        for version in self.versions(item):
                            new_list = [*value[:at], version.node, *value[at + 1 :]]
                            yield _told(node, item, version, _with(node, **{field: new_list}))

    def _constant(self, node: ast.AST) -> Planted:
        assert isinstance(node, ast.Constant)
        value, others = node.value, list[str | int | float]()
        if isinstance(value, bool):
            others = [not value]
        elif isinstance(value, int):
            others = [value + 1, value - 1, 0, 1]
        elif isinstance(value, float):
            others = [value * 1.1, value * 0.9] if value else [1.0]
        elif isinstance(value, str):
            after = self.words.index(value) + 1 if value in self.words else 0
            next_word = [*self.words[after:], *self.words][:1]
            others = [INSTEAD[value]] if value in INSTEAD else [*next_word, NO_WORD]
        for other in others:
            yield "constant", ast.Constant(other)

    def _name(self, node: ast.AST) -> Planted:
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load) and node.id in self.arguments:
            at = self.arguments.index(node.id)
            for neighbour in (at + 1, at - 1):
                yield "name", _with(node, id=self.arguments[neighbour % len(self.arguments)])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _told(node: ast.AST, part: ast.AST, version: _Version, new: ast.AST) -> _Version:
    """A change of a bare name or number says more with the expression around it."""
    small = part is not node and isinstance(part, (ast.Constant, ast.Name, ast.keyword, ast.Slice))
    if small and version.before == _shown(part) and isinstance(node, (ast.expr, ast.keyword, ast.Slice)):
        before, after = _shown(node), _shown(new)
        if len(before) < LONGEST and len(after) < LONGEST:
            return replace(version, node=new, before=before, after=after)
    return replace(version, node=new)


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0]


def _told_apart(before: str, after: str) -> str:
    """Both texts, long ones from shortly before they differ."""
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    begin = max(0, same - LONGEST // 2) if max(len(before), len(after)) > LONGEST else 0
    shown = [f"{'…' if begin else ''}{text[begin:]}" for text in (before, after)]
    return " becomes ".join(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in shown)


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant)


def _opposite(test: ast.expr) -> Iterator[ast.expr]:
    """`not` before a condition; a comparison has its opposite already, a `not` loses it."""
    single = isinstance(test, ast.Compare) and len(test.ops) == 1
    if not single and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        yield ast.UnaryOp(ast.Not(), test)


def _statement(node: ast.AST) -> Planted:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "return", ast.Return(ast.Constant(None))
    for at in range(len(getattr(node, "decorator_list", []))):
        yield "decorator", _with(node, decorator_list=_without(node.decorator_list, at))  # type: ignore[attr-defined]
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield "arithmetic", _with(node, op=ARITHMETIC[type(node.op)]())
    if not isinstance(node, KEPT) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        yield "statement", ast.Pass()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _binary(node: ast.AST) -> Planted:
    assert isinstance(node, ast.BinOp)
    if type(node.op) in ARITHMETIC:
        mask = isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor))
        yield "boolean" if mask else "arithmetic", _with(node, op=ARITHMETIC[type(node.op)]())
    yield "operand", node.left
    yield "operand", node.right


def _boolean(node: ast.AST) -> Planted:
    assert isinstance(node, ast.BoolOp)
    yield "boolean", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for at in range(len(node.values)):
        rest = _without(node.values, at)
        yield "operand", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _unary(node: ast.AST) -> Planted:
    assert isinstance(node, ast.UnaryOp)
    yield "unary", node.operand


def _comparison(node: ast.AST) -> Planted:
    assert isinstance(node, ast.Compare)
    for at, op in enumerate(node.ops):
        for other in COMPARISON[type(op)]:
            yield "comparison", _with(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])


def _attribute(node: ast.AST) -> Planted:
    assert isinstance(node, ast.Attribute)
    if node.attr in INSTEAD:
        yield "method", _with(node, attr=INSTEAD[node.attr])


def _one_off(node: ast.expr) -> Iterator[ast.expr]:
    """A number and its two neighbours; a written-out number has them as a constant."""
    if not isinstance(node, (ast.Constant, ast.Starred)):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))


def _subscript(node: ast.AST) -> Planted:
    assert isinstance(node, ast.Subscript)
    at = node.slice
    if isinstance(at, ast.UnaryOp) and isinstance(at.op, ast.USub) and not isinstance(at.operand, ast.Constant):
        for other in _one_off(at):
            yield "off by one", _with(node, slice=other)


def _slice(node: ast.AST) -> Planted:
    for bound in ("lower", "upper"):
        if value := getattr(node, bound):
            for other in _one_off(value):
                yield "off by one", _with(node, **{bound: other})


def _list(node: ast.AST) -> Planted:
    assert isinstance(node, ast.List)
    if len(node.elts) > 1:
        for at in range(len(node.elts)):
            yield "element", _with(node, elts=_without(node.elts, at))


def _tuple(node: ast.AST) -> Planted:
    assert isinstance(node, ast.Tuple)
    if isinstance(node.ctx, ast.Load):
        for elements in _swapped(node.elts):
            yield "order", _with(node, elts=elements)


def _call(node: ast.AST) -> Planted:
    assert isinstance(node, ast.Call)
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if not any(isinstance(one, ast.Starred) for one in node.args):
        for args in _swapped(node.args):
            yield "order", _with(node, args=args)
    for keywords in _swapped_values(node.keywords):
        yield "order", _with(node, keywords=keywords)
    for at in range(len(node.keywords)):
        yield "keyword", _with(node, keywords=_without(node.keywords, at))
    if called in SORTED_UPWARDS and all(one.arg != "ascending" for one in node.keywords):
        downwards = ast.keyword("ascending", ast.Constant(False))
        yield "keyword", _with(node, keywords=[*node.keywords, downwards])
    if called in COUNTED:
        for at, one in enumerate(node.args):
            for other in _one_off(one):
                yield "off by one", _with(node, args=[*node.args[:at], other, *node.args[at + 1 :]])
    if isinstance(node.func, ast.Attribute):
        yield "call", node.func.value
    elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield "call", node.args[0]


def _without(items: list[T], at: int) -> list[T]:
    return [*items[:at], *items[at + 1 :]]


def _swapped(items: list[T]) -> Iterator[list[T]]:
    """The items with each two neighbours swapped in turn."""
    for at in range(len(items) - 1):
        yield [*items[:at], items[at + 1], items[at], *items[at + 2 :]]


def _swapped_values(keywords: list[ast.keyword]) -> Iterator[list[ast.keyword]]:
    named = [one for one in keywords if one.arg]
    for values in _swapped([one.value for one in named]):
        yield [ast.keyword(one.arg, value) for one, value in zip(named, values, strict=True)]
