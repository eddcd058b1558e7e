# SPDX-License-Identifier: Apache-2.0
"""Importance weights with smoothed tails."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import logsumexp
from scipy.stats import genpareto

from sirolens.engine.bayes_weights import fit_tail, log_sum, smooth
from sirolens.engine.sampling import normal, stream, uniform

SAME_ALGORITHM = 1e-9  # ArviZ's implementation of the same paper; sums in another order


@pytest.mark.parametrize("count", [60, 225, 1000, 10_000])
@pytest.mark.parametrize("spread", [0.1, 0.7, 1.5, 4.0])
def test_smoothed_weights_and_k_hat_are_arvizs(count: int, spread: float) -> None:
    raw = spread * normal(stream(7, "weights", count), (count,))
    expected, k_hat = array_stats.psislw(-raw)
    smoothed = raw.copy()
    assert smooth(smoothed) == pytest.approx(float(k_hat), abs=SAME_ALGORITHM)
    assert np.abs(smoothed - expected).max() < SAME_ALGORITHM


def test_the_fit_finds_the_shape_of_a_pareto_tail() -> None:
    for shape in (-0.3, 0.2, 0.6, 1.0):
        excess = np.sort(genpareto.ppf(uniform(stream(3), (20_000,)), shape, scale=2.0))
        k, scale = fit_tail(excess)
        assert k == pytest.approx(shape, abs=0.03)
        assert scale == pytest.approx(2.0, rel=0.05)


def test_k_hat_warns_of_a_proposal_with_thin_tails() -> None:
    # draws from N(0, 1) for a target N(0, 3^2): weights without variance
    z = normal(stream(1), (10_000,))
    assert smooth((-0.5 * (z / 3.0) ** 2 + 0.5 * z * z).copy()) > 0.7
    # and the other way round: bounded weights
    wide = 3.0 * z
    assert smooth((-0.5 * wide**2 + 0.5 * (wide / 3.0) ** 2).copy()) < 0.5


def test_weights_sum_to_one_and_never_exceed_the_largest() -> None:
    raw = 3.0 * normal(stream(2), (2000,))
    smoothed = raw.copy()
    smooth(smoothed)
    assert log_sum(smoothed) == pytest.approx(0.0, abs=1e-12)
    assert smoothed.max() - np.sort(smoothed)[0] <= raw.max() - raw.min() + 1e-9
    order = np.argsort(raw)
    assert (np.diff(smoothed[order]) >= -1e-12).all()  # smoothing keeps the order


def test_degenerate_weights_say_so() -> None:
    equal = np.full(1000, -5.0)
    assert smooth(equal) == -np.inf
    assert np.exp(equal).sum() == pytest.approx(1.0)
    lonely = np.full(1000, -np.inf)
    lonely[3] = -2.0
    assert smooth(lonely) == np.inf
    assert np.exp(lonely[3]) == pytest.approx(1.0)
    nothing = np.full(10, -np.inf)
    assert smooth(nothing) == np.inf
    few = np.array([0.0, -1.0, -2.0])
    assert smooth(few) == np.inf


def test_log_sum_is_scipys() -> None:
    values = 300.0 * normal(stream(5), (100,))
    assert log_sum(values) == pytest.approx(logsumexp(values), rel=1e-14)
    assert log_sum(np.full(3, -np.inf)) == -np.inf
