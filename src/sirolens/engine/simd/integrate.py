# SPDX-License-Identifier: Apache-2.0
"""Integrates a network for many patients: parameters, inputs and doses in, outputs at given times out.

A patient's numbers depend on that patient's parameters, inputs, doses and output times only: not on the batch, its
order, how it is cut for threads, or the processor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, cast, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.lanes import over_chunks
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.lane_system import LaneSystem
from sirolens.engine.simd.vector import LANES
from sirolens.errors import InputError
from sirolens.message import Message, error, warning

__all__ = ["Doses", "Drive", "LaneStatus", "Lanes", "integrate", "lane_failures"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A lane that looks stiff is given up only if more steps than this would still be needed.
STEPS_WORTH_A_STIFF_METHOD = 5000.0


class LaneStatus(IntEnum):
    """Why a lane came to its end."""

    DONE = 0
    STEP_TOO_SMALL = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE = 3
    LOOKS_STIFF = 4

    @property
    def code(self) -> str:
        """The message that says so.

        >>> LaneStatus.LOOKS_STIFF.code
        'simd.looks-stiff'
        """
        return f"simd.{self.name.lower().replace('_', '-')}"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive:
    """Inputs as smooth functions of time: cubic Hermite interpolation between the nodes of an even grid.

    Parameters
    ----------
    start, step : float
        First node and distance of nodes, in the model's unit of time.
        Steps end on every second node at the latest: an input bends there, and of its fast course within a longer
        step too little would be seen, which no error estimate notices (measured in validation/ode).
    values : ndarray (n_inputs, G, N)
        Inputs at the nodes, in the order of ``network.inputs``. Any order in memory; fastest where one patient's
        values lie together, as in ``array_of_shape_N_G_n.T``.
    slopes : ndarray (n_inputs, G, N)
        Their derivatives there, per unit of time; laid out as `values`.
    """

    start: float
    step: float
    values: Array
    slopes: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doses:
    """Amounts added to states at given times.

    Parameters
    ----------
    offsets : ndarray of int (N + 1,)
        Lane i owns the doses ``offsets[i] <= j < offsets[i + 1]``.
    times : ndarray
        When, ascending within a lane.
    state : ndarray of int
        Into which state, as its place in ``network.states``.
    amount : ndarray
        What is added to the state.
    """

    offsets: Integers
    times: Array
    state: Integers
    amount: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lanes:
    """What was observed in every lane, and how each came to its end.

    Parameters
    ----------
    values : ndarray (n_outputs, K, N)
        Outputs at the times; not-a-number from where a lane has failed.
    final : ndarray (n_states, N)
        States at the last time, after doses at that time; not-a-number where a lane has failed.
    status : ndarray of int (N,)
        A `LaneStatus` each.
    steps : ndarray of int (N,)
        Steps tried.
    """

    values: Array
    final: Array
    status: Integers
    steps: Integers

    @property
    def success(self) -> NDArray[np.bool_]:
        """Which lanes reached the last time."""
        return cast("NDArray[np.bool_]", self.status == LaneStatus.DONE)


class _DoseArrays(NamedTuple):
    times: Array
    state: Integers
    amount: Array


class _Job(NamedTuple):
    """What the kernel reads."""

    lanes: Integers
    parameters: Array
    initial: Array
    times: Array
    start: float
    offsets: Integers
    doses: _DoseArrays
    nodes: Array
    slopes: Array
    grid: Array
    lane_apart: float
    rtol: float
    atol: Array
    most_steps: float
    most_step: float
    steps_worth: float


class _Result(NamedTuple):
    """What the kernel writes."""

    values: Array
    final: Array
    status: Integers
    steps: Integers


def integrate(
    system: LaneSystem,
    parameters: ArrayLike,
    times: ArrayLike,
    *,
    initial: ArrayLike | None = None,
    drive: Drive | None = None,
    doses: Doses | None = None,
    rtol: float = 1e-6,
    atol: ArrayLike = 1e-9,
    threads: int | None = None,
    start: float = 0.0,
    most_steps: int = 1_000_000,
    most_step: float | None = None,
) -> Lanes:
    """Integrate every patient from `start` to the last of `times`.

    A dose at a time of `times` shows in the output of that time. Doses before `start` are taken as given already; one
    at `start` or at the last time is given, so whoever goes on from `Lanes.final` leaves out what stands at the seam.

    Parameters
    ----------
    system : LaneSystem
        From `compile_lanes`.
    parameters : array_like (n_parameters, N)
        In the order of ``network.parameters``.
    times : array_like (K,)
        Output times, ascending, the same for all patients.
    initial : array_like (n_states, N), optional
        States at `start`; without it the network's own.
    drive : Drive, optional
        Needed when the network has inputs; must reach from `start` to the last time.
    doses : Doses, optional
        Exact stops; a step never crosses a dose.
    rtol, atol : float; float or (n_states,)
        In every step the error of every state is at most atol + rtol |y|.
    threads : int, optional
        Most threads; all cores when left out. The result is the same to the last bit.
    start : float
        Where integration begins.
    most_steps : int
        A lane that would need more stops.
    most_step : float, optional
        Longest step. Where there are inputs, steps end on every second node of their grid anyway.

    Returns
    -------
    Lanes

    Raises
    ------
    InputError
        With every fault, ``simd.parameters-shape``, ``simd.initial-shape``, ``simd.times-not-ascending``,
        ``simd.drive-missing``, ``simd.drive-shape``, ``simd.drive-too-short``, ``simd.doses-shape``,
        ``simd.doses-not-ascending``, ``simd.doses-state-unknown``, ``simd.doses-not-finite``,
        ``simd.tolerance-impossible``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> from sirolens.engine.network import Network
    >>> from sirolens.engine.simd.lane_system import compile_lanes
    >>> decay = Network(
    ...     name="decay", states=("A", "B"), parameters=("k",), values={"k": 0.5},
    ...     initial={"A": parse("8"), "B": parse("0")}, rates={"A": parse("-k * A"), "B": parse("k * A")},
    ... )
    >>> lanes = integrate(compile_lanes(decay, outputs=["A", "B"]), [[0.5, 1.0]], [0.0, 2.0])
    >>> lanes.values[0].round(4)
    array([[8.    , 8.    ],
           [2.943 , 1.0827]])
    """
    network = system.network
    p = np.asarray(parameters, dtype=np.float64)
    at = np.ascontiguousarray(times, dtype=np.float64)
    tolerances = np.array(np.broadcast_to(np.asarray(atol, dtype=np.float64), (len(network.states),)))
    faults = _shape_faults(system, p, at, initial, float(start), rtol, tolerances)
    if faults:
        raise InputError(*faults)
    lanes = p.shape[1]
    faults = [*_drive_faults(system, drive, lanes, float(start), at), *_dose_faults(system, doses, lanes)]
    if faults:
        raise InputError(*faults)
    begun = np.empty((0, 0)) if initial is None else np.asarray(initial, dtype=np.float64)
    nodes, slopes, grid, lane_apart = _flat(drive)
    job = _Job(
        lanes=np.arange(lanes),
        parameters=_to_read(p),
        initial=_to_read(begun),
        times=_to_read(at),
        start=float(start),
        offsets=_to_read(np.zeros(lanes + 1) if doses is None else doses.offsets, np.int64),
        doses=_dose_arrays(doses),
        nodes=nodes,
        slopes=slopes,
        grid=grid,
        lane_apart=lane_apart,
        rtol=float(rtol),
        atol=tolerances,
        most_steps=float(most_steps),
        most_step=math.inf if most_step is None else float(most_step),
        steps_worth=STEPS_WORTH_A_STIFF_METHOD,
    )
    result = _Result(
        values=np.full((len(system.outputs), at.size, lanes), np.nan),
        final=np.full((len(network.states), lanes), np.nan),
        status=np.zeros(lanes, np.int64),
        steps=np.zeros(lanes, np.int64),
    )
    _run(system.text, job, result, threads)
    unusual = np.flatnonzero(result.status == LaneStatus.NOT_FINITE)
    # With a parameter that is no number there is no other way to compute it.
    unusual = unusual[~np.isnan(p[:, unusual]).any(axis=0)]
    if unusual.size:
        _run(system.plain_text(), job._replace(lanes=unusual), result, threads)
    return Lanes(values=result.values, final=result.final, status=result.status, steps=result.steps)


def _run(text: str, job: _Job, result: _Result, threads: int | None) -> None:
    module = kernel_module(text)
    count = len(job.lanes)

    def chunk(low: int, high: int) -> None:
        module.run_lanes(low * LANES, min(high * LANES, count), job, result, _aligned(int(module.ROWS)))

    over_chunks(-(-count // LANES), threads, chunk)


def _aligned(rows: int) -> Array:
    """A table of rows of eight, each in one line of the cache."""
    line = 8 * LANES
    memory = np.zeros(rows * LANES + LANES)
    skip = -memory.ctypes.data % line // 8
    return memory[skip : skip + rows * LANES].reshape(rows, LANES)


def _dose_arrays(doses: Doses | None) -> _DoseArrays:
    times, state, amount = ((),) * 3 if doses is None else (doses.times, doses.state, doses.amount)
    return _DoseArrays(_to_read(times), _to_read(state, np.int64), _to_read(amount))


def _to_read(values: ArrayLike, kind: type[np.generic] = np.float64) -> Any:
    """The values in one piece and read-only, without a copy where they are in one piece already.

    Callers' arrays are read-only or not as it comes, which to the compiler are two types: it would compile all twice.
    """
    view = np.ascontiguousarray(values, kind).view()
    view.flags.writeable = False
    return view


def _flat(drive: Drive | None) -> tuple[Array, Array, Array, float]:
    """Nodes and slopes as plain arrays, the grid, and how far apart lanes lie."""
    if drive is None:
        return np.zeros(1), np.zeros(1), np.zeros(5), 0.0
    values, slopes = np.asarray(drive.values, np.float64), np.asarray(drive.slopes, np.float64)
    dense = values.strides == slopes.strides and _is_packed(values)
    if not dense:  # one patient's values together
        values, slopes = (np.ascontiguousarray(array.T).T for array in (values, slopes))
    input_apart, node_apart, lane_apart = (stride / 8 for stride in values.strides)
    grid = np.array([drive.start, drive.step, values.shape[1] - 2.0, node_apart, input_apart])
    return _in_memory_order(values), _in_memory_order(slopes), grid, lane_apart


def _is_packed(array: Array) -> bool:
    order = np.argsort(array.strides)[::-1]
    return bool(array.transpose(*order).flags.c_contiguous)


def _in_memory_order(array: Array) -> Array:
    order = np.argsort(array.strides)[::-1]
    return array.transpose(*order).reshape(-1)


def _shape_faults(
    system: LaneSystem, p: Array, times: Array, initial: ArrayLike | None, start: float, rtol: float, atol: Array
) -> list[Message]:
    network, faults = system.network, []
    if p.ndim != 2 or p.shape[0] != len(network.parameters):
        faults.append(error("simd.parameters-shape", shape=str(p.shape), rows=len(network.parameters)))
    elif initial is not None and np.shape(initial) != (len(network.states), p.shape[1]):
        expected = str((len(network.states), p.shape[1]))
        faults.append(error("simd.initial-shape", shape=str(np.shape(initial)), expected=expected))
    ascending = (
        times.ndim == 1 and times.size > 0 and bool(np.all(np.isfinite(times)) and np.all(np.diff(times) >= 0.0))
    )
    if not (ascending and math.isfinite(start) and start <= times[0]):
        faults.append(error("simd.times-not-ascending", start=start))
    if not (0.0 < rtol < 1.0 and np.all(np.isfinite(atol) & (atol > 0.0))):
        faults.append(error("simd.tolerance-impossible", rtol=rtol, atol=float(atol.min())))
    return faults


def _drive_faults(system: LaneSystem, drive: Drive | None, lanes: int, start: float, times: Array) -> list[Message]:
    inputs = system.network.inputs
    if drive is None:
        return [error("simd.drive-missing", names=", ".join(inputs))] if inputs else []
    shape = np.shape(drive.values)
    if len(shape) != 3 or shape != np.shape(drive.slopes) or shape[::2] != (len(inputs), lanes) or shape[1] < 2:
        expected = f"({len(inputs)}, nodes, {lanes})"
        return [error("simd.drive-shape", shape=str(shape), expected=expected)]
    last = drive.start + (shape[1] - 1) * drive.step
    slack = 1e-9 * drive.step
    if not (drive.step > 0.0 and drive.start <= start + slack and last + slack >= times[-1]):
        return [error("simd.drive-too-short", first=drive.start, last=last, start=start, end=float(times[-1]))]
    return []


def _dose_faults(system: LaneSystem, doses: Doses | None, lanes: int) -> list[Message]:
    if doses is None:
        return []
    offsets, at = np.asarray(doses.offsets), np.asarray(doses.times, np.float64)
    state, amount = np.asarray(doses.state), np.asarray(doses.amount, np.float64)
    fits = offsets.shape == (lanes + 1,) and offsets[0] == 0 and bool(np.all(np.diff(offsets) >= 0))
    if not (fits and at.shape == state.shape == amount.shape == (int(offsets[-1]),)):
        return [error("simd.doses-shape", patients=lanes)]
    faults, states = [], len(system.network.states)
    falls = np.flatnonzero(np.diff(at) < 0.0) + 1
    if (within := falls[~np.isin(falls, offsets)]).size:
        faults.append(error("simd.doses-not-ascending", dose=int(within[0])))
    if (unknown := state[(state < 0) | (state >= states)]).size:
        faults.append(error("simd.doses-state-unknown", state=int(unknown[0]), states=states))
    if (wrong := np.flatnonzero(~(np.isfinite(at) & np.isfinite(amount)))).size:
        faults.append(error("simd.doses-not-finite", dose=int(wrong[0])))
    return faults


def lane_failures(lanes: Lanes) -> tuple[Message, ...]:
    """Say why lanes stopped: one warning per reason, with how many and the first of them.

    Examples
    --------
    >>> nothing = np.empty((1, 0, 2))
    >>> lanes = Lanes(values=nothing, final=np.empty((1, 2)), status=np.array([0, 3]), steps=np.array([9, 9]))
    >>> [str(message) for message in lane_failures(lanes)]
    ['simd.not-finite(first_lane=1, lanes=1)']
    """
    found = []
    for status in LaneStatus:
        failed = np.flatnonzero(lanes.status == status)
        if status is not LaneStatus.DONE and failed.size:
            found.append(warning(status.code, lanes=int(failed.size), first_lane=int(failed[0])))
    return tuple(found)
