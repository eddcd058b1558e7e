# SPDX-License-Identifier: Apache-2.0
"""Shares as effects: logit, log, arcsine and Freeman-Tukey scales with their variances, and the way back.

Only the binomial-normal model needs none of them; they are shown beside it since readers know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.statistics.interval import Array, finite

__all__ = ["EffectSizes", "FreemanTukeySize", "Scale", "back", "checked_counts", "freeman_tukey_size", "scaled"]


class Scale(StrEnum):
    """A scale on which shares are pooled."""

    LOGIT = "logit"
    LOG = "log"
    ARCSINE = "arcsine"
    FREEMAN_TUKEY = "freeman-tukey"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSizes:
    """Effects of studies on one scale.

    Parameters
    ----------
    y, v : Array, shape (k,)
        Effects and variances; nan where a study has none.
    corrected : Array of bool, shape (k,)
        Where 1/2 was added because a cell was 0.
    scale : str
    """

    y: Array
    v: Array
    corrected: np.typing.NDArray[np.bool_]
    scale: str


def checked_counts(k: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """Return events and patients as arrays.

    Raises
    ------
    ValueError
        Lengths differ, or a study has no patients, more events than patients, or counts that are not whole.
    """
    events, patients = finite(k, "events"), finite(n, "patients")
    if events.shape != patients.shape:
        raise ValueError(f"{events.size} counts of events and {patients.size} of patients")
    if np.any(patients < 1) or np.any(events < 0) or np.any(events > patients):
        raise ValueError("each study has patients, and between no events and as many as patients")
    if np.any(events != np.round(events)) or np.any(patients != np.round(patients)):
        raise ValueError("counts are whole numbers, not shares or percentages")
    return events, patients


def scaled(k: ArrayLike, n: ArrayLike, scale: str = Scale.LOGIT) -> EffectSizes:
    r"""Return shares on a scale, with their large-sample variances.

    .. math::
        \text{logit: } \log\frac{x}{n-x},\ \frac1x+\frac1{n-x} \qquad
        \text{log: } \log\frac xn,\ \frac1x-\frac1n \qquad
        \text{arcsine: } \arcsin\sqrt{x/n},\ \frac1{4n}

    .. math::
        \text{Freeman-Tukey: } \tfrac12\Bigl(\arcsin\sqrt{\tfrac{x}{n+1}} + \arcsin\sqrt{\tfrac{x+1}{n+1}}\Bigr),\
        \frac1{4n+2}

    On the logit and log scale 1/2 is added to events and to non-events of studies at 0 or 100 %, and only of those.

    Parameters
    ----------
    k, n : array_like of int, shape (m,)
        Events and patients.
    scale : str
        One of `Scale`.

    References
    ----------
    Freeman MF, Tukey JW. Ann Math Stat 1950;21:607-611.

    Examples
    --------
    >>> found = scaled([0, 12], [20, 20])
    >>> found.y.round(4), found.corrected
    (array([-3.7136,  0.4055]), array([ True, False]))
    """
    events, patients = checked_counts(k, n)
    kind = Scale(scale)
    none = np.zeros(events.shape, dtype=bool)
    if kind is Scale.ARCSINE:
        y, v = np.arcsin(np.sqrt(events / patients)), 1 / (4 * patients)
        return EffectSizes(y=y, v=v, corrected=none, scale=kind)
    if kind is Scale.FREEMAN_TUKEY:
        more = patients + 1
        y = (np.arcsin(np.sqrt(events / more)) + np.arcsin(np.sqrt((events + 1) / more))) / 2
        return EffectSizes(y=y, v=1 / (4 * patients + 2), corrected=none, scale=kind)
    edge = (events == 0) | (events == patients)
    x, others = events + edge / 2, patients - events + edge / 2
    if kind is Scale.LOGIT:
        return EffectSizes(y=np.log(x / others), v=1 / x + 1 / others, corrected=edge, scale=kind)
    total = x + others
    return EffectSizes(y=np.log(x / total), v=1 / x - 1 / total, corrected=edge, scale=kind)


class FreemanTukeySize(StrEnum):
    """Which number of patients stands for all studies when a pooled Freeman-Tukey value is turned back."""

    HARMONIC = "harmonic"  # Miller 1978; the usual one
    GEOMETRIC = "geometric"
    ARITHMETIC = "arithmetic"
    INVERSE_VARIANCE = "inverse-variance"  # as if the pool were one study with the pool's variance (Barendregt 2013)
    INFINITE = "infinite"  # sin^2: the limit of many patients, Freeman and Tukey's function itself


def freeman_tukey_size(n: ArrayLike, size: str = FreemanTukeySize.HARMONIC, *, variance: float | None = None) -> float:
    """Return the number of patients for the way back from the Freeman-Tukey scale.

    Parameters
    ----------
    n : array_like, shape (m,)
        Patients of the studies.
    size : str
        One of `FreemanTukeySize`.
    variance : float, optional
        Of the pooled value; needed for the inverse-variance size.

    Examples
    --------
    >>> round(freeman_tukey_size([20, 86]), 2)
    32.45
    """
    patients = finite(n, "patients")
    kind = FreemanTukeySize(size)
    if kind is FreemanTukeySize.HARMONIC:
        return float(patients.size / (1 / patients).sum())
    if kind is FreemanTukeySize.GEOMETRIC:
        return float(np.exp(np.log(patients).mean()))
    if kind is FreemanTukeySize.ARITHMETIC:
        return float(patients.mean())
    if kind is FreemanTukeySize.INFINITE:
        return float("inf")
    if variance is None or not variance > 0:
        raise ValueError("the inverse-variance size needs the variance of the pooled value")
    return max((1 / variance - 2) / 4, 0.0)  # 1/(4n+2) is the variance of one study


def back(y: ArrayLike, scale: str, *, n: float = float("inf")) -> Array:
    r"""Return values on a scale as shares, 0 to 1.

    For Freeman-Tukey the function of Miller, with :math:`t = 2y` and the number of patients :math:`n` that stands for
    all studies; values beyond those of 0/n and n/n are 0 and 1:

    .. math:: p = \tfrac12\Bigl(1 - \operatorname{sgn}(\cos t)
        \sqrt{1 - \Bigl[\sin t + \frac{\sin t - 1/\sin t}{n}\Bigr]^2}\Bigr)

    A value means another share with another n, so a pool of studies of very different sizes can be turned back to a
    share outside all of theirs (Schwarzer 2019); say which n was used. On the log scale shares above 1 become 1.

    Parameters
    ----------
    y : array_like
    scale : str
        One of `Scale`.
    n : float
        Of Freeman-Tukey; infinite gives :math:`\sin^2 y`.

    References
    ----------
    Miller JJ. Am Stat 1978;32:138. Schwarzer G et al. Res Synth Methods 2019;10:476-483.

    Examples
    --------
    >>> both = scaled([0, 12], [20, 20], "freeman-tukey")
    >>> back(both.y, "freeman-tukey", n=20).round(6)
    array([0. , 0.6])
    """
    from scipy.special import expit

    value = np.asarray(y, dtype=np.float64)
    kind = Scale(scale)
    if kind is Scale.LOGIT:
        return np.asarray(expit(value), dtype=np.float64)
    if kind is Scale.LOG:
        return np.minimum(np.exp(value), 1.0)
    if kind is Scale.ARCSINE or np.isinf(n):
        return np.sin(np.clip(value, 0.0, np.pi / 2)) ** 2
    low = np.arcsin(np.sqrt(1 / (n + 1))) / 2
    t = 2 * np.clip(value, low, np.pi / 2 - low)
    sine = np.sin(t)
    inside = np.clip(sine + (sine - 1 / sine) / n, -1.0, 1.0)
    share = (1 - np.sign(np.cos(t)) * np.sqrt(1 - inside**2)) / 2
    # At its ends the root loses half the digits; the ends themselves are known.
    share = np.where(value <= low, 0.0, np.where(value >= np.pi / 2 - low, 1.0, share))
    return np.asarray(np.where(np.isnan(value), np.nan, share), dtype=np.float64)
