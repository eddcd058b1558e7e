# SPDX-License-Identifier: Apache-2.0
"""How much of the scatter between studies is more than chance: Q, I2 and H2, each by both of its definitions."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import final

from sirolens.engine.pooling.weighted import sizes, weighted
from sirolens.engine.statistics.interval import Array, Test, Undefined, no_test

__all__ = ["Heterogeneity", "heterogeneity"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heterogeneity:
    """Scatter beyond chance.

    Parameters
    ----------
    q : Test
        Cochran's Q (in meta-regression QE, of the residuals) against chi-square.
    i2_tau2, i2_q : float
        Share of the scatter beyond chance, 0 to 1: from the variance between studies, and from Q as (Q-df)/Q. They
        agree with the estimator DL only; reports seldom say which they print.
    h2_tau2, h2_q : float
        Scatter over what chance alone gives, from the variance between and as Q/df.
    typical_variance : float
        The variance within that I2 compares with: (k-p) / tr P.
    """

    q: Test
    i2_tau2: float
    i2_q: float
    h2_tau2: float
    h2_q: float
    typical_variance: float


def heterogeneity(y: Array, v: Array, X: Array, tau2: float) -> Heterogeneity:
    r"""Return Q with its test, and I2 and H2 by both definitions.

    .. math::
        I^2_\tau = \frac{\tau^2}{\tau^2 + s^2}, \quad s^2 = \frac{k-p}{\operatorname{tr} P}, \quad
        I^2_Q = \max\Bigl(0, \frac{Q-(k-p)}{Q}\Bigr)

    Parameters
    ----------
    y, v : Array, shape (k,)
    X : Array, shape (k, p)
    tau2 : float

    References
    ----------
    Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558.

    Examples
    --------
    >>> import numpy as np
    >>> found = heterogeneity(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.ones((2, 1)), 1.0)
    >>> round(found.q.statistic, 9), round(found.i2_q, 9), round(found.i2_tau2, 9)
    (2.0, 0.5, 0.5)
    """
    from scipy.special import chdtrc

    k, p = sizes(X)
    if k <= p:
        nothing = no_test("cochran-q", Undefined.TOO_FEW)
        return Heterogeneity(q=nothing, i2_tau2=nan, i2_q=nan, h2_tau2=nan, h2_q=nan, typical_variance=nan)
    fit = weighted(y, v, X, 0.0)
    df = k - p
    q = Test(statistic=fit.rss, p_value=float(chdtrc(df, fit.rss)), method="cochran-q", df=float(df))
    typical = df / fit.trace
    return Heterogeneity(
        q=q,
        i2_tau2=tau2 / (tau2 + typical),
        i2_q=max(0.0, (fit.rss - df) / fit.rss) if fit.rss > 0 else 0.0,
        h2_tau2=(tau2 + typical) / typical,
        h2_q=fit.rss / df,
        typical_variance=typical,
    )
