# SPDX-License-Identifier: Apache-2.0
"""Closed-form PK on one core: 10,000 patients, 180 daily doses, 205 outputs each.

CPU seconds of one thread, the least of several runs: wall time on a shared machine measures its other users.
The field's figure for the same job, mrgsolve's closed form, is 1.4 s (measured on one such core with the R package).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import Figure
from sirolens.engine.linear import NEUTRAL, Events, Structure, concentrations, events_from_columns, steady_state

PATIENTS, DAYS, RUNS = 10_000, 180, 7
FIELD_SECONDS, AIM_SECONDS = 1.4, 0.06
DAILY = np.arange(1, DAYS + 1) * 24.0
# A trough every day and 25 hourly levels after the last: 205 outputs.
TROUGHS_AND_A_PROFILE = np.concatenate((DAILY, DAILY[-1] + np.arange(1.0, 26.0)))
# 205 outputs at even steps that never fit the day: no interval comes twice.
UNEVEN = np.linspace(1.0, DAYS * 24.0, 205)


def cohort(compartments: int) -> np.ndarray:
    """Log-normal individuals."""
    rng = np.random.default_rng(20240101)
    typical = NEUTRAL.copy()
    typical[:7] = 12.0, 150.0, 30.0, 400.0, 5.0, 100.0, 0.75
    parameters = np.tile(typical, (PATIENTS, 1))
    parameters[:, :7] *= np.exp(rng.normal(0.0, 0.3, (PATIENTS, 7)))
    return parameters


def job(outputs: np.ndarray, *, additional: bool) -> Events:
    """The table: doses as one record with additional doses, or as 180 records among the outputs."""
    doses = np.zeros(1) if additional else np.arange(DAYS) * 24.0
    time_h = np.concatenate((doses, outputs))
    evid = np.concatenate((np.ones(len(doses), int), np.zeros(len(outputs), int)))
    order = np.lexsort((evid, time_h))
    time_h, evid = np.tile(time_h[order], PATIENTS), np.tile(evid[order], PATIENTS)
    more = DAYS - 1 if additional else 0
    return events_from_columns(
        time_h=time_h,
        evid=evid,
        amount_mg=np.where(evid == 1, 2.0, 0.0),
        ii_h=np.where(evid == 1, 24.0 * bool(more), 0.0),
        addl=np.where(evid == 1, more, 0),
        start=np.arange(PATIENTS + 1) * len(order),
    )


def least_cpu_seconds(work: Callable[[], Any]) -> float:
    work()  # compiled or loaded from the cache
    spent = []
    for _ in range(RUNS):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return min(spent)


def run() -> list[Figure]:
    figures = []
    for compartments in (1, 2, 3):
        structure, parameters = Structure(compartments=compartments, absorption="first-order"), cohort(compartments)
        for name, outputs, additional in (
            ("ADDL, daily troughs and a profile", TROUGHS_AND_A_PROFILE, True),
            ("180 dose records, daily troughs and a profile", TROUGHS_AND_A_PROFILE, False),
            ("ADDL, no interval twice", UNEVEN, True),
        ):
            events = job(outputs, additional=additional)
            seconds = least_cpu_seconds(lambda s=structure, e=events, p=parameters: concentrations(s, e, p, threads=1))
            aim = None if outputs is UNEVEN else AIM_SECONDS
            label = f"{PATIENTS} x 205, {compartments} compartments, {name}"
            figures.append(Figure(name=label, value=seconds, unit="s", aim=aim))
            figures.append(Figure(name="    the field's 1.4 s over this", value=FIELD_SECONDS / seconds, unit="x"))
    structure, parameters = Structure(compartments=2, absorption="first-order"), cohort(2)
    seconds = least_cpu_seconds(
        lambda: steady_state(
            structure, parameters, period_h=24, dose_time_h=[0], dose_mg=[2], output_time_h=[24], threads=1
        )
    )
    figures.append(Figure(name=f"{PATIENTS} steady-state troughs, 2 compartments", value=1e3 * seconds, unit="ms"))
    return figures
