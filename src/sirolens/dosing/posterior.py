# SPDX-License-Identifier: Apache-2.0
"""What advice takes from the estimates: models that may speak, their draws, and the reasons why others may not.

A model whose most probable point was not found, or is no proper maximum, makes no suggestion (H16): it is left out and
said. What only some models can know (exposure, fraction of steady state) is asked of those only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from sirolens.dosing.options import Band
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message
from sirolens.regimen import Cycle

__all__ = ["Posterior"]


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
