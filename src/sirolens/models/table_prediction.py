# SPDX-License-Identifier: Apache-2.0
"""Predictions for every patient of an event table under one population model, whatever its kind.

A linear model is propagated exactly; saturable absorption is turned into equivalent boluses once per patient; a model
of own equations is integrated. `prepare` does once what no random effect changes, `predict_table` does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.linear import Events, Ragged, concentrations, events_from_columns
from sirolens.engine.ode import Solution, Status, compile_system, solve
from sirolens.engine.saturable import SteadyCycle, absorbed_input
from sirolens.errors import InputError, TableError
from sirolens.message import Message, Place, Severity, error, warning
from sirolens.models.covariates import complete, typical
from sirolens.models.event_table import EventTable, ParameterSets, parameter_sets, to_events
from sirolens.models.population import PopulationModel, individual, parameter_names
from sirolens.models.predict import structure_of
from sirolens.models.vocabulary import covariate_word

__all__ = ["Prepared", "not_integrated", "predict_table", "prepare"]

Array = NDArray[np.float64]
OBSERVATION, DOSE, OTHER, RESET_AND_DOSE = 0, 1, 2, 4


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """An event table made ready for one model.

    Parameters
    ----------
    model : PopulationModel
        The model.
    table : EventTable
        The records as read.
    events : Events
        What the engine runs; its observation records are the table's, in order.
    typical : ndarray, shape (patients, sets, n_parameters)
        Typical parameters of every parameter set.
    output : ndarray of int, shape (outputs,)
        Index in the table of every record that asks for a prediction.
    messages : tuple of Message
        What was assumed about covariates.
    """

    model: PopulationModel
    table: EventTable
    events: Events
    typical: Array
    output: NDArray[np.int64]
    messages: tuple[Message, ...]

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self.table.ids)

    @property
    def output_start(self) -> NDArray[np.int64]:
        """Outputs of patient p are ``output_start[p]:output_start[p + 1]``."""
        return np.searchsorted(self.output, self.table.start).astype(np.int64)


def prepare(model: PopulationModel, table: EventTable, *, backward: bool = False, file: str | None = None) -> Prepared:
    """Fill covariates, compute typical parameters and write the engine's events.

    Parameters
    ----------
    model : PopulationModel
        The model.
    table : EventTable
        The records.
    backward : bool
        Covariates take the next value backward (NONMEM) instead of the last value forward.
    file : str, optional
        Name of the file, for faults.

    Raises
    ------
    TableError
        A covariate that must be given is missing or impossible, with the line of its first record; a record the model
        cannot use.
    """
    covariates = table.carried(backward=backward)
    sets = parameter_sets(table, covariates)
    place = sets.first_record.ravel()
    values = {name: column[place] for name, column in covariates.items()}
    messages = _checked_covariates(model, table, values, place, file)
    computed = typical(model, values)
    shape = (*sets.first_record.shape, computed.shape[-1])
    spread = np.broadcast_to(computed, (place.size, computed.shape[-1])).reshape(shape)
    if model.saturable is not None:
        events = _absorbed_events(model, table, sets, backward=backward, file=file)
    else:
        states = 2 if model.system is None else len(model.system.states)
        _refuse_compartments(model, table, states, file)
        first = 1 if model.system is None else model.system.states.index(model.system.dose_state) + 1
        events = to_events(table, sets, backward=backward, first_compartment=first)
    return Prepared(
        model=model,
        table=table,
        events=events,
        typical=np.ascontiguousarray(spread),
        output=np.flatnonzero(table.is_output),
        messages=messages,
    )


def _checked_covariates(
    model: PopulationModel, table: EventTable, values: dict[str, Array], place: NDArray[np.int64], file: str | None
) -> tuple[Message, ...]:
    """Refuse what the model refuses, naming the first line that lacks or has it."""
    refused: list[Message] = []
    for covariate in model.covariates:
        given = values.get(covariate.name)
        missing = np.ones(place.size, dtype=bool) if given is None else np.isnan(given)
        if covariate.when_missing != "reference" and missing.any():
            line = int(table.line[place[int(np.argmax(missing))]])
            refused.append(
                error(
                    "models.covariate-needed",
                    place=Place(file=file, line=line, field=covariate.name),
                    covariate=covariate.name,
                    unit=covariate.unit,
                    model=model.label,
                )
            )
    if refused:
        raise TableError(*refused)
    done = complete(model, values)
    impossible = [message for message in done.messages if message.severity is Severity.ERROR]
    if impossible:
        raise TableError(*(_placed(message, model, table, values, place, file) for message in impossible))
    return done.messages


def _placed(
    message: Message,
    model: PopulationModel,
    table: EventTable,
    values: dict[str, Array],
    place: NDArray[np.int64],
    file: str | None,
) -> Message:
    """Give a fault of a covariate's value the column and the line on which the value first stands."""
    said, value = message.values.get("covariate"), message.values.get("value")
    for covariate in model.covariates:
        rows = np.flatnonzero(values.get(covariate.name, np.empty(0)) == value)
        if said == covariate_word(covariate.name, covariate.chart) and rows.size:
            line = int(table.line[place[rows[0]]])
            return replace(message, place=Place(file=file, line=line, field=covariate.name))
    return replace(message, place=Place(file=file))


