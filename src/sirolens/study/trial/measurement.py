# SPDX-License-Identifier: Apache-2.0
"""What a trial sees of its patients: visits that shift or fail, patients who leave, counts and levels with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sirolens.mechanism.draws import patient_normals, patient_uniforms
from sirolens.study.trial.recipe_design import Recipe

__all__ = ["Attendance", "attend", "measured_cells", "measured_counts"]

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

NEVER = -1
DAYS_PER_YEAR = 365.25


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attendance:
    """When n patients come.

    Parameters
    ----------
    day : int64 array (n, V)
        Day of each visit.
    seen : bool array (n, V)
        Visits that take place.
    left_day : int64 array (n,)
        Day of leaving the trial; -1: stayed to its end.
    """

    day: Numbers
    seen: Flags
    left_day: Numbers


def attend(recipe: Recipe, arm: str, numbers: Numbers) -> Attendance:
    """Draw when patients come.

    Parameters
    ----------
    recipe : Recipe
        Planned days, windows, missed visits, rate of leaving.
    arm : str
        Its name: the same patient in another arm has a luck of its own.
    numbers : int64 array (n,)
        The patients' own numbers.
    """
    plan, n = recipe.visits, numbers.size
    day = np.repeat(np.array(plan.days, np.int64)[None, :], n, axis=0)
    seen = np.ones(day.shape, bool)
    for v in range(len(plan.days)):
        if plan.window_d:
            u = patient_uniforms(recipe.seed, arm, "visit-day", v, index=numbers)
            day[:, v] += np.floor(u * (2 * plan.window_d + 1)).astype(np.int64) - plan.window_d
        if plan.missed_fraction:
            seen[:, v] = patient_uniforms(recipe.seed, arm, "visit", v, index=numbers) >= plan.missed_fraction
    left = np.full(n, NEVER, np.int64)
    if plan.dropped_per_year > 0.0:
        u = patient_uniforms(recipe.seed, arm, "leaving", index=numbers)
        _leaving(u, plan.dropped_per_year, recipe.days, left)
        seen &= (left[:, None] == NEVER) | (day < left[:, None])
    return Attendance(day=day, seen=seen, left_day=left)


@njit(cache=True, nogil=True, error_model="numpy")
def _leaving(u: Array, per_year: float, days: int, out: Numbers) -> None:
    """Exponential times, in whole days from 1; those after the trial's end never come to pass."""
    for i in range(u.size):
        day = 1 + int(-np.log(u[i]) / per_year * DAYS_PER_YEAR)
        if day <= days:
            out[i] = day


def measured_counts(recipe: Recipe, arm: str, numbers: Numbers, true: Array, first: int = 0) -> Array:
    """Return counts as the laboratory reports them: true * exp(s z), whole numbers.

    Parameters
    ----------
    recipe : Recipe
        The noise.
    arm : str
        Its name.
    numbers : int64 array (n,)
        The patients' own numbers.
    true : ndarray (n, V)
        True counts at visits `first`, `first` + 1, ...; visit 0 is the baseline.
    first : int
        Number of the first column.
    """
    out = np.empty(true.shape)
    for column in range(true.shape[1]):
        z = patient_normals(recipe.seed, arm, "count", first + column, index=numbers)
        _whole_numbers(np.ascontiguousarray(true[:, column]), z, recipe.measurement.count_log_sd, out[:, column])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _whole_numbers(true: Array, z: Array, log_sd: float, out: Array) -> None:
    for i in range(true.size):
        out[i] = np.rint(true[i] * np.exp(log_sd * z[i]))


def measured_cells(recipe: Recipe, arm: str, numbers: Numbers, true: Array) -> Array:
    """Return percentages by flow cytometry: true * exp(s z).

    Parameters
    ----------
    recipe, arm, numbers
        As in `measured_counts`.
    true : ndarray (n, C)
        True percentages at the baseline and at each day of the recipe.
    """
    out = np.empty(true.shape)
    for column in range(true.shape[1]):
        z = patient_normals(recipe.seed, arm, "cells", column, index=numbers)
        _scattered(np.ascontiguousarray(true[:, column]), z, recipe.measurement.cells_log_sd, out[:, column])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _scattered(true: Array, z: Array, log_sd: float, out: Array) -> None:
    for i in range(true.size):
        out[i] = true[i] * np.exp(log_sd * z[i])
