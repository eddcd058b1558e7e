# SPDX-License-Identifier: Apache-2.0
"""Adverse events of a cohort, counted as patients and as events, beside the time patients were treated (claim A5).

Events count from the first dose until some days after the last. A patient counts once in a row, under the worst grade;
an event counts each time. What nobody recorded of an event (its grade, its CTCAE version, whether it was serious or
related, whether it led to stopping) is counted as that: never as grade 1, and never as "no".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, final

from sirolens.chart import AdverseEvent, Chart
from sirolens.engine.statistics.interval import Interval
from sirolens.engine.statistics.proportion import Rate, clopper_pearson, poisson_rate
from sirolens.message import Message, info, warning
from sirolens.response.exposure import DAYS_PER_YEAR, Exposure, exposure

__all__ = ["EMERGENT_AFTER_DAYS", "SEVERE_GRADE", "Counted", "EventTable", "TermRow", "adverse_event_table"]

EMERGENT_AFTER_DAYS = 30
"""An event this long after the last dose still counts as one on treatment (JUDGE)."""
SEVERE_GRADE = 3
"""From this CTCAE grade on an event is severe."""
PER_YEARS = 100.0
GRADES = (1, 2, 3, 4, 5)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One row: patients with at least one such event, events, and both beside exposure.

    Parameters
    ----------
    name : str
        ``"any"``, ``"grade-3"``, ``"ungraded"``, ``"severe"``, a term, or one of three answers that add up to all
        events: ``"serious"``, ``"not-serious"``, ``"seriousness-unknown"``; ``"related"``, ``"unrelated"``,
        ``"relation-unknown"``; ``"stopped"``, ``"not-stopped"``, ``"stopping-unknown"``.
    patients, events : int
        Patients with at least one such event, and such events.
    treated : int
        The denominator of `patients`.
    percent : float
        Patients of 100 treated; nan when nobody was treated.
    percent_interval : Interval
        Clopper-Pearson, in percent.
    rate : Rate
        Events per 100 patient-years of treatment, with the exact Poisson interval.
    incidence : Rate
        Patients with a first event per 100 patient-years at risk of one.
    """

    name: str
    patients: int
    events: int
    treated: int
    percent: float
    percent_interval: Interval
    rate: Rate
    incidence: Rate


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """The events of one term: all, the severe, related and serious ones, and those of which that is not recorded."""

    term: str
    any: Counted
    severe: Counted
    ungraded: Counted
    related: Counted
    relation_unknown: Counted
    serious: Counted
    seriousness_unknown: Counted


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """Adverse events of a cohort.

    Parameters
    ----------
    exposure : Exposure
        How long each patient was treated.
    rows : tuple of Counted
        Any; by grade (patients under their worst one); severe; serious; related; led to stopping: each of these three
        with "no" and with "not recorded" beside it.
    terms : tuple of TermRow
        Most patients first.
    versions : tuple of str
        The CTCAE versions of the grades that are counted; an empty one: not recorded.
    before, after : int
        Events left out because they began before the first dose, or long after the last.
    untreated : int
        Events of patients who never had a dose.
    messages : tuple of Message
        What has to be said beside the table.
    """

    exposure: Exposure
    rows: tuple[Counted, ...]
    terms: tuple[TermRow, ...]
    versions: tuple[str, ...]
    before: int
    after: int
    untreated: int
    messages: tuple[Message, ...]

    def row(self, name: str) -> Counted:
        """Return a row by its name."""
        return next(row for row in self.rows if row.name == name)


class _Seen(NamedTuple):
    """An event on treatment, and which patient's."""

    patient: int
    event: AdverseEvent


def adverse_event_table(
    charts: Sequence[Chart],
    at: datetime,
    *,
    ends: Mapping[str, datetime] | None = None,
    after_days: int = EMERGENT_AFTER_DAYS,
    level: float = 0.95,
    treated: Exposure | None = None,
) -> EventTable:
    """Count adverse events.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort, or one arm of it.
    at : datetime
        The data cut: only what was known by then counts.
    ends : mapping, optional
        By pseudonym, when follow-up ended.
    after_days : int
        How long after the last dose an event counts.
    level : float
        Of the intervals.
    treated : Exposure, optional
        Of the same charts at the same instant, where it is known already.

    Returns
    -------
    EventTable

    Examples
    --------
    >>> from datetime import UTC
    >>> table = adverse_event_table([], datetime(2026, 1, 1, tzinfo=UTC))
    >>> table.row("any").patients, table.row("any").percent
    (0, nan)
    """
    treated = exposure(charts, at, ends=ends) if treated is None else treated
    seen: list[_Seen] = []
    before = after = untreated = 0
    for index, chart in enumerate(charts):
        start, end = treated.start[index], treated.end[index]
        for event in chart.known(at).adverse_events:
            if start is None or end is None:
                untreated += 1
            elif event.at < start:
                before += 1
            elif event.at > end + timedelta(days=after_days):
                after += 1
            else:
                seen.append(_Seen(index, event))
    count = _Counter(treated, level)
    return EventTable(
        exposure=treated,
        rows=tuple(_rows(seen, count)),
        terms=_terms(seen, count),
        versions=tuple(sorted({one.event.ctcae_version or "" for one in seen if one.event.grade is not None})),
        before=before,
        after=after,
        untreated=untreated,
        messages=tuple(_messages(seen, before, after, untreated, after_days)),
    )


