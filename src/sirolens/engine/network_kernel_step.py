# SPDX-License-Identifier: Apache-2.0
"""Kernels of the general solver's steps: their length, where they are cut short, and the states between their ends.

A step ends where the truth of a watched comparison changes. What is known ahead (it depends on the time and on what
events alone change) is located before the step, which ends at the last number before the change: no rate is asked
for beyond it. The others are located afterwards, on the dense output.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.network_kernel_explicit import (
    explicit_attempt,
    explicit_dense,
    explicit_ready,
    notice_stiffness,
)
from sirolens.engine.network_kernel_room import (
    AHEAD,
    BEGIN,
    CHANGED,
    CURVED,
    DONE,
    END,
    ERROR,
    FIRST,
    FOUND,
    FRESH,
    HIGH,
    INSIDE,
    LEFT,
    LENGTH,
    LONGEST,
    LOW,
    NEXT,
    NOT_FINITE,
    NOW,
    STATES,
    STEP_TOO_SMALL,
    STIFF,
    STIFF_METHOD,
    STIFF_STEPS,
    STIFF_STOP,
    T0,
    T1,
    TOO_MANY_STEPS,
    TRIAL,
    TRY,
    Room,
    ask,
    first_step,
    inner_kernel,
)
from sirolens.engine.network_kernel_stiff import stiff_accepted, stiff_attempt, stiff_dense, stiff_ready

__all__ = ["RESUME", "dense", "take_step", "watch"]

Array = NDArray[np.float64]

# Step size control: the constants of `ode_step` for the explicit pair, the plain law of order 5 for the stiff method.
_SAFETY, _PRESENT, _PAST, _SMALLEST_CHANGE, _LARGEST_CHANGE = 0.9, 0.14, 0.08, 0.2, 5.0
# Where the comparisons are looked at within a step; one that changes and changes back in between goes unseen.
_LOOKS = 4
# Nothing moves in so short a time, and its reciprocal would be infinite.
_NO_TIME = 1e-290
# Searches end by bisection after as many steps.
_PATIENCE = 64
#: Value of the clock's FRESH after which slopes are computed afresh and the proposed step is kept.
RESUME = 2.0


@inner_kernel
def dense(room: Room, t: float) -> None:
    """The states at a time inside the last step, into TRIAL."""
    if t >= room.clock[T1]:
        for i in range(room.size[STATES]):
            room.work[TRIAL, i] = room.work[END, i]
    elif room.size[STIFF_METHOD] != 0:
        stiff_dense(room, t)
    else:
        explicit_dense(room, t)


@inner_kernel
def watch(room: Room) -> None:
    """Note the watched comparisons as they are at the end of the last step."""
    if room.ahead.shape[1] > 0:
        ask(room, room.code[AHEAD], room.clock[T1], room.work[END], room.ahead[NOW])
    if room.found.shape[1] > 0:
        ask(room, room.code[FOUND], room.clock[T1], room.work[END], room.found[NOW])


@inner_kernel
def _copy(source: Array, target: Array) -> None:
    for i in range(source.size):
        target[i] = source[i]


@inner_kernel
def _differs(room: Room, function: int, watched: Array, t: float) -> bool:
    """Whether a comparison at a time is not what it was; what was seen stands in TRY."""
    if function == room.code[AHEAD]:
        ask(room, function, t, room.work[END], watched[TRY])
    else:
        dense(room, t)
        ask(room, function, t, room.work[TRIAL], watched[TRY])
    for i in range(watched.shape[1] // 2, watched.shape[1]):
        was, now = watched[NOW, i], watched[TRY, i]
        if was != now and (was == was or now == now):
            return True
    return False


@inner_kernel
def _guess(watched: Array, low: float, high: float) -> float:
    """Where the first of the comparisons that have changed would be equal, were they straight lines."""
    half = watched.shape[1] // 2
    best = high
    for i in range(half):
        if watched[NOW, half + i] != watched[HIGH, half + i]:
            part = watched[LOW, i] / (watched[LOW, i] - watched[HIGH, i])
            if 0.0 <= part <= 1.0:
                best = min(best, low + part * (high - low))
    return best


@inner_kernel
def _locate(room: Room, function: int, watched: Array, low: float, high: float) -> float:
    """The first number at which a comparison has changed, given that none has at `low` and one has at `high`.

    I. F. D. Oliveira and R. H. C. Takahashi, An enhancement of the bisection method average performance preserving
    minmax optimality, ACM Transactions on Mathematical Software 47 (2021), article 5, with the last numbers apart as
    the tolerance; rows LOW and HIGH hold what was seen at the ends.
    """
    width = high - low
    tolerance = 0.5 * np.spacing(abs(high))
    budget = tolerance * 2.0 ** (math.ceil(math.log2(max(width / (2.0 * tolerance), 1.0))) + 1.0)
    tries = 0
    while True:
        middle = low + 0.5 * (high - low)
        if not low < middle < high:
            return high
        x = middle
        if tries < _PATIENCE:
            guess = _guess(watched, low, high)
            push = 0.2 / width * (high - low) ** 2
            if push <= abs(middle - guess):
                x = guess + push if guess < middle else guess - push
            slack = max(budget - 0.5 * (high - low), 0.0)
            x = min(max(x, middle - slack), middle + slack)
            x = np.nextafter(low, high) if x <= low else (np.nextafter(high, low) if x >= high else x)
        if _differs(room, function, watched, x):
            high = x
            _copy(watched[TRY], watched[HIGH])
        else:
            low = x
            _copy(watched[TRY], watched[LOW])
        budget *= 0.5
        tries += 1


@inner_kernel
def _change(room: Room, function: int, watched: Array, begin: float, end: float) -> float:
    """When the first comparison changes in (begin, end]; infinity when none does."""
    if watched.shape[1] == 0:
        return math.inf
    looks = 1 if function == room.code[AHEAD] and room.size[CURVED] == 0 else _LOOKS
    _copy(watched[NOW], watched[LOW])
    low = begin
    for look in range(1, looks + 1):
        t = end if look == looks else begin + (end - begin) * (look / looks)
        if _differs(room, function, watched, t):
            _copy(watched[TRY], watched[HIGH])
            return float(_locate(room, function, watched, low, t))
        _copy(watched[TRY], watched[LOW])
        low = t
    return math.inf


@inner_kernel
def _fitted(h: float, span: float, longest: float) -> float:
    """A step that does not pass the limit: two equal steps rather than a step and a sliver."""
    h = min(h, longest)
    if h * 1.01 >= span:
        return span
    return 0.5 * span if 2.0 * h > span else h


@inner_kernel
def _accept(room: Room, h: float, until: float) -> None:
    clock, work = room.clock, room.work
    clock[T0], clock[LENGTH] = clock[T1], h
    for i in range(room.size[STATES]):
        work[BEGIN, i] = work[END, i]
    if room.size[STIFF_METHOD] != 0:
        stiff_accepted(room)
    else:
        clock[INSIDE] = notice_stiffness(room, h, clock[INSIDE])
    for i in range(room.size[STATES]):
        work[END, i] = work[TRIAL, i]
    clock[T1] = until
    clock[FRESH] = 0.0


@inner_kernel
def _propose(room: Room, h: float, wanted: float, error: float, rejected: bool) -> None:
    """The next step's length after an accepted one."""
    clock = room.clock
    factor = _LARGEST_CHANGE
    if error > 0.0:
        if room.size[STIFF_METHOD] != 0:
            factor = _SAFETY * error**-0.2
        else:
            factor = _SAFETY * error**-_PRESENT * clock[ERROR] ** _PAST
    factor = min(_LARGEST_CHANGE, max(_SMALLEST_CHANGE, factor))
    if rejected:
        factor = min(factor, 1.0)
    # A step cut short by the limit says nothing against the longer one.
    clock[NEXT] = max(h * factor, wanted) if h < wanted else h * factor
    clock[ERROR] = max(error, 1e-4)


