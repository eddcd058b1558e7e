# SPDX-License-Identifier: Apache-2.0
"""The whole posterior of one patient's etas, as weighted draws.

Draws come from a defensive mixture: a multivariate t around every mode (85 % of the draws, shared by the modes' mass)
and the prior itself (15 %), so that no weight can exceed L_max / 0.15 whatever the shape of the posterior. They are
quasi-random (scrambled Sobol), and each is weighted by

    w = p(levels | eta) p(eta) / q(eta),        q the density of the whole mixture,

and the weights are Pareto-smoothed (`sirolens.engine.bayes_weights`). The mean of the raw weights is the integrated
likelihood. With no levels the posterior is the prior: plain draws of equal weight.

Source of mixtures that contain the prior: Owen, Zhou, J Am Stat Assoc 2000;95:135-43,
doi:10.1080/01621459.2000.10473909.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import (
    BELOW,
    COMBINED,
    LOG,
    LOG_2_PI,
    MEASURED,
    deviance,
    level_probabilities,
)
from sirolens.engine.bayes_linear import predict_in_step, predict_lanes
from sirolens.engine.bayes_mode import Mode
from sirolens.engine.bayes_patients import colour, pack
from sirolens.engine.bayes_problem import AnyProblem, FunctionProblem
from sirolens.engine.bayes_search import Levels
from sirolens.engine.bayes_weights import exponentials, log_sum, smooth
from sirolens.engine.dense import cholesky, congruence, log_determinant, solve_lower
from sirolens.engine.kernel import kernel
from sirolens.engine.lanes import over_chunks
from sirolens.engine.sampling import effective_draws, normal_quantile, sobol, sobol_normal, weighted_mean

__all__ = ["LevelCheck", "Posterior", "level_check", "posterior", "prior_predictive"]

Array = NDArray[np.float64]

PRIOR_SHARE = 0.15
"""Share of the draws that come from the prior."""
LEAST_SHARE = 0.1
"""Of the other draws, the least share of a mode."""
HALF_FREEDOM = 2
"""Half the degrees of freedom of the t distributions; of 1 to 4 the best balance of k-hat and effective draws."""

NEARLY = 1e-7
"""A Newton step smaller than this, relatively, leaves an error of about its square."""

WORTH_A_THREAD = 2000  # draws; fewer are done before a second thread has started


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Weighted draws from a posterior.

    Parameters
    ----------
    eta : float64 array (n, n_eta)
        Draws.
    log_weight : float64 array (n,)
        Logarithms of smoothed weights that sum to 1.
    k_hat : float
        Shape of the tail of the weights: below 0.5 good, above 0.7 not to be trusted; -inf for equal weights.
    effective_draws : float
        How many independent draws of equal weight would be as good.
    log_evidence : float
        log of the integrated likelihood, p(levels), in (ng/mL)^-(number of measured levels).
    predicted_ng_ml : float64 array (n, n_obs)
        Predicted level of every draw.
    minus_2_log_likelihood : float64 array (n,)
        -2 log p(levels | eta) of every draw.
    common_log_evidence : float or None
        The same integral with the common residual that was asked for, under the unweighted prior: what models are
        compared by.
    common_k_hat : float or None
        Shape of the tail of the weights behind it.
    """

    eta: Array
    log_weight: Array
    k_hat: float
    effective_draws: float
    log_evidence: float
    predicted_ng_ml: Array
    minus_2_log_likelihood: Array
    common_log_evidence: float | None = None
    common_k_hat: float | None = None

    @property
    def weight(self) -> Array:
        """Weights that sum to 1, (n,)."""
        return exponentials(self.log_weight)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCheck:
    """How each level sits among what was to be expected before it was seen.

    Parameters
    ----------
    probability : float64 array (n_obs,)
        P(a level <= this one); for a censored level, P(a level <= its limit).
    two_sided_p : float64 array (n_obs,)
        Probability of a level at least as far out on either side; for a censored level, of one beyond its limit.
    expected_ng_ml : float64 array (n_obs,)
        Mean of the levels to be expected.
    standardised : float64 array (n_obs,)
        Normal quantile of `probability`: the residual in standard deviations, right for skewed distributions too.
    """

    probability: Array
    two_sided_p: Array
    expected_ng_ml: Array
    standardised: Array


