# SPDX-License-Identifier: Apache-2.0
"""The tree of a formula: six kinds of node, a walk that never recurses, and printing that keeps the meaning.

========== ============================================ =======================================
node       meaning                                      printed as
========== ============================================ =======================================
Number     a finite constant                            ``0.5``
Name       a value given from outside                   ``WT``
Unary      ``-`` or ``not``                             ``-x``
Binary     ``+ - * / ^``, a comparison, ``and``, ``or`` ``a + b``
Call       one of `FUNCTIONS`                           ``exp(x)``
Piecewise  the first value whose condition holds        ``if(c, a, b)``, ``piecewise(a, c, b)``
========== ============================================ =======================================

Truth is a number: a comparison gives 1 or 0, and any number other than 0 counts as true. A value that is not a
number stays so: comparing it, or choosing by it, gives not-a-number, so that a missing covariate cannot silently
choose a branch.

Compilers of other languages build these nodes directly; the classes take their fields in the order shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from sirolens.errors import ExpressionError
from sirolens.message import error

__all__ = [
    "ARITHMETIC",
    "COMPARISONS",
    "FUNCTIONS",
    "LOGIC",
    "MAX_ARGUMENTS",
    "Arity",
    "Binary",
    "Call",
    "Name",
    "Node",
    "Number",
    "Piecewise",
    "Unary",
    "children",
    "fold",
    "nodes",
    "print_node",
    "substituted",
]

ARITHMETIC = ("+", "-", "*", "/", "^")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
LOGIC = ("and", "or")


@dataclass(frozen=True, slots=True)
class Arity:
    """How many arguments a function takes."""

    least: int
    most: int

    def allows(self, count: int) -> bool:
        """Say whether `count` arguments fit.

        >>> Arity(2, 3).allows(5)
        False
        """
        return self.least <= count <= self.most

    def __str__(self) -> str:
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"


#: Most arguments of `min` and `max`, and most branches of a piecewise value.
MAX_ARGUMENTS = 50
#: Every function a formula may call. `log` is the natural logarithm, `log10` the decimal one; angles are in radians;
#: `factorial` is not-a-number unless its argument is a whole number from 0 on.
FUNCTIONS: dict[str, Arity] = {
    "exp": Arity(1, 1),
    "log": Arity(1, 1),
    "log10": Arity(1, 1),
    "sqrt": Arity(1, 1),
    "abs": Arity(1, 1),
    "floor": Arity(1, 1),
    "ceil": Arity(1, 1),
    "sin": Arity(1, 1),
    "cos": Arity(1, 1),
    "tan": Arity(1, 1),
    "asin": Arity(1, 1),
    "acos": Arity(1, 1),
    "atan": Arity(1, 1),
    "sinh": Arity(1, 1),
    "cosh": Arity(1, 1),
    "tanh": Arity(1, 1),
    "asinh": Arity(1, 1),
    "acosh": Arity(1, 1),
    "atanh": Arity(1, 1),
    "factorial": Arity(1, 1),
    "pow": Arity(2, 2),
    "min": Arity(2, MAX_ARGUMENTS),
    "max": Arity(2, MAX_ARGUMENTS),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite constant.

    Raises
    ------
    ExpressionError
        ``expression.not-finite`` when the value is infinite or not a number.
    """

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ExpressionError(error("expression.not-finite", found=str(self.value)))


