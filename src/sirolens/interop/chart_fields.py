# SPDX-License-Identifier: Apache-2.0
"""How one field of a chart is read: each reader takes a row and the field's name and gives the value, or says why not.

The same readers serve JSON and CSV. A fault does not say where it stands: whoever calls a reader adds the place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple

from sirolens.errors import ChartError
from sirolens.interop.chart_reading import Reader, Row
from sirolens.interop.instants import Precision, read_day, read_instant
from sirolens.interop.json_lines import Scalar
from sirolens.interop.measurements import Measurement, measure
from sirolens.interop.numbers import Number, clip, plain_width, read_number
from sirolens.message import Message, error

__all__ = [
    "Quantity",
    "boolean",
    "choice",
    "day",
    "exact",
    "instant",
    "instant_given",
    "number",
    "perhaps",
    "quantity",
    "scalar_text",
    "slug",
    "stated",
    "text",
    "unechoed",
    "whole",
]

LONGEST_TEXT = 500


class Quantity(NamedTuple):
    """A measured value in its canonical unit; `relation` is ``"<"`` or ``">"`` where it lies outside the range."""

    value: float
    relation: str


def scalar_text(row: Row, name: str) -> str:
    """Return a cell's text, refusing lists and objects."""
    cell = row.cells[name]
    if not isinstance(cell, Scalar):
        raise ChartError(error("chart.expected-text"))
    return cell.text.strip()


def text(row: Row, name: str) -> str:
    """Read a text."""
    cell = row.cells[name]
    if not isinstance(cell, Scalar) or cell.kind != "text":
        raise ChartError(error("chart.expected-text"))
    if len(cell.text) > LONGEST_TEXT:
        raise ChartError(error("chart.text-too-long", count=len(cell.text), limit=LONGEST_TEXT))
    return cell.text.strip()


def exact(expected: str) -> Reader:
    """Make a reader of the one value that is right."""

    def read(row: Row, name: str) -> str:
        found = scalar_text(row, name)
        if found != expected:
            raise ChartError(error("chart.version", value=clip(found), expected=expected))
        return found

    return read


def choice(accepted: Mapping[str, Any]) -> Reader:
    """Make a reader of one of several words, each under any of its spellings (lower case)."""

    def read(row: Row, name: str) -> Any:
        found = text(row, name)
        plain = " ".join(plain_width(found).lower().split())
        if plain in accepted:
            return accepted[plain]
        near = tuple(get_close_matches(plain, accepted, n=3))
        words = tuple(dict.fromkeys(str(value) for value in accepted.values()))
        raise ChartError(error("chart.choice-unknown", value=clip(found), near=near, accepted=words))

    return read


_BOOLEANS = MappingProxyType(
    {"true": True, "yes": True, "y": True, "1": True, "是": True, "有": True}
    | {"false": False, "no": False, "n": False, "0": False, "否": False, "无": False}
)


def boolean(row: Row, name: str) -> bool:
    """Read true or false, in CSV also yes, no, 是, 否."""
    found = plain_width(scalar_text(row, name)).lower()
    if found not in _BOOLEANS:
        raise ChartError(error("chart.expected-boolean", value=clip(found)))
    return _BOOLEANS[found]


_NOT_TOLD = frozenset({"unknown", "u", "unk", "not recorded", "not-recorded", "未知", "不详", "未记录"})


def perhaps(row: Row, name: str) -> bool | None:
    """Read true, false, or that it is not known: None, which is never false."""
    return None if plain_width(scalar_text(row, name)).lower() in _NOT_TOLD else boolean(row, name)


def stated(row: Row, name: str) -> Number:
    """Read a number as it was typed, with its flags."""
    cell = row.cells[name]
    if not isinstance(cell, Scalar) or cell.kind not in ("number", "text"):
        raise ChartError(error("chart.expected-number"))
    if cell.kind == "number":
        value = float(cell.text)
        if value in (float("inf"), float("-inf")):
            raise ChartError(error("chart.not-a-number", value=clip(cell.text)))
        return Number(value)
    found, flags = read_number(cell.text, decimal_mark=row.reading.decimal_mark)
    if flags:
        row.reading.flag(*row.placed(flags, name))
    return found


def number(low: float, high: float) -> Reader:
    """Make a reader of a plain number inside a window."""

    def read(row: Row, name: str) -> float:
        found = stated(row, name)
        if found.relation or found.unit:
            raise ChartError(error("chart.not-a-number", value=clip(scalar_text(row, name))))
        if not low <= found.value <= high:
            raise ChartError(error("chart.out-of-range", value=f"{found.value:g}", low=low, high=high))
        return found.value

    return read


def whole(low: int, high: int) -> Reader:
    """Make a reader of a whole number inside a window."""
    read_float = number(low, high)

    def read(row: Row, name: str) -> int:
        value = read_float(row, name)
        if value != int(value):
            raise ChartError(error("chart.not-whole", value=f"{value:g}"))
        return int(value)

    return read


def quantity(what: Callable[[Row], Measurement], unit: str = "unit") -> Reader:
    """Make a reader of a measured value that takes its unit from another field of the row."""

    def read(row: Row, name: str) -> Quantity:
        measurement = what(row)
        found = stated(row, name)
        declared = scalar_text(row, unit) if unit in row.cells else None
        value, flags = measure(found, declared, measurement)
        if flags:
            row.reading.flag(*row.placed(flags, name))
        return Quantity(value, found.relation)

    return read


def instant_given(needed: Precision, *, end: bool = False) -> Callable[[Row, str], tuple[datetime, Precision]]:
    """Make a reader of an instant that also tells how much of it was given."""

    def read(row: Row, name: str) -> tuple[datetime, Precision]:
        typed = text(row, name)
        found, given, naive = read_instant(typed, zone=row.reading.zone, needed=needed, end=end)
        if naive:
            row.reading.naive(row, name, typed)
        return found, given

    return read


def instant(needed: Precision = Precision.CLOCK, *, end: bool = False) -> Reader:
    """Make a reader of an instant; with less than a clock time where that is allowed."""
    read_given = instant_given(needed, end=end)

    def read(row: Row, name: str) -> datetime:
        return read_given(row, name)[0]

    return read


def day(row: Row, name: str) -> date:
    """Read a calendar day."""
    return read_day(text(row, name))


def slug(accepted: Mapping[str, str]) -> Reader:
    """Make a reader of a word that comes from a list where it is there, and stays as it is (lower case) elsewhere."""

    def read(row: Row, name: str) -> str:
        plain = " ".join(plain_width(text(row, name)).lower().split())
        return accepted.get(plain, plain)

    return read


def unechoed(read: Reader) -> Reader:
    """Make a reader whose faults do not repeat what was written: it may tell who the patient is."""

    def quietly(row: Row, name: str) -> Any:
        try:
            return read(row, name)
        except ChartError as fault:
            raise ChartError(*(_without_value(message) for message in fault.messages)) from None

    return quietly


def _without_value(message: Message) -> Message:
    return replace(message, items=tuple((name, "…" if name == "value" else value) for name, value in message.items))
