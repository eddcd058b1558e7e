# SPDX-License-Identifier: Apache-2.0
"""Writes a model as a NONMEM control stream; `sirolens.models.translate` is the door."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from sirolens.models.population import Effect, OmegaValue, Parameter, PopulationModel, Theta
from sirolens.models.translate_formula import Fortran, number_text
from sirolens.models.translate_layout import effect_blocks, flows, header_lines, rename_amounts, unique_names

__all__ = ["nonmem_text"]

_DATA_ITEMS = ("ID", "TIME", "AMT", "RATE", "EVID", "MDV", "CMT", "SS", "II", "ADDL", "DV")
_RESERVED = frozenset({*_DATA_ITEMS, "F", "Y", "T", "A", "DADT", "IPRED", "W", "IRES", "IWRES", "OCC", "THETA", "ETA"})
_LONGEST_LINE = 150  # NM-TRAN reads 160 characters
# (compartments, depot) -> ADVAN and the names that TRANS2 or TRANS4 wants for our parameters
_CLOSED_FORMS: Mapping[tuple[int, bool], tuple[str, dict[str, str]]] = {
    (1, False): ("ADVAN1 TRANS2", {"cl_l_h": "CL", "v1_l": "V"}),
    (1, True): ("ADVAN2 TRANS2", {"cl_l_h": "CL", "v1_l": "V", "ka_1_h": "KA"}),
    (2, False): ("ADVAN3 TRANS4", {"cl_l_h": "CL", "v1_l": "V1", "q2_l_h": "Q", "v2_l": "V2"}),
    (2, True): ("ADVAN4 TRANS4", {"cl_l_h": "CL", "v1_l": "V2", "q2_l_h": "Q", "v2_l": "V3", "ka_1_h": "KA"}),
    (3, False): (
        "ADVAN11 TRANS4",
        {"cl_l_h": "CL", "v1_l": "V1", "q2_l_h": "Q2", "v2_l": "V2", "q3_l_h": "Q3", "v3_l": "V3"},
    ),
    (3, True): (
        "ADVAN12 TRANS4",
        {"cl_l_h": "CL", "v1_l": "V2", "q2_l_h": "Q3", "v2_l": "V3", "q3_l_h": "Q4", "v3_l": "V4", "ka_1_h": "KA"},
    ),
}
_GENERAL = {"cl_l_h": "CL", "v1_l": "V1", "q2_l_h": "Q2", "v2_l": "V2", "q3_l_h": "Q3", "v3_l": "V3", "ka_1_h": "KA"}
_DOSE_ITEMS = {"f": "F", "lag": "ALAG", "duration": "D", "rate": "R"}


def _closed_form(model: PopulationModel) -> bool:
    return model.structure is not None and model.saturable is None and model.structure.absorption != "transit"


def _central(model: PopulationModel) -> int:
    return 0 if model.structure is None else flows(model).central


def _parameter_names(model: PopulationModel) -> dict[str, str]:
    """What the control stream calls each parameter of the model."""
    if model.structure is None:
        return unique_names([parameter.name for parameter in model.parameters], _RESERVED)
    shape = (model.structure.compartments, model.structure.stages > 0)
    names = dict(_CLOSED_FORMS[shape][1] if _closed_form(model) else _GENERAL)
    central = _central(model)
    for parameter in model.parameters:
        dosing = re.fullmatch(r"(f|lag|duration|rate)([12])(?:_h|_mg_h)?", parameter.name)
        if dosing:
            # Suffix 1 is where absorption begins, 2 the central compartment; without a depot both are the same.
            number = 1 if dosing[2] == "1" else central
            names[parameter.name] = f"{_DOSE_ITEMS[dosing[1]]}{number}"
    return names


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _LONGEST_LINE, initial_indent="; ", subsequent_indent=";   ")


def _broken(line: str) -> list[str]:
    """Break a long line where NM-TRAN allows it."""
    lines = []
    while len(line) > _LONGEST_LINE:
        at = max(line.rfind(mark, 0, _LONGEST_LINE) for mark in (" + ", " - ", "*", ", "))
        if at <= 0:
            break
        lines.append(f"{line[: at + 1]} &")
        line = f"    {line[at + 1 :].lstrip()}"
    return [*lines, line]


def _effect_line(target: str, typical: str, effect: Effect, eta: str) -> list[str]:
    if effect is Effect.LOG_NORMAL:
        return [f"{target} = {typical}*EXP({eta})"]
    if effect is Effect.NORMAL:
        return [f"{target} = {typical} + {eta}"]
    return [f"L{target} = LOG({typical}/(1.0 - {typical})) + {eta}", f"{target} = 1.0/(1.0 + EXP(-L{target}))"]


def _eta_lines(model: PopulationModel, order: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Statements that add the effects of the occasion, and what each eta is called afterwards."""
    calls = {name: f"ETA({number})" for number, name in enumerate(order, start=1)}
    if model.occasion is None:
        return [], calls
    lines = []
    names = model.occasion.eta_names
    for position, name in enumerate(names):
        lines.append(f"IOV{position + 1} = 0.0")
        for occasion in range(model.occasion.occasions):
            number = len(order) + occasion * len(names) + position + 1
            lines.append(f"IF (OCC.EQ.{occasion + 1}) IOV{position + 1} = ETA({number})")
        lines.append(f"ETA{position + 1} = {calls[name]} + IOV{position + 1}")
    return lines, calls | {name: f"ETA{position + 1}" for position, name in enumerate(names)}


