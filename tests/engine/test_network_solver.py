# SPDX-License-Identifier: Apache-2.0
"""The general solver: against closed forms and independent integrators, lane by lane, and what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from sirolens.engine.expression import parse
from sirolens.engine.network import Network, default_parameters
from sirolens.engine.network_solver import SolverStatus, solve_network, solver_failures
from sirolens.engine.simd.integrate import Doses, Drive, Lanes
from sirolens.errors import InputError

# Global error of some hundred steps at rtol 1e-9, atol 1e-12 (measured: below 2e-8 of the largest value).
TIGHT = {"rtol": 1e-9, "atol": 1e-12}
AGREEMENT = 1e-7
METHODS = ("explicit", "stiff")


def network(rates: dict[str, str], initial: dict[str, str] | None = None, **others: Any) -> Network:
    """A network from texts: rates by state, values by parameter in ``values``."""
    begin = initial or {}
    texts = {group: others.pop(group, {}) for group in ("definitions", "constants")}
    values = others.pop("values", {})
    return Network(
        name="invented",
        states=tuple(rates),
        parameters=tuple(values),
        values=values,
        initial={name: parse(begin.get(name, "0")) for name in rates},
        rates={name: parse(text) for name, text in rates.items()},
        definitions={name: parse(text) for name, text in texts["definitions"].items()},
        constants={name: parse(text) for name, text in texts["constants"].items()},
        **others,
    )


@cache
def turnover() -> Network:
    """Three states with saturable exchange, a definition, a constant, and a rate that depends on time."""
    return network(
        {
            "G": "-ka * G",
            "A": "ka * G - loss - k12 * A + k12 * B",
            "B": "k12 * (A - B) + 0.1 * sin(time)",
        },
        {"A": "a0 / 2", "G": "full"},
        definitions={"loss": "vmax * A / (km + A)"},
        constants={"full": "a0^2"},
        values={"ka": 1.3, "vmax": 2.0, "km": 0.7, "k12": 0.4, "a0": 1.5},
    )


def by_hand(parameters: np.ndarray) -> Callable[[float, np.ndarray], list[float]]:
    """The rates of `turnover`, written a second time."""
    ka, vmax, km, k12, _ = parameters

    def rates(t: float, y: np.ndarray) -> list[float]:
        g, a, b = y
        return [-ka * g, ka * g - vmax * a / (km + a) - k12 * (a - b), k12 * (a - b) + 0.1 * math.sin(t)]

    return rates


def begin_by_hand(parameters: np.ndarray) -> np.ndarray:
    return np.array([parameters[4] ** 2, parameters[4] / 2.0, 0.0])


@pytest.mark.parametrize("method", METHODS)
def test_a_nonlinear_model_agrees_with_an_independent_integrator(method: str) -> None:
    """Oracle: SciPy's DOP853 at 1e-11 over equations written by hand."""
    times = np.linspace(0.0, 12.0, 25)
    parameters = default_parameters(turnover()) * np.array([0.6, 1.0, 1.7])
    lanes = solve_network(turnover(), parameters, times, outputs=["G", "A", "B", "loss"], method=method, **TIGHT)
    assert (lanes.status == SolverStatus.DONE).all()
    for lane in range(3):
        own = parameters[:, lane]
        expected = solve_ivp(
            by_hand(own), (0.0, 12.0), begin_by_hand(own), method="DOP853", t_eval=times, rtol=1e-11, atol=1e-13
        ).y
        assert lanes.values[:3, :, lane] == pytest.approx(expected, rel=AGREEMENT, abs=AGREEMENT)
        loss = own[1] * expected[1] / (own[2] + expected[1])
        assert lanes.values[3, :, lane] == pytest.approx(loss, rel=AGREEMENT)
        assert lanes.final[:, lane] == pytest.approx(expected[:, -1], rel=AGREEMENT, abs=AGREEMENT)


