# SPDX-License-Identifier: Apache-2.0
"""Logistic regression of few events: Firth's penalised likelihood, which stays finite when groups are separated.

Oracles: brute-force maximisation by a general optimiser, the closed form of one two-by-two table, statsmodels where
the penalty no longer matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import Array, Interval, Undefined, checked_level, no_interval

__all__ = ["Coefficient", "FirthFit", "firth_logistic"]

_STEPS = 200
_LONGEST_STEP = 5.0  # on the standardised scale
_CLOSE = 1e-10
_ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative error of a log likelihood summed over some dozens of patients."""
_NOISE = 4 * float(np.finfo(np.float64).eps)
"""Relative rounding of one summed over thousands: a smaller fall is none, or the search would wander in it for long."""
_FAR_BELOW = 1e6  # keeps a likelihood of zero a number that a root finder can use


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A log odds ratio per unit of its covariate.

    Parameters
    ----------
    estimate : float
        On the log scale; ``math.exp`` of it is the odds ratio.
    interval : Interval
        Profile penalised-likelihood limits; one the likelihood does not bound is infinite, with the reason.
    p_value : float
        Penalised likelihood ratio test that it is zero.
    """

    estimate: float
    interval: Interval
    p_value: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FirthFit:
    """A fitted model.

    Parameters
    ----------
    intercept : Coefficient
        The log odds where all covariates are zero.
    coefficients : tuple of Coefficient
        One a covariate.
    log_likelihood : float
        Penalised, at the estimate.
    n, events : int
        Patients, and patients with the outcome.
    events_per_variable : float
        The rarer outcome over the number of covariates: below some 10 a model of several covariates is a hypothesis.
    p_value : float
        Penalised likelihood ratio test that all covariates are zero.
    separated : bool
        Some combination of covariates predicts the outcome without error: ordinary estimates would be infinite.
    converged : bool
        Whether the search ended.
    reason : Undefined, optional
        Why there is no fit.
    """

    intercept: Coefficient
    coefficients: tuple[Coefficient, ...]
    log_likelihood: float
    n: int
    events: int
    events_per_variable: float
    p_value: float
    separated: bool
    converged: bool
    reason: Undefined | None = None


def _penalised(X: Array, y: Array, beta: Array) -> tuple[float, Array, Array]:
    """Return the penalised log likelihood, its modified score and the information."""
    eta = X @ beta
    pi = 0.5 * (1 + np.tanh(eta / 2))
    w = pi * (1 - pi)
    information = (X * w[:, None]).T @ X
    sign, log_det = np.linalg.slogdet(information)
    if sign <= 0:
        return -math.inf, np.zeros_like(beta), information
    value = float(y @ eta - np.logaddexp(0, eta).sum()) + 0.5 * float(log_det)
    leverage = w * np.einsum("ij,ij->i", X @ np.linalg.inv(information), X)
    score: Array = X.T @ (y - pi + leverage * (0.5 - pi))
    return value, score, information


def _maximised(X: Array, y: Array, start: Array, free: NDArray[np.bool_]) -> tuple[Array, float, bool]:
    """Climb to the maximum over the free coefficients by scoring steps, halved until they climb."""
    beta = start.copy()
    value, score, information = _penalised(X, y, beta)
    slope = 0.0
    for _ in range(_STEPS):
        if not free.any() or np.max(np.abs(score[free])) < _CLOSE:
            return beta, value, True
        step = np.linalg.solve(information[np.ix_(free, free)], score[free])
        if slope < 0:
            step = -score[free] / slope
        step *= min(1.0, _LONGEST_STEP / float(np.max(np.abs(step))))
        for _ in range(40):
            trial = beta.copy()
            trial[free] += step
            trial_value, trial_score, trial_information = _penalised(X, y, trial)
            level = trial_value >= value - max(1e-12, _NOISE * abs(value))
            if trial_value > value or (level and np.max(np.abs(trial_score[free])) < 1e-6):
                break
            step = step / 2
        else:
            return beta, value, bool(np.max(np.abs(score[free])) < 1e-5)
        if free.sum() == 1:  # the secant of the score knows of the penalty, which the information does not
            moved = float((trial - beta)[free][0])
            slope = float((trial_score - score)[free][0]) / moved if moved else 0.0
        beta, value, score, information = trial, trial_value, trial_score, trial_information
    return beta, value, bool(np.max(np.abs(score[free])) < 1e-5)


def _limit(profile: Callable[[float], float], estimate: float, target: float, side: int) -> float:
    """Return where the profile falls to the target on one side of the estimate; infinite where it never does."""
    from scipy.optimize import brentq

    inner, step = estimate, 1.0
    while step < 1e3:
        outer = inner + side * step
        if profile(outer) < target:
            low, high = min(inner, outer), max(inner, outer)
            return float(brentq(lambda b: profile(b) - target, low, high, xtol=1e-9))
        inner, step = outer, 2 * step
    return side * math.inf


def _separated(X: Array, y: Array) -> bool:
    """Say whether some combination of columns predicts the outcome without error (a linear programme)."""
    from scipy.optimize import linprog

    signed = X * np.where(y > 0, 1.0, -1.0)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(y.size), bounds=[(-1, 1)] * X.shape[1])
    return found.status == 0 and found.fun is not None and bool(found.fun < -1e-7)


def firth_logistic(X: ArrayLike, y: ArrayLike, level: float = 0.95) -> FirthFit:
    r"""Return Firth's bias-reduced logistic regression with profile penalised-likelihood intervals.

    It maximises :math:`\ell^*(\beta) = \sum_i [y_i \eta_i - \log(1+e^{\eta_i})] + \tfrac12 \log\det X^\top W X`; limits
    of a coefficient are where its profile lies :math:`\chi^2_{1,L}/2` below the maximum, and its P value compares with
    the maximum where it is zero. An intercept is added.

    Parameters
    ----------
    X : array_like, shape (n,) or (n, p)
        Covariates, finite; any unit.
    y : array_like of bool, shape (n,)
        The outcome.
    level : float
        Level of confidence.

    References
    ----------
    Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med 2002;21:2409-2419.

    Examples
    --------
    Ten responders all below the line and ten others all above it: ordinary logistic regression has no answer.

    >>> fit = firth_logistic([0] * 10 + [1] * 10, [1] * 10 + [0] * 10)
    >>> fit.separated, round(fit.coefficients[0].estimate, 3), fit.coefficients[0].p_value < 0.001
    (True, -6.089, True)
    """
    level = checked_level(level)
    covariates = np.asarray(X, dtype=np.float64)
    covariates = covariates[:, None] if covariates.ndim == 1 else covariates
    outcome = np.asarray(y, dtype=np.float64)
    if covariates.ndim != 2 or outcome.shape != covariates.shape[:1]:
        raise ValueError("one row of covariates for each outcome")
    if not np.all(np.isfinite(covariates)) or not np.all(np.isin(outcome, (0.0, 1.0))):
        raise ValueError("covariates are finite and outcomes are 0 or 1; leave patients with missing values out")
    n, p = covariates.shape
    events = int(outcome.sum())
    if n == 0 or events in (0, n):
        reason = Undefined.NO_OBSERVATIONS if n == 0 else Undefined.NO_EVENTS
        return _no_fit(n, p, events, level, reason)
    # Standardised columns: the search and the penalty's maximum do not depend on the covariates' units.
    centre, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scaled = (covariates - centre) / np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(n), scaled])
    if np.linalg.matrix_rank(design) < p + 1:
        return _no_fit(n, p, events, level, Undefined.NOT_IDENTIFIED)
    # The intercept asked for is that at covariates of zero: a fit on columns that are scaled but not moved.
    moved = np.column_stack([np.ones(n), covariates / spread])
    unit = np.concatenate([[1.0], spread])
    return _fitted(design, moved, outcome, unit, centre / spread, level)


def _fitted(design: Array, moved: Array, y: Array, unit: Array, shift: Array, level: float) -> FirthFit:
    p = unit.size - 1
    everything = np.ones(p + 1, dtype=bool)
    beta, best, converged = _maximised(design, y, np.zeros(p + 1), everything)
    events = int(y.sum())
    if not converged:
        return _no_fit(y.size, p, events, level, Undefined.NOT_CONVERGED)
    only_intercept = np.arange(p + 1) == 0
    _, without, _ = _maximised(design, y, np.zeros(p + 1), only_intercept)
    # The likelihood is the same on moved columns but for where the intercept is.
    at_zero = beta.copy()
    at_zero[0] -= float(shift @ beta[1:])
    coefficients = tuple(
        _profiled(moved if j == 0 else design, y, at_zero if j == 0 else beta, best, j, float(unit[j]), level)
        for j in range(p + 1)
    )
    return FirthFit(
        intercept=coefficients[0],
        coefficients=coefficients[1:],
        log_likelihood=best,
        n=y.size,
        events=events,
        events_per_variable=min(events, y.size - events) / p if p else math.inf,
        p_value=_p_of_ratio(best, without, p) if p else float("nan"),
        separated=_separated(design, y),
        converged=True,
    )


def _p_of_ratio(best: float, without: float, degrees: int) -> float:
    """Return the P value of a fall of the log likelihood; one within the rounding of the two is no fall.

    P falls as the root of the statistic: a rounding error of 1e-14 would take 1e-7 off a P of exactly 1.
    """
    from scipy.stats import chi2

    fall = best - without
    return float(chi2.sf(2 * fall if fall > _ROUNDING * max(1.0, abs(best)) else 0.0, degrees))


def _profiled(X: Array, y: Array, beta: Array, best: float, j: int, unit: float, level: float) -> Coefficient:
    """Return one coefficient with its profile limits and its test, back in the unit of its covariate."""
    from scipy.stats import chi2

    free = np.arange(beta.size) != j
    latest = beta.copy()

    def profile(value: float) -> float:
        nonlocal latest
        start = latest.copy()
        start[j] = value
        latest, found, _ = _maximised(X, y, start, free)
        return max(found, best - _FAR_BELOW)

    estimate = float(beta[j])
    target = best - float(chi2.ppf(level, 1)) / 2
    limits = []
    for side in (-1, 1):
        latest = beta.copy()
        limits.append(_limit(profile, estimate, target, side))
    latest = beta.copy()
    p_value = _p_of_ratio(best, profile(0.0), 1)
    reason = None if all(math.isfinite(limit) for limit in limits) else Undefined.NOT_REACHED
    low, high = (limit / unit for limit in limits)
    interval = Interval(low=low, high=high, level=level, method="profile-penalised", reason=reason)
    return Coefficient(estimate=estimate / unit, interval=interval, p_value=p_value)


def _no_fit(n: int, p: int, events: int, level: float, reason: Undefined) -> FirthFit:
    nan = float("nan")
    nothing = Coefficient(estimate=nan, interval=no_interval(level, "profile-penalised", reason), p_value=nan)
    return FirthFit(
        intercept=nothing,
        coefficients=(nothing,) * p,
        log_likelihood=nan,
        n=n,
        events=events,
        events_per_variable=min(events, n - events) / p if p else math.inf,
        p_value=nan,
        separated=False,
        converged=False,
        reason=reason,
    )
