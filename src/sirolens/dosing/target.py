# SPDX-License-Identifier: Apache-2.0
"""The range a trough should lie in: a setting with an author, a reason and a source, never a constant in the code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import final

from sirolens.dosing.literature import source, table
from sirolens.errors import InputError
from sirolens.message import Message, error, info, warning
from sirolens.source import Source

__all__ = ["Target", "default_target", "target_messages"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target range for the whole-blood trough.

    Parameters
    ----------
    low_ng_ml, high_ng_ml : float
        Its limits.
    author : str
        Who set it.
    reason : str
        Why.
    source : Source
        What it rests on.
    set_on : date, optional
        When it was set.
    assay : str
        The assay it was meant for; ``"unknown"`` where the source does not say.

    Raises
    ------
    InputError
        ``protocol.target-order``, ``protocol.target-implausible`` or ``protocol.target-without-author``.

    Examples
    --------
    >>> round(default_target().aim_ng_ml, 2)
    8.66
    """

    low_ng_ml: float
    high_ng_ml: float
    author: str
    reason: str
    source: Source
    set_on: date | None = None
    assay: str = "unknown"

    def __post_init__(self) -> None:
        faults: list[Message] = []
        low, high = self.low_ng_ml, self.high_ng_ml
        # Written so that NaN fails too.
        if not 0.0 < self.low_ng_ml < self.high_ng_ml:
            faults.append(error("protocol.target-order", low_ng_ml=low, high_ng_ml=high))
        elif self.low_ng_ml < LOWEST_NG_ML or self.high_ng_ml > HIGHEST_NG_ML:
            faults.append(
                error(
                    "protocol.target-implausible",
                    low_ng_ml=low,
                    high_ng_ml=high,
                    least_ng_ml=LOWEST_NG_ML,
                    most_ng_ml=HIGHEST_NG_ML,
                )
            )
        if not self.author.strip() or not self.reason.strip():
            faults.append(error("protocol.target-without-author", low_ng_ml=low, high_ng_ml=high))
        if faults:
            raise InputError(*faults)

    @property
    def aim_ng_ml(self) -> float:
        """The middle on the log scale: where a log-normal trough is most likely in range."""
        return sqrt(self.low_ng_ml * self.high_ng_ml)


LOWEST_NG_ML = 1.0
"""Below the quantification limit of common assays a target cannot be followed (JUDGE)."""
HIGHEST_NG_ML = 30.0
"""Above every published target (the highest seen is 16-24 ng/mL early after transplantation); a typing slip (JUDGE)."""


def default_target() -> Target:
    """Return the target of claim A3: 5-15 ng/mL."""
    claim = table("protocol")["claims"]["A3"]
    low, high = claim["target_ng_ml"]
    origin = source(claim["source"])
    return Target(low_ng_ml=low, high_ng_ml=high, author="sirolens", reason="claim A3", source=origin)


def target_messages(target: Target) -> tuple[Message, ...]:
    """Say which target is used and how it differs from the protocol's.

    Parameters
    ----------
    target : Target
        The one in force.

    Returns
    -------
    tuple of Message
        ``protocol.target-in-force``; a warning when it is another than A3's; another when it lies wholly above it, as
        targets after transplantation do.
    """
    usual = default_target()
    low, high = target.low_ng_ml, target.high_ng_ml
    if target == usual:
        return (info("protocol.target", source=target.source, low_ng_ml=low, high_ng_ml=high),)
    said = [
        info(
            "protocol.target-in-force",
            source=target.source,
            low_ng_ml=low,
            high_ng_ml=high,
            author=target.author,
            reason=target.reason,
        )
    ]
    if (target.low_ng_ml, target.high_ng_ml) != (usual.low_ng_ml, usual.high_ng_ml):
        said.append(
            warning(
                "protocol.target-differs",
                source=usual.source,
                low_ng_ml=target.low_ng_ml,
                high_ng_ml=target.high_ng_ml,
                usual_low_ng_ml=usual.low_ng_ml,
                usual_high_ng_ml=usual.high_ng_ml,
            )
        )
    if target.high_ng_ml > usual.high_ng_ml:
        said.append(
            warning(
                "protocol.target-above-toxicity",
                source=source("renal-thresholds"),
                high_ng_ml=target.high_ng_ml,
                toxic_ng_ml=usual.high_ng_ml,
            )
        )
    return tuple(said)
