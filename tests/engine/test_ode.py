# SPDX-License-Identifier: Apache-2.0
"""The integrator of users' own models: against closed forms and an independent integrator, and lane by lane."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import wrightomega

from sirolens.engine import ode_trains, tsitouras
from sirolens.engine.expression import parse
from sirolens.engine.linear import PARAMETERS, Structure, concentrations
from sirolens.engine.linear_events import Events, events_from_columns
from sirolens.engine.ode import Solution, Status, System, compile_system, failures, solve
from sirolens.engine.ode_codegen import kernel_module
from sirolens.errors import InputError

# Global error of some thousand steps at rtol 1e-10, atol 1e-13 (measured: below 5e-10 of the largest value).
TIGHT = {"rtol": 1e-10, "atol": 1e-13}
AGREEMENT = 1e-8
# A steady state is reached within a tenth of a tolerance of the last cycle's estimate; slow modes add up.
STEADY_AGREEMENT = 1e-7


@cache
def linear_system() -> System:
    """Two compartments with first-order absorption, with the parameters of the linear engine in its order."""
    return compile_system(
        ["depot", "central", "peripheral"],
        PARAMETERS,
        {
            "depot": parse("-ka_1_h*depot"),
            "central": parse("ka_1_h*depot - (cl_l_h + q2_l_h)/v1_l*central + q2_l_h/v2_l*peripheral"),
            "peripheral": parse("q2_l_h/v1_l*central - q2_l_h/v2_l*peripheral"),
        },
        parse("1000*central/v1_l"),
        bioavailability={"depot": parse("f1"), "central": parse("f2")},
        lag_h={"depot": parse("lag1_h"), "central": parse("lag2_h")},
        duration_h={"depot": parse("duration1_h"), "central": parse("duration2_h")},
        rate_mg_h={"depot": parse("rate1_mg_h"), "central": parse("rate2_mg_h")},
    )


@cache
def saturable_system() -> System:
    """Saturable absorption and saturable elimination, one compartment."""
    return compile_system(
        ["depot", "central"],
        ["vmax", "km", "vel", "kel", "v"],
        {"depot": parse("-uptake"), "central": parse("uptake - vel*central/(kel + central)")},
        parse("1000*central/v"),
        definitions={"uptake": parse("vmax*depot/(km + depot)")},
    )


PARAMETER_SETS = np.array(
    [
        # cl, v1, q2, v2, q3, v3, ka, then (F, lag, duration, rate) of the depot and of the central compartment
        [9.0, 53.0, 20.0, 300.0, 0, 0, 0.75, 0.8, 0.4, 2.5, 0.9, 0.9, 0.0, 30.0, 0.5],
        [14.0, 60.0, 15.0, 250.0, 0, 0, 1.10, 0.6, 13.0, 8.0, 0.3, 1.0, 1.3, 5.0, 2.0],
        [5.0, 40.0, 25.0, 400.0, 0, 0, 0.50, 1.0, 0.0, 1.0, 2.0, 0.7, 26.5, 0.7, 0.1],
    ]
)

record = st.fixed_dictionaries(
    {
        "gap": st.sampled_from([0.0, 0.0, 0.7, 3.0, 8.0, 12.0, 24.0, 41.5]),
        "evid": st.sampled_from([0, 0, 0, 1, 1, 1, 2, 3, 4]),
        "amount_mg": st.sampled_from([0.5, 2.0, 6.0]),
        "rate_mg_h": st.sampled_from([0.0, 0.0, 0.0, 0.4, 3.0, -1.0, -2.0]),
        "compartment": st.sampled_from([1, 2]),
        "ss": st.sampled_from([0, 0, 0, 1, 2]),
        "ii_h": st.sampled_from([6.0, 12.0, 24.0]),
        "addl": st.sampled_from([0, 0, 2, 5]),
        "before": st.integers(0, 2),
        "at": st.integers(0, 2),
    }
)


def _events(drawn: list[dict[str, Any]]) -> Events:
    columns = {name: np.array([row[name] for row in drawn]) for name in drawn[0] if name != "gap"}
    return events_from_columns(time_h=np.cumsum([row["gap"] for row in drawn]), merge=False, **columns)


@settings(deadline=None, max_examples=300)
@given(st.lists(record, min_size=2, max_size=10))
def test_every_kind_of_event_means_what_it_means_to_the_linear_engine(drawn: list[dict[str, Any]]) -> None:
    # Oracle: the closed form of engine.linear, which shares no numerics with the integrator.
    events = _events([*drawn, {**drawn[0], "gap": 5.0, "evid": 0}, {**drawn[0], "gap": 50.0, "evid": 0}])
    exact = concentrations(Structure(compartments=2, absorption="first-order"), events, PARAMETER_SETS[None])
    found = solve(linear_system(), events, PARAMETER_SETS[None], **TIGHT)
    assert found.success.all()
    assert np.array_equal(found.offsets, exact.offsets)
    room = STEADY_AGREEMENT if (events.ss > 0).any() else AGREEMENT
    np.testing.assert_allclose(found.values, exact.values, rtol=room, atol=room * np.abs(exact.values).max(initial=0.1))


def _observed(times: np.ndarray, **dose: float) -> Events:
    columns = {"amount_mg": 0.0, "rate_mg_h": 0.0, "compartment": 1.0, "ss": 0.0, "ii_h": 0.0, "addl": 0.0} | dose
    return events_from_columns(
        time_h=np.concatenate(([0.0], times)),
        evid=np.concatenate(([1], np.zeros(times.size, int))),
        **{name: np.concatenate(([value], np.zeros(times.size))) for name, value in columns.items()},
    )


def test_saturable_elimination_follows_lamberts_w() -> None:
    # Oracle: A = K omega(A0/K + ln(A0/K) - V t/K), by SciPy's Wright omega function.
    times = np.linspace(0.01, 90.0, 400)
    for dose_mg, vmax, km in ((60.0, 4.56, 13.8), (2.0, 4.56, 13.8), (100.0, 1.5, 0.05)):
        events = _observed(times, amount_mg=dose_mg, compartment=2)
        found = solve(saturable_system(), events, [[0.0, 1.0, vmax, km, 1000.0]], **TIGHT)
        exact = km * wrightomega(dose_mg / km + math.log(dose_mg / km) - vmax * times / km).real
        # Relative where the amount matters; the far tail counts in terms of the dose.
        np.testing.assert_allclose(found.values, exact, rtol=1e-8, atol=1e-11 * dose_mg)


def test_a_nonlinear_model_agrees_with_an_independent_integrator() -> None:
    # Oracle: SciPy's DOP853 at 1e-12, restarted at every dose and end of infusion.
    values = np.array([4.56, 13.8, 3.0, 1.2, 53.4])
    times = np.array([0.5, 3.0, 23.9, 24.0, 30.1, 47.0, 71.0, 95.5])
    time_h = np.concatenate(([0.0, 24.0, 28.0], times))
    order = np.argsort(time_h, kind="stable")
    none = np.zeros(times.size)
    doses = events_from_columns(
        time_h=time_h[order],
        evid=np.concatenate(([1, 1, 1], none))[order],
        amount_mg=np.concatenate(([20.0, 10.0, 6.0], none))[order],
        rate_mg_h=np.concatenate(([0.0, 0.0, 2.0], none))[order],
        compartment=np.concatenate(([1, 1, 2], none + 1))[order],
    )
    found = solve(saturable_system(), doses, [values], **TIGHT)

    def rates(t: float, y: np.ndarray, inflow: float) -> list[float]:
        uptake = values[0] * y[0] / (values[1] + y[0])
        return [-uptake, uptake - values[2] * y[1] / (values[3] + y[1]) + inflow]

    y, expected = np.zeros(2), []
    jumps = [(0.0, 20.0, 0.0), (24.0, 10.0, 0.0), (28.0, 0.0, 2.0), (31.0, 0.0, 0.0), (100.0, 0.0, 0.0)]
    for (begin, dose, inflow), (end, _, _) in pairwise(jumps):
        # At 24 h the observation comes after the dose record; a dose into the depot does not change what is observed.
        y[0] += dose
        inside = times[(times > begin) & (times <= end)]
        oracle = solve_ivp(
            rates, (begin, end), y, "DOP853", t_eval=np.union1d(inside, [end]), args=(inflow,), rtol=1e-12, atol=1e-14
        )
        expected += list(1000.0 * oracle.y[1][: inside.size] / values[4])
        y = oracle.y[:, -1].copy()
    np.testing.assert_allclose(found.values, expected, rtol=AGREEMENT, atol=1e-12 * max(expected))


def test_a_saturable_steady_state_is_the_end_of_a_long_history() -> None:
    values = [4.56, 13.8, 1.2, 8.0, 53.4]
    times = np.array([0.0, 2.0, 6.0, 23.0])
    steady = solve(saturable_system(), _observed(times, amount_mg=20.0, ss=1, ii_h=24.0), [values], **TIGHT)
    long = solve(
        saturable_system(), _observed(times + 400 * 24.0, amount_mg=20.0, ii_h=24.0, addl=400), [values], **TIGHT
    )
    assert steady.success.all()
    np.testing.assert_allclose(steady.values, long.values, rtol=STEADY_AGREEMENT)


def test_more_given_than_can_be_eliminated_is_flagged_not_answered() -> None:
    times = np.array([1.0, 5.0])
    impossible = _observed(times, amount_mg=30.0, ss=1, ii_h=24.0)
    found = solve(saturable_system(), impossible, [[4.56, 13.8, 1.2, 8.0, 53.4]], rtol=1e-4, atol=1e-6)
    assert found.status.tolist() == [Status.NOT_STEADY]
    assert np.isnan(found.values).all()


@cache
def _population() -> tuple[Events, np.ndarray]:
    random = np.random.default_rng(7)
    patients = [
        _events(
            [
                {
                    "gap": random.choice([0.5, 6.0, 24.0]),
                    "evid": int(random.choice([0, 1])),
                    "amount_mg": float(random.choice([1.0, 2.0, 30.0])),
                    "rate_mg_h": float(random.choice([0.0, 1.0])),
                    "compartment": int(random.choice([1, 2])),
                    "ss": 0,
                    "ii_h": 12.0,
                    "addl": int(random.choice([0, 3])),
                    "before": 0,
                    "at": 0,
                }
                for _ in range(12)
            ]
        )
        for _ in range(5)
    ]
    names = ("time_h", "evid", "amount_mg", "rate_mg_h", "compartment", "ss", "ii_h", "addl", "before", "at")
    joined = Events(
        start=np.concatenate(([0], np.cumsum([patient.time_h.size for patient in patients]))),
        **{name: np.concatenate([getattr(patient, name) for patient in patients]) for name in names},
    )
    values = np.exp(random.normal(np.log([4.56, 13.8, 4.0, 5.0, 53.4]), 0.3, size=(40, 5)))
    return joined, values


def test_a_lane_has_the_same_bits_in_any_batch_order_and_number_of_threads() -> None:
    events, values = _population()
    patient = np.arange(40) % 5
    whole = solve(saturable_system(), events, values, patient, threads=1)
    assert whole.success.all()
    assert len(np.unique(whole.steps)) > 5, "lanes choose their own steps"
    for threads in (2, 3, 7):
        again = solve(saturable_system(), events, values, patient, threads=threads)
        assert again.values.tobytes() == whole.values.tobytes()
    order = np.random.default_rng(1).permutation(40)
    shuffled = solve(saturable_system(), events, values[order], patient[order])
    for place, lane in enumerate(order):
        assert shuffled.row(place).tobytes() == whole.row(lane).tobytes()
        alone = solve(saturable_system(), events, values[lane : lane + 1], patient[lane : lane + 1])
        assert alone.row(0).tobytes() == whole.row(lane).tobytes()


def test_observations_neither_cost_steps_nor_change_what_is_observed() -> None:
    values = [[4.56, 13.8, 3.0, 1.2, 53.4]]
    few, many = np.array([50.0, 100.0]), np.linspace(0.05, 100.0, 2000)
    coarse = solve(saturable_system(), _observed(few, amount_mg=20.0), values)
    fine = solve(saturable_system(), _observed(many, amount_mg=20.0), values)
    assert coarse.steps[0] == fine.steps[0]
    assert coarse.values[-1] == fine.values[-1]


def test_the_error_follows_the_tolerance_and_the_dense_output_keeps_up() -> None:
    times = np.linspace(0.11, 71.9, 300)
    events = _observed(times, amount_mg=2.0, ii_h=24.0, addl=2)
    exact = concentrations(Structure(compartments=2, absorption="first-order"), events, PARAMETER_SETS[:1]).values
    for rtol in (1e-4, 1e-6, 1e-8, 1e-10):
        found = solve(linear_system(), events, PARAMETER_SETS[:1], rtol=rtol, atol=1e-3 * rtol)
        error = np.abs(found.values - exact).max() / exact.max()
        assert error < 5.0 * rtol, (rtol, error)


def _tableau() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    a = np.zeros((7, 7))
    for row in range(2, 8):
        for column in range(1, row):
            name = f"A{row}{column}" if row < 7 else f"B{column}"
            a[row - 1, column - 1] = getattr(tsitouras, name)
    c = np.array([0.0, tsitouras.C2, tsitouras.C3, tsitouras.C4, tsitouras.C5, 1.0, 1.0])
    return a, a[6], np.array([getattr(tsitouras, f"E{i}") for i in range(1, 8)]), c


def _order_conditions(b: np.ndarray, a: np.ndarray, c: np.ndarray) -> list[list[tuple[float, float]]]:
    """Left and right sides of Butcher's conditions, order by order."""
    ac, ac2 = a @ c, a @ c**2
    return [
        [(b.sum(), 1.0)],
        [(b @ c, 1 / 2)],
        [(b @ c**2, 1 / 3), (b @ ac, 1 / 6)],
        [(b @ c**3, 1 / 4), (b @ (c * ac), 1 / 8), (b @ ac2, 1 / 12), (b @ (a @ ac), 1 / 24)],
        [
            (b @ c**4, 1 / 5),
            (b @ (c**2 * ac), 1 / 10),
            (b @ ac**2, 1 / 20),
            (b @ (c * ac2), 1 / 15),
            (b @ (a @ c**3), 1 / 20),
            (b @ (c * (a @ ac)), 1 / 30),
            (b @ (a @ (c * ac)), 1 / 40),
            (b @ (a @ ac2), 1 / 60),
            (b @ (a @ (a @ ac)), 1 / 120),
        ],
    ]


