# SPDX-License-Identifier: Apache-2.0
"""What the kernels of the general solver share: their working arrays, calls of a network's own functions, inputs.

A network's functions are called by their address (see `network_code`), so that the integrator is compiled once, for
every network, and kept; a kernel that took functions as arguments could never be kept.
"""

from __future__ import annotations

import importlib
import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = [
    "AHEAD",
    "ATOL",
    "BEGIN",
    "CHANGED",
    "CLOCK",
    "CURVED",
    "DONE",
    "EFFECTS",
    "END",
    "ENDLESS_EVENTS",
    "ERROR",
    "EVENTS",
    "FIRST",
    "FOUND",
    "FRESH",
    "FUNCTIONS",
    "GRID_START",
    "GRID_STEP",
    "HIGH",
    "IMPOSSIBLE_DELAY",
    "INPUTS",
    "INSIDE",
    "JACOBIAN",
    "LEFT",
    "LENGTH",
    "LONGEST",
    "LOW",
    "NEXT",
    "NOT_FINITE",
    "NOW",
    "OUTPUTS",
    "RATES",
    "ROWS",
    "RTOL",
    "SIZES",
    "SLOPE",
    "STATES",
    "STEP_TOO_SMALL",
    "STIFF",
    "STIFF_METHOD",
    "STIFF_STEPS",
    "STIFF_STOP",
    "T0",
    "T1",
    "TEST",
    "TOO_MANY_STEPS",
    "TRIAL",
    "TRIGGERS",
    "TRY",
    "K",
    "Room",
    "ask",
    "first_step",
    "inner_kernel",
    "restart",
    "set_inputs",
    "slopes",
]

Array = NDArray[np.float64]

_IR: Any = importlib.import_module("llvmlite.ir")  # has no types
_UNWRAPPED: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
#: Decorates a kernel that only kernels call: without wrappers for Python, which take longer to compile than most.
inner_kernel = njit(cache=True, nogil=True, error_model="numpy", **_UNWRAPPED)

# Why a lane stopped.
DONE, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE, STIFF, ENDLESS_EVENTS, IMPOSSIBLE_DELAY = range(7)

# Positions among the addresses of a network's own functions; 0 stands for a function it has no need of.
RATES, OUTPUTS, AHEAD, FOUND, TRIGGERS, EFFECTS, JACOBIAN, SLOPE, FUNCTIONS = range(9)

# Positions in the clock: begin and end of the last step (the end lies earlier than begin + LENGTH where an event cut
# it short), its length, the step proposed next, the first step accepted after the last restart, error of the last
# step, steps left, what is to be computed afresh, tolerance, longest step, grid of the inputs, steps at the border
# of stability, how many of them stop the lane (0: none), steps in a row that were not there, and whether something
# changed at the end of the last step.
(
    T0,
    T1,
    LENGTH,
    NEXT,
    FIRST,
    ERROR,
    LEFT,
    FRESH,
    RTOL,
    LONGEST,
    GRID_START,
    GRID_STEP,
    STIFF_STEPS,
    STIFF_STOP,
    INSIDE,
    CHANGED,
    CLOCK,
) = range(17)

# Rows of the work array: states at the end and the beginning of the last step, trial state, the argument of a stage,
# absolute tolerances, then up to eight stages and two rows of the stiff method.
END, BEGIN, TRIAL, TEST, ATOL, K, ROWS = 0, 1, 2, 3, 4, 5, 15

# Positions in the sizes: numbers of states, inputs and events, whether the method is the stiff one, and whether a
# comparison known ahead is no straight line in time.
STATES, INPUTS, EVENTS, STIFF_METHOD, CURVED, SIZES = range(6)

# Rows of the watched comparisons: now, at the lower and upper end of a search, and at the time tried.
NOW, LOW, HIGH, TRY = range(4)


class Room(NamedTuple):
    """The working arrays of one lane; see the constants above for what stands where."""

    code: Any  # (FUNCTIONS,) addresses
    size: Any  # (SIZES,)
    clock: Any  # (CLOCK,)
    work: Any  # (ROWS, n_states)
    q: Any  # (n_parameters + n_constants,)
    u: Any  # (2 n_inputs,): values, then slopes
    nodes: Any  # (2, n_inputs, n_nodes): values and slopes on the grid
    matrix: Any  # (2, n_states, n_states): Jacobian, and the factors of the matrix of the stages
    pivot: Any  # (n_states,)
    ahead: Any  # (4, 2 x n_comparisons known ahead)
    found: Any  # (4, 2 x n_comparisons to be found)
    flags: Any  # (4, n_events): initially true, persistent, values from the trigger, first assignment
    targets: Any  # (n_assignments,) states
    truth: Any  # (2, n_events): of the triggers, now and newly computed
    effects: Any  # (2 n_events + n_assignments,): delays, priorities, values
    queue: Any  # (room, 3 + most assignments of one event): due time, event, order, values
    tally: Any  # (2,): how many wait, how many fired


