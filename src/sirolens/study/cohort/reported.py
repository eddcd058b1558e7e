# SPDX-License-Identifier: Apache-2.0
"""The source's own response column beside the verdict: where they disagree, both are told, neither is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sirolens.message import Place
from sirolens.response.cohort import Cohort, ReportedResponse
from sirolens.response.states import STATES, Reason, State
from sirolens.study.cohort.outcomes import Outcomes

__all__ = ["Contradiction", "contradictions"]

AGREES = {
    "complete": (State.COMPLETE,),
    "partial": (State.RESPONSE,),
    "response": (State.COMPLETE, State.RESPONSE),
    "no-response": (State.NO_RESPONSE,),
    "relapse": (State.NO_RESPONSE,),
    "not-evaluable": (State.NOT_EVALUABLE, State.TOO_EARLY, State.NOT_DUE),
}
"""Verdicts that a reported word agrees with; any other word is told as it is, not compared."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A reported response that the counts do not bear out.

    Parameters
    ----------
    patient : str
        The pseudonym.
    reported : ReportedResponse
        As the source has it.
    landmark_d : int, optional
        The landmark it is about; None: the best response of the course.
    found : State
        The verdict.
    reason : Reason, optional
        Why, at a landmark.
    readable : bool
        False: the reported word is none we know; it is shown beside the verdict.
    place : Place, optional
        Where it stands.
    """

    patient: str
    reported: ReportedResponse
    landmark_d: int | None
    found: State
    reason: Reason | None
    readable: bool
    place: Place | None


def contradictions(cohort: Cohort, outcomes: Outcomes) -> tuple[tuple[Contradiction, ...], int]:
    """Compare what the source says with the verdict.

    Parameters
    ----------
    cohort : Cohort
        Holds the reported responses.
    outcomes : Outcomes
        The classification.

    Returns
    -------
    tuple of Contradiction, int
        Those that disagree or cannot be read, and how many were compared.
    """
    found, seen = [], 0
    for index, patient in enumerate(outcomes.ids):
        for reported in cohort.reported.get(patient, ()):
            seen += 1
            one = _compared(outcomes, index, patient, reported)
            if one is not None:
                found.append(one)
    return tuple(found), seen


def _compared(outcomes: Outcomes, index: int, patient: str, reported: ReportedResponse) -> Contradiction | None:
    position = None if reported.landmark_d is None else outcomes.landmark_index(reported.landmark_d)
    reason = None
    if position is not None:
        states, reasons = outcomes.at_landmark(position)
        state, reason = STATES[int(states[index])], Reason(int(reasons[index]))
    else:
        best = int(outcomes.classified.best[index])
        state = STATES[best] if best >= 0 else State.NOT_EVALUABLE
    expected = AGREES.get(reported.response)
    if expected is not None and state in expected:
        return None
    return Contradiction(
        patient=patient,
        reported=reported,
        landmark_d=None if position is None else reported.landmark_d,
        found=state,
        reason=reason,
        readable=expected is not None,
        place=reported.place,
    )