def posterior(
    problem: AnyProblem,
    mode: Mode,
    *,
    draws: int = 10_000,
    seed: int,
    common_residual: tuple[float, float] | None = None,
    threads: int | None = None,
) -> Posterior:
    """Draw from the posterior of one patient's etas.

    Parameters
    ----------
    problem : Problem or FunctionProblem
        The patient.
    mode : Mode
        What `sirolens.engine.bayes_mode.mode` found, second modes included.
    draws : int
        How many.
    seed : int
        Names the random numbers: the same seed gives the same draws on every machine.
    common_residual : (additive ng/mL, proportional), optional
        Compute the integrated likelihood with this residual too.
    threads : int, optional
        How many threads; None: one per processor. The answer does not depend on it.

    Returns
    -------
    Posterior

    Examples
    --------
    >>> from sirolens.engine.bayes_mode import mode
    >>> from sirolens.engine.bayes_problem import levels
    >>> patient = FunctionProblem(
    ...     predict=lambda eta: 8.0 * np.exp(-eta), omega=np.array([[0.09]]),
    ...     levels=levels([12.0], residual_kind=3, proportional=0.3))
    >>> answer = posterior(patient, mode(patient), draws=4096, seed=1)
    >>> weighted_mean(answer.eta, answer.weight).round(3).tolist()
    [-0.203]
    """
    d, these = problem.omega.shape[0], problem.levels
    informed = bool((these.weight != 0.0).any())
    z, log_proposal = _proposals(problem, mode, draws, seed, threads) if informed else _prior(problem, draws, seed)
    eta = np.zeros_like(z)
    colour(problem.factor, z, eta)
    predicted, minus_2_log = _predictions(problem, eta, threads)
    square = (z * z).sum(axis=1)
    weight = problem.prior_weight
    log_prior = -0.5 * (weight * square + d * (LOG_2_PI - math.log(weight)))
    log_weight = log_prior - 0.5 * minus_2_log - log_proposal if informed else np.zeros(draws)
    log_evidence = float(log_sum(log_weight)) - math.log(draws)
    common_evidence, common_k = None, None
    if common_residual is not None:
        common = np.empty(draws)
        _deviances(predicted, _with_residual(these, *common_residual), common)
        common = -0.5 * (square + d * LOG_2_PI) - 0.5 * common - log_proposal
        common_evidence = float(log_sum(common)) - math.log(draws)
        common_k = float(smooth(common))
    k_hat = float(smooth(log_weight))
    return Posterior(
        eta=eta,
        log_weight=log_weight,
        k_hat=k_hat,
        effective_draws=effective_draws(exponentials(log_weight)) if np.isfinite(log_evidence) else 0.0,
        log_evidence=log_evidence,
        predicted_ng_ml=predicted,
        minus_2_log_likelihood=minus_2_log,
        common_log_evidence=common_evidence,
        common_k_hat=common_k,
    )


def prior_predictive(problem: AnyProblem, *, draws: int = 4096, seed: int, threads: int | None = None) -> LevelCheck:
    """Say how each level sits among the levels the model expects before it sees any.

    The prior counts in full here, whatever `prior_weight` says.

    Parameters
    ----------
    problem : Problem or FunctionProblem
        The patient.
    draws, seed, threads
        As in `posterior`.

    Returns
    -------
    LevelCheck
    """
    z = sobol_normal(draws, problem.omega.shape[0], seed, "prior-predictive")
    eta = np.zeros_like(z)
    colour(problem.factor, z, eta)
    predicted, _ = _predictions(problem, eta, threads)
    return level_check(problem, predicted, np.ones(draws))


