# SPDX-License-Identifier: Apache-2.0
"""What would change the advice: next levels at which another option would be put forward, and events that undo it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.options import Option
from sirolens.dosing.protocol import Settings
from sirolens.dosing.target import Target
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message, info

__all__ = ["would_change"]

MOST_OPTIONS = 12
STEP_NG_ML = 0.5
"""An assay reads no finer than half a unit."""


def would_change(
    preferred: Option, others: Sequence[Option], troughs: Troughs, target: Target, settings: Settings
) -> tuple[Message, ...]:
    """Find the next levels, on the preferred regimen, after which another option would be better by the keep margin.

    Parameters
    ----------
    preferred : Option
        The one put forward.
    others : sequence of Option
        Daily options it could give way to, offered now or not: what a level says later is another day's decision.
    troughs : Troughs
        The models.
    target : Target
        The range.
    settings : Settings
        The keep margin, and the level above which doses are held.
    """
    daily = [one for one in others if one.plan.pattern == "daily" and one.plan.form == preferred.plan.form]
    nearest = sorted(daily, key=lambda one: abs(one.daily_mg - preferred.daily_mg))[:MOST_OPTIONS]
    rivals = sorted((one for one in nearest if one is not preferred), key=lambda one: one.daily_mg)
    said: list[Message] = []
    if rivals:
        cycles = [preferred.plan.cycle, *(one.plan.cycle for one in rivals)]
        # Above it doses are held, whatever another regimen would gain.
        highest_ng_ml = settings.hold_level_ratio.value * target.high_ng_ml
        steps: NDArray[np.float64] = np.arange(1, int(highest_ng_ml / STEP_NG_ML) + 1, dtype=np.float64)
        level_ng_ml = STEP_NG_ML * steps
        chance = troughs.after_level(preferred.plan.cycle, cycles, level_ng_ml, target)
        best = np.argmax(chance, axis=1)
        gain = chance[np.arange(best.size), best] - chance[:, 0] > settings.keep_margin_probability.value
        dose_mg = np.array([preferred.daily_mg, *(one.daily_mg for one in rivals)])
        more = np.flatnonzero(gain & (dose_mg[best] > preferred.daily_mg))
        less = np.flatnonzero(gain & (dose_mg[best] < preferred.daily_mg))
        # Two marks only: the highest level that asks for more, the lowest that asks for less.
        if more.size:
            k = int(more[-1])
            said.append(_mark("dosing.would-change-below", level_ng_ml[k], preferred, rivals[int(best[k]) - 1]))
        if less.size:
            k = int(less[0])
            said.append(_mark("dosing.would-change-above", level_ng_ml[k], preferred, rivals[int(best[k]) - 1]))
    return (*said, info("dosing.would-change-events"))


def _mark(code: str, level_ng_ml: float, preferred: Option, rival: Option) -> Message:
    return info(
        code, level_ng_ml=float(level_ng_ml), now_regimen=preferred.plan.message, then_regimen=rival.plan.message
    )
