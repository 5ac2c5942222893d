"""The small changes of a module that a test ought to notice, one at a time, by its syntax tree.

What is changed: comparisons and their bounds, `and` and `or`, `not`, arithmetic, numbers by one, truth values, words
(strings without a blank, as states and keys are), each operand of a condition, each entry of a table, each named
argument, each condition of a comprehension; `if` and `while` to always or never, `for` to nothing, `return` to nothing;
and statements that are left out. Sentences and rows of figures are not changed: a test that repeats them tells nothing.
Annotations and decorators are not either: mypy sees those.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
LEFT_OUT = (ast.Raise, ast.Delete, ast.AugAssign, ast.Assert, ast.Continue, ast.Break)
UNTOUCHED = {"annotation", "returns", "decorator_list", "type_comment"}
"""Fields of nodes into which nobody looks."""


@dataclass(frozen=True)
class Mutant:
    """One small change.

    Attributes:
        path: of the module.
        number: which of the module's it is.
        where: function or class, by its qualified name; empty outside of all.
        lines: first and last line of what is changed, in the module as it is.
        imported: whether it is run when the module is imported, and by no test.
        diff: lines that go and that come, each after its sign.
    """

    path: str
    number: int
    where: str
    lines: tuple[int, int]
    imported: bool
    diff: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0]} {self.where}".rstrip() + f"\n{self.diff}"


@dataclass(frozen=True)
class _Place:
    """Where a node stands: in which function, in which statement."""

    where: str
    scope: ast.AST
    lines: tuple[int, int]
    imported: bool


def mutants(path: str, source: str) -> list[Mutant]:
    """All of a module."""
    found: dict[tuple[str, int, str], Mutant] = {}
    for number, place, before in _changes(ast.parse(source)):
        diff = _diff(before, ast.unparse(place.scope))
        if diff:  # two ways to one thing are one mutant
            mutant = Mutant(path, number, place.where, place.lines, place.imported, diff)
            found.setdefault((place.where, place.lines[0], diff), mutant)
    return list(found.values())


def applied(source: str, mutant: Mutant) -> str:
    """The module with that change."""
    tree = ast.parse(source)
    for number, _, _ in _changes(tree):
        if number == mutant.number:
            return ast.unparse(tree) + "\n"
    raise ValueError(f"{mutant.path} has no mutant {mutant.number}")


def _changes(tree: ast.Module) -> Iterator[tuple[int, _Place, str]]:
    """Number, place, and what the place's scope was; while one is looked at, the tree is changed."""
    nodes = list(_nodes(tree, _Place("", tree, (0, 0), True)))
    before = {scope: ast.unparse(scope) for scope in {place.scope for *_, place in nodes}}
    number = 0
    for parent, field, index, node, place in nodes:
        for new in _instead(node, place):
            _put(parent, field, index, new)
            yield number, place, before[place.scope]
            _put(parent, field, index, node)
            number += 1


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _nodes(parent: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, _Place]]:
    """The nodes below one, with the field in which each stands."""
    for field, value in ast.iter_fields(parent):
        if field in UNTOUCHED:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_told(node) or _is_given(parent, node):
                continue
            here = _place(parent, field, node, place)
            yield parent, field, index, node, here
            yield from _nodes(node, here)


def _place(parent: ast.AST, field: str, node: ast.AST, place: _Place) -> _Place:
    if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and field == "body":
        function = not isinstance(parent, ast.ClassDef)
        place = replace(place, where=f"{place.where}.{parent.name}".lstrip("."), imported=not function)
        if function:
            place = replace(place, scope=parent)
    if isinstance(node, ast.stmt):
        body = getattr(node, "body", None)
        # Of one that has others in it, only what stands before them.
        last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
        place = replace(place, lines=(node.lineno, max(node.lineno, last)))
        if place.imported:
            place = replace(place, scope=node)
    return place


def _is_told(node: ast.AST) -> bool:
    """Whether a node is for readers and tools only."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)  # a docstring
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _is_given(parent: ast.AST, node: ast.AST) -> bool:
    """Whether a node is a piece of a sentence with values in it, one of several figures, or of a type."""
    if isinstance(parent, ast.Tuple) and len(parent.elts) > 1:
        return all(isinstance(each, ast.Constant) and isinstance(each.value, (int, float)) for each in parent.elts)
    if isinstance(parent, ast.Subscript):
        return isinstance(node, ast.Tuple)
    return isinstance(parent, ast.JoinedStr) and isinstance(node, ast.Constant)


def _instead(node: ast.AST, place: _Place) -> Iterator[ast.AST]:
    """What may stand for a node."""
    if isinstance(node, ast.stmt):
        if not place.imported:  # without one of the others nothing can be imported
            yield from _statements(node)
    elif isinstance(node, ast.comprehension):
        for ifs in _without_one(node.ifs):
            yield ast.comprehension(node.target, node.iter, ifs, node.is_async)
    elif isinstance(node, ast.expr):
        yield from _expressions(node, outside=not place.where)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    true, false = ast.Constant(True), ast.Constant(False)
    if isinstance(node, ast.If):
        yield ast.If(true, node.body, node.orelse)
        yield ast.If(false, node.body, node.orelse)
    elif isinstance(node, ast.While):
        yield ast.While(false, node.body, node.orelse)
    elif isinstance(node, ast.For):
        yield ast.For(node.target, ast.Tuple([], ast.Load()), node.body, node.orelse, lineno=node.lineno)
    elif isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(None)
    elif isinstance(node, (*LEFT_OUT, ast.Expr)):
        yield ast.Pass()
        if isinstance(node, ast.Continue):
            yield ast.Break()
        elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
            yield ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)
    elif isinstance(node, ast.Assign) and any(_is_part(target) for target in node.targets):
        yield ast.Pass()  # a name that is missing would be no find


def _is_part(target: ast.expr) -> bool:
    """Whether an assignment changes something that is there, not only gives it a name."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(map(_is_part, target.elts))
    return isinstance(target, (ast.Attribute, ast.Subscript))


def _expressions(node: ast.expr, outside: bool) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for values in _without_one(node.values):
            yield ast.BoolOp(node.op, values) if len(values) > 1 else values[0]
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        if type(node.op) in ARITHMETIC:
            yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Call):
        for keywords in _without_one(node.keywords):
            yield ast.Call(node.func, node.args, keywords)
    elif isinstance(node, ast.Dict):
        for index in range(len(node.keys)):
            yield ast.Dict(node.keys[:index] + node.keys[index + 1 :], node.values[:index] + node.values[index + 1 :])
    elif isinstance(node, ast.Set):
        for elements in _without_one(node.elts):
            if elements:
                yield ast.Set(elements)
    elif isinstance(node, ast.List) and isinstance(node.ctx, ast.Load):
        for elements in _without_one(node.elts):
            yield ast.List(elements, node.ctx)
    elif isinstance(node, ast.Tuple) and outside:  # elsewhere most have as many as somebody unpacks
        for elements in _without_one(node.elts):
            yield ast.Tuple(elements, node.ctx)
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _constants(node.value))


def _constants(value: Any) -> Sequence[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, value - 1]
    if isinstance(value, str) and len(value.split()) < 2:
        return [f"{value}-mutant"]
    return []


def _without_one(nodes: Sequence[Any]) -> Iterator[list[Any]]:
    for index in range(len(nodes)):
        yield [*nodes[:index], *nodes[index + 1 :]]


def _diff(before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    rows = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            rows += [f"- {line.strip()}" for line in old[first:last]]
            rows += [f"+ {line.strip()}" for line in new[start:end]]
    return "\n".join(rows)
