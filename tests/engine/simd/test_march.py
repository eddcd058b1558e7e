# SPDX-License-Identifier: Apache-2.0
"""The pair has its orders, its text gives numbers and vectors the same bits, and its machine code is packed."""

from __future__ import annotations

import platform
import re

import numpy as np
from numba import njit
from validation.ode.single_steps import errors, orders, predators_and_prey

from sirolens.engine.network import evaluate_rates
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.functions import exp
from sirolens.engine.simd.lane_system import compile_lanes
from sirolens.engine.simd.vector import LANES, get, pointer, put

# Between the shortest steps; a step's error falls with one power more than the order (measured 6.2, 4.96, 5.2).
ORDERS = {"step": (5.9, 6.6), "estimate": (4.8, 5.2), "dense output": (4.9, 5.5)}
# Registers that hold several float64, by architecture.
PACKED = {"x86_64": r"vfmadd\w*pd.*%[yz]mm", "AMD64": r"vfmadd\w*pd.*%[yz]mm", "aarch64": r"fmla\s+v\d+\.2d"}
# A formula and its merged form differ by a few units in the last place.
REASSOCIATED = 1e-14


def test_the_pair_its_estimate_and_its_dense_output_have_their_orders() -> None:
    found = errors()
    for part, (least, most) in ORDERS.items():
        assert least < orders(found[part])[-1] < most, part


def test_one_text_gives_numbers_and_vectors_the_same_bits() -> None:
    network = predators_and_prey()
    module = kernel_module(compile_lanes(network, outputs=["x", "y"]).text)
    rates, rows, states = module.rates, module.ROWS, module.Y0
    stage = module.K1

    @njit(nogil=True, error_model="numpy")
    def together(table: np.ndarray) -> None:
        w = pointer(table)
        for at in range(states, states + 1):
            rates(get(w, 0), w, at, stage)

    table = np.random.default_rng(4).uniform(0.1, 2.0, (rows, LANES))
    together(table)
    for lane in range(LANES):
        alone = np.ascontiguousarray(table[:, lane])
        expected = alone[stage : stage + 2].copy()
        rates(alone[0], alone, states, stage)
        assert np.array_equal(alone[stage : stage + 2], expected)


def test_the_text_computes_what_the_formulas_say() -> None:
    network = predators_and_prey()
    module = kernel_module(compile_lanes(network, outputs=["x", "y"]).text)
    w = np.random.default_rng(5).uniform(0.1, 2.0, module.ROWS)
    module.constants(np.array([1.3]), w[module.C0 :])
    module.rates(0.7, w, module.Y0, module.K1)
    walked = evaluate_rates(network, w[module.Y0 : module.Y0 + 2, None], [[1.3]], (), 0.7)[:, 0]
    np.testing.assert_allclose(w[module.K1 : module.K1 + 2], walked, rtol=REASSOCIATED)


def test_machine_code_is_packed() -> None:
    @njit(nogil=True, error_model="numpy")
    def rows(x: np.ndarray) -> None:
        w = pointer(x)
        for i in range(x.shape[0]):
            put(w, i, exp(get(w, i)))

    rows(np.zeros((4, LANES)))
    (code,) = rows.inspect_asm().values()
    assert re.search(PACKED[platform.machine()], code)
    assert "vfmadd213sd" not in code
