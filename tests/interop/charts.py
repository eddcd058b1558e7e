# SPDX-License-Identifier: Apache-2.0
"""Small charts for tests: a sound one, the same with one thing changed, and what a reader says to it."""

from __future__ import annotations

import json
import re
from typing import Any

from sirolens.chart import Chart
from sirolens.errors import ChartError
from sirolens.interop.chart_json import from_json
from sirolens.message import Message
from sirolens.report.words import say

FILE = "chart.json"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LEVEL = {"at": "2026-09-15T07:40+08:00", "value": 7.2, "unit": "ng/mL", "assay": "cmia"}
WEIGHT = {"at": "2026-09-15T07:40+08:00", "name": "weight", "value": 61.0, "unit": "kg"}
COUNT = {"at": "2026-09-15T07:40+08:00", "value": 45, "unit": "10^9/L"}
PRESCRIPTION = {"start": "2026-09-01T08:00+08:00", "regimen": "2 mg daily"}
PATIENT = {"id": "P-1", "invented": True, "age_years": 44, "age_at": "2026-09-01", "diagnosis": "primary-itp"}


def sound(**changes: Any) -> dict[str, Any]:
    """A sound chart with some of its parts replaced; None takes a part out."""
    chart: dict[str, Any] = {
        "sirolens_chart": 1,
        "zone": "Asia/Shanghai",
        "patient": dict(PATIENT),
        "prescriptions": [dict(PRESCRIPTION)],
        "levels": [dict(LEVEL)],
        "platelet_counts": [dict(COUNT)],
        "labs": [dict(WEIGHT)],
    }
    return {name: value for name, value in (chart | changes).items() if value is not None}


def text(chart: dict[str, Any]) -> str:
    """One field a line, so that every field has a line of its own."""
    return json.dumps(chart, ensure_ascii=False, indent=1)


def read(chart: dict[str, Any]) -> tuple[Chart, tuple[Message, ...]]:
    return from_json(text(chart), file=FILE)


def faults(chart: dict[str, Any] | str | bytes) -> tuple[Message, ...]:
    """Every fault of a chart that is refused; a chart that is read fails the test."""
    data = text(chart) if isinstance(chart, dict) else chart
    try:
        found, _ = from_json(data, file=FILE)
    except ChartError as refused:
        return refused.messages
    raise AssertionError(f"read without a fault: {found}")


def the(messages: tuple[Message, ...], code: str) -> Message:
    """The one message of a code."""
    found = [message for message in messages if message.code == code]
    assert len(found) == 1, f"{code} among {[message.code for message in messages]}"
    return found[0]


def said_in_both(message: Message) -> tuple[str, str]:
    """A message in English and Chinese, after checking that both are words and not a code."""
    english, chinese = say(message, "en"), say(message, "zh")
    assert message.code not in english, "no English words"
    assert message.code not in chinese, "no Chinese words"
    assert CHINESE.search(chinese)
    return english, chinese
