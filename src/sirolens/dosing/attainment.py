# SPDX-License-Identifier: Apache-2.0
"""Chances of a range from weighted draws of several models: probabilities, bands, the best dose, what a level changes.

Draws of one model and regimen are kept once, sorted, with their running weight (`Draws`); a regimen of the same shape
and another dose is the same draws scaled, where the model is proportional. All averages over models are mixtures:
P(x) = sum_m w_m P_m(x).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, sqrt
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel

__all__ = ["Chances", "Draws", "best_scale", "chances", "draws", "next_best"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NODES = 256
"""Equal shares at which a model's trough is read for the chance of the next level: error below 1/256."""
GRID = 401
"""Doses tried for the best one: 2 % apart over a factor of 55 either way of the middle."""
GRID_LOG = 4.0
PLATEAU = 0.005
"""Doses whose chance is within half a point of the best are one plateau; its middle is the best dose."""
BISECTIONS = 60
TIE = 1e-12
"""Rounding of summed weights: where half the weight lies on either side of a gap, the lower side counts at any dose."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Weighted draws of one model's trough under one regimen.

    Parameters
    ----------
    value_ng_ml : ndarray, shape (n,)
        In the order of the posterior's draws, so that regimens can be compared draw by draw.
    weight : ndarray, shape (n,)
        Normalised.
    ordered_ng_ml : ndarray, shape (n,)
        Ascending.
    running : ndarray, shape (n,)
        Weight up to and including each of them; the last is 1.
    """

    value_ng_ml: Array
    weight: Array
    ordered_ng_ml: Array
    running: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """What a table of regimens shows, each row one regimen; `_by_model` arrays have the models as columns.

    Parameters
    ----------
    low, within, high : ndarray, shape (n,)
        P(true trough below, in, above the range).
    level_within : ndarray, shape (n,)
        P(next measured level in the range).
    band_ng_ml : ndarray, shape (n, 3)
        5 %, 50 % and 95 % of the trough.
    low_by_model, within_by_model, high_by_model, median_by_model : ndarray, shape (n, n_models)
        The same for each model alone.
    """

    low: Array
    within: Array
    high: Array
    level_within: Array
    band_ng_ml: Array
    low_by_model: Array
    within_by_model: Array
    high_by_model: Array
    median_by_model: Array


def draws(value_ng_ml: Array, weight: Array) -> Draws:
    """Sort draws once.

    >>> draws(np.array([2.0, 1.0]), np.array([1.0, 3.0])).running
    array([0.75, 1.  ])
    """
    order = np.argsort(value_ng_ml, kind="stable")
    share = np.asarray(weight, dtype=np.float64) / np.sum(weight)
    running = np.cumsum(share[order])
    return Draws(
        value_ng_ml=np.ascontiguousarray(value_ng_ml, dtype=np.float64),
        weight=share,
        ordered_ng_ml=np.ascontiguousarray(value_ng_ml, dtype=np.float64)[order],
        running=running / running[-1],
    )


def chances(
    rows: tuple[tuple[Draws, ...], ...],
    scale: Array,
    model_weight: Array,
    *,
    low_ng_ml: float,
    high_ng_ml: float,
    additive_ng_ml: float,
    proportional: float,
) -> Chances:
    """Compute every chance of a table of regimens.

    Parameters
    ----------
    rows : tuple of tuple of Draws
        For each regimen, one `Draws` per model; the same object may serve many rows.
    scale : ndarray, shape (n, n_models)
        Factor on each of those draws.
    model_weight : ndarray, shape (n_models,)
        Of the average; sums to 1.
    low_ng_ml, high_ng_ml : float
        The range, its limits included.
    additive_ng_ml, proportional : float
        SD of a measured level around the true one: sqrt(additive^2 + (proportional c)^2).

    Examples
    --------
    >>> one = draws(np.array([4.0, 8.0, 16.0, 10.0]), np.ones(4))
    >>> table = chances(
    ...     ((one,),),
    ...     np.ones((1, 1)),
    ...     np.ones(1),
    ...     low_ng_ml=5,
    ...     high_ng_ml=15,
    ...     additive_ng_ml=0.5,
    ...     proportional=0.2,
    ... )
    >>> table.low[0], table.within[0], table.high[0]
    (np.float64(0.25), np.float64(0.5), np.float64(0.25))
    """
    distinct = {id(one): one for row in rows for one in row}
    position = {key: index for index, key in enumerate(distinct)}
    kept = list(distinct.values())
    start = np.cumsum([0, *(one.ordered_ng_ml.size for one in kept)]).astype(np.int64)
    piece = np.array([[position[id(one)] for one in row] for row in rows], dtype=np.int64).reshape(scale.shape)
    n_rows, n_models = scale.shape
    single = np.empty((n_rows, n_models, 4))
    mixed = np.empty((n_rows, 7))
    _chances(
        np.concatenate([one.ordered_ng_ml for one in kept]),
        np.concatenate([one.running for one in kept]),
        start,
        piece,
        np.ascontiguousarray(scale, dtype=np.float64),
        np.ascontiguousarray(model_weight, dtype=np.float64),
        float(low_ng_ml),
        float(high_ng_ml),
        float(additive_ng_ml),
        float(proportional),
        single,
        mixed,
    )
    return Chances(
        low=mixed[:, 0],
        within=mixed[:, 1],
        high=mixed[:, 2],
        level_within=mixed[:, 3],
        band_ng_ml=mixed[:, 4:7],
        low_by_model=single[:, :, 0],
        within_by_model=single[:, :, 1],
        high_by_model=single[:, :, 2],
        median_by_model=single[:, :, 3],
    )


