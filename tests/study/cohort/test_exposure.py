# SPDX-License-Identifier: Apache-2.0
"""Time in range and exposure before a landmark; oracle: the same lines walked in small steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.study.cohort.exposure import PatientExposure, TimeShares, mean_before, time_shares

STEPS = 200_000
WALKED = 1e-3  # share of the days: the oracle's step
LEVELS = st.lists(st.tuples(st.floats(0.5, 40), st.floats(0, 30)), min_size=2, max_size=7)


def _walked(day: list[float], level: list[float], low: float, high: float) -> tuple[float, float, float]:
    at = np.linspace(day[0], day[-1], STEPS)
    line = np.interp(at, day, level)
    span = day[-1] - day[0]
    return (
        float((line < low).mean() * span),
        float(((line >= low) & (line <= high)).mean() * span),
        float((line > high).mean() * span),
    )


@settings(deadline=None, max_examples=60)
@given(steps=LEVELS)
def test_time_in_range_is_the_time_the_lines_spend_there(steps: list[tuple[float, float]]) -> None:
    day = list(np.cumsum([gap for gap, _ in steps]))
    level = [value for _, value in steps]
    found = time_shares(day, level, low_ng_ml=5.0, high_ng_ml=15.0, gap_d=1000.0)
    expected = _walked(day, level, 5.0, 15.0)
    span = day[-1] - day[0]
    assert (found.below_d, found.in_d, found.above_d) == pytest.approx(expected, abs=WALKED * span + 1e-9)
    assert found.days == pytest.approx(span, rel=1e-12)


def test_levels_too_far_apart_are_not_joined() -> None:
    found = time_shares([0, 10, 200, 210], [10.0, 10.0, 10.0, 20.0], low_ng_ml=5.0, high_ng_ml=15.0, gap_d=56)
    assert (found.below_d, found.in_d, found.above_d) == (0.0, 15.0, 5.0)


def test_a_level_on_the_limit_lies_in_the_range() -> None:
    found = time_shares([0, 10], [5.0, 5.0], low_ng_ml=5.0, high_ng_ml=15.0, gap_d=56)
    assert (found.below_d, found.in_d, found.above_d) == (0.0, 10.0, 0.0)


@settings(deadline=None)
@given(later=st.lists(st.tuples(st.floats(91, 400), st.floats(0, 60)), max_size=6))
def test_what_was_drawn_from_the_landmark_on_changes_no_exposure_before_it(later: list[tuple[float, float]]) -> None:
    day, level = (5.0, 40.0, *(d for d, _ in later)), (4.0, 8.0, *(v for _, v in later))
    nothing = TimeShares(below_d=0, in_d=0, above_d=0)
    one = PatientExposure(patient="p", day=day, level_ng_ml=level, limited=(False,) * len(day), time=nothing)
    assert mean_before(one, 91) == 6.0
    assert math.isnan(mean_before(one, 5.0))
