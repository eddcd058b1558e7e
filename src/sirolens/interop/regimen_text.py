# SPDX-License-Identifier: Apache-2.0
"""Reading a regimen written in a few words, in English or Chinese: "2 mg daily", "隔日2 mg", "6 mg once; hold".

Every dose needs its unit. What has two readings is refused: "每日2次 2 mg" (each, or together?), a dose per body size,
a volume, a number of tablets. Abbreviations that people misread (QD, QOD, BID) are read with a flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import time
from functools import cache, reduce
from math import ceil
from types import MappingProxyType
from typing import final

from sirolens.errors import ChartError, RegimenError
from sirolens.interop.measurements import DOSE, measure
from sirolens.interop.numbers import clip, plain_width, read_number
from sirolens.message import Message, Place, error, info
from sirolens.regimen import (
    EVENING,
    MORNING,
    Regimen,
    alternate_days,
    daily,
    every,
    hold,
    once,
    taper,
    twice_daily,
    weekdays,
)

__all__ = [
    "LONGEST_DAYS",
    "LONGEST_INTERVAL_H",
    "MOST_PARTS",
    "SHORTEST_INTERVAL_H",
    "checked_interval",
    "parse_regimen",
    "short_taper",
    "twelve_hours_apart",
]

MOST_PARTS = 200
LONGEST_DAYS = 3660  # ten years: a longer part of a regimen is a typing error
SHORTEST_INTERVAL_H, LONGEST_INTERVAL_H = 1.0, 744.0

_UNITS = (
    "mg/m2|mg/m²|mg/m\\^2|mg/kg|mcg/kg|毫克/平方米|毫克/公斤|毫克/千克|"  # per body size: refused by name
    "ml|毫升|tablets?|tabs?|pills?|片|粒|"  # not an amount: refused by name
    "mg|mcg|ug|µg|μg|g|毫克|微克|"  # the empty one last: a dose without a unit is refused by name too
)
_PER_SIZE = re.compile(r".*/.*")
_VOLUMES, _PIECES = frozenset({"ml", "毫升"}), re.compile(r"tab.*|pill.*|片|粒")
_SQUARED = str.maketrans({"㎎": "mg", "㎍": "mcg", "㎡": "m2", "。": ""})


def _dose(name: str) -> str:
    return rf"(?P<{name}>\d[0-9.,]*|[.,]\d+)\s*(?P<{name}_unit>{_UNITS})"


_D, _D2, _D3 = _dose("dose"), _dose("second"), _dose("third")
_GAP = r"\s*,?\s*"
_EACH = r"(?:每次)?\s*"
_DAILY = r"(?:once daily|once a day|daily|every day|each day|a day|per day|/\s*day|/\s*d|qd|q\.d\.)"
_ZH_DAILY = r"(?:每日|每天|一日|/\s*日|/\s*天)(?:1次|一次)?"
_TWICE = r"(?:twice daily|twice a day|two times daily|two times a day|bid|b\.i\.d\.)"
_ZH_TWICE = r"(?:每日|每天|一日)(?:2|两|二)次"
_ALTERNATE = r"(?:every other day|every second day|on alternate days|alternate days|qod|q\.o\.d\.)"
_ZH_ALTERNATE = r"(?:隔日|隔天)(?:1次|一次)?"
_N_DAYS = r"every\s*(?P<days>\d{1,3})\s*days"
_ZH_N_DAYS = r"每\s*(?P<days>\d{1,3})\s*[日天](?:1次|一次)?"
_HOURS = r"(?:every\s*(?P<hours>\d{1,4}(?:\.\d+)?)\s*(?:h|hrs?|hours?))"
_ZH_HOURS = r"每\s*(?P<hours>\d{1,4}(?:\.\d+)?)\s*小时(?:1次|一次)?"
_DAY = r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?"
_DAYS = rf"(?:on\s+)?(?P<names>{_DAY}(?:(?:\s*,\s*and\s+|\s*,\s*|\s+and\s+|\s*[/&]\s*|\s+){_DAY})*)"
_ZH_DAY = r"(?:周|星期|礼拜)?[一二三四五六日天]"
_ZH_DAYS = rf"每?(?P<names>(?:周|星期|礼拜)[一二三四五六日天](?:\s*[、,和]?\s*{_ZH_DAY})*)"
_WEEK = MappingProxyType(
    {name: index for index, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
    | {name: index for index, name in enumerate("一二三四五六日")}
    | {"天": 6}
)
_DAY_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THEN = re.compile(r"\s*(?:;|,?\s+then\s+|,?\s*(?:然后|之后|随后|继以)\s*,?)\s*")
_FOR = re.compile(r"\s*,?\s*(?:\bfor\s+|共|持续|连用|连服)\s*(?P<count>\d{1,4})\s*(?P<span>days?|weeks?|天|日|周)$")
_AT = re.compile(
    r"\s*,?\s*(?:\bat\s+|于|在)?\s*(?P<first>\d{1,2}:\d{2})(?:\s*(?:and|和|、|,|/)\s*(?P<second>\d{1,2}:\d{2}))?$"
)
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ．]")  # full-width commas are how Chinese is written
_ABBREVIATIONS = (
    (re.compile(r"(?:\bqd|q\.d\.)"), "chart.abbreviation-daily"),
    (re.compile(r"(?:\bqod|q\.o\.d\.)"), "chart.abbreviation-alternate"),
    (re.compile(r"(?:\bbid|b\.i\.d\.)"), "chart.abbreviation-twice"),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One part of a regimen in words, with what all its doses share."""

    match: re.Match[str]
    clocks: tuple[time, ...]
    default: time
    decimal_mark: str
    place: Place | None
    flags: list[Message]

    def dose_mg(self, name: str = "dose") -> float:
        """Read one of the doses and its unit."""
        number, flags = read_number(self.match[name], decimal_mark=self.decimal_mark, place=self.place)
        unit = self.match[f"{name}_unit"]
        shown = f"{self.match[name]} {unit}"
        if _PER_SIZE.fullmatch(unit):
            raise ChartError(error("chart.dose-per-size", place=self.place, value=shown))
        if unit in _VOLUMES:
            raise ChartError(error("chart.dose-volume", place=self.place, value=shown))
        if _PIECES.fullmatch(unit):
            raise ChartError(error("chart.dose-pieces", place=self.place, value=shown))
        amount_mg, more = measure(number, unit, DOSE, place=self.place)
        self.flags.extend((*flags, *more))
        return amount_mg

    @property
    def clock(self) -> time:
        return self.clocks[0] if self.clocks else self.default

    def two_clocks(self, otherwise: tuple[time, time]) -> tuple[time, time]:
        return (self.clocks[0], self.clocks[1]) if len(self.clocks) == 2 else otherwise

    def count(self, name: str) -> int:
        return int(self.match[name])


