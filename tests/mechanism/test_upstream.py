# SPDX-License-Identifier: Apache-2.0
"""What depends on concentration alone is cut off, followed exactly, and drives the rest as if all were one system."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson, solve_ivp

from sirolens.engine.expression import parse
from sirolens.engine.network import Network, default_parameters, evaluate_rates, initial_state
from sirolens.engine.simd.integrate import Drive, integrate
from sirolens.engine.simd.lane_system import compile_lanes
from sirolens.errors import InputError
from sirolens.mechanism.exposure import Kinetics, blood_levels, constant_dose, sample_kinetics
from sirolens.mechanism.network import load
from sirolens.mechanism.simulate import Plan
from sirolens.mechanism.upstream import Courses, Split, follow, grid, interpolate, split, without
from sirolens.mechanism.virtual import Population, draw
from sirolens.models.catalog import load as catalogue

DAYS = 30
PATIENTS = 3
NODE_ERROR = 6e-4  # of an inhibition, on the default grid; the 95th percentile over patients is below 1e-4
PLATELET_ERROR = 3e-4  # relative: what the grid and the lanes' tolerance leave together


def _small(**rates: str) -> Network:
    """A network with one rate per state, in k and K, driven by C."""
    return Network(
        name="small",
        states=tuple(rates),
        parameters=("k", "K"),
        values={"k": 1.0, "K": 5.0},
        inputs=("C", "flare"),
        initial=dict.fromkeys(rates, parse("0")),
        rates={name: parse(text) for name, text in rates.items()},
    )


def _whole(t: float, x: np.ndarray, network: Network, own: np.ndarray, at: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The right-hand side of everything together, concentration from a table."""
    return evaluate_rates(network, x[:, None], own, [[np.interp(t, at, level)]], t)[:, 0]


def _course(cut: Split, people: Population, kinetics: Kinetics, days: int, **settings: float) -> Courses:
    doses = constant_dose(3.0, days)
    on = grid(0.0, days, doses.time_d, **settings)
    return follow(cut, people.parameters, blood_levels(kinetics, doses, on.time_d), on)


@pytest.fixture(scope="module")
def closed() -> Network:
    return without(load().network, "flare")


@pytest.fixture(scope="module")
def people() -> Population:
    return draw(load(), PATIENTS, seed=5)


@pytest.fixture(scope="module")
def kinetics(people: Population) -> Kinetics:
    return sample_kinetics(catalogue("golubovic_2019"), people.covariates, seed=5, index=people.index)


def test_the_three_links_and_the_averaged_concentration_are_upstream(closed: Network) -> None:
    cut = split(closed)
    assert cut.states == ("u_T", "u_B", "u_R", "C_avg")
    assert cut.rest.inputs == cut.states
    assert "C" not in {name for formula in cut.rest.rates.values() for name in formula.names}
    assert set(cut.rest.states) | set(cut.states) == set(closed.states)


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        ("k*(C - X)*X", "not linear"),
        ("k*(C - X*C)", "its loss follows the port"),
        ("k*(C + flare - X)", "another port"),
        ("k*(C + time - X)", "time"),
        ("k*(C + Y - X)", "another state"),
        ("k*(K - X)", "no port at all"),
    ],
)
def test_what_is_not_of_that_kind_stays(rate: str, why: str) -> None:
    network = _small(X=rate, Y="-k*Y")
    assert "X" not in split(network).states, why


def test_definitions_are_looked_through() -> None:
    network = Network(
        name="",
        states=("X", "P"),
        parameters=("k",),
        values={"k": 1.0},
        inputs=("C",),
        initial={"X": parse("0"), "P": parse("1")},
        definitions={"drive_in": parse("C/(1 + C)"), "gap": parse("drive_in - X"), "shown": parse("2*X")},
        rates={"X": parse("k*gap"), "P": parse("shown - P")},
    )
    cut = split(network)
    assert cut.states == ("X",)
    assert "shown" in cut.rest.definitions
    assert "drive_in" not in cut.rest.definitions


