# SPDX-License-Identifier: Apache-2.0
"""Intervals of proportions and rates: published studies' anchors, exact coverage, statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, poisson
from statsmodels.stats.proportion import proportion_confint

from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.proportion import (
    beta_interval,
    binomial_test,
    clopper_pearson,
    poisson_rate,
    wilson,
)

PRINTED = 0.005  # anchors are percentages printed with two decimals
ROUNDING = 1e-9  # two libraries' quantile functions

# Computed once with SciPy 1.17 from the published counts (facts on the clinical studies, section 6).
EXACT = [
    (12, 20, 36.05, 80.88),
    (6, 20, 11.89, 54.28),
    (0, 20, 0, 16.84),
    (73, 86, 75.54, 91.70),
    (34, 86, 29.15, 50.66),
    (39, 86, 34.58, 56.45),
    (55, 78, 59.11, 80.30),
    (32, 78, 30.01, 52.75),
    (23, 78, 19.70, 40.89),
    (28, 45, 46.54, 76.23),
    (38, 45, 70.54, 93.51),
    (8, 12, 34.89, 90.08),
    (6, 7, 42.13, 99.64),
    (12, 16, 47.62, 92.73),
    (35, 44, 64.70, 90.20),
    (12, 12, 73.54, 100),
]
PERCENT = [
    (12, 20, 60.0, 1),
    (6, 20, 30.0, 1),
    (73, 86, 84.88, 2),
    (34, 86, 39.53, 2),
    (39, 86, 45.35, 2),
    (55, 78, 70.51, 2),
    (32, 78, 41.03, 2),
    (23, 78, 29.49, 2),
    (28, 45, 62.22, 2),
    (38, 45, 84.44, 2),
    (8, 12, 66.67, 2),
    (6, 7, 85.71, 2),
    (12, 16, 75, 2),
    (35, 44, 79.55, 2),
]
counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize(("k", "n", "low", "high"), EXACT)
def test_exact_intervals_of_the_published_studies_to_the_printed_digits(
    k: int, n: int, low: float, high: float
) -> None:
    found = clopper_pearson(k, n)
    assert round(100 * found.low, 2) == low
    assert round(100 * found.high, 2) == high


@pytest.mark.parametrize(("k", "n", "percent", "digits"), PERCENT)
def test_percentages_of_the_published_studies(k: int, n: int, percent: float, digits: int) -> None:
    assert round(100 * k / n, digits) == percent


@pytest.mark.parametrize(("k", "n", "low", "high"), [(12, 20, 38.66, 78.12), (6, 20, 14.55, 51.90)])
def test_score_intervals_of_the_twenty_patient_study_to_the_printed_digits(
    k: int, n: int, low: float, high: float
) -> None:
    found = wilson(k, n)
    assert (round(100 * found.low, 2), round(100 * found.high, 2)) == (low, high)


@given(counts, levels)
@settings(deadline=None)
def test_intervals_agree_with_statsmodels(kn: tuple[int, int], level: float) -> None:
    k, n = kn
    for ours, name in ((clopper_pearson, "beta"), (wilson, "wilson")):
        low, high = proportion_confint(k, n, alpha=1 - level, method=name)
        found = ours(k, n, level)
        assert found.low == pytest.approx(low, abs=ROUNDING)
        assert found.high == pytest.approx(high, abs=ROUNDING)


@given(counts, levels)
@settings(deadline=None)
def test_intervals_hold_their_estimate_and_mirror(kn: tuple[int, int], level: float) -> None:
    k, n = kn
    for ours in (clopper_pearson, wilson):
        found, mirror = ours(k, n, level), ours(n - k, n, level)
        assert k / n in found
        assert 0 <= found.low <= found.high <= 1
        assert found.low == pytest.approx(1 - mirror.high, abs=ROUNDING)
        assert found.high == pytest.approx(1 - mirror.low, abs=ROUNDING)


@given(counts)
@settings(deadline=None)
def test_the_exact_interval_is_wider_for_a_higher_level(kn: tuple[int, int]) -> None:
    narrow, wide = clopper_pearson(*kn, 0.9), clopper_pearson(*kn, 0.99)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@pytest.mark.parametrize("n", [1, 2, 5, 12, 20, 45])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_of_the_exact_interval_is_never_below_its_level(n: int, level: float) -> None:
    """Oracle: the binomial probability of every k, added up where the interval holds p."""
    found = [clopper_pearson(k, n, level) for k in range(n + 1)]
    for p in np.linspace(0.001, 0.999, 333):
        covered = sum(binom.pmf(k, n, p) for k in range(n + 1) if p in found[k])
        assert covered >= level - ROUNDING


def test_nothing_observed_is_no_interval_and_says_so() -> None:
    for found in (clopper_pearson(0, 0), wilson(0, 0), poisson_rate(0, 0).interval):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert found.reason is Undefined.NO_OBSERVATIONS
    assert binomial_test(0, 0, 0.5).reason is Undefined.NO_OBSERVATIONS


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_programming_errors(k: int, n: int) -> None:
    for ours in (clopper_pearson, wilson, beta_interval):
        with pytest.raises(ValueError, match="no proportion"):
            ours(k, n)


def test_a_level_in_percent_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 2, 95)


def test_none_and_all_touch_their_end_exactly() -> None:
    assert clopper_pearson(0, 20).low == wilson(0, 20).low == 0.0
    assert clopper_pearson(20, 20).high == wilson(20, 20).high == 1.0
    # Closed form: the probability of none is (1 - p)^n.
    assert clopper_pearson(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20), abs=ROUNDING)


@given(counts, st.floats(0.5, 5), st.floats(0.5, 5))
@settings(deadline=None, max_examples=50)
def test_the_posterior_of_a_rate_is_likelihood_times_prior(kn: tuple[int, int], a: float, b: float) -> None:
    """Oracle: the posterior's log density differs from log likelihood plus log prior by a constant."""
    from scipy.stats import beta

    k, n = kn
    posterior = beta_interval(k, n, a, b)
    grid = np.linspace(0.01, 0.99, 50)
    difference = beta.logpdf(grid, posterior.a, posterior.b) - binom.logpmf(k, n, grid) - beta.logpdf(grid, a, b)
    assert np.ptp(difference) < 1e-6
    inside = beta.cdf(posterior.interval.high, posterior.a, posterior.b) - beta.cdf(
        posterior.interval.low, posterior.a, posterior.b
    )
    assert inside == pytest.approx(0.95, abs=1e-6)


