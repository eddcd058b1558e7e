# SPDX-License-Identifier: Apache-2.0
"""The general solver beside libRoadRunner on models as files: events of every kind, cascades, assignments, delays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import roadrunner

from sirolens.engine.network import default_parameters
from sirolens.engine.network_solver import SolverStatus, solve_network
from sirolens.engine.sbml import antimony_to_sbml, read_antimony

# Both at 1e-10; the simulator locates events by itself (measured: below 2e-7 of the largest value).
AGREEMENT = 2e-6
DECAY = "A = 10; k = 0.4; A' = -k*A; "
MODELS = {
    "assignment to a state and to a parameter": DECAY + "at (A < 5): A = A + 3, k = k*1.1;",
    "a trigger of two states": DECAY + "B = 0; B' = k*A - 0.2*B; at (A < B): A = 8, B = 1;",
    "a delay": DECAY + "n = 0; at 1.3 after (A < 5): A = A + 4, n = n + 1;",
    "a delay that depends on the state": DECAY + "at (A/5) after (A < 5): A = A + 4;",
    "values of the time of the event": DECAY + "at 1.5 after (A < 5), fromTrigger=false: A = A + time;",
    "values of the time of the trigger": DECAY + "at 1.5 after (A < 5), fromTrigger=true: A = A + time;",
    "an event that does not persist": DECAY + "B = 0; at 2 after (A < 5 && A > 3), persistent=false: B = 7;",
    "an event at the start": DECAY + "at (A > 1), t0=false: A = 20;",
    "no event at the start": DECAY + "at (A > 1), t0=true: A = 20;",
    "doses that set their own next time": DECAY + "next = 2; at (time >= next), t0=false: A = A + 10, next = next + 3;",
    "a cascade": DECAY + "B = 0; C = 0; at (A < 5): B = 1; at (B > 0.5): C = 2, A = 9;",
    "priorities": DECAY + "x = 0; at (time >= 2), priority=1, fromTrigger=false: x = 10*x + 1; "
    "at (time >= 2), priority=5, fromTrigger=false: x = 10*x + 2; "
    "at (time >= 2), priority=3, fromTrigger=false: x = 10*x + 3;",
    "a logical trigger": DECAY + "B = 0; at ((time > 1 && time < 2) || A < 2): B = B + 1;",
    "a compartment that an event changes": "compartment V = 2; species S in V = 6; J: S ->; V*0.3*S; "
    "at (time >= 3): V = 5;",
    "a rate that an event switches": DECAY + "on = 1; B = 0; B' = piecewise(1, on > 0.5, -2); "
    "at (B >= 3): on = 0; at (B <= 1), t0=false: on = 1;",
    "a switch of time in a rate": "B = 0; B' = piecewise(2, time < 1.7, -1)"
    " + piecewise(3, (time > 4) && (time < 4.3), 0);",
}


def by_roadrunner(text: str, names: list[str], times: np.ndarray) -> np.ndarray:
    simulator: Any = roadrunner.RoadRunner(antimony_to_sbml(text))
    simulator.integrator.relative_tolerance = 1e-10
    simulator.integrator.absolute_tolerance = 1e-12
    simulator.integrator.maximum_num_steps = 100_000
    simulator.timeCourseSelections = ["time", *names]
    return np.asarray(simulator.simulate(float(times[0]), float(times[-1]), times.size))[:, 1:].T


@pytest.mark.parametrize("method", ["explicit", "stiff"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_with_events_agrees_with_libroadrunner(name: str, method: str) -> None:
    """Oracle: libRoadRunner (CVODE with root finding) on the same file."""
    text = f"model invented()\n{MODELS[name]}\nend\n"
    network = read_antimony(text)
    # Off the events' own times, at which an error of a root decides which side is shown.
    times = np.linspace(0.0, 11.87, 174)
    names = list(network.states)
    # In a compartment that changes, the state is the amount, which the simulator gives by the species' own name.
    expected = by_roadrunner(text, [network.label(state).removesuffix("_amount") for state in names], times)
    lanes = solve_network(
        network, default_parameters(network), times, outputs=names, method=method, rtol=1e-10, atol=1e-12
    )
    assert lanes.status.tolist() == [SolverStatus.DONE]
    scale = np.abs(expected).max(axis=1, keepdims=True) + 1e-6
    assert lanes.values[:, :, 0] / scale == pytest.approx(expected / scale, abs=AGREEMENT)
