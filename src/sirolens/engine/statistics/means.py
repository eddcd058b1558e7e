# SPDX-License-Identifier: Apache-2.0
"""Means and what a table of patients says of a quantity: summaries, Welch's and paired t, a mixed model of visits.

Oracles: SciPy, hand-made numbers, the closed form of a balanced random-intercept model, statsmodels' mixed model.
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

__all__ = ["Course", "Description", "MeanDifference", "describe", "mixed_model", "paired_t", "welch"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A quantity in a group, as a table 1 shows it.

    Parameters
    ----------
    n : int
        Patients.
    mean, sd : float
        With n - 1 in the denominator of the standard deviation.
    median, q1, q3 : float
        Quartiles by linear interpolation between order statistics (R's type 7, NumPy's default).
    least, most : float
        The range.
    """

    n: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    least: float
    most: float


def describe(values: ArrayLike) -> Description:
    """Return the summary of a group; what it has too few patients for is nan.

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite values; missing ones are left out, and counted, by the caller.

    Examples
    --------
    >>> found = describe([5.0, 6.0, 8.0, 9.0])
    >>> found.mean, found.median, found.q1, found.q3
    (7.0, 7.0, 5.75, 8.25)
    """
    found = finite(values)
    n = found.size
    if n == 0:
        nan = float("nan")
        return Description(n=0, mean=nan, sd=nan, median=nan, q1=nan, q3=nan, least=nan, most=nan)
    least, q1, median, q3, most = (float(q) for q in np.quantile(found, [0, 0.25, 0.5, 0.75, 1]))
    sd = float(found.std(ddof=1)) if n > 1 else float("nan")
    return Description(n=n, mean=float(found.mean()), sd=sd, median=median, q1=q1, q3=q3, least=least, most=most)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    """A difference of means with its t test.

    Parameters
    ----------
    difference : float
        First less second, or the mean of paired differences.
    interval : Interval
        Of it.
    t, df, p_value : float
        The test that it is zero, two-sided.
    n : tuple of int
        Patients of each group, or pairs.
    method : str
        ``"welch"`` or ``"paired-t"``.
    reason : Undefined, optional
        Why there is no test.
    """

    difference: float
    interval: Interval
    t: float
    df: float
    p_value: float
    n: tuple[int, ...]
    method: str
    reason: Undefined | None = None


def _by_t(difference: float, se: float, df: float, level: float, n: tuple[int, ...], method: str) -> MeanDifference:
    from scipy.stats import t as student

    t = difference / se
    width = float(student.ppf((1 + level) / 2, df)) * se
    return MeanDifference(
        difference=difference,
        interval=Interval(low=difference - width, high=difference + width, level=level, method=method),
        t=t,
        df=df,
        p_value=2 * float(student.sf(abs(t), df)),
        n=n,
        method=method,
    )


def _no_test(difference: float, level: float, n: tuple[int, ...], method: str, reason: Undefined) -> MeanDifference:
    nan = float("nan")
    nothing = no_interval(level, method, reason)
    return MeanDifference(
        difference=difference, interval=nothing, t=nan, df=nan, p_value=nan, n=n, method=method, reason=reason
    )


