# SPDX-License-Identifier: Apache-2.0
"""Say of one patient whether and since when there is a response, and why, with the counts that decide it.

Only what was known at the instant is used; the rules are those of a cohort, through the same kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import final

from sirolens.chart import Chart, Fact
from sirolens.message import Message, info, warning
from sirolens.response.chart_visits import Baseline, ChartVisits, Visit, chart_visits
from sirolens.response.classify import Held, classify_and_hold
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.days import Days
from sirolens.response.reasons import event_name, landmark_reason, state_reason
from sirolens.response.states import NEVER, STATES, Classified, OffTreatment, Reason, State
from sirolens.response.visits import visits_from
from sirolens.source import Mark

__all__ = ["CountUsed", "LandmarkVerdict", "Verdict", "verdict"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CountUsed:
    """A count that a verdict rests on.

    Parameters
    ----------
    use : str
        ``"baseline"``, ``"achieved"``, ``"confirmed"``, ``"waiting"``, ``"lost"``, ``"pending"`` or ``"landmark"``.
    day : int
        Calendar day from day 0.
    on : date
        The same in the clinic's zone.
    count_10e9_l : float
        The count; nan where bleeding alone decided.
    bleeding : int
        -1 not asked, 0 none, else the grade; 9 where it was not told.
    facts : tuple of Fact
        What the chart says.
    """

    use: str
    day: int
    on: date
    count_10e9_l: float
    bleeding: int
    facts: tuple[Fact, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkVerdict:
    """How a chart stands at one landmark.

    Parameters
    ----------
    day : int
        The landmark, from day 0.
    on : date
        Its date.
    state, reason : State, Message
        The composite estimand, which is the primary one.
    single, single_reason : State, Message
        By the winning count alone.
    policy, policy_reason : State, Message
        Treatment policy.
    on_treatment, on_treatment_reason : State, Message
        While on treatment.
    count : CountUsed, optional
        The count that wins at the landmark.
    """

    day: int
    on: date
    state: State
    reason: Message
    single: State
    single_reason: Message
    policy: State
    policy_reason: Message
    on_treatment: State
    on_treatment_reason: Message
    count: CountUsed | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """Whether a patient has responded, as known at an instant.

    Parameters
    ----------
    criteria : CriteriaSet
        By whose rules.
    at : datetime
        Looked back from here.
    state : State
        Where the patient stands.
    reason : Message
        Why.
    platelet_state : State
        The same with every bleeding that was not asked taken as none.
    counts : tuple of CountUsed
        What the verdict rests on.
    landmarks : tuple of LandmarkVerdict
        One for each landmark of the criteria.
    baseline : Baseline
        The count before treatment.
    days : Days, optional
        How instants become days; None where sirolimus was not begun.
    classified : Classified
        Everything the rules say, as arrays of one patient.
    notes : tuple of Message
        What else has to be said: a failing count that stands alone, choices that were not reported or not verified,
        background treatment, what could not be used.
    """

    criteria: CriteriaSet
    at: datetime
    state: State
    reason: Message
    platelet_state: State
    counts: tuple[CountUsed, ...]
    landmarks: tuple[LandmarkVerdict, ...]
    baseline: Baseline
    days: Days | None
    classified: Classified
    notes: tuple[Message, ...]


def _used(use: str, visit: Visit, days: Days) -> CountUsed:
    return CountUsed(
        use=use,
        day=visit.day,
        on=days.date(visit.day),
        count_10e9_l=visit.count_10e9_l,
        bleeding=visit.bleeding,
        facts=visit.facts,
    )


def _counts(read: ChartVisits, days: Days, found: Classified, held: Held) -> tuple[CountUsed, ...]:
    counts = []
    if read.baseline.day is not None:
        before = Visit(
            day=read.baseline.day, count_10e9_l=read.baseline.count_10e9_l, bleeding=-1, facts=read.baseline.facts
        )
        counts.append(_used("baseline", before, days))
    named = (
        ("achieved", held.since_day),
        ("confirmed", held.confirmed_day),
        ("waiting", held.waiting_day),
        ("lost", found.lost_day),
        ("pending", found.pending_day),
    )
    for use, day in named:
        if day[0] != NEVER:
            counts += [_used(use, visit, days) for visit in read.visits if visit.day == day[0]]
    return tuple(sorted(counts, key=lambda one: one.day))


def _landmarks(
    read: ChartVisits, days: Days, found: Classified, held: Held, criteria: CriteriaSet
) -> tuple[LandmarkVerdict, ...]:
    verdicts = []
    for place, day in enumerate(criteria.landmarks_d):
        row = int(found.landmark_row[0, place])
        count = None if row == NEVER else read.visits[row]

        def why(code: int, day: int = day, count: Visit | None = count) -> Message:
            return landmark_reason(Reason(code), day, count, read, days, found, held, criteria)

        verdicts.append(
            LandmarkVerdict(
                day=day,
                on=days.date(day),
                state=STATES[found.landmark_state[0, place]],
                reason=why(found.landmark_reason[0, place]),
                single=STATES[found.landmark_single[0, place]],
                single_reason=why(found.landmark_single_reason[0, place]),
                policy=STATES[found.landmark_policy[0, place]],
                policy_reason=why(found.landmark_policy_reason[0, place]),
                on_treatment=STATES[found.landmark_on_treatment[0, place]],
                on_treatment_reason=why(found.landmark_on_treatment_reason[0, place]),
                count=None if count is None else _used("landmark", count, days),
            )
        )
    return tuple(verdicts)


def _about_criteria(criteria: CriteriaSet) -> list[Message]:
    notes = []
    if criteria.not_reported:
        notes.append(
            warning(
                "response.not-reported", source=criteria.source, criteria=criteria.title, choices=criteria.not_reported
            )
        )
    unverified = tuple(name for name, basis in criteria.basis.items() if basis.reported and basis.mark is Mark.MEMORY)
    if unverified:
        notes.append(
            warning("response.unverified", source=criteria.source, criteria=criteria.title, choices=unverified)
        )
    return notes


def _about_course(days: Days, found: Classified, criteria: CriteriaSet) -> list[Message]:
    notes = []
    if found.pending_day[0] != NEVER:
        notes.append(info("response.single-failing-count", on=days.date(int(found.pending_day[0]))))
    if found.episodes[0] > 1:
        notes.append(info("response.regained", episodes=int(found.episodes[0])))
    if found.failure_day[0] != NEVER:
        kind = event_name(int(found.failure_kind[0]))
        notes.append(info("response.failure", event=kind, on=days.date(int(found.failure_day[0]))))
    if found.off_treatment[0] == OffTreatment.REACHED:
        reached = days.date(int(found.off_treatment_day[0]))
        notes.append(info("response.remission-off-treatment", on=reached, least_d=criteria.off_treatment_d))
    return notes


def verdict(chart: Chart, at: datetime, criteria: CriteriaSet, *, course: int | None = None) -> Verdict:
    """Say whether a patient has responded, from what was known at an instant.

    Parameters
    ----------
    chart : Chart
        The patient.
    at : datetime
        Looked back from here.
    criteria : CriteriaSet
        By whose rules.
    course : int, optional
        Which course of sirolimus, from 0 in the order they began; the last one when left out.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> from sirolens.chart import Bleeding, BleedingAsked, Course, Patient, PlateletCount
    >>> from sirolens.response.criteria import load
    >>> begun = datetime(2026, 1, 5, 8, tzinfo=UTC)
    >>> def seen(day, count):
    ...     when = begun + timedelta(days=day)
    ...     return PlateletCount(at=when, recorded=when, count_10e9_l=count)
    >>> asked = [begun + timedelta(days=day) for day in (30, 37)]
    >>> chart = Chart(
    ...     patient=Patient(id="p", invented=True), zone="UTC", courses=(Course(at=begun, recorded=begun),),
    ...     platelet_counts=(seen(-1, 12.0), seen(30, 120.0), seen(37, 130.0)),
    ...     bleedings=tuple(Bleeding(at=one, recorded=one, asked=BleedingAsked.NONE) for one in asked),
    ... )
    >>> verdict(chart, begun + timedelta(days=60), load("iwg-2009")).state
    <State.COMPLETE: 'complete'>
    """
    read = chart_visits(chart, at, criteria, course)
    found, held = classify_and_hold(visits_from([read]), criteria, threads=1)
    days, reason = read.days, Reason(found.reason[0])
    counts: tuple[CountUsed, ...] = ()
    landmarks: tuple[LandmarkVerdict, ...] = ()
    about: list[Message] = []
    said = info("response.not-begun")
    if days is not None:
        said = state_reason(reason, read, days, found, held, criteria)
        counts = _counts(read, days, found, held)
        landmarks = _landmarks(read, days, found, held, criteria)
        about = _about_course(days, found, criteria)
    return Verdict(
        criteria=criteria,
        at=at,
        state=STATES[found.state[0]],
        reason=said,
        platelet_state=STATES[found.platelet_state[0]],
        counts=counts,
        landmarks=landmarks,
        baseline=read.baseline,
        days=days,
        classified=found,
        notes=(*read.messages, *about, *_about_criteria(criteria)),
    )