@pytest.mark.parametrize("method", METHODS)
def test_doses_enter_exactly_when_they_are_given(method: str) -> None:
    """Oracle: the closed form of one compartment; a dose at an output's time is in that output, one before the
    start is taken as given already."""
    model = network({"A": "-k * A"}, values={"k": 0.3})
    doses = Doses(
        offsets=np.array([0, 5, 6]),
        times=np.array([-1.0, 0.0, 1.5, 1.5, 4.0, 2.0]),
        state=np.zeros(6, np.int64),
        amount=np.array([50.0, 10.0, 5.0, 1.0, 2.0, 7.0]),
    )
    times = np.array([0.0, 1.0, 1.5, 2.0, 3.0, 4.0])
    lanes = solve_network(model, [[0.3, 1.1]], times, outputs=["A"], doses=doses, method=method, **TIGHT)
    for lane, k in enumerate((0.3, 1.1)):
        own = slice(doses.offsets[lane], doses.offsets[lane + 1])
        pairs = [(t, a) for t, a in zip(doses.times[own], doses.amount[own], strict=True) if t >= 0.0]
        expected = [sum(a * np.exp(-k * (time - t)) for t, a in pairs if t <= time) for time in times]
        assert lanes.values[0, :, lane] == pytest.approx(expected, rel=AGREEMENT, abs=AGREEMENT)


def hermite_drive(step: float, end: float) -> Drive:
    """A smooth input known in closed form, sin, on a grid."""
    nodes = np.arange(0.0, end + 1.5 * step, step)
    return Drive(start=0.0, step=step, values=np.sin(nodes)[None, :, None], slopes=np.cos(nodes)[None, :, None])


@pytest.mark.parametrize("method", METHODS)
def test_a_driven_input_converges_with_the_fourth_power_of_its_grid(method: str) -> None:
    """Oracle: the closed form of dA/dt = sin t - A; halving the grid divides the error by 2^4."""
    model = network({"A": "C - A"}, inputs=("C",))
    times = np.linspace(0.0, 10.0, 21)
    exact = 0.5 * (np.sin(times) - np.cos(times) + np.exp(-times))
    errors = []
    for step in (0.5, 0.25, 0.125):
        drive = hermite_drive(step, 10.0)
        lanes = solve_network(model, np.empty((0, 1)), times, outputs=["A"], drive=drive, method=method, **TIGHT)
        errors.append(np.abs(lanes.values[0, :, 0] - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 3.7).all()
    assert (orders < 4.6).all()


def test_a_constant_input_is_constant_to_the_last_bit() -> None:
    model = network({"A": "0 * C"}, inputs=("C",))
    drive = Drive(start=-1.0, step=0.3, values=np.full((1, 20, 1), 0.1), slopes=np.zeros((1, 20, 1)))
    for method in METHODS:
        lanes = solve_network(
            model, np.empty((0, 1)), np.linspace(0.0, 4.0, 41), outputs=["C"], drive=drive, method=method
        )
        assert (lanes.values == 0.1).all()


def test_a_switch_known_ahead_is_met_exactly() -> None:
    """Oracle: the integral of a step function of time; no stage is asked for beyond the jump."""
    model = network(
        {"A": "if(time < at, 1, -2) + if(time >= 3 and time < 3 + width, 1000, 0)"},
        values={"at": 1.0, "width": 1e-3},
    )
    times = np.linspace(0.0, 4.0, 9)
    parameters = np.array([[1.0, 0.7], [1e-3, 1e-6]])
    for method in METHODS:
        lanes = solve_network(model, parameters, times, outputs=["A"], method=method)
        for lane, (at, width) in enumerate(parameters.T):
            expected = np.minimum(times, at) - 2.0 * np.maximum(times - at, 0.0)
            expected += 1000.0 * np.clip(times - 3.0, 0.0, width)
            assert lanes.values[0, :, lane] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(0.2, 5.0), min_size=5, max_size=5),
    st.lists(st.integers(0, 60).map(lambda tenth: tenth / 10.0), max_size=4).map(sorted),
    st.sampled_from(METHODS),
)
def test_doses_and_parameters_of_any_size_agree_with_piecewise_integration(
    factors: list[float], at: list[float], method: str
) -> None:
    """Oracle: SciPy's LSODA from dose to dose."""
    model = turnover()
    parameters = default_parameters(model)[:, 0] * np.array(factors)
    count = len(at)
    doses = Doses(
        offsets=np.array([0, count]),
        times=np.array(at),
        state=np.zeros(count, np.int64),
        amount=np.full(count, 3.0),
    )
    lanes = solve_network(
        model, parameters[:, None], [7.0], outputs=model.states, doses=doses, method=method, rtol=1e-8, atol=1e-11
    )
    state, now = begin_by_hand(parameters), 0.0
    for until, amount in [*((t, 3.0) for t in at), (7.0, 0.0)]:
        if until > now:
            found = solve_ivp(by_hand(parameters), (now, until), state, method="LSODA", rtol=1e-10, atol=1e-12)
            state, now = found.y[:, -1].copy(), until
        state[0] += amount
    # Forty steps of error 1e-8 each; measured below 2e-7 of the largest state.
    assert lanes.values[:, 0, 0] == pytest.approx(state, rel=2e-6, abs=2e-6 * np.abs(state).max())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("at", [5e-324, 1e-310, 1e-200, 1e-17])
