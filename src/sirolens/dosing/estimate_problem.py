# SPDX-License-Identifier: Apache-2.0
"""One patient under one model, as the question that Bayesian estimation asks.

Which levels a model can read (a trough-only model reads troughs at steady state and nothing else), on which assay's
scale, with which residual; and what is unknown besides the random effects: covariates nobody measured and the factor
between two assays. Those are integrated over a few weighted `Node` points, each a question of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.assay import AS_IS, UNKNOWN, Relation, relation
from sirolens.engine.bayes_mode import Mode
from sirolens.engine.bayes_problem import AnyProblem, FunctionProblem, Problem, levels, random_walk
from sirolens.engine.bayes_search import Levels
from sirolens.engine.effects import LOG_NORMAL
from sirolens.engine.linear import PARAMETERS
from sirolens.engine.sampling import normal_quantile
from sirolens.message import Message, info
from sirolens.models.covariates import missing_values, typical
from sirolens.models.population import Covariate, PopulationModel, effect_index
from sirolens.models.predict import Periods, Predictor, predictor, structure_of
from sirolens.models.residual import KIND, Residual
from sirolens.models.timeline import History, Observed

__all__ = [
    "COMMON_RESIDUAL",
    "Block",
    "Node",
    "Question",
    "Reading",
    "Settings",
    "latest_assay",
    "model_assay",
    "nodes",
    "question",
    "readings",
    "residual_of",
    "theta_covariance",
    "unusable",
]

Array = NDArray[np.float64]

COMMON_RESIDUAL = Residual(kind="combined", additive_ng_ml=0.5, proportional=0.20)
"""How a measured level scatters around the true one in routine care (ASSUMED); the same for every model."""
QUANTILES = 200  # points at which the effect of a missing covariate is looked at
FEW_VALUES = 4  # a covariate that leads to so few different clearances is integrated over exactly
GAUSS_HERMITE = ((-math.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (math.sqrt(3.0), 1.0 / 6.0))
"""Three points that integrate polynomials of a standard normal up to degree 5 exactly."""
STEP = 1e-4  # relative step of the differences with respect to thetas


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How levels are read and what is uncertain.

    Parameters
    ----------
    residual : str
        ``"careful"``: each model's published residual, but no part of it below that of `COMMON_RESIDUAL`, since no
        model makes a laboratory more exact than it is; ``"own"``: as published; ``"common"``: `COMMON_RESIDUAL`.
    evidence_residual : str
        ``"common"`` or ``"own"``: the residual under which models are compared.
    convert_assays : bool
        Bring models and levels to the laboratory's scale where a figure is sourced.
    theta_uncertainty : bool
        Let the published standard errors of a model's numbers widen its prior.
    prior_weight : float
        How much the prior counts; always 1 in averaging.
    occasion_variance : float
        Variance of a step of log CL/F between occasions; 0 (off) because no published value exists.
    occasion_d : float
        Length of an occasion.
    scatter : tuple of (float, float)
        By what the residual may have to be multiplied for this patient, and how probable that is (ASSUMED): missed
        doses and sampling times make the levels of some patients scatter more than a study's. Which patient this is
        the levels decide; see validation/average/README.md.
    floor : float
        Least share of a model that is averaged.
    """

    residual: str = "careful"
    evidence_residual: str = "common"
    convert_assays: bool = True
    theta_uncertainty: bool = True
    prior_weight: float = 1.0
    occasion_variance: float = 0.0
    occasion_d: float = 90.0
    scatter: tuple[tuple[float, float], ...] = ((1.0, 2.0 / 3.0), (2.0, 1.0 / 3.0))
    floor: float = 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One level as a model may read it.

    Parameters
    ----------
    level : Observed
        As in the history.
    factor, log_sd : float
        From its assay to the laboratory's, and the uncertainty.
    reason : Message, optional
        Why this model cannot read it.
    """

    level: Observed
    factor: float
    log_sd: float
    reason: Message | None

    @property
    def on_scale_ng_ml(self) -> float:
        """The level on the laboratory's scale."""
        return self.level.level_ng_ml * self.factor


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One possibility of what is unknown besides the random effects.

    Parameters
    ----------
    missing : mapping of str to float
        Covariates nobody measured, by the model's names.
    scale : float
        Factor from the model's assay to the laboratory's.
    scatter : float
        Factor of the residual.
    weight : float
        Its prior probability.
    """

    missing: Mapping[str, float]
    scale: float
    scatter: float
    weight: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """A node made ready for estimation.

    Parameters
    ----------
    node : Node
        Which possibility.
    predictor : Predictor
        Predicts every level from random effects.
    problem : Problem or FunctionProblem
        The same with levels, residual and prior.
    """

    node: Node
    predictor: Predictor
    problem: AnyProblem


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """The draws of one node.

    Parameters
    ----------
    node : Node
        What is assumed of the unknown.
    mode : Mode
        The most probable random effects under it.
    eta : ndarray (n, n_eta)
        Draws.
    weight : ndarray (n,)
        Their share in the whole estimate.
    predictor : Predictor
        Predicts the levels.
    """

    node: Node
    mode: Mode
    eta: Array
    weight: Array
    predictor: Predictor


def model_assay(model: PopulationModel) -> str:
    """Return the assay a model's concentrations are on the scale of, as `assay.relation` names it."""
    return "chromatography" if model.assay_class == "chromatography" else model.assay


