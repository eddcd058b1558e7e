# SPDX-License-Identifier: Apache-2.0
"""What counts and events mean on their own, before anybody is judged: masks, failures, remission, winning counts.

Rules R-5, R-20 to R-24, R-35 and R-36 of ``docs/science/response.md`` over the arrays of
`sirolens.response.visits.Visits`.
The judging itself is `sirolens.response.kernel`; neither file calls the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sirolens.engine.kernel import kernel

__all__ = ["EVENT_DAYS", "EventChoices", "prepare_events", "prepare_rows", "remission_off_treatment", "winners"]

NEVER = -1
NO_DAY = -(2**31)
"""Before every day: an end that covers nothing."""

EVENT_DAYS = ("failure", "failure_kind", "final", "stopped", "spans")
"""What `prepare_events` says of each patient: days of the first failure, of the first final one, of the stop of
sirolimus, the kind of the first failure, and how many spans of dependent days there are."""
(FAILURE, FAILURE_KIND, FINAL, STOPPED, SPANS) = range(5)
# sirolens.response.visits.EventKind, where a kind is needed by name
K_STEROID_PULSE, K_STEROID, K_STOPPED = 2, 7, 8
# what an event does to a running response
NOTHING, ENDS, ENDS_FOR_GOOD = range(3)


class EventChoices(NamedTuple):
    """The choices of a criteria set that this file needs, named as its fields."""

    bridging_d: int
    regain_after_rescue: bool
    steroid_dependence: bool
    steroid_above_mg_d: float
    steroid_days: int
    steroid_gap_d: int
    off_treatment_10e9_l: float
    off_treatment_d: int
    off_treatment_bleeding_grade: int


@kernel
def prepare_events(
    low: int, high: int, event_start: Any, event_day: Any, event_last_day: Any, event_kind: Any, event_cover: Any,
    event_mg_d: Any, known_day: Any, mask: Any, rescues: Any, failing: Any, final: Any, c: EventChoices,
    masked_to: Any, rescued_to: Any, acts: Any, span_from: Any, span_to: Any, told: Any,
) -> None:  # fmt: skip
    """R-20 to R-24 for patients low <= i < high: what each event masks and ends; the answers are offset by `low`.

    Parameters
    ----------
    mask : int64[kinds]
        Days masked after an event; -1 none.
    rescues, failing, final : bool[kinds]
        Kinds that are a rescue, that fail after bridging, that fail for good.
    masked_to, rescued_to : int32[m]
        Last day an event masks, and the same of rescues that are not for cover.
    acts : int8[m]
        Nothing, ends a response, ends it for good.
    span_from, span_to : int32[m]
        Dependent days, from the patient's first event slot on.
    told : int32[n, 5]
        By `EVENT_DAYS`.
    """
    first_event = event_start[low]
    for i in range(low, high):
        known, row = known_day[i], i - low
        told[row, :] = NEVER
        spans, slot = 0, event_start[i] - first_event
        begin, end, chained = 0, 0, False
        for e in range(event_start[i], event_start[i + 1]):
            day, last, kind, cover, at = event_day[e], event_last_day[e], event_kind[e], event_cover[e], e - first_event
            masked_to[at] = last + mask[kind] if mask[kind] >= 0 else NO_DAY
            rescued_to[at], acts[at] = NO_DAY, NOTHING
            if day > known:
                masked_to[at] = NO_DAY
                continue
            if not cover:
                fails = failing[kind] and day > c.bridging_d
                for_good = fails and (final[kind] or not c.regain_after_rescue)
                rescued_to[at] = masked_to[at] if rescues[kind] else NO_DAY
                if day >= 0:
                    acts[at] = ENDS_FOR_GOOD if for_good else ENDS if rescues[kind] else NOTHING
                if fails and told[row, FAILURE] == NEVER:
                    told[row, FAILURE], told[row, FAILURE_KIND] = day, kind
                if for_good and told[row, FINAL] == NEVER:
                    told[row, FINAL] = day
            if kind == K_STOPPED and told[row, STOPPED] == NEVER:
                told[row, STOPPED] = day
            steroid = kind in (K_STEROID, K_STEROID_PULSE) and not event_mg_d[e] <= c.steroid_above_mg_d
            if not (steroid and c.steroid_dependence):
                continue
            if chained and day - end <= c.steroid_gap_d:
                end = max(end, last)
                continue
            if chained:
                spans = _close(begin, end, known, slot, spans, span_from, span_to, c)
            chained, begin, end = True, day, last
        if chained:
            spans = _close(begin, end, known, slot, spans, span_from, span_to, c)
        told[row, SPANS] = spans


@kernel
def _close(
    begin: int, end: int, known: int, slot: int, spans: int, span_from: Any, span_to: Any, c: EventChoices
) -> int:
    """R-24: write the dependent days of a chain of steroid spans; return how many there are now."""
    dependent_from, dependent_to = max(begin + c.steroid_days, 0), min(end, known)
    if dependent_from > dependent_to:
        return spans
    span_from[slot + spans], span_to[slot + spans] = dependent_from, dependent_to
    return spans + 1


@kernel
def prepare_rows(
    low: int, high: int, start: Any, day: Any, count_10e9_l: Any, bleeding: Any, known_day: Any, event_start: Any,
    event_day: Any, masked_to: Any, worst: Any, masked: Any, alone: Any, asked: Any,
) -> None:  # fmt: skip
    """R-5 and R-20 for the rows of patients low <= i < high; the answers are offset by the first row.

    Parameters
    ----------
    worst : int8[rows]
        Bleeding of the row's day.
    masked, alone : bool[rows]
        Whether the day is masked; whether it has bleeding but no count.
    asked : bool[patients]
        Whether bleeding was asked for on every day with a count that is looked at.
    """
    first_row, first_event = start[low], event_start[low]
    for i in range(low, high):
        row, stop, known = start[i], start[i + 1], known_day[i]
        e0, e1 = event_start[i], event_start[i + 1]
        everywhere = True
        while row < stop:
            now, after, grade, counted = day[row], row, -1, False
            while after < stop and day[after] == now:
                grade = max(grade, bleeding[after])
                counted |= not np.isnan(count_10e9_l[after])
                after += 1
            hidden = False
            for e in range(e0, e1):
                hidden |= event_day[e] <= now <= masked_to[e - first_event]
            for one in range(row - first_row, after - first_row):
                worst[one], masked[one], alone[one] = grade, hidden, not counted
            everywhere &= grade >= 0 or not counted or now < 1 or now > known
            row = after
        asked[i - low] = everywhere


@kernel
def remission_off_treatment(
    low: int, high: int, skip: Any, start: Any, day: Any, count_10e9_l: Any, worst: Any, known_day: Any,
    event_start: Any, event_day: Any, event_last_day: Any, event_kind: Any, event_cover: Any, told: Any,
    c: EventChoices, code: Any, reached_day: Any, ended_day: Any,
) -> None:  # fmt: skip
    """R-35 for patients low <= i < high.

    Parameters
    ----------
    skip : bool[n]
        Not started, or baseline too high: nothing is told.
    code : int8[n]
        Position in `sirolens.response.states.OffTreatment`.
    reached_day, ended_day : int32[n]
        When it was reached, and when it failed; -1 never.
    """
    first_row = start[low]
    for i in range(low, high):
        code[i], reached_day[i], ended_day[i] = 0, NEVER, NEVER
        stop, known = told[i - low, STOPPED], known_day[i]
        if stop == NEVER or skip[i]:
            continue
        treated = NEVER
        for e in range(event_start[i], event_start[i + 1]):
            works = event_kind[e] != K_STOPPED and not event_cover[e]
            if works and event_day[e] <= known and event_last_day[e] > stop:
                begun = max(event_day[e], stop + 1)
                treated = begun if treated == NEVER else min(treated, begun)
        for row in range(start[i], start[i + 1]):
            if day[row] > known or (treated != NEVER and day[row] >= treated):
                break
            if day[row] <= stop or day[row] < 1:
                continue
            low_count = count_10e9_l[row] < c.off_treatment_10e9_l
            if low_count or worst[row - first_row] >= c.off_treatment_bleeding_grade:
                ended_day[i] = day[row]
                break
            long_enough = day[row] >= stop + c.off_treatment_d and not np.isnan(count_10e9_l[row])
            if long_enough and reached_day[i] == NEVER:
                reached_day[i] = day[row]
        if ended_day[i] == NEVER and treated != NEVER:
            ended_day[i] = treated
        code[i] = 2 if reached_day[i] != NEVER else 1 if ended_day[i] == NEVER else 3


@kernel
def winners(
    low: int, high: int, wanted: Any, events_on: bool, start: Any, days: Any, counts: Any, masked: Any, known_day: Any,
    told: Any, landmarks: Any, window_d: int, rule: int, earlier: bool, won: Any, hidden: Any,
) -> None:  # fmt: skip
    """R-36: the row that wins at each landmark, -1 none; and whether masked counts stood in the window.

    Parameters
    ----------
    wanted : bool[b]
        Whose landmarks are needed; b = high - low.
    events_on : bool
        False: the treatment policy, where no event masks or ends anything.
    rule : int
        0 the nearest wins, 1 the last, 2 the highest.
    earlier : bool
        Of two equally near the earlier wins, else the later.
    won, hidden : int64[b, L], bool[b, L]
        The answer.
    """
    row_0 = start[low]
    for i in range(low, high):
        at, end = i - low, known_day[i]
        if not wanted[at]:
            continue
        if events_on and told[at, FINAL] != NEVER:
            end = min(end, told[at, FINAL] - 1)
        for k in range(len(landmarks)):
            best, best_count, best_near, best_day = -1, 0.0, 0, 0
            first, last = max(landmarks[k] - window_d, 1), min(landmarks[k] + window_d, end)
            masks = False
            for row in range(start[i], start[i + 1]):
                day = days[row]
                if day > last:
                    break
                if day < first or np.isnan(counts[row]):
                    continue
                if events_on and masked[row - row_0]:
                    masks = True
                    continue
                count, near = counts[row], abs(day - landmarks[k])
                better = best < 0 or rule == 1
                if not better and rule == 2 and count != best_count:
                    better = count > best_count
                elif not better and near != best_near:
                    better = near < best_near
                elif not better:
                    better = day == best_day or not earlier
                if better:
                    best, best_count, best_near, best_day = row, count, near, day
            won[at, k], hidden[at, k] = best, masks
