# SPDX-License-Identifier: Apache-2.0
"""The variance between studies is the one that its equation defines, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects
from tests.engine.pooling.bcg import K1, K2, N1, N2, PATIENTS

from sirolens.engine.pooling.between import Tau2Method, between, q_profile, restricted_log_likelihood
from sirolens.engine.pooling.two_arm import counts_effect
from sirolens.engine.pooling.weighted import weighted
from sirolens.engine.statistics.interval import Undefined

LAST_DIGITS = 1e-11  # two ways of the same arithmetic on numbers of size 1
FLAT_TOP = 1e-6  # a minimiser of heights knows a place to the root of rounding only
PRINTED = 6e-4  # three decimals
ONES = np.ones((13, 1))
Y_OR, V_OR = (found := counts_effect(K1, N1, K2, N2, "OR")).y, found.v
Y_RR, V_RR = (found := counts_effect(K1, N1, K2, N2, "RR")).y, found.v

studies = st.integers(2, 8).flatmap(
    lambda k: st.tuples(
        st.lists(st.floats(-3, 3), min_size=k, max_size=k), st.lists(st.floats(0.01, 4), min_size=k, max_size=k)
    )
)


def test_the_published_set_has_its_published_number_of_people() -> None:
    assert N1.sum() + N2.sum() == PATIENTS


def test_printed_variances_of_the_vaccine_trials() -> None:
    # Oracle: van Houwelingen 2002 print 0.302 for log odds ratios by maximum likelihood; published reanalyses print
    # 0.313 for log risk ratios by restricted maximum likelihood, and 0.1302 to 1.1812 by Q-profile for log odds ratios.
    assert between(Y_OR, V_OR, method="ML").tau2 == pytest.approx(0.302, abs=PRINTED)
    assert between(Y_RR, V_RR, method="REML").tau2 == pytest.approx(0.313, abs=PRINTED)
    profile = q_profile(Y_OR, V_OR)
    assert (profile.low, profile.high) == (pytest.approx(0.1302, abs=6e-5), pytest.approx(1.1812, abs=6e-5))


def test_dersimonian_and_laird_is_that_of_statsmodels() -> None:
    oracle = combine_effects(Y_RR, V_RR, method_re="dl")
    assert between(Y_RR, V_RR, method="DL").tau2 == pytest.approx(oracle.tau2, rel=LAST_DIGITS)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize(("y", "v"), [(Y_OR, V_OR), (Y_RR, V_RR)])
def test_likelihood_estimates_are_where_a_minimiser_finds_the_top(
    y: np.ndarray, v: np.ndarray, restricted: bool
) -> None:
    # Oracle: scipy's bounded minimiser on the same height, and a slope of zero by central differences.
    def height(t: float) -> float:
        return -restricted_log_likelihood(y, v, ONES, t, restricted=restricted)

    oracle = minimize_scalar(height, bounds=(0, 5), method="bounded", options={"xatol": 1e-12})
    found = between(y, v, method="REML" if restricted else "ML")
    assert found.tau2 == pytest.approx(oracle.x, rel=FLAT_TOP)
    h = 1e-4
    assert (height(found.tau2 + h) - height(found.tau2 - h)) / (2 * h) == pytest.approx(0, abs=1e-6)
    assert found.maxima == (found.tau2,)


def test_likelihood_is_the_normal_density() -> None:
    # Oracle: the multivariate normal density at the weighted mean; restricted, the density of contrasts (Harville).
    from scipy.stats import multivariate_normal

    tau2 = 0.3
    fit = weighted(Y_OR, V_OR, ONES, tau2)
    cov = np.diag(V_OR + tau2)
    plain = multivariate_normal(np.full(13, fit.b[0]), cov).logpdf(Y_OR)
    assert restricted_log_likelihood(Y_OR, V_OR, ONES, tau2, restricted=False) == pytest.approx(plain, rel=LAST_DIGITS)
    basis = np.linalg.qr(np.column_stack([np.ones(13), np.eye(13)[:, :12]]))[0][:, 1:]
    contrasts = multivariate_normal(np.zeros(12), basis.T @ cov @ basis).logpdf(basis.T @ Y_OR)
    # The contrasts' density differs by the constant log det X'X / 2.
    difference = contrasts - restricted_log_likelihood(Y_OR, V_OR, ONES, tau2)
    assert difference == pytest.approx(-0.5 * -np.log(13), rel=1e-9)


def test_two_peaks_are_both_found_and_the_higher_is_taken() -> None:
    # Oracle: a fine grid of the likelihood of a set made so that it has two peaks.
    y = np.array([0.0, 0.05, -0.05, 0.02, 3.0])
    v = np.array([1e-4, 1e-4, 1e-4, 1e-4, 4.0])
    found = between(y, v, method="REML")
    grid = np.concatenate([[0], np.geomspace(1e-7, 20, 1500)])
    heights = [restricted_log_likelihood(y, v, np.ones((5, 1)), t) for t in grid]
    assert found.tau2 == pytest.approx(grid[int(np.argmax(heights))], rel=0.02)


@given(studies)
@settings(deadline=None, max_examples=40)
def test_paule_and_mandel_and_empirical_bayes_solve_their_equation(
    given_studies: tuple[list[float], list[float]],
) -> None:
    # Oracle: the defining equation Q(tau2) = k - 1.
    y, v = (np.array(part) for part in given_studies)
    found = between(y, v, method="PM")
    at = weighted(y, v, np.ones((y.size, 1)), found.tau2).rss
    assert found.tau2 == between(y, v, method="EB").tau2
    assert at == pytest.approx(y.size - 1, rel=1e-9) or (found.tau2 == 0 and at <= y.size - 1 + 1e-12)


@given(studies, st.floats(0.1, 10), st.floats(-5, 5), st.sampled_from(list(Tau2Method)))
@settings(deadline=None, max_examples=50)
def test_estimates_follow_the_scale_and_ignore_order_and_origin(
    given_studies: tuple[list[float], list[float]], scale: float, shift: float, method: Tau2Method
) -> None:
    y, v = (np.array(part) for part in given_studies)
    base = between(y, v, method=method).tau2
    moved = between(scale * y[::-1] + shift, scale**2 * v[::-1], method=method).tau2
    size = np.var(y) + v.mean()
    assert moved == pytest.approx(scale**2 * base, rel=1e-6, abs=1e-7 * scale**2 * size)


@pytest.mark.parametrize("method", [m for m in Tau2Method if m is not Tau2Method.SJ])
def test_studies_that_agree_have_no_variance_between(method: Tau2Method) -> None:
    assert between([0.4, 0.4, 0.4], [0.1, 0.2, 0.3], method=method).tau2 == 0


def test_equal_variances_have_closed_forms() -> None:
    # Oracle: with equal variances v every unbiased estimator is s^2 - v, ML divides by k, SJ keeps its start.
    y, v = np.array([0.0, 1.0, 2.0, 5.0]), np.full(4, 0.5)
    sample, about = np.var(y, ddof=1), np.var(y)
    for method in ("DL", "HE", "REML", "PM", "EB"):
        assert between(y, v, method=method).tau2 == pytest.approx(sample - 0.5, rel=LAST_DIGITS), method
    assert between(y, v, method="ML").tau2 == pytest.approx(about - 0.5, rel=LAST_DIGITS)
    assert between(y, v, method="HS").tau2 == pytest.approx(about - 0.5, rel=LAST_DIGITS)
    assert between(y, v, method="SJ").tau2 == pytest.approx(about * sample / (about + 0.5), rel=LAST_DIGITS)


def test_q_profile_limits_meet_the_quantiles_and_empty_is_said() -> None:
    # Oracle: the defining equation.
    found = q_profile(Y_OR, V_OR, level=0.9)
    for limit, share in ((found.low, 0.95), (found.high, 0.05)):
        assert weighted(Y_OR, V_OR, ONES, limit).rss == pytest.approx(chi2.ppf(share, 12), rel=LAST_DIGITS)
    assert q_profile([0.1, 0.1], [1.0, 1.0]).reason is Undefined.ALL_EQUAL
    assert q_profile([0.1], [1.0]).reason is Undefined.TOO_FEW
    assert q_profile([0.0, 1.0], [1.0, 1.0]).low == 0


def test_one_study_has_no_variance_between_and_bad_input_is_refused() -> None:
    assert between([0.3], [0.1]).reason is Undefined.TOO_FEW
    with pytest.raises(ValueError, match="above 0"):
        between([0.3, 0.1], [0.1, 0.0])
    with pytest.raises(ValueError, match="not finite"):
        between([0.3, np.nan], [0.1, 0.1])
    with pytest.raises(ValueError, match="2 effects and 3 variances"):
        between([0.3, 0.1], [0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match="depend on each other"):
        between([0.3, 0.1, 0.2], [0.1, 0.1, 0.1], np.ones((3, 2)))