def test_a_dose_next_to_the_start_is_given(at: float, method: str) -> None:
    """The step before it is too short for its reciprocal to be a number."""
    doses = Doses(offsets=np.array([0, 1]), times=np.array([at]), state=np.array([0]), amount=np.array([2.0]))
    model = network({"A": "-A"}, {"A": "1"})
    lanes = solve_network(model, np.empty((0, 1)), [1.0], outputs=["A"], doses=doses, method=method, **TIGHT)
    assert lanes.values[0, 0, 0] == pytest.approx(3.0 * math.exp(-1.0), rel=AGREEMENT)


def many() -> tuple[np.ndarray, Doses]:
    rng = np.random.default_rng(3)
    parameters = default_parameters(turnover(), 37) * rng.uniform(0.3, 3.0, (5, 37))
    counts = rng.integers(0, 5, 37)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    times = np.concatenate([np.sort(rng.uniform(0.0, 8.0, count)) for count in counts])
    return parameters, Doses(
        offsets=offsets, times=times, state=rng.integers(0, 3, times.size), amount=rng.uniform(0.1, 4.0, times.size)
    )


def chosen(doses: Doses, lanes: np.ndarray) -> Doses:
    parts = [np.arange(doses.offsets[i], doses.offsets[i + 1]) for i in lanes]
    index = np.concatenate(parts)
    return Doses(
        offsets=np.concatenate(([0], np.cumsum([part.size for part in parts]))),
        times=doses.times[index],
        state=doses.state[index],
        amount=doses.amount[index],
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_lane_has_the_same_bits_in_any_batch_order_and_number_of_threads(method: str) -> None:
    parameters, doses = many()
    times = np.linspace(0.0, 8.0, 9)

    def run(lanes: np.ndarray, threads: int) -> Lanes:
        return solve_network(
            turnover(),
            parameters[:, lanes],
            times,
            outputs=["A", "loss"],
            doses=chosen(doses, lanes),
            method=method,
            threads=threads,
        )

    everyone = np.arange(37)
    whole = run(everyone, 2)
    order = np.random.default_rng(4).permutation(37)
    mixed = run(order, 1)
    assert (mixed.values == whole.values[:, :, order]).all()
    assert (mixed.steps == whole.steps[order]).all()
    alone = run(np.array([11]), 1)
    assert (alone.values[:, :, 0] == whole.values[:, :, 11]).all()
    assert (alone.final[:, 0] == whole.final[:, 11]).all()


def test_output_times_do_not_change_the_steps() -> None:
    parameters, _ = many()
    few = solve_network(turnover(), parameters, [8.0], outputs=["A"])
    often = solve_network(turnover(), parameters, np.linspace(0.0, 8.0, 801), outputs=["A"])
    assert (few.values[0, 0] == often.values[0, -1]).all()
    assert (few.steps == often.steps).all()


def test_an_explosive_lane_is_flagged_and_disturbs_no_other() -> None:
    """Oracle: the closed form of dA/dt = k A^2, which is infinite at 1/k."""
    plain = network({"A": "k * A^2"}, {"A": "1"}, values={"k": 1.0})
    # The same for q = 0; as in simd/test_integrate.py, so that the lanes of both are compiled once.
    lanes_too = network({"A": "k * A^2 - q * log(A)"}, {"A": "1"}, values={"k": 1.0, "q": 0.0})
    times = np.array([0.0, 0.5, 1.0, 2.0])
    k = np.array([0.1, 0.9, 0.2])
    for method in (*METHODS, "auto"):
        model, parameters = (lanes_too, [k, 0.0 * k]) if method == "auto" else (plain, [k])
        lanes = solve_network(model, parameters, times, outputs=["A"], method=method, **TIGHT)
        assert lanes.status.tolist() == [SolverStatus.DONE, lanes.status[1], SolverStatus.DONE]
        assert lanes.status[1] in (SolverStatus.NOT_FINITE, SolverStatus.STEP_TOO_SMALL)
        for lane in (0, 2):
            assert lanes.values[0, :, lane] == pytest.approx(1.0 / (1.0 - k[lane] * times), rel=AGREEMENT)
        assert lanes.values[0, :3, 1] == pytest.approx(1.0 / (1.0 - 0.9 * times[:3]), rel=1e-5)
        assert np.isnan(lanes.values[0, 3, 1])
        assert np.isnan(lanes.final[0, 1])
        messages = solver_failures(lanes)
        assert [(m.values["lanes"], m.values["first_lane"]) for m in messages] == [(1, 1)]


def test_a_lane_goes_on_from_where_it_ended() -> None:
    parameters, _ = many()
    whole = solve_network(turnover(), parameters, [8.0], outputs=["A"], **TIGHT)
    half = solve_network(turnover(), parameters, [3.0], outputs=["A"], **TIGHT)
    rest = solve_network(turnover(), parameters, [8.0], outputs=["A"], initial=half.final, start=3.0, **TIGHT)
    assert rest.values == pytest.approx(whole.values, rel=AGREEMENT)


def test_a_network_without_states_still_has_outputs() -> None:
    model = network({}, definitions={"wave": "sin(time) * k"}, values={"k": 2.0})
    times = np.linspace(0.0, 6.0, 13)
    for method in METHODS:
        lanes = solve_network(model, [[2.0]], times, outputs=["wave", "k"], method=method)
        assert lanes.values[0, :, 0] == pytest.approx(2.0 * np.sin(times), abs=1e-15)
        assert (lanes.values[1] == 2.0).all()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outputs": ["Z"]}, "network.unknown-output"),
        ({"times": [2.0, 1.0]}, "ode.times-disordered"),
        ({"times": [-1.0, 1.0]}, "ode.times-disordered"),
        ({"times": [np.nan]}, "ode.times-disordered"),
        ({"method": "euler"}, "ode.method-unknown"),
        ({"rtol": 0.0}, "ode.tolerance-impossible"),
        ({"atol": -1.0}, "ode.tolerance-impossible"),
        ({"parameters": [[1.0], [2.0]]}, "network.wrong-shape"),
        ({"initial": [[1.0, 2.0]]}, "network.wrong-shape"),
        ({"drive": None}, "ode.drive-missing"),
        ({"drive": hermite_drive(0.1, 0.5)}, "ode.drive-too-short"),
        ({"doses": ([0, 2], [2.0, 1.0], [0, 0], [1.0, 1.0])}, "ode.doses-disordered"),
        ({"doses": ([0, 1], [1.0], [0], [np.inf])}, "ode.doses-disordered"),
        ({"doses": ([0, 1], [1.0], [5], [1.0])}, "ode.dose-state-unknown"),
        ({"doses": ([0, 2], [1.0], [0], [1.0])}, "network.wrong-shape"),
    ],
)
def test_an_impossible_request_is_refused_by_name(change: dict[str, Any], code: str) -> None:
    model = network({"A": "C - k * A"}, inputs=("C",), values={"k": 1.0})
    asked: dict[str, Any] = {"parameters": [[1.0]], "times": [0.0, 1.0], "outputs": ["A"]}
    asked["drive"] = hermite_drive(0.1, 2.0)
    asked |= change
    if "doses" in asked:
        offsets, times, state, amount = asked["doses"]
        asked["doses"] = Doses(
            offsets=np.array(offsets), times=np.array(times), state=np.array(state), amount=np.array(amount)
        )
    with pytest.raises(InputError) as refused:
        solve_network(model, asked.pop("parameters"), asked.pop("times"), **asked)
    assert code in [message.code for message in refused.value.messages]
