# SPDX-License-Identifier: Apache-2.0
"""One consultation: from a chart and an instant to estimates, advice and everything a report needs.

``consult`` is the path in order: what was known -> the history in numbers -> interactions -> the models' estimates ->
the advice -> the curve -> the response. It works on ``chart.known(at)`` only, and gives the same answer for the same
inputs, bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sirolens import __version__
from sirolens.chart import Chart
from sirolens.dosing.average import Averaged, estimates
from sirolens.dosing.estimate import Estimate
from sirolens.dosing.history import from_chart
from sirolens.dosing.interactions import Effect, assess, ended, multipliers
from sirolens.dosing.posterior import Posterior, from_averaged
from sirolens.dosing.products import ProductList
from sirolens.dosing.protocol import Settings, default_settings
from sirolens.dosing.recommend import Advice, recommend
from sirolens.dosing.target import Target
from sirolens.errors import ScopeError
from sirolens.message import Message, info
from sirolens.models.population import PopulationModel
from sirolens.models.timeline import History, Multiplier
from sirolens.regimen import Intake, Regimen
from sirolens.response.criteria import load as load_criteria
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.verdict import Verdict, verdict

__all__ = ["Consultation", "Curve", "ModelRow", "Provenance", "consult"]

Array = NDArray[np.float64]
NOTHING: Mapping[str, str] = MappingProxyType({})
HOUR = timedelta(hours=1)
CURVE_FORWARD_DAYS = 21
"""How far ahead the figure looks: until a changed dose has shown its effect under most models (JUDGE)."""
CURVE_LEVELS = 6
CURVE_BACK_DAYS = (28, 120)
"""The curve goes back to the newest levels: at least four weeks, at most four months (a longer one cannot be read)."""
CURVE_POINTS = 1100


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Quantiles of the concentration over time.

    Parameters
    ----------
    at : tuple of datetime
        When.
    quantile_ng_ml : ndarray, shape (5, n)
        5th, 25th, 50th, 75th and 95th percentile.
    """

    at: tuple[datetime, ...]
    quantile_ng_ml: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model in the average, or why it is not in it.

    Parameters
    ----------
    name, label : str
        The model.
    prior_weight, weight : float, optional
        Share before and after the levels; None for a model that was left out.
    effective_draws, k_hat : float, optional
        How good its draws are.
    reasons : tuple of Message
        Where its share comes from, or why it does not speak.
    """

    name: str
    label: str
    prior_weight: float | None
    weight: float | None
    effective_draws: float | None
    k_hat: float | None
    reasons: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the same result can be made from again.

    Parameters
    ----------
    version : str
        Of the program.
    seed : int
        Of every random stream.
    inputs_digest : str
        SHA-256 over the chart as known, the instant, the settings and the acknowledgements.
    models : tuple of (str, str)
        Name and SHA-256 of every model file.
    """

    version: str
    seed: int
    inputs_digest: str
    models: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consultation:
    """Everything one consultation found.

    Parameters
    ----------
    chart : Chart
        What was known.
    history : History
        The same in numbers.
    advice : Advice
        The advice.
    averaged : Averaged, optional
        The models together; None when none may speak.
    flags : tuple of Message
        Of reading the chart and of turning it into a history.
    expectedness : tuple of Message
        The newest levels beside what was to be expected.
    models : tuple of ModelRow
        Every model asked.
    curve : Curve, optional
        The course of levels, past and ahead.
    curve_caption : Message
        Which model drew it, and how to read it.
    since : datetime
        Where the curve begins.
    planned : tuple of Intake
        The doses ahead that the curve assumes.
    response : Verdict
        Whether the platelets have responded.
    provenance : Provenance
        What it was made from.
    """

    chart: Chart
    history: History
    advice: Advice
    averaged: Averaged | None
    flags: tuple[Message, ...]
    expectedness: tuple[Message, ...]
    models: tuple[ModelRow, ...]
    curve: Curve | None
    curve_caption: Message
    since: datetime
    planned: tuple[Intake, ...]
    response: Verdict
    provenance: Provenance

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The estimate of every model that speaks."""
        return () if self.averaged is None else tuple(member.estimate for member in self.averaged.members)


def consult(
    chart: Chart,
    *,
    at: datetime,
    models: Sequence[PopulationModel] | None = None,
    target: Target | None = None,
    products: ProductList | None = None,
    settings: Settings | None = None,
    criteria: CriteriaSet | None = None,
    acknowledged: Mapping[str, str] = NOTHING,
    flags: Sequence[Message] = (),
    seed: int = 1,
) -> Consultation:
    """Hold one consultation.

    Parameters
    ----------
    chart : Chart
        The patient.
    at : datetime
        The instant; nothing that happened or was recorded later is seen.
    models : sequence of PopulationModel, optional
        Which models; those for the patient's age unless given.
    target, products, settings : optional
        The site's; the defaults with their sources unless given.
    criteria : CriteriaSet, optional
        By whose rules the response is judged; the international working group's unless given.
    acknowledged : mapping of str to str
        Alerts acknowledged, with the reason.
    flags : sequence of Message
        What reading the chart had to say; it is carried into the report.
    seed : int
        Of every random stream.

    Returns
    -------
    Consultation
        A patient outside every model is a result without computed doses; the reasons are in it.

    Raises
    ------
    ChartError
        The levels or doses contradict each other.
    """
    known = chart.known(at)
    settings = settings or default_settings()
    history, history_flags = from_chart(known, at)
    effects = _effects(known, at, settings)
    averaged, refused = _averaged(history, models, effects, settings, seed)
    without = {} if averaged is None else _alternatives(averaged, models, effects, at, settings, seed)
    advice = recommend(
        known,
        None if averaged is None else from_averaged(averaged),
        history=history,
        at=at,
        target=target,
        products=products,
        settings=settings,
        acknowledged=acknowledged,
        alternatives=without,
        unavailable=refused,
    )
    curve, caption, planned = _curve(averaged, advice, known, at)
    return Consultation(
        chart=known,
        history=history,
        advice=advice,
        averaged=averaged,
        flags=(*flags, *history_flags),
        expectedness=_expectedness(averaged),
        models=_model_rows(averaged),
        curve=curve,
        curve_caption=caption,
        since=_since(known, at),
        planned=planned,
        response=verdict(known, at, criteria or load_criteria("iwg-2009")),
        provenance=_provenance(known, at, advice, averaged, seed),
    )


def _effects(chart: Chart, at: datetime, settings: Settings) -> tuple[Effect, ...]:
    """Other drugs, food and the liver, as the chart tells them."""
    age = chart.patient.age_on(at.astimezone(ZoneInfo(chart.zone)).date())
    effects, _ = assess(chart, at, child=age is not None and age < settings.adult_age_years.value)
    return tuple(effects)


def _averaged(
    history: History,
    models: Sequence[PopulationModel] | None,
    effects: Sequence[Effect],
    settings: Settings,
    seed: int,
) -> tuple[Averaged | None, tuple[Message, ...]]:
    """The models' estimates, or the reasons why no model may speak."""

    def seen_by(model: PopulationModel) -> Sequence[Multiplier]:
        return multipliers(effects, model, history.origin)

    try:
        found = estimates(history, models, seed=seed, interactions=seen_by, adult_years=settings.adult_age_years.value)
    except ScopeError as outside:
        return None, outside.messages
    return found, ()


