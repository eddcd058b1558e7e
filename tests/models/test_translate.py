# SPDX-License-Identifier: Apache-2.0
"""Exported code says what the model says: its text is read back by a small interpreter and computed with.

Neither NONMEM nor mrgsolve can be installed with the tests, so the text is held to their documented grammar (blocks,
reserved names, line length) and to the numbers: typical and individual parameters, differential equations, omegas.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sirolens.engine.expression import evaluate
from sirolens.engine.linear import PARAMETERS, concentrations, events_from_columns
from sirolens.models.catalog import catalog, load
from sirolens.models.covariates import typical
from sirolens.models.model_file import read_model
from sirolens.models.population import PopulationModel, individual, parameter_names
from sirolens.models.translate import to_mrgsolve, to_nonmem
from tests.models.test_check import GOOD, OWN

TWELVE_DIGITS = 1e-11  # numbers are written with twelve digits
INTEGRATION = 1e-7  # tolerance of the integrator below
LONGEST_NM_TRAN_LINE = 160
BLOCKS = ("$PROBLEM", "$INPUT", "$DATA", "$SUBROUTINES", "$PK", "$ERROR", "$OMEGA", "$SIGMA", "$ESTIMATION", "$TABLE")


def own(text: str) -> PopulationModel:
    model = read_model(text, "own.toml").model
    assert model is not None
    return model


MODELS = {name: load(name) for name in (*catalog(), "jiao_2009:dose-covariate")}
MODELS |= {"transit": own(GOOD), "equations": own(OWN)}
ZERO_ORDER = """
name = "zero"
title = "Invented: zero-order absorption into three compartments"
supports = []
[units]
dose = "mg"
concentration = "ng/mL"
time = "h"
[source]
title = "Invented"
mark = "assumed"
place = "nowhere"
[structure]
compartments = 3
absorption = "zero-order"
[parameters]
cl_l_h = { formula = "5" }
v1_l = { formula = "50" }
q2_l_h = { formula = "3" }
v2_l = { formula = "70" }
q3_l_h = { formula = "1" }
v3_l = { formula = "200" }
duration1_h = { formula = "2" }
f1 = { formula = "0.9" }
lag1_h = { formula = "0.5" }
[residual]
kind = "additive"
additive_ng_ml = 1
"""
MODELS["zero-order"] = own(ZERO_ORDER)


def block(text: str, name: str) -> list[str]:
    """The lines of one block of a control stream, comments out, continued lines joined."""
    joined = re.sub(r" &\n\s*", " ", text)
    lines = [line.partition(";")[0].rstrip() for line in joined.splitlines()]
    inside, found = False, []
    for line in lines:
        if line.startswith("$"):
            inside = line.split()[0] == name
        elif inside and line:
            found.append(line)
    return found


def python_of_fortran(text: str) -> str:
    for mark, sign in {".LT.": "<", ".LE.": "<=", ".GT.": ">", ".GE.": ">=", ".EQ.": "==", ".NE.": "!="}.items():
        text = text.replace(mark, f" {sign} ")
    for mark, sign in {".AND.": " and ", ".OR.": " or ", ".NOT.": " not "}.items():
        text = text.replace(mark, sign)
    return re.sub(r"\b(EXP|LOG10|LOG|SQRT|TANH|INT|ABS)\(", lambda found: f"{found[1].lower()}(", text)


FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "log10", "sqrt", "tanh")} | {"int": int, "abs": abs}


def run_fortran(lines: list[str], names: dict[str, Any]) -> dict[str, Any]:
    """Run abbreviated code: assignments, one-line IF, IF blocks, nothing else."""
    program, depth = [], 0
    for line in map(str.strip, lines):
        single = re.fullmatch(r"IF \((.+)\) (\w+ = .+)", line)
        if re.fullmatch(r"(ELSE)?IF \(.+\) THEN", line):
            word = "elif" if line.startswith("ELSEIF") else "if"
            depth -= word == "elif"
            condition = line.partition("(")[2].rpartition(")")[0]
            program.append(f"{'  ' * depth}{word} {python_of_fortran(condition)}:")
            depth += 1
        elif line == "ELSE":
            program.append(f"{'  ' * (depth - 1)}else:")
        elif line == "ENDIF":
            depth -= 1
        elif single:
            program.append(f"{'  ' * depth}if {python_of_fortran(single[1])}: {python_of_fortran(single[2])}")
        else:
            target, value = line.split(" = ", 1)
            target = re.sub(r"\((\d+)\)", r"[\1]", target)
            program.append(f"{'  ' * depth}{target} = {python_of_fortran(value)}")
    scope = FUNCTIONS | names
    exec("\n".join(program), scope)
    return scope


def python_of_cpp(text: str) -> str:
    """Turn every ``(condition ? value : other)`` into Python, the last one first: it holds no other."""
    while "?" in text:
        mark = text.rindex("?")
        start, depth = mark, 0
        while depth < 1:
            start -= 1
            depth += {"(": 1, ")": -1}.get(text[start], 0)
        colon, depth = mark, 0
        while text[colon] != ":" or depth:
            colon += 1
            depth += {"(": 1, ")": -1}.get(text[colon], 0)
        end, depth = colon, 1
        while depth:
            end += 1
            depth += {"(": 1, ")": -1}.get(text[end], 0)
        condition, value, other = text[start + 1 : mark], text[mark + 1 : colon], text[colon + 1 : end]
        text = f"{text[:start]}(({value}) if ({condition}) else ({other})){text[end + 1 :]}"
    return text.replace("&&", " and ").replace("||", " or ").replace("!(", " not (")


CPP_FUNCTIONS = {"pow": math.pow, "exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt} | {
    "fabs": abs,
    "fmin": min,
    "fmax": max,
    "floor": math.floor,
    "ceil": math.ceil,
    "tanh": math.tanh,
}


def run_cpp(lines: list[str], names: dict[str, float]) -> dict[str, Any]:
    scope = CPP_FUNCTIONS | names
    for line in lines:
        single = re.fullmatch(r"if\((.+?)\) (\w+) = (.+);", line)
        if single:
            if eval(single[1], scope):
                scope[single[2]] = eval(single[3], scope)
            continue
        target, value = line.removeprefix("double ").rstrip(";").split(" = ", 1)
        scope[target] = eval(python_of_cpp(value), scope)
    return scope


class OneBased:
    """A Fortran array: called with or indexed by numbers from 1."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __call__(self, number: int) -> float:
        return self.values[number - 1]


