# SPDX-License-Identifier: Apache-2.0
"""Means, t tests and the mixed model of visits: SciPy, hand-made numbers, the closed form of balanced visits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from sirolens.engine.sampling import normal, stream
from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.means import describe, mixed_model, paired_t, welch

SEARCH = 1e-6  # relative: where the search for the restricted likelihood's maximum stops
LIBRARY = 2e-3  # relative: where statsmodels' search stops
sample = st.lists(st.floats(-50, 50).map(lambda v: round(v, 2)), min_size=2, max_size=20, unique=True)


def _visits(patients: int, times: np.ndarray, *, slope: float, between: float, within: float) -> tuple[np.ndarray, ...]:
    scatter = normal(stream(6, "visits"), (patients, times.size)) * within
    own = normal(stream(6, "patients"), (patients,)) * between
    values = 5 + slope * times + own[:, None] + scatter
    return values.ravel(), np.repeat(np.arange(patients), times.size), np.tile(times, patients)


@given(sample)
@settings(deadline=None)
def test_a_summary_agrees_with_scipy(values: list[float]) -> None:
    found = describe(values)
    assert found.mean == pytest.approx(stats.tmean(values))
    assert found.sd == pytest.approx(stats.tstd(values))
    assert found.least <= found.q1 <= found.median <= found.q3 <= found.most
    assert found.q3 - found.q1 == pytest.approx(stats.iqr(values))


def test_a_summary_of_one_or_nobody_has_no_spread() -> None:
    assert math.isnan(describe([3.0]).sd)
    assert describe([3.0]).median == 3
    assert describe([]).n == 0
    assert math.isnan(describe([]).mean)


@given(sample, sample)
@settings(deadline=None)
def test_welch_agrees_with_scipy(x: list[float], y: list[float]) -> None:
    found = welch(x, y)
    if found.reason is None:
        other = stats.ttest_ind(x, y, equal_var=False)
        limits = other.confidence_interval()
        assert found.t == pytest.approx(other.statistic)
        assert found.df == pytest.approx(other.df)
        assert found.p_value == pytest.approx(other.pvalue)
        assert (found.interval.low, found.interval.high) == pytest.approx((limits.low, limits.high))
        assert found.difference in found.interval


@given(sample)
@settings(deadline=None)
def test_the_paired_test_agrees_with_scipy(difference: list[float]) -> None:
    found = paired_t(difference)
    if found.reason is None:
        other = stats.ttest_1samp(difference, 0)
        limits = other.confidence_interval()
        assert found.p_value == pytest.approx(other.pvalue)
        assert (found.interval.low, found.interval.high) == pytest.approx((limits.low, limits.high))


def test_too_few_and_all_equal_are_results_that_keep_the_difference() -> None:
    assert welch([], [1.0]).reason is Undefined.NO_OBSERVATIONS
    assert welch([3.0], [1.0, 2.0]).reason is Undefined.TOO_FEW
    assert welch([3.0], [1.0, 2.0]).difference == 1.5
    assert welch([3.0, 3.0], [1.0, 1.0]).reason is Undefined.ALL_EQUAL
    assert paired_t([]).reason is Undefined.NO_OBSERVATIONS
    assert paired_t([2.0]).reason is Undefined.TOO_FEW
    assert paired_t([2.0, 2.0]).reason is Undefined.ALL_EQUAL


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_balanced_visits_have_a_closed_form(unit: float) -> None:
    """Oracle: within-patient least squares for the slope, and mean squares for both variances; in any unit."""
    times = np.array([0.0, 1, 3, 6])
    values, patient, when = _visits(15, times, slope=0.4, between=1.2, within=0.6)
    table = values.reshape(15, 4)
    centred = times - times.mean()
    slope = float((table @ centred).sum() / (15 * centred @ centred))
    residual = table - table.mean(axis=1, keepdims=True) - slope * centred
    within = (residual**2).sum() / (15 * 3 - 1)
    between = table.mean(axis=1).var(ddof=1) - within / 4
    found = mixed_model(values * unit, patient, when)
    se = math.sqrt(within / (15 * centred @ centred))
    assert not found.boundary
    assert found.slope == pytest.approx(slope * unit, rel=SEARCH)
    assert found.within_sd == pytest.approx(math.sqrt(within) * unit, rel=SEARCH)
    assert found.between_sd == pytest.approx(math.sqrt(between) * unit, rel=SEARCH)
    assert found.intercept == pytest.approx((values.mean() - slope * times.mean()) * unit, rel=SEARCH)
    assert found.slope_interval.high - found.slope == pytest.approx(stats.t.ppf(0.975, 44) * se * unit, rel=SEARCH)
    assert found.slope_p_value == pytest.approx(2 * stats.t.sf(slope / se, 44), rel=SEARCH)
    assert (found.patients, found.visits) == (15, 60)


def test_missing_visits_and_names_of_patients_are_no_obstacle() -> None:
    """Oracles: statsmodels' mixed model; the slope the data were made with; order of rows changes nothing."""
    values, patient, when = _visits(20, np.array([0.0, 1, 3, 6]), slope=0.4, between=1.0, within=0.5)
    keep = np.arange(values.size) % 5 != 2
    names = np.array([f"p{p:02d}" for p in patient])
    found = mixed_model(values[keep], names[keep], when[keep])
    assert 0.4 in found.slope_interval
    library = MixedLM(values[keep], np.column_stack([np.ones(keep.sum()), when[keep]]), groups=patient[keep]).fit(
        reml=True
    )
    assert found.slope == pytest.approx(library.fe_params[1], rel=LIBRARY)
    assert found.intercept == pytest.approx(library.fe_params[0], rel=LIBRARY)
    assert found.between_sd**2 == pytest.approx(library.cov_re[0, 0], rel=LIBRARY)
    assert found.within_sd**2 == pytest.approx(library.scale, rel=LIBRARY)
    order = np.flatnonzero(keep)[::-1]
    again = mixed_model(values[order], names[order], when[order])
    assert again.slope == pytest.approx(found.slope, rel=SEARCH)


def test_patients_who_do_not_differ_are_said_to_be_at_the_boundary() -> None:
    """Oracle: ordinary least squares, which is the model when patients do not differ."""
    values, patient, when = _visits(10, np.array([0.0, 1, 2]), slope=1.0, between=0.0, within=0.5)
    table = values.reshape(10, 3)
    same = (table - table.mean(axis=1, keepdims=True) + table.mean()).ravel()
    found = mixed_model(same, patient, when)
    assert found.boundary
    assert found.between_sd == 0
    assert found.slope == pytest.approx(stats.linregress(when, same).slope)


def test_a_model_that_data_cannot_carry_is_a_result() -> None:
    assert mixed_model([], np.array([]), []).reason is Undefined.NO_OBSERVATIONS
    assert mixed_model([1.0, 2, 3], np.array([1, 2, 3]), [0, 1, 2]).reason is Undefined.TOO_FEW
    same_day = mixed_model([1.0, 2, 3, 4, 5, 6], np.array([1, 1, 2, 2, 3, 3]), [1] * 6)
    assert same_day.reason is Undefined.ALL_EQUAL
    assert math.isnan(same_day.slope)
    with pytest.raises(ValueError, match="as many values"):
        mixed_model([1.0], np.array([1, 2]), [0.0])
