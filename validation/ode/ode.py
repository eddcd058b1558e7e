# SPDX-License-Identifier: Apache-2.0
"""Orders, tolerance and stability of the integrator in lanes; writes README.md out of ``page.txt``.

Run as ``python -m validation ode``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from sirolens.engine.expression import parse
from sirolens.engine.network import Network
from sirolens.engine.simd.integrate import integrate
from sirolens.engine.simd.lane_system import compile_lanes
from validation.ode.single_steps import LENGTHS, errors, orders, predators_and_prey, solved

HERE = Path(__file__).parent
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12)
LONG = 20.0
# Processors of one family whose vectors differ: 512 bits, 256 bits, and 128 bits without multiply-and-add.
PROCESSORS = ("skylake-avx512", "haswell", "nehalem")
BITS = """
import hashlib, numpy as np
from sirolens.engine.expression import parse
from sirolens.engine.network import Network
from sirolens.engine.simd.integrate import integrate
from sirolens.engine.simd.lane_system import compile_lanes
network = Network(
    name="bits", states=("A", "B"), parameters=("k", "n"), values={"k": 1.0, "n": 2.0},
    initial={"A": parse("2"), "B": parse("1")},
    rates={"A": parse("k*B/(1 + A^n) - A^0.7*tanh(A)"), "B": parse("exp(-A)*log(1 + A) - B/(2 + floor(B))")},
)
p = np.random.default_rng(1).uniform(0.5, 3.0, (2, 21))
lanes = integrate(compile_lanes(network, outputs=["A", "B"]), p, np.linspace(0.0, 9.0, 13))
print(hashlib.blake2b(lanes.values.tobytes(), digest_size=8).hexdigest())
"""


def order_rows() -> str:
    """Errors of single steps and the exponents between neighbours."""
    found = errors()
    exponent = {part: orders(values) for part, values in found.items()}
    rows = []
    for i, length in enumerate(LENGTHS):
        cells = [
            f"{values[i]:.1e}" + (f" ({exponent[part][i - 1]:.2f})" if i else "") for part, values in found.items()
        ]
        rows.append(f"| {length:.3f} | {' | '.join(cells)} |")
    return "\n".join(rows)


def tolerance_rows() -> str:
    """Global error and steps over several rounds of predators and prey, at the end and between steps."""
    system = compile_lanes(predators_and_prey(), outputs=["x", "y"])
    times = np.linspace(0.0, LONG, 41)
    exact = np.array([solved(time) if time else np.array([1.1, 0.9]) for time in times]).T
    rows = []
    for rtol in TOLERANCES:
        lanes = integrate(system, [[1.3]], times, rtol=rtol, atol=rtol * 1e-2, threads=1)
        worst = np.abs(lanes.values[:, :, 0] / exact - 1.0).max()
        rows.append(f"| {rtol:g} | {worst:.1e} | {lanes.steps[0]} |")
    return "\n".join(rows)


def edge() -> str:
    """The longest step of dA/dt = -A whose dense course does not grow, from the mean step at loose tolerance."""
    network = Network(
        name="", states=("A",), parameters=(), values={}, initial={"A": parse("1e-3")}, rates={"A": parse("-A")}
    )
    system = compile_lanes(network, outputs=["A"])
    lanes = integrate(system, np.empty((0, 1)), [2000.0], rtol=1e-3, atol=1.0, threads=1)
    return f"{2000.0 / lanes.steps[0]:.2f}"


def bits() -> str:
    """One course under the code for other processors."""
    seen = {}
    for processor in PROCESSORS:
        with tempfile.TemporaryDirectory() as cache:
            chosen = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": cache}
            done = subprocess.run(
                [sys.executable, "-c", BITS], env=os.environ | chosen, capture_output=True, text=True, check=True
            )
            seen[processor] = done.stdout.strip()
    assert len(set(seen.values())) == 1, seen
    return "\n".join(f"| {processor} | {digest} |" for processor, digest in seen.items())


def main() -> None:
    """Write README.md beside this file."""
    page = (HERE / "page.txt").read_text(encoding="utf-8")
    text = page.format(orders=order_rows(), tolerances=tolerance_rows(), edge=edge(), bits=bits())
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
