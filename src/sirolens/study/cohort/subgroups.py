# SPDX-License-Identifier: Apache-2.0
"""Response in subgroups at the primary landmark: counts with exact intervals, side by side, without tests.

A P value for each of many small groups would find what is not there; intervals that overlap are left to the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.response.cohort import Characteristic, CharacteristicKind, Cohort
from sirolens.response.states import State
from sirolens.study.cohort.baseline import ADULT_YEARS, age_of, values_of
from sirolens.study.cohort.outcomes import Outcomes, code
from sirolens.study.cohort.protocol import StudyProtocol
from sirolens.study.cohort.response import Rate, rate, responded

__all__ = ["MOST_VALUES", "Subgroup", "subgroups"]

MOST_VALUES = 6
"""A category of more values is no subgroup."""
LOW_BASELINE_10E9_L = 10.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """One group.

    Parameters
    ----------
    factor : str
        What it is a group of, such as ``"sex"``, or a declared characteristic's name.
    value : str
        Which group; empty: not known.
    declared : Characteristic, optional
        Where the study declared it.
    rate : Rate
        Overall response of everyone due.
    """

    factor: str
    value: str
    declared: Characteristic | None
    rate: Rate


def _age_group(age: float | None) -> str:
    return "" if age is None else "adult" if age >= ADULT_YEARS else "child"


def _factors(cohort: Cohort, outcomes: Outcomes) -> list[tuple[str, Sequence[str], Characteristic | None]]:
    baseline = outcomes.visits.baseline_10e9_l
    low = [
        "" if not np.isfinite(b) else "baseline-low" if b < LOW_BASELINE_10E9_L else "baseline-not-low"
        for b in baseline
    ]
    sexes = ["" if chart.patient.sex.value == "unknown" else chart.patient.sex.value for chart in outcomes.charts]
    found: list[tuple[str, Sequence[str], Characteristic | None]] = [
        ("age-group", [_age_group(age_of(chart)) for chart in outcomes.charts], None),
        ("sex", sexes, None),
        ("diagnosis", [chart.patient.diagnosis for chart in outcomes.charts], None),
        ("baseline-group", low, None),
    ]
    if len(outcomes.arm_names) > 1:
        found.append(("arm", list(outcomes.arms), None))
    for one in cohort.characteristics:
        if one.kind is not CharacteristicKind.NUMBER:
            values = values_of(one, outcomes.ids)
            found.append((one.name, ["" if v is None else _text(v) for v in values], one))
    return found


def _text(value: float | str | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def subgroups(cohort: Cohort, outcomes: Outcomes, protocol: StudyProtocol) -> tuple[Subgroup, ...]:
    """Return the response of every subgroup with more than one value.

    Parameters
    ----------
    cohort : Cohort
        Gives the declared characteristics.
    outcomes : Outcomes
        The classification.
    protocol : StudyProtocol
        Gives the landmark and the level.
    """
    index = outcomes.landmark_index(protocol.primary_landmark_d)
    if index is None:
        return ()
    states, _ = outcomes.at_landmark(index)
    due = states != code(State.NOT_DUE)
    yes = responded(states)
    found = []
    for factor, values, declared in _factors(cohort, outcomes):
        named = sorted({one for one in values if one})
        if not 2 <= len(named) <= MOST_VALUES:
            continue
        for value in (*named, *([""] if "" in values else [])):
            inside = np.array([one == value for one in values], np.bool_) & due
            k, n = int((yes & inside).sum()), int(inside.sum())
            found.append(Subgroup(factor=factor, value=value, declared=declared, rate=rate("overall", k, n, protocol)))
    return tuple(found)
