# SPDX-License-Identifier: Apache-2.0
"""What is prescribed: a small algebra of regimens that expands to intakes.

A clinic's day is a calendar day: "daily at eight" stays at eight when the clocks change, and the hours between two
intakes come from their instants. Build a regimen from `daily`, `alternate_days`, `twice_daily`, `weekdays`, `every`,
`once` and `hold`; join with ``.then``, limit with ``.lasting``, take out with ``.missing``, step down with `taper`.
``.intakes`` expands it between two instants; `cycle` gives the repeating pattern that steady state needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, count
from typing import final

from sirolens.errors import RegimenError
from sirolens.message import Message, error

__all__ = [
    "Calendar",
    "Cycle",
    "Every",
    "Hold",
    "InTurn",
    "Intake",
    "Limited",
    "Missing",
    "Once",
    "Regimen",
    "alternate_days",
    "cycle",
    "daily",
    "every",
    "hold",
    "once",
    "taper",
    "twice_daily",
    "weekdays",
]

MORNING = time(8)
EVENING = time(20)
SMALLEST_STEP_MG = 0.001  # a microgram: finer steps would make a taper of millions of parts


def _require(holds: bool, otherwise: Message) -> None:
    if not holds:
        raise RegimenError(otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One dose at one instant.

    Parameters
    ----------
    at : datetime
        The instant, with its time zone.
    amount_mg : float
        How much.
    """

    at: datetime
    amount_mg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The repeating pattern of a regimen.

    Parameters
    ----------
    period_h : float
        Length of the pattern.
    offset_h : tuple of float
        Time of each dose after the start of the pattern, ascending.
    amount_mg : tuple of float
        Each dose.

    Examples
    --------
    >>> cycle(alternate_days(2)).daily_mg
    1.0
    """

    period_h: float
    offset_h: tuple[float, ...]
    amount_mg: tuple[float, ...]

    @property
    def daily_mg(self) -> float:
        """Mean dose per 24 h."""
        return sum(self.amount_mg) * 24.0 / self.period_h

    def scaled(self, factor: float) -> Cycle:
        """Multiply every dose."""
        return Cycle(
            period_h=self.period_h, offset_h=self.offset_h, amount_mg=tuple(a * factor for a in self.amount_mg)
        )


class Regimen(ABC):
    """What is prescribed, from a first calendar day on."""

    __slots__ = ()

    @property
    @abstractmethod
    def days(self) -> int | None:
        """For how many calendar days it lasts; None: without end."""

    @abstractmethod
    def _from(self, start: datetime) -> Iterator[Intake]:
        """Yield the intakes in order, from the calendar day of `start` on."""

    def intakes(self, start: datetime, stop: datetime) -> tuple[Intake, ...]:
        """Expand the regimen between two instants, the first included, the last not.

        Parameters
        ----------
        start : datetime
            First instant, with the clinic's time zone; its calendar day is day one of the regimen.
        stop : datetime
            End, with a time zone.

        Raises
        ------
        RegimenError
            ``regimen.naive-time`` when an instant has no time zone.

        Examples
        --------
        >>> from zoneinfo import ZoneInfo
        >>> start = datetime(2026, 3, 28, tzinfo=ZoneInfo("Europe/Berlin"))
        >>> first, second = daily(2).intakes(start, start + timedelta(days=2))
        >>> (second.at.astimezone(UTC) - first.at.astimezone(UTC)).total_seconds() / 3600
        23.0
        """
        for instant in (start, stop):
            _require(instant.tzinfo is not None, error("regimen.naive-time", at=instant))
        first, last = start.astimezone(UTC), stop.astimezone(UTC)
        found: list[Intake] = []
        for intake in self._from(start):
            instant = intake.at.astimezone(UTC)
            if instant >= last:
                break
            if instant >= first:
                found.append(intake)
        return tuple(found)

    def then(self, other: Regimen) -> Regimen:
        """Follow this regimen, which must have an end, by another."""
        _require(self.days is not None, error("regimen.then-after-endless"))
        parts = (part.parts if isinstance(part, InTurn) else (part,) for part in (self, other))
        return InTurn(parts=tuple(chain.from_iterable(parts)))

    def lasting(self, days: int) -> Regimen:
        """End after a number of calendar days."""
        _require(days > 0, error("regimen.days-not-positive", days=days))
        return Limited(regimen=self, limit_days=days)

    def missing(self, *dates: date) -> Regimen:
        """Take out every intake on these calendar dates."""
        return Missing(regimen=self, dates=frozenset(dates))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Regimen):
    """Doses at clock times on a repeating pattern of calendar days.

    Parameters
    ----------
    pattern : tuple of tuple of (time, float)
        For each day of the pattern, clock times and doses in mg; an empty tuple is a day off.
    weekly : bool
        The pattern starts on Mondays (seven days) instead of on the first day of the regimen.
    """

    pattern: tuple[tuple[tuple[time, float], ...], ...]
    weekly: bool = False

    def __post_init__(self) -> None:
        if not any(self.pattern):
            raise ValueError("a calendar without a dose would be looked through for ever; say a hold instead")
        object.__setattr__(self, "pattern", tuple(tuple(sorted(on_day)) for on_day in self.pattern))

    @property
    def days(self) -> int | None:
        """Without end."""
        return None

    def _from(self, start: datetime) -> Iterator[Intake]:
        shift = start.weekday() if self.weekly else 0
        for day in count():
            at_day = start.date() + timedelta(days=day)
            on_day = self.pattern[(day + shift) % len(self.pattern)]
            doses = [Intake(at=datetime.combine(at_day, clock, start.tzinfo), amount_mg=a) for clock, a in on_day]
            # A clock time that the spring change skips comes after later clock times of its day.
            yield from sorted(doses, key=lambda dose: dose.at.astimezone(UTC)) if len(doses) > 1 else doses


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Every(Regimen):
    """The same dose every so many elapsed hours, whatever the clock says."""

    amount_mg: float
    interval_h: float

    @property
    def days(self) -> int | None:
        """Without end."""
        return None

    def _from(self, start: datetime) -> Iterator[Intake]:
        first = start.astimezone(UTC)
        for index in count():
            at = (first + index * timedelta(hours=self.interval_h)).astimezone(start.tzinfo)
            yield Intake(at=at, amount_mg=self.amount_mg)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Once(Regimen):
    """One dose on one day, such as a loading dose."""

    amount_mg: float
    clock: time = MORNING

    @property
    def days(self) -> int | None:
        """One day."""
        return 1

    def _from(self, start: datetime) -> Iterator[Intake]:
        yield Intake(at=datetime.combine(start.date(), self.clock, start.tzinfo), amount_mg=self.amount_mg)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Regimen):
    """No dose, for some days or without end."""

    for_days: int | None = None

    @property
    def days(self) -> int | None:
        """As long as it is held."""
        return self.for_days

    def _from(self, start: datetime) -> Iterator[Intake]:
        return iter(())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limited(Regimen):
    """A regimen that ends after a number of calendar days."""

    regimen: Regimen
    limit_days: int

    @property
    def days(self) -> int | None:
        """The limit, or less where the regimen ends before it."""
        own = self.regimen.days
        return self.limit_days if own is None else min(own, self.limit_days)

    def _from(self, start: datetime) -> Iterator[Intake]:
        end = start.date() + timedelta(days=self.limit_days)
        for intake in self.regimen._from(start):
            if intake.at.date() >= end:
                return
            yield intake


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InTurn(Regimen):
    """Regimens one after the other; all but the last have an end."""

    parts: tuple[Regimen, ...]

    @property
    def days(self) -> int | None:
        """The sum of the parts, or None when the last has no end."""
        lengths = [part.days for part in self.parts]
        return None if lengths[-1] is None else sum(length or 0 for length in lengths)

    def _from(self, start: datetime) -> Iterator[Intake]:
        begin = start
        for part in self.parts:
            yield from part._from(begin)
            if part.days is None:
                return
            # The clock goes with it, so that doses "every 48 h" after a loading dose do not move to midnight.
            begin = datetime.combine(begin.date() + timedelta(days=part.days), start.time(), start.tzinfo)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Regimen):
    """A regimen without its intakes on certain dates."""

    regimen: Regimen
    dates: frozenset[date]

    @property
    def days(self) -> int | None:
        """As long as the regimen."""
        return self.regimen.days

    def _from(self, start: datetime) -> Iterator[Intake]:
        return (intake for intake in self.regimen._from(start) if intake.at.date() not in self.dates)


def _check_dose(amount_mg: float) -> None:
    _require(0.0 < amount_mg < float("inf"), error("regimen.dose-not-positive", dose_mg=amount_mg))


def daily(amount_mg: float, *, at: time = MORNING, every_days: int = 1) -> Regimen:
    """Prescribe one dose every so many calendar days at a clock time.

    >>> daily(2).days is None
    True
    """
    _check_dose(amount_mg)
    _require(every_days > 0, error("regimen.days-not-positive", days=every_days))
    return Calendar(pattern=(((at, amount_mg),), *(((),) * (every_days - 1))))


def alternate_days(amount_mg: float, *, at: time = MORNING) -> Regimen:
    """Prescribe one dose every other calendar day."""
    return daily(amount_mg, at=at, every_days=2)


def twice_daily(
    morning_mg: float, evening_mg: float | None = None, *, at: tuple[time, time] = (MORNING, EVENING)
) -> Regimen:
    """Prescribe two doses a day; the evening dose is the morning's unless said otherwise."""
    second_mg = morning_mg if evening_mg is None else evening_mg
    _check_dose(morning_mg)
    _check_dose(second_mg)
    return Calendar(pattern=(((at[0], morning_mg), (at[1], second_mg)),))


