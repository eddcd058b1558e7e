# SPDX-License-Identifier: Apache-2.0
"""Kernels of one adaptive step: the explicit pair of `sirolens.engine.tsitouras` and its error.

This file is also a text: for every model, `ode_codegen` writes the model's own functions in place of the example
system, and puts what follows the line "body" of this file and of `ode_lane` below them, because a kernel that is
given a function as an argument could never be cached.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from sirolens.engine.ode_trains import (
    ATOL,
    BEGIN,
    DONE,
    END,
    ERROR,
    FIRST,
    FRESH,
    INFLOW,
    LEFT,
    NEXT,
    NOT_FINITE,
    STEP_TOO_SMALL,
    T0,
    T1,
    TOO_MANY_STEPS,
    TRIAL,
    K,
)
from sirolens.engine.tsitouras import (
    A21,
    A31,
    A32,
    A41,
    A42,
    A43,
    A51,
    A52,
    A53,
    A54,
    A61,
    A62,
    A63,
    A64,
    A65,
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    C2,
    C3,
    C4,
    C5,
    E1,
    E2,
    E3,
    E4,
    E5,
    E6,
    E7,
)

# The example system: one compartment A with dA/dt = -k A, observed as A.
STATES = 1


@njit(cache=True, nogil=True, error_model="numpy")
def derivatives(time_h: float, y: Any, p: Any, dy: Any) -> None:
    """Rates of change of the states y under the parameters p, without infusions."""
    dy[0] = -p[0] * y[0]


@njit(cache=True, nogil=True, error_model="numpy")
def output(time_h: float, y: Any, p: Any) -> float:
    """What is observed."""
    return float(y[0])


@njit(cache=True, nogil=True, error_model="numpy")
def begin(time_h: float, p: Any, y: Any) -> None:
    """Fill the states in before anything is given."""
    y[0] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def dosing(time_h: float, p: Any, compartment: int) -> tuple[float, float, float, float]:
    """Bioavailability, lag [h], modelled duration [h] and modelled rate [mg/h] of doses into a compartment."""
    return 1.0, 0.0, 0.0, 0.0


# ---- body ----

# Step size control (Gustafsson's PI controller with the usual constants for order 5).
SAFETY, PRESENT, PAST, SMALLEST_CHANGE, LARGEST_CHANGE = 0.9, 0.14, 0.08, 0.2, 5.0


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(time_h: float, y: Any, p: Any, inflow: Any, dy: Any) -> None:
    """Rates of change, infusions included."""
    derivatives(time_h, y, p, dy)
    for i in range(STATES):
        dy[i] += inflow[i]


@njit(cache=True, nogil=True, error_model="numpy")
def attempt(h: float, rtol: float, clock: Any, work: Any, p: Any) -> float:
    """Try one step from T1; the new state goes into TRIAL. The error as a multiple of the tolerance."""
    t, y, z, inflow = clock[T1], work[END], work[TRIAL], work[INFLOW]
    k1, k2, k3, k4, k5, k6, k7 = work[K], work[K + 1], work[K + 2], work[K + 3], work[K + 4], work[K + 5], work[K + 6]
    for i in range(STATES):
        z[i] = y[i] + h * (A21 * k1[i])
    slopes(t + C2 * h, z, p, inflow, k2)
    for i in range(STATES):
        z[i] = y[i] + h * (A31 * k1[i] + A32 * k2[i])
    slopes(t + C3 * h, z, p, inflow, k3)
    for i in range(STATES):
        z[i] = y[i] + h * (A41 * k1[i] + A42 * k2[i] + A43 * k3[i])
    slopes(t + C4 * h, z, p, inflow, k4)
    for i in range(STATES):
        z[i] = y[i] + h * (A51 * k1[i] + A52 * k2[i] + A53 * k3[i] + A54 * k4[i])
    slopes(t + C5 * h, z, p, inflow, k5)
    for i in range(STATES):
        z[i] = y[i] + h * (A61 * k1[i] + A62 * k2[i] + A63 * k3[i] + A64 * k4[i] + A65 * k5[i])
    slopes(t + h, z, p, inflow, k6)
    for i in range(STATES):
        z[i] = y[i] + h * (B1 * k1[i] + B2 * k2[i] + B3 * k3[i] + B4 * k4[i] + B5 * k5[i] + B6 * k6[i])
    slopes(t + h, z, p, inflow, k7)
    total = 0.0
    for i in range(STATES):
        error = E1 * k1[i] + E2 * k2[i] + E3 * k3[i] + E4 * k4[i] + E5 * k5[i] + E6 * k6[i] + E7 * k7[i]
        scaled = h * error / (work[ATOL, i] + rtol * max(abs(y[i]), abs(z[i])))
        total += scaled * scaled
    return math.sqrt(total / STATES)


@njit(cache=True, nogil=True, error_model="numpy")
def first_step(span: float, rtol: float, clock: Any, work: Any, p: Any) -> float:
    """A step small enough to start with (Hairer, Norsett and Wanner, Solving ODEs I, section II.4)."""
    size, slope = 0.0, 0.0
    for i in range(STATES):
        scale = work[ATOL, i] + rtol * abs(work[END, i])
        size += (work[END, i] / scale) ** 2
        slope += (work[K, i] / scale) ** 2
    size, slope = math.sqrt(size / STATES), math.sqrt(slope / STATES)
    h = 1e-6 if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope
    h = min(h, span)
    for i in range(STATES):
        work[TRIAL, i] = work[END, i] + h * work[K, i]
    slopes(clock[T1] + h, work[TRIAL], p, work[INFLOW], work[K + 1])
    bend = 0.0
    for i in range(STATES):
        scale = work[ATOL, i] + rtol * abs(work[END, i])
        bend += ((work[K + 1, i] - work[K, i]) / scale) ** 2
    bend = max(slope, math.sqrt(bend / STATES) / h)
    following = max(1e-6, 1e-3 * h) if bend <= 1e-15 else (0.01 / bend) ** 0.2
    return min(100.0 * h, following, span)


@njit(cache=True, nogil=True, error_model="numpy")
def take_step(limit: float, rtol: float, clock: Any, work: Any, p: Any) -> int:
    """One accepted step from T1, not beyond `limit`; DONE or why there was none."""
    span = limit - clock[T1]
    fresh = clock[FRESH] != 0.0
    if fresh:
        slopes(clock[T1], work[END], p, work[INFLOW], work[K])
        h = clock[FIRST] if clock[FIRST] > 0.0 else first_step(span, rtol, clock, work, p)
        clock[ERROR] = 1.0
    else:
        h = clock[NEXT]
        for i in range(STATES):
            work[K, i] = work[K + 6, i]
    rejected = False
    while True:
        wanted = h
        if h * 1.01 >= span:
            h = span
        elif 2.0 * h > span:  # two equal steps rather than a step and a sliver
            h = 0.5 * span
        clock[LEFT] -= 1.0
        if clock[LEFT] < 0.0:
            return TOO_MANY_STEPS
        error = attempt(h, rtol, clock, work, p)
        if error <= 1.0:
            break
        h *= max(SMALLEST_CHANGE, SAFETY * error**-0.2) if math.isfinite(error) else 0.1
        rejected = True
        if not h > 4.0 * np.spacing(abs(clock[T1])):
            return STEP_TOO_SMALL if math.isfinite(error) else NOT_FINITE
    factor = LARGEST_CHANGE
    if error > 0.0:
        factor = SAFETY * error**-PRESENT * clock[ERROR] ** PAST
    factor = min(LARGEST_CHANGE, max(SMALLEST_CHANGE, factor))
    if rejected:
        factor = min(factor, 1.0)
    # A step cut short by the limit says nothing against the longer one.
    clock[NEXT] = max(h * factor, wanted) if h < wanted else h * factor
    clock[ERROR] = max(error, 1e-4)
    if fresh:
        clock[FIRST] = max(clock[NEXT], clock[FIRST]) if h == span else clock[NEXT]
        clock[FRESH] = 0.0
    clock[T0] = clock[T1]
    clock[T1] = limit if h == span else clock[T1] + h
    for i in range(STATES):
        work[BEGIN, i] = work[END, i]
        work[END, i] = work[TRIAL, i]
    return DONE
