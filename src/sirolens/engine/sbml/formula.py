# SPDX-License-Identifier: Apache-2.0
"""Turns the mathematics of SBML into trees of the expression language, node by node, never through text.

Texts of formulas are no way across: libSBML's infix reads powers from the left where Python reads them from the right,
reads `log` as the decimal logarithm where Antimony writes the natural one, and names of variables look like functions.
Functions of the file are expanded where they are called. What the expression language cannot say is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from itertools import islice, pairwise
from typing import Any, final

from sirolens.engine.expression import Binary, Call, Name, Node, Number, Piecewise, Unary
from sirolens.engine.expression_tree import MAX_ARGUMENTS, nodes
from sirolens.engine.network import TIME
from sirolens.message import Message, Place, Value, error

__all__ = ["MAX_MATH_DEPTH", "MAX_MATH_NODES", "Mathematics", "finite_or_not", "minus", "plus", "times"]

#: Deepest nesting of one formula.
MAX_MATH_DEPTH = 250
#: Largest formula once the functions it calls are expanded.
MAX_MATH_NODES = 100_000

_ZERO, _ONE = Number(0.0), Number(1.0)
# The tree holds finite numbers only, so what is not finite is the result of a calculation that overflows.
_INFINITY: Node = Binary("*", Number(1e308), Number(10.0))
_NOT_A_NUMBER: Node = Binary("-", _INFINITY, _INFINITY)


def finite_or_not(value: float) -> Node:
    """Write a constant that may be infinite or not a number.

    >>> finite_or_not(2.5), finite_or_not(math.inf)
    (Number(value=2.5), Binary(operator='*', left=Number(value=1e+308), right=Number(value=10.0)))
    """
    if math.isfinite(value):
        return Number(value)
    if math.isnan(value):
        return _NOT_A_NUMBER
    return _INFINITY if value > 0.0 else Unary("-", _INFINITY)


def plus(terms: Sequence[Node]) -> Node:
    """Add, leaving zeros out.

    >>> plus((Name("a"), Number(0.0), Name("b")))
    Binary(operator='+', left=Name(name='a'), right=Name(name='b'))
    """
    kept = [term for term in terms if term != _ZERO]
    return reduce(lambda a, b: Binary("+", a, b), kept) if kept else _ZERO


def minus(node: Node) -> Node:
    """Turn the sign.

    >>> minus(Number(2.0))
    Number(value=-2.0)
    """
    if isinstance(node, Number):
        return Number(-node.value)
    return node.operand if isinstance(node, Unary) and node.operator == "-" else Unary("-", node)


def times(factors: Sequence[Node]) -> Node:
    """Multiply, leaving ones out.

    >>> times((Number(1.0), Name("a")))
    Name(name='a')
    """
    kept = [factor for factor in factors if factor != _ONE]
    return reduce(lambda a, b: Binary("*", a, b), kept) if kept else _ONE


def _chain(operator: str, empty: Node) -> Callable[[Sequence[Node]], Node]:
    def build(parts: Sequence[Node]) -> Node:
        return reduce(lambda a, b: Binary(operator, a, b), parts) if parts else empty

    return build


def _truth(node: Node) -> Node:
    return Binary("!=", node, _ZERO)


def _exclusive(parts: Sequence[Node]) -> Node:
    return reduce(lambda a, b: Binary("!=", a, b), map(_truth, parts)) if parts else _ZERO


def _comparison(operator: str) -> Callable[[Sequence[Node]], Node]:
    def build(parts: Sequence[Node]) -> Node:
        pairs = [Binary(operator, a, b) for a, b in pairwise(parts)]
        return reduce(lambda a, b: Binary("and", a, b), pairs) if pairs else _ONE

    return build


def _function(name: str) -> Callable[[Sequence[Node]], Node]:
    return lambda parts: Call(name, tuple(parts))


def _reciprocal(name: str) -> Callable[[Sequence[Node]], Node]:
    return lambda parts: Binary("/", _ONE, Call(name, (parts[0],)))


def _of_reciprocal(name: str) -> Callable[[Sequence[Node]], Node]:
    return lambda parts: Call(name, (Binary("/", _ONE, parts[0]),))


def _smallest_or_largest(name: str) -> Callable[[Sequence[Node]], Node]:
    return lambda parts: reduce(lambda a, b: Call(name, (a, b)), parts)


def _difference(parts: Sequence[Node]) -> Node:
    if len(parts) == 1:
        return minus(parts[0])
    return Binary("-", parts[0], parts[1])


def _root(parts: Sequence[Node]) -> Node:
    *degree, base = parts
    if not degree or degree[0] == Number(2.0):
        return Call("sqrt", (base,))
    return Binary("^", base, Binary("/", _ONE, degree[0]))


def _logarithm(parts: Sequence[Node]) -> Node:
    *base, value = parts
    if not base or base[0] == Number(10.0):
        return Call("log10", (value,))
    return Binary("/", Call("log", (value,)), Call("log", (base[0],)))


def _quotient(parts: Sequence[Node]) -> Node:
    ratio = Binary("/", parts[0], parts[1])
    return Piecewise(((Call("ceil", (ratio,)), Binary("<", ratio, _ZERO)),), Call("floor", (ratio,)))


def _remainder(parts: Sequence[Node]) -> Node:
    return Binary("-", parts[0], Binary("*", parts[1], _quotient(parts)))


def _implication(parts: Sequence[Node]) -> Node:
    return Binary("or", Unary("not", parts[0]), parts[1])


def _piecewise(parts: Sequence[Node]) -> Node:
    values, conditions = parts[0 : len(parts) - 1 : 2], parts[1::2]
    otherwise = parts[-1] if len(parts) % 2 else _NOT_A_NUMBER
    result = otherwise
    branches = tuple(zip(values, conditions, strict=True))
    # Long chains are nested, because one node takes a limited number of branches.
    for start in reversed(range(0, len(branches), MAX_ARGUMENTS)):
        result = Piecewise(branches[start : start + MAX_ARGUMENTS], result)
    return result


_ANY = (0, 10**6)
#: Per kind of node: how it is built and how many arguments it takes. The names are libSBML's, without AST_.
_BUILDERS: dict[str, tuple[Callable[[Sequence[Node]], Node], tuple[int, int]]] = {
    "PLUS": (_chain("+", _ZERO), _ANY),
    "TIMES": (_chain("*", _ONE), _ANY),
    "MINUS": (_difference, (1, 2)),
    "DIVIDE": (_chain("/", _ONE), (2, 2)),
    "POWER": (_chain("^", _ONE), (2, 2)),
    "FUNCTION_POWER": (_chain("^", _ONE), (2, 2)),
    "LOGICAL_AND": (lambda parts: _chain("and", _ONE)(parts if len(parts) != 1 else [_truth(parts[0])]), _ANY),
    "LOGICAL_OR": (lambda parts: _chain("or", _ZERO)(parts if len(parts) != 1 else [_truth(parts[0])]), _ANY),
    "LOGICAL_XOR": (_exclusive, _ANY),
    "LOGICAL_NOT": (lambda parts: Unary("not", parts[0]), (1, 1)),
    "LOGICAL_IMPLIES": (_implication, (2, 2)),
    "RELATIONAL_EQ": (_comparison("=="), _ANY),
    "RELATIONAL_NEQ": (_comparison("!="), (2, 2)),
    "RELATIONAL_LT": (_comparison("<"), _ANY),
    "RELATIONAL_LEQ": (_comparison("<="), _ANY),
    "RELATIONAL_GT": (_comparison(">"), _ANY),
    "RELATIONAL_GEQ": (_comparison(">="), _ANY),
    "FUNCTION_PIECEWISE": (_piecewise, _ANY),
    "FUNCTION_ROOT": (_root, (1, 2)),
    "FUNCTION_LOG": (_logarithm, (1, 2)),
    "FUNCTION_LN": (_function("log"), (1, 1)),
    "FUNCTION_QUOTIENT": (_quotient, (2, 2)),
    "FUNCTION_REM": (_remainder, (2, 2)),
    "FUNCTION_MAX": (_smallest_or_largest("max"), (1, 10**6)),
    "FUNCTION_MIN": (_smallest_or_largest("min"), (1, 10**6)),
    "FUNCTION_ABS": (_function("abs"), (1, 1)),
    "FUNCTION_CEILING": (_function("ceil"), (1, 1)),
    "FUNCTION_FLOOR": (_function("floor"), (1, 1)),
    "FUNCTION_EXP": (_function("exp"), (1, 1)),
    "FUNCTION_FACTORIAL": (_function("factorial"), (1, 1)),
}
for _name in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
    _BUILDERS[f"FUNCTION_{_name.upper()}"] = (_function(_name), (1, 1))
    _BUILDERS[f"FUNCTION_ARC{_name.upper()}"] = (_function(f"a{_name}"), (1, 1))
for _name, _other in (
    ("csc", "sin"),
    ("sec", "cos"),
    ("cot", "tan"),
    ("csch", "sinh"),
    ("sech", "cosh"),
    ("coth", "tanh"),
):
    _BUILDERS[f"FUNCTION_{_name.upper()}"] = (_reciprocal(_other), (1, 1))
    _BUILDERS[f"FUNCTION_ARC{_name.upper()}"] = (_of_reciprocal(f"a{_other}"), (1, 1))


@lru_cache(maxsize=1)
def _kinds() -> Mapping[int, str]:
    import libsbml

    return {getattr(libsbml, name): name[4:] for name in dir(libsbml) if name.startswith("AST_")}


def _check_size(root: Node) -> None:
    if sum(1 for _ in islice(nodes(root), MAX_MATH_NODES + 1)) > MAX_MATH_NODES:
        raise _TooLargeError


def _shown(kind: str) -> str:
    return {"FUNCTION_RATE_OF": "rateOf"}.get(kind, kind.rpartition("FUNCTION_")[2].lower())


def _number(node: Any, kind: str) -> Node:
    if kind == "REAL_E":
        # mantissa * 10^exponent as libSBML multiplies it may miss the nearest number by a digit
        return finite_or_not(float(f"{node.getMantissa()!r}e{node.getExponent()}"))
    if kind == "RATIONAL":
        return Binary("/", Number(float(node.getNumerator())), Number(float(node.getDenominator())))
    return finite_or_not(float(node.getInteger() if kind == "INTEGER" else node.getValue()))


_NUMBERS = frozenset({"INTEGER", "REAL", "REAL_E", "RATIONAL"})
_CONSTANTS = {"CONSTANT_E": math.e, "CONSTANT_PI": math.pi, "CONSTANT_TRUE": 1.0, "CONSTANT_FALSE": 0.0}


class _TooLargeError(Exception):
    """Ends the reading of one formula."""


@final
@dataclass(slots=True)
class Mathematics:
    """What formulas of one file may refer to, and the faults found in them.

    Parameters
    ----------
    names : dict of str to str
        Id in the file -> name in the network.
    functions : dict of str to object
        libSBML's function definitions by id.
    file : str or None
        Name of the file, for messages.
    faults : list of Message
        Grows while formulas are read.
    """

    names: dict[str, str]
    functions: dict[str, Any]
    file: str | None = None
    faults: list[Message] = field(default_factory=list)
    _local: Mapping[str, str] = field(default_factory=dict)
    _steps: int = 0  # nodes read of the formula at hand, those of functions each time they are called

    def refuse(self, code: str, line: int | None, /, **values: Value) -> Node:
        """Note a fault; the tree goes on with 0 in its place, so that every fault of a file is found."""
        fault = error(f"sbml.{code}", source=None, place=Place(file=self.file, line=line or None), **values)
        if fault not in self.faults:
            self.faults.append(fault)
        return _ZERO

    def tree(self, element: Any, where: str, local: Mapping[str, str] | None = None) -> Node:
        """Read the formula of an element such as a rule or a kinetic law.

        Parameters
        ----------
        element : object
            Anything of libSBML that has `getMath` and `getLine`.
        where : str
            What the formula belongs to, for messages.
        local : mapping of str to str, optional
            Names that hide those of the model.
        """
        line = int(element.getLine())
        math_ = element.getMath()
        if math_ is None:
            return self.refuse("formula-missing", line, where=where)
        self._steps, self._local = 0, local or {}
        try:
            result = self._node(math_, None, where, line, 0, ())
            _check_size(result)
        except _TooLargeError:
            return self.refuse("formula-too-large", line, where=where, limit=MAX_MATH_NODES)
        return result

    def _node(
        self, node: Any, bound: Mapping[str, Node] | None, where: str, line: int, depth: int, inside: tuple[str, ...]
    ) -> Node:
        kind = _kinds().get(node.getType(), "UNKNOWN")
        self._steps += 1
        if self._steps > MAX_MATH_NODES:
            raise _TooLargeError
        if depth > MAX_MATH_DEPTH:
            return self.refuse("formula-too-deep", line, where=where, limit=MAX_MATH_DEPTH)
        if kind in _NUMBERS:
            return _number(node, kind)
        if kind in _CONSTANTS:
            return Number(_CONSTANTS[kind])
        if kind == "NAME_TIME":
            return Name(TIME)
        if kind == "NAME_AVOGADRO":
            return Number(float(node.getValue()))
        if kind == "NAME":
            return self._named(str(node.getName()), bound, where, line)
        if kind not in _BUILDERS and kind != "FUNCTION":
            # The name a file gives to a symbol is free; what the symbol means is in its kind.
            shown = str(node.getName() or "") if kind in ("UNKNOWN", "CSYMBOL_FUNCTION") else _shown(kind)
            return self.refuse("unsupported-function", line, where=where, function=shown)
        parts = []
        for i in range(node.getNumChildren()):
            parts.append(self._node(node.getChild(i), bound, where, line, depth + 1, inside))
        if kind == "FUNCTION":
            return self._called(str(node.getName()), parts, where, line, depth, inside)
        build, (least, most) = _BUILDERS[kind]
        if not least <= len(parts) <= most:
            return self.refuse("argument-count", line, where=where, function=kind.lower(), count=len(parts))
        return build(parts)

    def _named(self, name: str, bound: Mapping[str, Node] | None, where: str, line: int) -> Node:
        # Within a function only its arguments are known.
        if bound is not None and name in bound:
            return bound[name]
        own = self._local.get(name) or self.names.get(name) if bound is None else None
        return self.refuse("undefined-name", line, where=where, name=name) if own is None else Name(own)

    def _called(
        self, name: str, arguments: list[Node], where: str, line: int, depth: int, inside: tuple[str, ...]
    ) -> Node:
        function = self.functions.get(name)
        if function is None:
            return self.refuse("unknown-function", line, where=where, function=name)
        if name in inside:
            return self.refuse("recursive-function", int(function.getLine()), function=name)
        if function.getBody() is None:
            return self.refuse("formula-missing", int(function.getLine()), where=name)
        count = function.getNumArguments()
        if count != len(arguments):
            return self.refuse("argument-count", line, where=where, function=name, count=len(arguments))
        for argument in arguments:
            _check_size(argument)
        bound = {str(function.getArgument(i).getName()): arguments[i] for i in range(count)}
        return self._node(function.getBody(), bound, name, int(function.getLine()), depth + 1, (*inside, name))
