# SPDX-License-Identifier: Apache-2.0
"""When each dose was taken, as far as a chart tells: plans, recorded intakes and what was written beside levels.

A level that states the time of the dose before it places that dose; planned doses between it and the sample were not
taken before the sample. Calendar days count in the clinic's zone, hours are elapsed time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, DoseStatus, Level, Prescription
from sirolens.message import Message, info, warning
from sirolens.regimen import Cycle, Hold, Intake, InTurn, Limited, Missing, Once, Regimen, cycle

__all__ = ["Doses", "current_cycle", "dose_before", "doses", "settled_days"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SAME_DOSE_H = 12.0  # a stated time nearer than this to a planned one means that dose (half a day, JUDGE)
SAME_TIME_H = 0.5  # recorded and stated times further apart are told (JUDGE)
SAME_AMOUNT = 0.1  # amounts within 10 % are the same dosing (rounding of solution; JUDGE)
PATTERNS_D = (1, 2, 3, 7, 14)  # lengths of dosing patterns looked for
LOOK_BACK_D = 150
MISSED_WINDOW_D = 14
LONELY_D = 7  # a missed dose with no other within a week is no change of dosing (JUDGE)
HALF_DAY_H = 12.0
LAST_DOSES = 4  # as many equal, evenly spaced doses make a regimen where none is written down


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """The doses of a chart.

    Parameters
    ----------
    intakes : tuple of Intake
        Every dose taken, by time.
    before : tuple of Intake
        One cycle of doses before the first, where a steady state is stated; else empty.
    period_h : float
        Length of that cycle; 0 when there is none.
    missed : tuple of datetime
        Planned doses that were not taken.
    missed_mg : tuple of float
        What they would have been.
    uncertain : tuple of datetime
        Doses of which nobody is sure.
    planned : frozenset of datetime
        Doses whose time is the plan's, not a recorded one.
    plans : tuple of (Prescription, datetime)
        Each prescription with the instant it ended.
    """

    intakes: tuple[Intake, ...]
    before: tuple[Intake, ...]
    period_h: float
    missed: tuple[datetime, ...]
    missed_mg: tuple[float, ...]
    uncertain: tuple[datetime, ...]
    planned: frozenset[datetime]
    plans: tuple[tuple[Prescription, datetime], ...] = ()

    @property
    def steady(self) -> bool:
        """Whether a steady state is stated."""
        return self.period_h > 0.0


def doses(chart: Chart, at: datetime) -> tuple[Doses, tuple[Message, ...]]:
    """Find every dose before an instant.

    Parameters
    ----------
    chart : Chart
        What is known at that instant.
    at : datetime
        The instant.

    Returns
    -------
    Doses
        What was taken.
    tuple of Message
        Doses moved, taken out, doubtful or started at a vague date.
    """
    messages: list[Message] = []
    plan = list(chart.intakes(at))
    recorded = Counter((dose.at, dose.amount_mg) for dose in chart.doses if dose.status is not DoseStatus.MISSED)
    planned = {intake.at for intake in plan if (intake.at, intake.amount_mg) not in recorded}
    missed = [(dose.at, dose.amount_mg) for dose in chart.doses if dose.status is DoseStatus.MISSED]
    missed += _taken_out(chart, at)
    stated = [level for level in chart.levels if level.excluded is None and level.last_dose_at is not None]
    for level in sorted(stated, key=lambda level: level.at):
        messages += _place(level, plan, planned, missed)
    plan.sort(key=lambda intake: intake.at)
    before, period_h, flags = _steady_state(chart, plan)
    messages += flags
    uncertain = tuple(sorted(dose.at for dose in chart.doses if dose.status is DoseStatus.UNCERTAIN and dose.at < at))
    if uncertain:
        messages.append(warning("history.uncertain-doses", count=len(uncertain), latest=uncertain[-1]))
    missed.sort()
    found = Doses(
        intakes=tuple(plan),
        before=before,
        period_h=period_h,
        missed=tuple(when for when, _ in missed),
        missed_mg=tuple(amount_mg for _, amount_mg in missed),
        uncertain=uncertain,
        planned=frozenset(planned),
        plans=chart.prescribed_spans(at),
    )
    return found, tuple(messages)


def _taken_out(chart: Chart, at: datetime) -> list[tuple[datetime, float]]:
    """Doses of dates that a prescription itself calls missed."""
    zone = ZoneInfo(chart.zone)
    found = []
    for prescription, stop in chart.prescribed_spans(at):
        whole = _with_missing(prescription.regimen)
        if whole is not prescription.regimen:
            start = prescription.at.astimezone(zone)
            kept = set(prescription.regimen.intakes(start, stop))
            found += [(i.at.astimezone(UTC), i.amount_mg) for i in whole.intakes(start, stop) if i not in kept]
    return found


def _with_missing(regimen: Regimen) -> Regimen:
    """The regimen as it was meant; the same object where nothing was taken out of it."""
    if isinstance(regimen, Missing):
        return _with_missing(regimen.regimen)
    if isinstance(regimen, Limited):
        inner = _with_missing(regimen.regimen)
        return regimen if inner is regimen.regimen else replace(regimen, regimen=inner)
    if isinstance(regimen, InTurn):
        parts = tuple(_with_missing(part) for part in regimen.parts)
        unchanged = all(new is old for new, old in zip(parts, regimen.parts, strict=True))
        return regimen if unchanged else replace(regimen, parts=parts)
    return regimen


def _place(
    level: Level, plan: list[Intake], planned: set[datetime], missed: list[tuple[datetime, float]]
) -> list[Message]:
    """Move, or take out, planned doses so that they agree with the time written beside a level."""
    stated = level.last_dose_at
    if stated is None or stated >= level.at:
        return []
    messages: list[Message] = []
    near = [intake for intake in plan if abs(intake.at - stated) < SAME_DOSE_H * HOUR and intake.at <= level.at]
    if not near:
        messages.append(warning("history.last-dose-unplanned", at=level.at, last_dose_at=stated))
    else:
        nearest = min(near, key=lambda intake: abs(intake.at - stated))
        if nearest.at in planned:
            _move(plan, planned, nearest, stated)
            if abs(nearest.at - stated) >= SAME_TIME_H * HOUR:
                messages.append(info("history.dose-moved", planned_at=nearest.at, last_dose_at=stated))
        elif abs(nearest.at - stated) > SAME_TIME_H * HOUR:
            messages.append(warning("history.dose-times-disagree", recorded_at=nearest.at, last_dose_at=stated))
    between = [intake for intake in plan if stated < intake.at < level.at and intake.at in planned]
    for intake in between:
        if level.at - intake.at < SAME_DOSE_H * HOUR:
            _move(plan, planned, intake, level.at)
            messages.append(info("history.dose-after-sample", at=level.at, planned_at=intake.at))
        else:
            plan.remove(intake)
            planned.discard(intake.at)
            missed.append((intake.at, intake.amount_mg))
            messages.append(warning("history.dose-not-taken", at=level.at, planned_at=intake.at, last_dose_at=stated))
    return messages


def _move(plan: list[Intake], planned: set[datetime], intake: Intake, to: datetime) -> None:
    plan[plan.index(intake)] = Intake(at=to, amount_mg=intake.amount_mg)
    planned.discard(intake.at)


def _steady_state(chart: Chart, plan: Sequence[Intake]) -> tuple[tuple[Intake, ...], float, list[Message]]:
    """Read "on 2 mg since about May": steady state from the first dose of the first prescription on."""
    vague = sorted((one for one in chart.prescriptions if one.since_about), key=lambda one: one.at)
    if not vague:
        return (), 0.0, []
    first = vague[0]
    later = [warning("history.start-uncertain", at=one.at) for one in vague[1:]]
    if any(intake.at < first.at for intake in plan):
        return (), 0.0, [warning("history.start-uncertain", at=first.at), *later]
    repeating = cycle(first.regimen)
    if repeating is None:
        return (), 0.0, [warning("history.steady-state-of-no-dose", at=first.at), *later]
    period = timedelta(hours=repeating.period_h)
    start = first.at.astimezone(ZoneInfo(chart.zone))
    ahead = _repeating_part(first.regimen).intakes(start, start + period)
    before = tuple(Intake(at=one.at.astimezone(UTC) - period, amount_mg=one.amount_mg) for one in ahead)
    stated = info("history.steady-state-stated", since=first.at, daily_mg=repeating.daily_mg)
    return before, repeating.period_h, [stated, *later]


def _repeating_part(regimen: Regimen) -> Regimen:
    if isinstance(regimen, InTurn):
        return _repeating_part(regimen.parts[-1])
    return _repeating_part(regimen.regimen) if isinstance(regimen, Missing) else regimen


def dose_before(found: Doses, at: datetime) -> Intake | None:
    """Return the last dose before an instant; one at the same instant comes after the sample.

    Where a steady state is stated, the doses of its last cycle count too.
    """
    earlier = [intake for intake in (*found.before, *found.intakes) if intake.at < at]
    return earlier[-1] if earlier else None


def settled_days(found: Doses, at: datetime, zone: ZoneInfo) -> tuple[float | None, int]:
    """Tell for how long the dosing had been the same at an instant.

    Totals of calendar days are compared at every pattern length of `PATTERNS_D`, which must have come twice unless it
    is the prescribed one. A missed dose with no other within a week is no change; where nothing was prescribed, a day
    without a dose is read as one.

    Returns
    -------
    float or None
        Days since the dosing last changed; None when a steady state is stated and nothing has changed since.
    int
        Doses missed in the two weeks before.
    """
    missed = sum(1 for when in found.missed if at - MISSED_WINDOW_D * DAY <= when < at)
    taken = [intake for intake in found.intakes if intake.at < at]
    if not taken:
        return (None, missed) if found.steady else (0.0, missed)
    days = [intake.at.astimezone(zone).date() for intake in taken]
    today = at.astimezone(zone).date()
    first_day = max(days[0], today - timedelta(days=LOOK_BACK_D))
    totals = _daily_totals(found, taken, first_day, today, zone)
    start = _settled_since(totals, *_prescribed(found, at, first_day, zone), tolerant=not found.plans)
    since = first_day + timedelta(days=start)
    in_run = [intake for intake, day in zip(taken, days, strict=True) if since <= day < today]
    new = [i for i, day in zip(taken, days, strict=True) if day == today and in_run and not _seen(i, in_run)]
    if new:
        return (at - new[0].at) / DAY, missed
    if start == 0 and found.steady and first_day == days[0]:
        return None, missed
    on_or_after = (intake.at for intake, day in zip(taken, days, strict=True) if day >= since)
    begun = next(on_or_after, datetime(since.year, since.month, since.day, tzinfo=zone))
    return (at - begun) / DAY, missed


def _prescribed(found: Doses, at: datetime, first_day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Length of the prescribed pattern in force, in whole days, and since which day; (1, 0) when there is none.

    The same pattern prescribed anew goes on.
    """
    present: Cycle | None = None
    since = 0
    for prescription, stop in reversed(found.plans):
        if prescription.at > at:
            continue
        begun = prescription.at.astimezone(zone).date()
        last = min(at, stop).astimezone(zone).date()
        repeating = cycle(_present_part(prescription.regimen, (last - begun).days))
        if present is None and (repeating is None or stop < at):
            break
        if present is not None and repeating != present:
            break
        present, since = repeating, max(0, (begun - first_day).days)
    return (1, 0) if present is None else (max(1, round(present.period_h / 24.0)), since)


