# SPDX-License-Identifier: Apache-2.0
"""A rate in the light of an earlier one: integration on a fine grid, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from sirolens.engine.statistics.bayes_rate import power_prior, probability_above, rates_compared, robust_prior
from sirolens.engine.statistics.proportion import beta_interval

GRID = np.linspace(0, 1, 40001)[1:-1]
GRID_ERROR = 1e-4
counts = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts, st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_the_earlier_likelihood_counts_as_much_as_said(
    now: tuple[int, int], old: tuple[int, int], weight: float
) -> None:
    """Oracle: prior times likelihood times the earlier likelihood to a power, normalised on a grid."""
    found = power_prior(*now, *old, weight, 1, 1)
    log_density = binom.logpmf(*now, GRID) + weight * binom.logpmf(*old, GRID)
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    assert found.mean == pytest.approx(density @ GRID, abs=GRID_ERROR)
    inside = density[(found.interval.low <= GRID) & (found.interval.high >= GRID)].sum()
    assert inside == pytest.approx(0.95, abs=5e-3)
    assert found.borrowed == weight * old[1]


@given(counts, counts)
@settings(deadline=None, max_examples=40)
def test_no_weight_ignores_and_full_weight_pools(now: tuple[int, int], old: tuple[int, int]) -> None:
    alone, pooled = beta_interval(*now), beta_interval(now[0] + old[0], now[1] + old[1])
    none, full = power_prior(*now, *old, 0), power_prior(*now, *old, 1)
    assert (none.a, none.b) == (alone.a, alone.b)
    assert (full.a, full.b) == pytest.approx((pooled.a, pooled.b))


@given(counts, counts)
@settings(deadline=None, max_examples=30)
def test_comparison_agrees_with_a_grid(now: tuple[int, int], old: tuple[int, int]) -> None:
    """Oracle: the double integral over a grid."""
    found = rates_compared(*now, *old, 1, 1)
    grid = np.linspace(0, 1, 4001)
    f = beta.pdf(grid, 1 + now[0], 1 + now[1] - now[0])
    F = beta.cdf(grid, 1 + old[0], 1 + old[1] - old[0])
    assert found.higher_probability == pytest.approx(np.trapezoid(f * F, grid), abs=1e-3)
    other = rates_compared(*old, *now, 1, 1)
    assert other.higher_probability == pytest.approx(1 - found.higher_probability, abs=1e-3)
    assert found.interval.low == pytest.approx(-other.interval.high, abs=2e-3)
    assert found.interval.low <= found.difference <= found.interval.high


def test_equal_evidence_is_a_coin() -> None:
    found = rates_compared(7, 20, 7, 20)
    assert found.higher_probability == pytest.approx(0.5, abs=1e-3)
    assert found.difference == 0


def test_probability_above_a_rate_is_the_tail_of_the_beta_distribution() -> None:
    """Closed form: of Beta(1, n + 1) it is (1 - p)^(n + 1)."""
    assert probability_above(1, 6, 0.3) == pytest.approx(0.7**6)


@given(counts, counts, st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=30)
def test_the_robust_mixture_is_updated_as_a_whole(now: tuple[int, int], old: tuple[int, int], weight: float) -> None:
    """Oracle: the mixture's density times the likelihood, on a grid."""
    found = robust_prior(*now, *old, weight)
    prior = weight * beta.pdf(GRID, 1 + old[0], 1 + old[1] - old[0]) + (1 - weight)
    density = prior * binom.pmf(*now, GRID)
    density /= density.sum()
    assert found.mean == pytest.approx(density @ GRID, abs=GRID_ERROR)
    inside = density[(found.interval.low <= GRID) & (found.interval.high >= GRID)].sum()
    assert inside == pytest.approx(0.95, abs=5e-3)


def test_conflict_discounts_the_earlier_study_and_agreement_confirms_it() -> None:
    assert robust_prior(12, 20, 73, 86).posterior_weight < 0.5 < robust_prior(17, 20, 73, 86).posterior_weight
    assert robust_prior(12, 20, 73, 86, 0).posterior_weight == 0
    assert robust_prior(12, 20, 73, 86, 1).posterior_weight == 1


@pytest.mark.parametrize("weight", [-0.1, 1.1, 30])
def test_a_weight_in_percent_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        power_prior(1, 2, 3, 4, weight)
    with pytest.raises(ValueError, match="weight"):
        robust_prior(1, 2, 3, 4, weight)


def test_impossible_counts_and_priors_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="more events"):
        power_prior(3, 2, 3, 4, 0.5)
    with pytest.raises(ValueError, match="positive parameters"):
        rates_compared(1, 2, 3, 4, 0)