def test_the_coefficients_satisfy_the_order_conditions() -> None:
    # Oracle: Butcher's conditions; 1e-14 is the rounding of coefficients near 13.
    a, b, error, c = _tableau()
    np.testing.assert_allclose(a.sum(axis=1), c, atol=1e-14)
    for weights, orders in ((b, 5), (b - error, 4)):
        for order in _order_conditions(weights, a, c)[:orders]:
            for left, right in order:
                assert left == pytest.approx(right, abs=1e-14)
    assert abs(_order_conditions(b - error, a, c)[4][0][0] - 1 / 5) > 1e-6, "the embedded formula is of order 4 only"


def test_the_dense_output_satisfies_the_order_conditions_of_order_four() -> None:
    # Unit stages, one at a time, make `interpolate` reveal its weights b_i(x).
    a, b, _, c = _tableau()
    clock = np.zeros(ode_trains.CLOCK)
    clock[ode_trains.T1] = 1.0
    for x in (0.1, 0.37, 0.5, 0.83, 0.999):
        weights = np.zeros(7)
        for i in range(7):
            work = np.zeros((ode_trains.ROWS, 1))
            work[ode_trains.K + i] = 1.0
            ode_trains.interpolate(x, clock, work)
            weights[i] = work[ode_trains.TRIAL, 0]
        for order, conditions in enumerate(_order_conditions(weights, a, c)[:4], start=1):
            for left, right in conditions:
                assert left == pytest.approx(right * x**order, abs=2e-14)
        if x == 0.999:
            np.testing.assert_allclose(weights, b, atol=2e-2)