PATIENTS = [
    {"WT": 22.0, "TBIL": 30.0, "TC": 6.1, "CSA": 80.0, "SLM": 1.0, "GLZ": 0.0, "DDS": 3.0, "AGE": 70.0, "AST": 50.0}
    | {"HCT": 33.0, "OXC": 1.0, "SEX": 1.0},
    {"WT": 95.0, "TBIL": 9.0, "TC": 4.1, "CSA": 0.0, "SLM": 0.0, "GLZ": 1.0, "DDS": 1.0, "AGE": 9.0, "AST": 20.0}
    | {"HCT": 41.0, "OXC": 0.0, "SEX": 0.0},
    {"WT": 15.0, "TBIL": 9.0, "TC": 4.1, "CSA": 0.0, "SLM": 0.0, "GLZ": 1.0, "DDS": 1.0, "AGE": 30.0, "AST": 20.0}
    | {"HCT": 41.0, "OXC": 0.0, "SEX": 0.0},
]
NONMEM_NAMES = {
    "cl_l_h": ("CL",),
    "v1_l": ("V", "V1", "V2"),
    "ka_1_h": ("KA",),
    "q2_l_h": ("Q", "Q2", "Q3"),
    "f1": ("F1",),
    "lag1_h": ("ALAG1",),
    "duration1_h": ("D1",),
}


def eta_of(model: PopulationModel) -> np.ndarray:
    scale = np.sqrt(np.diag(model.omega))
    return scale * np.resize([0.7, -1.1, 0.4], len(model.eta_names))


