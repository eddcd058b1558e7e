# SPDX-License-Identifier: Apache-2.0
"""Integration in lanes: against closed forms and independent integrators, and bit for bit whatever stands beside."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from sirolens.engine.expression import parse
from sirolens.engine.network import Event, Network, default_parameters, evaluate_outputs, evaluate_rates, initial_state
from sirolens.engine.simd.integrate import Doses, Drive, Lanes, LaneStatus, integrate, lane_failures
from sirolens.engine.simd.lane_system import LaneSystem, compile_lanes
from sirolens.errors import InputError

# Global error of some hundred steps at rtol 1e-10, atol 1e-12 (measured: below 6e-9).
TIGHT = {"rtol": 1e-10, "atol": 1e-12}
AGREEMENT = 2e-8
# Where a step meets a kink (max, if, a node of the inputs) its error estimate is blind to part of it.
AT_KINKS = 1e-7
TIMES = np.linspace(0.0, 12.0, 25)
RATE, COUNT, FIRST_DOSE = 0.7, 33, 3.25


@cache
def feedback() -> LaneSystem:
    """A drug with saturable loss that drives a response with a Hill function, a feedback and an input."""
    network = Network(
        name="feedback",
        states=("D", "R", "M"),
        parameters=("vm", "km", "n", "k", "r0"),
        values={"vm": 1.2, "km": 0.8, "n": 2.5, "k": 0.4, "r0": 5.0},
        inputs=("flare",),
        constants={"kin": parse("k * r0")},
        initial={"D": parse("2"), "R": parse("r0"), "M": parse("r0^0.5")},
        definitions={"effect": parse("1 / (1 + (D/km)^n)"), "total": parse("R + M + flare")},
        rates={
            "D": parse("-vm * D / (km + D)"),
            "R": parse("kin * effect * (1 + flare) * (M/r0^0.5)^0.3 - k * R * max(1, 2 - R)"),
            "M": parse("if(R > 1, k * (R^0.5 - M), k * (1 - M)) + 0.01 * exp(-time)"),
        },
    )
    return compile_lanes(network, outputs=["R", "D", "total", "kin", "flare"])


def patients(count: int, seed: int = 1) -> np.ndarray:
    typical = default_parameters(feedback().network, count)
    return typical * np.exp(0.3 * np.random.default_rng(seed).standard_normal(typical.shape))


def flares(count: int, seed: int = 2) -> Drive:
    """A smooth input of each patient's own, with its exact slope at the nodes."""
    rng = np.random.default_rng(seed)
    nodes = np.arange(0.0, 13.01, 0.5)
    size, pace = rng.uniform(0.0, 0.5, count), rng.uniform(0.5, 1.5, count)
    values, slopes = size * np.sin(np.outer(nodes, pace)) ** 2, size * pace * np.sin(2.0 * np.outer(nodes, pace))
    return Drive(start=0.0, step=0.5, values=values[None], slopes=slopes[None])


def some_doses(count: int, seed: int = 3) -> Doses:
    """Up to six doses each, some at one time, some at the start, some at output times, some after the end."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 7, count)
    times = [np.sort(rng.choice([0.0, 0.5, 2.0, 3.3, 4.0, 4.0, 7.77, 12.0, 15.0], n)) for n in numbers]
    total = int(numbers.sum())
    return Doses(
        offsets=np.concatenate(([0], np.cumsum(numbers))),
        times=np.concatenate(times),
        state=rng.integers(0, 3, total),
        amount=rng.uniform(0.1, 2.0, total),
    )


def chosen(lanes: np.ndarray, parameters: np.ndarray, drive: Drive, doses: Doses) -> tuple[np.ndarray, Drive, Doses]:
    """The same patients, picked and put in another order."""
    rows = [np.arange(doses.offsets[lane], doses.offsets[lane + 1]) for lane in lanes]
    picked = np.concatenate(rows) if len(rows) else np.empty(0, int)
    own = Drive(start=drive.start, step=drive.step, values=drive.values[..., lanes], slopes=drive.slopes[..., lanes])
    offsets = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    return (
        parameters[:, lanes],
        own,
        Doses(offsets=offsets, times=doses.times[picked], state=doses.state[picked], amount=doses.amount[picked]),
    )


@cache
def whole_batch() -> Lanes:
    return integrate(feedback(), patients(COUNT), TIMES, drive=flares(COUNT), doses=some_doses(COUNT), threads=1)


def one_cell(drive: Drive, lane: int, time: float) -> float:
    """Hermite's cubic, written out."""
    cell = min(int((time - drive.start) / drive.step), drive.values.shape[1] - 2)
    x = (time - drive.start) / drive.step - cell
    (a, b), (c, d) = drive.values[0, cell : cell + 2, lane], drive.step * drive.slopes[0, cell : cell + 2, lane]
    return float(a * (1 + 2 * x) * (1 - x) ** 2 + c * x * (1 - x) ** 2 + b * x * x * (3 - 2 * x) + d * x * x * (x - 1))


