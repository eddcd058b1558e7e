# SPDX-License-Identifier: Apache-2.0
"""Comparisons that need no normal distribution: rank tests, the shift they belong to, and how far groups are apart.

Every test says how its P value was made: exact (over all rearrangements, ties included) or asymptotic, as printed by
the statistics packages papers used. Oracles: brute-force enumeration, SciPy, statsmodels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import (
    Array,
    Interval,
    Undefined,
    checked_level,
    finite,
    no_interval,
)
from sirolens.engine.statistics.rank_distribution import (
    doubled_ranks,
    rank_sum_distribution,
    signed_rank_distribution,
)

__all__ = [
    "CliffsDelta",
    "RankTest",
    "Shift",
    "benjamini_hochberg",
    "cliffs_delta",
    "hodges_lehmann",
    "hodges_lehmann_paired",
    "holm",
    "mann_whitney",
    "score_limit",
    "wilcoxon",
]

LARGEST_EXACT = 100
"""Beyond so many patients the asymptotic P value is right to the digits anybody prints."""
_SAME = 1e-9
_DIGITS_OF_A_DIFFERENCE = 10  # of the largest: what is measured has fewer, what subtraction adds lies beyond
_MOST_PAIRS = 2_000_000  # more differences are not written down but counted


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
    """A rank test.

    Parameters
    ----------
    statistic : float
        Mann-Whitney U of the first group (pairs in which it is larger, ties one half), or the sum of positive ranks.
    z : float
        Standardised statistic without continuity correction, corrected for ties.
    p_value : float
        Two-sided.
    n : tuple of int
        Patients used: of each group, or pairs that differ.
    zeros : int
        Pairs without a difference, left out of the signed-rank test.
    tied : bool
        Whether there were ties.
    method : str
        ``"mann-whitney-exact"``, ``"mann-whitney-asymptotic"``, ``"wilcoxon-exact"``, ``"wilcoxon-asymptotic"``,
        with ``"-continuity"`` where corrected.
    reason : Undefined, optional
        Why there is no P value.
    """

    statistic: float
    z: float
    p_value: float
    n: tuple[int, ...]
    zeros: int = 0
    tied: bool = False
    method: str
    reason: Undefined | None = None


def _two_sided(distribution: Array, seen: int, centre: float) -> float:
    """Return the probability to be at least as far from the centre as the value seen."""
    support = np.arange(distribution.size)
    far = np.abs(support - centre) >= abs(seen - centre) - _SAME
    return min(1.0, float(distribution[far].sum()))


def _normal_p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2)) if not math.isnan(z) else float("nan")


def _chosen(method: str, size: int) -> bool:
    if method not in ("auto", "exact", "asymptotic"):
        raise ValueError(f"a rank test is exact, asymptotic or auto, not {method!r}")
    if method == "exact" and size > LARGEST_EXACT:
        raise ValueError(f"the exact distribution is for {LARGEST_EXACT} observations at most, not {size}")
    return method == "exact" or (method == "auto" and size <= LARGEST_EXACT)


def mann_whitney(x: ArrayLike, y: ArrayLike, method: str = "auto", *, continuity: bool = False) -> RankTest:
    r"""Return the two-sided Mann-Whitney test of two independent groups.

    :math:`U = R_x - m(m+1)/2`. Exact: the share of all :math:`\binom{m+n}{m}` assignments of the midranks whose U is
    at least as far from :math:`mn/2`. Asymptotic: :math:`z = (U - mn/2)/\sigma` with
    :math:`\sigma^2 = \frac{mn}{12}\bigl(N+1-\sum (t^3-t)/(N(N-1))\bigr)`, without continuity correction unless asked
    for, which is what SPSS prints.

    Parameters
    ----------
    x, y : array_like, shape (m,), (n,)
        The groups.
    method : {"auto", "exact", "asymptotic"}
        Auto is exact up to `LARGEST_EXACT` observations.
    continuity : bool
        Correct the asymptotic form for continuity (the default of R and SciPy).

    References
    ----------
    Mann HB, Whitney DR. Ann Math Stat 1947;18:50-60.

    Examples
    --------
    >>> test = mann_whitney([1.1, 2.3, 2.9], [3.4, 4.0, 5.2])
    >>> test.statistic, test.p_value
    (0.0, 0.1)
    """
    first, second = finite(x, "x"), finite(y, "y")
    m, n = first.size, second.size
    exact = _chosen(method, m + n)
    name = "mann-whitney-exact" if exact else f"mann-whitney-asymptotic{'-continuity' if continuity else ''}"
    if m == 0 or n == 0:
        nan = float("nan")
        reason = Undefined.NO_OBSERVATIONS
        return RankTest(statistic=nan, z=nan, p_value=nan, n=(m, n), method=name, reason=reason)
    doubled = doubled_ranks(np.concatenate([first, second]))
    seen, total = int(doubled[:m].sum()), m + n
    u = seen / 2 - m * (m + 1) / 2
    _, sizes = np.unique(doubled, return_counts=True)
    variance = m * n / 12 * (total + 1 - float(np.sum(sizes**3 - sizes)) / (total * (total - 1)))
    tied = bool(np.any(sizes > 1))
    if variance <= _SAME:
        nan = float("nan")
        reason = Undefined.ALL_EQUAL
        return RankTest(statistic=u, z=nan, p_value=nan, n=(m, n), tied=tied, method=name, reason=reason)
    z = (u - m * n / 2) / math.sqrt(variance)
    if exact:
        p_value = _two_sided(rank_sum_distribution(doubled, m), seen, m * (total + 1))
    else:
        nearer = max(0.0, abs(u - m * n / 2) - 0.5) if continuity else abs(u - m * n / 2)
        p_value = _normal_p(nearer / math.sqrt(variance))
    return RankTest(statistic=u, z=z, p_value=p_value, n=(m, n), tied=tied, method=name)


def _without_noise(difference: Array) -> Array:
    """Round differences so that 6.1 - 5.9 and 0.2 are tied, as they are on paper."""
    largest = float(np.max(np.abs(difference), initial=0.0))
    if largest == 0:
        return difference
    return np.asarray(np.round(difference / largest, _DIGITS_OF_A_DIFFERENCE), dtype=np.float64)


def wilcoxon(difference: ArrayLike, method: str = "auto", *, continuity: bool = False, zeros: str = "drop") -> RankTest:
    r"""Return the two-sided Wilcoxon signed-rank test of paired differences.

    The statistic is the sum of ranks of positive differences. Exact: all :math:`2^n` signs of the midranks.
    Asymptotic: :math:`z = (W^+ - \tfrac12\sum r_i)/\sqrt{\tfrac14\sum r_i^2}`, ties included, without continuity
    correction unless asked for, which is what SPSS prints. Differences that agree to ten digits of the largest are
    tied.

    Parameters
    ----------
    difference : array_like, shape (n,)
        After minus before.
    method : {"auto", "exact", "asymptotic"}
        Auto is exact up to `LARGEST_EXACT` pairs.
    continuity : bool
        Correct the asymptotic form for continuity.
    zeros : {"drop", "pratt"}
        Leave pairs without a difference out (Wilcoxon), or rank them and drop their ranks (Pratt).

    References
    ----------
    Wilcoxon F. Biometrics Bull 1945;1:80-83; Pratt JW. J Am Stat Assoc 1959;54:655-667.

    Examples
    --------
    Seven patients who all rise, and as a package without exact tests prints it:

    >>> rise = [31, 60, 72, 84, 119, 140, 201]
    >>> print(f"{wilcoxon(rise).p_value:.4f} {wilcoxon(rise, 'asymptotic').p_value:.4f}")
    0.0156 0.0180
    """
    values = _without_noise(finite(difference, "difference"))
    if zeros not in ("drop", "pratt"):
        raise ValueError(f"pairs without a difference are dropped or ranked by Pratt, not {zeros!r}")
    differs = values != 0
    none = int(np.sum(~differs))
    used = values if zeros == "pratt" else values[differs]
    exact = _chosen(method, used.size)
    name = "wilcoxon-exact" if exact else f"wilcoxon-asymptotic{'-continuity' if continuity else ''}"
    if not differs.any():
        nan = float("nan")
        reason = Undefined.ALL_EQUAL if values.size else Undefined.NO_OBSERVATIONS
        return RankTest(statistic=nan, z=nan, p_value=nan, n=(0,), zeros=none, method=name, reason=reason)
    doubled = doubled_ranks(np.abs(used))
    if zeros == "pratt":
        doubled, used = doubled[differs], values[differs]
    seen, half = int(doubled[used > 0].sum()), float(doubled.sum()) / 2
    spread = math.sqrt(float(np.sum(doubled.astype(np.float64) ** 2)) / 4)
    z = (seen - half) / spread
    if exact:
        p_value = _two_sided(signed_rank_distribution(doubled), seen, half)
    else:
        # ranks are doubled here, so half a rank is 1
        p_value = _normal_p(max(0.0, abs(seen - half) - 1.0) / spread if continuity else z)
    return RankTest(
        statistic=seen / 2,
        z=z,
        p_value=p_value,
        n=(used.size,),
        zeros=none,
        tied=np.unique(doubled).size < doubled.size,
        method=name,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far one group lies above another, or after above before.

    Parameters
    ----------
    estimate : float
        Hodges and Lehmann's median of differences.
    interval : Interval
        Its distribution-free interval; `level` is what was asked for.
    attained : float
        The confidence the interval really has without ties: at least the level when exact.
    """

    estimate: float
    interval: Interval
    attained: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Differences:
    """All first[i] - second[j], in order, without writing down too many.

    With `paired`, second is minus first and only i <= j counts: the pairwise sums, whose halves are the pairwise means.
    """

    first: Array
    second: Array
    paired: bool

    @property
    def count(self) -> int:
        n = self.first.size
        return n * (n + 1) // 2 if self.paired else n * self.second.size

    def at(self, *positions: int) -> tuple[float, ...]:
        """Return the values at positions counted from 0 in increasing order."""
        if self.count > _MOST_PAIRS:
            return tuple(self._counted(position) for position in positions)
        if self.paired:
            i, j = np.triu_indices(self.first.size)
            everything = self.first[i] - self.second[j]
        else:
            everything = (self.first[:, None] - self.second[None, :]).ravel()
        ordered = np.partition(everything, sorted({*positions}))
        return tuple(float(ordered[position]) for position in positions)

    def _counted(self, position: int) -> float:
        """Halve the range until it holds one number, by counting the differences at or below its middle."""
        other = np.sort(self.second)
        low = float(self.first.min() - self.second.max())
        high = float(self.first.max() - self.second.min())
        while low < high:
            middle = low + (high - low) / 2
            if middle >= high:
                break
            # first - second <= middle where second >= first - middle
            pairs = int(np.sum(other.size - np.searchsorted(other, self.first - middle, side="left")))
            if self.paired:
                pairs = (pairs + int(np.sum(self.first - self.second <= middle))) // 2
            if pairs > position:
                high = middle
            elif middle == low:
                return high
            else:
                low = middle
        return high


