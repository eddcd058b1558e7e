# SPDX-License-Identifier: Apache-2.0
"""The functions of lanes: against extended precision, against NumPy at the edges, alike in vectors and numbers."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from sirolens.engine.simd import functions
from sirolens.engine.simd.functions import exp, log_size, signed, whole_sign
from sirolens.engine.simd.vector import LANES, get, put

VALUES = 40_000
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-310, 5e-324, 709.7, 710.0, -746.0, math.inf, -math.inf, math.nan)
# Errors in units of the last place: measured 1.5 (just below a power of two, elsewhere 0.96), 0.79, 1.8, 1.3.
ULPS = {"exp": 1.7, "log": 1.0, "log10": 2.0, "tanh": 2.0}
RANGES = {"exp": ((-708.0, 709.7), (-2.0, 2.0)), "tanh": ((-20.0, 20.0), (-1.0, 1.0), (-0.01, 0.01))}


@njit(nogil=True, error_model="numpy")
def _power(x: Any, y: Any) -> Any:
    return exp(y * log_size(x)) * signed(x, whole_sign(y))


@cache
def kernel(name: str) -> Any:
    """A function over the rows of a table, or over the entries of a plain array: the same text."""
    function = getattr(functions, name)

    @njit(nogil=True, error_model="numpy")
    def rows(x: Any, out: Any) -> None:
        for i in range(x.shape[0]):
            put(out, i, function(get(x, i)))

    return rows


@njit(nogil=True, error_model="numpy")
def power_rows(x: Any, y: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        put(out, i, _power(get(x, i), get(y, i)))


def both_ways(name: str, x: np.ndarray) -> np.ndarray:
    """In vectors and in numbers; the same bits."""
    alone, together = np.empty(x.size), np.empty((x.size // LANES, LANES))
    kernel(name)(x, alone)
    kernel(name)(x.reshape(-1, LANES), together)
    assert np.array_equal(alone, together.ravel(), equal_nan=True)
    return alone


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    spacing = np.spacing(np.abs(exact.astype(np.float64)))
    return float(np.max(np.abs(found - exact) / spacing))


@pytest.mark.parametrize("name", ["exp", "log", "log10", "tanh"])
def test_errors_against_extended_precision(name: str) -> None:
    assert np.finfo(np.longdouble).nmant >= 63, "the oracle needs extended precision"
    rng = np.random.default_rng(1)
    ranges = RANGES.get(name)
    samples = [rng.uniform(*ends, VALUES) for ends in ranges] if ranges else []
    if not ranges:
        samples = [np.exp(rng.uniform(-700.0, 700.0, VALUES)), rng.uniform(0.5, 2.0, VALUES)]
    for x in samples:
        exact = getattr(np, name)(x.astype(np.longdouble))
        assert ulps(both_ways(name, x), exact) < ULPS[name]


def test_error_of_powers_against_extended_precision() -> None:
    rng = np.random.default_rng(2)
    x, y = np.exp(rng.uniform(-3.0, 3.0, VALUES)), rng.uniform(-8.0, 8.0, VALUES)
    alone, together = np.empty(VALUES), np.empty((VALUES // LANES, LANES))
    power_rows(x, y, alone)
    power_rows(x.reshape(-1, LANES), y.reshape(-1, LANES), together)
    assert np.array_equal(alone, together.ravel())
    exact = x.astype(np.longdouble) ** y
    allowed = 1.5 * (1.0 + np.abs(y * np.log(x)))
    assert np.all(np.abs(alone - exact) / np.spacing(alone) < allowed)


@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
def test_edges_are_those_of_numpy(name: str) -> None:
    x = np.array([*EDGES, 2.0])
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    expected[np.abs(expected) < np.finfo(float).tiny] *= 1.0 if name == "tanh" else 0.0
    np.testing.assert_allclose(both_ways(name, x), expected, rtol=1e-15)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([0.0, 1.0, -1.0, 2.5, -2.5, 1e-3]), st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, 2.5]))
def test_powers_at_the_edges_are_those_of_numpy(x: float, y: float) -> None:
    out = np.empty(1)
    power_rows(np.array([x]), np.array([y]), out)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(out, np.power([x], [y]), rtol=1e-14)


COMPARISONS = {
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}


@njit(nogil=True, error_model="numpy")
def compared(x: Any, y: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        a, b = get(x, i), get(y, i)
        put(out, 11 * i, functions.less(a, b))
        put(out, 11 * i + 1, functions.less_equal(a, b))
        put(out, 11 * i + 2, functions.greater(a, b))
        put(out, 11 * i + 3, functions.greater_equal(a, b))
        put(out, 11 * i + 4, functions.equal(a, b))
        put(out, 11 * i + 5, functions.not_equal(a, b))
        put(out, 11 * i + 6, functions.both(a, b))
        put(out, 11 * i + 7, functions.either(a, b))
        put(out, 11 * i + 8, functions.smaller(a, b))
        put(out, 11 * i + 9, functions.larger(a, b))
        put(out, 11 * i + 10, functions.choose(functions.negation(a), b, a))


def test_truth_is_a_number_and_what_is_no_number_stays_so() -> None:
    some = np.array([0.0, 1.0, -2.0, math.inf, -math.inf, math.nan, 3.0, 0.0])
    x, y = (grid.ravel() for grid in np.meshgrid(some, some))
    alone = np.empty(11 * x.size)
    compared(x, y, alone)
    together = np.empty((11 * x.size // LANES, LANES))
    compared(x.reshape(-1, LANES), y.reshape(-1, LANES), together)
    found = alone.reshape(-1, 11).T
    assert np.array_equal(together.reshape(-1, 11, LANES).transpose(1, 0, 2).reshape(11, -1), found, equal_nan=True)
    missing = np.isnan(x) | np.isnan(y)
    expected = [np.where(missing, np.nan, compare(x, y)) for compare in COMPARISONS.values()]
    expected += [np.where(missing, np.nan, (x != 0) & (y != 0)), np.where(missing, np.nan, (x != 0) | (y != 0))]
    expected += [np.minimum(x, y), np.maximum(x, y), np.where(np.isnan(x), np.nan, np.where(x == 0, y, x))]
    for row, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert np.array_equal(one, other, equal_nan=True), row
