# SPDX-License-Identifier: Apache-2.0
"""How two quantities of the same patients go together: rank and linear correlation with intervals.

Oracles: SciPy, brute-force enumeration of rearrangements, the known law of linear correlation under normality.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.statistics.interval import Interval, Undefined, checked_level, finite, no_interval

__all__ = ["Correlation", "linear_correlation", "spearman"]

_LARGEST_EXACT = 8  # 40,320 orders
_SAME = 1e-12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """A correlation.

    Parameters
    ----------
    coefficient : float
        From -1 to 1.
    interval : Interval
        Of it.
    p_value : float
        Two-sided, of no correlation.
    n : int
        Patients.
    method : str
        ``"spearman-exact"``, ``"spearman-t"`` or ``"pearson-t"``.
    reason : Undefined, optional
        Why there is none.
    """

    coefficient: float
    interval: Interval
    p_value: float
    n: int
    method: str
    reason: Undefined | None = None


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = finite(x, "x"), finite(y, "y")
    if first.shape != second.shape:
        raise ValueError("a correlation is of pairs")
    return first, second


def _missing(n: int, level: float, method: str, reason: Undefined) -> Correlation:
    nan = float("nan")
    return Correlation(
        coefficient=nan, interval=no_interval(level, method, reason), p_value=nan, n=n, method=method, reason=reason
    )


def _coefficient(x: np.ndarray, y: np.ndarray) -> float:
    a, b = x - x.mean(), y - y.mean()
    return max(-1.0, min(1.0, float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))))


def _fisher_z(r: float, se: float, level: float, method: str) -> Interval:
    from scipy.special import ndtri

    if abs(r) > 1 - _SAME:
        # The scale ends here: nothing can be said but that the estimate is at its end.
        return no_interval(level, method, Undefined.ALL_EQUAL)
    width = float(ndtri((1 + level) / 2)) * se
    return Interval(
        low=math.tanh(math.atanh(r) - width), high=math.tanh(math.atanh(r) + width), level=level, method=method
    )


def _t_p_value(r: float, n: int) -> float:
    from scipy.stats import t

    if abs(r) > 1 - _SAME:
        return 0.0
    return 2 * float(t.sf(abs(r) * math.sqrt((n - 2) / (1 - r * r)), n - 2))


def linear_correlation(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Correlation:
    r"""Return Pearson's correlation with Fisher's interval.

    :math:`\tanh(\operatorname{artanh} r \pm z/\sqrt{n-3})`; P from :math:`t = r\sqrt{(n-2)/(1-r^2)}`.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Pairs.
    level : float
        Level of confidence.

    Examples
    --------
    >>> round(linear_correlation([1, 2, 3, 4], [1, 3, 2, 5]).coefficient, 3)
    0.832
    """
    first, second = _pair(x, y)
    level = checked_level(level)
    n = first.size
    method = "pearson-t"
    if n < 3:
        return _missing(n, level, method, Undefined.TOO_FEW if n else Undefined.NO_OBSERVATIONS)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return _missing(n, level, method, Undefined.ALL_EQUAL)
    r = _coefficient(first, second)
    few = no_interval(level, "fisher-z", Undefined.TOO_FEW)
    found = _fisher_z(r, 1 / math.sqrt(n - 3), level, "fisher-z") if n > 3 else few
    return Correlation(coefficient=r, interval=found, p_value=_t_p_value(r, n), n=n, method=method)


def spearman(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Correlation:
    r"""Return Spearman's rank correlation with Bonett and Wright's interval.

    Pearson's of the midranks. P: the share of all orders with a correlation at least as large up to 8 patients, beyond
    that from t. Interval: :math:`\tanh(\operatorname{artanh} r \pm z\sqrt{(1+r^2/2)/(n-3)})`.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Pairs.
    level : float
        Level of confidence.

    References
    ----------
    Spearman C. Am J Psychol 1904;15:72-101; Bonett DG, Wright TA. Psychometrika 2000;65:23-28.

    Examples
    --------
    >>> found = spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    >>> round(found.coefficient, 3), round(found.p_value, 3)
    (0.8, 0.133)
    """
    from scipy.stats import rankdata

    first, second = _pair(x, y)
    level = checked_level(level)
    n = first.size
    method = "spearman-exact" if n <= _LARGEST_EXACT else "spearman-t"
    if n < 3:
        return _missing(n, level, method, Undefined.TOO_FEW if n else Undefined.NO_OBSERVATIONS)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return _missing(n, level, method, Undefined.ALL_EQUAL)
    a, b = np.asarray(rankdata(first)), np.asarray(rankdata(second))
    r = _coefficient(a, b)
    if n <= _LARGEST_EXACT:
        orders = np.array(list(itertools.permutations(range(n))))
        centred = b - b.mean()
        products = centred[orders] @ (a - a.mean())
        p_value = float(np.mean(np.abs(products) >= abs(float(centred @ (a - a.mean()))) - 1e-9))
    else:
        p_value = _t_p_value(r, n)
    few = no_interval(level, "bonett-wright", Undefined.TOO_FEW)
    found = _fisher_z(r, math.sqrt((1 + r * r / 2) / (n - 3)), level, "bonett-wright") if n > 3 else few
    return Correlation(coefficient=r, interval=found, p_value=p_value, n=n, method=method)
