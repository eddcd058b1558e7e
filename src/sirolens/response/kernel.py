# SPDX-License-Identifier: Apache-2.0
"""The rules of ``docs/science/response.md`` over arrays: whole numbers and counts in, states, reasons and days out.

A patient is walked through at most four times: the running state and the treatment policy, each with bleeding that was
not asked as unknown (strict) and as none (platelets). What a walk leaves behind is a row of `x`, and of `marks` at each
landmark; the named positions below say what stands where. Then the verdicts are read off. Everything the judging needs
stands in this file; `sirolens.response.kernel_rows` prepares its input, and neither calls the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sirolens.engine.kernel import kernel

__all__ = ["MARKS", "WALKED", "Choices", "courses", "verdicts", "walk"]


class Choices(NamedTuple):
    """The choices of a criteria set that decide, named as its fields; nan or -1: the condition or limit is absent."""

    complete_10e9_l: float
    response_10e9_l: float
    response_fold: float
    complete_above: bool
    response_above: bool
    fold_above: bool
    either: bool
    complete_without_bleeding: bool
    response_without_bleeding: bool
    bleeding_grade: int
    baseline_excludes_10e9_l: float
    needs_baseline: bool
    confirmation_d: int
    failing_between_breaks: bool
    dated_second: bool
    loss_d: int
    loss_second: bool
    late_limit_d: int
    masked_fail: bool
    too_early_before_d: int
    sustained_d: int
    sustained_from_achieved: bool
    landmark_window_d: int
    confirming_grace_d: int
    missing_not_evaluable: bool


# Columns of `days` and `codes`, by the fields of `sirolens.response.states.Classified`.
(
    D_ACHIEVED, D_CONFIRMED, D_LOST, D_RELAPSE, D_CR_ACHIEVED, D_CR_CONFIRMED, D_CR_LOST, D_TIME, D_CR_TIME, D_DURATION,
    D_CR_DURATION, D_IN_RESPONSE, D_EXAMINED, D_EPISODES, D_PENDING, D_CANDIDATE, D_LAST, D_LATE, D_HELD_SINCE,
    D_HELD_FROM, D_WAITING, D_ENDED, D_ENDED_KIND,
) = range(23)  # fmt: skip
(
    C_STATE, C_REASON, C_PLATELETS, C_ACHIEVED, C_BEST, C_SUSTAINED, C_ENDED, C_DURATION_ENDED, C_CR_DURATION_ENDED,
) = range(9)  # fmt: skip

NEVER = -1
# positions in sirolens.response.states.STATES
TOO_EARLY, PROVISIONAL, COMPLETE, RESPONSE, NO_RESPONSE, NOT_EVALUABLE, PLATELETS_ONLY, NOT_DUE = range(8)
# sirolens.response.states.Reason, named with a B ("because")
(
    B_CONFIRMED, B_NOT_STARTED, B_TOO_HIGH, B_FAILURE, B_BASELINE, B_NOT_ASKED, B_LATE, B_UNCONFIRMED, B_NO_COUNT,
    B_LOST, B_RESCUE, B_NOT_YET, B_MASKED, B_NEVER, B_DEPENDENT, B_NOT_DUE, B_MISSING, B_COUNT, B_SINGLE,
    B_OFF_TREATMENT,
) = range(20)  # fmt: skip
QUALIFIES, FAILS, UNKNOWN = 1, 0, -1
PER_UNIT = 1e6
SHIFT = 32  # a verdict is state * SHIFT + reason
NOTHING, ENDS, ENDS_FOR_GOOD = range(3)  # what an event does, by `kernel_rows`
FAILURE, _FAILURE_KIND, _FINAL, STOPPED, SPANS = range(5)  # columns of `told`, by `kernel_rows`

# A row of x: two ladders of five numbers each, then what the walk saw.
OVERALL, CR = 0, 5
CAND, OPEN, ACHIEVED, CONFIRMED, PENDING = range(5)
(
    X_LATE, X_IN_TIME, X_ANY, X_ENDED, X_END_KIND, X_KNOWN, X_WANTS_BASELINE, X_FINAL, X_LAST, X_LATE_DAY, X_FIRST,
    X_SNAPPED, X_SNAP_OVERALL, X_SNAP_CR, X_SNAP_LATE, X_FIRST_ACHIEVED, X_FIRST_CONFIRMED, X_LOST, X_RELAPSE,
    X_FIRST_STATE, X_CR_ACHIEVED, X_CR_CONFIRMED, X_CR_LOST, X_FIRST_END_KIND, X_DAYS_IN, X_EPISODES, X_BEST,
    X_SUSTAINED, X_END_DAY,
) = range(10, 39)  # fmt: skip
WALKED = 39
"""Numbers in a row of x."""
ZEROED = np.array([OPEN, CR + OPEN, X_LATE, X_IN_TIME, X_ANY, X_ENDED, X_KNOWN, X_WANTS_BASELINE, X_SNAPPED,
                   X_SNAP_OVERALL, X_SNAP_CR, X_SNAP_LATE, X_DAYS_IN, X_EPISODES, X_SUSTAINED])  # fmt: skip

# What a walk notes at each landmark's winning count.
Q_OVERALL, S_OVERALL, Q_CR, S_CR, L_LATE, L_CAND = range(6)
MARKS = 6
"""Numbers in `marks` for a landmark."""
STANDS, IN_EPISODE, TOO_LATE = 1, 2, 3


@kernel(forceinline=True)
def _no_bleeding(bleeding: int, clause: bool, grade: int, strict: bool) -> int:
    """R-10 to R-12: whether the day was free of bleeding, as far as the clause asks."""
    if not clause:
        return QUALIFIES
    if bleeding < 0:
        return UNKNOWN if strict else QUALIFIES
    return QUALIFIES if bleeding < grade else FAILS


@kernel(forceinline=True)
def _complete(count: float, bleeding: int, c: Choices, strict: bool) -> int:
    """R-10."""
    if not (count > c.complete_10e9_l or (count == c.complete_10e9_l and not c.complete_above)):
        return FAILS
    return _no_bleeding(bleeding, c.complete_without_bleeding, c.bleeding_grade, strict)


@kernel(forceinline=True)
def _enough(count: float, needed: float, c: Choices) -> int:
    """R-11 and R-12, platelets only: the floor and the fold, joined by AND or OR."""
    has_floor, has_fold = not np.isnan(c.response_10e9_l), not np.isnan(c.response_fold)
    floor, fold = FAILS, UNKNOWN
    if count > c.response_10e9_l or (count == c.response_10e9_l and not c.response_above):
        floor = QUALIFIES
    if has_fold and not np.isnan(needed):
        fold = QUALIFIES if count > needed or (count == needed and not c.fold_above) else FAILS
    if not has_fold:
        return floor
    if not has_floor:
        return fold
    decides = QUALIFIES if c.either else FAILS
    if floor == decides or fold == decides:
        return decides
    return UNKNOWN if fold == UNKNOWN else 1 - decides


@kernel(forceinline=True)
def _at_least_response(count: float, bleeding: int, needed: float, complete: int, c: Choices, strict: bool) -> int:
    """R-11 and R-13."""
    if complete == QUALIFIES:
        return QUALIFIES
    platelets = _enough(count, needed, c)
    free = _no_bleeding(bleeding, c.response_without_bleeding, c.bleeding_grade, strict)
    if platelets == FAILS or free == FAILS:
        return UNKNOWN if complete == UNKNOWN else FAILS
    return QUALIFIES if platelets == QUALIFIES and free == QUALIFIES else UNKNOWN


@kernel(forceinline=True)
def _dependent(day: int, slot: int, spans: int, span_from: Any, span_to: Any) -> bool:
    found = False
    for s in range(slot, slot + spans):
        found |= span_from[s] <= day <= span_to[s]
    return found


@kernel(forceinline=True)
def _free_days(begin: int, end: int, slot: int, spans: int, span_from: Any, span_to: Any) -> int:
    """Days d with begin < d <= end on which nobody depended on steroids (R-33)."""
    days = end - begin
    for s in range(slot, slot + spans):
        days -= max(0, min(end, span_to[s]) - max(begin + 1, span_from[s]) + 1)
    return days


@kernel(forceinline=True)
def _qualify(x: Any, ladder: int, day: int, c: Choices) -> bool:
    """R-15 and R-17: a qualifying count; True when it confirms."""
    if x[ladder + OPEN]:
        x[ladder + PENDING] = NEVER
        return False
    if x[ladder + CAND] == NEVER:
        x[ladder + CAND] = day
    if day - x[ladder + CAND] < c.confirmation_d:
        return False
    x[ladder + OPEN] = 1
    x[ladder + ACHIEVED] = x[ladder + CAND]
    x[ladder + CONFIRMED] = day
    x[ladder + CAND] = NEVER
    x[ladder + PENDING] = NEVER
    return True


@kernel(forceinline=True)
def _fail(x: Any, ladder: int, day: int, c: Choices) -> int:
    """R-15 and R-17: a failing count; the lost day when it makes a loss."""
    if not x[ladder + OPEN]:
        if c.failing_between_breaks:
            x[ladder + CAND] = NEVER
        return NEVER
    if x[ladder + PENDING] == NEVER:
        x[ladder + PENDING] = day
    if day - x[ladder + PENDING] < c.loss_d:
        return NEVER
    return day if c.loss_second else x[ladder + PENDING]


@kernel(forceinline=True)
def _shut(x: Any, ladder: int) -> None:
    x[ladder + OPEN] = 0
    x[ladder + CAND] = NEVER
    x[ladder + PENDING] = NEVER


@kernel(forceinline=True)
def _end_complete(x: Any, day: int) -> None:
    if x[CR + OPEN] and not x[X_LATE] and x[X_CR_LOST] == NEVER:
        x[X_CR_LOST] = day
    _shut(x, CR)


@kernel(forceinline=True)
def _end_overall(x: Any, day: int, kind: int, free_days: int) -> None:
    """R-18, R-21, R-29: the overall response, and with it the complete one, ends; kind -1: by counts."""
    _end_complete(x, day)
    if x[OVERALL + OPEN] and not x[X_LATE]:
        x[X_ENDED] = 1
        x[X_END_KIND] = kind
        x[X_END_DAY] = day
        x[X_DAYS_IN] += free_days
        if kind == NEVER and x[X_LOST] == NEVER:
            x[X_LOST] = day
        if x[X_RELAPSE] == NEVER:
            x[X_RELAPSE] = day
            x[X_FIRST_END_KIND] = kind
    _shut(x, OVERALL)
    x[X_LATE] = 0


@kernel(forceinline=True)
def _opened(x: Any, c: Choices) -> None:
    """R-19, R-31: an overall response was confirmed just now."""
    achieved = x[OVERALL + ACHIEVED]
    if c.late_limit_d < 0 or achieved <= c.late_limit_d:
        x[X_IN_TIME] = 1
    x[X_LATE] = 1 - x[X_IN_TIME]
    if x[X_LATE]:
        if x[X_LATE_DAY] == NEVER:
            x[X_LATE_DAY] = achieved
        return
    x[X_EPISODES] += 1
    if x[X_FIRST_ACHIEVED] == NEVER:
        x[X_FIRST_ACHIEVED] = achieved
        x[X_FIRST_CONFIRMED] = x[OVERALL + CONFIRMED]


@kernel(forceinline=True)
def _opened_complete(x: Any) -> None:
    """R-31: a complete response was confirmed just now."""
    if x[X_LATE] or not x[OVERALL + OPEN]:
        return
    if x[X_CR_ACHIEVED] == NEVER:
        x[X_CR_ACHIEVED] = x[CR + ACHIEVED]
        x[X_CR_CONFIRMED] = x[CR + CONFIRMED]
    if x[CR + ACHIEVED] == x[X_FIRST_ACHIEVED]:
        x[X_FIRST_STATE] = COMPLETE


@kernel(forceinline=True)
def _settle(
    x: Any, marks: Any, ladder: int, status: int, confirmed: bool, day: int, landmarks: Any, c: Choices
) -> None:
    """R-38: the candidate was confirmed or cleared by what has just happened; tell the landmarks that wait for it."""
    for k in range(len(landmarks)):
        if marks[k, status] == STANDS and not confirmed:
            marks[k, status] = 0
        elif marks[k, status] == STANDS:
            in_time = day <= landmarks[k] + c.landmark_window_d + c.confirming_grace_d
            marks[k, status] = IN_EPISODE if in_time else TOO_LATE
            if ladder == OVERALL:
                marks[k, L_LATE] = x[X_LATE]


@kernel(forceinline=True)
def _mark(x: Any, marks: Any, k: int, complete: int, overall: int) -> None:
    """Note what the winning count of a landmark is."""
    marks[k, Q_OVERALL] = overall
    marks[k, Q_CR] = complete
    marks[k, S_OVERALL] = IN_EPISODE if x[OVERALL + OPEN] else STANDS if x[OVERALL + CAND] != NEVER else 0
    marks[k, S_CR] = IN_EPISODE if x[CR + OPEN] else STANDS if x[CR + CAND] != NEVER else 0
    marks[k, L_LATE] = x[X_LATE]
    marks[k, L_CAND] = x[OVERALL + CAND]


@kernel(forceinline=True)
def _snap(x: Any) -> None:
    """R-40: how things stand just before treatment ends."""
    if not x[X_SNAPPED]:
        x[X_SNAPPED] = 1
        x[X_SNAP_OVERALL] = x[OVERALL + OPEN]
        x[X_SNAP_CR] = x[CR + OPEN]
        x[X_SNAP_LATE] = x[X_LATE]


@kernel(forceinline=True)
def _judge(
    x: Any, marks: Any, day: int, complete: int, overall: int, slot: int, spans: int, span_from: Any, span_to: Any,
    landmarks: Any, c: Choices,
) -> None:  # fmt: skip
    """One count, or bleeding alone, on both ladders."""
    dated = OVERALL + CONFIRMED if c.dated_second else OVERALL + ACHIEVED
    waiting, waiting_cr = x[OVERALL + CAND] != NEVER, x[CR + CAND] != NEVER
    opened, opened_cr = False, False
    if overall == QUALIFIES:
        opened = _qualify(x, OVERALL, day, c)
        if opened:
            _opened(x, c)
    if complete == QUALIFIES:
        opened_cr = _qualify(x, CR, day, c)
        if opened_cr:
            _opened_complete(x)
    elif complete == FAILS:
        lost = _fail(x, CR, day, c)
        if lost != NEVER:
            _end_complete(x, lost)
    if overall == FAILS:
        lost = _fail(x, OVERALL, day, c)
        if lost != NEVER:
            free_days = _free_days(x[dated], lost, slot, spans, span_from, span_to)
            _end_overall(x, lost, NEVER, free_days)
    if waiting and x[OVERALL + CAND] == NEVER:
        _settle(x, marks, OVERALL, S_OVERALL, opened, day, landmarks, c)
    if waiting_cr and x[CR + CAND] == NEVER:
        _settle(x, marks, CR, S_CR, opened_cr, day, landmarks, c)


@kernel(forceinline=True)
def _note_held(x: Any, day: int, complete: int, judged: bool, dependent: bool, c: Choices) -> None:
    """R-32, R-34: a qualifying count inside a confirmed response."""
    if x[X_LATE] or not x[OVERALL + OPEN]:
        return
    if day >= c.sustained_d + (x[OVERALL + ACHIEVED] if c.sustained_from_achieved else 0):
        x[X_SUSTAINED] = 1
    if dependent or x[X_BEST] == COMPLETE:
        return
    if complete == QUALIFIES and x[CR + OPEN]:
        x[X_BEST] = COMPLETE
    elif judged:
        x[X_BEST] = RESPONSE


@kernel
def walk(
    low: int, high: int, wanted: Any, strict: bool, events_on: bool, start: Any, days: Any, counts: Any, worst: Any,
    masked: Any, alone: Any, baselines: Any, known_day: Any, event_start: Any, event_day: Any, event_kind: Any,
    acts: Any, span_from: Any, span_to: Any, told: Any, won: Any, landmarks: Any, c: Choices, x: Any, marks: Any,
) -> None:  # fmt: skip
    """Take patients low <= i < high through all days (sections 3 to 5 of the rules).

    Parameters
    ----------
    wanted : bool[b]
        Whose walk is needed.
    strict : bool
        Whether bleeding that was not asked is unknown; else it is none.
    events_on : bool
        False: the treatment policy, where no event masks or ends anything.
    worst, masked, alone, acts, span_from, span_to, told
        From `sirolens.response.kernel_rows`.
    baselines : float64[n]
        nan where not usable.
    won : int64[b, L]
        The row that wins at each landmark.
    x, marks : int32[b, WALKED], int32[b, L, MARKS]
        What the walk leaves; b = high - low.
    """
    row_0, event_0 = start[low], event_start[low]
    dated = OVERALL + CONFIRMED if c.dated_second else OVERALL + ACHIEVED
    for i in range(low, high):
        at = i - low
        if not wanted[at]:
            continue
        known, baseline, z, m = known_day[i], baselines[i], x[at], marks[at]
        z[:] = NEVER
        for position in ZEROED:
            z[position] = 0
        m[:, :] = 0
        judged = not (c.needs_baseline and np.isnan(baseline))
        needed = np.rint(c.response_fold * baseline * PER_UNIT) / PER_UNIT  # 3 x 12.3 is 36.9, as on paper
        e, last_event = event_start[i], event_start[i + 1] if events_on else event_start[i]
        slot, spans = event_start[i] - event_0, told[at, SPANS]
        stop = known + 1 if told[at, STOPPED] == NEVER else told[at, STOPPED] + 1
        if told[at, FAILURE] != NEVER:
            stop = min(stop, told[at, FAILURE])
        for row in range(start[i], start[i + 1] + 1):
            after = row == start[i + 1] or days[row] > known
            day = known if after else days[row]
            while e < last_event and event_day[e] <= day and z[X_FINAL] == NEVER:
                if event_day[e] >= stop:
                    _snap(z)
                act = acts[e - event_0]
                if act != NOTHING:
                    free_days = _free_days(z[dated], event_day[e], slot, spans, span_from, span_to)
                    _end_overall(z, event_day[e], event_kind[e], free_days)
                    _settle(z, m, OVERALL, S_OVERALL, False, day, landmarks, c)
                    _settle(z, m, CR, S_CR, False, day, landmarks, c)
                if act == ENDS_FOR_GOOD:
                    z[X_FINAL] = event_day[e]
                e += 1
            if after or z[X_FINAL] != NEVER:
                break
            if day < 1:
                continue
            if day >= stop:
                _snap(z)
            count, bleeding = counts[row], worst[row - row_0]
            if np.isnan(count):
                if alone[row - row_0] and bleeding >= c.bleeding_grade and c.complete_without_bleeding:
                    overall = FAILS if c.response_without_bleeding else UNKNOWN
                    _judge(z, m, day, FAILS, overall, slot, spans, span_from, span_to, landmarks, c)
                continue
            complete = _complete(count, bleeding, c, strict)
            overall = _at_least_response(count, bleeding, needed, complete, c, strict)
            z[X_ANY] = 1
            z[X_LAST] = day
            if events_on and masked[row - row_0]:
                complete = FAILS if complete == FAILS and c.masked_fail else UNKNOWN
                overall = FAILS if overall == FAILS and c.masked_fail else UNKNOWN
            elif overall == UNKNOWN:
                z[X_WANTS_BASELINE] = 1
            elif overall == QUALIFIES and z[X_FIRST] == NEVER:
                z[X_FIRST] = day
            if overall != UNKNOWN:
                z[X_KNOWN] = 1
            _judge(z, m, day, complete, overall, slot, spans, span_from, span_to, landmarks, c)
            if overall == QUALIFIES:
                dependent = spans > 0 and _dependent(day, slot, spans, span_from, span_to)
                _note_held(z, day, complete, judged, dependent, c)
            for k in range(len(landmarks)):
                if won[at, k] == row:
                    _mark(z, m, k, complete, overall)
        _snap(z)
        if z[OVERALL + OPEN] and not z[X_LATE]:
            z[X_DAYS_IN] += _free_days(z[dated], z[X_LAST], slot, spans, span_from, span_to)


@kernel(forceinline=True)
def _in_time(x: Any, candidate: int, c: Choices) -> bool:
    """R-19 for a response that is not confirmed yet."""
    return x[X_IN_TIME] or not 0 <= c.late_limit_d < candidate


@kernel(forceinline=True)
def _held(overall: int, complete: int, late: int, usable: bool, c: Choices) -> int:
    """R-27.4 and 5, R-37.7: the verdict of one walk on a confirmed response; -1: there is none, or a late one."""
    if not overall or late:
        return -1
    if complete:
        return COMPLETE * SHIFT + B_CONFIRMED
    if c.needs_baseline and not usable:
        return NOT_EVALUABLE * SHIFT + B_BASELINE
    return RESPONSE * SHIFT + B_CONFIRMED


@kernel(forceinline=True)
def _strict_first(strict: int, platelets: int) -> int:
    """R-26: the strict walk speaks; else the platelet walk, whose responses are of platelets only."""
    if strict >= 0 or platelets < 0:
        return strict
    return platelets if platelets // SHIFT == NOT_EVALUABLE else PLATELETS_ONLY * SHIFT + B_NOT_ASKED


@kernel(forceinline=True)
def _state(x: Any, y: Any, usable: bool, known: int, dependent: bool, c: Choices) -> int:
    """R-27 and R-28 from the strict walk x and the platelet walk y."""
    if x[X_FINAL] != NEVER:
        return NO_RESPONSE * SHIFT + B_FAILURE
    strict = _held(x[OVERALL + OPEN], x[CR + OPEN], x[X_LATE], usable, c)
    verdict = _strict_first(strict, _held(y[OVERALL + OPEN], y[CR + OPEN], y[X_LATE], usable, c))
    if verdict < 0:
        if x[OVERALL + OPEN] or y[OVERALL + OPEN]:
            return NO_RESPONSE * SHIFT + B_LATE
        stands, stands_too = x[OVERALL + CAND] != NEVER, y[OVERALL + CAND] != NEVER
        if not (stands or stands_too):
            return _no_response(x, y, known, c)
        in_time = stands and _in_time(x, x[OVERALL + CAND], c)
        if not in_time and not (stands_too and _in_time(y, y[OVERALL + CAND], c)):
            return NO_RESPONSE * SHIFT + B_LATE
        verdict = PROVISIONAL * SHIFT + B_UNCONFIRMED
    if dependent and verdict // SHIFT != NOT_EVALUABLE:
        return NO_RESPONSE * SHIFT + B_DEPENDENT
    return verdict


@kernel(forceinline=True)
def _no_response(x: Any, y: Any, known: int, c: Choices) -> int:
    """R-27.9 to 13: nothing stands."""
    if not y[X_ANY]:
        return (TOO_EARLY if known < c.too_early_before_d else NOT_EVALUABLE) * SHIFT + B_NO_COUNT
    if x[X_ENDED] or y[X_ENDED]:
        kind = x[X_END_KIND] if x[X_ENDED] else y[X_END_KIND]
        return NO_RESPONSE * SHIFT + (B_LOST if kind == NEVER else B_RESCUE)
    if known < c.too_early_before_d:
        return TOO_EARLY * SHIFT + B_NOT_YET
    if not y[X_KNOWN]:
        return NOT_EVALUABLE * SHIFT + (B_BASELINE if y[X_WANTS_BASELINE] else B_MASKED)
    return NO_RESPONSE * SHIFT + B_NEVER


@kernel(forceinline=True)
def _course(x: Any, known: int, days: Any, codes: Any, c: Choices) -> None:
    """Section 7, but R-35: write what the strict walk says about the course."""
    days[D_ACHIEVED], days[D_CONFIRMED] = x[X_FIRST_ACHIEVED], x[X_FIRST_CONFIRMED]
    days[D_CR_ACHIEVED], days[D_CR_CONFIRMED] = x[X_CR_ACHIEVED], x[X_CR_CONFIRMED]
    days[D_LOST], days[D_RELAPSE], days[D_CR_LOST] = x[X_LOST], x[X_RELAPSE], x[X_CR_LOST]
    days[D_TIME] = x[X_FIRST_CONFIRMED] if c.dated_second else x[X_FIRST_ACHIEVED]
    days[D_CR_TIME] = x[X_CR_CONFIRMED] if c.dated_second else x[X_CR_ACHIEVED]
    days[D_PENDING], days[D_CANDIDATE] = x[OVERALL + PENDING], x[OVERALL + CAND]
    days[D_LAST], days[D_LATE] = x[X_LAST], x[X_LATE_DAY]
    days[D_EPISODES], days[D_EXAMINED], days[D_IN_RESPONSE] = x[X_EPISODES], max(x[X_LAST], 0), x[X_DAYS_IN]
    if x[X_FIRST_ACHIEVED] != NEVER:
        ended = x[X_RELAPSE] != NEVER
        days[D_DURATION] = (x[X_RELAPSE] if ended else x[X_LAST]) - days[D_TIME]
        codes[C_DURATION_ENDED] = ended
        codes[C_ACHIEVED] = COMPLETE if x[X_FIRST_STATE] == COMPLETE else RESPONSE
        codes[C_ENDED] = x[X_FIRST_END_KIND]
    if x[X_CR_ACHIEVED] != NEVER:
        ended = x[X_CR_LOST] != NEVER
        days[D_CR_DURATION] = (x[X_CR_LOST] if ended else x[X_LAST]) - days[D_CR_TIME]
        codes[C_CR_DURATION_ENDED] = ended
    codes[C_BEST] = x[X_BEST] if x[X_BEST] != NEVER else NO_RESPONSE if x[X_KNOWN] else NEVER
    waits = known < c.sustained_d or (x[OVERALL + OPEN] and not x[X_LATE])
    codes[C_SUSTAINED] = 1 if x[X_SUSTAINED] else NEVER if waits else 0


@kernel
def courses(
    low: int, high: int, skip: Any, unasked: Any, usable: Any, known_day: Any, event_start: Any, span_from: Any,
    span_to: Any, told: Any, x: Any, y: Any, c: Choices, days: Any, codes: Any,
) -> None:  # fmt: skip
    """R-27 to R-34: the state at the known day, and the course, of patients low <= i < high.

    Parameters
    ----------
    skip, unasked, usable : bool[n]
        Not started or baseline too high; bleeding not asked everywhere; baseline usable.
    x, y : int32[b, WALKED]
        The strict walk, and the platelet walk where bleeding was not asked everywhere.
    days, codes : int32[n, 23], int8[n, 9]
        The answer, by the columns named above.
    """
    for i in range(low, high):
        at, known = i - low, known_day[i]
        days[i, :], codes[i, :] = NEVER, NEVER
        days[i, D_IN_RESPONSE], days[i, D_EXAMINED], days[i, D_EPISODES] = 0, 0, 0
        codes[i, C_DURATION_ENDED], codes[i, C_CR_DURATION_ENDED] = 0, 0
        if skip[i]:
            codes[i, C_STATE] = codes[i, C_PLATELETS] = TOO_EARLY if known < 0 else NOT_EVALUABLE
            codes[i, C_REASON] = B_NOT_STARTED if known < 0 else B_TOO_HIGH
            continue
        spans, slot = told[at, SPANS], event_start[i] - event_start[low]
        dependent = spans > 0 and _dependent(known, slot, spans, span_from, span_to)
        strict, platelets = x[at], y[at] if unasked[i] else x[at]
        verdict = _state(strict, platelets, usable[i], known, dependent, c)
        # The pair that makes the state: a strict one, else one of platelets only, else what waits.
        waits = strict[OVERALL + CAND] != NEVER and not platelets[OVERALL + OPEN]
        speaks = strict if strict[OVERALL + OPEN] or waits else platelets
        ladder = CR if speaks[CR + OPEN] else OVERALL
        if speaks[ladder + OPEN]:
            days[i, D_HELD_SINCE], days[i, D_HELD_FROM] = speaks[ladder + ACHIEVED], speaks[ladder + CONFIRMED]
        days[i, D_WAITING] = speaks[OVERALL + CAND]
        speaks = strict if strict[X_ENDED] else platelets
        days[i, D_ENDED], days[i, D_ENDED_KIND] = speaks[X_END_DAY], speaks[X_END_KIND]
        codes[i, C_STATE], codes[i, C_REASON] = verdict // SHIFT, verdict % SHIFT
        codes[i, C_PLATELETS] = _state(platelets, platelets, usable[i], known, dependent, c) // SHIFT
        _course(strict, known, days[i], codes[i], c)


@kernel(forceinline=True)
def _held_at(m: Any, k: int, usable: bool, late: bool, c: Choices) -> int:
    """R-37.7: the confirmed verdict of one walk at a landmark; `late` asks for a late one; -1: none."""
    overall = m[k, Q_OVERALL] == QUALIFIES and m[k, S_OVERALL] == IN_EPISODE
    if late:
        return NO_RESPONSE * SHIFT + B_LATE if overall and m[k, L_LATE] else -1
    return _held(overall, m[k, Q_CR] == QUALIFIES and m[k, S_CR] == IN_EPISODE, m[k, L_LATE], usable, c)


@kernel(forceinline=True)
def _by_counts(x: Any, y: Any, mx: Any, my: Any, k: int, t: int, usable: bool, known: int, c: Choices) -> int:
    """R-37.7 to 12."""
    verdict = _strict_first(_held_at(mx, k, usable, False, c), _held_at(my, k, usable, False, c))
    if verdict >= 0:
        return verdict
    if _held_at(mx, k, usable, True, c) >= 0 or _held_at(my, k, usable, True, c) >= 0:
        return NO_RESPONSE * SHIFT + B_LATE
    qualifies, qualifies_too = mx[k, Q_OVERALL] == QUALIFIES, my[k, Q_OVERALL] == QUALIFIES
    if qualifies or qualifies_too:
        stands = qualifies and mx[k, S_OVERALL] == STANDS
        stands_too = qualifies_too and my[k, S_OVERALL] == STANDS
        if not (stands or stands_too) or known > t + c.landmark_window_d + c.confirming_grace_d:
            return NO_RESPONSE * SHIFT + B_UNCONFIRMED
        in_time = stands and _in_time(x, mx[k, L_CAND], c)
        in_time = in_time or (stands_too and _in_time(y, my[k, L_CAND], c))
        return PROVISIONAL * SHIFT + B_UNCONFIRMED if in_time else NO_RESPONSE * SHIFT + B_LATE
    if my[k, Q_OVERALL] == UNKNOWN:
        return NOT_EVALUABLE * SHIFT + B_BASELINE
    return NO_RESPONSE * SHIFT + B_COUNT


@kernel(forceinline=True)
def _by_one_count(x: Any, y: Any, mx: Any, my: Any, k: int, c: Choices) -> int:
    """R-39."""
    if mx[k, Q_OVERALL] == QUALIFIES:
        if 0 <= c.late_limit_d < x[X_FIRST]:
            return NO_RESPONSE * SHIFT + B_LATE
        return (COMPLETE if mx[k, Q_CR] == QUALIFIES else RESPONSE) * SHIFT + B_SINGLE
    if my[k, Q_OVERALL] == QUALIFIES:
        late = 0 <= c.late_limit_d < y[X_FIRST]
        return NO_RESPONSE * SHIFT + B_LATE if late else PLATELETS_ONLY * SHIFT + B_NOT_ASKED
    if my[k, Q_OVERALL] == UNKNOWN:
        return NOT_EVALUABLE * SHIFT + B_BASELINE
    return NO_RESPONSE * SHIFT + B_COUNT


@kernel(forceinline=True)
def _while_treated(x: Any, y: Any, usable: bool, dependent: bool, c: Choices) -> int:
    """R-40: the verdict of the last day on treatment."""
    strict = _held(x[X_SNAP_OVERALL], x[X_SNAP_CR], x[X_SNAP_LATE], usable, c)
    verdict = _strict_first(strict, _held(y[X_SNAP_OVERALL], y[X_SNAP_CR], y[X_SNAP_LATE], usable, c))
    if verdict < 0:
        late = x[X_SNAP_OVERALL] or y[X_SNAP_OVERALL]
        return NO_RESPONSE * SHIFT + (B_LATE if late else B_OFF_TREATMENT)
    if dependent and verdict // SHIFT != NOT_EVALUABLE:
        return NO_RESPONSE * SHIFT + B_DEPENDENT
    return verdict


@kernel
def verdicts(
    low: int, high: int, skip: Any, unasked: Any, usable: Any, known_day: Any, event_start: Any, event_day: Any,
    rescued_to: Any, span_from: Any, span_to: Any, told: Any, won: Any, hidden: Any, freely: Any, x: Any, y: Any,
    u: Any, v: Any, mx: Any, my: Any, mu: Any, mv: Any, landmarks: Any, c: Choices, at_each: Any,
) -> None:  # fmt: skip
    """R-37 to R-40: the verdicts at the landmarks of patients low <= i < high.

    Parameters
    ----------
    won, hidden, freely : int64[b, L], bool[b, L], int64[b, L]
        The winning row, whether masked counts stood there, and the winner of the treatment policy.
    x, y, u, v : int32[b, WALKED]
        The strict and the platelet walk, and the two of the treatment policy; with their marks.
    at_each : int8[n, L, 8]
        State and reason: composite, single count, treatment policy, while on treatment.
    """
    event_0 = event_start[low]
    for i in range(low, high):
        at, known, spans, slot = i - low, known_day[i], told[i - low, SPANS], event_start[i] - event_0
        eventful = event_start[i + 1] > event_start[i]
        failed, stopped = told[at, FAILURE], told[at, STOPPED]
        stop = known + 1 if stopped == NEVER else stopped + 1
        if failed != NEVER:
            stop = min(stop, failed)
        missing = (NOT_EVALUABLE if c.missing_not_evaluable else NO_RESPONSE) * SHIFT
        for k in range(len(landmarks)):
            t = landmarks[k]
            if skip[i] or known <= t + c.landmark_window_d:
                due = known > t + c.landmark_window_d
                at_each[i, k, 0::2], at_each[i, k, 1::2] = (NOT_EVALUABLE, B_TOO_HIGH) if due else (NOT_DUE, B_NOT_DUE)
                continue
            rescued = False
            for e in range(event_start[i], event_start[i + 1]):
                rescued |= event_day[e] <= t <= rescued_to[e - event_0]
            verdict = single = -1
            if failed != NEVER and failed <= t:
                verdict = single = NO_RESPONSE * SHIFT + B_FAILURE
            elif rescued:
                verdict = single = NO_RESPONSE * SHIFT + B_RESCUE
            elif spans > 0 and _dependent(t, slot, spans, span_from, span_to):
                verdict = single = NO_RESPONSE * SHIFT + B_DEPENDENT
            elif won[at, k] < 0:
                verdict = single = missing + (B_MASKED if hidden[at, k] else B_MISSING)
            elif unasked[i]:
                single = _by_one_count(x[at], y[at], mx[at], my[at], k, c)
                verdict = _by_counts(x[at], y[at], mx[at], my[at], k, t, usable[i], known, c)
            else:
                single = _by_one_count(x[at], x[at], mx[at], mx[at], k, c)
                verdict = _by_counts(x[at], x[at], mx[at], mx[at], k, t, usable[i], known, c)
            treated = policy = verdict
            if t >= stop:
                dependent = spans > 0 and _dependent(stop - 1, slot, spans, span_from, span_to)
                treated = _while_treated(x[at], y[at] if unasked[i] else x[at], usable[i], dependent, c)
            if eventful and freely[at, k] < 0:
                policy = missing + B_MISSING
            elif eventful and unasked[i]:
                policy = _by_counts(u[at], v[at], mu[at], mv[at], k, t, usable[i], known, c)
            elif eventful:
                policy = _by_counts(u[at], u[at], mu[at], mu[at], k, t, usable[i], known, c)
            for place, one in enumerate((verdict, single, policy, treated)):
                at_each[i, k, 2 * place], at_each[i, k, 2 * place + 1] = one // SHIFT, one % SHIFT
