# SPDX-License-Identifier: Apache-2.0
"""Rates of many populations out of one batch of patients: density ratios as weights, with the effective sample size.

Source: self-normalised importance sampling (Kahn, Marshall, J Oper Res Soc Am 1953;1:263), applied to virtual
populations as in Schmidt 2013 and Allen 2016: the patients are simulated once, populations differ in weights only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

__all__ = ["Rates", "population_weights", "rates_of"]

Array: TypeAlias = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """Rates of S populations.

    Parameters
    ----------
    values : ndarray (S, M)
        Weighted mean of each of M outcomes.
    effective : ndarray (S,)
        Effective number of patients behind them.
    """

    values: Array
    effective: Array


def rates_of(eta: ArrayLike, proposal: ArrayLike, statistics: ArrayLike, outcomes: ArrayLike) -> Rates:
    """Compute the rates of many populations.

    ::

        w_si = exp(sum_j (eta_sj - eta0_j) T_ji),  rate_sm = sum_i w_si y_im / sum_i w_si,  ESS_s = (sum w)^2 / sum w^2

    Parameters
    ----------
    eta : array_like (S, J)
        Natural parameters of each population.
    proposal : array_like (J,)
        Those of the population that was simulated.
    statistics : array_like (J, N)
        Sufficient statistics of its patients.
    outcomes : array_like (N, M)
        0 or 1, or any number, of every patient.

    Returns
    -------
    Rates

    Examples
    --------
    Patients were drawn from N(0, 2^2); the rate of x > 1 in a population N(1, 1) is one half.

    >>> from sirolens.engine.sampling import normal, stream
    >>> x = 2.0 * normal(stream(1, "example"), (20000,))
    >>> found = rates_of([[1.0, -0.5]], [0.0, -0.125], [x, x * x], (x > 1.0)[:, None])
    >>> bool(abs(found.values[0, 0] - 0.5) < 0.01), bool(found.effective[0] > 8000)
    (True, True)
    """
    y = np.ascontiguousarray(outcomes, dtype=np.float64)
    tilt = np.ascontiguousarray(np.asarray(eta, dtype=np.float64) - np.asarray(proposal, dtype=np.float64))
    T = np.ascontiguousarray(np.asarray(statistics, dtype=np.float64).T)
    values, effective = np.empty((tilt.shape[0], y.shape[1])), np.empty(tilt.shape[0])
    _reweighted(tilt, T, y, values, effective)
    return Rates(values=values, effective=effective)


def population_weights(eta: ArrayLike, proposal: ArrayLike, statistics: ArrayLike) -> Array:
    """Return how much each patient counts in one population, (N,), mean 1; arguments as in `rates_of` with eta (J,)."""
    tilt = np.asarray(eta, dtype=np.float64) - np.asarray(proposal, dtype=np.float64)
    T = np.ascontiguousarray(np.asarray(statistics, dtype=np.float64).T)
    weights = np.empty(T.shape[0])
    _weights(np.ascontiguousarray(tilt), T, weights)
    return np.asarray(weights / weights.mean())


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(tilt: Array, T: Array, out: Array) -> None:
    """exp of the tilt of each patient, the largest scaled to 1 so that nothing overflows."""
    most = -np.inf
    for i in range(T.shape[0]):
        total = 0.0
        for j in range(tilt.size):
            total += tilt[j] * T[i, j]
        out[i] = total
        most = max(most, total)
    for i in range(T.shape[0]):
        out[i] = np.exp(out[i] - most)


@njit(cache=True, nogil=True, error_model="numpy")
def _reweighted(tilt: Array, T: Array, y: Array, values: Array, effective: Array) -> None:
    w = np.empty(T.shape[0])
    for s in range(tilt.shape[0]):
        _weights(tilt[s], T, w)
        total, squares = 0.0, 0.0
        for m in range(y.shape[1]):  # a slice would compile the words of its errors too, which takes ten times longer
            values[s, m] = 0.0
        for i in range(w.size):
            total += w[i]
            squares += w[i] * w[i]
            for m in range(y.shape[1]):
                values[s, m] += w[i] * y[i, m]
        for m in range(y.shape[1]):
            values[s, m] /= total
        effective[s] = total * total / squares
