# SPDX-License-Identifier: Apache-2.0
"""The arms of a study against its first arm: difference and ratio of the response rates, and Fisher's exact test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sirolens.engine.statistics.contrast import Contrast, fisher, newcombe, risk_ratio
from sirolens.engine.statistics.interval import Test
from sirolens.study.cohort.protocol import StudyProtocol
from sirolens.study.cohort.response import LandmarkRates, Rate

__all__ = ["ArmContrast", "arm_contrasts"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ArmContrast:
    """One arm against the first, in everyone due at a landmark.

    Parameters
    ----------
    landmark_d : int
        The landmark.
    outcome : str
        ``"overall"`` or ``"complete"``.
    arm, reference : str
        The arms.
    own, other : Rate
        Their rates.
    difference, ratio : Contrast
        Arm less reference (Newcombe), arm over reference (Koopman).
    test : Test
        Fisher, two-sided.
    """

    landmark_d: int
    outcome: str
    arm: str
    reference: str
    own: Rate
    other: Rate
    difference: Contrast
    ratio: Contrast
    test: Test


def arm_contrasts(rates: tuple[LandmarkRates, ...], protocol: StudyProtocol) -> tuple[ArmContrast, ...]:
    """Compare every arm with the first one at every landmark, by the primary estimand.

    Parameters
    ----------
    rates : tuple of LandmarkRates
        All of the analysis.
    protocol : StudyProtocol
        Gives the level of the intervals.
    """
    found = []
    for reference in (one for one in rates if one.estimand == "composite" and one.arm is not None):
        arms = [one for one in rates if one.estimand == "composite" and one.landmark_d == reference.landmark_d]
        named = [one for one in arms if one.arm is not None]
        if reference is not named[0]:
            continue
        for one in named[1:]:
            found += [_contrast(one, reference, outcome, protocol) for outcome in ("overall", "complete")]
    return tuple(one for one in found if one.own.n and one.other.n)


def _contrast(one: LandmarkRates, reference: LandmarkRates, outcome: str, protocol: StudyProtocol) -> ArmContrast:
    own, other = one.of("due", outcome), reference.of("due", outcome)
    counts, level = (own.k, own.n, other.k, other.n), protocol.interval_level
    return ArmContrast(
        landmark_d=one.landmark_d,
        outcome=outcome,
        arm=one.arm or "",
        reference=reference.arm or "",
        own=own,
        other=other,
        difference=newcombe(*counts, level),
        ratio=risk_ratio(*counts, level),
        test=fisher([[own.k, own.n - own.k], [other.k, other.n - other.k]]),
    )
