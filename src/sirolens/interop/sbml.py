# SPDX-License-Identifier: Apache-2.0
"""Writes one virtual patient as self-contained SBML: the mechanism, the pharmacokinetics and every dose in one file.

Inside sirolens blood sirolimus is a port that the exact linear engine feeds. Other programs know no ports: here the
same compartments are differential equations in the file, C is an assignment rule, and doses are events. SBML carries
15 digits of a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.linear import PARAMETERS, Structure
from sirolens.engine.sbml import antimony_to_sbml
from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.exposure import DoseHistory, Kinetics
from sirolens.mechanism.network import Mechanism
from sirolens.mechanism.partners import Partner
from sirolens.message import error, info
from sirolens.models.predict import structure_of
from sirolens.report.words import cite, say

__all__ = ["PORT", "PREFIX", "compose"]

Array = NDArray[np.float64]

#: Id of blood sirolimus in the mechanism.
PORT = "C"
#: What every id that the export adds begins with.
PREFIX = "pk_"

_H_PER_D = 24.0
_F1, _LAG = PARAMETERS.index("f1"), PARAMETERS.index("lag1_h")


def _checked(call: int, what: str) -> None:
    if call != 0:
        raise RuntimeError(f"libSBML refused {what}: {call}")


def _tree(formula: str) -> Any:
    """Read a formula of the export's own making: sums, products and comparisons of ids, nothing else."""
    import libsbml

    tree = libsbml.parseL3Formula(formula)
    assert tree is not None, (formula, libsbml.getLastParseL3Error())
    return tree


def _unit(model: Any, name: str, *parts: tuple[str, int, float]) -> str:
    """Add a unit as a product of (kind, exponent, multiplier) and return its id."""
    import libsbml

    definition = model.createUnitDefinition()
    _checked(definition.setId(name), name)
    for kind, exponent, multiplier in parts:
        unit = definition.createUnit()
        unit.setKind(libsbml.UnitKind_forName(kind))
        unit.setExponent(exponent)
        unit.setScale(0)
        unit.setMultiplier(multiplier)
    return name


def _add(model: Any, name: str, value: float, unit: str, *, constant: bool = True) -> str:
    parameter = model.createParameter()
    _checked(parameter.setId(PREFIX + name), name)
    parameter.setConstant(constant)
    parameter.setValue(value)
    parameter.setUnits(unit)
    return PREFIX + name


def _rate(model: Any, variable: str, formula: str) -> None:
    rule = model.createRateRule()
    rule.setVariable(variable)
    _checked(rule.setMath(_tree(formula)), variable)


def _kinetics(model: Any, structure: Structure, values: Mapping[str, float]) -> str:
    """Write the compartments as differential equations in mg and days; return the id that doses go into."""
    litre = _unit(model, "pk_litre", ("litre", 1, 1.0))
    litre_per_day = _unit(model, "pk_litre_per_day", ("litre", 1, 1.0), ("second", -1, 86400.0))
    per_day = _unit(model, "pk_per_day", ("second", -1, 86400.0))
    mg = _unit(model, "pk_mg", ("gram", 1, 1e-3))
    # mg/L over ng/mL: 1000 as a number, 1e-3 as a unit
    scale = _unit(model, "pk_ng_per_mL_in_mg_per_L", ("dimensionless", 1, 1e-3))
    volume = _add(model, "v1", values["v1_l"], litre)
    flow = _add(model, "cl", values["cl_l_h"] * _H_PER_D, litre_per_day)
    central = _add(model, "central", 0.0, mg, constant=False)
    leaving, arriving = [f"{flow}/{volume}*{central}"], []
    for number in range(2, structure.compartments + 1):
        exchange = _add(model, f"q{number}", values[f"q{number}_l_h"] * _H_PER_D, litre_per_day)
        size = _add(model, f"v{number}", values[f"v{number}_l"], litre)
        deep = _add(model, f"peripheral{number}", 0.0, mg, constant=False)
        out, back = f"{exchange}/{volume}*{central}", f"{exchange}/{size}*{deep}"
        _rate(model, deep, f"{out} - {back}")
        leaving.append(out)
        arriving.append(back)
    into = central
    if structure.stages:
        absorption = _add(model, "ka", values["ka_1_h"] * _H_PER_D, per_day)
        stages = [_add(model, f"stage{i + 1}", 0.0, mg, constant=False) for i in range(structure.stages)]
        _rate(model, stages[0], f"-{absorption}*{stages[0]}")
        for before, stage in pairwise(stages):
            _rate(model, stage, f"{absorption}*{before} - {absorption}*{stage}")
        arriving.append(f"{absorption}*{stages[-1]}")
        into = stages[0]
    _rate(model, central, " + ".join(arriving or ["0"]) + "".join(f" - {term}" for term in leaving))
    port = model.getParameter(PORT)
    port.setConstant(False)
    port.unsetValue()
    rule = model.createAssignmentRule()
    rule.setVariable(PORT)
    thousand = _add(model, "scale", 1000.0, scale)
    _checked(rule.setMath(_tree(f"{thousand}*{central}/{volume}")), PORT)
    return into


