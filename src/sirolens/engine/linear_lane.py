# SPDX-License-Identifier: Apache-2.0
"""Kernels that run through one patient's records, and through many patients.

`lane_concentrations` is the kernel other kernels call. Its arguments, in order:

shape : int
    Structure.code.
records : Records
    The event table's columns (linear_events.Events.records), shared by all lanes.
first, last : int
    The patient's records are first <= r < last.
parameters : (n_periods, 15) float64 or complex128
    One row per parameter set, in the order of linear.PARAMETERS.
work : Work
    Scratch memory of the same type from `lane_work(shape, dose_records, parameters)`; what it holds does not matter.
out : (at least as many as the patient has observations,) of the parameters' type
    Receives concentrations in ng/mL of the observation records, in record order.

It returns the number of concentrations written. With complex parameters x + i h e_j, h = 1e-20, imag(out) / h is the
exact derivative with respect to parameter j, lag and duration included; every branch looks at real parts only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sirolens.engine.kernel import kernel
from sirolens.engine.linear_dose import RUN, advance, forget, forget_rows, give, one_cycle, steady
from sirolens.engine.linear_layout import (
    ALIVE,
    AMOUNT,
    BOOK,
    CL,
    DURATION,
    GAIN,
    INPUT,
    KA,
    LAG,
    PERIOD,
    ROUTE_1,
    ROUTE_2,
    STAGED,
    STAGES,
    START,
    STARTED,
    STARTS,
    STATE,
    V1,
    E,
    F,
    P,
    U,
    Work,
    lane_work,
    trains_at,
)
from sirolens.engine.linear_modes import fill_basis, to_amounts, to_modes
from sirolens.engine.linear_step import central, find_row

NG_PER_ML_PER_MG_PER_L = 1000.0


class Records(NamedTuple):
    """Columns of an event table as kernels take them."""

    time_h: Any
    evid: Any
    amount_mg: Any
    rate_mg_h: Any
    compartment: Any
    ss: Any
    ii_h: Any
    addl: Any
    before: Any
    at: Any
    plain: Any


@kernel
def _switch(n: int, w: Any, book: Any, parameters: Any, old: int, new: int) -> None:
    """Go over to another parameter set; the amounts in the compartments stay what they are."""
    same = True
    for i in range(KA + 1):
        same = same and parameters[old, i] == parameters[new, i]
    if same:
        return
    to_amounts(n, w)
    fill_basis(n, parameters[new], w)
    to_modes(n, w)
    forget_rows(book)


@kernel
def _of_set(parameters: Any, which: int) -> tuple[Any, Any, Any, Any, Any]:
    """Lags and bioavailabilities of both routes and the central volume of one parameter set."""
    p = parameters[which]
    return p[ROUTE_1 + LAG], p[ROUTE_2 + LAG], p[ROUTE_1 + F], p[ROUTE_2 + F], p[V1]


@kernel
def _plain_records(
    n: int,
    N: int,
    zero_order: bool,
    records: Records,
    r: int,
    last: int,
    parameters: Any,
    held: int,
    w: Any,
    book: Any,
    out: Any,
    written: int,
) -> tuple[Any, Any]:
    """Take records while they are plain: observations and bolus doses, at most one train of bolus doses alive.

    The same arithmetic as `advance` and `give` in the same order, on local numbers instead of memory: this is where
    nearly all records of nearly all patients end. Returns the first record not taken and the outputs written.
    """
    time_h, plain, before, at, amount_mg = records.time_h, records.plain, records.before, records.at, records.amount_mg
    train = trains_at(N)
    y0, y1, y2, a = w[STATE], w[STATE + 1], w[STATE + 2], 0.0 * w[STATE]
    if N == 1:
        a = w[STATE + STAGES]
    u0, u1, u2 = w[U], w[U + 1], w[U + 2]
    started, starts, staged = 0, 0, False
    begin, period, dose = y0, y0, y0
    if book[ALIVE] == 1:
        started, starts, staged = book[BOOK + STARTED], book[BOOK + STARTS], book[BOOK + STAGED] != 0
        begin, period, dose = w[train + START], w[train + PERIOD], w[train + AMOUNT]
    zero = 0.0 * y0
    now = time_h[r - 1] + zero
    interval = now - now
    e0, e1, e2, g0, g1, g2, p = interval, interval, interval, interval, interval, interval, interval
    alone = parameters.shape[0] == 1
    lag_1, lag_2, f_1, f_2, v1 = _of_set(parameters, held)
    while r < last:
        i = np.uintp(r)  # an index that cannot be negative costs no test whether it is
        kind, until = plain[i], time_h[i] + zero
        if kind == 3:
            break
        if not alone:
            if before[i] != held and until != now:
                break
            lag_1, lag_2, f_1, f_2, v1 = _of_set(parameters, at[i])
        amount = zero
        if kind != 0:
            if (zero_order and kind == 1) or (lag_1 if kind == 1 else lag_2) != 0.0:
                break
            amount = (f_1 if kind == 1 else f_2) * amount_mg[i]
        if starts - started > RUN and (begin + (started + RUN) * period).real <= until.real:
            break
        while now != until or started < starts:
            when, due = until, False
            if started < starts:
                start = begin + started * period
                if start.real <= until.real:
                    when, due = start, True
            t = when - now
            if t != 0.0:
                if t != interval:
                    interval = t
                    b = find_row(n, N, w, book, t)
                    e0, e1, e2 = w[b + E], w[b + E + 1], w[b + E + 2]
                    if N == 1:
                        p, g0, g1, g2 = w[b + P], w[b + P + 2], w[b + P + 3], w[b + P + 4]
                y0 = e0 * y0 + g0 * a
                if n > 1:
                    y1 = e1 * y1 + g1 * a
                if n > 2:
                    y2 = e2 * y2 + g2 * a
                a = p * a
                now = when
            if not due:
                break
            started += 1
            if staged:
                a += dose
            else:
                y0, y1, y2 = y0 + u0 * dose, y1 + u1 * dose, y2 + u2 * dose
        if kind == 0:
            inside = u0 * y0
            if n > 1:
                inside += u1 * y1
            if n > 2:
                inside += u2 * y2
            out[np.uintp(written)] = NG_PER_ML_PER_MG_PER_L * inside / v1
            written += 1
        elif N == 1 and kind == 1:
            a += amount
        else:
            y0, y1, y2 = y0 + u0 * amount, y1 + u1 * amount, y2 + u2 * amount
        r += 1
    w[STATE], w[STATE + 1], w[STATE + 2] = y0, y1, y2
    if N == 1:
        w[STATE + STAGES] = a
    if book[ALIVE] == 1:
        book[BOOK + STARTED] = started
        if started == starts:
            book[ALIVE] = 0
    return r, written


@kernel
def lane_concentrations(
    shape: int, records: Records, first: int, last: int, parameters: Any, work: Work, out: Any
) -> Any:
    """Concentrations of one lane; see the top of the file."""
    n, N, zero_order = shape % 10, shape // 100, shape // 10 % 10 == 1
    w, book = work.numbers, work.book
    forget(N, w, book)
    forget_rows(book)
    written: Any = np.int64(0)
    if first >= last:
        return written
    train = trains_at(N)
    held = records.at[first]
    fill_basis(n, parameters[held], w)
    now = records.time_h[first] + 0.0 * w[STATE]
    r = first
    while r < last:
        if r > first and N <= 1 and (book[ALIVE] == 0 or (book[ALIVE] == 1 and w[train + INPUT] == 0.0)):
            stop, written = _plain_records(n, N, zero_order, records, r, last, parameters, held, w, book, out, written)
            if stop > r:
                r = stop
                now = records.time_h[r - 1] + 0.0 * now
                continue
        evid, until = records.evid[r], records.time_h[r] + 0.0 * now
        if evid >= 3:
            forget(N, w, book)
        else:
            if records.before[r] != held and until != now:
                _switch(n, w, book, parameters, held, records.before[r])
                held = records.before[r]
            advance(n, N, w, book, now, until)
        now = until
        at = records.at[r]
        if evid == 0:
            out[written] = NG_PER_ML_PER_MG_PER_L * central(n, w, STATE) / parameters[at, V1]
            written += 1
        elif evid == 1 or evid == 4:
            if records.ss[r] > 0 and at != held:
                _switch(n, w, book, parameters, held, at)
                held = at
            give(
                n,
                N,
                zero_order,
                w,
                book,
                now,
                parameters[at],
                records.amount_mg[r],
                records.rate_mg_h[r],
                records.compartment[r],
                records.ss[r],
                records.ii_h[r],
                records.addl[r],
            )
        r += 1
    return written


@kernel
def many_lanes(
    shape: int,
    dose_records: int,
    records: Records,
    start: Any,
    lane_patient: Any,
    parameters: Any,
    offsets: Any,
    low: int,
    high: int,
    out: Any,
) -> None:
    """Lanes low <= lane < high into their places in out."""
    work = lane_work(shape, dose_records, parameters)
    for lane in range(low, high):
        p = lane_patient[lane]
        here = out[offsets[lane] : offsets[lane + 1]]
        lane_concentrations(shape, records, start[p], start[p + 1], parameters[lane], work, here)


@kernel
def lane_steady_state(
    shape: int,
    parameters: Any,
    period_h: float,
    dose_time_h: Any,
    dose_mg: Any,
    compartment: int,
    output_time_h: Any,
    work: Work,
    out: Any,
) -> Any:
    """Concentrations [ng/mL] at steady state of one cyclic regimen into out; returns the area over a cycle [ng h/mL].

    The answer to a single dose a cycle is shifted and added; `parameters` is one row. A dose counts from just
    after its arrival, so an output at a dose time is the trough.
    """
    n, N, zero_order = shape % 10, shape // 100, shape // 10 % 10 == 1
    w, book = work.numbers, work.book
    forget_rows(book)
    fill_basis(n, parameters, w)
    route = ROUTE_1 if compartment == 1 else ROUTE_2
    staged = 1 if N > 0 and compartment == 1 else 0
    f, lag = parameters[route + F], parameters[route + LAG]
    lasts, rate = 0.0 * f, 0.0 * f
    if zero_order and compartment == 1 and parameters[route + DURATION].real > 0.0:
        lasts = parameters[route + DURATION]
        rate = f / lasts
    whole = np.floor(lasts.real / period_h)
    extra, over = whole * rate, lasts - whole * period_h
    steady(n, N, w, book, staged, f, rate, lasts, period_h, 0.0 * lag)
    for i in range(STAGES + N):
        w[STATE + i] = w[GAIN + i]
    total = 0.0
    for j in range(len(dose_mg)):
        total += dose_mg[j]
    for i in range(len(output_time_h)):
        amount = 0.0 * f
        for j in range(len(dose_mg)):
            since = output_time_h[i] - dose_time_h[j] - lag
            since = since - np.floor(since.real / period_h) * period_h
            if since.real <= 0.0:
                since = since + period_h
            for m in range(STAGES + N):
                w[GAIN + m] = w[STATE + m]
            one_cycle(n, N, w, book, staged, f, rate, extra, over, since)
            amount += dose_mg[j] * central(n, w, GAIN)
        out[i] = NG_PER_ML_PER_MG_PER_L * amount / parameters[V1]
    return NG_PER_ML_PER_MG_PER_L * f * total / parameters[CL]


@kernel
def many_steady_states(
    shape: int,
    parameters: Any,
    period_h: float,
    dose_time_h: Any,
    dose_mg: Any,
    compartment: int,
    output_time_h: Any,
    low: int,
    high: int,
    out: Any,
    area: Any,
) -> None:
    """Lanes low <= lane < high of the same regimen."""
    work = lane_work(shape, 1, parameters)
    for lane in range(low, high):
        area[lane] = lane_steady_state(
            shape, parameters[lane], period_h, dose_time_h, dose_mg, compartment, output_time_h, work, out[lane]
        )
