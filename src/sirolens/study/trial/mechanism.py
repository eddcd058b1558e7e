# SPDX-License-Identifier: Apache-2.0
"""The mechanism as the disease of a trial: virtual patients of a named population, their course, the partners."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from math import inf
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.simd.integrate import LaneStatus
from sirolens.mechanism.assumptions import register_text
from sirolens.mechanism.exposure import DoseHistory, Kinetics
from sirolens.mechanism.flares import Flares
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.partners import COURSES, Titration, partner
from sirolens.mechanism.simulate import Plan, run
from sirolens.mechanism.virtual import Population, draw
from sirolens.study.calibration.calibrated import calibrated, draw_calibrated
from sirolens.study.trial.recipe_design import Partner, Recipe
from sirolens.study.trial.virtual_patients import Course, Described, People

__all__ = [
    "TITRATED",
    "MechanismBiology",
    "biology_of",
    "described",
    "partner_names",
    "plan_of",
    "population",
    "population_names",
    "simulated_course",
    "variant_names",
]

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]

TITRATED = "romiplostim-titrated"
"""Romiplostim by count; everything else is given as its course says."""
HEALTHY_STREAM = 1_000_003
"""Added to the seed, so that controls are other people than the patients."""
COUNT, CELLS = "P", "R"


DEFAULT = "default"
"""The population of assumptions alone."""


def population_names() -> tuple[str, ...]:
    """Return the virtual populations a recipe may name: the one of assumptions, and what calibrations kept.

    >>> "default" in population_names()
    True
    """
    if not files("sirolens.study").joinpath("data", "calibrated.toml").is_file():
        return (DEFAULT,)
    return (DEFAULT, *sorted({one.purpose for one in calibrated().sets}))


def population(name: str, mechanism: Mechanism, n: int, seed: int, who: str) -> Population:
    """Draw the first n patients of a population; they are the same however many are drawn.

    Parameters
    ----------
    name : str
        One of `population_names`.
    mechanism : Mechanism
        The model with the recipe's variants.
    n, seed, who
        As in `sirolens.mechanism.virtual.draw`.
    """
    if name == DEFAULT:
        return draw(mechanism, n, seed=seed, who=who)
    return draw_calibrated(mechanism, n, seed, who, purpose=name)


def partner_names() -> tuple[str, ...]:
    """Return the partners a recipe may name.

    >>> "rituximab" in partner_names()
    True
    """
    return (*COURSES, TITRATED)


def variant_names() -> tuple[str, ...]:
    """Return the variants of the mechanism a recipe may name.

    >>> "single-link" in variant_names()
    True
    """
    return tuple(load().register.variants)


@final
class MechanismBiology:
    """The mechanism, one population and its settings.

    Parameters
    ----------
    name : str
        One of `population_names`.
    variants : sequence of str
        Of the mechanism.
    seed : int
        Of the virtual patients.
    flares_per_year : float
        Infections; 0: none.
    """

    def __init__(
        self, name: str = DEFAULT, variants: Sequence[str] = (), *, seed: int, flares_per_year: float = 0.0
    ) -> None:
        self._name = name
        self._mechanism = load(tuple(variants))
        self._seed = seed
        self._flares = Flares(per_year=flares_per_year) if flares_per_year else None
        self._plan: Plan | None = None
        self._drawn: dict[str, Population] = {}

    def versions(self) -> dict[str, str]:
        """Name the population, the variants, and the hashes of model file and register."""
        equations = files("sirolens.mechanism").joinpath(self._mechanism.register.file).read_bytes()
        texts = {self._mechanism.register.file: equations, "assumptions": register_text().encode()}
        told = {name: sha256(text).hexdigest() for name, text in texts.items()}
        if self._name != DEFAULT:
            kept = files("sirolens.study").joinpath("data", "calibrated.toml").read_bytes()
            told["calibrated.toml"] = sha256(kept).hexdigest()
        flares = "" if self._flares is None else f"{self._flares.per_year:g}"
        return {"population": self._name, "variants": ", ".join(self._mechanism.variants), "flares": flares, **told}

    def _people(self, group: str, n: int) -> Population:
        """At least the first n patients of a group; drawn generously, so that few drawings are needed."""
        have = self._drawn.get(group)
        if have is None or len(have) < n:
            have = self._drawn[group] = population(self._name, self._mechanism, n, self._seed, group)
        return have

    def described(self, group: str, n: int) -> Described:
        """What is known of the first n patients of a group."""
        return described(self._people(group, n).part(slice(0, n)))

    def healthy_treg_percent(self, numbers: Numbers) -> Array:
        """Regulatory T cells of people without the disease: the baseline times its healthy ratio."""
        healthy = draw(self._mechanism, int(numbers.max()) + 1, seed=self._seed + HEALTHY_STREAM)
        return np.asarray((healthy.parameter("R_0") * healthy.parameter("q_R"))[numbers])

    def course(
        self,
        group: str,
        people: People,
        kinetics: Kinetics,
        doses: DoseHistory,
        partners: Sequence[Partner],
        days: Numbers,
    ) -> Course:
        """Simulate patients of one group; see `sirolens.mechanism.simulate.run`."""
        patients = self._people(group, int(people.row.max()) + 1).part(people.row)
        self._plan = self._plan or plan_of(self._mechanism, self._flares)
        return simulated_course(patients, kinetics, doses, partners, days, plan=self._plan)


def biology_of(recipe: Recipe) -> MechanismBiology:
    """Return the disease a recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        Population, variants, infections, seed.
    """
    return MechanismBiology(
        recipe.population, recipe.variants, seed=recipe.seed, flares_per_year=recipe.flares_per_year
    )


def described(some: Population) -> Described:
    """Return what a trial may know of patients before they are treated."""
    return Described(
        age_years=some.covariates["age"], weight_kg=some.covariates["weight"], baseline_10e9_l=some.parameter("P0")
    )


def plan_of(mechanism: Mechanism, flares: Flares | None = None) -> Plan:
    """Return the plan of what a trial measures: counts and regulatory T cells."""
    return Plan.of(mechanism, (COUNT, CELLS), flares)


def simulated_course(
    patients: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    partners: Sequence[Partner],
    days: Numbers,
    *,
    plan: Plan,
) -> Course:
    """Simulate patients under doses of sirolimus and partners, as trials and calibrations measure them.

    Parameters
    ----------
    patients, kinetics, doses
        Of the same n people; see `sirolens.mechanism.simulate.run`.
    partners : sequence of Partner
        Given to all of them.
    days : int array (n, m) or (m,)
        When counts and cells are taken.
    plan : Plan
        From `plan_of`.
    """
    mechanism = plan.mechanism
    courses = [
        partner(mechanism, one.name, from_d=one.from_d, until_d=_after(one)) for one in partners if one.name != TITRATED
    ]
    titrated = [one for one in partners if one.name == TITRATED]
    found = run(
        mechanism,
        patients,
        kinetics,
        doses,
        days.astype(np.float64),
        plan=plan,
        partners=courses,
        titration=Titration(from_d=titrated[0].from_d, until_d=_after(titrated[0])) if titrated else None,
    )
    return Course(
        days=days,
        platelets_10e9_l=found.of(COUNT).T,
        treg_percent=found.of(CELLS).T,
        failed=found.status != LaneStatus.DONE,
    )


def _after(one: Partner) -> float:
    """The first day without a dose."""
    return inf if one.until_d is None else one.until_d + 1.0
