# SPDX-License-Identifier: Apache-2.0
"""States that relax towards a known course, dX/dt = a(t) - b X, eight patients to a vector: exact but for the course.

In every piece of a grid the course a(t) is taken as the parabola through its two ends and its middle, and the equation
is then solved exactly (exponential quadrature), so that neither a stiff b nor a slow one costs accuracy. Kernels only;
a generated file calls them (`sirolens.mechanism.upstream_code`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sirolens.engine.simd.vector import LANES, get, put

__all__ = ["load_tile", "relax", "relaxation_weights", "store_tiles"]

_NODES_AT_ONCE = 32  # so that what is read for one patient is still near for the next
_TERMS = 22  # of the series of phi_3 for |x| <= 1: the first one left out is below 1e-23


@njit(cache=True, nogil=True, error_model="numpy")
def relaxation_weights(x: float, out: Any) -> None:
    """Fill out[:4] with exp(-x) and the weights of a(0), a(h/2), a(h) in X(h), per h, for x = b h.

    With phi_n(z) = sum of z^k / (k + n)!, z = -x, the parabola integrates to phi_1 (a at 0), phi_2 (its slope) and
    2 phi_3 (its curvature).
    """
    z = -x
    if x <= 1.0:
        term = 1.0 / 6.0
        phi_3 = term
        for k in range(1, _TERMS):
            term *= z / (k + 3.0)
            phi_3 += term
        phi_2 = z * phi_3 + 0.5
        phi_1 = z * phi_2 + 1.0
        phi_0 = z * phi_1 + 1.0
    else:
        phi_0 = np.exp(z)
        phi_1 = (phi_0 - 1.0) / z
        phi_2 = (phi_1 - 1.0) / z
        phi_3 = (phi_2 - 0.5) / z
    out[0] = phi_0
    out[1] = phi_1 - 3.0 * phi_2 + 4.0 * phi_3
    out[2] = 4.0 * phi_2 - 8.0 * phi_3
    out[3] = 4.0 * phi_3 - phi_2


@njit(cache=True, nogil=True, error_model="numpy")
def relax(course: Any, loss: Any, start: Any, widths: Any, kind: Any, last: Any, step: float, out: Any) -> None:
    """Follow one state of eight patients over the nodes of a grid.

    `course` (2 pieces + 1, 8) is a(t) at the ends and in the middle of every piece; `loss` and `start` (1, 8) are b > 0
    and X(0). Piece i is `widths[kind[i]]` long, node g stands at the end of the pieces before `last[g]`, and nodes are
    `step` apart. `out` (3 G, 8) receives X, dX/dt and c at the nodes: with c added to X, the cubics through the nodes
    have the area that X has.
    """
    weights = np.empty((5 * widths.size, LANES))
    own = np.empty(4)
    for k in range(widths.size):
        for lane in range(LANES):
            relaxation_weights(loss[0, lane] * widths[k], own)
            weights[5 * k, lane] = own[0]
            for i in range(1, 4):
                weights[5 * k + i, lane] = own[i] * widths[k]
            weights[5 * k + 4, lane] = widths[k] / 6.0
    b, begin = get(loss, 0), get(start, 0)
    rest = b * begin
    # The distance from the start is followed, so that a state at rest stays there to the last bit.
    x, a = 0.0 * begin, get(course, 0) - rest
    put(out, 0, begin)
    put(out, 1, a)
    put(out, 2, x)
    piece = 0
    for g in range(1, last.size):
        left, left_slope, total = x, a - b * x, 0.0 * x
        while piece < last[g]:
            k = 5 * kind[piece]
            middle, after = get(course, 2 * piece + 1) - rest, get(course, 2 * piece + 2) - rest
            total = total + get(weights, k + 4) * (a + (4.0 * middle + after))
            x = get(weights, k) * x + (
                get(weights, k + 1) * a + (get(weights, k + 2) * middle + get(weights, k + 3) * after)
            )
            a = after
            piece += 1
        slope = a - b * x
        # The area of X is (area of a - rise of X) / b; half of what the cubic lacks goes to each of its ends.
        area = (total - (x - left)) / b
        cubic = 0.5 * step * (left + x) + step * step / 12.0 * (left_slope - slope)
        lacking = (0.5 / step) * (area - cubic)
        put(out, 3 * g - 1, get(out, 3 * g - 1) + lacking)
        put(out, 3 * g, begin + x)
        put(out, 3 * g + 1, slope)
        put(out, 3 * g + 2, lacking)


@njit(cache=True, nogil=True, error_model="numpy")
def load_tile(rows: Any, low: int, out: Any) -> None:
    """Copy patients low <= i < low + 8 of rows (N, M) into out (M, 8); beyond the last patient he is repeated."""
    for lane in range(LANES):
        row = rows[min(low + lane, rows.shape[0] - 1)]
        for j in range(out.shape[0]):
            out[j, lane] = row[j]


@njit(cache=True, nogil=True, error_model="numpy")
def store_tiles(tiles: Any, low: int, values: Any, slopes: Any, corrected: Any) -> None:
    """Copy what `relax` wrote for every state (S, 3 G, 8) into the arrays (N, G, S) of patients low <= i < low + 8.

    `values` may hold the last node only, (N, 1, S).
    """
    nodes, states = slopes.shape[1], slopes.shape[2]
    whole = values.shape[1] == nodes
    for begin in range(0, nodes, _NODES_AT_ONCE):
        end = min(begin + _NODES_AT_ONCE, nodes)
        for lane in range(min(LANES, slopes.shape[0] - low)):
            i = low + lane
            for g in range(begin, end):
                for s in range(states):
                    slopes[i, g, s] = tiles[s, 3 * g + 1, lane]
                    corrected[i, g, s] = tiles[s, 3 * g, lane] + tiles[s, 3 * g + 2, lane]
                if whole:
                    for s in range(states):
                        values[i, g, s] = tiles[s, 3 * g, lane]
    if not whole:
        for lane in range(min(LANES, slopes.shape[0] - low)):
            for s in range(states):
                values[low + lane, 0, s] = tiles[s, 3 * nodes - 3, lane]
