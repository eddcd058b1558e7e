# SPDX-License-Identifier: Apache-2.0
"""Response at each landmark: who is due, who responded, and the rate with three intervals, in two denominators.

*Everyone due* (intention to treat): all whose window has ended; what is missing, masked or not evaluable counts as no
response. *Observed*: of them, those with a count that could be judged. Platelet response with bleeding not asked is a
response in neither; it is counted beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.interval import Interval
from sirolens.engine.statistics.proportion import beta_interval, clopper_pearson, wilson
from sirolens.response.states import Reason, State
from sirolens.study.cohort.outcomes import ESTIMANDS, Outcomes, code
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["POPULATIONS", "LandmarkRates", "Rate", "landmark_rates", "observed", "rate", "responded"]

POPULATIONS = ("due", "observed")
RATES = ("overall", "complete", "partial")
UNSEEN = (int(Reason.MISSING), int(Reason.MASKED))
"""Reasons of a no-response that nobody saw: no count, or masked ones only."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its intervals.

    Parameters
    ----------
    outcome : str
        ``"overall"``, ``"complete"`` or ``"partial"`` (a response that is not complete).
    k, n : int
        Patients with it, of how many.
    exact, score, bayes : Interval
        Clopper-Pearson, Wilson, and the beta posterior's.
    """

    outcome: str
    k: int
    n: int
    exact: Interval
    score: Interval
    bayes: Interval

    @property
    def share(self) -> float:
        """The share itself; nan of nobody."""
        return self.k / self.n if self.n else float("nan")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkRates:
    """What one landmark shows of one arm, by one estimand.

    Parameters
    ----------
    landmark_d : int
        Its day.
    arm : str, optional
        None: all patients.
    estimand : str
        One of `sirolens.study.cohort.outcomes.ESTIMANDS`.
    patients, not_due, complete, response, platelets_only, provisional, no_response, missing, not_evaluable : int
        How many; `missing` is of those without response the ones nobody saw.
    due, observed : tuple of Rate
        Overall, complete and partial, of everyone due and of those observed.
    """

    landmark_d: int
    arm: str | None
    estimand: str
    patients: int
    not_due: int
    complete: int
    response: int
    platelets_only: int
    provisional: int
    no_response: int
    missing: int
    not_evaluable: int
    due: tuple[Rate, ...]
    observed: tuple[Rate, ...]

    def of(self, population: str, outcome: str = "overall") -> Rate:
        """Return one rate."""
        rates = self.due if population == "due" else self.observed
        return rates[RATES.index(outcome)]


def rate(outcome: str, k: int, n: int, protocol: StudyProtocol) -> Rate:
    """Return a share with its intervals.

    >>> found = rate("overall", 12, 20, StudyProtocol())
    >>> round(100 * found.exact.low, 2), round(100 * found.exact.high, 2)
    (36.05, 80.88)
    """
    return _rate(outcome, k, n, protocol.interval_level, *protocol.prior)


@lru_cache(maxsize=4096)
def _rate(outcome: str, k: int, n: int, level: float, a: float, b: float) -> Rate:
    """The same counts come back in many tables of a report."""
    return Rate(
        outcome=outcome,
        k=k,
        n=n,
        exact=clopper_pearson(k, n, level),
        score=wilson(k, n, level),
        bayes=beta_interval(k, n, a, b, level).interval,
    )


def responded(states: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return who is in complete response or response."""
    return np.asarray((states == code(State.COMPLETE)) | (states == code(State.RESPONSE)))


def observed(states: NDArray[np.int8], reasons: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return who has a verdict that rests on a count or an event, not on its absence."""
    unseen = (states == code(State.NO_RESPONSE)) & np.isin(reasons, UNSEEN)
    judged = responded(states) | (states == code(State.NO_RESPONSE))
    return np.asarray(judged & ~unseen)


def landmark_rates(outcomes: Outcomes, protocol: StudyProtocol) -> tuple[LandmarkRates, ...]:
    """Return the rates of every landmark, estimand and arm, all patients first."""
    arms: tuple[str | None, ...] = (None, *(outcomes.arm_names if len(outcomes.arm_names) > 1 else ()))
    return tuple(
        _rates(outcomes, index, day, estimand, arm, protocol)
        for index, day in enumerate(outcomes.criteria.landmarks_d)
        for estimand in ESTIMANDS
        for arm in arms
    )


def _rates(
    outcomes: Outcomes, index: int, day: int, estimand: str, arm: str | None, protocol: StudyProtocol
) -> LandmarkRates:
    states, reasons = outcomes.at_landmark(index, estimand)
    member = outcomes.member(arm)
    states, reasons = states[member], reasons[member]
    count = {state: int((states == code(state)).sum()) for state in State}
    seen = observed(states, reasons)
    due = int((states != code(State.NOT_DUE)).sum())
    missing = int(((states == code(State.NO_RESPONSE)) & np.isin(reasons, UNSEEN)).sum())
    k_complete, k_response = count[State.COMPLETE], count[State.RESPONSE]
    ks = (k_complete + k_response, k_complete, k_response)
    return LandmarkRates(
        landmark_d=day,
        arm=arm,
        estimand=estimand,
        patients=len(states),
        not_due=count[State.NOT_DUE],
        complete=k_complete,
        response=k_response,
        platelets_only=count[State.PLATELETS_ONLY],
        provisional=count[State.PROVISIONAL],
        no_response=count[State.NO_RESPONSE],
        missing=missing,
        not_evaluable=count[State.NOT_EVALUABLE] + count[State.TOO_EARLY],
        due=tuple(rate(name, k, due, protocol) for name, k in zip(RATES, ks, strict=True)),
        observed=tuple(rate(name, k, int(seen.sum()), protocol) for name, k in zip(RATES, ks, strict=True)),
    )
