# SPDX-License-Identifier: Apache-2.0
"""Shares on their scales and back: closed forms, the way back of each study's own value, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.pooling.single_arm import FreemanTukeySize, Scale, back, freeman_tukey_size, scaled

LAST_DIGITS = 1e-12
ROOT = 3e-8  # a root loses half the digits where what is under it is 0
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
@settings(deadline=None, max_examples=80)
def test_every_share_comes_back(pair: tuple[int, int]) -> None:
    k, n = pair
    edge = k in (0, n)
    for scale in Scale:
        found = scaled([k], [n], scale)
        share = float(back(found.y, scale, n=n)[0])
        wanted = (k + 0.5) / (n + 1) if edge and scale in (Scale.LOGIT, Scale.LOG) else k / n
        assert share == pytest.approx(wanted, abs=ROOT), scale
        assert bool(found.corrected[0]) == (edge and scale in (Scale.LOGIT, Scale.LOG))
        assert found.v[0] > 0


@given(counts)
@settings(deadline=None, max_examples=50)
def test_a_share_and_its_complement_are_mirror_images(pair: tuple[int, int]) -> None:
    k, n = pair
    logit, other = scaled([k], [n]), scaled([n - k], [n])
    assert (logit.y[0], logit.v[0]) == (pytest.approx(-other.y[0]), pytest.approx(other.v[0]))
    for scale in (Scale.ARCSINE, Scale.FREEMAN_TUKEY):
        y, mirrored = scaled([k], [n], scale).y[0], scaled([n - k], [n], scale).y[0]
        assert y + mirrored == pytest.approx(np.pi / 2, rel=1e-9)
        assert back([y], scale, n=n) + back([mirrored], scale, n=n) == pytest.approx([1.0], abs=2 * ROOT)


def test_variances_are_the_large_sample_ones() -> None:
    # Oracle: the delta method, by numerical derivatives of each scale at the share.
    k, n, h = 30.0, 80.0, 1e-6
    p = k / n
    for scale, change in (
        (Scale.LOGIT, lambda q: np.log(q / (1 - q))),
        (Scale.LOG, np.log),
        (Scale.ARCSINE, lambda q: np.arcsin(np.sqrt(q))),
    ):
        slope = (change(p + h) - change(p - h)) / (2 * h)
        assert scaled([k], [n], scale).v[0] == pytest.approx(slope**2 * p * (1 - p) / n, rel=1e-8)


def test_the_way_back_grows_and_depends_on_the_size() -> None:
    # The pitfall: one pooled value is a different share for every size that is put in.
    values = np.linspace(0.05, 1.5, 400)
    for n in (5.0, 50.0, 5000.0):
        assert np.all(np.diff(back(values, Scale.FREEMAN_TUKEY, n=n)) >= 0)
    ways = [
        float(back([0.3], Scale.FREEMAN_TUKEY, n=freeman_tukey_size([2, 1000], size, variance=0.01))[0])
        for size in FreemanTukeySize
    ]
    assert max(ways) - min(ways) > 0.05
    assert back([0.0, 0.01, 1.57], Scale.FREEMAN_TUKEY, n=10) == pytest.approx([0, 0, 1])
    assert back([0.3], Scale.FREEMAN_TUKEY, n=np.inf) == pytest.approx(np.sin(0.3) ** 2, rel=LAST_DIGITS)
    assert back([0.3], Scale.FREEMAN_TUKEY, n=1e9) == pytest.approx(np.sin(0.3) ** 2, rel=1e-6)


def test_sizes_are_their_means() -> None:
    n = [10, 40]
    assert freeman_tukey_size(n) == pytest.approx(16)
    assert freeman_tukey_size(n, "geometric") == pytest.approx(20)
    assert freeman_tukey_size(n, "arithmetic") == 25
    # One study's own variance stands for its own size.
    assert freeman_tukey_size(n, "inverse-variance", variance=1 / (4 * 40 + 2)) == pytest.approx(40)


@pytest.mark.parametrize(
    ("k", "n", "told"),
    [
        ([21], [20], "as many as patients"),
        ([-1], [20], "no events"),
        ([0], [0], "has patients"),
        ([0.6], [20], "not shares"),
        ([np.nan], [20], "not finite"),
        ([1, 2], [20], "2 counts"),
    ],
)
def test_counts_that_cannot_be_are_refused(k: list[float], n: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        scaled(k, n)
