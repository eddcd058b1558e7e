# SPDX-License-Identifier: Apache-2.0
"""Complex-step derivatives through the lane kernel are exact; a lane leaves no trace in its scratch memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.linear_oracle import vector
from tests.engine.linear_regimens import parameter_rows, regimens, structures, table

from sirolens.engine.linear import (
    NEUTRAL,
    PARAMETERS,
    Structure,
    concentrations,
    events_from_columns,
    lane_concentrations,
    lane_steady_state,
    lane_work,
    steady_state,
)

STEP = 1e-20
# Central difference with relative step h: truncation h^2 and rounding eps / h meet near 1e-10 of the largest level.
DIFFERENCE_STEP, DIFFERENCE_ERROR = 1e-5, 2e-7


def used(structure: Structure) -> list[int]:
    names = ["cl_l_h", "v1_l", "f1", "f2", "lag1_h", "lag2_h", "duration1_h", "duration2_h", "rate1_mg_h", "rate2_mg_h"]
    names += [f"{x}{i}_{u}" for i in range(2, structure.compartments + 1) for x, u in (("q", "l_h"), ("v", "l"))]
    names += ["ka_1_h"] if structure.stages else []
    return [PARAMETERS.index(name) for name in names]


@given(structure=structures, regimen=regimens(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_complex_step_is_the_derivative(structure: Structure, regimen: Any, data: st.DataObject) -> None:
    """Oracle: central difference in the logarithm of one parameter."""
    parameters, records = regimen
    column = data.draw(st.sampled_from(used(structure)))
    # Where a dose enters or ends at the very moment of a record the level jumps or bends: keep them apart.
    parameters = parameters * np.where([n[:3] in ("lag", "dur", "rat") for n in PARAMETERS], 1.00371, 1.0)
    events = table(records)

    def moved(by: float) -> np.ndarray:
        other = parameters.copy()
        other[:, column] *= np.exp(by)
        return concentrations(structure, events, other[None]).values

    difference = (moved(DIFFERENCE_STEP) - moved(-DIFFERENCE_STEP)) / (2 * DIFFERENCE_STEP)
    turned = parameters.astype(complex)
    turned[:, column] *= 1.0 + 1j * STEP
    values = concentrations(structure, events, turned[None]).values
    plain = moved(0.0)
    scale = max(np.abs(plain).max(initial=0.0), np.abs(difference).max(initial=0.0), 1e-300)
    np.testing.assert_allclose(values.real, plain, rtol=1e-12, atol=1e-14 * scale)
    np.testing.assert_allclose(values.imag / STEP, difference, rtol=0, atol=DIFFERENCE_ERROR * scale)


def test_derivatives_at_coinciding_rates_are_exact() -> None:
    """Oracle: d/dka of D/V ka/(ka - k) (exp(-kt) - exp(-ka t)) at ka = k is D/V exp(-kt) t (1 - kt/2)."""
    k, v, t = 0.1, 50.0, np.array([0.3, 5.0, 40.0])
    row = vector(cl_l_h=k * v, v1_l=v, ka_1_h=k).astype(complex)
    row[PARAMETERS.index("ka_1_h")] += 1j * STEP
    events = events_from_columns(time_h=[0, *t], evid=[1, 0, 0, 0], amount_mg=[2, 0, 0, 0])
    got = concentrations(Structure(compartments=1, absorption="first-order"), events, [row]).values.imag / STEP
    np.testing.assert_allclose(got, 1000 * 2 / v * np.exp(-k * t) * t * (1 - k * t / 2), rtol=1e-13)


def test_derivatives_of_three_compartments_with_equal_return_rates_are_exact() -> None:
    """Oracle: with k21 = k31 the two peripheral compartments act as one of Q2 + Q3 and V2 + V3."""
    three = vector(cl_l_h=10, v1_l=100, q2_l_h=20, v2_l=150, q3_l_h=40, v3_l=300, ka_1_h=0.7).astype(complex)
    two = vector(cl_l_h=10, v1_l=100, q2_l_h=60, v2_l=450, ka_1_h=0.7).astype(complex)
    events = events_from_columns(time_h=[0, 1, 30, 200], evid=[1, 0, 0, 0], amount_mg=[5, 0, 0, 0], ii_h=12, addl=9)
    for name in ("cl_l_h", "v1_l", "ka_1_h"):
        a, b = three.copy(), two.copy()
        a[PARAMETERS.index(name)] += 1j * STEP
        b[PARAMETERS.index(name)] += 1j * STEP
        x = concentrations(Structure(compartments=3, absorption="first-order"), events, [a]).values
        y = concentrations(Structure(compartments=2, absorption="first-order"), events, [b]).values
        np.testing.assert_allclose(x.real, y.real, rtol=1e-12)
        np.testing.assert_allclose(x.imag, y.imag, rtol=1e-10)


@given(structure=structures, row=parameter_rows(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_complex_step_goes_through_a_cyclic_steady_state(
    structure: Structure, row: np.ndarray, data: st.DataObject
) -> None:
    column = data.draw(st.sampled_from([i for i in used(structure) if PARAMETERS[i] in ("cl_l_h", "v1_l", "ka_1_h")]))
    cycle = {"period_h": 24.0, "dose_time_h": [0.0, 8.0], "dose_mg": [2.0, 1.0], "output_time_h": [0.123, 5.0, 23.9]}

    def moved(by: float) -> np.ndarray:
        other = row.copy()
        other[column] *= np.exp(by)
        return steady_state(structure, [other], **cycle).conc_ng_ml[0]

    turned = row.astype(complex)
    turned[column] *= 1 + 1j * STEP
    got = steady_state(structure, [turned], **cycle)
    difference = (moved(DIFFERENCE_STEP) - moved(-DIFFERENCE_STEP)) / (2 * DIFFERENCE_STEP)
    np.testing.assert_allclose(
        got.conc_ng_ml[0].imag / STEP, difference, atol=DIFFERENCE_ERROR * got.conc_ng_ml.real.max()
    )


@given(first=st.tuples(structures, regimens()), second=st.tuples(structures, regimens()))
@settings(max_examples=30, deadline=None)
def test_a_lane_leaves_no_trace_in_its_scratch_memory(first: Any, second: Any) -> None:
    """The same lane after any other lane of the same structure gives the same bits as with fresh memory."""
    structure = first[0]
    tables = [(table(records), parameters) for parameters, records in (first[1], second[1])]
    room = max(events.dose_records for events, _ in tables)
    work = lane_work(structure.code, room, tables[0][1])
    out = np.empty(max(len(events.time_h) for events, _ in tables))
    for i in (0, 1, 0):
        events, parameters = tables[i]
        n = lane_concentrations(structure.code, events.records, 0, len(events.time_h), parameters, work, out)
        assert out[:n].tobytes() == concentrations(structure, events, parameters[None]).values.tobytes()


def test_the_steady_state_kernel_is_what_steady_state_calls() -> None:
    structure = Structure(compartments=2, absorption="first-order")
    row = vector(cl_l_h=12, v1_l=120, q2_l_h=30, v2_l=400, ka_1_h=0.8)
    out = np.empty(2)
    work = lane_work(structure.code, 1, row)
    area = lane_steady_state(
        structure.code, row, 24.0, np.array([0.0]), np.array([2.0]), 1, np.array([0.0, 3.0]), work, out
    )
    whole = steady_state(structure, [row], period_h=24, dose_time_h=[0], dose_mg=[2], output_time_h=[0, 3])
    assert out.tobytes() == whole.conc_ng_ml.tobytes()
    assert area == whole.auc_ng_h_ml[0]


def test_a_missing_parameter_shows_as_nan() -> None:
    row = NEUTRAL.copy()
    row[PARAMETERS.index("v1_l")] = 100.0
    events = events_from_columns(time_h=[0, 5], evid=[1, 0], amount_mg=[2, 0])
    got = concentrations(Structure(compartments=1, absorption="none"), events, [row], check=False).values
    assert np.isnan(got).all()
