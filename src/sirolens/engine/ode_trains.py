# SPDX-License-Identifier: Apache-2.0
"""Kernels of the integrator that do not depend on the model: its working arrays, trains of doses, dense output.

Whatever is still to come of a dose record is a *train*: starts at start + i * period and, for an infusion, ends at
end + i * period.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

__all__ = [
    "ALIVE",
    "AMOUNT",
    "ATOL",
    "BEGIN",
    "CLOCK",
    "COUNTS",
    "DONE",
    "END",
    "ENDED",
    "ENDS",
    "ERROR",
    "FIRST",
    "FRESH",
    "INFLOW",
    "INTO",
    "LEFT",
    "NEXT",
    "NOT_FINITE",
    "NOT_STEADY",
    "PERIOD",
    "RATE",
    "ROWS",
    "RUNNING",
    "START",
    "STARTED",
    "STARTS",
    "STEP_TOO_SMALL",
    "STOP",
    "T0",
    "T1",
    "TOO_MANY_STEPS",
    "TRAIN",
    "TRIAL",
    "K",
    "carry_out",
    "dense_weights",
    "interpolate",
    "next_due",
    "restart",
    "set_inflow",
    "smooth_until",
]

# Why a lane stopped.
DONE, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE, NOT_STEADY = range(5)

# Positions in the clock of an integration: begin and end of the last step, proposed next step, the first step
# accepted after the last restart, error of the last step, steps left, whether stage 1 is to be computed afresh.
T0, T1, NEXT, FIRST, ERROR, LEFT, FRESH, CLOCK = range(8)

# Rows of the work array: states at the end and the beginning of the last step, trial state, inflow by infusions,
# absolute tolerances; then the seven stages.
END, BEGIN, TRIAL, INFLOW, ATOL, K, ROWS = 0, 1, 2, 3, 4, 5, 12

# Positions in a train: numbers, and counts.
START, STOP, PERIOD, AMOUNT, RATE, TRAIN = 0, 1, 2, 3, 4, 5
STARTED, STARTS, ENDED, ENDS, RUNNING, INTO, COUNTS = 0, 1, 2, 3, 4, 5, 6
# Position in the book.
ALIVE = 0


@njit(cache=True, nogil=True, error_model="numpy")
def restart(clock: Any) -> None:
    """Something has jumped: compute stage 1 afresh, and begin with the step that worked after the last jump."""
    clock[FRESH] = 1.0
    clock[T0] = clock[T1]


@njit(cache=True, nogil=True, error_model="numpy")
def dense_weights(x: float) -> tuple[float, float, float, float, float, float, float]:
    """What each of the seven stages weighs at the fraction x of a step: the continuous extension of order 4."""
    xx = x * x
    return (
        -1.0530884977290216 * x * (x - 1.3299890189751412) * (xx - 1.4364028541716351 * x + 0.7139816917074209),
        0.1017 * xx * (xx - 2.1966568338249754 * x + 1.2949852507374631),
        2.490627285651252793 * xx * (xx - 2.38535645472061657 * x + 1.57803468208092486),
        -16.54810288924490272 * (x - 1.21712927295533244) * (x - 0.61620406037800089) * xx,
        47.37952196281928122 * (x - 1.203071208372362603) * (x - 0.658047292653547382) * xx,
        -34.87065786149660974 * (x - 1.2) * (x - 0.666666666666666667) * xx,
        2.5 * (x - 1.0) * (x - 0.6) * xx,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate(time_h: float, clock: Any, work: Any) -> None:
    """The states inside the last step, by its dense output of order 4, into TRIAL."""
    if time_h >= clock[T1]:
        for i in range(work.shape[1]):
            work[TRIAL, i] = work[END, i]
        return
    h = clock[T1] - clock[T0]
    b1, b2, b3, b4, b5, b6, b7 = dense_weights((time_h - clock[T0]) / h)
    for i in range(work.shape[1]):
        slope = b1 * work[K, i] + b2 * work[K + 1, i] + b3 * work[K + 2, i] + b4 * work[K + 3, i]
        slope += b5 * work[K + 4, i] + b6 * work[K + 5, i] + b7 * work[K + 6, i]
        work[TRIAL, i] = work[BEGIN, i] + h * slope


@njit(cache=True, nogil=True, error_model="numpy")
def set_inflow(trains: Any, counts: Any, book: Any, work: Any) -> None:
    """Sum afresh, so that no rounding is left behind when all infusions have ended."""
    for i in range(work.shape[1]):
        work[INFLOW, i] = 0.0
    for j in range(book[ALIVE]):
        if counts[j, RUNNING] > 0:
            work[INFLOW, counts[j, INTO]] += counts[j, RUNNING] * trains[j, RATE]


@njit(cache=True, nogil=True, error_model="numpy")
def next_due(trains: Any, counts: Any, book: Any) -> tuple[int, float, bool]:
    """The train whose start or end comes next, when, and whether it is a start; (-1, inf, False) if none."""
    best, when, starting = -1, math.inf, False
    for j in range(book[ALIVE]):
        if counts[j, ENDED] < counts[j, ENDS]:
            end = trains[j, STOP] + counts[j, ENDED] * trains[j, PERIOD]
            if end < when:
                best, when, starting = j, end, False
        if counts[j, STARTED] < counts[j, STARTS]:
            start = trains[j, START] + counts[j, STARTED] * trains[j, PERIOD]
            if start < when:
                best, when, starting = j, start, True
    return best, when, starting


@njit(cache=True, nogil=True, error_model="numpy")
def carry_out(j: int, starting: bool, trains: Any, counts: Any, book: Any, clock: Any, work: Any) -> None:
    """Let a train start or end now, and forget it when nothing is left of it."""
    if not starting:
        counts[j, ENDED] += 1
        counts[j, RUNNING] -= 1
    else:
        counts[j, STARTED] += 1
        if trains[j, RATE] == 0.0:
            work[END, counts[j, INTO]] += trains[j, AMOUNT]
        else:
            counts[j, RUNNING] += 1
    if trains[j, RATE] != 0.0:
        set_inflow(trains, counts, book, work)
    restart(clock)
    if counts[j, STARTED] < counts[j, STARTS] or counts[j, ENDED] < counts[j, ENDS]:
        return
    last = book[ALIVE] - 1
    book[ALIVE] = last
    for i in range(TRAIN):
        trains[j, i] = trains[last, i]
    for i in range(COUNTS):
        counts[j, i] = counts[last, i]


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_until(records: Any, r: int, last: int, held: int) -> float:
    """The time from record r on up to which only trains can make anything jump.

    Observations under the parameters in force need no stop.
    """
    time: float = records.time_h[r]
    for s in range(r, last):
        if s > r and (records.evid[s] >= 3 or (records.before[s] != held and records.time_h[s] != time)):
            return time
        time = records.time_h[s]
        if records.evid[s] == 1:
            return time
    return time
