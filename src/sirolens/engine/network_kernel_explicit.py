# SPDX-License-Identifier: Apache-2.0
"""Kernels of one explicit step of the general solver: Tsitouras' pair of order 5(4) and its dense output.

The coefficients stand in `ode_step` and `ode_trains`, where their source is named.
"""

from __future__ import annotations

import math

from sirolens.engine.network_kernel_room import (
    ATOL,
    BEGIN,
    END,
    FRESH,
    LENGTH,
    RTOL,
    STATES,
    STIFF_STEPS,
    T0,
    T1,
    TEST,
    TRIAL,
    K,
    Room,
    inner_kernel,
    slopes,
)
from sirolens.engine.ode_trains import dense_weights
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

__all__ = ["explicit_attempt", "explicit_dense", "explicit_ready", "notice_stiffness"]

# The pair is stable on the negative real axis down to -3.5 (tested); steps that stay near it are ruled by stability.
_BORDER = 3.2
# Six steps clearly inside in a row, and the count begins anew (Hairer and Wanner, Solving ODEs II, section IV.2).
_INSIDE = 6.0


@inner_kernel
def explicit_ready(room: Room) -> None:
    """Compute stage 1: afresh after a jump, else it is the last stage of the step before."""
    if room.clock[FRESH] != 0.0:
        slopes(room, room.clock[T1], room.work[END], room.work[K])
    else:
        for i in range(room.size[STATES]):
            room.work[K, i] = room.work[K + 6, i]


@inner_kernel
def explicit_attempt(room: Room, h: float) -> float:
    """Try one step from T1; the new state goes into TRIAL. The error as a multiple of the tolerance."""
    work, t, count = room.work, room.clock[T1], room.size[STATES]
    y, z, x = work[END], work[TRIAL], work[TEST]
    k1, k2, k3, k4, k5, k6, k7 = work[K], work[K + 1], work[K + 2], work[K + 3], work[K + 4], work[K + 5], work[K + 6]
    for i in range(count):
        z[i] = y[i] + h * (A21 * k1[i])
    slopes(room, t + C2 * h, room.work[TRIAL], room.work[K + 1])
    for i in range(count):
        z[i] = y[i] + h * (A31 * k1[i] + A32 * k2[i])
    slopes(room, t + C3 * h, room.work[TRIAL], room.work[K + 2])
    for i in range(count):
        z[i] = y[i] + h * (A41 * k1[i] + A42 * k2[i] + A43 * k3[i])
    slopes(room, t + C4 * h, room.work[TRIAL], room.work[K + 3])
    for i in range(count):
        z[i] = y[i] + h * (A51 * k1[i] + A52 * k2[i] + A53 * k3[i] + A54 * k4[i])
    slopes(room, t + C5 * h, room.work[TRIAL], room.work[K + 4])
    for i in range(count):
        x[i] = y[i] + h * (A61 * k1[i] + A62 * k2[i] + A63 * k3[i] + A64 * k4[i] + A65 * k5[i])
    slopes(room, t + h, room.work[TEST], room.work[K + 5])
    for i in range(count):
        z[i] = y[i] + h * (B1 * k1[i] + B2 * k2[i] + B3 * k3[i] + B4 * k4[i] + B5 * k5[i] + B6 * k6[i])
    slopes(room, t + h, room.work[TRIAL], room.work[K + 6])
    worst = 0.0
    for i in range(count):
        error = E1 * k1[i] + E2 * k2[i] + E3 * k3[i] + E4 * k4[i] + E5 * k5[i] + E6 * k6[i] + E7 * k7[i]
        scaled = abs(h * error) / (work[ATOL, i] + room.clock[RTOL] * max(abs(y[i]), abs(z[i])))
        worst = scaled if not scaled <= worst else worst  # not-a-number stays
    return worst


@inner_kernel
def notice_stiffness(room: Room, h: float, inside: float) -> float:
    """Count steps ruled by stability after an accepted step; how many in a row were not.

    The last two stages stand at the same time, so their difference by that of their arguments estimates the largest
    eigenvalue.
    """
    work, clock = room.work, room.clock
    rise, run = 0.0, 0.0
    for i in range(room.size[STATES]):
        rise += (work[K + 6, i] - work[K + 5, i]) ** 2
        run += (work[TRIAL, i] - work[TEST, i]) ** 2
    if run > 0.0 and h * math.sqrt(rise / run) > _BORDER:
        clock[STIFF_STEPS] += 1.0
        return 0.0
    if inside + 1.0 >= _INSIDE:
        clock[STIFF_STEPS] = 0.0
    return inside + 1.0


@inner_kernel
def explicit_dense(room: Room, t: float) -> None:
    """The states inside the last step into TRIAL, by the continuous extension of order 4."""
    work, h = room.work, room.clock[LENGTH]
    b1, b2, b3, b4, b5, b6, b7 = dense_weights((t - room.clock[T0]) / h)
    for i in range(room.size[STATES]):
        slope = b1 * work[K, i] + b2 * work[K + 1, i] + b3 * work[K + 2, i] + b4 * work[K + 3, i]
        slope += b5 * work[K + 4, i] + b6 * work[K + 5, i] + b7 * work[K + 6, i]
        work[TRIAL, i] = work[BEGIN, i] + h * slope
