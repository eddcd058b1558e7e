# SPDX-License-Identifier: Apache-2.0
"""Who responds: one baseline factor at a time, and all together only where the cohort is large enough to bear it.

Every candidate is tested alone by Firth's penalised logistic regression, with Holm's correction over all of them. A
model of several is fitted, with the same penalty and without choosing among the candidates, only when the rarer
outcome has enough patients per candidate; else the page says how many there are and stops there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.firth import FirthFit, firth_logistic
from sirolens.engine.statistics.ranks import holm
from sirolens.response.cohort import Characteristic, CharacteristicKind, Cohort
from sirolens.study.cohort.baseline import age_of, prior_drugs, values_of
from sirolens.study.cohort.outcomes import Outcomes
from sirolens.study.cohort.protocol import StudyProtocol
from sirolens.study.cohort.response import observed, responded

__all__ = ["Candidate", "Predictor", "Predictors", "predictors_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A baseline factor as a number; nan where it is not known.

    Parameters
    ----------
    name : str
        What it is.
    value : str
        For a yes-or-no factor, which value counts as yes; empty for a number.
    declared : Characteristic, optional
        Where the study declared it.
    per : float
        Size of the step the odds ratio is told for.
    values : float64[n]
        One for each patient.
    """

    name: str
    value: str = ""
    declared: Characteristic | None = None
    per: float = 1.0
    values: NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictor:
    """A candidate with its association.

    Parameters
    ----------
    candidate : Candidate
        The factor.
    fit : FirthFit
        Alone.
    p_holm : float
        Corrected for all candidates.
    """

    candidate: Candidate
    fit: FirthFit
    p_holm: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictors:
    """All candidates against overall response at the primary landmark.

    Parameters
    ----------
    landmark_d : int
        The landmark.
    patients, events : int
        Observed there, and the rarer outcome's number.
    univariate : tuple of Predictor
        One at a time.
    together : FirthFit, optional
        All at once; None where there are too few events.
    in_model : tuple of Candidate
        What is in it, in the order of its coefficients.
    events_per_variable : float
        The rarer outcome's number over the candidates with any spread.
    """

    landmark_d: int
    patients: int
    events: int
    univariate: tuple[Predictor, ...]
    together: FirthFit | None
    in_model: tuple[Candidate, ...]
    events_per_variable: float


def _column(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if one is None else float(one) for one in values], np.float64)


def candidates(cohort: Cohort, outcomes: Outcomes) -> tuple[Candidate, ...]:
    """Return the factors known before the first dose; a category is one factor for each value but the first.

    Parameters
    ----------
    cohort : Cohort
        Gives the declared characteristics.
    outcomes : Outcomes
        The charts and baselines.
    """
    charts = outcomes.charts
    sexes = [chart.patient.sex.value for chart in charts]
    male = [None if sex == "unknown" else float(sex == "male") for sex in sexes]
    secondary = [float(chart.patient.diagnosis != "primary-itp") for chart in charts]
    lines = [prior_drugs(chart) for chart in charts]
    found = [
        Candidate(name="age-years", per=10.0, values=_column([age_of(chart) for chart in charts])),
        Candidate(name="sex", value="male", values=_column(male)),
        Candidate(name="diagnosis", value="not-primary", values=_column(secondary)),
        Candidate(name="prior-drugs", values=_column(lines)),
        Candidate(name="baseline-count", per=10.0, values=outcomes.visits.baseline_10e9_l.astype(np.float64)),
    ]
    for one in cohort.characteristics:
        values = values_of(one, outcomes.ids)
        if one.kind is CharacteristicKind.CATEGORY:
            for value in sorted({str(v) for v in values if v is not None})[1:]:
                told = [None if v is None else float(str(v) == value) for v in values]
                found.append(Candidate(name=one.name, value=value, declared=one, values=_column(told)))
        else:
            yes = "yes" if one.kind is CharacteristicKind.YES_NO else ""
            told = [None if v is None else float(v) for v in values]
            found.append(Candidate(name=one.name, value=yes, declared=one, values=_column(told)))
    return tuple(found)


def predictors_of(cohort: Cohort, outcomes: Outcomes, protocol: StudyProtocol) -> Predictors | None:
    """Relate every baseline factor to the response at the primary landmark.

    Parameters
    ----------
    cohort : Cohort
        Gives the declared characteristics.
    outcomes : Outcomes
        The classification.
    protocol : StudyProtocol
        The landmark, the level, and how many events a variable needs.
    """
    index = outcomes.landmark_index(protocol.primary_landmark_d)
    if index is None:
        return None
    states, reasons = outcomes.at_landmark(index)
    seen = observed(states, reasons)
    yes = responded(states)
    kept = [one for one in candidates(cohort, outcomes) if _has_spread(one.values[seen])]
    fits = [_alone(one, seen, yes, protocol.interval_level) for one in kept]
    corrected = holm([_p(fit) for fit in fits])
    univariate = tuple(
        Predictor(candidate=one, fit=fit, p_holm=float(p)) for one, fit, p in zip(kept, fits, corrected, strict=True)
    )
    events = int(min(yes[seen].sum(), (~yes[seen]).sum()))
    per_variable = events / len(kept) if kept else math.inf
    enough = len(kept) > 1 and per_variable >= protocol.events_per_variable
    return Predictors(
        landmark_d=protocol.primary_landmark_d,
        patients=int(seen.sum()),
        events=events,
        univariate=univariate,
        together=_together(kept, seen, yes, protocol.interval_level) if enough else None,
        in_model=tuple(kept) if enough else (),
        events_per_variable=per_variable,
    )


def _has_spread(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size > 1 and np.ptp(known) > 0)


def _alone(one: Candidate, seen: NDArray[np.bool_], yes: NDArray[np.bool_], level: float) -> FirthFit:
    used = seen & np.isfinite(one.values)
    return firth_logistic(one.values[used] / one.per, yes[used], level)


def _p(fit: FirthFit) -> float:
    return fit.coefficients[0].p_value if fit.coefficients else math.nan


def _together(kept: Sequence[Candidate], seen: NDArray[np.bool_], yes: NDArray[np.bool_], level: float) -> FirthFit:
    table = np.column_stack([one.values / one.per for one in kept])
    used = seen & np.isfinite(table).all(axis=1)
    return firth_logistic(table[used], yes[used], level)