def test_a_state_is_its_convolution_with_what_drives_it(
    closed: Network, people: Population, kinetics: Kinetics
) -> None:
    """Oracle: scipy.integrate.simpson on X(t) = integral of k exp(-k (t - s)) f(C(s)) ds, f as the file writes it."""
    cut = split(closed)
    course = _course(cut, people, kinetics, DAYS)
    end, known = 5.0, {name: people.parameter(name) for name in people.names}
    fine = np.concatenate([day + np.linspace(0.0, 1.0, 20_001) ** 2 for day in range(5)])  # dense after each dose
    level = blood_levels(kinetics, constant_dose(3.0, DAYS), fine)
    for name, kind in (("u_T", "T"), ("u_B", "B"), ("u_R", "R")):
        for i in range(PATIENTS):
            own = {key: float(value[i]) for key, value in known.items()}
            ratio = (level[i] / (own["pot"] * own[f"IC50_{kind}"])) ** own[f"h_{kind}"]
            kernel = own["k_u"] * np.exp(-own["k_u"] * (end - fine)) * own[f"Imax_{kind}"] * ratio / (1.0 + ratio)
            days = [slice(day * 20_001, (day + 1) * 20_001) for day in range(5)]
            exact = sum(simpson(kernel[day], x=fine[day]) for day in days)
            seen = interpolate(course, [end])[course.names.index(name), 0, i]
            assert abs(seen - exact) < NODE_ERROR


def test_a_finer_grid_converges_and_the_default_is_fine_enough(
    closed: Network, people: Population, kinetics: Kinetics
) -> None:
    cut = split(closed)
    fine = _course(cut, people, kinetics, DAYS, step_d=1 / 128, halvings=4)
    inhibitions = slice(0, 3)
    error = {}
    for step_d in (1 / 4, 1 / 8, 1 / 16):
        found = _course(cut, people, kinetics, DAYS, step_d=step_d, halvings=5)
        nodes = np.arange(found.values.shape[1]) * step_d
        error[step_d] = np.abs(found.values - interpolate(fine, nodes))[inhibitions].max()
    assert error[1 / 16] < error[1 / 8] < error[1 / 4]
    assert error[1 / 8] < NODE_ERROR


def test_the_area_of_a_course_is_kept_although_the_cubic_cannot_follow_the_hour_after_a_tablet(
    closed: Network, people: Population, kinetics: Kinetics
) -> None:
    cut = split(closed)
    fine = _course(cut, people, kinetics, DAYS, step_d=1 / 128, halvings=4)
    found = _course(cut, people, kinetics, DAYS)

    def mean(nodes: np.ndarray, slopes: np.ndarray, step_d: float) -> np.ndarray:
        trapezoid = step_d * (0.5 * (nodes[:, 1:] + nodes[:, :-1])).sum(axis=1)
        return (trapezoid + step_d**2 / 12.0 * (slopes[:, 0] - slopes[:, -1])) / DAYS

    exact = mean(fine.values, fine.slopes, fine.step_d)[:3]
    corrected, plain = (mean(nodes, found.slopes, found.step_d)[:3] for nodes in (found.corrected, found.values))
    assert np.abs(corrected - exact).max() < 0.2 * np.abs(plain - exact).max()
    assert np.abs(corrected - exact).max() < 1e-4


