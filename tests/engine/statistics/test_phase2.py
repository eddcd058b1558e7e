# SPDX-License-Identifier: Apache-2.0
"""Two-stage trials: published designs, brute-force search, enumeration of every course of a trial."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom

from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.phase2 import (
    TwoStageDesign,
    TwoStageResult,
    after_two_stages,
    design_properties,
    predictive_probability,
    sample_size_precision,
    sample_size_single_stage,
    simon_two_stage,
)
from sirolens.engine.statistics.proportion import clopper_pearson

ROUNDING = 1e-9
RATES = np.linspace(0.02, 0.98, 33)


def _numbers(design: TwoStageDesign | None) -> tuple[int, int, int, int]:
    assert design is not None
    return design.r1, design.n1, design.r, design.n


@pytest.mark.parametrize(
    ("p0", "p1", "optimal", "expected", "minimax"),
    [
        (0.05, 0.25, (0, 9, 2, 17), 11.96, (0, 12, 2, 16)),
        (0.10, 0.30, (1, 10, 5, 29), 15.01, (1, 15, 5, 25)),
        (0.20, 0.40, (3, 13, 12, 43), 20.58, (4, 18, 10, 33)),
        (0.30, 0.50, (5, 15, 18, 46), 23.63, (6, 19, 16, 39)),
    ],
)
def test_simons_designs_as_published(
    p0: float, p1: float, optimal: tuple[int, ...], expected: float, minimax: tuple[int, ...]
) -> None:
    """Anchors: enumerated designs that agree with Simon's tables, alpha 0.05, beta 0.20."""
    found = simon_two_stage(p0, p1)
    assert _numbers(found.optimal) == optimal
    assert _numbers(found.minimax) == minimax
    assert found.optimal is not None
    assert round(found.optimal.expected_n, 2) == expected
    if p0 == 0.30:
        assert found.minimax is not None
        assert round(found.minimax.expected_n, 2) == 25.69


@cache
def _binomial(n: int, p: float) -> list[float]:
    return [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]


def _chance(r1: int, n1: int, r: int, n: int, p: float) -> float:
    """Oracle: every course of the trial, one by one."""
    return sum(
        _binomial(n1, p)[x] * _binomial(n - n1, p)[y]
        for x, y in itertools.product(range(n1 + 1), range(n - n1 + 1))
        if x > r1 and x + y > r
    )


@pytest.mark.parametrize(("p0", "p1", "alpha", "beta_"), [(0.05, 0.40, 0.1, 0.2), (0.2, 0.6, 0.1, 0.2)])
def test_the_search_misses_no_design(p0: float, p1: float, alpha: float, beta_: float) -> None:
    """Oracle: brute force over all four numbers."""
    largest = 12
    kept = []
    for n in range(2, largest + 1):
        for n1, r in itertools.product(range(1, n), range(n)):
            for r1 in range(min(n1, r + 1)):
                if _chance(r1, n1, r, n, p0) <= alpha and _chance(r1, n1, r, n, p1) >= 1 - beta_:
                    expected = n1 + (1 - binom.cdf(r1, n1, p0)) * (n - n1)
                    kept.append((expected, n, n1, r1, r))
    found = simon_two_stage(p0, p1, alpha, beta_, largest_n=largest)
    best, least = min(kept), min(kept, key=lambda d: (d[1], d[0]))
    assert found.optimal is not None
    assert found.minimax is not None
    assert found.optimal.expected_n == pytest.approx(best[0])
    assert (found.minimax.n, found.minimax.expected_n) == (least[1], pytest.approx(least[0]))


@given(st.integers(2, 12), st.data())
@settings(deadline=None, max_examples=40)
def test_properties_of_any_design_are_those_of_all_its_courses(n: int, data: st.DataObject) -> None:
    n1 = data.draw(st.integers(1, n - 1))
    r1 = data.draw(st.integers(0, n1 - 1))
    r = data.draw(st.integers(r1, n - 1))
    design = design_properties(r1, n1, r, n, 0.2, 0.5)
    assert design.alpha == pytest.approx(_chance(r1, n1, r, n, 0.2), abs=ROUNDING)
    assert design.power == pytest.approx(_chance(r1, n1, r, n, 0.5), abs=ROUNDING)
    assert design.stop_probability == pytest.approx(binom.cdf(r1, n1, 0.2))