def twelve_hours_apart(clock: time) -> tuple[time, time]:
    """Return a clock time and the one twelve hours from it, the earlier first.

    >>> twelve_hours_apart(time(20))
    (datetime.time(8, 0), datetime.time(20, 0))
    """
    first, second = sorted((clock, clock.replace(hour=(clock.hour + 12) % 24)))
    return first, second


def _weekdays(part: _Part) -> Regimen:
    dose_mg = part.dose_mg()
    names = part.match["names"]
    days = re.findall(r"[一二三四五六日天]|mon|tue|wed|thu|fri|sat|sun", re.sub("星期|礼拜|周", "", names))
    return weekdays(at=part.clock, **{_DAY_KEYS[_WEEK[day]]: dose_mg for day in days})


def _hours(part: _Part) -> Regimen:
    return every(part.dose_mg(), checked_interval(float(part.match["hours"]), part.place))


def checked_interval(hours: float, place: Place | None) -> float:
    """Return the hours between two doses, refusing what is no interval of doses."""
    if not SHORTEST_INTERVAL_H <= hours <= LONGEST_INTERVAL_H:
        raise ChartError(
            error("chart.interval", place=place, interval_h=hours, low_h=SHORTEST_INTERVAL_H, high_h=LONGEST_INTERVAL_H)
        )
    return hours


def _taper(part: _Part) -> Regimen:
    days = part.count("days") * (7 if part.match["span"] in ("week", "weeks", "周") else 1)
    to_mg = part.dose_mg("third") if part.match["third"] else 0.0
    return short_taper(part.dose_mg(), part.dose_mg("second"), days, to_mg, part.clock, part.place)


