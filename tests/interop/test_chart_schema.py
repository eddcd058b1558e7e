# SPDX-License-Identifier: Apache-2.0
"""The published schema is the one the reader's own fields make, and what is written satisfies it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from sirolens.chart import Chart
from sirolens.interop.chart_json import write_chart
from sirolens.interop.chart_schema import SCHEMA_FILE, chart_schema, published_schema, schema_text
from tests.interop.charts import LEVEL, PRESCRIPTION, sound
from tests.interop.strategies import charts

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(chart_schema())


def test_the_published_files_are_up_to_date() -> None:
    assert published_schema() == schema_text()
    assert (ROOT / "docs" / "schema" / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(schema_text()))


@settings(deadline=None, max_examples=40)
@given(charts())
def test_what_is_written_satisfies_the_schema(chart: Chart) -> None:
    VALIDATOR.validate(json.loads(write_chart(chart)))


@pytest.mark.parametrize(
    "chart",
    [
        {},
        sound(zone=None),
        sound(patient={}),
        sound(levles=[]),
        sound(levels=[LEVEL | {"asay": "cmia"}]),
        sound(levels=[{"value": 7.2, "unit": "ng/mL"}]),
        sound(prescriptions=[PRESCRIPTION | {"regimen": {"kind": "dayly"}}]),
        sound(sirolens_chart=2),
    ],
)
def test_the_schema_refuses_what_is_not_the_format(chart: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(chart)


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "charts").glob("*.json")), ids=lambda path: path.name)
def test_the_examples_satisfy_the_schema(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))
