# SPDX-License-Identifier: Apache-2.0
"""What every statistic returns beside its number: an interval, a test, and why there is none when there is none.

Input that makes no sense (more responders than patients, a level of 95) is a programming error and raises
`ValueError`. A question without an answer (no patient, no event, everything equal) is a result: its numbers are nan
and `reason` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Array", "Interval", "Test", "Undefined", "checked_level", "finite", "no_interval", "no_test"]

Array = NDArray[np.float64]


class Undefined(StrEnum):
    """Why a statistic has no value, or an interval no bound."""

    NO_OBSERVATIONS = "no-observations"
    TOO_FEW = "too-few"
    ALL_EQUAL = "all-equal"
    EMPTY_MARGIN = "empty-margin"
    NO_EVENTS = "no-events"
    ONE_GROUP = "one-group"
    NOT_REACHED = "not-reached"
    NOT_IDENTIFIED = "not-identified"
    NOT_CONVERGED = "not-converged"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval for an unknown quantity.

    Parameters
    ----------
    low, high : float
        The limits; nan where there is none.
    level : float
        Nominal coverage, such as 0.95.
    method : str
        How it was made, such as ``"clopper-pearson"``.
    reason : Undefined, optional
        Why a limit is missing.

    Examples
    --------
    >>> 0.5 in Interval(low=0.36, high=0.81, level=0.95, method="clopper-pearson")
    True
    """

    low: float
    high: float
    level: float = 0.95
    method: str = ""
    reason: Undefined | None = None

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test of a hypothesis.

    Parameters
    ----------
    statistic : float
        The test statistic, as the method defines it.
    p_value : float
        Two-sided unless the method's name says otherwise.
    method : str
        Which test, such as ``"fisher-exact"``.
    df : float, optional
        Degrees of freedom where the reference distribution has them.
    reason : Undefined, optional
        Why there is no P value.
    """

    __test__ = False  # not a test case, whatever a test runner thinks of the name

    statistic: float
    p_value: float
    method: str
    df: float | None = None
    reason: Undefined | None = None


def no_interval(level: float, method: str, reason: Undefined) -> Interval:
    """Return the interval of a question without an answer."""
    return Interval(low=float("nan"), high=float("nan"), level=level, method=method, reason=reason)


def no_test(method: str, reason: Undefined) -> Test:
    """Return the test of a question without an answer."""
    return Test(statistic=float("nan"), p_value=float("nan"), method=method, reason=reason)


def checked_level(level: float) -> float:
    """Return a level of confidence; one outside (0, 1), such as 95, is a programming error.

    >>> checked_level(0.95)
    0.95
    """
    if not 0 < level < 1:
        raise ValueError(f"a level of confidence is between 0 and 1, not {level}")
    return float(level)


def finite(values: ArrayLike, name: str = "values") -> Array:
    """Return a finite one-dimensional array; missing values are the caller's to leave out, and to count."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions, not 1")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds a value that is not finite")
    return array
