# SPDX-License-Identifier: Apache-2.0
"""Estimation held to independent optimisers, to simulation and to long Markov chains; writes README.md.

``page.txt`` is the page with holes for the tables. Run as ``python -m validation estimation``; name parts of the work
(``optimum``, ``calibration``, ``chains``) in the environment variable PARTS to remake only those tables.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes import mode, posterior
from sirolens.engine.sampling import weighted_quantile
from validation.estimation.calibration import INTERVAL, band, calibrate, farthest
from validation.estimation.oracle import STARTS, best_of_many, long_chain, objective
from validation.estimation.patients import LIMIT_NG_ML, MODELS, invent

Array = NDArray[np.float64]

HERE = Path(__file__).parent
SEED = 20261121
PATIENTS = 1000
DRAWS = 4000
CHAIN_PATIENTS = 24
CHAIN_STEPS, CHAIN_BURN_IN = 3000, 600
OBJECTIVE_EXCESS = 1e-6  # the aim
ETA_DISTANCE, SECOND_MODE = 1e-4, 1e-3  # the aim: unless a second mode lies within this of the objective
WIDEST = 1.05  # the aim: interval widths relative to those of a long chain


def optimum(name: str) -> dict[str, Any]:
    """The most probable etas beside the best of 50 starts of SciPy."""
    excess, distance, seconds, second_modes, unconverged, gap = [], [], 0.0, 0, 0, []
    for number in range(PATIENTS):
        patient = invent(name, SEED, number)
        begin = time.perf_counter()
        found = mode(patient.problem)
        seconds += time.perf_counter() - begin
        best, eta = best_of_many(patient, np.random.default_rng([SEED, number]))
        excess.append(found.objective - best)
        gap.append(abs(found.objective - objective(patient, found.eta)[0]))
        second_modes += bool(found.second_modes)
        unconverged += not found.converged
        rivals = [m.eta for m in (found, *found.second_modes) if m.objective <= found.objective + SECOND_MODE]
        distance.append(min(float(np.abs(rival - eta).max()) for rival in rivals))
    return {
        "excess": max(excess),
        "distance": max(distance),
        "gap": max(gap),
        "second_modes": second_modes,
        "unconverged": unconverged,
        "ms": 1e3 * seconds / PATIENTS,
    }


def calibration(name: str) -> dict[str, Any]:
    """Where the truth falls among the draws."""
    found = calibrate(name, seed=SEED + 1, patients=PATIENTS, draws=DRAWS)
    least = [farthest(column) for column in found.share.T]
    return {
        "names": found.names,
        "farthest": least,
        "inside": found.inside.tolist(),
        "k_hat": [float(np.max(found.k_hat)), float(np.mean(found.k_hat > 0.7))],
        "effective": [float(np.min(found.effective)), float(np.median(found.effective))],
        "censored": found.censored,
    }


def chains(name: str) -> dict[str, Any]:
    """Widths of 90 % intervals of the etas and of a future trough, relative to those of long chains."""
    ratios, shifts = [], []
    for number in range(CHAIN_PATIENTS):
        patient = invent(name, SEED + 2, number)
        found = posterior(patient.problem, mode(patient.problem), draws=10_000, seed=number)
        ours = np.column_stack([found.eta, found.predicted_ng_ml[:, -1]])
        eta, trough = long_chain(
            patient, np.random.default_rng([SEED, number]), steps=CHAIN_STEPS, burn_in=CHAIN_BURN_IN
        )
        theirs = np.column_stack([eta, trough])
        low, high = weighted_quantile(ours, found.weight, INTERVAL)
        chain_low, chain_high = np.quantile(theirs, INTERVAL, axis=0)
        ratios.append((high - low) / (chain_high - chain_low))
        shifts.append(np.maximum(abs(low - chain_low), abs(high - chain_high)) / (chain_high - chain_low))
    return {
        "mean": np.mean(ratios, axis=0).tolist(),
        "least": float(np.min(ratios)),
        "most": float(np.max(ratios)),
        "shift": float(np.max(shifts)),
    }


PARTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "optimum": optimum,
    "calibration": calibration,
    "chains": chains,
}


def main() -> None:
    """Remake the tables."""
    store = HERE / "results.json"
    results: dict[str, dict[str, Any]] = json.loads(store.read_text()) if store.exists() else {}
    wanted = os.environ.get("PARTS", " ".join(PARTS)).split()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        jobs = {(part, name): pool.submit(PARTS[part], name) for part in wanted for name in MODELS}
        for (part, name), job in jobs.items():
            results.setdefault(part, {})[name] = job.result()
            print(part, name, results[part][name], flush=True)
    store.write_text(json.dumps(results, indent=1) + "\n")
    write_page(results)


def write_page(results: dict[str, dict[str, Any]]) -> None:
    """Fill the holes of the page."""
    page = (HERE / "page.txt").read_text(encoding="utf-8")
    edge = band(PATIENTS, np.random.default_rng(SEED))
    tables = {
        "optimum": _optimum_table(results["optimum"]),
        "calibration": _calibration_table(results["calibration"], edge),
        "chains": _chains_table(results["chains"]),
    }
    for name, table in tables.items():
        page = page.replace("{" + name + "}", table)
    constants = {"patients": PATIENTS, "draws": DRAWS, "starts": STARTS, "limit": LIMIT_NG_ML, "edge": f"{edge:.5f}"}
    for name, value in constants.items():
        page = page.replace("{" + name + "}", str(value))
    (HERE / "README.md").write_text(page, encoding="utf-8")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _optimum_table(found: dict[str, Any]) -> str:
    head = (
        "model",
        "worst objective minus best of starts",
        "worst distance of an eta",
        "not converged",
        "second modes",
    )
    rows = [
        (name, f"{x['excess']:.1e}", f"{x['distance']:.1e}", str(x["unconverged"]), str(x["second_modes"]))
        for name, x in found.items()
    ]
    return _table(head, rows)


def _calibration_table(found: dict[str, Any], edge: float) -> str:
    head = ("model", "quantity", "farthest point, p", "inside the band", "90 % interval holds the truth")
    rows = []
    for name, x in found.items():
        for quantity, p, inside in zip(x["names"], x["farthest"], x["inside"], strict=True):
            held = "-" if np.isnan(inside) else f"{100 * inside:.1f} %"
            rows.append((name, quantity, f"{p:.4f}", "yes" if p >= edge else "**no**", held))
    quality = [
        (
            name,
            f"{100 * x['censored']:.0f} %",
            f"{x['k_hat'][0]:.2f}",
            f"{100 * x['k_hat'][1]:.1f} %",
            f"{100 * x['effective'][1]:.0f} %",
            f"{100 * x['effective'][0]:.0f} %",
        )
        for name, x in found.items()
    ]
    columns = ("model", "levels censored", "largest k-hat", "k-hat above 0.7", "effective draws, median", "least")
    return _table(head, rows) + "\n\n" + _table(columns, quality)


def _chains_table(found: dict[str, Any]) -> str:
    head = ("model", "mean ratio, each eta", "mean ratio, trough", "least", "most", "largest shift of a limit")
    rows = [
        (
            name,
            ", ".join(f"{ratio:.3f}" for ratio in x["mean"][:-1]),
            f"{x['mean'][-1]:.3f}",
            f"{x['least']:.3f}",
            f"{x['most']:.3f}",
            f"{100 * x['shift']:.1f} % of the width",
        )
        for name, x in found.items()
    ]
    return _table(head, rows)


if __name__ == "__main__":
    main()
