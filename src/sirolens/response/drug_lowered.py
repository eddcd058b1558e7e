# SPDX-License-Identifier: Apache-2.0
"""Platelets that fall while the level is high or rising: perhaps the drug, not the disease (hazard H5).

Before a landmark is called non-response, the counts before it are looked at: sirolimus itself lowers platelets. The
thresholds are the advice's own (`sirolens.dosing.guardrails.discordance`) and are handed over by whoever knows both
rooms; the rule is the same, asked at every count of a window instead of at the newest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Level, PlateletCount, Quantification
from sirolens.message import Message, info, warning

__all__ = ["DrugLowered", "Thresholds", "drug_lowered", "told"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What counts as a fall, as high and as rising.

    Parameters
    ----------
    high_ng_ml : float
        Levels above it are high: the upper limit of the target.
    fall_ratio : float
        A count below this share of the highest of the window, and below the one before, is a fall.
    rise_ratio : float
        A level above this multiple of the one before is rising.
    window_d : int
        How far back the highest count is looked for, and how far a level may lie from the count.
    """

    high_ng_ml: float
    fall_ratio: float
    rise_ratio: float
    window_d: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DrugLowered:
    """A fall of platelets under a high or rising level.

    Parameters
    ----------
    count, highest : PlateletCount
        The fallen count and the highest of the window before it.
    level : Level
        The last one up to the count; or, where there is none in the window, the first after it.
    high, rising : bool
        Why the level speaks for the drug.
    """

    count: PlateletCount
    highest: PlateletCount
    level: Level
    high: bool
    rising: bool


def drug_lowered(
    chart: Chart, landmark: datetime, thresholds: Thresholds, *, back_days: int
) -> tuple[DrugLowered, ...]:
    """Return every fall under a high or rising level in the time before a landmark.

    Parameters
    ----------
    chart : Chart
        What is known.
    landmark : datetime
        Up to here.
    thresholds : Thresholds
        What counts as a fall, as high and as rising.
    back_days : int
        From so many days before the landmark on.

    Returns
    -------
    tuple of DrugLowered
        In the order of the counts; empty where there is none.

    Examples
    --------
    >>> from datetime import UTC
    >>> from sirolens.chart import Patient
    >>> day = [datetime(2026, 3, number, tzinfo=UTC) for number in (1, 15, 14)]
    >>> counts = tuple(PlateletCount(at=at, recorded=at, count_10e9_l=n) for at, n in zip(day, (90.0, 40.0)))
    >>> level = Level(at=day[2], recorded=day[2], level_ng_ml=22.0)
    >>> chart = Chart(patient=Patient(id="P-1"), zone="UTC", platelet_counts=counts, levels=(level,))
    >>> limits = Thresholds(high_ng_ml=15.0, fall_ratio=0.8, rise_ratio=1.25, window_d=42)
    >>> [found.high for found in drug_lowered(chart, datetime(2026, 4, 1, tzinfo=UTC), limits, back_days=42)]
    [True]
    """
    counts = sorted((one for one in chart.platelet_counts if one.at <= landmark), key=lambda one: one.at)
    levels = sorted(
        (one for one in chart.levels if one.excluded is None and one.at <= landmark), key=lambda one: one.at
    )
    earliest = landmark - timedelta(days=back_days)
    found = []
    for index in range(1, len(counts)):
        if counts[index].at < earliest:
            continue
        highest = _fallen_from(counts[: index + 1], thresholds)
        spoken = None if highest is None else _speaks(counts[index], levels, thresholds)
        if highest is not None and spoken is not None:
            level, high, rising = spoken
            found.append(DrugLowered(count=counts[index], highest=highest, level=level, high=high, rising=rising))
    return tuple(found)


def _fallen_from(counts: Sequence[PlateletCount], limits: Thresholds) -> PlateletCount | None:
    """Return the highest count before the last one, if the last one is a fall from it."""
    *before, newest = counts
    window = timedelta(days=limits.window_d)
    highest = max([one for one in before if newest.at - one.at <= window] or before[-1:], key=lambda c: c.count_10e9_l)
    falls = newest.count_10e9_l < before[-1].count_10e9_l
    return highest if falls and newest.count_10e9_l < limits.fall_ratio * highest.count_10e9_l else None


def _speaks(count: PlateletCount, levels: Sequence[Level], limits: Thresholds) -> tuple[Level, bool, bool] | None:
    """Return the level near a count, and whether it is high and whether rising; None where it is neither."""
    window = timedelta(days=limits.window_d)
    until = [index for index, level in enumerate(levels) if level.at <= count.at]
    index = until[-1] if until else 0
    if index >= len(levels) or abs(levels[index].at - count.at) > window:
        return None
    level = levels[index]
    high = level.level_ng_ml > limits.high_ng_ml and level.quantification is not Quantification.BELOW
    rising = index > 0 and level.level_ng_ml > limits.rise_ratio * levels[index - 1].level_ng_ml
    return (level, high, rising) if high or rising else None


def told(chart: Chart, found: Sequence[DrugLowered], thresholds: Thresholds) -> tuple[Message, ...]:
    """Say what was found before a landmark that would be called non-response.

    Parameters
    ----------
    chart : Chart
        For the zone its days are counted in.
    found : sequence of DrugLowered
        From `drug_lowered`.
    thresholds : Thresholds
        As used there.

    Returns
    -------
    tuple of Message
        A warning for each fall; where there are too few counts or no level to look at, that.
    """
    if not found and (len(chart.platelet_counts) < 2 or not chart.levels):
        counts, levels = len(chart.platelet_counts), len(chart.levels)
        return (info("safety.drug-not-checked", counts=counts, levels=levels),)
    zone = ZoneInfo(chart.zone)

    def day(at: datetime) -> date:
        return at.astimezone(zone).date()

    return tuple(
        warning(
            "safety.platelets-fall-level-high" if one.high else "safety.platelets-fall-level-rising",
            count_10e9_l=one.count.count_10e9_l,
            count_date=day(one.count.at),
            earlier_10e9_l=one.highest.count_10e9_l,
            earlier_date=day(one.highest.at),
            level_ng_ml=one.level.level_ng_ml,
            level_date=day(one.level.at),
            high_ng_ml=thresholds.high_ng_ml,
        )
        for one in found
    )