def by_scipy(lane: int, parameters: np.ndarray, drive: Drive, doses: Doses) -> np.ndarray:
    """DOP853 at 1e-12 between doses and nodes, on the walked formulas; the outputs at `TIMES`."""
    network = feedback().network
    p = parameters[:, lane]

    def rates(time: float, y: np.ndarray) -> np.ndarray:
        return evaluate_rates(network, y[:, None], p[:, None], [[one_cell(drive, lane, time)]], time)[:, 0]

    y = initial_state(network, p[:, None])[:, 0]
    own = slice(doses.offsets[lane], doses.offsets[lane + 1])
    stops = np.unique(np.concatenate((TIMES, doses.times[own], np.arange(0.0, 12.1, drive.step))))
    found, now = [], 0.0
    for stop in stops[stops <= TIMES[-1]]:
        if stop > now:
            y = solve_ivp(rates, (now, stop), y, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
            now = stop
        for time, state, amount in zip(doses.times[own], doses.state[own], doses.amount[own], strict=True):
            y[state] += amount * (time == stop)
        if stop in TIMES:
            inputs = [[one_cell(drive, lane, stop)]]
            found.append(evaluate_outputs(network, feedback().outputs, y[:, None], p[:, None], inputs, stop)[:, 0])
    return np.array(found).T


def test_patients_with_inputs_and_doses_against_scipy() -> None:
    parameters, drive, doses = patients(COUNT), flares(COUNT), some_doses(COUNT)
    lanes = integrate(feedback(), parameters, TIMES, drive=drive, doses=doses, **TIGHT)
    assert lanes.success.all()
    for lane in range(0, COUNT, 8):
        expected = by_scipy(lane, parameters, drive, doses)
        np.testing.assert_allclose(lanes.values[:, :, lane], expected, rtol=AGREEMENT, atol=1e-11)


FEEDBACK = """
model feedback()
  D = 2; vm = {vm}; km = {km}; n = {n}; k = {k}; r0 = {r0}; R = {r0}; M = {r0}^0.5;
  D' = -vm*D/(km + D);
  R' = k*r0/(1 + (D/km)^n)*(M/r0^0.5)^0.3 - k*R*piecewise(2 - R, R < 1, 1);
  M' = piecewise(k*(R^0.5 - M), R > 1, k*(1 - M)) + 0.01*exp(-time);
  at (time >= 2.5): D = D + 1.5;
  at (time >= 6): D = D + 0.5;
  at (time >= 6): R = R + 1;
end
"""


def test_a_patient_with_doses_against_libroadrunner() -> None:
    import antimony
    import roadrunner

    parameters = patients(1)
    given = dict(zip(feedback().network.parameters, (repr(float(v)) for v in parameters[:, 0]), strict=True))
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(FEEDBACK.format(**given)) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    runner.timeCourseSelections = ["R", "D"]
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-11, 1e-13
    expected = np.asarray(runner.simulate(0.0, 12.0, 25)).T
    nothing = np.zeros((1, 27, 1))
    doses = Doses(
        offsets=np.array([0, 3]),
        times=np.array([2.5, 6.0, 6.0]),
        state=np.array([0, 0, 1]),
        amount=np.array([1.5, 0.5, 1.0]),
    )
    drive = Drive(start=0.0, step=0.5, values=nothing, slopes=nothing)
    lanes = integrate(feedback(), parameters, TIMES, drive=drive, doses=doses, **TIGHT)
    np.testing.assert_allclose(lanes.values[:2, :, 0], expected, rtol=AT_KINKS, atol=1e-11)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=COUNT), st.sampled_from([1, 2, 3]))
