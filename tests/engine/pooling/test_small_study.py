# SPDX-License-Identifier: Apache-2.0
"""Tests of asymmetry: statsmodels' weighted line, scipy's ranks, a funnel cut on purpose; refused below ten studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.tools import add_constant
from tests.engine.pooling.bcg import K1, K2, N1, N2

from sirolens.engine.pooling.random_effects import random_effects
from sirolens.engine.pooling.small_study import begg, egger, peters, trim_and_fill
from sirolens.engine.pooling.two_arm import counts_effect
from sirolens.engine.statistics.interval import Undefined

LAST_DIGITS = 1e-9  # statsmodels solves by a pseudo-inverse
Y, V = (found := counts_effect(K1, N1, K2, N2, "OR")).y, found.v


def test_egger_is_the_weighted_line_and_eggers_own_intercept() -> None:
    oracle = WLS(Y, add_constant(np.sqrt(V)), weights=1 / V).fit()
    found = egger(Y, V)
    assert [found.at_infinite_size, found.slope] == pytest.approx(oracle.params.tolist(), rel=LAST_DIGITS)
    assert found.se == pytest.approx(oracle.bse[1], rel=LAST_DIGITS)
    assert found.test.p_value == pytest.approx(oracle.pvalues[1], rel=LAST_DIGITS)
    own = OLS(Y / np.sqrt(V), add_constant(1 / np.sqrt(V))).fit()
    assert found.slope == pytest.approx(own.params[0], rel=LAST_DIGITS)


def test_peters_is_its_weighted_line() -> None:
    events, patients = K1 + K2, N1 + N2
    weights = 1 / (1 / events + 1 / (patients - events))
    oracle = WLS(Y, add_constant(1 / patients), weights=weights).fit()
    found = peters(Y, events, patients)
    assert found.slope == pytest.approx(oracle.params[1], rel=LAST_DIGITS)
    assert found.test.p_value == pytest.approx(oracle.pvalues[1], rel=LAST_DIGITS)


def test_begg_is_kendalls_rank_correlation() -> None:
    w = 1 / V
    standardised = (Y - w @ Y / w.sum()) / np.sqrt(V - 1 / w.sum())
    oracle = kendalltau(standardised, V)
    found = begg(Y, V)
    assert (found.statistic, found.p_value) == (oracle.statistic, oracle.pvalue)


@pytest.mark.parametrize("estimator", ["L0", "R0"])
@pytest.mark.parametrize("side", ["low", "high"])
def test_a_funnel_cut_on_one_side_is_filled_there_and_a_whole_one_is_not(estimator: str, side: str) -> None:
    # Oracle: a symmetric funnel of 2 x 8 studies around 0 of which the three farthest on one side are taken away.
    away = np.array([0.05, 0.11, 0.2, 0.31, 0.45, 0.62, 0.8, 1.0])
    y = np.concatenate([away, -away])
    v = (np.concatenate([away, away]) / 2) ** 2
    whole = trim_and_fill(y, v, estimator=estimator, method="EE", side=side)
    assert whole.missing <= 1
    sign = -1.0 if side == "low" else 1.0
    keep = sign * y < 0.5
    found = trim_and_fill(y[keep], v[keep], estimator=estimator, method="EE", side=side)
    assert 2 <= found.missing <= 4
    cut = random_effects(y[keep], v[keep], method="EE").estimate
    assert found.fit is not None
    assert abs(found.fit.estimate) < abs(cut)
    assert trim_and_fill(y[keep], v[keep], method="EE").side == side


def test_below_ten_studies_all_are_refused() -> None:
    y, v = Y[:9], V[:9]
    assert egger(y, v).test.reason is Undefined.TOO_FEW
    assert begg(y, v).reason is Undefined.TOO_FEW
    assert peters(y, K1[:9], N1[:9]).test.reason is Undefined.TOO_FEW
    assert trim_and_fill(y, v).reason is Undefined.TOO_FEW
    assert egger(Y[:10], V[:10]).test.reason is None


def test_studies_of_one_size_show_no_asymmetry() -> None:
    assert egger(Y, np.full(13, 0.1)).test.reason is Undefined.ALL_EQUAL
    assert begg(Y, np.full(13, 0.1)).reason is Undefined.ALL_EQUAL
    with pytest.raises(ValueError, match="L0 or R0"):
        trim_and_fill(Y, V, estimator="Q0")
    with pytest.raises(ValueError, match="low or the high"):
        trim_and_fill(Y, V, side="left")
