# SPDX-License-Identifier: Apache-2.0
"""The mechanism model in diffrax (jax.vmap, Tsit5): run by benchmarks/mechanism.py in an environment of its own.

Not a dependency of the project. Make an environment of its own, ``python -m venv /tmp/peer`` and
``/tmp/peer/bin/pip install jax==0.10.2 diffrax==0.7.2``, then
``DIFFRAX_PYTHON=/tmp/peer/bin/python python -m benchmarks mechanism``. The problem is a file of arrays and the text of
the right-hand side; for every setting the platelets at the output times and the processor seconds of a compiled run
come back.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
RUNS = 3


def main(problem_file: str, answer_file: str) -> None:
    given = np.load(problem_file, allow_pickle=False)
    text, settings = str(given["rates"]), json.loads(str(given["settings"]))
    words = {
        "math": SimpleNamespace(exp=jnp.exp, log=jnp.log, sqrt=jnp.sqrt, tanh=jnp.tanh),
        "greater": lambda a, b: a > b,
        "less": lambda a, b: a < b,
        "choose": jnp.where,
        "stack": jnp.stack,
    }
    exec(text, words)
    rates, times = words["rates"], jnp.asarray(given["times"])
    start, step = float(given["start"]), float(given["step"])

    def slope(t, y, own):
        p, nodes, slopes = own
        x = (t - start) / step
        cell = jnp.clip(jnp.floor(x), 0, nodes.shape[0] - 2).astype(int)
        x = x - cell
        a, b = nodes[cell], nodes[cell + 1]
        rise = b - a
        first, last = slopes[cell] * step - rise, rise - slopes[cell + 1] * step
        return rates(y, p, a + x * rise + x * (1 - x) * ((1 - x) * first + x * last))

    answers = {}
    for number, (kind, value) in enumerate(settings):
        fixed = kind == "steps"
        control = diffrax.ConstantStepSize() if fixed else diffrax.PIDController(rtol=value, atol=0.01 * value)

        def one(y, own, control=control, first=value if fixed else 0.05):
            term = diffrax.ODETerm(slope)
            save = diffrax.SaveAt(ts=times)
            solver, ends = diffrax.Tsit5(), (times[0], times[-1])
            found = diffrax.diffeqsolve(
                term, solver, *ends, first, y, own, saveat=save, stepsize_controller=control, max_steps=100_000
            )
            return found.ys[:, int(given["platelets"])]

        every = jax.jit(jax.vmap(one))
        own = tuple(jnp.asarray(given[name]) for name in ("parameters", "nodes", "slopes"))
        began = time.perf_counter()
        every(jnp.asarray(given["initial"]), own).block_until_ready()
        compiled = time.perf_counter() - began
        spent = []
        for _ in range(RUNS):
            began = time.process_time()
            platelets = every(jnp.asarray(given["initial"]), own).block_until_ready()
            spent.append(time.process_time() - began)
        answers[f"platelets{number}"] = np.asarray(platelets)
        answers[f"seconds{number}"] = np.array([min(spent), compiled])
    np.savez(answer_file, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
