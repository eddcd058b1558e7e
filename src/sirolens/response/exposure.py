# SPDX-License-Identifier: Apache-2.0
"""How long, and with how much sirolimus, patients of a cohort were treated: what stands beside their adverse events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple, TypeAlias, final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sirolens.chart import Chart
from sirolens.regimen import Calendar, Intake, Regimen

__all__ = ["DAYS_PER_YEAR", "Exposure", "exposure"]

Floats: TypeAlias = NDArray[np.float64]

DAYS_PER_YEAR = 365.25
LAST_DOSE_LASTS = timedelta(days=1)
"""A patient who has stopped counts as treated until a day after the last dose."""


_Key: TypeAlias = tuple[Calendar, time, int, timedelta]


class _Given(NamedTuple):
    """What a prescription came to."""

    first: datetime
    last: datetime
    total_mg: float


class _Relative(NamedTuple):
    """The same, as clock time since the start."""

    first: timedelta
    last: timedelta
    total_mg: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """Treatment of n patients, in the order of the charts.

    Parameters
    ----------
    ids : tuple of str
        Pseudonyms.
    start, end : tuple of datetime or None
        First dose, and a day after the last one or the end of what is known; None for a patient never treated.
    days : float64[n]
        From start to end; 0 for a patient never treated.
    dose_mg : float64[n]
        Sum of the doses in between: prescribed ones, less missed ones.
    """

    ids: tuple[str, ...]
    start: tuple[datetime | None, ...]
    end: tuple[datetime | None, ...]
    days: Floats
    dose_mg: Floats

    @property
    def treated(self) -> int:
        """Number of patients with a dose."""
        return sum(start is not None for start in self.start)

    @property
    def years(self) -> float:
        """Patient-years of treatment."""
        return float(self.days.sum()) / DAYS_PER_YEAR

    @property
    def daily_mg(self) -> Floats:
        """Mean dose per day of treatment; nan for a patient never treated."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.dose_mg / self.days)


def exposure(charts: Sequence[Chart], at: datetime, *, ends: Mapping[str, datetime] | None = None) -> Exposure:
    """Return how long each patient was treated, as known at an instant.

    Parameters
    ----------
    charts : sequence of Chart
        Any number of patients.
    at : datetime
        The data cut.
    ends : mapping, optional
        By pseudonym, when a patient's follow-up ended before that.

    Returns
    -------
    Exposure

    Examples
    --------
    >>> from datetime import UTC
    >>> from sirolens.chart import Patient, Prescription
    >>> from sirolens.regimen import daily
    >>> begun = datetime(2026, 1, 1, 8, tzinfo=UTC)
    >>> given = Prescription(at=begun, recorded=begun, regimen=daily(2))
    >>> chart = Chart(patient=Patient(id="P-1"), zone="UTC", prescriptions=(given,))
    >>> found = exposure([chart], datetime(2026, 1, 11, 8, tzinfo=UTC))
    >>> found.days.tolist(), found.dose_mg.tolist()
    ([10.0], [20.0])
    """
    until = [min(at, (ends or {}).get(chart.patient.id, at)) for chart in charts]
    seen: dict[_Key, _Relative] = {}
    spans = [_treated(chart.known(at), end, seen) for chart, end in zip(charts, until, strict=True)]
    return Exposure(
        ids=tuple(chart.patient.id for chart in charts),
        start=tuple(span[0] for span in spans),
        end=tuple(span[1] for span in spans),
        days=np.array([_days(*span[:2]) for span in spans], dtype=np.float64),
        dose_mg=np.array([span[2] for span in spans], dtype=np.float64),
    )


def _days(start: datetime | None, end: datetime | None) -> float:
    return 0.0 if start is None or end is None else (end - start) / timedelta(days=1)


def _treated(
    chart: Chart, until: datetime, seen: dict[_Key, _Relative]
) -> tuple[datetime | None, datetime | None, float]:
    """Return the first dose, the end of treatment, and the sum of doses."""
    spans = chart.prescribed_spans(until)
    if chart.doses:  # single doses stand in for planned ones, day by day
        found = _given(chart.intakes(until))
    else:
        zone = ZoneInfo(chart.zone)
        found = [given for one, stop in spans for given in _span(one.regimen, one.at.astimezone(zone), stop, seen)]
    if not found:
        return None, None, 0.0
    running = any(stop == until for _, stop in spans)
    end = until if running else min(until, max(given.last for given in found) + LAST_DOSE_LASTS)
    return min(given.first for given in found), end, sum(given.total_mg for given in found)


def _given(intakes: Sequence[Intake]) -> list[_Given]:
    """Return the first and the last of some doses and their sum, as a list of one; empty without a dose."""
    taken = [intake for intake in intakes if intake.amount_mg > 0]
    if not taken:
        return []
    first, last = (one.at.astimezone(UTC) for one in (taken[0], taken[-1]))
    return [_Given(first, last, sum(one.amount_mg for one in taken))]


def _span(regimen: Regimen, start: datetime, stop: datetime, seen: dict[_Key, _Relative]) -> list[_Given]:
    """Return what one prescription comes to.

    A cohort takes few regimens for a few lengths of time. What one by the calendar comes to depends on clock times
    only, unless the clocks change on its first or last day: so it is expanded once and moved.
    """
    zone = start.tzinfo
    here, there = start.replace(tzinfo=None), stop.astimezone(zone).replace(tzinfo=None)
    if not isinstance(regimen, Calendar) or _clocks_change(start) or _clocks_change(stop.astimezone(zone)):
        return _given(regimen.intakes(start, stop))
    key = (regimen, here.time(), here.weekday(), there - here)
    if key not in seen:
        expanded = _given(regimen.intakes(start, stop))
        if not expanded:
            return []
        first, last = (at.astimezone(zone).replace(tzinfo=None) - here for at in expanded[0][:2])
        seen[key] = _Relative(first, last, expanded[0].total_mg)
    known = seen[key]
    first_at, last_at = ((here + after).replace(tzinfo=zone).astimezone(UTC) for after in known[:2])
    return [_Given(first_at, last_at, known.total_mg)]


def _clocks_change(at: datetime) -> bool:
    """Whether the clocks change within a day of an instant."""
    day = timedelta(days=1)
    return len({(at.astimezone(UTC) + shift).astimezone(at.tzinfo).utcoffset() for shift in (-day, day)}) > 1
