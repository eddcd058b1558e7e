# SPDX-License-Identifier: Apache-2.0
"""A strict JSON reader that knows the line of every value, so that a fault names where it stands.

The standard reader keeps no lines, takes the last of two equal names silently and turns numbers into floats; a chart
needs none of the three. Numbers stay as they were typed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from typing import Literal, NamedTuple, TypeAlias, final

from sirolens.errors import ChartError
from sirolens.message import Message, Place, error

__all__ = ["DEEPEST", "Items", "Members", "Node", "Scalar", "has_surrogates", "parse"]

DEEPEST = 40  # levels of lists and objects; a chart has six, a regimen inside it a few more

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = re.compile(r"true|false|null")
_NUMBERLIKE = re.compile(r"[-+.0-9]")
_ENDS_A_NUMBER = frozenset(' \t\r\n,]}/"')
_TEXTS = JSONDecoder()
_FULL_WIDTH = {"，": ",", "：": ":", "｛": "{", "｝": "}", "［": "[", "］": "]", "“": '"', "”": '"', "＂": '"'}


class Scalar(NamedTuple):
    """A text, a number, true, false or null, as it was typed.

    Parameters
    ----------
    kind : str
        What it is.
    text : str
        The text without its quotes; a number digit for digit.
    line : int
        Where it begins, counted from 1.
    """

    kind: Literal["text", "number", "boolean", "null"]
    text: str
    line: int


class Items(NamedTuple):
    """A list and the line it opens on."""

    items: tuple[Node, ...]
    line: int


class Members(NamedTuple):
    """An object, the line it opens on, and every name that was given twice with the line of its second."""

    members: dict[str, Node]
    line: int
    twice: tuple[tuple[str, int], ...] = ()


Node: TypeAlias = Scalar | Items | Members


def has_surrogates(text: str) -> bool:
    r"""Whether a text holds half a character, such as a lone ``\ud800``, which no file can be written with."""
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def parse(text: str, *, file: str | None = None) -> Node:
    r"""Read a JSON text.

    Parameters
    ----------
    text : str
        The whole text.
    file : str, optional
        Its name, for the faults.

    Raises
    ------
    ChartError
        ``chart.json-...`` with the line of the first fault.

    Examples
    --------
    >>> node = parse('{"levels": [\n  {"value": 7.20}]}')
    >>> level = node.members["levels"].items[0]
    >>> level.members["value"]
    Scalar(kind='number', text='7.20', line=2)
    """
    scan = _Scan(text, file)
    node = scan.value(depth=0)
    scan.skip()
    if scan.at < len(text):
        raise ChartError(error("chart.json-after-end", place=scan.place()))
    return node


@final
class _Scan:
    """Where the reader stands in a text."""

    def __init__(self, text: str, file: str | None) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.opened: list[int] = []
        self._breaks = [match.start() for match in re.finditer("\n", text)]

    def line(self, at: int | None = None) -> int:
        return bisect_right(self._breaks, (self.at if at is None else at) - 1) + 1

    def place(self, at: int | None = None) -> Place:
        return Place(file=self.file, line=self.line(at))

    def skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def peek(self) -> str:
        """Return the next sign that is no space, after checking that the text does not end here."""
        self.skip()
        if self.at >= len(self.text):
            raise self.truncated()
        return self.text[self.at]

    def truncated(self) -> ChartError:
        place = Place(file=self.file, line=self.line(len(self.text.rstrip())))
        if not self.opened:
            return ChartError(error("chart.json-no-value", place=place))
        return ChartError(error("chart.json-truncated", place=place, opened_line=self.line(self.opened[-1])))

    def unexpected(self, otherwise: Message) -> ChartError:
        """Explain what stands here instead: a full-width sign is the likely slip on a Chinese keyboard."""
        sign = self.text[self.at]
        if sign in _FULL_WIDTH:
            return ChartError(
                error("chart.json-full-width", place=self.place(), value=sign, expected=_FULL_WIDTH[sign])
            )
        return ChartError(otherwise)

    def value(self, depth: int) -> Node:
        sign = self.peek()
        if depth > DEEPEST:
            raise ChartError(error("chart.json-too-deep", place=self.place(), limit=DEEPEST))
        if sign == "{":
            return self.members(depth)
        if sign == "[":
            return self.items(depth)
        line = self.line()
        if sign == '"':
            return Scalar("text", self.string(), line)
        if word := _WORDS.match(self.text, self.at):
            self.at = word.end()
            return Scalar("null" if word[0] == "null" else "boolean", word[0], line)
        if _NUMBERLIKE.match(sign):
            return Scalar("number", self.number(), line)
        raise self.unexpected(error("chart.json-no-value", place=self.place()))

    def number(self) -> str:
        match = _NUMBER.match(self.text, self.at)
        end = match.end() if match else self.at
        if match is None or (end < len(self.text) and self.text[end] not in _ENDS_A_NUMBER):
            raise ChartError(error("chart.json-number", place=self.place()))
        self.at = end
        return match[0]

    def string(self) -> str:
        try:
            text, end = _TEXTS.raw_decode(self.text, self.at)
        except JSONDecodeError as fault:
            if fault.msg.startswith("Unterminated"):
                self.opened.append(self.at)
                raise self.truncated() from None
            raise ChartError(error("chart.json-text", place=self.place(min(fault.pos, len(self.text))))) from None
        if has_surrogates(text):
            raise ChartError(error("chart.json-text", place=self.place()))
        self.at = end
        return str(text)

    def sign(self, *expected: str) -> str:
        """Read one of the signs expected here."""
        found = self.peek()
        if found not in expected:
            raise self.unexpected(error("chart.json-expected", place=self.place(), expected=expected))
        self.at += 1
        return found

    def items(self, depth: int) -> Items:
        line = self.line()
        self.opened.append(self.at)
        self.at += 1
        found: list[Node] = []
        if self.peek() == "]":
            self.at += 1
        else:
            found.append(self.value(depth + 1))
            while self.sign(",", "]") == ",":
                if self.peek() == "]":
                    raise ChartError(error("chart.json-trailing-comma", place=self.place()))
                found.append(self.value(depth + 1))
        self.opened.pop()
        return Items(tuple(found), line)

    def members(self, depth: int) -> Members:
        line = self.line()
        self.opened.append(self.at)
        self.at += 1
        found: dict[str, Node] = {}
        twice: list[tuple[str, int]] = []
        if self.peek() == "}":
            self.at += 1
        else:
            self.member(found, twice, depth)
            while self.sign(",", "}") == ",":
                if self.peek() == "}":
                    raise ChartError(error("chart.json-trailing-comma", place=self.place()))
                self.member(found, twice, depth)
        self.opened.pop()
        return Members(found, line, tuple(twice))

    def member(self, found: dict[str, Node], twice: list[tuple[str, int]], depth: int) -> None:
        if self.peek() != '"':
            if self.text[self.at].isdigit() and found:
                raise ChartError(error("chart.json-decimal-comma", place=self.place()))
            raise self.unexpected(error("chart.json-name", place=self.place()))
        line = self.line()
        name = self.string()
        self.sign(":")
        value = self.value(depth + 1)
        if name in found:
            twice.append((name, line))
        else:
            found[name] = value
