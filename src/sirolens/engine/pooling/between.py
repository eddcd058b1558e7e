# SPDX-License-Identifier: Apache-2.0
"""How much studies differ beyond chance: nine estimators of the variance between studies, each truly converged.

Oracles: the defining equations solved by other means (`scipy.optimize` on the likelihood), printed tables, statsmodels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.weighted import checked_studies, sizes, weighted
from sirolens.engine.statistics.interval import Array, Interval, Undefined, checked_level, no_interval

__all__ = ["Between", "Tau2Method", "between", "q_profile", "restricted_log_likelihood"]

_GRID = 160  # places between 0 and the bound where the slope's sign is looked at
_LAST_DIGIT = 4 * np.finfo(float).eps


class Tau2Method(StrEnum):
    """An estimator of the variance between studies."""

    EE = "EE"  # equal effects: it is 0
    DL = "DL"  # DerSimonian and Laird
    HE = "HE"  # Hedges
    HS = "HS"  # Hunter and Schmidt
    SJ = "SJ"  # Sidik and Jonkman
    ML = "ML"  # maximum likelihood
    REML = "REML"  # restricted maximum likelihood
    EB = "EB"  # empirical Bayes: the same equation as PM
    PM = "PM"  # Paule and Mandel


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The variance between studies.

    Parameters
    ----------
    tau2 : float
        Not negative; nan when there are not more studies than coefficients.
    method : Tau2Method
    truncated : bool
        True when the estimator's own equation has its solution below 0, so that it was set to 0.
    maxima : tuple of float
        Of ML and REML: every local maximum of the likelihood that was found, the highest is `tau2`.
    reason : Undefined, optional
        Why there is none.
    """

    tau2: float
    method: Tau2Method
    truncated: bool = False
    maxima: tuple[float, ...] = ()
    reason: Undefined | None = None


def between(y: ArrayLike, v: ArrayLike, X: ArrayLike | None = None, method: str = Tau2Method.REML) -> Between:
    r"""Return the variance between studies by one of nine estimators.

    With :math:`P` and :math:`w_i` of `weighted`, :math:`k` studies and :math:`p` coefficients:

    .. math::
        DL: \frac{y'Py - (k-p)}{\operatorname{tr} P} \quad
        HS: \frac{y'Py - k}{\sum w_i} \quad
        HE: \frac{y'P_1y - \operatorname{tr} P_1V}{k-p} \quad
        SJ: \tau_0^2 \frac{y'P_{\tau_0}y}{k-p},\ \tau_0^2 = \frac1k\sum(y_i-\bar y)^2

    (DL and HS at variance 0, HE with all weights 1); PM and EB solve :math:`y'P_\tau y = k-p`; ML and REML are the
    highest point of the (restricted) likelihood: every change of sign of its slope below a bound that holds all of them
    is followed to the last digit, and 0 competes too.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and their variances.
    X : array_like, shape (k, p), optional
        The design; one column of ones when not given.
    method : str
        One of `Tau2Method`.

    References
    ----------
    DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. Sidik K, Jonkman JN. Appl Stat 2005;54:367-384. Paule
    RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385. Viechtbauer W. J Educ Behav Stat 2005;30:261-293.

    Examples
    --------
    >>> y, v = [0.405465108, 1.725452], [0.2083333333, 0.0906216]
    >>> print(*(f"{name} {between(y, v, method=name).tau2:.4f}" for name in ("DL", "REML", "PM")))
    DL 0.7217 REML 0.7217 PM 0.7217
    """
    effects, variances, design = checked_studies(y, v, X)
    rule = Tau2Method(method)
    k, p = sizes(design)
    if rule is Tau2Method.EE:
        return Between(tau2=0.0, method=rule)
    if k <= p:
        return Between(tau2=float("nan"), method=rule, reason=Undefined.TOO_FEW)
    if rule in (Tau2Method.ML, Tau2Method.REML):
        return _highest(effects, variances, design, rule)
    if rule in (Tau2Method.PM, Tau2Method.EB):
        tau2 = _rss_equal(effects, variances, design, float(k - p))
        return Between(tau2=max(tau2, 0.0), method=rule, truncated=tau2 < 0)
    tau2 = _moments(effects, variances, design, rule)
    return Between(tau2=max(tau2, 0.0), method=rule, truncated=tau2 < 0)


def _moments(y: Array, v: Array, X: Array, rule: Tau2Method) -> float:
    k, p = sizes(X)
    if rule is Tau2Method.HE:
        plain = weighted(y, np.ones(k), X, 0.0)
        return (plain.rss - float(v @ (1.0 - plain.hat))) / (k - p)
    if rule is Tau2Method.SJ:
        start = float(np.mean((y - y.mean()) ** 2))
        return start * weighted(y, v, X, start).rss / (k - p)
    fit = weighted(y, v, X, 0.0)
    if rule is Tau2Method.HS:
        return (fit.rss - k) / float(fit.weights.sum())
    return (fit.rss - (k - p)) / fit.trace


def _bound(y: Array, v: Array, X: Array) -> float:
    r"""Return a variance above which no slope of the likelihood is positive and `rss` is below k-p.

    With S the unweighted residual scatter, y'P^2y <= S/t^2 and tr P >= (k-p)/(max v + t).
    """
    k, p = sizes(X)
    scatter = weighted(y, np.ones(k), X, 0.0).rss / (k - p)
    return (scatter + float(np.sqrt(scatter**2 + 4.0 * scatter * v.max()))) / 2.0


