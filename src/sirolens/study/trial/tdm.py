# SPDX-License-Identifier: Apache-2.0
"""Doses of many virtual patients who are titrated by level: the dosing room's rule as arithmetic over arrays.

At a visit a trough f is measured as L = f exp(s z). A level in the target keeps the dose; otherwise the proportional
rule of `sirolens.dosing.proportional` gives ::

    D_new = D C_target / L        C_target = sqrt(low high)

brought to the nearest dose that can be dispensed, at most the soft cap, and at most the largest step away, except
downwards under a level far above the target. At the change to maintenance the protocol's dose is taken when the level
foretells a trough in the target under it, else the rule decides. A missed level keeps the dose. The new dose is taken
from the day after the sample on.

The model is linear: a trough is the sum of what every dose taken before adds to it, so that histories with missed
doses need no further solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log1p, sqrt
from typing import TypeAlias, final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sirolens.dosing.products import ProductList, default_products, doses
from sirolens.dosing.protocol import Settings, default_settings
from sirolens.engine.lanes import over_chunks
from sirolens.mechanism.exposure import DoseHistory, Kinetics, blood_levels
from sirolens.models.residual import Residual

__all__ = ["Noise", "Plan", "Policy", "Titrated", "noise_of", "policy", "titrate", "troughs", "unit_troughs"]

Array: TypeAlias = NDArray[np.float64]
Days: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

WORTH = 500  # patients that make a further thread worth its start
TOLERANCE = 1e-9  # keeps an exact doubling, such as 0.3 to 0.6 mg, on the right side of rounding


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """What decides the next dose.

    Parameters
    ----------
    low_ng_ml, high_ng_ml : float
        Target range of the trough.
    aim_ng_ml : float
        What the rule aims at.
    far_ng_ml : float
        Above this level a larger step down is allowed.
    grid_mg : ndarray (g,)
        Daily doses that can be dispensed, ascending, at most the cap.
    largest_ratio : float
        Largest change of dose in one step.
    """

    low_ng_ml: float
    high_ng_ml: float
    aim_ng_ml: float
    far_ng_ml: float
    grid_mg: Array
    largest_ratio: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How a measured level scatters around the trough: s^2 = log_sd^2, or log(1 + (a^2 + b^2 f^2) / f^2).

    Parameters
    ----------
    log_sd : float
        On the logarithmic scale; 0 where the other two count.
    additive_ng_ml, proportional : float
        Parts of a residual error that is stated on the scale of concentrations.
    """

    log_sd: float = 0.0
    additive_ng_ml: float = 0.0
    proportional: float = 0.0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What is prescribed to n patients, and when they are seen.

    Parameters
    ----------
    days : int
        D, days of treatment.
    start_mg, maintenance_mg : ndarray (n,)
        Daily doses; a maintenance of nan is none.
    maintenance_visit : int
        Position of the visit at which maintenance begins; -1: never.
    visit_day : int array (n, V)
        Day of each visit; rising, at most D.
    levelled : bool array (V,)
        Visits at which a level is taken.
    seen : bool array (n, V)
        Visits that take place.
    taken : bool array (n, D)
        Doses that are taken.
    normal : ndarray (n, V)
        Standard normal numbers z of the levels.
    """

    days: int
    start_mg: Array
    maintenance_mg: Array
    maintenance_visit: int
    visit_day: Days
    levelled: Flags
    seen: Flags
    taken: Flags
    normal: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Titrated:
    """What came of it.

    Parameters
    ----------
    prescribed_mg : ndarray (n, D)
        Daily dose from day 0 on.
    trough_ng_ml : ndarray (n, V)
        Trough before the dose of each visit's day.
    level_ng_ml : ndarray (n, V)
        As measured; nan where no level was taken.
    """

    prescribed_mg: Array
    trough_ng_ml: Array
    level_ng_ml: Array


def policy(
    low_ng_ml: float,
    high_ng_ml: float,
    *,
    form: str = "tablet",
    products: ProductList | None = None,
    settings: Settings | None = None,
) -> Policy:
    """Put together what decides the next dose, from the dosing room's products and limits.

    Parameters
    ----------
    low_ng_ml, high_ng_ml : float
        Target range of the trough.
    form : {"tablet", "solution"}
        What is dispensed.
    products, settings : optional
        The site's; as shipped when left out.

    Examples
    --------
    >>> made = policy(5, 15)
    >>> round(made.aim_ng_ml, 2), made.far_ng_ml, made.grid_mg.tolist()
    (8.66, 30.0, [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0])
    """
    products, settings = products or default_products(), settings or default_settings()
    caps = (settings.soft_daily_cap_mg, settings.hard_daily_cap_mg, settings.label_daily_cap_mg)
    return Policy(
        low_ng_ml=low_ng_ml,
        high_ng_ml=high_ng_ml,
        aim_ng_ml=sqrt(low_ng_ml * high_ng_ml),
        far_ng_ml=settings.hold_level_ratio.value * high_ng_ml,
        grid_mg=np.array(doses(products, form, up_to_mg=min(cap.value for cap in caps))),
        largest_ratio=settings.largest_step_ratio.value,
    )


def noise_of(residual: Residual, log_sd: float | None = None) -> Noise:
    """Return the scatter of levels: a stated one, or a model's residual error.

    >>> noise_of(Residual(kind="log", log_sd=0.299)).log_sd, noise_of(Residual(kind="log", log_sd=0.3), 0.1).log_sd
    (0.299, 0.1)
    """
    if log_sd is not None:
        return Noise(log_sd=log_sd)
    if residual.on_log_scale:
        return Noise(log_sd=residual.log_sd)
    return Noise(additive_ng_ml=residual.additive_ng_ml, proportional=residual.proportional)


def unit_troughs(kinetics: Kinetics, days: int) -> Array:
    """Return what one milligram adds to the troughs of the days that follow it.

    Parameters
    ----------
    kinetics : Kinetics
        Of n patients.
    days : int
        How many.

    Returns
    -------
    ndarray (n, days)
        [i, k]: k + 1 days after the dose, ng/mL per mg.

    Examples
    --------
    >>> from sirolens.mechanism.exposure import sample_kinetics
    >>> from sirolens.models.catalog import load
    >>> unit_troughs(sample_kinetics(load("mao_2024"), {}, seed=1, index=[0]), 3).shape
    (1, 3)
    """
    one = DoseHistory(time_d=np.zeros(1), amount_mg=np.ones((1, 1)))
    return blood_levels(kinetics, one, np.arange(1.0, days + 1.0), threads=None)


def troughs(swallowed_mg: Array, unit: Array, day: Days) -> Array:
    """Return the troughs that given histories lead to.

    Parameters
    ----------
    swallowed_mg : ndarray (n, D)
        Daily doses that were taken.
    unit : ndarray (n, D)
        From `unit_troughs`.
    day : int array (n, V)
        When; at most D.

    Examples
    --------
    >>> troughs(np.array([[1.0, 1.0]]), np.array([[4.0, 2.0]]), np.array([[0, 1, 2]])).tolist()
    [[0.0, 4.0, 6.0]]
    """
    out = np.empty(day.shape)
    _troughs(np.ascontiguousarray(swallowed_mg), np.ascontiguousarray(unit), np.ascontiguousarray(day), out)
    return out


def titrate(plan: Plan, unit: Array, rule: Policy | None, noise: Noise, *, threads: int | None = None) -> Titrated:
    """Follow every patient through the visits.

    Parameters
    ----------
    plan : Plan
        What is prescribed and when patients are seen.
    unit : ndarray (n, D)
        From `unit_troughs`.
    rule : Policy, optional
        None: the prescribed doses whatever the level.
    noise : Noise
        Of the levels.
    threads : int, optional
        Most threads to use; the answer does not depend on it.

    Examples
    --------
    >>> n, days = 1, 60
    >>> seen = np.ones((n, 2), bool)
    >>> plan = Plan(days=days, start_mg=np.array([1.0]), maintenance_mg=np.array([np.nan]), maintenance_visit=-1,
    ...             visit_day=np.array([[14, 28]]), levelled=np.array([True, True]), seen=seen,
    ...             taken=np.ones((n, days), bool), normal=np.zeros((n, 2)))
    >>> unit = 2.0 * 0.5 ** np.arange(days)[None, :]  # a trough of 4 ng/mL per mg a day at steady state
    >>> found = titrate(plan, unit, policy(5, 15), Noise())
    >>> found.level_ng_ml.round(2).tolist(), found.prescribed_mg[0, [0, 14, 15]].tolist()
    ([[4.0, 8.0]], [1.0, 1.0, 2.0])
    """
    n, visits = plan.visit_day.shape
    prescribed = np.empty((n, plan.days))
    trough, level = np.empty((n, visits)), np.full((n, visits), np.nan)
    on = rule if rule is not None else policy(1.0, 2.0)
    unit = np.ascontiguousarray(unit)

    def job(first: int, last: int) -> None:
        _titrate(
            first, last, plan.start_mg, plan.maintenance_mg, plan.maintenance_visit, plan.visit_day, plan.levelled,
            plan.seen, plan.taken, plan.normal, unit, rule is not None, on.low_ng_ml, on.high_ng_ml, on.aim_ng_ml,
            on.far_ng_ml, on.grid_mg, on.largest_ratio, noise.log_sd, noise.additive_ng_ml, noise.proportional,
            prescribed, trough, level,
        )  # fmt: skip

    over_chunks(n, threads, job, worth=WORTH)
    return Titrated(prescribed_mg=prescribed, trough_ng_ml=trough, level_ng_ml=level)


@njit(cache=True, nogil=True, error_model="numpy")
def _troughs(swallowed_mg: Array, unit: Array, day: Days, out: Array) -> None:
    for i in range(day.shape[0]):
        for v in range(day.shape[1]):
            f = 0.0
            for d in range(min(day[i, v], swallowed_mg.shape[1])):
                f += swallowed_mg[i, d] * unit[i, day[i, v] - d - 1]
            out[i, v] = f


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest(grid: Array, wanted: float, low: float, high: float, otherwise: float) -> float:
    """The dose of the grid inside the limits that is nearest to the wanted one; the lower one of two."""
    best, gap = otherwise, np.inf
    for dose in grid:
        if low <= dose <= high and abs(dose - wanted) < gap:
            best, gap = dose, abs(dose - wanted)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def _by_rule(now: float, level: float, aim: float, far: float, grid: Array, ratio: float) -> float:
    """The proportional rule within the largest step, on the grid."""
    low = 0.0 if level > far else now / ratio * (1.0 - TOLERANCE)
    high = now * ratio * (1.0 + TOLERANCE)
    wanted = now * aim / level if level > 0.0 else high
    best: float = _nearest(grid, wanted, low, high, now)
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def _measured(f: float, z: float, log_sd: float, a: float, b: float) -> float:
    if f <= 0.0:
        return 0.0
    s = log_sd if log_sd > 0.0 else sqrt(log1p((a / f) ** 2 + b * b))
    return f * exp(s * z)


@njit(cache=True, nogil=True, error_model="numpy")
def _titrate(
    first: int,
    last: int,
    start_mg: Array,
    maintenance_mg: Array,
    maintenance_visit: int,
    visit_day: Days,
    levelled: Flags,
    seen: Flags,
    taken: Flags,
    normal: Array,
    unit: Array,
    by_level: bool,
    low: float,
    high: float,
    aim: float,
    far: float,
    grid: Array,
    ratio: float,
    log_sd: float,
    a: float,
    b: float,
    prescribed: Array,
    trough: Array,
    level: Array,
) -> None:
    """Walk each patient through its visits; doses between two visits are the same."""
    days = prescribed.shape[1]
    for i in range(first, last):
        now = start_mg[i]
        filled = 0
        for v in range(visit_day.shape[1]):
            day = visit_day[i, v]
            until = min(day + 1, days)
            for d in range(filled, until):
                prescribed[i, d] = now
            filled = max(filled, until)
            f = 0.0
            for d in range(min(day, days)):
                if taken[i, d]:
                    f += prescribed[i, d] * unit[i, day - d - 1]
            trough[i, v] = f
            told = levelled[v] and seen[i, v]
            if told:
                level[i, v] = _measured(f, normal[i, v], log_sd, a, b)
            changes = v == maintenance_visit and not np.isnan(maintenance_mg[i])
            if changes:
                kept = maintenance_mg[i]
                foretold = level[i, v] * kept / now if told and now > 0.0 else np.nan
                if by_level and told and not low <= foretold <= high:
                    now = _by_rule(now, level[i, v], aim, far, grid, ratio)
                else:
                    now = kept
            elif by_level and told and not low <= level[i, v] <= high:
                now = _by_rule(now, level[i, v], aim, far, grid, ratio)
        for d in range(filled, days):
            prescribed[i, d] = now
