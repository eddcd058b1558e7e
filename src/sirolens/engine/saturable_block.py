# SPDX-License-Identifier: Apache-2.0
"""The answer to a saturable absorption for many lanes in step: what `saturable_response.lane_response` does, in blocks.

Runs, nodes and amounts are the same for every lane, so each operation is a loop over a whole block of lanes, the last
block padded with what its arrays happen to hold. In small functions with loops of one known length compilers use vector
instructions. `lane_response` stays for complex numbers, and as the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.exponential import exponential
from sirolens.engine.kernel import kernel
from sirolens.engine.linear_layout import LAMBDA, ROUTE_2, ROWS, STATE, F, U
from sirolens.engine.linear_modes import fill_basis, to_amounts, to_modes
from sirolens.engine.linear_step import decayed
from sirolens.engine.saturable import FOREVER

__all__ = ["many_in_step"]

Array = NDArray[np.float64]

BLOCK = 64
KEPT = STATE + 3  # numbers of a basis that outlive its making: rates, directions, and room for a state


@kernel
def _keep_bases(n: int, parameters: Array, work: Array, bases: Array, rate: Array, share: Array) -> None:
    """Write the basis of every parameter set and lane (sets, BLOCK, KEPT), and per mode its rate and share of a bolus.

    The parameters are those of a block's lanes (lanes, sets, 15).
    """
    for s in range(bases.shape[0]):
        for lane in range(parameters.shape[0]):
            fill_basis(n, parameters[lane, s], work)
            for j in range(KEPT):
                bases[s, lane, j] = work[j]
            for i in range(n):
                rate[s, i, lane] = work[LAMBDA + i]
                share[s, i, lane] = work[U + i] * parameters[lane, s, ROUTE_2 + F]


@kernel
def _switch(n: int, old: Array, new: Array, state: Array, lanes: int) -> None:
    """Go over to another parameter set; the amounts in the compartments stay what they are."""
    for lane in range(lanes):
        for i in range(3):
            old[lane, STATE + i] = state[i, lane]
        to_amounts(n, old[lane])
        for i in range(3):
            new[lane, STATE + i] = old[lane, STATE + i]
        to_modes(n, new[lane])
        for i in range(3):
            state[i, lane] = new[lane, STATE + i]


@kernel
def _tabulate(n: int, rate: Array, left_h: Array, table: Array, first: int) -> None:
    """Write the decays over `left_h` hours: rate (n, BLOCK), table (n, hours, BLOCK) from row `first`."""
    for i in range(n):
        for j in range(left_h.size):
            for lane in range(BLOCK):
                table[i, first + j, lane] = exponential(-rate[i, lane] * left_h[j])


@kernel
def _gain(n: int, amount_mg: Array, table: Array, first: int, share: Array, gain: Array) -> None:
    """Write what the modes gain in a cycle: table (n, nodes, BLOCK) from row `first`, share and gain (n, BLOCK)."""
    for i in range(n):
        for lane in range(BLOCK):
            gain[i, lane] = 0.0
        j, nodes = 0, amount_mg.size
        while j + 4 <= nodes:  # four nodes at a time: the sum is read and written a quarter as often
            a, b, c, d = amount_mg[j], amount_mg[j + 1], amount_mg[j + 2], amount_mg[j + 3]
            at = first + j
            for lane in range(BLOCK):
                begun = (gain[i, lane] + a * table[i, at, lane]) + b * table[i, at + 1, lane]
                gain[i, lane] = (begun + c * table[i, at + 2, lane]) + d * table[i, at + 3, lane]
            j += 4
        while j < nodes:
            for lane in range(BLOCK):
                gain[i, lane] += amount_mg[j] * table[i, first + j, lane]
            j += 1
        for lane in range(BLOCK):
            gain[i, lane] *= share[i, lane]


@kernel
def _once(n: int, left: Array, p: int, gain: Array, state: Array) -> None:
    """Add one cycle to the state (3, BLOCK); `left` (n, patterns, BLOCK) is the decay over it."""
    for i in range(n):
        for lane in range(BLOCK):
            state[i, lane] = left[i, p, lane] * state[i, lane] + gain[i, lane]


@kernel
def _repeat(n: int, rate: Array, hours: float, cycles: int, left: Array, p: int, gain: Array, state: Array) -> None:
    """Add a run of equal cycles to the state."""
    for i in range(n):
        if cycles == FOREVER:
            for lane in range(BLOCK):
                state[i, lane] = gain[i, lane] / (rate[i, lane] * decayed(rate[i, lane], hours, left[i, p, lane]))
        else:
            span = cycles * hours
            for lane in range(BLOCK):
                after = exponential(-rate[i, lane] * span)
                geometric = decayed(rate[i, lane], span, after) / decayed(rate[i, lane], hours, left[i, p, lane])
                state[i, lane] = after * state[i, lane] + gain[i, lane] * geometric


@kernel
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
    rate, share = np.zeros((sets, n, BLOCK)), np.zeros((sets, n, BLOCK))
    table, left = np.zeros((n, nodes, BLOCK)), np.zeros((n, patterns, BLOCK))
    gain, state, table_set = np.zeros((n, BLOCK)), np.zeros((3, BLOCK)), np.zeros(patterns, np.int64)
    for first in range(low, high, BLOCK):
        lanes = min(BLOCK, high - first)
        _keep_bases(n, parameters[first : first + lanes], work, bases, rate, share)
        table_set[:] = -1
        state[:] = 0.0
        held = -1
        for r in range(plan.cycles.size):
            wanted, p = plan.run_set[r], plan.pattern[r]
            if wanted != held and held >= 0:
                _switch(n, bases[held], bases[wanted], state, lanes)
            held = wanted
            begin = plan.begin[p]
            if table_set[p] != held:
                _tabulate(n, rate[held], plan.left_h[begin : plan.begin[p + 1]], table, begin)
                _tabulate(n, rate[held], plan.length_h[p : p + 1], left, p)
                table_set[p] = held
            _gain(n, plan.amount_mg[plan.first[r] : plan.first[r + 1]], table, begin, share[held], gain)
            if plan.cycles[r] == 1:
                _once(n, left, p, gain, state)
            else:
                _repeat(n, rate[held], plan.length_h[p], plan.cycles[r], left, p, gain, state)
            if plan.column[r] >= 0:
                for lane in range(lanes):
                    amount = 0.0
                    for i in range(n):
                        amount += bases[held, lane, U + i] * state[i, lane]
                    out[first + lane, plan.column[r]] = amount
