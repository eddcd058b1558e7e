# SPDX-License-Identifier: Apache-2.0
"""Reads the part of a model file that computes: structure, thetas, parameters, covariates and equations."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.engine.expression import FUNCTIONS, Expression, evaluate, is_forbidden_name, parse
from sirolens.engine.linear import PARAMETERS, Structure
from sirolens.engine.linear_layout import MAX_STAGES
from sirolens.errors import ExpressionError, InputError
from sirolens.message import Severity
from sirolens.models.population import (
    Covariate,
    Effect,
    OdeSystem,
    Parameter,
    Saturable,
    Spread,
    Theta,
)
from sirolens.models.toml_table import Table
from sirolens.source import Mark
from sirolens.units import CANONICAL, accepted_units, convert

__all__ = ["PARAMETER_UNITS", "Formulas", "read_formulas"]

PARAMETER_UNITS: Mapping[str, str] = {
    "cl_l_h": "L/h",
    "v1_l": "L",
    "q2_l_h": "L/h",
    "v2_l": "L",
    "q3_l_h": "L/h",
    "v3_l": "L",
    "ka_1_h": "1/h",
    "f1": "1",
    "lag1_h": "h",
    "duration1_h": "h",
    "rate1_mg_h": "mg/h",
    "f2": "1",
    "lag2_h": "h",
    "duration2_h": "h",
    "rate2_mg_h": "mg/h",
    "vmax_mg_h": "mg/h",
    "km_mg": "mg",
}
"""The unit of each parameter of a linear model and of saturable absorption."""

_FREE_UNITS = ("1", "L", "L/h", "1/h", "h", "mg", "mg/h", "mg/L", "ng/mL", "L/kg", "L/h/kg", "kg", "%", "years")
_OWN_QUANTITIES = {"indicator": "1", "number": "1", "daily-dose": "mg"}
_ABSORPTION = ("none", "first-order", "zero-order", "transit", "saturable")
_NEEDED_BY_ABSORPTION = {
    "none": (),
    "first-order": ("ka_1_h",),
    "transit": ("ka_1_h",),
    "zero-order": ("duration1_h",),
    "saturable": ("vmax_mg_h", "km_mg"),
}
_FORMS = ("power", "linear", "factor", "threshold", "other")
_MARKS = tuple(mark.value for mark in Mark)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_RESERVED = frozenset({*FUNCTIONS, "if", "piecewise", "and", "or", "not"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Formulas:
    """The computing part of a model; fields as in `PopulationModel`."""

    structure: Structure | None
    saturable: Saturable | None
    system: OdeSystem | None
    thetas: tuple[Theta, ...]
    parameters: tuple[Parameter, ...]
    covariates: tuple[Covariate, ...]


def _check_name(table: Table, name: str, taken: Collection[str] = ()) -> None:
    if not _NAME.match(name) or is_forbidden_name(name) or name in _RESERVED:
        table.faults.wrong("models.bad-name", table.path, name, expected="a-z, A-Z, 0-9, _")
    if name in taken:
        table.faults.wrong("models.name-twice", table.path, name, expected="")


def _thetas(root: Table, mark: Mark) -> tuple[Theta, ...]:
    thetas = []
    table = root.table("thetas")
    for name, inner in table.named() if table is not None else ():
        _check_name(inner, name)
        thetas.append(
            Theta(
                name=name,
                value=inner.number("value", required=True) or 0.0,
                unit=inner.text("unit", required=True),
                mark=Mark(inner.text("mark", default=mark, choices=_MARKS)),
                rse_percent=inner.number("rse_percent", above=0.0),
                fixed=inner.flag("fixed"),
                note=inner.text("note"),
            )
        )
        inner.close()
    return tuple(thetas)


def _covariate_unit(table: Table) -> tuple[str, str]:
    quantity = table.text("quantity", required=True, choices=(*CANONICAL, *_OWN_QUANTITIES))
    own = _OWN_QUANTITIES.get(quantity)
    canonical = own or CANONICAL.get(quantity, "1")
    unit = table.text("unit", required=own is None, default=canonical)
    if not quantity:  # which units fit is not known then
        return quantity, unit
    if quantity in CANONICAL:
        try:
            convert(1.0, unit, quantity)
        except InputError:
            accepted = ", ".join(accepted_units(quantity))
            table.faults.wrong("models.unknown-unit", (*table.path, "unit"), unit, expected=accepted)
    elif unit not in (_FREE_UNITS if quantity == "number" else (canonical,)):
        expected = ", ".join(_FREE_UNITS) if quantity == "number" else canonical
        table.faults.wrong("models.unknown-unit", (*table.path, "unit"), unit, expected=expected)
    return quantity, unit


def _spread(table: Table) -> Spread | None:
    inner = table.table("spread")
    if inner is None:
        return None
    spread = Spread(
        median=inner.number("median", required=True, above=0.0) or 1.0,
        log_sd=inner.number("log_sd", required=True, above=0.0) or 1.0,
        mark=Mark(inner.text("mark", required=True, default=Mark.ASSUMED, choices=_MARKS)),
    )
    inner.close()
    return spread


def _covariate(name: str, table: Table, thetas: tuple[Theta, ...]) -> Covariate:
    _check_name(table, name, [theta.name for theta in thetas])
    quantity, unit = _covariate_unit(table)
    reference = table.number("reference", required=True) or 0.0
    missing_value = table.number("missing_value")
    low, high = table.pair("observed") or (None, None)
    least, most = table.pair("plausible") or (None, None)
    covariate = Covariate(
        name=name,
        unit=unit,
        quantity=quantity,
        chart=table.text("chart"),
        form=table.text("form", default="other", choices=_FORMS),
        coefficient=table.text("coefficient"),
        reference=reference,
        when_missing=table.text("when_missing", required=True, choices=("ask", "reference", "refuse")),
        missing_value=reference if missing_value is None else missing_value,
        low=low,
        high=high,
        least=least,
        most=most,
        clamp=table.pair("clamp"),
        spread=_spread(table),
        note=table.text("note"),
    )
    if missing_value is not None and covariate.when_missing != "reference":
        where = (*table.path, "missing_value")
        table.faults.wrong("models.needless-here", where, missing_value, expected='when_missing = "reference"')
    if covariate.coefficient and covariate.coefficient not in {theta.name for theta in thetas}:
        known = ", ".join(theta.name for theta in thetas)
        table.faults.wrong(
            "models.undeclared-name", (*table.path, "coefficient"), covariate.coefficient, expected=known
        )
    table.close()
    return covariate


def _covariates(root: Table, thetas: tuple[Theta, ...]) -> tuple[Covariate, ...]:
    table = root.table("covariates")
    return tuple(_covariate(name, inner, thetas) for name, inner in (table.named() if table is not None else ()))


def _formula(table: Table, key: str, known: Collection[str]) -> Expression:
    """Read one formula and check its names against those declared; a stand-in of 1 where it cannot be read."""
    text = table.text(key, required=True, default="1")
    where = (*table.path, key)
    try:
        formula = parse(text)
    except ExpressionError as fault:
        table.faults.wrong("models.formula-unreadable", where, text, cause=fault.messages[0])
        return parse("1")
    for name in sorted(formula.names - set(known)):
        table.faults.wrong("models.undeclared-name", where, name, expected=", ".join(sorted(known)), formula=text)
    return formula


def _parameter(name: str, table: Table, known: Collection[str], eta_names: tuple[str, ...], linear: bool) -> Parameter:
    formula = _formula(table, "formula", known)
    fixed_unit = PARAMETER_UNITS.get(name) if linear else None
    units = (fixed_unit,) if fixed_unit is not None else _FREE_UNITS
    unit = table.text("unit", required=fixed_unit is None, default=units[0])
    if unit not in units:
        table.faults.wrong("models.unknown-unit", (*table.path, "unit"), unit, expected=", ".join(units))
    eta = table.text("eta") or None
    default = Effect.NONE if eta is None else Effect.LOG_NORMAL
    effect = Effect(table.text("effect", default=default, choices=tuple(effect.value for effect in Effect)))
    if eta is not None and eta not in eta_names:
        table.faults.wrong("models.eta-without-omega", (*table.path, "eta"), eta, expected=", ".join(eta_names))
    if (eta is None) != (effect is Effect.NONE):
        table.faults.wrong("models.effect-without-eta", (*table.path, "effect"), effect.value, expected="eta")
    printed = table.text("printed", default=formula.printed)
    table.close()
    return Parameter(name=name, unit=unit, formula=formula, printed=printed, effect=effect, eta=eta)


def _structure(root: Table) -> tuple[Structure, str, int]:
    table = root.table("structure", required=True)
    if table is None:
        return Structure(compartments=1, absorption="first-order"), "", 1
    compartments = table.whole("compartments", required=True, least=1) or 1
    if compartments > 3:
        table.faults.wrong("models.out-of-range", (*table.path, "compartments"), compartments, expected="1, 2, 3")
        return Structure(compartments=3, absorption="first-order"), "", 3
    absorption = table.text("absorption", required=True, choices=_ABSORPTION)
    stages = table.whole("transit", required=absorption == "transit", least=1) or 1
    if "transit" in table and absorption != "transit":
        where = (*table.path, "transit")
        table.faults.wrong("models.needless-here", where, stages, expected='absorption = "transit"')
    if stages > MAX_STAGES:
        table.faults.wrong("models.out-of-range", (*table.path, "transit"), stages, expected=f"1 - {MAX_STAGES}")
        stages = MAX_STAGES
    if absorption == "transit":
        structure = Structure(compartments=compartments, absorption="transit", transit=stages)
    elif absorption == "first-order":
        structure = Structure(compartments=compartments, absorption="first-order")
    elif absorption == "zero-order":
        structure = Structure(compartments=compartments, absorption="zero-order")
    else:
        structure = Structure(compartments=compartments, absorption="none")
    table.close()
    return structure, absorption, compartments


def _check_linear_parameters(root: Table, names: Collection[str], absorption: str, compartments: int) -> None:
    if absorption == "":  # the structure itself was wrong: what it needs is not known
        return
    disposition = ("cl_l_h", "v1_l", "q2_l_h", "v2_l", "q3_l_h", "v3_l")[: 2 * compartments]
    needed = (*disposition, *_NEEDED_BY_ABSORPTION.get(absorption, ()))
    depot = ("f1", "lag1_h", "duration1_h", "rate1_mg_h") if absorption not in ("none", "saturable") else ()
    allowed = (*needed, *depot, "f2", "lag2_h", "duration2_h", "rate2_mg_h")
    for name in needed:
        if name not in names:
            where = ("parameters", name)
            root.faults.wrong("models.key-missing", where, name, expected=f"[parameters.{name}]")
    for name in names:
        if name not in allowed:
            expected = ", ".join(allowed)
            root.faults.wrong("models.needless-parameter", ("parameters", name), name, expected=expected)


def _constant(
    parameters: Mapping[str, Parameter], name: str, thetas: tuple[Theta, ...], root: Table
) -> tuple[float, Expression]:
    """Evaluate a parameter that may depend on nothing but thetas; a stand-in of 1 where it cannot be."""
    parameter = parameters.get(name)
    if parameter is None:
        return 1.0, parse("1")
    values = {theta.name: theta.value for theta in thetas}
    where = ("parameters", name, "formula")
    if parameter.formula.names - set(values) or parameter.effect is not Effect.NONE:
        root.faults.wrong("models.must-be-constant", where, parameter.formula.printed, expected="thetas")
        return 1.0, parse("1")
    value = float(evaluate(parameter.formula, values))
    if not np.isfinite(value) or value <= 0.0:
        root.faults.wrong("models.out-of-range", where, value, expected="> 0")
        return 1.0, parse("1")
    return value, parameter.formula


def _system(root: Table, parameters: Collection[str]) -> OdeSystem | None:
    table = root.table("odes")
    if table is None:
        return None
    equations = table.table("equations", required=True)
    states = equations.key_names() if equations is not None else ()
    known = (*states, *parameters)
    read: dict[str, Expression] = {}
    for state in states:
        if equations is not None:
            if state in parameters or not _NAME.match(state) or is_forbidden_name(state) or state in _RESERVED:
                root.faults.wrong("models.bad-name", (*equations.path, state), state, expected="a-z, A-Z, 0-9, _")
            read[state] = _formula(equations, state, known)
    output = _formula(table, "output", known)
    first = states[0] if states else ""
    dose_state = table.text("dose_state", default=first, choices=states)
    table.close()
    return OdeSystem(states=tuple(states), equations=read, output=output, dose_state=dose_state)


def _note_unused(root: Table, formulas: Formulas, eta_names: tuple[str, ...]) -> None:
    """Note what no formula uses; not in a file with errors, where that may be their consequence."""
    if any(message.severity is Severity.ERROR for message in root.faults.messages):
        return
    used = {name for parameter in formulas.parameters for name in parameter.formula.names}
    for table, names in (
        ("thetas", [theta.name for theta in formulas.thetas]),
        ("covariates", [covariate.name for covariate in formulas.covariates]),
    ):
        for name in names:
            if name not in used:
                root.faults.doubtful("models.never-used", (table, name), name)
    etas = {parameter.eta for parameter in formulas.parameters}
    for name in eta_names:
        if name not in etas:
            root.faults.doubtful("models.never-used", ("random_effects", name), name)


def read_formulas(root: Table, eta_names: tuple[str, ...], mark: Mark) -> Formulas:
    """Read structure, thetas, parameters, covariates and equations of a model file.

    Parameters
    ----------
    root : Table
        The whole file; faults are noted in it.
    eta_names : tuple of str
        The random effects that have a variance.
    mark : Mark
        The mark of numbers that carry none of their own.
    """
    thetas = _thetas(root, mark)
    covariates = _covariates(root, thetas)
    known = (*(theta.name for theta in thetas), *(covariate.name for covariate in covariates))
    linear = "odes" not in root
    table = root.table("parameters", required=True)
    parameters: dict[str, Parameter] = {}
    for name, inner in table.named() if table is not None else ():
        if not linear:
            _check_name(inner, name)
        parameters[name] = _parameter(name, inner, known, eta_names, linear)
    structure: Structure | None = None
    saturable: Saturable | None = None
    system = _system(root, tuple(parameters))
    if linear:
        structure, absorption, compartments = _structure(root)
        _check_linear_parameters(root, tuple(parameters), absorption, compartments)
        if absorption == "saturable":
            vmax_mg_h, vmax_formula = _constant(parameters, "vmax_mg_h", thetas, root)
            km_mg, km_formula = _constant(parameters, "km_mg", thetas, root)
            saturable = Saturable(vmax_mg_h=vmax_mg_h, km_mg=km_mg, vmax_formula=vmax_formula, km_formula=km_formula)
    elif "structure" in root:
        root.table("structure")
        root.faults.wrong("models.structure-and-odes", ("structure",), "structure", expected="[odes]")
    formulas = Formulas(
        structure=structure,
        saturable=saturable,
        system=system,
        thetas=thetas,
        parameters=tuple(parameters.values()),
        covariates=covariates,
    )
    _note_unused(root, formulas, eta_names)
    if linear:
        # Vm and Km are constants of the absorption, not columns of the kernels' parameter vector.
        kept = tuple(parameter for parameter in formulas.parameters if parameter.name in PARAMETERS)
        formulas = Formulas(
            structure=structure,
            saturable=saturable,
            system=None,
            thetas=thetas,
            parameters=kept,
            covariates=covariates,
        )
    return formulas