def _settled_since(totals: Sequence[float], prescribed_d: int, prescribed_since: int, *, tolerant: bool) -> int:
    """First day from which some pattern has been kept: twice at least, or, if it is prescribed, since it was."""
    days = len(totals)
    best = days
    for period in {*PATTERNS_D, prescribed_d}:
        start = min(_run_start(totals, period, tolerant), _run_start_backward(totals, period, tolerant))
        if period == 1 or days - start >= 2 * period:
            best = min(best, start)
        elif period == prescribed_d:
            best = min(best, max(start, prescribed_since))
    return best


def _seen(intake: Intake, earlier: Sequence[Intake]) -> bool:
    return any(abs(intake.amount_mg - one.amount_mg) <= SAME_AMOUNT * one.amount_mg for one in earlier)


def _daily_totals(found: Doses, taken: Sequence[Intake], first: date, today: date, zone: ZoneInfo) -> list[float]:
    """Milligrams on each calendar day from the first to yesterday; a missed dose counts if no other is near it."""
    totals = [0.0] * (today - first).days
    lonely = [
        Intake(at=when, amount_mg=amount_mg)
        for when, amount_mg in zip(found.missed, found.missed_mg, strict=True)
        if sum(abs(when - other) < LONELY_D * DAY for other in found.missed) == 1
    ]
    for intake in (*taken, *lonely):
        index = (intake.at.astimezone(zone).date() - first).days
        if 0 <= index < len(totals):
            totals[index] += intake.amount_mg
    return totals


