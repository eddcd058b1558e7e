# SPDX-License-Identifier: Apache-2.0
"""Why a verdict was given, as messages: the reasons of rules R-27, R-28 and R-37 to R-40 with their days and counts."""

from __future__ import annotations

from math import nan

from sirolens.message import Message, info
from sirolens.response.chart_visits import BaselineState, ChartVisits, Visit
from sirolens.response.classify import Held
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.days import Days
from sirolens.response.events import EventKind
from sirolens.response.states import NEVER, Classified, Reason, State

__all__ = ["count_on", "event_name", "landmark_reason", "state_name", "state_reason"]


def event_name(kind: int) -> Message:
    """Return the name of a kind of event, as a message.

    >>> event_name(0).code
    'response.event-ivig'
    """
    return info(f"response.event-{EventKind(kind).label}")


def state_name(state: State) -> Message:
    """Return the name of a state, as a message.

    >>> state_name(State.COMPLETE).code
    'response.state-complete'
    """
    return info(f"response.state-{state.value}")


def count_on(read: ChartVisits, day: int, *, last: bool = False) -> float:
    """Return the first (or last) count of a day; nan without one."""
    found = [
        visit.count_10e9_l for visit in read.visits if visit.day == day and visit.count_10e9_l == visit.count_10e9_l
    ]
    return nan if not found else found[-1 if last else 0]


def _baseline(read: ChartVisits, criteria: CriteriaSet) -> Message:
    if read.baseline.state is BaselineState.MASKED:
        return info("response.baseline-masked", before_d=criteria.baseline_days)
    return info("response.baseline-missing", before_d=criteria.baseline_days)


def _too_high(read: ChartVisits, criteria: CriteriaSet) -> Message:
    limit = criteria.baseline_excludes_10e9_l
    return info("response.baseline-too-high", baseline_10e9_l=read.baseline.count_10e9_l, limit_10e9_l=limit)


def _failure(days: Days, found: Classified) -> Message:
    return info(
        "response.failure", event=event_name(int(found.failure_kind[0])), on=days.date(int(found.failure_day[0]))
    )


def _late(days: Days, found: Classified, held: Held, criteria: CriteriaSet) -> Message:
    told = next((int(day) for day in (found.late_day[0], held.waiting_day[0]) if day != NEVER), NEVER)
    if told == NEVER:
        return info("response.late", limit_d=criteria.late_limit_d)
    return info("response.late-since", on=days.date(told), limit_d=criteria.late_limit_d)


def _confirmed(read: ChartVisits, days: Days, held: Held) -> Message:
    first, second = int(held.since_day[0]), int(held.confirmed_day[0])
    return info(
        "response.confirmed",
        first=days.date(first),
        first_10e9_l=count_on(read, first),
        second=days.date(second),
        second_10e9_l=count_on(read, second, last=True),
    )


def state_reason(
    reason: Reason, read: ChartVisits, days: Days, found: Classified, held: Held, criteria: CriteriaSet
) -> Message:
    """Return why a chart is in its state.

    Parameters
    ----------
    reason : Reason
        The kernel's.
    read, days : ChartVisits, Days
        The chart.
    found, held : Classified, Held
        Its classification, of one patient.
    criteria : CriteriaSet
        The rules' choices.
    """
    match reason:
        case Reason.CONFIRMED:
            return _confirmed(read, days, held)
        case Reason.BASELINE_TOO_HIGH:
            return _too_high(read, criteria)
        case Reason.FAILURE:
            return _failure(days, found)
        case Reason.BASELINE:
            return _baseline(read, criteria)
        case Reason.BLEEDING_NOT_ASKED:
            return info("response.bleeding-not-asked")
        case Reason.LATE:
            return _late(days, found, held, criteria)
        case Reason.UNCONFIRMED:
            waiting = int(held.waiting_day[0])
            return info(
                "response.unconfirmed",
                on=days.date(waiting),
                count_10e9_l=count_on(read, waiting),
                confirmation_d=criteria.confirmation_d,
            )
        case Reason.NO_COUNT:
            return info("response.no-count")
        case Reason.LOST:
            return info("response.lost", on=days.date(int(held.ended_day[0])))
        case Reason.RESCUE:
            event = event_name(int(held.ended_kind[0]))
            return info("response.ended-by-event", event=event, on=days.date(int(held.ended_day[0])))
        case Reason.NO_RESPONSE_YET:
            return info("response.no-response-yet", first_assessed=days.date(criteria.too_early_before_d))
        case Reason.MASKED:
            return info("response.only-masked")
        case Reason.STEROID_DEPENDENT:
            since = days.date(int(found.steroid_dependent_day[0]))
            return info("response.steroid-dependent", since=since, least_d=criteria.steroid_days)
        case _:
            return info("response.never-responded")


def landmark_reason(
    reason: Reason,
    landmark_d: int,
    count: Visit | None,
    read: ChartVisits,
    days: Days,
    found: Classified,
    held: Held,
    criteria: CriteriaSet,
) -> Message:
    """Return why a landmark has its verdict; `count` is the one that wins there."""
    window, grace = criteria.landmark_window_d, criteria.confirming_grace_d
    on = None if count is None else days.date(count.day)
    counted = None if count is None else count.count_10e9_l
    match reason:
        case Reason.NOT_DUE:
            return info("response.landmark-not-due", due=days.date(landmark_d + window + 1))
        case Reason.BASELINE_TOO_HIGH:
            return _too_high(read, criteria)
        case Reason.FAILURE:
            return _failure(days, found)
        case Reason.RESCUE:
            return info("response.landmark-in-rescue", on=days.date(landmark_d))
        case Reason.STEROID_DEPENDENT:
            since = days.date(int(found.steroid_dependent_day[0]))
            return info("response.steroid-dependent", since=since, least_d=criteria.steroid_days)
        case Reason.MISSING | Reason.MASKED:
            first, last = days.date(landmark_d - window), days.date(landmark_d + window)
            if reason is Reason.MASKED:
                return info("response.landmark-masked", first=first, last=last)
            return info("response.landmark-missing", first=first, last=last)
        case Reason.CONFIRMED:
            return info("response.landmark-confirmed", on=on, count_10e9_l=counted)
        case Reason.SINGLE:
            return info("response.landmark-single", on=on, count_10e9_l=counted)
        case Reason.BLEEDING_NOT_ASKED:
            return info("response.bleeding-not-asked")
        case Reason.LATE:
            return _late(days, found, held, criteria)
        case Reason.UNCONFIRMED:
            return info(
                "response.landmark-unconfirmed",
                until=days.date(landmark_d + window + grace),
                on=on,
                count_10e9_l=counted,
            )
        case Reason.BASELINE:
            return _baseline(read, criteria)
        case Reason.NOT_CONFIRMED_ON_TREATMENT:
            return info("response.not-confirmed-on-treatment")
        case _:
            return info("response.landmark-count", on=on, count_10e9_l=counted)