def _typical_lines(parameter: Parameter, target: str, etas: Mapping[str, str], code: Fortran) -> list[str]:
    value = code.text(parameter.formula)
    lines, code.lines = [*code.lines], []
    if parameter.eta is None:
        return [*lines, f"{target} = {value}"]
    typical = f"TV{target}"
    return [*lines, f"{typical} = {value}", *_effect_line(target, typical, parameter.effect, etas[parameter.eta])]


def _columns(model: PopulationModel) -> dict[str, str]:
    """What the data table calls each covariate: its own name, unless the control stream needs that name."""
    own = _parameter_names(model).values()
    taken = {*_RESERVED, *own, *(f"TV{name}" for name in own), "VM", "KM"}
    return unique_names([covariate.name for covariate in model.covariates], taken)


def _covariate_lines(model: PopulationModel) -> tuple[list[str], dict[str, str]]:
    columns = _columns(model)
    lines = []
    for covariate in model.covariates:
        if covariate.clamp is not None:
            column = columns[covariate.name]
            low, high = map(number_text, covariate.clamp)
            held = f"{column}H"
            lines += [
                f"{held} = {column}",
                f"IF ({held}.LT.{low}) {held} = {low}",
                f"IF ({held}.GT.{high}) {held} = {high}",
            ]
            columns[covariate.name] = held
    return lines, columns


def _pk(model: PopulationModel, order: tuple[str, ...]) -> list[str]:
    lines, columns = _covariate_lines(model)
    eta_lines, etas = _eta_lines(model, order)
    thetas = {theta.name: f"THETA({number})" for number, theta in enumerate(model.thetas, start=1)}
    code = Fortran({**thetas, **columns}, "PK")
    names = _parameter_names(model)
    lines += eta_lines
    for parameter in model.parameters:
        lines += _typical_lines(parameter, names[parameter.name], etas, code)
    if model.saturable is not None:
        vmax, km = code.text(model.saturable.vmax_formula), code.text(model.saturable.km_formula)
        lines += [*code.lines, f"VM = {vmax}", f"KM = {km}"]
    if model.structure is not None:
        # mg and L give mg/L; divided by 1000 the predictions are ng/mL
        lines.append(f"S{_central(model)} = {names['v1_l']}/1000.0")
    return ["$PK", *lines]


def _des(model: PopulationModel) -> list[str]:
    if _closed_form(model):
        return []
    if model.system is not None:
        amounts = {state: f"A({number})" for number, state in enumerate(model.system.states, start=1)}
        code = Fortran({**_parameter_names(model), **amounts}, "DE")
        lines = ["$DES"]
        for number, equation in enumerate(model.system.equations.values(), start=1):
            value = code.text(equation)
            lines += [*code.lines, f"DADT({number}) = {value}"]
            code.lines = []
        return lines
    shape = flows(model)
    amounts = {f"A{number}": f"A({number})" for number in range(1, len(shape.compartments) + 1)}
    names = {name: name for name in (*_GENERAL.values(), "VM", "KM")}
    return ["$DES"] + [
        f"DADT({number}) = {rename_amounts(equation, names, amounts)}"
        for number, equation in enumerate(shape.equations, start=1)
    ]


def _subroutines(model: PopulationModel) -> list[str]:
    if _closed_form(model) and model.structure is not None:
        return [f"$SUBROUTINES {_CLOSED_FORMS[model.structure.compartments, model.structure.stages > 0][0]}"]
    if model.system is not None:
        states, dose = model.system.states, model.system.dose_state
        marks = [f"COMP=({state.upper()}{',DEFDOSE' if state == dose else ''})" for state in states]
    else:
        shape = flows(model)
        marks = [
            f"COMP=({name}{',DEFDOSE' if number == 1 else ''}{',DEFOBS' if number == shape.central else ''})"
            for number, name in enumerate(shape.compartments, start=1)
        ]
    return ["$SUBROUTINES ADVAN13 TOL=9", f"$MODEL {' '.join(marks)}"]


