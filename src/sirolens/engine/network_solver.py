# SPDX-License-Identifier: Apache-2.0
"""Solves any network: explicit or stiff, with doses, driven inputs and events, one patient at a time.

dX/dt = rates(t, X, inputs, parameters) is integrated by Tsitouras' explicit pair of order 5(4) or, where it is stiff,
by the Rosenbrock method Rodas5P of order 5(4) with the network's exact Jacobian; both have dense output of order 4.
Steps end exactly at doses and at what events and time itself switch. A lane's numbers depend on nothing but its own
parameters, doses and inputs: not on the batch, its order, or the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import Call, evaluate
from sirolens.engine.expression_tree import nodes
from sirolens.engine.lanes import over_chunks
from sirolens.engine.network import Network, initial_state
from sirolens.engine.network_code import comparisons, derivative_text, main_text
from sirolens.engine.network_kernel_lane import run_lane
from sirolens.engine.network_kernel_room import (
    ATOL,
    CLOCK,
    CURVED,
    DONE,
    END,
    ENDLESS_EVENTS,
    EVENTS,
    FUNCTIONS,
    GRID_START,
    GRID_STEP,
    IMPOSSIBLE_DELAY,
    INPUTS,
    LEFT,
    LONGEST,
    NOT_FINITE,
    ROWS,
    RTOL,
    SIZES,
    STATES,
    STEP_TOO_SMALL,
    STIFF,
    STIFF_METHOD,
    STIFF_STOP,
    TOO_MANY_STEPS,
    Room,
)
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.graph import SUPPORTED
from sirolens.engine.simd.integrate import Doses, Drive, Lanes, integrate
from sirolens.engine.simd.lane_system import compile_lanes
from sirolens.errors import ExpressionError, InputError
from sirolens.message import Message, error, warning

__all__ = ["SolverStatus", "solve_network", "solver_failures"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Steps ruled by stability after which an explicit lane is handed to the stiff method. A stiff step costs some tens of
#: explicit ones, so that fewer would not pay.
STIFF_STEPS = 1000
#: Events that can wait for their delay in one lane.
_WAITING_ROOM = 512
#: With triggers that are not known ahead, no step is longer than the run divided by this.
_SHORTEST_RUN = 100.0
#: A step spans at most so many cells of the inputs' grid, so that no course of an input is passed over.
_MOST_CELLS = 8.0
_METHODS = ("auto", "scalar", "explicit", "stiff")


class SolverStatus(IntEnum):
    """Why a lane came to its end."""

    DONE = DONE
    STEP_TOO_SMALL = STEP_TOO_SMALL
    TOO_MANY_STEPS = TOO_MANY_STEPS
    NOT_FINITE = NOT_FINITE
    LOOKS_STIFF = STIFF
    ENDLESS_EVENTS = ENDLESS_EVENTS
    IMPOSSIBLE_DELAY = IMPOSSIBLE_DELAY

    @property
    def code(self) -> str:
        """The message that says so.

        >>> SolverStatus.ENDLESS_EVENTS.code
        'ode.endless-events'
        """
        return f"ode.{self.name.lower().replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class _Same:
    """A network by identity: its mappings cannot be hashed."""

    network: Network

    def __hash__(self) -> int:
        return id(self.network)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.network is self.network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Program:
    """A network's own functions, compiled, and the tables of its events."""

    modules: tuple[ModuleType, ...]  # addresses are good as long as these live
    code: Integers
    ahead: int
    found: int
    curved: bool
    flags: Integers
    targets: Integers


def _names(network: Network, outputs: Sequence[str]) -> tuple[str, ...]:
    own = {shown: name for name, shown in network.labels.items()}
    known = {*network.states, *network.parameters, *network.inputs, *network.constants, *network.definitions}
    names = tuple(own.get(name, name) for name in outputs)
    unknown = [error("network.unknown-output", name=name) for name in names if name not in known]
    if unknown:
        raise InputError(*unknown)
    return names