@final
class _Counter:
    """Makes rows for one cohort's exposure."""

    def __init__(self, treated: Exposure, level: float) -> None:
        self._treated = treated
        self._level = level

    def row(self, name: str, seen: Sequence[_Seen], *, patients: int | None = None) -> Counted:
        """Count events; `patients` where patients are not simply those with an event."""
        number = len({one.patient for one in seen}) if patients is None else patients
        treated, share = self._treated.treated, clopper_pearson(number, self._treated.treated, self._level)
        return Counted(
            name=name,
            patients=number,
            events=len(seen),
            treated=treated,
            percent=100.0 * number / treated if treated else float("nan"),
            percent_interval=_in_percent(share),
            rate=poisson_rate(len(seen), self._treated.years / PER_YEARS, self._level),
            incidence=poisson_rate(number, self._years_at_risk(seen) / PER_YEARS, self._level),
        )

    def _years_at_risk(self, seen: Sequence[_Seen]) -> float:
        """Return the time until the first such event, or the whole treatment where there was none, in years."""
        days = self._treated.days.copy()
        for one in seen:
            start = self._treated.start[one.patient]
            if start is not None:
                days[one.patient] = min(days[one.patient], (one.event.at - start) / timedelta(days=1))
        return float(days.sum()) / DAYS_PER_YEAR


def _in_percent(found: Interval) -> Interval:
    return replace(found, low=100.0 * found.low, high=100.0 * found.high)


def _rows(seen: Sequence[_Seen], count: _Counter) -> Iterable[Counted]:
    yield count.row("any", seen)
    worst: defaultdict[int, int] = defaultdict(int)
    for one in seen:
        worst[one.patient] = max(worst[one.patient], one.event.grade or 0)
    for grade in (*GRADES, 0):
        chosen = [one for one in seen if (one.event.grade or 0) == grade]
        patients = sum(highest == grade for highest in worst.values())
        yield count.row(f"grade-{grade}" if grade else "ungraded", chosen, patients=patients)
    for name, wanted in _KINDS.items():
        yield count.row(name, [one for one in seen if wanted(one.event)])


_KINDS: Mapping[str, Callable[[AdverseEvent], bool]] = {
    "severe": lambda event: (event.grade or 0) >= SEVERE_GRADE,
    "serious": lambda event: event.serious is True,
    "not-serious": lambda event: event.serious is False,
    "seriousness-unknown": lambda event: event.serious is None,
    "related": lambda event: event.related is True,
    "unrelated": lambda event: event.related is False,
    "relation-unknown": lambda event: event.related is None,
    "stopped": lambda event: event.stopped is True,
    "not-stopped": lambda event: event.stopped is False,
    "stopping-unknown": lambda event: event.stopped is None,
}


def _terms(seen: Sequence[_Seen], count: _Counter) -> tuple[TermRow, ...]:
    by_term: defaultdict[str, list[_Seen]] = defaultdict(list)
    for one in seen:
        by_term[one.event.term].append(one)

    def of(kind: str, term: str) -> Counted:
        return count.row(term, [one for one in by_term[term] if _KINDS[kind](one.event)])

    rows = [
        TermRow(
            term=term,
            any=count.row(term, found),
            severe=of("severe", term),
            ungraded=count.row(term, [one for one in found if one.event.grade is None]),
            related=of("related", term),
            relation_unknown=of("relation-unknown", term),
            serious=of("serious", term),
            seriousness_unknown=of("seriousness-unknown", term),
        )
        for term, found in by_term.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.any.patients, -row.any.events, row.term)))


def _messages(seen: Sequence[_Seen], before: int, after: int, untreated: int, after_days: int) -> Iterable[Message]:
    """Say what the table leaves out, and what it cannot tell."""
    graded = [one for one in seen if one.event.grade is not None]
    versions = sorted({one.event.ctcae_version for one in graded if one.event.ctcae_version})
    if len(versions) > 1:
        yield warning("safety.versions-mixed", versions=tuple(versions))
    unversioned = sum(one.event.ctcae_version is None for one in graded)
    if unversioned:
        yield warning("safety.version-missing", count=unversioned)
    if len(graded) < len(seen):
        yield warning("safety.ungraded", count=len(seen) - len(graded), all=len(seen))
    unknown = sum(one.event.related is None for one in seen)
    if unknown:
        yield info("safety.relation-unknown", count=unknown, all=len(seen))
    untold = sum(one.event.serious is None for one in seen)
    if untold:
        yield warning("safety.seriousness-unknown", count=untold, all=len(seen))
    yield from _untold_actions(seen)
    if before:
        yield info("safety.before-treatment", count=before)
    if after:
        yield info("safety.after-treatment", count=after, after_d=after_days)
    if untreated:
        yield info("safety.untreated", count=untreated)
    if not seen:
        yield info("safety.no-events")


def _untold_actions(seen: Sequence[_Seen]) -> Iterable[Message]:
    """Say of how many events it is not known whether they led to stopping, and which words were not understood."""
    untold = [one.event.action for one in seen if one.event.stopped is None]
    if untold:
        yield warning("safety.stopping-unknown", count=len(untold), all=len(seen))
    words = tuple(sorted(set(untold) - {"unknown"}))
    if words:
        yield warning("safety.action-not-known", words=words)
