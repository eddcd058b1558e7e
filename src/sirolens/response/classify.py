# SPDX-License-Identifier: Apache-2.0
"""Classify responses: one call for a chart, a cohort or a million virtual patients.

The rules are numbered in ``docs/science/response.md``; the kernels are `sirolens.response.kernel_rows` and
`sirolens.response.kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.lanes import over_chunks
from sirolens.response import kernel, kernel_rows
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import Classified
from sirolens.response.visits import BaselineState, EventKind, Visits

__all__ = ["Held", "classify", "classify_and_hold"]

Wholes: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# The columns the kernels write, in their order.
DAYS = (
    "achieved_day", "confirmed_day", "lost_day", "relapse_day", "cr_achieved_day", "cr_confirmed_day", "cr_lost_day",
    "time_to_response_d", "time_to_complete_d", "duration_d", "cr_duration_d", "days_in_response", "days_examined",
    "episodes", "pending_day", "candidate_day", "last_count_day", "late_day",
)  # fmt: skip
HELD = ("since_day", "confirmed_day", "waiting_day", "ended_day", "ended_kind")
CODES = (
    "state", "reason", "platelet_state", "achieved_state", "best", "sustained", "ended_kind", "duration_ended",
    "cr_duration_ended",
)  # fmt: skip
AT_LANDMARKS = (
    "landmark_state", "landmark_reason", "landmark_single", "landmark_single_reason", "landmark_policy",
    "landmark_policy_reason", "landmark_on_treatment", "landmark_on_treatment_reason",
)  # fmt: skip
WORTH = 2000  # patients that make a further thread worth its start
BLOCK = 2048  # patients whose walks stay in the processor's cache


def _absent(number: float | None) -> float:
    return float("nan") if number is None else number


def _choices(criteria: CriteriaSet) -> kernel.Choices:
    return kernel.Choices(
        complete_10e9_l=criteria.complete_10e9_l,
        response_10e9_l=_absent(criteria.response_10e9_l),
        response_fold=_absent(criteria.response_fold),
        complete_above=criteria.complete_operator == ">",
        response_above=criteria.response_operator == ">",
        fold_above=criteria.fold_operator == ">",
        either=criteria.response_join == "or",
        complete_without_bleeding=criteria.complete_without_bleeding,
        response_without_bleeding=criteria.response_without_bleeding,
        bleeding_grade=criteria.bleeding_grade,
        baseline_excludes_10e9_l=_absent(criteria.baseline_excludes_10e9_l),
        needs_baseline=criteria.needs_baseline,
        confirmation_d=criteria.confirmation_d,
        failing_between_breaks=criteria.failing_between_breaks,
        dated_second=criteria.dated_by == "second",
        loss_d=criteria.loss_d,
        loss_second=criteria.loss_dated_by == "second",
        late_limit_d=-1 if criteria.late_limit_d is None else criteria.late_limit_d,
        masked_fail=criteria.masked_failing_counts == "fail",
        too_early_before_d=criteria.too_early_before_d,
        sustained_d=criteria.sustained_d,
        sustained_from_achieved=criteria.sustained_from == "achieved",
        landmark_window_d=criteria.landmark_window_d,
        confirming_grace_d=criteria.confirming_grace_d,
        missing_not_evaluable=criteria.missing_is == "not-evaluable",
    )


def _event_choices(criteria: CriteriaSet) -> kernel_rows.EventChoices:
    names = kernel_rows.EventChoices._fields  # the same as the fields of a criteria set
    return kernel_rows.EventChoices(*(getattr(criteria, name) for name in names))


def _kinds(names: tuple[str, ...]) -> Flags:
    return np.array([kind.label in names for kind in EventKind])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Of the response that runs at the known day, or the count that waits: since when; -1 none.

    Parameters
    ----------
    since_day, confirmed_day : int32[n]
        Achieved and confirmed day of the running complete response, or else of the running response.
    waiting_day : int32[n]
        Day of the first qualifying count that awaits its confirmation.
    ended_day, ended_kind : int32[n]
        When the last response ended, and the kind of event that ended it; -1: counts did.
    """

    since_day: NDArray[np.int32]
    confirmed_day: NDArray[np.int32]
    waiting_day: NDArray[np.int32]
    ended_day: NDArray[np.int32]
    ended_kind: NDArray[np.int32]


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """Where the kernels write, for all patients."""

    days: NDArray[np.int32]
    codes: NDArray[np.int8]
    at_each: NDArray[np.int8]
    won: Wholes
    off: NDArray[np.int8]
    off_reached: NDArray[np.int32]
    off_ended: NDArray[np.int32]
    told: NDArray[np.int32]
    spans: NDArray[np.int32]


