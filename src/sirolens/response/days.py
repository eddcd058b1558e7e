# SPDX-License-Identifier: Apache-2.0
"""Calendar days of a course: counted from day 0 in the clinic's own zone (rules R-1 to R-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Course

__all__ = ["Days", "days_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """How instants become days of one course.

    Parameters
    ----------
    zone : ZoneInfo
        The clinic's.
    first_dose : datetime
        The first dose of the course.
    day_0 : date
        Its calendar day.
    known : int
        The day of the instant that is looked back from.
    end : int
        The last day that belongs to the course: the day before the next one's day 0, or the known day.

    Examples
    --------
    >>> from datetime import UTC
    >>> monday = datetime(2026, 1, 5, 16, tzinfo=UTC)
    >>> days = Days(zone=ZoneInfo("UTC"), first_dose=monday, day_0=monday.date(), known=90, end=90)
    >>> days.of(datetime(2026, 1, 12, 8, tzinfo=UTC))
    7
    """

    zone: ZoneInfo
    first_dose: datetime
    day_0: date
    known: int
    end: int

    def of(self, at: datetime) -> int:
        """Return the day of an instant."""
        return (at.astimezone(self.zone).date() - self.day_0).days

    def last(self, stop: datetime) -> int:
        """Return the last day of what ended at an instant, the first one no longer covered."""
        return self.of(stop - timedelta(microseconds=1))

    def date(self, day: int) -> date:
        """Return the calendar date of a day."""
        return self.day_0 + timedelta(days=day)

    @property
    def starts_without_time(self) -> bool:
        """Whether the first dose is given as a day only, at local midnight."""
        return self.first_dose.astimezone(self.zone).time() == time()


def _first_intake(chart: Chart, at: datetime) -> datetime | None:
    intakes = chart.intakes(at)
    return intakes[0].at if intakes else None


def days_of(chart: Chart, at: datetime, course: int | None = None) -> tuple[Days, Course | None] | None:
    """Return the days of a course and the course; None where sirolimus was not begun.

    Parameters
    ----------
    chart : Chart
        What is known at `at`.
    at : datetime
        Looked back from here.
    course : int, optional
        Which course, from 0 in the order they began; the last one when left out. Without a recorded course: from the
        first intake.

    Raises
    ------
    IndexError
        No such course.
    """
    zone = ZoneInfo(chart.zone)
    courses = sorted(chart.courses, key=lambda one: one.at)
    which = None if not courses else courses[-1 if course is None else course]
    first_dose = which.at if which is not None else _first_intake(chart, at)
    if first_dose is None:
        return None
    day_0 = first_dose.astimezone(zone).date()
    known = (at.astimezone(zone).date() - day_0).days
    later = [one.at for one in courses if one.at > first_dose]
    end = min([known, *((one.astimezone(zone).date() - day_0).days - 1 for one in later)])
    return Days(zone=zone, first_dose=first_dose, day_0=day_0, known=known, end=end), which
