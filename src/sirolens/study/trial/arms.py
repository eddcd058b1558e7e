# SPDX-License-Identifier: Apache-2.0
"""One arm of a virtual trial, patient by patient: doses, levels, the disease, and what the trial measured of it.

Pharmacokinetics do not depend on platelets, so dose adjustment by level is settled first. What depends on the response,
the taper of those who responded, is settled by what was measured up to its first day; only those patients are followed
again under their new doses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.mechanism.draws import patient_normals
from sirolens.mechanism.exposure import Adherence, DoseHistory, Kinetics, constant_dose, taken
from sirolens.models.catalog import load
from sirolens.response.classify import classify
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, State
from sirolens.response.visits import BaselineState, Visits, no_events
from sirolens.study.trial.measurement import Attendance, attend, measured_cells, measured_counts
from sirolens.study.trial.recipe_design import Arm, Group, Recipe, Taper
from sirolens.study.trial.tdm import Noise, Plan, Policy, Titrated, noise_of, policy, titrate, troughs, unit_troughs
from sirolens.study.trial.virtual_patients import Biology, Course, People, kinetics_of

__all__ = ["ArmChunk", "follow", "visits_of_counts"]

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmChunk:
    """What is kept of n patients at V visits (the baseline is no visit) and C measurements of cells.

    Parameters
    ----------
    baseline_10e9_l, baseline_true_10e9_l : ndarray (n,)
        Count on day 0, measured and true.
    count_10e9_l, count_true_10e9_l : ndarray (n, V)
        Counts; nan where the visit did not take place.
    visit_day : int64 array (n, V)
        Day of each visit.
    dose_mg, trough_ng_ml, level_ng_ml : ndarray (n, V)
        Daily dose prescribed on that day, true trough, measured level (nan: none taken).
    treg_percent, treg_true_percent : ndarray (n, C)
        Regulatory T cells at the baseline and at each day of the recipe.
    left_day : int64 array (n,)
        -1: stayed.
    tapered, failed : bool array (n,)
        Doses were lowered; the equations could not be integrated.
    """

    baseline_10e9_l: Array
    baseline_true_10e9_l: Array
    count_10e9_l: Array
    count_true_10e9_l: Array
    visit_day: Numbers
    dose_mg: Array
    trough_ng_ml: Array
    level_ng_ml: Array
    treg_percent: Array
    treg_true_percent: Array
    left_day: Numbers
    tapered: Flags
    failed: Flags


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Doses:
    """What is prescribed and swallowed."""

    titrated: Titrated
    swallowed: Flags
    unit: Array


def visits_of_counts(
    baseline_10e9_l: Array, day: Numbers, count_10e9_l: Array, known_day: int, *, until: int | None = None
) -> Visits:
    """Return counts as the classification reads them; visits without a count are not there.

    The mechanism knows no bleeding: everybody is taken to have none, so that the verdicts are of platelets alone.

    Parameters
    ----------
    baseline_10e9_l : ndarray (n,)
        Before treatment.
    day : int array (n, V)
        Days of the visits.
    count_10e9_l : ndarray (n, V)
        nan: no count.
    known_day : int
        The day that is looked back from.
    until : int, optional
        Later visits are left out.

    Examples
    --------
    >>> one = visits_of_counts(np.array([9.0]), np.array([[7, 14]]), np.array([[np.nan, 40.0]]), 28)
    >>> one.day.tolist(), one.count_10e9_l.tolist()
    ([14], [40.0])
    """
    there = np.isfinite(count_10e9_l)
    if until is not None:
        there &= day <= until
    n = len(baseline_10e9_l)
    usable = np.isfinite(baseline_10e9_l)
    nothing: dict[str, Any] = dict(no_events(n))
    return Visits(
        start=np.concatenate(([0], np.cumsum(there.sum(axis=1)))),
        day=day[there].astype(np.int32),
        count_10e9_l=count_10e9_l[there],
        bleeding=np.zeros(int(there.sum()), np.int8),
        baseline_10e9_l=baseline_10e9_l,
        baseline_state=np.where(usable, BaselineState.USABLE, BaselineState.MISSING),
        known_day=np.full(n, known_day),
        **nothing,
    )


def follow(recipe: Recipe, arm: Arm, people: People, biology: Biology, criteria: CriteriaSet) -> ArmChunk:
    """Treat patients in one arm and measure what the trial measures.

    Parameters
    ----------
    recipe : Recipe
        The trial.
    arm : Arm
        The treatment.
    people : People
        n patients.
    biology : Biology
        The disease.
    criteria : CriteriaSet
        Who has responded, for a taper of responders.

    Returns
    -------
    ArmChunk
        In the order of the people.
    """
    came = attend(recipe, arm.name, people.number)
    parts: list[tuple[NDArray[np.intp], ArmChunk]] = []
    for group in recipe.groups:
        where = np.flatnonzero(people.child == (group.name == "children"))
        if where.size:
            own = Attendance(day=came.day[where], seen=came.seen[where], left_day=came.left_day[where])
            parts.append((where, _follow_group(recipe, arm, group, people.at(where), own, biology, criteria)))
    return _together(parts, people.number.size)


def _together(parts: list[tuple[NDArray[np.intp], ArmChunk]], n: int) -> ArmChunk:
    columns = {}
    for name in ArmChunk.__dataclass_fields__:
        first = getattr(parts[0][1], name)
        whole = np.empty((n, *first.shape[1:]), first.dtype)
        for where, part in parts:
            whole[where] = getattr(part, name)
        columns[name] = whole
    return ArmChunk(**columns)


def _follow_group(
    recipe: Recipe,
    arm: Arm,
    group: Group,
    people: People,
    came: Attendance,
    biology: Biology,
    criteria: CriteriaSet,
) -> ArmChunk:
    kinetics = kinetics_of(recipe, group, people)
    doses = _doses(recipe, arm, group, people, came, kinetics)
    prescribed = doses.titrated.prescribed_mg
    course = _course(recipe, arm, group, people, kinetics, prescribed * doses.swallowed, biology)
    measured = _measured(recipe, arm, people, came, course)
    tapered = np.zeros(people.number.size, bool)
    if arm.taper is not None:
        tapered = _who_tapers(recipe, arm.taper, measured, came, criteria)
        prescribed = _tapered(arm.taper, prescribed, tapered)
        swallowed_mg = prescribed * doses.swallowed
        course = _again(recipe, arm, group, people, kinetics, swallowed_mg, biology, course, tapered)
        measured = _measured(recipe, arm, people, came, course)
    when, trough = np.minimum(came.day, recipe.days - 1), doses.titrated.trough_ng_ml.copy()
    if tapered.any():
        swallowed_mg = prescribed[tapered] * doses.swallowed[tapered]
        trough[tapered] = troughs(swallowed_mg, doses.unit[tapered], came.day[tapered])
    return replace(
        measured,
        dose_mg=np.take_along_axis(prescribed, when, axis=1),
        trough_ng_ml=trough,
        level_ng_ml=doses.titrated.level_ng_ml,
        tapered=tapered,
    )


def _doses(recipe: Recipe, arm: Arm, group: Group, people: People, came: Attendance, kinetics: Kinetics) -> _Doses:
    """Settle the doses: the protocol's, adjusted by level where the arm does so."""
    n, days = people.number.size, recipe.days
    if arm.start is None:
        none = np.zeros((n, days))
        level = np.full(came.day.shape, np.nan)
        nothing = Titrated(prescribed_mg=none, trough_ng_ml=np.zeros(came.day.shape), level_ng_ml=level)
        return _Doses(titrated=nothing, swallowed=np.ones((n, days), bool), unit=none)
    swallowed = np.ones((n, days), bool)
    if recipe.visits.missed_dose_fraction:
        share = Adherence(mean=1.0 - recipe.visits.missed_dose_fraction)
        given, _ = taken(constant_dose(1.0, days), share, seed=recipe.seed, index=people.number)
        swallowed = given.amount_mg > 0.0
    planned = recipe.visits.days
    levelled = np.array([arm.tdm is not None and day in arm.tdm.days for day in planned])
    z = np.zeros(came.day.shape)
    for v in np.flatnonzero(levelled):
        z[:, v] = patient_normals(recipe.seed, arm.name, "level", int(v), index=people.number)
    change = planned.index(arm.maintenance_from_d) if arm.maintenance_from_d is not None else -1
    kept = np.nan if arm.maintenance is None else arm.maintenance.of(group.name)
    plan = Plan(
        days=days,
        start_mg=np.full(n, arm.start.of(group.name)),
        maintenance_mg=np.full(n, kept),
        maintenance_visit=change,
        visit_day=came.day,
        levelled=levelled,
        seen=came.seen,
        taken=swallowed,
        normal=z,
    )
    unit = unit_troughs(kinetics, days)
    rule, noise = _rule(arm, group, recipe)
    return _Doses(titrated=titrate(plan, unit, rule, noise), swallowed=swallowed, unit=unit)


