# SPDX-License-Identifier: Apache-2.0
"""Kernels that give doses: at once, later, over time, again and again, or for ever before (steady state).

Whatever is still to come of a dose record is one *train*: starts at start + i * period and, for an infusion, ends at
end + i * period. Additional doses, lagged doses, infusions and the tail of a steady state are all trains, so there is
one mechanism, in time order, and a train of many equal doses is taken in one go (linear_step.repeat).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sirolens.engine.kernel import kernel
from sirolens.engine.linear_layout import (
    ALIVE,
    AMOUNT,
    BOOK,
    COUNTS,
    DURATION,
    END,
    ENDED,
    ENDS,
    GAIN,
    IN_USE,
    INPUT,
    K_ABS,
    LAG,
    LAMBDA,
    LAST,
    PERIOD,
    RATE,
    RATE_1,
    RATE_2,
    ROUTE_1,
    ROUTE_2,
    RUNNING,
    STAGED,
    STAGES,
    START,
    STARTED,
    STARTS,
    STATE,
    TRAIN,
    F,
    U,
    trains_at,
)
from sirolens.engine.linear_step import find_row, repeat, settle, step

# Fewer equal doses than this are given one by one.
RUN = 4


@kernel
def forget(N: int, w: Any, book: Any) -> None:
    """Empty every compartment and cancel whatever is still to come."""
    for i in range(STATE, STATE + STAGES + N):
        w[i] = 0.0
    book[ALIVE] = 0


@kernel
def forget_rows(book: Any) -> None:
    """Drop transitions made for other parameters."""
    book[IN_USE] = 0
    book[LAST] = 0


@kernel
def inject(n: int, w: Any, staged: int, amount: Any, s: int) -> None:
    """Add an amount to stage 1 or to the central compartment of the state at s."""
    if staged:
        w[s + STAGES] += amount
    else:
        for i in range(n):
            w[s + i] += w[U + i] * amount


@kernel
def _set_rates(w: Any, book: Any, trains: int) -> None:
    """Sum afresh, so that no rounding is left behind when all infusions have ended."""
    w[STATE + RATE_1] = 0.0
    w[STATE + RATE_2] = 0.0
    for j in range(book[ALIVE]):
        running = book[BOOK + j * COUNTS + RUNNING]
        if running > 0:
            target = STATE + (RATE_1 if book[BOOK + j * COUNTS + STAGED] else RATE_2)
            w[target] += running * w[trains + j * TRAIN + INPUT]


@kernel
def _drop_if_done(w: Any, book: Any, trains: int, j: int) -> None:
    """Put the last train in the place of one that has nothing left to come."""
    c = BOOK + j * COUNTS
    if book[c + STARTED] < book[c + STARTS] or book[c + ENDED] < book[c + ENDS]:
        return
    last = book[ALIVE] - 1
    book[ALIVE] = last
    for i in range(TRAIN):
        w[trains + j * TRAIN + i] = w[trains + last * TRAIN + i]
    for i in range(COUNTS):
        book[c + i] = book[BOOK + last * COUNTS + i]


@kernel
def _give_run(n: int, N: int, w: Any, book: Any, now: Any, until: Any) -> Any:
    """Take the next starts of the only train alive in one go, all but the last, if they are many; where that leads."""
    t, c = trains_at(N), BOOK
    period, started = w[t + PERIOD], book[c + STARTED]
    left = book[c + STARTS] - started - 1
    first = w[t + START] + started * period
    rate = w[t + INPUT]
    lasts = w[t + END] + book[c + ENDED] * period - first
    if left < RUN or (first + RUN * period).real > until.real or (rate != 0.0 and lasts.real > period.real):
        return now
    many = min(left, int((until.real - first.real) / period.real))
    while (first + many * period).real > until.real:
        many -= 1
    step(n, N, w, book, first - now, STATE)
    for i in range(STAGES + N):
        w[GAIN + i] = 0.0
    staged = book[c + STAGED]
    one_cycle(n, N, w, book, staged, w[t + AMOUNT], rate, 0.0 * rate, lasts, period)
    b = find_row(n, N, w, book, period)
    repeat(n, N, w, b, many, STATE, GAIN)
    book[c + STARTED] = started + many
    if rate != 0.0:
        book[c + ENDED] += many
    return w[t + START] + (started + many) * period


@kernel
def advance(n: int, N: int, w: Any, book: Any, now: Any, until: Any) -> None:
    """Move the state from now to until through every start and end on the way, those at `until` included."""
    trains = trains_at(N)
    while book[ALIVE] > 0:
        best: Any = np.int64(-1)
        when, starting = until, False
        for j in range(book[ALIVE]):
            t, c = trains + j * TRAIN, BOOK + j * COUNTS
            if book[c + ENDED] < book[c + ENDS]:
                end = w[t + END] + book[c + ENDED] * w[t + PERIOD]
                if end.real < when.real or (best < 0 and end.real == when.real):
                    best, when, starting = j, end, False
            if book[c + STARTED] < book[c + STARTS]:
                start = w[t + START] + book[c + STARTED] * w[t + PERIOD]
                if start.real < when.real or (best < 0 and start.real == when.real):
                    best, when, starting = j, start, True
        if best < 0:
            break
        if starting and book[ALIVE] == 1 and book[BOOK + RUNNING] == 0:
            began = book[BOOK + STARTED]
            now = _give_run(n, N, w, book, now, until)
            if book[BOOK + STARTED] > began:
                continue
        step(n, N, w, book, when - now, STATE)
        now = when
        t, c = trains + best * TRAIN, BOOK + best * COUNTS
        if not starting:
            book[c + ENDED] += 1
            book[c + RUNNING] -= 1
        else:
            book[c + STARTED] += 1
            if w[t + INPUT] == 0.0:
                inject(n, w, book[c + STAGED], w[t + AMOUNT], STATE)
            else:
                book[c + RUNNING] += 1
        if w[t + INPUT] != 0.0:
            _set_rates(w, book, trains)
        _drop_if_done(w, book, trains, best)
    step(n, N, w, book, until - now, STATE)


@kernel
def give(
    n: int,
    N: int,
    zero_order: bool,
    w: Any,
    book: Any,
    now: Any,
    parameters: Any,
    amount_mg: float,
    rate_mg_h: float,
    compartment: int,
    ss: int,
    ii_h: float,
    addl: int,
) -> None:
    """Carry out one dose record at time `now`."""
    route = ROUTE_1 if compartment == 1 else ROUTE_2
    staged = 1 if N > 0 and compartment == 1 else 0
    if zero_order and compartment == 1 and rate_mg_h == 0.0:
        rate_mg_h = -2.0
    lag = parameters[route + LAG]
    amount = parameters[route + F] * amount_mg
    rate, lasts = 0.0 * amount, 0.0 * amount
    if rate_mg_h == -2.0:
        lasts = parameters[route + DURATION]
        rate = amount / lasts
    elif rate_mg_h != 0.0:
        rate = parameters[route + RATE] if rate_mg_h == -1.0 else rate + rate_mg_h
        lasts = amount / rate
    if ss > 0 and ii_h == 0.0:
        _hold(n, N, w, staged, rate)
        _enter(N, w, book, ss)
        return
    if not lasts.real > 0.0:
        rate = 0.0 * amount
    starts, running = 1 + addl, 0
    if ss > 0:
        steady(n, N, w, book, staged, amount, rate, lasts, ii_h, lag)
        _enter(N, w, book, ss)
        whole = _whole(lag, ii_h)
        starts += whole
        lag = lag - whole * ii_h
        if rate != 0.0:
            running = max(int(np.ceil((lag + lasts).real / ii_h)) - 1, 0)
    if rate == 0.0 and starts == 1 and lag == 0.0:
        inject(n, w, staged, amount, STATE)
        return
    j = book[ALIVE]
    book[ALIVE] = j + 1
    t, c = trains_at(N) + j * TRAIN, BOOK + j * COUNTS
    w[t + START] = now + lag
    w[t + END] = now + lag + lasts - running * ii_h
    w[t + PERIOD] = ii_h
    w[t + AMOUNT] = amount
    w[t + INPUT] = rate
    book[c + STARTED] = 0
    book[c + STARTS] = starts
    book[c + ENDED] = 0
    book[c + ENDS] = starts + running if rate != 0.0 else 0
    book[c + RUNNING] = running
    book[c + STAGED] = staged
    if running > 0:
        _set_rates(w, book, trains_at(N))


@kernel
def _whole(span: Any, period: float) -> int:
    """Whole periods in a span, so that 0 <= span - whole * period."""
    whole = int(np.floor(span.real / period))
    while whole > 0 and span.real - whole * period < 0.0:
        whole -= 1
    return whole


@kernel
def _enter(N: int, w: Any, book: Any, ss: int) -> None:
    """Put the steady state in place of (SS = 1) or on top of (SS = 2) what is there."""
    if ss == 1:
        forget(N, w, book)
    for i in range(STAGES + N):
        w[STATE + i] += w[GAIN + i]


@kernel
def _hold(n: int, N: int, w: Any, staged: int, rate: Any) -> None:
    """Steady state, in the second state, of an infusion that has run for ever and ends now."""
    for i in range(STAGES + N):
        w[GAIN + i] = 0.0
    for i in range(n):
        w[GAIN + i] = w[U + i] * rate / w[LAMBDA + i]
    if staged:
        for m in range(N):
            w[GAIN + STAGES + m] = rate / w[K_ABS]


@kernel
def steady(
    n: int, N: int, w: Any, book: Any, staged: int, amount: Any, rate: Any, lasts: Any, period_h: float, lag: Any
) -> None:
    """State, in the second state, when equal doses have been recorded every period for ever, each entering `lag` later.

    A dose that enters at this very moment is not in it; infusions still running are in it up to now.
    """
    period = period_h + 0.0 * lag
    whole = _whole(lasts, period_h)
    extra, over = whole * rate, lasts - whole * period_h
    for i in range(STAGES + N):
        w[GAIN + i] = 0.0
    one_cycle(n, N, w, book, staged, amount, rate, extra, over, period)
    settle(n, N, w, find_row(n, N, w, book, period), GAIN)
    late = lag - _whole(lag, period_h) * period_h
    if late.real > 0.0:
        one_cycle(n, N, w, book, staged, amount, rate, extra, over, period - late)
    elif late != 0.0:  # the imaginary step of a complex-step derivative with respect to the lag
        target = GAIN + (RATE_1 if staged else RATE_2)
        w[target] = extra
        step(n, N, w, book, -late, GAIN)
        w[target] = 0.0


@kernel
def one_cycle(
    n: int, N: int, w: Any, book: Any, staged: int, amount: Any, rate: Any, extra: Any, over: Any, span: Any
) -> None:
    """Move the second state over the first `span` of a cycle that starts with a dose.

    Of an infusion longer than the cycle, `extra` runs all through it and one more runs for `over`.
    """
    if rate == 0.0:
        inject(n, w, staged, amount, GAIN)
        step(n, N, w, book, span, GAIN)
        return
    target = GAIN + (RATE_1 if staged else RATE_2)
    w[target] = extra + rate
    if span.real <= over.real:
        step(n, N, w, book, span, GAIN)
    else:
        step(n, N, w, book, over, GAIN)
        w[target] = extra
        step(n, N, w, book, span - over, GAIN)
    w[target] = 0.0
