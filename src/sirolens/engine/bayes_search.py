# SPDX-License-Identifier: Apache-2.0
"""The search for one patient's most probable etas, told apart from how predictions are computed.

Everything here sees whitened etas z, eta = L z with omega = L L', and the objective

    O(z) = sum_i weight_i l_i(f_i(z)) + prior_weight z'z,        l_i from `sirolens.engine.bayes_likelihood`

The search asks for predictions f and derivatives df/dz where it wants them (`Search.trial`), so that the compiled
linear models and a Python function share it. Far from the minimum it steps with the expected curvature (positive
definite by construction, damped where a step fails), near it with the exact Hessian, so that the answer is exact to
the last digits the predictions have.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import level_terms
from sirolens.engine.dense import cholesky, copy, dot, solve
from sirolens.engine.kernel import kernel

__all__ = [
    "CONVERGED",
    "CURVATURE",
    "DONE",
    "INDEFINITE",
    "ITERATION_LIMIT",
    "NOT_FINITE",
    "SLOPE",
    "Levels",
    "Search",
    "begin",
    "receive_curvature",
    "receive_slope",
    "search_arrays",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

SLOPE, CURVATURE, DONE = 0, 1, 2
"""What the search wants next: f and df/dz at `trial`, second derivatives at `z`, nothing."""

CONVERGED: Final = 0
NOT_FINITE: Final = 1
ITERATION_LIMIT: Final = 2
INDEFINITE: Final = 3
"""Why it ended."""

# Positions in `Search.number`: objective at z, damping, promised fall of the objective, gradient norm, noise of the
# objective.
VALUE, DAMPING, PROMISED, NORM, NOISE = 0, 1, 2, 3, 4
# Positions in `Search.counts`: outcome, steps with expected curvature, steps with the exact Hessian, whether it is in
# use.
OUTCOME, SCORING, NEWTON, EXACT = 0, 1, 2, 3

NEAR = 1e-8  # promised fall (in -2 log units) at which the exact Hessian takes over: 1e-4 standard deviations away
EXACT_ENOUGH = 1e-13  # promised fall at which the exact search stops: 3e-7 standard deviations
SCORING_STEPS = 25
NEWTON_STEPS = 25
LARGEST_DAMPING = 1e14
LONGEST_STEP = 3.0  # standard deviations of the prior, per coordinate: nothing far out is believed at once


class Levels(NamedTuple):
    """The levels of one patient, arrays (n_obs,); see `sirolens.engine.bayes_likelihood.level_terms`."""

    y: Array
    censoring: Codes
    kind: Codes
    additive: Array
    proportional: Array
    weight: Array


class Search(NamedTuple):
    """The state of one search: all arrays, changed in place."""

    z: Array
    trial: Array
    gradient: Array
    curvature: Array  # expected curvature, or the exact Hessian once `counts[EXACT]` is 1
    new_gradient: Array
    new_curvature: Array
    factor: Array
    step: Array
    number: Array
    counts: Codes


@kernel
def search_arrays(d: int, noise: float) -> Search:
    """Make the arrays of a search in d dimensions; `noise` is how far rounding moves the objective."""
    number = np.zeros(5)
    number[NOISE] = noise
    return Search(
        np.zeros(d),
        np.zeros(d),
        np.zeros(d),
        np.zeros((d, d)),
        np.zeros(d),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros(d),
        number,
        np.zeros(4, dtype=np.int64),
    )


@kernel
def begin(search: Search, start: Array) -> int:
    """Place a search at its start."""
    copy(start, search.trial)
    for i in range(NOISE):
        search.number[i] = np.inf if i == VALUE else 0.0
    for i in range(search.counts.size):
        search.counts[i] = 0
    search.counts[OUTCOME] = ITERATION_LIMIT
    return SLOPE


@kernel
def receive_slope(search: Search, levels: Levels, prior_weight: float, f: Array, J: Array) -> int:
    """Take f (n_obs,) and J = df/dz (n_obs, d) at `trial`, and say what is wanted next."""
    value = _objective_and_slope(search, levels, prior_weight, f, J)
    number, count = search.number, search.counts
    count[NEWTON if count[EXACT] else SCORING] += 1
    first = number[VALUE] == np.inf
    if first and not np.isfinite(value):
        count[OUTCOME] = NOT_FINITE
        return DONE
    fall = number[VALUE] - value
    noise = max(number[NOISE], 1e-13 * abs(value))
    if not first and not fall >= 1e-4 * number[PROMISED] - noise:
        if count[EXACT] and number[PROMISED] <= max(1e-9, 10.0 * noise):  # rounding hides any further fall
            count[OUTCOME] = CONVERGED
            return DONE
        number[DAMPING] = max(8.0 * number[DAMPING], 1e-2)
        if number[DAMPING] > LARGEST_DAMPING:
            return DONE if count[EXACT] else CURVATURE
        return _propose(search)
    if not first:
        number[DAMPING] = 0.0 if number[DAMPING] < 1e-2 or count[EXACT] else 0.1 * number[DAMPING]
    number[VALUE] = value
    copy(search.trial, search.z)
    copy(search.new_gradient, search.gradient)
    number[NORM] = np.sqrt(dot(search.gradient, search.gradient))
    if count[EXACT]:
        # the Hessian of a moment ago still serves when the step was tiny
        if number[PROMISED] <= 1e-6:
            return _propose(search)
        return CURVATURE
    copy(search.new_curvature, search.curvature)
    return _propose(search)


@kernel
def receive_curvature(search: Search, levels: Levels, prior_weight: float, f: Array, J: Array, F: Array) -> int:
    """Take f, J and the second derivatives F (n_obs, d, d) at `z`, and say what is wanted next."""
    d = search.z.size
    H = search.curvature
    for j in range(d):
        for k in range(d):
            H[j, k] = 2.0 * prior_weight if j == k else 0.0
    for i in range(f.size):
        if levels.weight[i] == 0.0:
            continue
        _, slope, second, _ = level_terms(
            f[i], levels.y[i], levels.censoring[i], levels.kind[i], levels.additive[i], levels.proportional[i]
        )
        for j in range(d):
            for k in range(d):
                H[j, k] += levels.weight[i] * (second * J[i, j] * J[i, k] + slope * F[i, j, k])
    search.counts[EXACT] = 1
    search.number[DAMPING] = 0.0
    return _propose(search)


@kernel
def _objective_and_slope(search: Search, levels: Levels, prior_weight: float, f: Array, J: Array) -> float:
    """Objective at `trial`; its gradient and expected curvature go to the new arrays."""
    g, B, z = search.new_gradient, search.new_curvature, search.trial
    d = z.size
    value = 0.0
    for j in range(d):
        value += prior_weight * z[j] * z[j]
        g[j] = 2.0 * prior_weight * z[j]
        for k in range(j):
            B[j, k] = 0.0
        B[j, j] = 2.0 * prior_weight
    for i in range(f.size):
        if levels.weight[i] == 0.0:
            continue
        part, slope, _, expected = level_terms(
            f[i], levels.y[i], levels.censoring[i], levels.kind[i], levels.additive[i], levels.proportional[i]
        )
        value += levels.weight[i] * part
        for j in range(d):
            g[j] += levels.weight[i] * slope * J[i, j]
            for k in range(j + 1):
                B[j, k] += levels.weight[i] * expected * J[i, j] * J[i, k]
    for j in range(d):
        for k in range(j + 1, d):
            B[j, k] = B[k, j]
    return value


@kernel
def _propose(search: Search) -> int:
    """Set the next trial, or stop."""
    number, count, d = search.number, search.counts, search.z.size
    if count[SCORING] > SCORING_STEPS and not count[EXACT]:
        return CURVATURE
    if count[NEWTON] > NEWTON_STEPS:
        return DONE
    while True:
        for j in range(d):
            for k in range(j + 1):
                search.factor[j, k] = search.curvature[j, k]
            search.factor[j, j] += number[DAMPING]
        if cholesky(search.factor, search.factor):
            break
        if count[EXACT] and number[NORM] <= 1e-6:
            count[OUTCOME] = INDEFINITE
            return DONE
        number[DAMPING] = max(4.0 * number[DAMPING], 1e-2)
        if number[DAMPING] > LARGEST_DAMPING:
            return DONE
    solve(search.factor, search.gradient, search.step)
    longest = 0.0
    for j in range(d):
        longest = max(longest, abs(search.step[j]))
    scale = LONGEST_STEP / longest if longest > LONGEST_STEP else 1.0
    number[PROMISED] = scale * (1.0 - 0.5 * scale) * dot(search.gradient, search.step)
    for j in range(d):
        search.trial[j] = search.z[j] - scale * search.step[j]
    if count[EXACT]:
        if number[PROMISED] <= max(EXACT_ENOUGH, number[NOISE]) and number[DAMPING] == 0.0:
            count[OUTCOME] = CONVERGED
            return DONE
    elif number[PROMISED] <= max(NEAR, number[NOISE]) and number[DAMPING] < 1e-2:
        return CURVATURE
    return SLOPE
