# SPDX-License-Identifier: Apache-2.0
"""Finds the line on which each key of a TOML text stands, so that a fault in a model file can be pointed at.

The standard library's parser tells values, not places. This scanner reads text that the parser has already accepted,
so it needs no checks of its own.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TypeAlias, final

__all__ = ["Path", "dotted", "key_lines", "nearest_line"]

Path: TypeAlias = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_MULTI_LINE = ('"""', "'''")


@final
class _Scanner:
    """The place reached in one text; lives only during `key_lines`."""

    __slots__ = ("_at", "_line_starts", "_text", "found")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.found: dict[Path, int] = {}

    def _note(self, path: Path, position: int) -> None:
        self.found.setdefault(path, bisect_right(self._line_starts, position))

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = self._at if match is None else match.end()

    def _next_is(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def whole(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        self._skip(_SPACE)
        while self._at < len(self._text):
            if self._next_is("["):
                table = self._header(counts)
            else:
                self._entry(table)
            self._skip(_SPACE)

    def _header(self, counts: dict[Path, int]) -> Path:
        start, many = self._at, self._next_is("[[")
        self._at += 2 if many else 1
        *before, last = self._key()
        self._at += 2 if many else 1
        path: Path = ()
        for name in before:
            path = (*path, name)
            if path in counts:  # an array of tables: its newest element is meant
                path = (*path, counts[path])
            self._note(path, start)
        path = (*path, last)
        self._note(path, start)
        if many:
            counts[path] = counts.get(path, -1) + 1
            path = (*path, counts[path])
            self._note(path, start)
        return path

    def _entry(self, table: Path) -> None:
        start = self._at
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_BLANK)
            if self._text[self._at] in "\"'":
                names.append(self._string())
            else:
                start = self._at
                self._skip(_BARE)
                names.append(self._text[start : self._at])
            self._skip(_BLANK)
            if not self._next_is("."):
                return names
            self._at += 1

    def _value(self, path: Path) -> None:
        if self._next_is("["):
            self._array(path)
        elif self._next_is("{"):
            self._inline_table(path)
        elif self._text[self._at] in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        self._skip(_SPACE)
        index = 0
        while not self._next_is("]"):
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1
            self._skip(_SPACE)
            self._at += self._next_is(",")
            self._skip(_SPACE)
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(_SPACE)
        while not self._next_is("}"):
            self._entry(path)
            self._skip(_SPACE)
            self._at += self._next_is(",")
            self._skip(_SPACE)
        self._at += 1

    def _string(self) -> str:
        """Pass a string and return its raw content; keys with escapes keep them, and then have no line of their own."""
        mark = next((m for m in _MULTI_LINE if self._next_is(m)), self._text[self._at])
        start = self._at = self._at + len(mark)
        while not self._next_is(mark):
            self._at += 2 if mark[0] == '"' and self._next_is("\\") else 1
        content = self._text[start : self._at]
        self._at += len(mark)
        while len(mark) == 3 and self._next_is(mark[0]):  # up to two quotes may stand before the closing three
            self._at += 1
        return content


def key_lines(text: str) -> Mapping[Path, int]:
    r"""Return the line, counted from 1, of every key, table header and array element of a valid TOML text.

    Parameters
    ----------
    text : str
        TOML that `tomllib` accepts.

    Returns
    -------
    mapping of path to int
        A path is the keys from the outside in, with numbers for elements of arrays. Found when first asked for: most
        files have no fault whose place must be told.

    Examples
    --------
    >>> lines = key_lines('name = "x"\n[a.b]\nc = [\n  1,\n  {d = 2},\n]\n')
    >>> lines["a", "b", "c"], lines["a", "b", "c", 1, "d"]
    (3, 5)
    """
    return _Lines(text)


@final
class _Lines(Mapping[Path, int]):
    """The lines of a text, found when first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _found(self) -> dict[Path, int]:
        scanner = _Scanner(self._text.replace("\r\n", "\n"))
        scanner.whole()
        return scanner.found

    def __getitem__(self, path: Path) -> int:
        return self._found[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def nearest_line(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a path, or of the nearest table around it that has one.

    >>> nearest_line({("a",): 4}, ("a", "missing"))
    4
    """
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def dotted(path: Path) -> str:
    """Write a path as people read it.

    >>> dotted(("dosing_tables", 0, "rows", 2))
    'dosing_tables[0].rows[2]'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
