# SPDX-License-Identifier: Apache-2.0
"""Events of the general solver: closed forms, the order of SBML Level 3 Version 2, and an independent simulator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sirolens.engine.expression import parse
from sirolens.engine.network import Event, Network
from sirolens.engine.network_kernel_events import CHAIN
from sirolens.engine.network_solver import SolverStatus, solve_network, solver_failures
from sirolens.engine.simd.integrate import Doses, Lanes

METHODS = ("explicit", "stiff")
# A handful of steps and events; roots are found to the last number of the dense output, which is of order 4.
CLOSE = 1e-8
TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def event(name: str, trigger: str, **assignments: Any) -> Event:
    """An event from texts; names of fields go to the event, the rest are assignments."""
    fields = {
        key: assignments.pop(key)
        for key in ("initially_true", "persistent", "from_trigger_values")
        if key in assignments
    }
    for key in ("delay", "priority"):
        if key in assignments:
            fields[key] = parse(assignments.pop(key))
    return Event(
        name=name,
        trigger=parse(trigger),
        assignments={target: parse(text) for target, text in assignments.items()},
        **fields,
    )


def network(rates: dict[str, str], initial: dict[str, float], *events: Event, **values: float) -> Network:
    return Network(
        name="invented",
        states=tuple(rates),
        parameters=tuple(values),
        values=values,
        initial={name: parse(repr(initial.get(name, 0.0))) for name in rates},
        rates={name: parse(text) for name, text in rates.items()},
        events=events,
    )


def run(model: Network, times: Any, method: str = "explicit", **others: Any) -> dict[str, np.ndarray]:
    column = [[model.values[name]] for name in model.parameters] or np.empty((0, 1))
    lanes = solve_network(model, column, times, outputs=model.states, method=method, **{**TIGHT, **others})
    assert lanes.status.tolist() == [SolverStatus.DONE]
    return dict(zip(model.states, lanes.values[:, :, 0], strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_a_bouncing_ball_keeps_its_closed_form_over_many_bounces(method: str) -> None:
    """Oracle: flight times fall by the factor e at every bounce; the end is short of the limit point."""
    g, e, height = 9.81, 0.8, 10.0
    model = network({"h": "v", "v": "-g"}, {"h": height}, event("bounce", "h <= 0 and v < 0", v="-e * v"), g=g, e=e)
    fall = math.sqrt(2.0 * height / g)
    bounces = fall + np.concatenate(([0.0], np.cumsum([2.0 * fall * e**i for i in range(1, 11)])))
    times = np.linspace(0.0, bounces[-1] - 0.01, 200)
    found = run(model, times, method)
    i = np.searchsorted(bounces, times, side="right") - 1
    speed = math.sqrt(2.0 * g * height) * e ** (i + 1.0)
    since = times - bounces[np.maximum(i, 0)]
    expected = np.where(i < 0, height - 0.5 * g * times**2, speed * since - 0.5 * g * since**2)
    assert found["h"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_a_root_of_a_curved_state_is_found_to_the_accuracy_of_the_steps(method: str) -> None:
    """Oracle: exp(-k t) = 1/2 at ln 2 / k; the state is doubled there, again and again."""
    model = network({"A": "-k * A", "n": "0"}, {"A": 1.0}, event("halved", "A < 0.5", A="2 * A", n="n + 1"), k=0.3)
    times = np.linspace(0.0, 40.0, 81)
    found = run(model, times, method)
    halving = math.log(2.0) / 0.3
    count = np.floor(times / halving)
    assert (found["n"] == count).all()
    assert found["A"] == pytest.approx(np.exp(-0.3 * times) * 2.0**count, abs=CLOSE)


def test_time_triggers_fire_at_their_very_number() -> None:
    """At an output's own time the state after the event is shown for >=, and before it for >."""
    model = network(
        {"a": "0", "b": "0", "c": "0", "d": "0"},
        {},
        event("at", "time >= 0.3", a="time"),
        event("after", "time > 0.3", b="time"),
        event("pulse", "time > 2 and time < 2.0001", c="c + 1"),
        event("equal", "time == 0.7", d="time"),
    )
    found = run(model, [0.0, 0.3, 0.7, 3.0])
    assert found["a"].tolist() == [0.0, 0.3, 0.3, 0.3]
    assert found["b"].tolist() == [0.0, 0.0, math.nextafter(0.3, 1.0), math.nextafter(0.3, 1.0)]
    assert found["c"].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert found["d"].tolist() == [0.0, 0.0, 0.7, 0.7]


def test_an_event_that_sets_its_own_next_time_repeats() -> None:
    model = network(
        {"A": "-0.5 * A", "next": "0"}, {"next": 1.0}, event("dose", "time >= next", A="A + 10", next="next + 1.5")
    )
    times = np.linspace(0.0, 20.0, 41)
    found = run(model, times)
    doses = np.arange(1.0, 20.1, 1.5)
    expected = [sum(10.0 * math.exp(-0.5 * (t - at)) for at in doses if at <= t) for t in times]
    assert found["A"] == pytest.approx(expected, abs=CLOSE)


