# SPDX-License-Identifier: Apache-2.0
"""Kernels of the integrator; compiled as they stand here for an example network, and behind every generated one.

Eight patients advance together, each with its own time, step, error and verdict on its step; the one that has finished
makes room for the next patient. The pair is that of `sirolens.engine.tsitouras`, with its dense output of order 4. What
follows the line "body" is copied behind the functions that `sirolens.engine.simd.codegen` writes in place of the
example.

Everything lives in one table of rows of eight, `w`: a clock, constants and inputs of the lanes, states, stages.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from sirolens.engine.kernel import kernel
from sirolens.engine.simd.functions import exp, log
from sirolens.engine.simd.vector import (
    LANES,
    absolute,
    all_lanes,
    floor,
    fma,
    gather,
    get,
    lane_bits,
    like,
    pointer,
    put,
    select,
)
from sirolens.engine.tsitouras import (
    A21,
    A31,
    A32,
    A41,
    A42,
    A43,
    A51,
    A52,
    A53,
    A54,
    A61,
    A62,
    A63,
    A64,
    A65,
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    C2,
    C3,
    C4,
    C5,
    E1,
    E2,
    E3,
    E4,
    E5,
    E6,
    E7,
)

__all__ = ["run_lanes"]

STATES, CONSTANTS, INPUTS, OUTPUTS = 1, 1, 0, 1
C0, U0 = 12, 13
OBSERVES_INPUTS = False
NEEDED = (0,)  # states that outputs depend on


@njit(nogil=True, error_model="numpy")
def constants(p: Any, w: Any) -> None:
    """Constants of a lane from its parameters."""
    put(w, 0, get(p, 0))


@njit(nogil=True, error_model="numpy")
def begin(p: Any, y: Any) -> None:
    """States at the start."""
    put(y, 0, 1.0)


@njit(nogil=True, error_model="numpy")
def rates(time: Any, w: Any, y: int, dy: int) -> None:
    """Rates of change of the states in rows from y on, into rows from dy on."""
    put(w, dy, -get(w, C0) * get(w, y))


@njit(nogil=True, error_model="numpy")
def observe(time: Any, w: Any, y: int, out: int) -> None:
    """What is observed of the states in rows from y on."""
    put(w, out, get(w, y))


# ---- body ----

# Rows of the clock: time, proposed step, next stop, next output, logarithm of the last accepted error, whether the last
# try was rejected, steps left, steps in a row that looked stiff and that did not, where a lane's inputs begin,
# whether it has just jumped, which pair of cells of its inputs is loaded.
T, STEP, STOP, DUE, PAST_ERROR, REJECTED, LEFT, STIFF, SMOOTH, BASE, FRESH, STRETCH = range(12)
I0 = U0 + INPUTS  # inputs of a pair of cells: two cubics each
Y0 = I0 + 8 * INPUTS
Z0 = Y0 + STATES  # states at the end of the step that is tried
G0 = Z0 + STATES  # states at which stage 6 is taken
D0 = G0 + STATES  # states between steps
K0 = D0 + STATES  # seven stages
O0 = K0 + 7 * STATES
ROWS = O0 + OUTPUTS
K1, K2, K3, K4, K5, K6, K7 = (K0 + s * STATES for s in range(7))

DONE, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE, LOOKS_STIFF = range(5)

# Step size control (Gustafsson's PI controller with the usual constants for order 5).
SAFETY, PRESENT, PAST, AFTER_REJECTION, SMALLEST_CHANGE, LARGEST_CHANGE = 0.9, 0.14, 0.08, 0.2, 0.2, 5.0
LEAST_ERROR, LEAST_PAST_ERROR = 1e-10, math.log(1e-4)
NODE_REACHED = 1e-6  # so much of a cell before a node counts as the node
SMALLEST_STEP = 4.0 * 2.220446049250313e-16  # over the time
# A step looks stiff when h |lambda| is near the edge of what the pair can take (Hairer and Wanner, II, IV.2).
EDGE_OF_STABILITY, STIFF_STEPS, SMOOTH_STEPS = 3.25, 15.0, 6.0


@njit(nogil=True, error_model="numpy")
def stretch_of(t: Any, drive: Any) -> Any:
    """Which pair of cells of the inputs' grid a time lies in; a node belongs to what begins there."""
    start, step = drive[2], drive[3]
    return floor((t - start) * (0.5 / step) + NODE_REACHED)