def test_time_initial_values_definitions_and_resets_are_as_written() -> None:
    system = compile_system(
        ["A"],
        ["kin", "kout"],
        {"A": parse("kin*season - kout*A")},
        parse("A/baseline + 0*time_h"),
        definitions={"baseline": parse("kin/kout"), "season": parse("if(time_h < 10, 1, 0)")},
        initial={"A": parse("baseline")},
    )
    times = np.array([0.0, 5.0, 10.0, 13.0, 20.0])
    plain = events_from_columns(time_h=times, evid=0)
    found = solve(system, plain, [[3.0, 0.2]], **TIGHT)
    after = np.exp(-0.2 * np.maximum(times - 10.0, 0.0))
    # The equation jumps inside a step at 10 h, where no record is: the step control finds it, to its tolerance.
    np.testing.assert_allclose(found.values, after, rtol=1e-8)
    reset = events_from_columns(time_h=[0, 15, 16, 16, 18], evid=[0, 0, 3, 0, 0])
    again = solve(system, reset, [[3.0, 0.2]], **TIGHT)
    np.testing.assert_allclose(again.values[2], 1.0, rtol=1e-12)
    np.testing.assert_allclose(again.values[3], math.exp(-0.4), rtol=1e-9)


@cache
def power_system() -> System:
    """dA/dt = k A^n from a dose of 1: decay for n = 1 and k < 0, infinite at t = 1/k for n = 2."""
    return compile_system(["A"], ["k", "n"], {"A": parse("k*A^n")}, parse("A"))


