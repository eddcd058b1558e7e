# SPDX-License-Identifier: Apache-2.0
"""The next dose: from a chart and the models' estimates to one `Advice`, as codes and numbers only.

The order is the clinic's: who is it, what does the protocol say, what speaks against a dose, which regimens can be
dispensed and what is each likely to do, which of them may be offered, what comes first, when to sample again, and what
would change all this. Options, never orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import final

from sirolens.chart import Chart
from sirolens.dosing.course import course_messages
from sirolens.dosing.guardrails import blocking, check
from sirolens.dosing.interactions import Effect, assess
from sirolens.dosing.monitoring import NextSample, next_sample
from sirolens.dosing.options import Option, candidates, evaluate
from sirolens.dosing.posterior import Posterior
from sirolens.dosing.present import Current, Who, present_regimen, who
from sirolens.dosing.products import ProductList, default_products, doses
from sirolens.dosing.proportional import Loading, Proportional, compare, dose_step_mg, loading, proportional
from sirolens.dosing.protocol import (
    Claim,
    Settings,
    claim_for,
    default_settings,
    published_regimens,
    start_to_maintenance,
)
from sirolens.dosing.protocol_reach import ProtocolDose, protocol_reach
from sirolens.dosing.ranking import Decision, Outcome, Refused, decide, judge
from sirolens.dosing.taper import TaperPlan, taper_plan
from sirolens.dosing.target import Target, default_target, target_messages
from sirolens.dosing.thresholds import would_change
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message, error, info, most_severe_first, warning
from sirolens.models.timeline import History
from sirolens.regimen import MORNING

__all__ = ["Advice", "Alternative", "ModelDose", "recommend"]

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_ALTERNATIVES: Mapping[str, Posterior] = MappingProxyType({})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDose:
    """What one model alone would ask for.

    Parameters
    ----------
    name, label : str
        The model.
    weight : float
        Its share in the average.
    best_mg : float
        Daily dose most likely in range, not rounded.
    nearest_mg : float
        The nearest dose that can be dispensed, within the hard cap.
    """

    name: str
    label: str
    weight: float
    best_mg: float
    nearest_mg: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The best dose under another assumption, beside the one used.

    Parameters
    ----------
    name : str
        ``"without-bilirubin"``, ``"without-interactions"``.
    best_mg, nearest_mg : float
        As in `ModelDose`, averaged over models.
    message : Message
        The comparison in words.
    """

    name: str
    best_mg: float
    nearest_mg: float
    message: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Everything one piece of advice says, without words.

    Parameters
    ----------
    at : datetime
        The instant it was given for; nothing later was seen.
    patient_id : str
        The pseudonym.
    who : Who
        Age group, age and weight.
    outcome : Outcome
        Start, keep, change, a range, none, or not computed.
    preferred : int, optional
        Position in `options`.
    reasons : tuple of Message
        Why this outcome.
    claim : Claim, optional
        The protocol for this age.
    protocol : tuple of Message
        The protocol in words; published regimens where no dose is computed.
    protocol_reach : tuple of ProtocolDose
        What the models expect of the protocol's doses.
    options : tuple of Option
        Offered, best first.
    refused : tuple of Refused
        Not offered, with every reason.
    current : Current, optional
        What is taken now.
    best_mg : float, optional
        Best once-daily dose without regard to products.
    range_mg : tuple of float, optional
        For small children: lowest and highest of the models' own doses.
    per_model : tuple of ModelDose
        Each model's own dose.
    alternatives : tuple of Alternative
        The dose under other assumptions.
    rule : Proportional
        The proportional rule.
    loading : Loading
        The label's loading dose, or why none.
    next_sample : NextSample
        When and why.
    steady_state_fraction : float, optional
        Share of steady state reached; None with `steady_state_reason`.
    auc24_reason : Message, optional
        Why exposure is missing, or what it rests on.
    would_change : tuple of Message
        What would change the advice.
    taper : TaperPlan
        How to come off, when that is due.
    target : Target
        The range used.
    settings : Settings
        Every limit used.
    products : ProductList
        What can be dispensed.
    effects : tuple of Effect
        Interactions, dated.
    acknowledged : tuple of (str, str)
        What was acknowledged, with the reason.
    messages : tuple of Message
        Warnings and checks, most serious first.
    """

    at: datetime
    patient_id: str
    who: Who
    outcome: Outcome
    preferred: int | None
    reasons: tuple[Message, ...]
    claim: Claim | None
    protocol: tuple[Message, ...]
    protocol_reach: tuple[ProtocolDose, ...]
    options: tuple[Option, ...]
    refused: tuple[Refused, ...]
    current: Current | None
    best_mg: float | None
    range_mg: tuple[float, float] | None
    per_model: tuple[ModelDose, ...]
    alternatives: tuple[Alternative, ...]
    rule: Proportional
    loading: Loading
    next_sample: NextSample
    steady_state_fraction: float | None
    steady_state_reason: Message | None
    auc24_reason: Message | None
    would_change: tuple[Message, ...]
    taper: TaperPlan
    target: Target
    settings: Settings
    products: ProductList
    effects: tuple[Effect, ...]
    acknowledged: tuple[tuple[str, str], ...]
    messages: tuple[Message, ...]

    @property
    def first(self) -> Option | None:
        """The option put forward."""
        return None if self.preferred is None else self.options[self.preferred]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The computed part: empty where no dose is computed."""

    options: tuple[Option, ...] = ()
    refused: tuple[Refused, ...] = ()
    decision: Decision
    best_mg: float | None = None
    range_mg: tuple[float, float] | None = None
    per_model: tuple[ModelDose, ...] = ()
    reach: tuple[ProtocolDose, ...] = ()
    would_change: tuple[Message, ...] = ()
    messages: tuple[Message, ...] = ()