def welch(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> MeanDifference:
    r"""Return Welch's t test of two independent groups, which need no equal variances.

    :math:`t = (\bar x-\bar y)/\sqrt{v_x+v_y}`, :math:`v = s^2/n`, with Satterthwaite's degrees of freedom
    :math:`(v_x+v_y)^2/(v_x^2/(m-1)+v_y^2/(n-1))`.

    Parameters
    ----------
    x, y : array_like, shape (m,), (n,)
        The groups; two patients each at least.
    level : float
        Level of confidence.

    References
    ----------
    Welch BL. Biometrika 1947;34:28-35.

    Examples
    --------
    >>> found = welch([5.0, 6.0, 7.0], [1.0, 2.0, 6.0])
    >>> print(f"{found.difference:.1f}, t {found.t:.3f}, df {found.df:.2f}")
    3.0, t 1.837, df 2.56
    """
    first, second = finite(x, "x"), finite(y, "y")
    level = checked_level(level)
    n = (first.size, second.size)
    if min(n) == 0:
        return _no_test(float("nan"), level, n, "welch", Undefined.NO_OBSERVATIONS)
    difference = float(first.mean() - second.mean())
    if min(n) < 2:
        return _no_test(difference, level, n, "welch", Undefined.TOO_FEW)
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return _no_test(difference, level, n, "welch", Undefined.ALL_EQUAL)
    v_x, v_y = float(first.var(ddof=1)) / n[0], float(second.var(ddof=1)) / n[1]
    share = v_x / (v_x + v_y)  # as a share, tiny variances do not underflow
    df = 1 / (share**2 / (n[0] - 1) + (1 - share) ** 2 / (n[1] - 1))
    return _by_t(difference, math.sqrt(v_x + v_y), df, level, n, "welch")


def paired_t(difference: ArrayLike, level: float = 0.95) -> MeanDifference:
    r"""Return the t test of paired differences, :math:`t = \bar d/(s_d/\sqrt n)`.

    Parameters
    ----------
    difference : array_like, shape (n,)
        After minus before; two pairs at least.
    level : float
        Level of confidence.

    Examples
    --------
    >>> found = paired_t([1.0, 2.0, 3.0])
    >>> print(f"t {found.t:.3f}, P {found.p_value:.3f}")
    t 3.464, P 0.074
    """
    values = finite(difference, "difference")
    level = checked_level(level)
    n = (values.size,)
    if values.size == 0:
        return _no_test(float("nan"), level, n, "paired-t", Undefined.NO_OBSERVATIONS)
    mean = float(values.mean())
    if values.size < 2:
        return _no_test(mean, level, n, "paired-t", Undefined.TOO_FEW)
    if np.ptp(values) == 0:
        return _no_test(mean, level, n, "paired-t", Undefined.ALL_EQUAL)
    se = float(values.std(ddof=1)) / math.sqrt(values.size)
    return _by_t(mean, se, values.size - 1, level, n, "paired-t")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a quantity changes over repeated visits: a straight line with an intercept of each patient's own.

    Parameters
    ----------
    intercept, slope : float
        At time 0, and per unit of time.
    slope_interval : Interval
        Of the slope.
    slope_p_value : float
        That it is zero, two-sided.
    df : float
        Degrees of freedom of both: visits less patients less 1.
    between_sd, within_sd : float
        Standard deviation of the patients' intercepts, and of a visit around its patient's line.
    patients, visits : int
        How many.
    boundary : bool
        The patients' intercepts do not differ beyond the visits' scatter: their variance is estimated as zero.
    reason : Undefined, optional
        Why there is no model.
    """

    intercept: float
    slope: float
    slope_interval: Interval
    slope_p_value: float
    df: float
    between_sd: float
    within_sd: float
    patients: int
    visits: int
    boundary: bool = False
    reason: Undefined | None = None


def mixed_model(values: ArrayLike, patient: NDArray[np.generic], time: ArrayLike, level: float = 0.95) -> Course:
    r"""Return the random-intercept model of repeated visits by restricted maximum likelihood.

    :math:`y_{ij} = \alpha + \beta t_{ij} + b_i + \varepsilon_{ij}`, :math:`b_i \sim N(0, \tau^2)`,
    :math:`\varepsilon_{ij} \sim N(0, \sigma^2)`. Patients with a single visit count; visits missing at random bias
    nothing. The degrees of freedom are those within patients, exact when everybody has the same visits.

    Parameters
    ----------
    values : array_like, shape (k,)
        One a visit.
    patient : ndarray, shape (k,)
        Whose visit.
    time : array_like, shape (k,)
        When.
    level : float
        Level of confidence.

    References
    ----------
    Laird NM, Ware JH. Biometrics 1982;38:963-974.

    Examples
    --------
    >>> patient = np.repeat(["a", "b", "c"], 3)
    >>> found = mixed_model([5.0, 6.1, 7.1, 4.0, 4.8, 6.0, 7.0, 8.2, 8.9], patient, [0, 1, 2] * 3)
    >>> round(found.slope, 3)
    1.0
    """
    y, when, who = finite(values), finite(time, "time"), np.asarray(patient)
    level = checked_level(level)
    if not y.shape == when.shape == who.shape:
        raise ValueError("as many values as patients and times")
    names, member, visits_each = np.unique(who, return_inverse=True, return_counts=True)
    if y.size == 0:
        return _no_course(level, 0, 0, Undefined.NO_OBSERVATIONS)
    if np.ptp(when) == 0 or np.ptp(y) == 0:
        return _no_course(level, names.size, y.size, Undefined.ALL_EQUAL)
    if names.size < 3 or visits_each.max() < 2 or y.size < names.size + 3:
        return _no_course(level, names.size, y.size, Undefined.TOO_FEW)
    return _restricted_likelihood(y, member, when, level)


def _no_course(level: float, patients: int, visits: int, reason: Undefined) -> Course:
    nan = float("nan")
    return Course(
        intercept=nan,
        slope=nan,
        slope_interval=no_interval(level, "t-reml", reason),
        slope_p_value=nan,
        df=nan,
        between_sd=nan,
        within_sd=nan,
        patients=patients,
        visits=visits,
        reason=reason,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grouped:
    """Sums a random-intercept likelihood is made of: of all visits, and of each patient's."""

    cross: Array  # (3, 3): sums of products of 1, t and y
    own: Array  # (patients, 3): each patient's sums of 1, t and y
    visits: int


def _criterion(ratio: float, sums: _Grouped) -> tuple[float, Array, float, Array]:
    """Return -2 log restricted likelihood at tau^2/sigma^2, with the fixed effects, sigma^2 and their precision."""
    each = sums.own[:, 0]
    shrink = ratio / (1 + ratio * each)
    products = sums.cross - (sums.own * shrink[:, None]).T @ sums.own
    precision, target = products[:2, :2], products[:2, 2]
    beta: Array = np.asarray(np.linalg.solve(precision, target), dtype=np.float64)
    df = sums.visits - 2
    sigma2 = max(float(products[2, 2] - target @ beta) / df, 1e-300)
    value = (
        df * math.log(sigma2)
        + float(np.log1p(ratio * each).sum())
        + math.log(max(float(np.linalg.det(precision)), 1e-300))
    )
    return value, beta, sigma2, precision


def _restricted_likelihood(y: Array, member: NDArray[np.intp], when: Array, level: float) -> Course:
    """Fit the model on unit scales; given the ratio of variances everything else has a closed form."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import t as student

    # One search along one line cannot fail where general optimisers do: at a variance of zero.
    centre, scale, middle, unit = float(y.mean()), float(y.std()), float(when.mean()), float(when.std())
    columns = np.column_stack([np.ones_like(y), (when - middle) / unit, (y - centre) / scale])
    patients = int(member.max()) + 1
    own = np.zeros((patients, 3))
    np.add.at(own, member, columns)
    sums = _Grouped(cross=columns.T @ columns, own=own, visits=y.size)
    grid = np.linspace(math.log(1e-6), math.log(1e8), 65)
    values = [_criterion(math.exp(g), sums)[0] for g in grid]
    best = min(max(int(np.argmin(values)), 1), grid.size - 2)
    found = minimize_scalar(
        lambda g: _criterion(math.exp(g), sums)[0],
        bounds=(float(grid[best - 1]), float(grid[best + 1])),
        method="bounded",
        options={"xatol": 1e-9},
    )
    boundary = bool(_criterion(0.0, sums)[0] <= float(found.fun) + 1e-9)
    ratio = 0.0 if boundary else math.exp(float(found.x))
    _, beta, sigma2, precision = _criterion(ratio, sums)
    slope, se = float(beta[1]), math.sqrt(sigma2 * float(np.linalg.inv(precision)[1, 1]))
    # The slope is estimated within patients, and so are its degrees of freedom; exact when visits are balanced.
    df = y.size - patients - 1
    width, per_time = float(student.ppf((1 + level) / 2, df)) * se, scale / unit
    return Course(
        intercept=centre + scale * (float(beta[0]) - slope * middle / unit),
        slope=slope * per_time,
        slope_interval=Interval(
            low=(slope - width) * per_time, high=(slope + width) * per_time, level=level, method="t-reml"
        ),
        slope_p_value=2 * float(student.sf(abs(slope / se), df)),
        df=float(df),
        between_sd=math.sqrt(ratio * sigma2) * scale,
        within_sd=math.sqrt(sigma2) * scale,
        patients=patients,
        visits=y.size,
        boundary=boundary,
    )