def _two_lanes(first: list[float], second: list[float], **how: Any) -> Solution:
    return solve(power_system(), _observed(np.array([1.0, 10.0]), amount_mg=1.0), [first, second], [0, 0], **how)


def test_a_lane_that_cannot_be_solved_is_flagged_and_the_others_are_not_touched() -> None:
    found = _two_lanes([-0.1, 1.0], [5.0, 2.0])
    assert found.status[0] == Status.DONE
    assert found.status[1] in (Status.STEP_TOO_SMALL, Status.NOT_FINITE)
    assert np.isnan(found.row(1)).all()
    np.testing.assert_allclose(found.row(0), np.exp([-0.1, -1.0]), rtol=1e-7)
    (message,) = failures(found)
    assert (message.domain, message.values["lanes"], message.values["first_lane"]) == ("ode", 1, 1)


def test_steps_are_bounded_and_the_bound_is_named() -> None:
    found = _two_lanes([0.0, 1.0], [-50.0, 1.0], most_steps=20)
    assert found.status.tolist() == [Status.DONE, Status.TOO_MANY_STEPS]
    assert [message.code for message in failures(found)] == ["ode.too-many-steps"]


def test_no_number_in_gives_a_flag_out() -> None:
    found = _two_lanes([math.nan, 1.0], [-0.1, 1.0])
    assert found.status.tolist() == [Status.NOT_FINITE, Status.DONE]


