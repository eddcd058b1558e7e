# SPDX-License-Identifier: Apache-2.0
"""Where things lie: in a parameter vector, and in the two arrays that are one lane's scratch memory.

A lane's memory is one array of numbers (float64, or complex128 for complex-step derivatives) and one of counts. Two
arrays, not a dozen: every array handed from kernel to kernel costs a pair of atomic reference counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sirolens.engine.kernel import kernel

# Parameter vector (linear.PARAMETERS); within a route: bioavailability, lag, duration, rate.
CL, V1, Q2, V2, Q3, V3, KA, ROUTE_1, ROUTE_2 = 0, 1, 2, 3, 4, 5, 6, 7, 11
F, LAG, DURATION, RATE = 0, 1, 2, 3

# Numbers. Basis: three rates, the nine numbers of U (row = compartment), D, and the absorption rate.
LAMBDA, U, D, K_ABS = 0, 3, 12, 15
# Two states of equal layout: the lane's own, and one to work out gains and steady states in. (Handed to kernels as
# arguments; as plain Python integers each would make numba compile the kernel once more.)
STATE: Any = np.int64(16)
GAIN: Any = np.int64(72)
# Within a state: three modes, input rates into absorption stage 1 and into the central compartment, then the stages.
RATE_1, RATE_2, STAGES = 3, 4, 5
SCRATCH, ROWS = 128, 512
# Within a row of transitions: interval, "inputs filled in", exp(-lambda t), answers of the modes to unit input into the
# central compartment and into stage 1; then p (N), answers of the stages to unit input (N), and u_i H (3 N).
DT, FILLED, E, C, B, P = 0, 1, 2, 5, 8, 11
# Rows kept, and one to spare.
SLOTS = 32
# Within a train of doses, behind the rows.
START, END, PERIOD, AMOUNT, INPUT, TRAIN = 0, 1, 2, 3, 4, 5

# Counts: rows in use, row used last, trains alive; then, for each train:
IN_USE, LAST, ALIVE, BOOK = 0, 1, 2, 3
STARTED, STARTS, ENDED, ENDS, RUNNING, STAGED, COUNTS = 0, 1, 2, 3, 4, 5, 6

MAX_STAGES = 50


class Work(NamedTuple):
    """Scratch memory of one lane; made by `lane_work`, used again for lane after lane."""

    numbers: Any
    book: Any


@kernel
def row_width(N: int) -> int:
    """Numbers in one row of transitions."""
    return P + 5 * N


@kernel
def spare_row(N: int) -> int:
    """Position of the row that `repeat` uses up."""
    return ROWS + SLOTS * (P + 5 * N)


@kernel
def trains_at(N: int) -> int:
    """Position of the first train's numbers."""
    return ROWS + (SLOTS + 1) * (P + 5 * N)


@kernel
def lane_work(shape: int, dose_records: int, like: Any) -> Work:
    """Scratch memory for lanes of one structure.

    `shape` is Structure.code, `dose_records` the most dose records any patient has, `like` an array of the
    parameters' type (float64 or complex128).
    """
    trains = dose_records + 1
    numbers = np.zeros(trains_at(shape // 100) + trains * TRAIN, like.dtype)
    return Work(numbers, np.zeros(BOOK + trains * COUNTS, np.int64))
