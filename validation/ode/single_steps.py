# SPDX-License-Identifier: Apache-2.0
"""Single steps of the pair, eight lengths at once: errors of the step, of its estimate and of the dense output."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from scipy.integrate import solve_ivp

from sirolens.engine.expression import parse
from sirolens.engine.network import Network
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.lane_system import compile_lanes
from sirolens.engine.simd.vector import LANES, get, pointer, put

#: Lengths of the steps, from left to right; no two are a power of two apart.
LENGTHS = 0.64 * 0.75 ** np.arange(LANES)
INSIDE = 0.4  # where the dense output is looked at, as part of the step
PREY, PREDATORS = 1.1, 0.9


def predators_and_prey() -> Network:
    """Lotka's equations: nonlinear, smooth, not stiff."""
    return Network(
        name="lotka",
        states=("x", "y"),
        parameters=("a",),
        values={"a": 1.3},
        initial={"x": parse("1.1"), "y": parse("0.9")},
        rates={"x": parse("a*x - x*y"), "y": parse("x*y - y + 0.1*sqrt(x)*exp(-0.2*time)")},
    )


@cache
def _stepper() -> tuple[Any, Any]:
    module = kernel_module(compile_lanes(predators_and_prey(), outputs=["x", "y"]).text)
    take_stage, largest_error, interpolate = module.take_stage, module.largest_error, module.interpolate
    length, first, seventh, states = module.STEP, module.K1, module.K7, module.STATES

    @njit(nogil=True, error_model="numpy")
    def step(table: Any, nothing: Any, atol: Any, estimate: Any) -> None:
        w = pointer(table)
        drive = (pointer(nothing), pointer(nothing), 0.0, 1.0, 0.0, 0.0, 0.0)
        h = get(w, length)
        for stage in range(8, 9):
            take_stage(stage, h, h, w, drive)
        for i in range(states):
            put(w, first + i, get(w, seventh + i))
        for stage in range(2, 8):
            take_stage(stage, h, h, w, drive)
        put(pointer(estimate), 0, largest_error(h, w, 1e-300, pointer(atol)))
        interpolate(h, w)

    return module, step


def errors() -> dict[str, np.ndarray]:
    """Largest error over the states after one step of each length, by what is looked at."""
    module, step = _stepper()
    table = np.zeros((module.ROWS, LANES))
    table[module.STEP], table[module.DUE] = LENGTHS, INSIDE * LENGTHS
    table[module.Y0], table[module.Y0 + 1] = PREY, PREDATORS
    table[module.C0 : module.U0] = constants(module)[:, None]
    estimate = np.zeros((1, LANES))
    step(table, np.zeros(1), np.ones(2), estimate)
    exact = {part: np.array([solved(part * h) for h in LENGTHS]).T for part in (1.0, INSIDE)}
    return {
        "step": np.abs(table[module.Z0 : module.Z0 + 2] - exact[1.0]).max(axis=0),
        "estimate": estimate[0],
        "dense output": np.abs(table[module.D0 : module.D0 + 2] - exact[INSIDE]).max(axis=0),
    }


def constants(module: Any) -> np.ndarray:
    """The lane's constants."""
    found = np.zeros(module.CONSTANTS)
    module.constants(np.array([1.3]), found)
    return found


def solved(until: float) -> np.ndarray:
    """DOP853 at 1e-14."""

    def rates(time: float, y: np.ndarray) -> list[float]:
        return [1.3 * y[0] - y[0] * y[1], y[0] * y[1] - y[1] + 0.1 * y[0] ** 0.5 * np.exp(-0.2 * time)]

    found = solve_ivp(rates, (0.0, until), [PREY, PREDATORS], method="DOP853", rtol=2.3e-14, atol=1e-16)
    return np.asarray(found.y[:, -1])


def orders(by_length: np.ndarray) -> np.ndarray:
    """Exponent of the step length in the error, between neighbouring lengths."""
    return np.diff(np.log(by_length)) / np.diff(np.log(LENGTHS))
