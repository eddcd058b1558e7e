# SPDX-License-Identifier: Apache-2.0
"""Two groups, yes or no: tests of a table and how large the difference is.

A table has one row a group and one column an outcome, as ``[[responders, others], [responders, others]]``.
Oracles: the anchors computed for the published studies, enumeration of every table with the same margins, statsmodels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import Interval, Test, Undefined, checked_level, no_interval, no_test
from sirolens.engine.statistics.proportion import wilson

__all__ = ["Contrast", "boschloo", "fisher", "mcnemar", "newcombe", "odds_ratio", "pearson", "risk_ratio"]

_SAME = 1 + 1e-7  # probabilities equal but for rounding count as equal
_MOST_TABLES = 200_000  # beyond this many tables enumeration is refused


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """How two groups differ.

    Parameters
    ----------
    estimate : float
        First group against the second.
    interval : Interval
        Of the estimate.
    reason : Undefined, optional
        Why there is no estimate.
    """

    estimate: float
    interval: Interval
    reason: Undefined | None = None


def _table(table: ArrayLike) -> NDArray[np.int64]:
    found = np.asarray(table)
    if found.ndim != 2 or min(found.shape) < 2:
        raise ValueError(f"a table has two rows and two columns or more, not the shape {found.shape}")
    whole = found.astype(np.int64)
    if np.any(whole != found) or np.any(whole < 0):
        raise ValueError("a table holds counts")
    return whole


def _empty_margin(table: NDArray[np.int64]) -> bool:
    return bool(np.any(table.sum(axis=0) == 0) or np.any(table.sum(axis=1) == 0))


def _columns(total: int, room: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield every way to share a total over rows that have room for so many."""
    if len(room) == 1:
        if total <= room[0]:
            yield (total,)
        return
    for first in range(max(0, total - sum(room[1:])), min(total, room[0]) + 1):
        for rest in _columns(total - first, room[1:]):
            yield (first, *rest)


def _enumerated(table: NDArray[np.int64]) -> float:
    """Return the probability, given the margins, of all tables no likelier than this one (Freeman and Halton)."""
    factorials = [math.lgamma(i + 1) for i in range(int(table.sum()) + 1)]
    constant = sum(factorials[int(m)] for m in (*table.sum(axis=0), *table.sum(axis=1))) - factorials[-1]
    # Tables are built column by column; columns built so far matter only by the room left in each row.
    seen = math.exp(constant - sum(factorials[int(x)] for x in table.flat))
    states: dict[tuple[int, ...], list[float]] = {tuple(int(m) for m in table.sum(axis=1)): [constant]}
    for total in (int(m) for m in table.sum(axis=0)):
        following: dict[tuple[int, ...], list[float]] = {}
        found = 0
        for room, weights in states.items():
            for column in _columns(total, room):
                left = tuple(r - c for r, c in zip(room, column, strict=True))
                step = sum(factorials[c] for c in column)
                following.setdefault(left, []).extend(w - step for w in weights)
                found += len(weights)
                if found > _MOST_TABLES:
                    raise ValueError("too many tables have these margins; ask for the Pearson test")
        states = following
    (weights,) = states.values()
    probabilities = np.exp(np.array(weights))
    return min(1.0, float(probabilities[probabilities <= seen * _SAME].sum()))


def fisher(table: ArrayLike) -> Test:
    """Return the two-sided exact test of a table with its margins fixed.

    The P value sums all tables with the same margins that are no likelier than the one seen. For two rows and two
    columns the statistic is the sample odds ratio, for more (Freeman and Halton's extension) there is none.

    Parameters
    ----------
    table : array_like of int, shape (groups, outcomes)
        Counts.

    References
    ----------
    Fisher RA. J R Stat Soc 1935;98:39-82; Freeman GH, Halton JH. Biometrika 1951;38:141-149.

    Examples
    --------
    >>> print(f"{fisher([[12, 8], [73, 13]]).p_value:.4f}")
    0.0249
    """
    from scipy.stats import fisher_exact

    counts = _table(table)
    if _empty_margin(counts):
        return no_test("fisher-exact", Undefined.EMPTY_MARGIN)
    if counts.shape != (2, 2):
        return Test(statistic=float("nan"), p_value=_enumerated(counts), method="fisher-exact")
    found = fisher_exact(counts)
    return Test(statistic=float(found.statistic), p_value=float(found.pvalue), method="fisher-exact")


