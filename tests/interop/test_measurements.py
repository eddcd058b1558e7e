# SPDX-License-Identifier: Apache-2.0
"""A declared unit is converted with both values shown, or asked about; it is never changed silently (hazard H1)."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.measurements import DOSE, LABS, LEVEL, PLATELETS, Measurement, lab_name, measure
from sirolens.interop.numbers import Number, plain_width
from sirolens.source import Mark
from sirolens.units import CANONICAL, accepted_units, convert, normalise
from tests.interop.charts import said_in_both

EVERY = (LEVEL, DOSE, PLATELETS, *LABS.values())


@pytest.mark.parametrize("what", EVERY, ids=lambda what: what.name)
def test_windows_lie_inside_each_other(what: Measurement) -> None:
    assert what.absolute[0] <= what.plausible[0] < what.plausible[1] <= what.absolute[1]
    assert what.quantity in CANONICAL


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(accepted_units("concentration")), st.floats(1e-4, 1e6))
def test_a_level_is_never_converted_without_a_flag_nor_out_of_the_window(unit: str, value: float) -> None:
    """The rule of hazard H1, stated once more: digits alone plausible: asked; outside the absolute window: refused."""
    wanted = convert(value, unit, "concentration").value
    low, high = LEVEL.plausible
    try:
        found, flags = measure(Number(value), unit, LEVEL)
    except ChartError as refused:
        (message,) = refused.messages
        asked = low <= value <= high and not low <= wanted <= high
        assert message.code == ("chart.unit-doubt" if asked else "chart.impossible")
        assert asked or not LEVEL.absolute[0] <= wanted <= LEVEL.absolute[1]
        assert message.source is not None
        assert message.source.mark is Mark.JUDGE
        said_in_both(message)
        return
    assert found == wanted
    codes = [flag.code for flag in flags]
    assert ("chart.converted" in codes) is (normalise(unit) not in ("ng/ml", "纳克/毫升"))
    assert ("chart.implausible" in codes) is (not low <= wanted <= high)
    for flag in flags:
        said_in_both(flag)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(EVERY), st.data())
def test_a_canonical_value_is_left_as_it_is(what: Measurement, data: st.DataObject) -> None:
    value = data.draw(st.floats(*what.plausible))
    assume(what.name != "haematocrit" or value > 1)
    assert measure(Number(value), CANONICAL[what.quantity], what) == (value, ())


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(EVERY), st.floats(-1e9, -1e-9))
def test_no_measured_value_is_negative(what: Measurement, value: float) -> None:
    for unit in accepted_units(what.quantity):
        with pytest.raises(ChartError, match="negative"):
            measure(Number(value), unit, what)


@pytest.mark.parametrize("what", EVERY, ids=lambda what: what.name)
def test_a_value_without_a_unit_is_refused(what: Measurement) -> None:
    middle = math.sqrt(max(what.plausible[0], 1e-3) * what.plausible[1])
    if what.quantity == "score":
        assert measure(Number(middle), None, what)[0] == middle
        return
    with pytest.raises(ChartError, match="unit-missing") as refused:
        measure(Number(middle), None, what)
    said_in_both(refused.value.messages[0])


def test_a_unit_given_twice_must_agree() -> None:
    assert measure(Number(7.2, "", "ng/mL"), "NG/ML", LEVEL) == (7.2, ())
    with pytest.raises(ChartError, match="unit-twice") as refused:
        measure(Number(7.2, "", "ng/mL"), "ng/dL", LEVEL)
    said_in_both(refused.value.messages[0])


@pytest.mark.parametrize(
    ("value", "unit", "outcome"),
    [
        (38.0, "%", 38.0),
        (0.38, "L/L", 38.0),
        (0.38, "%", "haematocrit-fraction"),
        (38.0, "L/L", "unit-doubt"),
        (0.38, None, "unit-missing"),
        (95.0, "%", "impossible"),
    ],
)
def test_haematocrit_is_percent_or_a_declared_fraction(value: float, unit: str | None, outcome: float | str) -> None:
    if isinstance(outcome, float):
        assert measure(Number(value), unit, LABS["haematocrit"])[0] == outcome
        return
    with pytest.raises(ChartError, match=outcome):
        measure(Number(value), unit, LABS["haematocrit"])


@pytest.mark.parametrize(
    ("what", "value", "unit"),
    [
        ("haemoglobin", 13.5, "g/L"),
        ("creatinine", 0.8, "umol/L"),
        ("cholesterol", 190, "mmol/L"),
        ("triglyceride", 150, "mmol/L"),
        ("glucose", 95, "mmol/L"),
        ("height", 1.75, "cm"),
        ("weight", 18_000, "kg"),
    ],
)
def test_the_usual_mistakes_of_unit_are_refused(what: str, value: float, unit: str) -> None:
    with pytest.raises(ChartError, match="impossible"):
        measure(Number(value), unit, LABS[what])


def test_a_limit_is_converted_like_a_value() -> None:
    value, flags = measure(Number(50.0, "<"), "ng/dL", LEVEL)
    assert value == 0.5
    assert flags[0].values["declared"] == "<50 ng/dL"


def test_names_of_laboratory_values_are_one_to_one() -> None:
    spellings = [spelling for lab in LABS.values() for spelling in (lab.name, *lab.spellings)]
    assert len(spellings) == len(set(spellings))
    assert all(spelling == plain_width(spelling).lower() for spelling in spellings)
    assert all(
        lab_name(spelling.upper()) == lab.name for lab in LABS.values() for spelling in (lab.name, *lab.spellings)
    )