def recommend(
    chart: Chart,
    posterior: Posterior | None,
    *,
    history: History | None,
    at: datetime,
    target: Target | None = None,
    products: ProductList | None = None,
    settings: Settings | None = None,
    acknowledged: Mapping[str, str] = NOTHING,
    alternatives: Mapping[str, Posterior] = NO_ALTERNATIVES,
    unavailable: Sequence[Message] = (),
) -> Advice:
    """Advise on the next dose.

    Parameters
    ----------
    chart : Chart
        The patient; only what was known at `at` is used.
    posterior : Posterior, optional
        The estimates; None where no model may be used, and then no dose is computed.
    history : History, optional
        The same patient in numbers, as the estimates saw it; None where the chart could not be turned into numbers.
    at : datetime
        The instant of the advice.
    target : Target, optional
        The range; claim A3 unless given.
    products : ProductList, optional
        What can be dispensed.
    settings : Settings, optional
        Every limit.
    acknowledged : mapping of str to str
        Critical messages, and reasons that can be overridden, by code with the clinician's reason.
    alternatives : mapping of str to Posterior
        Estimates under other assumptions, to be shown beside.
    unavailable : sequence of Message
        Why there is no posterior.

    Returns
    -------
    Advice
        Frozen data; a hard case is an outcome with reasons, not an error.
    """
    known = chart.known(at)
    target, products, settings = (
        target or default_target(),
        products or default_products(),
        settings or default_settings(),
    )
    person = who(known, at, settings)
    current = present_regimen(known, at, products)
    effects, interaction_messages = assess(known, at, child=person.group not in ("adult", "unknown"))
    claim = None if person.age_years is None else claim_for(person.age_years, settings)
    said: list[Message] = [
        *person.messages,
        *check(known, at, target=target, settings=settings),
        *interaction_messages,
        *target_messages(target),
        *course_messages(known, at, target, settings),
        *(unavailable if posterior is None else posterior.messages),
    ]
    blocks = blocking(tuple(said), acknowledged)
    table = _computed(person, posterior, claim, current, blocks, acknowledged, target, products, settings)
    said += table.messages
    form = _form(person, current, products)
    rule = proportional(history, current, target, products, settings, effects=effects)
    if table.best_mg is not None and (differs := compare(rule, table.best_mg, products, form, settings)):
        said.append(differs)
    preferred = None if table.decision.preferred is None else table.options[table.decision.preferred]
    load = loading(
        None if preferred is None else preferred.daily_mg,
        current,
        person,
        blocked=bool(blocks),
        products=products,
        form=form,
        settings=settings,
        above_soft_cap=bool(acknowledged.get("dosing.refused-soft-cap", "").strip()),
    )
    sample = next_sample(
        known,
        at,
        outcome=table.decision.outcome,
        current=current,
        effects=effects,
        loaded=False,
        soon=person.group == "small-child" or (preferred is not None and _is_wide(preferred)),
        at_once=any(message.code in LEVEL_ALERTS for message in blocks),
        settings=settings,
    )
    return Advice(
        at=at,
        patient_id=known.patient.id,
        who=person,
        outcome=table.decision.outcome,
        preferred=table.decision.preferred,
        reasons=table.decision.reasons,
        claim=claim,
        protocol=_protocol(person, claim, settings),
        protocol_reach=table.reach,
        options=table.options,
        refused=table.refused,
        current=current,
        best_mg=table.best_mg,
        range_mg=table.range_mg,
        per_model=table.per_model,
        alternatives=_alternatives(alternatives, table, target, products, form, settings),
        rule=rule,
        loading=load,
        next_sample=sample,
        steady_state_fraction=None if posterior is None else posterior.steady_state_fraction,
        steady_state_reason=None if posterior is None else posterior.steady_state_reason,
        auc24_reason=None if posterior is None else posterior.auc24_reason,
        would_change=table.would_change,
        taper=taper_plan(known, at, current, products, settings, blocked=bool(blocks)),
        target=target,
        settings=settings,
        products=products,
        effects=effects,
        acknowledged=tuple(sorted((code, reason) for code, reason in acknowledged.items() if reason.strip())),
        messages=most_severe_first(said),
    )


