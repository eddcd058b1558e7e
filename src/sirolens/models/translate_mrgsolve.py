# SPDX-License-Identifier: Apache-2.0
"""Writes a model as mrgsolve code; `sirolens.models.translate` is the door."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sirolens.models.population import Effect, Parameter, PopulationModel
from sirolens.models.translate_formula import cpp, number_text
from sirolens.models.translate_layout import effect_blocks, flows, header_lines, rename_amounts, unique_names

__all__ = ["mrgsolve_text"]

_RESERVED = frozenset(
    {"ID", "TIME", "AMT", "CMT", "EVID", "II", "ADDL", "SS", "RATE", "IPRED", "DV", "OCC", "SELF", "F"}
)
_LINEAR = {"cl_l_h": "CL", "v1_l": "V1", "q2_l_h": "Q2", "v2_l": "V2", "q3_l_h": "Q3", "v3_l": "V3", "ka_1_h": "KA"}
_DOSE_ITEMS = {"f": "F", "lag": "ALAG", "duration": "D", "rate": "R"}


def _compartments(model: PopulationModel) -> tuple[tuple[str, ...], int]:
    if model.system is not None:
        return tuple(unique_names(model.system.states, ()).values()), 1
    shape = flows(model)
    return shape.compartments, shape.central


def _parameter_names(model: PopulationModel) -> dict[str, str]:
    compartments, central = _compartments(model)
    if model.structure is None:
        return unique_names([parameter.name for parameter in model.parameters], {*_RESERVED, *compartments})
    names = dict(_LINEAR)
    for parameter in model.parameters:
        dosing = re.fullmatch(r"(f|lag|duration|rate)([12])(?:_h|_mg_h)?", parameter.name)
        if dosing:
            where = compartments[0] if dosing[2] == "1" else compartments[central - 1]
            names[parameter.name] = f"{_DOSE_ITEMS[dosing[1]]}_{where}"
    return names


def _declared(name: str) -> str:
    """A dosing item is mrgsolve's own variable; everything else is declared where it is set."""
    return name if re.match(r"(F|ALAG|D|R)_", name) else f"double {name}"


def _effect(typical: str, effect: Effect, eta: str) -> str:
    if effect is Effect.LOG_NORMAL:
        return f"{typical}*exp({eta})"
    if effect is Effect.NORMAL:
        return f"{typical} + {eta}"
    return f"1.0/(1.0 + (1.0 - {typical})/{typical}*exp(-({eta})))"


def _param(model: PopulationModel, thetas: Mapping[str, str], covariates: Mapping[str, str]) -> list[str]:
    lines = ["$PARAM @annotated"]
    for theta in model.thetas:
        rse = f", RSE {theta.rse_percent:g} %" if theta.rse_percent is not None else ""
        fixed = ", fixed" if theta.fixed else ""
        lines.append(f"{thetas[theta.name]} : {theta.value!r} : {theta.name} ({theta.unit}){rse}{fixed}")
    for covariate in model.covariates:
        name, note = covariates[covariate.name], "at its reference; give the patient's own"
        lines.append(f"{name} : {covariate.reference!r} : {covariate.name} ({covariate.unit}), {note}")
    if model.occasion is not None:
        lines.append("OCC : 1 : number of the occasion")
    return lines


def _clamp_lines(model: PopulationModel, covariates: dict[str, str]) -> list[str]:
    lines = []
    for covariate in model.covariates:
        if covariate.clamp is not None:
            low, high = map(number_text, covariate.clamp)
            name = covariates[covariate.name]
            lines.append(f"double {name}_HELD = fmin(fmax({name}, {low}), {high});")
            covariates[covariate.name] = f"{name}_HELD"
    return lines


def _occasion_lines(model: PopulationModel) -> list[str]:
    if model.occasion is None:
        return []
    lines = []
    for name in model.occasion.eta_names:
        lines.append(f"double IOV_{name} = 0.0;")
        lines += [f"if(OCC == {k}) IOV_{name} = IOV{k}_{name};" for k in range(1, model.occasion.occasions + 1)]
    return lines


