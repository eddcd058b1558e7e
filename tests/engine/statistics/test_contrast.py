# SPDX-License-Identifier: Apache-2.0
"""Two groups: published studies' anchors, enumeration of tables, statsmodels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact, hypergeom
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from sirolens.engine.statistics.contrast import (
    boschloo,
    fisher,
    mcnemar,
    newcombe,
    odds_ratio,
    pearson,
    risk_ratio,
)
from sirolens.engine.statistics.interval import Undefined

ROUNDING = 1e-9
RESPONDERS_LI = [[17, 8], [11, 17]]  # sustained response among responders
OVERALL_LI = [[25, 18], [28, 17]]
EVENTS_LI = [[3, 40], [5, 40]]
group = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_the_twenty_patient_study_against_the_larger_one() -> None:
    """Anchors: overall response differs, complete response does not."""
    assert round(fisher([[12, 8], [73, 13]]).p_value, 4) == 0.0249
    assert round(fisher([[6, 14], [34, 52]]).p_value, 3) == 0.609


def test_the_randomised_trial_used_pearson_without_correction() -> None:
    """Anchors: P by each of three tests, of which only one is what the paper printed."""
    assert round(pearson(OVERALL_LI).p_value, 3) == 0.696
    assert round(pearson(RESPONDERS_LI).p_value, 3) == 0.037
    assert round(pearson(RESPONDERS_LI, yates=True).p_value, 3) == 0.070
    assert round(fisher(RESPONDERS_LI).p_value, 3) == 0.054
    assert round(pearson(EVENTS_LI).p_value, 3) == 0.500


def test_sustained_response_of_all_randomised_is_no_longer_significant() -> None:
    """Anchors: per arm, P 0.129 and 0.171 against 0.037 among responders."""
    per_arm = [[17, 26], [11, 34]]
    assert round(pearson(per_arm).p_value, 3) == 0.129
    assert round(fisher(per_arm).p_value, 3) == 0.171


def test_diagnosis_and_response_of_published_subgroups() -> None:
    """Anchors: lupus against other diseases; ALPS, and all but single lineage, against single lineage."""
    assert round(fisher([[10, 4], [2, 4]]).p_value, 3) == 0.161
    assert round(fisher([[12, 0], [2, 4]]).p_value, 4) == 0.0049
    assert round(fisher([[20, 4], [2, 4]]).p_value, 3) == 0.029


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4))
@settings(deadline=None)
def test_fisher_adds_all_tables_no_likelier(cells: list[int]) -> None:
    """Oracle: the hypergeometric probability of every table with the same margins."""
    a, b, c, d = cells
    test = fisher([[a, b], [c, d]])
    if 0 in (a + b, c + d, a + c, b + d):
        assert test.reason is Undefined.EMPTY_MARGIN
        assert math.isnan(test.p_value)
        return
    support = np.arange(max(0, a - d), min(a + b, a + c) + 1)
    probability = hypergeom.pmf(support, a + b + c + d, a + b, a + c)
    seen = hypergeom.pmf(a, a + b + c + d, a + b, a + c)
    assert test.p_value == pytest.approx(probability[probability <= seen * (1 + 1e-7)].sum(), rel=1e-8)


def _tables_by_brute_force(table: list[list[int]]) -> float:
    """Two-row tables: every first row with its total, weighted by multivariate hypergeometric probability."""
    columns = [sum(column) for column in zip(*table, strict=True)]
    first = sum(table[0])
    everyone = math.comb(sum(columns), first)

    def probability(row: tuple[int, ...]) -> float:
        return math.prod(math.comb(c, x) for c, x in zip(columns, row, strict=True)) / everyone

    seen = probability(tuple(table[0]))
    rows = itertools.product(*(range(c + 1) for c in columns))
    return sum(p for row in rows if sum(row) == first and (p := probability(row)) <= seen * (1 + 1e-7))


@given(st.lists(st.integers(0, 6), min_size=6, max_size=6))
@settings(deadline=None, max_examples=60)
def test_the_exact_test_of_larger_tables_agrees_with_brute_force(cells: list[int]) -> None:
    table = [cells[:3], cells[3:]]
    test = fisher(table)
    if test.reason is None:
        assert test.p_value == pytest.approx(_tables_by_brute_force(table), rel=1e-9)
        assert fisher(np.transpose(table)).p_value == pytest.approx(test.p_value, rel=1e-9)


def test_the_enumeration_of_larger_tables_is_fishers_test_for_two_by_two() -> None:
    """Oracle: a two-by-two table with an impossible third outcome split off has the same probability structure."""
    from sirolens.engine.statistics.contrast import _enumerated

    for table in ([[12, 8], [73, 13]], [[3, 0], [1, 5]], [[7, 7], [7, 7]]):
        assert _enumerated(np.array(table)) == pytest.approx(fisher_exact(table).pvalue, rel=1e-9)


def test_a_table_with_too_many_fellows_is_refused() -> None:
    with pytest.raises(ValueError, match="too many tables"):
        fisher([[60, 60, 60, 60], [60, 60, 60, 60], [60, 60, 60, 60], [60, 60, 60, 60]])


def test_pearson_is_the_squared_difference_over_its_expectation() -> None:
    """Oracle: n (ad - bc)^2 over the product of the margins, and its P as twice the normal tail."""
    a, b, c, d = 12, 8, 73, 13
    n = a + b + c + d
    statistic = n * (a * d - b * c) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
    corrected = n * (abs(a * d - b * c) - n / 2) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
    test = pearson([[a, b], [c, d]])
    assert test.statistic == pytest.approx(statistic)
    assert test.p_value == pytest.approx(math.erfc(math.sqrt(statistic / 2)))
    assert pearson([[a, b], [c, d]], yates=True).statistic == pytest.approx(corrected)


@given(group, group)
@settings(deadline=None)
def test_newcombe_agrees_with_statsmodels(first: tuple[int, int], second: tuple[int, int]) -> None:
    found = newcombe(*first, *second)
    low, high = confint_proportions_2indep(*first, *second, compare="diff", method="newcomb")
    assert found.interval.low == pytest.approx(max(low, -1), abs=ROUNDING)
    assert found.interval.high == pytest.approx(min(high, 1), abs=ROUNDING)
    assert found.estimate in found.interval


@given(group, group)
@settings(deadline=None)
def test_newcombe_changes_sign_when_groups_change_places(first: tuple[int, int], second: tuple[int, int]) -> None:
    one, other = newcombe(*first, *second), newcombe(*second, *first)
    assert one.interval.low == pytest.approx(-other.interval.high, abs=ROUNDING)


@given(group, group)
@settings(deadline=None)
def test_limits_of_a_ratio_of_rates_are_where_the_score_reaches_its_quantile(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """Oracle: statsmodels' score test of the ratio at the limits."""
    from statsmodels.stats.proportion import test_proportions_2indep as score_test

    found = risk_ratio(*first, *second)
    if found.reason is not None:
        assert first[0] + second[0] == 0
        return
    assert found.interval.low <= found.estimate <= found.interval.high
    for limit in (found.interval.low, found.interval.high):
        if 1e-6 < limit < 1e6 and 0 < first[0] < first[1] and 0 < second[0] < second[1]:
            z, _ = score_test(*first, *second, value=limit, compare="ratio", method="score", correction=False)
            assert abs(z) == pytest.approx(1.959964, abs=1e-4)


