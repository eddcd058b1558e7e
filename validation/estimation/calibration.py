# SPDX-License-Identifier: Apache-2.0
"""Simulation-based calibration: where the truth falls among the draws, and whether that is uniform.

If patients are drawn from the prior and their levels from the model, the share of posterior weight below the truth is
uniform, for every quantity. The empirical distribution of these shares must stay inside a band that a truly uniform
sample leaves in 1 % of cases anywhere (simultaneous band).

Sources: Talts et al., arXiv:1804.06788; band after Sailynoja, Burkner, Vehtari, Stat Comput 2022;32:32,
doi:10.1007/s11222-022-10090-6; log likelihood as a quantity after Modrak et al., arXiv:2211.02383.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from sirolens.engine.bayes import Posterior, mode, posterior
from sirolens.engine.sampling import weighted_quantile
from validation.estimation.oracle import minus_2_log_likelihood
from validation.estimation.patients import Invented, invent

Array = NDArray[np.float64]

OUTSIDE = 0.01  # how often a uniform sample leaves the band anywhere
GRID = np.linspace(0.01, 0.99, 99)  # where the empirical distribution is compared
REPEATS = 4000  # uniform samples that calibrate the band
INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a run over many invented patients of one model found.

    Parameters
    ----------
    names : tuple of str
        The quantities: each eta, ``"trough"`` (a future one nobody measured), ``"log-likelihood"``.
    share : float64 array (n, quantities)
        Posterior weight below the truth.
    inside : float64 array (quantities,)
        How often the 90 % interval holds the truth; NaN for the log likelihood.
    k_hat, effective : float64 arrays (n,)
        Of the weights.
    censored : float
        Share of levels below the limit.
    """

    names: tuple[str, ...]
    share: Array
    inside: Array
    k_hat: Array
    effective: Array
    censored: float


def calibrate(name: str, *, seed: int, patients: int, draws: int) -> Calibration:
    """Estimate many invented patients of one model, and see where the truth falls."""
    shares, inside, k_hat, effective, censored = [], [], [], [], []
    for number in range(patients):
        patient = invent(name, seed, number)
        found = posterior(patient.problem, mode(patient.problem), draws=draws, seed=number)
        shares.append(_shares(patient, found))
        inside.append(_inside(patient, found))
        k_hat.append(found.k_hat)
        effective.append(found.effective_draws / draws)
        censored.append((patient.problem.levels.censoring[:-1] < 0).mean())
    return Calibration(
        names=(*(f"eta {eta}" for eta in patient.model.eta_names), "trough", "log-likelihood"),
        share=np.array(shares),
        inside=np.mean(inside, axis=0),
        k_hat=np.array(k_hat),
        effective=np.array(effective),
        censored=float(np.mean(censored)),
    )


def _shares(patient: Invented, found: Posterior) -> Array:
    """Posterior weight below the truth."""
    draws = np.column_stack([found.eta, found.predicted_ng_ml[:, -1], -0.5 * found.minus_2_log_likelihood])
    truth = np.array([*patient.eta, patient.true_ng_ml[-1], -0.5 * minus_2_log_likelihood(patient, patient.eta)[0]])
    return np.asarray(found.weight @ (draws < truth))


def _inside(patient: Invented, found: Posterior) -> Array:
    draws = np.column_stack([found.eta, found.predicted_ng_ml[:, -1]])
    low, high = weighted_quantile(draws, found.weight, INTERVAL)
    truth = np.array([*patient.eta, patient.true_ng_ml[-1]])
    return np.append((low <= truth) & (truth <= high), np.nan)


def farthest(share: Array) -> float:
    """How unlikely the point of the empirical distribution is that lies farthest out: a two-sided binomial p."""
    counts = (share[:, None] <= GRID).sum(axis=0)
    n = share.size
    return float(2.0 * np.minimum(binom.cdf(counts, n, GRID), binom.sf(counts - 1, n, GRID)).min())


def band(n: int, rng: np.random.Generator) -> float:
    """The value of `farthest` that a uniform sample of size n falls below in 1 % of cases."""
    return float(np.quantile([farthest(rng.uniform(size=n)) for _ in range(REPEATS)], OUTSIDE))
