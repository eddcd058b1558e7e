# SPDX-License-Identifier: Apache-2.0
"""Kernels that run one patient's records through the adaptive integrator, and many patients.

Conventions are those of the linear engine (docs/science/pk.md). The integrator stops exactly at every start and end of
a train and at every change of parameters, and at nothing else; observations in between come from dense output.

This file is also a text that `ode_codegen` puts below each model's own functions; see `ode_step`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from sirolens.engine.ode_step import STATES, begin, dosing, output, take_step
from sirolens.engine.ode_trains import (
    ALIVE,
    AMOUNT,
    ATOL,
    CLOCK,
    COUNTS,
    DONE,
    END,
    ENDED,
    ENDS,
    FIRST,
    INFLOW,
    INTO,
    LEFT,
    NOT_FINITE,
    NOT_STEADY,
    PERIOD,
    RATE,
    ROWS,
    RUNNING,
    START,
    STARTED,
    STARTS,
    STOP,
    T1,
    TRAIN,
    TRIAL,
    carry_out,
    interpolate,
    next_due,
    restart,
    set_inflow,
    smooth_until,
)

# ---- body ----

# A steady state is reached when what still lies ahead, judged by how fast the cycles converge, is less than this many
# tolerances in several cycles on end (a fast mode may hide a slow one for a cycle); or given up after so many cycles.
NEAR_ENOUGH, ON_END, MOST_CYCLES = 0.1, 3, 10_000


@njit(cache=True, nogil=True, error_model="numpy")
def integrate(until: float, rtol: float, clock: Any, work: Any, p: Any) -> int:
    """Step until T1 is exactly `until`."""
    while clock[T1] < until:
        status = take_step(until, rtol, clock, work, p)
        if status != DONE:
            return status
    return DONE


@njit(cache=True, nogil=True, error_model="numpy")
def part_of_cycle(
    span: float,
    into: int,
    amount: float,
    rate: float,
    extra: float,
    over: float,
    rtol: float,
    clock: Any,
    work: Any,
    p: Any,
) -> int:
    """Integrate the first `span` of a cycle that starts with a dose.

    Of an infusion longer than the cycle, `extra` runs all through it and one more runs for `over`.
    """
    begun = clock[T1]
    if rate == 0.0:
        work[END, into] += amount
    elif over > 0.0:
        work[INFLOW, into] = extra + rate
        restart(clock)
        status = integrate(begun + min(over, span), rtol, clock, work, p)
        if status != DONE:
            return status
    work[INFLOW, into] = extra
    restart(clock)
    return integrate(begun + span, rtol, clock, work, p)


@njit(cache=True, nogil=True, error_model="numpy")
def steady(
    now: float,
    into: int,
    amount: float,
    rate: float,
    lasts: float,
    period: float,
    lag: float,
    rtol: float,
    clock: Any,
    work: Any,
    p: Any,
) -> int:
    """Put into END the state at `now` when equal doses had been recorded every period for ever, each lag later.

    A dose that enters at this very moment is not in it. Cycles are repeated until the way that still lies ahead,
    judged by how fast they converge, is within the tolerance. period 0 means an infusion that has never begun and ends
    now; its "cycles" double in length.
    """
    before = np.zeros(STATES)
    extra, over, length = 0.0, lasts, period
    if period == 0.0:
        extra, over, length = rate, 0.0, 1.0
    elif rate != 0.0:
        whole = math.floor(lasts / period)
        extra, over = whole * rate, lasts - whole * period
    begin(now, p, work[END])
    for i in range(STATES):
        work[INFLOW, i] = 0.0
    last, near, first = 0.0, 0, 0.0
    for _ in range(MOST_CYCLES):
        for i in range(STATES):
            before[i] = work[END, i]
        # Every cycle lies on the same stretch of time and begins with the same step, so that equal states have equal
        # errors and the cycles converge below the tolerance.
        clock[T1], clock[FIRST] = now - length, first
        status = part_of_cycle(length, into, amount, rate, extra, over, rtol, clock, work, p)
        if status != DONE:
            return status
        change = 0.0
        for i in range(STATES):
            scale = work[ATOL, i] + rtol * abs(work[END, i])
            change = max(change, abs(work[END, i] - before[i]) / scale)
        # With change = last * shrink, what lies ahead is the geometric series change * shrink / (1 - shrink).
        near = near + 1 if change * change <= NEAR_ENOUGH * (last - change) or change == 0.0 else 0
        if near >= ON_END:
            break
        last = change
        if first == 0.0:
            first = clock[FIRST]
        if period == 0.0:
            length = 2.0 * length
    status = DONE if near >= ON_END else NOT_STEADY
    late = lag - math.floor(lag / period) * period if period > 0.0 else 0.0
    if status == DONE and late > 0.0:
        clock[T1] = now - (period - late)
        status = part_of_cycle(period - late, into, amount, rate, extra, over, rtol, clock, work, p)
    clock[T1] = now
    for i in range(STATES):
        work[INFLOW, i] = 0.0
    return status


@njit(cache=True, nogil=True, error_model="numpy")
def give(records: Any, r: int, trains: Any, counts: Any, book: Any, rtol: float, clock: Any, work: Any, p: Any) -> int:
    """Carry out one dose record; DONE or what went wrong."""
    now, into = records.time_h[r], records.compartment[r] - 1
    bioavailability, lag, duration, modelled_rate = dosing(now, p, into)
    amount, rate, lasts = bioavailability * records.amount_mg[r], 0.0, 0.0
    if records.rate_mg_h[r] == -2.0:
        lasts = duration
        rate = amount / lasts if lasts > 0.0 else 0.0
    elif records.rate_mg_h[r] != 0.0:
        rate = modelled_rate if records.rate_mg_h[r] == -1.0 else records.rate_mg_h[r]
        lasts = amount / rate
        if not rate > 0.0:
            return NOT_FINITE
    ss, period = records.ss[r], records.ii_h[r]
    held = ss > 0 and period == 0.0
    if not held and not lasts > 0.0:
        rate = 0.0
    starts, running = 1 + records.addl[r], 0
    if ss > 0:
        kept = np.zeros(STATES)
        if ss == 1:
            book[ALIVE] = 0
        else:
            # What is there already stays, on top of the untreated state that the new steady state began from.
            for i in range(STATES):
                kept[i] = work[END, i]
            begin(now, p, work[TRIAL])
            for i in range(STATES):
                kept[i] -= work[TRIAL, i]
        status = steady(now, into, amount, rate, lasts, period, lag, rtol, clock, work, p)
        if status != DONE:
            return status
        for i in range(STATES):
            work[END, i] += kept[i]
        set_inflow(trains, counts, book, work)
        restart(clock)
        if held:
            return DONE
        whole = math.floor(lag / period)
        starts += whole
        lag -= whole * period
        if rate != 0.0:
            running = max(math.ceil((lag + lasts) / period) - 1, 0)
    j = book[ALIVE]
    trains[j, START] = now + lag
    trains[j, STOP] = now + lag + lasts - running * period
    trains[j, PERIOD] = period
    trains[j, AMOUNT] = amount
    trains[j, RATE] = rate
    counts[j, STARTED] = 0
    counts[j, STARTS] = starts
    counts[j, ENDED] = 0
    counts[j, ENDS] = starts + running if rate != 0.0 else 0
    counts[j, RUNNING] = running
    counts[j, INTO] = into
    book[ALIVE] = j + 1
    set_inflow(trains, counts, book, work)
    restart(clock)
    # Without lag the dose enters at once: before whatever other record has the same time.
    while True:
        j, when, starting = next_due(trains, counts, book)
        if j < 0 or when > now:
            return DONE
        carry_out(j, starting, trains, counts, book, clock, work)


@njit(cache=True, nogil=True, error_model="numpy")
def run_lane(
    records: Any,
    first: int,
    last: int,
    parameters: Any,
    rtol: float,
    most_steps: float,
    trains: Any,
    counts: Any,
    book: Any,
    clock: Any,
    work: Any,
    out: Any,
) -> int:
    """One lane: outputs at its observation records; DONE or why it stopped (the rest is then not-a-number)."""
    for i in range(out.size):
        out[i] = math.nan
    if first >= last:
        return DONE
    held, written = records.at[first], 0
    book[ALIVE] = 0
    for i in range(CLOCK):
        clock[i] = 0.0
    clock[LEFT] = most_steps
    clock[T1] = records.time_h[first]
    for i in range(STATES):
        work[INFLOW, i] = 0.0
    begin(clock[T1], parameters[held], work[END])
    restart(clock)
    now = clock[T1]
    smooth = now
    for r in range(first, last):
        evid, until = records.evid[r], records.time_h[r]
        if evid >= 3:
            book[ALIVE] = 0
            clock[T1] = until
            set_inflow(trains, counts, book, work)
            begin(until, parameters[records.at[r]], work[END])
            restart(clock)
            smooth = until
        else:
            if records.before[r] != held and until != now:
                held = records.before[r]
                restart(clock)
            if until > smooth:
                smooth = smooth_until(records, r, last, held)
            while clock[T1] < until or book[ALIVE] > 0:
                j, when, starting = next_due(trains, counts, book)
                if when <= until:
                    status = integrate(when, rtol, clock, work, parameters[held])
                    if status != DONE:
                        return status
                    carry_out(j, starting, trains, counts, book, clock, work)
                elif clock[T1] < until:
                    status = take_step(min(when, smooth), rtol, clock, work, parameters[held])
                    if status != DONE:
                        return status
                else:
                    break
        now = until
        at = records.at[r]
        if evid == 0:
            interpolate(until, clock, work)
            out[written] = output(until, work[TRIAL], parameters[at])
            written += 1
        elif evid == 1 or evid == 4:
            if records.ss[r] > 0 and at != held:
                held = at
            status = give(records, r, trains, counts, book, rtol, clock, work, parameters[at])
            if status != DONE:
                return status
    return DONE


@njit(cache=True, nogil=True, error_model="numpy")
def run_lanes(
    records: Any,
    start: Any,
    lane_patient: Any,
    parameters: Any,
    rtol: float,
    atol: Any,
    most_steps: float,
    dose_records: int,
    offsets: Any,
    low: int,
    high: int,
    out: Any,
    status: Any,
    steps: Any,
) -> None:
    """Lanes low <= lane < high; a lane's numbers depend on nothing but its own records and parameters."""
    trains, counts = np.zeros((dose_records + 1, TRAIN)), np.zeros((dose_records + 1, COUNTS), np.int64)
    book, clock, work = np.zeros(1, np.int64), np.zeros(CLOCK), np.zeros((ROWS, STATES))
    for i in range(STATES):
        work[ATOL, i] = atol[i]
    for lane in range(low, high):
        p = lane_patient[lane]
        status[lane] = run_lane(
            records,
            start[p],
            start[p + 1],
            parameters[lane],
            rtol,
            most_steps,
            trains,
            counts,
            book,
            clock,
            work,
            out[offsets[lane] : offsets[lane + 1]],
        )
        steps[lane] = int(most_steps - clock[LEFT])
