# SPDX-License-Identifier: Apache-2.0
"""Invented patients as histories, shared by the tests of estimation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sirolens.models.timeline import History, Observed, Timeline
from sirolens.regimen import Cycle

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
ADULT = {"age": 44.0, "weight": 70.0, "haematocrit": 38.0, "ast": 20.0, "cholesterol": 4.7}
CHILD = {"age": 8.0, "weight": 28.5, "bilirubin": 11.29}


def cycle(*doses_mg: float, period_h: float = 24.0) -> Cycle:
    """Equal spaces between the doses of a cycle."""
    k = len(doses_mg)
    return Cycle(period_h=period_h, offset_h=tuple(i * period_h / k for i in range(k)), amount_mg=doses_mg)


def patient(
    known: dict[str, float], *, days: int = 90, dose_mg: float = 2.0, levels: tuple[Observed, ...] = (), **more: Any
) -> History:
    """Daily doses since day 0; `more` replaces fields of the history."""
    history = History(
        origin=ORIGIN,
        now_h=24.0 * days,
        dose_time_h=tuple(24.0 * day for day in range(days)),
        dose_mg=(dose_mg,) * days,
        levels=levels,
        covariates={name: Timeline(time_h=(0.0,), value=(value,)) for name, value in known.items()},
        facts={"disease": "primary-itp", "population": "chinese"},
        current=cycle(dose_mg),
    )
    return replace(history, **more)


def trough(day: int, level_ng_ml: float, **more: Any) -> Observed:
    """A trough of daily dosing since day 0."""
    return Observed(
        **{"time_h": 24.0 * day, "level_ng_ml": level_ng_ml, "after_dose_h": 24.0, "settled_d": float(day)} | more
    )