def level_check(problem: AnyProblem, predicted_ng_ml: Array, weight: Array) -> LevelCheck:
    """Say how each level sits among weighted predictions with residual error.

    Parameters
    ----------
    problem : Problem or FunctionProblem
        Whose levels.
    predicted_ng_ml : float64 array (n, n_obs)
        Predictions of draws, from the prior or from any posterior.
    weight : float64 array (n,)
        Their weights; any sum.

    Returns
    -------
    LevelCheck
    """
    these = problem.levels
    below = np.empty_like(predicted_ng_ml)
    level_probabilities(predicted_ng_ml, these.y, these.kind, these.additive, these.proportional, below)
    probability = weighted_mean(below, weight)
    other = 1.0 - probability
    beyond = np.where(these.censoring == BELOW, probability, other)
    sides = np.where(these.censoring == MEASURED, 2.0 * np.minimum(probability, other), beyond)
    skew = np.where(these.kind == LOG, np.exp(0.5 * these.proportional**2), 1.0)  # mean of a log-normal residual
    return LevelCheck(
        probability=probability,
        two_sided_p=sides,
        expected_ng_ml=weighted_mean(predicted_ng_ml, weight) * skew,
        standardised=normal_quantile(np.clip(probability, 1e-300, 1.0 - 2.0**-53)),
    )


def _with_residual(these: Levels, additive_ng_ml: float, proportional: float) -> Levels:
    """The same levels under another residual."""
    n = these.y.size
    return these._replace(
        kind=np.full(n, COMBINED), additive=np.full(n, additive_ng_ml), proportional=np.full(n, proportional)
    )


def _prior(problem: AnyProblem, draws: int, seed: int) -> tuple[Array, Array]:
    """Whitened draws from the prior and their log density."""
    d, weight = problem.omega.shape[0], problem.prior_weight
    z = sobol_normal(draws, d, seed, "posterior", "prior") / math.sqrt(weight)
    return z, -0.5 * (weight * (z * z).sum(axis=1) + d * (LOG_2_PI - math.log(weight)))


def _proposals(problem: AnyProblem, mode: Mode, draws: int, seed: int, threads: int | None) -> tuple[Array, Array]:
    """Whitened draws from the defensive mixture and their log density under all of it."""
    d = problem.omega.shape[0]
    centres, factors, share = _components(problem, mode)
    sizes = _sizes(draws, share)
    z = np.empty((draws, d))
    done = 0
    for k, size in enumerate(sizes[:-1]):
        unit = sobol(size, d + 1, seed, "posterior", k)
        normals, stretch = normal_quantile(unit[:, :d]), np.empty(size)
        _stretches(np.ascontiguousarray(unit[:, d]), HALF_FREEDOM, stretch)
        _around(centres[k], factors[k], normals, stretch, z[done : done + size])
        done += size
    z[done:] = _prior(problem, draws - done, seed)[0]
    log_proposal, parts = np.empty(draws), np.array(sizes) / draws

    def job(low: int, high: int) -> None:
        _mixture(z[low:high], centres, factors, parts, HALF_FREEDOM, problem.prior_weight, log_proposal[low:high])

    over_chunks(draws, threads, job, worth=WORTH_A_THREAD)
    return z, log_proposal


def _components(problem: AnyProblem, mode: Mode) -> tuple[Array, Array, Array]:
    """Centres, Cholesky factors and shares of the t distributions, in whitened etas."""
    d = problem.omega.shape[0]
    peaks = [m for m in (mode, *mode.second_modes) if m.converged and np.isfinite(m.covariance).all()]
    centres, factors, log_mass = np.zeros((len(peaks), d)), np.zeros((len(peaks), d, d)), np.zeros(len(peaks))
    inverse, unit, column = np.zeros((d, d)), np.eye(d), np.empty(d)
    for j in range(d):
        solve_lower(problem.factor, unit[j], column)
        inverse[:, j] = column
    for k, peak in enumerate(peaks):
        solve_lower(problem.factor, peak.eta, centres[k])
        whitened = np.empty((d, d))
        congruence(inverse, peak.covariance, 1.0, whitened)
        cholesky(whitened, factors[k])
        log_mass[k] = 0.5 * log_determinant(factors[k]) - 0.5 * peak.objective
    share = np.exp(log_mass - log_mass.max(initial=-np.inf)) if peaks else log_mass
    share = np.maximum(share / share.sum(), LEAST_SHARE) if peaks else share
    return centres, factors, share / share.sum() if peaks else share


