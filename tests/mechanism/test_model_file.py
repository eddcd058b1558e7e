# SPDX-License-Identifier: Apache-2.0
"""The model file and the register of assumptions say the same, completely and readably."""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import pytest

from sirolens.engine.sbml import antimony_to_sbml
from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.assumptions import Role, assumptions
from sirolens.mechanism.network import disagreements, load
from sirolens.source import Mark

FILE = files("sirolens.mechanism").joinpath("itp_sirolimus.ant")
PAGE = Path(__file__).parents[2] / "docs" / "science" / "mechanism.md"
REGISTER = assumptions()
NETWORK = load().network
# What the two papers name (claims A7, B4, B5, B6), and what carries platelets.
NAMED = {
    "Th1", "Th2", "Th17", "R", "Br", "M", "IL6", "IL10", "TGF", "BAFF", "Ab", "CTL", "B", "PB", "PL", "Q", "K1", "K2",
    "K3", "P", "TPO", "u_T", "u_B", "u_R", "GC", "TRA", "IVG", "RTX",
}  # fmt: skip
# Two figures of a published number: the rounding of the register.
ROUNDING = 0.006
# libSBML: what it cannot check because a formula holds a plain number such as 1.
LITERAL_NUMBER = 99505


def test_the_file_and_the_register_agree_name_for_name_value_for_value_unit_for_unit() -> None:
    assert [str(message) for message in disagreements(NETWORK, REGISTER)] == []
    assert set(NETWORK.parameters) == set(REGISTER.parameters)
    assert NETWORK.inputs == REGISTER.ports == ("C", "flare")


def test_everything_the_papers_name_is_in_the_model() -> None:
    assert set(NETWORK.states) | set(NETWORK.definitions) >= NAMED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"value": 0.1}, "assumptions.other-value"),
        ({"unit": "percent"}, "assumptions.other-unit"),
    ],
)
def test_a_disagreement_is_named_with_its_line(change: dict[str, object], code: str) -> None:
    changed = {**REGISTER.parameters, "k_sen": replace(REGISTER.parameters["k_sen"], **change)}
    (told,) = disagreements(NETWORK, replace(REGISTER, parameters=MappingProxyType(changed)))
    assert told.code == code
    assert told.values["symbol"] == "k_sen"
    assert told.place is not None
    line = FILE.read_text(encoding="utf-8").splitlines()[(told.place.line or 0) - 1]
    assert line.strip().startswith("k_sen =")


def test_a_name_on_one_side_only_is_told() -> None:
    without = {symbol: one for symbol, one in REGISTER.parameters.items() if symbol != "kap"}
    more = {**REGISTER.parameters, "ghost": replace(REGISTER.parameters["kap"], symbol="ghost")}
    codes = [
        [message.code for message in disagreements(NETWORK, replace(REGISTER, parameters=MappingProxyType(changed)))]
        for changed in (without, more)
    ]
    assert codes == [["assumptions.unregistered"], ["assumptions.not-in-file"]]


@pytest.mark.parametrize("symbol", REGISTER.parameters)
def test_every_assumption_is_complete_and_no_stronger_than_its_mark(symbol: str) -> None:
    one = REGISTER.parameters[symbol]
    assert one.meaning
    assert one.unit in REGISTER.units
    assert one.low <= one.value <= one.high
    assert one.low < one.high
    assert one.mark in (Mark.SEEN, Mark.SEEN_SECOND_HAND, Mark.DERIVED, Mark.ASSUMED)
    if one.mark is Mark.ASSUMED:
        assert one.reason
    else:
        assert one.source
    if one.mark is Mark.DERIVED:
        assert one.reason
    if one.role in (Role.SAMPLED, Role.BASELINE):
        assert one.distribution


def test_eight_uncertain_inputs_make_patients_differ() -> None:
    sampled = {symbol for symbol, one in REGISTER.parameters.items() if one.role is Role.SAMPLED}
    assert sampled == {"pot", "dep", "h0", "kap", "fL", "wA", "rho", "P0"}


