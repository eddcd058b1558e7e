# SPDX-License-Identifier: Apache-2.0
"""How well a number tells two groups apart: the ROC curve, the area under it and DeLong's interval.

Oracles: brute-force comparison of all pairs, structural components by their definition, a bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

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
from sirolens.engine.statistics.ranks import score_limit

__all__ = ["Auc", "RocCurve", "auc", "delong_test", "roc_curve"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Auc:
    """The area under a ROC curve: how often a patient with the outcome has the higher score.

    Parameters
    ----------
    area : float
        Ties count one half.
    se : float
        DeLong's standard error.
    interval : Interval
        DeLong's, on the logit scale so that it stays inside 0 to 1.
    wald : Interval
        The same error on the plain scale, cut at 0 and 1, as most programs print it.
    p_value : float
        That the area is one half (Wald, two-sided).
    n_positive, n_negative : int
        Patients with and without the outcome.
    reason : Undefined, optional
        Why there is none.
    """

    area: float
    se: float
    interval: Interval
    wald: Interval
    p_value: float
    n_positive: int
    n_negative: int
    reason: Undefined | None = None


def _groups(score: ArrayLike, outcome: ArrayLike) -> tuple[Array, Array]:
    values, happened = finite(score, "score"), np.asarray(outcome)
    if happened.shape != values.shape or not np.all(np.isin(happened, (0, 1))):
        raise ValueError("one outcome, 0 or 1, for each score")
    return values[happened == 1], values[happened == 0]


def _components(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return each patient's share of pairs won, by midranks."""
    from scipy.stats import rankdata

    m, n = positive.size, negative.size
    joint = np.asarray(rankdata(np.concatenate([positive, negative])), dtype=np.float64)
    own_positive = np.asarray(rankdata(positive), dtype=np.float64)
    own_negative = np.asarray(rankdata(negative), dtype=np.float64)
    return (joint[:m] - own_positive) / n, 1 - (joint[m:] - own_negative) / m


def auc(score: ArrayLike, outcome: ArrayLike, level: float = 0.95) -> Auc:
    r"""Return the area under the ROC curve with DeLong's interval.

    With :math:`V_{10}` and :math:`V_{01}` the shares of pairs each patient wins, :math:`\mathrm{AUC} = \bar V_{10}` and
    :math:`\mathrm{Var} = s^2(V_{10})/m + s^2(V_{01})/n`. Limits are taken on the logit scale. Groups without overlap
    have no spread; there, and with a single patient in a group, the interval is Newcombe's, as of Cliff's delta.

    Parameters
    ----------
    score : array_like, shape (n,)
        Higher speaks for the outcome.
    outcome : array_like of bool, shape (n,)
        Whether it happened.
    level : float
        Level of confidence.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. On the logit scale, and with another interval
    where groups do not overlap: Pohar Perme M, Manevski D. Stat Methods Med Res 2018.

    Examples
    --------
    >>> found = auc([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])
    >>> round(found.area, 3)
    0.889
    """
    from scipy.special import ndtri

    level = checked_level(level)
    positive, negative = _groups(score, outcome)
    m, n = positive.size, negative.size
    nan, method = float("nan"), "delong-logit"
    if m == 0 or n == 0:
        reason = Undefined.NO_OBSERVATIONS if m + n == 0 else Undefined.ONE_GROUP
        nothing = no_interval(level, method, reason)
        return Auc(
            area=nan, se=nan, interval=nothing, wald=nothing, p_value=nan, n_positive=m, n_negative=n, reason=reason
        )
    v10, v01 = _components(positive, negative)
    area = float(v10.mean())
    few = min(m, n) < 2
    se = nan if few else math.sqrt(float(v10.var(ddof=1)) / m + float(v01.var(ddof=1)) / n)
    if few or se == 0 or not 0 < area < 1:
        nothing = no_interval(level, "delong-wald", Undefined.TOO_FEW if few else Undefined.ALL_EQUAL)
        low, high = (score_limit(area, m, n, level, side) for side in (-1, 1))
        found = Interval(low=low, high=high, level=level, method="newcombe-score")
        return Auc(area=area, se=se, interval=found, wald=nothing, p_value=nan, n_positive=m, n_negative=n)
    centre = math.log(area / (1 - area))
    width = float(ndtri((1 + level) / 2)) * se
    stretched = width / (area * (1 - area))
    low, high = (0.5 * (1 + math.tanh((centre + side * stretched) / 2)) for side in (-1, 1))
    wald = Interval(low=max(0.0, area - width), high=min(1.0, area + width), level=level, method="delong-wald")
    return Auc(
        area=area,
        se=se,
        interval=Interval(low=low, high=high, level=level, method=method),
        wald=wald,
        p_value=math.erfc(abs(area - 0.5) / se / math.sqrt(2)),
        n_positive=m,
        n_negative=n,
    )


