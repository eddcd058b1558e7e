# SPDX-License-Identifier: Apache-2.0
"""Reweighting one batch of patients gives the rates of another population, with an honest effective sample size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, norm

from sirolens.engine.sampling import effective_draws, normal, stream, uniform
from sirolens.mechanism.network import load
from sirolens.mechanism.virtual import draw
from sirolens.study.calibration.prior import (
    calibration_prior,
    drawn,
    natural,
    proposal,
    statistics_of,
    with_centres,
)
from sirolens.study.calibration.reweight import population_weights, rates_of

PRIOR = calibration_prior()
N = 20_000
FOUR_ERRORS = 4.0  # standard errors that a correct estimate leaves once in 16,000
ROUNDING = 1e-9


def wide() -> np.ndarray:
    return proposal(PRIOR)


@settings(deadline=None, max_examples=25)
@given(mean=st.floats(-1.5, 1.5), sd=st.floats(0.5, 1.8))
def test_the_rate_of_a_normal_population_is_its_tail(mean: float, sd: float) -> None:
    # Oracle: scipy's normal tail; patients were drawn from N(0, 2^2).
    x = 2.0 * normal(stream(3, "reweight"), (N,))
    found = rates_of([[mean / sd**2, -0.5 / sd**2]], [0.0, -0.125], [x, x * x], (x > 0.5)[:, None])
    true = norm.sf(0.5, mean, sd)
    assert abs(found.values[0, 0] - true) < FOUR_ERRORS * np.sqrt(true * (1 - true) / found.effective[0]) + 1e-3


def test_the_rate_of_a_beta_population_is_its_tail() -> None:
    # Oracle: scipy's beta tail; patients were drawn uniformly, Beta(1, 1).
    x = uniform(stream(4, "reweight"), (N,))
    found = rates_of([[2.0, 3.0]], [0.0, 0.0], [np.log(x), np.log1p(-x)], (x > 0.4)[:, None])
    assert found.values[0, 0] == pytest.approx(beta.sf(0.4, 3.0, 4.0), abs=0.015)


def test_the_effective_sample_size_is_that_of_the_weights_and_all_of_them_without_a_tilt() -> None:
    x = normal(stream(5, "reweight"), (500,))
    T = np.array([x, x * x])
    weights = population_weights([1.0, -0.8], [0.0, -0.5], T)
    found = rates_of([[1.0, -0.8], [0.0, -0.5]], [0.0, -0.5], T, x[:, None])
    assert found.effective[0] == pytest.approx(effective_draws(weights), rel=ROUNDING)
    assert found.effective[1] == pytest.approx(500.0)
    assert found.values[1, 0] == pytest.approx(x.mean(), abs=ROUNDING)
    assert found.values[0, 0] == pytest.approx(float(np.average(x, weights=weights)), abs=ROUNDING)


def test_a_reweighted_batch_agrees_with_patients_drawn_from_the_population_itself() -> None:
    # Oracle: the same laws drawn plainly by mechanism.virtual, cut to the same ranges.
    theta, _ = drawn(PRIOR, 32, 1, seed=9)
    batch = draw(with_centres(load(), PRIOR, wide()), N, seed=1)
    own = {one.symbol: batch.parameter(one.symbol) for one in PRIOR.inputs}
    eta = natural(PRIOR, theta)
    for s in (0, 7, 21):
        plain = draw(with_centres(load(), PRIOR, theta[s]), N, seed=2)
        outcomes = np.stack([own["dep"] > 0.5, own["kap"] > 0.4, own["fL"] > 0.5, own["dep"] * own["fL"] > 0.2], 1)
        found = rates_of(eta[s : s + 1], natural(PRIOR, wide()[None])[0], statistics_of(PRIOR, own), outcomes)
        real = {one.symbol: plain.parameter(one.symbol) for one in PRIOR.inputs}
        true = np.stack([real["dep"] > 0.5, real["kap"] > 0.4, real["fL"] > 0.5, real["dep"] * real["fL"] > 0.2], 1)
        assert found.effective[0] > 500
        noise = np.sqrt(0.25 / found.effective[0] + 0.25 / N)
        assert np.abs(found.values[0] - true.mean(axis=0)).max() < FOUR_ERRORS * noise


def test_a_shift_moves_one_input_only() -> None:
    theta, _ = drawn(PRIOR, 4, 1, seed=2)
    moved, same = natural(PRIOR, theta, 0.7), natural(PRIOR, theta)
    column = [one.symbol for one in PRIOR.inputs].index(PRIOR.shifted)
    others = [j for j in range(moved.shape[1]) if j != 2 * column]
    assert (moved[:, 2 * column] != same[:, 2 * column]).all()
    assert (moved[:, others] == same[:, others]).all()


def test_the_proposal_covers_most_populations_of_the_prior() -> None:
    batch = draw(with_centres(load(), PRIOR, wide()), N, seed=1)
    own = {one.symbol: batch.parameter(one.symbol) for one in PRIOR.inputs}
    theta, shifts = drawn(PRIOR, 256, 3, seed=1)
    eta = natural(PRIOR, theta, shifts[:, 0])
    found = rates_of(eta, natural(PRIOR, wide()[None])[0], statistics_of(PRIOR, own), np.ones((N, 1)))
    assert np.median(found.effective) > 0.08 * N
    assert np.quantile(found.effective, 0.05) > 0.01 * N
