# SPDX-License-Identifier: Apache-2.0
"""Importance weights made safe: Pareto-smoothed tails (PSIS), and the number that says when not to trust them.

The largest weights are replaced by the expected order statistics of a generalised Pareto distribution fitted to them.
Its shape k-hat says how heavy the tail is: below 0.5 the average behaves as it should, above 0.7 it does not.

Sources: Vehtari, Simpson, Gelman, Yao, Gabry, J Mach Learn Res 2024;25(72):1-58 (arXiv:1507.02646); fit of Zhang and
Stephens, Technometrics 2009;51:316-25, doi:10.1198/tech.2009.08017. ArviZ is the oracle in the tests; its import alone
takes 0.4 s.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel

__all__ = ["exponentials", "fit_tail", "log_sum", "smooth"]

Array = NDArray[np.float64]

SHORTEST_TAIL = 5  # fewer weights than this make no tail
PRIOR_SHAPE, PRIOR_WEIGHT = 0.5, 10.0  # the fit leans on k = 0.5 as if ten more weights had said so
LEAST_LOG = math.log(np.finfo(np.float64).tiny)  # smaller relative weights are zero


@kernel
def log_sum(values: Array) -> float:
    """Return log sum exp(values).

    >>> round(log_sum(np.log(np.array([1.0, 2.0, 3.0]))), 12) == round(math.log(6.0), 12)
    True
    """
    top = -np.inf
    for value in values:
        top = max(top, value)
    if not np.isfinite(top):
        return top
    total = 0.0
    for value in values:
        total += np.exp(value - top)
    return top + math.log(total)


@kernel
def exponentials(values: Array) -> Array:
    """Return exp(values), the same bits on every machine.

    >>> exponentials(np.array([0.0, -np.inf])).tolist()
    [1.0, 0.0]
    """
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = np.exp(values[i])
    return out


@kernel
def fit_tail(excess: Array) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution fitted to sorted excesses over a threshold.

    Parameters
    ----------
    excess : float64 array (n,)
        Not negative, ascending, the last positive.

    Returns
    -------
    (float, float)
        Shape k (towards 0.5 by the weight of ten observations) and scale.
    """
    n = excess.size
    grid = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    theta, profile = np.empty(grid), np.empty(grid)
    best = -np.inf
    for j in range(grid):
        theta[j] = 1.0 / excess[n - 1] + (1.0 - np.sqrt(grid / (j + 0.5))) / (3.0 * quartile)
        shape = _mean_log(theta[j], excess)
        profile[j] = n * (np.log(-theta[j] / shape) - shape - 1.0)
        best = max(best, profile[j])
    total, mean = 0.0, 0.0
    for j in range(grid):
        weight = np.exp(profile[j] - best)
        total += weight
        mean += weight * theta[j]
    theta_hat = mean / total
    shape = _mean_log(theta_hat, excess)
    return (n * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT), -shape / theta_hat


@kernel
def _mean_log(theta: float, excess: Array) -> float:
    total = 0.0
    for x in excess:
        total += np.log1p(-theta * x)
    return total / excess.size


@kernel
def smooth(log_weight: Array) -> float:
    """Smooth the largest log weights in place, normalise all to sum 1, and return k-hat.

    Parameters
    ----------
    log_weight : float64 array (n,)
        Unnormalised; minus infinity for weight zero.

    Returns
    -------
    float
        k-hat; minus infinity where all large weights are equal (nothing to smooth), plus infinity where fewer than
        five draws have any weight.

    Examples
    --------
    >>> log_weight = np.zeros(4)
    >>> smooth(log_weight), np.exp(log_weight).tolist()
    (-inf, [0.25, 0.25, 0.25, 0.25])
    """
    n = log_weight.size
    top = -np.inf
    for value in log_weight:
        top = max(top, value)
    k_hat = np.inf
    if np.isfinite(top):
        for i in range(n):
            log_weight[i] -= top
        k_hat = _smooth_tail(log_weight)
        total = log_sum(log_weight)
        for i in range(n):
            log_weight[i] -= total
    return k_hat


@kernel
def _smooth_tail(log_weight: Array) -> float:
    """Smooth the tail of log weights whose largest is 0."""
    n = log_weight.size
    length = int(min(0.2 * n, 3.0 * np.sqrt(n)))
    order = np.argsort(log_weight)
    if length < SHORTEST_TAIL:
        return np.inf if log_weight[order[0]] < 0.0 else -np.inf
    cutoff = log_weight[order[n - length - 1]]
    if cutoff == 0.0:
        return -np.inf
    while length >= SHORTEST_TAIL and log_weight[order[n - length]] <= max(cutoff, LEAST_LOG):
        length -= 1
    if length < SHORTEST_TAIL:
        return np.inf
    threshold = np.exp(cutoff)
    excess = np.empty(length)
    for i in range(length):
        excess[i] = np.exp(log_weight[order[n - length + i]]) - threshold
    shape, scale = fit_tail(excess)
    if not (np.isfinite(shape) and scale > 0.0):
        return np.inf
    for i in range(length):
        p = (i + 0.5) / length
        rise = -np.log1p(-p) if shape == 0.0 else np.expm1(-shape * np.log1p(-p)) / shape
        log_weight[order[n - length + i]] = min(np.log(threshold + scale * rise), 0.0)
    return shape