def test_without_patients_the_posterior_is_the_prior() -> None:
    assert (beta_interval(0, 0, 2, 3).a, beta_interval(0, 0, 2, 3).b) == (2, 3)


def test_the_binomial_test_adds_up_the_tail() -> None:
    """Oracle: the sum of binomial probabilities, and of all no likelier than the one seen."""
    pmf = binom.pmf(np.arange(21), 20, 0.3)
    assert binomial_test(12, 20, 0.3, "greater").p_value == pytest.approx(pmf[12:].sum())
    assert binomial_test(2, 20, 0.3, "less").p_value == pytest.approx(pmf[:3].sum())
    assert binomial_test(12, 20, 0.3).p_value == pytest.approx(pmf[pmf <= pmf[12] * (1 + 1e-7)].sum())
    with pytest.raises(ValueError, match="alternative"):
        binomial_test(1, 2, 0.5, "sideways")


@given(st.integers(0, 60), st.floats(0.1, 1000))
@settings(deadline=None)
def test_limits_of_a_rate_are_where_the_poisson_tails_are_equal(events: int, exposure: float) -> None:
    """Oracle: Poisson tail probabilities at the limits."""
    found = poisson_rate(events, exposure)
    assert found.rate in found.interval
    assert poisson.cdf(events, found.interval.high * exposure) == pytest.approx(0.025, abs=1e-8)
    if events:
        assert poisson.sf(events - 1, found.interval.low * exposure) == pytest.approx(0.025, abs=1e-8)
    else:
        assert found.interval.low == 0


def test_impossible_rates_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="exposure"):
        poisson_rate(-1, 2.0)
    with pytest.raises(ValueError, match="exposure"):
        poisson_rate(1, math.nan)