@njit(nogil=True, error_model="numpy")
def load_inputs(stretch: Any, w: Any, drive: Any) -> None:
    """Take the inputs of a pair of cells from memory: the cubic of each cell, in its own part of the step."""
    nodes, slopes, _, step, last, node_apart, input_apart = drive
    put(w, STRETCH, stretch)
    for cell in range(2):
        node = 2.0 * stretch + cell
        node = select(node < 0.0, 0.0, select(node > last, last, node))
        at = fma(node, node_apart, get(w, BASE))
        for i in range(INPUTS):
            here = at + i * input_apart
            there = here + node_apart
            a, b = gather(nodes, here), gather(nodes, there)
            first, second = gather(slopes, here) * step, gather(slopes, there) * step
            rise = b - a
            row = I0 + 8 * i + 4 * cell
            put(w, row, a)
            put(w, row + 1, first)
            put(w, row + 2, 3.0 * rise - 2.0 * first - second)
            put(w, row + 3, first + second - 2.0 * rise)


@njit(nogil=True, error_model="numpy")
def take_inputs(time: Any, w: Any, drive: Any) -> None:
    """Inputs at a time of each lane's own, within the pair of cells that is loaded."""
    start, step, last = drive[2], drive[3], drive[4]
    x = (time - start) * (1.0 / step) - 2.0 * get(w, STRETCH)
    # An odd number of cells ends with half a pair: its only cell goes on to the end.
    later = (x >= 1.0) & (2.0 * get(w, STRETCH) < last)
    x = select(later, x - 1.0, x)
    for i in range(INPUTS):
        row = I0 + 8 * i
        a = select(later, get(w, row + 4), get(w, row))
        b = select(later, get(w, row + 5), get(w, row + 1))
        c = select(later, get(w, row + 6), get(w, row + 2))
        d = select(later, get(w, row + 7), get(w, row + 3))
        put(w, U0 + i, fma(x, fma(x, fma(x, d, c), b), a))


@njit(nogil=True, error_model="numpy")
def take_stage(s: int, h: Any, end: Any, w: Any, drive: Any) -> None:
    """Rates of stage s of a step of h to the time `end`; 7 is at the new states, in Z0, and 8 at the old, into K7."""
    # One function for all stages, so that the rates are compiled once.
    t, y, k = get(w, T), Z0, K0 + (s - 1) * STATES
    if s == 8:
        y, k = Y0, K7
    elif s == 2:
        a = h * A21
        t = fma(h, C2, t)
        for i in range(STATES):
            put(w, Z0 + i, fma(a, get(w, K1 + i), get(w, Y0 + i)))
    elif s == 3:
        a, b = h * A31, h * A32
        t = fma(h, C3, t)
        for i in range(STATES):
            put(w, Z0 + i, fma(a, get(w, K1 + i), fma(b, get(w, K2 + i), get(w, Y0 + i))))
    elif s == 4:
        a, b, c = h * A41, h * A42, h * A43
        t = fma(h, C4, t)
        for i in range(STATES):
            z = fma(c, get(w, K3 + i), get(w, Y0 + i))
            put(w, Z0 + i, fma(a, get(w, K1 + i), fma(b, get(w, K2 + i), z)))
    elif s == 5:
        a, b, c, d = h * A51, h * A52, h * A53, h * A54
        t = fma(h, C5, t)
        for i in range(STATES):
            z = fma(c, get(w, K3 + i), fma(d, get(w, K4 + i), get(w, Y0 + i)))
            put(w, Z0 + i, fma(a, get(w, K1 + i), fma(b, get(w, K2 + i), z)))
    elif s == 6:
        a, b, c, d, e = h * A61, h * A62, h * A63, h * A64, h * A65
        t, y = end, G0
        for i in range(STATES):
            z = fma(d, get(w, K4 + i), fma(e, get(w, K5 + i), get(w, Y0 + i)))
            put(w, G0 + i, fma(a, get(w, K1 + i), fma(b, get(w, K2 + i), fma(c, get(w, K3 + i), z))))
    else:
        a, b, c, d, e, f = h * B1, h * B2, h * B3, h * B4, h * B5, h * B6
        t = end
        for i in range(STATES):
            z = fma(d, get(w, K4 + i), fma(e, get(w, K5 + i), fma(f, get(w, K6 + i), get(w, Y0 + i))))
            put(w, Z0 + i, fma(a, get(w, K1 + i), fma(b, get(w, K2 + i), fma(c, get(w, K3 + i), z))))
    if INPUTS > 0 and s != 7:  # stage 7 is taken at the time of stage 6
        take_inputs(t, w, drive)
    rates(t, w, y, k)


