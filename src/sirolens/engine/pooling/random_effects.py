# SPDX-License-Identifier: Apache-2.0
"""One number from several studies: the pooled effect, its intervals, what a new study may show, and how studies differ.

Meta-regression is the same with more columns. Oracles: closed forms, printed tables, statsmodels, PyMARE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.between import Between, Tau2Method, between
from sirolens.engine.pooling.heterogeneity import Heterogeneity, heterogeneity
from sirolens.engine.pooling.weighted import checked_studies, sizes, weighted
from sirolens.engine.statistics.interval import Array, Interval, Test, Undefined, checked_level, no_interval, no_test

__all__ = ["Effects", "Spread", "Width", "coefficient_interval", "predicted", "prediction_interval", "random_effects"]


_ROUNDING = 1e-26  # (some hundred units in the last place) squared


class Width(StrEnum):
    """How wide an interval of a pooled effect is made."""

    WALD = "wald"  # normal quantiles; the variance between taken as known
    KNAPP_HARTUNG = "knapp-hartung"  # t(k-p), the error rescaled by how studies scatter
    KNAPP_HARTUNG_FLOOR = "knapp-hartung-floor"  # the same, but the error never below Wald's


class Spread(StrEnum):
    """Which quantile a prediction interval takes."""

    Z = "z"
    T_K_1 = "t(k-1)"  # in meta-regression t(k-p)
    T_K_2 = "t(k-2)"  # Higgins, Thompson and Spiegelhalter; in meta-regression t(k-p-1)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """A pooled effect, or the coefficients of a meta-regression.

    Parameters
    ----------
    b, se : Array, shape (p,)
        Coefficients and their errors as `width` makes them.
    cov : Array, shape (p, p)
        Covariance of the coefficients, as `width` makes it.
    intervals : tuple of Interval
        Of the coefficients.
    tests : tuple of Test
        Of each coefficient against 0.
    omnibus : Test
        QM: all coefficients but the first are 0 (with one coefficient: that it is 0).
        Chi-square with Wald, F otherwise.
    between : Between
    heterogeneity : Heterogeneity
    weights : Array, shape (k,)
        Shares of the weight, summing to 1.
    scale : float
        s, by which Knapp and Hartung multiply Wald's error.
    width : Width
    df : float
        Degrees of freedom of the t quantile; infinite with Wald.
    k, p : int
        Studies and coefficients.
    level : float
    reason : Undefined, optional
        Why there is no estimate, or no interval.
    """

    b: Array
    se: Array
    cov: Array
    intervals: tuple[Interval, ...]
    tests: tuple[Test, ...]
    omnibus: Test
    between: Between
    heterogeneity: Heterogeneity
    weights: Array
    scale: float
    width: Width
    df: float
    k: int
    p: int
    level: float
    reason: Undefined | None = None

    @property
    def estimate(self) -> float:
        """The first coefficient: the pooled effect when there is one column."""
        return float(self.b[0])

    @property
    def interval(self) -> Interval:
        """Of the first coefficient."""
        return self.intervals[0]

    @property
    def tau2(self) -> float:
        """Variance between studies."""
        return self.between.tau2


def random_effects(
    y: ArrayLike,
    v: ArrayLike,
    X: ArrayLike | None = None,
    *,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    tau2: float | None = None,
    level: float = 0.95,
) -> Effects:
    r"""Return effects pooled by inverse variance, with the variance between studies estimated or given.

    .. math::
        b = (X'WX)^{-1}X'Wy, \quad \operatorname{cov} b = s^2 (X'WX)^{-1}, \quad w_i = \frac1{v_i+\hat\tau^2}, \quad
        s^2 = \frac{y'Py}{k-p}

    with :math:`s = 1` and normal quantiles for Wald, :math:`\max(1, s)` for Knapp and Hartung with floor, and t(k-p)
    quantiles for both kinds of Knapp and Hartung.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and their variances.
    X : array_like, shape (k, p), optional
        The design with its column of ones.
    method : str
        One of `Tau2Method`.
    width : str
        One of `Width`.
    tau2 : float, optional
        A variance between studies that is given, not estimated.
    level : float

    References
    ----------
    Knapp G, Hartung J. Stat Med 2003;22:2693-2710. Roever C et al. BMC Med Res Methodol 2015;15:99 (the floor).

    Examples
    --------
    Two studies, 12/20 and 73/86, on the logit scale: not enough to say anything.

    >>> fit = random_effects([0.4054651081, 1.7254519826], [0.2083333333, 0.0906217070])
    >>> print(f"{fit.estimate:.2f} from {fit.interval.low:.2f} to {fit.interval.high:.2f}")
    1.11 from -7.26 to 9.48
    """
    effects, variances, design = checked_studies(y, v, X)
    level, wide, rule = checked_level(level), Width(width), Tau2Method(method)
    k, p = sizes(design)
    found = between(effects, variances, design, rule)
    if tau2 is not None:
        if not (np.isfinite(tau2) and tau2 >= 0):
            raise ValueError(f"a variance between studies is not negative, not {tau2}")
        found = Between(tau2=float(tau2), method=rule)
    # One study, or as many as coefficients: its own effect is all there is, no variance between can be told.
    used = found.tau2 if np.isfinite(found.tau2) else 0.0
    if k < p:
        return _nothing(k, p, found, wide, level, design)
    fit = weighted(effects, variances, design, used)
    # What is left of studies that are equal is rounding, and must not look like scatter.
    flat_rss = fit.rss <= _ROUNDING * float(fit.weights @ effects**2)
    scale = _scale(0.0 if flat_rss else fit.rss, k - p, wide)
    cov = fit.cov * scale**2
    df = float(k - p) if wide is not Width.WALD else float("inf")
    share = fit.weights / fit.weights.sum()
    errors = np.sqrt(np.diag(cov))
    pairs = [(float(b), float(se)) for b, se in zip(fit.b, errors, strict=True)]
    reason = found.reason or (Undefined.ALL_EQUAL if scale == 0 else None)
    flat = reason if np.isnan(scale) or scale == 0 else None
    return Effects(
        b=fit.b,
        se=errors,
        cov=cov,
        intervals=tuple(coefficient_interval(b, se, df, level, wide, flat) for b, se in pairs),
        tests=tuple(_against_zero(b, se, df, wide) for b, se in pairs),
        omnibus=_omnibus(fit.b, cov, df, wide),
        between=found,
        heterogeneity=heterogeneity(effects, variances, design, used),
        weights=share,
        scale=scale,
        width=wide,
        df=df,
        k=k,
        p=p,
        level=level,
        reason=reason,
    )


def _scale(rss: float, df: int, width: Width) -> float:
    if width is Width.WALD:
        return 1.0
    if df < 1:
        return nan
    scale = float(np.sqrt(rss / df))
    return max(1.0, scale) if width is Width.KNAPP_HARTUNG_FLOOR else scale


def _quantile(level: float, df: float) -> float:
    from scipy.special import ndtri, stdtrit

    return float(ndtri((1 + level) / 2) if np.isinf(df) else stdtrit(df, (1 + level) / 2))


def coefficient_interval(
    b: float, se: float, df: float, level: float, width: str, reason: Undefined | None = None
) -> Interval:
    """Return an interval of t or normal quantiles around an estimate; none when it has a reason not to be.

    >>> coefficient_interval(0.0, 1.0, float("inf"), 0.95, "wald").high
    1.959963984540054
    """
    if reason is not None or df < 1:
        return no_interval(level, str(width), reason or Undefined.TOO_FEW)
    half = _quantile(level, df) * se
    return Interval(low=b - half, high=b + half, level=level, method=str(width))


def _against_zero(b: float, se: float, df: float, width: Width) -> Test:
    from scipy.special import ndtr, stdtr

    if df < 1 or not se > 0:
        return no_test(str(width), Undefined.TOO_FEW if df < 1 else Undefined.ALL_EQUAL)
    value = b / se
    tail = float(ndtr(-abs(value)) if np.isinf(df) else stdtr(df, -abs(value)))
    return Test(statistic=value, p_value=2 * tail, method=str(width), df=None if np.isinf(df) else df)


def _omnibus(b: Array, cov: Array, df: float, width: Width) -> Test:
    from scipy.stats import chi2
    from scipy.stats import f as f_distribution

    which = slice(1, None) if b.size > 1 else slice(None)
    tested, block = b[which], cov[which, which]
    if df < 1 or not np.all(np.diag(block) > 0):
        return no_test("QM", Undefined.TOO_FEW if df < 1 else Undefined.ALL_EQUAL)
    value = float(tested @ np.linalg.solve(block, tested))
    if np.isinf(df):
        p_value, name = float(chi2.sf(value, tested.size)), "QM-chi2"
    else:
        value /= tested.size
        p_value, name = float(f_distribution.sf(value, tested.size, df)), "QM-F"
    return Test(statistic=value, p_value=p_value, method=name, df=float(tested.size))


def _nothing(k: int, p: int, found: Between, width: Width, level: float, design: Array) -> Effects:
    gap = np.full(p, nan)
    reason = Undefined.NO_OBSERVATIONS if k == 0 else Undefined.NOT_IDENTIFIED
    return Effects(
        b=gap,
        se=gap,
        cov=np.full((p, p), nan),
        intervals=(no_interval(level, str(width), reason),) * p,
        tests=(no_test(str(width), reason),) * p,
        omnibus=no_test("QM", reason),
        between=found,
        heterogeneity=heterogeneity(np.empty(0), np.empty(0), design[:0], 0.0),
        weights=np.full(k, nan),
        scale=nan,
        width=width,
        df=nan,
        k=k,
        p=p,
        level=level,
        reason=reason,
    )


def prediction_interval(fit: Effects, spread: str = Spread.T_K_2) -> Interval:
    r"""Return where the true effect of a new study may lie.

    .. math:: b \pm q \sqrt{\hat\tau^2 + \operatorname{se}^2}

    with a normal quantile, t(k-1) or t(k-2): software differs, so it is said. With t(k-2) two studies give none.

    Parameters
    ----------
    fit : Effects
        With one column; for others see `predicted`.
    spread : str
        One of `Spread`.

    References
    ----------
    Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159.

    Examples
    --------
    >>> fit = random_effects([0.4, 1.7], [0.2, 0.1])
    >>> prediction_interval(fit).reason
    <Undefined.TOO_FEW: 'too-few'>
    """
    return predicted(fit, np.eye(fit.p)[0], spread)[1]


def predicted(fit: Effects, x: ArrayLike, spread: str = Spread.T_K_2) -> tuple[Interval, Interval]:
    """Return the interval of the mean effect at covariates x, and the prediction interval there.

    Parameters
    ----------
    fit : Effects
    x : array_like, shape (p,)
        A row of the design.
    spread : str
        One of `Spread`.

    Examples
    --------
    >>> fit = random_effects([0.0, 1.0, 2.1, 2.9], [0.1] * 4, [[1, 0], [1, 1], [1, 2], [1, 3]])
    >>> about, ahead = predicted(fit, [1, 1.5])
    >>> ahead.low < about.low < 1.5 < about.high < ahead.high
    True
    """
    row = np.asarray(x, dtype=np.float64)
    kind = Spread(spread)
    name = f"prediction-{kind}"
    mean, variance = float(row @ fit.b), float(row @ fit.cov @ row)
    flat = fit.reason if np.isnan(fit.scale) or fit.scale == 0 else None
    about = coefficient_interval(mean, float(np.sqrt(variance)), fit.df, fit.level, fit.width, flat)
    df = {Spread.Z: float("inf"), Spread.T_K_1: float(fit.k - fit.p), Spread.T_K_2: float(fit.k - fit.p - 1)}[kind]
    if fit.reason is not None or df < 1 or np.isnan(fit.tau2):
        return about, no_interval(fit.level, name, fit.reason or Undefined.TOO_FEW)
    half = _quantile(fit.level, df) * float(np.sqrt(fit.tau2 + variance))
    return about, Interval(low=mean - half, high=mean + half, level=fit.level, method=name)