def pearson(table: ArrayLike, *, yates: bool = False) -> Test:
    r"""Return Pearson's chi-square test, with or without Yates' continuity correction.

    :math:`\chi^2=\sum (O-E)^2/E`. Published tables seldom say which; this one is silent about neither.

    Parameters
    ----------
    table : array_like of int, shape (groups, outcomes)
        Counts.
    yates : bool
        Correct for continuity (two rows and two columns only).

    Examples
    --------
    >>> responders = [[17, 8], [11, 17]]
    >>> print(f"{pearson(responders).p_value:.3f} {pearson(responders, yates=True).p_value:.3f}")
    0.037 0.070
    """
    from scipy.stats import chi2_contingency

    counts = _table(table)
    method = "pearson-yates" if yates else "pearson"
    if yates and counts.shape != (2, 2):
        raise ValueError("Yates' correction is for two rows and two columns")
    if _empty_margin(counts):
        return no_test(method, Undefined.EMPTY_MARGIN)
    found = chi2_contingency(counts, correction=yates)
    return Test(statistic=float(found.statistic), p_value=float(found.pvalue), method=method, df=float(found.dof))


def boschloo(table: ArrayLike) -> Test:
    """Return Boschloo's exact unconditional test of two rows and two columns.

    It maximises, over the common rate, the probability of a Fisher P value as small as the one seen; it is never less
    powerful than Fisher's test. The groups are the rows.

    Parameters
    ----------
    table : array_like of int, shape (2, 2)
        Counts.

    References
    ----------
    Boschloo RD. Statistica Neerlandica 1970;24:1-9.

    Examples
    --------
    >>> boschloo([[12, 8], [73, 13]]).p_value < fisher([[12, 8], [73, 13]]).p_value
    True
    """
    from scipy.stats import boschloo_exact

    counts = _table(table)
    if _empty_margin(counts):
        return no_test("boschloo-exact", Undefined.EMPTY_MARGIN)
    found = boschloo_exact(counts.T)  # SciPy wants the groups as columns
    return Test(statistic=float(found.statistic), p_value=min(1.0, float(found.pvalue)), method="boschloo-exact")


def mcnemar(only_first: int, only_second: int) -> Test:
    """Return the exact test of paired answers, such as responders at month 3 against month 6 in the same patients.

    Under the hypothesis each patient who changed did so either way with probability 1/2.

    Parameters
    ----------
    only_first, only_second : int
        Patients with yes at the first, and at the second, occasion only.

    Examples
    --------
    >>> mcnemar(0, 6).p_value
    0.03125
    """
    from scipy.stats import binomtest

    changed = index(only_first) + index(only_second)
    if min(only_first, only_second) < 0:
        raise ValueError("counts are not negative")
    if changed == 0:
        return no_test("mcnemar-exact", Undefined.NO_EVENTS)
    p_value = float(binomtest(only_first, changed).pvalue)
    return Test(statistic=only_first / changed, p_value=p_value, method="mcnemar-exact")


