# SPDX-License-Identifier: Apache-2.0
"""What Bayesian estimation is asked: one patient's levels, a model of how they arise, and how patients differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.bayes_likelihood import ABOVE, BELOW, LOG, LOG_2_PI, MEASURED, PROPORTIONAL
from sirolens.engine.bayes_search import Levels
from sirolens.engine.dense import log_determinant
from sirolens.engine.linear import PARAMETERS, Events, Structure
from sirolens.engine.sampling import lower_factor

__all__ = ["AnyProblem", "FunctionProblem", "Problem", "levels", "normalising_constant", "random_walk"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def levels(
    observed_ng_ml: ArrayLike,
    *,
    residual_kind: ArrayLike,
    additive_ng_ml: ArrayLike = 0.0,
    proportional: ArrayLike = 0.0,
    censoring: ArrayLike = MEASURED,
    limit_ng_ml: ArrayLike | None = None,
    weight: ArrayLike = 1.0,
) -> Levels:
    """Bring levels and their residual to the arrays the kernels take; single numbers hold for every level.

    Parameters
    ----------
    observed_ng_ml : (n_obs,)
        Levels, in the order of the observation records.
    residual_kind : (n_obs,) or int
        0 additive, 1 proportional, 2 combined, 3 log.
    additive_ng_ml : (n_obs,) or float
        Additive standard deviation.
    proportional : (n_obs,) or float
        Proportional standard deviation; for kind 3 the standard deviation of the logarithm.
    censoring : (n_obs,) or int
        0 measured, -1 below `limit_ng_ml`, 1 above it.
    limit_ng_ml : (n_obs,), optional
        The limit of a censored level; None: `observed_ng_ml` holds it.
    weight : (n_obs,) or float
        Factor on a level's -2 log likelihood; 0 leaves the level out.

    Returns
    -------
    Levels

    Raises
    ------
    ValueError
        Shapes do not fit, a code is unknown, a residual has no spread, or a level that counts is not a positive number.

    Examples
    --------
    >>> levels([7.2, 2.0], residual_kind=1, proportional=0.2245, censoring=[0, -1]).proportional.tolist()
    [0.2245, 0.2245]
    """
    y = np.array(observed_ng_ml, dtype=np.float64, ndmin=1)
    where = _codes(censoring, y.size)
    if limit_ng_ml is not None:
        y = np.where(where == MEASURED, y, np.broadcast_to(np.asarray(limit_ng_ml, dtype=np.float64), y.shape))
    made = Levels(
        np.ascontiguousarray(y),
        where,
        _codes(residual_kind, y.size),
        _numbers(additive_ng_ml, y.size),
        _numbers(proportional, y.size),
        _numbers(weight, y.size),
    )
    _check(made)
    return made


def _codes(values: ArrayLike, size: int) -> Codes:
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.int64), (size,)))


def _numbers(values: ArrayLike, size: int) -> Array:
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (size,)))


def _check(made: Levels) -> None:
    counts = made.weight != 0.0
    if not np.isin(made.censoring, (BELOW, MEASURED, ABOVE)).all() or not np.isin(made.kind, (0, 1, 2, 3)).all():
        raise ValueError("unknown code of censoring or residual")
    if not (np.isfinite(made.weight).all() and (made.weight >= 0.0).all()):
        raise ValueError("weights are not negative")
    if not (np.isfinite(made.y[counts]).all() and (made.y[counts] > 0.0).all()):
        raise ValueError("a level that counts is a positive number; one below quantification stands as its limit")
    relative = (made.kind == PROPORTIONAL) | (made.kind == LOG)
    spread = np.where(relative, made.proportional, np.hypot(made.additive, made.proportional * (made.kind != 0)))
    if not (np.isfinite(spread[counts]).all() and (spread[counts] > 0.0).all()):
        raise ValueError("a residual needs a positive standard deviation")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One patient under one linear model.

    Parameters
    ----------
    structure : Structure
        The compartments.
    events : Events
        One patient's records; its observation records are the levels, in order.
    typical : float64 array (n_periods, 15)
        Typical parameters of every period, in the order of ``linear.PARAMETERS``.
    eta_of_parameter : int64 array (15,)
        Which eta acts on a parameter; -1: none.
    effect_kind : int64 array (15,)
        How: 0 log-normal, 1 normal, 2 logit (`sirolens.engine.effects`).
    omega : float64 array (n_eta, n_eta)
        Covariance of the etas, positive definite.
    levels : Levels
        What was measured, from `levels`.
    occasion_eta : int64 array (n_periods,), optional
        A further eta added to log CL/F in each period; -1: none. See `random_walk`.
    prior_weight : float
        The prior counts as if its covariance were omega / prior_weight.

    Raises
    ------
    ValueError
        Shapes do not fit each other or omega is not positive definite.
    """

    structure: Structure
    events: Events
    typical: Array
    eta_of_parameter: Codes
    effect_kind: Codes
    omega: Array
    levels: Levels
    occasion_eta: Codes | None = None
    prior_weight: float = 1.0
    factor: Array = field(init=False)
    occasions: Codes = field(init=False)

    def __post_init__(self) -> None:
        _set(self, "typical", np.ascontiguousarray(np.atleast_2d(self.typical), dtype=np.float64))
        _set(self, "eta_of_parameter", np.ascontiguousarray(self.eta_of_parameter, dtype=np.int64))
        _set(self, "effect_kind", np.ascontiguousarray(self.effect_kind, dtype=np.int64))
        _set_prior(self)
        periods, n_eta = self.typical.shape[0], self.omega.shape[0]
        occasion = np.full(periods, -1) if self.occasion_eta is None else self.occasion_eta
        _set(self, "occasions", np.ascontiguousarray(occasion, dtype=np.int64))
        width = (len(PARAMETERS),)
        if self.typical.shape[1:] != width or self.eta_of_parameter.shape != width or self.effect_kind.shape != width:
            raise ValueError(f"typical values, etas and effects have {len(PARAMETERS)} columns")
        if self.events.start.size != 2:
            raise ValueError("the events of a problem are those of one patient")
        if (observations := int(self.events.observations[0])) != self.levels.y.size:
            raise ValueError(f"{self.levels.y.size} levels for {observations} observation records")
        if occasion.shape != (periods,) or max(occasion.max(), self.eta_of_parameter.max()) >= n_eta:
            raise ValueError("an eta is named that omega does not have")
        if self.events.parameter_sets > periods:
            raise ValueError("a record is in a period that the typical values do not have")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionProblem:
    """One patient under any model that can be called: nonlinear models and users' own equations.

    Parameters
    ----------
    predict : callable
        Takes etas (n, n_eta) and returns predicted levels (n, n_obs) in ng/mL.
    omega, levels, prior_weight
        As in `Problem`.
    relative_step : float
        Step of the central differences, in standard deviations of the prior; larger for less exact predictions.
    noise : float
        How far the inexactness of predictions moves the objective; the search stops there.
    """

    predict: Callable[[Array], Array]
    omega: Array
    levels: Levels
    prior_weight: float = 1.0
    relative_step: float = 1e-2
    noise: float = 1e-10
    factor: Array = field(init=False)

    def __post_init__(self) -> None:
        _set_prior(self)