def _by_address(context: Any, address: Any, t: Any, y: Any, q: Any, u: Any, out: Any) -> Any:
    """Call the function at an address with a time and the data of four arrays."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = _IR.DoubleType()
        arrays = [
            target.make_array(kind)(target, builder, value).data
            for kind, value in zip(signature.args[2:], arguments[2:], strict=True)
        ]
        kind = _IR.FunctionType(_IR.VoidType(), [double] + [double.as_pointer()] * len(arrays))
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1], *arrays])
        return target.get_dummy_value()

    return types.void(types.int64, types.float64, y, q, u, out), generate


_call: Any = intrinsic(_by_address)


@inner_kernel
def set_inputs(room: Room, t: float) -> None:
    """Set the inputs and their slopes at a time: cubic Hermite polynomials between the nodes of the grid."""
    count = room.size[INPUTS]
    if count == 0:
        return
    step = room.clock[GRID_STEP]
    place = (t - room.clock[GRID_START]) / step
    j = min(max(math.floor(place), 0), room.nodes.shape[2] - 2)
    x = place - j
    rest = 1.0 - x
    for k in range(count):
        low, high = room.nodes[0, k, j], room.nodes[0, k, j + 1]
        low_slope, high_slope = step * room.nodes[1, k, j], step * room.nodes[1, k, j + 1]
        rise = high - low
        # low (1 + 2x)(1-x)^2 + high x^2 (3 - 2x), written so that a constant stays constant to the last bit
        value = low + rise * (x * x * (3.0 - 2.0 * x)) + rest * x * (rest * low_slope - x * high_slope)
        slope = rise * (6.0 * x * rest) + rest * (1.0 - 3.0 * x) * low_slope - x * (2.0 - 3.0 * x) * high_slope
        room.u[k] = value
        room.u[count + k] = slope / step


@inner_kernel
def ask(room: Room, function: int, t: float, y: Array, out: Any) -> None:
    """Call one of the network's functions at a time and for states, the inputs included."""
    set_inputs(room, t)
    _call(function, t, y, room.q, room.u, out)


@inner_kernel
def slopes(room: Room, t: float, y: Array, dy: Array) -> None:
    """Rates of change of the states y, into dy."""
    set_inputs(room, t)
    _call(room.code[RATES], t, y, room.q, room.u, dy)


@inner_kernel
def restart(clock: Any, remember: bool) -> None:
    """Something has jumped: compute everything afresh; remember the step that worked after the last jump, or not."""
    clock[FRESH] = 1.0
    clock[T0] = clock[T1]
    clock[LENGTH] = 0.0
    if not remember:
        clock[FIRST] = 0.0


@inner_kernel
def first_step(room: Room, span: float, order: float) -> float:
    """A step small enough to start with (Hairer, Norsett and Wanner, Solving ODEs I, section II.4).

    Stage 0 holds the slopes at the end of the last step; stage 1 is overwritten.
    """
    work, clock, count = room.work, room.clock, room.size[STATES]
    size, slope = 0.0, 0.0
    for i in range(count):
        scale = work[ATOL, i] + clock[RTOL] * abs(work[END, i])
        size += (work[END, i] / scale) ** 2
        slope += (work[K, i] / scale) ** 2
    size, slope = math.sqrt(size / count), math.sqrt(slope / count)
    h = 1e-6 if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope
    h = min(h, span)
    for i in range(count):
        work[TRIAL, i] = work[END, i] + h * work[K, i]
    slopes(room, clock[T1] + h, room.work[TRIAL], room.work[K + 1])
    bend = 0.0
    for i in range(count):
        scale = work[ATOL, i] + clock[RTOL] * abs(work[END, i])
        bend += ((work[K + 1, i] - work[K, i]) / scale) ** 2
    bend = max(slope, math.sqrt(bend / count) / h)
    following = max(1e-6, 1e-3 * h) if bend <= 1e-15 else (0.01 / bend) ** (1.0 / order)
    step = min(100.0 * h, following, span)
    return step if step > 0.0 else min(1e-6, span)