def _run_start(totals: Sequence[float], period: int, tolerant: bool) -> int:
    """First day of the last stretch in which every day equals the one a period before."""
    filled = list(totals)
    start, last_gap = 0, -LONELY_D
    for day in range(len(totals)):
        if day - start < period:
            continue
        expected = filled[day - period]
        if abs(totals[day] - expected) <= SAME_AMOUNT * max(expected, totals[day]):
            continue
        if tolerant and totals[day] == 0.0 and expected > 0.0 and day - last_gap >= LONELY_D:
            filled[day] = expected
            last_gap = day
        else:
            start, last_gap = day, day - LONELY_D
    return start


def _run_start_backward(totals: Sequence[float], period: int, tolerant: bool) -> int:
    """The same, taking the last days as the pattern."""
    filled = list(totals)
    start, last_gap = max(0, len(totals) - period), len(totals) + LONELY_D
    while start > 0:
        day, expected = start - 1, filled[start - 1 + period]
        if abs(totals[day] - expected) > SAME_AMOUNT * max(expected, totals[day]):
            if not tolerant or totals[day] != 0.0 or last_gap - day < LONELY_D:
                break
            filled[day], last_gap = expected, day
        start = day
    return start


def current_cycle(chart: Chart, found: Doses, at: datetime) -> Cycle | None:
    """Return the repeating pattern of what is taken at an instant; None: nothing, or nothing that repeats.

    Of a taper or a loading phase it is the present part: what repeats if nothing changes. Without a prescription the
    last doses tell, when they are equal and evenly spaced.
    """
    if not chart.prescriptions:
        return _cycle_of(found.intakes[-LAST_DOSES:], at)
    spans = chart.prescribed_spans(at + timedelta(seconds=1))
    if not spans or spans[-1][1] <= at:
        return None
    prescription = spans[-1][0]
    zone = ZoneInfo(chart.zone)
    day = (at.astimezone(zone).date() - prescription.at.astimezone(zone).date()).days
    regimen = _present_part(prescription.regimen, day)
    return None if isinstance(regimen, Hold | Once) else cycle(regimen)


def _present_part(regimen: Regimen, day: int) -> Regimen:
    if isinstance(regimen, Missing):
        return _present_part(regimen.regimen, day)
    if isinstance(regimen, Limited):
        return _present_part(regimen.regimen, day) if day < regimen.limit_days else Hold()
    if isinstance(regimen, InTurn):
        for part in regimen.parts:
            if part.days is None or day < part.days:
                return _present_part(part, day)
            day -= part.days
        return Hold()
    return regimen


def _cycle_of(last: Sequence[Intake], at: datetime) -> Cycle | None:
    if len(last) < LAST_DOSES:
        return None
    gaps_h = [(later.at - earlier.at) / HOUR for earlier, later in pairwise(last)]
    period_h = HALF_DAY_H * round(sum(gaps_h) / len(gaps_h) / HALF_DAY_H)
    even = period_h > 0.0 and all(abs(gap_h - period_h) <= 0.25 * period_h for gap_h in gaps_h)
    if not even or not all(_seen(intake, last[-1:]) for intake in last) or (at - last[-1].at) / HOUR > 1.5 * period_h:
        return None
    return Cycle(period_h=period_h, offset_h=(0.0,), amount_mg=(last[-1].amount_mg,))
