# SPDX-License-Identifier: Apache-2.0
"""A verdict as JSON, for other programs: the layout of ``docs/schema/response.schema.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.chart import Chart
from sirolens.message import Message
from sirolens.report.words import label, say
from sirolens.response.revisions import Revision
from sirolens.response.states import NEVER, STATES, OffTreatment
from sirolens.response.verdict import CountUsed, LandmarkVerdict, Verdict

__all__ = ["FORMAT", "to_json"]

FORMAT = 1
"""Version of the layout."""
SUSTAINED = {1: True, 0: False, -1: None}


def to_json(
    chart: Chart, found: Verdict, changes: Sequence[Revision], *, flags: Sequence[Message] = (), language: str
) -> dict[str, Any]:
    """Turn a verdict into JSON values.

    Parameters
    ----------
    chart : Chart
        What was known.
    found : Verdict
        The verdict on it.
    changes : sequence of Revision
        How it came to it.
    flags : sequence of Message
        What reading the chart had to say.
    language : str
        Of the words.

    Returns
    -------
    dict
        As ``docs/schema/response.schema.json`` describes; days count from day 0, null where something did not happen.
    """
    words = partial(_words, language=language, zone=chart.zone)
    course = found.classified
    local = ZoneInfo(chart.zone)
    best = int(course.best[0])
    return {
        "sirolens_response": FORMAT,
        "intended_use": label("report.intended-use", language),
        "language": language,
        "at": found.at.astimezone(local).isoformat(),
        "patient": {"id": chart.patient.id, "invented": chart.patient.invented},
        "criteria": {"name": found.criteria.name, "version": found.criteria.version, "title": found.criteria.title},
        "day_0": None if found.days is None else found.days.day_0.isoformat(),
        "state": found.state.value,
        "platelet_state": found.platelet_state.value,
        "reason": words(found.reason),
        "baseline": {
            "state": found.baseline.state.name.lower(),
            "day": found.baseline.day,
            "count_10e9_l": _number(found.baseline.count_10e9_l),
        },
        "course": {
            **{name: _day(int(getattr(course, name)[0])) for name in DAYS},
            "duration_ended": bool(course.duration_ended[0]),
            "best": None if best == NEVER else STATES[best].value,
            "sustained": SUSTAINED[int(course.sustained[0])],
            "off_treatment": OffTreatment(int(course.off_treatment[0])).name.lower().replace("_", "-"),
        },
        "landmarks": [_landmark(one, words) for one in found.landmarks],
        "counts": [_count(one) for one in found.counts],
        "changes": [
            {
                "at": revision.after.astimezone(local).isoformat(),
                "landmark_d": change.landmark_d,
                "before": change.before.value,
                "after": change.after.value,
                "reason": words(change.rule),
                "causes": [words(cause) for cause in revision.causes],
            }
            for revision in changes
            for change in revision.changes
        ],
        "notes": [words(note) for note in dict.fromkeys((*found.notes, *flags))],
    }


DAYS = (
    "achieved_day",
    "confirmed_day",
    "lost_day",
    "relapse_day",
    "cr_achieved_day",
    "cr_confirmed_day",
    "cr_lost_day",
    "time_to_response_d",
    "time_to_complete_d",
    "duration_d",
    "days_in_response",
    "days_examined",
    "episodes",
    "pending_day",
    "candidate_day",
    "failure_day",
    "steroid_dependent_day",
    "off_treatment_day",
)
"""Whole numbers of `sirolens.response.states.Classified` that are told, under their own names."""


def _day(day: int) -> int | None:
    return None if day == NEVER else day


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _words(message: Message, *, language: str, zone: str) -> dict[str, str]:
    return {"code": message.code, "severity": message.severity.value, "text": say(message, language, zone=zone)}


def _count(one: CountUsed) -> dict[str, Any]:
    count = _number(one.count_10e9_l)
    return {"use": one.use, "day": one.day, "on": one.on.isoformat(), "count_10e9_l": count, "bleeding": one.bleeding}


def _landmark(one: LandmarkVerdict, words: partial[dict[str, str]]) -> dict[str, Any]:
    return {
        "day": one.day,
        "on": one.on.isoformat(),
        "state": one.state.value,
        "reason": words(one.reason),
        "single": one.single.value,
        "single_reason": words(one.single_reason),
        "treatment_policy": one.policy.value,
        "treatment_policy_reason": words(one.policy_reason),
        "while_on_treatment": one.on_treatment.value,
        "while_on_treatment_reason": words(one.on_treatment_reason),
        "count": None if one.count is None else _count(one.count),
    }
