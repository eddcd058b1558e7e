# SPDX-License-Identifier: Apache-2.0
"""Meta-regression and groups: statsmodels' weighted least squares at the variance found, closed forms of two groups."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import chi2
from scipy.stats import f as f_distribution
from statsmodels.regression.linear_model import WLS
from tests.engine.pooling.bcg import K1, K2, LATITUDE, N1, N2

from sirolens.engine.pooling.between import restricted_log_likelihood
from sirolens.engine.pooling.meta_regression import meta_regression, subgroups
from sirolens.engine.pooling.random_effects import predicted, random_effects
from sirolens.engine.pooling.two_arm import counts_effect
from sirolens.engine.statistics.interval import Undefined

LAST_DIGITS = 1e-9
Y, V = (found := counts_effect(K1, N1, K2, N2, "OR")).y, found.v
X = np.column_stack([np.ones(13), LATITUDE])


@pytest.mark.parametrize("method", ["ML", "REML", "DL", "PM", "HE", "SJ", "HS"])
def test_coefficients_are_those_of_weighted_least_squares(method: str) -> None:
    found = meta_regression(Y, V, LATITUDE, method=method)
    oracle = WLS(Y, X, weights=1 / (V + found.fit.tau2)).fit()
    assert found.fit.b == pytest.approx(oracle.params, rel=LAST_DIGITS)
    # Knapp and Hartung's error is the one of weighted least squares.
    assert found.fit.se == pytest.approx(oracle.bse, rel=LAST_DIGITS)
    assert found.fit.omnibus.statistic == pytest.approx(oracle.fvalue, rel=1e-7)
    assert found.fit.omnibus.p_value == pytest.approx(oracle.f_pvalue, rel=1e-7)


def test_variance_left_is_the_top_of_the_likelihood_and_distance_explains_most() -> None:
    # Oracle: scipy's minimiser; van Houwelingen 2002 report that latitude explains most of the variance between.
    found = meta_regression(Y, V, LATITUDE, width="wald")
    oracle = minimize_scalar(
        lambda t: -restricted_log_likelihood(Y, V, X, t), bounds=(0, 3), method="bounded", options={"xatol": 1e-12}
    )
    assert found.fit.tau2 == pytest.approx(oracle.x, rel=1e-6)
    assert found.r2 > 0.7
    b, se = found.fit.b[1], found.fit.se[1]
    assert found.fit.omnibus.statistic == pytest.approx((b / se) ** 2, rel=LAST_DIGITS)
    assert found.fit.omnibus.p_value == pytest.approx(chi2.sf((b / se) ** 2, 1), rel=LAST_DIGITS)
    about, ahead = predicted(found.fit, [1.0, 30.0])
    assert ahead.low < about.low < about.high < ahead.high


def test_a_covariate_moved_or_rescaled_is_the_same_regression() -> None:
    here, there = meta_regression(Y, V, LATITUDE), meta_regression(Y, V, 100 * (LATITUDE - 33))
    assert there.fit.tau2 == pytest.approx(here.fit.tau2, rel=1e-7)
    assert 100 * there.fit.b[1] == pytest.approx(here.fit.b[1], rel=1e-7)
    assert there.fit.omnibus.p_value == pytest.approx(here.fit.omnibus.p_value, rel=1e-6)


def test_groups_with_their_own_variance_are_compared_as_two_means() -> None:
    # Oracle: (difference / error)^2 of two independent pools.
    groups = ["far" if x > 40 else "near" for x in LATITUDE]
    found = subgroups(Y, V, groups)
    far = np.array([group == "far" for group in groups])
    first, second = (random_effects(Y[one], V[one], width="wald") for one in (far, ~far))
    z2 = (first.estimate - second.estimate) ** 2 / (first.se[0] ** 2 + second.se[0] ** 2)
    assert found.names == ("far", "near")
    assert found.between_groups.statistic == pytest.approx(z2, rel=LAST_DIGITS)
    assert found.between_groups.p_value == pytest.approx(chi2.sf(z2, 1), rel=LAST_DIGITS)


def test_groups_with_a_common_variance_are_a_regression() -> None:
    groups = ["far" if x > 40 else "near" for x in LATITUDE]
    found = subgroups(Y, V, groups, common=True)
    dummy = meta_regression(Y, V, [float(group == "near") for group in groups])
    assert found.common_tau2 == pytest.approx(dummy.fit.tau2, rel=1e-8)
    assert found.between_groups.statistic == pytest.approx(dummy.fit.omnibus.statistic, rel=1e-7)
    assert found.fits[0].estimate == pytest.approx(dummy.fit.b[0], rel=1e-7)
    f_p = f_distribution.sf(found.between_groups.statistic, 1, 11)
    assert found.between_groups.p_value == pytest.approx(f_p, rel=LAST_DIGITS)


def test_requests_without_an_answer() -> None:
    assert subgroups(Y, V, ["one"] * 13).between_groups.reason is Undefined.ONE_GROUP
    assert np.isnan(meta_regression([0.1, 0.1, 0.1], [0.1] * 3, [1, 2, 3]).r2)
    with pytest.raises(ValueError, match="depend on each other"):
        meta_regression(Y, V, np.ones(13))
    with pytest.raises(ValueError, match="one row"):
        meta_regression(Y, V, [1.0, 2.0])
    with pytest.raises(ValueError, match="12 groups"):
        subgroups(Y, V, ["a"] * 12)
