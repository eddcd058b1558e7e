# SPDX-License-Identifier: Apache-2.0
"""Time to response and duration of response: Kaplan-Meier, and competing risks by Aalen-Johansen.

Kaplan-Meier takes a rescue, a new therapy, a stop or a death before the response as a censoring and so answers what
would happen if they did not exist; the cumulative incidence answers what did happen. Both are shown. Several patients
with an event on one day are counted as they are: nothing is drawn at random to break a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.interval import Test
from sirolens.engine.statistics.survival import (
    CumulativeIncidence,
    KaplanMeier,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
)
from sirolens.study.cohort.outcomes import Outcomes
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["EndCause", "StartCause", "TimeCourse", "Times", "time_courses"]


class StartCause(IntEnum):
    """What ended the wait for a response; 0: nothing yet."""

    RESPONSE = 1
    FAILURE = 2
    STOPPED = 3
    DIED = 4


class EndCause(IntEnum):
    """What ended a response; 0: nothing yet."""

    LOST = 1
    TREATED = 2
    DIED = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Times:
    """Days and what happened on them, one entry for each patient who can have the event.

    Parameters
    ----------
    days : float64[m]
        To the event or the last day followed.
    event : bool[m]
        The event of interest happened (Kaplan-Meier).
    cause : int64[m]
        What came first: 0 nothing, else a `StartCause` or `EndCause`.
    first_d : float64[m]
        Day of what came first (or of the last day followed).
    member : int64[m]
        Position of the patient in the cohort.
    """

    days: NDArray[np.float64]
    event: NDArray[np.bool_]
    cause: NDArray[np.int64]
    first_d: NDArray[np.float64]
    member: NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeCourse:
    """One question over time, for all patients and each arm.

    Parameters
    ----------
    name : str
        ``"to-response"``, ``"to-complete"``, ``"response"`` or ``"complete"`` (the last two: durations).
    groups : tuple of (str, KaplanMeier)
        Arm and curve; one empty name for all patients in a study of one arm.
    incidence : CumulativeIncidence
        Of all patients.
    causes : tuple of int
        The causes that stand in it.
    test : Test, optional
        Log-rank between the arms.
    times : Times
        The data.
    """

    name: str
    groups: tuple[tuple[str, KaplanMeier], ...]
    incidence: CumulativeIncidence
    causes: tuple[int, ...]
    test: Test | None
    times: Times


def _first(columns: list[tuple[int, NDArray[np.int64]]], last: NDArray[np.int64]) -> tuple[np.ndarray, np.ndarray]:
    """Return the earliest of several days (-1: never) with its cause; of one day, the cause named first."""
    cause = np.zeros(last.shape, np.int64)
    day = last.astype(np.int64).copy()
    for number, column in reversed(columns):
        earlier = (column >= 0) & (column <= day)
        day[earlier], cause[earlier] = column[earlier], number
    return day, cause


def times_to_response(outcomes: Outcomes, *, complete: bool = False) -> Times:
    """Return the time from the first dose to the response, with what came before it."""
    found = outcomes.classified
    reached = (found.cr_achieved_day if complete else found.achieved_day).astype(np.int64)
    failed = found.failure_day.astype(np.int64)
    started = np.flatnonzero(outcomes.followed_d >= 0)
    last = np.maximum(outcomes.followed_d, np.maximum(reached, 0))
    # An event of a day comes before that day's counts (rule R-21), so a failure wins over a response of its day.
    first, cause = _first(
        [
            (StartCause.FAILURE, failed),
            (StartCause.RESPONSE, reached),
            (StartCause.STOPPED, outcomes.stopped_d),
            (StartCause.DIED, outcomes.died_d),
        ],
        last,
    )
    event = reached >= 0
    days = np.where(event, reached, np.where(outcomes.died_d >= 0, np.minimum(outcomes.died_d, last), last))
    return _taken(days, event, cause, first, started)


def durations(outcomes: Outcomes, *, complete: bool = False) -> Times:
    """Return the duration (a) of the first response, with what ended it."""
    found = outcomes.classified
    length = (found.cr_duration_d if complete else found.duration_d).astype(np.int64)
    ended = found.cr_duration_ended if complete else found.duration_ended
    start = (found.cr_achieved_day if complete else found.achieved_day).astype(np.int64)
    had = np.flatnonzero(length >= 0)
    # Loss by counts is told from an end by treatment by the event that ended the response; a complete response that
    # fell to a response was lost by counts even where a later event ended the response itself.
    event_ended = (found.ended_kind >= 0) & (~np.bool_(complete) | (found.cr_lost_day == found.relapse_day))
    cause = np.where(ended, np.where(event_ended, EndCause.TREATED, EndCause.LOST), 0).astype(np.int64)
    died_after = (outcomes.died_d >= 0) & ~ended
    cause[died_after] = EndCause.DIED
    first = np.where(died_after, np.maximum(outcomes.died_d - start, length), length)
    return _taken(length, np.asarray(ended, np.bool_), cause, first, had)


def _taken(
    days: NDArray[np.int64],
    event: NDArray[np.bool_],
    cause: NDArray[np.int64],
    first: NDArray[np.int64],
    who: NDArray[np.int64],
) -> Times:
    return Times(
        days=days[who].astype(np.float64),
        event=event[who],
        cause=cause[who],
        first_d=first[who].astype(np.float64),
        member=who,
    )


def _course(name: str, times: Times, outcomes: Outcomes, causes: type[IntEnum], protocol: StudyProtocol) -> TimeCourse:
    level = protocol.interval_level
    arms = outcomes.arm_names
    arm_of = np.array([outcomes.arms[index] for index in times.member], dtype=object)
    groups = []
    for arm in arms:
        inside = np.asarray(arm_of == arm, np.bool_) if len(arms) > 1 else np.ones(len(times.days), np.bool_)
        groups.append((arm, kaplan_meier(times.days[inside], times.event[inside], level)))
    named = tuple(int(cause) for cause in causes)
    test = log_rank(times.days, times.event, [str(one) for one in arm_of]) if len(arms) > 1 else None
    return TimeCourse(
        name=name,
        groups=tuple(groups),
        incidence=cumulative_incidence(times.first_d, times.cause, causes=named, level=level),
        causes=named,
        test=test,
        times=times,
    )


def time_courses(outcomes: Outcomes, protocol: StudyProtocol) -> tuple[TimeCourse, ...]:
    """Answer the four questions over time.

    Parameters
    ----------
    outcomes : Outcomes
        The classification.
    protocol : StudyProtocol
        Gives the level of the intervals.
    """
    return (
        _course("to-response", times_to_response(outcomes), outcomes, StartCause, protocol),
        _course("to-complete", times_to_response(outcomes, complete=True), outcomes, StartCause, protocol),
        _course("response", durations(outcomes), outcomes, EndCause, protocol),
        _course("complete", durations(outcomes, complete=True), outcomes, EndCause, protocol),
    )
