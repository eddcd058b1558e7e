# SPDX-License-Identifier: Apache-2.0
"""ROC curves: all pairs by brute force, structural components by definition, a bootstrap, trapezoids."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sirolens.engine.sampling import normal, stream
from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.ranks import cliffs_delta, mann_whitney
from sirolens.engine.statistics.roc import auc, delong_test, roc_curve

patients = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=2, max_size=30)


def _psi(x: float, y: float) -> float:
    return float(x > y) + (x == y) / 2


@given(patients)
@settings(deadline=None)
def test_area_and_error_follow_their_definition(rows: list[tuple[int, int]]) -> None:
    """Oracle: O(mn) structural components, pair by pair."""
    score, outcome = np.array(rows).T
    found = auc(score, outcome)
    positive, negative = score[outcome == 1], score[outcome == 0]
    if not positive.size or not negative.size:
        assert found.reason is Undefined.ONE_GROUP
        assert math.isnan(found.area)
        return
    v10 = [np.mean([_psi(x, y) for y in negative]) for x in positive]
    v01 = [np.mean([_psi(x, y) for x in positive]) for y in negative]
    assert found.area == pytest.approx(np.mean(v10))
    assert found.area == pytest.approx(mann_whitney(positive, negative).statistic / (positive.size * negative.size))
    if positive.size > 1 and negative.size > 1:
        variance = np.var(v10, ddof=1) / positive.size + np.var(v01, ddof=1) / negative.size
        assert found.se == pytest.approx(math.sqrt(variance), abs=1e-9)
    if found.interval.reason is None:
        assert found.area in found.interval
        assert 0 <= found.interval.low <= found.interval.high <= 1
        if found.interval.method == "delong-logit":
            assert found.wald.high == pytest.approx(min(1, found.area + norm.ppf(0.975) * found.se))


@given(patients)
@settings(deadline=None)
def test_the_area_is_under_the_curve_and_turns_with_the_score(rows: list[tuple[int, int]]) -> None:
    """Oracle: trapezoids under the curve."""
    score, outcome = np.array(rows).T
    curve, found = roc_curve(score, outcome), auc(score, outcome)
    if curve.reason is None:
        assert np.trapezoid(curve.sensitivity, 1 - curve.specificity) == pytest.approx(found.area)
        assert auc(-score, outcome).area == pytest.approx(1 - found.area)
        assert (curve.sensitivity[0], curve.specificity[0]) == (0, 1)
        assert (curve.sensitivity[-1], curve.specificity[-1]) == (1, 0)


def test_the_error_agrees_with_a_bootstrap() -> None:
    """Oracle: the spread over 800 studies resampled within groups, to an eighth."""
    positive, negative = normal(stream(1, "p"), (40,)) + 1, normal(stream(1, "n"), (50,))
    outcome = np.repeat([1, 0], [40, 50])
    generator = np.random.default_rng(2)
    drawn = [
        auc(np.concatenate([generator.choice(positive, 40), generator.choice(negative, 50)]), outcome).area
        for _ in range(800)
    ]
    assert auc(np.concatenate([positive, negative]), outcome).se == pytest.approx(np.std(drawn), rel=0.125)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Oracle: 1000 invented studies of 25 against 25 normal patients with a known area."""
    truth, studies = float(norm.cdf(1 / math.sqrt(2))), 1000
    positive, negative = normal(stream(3, "p"), (studies, 25)) + 1, normal(stream(3, "n"), (studies, 25))
    outcome = np.repeat([1, 0], 25)
    covered = np.mean(
        [truth in auc(np.concatenate(pair), outcome).interval for pair in zip(positive, negative, strict=True)]
    )
    assert abs(covered - 0.95) < 0.02  # three standard errors


def test_two_scores_of_the_same_patients_are_compared_with_their_covariance() -> None:
    """Oracle: the covariance of both scores' components by their definition."""
    generator = np.random.default_rng(7)
    outcome = np.repeat([1, 0], [12, 15])
    first = generator.normal(size=27) + outcome
    second = first / 2 + generator.normal(size=27)
    components = []
    for score in (first, second):
        positive, negative = score[:12], score[12:]
        components.append(
            (
                np.array([np.mean([_psi(x, y) for y in negative]) for x in positive]),
                np.array([np.mean([_psi(x, y) for x in positive]) for y in negative]),
            )
        )
    (a10, a01), (b10, b01) = components
    s10, s01 = np.cov(a10, b10), np.cov(a01, b01)
    contrast = np.array([1, -1])
    variance = contrast @ (s10 / 12 + s01 / 15) @ contrast
    test = delong_test(first, second, outcome)
    assert test.statistic == pytest.approx((a10.mean() - b10.mean()) / math.sqrt(variance))
    assert test.p_value == pytest.approx(2 * norm.sf(abs(test.statistic)))
    assert delong_test(first, first, outcome).reason is Undefined.ALL_EQUAL
    assert delong_test([1, 2], [2, 1], [0, 1]).reason is Undefined.TOO_FEW


def test_a_perfect_score_has_the_interval_of_cliffs_delta() -> None:
    found = auc([1, 2, 3, 4], [0, 0, 1, 1])
    delta = cliffs_delta([3, 4], [1, 2])
    assert (found.area, found.interval.high) == (1, 1)
    assert found.interval.low == pytest.approx((1 + delta.interval.low) / 2)
    assert found.wald.reason is Undefined.ALL_EQUAL
    assert auc([1, 1, 1, 1], [0, 0, 1, 1]).area == 0.5
    one = auc([1, 2], [0, 1])
    assert one.wald.reason is Undefined.TOO_FEW
    assert one.interval.low < 0.5 < one.interval.high


def test_thresholds_call_equal_scores_together() -> None:
    curve = roc_curve([1, 2, 2, 3], [0, 0, 1, 1])
    assert curve.threshold.tolist() == [math.inf, 3, 2, 1]
    assert curve.sensitivity.tolist() == [0, 0.5, 1, 1]
    assert curve.specificity.tolist() == [1, 1, 0.5, 0]


def test_nobody_is_a_result_and_a_strange_outcome_an_error() -> None:
    assert auc([], []).reason is Undefined.NO_OBSERVATIONS
    assert roc_curve([], []).reason is Undefined.NO_OBSERVATIONS
    assert roc_curve([1.0], [1]).reason is Undefined.ONE_GROUP
    with pytest.raises(ValueError, match="one outcome"):
        auc([1, 2], [0, 2])
