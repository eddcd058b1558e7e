# SPDX-License-Identifier: Apache-2.0
"""Laboratory values of a cohort by CTCAE: each patient's grade before treatment against the worst one on it.

A value that is bad before any drug is taken is no event: what counts is worsening. In immune thrombocytopenia that is
true of nearly every platelet count, so that platelets are only ever read against the baseline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.chart import Chart, Lab
from sirolens.response.ctcae import Grade, ctcae, grades
from sirolens.response.exposure import Exposure, exposure

__all__ = ["PLATELETS", "UNKNOWN", "LabShift", "lab_shifts"]

Counts: TypeAlias = NDArray[np.int64]

PLATELETS = "platelets"
UNKNOWN = 5
"""Row and column of patients whose grade cannot be told; 0 to 4 are the grades."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabShift:
    """One term: how many patients had which grade before treatment and which worst grade on it.

    Parameters
    ----------
    lab, term, version : str
        The quantity, the CTCAE term and its version.
    table : int64[6, 6]
        Patients by baseline grade (rows) and worst grade (columns); the last of each is "not known".
    patients : int
        With at least one value on treatment.
    worsened : int
        Whose worst grade is above the baseline's.
    worsened_severe : int
        ... and is 3 or more.
    reasons : mapping
        Why grades are missing or assumed, and for how many values.
    """

    lab: str
    term: str
    version: str
    table: Counts
    patients: int
    worsened: int
    worsened_severe: int
    reasons: Mapping[str, int]


class _Value(NamedTuple):
    at: datetime
    value: float
    upper_normal: float | None
    lower_normal: float | None


def lab_shifts(
    charts: Sequence[Chart],
    at: datetime,
    *,
    version: str,
    ends: Mapping[str, datetime] | None = None,
    treated: Exposure | None = None,
) -> tuple[LabShift, ...]:
    """Return the shift of every laboratory term that has a value on treatment.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort.
    at : datetime
        The data cut.
    version : {"5", "6"}
        Of CTCAE.
    ends : mapping, optional
        By pseudonym, when follow-up ended.
    treated : Exposure, optional
        Of the same charts at the same instant, where it is known already.

    Returns
    -------
    tuple of LabShift
        In the order of the version's terms.

    Notes
    -----
    The baseline is the last value up to the first dose, with its own limits of normal. Values count until the end of
    treatment.

    Examples
    --------
    >>> from datetime import UTC
    >>> lab_shifts([], datetime(2026, 1, 1, tzinfo=UTC), version="5")
    ()
    """
    treated = exposure(charts, at, ends=ends) if treated is None else treated
    tables: dict[str, Counts] = defaultdict(lambda: np.zeros((UNKNOWN + 1, UNKNOWN + 1), dtype=np.int64))
    reasons: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for index, chart in enumerate(charts):
        for lab, values in _values(chart.known(at)).items():
            for term, (before, worst) in _shifts(lab, values, treated, index, version, reasons).items():
                tables[term][before, worst] += 1
    return tuple(
        _summary(term.lab, term.name, version, tables[term.name], reasons[term.name])
        for term in ctcae(version).terms
        if term.name in tables
    )


def _summary(lab: str, term: str, version: str, table: Counts, reasons: Mapping[str, int]) -> LabShift:
    known = table[:UNKNOWN, :UNKNOWN]
    above = np.triu(known, k=1)
    return LabShift(
        lab=lab,
        term=term,
        version=version,
        table=table,
        patients=int(table.sum()),
        worsened=int(above.sum()),
        worsened_severe=int(above[:, 3:].sum()),
        reasons=dict(reasons),
    )


def _values(chart: Chart) -> Mapping[str, list[_Value]]:
    """Return a chart's values by quantity, in time."""
    found: defaultdict[str, list[_Value]] = defaultdict(list)
    for lab in chart.labs:
        found[lab.name].append(_of(lab))
    for count in chart.platelet_counts:
        found[PLATELETS].append(_Value(count.at, count.count_10e9_l, None, None))
    for values in found.values():
        values.sort(key=lambda one: one.at)
    return found


def _of(lab: Lab) -> _Value:
    return _Value(lab.at, lab.value, lab.upper_normal, lab.lower_normal)


def _shifts(
    lab: str,
    values: Sequence[_Value],
    treated: Exposure,
    index: int,
    version: str,
    reasons: Mapping[str, dict[str, int]],
) -> Mapping[str, tuple[int, int]]:
    """Return, by term, one patient's baseline grade and worst grade on treatment; nothing without a value on it."""
    start, end = treated.start[index], treated.end[index]
    if start is None or end is None:
        return {}
    before = [one for one in values if one.at <= start]
    during = [one for one in values if start < one.at <= end]
    baseline = before[-1] if before else None
    worst: dict[str, int] = {}
    for one in during:
        for found in _graded(lab, one, baseline, version):
            if found.reason:
                reasons[found.term][found.reason] += 1
            worst[found.term] = _worse(worst.get(found.term), found.grade)
    first = {found.term: found.grade for found in _graded(lab, baseline, baseline, version)} if baseline else {}
    return {term: (UNKNOWN if (was := first.get(term)) is None else was, grade) for term, grade in worst.items()}


def _graded(lab: str, one: _Value, baseline: _Value | None, version: str) -> Iterable[Grade]:
    return grades(
        lab,
        one.value,
        version=version,
        baseline=baseline.value if baseline is not None else None,
        upper_normal=one.upper_normal,
        lower_normal=one.lower_normal,
    )


def _worse(before: int | None, grade: int | None) -> int:
    """Return the worse of two; a grade that is not known gives way to one of at least 1, and 0 gives way to it."""
    new = UNKNOWN if grade is None else grade
    if before is None:
        return new
    known = [one for one in (before, new) if one != UNKNOWN]
    if len(known) == 2:
        return max(known)
    return known[0] if known and known[0] > 0 else UNKNOWN
