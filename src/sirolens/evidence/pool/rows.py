# SPDX-License-Identifier: Apache-2.0
"""Which rows enter a pool: each patient once, one population, one set of criteria; what is left out is told.

Rows that cannot be right, a study twice and a question that mixes what must be asked for raise; the rest is data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import final

from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import NOT_REPORTED, ArmRole, OutcomeRow, Population, outcome_problems
from sirolens.evidence.extraction.studies import Candidate, Report, ReportKind, counted_once
from sirolens.evidence.pool.pooled import Left
from sirolens.message import Message, error, warning

__all__ = ["Chosen", "Poolable", "chosen", "once_each", "poolable"]

_ANY_REPORT = Report(id="", kind=ReportKind.ARTICLE)


@final
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Poolable:
    """A question that rows can answer.

    Parameters
    ----------
    outcome, timepoint : str
    population : Population
    clusters : int
        How many groups of patients have counts for it.
    """

    outcome: str
    timepoint: str
    population: Population
    clusters: int


def poolable(rows: Iterable[OutcomeRow]) -> tuple[Poolable, ...]:
    """Return every outcome, time and population with counts of whole single arms, sorted.

    Examples
    --------
    >>> row = OutcomeRow(study="S01", outcome="OR", timepoint="3m", k=12, n=20)
    >>> [(found.outcome, found.timepoint, found.clusters) for found in poolable([row])]
    [('OR', '3m', 1)]
    """
    found: defaultdict[tuple[str, str, Population], set[tuple[str, ...]]] = defaultdict(set)
    for row in rows:
        if row.k is not None and row.n is not None and not row.subgroup and row.role is ArmRole.SINGLE:
            found[row.outcome, row.timepoint, row.population].add(row.cluster)
    return tuple(
        Poolable(outcome=outcome, timepoint=timepoint, population=population, clusters=len(clusters))
        for (outcome, timepoint, population), clusters in sorted(found.items())
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Rows of a pool.

    Parameters
    ----------
    rows : tuple of OutcomeRow
    left : tuple of Left
    messages : tuple of Message
    """

    rows: tuple[OutcomeRow, ...]
    left: tuple[Left, ...]
    messages: tuple[Message, ...]


def chosen(
    rows: Iterable[OutcomeRow],
    *,
    outcome: str,
    timepoint: str,
    populations: Collection[Population] | None,
    roles: Collection[ArmRole],
    partners: Collection[str] | None,
    subgroup: str | None,
    any_criteria: bool,
    counts: bool,
) -> Chosen:
    """Return the rows of a question, before cohorts that share patients are sorted out (`once_each`).

    Parameters
    ----------
    rows : iterable of OutcomeRow
    outcome, timepoint, populations, roles, partners, subgroup, any_criteria
        As in `synthesis.pool`.
    counts : bool
        Whether only counts will do; otherwise means are data too.

    Raises
    ------
    InputError
        No row matches; a row cannot be right; a study stands twice; populations or criteria are mixed unasked.
    """
    everything = tuple(rows)
    matching = [row for row in everything if (row.outcome, row.timepoint) == (outcome, timepoint)]
    if not matching:
        known = tuple(sorted({f"{row.outcome} {row.timepoint}" for row in everything}))
        raise InputError(error("pooling.no-such-outcome", outcome=outcome, timepoint=timepoint, known=known))
    _refuse_wrong(matching)
    left: list[Left] = []

    def kept(those: list[OutcomeRow], reason: str, inside: Collection[bool]) -> list[OutcomeRow]:
        left.extend(Left(row=row, reason=reason) for row, stays in zip(those, inside, strict=True) if not stays)
        return [row for row, stays in zip(those, inside, strict=True) if stays]

    used = matching
    if subgroup is not None:
        used = kept(used, "subgroup", [row.subgroup == subgroup for row in used])
    role = "comparative" if ArmRole.SINGLE in roles else "single-arm"
    used = kept(used, role, [row.role in roles for row in used])
    if partners is not None:
        used = kept(used, "combination", [set(row.partners) == set(partners) for row in used])
    if populations is not None:
        used = kept(used, "population", [row.population in populations for row in used])
    used = kept(used, "no-counts", [_has_counts(row) or (not counts and _has_mean(row)) for row in used])
    messages = [
        *_about_populations(used, populations is not None),
        *_about_criteria(used, outcome, timepoint, any_criteria),
    ]
    messages.extend(_about_partners(used))
    return Chosen(rows=tuple(used), left=tuple(left), messages=tuple(messages))


