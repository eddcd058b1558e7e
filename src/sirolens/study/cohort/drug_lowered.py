# SPDX-License-Identifier: Apache-2.0
"""Non-response that may be the drug's own doing: falls of platelets under a high level, before a landmark (hazard H5).

The thresholds are those the advice warns by (`sirolens.dosing`), the search is that of `sirolens.response`; a study
knows both rooms. The verdict stays what the criteria say; the suspicion is told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import final
from zoneinfo import ZoneInfo

import numpy as np

from sirolens.chart import Chart
from sirolens.dosing.protocol import default_settings
from sirolens.response.drug_lowered import DrugLowered, Thresholds, drug_lowered
from sirolens.response.states import State
from sirolens.study.cohort.outcomes import Outcomes, code, first_dose
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["Suspicion", "suspicions", "thresholds_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A patient without response at a landmark whose platelets fell under a high or rising level before it.

    Parameters
    ----------
    patient : str
        The pseudonym.
    landmark_d : int
        The landmark.
    zone : str
        The clinic's time zone.
    found : tuple of DrugLowered
        The falls.
    """

    patient: str
    landmark_d: int
    zone: str
    found: tuple[DrugLowered, ...]


def thresholds_of(protocol: StudyProtocol) -> Thresholds:
    """Return what counts as a fall, as high and as rising: the advice's settings and the study's target."""
    settings = default_settings()
    return Thresholds(
        high_ng_ml=protocol.target_high_ng_ml,
        fall_ratio=settings.platelet_fall_ratio.value,
        rise_ratio=settings.level_rise_ratio.value,
        window_d=settings.platelet_window_days.value,
    )


def suspicions(outcomes: Outcomes, protocol: StudyProtocol) -> tuple[Suspicion, ...]:
    """Look at every patient without response at the primary landmark.

    Parameters
    ----------
    outcomes : Outcomes
        The classification.
    protocol : StudyProtocol
        Gives the landmark and the target.
    """
    index = outcomes.landmark_index(protocol.primary_landmark_d)
    if index is None:
        return ()
    states, _ = outcomes.at_landmark(index)
    limits = thresholds_of(protocol)
    found = []
    for place in np.flatnonzero(states == code(State.NO_RESPONSE)):
        chart = outcomes.charts[int(place)]
        at = _end_of_window(chart, protocol.primary_landmark_d + outcomes.criteria.landmark_window_d)
        falls = () if at is None else drug_lowered(chart, at, limits, back_days=limits.window_d)
        if falls:
            found.append(
                Suspicion(
                    patient=chart.patient.id, landmark_d=protocol.primary_landmark_d, zone=chart.zone, found=falls
                )
            )
    return tuple(found)


def _end_of_window(chart: Chart, day: int) -> datetime | None:
    """The last instant of a calendar day, counted from the day of the first dose."""
    start = first_dose(chart)
    if start is None:
        return None
    zone = ZoneInfo(chart.zone)
    local = start.astimezone(zone)
    following = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=day + 1)
    return following - timedelta(microseconds=1)