def test_a_patient_has_the_same_bits_in_any_batch_order_and_thread(picked: list[int], threads: int) -> None:
    lanes = np.array(picked)
    parameters, drive, doses = chosen(lanes, patients(COUNT), flares(COUNT), some_doses(COUNT))
    found = integrate(feedback(), parameters, TIMES, drive=drive, doses=doses, threads=threads)
    whole = whole_batch()
    assert np.array_equal(found.values, whole.values[..., lanes])
    assert np.array_equal(found.final, whole.final[:, lanes])
    assert np.array_equal(found.steps, whole.steps[lanes])


def test_the_order_in_memory_of_inputs_changes_no_bit() -> None:
    drive = flares(COUNT)
    lane_major = Drive(
        start=drive.start,
        step=drive.step,
        values=np.ascontiguousarray(drive.values.T).T,
        slopes=np.ascontiguousarray(drive.slopes.T).T,
    )
    scattered = Drive(
        start=drive.start,
        step=drive.step,
        values=np.repeat(drive.values, 2, axis=2)[..., ::2],
        slopes=drive.slopes,
    )
    for other in (lane_major, scattered):
        found = integrate(feedback(), patients(COUNT), TIMES, drive=other, doses=some_doses(COUNT))
        assert np.array_equal(found.values, whole_batch().values)


def test_a_constant_input_is_constant_to_the_last_bit() -> None:
    constant = Drive(start=0.0, step=0.3, values=np.full((1, 43, 9), 0.1), slopes=np.zeros((1, 43, 9)))
    assert (integrate(feedback(), patients(9), TIMES, drive=constant).values[4] == 0.1).all()


@cache
def decay() -> LaneSystem:
    network = Network(
        name="decay",
        states=("A", "B"),
        parameters=("k",),
        values={"k": RATE},
        initial={"A": parse("8"), "B": parse("0")},
        rates={"A": parse("-k * A"), "B": parse("k * A")},
    )
    return compile_lanes(network, outputs=["A", "B"])


def dosed_once(time: float, amount: float = 4.0) -> Doses:
    return Doses(offsets=np.array([0, 1]), times=np.array([time]), state=np.array([0]), amount=np.array([amount]))


@settings(deadline=None, max_examples=30)
@given(st.floats(0.01, 5.0), st.lists(st.floats(0.0, 10.0), min_size=1, max_size=12), st.floats(0.0, 10.0))
def test_a_decay_with_a_dose_against_the_closed_form(k: float, at: list[float], dose: float) -> None:
    times = np.sort(at)
    lanes = integrate(decay(), [[k]], times, doses=dosed_once(dose), **TIGHT)
    after = times >= dose
    expected = 8.0 * np.exp(-k * times) + np.where(after, 4.0 * np.exp(-k * np.where(after, times - dose, 0.0)), 0.0)
    np.testing.assert_allclose(lanes.values[0, :, 0], expected, rtol=AGREEMENT, atol=1e-11)
    np.testing.assert_allclose(lanes.values[:, :, 0].sum(axis=0), 8.0 + 4.0 * after, rtol=AGREEMENT)


def test_an_output_at_the_time_of_a_dose_shows_the_state_after_it() -> None:
    times = [0.0, FIRST_DOSE, FIRST_DOSE, 4.0]
    lanes = integrate(decay(), [[RATE]], times, doses=dosed_once(FIRST_DOSE), **TIGHT)
    expected = 8.0 * math.exp(-RATE * FIRST_DOSE) + 4.0
    np.testing.assert_allclose(lanes.values[0, 1:3, 0], expected, rtol=AGREEMENT)
    at_the_end = integrate(decay(), [[RATE]], [FIRST_DOSE], doses=dosed_once(FIRST_DOSE), **TIGHT)
    np.testing.assert_allclose(at_the_end.values[0, 0, 0], expected, rtol=AGREEMENT)
    np.testing.assert_allclose(at_the_end.final[0, 0], expected, rtol=AGREEMENT)


def test_doses_at_one_time_add_up_and_one_before_the_start_is_given_already() -> None:
    doses = Doses(
        offsets=np.array([0, 4]), times=np.array([-1.0, 0.0, 2.0, 2.0]), state=np.zeros(4, int), amount=np.ones(4)
    )
    lanes = integrate(decay(), [[RATE]], [0.0, 2.0], doses=doses, **TIGHT)
    np.testing.assert_allclose(lanes.values[0, :, 0], [9.0, 9.0 * math.exp(-2.0 * RATE) + 2.0], rtol=AGREEMENT)


