# SPDX-License-Identifier: Apache-2.0
"""The charts that a mutant of the kernel must answer as the rules do: by hand, and drawn with the naive answers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from tests.response.drawn_visits import seeded
from tests.response.naive import naive

from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.visits import Visits

# Imported here once, so that no child has to.
importlib.import_module("numba")
importlib.import_module("sirolens.engine.lanes")

SEEDS, PATIENTS = 250, 20
FORGET = (
    "sirolens.response.kernel",
    "sirolens.response.classify",
    "sirolens.response.verdict",
    "sirolens.response.landmark",
    "sirolens.response.revisions",
    "tests.response.agreement",
    "tests.response.hand_check",
)
"""Modules that hold on to the kernel: a child imports them after the mutant took its place."""


@dataclass(frozen=True, slots=True)
class Battery:
    """Drawn charts with the answers of the naive interpreter, worked out once."""

    drawn_ones: tuple[tuple[Visits, CriteriaSet, list[dict[str, Any]]], ...]

    @classmethod
    def drawn(cls, seeds: int = SEEDS, patients: int = PATIENTS) -> Battery:
        """Draw the charts; criteria change in every second field, so that each choice is tried."""
        made = (seeded(seed, patients, changed=2) for seed in range(10_000, 10_000 + seeds))
        return cls(tuple((visits, criteria, naive(visits, criteria)) for visits, criteria in made))

    @property
    def drawn_charts(self) -> int:
        """How many drawn charts there are."""
        return sum(visits.patients for visits, _, _ in self.drawn_ones)

    @property
    def hand_charts(self) -> int:
        """How many charts were reasoned by hand."""
        from tests.response.hand_charts import cases

        return len(cases())

    def drawn_agrees(self) -> bool:
        """Whether the kernel in place answers the drawn charts as the naive interpreter does."""
        from tests.response.agreement import differences

        return not any(differences(visits, criteria, rules) for visits, criteria, rules in self.drawn_ones)

    def hand_agrees(self) -> bool:
        """Whether the kernel in place answers the hand-reasoned charts as reasoned."""
        from tests.response.hand_charts import cases
        from tests.response.hand_check import wrong

        return not any(wrong(case) for case in cases())

    def agrees(self) -> bool:
        """Both."""
        return self.hand_agrees() and self.drawn_agrees()
