# SPDX-License-Identifier: Apache-2.0
"""One chart on the way to numbers: which counts and bleedings make which visit, and which count is the baseline.

Rules R-3 to R-9 of ``docs/science/response.md``. `sirolens.response.visits` puts many of these side by side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import final

from sirolens.chart import Bleeding, BleedingAsked, Chart, Course, Fact, PlateletCount
from sirolens.message import Message, info, warning
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.days import Days, days_of
from sirolens.response.events import Event, events_of

__all__ = ["BLEEDING_UNGRADED", "NOT_ASKED", "Baseline", "BaselineState", "ChartVisits", "Visit", "chart_visits"]

NOT_ASKED = -1
"""Bleeding was not asked for, or not reported."""
BLEEDING_UNGRADED = 9
"""Bleeding was there, its grade was not told."""


@final
class BaselineState(IntEnum):
    """Whether the baseline can be used."""

    USABLE = 0
    MISSING = 1
    MASKED = 2


NO_COUNT = float("nan")
DECIMALS = 6
"""Counts are rounded to these before anything is compared: unit conversion leaves dust in the last digits."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One count, or bleeding told on a day without one.

    Parameters
    ----------
    day : int
        Calendar day from day 0.
    count_10e9_l : float
        The count; nan without one.
    bleeding : int
        Of the day: -1 not asked, 0 none, else the grade; 9 where it was not told.
    facts : tuple of Fact
        What the chart says.
    """

    day: int
    count_10e9_l: float
    bleeding: int
    facts: tuple[Fact, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The count before treatment.

    Parameters
    ----------
    state : BaselineState
        Whether it can be used.
    count_10e9_l : float
        The count; nan where it cannot.
    day : int, optional
        Its day.
    facts : tuple of PlateletCount
        The counts it is made of.
    """

    state: BaselineState
    count_10e9_l: float = NO_COUNT
    day: int | None = None
    facts: tuple[PlateletCount, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ChartVisits:
    """One course of one chart, as days and numbers.

    Parameters
    ----------
    days : Days, optional
        How instants become days; None where sirolimus was not begun.
    course : Course, optional
        The course; None where it was read off the intakes.
    visits : tuple of Visit
        By day and instant.
    baseline : Baseline
        The count before treatment.
    events : tuple of Event
        By day.
    messages : tuple of Message
        What has to be said about the reading.
    """

    days: Days | None
    course: Course | None
    visits: tuple[Visit, ...]
    baseline: Baseline
    events: tuple[Event, ...]
    messages: tuple[Message, ...]


def _grade(bleeding: Bleeding) -> int:
    if bleeding.asked is BleedingAsked.NOT_ASKED:
        return NOT_ASKED
    if bleeding.asked is BleedingAsked.NONE:
        return 0
    return BLEEDING_UNGRADED if bleeding.grade is None else bleeding.grade


def _by_instant(counts: Iterable[PlateletCount]) -> dict[datetime, list[PlateletCount]]:
    found: dict[datetime, list[PlateletCount]] = defaultdict(list)
    for count in counts:
        found[count.at].append(count)
    return {at: found[at] for at in sorted(found)}


def _distinct(counts: Iterable[PlateletCount]) -> list[float]:
    return sorted({round(count.count_10e9_l, DECIMALS) for count in counts})


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), DECIMALS)


def _visits(chart: Chart, days: Days) -> tuple[Visit, ...]:
    """R-5 and R-6."""
    counts: dict[int, list[PlateletCount]] = defaultdict(list)
    bleedings: dict[int, list[Bleeding]] = defaultdict(list)
    for count in chart.platelet_counts:
        counts[days.of(count.at)].append(count)
    for bleeding in chart.bleedings:
        bleedings[days.of(bleeding.at)].append(bleeding)
    visits: list[Visit] = []
    for day in sorted(day for day in counts.keys() | bleedings.keys() if 1 <= day <= days.end):
        told = tuple(sorted(bleedings[day], key=lambda one: (one.at, one.id)))
        worst = max((_grade(one) for one in told), default=NOT_ASKED)
        if not counts[day] and worst != NOT_ASKED:
            visits.append(Visit(day=day, count_10e9_l=NO_COUNT, bleeding=worst, facts=told))
        for same in _by_instant(counts[day]).values():
            value = _mean(_distinct(same))
            before = visits[-1] if visits and visits[-1].day == day else None
            if before is not None and before.count_10e9_l == value:
                visits[-1] = Visit(day=day, count_10e9_l=value, bleeding=worst, facts=(*before.facts, *same))
            else:
                visits.append(Visit(day=day, count_10e9_l=value, bleeding=worst, facts=(*same, *told)))
    return tuple(visits)


def _hidden(day: int, events: Iterable[Event], criteria: CriteriaSet) -> bool:
    masks = criteria.mask_d
    return any(one.kind.label in masks and one.day <= day <= one.last_day + masks[one.kind.label] for one in events)


def _before(count: PlateletCount, days: Days) -> bool:
    """Whether a count is before treatment (R-6)."""
    day = days.of(count.at)
    return day < 0 or (day == 0 and (count.at <= days.first_dose or days.starts_without_time))


def _baseline(chart: Chart, days: Days, events: tuple[Event, ...], criteria: CriteriaSet) -> Baseline:
    """R-7."""
    recent = [one for one in chart.platelet_counts if -criteria.baseline_days <= days.of(one.at) and _before(one, days)]
    if not recent:
        return Baseline(state=BaselineState.MISSING)
    usable = [one for one in recent if not _hidden(days.of(one.at), events, criteria)]
    if not usable:
        return Baseline(state=BaselineState.MASKED)
    last = max(one.at for one in usable)
    same = tuple(one for one in usable if one.at == last)
    values = _distinct(same)
    chosen = {"lowest": values[0], "highest": values[-1]}.get(criteria.baseline_ties, _mean(values))
    return Baseline(state=BaselineState.USABLE, count_10e9_l=chosen, day=days.of(last), facts=same)


def _unused(chart: Chart, days: Days) -> tuple[Message, ...]:
    """R-6: counts of day 0 after the first dose."""
    late = [one for one in chart.platelet_counts if days.of(one.at) == 0 and not _before(one, days)]
    return tuple(
        info("response.count-after-first-dose", count_10e9_l=one.count_10e9_l, at=one.at)
        for one in sorted(late, key=lambda one: (one.at, one.count_10e9_l))
    )


def chart_visits(chart: Chart, at: datetime, criteria: CriteriaSet, course: int | None = None) -> ChartVisits:
    """Read one course of a chart, as far as it was known.

    Parameters
    ----------
    chart : Chart
        The chart; only what was known at `at` is read.
    at : datetime
        Looked back from here.
    criteria : CriteriaSet
        What a baseline is and what masks it.
    course : int, optional
        Which course, from 0 in the order they began; the last one when left out.
    """
    chart = chart.known(at)
    found = days_of(chart, at, course)
    if found is None:
        missing, said = Baseline(state=BaselineState.MISSING), (warning("response.not-begun"),)
        return ChartVisits(days=None, course=None, visits=(), baseline=missing, events=(), messages=said)
    days, which = found
    events, messages = events_of(chart, which, days, criteria)
    return ChartVisits(
        days=days,
        course=which,
        visits=_visits(chart, days),
        baseline=_baseline(chart, days, events, criteria),
        events=events,
        messages=(*messages, *_unused(chart, days)),
    )
