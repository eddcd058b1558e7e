# SPDX-License-Identifier: Apache-2.0
"""How good a probability of response is: calibration, Brier score, and the net benefit of acting on it.

Source: Vickers, Elkin, Med Decis Making 2006;26:565-74, doi:10.1177/0272989X06295361.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import Interval
from sirolens.engine.statistics.proportion import wilson
from sirolens.errors import InputError
from sirolens.message import error

__all__ = ["CalibrationBin", "CalibrationCurve", "DecisionCurve", "brier", "calibration_curve", "decision_curve"]

Array: TypeAlias = NDArray[np.float64]
_SMALL = 1e-9
_STEPS = 50


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionCurve:
    """Net benefit over thresholds, per patient, in true positives.

    Parameters
    ----------
    threshold : ndarray (T,)
        Probability of response from which one treats; between 0 and 1.
    model, everybody : ndarray (T,)
        Treating those above it, and treating all; treating nobody is 0.
    """

    threshold: Array
    model: Array
    everybody: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Patients with similar predictions: their mean prediction, and how many responded, with Wilson's interval."""

    predicted: float
    observed: float
    interval: Interval
    patients: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCurve:
    """Predictions against what happened.

    Parameters
    ----------
    bins : tuple of CalibrationBin
        Of about equal size.
    intercept, slope : float
        Of a logistic regression of the outcome on the logit of the prediction: 0 and 1 are perfect; nan where the
        outcome does not vary or the groups are separated.
    """

    bins: tuple[CalibrationBin, ...]
    intercept: float
    slope: float


def _checked(probability: ArrayLike, outcome: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome)
    outside = p.shape != y.shape or not p.size or not np.isfinite(p).all() or p.min() < 0.0 or p.max() > 1.0
    if p.ndim != 1 or outside or not np.isin(y, [0, 1]).all():
        raise InputError(error("calibration.predictions-impossible", predictions=p.size, outcomes=y.size))
    return p, y.astype(bool)


def brier(probability: ArrayLike, outcome: ArrayLike) -> float:
    """Return the mean squared error of probabilities: 0 is perfect, p (1 - p) says the rate p to everybody.

    >>> round(brier([0.8, 0.2], [1, 0]), 6)
    0.04
    """
    p, y = _checked(probability, outcome)
    return float(((p - y) ** 2).mean())


def decision_curve(probability: ArrayLike, outcome: ArrayLike, thresholds: ArrayLike) -> DecisionCurve:
    """Compute the net benefit of treating those whose predicted probability of response reaches a threshold.

    ::

        net benefit = true positives / n - false positives / n * t / (1 - t)

    Parameters
    ----------
    probability : array_like (n,)
        Predicted.
    outcome : array_like (n,)
        1: responded.
    thresholds : array_like (T,)
        Strictly between 0 and 1: who treats from t on finds a treatment in vain t / (1 - t) times as bad as a missed
        response.

    Raises
    ------
    InputError
        ``calibration.predictions-impossible``, ``calibration.threshold-impossible``.

    Examples
    --------
    >>> curve = decision_curve([0.9, 0.6, 0.3, 0.1], [1, 0, 1, 0], [0.5])
    >>> curve.model.tolist(), curve.everybody.tolist()
    ([0.0], [0.0])
    """
    p, y = _checked(probability, outcome)
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((at > 0.0) & (at < 1.0)).all():
        raise InputError(error("calibration.threshold-impossible", low=float(at.min()), high=float(at.max())))
    odds = at / (1.0 - at)
    treated = p[None, :] >= at[:, None]
    hits, vain = (treated & y).mean(axis=1), (treated & ~y).mean(axis=1)
    return DecisionCurve(threshold=at, model=hits - odds * vain, everybody=y.mean() - odds * (1.0 - y.mean()))


def calibration_curve(probability: ArrayLike, outcome: ArrayLike, bins: int = 10) -> CalibrationCurve:
    """Set predictions beside what happened.

    Parameters
    ----------
    probability, outcome : array_like (n,)
        As in `decision_curve`.
    bins : int
        Groups of about equal size, by prediction.

    Examples
    --------
    >>> from sirolens.engine.sampling import stream, uniform
    >>> p = uniform(stream(1, "example"), (4000,))
    >>> y = uniform(stream(2, "example"), (4000,)) < p
    >>> curve = calibration_curve(p, y)
    >>> abs(curve.intercept) < 0.15, abs(curve.slope - 1) < 0.15, len(curve.bins)
    (True, True, 10)
    """
    p, y = _checked(probability, outcome)
    order = np.argsort(p, kind="stable")
    groups = [part for part in np.array_split(order, min(bins, p.size)) if part.size]
    shown = tuple(
        CalibrationBin(
            predicted=float(p[part].mean()),
            observed=float(y[part].mean()),
            interval=wilson(int(y[part].sum()), part.size),
            patients=part.size,
        )
        for part in groups
    )
    intercept, slope = _recalibrated(p, y)
    return CalibrationCurve(bins=shown, intercept=intercept, slope=slope)


def _recalibrated(p: Array, y: NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope by Newton's method; nan where it does not settle."""
    safe = np.clip(p, _SMALL, 1.0 - _SMALL)
    logit = np.log(safe / (1.0 - safe))
    if y.all() or not y.any() or np.ptp(logit) == 0.0:
        return float("nan"), float("nan")
    X, beta = np.column_stack([np.ones(p.size), logit]), np.array([0.0, 1.0])
    for _ in range(_STEPS):
        mean = 1.0 / (1.0 + np.exp(-np.clip(X @ beta, -30.0, 30.0)))
        information = X.T @ (X * (mean * (1.0 - mean))[:, None])
        if np.linalg.cond(information) > 1.0 / np.finfo(float).eps:
            break
        step = np.linalg.solve(information, X.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return float(beta[0]), float(beta[1])
    return float("nan"), float("nan")
