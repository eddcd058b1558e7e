# SPDX-License-Identifier: Apache-2.0
"""Do cells go together with platelets or TGF-beta, and how do they run over repeated visits?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import final

import numpy as np

from sirolens.chart import CellCount, Chart
from sirolens.engine.statistics.correlation import Correlation, linear_correlation, spearman
from sirolens.engine.statistics.interval import Array
from sirolens.engine.statistics.means import Course, mixed_model
from sirolens.engine.statistics.ranks import benjamini_hochberg, holm
from sirolens.message import Message, info, warning
from sirolens.response.cell_samples import (
    NO_METHODS,
    CellWindows,
    Samples,
    Subset,
    nearest,
    plain,
    samples_of,
)
from sirolens.response.cells import LEAST

__all__ = ["Association", "Associations", "CellCourse", "CellCourses", "When", "associations", "cell_courses"]

PLATELETS = "platelets"
_DAYS_PER_MONTH = 365.25 / 12


class When(StrEnum):
    """Which values of each patient are put side by side."""

    BEFORE = "before"
    ON_TREATMENT = "on-treatment"
    CHANGE = "change"


_WORDS: Mapping[When, Message] = MappingProxyType(
    {
        When.BEFORE: info("cells.when-before"),
        When.ON_TREATMENT: info("cells.when-on-treatment"),
        When.CHANGE: info("cells.when-change"),
    }
)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Association:
    """One subset against platelets or a cytokine, over patients.

    Parameters
    ----------
    subset, partner : Subset
        What is compared with what.
    when : When
        Before, on treatment, or the change between them.
    patients : tuple of str
        Who has both.
    x, y : ndarray
        Values of the subset and of the partner: every point.
    spearman, linear : Correlation
        Rank and linear correlation.
    holm_p, benjamini_hochberg_p : float
        The rank correlation's P adjusted over the associations asked for together.
    """

    subset: Subset
    partner: Subset
    when: When
    patients: tuple[str, ...]
    x: Array
    y: Array
    spearman: Correlation
    linear: Correlation
    holm_p: float
    benjamini_hochberg_p: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Associations:
    """All subsets against one partner.

    Parameters
    ----------
    associations : tuple of Association
        By subset and by when.
    windows : CellWindows
        Which samples counted.
    messages : tuple of Message
        What was left out or could not be done.
    """

    associations: tuple[Association, ...]
    windows: CellWindows
    messages: tuple[Message, ...]


def _platelets_as_cells(chart: Chart) -> Chart:
    """Put platelet counts beside the cells, so that one rule of days and windows serves both."""
    counts = tuple(
        CellCount(
            at=count.at,
            recorded=count.recorded,
            id=f"{PLATELETS}:{count.id}" if count.id else "",
            replaces=f"{PLATELETS}:{count.replaces}" if count.replaces is not None else None,
            retracted=count.retracted,
            cell=PLATELETS,
            value=count.count_10e9_l,
            unit="10^9/L",
            gate=PLATELETS,
        )
        for count in chart.platelet_counts
    )
    return replace(chart, cell_counts=(*chart.cell_counts, *counts))


def _values(samples: Samples, subset: Subset, windows: CellWindows) -> dict[When, dict[str, float]]:
    """Return each patient's value before, on treatment, and the change between them."""
    found: dict[When, dict[str, float]] = {when: {} for when in When}
    for patient, own in samples.of(subset).items():
        before, after = nearest(own, windows, after=False), nearest(own, windows, after=True)
        if before is not None:
            found[When.BEFORE][patient] = before.value
        if after is not None:
            found[When.ON_TREATMENT][patient] = after.value
        if before is not None and after is not None:
            found[When.CHANGE][patient] = after.value - before.value
    return found


