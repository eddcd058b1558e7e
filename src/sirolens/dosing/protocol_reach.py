# SPDX-License-Identifier: Apache-2.0
"""How far the protocol's doses reach into the range for this patient, under each model and their average.

The protocol comes first and is always shown. A protocol dose that the models put far outside the range is shown as the
protocol's text with that warning; it is never offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sirolens.dosing.options import Band, ModelTrough, Option, by_model
from sirolens.dosing.protocol import Claim, Settings
from sirolens.dosing.target import Target
from sirolens.dosing.troughs import Troughs, daily_cycle
from sirolens.message import Message, info, warning

__all__ = ["ProtocolDose", "protocol_reach"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolDose:
    """One dose of the protocol and what the models expect of it, once daily.

    Parameters
    ----------
    phase : str
        ``"start"`` or ``"maintenance"``.
    daily_mg : float
        The dose.
    p_in, p_low, p_high : float
        P(true trough in, below, above the range), averaged.
    trough_ng_ml : Band
        Expected trough.
    by_model : tuple of ModelTrough
        Under each model.
    offered : bool
        Whether the dose is among the options offered.
    message : Message, optional
        Said when the dose is more likely than not outside on one side.
    """

    phase: str
    daily_mg: float
    p_in: float
    p_low: float
    p_high: float
    trough_ng_ml: Band
    by_model: tuple[ModelTrough, ...]
    offered: bool
    message: Message | None


def protocol_reach(
    claim: Claim, troughs: Troughs, offered: Sequence[Option], target: Target, settings: Settings
) -> tuple[ProtocolDose, ...]:
    """Compute the reach of every protocol dose.

    Parameters
    ----------
    claim : Claim
        The doses for this age.
    troughs : Troughs
        The models.
    offered : sequence of Option
        To say which doses are among them.
    target, settings
        The range, and what counts as far outside.
    """
    phases = [("start", mg) for mg in claim.start_mg.value] + [("maintenance", mg) for mg in claim.maintenance_mg.value]
    table = troughs.table([daily_cycle(mg) for _, mg in phases], target)
    available = {round(option.daily_mg * 1000) for option in offered if option.plan.pattern == "daily"}
    found = []
    for index, (phase, daily_mg) in enumerate(phases):
        low, median, high = (float(value) for value in table.band_ng_ml[index])
        p_low, p_high = float(table.low[index]), float(table.high[index])
        found.append(
            ProtocolDose(
                phase=phase,
                daily_mg=daily_mg,
                p_in=float(table.within[index]),
                p_low=p_low,
                p_high=p_high,
                trough_ng_ml=Band(median=median, low=low, high=high),
                by_model=by_model(table, index, troughs),
                offered=round(daily_mg * 1000) in available,
                message=_far(claim, daily_mg, median, p_low, p_high, settings),
            )
        )
    return tuple(found)


def _far(
    claim: Claim, daily_mg: float, median_ng_ml: float, p_low: float, p_high: float, settings: Settings
) -> Message | None:
    far = settings.far_outside_probability
    if p_high >= far.value:
        return warning(
            "dosing.protocol-dose-far-above",
            source=claim.start_mg.source,
            claim=claim.id,
            protocol_daily_mg=daily_mg,
            trough_ng_ml=median_ng_ml,
            high_probability=p_high,
        )
    if p_low >= far.value:
        return info(
            "dosing.protocol-dose-far-below",
            source=claim.start_mg.source,
            claim=claim.id,
            protocol_daily_mg=daily_mg,
            trough_ng_ml=median_ng_ml,
            low_probability=p_low,
        )
    return None