@njit(nogil=True, error_model="numpy")
def largest_error(h: Any, w: Any, rtol: float, atol: Any) -> Any:
    """The largest error of a state over what is tolerated; not a number when a stage is not finite.

    Fractions are compared crosswise, so that one division serves all states.
    """
    above, below = like(h, 0.0), like(h, 1.0)
    finite = like(h, 0.0)
    for i in range(STATES):
        e = fma(get(w, K1 + i), E1, fma(get(w, K2 + i), E2, fma(get(w, K3 + i), E3, get(w, K4 + i) * E4)))
        e = fma(get(w, K5 + i), E5, fma(get(w, K6 + i), E6, fma(get(w, K7 + i), E7, e)))
        finite = fma(e, 0.0, finite)
        e = absolute(e)
        y, z = absolute(get(w, Y0 + i)), absolute(get(w, Z0 + i))
        tolerated = fma(select(y > z, y, z), rtol, get(atol, i))
        larger = e * below > above * tolerated
        above, below = select(larger, e, above), select(larger, tolerated, below)
    return h * (above / below) + finite


@njit(nogil=True, error_model="numpy")
def looks_stiff(h: Any, w: Any) -> Any:
    """Whether h |lambda| is at the edge of stability: stages 6 and 7 are taken at one time and different states."""
    slope, state = like(h, 0.0), like(h, 0.0)
    for i in range(STATES):
        k, z = get(w, K7 + i) - get(w, K6 + i), get(w, Z0 + i) - get(w, G0 + i)
        slope, state = fma(k, k, slope), fma(z, z, state)
    return h * h * slope > state * (EDGE_OF_STABILITY * EDGE_OF_STABILITY)


@njit(nogil=True, error_model="numpy")
def interpolate(h: Any, w: Any) -> None:
    """The states that outputs need at the time of the next output, by the dense output, into D0."""
    x = (get(w, DUE) - get(w, T)) / h
    xx = x * x
    b1 = -1.0530884977290216 * x * (x - 1.3299890189751412) * fma(x, x - 1.4364028541716351, 0.7139816917074209)
    b2 = 0.1017 * xx * fma(x, x - 2.1966568338249754, 1.2949852507374631)
    b3 = 2.490627285651252793 * xx * fma(x, x - 2.38535645472061657, 1.57803468208092486)
    b4 = -16.54810288924490272 * (x - 1.21712927295533244) * (x - 0.61620406037800089) * xx
    b5 = 47.37952196281928122 * (x - 1.203071208372362603) * (x - 0.658047292653547382) * xx
    b6 = -34.87065786149660974 * (x - 1.2) * (x - 0.666666666666666667) * xx
    b7 = 2.5 * (x - 1.0) * (x - 0.6) * xx
    for i in NEEDED:
        slope = fma(b1, get(w, K1 + i), fma(b2, get(w, K2 + i), fma(b3, get(w, K3 + i), b4 * get(w, K4 + i))))
        slope = fma(b5, get(w, K5 + i), fma(b6, get(w, K6 + i), fma(b7, get(w, K7 + i), slope)))
        put(w, D0 + i, fma(h, slope, get(w, Y0 + i)))


