# SPDX-License-Identifier: Apache-2.0
"""The models' answers to one question, asked for many regimens: which trough would this patient have on that?

A `View` is what advice needs of one model's posterior. `Troughs` asks each view once per rhythm where the model is
proportional to dose, once per regimen where it is not, and keeps the sorted draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.attainment import Chances, Draws, best_scale, chances, draws, next_best
from sirolens.dosing.target import Target
from sirolens.regimen import Cycle

__all__ = ["Troughs", "View", "daily_cycle"]

Array = NDArray[np.float64]

REFINEMENTS = 1
"""How often the best dose is asked again of models that are not proportional: absorption saturates mildly."""
MOST_ASKED_MG = 40.0
"""Models that are not proportional are asked at no more than the label's largest daily dose: a patient who would need
more gets an extrapolated best dose, not a regimen whose absorption has no steady state."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One model's posterior as advice sees it.

    Parameters
    ----------
    name, label : str
        In the catalogue, and for people.
    weight : float
        Share in the average.
    supports : frozenset of str
        What the model may be asked for.
    proportional : bool
        Whether its trough is proportional to dose.
    draw : callable
        From a regimen to trough draws (ng/mL) and their weights, with the same draws for every regimen.
    """

    name: str
    label: str
    weight: float
    supports: frozenset[str]
    proportional: bool
    draw: Callable[[Cycle], tuple[Array, Array]]


def daily_cycle(amount_mg: float) -> Cycle:
    """Return one dose every 24 h."""
    return Cycle(period_h=24.0, offset_h=(0.0,), amount_mg=(amount_mg,))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Troughs:
    """The trough draws of every model for any regimen.

    Parameters
    ----------
    views : tuple of View
        Weights sum to 1.
    additive_ng_ml, proportional : float
        SD of a measured level around the true one.
    """

    views: tuple[View, ...]
    additive_ng_ml: float
    proportional: float
    _kept: dict[tuple[str, Cycle], Draws] = field(default_factory=dict, repr=False)

    @property
    def weight(self) -> Array:
        """Share of each model."""
        return np.array([view.weight for view in self.views])

    def of(self, cycle: Cycle) -> tuple[tuple[Draws, ...], Array]:
        """Return the draws of each model and the factor each is to be multiplied by."""
        pieces = [self._one(view, cycle) for view in self.views]
        return tuple(piece for piece, _ in pieces), np.array([scale for _, scale in pieces])

    def _one(self, view: View, cycle: Cycle) -> tuple[Draws, float]:
        factor = cycle.daily_mg if view.proportional else 1.0
        # A plain rounding keeps 3 x 0.1 mg and 0.3 mg in one rhythm.
        asked = Cycle(
            period_h=cycle.period_h,
            offset_h=cycle.offset_h,
            amount_mg=tuple(round(amount / factor, 12) for amount in cycle.amount_mg),
        )
        key = (view.name, asked)
        if key not in self._kept:
            self._kept[key] = draws(*view.draw(asked))
        return self._kept[key], factor

    def table(self, cycles: Sequence[Cycle], target: Target) -> Chances:
        """Compute the chances of each regimen."""
        pieces = [self.of(cycle) for cycle in cycles]
        return chances(
            tuple(row for row, _ in pieces),
            np.array([scale for _, scale in pieces]).reshape(len(cycles), len(self.views)),
            self.weight,
            low_ng_ml=target.low_ng_ml,
            high_ng_ml=target.high_ng_ml,
            additive_ng_ml=self.additive_ng_ml,
            proportional=self.proportional,
        )

    def best_daily_mg(self, target: Target, *, only: str | None = None) -> float:
        """Return the once-daily dose, not rounded to any product, that is most likely in range.

        Parameters
        ----------
        target : Target
            The range.
        only : str, optional
            Ask one model alone.
        """
        views = [view for view in self.views if only is None or view.name == only]
        weight = np.array([view.weight for view in views])
        weight = weight / weight.sum()
        dose_mg = 1.0
        for _ in range(1 + (0 if all(view.proportional for view in views) else REFINEMENTS)):
            asked_mg = min(dose_mg, MOST_ASKED_MG)
            pieces = [self._one(view, daily_cycle(asked_mg)) for view in views]
            # Draws at the present dose, brought to 1 mg: the view's own factor and the dose cancel where proportional.
            per_mg = tuple(_scaled(piece, scale / asked_mg) for piece, scale in pieces)
            dose_mg = best_scale(per_mg, weight, low_ng_ml=target.low_ng_ml, high_ng_ml=target.high_ng_ml)
        return dose_mg

    def after_level(self, now: Cycle, options: Iterable[Cycle], level_ng_ml: Array, target: Target) -> Array:
        """Return P(in range) of each option after each hypothetical next level on the present regimen."""
        row, scale = self.of(now)
        pieces = [self.of(cycle) for cycle in options]
        return next_best(
            row,
            tuple(option for option, _ in pieces),
            scale,
            np.array([factor for _, factor in pieces]),
            self.weight,
            level_ng_ml,
            low_ng_ml=target.low_ng_ml,
            high_ng_ml=target.high_ng_ml,
            additive_ng_ml=self.additive_ng_ml,
            proportional=self.proportional,
        )


def _scaled(piece: Draws, factor: float) -> Draws:
    if factor == 1.0:
        return piece
    return Draws(
        value_ng_ml=piece.value_ng_ml * factor,
        weight=piece.weight,
        ordered_ng_ml=piece.ordered_ng_ml * factor,
        running=piece.running,
    )
