# SPDX-License-Identifier: Apache-2.0
"""One patient under several models: each model's share, and what they say together.

The share of model m after levels y is

    w_m ~ a_m  integral p(y | eta, x, s) p(eta) p(x) p(s) d eta dx ds,        at least `Settings.floor`

with a_m its applicability before any level, x the covariates nobody measured, s the factor between its assay and the
laboratory's. The likelihood is that of the same levels for every model, on one scale, in ng/mL, with one residual:
0.5 ng/mL and 20 % (ASSUMED). Levels that not every model can read inform the models that can, but not the shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.applicability import ADULT_YEARS, Candidate, candidates, default_models
from sirolens.dosing.estimate import Estimate, Settings, estimate, log_evidence
from sirolens.dosing.estimate_problem import COMMON_RESIDUAL, latest_assay
from sirolens.engine.sampling import lognormal, normal_quantile, sobol, weighted_quantile
from sirolens.errors import InputError, ScopeError
from sirolens.message import Message, error, info, warning
from sirolens.models.exposure import auc24
from sirolens.models.future import continued, cycle_origin_h
from sirolens.models.population import PopulationModel
from sirolens.models.timeline import History, Multiplier
from sirolens.regimen import Cycle

__all__ = ["Averaged", "Fraction", "LeftOut", "Member", "estimates", "with_floor"]

Array = NDArray[np.float64]

DRAWS = 4_000
"""Draws per model: quasi-random, so that chances in a table are good to about half a percent."""
CURVE_DRAWS = 500
SHAPE_LOG_SD = 0.15
"""Further spread of an exposure that rests on another model's shape (ASSUMED)."""

