# SPDX-License-Identifier: Apache-2.0
"""What becomes of species, compartments, reactions, rules and events; each expectation is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.sbml.documents import (
    apply,
    compartment,
    document,
    listed,
    parameter,
    reaction,
    reference,
    rule,
    species,
)
from tests.engine.sbml.documents import math as mathml

from sirolens.engine.network import Network, default_parameters, evaluate_outputs, evaluate_rates, initial_state
from sirolens.engine.sbml import read_antimony, read_sbml
from sirolens.errors import ModelFileError


def start(model: Network) -> dict[str, float]:
    return dict(zip(model.states, initial_state(model, default_parameters(model))[:, 0], strict=True))


def rates(model: Network, time: float = 0.0, **state: float) -> dict[str, float]:
    """Rates at a state; states that are not named keep their first value."""
    parameters = default_parameters(model)
    now = initial_state(model, parameters)
    for name, value in state.items():
        now[model.states.index(name)] = value
    return dict(zip(model.states, evaluate_rates(model, now, parameters, time=time)[:, 0], strict=True))


def conversion(law: str, size: float, *, substance: bool, given: str, extra: str = "") -> Network:
    """A -> 3 B in a compartment of the given size."""
    body = (
        listed("Compartments", compartment("c", size))
        + listed(
            "Species", species("A", "c", given, substance=substance), species("B", "c", given, substance=substance)
        )
        + listed("Parameters", parameter("k", 0.5))
        + extra
        + listed("Reactions", reaction("J", reference("A"), reference("B", 3.0), mathml(law)))
    )
    return read_sbml(document(body))


def test_a_concentration_changes_by_the_reaction_over_the_size() -> None:
    law = apply("times", "<ci>k</ci>", "<ci>A</ci>", "<ci>c</ci>")
    model = conversion(law, 4.0, substance=False, given='initialAmount="8"')
    assert start(model) == {"A": 2.0, "B": 2.0}
    # law = 0.5 * 2 * 4 = 4 per time; /4 as a concentration; three B for each A
    assert rates(model) == {"A": -1.0, "B": 3.0}


def test_an_amount_changes_by_the_reaction_itself() -> None:
    law = apply("times", "<ci>k</ci>", "<ci>A</ci>")
    model = conversion(law, 4.0, substance=True, given='initialConcentration="2"')
    assert start(model) == {"A": 8.0, "B": 8.0}
    assert rates(model) == {"A": -4.0, "B": 12.0}


def test_an_amount_is_kept_while_its_compartment_grows() -> None:
    model = read_antimony("compartment c; c = 2; c' = 1; species S in c; S = 3; J: S -> ; k*S*c; k = 0.5")
    assert start(model) == {"c": 2.0, "S_amount": 6.0}
    assert model.definitions["S"].printed == "S_amount / c"
    assert rates(model, c=4.0) == {"c": 1.0, "S_amount": -3.0}


def test_an_event_that_sets_concentration_and_size_together_means_the_concentration_in_the_old_size() -> None:
    """Oracle: case 01506 of the SBML Test Suite."""
    model = read_antimony("compartment c; c = 2; species S in c; S = 3; at (time > 1): S = 5, c = 10")
    (event,) = model.events
    assert {name: formula.printed for name, formula in event.assignments.items()} == {"S_amount": "5 * c", "c": "10"}


def test_boundary_and_constant_species_stay_out_of_reactions() -> None:
    model = read_antimony("A -> $B; k*A*B; A = 2; B = 3; k = 1")
    assert model.states == ("A",)
    assert "B" in model.parameters
    assert rates(model) == {"A": -6.0}


def test_conversion_factors_multiply_what_reactions_add() -> None:
    body = (
        listed("Compartments", compartment("c", 2.0))
        + listed(
            "Species",
            species("A", "c", 'initialAmount="4"', substance=True),
            species("B", "c", 'initialAmount="4"', substance=True, more='conversionFactor="f"'),
        )
        + listed("Parameters", parameter("g", 10.0), parameter("f", 100.0))
        + listed("Reactions", reaction("J", reference("A"), reference("B"), mathml("<cn>1</cn>")))
    )
    assert rates(read_sbml(document(body, attributes='conversionFactor="g"'))) == {"A": -10.0, "B": 100.0}


def test_a_local_parameter_hides_the_global_one_in_its_own_law_only() -> None:
    body = (
        listed("Compartments", compartment("c"))
        + listed("Species", species("A", "c", 'initialConcentration="1"'))
        + listed("Parameters", parameter("k", 2.0))
        + listed(
            "Reactions",
            reaction(
                "J1",
                "",
                reference("A"),
                mathml("<ci>k</ci>")
                + '<listOfLocalParameters><localParameter id="k" value="7"/></listOfLocalParameters>',
            ),
            reaction("J2", "", reference("A"), mathml("<ci>k</ci>")),
        )
    )
    model = read_sbml(document(body))
    assert rates(model) == {"A": 9.0}
    assert {model.label(name) for name in model.parameters} == {"c", "k", "J1.k"}


def test_a_stoichiometry_may_be_named_and_ruled() -> None:
    body = (
        listed("Compartments", compartment("c"))
        + listed("Species", species("A", "c", 'initialConcentration="1"'))
        + listed("Rules", rule("assignment", "n", apply("plus", "<cn>2</cn>", "<ci>A</ci>")))
        + listed("Reactions", reaction("J", "", reference("A", 1.0, 'id="n" constant="false"'), mathml("<cn>1</cn>")))
    )
    assert rates(read_sbml(document(body)), A=5.0) == {"A": 7.0}


def test_level_2_stoichiometry_math_is_computed_at_every_time() -> None:
    inside = mathml(apply("times", "<cn>2</cn>", "<ci>A</ci>"))
    body = (
        '<listOfCompartments><compartment id="c" size="1"/></listOfCompartments>'
        '<listOfSpecies><species id="A" compartment="c" initialAmount="3"/></listOfSpecies>'
        '<listOfReactions><reaction id="J"><listOfProducts><speciesReference species="A">'
        f"<stoichiometryMath>{inside}</stoichiometryMath></speciesReference></listOfProducts>"
        f"<kineticLaw>{mathml('<cn>1</cn>')}</kineticLaw></reaction></listOfReactions>"
    )
    assert rates(read_sbml(document(body, level=2, version=4))) == {"A": 6.0}


def test_initial_assignments_are_resolved_through_states_rules_and_time() -> None:
    model = read_antimony("k = 2*A; A = 3*y + time; y := 4 + z; z = 5; A' = -k*A")
    # z = 5, y = 9, A = 27, k = 54
    assert start(model) == {"A": 27.0}
    assert rates(model, A=1.0) == {"A": -54.0}
    assert model.parameters == ("z",)
    changed = initial_state(model, [[6.0]])
    np.testing.assert_array_equal(changed, [[30.0]])


def test_what_an_initial_assignment_uses_keeps_its_first_value() -> None:
    model = read_antimony("A0 = A; A = 8 * s; s = 1; A' = A0 - A")
    assert rates(model, A=3.0) == {"A": 5.0}


def test_a_port_is_neither_parameter_nor_constant() -> None:
    model = read_antimony("C = 7; k = 2; A = 0; A' = k*C - A", inputs=("C",))
    assert (model.inputs, model.parameters, model.values["C"]) == (("C",), ("k",), 7.0)
    np.testing.assert_array_equal(evaluate_rates(model, [[1.0]], [[2.0]], [[10.0]]), [[19.0]])


def test_names_that_python_or_sirolens_need_are_changed_inside_only() -> None:
    text = document(
        listed("Parameters", *(parameter(n, 2.0) for n in ("lambda", "time", "exp", "__x", "lambda_")))
        + listed("Parameters").join([""])
        + listed("Rules")
    ).replace(
        "</listOfParameters>",
        parameter("y", 1.0, constant=False)
        + "</listOfParameters>"
        + listed("Rules", rule("rate", "y", apply("plus", "<ci>lambda</ci>", "<ci>time</ci>", "<ci>exp</ci>"))),
    )
    model = read_sbml(text)
    assert {model.label(name) for name in model.parameters} == {"lambda", "time", "exp", "__x", "lambda_"}
    assert "lambda_" in model.parameters
    assert model.own_name("lambda") not in ("lambda", "lambda_")
    assert rates(model, time=50.0) == {"y": 6.0}
    assert evaluate_outputs(model, ("lambda",), [[1.0]], default_parameters(model)).item() == 2.0


def test_events_keep_every_detail() -> None:
    model = read_antimony(
        "x = 1; x' = 1; y = 0; m = 3\n"
        "late: at 2 after (x > 3), priority = m, t0 = false, persistent = false, fromTrigger = false: y = y + x"
    )
    (event,) = model.events
    assert (event.name, event.line, event.initially_true, event.persistent, event.from_trigger_values) == (
        "late",
        2,
        False,
        False,
        False,
    )
    assert event.delay is not None
    assert event.priority is not None
    assert (event.trigger.printed, event.delay.printed, event.priority.printed) == ("x > 3", "2", "m")
    assert event.assignments["y"].printed == "y + x"
    assert rates(model) == {"x": 1.0, "y": 0.0}


def test_a_level_2_event_counts_as_true_before_the_start_and_persists() -> None:
    body = (
        '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
        f'<listOfEvents><event id="E"><trigger>{mathml("<true/>")}</trigger><listOfEventAssignments>'
        f'<eventAssignment variable="x">{mathml("<cn>2</cn>")}</eventAssignment></listOfEventAssignments>'
        "</event></listOfEvents>"
    )
    (event,) = read_sbml(document(body, level=2, version=4)).events
    assert (event.initially_true, event.persistent, event.from_trigger_values) == (True, True, True)


def test_antimony_powers_and_logarithms_mean_what_antimony_says() -> None:
    model = read_antimony("x = 2; a := x^2^3; b := (x^2)^3; c := log(x) - ln(x); d := log10(100); e := -x^2")
    values = evaluate_outputs(model, ("a", "b", "c", "d", "e"), np.zeros((0, 1)), [[2.0]])[:, 0]
    np.testing.assert_array_equal(values, [256.0, 64.0, 0.0, 2.0, -4.0])


def test_antimony_compartments_nobody_declared_stay_out_of_the_formulas() -> None:
    model = read_antimony("J: A -> B; k*A; A = 1; B = 0; k = 1")
    assert (model.parameters, model.rates["B"].printed) == (("k",), "J")
    declared = read_antimony("compartment v = 2; J: A -> B; k*A; A in v; B in v; A = 1; B = 0; k = 1")
    assert (set(declared.parameters), declared.rates["B"].printed) == ({"k", "v"}, "J / v")


def test_a_model_is_chosen_by_its_name() -> None:
    text = "model one()\n a = 1; a' = a\nend\nmodel two()\n b = 1; b' = b\nend"
    assert read_antimony(text).states == ("b",)
    assert read_antimony(text, model="one").states == ("a",)
    with pytest.raises(ModelFileError, match="unknown-model"):
        read_antimony(text, model="three")


def test_models_read_one_after_the_other_do_not_mix() -> None:
    assert read_antimony("a = 1; a' = a").states == ("a",)
    with pytest.raises(ModelFileError, match=r"1: sbml\.antimony"):
        read_antimony("a = 1 +")
    assert read_antimony("b = 1; b' = b").states == ("b",)
