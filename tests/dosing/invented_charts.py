# SPDX-License-Identifier: Apache-2.0
"""Invented patients and invented posteriors for the tests of the dosing room."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sirolens.chart import (
    AdverseEvent,
    Chart,
    Lab,
    Level,
    Patient,
    PlateletCount,
    Prescription,
    Procedure,
    Sex,
    Therapy,
)
from sirolens.dosing.attainment import Draws
from sirolens.dosing.history import from_chart
from sirolens.dosing.options import Band
from sirolens.dosing.posterior import Posterior
from sirolens.dosing.troughs import Troughs, View
from sirolens.models.timeline import History
from sirolens.regimen import Cycle, Regimen, daily

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 6, 1, 0, tzinfo=UTC)  # eight in the morning in the clinic: the time of the dose
DRAWS = 2000
EVERYTHING = frozenset({"steady-state-trough", "early-level", "time-course", "auc", "half-life"})
TROUGH_ONLY = frozenset({"steady-state-trough"})


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def view(
    name: str = "one",
    *,
    trough_per_mg: float = 3.0,
    log_sd: float = 0.3,
    half_life_h: float = 60.0,
    weight: float = 1.0,
    supports: frozenset[str] = TROUGH_ONLY,
    seed: int = 1,
    proportional: bool = True,
) -> View:
    """A one-compartment posterior with bolus input: troughs by superposition, closed form."""
    clearance = np.exp(np.random.default_rng(seed).normal(0.0, log_sd, DRAWS))
    k = np.log(2) / half_life_h

    def draw(cycle: Cycle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        unit = trough_per_mg * (1 - np.exp(-k * 24)) / np.exp(-k * 24)
        lowest = np.full(DRAWS, np.inf)
        for at_h in cycle.offset_h:
            since = [(at_h - other) % cycle.period_h or cycle.period_h for other in cycle.offset_h]
            total = sum(
                amount * np.exp(-k * gap) / (1 - np.exp(-k * cycle.period_h))
                for amount, gap in zip(cycle.amount_mg, since, strict=True)
            )
            lowest = np.minimum(lowest, unit * total / clearance)
        return lowest, np.full(DRAWS, 1.0 / DRAWS)

    return View(name=name, label=name.title(), weight=weight, supports=supports, proportional=proportional, draw=draw)


def troughs(*views: View) -> Troughs:
    chosen = views or (view(),)
    total = sum(one.weight for one in chosen)
    scaled = tuple(
        View(
            name=one.name,
            label=one.label,
            weight=one.weight / total,
            supports=one.supports,
            proportional=one.proportional,
            draw=one.draw,
        )
        for one in chosen
    )
    return Troughs(views=scaled, additive_ng_ml=0.5, proportional=0.2)


def posterior(*views: View) -> Posterior:
    def no_auc(cycle: Cycle) -> Band | None:
        return None

    return Posterior(troughs=troughs(*views), messages=(), auc24=no_auc)


def patient(age: float = 45.0, **values: object) -> Patient:
    born = date(2026, 6, 1) - timedelta(days=round(age * 365.25) + 10)
    return Patient(id="invented", born=born, sex=Sex.MALE, invented=True, **values)


def lab(name: str, value: float, unit: str = "", days: float = 5.0) -> Lab:
    return Lab(at=days_ago(days), recorded=days_ago(days), name=name, value=value, unit=unit)


def level(value: float, days: float = 1.0, **values: object) -> Level:
    return Level(at=days_ago(days), recorded=days_ago(days), level_ng_ml=value, **values)


def count(value: float, days: float = 1.0) -> PlateletCount:
    return PlateletCount(at=days_ago(days), recorded=days_ago(days), count_10e9_l=value)


def prescription(
    regimen: Regimen | None = None, days: float = 60.0, form: str = "tablet", **values: object
) -> Prescription:
    return Prescription(
        at=days_ago(days),
        recorded=days_ago(days),
        regimen=regimen or daily(2),
        form=form,
        **values,
    )


def therapy(drug: str, days: float = 20.0, stop: float | None = None) -> Therapy:
    return Therapy(at=days_ago(days), recorded=days_ago(days), drug=drug, stop=None if stop is None else days_ago(stop))


def event(term: str, grade: int | None = None) -> AdverseEvent:
    return AdverseEvent(at=days_ago(3), recorded=days_ago(3), term=term, grade=grade)


def procedure(kind: str, in_days: float) -> Procedure:
    return Procedure(at=days_ago(3), recorded=days_ago(3), kind=kind, planned_for=NOW + timedelta(days=in_days))


def chart(age: float = 45.0, weight: float | None = 60.0, **facts: object) -> Chart:
    labs = tuple(facts.pop("labs", ()))
    if weight is not None:
        labs = (*labs, lab("weight", weight, "kg"))
    who = facts.pop("patient", None) or patient(age)
    return Chart(patient=who, zone=ZONE, labs=labs, **facts)


def history(found: Chart, at: datetime = NOW) -> History:
    return from_chart(found, at)[0]


def draws_of(found: Troughs, cycle: Cycle) -> tuple[Draws, ...]:
    return found.of(cycle)[0]