def latest_assay(history: History) -> str:
    """Return the assay of the newest level that is used: the scale everything is shown on."""
    return history.used[-1].assay if history.used else UNKNOWN


def unusable(level: Observed, model: PopulationModel, history: History) -> Message | None:
    """Say why a model cannot read a level; None when it can.

    A model of steady-state troughs takes a level that is still rising for a high clearance, and knows nothing of the
    hours between two doses. Early levels are left to models of the whole course.
    """
    at = history.instant(level.time_h)
    if "early-level" not in model.supports:
        edges = (edge for one in history.multipliers for edge in (one.start_h, one.stop_h) if math.isfinite(edge))
        since_d = [(level.time_h - edge) / 24.0 for edge in edges if edge <= level.time_h]
        if level.settled_d is not None:
            since_d.append(level.settled_d)
        if min(since_d, default=math.inf) < model.levels_from_day:
            return info(
                "estimate.level-early",
                model=model.label,
                at=at,
                level_ng_ml=level.level_ng_ml,
                settled_d=min(since_d),
                least_d=model.levels_from_day,
            )
    if "time-course" not in model.supports and not level.trough:
        return info("estimate.level-not-trough", model=model.label, at=at, level_ng_ml=level.level_ng_ml)
    return None


def readings(history: History, model: PopulationModel, laboratory: str, settings: Settings) -> tuple[Reading, ...]:
    """Bring every level that is not excluded to one scale, and say which of them a model can read."""
    made = []
    for level in history.used:
        link = relation(level.assay, laboratory) if settings.convert_assays else AS_IS
        made.append(
            Reading(level=level, factor=link.factor, log_sd=link.log_sd, reason=unusable(level, model, history))
        )
    return tuple(made)