def test_no_time_at_all_gives_the_start() -> None:
    lanes = integrate(decay(), np.full((1, 11), RATE), [1.5, 1.5], start=1.5)
    assert np.array_equal(lanes.values, np.broadcast_to(np.array([8.0, 0.0])[:, None, None], (2, 2, 11)))
    assert np.array_equal(lanes.final[:, 0], [8.0, 0.0])
    assert not lanes.steps.any()
    assert lanes.success.all()


def test_going_on_from_the_final_states_is_the_same_course() -> None:
    parameters, drive = patients(COUNT), flares(COUNT)
    first = integrate(feedback(), parameters, [0.0, 5.0], drive=drive, **TIGHT)
    second = integrate(feedback(), parameters, [5.0, 12.0], initial=first.final, start=5.0, drive=drive, **TIGHT)
    whole = integrate(feedback(), parameters, [0.0, 5.0, 12.0], drive=drive, **TIGHT)
    np.testing.assert_allclose(second.values[:, 0], first.values[:, 1], rtol=1e-15)
    np.testing.assert_allclose(second.values[:, 1], whole.values[:, 2], rtol=AT_KINKS, atol=1e-10)


@cache
def explosion() -> LaneSystem:
    network = Network(
        name="explosion",
        states=("A",),
        parameters=("k", "q"),
        values={"k": 1.0, "q": 0.0},
        initial={"A": parse("1")},
        rates={"A": parse("k * A^2 - q * log(A)")},
    )
    return compile_lanes(network, outputs=["A"])


def test_a_patient_that_blows_up_disturbs_no_other_and_is_counted() -> None:
    k = np.array([0.01, 1.0, 0.02, -0.5, 3.0, 0.03, 0.0, 0.01, 0.02, 0.04])
    parameters = np.array([k, np.zeros(10)])
    lanes = integrate(explosion(), parameters, [0.5, 10.0], **TIGHT)
    blown = 1.0 / np.where(k > 0.0, k, 0.001) <= 10.0
    assert np.array_equal(lanes.success, ~blown)
    for lane in np.flatnonzero(~blown):
        np.testing.assert_allclose(
            lanes.values[0, :, lane], 1.0 / (1.0 - k[lane] * np.array([0.5, 10.0])), rtol=AGREEMENT
        )
        alone = integrate(explosion(), parameters[:, [lane]], [0.5, 10.0], **TIGHT)
        assert np.array_equal(alone.values[..., 0], lanes.values[..., lane])
    np.testing.assert_allclose(lanes.values[0, 0, 1], 2.0, rtol=AGREEMENT)
    assert np.isnan(lanes.values[0, 1, blown]).all()
    assert np.isnan(lanes.final[0, blown]).all()
    (message,) = lane_failures(lanes)
    assert message.code in ("simd.step-too-small", "simd.not-finite", "simd.looks-stiff")
    assert dict(message.values)["lanes"] == blown.sum()


def test_too_many_steps_and_stiffness_are_told() -> None:
    k = np.array([[0.5, 0.7]])
    assert (integrate(decay(), k, [100.0], most_steps=5).status == LaneStatus.TOO_MANY_STEPS).all()
    stiff = integrate(decay(), [[1e6, 0.7]], [100.0])
    assert list(stiff.status) == [LaneStatus.LOOKS_STIFF, LaneStatus.DONE]
    # At the edge of stability and yet soon done: not worth another method.
    assert integrate(decay(), [[20.0]], [100.0]).success.all()


def test_a_start_that_is_no_number_is_not_finite() -> None:
    lanes = integrate(decay(), [[RATE, RATE]], [1.0], initial=[[1.0, math.nan], [0.0, 0.0]])
    assert list(lanes.status) == [LaneStatus.DONE, LaneStatus.NOT_FINITE]


def test_finished_patients_make_room_for_the_next() -> None:
    """Steps differ a hundredfold between patients; every one of many is still the closed form."""
    k = np.geomspace(0.01, 50.0, 301)[np.random.default_rng(5).permutation(301)]
    lanes = integrate(decay(), k[None], [1.0, 5.0], threads=1, **TIGHT)
    np.testing.assert_allclose(lanes.values[0], 8.0 * np.exp(-np.outer([1.0, 5.0], k)), rtol=AGREEMENT, atol=1e-11)


