# SPDX-License-Identifier: Apache-2.0
"""Pooled shares: the anchors computed for the published studies, statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from statsmodels.stats.meta_analysis import combine_effects

from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.pooled import dersimonian_laird


def test_overall_response_at_three_months_differs_between_the_two_studies() -> None:
    """Anchors: fixed 0.7901, random 0.7521 (0.4550-0.9169), Q 5.829, P 0.0158, tau2 0.7218, I2 82.8 %."""
    found = dersimonian_laird([12, 73], [20, 86])
    assert (round(found.fixed, 4), round(found.random, 4)) == (0.7901, 0.7521)
    assert (round(found.random_interval.low, 4), round(found.random_interval.high, 4)) == (0.4550, 0.9169)
    assert (round(found.q, 3), round(found.q_p_value, 4)) == (5.829, 0.0158)
    assert (round(found.tau2, 4), round(100 * found.i2, 1)) == (0.7218, 82.8)


@pytest.mark.parametrize(
    ("k", "n", "share", "low", "high"),
    [
        ([6, 34], [20, 86], 0.3784, 0.2910, 0.4744),
        ([6, 32], [20, 78], 0.3891, 0.2975, 0.4892),
        ([12, 8, 6], [20, 12, 7], 0.6548, 0.4903, 0.7891),
        ([10, 6, 5], [20, 12, 7], 0.5347, 0.3777, 0.6851),
    ],
)
def test_other_pools_of_the_published_studies(
    k: list[int], n: list[int], share: float, low: float, high: float
) -> None:
    """Anchors: complete response at 3 and 6 months, secondary disease overall and complete; I2 0 in each."""
    found = dersimonian_laird(k, n)
    assert round(found.random, 4) == round(found.fixed, 4) == share
    assert (round(found.random_interval.low, 4), round(found.random_interval.high, 4)) == (low, high)
    assert found.i2 == 0
    if len(k) == 3 and k[0] == 12:
        assert round(found.q, 3) == 1.409


def test_the_method_agrees_with_statsmodels() -> None:
    k, n = np.array([3, 9, 20, 4]), np.array([10, 12, 44, 30])
    found = dersimonian_laird(k, n)
    other = combine_effects(logit(k / n), 1 / k + 1 / (n - k), method_re="dl")
    assert found.tau2 == pytest.approx(other.tau2)
    assert logit(found.random) == pytest.approx(other.mean_effect_re)
    assert found.q == pytest.approx(other.q)


def test_a_share_without_logit_has_no_pool_and_says_so() -> None:
    assert dersimonian_laird([0, 5], [10, 10]).reason is Undefined.NO_EVENTS
    assert dersimonian_laird([10, 5], [10, 10]).reason is Undefined.NO_EVENTS
    assert dersimonian_laird([], []).reason is Undefined.NO_OBSERVATIONS
    with pytest.raises(ValueError, match="each study"):
        dersimonian_laird([3], [2])


def test_one_study_is_its_own_pool() -> None:
    found = dersimonian_laird([6], [20])
    assert found.fixed == pytest.approx(0.3)
    assert found.tau2 == 0
