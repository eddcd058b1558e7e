# SPDX-License-Identifier: Apache-2.0
"""One extracted outcome: how many of how many, of which arm of which cohort, when, by which criteria.

Extraction makes the rows, synthesis pools them. A row holds what was extracted, also when it cannot be right: a
typing error is found by `outcome_problems`, with the study and what to do, instead of stopping the extraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import final

from sirolens.message import Message, Place, Severity, Value
from sirolens.source import Mark

__all__ = ["NOT_REPORTED", "ArmRole", "OutcomeRow", "Population", "outcome_problems"]

NOT_REPORTED = "not reported"


class ArmRole(StrEnum):
    """What an arm is in its study."""

    SINGLE = "single"  # no comparison arm, or none that is used
    TREATED = "treated"
    CONTROL = "control"


class Population(StrEnum):
    """Whose outcome it is; rows of different populations are pooled apart."""

    PRIMARY_ITP = "primary-itp"
    SECONDARY_ITP = "secondary-itp"
    EVANS = "evans"
    ALPS = "alps"
    OTHER = "other"
    NOT_SEPARABLE = "not-separable"  # ITP together with other diseases, not told apart by the report


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One outcome of one arm at one time, as extracted.

    Parameters
    ----------
    study : str
        The study's id.
    outcome : str
        ``"OR"`` overall response, ``"CR"`` complete, ``"PR"`` partial, ``"SR"`` sustained, ``"AE"``, or another code.
    timepoint : str
        Such as ``"3m"``, ``"6m"`` or ``"best"``.
    k, n : float, optional
        Events and patients, whole numbers; None when not printed.
    percent : float, optional
        The share as printed where no counts are, 0 to 100; it cannot be pooled.
    mean, sd : float, optional
        Of a continuous outcome, with `n` patients and in `unit`.
    estimate, standard_error : float, optional
        An effect printed ready made; logarithms for ratios.
    unit : str
        Of `mean` and `sd`.
    cohort : str
        The cohort inside the study; empty when there is one.
    subgroup : str
        A part of the cohort; empty for all of it.
    overlap_group : str
        Cohorts that share patients carry one name; they count once per outcome and time.
    arm : str
        The arm's name as printed.
    role : ArmRole
    partners : tuple of str
        What was given with sirolimus; empty for sirolimus alone.
    mark : Mark
        Seen, or derived by arithmetic.
    printed_as : str
        The words of the report.
    criteria : str
        Name of the response criteria, or `NOT_REPORTED`.
    population : Population
    year : int, optional
        Of publication; the order of a cumulative pool.
    note : str

    Examples
    --------
    >>> row = OutcomeRow(study="S01", outcome="OR", timepoint="3m", k=12, n=20)
    >>> row.criteria, row.cluster, row.label
    ('not reported', ('S01', ''), 'S01')
    """

    study: str
    outcome: str
    timepoint: str
    k: float | None = None
    n: float | None = None
    percent: float | None = None
    mean: float | None = None
    sd: float | None = None
    estimate: float | None = None
    standard_error: float | None = None
    unit: str = ""
    cohort: str = ""
    subgroup: str = ""
    overlap_group: str = ""
    arm: str = ""
    role: ArmRole = ArmRole.SINGLE
    partners: tuple[str, ...] = ()
    mark: Mark = Mark.SEEN
    printed_as: str = ""
    criteria: str = NOT_REPORTED
    population: Population = Population.PRIMARY_ITP
    year: int | None = None
    note: str = ""

    @property
    def cluster(self) -> tuple[str, str]:
        """Rows with one cluster describe the same patients: the overlap group, else the study's cohort."""
        return ("", self.overlap_group) if self.overlap_group else (self.study, self.cohort)

    @property
    def label(self) -> str:
        """The study, with the part of it that is meant."""
        return " / ".join(part for part in (self.study, self.cohort, self.subgroup) if part)


def outcome_problems(row: OutcomeRow, place: Place | None = None) -> tuple[Message, ...]:
    """Return what cannot be right in a row, each with the study, the value and what to do.

    Found: a value that is no number, a negative count, a share or a percentage where a count belongs, no patients,
    more events than patients, an error or a standard deviation that is not positive. Nothing is mended.

    Parameters
    ----------
    row : OutcomeRow
    place : Place, optional
        Where the row stands in its file.

    Examples
    --------
    >>> [found.code for found in outcome_problems(OutcomeRow(study="S", outcome="OR", timepoint="3m", k=21, n=20))]
    ['pooling.more-events-than-patients']
    >>> [found.code for found in outcome_problems(OutcomeRow(study="S", outcome="OR", timepoint="3m", k=0.6))]
    ['pooling.share-for-count']
    """
    numbers = (
        ("k", row.k),
        ("n", row.n),
        ("percent", row.percent),
        ("mean", row.mean),
        ("sd", row.sd),
        ("estimate", row.estimate),
        ("standard_error", row.standard_error),
    )
    wild = [name for name, value in numbers if value is not None and not isfinite(value)]
    if wild:
        return tuple(_wrong("pooling.no-number", row, place, field=name) for name in wild)
    found = _count_problems(row, place)
    if row.percent is not None and not 0 <= row.percent <= 100:
        found.append(_wrong("pooling.percent-outside", row, place, value=row.percent))
    for name, value in (("sd", row.sd), ("standard_error", row.standard_error)):
        if value is not None and value <= 0:
            found.append(_wrong("pooling.spread-not-positive", row, place, field=name, value=value))
    return tuple(found)


def _wrong(code: str, row: OutcomeRow, place: Place | None, **values: Value) -> Message:
    values |= {"study": row.label, "outcome": row.outcome, "timepoint": row.timepoint}
    return Message(code=code, severity=Severity.ERROR, items=tuple(sorted(values.items())), place=place)


def _count_problems(row: OutcomeRow, place: Place | None) -> list[Message]:
    k, n = row.k, row.n
    for name, value in (("k", k), ("n", n)):
        if value is not None and value < 0:
            return [_wrong("pooling.negative-count", row, place, field=name, value=value)]
    if k is not None and k != round(k):
        # Between 0 and 1 it is a share; above, a percentage with a decimal.
        return [_wrong("pooling.share-for-count", row, place, value=k)]
    if n is not None and n != round(n):
        return [_wrong("pooling.fraction-of-patients", row, place, value=n)]
    if k is not None and n is None:
        return [_wrong("pooling.count-without-patients", row, place, value=k)]
    if n == 0:
        return [_wrong("pooling.no-patients", row, place)]
    if k is not None and n is not None and k > n:
        return [_wrong("pooling.more-events-than-patients", row, place, k=k, n=n)]
    return []
