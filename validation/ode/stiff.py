# SPDX-License-Identifier: Apache-2.0
"""The general solver on stiff problems and events: error against work, measured orders; writes stiff.md.

Published values: F. Mazzia and C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008). The page
around the tables is ``stiff_page.txt``. Run as ``python -m validation ode``.
"""

from __future__ import annotations

import math
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.expression import parse
from sirolens.engine.network import Event, Network, default_parameters
from sirolens.engine.network_solver import solve_network
from sirolens.engine.simd.integrate import Drive

Array = NDArray[np.float64]

HERE = Path(__file__).parent
TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)
TINY = 1e-18  # absolute tolerance: far below the smallest component that is compared
NO_PARAMETERS = np.empty((0, 1))


def network(rates: dict[str, str], initial: dict[str, float], *events: Event, inputs: tuple[str, ...] = ()) -> Network:
    return Network(
        name="validation",
        states=tuple(rates),
        parameters=(),
        values={},
        inputs=inputs,
        initial={name: parse(repr(initial.get(name, 0.0))) for name in rates},
        rates={name: parse(text) for name, text in rates.items()},
        events=events,
    )


PROBLEMS = {
    "Robertson, to 1e11": (
        network(
            {"x": "-0.04 * x + 1e4 * y * z", "y": "0.04 * x - 1e4 * y * z - 3e7 * y^2", "z": "3e7 * y^2"}, {"x": 1.0}
        ),
        1e11,
        (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050),
    ),
    "HIRES, to 321.8122": (
        network(
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
        ),
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
    "van der Pol, mu 1000, to 2000": (
        network({"x": "v", "v": "1000 * (1 - x^2) * v - x"}, {"x": 2.0}),
        2000.0,
        (0.1706167732170469e1, -0.8928097010248125e-3),
    ),
    "Oregonator, to 360": (
        network(
            {
                "x": "77.27 * (y + x * (1 - 8.375e-6 * x - y))",
                "y": "(z - (1 + x) * y) / 77.27",
                "z": "0.161 * (x - z)",
            },
            {"x": 1.0, "y": 2.0, "z": 3.0},
        ),
        360.0,
        (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3),
    ),
}


def solved(model: Network, times: list[float], method: str, rtol: float, atol: float) -> tuple[Array, int]:
    lanes = solve_network(
        model, default_parameters(model), times, outputs=model.states, method=method, rtol=rtol, atol=atol
    )
    assert (lanes.status == 0).all(), lanes.status
    return lanes.values[:, :, 0], int(lanes.steps[0])


def stiff_rows() -> list[str]:
    rows = []
    for name, (model, end, published) in PROBLEMS.items():
        cells = []
        for rtol in TOLERANCES:
            values, steps = solved(model, [end], "stiff", rtol, TINY)
            error = np.abs(values[:, 0] / np.array(published) - 1.0).max()
            cells.append(f"{error:.0e} ({steps})")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def order(errors: list[float], steps: list[float]) -> float:
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


def order_rows() -> list[str]:
    """Closed forms: a logistic curve, and a rate with time in it."""
    cases = {
        "y' = y (1 - y)": (network({"y": "y * (1 - y)"}, {"y": 0.01}), 1.0 / (1.0 + 99.0 * math.exp(-7.0))),
        "y' = -y + 5 cos 5t + sin 5t": (
            network({"y": "-y + 5 * cos(5 * time) + sin(5 * time)"}, {"y": 0.0}),
            math.sin(35.0),
        ),
        "y' = -1000 (y - cos t) - sin t": (
            network({"y": "-1000 * (y - cos(time)) - sin(time)"}, {"y": 1.0}),
            math.cos(7.0),
        ),
    }
    rows = []
    for name, (model, exact) in cases.items():
        for method in ("explicit", "stiff"):
            errors, steps = [], []
            for rtol in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11):
                values, count = solved(model, [7.0], method, rtol, 1e-2 * rtol)
                errors.append(abs(float(values[0, 0]) - exact))
                steps.append(float(count))
            told = f"{errors[1]:.0e} ({steps[1]:.0f}) | {errors[-1]:.0e} ({steps[-1]:.0f})"
            rows.append(f"| {name} | {method} | {told} | {order(errors, steps):.1f} |")
    return rows


def drive_rows() -> list[str]:
    """dA/dt = C - A with C = sin t on grids of several widths."""
    model = network({"A": "C - A"}, {}, inputs=("C",))
    times = np.linspace(0.0, 10.0, 41)
    exact = 0.5 * (np.sin(times) - np.cos(times) + np.exp(-times))
    rows = []
    for step in (1.0, 0.5, 0.25, 0.125):
        nodes = np.arange(0.0, 10.0 + 1.5 * step, step)
        drive = Drive(start=0.0, step=step, values=np.sin(nodes)[None, :, None], slopes=np.cos(nodes)[None, :, None])
        cells = []
        for method in ("explicit", "stiff"):
            lanes = solve_network(
                model, NO_PARAMETERS, times, outputs=["A"], drive=drive, method=method, rtol=1e-9, atol=1e-11
            )
            cells.append(f"{np.abs(lanes.values[0, :, 0] - exact).max():.1e} ({lanes.steps[0]})")
        rows.append(f"| {step:g} | {' | '.join(cells)} |")
    return rows


def event_rows() -> list[str]:
    """A ball that keeps 0.8 of its speed, and a decay that is doubled at every halving."""
    ball = network(
        {"h": "v", "v": "-9.81"},
        {"h": 10.0},
        Event(name="bounce", trigger=parse("h <= 0 and v < 0"), assignments={"v": parse("-0.8 * v")}),
    )
    fall = math.sqrt(20.0 / 9.81)
    last = fall + sum(2.0 * fall * 0.8**i for i in range(1, 11))
    speed, since = 0.8**11 * math.sqrt(2.0 * 9.81 * 10.0), 0.3 * fall * 0.8**11
    height = speed * since - 0.5 * 9.81 * since**2
    halving = network(
        {"A": "-0.3 * A"}, {"A": 1.0}, Event(name="half", trigger=parse("A < 0.5"), assignments={"A": parse("2 * A")})
    )
    end = 20.4 * math.log(2.0) / 0.3
    rows = []
    for rtol in TOLERANCES:
        cells = []
        for model, until, exact in ((ball, last + since, height), (halving, end, 0.5**0.4)):
            for method in ("explicit", "stiff"):
                values, _ = solved(model, [until], method, rtol, 1e-2 * rtol)
                cells.append(f"{abs(float(values[0, 0]) - exact):.0e}")
        rows.append(f"| {rtol:g} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    page = Template((HERE / "stiff_page.txt").read_text(encoding="utf-8"))
    tables = {
        "stiff": stiff_rows(),
        "orders": order_rows(),
        "drive": drive_rows(),
        "events": event_rows(),
    }
    text = page.substitute({name: "\n".join(rows) for name, rows in tables.items()})
    (HERE / "stiff.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
