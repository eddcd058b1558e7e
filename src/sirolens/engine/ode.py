# SPDX-License-Identifier: Apache-2.0
"""Users' own models as differential equations: many patients, each with its own time, its own step and its own events.

dy/dt = f(t, y, p) + infusions is integrated by an explicit pair of order 5(4) whose steps end exactly where something
jumps (doses, ends of infusions, changes of parameters) and nowhere else; see docs/science/numerics.md. A lane's numbers
depend on nothing but its own records and parameters: not on the batch, its order, or the number of threads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import FUNCTIONS, Expression, is_forbidden_name
from sirolens.engine.lanes import over_chunks
from sirolens.engine.linear_events import Events
from sirolens.engine.ode_codegen import TIME, Equations, kernel_module, kernel_text
from sirolens.errors import ExpressionError, InputError
from sirolens.message import Message, error, warning

__all__ = ["Solution", "Status", "System", "compile_system", "failures", "solve"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_STATES = 127  # what the column `compartment` of a table of events can name
_NONE: Mapping[str, Expression] = {}


class Status(IntEnum):
    """Why a lane came to its end."""

    DONE = 0
    STEP_TOO_SMALL = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE = 3
    NOT_STEADY = 4

    @property
    def code(self) -> str:
        """The message that says so.

        >>> Status.TOO_MANY_STEPS.code
        'ode.too-many-steps'
        """
        return f"ode.{self.name.lower().replace('_', '-')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A model as differential equations, ready to be solved.

    Parameters
    ----------
    states : tuple of str
        Names of the states; state i is compartment i + 1 of a table of events.
    parameters : tuple of str
        Names of the parameters, in the order `solve` takes them.
    text : str
        The generated kernels.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """What was observed in every lane, and how each came to its end.

    Parameters
    ----------
    values : ndarray
        Outputs at the observation records, lane after lane; not-a-number after a lane has stopped.
    offsets : ndarray of int (n_lanes + 1,)
        Lane i owns ``values[offsets[i]:offsets[i + 1]]``.
    status : ndarray of int (n_lanes,)
        A `Status` each.
    steps : ndarray of int (n_lanes,)
        Steps tried.
    """

    values: Array
    offsets: Integers
    status: Integers
    steps: Integers

    @property
    def success(self) -> NDArray[np.bool_]:
        """Which lanes reached their last record."""
        return cast("NDArray[np.bool_]", self.status == Status.DONE)

    def row(self, lane: int) -> Array:
        """Outputs of one lane, as a view."""
        return self.values[self.offsets[lane] : self.offsets[lane + 1]]


def compile_system(
    states: Sequence[str],
    parameters: Sequence[str],
    equations: Mapping[str, Expression],
    output: Expression,
    *,
    definitions: Mapping[str, Expression] = _NONE,
    initial: Mapping[str, Expression] = _NONE,
    bioavailability: Mapping[str, Expression] = _NONE,
    lag_h: Mapping[str, Expression] = _NONE,
    duration_h: Mapping[str, Expression] = _NONE,
    rate_mg_h: Mapping[str, Expression] = _NONE,
) -> System:
    """Turn equations into kernels; the first solution compiles them, later processes find them compiled.

    Parameters
    ----------
    states, parameters : sequence of str
        Names, in order.
    equations : mapping of str to Expression
        Rate of change of every state [per hour], in terms of states, parameters, definitions and ``time_h``.
    output : Expression
        What is observed, in the same terms.
    definitions : mapping of str to Expression
        Intermediate values by name, each in terms of what stands before it.
    initial : mapping of str to Expression
        Values before anything is given and after a reset, where not 0; in terms of parameters, ``time_h`` and
        definitions that need no state.
    bioavailability, lag_h, duration_h, rate_mg_h : mapping of str to Expression
        By state, for doses into it: the part that arrives (else 1), the delay (else 0), and what the rates -2 and -1
        of a dose record stand for. In the terms of `initial`.

    Raises
    ------
    InputError
        With every fault: ``ode.equation-missing``, ``ode.state-unknown``, ``ode.name-twice``, ``ode.name-forbidden``,
        ``ode.state-count``, ``expression.undefined-name``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> system = compile_system(
    ...     ["depot", "central"],
    ...     ["vmax", "km", "cl", "v"],
    ...     {"depot": parse("-uptake"), "central": parse("uptake - cl/v*central")},
    ...     parse("1000*central/v"),
    ...     definitions={"uptake": parse("vmax*depot/(km + depot)")},
    ... )
    >>> system.states
    ('depot', 'central')
    """
    dosing = {"bioavailability": bioavailability, "lag_h": lag_h, "duration_h": duration_h, "rate_mg_h": rate_mg_h}
    return _compiled(
        tuple(states),
        tuple(parameters),
        tuple(equations.items()),
        output,
        tuple(definitions.items()),
        tuple(initial.items()),
        tuple((rule, tuple(by_state.items())) for rule, by_state in dosing.items()),
    )


_Items = tuple[tuple[str, Expression], ...]


@lru_cache(maxsize=256)  # fits ask for the same system again and again
def _compiled(
    states: tuple[str, ...],
    parameters: tuple[str, ...],
    equations: _Items,
    output: Expression,
    definitions: _Items,
    initial: _Items,
    dosing: tuple[tuple[str, _Items], ...],
) -> System:
    model = Equations(
        states=states,
        parameters=parameters,
        definitions=dict(definitions),
        constant=_constant({*parameters, TIME}, dict(definitions)),
        equations=dict(equations),
        output=output,
        initial=dict(initial),
        dosing={rule: dict(by_state) for rule, by_state in dosing},
    )
    faults = _name_faults([*states, *parameters, *model.definitions]) + _equation_faults(model)
    if faults:
        raise InputError(*dict.fromkeys(faults))
    text = kernel_text(model)
    try:
        kernel_module(text)
    except (SyntaxError, MemoryError, RecursionError):
        # Python's own reader has a limit on nesting, which choices within choices can reach.
        raise ExpressionError(error("ode.equations-too-deep")) from None
    return System(states=states, parameters=parameters, text=text)


def _equation_faults(model: Equations) -> list[Message]:
    faults = []
    if not 1 <= len(model.states) <= _MOST_STATES:
        faults.append(error("ode.state-count", count=len(model.states), limit=_MOST_STATES))
    faults += [error("ode.equation-missing", state=state) for state in model.states if state not in model.equations]
    for given in (model.equations, model.initial, *model.dosing.values()):
        faults += [error("ode.state-unknown", state=state) for state in given if state not in model.states]
    before = {*model.states, *model.parameters, TIME}
    for name, value in model.definitions.items():
        faults += _undefined(value, before)
        before.add(name)
    for value in (*model.equations.values(), model.output):
        faults += _undefined(value, before)
    for given in (model.initial, *model.dosing.values()):
        for value in given.values():
            faults += _undefined(value, {*model.parameters, TIME, *model.constant})
    return faults


def _name_faults(names: Sequence[str]) -> list[Message]:
    faults = [error("ode.name-twice", name=name) for name in dict.fromkeys(names) if names.count(name) > 1]
    reserved = {*FUNCTIONS, "if", "piecewise", TIME}
    for name in names:
        if name in reserved or is_forbidden_name(name) or not (name.isascii() and name.isidentifier()):
            faults.append(error("ode.name-forbidden", name=name))
    return faults


def _constant(known: set[str], definitions: Mapping[str, Expression]) -> frozenset[str]:
    """The definitions that need no state, directly or through others."""
    found: set[str] = set()
    for name, value in definitions.items():
        if value.names <= known | found:
            found.add(name)
    return frozenset(found)


def _undefined(value: Expression, known: Collection[str]) -> list[Message]:
    return [
        error(
            "expression.undefined-name",
            formula=value.printed,
            found=name,
            position=value.printed.index(name) + 1,
            known=", ".join(sorted(known)),
        )
        for name in sorted(value.names - set(known))
    ]


def solve(
    system: System,
    events: Events,
    parameters: ArrayLike,
    lane_patient: ArrayLike | None = None,
    *,
    rtol: float = 1e-8,
    atol: ArrayLike = 1e-10,
    most_steps: int = 1_000_000,
    threads: int | None = None,
) -> Solution:
    """Solve the equations for every lane and return the outputs at its observation records.

    Parameters
    ----------
    system : System
        From `compile_system`.
    events : Events
        Records of all patients; ``compartment`` 1 is the first state. Times in hours, amounts in milligrams.
    parameters : (n_lanes, n_parameters) or (n_lanes, n_periods, n_parameters)
        Values in the order of ``system.parameters``; the periods are what ``Events.before`` and ``Events.at`` point to.
    lane_patient : (n_lanes,) int, optional
        Patient whose records a lane follows; lane i follows patient i when left out.
    rtol, atol : float; float or (n_states,)
        The error of a step, in the root mean square over the states of error / (atol + rtol |y|), is at most 1.
    most_steps : int
        A lane that would need more stops.
    threads : int, optional
        Most threads to use; all cores when left out. The result is the same to the last bit.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        ``ode.parameters-shape``, ``ode.tolerance-impossible``, ``ode.compartment-unknown``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> from sirolens.engine.linear_events import events_from_columns
    >>> power = compile_system(["A"], ["k", "n"], {"A": parse("k*A^n")}, parse("A"))
    >>> events = events_from_columns(time_h=[0.0, 10.0], evid=[1, 0], amount_mg=[100.0, 0.0])
    >>> solve(power, events, [[-0.1, 1.0]]).values.round(6)
    array([36.787944])
    """
    values = np.ascontiguousarray(parameters, dtype=np.float64)
    if values.ndim == 2:
        values = values[:, None, :]
    lanes = np.arange(len(values)) if lane_patient is None else np.ascontiguousarray(lane_patient, np.int64)
    tolerances = np.array(np.broadcast_to(np.asarray(atol, np.float64), (len(system.states),)))
    faults = _solve_faults(system, events, values, lanes, rtol, tolerances)
    if faults:
        raise InputError(*faults)
    offsets = np.concatenate(([0], np.cumsum(events.observations[lanes]))).astype(np.int64)
    out = np.empty(int(offsets[-1]))
    status, steps = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    run_lanes = kernel_module(system.text).run_lanes
    records, room = events.records, events.dose_records

    def job(low: int, high: int) -> None:
        run_lanes(
            records,
            events.start,
            lanes,
            values,
            float(rtol),
            tolerances,
            float(most_steps),
            room,
            offsets,
            low,
            high,
            out,
            status,
            steps,
        )

    over_chunks(len(values), threads, job, worth=4)
    return Solution(values=out, offsets=offsets, status=status, steps=steps)


def _solve_faults(
    system: System, events: Events, values: Array, lanes: Integers, rtol: float, atol: Array
) -> list[Message]:
    width = len(system.parameters)
    fits = values.ndim == 3 and values.shape[2] == width and lanes.shape == values.shape[:1]
    if not fits or values.shape[1] < events.parameter_sets:
        return [error("ode.parameters-shape", shape=str(values.shape), width=width, periods=events.parameter_sets)]
    faults = []
    if lanes.size and not (lanes.min() >= 0 and lanes.max() < events.patients):
        faults.append(error("ode.patient-missing", value=int(lanes.max()), patients=events.patients))
    dose = (events.evid == 1) | (events.evid == 4)
    wrong = dose & ((events.compartment < 1) | (events.compartment > len(system.states)))
    if wrong.any():
        record = int(np.argmax(wrong))
        found = int(events.compartment[record])
        faults.append(error("ode.compartment-unknown", record=record, value=found, states=len(system.states)))
    if not (0.0 < rtol < 1.0 and np.all(np.isfinite(atol) & (atol > 0.0))):
        faults.append(error("ode.tolerance-impossible", rtol=rtol, atol=float(atol.min())))
    return faults


def failures(solution: Solution) -> tuple[Message, ...]:
    """Say why lanes stopped: one warning per reason, with how many and the first of them.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> from sirolens.engine.linear_events import events_from_columns
    >>> power = compile_system(["A"], ["k", "n"], {"A": parse("k*A^n")}, parse("A"))
    >>> events = events_from_columns(time_h=[0.0, 10.0], evid=[1, 0], amount_mg=[1.0, 0.0])
    >>> [str(message) for message in failures(solve(power, events, [[1.0, 2.0], [0.01, 2.0]], [0, 0]))]
    ['ode.not-finite(first_lane=0, lanes=1)']
    """
    found = []
    for status in Status:
        lanes = np.flatnonzero(solution.status == status)
        if status is not Status.DONE and lanes.size:
            found.append(warning(status.code, lanes=int(lanes.size), first_lane=int(lanes[0])))
    return tuple(found)
