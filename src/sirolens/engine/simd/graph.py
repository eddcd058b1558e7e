# SPDX-License-Identifier: Apache-2.0
"""Turns formulas into one graph of operations: nothing is computed twice, and little that need not be computed at all.

Equal subexpressions become one node. What depends on parameters only is a constant of a lane (computed once per
patient). Powers become exponentials of logarithms, x^y = exp(y log x), so that

- powers of one base share its logarithm,
- a product of powers, or a power of such a product, costs one exponential,
- whole exponents up to 16 are multiplications, halves square roots.

Factors of a product are reordered (constants first), division by a constant becomes multiplication by its
reciprocal. Results differ from the formula as written by a few units in the last place, and never between processors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, final

from sirolens.engine.expression import Binary, Call, Expression, Name, Node, Number, Piecewise, Unary
from sirolens.engine.expression_tree import fold

__all__ = ["SUPPORTED", "Graph", "Operation"]

#: Functions of the expression language that lanes have.
SUPPORTED = frozenset({"exp", "log", "log10", "sqrt", "abs", "floor", "ceil", "tanh", "pow", "min", "max"})
_LARGEST_WHOLE_EXPONENT = 16
_COMPARE = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
    "and": "both",
    "or": "either",
}
_CALLS = {"abs": "absolute", "min": "smaller", "max": "larger"}
_PARAMETER_LEAVES = ("number", "parameter")


class Operation(NamedTuple):
    """What one node does: its name, the number or name it stands for, the places of its operands."""

    name: str
    text: str = ""
    on: tuple[int, ...] = ()


@final
class Graph:
    """Nodes, each known by its place; operands stand before what uses them.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> graph = Graph()
    >>> leaves = {name: graph.leaf("state", name) for name in "xy"}
    >>> graph.add(parse("x*y + exp(x*y)").root, leaves)
    4
    >>> [(operation.name, *operation.on) for operation in graph.nodes[2:]]
    [('*', 0, 1), ('exp', 2), ('+', 2, 3)]
    """

    def __init__(self) -> None:
        self.nodes: list[Operation] = []
        self._places: dict[Operation, int] = {}
        self._constant: list[bool] = []

    def _place(self, operation: Operation) -> int:
        found = self._places.get(operation)
        if found is None:
            found = self._places[operation] = len(self.nodes)
            self.nodes.append(operation)
            varying = not operation.on and operation.name not in _PARAMETER_LEAVES
            self._constant.append(not varying and all(map(self.is_constant, operation.on)))
        return found

    def is_constant(self, place: int) -> bool:
        """Say whether a node depends on parameters only."""
        return self._constant[place]

    def leaf(self, kind: str, name: str) -> int:
        """A value given from outside: a ``parameter``, ``state``, ``input`` or the ``time``."""
        return self._place(Operation(kind, name))

    def number(self, value: float) -> int:
        """A number written in a formula."""
        return self._place(Operation("number", repr(float(value))))  # as text, because 0.0 == -0.0

    def value(self, place: int) -> float | None:
        """The number a node is; None for any other node."""
        operation = self.nodes[place]
        return float(operation.text) if operation.name == "number" else None

    def call(self, name: str, *arguments: int) -> int:
        """An operation on nodes, simplified where that is exact or safe."""
        a = arguments[0]
        operation = self.nodes[a]
        if name in ("log", "log_size") and operation.name == "exp":
            return operation.on[0]
        if name == "signed" and operation.name == "exp":
            return self.number(1.0)
        if name in ("neg", "+", "-", "*", "/"):
            return self._arithmetic(name, arguments)
        return self._place(Operation(name, on=arguments))

    def _arithmetic(self, name: str, arguments: tuple[int, ...]) -> int:
        values = [self.value(place) for place in arguments]
        a, b = values[0], values[-1]
        if name == "neg":
            if a is not None:
                return self.number(-a)
        elif a is not None and b is not None:
            if name != "/":
                return self.number({"+": a + b, "-": a - b, "*": a * b}[name])
            if b != 0.0:
                return self.number(a / b)
        elif b == 1.0 and name in ("*", "/"):
            return arguments[0]
        elif a == 1.0 and name == "*":
            return arguments[1]
        elif a == -1.0 and name == "*":
            return self._place(Operation("neg", on=arguments[1:]))
        elif name == "/" and self.is_constant(arguments[1]) and not self.is_constant(arguments[0]):
            reciprocal = self._arithmetic("/", (self.number(1.0), arguments[1]))
            return self._place(Operation("*", on=(arguments[0], reciprocal)))
        return self._place(Operation(name, on=arguments))

    def power(self, base: int, exponent: int) -> int:
        """base^exponent."""
        value = self.value(exponent)
        if value is not None:
            size = abs(value)
            if size.is_integer() and size <= _LARGEST_WHOLE_EXPONENT:
                whole = self._whole_power(base, int(size))
                return whole if value >= 0.0 else self.call("/", self.number(1.0), whole)
            if size == 0.5:
                root = self.call("sqrt", base)
                return root if value > 0.0 else self.call("/", self.number(1.0), root)
            if not size.is_integer():  # a negative base has no such power, and log says so
                return self.call("exp", self.call("*", exponent, self.call("log", base)))
        size_power = self.call("exp", self.call("*", exponent, self.call("log_size", base)))
        return self.call("*", size_power, self.call("signed", base, self.call("whole_sign", exponent)))

    def _whole_power(self, base: int, exponent: int) -> int:
        result, square = None, base
        while exponent:
            if exponent & 1:
                result = square if result is None else self.call("*", result, square)
            exponent >>= 1
            square = self.call("*", square, square) if exponent else square
        return self.number(1.0) if result is None else result

    def add(self, root: Node, leaves: Mapping[str, int]) -> int:
        """Take in a formula whose names are given nodes; its own node."""

        def combine(node: Node, parts: tuple[int, ...]) -> int:
            match node:
                case Number(value):
                    return self.number(value)
                case Name(name):
                    return leaves[name]
                case Unary(operator):
                    return self.call("neg" if operator == "-" else "negation", parts[0])
                case Binary("^") | Call("pow"):
                    return self.power(*parts)
                case Binary(operator):
                    return self.call(_COMPARE.get(operator, operator), *parts)
                case Call(function):
                    result = parts[0] if len(parts) > 1 else self.call(_CALLS.get(function, function), parts[0])
                    for other in parts[1:]:
                        result = self.call(_CALLS[function], result, other)
                    return result
                case Piecewise():
                    result = parts[-1]
                    for value, condition in reversed(list(zip(parts[:-1:2], parts[1:-1:2], strict=True))):
                        result = self.call("choose", condition, value, result)
                    return result

        return fold(root, combine)

    def extend(self, formulas: Mapping[str, Expression], leaves: dict[str, int]) -> None:
        """Take in named formulas in their order; each name is a node from then on."""
        for name, formula in formulas.items():
            leaves[name] = self.add(formula.root, leaves)

    def needed(self, roots: Iterable[int]) -> list[int]:
        """The nodes that roots are made of, operands first, each just before it is first wanted."""
        done: dict[int, None] = {}
        for root in roots:
            waiting = [(root, False)]
            while waiting:
                place, ready = waiting.pop()
                if place in done:
                    continue
                below = self.nodes[place].on
                if ready or not below:
                    done[place] = None
                else:
                    waiting.append((place, True))
                    waiting.extend((other, False) for other in reversed(below))
        return list(done)

    def uses(self, roots: Sequence[int]) -> Counter[int]:
        """How often each node is an operand or a root."""
        count = Counter(roots)
        for place in self.needed(roots):
            count.update(self.nodes[place].on)
        return count
