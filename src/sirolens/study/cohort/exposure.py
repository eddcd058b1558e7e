# SPDX-License-Identifier: Apache-2.0
"""Exposure of a cohort: its levels, the share of them in the target, and the share of time by linear interpolation.

Time in range joins one level and the next by a straight line (Rosendaal 1993) and counts the days the line spends
below, in and above the target. It is a convention, not a measurement: between two levels nobody knows. Levels further
apart than a limit are not joined.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import final

from sirolens.chart import Chart, Quantification
from sirolens.study.cohort.outcomes import first_dose
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["Exposure", "PatientExposure", "TimeShares", "exposure_of", "mean_before", "time_shares"]

AFTER_STOP = timedelta(days=1)
"""A level drawn up to a day after the last dose is still one on treatment."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShares:
    """Days spent below, in and above a range between the first and the last level that could be joined."""

    below_d: float
    in_d: float
    above_d: float

    @property
    def days(self) -> float:
        """All days that were joined."""
        return self.below_d + self.in_d + self.above_d

    @property
    def in_share(self) -> float:
        """Share of the joined days in the range; nan without any."""
        return self.in_d / self.days if self.days > 0 else math.nan


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PatientExposure:
    """Levels of one patient after the first dose.

    Parameters
    ----------
    patient : str
        The pseudonym.
    day : tuple of float
        Days since the first dose, with fractions.
    level_ng_ml : tuple of float
        The levels; below the limit of quantification: the limit.
    limited : tuple of bool
        The level is a limit, not a measurement.
    time : TimeShares
        Below, in and above the target.
    """

    patient: str
    day: tuple[float, ...]
    level_ng_ml: tuple[float, ...]
    limited: tuple[bool, ...]
    time: TimeShares


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Levels of a cohort.

    Parameters
    ----------
    patients : tuple of PatientExposure
        In the order of the cohort; somebody without levels has none.
    excluded : int
        Levels that the chart excludes, or that were not measured in whole blood: counted, not used.
    after_stop : int
        Levels drawn later than `AFTER_STOP` after sirolimus was stopped: counted, not used.
    gap_d : float
        Longest time between two levels that was joined.
    """

    patients: tuple[PatientExposure, ...]
    excluded: int
    after_stop: int
    gap_d: float

    @property
    def levels(self) -> tuple[float, ...]:
        """Every level used."""
        return tuple(level for one in self.patients for level in one.level_ng_ml)

    def counted(self, low_ng_ml: float, high_ng_ml: float) -> tuple[int, int, int]:
        """Count the levels below, in and above a range; its limits belong to it."""
        levels = self.levels
        below = sum(level < low_ng_ml for level in levels)
        above = sum(level > high_ng_ml for level in levels)
        return below, len(levels) - below - above, above

    @property
    def time(self) -> TimeShares:
        """Days of all patients together."""
        times = [one.time for one in self.patients]
        return TimeShares(
            below_d=sum(one.below_d for one in times),
            in_d=sum(one.in_d for one in times),
            above_d=sum(one.above_d for one in times),
        )


def _share_below(first: float, last: float, limit: float) -> float:
    """Share of a straight line that lies below a limit; a level line on the limit is not below it."""
    if first == last:
        return 1.0 if first < limit else 0.0
    crossing = (limit - first) / (last - first)
    below = crossing if last > first else 1 - crossing
    return min(max(below, 0.0), 1.0)


def time_shares(
    day: Sequence[float], level_ng_ml: Sequence[float], *, low_ng_ml: float, high_ng_ml: float, gap_d: float
) -> TimeShares:
    """Count the days that straight lines between levels spend below, in and above a range.

    Parameters
    ----------
    day : sequence of float
        Days of the levels, not decreasing.
    level_ng_ml : sequence of float
        The levels.
    low_ng_ml, high_ng_ml : float
        The range.
    gap_d : float
        Levels further apart are not joined.

    Examples
    --------
    >>> time_shares([0, 10], [0.0, 20.0], low_ng_ml=5.0, high_ng_ml=15.0, gap_d=56)
    TimeShares(below_d=2.5, in_d=5.0, above_d=2.5)
    """
    below = above = joined = 0.0
    for start, stop, first, last in zip(day, day[1:], level_ng_ml, level_ng_ml[1:], strict=False):
        length = stop - start
        if not 0 < length <= gap_d:
            continue
        joined += length
        below += length * _share_below(first, last, low_ng_ml)
        above += length * _share_below(-first, -last, -high_ng_ml)
    return TimeShares(below_d=below, in_d=max(joined - below - above, 0.0), above_d=above)


def _usable(chart: Chart) -> tuple[list[tuple[float, float, bool]], int, int]:
    start = first_dose(chart)
    stop = max((course.stop for course in chart.courses if course.stop is not None), default=None)
    goes_on = any(course.stop is None for course in chart.courses)
    used, excluded, after = [], 0, 0
    for level in sorted(chart.levels, key=lambda one: one.at):
        if level.excluded is not None or level.matrix != "whole-blood":
            excluded += 1
        elif stop is not None and not goes_on and level.at > stop + AFTER_STOP:
            after += 1
        elif start is not None and level.at > start:
            day = (level.at - start).total_seconds() / 86_400
            used.append((day, level.level_ng_ml, level.quantification is not Quantification.MEASURED))
    return used, excluded, after


def exposure_of(charts: Sequence[Chart], protocol: StudyProtocol) -> Exposure:
    """Gather the levels after the first dose of every patient.

    Parameters
    ----------
    charts : sequence of Chart
        As known at the data cut, each with its course.
    protocol : StudyProtocol
        Gives the target and the longest gap.
    """
    patients, excluded, after_stop = [], 0, 0
    for chart in charts:
        used, left_out, after = _usable(chart)
        excluded, after_stop = excluded + left_out, after_stop + after
        day, level, limited = (tuple(column) for column in zip(*used, strict=True)) if used else ((), (), ())
        shares = time_shares(
            day,
            level,
            low_ng_ml=protocol.target_low_ng_ml,
            high_ng_ml=protocol.target_high_ng_ml,
            gap_d=protocol.gap_d,
        )
        patients.append(
            PatientExposure(patient=chart.patient.id, day=day, level_ng_ml=level, limited=limited, time=shares)
        )
    return Exposure(patients=tuple(patients), excluded=excluded, after_stop=after_stop, gap_d=protocol.gap_d)


def mean_before(one: PatientExposure, day: float) -> float:
    """Return the mean of a patient's levels before a day: nothing that happened later can enter it.

    nan without a level before it.

    >>> time = TimeShares(below_d=0, in_d=0, above_d=0)
    >>> levels = PatientExposure(patient="p", day=(5.0, 90.0, 95.0), level_ng_ml=(4.0, 8.0, 40.0),
    ...                          limited=(False,) * 3, time=time)
    >>> mean_before(levels, 91)
    6.0
    """
    before = [level for at, level in zip(one.day, one.level_ng_ml, strict=True) if at < day]
    return math.fsum(before) / len(before) if before else math.nan
