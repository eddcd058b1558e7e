# SPDX-License-Identifier: Apache-2.0
"""What one level says about one prediction, censored levels and far tails included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.stats import lognorm, norm

from sirolens.engine.bayes_likelihood import (
    ABOVE,
    ADDITIVE,
    BELOW,
    COMBINED,
    LOG,
    LOG_2_PI,
    MEASURED,
    PROPORTIONAL,
    deviance,
    level_probabilities,
    level_terms,
    log_phi,
)

ROUNDING = 1e-12
TAIL_DIGITS = 5e-14  # erfc and exp of two libraries, far out in the tail
DIFFERENCE = 2e-4  # central differences with a relative step of 1e-4, near zero of the derivative

levels_ng_ml = st.floats(0.5, 60.0)
kinds = st.sampled_from([ADDITIVE, PROPORTIONAL, COMBINED, LOG])


def minus_2_log_density(f: float, y: float, where: int, kind: int, additive: float, proportional: float) -> float:
    """Oracle: SciPy's distributions."""
    a = additive if kind != PROPORTIONAL else 0.0
    p = proportional if kind != ADDITIVE else 0.0
    law = lognorm(proportional, scale=f) if kind == LOG else norm(f, np.sqrt(a * a + (p * f) ** 2))
    return float(-2.0 * {MEASURED: law.logpdf, BELOW: law.logcdf, ABOVE: law.logsf}[where](y))


@given(
    levels_ng_ml,
    levels_ng_ml,
    st.sampled_from([BELOW, MEASURED, ABOVE]),
    kinds,
    st.floats(0.2, 4),
    st.floats(0.05, 0.5),
)
@settings(deadline=None, max_examples=300)
def test_levels_have_scipys_density(f: float, y: float, where: int, kind: int, a: float, p: float) -> None:
    expected = minus_2_log_density(f, y, where, kind, a, p)
    assert level_terms(f, y, where, kind, a, p)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(
    levels_ng_ml,
    levels_ng_ml,
    st.sampled_from([BELOW, MEASURED, ABOVE]),
    kinds,
    st.floats(0.2, 4),
    st.floats(0.05, 0.5),
)
@settings(deadline=None, max_examples=300)
def test_derivatives_are_those_of_the_value(f: float, y: float, where: int, kind: int, a: float, p: float) -> None:
    h = 1e-4 * f
    here, up, down = (level_terms(x, y, where, kind, a, p) for x in (f, f + h, f - h))
    assert here[1] == pytest.approx((up[0] - down[0]) / (2 * h), rel=DIFFERENCE, abs=DIFFERENCE * (1 + abs(here[0])))
    assert here[2] == pytest.approx((up[1] - down[1]) / (2 * h), rel=DIFFERENCE, abs=DIFFERENCE * (1 + abs(here[1])))
    assert here[3] >= 0.0


def test_expected_curvature_is_the_mean_of_the_exact_one() -> None:
    # oracle: Gauss-Hermite average over levels that the prediction produces
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    f, a, p = 8.0, 0.5, 0.2
    for kind, s in ((ADDITIVE, a), (PROPORTIONAL, p * f), (COMBINED, np.hypot(a, p * f))):
        exact = sum(w * level_terms(f, f + s * x, MEASURED, kind, a, p)[2] for x, w in zip(nodes, weights, strict=True))
        assert level_terms(f, f, MEASURED, kind, a, p)[3] == pytest.approx(exact / np.sqrt(2 * np.pi), rel=1e-10)


def test_log_phi_keeps_its_digits_in_both_tails() -> None:
    x = np.concatenate([-np.logspace(-3, 6, 3000), [0.0], np.logspace(-3, 1.5, 500)])
    found = np.array([log_phi(value) for value in x])
    assert (np.abs(found[:, 0] / special.log_ndtr(x) - 1.0)).max() <= TAIL_DIGITS
    # oracle of the derivative: phi / Phi by the scaled complementary error function
    slope = np.sqrt(2.0 / np.pi) / special.erfcx(-x[x < 5] / np.sqrt(2.0))
    assert np.abs(found[x < 5, 1] / slope - 1.0).max() <= TAIL_DIGITS


@pytest.mark.parametrize("distance", [10.0, 38.0, 100.0, 1e4])
def test_an_impossible_level_costs_much_but_not_infinitely(distance: float) -> None:
    # M3: a level below 2 ng/mL where the model is `distance` standard deviations above it
    value, slope, second, _ = level_terms(2.0 + distance, 2.0, BELOW, ADDITIVE, 1.0, 0.0)
    assert value == pytest.approx(-2.0 * special.log_ndtr(-distance), rel=TAIL_DIGITS)
    assert slope == pytest.approx(2.0 * distance, rel=0.02)
    assert second == pytest.approx(2.0, rel=0.05)  # far out the tail is as curved as a measured level


def test_a_censored_level_far_inside_its_range_says_nothing() -> None:
    assert level_terms(0.1, 2.0, BELOW, ADDITIVE, 0.1, 0.0)[:2] == pytest.approx((0.0, 0.0), abs=1e-60)
    assert level_terms(0.0, 2.0, BELOW, PROPORTIONAL, 0.0, 0.2) == (0.0, 0.0, 0.0, 0.0)
    assert level_terms(0.0, 2.0, BELOW, LOG, 0.0, 0.2) == (0.0, 0.0, 0.0, 0.0)


def test_a_level_without_drug_is_impossible_under_a_relative_residual() -> None:
    for kind in (PROPORTIONAL, LOG):
        assert level_terms(0.0, 30.0, ABOVE, kind, 0.0, 0.2)[0] == np.inf
    assert level_terms(0.0, 5.0, MEASURED, LOG, 0.0, 0.2)[0] == np.inf
    assert not np.isfinite(level_terms(0.0, 5.0, MEASURED, PROPORTIONAL, 0.0, 0.2)[0])
    assert np.isfinite(level_terms(-1e-20, 5.0, MEASURED, COMBINED, 0.5, 0.2)[0])  # rounding below zero is zero


def test_weights_multiply_and_zero_leaves_out() -> None:
    y, codes = np.array([5.0, 9.0, np.nan]), np.zeros(3, dtype=np.int64)
    one, f = np.ones(3), np.array([6.0, 8.0, 7.0])
    found = deviance(f, y, codes, codes, one, 0.0 * one, np.array([1.0, 0.5, 0.0]))
    assert found == pytest.approx(1.5 * LOG_2_PI + 1.0 + 0.5, rel=ROUNDING)


def test_probabilities_of_a_new_level_are_scipys() -> None:
    f, y = np.array([[4.0, 4.0, 4.0, 4.0], [9.0, 9.0, 9.0, 9.0]]), np.full(4, 6.0)
    kind = np.array([ADDITIVE, PROPORTIONAL, COMBINED, LOG])
    a, p, out = np.full(4, 0.5), np.full(4, 0.2), np.empty((2, 4))
    level_probabilities(f, y, kind, a, p, out)
    for row, g in enumerate((4.0, 9.0)):
        expected = [norm.cdf(6, g, 0.5), norm.cdf(6, g, 0.2 * g), norm.cdf(6, g, np.hypot(0.5, 0.2 * g))]
        assert out[row] == pytest.approx([*expected, lognorm.cdf(6, 0.2, scale=g)], rel=1e-12)
    level_probabilities(np.zeros((2, 4)), y, kind, 0 * a, p, out)
    assert (out == 1.0).all()  # no drug, no level
