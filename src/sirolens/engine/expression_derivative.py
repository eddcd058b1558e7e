# SPDX-License-Identifier: Apache-2.0
"""Differentiates the tree of a formula, so that kernels can have exact Jacobians."""

from __future__ import annotations

from sirolens.engine.expression_tree import Binary, Call, Name, Node, Number, Piecewise, Unary, fold

__all__ = ["differentiate"]

_ZERO = Number(0.0)
_ONE = Number(1.0)
_TWO = Number(2.0)
_LOG_10 = Call("log", (Number(10.0),))


def _plus(a: Node, b: Node) -> Node:
    if a == _ZERO:
        return b
    return a if b == _ZERO else Binary("+", a, b)


def _minus(a: Node, b: Node) -> Node:
    if b == _ZERO:
        return a
    return _negative(b) if a == _ZERO else Binary("-", a, b)


def _negative(a: Node) -> Node:
    if a == _ZERO:
        return _ZERO
    return a.operand if isinstance(a, Unary) and a.operator == "-" else Unary("-", a)


def _times(a: Node, b: Node) -> Node:
    if _ZERO in (a, b):
        return _ZERO
    if a == _ONE:
        return b
    return a if b == _ONE else Binary("*", a, b)


def _over(a: Node, b: Node) -> Node:
    if a == _ZERO:
        return _ZERO
    return a if b == _ONE else Binary("/", a, b)


def _to_power(a: Node, b: Node) -> Node:
    if b == _ZERO:
        return _ONE
    return a if b == _ONE else Binary("^", a, b)


def _one_less(exponent: Node) -> Node:
    if isinstance(exponent, Number):
        return Number(exponent.value - 1.0)
    return Binary("-", exponent, _ONE)


def _power(u: Node, v: Node, du: Node, dv: Node) -> Node:
    # d(u^v) = v u^(v-1) du + u^v log(u) dv
    by_base = _times(_times(v, _to_power(u, _one_less(v))), du) if du != _ZERO else _ZERO
    by_exponent = _times(_times(_to_power(u, v), Call("log", (u,))), dv) if dv != _ZERO else _ZERO
    return _plus(by_base, by_exponent)


def _binary(node: Binary, du: Node, dv: Node) -> Node:
    u, v = node.left, node.right
    match node.operator:
        case "+":
            return _plus(du, dv)
        case "-":
            return _minus(du, dv)
        case "*":
            return _plus(_times(du, v), _times(u, dv))
        case "/" if dv == _ZERO:
            return _over(du, v)
        case "/":
            return _over(_minus(_times(du, v), _times(u, dv)), Binary("^", v, _TWO))
        case "^":
            return _power(u, v, du, dv)
        case _:
            return _ZERO


def _outer(function: str, node: Node, u: Node) -> Node:
    """Derivative of a function of one argument at u; `node` is the call itself."""
    square = Binary("^", u, _TWO)
    match function:
        case "exp":
            return node
        case "log":
            return _over(_ONE, u)
        case "log10":
            return _over(_ONE, _times(u, _LOG_10))
        case "sqrt":
            return _over(_ONE, _times(_TWO, node))
        case "tanh":
            return _minus(_ONE, Binary("^", node, _TWO))
        case "sin":
            return Call("cos", (u,))
        case "cos":
            return Unary("-", Call("sin", (u,)))
        case "tan":
            return _plus(_ONE, Binary("^", node, _TWO))
        case "asin":
            return _over(_ONE, Call("sqrt", (_minus(_ONE, square),)))
        case "acos":
            return _over(Unary("-", _ONE), Call("sqrt", (_minus(_ONE, square),)))
        case "atan":
            return _over(_ONE, _plus(_ONE, square))
        case "sinh":
            return Call("cosh", (u,))
        case "cosh":
            return Call("sinh", (u,))
        case "asinh":
            return _over(_ONE, Call("sqrt", (_plus(square, _ONE),)))
        case "acosh":
            return _over(_ONE, Call("sqrt", (_minus(square, _ONE),)))
        case "atanh":
            return _over(_ONE, _minus(_ONE, square))
        case "abs":
            return Piecewise(((Unary("-", _ONE), Binary("<", u, _ZERO)),), _ONE)
        case _:  # floor, ceil and factorial are constant between their jumps
            return _ZERO


def _call(node: Call, inner: tuple[Node, ...]) -> Node:
    arguments = node.arguments
    if node.function == "pow":
        return _power(arguments[0], arguments[1], inner[0], inner[1])
    if node.function in ("min", "max"):
        operator = "<=" if node.function == "min" else ">="
        value, slope = arguments[0], inner[0]
        for other, other_slope in zip(arguments[1:], inner[1:], strict=True):
            if slope != _ZERO or other_slope != _ZERO:
                slope = Piecewise(((slope, Binary(operator, value, other)),), other_slope)
            value = Call(node.function, (value, other))
        return slope
    if inner[0] == _ZERO:
        return _ZERO
    return _times(_outer(node.function, node, arguments[0]), inner[0])


def differentiate(root: Node, name: str) -> Node:
    """Differentiate a tree; see `sirolens.engine.expression.derivative`."""

    def combine(node: Node, inner: tuple[Node, ...]) -> Node:
        match node:
            case Name(own):
                return _ONE if own == name else _ZERO
            case Unary("-"):
                return _negative(inner[0])
            case Binary():
                return _binary(node, *inner)
            case Call():
                return _call(node, inner)
            case Piecewise(branches):
                slopes = inner[:-1:2]
                if inner[-1] == _ZERO and all(slope == _ZERO for slope in slopes):
                    return _ZERO
                kept = tuple((slope, condition) for slope, (_, condition) in zip(slopes, branches, strict=True))
                return Piecewise(kept, inner[-1])
            case _:  # numbers and truth values
                return _ZERO

    return fold(root, combine)