def newcombe(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> Contrast:
    r"""Return the difference of two independent proportions with Newcombe's hybrid score interval.

    With Wilson limits :math:`l_i, u_i` of each: :math:`\hat p_1-\hat p_2 - \sqrt{(\hat p_1-l_1)^2+(u_2-\hat p_2)^2}`
    to :math:`\hat p_1-\hat p_2 + \sqrt{(u_1-\hat p_1)^2+(\hat p_2-l_2)^2}`.

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Events and patients of each group.
    level : float
        Level of confidence.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890 (method 10).

    Examples
    --------
    >>> found = newcombe(12, 20, 73, 86)
    >>> print(f"{found.estimate:.3f} ({found.interval.low:.3f} to {found.interval.high:.3f})")
    -0.249 (-0.471 to -0.046)
    """
    first, second = wilson(k1, n1, level), wilson(k2, n2, level)
    if n1 == 0 or n2 == 0:
        nothing = no_interval(level, "newcombe", Undefined.NO_OBSERVATIONS)
        return Contrast(estimate=float("nan"), interval=nothing, reason=Undefined.NO_OBSERVATIONS)
    p1, p2 = k1 / n1, k2 / n2
    low = p1 - p2 - math.hypot(p1 - first.low, second.high - p2)
    high = p1 - p2 + math.hypot(first.high - p1, p2 - second.low)
    found = Interval(low=max(-1.0, low), high=min(1.0, high), level=level, method="newcombe")
    return Contrast(estimate=p1 - p2, interval=found)


def risk_ratio(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> Contrast:
    r"""Return the ratio of two independent proportions with Koopman's score interval.

    The limits are the ratios :math:`\theta` at which the score statistic
    :math:`\sum_i (k_i-n_i\tilde p_i)^2/(n_i\tilde p_i(1-\tilde p_i))` reaches the chi-square quantile, with
    :math:`\tilde p_1=\theta\tilde p_2` the constrained maximum-likelihood rates. It stays meaningful with empty cells.

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Events and patients of each group.
    level : float
        Level of confidence.

    References
    ----------
    Koopman PAR. Biometrics 1984;40:513-517.

    Examples
    --------
    >>> round(risk_ratio(12, 20, 73, 86).estimate, 3)
    0.707
    """
    level = checked_level(level)
    wilson(k1, n1, level)
    wilson(k2, n2, level)
    if n1 == 0 or n2 == 0 or k1 + k2 == 0:
        reason = Undefined.NO_OBSERVATIONS if n1 == 0 or n2 == 0 else Undefined.NO_EVENTS
        return Contrast(estimate=float("nan"), interval=no_interval(level, "koopman", reason), reason=reason)
    estimate = (k1 / n1) / (k2 / n2) if k2 else math.inf
    low = _koopman_limit(k1, n1, k2, n2, level)
    high = 1 / mirrored if (mirrored := _koopman_limit(k2, n2, k1, n1, level)) > 0 else math.inf
    return Contrast(estimate=estimate, interval=Interval(low=low, high=high, level=level, method="koopman"))


def _koopman_score(theta: float, k1: int, n1: int, k2: int, n2: int) -> float:
    """Return the score statistic of a ratio of rates."""
    # The constrained rate of the second group solves a quadratic.
    a = (n1 + n2) * theta
    b = (n1 + k2) * theta + k1 + n2
    root = math.sqrt(max(0.0, b * b - 4 * a * (k1 + k2)))
    p2 = 2 * (k1 + k2) / (b + root)
    p1 = min(1.0, theta * p2)
    statistic = 0.0
    for k, n, p in ((k1, n1, p1), (k2, n2, min(1.0, p2))):
        if p * (1 - p) > 0:
            statistic += (k - n * p) ** 2 / (n * p * (1 - p))
        elif abs(k - n * p) > 1e-9:
            return math.inf
    return statistic


def _koopman_limit(k1: int, n1: int, k2: int, n2: int, level: float) -> float:
    """Return the lower limit of a ratio of rates."""
    from scipy.optimize import brentq
    from scipy.stats import chi2

    if k1 == 0:
        return 0.0
    quantile = float(chi2.ppf(level, 1))
    start = math.log(k1 / n1) - math.log(max(k2, 0.5) / n2)

    def excess(log_theta: float) -> float:
        return _koopman_score(math.exp(log_theta), k1, n1, k2, n2) - quantile

    upper = start
    while k2 == 0 and excess(upper) > 0:  # with no event in the second group the ratio itself is infinite
        upper += 1.0
    lower = upper - 1.0
    while excess(lower) < 0:
        lower -= 1.0
    return math.exp(float(brentq(excess, lower, upper, xtol=1e-13)))


def odds_ratio(table: ArrayLike, level: float = 0.95) -> Contrast:
    """Return the conditional maximum-likelihood odds ratio with its exact interval.

    It belongs to Fisher's test: given the margins the first cell is Fisher's non-central hypergeometric.

    Parameters
    ----------
    table : array_like of int, shape (2, 2)
        Counts.
    level : float
        Level of confidence.

    Examples
    --------
    >>> found = odds_ratio([[12, 8], [73, 13]])
    >>> print(f"{found.estimate:.3f} ({found.interval.low:.3f} to {found.interval.high:.3f})")
    0.271 (0.082 to 0.920)
    """
    from scipy.stats.contingency import odds_ratio as conditional

    counts = _table(table)
    level = checked_level(level)
    if counts.shape != (2, 2):
        raise ValueError("an odds ratio is of two rows and two columns")
    if _empty_margin(counts):
        nothing = no_interval(level, "conditional-exact", Undefined.EMPTY_MARGIN)
        return Contrast(estimate=float("nan"), interval=nothing, reason=Undefined.EMPTY_MARGIN)
    found = conditional(counts)
    limits = found.confidence_interval(level)
    interval = Interval(low=float(limits.low), high=float(limits.high), level=level, method="conditional-exact")
    return Contrast(estimate=float(found.statistic), interval=interval)
