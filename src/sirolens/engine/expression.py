# SPDX-License-Identifier: Apache-2.0
"""The one small, safe expression language: model files' formulas and the equations of user models.

A formula is read once into an `Expression`, and then evaluated on arrays, differentiated, printed, or turned into
Python text for a generated kernel. The grammar stands in `sirolens.engine.expression_parser`, the tree in
`sirolens.engine.expression_tree`. Evaluation walks the tree; no text is ever run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression_code import PRELUDE, python_text
from sirolens.engine.expression_derivative import differentiate
from sirolens.engine.expression_parser import MAX_DEPTH, MAX_LENGTH, MAX_NESTING, is_forbidden_name, read
from sirolens.engine.expression_tree import (
    COMPARISONS,
    FUNCTIONS,
    Binary,
    Call,
    Name,
    Node,
    Number,
    Piecewise,
    Unary,
    fold,
    nodes,
    print_node,
)
from sirolens.engine.kernel import kernel
from sirolens.errors import ExpressionError
from sirolens.message import error

__all__ = [
    "FUNCTIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_NESTING",
    "PRELUDE",
    "Binary",
    "Call",
    "Expression",
    "Name",
    "Node",
    "Number",
    "Piecewise",
    "Unary",
    "derivative",
    "evaluate",
    "is_forbidden_name",
    "parse",
    "to_python",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that has been read; two are equal when they print alike.

    Parameters
    ----------
    root : Node
        The tree.

    Attributes
    ----------
    printed : str
        Text that parses back to the same tree.
    names : frozenset of str
        The names it uses.

    Examples
    --------
    >>> clearance = parse("4.06*(WT/16)**1.23")
    >>> clearance.printed, sorted(clearance.names)
    ('4.06 * (WT / 16)^1.23', ['WT'])
    """

    root: Node = field(compare=False, repr=False)
    printed: str = field(init=False)
    names: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "printed", print_node(self.root))
        names = frozenset(node.name for node in nodes(self.root) if isinstance(node, Name))
        object.__setattr__(self, "names", names)

    def __str__(self) -> str:
        return self.printed


def parse(text: str, known: Collection[str] | None = None) -> Expression:
    """Read a formula.

    Parameters
    ----------
    text : str
        The formula, at most `MAX_LENGTH` characters.
    known : collection of str, optional
        The names it may use. Without it every name is accepted that is no word of Python and neither begins nor
        ends with two underscores.

    Raises
    ------
    ExpressionError
        With formula, position (counted from 1), offending text and, by its code, what was expected.

    Examples
    --------
    >>> parse("12.2 * 0.63^(AST > 37) * (1 - 0.388*AGE/44)").printed
    '12.2 * 0.63^(AST > 37) * (1 - 0.388 * AGE / 44)'
    >>> parse("WT + HCT", known=["WT"])
    Traceback (most recent call last):
    ...
    sirolens.errors.ExpressionError: expression.undefined-name(formula=WT + HCT, found=HCT, known=WT, position=6)
    """
    return Expression(read(text, known))


@kernel
def _transcendental(code: int, a: Array, b: Array, out: Array) -> None:
    # Inside a kernel, because NumPy's own exp, log and power change their last digit with the processor.
    for i in range(out.size):
        if code == 0:
            out[i] = np.exp(a[i])
        elif code == 1:
            out[i] = np.log(a[i])
        elif code == 2:
            out[i] = np.log10(a[i])
        elif code == 3:
            out[i] = np.tanh(a[i])
        elif code == 5:
            out[i] = np.sin(a[i])
        elif code == 6:
            out[i] = np.cos(a[i])
        elif code == 7:
            out[i] = np.tan(a[i])
        elif code == 8:
            out[i] = np.arcsin(a[i])
        elif code == 9:
            out[i] = np.arccos(a[i])
        elif code == 10:
            out[i] = np.arctan(a[i])
        elif code == 11:
            out[i] = np.sinh(a[i])
        elif code == 12:
            out[i] = np.cosh(a[i])
        elif code == 13:
            out[i] = np.arcsinh(a[i])
        elif code == 14:
            out[i] = np.arccosh(a[i])
        elif code == 15:
            out[i] = np.arctanh(a[i])
        elif code == 16:
            out[i] = np.nan
            if a[i] >= 0.0 and a[i] == np.floor(a[i]):
                out[i] = 1.0
                # 171! is beyond the largest number; the loop ends there even for an infinite argument.
                for factor in range(2, int(min(a[i], 171.0)) + 1):
                    out[i] *= factor
        else:
            out[i] = a[i] ** b[i]


_NAMES = "exp log log10 tanh pow sin cos tan asin acos atan sinh cosh asinh acosh atanh factorial"
_CODES = {name: code for code, name in enumerate(_NAMES.split())}


def _in_kernel(function: str, a: Array, b: Array | None = None) -> Array:
    first, second = np.broadcast_arrays(a, a if b is None else b)
    out = np.empty(first.shape)
    # Copies: a broadcast view may be contiguous and yet must not be handed on (NumPy warns when its flags are read).
    flat = np.array(first, dtype=np.float64).ravel(), np.array(second, dtype=np.float64).ravel()
    _transcendental(_CODES[function], *flat, out.reshape(-1))
    return out


