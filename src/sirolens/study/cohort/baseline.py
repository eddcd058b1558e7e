# SPDX-License-Identifier: Apache-2.0
"""Table 1: who the patients were before the first dose, arms side by side, what is missing counted, no P values.

A test of baseline differences between randomised arms tests chance, and between others it invites selection of
covariates; the table therefore describes and does not test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final
from zoneinfo import ZoneInfo

import numpy as np

from sirolens.chart import Chart, Sex
from sirolens.response.cohort import Characteristic, CharacteristicKind, Cohort
from sirolens.response.visits import BaselineState
from sirolens.study.cohort.outcomes import Outcomes, first_dose

__all__ = ["ADULT_YEARS", "BaselineRow", "Numeric", "age_of", "baseline_table", "prior_drugs", "values_of"]

T = TypeVar("T")

ADULT_YEARS = 18.0
WEIGHT_DAYS = 90


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric:
    """A number's distribution in one group: median with quartiles, and the range."""

    n: int
    median: float
    low: float
    high: float
    least: float
    most: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRow:
    """One line: a number, or one value of a category.

    Parameters
    ----------
    name : str
        What it is: a word of the program's, or the name of a declared characteristic.
    value : str
        The category's value; empty for a number.
    declared : Characteristic, optional
        Where the study declared it.
    numbers : tuple of Numeric
        One for all patients and one for each arm; empty for a category.
    counts : tuple of (int, int)
        How many have the value, of how many known; empty for a number.
    missing : tuple of int
        Patients of whom it is not known.
    """

    name: str
    value: str = ""
    declared: Characteristic | None = None
    numbers: tuple[Numeric, ...] = ()
    counts: tuple[tuple[int, int], ...] = ()
    missing: tuple[int, ...] = ()


def age_of(chart: Chart) -> float | None:
    """Return the age in years on the day of the first dose."""
    start = first_dose(chart)
    return None if start is None else chart.patient.age_on(start.astimezone(ZoneInfo(chart.zone)).date())


def _weight(chart: Chart) -> float | None:
    start = first_dose(chart)
    if start is None:
        return None
    near = [
        (abs((lab.at - start).total_seconds()), lab.value)
        for lab in chart.labs
        if lab.name == "weight" and abs((lab.at - start).days) <= WEIGHT_DAYS
    ]
    return min(near)[1] if near else None


def prior_drugs(chart: Chart) -> int | None:
    """Count the different ITP drugs begun before the first dose.

    None where no therapy is recorded at all, or where it is not recorded what one of them was given for.
    """
    start = first_dose(chart)
    earlier = [] if start is None else [one for one in chart.therapies if one.at < start]
    if start is None or not chart.therapies or any(one.role == "unknown" for one in earlier):
        return None
    return len({one.drug for one in earlier if one.role in ("itp", "rescue")})


def _sex(chart: Chart) -> str | None:
    return None if chart.patient.sex is Sex.UNKNOWN else chart.patient.sex.value


def _age_group(chart: Chart) -> str | None:
    age = age_of(chart)
    return None if age is None else "adult" if age >= ADULT_YEARS else "child"


def values_of(characteristic: Characteristic, ids: Sequence[str]) -> list[float | str | bool | None]:
    """Return the values of a declared characteristic, None where a patient has none."""
    return [characteristic.values.get(one) for one in ids]


def numeric(values: Sequence[float]) -> Numeric:
    """Describe numbers: quartiles by linear interpolation between ranks.

    >>> numeric([1.0, 2.0, 4.0]).median
    2.0
    """
    if not values:
        nan = math.nan
        return Numeric(n=0, median=nan, low=nan, high=nan, least=nan, most=nan)
    low, median, high = (float(q) for q in np.quantile(np.asarray(values, float), (0.25, 0.5, 0.75)))
    return Numeric(n=len(values), median=median, low=low, high=high, least=min(values), most=max(values))


def baseline_table(cohort: Cohort, outcomes: Outcomes) -> tuple[BaselineRow, ...]:
    """Describe the cohort before the first dose.

    Parameters
    ----------
    cohort : Cohort
        Gives the declared characteristics.
    outcomes : Outcomes
        The charts, the arms and the baseline counts as the classification took them.
    """
    arms = outcomes.arm_names if len(outcomes.arm_names) > 1 else ()
    members = [outcomes.member(None), *(outcomes.member(arm) for arm in arms)]
    usable = outcomes.visits.baseline_state == BaselineState.USABLE
    counts = [float(c) if ok else None for c, ok in zip(outcomes.visits.baseline_10e9_l, usable, strict=True)]

    def number(name: str, values: Sequence[float | None], declared: Characteristic | None = None) -> BaselineRow:
        groups = [[v for v, inside in zip(values, member, strict=True) if inside] for member in members]
        known = [[v for v in group if v is not None] for group in groups]
        return BaselineRow(
            name=name,
            declared=declared,
            numbers=tuple(numeric(group) for group in known),
            missing=tuple(len(group) - len(k) for group, k in zip(groups, known, strict=True)),
        )

    def category(name: str, values: Sequence[str | None], declared: Characteristic | None = None) -> list[BaselineRow]:
        groups = [[v for v, inside in zip(values, member, strict=True) if inside] for member in members]
        known = [[v for v in group if v is not None] for group in groups]
        missing = tuple(len(group) - len(k) for group, k in zip(groups, known, strict=True))
        return [
            BaselineRow(
                name=name,
                value=value,
                declared=declared,
                counts=tuple((k.count(value), len(k)) for k in known),
                missing=missing,
            )
            for value in sorted({one for one in values if one is not None}) or [""]
        ]

    charts = outcomes.charts
    rows = [
        number("age-years", _each(charts, age_of)),
        *category("age-group", _each(charts, _age_group)),
        *category("sex", _each(charts, _sex)),
        number("weight-kg", _each(charts, _weight)),
        *category("diagnosis", [chart.patient.diagnosis for chart in charts]),
        number("prior-drugs", [None if n is None else float(n) for n in _each(charts, prior_drugs)]),
        number("baseline-count", counts),
    ]
    for one in cohort.characteristics:
        values = values_of(one, outcomes.ids)
        if one.kind is CharacteristicKind.NUMBER:
            rows.append(number(one.name, [None if v is None else float(v) for v in values], one))
        else:
            rows += category(one.name, [_as_text(v) for v in values], one)
    return tuple(rows)


def _as_text(value: float | str | bool | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _each(charts: Sequence[Chart], ask: Callable[[Chart], T]) -> list[T]:
    return [ask(chart) for chart in charts]