def weekdays(
    *,
    mon: float = 0.0,
    tue: float = 0.0,
    wed: float = 0.0,
    thu: float = 0.0,
    fri: float = 0.0,
    sat: float = 0.0,
    sun: float = 0.0,
    at: time = MORNING,
) -> Regimen:
    """Prescribe by day of the week; 0 is a day off.

    >>> cycle(weekdays(mon=2, wed=2, fri=2)).amount_mg
    (2, 2, 2)
    """
    amounts = (mon, tue, wed, thu, fri, sat, sun)
    _require(any(amounts), error("regimen.no-dose"))
    for amount_mg in filter(None, amounts):
        _check_dose(amount_mg)
    return Calendar(pattern=tuple(((at, a),) if a else () for a in amounts), weekly=True)


def every(amount_mg: float, interval_h: float) -> Regimen:
    """Prescribe the same dose every so many elapsed hours."""
    _check_dose(amount_mg)
    _require(0.0 < interval_h < float("inf"), error("regimen.interval-not-positive", interval_h=interval_h))
    return Every(amount_mg=amount_mg, interval_h=interval_h)


def once(amount_mg: float, *, at: time = MORNING) -> Regimen:
    """Prescribe a single dose, such as a loading dose."""
    _check_dose(amount_mg)
    return Once(amount_mg=amount_mg, clock=at)


