# SPDX-License-Identifier: Apache-2.0
"""Random numbers that anybody can draw again, and summaries of weighted draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.stats import chi2, kstest, qmc

from sirolens.engine.sampling import (
    correlated,
    effective_draws,
    latin_hypercube,
    lognormal,
    lower_factor,
    normal,
    normal_quantile,
    sobol,
    sobol_normal,
    stream,
    uniform,
    weighted_mean,
    weighted_probability,
    weighted_quantile,
)
from sirolens.engine.sobol import DIMENSIONS, points

LAST_DIGITS = 5e-15  # two different roundings of the same formula
ROUNDING = 1e-12
RECORDED_BITS = [7736164391579825696, 1125820988787509106, 778588186136426361]
RECORDED_NORMALS = [-0.8405216792527812, -1.0656544285460952, -0.021461444790183113]
RECORDED_POINTS = [
    [0.5350852838018909, 0.4456063910620287],
    [0.48344702005852014, 0.6144134175265208],
    [0.06517058971803635, 0.042074613156728446],
]
SIGNIFICANCE = 1e-4  # of a test of randomness with a fixed seed: it either holds or not, once


def test_a_stream_is_the_same_for_ever() -> None:
    # recorded once: raw bits of PCG64DXSM are guaranteed by NumPy, the names' hash and the normals are ours
    generator = stream(2026, "posterior", "cheng_2020", 1)
    assert [int(x) for x in generator.bit_generator.random_raw(3)] == RECORDED_BITS
    assert normal(stream(2026, "example"), (3,)).tolist() == RECORDED_NORMALS
    assert sobol(3, 2, 2026, "example").tolist() == RECORDED_POINTS


def test_streams_are_told_apart_by_seed_names_and_their_types() -> None:
    keys = [(1,), (2,), (1, "a"), (1, "b"), (1, "a", "b"), (1, "ab"), (1, "b", "a"), (1, 1), (1, "1")]
    first = [int(stream(*key).bit_generator.random_raw()) for key in keys]
    assert len(set(first)) == len(keys)


def test_streams_do_not_move_each_other() -> None:
    alone = uniform(stream(5, "b"), (4,))
    uniform(stream(5, "a"), (1000,))
    assert (uniform(stream(5, "b"), (4,)) == alone).all()


def test_uniform_and_normal_numbers_are_what_they_say() -> None:
    u = uniform(stream(1, "test"), (200_000,))
    assert 0.0 < u.min() < 1e-4
    assert 1.0 - 1e-4 < u.max() < 1.0
    assert kstest(u, "uniform").pvalue > SIGNIFICANCE
    assert kstest(normal(stream(1, "test", "normal"), (200_000,)), "norm").pvalue > SIGNIFICANCE


def test_normal_quantiles_agree_with_scipy_far_into_both_tails() -> None:
    p = np.concatenate([np.logspace(-300, -1, 3000), np.linspace(0.01, 0.99, 5001), 1.0 - np.logspace(-15, -1, 500)])
    expected = special.ndtri(p)
    assert np.abs(normal_quantile(p) - expected).max() <= LAST_DIGITS * np.abs(expected).max()
    assert normal_quantile(np.full((2, 3), 0.5)).tolist() == [[0.0] * 3] * 2


def test_plain_sobol_points_are_scipys() -> None:
    expected = qmc.Sobol(DIMENSIONS, scramble=False, bits=32).random(512)
    assert np.abs(points(512, DIMENSIONS) - expected).max() <= 2.0**-32  # ours stand in the middle of their cells


def test_scrambled_sobol_points_stay_even() -> None:
    scrambled = sobol(1024, 5, 3, "test")
    for column in scrambled.T:  # one point in each of 1024 equal slices
        assert (np.bincount((column * 1024).astype(int), minlength=1024) == 1).all()
    plain = qmc.discrepancy(uniform(stream(3), (1024, 5)))
    assert qmc.discrepancy(scrambled) < plain / 20.0


def test_scrambling_leaves_each_point_uniform() -> None:
    first = np.array([sobol(1, 2, seed, "test")[0] for seed in range(2000)])
    assert kstest(first[:, 0], "uniform").pvalue > SIGNIFICANCE
    assert kstest(first[:, 1], "uniform").pvalue > SIGNIFICANCE


def test_dimensions_beyond_the_table_are_plain_uniform_numbers() -> None:
    wide = sobol(512, DIMENSIONS + 3, 1)
    assert (wide[:, :DIMENSIONS] == sobol(512, DIMENSIONS, 1)).all()
    assert kstest(wide[:, DIMENSIONS:].ravel(), "uniform").pvalue > SIGNIFICANCE
    assert sobol(4, 0, 1).shape == (4, 0)


@pytest.mark.parametrize(("count", "dimensions"), [(0, 1), (4, 0), (4, DIMENSIONS + 1)])
def test_impossible_sets_of_points_are_refused(count: int, dimensions: int) -> None:
    with pytest.raises(ValueError, match="points"):
        points(count, dimensions)


def test_quasi_random_averages_are_nearer_than_random_ones() -> None:
    # oracle: E exp(a z) = exp(a^2 / 2)
    exact = np.exp(0.125)
    quasi = [np.exp(0.5 * sobol_normal(4096, 1, seed)).mean() - exact for seed in range(20)]
    plain = [np.exp(0.5 * normal(stream(seed), (4096, 1))).mean() - exact for seed in range(20)]
    assert np.std(quasi) < np.std(plain) / 20.0


def test_latin_hypercube_puts_one_point_in_every_slice() -> None:
    cube = latin_hypercube(stream(4), 200, 3)
    for column in cube.T:
        assert sorted((column * 200).astype(int)) == list(range(200))
    assert abs(np.corrcoef(cube.T)[0, 1]) < 0.3


def test_correlated_lognormals_have_the_covariance_asked_for() -> None:
    omega = np.array([[0.105, 0.0665], [0.0665, 0.1823]])
    logs = np.log(lognormal([7.09, 496.0], omega, sobol_normal(2**14, 2, 1)))
    assert np.abs(logs.mean(axis=0) - np.log([7.09, 496.0])).max() < 1e-3
    assert np.abs(np.cov(logs.T) - omega).max() < 1e-3
    assert (correlated(np.eye(2), np.array([[1.0, -2.0]])) == [[1.0, -2.0]]).all()


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.2, 1.0]], [[0.0]], [[np.nan]], [1.0]])
def test_what_is_no_covariance_is_refused(matrix: list[object]) -> None:
    with pytest.raises(ValueError, match="covariance matrix"):
        lower_factor(np.array(matrix, dtype=float))


@given(st.integers(1, 6), st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_lower_factor_is_numpys(size: int, seed: int) -> None:
    a = normal(stream(seed), (size, size))
    covariance = a @ a.T + 1e-3 * np.eye(size)
    assert np.abs(lower_factor(covariance) - np.linalg.cholesky(covariance)).max() < 1e-9


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=50), st.lists(st.floats(0, 1), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_equal_weights_give_hazens_quantiles(values: list[float], probabilities: list[float]) -> None:
    expected = np.quantile(values, probabilities, method="hazen")
    assert np.abs(weighted_quantile(values, np.full(len(values), 0.3), probabilities) - expected).max() < 1e-9


@given(
    st.lists(
        st.tuples(st.integers(-1000, 1000), st.integers(1, 5)), min_size=2, max_size=30, unique_by=lambda draw: draw[0]
    ),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=100)
def test_quantiles_rise_stay_inside_and_ignore_scale_and_order(draws: list[tuple[int, int]], p: float) -> None:
    values, weights = np.array([v / 10 for v, _ in draws]), np.array([float(w) for _, w in draws])
    low, middle, high = weighted_quantile(values, weights, [p / 2, p, (1 + p) / 2])
    assert values.min() <= low <= middle <= high <= values.max()
    assert abs(weighted_quantile(values[::-1], 7.0 * weights[::-1], [p])[0] - middle) < ROUNDING * 100


def test_draws_without_weight_do_not_count() -> None:
    values, weights = np.array([1.0, 2.0, 3.0, 1000.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert weighted_quantile(values, weights, [0.5]) == 2.0
    assert weighted_mean(values, weights) == 2.0
    assert weighted_probability(values, weights, high=2.5) == pytest.approx(2 / 3)


def test_summaries_work_on_columns() -> None:
    values = sobol_normal(4096, 3, 9)
    weights = np.ones(4096)
    assert weighted_quantile(values, weights, [0.05, 0.5, 0.95]).shape == (3, 3)
    assert np.abs(weighted_quantile(values, weights, [0.95])[0] - 1.6449).max() < 0.01
    assert np.abs(weighted_probability(values, weights, -1.0, 1.0) - chi2.cdf(1.0, 1)).max() < 0.005
    assert weighted_mean(values, weights).shape == (3,)


def test_effective_draws_count_what_equal_weights_would() -> None:
    assert effective_draws(np.ones(10)) == pytest.approx(10.0)
    assert effective_draws([1.0, 0.0, 0.0]) == 1.0
