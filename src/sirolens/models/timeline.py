# SPDX-License-Identifier: Apache-2.0
"""One patient's past in numbers no model has touched: doses, levels and covariates on one axis of hours.

Hours count from an origin instant and are elapsed time, so a day on which the clocks change has 23 or 25 of them.
`sirolens.dosing.history` builds a `History` from a chart; `sirolens.models.predict` reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.regimen import Cycle

__all__ = ["Carry", "History", "Multiplier", "Observed", "Prelude", "Timeline"]

Array = NDArray[np.float64]

HOUR = timedelta(hours=1)


class Carry(StrEnum):
    """What a covariate is between two measurements."""

    FORWARD = "last-value-forward"  # what a clinic means: known until measured again
    BACKWARD = "next-value-backward"  # what NONMEM does: the next record's value holds over the interval before it


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The measured values of one covariate.

    Parameters
    ----------
    time_h : tuple of float
        When, ascending.
    value : tuple of float
        What, in the canonical unit.
    """

    time_h: tuple[float, ...]
    value: tuple[float, ...]

    @property
    def latest(self) -> float:
        """The last value."""
        return self.value[-1]

    def over(self, midpoint_h: Array, carry: Carry) -> Array:
        """Return the value in force in the middle of each period; outside what was measured, the nearest value.

        >>> Timeline(time_h=(0.0, 10.0), value=(50.0, 52.0)).over(np.array([-1.0, 5.0, 12.0]), Carry.FORWARD)
        array([50., 50., 52.])
        """
        times, values = np.asarray(self.time_h), np.asarray(self.value)
        if carry is Carry.FORWARD:
            at = np.searchsorted(times, midpoint_h, side="right") - 1
        else:
            at = np.searchsorted(times, midpoint_h, side="left")
        chosen: Array = values[np.clip(at, 0, values.size - 1)]
        return chosen


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prelude:
    """A steady state that is stated, not recorded: one cycle of doses taken for ever before the first known one.

    Parameters
    ----------
    period_h : float
        Length of the cycle.
    time_h : tuple of float
        The doses of the last cycle before the first recorded dose.
    amount_mg : tuple of float
        Their amounts.
    """

    period_h: float
    time_h: tuple[float, ...]
    amount_mg: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One level.

    Parameters
    ----------
    time_h : float
        Sampling time.
    level_ng_ml : float
        The value; for a censored level, the limit.
    censoring : int
        -1 below the limit of quantification, 0 measured, 1 above it.
    assay : str
        As in the chart.
    after_dose_h : float, optional
        Hours since the dose before.
    settled_d : float, optional
        Days since the dosing last changed; None: a steady state is stated.
    trough : bool
        Whether it was drawn where a trough is drawn: not long before the next dose, nor long after it was due.
    excluded : str, optional
        Why it is not used.
    weight : float
        How often its likelihood counts.
    """

    time_h: float
    level_ng_ml: float
    censoring: int = 0
    assay: str = "unknown"
    after_dose_h: float | None = None
    settled_d: float | None = None
    trough: bool = True
    excluded: str | None = None
    weight: float = 1.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """A change of clearance and bioavailability over some time, such as an interacting drug.

    Parameters
    ----------
    start_h, stop_h : float
        From when (included) to when (not); infinite: no end.
    clearance, bioavailability : float
        What CL and F are multiplied by.
    name : str
        What it stands for.
    """

    start_h: float
    stop_h: float = math.inf
    clearance: float = 1.0
    bioavailability: float = 1.0
    name: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One patient's doses, levels and covariates in hours.

    Parameters
    ----------
    origin : datetime
        Hour zero.
    now_h : float
        Up to when the history is known.
    dose_time_h, dose_mg : tuple of float
        Every known dose, ascending.
    prelude : Prelude, optional
        A stated steady state before them.
    levels : tuple of Observed
        Ascending in time; excluded ones are kept.
    covariates : mapping of str to Timeline
        By the key models ask for: ``"age"``, ``"weight"``, a laboratory name, ``"therapy:DRUG"``, ``"level:DRUG"``.
    facts : mapping of str to str or float or None
        What scopes of models ask for and what does not change: ``"disease"``, ``"population"``, ``"sex"``.
    multipliers : tuple of Multiplier
        Interactions, by time.
    carry : Carry
        What covariates are between measurements.
    current : Cycle, optional
        The regimen in force at `now_h`; None when held or unknown.
    """

    origin: datetime
    now_h: float
    dose_time_h: tuple[float, ...] = ()
    dose_mg: tuple[float, ...] = ()
    prelude: Prelude | None = None
    levels: tuple[Observed, ...] = ()
    covariates: Mapping[str, Timeline] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, str | float | None] = field(default_factory=lambda: MappingProxyType({}))
    multipliers: tuple[Multiplier, ...] = ()
    carry: Carry = Carry.FORWARD
    current: Cycle | None = None

    @property
    def used(self) -> tuple[Observed, ...]:
        """The levels that are not excluded."""
        return tuple(level for level in self.levels if level.excluded is None)

    def hours(self, instant: datetime) -> float:
        """Elapsed hours from the origin to an instant.

        >>> from datetime import UTC
        >>> History(origin=datetime(2026, 1, 1, tzinfo=UTC), now_h=0.0).hours(datetime(2026, 1, 2, tzinfo=UTC))
        24.0
        """
        return (instant - self.origin) / HOUR

    def instant(self, time_h: float) -> datetime:
        """Return the instant an hour stands for, to the second."""
        return self.origin + timedelta(seconds=round(time_h * 3600))

    def with_multipliers(self, *multipliers: Multiplier) -> History:
        """Replace the interactions."""
        return replace(self, multipliers=tuple(sorted(multipliers, key=lambda one: one.start_h)))

    def with_levels(self, *levels: Observed) -> History:
        """Replace the levels."""
        return replace(self, levels=tuple(sorted(levels, key=lambda one: one.time_h)))
