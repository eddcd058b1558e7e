# SPDX-License-Identifier: Apache-2.0
"""Net benefit follows its definition; calibration finds known distortions of a probability."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from sirolens.engine.sampling import stream, uniform
from sirolens.errors import InputError
from sirolens.study.mechanism.decision_curve import brier, calibration_curve, decision_curve

ROUNDING = 1e-12
FITTED = 1e-6  # two solvers of one convex problem
P = uniform(stream(1, "decision"), (500,))
Y = uniform(stream(2, "decision"), (500,)) < P**2


def test_net_benefit_is_its_definition_counted_by_hand() -> None:
    # Oracle: counting patient by patient.
    for t in (0.1, 0.35, 0.8):
        hits = sum(p >= t and y for p, y in zip(P, Y, strict=True))
        vain = sum(p >= t and not y for p, y in zip(P, Y, strict=True))
        expected = hits / 500 - vain / 500 * t / (1 - t)
        assert decision_curve(P, Y, [t]).model[0] == pytest.approx(expected, abs=ROUNDING)


def test_a_perfect_forecast_gains_the_response_rate_and_treating_all_is_its_own_line() -> None:
    t = np.array([0.2, 0.5, 0.9])
    curve = decision_curve(Y.astype(float), Y, t)
    assert curve.model == pytest.approx(np.full(3, Y.mean()), abs=ROUNDING)
    assert curve.everybody == pytest.approx(Y.mean() - (1 - Y.mean()) * t / (1 - t), abs=ROUNDING)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 9999), st.floats(0.02, 0.98))
def test_no_forecast_beats_the_perfect_one(seed: int, t: float) -> None:
    p, y = uniform(stream(seed, "a"), (40,)), uniform(stream(seed, "b"), (40,)) < 0.4
    assert decision_curve(p, y, [t]).model[0] <= y.mean() + ROUNDING


def test_a_constant_forecast_treats_all_or_nobody() -> None:
    curve = decision_curve(np.full(500, 0.5), Y, [0.3, 0.7])
    assert curve.model[0] == pytest.approx(curve.everybody[0])
    assert curve.model[1] == 0.0


def test_brier_is_scikit_learns() -> None:
    assert brier(P, Y) == pytest.approx(brier_score_loss(Y, P), abs=ROUNDING)


def test_intercept_and_slope_are_those_of_a_logistic_regression() -> None:
    # Oracle: statsmodels.
    logit = np.log(P / (1 - P))
    oracle = sm.Logit(Y.astype(float), sm.add_constant(logit)).fit(disp=0).params
    curve = calibration_curve(P, Y)
    assert [curve.intercept, curve.slope] == pytest.approx(list(oracle), abs=FITTED)
    assert curve.slope > 1.0 or curve.intercept < 0.0  # responses are rarer than said


def test_bins_hold_everybody_once_and_rise() -> None:
    curve = calibration_curve(P, Y, bins=7)
    assert sum(one.patients for one in curve.bins) == 500
    assert [one.predicted for one in curve.bins] == sorted(one.predicted for one in curve.bins)
    assert all(one.interval.low <= one.observed <= one.interval.high for one in curve.bins)


def test_an_outcome_that_never_happens_has_no_slope() -> None:
    assert np.isnan(calibration_curve(P, np.zeros(500)).slope)


@pytest.mark.parametrize("p", [[1.2], [np.nan], []])
def test_impossible_probabilities_are_refused(p: list[float]) -> None:
    with pytest.raises(InputError, match="predictions-impossible"):
        decision_curve(p, [1] * len(p), [0.5])


def test_impossible_thresholds_are_refused() -> None:
    with pytest.raises(InputError, match="threshold-impossible"):
        decision_curve(P, Y, [0.0, 0.5])