def nonmem_scope(model: PopulationModel, text: str, covariates: dict[str, float], occasion: int = 1) -> dict[str, Any]:
    order = [line.partition(";")[2].strip() for line in text.splitlines() if line.startswith("$OMEGA")]
    names = [name.strip() for line in order if line and "between" not in line for name in line.split(",")]
    etas = [float(eta_of(model)[model.eta_names.index(name)]) for name in names]
    if model.occasion is not None:
        etas += [0.01 * (k + 1) for k in range(len(model.occasion.eta_names) * model.occasion.occasions)]
    thetas = OneBased([theta.value for theta in model.thetas])
    own_covariates = {covariate.name.upper(): covariates[covariate.name] for covariate in model.covariates}
    return run_fortran(block(text, "$PK"), {"THETA": thetas, "ETA": OneBased(etas), "OCC": occasion, **own_covariates})


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("covariates", PATIENTS)
def test_a_control_stream_computes_the_models_parameters(name: str, covariates: dict[str, float]) -> None:
    # Oracle: typical() and individual() of the same model.
    model = MODELS[name]
    text = to_nonmem(model)
    scope = nonmem_scope(model, text, covariates, occasion=2)
    eta = eta_of(model)
    if model.occasion is not None:  # occasion 2 draws the third and fourth effect between occasions
        for position, varying in enumerate(model.occasion.eta_names):
            eta[model.eta_names.index(varying)] += 0.01 * (len(model.occasion.eta_names) + position + 1)
    expected = dict(
        zip(parameter_names(model), individual(model, typical(model, covariates)[0], eta[None, :])[0], strict=True)
    )
    declared = {parameter.name for parameter in model.parameters}
    for parameter in declared & set(NONMEM_NAMES) if model.system is None else declared:
        candidates = NONMEM_NAMES.get(parameter, (parameter,))
        found = [scope[candidate] for candidate in candidates if candidate in scope]
        assert any(value == pytest.approx(expected[parameter], rel=TWELVE_DIGITS) for value in found), parameter


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("covariates", PATIENTS)
def test_mrgsolve_code_computes_the_models_parameters(name: str, covariates: dict[str, float]) -> None:
    model = MODELS[name]
    text = to_mrgsolve(model)
    main = text.partition("$MAIN\n")[2].partition("$ODE")[0].strip().splitlines()
    eta = eta_of(model)
    scope: dict[str, float] = {f"TH{number}": theta.value for number, theta in enumerate(model.thetas, start=1)}
    scope |= {f"E_{one}": float(value) for one, value in zip(model.eta_names, eta, strict=True)}
    scope |= {covariate.name.upper(): covariates[covariate.name] for covariate in model.covariates} | {"OCC": 1.0}
    if model.occasion is not None:
        scope |= {f"IOV{k}_{one}": 0.0 for one in model.occasion.eta_names for k in (1, 2, 3)}
    found = run_cpp(main, scope)
    expected = dict(
        zip(parameter_names(model), individual(model, typical(model, covariates)[0], eta[None, :])[0], strict=True)
    )
    names = {"cl_l_h": "CL", "v1_l": "V1", "q2_l_h": "Q2", "v2_l": "V2", "q3_l_h": "Q3", "v3_l": "V3", "ka_1_h": "KA"}
    for parameter in (one.name for one in model.parameters):
        target = names.get(parameter, parameter if model.system is not None else "")
        if target:
            assert found[target] == pytest.approx(expected[parameter], rel=TWELVE_DIGITS), parameter


def integrated(slopes: Any, dose_into: int, size: int, dose_mg: float, hours: float) -> np.ndarray:
    start = np.zeros(size)
    start[dose_into] = dose_mg
    return solve_ivp(slopes, (0.0, hours), start, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]


@pytest.mark.parametrize("language", ["nonmem", "mrgsolve"])
def test_exported_equations_of_transit_absorption_give_the_engines_levels(language: str) -> None:
    # Oracle: the exact linear engine (without lag and bioavailability, which are no part of the equations).
    model = MODELS["transit"]
    assert model.structure is not None
    p = typical(model, PATIENTS[0])[0]
    values = {"CL": p[0], "V1": p[1], "Q2": p[2], "V2": p[3], "KA": p[6]}
    compartments = ("STAGE1", "STAGE2", "STAGE3", "CENTRAL", "PERIPH1")
    if language == "nonmem":
        lines = block(to_nonmem(model), "$DES")

        def slopes(_: float, y: np.ndarray) -> list[float]:
            out: dict[int, float] = {}
            run_fortran(lines, {**values, "A": OneBased(list(y)), "DADT": out})
            return [out[number] for number in range(1, 6)]
    else:
        equations = to_mrgsolve(model).partition("$ODE\n")[2].partition("$OMEGA")[0].strip().splitlines()

        def slopes(_: float, y: np.ndarray) -> list[float]:
            found = run_cpp(equations, {**values, **dict(zip(compartments, y, strict=True))})
            return [found[f"dxdt_{one}"] for one in compartments]

    p = p.copy()
    p[PARAMETERS.index("f1")], p[PARAMETERS.index("lag1_h")] = 1.0, 0.0
    events = events_from_columns(time_h=[0.0, 6.0], evid=[1, 0], amount_mg=[2.0, 0.0])
    expected = float(concentrations(model.structure, events, [p]).values[0])
    amounts = integrated(slopes, 0, 5, 2.0, 6.0)
    assert 1000.0 * amounts[3] / p[1] == pytest.approx(expected, rel=INTEGRATION)