def _event(model: Any, name: str, trigger: str, assignments: Mapping[str, str]) -> None:
    event = model.createEvent()
    _checked(event.setId(name), name)
    event.setUseValuesFromTriggerTime(True)
    condition = event.createTrigger()
    condition.setInitialValue(False)  # so that what is due at the start happens then
    condition.setPersistent(True)
    _checked(condition.setMath(_tree(trigger)), name)
    for variable, formula in assignments.items():
        assignment = event.createEventAssignment()
        assignment.setVariable(variable)
        _checked(assignment.setMath(_tree(formula)), name)


def _is_train(times: Array, amounts: Array) -> bool:
    """Say whether adding one interval again and again gives exactly these times, always with one amount."""
    if times.size < 3 or (amounts != amounts[0]).any():
        return False
    added = np.add.accumulate(np.concatenate((times[:1], np.full(times.size - 1, times[1] - times[0]))))
    return bool((added == times).all())


def _doses(model: Any, name: str, state: str, times: Array, amounts: Array) -> None:
    """Write doses as events: one that sets its own next time where they are regular, otherwise one for each."""
    mg, day = "pk_mg", _unit(model, f"{name}_day", ("second", 1, 86400.0))
    unit = mg if state.startswith(PREFIX) else "dimensionless"
    own = name.removeprefix(PREFIX)
    if _is_train(times, amounts):
        dose = _add(model, f"{own}_amount", float(amounts[0]), unit)
        due = _add(model, f"{own}_next", float(times[0]), day, constant=False)
        every = _add(model, f"{own}_interval", float(times[1] - times[0]), day)
        left = _add(model, f"{own}_left", float(times.size), "dimensionless", constant=False)
        one = _add(model, f"{own}_one", 1.0, "dimensionless")
        changed = {state: f"{state} + {dose}", due: f"{due} + {every}", left: f"{left} - {one}"}
        _event(model, f"{name}_dose", f"(time >= {due}) && ({left} > 0)", changed)
        return
    for number, (time, amount) in enumerate(zip(times, amounts, strict=True), start=1):
        dose = _add(model, f"{own}_amount{number}", float(amount), unit)
        when = _add(model, f"{own}_time{number}", float(time), day)
        _event(model, f"{name}_dose{number}", f"time >= {when}", {state: f"{state} + {dose}"})


def _row(table: Array, patient: int) -> Array:
    return np.asarray(table[0 if len(table) == 1 else patient])


