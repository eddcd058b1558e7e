# SPDX-License-Identifier: Apache-2.0
"""The same posterior once more, written independently: SciPy's densities and optimisers, and long Markov chains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import multivariate_normal

from validation.estimation.patients import LIMIT_NG_ML, Invented, predict

Array = NDArray[np.float64]

STARTS = 50
SPREAD = 2.0  # of the starts, in standard deviations of the prior
CHAINS = 400
DIFFERENCE = 1e-5  # of central differences
FARTHEST = 8.0  # standard deviations of the prior


def minus_2_log_likelihood(patient: Invented, eta: Array) -> Array:
    """-2 log p(levels | eta) of rows of etas."""
    m = patient.time_h.size - 1
    f = predict(
        patient.model, patient.typical, patient.dose_time_h, patient.dose_mg, patient.time_h[:m], np.atleast_2d(eta)
    )
    y, below, r = patient.problem.levels.y[:m], patient.problem.levels.censoring[:m] < 0, patient.model.residual
    if r.on_log_scale:
        z, s, jacobian = np.log(y / f), np.full_like(f, r.log_sd), np.log(y)
    else:
        s = np.sqrt(r.additive_ng_ml**2 + (r.proportional * f) ** 2)
        z, jacobian = y - f, np.zeros(m)
    measured = -0.5 * (z / s) ** 2 - np.log(s) - 0.5 * np.log(2.0 * np.pi) - jacobian
    limit = np.log(LIMIT_NG_ML / f) if r.on_log_scale else LIMIT_NG_ML - f
    return np.asarray(-2.0 * np.where(below, log_ndtr(limit / s), measured).sum(axis=1))


def objective(patient: Invented, eta: Array) -> Array:
    """-2 log p(levels, eta) of rows of etas."""
    rows = np.atleast_2d(eta)
    prior = multivariate_normal(np.zeros(rows.shape[1]), patient.model.omega).logpdf(rows)
    return minus_2_log_likelihood(patient, rows) - 2.0 * np.atleast_1d(prior)


def best_of_many(patient: Invented, rng: np.random.Generator, starts: int = STARTS) -> tuple[float, Array]:
    """The lowest objective SciPy finds from many starts, and where.

    The starts descend side by side: L-BFGS-B minimises the sum of their objectives, which is lowest where each is.
    The best end is then polished by BFGS and Nelder-Mead.
    """
    sd = np.sqrt(np.diag(patient.model.omega))
    d = sd.size
    shift = DIFFERENCE * np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)])

    def values_and_slopes(x: Array) -> tuple[Array, Array]:
        rows = x.reshape(-1, 1, d) + shift
        values = objective(patient, rows.reshape(-1, d) * sd).reshape(-1, 2 * d + 1)
        return values[:, 0], (values[:, 1 : d + 1] - values[:, d + 1 :]) / (2.0 * DIFFERENCE)

    def summed(x: Array) -> tuple[float, Array]:
        values, slopes = values_and_slopes(x)
        return float(values.sum()), slopes.ravel()

    first = SPREAD * rng.standard_normal(starts * d)
    bounds = [(-FARTHEST, FARTHEST)] * first.size
    ends = minimize(summed, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}).x
    x = ends.reshape(-1, d)[int(np.argmin(values_and_slopes(ends)[0]))]
    best = minimize(summed, x, jac=True, method="BFGS", options={"gtol": 1e-7})
    fine = {"xatol": 1e-7, "fatol": 1e-11}
    polished = minimize(lambda x: summed(x)[0], best.x, method="Nelder-Mead", options=fine)
    best = min((best, polished), key=lambda one: one.fun)
    return float(best.fun), best.x * sd


def long_chain(
    patient: Invented, rng: np.random.Generator, *, steps: int, burn_in: int, chains: int = CHAINS
) -> tuple[Array, Array]:
    """Random-walk Metropolis: kept etas (n, n_eta) and the trough nobody measured (n,)."""
    factor = np.linalg.cholesky(patient.model.omega)
    d = factor.shape[0]
    at = rng.standard_normal((chains, d)) @ factor.T
    value = objective(patient, at)
    walk = 2.0 / np.sqrt(d) * factor
    kept = []
    for step in range(steps):
        if step in (burn_in // 3, 2 * burn_in // 3):  # the walk takes the shape of what the chains have spread over
            walk = 2.0 / np.sqrt(d) * np.linalg.cholesky(np.cov(at.T).reshape(d, d) + 1e-12 * np.eye(d))
        new = at + rng.standard_normal((chains, d)) @ walk.T
        new_value = objective(patient, new)
        accepted = np.log(rng.uniform(size=chains)) < 0.5 * (value - new_value)
        at, value = np.where(accepted[:, None], new, at), np.where(accepted, new_value, value)
        if step >= burn_in and step % 5 == 0:
            kept.append(at.copy())
    eta = np.concatenate(kept)
    trough = predict(patient.model, patient.typical, patient.dose_time_h, patient.dose_mg, patient.time_h[-1:], eta)
    return eta, trough[:, 0]
