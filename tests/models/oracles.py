# SPDX-License-Identifier: Apache-2.0
"""Independent arithmetic for the tests of models: textbook closed forms and an adaptive integrator, no engine code."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp

HOURS_A_DAY = 24.0


def one_compartment_trough(
    dose_mg: float,
    cl_l_h: float,
    v_l: float,
    ka_1_h: float,
    *,
    interval_h: float = HOURS_A_DAY,
    doses: int | None = None,
) -> float:
    """Trough after `doses` equal oral doses by superposition; at steady state without `doses`."""
    k = cl_l_h / v_l

    def summed(rate: float) -> float:
        decay = math.exp(-rate * interval_h)
        count = 1.0 if doses is None else 1.0 - decay**doses
        return decay * count / (1.0 - decay)

    return 1000.0 * dose_mg * ka_1_h / (v_l * (ka_1_h - k)) * (summed(k) - summed(ka_1_h))


def two_compartment_trough(
    dose_mg: float, cl_l_h: float, v1_l: float, q_l_h: float, v2_l: float, ka_1_h: float, *, doses: int | None = None
) -> float:
    """Trough of the two-compartment oral model by superposition of its three exponentials."""
    k10, k12, k21 = cl_l_h / v1_l, q_l_h / v1_l, q_l_h / v2_l
    total = k10 + k12 + k21
    root = math.sqrt(total**2 - 4.0 * k10 * k21)
    alpha, beta = 0.5 * (total + root), 0.5 * (total - root)

    def summed(rate: float) -> float:
        decay = math.exp(-rate * HOURS_A_DAY)
        count = 1.0 if doses is None else 1.0 - decay**doses
        return decay * count / (1.0 - decay)

    scale = 1000.0 * dose_mg * ka_1_h / v1_l
    weights = {
        alpha: (k21 - alpha) / ((ka_1_h - alpha) * (beta - alpha)),
        beta: (k21 - beta) / ((ka_1_h - beta) * (alpha - beta)),
        ka_1_h: (k21 - ka_1_h) / ((alpha - ka_1_h) * (beta - ka_1_h)),
    }
    return scale * sum(weight * summed(rate) for rate, weight in weights.items())


def saturable_troughs(
    dose_mg: float, cl_l_h: float, v1_l: float, q_l_h: float, v2_l: float, vmax_mg_h: float, km_mg: float, *, days: int
) -> list[float]:
    """Troughs after each of `days` daily doses of Wu 2012's equations, integrated with DOP853."""

    def slope(_: float, y: list[float]) -> list[float]:
        absorbed = vmax_mg_h * y[0] / (km_mg + y[0])
        exchange = q_l_h * (y[1] / v1_l - y[2] / v2_l)
        return [-absorbed, absorbed - cl_l_h / v1_l * y[1] - exchange, exchange]

    state = np.zeros(3)
    troughs = []
    for _ in range(days):
        state[0] += dose_mg
        state = solve_ivp(slope, (0.0, HOURS_A_DAY), state, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
        troughs.append(1000.0 * state[1] / v1_l)
    return troughs


def normal_nodes(count: int = 2001, width: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a plain trapezium over a standard normal: its own check is that the weights sum to one."""
    z = np.linspace(-width, width, count)
    weight = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi) * (z[1] - z[0])
    return z, weight


def normal_below(x: np.ndarray) -> np.ndarray:
    """The standard normal distribution function."""
    return 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))
