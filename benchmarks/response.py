# SPDX-License-Identifier: Apache-2.0
"""Classifying responses: 10^6 virtual patients with 12 visits each, at three landmarks and under four estimands.

Wall time of two threads is the aim (2 s); processor time tells what a busy machine would do. The naive interpreter of
the tests reads the same arrays patient by patient in plain Python: the price of the rules without a kernel.
"""

from __future__ import annotations

import time

import numpy as np
from tests.response.naive import naive

from benchmarks import Figure
from sirolens.response.classify import classify
from sirolens.response.criteria import load
from sirolens.response.events import EventKind
from sirolens.response.visits import Visits, no_events

PATIENTS, VISITS, THREADS, RUNS = 1_000_000, 12, 2, 3
NAIVE_PATIENTS = 1_000
AIM_SECONDS = 2.0


def drawn(patients: int, *, eventful: float, unasked: float) -> Visits:
    """Visits spread over 400 days; some patients with one rescue or new drug, some counts without bleeding asked."""
    rng = np.random.default_rng(20090311)
    happened = rng.random(patients) < eventful
    events, m = no_events(patients), int(happened.sum())
    if m:
        day = rng.integers(-10, 300, m)
        events = {
            "event_start": np.concatenate(([0], np.cumsum(happened))),
            "event_day": day,
            "event_last_day": day + 3,
            "event_kind": rng.integers(0, len(EventKind), m),
            "event_cover": np.zeros(m),
            "event_mg_d": np.full(m, np.nan),
        }
    return Visits(
        start=np.arange(patients + 1) * VISITS,
        day=np.sort(rng.integers(1, 400, (patients, VISITS)), axis=1).ravel(),
        count_10e9_l=np.exp(rng.normal(4.2, 0.6, patients * VISITS)),
        bleeding=np.where(rng.random(patients * VISITS) < unasked, -1, 0),
        baseline_10e9_l=np.full(patients, 15.0),
        baseline_state=np.zeros(patients),
        known_day=np.full(patients, 400),
        **events,
    )


def least(visits: Visits, threads: int) -> tuple[float, float]:
    """Wall and processor seconds, the least of several runs."""
    criteria = load("iwg-2009")
    wall, spent = [], []
    for _ in range(RUNS):
        began, used = time.perf_counter(), time.process_time()
        classify(visits, criteria, threads=threads)
        wall.append(time.perf_counter() - began)
        spent.append(time.process_time() - used)
    return min(wall), min(spent)


def run() -> list[Figure]:
    classify(drawn(10, eventful=1.0, unasked=0.5), load("iwg-2009"))  # compiled or loaded from the cache
    figures, per_patient = [], 0.0
    for name, eventful, unasked in (
        ("bleeding asked, no events", 0.0, 0.0),
        ("three in ten with an event", 0.3, 0.0),
        ("three in ten with an event, three in ten counts without bleeding asked", 0.3, 0.3),
    ):
        wall, spent = least(drawn(PATIENTS, eventful=eventful, unasked=unasked), THREADS)
        per_patient = spent / PATIENTS
        aim = AIM_SECONDS if not eventful else None
        figures.append(Figure(name=f"{PATIENTS} x {VISITS} visits, {name}: wall", value=wall, unit="s", aim=aim))
        figures.append(Figure(name="    the same: processor, all threads", value=spent, unit="s"))
    few = drawn(NAIVE_PATIENTS, eventful=0.3, unasked=0.3)
    began = time.process_time()
    naive(few, load("iwg-2009"))
    slow = (time.process_time() - began) / NAIVE_PATIENTS
    figures.append(Figure(name="the naive interpreter, a patient", value=1e6 * slow, unit="us"))
    figures.append(Figure(name="    over the kernel's", value=slow / per_patient, unit="x"))
    return figures
