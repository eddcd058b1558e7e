# SPDX-License-Identifier: Apache-2.0
"""Correlations: SciPy, brute-force enumeration, coverage under a known law."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sirolens.engine.sampling import normal, stream
from sirolens.engine.statistics.correlation import linear_correlation, spearman
from sirolens.engine.statistics.interval import Undefined

pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=20)


@given(pairs)
@settings(deadline=None)
def test_coefficients_and_p_values_agree_with_scipy(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    rank, linear = spearman(x, y), linear_correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert rank.reason is linear.reason is Undefined.ALL_EQUAL
        return
    assert rank.coefficient == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    other = stats.pearsonr(x, y)
    assert linear.coefficient == pytest.approx(other.statistic, abs=1e-9)
    assert linear.p_value == pytest.approx(other.pvalue, abs=1e-6)
    if len(rows) > 8:
        assert rank.p_value == pytest.approx(stats.spearmanr(x, y).pvalue, abs=1e-6)
    if len(rows) > 3 and abs(linear.coefficient) < 0.999999:
        interval = other.confidence_interval()
        assert linear.interval.low == pytest.approx(interval.low, abs=1e-6)
        assert linear.interval.high == pytest.approx(interval.high, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=5))
@settings(deadline=None, max_examples=25)
def test_the_exact_p_value_of_few_is_the_share_of_all_orders(rows: list[tuple[int, int]]) -> None:
    """Oracle: SciPy's coefficient of every order of the second column."""
    x, y = np.array(rows, dtype=float).T
    found = spearman(x, y)
    if found.reason is not None:
        return
    all_orders = [stats.spearmanr(x, y[list(order)]).statistic for order in itertools.permutations(range(len(rows)))]
    assert found.p_value == pytest.approx(np.mean(np.abs(all_orders) >= abs(found.coefficient) - 1e-9))


def test_intervals_cover_as_often_as_they_say() -> None:
    """Oracle: 1000 invented studies of 30 bivariate normal patients; Spearman's of a normal is 6/pi asin(rho/2)."""
    rho, studies, n = 0.5, 1000, 30
    x = normal(stream(4, "x"), (studies, n))
    y = rho * x + math.sqrt(1 - rho**2) * normal(stream(4, "y"), (studies, n))
    for truth, method in ((rho, linear_correlation), (6 / math.pi * math.asin(rho / 2), spearman)):
        covered = np.mean([truth in method(a, b).interval for a, b in zip(x, y, strict=True)])
        assert abs(covered - 0.95) < 0.02  # three standard errors


@given(pairs)
@settings(deadline=None)
def test_intervals_hold_the_coefficient_and_change_sign_with_it(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    for method in (spearman, linear_correlation):
        one, other = method(x, y), method(x, -y)
        if one.reason is None and one.interval.reason is None:
            assert one.coefficient in one.interval
            assert one.interval.low == pytest.approx(-other.interval.high)
            assert one.p_value == pytest.approx(other.p_value)


def test_too_few_equal_and_perfect_are_results() -> None:
    assert spearman([], []).reason is Undefined.NO_OBSERVATIONS
    assert spearman([1, 2], [3, 4]).reason is Undefined.TOO_FEW
    assert linear_correlation([1, 1, 1], [1, 2, 3]).reason is Undefined.ALL_EQUAL
    assert linear_correlation([1, 2, 3], [1, 2, 4]).interval.reason is Undefined.TOO_FEW
    perfect = spearman(range(10), range(10))
    assert perfect.coefficient == 1
    assert perfect.p_value == 0
    assert perfect.interval.reason is Undefined.ALL_EQUAL


def test_unequal_lengths_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="pairs"):
        spearman([1, 2, 3], [1, 2])