@njit(nogil=True, error_model="numpy")
def first_step(w: Any, rtol: float, atol: Any, most: float) -> Any:
    """A step to start with, from states and rates (after Hairer, Norsett and Wanner, Solving ODEs I, section II.4)."""
    size, slope = like(get(w, T), 0.0), like(get(w, T), 0.0)
    for i in range(STATES):
        y, k = absolute(get(w, Y0 + i)), absolute(get(w, K1 + i))
        scale = 1.0 / fma(y, rtol, get(atol, i))
        size, slope = select(y * scale > size, y * scale, size), select(k * scale > slope, k * scale, slope)
    h = select((size < 1e-5) | (slope < 1e-5), 1e-6, 0.01 * size / slope)
    return select(h < most, h, most)


@njit(nogil=True, error_model="numpy")
def take_step(w: Any, drive: Any, control: Any) -> Any:
    """Try a step in every lane. Its length and its error; the clock's next step, and its counts, are set."""
    rtol, atol, most_step, most_time, steps_worth = control
    wanted = get(w, STEP)
    wanted = select(wanted < most_step, wanted, most_step)
    stop = get(w, STOP)
    if INPUTS > 0:
        stretch = stretch_of(get(w, T), drive)
        if not all_lanes(stretch == get(w, STRETCH)):
            load_inputs(stretch, w, drive)
        # A step ends with its pair of cells at the latest: inputs bend there.
        bend = fma(stretch + 1.0, 2.0 * drive[3], drive[2])
        stop = select(bend < stop, bend, stop)
    span = stop - get(w, T)
    last = wanted * 1.01 >= span
    # Two equal steps rather than a step and a sliver.
    h = select(last, span, select(2.0 * wanted > span, 0.5 * span, wanted))
    end = select(last, stop, get(w, T) + h)
    for s in range(2, 8):
        take_stage(s, h, end, w, drive)
    error = largest_error(h, w, rtol, atol)
    accepted = error <= 1.0
    size = log(select(error > LEAST_ERROR, error, LEAST_ERROR))
    before = get(w, PAST_ERROR)
    growth = SAFETY * exp(select(accepted, fma(before, PAST, size * -PRESENT), size * -AFTER_REJECTION))
    highest = select(get(w, REJECTED) > 0.0, 1.0, like(h, LARGEST_CHANGE))
    growth = select(growth > SMALLEST_CHANGE, growth, SMALLEST_CHANGE)
    growth = select(growth < highest, growth, highest)
    growth = select(error == error, growth, 0.1)
    following = h * growth
    # A step cut short by a stop says nothing against the longer one.
    put(w, STEP, select(accepted & (following < wanted) & (h < wanted), wanted, following))
    held = select(size > LEAST_PAST_ERROR, size, LEAST_PAST_ERROR)
    put(w, PAST_ERROR, select(accepted, held, before))
    put(w, REJECTED, select(accepted, like(h, 0.0), 1.0))
    put(w, LEFT, get(w, LEFT) - 1.0)
    watched = accepted & (most_time - get(w, T) > h * steps_worth)
    if lane_bits(watched) != 0:
        stiff = looks_stiff(h, w)
        smooth = get(w, SMOOTH)
        stiffness = select(stiff, get(w, STIFF) + 1.0, select(smooth >= SMOOTH_STEPS, 0.0, get(w, STIFF)))
        put(w, STIFF, select(watched, stiffness, get(w, STIFF)))
        put(w, SMOOTH, select(watched, select(stiff, 0.0, smooth + 1.0), smooth))
    return h, end, error


