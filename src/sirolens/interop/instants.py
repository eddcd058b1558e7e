# SPDX-License-Identifier: Apache-2.0
"""Reading a date or a time as somebody typed it: year first, with an offset or in the clinic's time zone.

A clock time that the spring change skips, or that exists twice in autumn, is asked for, never guessed; so is a date
written day first or month first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from sirolens.errors import ChartError
from sirolens.interop.numbers import clip, plain_width
from sirolens.message import Place, error

__all__ = ["FIRST_YEAR", "LAST_YEAR", "Precision", "known_zone", "read_day", "read_instant", "start_of_day"]

FIRST_YEAR, LAST_YEAR = 1900, 2200  # outside: a typing error

_TYPED = re.compile(
    r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?"
    r"(?:[T\s]\s*(\d{1,2})[:时点](\d{2})分?(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)
_USUAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)?", re.ASCII)
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?:\D.*)?", re.ASCII)


class Precision(IntEnum):
    """How much of a time must be given; more is always accepted."""

    MONTH = 1
    DAY = 2
    CLOCK = 3


@lru_cache(maxsize=64)
def known_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of an IANA name, or None when there is none of that name.

    >>> known_zone("Asia/Shanghai").key, known_zone("Asia/Beijing")
    ('Asia/Shanghai', None)
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    # Folders of a system's own, such as right/ (leap seconds), are no IANA names.
    return zone if name in available_timezones() else None


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a calendar day, in UTC; where a clock change skips midnight it is not 00:00.

    >>> start_of_day(date(2026, 9, 1), ZoneInfo("Asia/Shanghai"))
    datetime.datetime(2026, 8, 31, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _parts(text: str, needed: Precision, place: Place | None) -> tuple[tuple[int, int, int | None], re.Match[str]]:
    """Split a typed time into numbers, after checking that all that is needed is there."""
    plain = plain_width(text)
    match = _TYPED.fullmatch(plain)
    if match is None:
        order = _YEAR_LAST.fullmatch(plain)
        code = error("chart.date-order", place=place, value=clip(text)) if order else None
        raise ChartError(code or error("chart.time-unreadable", place=place, value=clip(text)))
    year, month, day = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ChartError(
            error("chart.year-out-of-range", place=place, value=clip(text), first=FIRST_YEAR, last=LAST_YEAR)
        )
    if match[4] is None and needed is Precision.CLOCK:
        raise ChartError(error("chart.clock-missing", place=place, value=clip(text)))
    if day is None and needed is not Precision.MONTH:
        raise ChartError(error("chart.day-missing", place=place, value=clip(text)))
    return (year, month, day), match


def read_day(text: str, *, place: Place | None = None) -> date:
    """Read a calendar day.

    Raises
    ------
    ChartError
        When it is no day, names the day before the year, or does not exist.

    Examples
    --------
    >>> read_day("2026年9月1日")
    datetime.date(2026, 9, 1)
    """
    (year, month, day), match = _parts(text, Precision.DAY, place)
    if match[4] is not None:
        raise ChartError(error("chart.day-only", place=place, value=clip(text)))
    try:
        return date(year, month, day or 1)
    except ValueError:
        raise ChartError(error("chart.no-such-day", place=place, value=clip(text))) from None


def read_instant(
    text: str,
    *,
    zone: ZoneInfo | None,
    needed: Precision = Precision.CLOCK,
    end: bool = False,
    place: Place | None = None,
) -> tuple[datetime, Precision, bool]:
    """Read an instant.

    Parameters
    ----------
    text : str
        Such as ``"2026-09-01T08:00"``, ``"2026/9/1 8:00"`` or ``"2026-09-01T08:00+08:00"``.
    zone : ZoneInfo, optional
        The clinic's, for times without an offset.
    needed : Precision
        The least that must be given. A day alone means its first instant, a month alone its first day.
    end : bool
        A day alone means the first instant after it, so that "until the 14th" includes the 14th.
    place : Place, optional
        Where it stands.

    Returns
    -------
    instant : datetime
        In UTC.
    given : Precision
        How much was given.
    naive : bool
        Whether it had no offset and was read in `zone`.

    Raises
    ------
    ChartError
        When it cannot be read, does not exist, exists twice, or has neither offset nor zone.

    Examples
    --------
    >>> read_instant("2026-09-01 08:00", zone=ZoneInfo("Asia/Shanghai"))[0].isoformat()
    '2026-09-01T00:00:00+00:00'
    """
    usual = _usual(text)
    if usual is not None and usual.tzinfo is not None:
        return usual.astimezone(UTC), Precision.CLOCK, False
    if usual is not None and zone is not None:
        return _in_zone(usual, zone, text, place), Precision.CLOCK, True
    (year, month, day), match = _parts(text, needed, place)
    given = Precision.MONTH if day is None else Precision.DAY if match[4] is None else Precision.CLOCK
    fraction = int((match[7] or "").ljust(6, "0")) if match[7] else 0
    try:
        local = datetime(year, month, day or 1, int(match[4] or 0), int(match[5] or 0), int(match[6] or 0), fraction)
    except ValueError:
        raise ChartError(error("chart.no-such-time", place=place, value=clip(text))) from None
    if match[8]:
        return _with_offset(local, match[8], text, place), given, False
    if zone is None:
        raise ChartError(error("chart.zone-needed", place=place, value=clip(text)))
    if given is Precision.CLOCK:
        return _in_zone(local, zone, text, place), given, True
    first = local.date()
    return start_of_day(first + timedelta(days=1) if end else first, zone), given, False


def _usual(text: str) -> datetime | None:
    """Read the usual way of writing a time quickly; None for any other, which is read, or refused, at length."""
    if _USUAL.fullmatch(text) is None or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _with_offset(local: datetime, offset: str, text: str, place: Place | None) -> datetime:
    digits = [int(part) for part in re.findall(r"\d{2}", offset)]
    if offset in "Zz":
        return local.replace(tzinfo=UTC)
    hours, minutes, seconds = (*digits, 0)[:3]
    shift = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if minutes > 59 or seconds > 59 or shift > timedelta(hours=16):
        raise ChartError(error("chart.no-such-time", place=place, value=clip(text)))
    return local.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift)).astimezone(UTC)


def _in_zone(local: datetime, zone: ZoneInfo, text: str, place: Place | None) -> datetime:
    """Read a clock time in a zone; one that does not exist, or exists twice, is asked for."""
    first = local.replace(tzinfo=zone)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ChartError(error("chart.time-skipped", place=place, value=clip(text), zone=zone.key))
    choices = (first.isoformat(timespec="minutes"), second.isoformat(timespec="minutes"))
    raise ChartError(
        error("chart.time-twice", place=place, value=clip(text), zone=zone.key, first=choices[0], second=choices[1])
    )
