# SPDX-License-Identifier: Apache-2.0
"""The stiff method: its order conditions, measured orders, exact Jacobians, classical problems, and who gets it."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from sirolens.engine import network_kernel_stiff as stiff
from sirolens.engine import ode_step
from sirolens.engine.expression import parse
from sirolens.engine.network import Network, default_parameters, evaluate_rates
from sirolens.engine.network_code import derivative_text
from sirolens.engine.network_solver import SolverStatus, solve_network
from sirolens.engine.ode_codegen import kernel_module

# The published coefficients have 16 digits; transformed back they are good to some 1e-13 (measured: 3e-13).
COEFFICIENTS = 1e-11

Tree = tuple[Any, ...]  # a tree is the sorted tuple of what hangs on its root


@cache
def trees(order: int) -> tuple[Tree, ...]:
    """All rooted trees with `order` nodes (Butcher)."""
    found = {()} if order == 1 else set()
    for count in range(1, order):
        for sizes in combinations_with_replacement(range(1, order), count):
            if sum(sizes) == order - 1:
                found |= set(_forests(sizes))
    return tuple(sorted(found, key=repr))


def _forests(sizes: tuple[int, ...]) -> Iterator[Tree]:
    if not sizes:
        yield ()
        return
    for rest in _forests(sizes[1:]):
        for first in trees(sizes[0]):
            yield tuple(sorted((first, *rest), key=repr))


def size(tree: Tree) -> int:
    return 1 + sum(size(branch) for branch in tree)


def density(tree: Tree) -> int:
    return size(tree) * math.prod(density(branch) for branch in tree)


def test_there_are_as_many_trees_as_there_should_be() -> None:
    """Oracle: the numbers of rooted trees, 1 1 2 4 9."""
    assert [len(trees(order)) for order in range(1, 6)] == [1, 1, 2, 4, 9]


def classical() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rodas5P in its untransformed form: alpha, Gamma, and Gamma itself to turn weights around.

    The transformed stages are u = Gamma k, so C = diag(1/gamma) - Gamma^-1 and a = alpha Gamma^-1.
    """
    gamma = np.linalg.inv(np.eye(8) / stiff.GAMMA - np.hstack([stiff.C, np.zeros((8, 1))]))
    a = np.zeros((8, 8))
    a[:6, :5] = stiff.A
    a[6] = a[5]
    a[6, 5] = 1.0
    a[7] = a[6]
    a[7, 6] = 1.0
    return a @ gamma, gamma, a


def weights() -> tuple[np.ndarray, np.ndarray]:
    """Weights of the stages in the solution, and in the embedded one."""
    _, gamma, a = classical()
    embedded = a[7].copy()
    solution = embedded.copy()
    solution[7] = 1.0
    return solution @ gamma, embedded @ gamma