def _answer(patients: int, landmarks: int) -> _Answer:
    return _Answer(
        days=np.empty((patients, len(DAYS) + len(HELD)), np.int32),
        codes=np.empty((patients, len(CODES)), np.int8),
        at_each=np.empty((patients, landmarks, len(AT_LANDMARKS)), np.int8),
        won=np.full((patients, landmarks), -1, np.int64),
        off=np.empty(patients, np.int8),
        off_reached=np.empty(patients, np.int32),
        off_ended=np.empty(patients, np.int32),
        told=np.empty((patients, len(kernel_rows.EVENT_DAYS)), np.int32),
        spans=np.full((patients, 2), -1, np.int32),
    )


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """What counts and events of a block mean on their own (`sirolens.response.kernel_rows`)."""

    told: NDArray[np.int32]
    worst: NDArray[np.int8]
    masked: Flags
    alone: Flags
    acts: NDArray[np.int8]
    rescued_to: NDArray[np.int32]
    span_from: NDArray[np.int32]
    span_to: NDArray[np.int32]
    unasked: Flags


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Walks:
    """What the walks of a block leave: the winning counts, and a strict and a platelet walk with their marks."""

    won: Wholes
    hidden: Flags
    strict: NDArray[np.int32]
    strict_marks: NDArray[np.int32]
    platelets: NDArray[np.int32]
    platelet_marks: NDArray[np.int32]