def _rule(arm: Arm, group: Group, recipe: Recipe) -> tuple[Policy | None, Noise]:
    noise = noise_of(load(group.pk).residual, recipe.measurement.level_log_sd)
    if arm.tdm is None:
        return None, noise
    return policy(arm.tdm.low_ng_ml, arm.tdm.high_ng_ml, form=group.form), noise


def _course(
    recipe: Recipe,
    arm: Arm,
    group: Group,
    people: People,
    kinetics: Kinetics,
    swallowed_mg: Array,
    biology: Biology,
) -> Course:
    history = DoseHistory(time_d=np.arange(recipe.days, dtype=np.float64), amount_mg=swallowed_mg)
    return biology.course(group.name, people, kinetics, history, arm.partners, _days_seen(recipe))


def _days_seen(recipe: Recipe) -> Numbers:
    """Every day on which somebody may be seen, day 0 first."""
    window = range(-recipe.visits.window_d, recipe.visits.window_d + 1)
    return np.array(sorted({0, *(day + shift for day in recipe.visits.days for shift in window)}), np.int64)


def _again(
    recipe: Recipe,
    arm: Arm,
    group: Group,
    people: People,
    kinetics: Kinetics,
    swallowed_mg: Array,
    biology: Biology,
    before: Course,
    tapered: Flags,
) -> Course:
    """Follow those whose doses were lowered once more; before the first lower dose they keep their course."""
    who = np.flatnonzero(tapered)
    if not who.size or arm.taper is None:
        return before
    own = replace(kinetics, parameters=kinetics.parameters[who])
    new = _course(recipe, arm, group, people.at(who), own, swallowed_mg[who], biology)
    platelets, treg, failed = before.platelets_10e9_l.copy(), before.treg_percent.copy(), before.failed.copy()
    later = np.flatnonzero(before.days > arm.taper.from_d)
    platelets[np.ix_(who, later)] = new.platelets_10e9_l[:, later]
    treg[np.ix_(who, later)] = new.treg_percent[:, later]
    failed[who] = new.failed
    return Course(days=before.days, platelets_10e9_l=platelets, treg_percent=treg, failed=failed)


