# SPDX-License-Identifier: Apache-2.0
"""Firth's logistic regression: brute-force maximisation, closed forms of one table, statsmodels with many events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.stats import chi2
from statsmodels.discrete.discrete_model import Logit

from sirolens.engine.sampling import normal, stream, uniform
from sirolens.engine.statistics.firth import FirthFit, firth_logistic
from sirolens.engine.statistics.interval import Undefined

SEARCH = 1e-5  # where a general optimiser stops
cell = st.integers(0, 15)


def _study(n: int, p: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    X = normal(stream(8, name, "x"), (n, p))
    chance = 1 / (1 + np.exp(0.3 - X @ np.linspace(1.2, 0.2, p)))
    return X, (uniform(stream(8, name, "y"), (n,)) < chance).astype(float)


def _naive(X: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    """The penalised log likelihood straight from its definition, patient by patient."""
    rows = np.column_stack([np.ones(len(y)), X])
    value, information = 0.0, np.zeros((rows.shape[1],) * 2)
    for row, outcome in zip(rows, y, strict=True):
        p = 1 / (1 + math.exp(-float(row @ beta)))
        value += math.log(p if outcome else 1 - p)
        information += p * (1 - p) * np.outer(row, row)
    return value + 0.5 * math.log(np.linalg.det(information))


def _brute(X: np.ndarray, y: np.ndarray, fixed: dict[int, float]) -> tuple[np.ndarray, float]:
    free = [j for j in range(X.shape[1] + 1) if j not in fixed]

    def whole(part: np.ndarray) -> np.ndarray:
        beta = np.zeros(X.shape[1] + 1)
        beta[free] = part
        for j, value in fixed.items():
            beta[j] = value
        return beta

    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000, "maxfev": 20000}
    found = minimize(lambda b: -_naive(X, y, whole(b)), np.zeros(len(free)), method="Nelder-Mead", options=options)
    return whole(found.x), -float(found.fun)


def test_estimates_limits_and_p_values_agree_with_a_general_optimiser() -> None:
    """Oracle: Nelder-Mead on the definition, the profile's limits by bisection of it."""
    X, y = _study(22, 2, "small")
    fit = firth_logistic(X, y)
    best, value = _brute(X, y, {})
    assert fit.log_likelihood - value == pytest.approx(-np.log(X.std(axis=0)).sum(), abs=SEARCH)  # unit of columns
    for j, found in enumerate((fit.intercept, *fit.coefficients)):
        assert found.estimate == pytest.approx(best[j], abs=SEARCH)
        p_value = chi2.sf(2 * (value - _brute(X, y, {j: 0.0})[1]), 1)
        assert found.p_value == pytest.approx(p_value, abs=SEARCH)
    target = value - chi2.ppf(0.95, 1) / 2
    for end, bracket in (("low", (-1, fit.coefficients[0].estimate)), ("high", (fit.coefficients[0].estimate, 9))):
        limit = brentq(lambda b: _brute(X, y, {1: b})[1] - target, *bracket, xtol=1e-6)
        assert getattr(fit.coefficients[0].interval, end) == pytest.approx(limit, abs=1e-4)


@example(8, 4, 8, 4)
@given(cell, cell, cell, cell)
@settings(deadline=None, max_examples=25)
def test_one_table_has_a_closed_form(a: int, b: int, c: int, d: int) -> None:
    """Oracle: half a patient added to every cell; under no difference the common rate is (events + 1) / (n + 2)."""
    n1, n2, events = a + b, c + d, a + c
    fit = firth_logistic([1] * n1 + [0] * n2, [1] * a + [0] * b + [1] * c + [0] * d)
    if fit.reason is not None:
        assert 0 in (n1, n2, events, n1 + n2 - events)
        return
    log_odds_ratio = math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert fit.coefficients[0].estimate == pytest.approx(log_odds_ratio, abs=1e-6)
    assert fit.intercept.estimate == pytest.approx(math.log((c + 0.5) / (d + 0.5)), abs=1e-6)
    cells = [(a + 0.5, n1 + 1), (b + 0.5, n1 + 1), (c + 0.5, n2 + 1), (d + 0.5, n2 + 1)]
    full = sum(k * math.log(k / n) for k, n in cells)
    rate = (events + 1) / (n1 + n2 + 2)
    null = (events + 1) * math.log(rate) + (n1 + n2 - events + 1) * math.log(1 - rate)
    no_difference = (2 * a + 1) * (n2 + 1) == (2 * c + 1) * (n1 + 1)  # then full is null, but for its rounding
    p_value = 1.0 if no_difference else chi2.sf(2 * (full - null), 1)
    assert fit.coefficients[0].p_value == pytest.approx(p_value, abs=1e-7)
    assert fit.separated == (0 in (a, b, c, d) and fit.reason is None)
    assert fit.coefficients[0].estimate in fit.coefficients[0].interval


