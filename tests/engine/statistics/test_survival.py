# SPDX-License-Identifier: Apache-2.0
"""Survival and competing risks: hand-made tables, SciPy, statsmodels, closed forms without censoring."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, chi2, ecdf, logrank
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.survival import cumulative_incidence, kaplan_meier, log_rank

ROUNDING = 1e-10
# Remission times of the 6-mercaptopurine arm of Freireich's trial (the textbook example of the product-limit method).
MERCAPTOPURINE = ([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
                  [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])  # fmt: skip
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
patients = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=40)


def _split(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    time, cause = np.array(rows).T
    return time.astype(float), cause


def test_the_textbook_example_of_the_product_limit_method() -> None:
    """Oracle: fractions by hand (18/21, 16/17, 14/15, 11/12, 10/11, 6/7, 5/6), median 23, log-rank 16.79."""
    curve = kaplan_meier(*MERCAPTOPURINE)
    steps = [18 / 21, 16 / 17, 14 / 15, 11 / 12, 10 / 11, 6 / 7, 5 / 6]
    assert curve.survival[curve.events > 0] == pytest.approx(np.cumprod(steps))
    assert curve.median == 23
    assert curve.median_interval.low == 13
    assert curve.median_interval.high == math.inf
    assert curve.median_interval.reason is Undefined.NOT_REACHED
    # Greenwood by hand at the first step: 18/21 sqrt(3 / (21 * 18))
    assert curve.se[0] == pytest.approx(18 / 21 * math.sqrt(3 / (21 * 18)))
    time, event = [*MERCAPTOPURINE[0], *PLACEBO], [*MERCAPTOPURINE[1], *[1] * 21]
    assert round(log_rank(time, event, ["drug"] * 21 + ["placebo"] * 21).statistic, 2) == 16.79


@given(patients)
@settings(deadline=None)
def test_the_curve_agrees_with_scipy(rows: list[tuple[int, int]]) -> None:
    time, cause = _split(rows)
    curve = kaplan_meier(time, cause > 0)
    other = ecdf(CensoredData.right_censored(time, cause == 0)).sf
    assert np.array_equal(curve.time, other.quantiles)
    assert curve.survival == pytest.approx(other.probabilities, abs=ROUNDING)


@given(patients)
@settings(deadline=None)
def test_greenwood_and_the_median_agree_with_statsmodels(rows: list[tuple[int, int]]) -> None:
    time, cause = _split(rows)
    if not (cause > 0).any():
        return
    curve = kaplan_meier(time, cause > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        other = SurvfuncRight(time, cause > 0)
        inside = (curve.events > 0) & (curve.survival > ROUNDING)
        theirs = other.surv_prob > ROUNDING
        assert curve.se[inside] == pytest.approx(other.surv_prob_se[theirs], abs=1e-8)
    assert np.isnan(curve.median) == (curve.survival[-1] > 0.5 + 1e-9)


@given(patients)
@settings(deadline=None)
def test_the_median_interval_holds_the_times_whose_limits_hold_one_half(rows: list[tuple[int, int]]) -> None:
    """Oracle: Brookmeyer and Crowley's definition, tried at every event time."""
    time, cause = _split(rows)
    curve = kaplan_meier(time, cause > 0)
    inside = [
        t
        for t, low, high, s, d in zip(curve.time, curve.low, curve.high, curve.survival, curve.events, strict=True)
        if d and 0 < s < 1 and low <= 0.5 <= high
    ]
    found = curve.median_interval
    if inside:
        assert found.low <= min(inside)
        assert max(inside) <= found.high
    if not math.isnan(curve.median):
        assert curve.median in found


@given(patients)
@settings(deadline=None)
def test_limits_hold_the_curve_and_it_only_falls(rows: list[tuple[int, int]]) -> None:
    time, cause = _split(rows)
    curve = kaplan_meier(time, cause > 0)
    assert np.all(np.diff(curve.survival) <= 0)
    known = ~np.isnan(curve.low)
    assert np.all(curve.low[known] <= curve.survival[known] + ROUNDING)
    assert np.all(curve.survival[known] <= curve.high[known] + ROUNDING)