def best_scale(per_model: tuple[Draws, ...], model_weight: Array, *, low_ng_ml: float, high_ng_ml: float) -> float:
    """Return the factor on the draws that puts most of their weight in the range.

    The chance is a step function of the factor and flat near its top; the middle (on the log scale) of the plateau
    within half a point of the best is returned, so the answer does not hang on single draws. Scaling both limits by k
    scales the answer by k.

    Parameters
    ----------
    per_model : tuple of Draws
        Troughs at a dose of 1.
    model_weight : ndarray, shape (n_models,)
        Of the average.
    low_ng_ml, high_ng_ml : float
        The range.

    Examples
    --------
    >>> round(best_scale((draws(np.array([1.0, 1.0]), np.ones(2)),), np.ones(1), low_ng_ml=5, high_ng_ml=15), 1)
    8.7
    """
    start = np.cumsum([0, *(one.ordered_ng_ml.size for one in per_model)]).astype(np.int64)
    values = np.concatenate([one.ordered_ng_ml for one in per_model])
    running = np.concatenate([one.running for one in per_model])
    return float(_best_scale(values, running, start, model_weight, float(low_ng_ml), float(high_ng_ml)))


def next_best(
    now: tuple[Draws, ...],
    options: tuple[tuple[Draws, ...], ...],
    now_scale: Array,
    option_scale: Array,
    model_weight: Array,
    level_ng_ml: Array,
    *,
    low_ng_ml: float,
    high_ng_ml: float,
    additive_ng_ml: float,
    proportional: float,
    most_draws: int = 1000,
) -> Array:
    """Return the chance in range of each option after a next level that has not been measured yet.

    Every draw is weighted by how likely it makes that level under the present regimen (Bayes' rule on the draws at
    hand), so each answer belongs to one hypothetical level.

    Parameters
    ----------
    now : tuple of Draws
        One per model, under the present regimen; `now_scale`, shape (n_models,).
    options : tuple of tuple of Draws
        One row per option, drawn with the same draws; `option_scale`, shape (n_options, n_models).
    model_weight : ndarray, shape (n_models,)
        Of the average.
    level_ng_ml : ndarray, shape (n_levels,)
        The levels asked about.
    low_ng_ml, high_ng_ml, additive_ng_ml, proportional : float
        As in `chances`.
    most_draws : int
        Used of each model, evenly picked.

    Returns
    -------
    ndarray, shape (n_levels, n_options)
        P(true trough in range given that level).
    """
    chance = np.zeros((level_ng_ml.size, len(options)))
    total = np.zeros(level_ng_ml.size)
    for m, present in enumerate(now):
        step = max(1, present.value_ng_ml.size // most_draws)
        value = present.value_ng_ml[::step] * now_scale[m]
        weight = present.weight[::step]
        inside = np.empty((value.size, len(options)))
        for k, row in enumerate(options):
            trough = row[m].value_ng_ml[::step] * option_scale[k, m]
            inside[:, k] = (trough >= low_ng_ml) & (trough <= high_ng_ml)
        _reweigh(
            value,
            weight * (model_weight[m] / weight.sum()),
            inside,
            np.ascontiguousarray(level_ng_ml, dtype=np.float64),
            float(additive_ng_ml),
            float(proportional),
            chance,
            total,
        )
    return chance / np.where(total > 0.0, total, np.inf)[:, None]


@kernel
def _below(values: Array, running: Array, first: int, last: int, limit: float, inclusive: bool) -> float:
    """Weight of the draws below a limit (or up to it) among values[first:last], by bisection."""
    lo, hi = first, last
    while lo < hi:
        mid = (lo + hi) // 2
        if values[mid] < limit or (inclusive and values[mid] == limit):
            lo = mid + 1
        else:
            hi = mid
    weight: float = 0.0 if lo == first else running[lo - 1]
    return weight


@kernel
def _at_share(values: Array, running: Array, first: int, last: int, share: float) -> float:
    """The smallest draw up to which the running weight reaches a share."""
    lo, hi = first, last - 1
    while lo < hi:
        mid = (lo + hi) // 2
        if running[mid] < share:
            lo = mid + 1
        else:
            hi = mid
    found: float = values[lo]
    return found


@kernel
def _inside(value: float, low: float, high: float, additive: float, proportional: float) -> float:
    """P(low <= measured <= high) for a normal error around the true value."""
    sd = sqrt(additive * additive + proportional * proportional * value * value)
    if sd == 0.0:
        return 1.0 if low <= value <= high else 0.0
    root = sd * sqrt(2.0)
    chance: float = 0.5 * (erf((high - value) / root) - erf((low - value) / root))
    return chance


@kernel
def _chances(
    values: Array,
    running: Array,
    start: Index,
    piece: Index,
    scale: Array,
    weight: Array,
    low: float,
    high: float,
    additive: float,
    proportional: float,
    single: Array,
    mixed: Array,
) -> None:
    n_rows, n_models = scale.shape
    for r in range(n_rows):
        mixed[r] = 0.0
        floor, ceiling = np.inf, 0.0
        for m in range(n_models):
            first, last, s = start[piece[r, m]], start[piece[r, m] + 1], scale[r, m]
            below = _below(values, running, first, last, low / s, False)
            up_to = _below(values, running, first, last, high / s, True)
            single[r, m, 0], single[r, m, 1], single[r, m, 2] = below, up_to - below, 1.0 - up_to
            single[r, m, 3] = s * _at_share(values, running, first, last, 0.5)
            for k in range(3):
                mixed[r, k] += weight[m] * single[r, m, k]
            measured = 0.0
            for j in range(NODES):
                node = s * _at_share(values, running, first, last, (j + 0.5) / NODES)
                measured += _inside(node, low, high, additive, proportional)
            mixed[r, 3] += weight[m] * measured / NODES
            floor = min(floor, s * values[first])
            ceiling = max(ceiling, s * values[last - 1])
        for k in range(3):
            share = 0.05 if k == 0 else (0.5 if k == 1 else 0.95)
            lo, hi = floor, ceiling
            for _ in range(BISECTIONS):
                mid = 0.5 * (lo + hi)
                reached = 0.0
                for m in range(n_models):
                    first, last = start[piece[r, m]], start[piece[r, m] + 1]
                    reached += weight[m] * _below(values, running, first, last, mid / scale[r, m], True)
                if reached < share - TIE:
                    lo = mid
                else:
                    hi = mid
            mixed[r, 4 + k] = hi


@kernel
def _best_scale(values: Array, running: Array, start: Index, weight: Array, low: float, high: float) -> float:
    n_models = weight.size
    # Where the middle draw of the average meets the middle of the range: everything else is relative to it.
    middle = 0.0
    for m in range(n_models):
        middle += weight[m] * log(_at_share(values, running, start[m], start[m + 1], 0.5))
    centre = 0.5 * (log(low) + log(high)) - middle
    chance = np.empty(GRID)
    top = 0.0
    for g in range(GRID):
        factor = exp(centre + GRID_LOG * (2.0 * g / (GRID - 1) - 1.0))
        inside = 0.0
        for m in range(n_models):
            up_to = _below(values, running, start[m], start[m + 1], high / factor, True)
            inside += weight[m] * (up_to - _below(values, running, start[m], start[m + 1], low / factor, False))
        chance[g] = inside
        top = max(top, inside)
    total, count = 0.0, 0
    for g in range(GRID):
        if chance[g] >= top - PLATEAU:
            total += 2.0 * g / (GRID - 1) - 1.0
            count += 1
    best: float = exp(centre + GRID_LOG * total / count)
    return best


@kernel
def _reweigh(
    value: Array,
    weight: Array,
    inside: Array,
    level: Array,
    additive: float,
    proportional: float,
    chance: Array,
    total: Array,
) -> None:
    for i in range(value.size):
        variance = additive * additive + proportional * proportional * value[i] * value[i]
        front = weight[i] / sqrt(variance)
        for k in range(level.size):
            gap = level[k] - value[i]
            w = front * exp(-0.5 * gap * gap / variance)
            total[k] += w
            for o in range(inside.shape[1]):
                chance[k, o] += w * inside[i, o]
