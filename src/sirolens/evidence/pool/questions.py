# SPDX-License-Identifier: Apache-2.0
"""The questions that extracted rows can answer, in the order a reader wants them, and their pooled answers.

Comparisons stand first, since only they say what sirolimus adds; then single arms of primary ITP, then other
populations, then sirolimus given with something else. Nothing is joined here that `pool` keeps apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import final

from sirolens.engine.pooling.two_arm import Effect
from sirolens.errors import InputError
from sirolens.evidence.extraction.form import is_safety_outcome
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow, Population
from sirolens.evidence.pool.comparison import compare
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.synthesis import pool
from sirolens.message import Message, info, warning

__all__ = ["Kind", "Question", "answer", "answers", "questions"]

OUTCOMES = ("OR", "CR", "PR", "SR", "DURABLE", "NR")
"""The outcomes that lead, in this order; others follow by name."""


class Kind(StrEnum):
    """How a question is answered."""

    COMPARISON = "comparison"
    SINGLE_ARM = "single-arm"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to pool.

    Parameters
    ----------
    kind : Kind
    outcome, timepoint : str
    population : Population
    partners : tuple of str
        What was given with sirolimus; empty: sirolimus alone. A comparison takes every partner of its treated arm.
    """

    kind: Kind
    outcome: str
    timepoint: str
    population: Population
    partners: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A short id, such as ``"single-arm-OR-3m-primary-itp"``."""
        return "-".join((self.kind, self.outcome, self.timepoint, self.population, *self.partners))


def questions(rows: Iterable[OutcomeRow]) -> tuple[Question, ...]:
    """Return what can be pooled: whole cohorts with counts, safety after response; single patients make no question.

    Arms with means are compared as well; a mean of one arm alone makes no question.

    Examples
    --------
    >>> row = OutcomeRow(study="S01", outcome="OR", timepoint="3m", k=12, n=20)
    >>> [one.name for one in questions([row])]
    ['single-arm-OR-3m-primary-itp']
    """
    usable = [row for row in rows if (_counted(row) or _measured(row)) and not row.subgroup and not _is_case(row)]
    found: dict[Question, None] = {}
    for row in usable:
        if row.role is ArmRole.CONTROL:
            continue
        compared = row.role is ArmRole.TREATED
        if not (_has_control(row, usable) if compared else _counted(row)):
            continue
        kind = Kind.COMPARISON if compared else Kind.SINGLE_ARM
        partners = () if compared else tuple(sorted(set(row.partners)))
        one = Question(
            kind=kind, outcome=row.outcome, timepoint=row.timepoint, population=row.population, partners=partners
        )
        found[one] = None
    return tuple(sorted(found, key=_order))


def _counted(row: OutcomeRow) -> bool:
    return row.k is not None and row.n is not None


def _measured(row: OutcomeRow) -> bool:
    return not _counted(row) and row.mean is not None and row.sd is not None and row.n is not None


def _has_control(row: OutcomeRow, rows: Sequence[OutcomeRow]) -> bool:
    key = (row.study, row.cohort, row.outcome, row.timepoint)
    return any(
        one.role is ArmRole.CONTROL
        and (one.study, one.cohort, one.outcome, one.timepoint) == key
        and _counted(one) == _counted(row)
        for one in rows
    )


def _order(one: Question) -> tuple[object, ...]:
    rank = OUTCOMES.index(one.outcome) if one.outcome in OUTCOMES else len(OUTCOMES)
    return (
        is_safety_outcome(one.outcome),
        one.kind is not Kind.COMPARISON,
        tuple(Population).index(one.population),
        one.partners,
        rank,
        one.outcome,
        _days(one.timepoint),
        one.timepoint,
    )


def _days(timepoint: str) -> float:
    days = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}.get(timepoint[-1:])
    return float(timepoint[:-1]) * days if days and timepoint[:-1].isdecimal() else float("inf")


def answer(question: Question, rows: Iterable[OutcomeRow], *, any_criteria: bool = False) -> Pooled:
    """Pool one question; comparisons by their risk ratio, or the mean difference where no treated arm has counts.

    Raises
    ------
    InputError
        As `sirolens.evidence.pool.synthesis.pool`.
    """
    populations: Collection[Population] = (question.population,)
    told = tuple(rows)
    cases = tuple(row for row in told if _is_case(row) and _asks(question, row))
    series = [row for row in told if not _is_case(row)]
    if question.kind is Kind.COMPARISON:
        asked = [row for row in series if row.role is ArmRole.TREATED and _asks(question, row)]
        effect = Effect.RR if any(_counted(row) for row in asked) else Effect.MD
        means = [row for row in series if _measured(row) and _asks(question, row)] if effect is Effect.RR else []
        found = compare(
            [row for row in series if row not in means],
            outcome=question.outcome,
            timepoint=question.timepoint,
            effect=effect,
            populations=populations,
            any_criteria=any_criteria,
        )
        if means:
            studies = tuple(dict.fromkeys(row.label for row in means))
            found = replace(found, messages=(*found.messages, warning("pooling.left-means", studies=studies)))
    else:
        found = pool(
            series,
            outcome=question.outcome,
            timepoint=question.timepoint,
            populations=populations,
            partners=question.partners,
            any_criteria=any_criteria,
        )
    left = tuple(info("evidence.single-patient", study=row.label) for row in cases)
    return replace(found, messages=(*left, *found.messages))


def _is_case(row: OutcomeRow) -> bool:
    """One patient is a report of a case: who is written up was chosen for the outcome."""
    return row.n == 1


def _asks(question: Question, row: OutcomeRow) -> bool:
    return (row.outcome, row.timepoint, row.population) == (question.outcome, question.timepoint, question.population)


def answers(rows: Iterable[OutcomeRow]) -> tuple[tuple[tuple[Question, Pooled], ...], tuple[Message, ...]]:
    """Pool every question.

    Returns
    -------
    found : tuple of (Question, Pooled)
        In the order of `questions`.
    refused : tuple of Message
        Why a question has no answer.
    """
    told = tuple(rows)
    found: list[tuple[Question, Pooled]] = []
    refused: list[Message] = []
    for question in questions(told):
        try:
            found.append((question, answer(question, told)))
        except InputError as fault:
            refused += fault.messages
    return tuple(found), tuple(dict.fromkeys(refused))
