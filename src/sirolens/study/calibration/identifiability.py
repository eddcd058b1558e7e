# SPDX-License-Identifier: Apache-2.0
"""How much the counts say about each hyperparameter: contraction, profiles and correlations of the posterior.

Contraction is 1 - (posterior variance / prior variance): 0, the counts said nothing; 1, they said everything. The
profile is the best log-likelihood found in each tenth of the prior; where it nowhere falls by 1.92 below its best, the
parameter cannot be told from these counts (practical identifiability, Raue 2009, doi:10.1093/bioinformatics/btp358).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.sampling import weighted_mean, weighted_quantile
from sirolens.study.calibration.calibrate import Fit

__all__ = ["DROP", "Identifiability", "Told", "identifiability"]

Array: TypeAlias = NDArray[np.float64]

DROP = 1.92
"""Half of the 95 % point of chi-square with one degree of freedom."""
BINS = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """What the counts say about one hyperparameter, on the scale of its law.

    Parameters
    ----------
    name : str
        Such as ``dep_centre``, or ``shift_paper-a``.
    prior : tuple of float
        Median and 90 % interval of the prior.
    posterior : tuple of float
        The same of the posterior.
    contraction : float
        1 - variance ratio.
    profile : ndarray (10,)
        Best log-likelihood in each tenth of the prior, less the best of all.
    identifiable : bool
        Whether the profile falls by `DROP` on both sides, or on one: see `side`.
    side : str
        ``"both"``, ``"low"`` (low values are excluded), ``"high"`` or ``"none"``.
    """

    name: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    contraction: float
    profile: Array
    identifiable: bool
    side: str


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identifiability:
    """All hyperparameters.

    Parameters
    ----------
    told : tuple of Told
        One each.
    correlation : ndarray (H, H)
        Of the posterior, in the same order.
    effective : float
        Effective draws of the posterior.
    """

    told: tuple[Told, ...]
    correlation: Array
    effective: float


def identifiability(found: Fit, explanation: str = "both") -> Identifiability:
    """Say how much the counts tell, over all structures.

    Parameters
    ----------
    found : Fit
        The fit.
    explanation : str
        One of `sirolens.study.calibration.calibrate.EXPLANATIONS`.
    """
    weights = np.sum(list(found.weights(explanation).values()), axis=0)
    logs = np.max([one.total(explanation) for one in found.structures.values()], axis=0)
    shifted = explanation in ("cohorts", "both")
    columns = [*found.theta.reshape(found.theta.shape[0], -1).T, *(found.shifts.T if shifted else ())]
    names = [*found.prior.names, *(f"shift_{cohort}" for cohort in found.cohorts if shifted)]
    told = tuple(_told(name, column, weights, logs) for name, column in zip(names, columns, strict=True))
    return Identifiability(
        told=told, correlation=_correlation(np.array(columns), weights), effective=found.effective(explanation)
    )


def _told(name: str, values: Array, weights: Array, logs: Array) -> Told:
    at = [0.5, 0.05, 0.95]
    equal = np.ones(values.size)
    edges = np.quantile(values, np.linspace(0.0, 1.0, BINS + 1))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    profile = np.array([logs[place == b].max(initial=-np.inf) for b in range(BINS)]) - logs.max()
    low, high = bool(profile[0] < -DROP), bool(profile[-1] < -DROP)
    side = "both" if low and high else "low" if low else "high" if high else "none"
    variance = float(weighted_mean((values - weighted_mean(values, weights)) ** 2, weights))
    return Told(
        name=name,
        prior=_three(weighted_quantile(values, equal, at)),
        posterior=_three(weighted_quantile(values, weights, at)),
        contraction=1.0 - variance / float(values.var()),
        profile=profile,
        identifiable=low or high,
        side=side,
    )


def _three(values: Array) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _correlation(columns: Array, weights: Array) -> Array:
    share = weights / weights.sum()
    centred = columns - (columns @ share)[:, None]
    covariance = (centred * share) @ centred.T
    sd = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(sd, sd))
