# SPDX-License-Identifier: Apache-2.0
"""What has been found while one chart is read: its rows, its flags, and every fault, told together at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias, final
from zoneinfo import ZoneInfo

from sirolens.errors import ChartError
from sirolens.interop.json_lines import Node
from sirolens.interop.numbers import clip, plain_width
from sirolens.message import Message, Place, error, info

__all__ = ["MOST_ALIKE", "MOST_FAULTS", "Field", "Reader", "Reading", "Row", "spelling"]

MOST_FAULTS = 200  # told one by one; the rest is counted
MOST_ALIKE = 20  # flags of one code told one by one
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


@final
class Reading:
    """What has been found while one chart is read.

    Parameters
    ----------
    file : str
        The file's name, for places.
    zone : ZoneInfo, optional
        The clinic's; None when the chart names none.
    decimal_mark : {".", ","}
        The mark the file declares.

    Attributes
    ----------
    faults, flags : list of Message
        What was found.
    incomplete : set of str
        Kinds of facts of which at least one could not be read.
    """

    def __init__(self, file: str, zone: ZoneInfo | None = None, decimal_mark: str = ".") -> None:
        self.file = file
        self.zone = zone
        self.decimal_mark = decimal_mark
        self.faults: list[Message] = []
        self.flags: list[Message] = []
        self.incomplete: set[str] = set()
        self._untold_faults = 0
        self._alike: Counter[str] = Counter()
        self._last_alike: dict[str, Message] = {}
        self._naive = 0
        self._first_naive: tuple[Place, str] | None = None

    def fault(self, *messages: Message) -> None:
        """Note why the chart cannot be used."""
        room = max(0, MOST_FAULTS - len(self.faults))
        self.faults.extend(map(self._local, messages[:room]))
        self._untold_faults += len(messages[room:])

    @property
    def fault_count(self) -> int:
        """How many faults there are, told one by one or only counted."""
        return len(self.faults) + self._untold_faults

    def flag(self, *messages: Message) -> None:
        """Note what was read with care; of very many alike, the first and the last are told, and how many."""
        for message in map(self._local, messages):
            self._alike[message.code] += 1
            if self._alike[message.code] <= MOST_ALIKE:
                self.flags.append(message)
            else:
                self._last_alike[message.code] = message

    def _local(self, message: Message) -> Message:
        """Tell instants in the clinic's zone, as they stand in the chart."""
        zone = self.zone
        if zone is None or not any(isinstance(value, datetime) for _, value in message.items):
            return message
        told = ((name, v.astimezone(zone) if isinstance(v, datetime) else v) for name, v in message.items)
        return replace(message, items=tuple(told))

    def naive(self, row: Row, name: str, value: str) -> None:
        """Note a time without an offset, read in the clinic's zone."""
        self._naive += 1
        if self._first_naive is None:
            self._first_naive = (row.place(name), clip(value))

    def finish(self) -> tuple[Message, ...]:
        """Return every flag, or raise every fault.

        Raises
        ------
        ChartError
            With all faults.
        """
        if self.faults:
            more = [error("chart.more-faults", count=self._untold_faults)] if self._untold_faults else []
            raise ChartError(*self.faults, *more)
        ending = []
        for code, last in self._last_alike.items():
            ending.append(info("chart.more-alike", count=self._alike[code] - MOST_ALIKE, last=last))
        if self._first_naive is not None and self.zone is not None:
            place, value = self._first_naive
            ending.append(info("chart.naive-times", place=place, count=self._naive, value=value, zone=self.zone.key))
        return (*self.flags, *ending)


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a JSON list, or one row of a table: its cells that hold something, by the field's own name.

    `names` says what a field is called where it stands, in sources that have their own names for it.
    """

    cells: Mapping[str, Node]
    line: int
    path: str
    reading: Reading
    names: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES)

    def place(self, name: str = "") -> Place:
        """Return where a field of this row stands."""
        cell = self.cells.get(name)
        called = self.names.get(name, name)
        where = f"{self.path}.{called}" if self.path and called else self.path or called
        return Place(
            file=self.reading.file, line=cell.line if cell is not None else self.line, field=where if where else None
        )

    def placed(self, messages: Iterable[Message], name: str) -> tuple[Message, ...]:
        """Say of messages that do not say it yet that they stand at a field of this row."""
        return tuple(replace(found, place=self.place(name)) if found.place is None else found for found in messages)


Reader: TypeAlias = Callable[[Row, str], Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a kind of fact.

    Parameters
    ----------
    name : str
        Its name in JSON and as a column of CSV.
    read : Reader
        What reads it.
    form : mapping
        Its JSON Schema.
    required : bool
        Whether a row without it is a fault.
    default : object
        The value when it is absent.
    """

    name: str
    read: Reader
    form: Mapping[str, Any] = field(default_factory=dict, hash=False)
    required: bool = False
    default: Any = None


def spelling(name: str) -> str:
    """Bring a column's name to the form names are compared in.

    >>> spelling(" Last Dose-At ")
    'last_dose_at'
    """
    return "_".join(plain_width(name).lower().replace("-", " ").replace("_", " ").split())
