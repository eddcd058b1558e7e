# SPDX-License-Identifier: Apache-2.0
"""Courses for figures: each patient's lane of the swimmer plot, and the platelet counts with median and quartiles."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from sirolens.report.course_figure import ManyCourses, PatientLine
from sirolens.report.swimmer_figure import Lane, LaneMark, LaneSpan, LaneState, MarkKind, Swimmer
from sirolens.response.visits import EventKind
from sirolens.study.cohort.outcomes import Outcomes

__all__ = ["FEWEST_FOR_MEDIAN", "courses_of", "swimmer_of"]

FEWEST_FOR_MEDIAN = 3
"""A median of one or two patients would hide them behind a word of statistics."""
GRID_D = (0, 7, 14, 28, 42, 56, 91, 119, 147, 182, 238, 301, 365, 456, 547, 730, 1095, 1460, 1825)
"""Days of the medians; each takes the count nearest to it, within half the way to its neighbours."""


def swimmer_of(outcomes: Outcomes) -> Swimmer:
    """Draw every patient's course of response from the first dose."""
    lanes = tuple(_lane(outcomes, int(index)) for index in np.flatnonzero(outcomes.followed_d >= 0))
    return Swimmer(lanes=lanes, landmarks_d=tuple(float(day) for day in outcomes.criteria.landmarks_d))


def _lane(outcomes: Outcomes, index: int) -> Lane:
    found, last = outcomes.classified, float(outcomes.followed_d[index])
    spans: list[LaneSpan] = []
    for row in _events(outcomes, index):
        mask = _mask_days(outcomes, row)
        if mask:
            first, stop = outcomes.visits.event_day[row], outcomes.visits.event_last_day[row] + mask
            spans.append(_span(first, stop, last, LaneState.MASKED))
    length = int(found.duration_d[index])
    if length >= 0:
        start = int(found.achieved_day[index])
        spans.append(_span(start, start + length, last, LaneState.RESPONSE))
    cr_length = int(found.cr_duration_d[index])
    if cr_length >= 0:
        start = int(found.cr_achieved_day[index])
        spans.append(_span(start, start + cr_length, last, LaneState.COMPLETE))
    return Lane(name=outcomes.ids[index], last_d=last, spans=tuple(spans), marks=_marks(outcomes, index, last))


def _span(start: float, stop: float, last: float, state: LaneState) -> LaneSpan:
    begin = min(max(float(start), 0.0), last)
    return LaneSpan(start_d=begin, stop_d=min(max(float(stop), begin), last), state=state)


def _events(outcomes: Outcomes, index: int) -> range:
    starts = outcomes.visits.event_start
    return range(int(starts[index]), int(starts[index + 1]))


def _mask_days(outcomes: Outcomes, row: int) -> int:
    kind = EventKind(int(outcomes.visits.event_kind[row])).label
    return outcomes.criteria.mask_d.get(kind, 0)


def _marks(outcomes: Outcomes, index: int, last: float) -> tuple[LaneMark, ...]:
    visits = outcomes.visits
    rescues = [
        LaneMark(day=float(visits.event_day[row]), kind=MarkKind.RESCUE)
        for row in _events(outcomes, index)
        if EventKind(int(visits.event_kind[row])).label in outcomes.criteria.rescues and visits.event_day[row] >= 0
    ]
    rows = slice(int(visits.start[index]), int(visits.start[index + 1]))
    bleeds = sorted({int(d) for d in visits.day[rows][visits.bleeding[rows] >= outcomes.criteria.bleeding_grade]})
    marks = [*rescues, *(LaneMark(day=float(day), kind=MarkKind.BLEEDING) for day in bleeds)]
    stopped = int(outcomes.stopped_d[index])
    if stopped >= 0:
        marks.append(LaneMark(day=float(stopped), kind=MarkKind.STOPPED))
    elif outcomes.died_d[index] < 0:
        marks.append(LaneMark(day=last, kind=MarkKind.ONGOING))
    return tuple(mark for mark in marks if mark.day <= last)


def courses_of(outcomes: Outcomes) -> ManyCourses:
    """Gather all counts, the baseline at day 0, with median and quartiles on a grid of days."""
    visits = outcomes.visits
    lines, days, counts = [], [], []
    for index in range(visits.patients):
        rows = slice(int(visits.start[index]), int(visits.start[index + 1]))
        known = np.isfinite(visits.count_10e9_l[rows])
        day = visits.day[rows][known].astype(float)
        count = visits.count_10e9_l[rows][known]
        if np.isfinite(visits.baseline_10e9_l[index]):
            day, count = np.concatenate([[0.0], day]), np.concatenate([[visits.baseline_10e9_l[index]], count])
        if day.size:
            lines.append(PatientLine(day=tuple(day.tolist()), count_10e9_l=tuple(count.tolist())))
            days.append(day)
            counts.append(count)
    at, low, median, high, patients = _summary(days, counts)
    return ManyCourses(
        lines=tuple(lines),
        at_d=at,
        low_10e9_l=low,
        median_10e9_l=median,
        high_10e9_l=high,
        patients=patients,
        response_10e9_l=outcomes.criteria.response_10e9_l or outcomes.criteria.complete_10e9_l,
        complete_10e9_l=outcomes.criteria.complete_10e9_l,
    )


def _summary(
    days: list[NDArray[np.float64]], counts: list[NDArray[np.float64]]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    """One count of each patient for each day of the grid: the nearest one in the day's window."""
    edges = [-1.0, *((a + b) / 2 for a, b in itertools.pairwise(GRID_D)), float(GRID_D[-1] + 180)]
    edges[1] = 0.5  # the baseline alone stands at day 0
    found = []
    for index, centre in enumerate(GRID_D):
        low, high = edges[index], edges[index + 1]
        picked = []
        for day, count in zip(days, counts, strict=True):
            inside = np.flatnonzero((day > low) & (day <= high))
            if inside.size:
                picked.append(float(count[inside[np.argmin(np.abs(day[inside] - centre))]]))
        if len(picked) >= FEWEST_FOR_MEDIAN:
            q = np.quantile(picked, (0.25, 0.5, 0.75))
            found.append((float(centre), float(q[0]), float(q[1]), float(q[2]), len(picked)))
    if not found:
        return (), (), (), (), ()
    at, low_q, middle, high_q, n = zip(*found, strict=True)
    return at, low_q, middle, high_q, n