def _main(model: PopulationModel, thetas: Mapping[str, str], covariates: dict[str, str]) -> list[str]:
    lines = ["$MAIN", *_clamp_lines(model, covariates), *_occasion_lines(model)]
    names = _parameter_names(model)
    varying = () if model.occasion is None else model.occasion.eta_names

    def line(parameter: Parameter) -> str:
        value = cpp(parameter.formula, {**thetas, **covariates})
        if parameter.eta is not None:
            eta = f"E_{parameter.eta}" + (f" + IOV_{parameter.eta}" if parameter.eta in varying else "")
            value = _effect(f"({value})", parameter.effect, eta)
        return f"{_declared(names[parameter.name])} = {value};"

    lines += [line(parameter) for parameter in model.parameters]
    if model.saturable is not None:
        vmax, km = (cpp(one, thetas) for one in (model.saturable.vmax_formula, model.saturable.km_formula))
        lines += [f"double VM = {vmax};", f"double KM = {km};"]
    return lines


def _ode(model: PopulationModel) -> list[str]:
    compartments, _ = _compartments(model)
    names = _parameter_names(model)
    if model.system is not None:
        states = dict(zip(model.system.states, compartments, strict=True))
        return ["$ODE"] + [
            f"dxdt_{states[state]} = {cpp(equation, {**names, **states})};"
            for state, equation in model.system.equations.items()
        ]
    amounts = {f"A{number}": name for number, name in enumerate(compartments, start=1)}
    own = {name: name for name in (*_LINEAR.values(), "VM", "KM")}
    equations = flows(model).equations
    return ["$ODE"] + [
        f"dxdt_{name} = {rename_amounts(equation, own, amounts)};"
        for name, equation in zip(compartments, equations, strict=True)
    ]


def _omega(model: PopulationModel) -> list[str]:
    lines = []
    for block in effect_blocks(model):
        at = [model.eta_names.index(name) for name in block]
        labels = " ".join(f"E_{name}" for name in block)
        lines.append(f"$OMEGA {'@block ' if len(block) > 1 else ''}@labels {labels}")
        lines += [" ".join(number_text(model.omega[i, j]) for j in at[: row + 1]) for row, i in enumerate(at)]
    if model.occasion is not None:
        size = len(model.occasion.eta_names)
        for k in range(1, model.occasion.occasions + 1):
            labels = " ".join(f"IOV{k}_{name}" for name in model.occasion.eta_names)
            lines.append(f"$OMEGA {'@block ' if size > 1 else ''}@labels {labels}")
            lines += [" ".join(number_text(v) for v in model.occasion.omega[row, : row + 1]) for row in range(size)]
    return lines


def _sigma(model: PopulationModel) -> list[str]:
    residual = model.residual
    parts = {
        "additive": (("ADD", residual.additive_ng_ml),),
        "proportional": (("PROP", residual.proportional),),
        "combined": (("PROP", residual.proportional), ("ADD", residual.additive_ng_ml)),
        "log": (("LOGERR", residual.log_sd),),
    }[residual.kind]
    return [f"$SIGMA @labels {' '.join(name for name, _ in parts)}", " ".join(number_text(sd**2) for _, sd in parts)]


def _table(model: PopulationModel) -> list[str]:
    compartments, central = _compartments(model)
    if model.system is None:
        output = f"1000.0*{compartments[central - 1]}/V1"
    else:
        states = dict(zip(model.system.states, compartments, strict=True))
        output = cpp(model.system.output, {**_parameter_names(model), **states})
    observed = {
        "additive": "IPRED + ADD",
        "proportional": "IPRED*(1.0 + PROP)",
        "combined": "IPRED*(1.0 + PROP) + ADD",
        "log": "IPRED*exp(LOGERR)",
    }[model.residual.kind]
    return ["$TABLE", f"double IPRED = {output};", f"double DV = {observed};", "$CAPTURE IPRED DV"]


def mrgsolve_text(model: PopulationModel) -> str:
    """Write the model specification; see `sirolens.models.translate.to_mrgsolve`."""
    compartments, _ = _compartments(model)
    parameter_names = _parameter_names(model)
    taken = {*_RESERVED, *compartments, *parameter_names.values(), "VM", "KM"}
    covariates = unique_names([covariate.name for covariate in model.covariates], taken)
    thetas = {theta.name: f"TH{number}" for number, theta in enumerate(model.thetas, start=1)}
    notes = [f"# - {line}" for line in header_lines(model)]
    if model.structure is not None and model.structure.absorption == "zero-order":
        notes.append("# - Zero-order absorption: dose records need rate = -2, so that the duration is used")
    lines = [
        "$PROB",
        f"# {model.full_name} {model.label}",
        *notes,
        *_param(model, thetas, covariates),
        f"$CMT {' '.join(compartments)}",
        *_main(model, thetas, covariates),
        *_ode(model),
        *_omega(model),
        *_sigma(model),
        *_table(model),
    ]
    return "\n".join(lines) + "\n"
