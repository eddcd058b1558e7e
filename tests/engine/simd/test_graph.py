# SPDX-License-Identifier: Apache-2.0
"""The graph of operations keeps the meaning of formulas, computes nothing twice, and merges what the docstrings say."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.expression import evaluate, parse
from sirolens.engine.simd.graph import Graph
from sirolens.engine.simd.text import Program

VARIABLES, PARAMETERS = ("x", "y", "z"), ("a", "b")
# Merged products, shared divisions and powers by logarithms: a few units in the last place for every operation.
REASSOCIATED = 1e-11


def reciprocals(a: float, b: float) -> tuple[float, float]:
    r = 1.0 / (a * b)
    return r * b, r * a


WORDS = {
    "exp": math.exp,
    "log": math.log,
    "log_size": lambda x: math.log(abs(x)),
    "log10": math.log10,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "absolute": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "fma": lambda a, b, c: a * b + c,
    "smaller": min,
    "larger": max,
    "less": lambda a, b: float(a < b),
    "choose": lambda c, a, b: a if c else b,
    "signed": lambda x, sign: sign if x < 0 else 1.0,
    "whole_sign": lambda y: math.nan if y % 1 else 1.0 - 2.0 * (y % 2),
    "reciprocals": reciprocals,
}


def program(text: str) -> Program:
    graph = Graph()
    leaves = {name: graph.leaf("parameter", name) for name in PARAMETERS}
    leaves |= {name: graph.leaf("state", name) for name in VARIABLES}
    return Program.of(graph, {"f": graph.add(parse(text).root, leaves)})


def lines(text: str, *, paired: bool = False) -> list[str]:
    return program(text).lines(["f"], lambda kind, name: name, "c{}".format, ["{}"], paired=paired)


def value(text: str, values: Mapping[str, float], *, paired: bool) -> float:
    """Run the generated text, constants first, in plain Python."""
    found = program(text)
    known: dict[str, object] = {**WORDS, **values}
    for row, line in enumerate(found.constant_lines(lambda kind, name: name, lambda row: f"c{row} = {{}}")):
        del row
        exec(line, known)
    *body, last = found.lines(["f"], lambda kind, name: name, "c{}".format, ["{}"], paired=paired)
    for line in body:
        exec(line, known)
    return float(eval(last, known))


FORMULAS = (
    "x*y/z - y*z/x + a*x/b",
    "x^a*y^0.3/(x^a + b^a)",
    "(x^0.3*y^0.2*z^b)^(-0.4)*x/(1 + y)",
    "-x*(1 - a*y)/(1 - a*b)/(1 + z)",
    "x^6/(b^6 + x^6) + x^6",
    "if(x < y, x/z, y/(z + 1)) + min(x, y, z)*max(a, x)",
    "sqrt(x/y) + x^-3 + x^(-0.5) + z^0 + abs(-x)",
    "exp(-a*x)*exp(b*y)/exp(z/9) + log(exp(x)) - 2*-x",
    "1/(1 + x/(1 + y/(1 + z)))*x",
    "(x + y)*(x + y) - (x*y)*(x*y)",
)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(FORMULAS),
    st.lists(st.floats(0.2, 4.0), min_size=5, max_size=5),
    st.booleans(),
)
def test_generated_text_means_what_the_formula_means(text: str, drawn: list[float], paired: bool) -> None:
    values = dict(zip((*VARIABLES, *PARAMETERS), drawn, strict=True))
    expected = float(evaluate(parse(text), values))
    scale = max(1.0, abs(expected)) + sum(abs(v) ** 3 for v in drawn)
    assert abs(value(text, values, paired=paired) - expected) < REASSOCIATED * scale


def count(text: str, word: str, *, paired: bool = False) -> int:
    return "\n".join(lines(text, paired=paired)).count(word)


def test_what_is_equal_is_computed_once() -> None:
    assert count("exp(x*y) + exp(x*y)*z", "exp(") == 1


def test_a_product_of_powers_costs_one_exponential_and_a_power_of_it_no_logarithm() -> None:
    assert count("x^0.3*2*y^0.2*z^0.1", "exp(") == 1
    assert count("(x^0.3*y^0.2)^0.5", "sqrt(") == 1
    assert count("(x^0.3*y^0.2)^0.7", "log(") == 2


def test_what_depends_on_parameters_only_is_a_constant() -> None:
    assert lines("a*b^2*x/(1 + a)")[-2].count("c0") == 0
    assert sum("c0" in line for line in lines("a*b^2*x/(1 + a)")) == 1
    assert len(program("a*b^2*x/(1 + a)").constants) == 1


@pytest.mark.parametrize(("text", "divisions"), [("x/y + z/y", 1), ("x/a + y/a", 0), ("x/y/z", 1), ("1/x + 1/y", 2)])
def test_divisions_are_few(text: str, divisions: int) -> None:
    assert count(text, "1.0 /") + count(text, " / v") - count(text, "1.0 / v") == divisions


def test_pairs_share_a_division_unless_one_needs_the_other() -> None:
    assert count("1/x + 1/y", "reciprocals", paired=True) == 1
    assert count("1/(x + 1/y)", "reciprocals", paired=True) == 0


def test_numbers_stay_numbers() -> None:
    assert np.float64(lines("2*3 + 4/8")[-1]) == 6.5
