# SPDX-License-Identifier: Apache-2.0
"""Runs the simulations behind sensitivity and benefit: over every structure of the model, with progress told.

Sensitivity moves the sampled inputs and the level of sirolimus, and nothing else: no noise, typical pharmacokinetics.
Benefit measures patients of the calibrated populations as a clinic would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.sampling import latin_hypercube, stream
from sirolens.engine.simd.integrate import LaneStatus
from sirolens.mechanism.assumptions import Assumption, Role
from sirolens.mechanism.exposure import Kinetics, blood_levels, constant_dose
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.simulate import run
from sirolens.mechanism.virtual import draw
from sirolens.models.catalog import load as catalogue
from sirolens.models.covariates import missing_values, typical
from sirolens.models.population import PopulationModel
from sirolens.study.calibration.calibrated import calibrated, draw_calibrated
from sirolens.study.mechanism.benefit import (
    FEATURES,
    KINDS,
    Forecast,
    Gain,
    Subgroup,
    classify_responders,
    gains,
    subgroups,
)
from sirolens.study.mechanism.calibration_batch import Cohort, protocol, simulated
from sirolens.study.mechanism.sensitivity import (
    Influence,
    partial_rank_correlations,
    quantile_of,
    sobol_design,
    sobol_indices,
)
from sirolens.study.trial.recipe_design import Partner

__all__ = ["LEVEL", "PARTNERS", "forecasts", "influences", "partner_gains", "sampled_inputs", "subgroup_effects"]

Array: TypeAlias = NDArray[np.float64]
Tick: TypeAlias = Callable[[int, int], None]

LEVEL = "level"
"""Name of the mean trough among the inputs."""
LOW_NG_ML, HIGH_NG_ML = 5.0, 15.0
DAY, LAST_D = 90.0, 98
PK = "mao_2024"
PATIENTS, BASE = 800, 128
OUTCOMES = ("log-count", "complete", "overall")
COMPLETE, RESPONSE, FOLD = 100.0, 30.0, 2.0
PARTNERS = ("dexamethasone", "dexamethasone-3", "immunoglobulin", "rituximab", "romiplostim-titrated")
DAYS = (28, 91, 182)


def _nothing(done: int, of: int) -> None:
    """Progress that nobody watches."""


def sampled_inputs(mechanism: Mechanism) -> tuple[Assumption, ...]:
    """Return the uncertain inputs that make patients differ, in the order of the register.

    >>> [one.symbol for one in sampled_inputs(load())]
    ['pot', 'dep', 'h0', 'kap', 'fL', 'P0', 'rho', 'wA']
    """
    return tuple(one for one in mechanism.assumptions.values() if one.role is Role.SAMPLED)


def _values(one: Assumption, p: Array) -> Array:
    """Quantiles of an input over its population."""
    law = one.distribution
    assert law is not None
    if law.kind != "lognormal-mixture":
        spread = law.total if law.kind == "beta" else law.sd
        return quantile_of(law.kind, one.value, spread, one.low, one.high, p)
    from scipy.special import ndtr

    # The distribution function of the mixture, read backwards.
    grid = np.exp(np.linspace(np.log(one.low), np.log(one.high), 4001))
    parts = zip(law.weights, law.medians, law.sds, strict=True)
    below = np.sum([w * ndtr(np.log(grid / m) / s) for w, m, s in parts], axis=0)
    return np.interp(p, (below - below[0]) / (below[-1] - below[0]), grid)


def _outcomes(mechanism: Mechanism, points: Array, seed: int) -> tuple[dict[str, Array], int]:
    """Simulate patients whose inputs stand at given quantiles; how many failed."""
    inputs, n = sampled_inputs(mechanism), points.shape[0]
    people = draw(mechanism, 1, seed=seed).part(np.zeros(n, np.int64))
    # Everything but the inputs is that of a typical patient.
    for name, one in mechanism.assumptions.items():
        people = people.with_parameter(name, np.full(n, one.value))
    for j, one in enumerate(inputs):
        people = people.with_parameter(one.symbol, _values(one, points[:, j]))
    level = LOW_NG_ML + (HIGH_NG_ML - LOW_NG_ML) * points[:, len(inputs)]
    model = catalogue(PK)
    usual = np.atleast_2d(np.asarray(typical(model, _usual_covariates(model)), dtype=np.float64))[:1]
    unit = blood_levels(Kinetics(model=model, parameters=usual), constant_dose(1.0, LAST_D), [DAY])[0, 0]
    kinetics = Kinetics(model=model, parameters=np.repeat(usual, n, axis=0))
    found = run(mechanism, people, kinetics, constant_dose(level / unit, LAST_D), [0.0, DAY])
    before, after = found.of("P")
    failed = found.status != LaneStatus.DONE
    known = np.where(failed, np.median(after[~failed]), after)
    return {
        "log-count": np.log(known),
        "complete": (known >= COMPLETE).astype(float),
        "overall": ((known >= COMPLETE) | ((known >= RESPONSE) & (known >= FOLD * before))).astype(float),
    }, int(failed.sum())


def _usual_covariates(model: PopulationModel) -> dict[str, Array]:
    """The middle of what the model says about patients of whom nothing is told."""
    found = {}
    for one in model.covariates:
        values = None if one.when_missing == "reference" else missing_values(one, np.zeros(1))
        if values is not None:
            found[one.name] = values
    return found


def influences(
    structures: Sequence[str], *, patients: int = PATIENTS, base: int = BASE, seed: int = 1, tick: Tick = _nothing
) -> tuple[Influence, ...]:
    """Find what decides the count and the response on day 90, under each structure.

    Parameters
    ----------
    structures : sequence of str
        Variants of the mechanism.
    patients : int
        Behind the partial rank correlations (a Latin hypercube).
    base : int
        Base points of the Sobol design, a power of two; 0: no Sobol indices.
    seed : int
        Of both designs.
    tick : callable
        Told how many structures are done, of how many.
    """
    found: list[Influence] = []
    for i, structure in enumerate(structures):
        tick(i, len(structures))
        mechanism = load(structure)
        names = (*(one.symbol for one in sampled_inputs(mechanism)), LEVEL)
        points = latin_hypercube(stream(seed, "sensitivity", "prcc"), patients, len(names))
        plain, failed = _outcomes(mechanism, points, seed)
        split: dict[str, Array] = {}
        if base:
            split, more = _outcomes(mechanism, sobol_design(len(names), base, seed), seed)
            failed += more
        found += [
            Influence(
                structure=structure,
                outcome=outcome,
                partial=partial_rank_correlations(points, plain[outcome], names),
                sobol=sobol_indices(split[outcome], names, seed) if split else (),
                patients=patients,
                failed=failed,
            )
            for outcome in OUTCOMES
        ]
    tick(len(structures), len(structures))
    return tuple(found)


def _cohort(structure: str, n: int, seed: int, partner: str | None = None) -> Cohort:
    recipe = protocol("paper-a")
    arm = recipe.arms[0]
    if partner is not None:
        arm = replace(arm, partners=(Partner(name=partner, from_d=0, until_d=None),))
    days = tuple(day for day in recipe.visits.days if day <= DAYS[-1] + 14)
    tdm = None if arm.tdm is None else replace(arm.tdm, days=tuple(day for day in arm.tdm.days if day in days))
    shorter = replace(
        recipe, days=DAYS[-1] + 14, arms=(replace(arm, tdm=tdm),), visits=replace(recipe.visits, days=days)
    )
    return simulated(
        "paper-a",
        n,
        mechanism=load(structure),
        seed=seed,
        recipe=shorter,
        drawn=partial(draw_calibrated, purpose="posterior"),
    )


def forecasts(
    structures: Sequence[str], *, patients: int = 1500, seed: int = 1, tick: Tick = _nothing
) -> tuple[tuple[Forecast, ...], Mapping[str, Cohort]]:
    """Train classifiers under the first structure and test them on others, of the same structure and of each other one.

    Returns
    -------
    tuple of Forecast
        Every kind and set of features; tested on other patients.
    mapping of str to Cohort
        The patients tested, by structure.
    """
    steps = len(structures) + 1
    tick(0, steps)
    train = _cohort(structures[0], patients, seed)
    tested: dict[str, Cohort] = {}
    found: list[Forecast] = []
    for i, structure in enumerate(structures):
        tick(i + 1, steps)
        tested[structure] = _cohort(structure, patients, seed + 1)
        found += [
            classify_responders(
                train, tested[structure], known=known, kind=kind, seed=seed, names=(structures[0], structure)
            )
            for known in FEATURES
            for kind in KINDS
        ]
    tick(steps, steps)
    return tuple(found), tested


def subgroup_effects(tested: Mapping[str, Cohort]) -> Mapping[str, tuple[Subgroup, ...]]:
    """Response of those with and without each trait, by structure."""
    return {structure: subgroups(cohort) for structure, cohort in tested.items()}


def partner_gains(
    structures: Sequence[str],
    *,
    partners: Sequence[str] = PARTNERS,
    patients: int = 600,
    seed: int = 1,
    tick: Tick = _nothing,
) -> tuple[Gain, ...]:
    """Find what each partner adds to sirolimus, in each phenotype, over the structures of the model."""
    steps, done = len(structures) * (len(partners) + 1), 0
    weights = [sum(one.weight for one in calibrated().of("posterior", structure)) for structure in structures]
    alone: dict[str, Cohort] = {}
    for structure in structures:
        tick(done, steps)
        alone[structure] = _cohort(structure, patients, seed)
        done += 1
    found: list[Gain] = []
    for name in partners:
        together: dict[str, Cohort] = {}
        for structure in structures:
            tick(done, steps)
            together[structure] = _cohort(structure, patients, seed, name)
            done += 1
        found += gains(alone, together, name, DAYS, weights)
    tick(steps, steps)
    return tuple(found)
