# SPDX-License-Identifier: Apache-2.0
"""The binomial-normal likelihood is the integral it claims to be: adaptive quadrature, Gauss-Hermite, the binomial."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from sirolens.engine.pooling.binomial_likelihood import binomial_constant, log_likelihood

QUADRATURE = 1e-11  # of the oracle
DIFFERENCE = 1e-6  # a central difference with a step of 1e-5
TAUS = (0.05, 0.5, 2.0, 10.0, 40.0)


def _log_integral(k: float, n: float, mu: float, tau: float) -> float:
    """One study by scipy's adaptive rule, cut where the integrand turns."""

    def height(theta: float) -> float:
        return k * theta - n * np.logaddexp(0, theta) - 0.5 * ((theta - mu) / tau) ** 2

    # The prior alone makes the integrand fall by e^-40 within 9 tau of its top.
    top_at = minimize_scalar(lambda theta: -height(theta), bracket=(mu - 0.1, mu + 0.1)).x
    grid = np.linspace(top_at - 9 * tau, top_at + 9 * tau, 4001)
    top = max(height(theta) for theta in grid)
    inside = grid[[height(theta) > top - 45 for theta in grid]]
    parts = np.linspace(inside[0], inside[-1], 25)
    total = sum(quad(lambda x: np.exp(height(x) - top), a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(parts))
    return float(np.log(total) + top - np.log(tau * np.sqrt(2 * np.pi)))


@pytest.mark.parametrize(("k", "n"), [(12.0, 20.0), (0.0, 5.0), (7.0, 7.0), (2.0, 1000.0)])
@pytest.mark.parametrize("tau", TAUS)
def test_value_is_the_integral(k: float, n: float, tau: float) -> None:
    for mu in (-2.0, 0.7):
        found = log_likelihood(np.array([k]), np.array([n]), np.array([mu]), np.array([tau]))
        assert found.value[0] == pytest.approx(_log_integral(k, n, mu, tau), rel=QUADRATURE, abs=QUADRATURE)


@pytest.mark.parametrize(("k", "n"), [(12, 20), (0, 5), (73, 86)])
def test_value_is_that_of_gauss_and_hermite_of_high_order(k: int, n: int) -> None:
    # Oracle: 120 fixed nodes around mu, exact where the spread is moderate.
    nodes, weights = np.polynomial.hermite.hermgauss(120)
    mu, tau = 0.4, 0.6
    theta = mu + np.sqrt(2) * tau * nodes
    oracle = np.log((weights * np.exp(k * theta - n * np.logaddexp(0, theta))).sum() / np.sqrt(np.pi))
    found = log_likelihood(np.array([k]), np.array([n]), np.array([mu]), np.array([tau])).value[0]
    assert found == pytest.approx(oracle, rel=1e-10)


@pytest.mark.parametrize("tau", TAUS)
def test_slopes_are_those_of_the_value(tau: float) -> None:
    k, n, mu, h = np.array([0.0, 12.0, 9.0]), np.array([6.0, 20.0, 9.0]), 0.3, 1e-5
    at = log_likelihood(k, n, np.array([mu, mu + h, mu - h, mu, mu]), np.array([tau, tau, tau, tau + h, tau - h]))
    assert at.slope_mu[0] == pytest.approx((at.value[1] - at.value[2]) / (2 * h), abs=DIFFERENCE)
    assert at.slope_tau[0] == pytest.approx((at.value[3] - at.value[4]) / (2 * h), abs=20 * DIFFERENCE)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(-6, 6))
@settings(deadline=None, max_examples=60)
def test_without_spread_it_is_the_binomial_and_a_small_spread_is_near(pair: tuple[int, int], mu: float) -> None:
    k, n = np.array([float(pair[0])]), np.array([float(pair[1])])
    found = log_likelihood(k, n, np.array([mu, mu]), np.array([0.0, 1e-5]))
    oracle = binom(pair[1], 1 / (1 + np.exp(-mu))).logpmf(pair[0])
    assert found.value[0] + binomial_constant(k, n) == pytest.approx(oracle, rel=1e-9, abs=1e-9)
    assert found.value[1] == pytest.approx(found.value[0], abs=1e-5)


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(-4, 4),
    st.floats(0.01, 20),
)
@settings(deadline=None, max_examples=60)
def test_the_mirror_image_has_the_same_likelihood(pair: tuple[int, int], mu: float, tau: float) -> None:
    k, n = np.array([float(pair[0])]), np.array([float(pair[1])])
    here = log_likelihood(k, n, np.array([mu]), np.array([tau]))
    there = log_likelihood(n - k, n, np.array([-mu]), np.array([tau]))
    assert there.value[0] == pytest.approx(here.value[0], rel=1e-11, abs=1e-11)
    assert there.slope_mu[0] == pytest.approx(-here.slope_mu[0], rel=1e-8, abs=1e-8)


def test_all_counts_of_a_study_have_probability_one() -> None:
    # Oracle: probabilities over every possible count sum to 1.
    n = np.full(31, 30.0)
    k = np.arange(31.0)
    total = sum(
        np.exp(
            log_likelihood(k[i : i + 1], n[:1], np.array([0.8]), np.array([1.3])).value[0]
            + binomial_constant(k[i : i + 1], n[:1])
        )
        for i in range(31)
    )
    assert total == pytest.approx(1, rel=1e-12)


def test_like_studies_count_as_often_as_they_are() -> None:
    many = log_likelihood(np.full(3, 4.0), np.full(3, 9.0), np.array([0.1]), np.array([0.5]))
    once = log_likelihood(np.array([4.0]), np.array([9.0]), np.array([0.1]), np.array([0.5]), np.array([3.0]))
    assert once.value[0] == pytest.approx(many.value[0], rel=1e-13)