def _alternatives(
    averaged: Averaged,
    models: Sequence[PopulationModel] | None,
    effects: Sequence[Effect],
    at: datetime,
    settings: Settings,
    seed: int,
) -> dict[str, Posterior]:
    """The same estimates under other assumptions, where those enter this patient's estimates at all."""
    found: dict[str, Posterior] = {}
    history = averaged.history
    read = {covariate.chart for member in averaged.members for covariate in member.model.covariates}
    if "bilirubin" in read & set(history.covariates):
        # Bilirubin raised by haemolysis is no sign of a slow liver: the dose at the models' reference stands beside.
        blind = {name: line for name, line in history.covariates.items() if name != "bilirubin"}
        other, _ = _averaged(replace(history, covariates=blind), models, effects, settings, seed)
        if other is not None:
            found["without-bilirubin"] = from_averaged(other)
    if any(effect.kind in ("inhibitor", "inducer") and effect.share(at) > 0.0 for effect in effects):
        # The levels were drawn under the drug: only from now on is it thought away.
        other, _ = _averaged(history, models, ended(effects, at), settings, seed)
        if other is not None:
            found["without-interactions"] = from_averaged(other)
    return found


def _expectedness(averaged: Averaged | None) -> tuple[Message, ...]:
    """The newest three levels, as the model with the most weight saw them before any level."""
    if averaged is None:
        return ()
    heaviest = max(averaged.members, key=lambda member: member.weight)
    read = [row for row in heaviest.estimate.levels if row.reason is None and row.censoring == 0]
    if not read:
        return (info("advice.no-usable-levels"),) if heaviest.estimate.levels else ()
    said = []
    for row in sorted(read, key=lambda row: -row.time_h)[:3]:
        surprising = row.prior_p < SURPRISING_PROBABILITY
        said.append(
            info(
                "advice.level-surprising" if surprising else "advice.level-expected",
                at=averaged.history.origin + row.time_h * HOUR,
                measured_ng_ml=row.level_ng_ml,
                typical_ng_ml=row.predicted_typical_ng_ml,
                surprise_probability=row.prior_p,
                label=heaviest.model.label,
            )
        )
    return tuple(said)