def _sizes(draws: int, share: Array) -> list[int]:
    """How many draws each mode gets, and the prior (last)."""
    around = [int(s * (1.0 - PRIOR_SHARE) * draws) for s in share]
    return [*around, draws - sum(around)]


def _predictions(problem: AnyProblem, eta: Array, threads: int | None) -> tuple[Array, Array]:
    """Predicted levels (n, n_obs) and -2 log likelihoods (n,) of draws."""
    draws, these = eta.shape[0], problem.levels
    minus_2_log = np.empty(draws)
    if isinstance(problem, FunctionProblem):
        told = np.ascontiguousarray(problem.predict(eta), dtype=np.float64)
        over_chunks(
            draws,
            threads,
            lambda low, high: _deviances(told[low:high], these, minus_2_log[low:high]),
            worth=WORTH_A_THREAD,
        )
        return told, minus_2_log
    f, patients = np.empty((draws, these.y.size)), pack([problem])

    def job(low: int, high: int) -> None:
        if not predict_in_step(patients, 0, eta, low, high, f, minus_2_log):
            predict_lanes(patients, 0, eta, low, high, f, minus_2_log)

    over_chunks(draws, threads, job, worth=WORTH_A_THREAD)
    return f, minus_2_log


@kernel
def _deviances(f: Array, levels: Levels, out: Array) -> None:
    """Write -2 log p(levels | predictions) for every row of predictions."""
    y, censoring, kind, a, p, weight = levels
    for row in range(f.shape[0]):
        out[row] = deviance(f[row], y, censoring, kind, a, p, weight)


@kernel
def _stretches(uniform: Array, m: int, out: Array) -> None:
    """Write sqrt(2 m / chi-squared) with 2 m degrees of freedom: chi-squared / 2 is a sum of m exponentials.

    With g = chi-squared / 2, P(sum > g) = exp(-g) (1 + g + ... + g^(m-1) / (m-1)!) is solved by Newton's method.
    """
    for i in range(uniform.size):
        log_target, g = math.log(uniform[i]), float(m)
        for _ in range(60):
            term, total = 1.0, 1.0
            for j in range(1, m):
                term *= g / j
                total += term
            # Newton on the logarithm of the upper tail, which is concave in g
            step = (math.log(total) - g - log_target) * total / term
            g = max(g + step, 0.1 * g)
            if abs(step) < NEARLY * g:
                break
        out[i] = math.sqrt(m / g)


@kernel
def _around(centre: Array, C: Array, normals: Array, stretch: Array, z: Array) -> None:
    """Write centre + stretch C normals for every row."""
    for row in range(z.shape[0]):
        for i in range(centre.size):
            value = 0.0
            for k in range(i + 1):
                value += C[i, k] * normals[row, k]
            z[row, i] = centre[i] + stretch[row] * value


@kernel
def _mixture(z: Array, centres: Array, factors: Array, share: Array, m: int, prior_weight: float, out: Array) -> None:
    """Write the log density of every row: t distributions with 2 m degrees of freedom, and the prior (last share)."""
    modes, d = centres.shape
    freedom = 2.0 * m
    constant = np.empty(modes)
    for k in range(modes):
        constant[k] = (
            math.lgamma(0.5 * (freedom + d))
            - math.lgamma(0.5 * freedom)
            - 0.5 * d * math.log(freedom * math.pi)
            - 0.5 * log_determinant(factors[k])
            + math.log(share[k])
        )
    normal = 0.5 * d * (math.log(prior_weight) - LOG_2_PI) + math.log(share[modes])
    gap, parts = np.empty(d), np.empty(modes + 1)
    for row in range(z.shape[0]):
        square = 0.0
        for j in range(d):
            square += z[row, j] * z[row, j]
        parts[modes] = normal - 0.5 * prior_weight * square
        for k in range(modes):
            for j in range(d):
                gap[j] = z[row, j] - centres[k, j]
            solve_lower(factors[k], gap, gap)
            square = 0.0
            for j in range(d):
                square += gap[j] * gap[j]
            parts[k] = constant[k] - 0.5 * (freedom + d) * math.log1p(square / freedom)
        out[row] = log_sum(parts)
