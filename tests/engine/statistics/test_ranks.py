# SPDX-License-Identifier: Apache-2.0
"""Rank tests, shifts, Cliff's delta and multiplicity: brute force, SciPy, statsmodels, published P values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sirolens.engine.sampling import normal, stream
from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.rank_distribution import rank_sum_distribution, signed_rank_distribution
from sirolens.engine.statistics.ranks import (
    LARGEST_EXACT,
    _Differences,
    benjamini_hochberg,
    cliffs_delta,
    hodges_lehmann,
    hodges_lehmann_paired,
    holm,
    mann_whitney,
    wilcoxon,
)

ROUNDING = 1e-10
tied = st.integers(-4, 4).map(float)
small = st.lists(tied, min_size=1, max_size=6)
real = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))


def test_seven_patients_who_all_rise_as_published_and_exactly() -> None:
    """Anchors: rank sum 0 of 7 gives z -2.366, P 0.0180; rank sum 1 P 0.0280; 6 of 6 up 0.0277; exact 0.0156."""
    rise = [1.0, 2, 3, 4, 5, 6, 7]
    printed = wilcoxon(rise, "asymptotic")
    assert round(printed.z, 3) == 2.366
    assert round(wilcoxon(np.negative(rise), "asymptotic").z, 3) == -2.366
    assert round(printed.p_value, 4) == 0.0180
    assert round(wilcoxon([-1, *rise[1:]], "asymptotic").p_value, 4) == 0.0280
    assert round(wilcoxon(rise[:6], "asymptotic").p_value, 4) == 0.0277
    assert round(wilcoxon(rise).p_value, 4) == 0.0156


@given(small, small)
@settings(deadline=None)
def test_the_exact_rank_sum_test_is_the_share_of_all_assignments_with_ties(x: list[float], y: list[float]) -> None:
    """Oracle: every way to choose the first group, U counted pair by pair."""
    test = mann_whitney(x, y, "exact")
    everyone = x + y
    if len(set(everyone)) == 1:
        assert test.reason is Undefined.ALL_EQUAL
        assert math.isnan(test.p_value)
        return

    def u(first: tuple[int, ...]) -> float:
        others = [i for i in range(len(everyone)) if i not in first]
        return sum((everyone[i] > everyone[j]) + (everyone[i] == everyone[j]) / 2 for i in first for j in others)

    seen, centre = u(tuple(range(len(x)))), len(x) * len(y) / 2
    all_u = [u(first) for first in itertools.combinations(range(len(everyone)), len(x))]
    assert test.statistic == seen
    assert test.p_value == pytest.approx(np.mean([abs(v - centre) >= abs(seen - centre) - 1e-9 for v in all_u]))


@given(st.lists(real, min_size=2, max_size=25, unique=True), st.data())
@settings(deadline=None)
def test_without_ties_the_exact_rank_sum_test_agrees_with_scipy(values: list[float], data: st.DataObject) -> None:
    m = data.draw(st.integers(1, len(values) - 1))
    test, other = (
        mann_whitney(values[:m], values[m:], "exact"),
        stats.mannwhitneyu(values[:m], values[m:], method="exact"),
    )
    assert test.statistic == other.statistic
    assert test.p_value == pytest.approx(other.pvalue, rel=1e-9)


@given(st.lists(tied, min_size=1, max_size=30), st.lists(tied, min_size=1, max_size=30), st.booleans())
@settings(deadline=None)
def test_the_asymptotic_rank_sum_test_agrees_with_scipy(x: list[float], y: list[float], continuity: bool) -> None:
    test = mann_whitney(x, y, "asymptotic", continuity=continuity)
    if test.reason is None:
        other = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity)
        assert test.p_value == pytest.approx(other.pvalue, rel=1e-9)


@given(st.lists(tied, min_size=1, max_size=9))
@settings(deadline=None)
def test_the_exact_signed_rank_test_is_the_share_of_all_signs_with_ties(difference: list[float]) -> None:
    """Oracle: every pattern of signs over midranks, zeros dropped."""
    test = wilcoxon(difference, "exact")
    used = [d for d in difference if d]
    assert test.zeros == len(difference) - len(used)
    if not used:
        assert test.reason is Undefined.ALL_EQUAL
        return
    ranks = stats.rankdata(np.abs(used))
    seen, centre = sum(r for r, d in zip(ranks, used, strict=True) if d > 0), ranks.sum() / 2
    all_sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(used))]
    assert test.statistic == pytest.approx(seen)
    assert test.p_value == pytest.approx(np.mean([abs(v - centre) >= abs(seen - centre) - 1e-9 for v in all_sums]))


@given(st.lists(tied, min_size=1, max_size=40), st.booleans(), st.sampled_from(["drop", "pratt"]))
@settings(deadline=None)
def test_the_asymptotic_signed_rank_test_agrees_with_scipy(
    difference: list[float], continuity: bool, zeros: str
) -> None:
    test = wilcoxon(difference, "asymptotic", continuity=continuity, zeros=zeros)
    if test.reason is None:
        method = {"drop": "wilcox", "pratt": "pratt"}[zeros]
        other = stats.wilcoxon(difference, zero_method=method, correction=continuity, method="asymptotic")
        assert test.p_value == pytest.approx(other.pvalue, rel=1e-9)


@given(st.lists(real.filter(bool), min_size=1, max_size=30, unique_by=abs))
@settings(deadline=None)
def test_without_ties_the_exact_signed_rank_test_agrees_with_scipy(difference: list[float]) -> None:
    test = wilcoxon(difference, "exact")
    assert test.p_value == pytest.approx(stats.wilcoxon(difference, method="exact").pvalue, rel=1e-9)


@given(small, small)
@settings(deadline=None)
def test_exchanging_the_groups_changes_only_the_sign(x: list[float], y: list[float]) -> None:
    one, other = mann_whitney(x, y), mann_whitney(y, x)
    if one.reason is None:
        assert one.p_value == pytest.approx(other.p_value)
        assert one.z == pytest.approx(-other.z)
    first, second = cliffs_delta(x, y), cliffs_delta(y, x)
    assert first.delta == pytest.approx(-second.delta)
    assert first.interval.low == pytest.approx(-second.interval.high, abs=1e-8)
    assert hodges_lehmann(x, y).estimate == pytest.approx(-hodges_lehmann(y, x).estimate)


def test_exact_distributions_of_the_largest_size_add_up_to_one() -> None:
    ranks = 2 * np.arange(1, LARGEST_EXACT + 1)
    assert rank_sum_distribution(ranks, LARGEST_EXACT // 2).sum() == pytest.approx(1, abs=ROUNDING)
    assert signed_rank_distribution(ranks).sum() == pytest.approx(1, abs=ROUNDING)


def test_too_many_for_the_exact_distribution_is_said_not_approximated() -> None:
    many = np.arange(LARGEST_EXACT + 1.0) + 1
    with pytest.raises(ValueError, match="exact distribution"):
        wilcoxon(many, "exact")
    assert wilcoxon(many).method == "wilcoxon-asymptotic"
    with pytest.raises(ValueError, match="exact, asymptotic or auto"):
        mann_whitney([1], [2], "quick")
    with pytest.raises(ValueError, match="Pratt"):
        wilcoxon([1.0], zeros="split")


@given(st.lists(real, min_size=3, max_size=9, unique=True), st.lists(real, min_size=3, max_size=9, unique=True))
@settings(deadline=None, max_examples=40)
def test_the_interval_of_a_shift_holds_what_the_test_does_not_reject(x: list[float], y: list[float]) -> None:
    """Oracle: the exact test applied to data moved by each candidate shift, away from the jumps of U."""
    found = hodges_lehmann(x, y)
    if found.interval.reason is not None:
        assert mann_whitney(range(len(x)), range(100, 100 + len(y)), "exact").p_value > 0.05
        return
    differences = np.unique(np.subtract.outer(x, y))
    middles = np.concatenate([[differences[0] - 1], (differences[1:] + differences[:-1]) / 2, [differences[-1] + 1]])
    for shift in middles:
        moved = np.array(x) - shift
        if np.unique(np.round([*moved, *y], 9)).size < len(x) + len(y):
            continue
        kept = mann_whitney(moved, y, "exact").p_value > 0.05
        assert kept == (found.interval.low < shift < found.interval.high)
    assert found.estimate in found.interval
    assert found.attained >= 0.95


@given(st.lists(real, min_size=6, max_size=10, unique_by=abs))
@settings(deadline=None, max_examples=40)
def test_the_interval_of_paired_differences_holds_what_the_test_does_not_reject(difference: list[float]) -> None:
    """Oracle: the exact signed-rank test of the differences less each candidate."""
    found = hodges_lehmann_paired(difference)
    i, j = np.triu_indices(len(difference))
    means = np.unique((np.array(difference)[i] + np.array(difference)[j]) / 2)
    for centre in (means[1:] + means[:-1]) / 2:
        moved = np.array(difference) - centre
        if np.unique(np.round(np.abs(moved), 9)).size < moved.size or np.any(np.abs(moved) < 1e-9):
            continue
        kept = wilcoxon(moved, "exact").p_value > 0.05
        assert kept == (found.interval.low < centre < found.interval.high)


def test_shifts_of_large_groups_use_the_normal_distribution_without_a_jump() -> None:
    """Oracle: the exact interval just below the limit lies as far from its centre as the asymptotic one above it."""
    x, y = normal(stream(1, "x"), (51,)), normal(stream(1, "y"), (50,)) + 1
    above, below = hodges_lehmann(x, y), hodges_lehmann(x[:-1], y)
    assert above.interval.method == "hodges-lehmann-asymptotic"
    assert below.interval.method == "hodges-lehmann-exact"
    assert above.interval.low == pytest.approx(below.interval.low, abs=0.05)
    assert above.interval.high == pytest.approx(below.interval.high, abs=0.05)


def test_groups_too_small_for_the_level_have_no_interval() -> None:
    assert hodges_lehmann_paired([1, 2, 3]).interval.reason is Undefined.TOO_FEW
    assert hodges_lehmann([1, 2], [3, 4]).interval.reason is Undefined.TOO_FEW
    assert hodges_lehmann_paired([1, 2, 3]).estimate == 2


@given(small, small)
@settings(deadline=None)
def test_cliffs_delta_counts_pairs(x: list[float], y: list[float]) -> None:
    """Oracle: pair by pair, and 2U/mn - 1."""
    found = cliffs_delta(x, y)
    pairs = [(a > b) - (a < b) for a in x for b in y]
    assert found.delta == pytest.approx(np.mean(pairs))
    test = mann_whitney(x, y)
    assert found.delta == pytest.approx(2 * test.statistic / (len(x) * len(y)) - 1)
    assert found.interval.low - ROUNDING <= found.delta <= found.interval.high + ROUNDING
    assert -1 <= found.interval.low <= found.interval.high <= 1


def test_the_interval_of_cliffs_delta_covers_as_often_as_it_says() -> None:
    """Oracle: 1500 invented studies of 20 against 15 normal patients with a known delta."""
    shift, studies = 0.8, 1500
    truth = 2 * stats.norm.cdf(shift / math.sqrt(2)) - 1
    x = normal(stream(2, "x"), (studies, 20)) + shift
    y = normal(stream(2, "y"), (studies, 15))
    covered = np.mean([truth in cliffs_delta(a, b).interval for a, b in zip(x, y, strict=True)])
    assert abs(covered - 0.95) < 0.02  # three standard errors are 0.017


def test_groups_that_do_not_overlap_still_have_an_interval() -> None:
    found = cliffs_delta([4, 5, 6], [1, 2, 3])
    assert found.delta == found.interval.high == 1
    assert -1 < found.interval.low < 1


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_nobody_is_a_result(level: float) -> None:
    assert mann_whitney([], [1.0]).reason is Undefined.NO_OBSERVATIONS
    assert wilcoxon([]).reason is Undefined.NO_OBSERVATIONS
    assert hodges_lehmann([], [1.0], level).interval.reason is Undefined.NO_OBSERVATIONS
    assert hodges_lehmann_paired([], level).interval.reason is Undefined.NO_OBSERVATIONS
    assert cliffs_delta([1.0], [], level).interval.reason is Undefined.NO_OBSERVATIONS


def test_missing_values_are_the_callers_to_leave_out() -> None:
    with pytest.raises(ValueError, match="not finite"):
        mann_whitney([1.0, math.nan], [2.0])
    with pytest.raises(ValueError, match="dimensions"):
        wilcoxon([[1.0], [2.0]])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(deadline=None, max_examples=15)  # statsmodels collects garbage at every call
def test_adjusted_p_values_agree_with_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])


@given(st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=12))
@settings(deadline=None)
def test_missing_p_values_are_not_counted(p_values: list[float]) -> None:
    known = [p for p in p_values if not math.isnan(p)]
    for adjust in (holm, benjamini_hochberg):
        found = adjust(p_values)
        assert np.array_equal(np.isnan(found), np.isnan(np.array(p_values, dtype=float)))
        assert found[~np.isnan(found)] == pytest.approx(adjust(known))


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(ValueError, match="P value"):
        holm([0.5, 1.2])


@given(st.lists(real, min_size=1, max_size=12), st.lists(real, min_size=1, max_size=12), st.data())
@settings(deadline=None)
def test_differences_are_counted_as_they_would_be_written_down(
    x: list[float], y: list[float], data: st.DataObject
) -> None:
    """Oracle: all differences, or all pairwise sums, sorted."""
    written = np.sort(np.subtract.outer(x, y).ravel())
    k = data.draw(st.integers(0, written.size - 1))
    pairs = _Differences(first=np.array(x), second=np.array(y), paired=False)
    assert pairs.at(k)[0] == written[k]
    assert pairs._counted(k) == pytest.approx(written[k], abs=ROUNDING)
    i, j = np.triu_indices(len(x))
    sums = np.sort(np.array(x)[i] + np.array(x)[j])
    k = data.draw(st.integers(0, sums.size - 1))
    pairs = _Differences(first=np.array(x), second=-np.array(x), paired=True)
    assert pairs.at(k)[0] == sums[k]
    assert pairs._counted(k) == pytest.approx(sums[k], abs=ROUNDING)


def test_five_thousand_patients_need_no_table_of_all_pairs() -> None:
    """Oracle: the shift the values were made with lies inside, and the interval is as narrow as theory says."""
    x, y = normal(stream(5, "x"), (5000,)) + 0.3, normal(stream(5, "y"), (5000,))
    found = hodges_lehmann(x, y)
    assert 0.3 in found.interval
    # The efficiency of the estimate against the difference of means is 3/pi.
    assert found.interval.high - found.interval.low == pytest.approx(
        2 * 1.96 * math.sqrt(2 / 5000 * math.pi / 3), rel=0.05
    )
    paired = hodges_lehmann_paired(x - y)
    assert 0.3 in paired.interval
    assert cliffs_delta(x, y).delta == pytest.approx(2 * stats.norm.cdf(0.3 / math.sqrt(2)) - 1, abs=0.03)


def test_differences_tied_on_paper_are_tied() -> None:
    """6.1 - 5.9, 0.2 and 5.3 - 5.1 differ in the last bit only; Oracle: the same differences in whole tenths."""
    before, after = [5.9, 0.0, 5.1, 4.0], [6.1, 0.2, 5.3, 3.9]
    one, other = wilcoxon(np.subtract(after, before)), wilcoxon([2, 2, 2, -1])
    assert one.tied
    assert (one.statistic, one.p_value) == (other.statistic, other.p_value)
