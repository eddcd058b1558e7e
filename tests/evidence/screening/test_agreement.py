# SPDX-License-Identifier: Apache-2.0
"""Coefficients of agreement equal published and independent values, and say where they are not defined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from sirolens.errors import InputError
from sirolens.evidence.screening.agreement import Agreement, Coefficient, agreement, agreement_of

SAME_FORMULA = 1e-12
PRINTED = 6e-6  # the published values have five digits
JACKKNIFE = 0.02  # of a standard error: another estimator of the same variance, 12 records

# Gwet, Handbook of Inter-Rater Reliability: 12 units, 4 raters, 5 categories, gaps; the data set and its values are
# those that the author's own package irrCAC prints.
GWET = """
1 1 . 1
2 2 3 2
3 3 3 3
3 3 3 3
2 2 2 2
1 2 3 4
4 4 4 4
1 1 2 1
2 2 2 2
. 5 5 5
. . 1 1
. . 3 .
"""
FOUR = ("a", "b", "c", "d")


def gwet() -> Agreement:
    rows = [[-1 if word == "." else int(word) - 1 for word in line.split()] for line in GWET.split("\n") if line]
    return agreement_of(np.array(rows), FOUR, 5)


def named(found: Agreement, name: str) -> Coefficient:
    return next(one for one in found.coefficients if one.name == name)


@pytest.mark.parametrize(
    ("name", "value", "standard_error", "low", "high", "chance"),
    [
        ("ac1", 0.77544, 0.14295, 0.46081, 1.0, 0.19032),
        ("brennan-prediger", 0.77273, 0.14472, 0.45421, 1.0, 0.2),
    ],
)
def test_gwets_worked_example_with_gaps(
    name: str, value: float, standard_error: float, low: float, high: float, chance: float
) -> None:
    """Oracle: irrCAC on the example of Gwet's handbook."""
    found = named(gwet(), name)
    assert gwet().observed == pytest.approx(0.81818, abs=PRINTED)
    assert (found.value, found.standard_error) == pytest.approx((value, standard_error), abs=PRINTED)
    assert (found.low, found.high, found.chance) == pytest.approx((low, high, chance), abs=PRINTED)


def test_congers_kappa_of_gwets_worked_example() -> None:
    """Oracle: irrCAC; the interval is ours by the jackknife, theirs is linearised."""
    found = named(gwet(), "kappa")
    assert (found.value, found.chance) == pytest.approx((0.76282, 0.23343), abs=PRINTED)
    assert found.standard_error == pytest.approx(0.14917, abs=JACKKNIFE)
    assert found.interval == "jackknife"


TABLES = [
    [[20, 5], [10, 15]],  # Cohen's kappa .4, as in every textbook
    [[0, 5], [2, 118]],  # the paradox: agreement .944, kappa below 0
    [[45, 15], [25, 15]],
    [[12, 3, 1], [2, 20, 4], [0, 5, 9]],
]


def spread(table: list[list[int]]) -> np.ndarray:
    return np.array([(i, j) for i, row in enumerate(table) for j, times in enumerate(row) for _ in range(times)])


@pytest.mark.parametrize("table", TABLES)
def test_cohens_kappa_and_its_interval_equal_statsmodels(table: list[list[int]]) -> None:
    """Oracle: statsmodels' cohens_kappa (variance of Fleiss, Cohen and Everitt)."""
    found = named(agreement_of(spread(table), ("a", "b"), len(table)), "kappa")
    theirs = cohens_kappa(np.array(table))
    assert (found.value, found.standard_error) == pytest.approx((theirs.kappa, theirs.std_kappa), abs=SAME_FORMULA)
    assert (found.low, found.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=SAME_FORMULA)


@pytest.mark.parametrize("table", TABLES[:3])
def test_ac1_and_brennan_prediger_of_two_by_their_closed_forms(table: list[list[int]]) -> None:
    """Oracle: the formulas for two reviewers and two categories, written out: 2p(1-p) and 1/2."""
    found = agreement_of(spread(table), ("a", "b"), 2)
    n = sum(map(sum, table))
    observed = (table[0][0] + table[1][1]) / n
    share = (2 * table[0][0] + table[0][1] + table[1][0]) / (2 * n)
    chance = 2 * share * (1 - share)
    assert named(found, "ac1").value == pytest.approx((observed - chance) / (1 - chance), abs=SAME_FORMULA)
    assert named(found, "brennan-prediger").value == pytest.approx(2 * observed - 1, abs=SAME_FORMULA)


