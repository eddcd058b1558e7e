# SPDX-License-Identifier: Apache-2.0
"""The most probable etas of one patient or of many (maximum a posteriori, MAP), and other modes there may be.

    objective(eta) = -2 log p(levels | eta) - 2 log p(eta)

with every constant kept: p(levels | eta) is a density in ng/mL (a probability for censored levels), p(eta) the density
of N(0, omega / prior_weight). `bayes_problem.normalising_constant` turns it into what other programs print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import LOG_2_PI
from sirolens.engine.bayes_linear import NOT_PLAIN, lane_derivatives, search_modes
from sirolens.engine.bayes_patients import Patients, colour, pack
from sirolens.engine.bayes_problem import AnyProblem, FunctionProblem, Problem
from sirolens.engine.bayes_search import (
    CONVERGED,
    DONE,
    INDEFINITE,
    ITERATION_LIMIT,
    NOT_FINITE,
    SLOPE,
    begin,
    receive_curvature,
    receive_slope,
    search_arrays,
)
from sirolens.engine.bayes_starts import MODES, STARTS, Found, fill_starts, found_arrays, is_known, keep
from sirolens.engine.dense import cholesky, congruence, invert, log_determinant, solve_lower
from sirolens.engine.lanes import over_chunks

__all__ = ["Mode", "Modes", "Reason", "mode", "modes"]

Array = NDArray[np.float64]


class Reason(StrEnum):
    """How a search for a mode ended."""

    CONVERGED = "converged"
    NOT_FINITE = "not-finite"  # the levels are impossible under the model, such as a level before any dose
    ITERATION_LIMIT = "iteration-limit"
    INDEFINITE = "indefinite"  # a flat spot that is no minimum


_REASONS = {
    CONVERGED: Reason.CONVERGED,
    NOT_FINITE: Reason.NOT_FINITE,
    ITERATION_LIMIT: Reason.ITERATION_LIMIT,
    INDEFINITE: Reason.INDEFINITE,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One mode of a posterior.

    Parameters
    ----------
    eta : float64 array (n_eta,)
        Where it is.
    objective : float
        -2 log p(levels | eta) - 2 log p(eta) there, constants included.
    gradient_norm : float
        Length of the gradient of the objective per standard deviation of the prior: 0 in exact arithmetic.
    hessian : float64 array (n_eta, n_eta)
        Second derivatives of the objective with respect to eta.
    covariance : float64 array (n_eta, n_eta)
        2 hessian^-1: the covariance of the normal distribution that fits the mode (Laplace); NaN where there is none.
    converged : bool
        Whether this is a minimum.
    reason : Reason
        How the search ended.
    starts_tried : int
        How many starts there were.
    second_modes : tuple of Mode
        Other minima, the best first.
    """

    eta: Array
    objective: float
    gradient_norm: float
    hessian: Array
    covariance: Array
    converged: bool
    reason: Reason
    starts_tried: int
    second_modes: tuple[Mode, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """The modes of many patients; where patients differ in the number of etas, the spare places hold NaN.

    Parameters
    ----------
    eta : float64 array (n, n_eta)
        The best mode of each.
    objective, gradient_norm : float64 arrays (n,)
        There.
    covariance : float64 array (n, n_eta, n_eta)
        2 hessian^-1.
    converged : bool array (n,)
        Whether each is a minimum.
    reason : tuple of Reason
        How each search ended.
    each : tuple of Mode
        The same patient by patient, with second modes.
    """

    eta: Array
    objective: Array
    gradient_norm: Array
    covariance: Array
    converged: NDArray[np.bool_]
    reason: tuple[Reason, ...]
    each: tuple[Mode, ...]


def mode(problem: AnyProblem, *, starts: int = STARTS) -> Mode:
    """Find the most probable etas of one patient.

    Parameters
    ----------
    problem : Problem or FunctionProblem
        The patient.
    starts : int
        At most this many starts; the first is the typical patient.

    Returns
    -------
    Mode
        The best mode found. One that did not converge says why; it is a result, not an error.

    Examples
    --------
    >>> from sirolens.engine.bayes_problem import levels
    >>> answer = mode(FunctionProblem(  # one clearance, known volume: trough of 2 mg daily at steady state, 1/CL here
    ...     predict=lambda eta: 8.0 * np.exp(-eta), omega=np.array([[0.09]]),
    ...     levels=levels([12.0], residual_kind=3, proportional=0.3)))
    >>> answer.eta.round(6).tolist(), answer.converged  # half way on the logarithmic scale
    ([-0.202733], True)
    """
    if isinstance(problem, FunctionProblem):
        return _unpack(problem, _search_function(problem, starts))
    return modes([problem], starts=starts).each[0]


def modes(problems: Sequence[Problem], *, starts: int = STARTS, threads: int | None = None) -> Modes:
    """Find the most probable etas of many patients.

    Parameters
    ----------
    problems : sequence of Problem
        The patients; they need not share a model.
    starts : int
        At most this many starts for each.
    threads : int, optional
        How many threads; None: one per processor. The answer does not depend on it.

    Returns
    -------
    Modes
    """
    count, most = len(problems), max((p.omega.shape[0] for p in problems), default=0)
    found = Found(
        np.full((count, MODES, most), np.nan),
        np.full((count, MODES), np.inf),
        np.full((count, MODES, most, most), np.nan),
        np.zeros((count, MODES)),
        np.zeros((count, MODES), dtype=np.int64),
        np.zeros((count, 2), dtype=np.int64),
    )
    each: list[Mode] = []
    if count:
        patients = pack(problems)
        _search_all(patients, starts, threads, found)
        for i, problem in enumerate(problems):
            plain = found.outcome[i, 0] != NOT_PLAIN
            own = Found(*(column[i] for column in found)) if plain else _search_lanes(patients, i, problem, starts)
            each.append(_unpack(problem, own))
    eta, covariance = np.full((count, most), np.nan), np.full((count, most, most), np.nan)
    for i, one in enumerate(each):
        eta[i, : one.eta.size] = one.eta
        covariance[i, : one.eta.size, : one.eta.size] = one.covariance
    return Modes(
        eta=eta,
        objective=np.array([one.objective for one in each]),
        gradient_norm=np.array([one.gradient_norm for one in each]),
        covariance=covariance,
        converged=np.array([one.converged for one in each], dtype=np.bool_),
        reason=tuple(one.reason for one in each),
        each=tuple(each),
    )


def _search_all(patients: Patients, starts: int, threads: int | None, found: Found) -> None:
    """Search on threads; a patient's answer is made by one kernel call whatever the chunks."""
    over_chunks(
        found.counts.shape[0], threads, lambda low, high: search_modes(patients, starts, low, high, found), worth=8
    )


def _unpack(problem: AnyProblem, found: Found) -> Mode:
    """Turn the modes found in whitened etas into etas, and add the constants of the prior."""
    d = problem.omega.shape[0]
    constant = d * (LOG_2_PI - np.log(problem.prior_weight)) + log_determinant(problem.factor)
    inverse, whiten, unit = np.empty((d, d)), np.zeros((d, d)), np.eye(d)
    for j in range(d):  # column j of L^-1 is row j of L'^-1
        solve_lower(problem.factor, unit[j], whiten[j])
    made: list[Mode] = []
    for m in range(int(found.counts[0]) - 1, -1, -1):
        whitened = np.ascontiguousarray(found.hessian[m, :d, :d])
        eta, hessian = np.empty((1, d)), np.empty((d, d))
        colour(problem.factor, np.ascontiguousarray(found.z[m : m + 1, :d]), eta)
        congruence(whiten, whitened, 1.0, hessian)
        lower, covariance = np.empty((d, d)), np.full((d, d), np.nan)
        if cholesky(whitened, lower):
            invert(lower, inverse)
            congruence(problem.factor, inverse, 2.0, covariance)
        reason = _REASONS[int(found.outcome[m])]
        made.insert(
            0,
            Mode(
                eta=eta[0],
                objective=float(found.value[m] + constant),
                gradient_norm=float(found.norm[m]),
                hessian=hessian,
                covariance=covariance,
                converged=reason is Reason.CONVERGED,
                reason=reason,
                starts_tried=int(found.counts[1]),
                second_modes=tuple(made) if m == 0 else (),
            ),
        )
    return made[0]


def _search_lanes(patients: Patients, p: int, problem: Problem, starts: int) -> Found:
    """Search with predictions of the general linear kernels."""
    n, d = problem.levels.y.size, problem.omega.shape[0]

    def derivatives(z: Array, second: bool) -> tuple[Array, Array, Array]:
        f, J, F = np.zeros(n), np.zeros((n, d)), np.zeros((n if second else 0, d, d))
        lane_derivatives(patients, p, z, f, J, F, second)
        return f, J, F

    return _search(problem, derivatives, starts, 0.0)


def _search_function(problem: FunctionProblem, starts: int) -> Found:
    """Search with predictions of a Python function."""
    none = np.zeros((0, 0, 0))

    def derivatives(z: Array, second: bool) -> tuple[Array, Array, Array]:
        f, J = _function_slopes(problem, z)
        return f, J, _function_bends(problem, z) if second else none

    return _search(problem, derivatives, starts, problem.noise)


def _search(
    problem: AnyProblem,
    derivatives: Callable[[Array, bool], tuple[Array, Array, Array]],
    starts: int,
    noise: float,
) -> Found:
    """Do what the compiled search does, with derivatives from anywhere."""
    d, these = problem.omega.shape[0], problem.levels
    found, search, begun = found_arrays(d), search_arrays(d, noise), np.zeros((STARTS, d))
    f, J, _ = derivatives(begun[0], False)
    count = min(fill_starts(these, f, J, begun), starts)
    for s in range(count):
        want = begin(search, begun[s])
        while want != DONE:
            if want == SLOPE:
                f, J, _ = derivatives(search.trial, False)
                want = receive_slope(search, these, problem.prior_weight, f, J)
                if s > 0 and want != DONE and is_known(found, search):
                    break
            else:
                f, J, F = derivatives(search.z, True)
                want = receive_curvature(search, these, problem.prior_weight, f, J, F)
        if want == DONE:
            keep(found, search)
    found.counts[1] = count
    return found


def _ask(problem: FunctionProblem, z: Array) -> Array:
    eta = np.empty_like(z)
    colour(problem.factor, z, eta)
    predicted = np.asarray(problem.predict(eta), dtype=np.float64)
    if predicted.shape != (z.shape[0], problem.levels.y.size):
        raise ValueError(f"predict gave shape {predicted.shape} for {z.shape[0]} rows, {problem.levels.y.size} levels")
    return predicted


def _function_slopes(problem: FunctionProblem, z: Array) -> tuple[Array, Array]:
    """Predictions and central differences of fourth order at z, in one call."""
    d, h = z.size, problem.relative_step
    one = h * np.eye(d)
    f = _ask(problem, z + np.concatenate([np.zeros((1, d)), one, -one, 2.0 * one, -2.0 * one]))
    near, far = f[1 : d + 1] - f[d + 1 : 2 * d + 1], f[2 * d + 1 : 3 * d + 1] - f[3 * d + 1 :]
    return f[0], np.ascontiguousarray((8.0 * near - far).T / (12.0 * h))


def _function_bends(problem: FunctionProblem, z: Array) -> Array:
    """Second differences at z, in one call."""
    d, h = z.size, 10.0 * problem.relative_step
    first, second = np.triu_indices(d)
    one = h * np.eye(d)
    corners = [a * one[first] + b * one[second] for a, b in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
    f = _ask(problem, z + np.concatenate(corners)).reshape(4, first.size, -1)
    pairs = (f[0] + f[1] - f[2] - f[3]) / (4.0 * h * h)
    F = np.empty((problem.levels.y.size, d, d))
    F[:, first, second] = pairs.T
    F[:, second, first] = pairs.T
    return F
