# SPDX-License-Identifier: Apache-2.0
"""Where in the course the patient stands: review and futility dates, and the lowest level that has held the platelets.

Only counts are read here, against the two lines of the chart (30 and 100); whether that is a response, with bleeding
and confirmation, is asked in the response room.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sirolens.chart import Chart, Level, PlateletCount, Quantification
from sirolens.dosing.present import day_of
from sirolens.dosing.protocol import Settings
from sirolens.dosing.target import Target
from sirolens.message import Message, info, warning

__all__ = ["course_messages", "course_start", "lowest_effective"]

NEAR = timedelta(days=14)
"""A count within two weeks of a level belongs to it (JUDGE)."""


def course_start(chart: Chart) -> datetime | None:
    """Return when the running course began: its record, else the first prescription or dose."""
    running = [course.at for course in chart.courses if course.stop is None]
    if running:
        return max(running)
    firsts = [fact.at for fact in (*chart.prescriptions, *chart.doses)]
    return None if chart.courses or not firsts else min(firsts)


def lowest_effective(chart: Chart, settings: Settings) -> tuple[Level, PlateletCount] | None:
    """Return the lowest measured level beside a count that reached the response line, with that count.

    A level counts with the nearest platelet count within two weeks.
    """
    pairs: list[tuple[Level, PlateletCount]] = []
    for level in chart.levels:
        near = [count for count in chart.platelet_counts if abs(count.at - level.at) <= NEAR]
        if level.excluded is None and level.quantification is Quantification.MEASURED and near:
            pairs.append((level, _nearest(level, near)))
    held = [pair for pair in pairs if pair[1].count_10e9_l >= settings.response_count_10e9_l.value]
    return min(held, key=lambda pair: pair[0].level_ng_ml, default=None)


def _nearest(level: Level, counts: Iterable[PlateletCount]) -> PlateletCount:
    return min(counts, key=lambda count: abs(count.at - level.at))


def course_messages(chart: Chart, at: datetime, target: Target, settings: Settings) -> tuple[Message, ...]:
    """Say what the course asks for.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        The instant of the advice.
    target : Target
        The range.
    settings : Settings
        Review and futility days, and the two platelet lines.
    """
    return (*_dates(chart, at, settings), *_effective(chart, target, settings))


def _dates(chart: Chart, at: datetime, settings: Settings) -> Iterable[Message]:
    start = course_start(chart)
    if start is None:
        return
    review = day_of(chart, start) + timedelta(days=settings.review_days.value)
    futility = day_of(chart, start) + timedelta(days=settings.futility_days.value)
    today = day_of(chart, at)
    reached = any(
        count.at >= start and count.count_10e9_l >= settings.response_count_10e9_l.value
        for count in chart.platelet_counts
    )
    if today <= review:
        yield info("protocol.review-date", source=settings.review_days.source, review_date=review)
    if today < futility:
        yield info("protocol.futility-date", source=settings.futility_days.source, futility_date=futility)
    elif not reached and chart.platelet_counts:
        yield warning(
            "protocol.futility-reached",
            source=settings.futility_days.source,
            futility_date=futility,
            line_10e9_l=settings.response_count_10e9_l.value,
        )


def _effective(chart: Chart, target: Target, settings: Settings) -> Iterable[Message]:
    found = lowest_effective(chart, settings)
    if found is None:
        return
    level, count = found
    yield info(
        "protocol.lowest-effective-level",
        source=settings.response_count_10e9_l.source,
        level_ng_ml=level.level_ng_ml,
        level_date=day_of(chart, level.at),
        count_10e9_l=count.count_10e9_l,
    )
    newest = max(chart.platelet_counts, key=lambda one: one.at)
    latest = max((one for one in chart.levels if one.excluded is None), key=lambda one: one.at)
    holds = newest.count_10e9_l >= settings.complete_count_10e9_l.value
    if holds and latest.level_ng_ml < target.low_ng_ml:
        yield info(
            "protocol.holds-below-range",
            source=target.source,
            count_10e9_l=newest.count_10e9_l,
            level_ng_ml=latest.level_ng_ml,
            low_ng_ml=target.low_ng_ml,
        )
