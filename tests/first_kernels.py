# SPDX-License-Identifier: Apache-2.0
"""Compiles what most tests begin with, once, so that two test processes on a fresh machine do not each do it.

`make test` runs ``dosing`` and ``mechanism`` beside the checks of style and types, which need one processor only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sirolens.cli.main import main as sirolens
from sirolens.mechanism.exposure import constant_dose, sample_kinetics
from sirolens.mechanism.network import load
from sirolens.mechanism.simulate import simulate
from sirolens.mechanism.virtual import draw
from sirolens.models.catalog import load as catalogue

CHART = Path(__file__).parents[1] / "examples" / "charts" / "adult_three_troughs.json"


def dosing() -> None:
    """One advice: linear models, modes, posteriors."""
    sys.argv = ["sirolens", "advise", str(CHART), "--json"]
    sirolens()


def mechanism() -> None:
    """One run of the usual outputs: equilibria, upstream cells, lanes."""
    model = load()
    people = draw(model, 8, seed=1)
    kinetics = sample_kinetics(catalogue("mao_2024"), people.covariates, seed=1, index=people.index)
    simulate(model, people, kinetics, constant_dose(2.0, 3), [3.0])


if __name__ == "__main__":
    {"dosing": dosing, "mechanism": mechanism}[sys.argv[1]]()