def compose(
    mechanism: Mechanism,
    kinetics: Kinetics,
    doses: DoseHistory,
    *,
    parameters: ArrayLike | None = None,
    partners: Sequence[Partner] = (),
    patient: int = 0,
) -> str:
    """Write one patient as SBML level 3 version 2.

    Parameters
    ----------
    mechanism : Mechanism
        The model of the disease.
    kinetics : Kinetics
        Pharmacokinetic parameters of N patients, under one model of the catalogue.
    doses : DoseHistory
        What they swallow.
    parameters : array_like (n_parameters, N), optional
        The mechanism's parameters, in the order of its network; by default its own values.
    partners : sequence of Partner
        Other treatments.
    patient : int
        Which of the patients.

    Returns
    -------
    str
        The file. Time is in days, sirolimus in its compartments in mg.

    Raises
    ------
    UnknownNameError
        ``sbml.no-such-patient``.
    InputError
        ``mechanism.pk-not-linear`` for saturable absorption or own equations, ``sbml.export-absorption`` for
        absorption of zero order.

    Examples
    --------
    >>> from sirolens.engine.sbml import read_sbml
    >>> from sirolens.mechanism.exposure import constant_dose, sample_kinetics
    >>> from sirolens.mechanism.network import load
    >>> from sirolens.models.catalog import load as catalogue
    >>> pk = sample_kinetics(catalogue("golubovic_2019"), {"age": [44.0]}, seed=1, index=[0])
    >>> network = read_sbml(compose(load(), pk, constant_dose(2, 180)))
    >>> network.definitions["C"].printed, network.inputs, len(network.events)
    ('pk_scale * pk_central / pk_v1', (), 1)
    """
    import libsbml

    if not 0 <= patient < len(kinetics.parameters):
        raise UnknownNameError(error("sbml.no-such-patient", patient=patient, patients=len(kinetics.parameters)))
    structure = structure_of(kinetics.model)
    if kinetics.model.saturable is not None:
        raise InputError(error("mechanism.pk-not-linear", model=kinetics.model.label))
    if structure.absorption == "zero-order":
        raise InputError(error("sbml.export-absorption", model=kinetics.model.label))
    source = files("sirolens.mechanism").joinpath(mechanism.register.file).read_text(encoding="utf-8")
    document = libsbml.readSBMLFromString(antimony_to_sbml(source, file=mechanism.register.file))
    model = document.getModel()
    _set_parameters(model, mechanism, parameters, patient)
    own = dict(zip(PARAMETERS, map(float, kinetics.parameters[patient]), strict=True))
    into = _kinetics(model, structure, own)
    amounts = _row(doses.amount_mg, patient)
    given = amounts > 0.0
    lag_d = kinetics.parameters[patient, _LAG] / _H_PER_D
    taken = amounts[given] * kinetics.parameters[patient, _F1]
    _doses(model, f"{PREFIX}sirolimus", into, doses.time_d[given] + lag_d, taken)
    for number, partner in enumerate(partners, start=1):
        added = _row(partner.amount, patient)
        state = mechanism.network.label(partner.state)
        _doses(model, f"{PREFIX}partner{number}", state, partner.time_d[added != 0.0], added[added != 0.0])
    _describe(model, mechanism, kinetics)
    return str(libsbml.writeSBMLToString(document))


def _set_parameters(model: Any, mechanism: Mechanism, parameters: ArrayLike | None, patient: int) -> None:
    network = mechanism.network
    table = None if parameters is None else np.asarray(parameters, dtype=np.float64)
    for place, name in enumerate(network.parameters):
        value = network.values[name] if table is None else float(table[place, 0 if table.shape[1] == 1 else patient])
        _checked(model.getParameter(network.label(name)).setValue(value), name)


def _describe(model: Any, mechanism: Mechanism, kinetics: Kinetics) -> None:
    """Say in the file what it is and where its pharmacokinetics come from."""
    told = info(
        "sbml.export-notes",
        variants=", ".join(mechanism.variants) or "-",
        model=kinetics.model.full_name,
        published=cite(kinetics.model.source, "en"),
    )
    text = escape(say(told, "en"))
    _checked(model.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></body>'), "notes")
