# SPDX-License-Identifier: Apache-2.0
"""Effects of two arms: closed forms of one table, statsmodels, and what is done about zero cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gamma
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2
from statsmodels.stats.meta_analysis import effectsize_2proportions
from tests.engine.pooling.bcg import K1, K2, N1, N2

from sirolens.engine.pooling.stratified import mantel_haenszel, peto
from sirolens.engine.pooling.two_arm import counts_effect, means_effect
from sirolens.engine.statistics.interval import Undefined

LAST_DIGITS = 1e-11
arm = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_ratios_of_one_table_are_statsmodels() -> None:
    for a, m, c, n in zip(K1, N1, K2, N2, strict=True):
        table = Table2x2([[a, m - a], [c, n - c]])
        odds, risk = counts_effect([a], [m], [c], [n], "OR"), counts_effect([a], [m], [c], [n], "RR")
        assert odds.y[0] == pytest.approx(table.log_oddsratio, rel=LAST_DIGITS)
        assert np.sqrt(odds.v[0]) == pytest.approx(table.log_oddsratio_se, rel=LAST_DIGITS)
        assert risk.y[0] == pytest.approx(table.log_riskratio, rel=LAST_DIGITS)
        assert np.sqrt(risk.v[0]) == pytest.approx(table.log_riskratio_se, rel=LAST_DIGITS)
    y, v = effectsize_2proportions(K1, N1, K2, N2, statistic="diff")
    found = counts_effect(K1, N1, K2, N2, "RD")
    assert found.y == pytest.approx(y, rel=LAST_DIGITS)
    assert found.v == pytest.approx(v, rel=LAST_DIGITS)


def test_zero_cells_are_mended_where_asked_and_marked() -> None:
    k1, n1, k2, n2 = [0, 5, 0, 10], [10, 10, 10, 10], [3, 4, 0, 10], [10, 10, 10, 10]
    only = counts_effect(k1, n1, k2, n2, "OR")
    # Oracle: the table with 1/2 in every cell; studies without events, or with nothing else, say nothing of odds.
    assert only.y[0] == pytest.approx(np.log(0.5 * 7.5 / (10.5 * 3.5)))
    assert only.v[0] == pytest.approx(1 / 0.5 + 1 / 10.5 + 1 / 3.5 + 1 / 7.5)
    assert only.corrected.tolist() == [True, False, False, False]
    assert np.isnan(only.y[2:]).all()
    every = counts_effect(k1, n1, k2, n2, "OR", "all")
    assert every.y[1] == pytest.approx(np.log(5.5 * 6.5 / (5.5 * 4.5)))
    assert np.isnan(counts_effect(k1, n1, k2, n2, "OR", "none").y).tolist() == [True, False, True, True]
    risk = counts_effect(k1, n1, k2, n2, "RR")
    assert np.isnan(risk.y).tolist() == [False, False, True, False]
    difference = counts_effect(k1, n1, k2, n2, "RD")
    assert difference.y.tolist() == pytest.approx([-0.3, 0.1, 0, 0])
    assert difference.corrected.tolist() == [False, False, True, True]
    assert (difference.v > 0).all()


@given(arm, arm)
@settings(deadline=None, max_examples=50)
def test_exchanging_arms_and_events_mirrors(first: tuple[int, int], second: tuple[int, int]) -> None:
    (a, m), (c, n) = first, second
    for effect in ("OR", "RR", "RD", "PETO"):
        there, back = counts_effect([a], [m], [c], [n], effect), counts_effect([c], [n], [a], [m], effect)
        np.testing.assert_allclose(there.y, -back.y, atol=1e-12)
        np.testing.assert_allclose(there.v, back.v, rtol=1e-12)
    for effect in ("OR", "RD", "PETO"):
        other = counts_effect([m - a], [m], [n - c], [n], effect)
        np.testing.assert_allclose(counts_effect([a], [m], [c], [n], effect).y, -other.y, atol=1e-12)


def test_sums_of_mantel_and_haenszel_are_statsmodels() -> None:
    # Oracle: StratifiedTable for odds (Robins, Breslow and Greenland's variance) and for risks the estimate.
    tables = [np.array([[a, m - a], [c, n - c]]) for a, m, c, n in zip(K1, N1, K2, N2, strict=True)]
    oracle = StratifiedTable(tables)
    odds = mantel_haenszel(K1, N1, K2, N2, "OR")
    assert odds.estimate == pytest.approx(oracle.logodds_pooled, rel=LAST_DIGITS)
    assert odds.se == pytest.approx(oracle.logodds_pooled_se, rel=LAST_DIGITS)
    risk = mantel_haenszel(K1, N1, K2, N2, "RR")
    assert np.exp(risk.estimate) == pytest.approx(oracle.riskratio_pooled, rel=LAST_DIGITS)


def test_one_stratum_is_its_own_table() -> None:
    # Oracle: with one table the sums give its own effect; the variances agree with the table's own.
    one = ([12], [40], [5], [38])
    for effect in ("OR", "RR", "RD"):
        table, sums = counts_effect(*one, effect), mantel_haenszel(*one, effect)
        assert sums.estimate == pytest.approx(table.y[0], rel=LAST_DIGITS)
        assert sums.se == pytest.approx(np.sqrt(table.v[0]), rel=LAST_DIGITS), effect


def test_peto_is_observed_less_expected_over_its_variance() -> None:
    # Oracle: the hypergeometric mean and variance of scipy.
    from scipy.stats import hypergeom

    law = hypergeom(78, 17, 40)
    found = peto([12], [40], [5], [38])
    assert found.estimate == pytest.approx((12 - law.mean()) / law.var(), rel=LAST_DIGITS)
    assert found.se == pytest.approx(1 / np.sqrt(law.var()), rel=LAST_DIGITS)


def test_studies_without_events_change_no_sum_and_alone_say_nothing() -> None:
    with_empty = mantel_haenszel([12, 0], [40, 20], [5, 0], [38, 20], "OR")
    assert with_empty.estimate == mantel_haenszel([12], [40], [5], [38], "OR").estimate
    assert with_empty.used == 1
    for effect in ("OR", "RR"):
        assert mantel_haenszel([0], [20], [0], [20], effect).reason is Undefined.NO_EVENTS
    assert peto([0], [20], [0], [20]).reason is Undefined.NO_EVENTS


def test_means_are_their_formulas() -> None:
    md = means_effect([5.0], [2.0], [10], [3.5], [1.0], [20])
    assert (md.y[0], md.v[0]) == (pytest.approx(1.5), pytest.approx(0.4 + 0.05))
    # Oracle: Hedges' factor by the gamma function itself.
    smd = means_effect([5.0], [2.0], [10], [3.5], [1.0], [20], "SMD")
    pooled = np.sqrt((9 * 4 + 19 * 1) / 28)
    g = gamma(14) / (np.sqrt(14) * gamma(13.5)) * 1.5 / pooled
    assert smd.y[0] == pytest.approx(g, rel=1e-10)
    assert smd.v[0] == pytest.approx(0.1 + 0.05 + g**2 / 60, rel=1e-10)
    # A change of unit changes the one and not the other.
    other = means_effect([50.0], [20.0], [10], [35.0], [10.0], [20], "SMD")
    assert other.y[0] == pytest.approx(smd.y[0], rel=LAST_DIGITS)


def test_means_without_scatter_or_with_one_patient_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        means_effect([5.0], [0.0], [10], [3.5], [1.0], [20])
    with pytest.raises(ValueError, match="two patients"):
        means_effect([5.0], [1.0], [1], [3.5], [1.0], [20])
