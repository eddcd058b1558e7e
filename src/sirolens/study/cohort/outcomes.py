# SPDX-License-Identifier: Apache-2.0
"""The outcomes of a cohort as one table of arrays: what every part of the analysis reads.

The classification is that of `sirolens.response`, unchanged; this file only joins it with arms and with how long each
patient was followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sirolens.chart import Chart, Course, Fact
from sirolens.message import Message
from sirolens.response.classify import classify
from sirolens.response.cohort import Cohort
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import NEVER, STATES, Classified, State
from sirolens.response.visits import EventKind, Visits, visits_of

__all__ = ["ESTIMANDS", "Outcomes", "code", "day_number", "first_dose", "outcomes_of", "with_course"]

MOST_NAMED = 12  # patients named in one remark; the rest are counted
FIRST_INTAKE_WITHIN = timedelta(days=60)
ESTIMANDS = ("composite", "single", "policy", "on-treatment")
"""The landmark's estimands: the primary one first, then the single count, treatment policy, while on treatment."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """Outcomes of n patients.

    Parameters
    ----------
    charts : tuple of Chart
        As known at the data cut, in the order of the cohort, each with the course its prescriptions tell.
    ids : tuple of str
        The pseudonyms.
    arms : tuple of str
        Arm of each patient; empty in a study of one arm.
    criteria : CriteriaSet
        By which they were classified.
    visits : Visits
        What the classification read.
    classified : Classified
        What it found.
    followed_d : int64[n]
        Last day each patient was followed; -1 for somebody without a first dose.
    stopped_d, died_d : int64[n]
        Day sirolimus was stopped, and of death; -1 where it did not happen.
    messages : tuple of Message
        What was said on the way.
    """

    charts: tuple[Chart, ...]
    ids: tuple[str, ...]
    arms: tuple[str, ...]
    criteria: CriteriaSet
    visits: Visits
    classified: Classified
    followed_d: NDArray[np.int64]
    stopped_d: NDArray[np.int64]
    died_d: NDArray[np.int64]
    messages: tuple[Message, ...]

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The arms in the order they appear; one empty name for a study of one arm."""
        return tuple(dict.fromkeys(self.arms)) or ("",)

    def member(self, arm: str | None) -> NDArray[np.bool_]:
        """Return who is in an arm; None: everybody."""
        return np.array([arm is None or one == arm for one in self.arms], dtype=np.bool_)

    def landmark_index(self, day: int) -> int | None:
        """Return the position of a landmark among the criteria's, or None where it is not one of them."""
        days = self.criteria.landmarks_d
        return days.index(day) if day in days else None

    def at_landmark(self, index: int, estimand: str = "composite") -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Return the states and their reasons at a landmark."""
        found = self.classified
        states, reasons = {
            "composite": (found.landmark_state, found.landmark_reason),
            "single": (found.landmark_single, found.landmark_single_reason),
            "policy": (found.landmark_policy, found.landmark_policy_reason),
            "on-treatment": (found.landmark_on_treatment, found.landmark_on_treatment_reason),
        }[estimand]
        return states[:, index], reasons[:, index]


def code(state: State) -> int:
    """Return the number that stands for a state in arrays.

    >>> STATES[code(State.COMPLETE)]
    <State.COMPLETE: 'complete'>
    """
    return STATES.index(state)


def first_dose(chart: Chart) -> datetime | None:
    """Return the instant of the first dose of the course that is judged: the last one begun (rules R-2 and R-4)."""
    if chart.courses:
        return max(course.at for course in chart.courses)
    begun = min((fact.at for fact in (*chart.prescriptions, *chart.doses)), default=None)
    # A regimen such as "every Monday" is first taken some days after it begins; nobody waits longer than this.
    intakes = () if begun is None else chart.intakes(begun + FIRST_INTAKE_WITHIN)
    return intakes[0].at if intakes else None


def with_course(chart: Chart) -> Chart:
    """Give a chart without a recorded course the one its prescriptions tell (rule R-2).

    Parameters
    ----------
    chart : Chart
        As known at the data cut.
    """
    start = None if chart.courses else first_dose(chart)
    if start is None:
        return chart
    stops = [prescription.stop for prescription in chart.prescriptions]
    stop = max((one for one in stops if one is not None), default=None) if None not in stops else None
    return replace(chart, courses=(Course(at=start, recorded=start, stop=stop),))


def day_number(chart: Chart, at: datetime | date) -> int | None:
    """Return the calendar day of an instant, counted from the day of the first dose in the chart's own zone."""
    start = first_dose(chart)
    if start is None:
        return None
    zone = ZoneInfo(chart.zone)
    day = at.astimezone(zone).date() if isinstance(at, datetime) else at
    return (day - start.astimezone(zone).date()).days


