# SPDX-License-Identifier: Apache-2.0
"""Who benefits, in the model: what a clinic can measure against who responds, and partners for each phenotype.

Claims B8 and B9 are open questions; everything here is a hypothesis that hangs on the assumptions it names. A
classifier learns from virtual patients and is tested on others, also on those of another structure of the model:
model against model, an upper bound of what a real clinic could reach, never clinical evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.statistics.interval import Interval
from sirolens.engine.statistics.proportion import wilson
from sirolens.engine.statistics.roc import Auc, auc
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_normals
from sirolens.message import error
from sirolens.study.calibration.targets import Definition
from sirolens.study.mechanism.calibration_batch import Cohort
from sirolens.study.mechanism.decision_curve import (
    CalibrationCurve,
    DecisionCurve,
    brier,
    calibration_curve,
    decision_curve,
)

__all__ = [
    "FEATURES",
    "PHENOTYPES",
    "Forecast",
    "Gain",
    "Subgroup",
    "classify_responders",
    "features_of",
    "gains",
    "phenotypes_of",
    "responded",
    "subgroups",
]

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

CYTOKINE_LOG_SD = 0.2
"""Noise of a cytokine level, as in the register of assumptions."""
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(2, 19))
BEFORE = ("log_count", "age_years", "prior_lines", "treg_percent", "log_baff")
FEATURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "before": BEFORE,
        "day-14": (*BEFORE, "fold_day_14", "trough_ng_ml"),
        "day-28": (*BEFORE, "fold_day_14", "fold_day_28", "trough_ng_ml"),
    }
)
"""What is known before treatment, and after two and four weeks."""
KINDS = ("logistic", "boosted")
USUAL = Definition(name="iwg", criteria="iwg-2009", confirmed=True, meaning="")
FEWEST_OF_EITHER = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """How well one classifier forecasts response.

    Parameters
    ----------
    kind : {"logistic", "boosted"}
        Logistic regression, or small gradient-boosted trees.
    known : str
        Which features: a key of `FEATURES`.
    trained, tested : str
        Structure of the model that the patients came from.
    area : Auc
        With DeLong's interval, in patients it had not seen.
    brier, brier_of_rate : float
        Its Brier score, and that of saying the response rate to everybody.
    calibration : CalibrationCurve
        In the same patients.
    decision : DecisionCurve
        Net benefit.
    patients : int
        Tested.
    """

    kind: str
    known: str
    trained: str
    tested: str
    area: Auc
    brier: float
    brier_of_rate: float
    calibration: CalibrationCurve
    decision: DecisionCurve
    patients: int


def responded(cohort: Cohort, day: int = 91, outcome: str = "overall") -> Flags:
    """Say who responded by the working group's criteria, (N,)."""
    complete, overall, _ = cohort.landmarks(USUAL, (day,))
    return np.asarray((complete if outcome == "complete" else overall)[:, 0])


def features_of(cohort: Cohort, seed: int) -> dict[str, Array]:
    """Return what a clinic measures, with the noise of its assays; a missed visit is filled by the median of all.

    Parameters
    ----------
    cohort : Cohort
        Simulated patients; visits on days 14 and 28 must be planned.
    seed : int
        Of the noise of cytokines; counts, levels and cells carry their own.

    Returns
    -------
    dict of str to ndarray (N,)
        ``log_count``, ``age_years``, ``prior_lines``, ``treg_percent``, ``log_baff``, ``trough_ng_ml`` (mean of the
        levels up to day 28), ``fold_day_14`` and ``fold_day_28`` (logarithm of count over baseline).

    Raises
    ------
    InputError
        ``calibration.visit-missing``.
    """
    planned = list(cohort.recipe.visits.days)
    for day in (14, 28):
        if day not in planned:
            raise InputError(error("calibration.visit-missing", day=day, name=cohort.name))
    chunk = cohort.chunk
    base = np.log(np.maximum(chunk.baseline_10e9_l, 1.0))
    early = chunk.level_ng_ml[:, : planned.index(28) + 1]
    measured = np.isfinite(early).sum(axis=1)
    trough = np.where(measured > 0, np.nansum(early, axis=1) / np.maximum(measured, 1), np.nan)
    z = patient_normals(seed, "assay", "BAFF", index=cohort.people.number)
    counts = {day: np.log(np.maximum(chunk.count_10e9_l[:, planned.index(day)], 1.0)) for day in (14, 28)}
    return {
        "log_count": _filled(base),
        "age_years": cohort.people.age_years,
        "prior_lines": cohort.prior_lines,
        "treg_percent": _filled(chunk.treg_percent[:, 0]),
        "log_baff": np.log(cohort.parameters["BAFF_0"]) + CYTOKINE_LOG_SD * z,
        "trough_ng_ml": _filled(trough),
        "fold_day_14": _filled(counts[14] - base),
        "fold_day_28": _filled(counts[28] - base),
    }