A = {"A": parse("-k*A")}
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("ode.equation-missing", {"states": ["A", "B"]}),
    ("ode.state-unknown", {"equations": {**A, "C": parse("k")}}),
    ("ode.state-unknown", {"lag_h": {"C": parse("k")}}),
    ("ode.name-twice", {"parameters": ["k", "A"]}),
    ("ode.name-twice", {"definitions": {"k": parse("1")}}),
    ("ode.name-forbidden", {"parameters": ["k", "lambda"]}),
    ("ode.name-forbidden", {"parameters": ["k", "time_h"]}),
    ("ode.name-forbidden", {"parameters": ["k", "x); import os"]}),
    ("ode.name-forbidden", {"parameters": ["k", "exp"]}),
    ("ode.state-count", {"states": [], "equations": {}, "output": parse("k")}),
    ("expression.undefined-name", {"equations": {"A": parse("-kel*A")}}),
    ("expression.undefined-name", {"output": parse("A/V")}),
    ("expression.undefined-name", {"definitions": {"a": parse("b"), "b": parse("k")}}),
    ("expression.undefined-name", {"initial": {"A": parse("A")}}),
    ("expression.undefined-name", {"definitions": {"r": parse("k*A")}, "lag_h": {"A": parse("r")}}),
]


@pytest.mark.parametrize(("code", "change"), FAULTS)
def test_equations_that_cannot_be_are_refused_by_name(code: str, change: dict[str, Any]) -> None:
    given = {"states": ["A"], "parameters": ["k"], "equations": A, "output": parse("A")} | change
    with pytest.raises(InputError) as caught:
        compile_system(**given)
    assert code in [message.code for message in caught.value.messages]


