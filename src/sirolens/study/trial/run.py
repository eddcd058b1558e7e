# SPDX-License-Identifier: Apache-2.0
"""Runs a virtual trial: enrols, treats and measures every patient of every replicate, then judges the design.

Recipe, seed and versions decide every bit. Patients are simulated in chunks; the verdicts are worked out from what is
kept, so that a run in memory, in a folder, or killed and resumed gives the same answer.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.products import default_products
from sirolens.dosing.protocol import default_settings
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_normals
from sirolens.mechanism.exposure import sample_kinetics
from sirolens.message import Message, Place, error, info, warning
from sirolens.models.catalog import load
from sirolens.response.criteria_set import CriteriaSet
from sirolens.study.lock import digest
from sirolens.study.trial.arms import follow
from sirolens.study.trial.characteristics import Rate, Stopping, Success, rate_of, stopping, success
from sirolens.study.trial.endpoints import CellTests, Verdicts, cell_tests, criteria_of, verdicts
from sirolens.study.trial.recipe_design import Arm, Recipe
from sirolens.study.trial.store import InMemory, Shape, Store, columns_of, in_folder
from sirolens.study.trial.summaries import ArmSummary, summary_of
from sirolens.study.trial.virtual_patients import Biology, enrol, scatter

__all__ = ["NULL", "TrialResult", "identity_of", "run_trial"]

Flags: TypeAlias = NDArray[np.bool_]
NULL = "null"
"""Name of the arm that is run for the type I error alone."""
MOST_IN_MEMORY = 2_000_000_000
"""Bytes a run may keep without a folder."""
LIBRARIES = ("sirolens", "numpy", "scipy", "numba")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialResult:
    """A virtual trial and how its design behaves.

    Parameters
    ----------
    recipe : Recipe
        The design.
    criteria : CriteriaSet
        Who has responded, with the recipe's landmarks.
    screened, entered : int
        Candidates looked at, and those who entered.
    arms : tuple of ArmSummary
        What happened in each arm of the recipe.
    rates : mapping of (arm, outcome, day) to Rate
        Response rates.
    success : Success
        Of the primary analysis.
    looks, looks_null : Stopping, optional
        With interim looks; the same where the treatment does nothing.
    cells : mapping of str to CellTests
        Regulatory T cells by arm.
    identity : mapping
        What every number rests on.
    messages : tuple of Message
        What must be said.
    store : Store
        The patients.
    """

    recipe: Recipe
    criteria: CriteriaSet
    screened: int
    entered: int
    arms: tuple[ArmSummary, ...]
    rates: Mapping[tuple[str, str, int], Rate]
    success: Success
    looks: Stopping | None
    looks_null: Stopping | None
    cells: Mapping[str, CellTests]
    identity: Mapping[str, Any]
    messages: tuple[Message, ...]
    store: Store


def treatments(recipe: Recipe) -> tuple[Arm, ...]:
    """Return the arms that are simulated: the recipe's, and the one in which the treatment under test does nothing."""
    if not recipe.null_run:
        return recipe.arms
    if recipe.primary.compare:
        return (*recipe.arms, replace(recipe.arm(recipe.primary.compare[1]), name=NULL))
    nothing = Arm(
        name=NULL, title=NULL, title_zh="", drug="none", start=None, maintenance=None, maintenance_from_d=None,
        tdm=None, taper=None, partners=(),
    )  # fmt: skip
    return (*recipe.arms, nothing)


