# SPDX-License-Identifier: Apache-2.0
"""Who takes part in a virtual trial: candidates in the order of their numbers, screened until enough may enter.

Everything a patient is belongs to the patient's own number, so that number 17 is the same alone, in a chunk and among
a million. What the disease does is asked of a `Biology`: the mechanism, or anything else that answers the same
questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_normals, patient_uniforms
from sirolens.mechanism.exposure import DoseHistory, Kinetics, sample_kinetics
from sirolens.message import error
from sirolens.models.catalog import load
from sirolens.study.trial.recipe_design import Group, Partner, Recipe

__all__ = ["Biology", "Course", "Described", "People", "enrol", "kinetics_of", "scatter"]

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

FEWEST = 256
"""Candidates screened at first."""
HOPELESS = 64
"""When so many times the patients wanted were screened in vain, the entry criteria fit nobody."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """The true course of n patients on K days.

    Parameters
    ----------
    days : int64 array (K,)
        When; ascending, from 0.
    platelets_10e9_l : ndarray (n, K)
        Platelet count.
    treg_percent : ndarray (n, K)
        Regulatory T cells, percent of CD4 cells.
    failed : bool array (n,)
        Patients whose equations could not be integrated; nan from there on.
    """

    days: Numbers
    platelets_10e9_l: Array
    treg_percent: Array
    failed: Flags

    def on(self, values: Array, day: Numbers) -> Array:
        """Read values of this course on each patient's own days (n, V), all of them among its days."""
        return np.take_along_axis(values, np.searchsorted(self.days, day), axis=1)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """What is known of the first n patients of a group before treatment.

    Parameters
    ----------
    age_years, weight_kg : ndarray (n,)
        Age and weight.
    baseline_10e9_l : ndarray (n,)
        True platelet count without treatment.
    """

    age_years: Array
    weight_kg: Array
    baseline_10e9_l: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Virtual patients.

    Parameters
    ----------
    number : int64 array (n,)
        Their own numbers among the candidates: they name every later draw.
    row : int64 array (n,)
        Their place among the patients of their group.
    child : bool array (n,)
        Children.
    age_years, weight_kg : ndarray (n,)
        Age and weight.
    """

    number: Numbers
    row: Numbers
    child: Flags
    age_years: Array
    weight_kg: Array

    def at(self, where: NDArray[Any]) -> People:
        """Return some of them."""
        return People(
            number=self.number[where],
            row=self.row[where],
            child=self.child[where],
            age_years=self.age_years[where],
            weight_kg=self.weight_kg[where],
        )


class Biology(Protocol):
    """What a trial asks of the disease."""

    def versions(self) -> dict[str, str]:
        """What the answers rest on: names and hashes."""
        ...

    def described(self, group: str, n: int) -> Described:
        """What is known of the first n patients of a group; the first of many are the first of few."""
        ...

    def healthy_treg_percent(self, numbers: Numbers) -> Array:
        """Regulatory T cells of healthy people (n,)."""
        ...

    def course(
        self,
        group: str,
        people: People,
        kinetics: Kinetics,
        doses: DoseHistory,
        partners: Sequence[Partner],
        days: Numbers,
    ) -> Course:
        """What happens to patients of one group on some days under doses of sirolimus and partners."""
        ...


def candidates(recipe: Recipe, biology: Biology, n: int) -> tuple[People, Array]:
    """Return the first n candidates, and their true counts.

    Parameters
    ----------
    recipe : Recipe
        Share of children.
    biology : Biology
        Describes them.
    n : int
        How many.
    """
    numbers = np.arange(n, dtype=np.int64)
    child = patient_uniforms(recipe.seed, "child", index=numbers) < recipe.children_fraction
    row = np.where(child, np.cumsum(child), np.cumsum(~child)) - 1
    people = People(number=numbers, row=row, child=child, age_years=np.empty(n), weight_kg=np.empty(n))
    counts = np.empty(n)
    for group in recipe.groups:
        own = child == (group.name == "children")
        if own.any():
            told = biology.described(group.name, int(own.sum()))
            people.age_years[own], people.weight_kg[own] = told.age_years, told.weight_kg
            counts[own] = told.baseline_10e9_l
    return people, counts


@njit(cache=True, nogil=True, error_model="numpy")
def scatter(value: Array, z: Array, log_sd: float, out: Array) -> None:
    """Write value * exp(log_sd * z)."""
    for i in range(value.size):
        out[i] = value[i] * np.exp(log_sd * z[i])


def enrol(recipe: Recipe, biology: Biology, wanted: int) -> tuple[People, int]:
    """Screen candidates in the order of their numbers until enough are eligible.

    Parameters
    ----------
    recipe : Recipe
        Entry criteria, noise of counts.
    biology : Biology
        Describes candidates.
    wanted : int
        How many.

    Returns
    -------
    People
        Those who enter.
    int
        How many were screened for them.

    Raises
    ------
    InputError
        ``trial.nobody-eligible``.
    """
    entry, n = recipe.entry, FEWEST + wanted + wanted // 4
    while True:
        people, true = candidates(recipe, biology, n)
        counts = np.empty(n)
        z = patient_normals(recipe.seed, "screening", index=people.number)
        scatter(true, z, recipe.measurement.count_log_sd, counts)
        eligible = (counts >= entry.count_from_10e9_l) & (counts < entry.count_below_10e9_l)
        eligible &= (people.age_years >= entry.age_years[0]) & (people.age_years <= entry.age_years[1])
        chosen = np.flatnonzero(eligible)[:wanted]
        if chosen.size == wanted:
            return people.at(chosen), int(chosen[-1]) + 1
        if n >= HOPELESS * wanted:
            raise InputError(error("trial.nobody-eligible", screened=n, entered=chosen.size, wanted=wanted))
        n *= 2


def kinetics_of(recipe: Recipe, group: Group, people: People) -> Kinetics:
    """Draw the pharmacokinetics of the people of one group.

    Parameters
    ----------
    recipe : Recipe
        The seed.
    group : Group
        Names the model.
    people : People
        All of this group.
    """
    told = {"age": people.age_years, "weight": people.weight_kg}
    return sample_kinetics(load(group.pk), told, seed=recipe.seed, index=people.number)
