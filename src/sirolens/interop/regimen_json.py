# SPDX-License-Identifier: Apache-2.0
"""A regimen as JSON: words, an object that says its kind, or a list of parts in turn; and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import time
from difflib import get_close_matches
from functools import reduce
from types import MappingProxyType
from typing import Any, final

from sirolens.errors import ChartError, RegimenError
from sirolens.interop.instants import read_day
from sirolens.interop.json_lines import Items, Members, Node, Scalar
from sirolens.interop.measurements import DOSE, measure
from sirolens.interop.numbers import Number, clip, plain_width, read_number
from sirolens.interop.regimen_text import (
    LONGEST_DAYS,
    MOST_PARTS,
    checked_interval,
    parse_regimen,
    short_taper,
    twelve_hours_apart,
)
from sirolens.message import Message, Place, error
from sirolens.regimen import (
    MORNING,
    Calendar,
    Every,
    Hold,
    InTurn,
    Limited,
    Missing,
    Once,
    Regimen,
    daily,
    every,
    hold,
    once,
    twice_daily,
    weekdays,
)

__all__ = ["KINDS", "LONGEST_PATTERN", "read_regimen", "regimen_to_json", "tidy"]

LONGEST_PATTERN = 366
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "daily": frozenset({"amount", "unit", "at", "every_days"}),
        "twice-daily": frozenset({"morning", "evening", "unit", "at"}),
        "weekdays": frozenset({"unit", "at", *_WEEK}),
        "every": frozenset({"amount", "unit", "interval_h"}),
        "once": frozenset({"amount", "unit", "at"}),
        "hold": frozenset(),
        "taper": frozenset({"from", "step", "to", "unit", "every_days", "at"}),
        "calendar": frozenset({"unit", "weekly", "pattern"}),
        "words": frozenset({"words"}),
        "in-turn": frozenset({"parts"}),
    }
)
"""What an object of each kind may hold, besides ``kind``, ``days`` and ``missing``."""

_ALWAYS = frozenset({"kind", "days", "missing"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """One object of a regimen, where it stands, and what its doses share."""

    node: Members
    file: str | None
    path: str
    clock: time
    decimal_mark: str
    flags: list[Message]

    def place(self, name: str = "") -> Place:
        at = self.node.members.get(name)
        line = at.line if at is not None else self.node.line
        return Place(file=self.file, line=line, field=f"{self.path}.{name}" if name else self.path)

    def need(self, name: str) -> Node:
        if name not in self.node.members:
            raise ChartError(error("chart.field-missing", place=self.place(), name=name))
        return self.node.members[name]

    def number(self, name: str) -> Number:
        return self.number_of(self.need(name), self.place(name))

    def number_of(self, node: Node, place: Place) -> Number:
        if not isinstance(node, Scalar) or node.kind not in ("number", "text"):
            raise ChartError(error("chart.expected-number", place=place))
        mark = "." if node.kind == "number" else self.decimal_mark
        number, flags = read_number(node.text, decimal_mark=mark, place=place)
        self.flags.extend(flags)
        return number

    def dose_mg(self, name: str) -> float:
        return self.dose_of(self.need(name), self.place(name))

    def dose_of(self, node: Node, place: Place) -> float:
        unit = self.node.members.get("unit")
        text = unit.text if isinstance(unit, Scalar) and unit.kind == "text" else None
        number = self.number_of(node, place)
        if number.relation:
            raise ChartError(error("chart.not-a-number", place=place, value=f"{number.relation}{number.value:g}"))
        amount_mg, flags = measure(number, text, DOSE, place=place)
        self.flags.extend(flags)
        return amount_mg

    def whole(self, name: str, limit: int) -> int:
        value = self.number(name).value
        if value != int(value):
            raise ChartError(error("chart.not-whole", place=self.place(name), value=f"{value:g}"))
        if value > limit:
            raise ChartError(error("chart.regimen-too-long", place=self.place(name), value=int(value), limit=limit))
        return int(value)

    def clocks(self, name: str = "at") -> tuple[time, ...]:
        node = self.node.members.get(name)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        return tuple(_clock(item, self.place(name)) for item in items)

    def one_clock(self) -> time:
        found = self.clocks()
        if len(found) > 1:
            raise ChartError(error("chart.clock-unreadable", place=self.place("at"), value=str(len(found))))
        return found[0] if found else self.clock


def _clock(node: Node, place: Place) -> time:
    text = plain_width(node.text) if isinstance(node, Scalar) and node.kind == "text" else ""
    try:
        if _CLOCK.fullmatch(text):
            return time.fromisoformat(text.zfill(5))
    except ValueError:
        pass
    raise ChartError(error("chart.clock-unreadable", place=place, value=clip(text)))


def read_regimen(
    node: Node, *, file: str | None, path: str, clock: time = MORNING, decimal_mark: str = "."
) -> tuple[Regimen, tuple[Message, ...]]:
    """Read a regimen.

    Parameters
    ----------
    node : Node
        Words, an object with its ``kind``, or a list of parts in turn.
    file, path : str
        Where it stands.
    clock : time
        When doses are taken where no clock time is given.
    decimal_mark : {".", ","}
        The mark the file declares.

    Returns
    -------
    regimen : Regimen
    flags : tuple of Message

    Raises
    ------
    ChartError
        What is missing, unknown or impossible, with its line and field.

    Examples
    --------
    >>> from sirolens.interop.json_lines import parse
    >>> node = parse('[{"kind": "once", "amount": 6, "unit": "mg"}, "2 mg daily"]')
    >>> read_regimen(node, file=None, path="regimen")[0].days is None
    True
    """
    flags: list[Message] = []
    try:
        regimen = _read(node, file, path, clock, decimal_mark, flags)
    except RegimenError as fault:
        place = Place(file=file, line=node.line, field=path)
        raise ChartError(*(replace(message, place=place) for message in fault.messages)) from None
    return regimen, tuple(flags)


def _read(node: Node, file: str | None, path: str, clock: time, decimal_mark: str, flags: list[Message]) -> Regimen:
    place = Place(file=file, line=node.line, field=path)
    if isinstance(node, Scalar):
        if node.kind != "text":
            raise ChartError(error("chart.expected-regimen", place=place, kinds=tuple(KINDS)))
        regimen, more = parse_regimen(node.text, clock=clock, decimal_mark=decimal_mark, place=place)
        flags.extend(more)
        return regimen
    if isinstance(node, Items):
        return _in_turn(node, file, path, clock, decimal_mark, flags)
    one = _Object(node=node, file=file, path=path, clock=clock, decimal_mark=decimal_mark, flags=flags)
    kind = _kind(one)
    if kind in ("words", "in-turn"):
        regimen = _read(one.need("words" if kind == "words" else "parts"), file, path, clock, decimal_mark, flags)
    else:
        regimen = _MAKERS[kind](one)
    if "days" in node.members and kind != "hold":
        regimen = regimen.lasting(one.whole("days", LONGEST_DAYS))
    if "missing" in node.members:
        days = node.members["missing"]
        items = days.items if isinstance(days, Items) else (days,)
        texts = [item.text if isinstance(item, Scalar) and item.kind == "text" else "" for item in items]
        regimen = regimen.missing(*(read_day(text, place=one.place("missing")) for text in texts))
    return regimen


def _in_turn(node: Items, file: str | None, path: str, clock: time, decimal_mark: str, flags: list[Message]) -> Regimen:
    place = Place(file=file, line=node.line, field=path)
    if not node.items:
        raise ChartError(error("chart.list-empty", place=place))
    if len(node.items) > MOST_PARTS:
        raise ChartError(error("chart.regimen-too-many-parts", place=place, value=len(node.items), limit=MOST_PARTS))
    parts = [_read(part, file, f"{path}[{index}]", clock, decimal_mark, flags) for index, part in enumerate(node.items)]
    return reduce(Regimen.then, parts)


def _kind(one: _Object) -> str:
    if one.node.twice:
        name, line = one.node.twice[0]
        raise ChartError(error("chart.json-twice", place=Place(file=one.file, line=line, field=one.path), name=name))
    kind = one.need("kind")
    name = kind.text if isinstance(kind, Scalar) else ""
    if name not in KINDS:
        near = tuple(get_close_matches(name, KINDS, n=2))
        known = tuple(KINDS)
        raise ChartError(
            error("chart.choice-unknown", place=one.place("kind"), value=clip(name), near=near, accepted=known)
        )
    allowed = KINDS[name] | _ALWAYS
    unknown = [field for field in one.node.members if field not in allowed]
    if unknown:
        near = tuple(get_close_matches(unknown[0], allowed, n=2))
        raise ChartError(
            error(
                "chart.field-unknown",
                place=one.place(unknown[0]),
                name=clip(unknown[0]),
                near=near,
                known=tuple(sorted(allowed)),
            )
        )
    return name


def _daily(one: _Object) -> Regimen:
    every_days = one.whole("every_days", LONGEST_PATTERN) if "every_days" in one.node.members else 1
    return daily(one.dose_mg("amount"), at=one.one_clock(), every_days=every_days)


def _twice_daily(one: _Object) -> Regimen:
    clocks = one.clocks() or twelve_hours_apart(one.clock)
    if len(clocks) != 2:
        raise ChartError(error("chart.clock-unreadable", place=one.place("at"), value=str(len(clocks))))
    evening_mg = one.dose_mg("evening") if "evening" in one.node.members else None
    return twice_daily(one.dose_mg("morning"), evening_mg, at=(clocks[0], clocks[1]))


def _weekdays(one: _Object) -> Regimen:
    amounts = {day: one.dose_mg(day) for day in _WEEK if day in one.node.members}
    return weekdays(at=one.one_clock(), **amounts)


def _every(one: _Object) -> Regimen:
    return every(one.dose_mg("amount"), checked_interval(one.number("interval_h").value, one.place("interval_h")))


def _once(one: _Object) -> Regimen:
    return once(one.dose_mg("amount"), at=one.one_clock())


def _hold(one: _Object) -> Regimen:
    return hold(one.whole("days", LONGEST_DAYS) if "days" in one.node.members else None)


def _taper(one: _Object) -> Regimen:
    to = one.node.members.get("to")
    stops = to is None or (isinstance(to, Scalar) and to.text in ("0", "0.0"))
    return short_taper(
        one.dose_mg("from"),
        one.dose_mg("step"),
        one.whole("every_days", LONGEST_DAYS),
        0.0 if stops else one.dose_mg("to"),
        one.one_clock(),
        one.place(),
    )


def _calendar(one: _Object) -> Regimen:
    pattern = one.need("pattern")
    place = one.place("pattern")
    if not isinstance(pattern, Items) or not pattern.items:
        raise ChartError(error("chart.expected-list", place=place))
    weekly = one.node.members.get("weekly")
    is_weekly = isinstance(weekly, Scalar) and weekly.text == "true"
    if len(pattern.items) > LONGEST_PATTERN or (is_weekly and len(pattern.items) != 7):
        limit = 7 if is_weekly else LONGEST_PATTERN
        raise ChartError(error("chart.regimen-too-many-parts", place=place, value=len(pattern.items), limit=limit))
    days = tuple(_day(one, day, place) for day in pattern.items)
    if not any(days):
        raise RegimenError(error("regimen.no-dose"))
    return Calendar(pattern=days, weekly=is_weekly)


def _day(one: _Object, day: Node, place: Place) -> tuple[tuple[time, float], ...]:
    if not isinstance(day, Items) or len(day.items) > MOST_PARTS:
        raise ChartError(error("chart.expected-list", place=place))
    doses = []
    for dose in day.items:
        if not isinstance(dose, Items) or len(dose.items) != 2:
            raise ChartError(error("chart.expected-list", place=replace(place, line=dose.line)))
        doses.append((_clock(dose.items[0], place), one.dose_of(dose.items[1], place)))
    return tuple(doses)


_MAKERS: Mapping[str, Callable[[_Object], Regimen]] = MappingProxyType(
    {
        "daily": _daily,
        "twice-daily": _twice_daily,
        "weekdays": _weekdays,
        "every": _every,
        "once": _once,
        "hold": _hold,
        "taper": _taper,
        "calendar": _calendar,
    }
)


def regimen_to_json(regimen: Regimen) -> Any:
    """Write a regimen so that `read_regimen` gives the same one back.

    Examples
    --------
    >>> regimen_to_json(daily(2))
    {'kind': 'daily', 'amount': 2, 'unit': 'mg', 'at': '08:00'}
    """
    match regimen:
        case InTurn(parts=parts):
            return [regimen_to_json(part) for part in parts]
        case Limited(regimen=inner, limit_days=days):
            return _wrapped(inner) | {"days": days}
        case Missing(regimen=inner, dates=dates):
            return _wrapped(inner) | {"missing": [day.isoformat() for day in sorted(dates)]}
        case Every(amount_mg=amount_mg, interval_h=interval_h):
            return {"kind": "every", "amount": tidy(amount_mg), "unit": "mg", "interval_h": tidy(interval_h)}
        case Once(amount_mg=amount_mg, clock=clock):
            return {"kind": "once", "amount": tidy(amount_mg), "unit": "mg", "at": _clock_text(clock)}
        case Hold(for_days=days):
            return {"kind": "hold"} | ({} if days is None else {"days": days})
        case Calendar():
            return _calendar_to_json(regimen)
        case _:
            raise TypeError(f"no JSON form for {type(regimen).__name__}")


def _wrapped(inner: Regimen) -> dict[str, Any]:
    """Write a regimen as an object that has room for ``days`` or ``missing``."""
    written = regimen_to_json(inner)
    if isinstance(written, dict) and not {"days", "missing"} & written.keys() and not isinstance(inner, Hold):
        return written
    return {"kind": "in-turn", "parts": written if isinstance(written, list) else [written]}


def _calendar_to_json(calendar: Calendar) -> dict[str, Any]:
    pattern = calendar.pattern
    clocks = {clock for day in pattern for clock, _ in day}
    if calendar.weekly and len(clocks) == 1 and all(len(day) < 2 for day in pattern):
        amounts = {_WEEK[index]: tidy(day[0][1]) for index, day in enumerate(pattern) if day}
        return {"kind": "weekdays", "unit": "mg", "at": _clock_text(clocks.pop())} | amounts
    if not calendar.weekly and len(pattern[0]) == 1 and not any(pattern[1:]):
        ((clock, amount_mg),) = pattern[0]
        rest = {"every_days": len(pattern)} if len(pattern) > 1 else {}
        return {"kind": "daily", "amount": tidy(amount_mg), "unit": "mg", "at": _clock_text(clock)} | rest
    if not calendar.weekly and len(pattern) == 1 and len(pattern[0]) == 2:
        (first, morning_mg), (second, evening_mg) = pattern[0]
        at = [_clock_text(first), _clock_text(second)]
        return {"kind": "twice-daily", "morning": tidy(morning_mg), "evening": tidy(evening_mg), "unit": "mg", "at": at}
    days = [[[_clock_text(clock), tidy(amount_mg)] for clock, amount_mg in day] for day in pattern]
    return {"kind": "calendar", "unit": "mg", "weekly": calendar.weekly, "pattern": days}


def _clock_text(clock: time) -> str:
    return clock.isoformat(timespec="minutes" if clock == clock.replace(second=0, microsecond=0) else "auto")


def tidy(value: float) -> float | int:
    """Write 2 for 2.0: a dose with a needless zero behind the point is read ten-fold.

    >>> tidy(2.0), tidy(0.5)
    (2, 0.5)
    """
    return int(value) if value == int(value) else value
