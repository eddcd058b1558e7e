# SPDX-License-Identifier: Apache-2.0
"""Random numbers that anybody can draw again, and what is read off weighted draws.

A stream is named: the seed and the names alone decide its numbers, so that one part of a calculation can draw more or
fewer without moving another. Numbers are made from a generator's raw bits by kernels of our own, because array
functions of exp and log differ between processors in the last digit.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.dense import cholesky
from sirolens.engine.kernel import kernel
from sirolens.engine.sobol import BITS, DIMENSIONS, points

__all__ = [
    "correlated",
    "effective_draws",
    "latin_hypercube",
    "lognormal",
    "lower_factor",
    "normal",
    "normal_quantile",
    "sobol",
    "sobol_normal",
    "stream",
    "uniform",
    "weighted_mean",
    "weighted_probability",
    "weighted_quantile",
]

Array = NDArray[np.float64]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the random stream of a seed and names.

    Parameters
    ----------
    seed : int
        Not negative.
    *names : str or int
        What the stream is for; different names give independent streams.

    Returns
    -------
    numpy.random.Generator
        Its bits (``bit_generator.random_raw``) are the same on every platform and in every NumPy version; `uniform`
        and `normal` turn them into numbers that are the same too.

    Examples
    --------
    >>> stream(7, "posterior", 3).bit_generator.random_raw() == stream(7, "posterior", 3).bit_generator.random_raw()
    True
    >>> stream(7, "posterior", 3).bit_generator.random_raw() == stream(7, "posterior", 4).bit_generator.random_raw()
    False
    """
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, len(digest), 4)]
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([seed, *words])))


def uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return uniform numbers strictly between 0 and 1, from the raw bits of a stream."""
    raw = generator.bit_generator.random_raw(int(np.prod(shape)))
    unit: Array = ((np.asarray(raw, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return unit.reshape(shape)


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal numbers, from the raw bits of a stream."""
    return normal_quantile(uniform(generator, shape))


def normal_quantile(probability: ArrayLike) -> Array:
    """Return the standard normal quantiles of probabilities (Wichura's PPND16, about 1e-16 relative).

    Source: Wichura, Algorithm AS 241, Appl Stat 1988;37:477-84, doi:10.2307/2347330.

    >>> normal_quantile([0.5, 0.975]).round(6).tolist()
    [0.0, 1.959964]
    """
    p = np.ascontiguousarray(probability, dtype=np.float64)
    out = np.empty(p.size)
    _normal_quantiles(p.ravel(), out)
    return out.reshape(p.shape)


def sobol(count: int, dimensions: int, seed: int, *names: str | int) -> Array:
    """Return scrambled Sobol points strictly inside the unit cube.

    Beyond the dimensions of the table the columns are plain uniform numbers.

    Parameters
    ----------
    count, dimensions : int
        How many points in how many dimensions.
    seed, *names
        Name the scrambling, as in `stream`.

    Returns
    -------
    float64 array (count, dimensions)

    Examples
    --------
    >>> bool(abs(sobol(1024, 3, 1, "example").mean() - 0.5) < 1e-3)
    True
    """
    even = min(dimensions, DIMENSIONS)
    unit = np.empty((count, dimensions))
    if even:
        raw = np.asarray(stream(seed, *names, "scramble").bit_generator.random_raw(even * (BITS + 1)))
        unit[:, :even] = points(count, even, (raw >> np.uint64(32)).astype(np.uint32).reshape(even, BITS + 1))
    if dimensions > even:
        unit[:, even:] = uniform(stream(seed, *names, "plain"), (count, dimensions - even))
    return unit


def sobol_normal(count: int, dimensions: int, seed: int, *names: str | int) -> Array:
    """Return quasi-random standard normal vectors: `sobol` points through the normal quantile.

    >>> sobol_normal(4096, 2, 1, "example").std(axis=0).round(2).tolist()
    [1.0, 1.0]
    """
    return normal_quantile(sobol(count, dimensions, seed, *names))


