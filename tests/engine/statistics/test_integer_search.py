# SPDX-License-Identifier: Apache-2.0
"""The search over whole numbers finds exactly what trying every one finds."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations_with_replacement
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.statistics.integer_search import (
    LARGEST_SPLIT,
    Share,
    counts_that_fit,
    denominators_that_fit,
    nearest_counts,
    solve_arm,
    solve_split,
    spread_is_possible,
    sums_that_fit,
)
from sirolens.engine.statistics.printed import Printed, plain_text, printed

LARGEST = 1000
PERCENTS = st.integers(0, 3).flatmap(
    lambda decimals: st.integers(0, 100 * 10**decimals).map(
        lambda scaled: read(format(Decimal(scaled).scaleb(-decimals), "f"))
    )
)


def read(text: str) -> Printed:
    found = printed(text)
    assert found is not None
    return found


@given(PERCENTS, st.integers(1, LARGEST))
@settings(deadline=None, max_examples=150)
def test_the_search_for_counts_equals_trying_every_count(percent: Printed, of: int) -> None:
    # Oracle: brute force with exact fractions.
    by_rounding = [k for k in range(of + 1) if percent.rounds_from(Fraction(100 * k, of))]
    by_cutting = [k for k in range(of + 1) if percent.cut_from(Fraction(100 * k, of))]
    assert list(counts_that_fit(percent, of)) == by_rounding
    assert list(counts_that_fit(percent, of, cut=True)) == by_cutting


@given(PERCENTS, st.integers(0, LARGEST))
@settings(deadline=None, max_examples=100)
def test_the_search_for_denominators_equals_trying_every_denominator(percent: Printed, count: int) -> None:
    tried = [n for n in range(max(1, count), LARGEST + 1) if percent.rounds_from(Fraction(100 * count, n))]
    assert list(denominators_that_fit(percent, count, most=LARGEST)) == tried


@given(st.integers(1, LARGEST), st.data(), st.integers(0, 4))
@settings(deadline=None, max_examples=150)
def test_every_honestly_rounded_share_passes(of: int, data: st.DataObject, decimals: int) -> None:
    # Oracle: the decimal module, rounding half up, half to even and half down.
    count = data.draw(st.integers(0, of))
    exact = Decimal(100 * count) / Decimal(of)
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN):
        percent = read(format(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding), "f"))
        assert count in counts_that_fit(percent, of)
        assert of in denominators_that_fit(percent, count, most=LARGEST)


def test_no_integer_of_20_gives_61_3_percent() -> None:
    assert not counts_that_fit(read("61.3"), 20)
    assert not counts_that_fit(read("61.3"), 20, cut=True)
    assert nearest_counts(read("61.3"), 20) == (12, 13)
    assert nearest_counts(read("100"), 20) == (20,)
    assert nearest_counts(read("0"), 20) == (0, 1)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(0, 3), st.sampled_from([1, 5, 1000]))
@settings(deadline=None)
def test_the_mean_of_whole_numbers_passes(values: list[int], decimals: int, step: int) -> None:
    total = sum(values)
    mean = read(plain_text(Fraction(total * step, len(values)), decimals))
    assert total in sums_that_fit(mean, len(values), Fraction(step))


@given(st.lists(st.integers(-20, 60), min_size=2, max_size=30), st.integers(0, 3))
@settings(deadline=None)
def test_the_standard_deviation_of_whole_numbers_passes(values: list[int], decimals: int) -> None:
    # Oracle: the standard library's exact standard deviation.
    sd = read(f"{stdev(values):.{decimals}f}")
    assert spread_is_possible(sum(values), sd, len(values), Fraction(1))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_an_impossible_standard_deviation_is_never_reached_by_any_numbers(n: int) -> None:
    # Oracle: all multisets of n numbers from 0 to 8.
    reached = {(sum(v), f"{stdev(v):.2f}") for v in combinations_with_replacement(range(9), n)}
    for total in range(8 * n + 1):
        for hundredths in range(400):
            text = f"{hundredths / 100:.2f}"
            if not spread_is_possible(total, read(text), n, Fraction(1)):
                assert (total, text) not in reached


@pytest.mark.parametrize(
    ("mean", "n", "possible"),
    [("5.27", 43, False), ("5.28", 43, True), ("5.19", 28, False), ("3.45", 20, True), ("3.46", 20, False)],
)
def test_the_grim_examples(mean: str, n: int, possible: bool) -> None:
    # 5.27 of 43 is the worked example of the R package scrutiny's documentation; the others by hand.
    assert bool(sums_that_fit(read(mean), n, Fraction(1))) is possible


def test_means_of_platelets_counted_in_thousands_tell_how_many_patients_there_were() -> None:
    # clinical.md: only 30 of 26 to 37 makes both printed means, cut off, multiples of 1000/n.
    for mean in ("96566", "111266"):
        fitting = [n for n in range(26, 38) if sums_that_fit(read(mean), n, Fraction(1000), cut=True)]
        assert fitting == [30]
        assert not [n for n in range(26, 38) if sums_that_fit(read(mean), n, Fraction(1000))]


OR_SR_AE = [
    [
        Share(name="OR", percent=read(overall)),
        Share(name="AE", percent=read(events)),
        Share(name="SR", percent=read(sustained), of="OR"),
    ]
    for overall, events, sustained in (("58", "7", "68"), ("62", "11", "39"))
]


def test_88_patients_split_in_one_way_only_for_the_percentages_of_2013() -> None:
    # clinical.md: 43/25/17/3 against 45/28/11/5 are the only solution.
    solutions = solve_split(88, OR_SR_AE)
    assert solutions is not None
    assert [[(arm.size, arm.counts) for arm in one.arms] for one in solutions] == [
        [(43, ((25, 3, 17),)), (45, ((28, 5, 11),))]
    ]


def test_a_split_equals_trying_every_pair_of_sizes() -> None:
    solutions = solve_split(30, [[share[0]] for share in OR_SR_AE])
    assert solutions is not None
    tried = [
        (n, 30 - n) for n in range(1, 30) if solve_arm(n, [OR_SR_AE[0][0]]) and solve_arm(30 - n, [OR_SR_AE[1][0]])
    ]
    assert [tuple(arm.size for arm in one.arms) for one in solutions] == tried


def test_many_loose_shares_of_many_patients_are_searched_exactly() -> None:
    # Each of ten whole percents of 900 patients is some count; one more that no count of 900 gives rules all out.
    loose = [Share(name=str(i), percent=read(str(10 + i))) for i in range(10)]
    assert solve_arm(900, loose)
    assert solve_arm(900, [*loose, Share(name="x", percent=read("33.3400"))]) == ()
    of_another = Share(name="y", percent=read("97"), of="9")
    for counts in solve_arm(150, [*loose, of_another]):
        assert of_another.percent.rounds_from(Fraction(100 * counts[10], counts[9]))
    solutions = solve_split(1_800, [loose, loose])
    assert solutions is not None
    assert len(solutions) > 1_000


def test_an_odd_number_never_splits_into_two_halves_of_which_half_responded() -> None:
    half = [Share(name="response", percent=read("50"))]
    assert solve_split(61, [half, half]) == ()
    assert solve_split(60, [half, half])
    known = solve_split(60, [half, half], [20, None])
    assert known is not None
    assert [[arm.size for arm in one.arms] for one in known] == [[20, 40]]


def test_a_split_too_large_to_search_is_said_to_be() -> None:
    assert solve_split(LARGEST_SPLIT + 1, OR_SR_AE) is None
    assert solve_split(20, [[]] * 4) is None
