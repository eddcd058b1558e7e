# SPDX-License-Identifier: Apache-2.0
"""Equal effects without weights of studies' own variances: Mantel and Haenszel's sums and Peto's, made for few events.

Oracles: `statsmodels.stats.contingency_tables.StratifiedTable`, the closed form of one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.single_arm import checked_counts
from sirolens.engine.pooling.two_arm import Effect, counts_effect
from sirolens.engine.statistics.interval import Interval, Undefined, checked_level, no_interval

__all__ = ["Stratified", "mantel_haenszel", "peto"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified:
    """An effect of stratified tables.

    Parameters
    ----------
    estimate, se : float
        On the logarithmic scale for ratios.
    interval : Interval
        On the same scale.
    effect : Effect
    used : int
        Studies that say something about it.
    reason : Undefined, optional
    """

    estimate: float
    se: float
    interval: Interval
    effect: Effect
    used: int
    reason: Undefined | None = None


def _made(estimate: float, se: float, effect: Effect, used: int, level: float, method: str) -> Stratified:
    from scipy.special import ndtri

    if not (np.isfinite(estimate) and np.isfinite(se) and se > 0):
        reason = Undefined.NO_EVENTS
        nothing = no_interval(level, method, reason)
        return Stratified(estimate=nan, se=nan, interval=nothing, effect=effect, used=used, reason=reason)
    half = float(ndtri((1 + level) / 2)) * se
    interval = Interval(low=estimate - half, high=estimate + half, level=level, method=method)
    return Stratified(estimate=estimate, se=se, interval=interval, effect=effect, used=used)


def mantel_haenszel(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, effect: str = Effect.OR, level: float = 0.95
) -> Stratified:
    r"""Return Mantel and Haenszel's effect; zero cells need no correction.

    .. math::
        OR: \frac{\sum ad/N}{\sum bc/N} \quad RR: \frac{\sum a n_2/N}{\sum c n_1/N} \quad
        RD: \frac{\sum (a n_2 - c n_1)/N}{\sum n_1 n_2/N}

    with the variances of Robins, Breslow and Greenland (OR) and of Greenland and Robins (RR, RD).

    Parameters
    ----------
    k1, n1, k2, n2 : array_like of int, shape (m,)
        Events and patients of the treated and of the control arm.
    effect : str
        OR, RR or RD.
    level : float

    References
    ----------
    Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323. Greenland S, Robins JM. Biometrics 1985;41:55-68.

    Examples
    --------
    >>> print(f"{np.exp(mantel_haenszel([25, 15], [43, 30], [28, 15], [45, 30]).estimate):.3f}")
    0.905
    """
    level, kind = checked_level(level), Effect(effect)
    a, n_1 = checked_counts(k1, n1)
    c, n_2 = checked_counts(k2, n2)
    b, d, total = n_1 - a, n_2 - c, n_1 + n_2
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind is Effect.OR:
            r, s = a * d / total, b * c / total
            p, q = (a + d) / total, (b + c) / total
            R, S = r.sum(), s.sum()
            variance = (p * r).sum() / (2 * R**2) + (p * s + q * r).sum() / (2 * R * S) + (q * s).sum() / (2 * S**2)
            estimate, used = np.log(R / S), (r + s) > 0
        elif kind is Effect.RR:
            r, s = a * n_2 / total, c * n_1 / total
            R, S = r.sum(), s.sum()
            variance = ((n_1 * n_2 * (a + c) - a * c * total) / total**2).sum() / (R * S)
            estimate, used = np.log(R / S), (r + s) > 0
        elif kind is Effect.RD:
            weight = n_1 * n_2 / total
            estimate = (weight * (a / n_1 - c / n_2)).sum() / weight.sum()
            variance = ((a * b * n_2**3 + c * d * n_1**3) / (n_1 * n_2 * total**2)).sum() / weight.sum() ** 2
            used = weight > 0
        else:
            raise ValueError(f"Mantel and Haenszel's sums give OR, RR and RD, not {kind}")
        se = float(np.sqrt(variance))
    return _made(float(estimate), se, kind, int(used.sum()), level, "mantel-haenszel")


def peto(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, level: float = 0.95) -> Stratified:
    r"""Return Peto's odds ratio: :math:`\sum(O-E)/\sum V`, with variance :math:`1/\sum V`.

    Biased when the effect is large or the arms are of very different sizes.

    Parameters
    ----------
    k1, n1, k2, n2 : array_like of int, shape (m,)
    level : float

    References
    ----------
    Yusuf S et al. Prog Cardiovasc Dis 1985;27:335-371.

    Examples
    --------
    >>> peto([0], [20], [0], [20]).reason
    <Undefined.NO_EVENTS: 'no-events'>
    """
    level = checked_level(level)
    found = counts_effect(k1, n1, k2, n2, Effect.PETO)
    told = np.isfinite(found.y)
    if not told.any():
        return _made(nan, nan, Effect.PETO, 0, level, "peto")
    information = 1 / found.v[told]
    estimate = float((found.y[told] * information).sum() / information.sum())
    return _made(estimate, float(1 / np.sqrt(information.sum())), Effect.PETO, int(told.sum()), level, "peto")
