# SPDX-License-Identifier: Apache-2.0
"""A hundred virtual patients for 180 days: the composed SBML in libRoadRunner beside the port-driven engine.

Run as ``python -m validation export``; the figures are in README.md.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import roadrunner

from sirolens.interop.sbml import compose
from sirolens.mechanism.exposure import constant_dose, sample_kinetics
from sirolens.mechanism.network import load
from sirolens.mechanism.simulate import run
from sirolens.mechanism.virtual import draw
from sirolens.models.catalog import load as catalogue

PATIENTS, DAYS, SEED, DAILY_MG = 100, 180, 20261122, 2.0
OUTPUTS = ("P", "H", "C")
GRIDS = ((1 / 8, 5, 1e-5, 1e-7), (1 / 8, 7, 1e-9, 1e-12), (1 / 32, 7, 1e-9, 1e-12), (1 / 64, 7, 1e-9, 1e-12))
"""Step of the grid [d], halvings after a dose, relative and absolute tolerance; the first row is what users run."""
QUANTILES = (0.5, 0.9, 0.95, 1.0)
HALF = 0.5
"""Help between its two states: a patient whose help falls below has crossed the switch."""


def main() -> None:
    """Print the quantiles over patients of the largest relative difference of platelets."""
    mechanism, people = load(), draw(load(), PATIENTS, seed=SEED)
    kinetics = sample_kinetics(catalogue("golubovic_2019"), people.covariates, seed=SEED, index=people.index)
    doses, days = constant_dose(DAILY_MG, DAYS), np.linspace(0.0, DAYS, DAYS + 1)
    tables, spent = [], 0.0
    for patient in range(PATIENTS):
        text = compose(mechanism, kinetics, doses, parameters=people.parameters, patient=patient)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            judge = roadrunner.RoadRunner(text)
        judge.integrator.relative_tolerance, judge.integrator.absolute_tolerance = 1e-10, 1e-13
        began = time.perf_counter()
        tables.append(np.asarray(judge.simulate(0.0, DAYS, DAYS + 1, ["time", *OUTPUTS])))
        spent += time.perf_counter() - began
    theirs = np.stack(tables, axis=-1)[:, 1:]  # (K, outputs, N)
    help_end = theirs[-1, OUTPUTS.index("H")]
    print(f"{PATIENTS} patients, {DAYS} d, {DAILY_MG:g} mg daily; crossed the switch: {(help_end < HALF).sum()}")
    print(f"libRoadRunner at 1e-10: {1e3 * spent / PATIENTS:.0f} ms a patient")
    for step_d, halvings, rtol, atol in GRIDS:
        ours = run(
            mechanism, people, kinetics, doses, days, outputs=OUTPUTS, step_d=step_d, halvings=halvings, rtol=rtol,
            atol=atol,
        )  # fmt: skip
        difference = np.abs(ours.values[0] / theirs[:, 0] - 1.0).max(axis=0)
        level = np.abs(ours.values[2, 1:] / theirs[1:, 2] - 1.0).max()
        told = ", ".join(
            f"{q:.0%} {value:.1e}" for q, value in zip(QUANTILES, np.quantile(difference, QUANTILES), strict=True)
        )
        print(f"step 1/{1 / step_d:g} d, {halvings} halvings, rtol {rtol:g}: platelets {told}; C {level:.1e}")


if __name__ == "__main__":
    main()
