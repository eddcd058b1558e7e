# SPDX-License-Identifier: Apache-2.0
"""Advice for invented charts keeps every law. Oracle: the laws (`validation.advice.laws`), which name no dose.

The same with 23,000 charts is `python -m validation advice`; its figures are in validation/advice/README.md.
"""

from __future__ import annotations

import pytest
from validation.advice.advice import look
from validation.advice.charts import simulated

CHARTS = 60
PARTS = 4  # tests that can run side by side
WHOLE_EVERY = 20
FUTURE_EVERY = 12
TARGETS_EVERY = 12


@pytest.mark.parametrize("part", range(PARTS))
def test_advice_for_invented_charts_breaks_no_law_and_raises_nothing(part: int) -> None:
    for number in range(part, CHARTS, PARTS):
        found = look(
            number,
            whole=number % WHOLE_EVERY == part,
            future=number % FUTURE_EVERY == part,
            targets=number % TARGETS_EVERY == part,
        )
        assert found.faults == []


def test_the_chart_whose_best_dose_had_no_steady_state_is_advised() -> None:
    # 122 mg a day would have been asked of a saturable absorption that takes up 109 mg at most.
    assert look(487, whole=True, future=False).faults == []


def test_a_chart_follows_from_its_number() -> None:
    assert simulated(7) == simulated(7)
    assert simulated(7) != simulated(8)
