# SPDX-License-Identifier: Apache-2.0
"""How well a model describes data: prediction errors, shrinkage, NPDE and prediction-corrected checks.

Everything here is arrays in, arrays out; predictions and simulations come from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PredictionErrors",
    "VisualCheck",
    "npde",
    "prediction_corrected_check",
    "prediction_errors",
    "shrinkage",
]

Floats = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95)
"""The percentiles a visual check compares."""
BAND = (0.025, 0.975)
"""The interval of each simulated percentile: 95 %."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionErrors:
    """How far predictions lie from what was measured.

    Parameters
    ----------
    n : int
        Number of pairs.
    mpe_percent : float
        Mean prediction error, relative: bias.
    mape_percent : float
        Mean absolute prediction error, relative: precision.
    median_pe_percent, median_ape_percent : float
        The same as medians.
    rmse_ng_ml : float
        Root mean squared error.
    relative_rmse_percent : float
        Root mean squared relative error.
    within_20_percent, within_30_percent : float
        Share of predictions within 20 and 30 % of what was measured, in percent.
    """

    n: int
    mpe_percent: float
    mape_percent: float
    median_pe_percent: float
    median_ape_percent: float
    rmse_ng_ml: float
    relative_rmse_percent: float
    within_20_percent: float
    within_30_percent: float


def prediction_errors(observed_ng_ml: Floats, predicted_ng_ml: Floats) -> PredictionErrors | None:
    """Summarise the errors of predictions.

    ::

        PE = 100 (predicted - observed) / observed

    Parameters
    ----------
    observed_ng_ml, predicted_ng_ml : float arrays, shape (n,)
        Pairs; those with a value that is not finite, or an observation of zero, are left out and `n` says how many
        remain.

    Returns
    -------
    PredictionErrors or None
        None when no pair remains.

    Examples
    --------
    >>> errors = prediction_errors(np.array([10.0, 5.0]), np.array([11.0, 4.0]))
    >>> round(errors.mpe_percent, 6), round(errors.mape_percent, 6)
    (-5.0, 15.0)
    """
    usable = np.isfinite(observed_ng_ml) & np.isfinite(predicted_ng_ml) & (observed_ng_ml > 0.0)
    if not usable.any():
        return None
    observed, error = observed_ng_ml[usable], (predicted_ng_ml - observed_ng_ml)[usable]
    relative = 100.0 * error / observed
    return PredictionErrors(
        n=int(usable.sum()),
        mpe_percent=float(relative.mean()),
        mape_percent=float(np.abs(relative).mean()),
        median_pe_percent=float(np.median(relative)),
        median_ape_percent=float(np.median(np.abs(relative))),
        rmse_ng_ml=float(np.sqrt((error**2).mean())),
        relative_rmse_percent=float(np.sqrt((relative**2).mean())),
        within_20_percent=float(100.0 * (np.abs(relative) <= 20.0).mean()),
        within_30_percent=float(100.0 * (np.abs(relative) <= 30.0).mean()),
    )


def shrinkage(eta: Floats, omega: Floats) -> Floats:
    """Compute how far empirical Bayes estimates shrink towards the typical patient.

    ::

        1 - sd(eta_j) / sqrt(omega_jj)

    Parameters
    ----------
    eta : float array, shape (patients, n_eta)
        Empirical Bayes estimates.
    omega : float array, shape (n_eta, n_eta)
        The model's covariance.

    Returns
    -------
    float array, shape (n_eta,)
        0 is none, 1 is complete; not-a-number with fewer than two patients.

    Examples
    --------
    >>> shrinkage(np.array([[0.3], [-0.3]]), np.array([[0.18]])).round(6).tolist()
    [0.0]
    """
    if eta.shape[0] < 2:
        return np.full(eta.shape[1], np.nan)
    return np.asarray(1.0 - eta.std(axis=0, ddof=1) / np.sqrt(np.diag(omega)))


