# SPDX-License-Identifier: Apache-2.0
"""Time in a study report: how long until a response, how long it lasted, and what came instead."""

from __future__ import annotations

import math
from enum import IntEnum

from sirolens.engine.statistics.survival import KaplanMeier
from sirolens.message import Message, info
from sirolens.report.axes import day_ticks
from sirolens.report.document import Block, Cell, Figure, Heading, Interval, Paragraph, Table
from sirolens.report.survival_figure import Curve, SurvivalCurves
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.time_to_event import EndCause, StartCause, TimeCourse
from sirolens.study.page_parts import NamedTable, Part, arm_name, p_value, table_of

__all__ = ["time_parts"]

MOST_ARMS = 4
AT_DAYS = (28, 56, 91, 182, 365, 730)


def time_parts(analysis: Analysis) -> list[Part]:
    """Show the four questions over time."""
    to_response, _, duration, _ = analysis.times
    parts: list[Part] = [
        Heading(text=info("study.time")),
        Paragraph(sentences=(info("study.time-what"), info("study.time-ties"))),
    ]
    parts += _figure(analysis, to_response, rising=True)
    parts += _incidence(analysis, to_response, StartCause)
    parts += _figure(analysis, duration, rising=False)
    parts += _incidence(analysis, duration, EndCause)
    return [*parts, NamedTable(name="times", table=_medians(analysis)), *_exports(analysis), *_cumulative(analysis)]


def _group_name(analysis: Analysis, arm: str, several: bool) -> Message | str:
    return arm_name(analysis.cohort, arm) if several else info("study.all-patients")


def _curve(name: Message | str, found: KaplanMeier, *, rising: bool) -> Curve:
    """One minus the curve where the event is wanted: the share that has responded rises."""
    steps = [i for i in range(len(found.time)) if found.events[i] > 0]
    censored = [float(found.time[i]) for i in range(len(found.time)) if found.censored[i] > 0]
    last = float(found.time[-1]) if len(found.time) else 0.0
    level = [float(found.survival[i]) for i in steps]
    low, high = ([float(side[i]) for i in steps] for side in (found.low, found.high))
    if rising:
        level, low, high = ([1 - one for one in values] for values in (level, high, low))
    return Curve(
        name=name,
        time_d=tuple(float(found.time[i]) for i in steps),
        probability=tuple(level),
        low=tuple(low),
        high=tuple(high),
        censored_d=tuple(censored),
        at_risk=tuple((day, found.at_risk_at(float(day))) for day in day_ticks(max(last, 1.0) * 1.02)),
        start=0.0 if rising else 1.0,
        last_d=last,
    )


def _figure(analysis: Analysis, course: TimeCourse, *, rising: bool) -> list[Block]:
    if not len(course.times.days):
        return [Paragraph(sentences=(info(f"study.nobody-{course.name}"),))]
    several = len(course.groups) > 1
    groups = [(arm, found) for arm, found in course.groups if found.n][:MOST_ARMS]
    curves = tuple(_curve(_group_name(analysis, arm, several), found, rising=rising) for arm, found in groups)
    drawing = SurvivalCurves(curves=curves, axis=info(f"study.axis-{course.name}"))
    caption = info(f"study.curve-{course.name}", patients=len(course.times.days), events=int(course.times.event.sum()))
    return [Figure(name=f"km-{course.name}", drawing=drawing, alt=info(f"study.alt-{course.name}"), caption=caption)]


def _incidence(analysis: Analysis, course: TimeCourse, causes: type[IntEnum]) -> list[Block]:
    found = course.incidence
    shown = [one for one in found.causes if one.events.sum() > 0]
    if not shown:
        return []
    last = float(found.time[-1])
    curves = []
    for one in shown:
        steps = [i for i in range(len(found.time)) if one.events[i] > 0]
        curves.append(
            Curve(
                name=_cause(course, causes(one.cause)),
                time_d=tuple(float(found.time[i]) for i in steps),
                probability=tuple(float(one.incidence[i]) for i in steps),
                start=0.0,
                last_d=last,
            )
        )
    drawing = SurvivalCurves(curves=tuple(curves), axis=info(f"study.incidence-{course.name}"))
    alt = info("study.incidence-alt", causes=len(curves))
    return [Figure(name=f"aj-{course.name}", drawing=drawing, alt=alt, caption=info("study.incidence-caption"))]


