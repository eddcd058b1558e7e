# SPDX-License-Identifier: Apache-2.0
"""What happened in one arm, over all replicates: people, counts, times, exposure, taper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.survival import kaplan_meier
from sirolens.study.trial.characteristics import Proportion, proportion
from sirolens.study.trial.endpoints import Verdicts
from sirolens.study.trial.recipe_design import Arm, Recipe

__all__ = ["ArmSummary", "Quantiles", "VisitSummary", "quantiles", "summary_of"]

Array: TypeAlias = NDArray[np.float64]
AT = (0.05, 0.25, 0.5, 0.75, 0.95)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """5, 25, 50, 75 and 95 % points of n values; nan of none."""

    n: int
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSummary:
    """An arm at one visit.

    Parameters
    ----------
    day : int
        Planned day.
    counts_10e9_l : Quantiles
        Measured counts.
    dose_mg : Quantiles
        Daily dose prescribed, of those who had not left.
    trough_ng_ml : Quantiles
        True trough, of those who had not left.
    in_target : float
        Share of those troughs in the arm's target; nan without one.
    """

    day: int
    counts_10e9_l: Quantiles
    dose_mg: Quantiles
    trough_ng_ml: Quantiles
    in_target: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm over all replicates.

    Parameters
    ----------
    name : str
        The arm.
    patients, children, left, failed, visits, missed : int
        Patients; children among them; who left; who could not be integrated; visits planned and not held.
    baseline_10e9_l : Quantiles
        Measured count on day 0.
    at_visits : tuple of VisitSummary
        In their order.
    time_d : Quantiles
        Time to the first response of those who responded.
    duration_d : float
        Median duration of the first response (Kaplan-Meier); nan: not reached.
    tapered : int
        Whose doses were lowered.
    relapsed : Proportion
        Of those in response when their doses were lowered: response lost later.
    """

    name: str
    patients: int
    children: int
    left: int
    failed: int
    visits: int
    missed: int
    baseline_10e9_l: Quantiles
    at_visits: tuple[VisitSummary, ...]
    time_d: Quantiles
    duration_d: float
    tapered: int
    relapsed: Proportion


def quantiles(values: ArrayLike) -> Quantiles:
    """Return the quantiles of the finite values.

    >>> quantiles([1.0, 2.0, 3.0, float("nan")]).p50
    2.0
    """
    told = np.asarray(values, dtype=np.float64).ravel()
    there = told[np.isfinite(told)]
    if not there.size:
        return Quantiles(n=0, **{f"p{round(100 * q)}": float("nan") for q in AT})
    found = np.quantile(there, AT)
    return Quantiles(n=there.size, **{f"p{round(100 * q)}": float(value) for q, value in zip(AT, found, strict=True)})


def summary_of(recipe: Recipe, arm: Arm, told: Mapping[str, NDArray[np.generic]], found: Verdicts) -> ArmSummary:
    """Describe an arm.

    Parameters
    ----------
    recipe : Recipe
        Planned days.
    arm : Arm
        Its target.
    told : mapping
        The arm's columns, as stored.
    found : Verdicts
        Of its patients.
    """
    counts, left = np.asarray(told["platelets"], np.float64), np.asarray(told["left_day"], np.int64)
    responding = found.time_d >= 0
    at_risk = np.asarray(found.duration_d[responding], np.float64)
    curve = kaplan_meier(at_risk, found.ended[responding]) if responding.any() else None
    at_taper = int(found.responding_at_taper.sum())
    return ArmSummary(
        name=arm.name,
        patients=len(counts),
        children=int(np.asarray(told["child"], np.int64).sum()),
        left=int((left >= 0).sum()),
        failed=int(np.asarray(told["failed"], np.int64).sum()),
        visits=counts.size,
        missed=int(np.isnan(counts).sum()),
        baseline_10e9_l=quantiles(np.asarray(told["baseline"])),
        at_visits=tuple(_visit(recipe, arm, told, v) for v in range(len(recipe.visits.days))),
        time_d=quantiles(found.time_d[responding].astype(np.float64)),
        duration_d=float("nan") if curve is None else curve.median,
        tapered=int(np.asarray(told["tapered"], np.int64).sum()),
        relapsed=proportion(int(found.lost_after_taper.sum()), at_taper) if at_taper else _nobody(),
    )


def _nobody() -> Proportion:
    return Proportion(k=0, n=0, low=float("nan"), high=float("nan"))


def _visit(recipe: Recipe, arm: Arm, told: Mapping[str, NDArray[np.generic]], v: int) -> VisitSummary:
    left, when = np.asarray(told["left_day"], np.int64), np.asarray(told["visit_day"], np.int64)[:, v]
    here = (left < 0) | (left > when)
    trough = np.asarray(told["trough"], np.float64)[here, v]
    target = float("nan")
    if arm.tdm is not None and trough.size:
        target = float(((trough >= arm.tdm.low_ng_ml) & (trough <= arm.tdm.high_ng_ml)).mean())
    return VisitSummary(
        day=recipe.visits.days[v],
        counts_10e9_l=quantiles(np.asarray(told["platelets"], np.float64)[:, v]),
        dose_mg=quantiles(np.asarray(told["dose"], np.float64)[here, v]),
        trough_ng_ml=quantiles(trough),
        in_target=target,
    )
