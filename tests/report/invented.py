# SPDX-License-Identifier: Apache-2.0
"""An invented course and an invented document for the report's tests: no patient, no model, only shapes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sirolens.message import info
from sirolens.report.dose_figure import DoseBars, DoseRow
from sirolens.report.level_figure import Band, DoseBar, LevelCourse, LevelPoint
from sirolens.report.platelet_figure import Bleed, PlateletCourse, PlateletPoint, Rescue

ZONE = "Asia/Shanghai"
START = datetime(2026, 9, 1, 8, tzinfo=ZoneInfo(ZONE))
NOW = START + timedelta(days=42, hours=1)
END = NOW + timedelta(days=28)


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def _level(hours: float) -> float:
    """A made-up sawtooth that rises to a steady state: the sum of daily doses of a one-compartment curve."""
    total, day = 0.0, 0
    while day * 24 <= hours:
        since = hours - day * 24
        if day not in (17,):
            dose = 2.0 if day < 43 else 2.5
            total += dose * 1.35 * (math.exp(-0.0116 * since) - math.exp(-0.9 * since))
        day += 1
    return total


def band() -> Band:
    count = 70 * 8
    hours = [3.0 * index for index in range(count)]
    median = [_level(hour) for hour in hours]
    return Band(
        at=tuple(START + timedelta(hours=hour) for hour in hours),
        median=tuple(median),
        low50=tuple(0.86 * one for one in median),
        high50=tuple(1.17 * one for one in median),
        low90=tuple(0.66 * one for one in median),
        high90=tuple(1.55 * one for one in median),
    )


def doses() -> tuple[DoseBar, ...]:
    status = {17: "missed", 18: "uncertain"}
    return tuple(
        DoseBar(
            at=days(day),
            amount_mg=2.0 if day < 43 else 2.5,
            status="planned" if day >= 43 else status.get(day, "taken"),
        )
        for day in range(70)
    )


def platelets(now: datetime | None = None) -> PlateletCourse:
    counts = {-5: 8.0, 0: 11.0, 4: 46.0, 7: 31.0, 14: 18.0, 21: 27.0, 28: 38.0, 35: 66.0, 42: 112.0}
    return PlateletCourse(
        counts=tuple(PlateletPoint(at=days(day), count_10e9_l=count) for day, count in counts.items()),
        bleedings=(Bleed(at=days(-5), grade=2), Bleed(at=days(13), grade=1)),
        rescues=(
            Rescue(start=days(1), stop=days(4), drug="ivig"),
            Rescue(start=days(14), stop=days(18), drug="dexamethasone"),
        ),
        now=now,
    )


def course() -> LevelCourse:
    return LevelCourse(
        now=NOW,
        target_low_ng_ml=5.0,
        target_high_ng_ml=15.0,
        band=band(),
        points=(
            LevelPoint(at=days(2.98), level_ng_ml=2.0, assay="lc-ms/ms", quantification="below"),
            LevelPoint(at=days(13.97), level_ng_ml=7.4, assay="lc-ms/ms"),
            LevelPoint(at=days(24.2), level_ng_ml=16.2, assay="lc-ms/ms", excluded=True),
            LevelPoint(at=days(27.98), level_ng_ml=9.1, assay="cmia"),
            LevelPoint(at=days(41.98), level_ng_ml=8.3, assay="lc-ms/ms"),
        ),
        doses=doses(),
        platelets=platelets(),
    )


def bars() -> DoseBars:
    rows = (
        (info("regimen-demo.daily", dose_mg=2.0), 0.07, 0.9, 0.03, 8.6, 5.2, 13.4, False),
        (info("regimen-demo.daily", dose_mg=2.5), 0.02, 0.83, 0.15, 10.8, 6.5, 16.8, True),
        (info("regimen-demo.daily", dose_mg=1.5), 0.31, 0.685, 0.005, 6.5, 3.9, 10.1, False),
        (info("regimen-demo.alternate", first_mg=1.0, second_mg=2.0), 0.33, 0.665, 0.005, 6.4, 3.7, 10.3, False),
        (info("regimen-demo.daily", dose_mg=1.0), 0.72, 0.279, 0.001, 4.3, 2.6, 6.7, False),
    )
    return DoseBars(
        rows=tuple(
            DoseRow(
                regimen=regimen,
                low_probability=low,
                in_probability=inside,
                high_probability=high,
                trough_ng_ml=trough,
                trough_low_ng_ml=trough_low,
                trough_high_ng_ml=trough_high,
                current=current,
            )
            for regimen, low, inside, high, trough, trough_low, trough_high, current in rows
        ),
        target_low_ng_ml=5.0,
        target_high_ng_ml=15.0,
    )
