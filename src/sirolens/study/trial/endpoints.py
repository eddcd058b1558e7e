# SPDX-License-Identifier: Apache-2.0
"""What became of the patients of one arm: verdicts at the landmarks, times, what was lost after a taper, cells.

The verdicts are those of `sirolens.response.classify`, the kernel that also judges real charts. Everybody enrolled
stands in every denominator: who was not seen, left, or could not be integrated has no response.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.ranks import mann_whitney, wilcoxon
from sirolens.response.classify import classify
from sirolens.response.criteria import load
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, State
from sirolens.study.trial.arms import visits_of_counts
from sirolens.study.trial.recipe_design import Recipe

__all__ = ["CellTests", "Verdicts", "cell_tests", "criteria_of", "verdicts"]

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Days: TypeAlias = NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """The verdicts on n patients at L landmarks.

    Parameters
    ----------
    overall, complete : bool array (n, L)
        Response at each landmark, and complete response.
    time_d : int64 array (n,)
        Time to the first response; -1 none.
    duration_d : int64 array (n,)
        Its duration up to loss or the end; -1 none.
    ended : bool array (n,)
        Whether it was lost.
    responding_at_taper, lost_after_taper : bool array (n,)
        Of those whose doses were lowered: in response on that day, and that response lost later.
    """

    overall: Flags
    complete: Flags
    time_d: Days
    duration_d: Days
    ended: Flags
    responding_at_taper: Flags
    lost_after_taper: Flags


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CellTests:
    """Regulatory T cells over the replicates.

    Parameters
    ----------
    controls_differ : float
        Share of replicates in which baseline and controls differ (Mann-Whitney); nan without controls.
    rise_significant : tuple of float
        Share in which the cells rise (Wilcoxon, signed rank), for each day.
    rise_percent : tuple of float
        Median relative rise of all patients, in percent, for each day.
    """

    controls_differ: float
    rise_significant: tuple[float, ...]
    rise_percent: tuple[float, ...]


def criteria_of(recipe: Recipe) -> CriteriaSet:
    """Return the criteria with the recipe's landmarks."""
    return replace(load(recipe.response.criteria), landmarks_d=recipe.response.landmarks_d)


def verdicts(
    recipe: Recipe, criteria: CriteriaSet, told: Mapping[str, NDArray[np.generic]], taper_d: int | None = None
) -> Verdicts:
    """Judge the patients of one arm.

    Parameters
    ----------
    recipe : Recipe
        Length of the trial.
    criteria : CriteriaSet
        From `criteria_of`.
    told : mapping
        ``baseline``, ``platelets``, ``visit_day``, ``tapered`` of n patients, as stored.
    taper_d : int, optional
        First day of the taper, where there is one.
    """
    baseline = np.asarray(told["baseline"], np.float64)
    day, counts = np.asarray(told["visit_day"], np.int64), np.asarray(told["platelets"], np.float64)
    # Looked back from when every landmark is due and every confirmation that could come has come.
    known = recipe.days + criteria.landmark_window_d + criteria.confirming_grace_d
    found = classify(visits_of_counts(baseline, day, counts, known), criteria)
    complete = found.landmark_state == STATES.index(State.COMPLETE)
    overall = complete | (found.landmark_state == STATES.index(State.RESPONSE))
    tapered = np.asarray(told["tapered"], bool)
    achieved, lost = found.achieved_day.astype(np.int64), found.lost_day.astype(np.int64)
    at_taper = tapered & (achieved >= 0) & (lost < 0)
    gone = np.zeros(tapered.size, bool)
    if taper_d is not None:
        responding = tapered & (achieved >= 0) & (achieved <= taper_d) & ((lost < 0) | (lost > taper_d))
        at_taper, gone = responding, responding & (lost > taper_d)
    return Verdicts(
        overall=overall,
        complete=complete,
        time_d=found.time_to_response_d.astype(np.int64),
        duration_d=found.duration_d.astype(np.int64),
        ended=found.duration_ended,
        responding_at_taper=at_taper,
        lost_after_taper=gone,
    )


def cell_tests(cells: Array, controls: Array, alpha: float) -> CellTests:
    """Test regulatory T cells in every replicate as a small study would.

    Parameters
    ----------
    cells : ndarray (R, N, C)
        Percentages at the baseline and at each day; nan: not measured.
    controls : ndarray (R, K)
        Percentages of controls; K may be 0.
    alpha : float
        Level of both tests, two-sided.
    """
    replicates, _, columns = cells.shape
    differ, rises = 0, np.zeros(columns - 1)
    for r in range(replicates):
        base = cells[r, :, 0]
        if controls.shape[1]:
            differ += mann_whitney(base[np.isfinite(base)], controls[r]).p_value < alpha
        for c in range(1, columns):
            change = cells[r, :, c] - base
            change = change[np.isfinite(change)]
            rises[c - 1] += bool(change.size) and np.median(change) > 0.0 and wilcoxon(change).p_value < alpha
    flat = cells.reshape(-1, columns)
    ratio = flat[:, 1:] / flat[:, :1]
    return CellTests(
        controls_differ=differ / replicates if controls.shape[1] else float("nan"),
        rise_significant=tuple((rises / replicates).tolist()),
        rise_percent=tuple(_median_percent(ratio[:, c]) for c in range(columns - 1)),
    )


def _median_percent(ratio: Array) -> float:
    there = ratio[np.isfinite(ratio)]
    return 100.0 * (float(np.median(there)) - 1.0) if there.size else float("nan")