def hold(days: int | None = None) -> Regimen:
    """Prescribe no dose, for some days or without end."""
    _require(days is None or days > 0, error("regimen.days-not-positive", days=days))
    return Hold(for_days=days)


def taper(from_mg: float, *, step_mg: float, every_days: int, to_mg: float = 0.0, at: time = MORNING) -> Regimen:
    """Step a daily dose down by `step_mg` every `every_days` until `to_mg`, which then stays (0: stop).

    >>> taper(2, step_mg=0.5, every_days=14).days is None
    True
    """
    _check_dose(from_mg)
    _check_dose(step_mg)
    _require(step_mg >= SMALLEST_STEP_MG, error("regimen.step-too-small", step_mg=step_mg, least_mg=SMALLEST_STEP_MG))
    _require(0.0 <= to_mg < from_mg, error("regimen.taper-not-downward", to_mg=to_mg))
    steps: list[Regimen] = []
    dose_mg = from_mg
    # Half a thousandth of a milligram keeps 2 - 4 * 0.5 from leaving a dose of rounding error behind.
    while dose_mg > to_mg + 5e-4:
        steps.append(daily(dose_mg, at=at).lasting(every_days))
        dose_mg = round(dose_mg - step_mg, 6)
    return InTurn(parts=(*steps, daily(to_mg, at=at) if to_mg > 0 else Hold()))


def cycle(regimen: Regimen) -> Cycle | None:
    """Return the repeating pattern a regimen ends in; None when it ends in no dose.

    Missed dates are left out: they are not part of what repeats.

    Examples
    --------
    >>> cycle(once(6).then(daily(2))).amount_mg
    (2,)
    >>> cycle(twice_daily(1)).offset_h
    (0.0, 12.0)
    """
    if isinstance(regimen, InTurn):
        return cycle(regimen.parts[-1])
    if isinstance(regimen, Missing):
        return cycle(regimen.regimen)
    if isinstance(regimen, Every):
        return Cycle(period_h=regimen.interval_h, offset_h=(0.0,), amount_mg=(regimen.amount_mg,))
    if not isinstance(regimen, Calendar):
        return None
    doses = [
        (24.0 * day + clock.hour + clock.minute / 60 + clock.second / 3600, amount_mg)
        for day, on_day in enumerate(regimen.pattern)
        for clock, amount_mg in on_day
    ]
    first_h = doses[0][0]
    return Cycle(
        period_h=24.0 * len(regimen.pattern),
        offset_h=tuple(at_h - first_h for at_h, _ in doses),
        amount_mg=tuple(amount_mg for _, amount_mg in doses),
    )