def _filled(values: Array) -> Array:
    there = np.isfinite(values)
    return np.where(there, values, np.median(values[there]) if there.any() else 0.0)


def classify_responders(
    train: Cohort, test: Cohort, *, known: str, kind: str, seed: int, names: tuple[str, str], outcome: str = "overall"
) -> Forecast:
    """Train a classifier on virtual patients and test it on others.

    Parameters
    ----------
    train, test : Cohort
        Different patients; of the same structure of the model or of two.
    known : str
        A key of `FEATURES`.
    kind : str
        ``"logistic"`` or ``"boosted"``.
    seed : int
        Of the noise and the trees.
    names : (str, str)
        Structures of train and test, for the table.
    outcome : str
        ``"overall"`` or ``"complete"``, at day 91.

    Raises
    ------
    InputError
        ``calibration.one-outcome`` where fewer than ten patients to learn from have either outcome.
    """
    columns = FEATURES[known]
    (x, y), (x_new, y_new) = (_table(one, columns, seed + i, outcome) for i, one in enumerate((train, test)))
    for share in (y, y_new):
        if min(int(share.sum()), int((~share).sum())) < FEWEST_OF_EITHER:
            raise InputError(error("calibration.one-outcome", responders=int(share.sum()), patients=share.size))
    probability = np.clip(_model(kind, seed).fit(x, y).predict_proba(x_new)[:, 1], 0.0, 1.0)
    rate = float(y.mean())
    return Forecast(
        kind=kind,
        known=known,
        trained=names[0],
        tested=names[1],
        area=auc(probability, y_new),
        brier=brier(probability, y_new),
        brier_of_rate=brier(np.full(y_new.size, rate), y_new),
        calibration=calibration_curve(probability, y_new),
        decision=decision_curve(probability, y_new, THRESHOLDS),
        patients=y_new.size,
    )


def _table(cohort: Cohort, columns: Sequence[str], seed: int, outcome: str) -> tuple[Array, Flags]:
    told = features_of(cohort, seed)
    return np.column_stack([told[name] for name in columns]), responded(cohort, outcome=outcome)


def _model(kind: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500))
    return HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=30, random_state=seed
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """Response of those with and without a trait.

    Parameters
    ----------
    name : str
        The trait.
    measurable : bool
        Whether a clinic can see it today.
    rate, other : float
        Response with and without it.
    interval, other_interval : Interval
        Wilson's, of the virtual patients: chance of the simulation, not of the world.
    patients, others : int
        How many.
    """

    name: str
    measurable: bool
    rate: float
    interval: Interval
    patients: int
    other: float
    other_interval: Interval
    others: int


PHENOTYPES: Mapping[str, bool] = MappingProxyType(
    {
        "production-limited": False,
        "long-lived-plasma-cells": False,
        "cytotoxic": False,
        "mtor-independent": False,
        "count-below-10": True,
        "child": True,
        "low-trough": True,
    }
)
"""Traits, and whether a clinic can see them today."""
LOW_PRODUCTION, LONG_LIVED, ANTIBODY_SHARE, INDEPENDENT = 0.75, 0.5, 0.55, 0.25
LOW_COUNT, LOW_TROUGH = 10.0, 5.0