AnyProblem: TypeAlias = Problem | FunctionProblem


def _set(problem: AnyProblem, name: str, value: object) -> None:
    object.__setattr__(problem, name, value)


def _set_prior(problem: AnyProblem) -> None:
    if not 0.0 < problem.prior_weight < np.inf:
        raise ValueError("the weight on the prior is positive")
    omega = np.ascontiguousarray(np.atleast_2d(problem.omega), dtype=np.float64)
    _set(problem, "omega", omega)
    _set(problem, "factor", lower_factor(omega))


def normalising_constant(problem: AnyProblem) -> float:
    """Return the part of the objective that does not depend on etas or residual spreads.

    It is n_measured log(2 pi) + n_eta log(2 pi) + log det(omega / prior_weight), plus 2 sum log y over levels with a
    residual of kind log. What is left after subtracting it is the objective that NONMEM-like programs print for one
    individual: sum [(y - f)^2 / v + log v] + eta' omega^-1 eta.
    """
    these = problem.levels
    counts = these.weight * (these.censoring == MEASURED)
    n_eta = problem.omega.shape[0]
    prior = n_eta * (LOG_2_PI - np.log(problem.prior_weight)) + log_determinant(problem.factor)
    return float(counts.sum() * LOG_2_PI + 2.0 * (counts * (these.kind == LOG) * np.log(these.y)).sum() + prior)


def random_walk(omega: ArrayLike, occasions: int, variance: float) -> Array:
    """Extend omega by a random walk on log CL/F between occasions.

    The etas that are added, one per occasion, are the distances k_1 ... k_n from the patient's own mean:
    k_j = k_{j-1} + step, step ~ N(0, variance), so that cov(k_i, k_j) = min(i, j) variance. Let the periods of occasion
    j name eta ``n_eta + j - 1`` in `Problem.occasion_eta`; the occasion the course began with needs none. A forecast
    for a new occasion uses one more than the levels reach: its eta is then drawn with the others.

    No published sirolimus model estimates such a walk; any variance is an assumption and has to be shown as one.

    Parameters
    ----------
    omega : (n_eta, n_eta)
        Covariance of the etas between patients.
    occasions : int
        How many occasions follow the first.
    variance : float
        Of one step of log CL/F; positive.

    Returns
    -------
    float64 array (n_eta + occasions, n_eta + occasions)

    Examples
    --------
    >>> random_walk([[0.09]], 2, 0.01).tolist()
    [[0.09, 0.0, 0.0], [0.0, 0.01, 0.01], [0.0, 0.01, 0.02]]
    """
    between = np.atleast_2d(np.asarray(omega, dtype=np.float64))
    n = between.shape[0]
    extended = np.zeros((n + occasions, n + occasions))
    extended[:n, :n] = between
    number = np.arange(1, occasions + 1)
    extended[n:, n:] = variance * np.minimum.outer(number, number)
    return extended
