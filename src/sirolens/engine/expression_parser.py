# SPDX-License-Identifier: Apache-2.0
"""Reads the text of a formula into a tree: a tokenizer and an operator-precedence (Pratt) parser.

::

    formula    = or
    or         = and { "or" and }
    and        = not { "and" not }
    not        = "not" not | comparison
    comparison = sum [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) sum ]
    sum        = product { ( "+" | "-" ) product }
    product    = signed { ( "*" | "/" ) signed }
    signed     = ( "-" | "+" ) signed | power
    power      = atom [ ( "^" | "**" ) signed ]
    atom       = number | name | "(" formula ")" | function "(" formula { "," formula } ")"

So ``-x^2`` is ``-(x^2)``, ``2^3^2`` is ``2^(3^2)``, ``2^-x`` is ``2^(-x)``, and ``a < b < c`` is refused.
Names are ASCII letters, digits and underscores. There are no attributes, no indices, no strings and no calls outside
the list in `sirolens.engine.expression_tree`. Nothing is ever handed to Python for evaluation.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sirolens.engine.expression_tree import (
    BINDING,
    COMPARISONS,
    FUNCTIONS,
    MAX_ARGUMENTS,
    PREFIX_BINDING,
    Arity,
    Binary,
    Call,
    Name,
    Node,
    Number,
    Piecewise,
    Unary,
)
from sirolens.errors import ExpressionError
from sirolens.message import Value, error, info

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_NESTING", "is_forbidden_name", "read"]

#: Longest text of one formula, in characters; the longest published formula of this field has some 200.
MAX_LENGTH = 20_000
#: Deepest tree of one formula, counting every operator: a sum of some 300 terms.
MAX_DEPTH = 300
#: Deepest nesting of parentheses, calls, signs and powers; each level takes three of Python's 1000 frames.
MAX_NESTING = 60

_WORDS = frozenset({"and", "or", "not"})
_CHOICES = frozenset({"if", "piecewise"})
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>\*\*|<=|>=|==|!=|[-+*/^<>(),.])
    )""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "number", "name", "mark", "foreign" or "end"
    text: str
    position: int  # of its first character, counted from 1


def is_forbidden_name(name: str) -> bool:
    """Say whether a name is a word of Python or begins or ends with two underscores.

    >>> is_forbidden_name("__class__"), is_forbidden_name("import"), is_forbidden_name("WT")
    (True, True, False)
    """
    return keyword.iskeyword(name) or name.startswith("__") or name.endswith("__")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while not _BLANK.match(text, at):
        found = _TOKEN.match(text, at)
        if found is None:
            # Kept as a token, so that what stands before it is judged first: __import__('os') fails by its name.
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))
            yield _Token("foreign", text[at], at + 1)
            return
        kind = found.lastgroup or ""
        yield _Token(kind, found[kind], found.start(kind) + 1)
        at = found.end()
    yield _Token("end", "", len(text) + 1)


def _fault(name: str, formula: str, position: int, found: str, **values: Value) -> ExpressionError:
    shown: Value = found or info("expression.end-of-formula")
    items: dict[str, Value] = {"formula": formula, "position": position, "found": shown, **values}
    return ExpressionError(error(f"expression.{name}", source=None, place=None, **items))


class _Parser:
    """The place reached in one text; lives only during `read`."""

    __slots__ = ("_at", "_known", "_nesting", "_text", "_tokens")

    def __init__(self, text: str, known: Collection[str] | None) -> None:
        self._text = text
        self._tokens = tuple(_tokens(text))
        self._at = 0
        self._nesting = 0
        self._known = known

    def whole(self) -> Node:
        tree, _ = self._expression(0)
        token = self._tokens[self._at]
        if token.kind != "end":
            raise self._wrong("operator-expected", token)
        return tree

    def _wrong(self, name: str, token: _Token, **values: Value) -> ExpressionError:
        if token.kind == "foreign":
            return _fault("unexpected-character", self._text, token.position, token.text)
        if token.text == ".":
            after = self._text[token.position :].split(maxsplit=1)[:1]
            attribute = re.match(r"\w*", "".join(after))
            return _fault("attribute", self._text, token.position, "." + (attribute[0] if attribute else ""))
        return _fault(name, self._text, token.position, token.text, **values)

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _deep(self, depth: int, token: _Token, limit: int = MAX_DEPTH) -> int:
        if depth > limit:
            raise self._wrong("too-deep", token, limit=limit)
        return depth

    def _expression(self, loosest: int) -> tuple[Node, int]:
        """Read as long as operators bind tighter than `loosest`; return the tree and its depth."""
        # Read-in nesting is bounded as well as the finished tree: "((((x))))" builds no nodes.
        self._nesting = self._deep(self._nesting + 1, self._tokens[self._at], MAX_NESTING)
        left, depth = self._operand()
        compared = False
        while True:
            token = self._tokens[self._at]
            operator = "^" if token.text == "**" else token.text
            binding = BINDING.get(operator, 0) if token.kind != "number" else 0
            if binding <= loosest:
                break
            if operator in COMPARISONS and compared:
                raise self._wrong("chained-comparison", token)
            compared = operator in COMPARISONS
            self._at += 1
            # A power groups to the right and lets a sign follow; everything else groups to the left.
            right, right_depth = self._expression(PREFIX_BINDING["-"] - 1 if operator == "^" else binding)
            left, depth = Binary(operator, left, right), self._deep(1 + max(depth, right_depth), token)
        self._nesting -= 1
        return left, depth

    def _operand(self) -> tuple[Node, int]:
        token = self._take()
        if token.text in PREFIX_BINDING:
            operand, depth = self._expression(PREFIX_BINDING[token.text] - 1)
            if token.text == "+":
                return operand, depth
            return Unary(token.text, operand), self._deep(1 + depth, token)
        if token.text == "(":
            inside, depth = self._expression(0)
            self._close(token)
            return inside, depth
        if token.kind == "number":
            return self._number(token), 1
        if token.kind == "name" and token.text not in _WORDS:
            return self._named(token)
        raise self._wrong("operand-expected", token)

    def _close(self, opening: _Token) -> None:
        token = self._take()
        if token.text != ")":
            raise self._wrong("closing-expected", token, opening_position=opening.position)

    def _number(self, token: _Token) -> Number:
        following = self._tokens[self._at]
        touching = following.position == token.position + len(token.text)
        if touching and (following.kind in ("name", "number") or following.text == "."):
            joined = _Token("number", token.text + following.text, token.position)
            raise self._wrong("unreadable-number", joined)
        value = float(token.text)
        if not math.isfinite(value):
            raise self._wrong("unreadable-number", token)
        return Number(value)

    def _named(self, token: _Token) -> tuple[Node, int]:
        following = self._tokens[self._at]
        if token.text in FUNCTIONS or token.text in _CHOICES:
            if following.text != "(":
                raise self._wrong("call-expected", following, function=token.text)
            return self._call(token)
        if is_forbidden_name(token.text):
            raise self._wrong("forbidden-name", token)
        if following.text == "(":
            raise self._wrong("unknown-function", token, known=", ".join(sorted({*FUNCTIONS, *_CHOICES})))
        if following.text == ".":
            raise self._wrong("operator-expected", following)
        if self._known is not None and token.text not in self._known:
            raise self._wrong("undefined-name", token, known=", ".join(sorted(self._known)))
        return Name(token.text), 1

    def _call(self, name: _Token) -> tuple[Node, int]:
        opening = self._take()
        read = [self._expression(0)]
        while self._tokens[self._at].text == ",":
            self._at += 1
            read.append(self._expression(0))
        self._close(opening)
        arguments = tuple(argument for argument, _ in read)
        depth = self._deep(1 + max(depth for _, depth in read), name)
        wanted = FUNCTIONS.get(name.text, Arity(3, 3) if name.text == "if" else Arity(3, 2 * MAX_ARGUMENTS + 1))
        # piecewise(value, condition, ..., otherwise): an odd number of arguments
        if not wanted.allows(len(arguments)) or (name.text == "piecewise" and len(arguments) % 2 == 0):
            raise self._wrong("argument-count", name, count=len(arguments), expected=str(wanted))
        if name.text == "if":
            condition, value, otherwise = arguments
            return Piecewise(((value, condition),), otherwise), depth
        if name.text == "piecewise":
            branches = tuple(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
            return Piecewise(branches, arguments[-1]), depth
        return Call(name.text, arguments), depth


def read(text: str, known: Collection[str] | None = None) -> Node:
    """Read the text of a formula into its tree.

    Parameters
    ----------
    text : str
        The formula.
    known : collection of str, optional
        The names it may use; without it any name is accepted that is not forbidden.

    Raises
    ------
    ExpressionError
        With the position (counted from 1), the offending text and, by its code, what was expected.

    Examples
    --------
    >>> read("-x")
    Unary(operator='-', operand=Name(name='x'))
    >>> read("().__class__")
    Traceback (most recent call last):
    ...
    sirolens.errors.ExpressionError: expression.operand-expected(formula=().__class__, found=), position=2)
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(error("expression.too-long", length=len(text), limit=MAX_LENGTH))
    if not text.strip():
        raise ExpressionError(error("expression.empty"))
    return _Parser(text, known).whole()
