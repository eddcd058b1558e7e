# SPDX-License-Identifier: Apache-2.0
"""What is read equals what libRoadRunner makes of the same file; it is the oracle of every test here."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.network import default_parameters, evaluate_outputs, evaluate_rates, initial_state
from sirolens.engine.network_solver import solve_network
from sirolens.engine.sbml import antimony_to_sbml, read_antimony

# The same formula in two programs, each rounding some dozens of times; SBML text carries 15 digits of every number.
ROUNDING = 1e-11
# Both solvers at relative tolerance 1e-9 or tighter over a few time units.
INTEGRATION = 1e-6

NAMES = ("A", "B", "x", "y", "k", "m")


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    three = st.tuples(inner, inner, inner)
    return st.one_of(
        two.map("({0[0]} + {0[1]})".format),
        two.map("({0[0]} - {0[1]})".format),
        two.map("{0[0]} * {0[1]}".format),
        two.map("{0[0]} / (1 + ({0[1]})^2)".format),
        inner.map("({0})^2^2".format),
        inner.map("exp(-abs({0}))".format),
        inner.map("log(1 + abs({0}))".format),
        inner.map("sqrt(abs({0}))".format),
        inner.map("tanh({0})".format),
        inner.map("sin({0})".format),
        two.map("max({0[0]}, {0[1]})".format),
        three.map("piecewise({0[0]}, {0[1]} > {0[2]}, {0[1]})".format),
        two.map("hill({0[0]}, {0[1]})".format),
    )


def formulas(*names: str) -> st.SearchStrategy[str]:
    leaves = st.one_of(st.sampled_from(names), st.floats(0.1, 3.0).map("{0:.3f}".format), st.just("time"))
    return st.recursive(leaves, _deeper, max_leaves=8)


values = st.floats(0.1, 3.0).map(functools.partial(round, ndigits=3))
models = st.builds(
    (
        "function hill(a, b)\n a^2 / (a^2 + b^2 + 1)\nend\n"
        "model made()\n compartment c = {size}; species A in c, B in c; A = {a}; B = {b}; x = {x}\n"
        " k = {k}; m = 2*k + {b}\n"
        " y := {rule}\n J1: A -> 2 B; {law1}\n J2: B -> ; {law2}\n x' = {rate}\nend"
    ).format,
    size=values,
    a=values,
    b=values,
    x=values,
    k=values,
    rule=formulas("A", "B", "x", "k", "m"),
    law1=formulas(*NAMES, "c"),
    law2=formulas(*NAMES, "c"),
    rate=formulas(*NAMES, "J1"),
)


def oracle(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return roadrunner.RoadRunner(antimony_to_sbml(text))


@settings(deadline=None, max_examples=40)
@given(text=models, state=st.tuples(values, values, values))
def test_rates_of_generated_models_equal_the_oracle(text: str, state: tuple[float, float, float]) -> None:
    network = read_antimony(text)
    assert network.states == ("A", "B", "x")
    judge = oracle(text)
    parameters = default_parameters(network)
    begin = initial_state(network, parameters)
    np.testing.assert_allclose(begin[:, 0], [judge["[A]"], judge["[B]"], judge["x"]], rtol=ROUNDING)
    for now in (begin[:, 0], np.array(state)):
        judge["[A]"], judge["[B]"], judge["x"] = now
        got = evaluate_rates(network, now[:, np.newaxis], parameters)[:, 0]
        expected = np.array([judge["[A]'"], judge["[B]'"], judge["x'"]])
        scale = np.abs(expected).max() + 1.0
        np.testing.assert_allclose(got, expected, rtol=ROUNDING, atol=ROUNDING * scale)
        outputs = evaluate_outputs(network, ("y", "J1"), now[:, np.newaxis], parameters)[:, 0]
        np.testing.assert_allclose(outputs, [judge["y"], judge["J1"]], rtol=ROUNDING, atol=ROUNDING * scale)


COURSES = {
    "amounts in a growing compartment": (
        "compartment c = 2; c' = 0.3*c; species S in c; substanceOnly species T in c; S = 3; T = 1\n"
        "J: S -> 2 T; k*S*c; k = 0.5",
        ("S", "T", "c"),
        ("[S]", "T", "c"),
    ),
    "doses and a switch": (
        "G = 0; A = 0; next_dose = 0; ka = 2; ke = 0.4; on = 0\n"
        "G' = -ka*G; A' = ka*G - ke*A\n"
        "dose: at (time >= next_dose), t0 = false: G = G + 2, next_dose = next_dose + 1\n"
        "high: at 0.25 after (A > 2.2): on = on + 1",
        ("G", "A", "on"),
        ("G", "A", "on"),
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_courses_equal_those_of_the_oracle(name: str) -> None:
    text, ours, theirs = COURSES[name]
    network = read_antimony(text)
    times = np.linspace(0.0, 4.9, 50)
    lanes = solve_network(network, default_parameters(network), times, outputs=ours, rtol=1e-9, atol=1e-12)
    assert lanes.status[0] == 0
    judge = oracle(text)
    judge.integrator.relative_tolerance, judge.integrator.absolute_tolerance = 1e-10, 1e-13
    table = np.asarray(judge.simulate(0.0, 4.9, 50, ["time", *theirs]))
    apart = np.ones(50, dtype=bool)
    if "dose" in text:
        apart[np.isclose(times % 1.0, 0.0)] = False  # at a jump either side is right
    np.testing.assert_allclose(
        lanes.values[:, apart, 0].T, table[apart, 1:], rtol=INTEGRATION, atol=INTEGRATION * np.abs(table[:, 1:]).max()
    )