def _last_fact(chart: Chart) -> datetime | None:
    """The last time the patient was seen: a prescription or course that goes on is no visit."""
    seen: Iterable[Sequence[Fact]] = (
        chart.platelet_counts,
        chart.bleedings,
        chart.levels,
        chart.labs,
        chart.cell_counts,
        chart.adverse_events,
        chart.doses,
    )
    return max((fact.at for facts in seen for fact in facts), default=None)


def _followed(cohort: Cohort, chart: Chart, known: int, last_count: int) -> int:
    if first_dose(chart) is None:
        return NEVER
    told = cohort.follow_up.get(chart.patient.id)
    left = None if told is None else told.died or told.left
    if left is not None:
        day = day_number(chart, left)
        return min(max(day or 0, last_count, 0), max(known, 0))
    last = _last_fact(chart)
    day = 0 if last is None else day_number(chart, last)
    return min(max(day or 0, last_count, 0), max(known, 0))


def _died(cohort: Cohort, chart: Chart) -> int:
    told = cohort.follow_up.get(chart.patient.id)
    if told is None or told.died is None:
        return NEVER
    day = day_number(chart, told.died)
    return NEVER if day is None or day < 0 else day


def _stopped(visits: Visits) -> NDArray[np.int64]:
    found = np.full(visits.patients, NEVER, np.int64)
    rows = np.flatnonzero(visits.event_kind == EventKind.STOPPED_SIROLIMUS)
    owner = np.searchsorted(visits.event_start, rows, side="right") - 1
    found[owner] = visits.event_day[rows]
    return found


def _gathered(ids: Sequence[str], said: Sequence[Sequence[Message]]) -> tuple[Message, ...]:
    """Tell each kind of remark once: the first of it, and of whom there is one."""
    first: dict[str, Message] = {}
    whose: dict[str, list[str]] = {}
    for patient, messages in zip(ids, said, strict=True):
        for message in messages:
            first.setdefault(message.code, message)
            names = whose.setdefault(message.code, [])
            if patient not in names[-1:]:
                names.append(patient)
    return tuple(
        Message(
            code="study.said-of",
            severity=message.severity,
            items=(("patients", _named(whose[code])), ("said", message)),
        )
        for code, message in first.items()
    )


def _named(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names) if len(names) <= MOST_NAMED else (*names[:MOST_NAMED], f"... ({len(names)})")


def outcomes_of(cohort: Cohort, criteria: CriteriaSet, at: datetime | None = None) -> Outcomes:
    """Classify a cohort by what was known at an instant.

    Parameters
    ----------
    cohort : Cohort
        The charts.
    criteria : CriteriaSet
        The rules.
    at : datetime, optional
        The instant; the cohort's data cut unless earlier.
    """
    cut = cohort.data_cut if at is None else min(at, cohort.data_cut)
    charts = tuple(with_course(chart.known(cut)) for chart in cohort.charts)
    visits, messages = visits_of(charts, cut, criteria)
    found = classify(visits, criteria)
    last = found.last_count_day
    followed = [_followed(cohort, chart, int(visits.known_day[i]), int(last[i])) for i, chart in enumerate(charts)]
    return Outcomes(
        charts=charts,
        ids=cohort.ids,
        arms=tuple(cohort.arms.get(one, "") for one in cohort.ids),
        criteria=criteria,
        visits=visits,
        classified=found,
        followed_d=np.array(followed, np.int64).reshape(len(charts)),
        stopped_d=_stopped(visits),
        died_d=np.array([_died(cohort, chart) for chart in charts], np.int64).reshape(len(charts)),
        messages=_gathered(cohort.ids, messages),
    )