def test_exported_equations_of_a_users_model_are_the_files() -> None:
    model = MODELS["equations"]
    assert model.system is not None
    p = dict(zip(parameter_names(model), typical(model, {"WT": 50.0})[0], strict=True))
    amounts = {"Gut": 1.3, "Gut_to_blood": 0.7}
    out: dict[int, float] = {}
    run_fortran(block(to_nonmem(model), "$DES"), {**p, "A": OneBased(list(amounts.values())), "DADT": out})
    for number, equation in enumerate(model.system.equations.values(), start=1):
        assert out[number] == pytest.approx(float(evaluate(equation, {**p, **amounts})))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_control_stream_has_the_blocks_and_the_line_length_of_its_language(name: str) -> None:
    text = to_nonmem(MODELS[name])
    firsts = [line.split()[0] for line in text.splitlines() if line.startswith("$")]
    needed = [one for one in BLOCKS if one != "$OMEGA" or MODELS[name].eta_names]
    assert [one for one in dict.fromkeys(firsts) if one in needed] == needed
    assert max(map(len, text.splitlines())) <= LONGEST_NM_TRAN_LINE
    assert text.isascii()
    assert firsts.count("$THETA") == len(MODELS[name].thetas)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_variances_exported_are_those_of_the_model(name: str) -> None:
    model = MODELS[name]
    for text in (to_nonmem(model), to_mrgsolve(model)):
        values = sorted(
            float(number)
            for part in re.findall(r"^\$OMEGA[^\n]*\n?(?:[-\d. e]+\n)*", text, flags=re.MULTILINE)
            for number in re.findall(r"(?<![\w(])-?\d+\.\d+(?:e-?\d+)?", part.replace(" FIX", ""))
        )
        expected = [float(v) for i, row in enumerate(model.omega) for v in row[: i + 1] if v != 0.0]
        if model.occasion is not None:
            size = len(model.occasion.eta_names)
            times = 1 if text.startswith("$PROBLEM") else model.occasion.occasions
            expected += times * [float(model.occasion.omega[i, j]) for i in range(size) for j in range(i + 1)]
        assert values == pytest.approx(sorted(expected))


def test_structures_use_the_closed_forms_where_there_are_some() -> None:
    advans = {name: re.findall(r"ADVAN\d+", to_nonmem(model))[0] for name, model in MODELS.items()}
    assert advans["cheng_2020"] == "ADVAN2"
    assert advans["golubovic_2019"] == "ADVAN4"
    assert advans["wu_2012"] == advans["transit"] == advans["equations"] == "ADVAN13"
    assert advans["zero-order"] == "ADVAN11"


def test_zero_order_absorption_is_a_modelled_duration() -> None:
    text = to_nonmem(MODELS["zero-order"])
    assert {"D1 = 2.0", "F1 = 0.9", "ALAG1 = 0.5", "S1 = V1/1000.0"} <= set(text.splitlines())
    assert "RATE = -2" in text
    assert {"D_CENTRAL = 2.0;", "F_CENTRAL = 0.9;"} <= set(to_mrgsolve(MODELS["zero-order"]).splitlines())


def test_what_a_reader_of_the_code_must_know_is_in_its_comments() -> None:
    for text in (to_nonmem(load("fan_2024")), to_mrgsolve(load("fan_2024"))):
        assert "doi:10.3389/fphar.2024.1457614" in text
        assert "Do not use outside weight_kg 7 to 40" in text
        assert "Covariate WT [kg], reference 16" in text
        assert load("fan_2024").digest in text


def test_residuals_are_written_as_their_kind() -> None:
    assert "Y = IPRED*EXP(EPS(1))" in to_nonmem(load("jiao_2009"))
    assert "Y = IPRED + EPS(1)" in to_nonmem(load("fan_2024"))
    assert "$SIGMA 0.089401 ; log scale, SD 0.299" in to_nonmem(load("jiao_2009"))
    assert "double DV = IPRED*exp(LOGERR);" in to_mrgsolve(load("jiao_2009"))