def short_taper(
    from_mg: float, step_mg: float, every_days: int, to_mg: float, clock: time, place: Place | None
) -> Regimen:
    """Make a taper, refusing one of more steps than anybody prescribes."""
    steps = (from_mg - to_mg) / step_mg
    if steps > MOST_PARTS:
        raise ChartError(error("chart.regimen-too-many-parts", place=place, value=ceil(steps), limit=MOST_PARTS))
    return taper(from_mg, step_mg=step_mg, every_days=every_days, to_mg=to_mg, at=clock)


def _two_readings(part: _Part) -> Regimen:
    raise ChartError(error("chart.regimen-two-readings", place=part.place, value=clip(part.match[0])))


def _daily(part: _Part) -> Regimen:
    return daily(part.dose_mg(), at=part.clock)


def _twice(part: _Part) -> Regimen:
    return twice_daily(part.dose_mg(), at=part.two_clocks(twelve_hours_apart(part.clock)))


def _split(part: _Part) -> Regimen:
    return twice_daily(part.dose_mg(), part.dose_mg("second"), at=part.two_clocks((MORNING, EVENING)))


def _alternate(part: _Part) -> Regimen:
    return alternate_days(part.dose_mg(), at=part.clock)


def _every_days(part: _Part) -> Regimen:
    return daily(part.dose_mg(), at=part.clock, every_days=part.count("days"))


def _once(part: _Part) -> Regimen:
    return once(part.dose_mg(), at=part.clock)


def _hold(part: _Part) -> Regimen:
    return hold()


# How many clock times a form may carry, what reads it, and its ways of being written.
_FORMS: tuple[tuple[int, Callable[[_Part], Regimen], tuple[str, ...]], ...] = (
    (1, _daily, (rf"{_D}{_GAP}(?:{_DAILY}|{_ZH_DAILY})", rf"{_ZH_DAILY}{_GAP}{_EACH}{_D}")),
    (2, _twice, (rf"{_D}{_GAP}(?:{_TWICE}|{_ZH_TWICE})", rf"{_ZH_TWICE}{_GAP}每次\s*{_D}", rf"早晚各\s*{_D}")),
    (0, _two_readings, (rf"{_ZH_TWICE}{_GAP}{_D}",)),
    (
        2,
        _split,
        (
            rf"{_D}\s+(?:in the )?morning(?:\s*,\s*and|\s*,|\s+and)?\s+{_D2}\s+(?:in the )?evening",
            rf"早[上晨]?\s*{_D}{_GAP}晚上?\s*{_D2}",
        ),
    ),
    (1, _alternate, (rf"{_D}{_GAP}(?:{_ALTERNATE}|{_ZH_ALTERNATE})", rf"{_ZH_ALTERNATE}{_GAP}{_EACH}{_D}")),
    (1, _every_days, (rf"{_D}{_GAP}{_N_DAYS}", rf"{_D}{_GAP}{_ZH_N_DAYS}", rf"{_ZH_N_DAYS}{_GAP}{_EACH}{_D}")),
    (0, _hours, (rf"{_D}{_GAP}{_HOURS}", rf"{_D}{_GAP}{_ZH_HOURS}", rf"{_ZH_HOURS}{_GAP}{_EACH}{_D}")),
    (1, _weekdays, (rf"{_D}{_GAP}{_DAYS}", rf"{_D}{_GAP}{_ZH_DAYS}", rf"{_ZH_DAYS}{_GAP}{_EACH}{_D}")),
    (
        1,
        _once,
        (
            rf"{_D}{_GAP}(?:once|(?:as a )?single dose|(?:as a )?loading dose|单次)",
            rf"(?:single|loading) dose(?: of)? {_D}",
            rf"(?:单次|负荷剂量|首剂){_GAP}{_D}",
        ),
    ),
    (0, _hold, ("hold|on hold|held|stop|stopped|no dose|停药|暂停|暂停用药|停用",)),
    (
        1,
        _taper,
        (
            rf"taper from {_D} by {_D2} every (?P<days>\d{{1,3}})\s*(?P<span>days?|weeks?)(?: to (?:0|stop|{_D3}))?",
            rf"[自从]\s*{_D}起?{_GAP}每(?P<days>\d{{1,3}})(?P<span>[天日周])减{_EACH}{_D2}(?:{_GAP}至\s*(?:{_D3}|停药))?",
        ),
    ),
)


