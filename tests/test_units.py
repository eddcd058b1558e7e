# SPDX-License-Identifier: Apache-2.0
"""The conversion table is linear, spelled as people spell, and right where published factors exist."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.source import Mark
from sirolens.units import CANONICAL, MOLAR_MASS_G_MOL, accepted_units, convert, normalise

QUANTITIES = sorted(CANONICAL)
SPELLINGS = [(quantity, unit) for quantity in QUANTITIES for unit in accepted_units(quantity)]
ROUNDING = 1e-14  # two roundings of a double
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_canonical_unit_is_left_as_it_is(quantity: str) -> None:
    found = convert(7.25, CANONICAL[quantity], quantity)
    assert (found.value, found.unit, found.changed) == (7.25, CANONICAL[quantity], False)


@settings(deadline=None)
@given(st.sampled_from(SPELLINGS), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_conversion_is_proportional(spelled: tuple[str, str], value: float, factor: float) -> None:
    quantity, unit = spelled
    one = convert(1.0, unit, quantity).value
    assert convert(value, unit, quantity).value == pytest.approx(value * one, rel=ROUNDING)
    assert convert(value * factor, unit, quantity).value == pytest.approx(factor * value * one, rel=3 * ROUNDING)


@settings(deadline=None)
@given(st.sampled_from(SPELLINGS), st.floats(1e-6, 1e6))
def test_there_and_back_is_the_same_value(spelled: tuple[str, str], value: float) -> None:
    quantity, unit = spelled
    factor = convert(1.0, unit, quantity).value
    assert convert(value, unit, quantity).value / factor == pytest.approx(value, rel=ROUNDING)


@settings(deadline=None)
@given(st.sampled_from(SPELLINGS), st.data())
def test_case_width_and_spaces_of_a_unit_do_not_matter(spelled: tuple[str, str], data: st.DataObject) -> None:
    quantity, unit = spelled
    typed = data.draw(st.sampled_from([unit.upper(), unit.lower(), unit.translate(WIDE), f"  {unit} ", " ".join(unit)]))
    assert convert(1.0, typed, quantity).value == convert(1.0, unit, quantity).value


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "wanted", "source"),
    [
        (1.0, "ng/mL", "concentration", 1.0, "1 ug/L is 1 ng/mL by definition"),
        (1.094, "nmol/L", "concentration", 1.0, "clinic.md: 1 ng/mL = 1.094 nmol/L"),
        (100.0, "ng/dL", "concentration", 1.0, "1 dL is 100 mL"),
        (100.0, "lb", "mass", 45.359237, "avoirdupois pound, exact"),
        (1.0, "mg/dL", "bilirubin", 17.1, "CTCAE and laboratory tables: 17.1 umol/L"),
        (1.0, "mg/dL", "creatinine", 88.4, "laboratory tables: 88.4 umol/L"),
        (300.0, "mg/dL", "cholesterol", 7.75, "CTCAE v5: 300 mg/dL is 7.75 mmol/L"),
        # CTCAE v5 prints 1.71 mmol/L for 150 mg/dL, 1 % more than triolein's molar mass gives.
        (88.5, "mg/dL", "triglyceride", 1.0, "laboratory tables: 88.5 mg/dL is 1 mmol/L"),
        (18.0, "mg/dL", "glucose", 1.0, "laboratory tables: 18 mg/dL is 1 mmol/L"),
        (4.5, "万/μL", "count", 45.0, "one 万 is 10^4"),
        (45_000.0, "/mm³", "count", 45.0, "1 mm3 is 1 uL"),
        (1.0, "斤", "mass", 0.5, "one 斤 is 0.5 kg"),
        (113.12, "mg/mmol", "ratio", 1.0, "molar mass of creatinine 113.12 g/mol"),
        (0.38, "L/L", "haematocrit", 38.0, "a fraction in percent"),
    ],
)
def test_conversions_agree_with_published_factors(
    value: float, unit: str, quantity: str, wanted: float, source: str
) -> None:
    # Published factors have three or four digits.
    assert convert(value, unit, quantity).value == pytest.approx(wanted, rel=5e-3), source


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        (" µg／L ", "ug/l"),
        ("μg/L", "ug/l"),
        ("㎍/mL", "ug/ml"),
        ("㎎", "mg"),
        ("×10⁹/L", "x10^9/l"),
        ("10⁹/L", "10^9/l"),
        ("／mm³", "/mm^3"),
        ("万／μＬ", "万/ul"),
        ("％", "%"),
    ],
)
def test_typed_units_are_brought_to_one_spelling(typed: str, plain: str) -> None:
    assert normalise(typed) == plain


@pytest.mark.parametrize("unit", ["", "mg", "ng", "mL", "ng/mLL", "109/L", "bananas"])
def test_an_unknown_unit_is_refused_with_the_list_of_what_is_known(unit: str) -> None:
    with pytest.raises(InputError) as refused:
        convert(7.2, unit, "concentration")
    (message,) = refused.value.messages
    assert message.code == "units.unknown"
    assert message.values["accepted"] == accepted_units("concentration")
    assert {"ng/mL", "ug/L", "nmol/L"} <= set(accepted_units("concentration"))


def test_a_unit_of_another_quantity_is_unknown() -> None:
    assert convert(3.0, "G/L", "count").value == 3.0  # giga per litre
    assert convert(3.0, "g/L", "protein").value == 3.0  # grams per litre
    with pytest.raises(InputError):
        convert(3.0, "nmol/L", "drug-level")  # another drug's molar mass is not known


def test_molar_masses_say_where_they_come_from() -> None:
    for mass in MOLAR_MASS_G_MOL.values():
        assert mass.unit == "g/mol"
        assert mass.source.mark in (Mark.SEEN, Mark.DERIVED)