def delong_test(first: ArrayLike, second: ArrayLike, outcome: ArrayLike) -> Test:
    """Return DeLong's test of two scores of the same patients.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        The scores.
    outcome : array_like of bool, shape (n,)
        Whether it happened.

    Examples
    --------
    >>> test = delong_test([1, 2, 3, 4, 5, 6], [2, 5, 6, 4, 3, 1], [0, 0, 1, 0, 1, 1])
    >>> 0 < test.p_value < 1
    True
    """
    method = "delong"
    one, two = _groups(first, outcome), _groups(second, outcome)
    m, n = one[0].size, one[1].size
    if min(m, n) < 2:
        return no_test(method, Undefined.TOO_FEW)
    (a10, a01), (b10, b01) = _components(*one), _components(*two)
    variance = float((a10 - b10).var(ddof=1)) / m + float((a01 - b01).var(ddof=1)) / n
    if variance == 0:
        return no_test(method, Undefined.ALL_EQUAL)
    z = float(a10.mean() - b10.mean()) / math.sqrt(variance)
    return Test(statistic=z, p_value=math.erfc(abs(z) / math.sqrt(2)), method=method)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RocCurve:
    """A ROC curve from the strictest threshold to the loosest.

    Parameters
    ----------
    threshold : ndarray, shape (k,)
        A patient is called positive at or above it; the first is infinite.
    sensitivity, specificity : ndarray, shape (k,)
        At each threshold.
    best_threshold : float
        Where sensitivity + specificity is largest (Youden); chosen on the same data it flatters.
    reason : Undefined, optional
        Why there is none.
    """

    threshold: Array
    sensitivity: Array
    specificity: Array
    best_threshold: float
    reason: Undefined | None = None


def roc_curve(score: ArrayLike, outcome: ArrayLike) -> RocCurve:
    """Return sensitivity and specificity at every threshold; patients with equal scores are called together.

    Parameters
    ----------
    score : array_like, shape (n,)
        Higher speaks for the outcome.
    outcome : array_like of bool, shape (n,)
        Whether it happened.

    Examples
    --------
    >>> curve = roc_curve([1, 2, 3, 4], [0, 0, 1, 1])
    >>> curve.best_threshold, curve.sensitivity.tolist()
    (3.0, [0.0, 0.5, 1.0, 1.0, 1.0])
    """
    positive, negative = _groups(score, outcome)
    if positive.size == 0 or negative.size == 0:
        reason = Undefined.NO_OBSERVATIONS if positive.size + negative.size == 0 else Undefined.ONE_GROUP
        nothing = np.empty(0)
        return RocCurve(
            threshold=nothing, sensitivity=nothing, specificity=nothing, best_threshold=float("nan"), reason=reason
        )
    levels = np.unique(np.concatenate([positive, negative]))[::-1]
    threshold = np.concatenate([[math.inf], levels])
    sensitivity = 1 - np.searchsorted(np.sort(positive), threshold, side="left") / positive.size
    specificity = np.searchsorted(np.sort(negative), threshold, side="left") / negative.size
    best = float(threshold[int(np.argmax(sensitivity + specificity))])
    return RocCurve(threshold=threshold, sensitivity=sensitivity, specificity=specificity, best_threshold=best)