def test_a_curved_trigger_of_time_alone_is_not_stepped_over() -> None:
    """Oracle: sin t rises through 0.9 once in every turn; nothing else makes the steps short."""
    model = network({"n": "0"}, {}, event("wave", "sin(time) > 0.9", n="n + 1"))
    found = run(model, [10.0 * 2.0 * math.pi])
    assert found["n"].tolist() == [10.0]


@pytest.mark.parametrize(("initially_true", "expected"), [(True, 0.0), (False, 1.0)])
def test_the_initial_value_decides_whether_an_event_fires_at_the_start(initially_true: bool, expected: float) -> None:
    model = network({"n": "0"}, {}, event("start", "time >= 0", n="n + 1", initially_true=initially_true))
    assert run(model, [0.0, 1.0])["n"].tolist() == [expected, expected]


@pytest.mark.parametrize(("from_trigger", "expected"), [(True, 3.0), (False, 7.0)])
def test_new_values_belong_to_the_time_of_the_trigger_or_of_the_event(from_trigger: bool, expected: float) -> None:
    model = network(
        {"x": "1", "y": "0"}, {}, event("late", "time >= 3", y="x", delay="4", from_trigger_values=from_trigger)
    )
    found = run(model, [6.9, 7.0, 9.0])
    assert found["y"] == pytest.approx([0.0, expected, expected], abs=CLOSE)


@pytest.mark.parametrize(("persistent", "expected"), [(True, 1.0), (False, 0.0)])
def test_an_event_that_does_not_persist_is_called_off(persistent: bool, expected: float) -> None:
    model = network({"y": "0"}, {}, event("off", "time >= 2 and time < 4", y="1", delay="3", persistent=persistent))
    assert run(model, [4.9, 5.0, 9.0])["y"].tolist() == [0.0, expected, expected]


def test_a_delayed_event_can_wait_several_times_over() -> None:
    """A trigger that fires every unit, each firing carried out 2.5 later with the values it had (n was 0 thrice)."""
    model = network(
        {"next": "0", "last": "0", "n": "0"},
        {"next": 1.0},
        event("again", "time >= next", next="next + 1"),
        event("late", "time >= next", last="time", n="n + 1", delay="2.5"),
    )
    found = run(model, [3.0, 3.5, 4.5, 8.6])
    assert found["n"].tolist() == [0.0, 1.0, 1.0, 2.0]
    assert found["last"].tolist() == [0.0, 1.0, 2.0, 6.0]


def test_priorities_order_what_is_due_at_one_time_and_are_computed_anew() -> None:
    """Each event appends its digit; the second priority depends on what the first event did."""
    model = network(
        {"x": "0", "p": "0"},
        {},
        event("one", "time >= 1", x="10 * x + 1", priority="1", from_trigger_values=False),
        event("two", "time >= 1", x="10 * x + 2", p="5", priority="3", from_trigger_values=False),
        event("three", "time >= 1", x="10 * x + 3", priority="p", from_trigger_values=False),
        event("none", "time >= 1", x="10 * x + 4", from_trigger_values=False),
    )
    assert run(model, [2.0])["x"].tolist() == [2314.0]


def test_equal_priorities_follow_the_order_of_the_file() -> None:
    digits = [
        event(f"e{i}", "time >= 1", x=f"10 * x + {i}", priority="2", from_trigger_values=False) for i in (3, 1, 2)
    ]
    assert run(network({"x": "0"}, {}, *digits), [2.0])["x"].tolist() == [312.0]


def test_values_from_the_trigger_are_taken_before_any_event_of_that_time() -> None:
    model = network(
        {"x": "0", "y": "0"},
        {"x": 1.0, "y": 2.0},
        event("swap", "time >= 1", x="y", y="x", priority="0"),
        event("other", "time >= 1", x="y + 10", priority="-1"),
        event("later", "time >= 1", y="x + 100", priority="-2", from_trigger_values=False),
    )
    found = run(model, [1.0])
    assert (found["x"].tolist(), found["y"].tolist()) == ([12.0], [112.0])


def test_one_event_fires_another_at_the_same_time() -> None:
    model = network(
        {"a": "0", "b": "0", "c": "0"},
        {},
        event("third", "b >= 1", c="c + 1"),
        event("second", "a >= 1", b="b + 1"),
        event("first", "time >= 1", a="1"),
    )
    found = run(model, [1.0, 2.0])
    assert [found[name].tolist() for name in "abc"] == [[1.0, 1.0]] * 3


def test_one_event_calls_another_off() -> None:
    """The second would be due at the same time, does not persist, and its trigger becomes false."""
    model = network(
        {"a": "0", "b": "0"},
        {},
        event("first", "time >= 1", a="1", priority="2"),
        event("second", "time >= 1 and a < 1", b="1", priority="1", persistent=False),
    )
    assert run(model, [2.0])["b"].tolist() == [0.0]


