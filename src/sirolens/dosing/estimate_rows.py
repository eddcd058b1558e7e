# SPDX-License-Identifier: Apache-2.0
"""What an estimate shows: each level beside its prediction, each parameter three ways, and what has to be said.

A level is judged twice: against what the model expected before it saw any level (prior predictive p), and against what
it makes of this patient now (standardised residual). Both come with the levels that the model could not read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.estimate_problem import Block, Question, Reading
from sirolens.engine.bayes_likelihood import LOG, MEASURED
from sirolens.engine.bayes_posterior import prior_predictive
from sirolens.engine.linear import PARAMETERS
from sirolens.engine.sampling import weighted_quantile
from sirolens.message import Message, critical, info, warning
from sirolens.models.covariates import complete, typical
from sirolens.models.population import PopulationModel
from sirolens.models.timeline import History
from sirolens.models.vocabulary import covariate_word

__all__ = ["LevelRow", "ParameterRow", "estimate_messages", "level_rows", "parameter_rows"]

Array = NDArray[np.float64]

EXTREME_ETA_SD = 2.5
"""A patient further than this from the model's centre contradicts it (clinic.md H16)."""
UNEXPECTED_P = 0.01  # prior predictive p below which a level is called unexpected (JUDGE)
MISFIT_SD = 3.0  # standardised residual beyond which a level does not fit its own patient (JUDGE)
UNRELIABLE_K = 0.7  # above it importance weights are not to be trusted (Vehtari 2024)
NEAR_MODE = 6.0  # a second mode within this much of -2 log posterior is told: 5 % of the mass (JUDGE)
PRIOR_DRAWS = 1024
INTERVAL = (0.05, 0.95)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One level beside what the model predicts.

    Parameters
    ----------
    time_h : float
        Sampling time.
    level_ng_ml : float
        As the laboratory wrote it; for a censored one the limit.
    assay : str
        How it was measured.
    on_scale_ng_ml : float
        The same on the scale of predictions.
    censoring : int
        -1 below the limit, 0 measured, 1 above.
    reason : Message, optional
        Why the model could not read it; None: used.
    predicted_typical_ng_ml : float
        For the typical patient with these doses and covariates.
    predicted_ng_ml : float
        For this patient, at the mode.
    low_ng_ml, high_ng_ml : float
        90 % interval of the prediction for this patient, without residual.
    residual_sd : float, optional
        Standardised residual at the mode; None for a censored level.
    prior_p : float
        Two-sided probability, before any level was seen, of one at least as far out.
    """

    time_h: float
    level_ng_ml: float
    assay: str
    on_scale_ng_ml: float
    censoring: int
    reason: Message | None
    predicted_typical_ng_ml: float
    predicted_ng_ml: float
    low_ng_ml: float
    high_ng_ml: float
    residual_sd: float | None
    prior_p: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """One parameter three ways.

    Parameters
    ----------
    name, unit : str
        As in the model.
    typical : float
        At the model's reference covariates.
    a_priori : float
        With this patient's covariates and interactions.
    a_posteriori : float
        At the mode.
    low, high : float
        90 % interval of the posterior.
    eta : str, optional
        Its random effect.
    eta_sd : float, optional
        That effect at the mode, in standard deviations of the prior.
    """

    name: str
    unit: str
    typical: float
    a_priori: float
    a_posteriori: float
    low: float
    high: float
    eta: str | None
    eta_sd: float | None


def level_rows(
    asked: Sequence[Question],
    blocks: Sequence[Block],
    best: int,
    read: Sequence[Reading],
    predicted: Sequence[Array],
    seed: int,
) -> tuple[LevelRow, ...]:
    """Set every level beside its predictions.

    Parameters
    ----------
    asked, blocks : sequences
        Question and answer of every node.
    best : int
        The most probable of them.
    read : sequence of Reading
        The levels.
    predicted : sequence of ndarray (n, m)
        Predicted levels of the draws of every node.
    seed : int
        For the prior predictive probability.
    """
    if not read:
        return ()
    top = asked[best]
    at_mode = top.predictor(blocks[best].mode.eta[None, :])[0]
    at_zero = top.predictor(np.zeros((1, top.problem.omega.shape[0])))[0]
    weight = np.concatenate([block.weight for block in blocks])
    bounds = weighted_quantile(np.concatenate(predicted), weight, INTERVAL)
    residual = _standardised(top, at_mode)
    p = _prior_p(asked, seed)
    return tuple(
        LevelRow(
            time_h=one.level.time_h,
            level_ng_ml=one.level.level_ng_ml,
            assay=one.level.assay,
            on_scale_ng_ml=one.on_scale_ng_ml,
            censoring=one.level.censoring,
            reason=one.reason,
            predicted_typical_ng_ml=float(at_zero[i]),
            predicted_ng_ml=float(at_mode[i]),
            low_ng_ml=float(bounds[0, i]),
            high_ng_ml=float(bounds[1, i]),
            residual_sd=float(residual[i]) if one.level.censoring == MEASURED else None,
            prior_p=float(p[i]),
        )
        for i, one in enumerate(read)
    )


def _standardised(question: Question, f: Array) -> Array:
    """(y - f) / sd, on the log scale where the residual is; by the residual as it is before it is widened."""
    these, widened = question.problem.levels, question.node.scatter
    with np.errstate(divide="ignore", invalid="ignore"):
        on_log = (np.log(these.y) - np.log(f)) / these.proportional
        plain = (these.y - f) / np.hypot(these.additive, these.proportional * f)
    return widened * np.where(these.kind == LOG, on_log, plain)


def _prior_p(asked: Sequence[Question], seed: int) -> Array:
    """Two-sided prior predictive probability, integrated over what is unknown."""
    censoring = asked[0].problem.levels.censoring
    below = np.zeros(censoring.size)
    for one in asked:
        below += one.node.weight * prior_predictive(one.problem, draws=PRIOR_DRAWS, seed=seed).probability
    sides = 2.0 * np.minimum(below, 1.0 - below)
    return np.where(censoring == MEASURED, sides, np.where(censoring < MEASURED, below, 1.0 - below))


def parameter_rows(
    model: PopulationModel, history: History, top: Question, blocks: Sequence[Block], best: int
) -> tuple[ParameterRow, ...]:
    """Show each parameter typical, a priori and a posteriori, as of now."""
    period = int(top.predictor.periods.index(history.now_h, history.carry))
    reference = typical(model, {one.name: one.reference for one in model.covariates})[0]
    a_priori = top.predictor.typical[period]
    at_mode = top.predictor.individual(blocks[best].mode.eta[None, :])[0, period]
    weight = np.concatenate([block.weight for block in blocks])
    draws = np.concatenate([block.predictor.individual(block.eta)[:, period] for block in blocks])
    bounds = weighted_quantile(draws, weight, INTERVAL)
    spread = np.sqrt(np.diag(top.problem.omega))
    eta_sd = blocks[best].mode.eta / spread
    rows = []
    for parameter in model.parameters:
        at = PARAMETERS.index(parameter.name)
        number = None if parameter.eta is None else model.eta_names.index(parameter.eta)
        rows.append(
            ParameterRow(
                name=parameter.name,
                unit=parameter.unit,
                typical=float(reference[at]),
                a_priori=float(a_priori[at]),
                a_posteriori=float(at_mode[at]),
                low=float(bounds[0, at]),
                high=float(bounds[1, at]),
                eta=parameter.eta,
                eta_sd=None if number is None else float(eta_sd[number]),
            )
        )
    return tuple(rows)


def estimate_messages(
    model: PopulationModel,
    history: History,
    asked: Sequence[Question],
    blocks: Sequence[Block],
    best: int,
    rows: Sequence[LevelRow],
    parameters: Sequence[ParameterRow],
    k_hat: float,
) -> tuple[Message, ...]:
    """Say what was left out, assumed, integrated over, contradictory or badly computed."""
    top = blocks[best].mode
    said = [row.reason for row in rows if row.reason is not None]
    said += _covariates(model, asked)
    for row in rows:
        at = history.instant(row.time_h)
        if row.reason is None and row.prior_p < UNEXPECTED_P:
            said.append(
                warning(
                    "estimate.level-unexpected",
                    model=model.label,
                    at=at,
                    level_ng_ml=row.on_scale_ng_ml,
                    expected_ng_ml=row.predicted_typical_ng_ml,
                    prior_probability=row.prior_p,
                )
            )
        if row.reason is None and row.residual_sd is not None and abs(row.residual_sd) > MISFIT_SD:
            said.append(
                warning(
                    "estimate.level-misfit",
                    model=model.label,
                    at=at,
                    level_ng_ml=row.on_scale_ng_ml,
                    predicted_ng_ml=row.predicted_ng_ml,
                    residual_sd=row.residual_sd,
                )
            )
    for parameter in parameters:
        if parameter.eta_sd is not None and abs(parameter.eta_sd) > EXTREME_ETA_SD:
            said.append(
                warning(
                    "estimate.eta-extreme",
                    model=model.label,
                    parameter=parameter.name,
                    eta_sd=parameter.eta_sd,
                    limit_sd=EXTREME_ETA_SD,
                )
            )
    for block in blocks:
        if not block.mode.converged:
            said.append(critical("estimate.not-converged", model=model.label, reason=str(block.mode.reason)))
            break
    if k_hat > UNRELIABLE_K:
        said.append(warning("estimate.draws-unreliable", model=model.label, k_hat=k_hat, limit=UNRELIABLE_K))
    if any(second.objective - top.objective < NEAR_MODE for second in top.second_modes):
        said.append(info("estimate.second-mode", model=model.label))
    return tuple(said)


def _covariates(model: PopulationModel, asked: Sequence[Question]) -> list[Message]:
    """What was assumed, clamped or integrated over."""
    found = asked[0].predictor.periods
    integrated = asked[0].node.missing
    known = {name: column[-1:] for name, column in found.values.items()}
    words = {one.name: covariate_word(one.name, one.chart) for one in model.covariates}
    answered = [words[name] for name in integrated]
    said = [
        message
        for message in complete(model, known).messages
        if not (message.code == "models.covariate-asked" and message.values["covariate"] in answered)
    ]
    for covariate in model.covariates:
        if covariate.name in integrated and covariate.spread is not None:
            factor = math.exp(1.645 * covariate.spread.log_sd)
            said.append(
                warning(
                    "estimate.covariate-integrated",
                    model=model.label,
                    covariate=words[covariate.name],
                    unit=covariate.unit,
                    middle=covariate.spread.median,
                    low=covariate.spread.median / factor,
                    high=covariate.spread.median * factor,
                )
            )
    return said