Interactions = Callable[[PopulationModel], Sequence[Multiplier]]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """One model in the average.

    Parameters
    ----------
    estimate : Estimate
        What it makes of the patient.
    candidate : Candidate
        What it was worth before, and why.
    prior_weight : float
        Its share before any level.
    log_evidence : float
        log p(common levels).
    weight : float
        Its share.
    """

    estimate: Estimate
    candidate: Candidate
    prior_weight: float
    log_evidence: float
    weight: float

    @property
    def model(self) -> PopulationModel:
        """The model."""
        return self.estimate.model

    def trough_draws(self, cycle: Cycle, *, which: str = "lowest", when_h: float | None = None) -> tuple[Array, Array]:
        """As `Averaged.trough_draws`, for this model alone."""
        return self.estimate.trough_draws(cycle, which=which, when_h=when_h)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A model that does not speak, and why."""

    name: str
    label: str
    reasons: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """A share with its 90 % interval, and the models it rests on."""

    median: float
    low: float
    high: float
    models: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Averaged:
    """What several models say together; its draws are the same for everything that is asked.

    Parameters
    ----------
    history : History
        The patient.
    laboratory : str
        The assay on whose scale everything is.
    members : tuple of Member
        The models; shares sum to 1.
    left_out : tuple of LeftOut
        Those that do not speak.
    common_levels : int
        How many levels the shares rest on.
    messages : tuple of Message
        Of the average and of every model in it.
    seed : int
        What drew it.
    """

    history: History
    laboratory: str
    members: tuple[Member, ...]
    left_out: tuple[LeftOut, ...]
    common_levels: int
    messages: tuple[Message, ...]
    seed: int

    @property
    def converged(self) -> bool:
        """Whether every model's mode was found."""
        return all(member.estimate.converged for member in self.members)

    def supporting(self, what: str) -> tuple[Member, ...]:
        """Members whose model may be asked for something, such as ``"auc"``."""
        return tuple(member for member in self.members if what in member.model.supports)

    def trough_draws(self, cycle: Cycle, *, which: str = "lowest", when_h: float | None = None) -> tuple[Array, Array]:
        """Return draws of the true trough of a regimen at steady state, and their weights.

        Parameters
        ----------
        cycle : Cycle
            The regimen.
        which : str
            ``"lowest"`` or ``"highest"`` of the troughs within a cycle.
        when_h : float, optional
            Under the covariates and interactions of this hour; None: of now.

        Returns
        -------
        values, weights : ndarray (n,)
            ng/mL on the laboratory's scale; weights sum to 1. The same draws for every regimen.
        """
        parts = [member.trough_draws(cycle, which=which, when_h=when_h) for member in self.members]
        values = np.concatenate([value for value, _ in parts])
        weights = [member.weight * weight for member, (_, weight) in zip(self.members, parts, strict=True)]
        return values, np.concatenate(weights)

    def next_level_draws(
        self, cycle: Cycle, *, first_h: float | None = None, sample_h: float | None = None
    ) -> tuple[Array, Array]:
        """Return draws of the next measured level, scatter of measurement included.

        Models that know the time course go on from the present state; the others, which do not know how long a steady
        state takes, answer for the steady state.

        Parameters
        ----------
        cycle : Cycle
            What is taken.
        first_h : float, optional
            Its first dose; now unless given.
        sample_h : float, optional
            When the sample is drawn; None: at steady state under every model.
        """
        begin_h = self.history.now_h if first_h is None else first_h
        values, weights = [], []
        for member in self.members:
            level, weight = member.trough_draws(cycle)
            if sample_h is not None and "time-course" in member.model.supports:
                course = continued(member.estimate.history, cycle, first_h=begin_h, until_h=sample_h)
                level = member.estimate.predict(course, [sample_h])[:, 0]
            values.append(level)
            weights.append(member.weight * weight)
        true = np.concatenate(values)
        unit = normal_quantile(sobol(true.size, 2, self.seed, "measurement"))
        scatter = true * COMMON_RESIDUAL.proportional * unit[:, 0] + COMMON_RESIDUAL.additive_ng_ml * unit[:, 1]
        return np.maximum(true + scatter, 0.0), np.concatenate(weights)

    def curve(
        self,
        time_h: Sequence[float],
        *,
        cycle: Cycle | None = None,
        first_h: float | None = None,
        probabilities: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
        support: str | None = None,
    ) -> Array:
        """Compute quantiles of the concentration over time.

        Parameters
        ----------
        time_h : sequence of float
            Hours; beyond now the doses go on.
        cycle : Cycle, optional
            What is taken from `first_h` on; None: what is taken now goes on in step.
        first_h : float, optional
            First dose of `cycle`; now unless given.
        probabilities : sequence of float
            Which quantiles.
        support : str, optional
            Ask only models that support this, such as ``"time-course"``: between troughs, only those know.

        Returns
        -------
        ndarray, shape (len(probabilities), m)
        """
        members = self.members if support is None else self.supporting(support)
        values, weights = [], []
        for member in members:
            course = self._course(member.estimate.history, max(time_h), cycle, first_h)
            drawn = member.estimate.predict(course, time_h, draws=CURVE_DRAWS)
            values.append(drawn)
            weights.append(np.full(len(drawn), member.weight / len(drawn)))
        return weighted_quantile(np.concatenate(values), np.concatenate(weights), probabilities)

    def _course(self, history: History, last_h: float, cycle: Cycle | None, first_h: float | None) -> History:
        if cycle is not None:
            return continued(history, cycle, first_h=history.now_h if first_h is None else first_h, until_h=last_h)
        if history.current is None:
            return history
        return continued(history, history.current, first_h=history.now_h, until_h=last_h, in_step=True)

    def auc24_draws(self, cycle: Cycle) -> tuple[Array | None, Array | None, Message]:
        """Return draws of the exposure of a day at steady state, their weights, and what they rest on.

        Only models of whole profiles know an exposure. Where others are averaged too, the ratio of exposure to trough
        of those that know it is put on the averaged trough, with a further spread. Without any, there is none.
        """
        knowing = self.supporting("auc")
        if not knowing:
            return None, None, info("estimate.auc-not-identifiable")
        parts = [(member, *self._auc(member, cycle)) for member in knowing]
        area = np.concatenate([value for _, value, _ in parts])
        weight = np.concatenate([member.weight * w for member, _, w in parts])
        names = tuple(member.model.label for member in knowing)
        if len(knowing) == len(self.members):
            return area, weight, info("estimate.auc-from-models", models=names)
        ratio = area / np.concatenate([member.trough_draws(cycle)[0] for member in knowing])
        trough, shares = self.trough_draws(cycle)
        unit = sobol(trough.size, 2, self.seed, "exposure-shape")
        spread = lognormal([1.0], [[SHAPE_LOG_SD**2]], normal_quantile(unit[:, 1:]))[:, 0]
        return (
            trough * weighted_quantile(ratio, weight, unit[:, 0]) * spread,
            shares,
            info("estimate.auc-shape", models=names, spread_percent=100.0 * SHAPE_LOG_SD),
        )

    def _auc(self, member: Member, cycle: Cycle) -> tuple[Array, Array]:
        parameters = member.estimate.parameters_at(None, cycle.daily_mg)
        return auc24(member.model, parameters, cycle), member.estimate.weight

    def fraction_of_steady_state(self) -> tuple[Fraction | None, Message | None]:
        """Return what share of its steady state the next trough reaches if nothing changes.

        Only models that know half-lives are asked; without one, or without a present regimen, there is a reason.
        """
        knowing = self.supporting("half-life")
        if not knowing:
            return None, info("estimate.half-life-unknown")
        cycle = self.history.current
        if cycle is None or not self.history.dose_time_h:
            return None, info("estimate.no-regimen")
        origin_h = cycle_origin_h(self.history, cycle)
        turn_h = origin_h + cycle.period_h * math.ceil((self.history.now_h - origin_h) / cycle.period_h)
        times = [turn_h + offset_h for offset_h in cycle.offset_h]
        values, weights = [], []
        for member in knowing:
            course = continued(
                member.estimate.history, cycle, first_h=self.history.now_h, until_h=times[-1], in_step=True
            )
            reached = member.estimate.predict(course, times).min(axis=1)
            final, weight = member.trough_draws(cycle)
            values.append(reached / final)
            weights.append(member.weight * weight)
        low, median, high = weighted_quantile(np.concatenate(values), np.concatenate(weights), [0.05, 0.5, 0.95])
        names = tuple(member.model.label for member in knowing)
        return Fraction(median=float(median), low=float(low), high=float(high), models=names), None


