# SPDX-License-Identifier: Apache-2.0
"""Makes mutants of a module's source: one small change each, of the kind a slip of the pen makes."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
EXTREMES = {"min": "max", "max": "min"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of a module.

    `key` names it without line numbers, so that a list of equivalent mutants survives edits elsewhere.
    """

    key: str
    operator: str
    line: int
    tree: ast.Module = field(repr=False)
    target: ast.AST = field(repr=False)
    changed: ast.AST = field(repr=False)

    def tree_changed(self) -> ast.Module:
        """The module's tree with the change made, in place: for a process that ends with the mutant."""
        target, changed = self.target, self.changed

        class _Swap(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> ast.AST:
                return changed if node is target else self.generic_visit(node)

        swapped: ast.Module = _Swap().visit(self.tree)
        return ast.fix_missing_locations(swapped)


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.splitlines()
    made: list[Mutant] = []
    seen: dict[str, int] = {}
    for function, node in _places(tree):
        for operator, change, changed in _changes(node, tree):
            line = getattr(node, "lineno", 1)
            key = f"{function} | {lines[line - 1].strip()} | {operator}: {change}"
            seen[key] = seen.get(key, 0) + 1
            key = key if seen[key] == 1 else f"{key} #{seen[key]}"
            made.append(Mutant(key=key, operator=operator, line=line, tree=tree, target=node, changed=changed))
    return sorted(made, key=lambda mutant: mutant.line)


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Name the function of every node of every function (decorators, annotations and docstrings left out)."""
    skipped: set[int] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            outside = [*function.decorator_list, function.args, function.returns]
            skipped |= {id(node) for part in outside if part is not None for node in ast.walk(part)}
            if ast.get_docstring(function, clean=False) is not None:
                skipped |= {id(node) for node in ast.walk(function.body[0])}
        if isinstance(function, ast.AnnAssign):
            skipped |= {id(node) for node in ast.walk(function.annotation)}
    owners = {
        id(node): function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in owners and id(node) not in skipped:
            yield owners[id(node)], node


def _changes(node: ast.AST, tree: ast.Module) -> Iterator[tuple[str, str, ast.AST]]:
    """The changes of one node: (operator, what, new node)."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        yield from _conditions(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", f"{ast.unparse(node)} -> {ast.unparse(node.operand)}", node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        for other in ARITHMETIC.get(type(node.op), ()):
            twin = copy.deepcopy(node)
            twin.op = other()
            yield "arithmetic", f"{ast.unparse(node)} -> {ast.unparse(twin)}", twin
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EXTREMES:
        twin = copy.deepcopy(node)
        twin.func = ast.Name(id=EXTREMES[node.func.id], ctx=ast.Load())
        yield "min/max", f"{ast.unparse(node)} -> {ast.unparse(twin)}", twin
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from _tests(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _names(node, tree)
    elif isinstance(node, ast.Continue):
        yield "jump", "continue -> break", ast.Break()
    elif isinstance(node, ast.Break):
        yield "jump", "break -> continue", ast.Continue()
    if isinstance(node, ast.Assign | ast.AugAssign) and not _defines(node):
        yield "statement", f"{ast.unparse(node)} -> pass", ast.Pass()


def _defines(node: ast.Assign | ast.AugAssign) -> bool:
    """Whether a statement gives a name its first value, without which the function stops with an error anyway."""
    return isinstance(node, ast.Assign) and not all(isinstance(target, ast.Subscript) for target in node.targets)


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, str, ast.AST]]:
    for position, op in enumerate(node.ops):
        for other in COMPARISONS.get(type(op), ()):
            twin = copy.deepcopy(node)
            twin.ops[position] = other()
            yield "comparison", f"{ast.unparse(node)} -> {ast.unparse(twin)}", twin


def _conditions(node: ast.BoolOp) -> Iterator[tuple[str, str, ast.AST]]:
    twin = copy.deepcopy(node)
    twin.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "and/or", f"{ast.unparse(node)} -> {ast.unparse(twin)}", twin
    for dropped in range(len(node.values)):
        rest = [value for position, value in enumerate(node.values) if position != dropped]
        fewer = rest[0] if len(rest) == 1 else ast.BoolOp(op=node.op, values=rest)
        yield "dropped condition", f"{ast.unparse(node)} without {ast.unparse(node.values[dropped])}", fewer


def _constants(node: ast.Constant) -> Iterator[tuple[str, str, ast.AST]]:
    if isinstance(node.value, bool):
        yield "constant", f"{node.value} -> {not node.value}", ast.Constant(value=not node.value)
    elif isinstance(node.value, int | float):
        for step in (1, -1):
            yield "constant", f"{node.value} -> {node.value + step}", ast.Constant(value=node.value + step)


def _tests(node: ast.If | ast.While | ast.IfExp) -> Iterator[tuple[str, str, ast.AST]]:
    for value in (True, False):
        if isinstance(node, ast.While) and value:
            continue
        twin = copy.deepcopy(node)
        twin.test = ast.Constant(value=value)
        yield "condition", f"{ast.unparse(node.test)} -> {value}", twin


def _names(node: ast.Name, tree: ast.Module) -> Iterator[tuple[str, str, ast.AST]]:
    """A constant of the module swapped with the one written before and after it."""
    constants = [
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    ]
    if node.id in constants:
        position = constants.index(node.id)
        for other in (position - 1, position + 1):
            if 0 <= other < len(constants):
                yield "constant", f"{node.id} -> {constants[other]}", ast.Name(id=constants[other], ctx=ast.Load())
