# SPDX-License-Identifier: Apache-2.0
"""Kernels of one step for stiff networks: the Rosenbrock method Rodas5P of order 5(4) with its dense output of order 4.

G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia Differential
Equations package, BIT Numerical Mathematics 63 (2023), article 27, doi 10.1007/s10543-023-00967-x. Eight stages, one
Jacobian and one factorisation per step; L-stable and stiffly accurate. The coefficients are those of its transformed
form, in which a stage solves (I/(gamma h) - J) k_i = f(t + c_i h, y + sum a_ij k_j) + sum C_ij k_j / h + d_i h df/dt.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.network_kernel_room import (
    ATOL,
    BEGIN,
    END,
    FRESH,
    JACOBIAN,
    LENGTH,
    RTOL,
    SLOPE,
    STATES,
    T0,
    T1,
    TRIAL,
    K,
    Room,
    ask,
    inner_kernel,
    slopes,
)

__all__ = ["stiff_accepted", "stiff_attempt", "stiff_dense", "stiff_ready"]

Array = NDArray[np.float64]

GAMMA = 0.21193756319429014
#: Times of the stages as parts of the step, c_i, and weights of the slope in time, d_i.
NODES: Array = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1, 1, 1])
IN_TIME: Array = np.array(
    [GAMMA, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0, 0, 0]
)
#: Arguments of the stages, a_ij; stages 7 and 8 add the stage before to the argument before.
A: Array = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [3.0, 0.0, 0.0, 0.0, 0.0],
        [2.849394379747939, 0.45842242204463923, 0.0, 0.0, 0.0],
        [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0.0, 0.0],
        [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0.0],
        [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946],
    ]
)
#: Couplings of the stages, C_ij.
C: Array = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-14.155112264123755, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-17.97296035885952, -2.859693295451294, 0.0, 0.0, 0.0, 0.0, 0.0],
        [147.12150275711716, -1.41221402718213, 71.68940251302358, 0.0, 0.0, 0.0, 0.0],
        [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0.0, 0.0, 0.0],
        [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471, 0.0, 0.0],
        [
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
            0.0,
        ],
        [
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ],
    ]
)
#: Dense output: y(x) = (1-x) y0 + x (y1 + (1-x) (h1 + x (h2 + x h3))), with h_i the rows of H times the stages.
H: Array = np.array(
    [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ]
)
_STAGES = 8
_ADDING = 6
# Rows below the stages: the right-hand side of a stage, and the slope in time.
_RIGHT, _IN_TIME = K + 8, K + 9


@inner_kernel
def stiff_ready(room: Room) -> None:
    """Compute the Jacobian and the slope in time at T1.

    An entry that is not finite (x^0.5 at 0) counts as 0: the error of the step then guards what is lost.
    """
    jacobian, count, t = room.matrix[0], room.size[STATES], room.clock[T1]
    for i in range(count):
        room.work[_IN_TIME, i] = 0.0
        for j in range(count):
            jacobian[i, j] = 0.0
    if room.clock[FRESH] != 0.0:
        slopes(room, t, room.work[END], room.work[K])  # for the length of the first step
    if count > 0:
        ask(room, room.code[JACOBIAN], t, room.work[END], jacobian)
    if room.code[SLOPE] != 0:
        ask(room, room.code[SLOPE], t, room.work[END], room.work[_IN_TIME])
    for i in range(count):
        if not math.isfinite(room.work[_IN_TIME, i]):
            room.work[_IN_TIME, i] = 0.0
        for j in range(count):
            if not math.isfinite(jacobian[i, j]):
                jacobian[i, j] = 0.0


@inner_kernel
def _factorised(room: Room, diagonal: float) -> bool:
    """Factorise diagonal * I - J in place, with partial pivoting; False when it is singular. Zeros are skipped."""
    jacobian, lu, pivot, count = room.matrix[0], room.matrix[1], room.pivot, room.size[STATES]
    for i in range(count):
        for j in range(count):
            lu[i, j] = -jacobian[i, j]
        lu[i, i] += diagonal
    for k in range(count):
        best, largest = k, abs(lu[k, k])
        for i in range(k + 1, count):
            if abs(lu[i, k]) > largest:
                best, largest = i, abs(lu[i, k])
        pivot[k] = best
        if not 0.0 < largest < math.inf:
            return False
        if best != k:
            for j in range(count):
                lu[k, j], lu[best, j] = lu[best, j], lu[k, j]
        inverse = 1.0 / lu[k, k]
        for i in range(k + 1, count):
            if lu[i, k] != 0.0:
                factor = lu[i, k] * inverse
                lu[i, k] = factor
                for j in range(k + 1, count):
                    lu[i, j] -= factor * lu[k, j]
    return True


@inner_kernel
def _solve(room: Room, right: Array, answer: Array) -> None:
    lu, pivot, count = room.matrix[1], room.pivot, room.size[STATES]
    for i in range(count):
        answer[i] = right[i]
    for k in range(count):
        if pivot[k] != k:
            answer[k], answer[pivot[k]] = answer[pivot[k]], answer[k]
    for i in range(count):
        total = answer[i]
        for j in range(i):
            total -= lu[i, j] * answer[j]
        answer[i] = total
    for i in range(count - 1, -1, -1):
        total = answer[i]
        for j in range(i + 1, count):
            total -= lu[i, j] * answer[j]
        answer[i] = total / lu[i, i]


@inner_kernel
def stiff_attempt(room: Room, h: float) -> float:
    """Try one step from T1; the new state goes into TRIAL. The error as a multiple of the tolerance.

    Not-a-number when the matrix of the stages is singular, so that a shorter step is tried.
    """
    work, t, count = room.work, room.clock[T1], room.size[STATES]
    if count == 0:
        return 0.0
    if not _factorised(room, 1.0 / (GAMMA * h)):
        return math.nan
    clock = room.clock
    y, z, right = work[END], work[TRIAL], work[_RIGHT]
    for stage in range(_STAGES):
        for i in range(count):
            if stage >= _ADDING:
                z[i] += work[K + stage - 1, i]
            else:
                total = y[i]
                for j in range(stage):
                    total += A[stage, j] * work[K + j, i]
                z[i] = total
        slopes(room, t + NODES[stage] * h, room.work[TRIAL], room.work[K + _STAGES])
        for i in range(count):
            coupled = 0.0
            for j in range(stage):
                coupled += C[stage, j] * work[K + j, i]
            right[i] += coupled / h + IN_TIME[stage] * h * work[_IN_TIME, i]
        _solve(room, right, work[K + stage])
    worst = 0.0
    for i in range(count):
        # The last stage is the difference of the two formulas.
        error = work[K + _STAGES - 1, i]
        z[i] += error
        scaled = abs(error) / (work[ATOL, i] + clock[RTOL] * max(abs(y[i]), abs(z[i])))
        worst = scaled if not scaled <= worst else worst  # not-a-number stays
    return worst


@inner_kernel
def stiff_accepted(room: Room) -> None:
    """Replace the stages of an accepted step by what its dense output needs; the new state is in TRIAL."""
    work = room.work
    for i in range(room.size[STATES]):
        h1, h2, h3 = 0.0, 0.0, 0.0
        for j in range(_STAGES):
            h1 += H[0, j] * work[K + j, i]
            h2 += H[1, j] * work[K + j, i]
            h3 += H[2, j] * work[K + j, i]
        work[K + 1, i], work[K + 2, i], work[K + 3, i], work[K + 4, i] = h1, h2, h3, work[TRIAL, i]


@inner_kernel
def stiff_dense(room: Room, t: float) -> None:
    """The states inside the last step into TRIAL, by the dense output of order 4."""
    work = room.work
    x = (t - room.clock[T0]) / room.clock[LENGTH]
    rest = 1.0 - x
    for i in range(room.size[STATES]):
        inner = work[K + 1, i] + x * (work[K + 2, i] + x * work[K + 3, i])
        # In this form what does not change stays the same to the last bit, and no trigger flickers.
        work[TRIAL, i] = work[BEGIN, i] + x * (work[K + 4, i] - work[BEGIN, i] + rest * inner)