def test_a_ratio_with_an_empty_second_group_is_infinite_and_bounded_below() -> None:
    found = risk_ratio(5, 10, 0, 10)
    assert found.estimate == math.inf
    assert 0 < found.interval.low < math.inf
    assert found.interval.high == math.inf
    mirrored = risk_ratio(0, 10, 5, 10)
    assert mirrored.interval.low == 0
    assert mirrored.interval.high == pytest.approx(1 / found.interval.low)


def test_the_conditional_odds_ratio_maximises_the_noncentral_likelihood() -> None:
    """Oracle: brute-force maximum of the non-central hypergeometric likelihood on a grid, and its tails."""
    a, b, c, d = 12, 8, 73, 13
    support = np.arange(max(0, a - d), min(a + b, a + c) + 1)
    central = np.array([math.comb(a + b, x) * math.comb(c + d, a + c - x) for x in support], dtype=float)

    def weights(odds: float) -> np.ndarray:
        w = central * odds ** (support - support[0])
        return w / w.sum()

    found = odds_ratio([[a, b], [c, d]])
    grid = np.exp(np.linspace(math.log(found.estimate) - 0.01, math.log(found.estimate) + 0.01, 201))
    likelihood = [weights(odds)[support == a][0] for odds in grid]
    assert abs(math.log(grid[int(np.argmax(likelihood))] / found.estimate)) < 1.1e-4
    assert weights(found.interval.low)[support >= a].sum() == pytest.approx(0.025, abs=1e-6)
    assert weights(found.interval.high)[support <= a].sum() == pytest.approx(0.025, abs=1e-6)


def test_boschloo_is_the_largest_probability_over_the_common_rate() -> None:
    """Oracle: all tables of two small groups, their one-sided Fisher P, and a fine grid of common rates."""
    first, second, n1, n2 = 1, 5, 6, 6

    def one_sided(x: int, y: int) -> tuple[float, float]:
        total = x + y
        return hypergeom.cdf(x, n1 + n2, total, n1), hypergeom.sf(x - 1, n1 + n2, total, n1)

    rates = np.linspace(0.0005, 0.9995, 4001)
    best = []
    for side in (0, 1):
        seen = one_sided(first, second)[side]
        size = np.zeros_like(rates)
        for x, y in itertools.product(range(n1 + 1), range(n2 + 1)):
            if one_sided(x, y)[side] <= seen * (1 + 1e-9):
                size += binom.pmf(x, n1, rates) * binom.pmf(y, n2, rates)
        best.append(size.max())
    test = boschloo([[first, n1 - first], [second, n2 - second]])
    assert test.p_value == pytest.approx(2 * min(best), rel=1e-3)


def test_paired_answers_agree_with_statsmodels() -> None:
    for first, second in [(0, 6), (3, 3), (1, 9), (5, 0)]:
        other = statsmodels_mcnemar([[10, first], [second, 10]], exact=True)
        assert mcnemar(first, second).p_value == pytest.approx(float(other.pvalue))
    assert mcnemar(0, 0).reason is Undefined.NO_EVENTS


def test_an_empty_group_has_no_contrast_and_says_so() -> None:
    for found in (newcombe(0, 0, 3, 5), risk_ratio(1, 2, 0, 0)):
        assert found.reason is Undefined.NO_OBSERVATIONS
        assert math.isnan(found.estimate)
        assert math.isnan(found.interval.low)
    assert risk_ratio(0, 5, 0, 5).reason is Undefined.NO_EVENTS
    for test in (pearson, fisher, boschloo):
        assert test([[0, 0], [3, 4]]).reason is Undefined.EMPTY_MARGIN
    assert odds_ratio([[0, 0], [3, 4]]).reason is Undefined.EMPTY_MARGIN


@pytest.mark.parametrize("table", [[[1, 2]], [[1.5, 2], [3, 4]], [[-1, 2], [3, 4]]])
def test_what_is_no_table_of_counts_is_a_programming_error(table: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="table"):
        fisher(table)
