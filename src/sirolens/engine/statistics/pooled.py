# SPDX-License-Identifier: Apache-2.0
"""Pooling a few studies' shares as the reports of this field do it: DerSimonian and Laird on the logit.

It is here to recompute what others printed. Pooling of our own is a room of its own with better methods: two studies
carry next to no information on how studies differ, and a share of 0 or 1 has no logit.
Oracles: the anchors computed for the published studies, statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.statistics.interval import Interval, Undefined, checked_level, no_interval

__all__ = ["Pooled", "dersimonian_laird"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Shares pooled on the logit scale.

    Parameters
    ----------
    fixed, random : float
        The pooled share with and without the assumption that all studies estimate one.
    fixed_interval, random_interval : Interval
        Of them.
    q, df, q_p_value : float
        Cochran's heterogeneity.
    tau2, i2 : float
        Variance between studies on the logit scale; share of the scatter beyond chance, 0 to 1.
    reason : Undefined, optional
        Why there is no pool.
    """

    fixed: float
    random: float
    fixed_interval: Interval
    random_interval: Interval
    q: float
    df: float
    q_p_value: float
    tau2: float
    i2: float
    reason: Undefined | None = None


def dersimonian_laird(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Pooled:
    r"""Return shares pooled by inverse variance on the logit, fixed and random.

    .. math:: \hat\tau^2 = \max\Bigl(0, \frac{Q - (m-1)}{\sum w - \sum w^2/\sum w}\Bigr), \qquad
        w_i = \Bigl(\frac{1}{k_i} + \frac{1}{n_i - k_i}\Bigr)^{-1}

    Without a continuity correction: a study with no or only events has no logit, and then there is no pool.

    Parameters
    ----------
    k, n : array_like of int, shape (m,)
        Events and patients of each study.
    level : float
        Level of confidence.

    References
    ----------
    DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188.

    Examples
    --------
    >>> found = dersimonian_laird([12, 73], [20, 86])
    >>> print(f"{found.fixed:.4f} {found.random:.4f} tau2 {found.tau2:.4f}")
    0.7901 0.7521 tau2 0.7218
    """
    from scipy.special import expit, logit, ndtri
    from scipy.stats import chi2

    level = checked_level(level)
    events, patients = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if events.shape != patients.shape or events.ndim != 1 or np.any(events < 0) or np.any(events > patients):
        raise ValueError("each study has between no events and as many as patients")
    if events.size == 0 or np.any(events == 0) or np.any(events == patients):
        reason = Undefined.NO_OBSERVATIONS if events.size == 0 else Undefined.NO_EVENTS
        nan, nothing = float("nan"), no_interval(level, "logit-wald", reason)
        return Pooled(
            fixed=nan,
            random=nan,
            fixed_interval=nothing,
            random_interval=nothing,
            q=nan,
            df=nan,
            q_p_value=nan,
            tau2=nan,
            i2=nan,
            reason=reason,
        )
    y, v = logit(events / patients), 1 / events + 1 / (patients - events)
    z = float(ndtri((1 + level) / 2))

    def pool(tau2: float) -> tuple[float, Interval]:
        w = 1 / (v + tau2)
        centre, width = float(w @ y / w.sum()), z / float(np.sqrt(w.sum()))
        limits = (float(expit(centre - width)), float(expit(centre + width)))
        return centre, Interval(low=limits[0], high=limits[1], level=level, method="logit-wald")

    w = 1 / v
    fixed, fixed_interval = pool(0.0)
    q, df = float(w @ (y - fixed) ** 2), float(y.size - 1)
    tau2 = max(0.0, (q - df) / float(w.sum() - (w**2).sum() / w.sum())) if df else 0.0
    random, random_interval = pool(tau2)
    return Pooled(
        fixed=float(expit(fixed)),
        random=float(expit(random)),
        fixed_interval=fixed_interval,
        random_interval=random_interval,
        q=q,
        df=df,
        q_p_value=float(chi2.sf(q, df)) if df else float("nan"),
        tau2=tau2,
        i2=max(0.0, 1 - df / q) if q > 0 else 0.0,
    )
