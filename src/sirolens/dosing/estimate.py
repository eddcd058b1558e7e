# SPDX-License-Identifier: Apache-2.0
"""One patient under one model: the most probable parameters, the whole posterior, and how each level fits.

The posterior is a set of weighted draws. What it is asked later (troughs of regimens, courses, exposure) is asked of
the same draws every time, so that regimens are compared on common random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.assay import model_link
from sirolens.dosing.estimate_problem import (
    COMMON_RESIDUAL,
    Block,
    Question,
    Reading,
    Settings,
    latest_assay,
    model_assay,
    nodes,
    question,
    readings,
)
from sirolens.dosing.estimate_rows import (
    LevelRow,
    ParameterRow,
    estimate_messages,
    level_rows,
    parameter_rows,
)
from sirolens.engine.bayes_mode import Mode, mode
from sirolens.engine.bayes_posterior import Posterior, posterior
from sirolens.engine.bayes_weights import log_sum
from sirolens.engine.sampling import effective_draws, stream, uniform
from sirolens.message import Message
from sirolens.models.exposure import (
    Modes,
    combine,
    disposition_modes,
    forecast_parameters,
    rhythm,
    saturable_troughs,
    unit_troughs,
)
from sirolens.models.population import PopulationModel, individual
from sirolens.models.predict import CL, Predictor, disturb_log_normal, periods, predictor
from sirolens.models.timeline import History
from sirolens.regimen import Cycle

__all__ = ["Block", "Estimate", "Settings", "estimate", "log_evidence"]

Array = NDArray[np.float64]

MOST_NODES = 1024  # seeds of neighbouring nodes and neighbouring seeds never meet
LEAST_DRAWS = 64  # of a node, however improbable it seemed before the levels


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """What one model makes of one patient.

    Parameters
    ----------
    model : PopulationModel
        The model.
    history : History
        The patient, with the interactions this model is given.
    settings : Settings
        How levels were read.
    laboratory : str
        The assay on whose scale every level and prediction is.
    readings : tuple of Reading
        Every level, with the reason where this model cannot read it.
    blocks : tuple of Block
        The posterior; one block unless something besides the random effects is unknown.
    best : int
        The block with the highest posterior share.
    k_hat : float
        Worst tail shape of the importance weights; above 0.7 the draws are not to be trusted.
    effective_draws : float
        How many independent draws they are worth.
    log_evidence : float
        log p(levels this model reads), residual of the settings.
    common_log_evidence : float
        The same with the residual that is common to all models.
    levels : tuple of LevelRow
        Measured beside predicted.
    parameters : tuple of ParameterRow
        Typical, a priori and a posteriori.
    messages : tuple of Message
        Levels left out, conflict of prior and data, doubts of the computation.
    """

    model: PopulationModel
    history: History
    settings: Settings
    laboratory: str
    readings: tuple[Reading, ...]
    blocks: tuple[Block, ...]
    best: int
    k_hat: float
    effective_draws: float
    log_evidence: float
    common_log_evidence: float
    levels: tuple[LevelRow, ...]
    parameters: tuple[ParameterRow, ...]
    messages: tuple[Message, ...]
    _kept: dict[tuple[object, ...], Array | Modes] = field(default_factory=dict, repr=False)

    @property
    def mode(self) -> Mode:
        """The mode of the most probable block."""
        return self.blocks[self.best].mode

    @property
    def converged(self) -> bool:
        """Whether every mode is a minimum; otherwise the estimate must not lead to a suggestion (H16)."""
        return all(block.mode.converged for block in self.blocks)

    @property
    def weight(self) -> Array:
        """Weights of all draws, summing to 1."""
        return np.concatenate([block.weight for block in self.blocks])

    @property
    def used(self) -> frozenset[int]:
        """Places of the levels this model reads."""
        return frozenset(i for i, one in enumerate(self.readings) if one.reason is None)

    @property
    def proportional(self) -> bool:
        """Whether troughs are proportional to dose."""
        return self.model.saturable is None and not any(one.chart == "daily-dose" for one in self.model.covariates)

    def parameters_at(self, when_h: float | None = None, daily_mg: float | None = None) -> Array:
        """Return the individual parameters of every draw for a regimen to come.

        Parameters
        ----------
        when_h : float, optional
            Under the covariates and interactions of this hour; None: of now.
        daily_mg : float, optional
            Daily dose, for a model whose clearance depends on it.

        Returns
        -------
        ndarray, shape (n, 15)
        """
        at_h = self.history.now_h if when_h is None else when_h
        key = ("parameters", at_h, None if self.proportional or self.model.saturable is not None else daily_mg)
        found = self._kept.get(key)
        if not isinstance(found, np.ndarray):
            found = np.concatenate([_forecast(block, self.history, at_h, key[2]) for block in self.blocks])
            self._kept[key] = found
        return found

    def troughs(self, cycle: Cycle, *, when_h: float | None = None) -> Array:
        """Return the concentration before each dose of a regimen at steady state, shape (n, k), ng/mL.

        The answer to one milligram is kept for each rhythm.
        """
        if self.model.saturable is not None:
            key: tuple[object, ...] = ("modes", when_h)
            modes = self._kept.get(key)
            if not isinstance(modes, Modes):
                modes = disposition_modes(self.model, self.parameters_at(when_h))
                self._kept[key] = modes
            return saturable_troughs(self.model.saturable, modes, cycle)
        daily_mg = None if self.proportional else cycle.daily_mg
        key = ("unit", when_h, rhythm(cycle), daily_mg)
        unit = self._kept.get(key)
        if not isinstance(unit, np.ndarray):
            unit = unit_troughs(self.model, self.parameters_at(when_h, daily_mg), rhythm(cycle))
            self._kept[key] = unit
        return combine(unit, cycle.amount_mg)

    def trough_draws(self, cycle: Cycle, *, which: str = "lowest", when_h: float | None = None) -> tuple[Array, Array]:
        """Return draws of the true trough at steady state and their weights.

        Parameters
        ----------
        cycle : Cycle
            The regimen.
        which : str
            ``"lowest"`` or ``"highest"`` of the troughs within a cycle.
        when_h : float, optional
            As in `parameters_at`.
        """
        found = self.troughs(cycle, when_h=when_h)
        return np.asarray(found.min(axis=1) if which == "lowest" else found.max(axis=1)), self.weight

    def predict(self, history: History, time_h: Sequence[float], *, draws: int | None = None) -> Array:
        """Predict concentrations along a history (the past, or one with doses to come).

        Parameters
        ----------
        history : History
            What is taken.
        time_h : sequence of float
            When, in any order.
        draws : int, optional
            As many equally weighted draws instead of all weighted ones.

        Returns
        -------
        ndarray, shape (n, m)
            ng/mL on the laboratory's scale.
        """
        times = np.asarray(time_h, dtype=np.float64)
        order = np.argsort(times, kind="stable")
        made = []
        for block, eta in zip(self.blocks, self._etas(draws), strict=True):
            ready = predictor(
                self.model,
                history,
                times[order],
                missing=block.node.missing,
                scale=block.node.scale,
                occasions=_occasion_edges(block.predictor),
            )
            made.append(ready(eta))
        out = np.empty((sum(map(len, made)), times.size))
        out[:, order] = np.concatenate(made)
        return out

    def _etas(self, draws: int | None) -> list[Array]:
        """Draws of every block; resampled systematically to a number of equal ones.

        They are shuffled first: every eighth of quasi-random draws is no sample of them.
        """
        if draws is None:
            return [block.eta for block in self.blocks]
        weight = self.weight
        order = np.argsort(uniform(stream(0, "resample"), (weight.size,)), kind="stable")
        chosen = np.searchsorted(np.cumsum(weight[order]), (np.arange(draws) + 0.5) / draws)
        at = np.sort(order[np.minimum(chosen, weight.size - 1)])
        spans = zip(self.blocks, pairwise(np.cumsum([0, *(len(block.eta) for block in self.blocks)])), strict=True)
        return [block.eta[at[(low <= at) & (at < high)] - low] for block, (low, high) in spans]


def _occasion_edges(ready: Predictor) -> tuple[float, ...]:
    """Where the occasions of an estimate begin."""
    if ready.occasion_eta is None:
        return ()
    return tuple(float(ready.periods.edge_h[step]) for step in np.flatnonzero(np.diff(ready.occasion_eta) > 0))


def _forecast(block: Block, history: History, at_h: float, daily_mg: object) -> Array:
    """Individual parameters under the covariates of one hour; a forecast is a new occasion."""
    ready = block.predictor
    found = periods(ready.model, history)
    row = forecast_parameters(
        ready.model,
        found,
        int(found.index(at_h, history.carry)),
        missing=block.node.missing,
        scale=block.node.scale,
        daily_mg=daily_mg if isinstance(daily_mg, float) else None,
    )
    n_eta = len(ready.model.eta_names)
    values: Array = individual(ready.model, row, block.eta[:, :n_eta])
    if block.eta.shape[1] > n_eta:
        values[:, CL] = disturb_log_normal(values[:, CL], block.eta[:, -1])
    return values


def estimate(
    history: History,
    model: PopulationModel,
    *,
    seed: int,
    draws: int = 10_000,
    settings: Settings | None = None,
    laboratory: str | None = None,
) -> Estimate:
    """Estimate one patient under one model.

    ::

        p(eta | levels) ~ p(levels | eta) N(eta; 0, omega + V)

    with V from the standard errors the paper prints, integrated over covariates nobody measured and over the factor
    between the model's assay and the laboratory's.

    Parameters
    ----------
    history : History
        The patient.
    model : PopulationModel
        The model.
    seed : int
        Names the random numbers; the same seed gives the same draws.
    draws : int
        How many.
    settings : Settings, optional
        How levels are read.
    laboratory : str, optional
        On which assay's scale; that of the newest level unless given.

    Returns
    -------
    Estimate
        A fit that did not converge is a result that says so.

    Raises
    ------
    InputError
        A covariate the model cannot do without is missing or impossible.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sirolens.models.catalog import load
    >>> from sirolens.models.timeline import Observed, Timeline
    >>> month = History(
    ...     origin=datetime(2026, 1, 1, tzinfo=UTC),
    ...     now_h=720.0,
    ...     dose_time_h=tuple(24.0 * day for day in range(30)),
    ...     dose_mg=(2.0,) * 30,
    ...     levels=(Observed(time_h=720.0, level_ng_ml=9.0),),
    ...     covariates={"haematocrit": Timeline(time_h=(0.0,), value=(35.1,))},
    ... )
    >>> found = estimate(month, load("wu_2012"), seed=1, draws=1000)
    >>> found.converged, round(found.levels[0].predicted_typical_ng_ml, 1)
    (True, 4.1)
    """
    settings = settings or Settings()
    shown_on = laboratory or latest_assay(history)
    read = readings(history, model, shown_on, settings)
    link, flags = model_link(model_assay(model), model.label, shown_on, convert=settings.convert_assays)
    scatter = settings.scatter if any(one.reason is None for one in read) else ((1.0, 1.0),)
    possible = nodes(model, periods(model, history), link, scatter)
    asked = [question(history, model, node, read, settings) for node in possible]
    answers = [_answer(one, seed, max(LEAST_DRAWS, round(draws * one.node.weight)), i) for i, one in enumerate(asked)]
    prior = np.array([math.log(one.node.weight) for one in asked])
    own = prior + np.array([answer.log_evidence for _, answer in answers])
    common = prior + np.array([answer.common_log_evidence or 0.0 for _, answer in answers])
    total = float(log_sum(own))
    blocks = tuple(
        Block(
            node=one.node,
            mode=top,
            eta=answer.eta,
            weight=answer.weight * math.exp(share - total) if math.isfinite(total) else answer.weight * one.node.weight,
            predictor=one.predictor,
        )
        for one, (top, answer), share in zip(asked, answers, own, strict=True)
    )
    best = int(np.argmax(own))
    k_hat = max(answer.k_hat for _, answer in answers)
    predicted = [answer.predicted_ng_ml for _, answer in answers]
    rows = level_rows(asked, blocks, best, read, predicted, seed)
    columns = parameter_rows(model, history, asked[best], blocks, best)
    worth = effective_draws(np.concatenate([block.weight for block in blocks]))
    return Estimate(
        model=model,
        history=history,
        settings=settings,
        laboratory=shown_on,
        readings=read,
        blocks=blocks,
        best=best,
        k_hat=k_hat,
        effective_draws=worth,
        log_evidence=total,
        common_log_evidence=float(log_sum(common)),
        levels=rows,
        parameters=columns,
        messages=(
            *flags,
            *estimate_messages(model, history, asked, blocks, best, rows, columns, k_hat),
        ),
    )


def _answer(one: Question, seed: int, draws: int, number: int) -> tuple[Mode, Posterior]:
    top = mode(one.problem)
    residual = (COMMON_RESIDUAL.additive_ng_ml, COMMON_RESIDUAL.proportional)
    found = posterior(one.problem, top, draws=draws, seed=MOST_NODES * seed + number, common_residual=residual)
    return top, found


def log_evidence(
    history: History,
    model: PopulationModel,
    only: frozenset[int],
    *,
    seed: int,
    draws: int,
    settings: Settings,
    laboratory: str,
) -> float:
    """Integrate the likelihood of some of the levels only: what models are compared by when they read different ones.

    Parameters
    ----------
    only : frozenset of int
        Places among the levels that are used.

    Returns
    -------
    float
        log p(these levels), with the residual the settings compare under.
    """
    read = readings(history, model, laboratory, settings)
    link, _ = model_link(model_assay(model), model.label, laboratory, convert=settings.convert_assays)
    parts = []
    scatter = ((1.0, 1.0),) if settings.evidence_residual == "common" else settings.scatter
    for i, node in enumerate(nodes(model, periods(model, history), link, scatter)):
        one = question(history, model, node, read, settings, only=only)
        _, found = _answer(one, seed, max(LEAST_DRAWS, round(draws * node.weight)), i)
        log_p = found.common_log_evidence if settings.evidence_residual == "common" else found.log_evidence
        parts.append(math.log(node.weight) + (log_p or 0.0))
    return float(log_sum(np.array(parts)))
