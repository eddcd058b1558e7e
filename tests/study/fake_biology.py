# SPDX-License-Identifier: Apache-2.0
"""A disease simple enough to reason about, for tests of trials: platelets follow the trough with a delay.

Half of the patients respond: their true count rises towards `RISE` times the baseline in proportion to the share of the
last weeks' troughs above 5 ng/mL; the others keep their baseline. Nothing here is from the literature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sirolens.mechanism.draws import patient_normals, patient_uniforms
from sirolens.mechanism.exposure import DoseHistory, Kinetics, blood_levels
from sirolens.mechanism.people import draw_people
from sirolens.mechanism.people import people as description
from sirolens.study.trial.recipe_design import Partner
from sirolens.study.trial.virtual_patients import Course, Described, People

RISE = 12.0
MEAN_LIFE_D = 20.0


def _baseline(group: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return 12.0 * np.exp(0.4 * patient_normals(1, group, "fake-baseline", index=rows))


class FakeBiology:
    """Answers what a trial asks; patients whose number is in `failing` cannot be integrated."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.failing = failing
        self.calls = 0

    def versions(self) -> dict[str, str]:
        return {"fake": "1"}

    def described(self, group: str, n: int) -> Described:
        told = draw_people(description(group), seed=1, index=range(n))
        return Described(
            age_years=told["age"], weight_kg=told["weight"], baseline_10e9_l=_baseline(group, np.arange(n))
        )

    def healthy_treg_percent(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        return 5.0 * np.exp(0.2 * patient_normals(1, "fake-healthy", index=numbers))

    def course(
        self,
        group: str,
        people: People,
        kinetics: Kinetics,
        doses: DoseHistory,
        partners: Sequence[Partner],
        days: NDArray[np.int64],
    ) -> Course:
        self.calls += 1
        levels = blood_levels(kinetics, doses, np.arange(days[-1] + 1.0))
        effect, decay = np.zeros(levels.shape), np.exp(-1.0 / MEAN_LIFE_D)
        for day in range(1, int(days[-1]) + 1):
            effect[:, day] = decay * effect[:, day - 1] + (1.0 - decay) * (levels[:, day] > 5.0)
        numbers = people.row
        base = _baseline(group, numbers)
        responds = patient_uniforms(1, "fake-responds", index=numbers) < 0.5
        lift = (RISE - 1.0) * responds[:, None] + 2.0 * len(partners)
        platelets = base[:, None] * (1.0 + lift * effect)
        treg = 5.0 * np.exp(0.2 * patient_normals(1, "fake-treg", index=numbers))[:, None] * (1.0 + 0.3 * effect)
        failed = np.isin(numbers, sorted(self.failing))
        platelets[failed, 30:] = np.nan
        return Course(days=days, platelets_10e9_l=platelets[:, days], treg_percent=treg[:, days], failed=failed)