@lru_cache(maxsize=64)
def _program(same: _Same, outputs: tuple[str, ...], stiff: bool) -> _Program:
    network = same.network
    try:
        modules = [kernel_module(main_text(network, outputs))]
        if stiff:
            modules.append(kernel_module(derivative_text(network)))
    except (SyntaxError, MemoryError, RecursionError):
        # Python's own reader has a limit on nesting, which choices within choices can reach.
        raise ExpressionError(error("ode.equations-too-deep")) from None
    names = ("rates", "outputs", "ahead", "found", "triggers", "effects", "jacobian", "slope")
    assert len(names) == FUNCTIONS
    code = np.zeros(FUNCTIONS, np.int64)
    for place, name in enumerate(names):
        for module in modules:
            if hasattr(module, name):
                code[place] = getattr(module, name).address
    watched = comparisons(network)
    events = network.events
    flags = np.zeros((4, len(events) + 1), np.int64)
    for i, event in enumerate(events):
        flags[:3, i] = event.initially_true, event.persistent, event.from_trigger_values
        flags[3, i + 1] = flags[3, i] + len(event.assignments)
    places = {state: i for i, state in enumerate(network.states)}
    targets = [places[target] for event in events for target in event.assignments]
    return _Program(
        modules=tuple(modules),
        code=code,
        ahead=sum(item.ahead for item in watched),
        found=sum(not item.ahead for item in watched),
        curved=any(item.ahead and not item.straight for item in watched),
        flags=flags,
        targets=np.array(targets, np.int64),
    )