def _measured(recipe: Recipe, arm: Arm, people: People, came: Attendance, course: Course) -> ArmChunk:
    """Read off what the trial measures; doses and levels are filled in later."""
    true = course.on(course.platelets_10e9_l, came.day)
    counts = measured_counts(recipe, arm.name, people.number, true, 1)
    counts[~came.seen] = np.nan
    start = course.platelets_10e9_l[:, :1]
    planned = recipe.visits.days
    columns = [planned.index(day) for day in (() if recipe.cells is None else recipe.cells.days)]
    at = came.day[:, columns]
    cells_true = np.concatenate([course.treg_percent[:, :1], course.on(course.treg_percent, at)], axis=1)
    cells = measured_cells(recipe, arm.name, people.number, cells_true)
    cells[:, 1:][~came.seen[:, columns]] = np.nan
    empty = np.full(came.day.shape, np.nan)
    return ArmChunk(
        baseline_10e9_l=measured_counts(recipe, arm.name, people.number, start)[:, 0],
        baseline_true_10e9_l=start[:, 0],
        count_10e9_l=counts,
        count_true_10e9_l=true,
        visit_day=came.day,
        dose_mg=empty,
        trough_ng_ml=empty,
        level_ng_ml=empty,
        treg_percent=cells,
        treg_true_percent=cells_true,
        left_day=came.left_day,
        tapered=np.zeros(people.number.size, bool),
        failed=course.failed,
    )


def _who_tapers(recipe: Recipe, taper: Taper, measured: ArmChunk, came: Attendance, criteria: CriteriaSet) -> Flags:
    """Say whose doses are lowered: by the running verdict of the day before, on what was known then."""
    here = (came.left_day < 0) | (came.left_day > taper.from_d)
    if taper.who == "everyone":
        return here
    known = visits_of_counts(
        measured.baseline_10e9_l, came.day, measured.count_10e9_l, taper.from_d, until=taper.from_d
    )
    state = classify(known, criteria).state
    wanted = [State.COMPLETE] if taper.who == "complete-responders" else [State.COMPLETE, State.RESPONSE]
    return here & np.isin(state, [STATES.index(one) for one in wanted])


def _tapered(taper: Taper, prescribed: Array, who: Flags) -> Array:
    """Lower the daily dose in equal steps down to nothing."""
    out = prescribed.copy()
    days = np.arange(taper.from_d, prescribed.shape[1])
    if days.size:
        steps = 1 + (days - taper.from_d) // taper.every_d
        lowered = prescribed[who, taper.from_d][:, None] - taper.step_mg * steps[None, :]
        out[np.ix_(who, days)] = np.where(lowered > taper.step_mg * 1e-6, lowered, 0.0)
    return out