def latin_hypercube(generator: np.random.Generator, count: int, dimensions: int) -> Array:
    """Return a Latin hypercube: each of `count` equal slices of each dimension holds one point.

    Parameters
    ----------
    generator : numpy.random.Generator
        A stream.
    count, dimensions : int
        How many points in how many dimensions.

    Returns
    -------
    float64 array (count, dimensions)
        Strictly inside the unit cube.

    Examples
    --------
    >>> sorted((latin_hypercube(stream(1), 4, 1)[:, 0] * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    slices = np.argsort(uniform(generator, (count, dimensions)), axis=0, kind="stable")
    return (slices + uniform(generator, (count, dimensions))) / count


def lower_factor(covariance: ArrayLike) -> Array:
    """Return the lower Cholesky factor of a covariance matrix.

    Raises
    ------
    ValueError
        The matrix is not symmetric and positive definite.

    Examples
    --------
    >>> lower_factor([[4.0, 2.0], [2.0, 5.0]]).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    matrix = np.ascontiguousarray(covariance, dtype=np.float64)
    factor = np.zeros_like(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise ValueError("a covariance matrix is square and symmetric")
    if not cholesky(matrix, factor):
        raise ValueError("the covariance matrix is not positive definite")
    return factor


def correlated(covariance: ArrayLike, normals: Array) -> Array:
    """Return L z for each row z of independent normals, L the Cholesky factor of the covariance.

    Parameters
    ----------
    covariance : (d, d)
        Positive definite.
    normals : float64 array (n, d)
        Independent standard normals.

    Returns
    -------
    float64 array (n, d)

    Examples
    --------
    >>> correlated([[4.0]], np.array([[0.5]])).tolist()
    [[1.0]]
    """
    out = np.empty_like(normals, dtype=np.float64)
    _correlate(lower_factor(covariance), np.ascontiguousarray(normals, dtype=np.float64), out)
    return out


def lognormal(median: ArrayLike, covariance: ArrayLike, normals: Array) -> Array:
    """Return correlated log-normal vectors, median * exp(L z).

    Parameters
    ----------
    median : (d,)
        Medians.
    covariance : (d, d)
        Of the logarithms.
    normals : float64 array (n, d)
        Independent standard normals.

    Returns
    -------
    float64 array (n, d)

    Examples
    --------
    >>> lognormal([5.63], [[0.0353]], np.zeros((1, 1))).tolist()
    [[5.63]]
    """
    out = correlated(covariance, normals)
    _scaled_exponentials(np.ascontiguousarray(median, dtype=np.float64), out)
    return out


def weighted_quantile(values: ArrayLike, weights: ArrayLike, probabilities: ArrayLike) -> Array:
    """Return quantiles of weighted draws.

    Each draw stands at the middle of its own weight, and quantiles between two draws are interpolated: with equal
    weights these are Hazen's quantiles.

    Parameters
    ----------
    values : (n,) or (n, m)
        The draws; each column is a quantity of its own.
    weights : (n,)
        Not negative; any sum.
    probabilities : (k,)
        Between 0 and 1.

    Returns
    -------
    float64 array (k,) or (k, m)

    Examples
    --------
    >>> weighted_quantile([1.0, 2.0, 3.0], [1.0, 1.0, 2.0], [0.5]).round(4).tolist()
    [2.3333]
    """
    draws = np.asarray(values, dtype=np.float64)
    columns = np.ascontiguousarray(draws.reshape(draws.shape[0], -1).T)
    at = np.atleast_1d(np.ascontiguousarray(probabilities, dtype=np.float64))
    out = np.empty((columns.shape[0], at.size))
    _weighted_quantiles(columns, np.ascontiguousarray(weights, dtype=np.float64), at, out)
    return out.T.reshape((at.size, *draws.shape[1:]))


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> Array:
    """Return the mean of weighted draws along the first axis.

    >>> float(weighted_mean([1.0, 3.0], [3.0, 1.0]))
    1.5
    """
    draws = np.asarray(values, dtype=np.float64)
    share = np.asarray(weights, dtype=np.float64)
    total = share.reshape((-1,) + (1,) * (draws.ndim - 1)) * draws
    return np.asarray(total.sum(axis=0) / share.sum())


def weighted_probability(
    values: ArrayLike, weights: ArrayLike, low: float = -np.inf, high: float = np.inf
) -> NDArray[np.float64]:
    """Return the weight of the draws with low <= value <= high, along the first axis.

    >>> float(weighted_probability([4.0, 7.0, 20.0], [1.0, 2.0, 1.0], 5.0, 15.0))
    0.5
    """
    draws = np.asarray(values, dtype=np.float64)
    return weighted_mean((draws >= low) & (draws <= high), weights)


def effective_draws(weights: ArrayLike) -> float:
    """Return how many equally weighted draws would be as good, (sum w)^2 / sum w^2.

    >>> effective_draws([1.0, 1.0, 2.0])
    2.6666666666666665
    """
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w * w).sum())


@kernel
def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


@kernel
def _normal_quantile(p: float) -> float:
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(_A, r) / _polynomial(_B, r)
    r = np.sqrt(-np.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        x = _polynomial(_C, r - 1.6) / _polynomial(_D, r - 1.6)
    else:
        x = _polynomial(_E, r - 5.0) / _polynomial(_F, r - 5.0)
    return -x if q < 0.0 else x


@kernel
def _normal_quantiles(p: Array, out: Array) -> None:
    for i in range(p.size):
        out[i] = _normal_quantile(p[i])


@kernel
def _correlate(L: Array, z: Array, out: Array) -> None:
    for row in range(z.shape[0]):
        for i in range(L.shape[0]):
            value = 0.0
            for k in range(i + 1):
                value += L[i, k] * z[row, k]
            out[row, i] = value


@kernel
def _scaled_exponentials(median: Array, logs: Array) -> None:
    for row in range(logs.shape[0]):
        for i in range(logs.shape[1]):
            logs[row, i] = median[i] * np.exp(logs[row, i])


@kernel
def _weighted_quantiles(columns: Array, weights: Array, probabilities: Array, out: Array) -> None:
    n = weights.size
    total = weights.sum()
    middle = np.empty(n)
    for c in range(columns.shape[0]):
        order = np.argsort(columns[c])
        below = 0.0
        for i in range(n):
            w = weights[order[i]]
            middle[i] = (below + 0.5 * w) / total
            below += w
        for k in range(probabilities.size):
            j = np.searchsorted(middle, probabilities[k])
            if j == 0:
                out[c, k] = columns[c, order[0]]
            elif j == n:
                out[c, k] = columns[c, order[n - 1]]
            else:
                low, high = columns[c, order[j - 1]], columns[c, order[j]]
                gap = middle[j] - middle[j - 1]
                share = (probabilities[k] - middle[j - 1]) / gap if gap > 0.0 else 1.0
                out[c, k] = low + share * (high - low)


# Wichura's coefficients, highest power first: near the centre, in the tails, in the far tails.
_A = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_B = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_C = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_D = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_E = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_F = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)
