# SPDX-License-Identifier: Apache-2.0
"""What one level says about one prediction: -2 log likelihood and its derivatives, censored levels included.

For a prediction f and a measured level y, with v = additive^2 + (proportional f)^2,

    l = (y - f)^2 / v + log v + log 2 pi                                    kinds 0 additive, 1 proportional, 2 combined
    l = (log y - log f)^2 / s^2 + log s^2 + 2 log y + log 2 pi              kind 3 log, s = log_sd

so that exp(-l/2) is always the density of the level itself, in 1/(ng/mL). A level below the limit of quantification L
has the probability Phi((L - f)/sqrt(v)) (Beal's M3), one above it Phi((f - L)/sqrt(v)). Tails are computed from the
logarithm of Phi, never from 1 - Phi: an impossible level gives a large number, not an infinite one.

Source: Beal, J Pharmacokinet Pharmacodyn 2001;28:481-504, doi:10.1023/A:1012299115260.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel

__all__ = [
    "ABOVE",
    "ADDITIVE",
    "BELOW",
    "COMBINED",
    "LOG",
    "LOG_2_PI",
    "MEASURED",
    "PROPORTIONAL",
    "deviance",
    "level_probabilities",
    "level_terms",
    "log_phi",
]

Array = NDArray[np.float64]

ADDITIVE, PROPORTIONAL, COMBINED, LOG = 0, 1, 2, 3
"""Residual kinds."""
BELOW, MEASURED, ABOVE = -1, 0, 1
"""Where a level lies relative to the assay's range."""
LOG_2_PI = math.log(2.0 * math.pi)

_HALF_LOG_2_PI = 0.5 * LOG_2_PI
_ROOT_HALF = math.sqrt(0.5)
_ASYMPTOTIC = -12.0  # below, the series for Mills' ratio is exact to the last digit in 40 terms


@kernel
def log_phi(x: float) -> tuple[float, float]:
    """Return log Phi(x) and its derivative phi(x)/Phi(x), accurate in both tails.

    Parameters
    ----------
    x : float
        Any number.

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> value, slope = log_phi(-40.0)
    >>> round(value, 6), round(slope, 6)
    (-804.608442, 40.024969)
    """
    if x < _ASYMPTOTIC:
        # Mills' ratio Phi(-a)/phi(a) = 1/a (1 - 1/a^2 + 3/a^4 - 15/a^6 ...), summed to its smallest term
        u, term, total = 1.0 / (x * x), 1.0, 1.0
        for k in range(1, 40):
            smaller = -term * (2.0 * k - 1.0) * u
            if abs(smaller) >= abs(term) or abs(smaller) < 1e-17:
                break
            term = smaller
            total += term
        return -0.5 * x * x - _HALF_LOG_2_PI - np.log(-x) + np.log(total), -x / total
    tail = 0.5 * math.erfc(abs(x) * _ROOT_HALF)
    density = np.exp(-0.5 * x * x - _HALF_LOG_2_PI)
    if x > 0.0:
        return np.log1p(-tail), density / (1.0 - tail)
    return np.log(tail), density / tail


@kernel
def _censored(z: float, dz: float, d2z: float) -> tuple[float, float, float, float]:
    """Return -2 log Phi(z), its two derivatives, and a curvature that is never negative."""
    if z == np.inf:
        return 0.0, 0.0, 0.0, 0.0
    log_p, ratio = log_phi(z)
    if z < -100.0:  # a difference of large numbers by now: its series instead
        u = 1.0 / (z * z)
        bend = (1.0 - u * (3.0 - u * (15.0 - 105.0 * u))) / (1.0 - u * (1.0 - u * (3.0 - 15.0 * u))) ** 2
    else:
        bend = ratio * (z + ratio)
    curvature = 2.0 * bend * dz * dz
    return -2.0 * log_p, -2.0 * ratio * dz, curvature - 2.0 * ratio * d2z, curvature


