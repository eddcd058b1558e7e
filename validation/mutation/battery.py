# SPDX-License-Identifier: Apache-2.0
"""The charts that a mutant of the kernel must answer as the rules do: by hand, and drawn with the naive answers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from tests.response.drawn_visits import seeded
from tests.response.hand_charts import Case, cases
from tests.response.naive import naive

from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.visits import Visits

# Imported here once, so that no child has to.
importlib.import_module("numba")
importlib.import_module("sirolens.engine.lanes")
importlib.import_module("sirolens.response.chart_visits")

SEEDS, PATIENTS = 250, 20
CLASSIFY = "sirolens.response.classify"
FORGET = (
    "sirolens.response.kernel",
    CLASSIFY,
    "sirolens.response.verdict",
    "sirolens.response.reasons",
    "sirolens.response.revisions",
    "tests.response.agreement",
    "tests.response.hand_check",
)
"""Modules that hold on to the kernel: a child imports them after the mutant took its place."""


@dataclass(frozen=True, slots=True)
class Battery:
    """Drawn charts with the answers of the naive interpreter, worked out once."""

    drawn_ones: tuple[tuple[Visits, CriteriaSet, list[dict[str, Any]]], ...]
    by_hand: tuple[Case, ...]

    @classmethod
    def made(cls, seeds: int = SEEDS, patients: int = PATIENTS) -> Battery:
        """Draw the charts (criteria change in every second field, so that each choice is tried) and read the cases."""
        drawn = (seeded(seed, patients, changed=2) for seed in range(10_000, 10_000 + seeds))
        answered = tuple((visits, criteria, naive(visits, criteria)) for visits, criteria in drawn)
        return cls(answered, tuple(cases()))

    @property
    def drawn_charts(self) -> int:
        """How many drawn charts there are."""
        return sum(visits.patients for visits, _, _ in self.drawn_ones)

    def drawn_agrees(self) -> bool:
        """Whether the kernel in place answers the drawn charts as the naive interpreter does."""
        classify, agreement = (importlib.import_module(name) for name in (CLASSIFY, "tests.response.agreement"))
        vars(classify)["WORTH"] = 1  # few patients are worth many chunks, so that a chunk need not begin with patient 0
        return not any(agreement.differences(*one) for one in self.drawn_ones)

    def hand_agrees(self) -> bool:
        """Whether the kernel in place answers the hand-reasoned charts as reasoned."""
        check = importlib.import_module("tests.response.hand_check")
        return not any(check.wrong(case) for case in self.by_hand)

    def agrees(self) -> bool:
        """Both."""
        return self.drawn_agrees() and self.hand_agrees()
