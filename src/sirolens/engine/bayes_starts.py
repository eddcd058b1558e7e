# SPDX-License-Identifier: Apache-2.0
"""Where the searches for a patient's modes begin, and the list of modes they found.

One search from the typical patient finds the answer nearly always. The others are there for the rest: levels that
contradict each other or the prior can leave a second mode, near the patient that the levels (or one extreme level)
would make alone, or on the far side of the direction the levels respond to most.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import ABOVE, BELOW, MEASURED
from sirolens.engine.bayes_search import CONVERGED, NORM, OUTCOME, VALUE, Levels, Search
from sirolens.engine.dense import cholesky, copy, dot, solve
from sirolens.engine.kernel import kernel

__all__ = ["MODES", "STARTS", "Found", "fill_starts", "found_arrays", "is_known", "keep"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

STARTS = 6
"""The typical patient, all levels alone, the highest and the lowest level alone, and both ways along one direction."""
MODES = 4
"""How many modes are kept."""

LEVEL_SD = 0.1  # standard deviation of log levels when they are to speak alone
FARTHEST = 4.0  # standard deviations of the prior, per coordinate
STRIDE = 2.0  # standard deviations along the direction the levels respond to most
CLOSE = 0.3  # a start this near to another, in standard deviations of the prior, is left out
SAME_MODE = 1e-3  # squared distance, in standard deviations of the posterior, of two ends of searches at one mode
UNDERWAY = 0.1  # squared distance at which a search that lies above a known mode is taken to end there


class Found(NamedTuple):
    """Modes of one patient in whitened etas, in the order found; arrays changed in place."""

    z: Array  # (MODES, d)
    value: Array  # (MODES,)
    hessian: Array  # (MODES, d, d)
    norm: Array  # (MODES,) gradient norms
    outcome: Codes  # (MODES,)
    counts: Codes  # modes kept, searches begun


@kernel
def found_arrays(d: int) -> Found:
    """Make an empty list of modes in d dimensions."""
    return Found(
        np.zeros((MODES, d)),
        np.full(MODES, np.inf),
        np.zeros((MODES, d, d)),
        np.zeros(MODES),
        np.zeros(MODES, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )


@kernel
def fill_starts(levels: Levels, f: Array, J: Array, starts: Array) -> int:
    """Write starts (STARTS, d) from predictions f and slopes J = df/dz at z = 0, and return how many.

    On the logarithmic scale levels answer almost linearly, so one step of ridge regression is near enough for a start.
    """
    n, d = J.shape
    gap, slope = np.zeros(n), np.zeros((n, d))
    # Not literals, for which the compiler would make forms of `_ridge` of their own.
    first: Any = np.int64(0)
    high: Any = np.int64(-1)
    low: Any = np.int64(-1)
    for i in range(n):
        y, where = levels.y[i], levels.censoring[i]
        if levels.weight[i] == 0.0 or not f[i] > 0.0 or not y > 0.0:
            continue
        gap[i] = np.log(y / f[i])
        if (where == BELOW and gap[i] > 0.0) or (where == ABOVE and gap[i] < 0.0):
            gap[i] = 0.0
            continue
        for j in range(d):
            slope[i, j] = J[i, j] / f[i]
        if where == MEASURED or gap[i] != 0.0:
            high = i if high < 0 or gap[i] > gap[high] else high
            low = i if low < 0 or gap[i] < gap[low] else low
    for j in range(d):
        starts[0, j] = 0.0
    if high < 0:
        return 1
    _ridge(gap, slope, first, n, starts[1])
    _ridge(gap, slope, high, high + 1, starts[2])
    _ridge(gap, slope, low, low + 1, starts[3])
    for j in range(d):
        starts[4, j] = 0.0
        for i in range(n):
            starts[4, j] += slope[i, j]
    length = np.sqrt(dot(starts[4], starts[4]))
    for j in range(d):
        starts[4, j] *= STRIDE / length if length > 0.0 else 0.0
        starts[5, j] = -starts[4, j]
    return _thin(starts)


@kernel
def _ridge(gap: Array, slope: Array, first: int, last: int, z: Array) -> None:
    """Write z that minimises sum (gap - slope z)^2 / LEVEL_SD^2 + z'z over the levels first <= i < last."""
    d = z.size
    A = np.zeros((d, d))
    for j in range(d):
        A[j, j] = 1.0
        z[j] = 0.0
        for i in range(first, last):
            z[j] += slope[i, j] * gap[i] / LEVEL_SD**2
            for k in range(j + 1):
                A[j, k] += slope[i, j] * slope[i, k] / LEVEL_SD**2
    if cholesky(A, A):
        solve(A, z, z)
    for j in range(d):
        z[j] = min(max(z[j], -FARTHEST), FARTHEST)


@kernel
def _thin(starts: Array) -> int:
    """Leave out starts that are near an earlier one."""
    kept = 1
    for s in range(1, STARTS):
        near = False
        for other in range(kept):
            apart = 0.0
            for j in range(starts.shape[1]):
                apart += (starts[s, j] - starts[other, j]) ** 2
            near = near or apart < CLOSE * CLOSE
        if not near:
            copy(starts[s], starts[kept])
            kept += 1
    return kept


@kernel
def _distance(found: Found, m: int, z: Array) -> float:
    """Squared distance from mode m in standard deviations of the posterior there."""
    total = 0.0
    for j in range(z.size):
        for k in range(z.size):
            total += 0.5 * found.hessian[m, j, k] * (z[j] - found.z[m, j]) * (z[k] - found.z[m, k])
    return total


@kernel
def is_known(found: Found, search: Search) -> bool:
    """Whether a search under way is about to end at a mode that is known already."""
    for m in range(found.counts[0]):
        above = found.outcome[m] == CONVERGED and search.number[VALUE] >= found.value[m] - 1e-9
        if above and _distance(found, m, search.z) < UNDERWAY:
            return True
    return False


@kernel
def keep(found: Found, search: Search) -> None:
    """Add the end of a search, unless it is known; the list stays sorted, the best first.

    An end that is no mode (the search did not converge) is kept only where it lies below every other.
    """
    value, outcome = search.number[VALUE], search.counts[OUTCOME]
    count = found.counts[0]
    if outcome != CONVERGED and count > 0 and not value < found.value[0] - 1e-6:
        return
    for m in range(count):
        if found.outcome[m] == CONVERGED and _distance(found, m, search.z) < SAME_MODE:
            if outcome == CONVERGED and value < found.value[m]:
                _write(found, m, search)
            return
    place = count
    while place > 0 and value < found.value[place - 1]:
        place -= 1
    if place >= MODES:
        return
    for m in range(min(count, MODES - 1), place, -1):
        copy(found.z[m - 1], found.z[m])
        copy(found.hessian[m - 1], found.hessian[m])
        found.value[m] = found.value[m - 1]
        found.norm[m] = found.norm[m - 1]
        found.outcome[m] = found.outcome[m - 1]
    _write(found, place, search)
    found.counts[0] = min(count + 1, MODES)
    if found.outcome[0] == CONVERGED:  # worse ends that are no modes have served
        while found.counts[0] > 1 and found.outcome[found.counts[0] - 1] != CONVERGED:
            found.counts[0] -= 1


@kernel
def _write(found: Found, m: int, search: Search) -> None:
    copy(search.z, found.z[m])
    copy(search.curvature, found.hessian[m])
    found.value[m] = search.number[VALUE]
    found.norm[m] = search.number[NORM]
    found.outcome[m] = search.counts[OUTCOME]
