# SPDX-License-Identifier: Apache-2.0
"""Do small studies say something else than large ones: Egger, Peters, Begg, and trim and fill.

Below ten studies these tests have no power to speak of and are refused, not computed with a warning.
Oracles: `statsmodels` weighted least squares, `scipy.stats.kendalltau`, constructed asymmetric sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.between import Tau2Method
from sirolens.engine.pooling.random_effects import Effects, Width, random_effects
from sirolens.engine.pooling.single_arm import checked_counts
from sirolens.engine.pooling.weighted import checked_studies
from sirolens.engine.statistics.interval import Array, Test, Undefined, finite, no_test

__all__ = ["LEAST_STUDIES", "Asymmetry", "Filled", "begg", "egger", "peters", "trim_and_fill"]

LEAST_STUDIES = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asymmetry:
    """A regression test of asymmetry.

    Parameters
    ----------
    slope, se : float
        Of the effects over the measure of imprecision.
    at_infinite_size : float
        The effect where the measure is 0.
    test : Test
        Slope against 0.
    """

    slope: float
    se: float
    at_infinite_size: float
    test: Test


def _regression(y: Array, x: Array, w: Array, method: str) -> Asymmetry:
    """Return the weighted line of y over x with the scatter around it as error: t(k-2)."""
    from scipy.special import stdtr

    if y.size < LEAST_STUDIES:
        return Asymmetry(slope=nan, se=nan, at_infinite_size=nan, test=no_test(method, Undefined.TOO_FEW))
    total = w.sum()
    x_mean, y_mean = float(w @ x / total), float(w @ y / total)
    spread = float(w @ (x - x_mean) ** 2)
    if not spread > 1e-20 * total * max(x_mean**2, 1e-300):
        return Asymmetry(slope=nan, se=nan, at_infinite_size=nan, test=no_test(method, Undefined.ALL_EQUAL))
    slope = float(w @ ((x - x_mean) * (y - y_mean))) / spread
    left = y - y_mean - slope * (x - x_mean)
    df = y.size - 2
    se = float(np.sqrt(w @ left**2 / df / spread))
    start = y_mean - slope * x_mean
    if not se > 0:
        return Asymmetry(slope=slope, se=se, at_infinite_size=start, test=no_test(method, Undefined.ALL_EQUAL))
    p_value = 2 * float(stdtr(df, -abs(slope / se)))
    test = Test(statistic=slope / se, p_value=p_value, method=method, df=float(df))
    return Asymmetry(slope=slope, se=se, at_infinite_size=start, test=test)


def egger(y: ArrayLike, v: ArrayLike) -> Asymmetry:
    r"""Return Egger's test: the effects over their standard errors, weighted by 1/v.

    The slope of :math:`y_i = a + b\sqrt{v_i}` is the intercept of Egger's own line of y over its error against
    precision.

    Parameters
    ----------
    y, v : array_like, shape (k,)

    References
    ----------
    Egger M et al. BMJ 1997;315:629-634. Sterne JAC et al. BMJ 2011;343:d4002 (ten studies at least).

    Examples
    --------
    >>> egger([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]).test.reason
    <Undefined.TOO_FEW: 'too-few'>
    """
    effects, variances, _ = checked_studies(y, v)
    return _regression(effects, np.sqrt(variances), 1 / variances, "egger")


def peters(y: ArrayLike, events: ArrayLike, patients: ArrayLike) -> Asymmetry:
    r"""Return Peters' test: the effects over 1/n, weighted by events times non-events over n.

    Effects of counts depend on their own errors, which Egger's test takes for asymmetry; 1/n does not. With two arms
    events and patients are those of both arms together; with one arm those of the arm (an analogue, not Peters' own).

    Parameters
    ----------
    y : array_like, shape (k,)
        Log odds ratios, or logits of single arms.
    events, patients : array_like, shape (k,)
        A study at 0 or 100 % has weight 0 and leaves.

    References
    ----------
    Peters JL et al. JAMA 2006;295:676-680.

    Examples
    --------
    >>> peters([0.1, 0.2], [1, 2], [10, 10]).test.reason
    <Undefined.TOO_FEW: 'too-few'>
    """
    effects = finite(y, "effects")
    x, n = checked_counts(events, patients)
    w = x * (n - x) / n
    used = w > 0
    return _regression(effects[used], 1 / n[used], w[used], "peters")


def begg(y: ArrayLike, v: ArrayLike) -> Test:
    r"""Return Begg and Mazumdar's test: rank correlation of standardised effects with their variances.

    .. math:: t_i = \frac{y_i - \hat\mu}{\sqrt{v_i - 1/\sum v_j^{-1}}}

    with Kendall's tau-b; exact P without ties, the usual approximation otherwise.

    Parameters
    ----------
    y, v : array_like, shape (k,)

    References
    ----------
    Begg CB, Mazumdar M. Biometrics 1994;50:1088-1101.

    Examples
    --------
    >>> begg([0.1 * i for i in range(10)], [0.01 * (i + 1) for i in range(10)]).statistic > 0
    True
    """
    from scipy.stats import kendalltau

    effects, variances, _ = checked_studies(y, v)
    if effects.size < LEAST_STUDIES:
        return no_test("begg", Undefined.TOO_FEW)
    w = 1 / variances
    standardised = (effects - w @ effects / w.sum()) / np.sqrt(variances - 1 / w.sum())
    if np.ptp(variances) == 0 or np.ptp(standardised) == 0:
        return no_test("begg", Undefined.ALL_EQUAL)
    found = kendalltau(standardised, variances)
    return Test(statistic=float(found.statistic), p_value=float(found.pvalue), method="begg")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A pool with studies filled in.

    Parameters
    ----------
    missing : int
        How many were filled in.
    side : str
        ``"low"`` when studies with low effects are missing, else ``"high"``.
    y, v : Array
        The studies filled in.
    fit : Effects or None
        The pool with them; None when refused.
    reason : Undefined, optional
    """

    missing: int
    side: str
    y: Array
    v: Array
    fit: Effects | None
    reason: Undefined | None = None


def trim_and_fill(
    y: ArrayLike,
    v: ArrayLike,
    *,
    side: str | None = None,
    estimator: str = "L0",
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
) -> Filled:
    r"""Return the pool as if the funnel were symmetric: extreme small studies get a mirror image.

    With ranks of :math:`|y_i - \hat\mu|`, T the sum of those above the centre and :math:`\gamma` the run of highest
    ranks above it: :math:`L_0 = (4T - k(k+1)) / (2k - 1)`, :math:`R_0 = \gamma - 1`; trimmed and centred until it
    stands still.

    Parameters
    ----------
    y, v : array_like, shape (k,)
    side : {"low", "high"}, optional
        Where studies are missing; without, opposite to the sign of Egger's slope.
    estimator : {"L0", "R0"}
    method, width : str
        Of the pools.

    References
    ----------
    Duval S, Tweedie R. Biometrics 2000;56:455-463.

    Examples
    --------
    >>> trim_and_fill([0.1, 0.2], [0.1, 0.1]).reason
    <Undefined.TOO_FEW: 'too-few'>
    """
    effects, variances, _ = checked_studies(y, v)
    none = np.empty(0)
    if effects.size < LEAST_STUDIES:
        return Filled(missing=0, side=side or "low", y=none, v=none, fit=None, reason=Undefined.TOO_FEW)
    if estimator not in ("L0", "R0"):
        raise ValueError(f"trim and fill counts by L0 or R0, not {estimator!r}")
    if side not in (None, "low", "high"):
        raise ValueError(f"studies are missing on the low or the high side, not {side!r}")
    # Small studies that run high leave the low side empty.
    where = side or ("low" if not egger(effects, variances).slope < 0 else "high")
    sign = 1.0 if where == "low" else -1.0
    order = np.argsort(sign * effects, kind="stable")
    ys, vs = sign * effects[order], variances[order]
    missing = _missing(ys, vs, estimator, method)
    fit = random_effects(ys[: ys.size - missing], vs[: vs.size - missing], method=method, width=width)
    mirrored = sign * (2 * fit.estimate - ys[ys.size - missing :])
    added = vs[vs.size - missing :]
    whole = random_effects(
        np.concatenate([effects, mirrored]), np.concatenate([variances, added]), method=method, width=width
    )
    return Filled(missing=missing, side=where, y=mirrored, v=added, fit=whole)


def _missing(y: Array, v: Array, estimator: str, method: str) -> int:
    from scipy.stats import rankdata

    k, missing = y.size, 0
    seen: list[int] = []
    while missing not in seen:
        seen.append(missing)
        centre = random_effects(y[: k - missing], v[: k - missing], method=method, width=Width.WALD).estimate
        away = y - centre
        rank = rankdata(np.abs(away), method="ordinal")
        if estimator == "L0":
            total = float(rank[away > 0].sum())
            count = (4 * total - k * (k + 1)) / (2 * k - 1)
        else:
            below = rank[away < 0]
            count = k - float(below.max() if below.size else 0) - 1
        missing = int(min(max(0, round(count)), k - 2))
    return missing
