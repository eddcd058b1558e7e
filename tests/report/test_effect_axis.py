# SPDX-License-Identifier: Apache-2.0
"""Axes of effects: ticks inside, apart and regular; estimates written as readers know them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.report.effect_axis import EffectScale, Ruler, natural, ticks, told_interval, told_value

LEAST_GAP = 30.0  # pixels between ticks, so that their numbers do not touch


@settings(deadline=None)
@given(
    scale=st.sampled_from([EffectScale.LOGIT, EffectScale.RATIO, EffectScale.DIFFERENCE]),
    low=st.floats(-5, 5),
    span=st.floats(0.2, 10),
    pixels=st.floats(180, 700),
)
def test_ticks_lie_on_the_axis_in_order_and_apart(scale: EffectScale, low: float, span: float, pixels: float) -> None:
    found = ticks(scale, low, low + span, pixels)
    assert found == sorted(set(found))
    assert all(low - 1e-6 <= one <= low + span + 1e-6 for one in found)
    if len(found) > 1 and not (scale is EffectScale.RATIO and span < 2.0):
        assert min(after - one for one, after in pairwise(found)) * pixels / span >= LEAST_GAP


@given(value=st.floats(0.001, 0.999), scale=st.sampled_from([EffectScale.LOGIT, EffectScale.SHARE]))
def test_a_share_comes_back_from_its_place(value: float, scale: EffectScale) -> None:
    assert natural(scale, scale.place(value)) == pytest.approx(value, rel=1e-12)


def test_a_ratio_and_its_inverse_are_as_far_from_one() -> None:
    assert EffectScale.RATIO.place(0.25) == -EffectScale.RATIO.place(4.0)


def test_shares_of_none_and_all_stand_beyond_every_axis_of_logits() -> None:
    assert EffectScale.LOGIT.place(0.0) == -math.inf
    assert EffectScale.LOGIT.place(1.0) == math.inf
    ruler = Ruler(low=-3.0, high=3.0, start=0.0, stop=60.0)
    assert (ruler.at(-math.inf), ruler.at(math.inf)) == (0.0, 60.0)


@pytest.mark.parametrize(
    ("scale", "numbers", "text"),
    [
        (EffectScale.SHARE, (0.6, 0.361, 0.809), "60\u00a0% (36–81)"),
        (EffectScale.SHARE, (0.0, 0.0, 0.308), "0\u00a0% (0–31)"),
        (EffectScale.SHARE, (0.995, 0.97, 1.0), "99.5\u00a0% (97–100)"),
        (EffectScale.SHARE, (0.6, math.nan, math.nan), "60\u00a0% (–)"),
        (EffectScale.SHARE, (math.nan, 0.12, 0.95), "12–95\u00a0%"),
        (EffectScale.RATIO, (1.234, 0.004, 123.4), "1.23 (0.004–123)"),
        (EffectScale.DIFFERENCE, (-1.0, -12.0, 10.0), "−1.0\u00a0(−12.0\u00a0to\u00a010.0)".replace("\u00a0(", " (")),
        (EffectScale.DIFFERENCE, (0.002, -0.001, 0.005), "0.0020 (−0.0010\u00a0to\u00a00.0050)"),
        (EffectScale.RATIO, (math.inf, 2.0, math.inf), "∞ (2.00–∞)"),
        (EffectScale.SHARE, (math.nan, math.nan, math.nan), "–"),
    ],
)
def test_an_estimate_is_written_as_readers_know_it(
    scale: EffectScale, numbers: tuple[float, float, float], text: str
) -> None:
    assert told_interval(scale, *numbers, "en") == text


def test_a_share_that_is_not_none_or_all_is_not_written_so() -> None:
    assert told_value(EffectScale.SHARE, 0.004) == "0.4"
    assert told_value(EffectScale.SHARE, 0.996) == "99.6"
    assert (told_value(EffectScale.SHARE, 0.00001), told_value(EffectScale.SHARE, 0.99999)) == ("<0.1", ">99.9")
    assert (told_value(EffectScale.SHARE, 0.0), told_value(EffectScale.SHARE, 1.0)) == ("0", "100")