def _has_counts(row: OutcomeRow) -> bool:
    return row.k is not None and row.n is not None


def _has_mean(row: OutcomeRow) -> bool:
    return row.mean is not None and row.n is not None


def _refuse_wrong(rows: Sequence[OutcomeRow]) -> None:
    problems = [problem for row in rows for problem in outcome_problems(row)]
    seen: dict[tuple[str, ...], OutcomeRow] = {}
    for row in rows:
        key = (row.study, row.cohort, row.subgroup, row.arm, row.role.value)
        if key in seen:
            first, second = (f"{one.k:g}/{one.n:g}" if one.k is not None and one.n else "-" for one in (seen[key], row))
            problems.append(
                error(
                    "pooling.study-twice",
                    study=row.label,
                    outcome=row.outcome,
                    timepoint=row.timepoint,
                    first=first,
                    second=second,
                )
            )
        seen[key] = row
    if problems:
        raise InputError(*problems)


def _labels(rows: Iterable[OutcomeRow]) -> tuple[str, ...]:
    return tuple(row.label for row in rows)


def _about_populations(rows: Sequence[OutcomeRow], asked: bool) -> list[Message]:
    found = tuple(sorted({row.population for row in rows}))
    if len(found) < 2:
        return []
    names = tuple(population.value for population in found)
    if Population.NOT_SEPARABLE in found:
        apart = [row for row in rows if row.population is Population.NOT_SEPARABLE]
        raise InputError(error("pooling.not-separable", studies=_labels(apart), populations=names))
    if not asked:
        raise InputError(error("pooling.populations-mixed", populations=names))
    return [warning("pooling.populations-joined", populations=names)]


def _about_criteria(rows: Sequence[OutcomeRow], outcome: str, timepoint: str, any_criteria: bool) -> list[Message]:
    messages = []
    named = tuple(sorted({row.criteria for row in rows} - {NOT_REPORTED}))
    if len(named) > 1:
        if not any_criteria:
            raise InputError(error("pooling.criteria-mixed", criteria=named, outcome=outcome, timepoint=timepoint))
        messages.append(warning("pooling.criteria-joined", criteria=named))
    unknown = [row for row in rows if row.criteria == NOT_REPORTED]
    if unknown:
        messages.append(warning("pooling.criteria-not-reported", studies=_labels(unknown)))
    return messages


def _about_partners(rows: Sequence[OutcomeRow]) -> list[Message]:
    given = {row.partners for row in rows}
    if len(given) < 2:
        return []
    names = tuple(sorted({"+".join(("sirolimus", *partners)) for partners in given}))
    return [warning("pooling.partners-joined", regimens=names)]


def once_each(given: Chosen) -> Chosen:
    """Return rows with each group of patients once, as `studies.counted_once` does for reports of one kind.

    Examples
    --------
    >>> shared = {"outcome": "OR", "timepoint": "3m", "overlap_group": "ONE CENTRE"}
    >>> old = OutcomeRow(study="A", k=5, n=10, **shared)
    >>> new = OutcomeRow(study="B", k=9, n=20, **shared)
    >>> found = once_each(Chosen(rows=(old, new), left=(), messages=()))
    >>> [row.study for row in found.rows], [left.row.study for left in found.left]
    (['B'], ['A'])
    """
    # Rows know no kind of report: who does counts once before pooling, and here nothing is left to do.
    counted = counted_once([Candidate(row=row, report=_ANY_REPORT) for row in given.rows])
    return Chosen(
        rows=counted.rows,
        left=(*given.left, *(Left(row=one.row, reason="overlap") for one in counted.left_out)),
        messages=(*given.messages, *(one.message for one in counted.left_out)),
    )
