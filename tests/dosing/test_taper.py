# SPDX-License-Identifier: Apache-2.0
"""A taper is shown when it is due, in steps that can be dispensed. Oracle: the Chongqing trial's rule by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sirolens.chart import Chart, PlateletCount
from sirolens.dosing.present import present_regimen
from sirolens.dosing.products import default_products, portions
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.taper import TaperPlan, taper_plan
from sirolens.regimen import Regimen, alternate_days, cycle, daily
from tests.dosing.invented_charts import NOW, chart, count, prescription

PRODUCTS = default_products()
HELD = (count(90, 40), count(95, 20), count(100, 1))


def plan(
    regimen: Regimen, days: float = 120, counts: tuple[PlateletCount, ...] = HELD, form: str = "tablet"
) -> TaperPlan:
    found: Chart = chart(prescriptions=(prescription(regimen, days, form),), platelet_counts=counts)
    current = present_regimen(found, NOW, PRODUCTS)
    return taper_plan(found, NOW, current, PRODUCTS, default_settings())


def test_half_a_milligram_less_every_two_weeks() -> None:
    found = plan(daily(2))
    first = date(2026, 6, 1)
    assert found.steps == tuple(
        (first + timedelta(days=14 * index), dose) for index, dose in enumerate((1.5, 1.0, 0.5, 0.0))
    )
    assert found.regimen is not None
    assert cycle(found.regimen) is None  # it ends in no dose


def test_every_step_can_be_dispensed() -> None:
    for _, dose_mg in plan(daily(1.7), form="solution").steps[:-1]:
        assert portions(PRODUCTS, "solution", dose_mg) is not None


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (plan(daily(2), days=60), "protocol.taper-too-early"),
        (plan(daily(2), counts=(count(90, 40), count(20, 1))), "protocol.taper-not-responding"),
        (plan(daily(2), counts=(count(90, 1),)), "protocol.taper-not-responding"),
        (plan(daily(2), counts=(count(90, 3), count(95, 1))), "protocol.taper-not-responding"),
        (plan(daily(1.7)), "protocol.taper-not-makable"),
        (plan(alternate_days(2)), "protocol.taper-not-makable"),
    ],
)
def test_no_plan_and_the_reason(found: TaperPlan, code: str) -> None:
    assert (found.regimen, found.steps, found.message.code) == (None, (), code)