def _error(model: PopulationModel) -> list[str]:
    lines = ["$ERROR"]
    if model.system is None:
        lines.append("IPRED = F")
    else:
        amounts = {state: f"A({number})" for number, state in enumerate(model.system.states, start=1)}
        code = Fortran({**_parameter_names(model), **amounts}, "ER")
        value = code.text(model.system.output)
        lines += [*code.lines, f"IPRED = {value}"]
    by_kind = {
        "additive": ["Y = IPRED + EPS(1)"],
        "proportional": ["Y = IPRED*(1.0 + EPS(1))"],
        "combined": ["Y = IPRED*(1.0 + EPS(1)) + EPS(2)"],
        "log": ["; exponential error: estimate on LOG(DV) for the exact likelihood", "Y = IPRED*EXP(EPS(1))"],
    }
    return [*lines, *by_kind[model.residual.kind], "IRES = DV - IPRED"]


def _theta_lines(number: int, theta: Theta) -> list[str]:
    value = number_text(theta.value)
    start = f"{value} FIX" if theta.fixed else f"(0, {value})" if theta.value > 0.0 else f"({value})"
    rse = f"; RSE {theta.rse_percent:g} %" if theta.rse_percent is not None else ""
    note = _comment(f"THETA({number}) {theta.name}: {theta.note}") if theta.note else []
    return [*note, f"$THETA {start} ; {number} {theta.name} [{theta.unit}]{rse}"]


def _omega(model: PopulationModel, blocks: tuple[tuple[str, ...], ...]) -> list[str]:
    values: dict[str, OmegaValue] = {value.name: value for value in model.omega_values}
    lines = []
    for block in blocks:
        fixed = " FIX" if all(values[name].fixed for name in block) else ""
        at = [model.eta_names.index(name) for name in block]
        if len(block) == 1:
            lines.append(f"$OMEGA {number_text(model.omega[at[0], at[0]])}{fixed} ; {block[0]}")
            continue
        lines.append(f"$OMEGA BLOCK({len(block)}){fixed} ; {', '.join(block)}")
        lines += [" ".join(number_text(model.omega[i, j]) for j in at[: row + 1]) for row, i in enumerate(at)]
    if model.occasion is not None:
        size = len(model.occasion.eta_names)
        lines.append(f"$OMEGA BLOCK({size}) ; between occasions: {', '.join(model.occasion.eta_names)}")
        lines += [" ".join(number_text(v) for v in model.occasion.omega[row, : row + 1]) for row in range(size)]
        lines += [f"$OMEGA BLOCK({size}) SAME"] * (model.occasion.occasions - 1)
    return lines


def _sigma(model: PopulationModel) -> list[str]:
    residual = model.residual
    parts = {
        "additive": (("additive, (ng/mL)^2", residual.additive_ng_ml),),
        "proportional": (("proportional", residual.proportional),),
        "combined": (("proportional", residual.proportional), ("additive, (ng/mL)^2", residual.additive_ng_ml)),
        "log": (("log scale", residual.log_sd),),
    }[residual.kind]
    return [f"$SIGMA {number_text(sd**2)} ; {name}, SD {sd:g}" for name, sd in parts]


def nonmem_text(model: PopulationModel) -> str:
    """Write the control stream; see `sirolens.models.translate.to_nonmem`."""
    blocks = effect_blocks(model)
    order = tuple(name for block in blocks for name in block)
    items = [*_DATA_ITEMS, *_columns(model).values(), *(["OCC"] if model.occasion is not None else [])]
    comments = [line for text in header_lines(model) for line in _comment(text)]
    if model.structure is not None and model.structure.absorption == "zero-order":
        comments.append("; Zero-order absorption: dose records need RATE = -2, so that D1 is used")
    names = _parameter_names(model)
    shown = [names[one.name] for one in model.parameters if model.system is not None or one.name in _GENERAL]
    lines = [
        f"$PROBLEM {model.full_name} {model.label}",
        *comments,
        f"$INPUT {' '.join(items)}",
        "$DATA data.csv IGNORE=@",
        *_subroutines(model),
        *_pk(model, order),
        *_des(model),
        *_error(model),
        *(line for number, theta in enumerate(model.thetas, start=1) for line in _theta_lines(number, theta)),
        *_omega(model, blocks),
        *_sigma(model),
        "$ESTIMATION METHOD=1 INTERACTION MAXEVAL=0 POSTHOC PRINT=1 ; empirical Bayes estimates",
        f"$TABLE ID TIME DV IPRED {' '.join(shown)} NOPRINT ONEHEADER FILE=sdtab",
    ]
    return (
        "\n".join(piece for line in lines for piece in (_broken(line) if not line.startswith(";") else [line])) + "\n"
    )
