# SPDX-License-Identifier: Apache-2.0
"""How a verdict changed from one instant to the next, and what on the chart changed it.

A verdict uses only what was known, so it changes only because a day passed that a rule names, or because a fact became
known. Both are told: nothing is revised silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Bleeding, Chart, Course, Dose, Fact, PlateletCount, Prescription, Procedure, Therapy
from sirolens.message import Message, info
from sirolens.response.chart_visits import chart_visits
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import State
from sirolens.response.verdict import Verdict, verdict

__all__ = ["Change", "Revision", "revisions"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One part of a verdict that changed.

    Parameters
    ----------
    landmark_d : int, optional
        Which landmark; None: the state itself.
    before, after : State
        From what to what.
    rule : Message
        The reason that now holds.
    """

    landmark_d: int | None
    before: State
    after: State
    rule: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A verdict that differs from the one before it.

    Parameters
    ----------
    before, after : datetime
        The two instants.
    changes : tuple of Change
        What differs.
    causes : tuple of Message
        The facts that became known, or were retracted, between; ``response.revised-time`` where there are none.
    """

    before: datetime
    after: datetime
    changes: tuple[Change, ...]
    causes: tuple[Message, ...]


def _changes(old: Verdict, new: Verdict) -> tuple[Change, ...]:
    found = []
    if old.state is not new.state:
        found.append(Change(landmark_d=None, before=old.state, after=new.state, rule=new.reason))
    before = {one.day: one.state for one in old.landmarks}
    for one in new.landmarks:
        was = before.get(one.day, State.NOT_DUE)
        if was is not one.state:
            found.append(Change(landmark_d=one.day, before=was, after=one.state, rule=one.reason))
    return tuple(found)


def _said(fact: Fact, before: datetime, zone: ZoneInfo) -> Message | None:
    on = fact.at.astimezone(zone).date()
    if fact.replaces is not None:
        return info("response.revised-corrected", on=on)
    match fact:
        case PlateletCount():
            if fact.at <= before:
                return info("response.revised-late-entry", on=on, count_10e9_l=fact.count_10e9_l)
            return info("response.revised-count", on=on, count_10e9_l=fact.count_10e9_l)
        case Bleeding():
            return info("response.revised-bleeding", on=on)
        case Therapy():
            return info("response.revised-event", on=on, event=fact.drug)
        case Procedure():
            return info("response.revised-event", on=on, event=fact.kind)
        case _:
            return None


def _named(fact: Fact) -> str:
    match fact:
        case Therapy():
            return fact.drug
        case Procedure():
            return fact.kind
        case _:
            return ""


def _retracted(
    chart: Chart, before: datetime, after: datetime, criteria: CriteriaSet, course: int | None
) -> Iterable[Message]:
    """What was known before and was retracted since, of what the rules look at."""
    events = chart_visits(chart, before, criteria, course).events
    seen = {(type(event.fact), event.fact.at, _named(event.fact)) for event in events}
    for fact in chart.facts:
        if fact.retracted is None or not before < fact.retracted <= after or max(fact.at, fact.recorded) > before:
            continue
        looked_at = isinstance(fact, PlateletCount | Bleeding | Course | Prescription | Dose)
        if looked_at or (type(fact), fact.at, _named(fact)) in seen:
            yield info("response.revised-retracted", on=fact.at.astimezone(ZoneInfo(chart.zone)).date())


def _causes(
    chart: Chart, before: datetime, after: datetime, criteria: CriteriaSet, course: int | None
) -> tuple[Message, ...]:
    """What became known between that the rules look at; an antibiotic is no cause of a verdict."""
    old = set(chart.known(before).facts)
    events = {event.fact for event in chart_visits(chart, after, criteria, course).events}
    new = [
        fact
        for fact in chart.known(after).facts
        if fact not in old and (fact in events or not isinstance(fact, Therapy | Procedure))
    ]
    zone = ZoneInfo(chart.zone)
    said = [message for fact in new if (message := _said(fact, before, zone)) is not None]
    said += _retracted(chart, before, after, criteria, course)
    return tuple(dict.fromkeys(said)) or (info("response.revised-time"),)


def revisions(
    chart: Chart, times: Sequence[datetime], criteria: CriteriaSet, *, course: int | None = None
) -> tuple[Revision, ...]:
    """Tell how the verdict changed over some instants, and why.

    Parameters
    ----------
    chart : Chart
        The patient.
    times : sequence of datetime
        Instants to look back from; sorted first.
    criteria : CriteriaSet
        By whose rules.
    course : int, optional
        Which course of sirolimus.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> from sirolens.chart import Course, Patient
    >>> from sirolens.response.criteria import load
    >>> begun = datetime(2026, 1, 5, 8, tzinfo=UTC)
    >>> chart = Chart(patient=Patient(id="p"), zone="UTC", courses=(Course(at=begun, recorded=begun),))
    >>> (only,) = revisions(chart, [begun, begun + timedelta(days=100)], load("iwg-2009"))
    >>> only.changes[0].before.value, only.changes[0].after.value, only.causes[0].code
    ('too-early', 'not-evaluable', 'response.revised-time')
    """
    seen = [(at, verdict(chart, at, criteria, course=course)) for at in sorted(times)]
    found = []
    for (before, old), (after, new) in pairwise(seen):
        changes = _changes(old, new)
        if changes:
            found.append(
                Revision(
                    before=before, after=after, changes=changes, causes=_causes(chart, before, after, criteria, course)
                )
            )
    return tuple(found)
