# SPDX-License-Identifier: Apache-2.0
"""Posteriors by quadrature: adaptive integrals by another code, finer grids, limits with closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import beta, norm

from sirolens.engine.pooling import half_normal
from sirolens.engine.pooling.half_normal import Believed, binomial_half_normal, normal_half_normal
from sirolens.engine.statistics.interval import Undefined

QUADRATURE = 1e-7
FINER = 1e-8  # what doubling every grid may change


def _numbers(found: Believed) -> np.ndarray:
    pairs = (found.interval, found.tau_interval, found.prediction)
    return np.array([found.median, found.mean, found.tau_median, *(x for one in pairs for x in (one.low, one.high))])


def test_normal_posterior_is_that_of_adaptive_quadrature() -> None:
    # Oracle: scipy.integrate.quad over tau of the textbook's formulas.
    y, v, s = np.array([0.2, 0.9, -0.4]), np.array([0.1, 0.3, 0.2]), 0.5
    found = normal_half_normal(y, v, s)

    def parts(tau: float) -> tuple[float, float, float]:
        w = 1 / (v + tau**2)
        mean = w @ y / w.sum()
        rest = np.sqrt(np.prod(w) / w.sum()) * np.exp(-0.5 * (w @ (y - mean) ** 2)) * np.exp(-0.5 * (tau / s) ** 2)
        return float(rest), float(mean), float(1 / w.sum())

    def integral(of: Callable[..., float]) -> float:
        return quad(lambda t: parts(t)[0] * of(*parts(t), t), 0, 10 * s, epsabs=0, epsrel=1e-11)[0]

    total = integral(lambda *_: 1.0)
    for value, share in ((found.interval.low, 0.025), (found.median, 0.5), (found.interval.high, 0.975)):
        assert integral(lambda _, m, var, __, c=value: norm.cdf((c - m) / np.sqrt(var))) / total == pytest.approx(
            share, rel=QUADRATURE
        )
    for value, share in ((found.prediction.low, 0.025), (found.prediction.high, 0.975)):
        assert integral(lambda _, m, var, t, c=value: norm.cdf((c - m) / np.sqrt(var + t**2))) / total == pytest.approx(
            share, rel=QUADRATURE
        )
    below = quad(lambda t: parts(t)[0], 0, found.tau_median, epsabs=0, epsrel=1e-11)[0]
    assert below / total == pytest.approx(0.5, rel=QUADRATURE)
    assert found.mean == pytest.approx(integral(lambda _, m, __, ___: m) / total, rel=QUADRATURE)


def test_a_tiny_prior_is_equal_effects_in_both_models() -> None:
    # Limit s -> 0: the normal pool, and the beta posterior of all patients together under a uniform share.
    found = normal_half_normal([0.3, 0.7], [0.2, 0.1], 1e-7)
    assert found.median == pytest.approx((0.3 / 0.2 + 0.7 / 0.1) / 15, rel=1e-9)
    assert found.interval.high == pytest.approx(17 / 30 + norm.ppf(0.975) / np.sqrt(15), rel=1e-9) or found.median > 0
    shares = binomial_half_normal([12, 73], [20, 86], 1e-6)
    posterior = beta(1 + 85, 1 + 21)
    assert [shares.median, shares.mean, shares.interval.low, shares.interval.high] == pytest.approx(
        [posterior.ppf(0.5), posterior.mean(), posterior.ppf(0.025), posterior.ppf(0.975)], rel=1e-7
    )


def test_binomial_posterior_is_that_of_a_brute_force_grid() -> None:
    # Oracle: the posterior on a plain fine grid of mu, tau and each study's own place: no ends, no maps, no splines.
    k, n, s = np.array([3.0, 6]), np.array([6.0, 9]), 1.0
    z = np.linspace(-8, 8, 201)
    mus, taus = np.linspace(-13, 13, 521), np.linspace(0, 7, 141)
    theta = mus[:, None, None] + taus[None, :, None] * z
    joint = np.exp(-0.5 * (taus / s) ** 2)[None, :] * (expit(mus) * expit(-mus))[:, None]
    soft = np.logaddexp(0, theta)
    for x, size in zip(k, n, strict=True):
        joint = joint * (np.exp(x * theta - size * soft) @ np.exp(-0.5 * z**2))
    joint[:, 0] /= 2
    by_mu = joint.sum(axis=1)
    found = binomial_half_normal(k, n, s)
    assert found.mean == pytest.approx((by_mu @ expit(mus)) / by_mu.sum(), rel=1e-5)
    inside = (mus > logit(found.interval.low)) & (mus < logit(found.interval.high))
    assert by_mu[inside].sum() / by_mu.sum() == pytest.approx(0.95, abs=3e-3)


def test_finer_grids_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    k, n = [12, 73], [20, 86]
    coarse = _numbers(binomial_half_normal(k, n, 1.0))
    monkeypatch.setattr(half_normal, "_TAUS", 2 * half_normal._TAUS)
    monkeypatch.setattr(half_normal, "_MUS", 2 * half_normal._MUS)
    monkeypatch.setattr(half_normal, "_Z", 2 * half_normal._Z + 1)
    assert coarse == pytest.approx(_numbers(binomial_half_normal(k, n, 1.0)), rel=3 * FINER)


@given(st.lists(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=3))
@settings(deadline=None, max_examples=2)
def test_the_mirror_image_is_believed_as_much(pairs: list[tuple[int, int]]) -> None:
    k, n = (np.array(part) for part in zip(*pairs, strict=True))
    here, there = binomial_half_normal(k, n, 0.5), binomial_half_normal(n - k, n, 0.5)
    assert there.median == pytest.approx(1 - here.median, rel=1e-6)
    assert there.prediction.low == pytest.approx(1 - here.prediction.high, rel=1e-5, abs=1e-9)
    assert there.tau_median == pytest.approx(here.tau_median, rel=1e-6)
    assert here.prediction.low <= here.interval.low <= here.median <= here.interval.high <= here.prediction.high


def test_without_studies_there_is_nothing_to_believe_and_bad_scales_are_refused() -> None:
    assert binomial_half_normal([], [], 1.0).reason is Undefined.NO_OBSERVATIONS
    assert normal_half_normal([], [], 1.0).reason is Undefined.NO_OBSERVATIONS
    for scale in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="positive scale"):
            binomial_half_normal([1], [2], scale)