def test_dose_event_and_output_at_one_time_come_in_that_order() -> None:
    """The dose lifts the state over the trigger, the event sees it, the output sees both."""
    model = network({"A": "0", "n": "0"}, {"A": 1.0}, event("high", "A > 4", A="A / 2", n="n + 1"))
    doses = Doses(offsets=np.array([0, 1]), times=np.array([2.0]), state=np.array([0]), amount=np.array([5.0]))
    for method in METHODS:
        found = run(model, [1.0, 2.0, 3.0], method, doses=doses)
        assert found["A"].tolist() == [1.0, 3.0, 3.0]
        assert found["n"].tolist() == [0.0, 1.0, 1.0]


def test_events_may_switch_rates_off_and_on() -> None:
    """Oracle: a thermostat's closed form, heated at 1 and cooled at 2 between two borders."""
    model = network(
        {"T": "if(on > 0, 1, -2)", "on": "0"},
        {"T": 0.0, "on": 1.0},
        event("hot", "T >= 4", on="0"),
        event("cold", "T <= 2", on="1"),
    )
    times = np.linspace(0.0, 20.0, 201)
    phase = np.mod(np.maximum(times - 2.0, 0.0), 3.0)
    expected = np.where(times < 2.0, times, np.where(phase < 2.0, 2.0 + phase, 4.0 - 2.0 * (phase - 2.0)))
    assert run(model, times)["T"] == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_a_state_that_rests_on_its_border_does_not_flicker(method: str) -> None:
    """What does not change keeps its bits between the steps, so that a trigger at its very value changes once."""
    model = network(
        {"x": "0", "y": "-y * x", "n": "0"},
        {"x": 0.1, "y": 1.0},
        event("at", "x >= 0.1 and y < 0.9", n="n + 1"),
        event("never", "x != 0.1", n="n + 100"),
    )
    lanes = status(model, method=method)
    assert lanes.values[2, :, 0].tolist() == [0.0, 1.0]
    assert lanes.steps[0] < 300


@pytest.mark.parametrize("lanes", [0, 1])
@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.0]])
def test_no_patients_and_no_times_are_no_fault(lanes: int, times: list[float]) -> None:
    model = network({"A": "-A"}, {"A": 1.0}, event("never", "A > 2", A="0"))
    found = solve_network(model, np.empty((0, lanes)), times, outputs=["A"])
    assert found.values.shape == (1, len(times), lanes)
    assert (found.values == 1.0).all()
    assert (found.final == 1.0).all()


def status(model: Network, **others: Any) -> Lanes:
    column = [[model.values[name]] for name in model.parameters] or np.empty((0, 1))
    return solve_network(model, column, [0.5, 3.0], outputs=model.states, **others)


def test_a_chain_without_end_is_flagged() -> None:
    """Two events that fire each other for ever at one time; the limit is a number of events, not of time."""
    model = network(
        {"a": "0"}, {}, event("up", "time >= 1 and a < 1", a="1"), event("down", "a >= 1", a="0"), limit=float(CHAIN)
    )
    lanes = status(model)
    assert lanes.status.tolist() == [SolverStatus.ENDLESS_EVENTS]
    assert lanes.values[0, :, 0].tolist() == pytest.approx([0.0, math.nan], nan_ok=True)
    assert [message.code for message in solver_failures(lanes)] == ["ode.endless-events"]


@pytest.mark.parametrize("delay", ["-1", "0 / 0 * d"])
def test_an_impossible_delay_is_flagged(delay: str) -> None:
    lanes = status(network({"a": "0"}, {}, event("e", "time >= 1", a="1", delay=delay), d=0.0))
    assert lanes.status.tolist() == [SolverStatus.IMPOSSIBLE_DELAY]


def test_an_assignment_that_is_no_number_stops_the_lane_and_says_so() -> None:
    lanes = status(network({"a": "0"}, {}, event("e", "time >= 1", a="1 / z"), z=0.0))
    assert lanes.status.tolist() == [SolverStatus.NOT_FINITE]
    assert np.isnan(lanes.values[0, 1, 0])


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_events_leave_a_lanes_bits_alone(method: str) -> None:
    """A lane's events happen at its own times; alone, in any order and number of threads it gives the same bits."""
    model = network(
        {"A": "-k * A", "n": "0"}, {"A": 1.0}, event("low", "A < b", A="A + 1", n="n + 1", delay="0.1"), k=0.3, b=0.5
    )
    rng = np.random.default_rng(5)
    parameters = np.array([rng.uniform(0.1, 2.0, 23), rng.uniform(0.2, 0.9, 23)])
    times = np.linspace(0.0, 10.0, 11)
    order = rng.permutation(23)
    whole = solve_network(model, parameters, times, outputs=["A", "n"], method=method, threads=2)
    mixed = solve_network(model, parameters[:, order], times, outputs=["A", "n"], method=method, threads=1)
    alone = solve_network(model, parameters[:, [7]], times, outputs=["A", "n"], method=method)
    assert (mixed.values == whole.values[:, :, order]).all()
    assert (alone.values[:, :, 0] == whole.values[:, :, 7]).all()
    assert whole.values[1].max() > 10.0