def elementary(tree: Tree, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The elementary weight of a tree at every stage: a node with one branch stands for the Jacobian (Wolfbrandt)."""
    inner = [elementary(branch, alpha, beta) for branch in tree]
    if len(inner) == 1:
        return beta @ inner[0]
    product = np.ones(8)
    for part in inner:
        product = product * (alpha @ part)
    return product


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_the_coefficients_satisfy_the_order_conditions(order: int) -> None:
    """Oracle: Hairer and Wanner, Solving ODEs II, theorem IV.7.3; order 5, embedded 4."""
    alpha, gamma, _ = classical()
    solution, embedded = weights()
    for tree in trees(order):
        weight = elementary(tree, alpha, alpha + gamma)
        assert solution @ weight == pytest.approx(1.0 / density(tree), abs=COEFFICIENTS)
        if order <= 4:
            assert embedded @ weight == pytest.approx(1.0 / density(tree), abs=COEFFICIENTS)


def test_the_embedded_formula_is_of_order_four_only() -> None:
    alpha, gamma, _ = classical()
    _, embedded = weights()
    wrong = [embedded @ elementary(tree, alpha, alpha + gamma) - 1.0 / density(tree) for tree in trees(5)]
    assert max(abs(number) for number in wrong) > 1e-4


def test_the_times_of_the_stages_are_the_sums_of_the_rows() -> None:
    alpha, gamma, _ = classical()
    assert pytest.approx(alpha.sum(axis=1), abs=COEFFICIENTS) == stiff.NODES
    assert pytest.approx(gamma.sum(axis=1), abs=COEFFICIENTS) == stiff.IN_TIME


@pytest.mark.parametrize("x", [0.1, 0.35, 0.5, 0.8, 1.0])
def test_the_dense_output_satisfies_the_order_conditions_of_order_four(x: float) -> None:
    """Oracle: the same conditions for a solution after the part x of the step."""
    alpha, gamma, a = classical()
    end = a[7].copy()
    end[7] = 1.0
    row = x * (end + (1.0 - x) * (stiff.H[0] + x * (stiff.H[1] + x * stiff.H[2])))
    for order in (1, 2, 3, 4):
        for tree in trees(order):
            weight = elementary(tree, alpha, alpha + gamma)
            assert row @ gamma @ weight == pytest.approx(x**order / density(tree), abs=COEFFICIENTS)


def test_the_method_is_stable_in_the_whole_left_half_plane_and_forgets_what_is_fast() -> None:
    """The stability function is at most 1 on the imaginary axis and 0 at infinity (L-stable); stiffly accurate."""
    alpha, gamma, _ = classical()
    beta = alpha + gamma
    solution, _ = weights()

    def grows(z: complex) -> float:
        return abs(1.0 + z * solution @ np.linalg.solve(np.eye(8) - z * beta, np.ones(8)))

    assert max(grows(1j * y) for y in np.logspace(-3, 6, 2000)) <= 1.0 + 1e-9
    assert grows(-1e12) < 1e-6
    assert solution == pytest.approx(beta[7], abs=COEFFICIENTS)


def test_the_explicit_pair_is_stable_down_to_minus_three_and_a_half() -> None:
    """What the stiffness test takes for the border, from the coefficients."""
    s = ode_step
    a = np.zeros((6, 6))
    a[1, :1] = s.A21
    a[2, :2] = s.A31, s.A32
    a[3, :3] = s.A41, s.A42, s.A43
    a[4, :4] = s.A51, s.A52, s.A53, s.A54
    a[5, :5] = s.A61, s.A62, s.A63, s.A64, s.A65
    b = np.array([s.B1, s.B2, s.B3, s.B4, s.B5, s.B6])
    z = -np.linspace(0.0, 5.0, 50_001)
    grows = np.array([abs(1.0 + x * b @ np.linalg.solve(np.eye(6) - x * a, np.ones(6))) for x in z])
    assert z[np.argmax(grows > 1.0)] == pytest.approx(-3.5, abs=0.1)


def network(rates: dict[str, str], initial: dict[str, float], **values: float) -> Network:
    return Network(
        name="classical",
        states=tuple(rates),
        parameters=tuple(values),
        values=values,
        initial={name: parse(repr(initial.get(name, 0.0))) for name in rates},
        rates={name: parse(text) for name, text in rates.items()},
    )


@pytest.mark.parametrize(("method", "lowest"), [("explicit", 4.6), ("stiff", 4.6)])
@pytest.mark.parametrize("driven", [False, True])
def test_the_order_measured_is_five(method: str, lowest: float, driven: bool) -> None:
    """Oracle: closed forms; error against number of steps from 1e-5 to 1e-11, time within the rates and without."""
    if driven:
        model = network({"y": "-y + 5 * cos(5 * time) + sin(5 * time)"}, {"y": 0.0})
        exact = math.sin(5.0 * 7.0)
    else:
        model = network({"y": "y * (1 - y)"}, {"y": 0.01})
        exact = 1.0 / (1.0 + 99.0 * math.exp(-7.0))
    errors, steps = [], []
    for rtol in (1e-5, 1e-7, 1e-9, 1e-11):
        lanes = solve_network(model, np.empty((0, 1)), [7.0], outputs=["y"], method=method, rtol=rtol, atol=1e-2 * rtol)
        errors.append(abs(lanes.values[0, 0, 0] - exact))
        steps.append(lanes.steps[0])
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert lowest < order < 6.5


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_between_the_steps_the_error_is_that_of_the_steps(method: str) -> None:
    model = network({"y": "-y + 5 * cos(5 * time) + sin(5 * time)"}, {"y": 0.0})
    times = np.linspace(0.0, 7.0, 997)
    worst = []
    for rtol in (1e-6, 1e-9):
        lanes = solve_network(model, np.empty((0, 1)), times, outputs=["y"], method=method, rtol=rtol, atol=1e-2 * rtol)
        worst.append(np.abs(lanes.values[0, :, 0] - np.sin(5.0 * times)).max())
    # Measured: 2 to 30 times the tolerance at order 4 between the steps.
    assert worst[0] < 1e-4
    assert worst[1] < 3e-7


def called(function: Any, t: float, arrays: list[np.ndarray]) -> None:
    pointers = [array.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for array in arrays]
    function.ctypes(t, *pointers)


def test_the_jacobian_is_exact_through_definitions_inputs_and_choices() -> None:
    """Oracle: central differences of the formulas walked one by one; the slope in time likewise."""
    model = Network(
        name="invented",
        states=("A", "B", "D"),
        parameters=("k", "n"),
        values={"k": 0.7, "n": 1.6},
        inputs=("C",),
        initial={name: parse("1") for name in "ABD"},
        constants={"kk": parse("k^2")},
        definitions={
            "hill": parse("C^n / (C^n + A^n)"),
            "both": parse("hill * B + sin(time) * tanh(A)"),
            "lid": parse("min(A, both, 3)"),
        },
        rates={
            "A": parse("kk - both * A"),
            "B": parse("if(A > 0.5, hill, 2 * hill) * D - exp(-B) * C"),
            "D": parse("lid - k * sqrt(D) + abs(A - B)"),
        },
    )
    module = kernel_module(derivative_text(model))
    rng = np.random.default_rng(8)
    h = 1e-6
    for _ in range(20):
        y, t, c, slope = rng.uniform(0.2, 2.0, 3), rng.uniform(0.0, 5.0), rng.uniform(0.2, 2.0), rng.normal()
        q = np.array([0.7, 1.6, 0.49])

        def rates(y: np.ndarray, t: float, c: float) -> np.ndarray:
            return evaluate_rates(model, y[:, None], [[0.7], [1.6]], [[c]], t)[:, 0]

        jacobian, in_time = np.zeros((3, 3)), np.zeros(3)
        called(module.jacobian, t, [y, q, np.array([c, slope]), jacobian])
        called(module.slope, t, [y, q, np.array([c, slope]), in_time])
        for j in range(3):
            step = h * np.eye(3)[j]
            expected = (rates(y + step, t, c) - rates(y - step, t, c)) / (2.0 * h)
            assert jacobian[:, j] == pytest.approx(expected, rel=1e-6, abs=1e-7)
        moved = (rates(y, t + h, c + h * slope) - rates(y, t - h, c - h * slope)) / (2.0 * h)
        assert in_time == pytest.approx(moved, rel=1e-6, abs=1e-7)


def test_linear_systems_that_need_pivoting_follow_the_matrix_exponential() -> None:
    """Oracle: SciPy's expm; off-diagonal entries far above the diagonal, eigenvalues from 1 to 1e6 in size."""
    rng = np.random.default_rng(9)
    for _ in range(5):
        basis = rng.normal(size=(6, 6))
        matrix = basis @ np.diag(-(10.0 ** rng.uniform(0.0, 6.0, 6))) @ np.linalg.inv(basis)
        names = [f"x{i}" for i in range(6)]
        sums = [" + ".join(f"({float(matrix[i, j])!r}) * x{j}" for j in range(6)) for i in range(6)]
        model = network(dict(zip(names, sums, strict=True)), dict.fromkeys(names, 1.0))
        lanes = solve_network(model, np.empty((0, 1)), [0.3], outputs=names, method="stiff", rtol=1e-9, atol=1e-12)
        assert lanes.final[:, 0] == pytest.approx(expm(0.3 * matrix) @ np.ones(6), rel=1e-6, abs=1e-8)


# F. Mazzia and C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008): problems, end times and
# reference solutions, computed there by RADAU at tolerances near 1e-18.
ROBERTSON = network(
    {
        "x": "-0.04 * x + 1e4 * y * z",
        "y": "0.04 * x - 1e4 * y * z - 3e7 * y^2",
        "z": "3e7 * y^2",
    },
    {"x": 1.0},
)
HIRES = network(
    {
        "a": "-1.71 * a + 0.43 * b + 8.32 * c + 0.0007",
        "b": "1.71 * a - 8.75 * b",
        "c": "-10.03 * c + 0.43 * d + 0.035 * e",
        "d": "8.32 * b + 1.71 * c - 1.12 * d",
        "e": "-1.745 * e + 0.43 * f + 0.43 * g",
        "f": "-280 * f * h + 0.69 * d + 1.71 * e - 0.43 * f + 0.69 * g",
        "g": "280 * f * h - 1.81 * g",
        "h": "-280 * f * h + 1.81 * g",
    },
    {"a": 1.0, "h": 0.0057},
)
VAN_DER_POL = network({"x": "v", "v": "mu * (1 - x^2) * v - x"}, {"x": 2.0}, mu=1000.0)
OREGONATOR = network(
    {
        "x": "77.27 * (y + x * (1 - 8.375e-6 * x - y))",
        "y": "(z - (1 + x) * y) / 77.27",
        "z": "0.161 * (x - z)",
    },
    {"x": 1.0, "y": 2.0, "z": 3.0},
)
CLASSICAL = {
    "robertson": (ROBERTSON, 1e11, (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050)),
    "hires": (
        HIRES,
        321.8122,
        (
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ),
    ),
    "van der pol": (VAN_DER_POL, 2000.0, (0.1706167732170469e1, -0.8928097010248125e-3)),
    "oregonator": (OREGONATOR, 360.0, (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3)),
}


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_classical_stiff_problems_reach_their_published_values(name: str) -> None:
    """Oracle: the published reference solutions; relative to each component, at rtol 1e-8."""
    model, end, expected = CLASSICAL[name]
    lanes = solve_network(
        model, default_parameters(model), [end], outputs=model.states, method="stiff", rtol=1e-8, atol=1e-18
    )
    assert lanes.status.tolist() == [SolverStatus.DONE]
    # The error of some hundred to ten thousand steps (validation/ode/stiff.md: below 2e-6 at this tolerance).
    assert lanes.values[:, 0, 0] == pytest.approx(np.array(expected), rel=1e-5, abs=0.0)
    assert lanes.steps[0] < 20_000


@pytest.mark.parametrize("method", ["scalar", "auto"])
def test_stiff_lanes_are_redone_whole_and_the_others_are_not_touched(method: str) -> None:
    """A lane that is handed over has the bits of the stiff method; one that is not, those of the explicit one."""
    mu = np.array([[5.0, 1e6, 1.0, 1e5]])
    times = [0.0, 1.0, 300.0]
    mixed = solve_network(VAN_DER_POL, mu, times, outputs=["x"], method=method)
    assert (mixed.status == SolverStatus.DONE).all()
    by_stiff = solve_network(VAN_DER_POL, mu, times, outputs=["x"], method="stiff")
    for lane in (1, 3):
        assert (mixed.values[:, :, lane] == by_stiff.values[:, :, lane]).all()
    for lane in (0, 2):
        alone = solve_network(VAN_DER_POL, mu[:, [lane]], times, outputs=["x"], method=method)
        assert (mixed.values[:, :, lane] == alone.values[:, :, 0]).all()
        assert (mixed.values[:, 1:, lane] != by_stiff.values[:, 1:, lane]).all()


def test_the_explicit_method_alone_goes_on_and_says_when_it_cannot() -> None:
    lanes = solve_network(VAN_DER_POL, [[1e6]], [1.0], outputs=["x"], method="explicit", most_steps=5000)
    assert lanes.status.tolist() == [SolverStatus.TOO_MANY_STEPS]