@final
class _Job:
    """One classification on the way: what every block of patients needs, and where the answer goes."""

    def __init__(self, visits: Visits, criteria: CriteriaSet) -> None:
        self.visits, self.answer = visits, _answer(visits.patients, len(criteria.landmarks_d))
        self.c, self.of_events = _choices(criteria), _event_choices(criteria)
        self.mask = np.array([criteria.mask_d.get(kind.label, -1) for kind in EventKind], np.int64)
        self.rescues, self.failing = _kinds(criteria.rescues), _kinds(criteria.failing_events)
        self.final = _kinds(criteria.final_events)
        self.landmarks = np.array(criteria.landmarks_d, np.int64)
        self.winning_rule = ("nearest", "last", "highest").index(criteria.landmark_count)
        self.earlier_wins = criteria.landmark_tie == "earlier"
        self.unasked_matters = criteria.bleeding_not_asked == "unknown"
        self.usable = (visits.baseline_state == BaselineState.USABLE) & ~np.isnan(visits.baseline_10e9_l)
        self.baselines = np.where(self.usable, visits.baseline_10e9_l, np.nan)
        self.skip = (visits.known_day < 0) | (self.baselines >= self.c.baseline_excludes_10e9_l)
        self.unasked = np.zeros(visits.patients, np.bool_)

    def chunk(self, low: int, high: int) -> None:
        """Classify patients low <= i < high, block by block."""
        size, at_each = min(BLOCK, high - low), len(self.landmarks)
        x = np.empty((4, size, kernel.WALKED), np.int32)  # made once: fresh pages for every block would cost more
        marks = np.empty((4, size, at_each, kernel.MARKS), np.int32)
        for block in range(low, high, BLOCK):
            self.block(block, min(block + BLOCK, high), x, marks)

    def block(self, low: int, high: int, x: NDArray[np.int32], marks: NDArray[np.int32]) -> None:
        prepared = self.prepare(low, high)
        self.unasked[low:high] = prepared.unasked
        wanted = ~self.skip[low:high]
        running = self.walks(low, high, prepared, wanted, x[:2], marks[:2], events_on=True)
        self.answer.won[low:high] = running.won
        eventful = wanted & (np.diff(self.visits.event_start[low : high + 1]) > 0)
        policy = self.walks(low, high, prepared, eventful, x[2:], marks[2:], events_on=False)
        self.judge(low, high, prepared, running, policy)
        self.tell_spans(low, high, prepared)

    def prepare(self, low: int, high: int) -> _Prepared:
        v, told = self.visits, self.answer.told[low:high]
        rows, events = int(v.start[high] - v.start[low]), int(v.event_start[high] - v.event_start[low])
        masked_to, rescued_to, span_from, span_to = np.empty((4, events), np.int32)
        acts, asked = np.empty(events, np.int8), np.empty(high - low, np.bool_)
        kernel_rows.prepare_events(
            low, high, v.event_start, v.event_day, v.event_last_day, v.event_kind, v.event_cover, v.event_mg_d,
            v.known_day, self.mask, self.rescues, self.failing, self.final, self.of_events, masked_to, rescued_to, acts,
            span_from, span_to, told,
        )  # fmt: skip
        worst, masked, alone = np.empty(rows, np.int8), np.empty(rows, np.bool_), np.empty(rows, np.bool_)
        kernel_rows.prepare_rows(
            low, high, v.start, v.day, v.count_10e9_l, v.bleeding, v.known_day, v.event_start, v.event_day, masked_to,
            worst, masked, alone, asked,
        )  # fmt: skip
        kernel_rows.remission_off_treatment(
            low, high, self.skip, v.start, v.day, v.count_10e9_l, worst, v.known_day, v.event_start, v.event_day,
            v.event_last_day, v.event_kind, v.event_cover, told, self.of_events, self.answer.off,
            self.answer.off_reached, self.answer.off_ended,
        )  # fmt: skip
        unasked = ~asked & self.unasked_matters
        return _Prepared(told, worst, masked, alone, acts, rescued_to, span_from, span_to, unasked)

    def walks(
        self, low: int, high: int, prepared: _Prepared, wanted: Flags, x: NDArray[np.int32], marks: NDArray[np.int32],
        *, events_on: bool,
    ) -> _Walks:  # fmt: skip
        v, b, at_each = self.visits, high - low, len(self.landmarks)
        won, hidden = np.full((b, at_each), -1, np.int64), np.zeros((b, at_each), np.bool_)
        kernel_rows.winners(
            low, high, wanted, events_on, v.start, v.day, v.count_10e9_l, prepared.masked, v.known_day, prepared.told,
            self.landmarks, self.c.landmark_window_d, self.winning_rule, self.earlier_wins, won, hidden,
        )  # fmt: skip
        for one, (strict, whose) in enumerate(((self.unasked_matters, wanted), (False, wanted & prepared.unasked))):
            kernel.walk(
                low, high, whose, strict, events_on, v.start, v.day, v.count_10e9_l, prepared.worst, prepared.masked,
                prepared.alone, self.baselines, v.known_day, v.event_start, v.event_day, v.event_kind, prepared.acts,
                prepared.span_from, prepared.span_to, prepared.told, won, self.landmarks, self.c, x[one],
                marks[one],
            )  # fmt: skip
        return _Walks(won, hidden, x[0], marks[0], x[1], marks[1])

    def judge(self, low: int, high: int, prepared: _Prepared, running: _Walks, policy: _Walks) -> None:
        v, answer = self.visits, self.answer
        kernel.courses(
            low, high, self.skip, self.unasked, self.usable, v.known_day, v.event_start, prepared.span_from,
            prepared.span_to, prepared.told, running.strict, running.platelets, self.c, answer.days, answer.codes,
        )  # fmt: skip
        kernel.verdicts(
            low, high, self.skip, self.unasked, self.usable, v.known_day, v.event_start, v.event_day,
            prepared.rescued_to, prepared.span_from, prepared.span_to, prepared.told, running.won, running.hidden,
            policy.won, running.strict, running.platelets, policy.strict, policy.platelets, running.strict_marks,
            running.platelet_marks, policy.strict_marks, policy.platelet_marks, self.landmarks, self.c, answer.at_each,
        )  # fmt: skip

    def tell_spans(self, low: int, high: int, prepared: _Prepared) -> None:
        """Write the first and the last dependent day."""
        spans = prepared.told[:, kernel_rows.EVENT_DAYS.index("spans")]
        have = np.flatnonzero(spans > 0)
        slot = self.visits.event_start[low:high][have] - self.visits.event_start[low]
        self.answer.spans[low + have, 0] = prepared.span_from[slot]
        self.answer.spans[low + have, 1] = prepared.span_to[slot + spans[have] - 1]


