# SPDX-License-Identifier: Apache-2.0
"""Chances are right and behave as a clinician takes for granted. Oracle: counting over the draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.dosing.attainment import NODES, Chances, Draws, best_scale, chances, draws, next_best

LOW, HIGH = 5.0, 15.0
ADDITIVE, SHARE = 0.5, 0.2
EXACT = 1e-12  # sums of at most a few thousand weights in another order
# One grid step of the best dose: scaling both limits moves every grid point with them, but a draw that lies on an edge
# to the last bit may fall on the other side.
ONE_STEP = 0.02

POSTERIORS = st.builds(
    lambda seed, centre, spread, count: draws(
        np.exp(np.random.default_rng(seed).normal(centre, spread, count)),
        np.random.default_rng(seed + 1).gamma(1.0, 1.0, count),
    ),
    st.integers(0, 10_000),
    st.floats(-1.0, 3.0),
    st.floats(0.05, 0.8),
    st.integers(50, 800),
)


def one_row(piece: Draws, scale: float = 1.0, low: float = LOW, high: float = HIGH) -> Chances:
    return chances(
        ((piece,),),
        np.array([[scale]]),
        np.ones(1),
        low_ng_ml=low,
        high_ng_ml=high,
        additive_ng_ml=ADDITIVE,
        proportional=SHARE,
    )


@settings(deadline=None, max_examples=50)
@given(POSTERIORS, st.floats(0.2, 5.0))
def test_chances_equal_counting_the_draws(piece: Draws, scale: float) -> None:
    table = one_row(piece, scale)
    value = piece.value_ng_ml * scale
    assert table.low[0] == pytest.approx(piece.weight[value < LOW].sum(), abs=EXACT)
    assert table.high[0] == pytest.approx(piece.weight[value > HIGH].sum(), abs=EXACT)
    assert table.low[0] + table.within[0] + table.high[0] == pytest.approx(1.0, abs=EXACT)


@settings(deadline=None, max_examples=50)
@given(POSTERIORS, st.lists(st.floats(0.1, 8.0), min_size=2, max_size=12, unique=True))
def test_the_chance_above_never_falls_with_dose(piece: Draws, doses_mg: list[float]) -> None:
    ordered = sorted(doses_mg)
    table = chances(
        ((piece,),) * len(ordered),
        np.array(ordered)[:, None],
        np.ones(1),
        low_ng_ml=LOW,
        high_ng_ml=HIGH,
        additive_ng_ml=ADDITIVE,
        proportional=SHARE,
    )
    assert np.all(np.diff(table.high) >= -EXACT)
    assert np.all(np.diff(table.low) <= EXACT)


@settings(deadline=None, max_examples=50)
@given(st.lists(POSTERIORS, min_size=1, max_size=3), st.floats(0.3, 3.0))
def test_scaling_both_limits_scales_the_best_dose(pieces: list[Draws], k: float) -> None:
    weight = np.full(len(pieces), 1.0 / len(pieces))
    plain = best_scale(tuple(pieces), weight, low_ng_ml=LOW, high_ng_ml=HIGH)
    scaled = best_scale(tuple(pieces), weight, low_ng_ml=k * LOW, high_ng_ml=k * HIGH)
    assert scaled == pytest.approx(k * plain, rel=ONE_STEP)


@settings(deadline=None, max_examples=30)
@given(POSTERIORS)
def test_no_dose_is_much_better_than_the_best(piece: Draws) -> None:
    best = best_scale((piece,), np.ones(1), low_ng_ml=LOW, high_ng_ml=HIGH)
    reached = one_row(piece, best).within[0]
    tried = max(one_row(piece, best * factor).within[0] for factor in np.exp(np.linspace(-1.5, 1.5, 61)))
    # The middle of a plateau of half a point can lie in a dip between two tops of few draws.
    assert reached >= tried - 0.05


def test_the_best_dose_of_a_log_normal_trough_meets_the_middle_of_the_range() -> None:
    # Oracle: closed form; the range is symmetric on the log scale around its geometric middle.
    quantiles = (np.arange(4000) + 0.5) / 4000
    normal = np.array([math.sqrt(2) * _erfinv(2 * q - 1) for q in quantiles])
    piece = draws(3.0 * np.exp(0.4 * normal), np.ones(4000))
    best = best_scale((piece,), np.ones(1), low_ng_ml=LOW, high_ng_ml=HIGH)
    assert best == pytest.approx(math.sqrt(LOW * HIGH) / 3.0, rel=0.01)


def _erfinv(x: float) -> float:
    lo, hi = -6.0, 6.0
    for _ in range(80):
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if math.erf(mid) < x else (lo, mid)
    return lo


@settings(deadline=None, max_examples=30)
@given(POSTERIORS)
def test_the_next_level_follows_the_error_model(piece: Draws) -> None:
    # Oracle: the normal error integrated over every draw.
    sd = np.sqrt(ADDITIVE**2 + (SHARE * piece.value_ng_ml) ** 2)
    upper = np.array([math.erf(z) for z in (HIGH - piece.value_ng_ml) / sd / math.sqrt(2)])
    lower = np.array([math.erf(z) for z in (LOW - piece.value_ng_ml) / sd / math.sqrt(2)])
    exact = float((piece.weight * 0.5 * (upper - lower)).sum())
    assert one_row(piece).level_within[0] == pytest.approx(exact, abs=2 / NODES)


def test_the_average_is_the_weighted_mean_of_the_models_and_its_band_a_quantile_of_the_mixture() -> None:
    rng = np.random.default_rng(7)
    first, second = (draws(np.exp(rng.normal(mean, 0.3, 4000)), np.ones(4000)) for mean in (1.6, 2.4))
    weight = np.array([0.3, 0.7])
    table = chances(
        ((first, second),),
        np.ones((1, 2)),
        weight,
        low_ng_ml=LOW,
        high_ng_ml=HIGH,
        additive_ng_ml=ADDITIVE,
        proportional=SHARE,
    )
    assert table.within[0] == pytest.approx(float(weight @ table.within_by_model[0]), abs=EXACT)
    both = np.concatenate([first.value_ng_ml, second.value_ng_ml])
    shares = np.concatenate([0.3 * first.weight, 0.7 * second.weight])
    order = np.argsort(both)
    running = np.cumsum(shares[order])
    for column, share in enumerate((0.05, 0.5, 0.95)):
        oracle = both[order][np.searchsorted(running, share)]
        assert table.band_ng_ml[0, column] == pytest.approx(oracle, rel=1e-3)


def test_a_hypothetical_level_shifts_the_chances_as_bayes_says() -> None:
    # Oracle: weights written out for two draws.
    piece = draws(np.array([4.0, 12.0]), np.ones(2))
    level = np.array([12.0])
    found = next_best(
        (piece,),
        ((piece,),),
        np.ones(1),
        np.ones((1, 1)),
        np.ones(1),
        level,
        low_ng_ml=LOW,
        high_ng_ml=HIGH,
        additive_ng_ml=ADDITIVE,
        proportional=SHARE,
    )
    density = [
        math.exp(-((12.0 - c) ** 2) / 2 / (ADDITIVE**2 + (SHARE * c) ** 2)) / math.sqrt(ADDITIVE**2 + (SHARE * c) ** 2)
        for c in (4.0, 12.0)
    ]
    assert found[0, 0] == pytest.approx(density[1] / sum(density))


def test_a_median_between_two_camps_of_models_takes_the_same_side_at_every_dose() -> None:
    # Half the weight on each side of a gap: which side rounding would take differs from dose to dose.
    random = np.random.default_rng(3)
    weights = (0.25, 0.25, 0.5)
    camps = [draws(np.exp(random.normal(c, 0.1, 300)), random.gamma(1.0, 1.0, 300)) for c in (1.6, 1.2, -2.6)]
    doses_mg = np.arange(1.0, 7.0, 0.1)
    table = chances(
        (tuple(camps),) * doses_mg.size,
        np.repeat(doses_mg[:, None], 3, axis=1),
        np.array(weights),
        low_ng_ml=LOW,
        high_ng_ml=HIGH,
        additive_ng_ml=ADDITIVE,
        proportional=SHARE,
    )
    top_of_the_low_camp = camps[2].ordered_ng_ml[-1]
    np.testing.assert_allclose(table.band_ng_ml[:, 1], doses_mg * top_of_the_low_camp, rtol=1e-9)  # bisection