def test_published_numbers_are_carried_over_as_printed() -> None:
    """By hand from the publications' own figures."""
    value = {symbol: one.value for symbol, one in REGISTER.parameters.items()}
    expected = {
        "IC50_T": 11.5 * (0.919 / 0.6 - 1),  # 60 % inhibition at 11.5 ng/mL
        "k_sen": 1 / 10.5,  # Hanson: longest life 10.5 d
        "J_fix": 7.1 * 0.66,  # Hanson: 7.1 10^9/L/d corrected for a recovery of 0.66
        "k_R": 0.693147 / 8,  # Vukmanovic-Stejic: doubling in 8 d
        "k_tr": 3 / 6,  # Wang: 142 h in three stages
        "q_Th17": 1.82 / 1.94,
        "q_Br": 5.42 / 3.09,
        "q_F": 644 / 1426,
        "q_R": 6.06 / 5.44,
        "Th2_0": 18 / 15.04,
        "q_Th2": (13 / 8.47) / (18 / 15.04),
    }
    assert {name: value[name] for name in expected} == pytest.approx(expected, rel=ROUNDING)
    mixture = REGISTER.parameters["rho"].distribution
    assert mixture is not None
    assert mixture.weights == (0.58, 0.42)  # Louwes
    tpo = value["a_TPO"] + value["a_MK"] + value["a_P"] * value["P0"] / value["Ph"]
    assert tpo == pytest.approx(55 / 73, rel=0.06)  # Gu: 55 in health against 73 in ITP; the shares have one digit


def test_every_line_of_the_file_can_be_read() -> None:
    text = FILE.read_text(encoding="utf-8")
    for name in (*NETWORK.states, *NETWORK.parameters, *NETWORK.constants, *NETWORK.definitions, *NETWORK.inputs):
        assert re.search(rf'\b{name} is "[^"]+"', text), name
        assert re.search(rf"\b{name} has \w+", text), name
    for symbol, one in REGISTER.parameters.items():
        assert f'{symbol} is "{one.meaning}"' in text


def test_the_documented_equations_are_the_files() -> None:
    """Every formula of the file stands in the page, and every formula of the page in the file; its example runs."""
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    told = {line for block in blocks for line in block.splitlines() if not line.startswith("//")}
    formulas = {line.strip().split(";")[0] for line in FILE.read_text(encoding="utf-8").splitlines()}
    assert told <= formulas
    left = {re.split(r"'? :?= ", line)[0] for line in told}
    assert left == {*NETWORK.states, *NETWORK.definitions, *NETWORK.constants}
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def test_units_fit_together() -> None:
    """Oracle: libSBML's own check of units; plain numbers in formulas are all it may not be sure of."""
    import libsbml

    document = libsbml.readSBMLFromString(antimony_to_sbml(FILE.read_text(encoding="utf-8")))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    found = [document.getError(i) for i in range(document.getNumErrors())]
    assert {error.getErrorId() for error in found} <= {LITERAL_NUMBER}
    assert document.getModel().getTimeUnits() in ("day", "time_unit")


@pytest.mark.parametrize("name", REGISTER.variants)
def test_every_variant_is_the_same_equations_with_other_values_in_range(name: str) -> None:
    varied = load(name)
    assert varied.network.rates == NETWORK.rates
    changed = {key for key in NETWORK.parameters if varied.network.values[key] != NETWORK.values[key]}
    assert changed == set(REGISTER.variants[name].values)
    assert {key: varied.assumptions[key].value for key in changed} == REGISTER.variants[name].values


def test_the_single_link_gives_all_cells_one_inhibition() -> None:
    one = load("single-link").assumptions
    assert {one[f"{what}_{cell}"].value for what in ("IC50",) for cell in "TBR"} == {6.11}
    assert {one[f"Imax_{cell}"].value for cell in "TBR"} == {0.919}
    assert {one[f"h_{cell}"].value for cell in "TBR"} == {1.0}


def test_variants_combine_unless_they_contradict_each_other() -> None:
    both = load(("single-link", "evans"))
    assert (both.assumptions["IC50_B"].value, both.assumptions["dep"].value) == (6.11, 0.75)
    with pytest.raises(InputError, match=r"assumptions\.variants-clash"):
        load(("evans", "alps"))
    with pytest.raises(UnknownNameError, match=r"assumptions\.unknown-variant"):
        load("evanss")


def test_doses_and_noises_name_what_the_model_has() -> None:
    assert {dose.state for dose in REGISTER.doses.values()} == {"GC", "RTX", "IVG", "TRA"}
    for noise in REGISTER.noises.values():
        assert set(noise.outputs) <= set(NETWORK.states)
        assert noise.low <= noise.cv <= noise.high
    assert {"Th1", "Th2", "Th17", "R", "Br", "M"} == set(REGISTER.noises["flow_cytometry"].outputs)
