# SPDX-License-Identifier: Apache-2.0
"""Patients drawn over the whole ranges of the register, and their courses under a held concentration."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.network import default_parameters
from sirolens.engine.simd.integrate import Doses, Drive, Lanes, integrate
from sirolens.engine.simd.lane_system import LaneSystem, compile_lanes
from sirolens.mechanism.assumptions import Role
from sirolens.mechanism.network import Mechanism, load

Array = NDArray[np.float64]

OUTPUTS = ("P", "H", "R", "Ab", "k_imm", "tox")


def wide(
    patients: int, seed: int, roles: tuple[Role, ...] = (Role.SAMPLED,), mechanism: Mechanism | None = None
) -> Array:
    """Parameters spread evenly over low..high for the given roles: wider than any population."""
    mechanism = mechanism or load()
    rng = np.random.default_rng(seed)
    out = default_parameters(mechanism.network, patients)
    for row, symbol in enumerate(mechanism.network.parameters):
        one = mechanism.assumptions[symbol]
        if one.role in roles:
            out[row] = one.low + (one.high - one.low) * rng.random(patients)
    return out


def with_values(parameters: Array, **values: float) -> Array:
    """The same patients with other values of named parameters."""
    names = load().network.parameters
    out = parameters.copy()
    for symbol, value in values.items():
        out[names.index(symbol)] = value
    return out


@cache
def system() -> LaneSystem:
    network = load().network
    return compile_lanes(network, outputs=[*OUTPUTS, *network.states])


def course(
    parameters: Array,
    conc_ng_ml: float | Array,
    days: float,
    *,
    every_d: float = 5.0,
    flare: float = 0.0,
    doses: Doses | None = None,
    initial: Array | None = None,
    rtol: float = 1e-8,
) -> tuple[Array, dict[str, Array], Lanes]:
    """Times, courses by name, each (K, N), and all that the engine says, under a held concentration."""
    patients = parameters.shape[1]
    held = np.empty((2, 2, patients))
    held[0], held[1] = conc_ng_ml, flare
    drive = Drive(start=0.0, step=days, values=held, slopes=np.zeros_like(held))
    times = np.arange(0.0, days + 1e-9, every_d)
    lanes = integrate(
        system(), parameters, times, drive=drive, doses=doses, initial=initial, rtol=rtol, atol=1e-12, most_step=5.0
    )
    assert (lanes.status == 0).all()
    return times, dict(zip(system().outputs, lanes.values, strict=True)), lanes
