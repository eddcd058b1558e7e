# SPDX-License-Identifier: Apache-2.0
"""The computed part of an advice: which regimens, how likely each is, which are offered, and which comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from sirolens.dosing.options import Option, candidates, evaluate
from sirolens.dosing.posterior import Posterior
from sirolens.dosing.present import Current, Who
from sirolens.dosing.products import ProductList, doses
from sirolens.dosing.proportional import dose_step_mg
from sirolens.dosing.protocol import Claim, Settings
from sirolens.dosing.protocol_reach import ProtocolDose, protocol_reach
from sirolens.dosing.ranking import Decision, Outcome, Refused, decide, judge
from sirolens.dosing.target import Target
from sirolens.dosing.thresholds import would_change
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message, error, info, warning
from sirolens.regimen import MORNING

__all__ = ["DoseTable", "ModelDose", "dose_table", "form_for", "nearest_dose"]


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
class DoseTable:
    """The computed part of an advice: empty where no dose is computed.

    Parameters
    ----------
    options, refused : tuples
        What is offered, best first, and what is not.
    decision : Decision
        Start, keep, change, a range, or nothing.
    best_mg : float, optional
        Best once-daily dose without regard to products.
    range_mg : tuple of float, optional
        For small children: from the lowest to the highest of the models' own doses.
    per_model : tuple of ModelDose
        Each model's own dose.
    reach : tuple of ProtocolDose
        What the models expect of the protocol's doses.
    would_change, messages : tuple of Message
        What would change the decision, and what must be said of it.
    """

    options: tuple[Option, ...] = ()
    refused: tuple[Refused, ...] = ()
    decision: Decision
    best_mg: float | None = None
    range_mg: tuple[float, float] | None = None
    per_model: tuple[ModelDose, ...] = ()
    reach: tuple[ProtocolDose, ...] = ()
    would_change: tuple[Message, ...] = ()
    messages: tuple[Message, ...] = ()


def form_for(person: Who, current: Current | None, products: ProductList) -> str:
    """The form doses are compared in: what is taken now, else tablets, for small children the solution."""
    if person.group == "small-child" and "solution" in products.forms:
        return "solution"
    if current is not None and current.plan.form in products.forms:
        return current.plan.form
    return products.forms[0]


def _forms(person: Who, current: Current | None, products: ProductList) -> tuple[str, ...]:
    """The forms listed: adults the one they take, children that one and the other for what it cannot make."""
    first = form_for(person, current, products)
    others = () if person.group == "adult" else tuple(form for form in products.forms if form != first)
    return (first, *others)


def dose_table(
    person: Who,
    posterior: Posterior | None,
    claim: Claim | None,
    current: Current | None,
    blocks: Sequence[Message],
    acknowledged: Mapping[str, str],
    target: Target,
    products: ProductList,
    settings: Settings,
) -> DoseTable:
    """Compute the table and decide.

    Parameters
    ----------
    person : Who
        No dose for infants and where age or a child's weight is not known.
    posterior : Posterior, optional
        The models.
    claim : Claim, optional
        The protocol for this age.
    current : Current, optional
        The regimen now.
    blocks : sequence of Message
        Critical messages nobody has acknowledged.
    acknowledged : mapping of str to str
        Reason by code.
    target, products, settings
        The range, the products, the limits.
    """
    if claim is None or person.group in ("infant", "unknown"):
        return DoseTable(decision=_not_computed(info("dosing.not-computed-for-patient")))
    if posterior is None or posterior.troughs is None:
        reason = error("dosing.no-model")
        return DoseTable(decision=_not_computed(reason), messages=(reason,))
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
    form = form_for(person, current, products)
    per_model = _per_model(troughs, target, products, form, settings)
    messages = [] if decision.preferred is None else list(offered[decision.preferred].flags)
    if spread := _spread(per_model, products, form, settings):
        messages.append(spread)
    reach = protocol_reach(claim, troughs, offered, target, settings)
    messages += dict.fromkeys(dose.message for dose in reach if dose.message is not None)
    return DoseTable(
        options=offered,
        refused=refused,
        decision=decision,
        best_mg=best_mg,
        range_mg=_range(per_model, offered) if decision.outcome is Outcome.RANGE else None,
        per_model=per_model,
        reach=reach,
        would_change=()
        if decision.preferred is None
        else would_change(offered[decision.preferred], rows, troughs, target, settings),
        messages=tuple(messages),
    )


def _not_computed(reason: Message) -> Decision:
    return Decision(outcome=Outcome.NOT_COMPUTED, preferred=None, reasons=(reason,))


def nearest_dose(best_mg: float, products: ProductList, form: str, settings: Settings) -> float:
    """Return the dose nearest to a wanted one that can be dispensed within the hard cap."""
    made = doses(products, form, up_to_mg=min(settings.hard_daily_cap_mg.value, settings.label_daily_cap_mg.value))
    return min(made, key=lambda dose_mg: abs(dose_mg - best_mg))


def _per_model(
    troughs: Troughs, target: Target, products: ProductList, form: str, settings: Settings
) -> tuple[ModelDose, ...]:
    found = []
    for view in troughs.views:
        best_mg = troughs.best_daily_mg(target, only=view.name)
        nearest_mg = nearest_dose(best_mg, products, form, settings)
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


def _range(per_model: Sequence[ModelDose], offered: Sequence[Option]) -> tuple[float, float]:
    """The models' own doses, never above what may be offered now."""
    most_mg = max(option.daily_mg for option in offered)
    nearest = [min(dose.nearest_mg, most_mg) for dose in per_model]
    return min(nearest), max(nearest)