def _rss_equal(y: Array, v: Array, X: Array, target: float) -> float:
    """Return where the generalised Q, which falls in tau2, meets a target; -1 when it starts below it."""
    from scipy.optimize import brentq

    def excess(t: float) -> float:
        return weighted(y, v, X, t).rss - target

    if excess(0.0) <= 0:
        return 0.0 if excess(0.0) == 0 else -1.0
    # Q(t) <= S/t, so at S/target it has fallen to the target.
    k = y.size
    high = weighted(y, np.ones(k), X, 0.0).rss / target * (1 + 1e-9) if target > 0 else np.inf
    return float(brentq(excess, 0.0, high, xtol=1e-300, rtol=_LAST_DIGIT, maxiter=500))


def restricted_log_likelihood(y: Array, v: Array, X: Array, tau2: float, *, restricted: bool = True) -> float:
    r"""Return the (restricted) log likelihood at its best coefficients.

    .. math:: -\tfrac12\Bigl[\sum\log(v_i+\tau^2) + y'Py + \{\log\det X'WX\} + c\log 2\pi\Bigr]

    Parameters
    ----------
    y, v : Array, shape (k,)
    X : Array, shape (k, p)
    tau2 : float
    restricted : bool
        With the term in braces and c = k - p; else without and c = k.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> round(restricted_log_likelihood(one, one, np.ones((1, 1)), 0.0, restricted=False), 4)
    -0.9189
    """
    fit = weighted(y, v, X, tau2)
    k, p = sizes(X)
    parts = float(np.log(v + tau2).sum()) + fit.rss
    if restricted:
        return -0.5 * (parts + fit.log_det + (k - p) * float(np.log(2 * np.pi)))
    return -0.5 * (parts + k * float(np.log(2 * np.pi)))


def _highest(y: Array, v: Array, X: Array, rule: Tau2Method) -> Between:
    restricted = rule is Tau2Method.REML

    def slope(t: float) -> float:
        fit = weighted(y, v, X, t)
        return fit.rss2 - (fit.trace if restricted else float(fit.weights.sum()))

    top = _bound(y, v, X) * (1 + 1e-9)
    least = float(v.min())
    # Even steps of log(1 + t/min v): the likelihood changes on the scale of the variances within.
    grid = least * np.expm1(np.linspace(0.0, np.log1p(top / least), _GRID))
    peaks = _peaks(slope, grid, _slopes(y, v, X, grid, restricted))
    heights = [restricted_log_likelihood(y, v, X, t, restricted=restricted) for t in peaks]
    best = peaks[int(np.argmax(heights))]
    return Between(tau2=best, method=rule, truncated=best == 0.0, maxima=tuple(peaks))


def _slopes(y: Array, v: Array, X: Array, grid: Array, restricted: bool) -> Array:
    """Return the likelihood's slope at all places of a grid at once: for its signs, not its digits."""
    w = 1.0 / (v[None, :] + grid[:, None])
    information = np.einsum("gk,ki,kj->gij", w, X, X)
    b = np.linalg.solve(information, np.einsum("gk,ki,k->gi", w, X, y)[..., None])[..., 0]
    left = w * (y[None, :] - b @ X.T)
    fall = w.sum(axis=1)
    if restricted:
        squared = np.einsum("gk,ki,kj->gij", w**2, X, X)
        fall = fall - np.trace(np.linalg.solve(information, squared), axis1=1, axis2=2)
    return np.asarray((left**2).sum(axis=1) - fall, dtype=np.float64)


def _peaks(slope: Callable[[float], float], grid: Array, slopes: Array) -> list[float]:
    from scipy.optimize import brentq

    peaks = [0.0] if slopes[0] <= 0 else []
    for (low, rising), (high, falling) in pairwise(zip(grid, slopes, strict=True)):
        if rising > 0 >= falling:
            # On the very place of a peak the two ways of the slope may round to different signs.
            if slope(low) <= 0:
                peaks.append(float(low))
            elif slope(high) > 0:
                peaks.append(float(high))
            else:
                peaks.append(float(brentq(slope, low, high, xtol=1e-300, rtol=_LAST_DIGIT, maxiter=500)))
    # Only rounding at the bound can leave no change of sign (all effects equal and variances alike).
    return peaks or [0.0]


def q_profile(y: ArrayLike, v: ArrayLike, X: ArrayLike | None = None, level: float = 0.95) -> Interval:
    r"""Return the Q-profile interval of the variance between studies.

    The variances at which the generalised :math:`Q(\tau^2)=y'P_\tau y` equals the upper and lower quantile of
    :math:`\chi^2_{k-p}`. It need not hold the point estimate. When even Q(0) lies below the lower quantile no variance
    is compatible: the interval is empty and says so.

    Parameters
    ----------
    y, v : array_like, shape (k,)
    X : array_like, shape (k, p), optional
    level : float

    References
    ----------
    Viechtbauer W. Stat Med 2007;26:37-52.

    Examples
    --------
    >>> found = q_profile([0.405465108, 1.725452], [0.2083333333, 0.0906216])
    >>> print(f"{found.low:.2f} to {found.high:.0f}")
    0.02 to 887
    >>> q_profile([0.5, 0.5], [1.0, 1.0]).reason
    <Undefined.ALL_EQUAL: 'all-equal'>
    """
    from scipy.stats import chi2

    level = checked_level(level)
    effects, variances, design = checked_studies(y, v, X)
    k, p = sizes(design)
    if k <= p:
        return no_interval(level, "q-profile", Undefined.TOO_FEW)
    low_target, high_target = (float(chi2.ppf(q, k - p)) for q in ((1 + level) / 2, (1 - level) / 2))
    high = _rss_equal(effects, variances, design, high_target)
    if high < 0:
        return no_interval(level, "q-profile", Undefined.ALL_EQUAL)
    low = max(0.0, _rss_equal(effects, variances, design, low_target))
    return Interval(low=low, high=high, level=level, method="q-profile")
