# SPDX-License-Identifier: Apache-2.0
"""How long the most probable etas and a whole posterior take: one patient alone, and many.

The smallest of several runs, since anything else on the machine only adds: processor time of all threads for modes, the
clock on the wall for a posterior, whose draws are spread over the cores. The patients
are those of validation/estimation: up to 98 daily doses and one to four levels. The ratio compares with one start of
SciPy's BFGS on the same compiled predictions; MAP here means six starts and an exact Hessian.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from validation.estimation.patients import invent

from benchmarks import Figure
from sirolens.engine.bayes import Problem, mode, modes, posterior
from sirolens.engine.bayes_linear import predict_in_step
from sirolens.engine.bayes_patients import pack

BATCH = 500
DRAWS = 10_000
MAP_ALONE_MS, MAP_BATCH_MS, POSTERIOR_MS = 10.0, 0.5, 20.0
EXAMPLES = (("cheng_2020", "2 etas"), ("golubovic_2019", "5 etas"))
SATURABLE = ("wu_2012", "4 etas, saturable absorption")


def least_ms(job: Callable[[], object], times: int = 7, clock: Callable[[], float] = time.process_time) -> float:
    """Least processor time of several runs, or least time by another clock."""
    job()
    found = []
    for _ in range(times):
        begin = clock()
        job()
        found.append(clock() - begin)
    return 1e3 * min(found)


def scipy_ms(problem: Problem) -> float:
    """One start of SciPy's BFGS with numerical derivatives."""
    patients, f, minus_2_log = pack([problem]), np.empty((1, problem.levels.y.size)), np.empty(1)

    def objective(z: NDArray[np.float64]) -> float:
        predict_in_step(patients, 0, (problem.factor @ z)[None], 0, 1, f, minus_2_log)
        return float(minus_2_log[0] + z @ z)

    return least_ms(lambda: minimize(objective, np.zeros(problem.omega.shape[0]), method="BFGS"))


def run() -> list[Figure]:
    figures = []
    for name, what in (*EXAMPLES, SATURABLE):
        problem = invent(name, 1, 1).problem
        found = mode(problem)
        label = f"{name} ({what})"
        alone = least_ms(lambda problem=problem: mode(problem))
        figures.append(Figure(name=f"MAP of one patient, {label}", value=alone, unit="ms", aim=MAP_ALONE_MS))
        if isinstance(problem, Problem):
            batch = [p for i in range(BATCH) if isinstance(p := invent(name, 1, i).problem, Problem)]
            each = least_ms(lambda batch=batch: modes(batch, threads=1), times=3) / BATCH
            figures.append(
                Figure(name=f"MAP in a batch, per patient, {label}", value=each, unit="ms", aim=MAP_BATCH_MS)
            )
            ratio = scipy_ms(problem) / alone
            figures.append(Figure(name=f"SciPy BFGS, one start / MAP alone, {label}", value=ratio, unit="times"))
        drawn = partial(posterior, problem, found, draws=DRAWS, seed=1)
        whole = least_ms(drawn, times=20, clock=time.perf_counter)
        figures.append(Figure(name=f"posterior of {DRAWS} draws, {label}", value=whole, unit="ms", aim=POSTERIOR_MS))
    return figures