def test_driving_the_rest_equals_integrating_everything_together(
    closed: Network, people: Population, kinetics: Kinetics
) -> None:
    """Oracle: scipy.integrate.solve_ivp (LSODA) over all states at once, C from the exact engine, stopped at doses."""
    cut = split(closed)
    days = 5
    doses = constant_dose(3.0, days)
    course = _course(cut, people, kinetics, days)
    drive = Drive(start=0.0, step=course.step_d, values=course.corrected, slopes=course.slopes)
    times = np.arange(1.0, days + 1.0)
    usual = Plan.of(load(), ("P", "H", "Ab")).system.outputs  # those of any run, so that they are compiled once
    system = compile_lanes(cut.rest, outputs=usual)
    lanes = integrate(system, people.parameters, times, drive=drive, rtol=1e-7, atol=1e-9)
    compared = [usual.index(name) for name in ("P", "H", "Ab")]
    at = [closed.states.index(name) for name in ("P", "H", "Ab")]
    dense = np.linspace(0.0, 1.0, 1001) ** 2
    for i in range(1):
        own = people.parameters[:, i : i + 1]
        y = initial_state(closed, own)[:, 0]
        for day in range(days):
            # Between doses concentration is smooth: a fine table of it is exact enough for the oracle.
            level = blood_levels(kinetics.of(i, i + 1), doses, day + dense)[0]

            done = solve_ivp(
                _whole,
                (day, day + 1.0),
                y,
                rtol=1e-7,
                atol=1e-9,
                method="LSODA",
                args=(closed, own, day + dense, level),
            )
            y = done.y[:, -1]
        np.testing.assert_allclose(lanes.values[compared, -1, i], y[at], rtol=PLATELET_ERROR)


def test_without_a_drug_nothing_moves_to_the_last_bit(closed: Network, people: Population) -> None:
    cut = split(closed)
    on = grid(0.0, 50.0)
    course = follow(cut, people.parameters, np.zeros((PATIENTS, on.time_d.size)), on)
    assert (course.values == course.values[:, :1]).all()
    assert (course.corrected == course.values).all()
    assert (course.slopes == 0.0).all()


def test_a_patient_does_not_depend_on_company(closed: Network, people: Population, kinetics: Kinetics) -> None:
    cut = split(closed)
    everybody = _course(cut, people, kinetics, 10)
    for i in range(PATIENTS):
        alone = _course(cut, people.part(slice(i, i + 1)), kinetics.of(i, i + 1), 10)
        np.testing.assert_array_equal(alone.corrected[..., 0], everybody.corrected[..., i])


def test_a_course_goes_on_from_where_it_stopped(closed: Network, people: Population, kinetics: Kinetics) -> None:
    cut, doses = split(closed), constant_dose(3.0, 20)
    whole = _course(cut, people, kinetics, 20)
    first, second = grid(0.0, 8.0, doses.time_d), grid(8.0, 12.0, doses.time_d)
    half = follow(cut, people.parameters, blood_levels(kinetics, doses, first.time_d), first, every_node=False)
    assert half.values.shape[1] == 1
    rest = follow(cut, people.parameters, blood_levels(kinetics, doses, second.time_d), second, start=half.last)
    np.testing.assert_allclose(rest.last, whole.last, rtol=1e-11, atol=1e-13)


def test_doses_between_nodes_are_refined_too() -> None:
    on = grid(0.0, 1.0, [0.3, 0.5], step_d=0.25, halvings=3)
    assert on.last.tolist() == [0, 1, 9, 13, 14]
    assert np.diff(on.time_d).min() == 0.25 / 8 / 2
    assert (np.diff(on.time_d) > 0).all()
    assert on.node_d.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_impossible_is_refused_by_name(closed: Network, people: Population) -> None:
    with pytest.raises(InputError, match=r"mechanism\.no-port"):
        split(closed, "flare")
    with pytest.raises(InputError, match=r"mechanism\.grid-uneven"):
        grid(0.0, 1.1, step_d=0.25)
    with pytest.raises(InputError, match=r"mechanism\.levels-shape"):
        follow(split(closed), people.parameters, np.zeros((PATIENTS, 3)), grid(0.0, 1.0))


def test_defaults_are_the_typical_patient(closed: Network) -> None:
    """One patient of default parameters is inhibited by 60 % at 11.5 ng/mL, as the register says of its anchor."""
    cut = split(closed)
    on = grid(0.0, 60.0)
    course = follow(cut, default_parameters(closed), np.full((1, on.time_d.size), 11.5), on)
    assert course.last[0, 0] == pytest.approx(0.60, abs=0.005)