def identity_of(recipe: Recipe, biology: Biology) -> dict[str, Any]:
    """Return what the numbers of a trial rest on: hashes of recipe, models and rules, seed, versions.

    Parameters
    ----------
    recipe : Recipe
        The design.
    biology : Biology
        Tells its own versions.
    """
    return {
        "recipe": recipe.digest,
        "seed": recipe.seed,
        "models": {group.pk: load(group.pk).digest for group in recipe.groups},
        "criteria": digest(criteria_of(recipe)),
        "settings": digest(default_settings()),
        "products": digest(default_products()),
        "biology": biology.versions(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def run_trial(
    recipe: Recipe,
    biology: Biology,
    *,
    out: Path | None = None,
    recipe_text: str = "",
    resume: bool = False,
    tick: Callable[[int, int], None] = lambda done, of: None,
) -> TrialResult:
    """Run a virtual trial.

    Parameters
    ----------
    recipe : Recipe
        The design.
    biology : Biology
        The disease.
    out : Path, optional
        Zarr folder to keep the patients in.
    recipe_text : str
        Kept in the folder.
    resume : bool
        Go on with the folder.
    tick : callable
        Told how many chunks are done, of how many.

    Returns
    -------
    TrialResult

    Raises
    ------
    InputError
        ``trial.nobody-eligible``, ``trial.too-large``, or what the folder has against it.
    """
    arms = treatments(recipe)
    identity = identity_of(recipe, biology)
    each = recipe.patients * recipe.replicates
    cell_days = () if recipe.cells is None else recipe.cells.days
    shape = Shape([arm.name for arm in arms], each, recipe.visits.days, (0, *cell_days))
    if out is None and shape.bytes > MOST_IN_MEMORY:
        raise InputError(error("trial.too-large", place=Place(field="--out"), bytes_needed=shape.bytes))
    store: Store = InMemory(shape) if out is None else in_folder(out, shape, identity, recipe_text, resume=resume)
    people, screened = enrol(recipe, biology, _wanted(recipe, len(arms)))
    criteria = criteria_of(recipe)
    total = len(arms) * shape.chunks
    for a, arm in enumerate(arms):
        for chunk in range(shape.chunks):
            tick(a * shape.chunks + chunk, total)
            if not store.done(a, chunk):
                low, high = shape.span(chunk)
                own = people.at(np.arange(low, high) + _first(recipe, a))
                store.write(a, chunk, columns_of(own, follow(recipe, arm, own, biology, criteria)))
    tick(total, total)
    return _judged(recipe, criteria, biology, store, screened, people.number.size, identity)


def _wanted(recipe: Recipe, arms: int) -> int:
    """How many patients must enter: every arm has its own unless all arms treat the same."""
    each = recipe.patients * recipe.replicates
    return each * (1 + recipe.null_run if recipe.same_patients else arms)


def _first(recipe: Recipe, arm: int) -> int:
    """Where an arm's patients begin among those who entered."""
    each = recipe.patients * recipe.replicates
    if recipe.same_patients:
        return each if arm == len(recipe.arms) else 0
    return arm * each


def _judged(
    recipe: Recipe,
    criteria: CriteriaSet,
    biology: Biology,
    store: Store,
    screened: int,
    entered: int,
    identity: Mapping[str, Any],
) -> TrialResult:
    primary, landmarks = recipe.primary, recipe.response.landmarks_d
    shape = (recipe.replicates, recipe.patients)
    rates: dict[tuple[str, str, int], Rate] = {}
    decisive: dict[str, Flags] = {}
    summaries, cells = [], {}
    for a, arm in enumerate(treatments(recipe)):
        told = store.read(a)
        found = verdicts(recipe, criteria, told, None if arm.taper is None else arm.taper.from_d)
        decisive[arm.name] = _of(found, primary.outcome)[:, landmarks.index(primary.day)].reshape(shape)
        if arm.name == NULL:
            continue
        for outcome in ("overall", "complete"):
            for column, day in enumerate(landmarks):
                responses = _of(found, outcome)[:, column].reshape(shape)
                rates[arm.name, outcome, day] = rate_of(responses, primary.interval_level)
        summaries.append(summary_of(recipe, arm, told, found))
        if recipe.cells is not None:
            measured = np.asarray(told["treg"], np.float64).reshape(*shape, -1)
            cells[arm.name] = cell_tests(measured, _controls(recipe, biology), recipe.cells.alpha)
    arm_name = primary.compare[0] if primary.compare else recipe.arms[0].name
    control = decisive[primary.compare[1]] if primary.compare else None
    null = decisive.get(NULL)
    looks = stopping(primary, recipe.looks, decisive[arm_name]) if recipe.looks else None
    nothing = stopping(primary, recipe.looks, null) if recipe.looks and null is not None else None
    return TrialResult(
        recipe=recipe,
        criteria=criteria,
        screened=screened,
        entered=entered,
        arms=tuple(summaries),
        rates=rates,
        success=success(primary, decisive[arm_name], control, null),
        looks=looks,
        looks_null=nothing,
        cells=cells,
        identity=identity,
        messages=_messages(recipe, biology, tuple(summaries)),
        store=store,
    )


def _of(found: Verdicts, outcome: str) -> Flags:
    return found.overall if outcome == "overall" else found.complete


def _controls(recipe: Recipe, biology: Biology) -> NDArray[np.float64]:
    """Measured cells of healthy controls, (R, K)."""
    assert recipe.cells is not None
    count = recipe.replicates * recipe.cells.controls
    numbers = np.arange(count, dtype=np.int64)
    measured = np.empty(count)
    z = patient_normals(recipe.seed, "controls", "cells", index=numbers)
    scatter(biology.healthy_treg_percent(numbers), z, recipe.measurement.cells_log_sd, measured)
    return measured.reshape(recipe.replicates, recipe.cells.controls)


def _messages(recipe: Recipe, biology: Biology, summaries: tuple[ArmSummary, ...]) -> tuple[Message, ...]:
    """Say what nobody may miss: calibrated, not validated; no bleeding; who could not be integrated; the models."""
    assumed = recipe.population == "default"
    said: list[Message] = [warning("trial.assumed" if assumed else "trial.research"), info("trial.no-bleeding")]
    failed = sum(one.failed for one in summaries)
    if failed:
        everybody = sum(one.patients for one in summaries)
        said.append(warning("trial.failed", failed=failed, patients=everybody))
    for group in recipe.groups:
        told = sample_kinetics(load(group.pk), {"age": [40.0], "weight": [60.0]}, seed=recipe.seed, index=[0])
        said += told.messages
    return tuple(dict.fromkeys(said))
