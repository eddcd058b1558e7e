# SPDX-License-Identifier: Apache-2.0
"""The binomial-normal fit is the top of its likelihood and its limits are where the profile falls by a quantile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import expit, logit
from scipy.stats import binom, chi2

from sirolens.engine.pooling.binomial_normal import binomial_normal, binomial_prediction
from sirolens.engine.statistics.interval import Undefined

FLAT_TOP = 3e-6  # a minimiser of heights knows a place to the root of rounding only
SLOPED = 1e-7  # where the likelihood slopes, its level is found far better; the oracle's inner minimiser limits it
Z = np.linspace(-9, 9, 3001)[:, None]
BELL = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()


def _oracle(k: np.ndarray, n: np.ndarray, mu: float, tau: float) -> float:
    """The log likelihood by a plain fine grid around mu: no mode, no ends, no doubling."""
    theta = mu + tau * Z
    return float(np.log((BELL * np.exp(k * theta - n * np.logaddexp(0, theta))).sum(axis=0)).sum())


SETS = [
    ([12, 73], [20, 86]),
    ([12, 15, 20, 9, 30], [20, 22, 45, 12, 41]),
    ([1, 0, 3, 2, 5, 0], [30, 12, 40, 25, 31, 20]),
]


@pytest.mark.parametrize(("k", "n"), SETS)
def test_fit_and_limits_are_those_of_brute_force(k: list[int], n: list[int]) -> None:
    # Oracle: scipy's simplex over another quadrature, and a root of its profile.
    x, size = np.array(k, float), np.array(n, float)
    found = binomial_normal(k, n)
    start = [logit(x.sum() / size.sum()), 0.4]
    oracle = minimize(
        lambda at: -_oracle(x, size, at[0], abs(at[1])),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000},
    )
    assert -oracle.fun == pytest.approx(found.log_likelihood - _constant(k, n), abs=1e-9)
    if found.tau > 0:
        assert [found.mu, found.tau] == pytest.approx([oracle.x[0], abs(oracle.x[1])], rel=1e-4, abs=1e-5)
    drop = chi2.ppf(0.95, 1) / 2

    def profile(mu: float) -> float:
        inner = minimize_scalar(
            lambda tau: -_oracle(x, size, mu, tau), bounds=(0, 4), method="bounded", options={"xatol": 1e-8}
        )
        return -min(inner.fun, -_oracle(x, size, mu, 0.0)) - (-oracle.fun - drop)

    high = brentq(profile, found.mu, found.mu + 4, xtol=1e-9)
    low = brentq(profile, found.mu - 6, found.mu, xtol=1e-9)
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(expit(low), rel=SLOPED),
        pytest.approx(expit(high), rel=SLOPED),
    )


def _constant(k: list[int], n: list[int]) -> float:
    return float(sum(binom(b, 0.5).logpmf(a) - b * np.log(0.5) for a, b in zip(k, n, strict=True)))


def test_two_reports() -> None:
    # Oracle: the anchor computed outside for 12/20 and 73/86: profile interval 0.38 to 0.94.
    found = binomial_normal([12, 73], [20, 86])
    assert (round(found.interval.low, 2), round(found.interval.high, 2)) == (0.38, 0.94)
    assert binomial_prediction(found, found.k - 2).reason is Undefined.TOO_FEW


def test_spread_limits_are_where_the_profile_falls() -> None:
    k, n = np.array([12.0, 15, 2, 9, 39]), np.array([20.0, 22, 45, 12, 41])
    found = binomial_normal(k, n)
    top = found.log_likelihood - _constant([12, 15, 2, 9, 39], [20, 22, 45, 12, 41])
    for limit in (found.tau_interval.low, found.tau_interval.high):
        inner = minimize_scalar(
            lambda mu, tau=limit: -_oracle(k, n, mu, tau), bounds=(-3, 4), method="bounded", options={"xatol": 1e-9}
        )
        assert -inner.fun == pytest.approx(top - chi2.ppf(0.95, 1) / 2, abs=1e-7)


def test_no_spread_is_the_binomial_of_all_patients() -> None:
    # Limit tau = 0: one share for all; the fit is their sum, and studies alike show no spread.
    found = binomial_normal([3, 3, 3], [10, 10, 10])
    assert (found.tau, found.homogeneity.statistic, found.homogeneity.p_value) == (0, 0, 1)
    assert found.share == pytest.approx(0.3, rel=1e-12)
    assert found.mean_share == pytest.approx(0.3, rel=1e-12)
    assert found.log_likelihood == pytest.approx(3 * binom(10, 0.3).logpmf(3), rel=1e-12)


@given(st.lists(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=6))
@settings(deadline=None, max_examples=12)
def test_order_and_side_do_not_matter(pairs: list[tuple[int, int]]) -> None:
    k, n = (np.array(part) for part in zip(*pairs, strict=True))
    here, there = binomial_normal(k, n, spread=False), binomial_normal((n - k)[::-1], n[::-1], spread=False)
    assert here.reason == there.reason
    if here.reason is Undefined.NOT_IDENTIFIED:
        return
    assert there.share == pytest.approx(1 - here.share, rel=1e-5, abs=1e-7)
    assert there.interval.high == pytest.approx(1 - here.interval.low, rel=1e-6, abs=1e-9)
    assert there.interval.low == pytest.approx(1 - here.interval.high, rel=1e-6, abs=1e-9)
    assert 0 <= here.interval.low <= here.share <= here.interval.high <= 1


def test_all_studies_at_the_edge_have_one_limit() -> None:
    # Oracle: brute force over spread on another quadrature: where the highest likelihood of a mean falls by a quantile.
    found = binomial_normal([0, 0, 0, 0], [10, 12, 30, 8])
    assert (found.share, found.interval.low, found.reason) == (0, 0, Undefined.NO_EVENTS)
    n = np.array([10.0, 12, 30, 8])
    taus = np.linspace(0, 3, 601)
    at_limit = max(_oracle(np.zeros(4), n, float(logit(found.interval.high)), tau) for tau in taus)
    assert at_limit == pytest.approx(-chi2.ppf(0.95, 1) / 2, abs=1e-4)
    mirrored = binomial_normal([10, 12, 30, 8], [10, 12, 30, 8])
    assert mirrored.interval.low == pytest.approx(1 - found.interval.high, rel=1e-9)
    # Two such studies are compatible with any share: half of all hospitals might be at 100 %.
    assert binomial_normal([0, 0], [10, 12]).interval.reason is Undefined.NOT_REACHED


def test_cases_without_an_answer_say_why() -> None:
    apart = binomial_normal([0, 9], [5, 9])
    assert (apart.reason, np.isnan(apart.share)) == (Undefined.NOT_IDENTIFIED, True)
    assert binomial_normal([], []).reason is Undefined.NO_OBSERVATIONS
    alone = binomial_normal([5], [10])
    assert alone.share == pytest.approx(0.5)
    assert alone.homogeneity.reason is Undefined.TOO_FEW
    with pytest.raises(ValueError, match="as many as patients"):
        binomial_normal([21], [20])


def test_sparse_events_do_not_bias_it() -> None:
    # Sets of rare events: the logit with 1/2 added lies above the exact fit.
    from sirolens.engine.pooling.random_effects import random_effects
    from sirolens.engine.pooling.single_arm import scaled

    k, n = [0, 1, 0, 2, 0, 1, 0, 0], [30, 25, 18, 40, 22, 35, 15, 28]
    sizes = scaled(k, n)
    assert expit(random_effects(sizes.y, sizes.v, method="DL").estimate) > 1.3 * binomial_normal(k, n).share


def test_prediction_is_its_formula_and_mean_share_the_mean() -> None:
    from scipy.integrate import quad
    from scipy.stats import norm, t

    found = binomial_normal([12, 15, 2, 9, 39], [20, 22, 45, 12, 41])
    half = t.ppf(0.975, 3) * np.hypot(found.tau, found.se)
    assert binomial_prediction(found, 3).high == pytest.approx(expit(found.mu + half), rel=1e-12)
    mean = quad(lambda z: expit(found.mu + found.tau * z) * norm.pdf(z), -10, 10, epsabs=1e-13)[0]
    assert found.mean_share == pytest.approx(mean, rel=1e-10)