def with_floor(weights: Array, floor: float) -> Array:
    """Raise shares below a floor to it and take what that needs from the others, in proportion.

    >>> with_floor(np.array([0.9, 0.09, 0.01]), 0.05).round(4).tolist()
    [0.8636, 0.0864, 0.05]
    """
    share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    if floor * share.size >= 1.0:
        return np.full(share.size, 1.0 / share.size)
    low = np.zeros(share.size, bool)
    while True:
        free = ~low
        scaled = np.where(low, floor, share * (1.0 - floor * low.sum()) / share[free].sum())
        below = free & (scaled < floor)
        if not below.any():
            return np.asarray(scaled)
        low |= below


def estimates(
    history: History,
    models: Sequence[PopulationModel] | None = None,
    *,
    seed: int,
    draws: int = DRAWS,
    settings: Settings | None = None,
    laboratory: str | None = None,
    interactions: Interactions | None = None,
    adult_years: float = ADULT_YEARS,
) -> Averaged:
    """Estimate one patient under several models and average them.

    Parameters
    ----------
    history : History
        The patient.
    models : sequence of PopulationModel, optional
        Which; `default_models` unless given.
    seed : int
        Names the random numbers.
    draws : int
        Of each model.
    settings : Settings, optional
        How levels are read; the weight on the prior is always 1 here.
    laboratory : str, optional
        On which assay's scale; that of the newest level unless given.
    interactions : callable, optional
        From a model to the multipliers of clearance and bioavailability it is to be given: a model that has a drug as
        its own covariate must not see it twice.
    adult_years : float
        Where adults begin.

    Returns
    -------
    Averaged

    Raises
    ------
    ScopeError
        The patient lies outside every model's hard domain, or none can be computed; with every reason.
    """
    settings = replace(settings or Settings(), prior_weight=1.0)
    shown_on = laboratory or latest_assay(history)
    asked = default_models(history, adult_years=adult_years) if models is None else tuple(models)
    speaking: list[tuple[Candidate, Estimate]] = []
    left_out: list[LeftOut] = []
    for candidate in candidates(history, asked, shown_on):
        model = candidate.model
        if candidate.refused:
            left_out.append(LeftOut(name=model.full_name, label=model.label, reasons=candidate.refused))
            continue
        own = history if interactions is None else history.with_multipliers(*interactions(model))
        try:
            found = estimate(own, model, seed=seed, draws=draws, settings=settings, laboratory=shown_on)
        except InputError as fault:
            left_out.append(LeftOut(name=model.full_name, label=model.label, reasons=fault.messages))
            continue
        speaking.append((candidate, found))
    if not speaking:
        reasons = tuple(reason for one in left_out for reason in one.reasons)
        raise ScopeError(error("estimate.no-model", models=tuple(one.label for one in left_out)), *reasons)
    members, common = _weighted(speaking, seed, draws, settings, shown_on)
    return Averaged(
        history=history,
        laboratory=shown_on,
        members=members,
        left_out=tuple(left_out),
        common_levels=len(common),
        messages=_messages(members, left_out, common),
        seed=seed,
    )


def _weighted(
    speaking: Sequence[tuple[Candidate, Estimate]], seed: int, draws: int, settings: Settings, laboratory: str
) -> tuple[tuple[Member, ...], frozenset[int]]:
    """Give each model its share by the levels that all of them read."""
    common = frozenset.intersection(*(found.used for _, found in speaking))
    evidence = []
    for _, found in speaking:
        if not common:
            evidence.append(0.0)
        elif found.used == common:
            own = settings.evidence_residual == "own"
            evidence.append(found.log_evidence if own else found.common_log_evidence)
        else:
            evidence.append(
                log_evidence(
                    found.history, found.model, common, seed=seed, draws=draws, settings=settings, laboratory=laboratory
                )
            )
    prior = np.array([candidate.factor for candidate, _ in speaking])
    prior = prior / prior.sum()
    log_share = [math.log(a) + e for a, e in zip(prior, evidence, strict=True)]
    share = with_floor(np.array([math.exp(one - max(log_share)) for one in log_share]), settings.floor)
    return tuple(
        Member(
            estimate=found,
            candidate=candidate,
            prior_weight=float(prior[i]),
            log_evidence=float(evidence[i]),
            weight=float(share[i]),
        )
        for i, (candidate, found) in enumerate(speaking)
    ), common


def _messages(members: Sequence[Member], left_out: Sequence[LeftOut], common: frozenset[int]) -> tuple[Message, ...]:
    said = [warning("estimate.model-left-out", model=one.label, reasons=one.reasons) for one in left_out]
    partly = [member.model.label for member in members if member.estimate.used != common]
    if partly:
        said.append(
            warning(
                "estimate.levels-of-some",
                models=tuple(partly),
                common_levels=len(common),
            )
        )
    for member in members:
        said += member.candidate.reasons
        said += member.candidate.scope
        said += member.estimate.messages
    return tuple(dict.fromkeys(said))