@dataclass(frozen=True, slots=True)
class Name:
    """A value given from outside, such as a covariate, a parameter or a state."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``-`` or ``not`` before its operand."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator of `ARITHMETIC`, `COMPARISONS` or `LOGIC` between two operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS` and its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Piecewise:
    """The first value whose condition holds, else `otherwise`.

    Parameters
    ----------
    branches : tuple of (value, condition)
        In the order they are tried; at least one.
    otherwise : Node
        Taken when no condition holds.
    """

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


Node: TypeAlias = Number | Name | Unary | Binary | Call | Piecewise
T = TypeVar("T")


def children(node: Node) -> tuple[Node, ...]:
    """Return the operands of a node, left to right.

    >>> children(Binary("+", Name("a"), Number(1.0)))
    (Name(name='a'), Number(value=1.0))
    """
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Piecewise():
            return (*(part for branch in node.branches for part in branch), node.otherwise)
        case _:
            return ()


def fold(root: Node, combine: Callable[[Node, tuple[T, ...]], T]) -> T:
    """Combine a tree from its leaves up, without recursion.

    Parameters
    ----------
    root : Node
        The tree.
    combine : callable
        Takes a node and the results of its `children`, returns the node's result.

    Examples
    --------
    >>> fold(Binary("+", Name("a"), Number(1.0)), lambda node, parts: 1 + sum(parts))
    3
    """
    results: list[T] = []
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, ready = waiting.pop()
        below = children(node)
        if ready or not below:
            cut = len(results) - len(below)
            parts = tuple(results[cut:])
            del results[cut:]
            results.append(combine(node, parts))
        else:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(below))
    return results[0]


def nodes(root: Node) -> Iterator[Node]:
    """Yield every node of a tree, parents first, left to right.

    >>> [node.name for node in nodes(Binary("*", Name("a"), Name("b"))) if isinstance(node, Name)]
    ['a', 'b']
    """
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


# How tightly a node holds together, loosest first. The parser reads with the same numbers.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _NEGATIVE, _POWER, _ATOM = range(1, 10)
BINDING = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(COMPARISONS, _COMPARISON),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "^": _POWER,
}
PREFIX_BINDING = {"not": _NOT, "-": _NEGATIVE, "+": _NEGATIVE}


def print_number(value: float) -> str:
    """Write a number with the fewest digits that read back as the same number.

    >>> print_number(70.0), print_number(0.1)
    ('70', '0.1')
    """
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def _wrapped(part: tuple[str, int], least: int) -> str:
    text, binding = part
    return text if binding >= least else f"({text})"


def _print_binary(operator: str, left: tuple[str, int], right: tuple[str, int]) -> tuple[str, int]:
    binding = BINDING[operator]
    if operator == "^":
        # The right side of a power may itself start with a minus: 2^-x reads as 2^(-x).
        return f"{_wrapped(left, _ATOM)}^{_wrapped(right, _NEGATIVE)}", binding
    # Comparisons do not chain; the others group to the left.
    least_left = binding + 1 if operator in COMPARISONS else binding
    return f"{_wrapped(left, least_left)} {operator} {_wrapped(right, binding + 1)}", binding


def _printed(node: Node, parts: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    match node:
        case Number(value):
            text = print_number(value)
            return text, _NEGATIVE if text.startswith("-") else _ATOM
        case Name(name):
            return name, _ATOM
        case Unary("not"):
            return f"not {_wrapped(parts[0], _NOT)}", _NOT
        case Unary(operator):
            return f"{operator}{_wrapped(parts[0], _NEGATIVE)}", _NEGATIVE
        case Binary(operator):
            return _print_binary(operator, *parts)
        case Call(function):
            return f"{function}({', '.join(text for text, _ in parts)})", _ATOM
        case Piecewise(branches):
            texts = [text for text, _ in parts]
            if len(branches) == 1:
                return f"if({texts[1]}, {texts[0]}, {texts[2]})", _ATOM
            return f"piecewise({', '.join(texts)})", _ATOM


def print_node(root: Node) -> str:
    """Write a tree as text that parses back to the same tree.

    Examples
    --------
    >>> x = Name("x")
    >>> print_node(Unary("-", Binary("^", x, Number(2.0))))
    '-x^2'
    >>> print_node(Binary("^", Unary("-", x), Number(2.0)))
    '(-x)^2'
    """
    return fold(root, _printed)[0]


def substituted(root: Node, values: Mapping[str, Node]) -> Node:
    """Put trees in the place of names.

    >>> substituted(Binary("+", Name("a"), Name("b")), {"b": Number(2.0)})
    Binary(operator='+', left=Name(name='a'), right=Number(value=2.0))
    """

    def combine(node: Node, parts: tuple[Node, ...]) -> Node:
        match node:
            case Name(name):
                return values.get(name, node)
            case Unary(operator):
                return Unary(operator, parts[0])
            case Binary(operator):
                return Binary(operator, parts[0], parts[1])
            case Call(function):
                return Call(function, parts)
            case Piecewise():
                return Piecewise(tuple(zip(parts[:-1:2], parts[1:-1:2], strict=True)), parts[-1])
            case _:
                return node

    return fold(root, combine)
