# SPDX-License-Identifier: Apache-2.0
"""What comes after the known doses: the present regimen going on in step, or another one taking over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sirolens.models.timeline import History
from sirolens.regimen import Cycle

__all__ = ["continued", "cycle_origin_h"]


def cycle_origin_h(history: History, cycle: Cycle) -> float:
    """Return when the cycle that the last doses belong to began, so that it can go on in step.

    The last doses are laid against every place in the cycle; the place where gaps and amounts fit best counts. Without
    doses it is now.
    """
    if not history.dose_time_h:
        return history.now_h
    k = len(cycle.offset_h)
    last_h = history.dose_time_h[-1]
    fits = [(_misfit(history, cycle, place), place) for place in range(k)]
    return last_h - cycle.offset_h[min(fits)[1]]


def _misfit(history: History, cycle: Cycle, place: int) -> float:
    """How badly the last doses fit if the very last is dose `place` of the cycle."""
    k = len(cycle.offset_h)
    misfit = 0.0
    for back in range(min(k, len(history.dose_time_h))):
        turns, index = divmod(place - back, k)
        expected_h = cycle.offset_h[index] + turns * cycle.period_h - cycle.offset_h[place]
        actual_h = history.dose_time_h[-1 - back] - history.dose_time_h[-1]
        misfit += abs(expected_h - actual_h) / cycle.period_h
        misfit += abs(cycle.amount_mg[index] - history.dose_mg[-1 - back]) / max(cycle.amount_mg)
    return misfit


def continued(history: History, cycle: Cycle, *, first_h: float, until_h: float, in_step: bool = False) -> History:
    """Let a regimen follow the known doses.

    Parameters
    ----------
    history : History
        The past.
    cycle : Cycle
        What is taken from now on.
    first_h : float
        First dose (offset 0 of the cycle), or, in step, the instant after which doses go on.
    until_h : float
        No dose at or after this hour.
    in_step : bool
        Go on with the rhythm of the last doses instead of starting the cycle at `first_h`.

    Returns
    -------
    History
        With the future doses; later known doses are dropped.
    """
    origin_h = cycle_origin_h(history, cycle) if in_step else first_h
    turns = int(np.ceil(max(0.0, until_h - origin_h) / cycle.period_h)) + 1
    future = [
        (origin_h + turn * cycle.period_h + offset_h, amount_mg)
        for turn in range(turns)
        for offset_h, amount_mg in zip(cycle.offset_h, cycle.amount_mg, strict=True)
    ]
    past = [(t, a) for t, a in zip(history.dose_time_h, history.dose_mg, strict=True) if t < first_h]
    last_h = past[-1][0] if past else -np.inf
    ahead = [(t, a) for t, a in sorted(future) if first_h <= t < until_h and t > last_h]
    both = past + ahead
    return replace(history, dose_time_h=tuple(t for t, _ in both), dose_mg=tuple(a for _, a in both))