LEVEL_ALERTS = frozenset(
    {
        "guardrails.platelets-fall-level-high",
        "guardrails.platelets-fall-level-rising",
        "guardrails.level-far-above",
        "interactions.avoid-inhibitor",
        "interactions.listed-inhibitor",
    }
)
"""Critical messages about exposure: another level is wanted within days."""


def _protocol(person: Who, claim: Claim | None, settings: Settings) -> tuple[Message, ...]:
    if person.group == "infant":
        return published_regimens()
    return () if claim is None else start_to_maintenance(claim, settings)


def _form(person: Who, current: Current | None, products: ProductList) -> str:
    """The form doses are compared in: what is taken now, else tablets, for small children the solution."""
    if person.group == "small-child" and "solution" in products.forms:
        return "solution"
    if current is not None and current.plan.form in products.forms:
        return current.plan.form
    return products.forms[0]


def _forms(person: Who, current: Current | None, products: ProductList) -> tuple[str, ...]:
    """The forms listed: adults the one they take, children that one and the other for what it cannot make."""
    first = _form(person, current, products)
    others = () if person.group == "adult" else tuple(form for form in products.forms if form != first)
    return (first, *others)


def _computed(
    person: Who,
    posterior: Posterior | None,
    claim: Claim | None,
    current: Current | None,
    blocks: Sequence[Message],
    acknowledged: Mapping[str, str],
    target: Target,
    products: ProductList,
    settings: Settings,
) -> _Table:
    if claim is None or person.group in ("infant", "unknown"):
        return _Table(decision=_not_computed(info("dosing.not-computed-for-patient")))
    if posterior is None or posterior.troughs is None:
        reason = error("dosing.no-model")
        return _Table(decision=_not_computed(reason), messages=(reason,))
    troughs = posterior.troughs
    best_mg = troughs.best_daily_mg(target)
    protocol_mg = (*claim.start_mg.value, *claim.maintenance_mg.value)
    plans = candidates(
        products,
        _forms(person, current, products),
        best_mg=best_mg,
        settings=settings,
        split=all("time-course" in view.supports for view in troughs.views),
        clock=MORNING if current is None else current.clock,
        keep_mg=(*protocol_mg, *(() if current is None else (current.plan.daily_mg,))),
    )
    rows = evaluate(plans, troughs, target, current=current, claim=claim, settings=settings)
    offered, refused = judge(
        rows,
        current=current,
        who=person,
        blocks=blocks,
        acknowledged=acknowledged,
        target=target,
        settings=settings,
    )
    offered = tuple(replace(row, auc24_ng_h_ml=posterior.auc24(row.plan.cycle)) for row in offered)
    decision = decide(offered, current=current, who=person, settings=settings, blocks=blocks)
    form = _form(person, current, products)
    per_model = _per_model(troughs, target, products, form, settings)
    messages = [] if decision.preferred is None else list(offered[decision.preferred].flags)
    if spread := _spread(per_model, products, form, settings):
        messages.append(spread)
    reach = protocol_reach(claim, troughs, offered, target, settings)
    messages += dict.fromkeys(dose.message for dose in reach if dose.message is not None)
    nearest = [dose.nearest_mg for dose in per_model]
    return _Table(
        options=offered,
        refused=refused,
        decision=decision,
        best_mg=best_mg,
        range_mg=(min(nearest), max(nearest)) if decision.outcome is Outcome.RANGE else None,
        per_model=per_model,
        reach=reach,
        would_change=()
        if decision.preferred is None
        else would_change(offered[decision.preferred], rows, troughs, target, settings),
        messages=tuple(messages),
    )