def npde(
    observed_ng_ml: Floats,
    simulated_ng_ml: Floats,
    *,
    below: NDArray[np.bool_] | None = None,
    limit_ng_ml: Floats | None = None,
    uniform: Floats | None = None,
) -> Floats:
    """Compute one patient's normalised prediction distribution errors, decorrelated.

    Observations and simulations are decorrelated by the inverse Cholesky factor of the simulations' covariance; each
    observation's rank among its simulations is turned into a standard normal deviate.

    Parameters
    ----------
    observed_ng_ml : float array, shape (n,)
        One patient's observations.
    simulated_ng_ml : float array, shape (K, n)
        Simulations with residual error, of the same records.
    below : bool array, shape (n,), optional
        Observations below the limit of quantification. Each is replaced by the simulated quantile of a uniform number
        below its predicted probability of being below, so that their errors are standard normal too.
    limit_ng_ml, uniform : float arrays, shape (n,), optional
        The limit, and the uniform numbers, for those.

    Returns
    -------
    float array, shape (n,)
        Standard normal under the model; not-a-number where the simulations have no spread.

    References
    ----------
    Brendel et al., Pharm Res 2006;23:2036-49; Comets et al., Comput Methods Programs Biomed 2008;90:154-66.

    Examples
    --------
    >>> stream = np.random.default_rng(1)
    >>> bool(abs(npde(np.array([0.0]), stream.normal(size=(2001, 1)))[0]) < 0.1)
    True
    """
    from scipy.special import ndtri

    observed = np.array(observed_ng_ml, dtype=np.float64)
    if below is not None and below.any():
        if limit_ng_ml is None or uniform is None:
            raise ValueError("observations below the limit need the limit and uniform numbers")
        for j in np.flatnonzero(below):
            share = (simulated_ng_ml[:, j] < limit_ng_ml[j]).mean()
            observed[j] = np.quantile(simulated_ng_ml[:, j], uniform[j] * share)
    centre = simulated_ng_ml.mean(axis=0)
    covariance = np.atleast_2d(np.cov(simulated_ng_ml, rowvar=False))
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.full(observed.size, np.nan)
    decorrelated = np.linalg.solve(factor, (simulated_ng_ml - centre).T).T
    own = np.linalg.solve(factor, observed - centre)
    draws = decorrelated.shape[0]
    # Ranks of 0 and K stand half a rank inside, as in the published algorithm.
    rank = np.clip((decorrelated < own).mean(axis=0), 0.5 / draws, 1.0 - 0.5 / draws)
    return np.asarray(ndtri(rank))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VisualCheck:
    """A prediction-corrected visual predictive check, bin by bin.

    Parameters
    ----------
    bin_low, bin_high, bin_mid : float arrays, shape (bins,)
        Edges and median of the binning variable.
    n : int array, shape (bins,)
        Observations in each bin.
    observed : float array, shape (bins, 3)
        5th, 50th and 95th percentile of the corrected observations [ng/mL].
    simulated : float array, shape (bins, 3, 3)
        For each of those percentiles the 2.5th, 50th and 97.5th percentile over the replicates [ng/mL].
    """

    bin_low: Floats
    bin_high: Floats
    bin_mid: Floats
    n: NDArray[np.int64]
    observed: Floats
    simulated: Floats


def prediction_corrected_check(
    variable: Floats,
    observed_ng_ml: Floats,
    predicted_ng_ml: Floats,
    simulated_ng_ml: Floats,
    *,
    bins: int = 8,
) -> VisualCheck:
    """Compare percentiles of observations and simulations after correcting both for the typical prediction.

    ::

        y_corrected = y * median(PRED in the bin) / PRED

    Parameters
    ----------
    variable : float array, shape (n,)
        What is binned: time, or time after dose.
    observed_ng_ml, predicted_ng_ml : float arrays, shape (n,)
        Observations and typical predictions (eta = 0).
    simulated_ng_ml : float array, shape (K, n)
        Simulations with residual error.
    bins : int
        At most this many bins of about equal counts; equal values share a bin.

    References
    ----------
    Bergstrand et al., AAPS J 2011;13:143-51, doi:10.1208/s12248-011-9255-z.

    Examples
    --------
    >>> stream = np.random.default_rng(1)
    >>> check = prediction_corrected_check(np.arange(40.0), np.full(40, 5.0), np.full(40, 5.0),
    ...                                    stream.normal(5.0, 1.0, (200, 40)), bins=2)
    >>> check.n.tolist()
    [20, 20]
    """
    edges = np.unique(np.quantile(variable, np.linspace(0.0, 1.0, bins + 1)))
    member = np.clip(np.searchsorted(edges, variable, side="right") - 1, 0, max(edges.size - 2, 0))
    used = np.unique(member)
    observed = np.empty((used.size, len(QUANTILES)))
    simulated = np.empty((used.size, len(QUANTILES), 3))
    low, high, mid, n = (np.empty(used.size) for _ in range(4))
    for row, which in enumerate(used):
        inside = member == which
        factor = np.median(predicted_ng_ml[inside]) / predicted_ng_ml[inside]
        observed[row] = np.quantile(observed_ng_ml[inside] * factor, QUANTILES)
        replicate = np.quantile(simulated_ng_ml[:, inside] * factor, QUANTILES, axis=1)
        simulated[row] = np.quantile(replicate, (BAND[0], 0.5, BAND[1]), axis=1).T
        low[row], high[row] = variable[inside].min(), variable[inside].max()
        mid[row], n[row] = np.median(variable[inside]), inside.sum()
    return VisualCheck(
        bin_low=low, bin_high=high, bin_mid=mid, n=n.astype(np.int64), observed=observed, simulated=simulated
    )
