# SPDX-License-Identifier: Apache-2.0
"""docs/input.md names every field, quantity and window there is, its examples run, and the example charts are sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sirolens.interop.chart_json import TOP_FIELDS, from_json, read_chart
from sirolens.interop.chart_patient import PATIENT_FIELDS
from sirolens.interop.chart_sections import SECTIONS
from sirolens.interop.measurements import DOSE, LABS, LEVEL, PLATELETS, number_text
from sirolens.interop.regimen_json import KINDS
from sirolens.interop.regimen_text import parse_regimen
from sirolens.message import Severity
from sirolens.units import CANONICAL
from tests.interop.charts import said_in_both

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "input.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
EXAMPLES = sorted((ROOT / "examples" / "charts").glob("*.json"))


def test_every_field_is_documented() -> None:
    names = {*TOP_FIELDS, *KINDS, *(field.name for field in PATIENT_FIELDS)}
    names |= {field.name for section in SECTIONS.values() for field in section.fields}
    words = {word for name in NAMED for word in re.findall(r"[a-z0-9_:-]+", name)}
    assert not names - words


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_every_list_names_its_own_fields(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", PAGE, flags=re.MULTILINE)
    shared = {"recorded", "id", "replaces", "retracted", "note", "stop_recorded", "stop"}
    own = {field.name for field in SECTIONS[name].fields} - shared
    assert own <= set(re.findall(r"`([a-z_0-9]+)`", row))
    required = {field.name for field in SECTIONS[name].fields if field.required}
    assert required <= set(re.findall(r"`([a-z_0-9]+)`", row.partition(";")[0]))


@pytest.mark.parametrize("what", [LEVEL, DOSE, PLATELETS, *LABS.values()], ids=lambda what: what.name)
def test_every_quantity_is_documented_with_its_unit_and_windows(what: object) -> None:
    assert isinstance(what, type(LEVEL))
    name = f"`{what.name}`" if what.name in LABS else what.name
    plausible, absolute = ("-".join(map(number_text, window)) for window in (what.plausible, what.absolute))
    rows = re.findall(rf"^\| {re.escape(name)} \| (\S+) \| .* \| (\S+) \| (\S+) \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(CANONICAL[what.quantity], plausible, absolute)]


def test_the_example_on_the_page_is_a_chart() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    chart, flags = from_json(block)
    assert len(chart.levels) == 1
    assert {flag.code for flag in flags} == {"chart.naive-times"}


def test_the_regimens_on_the_page_are_read_and_mean_the_same_in_a_row() -> None:
    rows = re.findall(r"^\| (`\d.*?|`hold.*?|`taper.*?) \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) == 10
    for english, chinese in rows:
        read = [parse_regimen(text)[0] for cell in (english, chinese) for text in re.findall(r"`([^`]+)`", cell)]
        assert len(read) >= 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_invented_says_so_and_is_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    chart, flags = read_chart(path)
    assert chart.patient.invented
    assert "INVENTED PATIENT" in text
    assert chart.patient.id.startswith("EXAMPLE-")
    for flag in flags:
        assert flag.severity in (Severity.INFO, Severity.WARNING)
        said_in_both(flag)
    if path.stem != "messy_units":
        assert flags == ()


def test_there_is_an_example_of_each_kind() -> None:
    adult, child = (
        read_chart(ROOT / "examples" / "charts" / name)[0]
        for name in ("adult_three_troughs.json", "child_18kg_before_first_dose.json")
    )
    assert len(adult.levels) == 3
    assert {"cholesterol", "haematocrit", "ast"} <= {lab.name for lab in adult.labs}
    assert adult.patient.age_years is not None
    assert (child.levels, child.prescriptions) == ((), ())
    assert {("weight", 18.0), ("bilirubin", 9.4)} <= {(lab.name, lab.value) for lab in child.labs}


def test_the_messy_example_shows_every_kind_of_conversion() -> None:
    chart, flags = read_chart(ROOT / "examples" / "charts" / "messy_units.json")
    converted = [str(flag.values["declared"]) for flag in flags if flag.code == "chart.converted"]
    for unit in ("ng/dL", "nmol/L", "µg/L", "微克", "万/μL", "/μL", "lb", "m", "L/L", "g/dL", "mg/dL"):
        assert [declared for declared in converted if declared.endswith(unit)], unit
    assert [round(level.level_ng_ml, 3) for level in chart.levels] == [7.4, 7.2, 1.5, 3.931]