SURPRISING_PROBABILITY = 0.05
"""Below it the page calls a level a surprise (JUDGE); the warning itself has its own, sourced setting."""


def _model_rows(averaged: Averaged | None) -> tuple[ModelRow, ...]:
    if averaged is None:
        return ()
    speaking = tuple(
        ModelRow(
            name=member.model.full_name,
            label=member.model.label,
            prior_weight=member.prior_weight,
            weight=member.weight,
            effective_draws=member.estimate.effective_draws,
            k_hat=member.estimate.k_hat,
            reasons=member.candidate.reasons,
        )
        for member in averaged.members
    )
    silent = tuple(
        ModelRow(
            name=one.name,
            label=one.label,
            prior_weight=None,
            weight=None,
            effective_draws=None,
            k_hat=None,
            reasons=one.reasons,
        )
        for one in averaged.left_out
    )
    return (*speaking, *silent)


def _curve(
    averaged: Averaged | None, advice: Advice, chart: Chart, at: datetime
) -> tuple[Curve | None, Message, tuple[Intake, ...]]:
    """The course of levels under what is put forward, or what is taken now, from today on."""
    if averaged is None:
        return None, info("advice.no-curve"), ()
    knowing = averaged.supporting("time-course")
    support = "time-course" if knowing else None
    labels = tuple(member.model.label for member in (knowing or averaged.members))
    caption = info("advice.curve-caption" if knowing else "advice.curve-trough-only", labels=labels)
    plan = advice.first.plan if advice.first is not None else None if advice.current is None else advice.current.plan
    history = averaged.history
    first_h = max((_since(chart, at) - history.origin) / HOUR, min(history.dose_time_h, default=history.now_h))
    last_h = history.now_h + CURVE_FORWARD_DAYS * 24.0
    if plan is None:
        return None, caption, ()
    planned = _planned(plan.regimen, chart, at)
    start_h = (planned[0].at - history.origin) / HOUR
    # A whole number of points a day puts one on every trough.
    per_day = max(4, min(12, int(CURVE_POINTS * 24.0 / (last_h - first_h))))
    time_h = np.arange(first_h, last_h, 24.0 / per_day)
    quantile = averaged.curve(time_h.tolist(), cycle=plan.cycle, first_h=start_h, support=support)
    when = tuple(history.origin + float(hour) * HOUR for hour in time_h)
    return Curve(at=when, quantile_ng_ml=quantile), caption, planned


def _since(chart: Chart, at: datetime) -> datetime:
    """Where the curve begins: a little before the oldest of the newest levels."""
    least, most = (at - timedelta(days=days) for days in CURVE_BACK_DAYS)
    newest = sorted(level.at for level in chart.levels)[-CURVE_LEVELS:]
    return max(most, min([*(level - timedelta(days=3) for level in newest), least]))


def _planned(regimen: Regimen, chart: Chart, at: datetime) -> tuple[Intake, ...]:
    """The doses ahead: from today if none of today's is due before now, else from tomorrow."""
    zone = ZoneInfo(chart.zone)
    today = datetime.combine(at.astimezone(zone).date(), time(), zone)
    until = today + timedelta(days=CURVE_FORWARD_DAYS)
    from_today = regimen.intakes(today, until)
    if from_today and from_today[0].at < at:
        from_today = regimen.intakes(today + timedelta(days=1), until)
    return from_today


def _provenance(chart: Chart, at: datetime, advice: Advice, averaged: Averaged | None, seed: int) -> Provenance:
    """Name everything the result follows from; the chart enters as its own text, never as memory addresses."""
    told = repr((chart, at.isoformat(), advice.target, advice.settings, advice.products, advice.acknowledged))
    used = () if averaged is None else tuple((m.model.full_name, m.model.digest) for m in averaged.members)
    return Provenance(
        version=__version__, seed=seed, inputs_digest=hashlib.sha256(told.encode()).hexdigest(), models=used
    )
