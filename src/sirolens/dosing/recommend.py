# SPDX-License-Identifier: Apache-2.0
"""The next dose: from a chart and the models' estimates to one `Advice`, as codes and numbers only.

The order is the clinic's: who is it, what does the protocol say, what speaks against a dose, which regimens can be
dispensed and what is each likely to do, which of them may be offered, what comes first, when to sample again, and what
would change all this. Options, never orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import final

from sirolens.chart import Chart
from sirolens.dosing.course import course_messages
from sirolens.dosing.dose_table import DoseTable, ModelDose, dose_table, form_for, nearest_dose
from sirolens.dosing.guardrails import blocking, check
from sirolens.dosing.interactions import Effect, assess
from sirolens.dosing.monitoring import NextSample, next_sample
from sirolens.dosing.options import Option
from sirolens.dosing.posterior import Posterior
from sirolens.dosing.present import Current, Who, present_regimen, who
from sirolens.dosing.products import ProductList, default_products
from sirolens.dosing.proportional import Loading, Proportional, compare, loading, proportional
from sirolens.dosing.protocol import (
    Claim,
    Settings,
    claim_for,
    default_settings,
    published_regimens,
    start_to_maintenance,
)
from sirolens.dosing.protocol_reach import ProtocolDose
from sirolens.dosing.ranking import Outcome, Refused
from sirolens.dosing.taper import TaperPlan, taper_plan
from sirolens.dosing.target import Target, default_target, target_messages
from sirolens.message import Message, info, most_severe_first
from sirolens.models.timeline import History

__all__ = ["Advice", "Alternative", "recommend"]

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_ALTERNATIVES: Mapping[str, Posterior] = MappingProxyType({})


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
    table = dose_table(person, posterior, claim, current, blocks, acknowledged, target, products, settings)
    said += table.messages
    form = form_for(person, current, products)
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


def _is_wide(option: Option) -> bool:
    return any(flag.code == "dosing.wide-band" for flag in option.flags)


def _alternatives(
    asked: Mapping[str, Posterior],
    table: DoseTable,
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
        nearest_mg = nearest_dose(best_mg, products, form, settings)
        message = info(f"dosing.alternative-{name}", best_daily_mg=table.best_mg, other_daily_mg=best_mg)
        found.append(Alternative(name=name, best_mg=best_mg, nearest_mg=nearest_mg, message=message))
    return tuple(found)
