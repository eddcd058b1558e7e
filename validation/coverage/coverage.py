# SPDX-License-Identifier: Apache-2.0
"""The truth-model x fit-model table of coverage of the 90 % band for the true trough; writes README.md.

Run as ``python -m validation coverage``. ``page.txt`` is the page with holes for the numbers.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from sirolens.models.catalog import load
from validation.coverage.patients import AVERAGED, Bands, bands, covered, simulated

__all__ = ["ADULTS", "CHILDREN", "main", "patients"]

HERE = Path(__file__).parent
ADULTS = ("golubovic_2019", "jiao_2009", "wu_2012", "mao_2024")
CHILDREN = ("chen_2021", "cheng_2020", "fan_2024")
SENSITIVITY = ("mao_2024",)  # fitted alone, but not in the average
PATIENTS = 300
CALM_PATIENTS = 150
DRAWS = 1000
SEED = 20261122
MOST_LEVELS = 3
AIM = 0.85
WORKERS = 2


def patients(truth: str, numbers: range, routine: bool = False) -> list[Bands]:
    """Simulate patients of one model, with one, two and three levels in turn, and fit every model of their age."""
    child = truth in CHILDREN
    further = () if child else tuple(load(name) for name in SENSITIVITY)
    found = []
    for number in numbers:
        levels = 1 + number % MOST_LEVELS
        history, true_ng_ml = simulated(load(truth), number, levels, child=child, seed=SEED, routine=routine)
        found.append(bands(history, true_ng_ml, draws=DRAWS, seed=SEED, further=further))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _table(group: tuple[str, ...], found: dict[str, list[Bands]], calm: dict[str, list[Bands]]) -> str:
    by = [f"{k} level{'s' * (k > 1)}" for k in range(1, MOST_LEVELS + 1)]
    heads = ["truth", *group, "**averaged**", *by, "averaged, routine scatter", "band, fold", "shares of the fits"]
    rows = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for truth in group:
        mine = found[truth]
        each = [_percent(covered(mine, name)) for name in group]
        by_levels = [
            _percent(covered([one for one in mine if one.levels == k], AVERAGED)) for k in range(1, MOST_LEVELS + 1)
        ]
        fold = np.exp(np.mean([np.log(one.fit[AVERAGED][2] / one.fit[AVERAGED][0]) for one in mine]))
        shares = ", ".join(
            f"{name.split('_')[0]} {_percent(float(np.mean([one.weight[name] for one in mine])))}"
            for name in mine[0].weight
        )
        quiet = _percent(covered(calm[truth], AVERAGED))
        averaged = f"**{_percent(covered(mine, AVERAGED))}**"
        rows.append("| " + " | ".join([truth, *each, averaged, *by_levels, quiet, f"{fold:.1f}", shares]) + " |")
    return "\n".join(rows)


def _verdict(found: dict[str, list[Bands]]) -> str:
    low = {truth: covered(mine, AVERAGED) for truth, mine in found.items() if covered(mine, AVERAGED) < AIM}
    if not low:
        return "The averaged band keeps the aim of 85 % in every row."
    named = ", ".join(f"{truth} ({_percent(share)})" for truth, share in low.items())
    return f"The averaged band misses the aim of 85 % where the truth is {named}; why, is said below."


def main() -> None:
    """Simulate, fit, and write README.md."""
    os.nice(10)
    parts = 2 * MOST_LEVELS
    jobs = [
        (truth, range(k, count, parts), routine)
        for truth in (*ADULTS, *CHILDREN)
        for routine, count in ((False, PATIENTS), (True, CALM_PATIENTS))
        for k in range(parts)
    ]
    found: dict[str, list[Bands]] = {}
    calm: dict[str, list[Bands]] = {}
    with ProcessPoolExecutor(WORKERS) as pool:
        for (truth, _, routine), part in zip(jobs, pool.map(patients, *zip(*jobs, strict=True)), strict=True):
            (calm if routine else found).setdefault(truth, []).extend(part)
            print(f"{truth}: {len(found[truth])} and {len(calm.get(truth, []))}", flush=True)
    text = (HERE / "page.txt").read_text(encoding="utf-8")
    error = np.sqrt(0.9 * 0.1 / PATIENTS)
    (HERE / "README.md").write_text(
        text.format(
            patients=PATIENTS,
            calm=CALM_PATIENTS,
            error=f"{100 * error:.1f}",
            adults=_table(ADULTS, found, calm),
            children=_table(CHILDREN, found, calm),
            verdict=_verdict(found),
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
