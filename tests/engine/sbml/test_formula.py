# SPDX-License-Identifier: Apache-2.0
"""Mathematics of SBML: every operator, held against Python's own arithmetic, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.engine.sbml.documents import apply, document, listed, parameter, rule
from tests.engine.sbml.documents import math as mathml

from sirolens.engine.network import default_parameters, evaluate_outputs
from sirolens.engine.sbml import read_sbml
from sirolens.errors import ModelFileError

# Two mathematical libraries differ by a unit or two in the last place, and a formula chains a few of them.
ROUNDING = 1e-14

X, Y, Z = "<ci> x </ci>", "<ci>y</ci>", "<cn>0</cn>"
x, y = 1.7, 0.4


def cn(value: float) -> str:
    return f"<cn>{value!r}</cn>"


def value(inside: str, *, functions: str = "") -> float:
    body = (
        functions
        + listed("Parameters", parameter("x", x), parameter("y", y), parameter("r", None, constant=False))
        + listed("Rules", rule("assignment", "r", inside))
    )
    model = read_sbml(document(body))
    return float(evaluate_outputs(model, ("r",), np.zeros((0, 1)), default_parameters(model), time=3.0)[0, 0])


CASES = {
    "sum of none": (apply("plus"), 0.0),
    "product of none": (apply("times"), 1.0),
    "sum of three": (apply("plus", X, Y, cn(2.0)), x + y + 2.0),
    "difference": (apply("minus", X, Y), x - y),
    "sign": (apply("minus", X), -x),
    "quotient": (apply("divide", X, Y), x / y),
    "power of a power": (apply("power", apply("power", X, cn(2.0)), cn(3.0)), (x**2) ** 3),
    "power of the exponent": (apply("power", X, apply("power", cn(2.0), cn(3.0))), x**8),
    "whole": ('<cn type="integer"> 7 </cn>', 7.0),
    "fraction": ('<cn type="rational"> 1 <sep/> 3 </cn>', 1 / 3),
    "exponent": ('<cn type="e-notation"> 1.5 <sep/> -4 </cn>', 1.5e-4),
    "e": ("<exponentiale/>", math.e),
    "pi": ("<pi/>", math.pi),
    "infinity": ("<infinity/>", math.inf),
    "minus infinity": (apply("minus", "<infinity/>"), -math.inf),
    "time": ('<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> t </csymbol>', 3.0),
    "avogadro": (
        '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/avogadro"> N </csymbol>',
        6.02214179e23,  # the value that SBML fixes for this symbol
    ),
    "natural logarithm": (apply("ln", X), math.log(x)),
    "decimal logarithm": (apply("log", X), math.log10(x)),
    "logarithm to a base": (apply("log", f"<logbase>{cn(2.0)}</logbase>", X), math.log2(x)),
    "square root": (apply("root", X), math.sqrt(x)),
    "third root": (apply("root", f"<degree>{cn(3.0)}</degree>", X), x ** (1 / 3)),
    "absolute": (apply("abs", apply("minus", X)), x),
    "floor and ceiling": (apply("plus", apply("floor", X), apply("ceiling", X)), 3.0),
    "factorial": (apply("factorial", cn(5.0)), 120.0),
    "quotient cut off": (apply("quotient", apply("minus", cn(7.0)), cn(2.0)), -3.0),
    "remainder": (apply("rem", apply("minus", cn(7.0)), cn(2.0)), -1.0),
    "largest": (apply("max", X, Y, cn(1.0)), x),
    "smallest": (apply("min", X), x),
    "less, chained": (apply("lt", Y, X, cn(2.0)), 1.0),
    "less, chained, broken": (apply("lt", Y, X, cn(1.0)), 0.0),
    "equal": (apply("eq", X, X), 1.0),
    "unequal": (apply("neq", X, X), 0.0),
    "at most": (apply("leq", X, X), 1.0),
    "at least": (apply("geq", Y, X), 0.0),
    "and of none": (apply("and"), 1.0),
    "or of none": (apply("or"), 0.0),
    "and": (apply("and", "<true/>", apply("gt", X, Y), "<true/>"), 1.0),
    "or": (apply("or", "<false/>", apply("lt", X, Y)), 0.0),
    "exclusive or of three": (apply("xor", "<true/>", "<true/>", "<true/>"), 1.0),
    "a number as a condition": (apply("xor", cn(2.0), cn(3.0)), 0.0),
    "not": (apply("not", apply("lt", X, Y)), 1.0),
    "implication": (apply("implies", "<true/>", "<false/>"), 0.0),
    "piecewise": (
        f"<piecewise><piece>{cn(1.0)}{apply('lt', X, Y)}</piece><piece>{cn(2.0)}<true/></piece>"
        f"<otherwise>{cn(3.0)}</otherwise></piecewise>",
        2.0,
    ),
    "otherwise alone": (f"<piecewise><otherwise>{cn(3.0)}</otherwise></piecewise>", 3.0),
    "secant": (apply("sec", X), 1 / math.cos(x)),
    "cosecant": (apply("csc", X), 1 / math.sin(x)),
    "cotangent": (apply("cot", X), 1 / math.tan(x)),
    "hyperbolic secant": (apply("sech", X), 1 / math.cosh(x)),
    "hyperbolic cosecant": (apply("csch", X), 1 / math.sinh(x)),
    "hyperbolic cotangent": (apply("coth", X), 1 / math.tanh(x)),
    "inverse secant": (apply("arcsec", X), math.acos(1 / x)),
    "inverse cosecant": (apply("arccsc", X), math.asin(1 / x)),
    "inverse cotangent": (apply("arccot", X), math.atan(1 / x)),
    "inverse hyperbolic secant": (apply("arcsech", Y), math.acosh(1 / y)),
    "inverse hyperbolic cosecant": (apply("arccsch", X), math.asinh(1 / x)),
    "inverse hyperbolic cotangent": (apply("arccoth", X), math.atanh(1 / x)),
    **{name: (apply(name, Y), getattr(math, name)(y)) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{
        f"arc{name}": (apply(f"arc{name}", cn(at)), getattr(math, f"a{name}")(at))
        for name, at in [("sin", y), ("cos", y), ("tan", y), ("sinh", y), ("cosh", x), ("tanh", y)]
    },
}


@pytest.mark.parametrize("case", CASES)
def test_an_operator_means_what_mathml_says(case: str) -> None:
    inside, expected = CASES[case]
    assert value(inside) == pytest.approx(expected, rel=ROUNDING)


def test_what_no_piece_covers_is_not_a_number() -> None:
    assert math.isnan(value(f"<piecewise><piece>{cn(1.0)}<false/></piece></piecewise>"))
    assert math.isnan(value("<notanumber/>"))


def test_many_pieces_are_tried_in_their_order() -> None:
    pieces = "".join(f"<piece>{cn(float(i))}{apply('gt', cn(float(i)), cn(119.5))}</piece>" for i in range(150))
    assert value(f"<piecewise>{pieces}<otherwise>{cn(-1.0)}</otherwise></piecewise>") == 120.0


def function(name: str, arguments: str, body: str) -> str:
    bound = "".join(f"<bvar><ci>{argument}</ci></bvar>" for argument in arguments.split())
    return f'<functionDefinition id="{name}">{mathml(f"<lambda>{bound}{body}</lambda>")}</functionDefinition>'


def test_functions_are_expanded_and_their_arguments_hide_names_of_the_model() -> None:
    functions = listed(
        "FunctionDefinitions",
        function("square", "y", apply("times", Y, Y)),
        function("f", "a x", apply("minus", apply("square", X), "<ci>a</ci>")),
    )
    # f(y, x + 1) = (x + 1)^2 - y
    called = f"<apply><ci>f</ci>{Y}{apply('plus', X, cn(1.0))}</apply>".replace("<ci>f</ci>", "<ci> f </ci>")
    functions = functions.replace("<square/>", "<ci> square </ci>")
    assert value(called, functions=functions) == pytest.approx((x + 1) ** 2 - y, rel=ROUNDING)


def test_functions_that_double_and_double_are_refused_before_they_fill_the_memory() -> None:
    chain = [function("f0", "a", apply("plus", "<ci>a</ci>", "<ci>a</ci>"))]
    for i in range(1, 60):
        inner = f"<apply><ci>f{i - 1}</ci><apply><ci>f{i - 1}</ci><ci>a</ci></apply></apply>"
        chain.append(function(f"f{i}", "a", inner))
    with pytest.raises(ModelFileError, match=r"sbml\.(formula-too-large|formula-too-deep)"):
        value(f"<apply><ci>f59</ci>{X}</apply>", functions=listed("FunctionDefinitions", *chain))


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ('<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> plus </csymbol>'
         f"{X}{cn(1.0)}</apply>", "function=delay"),
        ('<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf"> k </csymbol>'
         f"{X}</apply>", "function=rateOf"),
        ("<apply><ci> g </ci><ci>x</ci></apply>", "sbml.unknown-function(function=g, where=r)"),
        ("<ci> zzz </ci>", "sbml.undefined-name(name=zzz, where=r)"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named_with_its_line(inside: str, found: str) -> None:
    with pytest.raises(ModelFileError) as failure:
        value(inside)
    assert found in str(failure.value)
    assert str(failure.value).startswith("4: ")
