# SPDX-License-Identifier: Apache-2.0
"""Two arms as one effect: odds ratio, risk ratio, risk difference, mean difference and its standardised form.

What is done about zero cells is chosen by name and marked study by study; a study that says nothing about an effect
(no events in either arm, for a ratio) has the effect nan and is for the caller to leave out and to name.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.single_arm import EffectSizes, checked_counts
from sirolens.engine.statistics.interval import Array, finite

__all__ = ["Effect", "ZeroCells", "counts_effect", "means_effect"]


class Effect(StrEnum):
    """What is compared between a treated and a control arm."""

    OR = "OR"  # log odds ratio
    RR = "RR"  # log risk ratio
    RD = "RD"  # risk difference
    MD = "MD"  # mean difference
    SMD = "SMD"  # standardised mean difference, Hedges' g
    PETO = "PETO"  # log odds ratio, one step from no difference

    @property
    def is_log(self) -> bool:
        """True when the effect is the logarithm of a ratio.

        >>> Effect.RR.is_log, Effect.RD.is_log
        (True, False)
        """
        return self in (Effect.OR, Effect.RR, Effect.PETO)


class ZeroCells(StrEnum):
    """When 1/2 is added to all four cells of a study."""

    ONLY_ZERO = "only-zero"  # studies with a zero cell
    ALL = "all"  # every study, when any has a zero cell
    NONE = "none"  # never: studies with a zero cell have no ratio


def counts_effect(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, effect: str = Effect.OR, zero: str = ZeroCells.ONLY_ZERO
) -> EffectSizes:
    r"""Return effects of two arms with counts.

    With cells a, b = n1 - a, c, d = n2 - c:

    .. math::
        OR: \log\frac{ad}{bc},\ \frac1a+\frac1b+\frac1c+\frac1d \quad
        RR: \log\frac{a/n_1}{c/n_2},\ \frac1a-\frac1{n_1}+\frac1c-\frac1{n_2} \quad
        RD: \frac a{n_1}-\frac c{n_2},\ \frac{ab}{n_1^3}+\frac{cd}{n_2^3}

    .. math:: PETO: \frac{a - E}{V},\ \frac1V, \quad E = n_1\frac{a+c}{N}, \quad
        V = \frac{n_1n_2(a+c)(b+d)}{N^2(N-1)}

    A risk difference keeps its value; 1/2 is added for its variance alone, where that would be 0. The ratios of a study
    with no events in either arm, the odds ratio also with no non-events, are nan: such a study says nothing of them.

    Parameters
    ----------
    k1, n1, k2, n2 : array_like of int, shape (m,)
        Events and patients of the treated and of the control arm.
    effect : str
        OR, RR, RD or PETO of `Effect`.
    zero : str
        One of `ZeroCells`.

    References
    ----------
    Yusuf S et al. Prog Cardiovasc Dis 1985;27:335-371 (Peto). Sweeting MJ et al. Stat Med 2004;23:1351-1375 (zeros).

    Examples
    --------
    Rapamycin against ciclosporin, each with prednisone: 25/43 and 28/45 responded.

    >>> found = counts_effect([25], [43], [28], [45], "OR")
    >>> print(f"{np.exp(found.y[0]):.3f}")
    0.843
    """
    treated, of_treated = checked_counts(k1, n1)
    control, of_control = checked_counts(k2, n2)
    if treated.shape != control.shape:
        raise ValueError(f"{treated.size} treated arms and {control.size} controls")
    kind, rule = Effect(effect), ZeroCells(zero)
    a, b, c, d = treated, of_treated - treated, control, of_control - control
    if kind is Effect.PETO:
        return _peto(a, b, c, d)
    gap = np.minimum(np.minimum(a, b), np.minimum(c, d)) == 0
    if kind is Effect.RD:
        return _difference(a, b, c, d, rule)
    if kind not in (Effect.OR, Effect.RR):
        raise ValueError(f"{kind} is not an effect of counts")
    add = {
        ZeroCells.ONLY_ZERO: gap,
        ZeroCells.ALL: np.full(gap.shape, bool(gap.any())),
        ZeroCells.NONE: np.zeros(gap.shape, dtype=bool),
    }[rule]
    silent = (a + c == 0) | ((b + d == 0) & (kind is Effect.OR)) | (gap & ~add)
    e, f, g, h = (np.where(silent, 1.0, cell + add / 2) for cell in (a, b, c, d))
    if kind is Effect.OR:
        y, v = np.log(e) + np.log(h) - np.log(f) - np.log(g), 1 / e + 1 / f + 1 / g + 1 / h
    else:
        y = np.log(e) - np.log(e + f) - np.log(g) + np.log(g + h)
        v = f / (e * (e + f)) + h / (g * (g + h))
    nothing = np.where(silent, np.nan, 0.0)
    return EffectSizes(y=y + nothing, v=v + nothing, corrected=add & ~silent, scale=kind)


def _difference(a: Array, b: Array, c: Array, d: Array, rule: ZeroCells) -> EffectSizes:
    n1, n2 = a + b, c + d
    flat = (a * b == 0) & (c * d == 0)
    if rule is ZeroCells.ALL:
        flat = np.full(flat.shape, bool(flat.any()))
    if rule is ZeroCells.NONE:
        flat = np.zeros(flat.shape, dtype=bool)
    e, f, g, h = (cell + flat / 2 for cell in (a, b, c, d))
    v = e * f / (e + f) ** 3 + g * h / (g + h) ** 3
    nothing = np.where(v > 0, 0.0, np.nan)
    return EffectSizes(y=a / n1 - c / n2 + nothing, v=v + nothing, corrected=flat, scale=Effect.RD)


def _peto(a: Array, b: Array, c: Array, d: Array) -> EffectSizes:
    n1, n2, total = a + b, c + d, a + b + c + d
    variance = n1 * n2 * (a + c) * (b + d) / (total**2 * np.maximum(total - 1, 1))
    silent = variance == 0
    v = 1 / np.where(silent, np.nan, variance)
    y = (a - n1 * (a + c) / total) * v
    return EffectSizes(y=y, v=v, corrected=np.zeros(a.shape, dtype=bool), scale=Effect.PETO)


def means_effect(
    mean1: ArrayLike,
    sd1: ArrayLike,
    n1: ArrayLike,
    mean2: ArrayLike,
    sd2: ArrayLike,
    n2: ArrayLike,
    effect: str = Effect.MD,
) -> EffectSizes:
    r"""Return effects of two arms with means.

    .. math:: MD: \bar x_1 - \bar x_2,\ \frac{s_1^2}{n_1}+\frac{s_2^2}{n_2} \qquad
        SMD: g = J(m)\frac{\bar x_1-\bar x_2}{s_p},\ \frac1{n_1}+\frac1{n_2}+\frac{g^2}{2(n_1+n_2)}

    with m = n1 + n2 - 2, the pooled s, and Hedges' exact :math:`J(m)=\Gamma(m/2)/(\sqrt{m/2}\,\Gamma((m-1)/2))`.

    Parameters
    ----------
    mean1, sd1, n1, mean2, sd2, n2 : array_like, shape (m,)
        Means, standard deviations and patients of the treated and of the control arm, in one unit.
    effect : str
        MD or SMD of `Effect`.

    References
    ----------
    Hedges LV. J Educ Stat 1981;6:107-128.

    Examples
    --------
    >>> means_effect([5.0], [2.0], [10], [3.0], [2.0], [10]).y
    array([2.])
    """
    from scipy.special import gammaln

    kind = Effect(effect)
    m1, s1, a, m2, s2, b = (finite(x, "means, deviations and sizes") for x in (mean1, sd1, n1, mean2, sd2, n2))
    if np.any(s1 <= 0) or np.any(s2 <= 0):
        raise ValueError("a study without scatter has no weight: every standard deviation is above 0")
    if np.any(a < 2) or np.any(b < 2):
        raise ValueError("a standard deviation takes two patients or more")
    none = np.zeros(m1.shape, dtype=bool)
    if kind is Effect.MD:
        return EffectSizes(y=m1 - m2, v=s1**2 / a + s2**2 / b, corrected=none, scale=kind)
    if kind is not Effect.SMD:
        raise ValueError(f"{kind} is not an effect of means")
    df = a + b - 2
    pooled = np.sqrt(((a - 1) * s1**2 + (b - 1) * s2**2) / df)
    unbiased = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    g = unbiased * (m1 - m2) / pooled
    return EffectSizes(y=g, v=1 / a + 1 / b + g**2 / (2 * (a + b)), corrected=none, scale=kind)