@inner_kernel
def _ready(room: Room, span: float) -> float:
    """Prepare a step from T1; the length to try."""
    clock = room.clock
    if room.size[STIFF_METHOD] != 0:
        stiff_ready(room)
    else:
        explicit_ready(room)
    if clock[FRESH] != 1.0:
        return float(clock[NEXT])
    clock[ERROR] = 1.0
    if clock[FIRST] > 0.0:
        return float(clock[FIRST])
    return first_step(room, min(span, clock[LONGEST]), 5.0) if room.size[STATES] > 0 else span


@inner_kernel
def take_step(room: Room, limit: float) -> int:
    """One accepted step from T1, not beyond `limit`, or up to where something changes; DONE or why there was none."""
    clock = room.clock
    fresh = clock[FRESH] == 1.0
    clock[CHANGED] = 0.0
    h = _ready(room, limit - clock[T1])
    ahead = math.inf
    if room.ahead.shape[1] > 0:
        reach = clock[T1] + _fitted(h, limit - clock[T1], clock[LONGEST])
        ahead = _change(room, room.code[AHEAD], room.ahead, clock[T1], min(reach, limit))
        if ahead < math.inf:
            limit = np.nextafter(ahead, -math.inf)
    span = limit - clock[T1]
    if span < _NO_TIME:  # a change at the very next number, or a dose next to the start
        clock[T0], clock[LENGTH] = clock[T1], 0.0
        clock[T1] = ahead if ahead < math.inf else limit
        clock[CHANGED], clock[FRESH] = 1.0, 1.0 if fresh else RESUME
        return DONE
    rejected = False
    while True:
        wanted = h
        h = _fitted(h, span, clock[LONGEST])
        clock[LEFT] -= 1.0
        if clock[LEFT] < 0.0:
            return TOO_MANY_STEPS
        error = stiff_attempt(room, h) if room.size[STIFF_METHOD] != 0 else explicit_attempt(room, h)
        if error <= 1.0:
            break
        h *= max(_SMALLEST_CHANGE, _SAFETY * error**-0.2) if math.isfinite(error) else 0.1
        rejected = True
        if not h > 4.0 * np.spacing(abs(clock[T1])):
            return STEP_TOO_SMALL if math.isfinite(error) else NOT_FINITE
    _propose(room, h, wanted, error, rejected)
    whole = h == span
    if fresh:
        clock[FIRST] = max(clock[NEXT], clock[FIRST]) if whole else clock[NEXT]
    _accept(room, h, limit if whole else clock[T1] + h)
    found = _change(room, room.code[FOUND], room.found, clock[T0], clock[T1])
    if found < math.inf:
        if found < clock[T1]:
            dense(room, found)
            for i in range(room.size[STATES]):
                room.work[END, i] = room.work[TRIAL, i]
            clock[T1] = found
        clock[CHANGED], clock[FRESH] = 1.0, RESUME
    elif whole and ahead < math.inf:
        clock[T1] = ahead
        clock[CHANGED], clock[FRESH] = 1.0, RESUME
    if clock[STIFF_STOP] > 0.0 and clock[STIFF_STEPS] >= clock[STIFF_STOP]:
        return STIFF
    return DONE