def test_with_many_patients_it_is_ordinary_logistic_regression() -> None:
    """Oracle: statsmodels' maximum likelihood; the penalty shrinks by about p/n."""
    X, y = _study(4000, 2, "large")
    fit = firth_logistic(X, y)
    other = Logit(y, np.column_stack([np.ones(len(y)), X])).fit(disp=0)
    ours = [fit.intercept.estimate, *(c.estimate for c in fit.coefficients)]
    assert ours == pytest.approx(other.params, rel=5e-3)
    low, high = other.conf_int()[1]
    assert fit.coefficients[0].interval.low == pytest.approx(low, rel=1e-2)
    assert fit.coefficients[0].interval.high == pytest.approx(high, rel=1e-2)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_and_the_origin_of_a_covariate_change_nothing_else(unit: float) -> None:
    X, y = _study(25, 2, "unit")
    plain, other = firth_logistic(X, y), firth_logistic(X * unit + 3 * unit, y)
    for one, two in zip(plain.coefficients, other.coefficients, strict=True):
        assert two.estimate * unit == pytest.approx(one.estimate, rel=1e-6)
        assert two.interval.low * unit == pytest.approx(one.interval.low, abs=1e-5)
        assert two.p_value == pytest.approx(one.p_value, rel=1e-5)


def test_exchanging_the_outcomes_changes_the_sign() -> None:
    X, y = _study(20, 1, "mirror")
    one, other = firth_logistic(X, y), firth_logistic(X, 1 - y)
    assert one.coefficients[0].estimate == pytest.approx(-other.coefficients[0].estimate)
    assert one.coefficients[0].interval.low == pytest.approx(-other.coefficients[0].interval.high, abs=1e-6)


def test_separated_groups_have_a_finite_estimate_and_say_so() -> None:
    fit = firth_logistic(np.arange(20.0), [0] * 10 + [1] * 10)
    assert fit.separated
    assert math.isfinite(fit.coefficients[0].estimate)
    assert fit.coefficients[0].interval.low > 0
    X, y = _study(40, 1, "overlap")
    assert not firth_logistic(X, y).separated


def test_events_per_variable_is_honest() -> None:
    X, y = _study(20, 4, "epv")
    assert firth_logistic(X, y).events_per_variable == min(y.sum(), 20 - y.sum()) / 4


def _reason(fit: FirthFit) -> Undefined | None:
    assert math.isnan(fit.coefficients[0].estimate)
    return fit.reason


def test_what_cannot_be_fitted_says_why() -> None:
    assert _reason(firth_logistic(np.empty((0, 1)), [])) is Undefined.NO_OBSERVATIONS
    assert _reason(firth_logistic([1.0, 2, 3], [0, 0, 0])) is Undefined.NO_EVENTS
    assert _reason(firth_logistic([1.0, 2, 3], [1, 1, 1])) is Undefined.NO_EVENTS
    assert _reason(firth_logistic([2.0, 2, 2], [1, 0, 1])) is Undefined.NOT_IDENTIFIED
    twice = np.array([[1.0, 2], [2, 4], [3, 6], [4, 8]])
    assert _reason(firth_logistic(twice, [1, 0, 1, 0])) is Undefined.NOT_IDENTIFIED


@pytest.mark.parametrize("y", [[0, 1, 2], [0, 1], [0, 1, math.nan]])
def test_impossible_outcomes_are_programming_errors(y: list[float]) -> None:
    with pytest.raises(ValueError, match="outcome"):
        firth_logistic([1.0, 2, 3], y)