def _not_computed(reason: Message) -> Decision:
    return Decision(outcome=Outcome.NOT_COMPUTED, preferred=None, reasons=(reason,))


def _is_wide(option: Option) -> bool:
    return any(flag.code == "dosing.wide-band" for flag in option.flags)


def _nearest(best_mg: float, products: ProductList, form: str, settings: Settings) -> float:
    made = doses(products, form, up_to_mg=min(settings.hard_daily_cap_mg.value, settings.label_daily_cap_mg.value))
    return min(made, key=lambda dose_mg: abs(dose_mg - best_mg))


def _per_model(
    troughs: Troughs, target: Target, products: ProductList, form: str, settings: Settings
) -> tuple[ModelDose, ...]:
    found = []
    for view in troughs.views:
        best_mg = troughs.best_daily_mg(target, only=view.name)
        nearest_mg = _nearest(best_mg, products, form, settings)
        found.append(
            ModelDose(name=view.name, label=view.label, weight=view.weight, best_mg=best_mg, nearest_mg=nearest_mg)
        )
    return tuple(found)


def _spread(per_model: Sequence[ModelDose], products: ProductList, form: str, settings: Settings) -> Message | None:
    """Warn when the models' own doses differ by more than one dose step."""
    low = min(per_model, key=lambda dose: dose.nearest_mg)
    high = max(per_model, key=lambda dose: dose.nearest_mg)
    step_mg = dose_step_mg(products, form, settings)
    if high.nearest_mg - low.nearest_mg <= step_mg + 1e-9:
        return None
    return warning(
        "dosing.models-differ",
        low_daily_mg=low.nearest_mg,
        low_model=low.label,
        high_daily_mg=high.nearest_mg,
        high_model=high.label,
        step_mg=step_mg,
    )


def _alternatives(
    asked: Mapping[str, Posterior],
    table: _Table,
    target: Target,
    products: ProductList,
    form: str,
    settings: Settings,
) -> tuple[Alternative, ...]:
    found = []
    for name, posterior in sorted(asked.items()):
        if posterior.troughs is None or table.best_mg is None:
            continue
        best_mg = posterior.troughs.best_daily_mg(target)
        nearest_mg = _nearest(best_mg, products, form, settings)
        message = info(f"dosing.alternative-{name}", best_daily_mg=table.best_mg, other_daily_mg=best_mg)
        found.append(Alternative(name=name, best_mg=best_mg, nearest_mg=nearest_mg, message=message))
    return tuple(found)