def _order_interval(pairs: _Differences, distribution: Array | None, z: tuple[float, float], level: float) -> Shift:
    """Return the median of ordered differences and the interval between two symmetric order statistics."""
    count, halves = pairs.count, 2 if pairs.paired else 1
    below, above = pairs.at((count - 1) // 2, count // 2)
    estimate = (below + above) / 2 / halves
    method = "hodges-lehmann-exact" if distribution is not None else "hodges-lehmann-asymptotic"
    if distribution is not None:
        cumulative = np.cumsum(distribution)  # P(statistic <= k)
        outside = int(np.searchsorted(cumulative, (1 - level) / 2, side="right"))  # differences to cut at each end, + 1
        attained = 1 - 2 * float(cumulative[outside - 1]) if outside else 1.0
    else:
        centre, spread = z
        outside = max(0, math.floor(centre + 0.5 - spread * _quantile(level)))
        attained = level
    if outside == 0:
        nothing = no_interval(level, method, Undefined.TOO_FEW)
        return Shift(estimate=estimate, interval=nothing, attained=float("nan"))
    low, high = pairs.at(outside - 1, count - outside)
    found = Interval(low=low / halves, high=high / halves, level=level, method=method)
    return Shift(estimate=estimate, interval=found, attained=attained)


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def hodges_lehmann(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Shift:
    """Return the shift of x against y: the median of all differences, with the interval of the Mann-Whitney test.

    The interval runs between the order statistics of the differences that the exact null distribution of U (the normal
    one beyond `LARGEST_EXACT` observations) puts there. It needs no distribution but the same shape in both groups;
    with ties it covers at least as often. Where the groups are too small for the level there is no interval.

    Parameters
    ----------
    x, y : array_like, shape (m,), (n,)
        The groups.
    level : float
        Level of confidence.

    References
    ----------
    Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598-611.

    Examples
    --------
    >>> hodges_lehmann([5.1, 6.0, 7.2, 7.9], [4.0, 4.4, 5.0, 6.5]).estimate
    1.5
    """
    first, second = finite(x, "x"), finite(y, "y")
    level = checked_level(level)
    m, n = first.size, second.size
    if m == 0 or n == 0:
        nothing = no_interval(level, "hodges-lehmann-exact", Undefined.NO_OBSERVATIONS)
        return Shift(estimate=float("nan"), interval=nothing, attained=float("nan"))
    pairs = _Differences(first=first, second=second, paired=False)
    distribution = None
    if m + n <= LARGEST_EXACT:
        sums = rank_sum_distribution(2 * np.arange(1, m + n + 1), m)  # of twice the rank sum; U counts from its least
        distribution = sums[m * (m + 1) :: 2]
    return _order_interval(pairs, distribution, (m * n / 2, math.sqrt(m * n * (m + n + 1) / 12)), level)


def hodges_lehmann_paired(difference: ArrayLike, level: float = 0.95) -> Shift:
    """Return the centre of paired differences: the median of their pairwise means, with the signed-rank interval.

    Parameters
    ----------
    difference : array_like, shape (n,)
        After minus before, pairs without a difference included.
    level : float
        Level of confidence.

    Examples
    --------
    >>> found = hodges_lehmann_paired([31, 60, 72, 84, 119, 140, 201])
    >>> found.estimate, (found.interval.low, found.interval.high)
    (97.75, (51.5, 160.0))
    """
    values = finite(difference, "difference")
    level = checked_level(level)
    n = values.size
    if n == 0:
        nothing = no_interval(level, "hodges-lehmann-exact", Undefined.NO_OBSERVATIONS)
        return Shift(estimate=float("nan"), interval=nothing, attained=float("nan"))
    pairs = _Differences(first=values, second=-values, paired=True)
    distribution = signed_rank_distribution(np.arange(1, n + 1)) if n <= LARGEST_EXACT else None
    centre, spread = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return _order_interval(pairs, distribution, (centre, spread), level)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CliffsDelta:
    """How often a patient of one group lies above one of the other, less how often below.

    Parameters
    ----------
    delta : float
        From -1 to 1.
    interval : Interval
        Of delta.
    """

    delta: float
    interval: Interval


def cliffs_delta(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> CliffsDelta:
    r"""Return Cliff's delta with Newcombe's interval, which is meaningful even when the groups do not overlap.

    :math:`\delta = P(X>Y) - P(X<Y) = 2\theta - 1`. The limits of :math:`\theta` solve
    :math:`|\hat\theta-\theta| = z\sqrt{V(\theta)}` with

    .. math:: V(\theta) = \frac{\theta(1-\theta)}{mn}
        \Bigl\{1 + \bigl(\tfrac{m+n}{2}-1\bigr)\Bigl[\frac{1-\theta}{2-\theta}+\frac{\theta}{1+\theta}\Bigr]\Bigr\}.

    Parameters
    ----------
    x, y : array_like, shape (m,), (n,)
        The groups.
    level : float
        Level of confidence.

    References
    ----------
    Cliff N. Psychol Bull 1993;114:494-509; Newcombe RG. Stat Med 2006;25:559-573 (method 5).

    Examples
    --------
    >>> cliffs_delta([3, 4, 5], [1, 2, 3]).delta
    0.888...
    """
    first, second = finite(x, "x"), finite(y, "y")
    level = checked_level(level)
    m, n = first.size, second.size
    method = "newcombe-score"
    if m == 0 or n == 0:
        return CliffsDelta(delta=float("nan"), interval=no_interval(level, method, Undefined.NO_OBSERVATIONS))
    u = int(doubled_ranks(np.concatenate([first, second]))[:m].sum()) - m * (m + 1)  # twice Mann and Whitney's
    delta = u / (m * n) - 1
    theta = (1 + delta) / 2
    low, high = (score_limit(theta, m, n, level, side) for side in (-1, 1))
    return CliffsDelta(delta=delta, interval=Interval(low=2 * low - 1, high=2 * high - 1, level=level, method=method))


def score_limit(theta: float, m: int, n: int, level: float, side: int) -> float:
    """Return a limit of P(X > Y) + P(X = Y) / 2 by the method of `cliffs_delta`.

    Parameters
    ----------
    theta : float
        The estimate, 0 to 1.
    m, n : int
        Patients of each group.
    level : float
        Level of confidence.
    side : {-1, 1}
        The lower or the upper limit.

    Examples
    --------
    >>> round(score_limit(1.0, 10, 10, 0.95, -1), 3)
    0.8
    """
    from scipy.optimize import brentq

    end = 0.0 if side < 0 else 1.0
    if theta == end:
        return end
    z2 = _quantile(level) ** 2
    more = (m + n) / 2 - 1

    def excess(t: float) -> float:
        variance = t * (1 - t) / (m * n) * (1 + more * ((1 - t) / (2 - t) + t / (1 + t)))
        return (theta - t) ** 2 - z2 * variance

    # At the estimate the excess is not positive, at the end of the scale it is.
    inner = theta if 0 < theta < 1 else theta + side * 1e-12
    return float(brentq(excess, min(end, inner), max(end, inner), xtol=1e-14))


def _adjusted(p_values: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
    """Return the P values with their places in order, missing ones left out of the count."""
    found = np.asarray(p_values, dtype=np.float64)
    if found.ndim != 1 or np.any((found < 0) | (found > 1)):
        raise ValueError("a P value is between 0 and 1")
    known = np.flatnonzero(~np.isnan(found))
    return found, known[np.argsort(found[known], kind="stable")]


def holm(p_values: ArrayLike) -> Array:
    """Return P values adjusted so that no true hypothesis is rejected with the level's probability (Holm).

    The i-th smallest of m is multiplied by m - i + 1; a missing one (nan) stays missing and is not counted.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        Two-sided P values.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    found, order = _adjusted(p_values)
    adjusted = np.full_like(found, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(found[order] * np.arange(order.size, 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Return P values adjusted for the share of false discoveries (Benjamini and Hochberg).

    The i-th smallest of m is multiplied by m / i; a missing one (nan) stays missing and is not counted.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        Two-sided P values.

    References
    ----------
    Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    found, order = _adjusted(p_values)
    adjusted = np.full_like(found, np.nan)
    stepped = found[order] * order.size / np.arange(1, order.size + 1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(stepped[::-1])[::-1])
    return adjusted