@njit(nogil=True, error_model="numpy")
def observe_there(time: Any, w: Any, drive: Any) -> None:
    """What is observed of the states in D0."""
    if OBSERVES_INPUTS:
        take_inputs(time, w, drive)
    observe(time, w, D0, O0)


@njit(nogil=True, error_model="numpy")
def write_row(s: int, row: int, lane: int, table: Any, out: Any) -> None:
    """Copy what has been observed in slot s to a row of its patient."""
    for i in range(OUTPUTS):
        out[i, row, lane] = table[O0 + i, s]


@njit(nogil=True, error_model="numpy")
def give_doses(s: int, dose: int, last: int, end: float, doses: Any, table: Any) -> int:
    """Give slot s every dose that is due, and set its next stop; the first dose still to come."""
    while dose < last and doses.times[dose] <= table[T, s]:
        table[Y0 + doses.state[dose], s] += doses.amount[dose]
        dose += 1
    table[STOP, s] = doses.times[dose] if dose < last and doses.times[dose] < end else end
    table[FRESH, s] = 1.0
    return dose


@njit(nogil=True, error_model="numpy")
def start_lane(s: int, lane: int, job: Any, table: Any, scratch: Any) -> int:
    """Put a patient into slot s; the first dose still to come."""
    p, c, y = scratch
    for i in range(p.size):
        p[i] = job.parameters[i, lane]
    constants(p, c)
    if job.initial.shape[0] > 0:
        for i in range(STATES):
            y[i] = job.initial[i, lane]
    else:
        begin(p, y)
    for i in range(CONSTANTS):
        table[C0 + i, s] = c[i]
    for i in range(STATES):
        table[Y0 + i, s] = y[i]
    for i in range(C0):
        table[i, s] = 0.0
    table[T, s] = job.start
    table[LEFT, s] = job.most_steps
    table[PAST_ERROR, s] = LEAST_PAST_ERROR
    table[BASE, s] = lane * job.lane_apart
    table[STRETCH, s] = -1.0
    table[DUE, s] = job.times[0]
    dose, last = job.offsets[lane], job.offsets[lane + 1]
    while dose < last and job.doses.times[dose] < job.start:
        dose += 1
    return give_doses(s, dose, last, job.times[-1], job.doses, table)


@njit(nogil=True, error_model="numpy")
def leave(s: int, lane: int, job: Any, result: Any, table: Any) -> None:
    """Write down with what a patient came to the end, and make the slot idle."""
    result.steps[lane] = job.most_steps - table[LEFT, s]
    for i in range(STATES):
        result.final[i, lane] = table[Y0 + i, s] if result.status[lane] == DONE else math.nan
    table[STEP, s] = 0.0
    table[DUE, s] = math.inf
    table[STOP, s] = math.inf


@njit(nogil=True, error_model="numpy")
def what_failed(s: int, error: float, job: Any, table: Any) -> int:
    """Why slot s cannot go on after a step of that error; DONE if it can."""
    if not error <= 1.0 and not table[STEP, s] > SMALLEST_STEP * abs(table[T, s]) + 1e-300:
        return STEP_TOO_SMALL if math.isfinite(error) else NOT_FINITE
    if table[LEFT, s] <= 0.0:
        return TOO_MANY_STEPS
    return LOOKS_STIFF if table[STIFF, s] >= STIFF_STEPS else DONE


