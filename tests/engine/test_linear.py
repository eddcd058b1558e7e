# SPDX-License-Identifier: Apache-2.0
"""Linear compartments are exact: against DOP853, against closed forms in many digits, and by their own properties."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.linear_oracle import exact_oral, follow, matrix, vector
from tests.engine.linear_regimens import log_uniform, parameter_rows, regimens, structures, table

from sirolens.engine.linear import (
    NEUTRAL,
    PARAMETERS,
    Structure,
    concentrations,
    events_from_columns,
    steady_state,
)
from sirolens.errors import InputError

# The bar of the project: the integrator's own error at rtol 1e-12 stays two orders below it.
RELATIVE, OF_PEAK = 1e-8, 1e-10
# Closed forms are exact to 1e-30: what is left is rounding of float64 over at most a few hundred operations, and
# eps * rate * time in the exponent.
ROUNDING = 1e-11
# Two exact ways through the same float64 sums, in another order.
REORDERED = 1e-12


def close(got: np.ndarray, expected: np.ndarray, *, relative: float, of_peak: float, peak: float | None = None) -> None:
    bound = relative * np.abs(expected) + of_peak * (np.abs(expected).max(initial=0.0) if peak is None else peak)
    worst = np.max(np.abs(got - expected) - bound, initial=-1.0)
    assert worst <= 0.0, (got, expected)


@given(structure=structures, regimen=regimens())
@settings(max_examples=120, deadline=None)
def test_every_event_kind_matches_an_independent_integrator(
    structure: Structure, regimen: tuple[np.ndarray, list[dict[str, Any]]]
) -> None:
    """Oracle: SciPy DOP853 (rtol 1e-12) over an expanded dose list, tests/engine/linear_oracle.py."""
    parameters, records = regimen
    expected, peak = follow(structure, parameters, records)
    got = concentrations(structure, table(records), parameters[None]).values
    close(got, expected, relative=RELATIVE, of_peak=OF_PEAK, peak=peak)


@given(
    compartments=st.integers(1, 3),
    stages=st.sampled_from([1, 2, 5]),
    ka=log_uniform(0.01, 50.0),
    k=log_uniform(1e-4, 5.0),
    q=st.tuples(log_uniform(1e-3, 5.0), log_uniform(1e-3, 5.0)),
    v=st.tuples(log_uniform(0.05, 50.0), log_uniform(0.05, 50.0)),
    hours=st.lists(log_uniform(1e-3, 8760.0), min_size=1, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_tiny_and_huge_rates_over_up_to_a_year_match_the_closed_form(
    compartments: int, stages: int, ka: float, k: float, q: Any, v: Any, hours: list[float]
) -> None:
    """Oracle: partial fractions in 70 to 220 decimal digits."""
    row = vector(
        cl_l_h=100 * k, v1_l=100, q2_l_h=100 * q[0], v2_l=100 * v[0], q3_l_h=100 * q[1], v3_l=100 * v[1], ka_1_h=ka
    )
    _matches_closed_form(row, compartments, stages, np.sort(hours))


def _matches_closed_form(row: np.ndarray, compartments: int, stages: int, hours: np.ndarray) -> None:
    structure = Structure(compartments=compartments, absorption="transit", transit=stages)
    times = np.concatenate(([0.0], hours))
    events = events_from_columns(time_h=times, evid=times == 0.0, amount_mg=np.where(times == 0.0, 5.0, 0.0))
    expected = np.array([exact_oral(row, compartments, stages, 5.0, t) for t in hours])
    close(concentrations(structure, events, [row]).values, expected, relative=ROUNDING, of_peak=1e-300)


@pytest.mark.parametrize("apart", [0.0, 1e-16, 1e-12, 1e-8, 1e-4, -1e-10], ids=str)
@pytest.mark.parametrize("stages", [1, 2, 4])
@pytest.mark.parametrize("compartments", [1, 2, 3])
def test_coinciding_rates_are_exact(compartments: int, stages: int, apart: float) -> None:
    """ka = k10 and ktr = ka (one compartment), ka = an eigenvalue and k21 = k31 (more), and all of them nearly."""
    row = vector(cl_l_h=10, v1_l=100, q2_l_h=20, v2_l=150, q3_l_h=40, v3_l=300 * (1 + apart), ka_1_h=0.1)
    rates = {
        1: 0.1,
        2: np.linalg.eigvals([[0.3, -0.2], [-0.2 / 1.5, 0.2 / 1.5]]).real.min(),
        3: 0.4 / 3.0,  # with k21 = k31 this is a rate of its own that the central compartment does not see
    }
    row[PARAMETERS.index("ka_1_h")] = rates[compartments] * (1 + apart)
    _matches_closed_form(row, compartments, stages, np.array([0.01, 1.0, 24.0, 300.0]))


def test_an_infusion_into_the_absorption_compartment_is_exact_from_seconds_to_weeks() -> None:
    """Oracle: one compartment and one stage, inputs integrated by hand; ka = k and ka apart from k."""
    structure = Structure(compartments=1, absorption="first-order")
    for ka, k in [(0.3, 0.05), (0.05, 0.05), (2.0, 1e-4), (1e-2, 1.0)]:
        for lasts in (1e-3, 0.5, 10.0, 400.0):
            row = vector(cl_l_h=100 * k, v1_l=100, ka_1_h=ka, duration1_h=lasts)
            events = events_from_columns(time_h=[0, lasts], evid=[1, 0], amount_mg=[2, 0], rate_mg_h=[-2, 0])
            got = concentrations(structure, events, [row]).values
            expected = _infused_amount(ka, k, lasts) * (2 / lasts) * 1000 / 100
            np.testing.assert_allclose(got, expected, rtol=1e-10)  # the hand formula itself cancels a few digits


def _infused_amount(ka: float, k: float, t: float) -> float:
    """Central amount after unit input into stage 1 for t: a double series in ka t and k t, or partial fractions."""
    if max(ka, k) * t < 2.0:
        total, n_factorial = 0.0, 1.0
        for n in range(60):
            homogeneous = sum((-k) ** i * (-ka) ** (n - i) for i in range(n + 1))
            n_factorial = n_factorial * (n + 1) if n else 1.0
            total += ka * homogeneous * t ** (n + 2) / (n_factorial * (n + 2) * 1.0)
        return total
    if ka == k:
        return (1 - np.exp(-k * t) * (1 + k * t)) / k
    return float(-np.expm1(-k * t) / k - (np.exp(-k * t) - np.exp(-ka * t)) / (ka - k))


@given(structure=structures, regimen=regimens(resets=False), factor=st.floats(0.1, 10.0))
@settings(max_examples=60, deadline=None)
def test_concentration_is_proportional_to_dose(structure: Structure, regimen: Any, factor: float) -> None:
    parameters, records = regimen
    more = [r | {"amount_mg": factor * r["amount_mg"]} for r in records]
    for r, m in zip(records, more, strict=True):
        m["rate_mg_h"] = factor * r["rate_mg_h"] if r["rate_mg_h"] > 0 else r["rate_mg_h"]
    scaled = parameters.copy()
    for name in ("rate1_mg_h", "rate2_mg_h"):
        scaled[:, PARAMETERS.index(name)] *= factor
    once = concentrations(structure, table(records), parameters[None]).values
    close(concentrations(structure, table(more), scaled[None]).values, factor * once, relative=REORDERED, of_peak=1e-13)


@given(structure=structures, regimen=regimens(resets=False))
@settings(max_examples=60, deadline=None)
def test_doses_superpose(structure: Structure, regimen: Any) -> None:
    """Each dose alone, every other amount and rate left out, adds up to all of them together (SS = 1 made SS = 2)."""
    parameters, records = regimen
    records = [r | {"ss": 2 if r["ss"] else 0} for r in records]
    doses = [i for i, r in enumerate(records) if r["evid"] == 1]
    together = concentrations(structure, table(records), parameters[None]).values
    apart = np.zeros_like(together)
    for i in doses:
        alone = [r | {"evid": 2} if j in doses and j != i else r for j, r in enumerate(records)]
        apart += concentrations(structure, table(alone), parameters[None]).values
    close(apart, together, relative=REORDERED, of_peak=1e-13)


def _cohort(seed: int, lanes: int) -> tuple[Structure, Any, np.ndarray]:
    rng = np.random.default_rng(seed)
    structure = Structure(compartments=2, absorption="first-order")
    records = rng.integers(20, 60, lanes)
    start = np.concatenate(([0], np.cumsum(records)))
    evid = rng.integers(0, 2, start[-1])
    evid[start[:-1]] = 1
    time = np.concatenate([np.sort(rng.uniform(0, 600, n)) for n in records])
    events = events_from_columns(time_h=time, evid=evid, amount_mg=np.where(evid == 1, 2.0, 0.0), start=start)
    parameters = np.tile(vector(cl_l_h=12, v1_l=120, q2_l_h=30, v2_l=400, ka_1_h=0.8), (lanes, 1))
    parameters *= np.exp(rng.normal(0, 0.3, parameters.shape))
    return structure, events, parameters


def test_chunks_threads_and_company_do_not_change_a_bit() -> None:
    structure, events, parameters = _cohort(1, 1200)
    one = concentrations(structure, events, parameters, threads=1)
    many = concentrations(structure, events, parameters, threads=4)
    assert one.values.tobytes() == many.values.tobytes()
    some = np.array([7, 1100, 7, 3])
    few = concentrations(structure, events, parameters[some], some)
    for i, patient in enumerate(some):
        assert few.row(i).tobytes() == one.row(patient).tobytes()


def test_splitting_an_interval_by_other_events_changes_only_rounding() -> None:
    structure = Structure(compartments=3, absorption="transit", transit=4)
    row = vector(cl_l_h=12, v1_l=120, q2_l_h=30, v2_l=400, q3_l_h=3, v3_l=900, ka_1_h=1.4, duration2_h=30)
    cuts = np.arange(1.0, 77.7, 0.37)

    def split_at(times: Any) -> Any:
        none = [0] * len(times)
        return events_from_columns(
            time_h=[0, 1, *times, 77.7],
            evid=[1, 1, *(2 for _ in times), 0],
            amount_mg=[5, 3, *none, 0],
            compartment=[1, 2, *none, 0],
            rate_mg_h=[0, -2, *none, 0],
        )

    whole, split = split_at([]), split_at(cuts)
    one, other = (concentrations(structure, e, [row]).values for e in (whole, split))
    np.testing.assert_allclose(one, other, rtol=REORDERED)


@given(structure=structures, row=parameter_rows(), period=st.sampled_from([12.0, 24.0, 168.0]), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_cyclic_steady_state_is_the_limit_of_many_cycles(
    structure: Structure, row: np.ndarray, period: float, data: st.DataObject
) -> None:
    """Oracle: the same doses given for so many cycles that what is missing has decayed below 1e-13."""
    offsets = data.draw(st.lists(st.floats(0.0, period * 0.99), min_size=1, max_size=3, unique=True))
    outputs = np.array(data.draw(st.lists(st.floats(0.0, period), min_size=1, max_size=4)))
    doses = np.arange(1.0, len(offsets) + 1.0)
    slowest = min(np.abs(np.linalg.eigvals(_disposition(structure, row))).min(), row[6] if structure.stages else np.inf)
    cycles = int(45.0 / (slowest * period)) + 4
    late = [{"time_h": o - 1.0, "amount_mg": d, "evid": 1} for o, d in zip(offsets, doses, strict=True)]
    late = sorted(late, key=lambda r: r["time_h"])
    # An hour of slack puts each output clear of a dose that arrives at the same moment.
    look = cycles * period - 1.0 + np.sort(outputs)
    events = events_from_columns(
        time_h=[*(r["time_h"] for r in late), *look],
        evid=[*(1 for _ in late), *(0 for _ in look)],
        amount_mg=[*(r["amount_mg"] for r in late), *(0 for _ in look)],
        ii_h=period,
        addl=cycles + 2,
    )
    expected = concentrations(structure, events, [row]).values
    got = steady_state(
        structure, [row], period_h=period, dose_time_h=offsets, dose_mg=doses, output_time_h=np.sort(outputs)
    )
    jumps = np.min(
        np.abs((np.sort(outputs)[:, None] - np.array(offsets) - row[8] + period / 2) % period - period / 2), axis=1
    )
    clear = jumps > 1e-9  # at a dose itself one looks before it, the other after it
    close(got.conc_ng_ml[0][clear], expected[clear], relative=1e-9, of_peak=1e-9)
    assert got.auc_ng_h_ml[0] == pytest.approx(1000.0 * row[7] * doses.sum() / row[0], rel=1e-14)


def _disposition(structure: Structure, row: np.ndarray) -> np.ndarray:
    return matrix(Structure(compartments=structure.compartments, absorption="none"), row)


def test_the_area_over_a_cycle_is_the_integral_of_the_curve() -> None:
    """Oracle: Gauss-Legendre quadrature of the curve between doses."""
    structure = Structure(compartments=2, absorption="first-order")
    row = vector(cl_l_h=12, v1_l=120, q2_l_h=30, v2_l=400, ka_1_h=0.8, f1=0.7)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = [0.0, 8.0, 24.0]
    times = np.concatenate([0.5 * (b - a) * nodes + 0.5 * (a + b) for a, b in pairwise(edges)])
    scale = np.concatenate([0.5 * (b - a) * weights for a, b in pairwise(edges)])
    got = steady_state(structure, [row], period_h=24, dose_time_h=[0, 8], dose_mg=[1, 0.5], output_time_h=times)
    np.testing.assert_allclose(got.conc_ng_ml[0] @ scale, got.auc_ng_h_ml[0], rtol=1e-12)


def test_a_trough_is_asked_before_the_dose_of_its_own_time() -> None:
    structure, row = Structure(compartments=1, absorption="none"), vector(cl_l_h=5, v1_l=100)
    got = steady_state(structure, [row], period_h=24, dose_time_h=[0], dose_mg=[1], output_time_h=[0, 24, 1e-9])
    left = np.exp(-1.2)
    np.testing.assert_allclose(got.conc_ng_ml[0], 10 * np.array([left, left, 1.0]) / (1 - left), rtol=1e-9)


BAD_PARAMETERS = {
    "cl_l_h": (-1.0, "events.parameter-negative"),
    "v1_l": (0.0, "events.parameter-not-positive"),
    "ka_1_h": (0.0, "events.parameter-not-positive"),
    "lag1_h": (-0.1, "events.parameter-negative"),
    "f1": (np.nan, "events.parameter-negative"),
    "duration1_h": (0.0, "events.parameter-not-positive"),
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_a_parameter_no_patient_can_have_is_named(name: str) -> None:
    value, code = BAD_PARAMETERS[name]
    row = vector(cl_l_h=1, v1_l=1, ka_1_h=1, duration1_h=1)
    row[PARAMETERS.index(name)] = value
    events = events_from_columns(time_h=[0, 1], evid=[1, 0], amount_mg=1, rate_mg_h=-2)
    with pytest.raises(InputError) as caught:
        concentrations(Structure(compartments=1, absorption="first-order"), events, [row])
    [message] = caught.value.messages
    assert message.code == code
    assert message.values["parameter"] == name


def test_shapes_that_do_not_fit_are_refused() -> None:
    events = events_from_columns(time_h=[0, 1], evid=[1, 0], amount_mg=1, before=[0, 1])
    oral = Structure(compartments=1, absorption="first-order")
    for parameters, lanes, code in [
        (np.ones((1, 14)), None, "events.parameters-shape"),
        (np.ones((1, 15)), None, "events.set-missing"),
        (np.ones((1, 2, 15)), [1], "events.patient-missing"),
    ]:
        with pytest.raises(InputError, match=code):
            concentrations(oral, events, parameters, lanes)


def test_structures_that_do_not_exist_are_refused() -> None:
    for bad in (
        {"compartments": 4, "absorption": "none"},
        {"compartments": 1, "absorption": "second-order"},
        {"compartments": 1, "absorption": "transit"},
        {"compartments": 1, "absorption": "none", "transit": 3},
    ):
        with pytest.raises(InputError):
            Structure(**bad)


def test_a_cycle_that_is_none_is_refused() -> None:
    row = vector(cl_l_h=1, v1_l=1)
    with pytest.raises(InputError, match=r"events\.cycle-impossible"):
        steady_state(
            Structure(compartments=1, absorption="none"),
            [row],
            period_h=0,
            dose_time_h=[0],
            dose_mg=[1],
            output_time_h=[0],
        )


def test_neutral_values_leave_what_is_not_given_visible() -> None:
    assert np.isnan(NEUTRAL[:2]).all()
    assert NEUTRAL[PARAMETERS.index("f1")] == NEUTRAL[PARAMETERS.index("f2")] == 1.0
    assert not NEUTRAL.flags.writeable
