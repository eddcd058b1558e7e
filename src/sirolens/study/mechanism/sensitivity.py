# SPDX-License-Identifier: Apache-2.0
"""Which uncertain inputs decide the outcome: Sobol indices and partial rank correlations, with intervals.

Sobol indices (SALib, Saltelli's design with Jansen-type estimators) split the variance of an outcome among
independent inputs; partial rank correlations tell direction. Both are computed for each structure of the model, and
told as a range over structures. The inputs are the sampled ones of the register, each moved over the population that
the calibration kept, or over the register's own.

Sources: Saltelli 2010, doi:10.1016/j.cpc.2009.09.018; Marino 2008, doi:10.1016/j.jtbi.2008.04.011.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.errors import InputError
from sirolens.message import error

__all__ = ["Influence", "Partial", "Sobol", "partial_rank_correlations", "sobol_design", "sobol_indices"]

Array: TypeAlias = NDArray[np.float64]

Z95 = 1.959963984540054
BOOTSTRAPS = 200


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Partial rank correlation of one input with an outcome.

    Parameters
    ----------
    name : str
        The input.
    value : float
        Between -1 and 1; nan where input or outcome does not vary.
    low, high : float
        95 % interval by Fisher's transformation.
    """

    name: str
    value: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sobol:
    """Sobol indices of one input.

    Parameters
    ----------
    name : str
        The input.
    first, first_half : float
        Share of the variance that the input explains alone, and half the width of its 95 % interval.
    total, total_half : float
        With all its interactions.
    """

    name: str
    first: float
    first_half: float
    total: float
    total_half: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What decides one outcome under one structure.

    Parameters
    ----------
    structure, outcome : str
        Variant of the model; ``log-count``, ``complete`` or ``overall``.
    partial : tuple of Partial
        Directions.
    sobol : tuple of Sobol
        Shares; empty where they were not asked for.
    patients : int
        How many stand behind the partial correlations.
    failed : int
        Patients left out because their equations could not be integrated.
    """

    structure: str
    outcome: str
    partial: tuple[Partial, ...]
    sobol: tuple[Sobol, ...]
    patients: int
    failed: int


def partial_rank_correlations(inputs: ArrayLike, outcome: ArrayLike, names: Sequence[str]) -> tuple[Partial, ...]:
    """Compute the partial rank correlation of each input with an outcome, all other inputs held.

    ::

        PRCC_j = correlation of (rank x_j, rank y), each less its linear regression on the ranks of all other inputs

    Parameters
    ----------
    inputs : array_like (N, K)
        Values of the inputs.
    outcome : array_like (N,)
        Numbers, or 0 and 1.
    names : sequence of str
        The K inputs.

    Returns
    -------
    tuple of Partial
        With Fisher's interval on N - K - 2 degrees of freedom.

    Raises
    ------
    InputError
        ``calibration.too-few-patients`` with fewer than K + 4 patients.

    Examples
    --------
    >>> from sirolens.engine.sampling import latin_hypercube, stream
    >>> x = latin_hypercube(stream(1, "example"), 400, 2)
    >>> found = partial_rank_correlations(x, np.exp(3 * x[:, 0]) + 0.1 * x[:, 1], ("a", "b"))
    >>> found[0].value > 0.99, found[1].value > 0.1
    (True, True)
    """
    from scipy.stats import rankdata

    x, y = np.asarray(inputs, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    n, k = x.shape
    if n < k + 4:
        raise InputError(error("calibration.too-few-patients", patients=n, least=k + 4))
    columns = np.column_stack([x, y])
    ranks = np.apply_along_axis(rankdata, 0, columns)
    varies = np.ptp(ranks, axis=0) > 0.0
    out = [Partial(name=name, value=np.nan, low=np.nan, high=np.nan) for name in names]
    used = np.flatnonzero(varies[:k])
    if not varies[k] or not used.size:
        return tuple(out)
    centred = ranks - ranks.mean(axis=0)
    for place, j in enumerate(used):
        others = centred[:, np.delete(used, place)]
        a, b = (_residual(others, centred[:, column]) for column in (j, k))
        scale = np.sqrt((a @ a) * (b @ b))
        # What the others explain wholly leaves rounding errors, no correlation.
        if scale <= np.finfo(float).eps * n * n * n:
            continue
        value = float(np.clip(a @ b / scale, -1.0, 1.0))
        low, high = _fisher(value, n - (used.size - 1))
        out[j] = Partial(name=names[int(j)], value=value, low=low, high=high)
    return tuple(out)


def _residual(others: Array, ranks: Array) -> Array:
    """What is left of ranks after a linear regression on the ranks of the others."""
    if not others.shape[1]:
        return ranks
    return np.asarray(ranks - others @ np.linalg.lstsq(others, ranks, rcond=None)[0])


def _fisher(value: float, n: int) -> tuple[float, float]:
    if abs(value) >= 1.0:
        return value, value
    middle, half = np.arctanh(value), Z95 / np.sqrt(n - 3)
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def sobol_design(inputs: int, base: int, seed: int) -> Array:
    """Return the points of Saltelli's design in the unit cube, ((inputs + 2) base, inputs).

    Parameters
    ----------
    inputs : int
        K.
    base : int
        A power of two.
    seed : int
        Of the scrambling.

    Examples
    --------
    >>> sobol_design(3, 8, seed=1).shape
    (40, 3)
    """
    from SALib.sample import sobol as design

    found: Array = design.sample(_problem(inputs), base, calc_second_order=False, seed=seed)
    # A quantile of exactly 0 or 1 has no value.
    return np.clip(found, 1e-9, 1.0 - 1e-9)


def _problem(inputs: int) -> dict[str, object]:
    return {"num_vars": inputs, "names": [str(i) for i in range(inputs)], "bounds": [[0.0, 1.0]] * inputs}


def sobol_indices(outcome: ArrayLike, names: Sequence[str], seed: int) -> tuple[Sobol, ...]:
    """Estimate first-order and total Sobol indices from the outcomes of a design.

    Parameters
    ----------
    outcome : array_like ((K + 2) base,)
        In the order of `sobol_design`. A patient that failed takes the mean, which biases towards no influence: count
        and tell them.
    names : sequence of str
        The K inputs.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> x = sobol_design(2, 256, seed=1)
    >>> found = sobol_indices(x[:, 0] + 0.1 * x[:, 1], ("a", "b"), seed=1)
    >>> found[0].total > 0.95, found[1].total < 0.05
    (True, True)
    """
    from SALib.analyze import sobol as analysis

    y = np.asarray(outcome, dtype=np.float64)
    if np.ptp(y) == 0.0:
        return tuple(Sobol(name=name, first=0.0, first_half=0.0, total=0.0, total_half=0.0) for name in names)
    found = analysis.analyze(
        _problem(len(names)), y, calc_second_order=False, num_resamples=BOOTSTRAPS, conf_level=0.95, seed=seed
    )
    return tuple(
        Sobol(
            name=name,
            first=float(found["S1"][j]),
            first_half=float(found["S1_conf"][j]),
            total=float(found["ST"][j]),
            total_half=float(found["ST_conf"][j]),
        )
        for j, name in enumerate(names)
    )


def quantile_of(kind: str, value: float, spread: float, low: float, high: float, p: ArrayLike) -> Array:
    """Return quantiles of a law of the register, cut to its range.

    Parameters
    ----------
    kind : str
        ``lognormal``, ``logitnormal`` or ``beta``.
    value, spread : float
        Median and sd on the law's scale; mean and total of a beta.
    low, high : float
        The range.
    p : array_like (n,)
        Between 0 and 1.

    Examples
    --------
    >>> quantile_of("lognormal", 2.0, 0.5, 0.1, 40.0, [0.5]).round(3).tolist()
    [2.0]
    """
    from scipy.special import betainc, betaincinv, expit, logit, ndtr, ndtri

    at = np.asarray(p, dtype=np.float64)
    if kind == "beta":
        a, b = value * spread, (1.0 - value) * spread
        first, last = betainc(a, b, low), betainc(a, b, high)
        return np.asarray(betaincinv(a, b, first + at * (last - first)))
    forward: Callable[[float], float] = np.log if kind == "lognormal" else logit
    first, last = (ndtr((forward(end) - forward(value)) / spread) for end in (low, high))
    scaled = forward(value) + spread * ndtri(first + at * (last - first))
    return np.asarray(np.exp(scaled) if kind == "lognormal" else expit(scaled))