def _outcomes(design: TwoStageDesign) -> list[tuple[int, int | None]]:
    n2 = design.n - design.n1
    stopped: list[tuple[int, int | None]] = [(x, None) for x in range(design.r1 + 1)]
    return stopped + [(x, y) for x in range(design.r1 + 1, design.n1 + 1) for y in range(n2 + 1)]


def _results(design: TwoStageDesign) -> list[tuple[int, int | None, TwoStageResult]]:
    """Every course with its result, which depends on the stage and the sum alone."""
    by_sum: dict[tuple[bool, int], TwoStageResult] = {}
    found = []
    for x, y in _outcomes(design):
        key = (y is None, x + (y or 0))
        if key not in by_sum:
            by_sum[key] = after_two_stages(design, x, y)
        found.append((x, y, by_sum[key]))
    return found


def _probability(design: TwoStageDesign, x: int, y: int | None, p: float) -> float:
    second = 1.0 if y is None else _binomial(design.n - design.n1, p)[y]
    return _binomial(design.n1, p)[x] * second


@pytest.mark.parametrize("design", [(0, 9, 2, 17), (1, 10, 5, 29), (3, 13, 12, 43), (2, 3, 3, 5)])
def test_the_unbiased_estimate_is_right_on_average_at_every_rate(design: tuple[int, int, int, int]) -> None:
    """Oracle: its expectation over every course of the trial is the rate; that of the naive one is below it."""
    plan = design_properties(*design, 0.2, 0.5)
    results = _results(plan)
    for p in RATES:
        weights = np.array([_probability(plan, x, y, p) for x, y, _ in results])
        assert weights.sum() == pytest.approx(1)
        assert weights @ [one.unbiased for _, _, one in results] == pytest.approx(p, abs=ROUNDING)
        assert weights @ [one.naive for _, _, one in results] <= p + ROUNDING


@pytest.mark.parametrize("design", [(0, 9, 2, 17), (1, 10, 5, 29)])
def test_p_value_and_interval_follow_the_order_of_the_estimate(design: tuple[int, int, int, int]) -> None:
    """Oracle: outcomes ranked by the estimate, added up; P values at most alpha as often as alpha, exact coverage."""
    plan = design_properties(*design, 0.1, 0.3)
    results = _results(plan)
    estimates = np.array([one.unbiased for _, _, one in results])
    at_null = np.array([_probability(plan, x, y, plan.p0) for x, y, _ in results])
    for _, _, one in results:
        assert one.p_value == pytest.approx(at_null[estimates >= one.unbiased - ROUNDING].sum(), abs=ROUNDING)
        assert one.unbiased in one.interval
    p_values = np.array([one.p_value for _, _, one in results])
    for alpha in (0.01, 0.05, 0.1, 0.3):
        assert at_null[p_values <= alpha].sum() <= alpha + ROUNDING
    for p in RATES:
        weights = np.array([_probability(plan, x, y, p) for x, y, _ in results])
        covered = weights[[p in one.interval for _, _, one in results]].sum()
        assert covered >= 0.95 - ROUNDING


def test_the_rule_and_the_p_value_agree() -> None:
    plan = design_properties(5, 15, 18, 46, 0.3, 0.5)
    for _, _, one in _results(plan):
        assert one.effect == (one.p_value <= plan.alpha + ROUNDING)


def test_only_the_sum_of_responses_matters() -> None:
    plan = design_properties(5, 15, 18, 46, 0.3, 0.5)
    assert after_two_stages(plan, 6, 14) == after_two_stages(plan, 10, 10)