def phenotypes_of(cohort: Cohort) -> dict[str, Flags]:
    """Say who has which trait.

    Production below 75 % of normal; more than half of the antibody from long-lived plasma cells; less than 55 % of
    immune clearance by antibody; a quarter or less of the largest mTOR dependence; count below 10; child; mean level
    below 5 ng/mL.
    """
    own = cohort.parameters
    level = cohort.chunk.level_ng_ml
    measured = np.isfinite(level).sum(axis=1)
    trough = np.nansum(level, axis=1) / np.maximum(measured, 1)
    return {
        "production-limited": own["rho"] < LOW_PRODUCTION,
        "long-lived-plasma-cells": own["fL"] > LONG_LIVED,
        "cytotoxic": own["wA"] < ANTIBODY_SHARE,
        "mtor-independent": own["dep"] <= INDEPENDENT,
        "count-below-10": cohort.chunk.baseline_10e9_l < LOW_COUNT,
        "child": cohort.people.child,
        "low-trough": (measured > 0) & (trough < LOW_TROUGH),
    }


def subgroups(cohort: Cohort, *, day: int = 91, outcome: str = "overall") -> tuple[Subgroup, ...]:
    """Compare response of those with and without each trait; a trait that all or none have is left out."""
    happened = responded(cohort, day, outcome)
    found = []
    for name, has in phenotypes_of(cohort).items():
        if has.any() and not has.all():
            k, n, j, m = (int(v) for v in (happened[has].sum(), has.sum(), happened[~has].sum(), (~has).sum()))
            found.append(
                Subgroup(
                    name=name,
                    measurable=PHENOTYPES[name],
                    rate=k / n,
                    interval=wilson(k, n),
                    patients=n,
                    other=j / m,
                    other_interval=wilson(j, m),
                    others=m,
                )
            )
    return tuple(found)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a partner adds to sirolimus in one phenotype, over the structures of the model.

    Parameters
    ----------
    partner, phenotype : str
        Which; ``"all"`` for everybody.
    day : int
        Landmark.
    alone : float
        Mean response to sirolimus alone over structures.
    middle, low, high : float
        Gain in response (a difference of rates in the same virtual patients): mean over structures, smallest, largest.
    patients : int
        Fewest patients of any structure behind it.
    """

    partner: str
    phenotype: str
    day: int
    alone: float
    middle: float
    low: float
    high: float
    patients: int


def gains(
    alone: Mapping[str, Cohort],
    together: Mapping[str, Cohort],
    partner: str,
    days: Sequence[int],
    weights: ArrayLike = (),
) -> tuple[Gain, ...]:
    """Compare sirolimus with a partner to sirolimus alone, in the same virtual patients of each structure.

    Parameters
    ----------
    alone, together : mapping of str to Cohort
        By structure, the same patients in the same order.
    partner : str
        For the table.
    days : sequence of int
        Landmarks.
    weights : array_like, optional
        Of the structures; equal when left out.

    Raises
    ------
    InputError
        ``calibration.patients-differ``.
    """
    share = np.asarray(weights, dtype=np.float64) if len(np.asarray(weights)) else np.ones(len(alone))
    share = share / share.sum()
    found = []
    for day in days:
        before = {name: responded(one, day) for name, one in alone.items()}
        after = {name: responded(together[name], day) for name in alone}
        for name in alone:
            if not np.array_equal(alone[name].people.number, together[name].people.number):
                raise InputError(error("calibration.patients-differ", name=name))
        traits = {name: phenotypes_of(one) for name, one in alone.items()}
        for phenotype in ("all", *(name for name in PHENOTYPES if name not in ("child", "low-trough"))):
            own = {
                name: np.ones(before[name].size, bool) if phenotype == "all" else traits[name][phenotype]
                for name in alone
            }
            if min(int(one.sum()) for one in own.values()) == 0:
                continue
            base = np.array([before[name][own[name]].mean() for name in alone])
            gain = np.array([after[name][own[name]].mean() for name in alone]) - base
            found.append(
                Gain(
                    partner=partner,
                    phenotype=phenotype,
                    day=day,
                    alone=float(share @ base),
                    middle=float(share @ gain),
                    low=float(gain.min()),
                    high=float(gain.max()),
                    patients=min(int(one.sum()) for one in own.values()),
                )
            )
    return tuple(found)