@kernel
def level_terms(
    f: float, y: float, censoring: int, kind: int, additive: float, proportional: float
) -> tuple[float, float, float, float]:
    """Return l, dl/df, d2l/df2 and the expected curvature (never negative) of one level.

    Parameters
    ----------
    f : float
        Predicted level, ng/mL; below zero (rounding) counts as zero.
    y : float
        The level; for a censored one, the limit.
    censoring : int
        -1 below the limit, 0 measured, 1 above it.
    kind : int
        0 additive, 1 proportional, 2 combined, 3 log.
    additive : float
        Additive standard deviation, ng/mL; not read by kinds 1 and 3.
    proportional : float
        Proportional standard deviation; for kind 3 the standard deviation of the logarithm.
    """
    f = max(f, 0.0)
    if kind == LOG:
        return _log_terms(f, y, censoring, proportional)
    a = additive if kind != PROPORTIONAL else 0.0
    p = proportional if kind != ADDITIVE else 0.0
    v, dv, d2v = a * a + p * p * f * f, 2.0 * p * p * f, 2.0 * p * p
    if censoring == MEASURED:
        r, w, g = y - f, 1.0 / v, dv / v
        value = r * r * w + np.log(v) + LOG_2_PI
        slope = -2.0 * r * w - r * r * w * g + g
        second = 2.0 * w + 4.0 * r * w * g + r * r * w * (2.0 * g * g - d2v * w) + d2v * w - g * g
        return value, slope, second, 2.0 * w + g * g
    sign = 1.0 if censoring == BELOW else -1.0
    s = np.sqrt(v)
    if s == 0.0:
        impossible = sign * (y - f) < 0.0
        return np.inf if impossible else 0.0, 0.0, 0.0, 0.0
    ds = 0.5 * dv / v
    d2s = 0.5 * d2v / v - ds * ds
    z = (y - f) / s
    dz = -1.0 / s - z * ds
    d2z = ds / s - dz * ds - z * (d2s - ds * ds)
    return _censored(sign * z, sign * dz, sign * d2z)


@kernel
def _log_terms(f: float, y: float, censoring: int, s: float) -> tuple[float, float, float, float]:
    if f == 0.0:
        return 0.0 if censoring == BELOW else np.inf, 0.0, 0.0, 0.0
    z = (np.log(y) - np.log(f)) / s
    dz = -1.0 / (s * f)
    d2z = 1.0 / (s * f * f)
    if censoring == MEASURED:
        value = z * z + 2.0 * np.log(s) + 2.0 * np.log(y) + LOG_2_PI
        return value, 2.0 * z * dz, 2.0 * dz * dz + 2.0 * z * d2z, 2.0 * dz * dz
    sign = 1.0 if censoring == BELOW else -1.0
    return _censored(sign * z, sign * dz, sign * d2z)


@kernel
def deviance(
    f: Array,
    y: Array,
    censoring: NDArray[np.int64],
    kind: NDArray[np.int64],
    additive: Array,
    proportional: Array,
    weight: Array,
) -> float:
    """Return -2 log p(levels | predictions), each level's part multiplied by its weight."""
    total = 0.0
    for i in range(y.size):
        if weight[i] != 0.0:
            total += weight[i] * level_terms(f[i], y[i], censoring[i], kind[i], additive[i], proportional[i])[0]
    return total


@kernel
def level_probabilities(
    f: Array, y: Array, kind: NDArray[np.int64], additive: Array, proportional: Array, out: Array
) -> None:
    """Write P(a new level <= y | prediction) for each row of predictions and each level.

    Parameters
    ----------
    f : float64 array (n, n_obs)
        Predictions.
    y, kind, additive, proportional : arrays (n_obs,)
        The levels (limits for censored ones) and their residual.
    out : float64 array (n, n_obs)
        Receives the probabilities.
    """
    for i in range(y.size):
        a = additive[i] if kind[i] != PROPORTIONAL else 0.0
        p = proportional[i] if kind[i] != ADDITIVE else 0.0
        for row in range(f.shape[0]):
            g = max(f[row, i], 0.0)
            gap = np.log(y[i]) - np.log(g) if kind[i] == LOG else y[i] - g
            s = p if kind[i] == LOG else np.sqrt(a * a + p * p * g * g)
            if s == 0.0:
                out[row, i] = 1.0 if gap >= 0.0 else 0.0
            else:
                out[row, i] = 0.5 * math.erfc(-gap / s * _ROOT_HALF)
