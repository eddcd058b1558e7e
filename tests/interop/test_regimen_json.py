# SPDX-License-Identifier: Apache-2.0
"""Regimens as JSON: written and read back the same, and faults name their field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from sirolens.errors import ChartError
from sirolens.interop.json_lines import parse
from sirolens.interop.regimen_json import LONGEST_PATTERN, read_regimen, regimen_to_json, tidy
from sirolens.regimen import Regimen, daily, hold, once, taper, weekdays
from tests.interop.charts import said_in_both
from tests.interop.strategies import regimens


def read(thing: Any) -> Regimen:
    return read_regimen(parse(json.dumps(thing)), file="chart.json", path="regimen")[0]


@settings(deadline=None, max_examples=200)
@given(regimens())
def test_a_written_regimen_reads_back_the_same(regimen: Regimen) -> None:
    assert read(regimen_to_json(regimen)) == regimen


@pytest.mark.parametrize(
    ("thing", "wanted"),
    [
        ("2 mg daily", daily(2)),
        ({"kind": "daily", "amount": 2, "unit": "mg"}, daily(2)),
        ({"kind": "daily", "amount": "500 mcg"}, daily(0.5)),
        ([{"kind": "once", "amount": 6, "unit": "mg"}, "2 mg daily"], once(6).then(daily(2))),
        ({"kind": "words", "words": "2 mg daily", "days": 14}, daily(2).lasting(14)),
        ({"kind": "weekdays", "unit": "mg", "mon": 2, "thu": 1}, weekdays(mon=2, thu=1)),
        (
            {"kind": "taper", "from": 2, "step": 0.5, "every_days": 14, "unit": "mg"},
            taper(2, step_mg=0.5, every_days=14),
        ),
        ({"kind": "hold", "days": 7}, hold(7)),
        ({"kind": "in-turn", "parts": ["2 mg daily for 3 days", "1 mg daily"]}, daily(2).lasting(3).then(daily(1))),
    ],
)
def test_each_kind_means_its_regimen(thing: Any, wanted: Regimen) -> None:
    assert read(thing) == wanted


@pytest.mark.parametrize(
    ("thing", "code", "field"),
    [
        (2, "chart.expected-regimen", "regimen"),
        (None, "chart.expected-regimen", "regimen"),
        ([], "chart.list-empty", "regimen"),
        ({}, "chart.field-missing", "regimen"),
        ({"kind": "dayly"}, "chart.choice-unknown", "regimen.kind"),
        ({"kind": "daily", "amount": 2}, "chart.unit-missing", "regimen.amount"),
        ({"kind": "daily", "unit": "mg"}, "chart.field-missing", "regimen"),
        ({"kind": "daily", "amount": 2, "unit": "mg", "atx": "08:00"}, "chart.field-unknown", "regimen.atx"),
        ({"kind": "daily", "amount": 2, "unit": "mg", "at": "8 am"}, "chart.clock-unreadable", "regimen.at"),
        (
            {"kind": "daily", "amount": 2, "unit": "mg", "at": ["08:00", "20:00"]},
            "chart.clock-unreadable",
            "regimen.at",
        ),
        ({"kind": "daily", "amount": "<2", "unit": "mg"}, "chart.not-a-number", "regimen.amount"),
        ({"kind": "daily", "amount": [], "unit": "mg"}, "chart.expected-number", "regimen.amount"),
        ({"kind": "daily", "amount": 2, "unit": "mg", "every_days": 1.5}, "chart.not-whole", "regimen.every_days"),
        ({"kind": "daily", "amount": 2, "unit": "mg", "days": -1}, "regimen.days-not-positive", "regimen"),
        ({"kind": "every", "amount": 2, "unit": "mg", "interval_h": 1e-9}, "chart.interval", "regimen.interval_h"),
        ({"kind": "weekdays", "unit": "mg"}, "regimen.no-dose", "regimen"),
        ({"kind": "calendar", "unit": "mg", "pattern": [[]]}, "regimen.no-dose", "regimen"),
        ({"kind": "calendar", "unit": "mg", "pattern": [[["08:00"]]]}, "chart.expected-list", "regimen.pattern"),
        (
            {"kind": "calendar", "unit": "mg", "pattern": [[]] * (LONGEST_PATTERN + 1)},
            "chart.regimen-too-many-parts",
            "regimen.pattern",
        ),
        (["2 mg daily", "1 mg daily"], "regimen.then-after-endless", "regimen"),
        (["2 mg daily for 3 days", "1 mg dayly"], "chart.regimen-unreadable", "regimen[1]"),
        ({"kind": "words", "words": "2 mg daily", "missing": ["x"]}, "chart.time-unreadable", "regimen.missing"),
    ],
)
def test_a_fault_names_its_field(thing: Any, code: str, field: str) -> None:
    with pytest.raises(ChartError) as refused:
        read(thing)
    (message,) = refused.value.messages
    assert message.place is not None
    assert (message.code, message.place.field) == (code, field)
    said_in_both(message)


def test_doses_are_written_without_a_needless_zero() -> None:
    """Hazard H3: a trailing zero is read ten-fold."""
    assert json.dumps(regimen_to_json(daily(2.0))).count("2.0") == 0
    assert (tidy(2.0), tidy(0.5)) == (2, 0.5)
