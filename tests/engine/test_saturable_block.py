# SPDX-License-Identifier: Apache-2.0
"""Saturable absorption for many lanes in step: the numbers of one lane at a time."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.linear_oracle import vector

from sirolens.engine.sampling import normal, stream
from sirolens.engine.saturable import SteadyCycle, absorbed_input
from sirolens.engine.saturable_block import BLOCK
from sirolens.engine.saturable_response import lane_response, plan, response

ROUNDING = 1e-12  # two exponentials, each right to about an ulp, raised and added some hundred times
WU = vector(cl_l_h=12.9, v1_l=53.4, q2_l_h=29.0, v2_l=611.0, q3_l_h=3.0, v3_l=200.0, f2=0.9)
VM_MG_H, KM_MG = 4.56, 13.8
LANES = BLOCK + 7


@pytest.mark.parametrize("compartments", [1, 2, 3])
@pytest.mark.parametrize("forever", [False, True])
def test_lanes_in_step_are_those_of_one_lane(compartments: int, forever: bool) -> None:
    """Oracle: the kernel for one lane, itself held against an integrator in test_saturable."""
    days = np.delete(np.arange(60), [11, 30, 31])
    stops = np.array([30.0, 23.5 * 24, 24.0 * 30, 24.0 * 44 + 3.3, 24.0 * 60])
    cycle = SteadyCycle(until_h=0.0, period_h=24.0, dose_time_h=np.zeros(1), dose_mg=np.array([2.0]))
    runs = absorbed_input(
        24.0 * days, np.where(days < 20, 2.0, 3.0), VM_MG_H, KM_MG, stops, before=cycle if forever else None
    )
    run_set = (runs.start_h >= 24.0 * 30).astype(np.int64)
    parameters = np.repeat(np.repeat(WU[None, None], LANES, 0), 2, 1)
    parameters[:, :, :6] *= np.exp(0.4 * normal(stream(1), (LANES, 1, 6)))
    parameters[:, 1, :2] *= 1.3
    found = response(runs, compartments, parameters, run_set=run_set, stop_set=(stops > 24.0 * 30).astype(int))
    made = plan(runs, run_set)
    table, table_set = np.zeros((3, made.left_h.size)), np.zeros(made.length_h.size, np.int64)
    for lane in range(LANES):
        alone = np.zeros(stops.size)
        lane_response(compartments, made, parameters[lane], table, table_set, alone)
        volume = parameters[lane, (stops > 24.0 * 30).astype(int), 1]
        assert found[lane] == pytest.approx(1000.0 * alone / volume, rel=ROUNDING)


def test_bits_do_not_depend_on_the_batch_or_the_threads() -> None:
    runs = absorbed_input(24.0 * np.arange(30), np.full(30, 2.0), VM_MG_H, KM_MG, [700.0, 720.0])
    parameters = np.repeat(WU[None], 700, 0)
    parameters[:, :4] *= np.exp(0.4 * normal(stream(2), (700, 4)))
    whole = response(runs, 2, parameters, threads=1)
    assert (response(runs, 2, parameters, threads=2) == whole).all()
    assert (np.concatenate([response(runs, 2, parameters[i : i + 9]) for i in range(0, 700, 9)]) == whole).all()
