# SPDX-License-Identifier: Apache-2.0
"""Simulates the virtual patients that the checks draw their studies from."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from sirolens.engine.expression import evaluate
from sirolens.mechanism.draws import patient_normals
from sirolens.mechanism.network import load
from sirolens.mechanism.steady import tolerant_state
from sirolens.mechanism.virtual import draw
from sirolens.study.calibration.calibrated import Calibrated, draw_calibrated, sets_of
from sirolens.study.mechanism.calibration_batch import Cohort, protocol, simulated
from sirolens.study.mechanism.calibration_checks import USUAL, Study
from sirolens.study.trial.recipe_design import ByGroup, Recipe, Taper

SEED = 20261123
PEOPLE = {"paper-a": 2000, "paper-a/taper": 800, "children": 900, "xie-2022": 600, "li-2013": 800, "feng-2020": 600}
VARIANTS = ("children/alps", "children/evans", "feng-2020/connective-tissue", "feng-2020/steroid-dependent")
OF_A_VARIANT = 600
FIXED_MG = (1.0, 2.0, 3.0, 4.0, 6.0)
FIXED_PEOPLE = 600
HEALTHY = 2000


def _study(kept: Calibrated, key: str, structure: str, n: int) -> Study:
    name, _, variant = key.partition("/")
    purpose = "paper-a" if name == "paper-a" else "posterior"
    extra = () if variant in ("", "taper") else (variant,)
    recipe = _tapered(protocol("paper-a")) if key == "paper-a/taper" else None
    mechanism = load((structure, *extra))
    found = simulated(
        name,
        n,
        mechanism=mechanism,
        seed=SEED,
        recipe=recipe,
        drawn=partial(draw_calibrated, purpose=purpose, kept=kept),
    )
    sets = kept.of(purpose, structure)
    which = sets_of(sets, int(found.origin.max()) + 1, SEED, purpose)
    weights = np.array([one.weight for one in sets])
    return Study(
        cohort=found,
        belongs=which[found.origin],
        weights=weights if not extra else weights / weights.sum(),
        healthy_treg_percent=_healthy(found),
    )


def _tapered(recipe: Recipe) -> Recipe:
    """Responders' doses lowered from month 6, followed for a year more."""
    days = (*(d for d in recipe.visits.days if d < 365), 365, 399, 420, 455, 480, 510, 540)
    taper = Taper(from_d=182, step_mg=0.5, every_d=14, who="responders")
    arms = (replace(recipe.arms[0], taper=taper),)
    return replace(recipe, days=540, visits=replace(recipe.visits, days=days), arms=arms)


def _healthy(found: Cohort) -> np.ndarray:
    """Regulatory T cells measured in healthy people: other people, help at its healthy level, the same noise."""
    mechanism = load()
    people = draw(mechanism, HEALTHY, seed=SEED + 1)
    known = dict(zip(people.names, people.parameters, strict=True))
    for name, formula in mechanism.network.constants.items():
        known[name] = evaluate(formula, known)
    true = known["R_0"] / (1.0 - known["s_R"] * (1.0 - known["h0"]))
    z = patient_normals(SEED, "healthy-treg", index=range(HEALTHY))
    return np.asarray(true * np.exp(found.recipe.measurement.cells_log_sd * z))


def pool(kept: Calibrated, structures: tuple[str, ...]) -> dict[str, list[Study]]:
    """All patients, by protocol and variant; other diseases under the default structure alone."""
    found: dict[str, list[Study]] = {}
    for key, n in PEOPLE.items():
        # The default structure stands first, so that a variant is compared with its own.
        found[key] = []
        for structure in structures:
            found[key].append(_study(kept, key, structure, n))
            print(f"{key} {structure}: {n} patients, {found[key][-1].cohort.failed} failed", flush=True)
    for key in VARIANTS:
        found[key] = [_study(kept, key, structures[0], OF_A_VARIANT)]
        print(f"{key}: {OF_A_VARIANT} patients", flush=True)
    return found


def tolerant(kept: Calibrated, structures: tuple[str, ...], n: int = 400) -> dict[str, np.ndarray]:
    """Health of every parameterisation: medians of the tolerant state, and how often it exists."""
    rows: dict[str, list[float]] = {"P": [], "TPO": [], "BAFF": [], "R": [], "share": []}
    for structure in structures:
        mechanism = load(structure)
        people = draw_calibrated(mechanism, n, SEED, "adults", purpose="posterior", kept=kept)
        which = sets_of(kept.of("posterior", structure), n, SEED, "posterior")
        state, there = tolerant_state(mechanism.network, people.parameters)
        names = mechanism.network.states
        for k in np.unique(which):
            own = which == k
            rows["share"].append(float(there[own].mean()))
            for name in ("P", "TPO", "BAFF", "R"):
                rows[name].append(float(np.median(state[names.index(name), own & there])))
    return {name: np.array(values) for name, values in rows.items()}


def dose_response(kept: Calibrated, structures: tuple[str, ...]) -> dict[str, list[tuple[float, float, float, float]]]:
    """Fixed doses in adults: (dose, mean trough, overall, complete at day 91) of each structure."""
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for structure in structures:
        found[structure] = []
        for dose in FIXED_MG:
            recipe = protocol("feng-2020")
            fixed = ByGroup(adults_mg=dose, children_mg=float("nan"))
            arm = replace(recipe.arms[0], start=fixed, maintenance=None, maintenance_from_d=None, tdm=None)
            days = (28, 56, 84, 98, 105)
            recipe = replace(recipe, days=105, arms=(arm,), visits=replace(recipe.visits, days=days), cells=None)
            one = simulated(
                "feng-2020", FIXED_PEOPLE, mechanism=load(structure), seed=SEED, recipe=recipe,
                drawn=partial(draw_calibrated, purpose="posterior", kept=kept),
            )  # fmt: skip
            complete, overall, _ = one.landmarks(USUAL, (91,))
            trough = float(np.mean(one.chunk.trough_ng_ml[:, 2]))
            found[structure].append((dose, trough, float(overall.mean()), float(complete.mean())))
        print(f"fixed doses {structure}", flush=True)
    return found
