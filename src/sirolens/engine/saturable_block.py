# SPDX-License-Identifier: Apache-2.0
"""The answer to a saturable absorption for many lanes in step: what `saturable_response.lane_response` does, in blocks.

Runs, nodes and amounts are the same for every lane, so each operation is a short loop over a block of lanes, and the
exponentials of a whole pattern are taken at once. `lane_response` stays for complex numbers, and as the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sirolens.engine.exponential import fill_exponentials
from sirolens.engine.linear_layout import LAMBDA, ROUTE_2, ROWS, STATE, F, U
from sirolens.engine.linear_modes import fill_basis, to_amounts, to_modes
from sirolens.engine.linear_step import decayed
from sirolens.engine.saturable import FOREVER

__all__ = ["many_in_step"]

Array = NDArray[np.float64]

BLOCK = 64
KEPT = STATE + 3  # numbers of a basis that outlive its making: rates, directions, and room for a state


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_bases(n: int, parameters: Array, first: int, lanes: int, work: Array, bases: Array) -> None:
    """Write the basis of every parameter set and lane (sets, lanes, KEPT)."""
    for s in range(bases.shape[0]):
        for lane in range(lanes):
            fill_basis(n, parameters[first + lane, s], work)
            for j in range(KEPT):
                bases[s, lane, j] = work[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _switch(n: int, old: int, new: int, bases: Array, state: Array, lanes: int) -> None:
    """Go over to another parameter set; the amounts in the compartments stay what they are."""
    for lane in range(lanes):
        for i in range(3):
            bases[old, lane, STATE + i] = state[i, lane]
        to_amounts(n, bases[old, lane])
        for i in range(3):
            bases[new, lane, STATE + i] = bases[old, lane, STATE + i]
        to_modes(n, bases[new, lane])
        for i in range(3):
            state[i, lane] = bases[new, lane, STATE + i]


@njit(cache=True, nogil=True, error_model="numpy")
def _tabulate(n: int, bases: Array, s: int, left_h: Array, x: Array, table: Array, lanes: int) -> None:
    """Write the decays over `left_h` hours: table (n, hours, BLOCK); x is memory for all of them."""
    hours = left_h.size
    for i in range(n):
        for j in range(hours):
            for lane in range(lanes):
                x[j * lanes + lane] = -bases[s, lane, LAMBDA + i] * left_h[j]
        fill_exponentials(x[: hours * lanes], x[hours * lanes : 2 * hours * lanes])
        for j in range(hours):
            for lane in range(lanes):
                table[i, j, lane] = x[(hours + j) * lanes + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _repeat(
    n: int,
    bases: Array,
    s: int,
    hours: float,
    cycles: int,
    left: Array,
    gain: Array,
    x: Array,
    state: Array,
    lanes: int,
) -> None:
    """Add a run of equal cycles to the state (3, BLOCK); `left` (n, BLOCK) is the decay over one."""
    for i in range(n):
        if cycles == 1:
            for lane in range(lanes):
                state[i, lane] = left[i, lane] * state[i, lane] + gain[i, lane]
        elif cycles == FOREVER:
            for lane in range(lanes):
                rate = bases[s, lane, LAMBDA + i]
                state[i, lane] = gain[i, lane] / (rate * decayed(rate, hours, left[i, lane]))
        else:
            span = cycles * hours
            for lane in range(lanes):
                x[lane] = -bases[s, lane, LAMBDA + i] * span
            fill_exponentials(x[:lanes], x[lanes : 2 * lanes])
            for lane in range(lanes):
                rate, after = bases[s, lane, LAMBDA + i], x[lanes + lane]
                geometric = decayed(rate, span, after) / decayed(rate, hours, left[i, lane])
                state[i, lane] = after * state[i, lane] + gain[i, lane] * geometric


@njit(cache=True, nogil=True, error_model="numpy")
def many_in_step(n: int, plan: Any, parameters: Any, low: int, high: int, out: Any) -> None:
    """Write central amounts [mg] of lanes low <= lane < high at the stops.

    Parameters
    ----------
    n : int
        Compartments of the disposition.
    plan : Plan
        From `saturable_response.plan`.
    parameters : float64 array (lanes, periods, 15)
        In the order of linear.PARAMETERS; clearances, volumes and f2 are used.
    low, high : int
        Which lanes.
    out : float64 array (lanes, columns)
        Receives the amounts.
    """
    nodes, patterns, sets = plan.left_h.size, plan.length_h.size, parameters.shape[1]
    work, bases = np.zeros(ROWS), np.zeros((sets, BLOCK, KEPT))
    table, left = np.zeros((n, nodes, BLOCK)), np.zeros((patterns, n, BLOCK))
    x, gain, state = np.zeros(2 * BLOCK * max(nodes, 1)), np.zeros((n, BLOCK)), np.zeros((3, BLOCK))
    one, table_set = np.zeros((n, 1, BLOCK)), np.zeros(patterns, np.int64)
    for first in range(low, high, BLOCK):
        lanes = min(BLOCK, high - first)
        _keep_bases(n, parameters, first, lanes, work, bases)
        for p in range(patterns):
            table_set[p] = -1
        for i in range(3):
            for lane in range(lanes):
                state[i, lane] = 0.0
        held = -1
        for r in range(plan.cycles.size):
            wanted, p = plan.run_set[r], plan.pattern[r]
            if wanted != held and held >= 0:
                _switch(n, held, wanted, bases, state, lanes)
            held = wanted
            begin, end = plan.begin[p], plan.begin[p + 1]
            if table_set[p] != held:
                _tabulate(n, bases, held, plan.left_h[begin:end], x, table[:, begin:end], lanes)
                _tabulate(n, bases, held, plan.length_h[p : p + 1], x, one, lanes)
                for i in range(n):
                    for lane in range(lanes):
                        left[p, i, lane] = one[i, 0, lane]
                table_set[p] = held
            shift = plan.first[r] - begin
            for i in range(n):
                for lane in range(lanes):
                    gain[i, lane] = 0.0
                for j in range(begin, end):
                    mg = plan.amount_mg[shift + j]
                    for lane in range(lanes):
                        gain[i, lane] += mg * table[i, j, lane]
                for lane in range(lanes):
                    gain[i, lane] *= bases[held, lane, U + i] * parameters[first + lane, held, ROUTE_2 + F]
            _repeat(n, bases, held, plan.length_h[p], plan.cycles[r], left[p], gain, x, state, lanes)
            if plan.column[r] >= 0:
                for lane in range(lanes):
                    amount = 0.0
                    for i in range(n):
                        amount += bases[held, lane, U + i] * state[i, lane]
                    out[first + lane, plan.column[r]] = amount
