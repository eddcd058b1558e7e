# SPDX-License-Identifier: Apache-2.0
"""Weighted least squares as meta-analysis needs it: estimates and scatter for a variance between.

Everything is a function of one number, the variance between studies; estimators of it differ in which of these
functions they set to what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.statistics.interval import Array, finite

__all__ = ["Weighted", "checked_studies", "sizes", "weighted"]


def checked_studies(y: ArrayLike, v: ArrayLike, X: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """Return effects, variances and design as arrays; without a design it is one column of ones.

    Raises
    ------
    ValueError
        Lengths differ, something is not finite, a variance is not positive, columns depend on each other.
    """
    effects, variances = finite(y, "effects"), finite(v, "variances")
    if effects.shape != variances.shape:
        raise ValueError(f"{effects.size} effects and {variances.size} variances")
    if np.any(variances <= 0):
        raise ValueError("a study without error has no weight: every variance is above 0")
    design = np.ones((effects.size, 1)) if X is None else np.asarray(X, dtype=np.float64)
    if design.ndim != 2 or design.shape[0] != effects.size or not np.all(np.isfinite(design)):
        raise ValueError("the design has one finite row for each study")
    if effects.size >= design.shape[1] > np.linalg.matrix_rank(design):
        raise ValueError("columns of the design depend on each other")
    return effects, variances, design


def sizes(X: Array) -> tuple[int, int]:
    """Return how many studies and how many coefficients a design has."""
    return int(X.shape[0]), int(X.shape[1])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A weighted fit.

    Parameters
    ----------
    b : Array, shape (p,)
        Coefficients.
    cov : Array, shape (p, p)
        Their covariance, the weights taken as known.
    weights : Array, shape (k,)
        One over the variance within plus between.
    residuals : Array, shape (k,)
    rss : float
        Weighted sum of squared residuals: Cochran's Q when the variance between is 0.
    log_det : float
        Of the information matrix.
    trace : float
        Of P, which makes weighted residuals of effects.
    rss2 : float
        y' P^2 y.
    hat : Array, shape (k,)
        Leverages.
    """

    b: Array
    cov: Array
    weights: Array
    residuals: Array
    rss: float
    log_det: float
    trace: float
    rss2: float
    hat: Array


def weighted(y: Array, v: Array, X: Array, tau2: float) -> Weighted:
    r"""Return the weighted fit for a variance between studies.

    .. math:: w_i = 1/(v_i + \tau^2), \quad b = (X'WX)^{-1}X'Wy, \quad P = W - WX(X'WX)^{-1}X'W

    Parameters
    ----------
    y, v : Array, shape (k,)
        Effects and their variances.
    X : Array, shape (k, p)
        The design.
    tau2 : float
        Variance between studies, not negative.

    Examples
    --------
    >>> fit = weighted(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.ones((2, 1)), 0.0)
    >>> round(float(fit.b[0]), 9), round(fit.rss, 9), round(fit.trace, 9)
    (1.0, 2.0, 1.0)
    """
    w = 1.0 / (v + tau2)
    root = np.sqrt(w)
    # QR of the scaled design instead of the normal equations: half the digits are not lost.
    q, r = np.linalg.qr(root[:, None] * X)
    b = np.linalg.solve(r, q.T @ (root * y))
    residuals = y - X @ b
    inverse = np.linalg.inv(r)
    weighted_residuals = w * residuals  # this is Py
    hat = np.einsum("ij,ij->i", q, q)
    return Weighted(
        b=b,
        cov=inverse @ inverse.T,
        weights=w,
        residuals=residuals,
        rss=float(residuals @ weighted_residuals),
        log_det=2.0 * float(np.log(np.abs(np.diag(r))).sum()),
        trace=float(w @ (1.0 - hat)),
        rss2=float(weighted_residuals @ weighted_residuals),
        hat=hat,
    )
