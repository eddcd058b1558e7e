# SPDX-License-Identifier: Apache-2.0
"""Hands out the values of a TOML table one by one and notes every fault on the way.

Reading never stops at the first fault: a wrong value is noted and replaced by a stand-in of its type, so that the user
sees every fault of a file at once. `close` notes the keys that nobody asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, final

from sirolens.message import Message, Place, Severity, Value, info
from sirolens.models.locate import Path, dotted, nearest_line

__all__ = ["NUMBER", "TEXT", "TEXTS", "Faults", "Table"]

# What a fault expects, said in the reader's language; names of keys and signs of TOML stay as they are.
TEXT: Final = info("models.value-text")
TEXTS: Final = info("models.value-texts")
NUMBER: Final = info("models.value-number")
_MATRIX: Final = info("models.value-matrix")
_PAIR: Final = info("models.value-pair")

LONGEST_SHOWN = 80  # characters of an offending value that an error repeats


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


@final
class Faults:
    """The faults of one file, in the order they were found.

    Parameters
    ----------
    file : str
        As the user named it.
    lines : mapping of path to int
        From `sirolens.models.locate.key_lines`.
    prefix : path
        Where keys are looked for first: the table of the variant that is being read.
    """

    __slots__ = ("_lines", "_prefix", "file", "messages")

    def __init__(self, file: str, lines: Mapping[Path, int], prefix: Path = ()) -> None:
        self.file = file
        self._lines = lines
        self._prefix = prefix
        self.messages: list[Message] = []

    def place(self, path: Path) -> Place:
        """Return where a key stands, or the table around it."""
        in_variant = (*self._prefix, *path)
        at = in_variant if self._prefix and in_variant in self._lines else path
        return Place(file=self.file, line=nearest_line(self._lines, at), field=dotted(at) or None)

    def wrong(self, code: str, path: Path, value: object, **values: Value) -> None:
        """Note an error at a key."""
        self._note(Severity.ERROR, code, path, {"value": _shown(value), **values})

    def doubtful(self, code: str, path: Path, value: object, **values: Value) -> None:
        """Note a warning at a key."""
        self._note(Severity.WARNING, code, path, {"value": _shown(value), **values})

    def _note(self, severity: Severity, code: str, path: Path, values: Mapping[str, Value]) -> None:
        items = tuple(sorted(values.items()))
        self.messages.append(Message(code=code, severity=severity, items=items, place=self.place(path)))


@final
class Table:
    """One table of the file.

    Parameters
    ----------
    data : mapping
        As `tomllib` gives it.
    path : path
        Where the table stands.
    faults : Faults
        Where faults go.
    """

    __slots__ = ("_asked", "_data", "faults", "path")

    def __init__(self, data: Mapping[str, Any], path: Path, faults: Faults) -> None:
        self._data = data
        self._asked: set[str] = set()
        self.path = path
        self.faults = faults

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def _take(self, key: str, required: bool, expected: Value) -> Any:
        self._asked.add(key)
        if key not in self._data and required:
            self.faults.wrong("models.key-missing", (*self.path, key), key, expected=expected)
        return self._data.get(key)

    def _mistyped(self, key: str, value: object, expected: Value) -> None:
        self.faults.wrong("models.wrong-type", (*self.path, key), value, expected=expected)

    def text(self, key: str, *, required: bool = False, default: str = "", choices: Sequence[str] = ()) -> str:
        """Take a text; with `choices`, one of them; the default where it is wrong."""
        value = self._take(key, required, ", ".join(choices) or TEXT)
        if value is None:
            return default
        if not isinstance(value, str) or (required and not value.strip()):
            self._mistyped(key, value, TEXT)
            return default
        if choices and value not in choices:
            near = get_close_matches(value, choices, n=1)
            self.faults.wrong(
                "models.not-one-of", (*self.path, key), value, expected=", ".join(choices), near=tuple(near)
            )
            return default
        return value

    def number(
        self, key: str, *, required: bool = False, above: float | None = None, least: float | None = None
    ) -> float | None:
        """Take a finite number, larger than `above`, at least `least`."""
        expected: Value = f">= {least:g}" if least is not None else NUMBER if above is None else f"> {above:g}"
        value = self._take(key, required, expected)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._mistyped(key, value, NUMBER)
            return None
        if (above is not None and value <= above) or (least is not None and value < least):
            self.faults.wrong("models.out-of-range", (*self.path, key), value, expected=expected)
            return None
        return float(value)

    def whole(self, key: str, *, required: bool = False, least: int = 0) -> int | None:
        """Take a whole number, at least `least`."""
        value = self._take(key, required, f">= {least}")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self._mistyped(key, value, f">= {least}")
            return None
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Take true or false."""
        value = self._take(key, required=False, expected="true, false")
        if value is None:
            return default
        if not isinstance(value, bool):
            self._mistyped(key, value, "true, false")
            return default
        return value

    def pair(self, key: str, *, required: bool = False, open_ended: bool = False) -> tuple[float, float] | None:
        """Take ``[low, high]`` with low <= high; `open_ended` lets either be infinite."""
        value = self._take(key, required, _PAIR)
        if value is None:
            return None
        numbers = isinstance(value, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        if not numbers or len(value) != 2 or not (open_ended or all(math.isfinite(v) for v in value)):
            self._mistyped(key, value, _PAIR)
            return None
        low, high = float(value[0]), float(value[1])
        if not low <= high:
            self.faults.wrong("models.range-reversed", (*self.path, key), value, expected=_PAIR)
            return None
        return low, high

    def texts(self, key: str, *, required: bool = False, choices: Sequence[str] = ()) -> tuple[str, ...]:
        """Take a list of texts; with `choices`, each one of them."""
        value = self._take(key, required, ", ".join(choices) or TEXTS)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self._mistyped(key, value, TEXTS)
            return ()
        for index, item in enumerate(value):
            if choices and item not in choices:
                near = get_close_matches(item, choices, n=1)
                where = (*self.path, key, index)
                self.faults.wrong("models.not-one-of", where, item, expected=", ".join(choices), near=tuple(near))
        return tuple(value)

    def matrix(self, key: str, *, required: bool = False) -> tuple[tuple[float, ...], ...]:
        """Take a list of lists of numbers."""
        value = self._take(key, required, _MATRIX)
        if value is None:
            return ()
        rows_good = isinstance(value, list) and all(isinstance(row, list) for row in value)
        if not rows_good or not all(type(v) in (int, float) and math.isfinite(v) for row in value for v in row):
            self._mistyped(key, value, _MATRIX)
            return ()
        return tuple(tuple(float(v) for v in row) for row in value)

    def table(self, key: str, *, required: bool = False) -> Table | None:
        """Take a table."""
        value = self._take(key, required, f"[{dotted((*self.path, key))}]")
        if value is None:
            return None
        if not isinstance(value, dict):
            self._mistyped(key, value, f"[{dotted((*self.path, key))}]")
            return None
        return Table(value, (*self.path, key), self.faults)

    def tables(self, key: str, *, required: bool = False) -> tuple[Table, ...]:
        """Take an array of tables."""
        expected = f"[[{dotted((*self.path, key))}]]"
        value = self._take(key, required, expected)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self._mistyped(key, value, expected)
            return ()
        return tuple(Table(item, (*self.path, key, index), self.faults) for index, item in enumerate(value))

    def named(self) -> Iterator[tuple[str, Table]]:
        """Yield the tables inside this one by name; anything else in it is a fault."""
        for key in self._data:
            inner = self.table(key)
            if inner is not None:
                yield key, inner

    def key_names(self) -> tuple[str, ...]:
        """Return the keys in the order of the file, without taking them."""
        return tuple(self._data)

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, n=1)
                known = ", ".join(sorted(self._asked))
                self.faults.wrong("models.unknown-key", (*self.path, key), key, expected=known, near=tuple(near))