def test_without_censoring_the_curve_is_the_share_left() -> None:
    """Closed form: survival is a binomial share, and Greenwood is its binomial variance."""
    curve = kaplan_meier([3, 1, 2, 2, 5, 4, 9, 7], [1] * 8)
    for t, s, se in zip(curve.time, curve.survival, curve.se, strict=True):
        share = sum(x > t for x in [3, 1, 2, 2, 5, 4, 9, 7]) / 8
        assert s == pytest.approx(share)
        assert se == pytest.approx(math.sqrt(share * (1 - share) / 8))


def test_events_come_before_censorings_of_the_same_time() -> None:
    assert kaplan_meier([5, 5], [1, 0]).survival[0] == 0.5
    assert kaplan_meier([5, 5], [1, 0]).at_risk[0] == 2


def test_the_median_needs_one_half_even_when_rounding_says_otherwise() -> None:
    """A product of fractions that is exactly one half: 9/10 8/9 7/8 6/7 5/6."""
    assert kaplan_meier(range(1, 11), [1] * 5 + [0] * 5).median == 5


def test_reading_a_curve_between_before_and_after_its_steps() -> None:
    curve = kaplan_meier([2, 4, 6], [1, 1, 0])
    assert [curve.at(t) for t in (0, 2, 3.9, 4, 6)] == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3, 1 / 3])
    assert math.isnan(curve.at(6.1))
    assert kaplan_meier([2, 4], [1, 1]).at(100) == 0
    assert [curve.at_risk_at(t) for t in (0, 2, 2.1, 6, 7)] == [3, 3, 2, 1, 0]
    assert curve.interval_at(0).low == 1


@given(patients, st.data())
@settings(deadline=None)
def test_log_rank_of_two_groups_agrees_with_scipy(rows: list[tuple[int, int]], data: st.DataObject) -> None:
    time, cause = _split(rows)
    member = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    test = log_rank(time, cause > 0, member)
    if test.reason is not None:
        return
    one, two = ((time[member == side], cause[member == side] > 0) for side in (False, True))
    other = logrank(CensoredData.right_censored(one[0], ~one[1]), CensoredData.right_censored(two[0], ~two[1]))
    assert test.statistic == pytest.approx(other.statistic**2, abs=1e-8)
    assert test.p_value == pytest.approx(other.pvalue, abs=1e-8)


def test_log_rank_of_three_groups_agrees_with_statsmodels() -> None:
    generator = np.random.default_rng(5)
    time, event, member = generator.integers(1, 20, 60), generator.random(60) < 0.7, generator.integers(0, 3, 60)
    statistic, p_value = survdiff(time, event, member)
    test = log_rank(time, event, member)
    assert test.statistic == pytest.approx(statistic)
    assert test.p_value == pytest.approx(p_value)
    assert test.df == 2


def test_log_rank_says_why_there_is_none() -> None:
    assert log_rank([], [], []).reason is Undefined.NO_OBSERVATIONS
    assert log_rank([1, 2], [1, 1], ["a", "a"]).reason is Undefined.ONE_GROUP
    assert log_rank([1, 2], [0, 0], ["a", "b"]).reason is Undefined.NO_EVENTS
    assert log_rank([1, 2], [0, 1], ["a", "b"]).reason is Undefined.NOT_IDENTIFIED


@given(patients)
@settings(deadline=None)
def test_causes_add_up_to_one_minus_the_curve_of_all(rows: list[tuple[int, int]]) -> None:
    time, cause = _split(rows)
    found = cumulative_incidence(time, cause, causes=[1, 2])
    total = sum(one.incidence for one in found.causes)
    assert total == pytest.approx(1 - kaplan_meier(time, cause > 0).survival, abs=ROUNDING)


@given(patients)
@settings(deadline=None)
def test_one_cause_alone_is_one_minus_kaplan_meier_with_greenwoods_error(rows: list[tuple[int, int]]) -> None:
    time, cause = _split(rows)
    event = cause > 0
    (found,) = cumulative_incidence(time, event.astype(int), causes=[1]).causes
    curve = kaplan_meier(time, event)
    assert found.incidence == pytest.approx(1 - curve.survival, abs=ROUNDING)
    assert found.se == pytest.approx(curve.se, abs=1e-7)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 2)), min_size=2, max_size=40))