def test_a_divisor_beyond_the_usual_range_is_divided_by_alone() -> None:
    """Logistic terms whose exponentials overflow: 1/inf is 0, also where it shares a division with another."""
    network = Network(
        name="logistic",
        states=("A", "B"),
        parameters=("s",),
        values={"s": 1.0},
        initial={"A": parse("1"), "B": parse("1")},
        rates={"A": parse("1/(1 + exp(s*A)) - A/(1 + B)"), "B": parse("A/(2 + A) - B")},
    )
    system = compile_lanes(network, outputs=["A", "B"])
    assert "reciprocals(" in system.text
    assert "reciprocals(" not in system.plain_text()
    steep = np.array([[1.0, 2000.0, 50.0]])
    lanes = integrate(system, steep, [0.5, 1.0], **TIGHT)
    assert lanes.success.all()
    for lane, s in enumerate(steep[0]):

        def rates(time: float, y: np.ndarray, s: float = s) -> list[float]:
            off = 1.0 / (1.0 + math.exp(min(700.0, s * y[0])))
            return [off - y[0] / (1.0 + y[1]), y[0] / (2.0 + y[0]) - y[1]]

        expected = solve_ivp(rates, (0.0, 1.0), [1.0, 1.0], method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
        np.testing.assert_allclose(lanes.values[:, 1, lane], expected, rtol=AGREEMENT)


def codes(**changed: Any) -> list[str]:
    given: dict[str, Any] = {"parameters": [[RATE]], "times": [0.0, 1.0]} | changed
    parameters, times = given.pop("parameters"), given.pop("times")
    with pytest.raises(InputError) as caught:
        integrate(decay(), parameters, times, **given)
    return [message.code for message in caught.value.messages]


def test_bad_input_is_named() -> None:
    assert codes(parameters=[RATE]) == ["simd.parameters-shape"]
    assert codes(parameters=[[RATE], [RATE]]) == ["simd.parameters-shape"]
    assert codes(initial=[[1.0]]) == ["simd.initial-shape"]
    assert codes(times=[1.0, 0.0]) == ["simd.times-not-ascending"]
    assert codes(times=[]) == ["simd.times-not-ascending"]
    assert codes(times=[1.0, math.nan]) == ["simd.times-not-ascending"]
    assert codes(start=0.5) == ["simd.times-not-ascending"]
    assert codes(rtol=0.0) == ["simd.tolerance-impossible"]
    assert codes(atol=[1.0, -1.0]) == ["simd.tolerance-impossible"]
    both = {"offsets": np.array([0, 2]), "state": np.zeros(2, int), "amount": np.ones(2)}
    assert codes(doses=Doses(times=np.array([1.0, 0.5]), **both)) == ["simd.doses-not-ascending"]
    assert codes(doses=Doses(times=np.array([1.0]), **both)) == ["simd.doses-shape"]
    assert codes(doses=Doses(times=np.array([1.0, math.inf]), **both)) == ["simd.doses-not-finite"]
    beyond = both | {"state": np.array([0, 2])}
    assert codes(doses=Doses(times=np.array([1.0, 2.0]), **beyond)) == ["simd.doses-state-unknown"]


def test_inputs_must_be_given_for_all_the_time() -> None:
    drive = flares(2)
    for wrong, code in (
        (None, "simd.drive-missing"),
        (flares(3), "simd.drive-shape"),
        (Drive(start=0.0, step=0.5, values=drive.values[:, :9], slopes=drive.slopes[:, :9]), "simd.drive-too-short"),
    ):
        with pytest.raises(InputError, match=code):
            integrate(feedback(), patients(2), TIMES, drive=wrong)


def test_what_lanes_cannot_do_is_refused_by_name() -> None:
    plain = {"name": "", "parameters": (), "values": {}}
    event = Event(name="relapse", trigger=parse("A > 2"), assignments={"A": parse("0")})
    network = Network(states=("A",), initial={"A": parse("1")}, rates={"A": parse("sin(A)")}, events=(event,), **plain)
    with pytest.raises(InputError) as caught:
        compile_lanes(network, outputs=["nothing"])
    found = [message.code for message in caught.value.messages]
    assert found == ["simd.events-unsupported", "simd.output-unknown", "simd.function-unsupported"]
    with pytest.raises(InputError, match=r"simd\.no-states(?s:.*)simd\.no-output"):
        compile_lanes(Network(states=(), initial={}, rates={}, **plain), outputs=[])
