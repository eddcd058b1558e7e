# SPDX-License-Identifier: Apache-2.0
"""What is said to people: a code, its values, how serious it is, and where it comes from.

Code never writes sentences. It says `Message(code="dosing.wide-band", ...)`; the words are looked up later,
in English or Chinese, by `sirolens.report.words`. Names of values end in their unit, so that one formatter
writes every dose, level and date the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias, Union

from sirolens.source import Source

__all__ = [
    "Message",
    "Place",
    "Severity",
    "Value",
    "checked",
    "critical",
    "error",
    "info",
    "most_severe_first",
    "warning",
]

Value: TypeAlias = Union[str, int, float, bool, date, datetime, "Message", tuple["Value", ...], None]


class Severity(StrEnum):
    """How serious a message is, least first.

    `CHECKED` says that a check was made and found nothing; `ERROR` that something could not be done.
    """

    CHECKED = "checked"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Position in the order of seriousness.

        >>> Severity.CRITICAL.rank > Severity.WARNING.rank
        True
        """
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file something stands.

    Parameters
    ----------
    file : str, optional
        Name of the file as the user gave it.
    line : int, optional
        Line number, counted from 1.
    field : str, optional
        Column name or path of the field, such as ``levels[2].unit``.

    Examples
    --------
    >>> str(Place(file="chart.json", line=12, field="levels[0].unit"))
    'chart.json:12:levels[0].unit'
    """

    file: str | None = None
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.field) if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing said to a person, still without words.

    Parameters
    ----------
    code : str
        ``domain.kebab-name``; the domain names the message catalogue.
    severity : Severity
        How serious it is.
    items : tuple of (str, Value)
        The values, as sorted pairs so that messages can be compared and hashed; read them through `values`.
    source : Source, optional
        What the statement rests on.
    place : Place, optional
        Where in the input it was found.

    Examples
    --------
    >>> warning("dosing.wide-band", low_ng_ml=3.1, high_ng_ml=14.0).values["low_ng_ml"]
    3.1
    """

    code: str
    severity: Severity
    items: tuple[tuple[str, Value], ...] = ()
    source: Source | None = None
    place: Place | None = None

    @property
    def values(self) -> Mapping[str, Value]:
        """The values by name."""
        return dict(self.items)

    @property
    def domain(self) -> str:
        """The catalogue the words are in.

        >>> info("chart.converted").domain
        'chart'
        """
        return self.code.partition(".")[0]

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.code}({', '.join(f'{name}={value}' for name, value in self.items)})"


def _message(
    severity: Severity, code: str, source: Source | None, place: Place | None, values: Mapping[str, Value]
) -> Message:
    return Message(code=code, severity=severity, items=tuple(sorted(values.items())), source=source, place=place)


def info(code: str, /, *, source: Source | None = None, place: Place | None = None, **values: Value) -> Message:
    """Make a message that informs."""
    return _message(Severity.INFO, code, source, place, values)


def warning(code: str, /, *, source: Source | None = None, place: Place | None = None, **values: Value) -> Message:
    """Make a message that warns."""
    return _message(Severity.WARNING, code, source, place, values)


def critical(code: str, /, *, source: Source | None = None, place: Place | None = None, **values: Value) -> Message:
    """Make a message that must be acknowledged before anything is increased."""
    return _message(Severity.CRITICAL, code, source, place, values)


def error(code: str, /, *, source: Source | None = None, place: Place | None = None, **values: Value) -> Message:
    """Make a message that says why something could not be done."""
    return _message(Severity.ERROR, code, source, place, values)


def checked(code: str, /, *, source: Source | None = None, place: Place | None = None, **values: Value) -> Message:
    """Make a message that says a check was made and found nothing."""
    return _message(Severity.CHECKED, code, source, place, values)


def most_severe_first(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Sort messages by seriousness, keeping the order of equals.

    >>> [m.code for m in most_severe_first([info("a.x"), critical("a.y")])]
    ['a.y', 'a.x']
    """
    return tuple(sorted(messages, key=lambda message: -message.severity.rank))