@kernel
def run_lanes(low: int, high: int, job: Any, result: Any, table: Any) -> None:
    """Integrate the patients job.lanes[low:high]."""
    lanes, row, dose = np.full(LANES, -1), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    scratch = np.empty(job.parameters.shape[0]), np.empty(CONSTANTS), np.empty(STATES)
    errors = np.zeros((3, LANES))
    table[:] = 0.0
    table[DUE], table[STOP] = math.inf, math.inf
    times, values, rtol, most_step = job.times, result.values, job.rtol, job.most_step
    outputs, final_time = times.size, times[-1]
    w, atol, grid = pointer(table), pointer(job.atol), job.grid
    drive = (pointer(job.nodes), pointer(job.slopes), grid[0], grid[1], grid[2], grid[3], grid[4])
    control = (rtol, atol, most_step, final_time, job.steps_worth)
    following, alive, fresh, ended = low, 0, True, False
    while True:
        # Free slots take the next patients.
        if alive < LANES and following < high:
            for s in range(LANES):
                if lanes[s] < 0 and following < high:
                    row[s], lanes[s] = 0, job.lanes[following]
                    dose[s] = start_lane(s, lanes[s], job, table, scratch)
                    following, alive, fresh = following + 1, alive + 1, True
                    ended = ended or table[T, s] >= final_time
        if alive == 0:
            return
        # Patients at the end are observed there and leave.
        if ended:
            ended = False
            for i in range(STATES):
                put(w, D0 + i, get(w, Y0 + i))
            if OBSERVES_INPUTS:
                load_inputs(stretch_of(get(w, T), drive), w, drive)
            observe_there(get(w, T), w, drive)
            for s in range(LANES):
                if lanes[s] >= 0 and table[T, s] >= final_time:
                    while row[s] < outputs:
                        write_row(s, row[s], lanes[s], table, values)
                        row[s] += 1
                    result.status[lanes[s]] = DONE
                    leave(s, lanes[s], job, result, table)
                    lanes[s], alive = -1, alive - 1
            continue
        # After a jump stage 1 is computed afresh.
        if fresh:
            fresh = False
            if INPUTS > 0:
                load_inputs(stretch_of(get(w, T), drive), w, drive)
            for stage in range(8, 9):
                take_stage(stage, get(w, T), get(w, T), w, drive)
            jumped = get(w, FRESH) > 0.0
            for i in range(STATES):
                put(w, K1 + i, select(jumped, get(w, K7 + i), get(w, K1 + i)))
            new = jumped & (get(w, STEP) == 0.0)
            put(w, STEP, select(new, first_step(w, rtol, atol, most_step), get(w, STEP)))
            put(w, FRESH, like(get(w, T), 0.0))
        h, end, error = take_step(w, drive, control)
        accepted = error <= 1.0
        # Outputs that fall into an accepted step.
        due = lane_bits(accepted & (get(w, DUE) < end))
        while due != 0:
            interpolate(h, w)
            observe_there(get(w, DUE), w, drive)
            for s in range(LANES):
                if due >> s & 1:
                    write_row(s, row[s], lanes[s], table, values)
                    row[s] += 1
                    table[DUE, s] = times[row[s]] if row[s] < outputs else math.inf
            due = lane_bits(accepted & (get(w, DUE) < end))
        # Where the step is accepted it is taken, and ends perhaps at a dose or at the end.
        for i in range(STATES):
            put(w, Y0 + i, select(accepted, get(w, Z0 + i), get(w, Y0 + i)))
            put(w, K1 + i, select(accepted, get(w, K7 + i), get(w, K1 + i)))
        put(w, T, select(accepted, end, get(w, T)))
        stopped = lane_bits(accepted & (end >= get(w, STOP)))
        troubled = lane_bits((error != error) | (error > 1.0) | (get(w, LEFT) <= 0.0) | (get(w, STIFF) >= STIFF_STEPS))
        if stopped | troubled:
            put(errors, 0, error)
            for s in range(LANES):
                if lanes[s] < 0:
                    continue
                if stopped >> s & 1:
                    dose[s] = give_doses(s, dose[s], job.offsets[lanes[s] + 1], final_time, job.doses, table)
                    ended = ended or table[T, s] >= final_time
                    fresh = True
                if troubled >> s & 1 and not table[T, s] >= final_time:
                    why = what_failed(s, errors[0, s], job, table)
                    if why != DONE:
                        result.status[lanes[s]] = why
                        leave(s, lanes[s], job, result, table)
                        lanes[s], alive = -1, alive - 1
