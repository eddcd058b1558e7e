# SPDX-License-Identifier: Apache-2.0
"""How long one consultation takes, in parts: estimates, the table of doses, the whole, and the command line.

Processor time of all threads (of the whole program for the command line), the smallest of several runs, since anything
else on the machine only adds. On an idle machine wall time is this or, where threads share the work, less.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import Figure
from sirolens.care.consult import consult
from sirolens.dosing.average import Averaged, estimates
from sirolens.dosing.estimate import estimate
from sirolens.dosing.history import from_chart
from sirolens.dosing.posterior import from_averaged
from sirolens.dosing.recommend import recommend
from sirolens.interop.chart_json import read_chart
from sirolens.models.catalog import load

__all__ = ["run"]

CHART = Path(__file__).parent.parent / "examples" / "charts" / "adult_three_troughs.json"
REPEATS = 7
PROGRAM_REPEATS = 3
POSTERIOR_DRAWS = 10_000
PROGRAM = Path(sys.executable).parent / "sirolens"


def _least_ms(job: Callable[[], object], repeats: int = REPEATS) -> float:
    """Smallest processor time of a job, after one run that compiles."""
    job()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        job()
        taken.append(time.process_time() - begun)
    return 1000.0 * min(taken)


def _program_s(*arguments: str) -> float:
    """Smallest processor time of the program, after one run that compiles kernels and writes Python's bytecode."""
    taken = []
    with TemporaryDirectory() as bytecode:
        # Some build machines forbid bytecode files, and then every start compiles a thousand modules again.
        surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        for _ in range(1 + PROGRAM_REPEATS):
            begun = os.times()
            subprocess.run([str(PROGRAM), *arguments], check=True, stdout=subprocess.DEVNULL, env=surroundings)
            ended = os.times()
            taken.append(ended.children_user - begun.children_user + ended.children_system - begun.children_system)
    return min(taken[1:])


def run() -> list[Figure]:
    """Measure the example of an adult with three troughs."""
    chart, _ = read_chart(CHART)
    at = chart.last_recorded
    assert at is not None
    history, _ = from_chart(chart, at)
    ready: list[Averaged] = []

    def averaged() -> Averaged:
        found = estimates(history, seed=1)
        ready.append(found)
        return found

    def table() -> object:
        # Fresh estimates each time: what they keep for the next question must not be counted as speed.
        return recommend(chart, from_averaged(ready.pop()), history=history, at=at)

    averaged_ms = _least_ms(averaged)
    while len(ready) <= REPEATS:
        averaged()
    table_ms = _least_ms(table)
    golubovic = load("golubovic_2019")
    posterior_ms = _least_ms(lambda: estimate(history, golubovic, seed=1, draws=POSTERIOR_DRAWS))
    consult_ms = _least_ms(lambda: consult(chart, at=at))
    help_s = _program_s("--help")
    advise_s = _program_s("advise", str(CHART))
    return [
        Figure(name="a whole advice table on ready estimates (three models)", value=table_ms, unit="ms", aim=100.0),
        Figure(name="estimates of three models, 4,000 draws each, and their average", value=averaged_ms, unit="ms"),
        Figure(name="estimate of one model with 10,000 draws, rows and flags included", value=posterior_ms, unit="ms"),
        Figure(name="whole consultation with curve", value=consult_ms, unit="ms", aim=500.0),
        Figure(name="whole consultation / advice table", value=consult_ms / table_ms, unit="times"),
        Figure(name="whole consultation / estimates", value=consult_ms / averaged_ms, unit="times"),
        Figure(name="sirolens --help", value=help_s, unit="s", aim=0.3),
        Figure(name="sirolens advise on the example, once compiled", value=advise_s, unit="s", aim=2.0),
        Figure(name="sirolens advise / sirolens --help", value=advise_s / help_s, unit="times"),
    ]
