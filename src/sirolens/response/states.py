# SPDX-License-Identifier: Apache-2.0
"""The words of a classification: states, reasons, and the arrays that hold them for many patients."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEVER", "STATES", "Classified", "OffTreatment", "Reason", "State"]

Days: TypeAlias = NDArray[np.int32]
Codes: TypeAlias = NDArray[np.int8]

NEVER = -1
"""In arrays of days: it did not happen."""


@final
class State(StrEnum):
    """Where a patient stands; arrays hold its position in `STATES`."""

    TOO_EARLY = "too-early"
    PROVISIONAL = "provisional"
    COMPLETE = "complete"
    RESPONSE = "response"
    NO_RESPONSE = "no-response"
    NOT_EVALUABLE = "not-evaluable"
    PLATELETS_ONLY = "platelets-only"
    NOT_DUE = "not-due"


STATES = tuple(State)
"""States in the order of their codes."""


@final
class Reason(IntEnum):
    """Why a state was given (rules R-27, R-28 and R-37 to R-40)."""

    CONFIRMED = 0
    NOT_STARTED = 1
    BASELINE_TOO_HIGH = 2
    FAILURE = 3
    BASELINE = 4
    BLEEDING_NOT_ASKED = 5
    LATE = 6
    UNCONFIRMED = 7
    NO_COUNT = 8
    LOST = 9
    RESCUE = 10
    NO_RESPONSE_YET = 11
    MASKED = 12
    NEVER_RESPONDED = 13
    STEROID_DEPENDENT = 14
    NOT_DUE = 15
    MISSING = 16
    COUNT = 17
    SINGLE = 18
    NOT_CONFIRMED_ON_TREATMENT = 19


@final
class OffTreatment(IntEnum):
    """How a remission off treatment stands (rule R-35)."""

    NOT_STOPPED = 0
    RUNNING = 1
    REACHED = 2
    FAILED = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classified:
    """The classification of n patients at L landmarks; days are -1 where something did not happen.

    Parameters
    ----------
    state, reason : int8[n]
        Position in `STATES`, and a `Reason`.
    platelet_state : int8[n]
        The same with every bleeding that was not asked taken as none (rule R-26).
    achieved_day, confirmed_day, lost_day, relapse_day : int32[n]
        Of the first response that is not late (R-31, R-18).
    achieved_state : int8[n]
        Position in `STATES`; -1 none.
    cr_achieved_day, cr_confirmed_day, cr_lost_day : int32[n]
        The same of the first complete response; lost by counts or ended by an event.
    time_to_response_d, time_to_complete_d : int32[n]
        Rule R-31.
    duration_d, cr_duration_d : int32[n]
        Duration (a), rule R-33; -1 without a response.
    duration_ended, cr_duration_ended : bool[n]
        Whether the duration ended; else it is censored.
    days_in_response, days_examined : int32[n]
        Duration (b).
    episodes : int32[n]
        Confirmed responses that are not late.
    pending_day : int32[n]
        Day of a failing count that stands alone in a running response, not a loss (R-17).
    candidate_day : int32[n]
        Day of the first qualifying count that awaits its confirmation.
    last_count_day : int32[n]
        Day of the last count looked at.
    best : int8[n]
        Position in `STATES`: complete, response or no-response (R-32); -1 where no count was evaluable.
    sustained : int8[n]
        1 yes, 0 no, -1 not known yet (R-34).
    off_treatment : int8[n]
        An `OffTreatment`.
    off_treatment_day, off_treatment_end_day : int32[n]
        When it was reached, and when it failed (R-35).
    late_day : int32[n]
        Achieved day of the first late response (R-19).
    failure_day : int32[n]
        First treatment failure (R-23).
    failure_kind : int8[n]
        Its `sirolens.response.visits.EventKind`; -1 none.
    ended_kind : int8[n]
        Kind of the event that ended the first response; -1 when counts did or nothing has.
    steroid_dependent_day, steroid_dependent_last_day : int32[n]
        First and last dependent day up to the known day (R-24).
    landmark_state, landmark_reason : int8[n, L]
        The composite estimand (R-37).
    landmark_single, landmark_single_reason : int8[n, L]
        By the winning count alone (R-39).
    landmark_policy, landmark_policy_reason : int8[n, L]
        Treatment policy (R-40).
    landmark_on_treatment, landmark_on_treatment_reason : int8[n, L]
        While on treatment (R-40).
    landmark_row : int64[n, L]
        Row of the winning count in the visits; -1 none.
    """

    state: Codes
    reason: Codes
    platelet_state: Codes
    achieved_day: Days
    achieved_state: Codes
    confirmed_day: Days
    lost_day: Days
    relapse_day: Days
    cr_achieved_day: Days
    cr_confirmed_day: Days
    cr_lost_day: Days
    time_to_response_d: Days
    time_to_complete_d: Days
    duration_d: Days
    duration_ended: NDArray[np.bool_]
    cr_duration_d: Days
    cr_duration_ended: NDArray[np.bool_]
    days_in_response: Days
    days_examined: Days
    episodes: Days
    pending_day: Days
    candidate_day: Days
    last_count_day: Days
    best: Codes
    sustained: Codes
    off_treatment: Codes
    off_treatment_day: Days
    off_treatment_end_day: Days
    late_day: Days
    failure_day: Days
    failure_kind: Codes
    ended_kind: Codes
    steroid_dependent_day: Days
    steroid_dependent_last_day: Days
    landmark_state: Codes
    landmark_reason: Codes
    landmark_single: Codes
    landmark_single_reason: Codes
    landmark_policy: Codes
    landmark_policy_reason: Codes
    landmark_on_treatment: Codes
    landmark_on_treatment_reason: Codes
    landmark_row: NDArray[np.int64]
