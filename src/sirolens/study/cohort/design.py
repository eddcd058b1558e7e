# SPDX-License-Identifier: Apache-2.0
"""The two-stage design a study was planned by: where it stands, what may be said after it, and whether it is futile.

Patients are taken in the order of their first doses, as the design was to see them; the verdict is that of everyone
due at the primary landmark. A trial that went on although its rule said stop has no estimate here: none is defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.phase2 import (
    PredictiveProbability,
    SingleStage,
    TwoStageDesign,
    TwoStageResult,
    after_two_stages,
    predictive_probability,
    sample_size_single_stage,
    simon_two_stage,
)
from sirolens.response.states import State
from sirolens.study.cohort.outcomes import Outcomes, code, first_dose
from sirolens.study.cohort.protocol import Design, StudyProtocol
from sirolens.study.cohort.response import responded

__all__ = ["DesignReading", "DesignState", "design_reading"]


class DesignState(StrEnum):
    """Where a two-stage trial stands."""

    NO_DESIGN = "no-design"
    FIRST_STAGE = "first-stage"
    STOPPED = "stopped"
    WENT_ON = "went-on"
    SECOND_STAGE = "second-stage"
    FINISHED = "finished"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DesignReading:
    """A study read by its design.

    Parameters
    ----------
    asked : Design
        What was planned.
    state : DesignState
        Where it stands.
    design : TwoStageDesign, optional
        The design; None where no size keeps both error rates.
    single : SingleStage, optional
        What one stage would need.
    responders, judged : int
        Of the patients in order whose verdict is due, those that count for the design.
    beyond : int
        Patients with a verdict after the last one of the design: not in its estimate.
    result : TwoStageResult, optional
        What may be said once it has ended.
    predictive : PredictiveProbability, optional
        What a running one will probably say.
    """

    asked: Design
    state: DesignState
    design: TwoStageDesign | None
    single: SingleStage | None
    responders: int
    judged: int
    beyond: int = 0
    result: TwoStageResult | None = None
    predictive: PredictiveProbability | None = None


def _in_order(outcomes: Outcomes, index: int, complete: bool) -> NDArray[np.bool_]:
    """Verdicts of those who are due, in the order of their first doses, up to the first who is not due yet."""
    states, _ = outcomes.at_landmark(index)
    yes = states == code(State.COMPLETE) if complete else responded(states)
    starts = [(first_dose(chart), place) for place, chart in enumerate(outcomes.charts)]
    order = [place for at, place in sorted((at, place) for at, place in starts if at is not None)]
    due = states != code(State.NOT_DUE)
    judged = []
    for place in order:
        if not due[place]:
            break
        judged.append(bool(yes[place]))
    return np.array(judged, np.bool_)


def design_reading(outcomes: Outcomes, protocol: StudyProtocol) -> DesignReading | None:
    """Read a study by the design it was planned by.

    Parameters
    ----------
    outcomes : Outcomes
        The classification.
    protocol : StudyProtocol
        Names the design; without one there is nothing to read.
    """
    asked = protocol.design
    index = outcomes.landmark_index(protocol.primary_landmark_d)
    if asked is None or index is None:
        return None
    judged = _in_order(outcomes, index, asked.outcome == "complete")
    pair = simon_two_stage(asked.p0, asked.p1, asked.alpha, asked.beta)
    design = pair.optimal if asked.kind == "optimal" else pair.minimax
    if design is None:
        none = DesignState.NO_DESIGN
        return DesignReading(
            asked=asked, state=none, design=None, single=None, responders=int(judged.sum()), judged=judged.size
        )
    single = sample_size_single_stage(asked.p0, asked.p1, asked.alpha, asked.beta)
    return _read(asked, design, single, judged, protocol)


def _read(
    asked: Design, design: TwoStageDesign, single: SingleStage, judged: NDArray[np.bool_], protocol: StudyProtocol
) -> DesignReading:
    first = int(judged[: design.n1].sum())
    used = judged[: design.n]
    beyond = judged.size - used.size
    state, result, predictive = DesignState.SECOND_STAGE, None, None
    if judged.size < design.n1:
        state = DesignState.FIRST_STAGE
    elif first <= design.r1:
        state = DesignState.STOPPED if judged.size == design.n1 else DesignState.WENT_ON
        if state is DesignState.STOPPED:
            result = after_two_stages(design, first, level=protocol.interval_level)
    elif judged.size >= design.n:
        state = DesignState.FINISHED
        result = after_two_stages(design, first, int(used.sum()) - first, level=protocol.interval_level)
    if state in (DesignState.FIRST_STAGE, DesignState.SECOND_STAGE):
        predictive = predictive_probability(int(used.sum()), used.size, design.n, design.r, *protocol.prior)
    return DesignReading(
        asked=asked,
        state=state,
        design=design,
        single=single,
        responders=int(used.sum()),
        judged=used.size,
        beyond=beyond,
        result=result,
        predictive=predictive,
    )