def nodes(
    model: PopulationModel,
    found: Periods,
    link: Relation,
    scatter: tuple[tuple[float, float], ...] = ((1.0, 1.0),),
) -> tuple[Node, ...]:
    """List what else may be the case, with probabilities.

    Parameters
    ----------
    model : PopulationModel
        Its missing covariates with a stated spread are integrated over.
    found : Periods
        Which covariates are known.
    link : Relation
        From the model's assay to the laboratory's.
    scatter : tuple of (float, float)
        As in `Settings`; without levels it does not matter.

    Returns
    -------
    tuple of Node
        Weights sum to 1; one node when nothing is unknown.
    """
    axes: list[list[tuple[str, float, float]]] = []
    for covariate in model.covariates:
        if covariate.name not in found.values and covariate.when_missing == "ask" and covariate.spread is not None:
            points = _covariate_points(model, covariate, found)
            axes.append([(covariate.name, value, weight) for value, weight in points])
    scales = GAUSS_HERMITE if link.log_sd > 0.0 else ((0.0, 1.0),)
    axes.append([("scale", link.factor * math.exp(z * link.log_sd), weight) for z, weight in scales])
    axes.append([("scatter", factor, weight) for factor, weight in scatter])
    return tuple(
        Node(
            missing=MappingProxyType({name: value for name, value, _ in combination[:-2]}),
            scale=combination[-2][1],
            scatter=combination[-1][1],
            weight=math.prod(weight for _, _, weight in combination),
        )
        for combination in product(*axes)
    )


def _covariate_points(model: PopulationModel, covariate: Covariate, found: Periods) -> list[tuple[float, float]]:
    """Few values with weights that stand for a covariate nobody measured.

    One that acts as a threshold leads to two different patients only: their probabilities are counted. One that acts
    smoothly is integrated over by three Gauss-Hermite points.
    """
    z = normal_quantile((np.arange(QUANTILES) + 0.5) / QUANTILES)
    values = missing_values(covariate, z)
    assert values is not None
    others = {one.name: one.reference for one in model.covariates}
    known = {name: float(column[-1]) for name, column in found.values.items()}
    rows = typical(model, {**others, **known, covariate.name: values})
    different, where, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True, equal_nan=False)
    if len(different) <= FEW_VALUES:
        middles = [float(np.median(values[where.ravel() == i])) for i in range(len(different))]
        return [(middle, float(count) / QUANTILES) for middle, count in zip(middles, counts, strict=True)]
    points = missing_values(covariate, [z for z, _ in GAUSS_HERMITE])
    assert points is not None
    return [(float(value), weight) for value, (_, weight) in zip(points, GAUSS_HERMITE, strict=True)]


def theta_covariance(model: PopulationModel, values: Mapping[str, float]) -> Array:
    """Turn published standard errors of a model's numbers into a covariance of its random effects.

    ::

        S[i, k] = d log P_i / d log theta_k          V = S diag(RSE^2) S'

    taken for parameters with a log-normal effect at the patient's covariates. One patient cannot tell the two apart:
    an uncertain typical value is one more reason why the own value is unknown. Numbers of parameters without a random
    effect are left out.

    Parameters
    ----------
    model : PopulationModel
        Its thetas with their relative standard errors.
    values : mapping of str to float
        The patient's covariates.

    Returns
    -------
    ndarray, shape (n_eta, n_eta)
        To be added to omega; zeros where the paper prints no standard errors.
    """
    eta_of_parameter, kind = effect_index(model)
    uncertain = [theta for theta in model.thetas if theta.rse_percent and not theta.fixed and theta.value != 0.0]
    n = len(model.eta_names)
    slopes = np.zeros((n, len(uncertain)))
    rows = [i for i in range(len(PARAMETERS)) if eta_of_parameter[i] >= 0 and kind[i] == LOG_NORMAL]
    for k, theta in enumerate(uncertain):
        moved = [theta.value * (1.0 + STEP), theta.value * (1.0 - STEP)]
        up, down = typical(
            model, {name: np.full(2, value) for name, value in values.items()}, thetas={theta.name: moved}
        )
        for i in rows:
            slopes[eta_of_parameter[i], k] += (up[i] - down[i]) / (up[i] + down[i]) / STEP
    spread = np.array([theta.rse_percent or 0.0 for theta in uncertain]) / 100.0
    scaled = slopes * spread
    return np.asarray((scaled[:, None, :] * scaled[None, :, :]).sum(axis=2))


