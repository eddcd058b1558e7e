# SPDX-License-Identifier: Apache-2.0
"""What is true of a patient at the moment of advice: who it is, the newest values, and the regimen being taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Lab
from sirolens.dosing.history_doses import current_cycle, doses, settled_days
from sirolens.dosing.literature import source
from sirolens.dosing.products import PracticalRegimen, ProductList, practical
from sirolens.dosing.protocol import Settings
from sirolens.message import Message, error, info, warning
from sirolens.regimen import MORNING, Cycle, every

__all__ = ["Current", "Who", "day_of", "latest_lab", "present_regimen", "who"]


def day_of(chart: Chart, at: datetime) -> date:
    """Return the calendar day of an instant in the clinic's zone."""
    return at.astimezone(ZoneInfo(chart.zone)).date()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """What the advice needs to know of the patient.

    Parameters
    ----------
    group : str
        ``"adult"``, ``"child"``, ``"small-child"`` (a range over models, solution only), ``"infant"`` (no computed
        dose) or ``"unknown"`` (age, or a child's weight, not told).
    age_years, weight_kg : float, optional
        As known.
    messages : tuple of Message
        What follows from it.
    """

    group: str
    age_years: float | None
    weight_kg: float | None
    messages: tuple[Message, ...]


def latest_lab(chart: Chart, name: str) -> Lab | None:
    """Return the newest value of a laboratory quantity."""
    return max((lab for lab in chart.labs if lab.name == name), key=lambda lab: lab.at, default=None)


def who(chart: Chart, at: datetime, settings: Settings) -> Who:
    """Place the patient by age and weight (H15).

    Parameters
    ----------
    chart : Chart
        What is known at `at`.
    at : datetime
        The instant of the advice.
    settings : Settings
        The age and weight limits.

    Returns
    -------
    Who
        An infant (below 1 year or 7 kg) has an error among the messages: no dose is computed.
    """
    age = chart.patient.age_on(at.astimezone(ZoneInfo(chart.zone)).date())
    lab = latest_lab(chart, "weight")
    weight = None if lab is None else lab.value
    if age is None:
        return Who(group="unknown", age_years=None, weight_kg=weight, messages=(error("guardrails.age-missing"),))
    if age >= settings.adult_age_years.value:
        return Who(group="adult", age_years=age, weight_kg=weight, messages=())
    if age < settings.least_age_years.value or (weight is not None and weight < settings.least_weight_kg.value):
        too_small = error(
            "guardrails.infant",
            source=settings.least_weight_kg.source,
            age_years=age,
            weight_kg=weight,
            least_years=settings.least_age_years.value,
            least_kg=settings.least_weight_kg.value,
        )
        return Who(group="infant", age_years=age, weight_kg=weight, messages=(too_small,))
    if weight is None:
        return Who(
            group="unknown",
            age_years=age,
            weight_kg=None,
            messages=(error("guardrails.weight-missing", age_years=age),),
        )
    said = list(_child_scope(chart, age, weight, settings))
    if age < settings.range_age_years.value:
        said.append(warning("guardrails.small-child", source=settings.range_age_years.source, age_years=age))
        return Who(group="small-child", age_years=age, weight_kg=weight, messages=tuple(said))
    return Who(group="child", age_years=age, weight_kg=weight, messages=tuple(said))


def _child_scope(chart: Chart, age: float, weight: float, settings: Settings) -> list[Message]:
    """Children outside the cohorts the paediatric models come from (E9 and the weight range)."""
    said: list[Message] = []
    origin = source("clearance-at-30-kg")
    if chart.patient.population is None:
        said.append(info("guardrails.population-unknown", source=origin))
    elif chart.patient.population != "chinese":
        said.append(warning("guardrails.child-outside-chinese-cohorts", source=origin))
    low, high = settings.paediatric_weight_kg.value
    if weight > high:
        said.append(
            warning(
                "guardrails.teenager-outside-weights",
                source=settings.paediatric_weight_kg.source,
                age_years=age,
                weight_kg=weight,
                low_kg=low,
                high_kg=high,
            )
        )
    return said


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The regimen being taken.

    Parameters
    ----------
    plan : PracticalRegimen
        As a row of the table; no portions where the products cannot make it.
    clock : time
        When its first dose of the day is taken, clinic time.
    settled_d : float, optional
        Days since the dosing last changed; None: a steady state is stated.
    """

    plan: PracticalRegimen
    clock: time
    settled_d: float | None


def present_regimen(chart: Chart, at: datetime, products: ProductList) -> Current | None:
    """Return what the patient takes at an instant, or None when nothing repeats.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        The instant of the advice.
    products : ProductList
        To say what makes each intake.
    """
    zone = ZoneInfo(chart.zone)
    found, _ = doses(chart, at)
    repeating = current_cycle(chart, found, at)
    if repeating is None:
        return None
    intakes = (*found.before, *found.intakes)
    clock = intakes[-1].at.astimezone(zone).time().replace(tzinfo=None) if intakes else MORNING
    spans = chart.prescribed_spans(at)
    form = spans[-1][0].form if spans else _dose_form(chart)
    settled_d, _ = settled_days(found, at, zone)
    pattern = _pattern(repeating)
    if pattern == "other":
        regimen = spans[-1][0].regimen if spans else every(repeating.amount_mg[0], repeating.period_h)
        plan = PracticalRegimen(regimen=regimen, cycle=repeating, form=form, pattern=pattern, portions=())
    else:
        made = practical(
            products, form if form in products.forms else products.forms[0], pattern, repeating.amount_mg, clock
        )
        complete = form in products.forms and len(made.portions) == len(repeating.amount_mg)
        plan = replace(made, cycle=repeating, form=form, portions=made.portions if complete else ())
    return Current(plan=plan, clock=clock, settled_d=settled_d)


def _pattern(repeating: Cycle) -> str:
    rhythm = (repeating.period_h, repeating.offset_h)
    known = {
        (24.0, (0.0,)): "daily",
        (48.0, (0.0,)): "alternate-days",
        (24.0, (0.0, 12.0)): "twice-daily",
    }
    return known.get(rhythm, "other")


def _dose_form(chart: Chart) -> str:
    return max(chart.doses, key=lambda dose: dose.at).form if chart.doses else "unknown"
