# SPDX-License-Identifier: Apache-2.0
"""The cohort's response rate in the light of an earlier one: several weights, and how far both disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sirolens.engine.statistics.bayes_rate import (
    Comparison,
    RobustUpdate,
    Update,
    power_prior,
    rates_compared,
    robust_prior,
)
from sirolens.study.cohort.protocol import Historical, StudyProtocol
from sirolens.study.cohort.response import LandmarkRates, Rate

__all__ = ["Updated", "updated"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """A rate with an earlier one.

    Parameters
    ----------
    historical : Historical
        The earlier rate.
    own : Rate
        The cohort's, of everyone due.
    updates : tuple of Update
        One for each weight.
    robust : RobustUpdate
        With the chance that the earlier study does not apply.
    compared : Comparison
        How probably the cohort's rate is the higher one.
    """

    historical: Historical
    own: Rate
    updates: tuple[Update, ...]
    robust: RobustUpdate
    compared: Comparison


def updated(primary: LandmarkRates | None, protocol: StudyProtocol) -> Updated | None:
    """Update an earlier rate with the cohort's.

    Parameters
    ----------
    primary : LandmarkRates, optional
        All patients at the primary landmark.
    protocol : StudyProtocol
        Names the earlier rate; without one there is nothing to update.
    """
    old = protocol.historical
    if old is None or primary is None:
        return None
    own = primary.of("due", old.outcome)
    counts = (own.k, own.n, old.responders, old.patients)
    (a, b), level = protocol.prior, protocol.interval_level
    return Updated(
        historical=old,
        own=own,
        updates=tuple(power_prior(*counts, weight, a, b, level) for weight in old.weights),
        robust=robust_prior(*counts, level=level),
        compared=rates_compared(*counts, a, b, level),
    )
