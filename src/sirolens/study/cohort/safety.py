# SPDX-License-Identifier: Apache-2.0
"""Adverse events of a cohort and of each arm, counted to the end of each patient's follow-up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import final
from zoneinfo import ZoneInfo

from sirolens.response.cohort import Cohort
from sirolens.response.safety import EventTable, adverse_event_table
from sirolens.response.safety_labs import LabShift, lab_shifts
from sirolens.study.cohort.outcomes import Outcomes
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["ArmSafety", "safety_of"]


CTCAE = "5"
"""The version laboratory values are graded by, where no grade of the cohort says another."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmSafety:
    """Adverse events of an arm, and its graded laboratory values; without arm: everybody."""

    arm: str | None
    events: EventTable
    labs: tuple[LabShift, ...]


def _ends(cohort: Cohort, outcomes: Outcomes) -> dict[str, datetime]:
    """The last instant of the last day each patient was followed, where the study says so."""
    found = {}
    for chart in outcomes.charts:
        told = cohort.follow_up.get(chart.patient.id)
        day = None if told is None else told.died or told.left
        if day is not None:
            following = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(chart.zone)) + timedelta(days=1)
            found[chart.patient.id] = following
    return found


def _version(table: EventTable) -> str:
    """Grade by the version the study's own grades carry; by the default where they carry none or several."""
    known = [one for one in table.versions if one in ("5", "6")]
    return known[0] if len(known) == 1 else CTCAE


def safety_of(cohort: Cohort, outcomes: Outcomes, protocol: StudyProtocol, at: datetime) -> tuple[ArmSafety, ...]:
    """Count the adverse events of all patients, and of each arm of a study of several.

    Parameters
    ----------
    cohort : Cohort
        Says when follow-up ended.
    outcomes : Outcomes
        The charts and arms.
    protocol : StudyProtocol
        Gives the level of the intervals.
    at : datetime
        The data cut.
    """
    ends = _ends(cohort, outcomes)
    arms: tuple[str | None, ...] = (None, *(outcomes.arm_names if len(outcomes.arm_names) > 1 else ()))
    found = []
    for arm in arms:
        charts = [chart for chart, inside in zip(outcomes.charts, outcomes.member(arm), strict=True) if inside]
        table = adverse_event_table(charts, at, ends=ends, level=protocol.interval_level)
        labs = lab_shifts(charts, at, version=_version(table), ends=ends)
        found.append(ArmSafety(arm=arm, events=table, labs=labs))
    return tuple(found)