def _cause(course: TimeCourse, cause: IntEnum) -> Message:
    kind = "start" if isinstance(cause, StartCause) else "end"
    assert course.causes
    return info(f"study.cause-{kind}-{cause.name.lower()}")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _medians(analysis: Analysis) -> Table:
    columns = [
        (info("study.column-question"), "question"),
        (info("study.column-arm"), "group"),
        (info("study.column-patients"), "patients"),
        (info("study.column-events"), "events"),
        (info("study.column-median"), "median_d"),
        (info("study.column-p-logrank"), "p_value"),
    ]
    rows: list[list[Cell]] = []
    for course in analysis.times:
        several = len(course.groups) > 1
        for index, (arm, found) in enumerate(course.groups):
            p = p_value(course.test.p_value) if course.test is not None and index == 0 else None
            name = _group_name(analysis, arm, several)
            rows.append(
                [info(f"study.question-{course.name}"), name, found.n, int(found.events.sum()), _median(found), p]
            )
    notes = (info("study.median-note"), info("study.time-limits"))
    return table_of(columns, rows, caption=info("study.times-caption"), notes=notes)


def _median(found: KaplanMeier) -> Cell:
    if not math.isfinite(found.median):
        return None
    low, high = found.median_interval.low, found.median_interval.high
    if math.isfinite(high):
        return Interval(middle=found.median, low=low, high=high)
    return info("study.median-open", median=found.median, low=low if math.isfinite(low) else 0.0)


def _exports(analysis: Analysis) -> list[Part]:
    """The curves as tables, for whoever draws them again, and the incidences at a few days on the page."""
    columns = [(info("study.column-question"), "question"), (info("study.column-arm"), "group")]
    heads = ("day", "at-risk", "events", "censored", "estimate", "low", "high")
    columns += [(info(f"study.curve-{head}"), head) for head in heads]
    rows: list[list[Cell]] = []
    for course in analysis.times:
        several = len(course.groups) > 1
        for arm, found in course.groups:
            name = _group_name(analysis, arm, several)
            arrays = (found.time, found.at_risk, found.events, found.censored, found.survival, found.low, found.high)
            rows += [
                [info(f"study.question-{course.name}"), name, *(_finite(float(one)) for one in step)]
                for step in zip(*arrays, strict=True)
            ]
    curves = table_of(columns, rows, caption=info("study.curves-caption"))
    return [
        NamedTable(name="curves", table=curves, shown=False),
        NamedTable(name="incidence", table=_at_days(analysis)),
    ]


def _at_days(analysis: Analysis) -> Table:
    columns = [
        (info("study.column-question"), "question"),
        (info("study.column-cause"), "cause"),
        (info("study.column-events"), "events"),
        *((info("study.column-by-day", day=day), f"by{day}_percent") for day in AT_DAYS),
    ]
    rows: list[list[Cell]] = []
    for course in analysis.times:
        causes = StartCause if course.name.startswith("to-") else EndCause
        for one in course.incidence.causes:
            at = [course.incidence.at(one.cause, float(day)) for day in AT_DAYS]
            cells: list[Cell] = [100 * value if math.isfinite(value) else None for value in at]
            head = info(f"study.question-{course.name}")
            rows.append([head, _cause(course, causes(one.cause)), int(one.events.sum()), *cells])
    notes = (info("study.incidence-note"),)
    return table_of(columns, rows, caption=info("study.incidence-table"), notes=notes)


def _cumulative(analysis: Analysis) -> list[Part]:
    """Duration (b): the share of the examined time in response."""
    found = analysis.outcomes.classified
    days, examined = int(found.days_in_response.clip(min=0).sum()), int(found.days_examined.clip(min=0).sum())
    if examined <= 0:
        return []
    said = info("study.duration-b", days_d=days, examined_d=examined, share_percent=100 * days / examined)
    return [Paragraph(sentences=(said,))]