def _unless_missing(value: Array, *inputs: Array) -> Array:
    missing = np.isnan(inputs[0])
    for other in inputs[1:]:
        missing = missing | np.isnan(other)
    return np.where(missing, np.nan, value)


_COMPARE = dict(
    zip(COMPARISONS, (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal), strict=True)
)
_ARITHMETIC = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_EXACT = {"sqrt": np.sqrt, "abs": np.abs, "floor": np.floor, "ceil": np.ceil}


def _binary(operator: str, a: Array, b: Array) -> Array:
    if operator in _ARITHMETIC:
        return np.asarray(_ARITHMETIC[operator](a, b))
    if operator == "^":
        return _in_kernel("pow", a, b)
    if operator in _COMPARE:
        return _unless_missing(_COMPARE[operator](a, b), a, b)
    both = (a != 0.0) & (b != 0.0) if operator == "and" else (a != 0.0) | (b != 0.0)
    return _unless_missing(both, a, b)


def _called(function: str, arguments: tuple[Array, ...]) -> Array:
    if function in _EXACT:
        return np.asarray(_EXACT[function](arguments[0]))
    if function in _CODES:
        return _in_kernel(function, *arguments)
    smaller_or_larger = np.minimum if function == "min" else np.maximum
    result = arguments[0]
    for other in arguments[1:]:
        result = np.asarray(smaller_or_larger(result, other))
    return result


def _chosen(parts: tuple[Array, ...]) -> Array:
    result = parts[-1]
    for value, condition in reversed(list(zip(parts[:-1:2], parts[1:-1:2], strict=True))):
        result = _unless_missing(np.where(condition != 0.0, value, result), condition)
    return result


def evaluate(expression: Expression, values: Mapping[str, ArrayLike]) -> Array:
    """Evaluate a formula on numbers or arrays.

    Parameters
    ----------
    expression : Expression
        The formula.
    values : mapping of str to array_like
        A number or array for every name it uses; they broadcast against each other. Others are ignored.

    Returns
    -------
    ndarray
        In the shape to which the used values broadcast; not-a-number where an input it needs is not a number,
        infinite or not-a-number where the mathematics is (1/0, log(-1)).

    Raises
    ------
    ExpressionError
        ``expression.value-missing`` when a name has no value, ``expression.value-unusable`` when it is no number.

    Examples
    --------
    >>> float(evaluate(parse("8.59*(WT/70)^0.75"), {"WT": 70}))
    8.59
    >>> evaluate(parse("if(AGE < 18, 1, 2)"), {"AGE": [10.0, float("nan"), 30.0]})
    array([ 1., nan,  2.])
    """

    def combine(node: Node, parts: tuple[Array, ...]) -> Array:
        match node:
            case Number(value):
                return np.asarray(value, dtype=np.float64)
            case Name(name):
                return _value(expression, name, values)
            case Unary("not"):
                return _unless_missing(parts[0] == 0.0, parts[0])
            case Unary():
                return np.negative(parts[0])
            case Binary(operator):
                return _binary(operator, *parts)
            case Call(function):
                return _called(function, parts)
            case Piecewise():
                return _chosen(parts)

    with np.errstate(all="ignore"):
        return np.asarray(fold(expression.root, combine), dtype=np.float64)


def _value(expression: Expression, name: str, values: Mapping[str, ArrayLike]) -> Array:
    if name not in values:
        raise ExpressionError(error("expression.value-missing", formula=expression.printed, found=name))
    try:
        return np.asarray(values[name], dtype=np.float64)
    except (TypeError, ValueError):
        shown = repr(values[name])[:80]
        raise ExpressionError(
            error("expression.value-unusable", formula=expression.printed, found=shown, name=name)
        ) from None


def derivative(expression: Expression, name: str) -> Expression:
    """Differentiate a formula with respect to one name.

    Comparisons, `floor` and `ceil` count as locally constant; `abs`, `min`, `max` and piecewise values take the
    derivative of the branch that is in force. Zeros and ones that appear are dropped, nothing else is simplified.

    Examples
    --------
    >>> derivative(parse("Vm*A/(Km + A)"), "A").printed
    '(Vm * (Km + A) - Vm * A) / (Km + A)^2'
    """
    return Expression(differentiate(expression.root, name))


def to_python(expression: Expression, rename: Mapping[str, str] | None = None) -> str:
    """Write a formula as one Python expression for a generated kernel.

    Parameters
    ----------
    expression : Expression
        The formula.
    rename : mapping of str to str, optional
        What to write for a name, such as ``{"A": "y[0]"}``; a name not in it is written as it is.

    Returns
    -------
    str
        Text in terms of the names, `math`, and the functions defined by `PRELUDE`.

    Raises
    ------
    ExpressionError
        ``expression.forbidden-name`` when a name that is not renamed is unfit as a Python variable.

    Examples
    --------
    >>> to_python(parse("if(A > 2, exp(-k*A), A^2)"), {"A": "y[0]"})
    'choose(greater(y[0], 2.0), math.exp(-k * y[0]), y[0] ** 2)'
    """
    return python_text(expression.root, rename or {})