def test_equations_nested_beyond_pythons_reader_are_refused() -> None:
    deep = "k"
    for _ in range(5):
        deep = f"piecewise({'1, A > 2, ' * 49} {deep})"
    with pytest.raises(InputError) as caught:
        compile_system(["A"], ["k"], {"A": parse(deep)}, parse("A"))
    assert caught.value.messages[0].code == "ode.equations-too-deep"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("ode.parameters-shape", {"parameters": [[1.0, 2.0]]}),
        ("ode.parameters-shape", {"parameters": [[0.1], [0.2]], "lane_patient": [0]}),
        ("ode.patient-missing", {"parameters": [[0.1], [0.2]]}),
        ("ode.tolerance-impossible", {"rtol": 0.0}),
        ("ode.tolerance-impossible", {"atol": -1.0}),
        ("ode.compartment-unknown", {"events": _observed(np.array([1.0]), amount_mg=1.0, compartment=2)}),
    ],
)
def test_what_cannot_be_solved_is_refused_by_name(code: str, change: dict[str, Any]) -> None:
    system = compile_system(["A"], ["k"], A, parse("A"))
    events = _observed(np.array([1.0]), amount_mg=1.0)
    given = {"system": system, "events": events, "parameters": [[0.1]]} | change
    with pytest.raises(InputError) as caught:
        solve(**given)
    assert caught.value.messages[0].code == code


def test_generated_kernels_are_kept_for_the_next_process_and_never_taken_from_a_changed_file() -> None:
    system = power_system()
    events = _observed(np.array([10.0]), amount_mg=100.0)
    assert solve(system, events, [[-0.1, 1.0]]).values[0] == pytest.approx(100.0 / math.e, rel=1e-7)
    module = kernel_module(system.text)
    file = module.__file__
    assert file is not None
    script = (
        "from sirolens.engine.expression import parse\n"
        "from sirolens.engine.ode import compile_system, solve\n"
        "from sirolens.engine.ode_codegen import kernel_module\n"
        "from sirolens.engine.linear_events import events_from_columns\n"
        "system = compile_system(['A'], ['k', 'n'], {'A': parse('k*A^n')}, parse('A'))\n"
        "events = events_from_columns(time_h=[0.0, 10.0], evid=[1, 0], amount_mg=[100.0, 0.0])\n"
        "value = solve(system, events, [[-0.1, 1.0]]).values[0]\n"
        "stats = kernel_module(system.text).run_lanes.stats\n"
        "print(value, sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    value, hits, misses = done.stdout.split()
    assert float(value) == pytest.approx(100.0 / math.e, rel=1e-7)
    assert (int(hits), int(misses)) == (1, 0)
    path = Path(file)
    written = path.stat()
    path.write_text(path.read_text(encoding="utf-8") + "\nraise SystemExit('foreign code ran')\n", encoding="utf-8")
    kernel_module.cache_clear()
    assert kernel_module(system.text) is not module
    assert "foreign" not in path.read_text(encoding="utf-8")
    # As old as it was, so that what is kept of it is good again and nobody need compile it anew.
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    kernel_module.cache_clear()
    assert solve(system, events, [[-0.1, 1.0]]).values[0] == pytest.approx(100.0 / math.e, rel=1e-7)
    assert path.parent.stat().st_mode & 0o022 == 0
