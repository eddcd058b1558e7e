# SPDX-License-Identifier: Apache-2.0
"""Kernels of one lane of the general solver: from its start to the last time asked for, doses and events on the way.

At one time doses come first, then events, then the outputs.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from sirolens.engine.network_kernel_events import FIRED, INITIALLY, WAITING, happen, next_event
from sirolens.engine.network_kernel_room import (
    CHANGED,
    DONE,
    END,
    ERROR,
    EVENTS,
    FIRST,
    FRESH,
    INSIDE,
    LEFT,
    LENGTH,
    NEXT,
    NOT_FINITE,
    OUTPUTS,
    STATES,
    STIFF_STEPS,
    T0,
    T1,
    TRIAL,
    Room,
    ask,
    inner_kernel,
    restart,
)
from sirolens.engine.network_kernel_step import dense, take_step, watch

__all__ = ["run_lane"]


@inner_kernel
def _begin(room: Room, start: float, steps: float) -> None:
    clock = room.clock
    clock[T0], clock[T1], clock[LENGTH] = start, start, 0.0
    clock[NEXT], clock[FIRST], clock[ERROR], clock[LEFT], clock[FRESH] = 0.0, 0.0, 1.0, steps, 1.0
    clock[STIFF_STEPS], clock[INSIDE], clock[CHANGED] = 0.0, 0.0, 1.0
    room.tally[WAITING], room.tally[FIRED] = 0, 0
    for event in range(room.size[EVENTS]):
        room.truth[0, event] = room.flags[INITIALLY, event]


@inner_kernel
def _write(room: Room, times: Any, written: int, told: Any, out: Any) -> int:
    """Write the outputs at times inside the last step; how many there are by now."""
    while written < times.size and times[written] < room.clock[T1]:
        dense(room, times[written])
        ask(room, room.code[OUTPUTS], times[written], room.work[TRIAL], told)
        for i in range(told.size):
            out[i, written] = told[i]
        written += 1
    return written


@inner_kernel
def _finite(room: Room) -> bool:
    finite = True
    for i in range(room.size[STATES]):
        finite = finite and math.isfinite(room.work[END, i])
    return finite


@njit(cache=True, nogil=True, error_model="numpy")
def run_lane(
    room: Room,
    start: float,
    times: Any,
    dose_times: Any,
    dose_states: Any,
    dose_amounts: Any,
    most_steps: float,
    told: Any,
    out: Any,
) -> int:
    """One lane from the states in END; outputs (n_outputs, n_times) at the times, DONE or why it stopped.

    The rest of the outputs of a lane that stopped is not-a-number.
    """
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = math.nan
    _begin(room, start, most_steps)
    written, dose, status = 0, 0, DONE
    last = times[-1] if times.size > 0 else start
    while True:
        now = room.clock[T1]
        given = False
        while dose < dose_times.size and dose_times[dose] <= now:
            room.work[END, dose_states[dose]] += dose_amounts[dose]
            dose += 1
            given = True
        if given or room.clock[CHANGED] != 0.0 or next_event(room) <= now:
            reason, events = happen(room)
            if reason != DONE:
                return int(reason)
            if not _finite(room):
                return NOT_FINITE
            if given or events > 0:
                restart(room.clock, events == 0)
            watch(room)
            room.clock[CHANGED] = 0.0
        while written < times.size and times[written] <= now:
            ask(room, room.code[OUTPUTS], now, room.work[END], told)
            for i in range(told.size):
                out[i, written] = told[i]
            written += 1
        if now >= last:
            return DONE
        limit = min(last, next_event(room))
        if dose < dose_times.size:
            limit = min(limit, dose_times[dose])
        status = int(take_step(room, limit))
        if status != DONE:
            return status
        written = _write(room, times, written, told, out)
