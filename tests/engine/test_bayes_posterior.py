# SPDX-License-Identifier: Apache-2.0
"""The whole posterior, against quadrature, long Markov chains and simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_t, norm
from tests.engine.linear_oracle import vector
from validation.estimation.calibration import calibrate
from validation.estimation.oracle import long_chain, minus_2_log_likelihood
from validation.estimation.patients import Invented, invent

from sirolens.engine.bayes import (
    FunctionProblem,
    Mode,
    Posterior,
    Problem,
    level_check,
    levels,
    mode,
    posterior,
    prior_predictive,
)
from sirolens.engine.bayes_posterior import _mixture
from sirolens.engine.linear import PARAMETERS, Structure, concentrations, events_from_columns
from sirolens.engine.sampling import weighted_mean, weighted_quantile

DRAWS = 10_000
AVERAGE = 0.02  # of a posterior standard deviation: the error of an average of 10,000 quasi-random draws, with room
EVIDENCE = 0.005  # of a log integrated likelihood: the same
WIDTH = 0.05  # of an interval's width, ours and the chain's noise together
SIGNIFICANCE = 1e-3  # of a test of uniformity with fixed seeds


def grid_posterior(patient: Invented, points: int = 601) -> tuple[np.ndarray, np.ndarray, float]:
    """Oracle for one or two etas: grid points, their weights, and the log integrated likelihood."""
    factor = np.linalg.cholesky(patient.model.omega)
    d = factor.shape[0]
    axis = np.linspace(-6.5, 6.5, points if d == 1 else 201)
    z = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    eta = z @ factor.T
    log_weight = norm.logpdf(z).sum(axis=1) - 0.5 * minus_2_log_likelihood(patient, eta)
    weight = np.exp(log_weight - log_weight.max())
    cell = (axis[1] - axis[0]) ** d
    return eta, weight / weight.sum(), float(log_weight.max() + np.log(weight.sum() * cell))


@pytest.mark.parametrize(("name", "number"), [("fan_2024", 3), ("cheng_2020", 1), ("jiao_2009", 4), ("mao_2024", 7)])
def test_posterior_is_that_of_quadrature(name: str, number: int) -> None:
    patient = invent(name, 80, number)
    found = posterior(patient.problem, mode(patient.problem), draws=DRAWS, seed=1)
    eta, weight, log_evidence = grid_posterior(patient)
    mean = weight @ eta
    sd = np.sqrt(weight @ (eta - mean) ** 2)
    ours = weighted_mean(found.eta, found.weight)
    assert np.abs(ours - mean).max() <= AVERAGE * sd.max()
    spread = np.sqrt(weighted_mean((found.eta - ours) ** 2, found.weight))
    assert np.abs(spread / sd - 1.0).max() <= AVERAGE
    for j in range(eta.shape[1]):
        low, high = weighted_quantile(found.eta[:, j], found.weight, [0.05, 0.95])
        exact = weighted_quantile(eta[:, j], weight, [0.05, 0.95])
        cell = 13.0 / 200.0 * np.sqrt(patient.model.omega[j, j])  # the oracle knows quantiles to half a cell
        assert np.abs(np.array([low, high]) - exact).max() <= 2.0 * AVERAGE * sd[j] + 0.5 * cell
    assert found.log_evidence == pytest.approx(log_evidence, abs=EVIDENCE)
    assert found.k_hat < 0.7
    assert found.effective_draws > 0.3 * DRAWS
    assert found.weight.sum() == pytest.approx(1.0, abs=1e-12)


def test_interval_is_no_wider_than_that_of_a_long_chain() -> None:
    """Oracle: random-walk Metropolis; 24 patients of every model in validation/estimation."""
    patient = invent("golubovic_2019", 81, 2)
    found = posterior(patient.problem, mode(patient.problem), draws=DRAWS, seed=1)
    eta, trough = long_chain(patient, np.random.default_rng(1), steps=1200, burn_in=300, chains=200)
    ours = np.column_stack([found.eta, found.predicted_ng_ml[:, -1]])
    theirs = np.column_stack([eta, trough])
    low, high = weighted_quantile(ours, found.weight, [0.05, 0.95])
    chain_low, chain_high = np.quantile(theirs, [0.05, 0.95], axis=0)
    assert np.abs((high - low) / (chain_high - chain_low) - 1.0).max() <= WIDTH


@pytest.mark.parametrize("name", ["cheng_2020", "golubovic_2019"])
def test_truth_falls_uniformly_among_the_draws(name: str) -> None:
    """Simulation-based calibration of 100 patients; 1,000 of every model in validation/estimation."""
    found = calibrate(name, seed=82, patients=100, draws=1000)
    for quantity, share in zip(found.names, found.share.T, strict=True):
        assert kstest(share, "uniform").pvalue > SIGNIFICANCE, quantity


def patient(observed: list[float], **changes: object) -> Problem:
    times = [0.0, *(24.0 * (14 + 7 * i) for i in range(len(observed)))]
    which = np.full(15, -1)
    which[[PARAMETERS.index("cl_l_h"), PARAMETERS.index("v1_l")]] = 0, 1
    return replace(
        Problem(
            structure=Structure(compartments=1, absorption="first-order"),
            events=events_from_columns(
                time_h=times,
                evid=[1, *[0] * len(observed)],
                amount_mg=[2.0, *[0.0] * len(observed)],
                ii_h=[24.0, *[0.0] * len(observed)],
                addl=[90, *[0] * len(observed)],
            ),
            typical=vector(cl_l_h=5.63, v1_l=144.16, ka_1_h=0.7521)[None],
            eta_of_parameter=which,
            effect_kind=np.zeros(15, dtype=np.int64),
            omega=np.diag([0.0353, 0.0727]),
            levels=levels(observed, residual_kind=1, proportional=0.2245),
        ),
        **changes,
    )


def drawn(problem: Problem | FunctionProblem, **settings: object) -> Posterior:
    return posterior(problem, mode(problem), **({"draws": DRAWS, "seed": 1} | settings))


def test_without_levels_the_posterior_is_the_prior_exactly() -> None:
    excluded = levels([7.0, np.nan], residual_kind=1, proportional=0.2, weight=0.0)
    for problem in (patient([7.0, 9.0], levels=excluded), patient([])):
        found = drawn(problem)
        assert (found.weight == found.weight[0]).all()
        assert found.k_hat == -np.inf
        assert found.effective_draws == pytest.approx(DRAWS)
        assert found.log_evidence == pytest.approx(0.0, abs=1e-12)
        assert found.eta.mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-3)
        assert np.cov(found.eta.T) == pytest.approx(problem.omega, abs=2e-4)
    assert found.predicted_ng_ml.shape == (DRAWS, 0)


def test_same_seed_same_bits_whatever_the_threads() -> None:
    first, second = drawn(patient([6.0, 9.0]), threads=1), drawn(patient([6.0, 9.0]), threads=2)
    assert (first.eta == second.eta).all()
    assert (first.log_weight == second.log_weight).all()
    assert (first.predicted_ng_ml == second.predicted_ng_ml).all()
    assert not (drawn(patient([6.0, 9.0]), seed=2).eta == first.eta).all()


def test_draws_do_not_depend_on_how_predictions_are_computed() -> None:
    # the general kernels, entered through a lag of zero effect, against those in step
    problem = patient([6.0, 9.0])
    late = problem.typical.copy()
    late[0, PARAMETERS.index("lag1_h")] = 1e-9
    plain, general = drawn(problem), drawn(replace(problem, typical=late))
    assert np.abs(plain.predicted_ng_ml / general.predicted_ng_ml - 1.0).max() < 1e-7
    assert plain.log_evidence == pytest.approx(general.log_evidence, abs=1e-4)


def two_peaks() -> FunctionProblem:
    return FunctionProblem(
        predict=lambda eta: 8.0 * np.cosh(2.0 * eta) + 0.2 * eta,
        omega=np.array([[0.25]]),
        levels=levels([20.0], residual_kind=1, proportional=0.1),
    )


def test_both_peaks_get_their_mass() -> None:
    # oracle: the density on a fine grid
    grid = np.linspace(-4, 4, 200_001)
    f = 8.0 * np.cosh(2.0 * grid) + 0.2 * grid
    density = norm.pdf(grid, 0.0, 0.5) * norm.pdf(20.0, f, 0.1 * f)
    found = drawn(two_peaks())
    right = found.weight @ (found.eta[:, 0] > 0.0)
    assert right == pytest.approx(density[grid > 0.0].sum() / density.sum(), abs=0.01)
    assert found.log_evidence == pytest.approx(np.log(density.sum() * (grid[1] - grid[0])), abs=EVIDENCE)
    assert found.effective_draws > 0.5 * DRAWS


def test_a_missed_mode_is_still_covered_by_the_prior_draws() -> None:
    one = replace(mode(two_peaks()), second_modes=())
    found = posterior(two_peaks(), one, draws=DRAWS, seed=1)
    grid = np.linspace(-4, 4, 200_001)
    f = 8.0 * np.cosh(2.0 * grid) + 0.2 * grid
    density = norm.pdf(grid, 0.0, 0.5) * norm.pdf(20.0, f, 0.1 * f)
    right = found.weight @ (found.eta[:, 0] > 0.0)
    assert right == pytest.approx(density[grid > 0.0].sum() / density.sum(), abs=0.2)
    assert found.effective_draws < 0.1 * drawn(two_peaks()).effective_draws
    assert found.k_hat > 0.7


def test_weights_are_never_larger_than_the_prior_draws_allow() -> None:
    found = drawn(patient([2.0, 30.0, 1.0]))
    raw = -0.5 * found.minus_2_log_likelihood
    bound = raw.max() - np.log(0.15) - found.log_evidence - np.log(DRAWS)
    assert found.log_weight.max() <= bound + 0.05  # smoothing and normalising move it a little


def test_integrated_likelihood_with_the_common_residual_is_that_of_quadrature() -> None:
    problem = patient([6.0, 9.0], prior_weight=3.0)
    found = drawn(problem, common_residual=(0.5, 0.2))
    axis = np.linspace(-6, 6, 241)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    common = replace(
        problem,
        prior_weight=1.0,
        levels=levels([6.0, 9.0], residual_kind=2, additive_ng_ml=0.5, proportional=0.2),
    )
    # oracle: the trapezoidal rule on predictions of the engine, SciPy's densities
    f = _predict(problem, z @ common.factor.T)
    s = np.hypot(0.5, 0.2 * f)
    density = np.exp(norm.logpdf(problem.levels.y, f, s).sum(axis=1) + norm.logpdf(z).sum(axis=1))
    exact = np.log(density.sum() * (axis[1] - axis[0]) ** 2)
    assert found.common_log_evidence == pytest.approx(exact, abs=EVIDENCE)  # under the unweighted prior
    assert found.common_k_hat is not None
    assert found.common_k_hat < 0.7
    assert drawn(common).log_evidence == pytest.approx(exact, abs=EVIDENCE)


def _predict(problem: Problem, eta: np.ndarray) -> np.ndarray:
    values = np.repeat(problem.typical[None], len(eta), 0)
    values[:, :, 0] *= np.exp(eta[:, :1])
    values[:, :, 1] *= np.exp(eta[:, 1:])
    return concentrations(problem.structure, problem.events, values, np.zeros(len(eta), int)).values.reshape(
        len(eta), -1
    )


def test_a_weight_on_the_prior_is_a_tighter_omega() -> None:
    heavy, tight = patient([3.0], prior_weight=4.0), patient([3.0], omega=np.diag([0.0353, 0.0727]) / 4.0)
    one, two = drawn(heavy), drawn(tight)
    assert weighted_mean(one.eta, one.weight) == pytest.approx(weighted_mean(two.eta, two.weight), abs=2e-3)
    assert one.log_evidence == pytest.approx(two.log_evidence, abs=EVIDENCE)


def test_impossible_levels_give_no_weight_and_say_so() -> None:
    early = replace(patient([5.0]), events=events_from_columns(time_h=[0.0, 1.0], evid=[0, 1], amount_mg=[0.0, 2.0]))
    found = drawn(early, draws=500)
    assert found.log_evidence == -np.inf
    assert found.effective_draws == 0.0
    assert found.k_hat == np.inf


def test_mixture_density_is_scipys() -> None:
    centres, share = np.array([[0.3, -1.0], [1.0, 2.0]]), np.array([0.5, 0.3, 0.2])
    factors = np.array([[[0.5, 0.0], [0.2, 0.4]], [[0.3, 0.0], [-0.1, 0.6]]])
    z, out = np.random.default_rng(1).normal(size=(50, 2)), np.empty(50)
    _mixture(z, centres, factors, share, 3, 2.0, out)
    expected = 0.2 * np.prod(norm.pdf(z, 0.0, np.sqrt(0.5)), axis=1)
    for k in range(2):
        expected += share[k] * multivariate_t(centres[k], factors[k] @ factors[k].T, df=6).pdf(z)
    assert out == pytest.approx(np.log(expected), rel=1e-12)


def test_where_a_level_sits_among_expectations() -> None:
    # oracle: plain simulation of levels from the prior
    observed = [14.0, 3.0, 2.0]
    asked = levels(observed, residual_kind=1, proportional=0.2245, censoring=[0, 0, -1])
    problem = patient(observed, levels=asked)
    found = prior_predictive(problem, seed=1)
    rng = np.random.default_rng(1)
    f = _predict(problem, rng.standard_normal((200_000, 2)) * np.sqrt([0.0353, 0.0727]))
    simulated = f * (1.0 + 0.2245 * rng.standard_normal(f.shape))
    below = (simulated <= problem.levels.y).mean(axis=0)
    assert found.probability == pytest.approx(below, abs=0.005)
    assert found.expected_ng_ml == pytest.approx(simulated.mean(axis=0), rel=0.01)
    two_sided = [2.0 * min(below[0], 1.0 - below[0]), 2.0 * min(below[1], 1.0 - below[1]), below[2]]
    assert found.two_sided_p == pytest.approx(two_sided, abs=0.01)
    assert found.standardised == pytest.approx(norm.ppf(below), abs=0.03)


def test_levels_are_expected_where_the_posterior_has_learnt_them() -> None:
    problem = patient([14.0, 14.0, 14.0])
    before, found = prior_predictive(problem, seed=1), drawn(problem)
    after = level_check(problem, found.predicted_ng_ml, found.weight)
    assert (np.abs(after.standardised) < np.abs(before.standardised)).all()
    assert (after.two_sided_p > before.two_sided_p).all()
    assert (after.two_sided_p <= 1.0).all()


def test_prior_predictive_probabilities_are_uniform_over_patients() -> None:
    # every level as it was before the limit of quantification came into it: the probability needs no measured level
    found = []
    for number in range(200):
        one = invent("chen_2021", 83, number)
        noise = norm.rvs(size=one.true_ng_ml.size, random_state=number) * one.model.residual.additive_ng_ml
        raw = one.problem.levels._replace(y=one.true_ng_ml + noise, censoring=np.zeros(noise.size, dtype=np.int64))
        found.append(prior_predictive(replace(one.problem, levels=raw), draws=1024, seed=number).probability[0])
    assert kstest(found, "uniform").pvalue > SIGNIFICANCE


def test_no_mode_leaves_the_prior_draws() -> None:
    problem = patient([6.0])
    nothing = Mode(
        eta=np.zeros(2),
        objective=0.0,
        gradient_norm=1.0,
        hessian=np.eye(2),
        covariance=np.full((2, 2), np.nan),
        converged=False,
        reason=mode(problem).reason,
        starts_tried=1,
    )
    found = posterior(problem, nothing, draws=DRAWS, seed=1)
    exact = drawn(problem)
    assert weighted_mean(found.eta, found.weight) == pytest.approx(weighted_mean(exact.eta, exact.weight), abs=5e-3)