@cache
def _form(pattern: str) -> re.Pattern[str]:
    """Compile a form when a regimen first gets as far as to be held against it: they are many, and most are rare."""
    return re.compile(pattern, re.ASCII)


def parse_regimen(
    text: str, *, clock: time = MORNING, decimal_mark: str = ".", place: Place | None = None
) -> tuple[Regimen, tuple[Message, ...]]:
    """Read a regimen in words.

    Parameters
    ----------
    text : str
        What was written; parts are joined by "then", "然后" or a semicolon.
    clock : time
        When doses are taken where the text names no clock time.
    decimal_mark : {".", ","}
        The mark the file declares.
    place : Place, optional
        Where it stands.

    Returns
    -------
    regimen : Regimen
    flags : tuple of Message
        Converted doses and abbreviations.

    Raises
    ------
    ChartError
        ``chart.regimen-unreadable``, or what exactly is wrong with a dose, its unit, a time or a number of days.

    Examples
    --------
    >>> from sirolens.regimen import cycle
    >>> cycle(parse_regimen("6 mg once then 2 mg every other day")[0])
    Cycle(period_h=48.0, offset_h=(0.0,), amount_mg=(2.0,))
    >>> cycle(parse_regimen("每日2次，每次1 mg")[0]).daily_mg
    2.0
    """
    plain = " ".join(plain_width(text.translate(_SQUARED)).lower().split())
    flags: list[Message] = []
    if _WIDE.search(text):
        flags.append(info("chart.full-width", place=place, value=clip(text), read_as=clip(plain)))
    parts = _THEN.split(plain)
    if len(parts) > MOST_PARTS:
        raise ChartError(error("chart.regimen-too-many-parts", place=place, value=len(parts), limit=MOST_PARTS))
    try:
        regimen = reduce(Regimen.then, [_part(part, text, clock, decimal_mark, place, flags) for part in parts])
    except RegimenError as fault:
        raise ChartError(*(replace(message, place=place) for message in fault.messages)) from None
    for written, code in _ABBREVIATIONS:
        if written.search(plain):
            flags.append(info(code, place=place, value=clip(text)))
    return regimen, tuple(flags)


def _part(
    text: str, typed: str, default: time, decimal_mark: str, place: Place | None, flags: list[Message]
) -> Regimen:
    core, days, clocks = _strip_ends(text, place)
    for allowed, read, pattern in ((allowed, read, pattern) for allowed, read, forms in _FORMS for pattern in forms):
        match = _form(pattern).fullmatch(core)
        if match is None or len(clocks) not in (0, allowed):
            continue
        part = _Part(match=match, clocks=clocks, default=default, decimal_mark=decimal_mark, place=place, flags=flags)
        regimen = read(part)
        return regimen if days is None else regimen.lasting(days)
    raise ChartError(error("chart.regimen-unreadable", place=place, value=clip(typed)))


def _strip_ends(text: str, place: Place | None) -> tuple[str, int | None, tuple[time, ...]]:
    """Take "for 14 days" and "at 08:00" off the end of a part, in either order."""
    days: int | None = None
    clocks: tuple[time, ...] = ()
    while True:
        if days is None and (match := _FOR.search(text)):
            days = int(match["count"]) * (7 if match["span"] in ("week", "weeks", "周") else 1)
            if days > LONGEST_DAYS:
                raise ChartError(error("chart.regimen-too-long", place=place, value=days, limit=LONGEST_DAYS))
        elif not clocks and (match := _AT.search(text)):
            clocks = tuple(_clock(found, place) for found in (match["first"], match["second"]) if found)
        else:
            return text, days, clocks
        text = text[: match.start()]


def _clock(text: str, place: Place | None) -> time:
    hour, minute = (int(part) for part in text.split(":"))
    if hour > 23 or minute > 59:
        raise ChartError(error("chart.no-such-time", place=place, value=text))
    return time(hour, minute)