def associations(
    charts: Sequence[Chart],
    at: datetime,
    *,
    partner: str = PLATELETS,
    windows: CellWindows | None = None,
    methods: Mapping[str, str] = NO_METHODS,
    level: float = 0.95,
) -> Associations:
    """Correlate every subset with platelets or a cytokine: before, on treatment, and in change.

    Both values of a patient come from the same window. An association is no cause; with few patients it is hardly an
    association.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort; only what was known at `at`.
    at : datetime
        The data cut.
    partner : str
        ``"platelets"`` or the name of a cell or cytokine, such as ``"tgf-beta"``.
    windows : CellWindows, optional
        Which samples count.
    methods : mapping of str to str
        Cytokine -> method, where the study states it.
    level : float
        Level of confidence.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> associations([], datetime(2026, 1, 1, tzinfo=UTC)).associations
    ()
    """
    windows = CellWindows() if windows is None else windows
    wanted = plain(partner)
    read = [_platelets_as_cells(chart) for chart in charts] if wanted == PLATELETS else list(charts)
    samples = samples_of(read, at, methods=methods)
    partners = [subset for subset in samples.subsets if plain(subset.cell) == wanted]
    messages = list(samples.messages)
    if not partners and samples.values:
        messages.append(warning("cells.no-partner", partner_cell=partner))
    values = {subset: _values(samples, subset, windows) for subset in samples.subsets}
    rows = []
    for subset in samples.subsets:
        for other in partners if plain(subset.cell) != wanted else ():
            for when in When:
                mine, theirs = values[subset][when], values[other][when]
                both = tuple(patient for patient in mine if patient in theirs)
                x = np.array([mine[patient] for patient in both], dtype=np.float64)
                y = np.array([theirs[patient] for patient in both], dtype=np.float64)
                rows.append((subset, other, when, both, x, y, spearman(x, y, level)))
                if len(both) < LEAST:
                    messages.append(
                        warning(
                            "cells.too-few-correlated",
                            cell=subset.cell,
                            gate=subset.method,
                            partner_cell=other.cell,
                            when=_WORDS[when],
                            patients=len(both),
                            least=LEAST,
                        )
                    )
    p_values = [row[-1].p_value for row in rows]
    held, discovered = holm(p_values), benjamini_hochberg(p_values)
    found = tuple(
        Association(
            subset=subset,
            partner=other,
            when=when,
            patients=both,
            x=x,
            y=y,
            spearman=rank,
            linear=linear_correlation(x, y, level),
            holm_p=float(held[i]),
            benjamini_hochberg_p=float(discovered[i]),
        )
        for i, (subset, other, when, both, x, y, rank) in enumerate(rows)
    )
    return Associations(associations=found, windows=windows, messages=tuple(messages))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellCourse:
    """One subset over all visits.

    Parameters
    ----------
    subset : Subset
        What was measured.
    patients : tuple of str
        Whose value, one a visit.
    day : ndarray of int
        When, from the first dose.
    value : ndarray
        Every point.
    model : Course
        Straight line in months on treatment with an intercept of each patient's own; before treatment is month 0.
    """

    subset: Subset
    patients: tuple[str, ...]
    day: np.ndarray
    value: Array
    model: Course


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellCourses:
    """All subsets over all visits.

    Parameters
    ----------
    courses : tuple of CellCourse
        One a subset, in order.
    messages : tuple of Message
        What was left out or could not be done.
    """

    courses: tuple[CellCourse, ...]
    messages: tuple[Message, ...]


def cell_courses(
    charts: Sequence[Chart],
    at: datetime,
    *,
    windows: CellWindows | None = None,
    methods: Mapping[str, str] = NO_METHODS,
    level: float = 0.95,
) -> CellCourses:
    """Model repeated visits: change per month on treatment, with an intercept of each patient's own.

    Used are each patient's samples from `before_days` before the first dose to the last dose; those before treatment
    are month 0. A line is a summary: a rise that levels off is not one.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort; only what was known at `at`.
    at : datetime
        The data cut.
    windows : CellWindows, optional
        Only `before_days` is used.
    methods : mapping of str to str
        Cytokine -> method, where the study states it.
    level : float
        Level of confidence.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> cell_courses([], datetime(2026, 1, 1, tzinfo=UTC)).courses
    ()
    """
    windows = CellWindows() if windows is None else windows
    samples = samples_of(charts, at, methods=methods)
    messages = list(samples.messages)
    rows: defaultdict[Subset, list[tuple[str, int, float]]] = defaultdict(list)
    for sample in samples.values:
        if sample.on_treatment or -windows.before_days <= sample.day <= 0:
            rows[sample.subset].append((sample.patient, sample.day, sample.value))
    courses = []
    for subset in samples.subsets:
        visits = rows[subset]
        patients = tuple(patient for patient, _, _ in visits)
        day = np.array([day for _, day, _ in visits], dtype=np.int64)
        value = np.array([value for _, _, value in visits], dtype=np.float64)
        model = mixed_model(value, np.array(patients, dtype=np.str_), np.maximum(day, 0) / _DAYS_PER_MONTH, level)
        if model.reason is not None:
            messages.append(
                warning(
                    "cells.no-model", cell=subset.cell, gate=subset.method, visits=len(visits), why=model.reason.value
                )
            )
        courses.append(CellCourse(subset=subset, patients=patients, day=day, value=value, model=model))
    return CellCourses(courses=tuple(courses), messages=tuple(messages))