def test_congers_kappa_of_two_is_cohens() -> None:
    """Oracle: Cohen's kappa; a third reviewer who decided nothing changes the formula, not the value."""
    codes = spread(TABLES[0])
    third = np.column_stack([codes, np.full(len(codes), -1)])
    pairs = agreement_of(third, ("a", "b", "c"), 2).pairs
    assert pairs[0].reviewers == ("a", "b")
    assert named(pairs[0], "kappa").value == pytest.approx(0.4, abs=SAME_FORMULA)
    assert [pair.joint for pair in pairs] == [50, 0, 0]


def test_kappa_of_two_takes_only_what_both_have_decided() -> None:
    codes = spread(TABLES[0])
    gaps = np.vstack([codes, [[0, -1]] * 30, [[-1, 1]] * 7])
    whole, partial = agreement_of(codes, ("a", "b"), 2), agreement_of(gaps, ("a", "b"), 2)
    assert named(whole, "kappa") == named(partial, "kappa")
    assert (partial.records, partial.joint) == (87, 50)
    assert named(whole, "ac1").value != named(partial, "ac1").value  # it takes its chance from all decisions


def test_nothing_in_common_is_said() -> None:
    found = agreement({"a": {"wei": "include"}, "b": {"jo": "exclude"}}, ("include", "exclude"))
    assert found.observed is None
    assert all(one.value is None and one.low is None for one in found.coefficients)
    assert {m.code for one in found.coefficients for m in one.messages} == {"screening.agreement-no-overlap"}
    assert agreement({}, ("include", "exclude")).records == 0


def test_one_category_only_leaves_kappa_undefined_and_not_the_others() -> None:
    found = agreement({f"r{n}": {"wei": "exclude", "jo": "exclude"} for n in range(9)}, ("include", "exclude"))
    assert named(found, "kappa").value is None
    assert [m.code for m in named(found, "kappa").messages] == ["screening.kappa-one-category"]
    assert named(found, "ac1").value == named(found, "brennan-prediger").value == 1.0
    assert named(found, "ac1").low is None
    assert [m.code for m in named(found, "ac1").messages] == ["screening.agreement-no-interval"]


def test_one_record_has_a_value_and_no_interval() -> None:
    found = agreement({"r": {"wei": "include", "jo": "exclude"}}, ("include", "exclude"))
    assert found.observed == 0.0
    assert all(one.low is None for one in found.coefficients)


@pytest.mark.parametrize("categories", [("include",), ("include", "include")])
def test_fewer_than_two_categories_are_refused(categories: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="categories-few"):
        agreement({"r": {"wei": "include"}}, categories)


def test_an_unknown_decision_is_refused() -> None:
    with pytest.raises(InputError, match="category-unknown"):
        agreement({"r": {"wei": "perhaps"}}, ("include", "exclude"))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.integers(-1, 2)] * 3), max_size=25))
def test_any_decisions_give_values_within_bounds_or_a_reason(rows: list[tuple[int, ...]]) -> None:
    found = agreement_of(np.array(rows, dtype=np.int64).reshape(-1, 3), ("a", "b", "c"), 3)
    for each in (found, *found.pairs):
        for one in each.coefficients:
            if one.value is None:
                assert one.messages
                continue
            assert -1 - SAME_FORMULA <= one.value <= 1 + SAME_FORMULA or one.name == "kappa"
            if one.low is not None and one.high is not None:
                assert -1 <= one.low <= one.high <= 1
            else:
                assert one.messages


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[st.integers(-1, 2)] * 3), min_size=2, max_size=15), st.randoms())
def test_the_order_of_records_and_reviewers_does_not_matter(rows: list[tuple[int, ...]], stream: object) -> None:
    codes = np.array(rows, dtype=np.int64)
    one = agreement_of(codes, ("a", "b", "c"), 3)
    other = agreement_of(codes[::-1][:, [2, 0, 1]], ("c", "a", "b"), 3)
    for first, second in zip(one.coefficients, other.coefficients, strict=True):
        assert first.value == (None if second.value is None else pytest.approx(second.value, abs=1e-9))
