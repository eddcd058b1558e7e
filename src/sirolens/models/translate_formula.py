# SPDX-License-Identifier: Apache-2.0
"""Writes formulas in the languages of other programs: NONMEM's abbreviated code and C++.

Abbreviated code has no conditional expression, so a choice or a comparison becomes statements before the line that
uses it. Every number carries a decimal point, because in both languages 1/3 is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from sirolens.engine.expression import Binary, Call, Expression, Name, Node, Number, Piecewise, Unary
from sirolens.errors import ModelFileError
from sirolens.message import error

__all__ = ["Fortran", "cpp", "number_text"]

_COMPARE = {"<": "LT", "<=": "LE", ">": "GT", ">=": "GE", "==": "EQ", "!=": "NE"}
_FORTRAN = {
    "exp": "EXP",
    "log": "LOG",
    "log10": "LOG10",
    "sqrt": "SQRT",
    "abs": "ABS",
    "tanh": "TANH",
    "sin": "SIN",
    "cos": "COS",
    "tan": "TAN",
    "asin": "ASIN",
    "acos": "ACOS",
    "atan": "ATAN",
}


def number_text(value: float) -> str:
    """Write a number so that both languages read a floating-point number.

    Twelve digits: more would show rounding, such as 0.147^2 = 0.021608999999999996.

    >>> number_text(44.0), number_text(1e-7), number_text(0.147**2)
    ('44.0', '1e-07', '0.021609')
    """
    text = f"{float(value):.12g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _signed(value: float) -> str:
    text = number_text(value)
    return f"({text})" if text.startswith("-") else text


@final
class Fortran:
    """Writes formulas as abbreviated code, collecting the statements they need.

    Parameters
    ----------
    rename : mapping of str to str
        What to write for each name.
    prefix : str
        Begins the names of intermediate results; one for each block of code.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> code = Fortran({"AST": "AST"}, "PK")
    >>> code.text(parse("12.2 * 0.63^(AST > 37)")), code.lines
    ('12.2*0.63**PK1', ['IF (AST.GT.37.0) THEN', '  PK1 = 1.0', 'ELSE', '  PK1 = 0.0', 'ENDIF'])
    """

    __slots__ = ("_count", "_prefix", "_rename", "lines")

    def __init__(self, rename: Mapping[str, str], prefix: str) -> None:
        self._rename = rename
        self._prefix = prefix
        self._count = 0
        self.lines: list[str] = []

    def text(self, expression: Expression) -> str:
        """Write a formula; statements it needs are added to `lines`."""
        return self._value(expression.root, 0)

    def _new(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def _value(self, node: Node, outer: int) -> str:
        match node:
            case Number(value):
                return _signed(value)
            case Name(name):
                return self._rename[name]
            case Unary("-"):
                text = f"-{self._value(node.operand, 3)}"
                return f"({text})" if outer > 0 else text
            case Binary(operator) if operator in ("+", "-", "*", "/", "^"):
                return self._arithmetic(node, outer)
            case Call():
                return self._call(node)
            case Piecewise():
                return self._choice(node)
            case _:
                return self._truth(node)

    def _arithmetic(self, node: Binary, outer: int) -> str:
        if node.operator == "^":
            text, binding = f"{self._value(node.left, 5)}**{self._value(node.right, 5)}", 4
        elif node.operator in "*/":
            text, binding = f"{self._value(node.left, 2)}{node.operator}{self._value(node.right, 3)}", 2
        else:
            text, binding = f"{self._value(node.left, 1)} {node.operator} {self._value(node.right, 2)}", 1
        return f"({text})" if outer > binding else text

    def _call(self, node: Call) -> str:
        if node.function == "pow":
            return self._arithmetic(Binary("^", node.arguments[0], node.arguments[1]), 5)
        if node.function in _FORTRAN:
            return f"{_FORTRAN[node.function]}({self._value(node.arguments[0], 0)})"
        if node.function not in ("min", "max", "floor", "ceil"):
            raise ModelFileError(error("models.untranslatable-function", function=node.function, language="NONMEM"))
        texts = [self._value(argument, 0) for argument in node.arguments]
        name = self._new()
        if node.function in ("min", "max"):
            relation = "LT" if node.function == "min" else "GT"
            self.lines.append(f"{name} = {texts[0]}")
            self.lines += [f"IF ({text}.{relation}.{name}) {name} = {text}" for text in map(_wrapped, texts[1:])]
        else:  # floor and ceil: INT cuts towards zero
            step, relation = ("- 1.0", "GT") if node.function == "floor" else ("+ 1.0", "LT")
            self.lines += [f"{name} = INT({texts[0]})", f"IF ({name}.{relation}.{texts[0]}) {name} = {name} {step}"]
        return name

    def _condition(self, node: Node) -> str:
        match node:
            case Binary(operator) if operator in _COMPARE:
                return f"{self._value(node.left, 1)}.{_COMPARE[operator]}.{self._value(node.right, 1)}"
            case Binary(operator) if operator in ("and", "or"):
                left, right = self._condition(node.left), self._condition(node.right)
                return f"({left}).{operator.upper()}.({right})"
            case Unary("not"):
                return f".NOT.({self._condition(node.operand)})"
            case _:
                return f"{self._value(node, 1)}.NE.0.0"

    def _truth(self, node: Node) -> str:
        return self._choice(Piecewise(((Number(1.0), node),), Number(0.0)))

    def _choice(self, node: Piecewise) -> str:
        # Conditions and values first: what they need must stand before the IF that uses them.
        parts = [(self._condition(condition), self._value(value, 0)) for value, condition in node.branches]
        otherwise = self._value(node.otherwise, 0)
        name = self._new()
        for index, (condition, value) in enumerate(parts):
            word = "ELSEIF" if index else "IF"
            self.lines += [f"{word} ({condition}) THEN", f"  {name} = {value}"]
        self.lines += ["ELSE", f"  {name} = {otherwise}", "ENDIF"]
        return name


def _wrapped(text: str) -> str:
    return text if text.replace("_", "").replace(".", "").isalnum() else f"({text})"


def cpp(expression: Expression, rename: Mapping[str, str]) -> str:
    """Write a formula as a C++ expression.

    Parameters
    ----------
    expression : Expression
        The formula.
    rename : mapping of str to str
        What to write for each name.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> cpp(parse("if(WT < 40, 4.06*(WT/16)^1.23, 1)"), {"WT": "WT"})
    '(WT < 40.0 ? 4.06*pow(WT/16.0, 1.23) : 1.0)'
    """
    return _cpp(expression.root, rename, 0)


def _cpp(node: Node, rename: Mapping[str, str], outer: int) -> str:
    match node:
        case Number(value):
            return _signed(value)
        case Name(name):
            return rename[name]
        case Unary("-"):
            return f"(-{_cpp(node.operand, rename, 3)})"
        case Binary("^"):
            return f"pow({_cpp(node.left, rename, 0)}, {_cpp(node.right, rename, 0)})"
        case Binary(operator) if operator in ("*", "/"):
            text = f"{_cpp(node.left, rename, 2)}{operator}{_cpp(node.right, rename, 3)}"
            return f"({text})" if outer > 2 else text
        case Binary(operator) if operator in ("+", "-"):
            text = f"{_cpp(node.left, rename, 1)} {operator} {_cpp(node.right, rename, 2)}"
            return f"({text})" if outer > 1 else text
        case Call():
            return _cpp_call(node, rename)
        case Piecewise():
            text = _cpp(node.otherwise, rename, 0)
            for chosen, condition in reversed(node.branches):
                text = f"({_cpp_condition(condition, rename)} ? {_cpp(chosen, rename, 0)} : {text})"
            return text
        case _:
            return f"({_cpp_condition(node, rename)} ? 1.0 : 0.0)"


def _cpp_call(node: Call, rename: Mapping[str, str]) -> str:
    texts = [_cpp(argument, rename, 0) for argument in node.arguments]
    if node.function in ("min", "max"):
        result = texts[0]
        for text in texts[1:]:
            result = f"f{node.function}({result}, {text})"
        return result
    if node.function == "factorial":
        raise ModelFileError(error("models.untranslatable-function", function=node.function, language="C++"))
    return f"{'fabs' if node.function == 'abs' else node.function}({', '.join(texts)})"


def _cpp_condition(node: Node, rename: Mapping[str, str]) -> str:
    match node:
        case Binary(operator) if operator in _COMPARE:
            return f"{_cpp(node.left, rename, 1)} {operator} {_cpp(node.right, rename, 1)}"
        case Binary(operator) if operator in ("and", "or"):
            sign = "&&" if operator == "and" else "||"
            return f"({_cpp_condition(node.left, rename)}) {sign} ({_cpp_condition(node.right, rename)})"
        case Unary("not"):
            return f"!({_cpp_condition(node.operand, rename)})"
        case _:
            return f"{_cpp(node, rename, 1)} != 0.0"