def test_a_trial_that_stopped_before_anything_happened() -> None:
    plan = design_properties(5, 15, 18, 46, 0.3, 0.5)
    none, stopped = after_two_stages(plan, 0), after_two_stages(plan, 5)
    assert (none.unbiased, none.p_value, none.interval.low) == (0, pytest.approx(1), 0)
    assert stopped.stage == 1
    assert stopped.n == 15
    assert stopped.unbiased == pytest.approx(1 / 3)
    assert after_two_stages(plan, 15, 31).interval.high == 1


@pytest.mark.parametrize(("first", "second"), [(5, 3), (6, None), (16, None), (8, 32), (-1, None)])
def test_courses_that_the_design_forbids_are_programming_errors(first: int, second: int | None) -> None:
    with pytest.raises(ValueError, match=r"design|responses"):
        after_two_stages(design_properties(5, 15, 18, 46, 0.3, 0.5), first, second)


def test_a_design_out_of_reach_is_a_result_and_nonsense_an_error() -> None:
    assert simon_two_stage(0.3, 0.5, largest_n=20).reason is Undefined.NOT_REACHED
    for rates in ((0.5, 0.3), (0, 0.2), (0.2, 1)):
        with pytest.raises(ValueError, match="rates rise"):
            simon_two_stage(*rates)
    with pytest.raises(ValueError, match="error rates"):
        simon_two_stage(0.1, 0.3, 5, 20)
    with pytest.raises(ValueError, match="no design"):
        design_properties(3, 3, 4, 9, 0.1, 0.3)


@pytest.mark.parametrize(("p0", "p1"), [(0.05, 0.25), (0.1, 0.3), (0.3, 0.5), (0.4, 0.6)])
def test_the_single_stage_is_the_smallest_that_keeps_both_errors(p0: float, p1: float) -> None:
    """Oracle: brute force over n and r."""
    found = sample_size_single_stage(p0, p1)
    first = next(
        (n, r) for n in range(1, 200) for r in range(n) if binom.sf(r, n, p0) <= 0.05 and binom.sf(r, n, p1) >= 0.8
    )
    assert (found.n, found.r) == first


@pytest.mark.parametrize(("rate", "half"), [(0.6, 0.1), (0.6, 0.15), (0.3, 0.2), (0.0, 0.1), (1.0, 0.05)])
def test_precision_holds_from_the_size_given_on(rate: float, half: float) -> None:
    """Oracle: the exact interval of every number of patients from there to its double, and of one fewer."""
    n = sample_size_precision(rate, half)

    def width(patients: int) -> float:
        found = clopper_pearson(round(patients * rate), patients)
        return found.high - found.low

    assert width(n - 1) > 2 * half
    assert all(width(m) <= 2 * half for m in range(n, 2 * n))
    with pytest.raises(ValueError, match="no sample size"):
        sample_size_precision(rate, 60)


@given(st.integers(0, 20), st.data())
@settings(deadline=None, max_examples=40)
def test_prediction_averages_over_what_is_believed_of_the_rate(n: int, data: st.DataObject) -> None:
    """Oracle: the binomial probability of success integrated over the posterior."""
    k = data.draw(st.integers(0, n))
    final_n = data.draw(st.integers(n + 1, 40))
    r = data.draw(st.integers(0, final_n - 1))
    found = predictive_probability(k, n, final_n, r, 1, 1)
    expected, _ = quad(lambda p: binom.sf(r - k, final_n - n, p) * beta.pdf(p, 1 + k, 1 + n - k), 0, 1)
    assert found.success == pytest.approx(expected, abs=1e-6)


def test_prediction_is_certain_at_its_ends() -> None:
    assert predictive_probability(19, 30, 46, 18).success == 1
    assert predictive_probability(0, 40, 46, 18).success == 0
    assert predictive_probability(18, 46, 46, 18).success == 0
    with pytest.raises(ValueError, match="fit together"):
        predictive_probability(5, 4, 46, 18)


def test_a_prior_of_nothing_but_one_rate_predicts_the_binomial() -> None:
    found = predictive_probability(3, 15, 46, 18, 0.4e7, 0.6e7)
    assert found.success == pytest.approx(binom.sf(15, 31, 0.4), abs=1e-4)
    assert math.isclose(found.needed, 16)