def classify(visits: Visits, criteria: CriteriaSet, *, threads: int | None = None) -> Classified:
    """Say of every patient who has responded, when, how long, and how it stands at each landmark.

    Parameters
    ----------
    visits : Visits
        Counts, bleeding, baseline and events of n patients.
    criteria : CriteriaSet
        The rules' choices.
    threads : int, optional
        Most threads to use; all cores when left out. The answer does not depend on it.

    Returns
    -------
    Classified
        Arrays over patients, and over patients and landmarks.

    Examples
    --------
    >>> from sirolens.response.criteria import load
    >>> from sirolens.response.states import STATES
    >>> from sirolens.response.visits import no_events
    >>> one = Visits(
    ...     start=np.array([0, 2]), day=np.array([30, 37]), count_10e9_l=np.array([120.0, 130.0]),
    ...     bleeding=np.zeros(2), baseline_10e9_l=np.array([12.0]), baseline_state=np.zeros(1),
    ...     known_day=np.array([60]), **no_events(1),
    ... )
    >>> found = classify(one, load("iwg-2009"))
    >>> STATES[found.state[0]], int(found.achieved_day[0]), int(found.confirmed_day[0])
    (<State.COMPLETE: 'complete'>, 30, 37)
    """
    return classify_and_hold(visits, criteria, threads=threads)[0]


def classify_and_hold(visits: Visits, criteria: CriteriaSet, *, threads: int | None = None) -> tuple[Classified, Held]:
    """Classify, and tell of what holds at the known day since when it does.

    Parameters
    ----------
    visits, criteria, threads
        As of `classify`.
    """
    job = _Job(visits, criteria)
    over_chunks(visits.patients, threads, job.chunk, worth=WORTH)
    answer = job.answer
    columns = answer.days.T
    days: dict[str, Any] = dict(zip(DAYS, columns[: len(DAYS)], strict=True))
    held = Held(**dict(zip(HELD, columns[len(DAYS) :], strict=True)))
    codes: dict[str, Any] = dict(zip(CODES, answer.codes.T, strict=True))
    ended = {flag: codes.pop(flag) == 1 for flag in ("duration_ended", "cr_duration_ended")}
    told = dict(zip(kernel_rows.EVENT_DAYS, answer.told.T, strict=True))
    landmarks = dict(zip(AT_LANDMARKS, np.moveaxis(answer.at_each, 2, 0), strict=True))
    classified = Classified(
        **days,
        **codes,
        **ended,
        **landmarks,
        landmark_row=answer.won,
        failure_day=told["failure"],
        failure_kind=told["failure_kind"].astype(np.int8),
        off_treatment=answer.off,
        off_treatment_day=answer.off_reached,
        off_treatment_end_day=answer.off_ended,
        steroid_dependent_day=answer.spans[:, 0],
        steroid_dependent_last_day=answer.spans[:, 1],
    )
    return classified, held