def _absorbed_events(
    model: PopulationModel, table: EventTable, sets: ParameterSets, *, backward: bool, file: str | None
) -> Events:
    """Write every patient's doses as the boluses that stand for their saturable absorption."""
    pieces = [
        _absorbed_patient(model, table, sets, int(low), int(high), backward=backward, file=file)
        for low, high in zip(table.start[:-1], table.start[1:], strict=True)
    ]
    names = ("time_h", "evid", "amount_mg", "ii_h", "addl", "ss", "before", "at")
    start = np.concatenate(([0], np.cumsum([piece["time_h"].size for piece in pieces])))
    time_h, evid, amount_mg, ii_h, addl, ss, before, at = (
        np.concatenate([piece[name] for piece in pieces]) for name in names
    )
    return events_from_columns(
        start=start,
        time_h=time_h,
        evid=evid,
        amount_mg=amount_mg,
        compartment=2,
        ii_h=ii_h,
        addl=addl,
        ss=ss,
        before=before,
        at=at,
    )


def _absorbed_patient(
    model: PopulationModel,
    table: EventTable,
    sets: ParameterSets,
    low: int,
    high: int,
    *,
    backward: bool,
    file: str | None,
) -> dict[str, Array]:
    assert model.saturable is not None
    time_h, set_of = table.time_h[low:high], sets.of_record[low:high]
    _refuse_records(model, table, low, high, file)
    dose_h, dose_mg = _every_dose(table, low, high)
    columns: dict[str, Array] = {name: np.empty(0) for name in ("time_h", "amount_mg", "ii_h", "addl", "ss")}
    if dose_h.size and (time_h > dose_h[0]).any():
        runs = absorbed_input(
            dose_h,
            dose_mg,
            model.saturable.vmax_mg_h,
            model.saturable.km_mg,
            np.unique(time_h[time_h >= dose_h[0]]),
            before=_steady_before(table, low, high),
        )
        written = runs.records
        columns = {name: np.asarray(getattr(written, name), np.float64) for name in columns}
    # The table's own records stay, doses as mere marks, so that parameters change where the table says.
    kind = np.where(table.evid[low:high] == OBSERVATION, OBSERVATION, OTHER)
    times = np.concatenate([columns["time_h"], time_h])
    evid = np.concatenate([np.full(columns["time_h"].size, DOSE), kind])
    order = np.lexsort((evid == DOSE, times))
    if backward:
        index = np.searchsorted(time_h, times[order], side="left")
    else:
        index = np.searchsorted(time_h, times[order], side="right") - 1
    at = set_of[np.clip(index, 0, time_h.size - 1)]
    before = at.copy()
    if not backward:
        before[1:] = at[:-1]
    empty = np.zeros(time_h.size)
    return {
        "time_h": times[order],
        "evid": evid[order],
        **{name: np.concatenate([columns[name], empty])[order] for name in ("amount_mg", "ii_h", "addl", "ss")},
        "before": before,
        "at": at,
    }


def _refuse_compartments(model: PopulationModel, table: EventTable, states: int, file: str | None) -> None:
    """A dose goes into a compartment the model has."""
    wrong = ((table.evid == DOSE) | (table.evid == RESET_AND_DOSE)) & (table.compartment > states)
    if wrong.any():
        row = int(np.argmax(wrong))
        place = Place(file=file, line=int(table.line[row]), field="CMT")
        value = int(table.compartment[row])
        raise TableError(error("nonmem.no-such-compartment", place=place, value=value, most=states, model=model.label))


