# SPDX-License-Identifier: Apache-2.0
"""Patient flow: how many entered, started, could be judged, were followed to each landmark, and why others left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.chart import Chart
from sirolens.response.cohort import Cohort
from sirolens.response.states import Reason, State
from sirolens.response.visits import BaselineState
from sirolens.study.cohort.outcomes import Outcomes, code

__all__ = ["FlowStep", "consent_of", "flow_of"]

RESEARCH = "research"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One line of the flow.

    Parameters
    ----------
    step : str
        What it counts, such as ``"started"`` or ``"left"``.
    detail : str
        Why, for those who left, or the day of a landmark; may be empty.
    counts : tuple of int
        All patients, then each arm of a study of several.
    """

    step: str
    detail: str = ""
    counts: tuple[int, ...]


def flow_of(cohort: Cohort, outcomes: Outcomes) -> tuple[FlowStep, ...]:
    """Count the patients at every step.

    Parameters
    ----------
    cohort : Cohort
        Says how each patient's time in the study ended.
    outcomes : Outcomes
        The classification.
    """
    arms = outcomes.arm_names if len(outcomes.arm_names) > 1 else ()
    members = [outcomes.member(None), *(outcomes.member(arm) for arm in arms)]

    def step(name: str, who: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], detail: str = "") -> FlowStep:
        return FlowStep(step=name, detail=detail, counts=tuple(int((who & member).sum()) for member in members))

    everybody = np.ones(len(outcomes.ids), np.bool_)
    started = outcomes.followed_d >= 0
    baseline = outcomes.visits.baseline_state
    too_high = outcomes.classified.reason == int(Reason.BASELINE_TOO_HIGH)
    steps = [step("entered", everybody), *_consents(outcomes, step), step("started", started)]
    steps += [
        step("baseline-usable", started & (baseline == BaselineState.USABLE) & ~too_high),
        step("baseline-missing", started & (baseline == BaselineState.MISSING)),
        step("baseline-masked", started & (baseline == BaselineState.MASKED)),
        step("baseline-high", started & too_high),
        step("stopped", outcomes.stopped_d >= 0),
        step("failed", outcomes.classified.failure_day >= 0),
        step("died", outcomes.died_d >= 0),
    ]
    whys = np.array([_why(cohort, one) for one in outcomes.ids], dtype=object)
    for why in sorted(Counter(str(one) for one in whys if one)):
        steps.append(step("left", np.asarray(whys == why, np.bool_), why))
    for index, day in enumerate(outcomes.criteria.landmarks_d):
        states, _reasons = outcomes.at_landmark(index)
        due = started & (states != code(State.NOT_DUE))
        counted = due & (outcomes.classified.landmark_row[:, index] >= 0)
        steps += [step("due", due, str(day)), step("counted", counted, str(day))]
    return tuple(steps)


def consent_of(chart: Chart) -> bool | None:
    """Return the last word on the use for research: given, refused or withdrawn; None where nothing is recorded."""
    told = sorted((one for one in chart.consents if one.scope == RESEARCH), key=lambda one: (one.at, one.recorded))
    return None if not told else told[-1].given and told[-1].stop is None


def _consents(outcomes: Outcomes, step: Callable[..., FlowStep]) -> list[FlowStep]:
    """Consent to research, where any patient's is recorded."""
    told = [consent_of(chart) for chart in outcomes.charts]
    if all(one is None for one in told):
        return []
    return [
        step("consented", np.array([one is True for one in told], np.bool_)),
        step("refused", np.array([one is False for one in told], np.bool_)),
        step("consent-unknown", np.array([one is None for one in told], np.bool_)),
    ]


def _why(cohort: Cohort, patient: str) -> str:
    told = cohort.follow_up.get(patient)
    return "" if told is None or (told.left is None and told.died is None) else told.why
