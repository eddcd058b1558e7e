# SPDX-License-Identifier: Apache-2.0
"""Measures what the grid of the upstream states and the tolerance of the lanes cost in platelets; writes README.md.

Run as ``python -m validation upstream``. ``page.txt`` is the page with holes for the tables.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from sirolens.mechanism.exposure import Adherence, constant_dose, sample_kinetics, taken
from sirolens.mechanism.network import load
from sirolens.mechanism.simulate import Plan, Settings, run
from sirolens.mechanism.virtual import draw
from sirolens.models.catalog import load as catalogue

HERE = Path(__file__).parent
PATIENTS, DAYS, SEED = 200, 180, 7
FINE: Settings = {"step_d": 1 / 64, "halvings": 4, "rtol": 1e-8, "atol": 1e-10}
RTOL, ATOL = 1e-7, 1e-9
GROUPS = (("adults", "golubovic_2019", 3.0), ("children", "cheng_2020", 1.5))
STEPS = (4, 6, 8, 12, 16)
HALVINGS = (2, 3, 4, 5, 6)
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6)


def _row(name: str, errors: NDArray[np.float64]) -> str:
    middle, most, worst = np.quantile(errors, [0.5, 0.95, 1.0])
    return f"| {name} | {middle:.1e} | {most:.1e} | {worst:.1e} |"


def _tables(who: str, model: str, dose_mg: float) -> dict[str, str]:
    mechanism = load()
    people = draw(mechanism, PATIENTS, seed=SEED, who=who)
    kinetics = sample_kinetics(catalogue(model), people.covariates, seed=SEED, index=people.index)
    doses, _ = taken(constant_dose(dose_mg, DAYS), Adherence(), seed=SEED, index=people.index)
    times, plan = np.arange(0.0, DAYS + 1.0, 7.0), Plan.of(mechanism, ("P",))

    def count(**settings: Unpack[Settings]) -> NDArray[np.float64]:
        settings["plan"] = plan
        return run(mechanism, people, kinetics, doses, times, **settings).of("P")

    exact = count(**FINE)

    def worst(**settings: Unpack[Settings]) -> NDArray[np.float64]:
        return np.asarray(np.abs(count(**settings) / exact - 1.0).max(axis=0))

    crossed = int(((exact.max(axis=0) > 100.0) & (exact[0] < 30.0)).sum())
    return {
        f"{who}_default": _row("the defaults", worst()),
        f"{who}_crossed": str(crossed),
        f"{who}_steps": "\n".join(_row(f"1/{step} d", worst(step_d=1 / step, rtol=RTOL, atol=ATOL)) for step in STEPS),
        f"{who}_halvings": "\n".join(
            _row(str(often), worst(halvings=often, rtol=RTOL, atol=ATOL)) for often in HALVINGS
        ),
        f"{who}_tolerances": "\n".join(_row(f"{rtol:.0e}", worst(rtol=rtol)) for rtol in TOLERANCES),
    }


def main() -> None:
    found: dict[str, str] = {"patients": str(PATIENTS), "days": str(DAYS)}
    for who, model, dose_mg in GROUPS:
        found |= _tables(who, model, dose_mg)
    page = Template((HERE / "page.txt").read_text(encoding="utf-8"))
    (HERE / "README.md").write_text(page.substitute(found), encoding="utf-8")
    print((HERE / "README.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
