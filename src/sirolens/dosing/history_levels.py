# SPDX-License-Identifier: Apache-2.0
"""Which levels of a chart can be used, and what has to be said about each.

Impossible levels are errors; doubtful ones are used with a flag; excluded ones are kept with their reason. A level's
time is always its real time: a sample that is not a trough is read as what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Level, Quantification
from sirolens.dosing.assay import changes
from sirolens.dosing.history_doses import Doses, dose_before, settled_days
from sirolens.dosing.literature import source
from sirolens.message import Message, error, info, warning
from sirolens.models.timeline import Observed

__all__ = ["EARLY_D", "levels"]

HOUR = timedelta(hours=1)
EARLY_D = 14.0
"""Before this many days after a change of dosing a level is early: label interval 7 to 14 days, far end."""
SOON_D = 7.0  # the near end of the same interval
TROUGH_SHARE = 20.0 / 24.0  # 20 h after a daily dose; the same share of other intervals (clinic.md H6, a proposal)
LATE_SHARE = 1.25
CENSORING = {Quantification.BELOW: -1, Quantification.MEASURED: 0, Quantification.ABOVE: 1}


def levels(
    chart: Chart, found: Doses, origin: datetime
) -> tuple[tuple[Observed, ...], tuple[Message, ...], tuple[Message, ...]]:
    """Read the levels of a chart.

    Parameters
    ----------
    chart : Chart
        What is known.
    found : Doses
        Its doses.
    origin : datetime
        Hour zero.

    Returns
    -------
    tuple of Observed
        Every level, excluded ones with their reason, by time.
    tuple of Message
        Flags.
    tuple of Message
        Errors: levels that cannot be right as they stand.
    """
    used = [level for level in chart.levels if level.excluded is None]
    errors = [fault for level in used for fault in _faults(level, found)]
    once, merged, disagreeing = _distinct(used)
    errors += disagreeing
    if errors:
        return (), (), tuple(errors)
    zone = ZoneInfo(chart.zone)
    flags = list(merged)
    observed = []
    for level in once:
        one, said = _observed(level, found, origin, zone)
        observed.append(one)
        flags += said
    for level in chart.levels:
        if level.excluded is not None:
            observed.append(_kept(level, origin))
            flags.append(info("history.level-excluded", at=level.at, level_ng_ml=level.level_ng_ml, why=level.excluded))
    flags += changes((level.at, level.assay) for level in once)
    return tuple(sorted(observed, key=lambda one: one.time_h)), tuple(flags), ()


def _faults(level: Level, found: Doses) -> list[Message]:
    faults = []
    if level.matrix != "whole-blood":
        faults.append(error("history.matrix-refused", at=level.at, level_ng_ml=level.level_ng_ml, matrix=level.matrix))
    if not 0.0 < level.level_ng_ml < float("inf"):
        faults.append(error("history.level-not-positive", at=level.at, level_ng_ml=level.level_ng_ml))
    if level.last_dose_at is not None and level.last_dose_at >= level.at:
        faults.append(error("history.last-dose-after-sample", at=level.at, last_dose_at=level.last_dose_at))
    if dose_before(found, level.at) is None:
        faults.append(error("history.level-without-dose", at=level.at, level_ng_ml=level.level_ng_ml))
    return faults


def _distinct(used: Sequence[Level]) -> tuple[list[Level], list[Message], list[Message]]:
    """Merge identical levels; two values at one instant by one assay are an error."""
    same: defaultdict[tuple[datetime, str], list[Level]] = defaultdict(list)
    for level in used:
        same[level.at, level.assay].append(level)
    once, merged, errors = [], [], []
    for (at, assay), group in sorted(same.items()):
        values = sorted({(level.level_ng_ml, level.quantification) for level in group})
        if len(values) > 1:
            readings = tuple(value for value, _ in values)
            errors.append(error("history.levels-disagree", at=at, assay=assay, levels_ng_ml=readings))
            continue
        once.append(group[0])
        if len(group) > 1:
            merged.append(info("history.levels-merged", at=at, level_ng_ml=values[0][0], count=len(group)))
    return once, merged, errors


def _kept(level: Level, origin: datetime) -> Observed:
    return Observed(
        time_h=(level.at - origin) / HOUR,
        level_ng_ml=level.level_ng_ml,
        censoring=CENSORING[level.quantification],
        assay=level.assay,
        excluded=level.excluded,
    )


def _observed(level: Level, found: Doses, origin: datetime, zone: ZoneInfo) -> tuple[Observed, list[Message]]:
    last = dose_before(found, level.at)
    after_h = None if last is None else (level.at - last.at) / HOUR
    settled_d, missed = settled_days(found, level.at, zone)
    flags = _timing_flags(level, found, after_h)
    trough = not any(flag.code in ("history.not-a-trough", "history.late-sample") for flag in flags)
    if settled_d is not None and settled_d < EARLY_D:
        code = "history.not-at-steady-state" if settled_d < SOON_D else "history.steady-state-uncertain"
        make = warning if settled_d < SOON_D else info
        flags.append(make(code, source=source("label-dosage"), at=level.at, settled_d=settled_d))
    if missed:
        flags.append(warning("history.missed-before-level", at=level.at, count=missed))
    observed = Observed(
        time_h=(level.at - origin) / HOUR,
        level_ng_ml=level.level_ng_ml,
        censoring=CENSORING[level.quantification],
        assay=level.assay,
        after_dose_h=after_h,
        settled_d=settled_d,
        trough=trough,
    )
    return observed, flags


def _timing_flags(level: Level, found: Doses, after_h: float | None) -> list[Message]:
    """Say where the sample lies between two doses, and whether that rests on a plan only."""
    last = dose_before(found, level.at)
    if last is None or after_h is None:
        return []
    flags = []
    if level.last_dose_at is None and (last.at in found.planned or last in found.before):
        flags.append(info("history.dose-time-assumed", at=level.at, planned_at=last.at))
    interval_h = _interval_h(found, level.at)
    if interval_h is None:
        return flags
    if after_h < TROUGH_SHARE * interval_h:
        flags.append(warning("history.not-a-trough", at=level.at, after_dose_h=after_h, interval_h=interval_h))
    elif after_h > LATE_SHARE * interval_h:
        flags.append(warning("history.late-sample", at=level.at, after_dose_h=after_h, interval_h=interval_h))
    return flags


def _interval_h(found: Doses, at: datetime) -> float | None:
    """Usual time between doses around a level: the middle one of the last three gaps, to the half day.

    A single dose counts as daily dosing.
    """
    times = [intake.at for intake in (*found.before, *found.intakes) if intake.at < at][-4:]
    if found.steady and len(times) == 1:
        return found.period_h
    if len(times) < 2:
        return 24.0 if times else None
    gaps_h = sorted((later - earlier) / HOUR for earlier, later in pairwise(times))
    return max(6.0, 6.0 * round(gaps_h[len(gaps_h) // 2] / 6.0))
