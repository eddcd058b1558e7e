# SPDX-License-Identifier: Apache-2.0
"""Cells and cytokines (claim A6): against controls, before and on treatment, with platelets, over visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import final

from sirolens.response.cell_course import Associations, CellCourses, associations, cell_courses
from sirolens.response.cells import ControlComparisons, PairedChanges, compare_with_controls, paired_change
from sirolens.response.cohort import Cohort
from sirolens.study.cohort.outcomes import Outcomes
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["CellFindings", "cells_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellFindings:
    """All of one cohort's cells; values of different gates are never pooled.

    Parameters
    ----------
    controls : ControlComparisons
        Before treatment, against healthy controls.
    changes : PairedChanges
        On treatment, against before.
    platelets, tgf_beta : Associations
        With platelet counts, and with TGF-beta.
    courses : CellCourses
        Over all visits.
    """

    controls: ControlComparisons
    changes: PairedChanges
    platelets: Associations
    tgf_beta: Associations
    courses: CellCourses


def cells_of(cohort: Cohort, outcomes: Outcomes, protocol: StudyProtocol, at: datetime) -> CellFindings:
    """Compare the cells of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Holds the controls.
    outcomes : Outcomes
        The charts.
    protocol : StudyProtocol
        Gives the level of the intervals.
    at : datetime
        The data cut.
    """
    charts, level, methods = outcomes.charts, protocol.interval_level, cohort.methods
    return CellFindings(
        controls=compare_with_controls(charts, cohort.controls, at, methods=methods, level=level),
        changes=paired_change(charts, at, methods=methods, level=level),
        platelets=associations(charts, at, methods=methods, level=level),
        tgf_beta=associations(charts, at, partner="tgf-beta", methods=methods, level=level),
        courses=cell_courses(charts, at, methods=methods, level=level),
    )
