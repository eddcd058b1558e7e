# SPDX-License-Identifier: Apache-2.0
"""Exposure and response: levels before the landmark against the response at it; an association, never an effect.

Only levels drawn before the landmark count: exposure after a response says nothing of what caused it. Two biases stay
and are said on the page. *Reverse causation*: doses were changed because of the course, so a level can follow the
response. *Immortal time*: who stops early has no later levels, and who is not followed to the landmark is not in the
analysis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.firth import FirthFit, firth_logistic
from sirolens.engine.statistics.ranks import RankTest, mann_whitney
from sirolens.engine.statistics.roc import Auc, RocCurve, auc, roc_curve
from sirolens.study.cohort.exposure import Exposure, mean_before
from sirolens.study.cohort.outcomes import Outcomes
from sirolens.study.cohort.response import observed, responded

__all__ = ["ExposureResponse", "relation_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureResponse:
    """How levels before a landmark and response at it go together.

    Parameters
    ----------
    landmark_d : int
        The landmark.
    mean_ng_ml : float64[m]
        Mean level before it of each patient with a level and an observed verdict.
    response : bool[m]
        Overall response at it.
    left_out : int
        Patients observed at the landmark without any level before it.
    stopped : int
        Of those in the analysis, who had stopped sirolimus before the landmark.
    before_response : int
        Of the responders, those with no level before their response was achieved: their levels can only follow it.
    fit : FirthFit
        Odds ratio of response for each 1 ng/mL.
    test : RankTest
        Mann-Whitney of the mean levels.
    area : Auc
        Of the mean level for response.
    curve : RocCurve
        The same.
    """

    landmark_d: int
    mean_ng_ml: NDArray[np.float64]
    response: NDArray[np.bool_]
    left_out: int
    stopped: int
    before_response: int
    fit: FirthFit
    test: RankTest
    area: Auc
    curve: RocCurve


def relation_of(outcomes: Outcomes, exposure: Exposure, landmark_d: int, level: float) -> ExposureResponse | None:
    """Relate the mean level before a landmark to the response at it.

    Parameters
    ----------
    outcomes : Outcomes
        The classification.
    exposure : Exposure
        The levels.
    landmark_d : int
        One of the criteria's landmarks; else there is no relation.
    level : float
        Of the intervals.
    """
    index = outcomes.landmark_index(landmark_d)
    if index is None:
        return None
    states, reasons = outcomes.at_landmark(index)
    seen = observed(states, reasons)
    mean = np.array([mean_before(one, float(landmark_d)) for one in exposure.patients], np.float64)
    mean = mean.reshape(len(outcomes.ids))
    used = seen & np.isfinite(mean)
    yes = responded(states)
    stopped = (outcomes.stopped_d >= 0) & (outcomes.stopped_d < landmark_d)
    x, y = mean[used], yes[used]
    return ExposureResponse(
        landmark_d=landmark_d,
        mean_ng_ml=x,
        response=y,
        left_out=int((seen & ~np.isfinite(mean)).sum()),
        stopped=int((stopped & used).sum()),
        before_response=_only_after(outcomes, exposure, used & yes),
        fit=firth_logistic(x, y, level),
        test=mann_whitney(x[y], x[~y]),
        area=auc(x, y, level),
        curve=roc_curve(x, y),
    )


def _only_after(outcomes: Outcomes, exposure: Exposure, who: NDArray[np.bool_]) -> int:
    achieved = outcomes.classified.achieved_day
    return sum(
        1
        for index in np.flatnonzero(who)
        if not math.isfinite(mean_before(exposure.patients[int(index)], float(achieved[index])))
    )
