# SPDX-License-Identifier: Apache-2.0
"""Saturable absorption as boluses: against the equations themselves, integrated, and against conservation of mass."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import wrightomega

from sirolens.engine.expression import parse
from sirolens.engine.linear import NEUTRAL, Structure, concentrations, steady_state
from sirolens.engine.linear_events import Events, events_from_columns
from sirolens.engine.ode import System, compile_system, solve
from sirolens.engine.saturable import (
    FOREVER,
    BolusRuns,
    SteadyCycle,
    absorbed_input,
    depot_after,
    periodic_depot,
    periodic_input,
)
from sirolens.engine.saturable_response import response
from sirolens.errors import InputError

VMAX, KM = 4.56, 13.8  # mg/h, mg: Wu 2012
WU = np.array([12.9, 53.4, 29.0, 611.0])  # CL/F, V1/F, Q/F, V2/F at haematocrit 35.1 %

# The promise of the file: 1e-8 of the value, with 1e-10 of the peak for what has nearly gone.
RELATIVE, OF_PEAK = 1e-8, 1e-10
# Two evaluations of the same exact formula.
ROUNDING = 2e-13


def _parameters(*rows: np.ndarray) -> np.ndarray:
    full = np.tile(NEUTRAL, (len(rows), 1))
    full[:, :4] = rows
    return full


@cache
def wu_equations() -> System:
    """Wu 2012 as differential equations; the oracle."""
    return compile_system(
        ["depot", "central", "peripheral"],
        ["cl", "v1", "q", "v2", "vmax", "km"],
        {
            "depot": parse("-uptake"),
            "central": parse("uptake - (cl + q)/v1*central + q/v2*peripheral"),
            "peripheral": parse("q/v1*central - q/v2*peripheral"),
        },
        parse("1000*central/v1"),
        definitions={"uptake": parse("vmax*depot/(km + depot)")},
    )


def _integrated(time_h: np.ndarray, dose_mg: np.ndarray, stop_h: np.ndarray, *disposition: np.ndarray) -> np.ndarray:
    """Oracle: concentrations at the stops, by the adaptive integrator."""
    all_h = np.concatenate((time_h, stop_h))
    order = np.argsort(all_h, kind="stable")
    events = events_from_columns(
        time_h=all_h[order],
        evid=np.concatenate((np.ones(time_h.size), np.zeros(stop_h.size)))[order],
        amount_mg=np.concatenate((dose_mg, np.zeros(stop_h.size)))[order],
    )
    lanes = [[*row, VMAX, KM] for row in disposition]
    found = solve(wu_equations(), events, lanes, np.zeros(len(lanes), int), rtol=1e-11, atol=1e-14)
    assert found.success.all()
    in_order = np.empty((len(lanes), stop_h.size))
    in_order[:, np.argsort(stop_h, kind="stable")] = found.values.reshape(len(lanes), -1)
    return in_order


def _assert_close(found: np.ndarray, exact: np.ndarray) -> None:
    np.testing.assert_allclose(found, exact, rtol=RELATIVE, atol=OF_PEAK * max(exact.max(), 1e-300))


def test_the_depot_follows_wrights_omega_function_from_tiny_to_huge_doses() -> None:
    # Oracle: SciPy's Wright omega function; beyond its reach the defining equation w + ln w = z.
    for amount in (1e-12, 0.5, 2.0, 40.0, 1e4, 1e9):
        time_h = np.linspace(0.0, 4.0 * (amount + 40.0 * KM) / VMAX, 500)
        left = depot_after(amount, time_h, VMAX, KM)
        z = amount / KM + math.log(amount / KM) - VMAX * time_h / KM
        seen = left > 1e-280
        np.testing.assert_allclose(left[seen], KM * wrightomega(z[seen]).real, rtol=1e-12 + 1e-15 * abs(z[0]))
        assert left[0] == pytest.approx(amount, rel=1e-14 + 1e-16 * abs(z[0]))
        assert np.all(np.diff(left) <= 0.0)
    assert depot_after(0.0, 3.0, VMAX, KM) == 0.0


@settings(deadline=None)
@given(st.floats(0.01, 200.0), st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_waiting_twice_is_waiting_once(amount_mg: float, first_h: float, then_h: float) -> None:
    halfway = float(depot_after(amount_mg, first_h, VMAX, KM))
    assert depot_after(halfway, then_h, VMAX, KM) == pytest.approx(
        float(depot_after(amount_mg, first_h + then_h, VMAX, KM)), rel=1e-11
    )


def test_the_settled_depot_of_one_dose_a_cycle_has_a_closed_form() -> None:
    # Oracle: D / (exp((Vm T - D)/Km) - 1), from equating the depot before and after a cycle.
    for dose_mg, period_h in ((2.0, 24.0), (40.0, 24.0), (109.0, 24.0), (109.4, 24.0), (60.0, 168.0), (0.5, 12.0)):
        exact = dose_mg / math.expm1((VMAX * period_h - dose_mg) / KM)
        # Near the capacity of 109.44 mg a day the difference Vm T - D itself loses digits.
        room = 1e-13 + 1e-14 * dose_mg / (VMAX * period_h - dose_mg)
        assert periodic_depot(period_h, [0.0], [dose_mg], VMAX, KM) == pytest.approx(exact, rel=10 * room)


cycles = st.lists(st.tuples(st.floats(0.0, 23.9), st.floats(0.1, 30.0)), min_size=1, max_size=5)


@settings(deadline=None)
@given(cycles)
def test_the_settled_depot_comes_back_to_itself(doses: list[tuple[float, float]]) -> None:
    doses = sorted(doses)
    assume(sum(dose for _, dose in doses) < 0.98 * VMAX * 24.0)
    before = periodic_depot(24.0, [at for at, _ in doses], [dose for _, dose in doses], VMAX, KM)
    amount, now = before, 0.0
    for at, dose in doses:
        amount = float(depot_after(amount, at - now, VMAX, KM)) + dose
        now = at
    assert float(depot_after(amount, 24.0 - now, VMAX, KM)) == pytest.approx(before, rel=1e-11)


regimens = st.lists(
    st.tuples(st.sampled_from([0.0, 6.0, 12.0, 24.0, 24.0, 24.0, 168.0, 7.3]), st.sampled_from([0.5, 2.0, 2.0, 30.0])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(regimens, st.lists(st.floats(0.05, 400.0), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_boluses_give_what_the_equations_give(
    regimen: list[tuple[float, float]], stops: list[float], seed: int
) -> None:
    # Oracle: the equations of Wu 2012, integrated at 1e-11, for the typical patient and for wide draws.
    time_h = np.cumsum([gap for gap, _ in regimen])
    dose_mg = np.array([dose for _, dose in regimen])
    stop_h = np.array([*stops, time_h[-1], time_h[-1] + 24.0])
    draws = WU * np.exp(np.random.default_rng(seed).normal(0.0, [0.5, 0.9, 0.6, 0.3], (3, 4)))
    runs = absorbed_input(time_h, dose_mg, VMAX, KM, stop_h)
    found = response(runs, 2, _parameters(WU, *draws))
    _assert_close(found, _integrated(time_h, dose_mg, stop_h, WU, *draws))


def test_the_fastest_rate_that_is_promised_is_resolved() -> None:
    # A one-compartment disposition at exactly the default's 20 per hour, against direct integration.
    fast = np.array([20.0 * 53.4, 53.4, 0.0, 1.0])
    time_h, dose_mg = 24.0 * np.arange(4), np.full(4, 2.0)
    stop_h = np.array([0.1, 5.0, 24.0, 24.3, 71.0, 96.0])
    runs = absorbed_input(time_h, dose_mg, VMAX, KM, stop_h)
    _assert_close(response(runs, 1, _parameters(fast)), _integrated(time_h, dose_mg, stop_h, fast))


@settings(deadline=None)
@given(regimens, st.floats(0.5, 3.0))
def test_what_is_given_is_absorbed_or_still_in_the_depot(regimen: list[tuple[float, float]], later: float) -> None:
    time_h = np.cumsum([gap for gap, _ in regimen])
    dose_mg = np.array([dose for _, dose in regimen])
    runs = absorbed_input(time_h, dose_mg, VMAX, KM, [later * (time_h[-1] + 1.0)])
    known = time_h <= later * (time_h[-1] + 1.0)
    assert (runs.amount_mg >= 0.0).all()
    assert runs.boluses[1].sum() + runs.end_mg == pytest.approx(dose_mg[known].sum(), rel=1e-12)


def _as_events(runs: BolusRuns, stop_h: np.ndarray) -> Events:
    records = runs.records
    none = np.zeros(stop_h.size)
    all_h = np.concatenate((records.time_h, stop_h))
    order = np.argsort(all_h, kind="stable")
    return events_from_columns(
        time_h=all_h[order],
        evid=np.concatenate((np.ones(records.time_h.size), none))[order],
        amount_mg=np.concatenate((records.amount_mg, none))[order],
        ii_h=np.concatenate((records.ii_h, none))[order],
        addl=np.concatenate((records.addl, none))[order],
        ss=np.concatenate((records.ss, none))[order],
        compartment=2,
    )


TWICE_A_DAY = SteadyCycle(until_h=0.0, period_h=24.0, dose_time_h=np.array([0.0, 9.0]), dose_mg=np.array([3.0, 1.0]))


@pytest.mark.parametrize("before", [None, TWICE_A_DAY], ids=["nothing before", "a cycle for ever before"])
def test_runs_summed_at_once_equal_their_boluses_one_by_one(before: SteadyCycle | None) -> None:
    # Oracle: the linear engine, given every node as a dose record.
    stop_h = np.array([30.0 * 24.0, 31.0 * 24.0 + 5.0, 60.0 * 24.0])
    dose_mg = np.concatenate((np.full(31, 2.0), np.full(29, 4.0)))
    runs = absorbed_input(24.0 * np.arange(60), dose_mg, VMAX, KM, stop_h, before=before)
    lanes = _parameters(WU, 2.0 * WU)
    one_by_one = concentrations(
        Structure(compartments=2, absorption="none"), _as_events(runs, stop_h), lanes, np.zeros(2, int)
    )
    np.testing.assert_allclose(response(runs, 2, lanes), one_by_one.values.reshape(2, -1), rtol=ROUNDING)


def test_a_cycle_repeated_for_ever_is_the_limit_of_a_long_history() -> None:
    cycle_h, cycle_mg = np.array([1.0, 9.0]), np.array([3.0, 1.0])
    until_h, stop_h = 48.0, np.array([48.0, 50.0, 96.0])
    before = SteadyCycle(until_h=until_h, period_h=24.0, dose_time_h=cycle_h, dose_mg=cycle_mg)
    steady = absorbed_input([60.0], [5.0], VMAX, KM, stop_h, before=before)
    assert steady.cycles[0] == FOREVER
    long_h = (until_h - 24.0 * np.arange(800, 0, -1)[:, None] + cycle_h).ravel()
    long = absorbed_input(np.append(long_h, 60.0), np.append(np.tile(cycle_mg, 800), 5.0), VMAX, KM, stop_h)
    lanes = _parameters(WU, 0.5 * WU, WU * [1.0, 3.0, 1.0, 1.0])
    np.testing.assert_allclose(response(steady, 2, lanes), response(long, 2, lanes), rtol=1e-10)


@settings(deadline=None, max_examples=30)
@given(cycles, st.lists(st.floats(0.0, 24.0), min_size=1, max_size=4))
def test_one_periodic_cycle_drives_the_linear_steady_state(
    doses: list[tuple[float, float]], stops: list[float]
) -> None:
    # Oracle: the same regimen as runs with a cycle repeated for ever before, whose own oracle stands above.
    cycle_h, cycle_mg = np.array([at for at, _ in doses]), np.array([dose for _, dose in doses])
    assume(cycle_mg.sum() < 0.9 * VMAX * 24.0)
    node_h, node_mg = periodic_input(24.0, cycle_h, cycle_mg, VMAX, KM, stops)
    assert node_mg.sum() == pytest.approx(cycle_mg.sum(), rel=1e-11)
    assert np.all((node_h >= 0.0) & (node_h < 24.0))
    lanes = _parameters(WU, WU * [1.0, 0.4, 2.0, 1.0])
    found = steady_state(
        Structure(compartments=2, absorption="none"),
        lanes,
        period_h=24.0,
        dose_time_h=node_h,
        dose_mg=node_mg,
        output_time_h=np.array(stops),
        compartment=2,
    )
    before = SteadyCycle(until_h=0.0, period_h=24.0, dose_time_h=cycle_h, dose_mg=cycle_mg)
    stop_h = np.array(stops)
    runs = absorbed_input(cycle_h, cycle_mg, VMAX, KM, stop_h, before=before)
    _assert_close(found.conc_ng_ml, response(runs, 2, lanes))
    np.testing.assert_allclose(found.auc_ng_h_ml, 1000.0 * cycle_mg.sum() / lanes[:, 0], rtol=1e-11)


def test_parameters_that_change_do_so_where_the_runs_are_cut() -> None:
    # Oracle: the equations with parameter sets by record.
    time_h, dose_mg = 24.0 * np.arange(20), np.full(20, 2.0)
    change_h, stop_h = 200.0, np.array([192.0, 200.0, 300.0, 479.0])
    runs = absorbed_input(time_h, dose_mg, VMAX, KM, stop_h)
    run_set = (runs.start_h >= change_h).astype(int)
    slow = WU * [0.4, 1.0, 1.0, 1.0]
    found = response(runs, 2, np.stack([_parameters(WU, slow)]), run_set=run_set, stop_set=[0, 0, 1, 1])
    all_h = np.concatenate((time_h, stop_h))
    order = np.argsort(all_h, kind="stable")
    events = events_from_columns(
        time_h=all_h[order],
        evid=np.concatenate((np.ones(20), np.zeros(4)))[order],
        amount_mg=np.concatenate((dose_mg, np.zeros(4)))[order],
        before=(all_h[order] > change_h).astype(int),
    )
    sets = np.array([[[*WU, VMAX, KM], [*slow, VMAX, KM]]])
    exact = solve(wu_equations(), events, sets, rtol=1e-11, atol=1e-14)
    _assert_close(found[0], exact.values)


def test_a_complex_step_gives_the_derivative() -> None:
    # Oracle: central differences, whose own error is some 1e-9 of the value.
    runs = absorbed_input(24.0 * np.arange(40), np.full(40, 2.0), VMAX, KM, [240.0, 965.0])
    for j in range(4):
        step = np.zeros(15)
        step[j] = 1e-20
        exact = response(runs, 2, _parameters(WU) + 1j * step).imag / 1e-20
        h = 1e-5 * WU[j]
        above, below = (response(runs, 2, _parameters(WU + sign * h * np.eye(4)[j])) for sign in (1, -1))
        np.testing.assert_allclose(exact, (above - below) / (2 * h), rtol=1e-6)


def test_lanes_do_not_see_each_other() -> None:
    runs = absorbed_input(24.0 * np.arange(40), np.full(40, 2.0), VMAX, KM, [240.0, 965.0])
    lanes = _parameters(*(WU * np.exp(np.random.default_rng(3).normal(0.0, 0.4, (2500, 4)))))
    whole = response(runs, 2, lanes, threads=1)
    assert whole.tobytes() == response(runs, 2, lanes, threads=3).tobytes()
    assert whole[::-1].tobytes() == response(runs, 2, lanes[::-1]).tobytes()
    assert whole[17:18].tobytes() == response(runs, 2, lanes[17:18]).tobytes()


def test_regular_histories_are_few_runs() -> None:
    day = 24.0 * np.arange(180)
    daily = absorbed_input(day, np.full(180, 2.0), VMAX, KM, [4320.0])
    assert daily.cycles.size <= 8
    assert daily.offset_h.size <= 150, "some 15 nodes a cycle, three times that towards a stop"
    assert daily.cycles.sum() == 180
    twice = absorbed_input((day[:, None] + [0.0, 12.0]).ravel(), np.tile([2.0, 1.0], 180), VMAX, KM, [4320.0])
    assert twice.cycles.size <= 25
    weekdays = absorbed_input(day, np.where(np.arange(180) % 7 < 5, 2.0, 0.0), VMAX, KM, [4320.0])
    assert weekdays.cycles.size <= 25
    clock_times = absorbed_input(day + 8.0 + 1.0 / 3.0, np.full(180, 2.0), VMAX, KM, [4320.0 + 8.0 + 1.0 / 3.0])
    assert clock_times.cycles.size <= 8


def test_nothing_given_is_nothing_found() -> None:
    lanes = _parameters(WU)
    for time_h, dose_mg, stop_h in (
        ([], [], [5.0]),
        ([10.0], [2.0], [5.0, 10.0]),
        ([0.0], [0.0], [5.0]),
        ([0.0], [2.0], []),
    ):
        runs = absorbed_input(time_h, dose_mg, VMAX, KM, stop_h)
        assert response(runs, 2, lanes).tolist() == [[0.0] * len(stop_h)]


def test_order_of_input_does_not_matter_and_doses_at_one_time_add_up() -> None:
    lanes = _parameters(WU)
    plain = response(absorbed_input([0.0, 24.0], [3.0, 2.0], VMAX, KM, [20.0, 40.0]), 2, lanes)
    mixed = response(absorbed_input([24.0, 0.0, 0.0], [2.0, 1.0, 2.0], VMAX, KM, [40.0, 20.0, 40.0]), 2, lanes)
    assert mixed.tolist() == [[plain[0, 1], plain[0, 0], plain[0, 1]]]


@pytest.mark.parametrize(
    ("code", "arguments", "how"),
    [
        ("dose-impossible", ([0.0], [-1.0], VMAX, KM, [1.0]), {}),
        ("dose-impossible", ([0.0], [math.inf], VMAX, KM, [1.0]), {}),
        ("time-impossible", ([math.nan], [1.0], VMAX, KM, [1.0]), {}),
        ("time-impossible", ([0.0], [1.0], VMAX, KM, [math.inf]), {}),
        ("absorption-impossible", ([0.0], [1.0], 0.0, KM, [1.0]), {}),
        ("absorption-impossible", ([0.0], [1.0], VMAX, math.nan, [1.0]), {}),
        ("doses-shape", ([0.0, 1.0], [1.0], VMAX, KM, [1.0]), {}),
        (
            "time-impossible",
            ([0.0], [1.0], VMAX, KM, [5.0]),
            {"before": SteadyCycle(until_h=3.0, period_h=24.0, dose_time_h=np.zeros(1), dose_mg=np.ones(1))},
        ),
        (
            "no-steady-state",
            ([5.0], [1.0], VMAX, KM, [5.0]),
            {"before": SteadyCycle(until_h=3.0, period_h=24.0, dose_time_h=np.zeros(1), dose_mg=np.full(1, 110.0))},
        ),
        (
            "cycle-impossible",
            ([5.0], [1.0], VMAX, KM, [5.0]),
            {"before": SteadyCycle(until_h=3.0, period_h=24.0, dose_time_h=np.full(1, 24.0), dose_mg=np.ones(1))},
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(code: str, arguments: tuple[object, ...], how: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        absorbed_input(*arguments, **how)
    assert caught.value.messages[0].code == f"saturable.{code}"


def test_as_much_as_can_be_absorbed_has_no_steady_state() -> None:
    with pytest.raises(InputError) as caught:
        periodic_input(24.0, [0.0], [VMAX * 24.0], VMAX, KM, [24.0])
    assert caught.value.messages[0].code == "saturable.no-steady-state"


def test_wus_typical_patient_has_the_troughs_of_the_fact_base() -> None:
    # Oracle: steady-state troughs computed elsewhere from the published model at haematocrit 35 %, to their two digits.
    lanes = _parameters(np.array([12.9 * (35.1 / 35.0) ** 0.14, *WU[1:]]))
    for dose_mg, trough in ((1.0, 2.0), (2.0, 4.1), (4.0, 8.2)):
        node_h, node_mg = periodic_input(24.0, [0.0], [dose_mg], VMAX, KM, [24.0])
        found = steady_state(
            Structure(compartments=2, absorption="none"),
            lanes,
            period_h=24.0,
            dose_time_h=node_h,
            dose_mg=node_mg,
            output_time_h=[24.0],
            compartment=2,
        )
        assert found.conc_ng_ml[0, 0] == pytest.approx(trough, abs=0.05)