def _refuse_records(model: PopulationModel, table: EventTable, low: int, high: int, file: str | None) -> None:
    """Saturable absorption takes oral doses only: no infusions, resets, or steady state after the first dose."""
    inside = slice(low, high)
    dose = table.evid[inside] == DOSE
    first = low + int(np.argmax(dose)) if dose.any() else -1
    later_steady = (table.ss[inside] > 0) & (np.arange(low, high) != first)
    wrong = (table.evid[inside] >= 3) | (dose & ((table.rate_mg_h[inside] != 0) | (table.compartment[inside] > 1)))
    wrong |= later_steady | (table.ss[inside] == 2)
    if wrong.any():
        line = int(table.line[low + int(np.argmax(wrong))])
        raise TableError(error("models.record-not-oral", place=Place(file=file, line=line), model=model.label))


def _every_dose(table: EventTable, low: int, high: int) -> tuple[Array, Array]:
    """Write out additional doses, in order of time."""
    rows = low + np.flatnonzero(table.evid[low:high] == DOSE)
    counts = table.addl[rows] + 1
    number = np.concatenate([np.arange(count) for count in counts]) if rows.size else np.empty(0)
    time_h = np.repeat(table.time_h[rows], counts) + number * np.repeat(table.ii_h[rows], counts)
    order = np.argsort(time_h, kind="stable")
    return time_h[order], np.repeat(table.amount_mg[rows], counts)[order]


def _steady_before(table: EventTable, low: int, high: int) -> SteadyCycle | None:
    """The endless series that a first dose at steady state stands for."""
    rows = low + np.flatnonzero(table.evid[low:high] == DOSE)
    if not rows.size or table.ss[rows[0]] != 1:
        return None
    first = rows[0]
    return SteadyCycle(
        until_h=float(table.time_h[first]),
        period_h=float(table.ii_h[first]),
        dose_time_h=np.zeros(1),
        dose_mg=table.amount_mg[first : first + 1],
    )


def predict_table(prepared: Prepared, eta: ArrayLike, lane_patient: Sequence[int] | NDArray[np.int64]) -> Ragged:
    """Predict every output of every lane.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    eta : array_like, shape (lanes, n_eta)
        Random effects.
    lane_patient : sequence of int, shape (lanes,)
        Whose records each lane follows.

    Returns
    -------
    Ragged
        Concentrations in ng/mL at the patient's output records, lane after lane.

    Raises
    ------
    InputError
        A parameter no patient can have.
    """
    lanes = np.asarray(lane_patient, dtype=np.int64)
    if prepared.model.system is not None:
        # A lane that could not be integrated stays as not-a-number: a hard case is data; `not_integrated` names it.
        solution = _integrated(prepared, eta, lanes)
        return Ragged(solution.values, solution.offsets)
    values = _parameters(prepared, eta, lanes)
    return concentrations(structure_of(prepared.model), prepared.events, values, lanes)


def _parameters(prepared: Prepared, eta: ArrayLike, lanes: NDArray[np.int64]) -> Array:
    effects = np.atleast_2d(np.asarray(eta, dtype=np.float64))
    if effects.shape != (lanes.size, len(prepared.model.eta_names)):
        raise InputError(error("models.eta-shape", given=str(effects.shape), etas=len(prepared.model.eta_names)))
    return individual(prepared.model, prepared.typical[lanes], effects, paired=True)


def _integrated(prepared: Prepared, eta: ArrayLike, lanes: NDArray[np.int64]) -> Solution:
    system = prepared.model.system
    assert system is not None
    compiled = compile_system(system.states, parameter_names(prepared.model), system.equations, system.output)
    return solve(compiled, prepared.events, _parameters(prepared, eta, lanes), lanes)


def not_integrated(prepared: Prepared, eta: ArrayLike) -> tuple[Message, ...]:
    """Name the patients whose equations could not be integrated to the last record, one message per reason.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    eta : array_like, shape (patients, n_eta)
        Random effects of every patient.

    Returns
    -------
    tuple of Message
        ``nonmem.not-integrated``; none for a model without equations of its own.
    """
    if prepared.model.system is None:
        return ()
    status = _integrated(prepared, eta, np.arange(prepared.patients)).status
    found = []
    for reason in Status:
        stopped = np.flatnonzero(status == reason)
        if reason is not Status.DONE and stopped.size:
            ids = tuple(prepared.table.ids[patient] for patient in stopped)
            why = warning(reason.code, lanes=int(stopped.size), first_lane=int(stopped[0]))
            found.append(warning("nonmem.not-integrated", ids=ids, reason=why))
    return tuple(found)
