# SPDX-License-Identifier: Apache-2.0
"""When to take the next sample, and why: label intervals, never a half-life from a trough-only model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import final

from sirolens.chart import Chart
from sirolens.dosing.interactions import Effect
from sirolens.dosing.literature import source
from sirolens.dosing.present import Current, day_of
from sirolens.dosing.protocol import Settings
from sirolens.dosing.ranking import Outcome
from sirolens.message import Message, info
from sirolens.source import Source

__all__ = ["NextSample", "next_sample"]

ROUTINE_WINDOW_DAYS = 14
"""How long before its latest day a routine sample may be drawn (JUDGE)."""
INTERACTION_CODES = ("monitoring.after-interaction", "monitoring.after-stop")
EARLY_WINDOW_DAYS = 3
"""How wide the window of an early sample is (JUDGE)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NextSample:
    """The window in which the next trough is to be drawn.

    Parameters
    ----------
    earliest, latest : date
        Calendar days of the clinic; `latest` may be today when a sample is overdue.
    reason : Message
        What asks for it first.
    also : tuple of Message
        Other reasons for a sample, by date.
    how : Message
        When in the day: before the dose.
    """

    earliest: date
    latest: date
    reason: Message
    also: tuple[Message, ...]
    how: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    earliest: date
    latest: date
    reason: Message


def next_sample(
    chart: Chart,
    at: datetime,
    *,
    outcome: Outcome,
    current: Current | None,
    effects: Sequence[Effect],
    loaded: bool,
    soon: bool,
    at_once: bool,
    settings: Settings,
) -> NextSample:
    """Return the next sampling window by the label's intervals.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        The day the advice is followed.
    outcome : Outcome
        What the advice comes to.
    current : Current, optional
        The regimen now.
    effects : sequence of Effect
        From `interactions.assess`: a beginning or an end within the last month asks for a sample.
    loaded : bool
        A loading dose is part of the option.
    soon : bool
        The forecast is wide, or the patient is a small child: the near end of the interval counts.
    at_once : bool
        A critical message rests on a level.
    settings : Settings
        The intervals.

    Returns
    -------
    NextSample
        The window that closes first, and the other reasons.
    """
    today = day_of(chart, at)
    dues = sorted(
        _dues(chart, today, at, outcome, current, effects, loaded, soon, at_once, settings),
        key=lambda due: (due.latest, due.earliest),
    )
    first = dues[0]
    return NextSample(
        earliest=max(first.earliest, today),
        latest=max(first.latest, today),
        reason=first.reason,
        also=tuple(due.reason for due in dues[1:]),
        how=info("monitoring.before-dose", source=source("consensus-everolimus")),
    )


def _dues(
    chart: Chart,
    today: date,
    at: datetime,
    outcome: Outcome,
    current: Current | None,
    effects: Sequence[Effect],
    loaded: bool,
    soon: bool,
    at_once: bool,
    settings: Settings,
) -> Iterable[_Due]:
    near, far = settings.early_level_days.value
    label = settings.early_level_days.source
    if at_once:
        low, high = settings.repeat_level_days.value
        yield _due(today, low, high, "monitoring.critical-level", settings.repeat_level_days.source)
    if loaded:
        low, high = settings.loading_check_days.value
        yield _due(today, low, high, "monitoring.after-loading", settings.loading_check_days.source)
    starting = outcome in (Outcome.START, Outcome.RANGE) or current is None
    if soon:
        code = "monitoring.early-because-wide" if outcome is not Outcome.RANGE else "monitoring.small-child"
        yield _due(today, near, near + EARLY_WINDOW_DAYS, code, label)
    if starting:
        low, high = settings.first_level_days.value
        yield _due(today, low, high, "monitoring.after-start", settings.first_level_days.source)
    elif outcome is Outcome.CHANGE:
        yield _due(today, near, far, "monitoring.after-change", label)
    elif current is not None and current.settled_d is not None and current.settled_d < far:
        changed = today - timedelta(days=int(current.settled_d))
        yield _due(changed, near, far, "monitoring.after-recent-change", label)
    for effect in effects:
        begun, over = ("monitoring.after-food",) * 2 if effect.kind == "food" else INTERACTION_CODES
        for instant, code in ((effect.start, begun), (effect.stop, over)):
            recent = instant is not None and timedelta() <= at - instant <= timedelta(days=far)
            if recent and instant is not None and effect.kind != "liver":
                yield _due(day_of(chart, instant), near, far, code, label, cause=effect.cause)
    if not starting or chart.levels:
        yield _routine(chart, today, settings)


def _routine(chart: Chart, today: date, settings: Settings) -> _Due:
    days = settings.stable_interval_days
    used = [level for level in chart.levels if level.excluded is None]
    if not used:
        return _due(
            today, 0, settings.first_level_days.value[1], "monitoring.no-level-yet", settings.first_level_days.source
        )
    newest = day_of(chart, max(level.at for level in used))
    code = "monitoring.overdue" if newest + timedelta(days=days.value) < today else "monitoring.stable"
    return _due(newest, days.value - ROUTINE_WINDOW_DAYS, days.value, code, days.source)


def _due(start: date, low: int, high: int, code: str, origin: Source, *, cause: str | None = None) -> _Due:
    earliest, latest = start + timedelta(days=low), start + timedelta(days=high)
    if cause is None:
        reason = info(code, source=origin, from_date=earliest, to_date=latest)
    else:
        reason = info(code, source=origin, from_date=earliest, to_date=latest, cause_drug=cause)
    return _Due(earliest=earliest, latest=latest, reason=reason)
