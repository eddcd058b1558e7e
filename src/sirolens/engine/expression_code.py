# SPDX-License-Identifier: Apache-2.0
"""Turns the tree of a formula into Python text for kernels that are generated into a file."""

from __future__ import annotations

from collections.abc import Mapping

from sirolens.engine.expression_parser import is_forbidden_name
from sirolens.engine.expression_tree import (
    BINDING,
    PREFIX_BINDING,
    Binary,
    Call,
    Name,
    Node,
    Number,
    Piecewise,
    Unary,
    fold,
)
from sirolens.errors import ExpressionError
from sirolens.message import error

__all__ = ["PRELUDE", "python_text"]

#: What generated text relies on. It stands at the top of every generated file, and compiles to a few instructions.
PRELUDE = """
import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def less(a, b):
    if a != a or b != b:
        return math.nan
    return 1.0 if a < b else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def less_equal(a, b):
    if a != a or b != b:
        return math.nan
    return 1.0 if a <= b else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def greater(a, b):
    return less(b, a)


@njit(cache=True, nogil=True, error_model="numpy")
def greater_equal(a, b):
    return less_equal(b, a)


@njit(cache=True, nogil=True, error_model="numpy")
def equal(a, b):
    if a != a or b != b:
        return math.nan
    return 1.0 if a == b else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def negation(a):
    if a != a:
        return math.nan
    return 1.0 if a == 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def not_equal(a, b):
    return negation(equal(a, b))


@njit(cache=True, nogil=True, error_model="numpy")
def both(a, b):
    if a != a or b != b:
        return math.nan
    return 1.0 if a != 0.0 and b != 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def either(a, b):
    if a != a or b != b:
        return math.nan
    return 1.0 if a != 0.0 or b != 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def choose(condition, value, otherwise):
    if condition != condition:
        return math.nan
    return value if condition != 0.0 else otherwise


@njit(cache=True, nogil=True, error_model="numpy")
def smaller(a, b):
    if a != a or b != b:
        return math.nan
    return a if a < b else b


@njit(cache=True, nogil=True, error_model="numpy")
def larger(a, b):
    if a != a or b != b:
        return math.nan
    return a if a > b else b


@njit(cache=True, nogil=True, error_model="numpy")
def factorial(a):
    if not (a >= 0.0 and a == np.floor(a)):
        return math.nan
    result = 1.0
    for factor in range(2, int(min(a, 171.0)) + 1):
        result *= factor
    return result
"""

_AS_FUNCTION = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
    "and": "both",
    "or": "either",
}
_CALLS = {
    "exp": "math.exp",
    "log": "math.log",
    "log10": "math.log10",
    "sqrt": "math.sqrt",
    "abs": "abs",
    **{name: f"math.{name}" for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    **{name: f"math.{name}" for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
    "factorial": "factorial",
    # math.floor of a kernel gives an integer; NumPy's stays a float.
    "floor": "np.floor",
    "ceil": "np.ceil",
}
_ATOM = BINDING["^"] + 1
#: Whole exponents up to this size are written as integers, which a kernel multiplies out instead of calling pow.
_LARGEST_WHOLE_EXPONENT = 16


def _wrapped(part: tuple[str, int], least: int) -> str:
    text, binding = part
    return text if binding >= least else f"({text})"


def _number(value: float) -> tuple[str, int]:
    text = repr(float(value))
    return text, PREFIX_BINDING["-"] if text.startswith("-") else _ATOM


def _power(exponent: Node, left: tuple[str, int], right: tuple[str, int]) -> tuple[str, int]:
    sign, size = 1, exponent
    if isinstance(exponent, Unary) and exponent.operator == "-":
        sign, size = -1, exponent.operand
    if isinstance(size, Number) and size.value.is_integer() and abs(size.value) <= _LARGEST_WHOLE_EXPONENT:
        whole = int(sign * size.value)
        power = f"{_wrapped(left, _ATOM)} ** {abs(whole)}"
        # A negative whole power of 0 raises in a kernel, whatever its error model; a division does not.
        return (power, BINDING["^"]) if whole >= 0 else (f"1.0 / {power}", BINDING["/"])
    return f"{_wrapped(left, _ATOM)} ** {_wrapped(right, PREFIX_BINDING['-'])}", BINDING["^"]


def _binary(node: Binary, left: tuple[str, int], right: tuple[str, int]) -> tuple[str, int]:
    if node.operator == "^":
        return _power(node.right, left, right)
    if node.operator in _AS_FUNCTION:
        return f"{_AS_FUNCTION[node.operator]}({left[0]}, {right[0]})", _ATOM
    binding = BINDING[node.operator]
    return f"{_wrapped(left, binding)} {node.operator} {_wrapped(right, binding + 1)}", binding


def _call(node: Call, parts: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    if node.function == "pow":
        return _power(node.arguments[1], *parts)
    texts = [text for text, _ in parts]
    if node.function in _CALLS:
        return f"{_CALLS[node.function]}({texts[0]})", _ATOM
    pairwise = "smaller" if node.function == "min" else "larger"
    result = texts[0]
    for other in texts[1:]:
        result = f"{pairwise}({result}, {other})"
    return result, _ATOM


def python_text(root: Node, rename: Mapping[str, str]) -> str:
    """Write a tree as one Python expression; see `sirolens.engine.expression.to_python`."""

    def combine(node: Node, parts: tuple[tuple[str, int], ...]) -> tuple[str, int]:
        match node:
            case Number(value):
                return _number(value)
            case Name(name):
                if name not in rename and (is_forbidden_name(name) or not (name.isascii() and name.isidentifier())):
                    raise ExpressionError(error("expression.forbidden-name", formula=name, found=name, position=1))
                return rename.get(name, name), _ATOM
            case Unary("not"):
                return f"negation({parts[0][0]})", _ATOM
            case Unary():
                return f"-{_wrapped(parts[0], PREFIX_BINDING['-'])}", PREFIX_BINDING["-"]
            case Binary():
                return _binary(node, *parts)
            case Call():
                return _call(node, parts)
            case Piecewise():
                texts = [text for text, _ in parts]
                result = texts[-1]
                for chosen, condition in reversed(list(zip(texts[:-1:2], texts[1:-1:2], strict=True))):
                    result = f"choose({condition}, {chosen}, {result})"
                return result, _ATOM

    return fold(root, combine)[0]
