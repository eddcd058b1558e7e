# SPDX-License-Identifier: Apache-2.0
"""What the classification reads: counts, bleeding, baseline and events of many patients as arrays of days.

The same arrays hold one chart, a cohort and a million virtual patients (``docs/science/response.md``, sections 1-2
and 5). Days are calendar days from day 0, the day of the first sirolimus dose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.chart import Chart
from sirolens.message import Message
from sirolens.response.chart_visits import BLEEDING_UNGRADED, NOT_ASKED, BaselineState, ChartVisits, chart_visits
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.events import EventKind

__all__ = [
    "BLEEDING_UNGRADED",
    "NOT_ASKED",
    "BaselineState",
    "EventKind",
    "Visits",
    "no_events",
    "visits_from",
    "visits_of",
]

Floats: TypeAlias = NDArray[np.float64]
Days: TypeAlias = NDArray[np.int32]
Starts: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Counts and events of n patients; patient i owns rows ``start[i]`` to ``start[i + 1] - 1``.

    Parameters
    ----------
    start : int64[n + 1]
        Where each patient's visits begin.
    day : int32[k]
        Calendar day of each visit, from day 0; not falling within a patient.
    count_10e9_l : float64[k]
        Platelet count; nan where bleeding was told without a count.
    bleeding : int8[k]
        -1 not asked, 0 none, else the grade; 9 where the grade was not told.
    baseline_10e9_l : float64[n]
        The count before treatment; nan unless the baseline is usable.
    baseline_state : int8[n]
        A `sirolens.response.events.BaselineState`.
    event_start : int64[n + 1]
        Where each patient's events begin.
    event_day, event_last_day : int32[m]
        First and last day of each event; the first days do not fall within a patient. An end that is not known is
        the patient's known day.
    event_kind : int8[m]
        A `sirolens.response.events.EventKind`.
    event_cover : bool[m]
        Given only to cover a procedure.
    event_mg_d : float64[m]
        Prednisone-equivalent dose of a steroid, mg/day; nan where not told.
    known_day : int32[n]
        The day of the instant that is looked back from.

    Raises
    ------
    ValueError
        Where shapes do not fit or days of a patient fall.

    Examples
    --------
    >>> one = Visits(
    ...     start=np.array([0, 2]), day=np.array([30, 37]), count_10e9_l=np.array([120.0, 130.0]),
    ...     bleeding=np.zeros(2), baseline_10e9_l=np.array([12.0]), baseline_state=np.zeros(1),
    ...     known_day=np.array([120]), **no_events(1),
    ... )
    >>> one.patients
    1
    """

    start: Starts
    day: Days
    count_10e9_l: Floats
    bleeding: Codes
    baseline_10e9_l: Floats
    baseline_state: Codes
    event_start: Starts
    event_day: Days
    event_last_day: Days
    event_kind: Codes
    event_cover: Flags
    event_mg_d: Floats
    known_day: Days

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, np.ascontiguousarray(getattr(self, field.name), _TYPES[field.name]))
        for starts, owned in (("start", _OF_VISITS), ("event_start", _OF_EVENTS)):
            cuts = getattr(self, starts)
            if cuts.ndim != 1 or len(cuts) < 1 or cuts[0] != 0 or (np.diff(cuts) < 0).any():
                raise ValueError(f"{starts} must rise from 0")
            for name in owned:
                if getattr(self, name).shape != (cuts[-1],):
                    raise ValueError(f"{name} must have {cuts[-1]} entries")
            days = getattr(self, owned[0])
            falls = np.flatnonzero(np.diff(days) < 0) + 1
            if not np.isin(falls, cuts).all():
                raise ValueError(f"{owned[0]} falls within a patient")
        for name in ("baseline_10e9_l", "baseline_state", "known_day"):
            if getattr(self, name).shape != (self.patients,):
                raise ValueError(f"{name} must have {self.patients} entries")
        if len(self.event_start) != self.patients + 1:
            raise ValueError(f"event_start must have {self.patients + 1} entries")

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self.start) - 1


_OF_VISITS = ("day", "count_10e9_l", "bleeding")
_OF_EVENTS = ("event_day", "event_last_day", "event_kind", "event_cover", "event_mg_d")
_TYPES = {
    "start": np.int64,
    "day": np.int32,
    "count_10e9_l": np.float64,
    "bleeding": np.int8,
    "baseline_10e9_l": np.float64,
    "baseline_state": np.int8,
    "event_start": np.int64,
    "event_day": np.int32,
    "event_last_day": np.int32,
    "event_kind": np.int8,
    "event_cover": np.bool_,
    "event_mg_d": np.float64,
    "known_day": np.int32,
}


def no_events(patients: int) -> dict[str, NDArray[np.generic]]:
    """Return the event columns of patients to whom nothing happened.

    >>> sorted(no_events(2))
    ['event_cover', 'event_day', 'event_kind', 'event_last_day', 'event_mg_d', 'event_start']
    """
    columns: dict[str, NDArray[np.generic]] = {name: np.zeros(0, _TYPES[name]) for name in _OF_EVENTS}
    columns["event_start"] = np.zeros(patients + 1, np.int64)
    return columns


def visits_of(
    charts: Iterable[Chart], at: datetime, criteria: CriteriaSet, *, course: int | None = None
) -> tuple[Visits, tuple[tuple[Message, ...], ...]]:
    """Put charts side by side, each as it was known at an instant.

    Parameters
    ----------
    charts : iterable of Chart
        One patient each.
    at : datetime
        Looked back from here.
    criteria : CriteriaSet
        What a baseline, a mask and a steroid pulse are.
    course : int, optional
        Which course of each; the last one when left out.

    Returns
    -------
    Visits
        In the order of the charts.
    tuple of tuple of Message
        What has to be said about each chart's reading.

    Examples
    --------
    >>> from datetime import UTC
    >>> from sirolens.response.criteria import load
    >>> visits, said = visits_of((), datetime(2026, 1, 1, tzinfo=UTC), load("iwg-2009"))
    >>> visits.patients, said
    (0, ())
    """
    read = [chart_visits(chart, at, criteria, course) for chart in charts]
    return visits_from(read), tuple(one.messages for one in read)


def visits_from(read: Sequence[ChartVisits]) -> Visits:
    """Put charts that were read side by side.

    >>> visits_from(()).patients
    0
    """
    rows = [visit for one in read for visit in one.visits]
    events = [event for one in read for event in one.events]
    return Visits(
        start=np.cumsum([0, *(len(one.visits) for one in read)]),
        day=np.array([visit.day for visit in rows]),
        count_10e9_l=np.array([visit.count_10e9_l for visit in rows]),
        bleeding=np.array([visit.bleeding for visit in rows]),
        baseline_10e9_l=np.array([one.baseline.count_10e9_l for one in read]),
        baseline_state=np.array([one.baseline.state for one in read]),
        event_start=np.cumsum([0, *(len(one.events) for one in read)]),
        event_day=np.array([event.day for event in events]),
        event_last_day=np.array([event.last_day for event in events]),
        event_kind=np.array([event.kind for event in events]),
        event_cover=np.array([event.cover for event in events]),
        event_mg_d=np.array([event.mg_d for event in events]),
        known_day=np.array([-1 if one.days is None else one.days.known for one in read]),
    )
