# SPDX-License-Identifier: Apache-2.0
"""Exact distributions of rank sums given the ranks themselves, so that ties need no approximation.

Ranks are midranks; doubled they are whole numbers, and the distribution is built by adding one patient at a time.
Without ties every study of the same size has the same distribution, so that the last ones are kept.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.interval import Array

__all__ = ["doubled_ranks", "rank_sum_distribution", "signed_rank_distribution"]

KEPT = 64
"""Distributions kept; one of 40 patients takes 13 kB."""


def doubled_ranks(values: Array) -> NDArray[np.int64]:
    """Return twice the midranks of values: whole numbers even with ties.

    >>> doubled_ranks(np.array([5.0, 7.0, 7.0])).tolist()
    [2, 5, 5]
    """
    from scipy.stats import rankdata

    return np.rint(2 * np.asarray(rankdata(values))).astype(np.int64)


def rank_sum_distribution(doubled: NDArray[np.int64], size: int) -> Array:
    """Return the probability of each doubled rank sum when `size` of the patients are drawn without replacement.

    Parameters
    ----------
    doubled : ndarray of int, shape (n,)
        Twice the midrank of every patient of both groups.
    size : int
        Patients in the first group.

    Returns
    -------
    ndarray, shape (sum of doubled + 1,)
        Probability of each sum; not to be written to.
    """
    return _rank_sum(tuple(np.sort(doubled).tolist()), size)


@lru_cache(maxsize=KEPT)
def _rank_sum(ranks: tuple[int, ...], size: int) -> Array:
    total = sum(ranks)
    # After i patients, row j holds the probability to have drawn j of them, with each sum; drawing one by one with
    # the right odds keeps numbers near 1 where counts would overflow.
    n = len(ranks)
    probability = np.zeros((size + 1, total + 1))
    probability[0, 0] = 1.0
    for i, rank in enumerate(ranks):
        left = n - i
        following = np.zeros_like(probability)
        for drawn in range(min(i, size) + 1):
            chance = (size - drawn) / left
            if chance < 1:
                following[drawn] += probability[drawn] * (1 - chance)
            if chance > 0:
                following[drawn + 1, rank:] += probability[drawn, : total + 1 - rank] * chance
        probability = following
    found: Array = probability[size].copy()
    found.flags.writeable = False
    return found


def signed_rank_distribution(doubled: NDArray[np.int64]) -> Array:
    """Return the probability of each doubled sum of positive ranks when every sign is a fair coin.

    Parameters
    ----------
    doubled : ndarray of int, shape (n,)
        Twice the midrank of every absolute difference.

    Returns
    -------
    ndarray, shape (sum of doubled + 1,)
        Probability of each sum; not to be written to.
    """
    return _signed_rank(tuple(np.sort(doubled).tolist()))


@lru_cache(maxsize=KEPT)
def _signed_rank(ranks: tuple[int, ...]) -> Array:
    probability = np.zeros(sum(ranks) + 1)
    probability[0] = 1.0
    for rank in ranks:
        following = probability.copy()
        following[rank:] += probability[: probability.size - rank]
        probability = following / 2
    probability.flags.writeable = False
    return probability
