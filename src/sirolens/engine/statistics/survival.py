# SPDX-License-Identifier: Apache-2.0
"""Time to an event that not everybody has had: Kaplan-Meier, log-rank and competing risks.

Events come before censorings of the same time, and ties are ties: nothing is moved by a random amount.
Oracles: hand-made tables, SciPy's and statsmodels' estimators, closed forms without censoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import (
    Array,
    Interval,
    Test,
    Undefined,
    checked_level,
    finite,
    no_interval,
    no_test,
)

__all__ = [
    "CumulativeIncidence",
    "Incidence",
    "KaplanMeier",
    "cumulative_incidence",
    "kaplan_meier",
    "log_rank",
]

_ROUNDING = 1e-12  # a product of fractions that equals 1/2 may miss it by so much
_WIDEST = 50.0  # on the log-log scale: the limits are 0 and 1 to the last digit, and nothing overflows


def _times(time: ArrayLike) -> Array:
    found = finite(time, "time")
    if np.any(found < 0):
        raise ValueError("a time to an event is not negative")
    return found


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def _counts(time: Array, happened: NDArray[np.bool_]) -> tuple[Array, Array, Array, Array]:
    """Return the distinct times with how many were at risk, had the event and were censored at each."""
    at, where = np.unique(time, return_inverse=True)
    here: Array = np.bincount(where, minlength=at.size).astype(np.float64)
    events: Array = np.bincount(where[happened], minlength=at.size).astype(np.float64)
    at_risk: Array = here[::-1].cumsum()[::-1]
    return at, at_risk, events, here - events


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KaplanMeier:
    """A survival curve in steps.

    Parameters
    ----------
    time : ndarray, shape (k,)
        Distinct times of events and censorings, increasing.
    at_risk, events, censored : ndarray, shape (k,)
        How many just before, and at, each time.
    survival : ndarray, shape (k,)
        Probability to be free of the event after each time.
    se : ndarray, shape (k,)
        Greenwood's standard error of it.
    low, high : ndarray, shape (k,)
        Pointwise limits; before the first event and after the last patient they are the curve itself or nan.
    n : int
        Patients.
    median : float
        The first time at which the curve is at or below one half; nan when it never is.
    median_interval : Interval
        Its Brookmeyer-Crowley interval; an upper limit not reached is infinite with the reason.
    level : float
        Level of confidence.
    reason : Undefined, optional
        Why there is no curve, or no event on it.
    """

    time: Array
    at_risk: Array
    events: Array
    censored: Array
    survival: Array
    se: Array
    low: Array
    high: Array
    n: int
    median: float
    median_interval: Interval
    level: float
    reason: Undefined | None = None

    def at(self, time: float) -> float:
        """Return the survival at a time: nan after the last time unless the curve has reached zero."""
        return float(self._step(self.survival, 1.0, time))

    def interval_at(self, time: float) -> Interval:
        """Return the pointwise interval of the survival at a time."""
        low, high = float(self._step(self.low, 1.0, time)), float(self._step(self.high, 1.0, time))
        return Interval(low=low, high=high, level=self.level, method="greenwood-log-log")

    def at_risk_at(self, time: float) -> int:
        """Return how many were still under observation just before a time."""
        later = self.time >= time
        return int(self.at_risk[later][0]) if later.any() else 0

    def _step(self, values: Array, before: float, time: float) -> float:
        if self.n == 0:
            return float("nan")
        position = int(np.searchsorted(self.time, time, side="right")) - 1
        if position < 0:
            return before
        if time > self.time[-1] and self.survival[-1] > 0:
            return float("nan")
        return float(values[position])


def _log_log(survival: Array, se: Array, z: float) -> tuple[Array, Array]:
    """Return the limits on the scale log(-log S); at 0 and 1, where the scale ends, they are nan and 1."""
    low, high = np.full_like(survival, np.nan), np.full_like(survival, np.nan)
    inside = (survival > 0) & (survival < 1)
    log_s = np.log(survival[inside])
    width = np.minimum(_WIDEST, z * se[inside] / (survival[inside] * np.abs(log_s)))
    low[inside], high[inside] = survival[inside] ** np.exp(width), survival[inside] ** np.exp(-width)
    certain = survival == 1
    low[certain] = high[certain] = 1.0
    return low, high


def kaplan_meier(time: ArrayLike, event: ArrayLike, level: float = 0.95) -> KaplanMeier:
    r"""Return the Kaplan-Meier curve with Greenwood's variance, log-log limits and the median.

    .. math:: S(t) = \prod_{t_i \le t} \Bigl(1 - \frac{d_i}{n_i}\Bigr), \qquad
        \widehat{\mathrm{Var}}\, S(t) = S(t)^2 \sum_{t_i \le t} \frac{d_i}{n_i (n_i - d_i)}

    The interval of the median holds the times at which one half lies inside the pointwise limits (Brookmeyer and
    Crowley, with the log-log transformation).

    Parameters
    ----------
    time : array_like, shape (n,)
        Time to the event or to the last observation; not negative.
    event : array_like of bool, shape (n,)
        Whether the event was seen.
    level : float
        Level of confidence.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481; Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.

    Examples
    --------
    >>> curve = kaplan_meier([6, 6, 6, 7, 10], [1, 1, 0, 1, 0])
    >>> curve.survival.round(3).tolist(), curve.median
    ([0.6, 0.3, 0.3], 7.0)
    """
    level = checked_level(level)
    times = _times(time)
    happened = np.asarray(event, dtype=bool)
    if happened.shape != times.shape:
        raise ValueError("as many times as events")
    at, at_risk, events, censored = _counts(times, happened)
    survival: Array = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    terms = np.divide(events, at_risk * (at_risk - events), out=np.full_like(events, np.inf), where=at_risk > events)
    with np.errstate(invalid="ignore"):
        se = np.where(survival > 0, survival * np.sqrt(np.cumsum(terms)), 0.0)
    low, high = _log_log(survival, se, _normal_quantile(level))
    median, median_interval = _median(at, survival, low, high, level)
    reason = None
    if not happened.any():
        reason = Undefined.NO_EVENTS if times.size else Undefined.NO_OBSERVATIONS
    return KaplanMeier(
        time=at,
        at_risk=at_risk,
        events=events,
        censored=censored,
        survival=survival,
        se=se,
        low=low,
        high=high,
        n=times.size,
        median=median,
        median_interval=median_interval,
        level=level,
        reason=reason,
    )


def _median(at: Array, survival: Array, low: Array, high: Array, level: float) -> tuple[float, Interval]:
    """Return where the curve, and its limits, first are at or below one half."""
    method = "brookmeyer-crowley-log-log"
    if not at.size:
        return float("nan"), no_interval(level, method, Undefined.NO_OBSERVATIONS)
    # After the last patient had the event the curve is zero, and so are its limits.
    gone = survival <= 0
    first = [
        float(at[below][0]) if (below := (values <= 0.5 + _ROUNDING) | gone).any() else float("nan")
        for values in (survival, low, high)
    ]
    median, earliest, latest = first
    if np.isnan(earliest):
        return median, no_interval(level, method, Undefined.NOT_REACHED)
    if np.isnan(latest):
        found = Interval(low=earliest, high=float("inf"), level=level, method=method, reason=Undefined.NOT_REACHED)
        return median, found
    return median, Interval(low=earliest, high=latest, level=level, method=method)


def log_rank(time: ArrayLike, event: ArrayLike, group: Sequence[object] | NDArray[np.generic]) -> Test:
    r"""Return the log-rank test of two or more groups.

    Observed minus expected events, :math:`\sum_i (d_{gi} - n_{gi} d_i / n_i)`, against their hypergeometric covariance;
    chi-square with one degree of freedom less than groups.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As for `kaplan_meier`.
    group : sequence, shape (n,)
        Which group each patient is in.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163-170.

    Examples
    --------
    >>> test = log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], ["a", "a", "a", "b", "b", "b"])
    >>> round(test.statistic, 3), test.df
    (5.052, 1.0)
    """
    from scipy.stats import chi2

    times = _times(time)
    happened = np.asarray(event, dtype=bool)
    names, member = np.unique(np.asarray(group), return_inverse=True)
    if happened.shape != times.shape or member.shape != times.shape:
        raise ValueError("as many times as events and groups")
    if not times.size:
        return no_test("log-rank", Undefined.NO_OBSERVATIONS)
    if names.size < 2:
        return no_test("log-rank", Undefined.ONE_GROUP)
    if not happened.any():
        return no_test("log-rank", Undefined.NO_EVENTS)
    difference, covariance = _log_rank_score(times, happened, member, names.size)
    # The differences sum to zero, so the last group adds nothing; a group never at risk with another is no evidence.
    used = np.flatnonzero(np.diag(covariance) > _ROUNDING)
    if used.size < 2:
        return no_test("log-rank", Undefined.NOT_IDENTIFIED)
    reduced = covariance[np.ix_(used, used)]
    statistic = float(difference[used] @ np.linalg.pinv(reduced, hermitian=True) @ difference[used])
    df = float(np.linalg.matrix_rank(reduced, hermitian=True))
    return Test(statistic=statistic, p_value=float(chi2.sf(statistic, df)), method="log-rank", df=df)


def _log_rank_score(
    times: Array, happened: NDArray[np.bool_], member: NDArray[np.intp], groups: int
) -> tuple[Array, Array]:
    difference, covariance = np.zeros(groups), np.zeros((groups, groups))
    for t in np.unique(times[happened]):
        at_risk = np.bincount(member[times >= t], minlength=groups).astype(np.float64)
        events = np.bincount(member[(times == t) & happened], minlength=groups).astype(np.float64)
        n, d = at_risk.sum(), events.sum()
        difference += events - d * at_risk / n
        if n > 1:
            share = at_risk / n
            covariance += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    return difference, covariance


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incidence:
    """The probability of one cause of failure over time.

    Parameters
    ----------
    cause : int
        Its code.
    events : ndarray, shape (k,)
        How many at each time.
    incidence : ndarray, shape (k,)
        Probability to have failed from it by each time.
    se : ndarray, shape (k,)
        Standard error of it.
    low, high : ndarray, shape (k,)
        Pointwise log-log limits.
    """

    cause: int
    events: Array
    incidence: Array
    se: Array
    low: Array
    high: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CumulativeIncidence:
    """Competing risks: each cause's probability over time.

    Parameters
    ----------
    time : ndarray, shape (k,)
        Distinct times, increasing.
    at_risk, censored : ndarray, shape (k,)
        How many just before, and censored at, each time.
    survival : ndarray, shape (k,)
        Probability to be free of every cause.
    causes : tuple of Incidence
        One a cause asked for, in that order.
    n : int
        Patients.
    reason : Undefined, optional
        Why there is nothing to show.
    """

    time: Array
    at_risk: Array
    censored: Array
    survival: Array
    causes: tuple[Incidence, ...]
    n: int
    level: float
    reason: Undefined | None = None

    def at(self, cause: int, time: float) -> float:
        """Return the probability to have failed from a cause by a time; nan beyond the last observation."""
        (found,) = (each for each in self.causes if each.cause == cause)
        position = int(np.searchsorted(self.time, time, side="right")) - 1
        if self.n == 0 or (time > self.time[-1] and self.survival[-1] > 0):
            return float("nan")
        return float(found.incidence[position]) if position >= 0 else 0.0


def cumulative_incidence(
    time: ArrayLike, cause: ArrayLike, *, causes: Sequence[int] | None = None, level: float = 0.95
) -> CumulativeIncidence:
    r"""Return the Aalen-Johansen estimate of each cause's cumulative incidence, with its variance.

    .. math:: F_k(t) = \sum_{t_i \le t} S(t_{i-1}) \frac{d_{ki}}{n_i}

    and, by the delta method (Marubini and Valsecchi),

    .. math:: \widehat{\mathrm{Var}}\, F_k(t) = \sum_{t_i \le t} \Bigl\{ [F_k(t)-F_k(t_i)]^2 \frac{d_i}{n_i(n_i-d_i)}
        + S(t_{i-1})^2 \frac{d_{ki}(n_i-d_{ki})}{n_i^3} - 2 [F_k(t)-F_k(t_i)] S(t_{i-1}) \frac{d_{ki}}{n_i^2} \Bigr\}

    Several causes at one time are counted as they are; one minus Kaplan-Meier per cause would overstate each.

    Parameters
    ----------
    time : array_like, shape (n,)
        Time to the first failure or the last observation.
    cause : array_like of int, shape (n,)
        0 for censored, 1, 2 ... for what happened first.
    causes : sequence of int, optional
        Which to return; by default those that happened.
    level : float
        Level of confidence.

    Examples
    --------
    >>> found = cumulative_incidence([1, 2, 2, 3, 4], [1, 2, 1, 0, 1])
    >>> [one.incidence.round(3).tolist() for one in found.causes]
    [[0.2, 0.4, 0.4, 0.8], [0.0, 0.2, 0.2, 0.2]]
    """
    level = checked_level(level)
    times = _times(time)
    codes = np.asarray(cause)
    if codes.shape != times.shape or np.any(codes != codes.astype(np.int64)) or np.any(codes < 0):
        raise ValueError("as many causes as times; 0 for censored, 1, 2 ... for what happened")
    at, at_risk, events, censored = _counts(times, codes > 0)
    survival: Array = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    before: Array = np.concatenate([[1.0], survival])[:-1]
    wanted = sorted({int(c) for c in codes if c > 0}) if causes is None else list(causes)
    z = _normal_quantile(level)
    found = []
    for code in wanted:
        here = np.array([np.sum((times == t) & (codes == code)) for t in at], dtype=np.float64)
        incidence = np.cumsum(before * here / at_risk)
        se = np.sqrt(np.maximum(0.0, _incidence_variance(incidence, before, at_risk, events, here)))
        low, high = _log_log(incidence, se, z)
        low[incidence == 0] = high[incidence == 0] = 0.0  # where nothing has happened, the estimate itself
        low[incidence > 1 - _ROUNDING] = high[incidence > 1 - _ROUNDING] = np.nan
        found.append(Incidence(cause=code, events=here, incidence=incidence, se=se, low=low, high=high))
    reason = None
    if not np.any(codes > 0):
        reason = Undefined.NO_EVENTS if times.size else Undefined.NO_OBSERVATIONS
    return CumulativeIncidence(
        time=at,
        at_risk=at_risk,
        censored=censored,
        survival=survival,
        causes=tuple(found),
        n=times.size,
        level=level,
        reason=reason,
    )


def _incidence_variance(F: Array, S_before: Array, n: Array, d: Array, d_k: Array) -> Array:
    """Return the variance of a cumulative incidence at each time, in the letters of `cumulative_incidence`."""
    # Where all at risk fail at once the hazard is infinite, but the curve rises no more: the product is zero.
    hazard = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    own = S_before**2 * d_k * (n - d_k) / n**3
    cross = S_before * d_k / n**2
    variance = np.empty_like(F)
    for j in range(F.size):
        rise = F[j] - F[: j + 1]
        variance[j] = np.sum(rise**2 * hazard[: j + 1] + own[: j + 1] - 2 * rise * cross[: j + 1])
    return variance
