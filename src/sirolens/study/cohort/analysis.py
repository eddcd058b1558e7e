# SPDX-License-Identifier: Apache-2.0
"""Analyse a cohort: from charts, criteria and the choices of the analysis to everything a study report shows.

Nothing is drawn at random and nothing depends on the order of the files: the same cohort, criteria, choices and
versions give the same numbers, which is what the lock checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import final

from sirolens.errors import InputError
from sirolens.message import Message, error, info, warning
from sirolens.report.course_figure import ManyCourses
from sirolens.report.swimmer_figure import Swimmer
from sirolens.response.cohort import Cohort
from sirolens.response.criteria_set import CriteriaSet
from sirolens.study.cohort.baseline import BaselineRow, baseline_table
from sirolens.study.cohort.cells import CellFindings, cells_of
from sirolens.study.cohort.comparison import PublishedComparison, compared
from sirolens.study.cohort.contrast import ArmContrast, arm_contrasts
from sirolens.study.cohort.course import courses_of, swimmer_of
from sirolens.study.cohort.design import DesignReading, design_reading
from sirolens.study.cohort.drug_lowered import Suspicion, suspicions
from sirolens.study.cohort.exposure import Exposure, exposure_of
from sirolens.study.cohort.exposure_response import ExposureResponse, relation_of
from sirolens.study.cohort.flow import FlowStep, consent_of, flow_of
from sirolens.study.cohort.outcomes import Outcomes, outcomes_of
from sirolens.study.cohort.predictors import Predictors, predictors_of
from sirolens.study.cohort.prior import Updated, updated
from sirolens.study.cohort.protocol import StudyProtocol
from sirolens.study.cohort.reported import Contradiction, contradictions
from sirolens.study.cohort.response import LandmarkRates, landmark_rates
from sirolens.study.cohort.safety import ArmSafety, safety_of
from sirolens.study.cohort.subgroups import Subgroup, subgroups
from sirolens.study.cohort.time_to_event import TimeCourse, time_courses

__all__ = ["Analysis", "analyse"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """Everything that was computed of a cohort.

    Parameters
    ----------
    cohort : Cohort
        The charts.
    protocol : StudyProtocol
        The choices.
    at : datetime
        The data cut that was used.
    outcomes : Outcomes
        The classification.
    flow : tuple of FlowStep
        Patient flow.
    baseline : tuple of BaselineRow
        Table 1.
    rates : tuple of LandmarkRates
        Response at each landmark, by estimand and arm.
    contrasts : tuple of ArmContrast
        The arms against the first.
    swimmer, courses : Swimmer, ManyCourses
        Courses for figures.
    times : tuple of TimeCourse
        Time to response, to complete response, and their durations.
    exposure : Exposure
        Levels.
    relation : ExposureResponse, optional
        Levels before the primary landmark against response at it.
    predictors : Predictors, optional
        Baseline factors against response.
    subgroups : tuple of Subgroup
        Response in subgroups.
    safety : tuple of ArmSafety
        Adverse events: everybody, then each arm of a study of several.
    suspicions : tuple of Suspicion
        Non-response that may be the drug's own doing (hazard H5).
    cells : CellFindings
        Cells and cytokines.
    comparisons : tuple of PublishedComparison
        Beside published studies.
    design : DesignReading, optional
        The two-stage design the study was planned by.
    updated : Updated, optional
        The rate in the light of an earlier one.
    contradictions : tuple of Contradiction
        Where the source's own response column differs.
    reported_compared : int
        How many reported responses there were.
    messages : tuple of Message
        What must be said of the data.
    """

    cohort: Cohort
    protocol: StudyProtocol
    at: datetime
    outcomes: Outcomes
    flow: tuple[FlowStep, ...]
    baseline: tuple[BaselineRow, ...]
    rates: tuple[LandmarkRates, ...]
    contrasts: tuple[ArmContrast, ...]
    swimmer: Swimmer
    courses: ManyCourses
    times: tuple[TimeCourse, ...]
    exposure: Exposure
    relation: ExposureResponse | None
    predictors: Predictors | None
    subgroups: tuple[Subgroup, ...]
    safety: tuple[ArmSafety, ...]
    suspicions: tuple[Suspicion, ...]
    cells: CellFindings
    comparisons: tuple[PublishedComparison, ...]
    design: DesignReading | None
    updated: Updated | None
    contradictions: tuple[Contradiction, ...]
    reported_compared: int
    messages: tuple[Message, ...]

    @property
    def primary(self) -> LandmarkRates | None:
        """All patients at the primary landmark by the primary estimand; None where the criteria have no such day."""
        return _primary(self.rates, self.protocol)


def _primary(rates: tuple[LandmarkRates, ...], protocol: StudyProtocol) -> LandmarkRates | None:
    day = protocol.primary_landmark_d
    return next((one for one in rates if one.landmark_d == day and one.arm is None), None)


def analyse(
    cohort: Cohort, criteria: CriteriaSet, protocol: StudyProtocol | None = None, *, at: datetime | None = None
) -> Analysis:
    """Analyse a cohort.

    Parameters
    ----------
    cohort : Cohort
        The charts of one study.
    criteria : CriteriaSet
        Who has responded.
    protocol : StudyProtocol, optional
        The choices of the analysis.
    at : datetime, optional
        What was known by then; the cohort's own data cut unless earlier.

    Raises
    ------
    InputError
        ``study.no-patients``; ``study.no-such-landmark`` when the primary landmark is none of the criteria's.
    """
    protocol = StudyProtocol() if protocol is None else protocol
    if not cohort.charts:
        raise InputError(error("study.no-patients", study=cohort.name))
    if protocol.primary_landmark_d not in criteria.landmarks_d:
        days = tuple(str(day) for day in criteria.landmarks_d)
        raise InputError(error("study.no-such-landmark", day=protocol.primary_landmark_d, known=days))
    outcomes = outcomes_of(cohort, criteria, at)
    rates = landmark_rates(outcomes, protocol)
    exposure = exposure_of(outcomes.charts, protocol)
    differing, reported = contradictions(cohort, outcomes)
    cut = cohort.data_cut if at is None else min(at, cohort.data_cut)
    return Analysis(
        cohort=cohort,
        protocol=protocol,
        at=cut,
        outcomes=outcomes,
        flow=flow_of(cohort, outcomes),
        baseline=baseline_table(cohort, outcomes),
        rates=rates,
        contrasts=arm_contrasts(rates, protocol),
        swimmer=swimmer_of(outcomes),
        courses=courses_of(outcomes),
        times=time_courses(outcomes, protocol),
        exposure=exposure,
        relation=relation_of(outcomes, exposure, protocol.primary_landmark_d, protocol.interval_level),
        predictors=predictors_of(cohort, outcomes, protocol),
        subgroups=subgroups(cohort, outcomes, protocol),
        safety=safety_of(cohort, outcomes, protocol, cut),
        suspicions=suspicions(outcomes, protocol),
        cells=cells_of(cohort, outcomes, protocol, cut),
        comparisons=compared(rates, protocol),
        design=design_reading(outcomes, protocol),
        updated=updated(_primary(rates, protocol), protocol),
        contradictions=differing,
        reported_compared=reported,
        messages=_messages(cohort, outcomes, criteria, at),
    )


def _messages(cohort: Cohort, outcomes: Outcomes, criteria: CriteriaSet, at: datetime | None) -> tuple[Message, ...]:
    found: list[Message] = []
    if cohort.invented or any(chart.patient.invented for chart in cohort.charts):
        found.append(warning("study.invented"))
    missing = cohort.ethics.missing
    if missing:
        found.append(warning("study.ethics-missing", statements=tuple(info(f"study.ethics-{one}") for one in missing)))
    if criteria.not_reported:
        found.append(warning("study.criteria-not-reported", fields=criteria.not_reported))
    if at is not None and at > cohort.data_cut:
        found.append(warning("study.later-than-cut", at=at, cut=cohort.data_cut))
    without = tuple(one for one, followed in zip(outcomes.ids, outcomes.followed_d, strict=True) if followed < 0)
    if without:
        found.append(warning("study.not-started", patients=len(without)))
    refused = sum(consent_of(chart) is False for chart in outcomes.charts)
    if refused:
        found.append(warning("study.consent-refused", patients=refused))
    diagnoses = {chart.patient.diagnosis for chart in cohort.charts}
    if len(diagnoses) > 1:
        found.append(info("study.mixed-diagnoses", diagnoses=tuple(sorted(diagnoses))))
    if cohort.unread:
        columns = tuple(f"{one.file}: {one.name}" for one in cohort.unread)
        found.append(info("study.unread-columns", columns=columns))
    return (*found, *dict.fromkeys(outcomes.messages))