def question(
    history: History,
    model: PopulationModel,
    node: Node,
    read: Sequence[Reading],
    settings: Settings,
    *,
    only: frozenset[int] | None = None,
) -> Question:
    """Put one possibility to the levels.

    Parameters
    ----------
    history : History
        The patient.
    model : PopulationModel
        The model.
    node : Node
        What is assumed of the unknown.
    read : sequence of Reading
        From `readings`.
    settings : Settings
        Residual, prior, occasions.
    only : frozenset of int, optional
        Use these levels only, by their place in `read`.
    """
    times = np.array([one.level.time_h for one in read])
    starts = _occasion_starts(history, settings)
    ready = predictor(model, history, times, missing=node.missing, scale=node.scale, occasions=starts)
    omega = np.array(model.omega)
    if settings.theta_uncertainty:
        known = {name: float(column[-1]) for name, column in ready.periods.values.items()}
        omega = omega + theta_covariance(model, {**node.missing, **known})
    if starts:
        omega = random_walk(omega, len(starts), settings.occasion_variance)
    asked = _levels(model, read, settings, only, node.scatter)
    if ready.events is None:
        return Question(
            node=node,
            predictor=ready,
            problem=FunctionProblem(predict=ready, omega=omega, levels=asked, prior_weight=settings.prior_weight),
        )
    eta_of_parameter, kind = effect_index(model)
    problem = Problem(
        structure=structure_of(model),
        events=ready.events,
        typical=ready.typical,
        eta_of_parameter=eta_of_parameter,
        effect_kind=kind,
        omega=omega,
        levels=asked,
        occasion_eta=ready.occasion_eta,
        prior_weight=settings.prior_weight,
    )
    return Question(node=node, predictor=ready, problem=problem)


def _occasion_starts(history: History, settings: Settings) -> tuple[float, ...]:
    """Beginnings of the occasions after the first, the next one (a forecast's own) included."""
    if settings.occasion_variance <= 0.0 or not history.dose_time_h:
        return ()
    length_h = 24.0 * settings.occasion_d
    first_h = history.dose_time_h[0]
    count = int((history.now_h - first_h) // length_h)
    return (*(first_h + length_h * (i + 1) for i in range(count)), np.nextafter(history.now_h, math.inf))


def residual_of(model: PopulationModel, settings: Settings) -> Residual:
    """Return the residual error under which a model reads levels.

    >>> from sirolens.models.catalog import load
    >>> residual_of(load("wu_2012"), Settings()).proportional, load("wu_2012").residual.proportional
    (0.2, 0.147)
    """
    own, common = model.residual, COMMON_RESIDUAL
    if settings.residual == "own":
        return own
    if settings.residual == "common":
        return common
    if own.on_log_scale:
        return Residual(kind="log", log_sd=max(own.log_sd, common.proportional))
    return Residual(
        kind="combined",
        additive_ng_ml=max(own.additive_ng_ml, common.additive_ng_ml),
        proportional=max(own.proportional, common.proportional),
    )


def _levels(
    model: PopulationModel,
    read: Sequence[Reading],
    settings: Settings,
    only: frozenset[int] | None,
    scatter: float,
) -> Levels:
    residual = residual_of(model, settings)
    extra = np.array([one.log_sd for one in read])
    spread = residual.log_sd if residual.on_log_scale else residual.proportional
    kind = np.full(len(read), residual.code)
    # An uncertain factor between assays adds a proportional part to a residual that had none.
    kind[(extra > 0.0) & (kind == KIND["additive"])] = KIND["combined"]
    used = [one.reason is None and (only is None or i in only) for i, one in enumerate(read)]
    return levels(
        [one.on_scale_ng_ml for one in read],
        residual_kind=kind,
        additive_ng_ml=scatter * residual.additive_ng_ml,
        proportional=np.hypot(scatter * spread, extra),
        censoring=[one.level.censoring for one in read],
        weight=[one.level.weight if use else 0.0 for one, use in zip(read, used, strict=True)],
    )
