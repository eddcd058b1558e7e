# SPDX-License-Identifier: Apache-2.0
"""The label's own arithmetic, always shown beside the models: new dose = current dose x target / level, and loading.

It needs no model and no computer, so it is the independent check of every suggestion. It holds at steady state, for a
trough, on an unchanged dose; elsewhere it is not given, and the reason is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sirolens.dosing.interactions import Effect
from sirolens.dosing.present import Current, Who
from sirolens.dosing.products import ProductList, doses, smallest_step_mg
from sirolens.dosing.protocol import Settings
from sirolens.dosing.target import Target
from sirolens.message import Message, info, warning
from sirolens.models.timeline import History, Observed

__all__ = ["Loading", "Proportional", "compare", "dose_step_mg", "loading", "proportional"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proportional:
    """The proportional rule.

    Parameters
    ----------
    daily_mg : float, optional
        What the rule gives, not rounded; None where it does not hold.
    nearest_mg : float, optional
        The nearest dose that can be dispensed, at most the hard cap.
    message : Message
        The rule with its numbers, or why it does not hold.
    """

    daily_mg: float | None
    nearest_mg: float | None
    message: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """The label's loading dose for an increase.

    Parameters
    ----------
    dose_mg : float, optional
        On one day, before the new maintenance dose; None where none is offered.
    message : Message
        The dose, or why there is none.
    """

    dose_mg: float | None
    message: Message


def proportional(
    history: History | None,
    current: Current | None,
    target: Target,
    products: ProductList,
    settings: Settings,
    *,
    effects: Sequence[Effect] = (),
) -> Proportional:
    """Apply new = current x target / level to the newest level.

    ::

        D_new = D_now * C_target / C_level        C_target = sqrt(low * high)

    Parameters
    ----------
    history : History, optional
        Its newest used level counts; None where the chart could not be turned into numbers.
    current : Current, optional
        The regimen now.
    target : Target
        The range; its middle is aimed at.
    products : ProductList
        For the nearest dose.
    settings : Settings
        When a level counts as steady and as a trough.
    effects : sequence of Effect
        Interactions: a beginning or an end after the level silences the rule.
    """

    def not_given(why: Message) -> Proportional:
        return Proportional(daily_mg=None, nearest_mg=None, message=why)

    if current is None:
        return not_given(info("dosing.proportional-no-dose"))
    if history is None or not history.used:
        return not_given(info("dosing.proportional-no-level"))
    level = history.used[-1]
    if level.censoring != 0:
        return not_given(info("dosing.proportional-censored", level_ng_ml=level.level_ng_ml))
    since_d = (history.now_h - level.time_h) / 24.0
    if current.settled_d is not None and current.settled_d < since_d:
        return not_given(info("dosing.proportional-dose-changed", settled_d=current.settled_d, level_age_d=since_d))
    least_d = settings.days_before_next_change.value[0]
    if level.settled_d is not None and level.settled_d < least_d:
        return not_given(info("dosing.proportional-not-steady", settled_d=level.settled_d, least_d=least_d))
    if not _is_trough(level, current, settings):
        return not_given(info("dosing.proportional-not-trough", after_dose_h=level.after_dose_h))
    edges = (edge for effect in effects for edge in (effect.start, effect.full, effect.stop, effect.gone))
    if any(edge is not None and level.time_h < history.hours(edge) <= history.now_h for edge in edges):
        return not_given(info("dosing.proportional-interaction"))
    daily_mg = current.plan.daily_mg * target.aim_ng_ml / level.level_ng_ml
    form = current.plan.form if current.plan.form in products.forms else products.forms[0]
    grid = doses(products, form, up_to_mg=settings.hard_daily_cap_mg.value)
    nearest = min(grid, key=lambda dose_mg: abs(dose_mg - daily_mg), default=None)
    message = info(
        "dosing.proportional",
        source=settings.loading_factor.source,
        now_daily_mg=current.plan.daily_mg,
        aim_ng_ml=target.aim_ng_ml,
        level_ng_ml=level.level_ng_ml,
        rule_daily_mg=daily_mg,
    )
    return Proportional(daily_mg=daily_mg, nearest_mg=nearest, message=message)


def _is_trough(level: Observed, current: Current, settings: Settings) -> bool:
    if level.after_dose_h is None:
        return True  # a stated steady state with unknown dose times counts as a trough unless said otherwise
    # The window is written for once-daily doses; other rhythms take the same share of their interval.
    interval_h = current.plan.cycle.period_h / len(current.plan.cycle.amount_mg)
    low, high = settings.trough_window_h.value
    return low / 24.0 * interval_h <= level.after_dose_h <= high / 24.0 * interval_h


def compare(rule: Proportional, best_mg: float, products: ProductList, form: str, settings: Settings) -> Message | None:
    """Warn when the rule and the models differ by the set factor and by more than one dose step.

    Parameters
    ----------
    rule : Proportional
        From `proportional`.
    best_mg : float
        The models' best daily dose.
    products : ProductList
        For the dose step.
    form : str
        Of the patient.
    settings : Settings
        The factor.
    """
    if rule.daily_mg is None:
        return None
    ratio = max(rule.daily_mg / best_mg, best_mg / rule.daily_mg)
    step_mg = dose_step_mg(products, form, settings)
    if ratio <= settings.disagreement_ratio.value or abs(rule.daily_mg - best_mg) <= step_mg:
        return None
    return warning(
        "dosing.rule-disagrees",
        source=settings.disagreement_ratio.source,
        rule_daily_mg=rule.daily_mg,
        model_daily_mg=best_mg,
        ratio_fold=round(ratio, 1),
    )


def dose_step_mg(products: ProductList, form: str, settings: Settings) -> float:
    """Return what counts as one dose step when doses are compared."""
    if form == "solution":
        return max(settings.solution_step_mg.value, smallest_step_mg(products, form))
    return smallest_step_mg(products, form)


def loading(
    new_mg: float | None,
    current: Current | None,
    who: Who,
    *,
    blocked: bool,
    products: ProductList,
    form: str,
    settings: Settings,
    above_soft_cap: bool = False,
) -> Loading:
    """Compute the label's loading dose for a preferred increase: 3 x (new - current maintenance dose).

    It is rounded down to what can be dispensed and keeps the caps; children below the label's age, a start
    without an earlier dose and an unacknowledged critical message get none.

    Parameters
    ----------
    new_mg : float, optional
        Daily dose of the preferred option; None when there is none.
    current : Current, optional
        The regimen now.
    who : Who
        The age.
    blocked : bool
        An unacknowledged critical message stands.
    products, form, settings
        What can be dispensed, and the limits.
    above_soft_cap : bool
        A reason was given for doses above the soft cap.
    """

    def none(code: str) -> Loading:
        return Loading(dose_mg=None, message=info(code, source=settings.loading_factor.source))

    if new_mg is None or current is None or new_mg <= current.plan.daily_mg:
        return none("dosing.loading-no-increase")
    if who.age_years is None or who.age_years < settings.loading_least_age_years.value:
        return none("dosing.loading-too-young")
    if blocked:
        return none("dosing.loading-blocked")
    rule_mg = settings.loading_factor.value * (new_mg - current.plan.daily_mg)
    cap = min(
        (settings.hard_daily_cap_mg, settings.label_daily_cap_mg)
        if above_soft_cap
        else (settings.soft_daily_cap_mg, settings.hard_daily_cap_mg, settings.label_daily_cap_mg),
        key=lambda one: one.value,
    )
    if rule_mg > cap.value:
        above = info("dosing.loading-above-cap", source=cap.source, rule_mg=rule_mg, cap_daily_mg=cap.value)
        return Loading(dose_mg=None, message=above)
    made = [dose_mg for dose_mg in doses(products, form, up_to_mg=cap.value) if dose_mg <= rule_mg + 1e-9]
    if not made or made[-1] <= new_mg:
        return none("dosing.loading-too-small")
    low, high = settings.loading_check_days.value
    return Loading(
        dose_mg=made[-1],
        message=info(
            "dosing.loading",
            source=settings.loading_factor.source,
            load_mg=made[-1],
            rule_mg=rule_mg,
            new_daily_mg=new_mg,
            from_d=low,
            to_d=high,
        ),
    )