def _room(program: _Program, network: Network, drive: Drive | None, *, stiff: bool, constants: int) -> Room:
    states, inputs, events = len(network.states), len(network.inputs), len(network.events)
    size = np.zeros(SIZES, np.int64)
    size[[STATES, INPUTS, EVENTS, STIFF_METHOD, CURVED]] = states, inputs, events, stiff, program.curved
    nodes = drive.values.shape[1] if drive is not None else 0
    order = states if stiff else 0
    most = int(np.diff(program.flags[3]).max(initial=0))
    return Room(
        code=program.code,
        size=size,
        clock=np.zeros(CLOCK),
        work=np.zeros((ROWS, states)),
        q=np.zeros(len(network.parameters) + constants),
        u=np.zeros(2 * inputs),
        nodes=np.zeros((2, inputs, nodes)),
        matrix=np.zeros((2, order, order)),
        pivot=np.zeros(order, np.int64),
        ahead=np.zeros((4, 2 * program.ahead)),
        found=np.zeros((4, 2 * program.found)),
        flags=program.flags,
        targets=program.targets,
        truth=np.zeros((2, events)),
        effects=np.zeros(2 * events + len(program.targets)),
        queue=np.zeros((_WAITING_ROOM if events else 0, 3 + most)),
        tally=np.zeros(2, np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """What is to be run, checked and in the layout of the kernels; lanes last."""

    network: Network
    outputs: tuple[str, ...]
    fixed: Array  # (parameters and constants, N)
    begin: Array  # (n_states, N)
    times: Array
    start: float
    drive: Drive | None
    doses: Doses
    rtol: float
    atol: Array
    most_steps: int
    threads: int | None


def _run(task: _Task, lanes: Integers, into: Lanes, *, stiff: bool, hand_over: bool) -> None:
    """Run some lanes by one method, and put what comes out into its place."""
    network, times = task.network, task.times
    program = _program(_Same(network), task.outputs, stiff)
    span = float(times[-1]) - task.start if times.size else 0.0
    longest = span / _SHORTEST_RUN if (program.found or program.curved) and span > 0.0 else np.inf
    if task.drive is not None:
        longest = min(longest, _MOST_CELLS * task.drive.step)

    def job(low: int, high: int) -> None:
        room = _room(program, network, task.drive, stiff=stiff, constants=len(network.constants))
        out, told = np.empty((len(task.outputs), times.size)), np.empty(len(task.outputs))
        clock: Any = room.clock
        clock[RTOL], clock[LONGEST] = task.rtol, longest
        clock[STIFF_STOP] = float(STIFF_STEPS) if hand_over else 0.0
        if task.drive is not None:
            clock[GRID_START], clock[GRID_STEP] = task.drive.start, task.drive.step
        room.work[ATOL] = task.atol
        for lane in lanes[low:high]:
            room.q[:] = task.fixed[:, lane]
            room.work[END] = task.begin[:, lane]
            if task.drive is not None:
                room.nodes[0], room.nodes[1] = task.drive.values[:, :, lane], task.drive.slopes[:, :, lane]
            own = slice(task.doses.offsets[lane], task.doses.offsets[lane + 1])
            gone = int(np.searchsorted(task.doses.times[own], task.start))
            own = slice(own.start + gone, own.stop)
            into.status[lane] = run_lane(
                room,
                task.start,
                times,
                task.doses.times[own],
                task.doses.state[own],
                task.doses.amount[own],
                float(task.most_steps),
                told,
                out,
            )
            into.values[:, :, lane] = out
            into.final[:, lane] = room.work[END] if into.status[lane] == DONE else np.nan
            into.steps[lane] = task.most_steps - int(max(clock[LEFT], 0.0))

    over_chunks(len(lanes), task.threads, job, worth=4)


def solve_network(
    network: Network,
    parameters: ArrayLike,
    times: ArrayLike,
    *,
    outputs: Sequence[str],
    drive: Drive | None = None,
    doses: Doses | None = None,
    method: str = "auto",
    rtol: float = 1e-6,
    atol: ArrayLike = 1e-9,
    threads: int | None = None,
    initial: ArrayLike | None = None,
    start: float = 0.0,
    most_steps: int = 1_000_000,
) -> Lanes:
    """Solve a network for every column of its parameters.

    Parameters
    ----------
    network : Network
        The model.
    parameters : (n_parameters, N)
        In the order of ``network.parameters``.
    times : (n_times,)
        When outputs are wanted, in the model's unit of time, increasing, none before `start`. At one time doses come
        first, then events, then the outputs.
    outputs : sequence of str
        States, definitions or whatever else the model names.
    drive : Drive, optional
        The inputs; required where the network has any. They may bend at the nodes of the grid: steps do not stop
        there, because for a smooth input sampled at distance s the bend is of size s^2, within the order of a step
        of about s.
    doses : Doses, optional
        What is added to states; steps end exactly there. Those before `start` are taken as given already.
    method : {"auto", "scalar", "explicit", "stiff"}
        ``explicit`` and ``stiff`` use that method alone. ``scalar`` begins explicitly, one patient at a time, and
        redoes whole by the stiff method every lane that is stiff, out of steps or left with too small a step.
        ``auto`` does the same, and begins with `sirolens.engine.simd`, many patients at a time, where the network
        allows: no events, no rate that time itself switches, no function that lanes lack. Which one it is depends on
        the network alone, so that a lane's bits do not depend on the others.
    rtol, atol : float; float or (n_states,)
        In every step the error of every state is at most atol + rtol |y|.
    threads : int, optional
        Most threads to use; all cores when left out. The result is the same to the last bit.
    initial : (n_states, N), optional
        States at `start`, in place of the network's own.
    start : float
        When lanes begin. Events know nothing of what was before.
    most_steps : int
        A lane that would need more stops.

    Returns
    -------
    Lanes
        A lane that could not be solved is flagged (`SolverStatus`) and not-a-number from its end on.

    Raises
    ------
    InputError
        ``network.unknown-output``, ``network.wrong-shape``, ``ode.times-disordered``, ``ode.drive-missing``,
        ``ode.drive-too-short``, ``ode.doses-disordered``, ``ode.method-unknown``, ``ode.tolerance-impossible``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> decay = Network(name="decay", states=("A", "B"), parameters=("k",), values={"k": 0.5},
    ...                 initial={"A": parse("8"), "B": parse("0")},
    ...                 rates={"A": parse("-k * A"), "B": parse("k * A")})
    >>> solve_network(decay, [[0.5, 1.0]], [0.0, 2.0], outputs=["A", "B"]).values.round(5)
    array([[[8.     , 8.     ],
            [2.94304, 1.08268]],
    <BLANKLINE>
           [[0.     , 0.     ],
            [5.05696, 6.91732]]])
    """
    task = _checked(
        network, parameters, times, outputs, drive, doses, method, rtol, atol, threads, initial, start, most_steps
    )
    count = task.fixed.shape[1]
    if method == "auto" and _fits_lanes(network, task.outputs):
        lanes = integrate(
            compile_lanes(network, outputs=task.outputs),
            task.fixed[: len(network.parameters)],
            task.times,
            initial=task.begin,
            drive=drive,
            doses=doses,
            rtol=task.rtol,
            atol=task.atol,
            threads=threads,
            start=task.start,
            most_steps=most_steps,
        )
        _again(task, lanes)
        return lanes
    lanes = Lanes(
        values=np.empty((len(task.outputs), task.times.size, count)),
        final=np.empty((len(network.states), count)),
        status=np.zeros(count, np.int64),
        steps=np.zeros(count, np.int64),
    )
    hand_over = method in ("auto", "scalar")
    _run(task, np.arange(count), lanes, stiff=method == "stiff", hand_over=hand_over)
    if hand_over:
        _again(task, lanes)
    return lanes


def _again(task: _Task, lanes: Lanes) -> None:
    """Redo by the stiff method what the explicit one could not do well."""
    again = np.flatnonzero(np.isin(lanes.status, (STIFF, TOO_MANY_STEPS, STEP_TOO_SMALL)))
    if again.size:
        _run(task, again, lanes, stiff=True, hand_over=False)


def _fits_lanes(network: Network, outputs: tuple[str, ...]) -> bool:
    """Whether the engine of many patients at a time can run it."""
    if network.events or not network.states or not outputs or comparisons(network):
        return False
    formulas = [*network.constants.values(), *network.definitions.values(), *network.rates.values()]
    formulas += network.initial.values()
    called = {node.function for formula in formulas for node in nodes(formula.root) if isinstance(node, Call)}
    return called <= SUPPORTED


def _fixed(network: Network, parameters: Array) -> Array:
    """Parameters and, below them, the constants computed from them."""
    known: dict[str, ArrayLike] = dict(zip(network.parameters, parameters, strict=True))
    for name, formula in network.constants.items():
        known[name] = np.broadcast_to(evaluate(formula, known), parameters.shape[1:])
    rows = [known[name] for name in (*network.parameters, *network.constants)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), parameters.shape[1])


def _no_doses(count: int) -> Doses:
    nothing, none = np.empty(0), np.empty(0, np.int64)
    return Doses(offsets=np.zeros(count + 1, np.int64), times=nothing, state=none, amount=nothing)


def _checked(
    network: Network,
    parameters: ArrayLike,
    times: ArrayLike,
    outputs: Sequence[str],
    drive: Drive | None,
    doses: Doses | None,
    method: str,
    rtol: float,
    atol: ArrayLike,
    threads: int | None,
    initial: ArrayLike | None,
    start: float,
    most_steps: int,
) -> _Task:
    values = np.asarray(parameters, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != len(network.parameters):
        raise InputError(error("network.wrong-shape", found=str(values.shape), rows=len(network.parameters)))
    count = values.shape[1]
    begin = initial_state(network, values) if initial is None else np.asarray(initial, dtype=np.float64)
    if begin.shape != (len(network.states), count):
        raise InputError(error("network.wrong-shape", found=str(begin.shape), rows=len(network.states)))
    grid = np.ascontiguousarray(times, dtype=np.float64)
    tolerances = np.array(np.broadcast_to(np.asarray(atol, np.float64), (len(network.states),)))
    given = doses if doses is not None else _no_doses(count)
    faults = [
        *_time_faults(grid, float(start)),
        *_drive_faults(network, drive, grid, float(start), count),
        *_dose_faults(given, count, len(network.states)),
    ]
    if method not in _METHODS:
        faults.append(error("ode.method-unknown", found=method, known=", ".join(_METHODS)))
    if not (0.0 < rtol < 1.0 and np.all(np.isfinite(tolerances) & (tolerances > 0.0))):
        faults.append(error("ode.tolerance-impossible", rtol=rtol, atol=float(tolerances.min(initial=np.inf))))
    if faults:
        raise InputError(*faults)
    return _Task(
        network=network,
        outputs=_names(network, outputs),
        fixed=_fixed(network, values),
        begin=begin,
        times=grid,
        start=float(start),
        drive=drive,
        doses=given,
        rtol=float(rtol),
        atol=tolerances,
        most_steps=most_steps,
        threads=threads,
    )


def _time_faults(times: Array, start: float) -> list[Message]:
    ordered = times.ndim == 1 and np.all(np.isfinite(times)) and np.all(np.diff(times) >= 0.0)
    if ordered and (times.size == 0 or times[0] >= start):
        return []
    return [error("ode.times-disordered", start=start)]


def _drive_faults(network: Network, drive: Drive | None, times: Array, start: float, count: int) -> list[Message]:
    inputs = len(network.inputs)
    if drive is None:
        return [error("ode.drive-missing", names=", ".join(network.inputs))] if inputs else []
    shape = drive.values.shape
    if shape != drive.slopes.shape or len(shape) != 3 or shape[0] != inputs or shape[1] < 2 or shape[2] != count:
        return [error("network.wrong-shape", found=str(shape), rows=inputs)]
    end = drive.start + (shape[1] - 1) * drive.step
    last = float(times[-1]) if times.size else start
    # The last node may miss the last time by the rounding of its product.
    if not drive.step > 0.0 or drive.start > start or end < last - 1e-9 * drive.step:
        return [error("ode.drive-too-short", begin=drive.start, end=end, start=start, last=last)]
    return []


def _dose_faults(doses: Doses, count: int, states: int) -> list[Message]:
    records = doses.times.size
    fits = doses.offsets.shape == (count + 1,) and doses.state.shape == doses.amount.shape == (records,)
    if not fits or doses.offsets[0] != 0 or doses.offsets[-1] != records:
        return [error("network.wrong-shape", found=str(doses.offsets.shape), rows=count + 1)]
    rising = np.diff(doses.times) >= 0.0
    borders = doses.offsets[(doses.offsets > 0) & (doses.offsets < records)]
    rising[borders - 1] = True  # from one lane to the next
    if records and not (rising.all() and np.all(np.isfinite(doses.times)) and np.all(np.isfinite(doses.amount))):
        return [error("ode.doses-disordered")]
    if records and not (doses.state.min() >= 0 and doses.state.max() < states):
        return [error("ode.dose-state-unknown", found=int(doses.state.max()), states=states)]
    return []


def solver_failures(lanes: Lanes) -> tuple[Message, ...]:
    """Say why lanes stopped: one warning per reason, with how many and the first of them.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> explosion = Network(name="", states=("A",), parameters=("k",), values={"k": 1.0},
    ...                     initial={"A": parse("1")}, rates={"A": parse("k * A^2")})
    >>> lanes = solve_network(explosion, [[0.1, 2.0]], [1.0], outputs=["A"], method="explicit")
    >>> [str(message) for message in solver_failures(lanes)]
    ['ode.step-too-small(first_lane=1, lanes=1)']
    """
    found = []
    for status in SolverStatus:
        stopped = np.flatnonzero(lanes.status == status)
        if status is not SolverStatus.DONE and stopped.size:
            found.append(warning(status.code, lanes=int(stopped.size), first_lane=int(stopped[0])))
    return tuple(found)
