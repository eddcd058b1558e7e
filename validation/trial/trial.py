# SPDX-License-Identifier: Apache-2.0
"""Runs every shipped recipe of a virtual trial and prints what README.md shows."""

from __future__ import annotations

import sys
from time import process_time

from sirolens.study.trial.mechanism import biology_of
from sirolens.study.trial.recipe import load, recipes
from sirolens.study.trial.run import TrialResult, run_trial


def rows(result: TrialResult) -> list[str]:
    """One line for each arm: overall and complete response at the landmarks, dose and trough, relapses."""
    lines = []
    for arm in result.arms:
        told = [
            f"{100 * result.rates[arm.name, 'overall', day].pooled.share:.0f}/"
            f"{100 * result.rates[arm.name, 'complete', day].pooled.share:.0f}"
            for day in result.recipe.response.landmarks_d
        ]
        near = min(arm.at_visits, key=lambda visit: abs(visit.day - 175))
        exposure = f"{near.dose_mg.p50:.2f} | {near.trough_ng_ml.p50:.1f}"
        relapsed = f"{arm.relapsed.k}/{arm.relapsed.n}" if arm.relapsed.n else ""
        cells = [f" | {' | '.join(told)}", f"{exposure} | {relapsed} | {arm.failed} |"]
        lines.append(f"| {result.recipe.name} | {arm.name}{' | '.join(cells)}")
    return lines


def main() -> None:
    """Print the table, and how each design behaves."""
    wanted = [name for name in sys.argv[2:] if name in recipes()] or list(recipes())
    for name in wanted:
        recipe, begun = load(name), process_time()
        result = run_trial(recipe, biology_of(recipe))
        print("\n".join(rows(result)))
        false = result.success.type_one
        print(f"power {result.success.power.share:.2f}, type I {'-' if false is None else f'{false.share:.3f}'}")
        if result.looks is not None and result.looks_null is not None:
            print(f"stopped {result.looks.futile[0].share:.2f}, without effect {result.looks_null.futile[0].share:.2f}")
        for arm, cells in result.cells.items():
            rise = ", ".join(f"{share:.2f}" for share in cells.rise_significant)
            print(f"cells {arm}: rise significant {rise}; baseline differs {cells.controls_differ:.3f}")
        print(f"{process_time() - begun:.0f} s of processor time", flush=True)
