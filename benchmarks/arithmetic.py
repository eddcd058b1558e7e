# SPDX-License-Identifier: Apache-2.0
"""What the arithmetic of a step amounts to, and what a core could do at most."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
from numba import njit

from benchmarks import Figure
from sirolens.engine.simd.lane_system import LaneSystem
from sirolens.engine.simd.vector import LANES, fma, get, pointer, put

ROUNDS, CHAINS = 2_000_000, 10
# Per state: 27 multiply-and-adds of the stages' sums, 7 of the error and its comparison, and the choice at the end.
_PER_STATE = 2 * 27 + 2 * 7 + 10
_OPERATIONS = {r" = v\S+ [-+*/] v|\br\d+ = 1.0 /": 1, r"\bfma\(": 2, r"\breciprocals\(": 4, r"\b(exp|log|sqrt)\(": 30}


def flops_per_step(system: LaneSystem) -> float:
    """Floating-point operations of one step of one lane: six right-hand sides and what a state costs otherwise."""
    rates = system.text[system.text.index("def rates(") : system.text.index("def observe(")]
    once = sum(weight * len(re.findall(pattern, rates)) for pattern, weight in _OPERATIONS.items())
    return 6.0 * (once + 10 * len(system.network.inputs)) + _PER_STATE * len(system.network.states)


@njit(nogil=True, error_model="numpy")
def _chains(table: Any, rounds: int) -> None:
    w = pointer(table)
    a, b = get(w, 10), get(w, 11)
    c0, c1, c2, c3, c4 = get(w, 0), get(w, 1), get(w, 2), get(w, 3), get(w, 4)
    c5, c6, c7, c8, c9 = get(w, 5), get(w, 6), get(w, 7), get(w, 8), get(w, 9)
    for _ in range(rounds):
        c0, c1, c2, c3, c4 = fma(c0, a, b), fma(c1, a, b), fma(c2, a, b), fma(c3, a, b), fma(c4, a, b)
        c5, c6, c7, c8, c9 = fma(c5, a, b), fma(c6, a, b), fma(c7, a, b), fma(c8, a, b), fma(c9, a, b)
    put(w, 0, c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9)


def peak_flops() -> float:
    """Multiply-and-adds a second of one core, on ten independent chains of vectors."""
    table = np.full((12, LANES), 0.5)
    _chains(table, 10)
    spent = []
    for _ in range(3):
        began = time.thread_time()
        _chains(table, ROUNDS)
        spent.append(time.thread_time() - began)
    return 2.0 * LANES * CHAINS * ROUNDS / min(spent)


def run() -> list[Figure]:
    return [Figure(name="multiply-and-add, one core", value=1e-9 * peak_flops(), unit="GFLOP/s")]
