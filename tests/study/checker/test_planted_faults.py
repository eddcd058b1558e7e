# SPDX-License-Identifier: Apache-2.0
"""Faults that no rounding can hide are found wherever they are planted; honest tables are left alone.

How often the others are found is measured by ``validation/check``.
"""

from __future__ import annotations

import random

import pytest
from validation.check import tables

from sirolens.study.checker.check import check
from sirolens.study.checker.findings import Finding, Weight
from sirolens.study.checker.published_file import read_published

ALARMS = (Weight.IMPOSSIBLE, Weight.INCONSISTENT)
ALWAYS_FOUND = (tables.count_by_one, tables.denominator, tables.total, tables.interval_digit, tables.arm_size)
TABLES = 4


def alarms(printed: tables.Printed) -> tuple[Finding, ...]:
    reading = read_published(printed.text(), "invented.toml")
    assert reading.published is not None, [str(message) for message in reading.messages]
    return check(reading.published).of(*ALARMS, Weight.EXPLAINED)


@pytest.mark.parametrize("decimals", [0, 1])
def test_honest_tables_give_no_alarm(decimals: int) -> None:
    draw = random.Random(decimals)
    for _ in range(2 * TABLES):
        printed = tables.honest(draw, decimals)
        assert alarms(printed) == (), printed.text()


@pytest.mark.parametrize("decimals", [0, 1])
@pytest.mark.parametrize("fault", ALWAYS_FOUND, ids=lambda fault: fault.__name__)
def test_a_fault_that_rounding_cannot_hide_is_found(fault: tables.Fault, decimals: int) -> None:
    draw = random.Random(f"{fault.__name__} {decimals}")
    planted = 0
    while planted < TABLES:
        printed = tables.honest(draw, decimals)
        if fault(printed, draw):
            planted += 1
            assert alarms(printed), printed.text()
