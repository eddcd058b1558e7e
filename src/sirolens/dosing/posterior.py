# SPDX-License-Identifier: Apache-2.0
"""What advice takes from the estimates: models that may speak, their draws, and the reasons why others may not.

A model whose most probable point was not found, or is no proper minimum, makes no suggestion (H16): it is left out and
said. What only some models can know (exposure, fraction of steady state) is asked of those only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.dosing.average import Averaged, Member
from sirolens.dosing.estimate_problem import COMMON_RESIDUAL
from sirolens.dosing.options import Band
from sirolens.dosing.troughs import Troughs, View, daily_cycle
from sirolens.engine.sampling import weighted_quantile
from sirolens.message import Message, warning
from sirolens.regimen import Cycle

__all__ = ["Posterior", "from_averaged"]

BAND = np.array([0.05, 0.5, 0.95])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """The estimates as advice sees them.

    Parameters
    ----------
    troughs : Troughs, optional
        The models that may speak; None when there is none.
    messages : tuple of Message
        Which were left out and why, and where a model and the patient disagree.
    auc24 : callable
        From a regimen to the exposure of a day, ng h/mL; None where no model can know it.
    auc24_reason : Message, optional
        Why there is no exposure, or what it rests on.
    steady_state_fraction : float, optional
        Share of steady state reached now, from models that can know it.
    steady_state_reason : Message, optional
        Why there is none.
    """

    troughs: Troughs | None
    messages: tuple[Message, ...]
    auc24: Callable[[Cycle], Band | None]
    auc24_reason: Message | None = None
    steady_state_fraction: float | None = None
    steady_state_reason: Message | None = None


def from_averaged(averaged: Averaged) -> Posterior:
    """Read the average of several models for advice.

    Parameters
    ----------
    averaged : Averaged
        From `sirolens.dosing.average.estimates`.

    Returns
    -------
    Posterior
        Without models that did not converge; the shares of the others are brought to 1.
    """
    sound = [member for member in averaged.members if member.estimate.converged]
    silent = [member.model.label for member in averaged.members if not member.estimate.converged]
    messages = averaged.messages
    if silent:
        messages = (*messages, warning("dosing.models-silent", models=tuple(silent)))
    total = sum(member.weight for member in sound)
    troughs = Troughs(
        views=tuple(_view(member, member.weight / total) for member in sound),
        additive_ng_ml=COMMON_RESIDUAL.additive_ng_ml,
        proportional=COMMON_RESIDUAL.proportional,
    )
    unit, auc_reason = _auc24(averaged)
    fraction, fraction_reason = averaged.fraction_of_steady_state()
    return Posterior(
        troughs=troughs if sound else None,
        messages=messages,
        auc24=lambda cycle: None if unit is None else unit.scaled(cycle.daily_mg),
        auc24_reason=auc_reason,
        steady_state_fraction=None if fraction is None else fraction.median,
        steady_state_reason=fraction_reason,
    )


def _view(member: Member, weight: float) -> View:
    return View(
        name=member.model.full_name,
        label=member.model.label,
        weight=weight,
        supports=member.model.supports,
        proportional=member.estimate.proportional,
        draw=member.trough_draws,
    )


def _auc24(averaged: Averaged) -> tuple[Band | None, Message]:
    """The exposure of 1 mg a day. Elimination is linear in every model, so other doses are in proportion."""
    area, weight, reason = averaged.auc24_draws(daily_cycle(1.0))
    if area is None or weight is None:
        return None, reason
    low, median, high = (float(value) for value in weighted_quantile(area, weight, BAND))
    return Band(low=low, median=median, high=high), reason