@settings(deadline=None)
def test_without_censoring_the_incidence_is_a_share_with_its_binomial_variance(rows: list[tuple[int, int]]) -> None:
    """Closed form: F(t) = k/n and F (1 - F) / n."""
    time, cause = _split(rows)
    for one in cumulative_incidence(time, cause).causes:
        share = np.array([np.mean((time <= t) & (cause == one.cause)) for t in np.unique(time)])
        assert one.incidence == pytest.approx(share, abs=ROUNDING)
        assert one.se**2 == pytest.approx(share * (1 - share) / len(rows), abs=ROUNDING)


def test_competing_risks_by_hand() -> None:
    """Five patients by hand: at 2 both causes happen at once, at 3 one is censored."""
    found = cumulative_incidence([1, 2, 2, 3, 4], [1, 2, 1, 0, 1])
    first, second = found.causes
    assert first.incidence.tolist() == pytest.approx([1 / 5, 2 / 5, 2 / 5, 2 / 5 + 2 / 5])
    assert second.incidence.tolist() == pytest.approx([0, 1 / 5, 1 / 5, 1 / 5])
    assert found.survival.tolist() == pytest.approx([4 / 5, 2 / 5, 2 / 5, 0])
    assert found.at(2, 2.5) == pytest.approx(0.2)
    assert found.at(1, 0.5) == 0


def test_order_of_rows_and_ties_change_nothing() -> None:
    """No random tie breaking: every order of tied rows gives the same bits."""
    time, cause = np.array([2.0, 2, 2, 2, 3, 3, 5]), np.array([1, 2, 0, 1, 2, 1, 0])
    generator = np.random.default_rng(1)
    first = cumulative_incidence(time, cause)
    for _ in range(20):
        order = generator.permutation(7)
        other = cumulative_incidence(time[order], cause[order])
        for one, two in zip(first.causes, other.causes, strict=True):
            assert np.array_equal(one.incidence, two.incidence)
            assert np.array_equal(one.se, two.se)


def test_the_error_of_an_incidence_agrees_with_a_bootstrap() -> None:
    """Oracle: the spread over 800 resampled cohorts of 120 with censoring, to an eighth."""
    generator = np.random.default_rng(3)
    n = 120
    latent = generator.exponential([8.0, 16.0, 12.0], (n, 3)).round(1)
    time, cause = latent.min(axis=1), np.array([1, 2, 0])[latent.argmin(axis=1)]
    found = cumulative_incidence(time, cause)
    position = int(np.searchsorted(found.time, 6.0, side="right")) - 1
    drawn = []
    for _ in range(800):
        again = generator.integers(0, n, n)
        drawn.append(cumulative_incidence(time[again], cause[again], causes=[1]).at(1, 6.0))
    assert found.causes[0].se[position] == pytest.approx(np.std(drawn), rel=0.125)


@pytest.mark.parametrize(("event", "reason"), [([], Undefined.NO_OBSERVATIONS), ([0, 0, 0], Undefined.NO_EVENTS)])
def test_nobody_and_no_event_are_results(event: list[int], reason: Undefined) -> None:
    time = list(range(1, len(event) + 1))
    curve = kaplan_meier(time, event)
    assert curve.reason is reason
    assert math.isnan(curve.median)
    assert curve.median_interval.reason in (Undefined.NO_OBSERVATIONS, Undefined.NOT_REACHED)
    found = cumulative_incidence(time, np.array(event, dtype=int), causes=[1])
    assert found.reason is reason
    assert not np.any(found.causes[0].incidence)


def test_everybody_at_once() -> None:
    curve = kaplan_meier([4, 4, 4], [1, 1, 1])
    assert curve.survival.tolist() == [0.0]
    assert curve.se.tolist() == [0.0]
    assert curve.median == 4


@pytest.mark.parametrize("time", [[-1.0, 2.0], [math.nan, 2.0], [1.0, 2.0, 3.0]])
def test_impossible_times_are_programming_errors(time: list[float]) -> None:
    with pytest.raises(ValueError, match=r"not negative|not finite|as many"):
        kaplan_meier(time, [1, 0])
    with pytest.raises(ValueError, match=r"not negative|not finite|as many"):
        cumulative_incidence(time, [1, 0])


def test_the_log_rank_reference_is_chi_square() -> None:
    test = log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "b", "a", "b"])
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, 1))
